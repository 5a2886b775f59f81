/*
 * credit_scan.c
 *		Sums of all merchants, in one pass over the events.
 *
 * Grouping ten million events by merchant is bound by memory: each event touches a bucket, a key
 * and a sum that no cache holds.  A hash aggregate waits for each in turn.  Here events are taken
 * in batches, and each of the three steps asks for the memory that the next one needs for the whole
 * batch, so that the waits overlap:
 *
 *		take		read the row, hash the merchant's identifier, ask for its bucket
 *		find		follow the bucket to the merchant, ask for its key and its sum
 *		count		compare the key, add to the sum
 *
 * It reads the table with the query's own snapshot, as a sequential scan does.
 */
#include "quality_gov.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "credit/credit_scan.h"

#define BATCH 128
#define KEY_BYTES 40
#define START_MERCHANTS 1024

/* Columns of credit_event in their order, as far as a scan reads. */
enum
{
	COLUMN_MERCHANT,
	COLUMN_EVENT,
	COLUMN_INDICATOR,
	COLUMN_AT,
	COLUMN_RECORDED_AT,
	COLUMN_GOOD,
	COLUMN_BAD,
	COLUMN_XID,
	COLUMNS
};

/* An event between the steps. */
typedef struct Waiting
{
	uint32 hash;
	uint32 number; /* of the merchant, UINT32_MAX while it is not known */
	int length;
	const char *key; /* in the buffer below, or on its own where longer */
	char buffer[KEY_BYTES];
	int slot; /* first slot of the indicator */
	QgFact event;
} Waiting;

/* Makes a table of merchants in the current memory context. */
void
qg_merchants_init(QgMerchants *merchants, int width)
{
	memset(merchants, 0, sizeof(QgMerchants));
	merchants->context = CurrentMemoryContext;
	merchants->width = Max(width, 1);
	merchants->allocated = START_MERCHANTS;
	merchants->mask = START_MERCHANTS * 2 - 1;
	merchants->buckets = palloc0(sizeof(QgBucket) * START_MERCHANTS * 2);
	merchants->items = palloc(sizeof(QgMerchant) * START_MERCHANTS);
	merchants->sums = palloc(sizeof(QgSum) * START_MERCHANTS * merchants->width);
}

/* Gives the place where a new merchant of a hash goes. */
static uint32
free_place(const QgMerchants *merchants, uint32 hash)
{
	uint32 place = hash & merchants->mask;

	while (merchants->buckets[place].number != 0)
		place = (place + 1) & merchants->mask;
	return place;
}

/* Makes room for twice as many merchants. */
static void
grow(QgMerchants *merchants)
{
	Size allocated = (Size) merchants->allocated * 2;

	if (allocated > PG_UINT32_MAX / 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many merchants to sum up")));
	merchants->items = repalloc_huge(merchants->items, mul_size(sizeof(QgMerchant), allocated));
	merchants->sums = repalloc_huge(merchants->sums,
									mul_size(sizeof(QgSum) * merchants->width, allocated));
	pfree(merchants->buckets);
	merchants->buckets = MemoryContextAllocExtended(
		merchants->context, sizeof(QgBucket) * allocated * 2, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	merchants->allocated = (uint32) allocated;
	merchants->mask = (uint32) (allocated * 2 - 1);
	for (uint32 i = 0; i < merchants->count; i++)
	{
		uint32 place = free_place(merchants, merchants->items[i].hash);

		merchants->buckets[place] = (QgBucket){merchants->items[i].hash, i + 1};
	}
}

/* Gives the number of a merchant of known hash, or UINT32_MAX. */
static uint32
find_hashed(const QgMerchants *merchants, const char *key, int length, uint32 hash)
{
	for (uint32 place = hash & merchants->mask; merchants->buckets[place].number != 0;
		 place = (place + 1) & merchants->mask)
	{
		uint32 number = merchants->buckets[place].number - 1;
		const QgMerchant *item = &merchants->items[number];

		if (merchants->buckets[place].hash == hash && item->length == length &&
			memcmp(item->key, key, length) == 0)
			return number;
	}
	return PG_UINT32_MAX;
}

/* Gives the number of a merchant of known hash, which is new where it was not there yet. */
static uint32
add_hashed(QgMerchants *merchants, const char *key, int length, uint32 hash)
{
	uint32 number = find_hashed(merchants, key, length, hash);

	if (number != PG_UINT32_MAX)
		return number;
	if (merchants->count == merchants->allocated)
		grow(merchants);
	number = merchants->count++;
	merchants->items[number] = (QgMerchant){MemoryContextAlloc(merchants->context, length + 1),
											length, hash, 0};
	memcpy(merchants->items[number].key, key, length);
	merchants->items[number].key[length] = '\0';
	memset(qg_merchants_sums(merchants, number), 0, sizeof(QgSum) * merchants->width);
	merchants->buckets[free_place(merchants, hash)] = (QgBucket){hash, number + 1};
	return number;
}

/* Gives the number of a merchant, UINT32_MAX where it is not in the table. */
uint32
qg_merchants_find(const QgMerchants *merchants, const char *key, int length)
{
	return find_hashed(merchants, key, length, hash_bytes((const unsigned char *) key, length));
}

/* Gives the number of a merchant, which is new where it was not in the table. */
uint32
qg_merchants_add(QgMerchants *merchants, const char *key, int length)
{
	return add_hashed(merchants, key, length, hash_bytes((const unsigned char *) key, length));
}

/* Gives the sums of a merchant. */
QgSum *
qg_merchants_sums(const QgMerchants *merchants, uint32 number)
{
	return &merchants->sums[(Size) number * merchants->width];
}

/* Forgets all sums, and keeps the merchants. */
void
qg_merchants_clear(QgMerchants *merchants)
{
	memset(merchants->sums, 0, sizeof(QgSum) * merchants->width * merchants->count);
}

/* Starts to read a table of the extension. */
void
qg_table_open(QgTable *table, const char *name)
{
	Oid relid = get_relname_relid(name, get_namespace_oid(QG_SCHEMA, false));

	table->relation = table_open(relid, AccessShareLock);
	table->row = table_slot_create(table->relation, NULL);
	table->scan = table_beginscan(table->relation, GetActiveSnapshot(), 0, NULL);
}

/* Takes the next row, with its first columns at hand; false at the end. */
bool
qg_table_next(QgTable *table, int columns)
{
	CHECK_FOR_INTERRUPTS();
	if (!table_scan_getnextslot(table->scan, ForwardScanDirection, table->row))
		return false;
	slot_getsomeattrs(table->row, columns);
	return true;
}

/* Ends reading. */
void
qg_table_close(QgTable *table)
{
	table_endscan(table->scan);
	ExecDropSingleTupleTableSlot(table->row);
	table_close(table->relation, AccessShareLock);
}

/* Notes for each slot the next one of the same indicator. */
static void
chain_slots(QgScan *scan)
{
	scan->next = palloc(sizeof(int) * (scan->nslots + 1));
	scan->cells = palloc0(sizeof(int64) * (scan->nslots + 1));
	for (int i = 0; i < scan->nslots; i++)
	{
		scan->next[i] = -1;
		for (int j = scan->nslots - 1; j > i; j--)
			if (strcmp(scan->slots[j].indicator, scan->slots[i].indicator) == 0)
				scan->next[i] = j;
	}
}

/* Gives the first slot of an indicator, -1 where none looks at it. */
static int
first_slot(const QgScan *scan, const char *indicator, int length)
{
	for (int i = 0; i < scan->nslots; i++)
		if (scan->slots[i].length == length &&
			memcmp(scan->slots[i].indicator, indicator, length) == 0)
			return i;
	return -1;
}

/* Takes an event from a row; false where the scan does not count it. */
static bool
take(const QgScan *scan, const QgMerchants *merchants, const Datum *values, Waiting *waiting)
{
	text *merchant;
	text *indicator;

	waiting->event.recorded_at = DatumGetTimestampTz(values[COLUMN_RECORDED_AT]);
	if (waiting->event.recorded_at > scan->at ||
		(scan->rollup != NULL &&
		 !qg_rollup_shows(scan->rollup, DatumGetUInt64(values[COLUMN_XID]))))
		return false;
	indicator = DatumGetTextPP(values[COLUMN_INDICATOR]);
	waiting->event.length = VARSIZE_ANY_EXHDR(indicator);
	waiting->slot = first_slot(scan, VARDATA_ANY(indicator), waiting->event.length);
	if (waiting->slot < 0)
		return false;
	waiting->event.indicator = scan->slots[waiting->slot].indicator;
	waiting->event.at = DatumGetTimestampTz(values[COLUMN_AT]);
	waiting->event.good = DatumGetFloat8(values[COLUMN_GOOD]);
	waiting->event.bad = DatumGetFloat8(values[COLUMN_BAD]);
	merchant = DatumGetTextPP(values[COLUMN_MERCHANT]);
	waiting->length = VARSIZE_ANY_EXHDR(merchant);
	waiting->key = waiting->buffer;
	if (waiting->length <= KEY_BYTES)
		memcpy(waiting->buffer, VARDATA_ANY(merchant), waiting->length);
	else
		waiting->key = pnstrdup(VARDATA_ANY(merchant), waiting->length);
	if ((Pointer) merchant != DatumGetPointer(values[COLUMN_MERCHANT]))
		pfree(merchant);
	waiting->hash = hash_bytes((const unsigned char *) waiting->key, waiting->length);
	__builtin_prefetch(&merchants->buckets[waiting->hash & merchants->mask]);
	return true;
}

/* Follows the buckets of a batch. */
static void
find(const QgMerchants *merchants, Waiting *batch, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint32 place = batch[i].hash & merchants->mask;

		/* Of two merchants of one hash the second is found the slow way. */
		while (merchants->buckets[place].number != 0 &&
			   merchants->buckets[place].hash != batch[i].hash)
			place = (place + 1) & merchants->mask;
		batch[i].number = merchants->buckets[place].number - 1;
		if (batch[i].number != PG_UINT32_MAX)
			__builtin_prefetch(&merchants->items[batch[i].number]);
	}
	for (int i = 0; i < count; i++)
		if (batch[i].number != PG_UINT32_MAX)
		{
			__builtin_prefetch(merchants->items[batch[i].number].key);
			__builtin_prefetch(&qg_merchants_sums(merchants, batch[i].number)[batch[i].slot]);
		}
}

/* Adds an event to every slot of its indicator that counts it; first is the first of them. */
static void
count_event(const QgScan *scan, QgSum *sums, int first, const QgFact *event)
{
	for (int i = first; i >= 0; i = scan->next[i])
	{
		const QgSlot *slot = &scan->slots[i];
		double weight;

		if (slot->window_days > 0 && !qg_slot_reaches(slot, event->at, scan->at))
			continue;
		/* Weighed before the sum is looked at, which may be far away. */
		weight = qg_event_weight(slot->half_life, event->at, &scan->cells[i]);
		qg_sum_add(&sums[i], (QgSum){scan->cells[i], event->good * weight, event->bad * weight});
	}
}

/* Adds a batch to the sums. */
static void
count_batch(const QgScan *scan, QgMerchants *merchants, Waiting *batch, int count)
{
	for (int i = 0; i < count; i++)
	{
		Waiting *waiting = &batch[i];
		QgSum *sums;

		if (waiting->number == PG_UINT32_MAX ||
			merchants->items[waiting->number].hash != waiting->hash ||
			merchants->items[waiting->number].length != waiting->length ||
			memcmp(merchants->items[waiting->number].key, waiting->key, waiting->length) != 0)
			waiting->number = add_hashed(merchants, waiting->key, waiting->length, waiting->hash);
		sums = qg_merchants_sums(merchants, waiting->number);
		count_event(scan, sums, waiting->slot, &waiting->event);
		if (scan->sizes)
		{
			waiting->event.good = fabs(waiting->event.good);
			waiting->event.bad = fabs(waiting->event.bad);
			count_event(scan, sums + scan->nslots, waiting->slot, &waiting->event);
		}
		if (waiting->key != waiting->buffer)
			pfree((char *) waiting->key);
	}
}

/*
 * Adds all events that a scan counts to the sums of their merchants, as the active snapshot shows
 * them.  With sizes a merchant has a second row of sums behind the first: of absolute amounts.
 */
void
qg_credit_scan(QgScan *scan, QgMerchants *merchants)
{
	int columns = scan->rollup != NULL ? COLUMNS : COLUMN_XID;
	Waiting *batch = palloc(sizeof(Waiting) * BATCH);
	bool more = true;
	QgTable table;

	chain_slots(scan);
	qg_table_open(&table, "credit_event");
	while (more)
	{
		int count = 0;

		while (count < BATCH && (more = qg_table_next(&table, columns)))
			if (take(scan, merchants, table.row->tts_values, &batch[count]))
				count++;
		find(merchants, batch, count);
		count_batch(scan, merchants, batch, count);
	}
	qg_table_close(&table);
	pfree(batch);
}
