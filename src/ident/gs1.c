/*
 * gs1.c
 *		The SQL functions of element strings and GS1 Digital Link; element.c and digital_link.c read
 *		and write them.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "ident/element.h"

/* A longer name the DNS cannot hold (RFC 1035). */
#define QG_HOST_MAX 253

/* Raises the error of a link or element string. */
static void
element_error(const char *what, const char *input, const QgElementError *error)
{
	const char *detail = error->message;

	if (detail != NULL && strcmp(detail, "link") == 0)
		detail = "Expected https://host/01/{gtin} of at most 2048 characters.";
	else if (detail == NULL || strcmp(detail, "path") == 0)
		detail = "The path must be /01/{gtin}, then 22, 10 and 21 in that order, or 235.";
	else if (strcmp(detail, "malformed") == 0)
		detail = "Expected elements like (01)09506000134352(10)ABC, or the same without brackets.";
	else if (error->expected >= 0)
		detail = psprintf("The value of (%s) %s, expected %d.", error->ai, detail, error->expected);
	else
		detail = psprintf("The value of (%s) %s.", error->ai, detail);
	ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid %s: \"%.*s\"", what,
						   pg_mbcliplen(input, (int) strlen(input), 100), input),
					errdetail_internal("%s", detail)));
}

/* Reads a text argument as a link or an element string, whichever it is. */
static QgElements *
read_elements(text *input, bool link)
{
	QgElements *list = palloc(sizeof(QgElements));
	QgElementError error;
	char *string = text_to_cstring(input);

	if (link ? !qg_link_parse(string, (int) strlen(string), list, &error)
			 : !qg_elements_parse(string, (int) strlen(string), list, &error))
		element_error(link ? "GS1 Digital Link" : "GS1 element string", string, &error);
	return list;
}

/* Tells whether a resolver has only characters that may stand before a path (RFC 3986). */
static bool
is_plain_uri(const char *resolver)
{
	for (const char *c = resolver; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 127 || strchr("?#\"<>\\^`{|}", *c) != NULL)
			return false;
	return true;
}

/* Raises an error unless a resolver can begin a link. */
static char *
read_resolver(text *input)
{
	char *resolver = text_to_cstring(input);
	int scheme = pg_strncasecmp(resolver, "https://", 8) == 0  ? 8
				 : pg_strncasecmp(resolver, "http://", 7) == 0 ? 7
															   : 0;

	if (scheme == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("resolver must begin with https:// or http://")));
	if (resolver[scheme] == '\0' || resolver[scheme] == '/' || strlen(resolver) > 200 ||
		!is_plain_uri(resolver))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("resolver must be a host with an optional path")));
	return resolver;
}

/* Writes a link that can be read again. */
static text *
link_text(const QgElements *list, text *resolver)
{
	StringInfoData link;

	initStringInfo(&link);
	qg_link_write(list, read_resolver(resolver), &link);
	if (link.len > QG_LINK_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("GS1 Digital Link would have %d characters, at most %d are allowed",
							   link.len, QG_LINK_MAX)));
	return cstring_to_text_with_len(link.data, link.len);
}

/* digital_link(gtin, lot, serial, resolver, variant) */
PG_FUNCTION_INFO_V1(qg_digital_link);
Datum
qg_digital_link(PG_FUNCTION_ARGS)
{
	static const struct
	{
		int argument;
		const char *ai;
	} parts[] = {{4, "22"}, {1, "10"}, {2, "21"}};
	QgElements *list = palloc0(sizeof(QgElements));
	QgElementError error;
	char *gtin;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	gtin = psprintf("%014lld", (long long) PG_GETARG_INT64(0));
	if (!qg_element_add(list, "01", 2, gtin, (int) strlen(gtin), &error))
		element_error("GTIN", gtin, &error);
	for (int i = 0; i < (int) lengthof(parts); i++)
		if (!PG_ARGISNULL(parts[i].argument))
		{
			char *value = text_to_cstring(PG_GETARG_TEXT_PP(parts[i].argument));

			if (!qg_element_add(list, parts[i].ai, 2, value, (int) strlen(value), &error))
				element_error("value of a GS1 Digital Link", value, &error);
		}
	PG_RETURN_TEXT_P(link_text(list, PG_GETARG_TEXT_PP(3)));
}

/*
 * digital_link_parse(uri): the GTIN and its qualifiers, which stand in the path; what the query has
 * is for digital_link_elements().
 */
PG_FUNCTION_INFO_V1(qg_digital_link_parse);
Datum
qg_digital_link_parse(PG_FUNCTION_ARGS)
{
	static const char *const ais[] = {"01", "22", "10", "21"};
	QgElements *list = read_elements(PG_GETARG_TEXT_PP(0), true);
	TupleDesc desc;
	Datum values[4] = {0};
	bool nulls[4] = {false};

	list->n = list->npath;
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (int i = 0; i < 4; i++)
	{
		const QgElement *item = qg_elements_find(list, ais[i]);

		nulls[i] = item == NULL;
		if (item != NULL)
			values[i] = i == 0 ? Int64GetDatum(strtoll(item->value, NULL, 10))
							   : CStringGetTextDatum(item->value);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* Tells a character of a host's name or address, ASCII as it stands in links. */
static bool
is_host_character(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
		   c == '-';
}

/*
 * Copies the host of a link in small letters; false where what stands there is more than a host and
 * a port, such as a name before an @ that would make another host look like this one.
 */
static bool
link_host(const char *uri, char host[QG_HOST_MAX + 1])
{
	const char *pos = strstr(uri, "://");
	int n = 0;

	for (pos = pos ? pos + 3 : uri; is_host_character(*pos); pos++)
	{
		if (n == QG_HOST_MAX)
			return false;
		host[n++] = (char) pg_ascii_tolower((unsigned char) *pos);
	}
	host[n] = '\0';
	if (n > 0 && *pos == ':')
		while (*++pos >= '0' && *pos <= '9')
			;
	return n > 0 && *pos == '/';
}

/*
 * digital_link_read(uri): host, GTIN and qualifiers of a link, or what is wrong with it; never an
 * error, for what is scanned comes from anybody.
 */
PG_FUNCTION_INFO_V1(qg_digital_link_read);
Datum
qg_digital_link_read(PG_FUNCTION_ARGS)
{
	static const char *const ais[] = {"01", "22", "10", "21"};
	text *input = PG_GETARG_TEXT_PP(0);
	QgElements *list = palloc(sizeof(QgElements));
	QgElementError error;
	TupleDesc desc;
	Datum values[6] = {0};
	bool nulls[6] = {true, true, true, true, true, true};
	const char *fault = NULL;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (VARSIZE_ANY_EXHDR(input) > QG_LINK_MAX)
		fault = "too_long";
	else
	{
		char *uri = text_to_cstring(input);
		char host[QG_HOST_MAX + 1];

		if (!qg_link_parse(uri, (int) strlen(uri), list, &error))
			fault = error.message == NULL || strcmp(error.message, "link") == 0 ? "no_link"
					: strcmp(error.message, "path") == 0						? "wrong_path"
																				: "wrong_value";
		else if (qg_elements_find(list, "01") == NULL ||
				 strspn(qg_elements_find(list, "01")->value, "0") == 14)
			fault = "wrong_value";
		else if (!link_host(uri, host))
			fault = "wrong_host";
		else
			values[0] = CStringGetTextDatum(host);
	}
	nulls[0] = fault != NULL;
	list->n = fault != NULL ? 0 : list->npath;
	for (int i = 0; i < (int) lengthof(ais); i++)
	{
		const QgElement *item = qg_elements_find(list, ais[i]);

		if (item == NULL)
			continue;
		nulls[i + 1] = false;
		values[i + 1] = i == 0 ? Int64GetDatum(strtoll(item->value, NULL, 10))
							   : CStringGetTextDatum(item->value);
	}
	nulls[5] = fault == NULL;
	if (fault != NULL)
		values[5] = CStringGetTextDatum(fault);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* Gives elements as rows (ai, value). */
static Datum
elements_rows(FunctionCallInfo fcinfo, const QgElements *list)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < list->n; i++)
	{
		Datum values[2] = {CStringGetTextDatum(list->items[i].ai),
						   CStringGetTextDatum(list->items[i].value)};
		bool nulls[2] = {false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* digital_link_elements(uri) */
PG_FUNCTION_INFO_V1(qg_digital_link_elements);
Datum
qg_digital_link_elements(PG_FUNCTION_ARGS)
{
	return elements_rows(fcinfo, read_elements(PG_GETARG_TEXT_PP(0), true));
}

/* gs1_elements(text) */
PG_FUNCTION_INFO_V1(qg_gs1_elements);
Datum
qg_gs1_elements(PG_FUNCTION_ARGS)
{
	return elements_rows(fcinfo, read_elements(PG_GETARG_TEXT_PP(0), false));
}

/* gs1_element_string(text, bracketed): an element string or link as an element string in order. */
PG_FUNCTION_INFO_V1(qg_gs1_element_string);
Datum
qg_gs1_element_string(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	bool link = VARSIZE_ANY_EXHDR(input) > 4 && pg_strncasecmp(VARDATA_ANY(input), "http", 4) == 0;
	StringInfoData out;

	initStringInfo(&out);
	qg_elements_write(read_elements(input, link), PG_GETARG_BOOL(1), &out);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* Gives the texts of an array without nulls. */
static Datum *
array_texts(ArrayType *array, int *n)
{
	Datum *texts;

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("elements must be arrays of one dimension without nulls")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, n);
	return texts;
}

/* gs1_element_string(text[], text[], bracketed): an element string of identifiers and values. */
PG_FUNCTION_INFO_V1(qg_gs1_element_string_of);
Datum
qg_gs1_element_string_of(PG_FUNCTION_ARGS)
{
	QgElements *list = palloc0(sizeof(QgElements));
	QgElementError error;
	StringInfoData out;
	int n;
	int nvalues;
	Datum *ais = array_texts(PG_GETARG_ARRAYTYPE_P(0), &n);
	Datum *values = array_texts(PG_GETARG_ARRAYTYPE_P(1), &nvalues);

	if (n == 0 || n != nvalues)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("as many values as application identifiers are needed"),
						errdetail("There are %d identifiers and %d values.", n, nvalues)));
	for (int i = 0; i < n; i++)
	{
		char *ai = TextDatumGetCString(ais[i]);
		char *value = TextDatumGetCString(values[i]);
		int length = (int) strlen(ai);

		if (length == 0 || qg_ai_digits(ai, length) != length)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("no GS1 application identifier: \"%s\"", ai)));
		if (!qg_element_add(list, ai, length, value, (int) strlen(value), &error))
			element_error("value of a GS1 element string", value, &error);
	}
	initStringInfo(&out);
	qg_elements_write(list, PG_GETARG_BOOL(2), &out);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* gs1_digital_link(text, resolver): an element string as a link. */
PG_FUNCTION_INFO_V1(qg_gs1_digital_link);
Datum
qg_gs1_digital_link(PG_FUNCTION_ARGS)
{
	QgElements *list = read_elements(PG_GETARG_TEXT_PP(0), false);

	if (qg_elements_find(list, "01") == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a GS1 Digital Link needs a GTIN (01)")));
	PG_RETURN_TEXT_P(link_text(list, PG_GETARG_TEXT_PP(1)));
}
