/*
 * matcher_scan.h
 *		The state of one scan: the chunk of folded text being worked on, and what was met so far.
 */
#ifndef QG_MATCHER_SCAN_H
#define QG_MATCHER_SCAN_H

#include "listing/fold.h"
#include "listing/matcher_image.h"

/* Most that one segment can add to a chunk, and the text that a chunk is made for. */
#define QG_CHUNK_SLACK (QG_SEGMENT_MAX * QG_EXPANSION_MAX + 2)
#define QG_CHUNK_TEXT 4096
#define QG_CHUNK_LOCAL 3072

/* Folded text. */
typedef struct Chunk
{
	uint32 *words;	/* as matcher_word.h says; two more end it */
	uint32 *places; /* low bits of the address where its segment begins */
	uint32 *runs;	/* lengths of those that are QG_LONG */
	uint32 count, capacity;
	uint32 next;   /* first place not walked from */
	int64 origin;  /* what was shifted out of the chunk before */
	uint32 parted; /* so many code points of the first one's segment among it */
} Chunk;

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
	const unsigned char *text, *pos, *end;
	uint32 state; /* word of the character before; QG_BROKEN, QG_DROPPED where it was dropped */
	const unsigned char *floor; /* no character before it is folded again, and the state there */
	uint32 floor_state;
	Chunk chunk;
	bool overlaps;
	QgTermFilter applies;
	QgHitCallback found;
	void *arg;
	Deny *deny; /* deny hits that begin at the place being walked from, shortest first */
	int ndeny, maxdeny;
	int64 allow_reach; /* end of the allow hits so far that drop no separators */
	Excuse *excuses;
	int nexcuses, maxexcuses;
	int64 last_end; /* of the last hit reported, as last_place */
	uint32 last_place;
	int32 counted_byte, counted_character; /* so many bytes hold so many characters */
	uint32 local[QG_CHUNK_LOCAL * 3];
} Scan;

/* Gives how many equal code points a place of the chunk stands for. */
static inline uint32
qg_chunk_run(const Chunk *chunk, uint32 place)
{
	return (chunk->words[place] & QG_LONG) ? chunk->runs[place] : 1;
}

extern void qg_chunk_begin(Scan *scan, const QgMatcher *matcher, const char *text, size_t length);
extern bool qg_chunk_fill(Scan *scan);
extern void qg_chunk_shift(Scan *scan);
extern void qg_chunk_end(Scan *scan);

#endif
