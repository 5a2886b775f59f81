/*
 * trace_cycle.c
 *		Which lots lie on a cycle of links.
 *
 * A lot lies on a cycle if links lead from it back to itself; lots that lead to one another are a
 * strongly connected component of the graph.  Only lots with links of their own can be on one, few
 * as those are: they are collected first, then the links among them, and on that small graph runs
 * Tarjan's algorithm (Depth-first search and linear graph algorithms, SIAM J. Comput. 1972), with a
 * stack of its own in place of recursion.  Memory: about 50 bytes a lot with links, 4 bytes a link
 * among such lots.
 */
#include "quality_gov.h"

#include "trace/trace_walk.h"

#define START_ITEMS 1024

/* Lots with links, and the links among them, by their places in the order of lots. */
typedef struct Graph
{
	int64 *lots;
	uint32 count;
	Size *first; /* of each lot's links, and their number at the end */
	uint32 *to;
} Graph;

/* A lot whose links are being looked at. */
typedef struct Frame
{
	uint32 place;
	Size next; /* of its links */
} Frame;

/* What Tarjan's algorithm remembers. */
typedef struct Search
{
	const Graph *graph;
	uint32 *order; /* in which lots were met, from 1; 0 for not yet */
	uint32 *low; /* the earliest lot on the stack that a lot leads to; 0 once its cycle is known */
	uint32 *stack;
	uint32 nstack;
	Frame *frames;
	uint32 nframes;
	uint32 met;
	QgCycleLot *found;
	Size nfound;
	Size allocated;
} Search;

/* Doubles an array where it is full. */
#define MAKE_ROOM(array, count, allocated)                                               \
	do                                                                                   \
	{                                                                                    \
		if ((Size) (count) == (allocated))                                               \
		{                                                                                \
			(allocated) *= 2;                                                            \
			(array) = repalloc_huge((array), mul_size(sizeof((array)[0]), (allocated))); \
		}                                                                                \
	} while (0)

/* Collects those of the lots that have links; of all lots where none are given. */
static void
collect_lots(Graph *graph, QgLinks *links, const int64 *lots, Size count)
{
	Size allocated = START_ITEMS;
	Size n = 0;

	graph->lots = palloc(sizeof(int64) * allocated);
	qg_links_start(links, lots, count);
	while (qg_links_next(links))
		for (int i = 0; i < links->nbatch; i++)
			if (n == 0 || graph->lots[n - 1] != links->batch[i].from)
			{
				MAKE_ROOM(graph->lots, n, allocated);
				graph->lots[n++] = links->batch[i].from;
			}
	if (n >= PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many lots to trace")));
	graph->count = (uint32) n;
}

/* Gives the place of a lot that has one. */
static uint32
place_of(const Graph *graph, int64 lot)
{
	uint32 from = 0;
	uint32 to = graph->count;

	while (to - from > 1)
	{
		uint32 middle = from + (to - from) / 2;

		if (graph->lots[middle] <= lot)
			from = middle;
		else
			to = middle;
	}
	return from;
}

/* Collects the links that lead from one of the lots to another. */
static void
collect_links(Graph *graph, QgLinks *links)
{
	Size allocated = START_ITEMS;
	Size n = 0;
	uint32 place = 0;
	QgLotSet set;

	qg_lot_set_init(&set);
	for (uint32 i = 0; i < graph->count; i++)
		qg_lot_set_add(&set, graph->lots[i]);
	graph->to = palloc(sizeof(uint32) * allocated);
	graph->first = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(Size) * ((Size) graph->count + 1));
	graph->first[0] = 0;
	qg_links_start(links, graph->lots, graph->count);
	while (qg_links_next(links))
		for (int i = 0; i < links->nbatch; i++)
		{
			while (graph->lots[place] < links->batch[i].from)
				graph->first[++place] = n;
			if (!qg_lot_set_has(&set, links->batch[i].to))
				continue;
			MAKE_ROOM(graph->to, n, allocated);
			graph->to[n++] = place_of(graph, links->batch[i].to);
		}
	while (place < graph->count)
		graph->first[++place] = n;
}

/* Goes to a lot that was not met yet. */
static void
enter(Search *search, uint32 place)
{
	search->order[place] = search->low[place] = ++search->met;
	search->stack[search->nstack++] = place;
	search->frames[search->nframes++] = (Frame){place, search->graph->first[place]};
}

/* Takes a component off the stack, which began with a lot; keeps it where it is a cycle. */
static void
take_component(Search *search, uint32 place)
{
	uint32 from = search->nstack;
	uint32 smallest = place;

	do
	{
		from--;
		smallest = Min(smallest, search->stack[from]);
		search->low[search->stack[from]] = 0;
	} while (search->stack[from] != place);
	if (search->nstack - from > 1)
		for (uint32 i = from; i < search->nstack; i++)
		{
			MAKE_ROOM(search->found, search->nfound, search->allocated);
			search->found[search->nfound++] = (QgCycleLot){search->graph->lots[search->stack[i]],
														   search->graph->lots[smallest],
														   search->nstack - from};
		}
	search->nstack = from;
}

/* Looks at every lot that can be reached from one that was not met yet. */
static void
search_from(Search *search, uint32 start)
{
	const Graph *graph = search->graph;

	enter(search, start);
	while (search->nframes > 0)
	{
		Frame *frame = &search->frames[search->nframes - 1];
		uint32 place = frame->place;

		if (frame->next < graph->first[place + 1])
		{
			uint32 to = graph->to[frame->next++];

			if (search->order[to] == 0)
				enter(search, to);
			else if (search->low[to] != 0)
				search->low[place] = Min(search->low[place], search->order[to]);
			continue;
		}
		CHECK_FOR_INTERRUPTS();
		if (search->low[place] == search->order[place])
			take_component(search, place);
		search->nframes--;
		if (search->nframes > 0 && search->low[place] != 0)
		{
			uint32 parent = search->frames[search->nframes - 1].place;

			search->low[parent] = Min(search->low[parent], search->low[place]);
		}
	}
}

/*
 * Finds which of the lots, given in order, lie on a cycle of links among them; of all lots where
 * none are given.
 */
QgCycleLot *
qg_cycle_lots(QgLinks *links, const int64 *lots, Size count, Size *found)
{
	Graph graph;
	Search search = {.graph = &graph, .allocated = START_ITEMS};
	Size size;

	collect_lots(&graph, links, lots, count);
	collect_links(&graph, links);
	size = sizeof(uint32) * ((Size) graph.count + 1);
	search.order = MemoryContextAllocExtended(CurrentMemoryContext, size,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	search.low = MemoryContextAllocExtended(CurrentMemoryContext, size,
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	search.stack = MemoryContextAllocHuge(CurrentMemoryContext, size);
	search.frames = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(Frame) * ((Size) graph.count + 1));
	search.found = palloc(sizeof(QgCycleLot) * search.allocated);
	for (uint32 i = 0; i < graph.count; i++)
		if (search.order[i] == 0)
			search_from(&search, i);
	*found = search.nfound;
	return search.found;
}
