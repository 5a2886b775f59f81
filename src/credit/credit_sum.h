/*
 * credit_sum.h
 *		Time-decayed sums; credit_tally.c tells the idea.
 */
#ifndef QG_CREDIT_SUM_H
#define QG_CREDIT_SUM_H

#include "quality_gov.h"

#include "credit/credit_weight.h"

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

/* Adds an event; a void takes out exactly what was added. */
static inline void
qg_sum_event(QgSum *sum, int64 half_life, TimestampTz at, double good, double bad)
{
	int64 cell = sum->cell;
	double weight = qg_event_weight(half_life, at, &cell);

	qg_sum_add(sum, (QgSum){cell, good * weight, bad * weight});
}

#endif
