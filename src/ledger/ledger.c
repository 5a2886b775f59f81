/*
 * ledger.c
 *		Entering many decisions in the record at once.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/rows.h"

#define LEDGER_COLUMNS 7

/* ledger_record_all(kind, subjects, bodies): one entry for each subject and body. */
PG_FUNCTION_INFO_V1(qg_ledger_record_all);
Datum
qg_ledger_record_all(PG_FUNCTION_ARGS)
{
	Oid sequence = get_relname_relid("ledger_entry_entry_id_seq",
									 get_namespace_oid(QG_SCHEMA, false));
	Datum values[LEDGER_COLUMNS] = {0};
	bool nulls[LEDGER_COLUMNS] = {false};
	Datum *subjects;
	Datum *bodies;
	int nsubjects;
	int nbodies;
	QgRows rows;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &subjects, NULL,
					  &nsubjects);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), JSONBOID, -1, false, TYPALIGN_INT, &bodies, NULL,
					  &nbodies);
	if (nsubjects != nbodies)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("%d subjects and %d bodies to record", nsubjects, nbodies)));
	values[1] = PG_GETARG_DATUM(0);
	values[4] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	values[6] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	qg_rows_open(&rows, "ledger_entry");
	for (int i = 0; i < nsubjects; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(nextval_internal(sequence, false));
		values[2] = subjects[i];
		values[3] = bodies[i];
		values[5] = TimestampTzGetDatum(GetCurrentTimestamp());
		qg_rows_add(&rows, values, nulls);
	}
	qg_rows_close(&rows);
	PG_RETURN_VOID();
}
