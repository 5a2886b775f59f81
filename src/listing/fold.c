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
 * 2. A segment is mapped: `width` replaces the forms of U+FF00 to U+FFEF and the ideographic space
 *	  one by one, `nfkc` normalises, `case` folds case (`nfkc` and `case` together are Unicode's
 *	  NFKC_Casefold).  The mapping of a segment of one code point to one code point is remembered
 *	  in a table, which is all that most text ever needs.
 * 3. What came out is dropped or given out: `separator` drops punctuation, spaces, symbols and
 *	  emoji, together with marks that stand upon them; `invisible` drops control characters.
 *
 * Example, all folds:	"Ｓ.e\u0301x\u200B①" gives s é x 1; é stands for characters 3 to 4, x follows é
 * in one word; e continues no word, since a full stop was dropped before it.
 *
 * A control character such as a line feed ends a word although `invisible` drops it; a
 * default-ignorable one does not, since nobody sees it: "Smo\u200Bking" stays one word.
 */
#include "quality_gov.h"

#include "utils/memutils.h"

#include "listing/fold.h"

/* What is remembered of a code point under one mask of folds. */
typedef struct FoldEntry
{
	uint32 codepoint; /* what it maps to when it stands alone and gives one code point */
	uint8 class;	  /* its own properties, QG_CHAR_* */
	uint8 folds;	  /* folds that changed it */
	bool known;
	uint8 flags;
} FoldEntry;

#define ENTRY_STARTS 0x01 /* normalisation never looks from before it into it */
#define ENTRY_MANY 0x02	  /* it maps to several code points or to none */
#define ENTRY_HIDDEN 0x04 /* default-ignorable: nobody sees it */

#define PAGE_SIZE 256
#define PAGE_COUNT (0x110000 / PAGE_SIZE)

/* The tables of one mask of folds, filled as code points turn up; kept for the backend's life. */
struct QgFolder
{
	uint32 folds;
	FoldEntry *pages[PAGE_COUNT];
};

static QgFolder *folders[QG_FOLD_ALL + 1];
static MemoryContext folder_context = NULL;

static const char *const fold_names[QG_FOLD_COUNT] = {"nfkc", "case", "width", "invisible",
													  "separator"};

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
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown fold \"%s\"", name),
					errhint("The folds are \"nfkc\", \"case\", \"width\", \"invisible\" and "
							"\"separator\".")));
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
static inline uint32
decode(const unsigned char *pos, const unsigned char *end, int *length)
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

/* Tells whether `width` maps a code point: these forms have one narrow or wide twin each. */
static inline bool
is_width_form(uint32 c)
{
	return (c >= 0xFF00 && c <= 0xFFEF) || c == 0x3000;
}

/* Tells whether a code point is a sign beside a name and not letters: trade mark, service mark. */
static inline bool
is_mark_sign(uint32 c)
{
	return c == 0x2122 || c == 0x2120;
}

static bool
same(const uint32 *a, int na, const uint32 *b, int nb)
{
	return na == nb && memcmp(a, b, na * sizeof(uint32)) == 0;
}

/*
 * Maps a segment without invisible characters; returns the number of code points written to out,
 * which has room for the longest expansion, and sets the folds that changed something.
 */
static int
map_segment(uint32 folds, const uint32 *in, int nin, uint32 *out, uint8 *changed)
{
	uint32 base[QG_SEGMENT_MAX];
	uint32 plain[QG_SEGMENT_MAX * QG_EXPANSION_MAX];
	int nplain;
	int nout;

	*changed = 0;
	memcpy(base, in, nin * sizeof(uint32));
	if (!((folds & QG_FOLD_SEPARATOR) && is_mark_sign(in[0])))
	{
		for (int i = 0; (folds & QG_FOLD_WIDTH) && i < nin; i++)
			if (is_width_form(in[i]) && qg_text_nfkc(&in[i], 1, &base[i], 1) == 1 &&
				base[i] != in[i])
				*changed |= QG_FOLD_WIDTH;
		if (folds & QG_FOLD_NFKC)
		{
			nplain = qg_text_nfkc(base, nin, plain, lengthof(plain));
			if (!same(base, nin, plain, nplain))
				*changed |= QG_FOLD_NFKC;
			if (!(folds & QG_FOLD_CASE))
			{
				memcpy(out, plain, nplain * sizeof(uint32));
				return nplain;
			}
			nout = qg_text_nfkc_casefold(base, nin, out, lengthof(plain));
			if (!same(plain, nplain, out, nout))
				*changed |= QG_FOLD_CASE;
			return nout;
		}
		if (folds & QG_FOLD_CASE)
		{
			nout = qg_text_casefold(base, nin, out, lengthof(plain));
			if (!same(base, nin, out, nout))
				*changed |= QG_FOLD_CASE;
			return nout;
		}
	}
	memcpy(out, base, nin * sizeof(uint32));
	return nin;
}

/* Learns a code point. */
static void
fill_entry(uint32 folds, FoldEntry *entry, uint32 codepoint)
{
	uint32 out[QG_SEGMENT_MAX * QG_EXPANSION_MAX];

	entry->class = (uint8) qg_char_class(codepoint);
	entry->flags = 0;
	entry->folds = 0;
	entry->codepoint = codepoint;
	if ((entry->class & QG_CHAR_IGNORABLE) && !(entry->class & QG_CHAR_SEPARATOR))
		entry->flags |= ENTRY_HIDDEN;
	else if (map_segment(folds, &codepoint, 1, out, &entry->folds) == 1)
		entry->codepoint = out[0];
	else
		entry->flags |= ENTRY_MANY;
	if (qg_char_starts_segment(codepoint))
		entry->flags |= ENTRY_STARTS;
	entry->known = true;
}

/* Gives what is known of a code point. */
static inline const FoldEntry *
lookup(QgFolder *folder, uint32 codepoint)
{
	FoldEntry *page = folder->pages[codepoint / PAGE_SIZE];
	FoldEntry *entry;

	if (unlikely(page == NULL))
	{
		page = MemoryContextAllocZero(folder_context, PAGE_SIZE * sizeof(FoldEntry));
		folder->pages[codepoint / PAGE_SIZE] = page;
	}
	entry = &page[codepoint % PAGE_SIZE];
	if (unlikely(!entry->known))
		fill_entry(folder->folds, entry, codepoint);
	return entry;
}

/* Begins a pass over a text. */
void
qg_fold_begin(QgFoldScan *scan, uint32 folds, const char *text, size_t length)
{
	Assert(folds <= QG_FOLD_ALL);
	Assert(length <= MaxAllocSize);
	if (folder_context == NULL)
		folder_context = AllocSetContextCreate(TopMemoryContext, "quality_gov fold tables",
											   ALLOCSET_DEFAULT_SIZES);
	if (folders[folds] == NULL)
	{
		QgFolder *folder = MemoryContextAllocZero(folder_context, sizeof(QgFolder));

		folder->folds = folds;
		folders[folds] = folder;
	}
	scan->folder = folders[folds];
	scan->text = scan->pos = (const unsigned char *) text;
	scan->end = scan->text + length;
	scan->character = 1;
	scan->base_dropped = false;
	scan->broken = false;
	scan->in_word = false;
	scan->skipped = 0;
	scan->nout = 0;
	scan->nextout = 0;
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
	const FoldEntry *entry;
	int length;

	if (scan->pos >= scan->end)
		return true;
	if (*scan->pos < 0x80 && *scan->pos >= 0x20)
		return true;
	entry = lookup(scan->folder, decode(scan->pos, scan->end, &length));
	if (entry->flags & ENTRY_HIDDEN)
		return !(scan->folder->folds & QG_FOLD_INVISIBLE);
	return (entry->flags & ENTRY_STARTS) != 0;
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
	bool hidden = false;
	const unsigned char *pos = scan->pos;
	int32 character = scan->character;
	uint8 changed;

	segment[0] = first;
	while (pos < scan->end && count < QG_SEGMENT_MAX)
	{
		int length;
		uint32 c = decode(pos, scan->end, &length);
		const FoldEntry *entry = lookup(scan->folder, c);

		CHECK_FOR_INTERRUPTS();
		pos += length;
		character++;
		if (entry->flags & ENTRY_HIDDEN)
		{
			if (!(scan->folder->folds & QG_FOLD_INVISIBLE))
				break;
			hidden = true;
			continue;
		}
		if (entry->flags & ENTRY_STARTS)
			break;
		segment[count++] = c;
		scan->pos = pos;
		scan->character = character;
		if (hidden)
			scan->place.folds |= QG_FOLD_INVISIBLE;
		hidden = false;
	}
	scan->nout = map_segment(scan->folder->folds, segment, count, scan->out, &changed);
	scan->place.folds |= changed;
}

/* Reads and maps the next segment; tells whether there was one. */
static bool
next_segment(QgFoldScan *scan)
{
	uint32 folds = scan->folder->folds;
	const FoldEntry *entry;
	uint32 c;
	int length;

	for (;;)
	{
		if (scan->pos >= scan->end)
			return false;
		c = decode(scan->pos, scan->end, &length);
		entry = lookup(scan->folder, c);
		if (!(entry->flags & ENTRY_HIDDEN) || !(folds & QG_FOLD_INVISIBLE))
			break;
		CHECK_FOR_INTERRUPTS();
		advance(scan, length);
		scan->skipped |= QG_FOLD_INVISIBLE;
	}

	scan->place.first = scan->character;
	scan->place.byte_first = (int32) (scan->pos - scan->text);
	scan->place.folds = 0;
	scan->nextout = 0;
	advance(scan, length);
	if ((entry->flags & ENTRY_HIDDEN) || (!(entry->flags & ENTRY_MANY) && at_segment_start(scan)))
	{
		scan->out[0] = entry->codepoint;
		scan->nout = 1;
		scan->place.folds = entry->folds;
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
		scan->skipped |= QG_FOLD_INVISIBLE;
		if (!(class & QG_CHAR_SEPARATOR))
			return true;
	}
	else if ((class & QG_CHAR_SEPARATOR) && (folds & QG_FOLD_SEPARATOR))
		scan->skipped |= QG_FOLD_SEPARATOR;
	else if ((class & QG_CHAR_MARK) && scan->base_dropped)
	{
		scan->skipped |= QG_FOLD_SEPARATOR;
		return true;
	}
	else
		return false;
	scan->broken = true;
	scan->base_dropped = (folds & QG_FOLD_SEPARATOR) != 0;
	return true;
}

/* Gives the next code point of the folded text; tells whether there was one. */
bool
qg_fold_next(QgFoldScan *scan, QgFoldedChar *folded)
{
	for (;;)
	{
		uint32 c;
		uint8 class;

		if (scan->nextout >= scan->nout)
		{
			scan->nout = scan->nextout = 0;
			if (!next_segment(scan))
				return false;
			continue;
		}
		c = scan->out[scan->nextout++];
		class = lookup(scan->folder, c)->class;
		if (drop(scan, class))
			continue;

		*folded = scan->place;
		folded->codepoint = c;
		folded->skipped = scan->skipped;
		folded->broken = scan->broken;
		folded->word = (class & QG_CHAR_WORD) || ((class & QG_CHAR_MARK) && scan->in_word &&
												  !(class & QG_CHAR_IGNORABLE) && !scan->broken);
		folded->joined = folded->word && scan->in_word && !scan->broken;
		scan->in_word = folded->word;
		scan->base_dropped = false;
		scan->broken = false;
		scan->skipped = 0;
		return true;
	}
}
