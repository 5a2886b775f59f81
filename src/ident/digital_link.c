/*
 * digital_link.c
 *		GS1 Digital Link (GS1 DL URI syntax), written and read.
 *
 * A link of a GTIN is https://host/01/{gtin}, then the qualifiers 22, 10 and 21 in that order (or
 * 235 alone), each where it is known, then other elements as a query; values are percent-encoded:
 *
 *		https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172
 */
#include "quality_gov.h"

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
