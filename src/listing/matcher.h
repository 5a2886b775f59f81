/*
 * matcher.h
 *		Finds all of a dictionary's terms in a text in one pass.
 *
 * A pure core: matcher.c needs nothing of the server but palloc, ereport and fold.h.  How a
 * dictionary is compiled and kept is private to it.
 */
#ifndef QG_MATCHER_H
#define QG_MATCHER_H

#include "quality_gov.h"

/* One term of a dictionary; its number is its place in the array. */
typedef struct QgTerm
{
	const char *text; /* UTF-8, as written in the dictionary */
	size_t length;	  /* bytes */
	bool allow;		  /* excuses the hits that it covers */
	int severity;	  /* of terms with one folded spelling the most severe is reported */
} QgTerm;

/* One hit of a term that is not excused. */
typedef struct QgHit
{
	int term;
	int first; /* characters of the original, from 1, end exclusive */
	int end;
	int byte_first; /* the same in bytes, from 0 */
	int byte_end;
	uint32 folds; /* folds that changed or dropped something within */
} QgHit;

typedef struct QgMatcher QgMatcher;

/* Tells whether a term counts in this scan; NULL instead of a function means that all do. */
typedef bool (*QgTermFilter)(int term, void *arg);

/* Receives a hit; returns false to end the scan. */
typedef bool (*QgHitCallback)(const QgHit *hit, void *arg);

extern QgMatcher *qg_matcher_build(const QgTerm *terms, int nterms, uint32 folds);
extern bool qg_matcher_scan(const QgMatcher *matcher, const char *text, size_t length,
							bool overlaps, QgTermFilter applies, QgHitCallback found, void *arg);

#endif
