/*
 * credit_sum.h
 *		Time-decayed sums; credit_tally.c tells the idea.
 */
#ifndef QG_CREDIT_SUM_H
#define QG_CREDIT_SUM_H

#include "quality_gov.h"

#include <math.h>

#include "common/int.h"
#include "datatype/timestamp.h"

#define QG_CELL_HALF_LIVES 256
/* Half-life of what does not fade: 100,000 days, in microseconds. */
#define QG_NO_DECAY (INT64CONST(100000) * USECS_PER_DAY)

/* A decayed pair of sums, as they stand at a landmark. */
typedef struct QgSum
{
	int64 cell;	 /* landmark in units of 256 half-lives since 2000-01-01 */
	double good; /* both are 0 where nothing was added yet, and the cell means nothing */
	double bad;
} QgSum;

pg_noreturn extern void qg_sum_out_of_range(void);
extern void qg_sum_move(QgSum *sum, int64 cell);
extern void qg_sum_meet(QgSum *a, QgSum *b);
extern double qg_sum_factor(int64 cell, int64 half_life, TimestampTz at);

/* Adds sums that stand at a landmark; the sum moves to the later of both. */
static inline void
qg_sum_add(QgSum *sum, QgSum other)
{
	if (unlikely(other.cell != sum->cell))
		qg_sum_meet(sum, &other);
	sum->good += other.good;
	sum->bad += other.bad;
	if (unlikely(!isfinite(sum->good) || !isfinite(sum->bad)))
		qg_sum_out_of_range();
}

/* Adds an event; its weight depends on instant and half-life alone, so a void takes all of it. */
static inline void
qg_sum_event(QgSum *sum, int64 half_life, TimestampTz at, double good, double bad)
{
	int64 step = half_life * QG_CELL_HALF_LIVES;
	int64 cell = sum->cell;
	int64 elapsed;
	int64 whole;
	double weight;
	union
	{
		uint64 bits;
		double value;
	} power;

	if (half_life == QG_NO_DECAY)
	{
		qg_sum_add(sum, (QgSum){0, good, bad});
		return;
	}
	/* Most events fall where the sum stands; a division is then spared. */
	if (pg_mul_s64_overflow(cell, step, &elapsed) || pg_sub_s64_overflow(at, elapsed, &elapsed) ||
		elapsed < 0 || elapsed >= step)
	{
		cell = at / step - (at % step < 0 ? 1 : 0);
		elapsed = at - cell * step;
	}
	/* Whole half-lives are a power of two, without error; only the rest is a rounded factor. */
	whole = (int64) ((double) elapsed / (double) half_life);
	power.bits = (uint64) (whole + 1023) << 52;
	weight = power.value * exp2((double) (elapsed - whole * half_life) / (double) half_life);
	qg_sum_add(sum, (QgSum){cell, good * weight, bad * weight});
}

#endif
