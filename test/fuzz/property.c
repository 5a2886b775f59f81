/*
 * property.c
 *		Folding and matching agree with their slow twins on random texts.
 *
 *		property SEED STRINGS DICTIONARIES [MASK]
 *
 * Prints what differs and the seed; the exit code tells whether anything did.
 */
#include "oracle.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 14000 /* the matcher works in chunks of some thousand */
#define SHORT_MAX 100
#define TERM_MAX 8
#define TERMS_MAX 12
#define HITS_MAX 40000
#define FAILURES_MAX 5

/* A text in all the forms that are needed. */
typedef struct Text
{
	int n;
	uint32 code[TEXT_MAX];
	int at[TEXT_MAX + 1];
	char utf8[TEXT_MAX * 4 + 1];
} Text;

static Random rng;
static int failures = 0;

static Codes
codes_of(const Text *text)
{
	return (Codes){text->n, text->code, text->at};
}

/* Writes the bytes of a text whose code points are set. */
static void
encode(Text *text)
{
	int length = 0;

	for (int i = 0; i < text->n; i++)
	{
		text->at[i] = length;
		length += qg_codepoint_to_utf8(text->code[i], text->utf8 + length);
	}
	text->at[text->n] = length;
}

static void
print_text(const char *what, const Text *text)
{
	printf("# %s:", what);
	for (int i = 0; i < text->n && i < 1000; i++)
		printf(" %04X", text->code[i]);
	printf("  %.*s\n", text->at[text->n], text->utf8);
}

static void
print_folds(uint32 folds)
{
	printf("# folds:");
	for (int i = 0; i < QG_FOLD_COUNT; i++)
		if (folds & (1u << i))
			printf(" %s", qg_fold_name(i));
	printf(" (mask %u)\n", folds);
}

static void
print_spelled(const char *who, const Spelled *s)
{
	printf("# %s: %04X run %d, characters %d-%d, bytes %d-%d%s%s%s%s\n", who, s->code, s->run,
		   s->first, s->end, s->byte_first, s->byte_end, s->broken ? " broken" : "",
		   s->word ? " word" : "", s->numeral ? " numeral" : "", s->joined ? " joined" : "");
}

/* Folds one text with the core and compares. */
static void
check_fold(uint32 folds, const Text *text)
{
	QgFoldScan scan;
	QgFoldedChar f;
	Spelling want;
	int i = 0;

	oracle_fold(folds, codes_of(text), &want);
	qg_fold_begin(&scan, folds, text->utf8, text->at[text->n]);
	while (qg_fold_next(&scan, &f))
	{
		Spelled got = {.code = f.codepoint,
					   .first = f.first,
					   .end = f.end,
					   .byte_first = f.byte_first,
					   .byte_end = f.byte_end,
					   .broken = f.broken,
					   .word = f.word,
					   .numeral = f.numeral,
					   .joined = f.joined,
					   .run = f.run};
		const Spelled *w = &want.out[i];

		if (i < want.n && w->code == got.code && w->first == got.first && w->end == got.end &&
			w->byte_first == got.byte_first && w->byte_end == got.byte_end &&
			w->broken == got.broken && w->word == got.word && w->numeral == got.numeral &&
			w->joined == got.joined && w->run == got.run)
		{
			i++;
			continue;
		}
		failures++;
		printf("# folding differs at %d\n", i);
		print_folds(folds);
		print_text("text", text);
		print_spelled("core", &got);
		if (i < want.n)
			print_spelled("oracle", w);
		return;
	}
	if (i == want.n)
		return;
	failures++;
	printf("# folding ends after %d, the oracle goes on\n", i);
	print_folds(folds);
	print_text("text", text);
	print_spelled("oracle", &want.out[i]);
}

/*
 * Where nothing is hidden and no run of marks is cut, segments one by one give what ICU makes of the
 * whole.
 */
static void
check_whole(uint32 folds, const Text *text)
{
	static uint32 whole[SHORT_MAX * QG_EXPANSION_MAX];
	QgFoldScan scan;
	QgFoldedChar f;
	int inside = 0;
	int n;
	int i = 0;

	for (int k = 0; k < text->n; k++)
	{
		inside = qg_char_starts_segment(text->code[k]) ? 0 : inside + 1;
		if ((qg_char_class(text->code[k]) & QG_CHAR_IGNORABLE) || inside >= QG_SEGMENT_MAX)
			return;
	}
	n = oracle_whole(folds, codes_of(text), whole);
	qg_fold_begin(&scan, folds, text->utf8, text->at[text->n]);
	while (qg_fold_next(&scan, &f) && i < n && f.codepoint == whole[i])
		i++;
	if (i == n && !qg_fold_next(&scan, &f))
		return;
	failures++;
	printf("# folding is not what ICU makes of the whole, at %d\n", i);
	print_folds(folds);
	print_text("text", text);
}

typedef struct Found
{
	int count;
	int stop; /* after so many */
	const bool *applies;
	const QgMatcher *matcher;
	Hit hit[HITS_MAX];
} Found;

static bool
found_hit(const QgHit *qg, void *arg)
{
	Hit hit = core_hit(qg);
	Found *found = arg;

	if (found->count < HITS_MAX)
		found->hit[found->count] = hit;
	return ++found->count != found->stop;
}

static bool
term_applies(int entry, void *arg)
{
	const Found *found = arg;

	return found->applies[core_number(found->matcher, entry)];
}

static bool
same_hit(const Hit *a, const Hit *b)
{
	return a->term == b->term && a->first == b->first && a->end == b->end &&
		   a->byte_first == b->byte_first && a->byte_end == b->byte_end;
}

static void
print_hits(const char *who, const Hit *hits, int count, int from)
{
	printf("# %s, from hit %d on:", who, from);
	for (int i = from; i < count && i < from + 10; i++)
		printf(" [term %d, characters %d-%d, bytes %d-%d]", hits[i].term, hits[i].first,
			   hits[i].end, hits[i].byte_first, hits[i].byte_end);
	printf(count <= from ? " none\n" : "\n");
}

/* Tells whether a term stands somewhere in a piece of text, whatever its edges. */
static bool
stands_within(uint32 folds, Codes term, Codes piece)
{
	Spelling t;
	Spelling p;

	oracle_fold(folds, term, &t);
	oracle_fold(folds, piece, &p);
	for (int i = 0; i + t.n <= p.n; i++)
	{
		int j = 0;

		while (j < t.n && t.out[j].code == p.out[i + j].code && t.out[j].run <= p.out[i + j].run)
			j++;
		if (j == t.n)
			return true;
	}
	return false;
}

/* The folds reported for a hit are of the dictionary's and suffice to see it. */
static void
check_needed(uint32 folds, const Text *term, const Text *text, const Hit *hit)
{
	const char *matched = text->utf8 + hit->byte_first;
	int length = hit->byte_end - hit->byte_first;
	uint32 needed = qg_folds_needed(folds, term->utf8, term->at[term->n], matched, length);
	static Text piece;
	bool good;

	piece.n = hit->end - hit->first;
	memcpy(piece.code, text->code + hit->first - 1, piece.n * sizeof(uint32));
	encode(&piece);
	good = (needed & ~folds) == 0 &&
		   (needed == folds || stands_within(needed, codes_of(term), codes_of(&piece)));
	if (good)
		return;
	failures++;
	printf("# a hit is not seen with the folds said to be needed, of these and these\n");
	print_folds(folds);
	print_folds(needed);
	print_text("term", term);
	print_text("matched", &piece);
}

/* Scans one text with the core and compares. */
static void
check_match(uint32 folds, const Text *texts, const OracleTerm *terms, int nterms,
			const QgMatcher *m, const Text *text)
{
	static Found found;
	static Hit want[HITS_MAX];
	bool applies[TERMS_MAX];
	bool overlaps = random_below(&rng, 2);
	bool all = true;
	int nwant = oracle_match(folds, terms, nterms, codes_of(text), overlaps, want, HITS_MAX);
	int expected;
	bool completed;
	bool good;
	int same = 0;

	for (int i = 0; i < nterms; i++)
		all &= applies[i] = terms[i].applies;
	found.count = 0;
	found.stop = random_below(&rng, 8) == 0 ? 1 + (int) random_below(&rng, 3) : -1;
	found.applies = applies;
	found.matcher = m;
	completed = qg_matcher_scan(m, text->utf8, text->at[text->n], overlaps,
								all ? NULL : term_applies, found_hit, &found);
	expected = found.stop > 0 ? Min(nwant, found.stop) : nwant;
	good = found.count == expected && completed == (found.stop < 0 || nwant < found.stop);
	for (int i = 0; good && i < expected && i < HITS_MAX; i++)
		good = same_hit(&want[i], &found.hit[i]);
	for (int i = 0; good && i < expected && i < 3; i++)
		check_needed(folds, &texts[found.hit[i].term], text, &found.hit[i]);
	if (good)
		return;
	failures++;
	printf("# matching differs%s%s\n", overlaps ? ", overlaps" : "",
		   found.stop > 0 ? ", stopped" : "");
	print_folds(folds);
	print_text("text", text);
	for (int i = 0; i < nterms; i++)
	{
		char name[100];

		snprintf(name, sizeof(name), "term %d, %s, severity %d%s", i,
				 terms[i].allow ? "allow" : "deny", terms[i].severity,
				 terms[i].applies ? "" : ", left out");
		print_text(name, &texts[i]);
	}
	while (same < Min(found.count, expected) && same_hit(&want[same], &found.hit[same]))
		same++;
	print_hits("core", found.hit, Min(found.count, HITS_MAX), same);
	print_hits("oracle", want, Min(expected, HITS_MAX), same);
	for (int i = 0; same < expected && i < text->n; i++)
		if (i >= want[same].first - 10 && i < want[same].end + 10)
			printf("%s%d:%04X", i == want[same].first - 10 || i == 0 ? "# " : " ", i + 1,
				   text->code[i]);
	printf("\n");
}

/* Bytes that are no UTF-8, which the server never stores, do no harm. */
static void
check_bytes(const QgMatcher *m)
{
	static Found found;
	char bytes[64];
	int length = 1 + (int) random_below(&rng, sizeof(bytes));

	for (int i = 0; i < length; i++)
		bytes[i] = (char) (random_below(&rng, 2) ? 0xE0 + random_below(&rng, 32)
												 : random_below(&rng, 256));
	found.count = 0;
	found.stop = -1;
	(void) qg_matcher_scan(m, bytes, length, true, NULL, found_hit, &found);
}

/* One random dictionary over a small alphabet, and texts over the same. */
static void
check_dictionary(uint32 folds, bool long_too)
{
	uint32 alphabet[8];
	int nalphabet = random_alphabet(&rng, alphabet);
	int nterms = random_below(&rng, TERMS_MAX + 1);
	static Text texts[TERMS_MAX];
	static Text text;
	OracleTerm terms[TERMS_MAX];
	QgTerm given[TERMS_MAX];
	MemoryContext work = shim_context();
	QgMatcher *m;

	for (int i = 0; i < nterms; i++)
	{
		texts[i].n = 1 + random_below(&rng, random_below(&rng, 4) ? 3 : TERM_MAX);
		for (int k = 0; k < texts[i].n; k++)
			texts[i].code[k] = alphabet[random_below(&rng, nalphabet)];
		encode(&texts[i]);
		terms[i] = (OracleTerm){.codes = codes_of(&texts[i]),
								.allow = random_below(&rng, 3) == 0,
								.severity = 1 + random_below(&rng, 3),
								.applies = random_below(&rng, 6) != 0};
		given[i] = core_term(i, texts[i].utf8, texts[i].at[texts[i].n], terms[i].allow,
							 terms[i].severity);
	}
	m = qg_matcher_build(given, nterms, folds);
	for (int round = 0; round < 40 && failures < FAILURES_MAX; round++)
	{
		text.n = random_below(&rng, round % 8 == 0 ? SHORT_MAX + 1 : 24);
		if (long_too && round == 0)
			text.n = TEXT_MAX - random_below(&rng, 10000);
		for (int k = 0; k < text.n; k++)
			text.code[k] = alphabet[random_below(&rng, nalphabet)];
		encode(&text);
		check_match(folds, texts, terms, nterms, m, &text);
		check_bytes(m);
	}
	shim_drop(work);
}

int
main(int argc, char **argv)
{
	uint64 seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	long strings = argc > 2 ? atol(argv[2]) : 200000;
	long dictionaries = argc > 3 ? atol(argv[3]) : 1000;
	uint32 masks[16] = {QG_FOLD_ALL,  QG_FOLD_ALL & ~QG_FOLD_REPEAT,
						QG_FOLD_NFKC, QG_FOLD_NFKC | QG_FOLD_CASE,
						QG_FOLD_CASE, QG_FOLD_INVISIBLE | QG_FOLD_REPEAT};
	static Text text;

	random_seed(&rng, seed);
	/* Tables are kept for each mask, so that a run takes a few of them, others another run. */
	for (int i = 6; i < lengthof(masks); i++)
		masks[i] = random_below(&rng, QG_FOLD_ALL + 1);
	for (int i = 0; argc > 4 && i < lengthof(masks); i++)
		masks[i] = (uint32) atol(argv[4]);

	for (long i = 0; i < strings && failures < FAILURES_MAX; i++)
	{
		MemoryContext work = shim_context();

		text.n = random_text(&rng, text.code, SHORT_MAX);
		encode(&text);
		check_fold(masks[random_below(&rng, lengthof(masks))], &text);
		if (i % 4 == 0)
			check_whole(masks[2 + random_below(&rng, 3)] & (QG_FOLD_NFKC | QG_FOLD_CASE), &text);
		shim_drop(work);
	}
	for (long i = 0; i < dictionaries && failures < FAILURES_MAX; i++)
		check_dictionary(masks[random_below(&rng, 3) ? random_below(&rng, lengthof(masks)) : 0],
						 i % 8 == 0);
	printf("# seed %llu, %ld strings, %ld dictionaries: %s\n", (unsigned long long) seed, strings,
		   dictionaries, failures ? "DIFFERENCES" : "agree");
	return failures ? 1 : 0;
}
