/*
 * ledger_live.c
 *		The rows of a protected table as they stand, for verification.
 *
 * Verification runs with the rights of the extension's owner, on tables of other people.  A query of
 * such a table would let their owners run code with those rights: the planner computes constant parts
 * of the predicates of indexes, of constraints and of partitions.  So the table is scanned here, where
 * nothing but the output functions of its types is called.
 */
#include "quality_gov.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_inherits.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "ledger/row_image.h"
#include "ledger/row_value.h"

/* Puts a row's subject and image into the result. */
static void
put_row(ReturnSetInfo *result, const QgImage *image, const char *label, TupleTableSlot *slot)
{
	bool nulls[2] = {false, false};
	QgImageRow row;
	Datum values[2];

	slot_getallattrs(slot);
	row.values = slot->tts_values;
	row.nulls = slot->tts_isnull;
	values[0] = PointerGetDatum(qg_image_subject(image, label, &row));
	values[1] = JsonbPGetDatum(qg_image_row(image, row.values, row.nulls));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Puts every row of a table that has rows of its own into the result. */
static void
put_table(ReturnSetInfo *result, Relation relation, const char *label)
{
	QgImage *image = qg_image_make(relation, NULL, 0);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	TableScanDesc scan = table_beginscan(relation, GetActiveSnapshot(), 0, NULL);
	int nest = qg_value_begin(image->pinned);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "quality_gov live row",
												  ALLOCSET_DEFAULT_SIZES);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext caller = MemoryContextSwitchTo(scratch);

		CHECK_FOR_INTERRUPTS();
		put_row(result, image, label, slot);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(scratch);
	}
	qg_value_end(nest);
	MemoryContextDelete(scratch);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
}

/* ledger_live(relation, label): subject and image of every row of a table and its partitions. */
PG_FUNCTION_INFO_V1(qg_ledger_live);
Datum
qg_ledger_live(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char *label = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ListCell *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach (cell, find_all_inheritors(PG_GETARG_OID(0), AccessShareLock, NULL))
	{
		Relation relation = table_open(lfirst_oid(cell), NoLock);

		if (relation->rd_rel->relkind == RELKIND_RELATION)
			put_table(result, relation, label);
		table_close(relation, NoLock);
	}
	return (Datum) 0;
}
