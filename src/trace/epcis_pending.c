/*
 * epcis_pending.c
 *		Captures the documents that wait in the inbox, a transaction each.
 */
#include "quality_gov.h"

#include "executor/spi.h"
#include "nodes/parsenodes.h"

/*
 * epcis_capture_pending(max): captures documents of the inbox until none waits or so many are done.
 * Each is committed before the next, so what is cut short goes on where it stopped.
 */
PG_FUNCTION_INFO_V1(qg_epcis_capture_pending);
Datum
qg_epcis_capture_pending(PG_FUNCTION_ARGS)
{
	int64 max = PG_ARGISNULL(0) ? PG_INT64_MAX : PG_GETARG_INT64(0);
	CallContext *call = fcinfo->context && IsA(fcinfo->context, CallContext)
							? (CallContext *) fcinfo->context
							: NULL;

	if (call == NULL || call->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("epcis_capture_pending() commits each document and cannot run inside a "
						"transaction block")));
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	for (int64 done = 0; done < max; done++)
	{
		bool none;

		CHECK_FOR_INTERRUPTS();
		if (SPI_execute("SELECT " QG_SCHEMA ".epcis_capture_next()", false, 1) != SPI_OK_SELECT ||
			SPI_processed != 1)
			elog(ERROR, "could not capture a document of the inbox");
		(void) SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &none);
		SPI_freetuptable(SPI_tuptable);
		SPI_commit();
		if (none)
			break;
	}
	SPI_finish();
	PG_RETURN_VOID();
}
