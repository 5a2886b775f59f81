/*
 * ledger_verify.c
 *		Computing the log anew from the entries, and comparing it with what is stored.
 *
 * The leaves are taken in the order of their places, 256 at a time; each is hashed from its entry as
 * it stands in the table and compared with the tile, and every tile above with the stored one.  The
 * roots at chosen sizes (seals, checkpoints, a checkpoint that somebody kept) come from the computed
 * leaves alone, so that tiles and seals rewritten together are no excuse.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "ledger/ledger.h"

#define FETCH_PAGES 16
#define PROGRESS_PAGES 256
#define PLACED_BITS 15 /* of an entry's id that tell its place in a map */

/* Which of some ids have had a place. */
typedef struct Placed
{
	int64 ids; /* all but the last bits of them */
	uint8 map[1 << (PLACED_BITS - 3)];
} Placed;

/* A check at work. */
typedef struct Check
{
	QgLog log;
	QgEntryReader *reader;
	HTAB *placed;
	Placed *last;		 /* part of it that was looked at last */
	uint64 size;		 /* leaves that the log should have */
	const int64 *wanted; /* sizes whose roots are asked for, ascending */
	int nwanted;
	int nroots;
	Datum *roots;
	int64 entries;	 /* read and hashed */
	int64 bad_leaf;	 /* first, or -1 */
	int64 bad_entry; /* of that leaf, or -1 */
	char *reason;
	MemoryContext context; /* of the reason and the roots */
	bytea *tile;		   /* stored, of the leaves at work */
} Check;

/* Notes what is wrong, if it is the first. */
static void pg_attribute_printf(4, 5)
	note_bad(Check *check, uint64 leaf, int64 entry, const char *format, ...)
{
	StringInfoData reason;
	MemoryContext caller;
	va_list args;

	if (check->bad_leaf >= 0)
		return;
	caller = MemoryContextSwitchTo(check->context);
	initStringInfo(&reason);
	for (;;)
	{
		int needed;

		va_start(args, format);
		needed = appendStringInfoVA(&reason, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&reason, needed);
	}
	MemoryContextSwitchTo(caller);
	check->bad_leaf = (int64) leaf;
	check->bad_entry = entry;
	check->reason = reason.data;
}

/* The leaf that a tile of a level begins with. */
static uint64
tile_leaf(int level, uint64 tile)
{
	return tile << (QG_TILE_HEIGHT * (level + 1));
}

/* Compares the tile at a level's edge with the stored one; of leaves one by one was compared before. */
static void
compare_tile(QgLog *log, int level, void *arg)
{
	Check *check = arg;
	const QgEdge *edge = &log->edges[level];
	uint64 tile = qg_edge_tile(edge);
	int width = qg_edge_width(edge) * QG_MERKLE_BYTES;
	QgMerkleHash middle[QG_TILE_WIDTH / QG_TILE_RUN];
	int nmiddle = qg_edge_middle(edge, middle) * QG_MERKLE_BYTES;
	bytea *stored = level == 0 ? check->tile : qg_tile_fetch(level, tile);
	bytea *stored_middle = qg_tile_fetch_middle(level, tile);

	if (stored == NULL)
		note_bad(check, tile_leaf(level, tile), -1, "tile " UINT64_FORMAT " of level %d is missing",
				 tile, level);
	else if ((int) VARSIZE_ANY_EXHDR(stored) != width ||
			 memcmp(VARDATA_ANY(stored), edge->hashes, width) != 0)
		note_bad(check, tile_leaf(level, tile), -1,
				 "tile " UINT64_FORMAT
				 " of level %d holds other hashes than follow from the leaves",
				 tile, level);
	else if (stored_middle == NULL || (int) VARSIZE_ANY_EXHDR(stored_middle) != nmiddle ||
			 memcmp(VARDATA_ANY(stored_middle), middle, nmiddle) != 0)
		note_bad(check, tile_leaf(level, tile), -1,
				 "tile " UINT64_FORMAT " of level %d has other middle nodes than follow from it",
				 tile, level);
}

/* Notes that an entry has a place; false where it had one before. */
static bool
place_entry(Check *check, int64 id)
{
	int64 ids = id >> PLACED_BITS;
	int bit = (int) (id & ((1 << PLACED_BITS) - 1));
	uint8 mask = 1 << (bit % 8);

	if (check->last == NULL || check->last->ids != ids)
	{
		bool found;

		check->last = hash_search(check->placed, &ids, HASH_ENTER, &found);
		if (!found)
			memset(check->last->map, 0, sizeof(check->last->map));
	}
	if (check->last->map[bit / 8] & mask)
		return false;
	check->last->map[bit / 8] |= mask;
	return true;
}

/* Adds a leaf, and its tree's root where that is asked for. */
static void
add_leaf(Check *check, const QgMerkleHash *hash)
{
	uint64 count;

	qg_log_append(&check->log, hash);
	count = check->log.edges[0].count;
	while (check->nroots < check->nwanted && (uint64) check->wanted[check->nroots] == count)
	{
		MemoryContext caller = MemoryContextSwitchTo(check->context);
		QgMerkleHash root;

		qg_log_root(&check->log, &root);
		check->roots[check->nroots++] = qg_hash_datum(&root);
		MemoryContextSwitchTo(caller);
	}
}

/* Checks one leaf, whose hash in its tile is given where it is there. */
static void
check_leaf(Check *check, int64 id, const QgMerkleHash *stored)
{
	static const QgMerkleHash nothing = {{0}};
	uint64 leaf = check->log.edges[0].count;
	QgMerkleHash hash;
	bool found = qg_entries_hash(check->reader, id, &hash);

	if (!place_entry(check, id))
		note_bad(check, leaf, id,
				 "entry " INT64_FORMAT " of leaf " UINT64_FORMAT " has a place before", id, leaf);
	else if (!found)
		note_bad(check, leaf, id, "entry " INT64_FORMAT " of leaf " UINT64_FORMAT " is missing", id,
				 leaf);
	else if (stored == NULL || memcmp(&hash, stored, sizeof(QgMerkleHash)) != 0)
		note_bad(check, leaf, id,
				 "entry " INT64_FORMAT " is not what leaf " UINT64_FORMAT " of the log holds", id,
				 leaf);
	else
		check->entries++;
	add_leaf(check, found ? &hash : stored != NULL ? stored : &nothing);
}

/* Checks the leaves of one row of places, whose span is from low to high. */
static void
check_page(Check *check, uint64 page, Datum ids, int64 low, int64 high)
{
	ArrayType *array = DatumGetArrayTypeP(ids);
	int count = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;
	const int64 *places = (const int64 *) ARR_DATA_PTR(array);
	uint64 first = check->log.edges[0].count;
	const QgMerkleHash *stored = NULL;
	int nstored = 0;
	int64 lowest = PG_INT64_MAX;
	int64 highest = PG_INT64_MIN;

	if (page != first / QG_TILE_WIDTH || first % QG_TILE_WIDTH != 0 || count < 1 ||
		count > QG_TILE_WIDTH || ARR_HASNULL(array))
	{
		note_bad(check, first, -1, "the places of leaves from " UINT64_FORMAT " on are missing",
				 first);
		return;
	}
	check->tile = qg_tile_fetch(0, page);
	if (check->tile != NULL)
	{
		nstored = (int) VARSIZE_ANY_EXHDR(check->tile) / QG_MERKLE_BYTES;
		stored = (const QgMerkleHash *) VARDATA_ANY(check->tile);
	}
	for (int i = 0; i < count; i++)
	{
		if (first + i >= check->size)
		{
			note_bad(check, first + i, places[i],
					 "entry " INT64_FORMAT " has a place that no seal gave it", places[i]);
			break;
		}
		check_leaf(check, places[i], i < nstored ? &stored[i] : NULL);
		lowest = Min(lowest, places[i]);
		highest = Max(highest, places[i]);
	}
	if (lowest != low || highest != high)
		note_bad(check, first, places[0],
				 "the span of the places of leaves from " UINT64_FORMAT " on is not theirs", first);
}

/* Shows how far the check has come in pg_stat_activity, before the query's own text. */
static void
show_progress(const Check *check)
{
	const char *query = debug_query_string != NULL ? debug_query_string : "";
	char *activity = psprintf("/* ledger_verify: " UINT64_FORMAT " of " UINT64_FORMAT
							  " leaves */ %s",
							  check->log.edges[0].count, check->size, query);

	pgstat_report_activity(STATE_RUNNING, activity);
	pfree(activity);
}

/* Checks every row of places from a leaf on. */
static void
check_pages(Check *check, uint64 from)
{
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum((int64) (from / QG_TILE_WIDTH))};
	Portal portal = SPI_cursor_open_with_args(NULL,
											  "SELECT page, entry_ids, pg_catalog.lower(span), "
											  "pg_catalog.upper(span) "
											  "FROM quality_gov.ledger_leaf "
											  "WHERE page OPERATOR(pg_catalog.>=) $1 ORDER BY page",
											  1, types, values, NULL, true, 0);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "quality_gov ledger check",
												  ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		SPITupleTable *rows;
		uint64 nrows;

		SPI_cursor_fetch(portal, true, FETCH_PAGES);
		rows = SPI_tuptable;
		nrows = SPI_processed;
		for (uint64 i = 0; i < nrows; i++)
		{
			MemoryContext caller = MemoryContextSwitchTo(scratch);
			Datum values[4];
			bool nulls[4];

			CHECK_FOR_INTERRUPTS();
			if (check->log.edges[0].count / QG_TILE_WIDTH % PROGRESS_PAGES == PROGRESS_PAGES - 1)
				show_progress(check);
			/* A range without an end is not the span of any place. */
			heap_deform_tuple(rows->vals[i], rows->tupdesc, values, nulls);
			check_page(check, (uint64) DatumGetInt64(values[0]), values[1],
					   nulls[2] ? PG_INT64_MAX : DatumGetInt64(values[2]),
					   nulls[3] ? PG_INT64_MAX : DatumGetInt64(values[3]) - 1);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(scratch);
		}
		SPI_freetuptable(rows);
		if (nrows == 0)
			break;
	}
	SPI_cursor_close(portal);
	if (check->log.edges[0].count / QG_TILE_WIDTH >= PROGRESS_PAGES && debug_query_string != NULL)
		pgstat_report_activity(STATE_RUNNING, debug_query_string);
	for (int level = 0; level < QG_TILE_LEVELS; level++)
		if (check->log.edges[level].changed)
		{
			check->tile = level == 0 ? qg_tile_fetch(0, qg_edge_tile(&check->log.edges[0])) : NULL;
			compare_tile(&check->log, level, check);
		}
	if (check->log.edges[0].count < check->size)
		note_bad(check, check->log.edges[0].count, -1,
				 "the log ends at leaf " UINT64_FORMAT " of " UINT64_FORMAT,
				 check->log.edges[0].count, check->size);
}

/* Makes the row of ledger_recompute(). */
static Datum
check_row(const Check *check, TupleDesc desc)
{
	bool nulls[5] = {false, check->bad_leaf < 0, check->bad_entry < 0, check->bad_leaf < 0, false};
	Datum values[5];

	values[0] = Int64GetDatum(check->entries);
	values[1] = Int64GetDatum(check->bad_leaf);
	values[2] = Int64GetDatum(check->bad_entry);
	values[3] = check->reason != NULL ? CStringGetTextDatum(check->reason) : (Datum) 0;
	values[4] = PointerGetDatum(
		construct_array(check->roots, check->nroots, BYTEAOID, -1, false, TYPALIGN_INT));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * ledger_recompute(from, size, sizes): computes the log from leaf from, a multiple of 256, to size and
 * compares it; gives the entries that fit, the first place that does not, and the roots at sizes, which
 * ascend, as far as they were reached.  What lies before from is taken from the tiles.
 */
PG_FUNCTION_INFO_V1(qg_ledger_recompute);
Datum
qg_ledger_recompute(PG_FUNCTION_ARGS)
{
	int64 from = PG_GETARG_INT64(0);
	int64 size = PG_GETARG_INT64(1);
	ArrayType *wanted = PG_GETARG_ARRAYTYPE_P(2);
	HASHCTL placed = {
		.keysize = sizeof(int64), .entrysize = sizeof(Placed), .hcxt = CurrentMemoryContext};
	TupleDesc desc;
	Check *check;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "ledger_recompute must return a row");
	if (from < 0 || from % QG_TILE_WIDTH != 0 || from > size || ARR_HASNULL(wanted))
		elog(ERROR, "ledger_recompute from " INT64_FORMAT " to " INT64_FORMAT, from, size);
	check = palloc0(sizeof(Check));
	check->context = CurrentMemoryContext;
	check->size = size;
	check->bad_leaf = check->bad_entry = -1;
	check->wanted = (const int64 *) ARR_DATA_PTR(wanted);
	check->nwanted = ARR_NDIM(wanted) == 1 ? ARR_DIMS(wanted)[0] : 0;
	check->roots = palloc((check->nwanted + 1) * sizeof(Datum));
	check->log.full = compare_tile;
	check->log.arg = check;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	check->placed = hash_create("quality_gov places of entries", 64, &placed,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	check->reader = qg_entries_open(from == 0);
	qg_log_load(&check->log, from);
	check_pages(check, from);
	qg_entries_close(check->reader);
	SPI_finish();
	PG_RETURN_DATUM(check_row(check, desc));
}
