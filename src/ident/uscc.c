/*
 * uscc.c
 *		Unified social credit code (统一社会信用代码, GB 32100-2015) and organisation code (GB 11714).
 *
 * A code has 18 characters of an alphabet of 31 (digits and capitals without I, O, S, V, Z): one for
 * the registering department, one for the category, six for the region (GB/T 2260), nine that are
 * the organisation code, and a check character; code.c reads them.
 */
#include "quality_gov.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "ident/ident.h"

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
