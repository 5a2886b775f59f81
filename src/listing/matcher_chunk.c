/*
 * matcher_chunk.c
 *		Folds text into the symbols of a dictionary, chunk by chunk.
 *
 * Almost every character stands alone and takes one look into the table and a few operations on its
 * word.  What the table marks hard, and a mark that turns out to belong to the character before, goes
 * through fold.c segment by segment, from where that segment begins: what was made of its first
 * character is taken back.
 */
#include "quality_gov.h"

#include "storage/shmem.h"

#include "listing/matcher_scan.h"

/* Gives the table's word of a code point. */
static inline uint32
word_of(const QgMatcher *m, uint32 codepoint)
{
	if (codepoint < 0x10000)
		return m->flat[codepoint];
	codepoint -= 0x10000;
	return m->pages[m->page[codepoint / 256] * 256 + codepoint % 256];
}

#define KEPT (QG_SYMBOL_MASK | QG_WORD | QG_NUMERAL | QG_SINGLE)

/* Begins a scan. */
void
qg_chunk_begin(Scan *scan, const QgMatcher *matcher, const char *text, size_t length)
{
	Chunk *chunk = &scan->chunk;
	size_t capacity = Min(length, QG_CHUNK_TEXT) + matcher->header->longest + QG_CHUNK_SLACK + 5;
	uint32 *block = scan->local;

	if (capacity > QG_CHUNK_LOCAL)
		block = palloc_extended(mul_size(capacity, 3 * sizeof(uint32)), MCXT_ALLOC_HUGE);
	chunk->capacity = (uint32) capacity;
	chunk->words = block;
	chunk->places = block + capacity;
	chunk->runs = block + 2 * capacity;
	chunk->count = 0;
	chunk->next = 0;
	chunk->origin = 0;
	chunk->parted = 0;
	scan->matcher = matcher;
	scan->text = scan->pos = (const unsigned char *) text;
	scan->end = scan->text + length;
	scan->state = 0;
	scan->before.pos = NULL;
	scan->deny = NULL;
	scan->ndeny = scan->maxdeny = 0;
	scan->allow_reach = 0;
	scan->excuses = NULL;
	scan->nexcuses = scan->maxexcuses = 0;
	scan->last_end = 0;
	scan->last_place = PG_UINT32_MAX;
	scan->counted_byte = scan->counted_character = 0;
}

/* Frees what a scan took. */
void
qg_chunk_end(Scan *scan)
{
	if (scan->chunk.words != scan->local)
		pfree(scan->chunk.words);
	if (scan->deny != NULL)
		pfree(scan->deny);
	if (scan->excuses != NULL)
		pfree(scan->excuses);
}

/* Drops what was walked from out of the chunk. */
void
qg_chunk_shift(Scan *scan)
{
	Chunk *chunk = &scan->chunk;
	uint32 shift = chunk->next;
	uint32 same = shift;
	uint32 parted = 0;

	while (same > 0 && shift < chunk->count && chunk->places[same - 1] == chunk->places[shift])
		parted += qg_chunk_run(chunk, --same);
	chunk->parted = same > 0 ? parted : parted + chunk->parted;
	chunk->count -= shift;
	memmove(chunk->words, chunk->words + shift, chunk->count * sizeof(uint32));
	memmove(chunk->places, chunk->places + shift, chunk->count * sizeof(uint32));
	if (scan->matcher->header->folds & QG_FOLD_REPEAT)
		memmove(chunk->runs, chunk->runs + shift, chunk->count * sizeof(uint32));
	chunk->origin += shift;
	chunk->next = 0;
	scan->before.count -= shift;
}

/* Tells whether a word prolongs the run of the word before it. */
static inline bool
prolongs(uint32 word, uint32 last)
{
	return ((word ^ last) & (QG_SYMBOL_MASK | QG_SINGLE)) == 0 && !(word & QG_SINGLE) &&
		   (word & (QG_BROKEN | QG_WORD)) != (QG_BROKEN | QG_WORD);
}

/* Makes the run of the last place longer. */
static void
prolong(Chunk *chunk, uint32 place)
{
	if (!(chunk->words[place] & QG_LONG))
		chunk->runs[place] = 1;
	chunk->words[place] |= QG_LONG;
	chunk->runs[place]++;
}

/* Adds a word to the chunk, or, with repeat, to the run that it prolongs. */
static void
push(Chunk *chunk, uint32 word, const unsigned char *pos, bool repeat)
{
	uint32 n = chunk->count;

	if (repeat && n > 0 && prolongs(word, chunk->words[n - 1]))
	{
		prolong(chunk, n - 1);
		return;
	}
	chunk->words[n] = word;
	chunk->places[n] = (uint32) (uintptr_t) pos;
	chunk->count = n + 1;
}

/* Tells whether the next character that is seen belongs to the segment before it. */
static bool
continues(const Scan *scan)
{
	const unsigned char *pos = scan->pos;

	while (pos < scan->end)
	{
		int length;
		uint32 word = word_of(scan->matcher, qg_fold_decode(pos, scan->end, &length));

		CHECK_FOR_INTERRUPTS();
		if (!(word & QG_HIDDEN))
			return (word & QG_CONTINUES) != 0;
		pos += length;
	}
	return false;
}

/* Adds what fold.c gives of the segment that begins at the current position. */
static void
fill_segment(Scan *scan, QgFoldScan *fold, bool repeat)
{
	QgFoldedChar folded;
	uint8 class;
	uint32 state = scan->state;

	qg_fold_seek(fold, scan->pos - scan->text, (state & QG_HIDDEN) != 0, (state & QG_BROKEN) != 0,
				 (state & QG_WORD) != 0, (state & QG_NUMERAL) != 0);
	(void) qg_fold_segment(fold);
	while (qg_fold_rest(fold, &folded, &class))
	{
		uint32 word = qg_matcher_symbol(scan->matcher, folded.codepoint);

		word |= (folded.word ? QG_WORD : 0) | (folded.numeral ? QG_NUMERAL : 0) |
				(folded.broken ? QG_BROKEN : 0) | (folded.joined ? QG_JOINED : 0) |
				((class & QG_CHAR_DIGIT) || word == 0 ? QG_SINGLE : 0);
		push(&scan->chunk, word, scan->text + folded.byte_first, repeat);
	}
	scan->pos = fold->pos;
	scan->state = (fold->broken	   ? QG_BROKEN
				   : fold->in_word ? QG_WORD
								   : 0) |
				  (fold->numeral ? QG_NUMERAL : 0) | (fold->base_dropped ? QG_HIDDEN : 0);
}

/*
 * Folds the segment at the current position, and those that follow it without a boundary; where the
 * character there belongs to the segment before, from where that one begins.
 */
static void
fill_hard(Scan *scan, bool take_back, bool repeat)
{
	QgFoldScan fold;
	Chunk *chunk = &scan->chunk;

	if (take_back && scan->before.pos != NULL)
	{
		/* It made a run longer where it added nothing, and is not a separator that was dropped. */
		if (scan->before.count == chunk->count && !(scan->state & QG_BROKEN))
			chunk->runs[chunk->count - 1]--;
		scan->pos = scan->before.pos;
		scan->state = scan->before.state;
		chunk->count = scan->before.count;
	}
	scan->before.pos = NULL;
	qg_fold_begin(&fold, scan->matcher->header->folds & ~QG_FOLD_REPEAT, (const char *) scan->text,
				  scan->end - scan->text);
	do
		fill_segment(scan, &fold, repeat);
	while (chunk->count < chunk->capacity - QG_CHUNK_SLACK && continues(scan));
}

/*
 * Folds characters that stand alone up to limit, or to the first that does not; each gives one word
 * at most.  What changes with each character is kept in registers, and the function does nothing
 * else: this loop takes most of the time of a scan.
 */
static pg_attribute_always_inline void
fill_plain(Scan *scan, const unsigned char *limit, const bool repeat)
{
	const uint32 *flat = scan->matcher->flat;
	const unsigned char *pos = scan->pos;
	const unsigned char *end = scan->end;
	uint32 *words = scan->chunk.words;
	uint32 *places = scan->chunk.places;
	uint32 n = scan->chunk.count;
	uint32 state = scan->state;
	uint32 last = n > 0 ? words[n - 1] : QG_SINGLE;
	Before before = scan->before;

	while (pos < limit)
	{
		const unsigned char *next;
		uint32 word;
		uint32 made;

		if (pos[0] < 0x80)
		{
			word = flat[pos[0]];
			next = pos + 1;
		}
		else if ((pos[0] & 0xF0) == 0xE0 && end - pos >= 3)
		{
			word = flat[((pos[0] & 0x0F) << 12) | ((pos[1] & 0x3F) << 6) | (pos[2] & 0x3F)];
			next = pos + 3;
		}
		else
		{
			int length;

			word = word_of(scan->matcher, qg_fold_decode(pos, end, &length));
			next = pos + length;
		}
		if (unlikely(word & (QG_HIDDEN | QG_HARD | QG_CONTINUES)))
			break;

		/* Of one word: both of words, both or neither Han numerals; nothing dropped between them. */
		made = (word & KEPT) | (state & QG_BROKEN) |
			   ((word & state & ~((word ^ state) >> 1) & QG_WORD) << 4);
		words[n] = made;
		places[n] = (uint32) (uintptr_t) pos;
		before.pos = pos;
		before.count = n;
		before.state = state;
		pos = next;
		/* Spaces and punctuation come when nobody expects them: no branch asks for them. */
		state = (word & QG_BROKEN) ? QG_BROKEN | QG_HIDDEN : word & (QG_WORD | QG_NUMERAL);
		if (repeat && unlikely(prolongs(made, last)))
			prolong(&scan->chunk, n - 1);
		else
		{
			last = (word & QG_BROKEN) ? last : made;
			n += (word & QG_BROKEN) == 0;
		}
	}
	scan->pos = pos;
	scan->state = state;
	scan->before = before;
	scan->chunk.count = n;
}

/* Fills the chunk, with or without runs. */
static pg_attribute_always_inline void
fill(Scan *scan, const bool repeat)
{
	const QgMatcher *m = scan->matcher;
	uint32 stop = scan->chunk.capacity - QG_CHUNK_SLACK - 1;

	while (scan->pos < scan->end && scan->chunk.count < stop)
	{
		size_t room = stop - scan->chunk.count;
		const unsigned char *limit = (size_t) (scan->end - scan->pos) < room ? scan->end
																			 : scan->pos + room;
		uint32 word;
		int length;

		fill_plain(scan, limit, repeat);
		if (scan->pos >= limit)
			continue;
		word = word_of(m, qg_fold_decode(scan->pos, scan->end, &length));
		if (word & QG_HIDDEN)
			scan->pos += length;
		else
			fill_hard(scan, (word & QG_CONTINUES) != 0, repeat);
	}
}

StaticAssertDecl(QG_NUMERAL == QG_WORD << 1 && QG_JOINED == QG_WORD << 4,
				 "the scan shifts these flags onto each other");

/* Fills the chunk with what follows; tells whether any text is left. */
bool
qg_chunk_fill(Scan *scan)
{
	if (scan->matcher->header->folds & QG_FOLD_REPEAT)
		fill(scan, true);
	else
		fill(scan, false);
	scan->chunk.words[scan->chunk.count] = 0;
	return scan->pos < scan->end;
}
