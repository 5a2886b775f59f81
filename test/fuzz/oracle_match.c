/*
 * oracle_match.c
 *		Matching, by trying every term at every place.
 */
#include "oracle.h"

/* A place where a term stands in the folded text. */
typedef struct Place
{
	int start; /* end exclusive */
	int end;
	int term;
} Place;

typedef struct Work
{
	const OracleTerm *terms;
	Spelling *spelled; /* of each term */
	Spelling text;
	Place *deny;
	int ndeny;
	Place *allow;
	int nallow;
} Work;

/* Tells whether a term stands at a place and is not a part of a word. */
static bool
stands(const Spelling *text, const Spelling *term, int start)
{
	const Spelled *at = text->out + start;
	const Spelled *t = term->out;
	int n = term->n;

	if (n == 0 || start + n > text->n)
		return false;
	for (int i = 0; i < n; i++)
		if (at[i].code != t[i].code || at[i].run < t[i].run)
			return false;
	if (at[0].joined && !(at[0].numeral && t[0].numeral))
		return false;
	return !(start + n < text->n && at[n].joined && !(at[n - 1].numeral && t[n - 1].numeral));
}

/* Tells whether an allow term at its place excuses a deny term at its own. */
static bool
excuses(const Work *work, const Place *allow, const Place *deny)
{
	const Spelling *spelled = &work->spelled[allow->term];

	if (deny->start < allow->start || deny->end > allow->end)
		return false;
	for (int i = allow->start + 1; i < allow->end; i++)
		if (work->text.out[i].broken && !spelled->out[i - allow->start].broken &&
			!(deny->start < i && i < deny->end))
			return false;
	return true;
}

/* Orders deny places by start, the longest first, then as their terms rank. */
static int
compare(const void *left, const void *right, void *arg)
{
	const Work *work = arg;
	const Place *a = left;
	const Place *b = right;

	if (a->start != b->start)
		return a->start - b->start;
	if (a->end != b->end)
		return b->end - a->end;
	if (work->terms[a->term].severity != work->terms[b->term].severity)
		return work->terms[b->term].severity - work->terms[a->term].severity;
	return a->term - b->term;
}

/* Gives the hit of a term at a place: of a run at its edge no more than the term has. */
static Hit
hit_of(const Work *work, const Place *place)
{
	const Spelling *text = &work->text;
	const Spelling *term = &work->spelled[place->term];
	const Spelled *first = &text->out[place->start];
	const Spelled *last = &text->out[place->end - 1];
	const Spelled *from = &text->all[first->member];
	const Spelled *to = &text->all[last->member + last->run - 1];

	if (!first->word && first != last)
		from += first->run - term->out[0].run;
	if (!last->word)
		to -= last->run - term->out[term->n - 1].run;
	return (Hit){.term = place->term,
				 .first = from->first,
				 .end = to->end,
				 .byte_first = from->byte_first,
				 .byte_end = to->byte_end};
}

/* Finds the places of every term. */
static void
find_places(Work *work, int nterms)
{
	size_t room = ((size_t) nterms * (work->text.n + 1) + 1) * sizeof(Place);

	work->deny = palloc(room);
	work->allow = palloc(room);
	for (int term = 0; term < nterms; term++)
		for (int start = 0; work->terms[term].applies && start < work->text.n; start++)
		{
			Place place = {start, start + work->spelled[term].n, term};

			if (!stands(&work->text, &work->spelled[term], start))
				continue;
			if (work->terms[term].allow)
				work->allow[work->nallow++] = place;
			else
				work->deny[work->ndeny++] = place;
		}
	qsort_arg(work->deny, work->ndeny, sizeof(Place), compare, work);
}

int
oracle_match(uint32 folds, const OracleTerm *terms, int nterms, Codes text, bool overlaps,
			 Hit *hits, int room)
{
	Work work = {.terms = terms, .spelled = palloc((nterms + 1) * sizeof(Spelling))};
	const Place *before = NULL;
	const Place *last = NULL; /* reported */
	int count = 0;

	for (int i = 0; i < nterms; i++)
		oracle_fold(folds, terms[i].codes, &work.spelled[i]);
	oracle_fold(folds, text, &work.text);
	find_places(&work, nterms);
	for (int i = 0; i < work.ndeny; i++)
	{
		const Place *deny = &work.deny[i];
		bool same = before != NULL && before->start == deny->start && before->end == deny->end;
		bool excused = false;
		Hit hit;

		before = deny;
		for (int j = 0; j < work.nallow && !excused; j++)
			excused = excuses(&work, &work.allow[j], deny);
		if (same || excused)
			continue;
		hit = hit_of(&work, deny);
		/* What begins within the last hit, or in the segment of its last character, is passed over. */
		if (!overlaps && last != NULL &&
			(deny->start < last->end ||
			 work.text.out[deny->start].byte_first == work.text.out[last->end - 1].byte_first))
			continue;
		last = deny;
		if (count < room)
			hits[count] = hit;
		count++;
	}
	return count;
}
