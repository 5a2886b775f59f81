/*
 * ledger_nest.h
 *		Statements on a protected table that run inside one another.
 */
#ifndef QG_LEDGER_NEST_H
#define QG_LEDGER_NEST_H

#include "quality_gov.h"

/* Does something about a key, given as a row in which all other columns are null. */
typedef void (*QgNestDo)(HeapTuple key, void *arg);

extern void qg_nest_begin(Oid relid);
extern bool qg_nest_end(Oid relid, bool *last);
extern bool qg_nest_note(Oid relid, const text *subject, HeapTuple (*make)(void *), void *arg);
extern void qg_nest_settle(Oid relid, QgNestDo what, void *arg);

#endif
