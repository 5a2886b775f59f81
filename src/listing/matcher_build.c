/*
 * matcher_build.c
 *		Compiles a dictionary into an image.
 *
 * Stages:
 *
 * 1. Fold every term (here).  A term that folds to nothing can never be found and is left out.
 * 2. Number the code points that occur, frequent ones first (matcher_table.c).
 * 3. Sort the folded terms; those with equal code points become one pattern with a list of terms,
 *	  most severe first (here).  Make the table that tells a scan the number of what any code point
 *	  folds to (matcher_table.c).
 * 4. Lay the trie of the patterns out as a double array (matcher_array.c).
 * 5. Copy all of it into one image (here).
 */
#include "quality_gov.h"

#include "storage/shmem.h"
#include "utils/memutils.h"

#include "listing/matcher_build.h"

#define LENGTH_MAX PG_UINT16_MAX

/* Allocates a zeroed array in the current context, with an error where its size overflows. */
void *
qg_build_array(size_t count, size_t width)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, mul_size(Max(count, 1), width),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Appends a number to a growing array. */
static void
append(Growing *array, uint16 item)
{
	if (array->used == array->size)
	{
		array->size = Max(1024, mul_size(array->size, 2));
		array->items = array->items
						   ? repalloc_huge(array->items, mul_size(array->size, sizeof(uint16)))
						   : qg_build_array(array->size, sizeof(uint16));
	}
	((uint16 *) array->items)[array->used++] = item;
}

/* Stage 1: folds one term into the arena. */
static void
fold_term(Build *build, const QgTerm *term, int number)
{
	QgFoldScan scan;
	QgFoldedChar folded;
	Folded *entry = &build->folded[build->nfolded];

	memset(entry, 0, sizeof(Folded));
	entry->offset = build->arena_used;
	entry->first_break = build->breaks.used;
	entry->first_run = build->runs.used;
	qg_fold_begin(&scan, build->folds, term->text, term->length);
	while (qg_fold_next(&scan, &folded))
	{
		step_taken(build);
		if (build->arena_used == build->arena_size)
		{
			build->arena_size = mul_size(build->arena_size, 2);
			build->arena = repalloc_huge(build->arena, mul_size(build->arena_size, sizeof(uint32)));
		}
		if (entry->length == LENGTH_MAX)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("term of a lexicon is longer than %d characters", LENGTH_MAX)));
		if (entry->length == 0)
			entry->first_numeral = folded.numeral;
		else if (term->allow && folded.broken)
			append(&build->breaks, (uint16) entry->length);
		entry->last_numeral = folded.numeral;
		append(&build->runs, (uint16) Min(folded.run, PG_UINT16_MAX));
		entry->has_runs |= folded.run > 1;
		build->arena[build->arena_used++] = folded.codepoint;
		entry->length++;
	}
	if (!entry->has_runs)
		build->runs.used = entry->first_run;
	entry->nbreaks = (uint32) (build->breaks.used - entry->first_break);
	entry->number = number;
	entry->severity = term->severity;
	entry->allow = term->allow;
	if (entry->length > 0)
		build->nfolded++;
	build->longest = Max(build->longest, entry->length);
}

/* Orders folded terms by their symbols alone. */
static int
compare_symbols(const Build *build, const Folded *a, const Folded *b)
{
	const uint32 *left = build->arena + a->offset;
	const uint32 *right = build->arena + b->offset;
	uint32 length = Min(a->length, b->length);

	for (uint32 i = 0; i < length; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return a->length == b->length ? 0 : a->length < b->length ? -1 : 1;
}

/* Orders folded terms by symbols, then the most severe first, then as they were given. */
static int
compare_folded(const void *left, const void *right, void *arg)
{
	Build *build = arg;
	const Folded *a = left;
	const Folded *b = right;
	int order = compare_symbols(build, a, b);

	step_taken(build);
	if (order != 0)
		return order;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Stage 3: sorts the folded terms and makes those with equal code points one pattern. */
static void
sort_patterns(Build *build)
{
	qsort_arg(build->folded, build->nfolded, sizeof(Folded), compare_folded, build);
	build->patterns = qg_build_array(build->nfolded, sizeof(Folded));
	build->pattern_terms = qg_build_array((size_t) build->nfolded + 1, sizeof(uint32));
	for (uint32 i = 0; i < build->nfolded; i++)
	{
		step_taken(build);
		if (i > 0 && compare_symbols(build, &build->folded[i - 1], &build->folded[i]) == 0)
			continue;
		build->pattern_terms[build->npatterns] = i;
		build->patterns[build->npatterns++] = build->folded[i];
	}
	build->pattern_terms[build->npatterns] = build->nfolded;
}

/* Where stage 5 puts things. */
typedef struct Assembly
{
	Build *build;
	MatcherTerm *terms;
	uint16 *breaks;
	uint16 *runs;
	size_t breaks_used;
	size_t runs_used;
	char *strings;
	size_t strings_used;
	size_t strings_size;
	QgTerm last; /* lists given last, and where they were put */
	MatcherTerm last_place;
} Assembly;

/* Gives the bytes of a list of strings, its end included. */
static size_t
list_length(const char *list)
{
	const char *end = list;

	while (*end != '\0')
		end += strlen(end) + 1;
	return (size_t) (end - list) + 1;
}

/* Appends bytes to the strings and gives their offset. */
static uint32
put_bytes(Assembly *to, const char *bytes, size_t length)
{
	size_t offset = to->strings_used;

	if (offset + length > PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("lexicon is too large")));
	while (offset + length > to->strings_size)
	{
		to->strings_size = mul_size(to->strings_size, 2);
		to->strings = repalloc_huge(to->strings, to->strings_size);
	}
	memcpy(to->strings + offset, bytes, length);
	to->strings_used += length;
	return (uint32) offset;
}

/* Appends a list, or gives where the same list was put for the term before. */
static uint32
put_list(Assembly *to, const char *list, const char *last, uint32 last_place, bool single)
{
	size_t length;

	if (list == NULL)
		return 0;
	length = single ? strlen(list) + 1 : list_length(list);
	if (last != NULL && last_place != 0 &&
		length == (single ? strlen(last) + 1 : list_length(last)) &&
		memcmp(list, last, length) == 0)
		return last_place;
	return put_bytes(to, list, length);
}

/* Writes one term of the image. */
static void
put_term(Assembly *to, MatcherTerm *term, const Folded *folded)
{
	const Build *build = to->build;
	const QgTerm *given = &build->given[folded->number];

	term->number = (uint32) folded->number;
	term->severity = folded->severity;
	term->allow = folded->allow;
	term->first_numeral = folded->first_numeral;
	term->last_numeral = folded->last_numeral;
	term->text = put_bytes(to, given->text, given->length);
	(void) put_bytes(to, "", 1);
	term->categories = put_list(to, given->categories, to->last.categories,
								to->last_place.categories, false);
	term->tags = put_list(to, given->tags, to->last.tags, to->last_place.tags, false);
	term->legal_basis = put_list(to, given->legal_basis, to->last.legal_basis,
								 to->last_place.legal_basis, true);
	to->last = *given;
	to->last_place = *term;
	term->first_break = (uint32) to->breaks_used;
	term->first_run = (uint32) to->runs_used;
	if (folded->nbreaks > 0)
		memcpy(to->breaks + to->breaks_used, (uint16 *) build->breaks.items + folded->first_break,
			   folded->nbreaks * sizeof(uint16));
	to->breaks_used += folded->nbreaks;
	if (!folded->has_runs)
		return;
	memcpy(to->runs + to->runs_used, (uint16 *) build->runs.items + folded->first_run,
		   folded->length * sizeof(uint16));
	to->runs_used += folded->length;
}

/* Puts the terms in the order of their patterns, with their strings, breaks and runs. */
static void
put_terms(Assembly *to)
{
	Build *build = to->build;

	to->terms = qg_build_array((size_t) build->nfolded + 1, sizeof(MatcherTerm));
	to->breaks = qg_build_array(build->breaks.used, sizeof(uint16));
	to->runs = qg_build_array(build->runs.used, sizeof(uint16));
	to->strings_size = 1024;
	to->strings = qg_build_array(to->strings_size, 1);
	(void) put_bytes(to, "", 1);
	for (uint32 i = 0; i < build->nfolded; i++)
	{
		step_taken(build);
		put_term(to, &to->terms[i], &build->folded[i]);
	}
	to->terms[build->nfolded].first_break = (uint32) to->breaks_used;
	to->terms[build->nfolded].first_run = (uint32) to->runs_used;
}

/*
 * Writes the term in the place of the pattern where it is the only one, denies, and asks for nothing
 * of the text but that no word is cut: that is most of them, and a scan then need not look further.
 */
static void
shorten_patterns(Build *build)
{
	for (uint32 slot = 0; slot < build->nslots; slot++)
	{
		uint32 pattern = build->pattern[slot];
		uint32 first = build->pattern_terms[pattern];
		const Folded *term = &build->folded[first];

		step_taken(build);
		if ((build->nodes[slot].base & QG_NODE_ENDS) &&
			build->pattern_terms[pattern + 1] == first + 1 && !term->allow && !term->has_runs &&
			!term->first_numeral && !term->last_numeral)
			build->pattern[slot] = QG_PATTERN_TERM | first;
	}
}

/* Stage 5: copies everything into one image in the given context. */
static char *
assemble(Build *build, MemoryContext result, size_t *length)
{
	Assembly to = {.build = build};
	MatcherHeader header = {.magic = "qglexic",
							.format = QG_IMAGE_FORMAT,
							.folds = build->folds,
							.nsymbols = build->nsymbols,
							.nslots = build->nslots,
							.npatterns = build->npatterns,
							.nterms = build->nfolded,
							.longest = build->longest};
	const void *parts[QG_SECTION_COUNT];
	size_t sizes[QG_SECTION_COUNT];
	size_t total = MAXALIGN(sizeof(MatcherHeader));
	char *image;

	put_terms(&to);
	shorten_patterns(build);
	header.filter_shift = build->filter_shift;
	header.has_pairs = build->has_pairs;
	strlcpy(header.unicode, qg_text_icu_version(), sizeof(header.unicode));
#define PART(section, array, count, width) \
	(parts[section] = (array), sizes[section] = mul_size((count), (width)))
	PART(QG_SECTION_FLAT, build->flat, QG_FLAT_SIZE, sizeof(uint32));
	PART(QG_SECTION_PAGE, build->page, 0x1000, sizeof(uint16));
	PART(QG_SECTION_PAGES, build->pages, (size_t) build->npages * 256, sizeof(uint32));
	PART(QG_SECTION_SYMBOLS, build->symbols, (size_t) build->nsymbols * 2, sizeof(uint32));
	PART(QG_SECTION_NODES, build->nodes, build->nslots, sizeof(MatcherNode));
	PART(QG_SECTION_PATTERN, build->pattern, build->nslots, sizeof(uint32));
	PART(QG_SECTION_PATTERN_TERMS, build->pattern_terms, (size_t) build->npatterns + 1,
		 sizeof(uint32));
	PART(QG_SECTION_TERMS, to.terms, (size_t) build->nfolded + 1, sizeof(MatcherTerm));
	PART(QG_SECTION_BREAKS, to.breaks, to.breaks_used, sizeof(uint16));
	PART(QG_SECTION_RUNS, to.runs, to.runs_used, sizeof(uint16));
	PART(QG_SECTION_FILTER, build->filter, (size_t) 1 << (32 - build->filter_shift),
		 sizeof(uint32));
	PART(QG_SECTION_STRINGS, to.strings, to.strings_used, 1);
#undef PART
	for (int i = 0; i < QG_SECTION_COUNT; i++)
	{
		header.section[i] = total = TYPEALIGN(64, total);
		total = add_size(total, sizes[i]);
	}
	header.length = total;
	image = MemoryContextAllocExtended(result, total, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memcpy(image, &header, sizeof(header));
	for (int i = 0; i < QG_SECTION_COUNT; i++)
		memcpy(image + header.section[i], parts[i], sizes[i]);
	*length = total;
	return image;
}

/* Compiles a dictionary in the current memory context. */
QgMatcher *
qg_matcher_build(const QgTerm *terms, int nterms, uint32 folds)
{
	Build build = {.given = terms, .folds = folds};
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(result, "quality_gov matcher build",
											   ALLOCSET_DEFAULT_SIZES);
	QgMatcher *matcher;
	char *image;
	size_t length;

	MemoryContextSwitchTo(work);
	build.arena_size = 1024;
	build.arena = qg_build_array(build.arena_size, sizeof(uint32));
	build.folded = qg_build_array((size_t) nterms + 1, sizeof(Folded));
	for (int i = 0; i < nterms; i++)
		fold_term(&build, &terms[i], i);
	qg_build_symbols(&build);
	sort_patterns(&build);
	qg_build_table(&build);
	qg_build_nodes(&build);
	image = assemble(&build, result, &length);
	MemoryContextSwitchTo(result);
	MemoryContextDelete(work);
	matcher = qg_matcher_open(image, length);
	Assert(matcher != NULL);
	return matcher;
}

/*
 * Makes an image usable that stays where it is; NULL where it is none of this format or was folded
 * by another Unicode version.
 */
QgMatcher *
qg_matcher_open(const void *image, size_t length)
{
	const MatcherHeader *header = image;
	QgMatcher *matcher;
	const char *base = image;

	if (length < sizeof(MatcherHeader) || memcmp(header->magic, "qglexic", 8) != 0 ||
		header->format != QG_IMAGE_FORMAT || header->length != length ||
		strncmp(header->unicode, qg_text_icu_version(), sizeof(header->unicode) - 1) != 0)
		return NULL;
	for (int i = 0; i < QG_SECTION_COUNT; i++)
		if (header->section[i] > length || header->section[i] % 64 != 0)
			return NULL;
	matcher = palloc(sizeof(QgMatcher));
	matcher->header = header;
	matcher->flat = (const uint32 *) (base + header->section[QG_SECTION_FLAT]) + QG_FLAT_BEFORE;
	matcher->page = (const uint16 *) (base + header->section[QG_SECTION_PAGE]);
	matcher->pages = (const uint32 *) (base + header->section[QG_SECTION_PAGES]);
	matcher->symbols = (const uint32 *) (base + header->section[QG_SECTION_SYMBOLS]);
	matcher->nodes = (const MatcherNode *) (base + header->section[QG_SECTION_NODES]);
	matcher->pattern = (const uint32 *) (base + header->section[QG_SECTION_PATTERN]);
	matcher->pattern_terms = (const uint32 *) (base + header->section[QG_SECTION_PATTERN_TERMS]);
	matcher->terms = (const MatcherTerm *) (base + header->section[QG_SECTION_TERMS]);
	matcher->breaks = (const uint16 *) (base + header->section[QG_SECTION_BREAKS]);
	matcher->runs = (const uint16 *) (base + header->section[QG_SECTION_RUNS]);
	matcher->filter = (const uint32 *) (base + header->section[QG_SECTION_FILTER]);
	matcher->strings = base + header->section[QG_SECTION_STRINGS];
	return matcher;
}

/* Gives the bytes of a compiled dictionary. */
const void *
qg_matcher_image(const QgMatcher *matcher, size_t *length)
{
	*length = matcher->header->length;
	return matcher->header;
}

/* Gives what the dictionary keeps of a term; strings are the image's own. */
void
qg_matcher_term(const QgMatcher *matcher, int entry, QgTerm *term)
{
	const MatcherTerm *kept = &matcher->terms[entry];

	term->text = matcher->strings + kept->text;
	term->length = strlen(term->text);
	term->allow = kept->allow;
	term->severity = kept->severity;
	term->categories = kept->categories ? matcher->strings + kept->categories : NULL;
	term->tags = kept->tags ? matcher->strings + kept->tags : NULL;
	term->legal_basis = kept->legal_basis ? matcher->strings + kept->legal_basis : NULL;
}
