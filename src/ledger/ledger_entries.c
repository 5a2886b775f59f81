/*
 * ledger_entries.c
 *		Entries about the rows of a protected table.
 *
 * A statement opens the ledger once and writes its entries together.  An update that gives a row another
 * key is two entries: under the old key the row is gone, under the new one it is there.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "ledger/ledger.h"
#include "ledger/ledger_entries.h"
#include "ledger/ledger_nest.h"
#include "ledger/row_value.h"

#define ENTRY_COLUMNS 7
#define SUBJECT_COLUMN 3
#define SECRET_COLUMNS 4

/* A key that an entry is about. */
typedef struct Keyed
{
	const QgEntries *entries;
	const QgImageRow *row;
} Keyed;

/* What settles a key. */
typedef struct Settling
{
	QgEntries *entries;
	Relation relation;
} Settling;

/* Makes ready to enter rows of a table; image is NULL where only the table as a whole is entered. */
void
qg_entries_begin(QgEntries *entries, const QgImage *image, char *label, QgImageKind kind,
				 TupleDesc desc)
{
	Oid schema = get_namespace_oid(QG_SCHEMA, false);

	entries->image = image;
	entries->label = label;
	entries->kind = kind;
	entries->relid = InvalidOid;
	entries->desc = desc;
	entries->secrets_open = false;
	entries->noting = false;
	entries->context = CurrentMemoryContext;
	entries->sequence = get_relname_relid("ledger_entry_entry_id_seq", schema);
	entries->role = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	entries->xid = FullTransactionIdGetDatum(GetTopFullTransactionId());
	entries->scratch = AllocSetContextCreate(CurrentMemoryContext, "quality_gov ledger entry",
											 ALLOCSET_DEFAULT_SIZES);
	entries->nest = image != NULL ? qg_value_begin(image->pinned) : 0;
	qg_ledger_worker_note();
	qg_rows_open(&entries->rows, "ledger_entry");
}

/* Writes what waits and ends. */
void
qg_entries_end(QgEntries *entries)
{
	if (entries->secrets_open)
		qg_rows_close(&entries->secrets);
	qg_rows_close(&entries->rows);
	qg_value_end(entries->nest);
	MemoryContextDelete(entries->scratch);
}

/* Keeps what an entry only commits to. */
static void
add_secrets(QgEntries *entries, int64 entry, const QgSecret *secret)
{
	bool nulls[SECRET_COLUMNS] = {false};
	Datum values[SECRET_COLUMNS];

	if (secret != NULL && !entries->secrets_open)
	{
		MemoryContext scratch = MemoryContextSwitchTo(entries->context);

		qg_rows_open(&entries->secrets, "ledger_secret");
		entries->secrets_open = true;
		MemoryContextSwitchTo(scratch);
	}
	for (; secret != NULL; secret = secret->next)
	{
		values[0] = Int64GetDatum(entry);
		values[1] = CStringGetTextDatum(secret->field);
		values[2] = PointerGetDatum(secret->salt);
		values[3] = JsonbPGetDatum(secret->value);
		qg_rows_put(&entries->secrets, values, nulls);
	}
}

/* Writes an entry. */
void
qg_entries_add(QgEntries *entries, const char *kind, text *subject, Jsonb *body,
			   const QgSecret *secrets)
{
	bool nulls[ENTRY_COLUMNS] = {false};
	Datum values[ENTRY_COLUMNS];
	int64 entry = nextval_internal(entries->sequence, false);

	values[0] = Int64GetDatum(entry);
	values[1] = CStringGetTextDatum(kind);
	values[2] = PointerGetDatum(subject);
	values[3] = JsonbPGetDatum(body);
	values[4] = entries->role;
	values[5] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[6] = entries->xid;
	qg_rows_put(&entries->rows, values, nulls);
	add_secrets(entries, entry, secrets);
}

/* Makes a row of nothing but the key. */
static HeapTuple
make_key(void *arg)
{
	const Keyed *keyed = arg;
	const QgImage *image = keyed->entries->image;
	TupleDesc desc = keyed->entries->desc;
	bool *nulls = palloc(desc->natts * sizeof(bool));
	HeapTuple key;

	memset(nulls, true, desc->natts * sizeof(bool));
	for (int i = 0; i < image->ncolumns; i++)
		if (image->columns[i].key)
			nulls[image->columns[i].attnum - 1] = false;
	key = heap_form_tuple(desc, keyed->row->values, nulls);
	pfree(nulls);
	return key;
}

/* Gives the subject of a row's entry, and keeps its key in mind where another statement is open. */
static text *
row_subject(QgEntries *entries, const QgImageRow *row)
{
	text *subject = qg_image_subject(entries->image, entries->label, row);
	Keyed keyed = {entries, row};

	if (entries->noting)
		qg_nest_note(entries->relid, subject, make_key, &keyed);
	return subject;
}

/* Writes the entry of a row; before is the row that an update replaced. */
void
qg_entries_row(QgEntries *entries, const char *kind, const QgImageRow *row,
			   const QgImageRow *before)
{
	MemoryContext caller = MemoryContextSwitchTo(entries->scratch);
	QgSecret *secrets = NULL;
	QgImageKind image = strcmp(kind, "row_delete") == 0 ? QG_IMAGE_KEY : entries->kind;
	Jsonb *body;

	CHECK_FOR_INTERRUPTS();
	if (before != NULL && qg_image_same_key(entries->image, entries->desc, row, before))
		before = NULL;
	/* Under its old key the row is gone. */
	if (before != NULL)
		qg_entries_add(
			entries, "row_delete", row_subject(entries, before),
			qg_image_body(entries->image, entries->label, before, NULL, QG_IMAGE_KEY, NULL), NULL);
	body = qg_image_body(entries->image, entries->label, row, before, image, &secrets);
	qg_entries_add(entries, kind, row_subject(entries, row), body, secrets);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(entries->scratch);
}

/* Finds the row of a key as it is now, what this transaction did included. */
static bool
find_row(const QgImage *image, Relation relation, const QgImageRow *key, TupleTableSlot *row)
{
	Relation index = index_open(qg_image_key_index(relation), AccessShareLock);
	ScanKeyData keys[INDEX_MAX_KEYS];
	IndexScanDesc scan;
	bool found;

	for (int i = 0; i < image->nkeys; i++)
	{
		Oid type = index->rd_opcintype[i];
		Oid equal = get_opfamily_member(index->rd_opfamily[i], type, type, BTEqualStrategyNumber);
		int at = image->columns[image->keys[i]].attnum - 1;

		ScanKeyEntryInitialize(&keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
							   index->rd_indcollation[i], get_opcode(equal), key->values[at]);
	}
	scan = qg_index_beginscan(relation, index, SnapshotSelf, image->nkeys);
	index_rescan(scan, keys, image->nkeys, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, row);
	if (found)
		ExecMaterializeSlot(row);
	index_endscan(scan);
	index_close(index, AccessShareLock);
	return found;
}

/* Tells whether a tuple of the ledger is an entry of this transaction by which a row is there. */
static bool
is_presence(const QgEntries *entries, HeapTuple tuple)
{
	TupleDesc desc = RelationGetDescr(entries->rows.relation);
	bool isnull;
	Datum kind = heap_getattr(tuple, 2, desc, &isnull);
	Datum xid = heap_getattr(tuple, ENTRY_COLUMNS, desc, &isnull);

	return DatumGetUInt64(xid) == DatumGetUInt64(entries->xid) &&
		   strcmp(TextDatumGetCString(kind), "row_delete") != 0;
}

/* Tells whether the last entry of a row is of this transaction, and one by which the row is there. */
bool
qg_entries_present(QgEntries *entries, const QgImageRow *row)
{
	MemoryContext caller = MemoryContextSwitchTo(entries->scratch);
	text *subject = qg_image_subject(entries->image, entries->label, row);
	Oid index_id = get_relname_relid("ledger_entry_subject", get_namespace_oid(QG_SCHEMA, false));
	Relation index = index_open(index_id, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	bool present;

	ScanKeyEntryInitialize(&key, 0, SUBJECT_COLUMN, BTEqualStrategyNumber, InvalidOid,
						   index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(subject));
	scan = systable_beginscan_ordered(entries->rows.relation, index, SnapshotSelf, 1, &key);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	present = HeapTupleIsValid(tuple) && is_presence(entries, tuple);
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(entries->scratch);
	return present;
}

/*
 * Enters what the row of a key is now, where the entries so far may not come in the order of the changes;
 * that there is none only where it is asked for.
 */
void
qg_entries_settle(QgEntries *entries, Relation relation, const QgImageRow *key, bool gone_too)
{
	TupleTableSlot *found = table_slot_create(relation, NULL);

	if (find_row(entries->image, relation, key, found))
	{
		QgImageRow row;

		slot_getallattrs(found);
		row.values = found->tts_values;
		row.nulls = found->tts_isnull;
		qg_entries_row(entries, "row_baseline", &row, NULL);
	}
	else if (gone_too)
		qg_entries_row(entries, "row_delete", key, NULL);
	ExecDropSingleTupleTableSlot(found);
}

/* Settles a key that more than one statement has entered. */
static void
settle_tuple(HeapTuple tuple, void *arg)
{
	const Settling *settling = arg;
	TupleDesc desc = RelationGetDescr(settling->relation);
	QgImageRow key;

	key.values = palloc(desc->natts * sizeof(Datum));
	key.nulls = palloc(desc->natts * sizeof(bool));
	heap_deform_tuple(tuple, desc, key.values, key.nulls);
	qg_entries_settle(settling->entries, settling->relation, &key, true);
	pfree(key.values);
	pfree(key.nulls);
}

/* Ends a statement's share in a nest, and settles the keys that are left open when it was the last. */
void
qg_entries_settle_all(QgEntries *entries, Relation relation)
{
	Settling settling = {entries, relation};

	entries->noting = false;
	qg_nest_settle(RelationGetRelid(relation), settle_tuple, &settling);
}
