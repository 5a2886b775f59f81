/*
 * lexicon_scan.c
 *		Folding and scanning as SQL sees them.
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

/* lexicon_folds(): the names of all folds. */
PG_FUNCTION_INFO_V1(qg_lexicon_folds);
Datum
qg_lexicon_folds(PG_FUNCTION_ARGS)
{
	Datum names[QG_FOLD_COUNT];

	for (int i = 0; i < QG_FOLD_COUNT; i++)
		names[i] = CStringGetTextDatum(qg_fold_name(i));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, QG_FOLD_COUNT, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Where the hits of a scan go; begun with the first, since most texts have none. */
typedef struct ScanResult
{
	FunctionCallInfo call;
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

/* Begins the rows of a result. */
static void
begin_rows(ScanResult *result)
{
	InitMaterializedSRF(result->call, 0);
	result->span_type = lookup_type_cache(INT4RANGEOID, TYPECACHE_RANGE_INFO);
	result->row_context = AllocSetContextCreate(
		CurrentMemoryContext, "quality_gov lexicon_scan row", ALLOCSET_SMALL_SIZES);
}

/* Stores one hit as a row. */
static bool
store_hit(const QgLexiconHit *hit, void *arg)
{
	ScanResult *result = arg;
	MemoryContext caller;
	Datum values[SCAN_COLUMNS];
	bool nulls[SCAN_COLUMNS] = {false};
	Datum folds[QG_LEXICON_FOLDS_MAX];

	CHECK_FOR_INTERRUPTS();
	if (result->row_context == NULL)
		begin_rows(result);
	caller = MemoryContextSwitchTo(result->row_context);
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

/* The names of lexicons that a call gave, kept for the next call, which mostly gives the same. */
typedef struct Names
{
	ArrayType *given;
	int count;
	char **names;
} Names;

/* Reads the names in a text array that holds no null; one named twice counts once. */
static void
read_names(Names *names, ArrayType *array)
{
	Datum *elements;
	bool *nulls;
	int nelements;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &nelements);
	names->names = palloc((nelements + 1) * sizeof(char *));
	names->count = 0;
	for (int i = 0; i < nelements; i++)
	{
		int j = 0;

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("a lexicon to scan for is null")));
		names->names[names->count] = TextDatumGetCString(elements[i]);
		while (strcmp(names->names[j], names->names[names->count]) != 0)
			j++;
		if (j == names->count)
			names->count++;
	}
}

/* Gives the names in an array, read anew only where it is not that of the call before. */
static const Names *
get_names(FunctionCallInfo fcinfo, int argument)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	Names *names = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (names != NULL && VARSIZE(names->given) == VARSIZE(array) &&
		memcmp(names->given, array, VARSIZE(array)) == 0)
		return names;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	names = palloc(sizeof(Names));
	names->given = palloc(VARSIZE(array));
	memcpy(names->given, array, VARSIZE(array));
	read_names(names, array);
	MemoryContextSwitchTo(caller);
	fcinfo->flinfo->fn_extra = names;
	return names;
}

/* Gives the version of a lexicon in force, NULL where none is; an unknown lexicon is an error. */
static const QgLexicon *
require_lexicon(const char *name, TimestampTz at)
{
	const QgLexicon *lexicon = qg_lexicon_find(name, at);

	if (lexicon == NULL && !qg_lexicon_exists(name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("lexicon \"%s\" does not exist", name)));
	return lexicon;
}

/* Begins a result of hits, which without a row is an empty set. */
static void
begin_result(FunctionCallInfo fcinfo, ScanResult *result)
{
	ReturnSetInfo *rows = (ReturnSetInfo *) fcinfo->resultinfo;

	if (rows == NULL || !IsA(rows, ReturnSetInfo) || !(rows->allowedModes & SFRM_Materialize))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that cannot accept a set")));
	rows->returnMode = SFRM_Materialize;
	result->call = fcinfo;
	result->rows = rows;
	result->row_context = NULL;
}

/* lexicon_scan(body, lexicons, category, at, all_hits): the hits, one row each. */
PG_FUNCTION_INFO_V1(qg_lexicon_scan_sql);
Datum
qg_lexicon_scan_sql(PG_FUNCTION_ARGS)
{
	ScanResult result;
	char *category = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool overlaps = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	text *body = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	const Names *names;

	qg_argument_require(fcinfo, 1, "lexicons");
	qg_argument_require(fcinfo, 3, "at");
	names = get_names(fcinfo, 1);
	begin_result(fcinfo, &result);
	for (int i = 0; i < names->count; i++)
	{
		const QgLexicon *lexicon = require_lexicon(names->names[i], PG_GETARG_TIMESTAMPTZ(3));

		if (lexicon != NULL && body != NULL)
			qg_lexicon_scan(lexicon, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), category, overlaps,
							store_hit, &result);
	}
	return (Datum) 0;
}

/* lexicon_scan_version(body, lexicon, version, category, all_hits): hits of any one version. */
PG_FUNCTION_INFO_V1(qg_lexicon_scan_version_sql);
Datum
qg_lexicon_scan_version_sql(PG_FUNCTION_ARGS)
{
	ScanResult result;
	char *category = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	bool overlaps = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	const QgLexicon *lexicon;
	char *name;

	qg_argument_require(fcinfo, 1, "lexicon");
	qg_argument_require(fcinfo, 2, "version");
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	lexicon = qg_lexicon_version(name, PG_GETARG_INT32(2));
	if (lexicon == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("lexicon \"%s\" has no version %d", name, PG_GETARG_INT32(2))));
	begin_result(fcinfo, &result);
	if (!PG_ARGISNULL(0))
	{
		text *body = PG_GETARG_TEXT_PP(0);

		qg_lexicon_scan(lexicon, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), category, overlaps,
						store_hit, &result);
	}
	return (Datum) 0;
}

/* lexicon_hits(body, lexicons, category, at): whether there is any hit. */
PG_FUNCTION_INFO_V1(qg_lexicon_hits_sql);
Datum
qg_lexicon_hits_sql(PG_FUNCTION_ARGS)
{
	const char *category = NULL;
	const Names *names;
	text *body;
	bool hit = false;

	qg_argument_require(fcinfo, 1, "lexicons");
	qg_argument_require(fcinfo, 3, "at");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(2))
		category = text_to_cstring(PG_GETARG_TEXT_PP(2));
	body = PG_GETARG_TEXT_PP(0);
	names = get_names(fcinfo, 1);
	for (int i = 0; i < names->count; i++)
	{
		const QgLexicon *lexicon = require_lexicon(names->names[i], PG_GETARG_TIMESTAMPTZ(3));

		if (!hit && lexicon != NULL)
			hit = qg_lexicon_hits(lexicon, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), category);
	}
	PG_FREE_IF_COPY(body, 0);
	PG_RETURN_BOOL(hit);
}

/* lexicon_compile(lexicon, version): compiles a version, so that nobody has to wait for it. */
PG_FUNCTION_INFO_V1(qg_lexicon_compile_sql);
Datum
qg_lexicon_compile_sql(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const QgLexicon *lexicon = qg_lexicon_version(name, PG_GETARG_INT32(1));

	if (lexicon == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("lexicon \"%s\" has no version %d", name, PG_GETARG_INT32(1))));
	(void) qg_lexicon_hits(lexicon, "", 0, NULL);
	PG_RETURN_VOID();
}
