/*
 * lexicon_compile.c
 *		Reads the terms of a lexicon's version and compiles them.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/shmem.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "common/cache.h"
#include "common/guard.h"
#include "listing/lexicon_image.h"

#define FETCH_ROWS 10000

/* The terms read so far. */
typedef struct Terms
{
	MemoryContext context;
	QgTerm *items;
	size_t count;
	size_t size;
} Terms;

/* Gives a text array of the fetched row as a list of strings; that of the term before, if the same. */
static const char *
column_list(uint64 row, int number, const char *last)
{
	bool isnull;
	Datum value = qg_result_value(row, number, &isnull);
	StringInfoData list;
	Datum *elements;
	int count;

	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL,
					  &count);
	initStringInfo(&list);
	for (int i = 0; i < count; i++)
	{
		char *element = TextDatumGetCString(elements[i]);

		appendBinaryStringInfo(&list, element, (int) strlen(element) + 1);
	}
	appendStringInfoChar(&list, '\0');
	if (last != NULL && memcmp(last, list.data, list.len) == 0)
	{
		pfree(list.data);
		return last;
	}
	return list.data;
}

/* Adds the fetched rows to the terms. */
static void
add_rows(Terms *terms)
{
	MemoryContext caller = MemoryContextSwitchTo(terms->context);

	for (uint64 row = 0; row < SPI_processed; row++)
	{
		QgTerm *term;
		const QgTerm *last;
		bool isnull;
		char *basis;

		CHECK_FOR_INTERRUPTS();
		if (terms->count == PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("lexicon is too large")));
		if (terms->count == terms->size)
		{
			terms->size = mul_size(terms->size, 2);
			terms->items = repalloc_huge(terms->items, mul_size(terms->size, sizeof(QgTerm)));
		}
		term = &terms->items[terms->count];
		last = terms->count > 0 ? term - 1 : NULL;
		terms->count++;
		term->text = qg_result_text(row, 1);
		term->length = strlen(term->text);
		term->allow = DatumGetBool(qg_result_value(row, 2, &isnull));
		term->severity = DatumGetInt16(qg_result_value(row, 3, &isnull));
		term->categories = column_list(row, 4, last ? last->categories : NULL);
		term->tags = column_list(row, 5, last ? last->tags : NULL);
		basis = qg_result_text(row, 6);
		term->legal_basis = basis && last && last->legal_basis &&
									strcmp(basis, last->legal_basis) == 0
								? last->legal_basis
								: basis;
	}
	MemoryContextSwitchTo(caller);
}

/* Reads the terms of a version with the active snapshot. */
static void
read_terms(const QgLexicon *lexicon, Terms *terms)
{
	Oid types[2] = {TEXTOID, INT4OID};
	Datum values[2] = {CStringGetTextDatum(lexicon->name), Int32GetDatum(lexicon->version)};
	Portal portal = SPI_cursor_open_with_args(
		NULL,
		"SELECT term, allow, severity, categories, tags, legal_basis "
		"FROM quality_gov.lexicon_term WHERE lexicon = $1 AND version = $2 "
		"ORDER BY allow, term COLLATE \"C\"",
		2, types, values, NULL, true, 0);

	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		add_rows(terms);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
}

/*
 * Tells whether the terms that the active snapshot sees are those that were published.  They are not
 * while a dump is restored, or in a parallel query that is older than the publication.
 */
static bool
is_published(const QgLexicon *lexicon)
{
	Oid types[3] = {TEXTOID, INT4OID, BYTEAOID};
	bytea *digest = palloc(VARHDRSZ + QG_LEXICON_DIGEST);
	Datum values[3] = {CStringGetTextDatum(lexicon->name), Int32GetDatum(lexicon->version),
					   PointerGetDatum(digest)};

	SET_VARSIZE(digest, VARHDRSZ + QG_LEXICON_DIGEST);
	memcpy(VARDATA(digest), lexicon->digest, QG_LEXICON_DIGEST);
	if (qg_cache_select("SELECT WHERE quality_gov.lexicon_digest($1, $2) = $3", 3, types, values,
						NULL) == 1)
		return true;
	ereport(IsInParallelMode() ? ERROR : WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("terms of version %d of lexicon \"%s\" are not what was published",
					lexicon->version, lexicon->name),
			 IsInParallelMode()
				 ? errdetail("In a parallel query they may be newer than its snapshot.")
				 : 0,
			 errhint("quality_gov.lexicon_check() lists such versions.")));
	return false;
}

/*
 * Reads and compiles the terms of a version in the current memory context, with the owner's rights
 * and the latest snapshot, as the cache of versions is built.  Of a fixed version it tells whether
 * they are what was published.
 */
QgMatcher *
qg_lexicon_compile(const QgLexicon *lexicon, bool *published)
{
	MemoryContext result = CurrentMemoryContext;
	Terms terms = {.size = 1024};
	QgMatcher *matcher;
	QgOwner owner;

	terms.context = AllocSetContextCreate(result, "quality_gov lexicon terms",
										  ALLOCSET_DEFAULT_SIZES);
	terms.items = MemoryContextAlloc(terms.context, terms.size * sizeof(QgTerm));
	qg_owner_begin(&owner);
	qg_latest_snapshot_push();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	read_terms(lexicon, &terms);
	*published = lexicon->fixed && is_published(lexicon);
	SPI_finish();
	PopActiveSnapshot();
	qg_owner_end(&owner);
	MemoryContextSwitchTo(result);
	matcher = qg_matcher_build(terms.items, (int) terms.count, lexicon->folds);
	MemoryContextDelete(terms.context);
	return matcher;
}
