/*
 * jcs_core.c
 *		The two rules of RFC 8785 that are not obvious: how numbers are written and keys are ordered.
 *
 * Numbers.  RFC 8785 takes a number for an IEEE 754 double and writes the digits of ECMAScript's
 * Number::toString: the fewest that read back as that double and, of as many, the nearest to it.  A
 * jsonb number is a decimal, and what is signed must not differ from what was stored.  So a number is
 * written with its own digits, and only where those are the digits of its double; any other is an
 * error.  Up to 15 digits always are (DBL_DIG), away from the ends of a double's range.
 *
 *		4.50 -> 4.5		1e21 -> 1e+21		0.000001 -> 0.000001		1e-7 -> 1e-7
 *		9007199254740993 -> error, since its double would be written 9007199254740992
 *
 * Keys are ordered by UTF-16 code units, see qg_jcs_key_compare().
 */
#include "quality_gov.h"

#include <float.h>
#include <math.h>

#include "common/shortest_dec.h"

#include "common/jcs.h"

#define DOUBLE_DIGITS_MAX 17  /* any double is told from all others by so many */
#define EXPONENT_ORDINARY 300 /* up to here doubles hold DBL_DIG digits, either way */
#define NAME_MAX_LENGTH 50	  /* of a number in an error's text */

/* Number::toString writes an exponent beyond these. */
#define POINT_MIN (-5)
#define POINT_MAX 21

/* A number as 0.DIGITS times ten to the power of point. */
typedef struct Decimal
{
	bool negative;
	int ndigits; /* without zeros before and behind, none in 0 */
	int point;
	char digits[DOUBLE_DIGITS_MAX]; /* the first of them */
} Decimal;

/* Takes a decimal apart, with or without exponent. */
static void
decimal_read(const char *text, Decimal *decimal)
{
	int seen = 0;
	bool fraction = false;

	decimal->negative = *text == '-';
	decimal->ndigits = decimal->point = 0;
	for (text += decimal->negative; (*text >= '0' && *text <= '9') || *text == '.'; text++)
	{
		if (*text == '.')
			fraction = true;
		else if (seen > 0 || *text != '0')
		{
			if (seen < DOUBLE_DIGITS_MAX)
				decimal->digits[seen] = *text;
			seen++;
			if (*text != '0')
				decimal->ndigits = seen;
			decimal->point += !fraction;
		}
		else
			decimal->point -= fraction;
	}
	if (*text == 'e')
		decimal->point += atoi(text + 1);
}

/* Lays out digits as Number::toString does (ECMA-262, 6.1.6.1.20), gives the length. */
static int
decimal_write(const Decimal *decimal, char *out)
{
	const char *digits = decimal->digits;
	int ndigits = Min(decimal->ndigits, DOUBLE_DIGITS_MAX);
	int point = decimal->point;
	char *at = out;

	if (decimal->negative && ndigits > 0)
		*at++ = '-';
	if (ndigits == 0)
		*at++ = '0';
	else if (point < POINT_MIN || point > POINT_MAX)
	{
		*at++ = digits[0];
		if (ndigits > 1)
			*at++ = '.';
		memcpy(at, digits + 1, ndigits - 1);
		at += ndigits - 1;
		at += sprintf(at, "e%+d", point - 1);
	}
	else if (point <= 0)
	{
		memcpy(at, "0.00000", 2 - point);
		memcpy(at + 2 - point, digits, ndigits);
		at += 2 - point + ndigits;
	}
	else if (ndigits <= point)
	{
		memcpy(at, digits, ndigits);
		memset(at + ndigits, '0', point - ndigits);
		at += point;
	}
	else
	{
		memcpy(at, digits, point);
		at[point] = '.';
		memcpy(at + point + 1, digits + point, ndigits - point);
		at += ndigits + 1;
	}
	*at = '\0';
	return at - out;
}

/*
 * Gives the digits that Number::toString writes a double with, which is finite and not zero.
 *
 * The server's own shortest form avoids the middle between two doubles, which ECMAScript takes: 1e23
 * lies in one, and the server would write 9.999999999999999e+22.  Such a middle is an odd number of
 * 54 bits times a power of two, and to have 17 digits it must be a multiple of 0.5 and, where large, of
 * 10^j with 5^j in those 54 bits: only between 2^52 and 10^40 do the two differ.
 */
static void
double_shortest(double value, Decimal *decimal)
{
	char text[QG_JCS_NUMBER_SIZE];
	double magnitude = fabs(value);
	int exponent;

	if (magnitude < 1 / DBL_EPSILON || magnitude > 1e40)
		text[double_to_shortest_decimal_bufn(value, text)] = '\0';
	else
	{
		/* Doubles are wider apart above a power of two: digits just above may do, the nearest not. */
		bool uneven = frexp(magnitude, &exponent) == 0.5;

		for (int n = DBL_DIG; n <= DOUBLE_DIGITS_MAX; n++)
		{
			char *last;

			snprintf(text, sizeof(text), "%.*e", n - 1, value);
			if (strtod(text, NULL) == value)
				break;
			last = strchr(text, 'e') - 1;
			if (uneven && *last < '9')
			{
				++*last;
				if (strtod(text, NULL) == value)
					break;
			}
		}
	}
	decimal_read(text, decimal);
}

/* Names a number in an error's text; a long one by its first digits. */
static const char *
number_name(const char *text, const Decimal *decimal)
{
	char digits[QG_JCS_NUMBER_SIZE];

	if (strlen(text) <= NAME_MAX_LENGTH)
		return text;
	decimal_write(decimal, digits);
	return psprintf("%s%s", decimal->ndigits > DOUBLE_DIGITS_MAX ? "about " : "", digits);
}

/* Tells whether a number has the digits of its double; where it may not fail, raises an error. */
static bool
double_require(const char *text, const Decimal *own, bool may_fail)
{
	double value = strtod(text, NULL);
	char digits[QG_JCS_NUMBER_SIZE];
	Decimal shortest;

	if (isinf(value) || value == 0)
	{
		if (may_fail)
			return false;
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg(value == 0 ? "number %s is too close to zero for canonical JSON"
										  : "number %s is too large for canonical JSON",
							   number_name(text, own)),
						errdetail("RFC 8785 takes numbers for IEEE 754 doubles."),
						errhint("Store it as a string.")));
	}
	double_shortest(value, &shortest);
	if (own->ndigits == shortest.ndigits && own->point == shortest.point &&
		memcmp(own->digits, shortest.digits, own->ndigits) == 0)
		return true;
	if (may_fail)
		return false;
	decimal_write(&shortest, digits);
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("number %s would be rounded in canonical JSON", number_name(text, own)),
					errdetail("RFC 8785 takes it for an IEEE 754 double and writes %s.", digits),
					errhint("Store that number, or a string.")));
	return false;
}

/*
 * Writes a numeric's text as RFC 8785 does, gives the length; what would be rounded is an error, or -1
 * where it may fail.
 */
int
qg_jcs_number(const char *decimal, char out[QG_JCS_NUMBER_SIZE], bool may_fail)
{
	Decimal own;
	const char *first = decimal + (*decimal == '-');

	if (*first < '0' || *first > '9')
		elog(ERROR, "jsonb holds the number %s", decimal);
	decimal_read(decimal, &own);
	if ((own.ndigits > DBL_DIG || (own.ndigits > 0 && abs(own.point) > EXPONENT_ORDINARY)) &&
		!double_require(decimal, &own, may_fail))
		return -1;
	return decimal_write(&own, out);
}

/*
 * Orders keys in UTF-8 by their UTF-16 code units, negative where a comes first.
 *
 * Bytes of UTF-8 order as code points do, and those as code units, but for one thing: characters
 * beyond U+FFFF begin with a surrogate (U+D800 to U+DFFF) and so come before U+E000 to U+FFFF.  In
 * UTF-8 the former begin with F0 to F4, the latter with EE or EF, and no other byte is as high.
 */
int
qg_jcs_key_compare(const char *a, size_t alength, const char *b, size_t blength)
{
	size_t shorter = Min(alength, blength);

	for (size_t i = 0; i < shorter; i++)
	{
		uint8 x = a[i];
		uint8 y = b[i];

		if (x == y)
			continue;
		if (unlikely(x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0)))
			return x >= 0xF0 ? -1 : 1;
		return x < y ? -1 : 1;
	}
	return alength < blength ? -1 : alength > blength;
}
