/*
 * finding.c
 *		What a guard found in a row, as verdict and as JSON, and what happens when a guard fails
 *		itself.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "common/finding.h"

static const char *const verdict_names[] = {"pass", "shadow", "warn", "quarantine", "deny"};

/* Gives the name of a verdict. */
const char *
qg_verdict_name(QgVerdict verdict)
{
	return verdict_names[verdict];
}

/* Gives the verdict of a name; tables check their names, so an unknown one cannot happen. */
QgVerdict
qg_verdict_of(const char *name)
{
	for (int i = 0; i < (int) lengthof(verdict_names); i++)
		if (strcmp(verdict_names[i], name) == 0)
			return (QgVerdict) i;
	elog(ERROR, "unknown verdict \"%s\"", name);
}

/* Gives the gravest verdict among findings. */
QgVerdict
qg_findings_verdict(List *findings)
{
	QgVerdict gravest = QG_PASS;
	ListCell *cell;

	foreach (cell, findings)
		gravest = Max(gravest, ((QgFinding *) lfirst(cell))->verdict);
	return gravest;
}

/* Appends the key of a member to a JSON object that has been begun. */
void
qg_json_key(StringInfo json, const char *key)
{
	if (json->data[json->len - 1] != '{')
		appendStringInfoString(json, ", ");
	escape_json(json, key);
	appendStringInfoString(json, ": ");
}

/* Appends a member whose value is a text, or null. */
void
qg_json_text(StringInfo json, const char *key, const char *value)
{
	qg_json_key(json, key);
	if (value != NULL)
		escape_json(json, value);
	else
		appendStringInfoString(json, "null");
}

/* Writes findings as a JSON array of objects, in the shape of listing_check()'s rows. */
char *
qg_findings_json(List *findings)
{
	StringInfoData json;
	ListCell *cell;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	foreach (cell, findings)
	{
		const QgFinding *finding = lfirst(cell);

		if (json.len > 1)
			appendStringInfoString(&json, ", ");
		appendStringInfoChar(&json, '{');
		qg_json_text(&json, "rule", finding->rule);
		appendStringInfo(&json, ", \"version\": %d", finding->version);
		qg_json_text(&json, "verdict", qg_verdict_name(finding->verdict));
		qg_json_text(&json, "severity", finding->severity);
		qg_json_text(&json, "field", finding->field);
		qg_json_text(&json, "message", finding->message);
		qg_json_text(&json, "legal_basis", finding->legal_basis);
		appendStringInfo(&json, ", \"detail\": %s}", finding->detail ? finding->detail : "null");
	}
	appendStringInfoChar(&json, ']');
	return json.data;
}

/* Joins the messages of findings of at least a verdict, for a primary error message. */
char *
qg_findings_summary(List *findings, QgVerdict least)
{
	StringInfoData summary;
	ListCell *cell;

	initStringInfo(&summary);
	foreach (cell, findings)
	{
		const QgFinding *finding = lfirst(cell);

		if (finding->verdict >= least)
			appendStringInfo(&summary, "%s%s", summary.len > 0 ? "; " : "", finding->message);
	}
	return summary.data;
}

/* Adds a finding for each bar of a key whose period covers the instant, in the given form. */
List *
qg_findings_of_bars(List *findings, QgBarSource *source, const char *const keys[QG_BAR_KEYS],
					TimestampTz at, const QgFinding *form)
{
	const QgBar *bars;
	int n = qg_bars_find(source, keys, &bars);

	for (int i = 0; i < n; i++)
	{
		QgFinding *finding;

		if (bars[i].since > at || bars[i].until <= at)
			continue;
		finding = palloc(sizeof(QgFinding));
		*finding = *form;
		finding->message = bars[i].reason;
		if (finding->legal_basis == NULL)
			finding->legal_basis = bars[i].legal_basis;
		/* A form without a verdict of its own takes the bar's. */
		if (form->verdict == QG_PASS)
			finding->verdict = qg_verdict_of(bars[i].verdict);
		findings = lappend(findings, finding);
	}
	return findings;
}

/* Tells in an error's context which guard was judging. */
static void
guard_context(void *arg)
{
	errcontext("quality_gov guard of table %s", ((const QgMapping *) arg)->relation);
}

/* Records that a guard failed and let the row pass. */
static void
record_failure(const QgMapping *mapping, const ErrorData *error)
{
	Oid types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum values[3];
	QgOwner owner;

	values[0] = CStringGetTextDatum(mapping->relation);
	values[1] = CStringGetTextDatum(error->message);
	values[2] = CStringGetTextDatum(unpack_sql_state(error->sqlerrcode));
	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT quality_gov.ledger_record('guard_failed', $1, "
							  "jsonb_build_object('relation', $1, 'error', $2, 'sqlstate', $3))",
							  3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not record the failure of a guard");
	SPI_finish();
	qg_owner_end(&owner);
}

/*
 * Does some work in a subtransaction.  Gives NULL, or the error that it failed with, in the caller's
 * memory context, once everything it did is undone.
 */
ErrorData *
qg_subtransaction_try(void (*work)(void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resources = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = resources;
	return error;
}

/* What is judged, and how. */
typedef struct Judgement
{
	const QgMapping *mapping;
	QgJudge judge;
	void *arg;
} Judgement;

static void
judge_row(void *arg)
{
	const Judgement *this = arg;

	this->judge(this->mapping, this->arg);
}

/* Judges in a subtransaction; an error becomes a warning and an entry in the ledger. */
static bool
judge_or_allow(const QgMapping *mapping, QgJudge judge, void *arg)
{
	Judgement judgement = {.mapping = mapping, .judge = judge, .arg = arg};
	ErrorData *error = qg_subtransaction_try(judge_row, &judgement);

	if (error == NULL)
		return true;
	/* A cancelled statement stays cancelled. */
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		ReThrowError(error);
	record_failure(mapping, error);
	ereport(WARNING, (errcode(ERRCODE_QG_GUARD_FAILED),
					  errmsg("guard of table %s failed and let the row pass: %s", mapping->relation,
							 error->message)));
	return false;
}

/*
 * Runs a guard's judgement.  When the guard fails itself the statement fails with it, unless the
 * guard was made with on_failure "allow"; then the result is false, and the row passes unjudged.
 */
bool
qg_guard_judge(const QgMapping *mapping, QgJudge judge, void *arg)
{
	const char *on_failure = qg_mapping_option(mapping, "on_failure");
	ErrorContextCallback callback;

	if (on_failure != NULL && strcmp(on_failure, "allow") == 0)
		return judge_or_allow(mapping, judge, arg);
	callback.callback = guard_context;
	callback.arg = unconstify(QgMapping *, mapping);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	judge(mapping, arg);
	error_context_stack = callback.previous;
	return true;
}
