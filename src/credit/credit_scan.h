/*
 * credit_scan.h
 *		Sums of all merchants, in one pass over the events.
 */
#ifndef QG_CREDIT_SCAN_H
#define QG_CREDIT_SCAN_H

#include "access/tableam.h"

#include "credit/credit_state.h"

/* A merchant and where its sums are. */
typedef struct QgMerchant
{
	char *key;
	int length;
	uint32 hash;
	int32 change; /* free for the caller: what else is known of the merchant, 0 at first */
} QgMerchant;

/* A place of the hash table. */
typedef struct QgBucket
{
	uint32 hash;
	uint32 number; /* of a merchant plus one, 0 for none */
} QgBucket;

/* Merchants by their identifiers, each with a row of sums. */
typedef struct QgMerchants
{
	MemoryContext context;
	int width; /* sums a merchant */
	uint32 count;
	uint32 allocated;
	uint32 mask; /* of the buckets, a power of two less one */
	QgBucket *buckets;
	QgMerchant *items; /* count */
	QgSum *sums;	   /* count times width */
} QgMerchants;

extern void qg_merchants_init(QgMerchants *merchants, int width);
extern uint32 qg_merchants_find(const QgMerchants *merchants, const char *key, int length);
extern uint32 qg_merchants_add(QgMerchants *merchants, const char *key, int length);
extern QgSum *qg_merchants_sums(const QgMerchants *merchants, uint32 number);
extern void qg_merchants_clear(QgMerchants *merchants);

/* A table of the extension being read from end to end with the active snapshot. */
typedef struct QgTable
{
	Relation relation;
	TupleTableSlot *row;
	TableScanDesc scan;
} QgTable;

extern void qg_table_open(QgTable *table, const char *name);
extern bool qg_table_next(QgTable *table, int columns);
extern void qg_table_close(QgTable *table);

/* What a scan of the events counts. */
typedef struct QgScan
{
	const QgSlot *slots;
	int nslots;
	TimestampTz at;			/* events recorded later are passed over */
	const QgRollup *rollup; /* only what it shows, where not NULL */
	bool sizes;				/* count absolute amounts into a second row of sums */
	int64 *cells;			/* where the last event of each slot fell, a guess for the next */
	int *next;				/* of each slot, the next one of the same indicator; the scan's own */
} QgScan;

extern void qg_credit_scan(QgScan *scan, QgMerchants *merchants);

#endif
