/*
 * credit_history.c
 *		The score of one merchant over time, in one pass over its events.
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
	TimestampTz *change_instants; /* of the grades that the merchant was given, in order */
	char **change_grades;
	uint64 nchanges;
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
add_to_day(History *history, int slot, const QgFact *event)
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
add_event(History *history, const QgFact *event)
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
			QgFact event = {.indicator = VARDATA_ANY(indicator),
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

/* Reads the grades that the merchant was given. */
static void
read_changes(History *history)
{
	Oid type = TEXTOID;
	Datum key = CStringGetTextDatum(history->merchant);

	history->nchanges = qg_cache_select("SELECT at, grade FROM quality_gov.credit_grade_change "
										"WHERE merchant_id = $1 ORDER BY change_id",
										1, &type, &key, NULL);
	history->change_instants = palloc(sizeof(TimestampTz) * (history->nchanges + 1));
	history->change_grades = palloc(sizeof(char *) * (history->nchanges + 1));
	for (uint64 row = 0; row < history->nchanges; row++)
	{
		history->change_instants[row] = qg_result_instant(row, 1, 0);
		history->change_grades[row] = qg_result_text(row, 2);
	}
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

/* Adds the row of an instant, by which all events were added, to the result. */
static void
emit(History *history, ReturnSetInfo *result, TimestampTz at)
{
	const QgModel *model = qg_credit_model_require(history->models, history->nmodels, at);
	const char *previous = NULL;
	Datum values[3];
	bool nulls[3] = {false};
	int64 score = 0;
	int veto = -1;
	int grade;

	for (int i = 0; i < model->nindicators; i++)
	{
		QgSum sum = sum_of(history, &model->indicators[i], at);
		double good;
		double bad;
		QgPoints points = qg_credit_points_of(&model->indicators[i], &sum, at, &good, &bad);

		score += points.points;
		veto = points.up ? Max(veto, model->indicators[i].veto) : veto;
	}
	for (uint64 i = 0; i < history->nchanges; i++)
		if (history->change_instants[i] <= at)
			previous = history->change_grades[i];
	grade = qg_credit_grade(model, score, previous, veto);
	values[0] = TimestampTzGetDatum(at);
	values[1] = NumericGetDatum(int64_div_fast_to_numeric(score, 2));
	nulls[2] = grade < 0;
	values[2] = grade < 0 ? 0 : CStringGetTextDatum(model->bands[grade].grade);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
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
	Datum *instants;
	int count;
	Oid type = TEXTOID;
	Datum key = PG_GETARG_DATUM(0);

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TIMESTAMPTZOID, sizeof(TimestampTz),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &instants, NULL, &count);
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
	read_changes(&history);
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

		CHECK_FOR_INTERRUPTS();
		qg_credit_instant_require(at);
		advance(&history, at);
		MemoryContextSwitchTo(caller);
		emit(&history, result, at);
	}
	SPI_cursor_close(history.events);
	SPI_finish();
	return (Datum) 0;
}
