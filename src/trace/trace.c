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
#include "utils/numeric.h"
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

/*
 * The first columns in a row's bytes, aligned as the server aligns them; the quantity follows unless
 * null, at a place where a header of four bytes may stand, then the columns after it.
 */
typedef struct Row
{
	int64 lot;
	int32 depth;
	int64 via;
	char rest[FLEXIBLE_ARRAY_MEMBER];
} Row;

StaticAssertDecl(offsetof(Row, rest) % ALIGNOF_INT == 0, "a quantity must be aligned");

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

/* Gives a row as the server lays it out, with room behind it for a quantity. */
static MinimalTuple
model_row(TupleDesc columns, bool unknown, Size room)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(columns, &TTSOpsVirtual);
	MinimalTuple formed;
	MinimalTuple row;

	memset(slot->tts_values, 0, sizeof(Datum) * COLUMNS);
	memset(slot->tts_isnull, 0, sizeof(bool) * COLUMNS);
	slot->tts_values[COLUMN_QUANTITY] = NumericGetDatum(int64_to_numeric(0));
	slot->tts_isnull[COLUMN_QUANTITY] = unknown;
	formed = ExecCopySlotMinimalTuple(ExecStoreVirtualTuple(slot));
	ExecDropSingleTupleTableSlot(slot);
	row = palloc0(formed->t_len + room);
	memcpy(row, formed, formed->t_len);
	return row;
}

/* Puts the quantity of a lot into a row, nothing where it is unknown, and what follows it. */
static void
fill_row(MinimalTuple row, Row *fixed, const char *quantity, Size size, const bool *flags)
{
	memcpy(fixed->rest, quantity, size);
	memcpy(fixed->rest + size, flags, COLUMNS - COLUMN_CYCLE);
	row->t_len = fixed->rest + size + COLUMNS - COLUMN_CYCLE - (char *) row;
}

/*
 * Hands out the lots that a walk reached.  Forming a row anew each time would cost as much as the
 * walk: two rows, with a quantity and without, are formed once and filled in again and again.
 */
static void
put_rows(ReturnSetInfo *result, const QgWalk *walk)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(result->setDesc, &TTSOpsMinimalTuple);
	MinimalTuple rows[2] = {model_row(result->setDesc, false, walk->largest),
							model_row(result->setDesc, true, 0)};
	bool flags[COLUMNS - COLUMN_CYCLE] = {false, false, walk->truncated};
	bool marked = walk->cycle.nfresh > 0 || walk->more.nfresh > 0;
	Size place = 0;
	Size i = 0;

	for (int depth = 1; depth <= walk->depth; depth++)
		for (; i < walk->ends[depth]; i++)
		{
			Size size;
			const char *quantity = qg_walk_quantity(walk, &place, &size);
			MinimalTuple row = rows[size == 0];
			Row *fixed = (Row *) ((char *) row + row->t_hoff - MINIMAL_TUPLE_OFFSET);

			CHECK_FOR_INTERRUPTS();
			fixed->lot = walk->lots[i];
			fixed->depth = depth;
			fixed->via = walk->vias[i];
			if (marked)
			{
				flags[0] = qg_lot_set_has(&walk->cycle, walk->lots[i]);
				flags[1] = qg_lot_set_has(&walk->more, walk->lots[i]);
			}
			fill_row(row, fixed, quantity, size, flags);
			tuplestore_puttupleslot(result->setResult, ExecStoreMinimalTuple(row, slot, false));
		}
	ExecDropSingleTupleTableSlot(slot);
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
		QgWalk known = {.start = from, .max_depth = 1};

		if (walk.count == 0)
			require_lot(walk.start);
		qg_walk(&known);
		if (known.count == 0 && from != walk.start)
			require_lot(from);
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
