/*
 * listing_write.c
 *		Writing decisions: rows of two tables, ledger entries and credit events.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "common/guard.h"
#include "common/rows.h"
#include "listing/listing_record.h"

/* Gives an array of what each decision has at an offset. */
static Datum
decisions_array(const DecisionBatch *batch, size_t offset, Oid type, char align)
{
	int n = batch->ndecisions;
	Datum *items = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		items[i] = *(Datum *) ((char *) &batch->decisions[i] + offset);
	return PointerGetDatum(construct_array(items, n, type, -1, false, align));
}

/* Gives the array of severities that count, null where none does. */
static Datum
severities_array(const DecisionBatch *batch)
{
	int n = batch->ndecisions;
	Datum *items = palloc(sizeof(Datum) * n);
	bool *nulls = palloc(sizeof(bool) * n);
	int dims[1] = {n};
	int bounds[1] = {1};

	for (int i = 0; i < n; i++)
	{
		const char *grave = batch->decisions[i].grave;

		nulls[i] = grave == NULL;
		items[i] = grave ? CStringGetTextDatum(grave) : (Datum) 0;
	}
	return PointerGetDatum(
		construct_md_array(items, nulls, 1, dims, bounds, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Gives the array that tells which decisions are written whatever the last one was. */
static Datum
always_array(const DecisionBatch *batch)
{
	int n = batch->ndecisions;
	Datum *items = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		items[i] = BoolGetDatum(batch->decisions[i].always);
	return PointerGetDatum(construct_array(items, n, BOOLOID, 1, true, TYPALIGN_CHAR));
}

/* Gives the plan that writes decisions; the row types are new after DROP and CREATE EXTENSION. */
static SPIPlanPtr
record_plan(Oid decision, Oid finding)
{
	static SPIPlanPtr plan = NULL;
	static Oid planned = InvalidOid;
	Oid types[6] = {get_array_type(decision),
					get_array_type(finding),
					JSONBARRAYOID,
					TEXTARRAYOID,
					TEXTARRAYOID,
					BOOLARRAYOID};

	if (plan != NULL && planned == decision)
		return plan;
	if (plan != NULL)
		SPI_freeplan(plan);
	plan = NULL;
	plan = SPI_prepare("SELECT quality_gov.listing_record($1, $2, $3, $4, $5, $6)", 6, types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare the listing decisions");
	planned = decision;
	return plan;
}

/* Gives a function of the extension by its name, which no other has. */
static Oid
function_named(char *name)
{
	return LookupFuncName(list_make2(makeString(QG_SCHEMA), makeString(name)), -1, NULL, false);
}

/* Gives an array of a column of the decisions. */
static Datum
column_array(const DecisionBatch *batch, AttrNumber column, Oid type)
{
	int n = batch->ndecisions;
	Datum *items = palloc(sizeof(Datum) * n);
	bool *nulls = palloc(sizeof(bool) * n);
	int dims[1] = {n};
	int bounds[1] = {1};
	int16 length;
	bool byval;
	char align;

	get_typlenbyvalalign(type, &length, &byval, &align);
	for (int i = 0; i < n; i++)
		items[i] = GetAttributeByNum(DatumGetHeapTupleHeader(batch->decisions[i].row), column,
									 &nulls[i]);
	return PointerGetDatum(
		construct_md_array(items, nulls, 1, dims, bounds, type, length, byval, align));
}

/*
 * Writes decisions that are all to be written, without a query: rows of the two tables here, ledger
 * entries and credit events by the functions of their domains.
 */
static void
write_rows(const DecisionBatch *batch)
{
	QgRows rows;

	qg_rows_open(&rows, "listing_decision");
	for (int i = 0; i < batch->ndecisions; i++)
	{
		CHECK_FOR_INTERRUPTS();
		qg_rows_add_record(&rows, batch->decisions[i].row);
	}
	qg_rows_close(&rows);
	qg_rows_open(&rows, "listing_finding");
	for (int i = 0; i < batch->nfindings; i++)
		qg_rows_add_record(&rows, batch->findings[i]);
	qg_rows_close(&rows);
	OidFunctionCall3(function_named("ledger_record_all"), CStringGetTextDatum("listing_decision"),
					 decisions_array(batch, offsetof(Decision, subject), TEXTOID, TYPALIGN_INT),
					 decisions_array(batch, offsetof(Decision, body), JSONBOID, TYPALIGN_INT));
	OidFunctionCall6(function_named("credit_event_add_all"), CStringGetTextDatum("listing"),
					 column_array(batch, Anum_decision_merchant, TEXTOID), severities_array(batch),
					 column_array(batch, Anum_decision_at, TIMESTAMPTZOID),
					 column_array(batch, Anum_decision_relation, TEXTOID),
					 column_array(batch, Anum_decision_listing, TEXTOID));
}

/* Tells whether some decision may repeat the last one on its listing. */
static bool
may_repeat(const DecisionBatch *batch)
{
	for (int i = 0; i < batch->ndecisions; i++)
		if (!batch->decisions[i].always)
			return true;
	return false;
}

/* Writes decisions by a query that leaves out those that repeat the last one on their listing. */
static void
write_differing(const DecisionBatch *batch)
{
	Datum values[6];

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = decisions_array(batch, offsetof(Decision, row), batch->decision_type,
								TYPALIGN_DOUBLE);
	values[1] = PointerGetDatum(construct_array(batch->findings, batch->nfindings,
												batch->finding_type, -1, false, TYPALIGN_DOUBLE));
	values[2] = decisions_array(batch, offsetof(Decision, body), JSONBOID, TYPALIGN_INT);
	values[3] = decisions_array(batch, offsetof(Decision, subject), TEXTOID, TYPALIGN_INT);
	values[4] = severities_array(batch);
	values[5] = always_array(batch);
	if (SPI_execute_plan(record_plan(batch->decision_type, batch->finding_type), values, NULL,
						 false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not record listing decisions");
	SPI_finish();
}

/* Writes decisions, with the owner's rights. */
void
qg_decisions_insert(const DecisionBatch *batch)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "quality_gov decisions written", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	QgOwner owner;

	qg_owner_begin(&owner);
	if (may_repeat(batch))
		write_differing(batch);
	else
		write_rows(batch);
	qg_owner_end(&owner);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}
