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

#include "mb/pg_wchar.h"

#include "ident/element.h"
#include "ident/ident.h"

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

/* Tells whether bytes are UTF-8 without the escapes that hide a character in a longer form. */
static bool
is_utf8(const char *text, int length)
{
	for (int i = 0, n; i < length; i += n)
	{
		n = pg_utf_mblen((const unsigned char *) text + i);
		if (n > length - i || !pg_utf8_islegal((const unsigned char *) text + i, n))
			return false;
	}
	return true;
}

/* Decodes percent-encoding; says what is wrong with it, NULL where nothing is. */
static const char *
percent_decode(const char *text, int length, char *out, int size, int *outlen)
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
				return "has a % without two hexadecimal digits behind it";
			c = high * 16 + low;
			i += 2;
		}
		/* Text of the database holds no NUL, and what is unseen has no place in a link. */
		if (c < 32 || c == 127)
			return "has a control character";
		if (n == size)
			return "is too long";
		out[n++] = (char) c;
	}
	*outlen = n;
	return is_utf8(out, n) ? NULL : "is not valid UTF-8";
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
	int n;

	error->message = percent_decode(value, length, decoded, QG_ELEMENT_VALUE_MAX, &n);
	if (error->message != NULL)
	{
		memcpy(error->ai, ai, Min(ailen, 4));
		error->ai[Min(ailen, 4)] = '\0';
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

/*
 * Finds where the key begins, for a resolver may put a path of its own before it: the first 01 or
 * gtin with digits behind it, or the first at all; NULL where there is none.
 */
static const char *
find_key(const char *path, const char *end)
{
	const char *first = NULL;

	for (const char *pos = path; pos != NULL && pos < end;)
	{
		const char *slash = memchr(pos + 1, '/', end - pos - 1);

		if (slash != NULL && path_place(pos + 1, (int) (slash - pos - 1)) == 0)
		{
			const char *digit = slash + 1;

			if (first == NULL)
				first = pos + 1;
			while (digit < end && *digit >= '0' && *digit <= '9')
				digit++;
			if (digit - slash > 8 && (digit == end || *digit == '/'))
				return pos + 1;
		}
		pos = slash;
	}
	return first;
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
	list->npath = 0;
	memset(error, 0, sizeof(*error));
	error->expected = -1;
	error->message = "link";
	if (length > QG_LINK_MAX)
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
	pos = find_key(pos, path_end);
	if (pos == NULL)
		return false;
	error->message = NULL;
	if (!parse_path(pos, path_end[-1] == '/' ? path_end - 1 : path_end, list, error))
		return false;
	list->npath = list->n;
	return path_end == end || parse_query(path_end + 1, end, list, error);
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
