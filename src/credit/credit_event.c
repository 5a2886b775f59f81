/*
 * credit_event.c
 *		Writing the events of many occurrences at once.
 *
 * What an occurrence of a severity counts for is a row of the model in force; guards write events
 * with every decision, so models are kept in a cache.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "credit/credit_event.h"

/* What a severity of an indicator counts for in a model; models stand in their order of rank. */
typedef struct Weight
{
	int model;		 /* number of the model */
	char *indicator; /* NULL where the model has no severities */
	char *severity;
	float8 bad;
	TimestampTz since; /* period of the model */
	TimestampTz until;
} Weight;

typedef struct Weights
{
	int count;
	Weight *items;
} Weights;

static void *build_weights(void);

static QgCache cache = {.name = "credit weights",
						.tables = {"credit_model", "credit_severity"},
						.build = build_weights};

/* Gives a column of the current query's row, or 0 with *isnull set. */
static Datum
column(uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

/* Gives a text column of the current query's row, NULL for null. */
static char *
column_text(uint64 row, int number)
{
	bool isnull;
	Datum value = column(row, number, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Builds the cache's content. */
static void *
build_weights(void)
{
	Weights *weights = palloc0(sizeof(Weights));
	uint64 count = qg_cache_select(
		"SELECT dense_rank() OVER (ORDER BY m.builtin, m.version DESC, m.model)::integer, "
		"s.indicator, "
		"s.severity, COALESCE(s.bad, 0), lower(m.effect), upper(m.effect) "
		"FROM quality_gov.credit_model m LEFT JOIN quality_gov.credit_severity s USING (model, "
		"version) "
		"WHERE m.state IN ('active', 'retired') AND NOT isempty(m.effect) ORDER BY 1",
		0, NULL, NULL, NULL);

	weights->items = palloc0(sizeof(Weight) * (count + 1));
	weights->count = (int) count;
	for (int i = 0; i < weights->count; i++)
	{
		Weight *weight = &weights->items[i];
		bool isnull;
		Datum bound;

		weight->model = DatumGetInt32(column(i, 1, &isnull));
		weight->indicator = column_text(i, 2);
		weight->severity = column_text(i, 3);
		weight->bad = DatumGetFloat8(column(i, 4, &isnull));
		bound = column(i, 5, &isnull);
		weight->since = isnull ? DT_NOBEGIN : DatumGetTimestampTz(bound);
		bound = column(i, 6, &isnull);
		weight->until = isnull ? DT_NOEND : DatumGetTimestampTz(bound);
	}
	return weights;
}

/* Gives what a severity counts for in the model in force at an instant, 0 where it has no weight. */
static float8
weight_of(const Weights *weights, const char *indicator, const char *severity, TimestampTz at)
{
	int model = 0;

	for (int i = 0; i < weights->count; i++)
	{
		const Weight *weight = &weights->items[i];

		if (model != 0 && weight->model != model)
			break;
		if (at < weight->since || (at >= weight->until && weight->until != DT_NOEND))
			continue;
		model = weight->model;
		if (weight->indicator != NULL && strcmp(weight->indicator, indicator) == 0 &&
			strcmp(weight->severity, severity) == 0)
			return weight->bad;
	}
	return 0;
}

/* An argument that is an array: its elements. */
typedef struct Elements
{
	Datum *items;
	bool *nulls;
	int count;
} Elements;

/* Takes an argument apart. */
static Elements
get_elements(FunctionCallInfo fcinfo, int argument, Oid type)
{
	Elements elements;

	if (type == TIMESTAMPTZOID)
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, sizeof(TimestampTz),
						  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements.items, &elements.nulls,
						  &elements.count);
	else
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, -1, false, TYPALIGN_INT,
						  &elements.items, &elements.nulls, &elements.count);
	return elements;
}

/*
 * credit_event_add_all(indicator, merchants, severities, instants, sources, refs): the events of
 * many occurrences, as credit_event_add() writes one; one without a severity gives none.
 */
PG_FUNCTION_INFO_V1(qg_credit_event_add_all);
Datum
qg_credit_event_add_all(PG_FUNCTION_ARGS)
{
	const Weights *weights = qg_cache_get(&cache);
	char *indicator = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Elements merchants = get_elements(fcinfo, 1, TEXTOID);
	Elements severities = get_elements(fcinfo, 2, TEXTOID);
	Elements instants = get_elements(fcinfo, 3, TIMESTAMPTZOID);
	Elements sources = get_elements(fcinfo, 4, TEXTOID);
	Elements refs = get_elements(fcinfo, 5, TEXTOID);
	QgEvent event = {.indicator = PG_GETARG_DATUM(0)};
	QgEventWriter writer;

	if (severities.count != merchants.count || instants.count != merchants.count ||
		sources.count != merchants.count || refs.count != merchants.count)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of the events to write are not of one length")));
	qg_events_open(&writer);
	for (int i = 0; i < merchants.count; i++)
	{
		float8 bad = 0;

		CHECK_FOR_INTERRUPTS();
		if (!severities.nulls[i])
			bad = weight_of(weights, indicator, TextDatumGetCString(severities.items[i]),
							DatumGetTimestampTz(instants.items[i]));
		if (bad <= 0)
			continue;
		event.merchant = merchants.items[i];
		event.at = event.recorded_at = DatumGetTimestampTz(instants.items[i]);
		event.bad = bad;
		event.source = sources.items[i];
		event.ref = refs.nulls[i] ? (Datum) 0 : refs.items[i];
		qg_event_write(&writer, &event);
	}
	qg_events_close(&writer);
	PG_RETURN_VOID();
}
