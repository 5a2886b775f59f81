/*
 * rows.c
 *		Inserting rows into the extension's own tables without a query.
 *
 * A query that inserts one row spends most of its time on being set up.  Where guards write, the
 * executor's own steps are taken here one by one, as logical replication takes them: triggers before
 * the row, constraints, the heap, the indexes.  Defaults are the caller's to give, and rights are
 * not asked: only functions of the extension come here, which decide who may call them.
 *
 * The executor reads check constraints and predicates of partial indexes anew from their stored
 * trees in each statement, which costs more than the row itself.  Here they are compiled once a
 * backend and again after the table changed.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/rows.h"

/* So many tables' expressions are kept compiled; those of further ones are compiled each time. */
#define COMPILED_MAX 16

/* So many rows, and bytes of them, wait to be written together. */
#define WAITING_MAX 1000
#define WAITING_BYTES (512 * 1024)

/* What is evaluated for every row of a table. */
typedef struct Compiled
{
	Oid relid;
	bool valid;
	MemoryContext context;
	ExprState **checks; /* in the order of the table's constraints, NULL where it has none */
	int nindexes;
	Oid *indexes;
	ExprState **predicates; /* NULL where an index is not partial */
} Compiled;

static Compiled compiled[COMPILED_MAX];
static int ncompiled = 0;

/* Marks stale what was compiled for the relation. */
static void
relation_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < ncompiled; i++)
		if (!OidIsValid(relid) || compiled[i].relid == relid)
			compiled[i].valid = false;
}

/* Compiles the expressions of a table whose indexes are open, in a memory that outlasts the call. */
static void
compile(Compiled *entry, Relation relation, const ResultRelInfo *target)
{
	TupleConstr *constraints = RelationGetDescr(relation)->constr;
	MemoryContext context = AllocSetContextCreate(
		TopTransactionContext, "quality_gov row expressions", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	EState *estate = CreateExecutorState();
	Compiled fresh = {.relid = RelationGetRelid(relation), .valid = true, .context = context};

	if (constraints != NULL && constraints->num_check > 0)
	{
		fresh.checks = palloc0(sizeof(ExprState *) * constraints->num_check);
		for (int i = 0; i < constraints->num_check; i++)
			fresh.checks[i] = ExecPrepareExpr(stringToNode(constraints->check[i].ccbin), estate);
	}
	fresh.nindexes = target->ri_NumIndices;
	fresh.indexes = palloc0(sizeof(Oid) * (fresh.nindexes + 1));
	fresh.predicates = palloc0(sizeof(ExprState *) * (fresh.nindexes + 1));
	for (int i = 0; i < fresh.nindexes; i++)
	{
		/* The tree that the executor was given goes with its statement. */
		List *predicate = copyObject(target->ri_IndexRelationInfo[i]->ii_Predicate);

		fresh.indexes[i] = RelationGetRelid(target->ri_IndexRelationDescs[i]);
		if (predicate != NIL)
			fresh.predicates[i] = ExecPrepareQual(predicate, estate);
	}
	MemoryContextSwitchTo(caller);
	/* What is stale may still be in use up the stack. */
	if (entry->context != NULL)
		MemoryContextSetParent(entry->context, TopTransactionContext);
	MemoryContextSetParent(context, TopMemoryContext);
	*entry = fresh;
}

/* Gives the place of a table's expressions, NULL where there is none. */
static Compiled *
find_place(Oid relid)
{
	for (int i = 0; i < ncompiled; i++)
		if (compiled[i].relid == relid)
			return &compiled[i];
	if (ncompiled < COMPILED_MAX)
	{
		if (ncompiled == 0)
			CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		return &compiled[ncompiled++];
	}
	/* Of an extension that was dropped, say. */
	for (int i = 0; i < ncompiled; i++)
		if (!compiled[i].valid)
			return &compiled[i];
	return NULL;
}

/* Hands the executor what it would compile itself for the first row. */
static void
lend_compiled(Relation relation, ResultRelInfo *target)
{
	Compiled *entry = find_place(RelationGetRelid(relation));

	if (entry == NULL)
		return;
	if (!entry->valid || entry->relid != RelationGetRelid(relation))
		compile(entry, relation, target);
	QG_CHECK_STATES(target) = entry->checks;
	for (int i = 0; i < Min(target->ri_NumIndices, entry->nindexes); i++)
		if (entry->indexes[i] == RelationGetRelid(target->ri_IndexRelationDescs[i]))
			target->ri_IndexRelationInfo[i]->ii_PredicateState = entry->predicates[i];
}

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
	lend_compiled(rows->relation, rows->target);
	rows->waiting = NULL;
	rows->nwaiting = 0;
	rows->bytes = 0;
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

/*
 * Inserts a row, of a table without triggers, unless another row, also one that somebody is about to
 * insert, may have the same key; tells whether it did.  What a conflict leaves is dead at once, as
 * after INSERT with ON CONFLICT, and somebody else who waits for the key goes on.
 */
bool
qg_rows_try_add(QgRows *rows, const Datum *values, const bool *nulls)
{
	TransactionId xid = GetCurrentTransactionId();
	int natts = RelationGetDescr(rows->relation)->natts;
	bool conflict = false;
	uint32 token;

	ExecClearTuple(rows->slot);
	memcpy(rows->slot->tts_values, values, natts * sizeof(Datum));
	memcpy(rows->slot->tts_isnull, nulls, natts * sizeof(bool));
	ExecStoreVirtualTuple(rows->slot);
	if (RelationGetDescr(rows->relation)->constr != NULL)
		ExecConstraints(rows->target, rows->slot, rows->estate);
	token = SpeculativeInsertionLockAcquire(xid);
	table_tuple_insert_speculative(rows->relation, rows->slot, rows->estate->es_output_cid, 0, NULL,
								   token);
	list_free(qg_index_tuples(rows->target, rows->slot, rows->estate, true, &conflict));
	table_tuple_complete_speculative(rows->relation, rows->slot, token, !conflict);
	SpeculativeInsertionLockRelease(xid);
	ExecClearTuple(rows->slot);
	ResetPerTupleExprContext(rows->estate);
	return !conflict;
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

/* Writes the rows that wait, page by page. */
static void
write_waiting(QgRows *rows)
{
	table_multi_insert(rows->relation, rows->waiting, rows->nwaiting, rows->estate->es_output_cid,
					   0, NULL);
	for (int i = 0; i < rows->nwaiting; i++)
	{
		rows->waiting[i]->tts_tableOid = RelationGetRelid(rows->relation);
		list_free(qg_index_tuples(rows->target, rows->waiting[i], rows->estate, false, NULL));
		ExecClearTuple(rows->waiting[i]);
	}
	ResetPerTupleExprContext(rows->estate);
	rows->nwaiting = 0;
	rows->bytes = 0;
}

/*
 * Takes a row to be written with others, at the latest by qg_rows_close().  No trigger fires and no
 * constraint is checked but uniqueness: it is for rows that are right by the caller's making.
 */
void
qg_rows_put(QgRows *rows, const Datum *values, const bool *nulls)
{
	MemoryContext caller = MemoryContextSwitchTo(rows->estate->es_query_cxt);
	HeapTuple tuple;

	if (rows->waiting == NULL)
		rows->waiting = palloc0(WAITING_MAX * sizeof(TupleTableSlot *));
	if (rows->waiting[rows->nwaiting] == NULL)
		rows->waiting[rows->nwaiting] = table_slot_create(rows->relation,
														  &rows->estate->es_tupleTable);
	tuple = heap_form_tuple(RelationGetDescr(rows->relation), (Datum *) values, (bool *) nulls);
	rows->bytes += tuple->t_len;
	ExecForceStoreHeapTuple(tuple, rows->waiting[rows->nwaiting++], true);
	MemoryContextSwitchTo(caller);
	if (rows->nwaiting == WAITING_MAX || rows->bytes > WAITING_BYTES)
		write_waiting(rows);
}

/* Ends inserting; what was inserted is seen by the commands that follow. */
void
qg_rows_close(QgRows *rows)
{
	if (rows->nwaiting > 0)
		write_waiting(rows);
	AfterTriggerEndQuery(rows->estate);
	ExecCloseIndices(rows->target);
	ExecDropSingleTupleTableSlot(rows->slot);
	ExecResetTupleTable(rows->estate->es_tupleTable, false);
	FreeExecutorState(rows->estate);
	table_close(rows->relation, NoLock);
	CommandCounterIncrement();
}
