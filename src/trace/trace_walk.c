/*
 * trace_walk.c
 *		Walking from a lot along its links, breadth first.
 *
 * The lots of a level, in order, are the question put to the index (lot_links.c); each answer is a
 * link, and the lots that the set of those reached (lot_set.c) did not know are the next level.  As
 * a level is read in order, the first link that reaches a lot comes from the smallest of the lots
 * that lead there on a shortest path: that one is its via, whatever the order in which links were
 * written.
 *
 * Cycles.  Round a cycle depths cannot always grow, so some link of it leads to the level it comes
 * from or to an earlier one.  A walk that met no such link met no cycle.  Otherwise the links among
 * the lots reached are looked at once more (trace_cycle.c).
 *
 * Limits.  A walk that stops looks at the links of the lots it did not follow: those that lead to a
 * lot that was not reached are what it left out, and the walk says so.
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "trace/trace_walk.h"

#define START_LOTS 256
#define START_LEVELS 16
#define ALIGNED_MARK 2 /* a numeric with a four-byte header follows, aligned */

/* Makes room for more lots. */
static void
grow_lots(QgWalk *walk)
{
	walk->allocated *= 2;
	walk->lots = repalloc_huge(walk->lots, mul_size(sizeof(int64), walk->allocated));
	walk->vias = repalloc_huge(walk->vias, mul_size(sizeof(int64), walk->allocated));
}

/* Stores the quantity of the last lot. */
static void
store_quantity(QgWalk *walk)
{
	Size size = walk->unknown ? 1 : VARSIZE_ANY(DatumGetPointer(walk->quantity));
	char *place;

	if (walk->quantity_bytes + size + 2 * MAXIMUM_ALIGNOF > walk->quantity_allocated)
	{
		walk->quantity_allocated = Max(walk->quantity_allocated * 2,
									   walk->quantity_bytes + size * 2);
		walk->quantities = repalloc_huge(walk->quantities, walk->quantity_allocated);
	}
	walk->largest = Max(walk->largest, size);
	place = walk->quantities + walk->quantity_bytes;
	if (walk->unknown)
		*place = 0;
	else if (VARATT_IS_1B(DatumGetPointer(walk->quantity)))
		memcpy(place, DatumGetPointer(walk->quantity), size);
	else
	{
		*place = ALIGNED_MARK;
		place = (char *) INTALIGN(place + 1);
		memcpy(place, DatumGetPointer(walk->quantity), size);
	}
	walk->quantity_bytes = place + size - walk->quantities;
}

/* Gives the quantity at a place of those stored, of size 0 where it is unknown, and goes past it. */
const char *
qg_walk_quantity(const QgWalk *walk, Size *place, Size *size)
{
	const char *at = walk->quantities + *place;

	if (*at == 0)
		*size = 0;
	else if (*at != ALIGNED_MARK)
		*size = VARSIZE_1B(at);
	else
	{
		at = (const char *) INTALIGN(at + 1);
		*size = VARSIZE_4B(at);
	}
	*place = at + Max(*size, 1) - walk->quantities;
	return at;
}

/* Ends the lot that was added last: no further link of its via leads to it. */
static void
end_lot(QgWalk *walk, bool *open)
{
	if (*open && walk->rows)
		store_quantity(walk);
	*open = false;
}

/* Adds a lot that a link reached. */
static void
add_lot(QgWalk *walk, const QgLink *link)
{
	if (walk->rows)
	{
		if (walk->count == walk->allocated)
			grow_lots(walk);
		walk->lots[walk->count] = link->to;
		walk->vias[walk->count] = link->from;
		walk->quantity = link->quantity;
		walk->unknown = link->unknown;
	}
	walk->count++;
}

/* Makes a quantity that is the walk's own that of the last lot. */
static void
own_quantity(QgWalk *walk, Datum quantity)
{
	if (walk->owned != NULL)
		pfree(walk->owned);
	walk->owned = DatumGetPointer(quantity);
	walk->quantity = quantity;
	walk->unknown = false;
}

/* Adds what a further source says of the link that reached the last lot. */
static void
add_quantity(QgWalk *walk, const QgLink *link)
{
	if (link->unknown)
		return;
	if (!walk->unknown)
		own_quantity(walk, DirectFunctionCall2(numeric_add, walk->quantity, link->quantity));
	else
	{
		walk->quantity = link->quantity;
		walk->unknown = false;
	}
}

/* Keeps the quantity of the last lot beyond the page it was read from. */
static void
keep_quantity(QgWalk *walk)
{
	if (!walk->unknown && DatumGetPointer(walk->quantity) != walk->owned)
		own_quantity(walk, PointerGetDatum(PG_DETOAST_DATUM_COPY(walk->quantity)));
}

/* Orders lots. */
static int
compare_lots(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* Follows the links of a level; gives the lot at which the limit of rows was met, or NULL. */
static const int64 *
follow(QgWalk *walk, const int64 *level, Size count)
{
	bool open = false;
	int64 from = 0;
	int64 to = 0;

	qg_links_start(&walk->links, level, count);
	while (qg_links_next(&walk->links))
	{
		for (int i = 0; i < walk->links.nbatch; i++)
		{
			const QgLink *link = &walk->links.batch[i];
			QgLotWas was;

			if (open && link->to == to && link->from == from)
			{
				if (walk->rows)
					add_quantity(walk, link);
				continue;
			}
			was = qg_lot_set_add(&walk->reached, link->to);
			if (was == QG_LOT_SEEN || link->to == walk->start)
				walk->suspect = true;
			if (was != QG_LOT_NEW)
				continue;
			end_lot(walk, &open);
			if (walk->max_rows > 0 && walk->count == walk->max_rows)
			{
				qg_lot_set_remove(&walk->reached, link->to);
				walk->truncated = true;
				return bsearch(&link->from, level, count, sizeof(int64), compare_lots);
			}
			add_lot(walk, link);
			open = true;
			from = link->from;
			to = link->to;
		}
		if (open && walk->rows)
			keep_quantity(walk);
	}
	end_lot(walk, &open);
	return NULL;
}

/* Merges two arrays of lots in order, of which none is in both. */
static int64 *
merge_lots(const int64 *a, Size na, const int64 *b, Size nb)
{
	int64 *all = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * (na + nb + 1));
	Size n = 0;

	for (Size i = 0, j = 0; i < na || j < nb;)
		all[n++] = j == nb || (i < na && a[i] < b[j]) ? a[i++] : b[j++];
	return all;
}

/* Takes lots out of an array in order; gives how many stay. */
static Size
subtract_lots(int64 *lots, Size count, const int64 *minus, Size nminus)
{
	Size n = 0;

	for (Size i = 0, j = 0; i < count; i++)
	{
		while (j < nminus && minus[j] < lots[i])
			j++;
		if (j == nminus || minus[j] != lots[i])
			lots[n++] = lots[i];
	}
	return n;
}

/* Finds which of the lots that were not followed have links to lots that were not reached. */
static void
find_more(QgWalk *walk)
{
	qg_links_start(&walk->links, walk->rest, walk->nrest);
	while (qg_links_next(&walk->links))
		for (int i = 0; i < walk->links.nbatch; i++)
		{
			const QgLink *link = &walk->links.batch[i];

			if (qg_lot_set_has(&walk->reached, link->to))
				continue;
			walk->truncated = true;
			qg_lot_set_add(&walk->more, link->from);
			qg_links_skip(&walk->links, link->from);
		}
}

/* Finds which lots lie on a cycle of links that were followed. */
static void
find_cycles(QgWalk *walk)
{
	Size count;
	Size found;
	int64 *lots = qg_lot_set_all(&walk->reached, &count);
	QgCycleLot *cycles;

	if (!qg_lot_set_has(&walk->reached, walk->start))
		lots = merge_lots(lots, count++, &walk->start, 1);
	count = subtract_lots(lots, count, walk->rest, walk->nrest);
	cycles = qg_cycle_lots(&walk->links, lots, count, &found);
	for (Size i = 0; i < found; i++)
		qg_lot_set_add(&walk->cycle, cycles[i].lot);
}

/* Notes where the level that was filled last ends among the lots. */
static void
end_level(QgWalk *walk)
{
	if (walk->depth + 2 > walk->levels)
	{
		walk->levels *= 2;
		walk->ends = repalloc_huge(walk->ends, mul_size(sizeof(Size), walk->levels));
	}
	walk->ends[++walk->depth] = walk->count;
}

/* Makes what a walk needs. */
static void
begin(QgWalk *walk)
{
	qg_links_open(&walk->links, walk->backward, walk->rows);
	qg_lot_set_init(&walk->reached);
	qg_lot_set_init(&walk->cycle);
	qg_lot_set_init(&walk->more);
	walk->allocated = START_LOTS;
	walk->levels = START_LEVELS;
	walk->quantity_allocated = START_LOTS;
	walk->lots = palloc(sizeof(int64) * START_LOTS);
	walk->vias = palloc(sizeof(int64) * START_LOTS);
	walk->quantities = palloc(START_LOTS);
	walk->ends = palloc0(sizeof(Size) * START_LEVELS);
}

/*
 * Walks from a lot, breadth first, in the current memory context.  The caller has filled in what is
 * asked and zeroed the rest.
 */
void
qg_walk(QgWalk *walk)
{
	int64 *level = palloc(sizeof(int64));
	const int64 *stopped = NULL;
	Size count = 1;

	begin(walk);
	level[0] = walk->start;
	while (count > 0 && stopped == NULL &&
		   (walk->max_depth == 0 || walk->depth < walk->max_depth) &&
		   (walk->target == NULL || !qg_lot_set_has(&walk->reached, *walk->target)))
	{
		int64 *next;
		Size nnext;

		stopped = follow(walk, level, count);
		next = qg_lot_set_level(&walk->reached, &nnext);
		if (nnext > 0)
			end_level(walk);
		if (stopped != NULL)
			walk->rest = merge_lots(stopped, level + count - stopped, next, nnext);
		walk->nrest = stopped != NULL ? level + count - stopped + nnext : 0;
		pfree(level);
		level = next;
		/* The start was followed already. */
		count = subtract_lots(level, nnext, &walk->start, 1);
	}
	if (walk->target == NULL && walk->rows)
	{
		if (stopped == NULL)
		{
			walk->rest = level;
			walk->nrest = count;
		}
		find_more(walk);
		if (walk->suspect)
			find_cycles(walk);
	}
	qg_links_close(&walk->links);
}
