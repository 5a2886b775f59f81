/*
 * lexicon.c
 *		Lexicons in force: a cache of their versions, compiled when first scanned.
 *
 * The cache's content is the list of published versions, which is small.  The terms of a version
 * are read and compiled when a text is first scanned for them and then live and die with the
 * content.  That they are read later than the list does no harm: the terms of a published version
 * do not change, and a change of either table drops the list.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/shmem.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "common/guard.h"
#include "listing/fold.h"
#include "listing/listing.h"
#include "listing/matcher.h"

/* What the cache holds: every version, drafts as never in force. */
typedef struct Lexicons
{
	int nversions;
	QgLexicon *versions; /* by name, then version; drafts are never in force */
} Lexicons;

/* What is kept of a term beside the matcher; strings are offsets, 0 for none. */
typedef struct TermInfo
{
	int32 term;
	int32 categories; /* list of strings, ended by an empty one */
	int32 tags;		  /* the same */
	int32 legal_basis;
	int16 severity;
	bool allow;
} TermInfo;

/* The compiled terms of a version. */
typedef struct QgLexiconTerms
{
	QgMatcher *matcher;
	TermInfo *terms;
	StringInfoData strings;
} QgLexiconTerms;

StaticAssertDecl(QG_FOLD_COUNT <= QG_LEXICON_FOLDS_MAX, "a hit has too few places for folds");

static void *build_lexicons(void);

static QgCache cache = {.name = "quality_gov lexicons",
						.tables = {"lexicon", "lexicon_term", NULL},
						.build = build_lexicons};

/* Gives a column of the current query's row, or 0 with *isnull set. */
static Datum
column(uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

/* Gives a text column of the current query's row in the current memory context, or NULL. */
static char *
column_text(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Gives the mask of the folds that a text array names; a null or an unknown one is an error. */
uint32
qg_folds_from_array(Datum array)
{
	Datum *names;
	bool *nulls;
	int count;
	uint32 folds = 0;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a fold is null")));
		folds |= qg_fold_by_name(TextDatumGetCString(names[i]));
	}
	return folds;
}

/* Fills in one version from the current query's row. */
static void
read_version(QgLexicon *lexicon, uint64 row)
{
	bool isnull;
	Datum value;

	lexicon->name = column_text(row, 1);
	lexicon->version = DatumGetInt32(column(row, 2, &isnull));
	lexicon->folds = qg_folds_from_array(column(row, 3, &isnull));
	lexicon->legal_basis = column_text(row, 4);
	value = column(row, 5, &isnull);
	lexicon->effect = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	value = column(row, 6, &isnull);
	lexicon->ended = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	value = column(row, 7, &isnull);
	lexicon->shadow = DatumGetBool(value);
	lexicon->content = CurrentMemoryContext;
	lexicon->terms = NULL;
}

/* Builds the cache's content. */
static void *
build_lexicons(void)
{
	MemoryContext context = CurrentMemoryContext;
	Lexicons *content = palloc0(sizeof(Lexicons));
	uint64 count = qg_cache_select(
		"SELECT lexicon, version, folds, legal_basis, lower(effect), upper(effect), "
		"state = 'shadow' FROM quality_gov.lexicon ORDER BY lexicon COLLATE \"C\", version",
		0, NULL, NULL, NULL);

	/* SPI left its own context current. */
	MemoryContextSwitchTo(context);
	content->versions = palloc((count + 1) * sizeof(QgLexicon));
	for (uint64 i = 0; i < count; i++)
		read_version(&content->versions[i], i);
	content->nversions = (int) count;
	return content;
}

/* Gives the first version of a lexicon in the content, or the place where it would be. */
static int
first_version(const Lexicons *content, const char *name)
{
	int low = 0;
	int high = content->nversions;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (strcmp(content->versions[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Tells whether there is a lexicon of that name, in force or not. */
bool
qg_lexicon_exists(const char *name)
{
	const Lexicons *content = qg_cache_get(&cache);
	int i = first_version(content, name);

	return i < content->nversions && strcmp(content->versions[i].name, name) == 0;
}

/* Gives the version of a lexicon that is in effect at an instant, on trial or not, or NULL. */
static const QgLexicon *
find_version(const char *name, TimestampTz at, bool shadow)
{
	const Lexicons *content = qg_cache_get(&cache);

	for (int i = first_version(content, name);
		 i < content->nversions && strcmp(content->versions[i].name, name) == 0; i++)
	{
		const QgLexicon *lexicon = &content->versions[i];

		if (lexicon->shadow == shadow && at >= lexicon->effect && lexicon->effect != DT_NOEND &&
			(at < lexicon->ended || lexicon->ended == DT_NOEND))
			return lexicon;
	}
	return NULL;
}

/* Gives the version of a lexicon that is in force at an instant, or NULL. */
const QgLexicon *
qg_lexicon_find(const char *name, TimestampTz at)
{
	return find_version(name, at, false);
}

/* Gives the version of a lexicon that is on trial at an instant, or NULL. */
const QgLexicon *
qg_lexicon_shadow(const char *name, TimestampTz at)
{
	return find_version(name, at, true);
}

/* Gives a version of a lexicon by its number, in whatever state, or NULL. */
const QgLexicon *
qg_lexicon_version(const char *name, int version)
{
	const Lexicons *content = qg_cache_get(&cache);

	for (int i = first_version(content, name);
		 i < content->nversions && strcmp(content->versions[i].name, name) == 0; i++)
		if (content->versions[i].version == version)
			return &content->versions[i];
	return NULL;
}

/* Appends a string with its end and gives its offset; NULL is 0. */
static int32
pack_string(StringInfo strings, const char *string)
{
	int32 offset = strings->len;

	if (string == NULL)
		return 0;
	appendBinaryStringInfo(strings, string, (int) strlen(string) + 1);
	return offset;
}

/*
 * Appends a text array of the current query's row as a list of strings and gives its offset; the
 * list appended last is used again where it is the same, as it is in most lexicons.
 */
static int32
pack_array(StringInfo strings, uint64 row, int number, int32 last)
{
	int32 offset = strings->len;
	bool isnull;
	Datum value = column(row, number, &isnull);
	Datum *elements;
	int count;

	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL,
					  &count);
	for (int i = 0; i < count; i++)
		pack_string(strings, TextDatumGetCString(elements[i]));
	appendStringInfoChar(strings, '\0');
	if (last != 0 && last + (strings->len - offset) <= offset &&
		memcmp(strings->data + last, strings->data + offset, strings->len - offset) == 0)
	{
		strings->len = offset;
		return last;
	}
	return offset;
}

/* Compiles the terms of the current query's rows into the current memory context. */
static QgLexiconTerms *
compile_rows(uint64 count, uint32 folds)
{
	QgLexiconTerms *compiled = palloc0(sizeof(QgLexiconTerms));
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "quality_gov lexicon terms",
											   ALLOCSET_DEFAULT_SIZES);
	QgTerm *terms = MemoryContextAllocExtended(work, mul_size(count + 1, sizeof(QgTerm)),
											   MCXT_ALLOC_HUGE);
	TermInfo last = {0};

	if (count > PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("lexicon is too large")));
	compiled->terms = palloc_extended(mul_size(count + 1, sizeof(TermInfo)), MCXT_ALLOC_HUGE);
	initStringInfo(&compiled->strings);
	appendStringInfoChar(&compiled->strings, '\0');
	for (uint64 i = 0; i < count; i++)
	{
		MemoryContext result = MemoryContextSwitchTo(work);
		TermInfo *info = &compiled->terms[i];
		char *basis;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		info->term = pack_string(&compiled->strings, column_text(i, 1));
		info->allow = DatumGetBool(column(i, 2, &isnull));
		info->severity = DatumGetInt16(column(i, 3, &isnull));
		info->categories = pack_array(&compiled->strings, i, 4, last.categories);
		info->tags = pack_array(&compiled->strings, i, 5, last.tags);
		basis = column_text(i, 6);
		if (basis != NULL && last.legal_basis != 0 &&
			strcmp(basis, compiled->strings.data + last.legal_basis) == 0)
			info->legal_basis = last.legal_basis;
		else
			info->legal_basis = pack_string(&compiled->strings, basis);
		last = *info;
		MemoryContextSwitchTo(result);
	}
	/* The strings stay where they are from here on. */
	for (uint64 i = 0; i < count; i++)
	{
		terms[i].text = compiled->strings.data + compiled->terms[i].term;
		terms[i].length = strlen(terms[i].text);
		terms[i].allow = compiled->terms[i].allow;
		terms[i].severity = compiled->terms[i].severity;
	}
	compiled->matcher = qg_matcher_build(terms, (int) count, folds);
	MemoryContextDelete(work);
	return compiled;
}

/*
 * Reads and compiles the terms of a version, with the owner's rights and the latest snapshot as
 * the cache itself is built; an error leaves the version uncompiled.
 */
static void
compile(QgLexicon *lexicon)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "quality_gov lexicon",
												  ALLOCSET_DEFAULT_SIZES);
	Oid types[2] = {TEXTOID, INT4OID};
	Datum values[2];
	uint64 count;
	QgOwner owner;
	QgLexiconTerms *compiled;

	values[0] = CStringGetTextDatum(lexicon->name);
	values[1] = Int32GetDatum(lexicon->version);
	qg_owner_begin(&owner);
	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	count = qg_cache_select("SELECT term, allow, severity, categories, tags, legal_basis "
							"FROM quality_gov.lexicon_term WHERE lexicon = $1 AND version = $2 "
							"ORDER BY allow, term COLLATE \"C\"",
							2, types, values, NULL);
	MemoryContextSwitchTo(context);
	compiled = compile_rows(count, lexicon->folds);
	SPI_finish();
	PopActiveSnapshot();
	qg_owner_end(&owner);

	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, lexicon->content);
	lexicon->terms = compiled;
}

/* The state of one scan of a version. */
typedef struct LexiconScan
{
	const QgLexicon *lexicon;
	const char *text;
	const char *category;
	QgLexiconCallback found;
	void *arg;
} LexiconScan;

/*
 * Tells whether a term is about the category scanned for, as category_covers() does in SQL.  Where
 * the category is not known, a deny term limited to categories counts and an allow term does not.
 */
static bool
term_applies(int term, void *arg)
{
	const LexiconScan *scan = arg;
	const QgLexiconTerms *terms = scan->lexicon->terms;
	const TermInfo *info = &terms->terms[term];
	const char *scope = terms->strings.data + info->categories;

	if (info->categories == 0)
		return true;
	for (; *scope != '\0'; scope += strlen(scope) + 1)
	{
		size_t length = strlen(scope);

		if (strcmp(scope, "*") == 0)
			return true;
		if (scan->category != NULL && strncmp(scan->category, scope, length) == 0 &&
			(scan->category[length] == '\0' || scan->category[length] == '/'))
			return true;
	}
	return scan->category == NULL && !info->allow;
}

/* Passes a hit of the matcher on with what the lexicon says of its term. */
static bool
pass_hit(const QgHit *hit, void *arg)
{
	const LexiconScan *scan = arg;
	const QgLexicon *lexicon = scan->lexicon;
	const TermInfo *info = &lexicon->terms->terms[hit->term];
	const char *strings = lexicon->terms->strings.data;
	QgLexiconHit result = {.lexicon = lexicon->name,
						   .version = lexicon->version,
						   .term = strings + info->term,
						   .severity = info->severity,
						   .tags = strings + info->tags,
						   .first = hit->first,
						   .end = hit->end,
						   .byte_first = hit->byte_first,
						   .byte_end = hit->byte_end};

	result.matched = pnstrdup(scan->text + hit->byte_first, hit->byte_end - hit->byte_first);
	result.legal_basis = info->legal_basis ? strings + info->legal_basis : lexicon->legal_basis;
	/* A spelling that is the dictionary's own needs no fold, whatever folding did to both. */
	for (int i = 0; i < QG_FOLD_COUNT && strcmp(result.matched, result.term) != 0; i++)
		if (hit->folds & (1 << i))
			result.folds[result.nfolds++] = qg_fold_name(i);
	return scan->found(&result, scan->arg);
}

/*
 * Reports the hits of a version in a text in order of their start: leftmost, then longest, or with
 * `overlaps` all.  Without a category deny terms of any category count, and allow terms that are
 * limited to categories do not.  Tells whether the scan came to the end.
 */
bool
qg_lexicon_scan(const QgLexicon *lexicon, const char *text, size_t length, const char *category,
				bool overlaps, QgLexiconCallback found, void *arg)
{
	LexiconScan scan = {
		.lexicon = lexicon, .text = text, .category = category, .found = found, .arg = arg};

	if (lexicon->terms == NULL)
		compile((QgLexicon *) lexicon);
	return qg_matcher_scan(lexicon->terms->matcher, text, length, overlaps, term_applies, pass_hit,
						   &scan);
}
