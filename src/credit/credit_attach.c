/*
 * credit_attach.c
 *		The triggers that turn rows of a platform's own table into credit events.
 *
 * They are C because they sit on the hot path of other people's tables.  Events are never changed:
 * an updated row is voided and entered anew, a deleted one voided.  The row's trigger reads what the
 * row counts, with the caller's rights, and lets it wait (credit_batch.c); a row that counts nothing
 * costs no more than looking at its amounts.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common/guard.h"
#include "credit/credit_change.h"

/* An attachment, parsed; kept with the mapping of its trigger. */
typedef struct Attached
{
	QgAttachment shown; /* what changes that wait refer to */
	const QgColumn *merchant;
	const QgColumn *at;
	const QgColumn *recorded_at;
	const QgColumn *good;
	const QgColumn *bad;
	const QgColumn *ref;
	float8 unmapped_good;
	float8 unmapped_bad;
} Attached;

/* Gives the name of a mapped column, NULL where a key is not mapped. */
static const char *
column_name(const QgColumn *column)
{
	return column != NULL ? column->path.column : NULL;
}

/* Gives an option that is a number. */
static float8
option_number(const QgMapping *mapping, const char *key)
{
	return DatumGetFloat8(
		DirectFunctionCall1(float8in, CStringGetDatum(qg_mapping_option(mapping, key))));
}

/* Gives what an attachment says, parsed again only after the table has changed. */
static const Attached *
get_attached(TriggerData *trigger)
{
	QgMapping *mapping = qg_mapping_get(trigger);
	MemoryContext caller;
	Attached *attached;

	if (mapping->extra != NULL)
		return mapping->extra;
	caller = MemoryContextSwitchTo(mapping->context);
	attached = palloc0(sizeof(Attached));
	attached->merchant = qg_mapping_column(mapping, "merchant_id");
	attached->at = qg_mapping_column(mapping, "at");
	attached->recorded_at = qg_mapping_column(mapping, "recorded_at");
	attached->good = qg_mapping_column(mapping, "good");
	attached->bad = qg_mapping_column(mapping, "bad");
	attached->ref = qg_mapping_column(mapping, "ref");
	attached->unmapped_good = option_number(mapping, "good");
	attached->unmapped_bad = option_number(mapping, "bad");
	attached->shown = (QgAttachment){
		.origin = {.relation = mapping->relation,
				   .merchant = column_name(attached->merchant),
				   .at = column_name(attached->at),
				   .recorded_at = column_name(attached->recorded_at),
				   .good = column_name(attached->good),
				   .bad = column_name(attached->bad)},
		.indicator = CStringGetTextDatum(qg_mapping_option(mapping, "indicator")),
		.source = CStringGetTextDatum(mapping->relation)};
	MemoryContextSwitchTo(caller);
	mapping->extra = attached;
	return attached;
}

/* Gives a boolean or a number of a row; null counts as 0. */
static float8
number_of(const QgColumn *column, HeapTuple row, TupleDesc desc)
{
	bool isnull;
	Datum value = qg_column_datum(column, row, desc, &isnull);

	if (isnull)
		return 0;
	switch (column->type)
	{
		case BOOLOID:
			return DatumGetBool(value) ? 1 : 0;
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (float8) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case NUMERICOID:
			/* One that float8 cannot hold is out of bounds, not an error of its own. */
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
		default:
			/* The column had another type when it was mapped. */
			return DatumGetFloat8(
				DirectFunctionCall1(float8in, CStringGetDatum(qg_column_text(column, row, desc))));
	}
}

/* Reads what a row counts; false where that is nothing. */
static bool
read_amounts(const Attached *attached, HeapTuple row, TupleDesc desc, float8 *good, float8 *bad)
{
	*bad = attached->bad != NULL ? number_of(attached->bad, row, desc) : attached->unmapped_bad;
	/* A row is good where it is not bad, unless it says itself how good it is. */
	*good = attached->good != NULL ? number_of(attached->good, row, desc)
			: *bad == 0			   ? attached->unmapped_good
								   : 0;
	return *good != 0 || *bad != 0;
}

/* Gives a mapped value as a text in the memory of changes, 0 for null or an unmapped key. */
static Datum
text_of(const QgColumn *column, HeapTuple row, TupleDesc desc)
{
	bool isnull;
	Datum value;
	MemoryContext caller;
	Datum copy;

	if (column == NULL)
		return (Datum) 0;
	value = qg_column_datum(column, row, desc, &isnull);
	if (isnull)
		return (Datum) 0;
	if (column->path.nsteps == 0 && (column->type == TEXTOID || column->type == VARCHAROID))
	{
		caller = MemoryContextSwitchTo(qg_changes_context());
		copy = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	}
	else
	{
		const char *text = qg_column_text(column, row, desc);

		if (text == NULL)
			return (Datum) 0;
		caller = MemoryContextSwitchTo(qg_changes_context());
		copy = CStringGetTextDatum(text);
	}
	MemoryContextSwitchTo(caller);
	return copy;
}

/* Gives the instant in a mapped column; false where none says one. */
static bool
read_instant(const QgColumn *column, HeapTuple row, TupleDesc desc, TimestampTz *instant)
{
	bool isnull;
	Datum value;

	if (column == NULL)
		return false;
	value = qg_column_datum(column, row, desc, &isnull);
	if (isnull || column->type != TIMESTAMPTZOID)
		return false;
	*instant = DatumGetTimestampTz(value);
	return true;
}

/* Gives a finite instant or refuses it. */
static bool
read_finite(const QgColumn *column, HeapTuple row, TupleDesc desc, TimestampTz *instant)
{
	if (!read_instant(column, row, desc, instant))
		return false;
	/* Every period would have ended by then, and nothing would be in force. */
	if (TIMESTAMP_NOT_FINITE(*instant))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("\"%s\" in column \"%s\" must be a finite instant", column->key,
							   column->path.column)));
	return true;
}

/* Reads what a row counted before its change; false where that was nothing. */
static bool
read_old(const Attached *attached, HeapTuple row, TupleDesc desc, QgCounted *old)
{
	if (!read_amounts(attached, row, desc, &old->good, &old->bad))
		return false;
	old->merchant = text_of(attached->merchant, row, desc);
	if (old->merchant == (Datum) 0)
		return false;
	old->ref = text_of(attached->ref, row, desc);
	if (!read_instant(attached->at, row, desc, &old->at))
		old->at = DT_NOBEGIN;
	return true;
}

/* Reads the event of a row, which may be refused; false where the row counts nothing. */
static bool
read_new(const Attached *attached, HeapTuple row, TupleDesc desc, QgChange *change)
{
	const QgEventOrigin *origin = &attached->shown.origin;
	TimestampTz now = GetCurrentStatementStartTimestamp();
	QgEvent *event = &change->new;
	bool recorded;

	if (!read_amounts(attached, row, desc, &event->good, &event->bad))
		return false;
	event->merchant = text_of(attached->merchant, row, desc);
	if (event->merchant == (Datum) 0)
		return false;
	if (attached->good != NULL)
		qg_amount_check(event->good, origin->good, origin);
	if (attached->bad != NULL)
		qg_amount_check(event->bad, origin->bad, origin);
	event->indicator = attached->shown.indicator;
	event->source = attached->shown.source;
	event->ref = text_of(attached->ref, row, desc);
	event->recorded_at = now;
	recorded = read_finite(attached->recorded_at, row, desc, &event->recorded_at);
	event->at = Min(now, event->recorded_at);
	change->dated = read_finite(attached->at, row, desc, &event->at);
	qg_instants_set(event, recorded, origin);
	return true;
}

/* Trigger of credit_attach(), AFTER: takes what a row counted and counts. */
PG_FUNCTION_INFO_V1(qg_credit_event_row);
Datum
qg_credit_event_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "credit_event_row",
											  QG_TRIGGER_AFTER | QG_TRIGGER_ROW, 3);
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	const Attached *attached = get_attached(trigger);
	HeapTuple before = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger->tg_trigtuple;
	HeapTuple after = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)   ? trigger->tg_newtuple
					  : TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? trigger->tg_trigtuple
																   : NULL;
	QgChange change = {.attachment = &attached->shown};

	change.moves = trigger->tg_relation->rd_rel->relispartition &&
				   (before == NULL || after == NULL);
	/* Without a ref nothing tells that a row was counted in the partition it comes from. */
	if (change.moves && attached->ref == NULL && qg_row_moves(attached->shown.origin.relation))
		return PointerGetDatum(NULL);
	if (before != NULL && after != NULL &&
		!qg_mapping_changed(qg_mapping_get(trigger), before, after, desc))
		return PointerGetDatum(NULL);
	if (before != NULL && !read_old(attached, before, desc, &change.old))
		change.old.merchant = (Datum) 0;
	change.enters = after != NULL && read_new(attached, after, desc, &change);
	if (change.enters || change.old.merchant != (Datum) 0)
		qg_change_add(&change);
	return PointerGetDatum(NULL);
}

/* Trigger of credit_attach(), BEFORE the statement: events may wait for its end. */
PG_FUNCTION_INFO_V1(qg_credit_event_begin);
Datum
qg_credit_event_begin(PG_FUNCTION_ARGS)
{
	qg_changes_begin(qg_trigger_require(fcinfo, "credit_event_begin",
										QG_TRIGGER_BEFORE | QG_TRIGGER_STATEMENT, 3));
	return PointerGetDatum(NULL);
}

/* Trigger of credit_attach(), AFTER the statement: writes its events. */
PG_FUNCTION_INFO_V1(qg_credit_event_end);
Datum
qg_credit_event_end(PG_FUNCTION_ARGS)
{
	qg_changes_end(
		qg_trigger_require(fcinfo, "credit_event_end", QG_TRIGGER_AFTER | QG_TRIGGER_STATEMENT, 3));
	return PointerGetDatum(NULL);
}
