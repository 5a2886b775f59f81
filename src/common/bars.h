/*
 * bars.h
 *		A backend's memory of bars: facts that forbid something over a period.
 */
#ifndef QG_BARS_H
#define QG_BARS_H

#include "quality_gov.h"

#include "common/cache.h"

#define QG_BAR_KEYS 4

/* One fact; a period is closed at its start and open at its end. */
typedef struct QgBar
{
	TimestampTz since;
	TimestampTz until;
	char *verdict; /* "deny" or "quarantine" */
	char *reason;
	char *legal_basis; /* or NULL */
} QgBar;

/*
 * Where bars come from: a query with four text parameters that gives rows (since, until, verdict,
 * reason, legal_basis), and the tables it reads.
 */
typedef struct QgBarSource
{
	const char *sql;
	QgCache cache;

	/* private */
	struct _SPI_plan *plan; /* made at the first reading, kept for the backend's life */
} QgBarSource;

extern void *qg_bars_build(void);
extern int qg_bars_find(QgBarSource *source, const char *const keys[QG_BAR_KEYS],
						const QgBar **bars);

#endif
