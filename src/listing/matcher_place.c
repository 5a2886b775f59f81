/*
 * matcher_place.c
 *		Where a hit stands in the text, and which folds it took to see it.
 *
 * A scan keeps no more of each symbol than where its segment begins; hits are few, so their places
 * are found by folding the text of the hit once more.
 */
#include "quality_gov.h"

#include "listing/matcher_scan.h"

/* Gives how many characters of the text begin before a byte. */
static int32
characters_before(Scan *scan, int32 byte)
{
	const unsigned char *text = scan->text;
	int32 i = scan->counted_byte;
	int32 count = scan->counted_character;

	for (; i < byte; i++)
		count += (text[i] & 0xC0) != 0x80;
	while (i > byte)
		count -= (text[--i] & 0xC0) != 0x80;
	scan->counted_byte = byte;
	scan->counted_character = count;
	return count;
}

/* Gives the symbol of a code point that folding gave out, 0 where no term has it. */
uint32
qg_matcher_symbol(const QgMatcher *m, uint32 codepoint)
{
	uint32 low = 0;
	uint32 high = m->header->nsymbols;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;

		if (m->symbols[2 * middle] == codepoint)
			return m->symbols[2 * middle + 1];
		if (m->symbols[2 * middle] < codepoint)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* Reads folded code points until one has the symbol of a word; tells whether one has. */
static bool
seek_symbol(const Scan *scan, QgFoldScan *fold, uint32 word, QgFoldedChar *folded)
{
	while (qg_fold_next(fold, folded))
		if (((qg_matcher_symbol(scan->matcher, folded->codepoint) ^ word) & QG_SYMBOL_MASK) == 0)
			return true;
	return false;
}

/* Gives the number of the term that was hit: its place among those given. */
int
qg_hit_number(const QgHit *hit)
{
	return (int) hit->scan->matcher->terms[hit->entry].number;
}

/*
 * Sets where a hit stands in the text.  Of a run at its edge that is longer than the term's only as
 * much belongs to the hit as the term has, unless that would cut a word.
 */
void
qg_hit_locate(const QgHit *hit, QgPlace *place)
{
	Scan *scan = hit->scan;
	const MatcherTerm *term = &scan->matcher->terms[hit->entry];
	uint32 first = hit->from;
	uint32 last = hit->to;
	const Chunk *chunk = &scan->chunk;
	const uint16 *runs = term[1].first_run == term->first_run
							 ? NULL
							 : scan->matcher->runs + term->first_run;
	uint32 begin = chunk->places[first] - (uint32) (uintptr_t) scan->text;
	uint32 opens = first;
	QgFoldScan fold;
	QgFoldedChar folded;
	int32 before;

	qg_fold_begin(&fold, scan->matcher->header->folds & ~QG_FOLD_REPEAT, (const char *) scan->text,
				  scan->end - scan->text);
	qg_fold_seek(&fold, begin, false, false, false, false);
	place->byte_first = place->byte_end = (int) begin;
	/* What its segment gives before the hit may have the same symbols. */
	while (opens > 0 && chunk->places[opens - 1] == chunk->places[first])
		opens--;
	for (uint32 j = 0; opens == 0 && j < chunk->parted; j++)
		(void) qg_fold_next(&fold, &folded);
	for (uint32 i = opens; i < first; i++)
		for (uint32 j = 0; j < qg_chunk_run(chunk, i); j++)
			(void) seek_symbol(scan, &fold, chunk->words[i], &folded);
	for (uint32 i = first; i <= last; i++)
	{
		uint32 run = qg_chunk_run(chunk, i);
		uint32 wanted = (chunk->words[i] & (QG_WORD | QG_NUMERAL)) ? run
						: runs									   ? runs[i - first]
																   : 1;
		uint32 skipped = i == first && i != last ? run - wanted : 0;

		/* A longer run than is counted cannot be told from its last part. */
		for (uint32 j = 0; j < run && (i != last || j < wanted); j++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!seek_symbol(scan, &fold, chunk->words[i], &folded))
				break;
			if (i == first && j == skipped)
				place->byte_first = folded.byte_first;
			place->byte_end = folded.byte_end;
		}
	}
	before = characters_before(scan, place->byte_first);
	place->first = before + 1;
	for (int32 i = place->byte_first; i < place->byte_end; i++)
		before += (scan->text[i] & 0xC0) != 0x80;
	place->end = before + 1;
}

/* A folded text, as far as the folds of a hit are concerned. */
#define AGREE_MAX 512

typedef struct Folded
{
	int count;
	uint32 codepoints[AGREE_MAX];
	int32 runs[AGREE_MAX];
} Folded;

/* Folds a text; false where it is longer than can be compared. */
static bool
fold_text(uint32 folds, const char *text, size_t length, Folded *folded)
{
	QgFoldScan scan;
	QgFoldedChar next;

	folded->count = 0;
	qg_fold_begin(&scan, folds, text, length);
	while (qg_fold_next(&scan, &next))
	{
		CHECK_FOR_INTERRUPTS();
		if (folded->count == AGREE_MAX)
			return false;
		folded->codepoints[folded->count] = next.codepoint;
		folded->runs[folded->count++] = next.run;
	}
	return true;
}

/* Tells whether a text has a term within it under a mask of folds. */
static bool
agrees(uint32 folds, const char *term, size_t termlen, const char *matched, size_t matchedlen)
{
	Folded left;
	Folded right;

	if (!fold_text(folds, term, termlen, &left) || !fold_text(folds, matched, matchedlen, &right))
		return false;
	for (int i = 0; i + left.count <= right.count; i++)
	{
		int j = 0;

		while (j < left.count && left.codepoints[j] == right.codepoints[i + j] &&
			   left.runs[j] <= right.runs[i + j])
			j++;
		if (j == left.count)
			return true;
	}
	return false;
}

/*
 * Gives the folds that it takes to see a term in a text that was found to be one: none can be left
 * out.  Where either of two would do, the plainer one is named.
 */
uint32
qg_folds_needed(uint32 folds, const char *term, size_t termlen, const char *matched,
				size_t matchedlen)
{
	static const uint32 order[] = {QG_FOLD_NFKC,	  QG_FOLD_CONFUSABLE, QG_FOLD_REPEAT,
								   QG_FOLD_DIGIT,	  QG_FOLD_SCRIPT,	  QG_FOLD_SEPARATOR,
								   QG_FOLD_INVISIBLE, QG_FOLD_WIDTH,	  QG_FOLD_CASE};
	uint32 needed = folds;

	if (termlen == matchedlen && memcmp(term, matched, termlen) == 0)
		return 0;
	for (int i = 0; i < (int) lengthof(order); i++)
		if ((needed & order[i]) && agrees(needed & ~order[i], term, termlen, matched, matchedlen))
			needed &= ~order[i];
	return needed;
}
