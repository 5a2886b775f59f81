/*
 * ledger_protect.c
 *		The triggers that enter the changes of a platform's own table in the ledger.
 *
 * They are C because they sit on the hot path of other people's tables.  A plain table has statement
 * triggers, which open the ledger once for all rows of a statement; a partitioned one has row
 * triggers, which PostgreSQL gives to every partition, also to those to come.  Entries of one key come
 * in the order of its changes: the trigger runs while the row is locked.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "common/guard.h"
#include "ledger/ledger_entries.h"
#include "ledger/ledger_nest.h"
#include "ledger/row_value.h"

/* Gives how the rows of a trigger's table are written, made once until the table changes. */
static const QgImage *
get_image(QgMapping *mapping, Relation relation)
{
	if (mapping->extra == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(mapping->context);
		char **sensitive = palloc0((mapping->ncolumns + 1) * sizeof(char *));

		for (int i = 0; i < mapping->ncolumns; i++)
		{
			qg_column_require(&mapping->columns[i]);
			sensitive[i] = mapping->columns[i].path.column;
		}
		mapping->extra = qg_image_make(relation, sensitive, mapping->ncolumns);
		MemoryContextSwitchTo(caller);
	}
	return mapping->extra;
}

/* Makes ready to enter rows as a trigger's arguments say, or its table as a whole. */
static void
begin_entries(QgEntries *entries, TriggerData *trigger, bool rows)
{
	QgMapping *mapping = qg_mapping_get(trigger);
	char *label = unconstify(char *, qg_mapping_option(mapping, "label"));
	QgImageKind kind = qg_mapping_option_is(mapping, "append_only", "true") ? QG_IMAGE_DIGEST
																			: QG_IMAGE_ROW;

	if (label == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no table of the ledger", trigger->tg_trigger->tgname),
				 errhint("Let ledger_protect() create the trigger.")));
	qg_entries_begin(entries, rows ? get_image(mapping, trigger->tg_relation) : NULL, label, kind,
					 RelationGetDescr(trigger->tg_relation));
}

/* Takes a stored row apart. */
static void
row_of_tuple(QgImageRow *row, HeapTuple tuple, TupleDesc desc)
{
	row->values = palloc(desc->natts * sizeof(Datum));
	row->nulls = palloc(desc->natts * sizeof(bool));
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
}

/* Tells whether a row has been changed again, or deleted, by the time its trigger fires. */
static bool
is_superseded(HeapTuple tuple)
{
	uint16 infomask = tuple->t_data->t_infomask;

	return !(infomask & HEAP_XMAX_INVALID) && !HEAP_XMAX_IS_LOCKED_ONLY(infomask);
}

/* Tells whether this transaction has made a row, and not changed it since. */
static bool
is_fresh(HeapTuple tuple)
{
	return !(tuple->t_data->t_infomask & HEAP_UPDATED) &&
		   TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
}

/*
 * Enters the change that a row trigger fired for.  Other triggers of the row may have changed it again,
 * and entered that, before this one fired.
 */
static void
enter_row(QgEntries *entries, TriggerData *trigger)
{
	bool update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	QgImageRow row;
	QgImageRow old;

	row_of_tuple(&row, tuple, entries->desc);
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		row_of_tuple(&old, trigger->tg_trigtuple, entries->desc);
		/* A trigger changes a row whose INSERT is entered later: it came before all the same. */
		if (is_fresh(trigger->tg_trigtuple) && !qg_entries_present(entries, &old))
			qg_entries_row(entries, "row_insert", &old, NULL);
	}
	qg_entries_row(entries,
				   update										? "row_update"
				   : TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "row_insert"
																: "row_delete",
				   &row, update ? &old : NULL);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		qg_entries_settle(entries, trigger->tg_relation, &row, false);
	else if (is_superseded(tuple))
		qg_entries_settle(entries, trigger->tg_relation, &row, true);
	if (update && !qg_image_same_key(entries->image, entries->desc, &row, &old))
		qg_entries_settle(entries, trigger->tg_relation, &old, false);
}

/* Goes to the beginning of a transition table, by a read pointer of its own. */
static TupleTableSlot *
open_transition(Tuplestorestate *store, TupleDesc desc, int *pointer)
{
	*pointer = tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(store, *pointer);
	tuplestore_rescan(store);
	return MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

/* Gives the next row of a transition table; false at its end. */
static bool
next_transition(Tuplestorestate *store, int pointer, TupleTableSlot *slot, QgImageRow *row)
{
	tuplestore_select_read_pointer(store, pointer);
	if (!tuplestore_gettupleslot(store, true, false, slot))
		return false;
	slot_getallattrs(slot);
	row->values = slot->tts_values;
	row->nulls = slot->tts_isnull;
	return true;
}

/* Enters the changes that a statement trigger fired for. */
static void
enter_statement(QgEntries *entries, TriggerData *trigger)
{
	bool update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	Tuplestorestate *store = TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? trigger->tg_oldtable
																		: trigger->tg_newtable;
	Tuplestorestate *before = update ? trigger->tg_oldtable : NULL;
	const char *kind = update										? "row_update"
					   : TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "row_insert"
																	: "row_delete";
	TupleTableSlot *slot;
	TupleTableSlot *old_slot = NULL;
	QgImageRow row;
	QgImageRow old;
	int pointer;
	int old_pointer = 0;

	if (store == NULL || (update && before == NULL))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger \"%s\" on table \"%s\" has no transition table",
							   trigger->tg_trigger->tgname, entries->label),
						errhint("Let ledger_protect() create the trigger.")));
	slot = open_transition(store, entries->desc, &pointer);
	if (update)
		old_slot = open_transition(before, entries->desc, &old_pointer);
	while (next_transition(store, pointer, slot, &row))
	{
		/* Both tables hold the rows in the order of their updates. */
		if (update && !next_transition(before, old_pointer, old_slot, &old))
			elog(ERROR, "a statement's transition tables differ in length");
		qg_entries_row(entries, kind, &row, update ? &old : NULL);
	}
	ExecDropSingleTupleTableSlot(slot);
	if (old_slot != NULL)
		ExecDropSingleTupleTableSlot(old_slot);
}

/* Enters a statement's changes, and settles what statements inside it have left open. */
static void
enter_nested(QgEntries *entries, TriggerData *trigger)
{
	bool last;

	entries->relid = RelationGetRelid(trigger->tg_relation);
	entries->noting = qg_nest_end(entries->relid, &last);
	enter_statement(entries, trigger);
	if (last)
		qg_entries_settle_all(entries, trigger->tg_relation);
}

/* Trigger of ledger_protect(), BEFORE a statement. */
PG_FUNCTION_INFO_V1(qg_ledger_begin);
Datum
qg_ledger_begin(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "ledger_begin",
											  QG_TRIGGER_BEFORE | QG_TRIGGER_STATEMENT, 3);

	qg_nest_begin(RelationGetRelid(trigger->tg_relation));
	return PointerGetDatum(NULL);
}

/* Trigger of ledger_protect(), AFTER rows, statements and TRUNCATE. */
PG_FUNCTION_INFO_V1(qg_ledger_row);
Datum
qg_ledger_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "ledger_row", QG_TRIGGER_AFTER, 3);
	bool truncate = TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event);
	QgEntries entries;

	begin_entries(&entries, trigger, !truncate);
	if (truncate)
		qg_entries_add(&entries, "row_truncate", cstring_to_text(entries.label),
					   qg_image_table_body(entries.label), NULL);
	else if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		enter_row(&entries, trigger);
	else
		enter_nested(&entries, trigger);
	qg_entries_end(&entries);
	return PointerGetDatum(NULL);
}

/* A table whose rows come as arguments, kept by a query's call. */
typedef struct Source
{
	Oid type;
	const QgImage *image;
	TupleDesc desc;
} Source;

/* Gives how the rows of an argument's table are written, made once for a query. */
static const Source *
source_of(FunctionCallInfo fcinfo, HeapTupleHeader header)
{
	Source *source = fcinfo->flinfo->fn_extra;
	Oid type = HeapTupleHeaderGetTypeId(header);
	MemoryContext caller;
	Relation relation;

	if (source != NULL && source->type == type)
		return source;
	if (!OidIsValid(get_typ_typrelid(type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the argument is not a row of a table"),
				 errhint("Name the table's alias: ledger_row_image(t) FROM shop.product t.")));
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	source = palloc(sizeof(Source));
	relation = relation_open(get_typ_typrelid(type), AccessShareLock);
	source->image = qg_image_make(relation, NULL, 0);
	source->desc = CreateTupleDescCopy(RelationGetDescr(relation));
	source->type = type;
	relation_close(relation, AccessShareLock);
	MemoryContextSwitchTo(caller);
	return fcinfo->flinfo->fn_extra = source;
}

/* Takes a row that is an argument apart. */
static void
row_of_argument(QgImageRow *row, HeapTupleHeader header, TupleDesc desc)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	row_of_tuple(row, &tuple, desc);
}

/* ledger_row_image(row): a table's row as the ledger writes it, sensitive values included. */
PG_FUNCTION_INFO_V1(qg_ledger_row_image);
Datum
qg_ledger_row_image(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	const Source *source = source_of(fcinfo, header);
	int nest = qg_value_begin(source->image->pinned);
	QgImageRow row;
	Jsonb *image;

	row_of_argument(&row, header, source->desc);
	image = qg_image_row(source->image, row.values, row.nulls);
	qg_value_end(nest);
	PG_RETURN_JSONB_P(image);
}

/* ledger_row_subject(row, label): the subject of a row's entries. */
PG_FUNCTION_INFO_V1(qg_ledger_row_subject);
Datum
qg_ledger_row_subject(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	const Source *source = source_of(fcinfo, header);
	int nest = qg_value_begin(source->image->pinned);
	QgImageRow row;
	text *subject;

	row_of_argument(&row, header, source->desc);
	subject = qg_image_subject(source->image, text_to_cstring(PG_GETARG_TEXT_PP(1)), &row);
	qg_value_end(nest);
	PG_RETURN_TEXT_P(subject);
}

/* Finds the trigger that enters the rows of a protected table. */
static Trigger *
find_trigger(Relation relation)
{
	/* A partitioned table has no rows of its own. */
	TriggerDesc *triggers = relation->rd_rel->relkind == RELKIND_RELATION ? relation->trigdesc
																		  : NULL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (strcmp(triggers->triggers[i].tgname, "quality_gov_ledger_insert") == 0 ||
			strcmp(triggers->triggers[i].tgname, "quality_gov_ledger_row") == 0)
			return &triggers->triggers[i];
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("table \"%s\" is not protected", RelationGetRelationName(relation)),
					errhint("SELECT quality_gov.ledger_protect(...) protects it.")));
}

/* Locks the row at a place until the transaction ends, gives its last version; false where it is gone. */
static bool
lock_row(Relation relation, ItemPointer place, TupleTableSlot *slot)
{
	TM_FailureData failure;

	/* Looked at first: of a place where no row is a lock would make anything. */
	if (ItemPointerGetBlockNumberNoCheck(place) >= RelationGetNumberOfBlocks(relation) ||
		!table_tuple_fetch_row_version(relation, place, SnapshotSelf, slot))
		return false;
	ExecClearTuple(slot);
	return table_tuple_lock(relation, place, GetActiveSnapshot(), slot, GetCurrentCommandId(false),
							LockTupleShare, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION,
							&failure) == TM_Ok;
}

/* ledger_row_enter(relation, place): enters the row at a place of a protected table as it stands. */
PG_FUNCTION_INFO_V1(qg_ledger_row_enter);
Datum
qg_ledger_row_enter(PG_FUNCTION_ARGS)
{
	Relation relation = relation_open(PG_GETARG_OID(0), RowShareLock);
	TriggerData trigger = {.tg_relation = relation, .tg_trigger = find_trigger(relation)};
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	bool found = lock_row(relation, (ItemPointer) PG_GETARG_POINTER(1), slot);

	if (found)
	{
		QgEntries entries;
		QgImageRow row;

		slot_getallattrs(slot);
		row.values = slot->tts_values;
		row.nulls = slot->tts_isnull;
		begin_entries(&entries, &trigger, true);
		qg_entries_row(&entries, "row_baseline", &row, NULL);
		qg_entries_end(&entries);
	}
	ExecDropSingleTupleTableSlot(slot);
	relation_close(relation, RowShareLock);
	PG_RETURN_BOOL(found);
}

/* Trigger of ledger_protect(append_only => true), BEFORE UPDATE, DELETE and TRUNCATE. */
PG_FUNCTION_INFO_V1(qg_ledger_refuse);
Datum
qg_ledger_refuse(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "ledger_refuse", QG_TRIGGER_BEFORE, 3);

	ereport(ERROR,
			(errcode(ERRCODE_QG_APPEND_ONLY),
			 errmsg("table \"%s.%s\" is append-only and cannot be %s",
					get_namespace_name(RelationGetNamespace(trigger->tg_relation)),
					RelationGetRelationName(trigger->tg_relation),
					TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)	 ? "updated"
					: TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? "deleted"
																 : "truncated"),
			 errhint("quality_gov.ledger_unprotect() ends that, and the ledger tells of it.")));
}
