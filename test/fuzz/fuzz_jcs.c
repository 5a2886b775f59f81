/*
 * fuzz_jcs.c
 *		Canonical JSON's numbers and key order, and base 58, against twins written from their
 *		descriptions alone.
 *
 *		fuzz_jcs SEED ROUNDS
 *
 * Each round takes a random double, two random keys and random bytes.  What must hold: a number that
 * is written reads back as the same double, is the shortest that does, and is written the same a
 * second time; keys order as their UTF-16 code units do; bytes come back from base 58; text that is
 * no base 58 is refused without a look beyond its end.
 */
#include "shim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base58.h"
#include "common/jcs.h"
#include "random.h"

#define KEY_MAX 12
#define BYTES_MAX 80

static unsigned long long failures = 0;

static void
failed(const char *what, const char *detail)
{
	printf("%s: %s\n", what, detail);
	failures++;
}

/* The digits of a number, without sign, point, exponent and outer zeros. */
static int
significant(const char *text)
{
	int count = 0;
	int zeros = 0;

	for (; *text != '\0' && *text != 'e'; text++)
	{
		if (*text < '0' || *text > '9' || (*text == '0' && count == 0))
			continue;
		zeros = *text == '0' ? zeros + 1 : 0;
		count++;
	}
	return count - zeros;
}

/* Judges one double. */
static void
number_round(Random *random)
{
	uint64_t bits = random_next(random);
	double value;
	char shortest[64];
	char out[QG_JCS_NUMBER_SIZE];
	char again[QG_JCS_NUMBER_SIZE];
	int digits = 1;
	int length;

	/* Most are of ordinary size, or whole. */
	if (random_below(random, 4) > 0)
		bits = (bits & UINT64CONST(0x800FFFFFFFFFFFFF)) |
			   ((uint64_t) (1023 - 40 + random_below(random, 180)) << 52);
	memcpy(&value, &bits, sizeof(value));
	if (random_below(random, 4) == 0)
		value = trunc(value);
	if (!isfinite(value))
		return;
	do
		snprintf(shortest, sizeof(shortest), "%.*e", digits - 1, value);
	while (strtod(shortest, NULL) != value && ++digits <= 17);
	length = qg_jcs_number(shortest, out, true);
	if (length < 0)
	{
		/* Of 16 digits and more another number may be nearer to the double. */
		if (digits <= 15)
			failed("refused", shortest);
		return;
	}
	if (length != (int) strlen(out) || length >= QG_JCS_NUMBER_SIZE)
		failed("length", out);
	if (strtod(out, NULL) != value)
		failed("other number", out);
	if (significant(out) > digits)
		failed("too long", out);
	if (qg_jcs_number(out, again, true) != length || strcmp(out, again) != 0)
		failed("not stable", out);
}

/* Writes a code point as UTF-8. */
static int
utf8(uint32_t code, char *out)
{
	if (code < 0x80)
		return out[0] = (char) code, 1;
	if (code < 0x800)
		return out[0] = (char) (0xC0 | code >> 6), out[1] = (char) (0x80 | (code & 0x3F)), 2;
	if (code < 0x10000)
		return out[0] = (char) (0xE0 | code >> 12), out[1] = (char) (0x80 | (code >> 6 & 0x3F)),
			   out[2] = (char) (0x80 | (code & 0x3F)), 3;
	return out[0] = (char) (0xF0 | code >> 18), out[1] = (char) (0x80 | (code >> 12 & 0x3F)),
		   out[2] = (char) (0x80 | (code >> 6 & 0x3F)), out[3] = (char) (0x80 | (code & 0x3F)), 4;
}

/* Makes a key, in UTF-8 and in UTF-16. */
static int
random_key(Random *random, char *bytes, int *nbytes, uint32_t *units)
{
	static const uint32_t edges[] = {'a',	 'b',	 0x7F,	 0x80,	 0x7FF,	  0x800,
									 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF};
	int n = (int) random_below(random, 4);
	int nunits = 0;

	*nbytes = 0;
	for (int i = 0; i < n; i++)
	{
		uint32_t code = random_below(random, 3) > 0 ? edges[random_below(random, lengthof(edges))]
													: random_between(random, 1, 0x10FFFF);

		if (code >= 0xD800 && code < 0xE000)
			code = 'c';
		*nbytes += utf8(code, bytes + *nbytes);
		if (code < 0x10000)
			units[nunits++] = code;
		else
		{
			units[nunits++] = 0xD800 + ((code - 0x10000) >> 10);
			units[nunits++] = 0xDC00 + ((code - 0x10000) & 0x3FF);
		}
	}
	return nunits;
}

static int
sign_of(int value)
{
	return (value > 0) - (value < 0);
}

/* Judges the order of two keys. */
static void
key_round(Random *random)
{
	char a[4 * KEY_MAX], b[4 * KEY_MAX];
	uint32_t ua[2 * KEY_MAX], ub[2 * KEY_MAX];
	int alength, blength;
	int na = random_key(random, a, &alength, ua);
	int nb = random_key(random, b, &blength, ub);
	int want = 0;

	for (int i = 0; i < na && i < nb && want == 0; i++)
		want = (ua[i] > ub[i]) - (ua[i] < ub[i]);
	if (want == 0)
		want = (na > nb) - (na < nb);
	if (sign_of(qg_jcs_key_compare(a, alength, b, blength)) != want)
		failed("order of keys", "differs from that of UTF-16");
}

/* Judges base 58 of random bytes, and of a random text. */
static void
base58_round(Random *random)
{
	uint8 bytes[BYTES_MAX];
	int length = (int) random_below(random, BYTES_MAX + 1);
	int zeros = (int) random_below(random, 4);
	char *text = malloc(QG_BASE58_SIZE(length));
	uint8 *back = malloc(length + 1);
	int n;

	for (int i = 0; i < length; i++)
		bytes[i] = i < zeros ? 0 : (uint8) random_below(random, 256);
	n = qg_base58_encode(bytes, length, text);
	if (n != (int) strlen(text) || qg_base58_decode(text, n, back, length) != length ||
		memcmp(back, bytes, length) != 0)
		failed("base 58", text);
	if (length > 0 && qg_base58_decode(text, n, back, length - 1) >= 0)
		failed("base 58 without room", text);
	for (int i = 0; i < n; i++)
		text[i] = (char) random_below(random, 256);
	qg_base58_decode(text, n, back, length);
	free(text);
	free(back);
}

int
main(int argc, char **argv)
{
	Random random;
	long rounds = argc > 2 ? atol(argv[2]) : 100000;

	random_seed(&random, argc > 1 ? strtoull(argv[1], NULL, 10) : 1);
	for (long i = 0; i < rounds && failures < 20; i++)
	{
		number_round(&random);
		key_round(&random);
		base58_round(&random);
	}
	printf("%ld rounds, %llu failures\n", rounds, failures);
	return failures > 0;
}
