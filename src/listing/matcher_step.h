/*
 * matcher_step.h
 *		Walking the compiled dictionary, symbol by symbol, while it is built and while it scans.
 */
#ifndef QG_MATCHER_STEP_H
#define QG_MATCHER_STEP_H

#include "listing/matcher_private.h"

/* Gives the symbol of a code point, 0 where no term contains it. */
static inline uint32
qg_matcher_symbol(const QgMatcher *m, uint32 codepoint)
{
	return m->symbols[m->symbol_page[codepoint / QG_SYMBOL_PAGE] * QG_SYMBOL_PAGE +
					  codepoint % QG_SYMBOL_PAGE];
}

/* Gives the child of a node by symbol, 0 where there is none. */
static inline uint32
qg_matcher_child(const QgMatcher *m, uint32 node, uint32 symbol)
{
	uint32 low;
	uint32 high;

	if (node == 0)
		return m->root_child[symbol];
	low = m->first_child[node];
	high = m->first_child[node + 1];
	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;

		if (m->label[middle] == symbol)
			return middle;
		if (m->label[middle] < symbol)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* Gives the node that a symbol leads to. */
static inline uint32
qg_matcher_step(const QgMatcher *m, uint32 node, uint32 symbol)
{
	uint32 child = 0;

	if (symbol == 0)
		return 0;
	while ((child = qg_matcher_child(m, node, symbol)) == 0 && node != 0)
		node = m->fallback[node];
	return child;
}

#endif
