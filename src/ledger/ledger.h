/*
 * ledger.h
 *		The log over the ledger's entries: leaves, tiles, proofs.
 */
#ifndef QG_LEDGER_H
#define QG_LEDGER_H

#include "quality_gov.h"

#include "executor/spi.h"
#include "utils/jsonb.h"

#include "ledger/merkle.h"

#define QG_TILE_HEIGHT 8
#define QG_TILE_WIDTH (1 << QG_TILE_HEIGHT)
#define QG_TILE_RUN 16 /* hashes under one of the tile's middle nodes */
#define QG_TILE_RUN_LEVEL 4
#define QG_TILE_LEVELS (QG_MERKLE_LEVELS / QG_TILE_HEIGHT)

/* Bytes of a leaf, of which an entry bundle of C2SP tlog-tiles counts in 16 bits. */
#define QG_LEAF_MAX 65535

/* What a leaf says of an entry. */
typedef struct QgLedgerEntry
{
	int64 id;
	text *kind;
	text *subject;
	Jsonb *body;
	text *role;
	TimestampTz recorded_at;
} QgLedgerEntry;

extern void qg_ledger_worker_note(void);
extern void qg_ledger_leaf(const QgLedgerEntry *entry, StringInfo leaf);

typedef struct QgEntryReader QgEntryReader;

extern QgEntryReader *qg_entries_open(bool all);
extern bool qg_entries_hash(QgEntryReader *reader, int64 id, QgMerkleHash *hash);
extern void qg_entries_close(QgEntryReader *reader);

/* Parts of tiles that have been read, for the roots of subtrees in them. */
typedef struct QgTileReader
{
	struct QgTilePart *parts;
} QgTileReader;

/* The right edge of one level of tiles. */
typedef struct QgEdge
{
	uint64 count; /* hashes of this level in all */
	bool changed; /* since the last one was full */
	QgMerkleHash hashes[QG_TILE_WIDTH];
} QgEdge;

/* The right edge of the log, and what is done with the tiles that its growth fills. */
typedef struct QgLog
{
	QgEdge edges[QG_TILE_LEVELS];
	void (*full)(struct QgLog *log, int level, void *arg);
	void *arg;
} QgLog;

extern void qg_log_load(QgLog *log, uint64 size);
extern void qg_log_append(QgLog *log, const QgMerkleHash *leaf);
extern void qg_log_root(const QgLog *log, QgMerkleHash *root);
extern int qg_edge_width(const QgEdge *edge);
extern uint64 qg_edge_tile(const QgEdge *edge);
extern int qg_edge_middle(const QgEdge *edge, QgMerkleHash middle[QG_TILE_WIDTH / QG_TILE_RUN]);

extern void qg_tile_read(int level, uint64 index, QgMerkleHash *hash, void *reader);
extern void qg_tile_fold(const QgMerkleHash *hashes, int count, QgMerkleHash *root);
extern bytea *qg_tile_fetch(int level, uint64 index);
extern bytea *qg_tile_fetch_middle(int level, uint64 index);
extern Datum qg_hash_datum(const QgMerkleHash *hash);

#endif
