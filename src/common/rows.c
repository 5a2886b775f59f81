/*
 * rows.c
 *		Inserting rows into the extension's own tables without a query.
 *
 * A query that inserts one row spends most of its time on being set up.  Where guards write, the
 * executor's own steps are taken here one by one, as logical replication takes them: triggers before
 * the row, constraints, the heap, the indexes.  Defaults are the caller's to give, and rights are
 * not asked: only functions of the extension come here, which decide who may call them.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/rows.h"

/* Makes ready to insert into a table of the extension. */
void
qg_rows_open(QgRows *rows, const char *table)
{
	Oid relid = get_relname_relid(table, get_namespace_oid(QG_SCHEMA, false));
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	if (!OidIsValid(relid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("table \"%s.%s\" does not exist", QG_SCHEMA, table)));
	rows->relation = table_open(relid, RowExclusiveLock);
	rows->estate = CreateExecutorState();
	rte->rtekind = RTE_RELATION;
	rte->relid = relid;
	rte->relkind = rows->relation->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
	QG_INIT_RANGE_TABLE(rows->estate, rte);
	rows->estate->es_output_cid = GetCurrentCommandId(true);
	rows->target = makeNode(ResultRelInfo);
	InitResultRelInfo(rows->target, rows->relation, 1, NULL, 0);
	ExecOpenIndices(rows->target, false);
	rows->slot = MakeSingleTupleTableSlot(RelationGetDescr(rows->relation), &TTSOpsVirtual);
	AfterTriggerBeginQuery();
}

/* Inserts the slot's row. */
static void
insert_slot(QgRows *rows)
{
	ExecStoreVirtualTuple(rows->slot);
	ExecSimpleRelationInsert(rows->target, rows->estate, rows->slot);
	ExecClearTuple(rows->slot);
	ResetPerTupleExprContext(rows->estate);
}

/* Inserts a row given by its columns. */
void
qg_rows_add(QgRows *rows, const Datum *values, const bool *nulls)
{
	int natts = RelationGetDescr(rows->relation)->natts;

	ExecClearTuple(rows->slot);
	memcpy(rows->slot->tts_values, values, natts * sizeof(Datum));
	memcpy(rows->slot->tts_isnull, nulls, natts * sizeof(bool));
	insert_slot(rows);
}

/* Inserts a row given as a record of the table's type. */
void
qg_rows_add_record(QgRows *rows, Datum record)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(record);
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	ExecClearTuple(rows->slot);
	heap_deform_tuple(&tuple, RelationGetDescr(rows->relation), rows->slot->tts_values,
					  rows->slot->tts_isnull);
	insert_slot(rows);
}

/* Ends inserting; what was inserted is seen by the commands that follow. */
void
qg_rows_close(QgRows *rows)
{
	AfterTriggerEndQuery(rows->estate);
	ExecCloseIndices(rows->target);
	ExecDropSingleTupleTableSlot(rows->slot);
	ExecResetTupleTable(rows->estate->es_tupleTable, false);
	FreeExecutorState(rows->estate);
	table_close(rows->relation, NoLock);
	CommandCounterIncrement();
}
