/*
 * credit_attach.c
 *		The trigger that turns rows of a platform's own table into credit events.
 *
 * It is C because it sits on the hot path of other people's tables: one prepared insert a row.
 * Events are never changed: an updated row is voided and entered anew, a deleted one voided.  Only
 * what the log holds is voided, at the instant and with the amounts it holds: a row older than the
 * attachment was never counted, and taking it out would take somebody else's events.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common/guard.h"

/* One event, read from a row. */
typedef struct CreditEvent
{
	char *merchant;
	char *ref;
	TimestampTz at;
	TimestampTz recorded_at;
	double good;
	double bad;
} CreditEvent;

/* Reads a boolean or a number; null counts as 0. */
static double
number_of(const char *text)
{
	if (text == NULL || strcmp(text, "f") == 0)
		return 0;
	if (strcmp(text, "t") == 0)
		return 1;
	return DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(text)));
}

/* Gives the amount of one side: the mapped column, else the constant of the attachment. */
static double
amount_of(const QgMapping *mapping, const char *key, HeapTuple row, TupleDesc desc)
{
	const QgColumn *column = qg_mapping_column(mapping, key);

	return number_of(column != NULL ? qg_column_text(column, row, desc)
									: qg_mapping_option(mapping, key));
}

/* Reads an event; false where the row names no merchant or counts nothing. */
static bool
read_event(const QgMapping *mapping, HeapTuple row, TupleDesc desc, CreditEvent *event)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	event->merchant = qg_column_text(qg_mapping_column(mapping, "merchant_id"), row, desc);
	event->ref = qg_column_text(qg_mapping_column(mapping, "ref"), row, desc);
	event->at = qg_mapping_instant(mapping, "at", row, desc, now);
	event->recorded_at = qg_mapping_instant(mapping, "recorded_at", row, desc, now);
	event->bad = amount_of(mapping, "bad", row, desc);
	event->good = amount_of(mapping, "good", row, desc);
	/* A row is good where it is not bad, unless it says itself how good it is. */
	if (event->bad != 0 && qg_mapping_column(mapping, "good") == NULL)
		event->good = 0;
	return event->merchant != NULL && (event->good != 0 || event->bad != 0);
}

/* Gives a text parameter, null where there is no text. */
static Datum
text_datum(const char *text, char *isnull)
{
	*isnull = text ? ' ' : 'n';
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* Writes an event; inside SPI, as owner. */
static void
write_event(const QgMapping *mapping, const CreditEvent *event)
{
	static SPIPlanPtr plan = NULL;
	Oid types[8] = {TEXTOID,   TEXTOID, TIMESTAMPTZOID, FLOAT8OID,
					FLOAT8OID, TEXTOID, TEXTOID,		TIMESTAMPTZOID};
	Datum values[8];
	char nulls[9] = "        ";

	if (plan == NULL)
	{
		plan = SPI_prepare("INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, "
						   "good, bad, source, ref, recorded_at) "
						   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
						   8, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the credit event");
	}
	values[0] = CStringGetTextDatum(event->merchant);
	values[1] = CStringGetTextDatum(qg_mapping_option(mapping, "indicator"));
	values[2] = TimestampTzGetDatum(event->at);
	values[3] = Float8GetDatum(event->good);
	values[4] = Float8GetDatum(event->bad);
	values[5] = CStringGetTextDatum(mapping->relation);
	values[6] = text_datum(event->ref, &nulls[6]);
	values[7] = TimestampTzGetDatum(event->recorded_at);
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write the credit event");
}

/*
 * Voids the event that the log holds of a row and gives when that happened and from when the void
 * is known; false where the log holds none.  Inside SPI, as owner.
 */
static bool
void_event(const QgMapping *mapping, const CreditEvent *event, TimestampTz *at,
		   TimestampTz *recorded_at)
{
	static SPIPlanPtr plan = NULL;
	Oid types[5] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum values[5];
	bool isnull;

	if (plan == NULL)
	{
		plan = SPI_prepare(
			"WITH last AS (SELECT e.at, e.good, e.bad, e.void, e.recorded_at "
			"FROM quality_gov.credit_event e WHERE e.merchant_id = $1 AND e.indicator = $2 "
			"AND e.source = $3 AND e.ref = $4 ORDER BY e.event_id DESC LIMIT 1) "
			"INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, good, bad, source, "
			"ref, void, recorded_at) SELECT $1, $2, at, 0 - good, 0 - bad, $3, $4, true, "
			"greatest($5, recorded_at) FROM last WHERE NOT void RETURNING at, recorded_at",
			5, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the void of a credit event");
	}
	values[0] = CStringGetTextDatum(event->merchant);
	values[1] = CStringGetTextDatum(qg_mapping_option(mapping, "indicator"));
	values[2] = CStringGetTextDatum(mapping->relation);
	values[3] = CStringGetTextDatum(event->ref);
	values[4] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_INSERT_RETURNING)
		elog(ERROR, "could not void the credit event");
	if (SPI_processed == 0)
		return false;
	*at = DatumGetTimestampTz(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	*recorded_at = DatumGetTimestampTz(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	return true;
}

/* Voids what a row counted before and enters what it counts now. */
static void
change_events(const QgMapping *mapping, const CreditEvent *old, CreditEvent *new)
{
	if (old != NULL)
	{
		TimestampTz at;
		TimestampTz recorded_at;

		if (old->ref == NULL || !void_event(mapping, old, &at, &recorded_at))
			return;
		if (new != NULL)
		{
			if (qg_mapping_column(mapping, "at") == NULL)
				new->at = at;
			new->recorded_at = recorded_at;
		}
	}
	if (new != NULL)
		write_event(mapping, new);
}

/* Trigger of credit_attach(). */
PG_FUNCTION_INFO_V1(qg_credit_event_row);
Datum
qg_credit_event_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "credit_event_row",
											  QG_TRIGGER_AFTER | QG_TRIGGER_ROW, 3);
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	const QgMapping *mapping = qg_mapping_get(trigger);
	HeapTuple before = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger->tg_trigtuple;
	HeapTuple after = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)   ? trigger->tg_newtuple
					  : TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? trigger->tg_trigtuple
																   : NULL;
	CreditEvent old = {0};
	CreditEvent new = {0};
	bool has_old;
	bool has_new;
	QgOwner owner;

	if (before != NULL && after != NULL && !qg_mapping_changed(mapping, before, after, desc))
		return PointerGetDatum(NULL);
	/* The row's values are read with the caller's rights, before the owner's begin. */
	has_old = before != NULL && read_event(mapping, before, desc, &old);
	has_new = after != NULL && read_event(mapping, after, desc, &new);
	if (!has_old && !has_new)
		return PointerGetDatum(NULL);
	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	change_events(mapping, has_old ? &old : NULL, has_new ? &new : NULL);
	SPI_finish();
	qg_owner_end(&owner);
	return PointerGetDatum(NULL);
}
