/*
 * credit_change.h
 *		Changes of a platform's rows that wait to become events.
 */
#ifndef QG_CREDIT_CHANGE_H
#define QG_CREDIT_CHANGE_H

#include "quality_gov.h"

#include "credit/credit_event.h"

/* What is said of all rows of an attached table; good to the end of the transaction. */
typedef struct QgAttachment
{
	QgEventOrigin origin;
	Datum indicator;
	Datum source;
} QgAttachment;

/* What a row counted before, as the log holds it. */
typedef struct QgCounted
{
	Datum merchant; /* 0 where it counted nothing */
	Datum ref;		/* 0 where it has none: then nothing is found of it */
	TimestampTz at; /* DT_NOBEGIN where no column says so */
	float8 good;
	float8 bad;
} QgCounted;

/* A change of a row: what it counted, what it counts. */
typedef struct QgChange
{
	SubTransactionId subxact;
	const QgAttachment *attachment;
	bool moves; /* the row may come back in another partition */
	bool enters;
	bool done;	/* it was written before its turn */
	bool dated; /* a column says when the event happened */
	QgCounted old;
	QgEvent new;
} QgChange;

extern MemoryContext qg_changes_context(void);
extern bool qg_row_moves(const char *relation);
extern void qg_change_add(QgChange *change);
extern void qg_changes_begin(TriggerData *trigger);
extern void qg_changes_end(TriggerData *trigger);

extern void qg_changes_write(QgChange *changes, int count);

#endif
