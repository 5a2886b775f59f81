/*
 * ledger.c
 *		Entering decisions in the record.
 *
 * A transaction has its id before an entry has its own: what is entered by a transaction that began
 * after a moment has an id above all that were given by then, and a seal need not look further back.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/rows.h"
#include "ledger/ledger.h"

#define LEDGER_COLUMNS 7

/* The ledger while entries are written. */
typedef struct Record
{
	QgRows rows;
	Oid sequence;
	Datum values[LEDGER_COLUMNS];
} Record;

/*
 * Refuses kinds that only the extension itself may enter, since verification believes them: what a
 * protected table's row is, and what the ledger did.  Its functions that enter them run as its owner.
 */
static void
kind_require(Datum kind)
{
	char *name = TextDatumGetCString(kind);
	Oid ledger = get_relname_relid("ledger_entry", get_namespace_oid(QG_SCHEMA, false));

	if (strncmp(name, "row_", 4) != 0 && strncmp(name, "ledger_", 7) != 0)
		return;
	if (pg_class_aclcheck(ledger, GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("entries of kind \"%s\" are the ledger's own", name),
			 errdetail("Kinds that begin with \"row_\" or \"ledger_\" say what rows of protected "
					   "tables are and what the ledger did."),
			 errhint("Choose another kind.")));
}

static void
record_begin(Record *record, Datum kind)
{
	kind_require(kind);
	memset(record->values, 0, sizeof(record->values));
	record->values[6] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	record->sequence = get_relname_relid("ledger_entry_entry_id_seq",
										 get_namespace_oid(QG_SCHEMA, false));
	record->values[1] = kind;
	record->values[4] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	qg_ledger_worker_note();
	qg_rows_open(&record->rows, "ledger_entry");
}

/* Enters a decision, gives its id. */
static int64
record_add(Record *record, Datum subject, Datum body)
{
	static const bool nulls[LEDGER_COLUMNS] = {false};
	int64 entry = nextval_internal(record->sequence, false);

	record->values[0] = Int64GetDatum(entry);
	record->values[2] = subject;
	record->values[3] = body;
	record->values[5] = TimestampTzGetDatum(GetCurrentTimestamp());
	qg_rows_add(&record->rows, record->values, nulls);
	return entry;
}

/* ledger_record(kind, subject, body): enters one decision. */
PG_FUNCTION_INFO_V1(qg_ledger_record);
Datum
qg_ledger_record(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"kind", "subject", "body"};
	Record record;
	int64 entry;

	for (int i = 0; i < (int) lengthof(names); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
							errmsg("%s of an entry of the ledger cannot be null", names[i])));
	record_begin(&record, PG_GETARG_DATUM(0));
	entry = record_add(&record, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2));
	qg_rows_close(&record.rows);
	PG_RETURN_INT64(entry);
}

/* ledger_record_all(kind, subjects, bodies): one entry for each subject and body. */
PG_FUNCTION_INFO_V1(qg_ledger_record_all);
Datum
qg_ledger_record_all(PG_FUNCTION_ARGS)
{
	Record record;
	Datum *subjects;
	Datum *bodies;
	int nsubjects;
	int nbodies;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &subjects, NULL,
					  &nsubjects);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), JSONBOID, -1, false, TYPALIGN_INT, &bodies, NULL,
					  &nbodies);
	if (nsubjects != nbodies)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("%d subjects and %d bodies to record", nsubjects, nbodies)));
	record_begin(&record, PG_GETARG_DATUM(0));
	for (int i = 0; i < nsubjects; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) record_add(&record, subjects[i], bodies[i]);
	}
	qg_rows_close(&record.rows);
	PG_RETURN_VOID();
}
