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
 * "S.M" (fold.c knows where words join).  Of a pattern's terms the first that counts in this scan
 * is taken, separately for deny and allow terms.  The occurrences wait until nothing that may still
 * begin can reach back to them: a later match begins no earlier than the current node's text.  Then
 * they are settled in order of their start, longest first:
 *
 *	  - a deny hit within an allow hit is excused;
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

#define SETTLE_MIN 64

/* An occurrence that waits to be settled. */
typedef struct Candidate
{
	int64 start; /* code points of the folded text, end exclusive */
	int64 end;
	bool allow;
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
	int settle_at;	   /* number of waiting occurrences that is worth settling */
	int64 allow_reach; /* furthest end of the allow hits settled so far */
	int last_end;	   /* end of the last hit reported, in characters of the original */
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

/* Settles the occurrences that begin before the horizon; tells whether the scan goes on. */
static bool
settle(Scan *scan, int64 horizon)
{
	int i;

	qsort(scan->waiting, scan->nwaiting, sizeof(Candidate), compare_candidates);
	for (i = 0; i < scan->nwaiting && scan->waiting[i].start < horizon; i++)
	{
		const Candidate *c = &scan->waiting[i];

		if (c->allow)
		{
			scan->allow_reach = Max(scan->allow_reach, c->end);
			continue;
		}
		if (c->end <= scan->allow_reach || (!scan->overlaps && c->hit.first < scan->last_end))
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
add_candidate(Scan *scan, int64 start, int64 end, int term, bool allow)
{
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
	c->allow = allow;
	c->hit.term = term;
	c->hit.first = first->first;
	c->hit.end = last->end;
	c->hit.byte_first = first->byte_first;
	c->hit.byte_end = last->byte_end;
	c->hit.folds = first->folds;
	for (int64 i = start + 1; !allow && i < end; i++)
	{
		const QgFoldedChar *inner = &scan->ring[i & scan->ring_mask];

		c->hit.folds |= inner->folds | inner->skipped;
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
		bool taken[2] = {false, false};

		if (scan->ring[start & scan->ring_mask].joined)
			continue;
		for (uint32 i = m->pattern_terms[m->pattern[node] - 1];
			 i < m->pattern_terms[m->pattern[node]]; i++)
		{
			const MatcherTerm *term = &m->terms[i];

			if (taken[term->allow] ||
				(scan->applies != NULL && !scan->applies(term->number, scan->arg)))
				continue;
			taken[term->allow] = true;
			add_candidate(scan, start, end, term->number, term->allow);
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
	return completed;
}

/* Gives the bytes that a compiled dictionary takes. */
size_t
qg_matcher_size(const QgMatcher *matcher)
{
	return matcher->size;
}
