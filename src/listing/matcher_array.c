/*
 * matcher_array.c
 *		Lays the trie of a dictionary's patterns out as a double array.
 *
 * A node is a slot.  Its children by symbols s, t, ... must lie at base + s, base + t, ... with one
 * base, in slots that nobody else has (Aoe, IEEE Trans. Softw. Eng. 15(9), 1989).  Nodes are laid out
 * breadth first, so that those near the root, which a scan visits most, lie together.  Free slots form
 * a list in ascending order.  A node with one child takes the first free slot, which fills the gaps
 * that others leave; a node with more tries the free slots from a cursor on, which leaves behind what
 * is nearly full, and after many goes behind all that is taken, so that building never takes
 * quadratic time.
 */
#include "quality_gov.h"

#include "storage/shmem.h"

#include "listing/matcher_build.h"

#define TRIES 4096

/* A node whose children are to be laid out: a range of the patterns that share its path. */
typedef struct Pending
{
	uint32 slot;
	uint32 low;
	uint32 high;
	uint32 depth;
} Pending;

typedef struct Layout
{
	Build *build;
	uint32 *next; /* free list by slot; slot 0 heads it */
	uint32 *prior;
	uint32 size; /* slots allocated */
	uint32 used; /* slots up to here are or were taken */
	uint32 cursor;
	Pending *queue;
	size_t queued;
	size_t queue_size;
} Layout;

/* Makes room for slots up to and with the given one; new ones are free. */
static void
reach(Layout *layout, size_t slot)
{
	Build *build = layout->build;
	uint32 old = layout->size;
	size_t size = Max((size_t) old * 2, slot + 1);

	if (slot < old)
		return;
	if (size > QG_NODE_BASE)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("lexicon is too large")));
	build->nodes = repalloc_huge(build->nodes, mul_size(size, sizeof(MatcherNode)));
	build->pattern = repalloc_huge(build->pattern, mul_size(size, sizeof(uint32)));
	layout->next = repalloc_huge(layout->next, mul_size(size, sizeof(uint32)));
	layout->prior = repalloc_huge(layout->prior, mul_size(size, sizeof(uint32)));
	memset(build->nodes + old, 0, (size - old) * sizeof(MatcherNode));
	memset(build->pattern + old, 0, (size - old) * sizeof(uint32));
	for (uint32 i = old; i < size; i++)
	{
		layout->prior[i] = i > old ? i - 1 : layout->prior[0];
		layout->next[i] = i + 1 < size ? i + 1 : 0;
	}
	layout->next[layout->prior[0]] = old;
	layout->prior[0] = (uint32) size - 1;
	layout->size = (uint32) size;
}

/* Takes a free slot for a child. */
static void
take(Layout *layout, uint32 slot, uint32 parent)
{
	layout->next[layout->prior[slot]] = layout->next[slot];
	layout->prior[layout->next[slot]] = layout->prior[slot];
	if (layout->cursor == slot)
		layout->cursor = layout->next[slot];
	layout->build->nodes[slot].check = parent;
	layout->used = Max(layout->used, slot + 1);
}

/* Tells whether a base leaves the given children free slots. */
static bool
fits(Layout *layout, uint32 base, const uint32 *symbols, uint32 count)
{
	reach(layout, (size_t) base + symbols[count - 1]);
	for (uint32 i = 0; i < count; i++)
		if (layout->build->nodes[base + symbols[i]].check != 0)
			return false;
	return true;
}

/* Finds a base for children by the given symbols, which ascend. */
static uint32
find_base(Layout *layout, const uint32 *symbols, uint32 count)
{
	uint32 begin = layout->next[0];
	uint32 slot;

	if (count == 1 && begin > symbols[0])
		return begin - symbols[0];
	if (layout->cursor != 0)
		begin = layout->cursor;
	slot = begin;
	for (uint32 tries = 1; slot != 0 && tries <= TRIES; tries++, slot = layout->next[slot])
	{
		step_taken(layout->build);
		if (slot <= symbols[0] || !fits(layout, slot - symbols[0], symbols, count))
			continue;
		/* Fewer than one slot in 16 was free. */
		if (slot - begin >= 16 * tries)
			layout->cursor = slot;
		return slot - symbols[0];
	}
	layout->cursor = slot;
	reach(layout, (size_t) layout->used + symbols[count - 1]);
	return Max(layout->used, symbols[0] + 1) - symbols[0];
}

/* Appends a node to those whose children are to be laid out. */
static void
enqueue(Layout *layout, uint32 slot, uint32 low, uint32 high, uint32 depth)
{
	if (layout->queued == layout->queue_size)
	{
		layout->queue_size = mul_size(layout->queue_size, 2);
		layout->queue = repalloc_huge(layout->queue, mul_size(layout->queue_size, sizeof(Pending)));
	}
	layout->queue[layout->queued++] = (Pending){slot, low, high, depth};
}

/* Lists the symbols that follow a node's path, with the range of patterns of each. */
static uint32
list_children(Layout *layout, const Pending *node, uint32 *symbols, uint32 *ends)
{
	Build *build = layout->build;
	uint32 count = 0;

	for (uint32 i = node->low; i < node->high; i++)
	{
		uint32 symbol = build->arena[build->patterns[i].offset + node->depth];

		step_taken(build);
		if (count == 0 || symbols[count - 1] != symbol)
			symbols[count++] = symbol;
		ends[count - 1] = i + 1;
	}
	return count;
}

/* Lays out the children of one node. */
static void
lay_out(Layout *layout, Pending node, uint32 *symbols, uint32 *ends)
{
	Build *build = layout->build;
	bool root = node.slot == 0;
	uint32 base = 0;
	uint32 count;

	/* The shortest pattern of a range comes first: it is the one that ends here. */
	if (!root && build->patterns[node.low].length == node.depth)
	{
		build->nodes[node.slot].base |= QG_NODE_ENDS;
		build->pattern[node.slot] = node.low++;
	}
	count = list_children(layout, &node, symbols, ends);
	if (count == 0)
		return;
	if (!root)
	{
		base = find_base(layout, symbols, count);
		build->nodes[node.slot].base |= base | QG_NODE_INNER;
	}
	for (uint32 i = 0; i < count; i++)
	{
		if (!root)
			take(layout, base + symbols[i], node.slot);
		enqueue(layout, base + symbols[i], i == 0 ? node.low : ends[i - 1], ends[i],
				node.depth + 1);
	}
}

/* Sets what the filter knows of a pattern; a pattern of one symbol is marked in the table instead. */
static void
add_to_filter(Build *build, const Folded *pattern)
{
	const uint32 *symbols = build->arena + pattern->offset;
	uint32 hash;

	if (pattern->length == 1)
		return;
	hash = qg_filter_hash(symbols[0], symbols[1], build->has_pairs ? 0 : symbols[2]);
	build->filter[hash >> build->filter_shift] |= qg_filter_bits(hash);
}

/*
 * Makes the filter: about 16 bits for each beginning of patterns, of which two are set, so that it
 * lets few others through and stays small enough for a processor's cache.  Three symbols tell more
 * than two, so these count where no pattern is as short as that.
 */
static void
make_filter(Build *build)
{
	uint32 beginnings = 0;
	uint32 bits = 7;

	for (uint32 i = 0; i < build->npatterns; i++)
		build->has_pairs |= build->patterns[i].length == 2;
	for (uint32 i = 0; i < build->npatterns; i++)
	{
		const Folded *pattern = &build->patterns[i];
		uint32 length = build->has_pairs ? 2 : 3;

		step_taken(build);
		if (pattern->length >= length &&
			(i == 0 || pattern[-1].length < length ||
			 memcmp(build->arena + pattern->offset, build->arena + pattern[-1].offset,
					length * sizeof(uint32)) != 0))
			beginnings++;
	}
	while (bits < 20 && (1u << bits) < beginnings / 2)
		bits++;
	build->filter_shift = 32 - bits;
	build->filter = qg_build_array((size_t) 1 << bits, sizeof(uint32));
	for (uint32 i = 0; i < build->npatterns; i++)
	{
		step_taken(build);
		add_to_filter(build, &build->patterns[i]);
	}
}

/* Stage 4: makes the nodes. */
void
qg_build_nodes(Build *build)
{
	Layout layout = {.build = build, .queue_size = 1024};
	uint32 *symbols = qg_build_array(build->nsymbols, sizeof(uint32));
	uint32 *ends = qg_build_array(build->nsymbols, sizeof(uint32));

	build->nodes = qg_build_array(1, sizeof(MatcherNode));
	build->pattern = qg_build_array(1, sizeof(uint32));
	layout.next = qg_build_array(1, sizeof(uint32));
	layout.prior = qg_build_array(1, sizeof(uint32));
	layout.queue = qg_build_array(layout.queue_size, sizeof(Pending));
	layout.size = 1;
	reach(&layout, (size_t) build->nsymbols + 1);
	/* Every symbol has its slot under the root, whether or not a pattern begins with it. */
	for (uint32 symbol = 1; symbol <= build->nsymbols; symbol++)
		take(&layout, symbol, QG_NODE_ROOT);
	layout.used = build->nsymbols + 1;
	make_filter(build);
	enqueue(&layout, 0, 0, build->npatterns, 0);
	for (size_t i = 0; i < layout.queued; i++)
		lay_out(&layout, layout.queue[i], symbols, ends);
	/* A scan looks at base + symbol without asking whether there is such a slot. */
	reach(&layout, (size_t) layout.used + build->nsymbols + 1);
	build->nslots = layout.used + build->nsymbols + 1;
}
