/*
 * guard.h
 *		What every trigger of the extension shares: entry checks, running as the owner, and the
 *		protection of append-only tables.
 */
#ifndef QG_GUARD_H
#define QG_GUARD_H

#include "quality_gov.h"

#include "commands/trigger.h"

#include "common/mapping.h"

/* What a trigger function may be called as. */
#define QG_TRIGGER_BEFORE 0x01
#define QG_TRIGGER_AFTER 0x02
#define QG_TRIGGER_ROW 0x04
#define QG_TRIGGER_STATEMENT 0x08

extern TriggerData *qg_trigger_require(FunctionCallInfo fcinfo, const char *name, int kind,
									   int nargs);

/* Running as the owner of the extension's schema, with its search path. */
typedef struct QgOwner
{
	Oid user;
	int context;
	int nestlevel;
} QgOwner;

extern void qg_owner_begin(QgOwner *saved);
extern void qg_owner_end(const QgOwner *saved);

extern void qg_guard_mode_record(const QgMapping *mapping);

#endif
