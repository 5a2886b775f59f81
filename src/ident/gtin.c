/*
 * gtin.c
 *		GS1 keys: GTIN as a type, and the check digits of GTIN, GLN and SSCC (GS1 General
 *		Specifications).
 *
 * A GTIN of 8, 12 or 13 digits is the one of 14 digits with zeros before it, so the number itself is
 * the key: it is stored as an int8, compared by int8's own functions and printed with 14 digits.
 */
#include "quality_gov.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "ident/ident.h"

#define GTIN_MAX INT64CONST(99999999999999)

/* Reports a wrong GTIN, softly where the caller can take it. */
static Datum
gtin_error(Node *escontext, int sqlstate, const char *input, const QgIdentError *error)
{
	if (error->fault == QG_IDENT_LENGTH)
		ereturn(escontext, (Datum) 0,
				(errcode(sqlstate), errmsg("invalid GTIN: \"%s\"", input),
				 error->length < 0
					 ? errdetail("It is too long, expected 8, 12, 13 or 14 digits.")
					 : errdetail("It has %d digits, expected 8, 12, 13 or 14.", error->length)));
	if (error->fault == QG_IDENT_CHARACTER)
		ereturn(escontext, (Datum) 0,
				(errcode(sqlstate), errmsg("invalid GTIN: \"%s\"", input),
				 error->position > 0 ? errdetail("Character %d is not a digit.", error->position)
									 : errdetail("It is all zeros.")));
	ereturn(escontext, (Datum) 0,
			(errcode(sqlstate), errmsg("invalid GTIN: \"%s\"", input),
			 errdetail("Its check digit is %c, expected %c.", error->found, error->expected)));
}

PG_FUNCTION_INFO_V1(qg_gtin_in);
Datum
qg_gtin_in(PG_FUNCTION_ARGS)
{
	char *input = PG_GETARG_CSTRING(0);
	int64 gtin;
	QgIdentError error;

	if (!qg_gtin_parse(input, strlen(input), &gtin, &error))
		return gtin_error(fcinfo->context, ERRCODE_INVALID_TEXT_REPRESENTATION, input, &error);
	PG_RETURN_INT64(gtin);
}

PG_FUNCTION_INFO_V1(qg_gtin_out);
Datum
qg_gtin_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(psprintf("%014lld", (long long) PG_GETARG_INT64(0)));
}

/* Makes a GTIN of a number, which must have a right check digit. */
static Datum
gtin_of_number(int64 number, int sqlstate)
{
	char *digits = psprintf("%014lld", (long long) number);
	int64 gtin;
	QgIdentError error;

	if (number < 0 || number > GTIN_MAX)
		ereport(ERROR, (errcode(sqlstate), errmsg("invalid GTIN: \"%lld\"", (long long) number),
						errdetail("A GTIN is a number of at most 14 digits.")));
	if (!qg_gtin_parse(digits, strlen(digits), &gtin, &error))
		return gtin_error(NULL, sqlstate, digits, &error);
	PG_RETURN_INT64(gtin);
}

PG_FUNCTION_INFO_V1(qg_gtin_recv);
Datum
qg_gtin_recv(PG_FUNCTION_ARGS)
{
	return gtin_of_number(pq_getmsgint64((StringInfo) PG_GETARG_POINTER(0)),
						  ERRCODE_INVALID_BINARY_REPRESENTATION);
}

PG_FUNCTION_INFO_V1(qg_gtin_send);
Datum
qg_gtin_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, PG_GETARG_INT64(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* gtin(bigint) */
PG_FUNCTION_INFO_V1(qg_gtin_from_int8);
Datum
qg_gtin_from_int8(PG_FUNCTION_ARGS)
{
	return gtin_of_number(PG_GETARG_INT64(0), ERRCODE_INVALID_TEXT_REPRESENTATION);
}

/* gtin(text) */
PG_FUNCTION_INFO_V1(qg_gtin_from_text);
Datum
qg_gtin_from_text(PG_FUNCTION_ARGS)
{
	char *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64 gtin;
	QgIdentError error;

	if (!qg_gtin_parse(input, strlen(input), &gtin, &error))
		return gtin_error(NULL, ERRCODE_INVALID_TEXT_REPRESENTATION, input, &error);
	PG_RETURN_INT64(gtin);
}

/* text(gtin) */
PG_FUNCTION_INFO_V1(qg_gtin_to_text);
Datum
qg_gtin_to_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%014lld", (long long) PG_GETARG_INT64(0))));
}

/* gs1_check_digit(text): the digit that belongs behind the digits given. */
PG_FUNCTION_INFO_V1(qg_gs1_check_digit_of);
Datum
qg_gs1_check_digit_of(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	int length = VARSIZE_ANY_EXHDR(input);

	if (length == 0 || length > 100 || !qg_all_digits(VARDATA_ANY(input), length))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a check digit needs 1 to 100 digits before it")));
	PG_RETURN_INT32(qg_gs1_check_digit(VARDATA_ANY(input), length));
}

/* gs1_is_valid(text, length): whether a text is a key of that length with a right check digit. */
PG_FUNCTION_INFO_V1(qg_gs1_is_valid);
Datum
qg_gs1_is_valid(PG_FUNCTION_ARGS)
{
	text *input;
	const char *digits;
	int length;

	/* A null would pass a CHECK constraint, so a length that is missing is an error too. */
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("length of a GS1 key must not be null")));
	length = PG_GETARG_INT32(1);
	if (length != 8 && length != 12 && length != 13 && length != 14 && length != 18)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("GS1 keys have no length of %d digits", length),
						errhint("Lengths are 8, 12, 13 and 14 (GTIN), 13 (GLN) and 18 (SSCC).")));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	input = PG_GETARG_TEXT_PP(0);
	digits = VARDATA_ANY(input);
	PG_RETURN_BOOL((int) VARSIZE_ANY_EXHDR(input) == length && qg_all_digits(digits, length) &&
				   digits[length - 1] - '0' == qg_gs1_check_digit(digits, length - 1));
}
