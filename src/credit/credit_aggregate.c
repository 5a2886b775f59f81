/*
 * credit_aggregate.c
 *		The aggregate that makes a tally of events.
 *
 * Grouped over many merchants it is bound by memory.  So a state is 32 bytes, which the executor's
 * own words about the group leave room for beside them, and an event is weighed before the state
 * is looked at: the landmark is guessed from the row before.
 */
#include "quality_gov.h"

#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "credit/credit.h"

/* The state of a group. */
typedef struct State
{
	QgSum sum;
	int64 half_life;
} State;

/* What a call site keeps of the row before. */
typedef struct Site
{
	Interval interval; /* that half_life was read from */
	int64 half_life;   /* 0 before the first row */
	int64 cell;		   /* where its event fell */
} Site;

/* Gives a half-life in microseconds, or raises an error that says what is wrong with it. */
static int64
half_life_of(const Interval *interval)
{
	int64 half_life;

	if (interval->month != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("half-life must not count in months or years"),
						errhint("Months differ in length; state days or hours.")));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &half_life) ||
		pg_add_s64_overflow(half_life, interval->time, &half_life) || half_life > QG_HALF_LIFE_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("half-life is too long")));
	if (half_life < QG_HALF_LIFE_MIN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("half-life must be at least one second")));
	return half_life;
}

/* Raises an error unless two half-lives are the same. */
void
qg_half_life_match(int64 a, int64 b)
{
	if (a != b)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("credit tallies of different half-lives cannot be added"),
				 errdetail("One has %.6f seconds, the other %.6f.", a / 1000000.0, b / 1000000.0)));
}

/* Raises an error for a value that no event can have. */
static void
require_event(double good, double bad, TimestampTz at)
{
	if (!isfinite(good) || !isfinite(bad))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("good and bad of a credit event must be finite")));
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("a credit event must have happened at a finite instant")));
}

/* Gives the memory context of the aggregate that calls, or raises an error. */
static MemoryContext
require_aggregate(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "function of an aggregate called outside one");
	return context;
}

/* Gives the state of a new group. */
static State *
new_state(MemoryContext context, int64 half_life)
{
	State *state = MemoryContextAlloc(context, sizeof(State));

	*state = (State){.half_life = half_life};
	return state;
}

/* Gives what the call site keeps, with the half-life of this row. */
static Site *
site_of(FunctionCallInfo fcinfo, const Interval *interval)
{
	Site *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
																 sizeof(Site));
	if (site->half_life == 0 || interval->time != site->interval.time ||
		interval->day != site->interval.day || interval->month != site->interval.month)
	{
		site->half_life = half_life_of(interval);
		site->interval = *interval;
	}
	return site;
}

/* Transition: adds one event to the state, in place; a row with a null is passed over. */
PG_FUNCTION_INFO_V1(qg_credit_tally_accum);
Datum
qg_credit_tally_accum(PG_FUNCTION_ARGS)
{
	State *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);
	Site *site;
	double weight;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	site = site_of(fcinfo, PG_GETARG_INTERVAL_P(4));
	require_event(PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_TIMESTAMPTZ(3));
	weight = qg_event_weight(site->half_life, PG_GETARG_TIMESTAMPTZ(3), &site->cell);
	if (state == NULL)
		state = new_state(require_aggregate(fcinfo), site->half_life);
	if (unlikely(state->half_life != site->half_life))
		qg_half_life_match(state->half_life, site->half_life);
	qg_sum_add(&state->sum,
			   (QgSum){site->cell, PG_GETARG_FLOAT8(1) * weight, PG_GETARG_FLOAT8(2) * weight});
	PG_RETURN_POINTER(state);
}

/* Combines the states of two workers. */
PG_FUNCTION_INFO_V1(qg_credit_tally_combine);
Datum
qg_credit_tally_combine(PG_FUNCTION_ARGS)
{
	State *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);
	State *other = PG_ARGISNULL(1) ? NULL : (State *) PG_GETARG_POINTER(1);
	MemoryContext context = require_aggregate(fcinfo);

	if (other != NULL && state == NULL)
		state = new_state(context, other->half_life);
	if (other != NULL)
	{
		qg_half_life_match(state->half_life, other->half_life);
		qg_sum_add(&state->sum, other->sum);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* Packs a state to send it to another process of this server. */
PG_FUNCTION_INFO_V1(qg_credit_tally_serial);
Datum
qg_credit_tally_serial(PG_FUNCTION_ARGS)
{
	bytea *packed = palloc(VARHDRSZ + sizeof(State));

	(void) require_aggregate(fcinfo);
	SET_VARSIZE(packed, VARHDRSZ + sizeof(State));
	memcpy(VARDATA(packed), PG_GETARG_POINTER(0), sizeof(State));
	PG_RETURN_BYTEA_P(packed);
}

/* Unpacks a state. */
PG_FUNCTION_INFO_V1(qg_credit_tally_deserial);
Datum
qg_credit_tally_deserial(PG_FUNCTION_ARGS)
{
	bytea *packed = PG_GETARG_BYTEA_PP(0);
	State *state = palloc(sizeof(State));

	(void) require_aggregate(fcinfo);
	if (VARSIZE_ANY_EXHDR(packed) != sizeof(State))
		elog(ERROR, "state of credit_tally has %zu bytes", VARSIZE_ANY_EXHDR(packed));
	memcpy(state, VARDATA_ANY(packed), sizeof(State));
	PG_RETURN_POINTER(state);
}

/* Makes the tally of a state, null where there was no event. */
PG_FUNCTION_INFO_V1(qg_credit_tally_final);
Datum
qg_credit_tally_final(PG_FUNCTION_ARGS)
{
	State *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);

	(void) require_aggregate(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TALLY_P(qg_tally_make(state->half_life, state->sum));
}
