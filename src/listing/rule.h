/*
 * rule.h
 *		One version of a rule, as it is kept in memory.
 */
#ifndef QG_RULE_H
#define QG_RULE_H

#include "quality_gov.h"

#include "utils/jsonb.h"
#include "utils/jsonpath.h"

#include "common/finding.h"

typedef enum QgRuleKind
{
	QG_RULE_LEXICON,
	QG_RULE_REQUIRED,
	QG_RULE_LICENSE,
	QG_RULE_WATCHLIST,
	QG_RULE_RECALL,
	QG_RULE_EXPRESSION,
	QG_RULE_SQL /* every other: function rule_<kind> */
} QgRuleKind;

/* Slots of the names that are read without any rule. */
#define QG_SLOT_MERCHANT 0
#define QG_SLOT_CATEGORY 1
#define QG_SLOT_GTIN 2
#define QG_SLOT_LOT 3
#define QG_SLOT_FIXED 4

/* One version of a rule. */
typedef struct QgRule
{
	QgRuleKind kind;
	char *kind_name;
	char *kind_title;	/* what rules of the kind ask */
	QgFinding form;		/* what every finding of it has in common */
	QgVerdict missing;	/* what becomes of a missing value; QG_PASS: nothing */
	bool missing_given; /* by the version itself, not by its kind */
	char *argument;		/* licence kind, list or path; or NULL */
	char *lexicon;		/* scanned for; or NULL */
	int nfields;
	int *fields; /* slots of the values it needs */
	int nreads;
	int *reads;		 /* slots of the values that it reads, for explanations */
	int ncategories; /* -1: every category */
	char **categories;
	Jsonb *params;
	int subject;	/* slot of the value without which there is nothing to ask, or -1 */
	char *regime;	/* regimes that its categories are under, by lines; or NULL */
	char *except;	/* regimes that they are not under */
	JsonPath *path; /* of an expression, parsed when first asked */
} QgRule;

/* A time over which a version was in force, or on trial. */
typedef struct QgRulePeriod
{
	const QgRule *rule;
	bool trial;
	TimestampTz since;
	TimestampTz until;
} QgRulePeriod;

/* Whether the categories of a rule cover a listing's. */
typedef enum QgCover
{
	QG_COVERS,
	QG_COVERS_NOT,
	QG_COVERS_UNKNOWN
} QgCover;

extern QgCover qg_rule_covers(const QgRule *rule, const char *category);
extern bool qg_rule_is_asked(const QgRule *rule, const char *category);

#endif
