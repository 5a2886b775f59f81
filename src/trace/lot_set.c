/*
 * lot_set.c
 *		A set of lots that knows which of them are new.
 *
 * A walk asks of every link whether its lot was reached before, and wants the lots reached on one
 * level in order.  Lots are numbered by an identity, so that those reached lie close together or
 * not, as history had it.  The set is a hash table of small bitmaps, 512 lots a page: where lots lie
 * close a page of 150 bytes holds hundreds of them, and a lot all on its own costs one page.  A page
 * has two bitmaps: of the lots of earlier levels, and of the level being filled.  Reading the second
 * one off, pages in order, gives the level sorted without ever sorting lots.
 */
#include "quality_gov.h"

#include "port/pg_bitutils.h"

#include "trace/lot_set.h"

#define START_PAGES 64
#define PAGE_BITS 9
#define PAGE_MASK ((1 << PAGE_BITS) - 1)

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE QgLotPlace
#define ST_COMPARE(a, b) ((a)->number < (b)->number ? -1 : (a)->number > (b)->number)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Gives a lot as an unsigned number of the same order. */
static inline uint64
ordered(int64 lot)
{
	return (uint64) lot ^ (UINT64CONST(1) << 63);
}

/* Gives the lot that an ordered number stands for. */
static inline int64
disordered(uint64 number)
{
	return (int64) (number ^ (UINT64CONST(1) << 63));
}

/* Gives the bucket where the search for a page starts. */
static inline uint32
first_bucket(const QgLotSet *set, uint64 number)
{
	return (uint32) ((number * UINT64CONST(0x9E3779B97F4A7C15)) >> set->shift);
}

/* Makes an empty set in the current memory context. */
void
qg_lot_set_init(QgLotSet *set)
{
	memset(set, 0, sizeof(QgLotSet));
	set->context = CurrentMemoryContext;
	set->allocated = START_PAGES;
	set->shift = 64 - (pg_leftmost_one_pos32(START_PAGES) + 1);
	set->pages = palloc(sizeof(QgLotPage) * START_PAGES);
	set->touched = palloc(sizeof(QgLotPlace) * START_PAGES);
	set->buckets = palloc0(sizeof(uint32) * START_PAGES * 2);
	set->level = 1;
}

/* Makes room for twice as many pages. */
static void
grow(QgLotSet *set)
{
	Size allocated = (Size) set->allocated * 2;
	uint32 mask = (uint32) (allocated * 2 - 1);

	if (allocated > PG_UINT32_MAX / 4)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many lots to trace")));
	set->pages = repalloc_huge(set->pages, mul_size(sizeof(QgLotPage), allocated));
	set->touched = repalloc_huge(set->touched, mul_size(sizeof(QgLotPlace), allocated));
	pfree(set->buckets);
	set->buckets = MemoryContextAllocExtended(set->context, sizeof(uint32) * allocated * 2,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	set->allocated = (uint32) allocated;
	set->shift--;
	for (uint32 i = 0; i < set->count; i++)
	{
		uint32 bucket = first_bucket(set, set->pages[i].number);

		while (set->buckets[bucket] != 0)
			bucket = (bucket + 1) & mask;
		set->buckets[bucket] = i + 1;
	}
}

/* Gives the page of a number, NULL where there is none. */
static inline QgLotPage *
find_page(const QgLotSet *set, uint64 number)
{
	uint32 mask = set->allocated * 2 - 1;

	for (uint32 bucket = first_bucket(set, number); set->buckets[bucket] != 0;
		 bucket = (bucket + 1) & mask)
	{
		QgLotPage *page = &set->pages[set->buckets[bucket] - 1];

		if (page->number == number)
			return page;
	}
	return NULL;
}

/* Adds an empty page of a number that has none. */
static QgLotPage *
add_page(QgLotSet *set, uint64 number)
{
	uint32 mask;
	uint32 bucket;
	QgLotPage *page;

	if (set->count == set->allocated)
		grow(set);
	mask = set->allocated * 2 - 1;
	bucket = first_bucket(set, number);
	while (set->buckets[bucket] != 0)
		bucket = (bucket + 1) & mask;
	page = &set->pages[set->count];
	memset(page, 0, sizeof(QgLotPage));
	page->number = number;
	set->buckets[bucket] = ++set->count;
	return page;
}

/* Adds a lot to the level being filled, unless it is in the set; says what it was before. */
QgLotWas
qg_lot_set_add(QgLotSet *set, int64 lot)
{
	uint64 number = ordered(lot) >> PAGE_BITS;
	uint64 bit = UINT64CONST(1) << (lot & 63);
	QgLotPage *page = find_page(set, number);
	QgLotWord *word;

	if (page == NULL)
		page = add_page(set, number);
	word = &page->words[(lot & PAGE_MASK) >> 6];
	if (word->seen & bit)
		return QG_LOT_SEEN;
	if (word->fresh & bit)
		return QG_LOT_FRESH;
	if (page->level != set->level)
	{
		page->level = set->level;
		set->touched[set->ntouched++] = (QgLotPlace){number, (uint32) (page - set->pages)};
	}
	word->fresh |= bit;
	set->nfresh++;
	return QG_LOT_NEW;
}

/* Says whether a lot is in the set. */
bool
qg_lot_set_has(const QgLotSet *set, int64 lot)
{
	const QgLotPage *page = find_page(set, ordered(lot) >> PAGE_BITS);
	const QgLotWord *word;

	if (page == NULL)
		return false;
	word = &page->words[(lot & PAGE_MASK) >> 6];
	return ((word->seen | word->fresh) >> (lot & 63)) & 1;
}

/* Takes a lot out again that was new to the level being filled. */
void
qg_lot_set_remove(QgLotSet *set, int64 lot)
{
	QgLotPage *page = find_page(set, ordered(lot) >> PAGE_BITS);

	page->words[(lot & PAGE_MASK) >> 6].fresh &= ~(UINT64CONST(1) << (lot & 63));
	set->nfresh--;
}

/* Ends a level: gives its lots in order, in an array that is the caller's to free, and starts the next. */
int64 *
qg_lot_set_level(QgLotSet *set, Size *count)
{
	int64 *lots = MemoryContextAllocHuge(set->context, sizeof(int64) * (set->nfresh + 1));
	Size n = 0;

	sort_places(set->touched, set->ntouched);
	for (uint32 i = 0; i < set->ntouched; i++)
	{
		QgLotPage *page = &set->pages[set->touched[i].page];
		uint64 first = page->number << PAGE_BITS;

		for (int word = 0; word < QG_SET_WORDS; word++)
		{
			uint64 bits = page->words[word].fresh;

			page->words[word].seen |= bits;
			page->words[word].fresh = 0;
			for (; bits != 0; bits &= bits - 1)
				lots[n++] = disordered(first + word * 64 + pg_rightmost_one_pos64(bits));
		}
	}
	Assert(n == set->nfresh);
	set->ntouched = 0;
	set->nfresh = 0;
	set->level++;
	*count = n;
	return lots;
}

/* Gives all lots in order, in an array that is the caller's to free. */
int64 *
qg_lot_set_all(const QgLotSet *set, Size *count)
{
	QgLotPlace *places = MemoryContextAllocHuge(set->context,
												sizeof(QgLotPlace) * (set->count + 1));
	int64 *lots;
	Size n = 0;

	for (uint32 i = 0; i < set->count; i++)
	{
		places[i] = (QgLotPlace){set->pages[i].number, i};
		for (int word = 0; word < QG_SET_WORDS; word++)
			n += pg_popcount64(set->pages[i].words[word].seen | set->pages[i].words[word].fresh);
	}
	lots = MemoryContextAllocHuge(set->context, sizeof(int64) * (n + 1));
	n = 0;
	sort_places(places, set->count);
	for (uint32 i = 0; i < set->count; i++)
	{
		const QgLotPage *page = &set->pages[places[i].page];

		for (int word = 0; word < QG_SET_WORDS; word++)
			for (uint64 bits = page->words[word].seen | page->words[word].fresh; bits != 0;
				 bits &= bits - 1)
				lots[n++] = disordered((page->number << PAGE_BITS) + word * 64 +
									   pg_rightmost_one_pos64(bits));
	}
	pfree(places);
	*count = n;
	return lots;
}
