/*
 * ledger_edge.c
 *		The right edge of the log's tiles, where it grows.
 *
 * All that a tree needs to take more leaves is the last, partial tile of each level.  A tile that fills
 * is handed over, and its root goes one level up.
 */
#include "quality_gov.h"

#include "ledger/ledger.h"

/* The hashes of the tile that holds a level's last one. */
int
qg_edge_width(const QgEdge *edge)
{
	return edge->count == 0 ? 0 : (int) ((edge->count - 1) % QG_TILE_WIDTH) + 1;
}

/* The index of the tile that holds a level's last hash, of which there is one. */
uint64
qg_edge_tile(const QgEdge *edge)
{
	return (edge->count - 1) / QG_TILE_WIDTH;
}

/* Computes the middle nodes of the tile that holds a level's last hash, gives their number. */
int
qg_edge_middle(const QgEdge *edge, QgMerkleHash middle[QG_TILE_WIDTH / QG_TILE_RUN])
{
	int count = qg_edge_width(edge) / QG_TILE_RUN;

	for (int run = 0; run < count; run++)
		qg_tile_fold(edge->hashes + run * QG_TILE_RUN, QG_TILE_RUN, &middle[run]);
	return count;
}

/* Reads the edge of the log's first size leaves, inside SPI. */
void
qg_log_load(QgLog *log, uint64 size)
{
	for (int level = 0; level < QG_TILE_LEVELS; level++)
	{
		QgEdge *edge = &log->edges[level];
		size_t width;
		bytea *data;

		edge->count = size >> (level * QG_TILE_HEIGHT);
		edge->changed = false;
		width = edge->count % QG_TILE_WIDTH * QG_MERKLE_BYTES;
		if (width == 0)
			continue;
		data = qg_tile_fetch(level, edge->count / QG_TILE_WIDTH);
		if (data == NULL || VARSIZE_ANY_EXHDR(data) < width)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("the last tile of level %d of the log lacks hashes", level),
					 errhint("SELECT * FROM quality_gov.ledger_verify() tells what is wrong.")));
		memcpy(edge->hashes, VARDATA_ANY(data), width);
	}
}

/* Puts a hash at a level's edge. */
static void
append_hash(QgLog *log, int level, const QgMerkleHash *hash)
{
	QgEdge *edge = &log->edges[level];

	edge->hashes[edge->count % QG_TILE_WIDTH] = *hash;
	edge->count++;
	edge->changed = edge->count % QG_TILE_WIDTH != 0;
	if (!edge->changed)
	{
		QgMerkleHash root;

		log->full(log, level, log->arg);
		qg_tile_fold(edge->hashes, QG_TILE_WIDTH, &root);
		append_hash(log, level + 1, &root);
	}
}

/* Adds a leaf. */
void
qg_log_append(QgLog *log, const QgMerkleHash *leaf)
{
	append_hash(log, 0, leaf);
}

/* Gives the root of a complete subtree at the edge (QgMerkleRead). */
static void
edge_read(int level, uint64 index, QgMerkleHash *hash, void *log)
{
	int within = level % QG_TILE_HEIGHT;
	const QgEdge *edge = &((const QgLog *) log)->edges[level / QG_TILE_HEIGHT];

	qg_tile_fold(edge->hashes + (index << within) % QG_TILE_WIDTH, 1 << within, hash);
}

/* Gives the root of the whole. */
void
qg_log_root(const QgLog *log, QgMerkleHash *root)
{
	qg_merkle_range(0, log->edges[0].count, edge_read, (void *) log, root);
}
