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

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/xid8.h"

#include "common/guard.h"
#include "common/rows.h"
#include "ledger/ledger.h"
#include "ledger/row_image.h"

#define ENTRY_COLUMNS 7
#define SECRET_COLUMNS 4

/* The ledger while a statement's entries are written. */
typedef struct Entries
{
	const QgImage *image;
	char *label; /* name of the protected table in the ledger */
	QgImageKind kind;
	TupleDesc desc; /* of the table */
	QgRows rows;
	QgRows secrets;
	bool secrets_open;
	Oid sequence;
	Datum role;
	Datum xid;
	MemoryContext context;
	MemoryContext scratch; /* of one entry */
	int nest;			   /* of the pinned settings */
} Entries;

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

static void
entries_begin(Entries *entries, const QgImage *image, char *label, QgImageKind kind, TupleDesc desc)
{
	Oid schema = get_namespace_oid(QG_SCHEMA, false);

	entries->image = image;
	entries->label = label;
	entries->kind = kind;
	entries->desc = desc;
	entries->secrets_open = false;
	entries->context = CurrentMemoryContext;
	entries->sequence = get_relname_relid("ledger_entry_entry_id_seq", schema);
	entries->role = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	entries->xid = FullTransactionIdGetDatum(GetTopFullTransactionId());
	entries->scratch = AllocSetContextCreate(CurrentMemoryContext, "quality_gov ledger entry",
											 ALLOCSET_DEFAULT_SIZES);
	entries->nest = image != NULL ? qg_image_begin(image) : 0;
	qg_ledger_worker_note();
	qg_rows_open(&entries->rows, "ledger_entry");
}

static void
entries_end(Entries *entries)
{
	if (entries->secrets_open)
		qg_rows_close(&entries->secrets);
	qg_rows_close(&entries->rows);
	qg_image_end(entries->nest);
	MemoryContextDelete(entries->scratch);
}

/* Keeps what an entry only commits to. */
static void
add_secrets(Entries *entries, int64 entry, const QgSecret *secret)
{
	bool nulls[SECRET_COLUMNS] = {false};
	Datum values[SECRET_COLUMNS];

	if (secret != NULL && !entries->secrets_open)
	{
		MemoryContext scratch = MemoryContextSwitchTo(entries->context);

		qg_rows_open(&entries->secrets, "ledger_secret");
		entries->secrets_open = true;
		MemoryContextSwitchTo(scratch);
	}
	for (; secret != NULL; secret = secret->next)
	{
		values[0] = Int64GetDatum(entry);
		values[1] = CStringGetTextDatum(secret->field);
		values[2] = PointerGetDatum(secret->salt);
		values[3] = JsonbPGetDatum(secret->value);
		qg_rows_put(&entries->secrets, values, nulls);
	}
}

/* Writes an entry. */
static void
add_entry(Entries *entries, const char *kind, text *subject, Jsonb *body, const QgSecret *secrets)
{
	bool nulls[ENTRY_COLUMNS] = {false};
	Datum values[ENTRY_COLUMNS];
	int64 entry = nextval_internal(entries->sequence, false);

	values[0] = Int64GetDatum(entry);
	values[1] = CStringGetTextDatum(kind);
	values[2] = PointerGetDatum(subject);
	values[3] = JsonbPGetDatum(body);
	values[4] = entries->role;
	values[5] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[6] = entries->xid;
	qg_rows_put(&entries->rows, values, nulls);
	add_secrets(entries, entry, secrets);
}

/* Writes the entry of a row; before is the row that an update replaced. */
static void
add_row(Entries *entries, const char *kind, const QgImageRow *row, const QgImageRow *before)
{
	MemoryContext caller = MemoryContextSwitchTo(entries->scratch);
	QgSecret *secrets = NULL;
	QgImageKind image = strcmp(kind, "row_delete") == 0 ? QG_IMAGE_KEY : entries->kind;
	Jsonb *body;

	CHECK_FOR_INTERRUPTS();
	if (before != NULL && qg_image_same_key(entries->image, entries->desc, row, before))
		before = NULL;
	/* Under its old key the row is gone. */
	if (before != NULL)
		add_entry(entries, "row_delete", qg_image_subject(entries->image, entries->label, before),
				  qg_image_body(entries->image, entries->label, before, NULL, QG_IMAGE_KEY, NULL),
				  NULL);
	body = qg_image_body(entries->image, entries->label, row, before, image, &secrets);
	add_entry(entries, kind, qg_image_subject(entries->image, entries->label, row), body, secrets);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(entries->scratch);
}

/* Takes a stored row apart. */
static void
row_of_tuple(QgImageRow *row, HeapTuple tuple, TupleDesc desc)
{
	row->values = palloc(desc->natts * sizeof(Datum));
	row->nulls = palloc(desc->natts * sizeof(bool));
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
}

/* Enters the change that a row trigger fired for. */
static void
enter_row(Entries *entries, TriggerData *trigger)
{
	QgImageRow row;
	QgImageRow fresh;

	row_of_tuple(&row, trigger->tg_trigtuple, entries->desc);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		row_of_tuple(&fresh, trigger->tg_newtuple, entries->desc);
		add_row(entries, "row_update", &fresh, &row);
	}
	else
		add_row(entries, TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "row_insert" : "row_delete",
				&row, NULL);
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
enter_statement(Entries *entries, TriggerData *trigger)
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
		add_row(entries, kind, &row, update ? &old : NULL);
	}
	ExecDropSingleTupleTableSlot(slot);
	if (old_slot != NULL)
		ExecDropSingleTupleTableSlot(old_slot);
}

/* Trigger of ledger_protect(), AFTER rows, statements and TRUNCATE. */
PG_FUNCTION_INFO_V1(qg_ledger_row);
Datum
qg_ledger_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "ledger_row", QG_TRIGGER_AFTER, 3);
	QgMapping *mapping = qg_mapping_get(trigger);
	char *label = unconstify(char *, qg_mapping_option(mapping, "label"));
	QgImageKind kind = qg_mapping_option_is(mapping, "append_only", "true") ? QG_IMAGE_DIGEST
																			: QG_IMAGE_ROW;
	bool truncate = TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event);
	Entries entries;

	if (label == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no table of the ledger", trigger->tg_trigger->tgname),
				 errhint("Let ledger_protect() create the trigger.")));
	entries_begin(&entries, truncate ? NULL : get_image(mapping, trigger->tg_relation), label, kind,
				  RelationGetDescr(trigger->tg_relation));
	if (truncate)
		add_entry(
			&entries, "row_truncate", cstring_to_text(label),
			qg_image_table_body(label, unconstify(char *, qg_mapping_option(mapping, "partition"))),
			NULL);
	else if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		enter_row(&entries, trigger);
	else
		enter_statement(&entries, trigger);
	entries_end(&entries);
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
source_of(FunctionCallInfo fcinfo, HeapTupleHeader header, ArrayType *sensitive)
{
	Source *source = fcinfo->flinfo->fn_extra;
	Oid type = HeapTupleHeaderGetTypeId(header);
	MemoryContext caller;
	Relation relation;
	Datum *names = NULL;
	int nnames = 0;
	char **texts;

	if (source != NULL && source->type == type)
		return source;
	if (!OidIsValid(get_typ_typrelid(type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the argument is not a row of a table"),
				 errhint("Name the table's alias: ledger_row_image(t) FROM shop.product t.")));
	if (sensitive != NULL)
		deconstruct_array(sensitive, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &nnames);
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	source = palloc(sizeof(Source));
	texts = palloc((nnames + 1) * sizeof(char *));
	for (int i = 0; i < nnames; i++)
		texts[i] = TextDatumGetCString(names[i]);
	relation = relation_open(get_typ_typrelid(type), AccessShareLock);
	source->image = qg_image_make(relation, texts, nnames);
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
	const Source *source = source_of(fcinfo, header, NULL);
	int nest = qg_image_begin(source->image);
	QgImageRow row;
	Jsonb *image;

	row_of_argument(&row, header, source->desc);
	image = qg_image_row(source->image, row.values, row.nulls);
	qg_image_end(nest);
	PG_RETURN_JSONB_P(image);
}

/* ledger_row_subject(row, label): the subject of a row's entries. */
PG_FUNCTION_INFO_V1(qg_ledger_row_subject);
Datum
qg_ledger_row_subject(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	const Source *source = source_of(fcinfo, header, NULL);
	int nest = qg_image_begin(source->image);
	QgImageRow row;
	text *subject;

	row_of_argument(&row, header, source->desc);
	subject = qg_image_subject(source->image, text_to_cstring(PG_GETARG_TEXT_PP(1)), &row);
	qg_image_end(nest);
	PG_RETURN_TEXT_P(subject);
}

/* ledger_row_enter(row, kind, label, append_only, sensitive): enters a row as it stands. */
PG_FUNCTION_INFO_V1(qg_ledger_row_enter);
Datum
qg_ledger_row_enter(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	const Source *source = source_of(fcinfo, header, PG_GETARG_ARRAYTYPE_P(4));
	Entries entries;
	QgImageRow row;

	entries_begin(&entries, source->image, text_to_cstring(PG_GETARG_TEXT_PP(2)),
				  PG_GETARG_BOOL(3) ? QG_IMAGE_DIGEST : QG_IMAGE_ROW, source->desc);
	row_of_argument(&row, header, source->desc);
	add_row(&entries, text_to_cstring(PG_GETARG_TEXT_PP(1)), &row, NULL);
	entries_end(&entries);
	PG_RETURN_VOID();
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
