/*
 * matcher_private.h
 *		The compiled dictionary, shared by its building and its scanning; matcher.c describes it.
 */
#ifndef QG_MATCHER_PRIVATE_H
#define QG_MATCHER_PRIVATE_H

#include "listing/matcher.h"

#define QG_SYMBOL_PAGE 256
#define QG_SYMBOL_PAGES (0x110000 / QG_SYMBOL_PAGE)

/* A term in the list of its pattern. */
typedef struct MatcherTerm
{
	int32 number;		/* its place among the terms given */
	uint32 first_break; /* in breaks; the next term's ends the list */
	bool allow;
} MatcherTerm;

struct QgMatcher
{
	uint32 folds;
	uint32 longest; /* code points of the longest pattern */

	/* symbols: 1 + the rank of a code point among those that occur, 0 where it does not */
	uint32 nsymbols;
	uint16 symbol_page[QG_SYMBOL_PAGES]; /* of a code point's 256 neighbours; page 0 is empty */
	uint32 *symbols;
	uint32 *root_child; /* by symbol, 0 where no pattern begins with it */

	/* nodes, breadth first; node 0 is the root */
	uint32 nnodes;
	uint32 *label;		 /* symbol that leads to the node */
	uint32 *first_child; /* the next node's first child ends the list; nnodes + 1 entries */
	uint32 *fallback;	 /* node of the longest proper suffix */
	uint32 *report;		 /* nearest node along the fallbacks, itself first, that ends a pattern */
	uint32 *pattern;	 /* 1 + number of the pattern that ends here, or 0 */
	uint16 *depth;

	/* patterns and their terms */
	uint32 npatterns;
	uint32 *pattern_terms; /* where in terms a pattern's list begins; npatterns + 1 entries */
	MatcherTerm *terms;	   /* one more ends the last one's breaks */
	uint16
		*breaks; /* of allow terms: code points that the spelling separates from the one before */
};

#endif
