/*
 * credit_weight.h
 *		What an event weighs; credit_tally.c tells the idea.
 */
#ifndef QG_CREDIT_WEIGHT_H
#define QG_CREDIT_WEIGHT_H

#include "quality_gov.h"

#include <math.h>

#include "common/int.h"
#include "datatype/timestamp.h"

#define QG_CELL_HALF_LIVES 256
/* Half-life of what does not fade: 100,000 days, in microseconds. */
#define QG_NO_DECAY (INT64CONST(100000) * USECS_PER_DAY)

/* Gives 2 to the power of a number from 0 to 1023. */
static inline double
qg_power_of_two(int exponent)
{
	uint64 bits = (uint64) (exponent + 1023) << 52;
	double power;

	memcpy(&power, &bits, sizeof(power));
	return power;
}

/*
 * Gives the weight of an event, from its instant and the half-life alone, against the landmark at
 * or before it, which takes the place of a guess.
 */
static inline double
qg_event_weight(int64 half_life, TimestampTz at, int64 *cell)
{
	int64 step = half_life * QG_CELL_HALF_LIVES;
	int64 elapsed;
	int64 whole;

	if (half_life == QG_NO_DECAY)
		return *cell = 0, 1;
	/* Where the guess is right, which it mostly is, a division is spared. */
	if (pg_mul_s64_overflow(*cell, step, &elapsed) || pg_sub_s64_overflow(at, elapsed, &elapsed) ||
		elapsed < 0 || elapsed >= step)
	{
		*cell = at / step - (at % step < 0 ? 1 : 0);
		elapsed = at - *cell * step;
	}
	/* Whole half-lives are a power of two, without error; only the rest is a rounded factor. */
	whole = (int64) ((double) elapsed / (double) half_life);
	return qg_power_of_two((int) whole) *
		   exp2((double) (elapsed - whole * half_life) / (double) half_life);
}

#endif
