/*
 * fold_map.c
 *		What folds do to the code points of one segment: a base with its combining marks.
 *
 * Order matters where folds meet.  Numbers come first, since normalisation would make letters of a
 * Roman Ⅲ; look-alikes come before case folding, since a Cyrillic В looks like a letter and its
 * small form does not; width forms come before normalisation, so that either fold sees them.
 * Normalising comes before simplifying, so that a compatibility ideograph is simplified, too.
 */
#include "quality_gov.h"

#include "listing/fold_map.h"

/* Tells whether `width` maps a code point: these forms have one narrow or wide twin each. */
static inline bool
is_width_form(uint32 c)
{
	return (c >= 0xFF00 && c <= 0xFFEF) || c == 0x3000;
}

/* Tells whether a code point is a sign beside a name and not letters: trade mark, service mark. */
static inline bool
is_mark_sign(uint32 c)
{
	return c == 0x2122 || c == 0x2120;
}

/* Maps one code point as the folds do that know it alone; gives the number written, 1 or 2. */
static int
map_alone(uint32 folds, uint32 c, uint32 *out)
{
	int number = (folds & QG_FOLD_DIGIT) ? qg_char_number(c) : -1;
	uint32 twin[2];

	out[0] = c;
	if (number >= 10)
	{
		out[0] = '0' + number / 10;
		out[1] = '0' + number % 10;
		return 2;
	}
	if (number >= 0)
	{
		out[0] = '0' + number;
		return 1;
	}
	if (folds & QG_FOLD_CONFUSABLE)
		out[0] = qg_char_latin(c);
	if (out[0] == c && (folds & QG_FOLD_WIDTH) && is_width_form(c) &&
		qg_text_nfkc(&c, 1, twin, lengthof(twin)) == 1)
		out[0] = twin[0];
	return 1;
}

/* Normalises and folds case as far as the folds say; gives the number written. */
static int
normalise(uint32 folds, const uint32 *in, int nin, uint32 *out)
{
	int maxout = QG_SEGMENT_MAX * QG_EXPANSION_MAX;

	if ((folds & QG_FOLD_NFKC) && (folds & QG_FOLD_CASE))
		return qg_text_nfkc_casefold(in, nin, out, maxout);
	if (folds & QG_FOLD_NFKC)
		return qg_text_nfkc(in, nin, out, maxout);
	if (folds & QG_FOLD_CASE)
		return qg_text_casefold(in, nin, out, maxout);
	memcpy(out, in, nin * sizeof(uint32));
	return nin;
}

/*
 * Maps a segment without invisible characters; returns the number of code points written to out,
 * which has room for QG_SEGMENT_MAX times QG_EXPANSION_MAX.
 */
int
qg_fold_map(uint32 folds, const uint32 *in, int nin, uint32 *out)
{
	uint32 base[QG_SEGMENT_MAX + 1];
	int nbase = 0;
	int nout;
	bool numeral = (folds & QG_FOLD_DIGIT) && qg_char_han_numeral(in[0]);

	if ((folds & QG_FOLD_SEPARATOR) && is_mark_sign(in[0]))
	{
		memcpy(out, in, nin * sizeof(uint32));
		return nin;
	}
	/* What does not begin a segment is no number, so there is room for two digits of the first. */
	for (int i = 0; i < nin; i++)
		nbase += map_alone(folds, in[i], base + nbase);
	nout = normalise(folds, base, nbase, out);
	for (int i = 0; i < nout; i++)
	{
		if (folds & QG_FOLD_SCRIPT)
			out[i] = qg_char_simplify(out[i]);
		if ((folds & QG_FOLD_DIGIT) && qg_char_han_numeral(out[i]))
			out[i] = ('0' + qg_char_number(out[i])) | QG_MAP_NUMERAL;
		else if (numeral && out[i] >= '0' && out[i] <= '9')
			out[i] |= QG_MAP_NUMERAL;
	}
	return nout;
}
