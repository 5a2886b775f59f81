/*
 * signature.c
 *		Public keys, signatures and SM3 digests in SQL.
 */
#include "quality_gov.h"

#include "utils/builtins.h"

#include "common/base58.h"
#include "common/signature.h"

/* The multicodec prefix of an Ed25519 public key, varint 0xed. */
#define MULTICODEC_ED25519 "\xed\x01"
#define MULTICODEC_BYTES 2

static const char *const names[] = {[QG_ED25519] = "Ed25519", [QG_SM2] = "SM2"};

const char *
qg_algorithm_name(QgAlgorithm algorithm)
{
	return names[algorithm];
}

/* Finds an algorithm by its name; false where there is none of that name. */
bool
qg_algorithm_named(text *name, QgAlgorithm *algorithm)
{
	int length = VARSIZE_ANY_EXHDR(name);

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if ((int) strlen(names[i]) == length && memcmp(names[i], VARDATA_ANY(name), length) == 0)
		{
			*algorithm = (QgAlgorithm) i;
			return true;
		}
	}
	return false;
}

/* Finds an algorithm by its name, or raises an error that names them. */
QgAlgorithm
qg_algorithm_require(text *name)
{
	QgAlgorithm algorithm;

	if (!qg_algorithm_named(name, &algorithm))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("algorithm \"%s\" is not known", text_to_cstring(name)),
						errhint("Algorithms are Ed25519 and SM2.")));
	return algorithm;
}

/* sm3(bytea): the SM3 digest (GB/T 32905). */
PG_FUNCTION_INFO_V1(qg_sm3_bytea);
Datum
qg_sm3_bytea(PG_FUNCTION_ARGS)
{
	bytea *data = PG_GETARG_BYTEA_PP(0);
	bytea *result = palloc(VARHDRSZ + QG_DIGEST_BYTES);

	SET_VARSIZE(result, VARHDRSZ + QG_DIGEST_BYTES);
	if (!qg_sm3(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), (uint8 *) VARDATA(result)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("this libcrypto has no SM3")));
	PG_RETURN_BYTEA_P(result);
}

/* signature_verify(algorithm, public_key, message, signature): false for anything malformed. */
PG_FUNCTION_INFO_V1(qg_signature_verify_bytea);
Datum
qg_signature_verify_bytea(PG_FUNCTION_ARGS)
{
	bytea *key = PG_GETARG_BYTEA_PP(1);
	bytea *message = PG_GETARG_BYTEA_PP(2);
	bytea *signature = PG_GETARG_BYTEA_PP(3);
	QgAlgorithm algorithm = qg_algorithm_require(PG_GETARG_TEXT_PP(0));

	if ((int) VARSIZE_ANY_EXHDR(key) != qg_public_key_length(algorithm) ||
		VARSIZE_ANY_EXHDR(signature) != QG_SIGNATURE_BYTES)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(qg_signature_verify(algorithm, (uint8 *) VARDATA_ANY(key),
									   (uint8 *) VARDATA_ANY(message), VARSIZE_ANY_EXHDR(message),
									   (uint8 *) VARDATA_ANY(signature)));
}

/* Raises the error that says what is wrong with a public key. */
static void
key_require(QgKeyFault fault, QgAlgorithm algorithm, size_t length)
{
	switch (fault)
	{
		case QG_KEY_OK:
			return;
		case QG_KEY_FORMAT:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("public key is in no known form"),
					 errhint("Give PEM (BEGIN PUBLIC KEY), a multikey (z6Mk...), or the bytes as "
							 "\\x and hexadecimal digits.")));
			break;
		case QG_KEY_TYPE:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("public key is not an %s key", qg_algorithm_name(algorithm))));
			break;
		case QG_KEY_LENGTH:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("public key has %zu bytes, an %s key has %d", length,
								   qg_algorithm_name(algorithm), qg_public_key_length(algorithm))));
			break;
		case QG_KEY_NOT_CANONICAL:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("public key is not in canonical form"),
							errdetail("Its coordinate is not below 2^255 - 19.")));
			break;
		case QG_KEY_NO_POINT:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("public key is no point of the curve")));
			break;
		case QG_KEY_SMALL_ORDER:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("public key is a point of small order"),
							errdetail("With such a key one signature fits many messages.")));
			break;
		case QG_KEY_UNSUPPORTED:
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("this libcrypto has no %s", qg_algorithm_name(algorithm)),
							errhint("Its version is %s.", qg_crypto_version())));
			break;
	}
}

/* Reads the bytes that a text of a key stands for: a multikey, \x and hexadecimal digits, or itself. */
static int
key_text_bytes(text *input, QgAlgorithm algorithm, uint8 *bytes, int room)
{
	const char *text = VARDATA_ANY(input);
	int length = VARSIZE_ANY_EXHDR(input);
	int n;

	if (length > 0 && text[0] == 'z')
	{
		n = qg_base58_decode(text + 1, length - 1, bytes, room);
		if (n < MULTICODEC_BYTES)
			return -1;
		if (algorithm != QG_ED25519 || memcmp(bytes, MULTICODEC_ED25519, MULTICODEC_BYTES) != 0)
			key_require(QG_KEY_TYPE, algorithm, 0);
		memmove(bytes, bytes + MULTICODEC_BYTES, n - MULTICODEC_BYTES);
		return n - MULTICODEC_BYTES;
	}
	if (length > 2 && text[0] == '\\' && text[1] == 'x')
		return length / 2 > room ? -1 : (int) hex_decode(text + 2, length - 2, (char *) bytes);
	if (length < 0 || length > room)
		return -1;
	memcpy(bytes, text, length);
	return length;
}

/* public_key_read(algorithm, key): the raw bytes of a public key, checked. */
PG_FUNCTION_INFO_V1(qg_public_key_read);
Datum
qg_public_key_read(PG_FUNCTION_ARGS)
{
	QgAlgorithm algorithm = qg_algorithm_require(PG_GETARG_TEXT_PP(0));
	uint8 input[QG_BASE58_BYTES_MAX];
	uint8 key[QG_PUBLIC_KEY_MAX];
	int length = key_text_bytes(PG_GETARG_TEXT_PP(1), algorithm, input, sizeof(input));
	QgKeyFault fault = length < 0 ? QG_KEY_FORMAT
								  : qg_public_key_parse(algorithm, input, length, key);
	bytea *result;

	/* What is too short for any form is a raw key of a wrong length. */
	if (fault == QG_KEY_FORMAT && length >= 0 && length < 40)
		fault = QG_KEY_LENGTH;
	key_require(fault, algorithm, length);
	length = qg_public_key_length(algorithm);
	result = palloc(VARHDRSZ + length);
	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), key, length);
	PG_RETURN_BYTEA_P(result);
}

/* multikey(public_key): an Ed25519 public key as W3C's Multikey writes it. */
PG_FUNCTION_INFO_V1(qg_multikey);
Datum
qg_multikey(PG_FUNCTION_ARGS)
{
	bytea *key = PG_GETARG_BYTEA_PP(0);
	int length = VARSIZE_ANY_EXHDR(key);
	uint8 bytes[MULTICODEC_BYTES + QG_PUBLIC_KEY_MAX];
	char text[1 + QG_BASE58_SIZE(sizeof(bytes))];

	key_require(length == qg_public_key_length(QG_ED25519) ? QG_KEY_OK : QG_KEY_LENGTH, QG_ED25519,
				length);
	memcpy(bytes, MULTICODEC_ED25519, MULTICODEC_BYTES);
	memcpy(bytes + MULTICODEC_BYTES, VARDATA_ANY(key), length);
	text[0] = 'z';
	qg_base58_encode(bytes, MULTICODEC_BYTES + length, text + 1);
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

/* multibase_encode(bytea): base 58 with "z" before it. */
PG_FUNCTION_INFO_V1(qg_multibase_encode);
Datum
qg_multibase_encode(PG_FUNCTION_ARGS)
{
	bytea *data = PG_GETARG_BYTEA_PP(0);
	int length = VARSIZE_ANY_EXHDR(data);
	char *text;

	if (length > QG_BASE58_BYTES_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%d bytes are too many for base 58", length),
						errhint("It is for keys and signatures, of up to %d bytes.",
								QG_BASE58_BYTES_MAX)));
	text = palloc(1 + QG_BASE58_SIZE(length));
	text[0] = 'z';
	qg_base58_encode((uint8 *) VARDATA_ANY(data), length, text + 1);
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

/* multibase_decode(text): what multibase_encode() wrote. */
PG_FUNCTION_INFO_V1(qg_multibase_decode);
Datum
qg_multibase_decode(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	int length = VARSIZE_ANY_EXHDR(input);
	bytea *result = palloc(VARHDRSZ + QG_BASE58_BYTES_MAX);
	int n = -1;

	if (length > 0 && *VARDATA_ANY(input) == 'z')
		n = qg_base58_decode(VARDATA_ANY(input) + 1, length - 1, (uint8 *) VARDATA(result),
							 QG_BASE58_BYTES_MAX);
	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("text is not multibase in base 58"),
				 errdetail("It begins with z, has letters and digits without 0, O, I and l, and "
						   "stands for at most %d bytes.",
						   QG_BASE58_BYTES_MAX)));
	SET_VARSIZE(result, VARHDRSZ + n);
	PG_RETURN_BYTEA_P(result);
}
