/*
 * rows.h
 *		Inserting rows into the extension's own tables without a query.
 */
#ifndef QG_ROWS_H
#define QG_ROWS_H

#include "quality_gov.h"

#include "nodes/execnodes.h"

/* A table that rows are being inserted into. */
typedef struct QgRows
{
	Relation relation;
	EState *estate;
	ResultRelInfo *target;
	TupleTableSlot *slot;
	TupleTableSlot **waiting; /* rows that qg_rows_put() was given, or NULL */
	int nwaiting;
	Size bytes; /* of those */
} QgRows;

extern void qg_rows_open(QgRows *rows, const char *table);
extern void qg_rows_add(QgRows *rows, const Datum *values, const bool *nulls);
extern void qg_rows_put(QgRows *rows, const Datum *values, const bool *nulls);
extern bool qg_rows_try_add(QgRows *rows, const Datum *values, const bool *nulls);
extern void qg_rows_add_record(QgRows *rows, Datum record);
extern void qg_rows_close(QgRows *rows);

#endif
