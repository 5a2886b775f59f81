/*
 * similar.c
 *		Likeness of texts given as code points: fingerprints and edit distance.
 *
 * The fingerprint is Charikar's simhash (STOC 2002) of the text's runs of three code points, each
 * hashed to 64 bits: bit i is set where more runs have it set than not.  Texts that share most
 * runs differ in few bits.  Three code points fit into 63 bits, so a run is its own key and only
 * needs mixing (the finalizer of splitmix64).
 *
 * The distance is that of Damerau and Levenshtein in its restricted form (optimal string
 * alignment): insertions, deletions, substitutions and swaps of neighbours, no part edited twice.
 * Only cells within the limit of the diagonal are computed.
 */
#include "quality_gov.h"

#include "listing/similar.h"

#define RUN 3

/* Spreads the bits of a key over 64. */
static uint64
mix(uint64 key)
{
	key += UINT64CONST(0x9e3779b97f4a7c15);
	key = (key ^ (key >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	key = (key ^ (key >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return key ^ (key >> 31);
}

/* Gives the fingerprint of a text; one of fewer than three code points is a run by itself. */
uint64
qg_fingerprint(const uint32 *text, int length)
{
	int32 balance[64] = {0};
	int nruns = length < RUN ? 1 : length - RUN + 1;
	uint64 fingerprint = 0;

	for (int i = 0; i < nruns; i++)
	{
		uint64 key = 0;
		uint64 hash;

		if ((i & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int j = i; j < i + RUN && j < length; j++)
			key = (key << 21) | text[j];
		hash = mix(key);
		for (int bit = 0; bit < 64; bit++)
			balance[bit] += (hash >> bit) & 1 ? 1 : -1;
	}
	for (int bit = 0; bit < 64; bit++)
		if (balance[bit] > 0)
			fingerprint |= UINT64CONST(1) << bit;
	return fingerprint;
}

/* Gives the distance of two texts of at most QG_EDIT_MAX, or limit + 1 where it is more. */
int
qg_edit_distance(const uint32 *a, int na, const uint32 *b, int nb, int limit)
{
	int rows[3][QG_EDIT_MAX + 1];
	int far = limit + 1;

	if (na > nb ? na - nb > limit : nb - na > limit)
		return far;
	for (int j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (int i = 1; i <= na; i++)
	{
		int *row = rows[i % 3];
		const int *above = rows[(i + 2) % 3];
		const int *above2 = rows[(i + 1) % 3];
		int first = i > limit ? i - limit : 1;
		int last = nb < i + limit ? nb : i + limit;
		int least;

		row[first - 1] = first == 1 ? i : far;
		least = row[first - 1];
		for (int j = first; j <= last; j++)
		{
			/* What lies outside the band is farther than the limit. */
			int up = j < i + limit ? above[j] : far;
			int best = Min(Min(up, row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));

			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = Min(best, above2[j - 2] + 1);
			row[j] = best;
			least = Min(least, best);
		}
		if (least > limit)
			return far;
	}
	return Min(rows[na % 3][nb], far);
}
