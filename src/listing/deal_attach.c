/*
 * deal_attach.c
 *		The trigger that records the deal prices of a platform's own order table.
 *
 * It is C because it sits on the hot path of other people's tables: one prepared insert a deal.
 * A row is a deal once, when it is written or when the mapped "done" becomes true; what is changed
 * later was not agreed then and is not followed.  A refund (a price below zero) is none.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common/guard.h"

/* Tells whether a row is a deal: it names shop, item and price and is done, where it says so. */
static bool
is_deal(const QgMapping *mapping, HeapTuple row, TupleDesc desc)
{
	static const char *const keys[] = {"merchant_id", "item", "price"};
	const QgColumn *done = qg_mapping_column(mapping, "done");

	for (int i = 0; i < (int) lengthof(keys); i++)
		if (qg_column_text(qg_mapping_column(mapping, keys[i]), row, desc) == NULL)
			return false;
	if (done != NULL)
	{
		char *text = qg_column_text(done, row, desc);

		return text != NULL && strcmp(text, "t") == 0;
	}
	return true;
}

/* Writes the deal of a row; inside SPI, as owner. */
static void
write_deal(char *const texts[4], TimestampTz at)
{
	static SPIPlanPtr plan = NULL;
	Oid types[5] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum values[5];
	char nulls[6] = "     ";

	if (plan == NULL)
	{
		plan = SPI_prepare(
			"INSERT INTO quality_gov.listing_deal (merchant_id, item, price, ref, at) "
			"SELECT $1, $2, p, $4, $5 FROM CAST($3 AS pg_catalog.numeric) AS p "
			"WHERE p OPERATOR(pg_catalog.>=) 0 AND p OPERATOR(pg_catalog.<) 'Infinity'",
			5, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the deal");
	}
	for (int i = 0; i < 4; i++)
	{
		nulls[i] = texts[i] ? ' ' : 'n';
		values[i] = texts[i] ? CStringGetTextDatum(texts[i]) : (Datum) 0;
	}
	values[4] = TimestampTzGetDatum(at);
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write the deal");
}

/* Trigger of deal_attach(). */
PG_FUNCTION_INFO_V1(qg_listing_deal_row);
Datum
qg_listing_deal_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "listing_deal_row",
											  QG_TRIGGER_AFTER | QG_TRIGGER_ROW, 3);
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	const QgMapping *mapping = qg_mapping_get(trigger);
	bool update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple row = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	char *texts[4];
	TimestampTz at;
	QgOwner owner;

	if (!is_deal(mapping, row, desc) || (update && is_deal(mapping, trigger->tg_trigtuple, desc)))
		return PointerGetDatum(NULL);
	/* The row's values are read with the caller's rights, before the owner's begin. */
	texts[0] = qg_column_text(qg_mapping_column(mapping, "merchant_id"), row, desc);
	texts[1] = qg_column_text(qg_mapping_column(mapping, "item"), row, desc);
	texts[2] = qg_column_text(qg_mapping_column(mapping, "price"), row, desc);
	texts[3] = qg_column_text(qg_mapping_column(mapping, "ref"), row, desc);
	at = qg_mapping_instant(mapping, "at", row, desc, GetCurrentTransactionStartTimestamp());
	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	write_deal(texts, at);
	SPI_finish();
	qg_owner_end(&owner);
	return PointerGetDatum(NULL);
}
