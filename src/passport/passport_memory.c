/*
 * passport_memory.c
 *		What a backend remembers for scans: hosts, goods, keys, and passports that it verified.
 *
 * Rarely changed facts are kept in two caches that a change drops: keys with what they sign for, and the
 * GTINs that no recall, correction or batch of codes names.  With a key go passports that were verified
 * by it: the row as it was, byte by byte.  The same bytes and the same key give the same answer; a row
 * that was tampered with is another, and is verified anew.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "common/cache.h"
#include "common/look.h"

#include "passport/passport.h"

#define GOODS_MAX 100000
#define KEYS_MAX 10000
#define VERIFIED 256
#define VERIFIED_BYTES 8192
#define GTIN_DIGITS 14

static QgLookIndex resolver_index = QG_LOOK_INDEX("passport_resolver", "passport_resolver_pkey");
static QgLookIndex key_index = QG_LOOK_INDEX("passport_key", "passport_key_pkey");
static QgLookIndex key_goods_index = QG_LOOK_INDEX("passport_key_goods", "passport_key_goods_pkey");
static QgLookIndex revocation_index = QG_LOOK_INDEX("passport_key_revocation",
													"passport_key_revocation_pkey");
static QgLookIndex scope_index = QG_LOOK_INDEX("recall_scope", "recall_scope_gtin");
static QgLookIndex alias_index = QG_LOOK_INDEX("gtin_alias", "gtin_alias_pkey");
static QgLookIndex renamed_index = QG_LOOK_INDEX("gtin_alias", "gtin_alias_current");
static QgLookIndex codes_index = QG_LOOK_INDEX("code_batch", "code_batch_goods");

/* Columns of the tables that are read. */
enum
{
	KEY_ISSUER = 2,
	KEY_ALGORITHM = 6,
	KEY_PUBLIC,
	KEY_VALID,
	GOODS_GOODS = 2,
	GOODS_VALID
};

/* Goods that a key signs for. */
typedef struct KeyGoods
{
	char *goods;
	RangeType *valid;
	struct KeyGoods *next;
} KeyGoods;

/* A key of a producer, or the knowledge that it does not serve. */
typedef struct Key
{
	char *key_id;
	bool plain; /* it is there, and was never revoked */
	char *issuer;
	QgAlgorithm algorithm;
	uint8 public_key[QG_PUBLIC_KEY_MAX];
	RangeType *valid;
	KeyGoods *goods;
} Key;

/* A passport that was verified: its row without what the server writes into it later. */
typedef struct Verified
{
	const Key *key;
	uint32 length;
	char *row;
} Verified;

typedef struct Keys
{
	MemoryContext context;
	HTAB *keys;
	HTAB *hosts;
	Verified verified[VERIFIED];
} Keys;

/* An entry of either table by text. */
typedef struct TextEntry
{
	char *name;
	Key *key;  /* of a key */
	bool ours; /* of a host */
} TextEntry;

typedef struct GoodsEntry
{
	int64 gtin;
	bool plain; /* no recall and no corrected number names it */
	bool coded; /* a batch of codes does */
} GoodsEntry;

static uint32
name_hash(const void *key, Size size)
{
	const char *name = *(char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) name, (int) strlen(name)));
}

static int
name_match(const void *a, const void *b, Size size)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static HTAB *
name_table(const char *title)
{
	HASHCTL ctl = {.keysize = sizeof(char *),
				   .entrysize = sizeof(TextEntry),
				   .hash = name_hash,
				   .match = name_match,
				   .hcxt = CurrentMemoryContext};

	return hash_create(title, 64, &ctl, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static void *
build_keys(void)
{
	Keys *keys = palloc0(sizeof(Keys));

	keys->context = CurrentMemoryContext;
	keys->keys = name_table("quality_gov passport keys");
	keys->hosts = name_table("quality_gov resolvers");
	return keys;
}

static void *
build_goods(void)
{
	HASHCTL ctl = {
		.keysize = sizeof(int64), .entrysize = sizeof(GoodsEntry), .hcxt = CurrentMemoryContext};

	return hash_create("quality_gov plain goods", 1024, &ctl,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static QgCache keys_cache = {.name = "scans: keys",
							 .tables = {"passport_key", "passport_key_goods",
										"passport_key_revocation", "passport_resolver"},
							 .build = build_keys};
static QgCache goods_cache = {.name = "scans: goods",
							  .tables = {"recall_scope", "gtin_alias", "code_batch"},
							  .build = build_goods};

/* Finds what is kept under a name; what is new is filled in by the reader, with the latest snapshot. */
static TextEntry *
find_name(Keys *keys, HTAB *table, const char *name, void (*read)(const char *, TextEntry *))
{
	TextEntry *entry = hash_search(table, &name, HASH_FIND, NULL);
	TextEntry fresh = {0};
	MemoryContext caller;

	if (entry != NULL)
		return entry;
	caller = MemoryContextSwitchTo(keys->context);
	fresh.name = pstrdup(name);
	qg_latest_snapshot_push();
	read(fresh.name, &fresh);
	PopActiveSnapshot();
	entry = hash_search(table, &fresh.name, HASH_ENTER, NULL);
	*entry = fresh;
	MemoryContextSwitchTo(caller);
	if (hash_get_num_entries(table) > KEYS_MAX)
		qg_cache_drop(&keys_cache);
	return entry;
}

static void
read_host(const char *name, TextEntry *entry)
{
	Datum key = CStringGetTextDatum(name);

	entry->ours = qg_look_any(&resolver_index, &key, 1);
}

/* Tells whether a host, in small letters, is one of ours. */
bool
qg_passport_host(text *host)
{
	Keys *keys = qg_cache_get(&keys_cache);

	return find_name(keys, keys->hosts, text_to_cstring(host), read_host)->ours;
}

/* Copies a range out of a row. */
static RangeType *
copy_range(QgLook *look, int column)
{
	bool isnull;

	return DatumGetRangeTypePCopy(qg_look_value(look, column, &isnull));
}

/* Reads the goods that a key signs for. */
static KeyGoods *
read_key_goods(Datum key_id)
{
	KeyGoods *list = NULL;
	bool isnull;
	QgLook look;

	qg_look_begin(&look, &key_goods_index, &key_id, 1, false);
	while (qg_look_next(&look, ForwardScanDirection))
	{
		KeyGoods *goods = palloc(sizeof(KeyGoods));

		goods->goods = TextDatumGetCString(qg_look_value(&look, GOODS_GOODS, &isnull));
		goods->valid = copy_range(&look, GOODS_VALID);
		goods->next = list;
		list = goods;
	}
	qg_look_end(&look);
	return list;
}

static void
read_key(const char *name, TextEntry *entry)
{
	Datum key_id = CStringGetTextDatum(name);
	Key *key = palloc0(sizeof(Key));
	bool isnull;
	QgLook look;

	key->key_id = entry->name;
	entry->key = key;
	qg_look_begin(&look, &key_index, &key_id, 1, false);
	if (qg_look_next(&look, ForwardScanDirection))
	{
		bytea *public_key = DatumGetByteaPP(qg_look_value(&look, KEY_PUBLIC, &isnull));

		key->issuer = TextDatumGetCString(qg_look_value(&look, KEY_ISSUER, &isnull));
		key->valid = copy_range(&look, KEY_VALID);
		key->plain = qg_algorithm_named(
						 DatumGetTextPP(qg_look_value(&look, KEY_ALGORITHM, &isnull)),
						 &key->algorithm) &&
					 (int) VARSIZE_ANY_EXHDR(public_key) == qg_public_key_length(key->algorithm);
		if (key->plain)
			memcpy(key->public_key, VARDATA_ANY(public_key), VARSIZE_ANY_EXHDR(public_key));
	}
	qg_look_end(&look);
	key->plain = key->plain && !qg_look_any(&revocation_index, &key_id, 1);
	key->goods = read_key_goods(key_id);
}

/*
 * Tells whether no recall and no corrected number names a GTIN, nor, where a serial number is asked about,
 * a batch of codes.
 */
bool
qg_passport_goods_plain(int64 gtin, bool numbered)
{
	HTAB *table = qg_cache_get(&goods_cache);
	GoodsEntry *entry = hash_search(table, &gtin, HASH_FIND, NULL);
	Datum key = Int64GetDatum(gtin);
	GoodsEntry fresh = {.gtin = gtin};

	if (entry == NULL)
	{
		qg_latest_snapshot_push();
		fresh.plain = !qg_look_any(&scope_index, &key, 1) && !qg_look_any(&alias_index, &key, 1) &&
					  !qg_look_any(&renamed_index, &key, 1);
		fresh.coded = qg_look_any(&codes_index, &key, 1);
		PopActiveSnapshot();
		entry = hash_search(table, &gtin, HASH_ENTER, NULL);
		*entry = fresh;
		if (hash_get_num_entries(table) > GOODS_MAX)
			qg_cache_drop(&goods_cache);
	}
	return entry->plain && !(numbered && entry->coded);
}

/* Tells whether a period contains an instant. */
static bool
contains(const RangeType *period, TimestampTz at)
{
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);

	return range_contains_elem_internal(type, period, TimestampTzGetDatum(at));
}

/* Tells whether a key signed for a GTIN of 14 digits at an instant. */
static bool
signs_for(const Key *key, const char *gtin, TimestampTz at)
{
	for (const KeyGoods *goods = key->goods; goods != NULL; goods = goods->next)
	{
		size_t length = strlen(goods->goods);

		if ((length == GTIN_DIGITS ? strcmp(goods->goods, gtin) == 0
								   : strncmp(gtin + 1, goods->goods, length) == 0) &&
			contains(goods->valid, at))
			return true;
	}
	return false;
}

/* Gives an object's member, NULL where it has none or null. */
static JsonbValue *
member(JsonbContainer *object, const char *name)
{
	JsonbValue *value = object
							? getKeyJsonValueFromContainer(object, name, (int) strlen(name), NULL)
							: NULL;

	return value != NULL && value->type == jbvNull ? NULL : value;
}

static JsonbContainer *
member_object(JsonbContainer *object, const char *name)
{
	JsonbValue *value = member(object, name);

	return value != NULL && value->type == jbvBinary &&
				   JsonContainerIsObject(value->val.binary.data)
			   ? value->val.binary.data
			   : NULL;
}

/* Tells whether a value is a string of some text; NULL is neither. */
static bool
is_text(const JsonbValue *value, const char *text, int length)
{
	return value != NULL && value->type == jbvString && value->val.string.len == length &&
		   memcmp(value->val.string.val, text, length) == 0;
}

/* Tells whether a member is a string of a column's text, or is missing where that is null. */
static bool
is_column(JsonbContainer *object, const char *name, const text *column)
{
	JsonbValue *value = member(object, name);

	return column == NULL ? value == NULL
						  : is_text(value, VARDATA_ANY(column), (int) VARSIZE_ANY_EXHDR(column));
}

/* Tells whether a member is an instant in UTC as documents write them, and which. */
static bool
is_instant(JsonbContainer *object, const char *name, TimestampTz instant)
{
	JsonbValue *value = member(object, name);
	char text[MAXDATELEN + 1];
	int length;

	if (value == NULL || value->type != jbvString)
		return false;
	length = value->val.string.len;
	if (length < 20 || length > 27 || value->val.string.val[4] != '-' ||
		value->val.string.val[10] != 'T' || value->val.string.val[length - 1] != 'Z')
		return false;
	memcpy(text, value->val.string.val, length);
	text[length] = '\0';
	return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
												   ObjectIdGetDatum(InvalidOid),
												   Int32GetDatum(-1))) == instant;
}

static bool
is_number(JsonbContainer *object, const char *name, int32 number)
{
	JsonbValue *value = member(object, name);
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	if (value == NULL || value->type != jbvNumeric)
		return is_text(value, text, (int) strlen(text));
	return strcmp(DatumGetCString(
					  DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))),
				  text) == 0;
}

/* Tells whether row and signed document tell the same, as passport_row_agrees() does. */
static bool
row_agrees(const QgPassportRow *row, const char *gtin, const Key *key)
{
	JsonbContainer *root = &row->credential->root;
	JsonbContainer *subject;
	JsonbContainer *proof;

	if (!JB_ROOT_IS_OBJECT(row->credential))
		return false;
	subject = member_object(root, "credentialSubject");
	proof = member_object(root, "proof");
	return subject != NULL && proof != NULL &&
		   is_text(member(subject, "gtin"), gtin, GTIN_DIGITS) &&
		   is_column(subject, "lot", row->lot) && is_column(subject, "serial", row->serial) &&
		   is_number(subject, "version", row->version) &&
		   is_text(member(root, "issuer"), key->issuer, (int) strlen(key->issuer)) &&
		   is_text(member(proof, "verificationMethod"), key->key_id, (int) strlen(key->key_id)) &&
		   is_instant(proof, "created", row->issued) && is_instant(root, "validFrom", row->from) &&
		   (row->ends ? is_instant(root, "validUntil", row->until)
					  : member(root, "validUntil") == NULL);
}

/*
 * Tells whether the row's document was signed by its key, for goods that are the key's, and agrees with
 * the row; or remembers that these very bytes were and did.
 */
bool
qg_passport_row_holds(QgLook *look, const QgPassportRow *row, const char *gtin)
{
	Keys *keys = qg_cache_get(&keys_cache);
	const Key *key = find_name(keys, keys->keys, text_to_cstring(row->key_id), read_key)->key;
	Verified *known = &keys->verified[(uint64) row->passport_id % VERIFIED];
	HeapTuple tuple = ExecFetchSlotHeapTuple(look->row, false, NULL);
	const size_t head = offsetof(HeapTupleHeaderData, t_bits);
	const char *bytes = (char *) tuple->t_data + head;
	uint32 length = tuple->t_len - head;
	bool whole = !HeapTupleHasExternal(tuple) && length <= VERIFIED_BYTES;

	if (whole && known->key == key && known->length == length &&
		memcmp(known->row, bytes, length) == 0)
		return true;
	if (!key->plain || !contains(key->valid, row->issued) || !signs_for(key, gtin, row->issued) ||
		!row_agrees(row, gtin, key) ||
		!qg_proof_holds(row->credential, key->algorithm, key->public_key))
		return false;
	if (whole)
	{
		char *copy = MemoryContextAlloc(keys->context, length);

		memcpy(copy, bytes, length);
		if (known->row != NULL)
			pfree(known->row);
		*known = (Verified){key, length, copy};
	}
	return true;
}
