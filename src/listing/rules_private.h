/*
 * rules_private.h
 *		What the files that judge a listing share.
 */
#ifndef QG_RULES_PRIVATE_H
#define QG_RULES_PRIVATE_H

#include "quality_gov.h"

#include "listing/listing.h"
#include "listing/rule_set.h"
#include "listing/rules.h"

/* What a rule says of a listing. */
typedef enum QgRuleOutcome
{
	QG_RULE_PASS,
	QG_RULE_EXEMPT,	   /* what it looks for is there, and excused */
	QG_RULE_MISSING,   /* a value that it needs is missing or unusable */
	QG_RULE_VIOLATION, /* becomes a finding */
} QgRuleOutcome;

typedef struct QgRuleResult
{
	QgRuleOutcome outcome;
	bool trial; /* of a lexicon on trial: binds nobody, whatever the rule */
	const char *field;
	const char *message;	 /* NULL: the rule's title */
	const char *legal_basis; /* NULL: the rule's */
	const char *detail;		 /* a JSON object as text, or NULL */
} QgRuleResult;

/* A listing being judged; values are read from it once, by slot of the rule set. */
typedef struct QgRuleCase
{
	QgListing *listing;
	TimestampTz at;
	const QgRuleSet *set;
	Jsonb *ruleset; /* versions to judge by, or NULL: those in force */
	const char **values;
	bool *known;
	Jsonb *variables; /* of expressions, once one was asked */
	Jsonb *row;		  /* the listing as an object, once a rule asked for it */
	bool explain;	  /* rules tell also what they pass or exempt */
	List *results;	  /* of the rule being asked */
} QgRuleCase;

extern void qg_case_begin(QgRuleCase *this, QgListing *listing, TimestampTz at);
extern const char *qg_case_value(QgRuleCase *this, int slot);
extern Jsonb *qg_case_row(QgRuleCase *this);
extern const QgLexicon *qg_case_lexicon(QgRuleCase *this, const char *name, bool trial);
extern QgRuleResult *qg_case_tell(QgRuleCase *this, QgRuleOutcome outcome, const char *field,
								  char *message, char *detail);
extern void qg_case_tell_missing(QgRuleCase *this, QgRuleOutcome outcome, const QgRule *rule,
								 int slot);
extern const char *qg_rule_outcome_name(QgRuleOutcome outcome);

/* Asking one rule: results are told to the case. */
extern List *qg_rule_ask(QgRuleCase *this, const QgRule *rule);
extern List *qg_judge_rule(QgRuleCase *this, const QgRule *rule, bool trial, List *findings);
extern QgVerdict qg_rule_verdict(const QgRule *rule, bool trial, const QgRuleResult *result);
extern void qg_rule_ask_lexicon(QgRuleCase *this, const QgRule *rule);
extern bool qg_rule_has_term(QgRuleCase *this, const QgRule *rule);
extern void qg_rule_ask_expression(QgRuleCase *this, const QgRule *rule);
extern void qg_rule_ask_sql(QgRuleCase *this, const QgRule *rule);
extern QgCover qg_rule_sql_covers(QgRuleCase *this, const QgRule *rule);

/* What is asked without any rule: may the merchant list, are the goods recalled. */
extern List *qg_judge_merchant(QgRuleCase *this, List *findings);
extern List *qg_judge_recall(QgRuleCase *this, List *findings);
extern QgFinding *qg_rule_finding(const QgRule *rule, QgVerdict verdict,
								  const QgRuleResult *result);
extern List *qg_exceptions_apply(List *findings, QgListing *listing, TimestampTz at);

#endif
