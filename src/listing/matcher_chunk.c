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

#define KEPT (QG_SYMBOL_MASK | QG_WORD | QG_NUMERAL | QG_DIGIT)

/* Begins a scan. */
void
qg_chunk_begin(Scan *scan, const QgMatcher *matcher, const char *text, size_t length)
{
	Chunk *chunk = &scan->chunk;
	size_t capacity = Min(length, QG_CHUNK_TEXT) + matcher->header->longest + QG_CHUNK_SLACK + 4;
	uint32 *block = scan->local;

	if (capacity > QG_CHUNK_LOCAL)
		block = palloc_extended(mul_size(capacity, 2 * sizeof(uint32) + sizeof(uint16)),
								MCXT_ALLOC_HUGE);
	chunk->capacity = (uint32) capacity;
	chunk->words = block;
	chunk->places = block + capacity;
	chunk->runs = (uint16 *) (block + 2 * capacity);
	chunk->count = 0;
	chunk->next = 0;
	chunk->origin = 0;
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
	scan->last_byte_end = 0;
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

	chunk->count -= shift;
	memmove(chunk->words, chunk->words + shift, chunk->count * sizeof(uint32));
	memmove(chunk->places, chunk->places + shift, chunk->count * sizeof(uint32));
	if (scan->matcher->header->folds & QG_FOLD_REPEAT)
		memmove(chunk->runs, chunk->runs + shift, chunk->count * sizeof(uint16));
	chunk->origin += shift;
	chunk->next = 0;
	scan->before.count -= shift;
}

/* Adds a word to the chunk; with repeat, one that prolongs a run to the run: tells whether it did. */
static inline bool
push(Chunk *chunk, uint32 word, uint32 place, bool repeat)
{
	uint32 n = chunk->count;

	if (repeat)
	{
		if (n > 0 && (word & QG_SYMBOL_MASK) != 0 &&
			((word ^ chunk->words[n - 1]) & QG_SYMBOL_MASK) == 0 && !(word & QG_DIGIT) &&
			(word & (QG_BROKEN | QG_WORD)) != (QG_BROKEN | QG_WORD))
		{
			if (chunk->runs[n - 1] < PG_UINT16_MAX)
				chunk->runs[n - 1]++;
			return true;
		}
		chunk->runs[n] = 1;
	}
	chunk->words[n] = word;
	chunk->places[n] = place;
	chunk->count = n + 1;
	return false;
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
				((class & QG_CHAR_DIGIT) ? QG_DIGIT : 0);
		(void) push(&scan->chunk, word, (uint32) folded.byte_first, repeat);
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
		scan->pos = scan->before.pos;
		scan->state = scan->before.state;
		chunk->count = scan->before.count;
		if (scan->before.grown)
			chunk->runs[chunk->count - 1]--;
	}
	scan->before.pos = NULL;
	qg_fold_begin(&fold, scan->matcher->header->folds & ~QG_FOLD_REPEAT, (const char *) scan->text,
				  scan->end - scan->text);
	do
		fill_segment(scan, &fold, repeat);
	while (chunk->count < chunk->capacity - QG_CHUNK_SLACK && continues(scan));
}

/* Reads a character's word from the table and sets its length. */
static inline uint32
read_word(const QgMatcher *m, const unsigned char *pos, const unsigned char *end, int *length)
{
	if (pos[0] < 0x80)
	{
		*length = 1;
		return m->flat[pos[0]];
	}
	if (pos[0] >= 0xE0 && pos[0] < 0xF0 && end - pos >= 3)
	{
		*length = 3;
		return m->flat[((pos[0] & 0x0F) << 12) | ((pos[1] & 0x3F) << 6) | (pos[2] & 0x3F)];
	}
	return word_of(m, qg_fold_decode(pos, end, length));
}

/* Fills the chunk, with or without runs. */
static inline void
fill(Scan *scan, const bool repeat)
{
	const QgMatcher *m = scan->matcher;
	const unsigned char *end = scan->end;
	Chunk *chunk = &scan->chunk;
	uint32 stop = chunk->capacity - QG_CHUNK_SLACK - 1;

	while (scan->pos < end && chunk->count < stop)
	{
		const unsigned char *pos = scan->pos;
		uint32 state = scan->state;
		int length;
		uint32 word = read_word(m, pos, end, &length);

		if (unlikely(word & (QG_HIDDEN | QG_HARD | QG_CONTINUES)))
		{
			if (word & QG_HIDDEN)
				scan->pos = pos + length;
			else
				fill_hard(scan, (word & QG_CONTINUES) != 0, repeat);
			continue;
		}
		scan->before.pos = pos;
		scan->before.count = chunk->count;
		scan->before.state = state;
		scan->before.grown = false;
		scan->pos = pos + length;
		if (word & QG_BROKEN)
		{
			scan->state = QG_BROKEN | QG_HIDDEN;
			continue;
		}
		scan->state = word & (QG_WORD | QG_NUMERAL);
		/* Of one word: both of words, both or neither Han numerals; nothing dropped between them. */
		word = (word & KEPT) | (state & QG_BROKEN) |
			   ((word & state & ~((word ^ state) >> 1) & QG_WORD) << 4);
		scan->before.grown = push(chunk, word, (uint32) (pos - scan->text), repeat);
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
