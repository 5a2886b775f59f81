/*
 * credit_tally.c
 *		An exactly linear, time-decayed pair of sums: how much good and how much bad.
 *
 * The idea.  An amount that counts by half after each half-life h is worth, at time t,
 *
 *		amount * 2^-((t - at) / h)
 *
 * A sum of such terms cannot be kept up to date, since every term shrinks all the time; but written
 * as 2^-((t - L) / h) * sum(amount * 2^((at - L) / h)), for some fixed landmark L, the sum does not
 * mention t.  That sum is the tally (forward decay), and a reader applies the factor in front.
 *
 * Exactness.  Landmarks lie on a grid of 256 half-lives, and an event is weighed against the grid
 * point at or before it, by a factor between 1 and 2^256.  Moving a sum between grid points
 * multiplies it by a power of two, which floating point does without error.  So an event has one
 * weight, whatever the order in which events arrive, are merged or are voided by their negative,
 * and results differ by the rounding of additions only.  The landmark of a tally is the latest grid
 * point of its events; what is over 1,000 half-lives older than that vanishes.  One half-life,
 * 100,000 days, stands for none: what has it does not fade.
 *
 * Example, h = one day, L = 0:  1 bad on day 1 and 1 bad on day 2 give 2^1 + 2^2 = 6;  read on
 * day 2 that is 6 * 2^-2 = 1.5: the one of that day and half the one of the day before.
 */
#include "quality_gov.h"

#include "common/hashfn.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "credit/credit.h"

/* Zero has one form, so that equal tallies are equal bytes. */
static QgSum
one_form(QgSum sum)
{
	sum.good = sum.good == 0 ? 0 : sum.good;
	sum.bad = sum.bad == 0 ? 0 : sum.bad;
	return sum;
}

/* Makes a tally of checked parts; text and binary input and the aggregates all come here. */
QgTally *
qg_tally_make(int64 half_life, QgSum sum)
{
	QgTally *tally = palloc0(sizeof(QgTally));

	SET_VARSIZE(tally, sizeof(QgTally));
	tally->version = QG_TALLY_VERSION;
	tally->half_life = half_life;
	tally->sum = one_form(sum);
	return tally;
}

/* Tells whether parts read from outside make a tally. */
static bool
parts_are_valid(int64 half_life, int64 cell, double good, double bad)
{
	int64 reach = half_life >= QG_HALF_LIFE_MIN ? PG_INT64_MAX / half_life / QG_CELL_HALF_LIVES : 0;

	return half_life >= QG_HALF_LIFE_MIN && half_life <= QG_HALF_LIFE_MAX && cell >= -reach - 1 &&
		   cell <= reach && isfinite(good) && isfinite(bad);
}

/* Raises the error of a sum that a double cannot hold. */
void
qg_sum_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("credit tally is out of range")));
}

/* Moves a sum to a later landmark, without error: a power of two. */
void
qg_sum_move(QgSum *sum, int64 cell)
{
	int64 cells = cell - sum->cell;

	/* Further than this nothing is left of any finite sum. */
	sum->good = cells > 16 ? 0 : ldexp(sum->good, (int) -cells * QG_CELL_HALF_LIVES);
	sum->bad = cells > 16 ? 0 : ldexp(sum->bad, (int) -cells * QG_CELL_HALF_LIVES);
	sum->cell = cell;
}

/* Brings two sums to one landmark, the later of both; what is nothing has none. */
void
qg_sum_meet(QgSum *a, QgSum *b)
{
	if (b->good == 0 && b->bad == 0)
		b->cell = a->cell;
	else if (a->good == 0 && a->bad == 0)
		a->cell = b->cell;
	else if (a->cell < b->cell)
		qg_sum_move(a, b->cell);
	else
		qg_sum_move(b, a->cell);
}

/*
 * Gives the factor that makes a sum at a landmark worth what it is worth at an instant.  It is
 * rounded in the part of a half-life only; so far apart that microseconds overflow, it is 0 or
 * infinite.
 */
double
qg_sum_factor(int64 cell, int64 half_life, TimestampTz at)
{
	int64 landmark;
	int64 elapsed;

	if (half_life == QG_NO_DECAY)
		return 1;
	if (pg_mul_s64_overflow(cell, half_life * QG_CELL_HALF_LIVES, &landmark) ||
		pg_sub_s64_overflow(at, landmark, &elapsed))
		return exp2(((double) cell * QG_CELL_HALF_LIVES * half_life - at) / (double) half_life);
	return exp2(-(double) (elapsed % half_life) / (double) half_life) *
		   exp2((double) -(elapsed / half_life));
}

/*
 * Text form: "(good,bad)@cell/half_life", the cell in 256 half-lives since 2000-01-01 and the
 * half-life in microseconds.
 */
PG_FUNCTION_INFO_V1(qg_credit_tally_in);
Datum
qg_credit_tally_in(PG_FUNCTION_ARGS)
{
	char *input = PG_GETARG_CSTRING(0);
	char *pos = input;
	char *number;
	double good;
	double bad;
	long long cell;
	long long half_life;
	int used = 0;

	/* strtod and sscanf accept more than we print; what they make of it is checked below. */
	if (*pos++ != '(')
		goto malformed;
	good = strtod(number = pos, &pos);
	if (pos == number || *pos++ != ',')
		goto malformed;
	bad = strtod(number = pos, &pos);
	if (pos == number || sscanf(pos, ")@%lld/%lld%n", &cell, &half_life, &used) != 2 || used == 0 ||
		pos[used] != '\0' || !parts_are_valid(half_life, cell, good, bad))
		goto malformed;
	PG_RETURN_TALLY_P(qg_tally_make(half_life, (QgSum){cell, good, bad}));

malformed:
	ereturn(fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type credit_tally: \"%s\"", input),
			 errdetail("Expected \"(good,bad)@cell/half_life\" with finite sums and a half-life of "
					   "at least 1000000 microseconds.")));
}

PG_FUNCTION_INFO_V1(qg_credit_tally_out);
Datum
qg_credit_tally_out(PG_FUNCTION_ARGS)
{
	QgTally *tally = PG_GETARG_TALLY_P(0);
	char good[DOUBLE_SHORTEST_DECIMAL_LEN];
	char bad[DOUBLE_SHORTEST_DECIMAL_LEN];

	/* Not float8out, which a setting can make lossy. */
	double_to_shortest_decimal_buf(tally->sum.good, good);
	double_to_shortest_decimal_buf(tally->sum.bad, bad);
	PG_RETURN_CSTRING(psprintf("(%s,%s)@" INT64_FORMAT "/" INT64_FORMAT, good, bad, tally->sum.cell,
							   tally->half_life));
}

PG_FUNCTION_INFO_V1(qg_credit_tally_recv);
Datum
qg_credit_tally_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int version = pq_getmsgbyte(buf);
	int64 half_life;
	int64 cell;
	double good;
	double bad;

	if (version != QG_TALLY_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("credit_tally of unknown version %d", version)));
	half_life = pq_getmsgint64(buf);
	cell = pq_getmsgint64(buf);
	good = pq_getmsgfloat8(buf);
	bad = pq_getmsgfloat8(buf);
	if (!parts_are_valid(half_life, cell, good, bad))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid binary value of type credit_tally")));
	PG_RETURN_TALLY_P(qg_tally_make(half_life, (QgSum){cell, good, bad}));
}

PG_FUNCTION_INFO_V1(qg_credit_tally_send);
Datum
qg_credit_tally_send(PG_FUNCTION_ARGS)
{
	QgTally *tally = PG_GETARG_TALLY_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, tally->version);
	pq_sendint64(&buf, tally->half_life);
	pq_sendint64(&buf, tally->sum.cell);
	pq_sendfloat8(&buf, tally->sum.good);
	pq_sendfloat8(&buf, tally->sum.bad);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* Merges two tallies; also the transition of credit_tally_merge(). */
PG_FUNCTION_INFO_V1(qg_credit_tally_add);
Datum
qg_credit_tally_add(PG_FUNCTION_ARGS)
{
	QgTally *a = PG_GETARG_TALLY_P(0);
	QgTally *b = PG_GETARG_TALLY_P(1);
	QgTally *sum;

	qg_half_life_match(a->half_life, b->half_life);
	sum = qg_tally_make(a->half_life, a->sum);
	qg_sum_add(&sum->sum, b->sum);
	sum->sum = one_form(sum->sum);
	PG_RETURN_TALLY_P(sum);
}

/* credit_tally_at(tally, at): what the sums are worth at an instant. */
PG_FUNCTION_INFO_V1(qg_credit_tally_at);
Datum
qg_credit_tally_at(PG_FUNCTION_ARGS)
{
	QgTally *tally = PG_GETARG_TALLY_P(0);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	TupleDesc desc;
	Datum values[2];
	bool nulls[2] = {false, false};
	double factor;
	double good;
	double bad;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("a credit tally has a worth at finite instants only")));
	factor = qg_sum_factor(tally->sum.cell, tally->half_life, at);
	/* Nothing is worth nothing, also where the factor is infinite. */
	good = tally->sum.good == 0 ? 0 : tally->sum.good * factor;
	bad = tally->sum.bad == 0 ? 0 : tally->sum.bad * factor;
	if (!isfinite(good) || !isfinite(bad))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("credit tally is out of range so long before its events")));
	values[0] = Float8GetDatum(good);
	values[1] = Float8GetDatum(bad);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* Orders tallies by their parts; an order without meaning, for DISTINCT and merge joins. */
static int
compare_tallies(const QgTally *a, const QgTally *b)
{
	if (a->half_life != b->half_life)
		return a->half_life < b->half_life ? -1 : 1;
	if (a->sum.cell != b->sum.cell)
		return a->sum.cell < b->sum.cell ? -1 : 1;
	if (a->sum.good != b->sum.good)
		return a->sum.good < b->sum.good ? -1 : 1;
	if (a->sum.bad != b->sum.bad)
		return a->sum.bad < b->sum.bad ? -1 : 1;
	return 0;
}

PG_FUNCTION_INFO_V1(qg_credit_tally_cmp);
Datum
qg_credit_tally_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_tallies(PG_GETARG_TALLY_P(0), PG_GETARG_TALLY_P(1)));
}

PG_FUNCTION_INFO_V1(qg_credit_tally_eq);
Datum
qg_credit_tally_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_tallies(PG_GETARG_TALLY_P(0), PG_GETARG_TALLY_P(1)) == 0);
}

PG_FUNCTION_INFO_V1(qg_credit_tally_ne);
Datum
qg_credit_tally_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_tallies(PG_GETARG_TALLY_P(0), PG_GETARG_TALLY_P(1)) != 0);
}

PG_FUNCTION_INFO_V1(qg_credit_tally_lt);
Datum
qg_credit_tally_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_tallies(PG_GETARG_TALLY_P(0), PG_GETARG_TALLY_P(1)) < 0);
}

PG_FUNCTION_INFO_V1(qg_credit_tally_le);
Datum
qg_credit_tally_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_tallies(PG_GETARG_TALLY_P(0), PG_GETARG_TALLY_P(1)) <= 0);
}

PG_FUNCTION_INFO_V1(qg_credit_tally_gt);
Datum
qg_credit_tally_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_tallies(PG_GETARG_TALLY_P(0), PG_GETARG_TALLY_P(1)) > 0);
}

PG_FUNCTION_INFO_V1(qg_credit_tally_ge);
Datum
qg_credit_tally_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_tallies(PG_GETARG_TALLY_P(0), PG_GETARG_TALLY_P(1)) >= 0);
}

/* Hash of the parts behind the header, which have one form for equal tallies. */
PG_FUNCTION_INFO_V1(qg_credit_tally_hash);
Datum
qg_credit_tally_hash(PG_FUNCTION_ARGS)
{
	QgTally *tally = PG_GETARG_TALLY_P(0);

	return hash_any((unsigned char *) tally + offsetof(QgTally, half_life),
					sizeof(QgTally) - offsetof(QgTally, half_life));
}

PG_FUNCTION_INFO_V1(qg_credit_tally_hash_extended);
Datum
qg_credit_tally_hash_extended(PG_FUNCTION_ARGS)
{
	QgTally *tally = PG_GETARG_TALLY_P(0);

	return hash_any_extended((unsigned char *) tally + offsetof(QgTally, half_life),
							 sizeof(QgTally) - offsetof(QgTally, half_life), PG_GETARG_INT64(1));
}
