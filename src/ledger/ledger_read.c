/*
 * ledger_read.c
 *		The leaf hash of an entry as it stands in the table, one after the other.
 *
 * Leaves follow one another nearly as their entries lie in the table, so that a scan of the table meets
 * them nearly in order.  What it passes on the way to an entry waits until it is asked for:
 *
 *		leaves 7 9 8 10, table 7 8 9 10 11		7 | 8 waits, 9 | 8 | 10
 *
 * Only so many wait.  Beyond them, and where a log is not read from its beginning, an entry is looked
 * up by its id.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "ledger/ledger.h"

#define COLUMNS 6
#define WAITING_MAX 100000
#define RESET_ROWS 32

/* An entry that the scan has passed. */
typedef struct Waiting
{
	int64 id;
	QgMerkleHash hash;
} Waiting;

struct QgEntryReader
{
	Relation table;
	Oid index;
	TableScanDesc scan; /* NULL where nothing is left to scan */
	TupleTableSlot *row;
	HTAB *waiting;
	MemoryContext scratch;
	StringInfoData leaf;
	int rows; /* since the scratch memory was emptied */
};

/* Starts reading entries with the active snapshot, all of them or only some. */
QgEntryReader *
qg_entries_open(bool all)
{
	QgEntryReader *reader = palloc0(sizeof(QgEntryReader));
	Oid namespace = get_namespace_oid(QG_SCHEMA, false);
	HASHCTL waiting = {
		.keysize = sizeof(int64), .entrysize = sizeof(Waiting), .hcxt = CurrentMemoryContext};

	reader->table = table_open(get_relname_relid("ledger_entry", namespace), AccessShareLock);
	reader->index = get_relname_relid("ledger_entry_pkey", namespace);
	reader->waiting = hash_create("quality_gov entries that wait", 1024, &waiting,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	reader->scratch = AllocSetContextCreate(CurrentMemoryContext, "quality_gov entries read",
											ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&reader->leaf);
	if (all)
	{
		reader->row = table_slot_create(reader->table, NULL);
		/* From the first block on, wherever another scan may be. */
		reader->scan = table_beginscan_strat(reader->table, GetActiveSnapshot(), 0, NULL, true,
											 false);
	}
	return reader;
}

/* Ends the scan. */
static void
end_scan(QgEntryReader *reader)
{
	if (reader->scan == NULL)
		return;
	table_endscan(reader->scan);
	ExecDropSingleTupleTableSlot(reader->row);
	reader->scan = NULL;
}

/* Ends reading. */
void
qg_entries_close(QgEntryReader *reader)
{
	end_scan(reader);
	hash_destroy(reader->waiting);
	MemoryContextDelete(reader->scratch);
	table_close(reader->table, AccessShareLock);
}

/* Hashes the leaf of a row, gives the entry's id. */
static int64
hash_row(QgEntryReader *reader, const Datum *values, QgMerkleHash *hash)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->scratch);
	QgLedgerEntry entry;

	CHECK_FOR_INTERRUPTS();
	entry.id = DatumGetInt64(values[0]);
	entry.kind = DatumGetTextPP(values[1]);
	entry.subject = DatumGetTextPP(values[2]);
	entry.body = DatumGetJsonbP(values[3]);
	entry.role = DatumGetTextPP(values[4]);
	entry.recorded_at = DatumGetTimestampTz(values[5]);
	qg_ledger_leaf(&entry, &reader->leaf);
	qg_merkle_leaf(reader->leaf.data, reader->leaf.len, hash);
	MemoryContextSwitchTo(caller);
	if (++reader->rows >= RESET_ROWS || reader->leaf.len > QG_LEAF_MAX / 4)
	{
		MemoryContextReset(reader->scratch);
		reader->rows = 0;
	}
	return entry.id;
}

/* Scans on to an entry; false where as many wait as may, or the table ends. */
static bool
scan_to(QgEntryReader *reader, int64 id, QgMerkleHash *hash)
{
	while (reader->scan != NULL && hash_get_num_entries(reader->waiting) < WAITING_MAX)
	{
		int64 found;

		if (!table_scan_getnextslot(reader->scan, ForwardScanDirection, reader->row))
		{
			end_scan(reader);
			break;
		}
		slot_getsomeattrs(reader->row, COLUMNS);
		found = hash_row(reader, reader->row->tts_values, hash);
		if (found == id)
			return true;
		((Waiting *) hash_search(reader->waiting, &found, HASH_ENTER, NULL))->hash = *hash;
	}
	return false;
}

/* Looks an entry up by its id. */
static bool
look_up(QgEntryReader *reader, int64 id, QgMerkleHash *hash)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	scan = systable_beginscan(reader->table, reader->index, true, GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		TupleDesc desc = RelationGetDescr(reader->table);
		Datum *values = MemoryContextAlloc(reader->scratch, desc->natts * sizeof(Datum));
		bool *nulls = MemoryContextAlloc(reader->scratch, desc->natts * sizeof(bool));

		heap_deform_tuple(tuple, desc, values, nulls);
		hash_row(reader, values, hash);
	}
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/* Gives the hash of an entry's leaf; false where there is no such entry. */
bool
qg_entries_hash(QgEntryReader *reader, int64 id, QgMerkleHash *hash)
{
	Waiting *waiting = hash_get_num_entries(reader->waiting) == 0
						   ? NULL
						   : hash_search(reader->waiting, &id, HASH_FIND, NULL);

	if (waiting != NULL)
	{
		*hash = waiting->hash;
		hash_search(reader->waiting, &id, HASH_REMOVE, NULL);
		return true;
	}
	return scan_to(reader, id, hash) || look_up(reader, id, hash);
}
