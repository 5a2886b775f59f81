/*
 * epcis_epc.c
 *		Identifiers of goods in EPCIS documents: EPC URNs (GS1 EPC Tag Data Standard) and GS1 Digital
 *		Links, read into GTIN, lot and serial where they have them.
 *
 * A URN gives a company prefix and a reference, together as many digits as the key has without its
 * check digit; the first digit of an item reference is the GTIN's indicator:
 *
 *		urn:epc:id:sgtin:0614141.107346.2017    GTIN 1 0614141 07346, check digit 2, serial 2017
 *		urn:epc:class:lgtin:4012345.012345.998877   lot 998877
 *		urn:epc:idpat:sgtin:4012345.066666.*    the class GTIN
 *
 * The same goods are also https://any.host/01/10614141073462/21/2017.  Both have one key, a link of
 * id.gs1.org, so that what one partner writes and another reads meet.  Other URIs are their own key.
 */
#include "quality_gov.h"

#include "trace/epcis_text.h"

#define PARTS_MAX 6

typedef struct Part
{
	const char *text;
	int length;
} Part;

/* Schemes of the tag data standard whose digits are counted. */
static const struct
{
	const char *name;
	int parts;	/* behind the scheme */
	int digits; /* of the first two parts together, 0: not counted */
} schemes[] = {{"sgtin", 3, 13}, {"lgtin", 3, 13}, {"sscc", 2, 17}, {"sgln", 3, 12},
			   {"grai", 3, 12},	 {"gdti", 3, 12},  {"gsrn", 2, 17}, {"gsrnp", 2, 17},
			   {"sgcn", 3, 12},	 {"gsin", 2, 16},  {"pgln", 2, 12}, {"upui", 3, 13},
			   {"itip", 5, 13},	 {"giai", 2, 0},   {"cpi", 3, 0},	{"ginc", 2, 0}};

static bool
all_digits(const char *text, int length)
{
	for (int i = 0; i < length; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return length > 0;
}

/* Gives the check digit behind digits (GS1 General Specifications 7.9). */
static int
check_digit(const char *text, int length)
{
	int sum = 0;

	for (int i = 0; i < length; i++)
		sum += (text[length - 1 - i] - '0') * (i % 2 == 0 ? 3 : 1);
	return (10 - sum % 10) % 10;
}

static int
hex_value(char c)
{
	return c >= '0' && c <= '9'	  ? c - '0'
		   : c >= 'a' && c <= 'f' ? c - 'a' + 10
		   : c >= 'A' && c <= 'F' ? c - 'A' + 10
								  : -1;
}

/* Decodes a lot or serial; says what is wrong with it, NULL where nothing is. */
static const char *
decode(const Part *part, char out[QG_EPC_VALUE_MAX + 1])
{
	int n = 0;

	for (int i = 0; i < part->length; i++)
	{
		int c = (unsigned char) part->text[i];

		if (c == '%')
		{
			int high = i + 2 < part->length ? hex_value(part->text[i + 1]) : -1;
			int low = high >= 0 ? hex_value(part->text[i + 2]) : -1;

			if (low < 0)
				return "a lot or serial with % only before two hexadecimal digits";
			c = high * 16 + low;
			i += 2;
		}
		if (c <= ' ' || c >= 127 || n == QG_EPC_VALUE_MAX)
			return "a lot or serial of at most 20 characters without spaces";
		out[n++] = (char) c;
	}
	out[n] = '\0';
	return n > 0 ? NULL : "a lot or serial that is not empty";
}

/* Appends a value with what URIs reserve encoded; the key has room for it. */
static void
append_encoded(char *key, const char *value)
{
	char *out = key + strlen(key);

	for (; *value != '\0'; value++)
	{
		if ((*value >= '0' && *value <= '9') || (*value >= 'A' && *value <= 'Z') ||
			(*value >= 'a' && *value <= 'z') || strchr("-._~", *value))
			*out++ = *value;
		else
			out += sprintf(out, "%%%02X", (unsigned char) *value);
	}
	*out = '\0';
}

/* Writes the key of what a GTIN, lot and serial identify. */
static void
write_key(QgEpc *epc, const char *gtin)
{
	snprintf(epc->key, sizeof(epc->key), "https://id.gs1.org/01/%s", gtin);
	if (epc->serial[0] != '\0')
	{
		strcat(epc->key, "/21/");
		append_encoded(epc->key, epc->serial);
	}
	else if (epc->lot[0] != '\0')
	{
		strcat(epc->key, "/10/");
		append_encoded(epc->key, epc->lot);
	}
}

/* Splits at a separator; gives the number of parts, PARTS_MAX + 1 where there are more. */
static int
split(const char *text, int length, char separator, int max, Part *parts)
{
	int n = 0;
	const char *end = text + length;

	for (;;)
	{
		const char *stop = n + 1 < max ? memchr(text, separator, end - text) : NULL;

		parts[n++] = (Part){text, (int) ((stop ? stop : end) - text)};
		if (stop == NULL)
			return n;
		text = stop + 1;
	}
}

/* Puts the digits of a company prefix and reference in the order of the key: indicator first. */
static void
join_digits(const Part *parts, char *digits)
{
	int n = 0;

	digits[n++] = parts[1].text[0];
	memcpy(digits + n, parts[0].text, parts[0].length);
	n += parts[0].length;
	memcpy(digits + n, parts[1].text + 1, parts[1].length - 1);
	n += parts[1].length - 1;
	digits[n] = (char) ('0' + check_digit(digits, n));
	digits[n + 1] = '\0';
}

/* Reads a URN behind "urn:epc:" into the key. */
static const char *
parse_urn(const char *text, int length, QgEpc *epc)
{
	Part head[3];
	Part parts[PARTS_MAX];
	char digits[32];
	bool pattern;
	int n;
	int scheme = -1;

	if (split(text, length, ':', 3, head) < 3)
		return "an EPC URN like urn:epc:id:sgtin:0614141.107346.2017";
	pattern = head[0].length == 5 && memcmp(head[0].text, "idpat", 5) == 0;
	for (int i = 0; i < (int) lengthof(schemes); i++)
		if ((int) strlen(schemes[i].name) == head[1].length &&
			memcmp(schemes[i].name, head[1].text, head[1].length) == 0)
			scheme = i;
	/* Others are of the tag data standard, too: gid, usdod, adi, bic, imovn. */
	if (scheme < 0)
		return NULL;
	n = split(head[2].text, head[2].length, '.', schemes[scheme].parts, parts);
	if (n != schemes[scheme].parts)
		return "as many parts between dots as the EPC scheme has";
	if (schemes[scheme].digits == 0)
		return NULL;
	/* A pattern may leave open all but the company. */
	if (pattern && (parts[1].length == 1 && parts[1].text[0] == '*'))
		return NULL;
	if (parts[0].length < 6 || parts[0].length > 12 ||
		!all_digits(parts[0].text, parts[0].length) ||
		parts[0].length + parts[1].length != schemes[scheme].digits ||
		(parts[1].length > 0 && !all_digits(parts[1].text, parts[1].length)))
		return "a company prefix of 6 to 12 digits, with the reference as many as the EPC scheme "
			   "has";
	if (strcmp(schemes[scheme].name, "sscc") == 0)
	{
		join_digits(parts, digits);
		snprintf(epc->key, sizeof(epc->key), "https://id.gs1.org/00/%s", digits);
		return NULL;
	}
	if (strcmp(schemes[scheme].name, "sgtin") == 0 || strcmp(schemes[scheme].name, "lgtin") == 0)
	{
		char *value = schemes[scheme].name[0] == 'l' ? epc->lot : epc->serial;
		const char *fault;

		join_digits(parts, digits);
		epc->gtin = strtoll(digits, NULL, 10);
		if (!(parts[2].length == 1 && parts[2].text[0] == '*' && pattern))
		{
			fault = decode(&parts[2], value);
			if (fault != NULL)
				return fault;
		}
		write_key(epc, digits);
	}
	return NULL;
}

/* Reads the qualifiers behind the GTIN of a link, in their order 22, 10, 21. */
static const char *
parse_qualifiers(const char *text, const char *end, QgEpc *epc)
{
	static const char *const names[] = {"22", "10", "21"};
	char variant[QG_EPC_VALUE_MAX + 1];
	char *const values[] = {variant, epc->lot, epc->serial};
	int place = -1;

	while (text < end)
	{
		const char *slash = memchr(text, '/', end - text);
		const char *stop;
		const char *fault;
		int here = -1;

		for (int i = 0; slash != NULL && i < (int) lengthof(names); i++)
			if (slash - text == 2 && memcmp(text, names[i], 2) == 0)
				here = i;
		if (here <= place)
			return "a link with 22, 10 and 21 in this order behind the GTIN";
		place = here;
		stop = memchr(slash + 1, '/', end - slash - 1);
		if (stop == NULL)
			stop = end;
		fault = decode(&(Part){slash + 1, (int) (stop - slash - 1)}, values[here]);
		if (fault != NULL)
			return fault;
		text = stop + 1;
	}
	return NULL;
}

/* Reads a link behind its scheme: the first 00 or 01 in its path that digits follow is the key. */
static const char *
parse_link(const char *text, int length, QgEpc *epc)
{
	const char *end = text + length;
	const char *slash;

	for (const char *c = text; c < end; c++)
		if (*c == '?' || *c == '#')
			end = c;
	if (end > text && end[-1] == '/')
		end--;
	for (slash = memchr(text, '/', end - text); slash != NULL && end - slash > 4;
		 slash = memchr(slash + 1, '/', end - slash - 1))
	{
		const char *value = slash + 4;
		const char *stop;
		char digits[19];
		int n;

		if (slash[1] != '0' || (slash[2] != '0' && slash[2] != '1') || slash[3] != '/')
			continue;
		stop = memchr(value, '/', end - value);
		n = (int) ((stop ? stop : end) - value);
		if (n != (slash[2] == '0' ? 18 : 14) || !all_digits(value, n))
			continue;
		memcpy(digits, value, n);
		digits[n] = '\0';
		if (check_digit(digits, n - 1) != digits[n - 1] - '0')
			return psprintf("check digit %d of \"%s\"", check_digit(digits, n - 1), digits);
		if (n == 18)
		{
			snprintf(epc->key, sizeof(epc->key), "https://id.gs1.org/00/%s", digits);
			return NULL;
		}
		epc->gtin = strtoll(digits, NULL, 10);
		if (stop != NULL)
		{
			const char *fault = parse_qualifiers(stop + 1, end, epc);

			if (fault != NULL)
				return fault;
		}
		write_key(epc, digits);
		return NULL;
	}
	return NULL;
}

/*
 * Reads an identifier that is a URI; says what the standard wants instead, NULL where nothing is
 * wrong.  URIs of one's own are no fault and have no GTIN.
 */
const char *
qg_epc_parse(const char *uri, int length, QgEpc *epc)
{
	epc->gtin = 0;
	epc->lot[0] = epc->serial[0] = epc->key[0] = '\0';
	if (length > 8 && memcmp(uri, "urn:epc:", 8) == 0)
		return parse_urn(uri + 8, length - 8, epc);
	if (length > 8 && pg_strncasecmp(uri, "https://", 8) == 0)
		return parse_link(uri + 8, length - 8, epc);
	if (length > 7 && pg_strncasecmp(uri, "http://", 7) == 0)
		return parse_link(uri + 7, length - 7, epc);
	return NULL;
}
