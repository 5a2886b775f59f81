/*
 * passport_scan.c
 *		Writing a scan: a query that inserts the one row would cost more than the row.
 */
#include "quality_gov.h"

#include "common/rows.h"

/* passport_scan_write(scan): inserts the row of a scan; passport_verify() alone decides what it says. */
PG_FUNCTION_INFO_V1(qg_passport_scan_write);
Datum
qg_passport_scan_write(PG_FUNCTION_ARGS)
{
	QgRows rows;

	qg_rows_open(&rows, "passport_scan");
	qg_rows_add_record(&rows, PG_GETARG_DATUM(0));
	qg_rows_close(&rows);
	PG_RETURN_VOID();
}
