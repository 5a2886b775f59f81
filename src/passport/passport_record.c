/*
 * passport_record.c
 *		Recording a scan of the plain case: the claim to be the first, the row, now and then a tally.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/rows.h"

#include "passport/passport_verify.h"

#define TALLY_STEP 16
#define TALLY_SCANS 32

/* Columns of passport_scan. */
enum
{
	SCAN_ID,
	SCAN_AT,
	SCAN_RECORDED,
	SCAN_GOODS,
	SCAN_GTIN,
	SCAN_LOT,
	SCAN_SERIAL,
	SCAN_STATUS,
	SCAN_REASONS,
	SCAN_PASSPORT,
	SCAN_BATCH,
	SCAN_CHANNEL,
	SCAN_PLACE,
	SCAN_LATITUDE,
	SCAN_LONGITUDE,
	SCAN_SCANNER,
	SCAN_MERCHANT,
	SCAN_ORDER,
	SCAN_XID,
	SCAN_COLUMNS
};

/* Counts the triggers that a row inserted into a table fires. */
static int
count_triggers(Relation table)
{
	const TriggerDesc *triggers = table->trigdesc;
	int n = 0;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (TRIGGER_FOR_ROW(triggers->triggers[i].tgtype) &&
			TRIGGER_FOR_INSERT(triggers->triggers[i].tgtype))
			n++;
	return n;
}

/* Claims to be the first; false where somebody else did, who may not be certain yet. */
static bool
claim_first(QgVerifyAnswer *answer)
{
	QgRows rows;
	Datum values[3] = {PointerGetDatum(answer->name), Int64GetDatum(answer->scan_id),
					   TimestampTzGetDatum(answer->goods.at)};
	bool nulls[3] = {false};
	bool claimed;

	qg_rows_open(&rows, "passport_scan_first");
	claimed = (rows.relation->trigdesc == NULL ||
			   !rows.relation->trigdesc->trig_insert_before_row) &&
			  (rows.relation->trigdesc == NULL ||
			   !rows.relation->trigdesc->trig_insert_after_row) &&
			  qg_rows_try_add(&rows, values, nulls);
	qg_rows_close(&rows);
	return claimed;
}

/* Gives a coordinate as its column keeps it. */
static Datum
coordinate(FunctionCallInfo fcinfo, int argument, TupleDesc desc, int column)
{
	if (PG_ARGISNULL(argument))
		return (Datum) 0;
	return DirectFunctionCall2(numeric,
							   DirectFunctionCall1(float8_numeric, PG_GETARG_DATUM(argument)),
							   Int32GetDatum(TupleDescAttr(desc, column)->atttypmod));
}

/* Writes the row of the scan. */
static void
write_scan(FunctionCallInfo fcinfo, const QgVerifyAnswer *answer)
{
	static const int given[][2] = {{SCAN_CHANNEL, ARG_CHANNEL},	  {SCAN_PLACE, ARG_PLACE},
								   {SCAN_LATITUDE, ARG_LATITUDE}, {SCAN_LONGITUDE, ARG_LONGITUDE},
								   {SCAN_MERCHANT, ARG_MERCHANT}, {SCAN_ORDER, ARG_ORDER}};
	const QgPassportCase *goods = &answer->goods;
	Datum values[SCAN_COLUMNS] = {0};
	bool nulls[SCAN_COLUMNS] = {0};
	QgOwner owner;
	QgRows rows;
	bool others;

	qg_rows_open(&rows, "passport_scan");
	for (int i = 0; i < (int) lengthof(given); i++)
	{
		values[given[i][0]] = PG_GETARG_DATUM(given[i][1]);
		nulls[given[i][0]] = PG_ARGISNULL(given[i][1]);
	}
	values[SCAN_ID] = Int64GetDatum(answer->scan_id);
	values[SCAN_AT] = TimestampTzGetDatum(goods->at);
	values[SCAN_RECORDED] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[SCAN_GOODS] = PointerGetDatum(answer->name);
	values[SCAN_GTIN] = Int64GetDatum(goods->gtin);
	values[SCAN_LOT] = PointerGetDatum(goods->shown_lot);
	nulls[SCAN_LOT] = goods->shown_lot == NULL;
	values[SCAN_SERIAL] = PointerGetDatum(goods->serial);
	nulls[SCAN_SERIAL] = goods->serial == NULL;
	values[SCAN_STATUS] = CStringGetTextDatum("authentic");
	values[SCAN_REASONS] = PointerGetDatum(construct_empty_array(TEXTOID));
	values[SCAN_PASSPORT] = Int64GetDatum(goods->passport_id);
	nulls[SCAN_BATCH] = nulls[SCAN_SCANNER] = true;
	values[SCAN_LATITUDE] = coordinate(fcinfo, ARG_LATITUDE, RelationGetDescr(rows.relation),
									   SCAN_LATITUDE);
	values[SCAN_LONGITUDE] = coordinate(fcinfo, ARG_LONGITUDE, RelationGetDescr(rows.relation),
										SCAN_LONGITUDE);
	values[SCAN_XID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	/* Ours only stamps the row; what others do they do as the owner. */
	others = count_triggers(rows.relation) > 1;
	if (others)
		qg_owner_begin(&owner);
	qg_rows_add(&rows, values, nulls);
	qg_rows_close(&rows);
	if (others)
		qg_owner_end(&owner);
}

/* Adds up the scans of popular goods, now and then, as passport_verify_full() does. */
static void
add_tally(FunctionCallInfo fcinfo, const QgVerifyAnswer *answer)
{
	FmgrInfo *tally = &qg_verify_callees(fcinfo)->tally;
	QgOwner owner;

	if (answer->count.tail < QG_TALLY_FROM ||
		(answer->count.tail % TALLY_STEP != 0 && answer->scan_id % TALLY_SCANS != 0))
		return;
	if (answer->seen != (Datum) 0)
	{
		qg_scan_tally(answer->name, answer->count.scans, answer->seen);
		return;
	}
	qg_verify_begin_sql(&owner);
	if (!OidIsValid(tally->fn_oid))
	{
		Oid types[1] = {TEXTOID};

		qg_verify_find_function(fcinfo, tally, "passport_scan_tally_add", buildoidvector(types, 1));
	}
	(void) FunctionCall1Coll(tally, DEFAULT_COLLATION_OID, PointerGetDatum(answer->name));
	qg_owner_end(&owner);
}

/* Records the scan; false where somebody else claims to be the first, and nothing was written. */
bool
qg_verify_record(FunctionCallInfo fcinfo, QgVerifyAnswer *answer)
{
	answer->scan_id = qg_scan_number("passport_scan_scan_id_seq");
	if (answer->first && !claim_first(answer))
		return false;
	write_scan(fcinfo, answer);
	add_tally(fcinfo, answer);
	return true;
}
