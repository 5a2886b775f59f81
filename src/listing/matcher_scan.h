/*
 * matcher_scan.h
 *		The state of one scan: the chunk of folded text being worked on, and what was met so far.
 */
#ifndef QG_MATCHER_SCAN_H
#define QG_MATCHER_SCAN_H

#include "listing/fold.h"
#include "listing/matcher_image.h"

/* Most that one segment of the text can add to a chunk, and text that fits a chunk on the stack. */
#define QG_CHUNK_SLACK (QG_SEGMENT_MAX * QG_EXPANSION_MAX + 2)
#define QG_CHUNK_TEXT 4096
#define QG_CHUNK_LOCAL 3072

/* Folded text; without `repeat` there are no runs. */
typedef struct Chunk
{
	uint32
		*words; /* symbol, QG_WORD, QG_NUMERAL, QG_DIGIT, QG_BROKEN, QG_JOINED; one more ends it */
	uint32 *places; /* byte of the text where its segment begins */
	uint16 *runs;
	uint32 count;
	uint32 capacity;
	uint32 next;  /* first place not walked from */
	int64 origin; /* what was shifted out of the chunk before */
} Chunk;

/* The visible character read last, for marks that turn out to belong to it. */
typedef struct Before
{
	const unsigned char *pos; /* NULL where there is none */
	uint32 count;			  /* of the chunk, before it */
	uint32 state;
	bool grown; /* it made a run longer */
} Before;

typedef struct Excuse
{
	int64 start, end;			   /* places of the folded text, end exclusive */
	int64 first_break, last_break; /* separators dropped that its spelling has not, or -1 */
} Excuse;

typedef struct Deny
{
	uint32 term, last; /* last is its place in the chunk */
} Deny;

typedef struct Scan
{
	const QgMatcher *matcher;
	const unsigned char *text;
	const unsigned char *pos;
	const unsigned char *end;
	uint32 state; /* QG_WORD, QG_NUMERAL of the last one; QG_BROKEN, QG_HIDDEN: base dropped */
	Before before;
	Chunk chunk;
	bool overlaps;
	QgTermFilter applies;
	QgHitCallback found;
	void *arg;
	Deny *deny; /* deny hits that begin at the place being walked from, shortest first */
	int ndeny, maxdeny;
	int64 allow_reach; /* furthest end of the allow hits so far that drop no separators */
	Excuse *excuses;
	int nexcuses, maxexcuses;
	int64 last_end; /* of the last hit reported */
	int32 last_byte_end;
	int32 counted_byte, counted_character; /* so many bytes hold so many characters */
	uint32 local[QG_CHUNK_LOCAL * 5 / 2];
} Scan;

extern void qg_chunk_begin(Scan *scan, const QgMatcher *matcher, const char *text, size_t length);
extern bool qg_chunk_fill(Scan *scan);
extern void qg_chunk_shift(Scan *scan);
extern void qg_chunk_end(Scan *scan);
extern void qg_matcher_place(Scan *scan, uint32 first, uint32 last, const MatcherTerm *term,
							 QgHit *hit);

#endif
