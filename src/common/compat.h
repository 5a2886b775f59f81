/*
 * compat.h
 *		Every difference between the PostgreSQL versions that quality_gov supports; no other
 *		file looks at PG_VERSION_NUM.
 */
#ifndef QG_COMPAT_H
#define QG_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "quality_gov needs PostgreSQL 15 or later"
#endif

/*
 * Since 16 the varlena macros have a header of their own, and input functions can report errors
 * softly; before, the same line raises the error.
 */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "parser/parse_relation.h"
#include "varatt.h"
#else
#define ereturn(context, dummy, ...) \
	do                               \
	{                                \
		(void) (context);            \
		ereport(ERROR, __VA_ARGS__); \
		return dummy;                \
	} while (0)
#endif

/* Since 18 it is pg_noreturn, and stands first. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* Since 17 a backend's local transaction id is part of a struct. */
#if PG_VERSION_NUM >= 170000
#define QG_LOCAL_XID (MyProc->vxid.lxid)
#else
#define QG_LOCAL_XID (MyProc->lxid)
#endif

/* Since 16 a range's constructor takes a context for soft errors. */
#if PG_VERSION_NUM >= 160000
#define qg_make_range(type, lower, upper) make_range(type, lower, upper, false, NULL)
#else
#define qg_make_range(type, lower, upper) make_range(type, lower, upper, false)
#endif

/* Since 16 the rights to a range table are a list beside it, and since 18 it says what is unpruned. */
#if PG_VERSION_NUM >= 180000
#define QG_INIT_RANGE_TABLE(estate, rte)                                             \
	do                                                                               \
	{                                                                                \
		List *rights_ = NIL;                                                         \
		(void) addRTEPermissionInfo(&rights_, rte);                                  \
		ExecInitRangeTable(estate, list_make1(rte), rights_, bms_make_singleton(1)); \
	} while (0)
#elif PG_VERSION_NUM >= 160000
#define QG_INIT_RANGE_TABLE(estate, rte)                      \
	do                                                        \
	{                                                         \
		List *rights_ = NIL;                                  \
		(void) addRTEPermissionInfo(&rights_, rte);           \
		ExecInitRangeTable(estate, list_make1(rte), rights_); \
	} while (0)
#else
#define QG_INIT_RANGE_TABLE(estate, rte) ExecInitRangeTable(estate, list_make1(rte))
#endif

/* Since 16 the writing of index entries can be told to mind summarizing indexes only. */
#if PG_VERSION_NUM >= 160000
#define qg_exec_insert_index_tuples(target, slot, estate) \
	list_free(ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL, false))
#else
#define qg_exec_insert_index_tuples(target, slot, estate) \
	list_free(ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL))
#endif

/* Since 18 constraints are of several kinds, and a scan of an index can count what it does. */
#if PG_VERSION_NUM >= 180000
#define QG_CHECK_STATES(target) ((target)->ri_CheckConstraintExprs)
#define qg_index_beginscan(t, i, snapshot, n) index_beginscan(t, i, snapshot, NULL, n, 0)
#else
#define QG_CHECK_STATES(target) ((target)->ri_ConstraintExprs)
#define qg_index_beginscan(t, i, snapshot, n) index_beginscan(t, i, snapshot, n, 0)
#endif

#endif
