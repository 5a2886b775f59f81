/*
 * listing_case.h
 *		One row before the listing guard, what a transaction remembers of its rows, and the
 *		decisions it has yet to write.
 */
#ifndef QG_LISTING_CASE_H
#define QG_LISTING_CASE_H

#include "quality_gov.h"

#include "access/htup.h"
#include "utils/jsonb.h"

#include "listing/rules.h"

/* A row, how its table is mapped, and what was found. */
typedef struct ListingCase
{
	HeapTuple row;
	TupleDesc desc;
	const QgMapping *mapping;
	bool known_clean; /* judged before, and nothing was found */
	bool at_given;	  /* judged as of an instant of the caller's choice */
	TimestampTz at;
	QgListing listing;
	List *findings;
} ListingCase;

extern bool qg_case_judge(ListingCase *this, const QgMapping *mapping);
extern Jsonb *qg_case_listing(ListingCase *this);
extern const char *qg_case_field(ListingCase *this, const char *key);

/* Rows that BEFORE did not find clean, and statements whose end will write decisions. */
extern void qg_transactions_follow(void);
extern void qg_rows_judged(const ListingCase *this, Oid relid, bool clean);
extern void qg_rows_unjudged(void);
extern bool qg_row_known_clean(const ListingCase *this, TriggerData *trigger);
extern void qg_scope_open(TriggerData *trigger);
extern void qg_scope_close(TriggerData *trigger);
extern bool qg_scope_is_open(void);
extern void qg_scope_audit(bool open);

/* A decision, and what is written of it. */
typedef struct DecisionTaken
{
	int64 id;
	int64 ruleset;
	const char *operation;
	QgVerdict verdict;
} DecisionTaken;

typedef struct DecisionRows
{
	Datum decision;	   /* row of listing_decision */
	Datum *findings;   /* rows of listing_finding */
	Datum body;		   /* jsonb of the ledger */
	Datum subject;	   /* text of the ledger */
	const char *grave; /* severity of the gravest finding that counts, a constant, or NULL */
} DecisionRows;

extern DecisionRows qg_decision_rows(ListingCase *this, TupleDesc decision, TupleDesc finding,
									 const DecisionTaken *taken);

/* Decisions to be written: at once, or together with others of the statement. */
extern void qg_decision_add(ListingCase *this, const char *operation, QgVerdict verdict);
extern void qg_decisions_write(void);
extern bool qg_decisions_pending(void);
extern void qg_decisions_forget(bool committed);
extern void qg_decisions_abort_sub(SubTransactionId subxact);
extern void qg_decisions_commit_sub(SubTransactionId subxact, SubTransactionId parent);

#endif
