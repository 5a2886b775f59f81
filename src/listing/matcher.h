/*
 * matcher.h
 *		Finds all of a dictionary's terms in a text in one pass.
 *
 * A pure core: the matcher's files need nothing of the server but palloc, ereport and fold.h.  A
 * compiled dictionary is one image without pointers, so that it can be written to a file, mapped and
 * shared; matcher_image.h describes it.
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

	/* kept with the term; lists are strings one after the other, ended by an empty one, or NULL */
	const char *categories;
	const char *tags;
	const char *legal_basis;
} QgTerm;

/* One hit of a term that is not excused; qg_hit_locate() tells where it stands. */
typedef struct QgHit
{
	int entry;		   /* where the image keeps it, for qg_matcher_term() */
	struct Scan *scan; /* private, as what follows */
	uint32 from, to;
} QgHit;

typedef struct QgPlace
{
	int first; /* characters of the original, from 1, end exclusive */
	int end;
	int byte_first; /* the same in bytes, from 0 */
	int byte_end;
} QgPlace;

typedef struct QgMatcher QgMatcher;

/* Tells whether a term counts in this scan; NULL instead of a function means that all do. */
typedef bool (*QgTermFilter)(int entry, void *arg);

/* Receives a hit, good until it returns; returns false to end the scan. */
typedef bool (*QgHitCallback)(const QgHit *hit, void *arg);

extern QgMatcher *qg_matcher_build(const QgTerm *terms, int nterms, uint32 folds);
extern QgMatcher *qg_matcher_open(const void *image, size_t length);
extern const void *qg_matcher_image(const QgMatcher *matcher, size_t *length);
extern void qg_matcher_term(const QgMatcher *matcher, int entry, QgTerm *term);
extern bool qg_matcher_scan(const QgMatcher *matcher, const char *text, size_t length,
							bool overlaps, QgTermFilter applies, QgHitCallback found, void *arg);
extern int qg_hit_number(const QgHit *hit);
extern void qg_hit_locate(const QgHit *hit, QgPlace *place);
extern uint32 qg_folds_needed(uint32 folds, const char *term, size_t termlen, const char *matched,
							  size_t matchedlen);

#endif
