/*
 * matcher.c
 *		Finds all of a dictionary's terms in a text in one pass.
 *
 * Idea.  The text is folded into symbols, numbers of the code points that the terms have, by one
 * look into a table for each character; what does not stand alone (combining marks, ligatures) is
 * folded by fold.c.  From every symbol at which a term may begin the trie of the terms is walked as far
 * as it goes.  Aho and Corasick's automaton would read each symbol once, but in one chain of
 * dependent reads all over the trie; here a filter over what terms begin with, small enough to stay in
 * a processor's cache, tells for many places at a time where a walk would lead anywhere, which is at few.  In exchange time is bounded by the text's length times the longest match that begins at
 * each place.
 *
 * The text is worked on in chunks of folded symbols (struct Chunk), so that memory does not grow with
 * it; a walk begins only where the whole of the longest term, and what follows it, is in the chunk.
 *
 * What counts.  An occurrence whose edge falls inside a word of Latin letters or digits is none: no
 * "sm" in "smoking", but one in "S.M".  With `repeat` a run of the text must be as long as the term's:
 * "asshole" is in "assshole" and not in "ashole".  Of a pattern's deny terms the gravest that counts is
 * taken, its allow terms all.
 *
 *	  - A deny hit within an allow hit is excused, unless the allow hit needs a separator dropped that
 *		neither its own spelling has nor the deny hit spans: 大麻烦 excuses 大麻 in "大，麻烦" but not in
 *		"大麻，烦请联系", which would dodge the lexicon.  Places are visited in order, so every allow hit
 *		that may cover a deny hit is known by then.
 *	  - Unless overlaps are asked for, a deny hit that begins before the end of the last one reported
 *		is passed over (leftmost, then longest).
 *
 * Example: deny "大麻", allow "大麻烦", text "他有大麻烦，吸大麻": at 大 the walk meets the deny term, then the
 * allow term, which ends later and excuses it; at the second 大 it meets the deny term alone.
 */
#include "quality_gov.h"

#include "listing/matcher_scan.h"

/*
 * Remembers an allow hit that drops separators, as long as a deny hit that begins before the first of
 * them may come.  Of those that drop the same ones the longest does for all.
 */
static void
add_excuse(Scan *scan, const Excuse *allow)
{
	Excuse *last = scan->nexcuses > 0 ? &scan->excuses[scan->nexcuses - 1] : NULL;
	int kept = 0;

	if (last != NULL && last->first_break == allow->first_break &&
		last->last_break == allow->last_break)
	{
		last->end = Max(last->end, allow->end);
		return;
	}
	/* One look for all that begin at a place. */
	if (last != NULL && last->start != allow->start)
	{
		for (int i = 0; i < scan->nexcuses; i++)
			if (scan->excuses[i].first_break > allow->start)
				scan->excuses[kept++] = scan->excuses[i];
		scan->nexcuses = kept;
	}
	if (scan->nexcuses == scan->maxexcuses)
	{
		scan->maxexcuses = scan->maxexcuses ? scan->maxexcuses * 2 : 8;
		scan->excuses = scan->excuses
							? repalloc_huge(scan->excuses, scan->maxexcuses * sizeof(Excuse))
							: palloc(scan->maxexcuses * sizeof(Excuse));
	}
	scan->excuses[scan->nexcuses++] = *allow;
}

/* Tells whether an allow hit met before excuses a deny hit. */
static bool
is_excused(const Scan *scan, int64 start, int64 end)
{
	if (end <= scan->allow_reach)
		return true;
	for (int i = 0; i < scan->nexcuses; i++)
	{
		const Excuse *allow = &scan->excuses[i];

		if (end <= allow->end && start < allow->first_break && allow->last_break < end)
			return true;
	}
	return false;
}

/* Takes note of an allow hit at places first to last of the chunk. */
static void
note_allow(Scan *scan, const MatcherTerm *term, uint32 first, uint32 last)
{
	const Chunk *chunk = &scan->chunk;
	const uint16 *spelled = scan->matcher->breaks + term->first_break;
	const uint16 *spelled_end = scan->matcher->breaks + term[1].first_break;
	Excuse allow = {chunk->origin + first, chunk->origin + last + 1, -1, -1};

	CHECK_FOR_INTERRUPTS();
	for (uint32 i = first + 1; i <= last; i++)
	{
		while (spelled < spelled_end && *spelled < i - first)
			spelled++;
		if (!(chunk->words[i] & QG_BROKEN) || (spelled < spelled_end && *spelled == i - first))
			continue;
		allow.last_break = chunk->origin + i;
		if (allow.first_break < 0)
			allow.first_break = allow.last_break;
	}
	if (allow.first_break >= 0)
		add_excuse(scan, &allow);
	else
		scan->allow_reach = Max(scan->allow_reach, allow.end);
}

/* Tells whether an occurrence of a term's code points is one of the term. */
static bool
term_fits(const Scan *scan, const MatcherTerm *term, uint32 first, uint32 last)
{
	const Chunk *chunk = &scan->chunk;
	const uint16 *runs = scan->matcher->runs + term->first_run;

	/* A word of the text goes on across an edge; a numeral's only where the term has none there. */
	if ((chunk->words[last + 1] & QG_JOINED) ||
		((chunk->words[first] & QG_JOINED_NUMERAL) && !term->first_numeral) ||
		((chunk->words[last + 1] & QG_JOINED_NUMERAL) && !term->last_numeral))
		return false;
	if (term[1].first_run == term->first_run)
		return true;
	for (uint32 i = first; i <= last; i++)
		if (qg_chunk_run(chunk, i) < *runs++)
			return false;
	return true;
}

/* Notes a deny hit that begins at the place being walked from. */
static inline void
note_deny(Scan *scan, uint32 term, uint32 last)
{
	if (scan->ndeny == scan->maxdeny)
	{
		scan->maxdeny = scan->maxdeny ? scan->maxdeny * 2 : 16;
		scan->deny = scan->deny ? repalloc_huge(scan->deny, scan->maxdeny * sizeof(Deny))
								: palloc(scan->maxdeny * sizeof(Deny));
	}
	scan->deny[scan->ndeny++] = (Deny){term, last};
}

/* Looks at the terms of a pattern that occurs at places first to last of the chunk. */
static void
meet_pattern(Scan *scan, uint32 pattern, uint32 first, uint32 last)
{
	const QgMatcher *m = scan->matcher;
	const uint32 *words = scan->chunk.words;
	bool taken = false;

	if (pattern & QG_PATTERN_TERM)
	{
		uint32 term = pattern & ~QG_PATTERN_TERM;

		if (!(words[first] & QG_JOINED_NUMERAL) &&
			!(words[last + 1] & (QG_JOINED | QG_JOINED_NUMERAL)) &&
			(scan->applies == NULL || scan->applies((int) term, scan->arg)))
			note_deny(scan, term, last);
		return;
	}
	for (uint32 i = m->pattern_terms[pattern]; i < m->pattern_terms[pattern + 1]; i++)
	{
		const MatcherTerm *term = &m->terms[i];

		if ((taken && !term->allow) || !term_fits(scan, term, first, last) ||
			(scan->applies != NULL && !scan->applies((int) i, scan->arg)))
			continue;
		if (term->allow)
			note_allow(scan, term, first, last);
		else
			note_deny(scan, i, last);
		taken |= !term->allow;
	}
}

/* Reports the deny hits that begin at a place, longest first; tells whether the scan goes on. */
static bool
settle(Scan *scan, uint32 first)
{
	int64 start = scan->chunk.origin + first;

	while (scan->ndeny > 0)
	{
		const Deny *deny = &scan->deny[--scan->ndeny];
		int64 end = scan->chunk.origin + deny->last + 1;
		QgHit hit = {.scan = scan, .from = first, .to = deny->last};

		CHECK_FOR_INTERRUPTS();
		if (is_excused(scan, start, end))
			continue;
		/* Two parts of one ligature follow each other here, and are of one place in the text. */
		if (!scan->overlaps &&
			(start < scan->last_end || scan->chunk.places[first] == scan->last_place))
			continue;
		scan->last_end = end;
		scan->last_place = scan->chunk.places[deny->last];
		hit.entry = (int) deny->term;
		if (!scan->found(&hit, scan->arg))
			return false;
	}
	return true;
}

/* Walks the trie from one place; tells whether the scan goes on. */
static bool
walk_from(Scan *scan, uint32 first)
{
	const QgMatcher *m = scan->matcher;
	const uint32 *words = scan->chunk.words;
	uint32 node = words[first] & QG_SYMBOL_MASK;
	uint32 last = first;

	for (;;)
	{
		uint32 base = m->nodes[node].base;
		uint32 child;

		if (base & QG_NODE_ENDS)
			meet_pattern(scan, m->pattern[node], first, last);
		child = (base & QG_NODE_BASE) + (words[++last] & QG_SYMBOL_MASK);
		if (!(base & QG_NODE_INNER) || m->nodes[child].check != node)
			break;
		node = child;
	}
	return scan->ndeny == 0 || settle(scan, first);
}

/*
 * Lists the places from first to before end at which a term may begin, and gives their number: where
 * the filter knows the symbol with the next one, or two, or the symbol is a term, and no word goes on.
 * No branch depends on the text, since nobody could predict it.
 */
static pg_attribute_always_inline uint32
list_places(const QgMatcher *m, const uint32 *words, uint32 first, uint32 end, uint32 *places,
			const bool pairs)
{
	const uint32 *filter = m->filter;
	uint32 shift = m->header->filter_shift;
	uint32 n = 0;

	for (uint32 i = first; i < end; i++)
	{
		uint32 hash = qg_filter_hash(words[i] & QG_SYMBOL_MASK, words[i + 1] & QG_SYMBOL_MASK,
									 pairs ? 0 : words[i + 2] & QG_SYMBOL_MASK);
		uint32 bits = qg_filter_bits(hash);

		places[n] = i;
		n += (((filter[hash >> shift] & bits) == bits) | (words[i] / QG_ALONE & 1)) &
			 ((words[i] & QG_JOINED) == 0);
	}
	return n;
}

/* Asks for memory that will be read soon. */
static inline void
prefetch(const void *address)
{
#ifdef __GNUC__
	__builtin_prefetch(address);
#endif
}

/*
 * Walks from each place of the chunk from `next` to before limit at which a term may begin; tells
 * whether the scan goes on.  The nodes of the first two steps are asked for beforehand: where many
 * backends share a processor they are seldom in its cache, and would be waited for one by one.
 */
static bool
walk(Scan *scan, uint32 limit)
{
	const QgMatcher *m = scan->matcher;
	const uint32 *words = scan->chunk.words;
	uint32 places[256];

	while (scan->chunk.next < limit)
	{
		uint32 end = Min(limit, scan->chunk.next + lengthof(places));
		uint32 nplaces;

		if (m->header->has_pairs)
			nplaces = list_places(m, words, scan->chunk.next, end, places, true);
		else
			nplaces = list_places(m, words, scan->chunk.next, end, places, false);
		for (uint32 i = 0; i < nplaces; i++)
			prefetch(&m->nodes[words[places[i]] & QG_SYMBOL_MASK]);
		for (uint32 i = 0; i < nplaces; i++)
			prefetch(&m->nodes[(m->nodes[words[places[i]] & QG_SYMBOL_MASK].base & QG_NODE_BASE) +
							   (words[places[i] + 1] & QG_SYMBOL_MASK)]);
		for (uint32 i = 0; i < nplaces; i++)
			if (!walk_from(scan, places[i]))
				return false;
		scan->chunk.next = end;
	}
	return true;
}

/*
 * Reports the dictionary's hits in a text in order of their start; tells whether it came to the
 * end, that is, whether `found` never returned false.  Memory taken is freed or left to the caller's
 * context where `found` raises an error.
 */
bool
qg_matcher_scan(const QgMatcher *matcher, const char *text, size_t length, bool overlaps,
				QgTermFilter applies, QgHitCallback found, void *arg)
{
	Scan scan;
	bool more = true;
	bool completed = true;

	qg_chunk_begin(&scan, matcher, text, length);
	scan.overlaps = overlaps;
	scan.applies = applies;
	scan.found = found;
	scan.arg = arg;
	while (more && completed)
	{
		uint32 limit;

		CHECK_FOR_INTERRUPTS();
		more = qg_chunk_fill(&scan);
		/* A walk reads one place beyond the longest term, and the last place may still change. */
		limit = scan.chunk.count;
		if (more)
			limit -= Min(limit, matcher->header->longest + 3);
		completed = walk(&scan, limit);
		if (more && completed)
			qg_chunk_shift(&scan);
	}
	qg_chunk_end(&scan);
	return completed;
}
