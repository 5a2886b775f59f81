/*
 * cache.h
 *		Per-backend caches of policy tables that are never stale.
 *
 * A cache is declared as a static QgCache naming the tables it is built from.  Each of those
 * tables carries a statement trigger that sends a relcache invalidation when its rows change
 * (cache_invalidate()), so a committed change drops the cache in every backend.
 */
#ifndef QG_CACHE_H
#define QG_CACHE_H

#include "quality_gov.h"

#include "datatype/timestamp.h"

#define QG_CACHE_TABLES_MAX 8

typedef struct QgCache
{
	const char *name;						 /* name of the memory context, a literal */
	const char *tables[QG_CACHE_TABLES_MAX]; /* tables of quality_gov, NULL-terminated */

	/*
	 * Builds the content in the current memory context and returns it.  Runs as the extension's
	 * owner, inside SPI, with the latest snapshot active: qg_cache_select() reads with it.
	 */
	void *(*build)(void);

	/* private */
	Oid relids[QG_CACHE_TABLES_MAX];
	MemoryContext context;
	void *content;
	bool registered;
	bool valid;
	bool provisional; /* built with a parallel query's snapshot: good for that one only */
	TransactionId xmin, xmax;
	uint32 xcnt;
	int32 subxcnt;
	CommandId curcid;
	uint64 invalidations;
	uint64 builds;
} QgCache;

extern void *qg_cache_get(QgCache *cache);
extern void qg_cache_drop(QgCache *cache);
extern void qg_latest_snapshot_push(void);
extern uint64 qg_cache_select(const char *sql, int nargs, Oid *types, Datum *values,
							  const char *nulls);
extern Datum qg_result_value(uint64 row, int column, bool *isnull);
extern char *qg_result_text(uint64 row, int column);
extern TimestampTz qg_result_instant(uint64 row, int column, TimestampTz null);

#endif
