/*
 * finding.h
 *		What a guard found in a row, and running a guard's judgement safely.
 */
#ifndef QG_FINDING_H
#define QG_FINDING_H

#include "quality_gov.h"

#include "nodes/pg_list.h"

#include "common/bars.h"
#include "common/guard.h"

/* Verdicts in order of gravity. */
typedef enum QgVerdict
{
	QG_PASS,
	QG_SHADOW,
	QG_WARN,
	QG_QUARANTINE,
	QG_DENY
} QgVerdict;

typedef struct QgFinding
{
	const char *rule;
	int version;
	QgVerdict verdict;
	const char *severity;	 /* low, medium, high or critical */
	const char *field;		 /* key of the mapping, or NULL */
	const char *message;	 /* what a shop clerk reads */
	const char *legal_basis; /* or NULL */
	const char *detail;		 /* a JSON object as text, or NULL */
} QgFinding;

extern const char *qg_verdict_name(QgVerdict verdict);
extern QgVerdict qg_verdict_of(const char *name);
extern QgVerdict qg_findings_verdict(List *findings);
extern char *qg_findings_json(List *findings);
extern void qg_json_key(StringInfo json, const char *key);
extern void qg_json_text(StringInfo json, const char *key, const char *value);
extern char *qg_findings_summary(List *findings, QgVerdict least);
extern List *qg_findings_of_bars(List *findings, QgBarSource *source,
								 const char *const keys[QG_BAR_KEYS], TimestampTz at,
								 const QgFinding *form);

extern ErrorData *qg_subtransaction_try(void (*work)(void *arg), void *arg);

typedef void (*QgJudge)(const QgMapping *mapping, void *arg);
extern bool qg_guard_judge(const QgMapping *mapping, QgJudge judge, void *arg);

#endif
