/*
 * row_image.c
 *		Rows of a platform's table as JSON that depends on no setting.
 *
 * An entry's body is {"relation": ..., "key": {...}, "row": {...}}: the table's name in the ledger, the
 * columns of the primary key and all columns by name, without those that are NULL.  In place of a
 * sensitive value stands {"commitment": ...}, the SHA-256 digest of 32 random bytes and the canonical
 * JSON of [value]; in place of the row of an append-only table "row_sha256", the digest of its
 * canonical JSON.  A row's entries share a subject: the table's name and the key, the value of a
 * single column as it is, those of several as a JSON array.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/numeric.h"

#include "common/crypto_hash.h"
#include "common/jcs.h"
#include "ledger/row_image.h"
#include "ledger/row_value.h"

#define SALT_BYTES 32

/* Subjects are in an index, which takes no more than some 2,700 bytes. */
#define SUBJECT_MAX 2000

/* Finds the columns of a table's primary key; none where it has none that holds at any time. */
static void
find_key(QgImage *image, Relation relation)
{
	Oid key = qg_image_key_index(relation);
	Relation index;

	if (!OidIsValid(key))
		return;
	index = index_open(key, AccessShareLock);
	/* Of two rows that have the same key until the transaction ends nobody could tell the entries. */
	if (index->rd_index->indimmediate)
		for (int i = 0; i < index->rd_index->indnkeyatts; i++)
			for (int j = 0; j < image->ncolumns; j++)
				if (image->columns[j].attnum == index->rd_index->indkey.values[i])
				{
					image->columns[j].key = true;
					image->keys[image->nkeys++] = j;
				}
	index_close(index, AccessShareLock);
}

/* Gives the index of a table's primary key. */
Oid
qg_image_key_index(Relation relation)
{
	list_free(RelationGetIndexList(relation));
	return relation->rd_pkindex;
}

/* Compares columns as jsonb orders keys, so that it finds them sorted already. */
static int
compare_columns(const void *a, const void *b)
{
	const char *left = ((const QgImageColumn *) a)->name;
	const char *right = ((const QgImageColumn *) b)->name;
	size_t left_length = strlen(left);
	size_t right_length = strlen(right);

	return left_length != right_length ? (left_length < right_length ? -1 : 1)
									   : memcmp(left, right, left_length);
}

/* Makes what is needed to write rows of a table; an error where it has no primary key. */
QgImage *
qg_image_make(Relation relation, char **sensitive, int nsensitive)
{
	TupleDesc desc = RelationGetDescr(relation);
	QgImage *image = palloc0(sizeof(QgImage));

	image->columns = palloc0(desc->natts * sizeof(QgImageColumn));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		QgImageColumn *column = &image->columns[image->ncolumns];

		/* What is computed when it is read is no part of the row. */
		if (att->attisdropped ||
			(att->attgenerated != '\0' && att->attgenerated != ATTRIBUTE_GENERATED_STORED))
			continue;
		column->name = pstrdup(NameStr(att->attname));
		column->attnum = att->attnum;
		for (int j = 0; j < nsensitive; j++)
			column->sensitive |= strcmp(column->name, sensitive[j]) == 0;
		column->type = qg_value_type(att->atttypid, &image->pinned);
		image->sensitive |= column->sensitive;
		image->ncolumns++;
	}
	qsort(image->columns, image->ncolumns, sizeof(QgImageColumn), compare_columns);
	find_key(image, relation);
	if (image->nkeys == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("table \"%s\" has no primary key, or a deferrable one",
							   RelationGetRelationName(relation)),
						errdetail("The ledger tells rows by their keys.")));
	return image;
}

/* Writes the commitment to a value, and keeps the value. */
static void
push_commitment(JsonbParseState **state, const QgImageColumn *column, Datum value, bool isnull,
				QgSecret **secrets)
{
	QgSecret *secret = palloc0(sizeof(QgSecret));
	uint8 salt[SALT_BYTES];
	uint8 digest[QG_SHA256_BYTES];
	StringInfoData canonical;
	JsonbValue out;

	if (!pg_strong_random(salt, sizeof(salt)))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not make random bytes")));
	secret->field = column->name;
	secret->value = qg_value_document(column->type, value, isnull);
	secret->salt = (bytea *) cstring_to_text_with_len((const char *) salt, sizeof(salt));
	secret->next = *secrets;
	*secrets = secret;
	initStringInfo(&canonical);
	qg_jcs_lenient(secret->value, &canonical);
	{
		const QgPiece pieces[] = {{salt, sizeof(salt)}, {canonical.data, canonical.len}};
		char *hex = palloc(2 * QG_SHA256_BYTES + 1);

		qg_sha256_pieces(pieces, lengthof(pieces), digest);
		hex[hex_encode((const char *) digest, QG_SHA256_BYTES, hex)] = '\0';
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		qg_value_string(&out, "commitment");
		pushJsonbValue(state, WJB_KEY, &out);
		qg_value_string(&out, hex);
		pushJsonbValue(state, WJB_VALUE, &out);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
}

/* Writes all columns of a row, or those of its key, as an object; gives it where it is the outermost. */
static JsonbValue *
push_columns(JsonbParseState **state, const QgImage *image, const Datum *values, const bool *nulls,
			 bool key, QgSecret **secrets)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < image->ncolumns; i++)
	{
		const QgImageColumn *column = &image->columns[i];
		int at = column->attnum - 1;
		JsonbValue name;

		if (key && !column->key)
			continue;
		if (nulls[at] && !(column->sensitive && secrets != NULL))
			continue;
		qg_value_string(&name, column->name);
		pushJsonbValue(state, WJB_KEY, &name);
		if (column->sensitive && secrets != NULL)
			push_commitment(state, column, values[at], nulls[at], secrets);
		else
			qg_value_push(state, WJB_VALUE, column->type, values[at], nulls[at]);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Gives a row as it is, sensitive values included. */
Jsonb *
qg_image_row(const QgImage *image, const Datum *values, const bool *nulls)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(push_columns(&state, image, values, nulls, false, NULL));
}

static void
push_key(JsonbParseState **state, char *key)
{
	JsonbValue name;

	qg_value_string(&name, key);
	pushJsonbValue(state, WJB_KEY, &name);
}

static void
push_text(JsonbParseState **state, char *key, char *text)
{
	JsonbValue value;

	push_key(state, key);
	qg_value_string(&value, text);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* Writes the digest of a row. */
static void
push_digest(JsonbParseState **state, const QgImage *image, const Datum *values, const bool *nulls)
{
	char *hex = palloc(2 * QG_SHA256_BYTES + 1);
	uint8 digest[QG_SHA256_BYTES];
	StringInfoData canonical;
	QgPiece piece;

	initStringInfo(&canonical);
	qg_jcs_lenient(qg_image_row(image, values, nulls), &canonical);
	piece.data = canonical.data;
	piece.length = canonical.len;
	qg_sha256_pieces(&piece, 1, digest);
	hex[hex_encode((const char *) digest, QG_SHA256_BYTES, hex)] = '\0';
	push_text(state, "row_sha256", hex);
}

/*
 * Gives the body of an entry: the table's name, the row's key, the key it had before where it is
 * given, and the row or its digest where that is wanted.  What is sensitive goes into secrets.
 */
Jsonb *
qg_image_body(const QgImage *image, char *label, const QgImageRow *row, const QgImageRow *before,
			  QgImageKind kind, QgSecret **secrets)
{
	JsonbParseState *state = NULL;

	/* In the order in which jsonb has them. */
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_key(&state, "key");
	push_columns(&state, image, row->values, row->nulls, true, NULL);
	if (kind == QG_IMAGE_ROW)
	{
		push_key(&state, "row");
		push_columns(&state, image, row->values, row->nulls, false, secrets);
	}
	if (before != NULL)
	{
		push_key(&state, "old_key");
		push_columns(&state, image, before->values, before->nulls, true, NULL);
	}
	push_text(&state, "relation", label);
	if (kind == QG_IMAGE_DIGEST)
		push_digest(&state, image, row->values, row->nulls);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Gives the body of an entry about a table as a whole. */
Jsonb *
qg_image_table_body(char *label)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_text(&state, "relation", label);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Writes the only column of a row's key. */
static void
append_key(StringInfo out, const QgImageColumn *column, Datum key)
{
	JsonbValue value;

	if (column->type->element != NULL || column->type->type == JSONBOID)
	{
		qg_jcs_lenient(qg_value_document(column->type, key, false), out);
		return;
	}
	qg_value_scalar(column->type, key, &value);
	if (value.type == jbvString)
		appendBinaryStringInfo(out, value.val.string.val, value.val.string.len);
	else if (value.type == jbvNumeric)
		appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(
										numeric_out, NumericGetDatum(value.val.numeric))));
	else
		appendStringInfoString(out, value.val.boolean ? "true" : "false");
}

/* Writes the columns of a row's key as a JSON array. */
static void
append_keys(StringInfo out, const QgImage *image, const QgImageRow *row)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < image->nkeys; i++)
	{
		const QgImageColumn *column = &image->columns[image->keys[i]];

		qg_value_push(&state, WJB_ELEM, column->type, row->values[column->attnum - 1], false);
	}
	qg_jcs_lenient(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), out);
}

/* Gives the subject of a row's entries; a long key is replaced by its digest. */
text *
qg_image_subject(const QgImage *image, const char *label, const QgImageRow *row)
{
	StringInfoData out;
	int key;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	appendStringInfo(&out, "%s ", label);
	key = out.len;
	if (image->nkeys > 1)
		append_keys(&out, image, row);
	else
		append_key(&out, &image->columns[image->keys[0]],
				   row->values[image->columns[image->keys[0]].attnum - 1]);
	if (out.len > SUBJECT_MAX)
	{
		const QgPiece piece = {out.data + key, out.len - key};
		uint8 digest[QG_SHA256_BYTES];

		qg_sha256_pieces(&piece, 1, digest);
		out.len = key;
		appendStringInfoString(&out, "sha256:");
		enlargeStringInfo(&out, 2 * QG_SHA256_BYTES);
		out.len += hex_encode((const char *) digest, QG_SHA256_BYTES, out.data + out.len);
	}
	SET_VARSIZE(out.data, out.len);
	return (text *) out.data;
}

/* Tells whether two rows have the same key. */
bool
qg_image_same_key(const QgImage *image, TupleDesc desc, const QgImageRow *a, const QgImageRow *b)
{
	for (int i = 0; i < image->ncolumns; i++)
	{
		const QgImageColumn *column = &image->columns[i];
		int at = column->attnum - 1;
		Form_pg_attribute att = TupleDescAttr(desc, at);

		if (column->key &&
			!datum_image_eq(a->values[at], b->values[at], att->attbyval, att->attlen))
			return false;
	}
	return true;
}
