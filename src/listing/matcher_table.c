/*
 * matcher_table.c
 *		Numbers a dictionary's code points and tabulates what every code point folds to.
 *
 * Symbols are numbered by how often the terms have them, so that the children of most nodes lie
 * close together.  The table's word of a code point tells a scan all it needs of one that stands
 * alone: the symbol of what it folds to, whether words join there, whether it is dropped; and it
 * marks those that do not stand alone, for the scan to fold their whole segment.
 */
#include "quality_gov.h"

#include "listing/fold_map.h"
#include "listing/matcher_build.h"

/* How often a code point occurs. */
typedef struct Count
{
	uint32 codepoint;
	uint32 times;
} Count;

/* Orders code points by how often they occur, frequent ones first. */
static int
compare_counts(const void *left, const void *right)
{
	const Count *a = left;
	const Count *b = right;

	if (a->times != b->times)
		return a->times > b->times ? -1 : 1;
	return a->codepoint < b->codepoint ? -1 : a->codepoint > b->codepoint;
}

/* Orders pairs by their code point. */
static int
compare_pairs(const void *left, const void *right)
{
	uint32 a = *(const uint32 *) left;
	uint32 b = *(const uint32 *) right;

	return a < b ? -1 : a > b;
}

/* Stage 2: numbers the code points that occur and puts their numbers in the arena. */
void
qg_build_symbols(Build *build)
{
	uint32 *times = build->symbol_of = qg_build_array(0x110000, sizeof(uint32));
	Count *counts;
	uint32 n = 0;

	for (size_t i = 0; i < build->arena_used; i++)
		if (times[build->arena[i]]++ == 0)
			n++;
	counts = qg_build_array(n, sizeof(Count));
	n = 0;
	for (uint32 c = 0; c < 0x110000; c++)
		if (times[c] > 0)
			counts[n++] = (Count){c, times[c]};
	qsort(counts, n, sizeof(Count), compare_counts);
	if (n > QG_SYMBOL_MASK)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("lexicon is too large")));
	build->nsymbols = n;
	build->symbols = qg_build_array((size_t) n * 2, sizeof(uint32));
	for (uint32 i = 0; i < n; i++)
	{
		build->symbols[2 * i] = counts[i].codepoint;
		build->symbols[2 * i + 1] = i + 1;
		times[counts[i].codepoint] = i + 1;
	}
	qsort(build->symbols, n, 2 * sizeof(uint32), compare_pairs);
	for (size_t i = 0; i < build->arena_used; i++)
	{
		step_taken(build);
		build->arena[i] = times[build->arena[i]];
	}
	pfree(counts);
}

/* Gives the word of a code point that maps to one code point of the given class. */
static uint32
word_of(const Build *build, const QgFoldEntry *entry, uint32 class)
{
	uint32 word;

	if ((class & QG_CHAR_IGNORABLE) && (build->folds & QG_FOLD_INVISIBLE))
		return (class & QG_CHAR_SEPARATOR) && (build->folds & QG_FOLD_SEPARATOR)
				   ? QG_BROKEN | QG_DROPPED | QG_SINGLE
				   : QG_HARD;
	if ((class & QG_CHAR_SEPARATOR) && (build->folds & QG_FOLD_SEPARATOR))
		return QG_BROKEN | QG_DROPPED | QG_SINGLE;
	if (class & QG_CHAR_MARK)
		return QG_HARD;
	word = build->symbol_of[entry->codepoint];
	if ((class & QG_CHAR_DIGIT) || word == 0)
		word |= QG_SINGLE;
	if (entry->flags & QG_ENTRY_NUMERAL)
		word |= QG_NUMERAL;
	else if (class & QG_CHAR_WORD)
		word |= QG_WORD;
	return word;
}

/* Gives the table's word of a code point. */
static uint32
table_word(const Build *build, uint32 codepoint)
{
	QgFoldEntry entry;

	qg_fold_learn(build->folds & ~QG_FOLD_REPEAT, codepoint, &entry);
	if (entry.flags & QG_ENTRY_HIDDEN)
		return (build->folds & QG_FOLD_INVISIBLE) ? QG_HIDDEN : QG_HARD;
	if (!(entry.flags & QG_ENTRY_STARTS))
		return QG_CONTINUES;
	if (entry.flags & QG_ENTRY_MANY)
		return QG_HARD;
	return word_of(build, &entry,
				   entry.codepoint == codepoint ? entry.class : qg_char_class(entry.codepoint));
}

/* Fills the words of 256 code points; tells whether any of them says something. */
static bool
fill_page(Build *build, uint32 first, uint32 *words)
{
	bool any = false;

	for (uint32 i = 0; i < 256; i++)
	{
		/* Most code points stand for themselves, are seen and belong to no word. */
		if (!qg_char_is_plain(first + i))
			words[i] = table_word(build, first + i);
		else if ((words[i] = build->symbol_of[first + i]) == 0)
			words[i] = QG_SINGLE;
		any |= words[i] != QG_SINGLE;
		step_taken(build);
	}
	return any;
}

/* Makes the symbol of a code point that is a pattern by itself say so. */
static void
mark_alone(Build *build)
{
	bool *alone = qg_build_array((size_t) build->nsymbols + 1, sizeof(bool));

	for (uint32 i = 0; i < build->npatterns; i++)
		if (build->patterns[i].length == 1)
			alone[build->arena[build->patterns[i].offset]] = true;
	for (uint32 i = 0; i < build->nsymbols; i++)
		if (alone[build->symbols[2 * i + 1]])
		{
			build->symbol_of[build->symbols[2 * i]] |= QG_ALONE;
			build->symbols[2 * i + 1] |= QG_ALONE;
		}
	pfree(alone);
}

/* Stage 3, second half: makes the table of all code points. */
void
qg_build_table(Build *build)
{
	uint32 words[256];

	mark_alone(build);
	build->flat = qg_build_array(QG_FLAT_SIZE, sizeof(uint32));
	/* What is no UTF-8 has no symbol, and no run. */
	for (uint32 i = 0; i < QG_FLAT_SIZE; i++)
		build->flat[i] = QG_SINGLE;
	for (uint32 c = 0; c < 0x10000; c += 256)
		(void) fill_page(build, c, build->flat + QG_FLAT_BEFORE + c);
	build->page = qg_build_array(0x1000, sizeof(uint16));
	build->pages = qg_build_array(256, sizeof(uint32));
	for (int i = 0; i < 256; i++)
		build->pages[i] = QG_SINGLE;
	build->npages = 1;
	for (uint32 page = 0; page < 0x1000; page++)
	{
		if (!fill_page(build, 0x10000 + page * 256, words))
			continue;
		build->pages = repalloc_huge(build->pages,
									 mul_size((size_t) build->npages + 1, 256 * sizeof(uint32)));
		memcpy(build->pages + (size_t) build->npages * 256, words, sizeof(words));
		build->page[page] = (uint16) build->npages++;
	}
}
