/*
 * credit_event.h
 *		Events to be written, and the changes of a platform's table that wait to become events.
 */
#ifndef QG_CREDIT_EVENT_H
#define QG_CREDIT_EVENT_H

#include "quality_gov.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "datatype/timestamp.h"

#include "common/rows.h"

/* Columns of credit_event. */
#define Anum_event_merchant 1
#define Anum_event_id 2
#define Anum_event_indicator 3
#define Anum_event_at 4
#define Anum_event_recorded_at 5
#define Anum_event_good 6
#define Anum_event_bad 7
#define Anum_event_xid 8
#define Anum_event_void 9
#define Anum_event_source 10
#define Anum_event_ref 11
#define Anum_event_voids 12
#define Natts_event 12

#define QG_EVENT_AMOUNT_MAX 1e15

/* An event to be written; ref is 0 where there is none, voids where it takes none back. */
typedef struct QgEvent
{
	int64 id; /* 0 where it has none yet */
	Datum merchant;
	Datum indicator;
	Datum source;
	Datum ref;
	TimestampTz at;
	TimestampTz recorded_at;
	float8 good;
	float8 bad;
	int64 voids;
} QgEvent;

/* Where an event comes from, for what is said of it: columns of a table, or arguments. */
typedef struct QgEventOrigin
{
	const char *relation; /* NULL for arguments */
	const char *merchant;
	const char *at;
	const char *recorded_at;
	const char *good;
	const char *bad;
	int element; /* of arguments that are arrays, from 1; else 0 */
} QgEventOrigin;

/* Writing events, many at a time. */
typedef struct QgEventWriter
{
	QgRows rows;
	Oid sequence;
	Datum xid;
	struct QgAdmitted *merchants; /* NULL until the first was asked for */
} QgEventWriter;

extern void qg_events_open(QgEventWriter *writer);
extern int64 qg_event_next_id(const QgEventWriter *writer);
extern int64 qg_event_write(QgEventWriter *writer, const QgEvent *event);
extern void qg_events_write(QgEventWriter *writer, const QgEvent *events, int count);
extern void qg_event_check(QgEventWriter *writer, const QgEvent *event,
						   const QgEventOrigin *origin);
extern void qg_events_close(QgEventWriter *writer);

extern void qg_amount_check(float8 amount, const char *name, const QgEventOrigin *origin);
extern void qg_instants_set(QgEvent *event, bool recorded, const QgEventOrigin *origin);

#endif
