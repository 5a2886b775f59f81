/*
 * look.h
 *		Looking up rows of the extension's own tables by an index, without a query.
 */
#ifndef QG_LOOK_H
#define QG_LOOK_H

#include "quality_gov.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/sdir.h"
#include "access/skey.h"
#include "executor/tuptable.h"

#define QG_LOOK_KEYS 2

/* An index of a table of quality_gov, declared as a static. */
typedef struct QgLookIndex
{
	const char *table;
	const char *index;

	/* private */
	Oid relid;
	Oid indexid;
	bool registered;
	bool valid;
} QgLookIndex;

#define QG_LOOK_INDEX(t, i)        \
	{                              \
		.table = (t), .index = (i) \
	}

/* A search that is under way. */
typedef struct QgLook
{
	Relation table;
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *row;
	ScanKeyData keys[QG_LOOK_KEYS];
	int nkeys;
} QgLook;

extern Oid qg_look_table(QgLookIndex *where);
extern void qg_look_begin(QgLook *look, QgLookIndex *where, const Datum *keys, int nkeys,
						  bool at_least);
extern bool qg_look_next(QgLook *look, ScanDirection direction);
extern void qg_look_again(QgLook *look, Datum last, bool at_least);
extern void qg_look_end(QgLook *look);
extern bool qg_look_any(QgLookIndex *where, const Datum *keys, int nkeys);
extern Datum qg_look_value(QgLook *look, int column, bool *isnull);

#endif
