/*
 * credit_answer.c
 *		Points of one merchant: of each indicator as of an instant, and the grade of a score.
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
		QgFact event = {.indicator = indicator,
						.length = (int) strlen(indicator),
						.at = DatumGetTimestampTz(instants[i]),
						.recorded_at = at,
						.good = DatumGetFloat8(good[i]),
						.bad = DatumGetFloat8(bad[i])};

		CHECK_FOR_INTERRUPTS();
		qg_slots_event(slots, nslots, sums, &event, at);
	}
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
	qg_credit_instant_require(at);
	InitMaterializedSRF(fcinfo, 0);
	nmodels = qg_credit_models(&models);
	model = PG_ARGISNULL(2) || PG_ARGISNULL(3)
				? qg_credit_model_require(models, nmodels, at)
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
		Datum values[11];
		bool nulls[11] = {false};
		double good;
		double bad;
		QgPoints points = qg_credit_points_of(indicator, &sums[i], at, &good, &bad);

		values[0] = CStringGetTextDatum(model->model);
		values[1] = Int32GetDatum(model->version);
		values[2] = CStringGetTextDatum(indicator->name);
		values[3] = NumericGetDatum(int64_div_fast_to_numeric(points.points, 2));
		values[4] = NumericGetDatum(int64_div_fast_to_numeric(indicator->weight, 2));
		values[5] = Float8GetDatum(good);
		values[6] = Float8GetDatum(bad);
		values[7] = BoolGetDatum(points.below);
		values[8] = BoolGetDatum(points.up);
		values[9] = CStringGetTextDatum(indicator->dimension);
		values[10] = CStringGetTextDatum(qg_credit_reason(indicator, good, bad, &points));
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
