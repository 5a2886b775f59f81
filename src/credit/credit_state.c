/*
 * credit_state.c
 *		The sums of one merchant as of an instant: the account, and the tail that it does not hold.
 *
 * Events are only ever appended, so that merchants hit by every client wait for nobody.  From time
 * to time credit_rollup() adds to credit_account what the last roll-up's snapshot did not show, and
 * stores the snapshot that it read with.  A reader takes the account, the stored snapshot and the
 * tail (events of transactions that the stored snapshot does not show) under one snapshot of its
 * own; together they are every event it can see, each once, whatever is open, prepared or rolled
 * up meanwhile.
 *
 * A snapshot that was taken after a later transaction had ended shows its own transaction, which may
 * write more; the one that is stored therefore leaves the roll-up's own out, to the next.
 *
 * The account serves questions about moments at or after the latest recorded_at it holds of the
 * merchant, which is every question about now.  Earlier ones, and those under a half-life that the
 * account does not keep yet, are answered from the events themselves.
 *
 * An indicator with a window is kept by days (Asia/Shanghai), so that days drop out exactly, over the
 * longest window that a model asks for; a longer one has the account built anew.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/cache.h"
#include "credit/credit_state.h"

#define FETCH_ROWS 1000
/* China has had one zone without summer time since 1991. */
#define DAY_OFFSET (8 * USECS_PER_HOUR)

/* Gives the slots of a model, one an indicator, in its order. */
int
qg_credit_slots(const QgModel *model, QgSlot **slots)
{
	*slots = palloc0(sizeof(QgSlot) * (model->nindicators + 1));
	for (int i = 0; i < model->nindicators; i++)
	{
		const QgIndicator *indicator = &model->indicators[i];

		(*slots)[i] = (QgSlot){indicator->name, indicator->length, indicator->half_life,
							   indicator->window_days};
	}
	return model->nindicators;
}

/* Gives the day of an instant, in days since 2000-01-01. */
int
qg_credit_day(TimestampTz at)
{
	int64 local = at + DAY_OFFSET;

	return (int) (local / USECS_PER_DAY) - (local % USECS_PER_DAY < 0 ? 1 : 0);
}

/* credit_day(at): the day of an instant, by the same rule that scores are told by. */
PG_FUNCTION_INFO_V1(qg_credit_day_sql);
Datum
qg_credit_day_sql(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("an instant without end is of no day")));
	PG_RETURN_DATEADT(qg_credit_day(at));
}

/* Reads the columns of a rollup row that stand from a column on; inside SPI. */
static void
take_rollup(QgRollup *rollup, int column)
{
	bool isnull;
	Datum slots[3];
	Datum *items[3];
	int counts[3];

	memset(rollup, 0, sizeof(QgRollup));
	rollup->seen = qg_result_value(0, column, &isnull);
	if (isnull)
		return;
	rollup->present = true;
	rollup->seen = PointerGetDatum(PG_DETOAST_DATUM_COPY(rollup->seen));
	rollup->seen_xmin = DatumGetUInt64(DirectFunctionCall1(pg_snapshot_xmin, rollup->seen));
	rollup->at = qg_result_instant(0, column + 1, DT_NOBEGIN);
	for (int i = 0; i < 3; i++)
		slots[i] = qg_result_value(0, column + 2 + i, &isnull);
	deconstruct_array(DatumGetArrayTypeP(slots[0]), TEXTOID, -1, false, TYPALIGN_INT, &items[0],
					  NULL, &counts[0]);
	deconstruct_array(DatumGetArrayTypeP(slots[1]), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &items[1], NULL, &counts[1]);
	deconstruct_array(DatumGetArrayTypeP(slots[2]), INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &items[2], NULL, &counts[2]);
	rollup->nslots = Min(counts[0], Min(counts[1], counts[2]));
	rollup->slots = palloc(sizeof(QgSlot) * (rollup->nslots + 1));
	for (int i = 0; i < rollup->nslots; i++)
	{
		char *name = TextDatumGetCString(items[0][i]);

		rollup->slots[i] = (QgSlot){name, (int) strlen(name), DatumGetInt64(items[1][i]),
									DatumGetInt32(items[2][i])};
	}
}

/* Reads what the last roll-up left; inside SPI, with the active snapshot. */
void
qg_rollup_read(QgRollup *rollup)
{
	MemoryContext caller = CurrentMemoryContext;

	if (qg_cache_select("SELECT seen, at, indicators, half_lives, windows "
						"FROM quality_gov.credit_rollup",
						0, NULL, NULL, NULL) != 1)
		elog(ERROR, "credit_rollup must have one row");
	MemoryContextSwitchTo(caller);
	take_rollup(rollup, 1);
}

/*
 * Gives for each slot the account's slot that serves it, NULL where one is missing or there is no
 * account yet.
 */
int *
qg_rollup_match(const QgRollup *rollup, const QgSlot *slots, int nslots)
{
	int *match = palloc(sizeof(int) * (nslots + 1));

	if (!rollup->present)
		return NULL;
	for (int i = 0; i < nslots; i++)
	{
		match[i] = -1;
		for (int j = 0; j < rollup->nslots && match[i] < 0; j++)
			if (rollup->slots[j].half_life == slots[i].half_life &&
				(rollup->slots[j].window_days != 0) == (slots[i].window_days != 0) &&
				rollup->slots[j].window_days >= slots[i].window_days &&
				rollup->slots[j].length == slots[i].length &&
				memcmp(rollup->slots[j].indicator, slots[i].indicator, slots[i].length) == 0)
				match[i] = j;
		if (match[i] < 0)
			return NULL;
	}
	return match;
}

/* Tells whether the account holds what a transaction wrote. */
bool
qg_rollup_shows(const QgRollup *rollup, uint64 xid)
{
	return xid < rollup->seen_xmin ||
		   DatumGetBool(
			   DirectFunctionCall2(pg_visible_in_snapshot, UInt64GetDatum(xid), rollup->seen));
}

/* Tells whether the window of a slot, as of an instant, reaches back to an event. */
bool
qg_slot_reaches(const QgSlot *slot, TimestampTz event, TimestampTz at)
{
	return qg_credit_day(event) > qg_credit_day(at) - slot->window_days;
}

/* Adds an event that was known at an instant to the sums of the slots that count it then. */
void
qg_slots_event(const QgSlot *slots, int nslots, QgSum *sums, const QgFact *event, TimestampTz at)
{
	for (int i = 0; i < nslots; i++)
	{
		const QgSlot *slot = &slots[i];

		if (slot->length != event->length ||
			memcmp(slot->indicator, event->indicator, slot->length) != 0 ||
			(slot->window_days > 0 && !qg_slot_reaches(slot, event->at, at)))
			continue;
		qg_sum_event(&sums[i], slot->half_life, event->at, event->good, event->bad);
	}
}

/* Adds the tallies of an account to sums; match says which slot of the account serves which. */
void
qg_account_add(Datum tallies, const int *match, int nslots, QgSum *sums)
{
	ArrayType *array = DatumGetArrayTypeP(tallies);
	int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	bits8 *bitmap = ARR_NULLBITMAP(array);
	char *pos = ARR_DATA_PTR(array);

	for (int j = 0; j < count; j++)
	{
		QgTally *tally;

		if (bitmap != NULL && (bitmap[j / 8] & (1 << (j % 8))) == 0)
			continue;
		pos = (char *) att_align_nominal(pos, TYPALIGN_DOUBLE);
		tally = (QgTally *) pos;
		pos += VARSIZE(tally);
		for (int i = 0; i < nslots; i++)
			if (match[i] == j)
				qg_sum_add(&sums[i], tally->sum);
	}
	/* A large account is stored compressed, and all of them may be read in one call. */
	if ((Pointer) array != DatumGetPointer(tallies))
		pfree(array);
}

/* Gives an event from the current query's columns: indicator, at, recorded_at, good, bad. */
static QgFact
take_event(HeapTuple tuple, TupleDesc desc)
{
	bool isnull;
	text *indicator = DatumGetTextPP(SPI_getbinval(tuple, desc, 1, &isnull));
	QgFact event;

	event.indicator = VARDATA_ANY(indicator);
	event.length = VARSIZE_ANY_EXHDR(indicator);
	event.at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 2, &isnull));
	event.recorded_at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 3, &isnull));
	event.good = DatumGetFloat8(SPI_getbinval(tuple, desc, 4, &isnull));
	event.bad = DatumGetFloat8(SPI_getbinval(tuple, desc, 5, &isnull));
	return event;
}

/* Queries of one merchant, $1; their plans are kept for the session. */
typedef struct MerchantQuery
{
	const char *sql;
	Oid type; /* of $2 */
	SPIPlanPtr plan;
} MerchantQuery;

static MerchantQuery account_query = {
	"SELECT r.seen, r.at, r.indicators, r.half_lives, r.windows, a.tallies, a.last_recorded "
	"FROM quality_gov.credit_rollup r LEFT JOIN quality_gov.credit_account a ON a.merchant_id = $1",
	InvalidOid, NULL};
static MerchantQuery tail_query = {
	"SELECT indicator, at, recorded_at, good, bad, xid FROM quality_gov.credit_event "
	/* A row, so that the index of all merchants' tails, which is no good here, cannot serve. */
	"WHERE merchant_id = $1 AND (merchant_id, xid) >= ($1, $2)",
	XID8OID, NULL};
static MerchantQuery known_query = {
	"SELECT indicator, at, recorded_at, good, bad FROM quality_gov.credit_event "
	"WHERE merchant_id = $1 AND recorded_at <= $2",
	TIMESTAMPTZOID, NULL};
static MerchantQuery day_query = {
	"SELECT slot, day - date '2000-01-01', tally FROM quality_gov.credit_account_day "
	"WHERE merchant_id = $1",
	InvalidOid, NULL};
static MerchantQuery opening_query = {
	"SELECT indicator, (extract(epoch FROM half_life) * 1000000)::bigint, tally, until "
	"FROM quality_gov.credit_opening WHERE merchant_id = $1",
	InvalidOid, NULL};

/* Opens a query of one merchant as a cursor; rows are read with the active snapshot. */
static Portal
open_query(MerchantQuery *query, const char *merchant, Datum argument)
{
	Datum values[2] = {CStringGetTextDatum(merchant), argument};
	Oid types[2] = {TEXTOID, query->type};

	if (query->plan == NULL)
	{
		SPIPlanPtr plan = SPI_prepare(query->sql, OidIsValid(query->type) ? 2 : 1, types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare: %s", query->sql);
		query->plan = plan;
	}
	return SPI_cursor_open(NULL, query->plan, values, NULL, true);
}

/* Fetches some rows of a query; false, with the query closed, where there are no more. */
static bool
fetch_rows(Portal portal)
{
	CHECK_FOR_INTERRUPTS();
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_fetch(portal, true, FETCH_ROWS);
	if (SPI_processed > 0)
		return true;
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
	return false;
}

/* Adds the days of a merchant's account that windows still reach. */
static void
add_days(const char *merchant, const int *match, const QgSlot *slots, int nslots, TimestampTz at,
		 QgSum *sums)
{
	Portal portal = open_query(&day_query, merchant, 0);

	while (fetch_rows(portal))
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			bool isnull;
			int slot = DatumGetInt32(qg_result_value(row, 1, &isnull)) - 1;
			int day = DatumGetInt32(qg_result_value(row, 2, &isnull));
			QgTally *tally = DatumGetTallyP(qg_result_value(row, 3, &isnull));

			for (int i = 0; i < nslots; i++)
				if (match[i] == slot && day > qg_credit_day(at) - slots[i].window_days)
					qg_sum_add(&sums[i], tally->sum);
		}
}

/*
 * Refuses an instant as of which events of an indicator that were retired would count one by one: it
 * is before the last of them, or a window reaches back to them.
 */
void
qg_opening_require(const char *merchant, const char *indicator, int length, TimestampTz until,
				   const QgSlot *slots, int nslots, TimestampTz at)
{
	bool told = at >= until;

	for (int i = 0; i < nslots; i++)
		if (slots[i].window_days > 0 && slots[i].length == length &&
			memcmp(slots[i].indicator, indicator, length) == 0 &&
			qg_credit_day(until - 1) > qg_credit_day(at) - slots[i].window_days)
			told = false;
	if (!told)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("credit of merchant \"%s\" cannot be told as of %s", merchant,
						timestamptz_to_str(at)),
				 errdetail("Events recorded before %s were retired.", timestamptz_to_str(until))));
}

/* Adds what is kept of a merchant's events that were retired; an error where that does not do. */
static void
add_opening(const char *merchant, const QgSlot *slots, int nslots, TimestampTz at, QgSum *sums)
{
	Portal portal = open_query(&opening_query, merchant, 0);

	while (fetch_rows(portal))
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			bool isnull;
			text *indicator = DatumGetTextPP(qg_result_value(row, 1, &isnull));
			int64 half_life = DatumGetInt64(qg_result_value(row, 2, &isnull));
			QgTally *tally = DatumGetTallyP(qg_result_value(row, 3, &isnull));
			TimestampTz until = qg_result_instant(row, 4, DT_NOBEGIN);

			qg_opening_require(merchant, VARDATA_ANY(indicator), VARSIZE_ANY_EXHDR(indicator),
							   until, slots, nslots, at);
			for (int i = 0; i < nslots; i++)
				if (slots[i].half_life == half_life && slots[i].window_days == 0 &&
					slots[i].length == (int) VARSIZE_ANY_EXHDR(indicator) &&
					memcmp(slots[i].indicator, VARDATA_ANY(indicator), slots[i].length) == 0)
					qg_sum_add(&sums[i], tally->sum);
		}
}

/* Adds the events that a query finds and that were known at an instant. */
static void
add_events(MerchantQuery *query, const char *merchant, Datum argument, const QgRollup *rollup,
		   const QgSlot *slots, int nslots, TimestampTz at, QgSum *sums)
{
	Portal portal = open_query(query, merchant, argument);

	while (fetch_rows(portal))
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			HeapTuple tuple = SPI_tuptable->vals[row];
			QgFact event = take_event(tuple, SPI_tuptable->tupdesc);
			bool isnull;

			if (event.recorded_at > at ||
				(rollup != NULL &&
				 qg_rollup_shows(rollup, DatumGetUInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc,
																	  6, &isnull)))))
				continue;
			qg_slots_event(slots, nslots, sums, &event, at);
		}
}

/* Adds the account and the tail of a merchant; false where they cannot tell the instant. */
static bool
add_account(const char *merchant, const QgSlot *slots, int nslots, TimestampTz at, QgSum *sums)
{
	MemoryContext caller = CurrentMemoryContext;
	Portal portal = open_query(&account_query, merchant, 0);
	QgRollup rollup;
	bool windowed = false;
	bool isnull;
	int *match;
	Datum tallies;

	MemoryContextSwitchTo(caller);
	if (!fetch_rows(portal))
		elog(ERROR, "credit_rollup must have one row");
	take_rollup(&rollup, 1);
	match = qg_rollup_match(&rollup, slots, nslots);
	for (int i = 0; i < nslots; i++)
		windowed |= slots[i].window_days > 0;
	if (match == NULL || qg_result_instant(0, 7, DT_NOBEGIN) > at || (windowed && at < rollup.at))
	{
		SPI_cursor_close(portal);
		return false;
	}
	tallies = qg_result_value(0, 6, &isnull);
	if (!isnull)
		qg_account_add(tallies, match, nslots, sums);
	SPI_cursor_close(portal);
	if (windowed)
		add_days(merchant, match, slots, nslots, at, sums);
	add_events(&tail_query, merchant, UInt64GetDatum(rollup.seen_xmin), &rollup, slots, nslots, at,
			   sums);
	return true;
}

/*
 * Adds to sums, zeroed by the caller, what a merchant's events come to as of an instant: those that
 * had happened and were recorded by then.  Inside SPI, as owner, with the active snapshot.
 */
void
qg_credit_sums(const char *merchant, const QgSlot *slots, int nslots, TimestampTz at,
			   bool recompute, QgSum *sums)
{
	if (!recompute && add_account(merchant, slots, nslots, at, sums))
		return;
	add_opening(merchant, slots, nslots, at, sums);
	add_events(&known_query, merchant, TimestampTzGetDatum(at), NULL, slots, nslots, at, sums);
}
