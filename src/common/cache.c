/*
 * cache.c
 *		Per-backend caches of policy tables that are never stale.
 *
 * Three measured facts shape this file.  A cache read with the transaction's own snapshot goes
 * permanently stale under repeatable read: the invalidation has been consumed, the rows were not
 * visible yet.  So a build reads with the latest snapshot.  An invalidation that arrives while the
 * build reads speaks of rows it may have missed, so the build is discarded and done again.  And a
 * prepared statement in an open transaction may reach a trigger without accepting invalidations,
 * so they are accepted before a cache is trusted.
 *
 * In a parallel query no snapshot but the query's can be had.  What its leader builds then serves that
 * query only; a worker's goes with the worker.
 *
 * Content that went stale may still be in use further up the stack; it is handed to the
 * transaction's memory context and goes with the transaction.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "common/guard.h"
#include "common/version.h"

#define CACHES_MAX 32
#define BUILD_TRIES 5

static QgCache *caches[CACHES_MAX];
static int ncaches = 0;

/* Marks stale every cache that was built from the relation. */
static void
relation_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < ncaches; i++)
	{
		if (OidIsValid(relid))
		{
			int t = 0;

			while (caches[i]->tables[t] != NULL && caches[i]->relids[t] != relid)
				t++;
			if (caches[i]->tables[t] == NULL)
				continue;
		}
		caches[i]->valid = false;
		caches[i]->invalidations++;
	}
}

/* Makes the cache known to the invalidation callback. */
static void
cache_register(QgCache *cache)
{
	if (ncaches == CACHES_MAX)
		elog(ERROR, "too many caches");
	if (ncaches == 0)
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	caches[ncaches++] = cache;
	cache->registered = true;
}

/* Looks up the tables' oids anew: DROP and CREATE EXTENSION change them under a live backend. */
static void
resolve_tables(QgCache *cache)
{
	Oid namespace = get_namespace_oid(QG_SCHEMA, false);

	for (int i = 0; i < QG_CACHE_TABLES_MAX && cache->tables[i] != NULL; i++)
	{
		cache->relids[i] = get_relname_relid(cache->tables[i], namespace);
		if (!OidIsValid(cache->relids[i]))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
							errmsg("table \"%s.%s\" does not exist", QG_SCHEMA, cache->tables[i])));
	}
}

/* Leaves old content to the transaction, since a caller up the stack may still read it. */
static void
retire_content(QgCache *cache)
{
	if (cache->context != NULL)
		MemoryContextSetParent(cache->context, TopTransactionContext);
	cache->context = NULL;
	cache->content = NULL;
}

/*
 * Makes the latest snapshot the active one.  In a parallel query none can be taken: there all
 * workers and their leader read with the query's own.
 */
void
qg_latest_snapshot_push(void)
{
	PushActiveSnapshot(IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot());
}

/* Notes of the active snapshot what no other one that comes later has alike. */
static void
note_snapshot(QgCache *cache)
{
	Snapshot snapshot = GetActiveSnapshot();

	cache->provisional = true;
	cache->xmin = snapshot->xmin;
	cache->xmax = snapshot->xmax;
	cache->xcnt = snapshot->xcnt;
	cache->subxcnt = snapshot->subxcnt;
	cache->curcid = snapshot->curcid;
}

/* Tells whether provisional content was built with the snapshot of the query that asks for it. */
static bool
is_of_this_query(const QgCache *cache)
{
	Snapshot snapshot = IsInParallelMode() ? GetActiveSnapshot() : NULL;

	return snapshot != NULL && cache->xmin == snapshot->xmin && cache->xmax == snapshot->xmax &&
		   cache->xcnt == snapshot->xcnt && cache->subxcnt == snapshot->subxcnt &&
		   cache->curcid == snapshot->curcid;
}

/* Builds content aside and swaps it in; tells whether no invalidation came meanwhile. */
static bool
build_content(QgCache *cache)
{
	uint64 before;
	MemoryContext aside;
	MemoryContext caller = CurrentMemoryContext;
	QgOwner owner;
	void *content;

	resolve_tables(cache);
	before = cache->invalidations;
	aside = AllocSetContextCreate(TopTransactionContext, "quality_gov cache",
								  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSetIdentifier(aside, cache->name);
	qg_owner_begin(&owner);
	qg_latest_snapshot_push();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(aside);
	content = cache->build();
	SPI_finish();
	PopActiveSnapshot();
	qg_owner_end(&owner);
	MemoryContextSwitchTo(caller);

	AcceptInvalidationMessages();
	MemoryContextSetParent(aside, TopMemoryContext);
	retire_content(cache);
	cache->context = aside;
	cache->content = content;
	cache->builds++;
	return cache->invalidations == before;
}

/*
 * Gives the cache's content, current as of this call.  The pointer stays good until the end of the
 * transaction, also when the content goes stale meanwhile.
 */
void *
qg_cache_get(QgCache *cache)
{
	if (!cache->registered)
		cache_register(cache);
	AcceptInvalidationMessages();
	/* The query's snapshot may be older than an invalidation that was accepted before it. */
	if (cache->provisional && !is_of_this_query(cache))
		cache->valid = cache->provisional = false;
	if (cache->valid)
		return cache->content;

	qg_version_require();
	for (int try = 0; try < BUILD_TRIES; try++)
	{
		CHECK_FOR_INTERRUPTS();
		if (build_content(cache))
		{
			cache->valid = true;
			if (IsInParallelMode())
				note_snapshot(cache);
			break;
		}
	}
	/* Under a storm of changes the newest build serves this call and the next builds again. */
	return cache->content;
}

/* Drops the content at the next use, for caches that have grown beyond their bounds. */
void
qg_cache_drop(QgCache *cache)
{
	cache->valid = false;
}

/*
 * Runs a read-only query with the active snapshot, inside an SPI connection; rows are left in
 * SPI_tuptable and their number is returned.
 */
uint64
qg_cache_select(const char *sql, int nargs, Oid *types, Datum *values, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	int rc = SPI_execute_with_args(sql, nargs, types, values, nulls, true, 0);

	/* SPI leaves its own context current; a builder goes on allocating in the cache's. */
	MemoryContextSwitchTo(caller);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "cache query failed: %s", SPI_result_code_string(rc));
	return SPI_processed;
}

/* Gives a column of a row of the last query in an SPI connection, 0 with *isnull set for null. */
Datum
qg_result_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/* Gives a column of type text in the current memory context, NULL for null. */
char *
qg_result_text(uint64 row, int column)
{
	bool isnull;
	Datum value = qg_result_value(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Gives a column of type timestamptz, such as a bound of a period, another instant for null. */
TimestampTz
qg_result_instant(uint64 row, int column, TimestampTz null)
{
	bool isnull;
	Datum value = qg_result_value(row, column, &isnull);

	return isnull ? null : DatumGetTimestampTz(value);
}

/* Trigger: tells every backend that the rows of a policy table changed. */
PG_FUNCTION_INFO_V1(qg_cache_invalidate);
Datum
qg_cache_invalidate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "cache_invalidate",
											  QG_TRIGGER_AFTER | QG_TRIGGER_STATEMENT, 0);

	CacheInvalidateRelcache(trigger->tg_relation);
	return PointerGetDatum(NULL);
}

/* cache_state(): name, validity, builds and memory of the caches this backend holds. */
PG_FUNCTION_INFO_V1(qg_cache_state);
Datum
qg_cache_state(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < ncaches; i++)
	{
		Datum values[4] = {0};
		bool nulls[4] = {false, false, false, false};

		values[0] = CStringGetTextDatum(caches[i]->name);
		values[1] = BoolGetDatum(caches[i]->valid);
		values[2] = Int64GetDatum((int64) caches[i]->builds);
		values[3] = Int64GetDatum(
			caches[i]->context ? (int64) MemoryContextMemAllocated(caches[i]->context, true) : 0);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
