/*
 * digital_link.c
 *		GS1 Digital Link (GS1 DL URI syntax), written and read, and the SQL functions of elements.
 *
 * A link of a GTIN is https://host/01/{gtin}, then the qualifiers 22, 10 and 21 in that order (or
 * 235 alone), each where it is known, then other elements as a query; values are percent-encoded:
 *
 *		https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "catalog/pg_type.h"

#include "ident/element.h"
#include "ident/ident.h"

/* A link longer than this is no link. */
#define LINK_MAX 2048

/* The path of a GTIN: the key, and its qualifiers in the order they must stand in. */
static const char *const path_ais[] = {"01", "22", "10", "21", "235"};

/* The older form with words instead of numbers. */
static const struct
{
	const char *word;
	const char *ai;
} words[] = {{"gtin", "01"}, {"cpv", "22"}, {"lot", "10"}, {"ser", "21"}};

/* Tells a GTIN path's place of an AI, -1 where it has none. */
static int
path_place(const char *ai, int length)
{
	for (int i = 0; i < (int) lengthof(path_ais); i++)
		if ((int) strlen(path_ais[i]) == length && memcmp(path_ais[i], ai, length) == 0)
			return i;
	for (int i = 0; i < (int) lengthof(words); i++)
		if ((int) strlen(words[i].word) == length && memcmp(words[i].word, ai, length) == 0)
			return path_place(words[i].ai, (int) strlen(words[i].ai));
	return -1;
}

static int
hex_value(char c)
{
	return c >= '0' && c <= '9'	  ? c - '0'
		   : c >= 'a' && c <= 'f' ? c - 'a' + 10
		   : c >= 'A' && c <= 'F' ? c - 'A' + 10
								  : -1;
}

/* Decodes percent-encoding; the length is given, -1 where an escape is broken or hides a control. */
static int
percent_decode(const char *text, int length, char *out, int size)
{
	int n = 0;

	for (int i = 0; i < length; i++)
	{
		int c = (unsigned char) text[i];

		if (c == '%')
		{
			int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
			int low = high >= 0 ? hex_value(text[i + 2]) : -1;

			if (low < 0)
				return -1;
			c = high * 16 + low;
			i += 2;
		}
		/* Elements are of ASCII without controls, so nothing else is let through. */
		if (c < 32 || c > 126 || n == size)
			return -1;
		out[n++] = (char) c;
	}
	return n;
}

/* Appends a value with everything but RFC 3986's unreserved characters encoded. */
static void
percent_encode(StringInfo out, const char *value)
{
	for (const char *c = value; *c != '\0'; c++)
	{
		if ((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
			strchr("-._~", *c) != NULL)
			appendStringInfoChar(out, *c);
		else
			appendStringInfo(out, "%%%02X", (unsigned char) *c);
	}
}

/* Adds a segment's or attribute's value, decoded. */
static bool
add_encoded(QgElements *list, const char *ai, int ailen, const char *value, int length,
			QgElementError *error)
{
	char decoded[QG_ELEMENT_VALUE_MAX + 1];
	char gtin[15];
	int n = percent_decode(value, length, decoded, QG_ELEMENT_VALUE_MAX);

	if (n < 0)
	{
		memcpy(error->ai, ai, Min(ailen, 4));
		error->ai[Min(ailen, 4)] = '\0';
		error->message = "is too long or badly encoded";
		return false;
	}
	/* Shorter GTINs were once allowed in links. */
	if (strncmp(ai, "01", ailen) == 0 && (n == 8 || n == 12 || n == 13) &&
		qg_all_digits(decoded, n))
	{
		snprintf(gtin, sizeof(gtin), "%0*d%.*s", 14 - n, 0, n, decoded);
		return qg_element_add(list, ai, ailen, gtin, 14, error);
	}
	return qg_element_add(list, ai, ailen, decoded, n, error);
}

/* Reads the path from the GTIN on: pairs of an AI and a value, in order. */
static bool
parse_path(const char *pos, const char *end, QgElements *list, QgElementError *error)
{
	int place = -1;

	while (pos < end)
	{
		const char *slash = memchr(pos, '/', end - pos);
		const char *value = slash ? slash + 1 : end;
		const char *stop;
		int here = slash ? path_place(pos, (int) (slash - pos)) : -1;

		if (here < 0 || here <= place || (place < 0 && here != 0) || (place > 0 && here == 4))
		{
			error->message = "path";
			return false;
		}
		stop = memchr(value, '/', end - value);
		if (stop == NULL)
			stop = end;
		if (!add_encoded(list, path_ais[here], (int) strlen(path_ais[here]), value,
						 (int) (stop - value), error))
			return false;
		place = here;
		pos = stop + 1;
	}
	return place >= 0;
}

/* Reads the elements of a query; attributes that are no AI are the resolver's own. */
static bool
parse_query(const char *pos, const char *end, QgElements *list, QgElementError *error)
{
	while (pos < end)
	{
		const char *stop = pos;
		const char *equals;

		while (stop < end && *stop != '&' && *stop != ';')
			stop++;
		equals = memchr(pos, '=', stop - pos);
		if (equals != NULL && equals > pos &&
			qg_ai_digits(pos, (int) (equals - pos)) == equals - pos &&
			!add_encoded(list, pos, (int) (equals - pos), equals + 1, (int) (stop - equals - 1),
						 error))
			return false;
		pos = stop + 1;
	}
	return true;
}

/* Reads a link into its elements. */
bool
qg_link_parse(const char *uri, int length, QgElements *list, QgElementError *error)
{
	const char *end = uri + length;
	const char *pos = NULL;
	const char *path_end;
	const char *fragment;

	list->n = 0;
	memset(error, 0, sizeof(*error));
	error->expected = -1;
	error->message = "link";
	if (length > LINK_MAX)
		return false;
	if (length > 8 && pg_strncasecmp(uri, "https://", 8) == 0)
		pos = uri + 8;
	else if (length > 7 && pg_strncasecmp(uri, "http://", 7) == 0)
		pos = uri + 7;
	if (pos == NULL || *pos == '/')
		return false;
	/* The host ends where the path begins; a query or fragment before it holds no key. */
	while (pos < end && *pos != '/' && *pos != '?' && *pos != '#')
		pos++;
	if (pos == end || *pos != '/')
		return false;
	fragment = memchr(pos, '#', end - pos);
	if (fragment != NULL)
		end = fragment;
	path_end = memchr(pos, '?', end - pos);
	if (path_end == NULL)
		path_end = end;
	/* A resolver may put a path of its own before the key. */
	while (pos != NULL && pos < path_end)
	{
		const char *slash = memchr(pos + 1, '/', path_end - pos - 1);

		if (slash != NULL && path_place(pos + 1, (int) (slash - pos - 1)) == 0)
			break;
		pos = slash;
	}
	if (pos == NULL || pos >= path_end)
		return false;
	error->message = NULL;
	return parse_path(pos + 1, path_end[-1] == '/' ? path_end - 1 : path_end, list, error) &&
		   (path_end == end || parse_query(path_end + 1, end, list, error));
}

/* Tells whether an element stands in the path: 235 only where no other qualifier does. */
static bool
in_path(const QgElements *list, const char *ai)
{
	int place = path_place(ai, (int) strlen(ai));

	return place == 4 ? !qg_elements_find(list, "22") && !qg_elements_find(list, "10") &&
							!qg_elements_find(list, "21")
					  : place >= 0;
}

/* Writes a link of elements that have a GTIN. */
void
qg_link_write(const QgElements *list, const char *resolver, StringInfo out)
{
	bool query = false;
	int length = (int) strlen(resolver);

	while (length > 0 && resolver[length - 1] == '/')
		length--;
	appendBinaryStringInfo(out, resolver, length);
	for (int i = 0; i < (int) lengthof(path_ais); i++)
	{
		const QgElement *item = qg_elements_find(list, path_ais[i]);

		if (item == NULL || !in_path(list, item->ai))
			continue;
		appendStringInfo(out, "/%s/", item->ai);
		percent_encode(out, item->value);
	}
	for (int i = 0; i < list->n; i++)
	{
		if (in_path(list, list->items[i].ai))
			continue;
		appendStringInfo(out, "%c%s=", query ? '&' : '?', list->items[i].ai);
		percent_encode(out, list->items[i].value);
		query = true;
	}
}

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
	if (resolver[scheme] == '\0' || resolver[scheme] == '/' ||
		strpbrk(resolver, "?# \t\r\n") != NULL || strlen(resolver) > 200)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("resolver must be a host with an optional path")));
	return resolver;
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
	StringInfoData link;
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
	initStringInfo(&link);
	qg_link_write(list, read_resolver(PG_GETARG_TEXT_PP(3)), &link);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(link.data, link.len));
}

/* digital_link_parse(uri): the GTIN and its qualifiers. */
PG_FUNCTION_INFO_V1(qg_digital_link_parse);
Datum
qg_digital_link_parse(PG_FUNCTION_ARGS)
{
	static const char *const ais[] = {"01", "22", "10", "21"};
	QgElements *list = read_elements(PG_GETARG_TEXT_PP(0), true);
	TupleDesc desc;
	Datum values[4] = {0};
	bool nulls[4] = {false};

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

/* gs1_digital_link(text, resolver): an element string as a link. */
PG_FUNCTION_INFO_V1(qg_gs1_digital_link);
Datum
qg_gs1_digital_link(PG_FUNCTION_ARGS)
{
	QgElements *list = read_elements(PG_GETARG_TEXT_PP(0), false);
	StringInfoData out;

	if (qg_elements_find(list, "01") == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a GS1 Digital Link needs a GTIN (01)")));
	initStringInfo(&out);
	qg_link_write(list, read_resolver(PG_GETARG_TEXT_PP(1)), &out);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
