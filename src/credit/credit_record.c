/*
 * credit_record.c
 *		credit_event_record() and credit_event_record_all(): how an application writes events.
 *
 * C, because an application writes one with every order: what stands between the call and the row
 * is looked up in caches and indexes, not by queries.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "credit/credit_event.h"

/* Sources of events that the extension's own functions find again; tables have a dot in theirs. */
static const char *const reserved_sources[] = {"regulatory", "recall"};

typedef struct Indicators
{
	int count;
	text **names;
} Indicators;

static void *build_indicators(void);

static QgCache cache = {
	.name = "credit indicators", .tables = {"credit_indicator"}, .build = build_indicators};

/* Builds the cache's content. */
static void *
build_indicators(void)
{
	Indicators *indicators = palloc0(sizeof(Indicators));
	uint64 count = qg_cache_select("SELECT DISTINCT indicator FROM quality_gov.credit_indicator "
								   "ORDER BY 1",
								   0, NULL, NULL, NULL);

	indicators->names = palloc0(sizeof(text *) * (count + 1));
	indicators->count = (int) count;
	for (int i = 0; i < indicators->count; i++)
		indicators->names[i] = cstring_to_text(qg_result_text(i, 1));
	return indicators;
}

/* Says which indicators there are. */
static const char *
indicators_text(const Indicators *indicators)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < indicators->count; i++)
		appendStringInfo(&names, "%s%s", i ? ", " : "", text_to_cstring(indicators->names[i]));
	return names.data;
}

/* Refuses an indicator that no model has. */
static void
check_indicator(Datum indicator, const QgEventOrigin *origin)
{
	const Indicators *indicators = qg_cache_get(&cache);
	const text *name = DatumGetTextPP(indicator);

	for (int i = 0; i < indicators->count; i++)
		if (VARSIZE_ANY_EXHDR(name) == VARSIZE_ANY_EXHDR(indicators->names[i]) &&
			memcmp(VARDATA_ANY(name), VARDATA_ANY(indicators->names[i]), VARSIZE_ANY_EXHDR(name)) ==
				0)
			return;
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("no credit model has an indicator \"%s\"", text_to_cstring(name)),
					origin->element > 0
						? errdetail("It is element %d of argument \"indicator\".", origin->element)
						: 0,
					errhint("Indicators are %s.", indicators_text(indicators))));
}

/* Tells whether a source is the extension's own. */
static bool
is_reserved(const char *source)
{
	for (int i = 0; i < (int) lengthof(reserved_sources); i++)
		if (strcmp(source, reserved_sources[i]) == 0)
			return true;
	return strchr(source, '.') != NULL;
}

/* credit_source_reserved(source) */
PG_FUNCTION_INFO_V1(qg_credit_source_reserved);
Datum
qg_credit_source_reserved(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_reserved(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/* Refuses a source that is empty or the extension's own. */
static void
check_source(Datum source)
{
	char *name = TextDatumGetCString(source);

	if (name[strspn(name, " \t\r\n")] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("source must say who knows of the event, found \"%s\"", name)));
	if (is_reserved(name))
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("source \"%s\" is kept for events that quality_gov writes itself", name),
				 errhint("Give a name of your own without a dot, such as \"reviews\".")));
}

/* Refuses an event that says nothing. */
static void
check_amounts(const QgEvent *event, const QgEventOrigin *origin)
{
	qg_amount_check(event->good, origin->good, origin);
	qg_amount_check(event->bad, origin->bad, origin);
	if (event->good == 0 && event->bad == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("event counts neither good nor bad"),
						origin->element > 0 ? errdetail("It is event %d.", origin->element) : 0,
						errhint("Give \"good\" or \"bad\" an amount above 0.")));
}

/* Refuses an event of an application that is not as it must be. */
static void
check_event(QgEventWriter *writer, QgEvent *event, const QgEventOrigin *origin)
{
	check_indicator(event->indicator, origin);
	check_amounts(event, origin);
	if (TIMESTAMP_NOT_FINITE(event->at))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("\"at\" must be a finite instant"),
						origin->element > 0 ? errdetail("It is event %d.", origin->element) : 0));
	event->recorded_at = GetCurrentStatementStartTimestamp();
	qg_instants_set(event, false, origin);
	qg_event_check(writer, event, origin);
}

/* credit_event_record(merchant_id, indicator, source, good, bad, at, ref): writes one event. */
PG_FUNCTION_INFO_V1(qg_credit_event_record);
Datum
qg_credit_event_record(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"merchant_id", "indicator", "source", "good", "bad", "at"};
	QgEventOrigin origin = {.merchant = "merchant_id", .at = "at", .good = "good", .bad = "bad"};
	QgEvent event = {0};
	QgEventWriter writer;
	int64 id;

	PreventCommandIfReadOnly("credit_event_record()");
	for (int i = 0; i < (int) lengthof(names); i++)
		qg_argument_require(fcinfo, i, names[i]);
	event.merchant = PointerGetDatum(PG_GETARG_TEXT_PP(0));
	event.indicator = PointerGetDatum(PG_GETARG_TEXT_PP(1));
	event.source = PointerGetDatum(PG_GETARG_TEXT_PP(2));
	event.good = PG_GETARG_FLOAT8(3);
	event.bad = PG_GETARG_FLOAT8(4);
	event.at = PG_GETARG_TIMESTAMPTZ(5);
	event.ref = PG_ARGISNULL(6) ? (Datum) 0 : PointerGetDatum(PG_GETARG_TEXT_PP(6));
	check_source(event.source);
	qg_events_open(&writer);
	check_event(&writer, &event, &origin);
	id = qg_event_write(&writer, &event);
	qg_events_close(&writer);
	PG_RETURN_INT64(id);
}

/* The arguments of credit_event_record_all() that are arrays. */
#define ARG_MERCHANTS 0
#define ARG_INDICATORS 1
#define ARG_SOURCE 2
#define ARG_GOODS 3
#define ARG_BADS 4
#define ARG_INSTANTS 5
#define ARG_REFS 6

typedef struct Elements
{
	Datum *items;
	bool *nulls;
	int count; /* -1 where there is no array */
} Elements;

/* Takes an array argument apart; null stands for an array of nulls. */
static Elements
get_elements(FunctionCallInfo fcinfo, int argument, const char *name, Oid type)
{
	Elements elements = {.count = -1};
	ArrayType *array;

	if (PG_ARGISNULL(argument))
		return elements;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension, found %d", name, ARR_NDIM(array))));
	if (type == TEXTOID)
		deconstruct_array(array, type, -1, false, TYPALIGN_INT, &elements.items, &elements.nulls,
						  &elements.count);
	else
		deconstruct_array(array, type, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements.items,
						  &elements.nulls, &elements.count);
	return elements;
}

/* Gives an element, another value where it is null. */
static Datum
element(const Elements *elements, int i, Datum null)
{
	return elements->count < 0 || elements->nulls[i] ? null : elements->items[i];
}

/* Gives a text that must not be null. */
static Datum
text_required(const Elements *elements, int i, const char *name)
{
	if (elements->nulls[i])
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("element %d of %s must not be null", i + 1, name)));
	return PointerGetDatum(PG_DETOAST_DATUM_PACKED(elements->items[i]));
}

/*
 * credit_event_record_all(merchant_id, indicator, source, good, bad, at, ref): writes many events,
 * all or none; gives their ids in the same order.
 */
PG_FUNCTION_INFO_V1(qg_credit_event_record_all);
Datum
qg_credit_event_record_all(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"merchant_id", "indicator", "source", "good",
										"bad",		   "at",		"ref"};
	static const Oid types[] = {TEXTOID,   TEXTOID,		   TEXTOID, FLOAT8OID,
								FLOAT8OID, TIMESTAMPTZOID, TEXTOID};
	QgEventOrigin origin = {.merchant = "merchant_id", .at = "at", .good = "good", .bad = "bad"};
	Elements elements[lengthof(names)];
	QgEventWriter writer;
	QgEvent *events;
	Datum source;
	Datum *ids;
	int count;

	PreventCommandIfReadOnly("credit_event_record_all()");
	for (int i = 0; i <= ARG_SOURCE; i++)
		qg_argument_require(fcinfo, i, names[i]);
	for (int i = 0; i < (int) lengthof(names); i++)
		if (i != ARG_SOURCE)
			elements[i] = get_elements(fcinfo, i, names[i], types[i]);
	count = elements[ARG_MERCHANTS].count;
	for (int i = 0; i < (int) lengthof(names); i++)
		if (i != ARG_SOURCE && elements[i].count >= 0 && elements[i].count != count)
			ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
							errmsg("merchant_id has %d elements, %s has %d", count, names[i],
								   elements[i].count),
							errhint("Give one element for each event.")));
	source = PointerGetDatum(PG_GETARG_TEXT_PP(ARG_SOURCE));
	check_source(source);
	ids = palloc(sizeof(Datum) * (count + 1));
	events = palloc_extended(sizeof(QgEvent) * (count + 1), MCXT_ALLOC_HUGE);
	qg_events_open(&writer);
	for (int i = 0; i < count; i++)
	{
		QgEvent *event = &events[i];

		CHECK_FOR_INTERRUPTS();
		origin.element = i + 1;
		*event = (QgEvent){.source = source};
		event->merchant = text_required(&elements[ARG_MERCHANTS], i, "merchant_id");
		event->indicator = text_required(&elements[ARG_INDICATORS], i, "indicator");
		event->good = DatumGetFloat8(element(&elements[ARG_GOODS], i, Float8GetDatum(0)));
		event->bad = DatumGetFloat8(element(&elements[ARG_BADS], i, Float8GetDatum(0)));
		event->at = DatumGetTimestampTz(element(
			&elements[ARG_INSTANTS], i, TimestampTzGetDatum(GetCurrentStatementStartTimestamp())));
		event->ref = element(&elements[ARG_REFS], i, (Datum) 0);
		check_event(&writer, event, &origin);
		event->id = qg_event_next_id(&writer);
		ids[i] = Int64GetDatum(event->id);
	}
	qg_events_write(&writer, events, count);
	qg_events_close(&writer);
	PG_RETURN_ARRAYTYPE_P(
		construct_array(ids, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
