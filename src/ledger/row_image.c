/*
 * row_image.c
 *		Rows of a platform's table as JSON that depends on no setting.
 *
 * What each type becomes is part of what a log promises, and must be the same in every session:
 *
 *		boolean								true, false
 *		smallint, integer, bigint, real, double precision		number (NaN, Infinity: string)
 *		numeric								string of its digits, with its scale
 *		date, timestamp						"2026-11-25", "2026-11-25T08:00:00.000000"
 *		timestamptz							"2026-11-25T08:00:00.000000Z", in UTC
 *		bytea								string of hexadecimal digits
 *		jsonb								itself
 *		arrays								arrays, of as many dimensions
 *		domains								as the type below
 *		all others							string, as the type writes it under pinned settings
 *		NULL								null
 *
 * Infinite dates and times are "infinity" and "-infinity"; a year before 1 is 0 or negative.  An array
 * that does not count from 1 is a string as the server writes it.  A sensitive value is replaced by
 * {"commitment": ...}, the SHA-256 digest of 32 random bytes and the canonical JSON of [value].
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/crypto_hash.h"
#include "common/jcs.h"
#include "ledger/row_image.h"

#define SALT_BYTES 32

/* The settings that output functions of types read. */
static const char *const pinned_settings[][2] = {
	{"DateStyle", "ISO, YMD"},	 {"IntervalStyle", "iso_8601"}, {"TimeZone", "UTC"},
	{"extra_float_digits", "1"}, {"bytea_output", "hex"},		{"lc_monetary", "C"}};

/* How a type's values are written. */
typedef struct QgImageType
{
	Oid type; /* without domains; InvalidOid: by the output function */
	FmgrInfo output;
	struct QgImageType *element; /* of an array, or NULL */
	int16 typlen;				 /* of the element */
	bool typbyval;
	char typalign;
} QgImageType;

/* Tells whether a type's output function reads none of the settings. */
static bool
is_plain(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case NUMERICOID:
		case UUIDOID:
		case JSONOID:
		case INETOID:
		case CIDROID:
		case MACADDROID:
		case OIDOID:
			return true;
		default:
			return get_typtype(type) == TYPTYPE_ENUM;
	}
}

/* Tells whether a type is written by this file alone. */
static bool
is_own(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case BYTEAOID:
		case JSONBOID:
			return true;
		default:
			return false;
	}
}

/* Finds out how values of a type are written. */
static QgImageType *
make_type(Oid declared, bool *pinned)
{
	QgImageType *result = palloc0(sizeof(QgImageType));
	Oid type = getBaseType(declared);
	Oid element = get_base_element_type(type);
	Oid output;
	bool varlena;

	getTypeOutputInfo(type, &output, &varlena);
	fmgr_info_cxt(output, &result->output, CurrentMemoryContext);
	if (OidIsValid(element))
	{
		result->element = make_type(element, pinned);
		get_typlenbyvalalign(element, &result->typlen, &result->typbyval, &result->typalign);
		*pinned = true;
	}
	else if (is_own(type))
		result->type = type;
	else if (!is_plain(type))
		*pinned = true;
	return result;
}

/* Makes what is needed to write rows of a table; an error where it has no primary key. */
QgImage *
qg_image_make(Relation relation, char **sensitive, int nsensitive)
{
	TupleDesc desc = RelationGetDescr(relation);
	Bitmapset *key = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	QgImage *image = palloc0(sizeof(QgImage));

	image->columns = palloc0(desc->natts * sizeof(QgImageColumn));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		QgImageColumn *column = &image->columns[image->ncolumns];

		if (att->attisdropped)
			continue;
		column->name = pstrdup(NameStr(att->attname));
		column->attnum = att->attnum;
		column->key = bms_is_member(att->attnum - FirstLowInvalidHeapAttributeNumber, key);
		for (int j = 0; j < nsensitive; j++)
			column->sensitive |= strcmp(column->name, sensitive[j]) == 0;
		column->type = make_type(att->atttypid, &image->pinned);
		image->nkeys += column->key;
		image->sensitive |= column->sensitive;
		image->ncolumns++;
	}
	if (image->nkeys == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no primary key", RelationGetRelationName(relation)),
				 errdetail("The ledger tells rows by their keys.")));
	return image;
}

/* Pins the settings where a row's writing reads them; gives what qg_image_end() takes. */
int
qg_image_begin(const QgImage *image)
{
	int nest;

	if (!image->pinned)
		return 0;
	nest = NewGUCNestLevel();
	for (int i = 0; i < (int) lengthof(pinned_settings); i++)
		(void) set_config_option(pinned_settings[i][0], pinned_settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest;
}

/* Gives the settings back. */
void
qg_image_end(int nest)
{
	if (nest > 0)
		AtEOXact_GUC(true, nest);
}

static void
set_string(JsonbValue *out, char *text)
{
	out->type = jbvString;
	out->val.string.val = text;
	out->val.string.len = (int) strlen(text);
}

/* Writes a finite double by its shortest digits, another as a string. */
static void
set_float(JsonbValue *out, double value, const char *digits)
{
	if (isfinite(value))
	{
		out->type = jbvNumeric;
		out->val.numeric = DatumGetNumeric(DirectFunctionCall3(
			numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	else
		set_string(out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

/* Writes a day. */
static char *
date_text(DateADT date)
{
	int year;
	int month;
	int day;

	if (DATE_NOT_FINITE(date))
		return DATE_IS_NOBEGIN(date) ? "-infinity" : "infinity";
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return psprintf("%04d-%02d-%02d", year, month, day);
}

/* Writes an instant. */
static char *
timestamp_text(Timestamp at, const char *zone)
{
	struct pg_tm tm;
	fsec_t fsec;

	if (TIMESTAMP_NOT_FINITE(at))
		return TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity";
	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06d%s", tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec, fsec, zone);
}

/* Writes bytes in hexadecimal. */
static char *
bytea_text(Datum value)
{
	bytea *bytes = DatumGetByteaPP(value);
	size_t length = VARSIZE_ANY_EXHDR(bytes);
	char *text = palloc(2 * length + 1);

	text[hex_encode(VARDATA_ANY(bytes), length, text)] = '\0';
	return text;
}

/* Writes a scalar value. */
static void
set_scalar(const QgImageType *type, Datum value, JsonbValue *out)
{
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	switch (type->type)
	{
		case BOOLOID:
			out->type = jbvBool;
			out->val.boolean = DatumGetBool(value);
			return;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			out->type = jbvNumeric;
			out->val.numeric = int64_to_numeric(type->type == INT2OID	? DatumGetInt16(value)
												: type->type == INT4OID ? DatumGetInt32(value)
																		: DatumGetInt64(value));
			return;
		case FLOAT4OID:
			(void) float_to_shortest_decimal_buf(DatumGetFloat4(value), digits);
			set_float(out, DatumGetFloat4(value), digits);
			return;
		case FLOAT8OID:
			(void) double_to_shortest_decimal_buf(DatumGetFloat8(value), digits);
			set_float(out, DatumGetFloat8(value), digits);
			return;
		case DATEOID:
			set_string(out, date_text(DatumGetDateADT(value)));
			return;
		case TIMESTAMPOID:
			set_string(out, timestamp_text(DatumGetTimestamp(value), ""));
			return;
		case TIMESTAMPTZOID:
			set_string(out, timestamp_text(DatumGetTimestampTz(value), "Z"));
			return;
		case BYTEAOID:
			set_string(out, bytea_text(value));
			return;
		case JSONBOID:
		{
			Jsonb *document = DatumGetJsonbP(value);

			if (JB_ROOT_IS_SCALAR(document))
			{
				JsonbValue *scalar = getIthJsonbValueFromContainer(&document->root, 0);

				*out = *scalar;
				return;
			}
			out->type = jbvBinary;
			out->val.binary.data = &document->root;
			out->val.binary.len = VARSIZE(document) - VARHDRSZ;
			return;
		}
		default:
			set_string(out, OutputFunctionCall(unconstify(FmgrInfo *, &type->output), value));
	}
}

static void push_value(JsonbParseState **state, JsonbIteratorToken token, const QgImageType *type,
					   Datum value, bool isnull);

/* Writes one dimension of an array's elements, which are consumed in order. */
static void
push_dimension(JsonbParseState **state, const QgImageType *type, int ndims, const int *dims,
			   Datum **values, bool **nulls)
{
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < dims[0]; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (ndims > 1)
			push_dimension(state, type, ndims - 1, dims + 1, values, nulls);
		else
			push_value(state, WJB_ELEM, type, *(*values)++, *(*nulls)++);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Tells whether every dimension of an array counts from 1. */
static bool
counts_from_one(ArrayType *array)
{
	for (int i = 0; i < ARR_NDIM(array); i++)
		if (ARR_LBOUND(array)[i] != 1)
			return false;
	return true;
}

/* Writes a value behind a key, or as an element. */
static void
push_value(JsonbParseState **state, JsonbIteratorToken token, const QgImageType *type, Datum value,
		   bool isnull)
{
	JsonbValue out;

	if (!isnull && type->element != NULL)
	{
		ArrayType *array = DatumGetArrayTypeP(value);

		if (counts_from_one(array))
		{
			Datum *values;
			bool *nulls;
			int count;

			deconstruct_array(array, ARR_ELEMTYPE(array), type->typlen, type->typbyval,
							  type->typalign, &values, &nulls, &count);
			if (ARR_NDIM(array) > 0)
			{
				push_dimension(state, type->element, ARR_NDIM(array), ARR_DIMS(array), &values,
							   &nulls);
				return;
			}
			pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
			pushJsonbValue(state, WJB_END_ARRAY, NULL);
			return;
		}
	}
	if (isnull)
		out.type = jbvNull;
	else
		set_scalar(type, value, &out);
	pushJsonbValue(state, token, &out);
}

/* Gives a value as a document of its own. */
static Jsonb *
value_document(const QgImageType *type, Datum value, bool isnull)
{
	JsonbParseState *state = NULL;
	JsonbValue *array;

	/* One element of an array, so that scalars and arrays are pushed alike. */
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	push_value(&state, WJB_ELEM, type, value, isnull);
	array = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(array);
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
	secret->value = value_document(column->type, value, isnull);
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
		set_string(&out, "commitment");
		pushJsonbValue(state, WJB_KEY, &out);
		set_string(&out, hex);
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
		set_string(&name, column->name);
		pushJsonbValue(state, WJB_KEY, &name);
		if (column->sensitive && secrets != NULL)
			push_commitment(state, column, values[at], nulls[at], secrets);
		else
			push_value(state, WJB_VALUE, column->type, values[at], nulls[at]);
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

	set_string(&name, key);
	pushJsonbValue(state, WJB_KEY, &name);
}

static void
push_text(JsonbParseState **state, char *key, char *text)
{
	JsonbValue value;

	push_key(state, key);
	set_string(&value, text);
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

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_text(&state, "relation", label);
	push_key(&state, "key");
	push_columns(&state, image, row->values, row->nulls, true, NULL);
	if (before != NULL)
	{
		push_key(&state, "old_key");
		push_columns(&state, image, before->values, before->nulls, true, NULL);
	}
	if (kind == QG_IMAGE_ROW)
	{
		push_key(&state, "row");
		push_columns(&state, image, row->values, row->nulls, false, secrets);
	}
	else if (kind == QG_IMAGE_DIGEST)
		push_digest(&state, image, row->values, row->nulls);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Gives the body of an entry about a table as a whole, or about one of its partitions. */
Jsonb *
qg_image_table_body(char *label, char *partition)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_text(&state, "relation", label);
	if (partition != NULL)
		push_text(&state, "partition", partition);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Gives the subject of a row's entries: the table's name and the key, of one column its value alone. */
text *
qg_image_subject(const QgImage *image, const char *label, const QgImageRow *row)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	appendStringInfoString(&out, label);
	for (int i = 0; i < image->ncolumns; i++)
	{
		const QgImageColumn *column = &image->columns[i];
		JsonbValue value;

		if (!column->key)
			continue;
		appendStringInfoChar(&out, ' ');
		if (column->type->element != NULL || column->type->type == JSONBOID)
		{
			qg_jcs_lenient(value_document(column->type, row->values[column->attnum - 1], false),
						   &out);
			continue;
		}
		set_scalar(column->type, row->values[column->attnum - 1], &value);
		if (value.type == jbvString)
			appendBinaryStringInfo(&out, value.val.string.val, value.val.string.len);
		else if (value.type == jbvNumeric)
			appendStringInfoString(&out, DatumGetCString(DirectFunctionCall1(
											 numeric_out, NumericGetDatum(value.val.numeric))));
		else
			appendStringInfoString(&out, value.val.boolean ? "true" : "false");
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
