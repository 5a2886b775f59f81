/*
 * trace.c
 *		The functions that trace lots, for SQL.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "trace/trace_walk.h"

/* Columns of a trace's rows. */
enum
{
	COLUMN_LOT,
	COLUMN_DEPTH,
	COLUMN_VIA,
	COLUMN_QUANTITY,
	COLUMN_CYCLE,
	COLUMN_MORE,
	COLUMN_TRUNCATED,
	COLUMNS
};

/* Fails unless a lot is known; asked of lots without links only. */
static void
require_lot(int64 lot)
{
	Oid schema = get_namespace_oid(QG_SCHEMA, false);
	Relation table = table_open(get_relname_relid("lot", schema), AccessShareLock);
	Relation index = index_open(get_relname_relid("lot_pkey", schema), AccessShareLock);
	IndexScanDesc scan = qg_index_beginscan(table, index, GetActiveSnapshot(), 1);
	TupleTableSlot *row = table_slot_create(table, NULL);
	ScanKeyData key;
	bool known;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(lot));
	index_rescan(scan, &key, 1, NULL, 0);
	known = index_getnext_slot(scan, ForwardScanDirection, row);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(row);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	if (!known)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND), errmsg("lot %lld does not exist", (long long) lot),
				 errhint("lot_find() gives the lot of a GTIN and lot code.")));
}

/* Reads a limit from an argument: null for none, which is 0. */
static int64
limit_argument(FunctionCallInfo fcinfo, int argument, const char *name, bool is_bigint)
{
	int64 limit;

	if (PG_ARGISNULL(argument))
		return 0;
	limit = is_bigint ? PG_GETARG_INT64(argument) : PG_GETARG_INT32(argument);
	if (limit < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be at least 1, or null for no limit, found %lld", name,
							   (long long) limit)));
	return limit;
}

/* Enters a memory context for a walk; gives the caller's. */
static MemoryContext
enter_context(void)
{
	return MemoryContextSwitchTo(
		AllocSetContextCreate(CurrentMemoryContext, "quality_gov trace", ALLOCSET_DEFAULT_SIZES));
}

/* Leaves the memory context of a walk, which is gone then. */
static void
leave_context(MemoryContext caller)
{
	MemoryContextDelete(MemoryContextSwitchTo(caller));
}

/* Hands out the lots that a walk reached. */
static void
put_rows(ReturnSetInfo *result, const QgWalk *walk)
{
	bool cycles = walk->cycle.nfresh > 0;
	bool more = walk->more.nfresh > 0;
	Datum values[COLUMNS];
	bool nulls[COLUMNS] = {0};
	Size place = 0;
	Size row = 0;

	values[COLUMN_TRUNCATED] = BoolGetDatum(walk->truncated);
	for (int depth = 1; depth <= walk->depth; depth++)
	{
		values[COLUMN_DEPTH] = Int32GetDatum(depth);
		for (; row < walk->ends[depth]; row++)
		{
			CHECK_FOR_INTERRUPTS();
			values[COLUMN_LOT] = Int64GetDatum(walk->lots[row]);
			values[COLUMN_VIA] = Int64GetDatum(walk->vias[row]);
			values[COLUMN_QUANTITY] = qg_walk_quantity(walk, &place, &nulls[COLUMN_QUANTITY]);
			values[COLUMN_CYCLE] = BoolGetDatum(cycles &&
												qg_lot_set_has(&walk->cycle, walk->lots[row]));
			values[COLUMN_MORE] = BoolGetDatum(more &&
											   qg_lot_set_has(&walk->more, walk->lots[row]));
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
}

/* Does the work of trace_forward() and trace_backward(). */
static Datum
trace(FunctionCallInfo fcinfo, bool backward)
{
	QgWalk walk = {.backward = backward, .rows = true};
	MemoryContext caller;

	qg_argument_require(fcinfo, 0, "lot");
	walk.start = PG_GETARG_INT64(0);
	walk.max_depth = (int) limit_argument(fcinfo, 1, "max_depth", false);
	walk.max_rows = (Size) limit_argument(fcinfo, 2, "max_rows", true);
	InitMaterializedSRF(fcinfo, 0);
	caller = enter_context();
	qg_walk(&walk);
	if (walk.count == 0)
		require_lot(walk.start);
	put_rows((ReturnSetInfo *) fcinfo->resultinfo, &walk);
	leave_context(caller);
	return (Datum) 0;
}

/* Does the work of trace_forward_count() and trace_backward_count(). */
static Datum
trace_count(FunctionCallInfo fcinfo, bool backward)
{
	QgWalk walk = {.backward = backward};
	MemoryContext caller;

	qg_argument_require(fcinfo, 0, "lot");
	walk.start = PG_GETARG_INT64(0);
	walk.max_depth = (int) limit_argument(fcinfo, 1, "max_depth", false);
	caller = enter_context();
	qg_walk(&walk);
	if (walk.count == 0)
		require_lot(walk.start);
	leave_context(caller);
	PG_RETURN_INT64((int64) walk.count);
}

/* trace_forward(lot, max_depth, max_rows) */
PG_FUNCTION_INFO_V1(qg_trace_forward);
Datum
qg_trace_forward(PG_FUNCTION_ARGS)
{
	return trace(fcinfo, false);
}

/* trace_backward(lot, max_depth, max_rows) */
PG_FUNCTION_INFO_V1(qg_trace_backward);
Datum
qg_trace_backward(PG_FUNCTION_ARGS)
{
	return trace(fcinfo, true);
}

/* trace_forward_count(lot, max_depth) */
PG_FUNCTION_INFO_V1(qg_trace_forward_count);
Datum
qg_trace_forward_count(PG_FUNCTION_ARGS)
{
	return trace_count(fcinfo, false);
}

/* trace_backward_count(lot, max_depth) */
PG_FUNCTION_INFO_V1(qg_trace_backward_count);
Datum
qg_trace_backward_count(PG_FUNCTION_ARGS)
{
	return trace_count(fcinfo, true);
}

/* Gives the lots of a shortest path, of which a walk backward from its end reached the start. */
static int64 *
path_lots(const QgWalk *walk, int64 from, int *length)
{
	int64 *lots = palloc(sizeof(int64) * (walk->depth + 1));
	int n = 0;

	/* The start of the path was reached on the last level. */
	lots[n++] = from;
	for (int depth = walk->depth; depth >= 1; depth--)
		for (Size row = walk->ends[depth - 1]; row < walk->ends[depth]; row++)
			if (walk->lots[row] == lots[n - 1])
			{
				lots[n++] = walk->vias[row];
				break;
			}
	*length = n;
	return lots;
}

/* trace_path_lots(from, to): the lots of a shortest path in their order, null where there is none */
PG_FUNCTION_INFO_V1(qg_trace_path_lots);
Datum
qg_trace_path_lots(PG_FUNCTION_ARGS)
{
	QgWalk walk = {.backward = true, .rows = true};
	int64 from;
	int64 *lots;
	int length;

	qg_argument_require(fcinfo, 0, "source");
	qg_argument_require(fcinfo, 1, "target");
	from = PG_GETARG_INT64(0);
	walk.start = PG_GETARG_INT64(1);
	walk.target = &from;
	qg_walk(&walk);
	if (!qg_lot_set_has(&walk.reached, from))
	{
		require_lot(from);
		require_lot(walk.start);
		PG_RETURN_NULL();
	}
	lots = path_lots(&walk, from, &length);
	PG_RETURN_ARRAYTYPE_P(
		construct_array((Datum *) lots, length, INT8OID, 8, true, TYPALIGN_DOUBLE));
}

/* trace_cycle() */
PG_FUNCTION_INFO_V1(qg_trace_cycle);
Datum
qg_trace_cycle(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;
	QgCycleLot *lots;
	QgLinks links;
	Size count;

	InitMaterializedSRF(fcinfo, 0);
	caller = enter_context();
	qg_links_open(&links, false, false);
	lots = qg_cycle_lots(&links, NULL, 0, &count);
	qg_links_close(&links);
	for (Size i = 0; i < count; i++)
	{
		Datum values[3] = {Int64GetDatum(lots[i].lot), Int64GetDatum(lots[i].cycle),
						   Int64GetDatum((int64) lots[i].size)};
		bool nulls[3] = {0};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	leave_context(caller);
	return (Datum) 0;
}
