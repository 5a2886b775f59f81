/*
 * ledger_tile.c
 *		Reading the log's tree from its tiles, and what is proved from them.
 *
 * A tile (C2SP tlog-tiles, height 8) holds up to 256 hashes of one level in eight: tile level 0 the leaf
 * hashes, tile level 1 the roots of 256 leaves, and so on.  Levels between are computed; a hash never
 * changes once it is there, so a partial tile is the beginning of the full one, and the tree of an
 * earlier size is read from the tiles of a later one.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "ledger/ledger.h"

/* A tile's middle nodes and one of its runs. */
typedef struct QgTilePart
{
	int level;
	uint64 index;
	int run;
	int nmiddle;
	int nhashes; /* of the run */
	QgMerkleHash middle[QG_TILE_WIDTH / QG_TILE_RUN];
	QgMerkleHash hashes[QG_TILE_RUN];
	struct QgTilePart *next;
} QgTilePart;

/* Gives a hash as bytea. */
Datum
qg_hash_datum(const QgMerkleHash *hash)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) hash->bytes, QG_MERKLE_BYTES));
}

/* Gives the root over a power of two hashes, up to a tile of them. */
void
qg_tile_fold(const QgMerkleHash *hashes, int count, QgMerkleHash *root)
{
	QgMerkleHash level[QG_TILE_WIDTH / 2];

	if (count == 1)
	{
		*root = hashes[0];
		return;
	}
	for (int i = 0; i < count / 2; i++)
		qg_merkle_node(&hashes[2 * i], &hashes[2 * i + 1], &level[i]);
	for (count /= 2; count > 1; count /= 2)
		for (int i = 0; i < count / 2; i++)
			qg_merkle_node(&level[2 * i], &level[2 * i + 1], &level[i]);
	*root = level[0];
}

/* Reads a column of a tile by a plan, inside SPI; NULL where there is no such tile. */
static bytea *
fetch_column(SPIPlanPtr *plan, const char *sql, int level, uint64 index)
{
	Oid types[2] = {INT4OID, INT8OID};
	Datum values[2] = {Int32GetDatum(level), Int64GetDatum((int64) index)};
	bytea *column = NULL;

	if (*plan == NULL)
	{
		*plan = SPI_prepare(sql, 2, types);
		if (*plan == NULL || SPI_keepplan(*plan) != 0)
			elog(ERROR, "could not prepare the reading of tiles");
	}
	if (SPI_execute_plan(*plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a tile");
	if (SPI_processed == 1)
	{
		bool isnull;
		bytea *data = DatumGetByteaPP(
			SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));

		column = palloc(VARSIZE_ANY(data));
		memcpy(column, data, VARSIZE_ANY(data));
	}
	SPI_freetuptable(SPI_tuptable);
	return column;
}

/* Reads a tile, inside SPI; NULL where there is none. */
bytea *
qg_tile_fetch(int level, uint64 index)
{
	static SPIPlanPtr plan = NULL;

	return fetch_column(
		&plan,
		"SELECT data FROM quality_gov.ledger_tile "
		"WHERE level OPERATOR(pg_catalog.=) $1 AND tile_index OPERATOR(pg_catalog.=) $2",
		level, index);
}

/* Reads a tile's middle nodes, inside SPI; NULL where there is no such tile. */
bytea *
qg_tile_fetch_middle(int level, uint64 index)
{
	static SPIPlanPtr plan = NULL;

	return fetch_column(
		&plan,
		"SELECT middle FROM quality_gov.ledger_tile "
		"WHERE level OPERATOR(pg_catalog.=) $1 AND tile_index OPERATOR(pg_catalog.=) $2",
		level, index);
}

/* Copies hashes out of a row's column, gives their number. */
static int
copy_hashes(int column, QgMerkleHash *hashes, int max)
{
	bool isnull;
	Datum datum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	bytea *data = DatumGetByteaPP(datum);
	int count = Min((int) VARSIZE_ANY_EXHDR(data) / QG_MERKLE_BYTES, max);

	memcpy(hashes, VARDATA_ANY(data), count * QG_MERKLE_BYTES);
	return count;
}

/* Reads a tile's middle nodes and a run of its hashes; false where there is no such tile. */
static bool
read_part(QgTilePart *part)
{
	static SPIPlanPtr plan = NULL;
	Oid types[3] = {INT4OID, INT8OID, INT4OID};
	Datum values[3];
	bool found;

	if (plan == NULL)
	{
		plan = SPI_prepare(
			"SELECT middle, pg_catalog.substr(data, $3, 512) FROM quality_gov.ledger_tile "
			"WHERE level OPERATOR(pg_catalog.=) $1 AND tile_index OPERATOR(pg_catalog.=) $2",
			3, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the reading of tiles");
	}
	values[0] = Int32GetDatum(part->level);
	values[1] = Int64GetDatum((int64) part->index);
	values[2] = Int32GetDatum(part->run * QG_TILE_RUN * QG_MERKLE_BYTES + 1);
	if (SPI_execute_plan(plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a tile");
	found = SPI_processed == 1;
	if (found)
	{
		part->nmiddle = copy_hashes(1, part->middle, QG_TILE_WIDTH / QG_TILE_RUN);
		part->nhashes = copy_hashes(2, part->hashes, QG_TILE_RUN);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

/* Gives a part of a tile, read once; of any run where none is asked for. */
static const QgTilePart *
reader_part(QgTileReader *reader, int level, uint64 index, int run)
{
	QgTilePart *part;

	for (part = reader->parts; part != NULL; part = part->next)
		if (part->level == level && part->index == index && (run < 0 || part->run == run))
			return part;
	part = palloc(sizeof(QgTilePart));
	part->level = level;
	part->index = index;
	part->run = Max(run, 0);
	if (!read_part(part))
		return NULL;
	part->next = reader->parts;
	return reader->parts = part;
}

/* Gives the root of a complete subtree (QgMerkleRead); an error where the tiles do not hold it. */
void
qg_tile_read(int level, uint64 index, QgMerkleHash *hash, void *reader)
{
	int within = level % QG_TILE_HEIGHT;
	bool middle = within >= QG_TILE_RUN_LEVEL;
	uint64 first = index << within;
	int at = (int) (first % QG_TILE_WIDTH);
	int count = middle ? 1 << (within - QG_TILE_RUN_LEVEL) : 1 << within;
	int from = middle ? at / QG_TILE_RUN : at % QG_TILE_RUN;
	const QgTilePart *part = reader_part(reader, level / QG_TILE_HEIGHT, first / QG_TILE_WIDTH,
										 middle ? -1 : at / QG_TILE_RUN);

	CHECK_FOR_INTERRUPTS();
	if (part == NULL || (middle ? part->nmiddle : part->nhashes) < from + count)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("tile " UINT64_FORMAT " of level %d of the log lacks hashes",
							   first / QG_TILE_WIDTH, level / QG_TILE_HEIGHT),
						errhint("SELECT * FROM quality_gov.ledger_verify() tells what is wrong.")));
	qg_tile_fold((middle ? part->middle : part->hashes) + from, count, hash);
}

/* Gives a proof as an array. */
static Datum
proof_datum(const QgMerkleHash *proof, int count)
{
	Datum values[QG_MERKLE_PROOF];

	for (int i = 0; i < count; i++)
		values[i] = qg_hash_datum(&proof[i]);
	return PointerGetDatum(construct_array(values, count, BYTEAOID, -1, false, TYPALIGN_INT));
}

/* ledger_tree_root(size): the root of the log's first so many leaves, from the tiles. */
PG_FUNCTION_INFO_V1(qg_ledger_tree_root);
Datum
qg_ledger_tree_root(PG_FUNCTION_ARGS)
{
	int64 size = PG_GETARG_INT64(0);
	QgTileReader reader = {NULL};
	QgMerkleHash root;

	if (size < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a tree has at least 0 leaves, found " INT64_FORMAT, size)));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	qg_merkle_range(0, size, qg_tile_read, &reader, &root);
	SPI_finish();
	PG_RETURN_DATUM(qg_hash_datum(&root));
}

/* ledger_inclusion_nodes(leaf, size): the nodes of an inclusion proof; 0 <= leaf < size is the caller's. */
PG_FUNCTION_INFO_V1(qg_ledger_inclusion_nodes);
Datum
qg_ledger_inclusion_nodes(PG_FUNCTION_ARGS)
{
	int64 leaf = PG_GETARG_INT64(0);
	int64 size = PG_GETARG_INT64(1);
	QgMerkleHash proof[QG_MERKLE_PROOF];
	QgTileReader reader = {NULL};
	int count;

	if (leaf < 0 || leaf >= size)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("leaf " INT64_FORMAT " is not of a tree of " INT64_FORMAT " leaves",
							   leaf, size)));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	count = qg_merkle_inclusion(leaf, size, qg_tile_read, &reader, proof);
	SPI_finish();
	PG_RETURN_DATUM(proof_datum(proof, count));
}

/* ledger_consistency_nodes(old, new): the nodes of a consistency proof; 0 < old <= new. */
PG_FUNCTION_INFO_V1(qg_ledger_consistency_nodes);
Datum
qg_ledger_consistency_nodes(PG_FUNCTION_ARGS)
{
	int64 old_size = PG_GETARG_INT64(0);
	int64 new_size = PG_GETARG_INT64(1);
	QgMerkleHash proof[QG_MERKLE_PROOF];
	QgTileReader reader = {NULL};
	int count;

	if (old_size <= 0 || old_size > new_size)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a tree of " INT64_FORMAT
							   " leaves does not begin with one of " INT64_FORMAT,
							   new_size, old_size)));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	count = qg_merkle_consistency(old_size, new_size, qg_tile_read, &reader, proof);
	SPI_finish();
	PG_RETURN_DATUM(proof_datum(proof, count));
}
