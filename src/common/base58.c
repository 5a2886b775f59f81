/*
 * base58.c
 *		Base 58 with Bitcoin's alphabet (draft-msporny-base58).
 *
 * Bytes are one big-endian number, written with 58 digits that cannot be taken for one another; each
 * zero byte in front is a "1".  The number is kept in limbs, five base-58 digits or four bytes
 * each, the least first:
 *
 *		00 00 28 7f b4 cd -> 11233QC4
 */
#include "quality_gov.h"

#include "common/base58.h"

#define LIMB_DIGITS 5
#define LIMB_BASE 656356768 /* 58^5 */
/* Limbs of four bytes that the longest text needs, six bits a digit: more than fit the longest bytes. */
#define LIMBS_MAX (QG_BASE58_SIZE(QG_BASE58_BYTES_MAX) * 6 / 32 + 1)

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* Writes up to QG_BASE58_BYTES_MAX bytes into QG_BASE58_SIZE of them, gives the length. */
int
qg_base58_encode(const uint8 *bytes, int length, char *text)
{
	uint32 limbs[QG_BASE58_SIZE(QG_BASE58_BYTES_MAX) / LIMB_DIGITS + 1];
	int nlimbs = 0;
	int zeros = 0;
	char *out = text;

	while (zeros < length && bytes[zeros] == 0)
		zeros++;
	for (int i = zeros; i < length; i++)
	{
		uint64 carry = bytes[i];

		for (int j = 0; j < nlimbs; j++)
		{
			carry += (uint64) limbs[j] << 8;
			limbs[j] = (uint32) (carry % LIMB_BASE);
			carry /= LIMB_BASE;
		}
		if (carry > 0)
			limbs[nlimbs++] = (uint32) carry;
	}
	memset(out, '1', zeros);
	out += zeros;
	for (int j = nlimbs - 1; j >= 0; j--)
	{
		char digits[LIMB_DIGITS];
		uint32 limb = limbs[j];
		int skip = 0;

		for (int k = LIMB_DIGITS - 1; k >= 0; k--)
		{
			digits[k] = alphabet[limb % 58];
			limb /= 58;
		}
		/* Only the first limb has no zeros of its own. */
		while (j == nlimbs - 1 && digits[skip] == '1')
			skip++;
		memcpy(out, digits + skip, LIMB_DIGITS - skip);
		out += LIMB_DIGITS - skip;
	}
	*out = '\0';
	return (int) (out - text);
}

/* The value of a digit, -1 where it is none. */
static int
digit_value(char digit)
{
	const char *at = digit == '\0' ? NULL : strchr(alphabet, digit);

	return at == NULL ? -1 : (int) (at - alphabet);
}

/* Reads base 58 into bytes, gives their number; -1 where it is none, or has more than there is room. */
int
qg_base58_decode(const char *text, int length, uint8 *bytes, int room)
{
	uint32 limbs[LIMBS_MAX];
	int nlimbs = 0;
	int zeros = 0;
	int skip = 0;
	int nbytes;

	if (room > QG_BASE58_BYTES_MAX || length > QG_BASE58_SIZE(room))
		return -1;
	while (zeros < length && text[zeros] == '1')
		zeros++;
	for (int i = zeros; i < length; i++)
	{
		int digit = digit_value(text[i]);
		uint64 carry = (uint64) digit;

		if (digit < 0)
			return -1;
		for (int j = 0; j < nlimbs; j++)
		{
			carry += (uint64) limbs[j] * 58;
			limbs[j] = (uint32) carry;
			carry >>= 32;
		}
		if (carry > 0)
			limbs[nlimbs++] = (uint32) carry;
	}
	while (nlimbs > 0 && skip < 3 && limbs[nlimbs - 1] >> (24 - 8 * skip) == 0)
		skip++;
	nbytes = zeros + 4 * nlimbs - skip;
	if (nbytes > room)
		return -1;
	memset(bytes, 0, zeros);
	for (int i = zeros; i < nbytes; i++)
	{
		int place = nbytes - 1 - i;

		bytes[i] = (uint8) (limbs[place / 4] >> (8 * (place % 4)));
	}
	return nbytes;
}
