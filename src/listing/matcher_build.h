/*
 * matcher_build.h
 *		Stages of compiling a dictionary, shared by their files.
 */
#ifndef QG_MATCHER_BUILD_H
#define QG_MATCHER_BUILD_H

#include "listing/fold.h"
#include "listing/matcher_image.h"

/* A folded term, later the pattern that it stands for. */
typedef struct Folded
{
	size_t offset; /* of its symbols in the arena */
	uint32 length;
	int32 number;
	int32 severity;
	uint32 nbreaks;
	size_t first_break;
	size_t first_run; /* as long as the term where has_runs */
	bool has_runs;
	bool allow;
	bool first_numeral;
	bool last_numeral;
} Folded;

typedef struct Growing
{
	void *items;
	size_t used;
	size_t size;
} Growing;

/* What building needs. */
typedef struct Build
{
	const QgTerm *given;
	uint32 folds;
	uint32 *arena; /* code points, from the second stage on symbols, of all folded terms */
	size_t arena_used;
	size_t arena_size;
	Growing breaks; /* uint16 */
	Growing runs;	/* uint16 */
	Folded *folded;
	uint32 nfolded;
	Folded *patterns; /* the first of each run of equal folded terms */
	uint32 npatterns;
	uint32 *pattern_terms;
	uint32 longest;
	uint32 nsymbols;
	uint32 *symbol_of; /* by code point, 0 where no term has it */
	uint32 *symbols;   /* pairs (code point, symbol), ascending */
	MatcherNode *nodes;
	uint32 *pattern;
	uint32 nslots;
	uint32 *filter;
	uint32 filter_shift;
	bool has_pairs; /* some pattern is of two code points */
	uint32 *flat;
	uint16 *page;
	uint32 *pages;
	uint32 npages;
	uint64 steps;
} Build;

/* Lets a cancel through every so many steps. */
static inline void
step_taken(Build *build)
{
	if ((++build->steps & 1023) == 0)
		CHECK_FOR_INTERRUPTS();
}

extern void *qg_build_array(size_t count, size_t width);
extern void qg_build_symbols(Build *build);
extern void qg_build_table(Build *build);
extern void qg_build_nodes(Build *build);

#endif
