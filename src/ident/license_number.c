/*
 * license_number.c
 *		Numbers that registrations and licences carry: form and check digit.
 *
 * Registration numbers (工商注册号, GS 15-2006) and food production licences (SC) end in the check
 * digit of ISO 7064 MOD 11,10 (GB/T 17710), which code.c computes.
 */
#include "quality_gov.h"

#include "utils/builtins.h"

#include "ident/ident.h"

/* Tells whether digits end in their MOD 11,10 check digit. */
static bool
mod11_10_valid(const char *digits, int length)
{
	return qg_all_digits(digits, length) &&
		   digits[length - 1] - '0' == qg_mod11_10_check_digit(digits, length - 1);
}

/* registration_number_is_valid(text) */
PG_FUNCTION_INFO_V1(qg_registration_number_is_valid);
Datum
qg_registration_number_is_valid(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	char plain[64];
	int n = qg_ident_plain(VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), plain, sizeof(plain));

	PG_RETURN_BOOL(n == 15 && mod11_10_valid(plain, 15));
}

/* Tells whether three digits are a category: 1 and 01 to 31 for food, 2 and 01 to 03 for additives. */
static bool
food_category_valid(const char *digits)
{
	int number = (digits[1] - '0') * 10 + digits[2] - '0';

	return number >= 1 && ((digits[0] == '1' && number <= 31) || (digits[0] == '2' && number <= 3));
}

/* food_licence_is_valid(text): SC, and 14 digits that begin with a category of food or additive. */
PG_FUNCTION_INFO_V1(qg_food_licence_is_valid);
Datum
qg_food_licence_is_valid(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	char plain[64];
	int n = qg_ident_plain(VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), plain, sizeof(plain));

	PG_RETURN_BOOL(n == 16 && plain[0] == 'S' && plain[1] == 'C' && mod11_10_valid(plain + 2, 14) &&
				   food_category_valid(plain + 2));
}

/* ccc_number_is_valid(text): form only, no check digit is known. */
PG_FUNCTION_INFO_V1(qg_ccc_number_is_valid);
Datum
qg_ccc_number_is_valid(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	char plain[64];
	int n = qg_ident_plain(VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), plain, sizeof(plain));

	PG_RETURN_BOOL((n == 16 || n == 12) && qg_all_digits(plain, n));
}
