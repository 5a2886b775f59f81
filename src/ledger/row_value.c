/*
 * row_value.c
 *		Values of a platform's table as JSON that depends on no setting.
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
 *		NULL								null in an array; as a column it is left out
 *
 * Infinite dates and times are "infinity" and "-infinity"; 1 BC is the year 0000, 2 BC is -0001.  An
 * array that does not count from 1 is a string as the server writes it.  Since a column that is NULL
 * is left out, a column that was added later and holds nothing yet changes no row.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "ledger/row_value.h"

/* The settings that output functions of types read. */
static const char *const pinned_settings[][2] = {
	{"DateStyle", "ISO, YMD"},	   {"IntervalStyle", "iso_8601"},	{"TimeZone", "UTC"},
	{"extra_float_digits", "1"},   {"bytea_output", "hex"},			{"lc_monetary", "C"},
	{"search_path", "pg_catalog"}, {"quote_all_identifiers", "off"}};

/* Tells whether a type's output function reads none of the settings. */
static bool
is_plain(Oid type)
{
	switch (type)
	{
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
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case JSONBOID:
			return true;
		default:
			return false;
	}
}

/* Finds out how values of a type are written. */
QgValueType *
qg_value_type(Oid declared, bool *pinned)
{
	QgValueType *result = palloc0(sizeof(QgValueType));
	Oid type = getBaseType(declared);
	Oid element = get_base_element_type(type);
	Oid output;
	bool varlena;

	getTypeOutputInfo(type, &output, &varlena);
	fmgr_info_cxt(output, &result->output, CurrentMemoryContext);
	if (OidIsValid(element))
	{
		result->element = qg_value_type(element, pinned);
		get_typlenbyvalalign(element, &result->typlen, &result->typbyval, &result->typalign);
		*pinned = true;
	}
	else if (is_own(type))
		result->type = type;
	else if (!is_plain(type))
		*pinned = true;
	return result;
}

/* Pins the settings where a row's writing reads them; gives what qg_value_end() takes. */
int
qg_value_begin(bool pinned)
{
	int nest;

	if (!pinned)
		return 0;
	nest = NewGUCNestLevel();
	for (int i = 0; i < (int) lengthof(pinned_settings); i++)
		(void) set_config_option(pinned_settings[i][0], pinned_settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest;
}

/* Gives the settings back. */
void
qg_value_end(int nest)
{
	if (nest > 0)
		AtEOXact_GUC(true, nest);
}

void
qg_value_string(JsonbValue *out, char *text)
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
		qg_value_string(out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

/* Writes a day, its year as ISO 8601 counts: 1 BC is 0, those before are negative. */
static char *
put_day(char *out, int year, int month, int day)
{
	if (year < 0)
		*out++ = '-';
	out = pg_ultostr_zeropad(out, abs(year), 4);
	*out++ = '-';
	out = pg_ultostr_zeropad(out, month, 2);
	*out++ = '-';
	return pg_ultostr_zeropad(out, day, 2);
}

/* Writes a day. */
static char *
date_text(DateADT date)
{
	char *text = palloc(MAXDATELEN);
	int year;
	int month;
	int day;

	if (DATE_NOT_FINITE(date))
		return DATE_IS_NOBEGIN(date) ? "-infinity" : "infinity";
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	*put_day(text, year, month, day) = '\0';
	return text;
}

/* Writes an instant. */
static char *
timestamp_text(Timestamp at, const char *zone)
{
	char *text = palloc(MAXDATELEN);
	char *out;
	struct pg_tm tm;
	fsec_t fsec;

	if (TIMESTAMP_NOT_FINITE(at))
		return TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity";
	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	out = put_day(text, tm.tm_year, tm.tm_mon, tm.tm_mday);
	*out++ = 'T';
	out = pg_ultostr_zeropad(out, tm.tm_hour, 2);
	*out++ = ':';
	out = pg_ultostr_zeropad(out, tm.tm_min, 2);
	*out++ = ':';
	out = pg_ultostr_zeropad(out, tm.tm_sec, 2);
	*out++ = '.';
	out = pg_ultostr_zeropad(out, fsec, 6);
	strcpy(out, zone);
	return text;
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
void
qg_value_scalar(const QgValueType *type, Datum value, JsonbValue *out)
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
			qg_value_string(out, date_text(DatumGetDateADT(value)));
			return;
		case TIMESTAMPOID:
			qg_value_string(out, timestamp_text(DatumGetTimestamp(value), ""));
			return;
		case TIMESTAMPTZOID:
			qg_value_string(out, timestamp_text(DatumGetTimestampTz(value), "Z"));
			return;
		case BYTEAOID:
			qg_value_string(out, bytea_text(value));
			return;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		{
			text *string = DatumGetTextPP(value);

			out->type = jbvString;
			out->val.string.val = VARDATA_ANY(string);
			out->val.string.len = VARSIZE_ANY_EXHDR(string);
			return;
		}
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
			qg_value_string(out, OutputFunctionCall(unconstify(FmgrInfo *, &type->output), value));
	}
}

/* Writes one dimension of an array's elements, which are consumed in order. */
static void
push_dimension(JsonbParseState **state, const QgValueType *type, int ndims, const int *dims,
			   Datum **values, bool **nulls)
{
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < dims[0]; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (ndims > 1)
			push_dimension(state, type, ndims - 1, dims + 1, values, nulls);
		else
			qg_value_push(state, WJB_ELEM, type, *(*values)++, *(*nulls)++);
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
void
qg_value_push(JsonbParseState **state, JsonbIteratorToken token, const QgValueType *type,
			  Datum value, bool isnull)
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
		qg_value_scalar(type, value, &out);
	pushJsonbValue(state, token, &out);
}

/* Gives a value as a document of its own. */
Jsonb *
qg_value_document(const QgValueType *type, Datum value, bool isnull)
{
	JsonbParseState *state = NULL;
	JsonbValue *array;

	/* One element of an array, so that scalars and arrays are pushed alike. */
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	qg_value_push(&state, WJB_ELEM, type, value, isnull);
	array = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(array);
}
