/*
 * passport_code.c
 *		Codes of single items that nobody can guess: made and read again under a key in a file.
 *
 * A code is 20 characters of Crockford's base 32 (digits and capitals without I, L, O and U), as many
 * as a GS1 serial number (AI 21) may have: 16 of a message authentication code, 80 bits, and 4 of the
 * item's number in its batch, 20 bits, hidden under bits of the same key so that codes do not tell how
 * many were made before them:
 *
 *		mac    = first 80 bits of HMAC-SHA256(key, "quality_gov code" 1 batch gtin item lot)
 *		hidden = item xor first 20 bits of HMAC-SHA256(key, "quality_gov code" 2 batch mac)
 *
 * with batch and gtin as 8 bytes and item as 4, high byte first.  Nothing need be stored of a code:
 * read again, its item is uncovered and its mac computed anew.
 *
 * The key file has a line id:hexadecimal for each key, of 32 to 64 bytes; the first is the key of new
 * batches, those below it read the codes of older ones.  It is read anew each time, and forgotten.
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "common/crypto.h"

#define SETTING "quality_gov.code_key_file"
#define DOMAIN "quality_gov code"
#define MAC_BYTES 10
#define MAC_CHARS 16
#define CODE_CHARS 20
#define ITEM_BITS 20
#define KEY_MIN 32
#define KEY_MAX 64
#define KEY_ID_MAX 20
#define VALUE_MAX 400

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* A key of the file. */
typedef struct CodeKey
{
	char id[KEY_ID_MAX + 1];
	uint8 secret[KEY_MAX];
	size_t length;
} CodeKey;

/* What a code binds. */
typedef struct CodeGoods
{
	int64 batch;
	int64 gtin;
	const char *lot;
	size_t lotlen;
} CodeGoods;

/* Gives the value of a character as people read it: small letters, O for 0, I and L for 1. */
static int
value_of(char c)
{
	const char *place;

	c = (char) pg_ascii_toupper((unsigned char) c);
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	place = c ? strchr(alphabet, c) : NULL;
	return place ? (int) (place - alphabet) : -1;
}

static int
hex_value(char c)
{
	return c >= '0' && c <= '9'	  ? c - '0'
		   : c >= 'a' && c <= 'f' ? c - 'a' + 10
		   : c >= 'A' && c <= 'F' ? c - 'A' + 10
								  : -1;
}

/* Reads a line id:hexadecimal. */
static bool
read_line(const char *pos, const char *end, CodeKey *key)
{
	int n = 0;

	for (; pos < end && *pos != ':'; pos++)
	{
		if (n == KEY_ID_MAX || *pos == '\0' ||
			strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", *pos) == NULL)
			return false;
		key->id[n++] = *pos;
	}
	key->id[n] = '\0';
	if (n == 0 || pos == end || (end - pos - 1) % 2 != 0)
		return false;
	for (key->length = 0, pos++; pos < end; pos += 2)
	{
		int high = hex_value(pos[0]);
		int low = hex_value(pos[1]);

		if (high < 0 || low < 0 || key->length == KEY_MAX)
			return false;
		key->secret[key->length++] = (uint8) (high * 16 + low);
	}
	return key->length >= KEY_MIN;
}

/*
 * Finds a key of the file by its id, the first where that is NULL; false where the file has none of
 * that id.  Every line up to it must be well formed: a key that cannot be read is no other key.
 */
static bool
key_find(const char *id, CodeKey *key)
{
	size_t length;
	uint8 *file = qg_key_file_read(qg_code_key_file, SETTING, KEY_MIN * 2 + 2, &length);
	const char *pos = (const char *) file;
	const char *end = pos + length;
	bool found = false;
	int bad = 0;

	for (int line = 1; pos < end && !found && bad == 0; line++)
	{
		const char *stop = memchr(pos, '\n', end - pos);
		const char *last = stop ? stop : end;

		if (last > pos && last[-1] == '\r')
			last--;
		if (last > pos && *pos != '#')
		{
			if (!read_line(pos, last, key))
				bad = line;
			else
				found = id == NULL || strcmp(key->id, id) == 0;
		}
		pos = stop ? stop + 1 : end;
	}
	qg_key_forget(file, length);
	if (!found)
		qg_secret_clear(key, sizeof(*key));
	if (bad)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("line %d of the key file that \"%s\" names is not a key", bad, SETTING),
				 errdetail("Expected id:hexadecimal, the id of small letters, digits, _ and -, "
						   "the key of %d to %d bytes.",
						   KEY_MIN, KEY_MAX)));
	return found;
}

/* Finds a key that must be there. */
static void
key_require(const char *id, CodeKey *key)
{
	if (!key_find(id, key))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						id ? errmsg("the key file that \"%s\" names has no key \"%s\"", SETTING, id)
						   : errmsg("the key file that \"%s\" names has no key", SETTING)));
}

/* Writes an integer, high byte first. */
static uint8 *
put(uint8 *to, uint64 value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, value >>= 8)
		to[i] = (uint8) value;
	return to + bytes;
}

/* Begins what is authenticated: whose it is and what it is for, so that no two purposes meet. */
static uint8 *
put_purpose(uint8 *to, int purpose)
{
	memcpy(to, DOMAIN, sizeof(DOMAIN) - 1);
	return put(to + sizeof(DOMAIN) - 1, purpose, 1);
}

/* Computes the code's mac of an item. */
static bool
mac_of(const CodeKey *key, const CodeGoods *goods, uint32 item, uint8 mac[MAC_BYTES])
{
	uint8 data[64 + VALUE_MAX];
	uint8 digest[QG_SHA256_BYTES];
	uint8 *to = put_purpose(data, 1);

	to = put(to, (uint64) goods->batch, 8);
	to = put(to, (uint64) goods->gtin, 8);
	to = put(to, item, 4);
	memcpy(to, goods->lot, goods->lotlen);
	to += goods->lotlen;
	if (!qg_hmac_sha256(key->secret, key->length, data, to - data, digest))
		return false;
	memcpy(mac, digest, MAC_BYTES);
	return true;
}

/* Computes the bits that an item's number is hidden under. */
static bool
cover_of(const CodeKey *key, int64 batch, const uint8 mac[MAC_BYTES], uint32 *cover)
{
	uint8 data[64];
	uint8 digest[QG_SHA256_BYTES];
	uint8 *to = put(put_purpose(data, 2), (uint64) batch, 8);

	memcpy(to, mac, MAC_BYTES);
	if (!qg_hmac_sha256(key->secret, key->length, data, to + MAC_BYTES - data, digest))
		return false;
	*cover = (uint32) digest[0] << 12 | (uint32) digest[1] << 4 | digest[2] >> 4;
	return true;
}

/* Writes the code of an item. */
static bool
code_write(const CodeKey *key, const CodeGoods *goods, uint32 item, char code[CODE_CHARS + 1])
{
	uint8 mac[MAC_BYTES];
	uint32 cover;
	uint32 bits = 0;
	int nbits = 0;
	char *to = code;

	if (!mac_of(key, goods, item, mac) || !cover_of(key, goods->batch, mac, &cover))
		return false;
	for (int i = 0; i < MAC_BYTES; i++)
		for (bits = bits << 8 | mac[i], nbits += 8; nbits >= 5; nbits -= 5)
			*to++ = alphabet[bits >> (nbits - 5) & 31];
	for (int shift = ITEM_BITS - 5; shift >= 0; shift -= 5)
		*to++ = alphabet[(item ^ cover) >> shift & 31];
	*to = '\0';
	return true;
}

/* Takes a code apart; false where it cannot be one. */
static bool
code_read(const char *code, size_t length, uint8 mac[MAC_BYTES], uint32 *hidden)
{
	uint32 bits = 0;
	int nbits = 0;
	int n = 0;

	if (length != CODE_CHARS)
		return false;
	*hidden = 0;
	for (int i = 0; i < CODE_CHARS; i++)
	{
		int value = value_of(code[i]);

		if (value < 0)
			return false;
		if (i >= MAC_CHARS)
			*hidden = *hidden << 5 | (uint32) value;
		else
			for (bits = bits << 5 | (uint32) value, nbits += 5; nbits >= 8; nbits -= 8)
				mac[n++] = (uint8) (bits >> (nbits - 8));
	}
	return true;
}

static void
libcrypto_refused(CodeKey *key)
{
	qg_secret_clear(key, sizeof(*key));
	ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
					errmsg("libcrypto refused to compute HMAC-SHA256")));
}

/* Takes the goods from arguments (gtin, lot, batch). */
static void
goods_arguments(FunctionCallInfo fcinfo, int first, CodeGoods *goods)
{
	text *lot = PG_GETARG_TEXT_PP(first + 1);

	goods->gtin = PG_GETARG_INT64(first);
	goods->lot = VARDATA_ANY(lot);
	goods->lotlen = VARSIZE_ANY_EXHDR(lot);
	goods->batch = PG_GETARG_INT64(first + 2);
	if (goods->lotlen > VALUE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a lot code has at most %d bytes, found %zu", VALUE_MAX, goods->lotlen)));
}

/* code_write(gtin, lot, batch, key id, items): the codes of items 1 to items of a batch, in order. */
PG_FUNCTION_INFO_V1(qg_code_write);
Datum
qg_code_write(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int32 items = PG_GETARG_INT32(4);
	CodeGoods goods;
	CodeKey key;

	goods_arguments(fcinfo, 0, &goods);
	if (items < 0 || items >= 1 << ITEM_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a batch has at most %d codes, found %d", (1 << ITEM_BITS) - 1, items)));
	InitMaterializedSRF(fcinfo, 0);
	key_require(text_to_cstring(PG_GETARG_TEXT_PP(3)), &key);
	for (int32 item = 1; item <= items; item++)
	{
		Datum values[2];
		bool nulls[2] = {false, false};
		char code[CODE_CHARS + 1];

		CHECK_FOR_INTERRUPTS();
		if (!code_write(&key, &goods, (uint32) item, code))
			libcrypto_refused(&key);
		values[0] = Int32GetDatum(item);
		values[1] = CStringGetTextDatum(code);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		pfree(DatumGetPointer(values[1]));
	}
	qg_secret_clear(&key, sizeof(key));
	return (Datum) 0;
}

/*
 * code_read(code, gtin, lot, batch, key id): the number of the item whose code this is, null where it
 * is none of the batch's, -1 where the key is not there to tell.
 */
PG_FUNCTION_INFO_V1(qg_code_read);
Datum
qg_code_read(PG_FUNCTION_ARGS)
{
	text *code = PG_GETARG_TEXT_PP(0);
	CodeGoods goods;
	CodeKey key;
	uint8 mac[MAC_BYTES];
	uint8 expected[MAC_BYTES];
	uint32 item;
	uint32 cover;
	bool same;

	if (!code_read(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code), mac, &item))
		PG_RETURN_NULL();
	goods_arguments(fcinfo, 1, &goods);
	if (qg_code_key_file == NULL || qg_code_key_file[0] == '\0' ||
		!key_find(text_to_cstring(PG_GETARG_TEXT_PP(4)), &key))
		PG_RETURN_INT32(-1);
	if (!cover_of(&key, goods.batch, mac, &cover) || !mac_of(&key, &goods, item ^ cover, expected))
		libcrypto_refused(&key);
	same = qg_secrets_equal(mac, expected, MAC_BYTES);
	qg_secret_clear(&key, sizeof(key));
	if (!same)
		PG_RETURN_NULL();
	PG_RETURN_INT32((int32) (item ^ cover));
}

/* code_key(): id of the key of new batches. */
PG_FUNCTION_INFO_V1(qg_code_key);
Datum
qg_code_key(PG_FUNCTION_ARGS)
{
	CodeKey key;
	char id[KEY_ID_MAX + 1];

	key_require(NULL, &key);
	strlcpy(id, key.id, sizeof(id));
	qg_secret_clear(&key, sizeof(key));
	PG_RETURN_TEXT_P(cstring_to_text(id));
}

/*
 * code_digest(key id, purpose, value): 128 bits of an HMAC of a value, so that whoever reads the table
 * cannot try values; null where the key is not there.  Purposes 1 and 2 are the codes' own.
 */
PG_FUNCTION_INFO_V1(qg_code_digest);
Datum
qg_code_digest(PG_FUNCTION_ARGS)
{
	int32 purpose = PG_GETARG_INT32(1);
	text *value = PG_GETARG_TEXT_PP(2);
	size_t length = VARSIZE_ANY_EXHDR(value);
	uint8 data[64 + VALUE_MAX];
	uint8 digest[QG_SHA256_BYTES];
	uint8 *to;
	CodeKey key;
	bytea *result;

	if (purpose < 3 || purpose > 255 || length > VALUE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a value to digest has at most %d bytes, found %zu", VALUE_MAX, length)));
	if (qg_code_key_file == NULL || qg_code_key_file[0] == '\0' ||
		!key_find(text_to_cstring(PG_GETARG_TEXT_PP(0)), &key))
		PG_RETURN_NULL();
	to = put_purpose(data, purpose);
	memcpy(to, VARDATA_ANY(value), length);
	if (!qg_hmac_sha256(key.secret, key.length, data, to + length - data, digest))
		libcrypto_refused(&key);
	qg_secret_clear(&key, sizeof(key));
	result = palloc(VARHDRSZ + 16);
	SET_VARSIZE(result, VARHDRSZ + 16);
	memcpy(VARDATA(result), digest, 16);
	PG_RETURN_BYTEA_P(result);
}
