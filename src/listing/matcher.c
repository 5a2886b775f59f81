/*
 * matcher.c
 *		Finds all of a dictionary's terms in a text in one pass: Aho and Corasick's automaton over
 *		folded code points.
 *
 * Idea.  The terms, folded, form a trie.  A node stands for what was read last: the longest end of
 * the text so far that begins some term.  Where the next code point does not continue the node, its
 * fallback (the longest proper suffix that is a node too) is tried, so that the text is read once
 * and never reread, whatever the number of terms.  Aho and Corasick, Comm. ACM 18(6), 1975.
 *
 * Building (matcher_build.c has the same stages in the same order):
 *
 * 1. Fold every term.  A term that folds to nothing can never be found and is left out.
 * 2. Number the code points that occur (symbols, from 1, in code point order).  A text's code point
 *	  without a number ends every match at once.
 * 3. Sort the folded terms.  Equal ones become one pattern with a list of terms, most severe first.
 * 4. Number the nodes breadth first.  A node's patterns are a range of the sorted array, its
 *	  children the runs of that range with equal next symbol.  So children are consecutive nodes
 *	  with ascending labels: one array of labels and one of first children hold all edges, and an
 *	  edge is found by binary search (from the root by an array over symbols).
 * 5. Set each node's fallback from its parent's, and its report: the nearest node along the
 *	  fallbacks at which a pattern ends.
 *
 * Everything is an array indexed by numbers, 22 bytes a node, so the whole could be written to a
 * file and mapped.
 *
 * Scanning.  At every code point the patterns that end there are looked at.  An occurrence whose
 * edge falls inside a word of Latin letters or digits is none: no "sm" in "smoking", but one in
 * "S.M" (fold.c knows where words join).  Of a pattern's deny terms the first that counts in this
 * scan is taken, its allow terms all.  The occurrences wait until nothing that may still
 * begin can reach back to them: a later match begins no earlier than the current node's text.  Then
 * they are settled in order of their start, longest first:
 *
 *	  - a deny hit within an allow hit is excused, unless the allow hit needs a separator dropped that
 *		neither its own spelling has nor the deny hit spans: 大麻烦 excuses 大麻 in "大，麻烦" but not in
 *		"大麻，烦请联系", which would dodge the lexicon;
 *	  - unless overlaps are asked for, a deny hit that begins before the end of the last one
 *		reported is passed over (leftmost, then longest).
 *
 * Example: deny "da ma", "ma fan"; allow "da ma fan" over "da ma fan de da ma".  "da ma" at 1 waits,
 * since the node then is "da ma", which "da ma fan" continues.  After "fan" the node is "da ma fan";
 * "de" leads to the root, so all three settle: the allow hit covers both deny hits.  The last "da
 * ma" settles at the end of the text and is reported.
 */
#include "quality_gov.h"

#include "listing/fold.h"
#include "listing/matcher_private.h"
#include "listing/matcher_step.h"

#define SETTLE_MIN 64

/* An occurrence that waits to be settled. */
typedef struct Candidate
{
	int64 start; /* code points of the folded text, end exclusive */
	int64 end;
	bool allow;
	int64 first_break; /* of an allow hit: separators dropped that its spelling has not, or -1 */
	int64 last_break;
	QgHit hit;
} Candidate;

/* The state of one scan. */
typedef struct Scan
{
	const QgMatcher *matcher;
	QgFoldScan fold;
	QgFoldedChar *ring; /* the last code points read, for the starts of matches */
	uint64 ring_mask;
	bool overlaps;
	QgTermFilter applies;
	QgHitCallback found;
	void *arg;
	Candidate *waiting;
	int nwaiting;
	int maxwaiting;
	int settle_at;		/* number of waiting occurrences that is worth settling */
	int64 allow_reach;	/* furthest end of the allow hits settled so far, but for the next */
	Candidate *excuses; /* allow hits settled that drop separators */
	int nexcuses;
	int maxexcuses;
	int last_end; /* end of the last hit reported, in characters of the original */
} Scan;

/* Orders occurrences by start, allow before deny, longest first. */
static int
compare_candidates(const void *left, const void *right)
{
	const Candidate *a = left;
	const Candidate *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->allow != b->allow)
		return a->allow ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	return 0;
}

/* Remembers an allow hit that drops separators, as long as a deny hit may lie within it. */
static void
add_excuse(Scan *scan, const Candidate *allow)
{
	int kept = 0;

	for (int i = 0; i < scan->nexcuses; i++)
		if (scan->excuses[i].end > allow->start)
			scan->excuses[kept++] = scan->excuses[i];
	scan->nexcuses = kept;
	if (kept == scan->maxexcuses)
	{
		scan->maxexcuses = kept ? kept * 2 : 8;
		scan->excuses = scan->excuses
							? repalloc_huge(scan->excuses, scan->maxexcuses * sizeof(Candidate))
							: palloc(scan->maxexcuses * sizeof(Candidate));
	}
	scan->excuses[scan->nexcuses++] = *allow;
}

/* Tells whether an allow hit settled before excuses a deny hit. */
static bool
is_excused(const Scan *scan, const Candidate *deny)
{
	if (deny->end <= scan->allow_reach)
		return true;
	for (int i = 0; i < scan->nexcuses; i++)
	{
		const Candidate *allow = &scan->excuses[i];

		if (deny->end <= allow->end && deny->start < allow->first_break &&
			allow->last_break < deny->end)
			return true;
	}
	return false;
}

/* Settles the occurrences that begin before the horizon; tells whether the scan goes on. */
static bool
settle(Scan *scan, int64 horizon)
{
	int i;

	if (scan->nwaiting == 0)
		return true;
	qsort(scan->waiting, scan->nwaiting, sizeof(Candidate), compare_candidates);
	for (i = 0; i < scan->nwaiting && scan->waiting[i].start < horizon; i++)
	{
		const Candidate *c = &scan->waiting[i];

		if (c->allow)
		{
			if (c->first_break >= 0)
				add_excuse(scan, c);
			else
				scan->allow_reach = Max(scan->allow_reach, c->end);
			continue;
		}
		if (is_excused(scan, c) || (!scan->overlaps && c->hit.first < scan->last_end))
			continue;
		scan->last_end = c->hit.end;
		if (!scan->found(&c->hit, scan->arg))
			return false;
	}
	scan->nwaiting -= i;
	memmove(scan->waiting, scan->waiting + i, scan->nwaiting * sizeof(Candidate));
	scan->settle_at = Max(SETTLE_MIN, scan->nwaiting * 2);
	return true;
}

/* Adds an occurrence of a term to those that wait. */
static void
add_candidate(Scan *scan, int64 start, int64 end, const MatcherTerm *term)
{
	const uint16 *spelled = scan->matcher->breaks + term->first_break;
	const uint16 *spelled_end = scan->matcher->breaks + term[1].first_break;
	const QgFoldedChar *first = &scan->ring[start & scan->ring_mask];
	const QgFoldedChar *last = &scan->ring[(end - 1) & scan->ring_mask];
	Candidate *c;

	if (scan->nwaiting == scan->maxwaiting)
	{
		scan->maxwaiting = scan->maxwaiting ? scan->maxwaiting * 2 : SETTLE_MIN;
		scan->waiting = scan->waiting
							? repalloc_huge(scan->waiting, scan->maxwaiting * sizeof(Candidate))
							: palloc(scan->maxwaiting * sizeof(Candidate));
	}
	c = &scan->waiting[scan->nwaiting++];
	c->start = start;
	c->end = end;
	c->allow = term->allow;
	c->first_break = c->last_break = -1;
	c->hit.term = term->number;
	c->hit.first = first->first;
	c->hit.end = last->end;
	c->hit.byte_first = first->byte_first;
	c->hit.byte_end = last->byte_end;
	c->hit.folds = first->folds;
	for (int64 i = start + 1; i < end; i++)
	{
		const QgFoldedChar *inner = &scan->ring[i & scan->ring_mask];

		c->hit.folds |= inner->folds | inner->skipped;
		while (spelled < spelled_end && *spelled < i - start)
			spelled++;
		if (!inner->broken || (spelled < spelled_end && *spelled == i - start))
			continue;
		c->last_break = i;
		if (c->first_break < 0)
			c->first_break = i;
	}
}

/* Looks at the patterns that end at a node, of which the last code point read is the last. */
static void
report(Scan *scan, uint32 node, int64 end)
{
	const QgMatcher *m = scan->matcher;

	for (; node != 0; node = m->report[m->fallback[node]])
	{
		int64 start = end - m->depth[node];
		bool taken = false;

		if (scan->ring[start & scan->ring_mask].joined)
			continue;
		for (uint32 i = m->pattern_terms[m->pattern[node] - 1];
			 i < m->pattern_terms[m->pattern[node]]; i++)
		{
			const MatcherTerm *term = &m->terms[i];

			if ((taken && !term->allow) ||
				(scan->applies != NULL && !scan->applies(term->number, scan->arg)))
				continue;
			taken |= !term->allow;
			add_candidate(scan, start, end, term);
		}
	}
}

/* Runs over the folded text; tells whether it came to the end. */
static bool
run(Scan *scan)
{
	const QgMatcher *m = scan->matcher;
	QgFoldedChar ahead;
	uint32 node = 0;
	int64 pos = 0;
	bool more = qg_fold_next(&scan->fold, &ahead);

	while (more)
	{
		QgFoldedChar *current = &scan->ring[pos & scan->ring_mask];

		if ((pos & 1023) == 1023)
			CHECK_FOR_INTERRUPTS();
		*current = ahead;
		pos++;
		more = qg_fold_next(&scan->fold, &ahead);
		node = qg_matcher_step(m, node, qg_matcher_symbol(m, current->codepoint));
		if (m->report[node] != 0 && !(more && ahead.joined))
			report(scan, m->report[node], pos);
		if (scan->nwaiting > 0 && (node == 0 || scan->nwaiting >= scan->settle_at) &&
			!settle(scan, pos - m->depth[node]))
			return false;
	}
	return settle(scan, pos + 1);
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
	Scan scan = {.matcher = matcher,
				 .overlaps = overlaps,
				 .applies = applies,
				 .found = found,
				 .arg = arg,
				 .settle_at = SETTLE_MIN};
	uint64 ring = 1;
	bool completed;

	while (ring < (uint64) matcher->longest + 1)
		ring *= 2;
	scan.ring_mask = ring - 1;
	scan.ring = palloc_extended(ring * sizeof(QgFoldedChar), MCXT_ALLOC_HUGE);
	qg_fold_begin(&scan.fold, matcher->folds, text, length);
	completed = run(&scan);
	pfree(scan.ring);
	if (scan.waiting != NULL)
		pfree(scan.waiting);
	if (scan.excuses != NULL)
		pfree(scan.excuses);
	return completed;
}
