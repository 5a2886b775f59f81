/*
 * oracle_fold.c
 *		Folding, step by step over the whole text, each step as its sentence says it.
 *
 * What single characters are (qg_char_*) is given and tested elsewhere; normalisation and case folding
 * are asked of ICU directly.
 */
#include "oracle.h"

#include <stdlib.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#define UNKNOWN 0xFFFF

/* Classes are asked for once: they are the slow part. */
static unsigned
class_of(uint32 c)
{
	static uint16 *known = NULL;

	if (known == NULL)
	{
		known = malloc(0x110000 * sizeof(uint16));
		for (int i = 0; i < 0x110000; i++)
			known[i] = UNKNOWN;
	}
	if (known[c] == UNKNOWN)
		known[c] = (uint16) qg_char_class(c);
	return known[c];
}

static bool
is_hidden(uint32 c)
{
	return (class_of(c) & QG_CHAR_IGNORABLE) && !(class_of(c) & QG_CHAR_SEPARATOR);
}

/* Normalises, folds case, both or neither of a piece of text of any length; gives the new length. */
static int
icu_transform(uint32 folds, const uint32 *in, int nin, uint32 *out)
{
	UChar *source = malloc((2 * nin + 1) * sizeof(UChar));
	int32_t room = 2 * QG_EXPANSION_MAX * (nin + 1);
	UChar *target = malloc(room * sizeof(UChar));
	UErrorCode status = U_ZERO_ERROR;
	int32_t length = 0;
	int32_t pos = 0;
	int nout = 0;

	for (int i = 0; i < nin; i++)
		U16_APPEND_UNSAFE(source, length, in[i]);
	if (folds & QG_FOLD_NFKC)
		length = unorm2_normalize((folds & QG_FOLD_CASE) ? unorm2_getNFKCCasefoldInstance(&status)
														 : unorm2_getNFKCInstance(&status),
								  source, length, target, room, &status);
	else if (folds & QG_FOLD_CASE)
		length = u_strFoldCase(target, room, source, length, U_FOLD_CASE_DEFAULT, &status);
	else
		memcpy(target, source, length * sizeof(UChar));
	if (U_FAILURE(status))
		abort();
	while (pos < length)
	{
		UChar32 c;

		U16_NEXT(target, pos, length, c);
		out[nout++] = (uint32) c;
	}
	free(source);
	free(target);
	return nout;
}

/* The first part of step 2: what is done to a code point before normalisation; 1 or 2 come out. */
static int
before_normalisation(uint32 folds, uint32 c, uint32 *out)
{
	uint32 twin[QG_EXPANSION_MAX];

	if ((folds & QG_FOLD_DIGIT) && qg_char_number(c) >= 0)
	{
		char digits[12];

		snprintf(digits, sizeof(digits), "%d", qg_char_number(c));
		for (int i = 0; digits[i] != '\0'; i++)
			out[i] = (uint32) digits[i];
		return (int) strlen(digits);
	}
	out[0] = c;
	if ((folds & QG_FOLD_CONFUSABLE) && qg_char_latin(c) != c)
		out[0] = qg_char_latin(c);
	else if ((folds & QG_FOLD_WIDTH) && ((c >= 0xFF00 && c <= 0xFFEF) || c == 0x3000) &&
			 icu_transform(QG_FOLD_NFKC, &c, 1, twin) == 1)
		out[0] = twin[0];
	return 1;
}

/* Step 2: what becomes of a segment; numeral says of each output whether it was a Han numeral. */
static int
map_segment(uint32 folds, const uint32 *in, int nin, uint32 *out, bool *numeral)
{
	uint32 mapped[QG_SEGMENT_MAX * 2];
	int nmapped = 0;
	int nout;

	if ((folds & QG_FOLD_SEPARATOR) && (in[0] == 0x2122 || in[0] == 0x2120))
	{
		memcpy(out, in, nin * sizeof(uint32));
		memset(numeral, 0, nin * sizeof(bool));
		return nin;
	}
	for (int i = 0; i < nin; i++)
		nmapped += before_normalisation(folds, in[i], mapped + nmapped);
	nout = icu_transform(folds, mapped, nmapped, out);
	for (int i = 0; i < nout; i++)
	{
		bool late = false;

		if (folds & QG_FOLD_SCRIPT)
			out[i] = qg_char_simplify(out[i]);
		if ((folds & QG_FOLD_DIGIT) && qg_char_han_numeral(out[i]))
		{
			out[i] = '0' + qg_char_number(out[i]);
			late = true;
		}
		numeral[i] = (folds & QG_FOLD_DIGIT) && out[i] >= '0' && out[i] <= '9' &&
					 (late || qg_char_han_numeral(in[0]));
	}
	return nout;
}

/* Steps 1 and 2: the mapped segments one after the other, each with its segment's place. */
static void
map_text(uint32 folds, Codes text, Spelling *result)
{
	int *visible = malloc((text.n + 1) * sizeof(int));
	int nvisible = 0;

	for (int i = 0; i < text.n; i++)
		if (!((folds & QG_FOLD_INVISIBLE) && is_hidden(text.code[i])))
			visible[nvisible++] = i;

	for (int from = 0, to; from < nvisible; from = to)
	{
		uint32 segment[QG_SEGMENT_MAX];
		uint32 out[QG_SEGMENT_MAX * 2 * QG_EXPANSION_MAX];
		bool numeral[QG_SEGMENT_MAX * 2 * QG_EXPANSION_MAX] = {false};
		int count = 1;
		int nout = 1;

		segment[0] = text.code[visible[from]];
		for (to = from + 1; to < nvisible && count < QG_SEGMENT_MAX; to++)
		{
			uint32 c = text.code[visible[to]];

			if (is_hidden(segment[0]) || is_hidden(c) || qg_char_starts_segment(c))
				break;
			segment[count++] = c;
		}
		out[0] = segment[0];
		if (!is_hidden(segment[0]))
			nout = map_segment(folds, segment, count, out, numeral);
		for (int i = 0; i < nout; i++)
			result->all[result->nall++] = (Spelled){.code = out[i],
													.first = visible[from] + 1,
													.end = visible[to - 1] + 2,
													.byte_first = text.at[visible[from]],
													.byte_end = text.at[visible[to - 1] + 1],
													.numeral = numeral[i],
													.run = 1};
	}
	free(visible);
}

/* Steps 4 and 5: drops what folds drop and says how the others hang together. */
static void
drop_and_join(uint32 folds, Spelling *result)
{
	bool base_dropped = false;
	bool broken = false;
	bool in_word = false;
	bool numeral = false;
	int kept = 0;

	for (int i = 0; i < result->nall; i++)
	{
		Spelled s = result->all[i];
		unsigned class = class_of(s.code);
		bool control = (class & QG_CHAR_IGNORABLE) && (class & QG_CHAR_SEPARATOR);
		bool mark = (class & QG_CHAR_MARK) && !(class & QG_CHAR_IGNORABLE);

		if ((folds & QG_FOLD_INVISIBLE) && (class & QG_CHAR_IGNORABLE) && !control)
			continue;
		if (((folds & QG_FOLD_INVISIBLE) && control) ||
			((folds & QG_FOLD_SEPARATOR) && (class & QG_CHAR_SEPARATOR)))
		{
			broken = true;
			base_dropped = (folds & QG_FOLD_SEPARATOR) != 0;
			continue;
		}
		if (base_dropped && (class & QG_CHAR_MARK))
		{
			broken = true;
			continue;
		}
		s.broken = broken;
		s.word = (class & QG_CHAR_WORD) || (mark && in_word && !broken);
		if (mark && s.word)
			s.numeral = numeral;
		s.joined = s.word && in_word && !broken && s.numeral == numeral;
		in_word = s.word;
		numeral = s.numeral;
		broken = base_dropped = false;
		result->all[kept++] = s;
	}
	result->nall = kept;
}

/* Step 6: takes equal ones that follow each other together. */
static void
collapse_runs(uint32 folds, Spelling *result)
{
	for (int i = 0; i < result->nall; i++)
	{
		const Spelled *s = &result->all[i];
		Spelled *last = result->n > 0 ? &result->out[result->n - 1] : NULL;
		bool digit = u_charType((UChar32) s->code) == U_DECIMAL_DIGIT_NUMBER;

		if ((folds & QG_FOLD_REPEAT) && last != NULL && last->code == s->code && !digit &&
			!(s->broken && s->word))
		{
			last->run++;
			last->end = s->end;
			last->byte_end = s->byte_end;
			continue;
		}
		result->out[result->n] = *s;
		result->out[result->n++].member = i;
	}
}

/* Folds a text; the result lies in the current memory context. */
void
oracle_fold(uint32 folds, Codes text, Spelling *result)
{
	size_t room = (text.n * 2 + 2) * QG_EXPANSION_MAX * sizeof(Spelled);

	result->n = result->nall = 0;
	result->all = palloc(room);
	map_text(folds, text, result);
	drop_and_join(folds, result);
	result->out = palloc((result->nall + 1) * sizeof(Spelled));
	collapse_runs(folds, result);
}

/* Gives the code points that ICU makes of a whole text for `nfkc` and `case`. */
int
oracle_whole(uint32 folds, Codes text, uint32 *out)
{
	return icu_transform(folds, text.code, text.n, out);
}
