/*
 * matcher.c
 *		Folding and matching in process, beside what one would take otherwise: ICU's NFKC_Casefold and
 *		Vectorscan's literals; see 020_matcher.sh.
 *
 *		matcher FOLDER LISTINGS PAIRS
 *
 * Times are processor time, taken piece by piece of the corpus in turns, so that other load on the
 * machine and its drift hit all alike.
 */
#include "core.h"
#include "corpus.h"

#include "listing/matcher_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#ifdef HAVE_HS
#include <hs/hs.h>
#endif

#define PAIRS_MAX 101
#define ROOM 40000

/* One line of the result. */
typedef struct Row
{
	const char *work;
	const char *unit;
	double ours[PAIRS_MAX];
	double peer[PAIRS_MAX];
	int n;
	double bar;
	double stretch;
} Row;

/* Pieces of the corpus are measured in turns. */
#define PIECE 1000

static Strings docs;
static int from;
static int to;
static long nbytes;
static uint64 checksum;

/* Gives the processor time used. */
static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double
median(const double *values, int n)
{
	double sorted[PAIRS_MAX];

	memcpy(sorted, values, n * sizeof(double));
	qsort(sorted, n, sizeof(double), compare_doubles);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Prints a row: medians, the median of the pairwise ratios, the bar and the spread. */
static void
print_row(const Row *row)
{
	double ratio[PAIRS_MAX];
	double low;
	double high;
	char bar[40] = "-";

	if (row->peer[0] == 0)
	{
		double all[PAIRS_MAX];

		memcpy(all, row->ours, sizeof(all));
		qsort(all, row->n, sizeof(double), compare_doubles);
		if (row->bar > 0)
			snprintf(bar, sizeof(bar), "<= %g %s", row->bar, row->unit);
		printf("%-58s %9.3f %9s %7s %18s  %.3f to %.3f%s\n", row->work, median(row->ours, row->n),
			   "-", "-", bar, all[0], all[row->n - 1],
			   row->bar == 0						   ? ""
			   : median(row->ours, row->n) <= row->bar ? "  met"
													   : "  MISSED");
		return;
	}
	for (int i = 0; i < row->n; i++)
		ratio[i] = row->ours[i] / row->peer[i];
	qsort(ratio, row->n, sizeof(double), compare_doubles);
	low = ratio[0];
	high = ratio[row->n - 1];
	if (row->bar > 0)
		snprintf(bar, sizeof(bar), "<= %g (%g)", row->bar, row->stretch);
	printf("%-58s %9.3f %9.3f %7.3f %18s  %.3f to %.3f%s\n", row->work, median(row->ours, row->n),
		   median(row->peer, row->n), median(ratio, row->n), bar, low, high,
		   row->bar == 0					   ? ""
		   : median(ratio, row->n) <= row->bar ? "  met"
											   : "  MISSED");
}

static bool
count_hit(const QgHit *hit, void *arg)
{
	++*(uint64 *) arg;
	return true;
}

static bool
locate_hit(const QgHit *hit, void *arg)
{
	QgPlace place;

	qg_hit_locate(hit, &place);
	checksum += place.first;
	++*(uint64 *) arg;
	return true;
}

/* Folds and matches a piece; microseconds. */
static double
ours_match(const QgMatcher *m, bool overlaps, QgHitCallback found, uint64 *total)
{
	double began = now();

	for (int i = from; i < to; i++)
		qg_matcher_scan(m, docs.text[i], docs.bytes[i], overlaps, NULL, found, total);
	return (now() - began) * 1e6;
}

/* Folds a piece into a dictionary's symbols, as a scan does, alone. */
static double
ours_symbols(const QgMatcher *m)
{
	double began = now();
	Scan scan;
	bool more = true;

	for (int i = from; i < to; i++)
	{
		qg_chunk_begin(&scan, m, docs.text[i], docs.bytes[i]);
		for (more = true; more; qg_chunk_shift(&scan))
		{
			more = qg_chunk_fill(&scan);
			checksum += scan.chunk.count;
			scan.chunk.next = scan.chunk.count;
		}
		qg_chunk_end(&scan);
	}
	return (now() - began) * 1e6;
}

/* Folds a piece to code points, alone. */
static double
ours_fold(void)
{
	double began = now();
	QgFoldScan scan;
	QgFoldedChar f;

	for (int i = from; i < to; i++)
	{
		qg_fold_begin(&scan, QG_FOLD_ALL, docs.text[i], docs.bytes[i]);
		while (qg_fold_next(&scan, &f))
			checksum += f.codepoint;
	}
	return (now() - began) * 1e6;
}

/* Decodes a piece. */
static double
peer_decode(void)
{
	double began = now();

	for (int i = from; i < to; i++)
	{
		const char *text = docs.text[i];
		int length = docs.bytes[i];

		for (int pos = 0; pos < length;)
		{
			UChar32 c;

			U8_NEXT_UNSAFE(text, pos, c);
			checksum += c;
		}
	}
	return (now() - began) * 1e6;
}

/* NFKC_Casefold by ICU's C API, UTF-8 to UTF-8; gives the number of bytes. */
static int
icu_fold(const char *text, int bytes, char *out)
{
	static UChar wide[ROOM];
	static UChar folded[ROOM];
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *normalizer = unorm2_getNFKCCasefoldInstance(&status);
	int32_t n;

	u_strFromUTF8(wide, ROOM, &n, text, bytes, &status);
	n = unorm2_normalize(normalizer, wide, n, folded, ROOM, &status);
	u_strToUTF8(out, ROOM, &n, folded, n, &status);
	if (U_FAILURE(status))
		abort();
	return n;
}

static double
peer_icu(void)
{
	static char folded[ROOM];
	double began = now();

	for (int i = from; i < to; i++)
		checksum += icu_fold(docs.text[i], docs.bytes[i], folded);
	return (now() - began) * 1e6;
}

/* Compiles a dictionary; seconds. */
static double
ours_compile(const Strings *list, QgMatcher **result)
{
	QgTerm *terms = calloc(list->n, sizeof(QgTerm));
	double began;

	for (int i = 0; i < list->n; i++)
		terms[i] = (QgTerm){.text = list->text[i], .length = list->bytes[i], .severity = 3};
	began = now();
	*result = qg_matcher_build(terms, list->n, QG_FOLD_ALL);
	began = now() - began;
	free(terms);
	return began;
}

#ifdef HAVE_HS
static hs_scratch_t *scratch = NULL;

static int
hs_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	++*(uint64 *) arg;
	return 0;
}

static double
hs_build(const Strings *list, hs_database_t **db)
{
	const char **texts = calloc(list->n, sizeof(char *));
	size_t *lengths = calloc(list->n, sizeof(size_t));
	unsigned *flags = calloc(list->n, sizeof(unsigned));
	unsigned *ids = calloc(list->n, sizeof(unsigned));
	static char folded[ROOM];
	hs_compile_error_t *error;
	double began;

	for (int i = 0; i < list->n; i++)
	{
		lengths[i] = icu_fold(list->text[i], list->bytes[i], folded);
		texts[i] = strndup(folded, lengths[i]);
		ids[i] = i;
	}
	began = now();
	if (hs_compile_lit_multi(texts, flags, ids, lengths, list->n, HS_MODE_BLOCK, NULL, db,
							 &error) != HS_SUCCESS)
	{
		printf("Vectorscan: %s\n", error->message);
		exit(1);
	}
	began = now() - began;
	hs_alloc_scratch(*db, &scratch);
	return began;
}

/* Folds by ICU and matches by Vectorscan. */
static double
peer_match(const hs_database_t *db, uint64 *total)
{
	static char folded[ROOM];
	double began = now();

	for (int i = from; i < to; i++)
	{
		int n = icu_fold(docs.text[i], docs.bytes[i], folded);

		hs_scan(db, folded, n, 0, scratch, hs_hit, total);
	}
	return (now() - began) * 1e6;
}
#endif

static void
read_listings(Corpus *corpus, int share, int count)
{
	static Listing listing;

	corpus->share = share;
	nbytes = 0;
	docs.n = count;
	docs.text = calloc(count, sizeof(char *));
	docs.bytes = calloc(count, sizeof(int));
	for (int i = 0; i < count; i++)
	{
		corpus_listing(corpus, i + 1, &listing);
		docs.text[i] = strdup(listing.text);
		docs.bytes[i] = listing.bytes;
		nbytes += listing.bytes;
	}
}

int
main(int argc, char **argv)
{
	Corpus corpus;
	int pairs = Min(argc > 3 ? atoi(argv[3]) : 7, PAIRS_MAX);
	Row match[2] = {{"fold, match, all hits / ICU + Vectorscan", "µs", .bar = 0.65, .stretch = 0.4},
					{"  the same, every word a term", "µs"}};
	Row longest[2] = {{"fold, match, leftmost-longest / ICU + Vectorscan", "µs"},
					  {"  the same, every word a term", "µs"}};
	Row symbols = {"table-driven fold, as a scan does it / decode UTF-8", "µs", .bar = 2,
				   .stretch = 1.2};
	Row fold = {"fold to code points, as text_fold() / decode UTF-8", "µs"};
	Row located = {"fold, match, leftmost-longest, locate / ICU + Vectorscan", "µs"};
	Row clean = {"fold, match 50,000 terms that 5 % have / ICU + Vectorscan", "µs"};
	Row icu = {"ICU NFKC_Casefold alone / decode UTF-8", "µs"};
	Row small = {"compile 49,174 terms", "s", .bar = 0.5};
	Row middle = {"compile 64,000 terms / Vectorscan", "s"};
	Row large = {"compile 1,000,000 terms", "s", .bar = 20};
	Strings everyday;
	Strings more;
	Strings million;
	Strings guard;
	QgMatcher *guard_m = NULL;
	QgMatcher *m = NULL;
	uint64 total[5] = {0};
	uint64 ignored = 0;
	size_t memory[2];
#ifdef HAVE_HS
	hs_database_t *db = NULL;
	hs_database_t *db64 = NULL;
	hs_database_t *guard_db = NULL;
	size_t size;
#endif

	if (argc < 3 || !corpus_open(&corpus, argv[1], CORPUS_SHARE))
		return 3;
	everyday = corpus_dictionary(&corpus, "everyday");
	more = corpus_dictionary(&corpus, "everyday64k");
	million = corpus_dictionary(&corpus, "million");
	guard = corpus_dictionary(&corpus, "guard");

	for (int i = 0; i < pairs; i++)
	{
		MemoryContext context = shim_context();

		small.ours[small.n++] = ours_compile(&everyday, &m);
		if (i < 3)
		{
			middle.ours[middle.n] = ours_compile(&more, &m);
#ifdef HAVE_HS
			middle.peer[middle.n] = hs_build(&more, &db64);
			hs_free_database(db64);
#endif
			middle.n++;
		}
		shim_drop(context);
	}
	for (int i = 0; i < 3; i++)
	{
		MemoryContext context = shim_context();

		large.ours[large.n++] = ours_compile(&million, &m);
		memory[1] = shim_allocated();
		shim_drop(context);
		memory[1] -= shim_allocated();
	}
	memory[0] = shim_allocated();
	ours_compile(&everyday, &m);
	memory[0] = shim_allocated() - memory[0];
	ours_compile(&guard, &guard_m);
#ifdef HAVE_HS
	hs_build(&everyday, &db);
	hs_build(&guard, &guard_db);
	hs_database_size(db, &size);
#endif
	for (int dense = 0; dense < 2; dense++)
	{
		read_listings(&corpus, dense ? 100 : CORPUS_SHARE, atoi(argv[2]));
		printf(
			"%d listings, %.1f MB, %.0f bytes each, %d %% of the words in the dictionary of %d\n",
			docs.n, nbytes / 1e6, (double) nbytes / docs.n, corpus.share, everyday.n);
		for (int i = -1; i < pairs; i++)
		{
			/* once unmeasured, so that tables are filled */
			int n = Max(i, 0);

			if (i == 0)
				memset(total, 0, sizeof(total));
			match[dense].ours[n] = match[dense].peer[n] = longest[dense].ours[n] = 0;
			if (!dense)
				fold.ours[n] = fold.peer[n] = icu.ours[n] = symbols.ours[n] = clean.ours[n] =
					clean.peer[n] = located.ours[n] = 0;
			for (from = 0; from < docs.n; from = to)
			{
				to = Min(from + PIECE, docs.n);
				match[dense].ours[n] += ours_match(m, true, count_hit, &total[0]);
				longest[dense].ours[n] += ours_match(m, false, count_hit, &total[1]);
#ifdef HAVE_HS
				match[dense].peer[n] += peer_match(db, &total[2]);
#endif
				if (dense)
					continue;
				clean.ours[n] += ours_match(guard_m, true, count_hit, &total[3]);
#ifdef HAVE_HS
				clean.peer[n] += peer_match(guard_db, &total[4]);
#endif
				located.ours[n] += ours_match(m, false, locate_hit, &ignored);
				symbols.ours[n] += ours_symbols(m);
				fold.ours[n] += ours_fold();
				fold.peer[n] += peer_decode();
				icu.ours[n] += peer_icu();
			}
			match[dense].ours[n] /= docs.n;
			match[dense].peer[n] /= docs.n;
			longest[dense].ours[n] /= docs.n;
			longest[dense].peer[n] = match[dense].peer[n];
			if (!dense)
			{
				fold.ours[n] /= docs.n;
				fold.peer[n] /= docs.n;
				icu.ours[n] /= docs.n;
				icu.peer[n] = symbols.peer[n] = fold.peer[n];
				symbols.ours[n] /= docs.n;
				located.ours[n] /= docs.n;
				located.peer[n] = match[dense].peer[n];
				clean.ours[n] /= docs.n;
				clean.peer[n] /= docs.n;
			}
			match[dense].n = longest[dense].n = n + 1;
			if (!dense)
				fold.n = icu.n = symbols.n = clean.n = located.n = n + 1;
		}
		printf("  hits a listing: all %.1f, leftmost-longest %.1f, Vectorscan %.1f (sees through "
			   "what NFKC_Casefold "
			   "does only)\n",
			   (double) total[0] / pairs / docs.n, (double) total[1] / pairs / docs.n,
			   (double) total[2] / pairs / docs.n);
	}
	printf("memory: %d terms %.1f MB, 1,000,000 terms %.1f MB", everyday.n, memory[0] / 1e6,
		   memory[1] / 1e6);
#ifdef HAVE_HS
	printf(", Vectorscan %d terms %.1f MB\n", everyday.n, size / 1e6);
#else
	printf("\nskipped: Vectorscan (libvectorscan-dev is not installed; QG_BENCH_PEERS=1 installs "
		   "it)\n");
#endif
	printf("%-58s %9s %9s %7s %18s  %s\n", "work (µs a listing; compiling: s)", "ours", "peer",
		   "ratio", "bar (stretch)", "spread");
	for (int dense = 0; dense < 2; dense++)
		print_row(&match[dense]);
	for (int dense = 0; dense < 2; dense++)
		print_row(&longest[dense]);
	print_row(&located);
	print_row(&clean);
	print_row(&symbols);
	print_row(&fold);
	print_row(&icu);
	print_row(&small);
	print_row(&middle);
	print_row(&large);
	return checksum == 0;
}
