/*
 * listing.h
 *		Lexicons as the listing guard uses them.
 *
 * A lexicon found here, its strings and those of its hits stay good until the end of the
 * transaction, also when lexicons change meanwhile.
 */
#ifndef QG_LISTING_H
#define QG_LISTING_H

#include "quality_gov.h"

#include "datatype/timestamp.h"

#define QG_LEXICON_DIGEST 32

/* One version of a lexicon; lexicon.c knows the rest. */
typedef struct QgLexicon
{
	char *name;
	int version;
	char *legal_basis;	/* NULL where it names none */
	TimestampTz effect; /* in force from here, DT_NOEND where never */
	TimestampTz ended;	/* to before here */
	TimestampTz trial;	/* on trial from here, DT_NOEND where never: its hits bind nobody */
	TimestampTz tried;	/* to before here */
	uint32 folds;
	bool fixed; /* published: digest names its content, which cannot change */
	uint8 digest[QG_LEXICON_DIGEST];
	MemoryContext content;		  /* of the cache that holds it */
	struct QgLexiconImage *image; /* NULL until first scanned */
} QgLexicon;

#define QG_LEXICON_FOLDS_MAX 16

/* One hit of a deny term that no allow term excuses; matched is in the caller's memory context. */
typedef struct QgLexiconHit
{
	const char *lexicon;
	int version;
	const char *term;	 /* as written in the lexicon */
	const char *matched; /* as written in the text */
	int severity;
	const char *legal_basis; /* the term's, else the lexicon's, else NULL */
	const char *tags;		 /* strings one after the other, ended by an empty one */
	int first;				 /* characters of the text, from 1, end exclusive */
	int end;
	int byte_first; /* the same in bytes, from 0 */
	int byte_end;
	int nfolds; /* names of the folds needed to see it */
	const char *folds[QG_LEXICON_FOLDS_MAX];
} QgLexiconHit;

/* Receives a hit; returns false to end the scan. */
typedef bool (*QgLexiconCallback)(const QgLexiconHit *hit, void *arg);

extern bool qg_lexicon_exists(const char *name);
extern const QgLexicon *qg_lexicon_find(const char *name, TimestampTz at);
extern const QgLexicon *qg_lexicon_shadow(const char *name, TimestampTz at);
extern const QgLexicon *qg_lexicon_version(const char *name, int version);
extern bool qg_lexicon_scan(const QgLexicon *lexicon, const char *text, size_t length,
							const char *category, bool overlaps, QgLexiconCallback found,
							void *arg);
extern bool qg_lexicon_hits(const QgLexicon *lexicon, const char *text, size_t length,
							const char *category);
extern uint32 qg_folds_from_array(Datum array);

#endif
