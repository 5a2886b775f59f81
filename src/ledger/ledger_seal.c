/*
 * ledger_seal.c
 *		Giving entries their places in the log.
 *
 * A seal takes the entries that one snapshot shows and the last seal's did not (snapshot_delta), in
 * the order they come, hashes their leaves and puts them at the right edge of the tree:
 *
 *		entries -> leaf hashes -> tiles of level 0 -> their roots -> tiles of level 1 -> ...
 *				-> places (ledger_leaf): which entry is which leaf, 256 to a row
 *
 * Only full tiles and the last, partial one of each level are written.  Nothing is kept but the edge:
 * eight tiles and one row of places.  ledger_seal() holds the lock and the snapshots.
 */
#include "quality_gov.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "ledger/ledger.h"

#define FETCH_ROWS 1000

/* A seal at work. */
typedef struct Seal
{
	QgLog log;
	int64 places[QG_TILE_WIDTH]; /* entry of each leaf of the last row of places */
	SPIPlanPtr write_tile;
	SPIPlanPtr write_places;
} Seal;

static SPIPlanPtr
prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr plan = SPI_prepare(sql, nargs, types);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\"", sql);
	return plan;
}

/* Writes the tile at a level's edge that holds its last hashes. */
static void
write_tile(Seal *seal, int level)
{
	const QgEdge *edge = &seal->log.edges[level];
	QgMerkleHash middle[QG_TILE_WIDTH / QG_TILE_RUN];
	int nmiddle = qg_edge_middle(edge, middle);
	Datum values[4];

	values[0] = Int32GetDatum(level);
	values[1] = Int64GetDatum((int64) qg_edge_tile(edge));
	values[2] = PointerGetDatum(cstring_to_text_with_len((const char *) edge->hashes,
														 qg_edge_width(edge) * QG_MERKLE_BYTES));
	values[3] = PointerGetDatum(
		cstring_to_text_with_len((const char *) middle, nmiddle * QG_MERKLE_BYTES));
	if (SPI_execute_plan(seal->write_tile, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write a tile");
}

/* Writes the row of places that holds the last leaf. */
static void
write_places(Seal *seal)
{
	const QgEdge *leaves = &seal->log.edges[0];
	int width = qg_edge_width(leaves);
	Datum *entries = palloc(width * sizeof(Datum));
	int64 low = seal->places[0];
	int64 high = low;
	Datum values[4];

	for (int i = 0; i < width; i++)
	{
		entries[i] = Int64GetDatum(seal->places[i]);
		low = Min(low, seal->places[i]);
		high = Max(high, seal->places[i]);
	}
	values[0] = Int64GetDatum((int64) qg_edge_tile(leaves));
	values[1] = PointerGetDatum(
		construct_array(entries, width, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[2] = Int64GetDatum(low);
	values[3] = Int64GetDatum(high);
	if (SPI_execute_plan(seal->write_places, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write the places of leaves");
}

/* Writes a tile that has become full, and with leaves their places. */
static void
tile_full(QgLog *log, int level, void *seal)
{
	write_tile(seal, level);
	if (level == 0)
		write_places(seal);
}

/* Reads the places of the partial row, if there is one. */
static void
load_places(Seal *seal)
{
	uint64 width = seal->log.edges[0].count % QG_TILE_WIDTH;
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum((int64) (seal->log.edges[0].count / QG_TILE_WIDTH))};
	ArrayType *array = NULL;
	bool isnull;

	if (width == 0)
		return;
	if (SPI_execute_with_args(
			"SELECT entry_ids FROM quality_gov.ledger_leaf WHERE page OPERATOR(pg_catalog.=) $1", 1,
			types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the places of leaves");
	if (SPI_processed == 1)
		array = DatumGetArrayTypeP(
			SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (array == NULL || ARR_NDIM(array) != 1 || ARR_HASNULL(array) ||
		ARR_DIMS(array)[0] != (int) width)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the last leaves of the log have no places"),
						errhint("SELECT * FROM quality_gov.ledger_verify() tells what is wrong.")));
	memcpy(seal->places, ARR_DATA_PTR(array), width * sizeof(int64));
	SPI_freetuptable(SPI_tuptable);
}

/* Makes ready to put leaves behind the log's first size ones. */
static void
seal_begin(Seal *seal, uint64 size)
{
	Oid tile_types[4] = {INT4OID, INT8OID, BYTEAOID, BYTEAOID};
	Oid place_types[4] = {INT8OID, INT8ARRAYOID, INT8OID, INT8OID};

	seal->write_tile = prepare("INSERT INTO quality_gov.ledger_tile (level, tile_index, data, "
							   "middle) VALUES ($1, $2, $3, $4) "
							   "ON CONFLICT (level, tile_index) DO UPDATE SET data = "
							   "excluded.data, middle = excluded.middle",
							   4, tile_types);
	seal->write_places = prepare(
		"INSERT INTO quality_gov.ledger_leaf (page, entry_ids, span) "
		"VALUES ($1, $2, pg_catalog.int8range($3, $4, '[]')) "
		"ON CONFLICT (page) DO UPDATE SET entry_ids = excluded.entry_ids, span = excluded.span",
		4, place_types);
	seal->log.full = tile_full;
	seal->log.arg = seal;
	qg_log_load(&seal->log, size);
	load_places(seal);
}

/* Writes what is left at the edge. */
static void
seal_end(Seal *seal)
{
	for (int level = 0; level < QG_TILE_LEVELS; level++)
		if (seal->log.edges[level].changed)
			write_tile(seal, level);
	if (seal->log.edges[0].changed)
		write_places(seal);
}

/* Hashes the entry of a row and puts its leaf at the log's edge. */
static void
append_row(Seal *seal, HeapTuple row, TupleDesc desc, StringInfo leaf)
{
	QgLedgerEntry entry;
	QgMerkleHash hash;
	Datum values[6];
	bool nulls[6];

	heap_deform_tuple(row, desc, values, nulls);
	entry.id = DatumGetInt64(values[0]);
	entry.kind = DatumGetTextPP(values[1]);
	entry.subject = DatumGetTextPP(values[2]);
	entry.body = DatumGetJsonbP(values[3]);
	entry.role = DatumGetTextPP(values[4]);
	entry.recorded_at = DatumGetTimestampTz(values[5]);
	qg_ledger_leaf(&entry, leaf);
	qg_merkle_leaf(leaf->data, leaf->len, &hash);
	seal->places[seal->log.edges[0].count % QG_TILE_WIDTH] = entry.id;
	qg_log_append(&seal->log, &hash);
}

/* Puts every row of a query at the log's edge, gives their number. */
static int64
append_rows(Seal *seal, const char *sql, int nargs, Oid *types, Datum *values)
{
	Portal portal = SPI_cursor_open_with_args(NULL, sql, nargs, types, values, NULL, true, 0);
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "quality_gov seal batch",
												ALLOCSET_DEFAULT_SIZES);
	StringInfoData leaf;
	int64 count = 0;

	initStringInfo(&leaf);
	for (;;)
	{
		SPITupleTable *rows;
		uint64 nrows;
		MemoryContext caller;

		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		rows = SPI_tuptable;
		nrows = SPI_processed;
		if (nrows == 0)
			break;
		caller = MemoryContextSwitchTo(batch);
		for (uint64 i = 0; i < nrows; i++)
		{
			CHECK_FOR_INTERRUPTS();
			append_row(seal, rows->vals[i], rows->tupdesc, &leaf);
			if (i % 16 == 15)
				MemoryContextReset(batch);
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(batch);
		SPI_freetuptable(rows);
		count += nrows;
	}
	SPI_cursor_close(portal);
	return count;
}

/*
 * ledger_append(size, before, now, floor): puts the entries above floor that the snapshot now shows and
 * before did not behind the log's first size leaves, gives their number and the root of the whole.  A
 * null before is of a log whose snapshot is not known, as after a restore: what has no place yet is put.
 */
PG_FUNCTION_INFO_V1(qg_ledger_append);
Datum
qg_ledger_append(PG_FUNCTION_ARGS)
{
	static const char first[] =
		"SELECT entry_id, kind, subject, body, role, recorded_at FROM quality_gov.ledger_entry "
		"WHERE pg_catalog.pg_visible_in_snapshot(xid, $1) "
		"AND NOT EXISTS (SELECT FROM quality_gov.ledger_place p WHERE p.entry_id "
		"OPERATOR(pg_catalog.=) ledger_entry.entry_id)";
	static const char next[] =
		"SELECT entry_id, kind, subject, body, role, recorded_at FROM quality_gov.ledger_entry "
		"WHERE entry_id OPERATOR(pg_catalog.>) $3 AND pg_catalog.pg_visible_in_snapshot(xid, $1) "
		"AND NOT pg_catalog.pg_visible_in_snapshot(xid, $2)";
	TupleDesc desc;
	Oid snapshot = get_fn_expr_argtype(fcinfo->flinfo, 2);
	Oid types[3] = {snapshot, snapshot, INT8OID};
	bool known = !PG_ARGISNULL(1);
	Datum arguments[3] = {PG_GETARG_DATUM(2), PG_GETARG_DATUM(1), PG_GETARG_DATUM(3)};
	Datum values[2];
	bool nulls[2] = {false, false};
	QgMerkleHash root;
	int64 count;
	Seal *seal;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "ledger_append must return a row");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	seal = palloc0(sizeof(Seal));
	seal_begin(seal, PG_GETARG_INT64(0));
	count = append_rows(seal, known ? next : first, known ? 3 : 1, types, arguments);
	seal_end(seal);
	qg_log_root(&seal->log, &root);
	SPI_finish();
	values[0] = Int64GetDatum(count);
	values[1] = qg_hash_datum(&root);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ledger_next_xid(): the id that the next transaction to need one is given. */
PG_FUNCTION_INFO_V1(qg_ledger_next_xid);
Datum
qg_ledger_next_xid(PG_FUNCTION_ARGS)
{
	PG_RETURN_FULLTRANSACTIONID(ReadNextFullTransactionId());
}
