/*
 * ledger_entries.h
 *		Entries about the rows of a protected table.
 */
#ifndef QG_LEDGER_ENTRIES_H
#define QG_LEDGER_ENTRIES_H

#include "quality_gov.h"

#include "access/tupdesc.h"
#include "utils/rel.h"

#include "common/rows.h"
#include "ledger/row_image.h"

/* The ledger while a statement's entries are written. */
typedef struct QgEntries
{
	const QgImage *image;
	char *label; /* name of the protected table in the ledger */
	QgImageKind kind;
	TupleDesc desc; /* of the table */
	Oid relid;
	QgRows rows;
	QgRows secrets;
	bool secrets_open;
	Oid sequence;
	Datum role;
	Datum xid;
	MemoryContext context;
	MemoryContext scratch; /* of one entry */
	int nest;			   /* of the pinned settings */
	bool noting;		   /* other statements on the table are open */
} QgEntries;

extern void qg_entries_begin(QgEntries *entries, const QgImage *image, char *label,
							 QgImageKind kind, TupleDesc desc);
extern void qg_entries_add(QgEntries *entries, const char *kind, text *subject, Jsonb *body,
						   const QgSecret *secrets);
extern void qg_entries_row(QgEntries *entries, const char *kind, const QgImageRow *row,
						   const QgImageRow *before);
extern bool qg_entries_present(QgEntries *entries, const QgImageRow *row);
extern void qg_entries_settle(QgEntries *entries, Relation relation, const QgImageRow *key,
							  bool gone_too);
extern void qg_entries_settle_all(QgEntries *entries, Relation relation);
extern void qg_entries_end(QgEntries *entries);

#endif
