/*
 * listing_record.h
 *		Decisions that wait to be written, and writing them.
 */
#ifndef QG_LISTING_RECORD_H
#define QG_LISTING_RECORD_H

#include "quality_gov.h"

/* Columns of listing_decision. */
#define Anum_decision_merchant 1
#define Anum_decision_relation 3
#define Anum_decision_listing 4
#define Anum_decision_at 7

/* A decision that waits to be written. */
typedef struct Decision
{
	SubTransactionId subxact;
	uint32 key;		   /* hash of what was decided on */
	bool always;	   /* written also where it repeats the last one */
	Datum row;		   /* of listing_decision */
	Datum body;		   /* jsonb of the ledger */
	Datum subject;	   /* text of the ledger */
	const char *grave; /* severity of the gravest finding that counts, or NULL */
	int nfindings;	   /* up to and with this decision */
} Decision;

/* Decisions of one (sub)transaction, to be written together. */
typedef struct DecisionBatch
{
	const Decision *decisions;
	int ndecisions;
	Datum *findings; /* rows of listing_finding, in the order of the decisions */
	int nfindings;
	Oid decision_type; /* row types of the two tables */
	Oid finding_type;
} DecisionBatch;

extern void qg_decisions_insert(const DecisionBatch *batch);

#endif
