/*
 * lexicon_scan.c
 *		text_fold() and lexicon_scan(): folding and lexicons as SQL sees them.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "listing/fold.h"
#include "listing/listing.h"

/* text_fold(body, folds): the text as lexicons compare it. */
PG_FUNCTION_INFO_V1(qg_text_fold_sql);
Datum
qg_text_fold_sql(PG_FUNCTION_ARGS)
{
	uint32 folds = QG_FOLD_ALL;
	QgFoldScan scan;
	QgFoldedChar folded;
	StringInfoData result;
	text *body;
	int count = 0;

	if (!PG_ARGISNULL(1))
		folds = qg_folds_from_array(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	body = PG_GETARG_TEXT_PP(0);
	initStringInfo(&result);
	qg_fold_begin(&scan, folds, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body));
	while (qg_fold_next(&scan, &folded))
	{
		char utf8[4];

		if ((++count & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		appendBinaryStringInfo(&result, utf8, qg_codepoint_to_utf8(folded.codepoint, utf8));
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(result.data, result.len));
}

/* Where the hits of a scan go. */
typedef struct ScanResult
{
	ReturnSetInfo *rows;
	TypeCacheEntry *span_type;
	MemoryContext row_context; /* reset for each row */
} ScanResult;

#define SCAN_COLUMNS 9

/* Gives a list of strings as a text array. */
static Datum
strings_to_array(const char *list)
{
	ArrayBuildState *state = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	for (; *list != '\0'; list += strlen(list) + 1)
		accumArrayResult(state, CStringGetTextDatum(list), false, TEXTOID, CurrentMemoryContext);
	return makeArrayResult(state, CurrentMemoryContext);
}

/* Gives characters first to end, exclusive, as an int4range. */
static Datum
make_span(TypeCacheEntry *type, int first, int end)
{
	RangeBound lower = {.val = Int32GetDatum(first), .inclusive = true, .lower = true};
	RangeBound upper = {.val = Int32GetDatum(end)};

	return RangeTypePGetDatum(qg_make_range(type, &lower, &upper));
}

/* Stores one hit as a row. */
static bool
store_hit(const QgLexiconHit *hit, void *arg)
{
	ScanResult *result = arg;
	MemoryContext caller = MemoryContextSwitchTo(result->row_context);
	Datum values[SCAN_COLUMNS];
	bool nulls[SCAN_COLUMNS] = {false};
	Datum folds[QG_LEXICON_FOLDS_MAX];

	CHECK_FOR_INTERRUPTS();
	values[0] = CStringGetTextDatum(hit->lexicon);
	values[1] = Int32GetDatum(hit->version);
	values[2] = CStringGetTextDatum(hit->term);
	values[3] = Int16GetDatum((int16) hit->severity);
	values[4] = make_span(result->span_type, hit->first, hit->end);
	values[5] = CStringGetTextDatum(hit->matched);
	for (int i = 0; i < hit->nfolds; i++)
		folds[i] = CStringGetTextDatum(hit->folds[i]);
	values[6] = PointerGetDatum(
		construct_array(folds, hit->nfolds, TEXTOID, -1, false, TYPALIGN_INT));
	values[7] = strings_to_array(hit->tags);
	nulls[8] = hit->legal_basis == NULL;
	values[8] = nulls[8] ? (Datum) 0 : CStringGetTextDatum(hit->legal_basis);
	tuplestore_putvalues(result->rows->setResult, result->rows->setDesc, values, nulls);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(result->row_context);
	return true;
}

/* Gives the names in a text array that holds no null; one named twice counts once. */
static char **
read_names(Datum array, int *count)
{
	Datum *elements;
	bool *nulls;
	int nelements;
	char **names;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &nelements);
	names = palloc((nelements + 1) * sizeof(char *));
	*count = 0;
	for (int i = 0; i < nelements; i++)
	{
		int j = 0;

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("a lexicon to scan for is null")));
		names[*count] = TextDatumGetCString(elements[i]);
		while (strcmp(names[j], names[*count]) != 0)
			j++;
		if (j == *count)
			(*count)++;
	}
	return names;
}

/* lexicon_scan(body, lexicons, category, at, all_hits): the hits, one row each. */
PG_FUNCTION_INFO_V1(qg_lexicon_scan_sql);
Datum
qg_lexicon_scan_sql(PG_FUNCTION_ARGS)
{
	ScanResult result = {.rows = (ReturnSetInfo *) fcinfo->resultinfo};
	char *category = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool overlaps = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	const char *body = NULL;
	char **names;
	int count;
	size_t length = 0;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be null", PG_ARGISNULL(1) ? "lexicons" : "at")));
	InitMaterializedSRF(fcinfo, 0);
	names = read_names(PG_GETARG_DATUM(1), &count);
	result.span_type = lookup_type_cache(INT4RANGEOID, TYPECACHE_RANGE_INFO);
	result.row_context = AllocSetContextCreate(CurrentMemoryContext, "quality_gov lexicon_scan row",
											   ALLOCSET_SMALL_SIZES);
	if (!PG_ARGISNULL(0))
	{
		text *argument = PG_GETARG_TEXT_PP(0);

		body = VARDATA_ANY(argument);
		length = VARSIZE_ANY_EXHDR(argument);
	}
	for (int i = 0; i < count; i++)
	{
		const QgLexicon *lexicon;

		if (!qg_lexicon_exists(names[i]))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
							errmsg("lexicon \"%s\" does not exist", names[i])));
		lexicon = qg_lexicon_find(names[i], PG_GETARG_TIMESTAMPTZ(3));
		if (lexicon != NULL && body != NULL)
			qg_lexicon_scan(lexicon, body, length, category, overlaps, store_hit, &result);
	}
	return (Datum) 0;
}

/* lexicon_scan_version(body, lexicon, version, category, all_hits): the hits of one version. */
PG_FUNCTION_INFO_V1(qg_lexicon_scan_version_sql);
Datum
qg_lexicon_scan_version_sql(PG_FUNCTION_ARGS)
{
	ScanResult result = {.rows = (ReturnSetInfo *) fcinfo->resultinfo};
	char *category = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	bool overlaps = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	const QgLexicon *lexicon;
	char *name;
	text *body;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be null", PG_ARGISNULL(1) ? "lexicon" : "version")));
	InitMaterializedSRF(fcinfo, 0);
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	lexicon = qg_lexicon_version(name, PG_GETARG_INT32(2));
	if (lexicon == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("lexicon \"%s\" has no version %d", name, PG_GETARG_INT32(2))));
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	body = PG_GETARG_TEXT_PP(0);
	result.span_type = lookup_type_cache(INT4RANGEOID, TYPECACHE_RANGE_INFO);
	result.row_context = AllocSetContextCreate(
		CurrentMemoryContext, "quality_gov lexicon_scan_version row", ALLOCSET_SMALL_SIZES);
	qg_lexicon_scan(lexicon, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), category, overlaps,
					store_hit, &result);
	return (Datum) 0;
}
