/*
 * look.c
 *		Looking up rows of the extension's own tables by an index, without a query.
 *
 * A query that finds one row by its key spends ten times what the search takes on being set up.  Where
 * an answer needs a dozen such rows, they are read here, with the active snapshot and as an index scan
 * of the executor reads them.  Rights are not asked: only functions of the extension come here, which
 * decide what they tell.  Keys are equal to columns of type text (0 looks for null), xid8, or such as are
 * stored as bigint (bigint, gtin); the last may be a least value instead.
 */
#include "quality_gov.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/look.h"

#define INDEXES_MAX 64

static QgLookIndex *known[INDEXES_MAX];
static int nknown = 0;

/* Lets the names be looked up anew of what was changed, dropped or built again. */
static void
relation_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < nknown; i++)
		if (!OidIsValid(relid) || known[i]->relid == relid || known[i]->indexid == relid)
			known[i]->valid = false;
}

/* Looks up table and index by their names. */
static void
resolve(QgLookIndex *where)
{
	Oid namespace = get_namespace_oid(QG_SCHEMA, false);

	if (!where->registered)
	{
		if (nknown == INDEXES_MAX)
			elog(ERROR, "too many indexes to look up by");
		if (nknown == 0)
			CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		known[nknown++] = where;
		where->registered = true;
	}
	where->valid = true;
	where->relid = get_relname_relid(where->table, namespace);
	where->indexid = get_relname_relid(where->index, namespace);
	if (!OidIsValid(where->relid) || !OidIsValid(where->indexid))
	{
		where->valid = false;
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("index \"%s.%s\" is missing", QG_SCHEMA, where->index),
						errhint("Build it anew as the extension's script does.")));
	}
}

/* Gives the table's oid. */
Oid
qg_look_table(QgLookIndex *where)
{
	if (!where->valid)
		resolve(where);
	return where->relid;
}

/* Sets a key to a value of its column. */
static void
set_key(QgLook *look, int i, Datum value, bool at_least)
{
	Oid type = look->index->rd_opcintype[i];
	RegProcedure function = type == TEXTOID	  ? F_TEXTEQ
							: type == XID8OID ? (at_least ? F_XID8GE : F_XID8EQ)
											  : (at_least ? F_INT8GE : F_INT8EQ);

	if (type == TEXTOID && at_least)
		elog(ERROR, "a text is looked up by equality only");
	if (type == TEXTOID && DatumGetPointer(value) == NULL)
	{
		ScanKeyEntryInitialize(&look->keys[i], SK_ISNULL | SK_SEARCHNULL, i + 1, InvalidStrategy,
							   InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
		return;
	}
	ScanKeyEntryInitialize(&look->keys[i], 0, i + 1,
						   at_least ? BTGreaterEqualStrategyNumber : BTEqualStrategyNumber,
						   InvalidOid, look->index->rd_indcollation[i], function, value);
}

/* Starts to look for rows by the first columns of an index; texts among the keys are not copied. */
void
qg_look_begin(QgLook *look, QgLookIndex *where, const Datum *keys, int nkeys, bool at_least)
{
	look->table = table_open(qg_look_table(where), AccessShareLock);
	look->index = index_open(where->indexid, AccessShareLock);
	look->nkeys = nkeys;
	for (int i = 0; i < nkeys; i++)
		set_key(look, i, keys[i], at_least && i == nkeys - 1);
	look->row = table_slot_create(look->table, NULL);
	look->scan = qg_index_beginscan(look->table, look->index, GetActiveSnapshot(), nkeys);
	index_rescan(look->scan, look->keys, nkeys, NULL, 0);
}

/* Starts anew with another last key. */
void
qg_look_again(QgLook *look, Datum last, bool at_least)
{
	set_key(look, look->nkeys - 1, last, at_least);
	index_rescan(look->scan, look->keys, look->nkeys, NULL, 0);
}

/* Takes the next row that the snapshot shows; false at the end. */
bool
qg_look_next(QgLook *look, ScanDirection direction)
{
	CHECK_FOR_INTERRUPTS();
	return index_getnext_slot(look->scan, direction, look->row);
}

/* Gives a column of the row; good until the next row is taken or the search ends. */
Datum
qg_look_value(QgLook *look, int column, bool *isnull)
{
	return slot_getattr(look->row, column, isnull);
}

/* Ends a search. */
void
qg_look_end(QgLook *look)
{
	ExecDropSingleTupleTableSlot(look->row);
	index_endscan(look->scan);
	index_close(look->index, AccessShareLock);
	table_close(look->table, AccessShareLock);
}

/* Tells whether there is a row. */
bool
qg_look_any(QgLookIndex *where, const Datum *keys, int nkeys)
{
	QgLook look;
	bool found;

	qg_look_begin(&look, where, keys, nkeys, false);
	found = qg_look_next(&look, ForwardScanDirection);
	qg_look_end(&look);
	return found;
}
