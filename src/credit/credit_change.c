/*
 * credit_change.c
 *		Writing the changes of a platform's rows as events.
 *
 * Only what the log holds is voided, at the instant and with the amounts it holds: a row older than
 * the attachment was never counted, and taking it out would take somebody else's events.  The log
 * is read with the latest snapshot, past the transaction's: what another session has voided is
 * voided.  An event is locked before it is asked whether that has happened, so a statement waits
 * for a void under way rather than fail on its index.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "credit/credit_change.h"

/* So many changes on an insertion is looked for that should have come first. */
#define INSERTIONS_LOOKED_FOR 1000

/* An event of the log. */
typedef struct Logged
{
	int64 id;
	ItemPointerData place;
	TimestampTz at;
	TimestampTz recorded_at;
	float8 good;
	float8 bad;
	bool void_;
	int64 voids;
	bool voided;
} Logged;

/* Hashes of the refs whose events were written since the log was last made to show them. */
typedef struct Touched
{
	uint32 key;
	char status;
} Touched;

#define SH_PREFIX touched
#define SH_ELEMENT_TYPE Touched
#define SH_KEY_TYPE uint32
#define SH_KEY key
#define SH_HASH_KEY(tb, key) (key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The log, as it is written and read. */
typedef struct Log
{
	QgEventWriter writer;
	Oid by_ref; /* indexes */
	Oid by_voids;
	TupleTableSlot *slot;
	touched_hash *touched;
	MemoryContext scratch;
} Log;

/* Makes ready to write and read. */
static void
open_log(Log *log)
{
	Oid namespace = get_namespace_oid(QG_SCHEMA, false);

	qg_events_open(&log->writer);
	log->by_ref = get_relname_relid("credit_event_ref", namespace);
	log->by_voids = get_relname_relid("credit_event_voids", namespace);
	log->slot = table_slot_create(log->writer.rows.relation, NULL);
}

/* Ends writing and reading. */
static void
close_log(Log *log)
{
	ExecDropSingleTupleTableSlot(log->slot);
	qg_events_close(&log->writer);
}

/* Gives a column that is not null. */
static Datum
column_of(HeapTuple tuple, TupleDesc desc, AttrNumber column)
{
	bool isnull;
	Datum value = heap_getattr(tuple, column, desc, &isnull);

	return isnull ? (Datum) 0 : value;
}

/* Reads an event of the log. */
static Logged *
read_logged(HeapTuple tuple, TupleDesc desc)
{
	Logged *logged = palloc0(sizeof(Logged));

	logged->place = tuple->t_self;
	logged->id = DatumGetInt64(column_of(tuple, desc, Anum_event_id));
	logged->at = DatumGetTimestampTz(column_of(tuple, desc, Anum_event_at));
	logged->recorded_at = DatumGetTimestampTz(column_of(tuple, desc, Anum_event_recorded_at));
	logged->good = DatumGetFloat8(column_of(tuple, desc, Anum_event_good));
	logged->bad = DatumGetFloat8(column_of(tuple, desc, Anum_event_bad));
	logged->void_ = DatumGetBool(column_of(tuple, desc, Anum_event_void));
	logged->voids = DatumGetInt64(column_of(tuple, desc, Anum_event_voids));
	return logged;
}

/* Orders events by their ids. */
static int
compare_logged(const ListCell *a, const ListCell *b)
{
	const Logged *x = lfirst(a);
	const Logged *y = lfirst(b);

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Gives the events of a row's ref, oldest first. */
static List *
events_of(Log *log, const QgChange *change)
{
	const AttrNumber columns[] = {Anum_event_merchant, Anum_event_source, Anum_event_ref};
	const Datum values[] = {change->old.merchant, change->attachment->source, change->old.ref};
	Relation table = log->writer.rows.relation;
	TupleDesc desc = RelationGetDescr(table);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	text *indicator = DatumGetTextPP(change->attachment->indicator);
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple tuple;
	List *events = NIL;

	for (int i = 0; i < (int) lengthof(keys); i++)
		ScanKeyEntryInitialize(&keys[i], 0, columns[i], BTEqualStrategyNumber, InvalidOid,
							   DEFAULT_COLLATION_OID, F_TEXTEQ, values[i]);
	scan = systable_beginscan(table, log->by_ref, true, snapshot, lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		text *found = DatumGetTextPP(column_of(tuple, desc, Anum_event_indicator));

		if (VARSIZE_ANY_EXHDR(found) == VARSIZE_ANY_EXHDR(indicator) &&
			memcmp(VARDATA_ANY(found), VARDATA_ANY(indicator), VARSIZE_ANY_EXHDR(found)) == 0)
			events = lappend(events, read_logged(tuple, desc));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	list_sort(events, compare_logged);
	return events;
}

/* Marks the events that were voided; a void that names none takes back the last before it. */
static void
mark_voided(List *events)
{
	for (int i = 0; i < list_length(events); i++)
	{
		Logged *logged = list_nth(events, i);

		for (int j = i - 1; logged->void_ && j >= 0; j--)
		{
			Logged *before = list_nth(events, j);

			if (before->void_ || before->voided ||
				(logged->voids != 0 && before->id != logged->voids))
				continue;
			before->voided = true;
			break;
		}
	}
}

/* Tells how well an event fits what a row counted: its instant says more than its amounts. */
static int
fitness(const Logged *logged, const QgCounted *old)
{
	return (logged->at == old->at ? 2 : 0) +
		   (logged->good == old->good && logged->bad == old->bad ? 1 : 0);
}

/*
 * Gives the event that a row counts as: of those that stand the one that fits best, of several the
 * last.  A ref may be that of several rows.  NULL where there is none.
 */
static Logged *
best_standing(const List *events, const QgCounted *old)
{
	Logged *standing = NULL;
	ListCell *cell;

	foreach (cell, events)
	{
		Logged *logged = lfirst(cell);

		if (!logged->void_ && !logged->voided &&
			(standing == NULL || fitness(logged, old) >= fitness(standing, old)))
			standing = logged;
	}
	return standing;
}

/* Waits until nobody else is voiding an event. */
static void
lock_event(Log *log, Logged *logged)
{
	TM_FailureData failure;
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TM_Result result = table_tuple_lock(log->writer.rows.relation, &logged->place, snapshot,
										log->slot, GetCurrentCommandId(false),
										LockTupleNoKeyExclusive, LockWaitBlock, 0, &failure);

	ExecClearTuple(log->slot);
	UnregisterSnapshot(snapshot);
	if (result != TM_Ok && result != TM_Deleted)
		elog(ERROR, "could not lock credit event %lld", (long long) logged->id);
}

/* Tells whether an event has a void. */
static bool
is_voided(Log *log, Datum merchant, const Logged *logged)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData keys[2];
	SysScanDesc scan;
	bool voided;

	ScanKeyEntryInitialize(&keys[0], 0, Anum_event_merchant, BTEqualStrategyNumber, InvalidOid,
						   DEFAULT_COLLATION_OID, F_TEXTEQ, merchant);
	ScanKeyInit(&keys[1], Anum_event_voids, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(logged->id));
	scan = systable_beginscan(log->writer.rows.relation, log->by_voids, true, snapshot,
							  lengthof(keys), keys);
	voided = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return voided;
}

/* Finds the event that a row counts as and holds it; NULL where there is none. */
static Logged *
hold_standing(Log *log, const QgChange *change)
{
	List *events = events_of(log, change);
	Logged *standing;

	mark_voided(events);
	while ((standing = best_standing(events, &change->old)) != NULL)
	{
		lock_event(log, standing);
		if (!is_voided(log, change->old.merchant, standing))
			return standing;
		standing->voided = true;
	}
	return NULL;
}

/* Gives the hash of what events of a row are found by. */
static uint32
ref_key(const QgAttachment *attachment, Datum merchant, Datum ref)
{
	const Datum parts[] = {merchant, attachment->source, ref};
	uint32 key = 0;

	for (int i = 0; i < (int) lengthof(parts); i++)
		key = hash_combine(key, hash_bytes((const unsigned char *) VARDATA_ANY(parts[i]),
										   (int) VARSIZE_ANY_EXHDR(parts[i])));
	return key;
}

/* Notes that events of a ref were written. */
static void
touch(Log *log, const QgAttachment *attachment, Datum merchant, Datum ref)
{
	bool found;

	if (ref != (Datum) 0)
		(void) touched_insert(log->touched, ref_key(attachment, merchant, ref), &found);
}

/* Makes the log show what was written of a row's ref. */
static void
show_written(Log *log, const QgChange *change)
{
	if (touched_lookup(log->touched,
					   ref_key(change->attachment, change->old.merchant, change->old.ref)) == NULL)
		return;
	close_log(log);
	open_log(log);
	touched_reset(log->touched);
}

/*
 * Takes back what a row counted; false where the log holds nothing of it.  What the row counts now
 * is known from then on.
 */
static bool
void_old(Log *log, const QgChange *change, QgEvent *new)
{
	MemoryContext caller;
	Logged *standing;
	QgEvent taken;

	show_written(log, change);
	caller = MemoryContextSwitchTo(log->scratch);
	standing = hold_standing(log, change);
	MemoryContextSwitchTo(caller);
	if (standing == NULL)
		return false;
	taken = (QgEvent){
		.merchant = change->old.merchant,
		.indicator = change->attachment->indicator,
		.source = change->attachment->source,
		.ref = change->old.ref,
		.at = standing->at,
		.recorded_at = Max(GetCurrentStatementStartTimestamp(), standing->recorded_at),
		.good = 0 - standing->good,
		.bad = 0 - standing->bad,
		.voids = standing->id};
	MemoryContextReset(log->scratch);
	qg_event_write(&log->writer, &taken);
	touch(log, change->attachment, taken.merchant, taken.ref);
	if (!change->dated)
		new->at = taken.at;
	new->recorded_at = Max(new->recorded_at, taken.recorded_at);
	return true;
}

/* Writes what a change enters. */
static void
enter_new(Log *log, const QgChange *change, const QgEvent *new)
{
	qg_event_check(&log->writer, new, &change->attachment->origin);
	qg_event_write(&log->writer, new);
	touch(log, change->attachment, new->merchant, new->ref);
}

/* Tells whether two texts are the same. */
static bool
same_text(Datum a, Datum b)
{
	return a != (Datum) 0 && b != (Datum) 0 && VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/*
 * Writes the insertion of a row that another trigger had changed before ours fired for it; false
 * where none follows.
 */
static bool
enter_before(Log *log, const QgChange *change, QgChange *end)
{
	for (QgChange *later = unconstify(QgChange *, change) + 1; later < end; later++)
	{
		if (later->done || !later->enters || later->old.merchant != (Datum) 0 ||
			!same_text(later->new.ref, change->old.ref) ||
			!same_text(later->new.merchant, change->old.merchant) ||
			!same_text(later->new.source, change->attachment->source) ||
			!same_text(later->new.indicator, change->attachment->indicator))
			continue;
		enter_new(log, later, &later->new);
		later->done = true;
		return true;
	}
	return false;
}

/* Writes one change; those up to end follow it. */
static void
write_change(Log *log, QgChange *change, QgChange *end)
{
	QgEvent new = change->new;

	if (change->done)
		return;
	if (change->old.merchant != (Datum) 0)
	{
		if (change->old.ref == (Datum) 0)
			return;
		if (!void_old(log, change, &new) &&
			!(enter_before(log, change, end) && void_old(log, change, &new)))
			return;
	}
	if (change->enters)
		enter_new(log, change, &new);
}

/* Tells whether any change takes something back. */
static bool
any_voids(const QgChange *changes, int count)
{
	for (int i = 0; i < count; i++)
		if (changes[i].old.merchant != (Datum) 0)
			return true;
	return false;
}

/* Writes changes that only enter events. */
static void
write_entries(QgEventWriter *writer, const QgChange *changes, int count)
{
	QgEvent *events = palloc_extended(sizeof(QgEvent) * count, MCXT_ALLOC_HUGE);

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		events[i] = changes[i].new;
		qg_event_check(writer, &events[i], &changes[i].attachment->origin);
		events[i].id = qg_event_next_id(writer);
	}
	qg_events_write(writer, events, count);
}

/* Writes changes, as in their order; what they enter is seen by the commands that follow. */
void
qg_changes_write(QgChange *changes, int count)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "quality_gov credit events written", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Log log = {0};

	open_log(&log);
	if (any_voids(changes, count))
	{
		log.scratch = AllocSetContextCreate(context, "quality_gov credit events read",
											ALLOCSET_DEFAULT_SIZES);
		log.touched = touched_create(context, 64, NULL);
		for (int i = 0; i < count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			write_change(&log, &changes[i], &changes[Min(count, i + INSERTIONS_LOOKED_FOR)]);
		}
	}
	else
		write_entries(&log.writer, changes, count);
	close_log(&log);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}
