/*
 * credit_state.h
 *		The sums behind the scores: of one merchant, or of all, as of an instant.
 */
#ifndef QG_CREDIT_STATE_H
#define QG_CREDIT_STATE_H

#include "credit/credit_model.h"

/* What is summed: the events of an indicator, fading by a half-life, over a window of days. */
typedef struct QgSlot
{
	const char *indicator;
	int length;
	int64 half_life;
	int window_days; /* 0 for no end */
} QgSlot;

/* What credit_rollup says: up to which snapshot credit_account holds the events, and of what. */
typedef struct QgRollup
{
	bool present;	  /* false before the first roll-up */
	Datum seen;		  /* pg_snapshot */
	uint64 seen_xmin; /* every transaction before it is in the account */
	TimestampTz at;	  /* when it was rolled up */
	int nslots;
	QgSlot *slots; /* window_days: over how many days apart are kept */
} QgRollup;

/* A credit_event row, as far as sums go. */
typedef struct QgFact
{
	const char *indicator;
	int length;
	TimestampTz at;
	TimestampTz recorded_at;
	double good;
	double bad;
} QgFact;

extern int qg_credit_slots(const QgModel *model, QgSlot **slots);
extern void qg_rollup_read(QgRollup *rollup);
extern int *qg_rollup_match(const QgRollup *rollup, const QgSlot *slots, int nslots);
extern bool qg_rollup_shows(const QgRollup *rollup, uint64 xid);
extern int qg_credit_day(TimestampTz at);
extern bool qg_slot_reaches(const QgSlot *slot, TimestampTz event, TimestampTz at);
extern void qg_slots_event(const QgSlot *slots, int nslots, QgSum *sums, const QgFact *event,
						   TimestampTz at);
extern void qg_opening_require(const char *merchant, const char *indicator, int length,
							   TimestampTz until, const QgSlot *slots, int nslots, TimestampTz at);
extern void qg_account_add(Datum tallies, const int *match, int nslots, QgSum *sums);
extern void qg_credit_sums(const char *merchant, const QgSlot *slots, int nslots, TimestampTz at,
						   bool recompute, QgSum *sums);

#endif
