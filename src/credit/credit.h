/*
 * credit.h
 *		The stored form of a credit tally.
 */
#ifndef QG_CREDIT_H
#define QG_CREDIT_H

#include "quality_gov.h"

#include "credit/credit_sum.h"

#define QG_TALLY_VERSION 1
#define QG_HALF_LIFE_MIN INT64CONST(1000000)
/* Over this the grid step would leave the range of a timestamp's microseconds. */
#define QG_HALF_LIFE_MAX (PG_INT64_MAX / QG_CELL_HALF_LIVES / 4)

/* A tally; the form is stored, so a change of it needs another version. */
typedef struct QgTally
{
	int32 vl_len_;	 /* varlena header, not to be touched directly */
	uint8 version;	 /* QG_TALLY_VERSION */
	uint8 unused[3]; /* always zero */
	int64 half_life; /* microseconds, at least one second */
	QgSum sum;
} QgTally;

#define DatumGetTallyP(x) ((QgTally *) PG_DETOAST_DATUM(x))
#define PG_GETARG_TALLY_P(n) DatumGetTallyP(PG_GETARG_DATUM(n))
#define PG_RETURN_TALLY_P(x) PG_RETURN_POINTER(x)

extern QgTally *qg_tally_make(int64 half_life, QgSum sum);
extern void qg_half_life_match(int64 a, int64 b);

#endif
