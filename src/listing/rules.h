/*
 * rules.h
 *		Judging a listing, given as named texts, by the rules in force at an instant.
 */
#ifndef QG_RULES_H
#define QG_RULES_H

#include "quality_gov.h"

#include "utils/jsonb.h"

#include "common/finding.h"

/*
 * A listing as rules see it: names and values, null where the value is missing.  Where load is
 * given, a value is NULL until loaded says that load has filled it in, so that a row pays only for
 * what a rule reads.
 */
typedef struct QgListing
{
	const char *relation; /* schema-qualified name of the guarded table, or NULL */
	int nfields;
	const char **keys;
	const char **values;
	bool *loaded;
	void (*load)(struct QgListing *listing, int field);
	void *source; /* for load */
} QgListing;

extern const char *qg_listing_field(QgListing *listing, const char *key);
extern void qg_listing_read_json(Jsonb *object, QgListing *listing);
extern Jsonb *qg_listing_json(QgListing *listing);
extern void qg_jsonb_push_key(JsonbParseState **state, const char *key);
extern void qg_jsonb_push_text(JsonbParseState **state, const char *key, const char *value);

extern List *qg_listing_judge(QgListing *listing, TimestampTz at);
extern List *qg_listing_judge_set(QgListing *listing, TimestampTz at, Jsonb *ruleset);
extern const char *qg_ruleset_json(TimestampTz at);

/* Arguments and rows of functions on listings; what is missing in a row is null. */
extern TimestampTz qg_argument_instant(FunctionCallInfo fcinfo, int argument);
extern void qg_argument_listing(FunctionCallInfo fcinfo, int argument, QgListing *listing);
extern void qg_row_put_text(Datum *values, bool *nulls, int column, const char *text);
extern void qg_row_put_json(Datum *values, bool *nulls, int column, const char *text);
extern void qg_row_put_finding(Datum *values, bool *nulls, int column, const QgFinding *finding);

#endif
