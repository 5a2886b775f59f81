/*
 * guard.c
 *		What every trigger of the extension shares: entry checks, running as the owner, the
 *		record of the incident switch, and the protection of append-only tables.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/xid8.h"

#include "common/guard.h"

/* Raises an error unless the function was called as a trigger of the given kind. */
TriggerData *
qg_trigger_require(FunctionCallInfo fcinfo, const char *name, int kind, int nargs)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"%s\" must be called as a trigger", name)));
	if ((kind & QG_TRIGGER_BEFORE) && !TRIGGER_FIRED_BEFORE(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger function \"%s\" must be fired BEFORE", name)));
	if ((kind & QG_TRIGGER_AFTER) && !TRIGGER_FIRED_AFTER(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger function \"%s\" must be fired AFTER", name)));
	if ((kind & QG_TRIGGER_ROW) && !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger function \"%s\" must be fired FOR EACH ROW", name)));
	if ((kind & QG_TRIGGER_STATEMENT) && !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger function \"%s\" must be fired FOR EACH STATEMENT", name)));
	if (trigger->tg_trigger->tgnargs != nargs)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("trigger function \"%s\" needs %d arguments, trigger \"%s\" on "
							   "table \"%s\" gives %d",
							   name, nargs, trigger->tg_trigger->tgname,
							   RelationGetRelationName(trigger->tg_relation),
							   trigger->tg_trigger->tgnargs),
						errhint("Let the extension's own functions create the trigger.")));
	return trigger;
}

/*
 * Goes on as the owner of the extension's schema with a pinned search path, as a SECURITY DEFINER
 * function would; done only where a trigger has something to read or write, so that a clean row
 * does not pay for it.  An error restores both with its (sub)transaction.
 */
void
qg_owner_begin(QgOwner *saved)
{
	HeapTuple tuple;
	Oid owner;

	tuple = SearchSysCache1(NAMESPACENAME, CStringGetDatum(QG_SCHEMA));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA),
						errmsg("schema \"%s\" does not exist", QG_SCHEMA)));
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);

	GetUserIdAndSecContext(&saved->user, &saved->context);
	SetUserIdAndSecContext(owner, saved->context | SECURITY_LOCAL_USERID_CHANGE);
	saved->nestlevel = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, quality_gov, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Goes back to the caller's own rights and search path. */
void
qg_owner_end(const QgOwner *saved)
{
	AtEOXact_GUC(true, saved->nestlevel);
	SetUserIdAndSecContext(saved->user, saved->context);
}

/* What the current transaction has recorded of the incident switch. */
#define MODE_RECORDS_MAX 32

typedef struct ModeRecord
{
	Oid relid;
	int mode;
	SubTransactionId subxact; /* a rollback to a savepoint undoes what was recorded after it */
} ModeRecord;

static ModeRecord mode_records[MODE_RECORDS_MAX];
static uint32 nmode_records = 0;
static LocalTransactionId mode_xact = InvalidLocalTransactionId;

/* Tells whether the mode was recorded for the relation already; if not, notes that it will be. */
static bool
mode_was_recorded(Oid relid)
{
	ModeRecord now = {relid, qg_guard_mode, GetCurrentSubTransactionId()};

	if (mode_xact != QG_LOCAL_XID)
		nmode_records = 0;
	mode_xact = QG_LOCAL_XID;
	for (uint32 i = 0; i < Min(nmode_records, MODE_RECORDS_MAX); i++)
		if (mode_records[i].relid == now.relid && mode_records[i].mode == now.mode &&
			mode_records[i].subxact == now.subxact)
			return true;
	/* Beyond so many the oldest are forgotten, and recorded once more. */
	mode_records[nmode_records++ % MODE_RECORDS_MAX] = now;
	return false;
}

/*
 * Enters the incident switch in the ledger, once a (sub)transaction and relation, when a guard
 * meets it in another state than "enforce".
 */
void
qg_guard_mode_record(const QgMapping *mapping)
{
	QgOwner owner;
	Oid types[4] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum values[4];

	if (qg_guard_mode == QG_MODE_ENFORCE || mode_was_recorded(mapping->relid))
		return;
	values[0] = CStringGetTextDatum(mapping->relation);
	values[1] = CStringGetTextDatum(qg_guard_mode_name(qg_guard_mode));
	values[2] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	values[3] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT quality_gov.ledger_record('guard_mode', $1, "
							  "jsonb_build_object('relation', $1, 'guard_mode', $2, "
							  "'session_role', $3, 'current_role', $4))",
							  4, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not record guard_mode");
	SPI_finish();
	qg_owner_end(&owner);
}

/* The relation whose rows may be retired, and the (sub)transaction in which that holds. */
static Oid lifted_relid = InvalidOid;
static LocalTransactionId lifted_xact = InvalidLocalTransactionId;
static SubTransactionId lifted_subxact = InvalidSubTransactionId;

/* append_only_lift(relation): lets the rest of this (sub)transaction delete from one table. */
PG_FUNCTION_INFO_V1(qg_append_only_lift);
Datum
qg_append_only_lift(PG_FUNCTION_ARGS)
{
	lifted_relid = PG_GETARG_OID(0);
	lifted_xact = QG_LOCAL_XID;
	lifted_subxact = GetCurrentSubTransactionId();
	PG_RETURN_VOID();
}

/* Trigger: refuses UPDATE, DELETE and TRUNCATE, but for rows being retired. */
PG_FUNCTION_INFO_V1(qg_append_only);
Datum
qg_append_only(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "append_only",
											  QG_TRIGGER_BEFORE | QG_TRIGGER_STATEMENT, 0);
	const char *verb = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)	? "updated"
					   : TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? "deleted"
																	: "truncated";

	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event) && lifted_xact == QG_LOCAL_XID &&
		lifted_subxact == GetCurrentSubTransactionId() &&
		lifted_relid == RelationGetRelid(trigger->tg_relation))
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_QG_APPEND_ONLY),
			 errmsg("table \"%s.%s\" is append-only and cannot be %s",
					get_namespace_name(RelationGetNamespace(trigger->tg_relation)),
					RelationGetRelationName(trigger->tg_relation), verb),
			 errdetail("Its rows are the record of what happened and what was decided."),
			 errhint("Correct a record by a further one; retire old rows with the extension's own "
					 "functions.")));
}

/*
 * Trigger: sets the named column to the current transaction's id, so that rows loaded by a restore
 * carry ids of this cluster and a stored snapshot can be compared with them.
 */
PG_FUNCTION_INFO_V1(qg_stamp_xid);
Datum
qg_stamp_xid(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "stamp_xid",
											  QG_TRIGGER_BEFORE | QG_TRIGGER_ROW, 1);
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	int attnum = SPI_fnumber(desc, trigger->tg_trigger->tgargs[0]);
	Datum value = FullTransactionIdGetDatum(GetTopFullTransactionId());
	Datum found;
	bool isnull = false;

	if (attnum <= 0 || TupleDescAttr(desc, attnum - 1)->atttypid != XID8OID)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("table \"%s\" has no column \"%s\" of type xid8",
							   RelationGetRelationName(trigger->tg_relation),
							   trigger->tg_trigger->tgargs[0])));
	found = heap_getattr(trigger->tg_trigtuple, attnum, desc, &isnull);
	if (!isnull && DatumGetUInt64(found) == DatumGetUInt64(value))
		return PointerGetDatum(trigger->tg_trigtuple);
	isnull = false;
	return PointerGetDatum(
		heap_modify_tuple_by_cols(trigger->tg_trigtuple, desc, 1, &attnum, &value, &isnull));
}
