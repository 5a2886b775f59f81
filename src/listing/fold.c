/*
 * fold.c
 *		Folds UTF-8 text to the code points that matching compares.
 *
 * A dictionary's terms and the text pass the same folding, so that spellings which a reader takes
 * for the same give the same code points.  Every code point given out carries its span in the
 * original, so that a hit can be shown where it stands.
 *
 * Stages:
 *
 * 1. The text is cut into segments at normalisation boundaries, so that a base and its combining
 *	  marks (or the jamo of a syllable) are seen together.  With `invisible`, default-ignorable
 *	  characters are looked through here: they neither cut a segment nor belong to one.  A run of
 *	  more than QG_SEGMENT_MAX code points without a boundary is cut where it reaches that length.
 * 2. A segment is mapped (fold_map.c): numbers, look-alikes and width forms one by one, then the
 *	  whole is normalised and case-folded, then traditional characters are simplified.  The mapping
 *	  of a segment of one code point to one code point is remembered in a table, which is all that
 *	  most text ever needs.
 * 3. What came out is dropped or given out: `separator` drops punctuation, spaces, symbols and
 *	  emoji, together with marks that stand upon them; `invisible` drops control characters.
 * 4. With `repeat`, equal code points that follow each other are given out once, with their number.
 *	  Decimal digits are not: 100 is no 10.  Nor are Latin letters with something between them.
 *
 * Example, all folds:	"Ｓ.e\u0301x\u200B①" gives s é x 1; é stands for characters 3 to 4, x follows é
 * in one word; e continues no word, since a full stop was dropped before it.
 *
 * A control character such as a line feed ends a word although `invisible` drops it; a
 * default-ignorable one does not, since nobody sees it: "Smo\u200Bking" stays one word.  A digit for a
 * Han numeral and one written as a digit are not of one word: 一 does not begin a number in 第一3C店.
 */
#include "quality_gov.h"

#include "utils/memutils.h"

#include "listing/fold.h"
#include "listing/fold_map.h"

#define PAGE_SIZE 256
#define PAGE_COUNT (0x110000 / PAGE_SIZE)
#define PAGES_MAX 8192 /* of all masks together, 2 kB each */

/* A code point that gives several or none. */
#define EXPANSIONS 64
#define EXPANSION_KEPT 4

typedef struct Expansion
{
	uint32 codepoint; /* 0 where there is none yet */
	int nout;
	uint32 out[EXPANSION_KEPT];
} Expansion;

/* The tables of one mask of folds, filled as code points turn up; kept for the backend's life. */
struct QgFolder
{
	uint32 folds;
	Expansion expansions[EXPANSIONS]; /* by code point, the last that came to each place */
	QgFoldEntry *pages[PAGE_COUNT];
};

static QgFolder *folders[QG_FOLD_ALL + 1];
static MemoryContext folder_context = NULL;
static uint32 npages = 0;

static const char *const fold_names[QG_FOLD_COUNT] = {
	"nfkc", "case", "width", "invisible", "script", "confusable", "digit", "separator", "repeat"};

/* Gives the name of the fold with the given bit number. */
const char *
qg_fold_name(int bit)
{
	return fold_names[bit];
}

/* Gives the mask of the fold with the given name; any other name is an error. */
uint32
qg_fold_by_name(const char *name)
{
	for (int i = 0; i < QG_FOLD_COUNT; i++)
		if (strcmp(name, fold_names[i]) == 0)
			return 1 << i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown fold \"%s\"", name),
			 errhint("The folds are \"nfkc\", \"case\", \"width\", \"invisible\", \"script\", "
					 "\"confusable\", \"digit\", \"separator\" and \"repeat\".")));
	return 0;
}

/* Writes a code point as UTF-8 and returns the number of bytes, at most 4. */
int
qg_codepoint_to_utf8(uint32 codepoint, char *out)
{
	if (codepoint < 0x80)
	{
		out[0] = (char) codepoint;
		return 1;
	}
	if (codepoint < 0x800)
	{
		out[0] = (char) (0xC0 | (codepoint >> 6));
		out[1] = (char) (0x80 | (codepoint & 0x3F));
		return 2;
	}
	if (codepoint < 0x10000)
	{
		out[0] = (char) (0xE0 | (codepoint >> 12));
		out[1] = (char) (0x80 | ((codepoint >> 6) & 0x3F));
		out[2] = (char) (0x80 | (codepoint & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | (codepoint >> 18));
	out[1] = (char) (0x80 | ((codepoint >> 12) & 0x3F));
	out[2] = (char) (0x80 | ((codepoint >> 6) & 0x3F));
	out[3] = (char) (0x80 | (codepoint & 0x3F));
	return 4;
}

/*
 * Reads the code point at pos, before end, and sets its length.  A byte that begins no complete
 * sequence, which the server never stores, reads as U+FFFD.
 */
uint32
qg_fold_decode(const unsigned char *pos, const unsigned char *end, int *length)
{
	uint32 c = pos[0];
	int need;

	if (c < 0x80)
	{
		*length = 1;
		return c;
	}
	need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
	*length = 1;
	if (c < 0xC2 || c > 0xF4 || end - pos < need)
		return 0xFFFD;
	c &= 0x7F >> need;
	for (int i = 1; i < need; i++)
	{
		if ((pos[i] & 0xC0) != 0x80)
			return 0xFFFD;
		c = (c << 6) | (pos[i] & 0x3F);
	}
	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0xFFFD;
	*length = need;
	return c;
}

/* Finds out what a mask of folds does with a code point that stands alone. */
void
qg_fold_learn(uint32 folds, uint32 codepoint, QgFoldEntry *entry)
{
	uint32 out[QG_SEGMENT_MAX * QG_EXPANSION_MAX];

	entry->class = (uint8) qg_char_class(codepoint);
	entry->flags = QG_ENTRY_KNOWN;
	entry->codepoint = codepoint;
	if ((entry->class & QG_CHAR_IGNORABLE) && !(entry->class & QG_CHAR_SEPARATOR))
		entry->flags |= QG_ENTRY_HIDDEN;
	else if (qg_fold_map(folds, &codepoint, 1, out) == 1)
	{
		entry->codepoint = out[0] & ~QG_MAP_NUMERAL;
		if (out[0] & QG_MAP_NUMERAL)
			entry->flags |= QG_ENTRY_NUMERAL;
	}
	else
		entry->flags |= QG_ENTRY_MANY;
	if (qg_char_starts_segment(codepoint))
		entry->flags |= QG_ENTRY_STARTS;
}

/* Gives what is known of a code point, good until a few others have been asked about. */
static inline const QgFoldEntry *
lookup(QgFolder *folder, uint32 codepoint)
{
	QgFoldEntry *page = folder->pages[codepoint / PAGE_SIZE];
	QgFoldEntry *entry;

	if (unlikely(page == NULL))
	{
		static QgFoldEntry passing[4];
		static uint32 npassing = 0;

		/* Texts of all planes under many masks must not fill the memory. */
		if (npages == PAGES_MAX)
		{
			entry = &passing[npassing++ % lengthof(passing)];
			qg_fold_learn(folder->folds, codepoint, entry);
			return entry;
		}
		page = MemoryContextAllocZero(folder_context, PAGE_SIZE * sizeof(QgFoldEntry));
		folder->pages[codepoint / PAGE_SIZE] = page;
		npages++;
	}
	entry = &page[codepoint % PAGE_SIZE];
	if (unlikely(!(entry->flags & QG_ENTRY_KNOWN)))
		qg_fold_learn(folder->folds, codepoint, entry);
	return entry;
}

/* Gives the tables of a mask of folds. */
static QgFolder *
get_folder(uint32 folds)
{
	/* Runs are told from what the tables give; they have no part in them. */
	folds &= ~QG_FOLD_REPEAT;
	Assert(folds <= QG_FOLD_ALL);
	if (folder_context == NULL)
		folder_context = AllocSetContextCreate(TopMemoryContext, "quality_gov fold tables",
											   ALLOCSET_DEFAULT_SIZES);
	if (folders[folds] == NULL)
	{
		QgFolder *folder = MemoryContextAllocZero(folder_context, sizeof(QgFolder));

		folder->folds = folds;
		folders[folds] = folder;
	}
	return folders[folds];
}

/* Begins a pass over a text. */
void
qg_fold_begin(QgFoldScan *scan, uint32 folds, const char *text, size_t length)
{
	Assert(length <= MaxAllocSize);
	scan->folder = get_folder(folds);
	scan->repeat = (folds & QG_FOLD_REPEAT) != 0;
	scan->text = scan->pos = (const unsigned char *) text;
	scan->end = scan->text + length;
	scan->character = 1;
	scan->base_dropped = false;
	scan->broken = false;
	scan->in_word = false;
	scan->numeral = false;
	scan->have_ahead = false;
	scan->nout = 0;
	scan->nextout = 0;
}

/* Goes on at a byte of the text where a segment begins, with what is known of what stands before. */
void
qg_fold_seek(QgFoldScan *scan, size_t byte, bool base_dropped, bool broken, bool in_word,
			 bool numeral)
{
	scan->pos = scan->text + byte;
	scan->base_dropped = base_dropped;
	scan->broken = broken;
	scan->in_word = in_word;
	scan->numeral = numeral;
	scan->have_ahead = false;
	scan->nout = scan->nextout = 0;
}

/* Moves past a character that was read. */
static inline void
advance(QgFoldScan *scan, int length)
{
	scan->pos += length;
	scan->character++;
}

/* Tells whether the next character, if any, begins a segment of its own. */
static inline bool
at_segment_start(QgFoldScan *scan)
{
	const QgFoldEntry *entry;
	int length;

	if (scan->pos >= scan->end)
		return true;
	if (*scan->pos < 0x80 && *scan->pos >= 0x20)
		return true;
	entry = lookup(scan->folder, qg_fold_decode(scan->pos, scan->end, &length));
	if (entry->flags & QG_ENTRY_HIDDEN)
		return !(scan->folder->folds & QG_FOLD_INVISIBLE);
	return (entry->flags & QG_ENTRY_STARTS) != 0;
}

/* Maps a code point that gives several, from memory where it turned up lately. */
static int
map_remembered(QgFolder *folder, uint32 codepoint, uint32 *out)
{
	Expansion *known = &folder->expansions[codepoint % EXPANSIONS];

	if (known->codepoint != codepoint || codepoint == 0)
	{
		int nout = qg_fold_map(folder->folds, &codepoint, 1, out);

		if (nout > EXPANSION_KEPT)
			return nout;
		known->codepoint = codepoint;
		known->nout = nout;
		memcpy(known->out, out, nout * sizeof(uint32));
	}
	memcpy(out, known->out, known->nout * sizeof(uint32));
	return known->nout;
}

/*
 * Reads the rest of a segment whose first character has been read and maps it.  Invisible
 * characters after the segment's last visible one are left unread, for the next segment to skip.
 */
static void
read_segment(QgFoldScan *scan, uint32 first)
{
	uint32 segment[QG_SEGMENT_MAX];
	int count = 1;
	const unsigned char *pos = scan->pos;
	int32 character = scan->character;

	segment[0] = first;
	while (pos < scan->end && count < QG_SEGMENT_MAX)
	{
		int length;
		uint32 c = qg_fold_decode(pos, scan->end, &length);
		const QgFoldEntry *entry = lookup(scan->folder, c);

		CHECK_FOR_INTERRUPTS();
		pos += length;
		character++;
		if (entry->flags & QG_ENTRY_HIDDEN)
		{
			if (!(scan->folder->folds & QG_FOLD_INVISIBLE))
				break;
			continue;
		}
		if (entry->flags & QG_ENTRY_STARTS)
			break;
		segment[count++] = c;
		scan->pos = pos;
		scan->character = character;
	}
	if (count == 1)
		scan->nout = map_remembered(scan->folder, first, scan->out);
	else
		scan->nout = qg_fold_map(scan->folder->folds, segment, count, scan->out);
}

/* Reads and maps the next segment; tells whether there was one. */
bool
qg_fold_segment(QgFoldScan *scan)
{
	const QgFoldEntry *entry;
	uint32 c;
	int length;

	for (;;)
	{
		if (scan->pos >= scan->end)
			return false;
		c = qg_fold_decode(scan->pos, scan->end, &length);
		entry = lookup(scan->folder, c);
		if (!(entry->flags & QG_ENTRY_HIDDEN) || !(scan->folder->folds & QG_FOLD_INVISIBLE))
			break;
		CHECK_FOR_INTERRUPTS();
		advance(scan, length);
	}

	scan->place.first = scan->character;
	scan->place.byte_first = (int32) (scan->pos - scan->text);
	scan->nextout = 0;
	advance(scan, length);
	if ((entry->flags & QG_ENTRY_HIDDEN) ||
		(!(entry->flags & QG_ENTRY_MANY) && at_segment_start(scan)))
	{
		scan->out[0] = entry->codepoint;
		if (entry->flags & QG_ENTRY_NUMERAL)
			scan->out[0] |= QG_MAP_NUMERAL;
		scan->nout = 1;
	}
	else
		read_segment(scan, c);
	scan->place.end = scan->character;
	scan->place.byte_end = (int32) (scan->pos - scan->text);
	return true;
}

/* Drops a code point of the given class where a fold says so; tells whether it did. */
static inline bool
drop(QgFoldScan *scan, uint8 class)
{
	uint32 folds = scan->folder->folds;

	if ((class & QG_CHAR_IGNORABLE) && (folds & QG_FOLD_INVISIBLE))
	{
		if (!(class & QG_CHAR_SEPARATOR))
			return true;
	}
	else if ((class & QG_CHAR_SEPARATOR) && (folds & QG_FOLD_SEPARATOR))
		;
	else
		return (class & QG_CHAR_MARK) && scan->base_dropped;
	scan->broken = true;
	scan->base_dropped = (folds & QG_FOLD_SEPARATOR) != 0;
	return true;
}

/*
 * Gives the next code point of the segment that was read, before runs are joined, and its class;
 * tells whether there was one.
 */
bool
qg_fold_rest(QgFoldScan *scan, QgFoldedChar *folded, uint8 *class)
{
	while (scan->nextout < scan->nout)
	{
		uint32 c = scan->out[scan->nextout++];
		bool mark;

		*folded = scan->place;
		folded->codepoint = c & ~QG_MAP_NUMERAL;
		*class = lookup(scan->folder, folded->codepoint)->class;
		if (drop(scan, *class))
			continue;

		mark = (*class & QG_CHAR_MARK) && scan->in_word && !(*class & QG_CHAR_IGNORABLE) &&
			   !scan->broken;
		folded->run = 1;
		folded->broken = scan->broken;
		folded->word = (*class & QG_CHAR_WORD) || mark;
		folded->numeral = mark ? scan->numeral : (c & QG_MAP_NUMERAL) != 0;
		folded->joined = folded->word && scan->in_word && !scan->broken &&
						 folded->numeral == scan->numeral;
		scan->in_word = folded->word;
		scan->numeral = folded->numeral;
		scan->base_dropped = false;
		scan->broken = false;
		return true;
	}
	return false;
}

/* Gives the next code point, before runs are joined; tells whether there was one. */
static bool
next_single(QgFoldScan *scan, QgFoldedChar *folded, uint8 *class)
{
	while (!qg_fold_rest(scan, folded, class))
		if (!qg_fold_segment(scan))
			return false;
	return true;
}

/* Gives the next code point of the folded text; tells whether there was one. */
bool
qg_fold_next(QgFoldScan *scan, QgFoldedChar *folded)
{
	uint8 class;

	if (scan->have_ahead)
		*folded = scan->ahead;
	else if (!next_single(scan, folded, &class))
		return false;
	scan->have_ahead = false;
	if (!scan->repeat)
		return true;
	while (next_single(scan, &scan->ahead, &class))
	{
		if (scan->ahead.codepoint != folded->codepoint || (class & QG_CHAR_DIGIT) ||
			(scan->ahead.broken && scan->ahead.word))
		{
			scan->have_ahead = true;
			break;
		}
		CHECK_FOR_INTERRUPTS();
		folded->run++;
		folded->end = scan->ahead.end;
		folded->byte_end = scan->ahead.byte_end;
	}
	return true;
}
