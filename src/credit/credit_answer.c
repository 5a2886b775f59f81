/*
 * credit_answer.c
 *		Points of one merchant: of each indicator as of an instant, and the score over time.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "credit/credit_state.h"

#define FETCH_ROWS 1000
#define STEPS_MAX 100000

/* Raises an error unless an instant is one that credit can be told of. */
static void
require_instant(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("credit is told as of a finite instant")));
}

/* Gives the model among some that was in force at an instant, or raises an error. */
static const QgModel *
require_model(const QgModel **models, int count, TimestampTz at)
{
	const QgModel *model = qg_credit_model_among(models, count, at);

	if (model == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("no credit model was in force at %s", timestamptz_to_str(at))));
	return model;
}

/* Gives the elements of an array argument of float8 or timestamptz, or of text. */
static Datum *
elements(FunctionCallInfo fcinfo, int argument, Oid type, int *count)
{
	Datum *items;

	if (type == TEXTOID)
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, -1, false, TYPALIGN_INT, &items,
						  NULL, count);
	else
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, 8, FLOAT8PASSBYVAL,
						  TYPALIGN_DOUBLE, &items, NULL, count);
	return items;
}

/* Adds events that only the question knows: arguments 5 to 8 (indicators, at, good, bad). */
static void
add_supposed(FunctionCallInfo fcinfo, const QgSlot *slots, int nslots, TimestampTz at, QgSum *sums)
{
	int counts[4];
	Datum *indicators = elements(fcinfo, 5, TEXTOID, &counts[0]);
	Datum *instants = elements(fcinfo, 6, TIMESTAMPTZOID, &counts[1]);
	Datum *good = elements(fcinfo, 7, FLOAT8OID, &counts[2]);
	Datum *bad = elements(fcinfo, 8, FLOAT8OID, &counts[3]);

	if (counts[1] != counts[0] || counts[2] != counts[0] || counts[3] != counts[0])
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of the events to suppose are not of one length")));
	for (int i = 0; i < counts[0]; i++)
	{
		char *indicator = TextDatumGetCString(indicators[i]);
		QgEvent event = {.indicator = indicator,
						 .length = (int) strlen(indicator),
						 .at = DatumGetTimestampTz(instants[i]),
						 .recorded_at = at,
						 .good = DatumGetFloat8(good[i]),
						 .bad = DatumGetFloat8(bad[i])};

		CHECK_FOR_INTERRUPTS();
		qg_slots_event(slots, nslots, sums, &event, at);
	}
}

/* Gives what sums at an instant come to under the indicator of their slot. */
static QgPoints
points_of(const QgIndicator *indicator, const QgSum *sum, TimestampTz at, double *good, double *bad)
{
	double factor = sum->good == 0 && sum->bad == 0
						? 0
						: qg_sum_factor(sum->cell, indicator->half_life, at);

	*good = Max(sum->good * factor, 0);
	*bad = Max(sum->bad * factor, 0);
	return qg_credit_points(indicator, *good, *bad);
}

/*
 * credit_indicator_points(merchant_id, at, model, version, recompute, indicators, instants, good,
 * bad): points of each indicator of a merchant; the last four are events to suppose.  For functions
 * that have asked who may see it.
 */
PG_FUNCTION_INFO_V1(qg_credit_indicator_points);
Datum
qg_credit_indicator_points(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	const QgModel *model;
	const QgModel **models;
	int nmodels;
	TimestampTz at;
	QgSlot *slots;
	QgSum *sums;
	int nslots;

	for (int i = 0; i < 9; i++)
		if (PG_ARGISNULL(i) && i != 2 && i != 3)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument %d must not be null", i + 1)));
	at = PG_GETARG_TIMESTAMPTZ(1);
	require_instant(at);
	InitMaterializedSRF(fcinfo, 0);
	nmodels = qg_credit_models(&models);
	model = PG_ARGISNULL(2) || PG_ARGISNULL(3)
				? require_model(models, nmodels, at)
				: qg_credit_model_get(text_to_cstring(PG_GETARG_TEXT_PP(2)), PG_GETARG_INT32(3));
	nslots = qg_credit_slots(model, &slots);
	sums = palloc0(sizeof(QgSum) * (nslots + 1));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	qg_credit_sums(text_to_cstring(PG_GETARG_TEXT_PP(0)), slots, nslots, at, PG_GETARG_BOOL(4),
				   sums);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	add_supposed(fcinfo, slots, nslots, at, sums);
	for (int i = 0; i < nslots; i++)
	{
		const QgIndicator *indicator = &model->indicators[i];
		Datum values[9];
		bool nulls[9] = {false};
		double good;
		double bad;
		QgPoints points = points_of(indicator, &sums[i], at, &good, &bad);

		values[0] = CStringGetTextDatum(model->model);
		values[1] = Int32GetDatum(model->version);
		values[2] = CStringGetTextDatum(indicator->name);
		values[3] = NumericGetDatum(int64_div_fast_to_numeric(points.points, 2));
		values[4] = NumericGetDatum(int64_div_fast_to_numeric(indicator->weight, 2));
		values[5] = Float8GetDatum(good);
		values[6] = Float8GetDatum(bad);
		values[7] = BoolGetDatum(points.below);
		values[8] = BoolGetDatum(points.up);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* credit_grade_of(model, version, score, previous, vetoes): the grade of a score. */
PG_FUNCTION_INFO_V1(qg_credit_grade_of);
Datum
qg_credit_grade_of(PG_FUNCTION_ARGS)
{
	const QgModel *model;
	int64 score;
	int veto = -1;
	int grade;
	int count;
	Datum *indicators;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	model = qg_credit_model_get(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1));
	score = DatumGetInt64(DirectFunctionCall1(
		numeric_int8, DirectFunctionCall2(numeric_mul, PG_GETARG_DATUM(2),
										  NumericGetDatum(int64_to_numeric(100)))));
	indicators = PG_ARGISNULL(4) ? NULL : elements(fcinfo, 4, TEXTOID, &count);
	for (int i = 0; indicators != NULL && i < count; i++)
		for (int j = 0; j < model->nindicators; j++)
			if (strcmp(model->indicators[j].name, TextDatumGetCString(indicators[i])) == 0)
				veto = Max(veto, model->indicators[j].veto);
	grade = qg_credit_grade(model, score,
							PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)), veto);
	if (grade < 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(model->bands[grade].grade));
}

/* A day's sum of a slot with a window. */
typedef struct Day
{
	int day;
	QgSum sum;
} Day;

/* What the score over time goes through: the sums as they were known, and the events to come. */
typedef struct History
{
	const char *merchant;
	/* as they were when it began: another may be published meanwhile, which has no slots here */
	const QgModel **models;
	int nmodels;
	QgSlot *slots; /* of all models */
	int nslots;
	QgSum *sums;
	Day **days; /* of slots with a window */
	int *ndays;
	TimestampTz *retired; /* before when events of slots with a window were retired */
	Portal events;
	uint64 row; /* next of the rows fetched */
	bool ended;
} History;

/* Gives the slot that serves an indicator; a new one where none does yet. */
static int
slot_of(History *history, const QgIndicator *indicator)
{
	for (int i = 0; i < history->nslots; i++)
		if (history->slots[i].half_life == indicator->half_life &&
			(history->slots[i].window_days != 0) == (indicator->window_days != 0) &&
			strcmp(history->slots[i].indicator, indicator->name) == 0)
			return i;
	history->slots[history->nslots] = (QgSlot){indicator->name, indicator->length,
											   indicator->half_life, indicator->window_days};
	return history->nslots++;
}

/* Prepares the slots of all models. */
static void
collect_slots(History *history)
{
	int most = 1;

	history->nmodels = qg_credit_models(&history->models);
	for (int i = 0; i < history->nmodels; i++)
		most += history->models[i]->nindicators;
	history->slots = palloc0(sizeof(QgSlot) * most);
	for (int i = 0; i < history->nmodels; i++)
		for (int j = 0; j < history->models[i]->nindicators && history->models[i]->in_force; j++)
			slot_of(history, &history->models[i]->indicators[j]);
	history->sums = palloc0(sizeof(QgSum) * most);
	history->days = palloc0(sizeof(Day *) * most);
	history->ndays = palloc0(sizeof(int) * most);
	history->retired = palloc(sizeof(TimestampTz) * most);
	for (int i = 0; i < most; i++)
		history->retired[i] = DT_NOBEGIN;
}

/* Adds an event to the day of a slot. */
static void
add_to_day(History *history, int slot, const QgEvent *event)
{
	int day = qg_credit_day(event->at);
	int i = history->ndays[slot] - 1;

	while (i >= 0 && history->days[slot][i].day != day)
		i--;
	if (i < 0)
	{
		i = history->ndays[slot]++;
		if (i == 0)
			history->days[slot] = palloc(sizeof(Day) * 64);
		else if (i % 64 == 0)
			history->days[slot] = repalloc_huge(history->days[slot], sizeof(Day) * (Size) (i + 64));
		history->days[slot][i] = (Day){.day = day};
	}
	qg_sum_event(&history->days[slot][i].sum, history->slots[slot].half_life, event->at,
				 event->good, event->bad);
}

/* Adds an event to every slot of its indicator. */
static void
add_event(History *history, const QgEvent *event)
{
	for (int i = 0; i < history->nslots; i++)
		if (history->slots[i].length == event->length &&
			memcmp(history->slots[i].indicator, event->indicator, event->length) == 0)
		{
			if (history->slots[i].window_days > 0)
				add_to_day(history, i, event);
			else
				qg_sum_event(&history->sums[i], history->slots[i].half_life, event->at, event->good,
							 event->bad);
		}
}

/* Adds the events that were recorded by an instant and not before the last one. */
static void
advance(History *history, TimestampTz at)
{
	while (!history->ended)
	{
		if (history->row >= SPI_processed || SPI_tuptable == NULL)
		{
			CHECK_FOR_INTERRUPTS();
			SPI_freetuptable(SPI_tuptable);
			SPI_cursor_fetch(history->events, true, FETCH_ROWS);
			history->row = 0;
			history->ended = SPI_processed == 0;
		}
		while (history->row < SPI_processed)
		{
			bool isnull;
			text *indicator = DatumGetTextPP(qg_result_value(history->row, 1, &isnull));
			QgEvent event = {.indicator = VARDATA_ANY(indicator),
							 .length = VARSIZE_ANY_EXHDR(indicator)};

			event.at = qg_result_instant(history->row, 2, 0);
			event.recorded_at = qg_result_instant(history->row, 3, 0);
			if (event.recorded_at > at)
				return;
			event.good = DatumGetFloat8(qg_result_value(history->row, 4, &isnull));
			event.bad = DatumGetFloat8(qg_result_value(history->row, 5, &isnull));
			add_event(history, &event);
			history->row++;
		}
	}
}

/* Gives the sum of an indicator as of an instant. */
static QgSum
sum_of(History *history, const QgIndicator *indicator, TimestampTz at)
{
	int slot = slot_of(history, indicator);
	QgSum sum = {0};

	if (indicator->window_days == 0)
		return history->sums[slot];
	if (history->retired[slot] != DT_NOBEGIN)
		qg_opening_require(history->merchant, indicator->name, indicator->length,
						   history->retired[slot],
						   &(QgSlot){indicator->name, indicator->length, indicator->half_life,
									 indicator->window_days},
						   1, at);
	for (int i = 0; i < history->ndays[slot]; i++)
		if (history->days[slot][i].day > qg_credit_day(at) - indicator->window_days)
			qg_sum_add(&sum, history->days[slot][i].sum);
	return sum;
}

/* Reads the grades that a merchant was given; they and their instants, in order. */
static uint64
read_changes(const char *merchant, TimestampTz **instants, char ***grades)
{
	Oid type = TEXTOID;
	Datum key = CStringGetTextDatum(merchant);
	uint64 count = qg_cache_select("SELECT at, grade FROM quality_gov.credit_grade_change "
								   "WHERE merchant_id = $1 ORDER BY change_id",
								   1, &type, &key, NULL);

	*instants = palloc(sizeof(TimestampTz) * (count + 1));
	*grades = palloc(sizeof(char *) * (count + 1));
	for (uint64 row = 0; row < count; row++)
	{
		(*instants)[row] = qg_result_instant(row, 1, 0);
		(*grades)[row] = qg_result_text(row, 2);
	}
	return count;
}

/* Refuses a history that begins before events that were retired, and adds what is kept of them. */
static void
add_openings(History *history, TimestampTz since)
{
	Oid type = TEXTOID;
	Datum key = CStringGetTextDatum(history->merchant);
	uint64 count = qg_cache_select(
		"SELECT indicator, (extract(epoch FROM half_life) * 1000000)::bigint, tally, until "
		"FROM quality_gov.credit_opening WHERE merchant_id = $1",
		1, &type, &key, NULL);

	for (uint64 row = 0; row < count; row++)
	{
		bool isnull;
		TimestampTz until = qg_result_instant(row, 4, 0);
		char *indicator = qg_result_text(row, 1);
		int64 half_life = DatumGetInt64(qg_result_value(row, 2, &isnull));

		qg_opening_require(history->merchant, NULL, 0, until, NULL, 0, since);
		for (int i = 0; i < history->nslots; i++)
		{
			if (strcmp(history->slots[i].indicator, indicator) != 0)
				continue;
			if (history->slots[i].window_days > 0)
				history->retired[i] = Max(history->retired[i], until);
			else if (history->slots[i].half_life == half_life)
				qg_sum_add(&history->sums[i],
						   DatumGetTallyP(qg_result_value(row, 3, &isnull))->sum);
		}
	}
}

/*
 * credit_history_rows(merchant_id, instants): score and grade at each of some ascending instants,
 * in one pass over the merchant's events.  For functions that have asked who may see it.
 */
PG_FUNCTION_INFO_V1(qg_credit_history_rows);
Datum
qg_credit_history_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	History history = {0};
	TimestampTz *change_instants;
	char **change_grades;
	uint64 nchanges;
	Datum *instants;
	int count;
	Oid type = TEXTOID;
	Datum key = PG_GETARG_DATUM(0);

	instants = elements(fcinfo, 1, TIMESTAMPTZOID, &count);
	if (count > STEPS_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a history of %d instants is asked, expected at most %d", count,
							   STEPS_MAX)));
	InitMaterializedSRF(fcinfo, 0);
	history.merchant = text_to_cstring(PG_GETARG_TEXT_PP(0));
	collect_slots(&history);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(caller);
	nchanges = read_changes(history.merchant, &change_instants, &change_grades);
	if (count > 0)
		add_openings(&history, DatumGetTimestampTz(instants[0]));
	history.events = SPI_cursor_open_with_args(
		NULL,
		"SELECT indicator, at, recorded_at, good, bad FROM quality_gov.credit_event "
		"WHERE merchant_id = $1 ORDER BY recorded_at",
		1, &type, &key, NULL, true, 0);
	SPI_freetuptable(SPI_tuptable);
	SPI_tuptable = NULL;
	for (int step = 0; step < count; step++)
	{
		TimestampTz at = DatumGetTimestampTz(instants[step]);
		const QgModel *model = require_model(history.models, history.nmodels, at);
		const char *previous = NULL;
		Datum values[3];
		bool nulls[3] = {false};
		int64 score = 0;
		int veto = -1;
		int grade;

		CHECK_FOR_INTERRUPTS();
		require_instant(at);
		advance(&history, at);
		MemoryContextSwitchTo(caller);
		for (int i = 0; i < model->nindicators; i++)
		{
			QgSum sum = sum_of(&history, &model->indicators[i], at);
			double good;
			double bad;
			QgPoints points = points_of(&model->indicators[i], &sum, at, &good, &bad);

			score += points.points;
			veto = points.up ? Max(veto, model->indicators[i].veto) : veto;
		}
		for (uint64 i = 0; i < nchanges; i++)
			if (change_instants[i] <= at)
				previous = change_grades[i];
		grade = qg_credit_grade(model, score, previous, veto);
		values[0] = instants[step];
		values[1] = NumericGetDatum(int64_div_fast_to_numeric(score, 2));
		nulls[2] = grade < 0;
		values[2] = grade < 0 ? 0 : CStringGetTextDatum(model->bands[grade].grade);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_cursor_close(history.events);
	SPI_finish();
	return (Datum) 0;
}
