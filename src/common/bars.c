/*
 * bars.c
 *		A backend's memory of bars: facts that forbid something over a period.
 *
 * "May this merchant list food?" and "is this lot recalled?" are answered by SQL functions that
 * list every relevant fact with its period.  Guards ask the same functions as applications do, but
 * keep the answer for a key until one of the tables behind it changes; since the periods come with
 * it, one read serves every instant.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/bars.h"
#include "common/guard.h"

/* A memory of more keys than this is dropped and begun anew. */
#define BARS_KEYS_MAX 100000

typedef struct BarEntry
{
	char *key; /* the four keys, each with its length before it */
	int nbars;
	QgBar *bars;
} BarEntry;

typedef struct BarMemory
{
	MemoryContext context;
	HTAB *entries;
} BarMemory;

static uint32
key_hash(const void *key, Size size)
{
	const char *text = *(char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) text, strlen(text)));
}

static int
key_match(const void *a, const void *b, Size size)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Builds an empty memory; entries are read when first asked for. */
void *
qg_bars_build(void)
{
	BarMemory *memory = palloc(sizeof(BarMemory));
	HASHCTL ctl = {0};

	memory->context = CurrentMemoryContext;
	ctl.keysize = sizeof(char *);
	ctl.entrysize = sizeof(BarEntry);
	ctl.hash = key_hash;
	ctl.match = key_match;
	ctl.hcxt = CurrentMemoryContext;
	memory->entries = hash_create("quality_gov bars", 1024, &ctl,
								  HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	return memory;
}

#define KEY_HEAD 6

/* Writes a text with its length before it, in digits that are never a 0, since a 0 ends a key. */
static char *
put_key(char *to, const char *text)
{
	size_t length = text != NULL ? strlen(text) : 0;
	size_t rest = length;

	*to++ = text != NULL ? '+' : '-';
	for (int i = 1; i < KEY_HEAD; i++, rest /= 127)
		*to++ = (char) (1 + rest % 127);
	memcpy(to, text != NULL ? text : "", length);
	return to + length;
}

/* Writes the keys as one string in which no two combinations are the same; in room if it fits. */
static char *
make_key(const char *const keys[QG_BAR_KEYS], char *room, size_t size)
{
	size_t length = 1;
	char *key = room;
	char *to;

	for (int i = 0; i < QG_BAR_KEYS; i++)
		length += KEY_HEAD + (keys[i] != NULL ? strlen(keys[i]) : 0);
	if (length > size)
		key = palloc(length);
	to = key;
	for (int i = 0; i < QG_BAR_KEYS; i++)
		to = put_key(to, keys[i]);
	*to = '\0';
	return key;
}

/* Gives a period's bound, infinite where it is null. */
static TimestampTz
row_bound(HeapTuple row, int column, TimestampTz infinite)
{
	bool isnull;
	Datum value = SPI_getbinval(row, SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? infinite : DatumGetTimestampTz(value);
}

/* Runs the source's query with the active snapshot; the plan outlives what it was made for. */
static uint64
select_bars(QgBarSource *source, Oid *types, Datum *values, const char *nulls)
{
	if (source->plan == NULL)
	{
		SPIPlanPtr plan = SPI_prepare(source->sql, QG_BAR_KEYS, types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the query of \"%s\"", source->cache.name);
		source->plan = plan;
	}
	if (SPI_execute_plan(source->plan, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read \"%s\"", source->cache.name);
	return SPI_processed;
}

/* Reads the bars of one key with the latest snapshot into the memory's context. */
static void
read_bars(QgBarSource *source, const char *const keys[QG_BAR_KEYS], MemoryContext context,
		  BarEntry *entry)
{
	Oid types[QG_BAR_KEYS];
	Datum values[QG_BAR_KEYS];
	char nulls[QG_BAR_KEYS + 1] = {0};
	QgOwner owner;
	uint64 n;

	for (int i = 0; i < QG_BAR_KEYS; i++)
	{
		types[i] = TEXTOID;
		nulls[i] = keys[i] == NULL ? 'n' : ' ';
		values[i] = keys[i] == NULL ? (Datum) 0 : CStringGetTextDatum(keys[i]);
	}
	qg_owner_begin(&owner);
	qg_latest_snapshot_push();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = select_bars(source, types, values, nulls);
	entry->bars = MemoryContextAllocZero(context, sizeof(QgBar) * (n + 1));
	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		QgBar *bar = &entry->bars[i];
		char *basis;

		bar->since = row_bound(row, 1, DT_NOBEGIN);
		bar->until = row_bound(row, 2, DT_NOEND);
		bar->verdict = MemoryContextStrdup(context, SPI_getvalue(row, SPI_tuptable->tupdesc, 3));
		bar->reason = MemoryContextStrdup(context, SPI_getvalue(row, SPI_tuptable->tupdesc, 4));
		basis = SPI_getvalue(row, SPI_tuptable->tupdesc, 5);
		bar->legal_basis = basis ? MemoryContextStrdup(context, basis) : NULL;
	}
	SPI_finish();
	PopActiveSnapshot();
	qg_owner_end(&owner);
	entry->nbars = (int) n;
}

/*
 * Gives every bar of a key, whatever its period; the array stays good until the end of the
 * transaction.
 */
int
qg_bars_find(QgBarSource *source, const char *const keys[QG_BAR_KEYS], const QgBar **bars)
{
	BarMemory *memory = qg_cache_get(&source->cache);
	char room[256];
	char *key = make_key(keys, room, sizeof(room));
	BarEntry *entry = hash_search(memory->entries, &key, HASH_FIND, NULL);

	if (entry == NULL)
	{
		BarEntry fresh = {0};
		BarEntry *stored;

		read_bars(source, keys, memory->context, &fresh);
		fresh.key = MemoryContextStrdup(memory->context, key);
		stored = hash_search(memory->entries, &fresh.key, HASH_ENTER, NULL);
		*stored = fresh;
		entry = stored;
		if (hash_get_num_entries(memory->entries) > BARS_KEYS_MAX)
			qg_cache_drop(&source->cache);
	}
	if (key != room)
		pfree(key);
	*bars = entry->bars;
	return entry->nbars;
}
