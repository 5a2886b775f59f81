/*
 * credit_standing.c
 *		Score and grade of many merchants at once, or of some, as of an instant.
 *
 * It is C because a view over all merchants is always fresh: accounts, tail, recorded grades and
 * merchants are each read once, and a score costs a few multiplications.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/cache.h"
#include "common/guard.h"
#include "credit/credit_scan.h"

#define FETCH_ROWS 1000
/* With more merchants than this to be recomputed, one pass over all events is cheaper. */
#define SINGLE_MAX 256
#define ADMITTED_COLUMN 20
#define CLOSED_COLUMN 21

/* The grade that a merchant was given last. */
typedef struct Change
{
	int64 id;
	TimestampTz at;
	char *grade;
	char *previous;
} Change;

/* A call. */
typedef struct Standings
{
	ReturnSetInfo *result;
	const QgModel *model;
	TimestampTz at;
	bool recompute;
	QgSlot *slots;
	int nslots;
	QgMerchants merchants;
	Change *changes; /* a merchant's is its item's change less one */
	int nchanges;
	int changes_allocated;
	QgSum *nothing; /* the sums of a merchant without events */
	/* what each indicator's sums are multiplied by at the instant, for the landmark met last */
	int64 *cells;
	double *factors;
	MemoryContext row; /* emptied with each row of the result */
} Standings;

/* Gives the factor of an indicator's sums. */
static double
factor_of(Standings *call, int slot, int64 cell)
{
	if (call->cells[slot] != cell)
	{
		call->cells[slot] = cell;
		call->factors[slot] = qg_sum_factor(cell, call->slots[slot].half_life, call->at);
	}
	return call->factors[slot];
}

/* Adds a row of the result; merchant and name are text. */
static void
emit(Standings *call, Datum merchant, Datum name, const QgSum *sums, const Change *change)
{
	Datum values[9] = {0};
	bool nulls[9] = {false};
	int64 score = 0;
	int veto = -1;
	int grade;
	MemoryContext caller = MemoryContextSwitchTo(call->row);

	for (int i = 0; i < call->nslots; i++)
	{
		const QgIndicator *indicator = &call->model->indicators[i];
		bool empty = sums[i].good == 0 && sums[i].bad == 0;
		double factor = empty ? 0 : factor_of(call, i, sums[i].cell);
		QgPoints points = qg_credit_points(indicator, sums[i].good * factor, sums[i].bad * factor);

		score += points.points;
		if (points.up)
			veto = Max(veto, indicator->veto);
	}
	grade = qg_credit_grade(call->model, score, change != NULL ? change->grade : NULL, veto);
	values[0] = merchant;
	values[1] = name;
	values[2] = NumericGetDatum(int64_div_fast_to_numeric(score, 2));
	nulls[3] = grade < 0;
	values[3] = grade < 0 ? 0 : CStringGetTextDatum(call->model->bands[grade].grade);
	values[4] = CStringGetTextDatum(call->model->model);
	values[5] = Int32GetDatum(call->model->version);
	nulls[6] = nulls[7] = change == NULL;
	nulls[8] = change == NULL || change->previous == NULL;
	if (!nulls[6])
	{
		values[6] = CStringGetTextDatum(change->grade);
		values[7] = TimestampTzGetDatum(change->at);
	}
	if (!nulls[8])
		values[8] = CStringGetTextDatum(change->previous);
	tuplestore_putvalues(call->result->setResult, call->result->setDesc, values, nulls);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(call->row);
}

/* Adds the events that the account does not hold to all merchants' sums. */
static void
add_tail(Standings *call, const QgRollup *rollup)
{
	Oid type = XID8OID;
	Datum xmin = UInt64GetDatum(rollup->seen_xmin);
	Portal portal = SPI_cursor_open_with_args(
		NULL,
		"SELECT merchant_id, indicator, at, recorded_at, good, bad, xid "
		"FROM quality_gov.credit_event WHERE xid >= $1",
		1, &type, &xmin, NULL, true, 0);

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_freetuptable(SPI_tuptable);
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			bool isnull;
			text *merchant = DatumGetTextPP(qg_result_value(row, 1, &isnull));
			text *indicator = DatumGetTextPP(qg_result_value(row, 2, &isnull));
			QgFact event = {.indicator = VARDATA_ANY(indicator),
							.length = VARSIZE_ANY_EXHDR(indicator)};
			uint32 number;

			event.at = qg_result_instant(row, 3, 0);
			event.recorded_at = qg_result_instant(row, 4, 0);
			event.good = DatumGetFloat8(qg_result_value(row, 5, &isnull));
			event.bad = DatumGetFloat8(qg_result_value(row, 6, &isnull));
			if (event.recorded_at > call->at ||
				qg_rollup_shows(rollup, DatumGetUInt64(qg_result_value(row, 7, &isnull))))
				continue;
			number = qg_merchants_add(&call->merchants, VARDATA_ANY(merchant),
									  VARSIZE_ANY_EXHDR(merchant));
			qg_slots_event(call->slots, call->nslots, qg_merchants_sums(&call->merchants, number),
						   &event, call->at);
		}
	}
	SPI_cursor_close(portal);
}

/* Adds the days that windows reach to all merchants' sums. */
static void
add_days(Standings *call, const int *match)
{
	int today = qg_credit_day(call->at);
	QgTable days;

	qg_table_open(&days, "credit_account_day");
	while (qg_table_next(&days, 4))
	{
		Datum *values = days.row->tts_values;
		text *merchant = DatumGetTextPP(values[0]);
		uint32 number = qg_merchants_add(&call->merchants, VARDATA_ANY(merchant),
										 VARSIZE_ANY_EXHDR(merchant));
		QgSum *sums = qg_merchants_sums(&call->merchants, number);

		for (int i = 0; i < call->nslots; i++)
			if (match[i] == DatumGetInt32(values[1]) - 1 &&
				DatumGetInt32(values[2]) > today - call->slots[i].window_days)
				qg_sum_add(&sums[i], DatumGetTallyP(values[3])->sum);
	}
	qg_table_close(&days);
}

/* Adds what is kept of retired events to all merchants' sums, for a pass over the events. */
static void
add_openings(Standings *call)
{
	bool isnull;

	qg_cache_select("SELECT merchant_id, indicator, (extract(epoch FROM half_life) * "
					"1000000)::bigint, tally, until FROM quality_gov.credit_opening "
					"ORDER BY merchant_id COLLATE \"C\"",
					0, NULL, NULL, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		const char *merchant = qg_result_text(row, 1);
		const char *indicator = qg_result_text(row, 2);
		int64 half_life = DatumGetInt64(qg_result_value(row, 3, &isnull));
		uint32 number = qg_merchants_add(&call->merchants, merchant, strlen(merchant));
		QgSum *sums = qg_merchants_sums(&call->merchants, number);

		CHECK_FOR_INTERRUPTS();
		qg_opening_require(merchant, indicator, strlen(indicator), qg_result_instant(row, 5, 0),
						   call->slots, call->nslots, call->at);
		for (int i = 0; i < call->nslots; i++)
			if (call->slots[i].half_life == half_life && call->slots[i].window_days == 0 &&
				strcmp(call->slots[i].indicator, indicator) == 0)
				qg_sum_add(&sums[i], DatumGetTallyP(qg_result_value(row, 4, &isnull))->sum);
	}
}

/* Sums all merchants from the events. */
static void
sum_events(Standings *call)
{
	QgScan scan = {.slots = call->slots, .nslots = call->nslots, .at = call->at};

	qg_merchants_clear(&call->merchants);
	add_openings(call);
	qg_credit_scan(&scan, &call->merchants);
}

/* Sums all merchants from their accounts and the tail; false where that cannot tell the instant. */
static bool
sum_accounts(Standings *call)
{
	uint32 *later = palloc(sizeof(uint32) * SINGLE_MAX);
	int nlater = 0;
	bool windowed = false;
	QgRollup rollup;
	QgTable accounts;
	int *match;

	qg_rollup_read(&rollup);
	match = qg_rollup_match(&rollup, call->slots, call->nslots);
	for (int i = 0; i < call->nslots; i++)
		windowed |= call->slots[i].window_days > 0;
	if (match == NULL || (windowed && call->at < rollup.at))
		return false;
	qg_table_open(&accounts, "credit_account");
	while (nlater < SINGLE_MAX && qg_table_next(&accounts, 4))
	{
		Datum *values = accounts.row->tts_values;
		text *merchant = DatumGetTextPP(values[0]);
		uint32 number = qg_merchants_add(&call->merchants, VARDATA_ANY(merchant),
										 VARSIZE_ANY_EXHDR(merchant));

		/* The account holds what was recorded after the instant too. */
		if (DatumGetTimestampTz(values[3]) > call->at)
			later[nlater++] = number;
		else
			qg_account_add(values[1], match, call->nslots,
						   qg_merchants_sums(&call->merchants, number));
	}
	qg_table_close(&accounts);
	if (nlater == SINGLE_MAX)
		return false;
	add_tail(call, &rollup);
	if (windowed)
		add_days(call, match);
	for (int i = 0; i < nlater; i++)
	{
		QgSum *sums = qg_merchants_sums(&call->merchants, later[i]);

		memset(sums, 0, sizeof(QgSum) * call->nslots);
		qg_credit_sums(call->merchants.items[later[i]].key, call->slots, call->nslots, call->at,
					   true, sums);
	}
	return true;
}

/* Notes a grade that a merchant was given, unless a later one is known. */
static void
note_change(Standings *call, uint32 number, const Datum *values, const bool *nulls)
{
	QgMerchant *item = &call->merchants.items[number];
	Change *change;

	if (item->change == 0)
	{
		if (call->nchanges == call->changes_allocated)
		{
			call->changes_allocated = Max(1024, call->changes_allocated * 2);
			call->changes = call->changes == NULL
								? palloc(sizeof(Change) * call->changes_allocated)
								: repalloc_huge(call->changes,
												sizeof(Change) * (Size) call->changes_allocated);
		}
		call->changes[call->nchanges++] = (Change){.id = -1};
		item->change = call->nchanges;
	}
	change = &call->changes[item->change - 1];
	if (change->id > DatumGetInt64(values[1]))
		return;
	change->id = DatumGetInt64(values[1]);
	change->at = DatumGetTimestampTz(values[2]);
	if (change->grade != NULL)
		pfree(change->grade);
	if (change->previous != NULL)
		pfree(change->previous);
	change->grade = TextDatumGetCString(values[4]);
	change->previous = nulls[5] ? NULL : TextDatumGetCString(values[5]);
}

/* Reads the grades that all merchants had been given by the instant. */
static void
read_changes(Standings *call)
{
	QgTable changes;

	qg_table_open(&changes, "credit_grade_change");
	while (qg_table_next(&changes, 6))
	{
		Datum *values = changes.row->tts_values;
		text *merchant = DatumGetTextPP(values[0]);

		if (DatumGetTimestampTz(values[2]) <= call->at)
			note_change(call,
						qg_merchants_add(&call->merchants, VARDATA_ANY(merchant),
										 VARSIZE_ANY_EXHDR(merchant)),
						values, changes.row->tts_isnull);
	}
	qg_table_close(&changes);
}

/* Gives every merchant that was on the platform at the instant. */
static void
emit_all(Standings *call)
{
	QgTable merchants;

	qg_merchants_init(&call->merchants, call->nslots);
	if (call->recompute || !sum_accounts(call))
		sum_events(call);
	read_changes(call);
	qg_table_open(&merchants, "merchant");
	while (qg_table_next(&merchants, CLOSED_COLUMN))
	{
		Datum *values = merchants.row->tts_values;
		text *merchant = DatumGetTextPP(values[0]);
		uint32 number;
		Change *change = NULL;

		if (DatumGetTimestampTz(values[ADMITTED_COLUMN - 1]) > call->at ||
			(!merchants.row->tts_isnull[CLOSED_COLUMN - 1] &&
			 DatumGetTimestampTz(values[CLOSED_COLUMN - 1]) <= call->at))
			continue;
		number = qg_merchants_find(&call->merchants, VARDATA_ANY(merchant),
								   VARSIZE_ANY_EXHDR(merchant));
		if (number != PG_UINT32_MAX && call->merchants.items[number].change > 0)
			change = &call->changes[call->merchants.items[number].change - 1];
		emit(call, values[0], values[1],
			 number == PG_UINT32_MAX ? call->nothing : qg_merchants_sums(&call->merchants, number),
			 change);
	}
	qg_table_close(&merchants);
}

/* Gives one merchant, whether or not it was on the platform at the instant. */
static void
emit_one(Standings *call, const char *merchant)
{
	static SPIPlanPtr plan = NULL;
	Oid types[2] = {TEXTOID, TIMESTAMPTZOID};
	Datum key[2] = {CStringGetTextDatum(merchant), TimestampTzGetDatum(call->at)};
	QgSum *sums = palloc0(sizeof(QgSum) * (call->nslots + 1));
	Change change = {0};
	Datum name;
	bool isnull;

	qg_credit_sums(merchant, call->slots, call->nslots, call->at, call->recompute, sums);
	if (plan == NULL)
	{
		SPIPlanPtr prepared = SPI_prepare(
			"SELECT m.name, c.at, c.grade, c.previous_grade FROM quality_gov.merchant m "
			"LEFT JOIN LATERAL (SELECT x.at, x.grade, x.previous_grade "
			"FROM quality_gov.credit_grade_change x WHERE x.merchant_id = m.merchant_id "
			"AND x.at <= $2 ORDER BY x.change_id DESC LIMIT 1) c ON true WHERE m.merchant_id = $1",
			2, types);

		if (prepared == NULL || SPI_keepplan(prepared) != 0)
			elog(ERROR, "could not prepare the query of a merchant's grade");
		plan = prepared;
	}
	if (SPI_execute_plan(plan, key, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a merchant's grade");
	if (SPI_processed == 0)
		return;
	name = qg_result_value(0, 1, &isnull);
	change.grade = qg_result_text(0, 3);
	change.at = qg_result_instant(0, 2, 0);
	change.previous = qg_result_text(0, 4);
	emit(call, key[0], name, sums, change.grade != NULL ? &change : NULL);
}

/*
 * Gives the merchants that a session which does not read all may see, of those asked for; as the
 * session's own role.
 */
static ArrayType *
visible_merchants(ArrayType *asked, bool on_trial)
{
	bool isnull;
	Oid type = TEXTARRAYOID;
	Datum value = PointerGetDatum(asked);
	const char *nulls = asked == NULL ? "n" : NULL;

	/* As session_reads_all() says, without a query: functions of the extension run as a superuser. */
	if (superuser())
		return asked;
	qg_cache_select("SELECT quality_gov.session_reads_all()", 0, NULL, NULL, NULL);
	if (DatumGetBool(qg_result_value(0, 1, &isnull)))
		return asked;
	if (on_trial)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to score merchants under a model of choice")));
	/* What the session's search path holds must not answer: nothing in it is looked up by name. */
	qg_cache_select("SELECT ARRAY(SELECT m.merchant_id FROM quality_gov.session_merchant m "
					"WHERE $1 IS NULL OR m.merchant_id OPERATOR(pg_catalog.=) ANY ($1))",
					1, &type, &value, nulls);
	return DatumGetArrayTypeP(qg_result_value(0, 1, &isnull));
}

/* Makes a call ready; inside SPI, as owner. */
static void
begin_call(Standings *call, FunctionCallInfo fcinfo)
{
	call->at = PG_GETARG_TIMESTAMPTZ(1);
	call->model = PG_ARGISNULL(2) ? qg_credit_model_at(call->at)
								  : qg_credit_model_get(text_to_cstring(PG_GETARG_TEXT_PP(2)),
														PG_GETARG_INT32(3));
	call->recompute = PG_GETARG_BOOL(4);
	if (call->model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no credit model was in force at %s", timestamptz_to_str(call->at))));
	call->nslots = qg_credit_slots(call->model, &call->slots);
	call->nothing = palloc0(sizeof(QgSum) * (call->nslots + 1));
	call->cells = palloc0(sizeof(int64) * (call->nslots + 1));
	call->factors = palloc0(sizeof(double) * (call->nslots + 1));
	for (int i = 0; i < call->nslots; i++)
		call->cells[i] = PG_INT64_MIN;
	call->row = AllocSetContextCreate(CurrentMemoryContext, "credit standing",
									  ALLOCSET_SMALL_SIZES);
}

/*
 * credit_standings(merchants, at, model, version, recompute): score and grade of merchants, null
 * for all that were on the platform, as far as the session may see them; under a model version, by
 * default the one in force; recompute goes back to the events in any case.
 */
PG_FUNCTION_INFO_V1(qg_credit_standings);
Datum
qg_credit_standings(PG_FUNCTION_ARGS)
{
	Standings call = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	MemoryContext caller = CurrentMemoryContext;
	ArrayType *merchants = PG_ARGISNULL(0) ? NULL : PG_GETARG_ARRAYTYPE_P(0);
	QgOwner owner;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(4) || PG_ARGISNULL(2) != PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("at and recompute must not be null, and a model goes with its version")));
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("credit is told as of a finite instant")));
	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(caller);
	merchants = visible_merchants(merchants, !PG_ARGISNULL(2));
	qg_owner_begin(&owner);
	begin_call(&call, fcinfo);
	if (merchants == NULL)
		emit_all(&call);
	else
	{
		Datum *items;
		bool *nulls;
		int count;

		deconstruct_array(merchants, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &count);
		for (int i = 0; i < count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (nulls[i])
				continue;
			/* A connection of its own, with which the memory of the merchant's queries goes. */
			if (SPI_connect() != SPI_OK_CONNECT)
				elog(ERROR, "SPI_connect failed");
			emit_one(&call, TextDatumGetCString(items[i]));
			SPI_finish();
		}
	}
	qg_owner_end(&owner);
	SPI_finish();
	return (Datum) 0;
}
