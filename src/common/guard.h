/*
 * guard.h
 *		What every trigger of the extension shares: entry checks, running as the owner, column
 *		mappings, and the protection of append-only tables.
 */
#ifndef QG_GUARD_H
#define QG_GUARD_H

#include "quality_gov.h"

#include "commands/trigger.h"

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

/* One column of a platform's table under the name that rules know it by. */
typedef struct QgColumn
{
	char *key;	  /* "title" */
	char *column; /* name in the platform's table */
	int attnum;
	Oid type;
	FmgrInfo output; /* of the type */
} QgColumn;

/* The arguments of a trigger on a platform's table, parsed: kind, mapping, options. */
typedef struct QgMapping
{
	Oid trigger; /* hash key */
	Oid relid;
	bool valid; /* false until filled and after the relation changed */
	MemoryContext context;
	char *relation; /* schema-qualified name */
	int ncolumns;
	QgColumn *columns;
	char **option_keys;
	char **option_values;
	int noptions;
} QgMapping;

extern const QgMapping *qg_mapping_get(TriggerData *trigger);
extern const QgColumn *qg_mapping_column(const QgMapping *mapping, const char *key);
extern const char *qg_mapping_option(const QgMapping *mapping, const char *key);
extern char *qg_column_text(const QgColumn *column, HeapTuple row, TupleDesc desc);
extern char *qg_column_filled(const QgColumn *column, HeapTuple row, TupleDesc desc);
extern TimestampTz qg_mapping_instant(const QgMapping *mapping, const char *key, HeapTuple row,
									  TupleDesc desc, TimestampTz unmapped);
extern bool qg_mapping_changed(const QgMapping *mapping, HeapTuple old, HeapTuple new,
							   TupleDesc desc);
extern void qg_guard_mode_record(const QgMapping *mapping);

#endif
