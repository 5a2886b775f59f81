/*
 * mapping.h
 *		How a trigger on a platform's table reads that table's rows: names that rules know, mapped
 *		to columns or to values inside jsonb columns.
 */
#ifndef QG_MAPPING_H
#define QG_MAPPING_H

#include "quality_gov.h"

#include "commands/trigger.h"

/* One step into a jsonb value. */
typedef struct QgPathStep
{
	char *key; /* of an object, or NULL */
	int index; /* of an array where key is NULL */
	bool text; /* ->> rather than -> */
} QgPathStep;

/* Where a value comes from: a column, and the steps into it (none: the column itself). */
typedef struct QgPath
{
	char *column;
	int nsteps;
	QgPathStep *steps;
} QgPath;

/* One column of a platform's table under the name that rules know it by. */
typedef struct QgColumn
{
	const char *key; /* "title" */
	QgPath path;
	int attnum;
	Oid type;		 /* base type of the column */
	bool generated;	 /* computed after BEFORE triggers have run */
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
	const char **keys; /* of the columns, in order */
	char **option_keys;
	char **option_values;
	int noptions;
	void *extra; /* what the trigger's function keeps with it, NULL after each filling */
} QgMapping;

extern QgMapping *qg_mapping_get(TriggerData *trigger);
extern const QgColumn *qg_mapping_column(const QgMapping *mapping, const char *key);
extern const char *qg_mapping_option(const QgMapping *mapping, const char *key);
extern bool qg_mapping_option_is(const QgMapping *mapping, const char *key, const char *value);
extern void qg_column_require(const QgColumn *column);
extern Datum qg_column_datum(const QgColumn *column, HeapTuple row, TupleDesc desc, bool *isnull);
extern char *qg_column_text(const QgColumn *column, HeapTuple row, TupleDesc desc);
extern char *qg_column_filled(const QgColumn *column, HeapTuple row, TupleDesc desc);
extern TimestampTz qg_mapping_instant(const QgMapping *mapping, const char *key, HeapTuple row,
									  TupleDesc desc, TimestampTz unmapped);
extern bool qg_mapping_changed_but(const QgMapping *mapping, HeapTuple old, HeapTuple new,
								   TupleDesc desc, const QgColumn *but);
extern bool qg_mapping_changed(const QgMapping *mapping, HeapTuple old, HeapTuple new,
							   TupleDesc desc);

extern QgPath qg_path_parse(const char *source);
extern char *qg_path_text(const QgPath *path, Datum value);

#endif
