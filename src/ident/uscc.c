/*
 * uscc.c
 *		Unified social credit code (统一社会信用代码, GB 32100-2015) and organisation code (GB 11714).
 *
 * A code has 18 characters of an alphabet of 31 (digits and capitals without I, O, S, V, Z): one for
 * the registering department, one for the category, six for the region (GB/T 2260), nine that are
 * the organisation code, and a check character.  With a character's value being its place in the
 * alphabet and the weight of place i being 3^(i-1) mod 31, the check value makes the weighted sum a
 * multiple of 31.  Since 31 is prime, every single wrong character is found.
 *
 * Parsing needs nothing of the server; text and binary input both come to qg_uscc_parse().
 */
#include "quality_gov.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "ident/ident.h"

static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static const int weights[QG_USCC_LENGTH - 1] = {1,	3,	9,	27, 19, 26, 16, 17, 20,
												29, 25, 13, 8,	24, 10, 30, 28};

/* Gives a character's value, -1 outside the alphabet. */
static int
value_of(char c)
{
	const char *place = c ? strchr(alphabet, c) : NULL;

	return place ? (int) (place - alphabet) : -1;
}

/* Tells white space, which columns of fixed width and copied cells leave around a code. */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Copies an identifier with full-width forms made ASCII, letters made capitals and outer white
 * space dropped; what is not ASCII then becomes '?'.  The length is given, and -1 where size is too small.
 */
int
qg_ident_plain(const char *input, size_t length, char *plain, int size)
{
	const unsigned char *pos = (const unsigned char *) input;
	const unsigned char *end = pos + length;
	int n = 0;

	while (pos < end)
	{
		unsigned char c = *pos++;

		CHECK_FOR_INTERRUPTS();
		if (c == 0xEF && end - pos >= 2 && (pos[0] == 0xBC || pos[0] == 0xBD))
		{
			/* U+FF01 to U+FF5E stand for ASCII 0x21 to 0x7E. */
			unsigned int code = ((pos[0] & 0x3F) << 6 | (pos[1] & 0x3F)) + 0xF000;

			pos += 2;
			c = code >= 0xFF01 && code <= 0xFF5E ? (unsigned char) (code - 0xFF01 + 0x21) : '?';
		}
		else if (c == 0xE3 && end - pos >= 2 && pos[0] == 0x80 && pos[1] == 0x80)
		{
			pos += 2;
			c = ' ';
		}
		else if (c >= 0x80)
		{
			/* The rest of the character goes with it. */
			while (pos < end && (*pos & 0xC0) == 0x80)
				pos++;
			c = '?';
		}
		if (is_space(c) && (n == 0 || n == size))
			continue;
		if (n == size)
			return -1;
		plain[n++] = (char) pg_ascii_toupper(c);
	}
	while (n > 0 && is_space(plain[n - 1]))
		n--;
	return n;
}

/* Reads a code; where it is wrong, says how. */
bool
qg_uscc_parse(const char *input, size_t length, QgUscc *uscc, QgIdentError *error)
{
	char plain[64];
	int n = qg_ident_plain(input, length, plain, sizeof(plain));
	int sum = 0;

	memset(error, 0, sizeof(*error));
	uscc->unchecked = 0;
	if (n == QG_USCC_LENGTH + 1 && plain[n - 1] == '!')
	{
		uscc->unchecked = '!';
		n--;
	}
	error->length = n;
	if (n != QG_USCC_LENGTH)
	{
		error->fault = QG_IDENT_LENGTH;
		return false;
	}
	for (int i = 0; i < QG_USCC_LENGTH; i++)
	{
		int value = value_of(plain[i]);

		if (value < 0)
		{
			error->fault = QG_IDENT_CHARACTER;
			error->position = i + 1;
			error->found = plain[i];
			return false;
		}
		if (i < QG_USCC_LENGTH - 1)
			sum += value * weights[i];
	}
	memcpy(uscc->code, plain, QG_USCC_LENGTH);
	error->expected = alphabet[(31 - sum % 31) % 31];
	error->found = plain[QG_USCC_LENGTH - 1];
	if (error->found == error->expected)
		uscc->unchecked = 0;
	else if (!uscc->unchecked)
	{
		error->fault = QG_IDENT_CHECK;
		return false;
	}
	return true;
}

/* Gives the check character of an organisation code, 0 where it has a character it cannot have. */
char
qg_organization_code_check(const char code[8])
{
	static const int code_weights[8] = {3, 7, 9, 10, 5, 8, 4, 2};
	int sum = 0;
	int check;

	for (int i = 0; i < 8; i++)
	{
		if (code[i] >= '0' && code[i] <= '9')
			sum += (code[i] - '0') * code_weights[i];
		else if (code[i] >= 'A' && code[i] <= 'Z')
			sum += (code[i] - 'A' + 10) * code_weights[i];
		else
			return 0;
	}
	check = 11 - sum % 11;
	return check == 10 ? 'X' : check == 11 ? '0' : (char) ('0' + check);
}

/* Tells whether nine characters are an organisation code. */
bool
qg_organization_code_valid(const char code[9])
{
	char check = qg_organization_code_check(code);

	return check != 0 && check == code[8];
}

/* Reports a wrong code, softly where the caller can take it. */
static Datum
uscc_error(Node *escontext, int sqlstate, const char *input, const QgIdentError *error)
{
	if (error->fault == QG_IDENT_LENGTH)
		ereturn(escontext, (Datum) 0,
				(errcode(sqlstate), errmsg("invalid unified social credit code: \"%s\"", input),
				 error->length < 0
					 ? errdetail("It is too long, expected 18 characters.")
					 : errdetail("It has %d characters, expected 18.", error->length)));
	if (error->fault == QG_IDENT_CHARACTER)
		ereturn(
			escontext, (Datum) 0,
			(errcode(sqlstate), errmsg("invalid unified social credit code: \"%s\"", input),
			 errdetail("Character %d is not one of the digits and the capitals without I, O, S, "
					   "V, Z.",
					   error->position)));
	ereturn(
		escontext, (Datum) 0,
		(errcode(sqlstate), errmsg("invalid unified social credit code: \"%s\"", input),
		 errdetail("Its check character is \"%c\", expected \"%c\".", error->found,
				   error->expected),
		 errhint("A genuine early code that fails the check is admitted with \"!\" behind it.")));
}

PG_FUNCTION_INFO_V1(qg_uscc_in);
Datum
qg_uscc_in(PG_FUNCTION_ARGS)
{
	char *input = PG_GETARG_CSTRING(0);
	QgUscc *uscc = palloc0(sizeof(QgUscc));
	QgIdentError error;

	if (!qg_uscc_parse(input, strlen(input), uscc, &error))
		return uscc_error(fcinfo->context, ERRCODE_INVALID_TEXT_REPRESENTATION, input, &error);
	PG_RETURN_POINTER(uscc);
}

/* Writes a code as a string. */
static char *
uscc_string(const QgUscc *uscc)
{
	return psprintf("%.*s%s", QG_USCC_LENGTH, uscc->code, uscc->unchecked ? "!" : "");
}

PG_FUNCTION_INFO_V1(qg_uscc_out);
Datum
qg_uscc_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(uscc_string((QgUscc *) PG_GETARG_POINTER(0)));
}

PG_FUNCTION_INFO_V1(qg_uscc_recv);
Datum
qg_uscc_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	QgUscc *uscc = palloc0(sizeof(QgUscc));
	QgIdentError error;
	int length;
	char *input = pq_getmsgtext(buf, buf->len - buf->cursor, &length);

	if (!qg_uscc_parse(input, length, uscc, &error))
		return uscc_error(NULL, ERRCODE_INVALID_BINARY_REPRESENTATION, input, &error);
	PG_RETURN_POINTER(uscc);
}

PG_FUNCTION_INFO_V1(qg_uscc_send);
Datum
qg_uscc_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	char *code = uscc_string((QgUscc *) PG_GETARG_POINTER(0));

	pq_begintypsend(&buf);
	pq_sendtext(&buf, code, strlen(code));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* uscc(text) */
PG_FUNCTION_INFO_V1(qg_uscc_from_text);
Datum
qg_uscc_from_text(PG_FUNCTION_ARGS)
{
	char *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	QgUscc *uscc = palloc0(sizeof(QgUscc));
	QgIdentError error;

	if (!qg_uscc_parse(input, strlen(input), uscc, &error))
		return uscc_error(NULL, ERRCODE_INVALID_TEXT_REPRESENTATION, input, &error);
	PG_RETURN_POINTER(uscc);
}

/* text(uscc) */
PG_FUNCTION_INFO_V1(qg_uscc_to_text);
Datum
qg_uscc_to_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(uscc_string((QgUscc *) PG_GETARG_POINTER(0))));
}

/* uscc_is_valid(text): never an error. */
PG_FUNCTION_INFO_V1(qg_uscc_is_valid);
Datum
qg_uscc_is_valid(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	QgUscc uscc;
	QgIdentError error;

	PG_RETURN_BOOL(qg_uscc_parse(VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), &uscc, &error) &&
				   !uscc.unchecked);
}

/* Gives a stretch of a code as text. */
static Datum
uscc_part(FunctionCallInfo fcinfo, int offset, int length)
{
	const QgUscc *uscc = (QgUscc *) PG_GETARG_POINTER(0);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(uscc->code + offset, length));
}

PG_FUNCTION_INFO_V1(qg_uscc_authority);
Datum
qg_uscc_authority(PG_FUNCTION_ARGS)
{
	return uscc_part(fcinfo, 0, 1);
}

PG_FUNCTION_INFO_V1(qg_uscc_category);
Datum
qg_uscc_category(PG_FUNCTION_ARGS)
{
	return uscc_part(fcinfo, 1, 1);
}

PG_FUNCTION_INFO_V1(qg_uscc_region);
Datum
qg_uscc_region(PG_FUNCTION_ARGS)
{
	return uscc_part(fcinfo, 2, 6);
}

PG_FUNCTION_INFO_V1(qg_uscc_organization_code);
Datum
qg_uscc_organization_code(PG_FUNCTION_ARGS)
{
	return uscc_part(fcinfo, 8, 9);
}

/* organization_code_is_valid(text): with or without the hyphen before the check character. */
PG_FUNCTION_INFO_V1(qg_organization_code_is_valid);
Datum
qg_organization_code_is_valid(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	char plain[64];
	int n = qg_ident_plain(VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), plain, sizeof(plain));

	if (n == 10 && plain[8] == '-')
		plain[8] = plain[9];
	else if (n != 9)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(qg_organization_code_valid(plain));
}

/* organization_code_check_digit(text): the check character that belongs behind eight characters. */
PG_FUNCTION_INFO_V1(qg_organization_code_check_digit);
Datum
qg_organization_code_check_digit(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	char plain[64];
	int n = qg_ident_plain(VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), plain, sizeof(plain));
	char check = n == 8 ? qg_organization_code_check(plain) : 0;

	if (check == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an organisation code has 8 digits or letters before its check")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(&check, 1));
}

/*
 * Compares two codes.  The flag takes no part: it is set exactly where the check character is wrong,
 * so the same characters have the same flag, and equal codes are equal byte by byte (btequalimage).
 */
static int
uscc_compare(FunctionCallInfo fcinfo)
{
	const QgUscc *a = (QgUscc *) PG_GETARG_POINTER(0);
	const QgUscc *b = (QgUscc *) PG_GETARG_POINTER(1);

	return memcmp(a->code, b->code, QG_USCC_LENGTH);
}

PG_FUNCTION_INFO_V1(qg_uscc_eq);
Datum
qg_uscc_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(uscc_compare(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(qg_uscc_ne);
Datum
qg_uscc_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(uscc_compare(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(qg_uscc_lt);
Datum
qg_uscc_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(uscc_compare(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(qg_uscc_le);
Datum
qg_uscc_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(uscc_compare(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(qg_uscc_gt);
Datum
qg_uscc_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(uscc_compare(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(qg_uscc_ge);
Datum
qg_uscc_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(uscc_compare(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(qg_uscc_cmp);
Datum
qg_uscc_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(uscc_compare(fcinfo));
}

PG_FUNCTION_INFO_V1(qg_uscc_hash);
Datum
qg_uscc_hash(PG_FUNCTION_ARGS)
{
	const QgUscc *uscc = (QgUscc *) PG_GETARG_POINTER(0);

	return hash_any((const unsigned char *) uscc->code, QG_USCC_LENGTH);
}

PG_FUNCTION_INFO_V1(qg_uscc_hash_extended);
Datum
qg_uscc_hash_extended(PG_FUNCTION_ARGS)
{
	const QgUscc *uscc = (QgUscc *) PG_GETARG_POINTER(0);

	return hash_any_extended((const unsigned char *) uscc->code, QG_USCC_LENGTH,
							 PG_GETARG_INT64(1));
}
