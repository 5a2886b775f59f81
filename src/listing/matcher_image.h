/*
 * matcher_image.h
 *		A compiled dictionary as bytes: a header, then arrays found by their offsets.
 *
 * Everything is a number, nothing a pointer, so the image means the same wherever it is mapped on a
 * machine of one byte order.  Arrays begin at multiples of 64 bytes.  Its parts:
 *
 *	  - a word for every code point: the symbol of what it folds to and what else the scan must know;
 *		flat for the basic plane, by pages of 256 beyond it;
 *	  - the trie of the folded terms as a double array: the child of node n by symbol s is slot
 *		nodes[n].base + s, if that slot's check is n; the root's children are slots 1 to nsymbols;
 *	  - for each slot the pattern that ends there, and for each pattern its terms, graver ones first;
 *	  - a filter of a few bits for each beginning of patterns.
 */
#ifndef QG_MATCHER_IMAGE_H
#define QG_MATCHER_IMAGE_H

#include "listing/matcher.h"
#include "listing/matcher_word.h"

#define QG_IMAGE_FORMAT 4

/* A term; strings are offsets into the strings, 0 for none. */
typedef struct MatcherTerm
{
	uint32 number; /* its place among the terms given */
	uint32 text, categories, tags, legal_basis;
	uint32 first_break; /* the next term's ends the list */
	uint32 first_run;	/* the same; none where all runs are 1 */
	int32 severity;
	bool allow;
	bool first_numeral, last_numeral; /* begins, ends with a Han numeral */
} MatcherTerm;

typedef enum MatcherSection
{
	QG_SECTION_FLAT,		  /* uint32 by code point of the basic plane, from QG_FLAT_BEFORE on */
	QG_SECTION_PAGE,		  /* uint16 by 256 code points beyond it: page */
	QG_SECTION_PAGES,		  /* uint32, 256 a page */
	QG_SECTION_SYMBOLS,		  /* uint32 pairs (code point, symbol), ascending */
	QG_SECTION_NODES,		  /* MatcherNode by slot */
	QG_SECTION_PATTERN,		  /* uint32 by slot: pattern that ends there, or its only term */
	QG_SECTION_PATTERN_TERMS, /* uint32 by pattern: its first term; one more ends the last */
	QG_SECTION_TERMS,		  /* MatcherTerm; one more ends the last one's lists */
	QG_SECTION_BREAKS,		  /* uint16: positions that an allow term's spelling separates */
	QG_SECTION_RUNS,		  /* uint16: runs of a term's code points */
	QG_SECTION_FILTER,		  /* uint32 */
	QG_SECTION_STRINGS,
	QG_SECTION_COUNT
} MatcherSection;

typedef struct MatcherHeader
{
	char magic[8];
	uint32 format, folds;
	char unicode[24]; /* version of the library that folded */
	uint64 length;	  /* of the image */
	uint32 nsymbols, nslots, npatterns, nterms;
	uint32 longest;					/* code points of the longest pattern */
	uint32 filter_shift, has_pairs; /* some pattern is of two code points */
	uint64 section[QG_SECTION_COUNT];
} MatcherHeader;

struct QgMatcher
{
	const MatcherHeader *header;
	const uint32 *flat, *pages;
	const uint16 *page;
	const uint32 *symbols;
	const MatcherNode *nodes;
	const uint32 *pattern, *pattern_terms;
	const MatcherTerm *terms;
	const uint16 *breaks, *runs;
	const uint32 *filter;
	const char *strings;
};

extern uint32 qg_matcher_symbol(const QgMatcher *m, uint32 codepoint);

#endif
