/*
 * denial.h
 *		Refused attempts: written where no rollback reaches them, recorded in a transaction of
 *		their own.
 */
#ifndef QG_DENIAL_H
#define QG_DENIAL_H

#include "quality_gov.h"

#include "datatype/timestamp.h"

#include "common/spool.h"

/*
 * Notes a refused attempt; may be called just before the error is raised.  The two JSON texts and
 * whatever else is missing may be NULL.
 */
extern void qg_denial_record(const char *relation, const char *merchant_id, const char *listing_id,
							 const char *category, const char *operation, TimestampTz at,
							 const char *verdict, const char *findings_json,
							 const char *listing_json);

/*
 * What the writer (denial.c), the reader (denial_drain.c) and the worker
 * (denial_worker.c) share.
 */
#define QG_DENIAL_GONE (-1)
#define QG_DENIAL_BUSY (-2)

extern bool qg_denial_key(QgSpoolKey *key);
extern void qg_denial_log(const char *attempt, size_t length, QgSpoolState *state);
extern bool qg_denial_hold(QgSpoolKey *key);
extern int64 qg_denial_drain(int64 limit, bool wait);
extern void qg_denial_worker_ask(const QgSpoolKey *key, QgSpoolState *state);

#endif
