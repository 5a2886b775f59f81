/*
 * matcher_build.c
 *		Compiles a dictionary; the stages are described at the top of matcher.c.
 */
#include "quality_gov.h"

#include "storage/shmem.h"
#include "utils/memutils.h"

#include "listing/fold.h"
#include "listing/matcher_private.h"
#include "listing/matcher_step.h"

#define DEPTH_MAX PG_UINT16_MAX

/* A folded term while the dictionary is built. */
typedef struct Folded
{
	size_t offset; /* of its symbols in the arena */
	uint32 length;
	int32 number;
	int32 severity;
	uint32 first_break; /* in the breaks */
	uint32 nbreaks;
	bool allow;
} Folded;

/* What building needs and a compiled dictionary does not. */
typedef struct Build
{
	QgMatcher *matcher;
	MemoryContext result; /* where the dictionary's arrays go */
	uint32 *arena;		  /* code points, from stage 2 on symbols, of all folded terms */
	size_t arena_used;
	size_t arena_size;
	uint16 *breaks; /* of the allow terms, in the order given */
	size_t breaks_used;
	size_t breaks_size;
	Folded *folded;
	uint32 nfolded;
	Folded *patterns; /* the first of each run of equal folded terms */
	uint64 steps;
} Build;

/* Lets a cancel through every so many steps. */
static inline void
step_taken(Build *build)
{
	if ((++build->steps & 1023) == 0)
		CHECK_FOR_INTERRUPTS();
}

/* Allocates a zeroed array, with an error where its size overflows. */
static void *
array(MemoryContext context, size_t count, size_t width)
{
	return MemoryContextAllocExtended(context, mul_size(count, width),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Allocates an array of the dictionary's own. */
static void *
own_array(Build *build, size_t count, size_t width)
{
	return array(build->result, count, width);
}

/* Notes that an allow term's spelling separates a code point from the one before. */
static void
note_break(Build *build, Folded *entry, size_t position)
{
	if (build->breaks_used == build->breaks_size)
	{
		build->breaks_size = mul_size(build->breaks_size, 2);
		build->breaks = repalloc_huge(build->breaks, mul_size(build->breaks_size, sizeof(uint16)));
	}
	build->breaks[build->breaks_used++] = (uint16) position;
	entry->nbreaks++;
}

/* Stage 1: folds one term into the arena. */
static void
fold_term(Build *build, const QgTerm *term, int number)
{
	QgFoldScan scan;
	QgFoldedChar folded;
	Folded *entry = &build->folded[build->nfolded];

	entry->offset = build->arena_used;
	entry->first_break = (uint32) build->breaks_used;
	entry->nbreaks = 0;
	qg_fold_begin(&scan, build->matcher->folds, term->text, term->length);
	while (qg_fold_next(&scan, &folded))
	{
		step_taken(build);
		if (build->arena_used == build->arena_size)
		{
			build->arena_size = mul_size(build->arena_size, 2);
			build->arena = repalloc_huge(build->arena, mul_size(build->arena_size, sizeof(uint32)));
		}
		if (build->arena_used - entry->offset == DEPTH_MAX)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("term of a lexicon is longer than %d characters", DEPTH_MAX)));
		if (term->allow && folded.broken && build->arena_used > entry->offset)
			note_break(build, entry, build->arena_used - entry->offset);
		build->arena[build->arena_used++] = folded.codepoint;
	}
	entry->length = (uint32) (build->arena_used - entry->offset);
	entry->number = number;
	entry->severity = term->severity;
	entry->allow = term->allow;
	if (entry->length > 0)
		build->nfolded++;
	build->matcher->longest = Max(build->matcher->longest, entry->length);
}

/* Stage 2: numbers the code points that occur and puts their numbers in the arena. */
static void
number_symbols(Build *build)
{
	QgMatcher *m = build->matcher;
	uint32 npages = 1;

	for (size_t i = 0; i < build->arena_used; i++)
		m->symbol_page[build->arena[i] / QG_SYMBOL_PAGE] = 1;
	for (int i = 0; i < QG_SYMBOL_PAGES; i++)
		if (m->symbol_page[i])
			m->symbol_page[i] = (uint16) npages++;
	m->symbols = own_array(build, (size_t) npages * QG_SYMBOL_PAGE, sizeof(uint32));
	for (size_t i = 0; i < build->arena_used; i++)
		m->symbols[m->symbol_page[build->arena[i] / QG_SYMBOL_PAGE] * QG_SYMBOL_PAGE +
				   build->arena[i] % QG_SYMBOL_PAGE] = 1;
	for (uint32 i = QG_SYMBOL_PAGE; i < npages * QG_SYMBOL_PAGE; i++)
		if (m->symbols[i])
			m->symbols[i] = ++m->nsymbols;
	for (size_t i = 0; i < build->arena_used; i++)
	{
		step_taken(build);
		build->arena[i] = qg_matcher_symbol(m, build->arena[i]);
	}
}

/* Orders folded terms by their symbols alone. */
static int
compare_symbols(const Build *build, const Folded *a, const Folded *b)
{
	const uint32 *left = build->arena + a->offset;
	const uint32 *right = build->arena + b->offset;
	uint32 length = Min(a->length, b->length);

	for (uint32 i = 0; i < length; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return a->length == b->length ? 0 : a->length < b->length ? -1 : 1;
}

/* Orders folded terms by symbols, then the most severe first, then as they were given. */
static int
compare_folded(const void *left, const void *right, void *arg)
{
	Build *build = arg;
	const Folded *a = left;
	const Folded *b = right;
	int order = compare_symbols(build, a, b);

	step_taken(build);
	if (order != 0)
		return order;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Stage 3: sorts the folded terms and makes equal ones one pattern. */
static void
sort_patterns(Build *build)
{
	QgMatcher *m = build->matcher;
	uint32 nbreaks = 0;

	qsort_arg(build->folded, build->nfolded, sizeof(Folded), compare_folded, build);
	m->breaks = own_array(build, build->breaks_used + 1, sizeof(uint16));
	build->patterns = array(CurrentMemoryContext, (size_t) build->nfolded + 1, sizeof(Folded));
	m->pattern_terms = own_array(build, (size_t) build->nfolded + 1, sizeof(uint32));
	m->terms = own_array(build, (size_t) build->nfolded + 1, sizeof(MatcherTerm));
	for (uint32 i = 0; i < build->nfolded; i++)
	{
		step_taken(build);
		if (i == 0 || compare_symbols(build, &build->folded[i - 1], &build->folded[i]) != 0)
		{
			m->pattern_terms[m->npatterns] = i;
			build->patterns[m->npatterns++] = build->folded[i];
		}
		m->terms[i].number = build->folded[i].number;
		m->terms[i].allow = build->folded[i].allow;
		m->terms[i].first_break = nbreaks;
		memcpy(m->breaks + nbreaks, build->breaks + build->folded[i].first_break,
			   build->folded[i].nbreaks * sizeof(uint16));
		nbreaks += build->folded[i].nbreaks;
	}
	m->terms[build->nfolded].first_break = nbreaks;
	m->pattern_terms[m->npatterns] = build->nfolded;
}

/* Counts the trie's nodes: each pattern adds what it does not share with the one before. */
static uint32
count_nodes(Build *build)
{
	uint64 count = 1;

	for (uint32 i = 0; i < build->matcher->npatterns; i++)
	{
		const Folded *pattern = &build->patterns[i];
		uint32 shared = 0;

		step_taken(build);
		if (i > 0)
		{
			const Folded *before = &build->patterns[i - 1];

			while (shared < before->length && shared < pattern->length &&
				   build->arena[before->offset + shared] == build->arena[pattern->offset + shared])
				shared++;
		}
		count += pattern->length - shared;
	}
	if (count >= PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("lexicon is too large")));
	return (uint32) count;
}

/* Stage 4: numbers the nodes breadth first and makes their edges. */
static void
make_nodes(Build *build)
{
	QgMatcher *m = build->matcher;
	uint32 total = count_nodes(build);
	uint32 *low = array(CurrentMemoryContext, total, sizeof(uint32));
	uint32 *high = array(CurrentMemoryContext, total, sizeof(uint32));

	m->label = own_array(build, total, sizeof(uint32));
	m->first_child = own_array(build, (size_t) total + 1, sizeof(uint32));
	m->fallback = own_array(build, total, sizeof(uint32));
	m->report = own_array(build, total, sizeof(uint32));
	m->pattern = own_array(build, total, sizeof(uint32));
	m->depth = own_array(build, total, sizeof(uint16));
	m->root_child = own_array(build, (size_t) m->nsymbols + 1, sizeof(uint32));

	high[0] = m->npatterns;
	m->nnodes = 1;
	for (uint32 node = 0; node < m->nnodes; node++)
	{
		uint32 depth = m->depth[node];
		uint32 i = low[node];

		/* The shortest pattern of a range comes first: it is the one that ends here. */
		if (i < high[node] && build->patterns[i].length == depth)
			m->pattern[node] = ++i;
		m->first_child[node] = m->nnodes;
		while (i < high[node])
		{
			uint32 child = m->nnodes++;
			uint32 symbol = build->arena[build->patterns[i].offset + depth];

			Assert(child < total);
			m->label[child] = symbol;
			m->depth[child] = (uint16) (depth + 1);
			low[child] = i;
			while (i < high[node] && build->arena[build->patterns[i].offset + depth] == symbol)
			{
				step_taken(build);
				i++;
			}
			high[child] = i;
			if (node == 0)
				m->root_child[symbol] = child;
		}
	}
	m->first_child[m->nnodes] = m->nnodes;
	Assert(m->nnodes == total);
	pfree(low);
	pfree(high);
}

/* Stage 5: sets fallbacks and reports, a parent's before its children's. */
static void
link_nodes(Build *build)
{
	QgMatcher *m = build->matcher;

	for (uint32 node = 0; node < m->nnodes; node++)
	{
		if (node > 0)
			m->report[node] = m->pattern[node] ? node : m->report[m->fallback[node]];
		for (uint32 child = m->first_child[node]; child < m->first_child[node + 1]; child++)
		{
			step_taken(build);
			if (node > 0)
				m->fallback[child] = qg_matcher_step(m, m->fallback[node], m->label[child]);
		}
	}
}

/* Compiles a dictionary in the current memory context. */
QgMatcher *
qg_matcher_build(const QgTerm *terms, int nterms, uint32 folds)
{
	Build build = {0};
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "quality_gov matcher build",
											   ALLOCSET_DEFAULT_SIZES);

	build.result = MemoryContextSwitchTo(work);
	build.matcher = MemoryContextAllocZero(build.result, sizeof(QgMatcher));
	build.matcher->folds = folds;
	build.arena_size = 1024;
	build.arena = array(work, build.arena_size, sizeof(uint32));
	build.breaks_size = 1024;
	build.breaks = array(work, build.breaks_size, sizeof(uint16));
	build.folded = array(work, (size_t) nterms + 1, sizeof(Folded));

	for (int i = 0; i < nterms; i++)
		fold_term(&build, &terms[i], i);
	number_symbols(&build);
	sort_patterns(&build);
	make_nodes(&build);
	link_nodes(&build);

	MemoryContextSwitchTo(build.result);
	MemoryContextDelete(work);
	return build.matcher;
}
