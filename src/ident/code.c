/*
 * code.c
 *		Forms and check digits of identifiers: what the types and checks of the others rest on.
 *
 * Needs nothing of the server but its interrupts, so that a fuzzer can compile it alone.  Text and
 * binary input of a type come to the same parser here.
 *
 * A unified social credit code (GB 32100-2015) has 18 characters of an alphabet of 31.  With a
 * character's value being its place in the alphabet and the weight of place i being 3^(i-1) mod 31,
 * the check value makes the weighted sum a multiple of 31.  Since 31 is prime, every single wrong
 * character is found.
 *
 * Registration numbers and food production licences end in the check digit of ISO 7064 MOD 11,10
 * (GB/T 17710): from p = 10, each digit a makes p twice ((p + a) mod 10, with 10 for 0) mod 11; the
 * check digit is (11 - p) mod 10.
 */
#include "quality_gov.h"

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

/* Tells whether a text is all ASCII digits. */
bool
qg_all_digits(const char *text, int length)
{
	for (int i = 0; i < length; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* Gives the check digit of the digits before it: from the right, weights 3, 1, 3, ... */
int
qg_gs1_check_digit(const char *digits, int length)
{
	int sum = 0;

	for (int i = 0; i < length; i++)
		sum += (digits[length - 1 - i] - '0') * (i % 2 == 0 ? 3 : 1) % 10;
	return (10 - sum % 10) % 10;
}

/* Reads a GTIN of 8, 12, 13 or 14 digits; where it is wrong, says how. */
bool
qg_gtin_parse(const char *input, size_t length, int64 *gtin, QgIdentError *error)
{
	char plain[64];
	int n = qg_ident_plain(input, length, plain, sizeof(plain));

	memset(error, 0, sizeof(*error));
	error->length = n;
	for (int i = 0; i < n; i++)
		if (plain[i] < '0' || plain[i] > '9')
		{
			error->fault = QG_IDENT_CHARACTER;
			error->position = i + 1;
			return false;
		}
	if (n != 8 && n != 12 && n != 13 && n != 14)
	{
		error->fault = QG_IDENT_LENGTH;
		return false;
	}
	error->found = plain[n - 1];
	error->expected = (char) ('0' + qg_gs1_check_digit(plain, n - 1));
	*gtin = 0;
	for (int i = 0; i < n; i++)
		*gtin = *gtin * 10 + (plain[i] - '0');
	if (error->found != error->expected)
		error->fault = QG_IDENT_CHECK;
	else if (*gtin == 0)
		error->fault = QG_IDENT_CHARACTER;
	return error->fault == QG_IDENT_OK;
}

/* Gives the MOD 11,10 check digit of the digits before it. */
int
qg_mod11_10_check_digit(const char *digits, int length)
{
	int p = 10;

	for (int i = 0; i < length; i++)
	{
		int s = (p + digits[i] - '0') % 10;

		p = (s == 0 ? 10 : s) * 2 % 11;
	}
	return (11 - p) % 10;
}
