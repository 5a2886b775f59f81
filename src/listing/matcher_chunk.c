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

/* Begins a scan. */
void
qg_chunk_begin(Scan *scan, const QgMatcher *matcher, const char *text, size_t length)
{
	Chunk *chunk = &scan->chunk;
	size_t capacity = Min(length, QG_CHUNK_TEXT) + matcher->header->longest + QG_CHUNK_SLACK + 7;
	uint32 *block = scan->local;

	if (capacity > QG_CHUNK_LOCAL)
		block = palloc_extended(mul_size(capacity, 3 * sizeof(uint32)), MCXT_ALLOC_HUGE);
	/* A word of no symbol stands before the first. */
	block[0] = QG_SINGLE;
	chunk->capacity = (uint32) capacity - 1;
	chunk->words = block + 1;
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
	scan->floor = scan->text;
	scan->floor_state = 0;
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
	if (scan->chunk.words != scan->local + 1)
		pfree(scan->chunk.words - 1);
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
}

/* Tells whether a word of the text prolongs the run of the word before it. */
static inline bool
prolongs(uint32 word, uint32 last)
{
	return ((word ^ last) & QG_SYMBOL_MASK) == 0 && !(word & QG_SINGLE) &&
		   (!(word & QG_BROKEN) || !(word & (QG_WORD | QG_NUMERAL)));
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

	if (repeat && prolongs(word, chunk->words[(int32) n - 1]))
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

	qg_fold_seek(fold, scan->pos - scan->text, (state & QG_DROPPED) != 0, (state & QG_BROKEN) != 0,
				 (state & (QG_WORD | QG_NUMERAL)) != 0, (state & QG_NUMERAL) != 0);
	(void) qg_fold_segment(fold);
	while (qg_fold_rest(fold, &folded, &class))
	{
		uint32 word = qg_matcher_symbol(scan->matcher, folded.codepoint);

		if ((class & QG_CHAR_DIGIT) || word == 0)
			word |= QG_SINGLE;
		if (folded.word)
			word |= folded.numeral ? QG_NUMERAL : QG_WORD;
		if (folded.joined)
			word |= folded.numeral ? QG_JOINED_NUMERAL : QG_JOINED;
		if (folded.broken)
			word |= QG_BROKEN;
		push(&scan->chunk, word, scan->text + folded.byte_first, repeat);
	}
	scan->pos = fold->pos;
	scan->state = (fold->broken ? QG_BROKEN : 0) | (fold->base_dropped ? QG_DROPPED : 0);
	if (fold->in_word && !fold->broken)
		scan->state |= fold->numeral ? QG_NUMERAL : QG_WORD;
}

/* Steps back to the visible character before a position and reads its word; NULL at the floor. */
static const unsigned char *
step_back(const Scan *scan, const unsigned char *pos, uint32 *word)
{
	while (pos > scan->floor)
	{
		int length;

		CHECK_FOR_INTERRUPTS();
		do
			pos--;
		while (pos > scan->floor && (*pos & 0xC0) == 0x80);
		*word = word_of(scan->matcher, qg_fold_decode(pos, scan->end, &length));
		if (!(*word & QG_HIDDEN))
			return pos;
	}
	return NULL;
}

/* Takes back what was made of the visible character before the current one, if it stood alone. */
static void
take_back(Scan *scan)
{
	Chunk *chunk = &scan->chunk;
	uint32 word;
	const unsigned char *before = step_back(scan, scan->pos, &word);

	if (before == NULL)
		return;
	if (!(word & QG_BROKEN))
	{
		if (chunk->places[chunk->count - 1] == (uint32) (uintptr_t) before)
			chunk->count--;
		else if (--chunk->runs[chunk->count - 1] == 1)
			chunk->words[chunk->count - 1] &= ~QG_LONG;
	}
	scan->pos = before;
	if (step_back(scan, before, &word) == NULL)
		scan->state = scan->floor_state;
	else
		scan->state = word;
}

/*
 * Folds the segment at the current position, and those that follow it without a boundary; where the
 * character there belongs to the segment before, from where that one begins.
 */
static void
fill_hard(Scan *scan, bool inside, bool repeat)
{
	QgFoldScan fold;
	Chunk *chunk = &scan->chunk;

	if (inside)
		take_back(scan);
	qg_fold_begin(&fold, scan->matcher->header->folds & ~QG_FOLD_REPEAT, (const char *) scan->text,
				  scan->end - scan->text);
	do
		fill_segment(scan, &fold, repeat);
	while (chunk->count < chunk->capacity - QG_CHUNK_SLACK && continues(scan));
	scan->floor = scan->pos;
	scan->floor_state = scan->state;
}

/*
 * Folds characters that stand alone up to limit, or to the first that does not; each gives one word
 * at most.  With `whole` three bytes can be read at every place before limit.  This loop takes most of the time of a scan: what changes with each character is kept in
 * registers, the table's words are made so that little is left to do with them, and spaces and
 * punctuation, which come when nobody expects them, meet no branch.
 */
static pg_attribute_always_inline void
fill_plain(Scan *scan, const unsigned char *limit, const bool whole, const bool repeat)
{
	const uint32 *flat = scan->matcher->flat;
	const unsigned char *pos = scan->pos;
	uint32 *words = scan->chunk.words;
	uint32 *places = scan->chunk.places;
	size_t n = scan->chunk.count;
	uint32 state = scan->state;

	while (pos < limit)
	{
		const unsigned char *next;
		uint32 word;

		if (pos[0] < 0x80)
		{
			word = flat[pos[0]];
			next = pos + 1;
		}
		else if ((unsigned char) (pos[0] - 0xE0) < 0x10 && whole)
		{
			/* What the three bytes have beside the code point is taken off at once. */
			word = flat[(int) ((pos[0] << 12) + (pos[1] << 6) + pos[2]) - 0xE2080];
			next = pos + 3;
		}
		else
		{
			int length;

			word = word_of(scan->matcher, qg_fold_decode(pos, scan->end, &length));
			next = pos + length;
		}
		if (unlikely(word & (QG_HIDDEN | QG_HARD | QG_CONTINUES)))
			break;

		/* Of one word: both of words, or both Han numerals, with nothing dropped between them. */
		words[n] = word | (state & QG_BROKEN) | ((word & state & (QG_WORD | QG_NUMERAL)) << 4);
		places[n] = (uint32) (uintptr_t) pos;
		pos = next;
		state = word;
		if (repeat &&
			unlikely((((word ^ words[(ssize_t) n - 1]) & QG_SYMBOL_MASK) | (word & QG_SINGLE)) ==
					 0) &&
			prolongs(words[n], words[(ssize_t) n - 1]))
			prolong(&scan->chunk, (uint32) n - 1);
		else
			n += 1 - (word >> 24 & 1);
	}
	scan->pos = pos;
	scan->state = state;
	scan->chunk.count = (uint32) n;
}

/* Fills the chunk, with or without runs. */
static pg_attribute_always_inline void
fill(Scan *scan, const bool repeat)
{
	uint32 stop = scan->chunk.capacity - QG_CHUNK_SLACK - 1;

	while (scan->pos < scan->end && scan->chunk.count < stop)
	{
		size_t room = stop - scan->chunk.count;
		const unsigned char *limit = (size_t) (scan->end - scan->pos) < room ? scan->end
																			 : scan->pos + room;
		uint32 word;
		int length;

		/* What is dropped fills no chunk. */
		CHECK_FOR_INTERRUPTS();
		if (limit - scan->pos > 2)
			fill_plain(scan, Min(limit, scan->end - 2), true, repeat);
		if (scan->end - scan->pos <= 2)
			fill_plain(scan, limit, false, repeat);
		if (scan->pos >= limit)
			continue;
		word = word_of(scan->matcher, qg_fold_decode(scan->pos, scan->end, &length));
		if (word & QG_HIDDEN)
			scan->pos += length;
		else
			fill_hard(scan, (word & QG_CONTINUES) != 0, repeat);
	}
}

StaticAssertDecl(QG_JOINED == QG_WORD << 4 && QG_JOINED_NUMERAL == QG_NUMERAL << 4 &&
					 QG_BROKEN == 1 << 24,
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
	scan->chunk.words[scan->chunk.count + 1] = 0;
	return scan->pos < scan->end;
}
