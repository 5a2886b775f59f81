/*
 * element.c
 *		GS1 element strings (GS1 General Specifications), written and read.
 *
 * An element is an application identifier (AI) and its value.  In brackets a string reads
 * "(01)09506000134352(10)ABC"; in a bar code there are no brackets, and an element whose AI has no
 * predefined length ends with the separator 0x1D unless it is the last.  In brackets, a backslash
 * stands before a bracket of the value that would read as an AI, and before a backslash.  The AIs 01, 10, 11, 13,
 * 15, 17, 21, 22 and 235 are checked here, others are kept as they came.
 */
#include "quality_gov.h"

#include "ident/element.h"
#include "ident/ident.h"

#define SEPARATOR '\x1D'

/* GS1-128, GS1 DataBar, DataMatrix, QR Code and DotCode. */
static const char *const symbologies[] = {"]C1", "]e0", "]d2", "]Q3", "]J1"};

/* What is known of the identifiers that are checked. */
typedef struct AiForm
{
	const char *ai;
	int length; /* greatest, or the only one */
	char form;	/* 'g' GTIN, 'd' date, 'x' characters of set 82 */
} AiForm;

static const AiForm forms[] = {{"01", 14, 'g'}, {"10", 20, 'x'}, {"11", 6, 'd'},
							   {"13", 6, 'd'},	{"15", 6, 'd'},	 {"17", 6, 'd'},
							   {"21", 20, 'x'}, {"22", 20, 'x'}, {"235", 28, 'x'}};

/*
 * Digits of the AIs that begin with two digits, by tens; 0 where GS1 has assigned none, so that a
 * GTIN scanned without its AI is not taken for another element.
 */
static const char ai_lengths[] = "2222200000" /* 00 */
								 "2222222222" /* 10 */
								 "2223330000" /* 20 */
								 "2444444204" /* 30 */
								 "3334000000" /* 40 */
								 "0000000000" /* 50 */
								 "0000000000" /* 60 */
								 "4340000000" /* 70 */
								 "4440000000" /* 80 */
								 "2222222222" /* 90 */;

/* Gives the digits of the AI that a text begins with, 0 where it begins with none. */
int
qg_ai_digits(const char *text, int length)
{
	int n;

	if (length < 2 || !qg_all_digits(text, 2))
		return 0;
	n = ai_lengths[(text[0] - '0') * 10 + (text[1] - '0')] - '0';
	return n > 0 && length >= n && qg_all_digits(text, n) ? n : 0;
}

/* Gives the length of the value where the AI predefines it, else 0. */
static int
predefined_length(const char *ai)
{
	int prefix = (ai[0] - '0') * 10 + (ai[1] - '0');
	int ailen = (int) strlen(ai);

	if (prefix == 0)
		return 20 - ailen;
	if ((prefix >= 1 && prefix <= 3) || prefix == 41)
		return 16 - ailen;
	if (prefix == 4)
		return 18 - ailen;
	if (prefix >= 11 && prefix <= 19)
		return 8 - ailen;
	if (prefix == 20)
		return 4 - ailen;
	if (prefix >= 31 && prefix <= 36)
		return 10 - ailen;
	return 0;
}

/* Tells whether a character is of GS1's invariant set 82. */
static bool
in_set_82(char c)
{
	return c > ' ' && c < 127 && strchr("#$@[\\]^`{|}~", c) == NULL;
}

/* Tells whether six digits are a date YYMMDD whose day may be 00; the century is not known. */
static bool
is_date(const char *value)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = (value[0] - '0') * 10 + value[1] - '0';
	int month = (value[2] - '0') * 10 + value[3] - '0';
	int day = (value[4] - '0') * 10 + value[5] - '0';

	return month >= 1 && month <= 12 && day <= days[month - 1] &&
		   !(month == 2 && day == 29 && year % 4 != 0);
}

/* Says what is wrong with a value, NULL where nothing is. */
static const char *
value_fault(const AiForm *form, const char *value, int length, QgElementError *error)
{
	if (form->form == 'x')
	{
		if (length > form->length)
			return "is too long";
		for (int i = 0; i < length; i++)
			if (!in_set_82(value[i]))
				return "has a character outside GS1's character set 82";
		return NULL;
	}
	if (length != form->length || !qg_all_digits(value, length))
		return form->form == 'g' ? "is not 14 digits" : "is not 6 digits";
	if (form->form == 'd' && !is_date(value))
		return "is not a date YYMMDD";
	if (form->form == 'g' && value[13] - '0' != qg_gs1_check_digit(value, 13))
	{
		error->expected = qg_gs1_check_digit(value, 13);
		return "has a wrong check digit";
	}
	return NULL;
}

/* Tells whether a value has a control character, the separator among them. */
static bool
has_control(const char *value, int length)
{
	for (int i = 0; i < length; i++)
		if ((unsigned char) value[i] < 32 || value[i] == 127)
			return true;
	return false;
}

/* Adds an element after checking it; the same element a second time adds nothing. */
bool
qg_element_add(QgElements *list, const char *ai, int ailen, const char *value, int length,
			   QgElementError *error)
{
	const QgElement *before;
	QgElement *item = &list->items[list->n];
	int fixed;

	error->message = NULL;
	error->expected = -1;
	memcpy(error->ai, ai, Min(ailen, 4));
	error->ai[Min(ailen, 4)] = '\0';
	fixed = predefined_length(error->ai);
	before = qg_elements_find(list, error->ai);
	if (before != NULL && (int) strlen(before->value) == length &&
		memcmp(before->value, value, length) == 0)
		return true;
	if (before != NULL)
		error->message = "differs from the one before it";
	else if (list->n == QG_ELEMENTS_MAX)
		error->message = "is one element too many";
	else if (length == 0)
		error->message = "is empty";
	else if (length > QG_ELEMENT_VALUE_MAX)
		error->message = "is too long";
	else if (has_control(value, length))
		error->message = "has a control character";
	for (int i = 0; error->message == NULL && i < (int) lengthof(forms); i++)
		if (strcmp(forms[i].ai, error->ai) == 0)
			error->message = value_fault(&forms[i], value, length, error);
	/* Written without a separator, a value of another length would run into the next element. */
	if (error->message == NULL && fixed > 0 && length != fixed)
	{
		error->message = "does not have the predefined length";
		error->expected = fixed;
	}
	if (error->message != NULL)
		return false;
	strcpy(item->ai, error->ai);
	memcpy(item->value, value, length);
	item->value[length] = '\0';
	list->n++;
	return true;
}

/* Gives the digits of the AI whose brackets a text begins with, 0 where it begins with none. */
static int
bracketed_ai(const char *text, int length)
{
	int n = length > 2 && text[0] == '(' ? qg_ai_digits(text + 1, length - 1) : 0;

	return n > 0 && length > n + 1 && text[n + 1] == ')' ? n : 0;
}

/*
 * Reads "(ai)value" pieces; a bracket that holds no identifier belongs to the value before it, and so
 * does one behind a backslash.
 */
static bool
parse_bracketed(const char *text, int length, QgElements *list, QgElementError *error)
{
	int pos = 0;

	while (pos < length)
	{
		int ailen = bracketed_ai(text + pos, length - pos);
		const char *ai = text + pos + 1;
		char value[QG_ELEMENT_VALUE_MAX];
		int n = 0;

		CHECK_FOR_INTERRUPTS();
		if (ailen == 0)
		{
			error->message = "malformed";
			return false;
		}
		for (pos += ailen + 2; pos < length && !bracketed_ai(text + pos, length - pos); pos++)
		{
			if (text[pos] == '\\' && pos + 1 < length &&
				(text[pos + 1] == '(' || text[pos + 1] == '\\'))
				pos++;
			/* What is too long is counted, and refused for its length. */
			if (n < QG_ELEMENT_VALUE_MAX)
				value[n] = text[pos];
			if (n <= QG_ELEMENT_VALUE_MAX)
				n++;
		}
		if (!qg_element_add(list, ai, ailen, value, n, error))
			return false;
	}
	return true;
}

/* Reads elements as a bar code holds them. */
static bool
parse_plain(const char *text, int length, QgElements *list, QgElementError *error)
{
	int pos = 0;

	/* The symbology identifier of a GS1 symbol, and a first separator, may stand before. */
	for (int i = 0; length >= 3 && i < (int) lengthof(symbologies); i++)
		if (memcmp(symbologies[i], text, 3) == 0)
			pos = 3;
	while (pos < length && text[pos] == SEPARATOR)
		pos++;
	while (pos < length)
	{
		int ailen = qg_ai_digits(text + pos, length - pos);
		char ai[5] = {0};
		int fixed;
		int end;

		CHECK_FOR_INTERRUPTS();
		if (ailen == 0)
		{
			error->message = "malformed";
			return false;
		}
		memcpy(ai, text + pos, ailen);
		fixed = predefined_length(ai);
		pos += ailen;
		end = pos;
		while (end < length && text[end] != SEPARATOR && (fixed == 0 || end - pos < fixed))
			end++;
		if (!qg_element_add(list, ai, ailen, text + pos, end - pos, error))
			return false;
		pos = end < length && text[end] == SEPARATOR ? end + 1 : end;
	}
	return true;
}

/* Reads an element string, in brackets or not. */
bool
qg_elements_parse(const char *text, int length, QgElements *list, QgElementError *error)
{
	bool ok;

	list->n = 0;
	list->npath = 0;
	memset(error, 0, sizeof(*error));
	error->expected = -1;
	ok = length > 0 && text[0] == '(' ? parse_bracketed(text, length, list, error)
									  : parse_plain(text, length, list, error);
	if (ok && list->n == 0)
	{
		error->message = "malformed";
		return false;
	}
	return ok;
}

/* Gives the first element of an AI, or NULL. */
const QgElement *
qg_elements_find(const QgElements *list, const char *ai)
{
	for (int i = 0; i < list->n; i++)
		if (strcmp(list->items[i].ai, ai) == 0)
			return &list->items[i];
	return NULL;
}

/* Appends a value so that parse_bracketed() does not take a piece of it for an AI. */
static void
append_escaped(StringInfo out, const char *value)
{
	int length = (int) strlen(value);

	for (int i = 0; i < length; i++)
	{
		if (value[i] == '\\' || bracketed_ai(value + i, length - i))
			appendStringInfoChar(out, '\\');
		appendStringInfoChar(out, value[i]);
	}
}

/*
 * Writes an element string: what has a predefined length first, by AI, so that it needs no
 * separator; the rest as it came.
 */
void
qg_elements_write(const QgElements *list, bool bracketed, StringInfo out)
{
	bool written[QG_ELEMENTS_MAX] = {false};

	for (int n = 0; n < list->n; n++)
	{
		int next = -1;
		const QgElement *item;

		for (int i = 0; i < list->n; i++)
			if (!written[i] && predefined_length(list->items[i].ai) > 0 &&
				(next < 0 || strcmp(list->items[i].ai, list->items[next].ai) < 0))
				next = i;
		for (int i = 0; next < 0; i++)
			if (!written[i])
				next = i;
		item = &list->items[next];
		written[next] = true;
		appendStringInfo(out, bracketed ? "(%s)" : "%s", item->ai);
		if (bracketed)
			append_escaped(out, item->value);
		else
			appendStringInfoString(out, item->value);
		if (!bracketed && predefined_length(item->ai) == 0 && n < list->n - 1)
			appendStringInfoChar(out, SEPARATOR);
	}
}
