/*
 * rule_set.h
 *		Every version of every rule, by when it was in force and whom it concerns.
 */
#ifndef QG_RULE_SET_H
#define QG_RULE_SET_H

#include "quality_gov.h"

#include "listing/rule.h"

/* What is asked of the listings of some categories over some time, in the order of rules. */
typedef struct QgRulePlan
{
	int nasked;
	const QgRulePeriod **asked;
} QgRulePlan;

typedef struct QgRuleSet QgRuleSet;

/* The set last written as text, and what it was written of. */
typedef struct QgRulesetText
{
	MemoryContext context;
	TimestampTz since; /* no rule comes or goes from here */
	TimestampTz until; /* to before here */
	int nlexicons;
	const char **lexicons;
	int *live; /* their versions, 0 for none */
	int *trial;
	char *json; /* NULL until written */
} QgRulesetText;

extern const QgRuleSet *qg_rule_set(void);
extern const QgRulePlan *qg_rule_set_plan(const QgRuleSet *set, const char *category,
										  TimestampTz at);
extern const QgRulePeriod *qg_rule_set_periods(const QgRuleSet *set, int *count);
extern const QgRule *qg_rule_set_version(const QgRuleSet *set, const char *rule, int version);
extern const char *const *qg_rule_set_slots(const QgRuleSet *set, int *count);
extern QgRulesetText *qg_rule_set_text(const QgRuleSet *set);
extern void qg_rule_set_window(const QgRuleSet *set, TimestampTz at, TimestampTz *since,
							   TimestampTz *until);

#endif
