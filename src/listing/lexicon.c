/*
 * lexicon.c
 *		Lexicons in force: a cache of their versions, each with its compiled dictionary when scanned.
 *
 * The cache's content is the list of versions, which is small.  The dictionary of a published version
 * is an image file that all backends map (lexicon_image.c); where there is none it is compiled from
 * the terms (lexicon_compile.c).  That terms are read later than the list does no harm: those of a
 * published version do not change, and a change of either table drops the list.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "listing/fold.h"
#include "listing/lexicon_image.h"
#include "listing/listing.h"

/* What the cache holds: every version, drafts as never in force. */
typedef struct Lexicons
{
	int nversions;
	QgLexicon *versions; /* by name, then version; drafts are never in force */
} Lexicons;

StaticAssertDecl(QG_FOLD_COUNT <= QG_LEXICON_FOLDS_MAX, "a hit has too few places for folds");

static void *build_lexicons(void);

static QgCache cache = {.name = "quality_gov lexicons",
						.tables = {"lexicon", "lexicon_term", NULL},
						.build = build_lexicons};

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

	lexicon->name = qg_result_text(row, 1);
	lexicon->version = DatumGetInt32(qg_result_value(row, 2, &isnull));
	lexicon->folds = qg_folds_from_array(qg_result_value(row, 3, &isnull));
	lexicon->legal_basis = qg_result_text(row, 4);
	lexicon->effect = qg_result_instant(row, 5, DT_NOEND);
	lexicon->ended = qg_result_instant(row, 6, DT_NOEND);
	lexicon->trial = qg_result_instant(row, 7, DT_NOEND);
	lexicon->tried = qg_result_instant(row, 8, DT_NOEND);
	value = qg_result_value(row, 9, &isnull);
	lexicon->fixed = !isnull;
	if (!isnull)
	{
		bytea *digest = DatumGetByteaPP(value);

		if (VARSIZE_ANY_EXHDR(digest) != QG_LEXICON_DIGEST)
			lexicon->fixed = false;
		else
			memcpy(lexicon->digest, VARDATA_ANY(digest), QG_LEXICON_DIGEST);
	}
	lexicon->content = CurrentMemoryContext;
	lexicon->image = NULL;
}

/* Builds the cache's content. */
static void *
build_lexicons(void)
{
	Lexicons *content = palloc0(sizeof(Lexicons));
	uint64 count = qg_cache_select(
		"SELECT lexicon, version, folds, legal_basis, "
		"CASE WHEN state IN ('active', 'superseded') THEN lower(effect) END, upper(effect), "
		"lower(trial), upper(trial), CASE state WHEN 'draft' THEN NULL ELSE digest END "
		"FROM quality_gov.lexicon ORDER BY lexicon COLLATE \"C\", version",
		0, NULL, NULL, NULL);

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

/* Tells whether an instant is within a period, which is none where it begins at DT_NOEND. */
static inline bool
is_within(TimestampTz at, TimestampTz since, TimestampTz until)
{
	return since != DT_NOEND && at >= since && (at < until || until == DT_NOEND);
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

		if (is_within(at, shadow ? lexicon->trial : lexicon->effect,
					  shadow ? lexicon->tried : lexicon->ended))
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

/* Lets go of a version's dictionary when the content that it belongs to is freed. */
static void
release_image(void *arg)
{
	qg_lexicon_image_release(arg);
}

/* Loads the dictionary of a version; an error leaves it unloaded. */
static const QgMatcher *
get_matcher(QgLexicon *lexicon)
{
	MemoryContextCallback *callback;

	if (lexicon->image == NULL)
	{
		callback = MemoryContextAlloc(lexicon->content, sizeof(MemoryContextCallback));
		lexicon->image = qg_lexicon_image_get(lexicon);
		callback->func = release_image;
		callback->arg = lexicon->image;
		MemoryContextRegisterResetCallback(lexicon->content, callback);
	}
	return lexicon->image->matcher;
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
term_applies(int entry, void *arg)
{
	const LexiconScan *scan = arg;
	const char *scope;
	QgTerm term;

	qg_matcher_term(scan->lexicon->image->matcher, entry, &term);
	if (term.categories == NULL)
		return true;
	for (scope = term.categories; *scope != '\0'; scope += strlen(scope) + 1)
	{
		size_t length = strlen(scope);

		if (strcmp(scope, "*") == 0)
			return true;
		if (scan->category != NULL && strncmp(scan->category, scope, length) == 0 &&
			(scan->category[length] == '\0' || scan->category[length] == '/'))
			return true;
	}
	return scan->category == NULL && !term.allow;
}

/* Passes a hit of the matcher on with what the lexicon says of its term. */
static bool
pass_hit(const QgHit *hit, void *arg)
{
	const LexiconScan *scan = arg;
	const QgLexicon *lexicon = scan->lexicon;
	QgLexiconHit result = {.lexicon = lexicon->name, .version = lexicon->version};
	size_t length;
	uint32 needed;
	QgPlace place;
	QgTerm term;

	qg_hit_locate(hit, &place);
	result.first = place.first;
	result.end = place.end;
	result.byte_first = place.byte_first;
	result.byte_end = place.byte_end;
	length = place.byte_end - place.byte_first;
	qg_matcher_term(lexicon->image->matcher, hit->entry, &term);
	result.term = term.text;
	result.severity = term.severity;
	result.tags = term.tags ? term.tags : "";
	result.matched = pnstrdup(scan->text + place.byte_first, length);
	result.legal_basis = term.legal_basis ? term.legal_basis : lexicon->legal_basis;
	needed = qg_folds_needed(lexicon->folds, term.text, term.length, result.matched, length);
	for (int i = 0; i < QG_FOLD_COUNT; i++)
		if (needed & (1 << i))
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
	const QgMatcher *matcher = get_matcher(unconstify(QgLexicon *, lexicon));

	return qg_matcher_scan(matcher, text, length, overlaps, term_applies, pass_hit, &scan);
}

/* Ends a scan at its first hit. */
static bool
stop_at_hit(const QgHit *hit, void *arg)
{
	return false;
}

/* Tells whether a version has any hit in a text. */
bool
qg_lexicon_hits(const QgLexicon *lexicon, const char *text, size_t length, const char *category)
{
	LexiconScan scan = {.lexicon = lexicon, .text = text, .category = category};
	const QgMatcher *matcher = get_matcher(unconstify(QgLexicon *, lexicon));

	return !qg_matcher_scan(matcher, text, length, false, term_applies, stop_at_hit, &scan);
}
