/*
 * rule_explain.c
 *		Rules one by one: listing_rule_check() asks a version in whatever state, listing_explain()
 *		tells of every rule what it read and what it decided.
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "listing/rules_private.h"

/* listing_rule_check(rule, version, listing, at): what one version says of a listing. */
PG_FUNCTION_INFO_V1(qg_listing_rule_check);
Datum
qg_listing_rule_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	QgListing listing;
	QgRuleCase this;
	const QgRule *rule;
	const char *name;
	ListCell *cell;

	qg_argument_require(fcinfo, 0, "rule");
	qg_argument_require(fcinfo, 1, "version");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	qg_argument_listing(fcinfo, 2, &listing);
	qg_case_begin(&this, &listing, qg_argument_instant(fcinfo, 3));
	rule = qg_rule_set_version(this.set, name, PG_GETARG_INT32(1));
	if (rule == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version %d of rule \"%s\" does not exist", PG_GETARG_INT32(1), name)));
	InitMaterializedSRF(fcinfo, 0);
	if (!qg_rule_is_asked(rule, qg_case_value(&this, QG_SLOT_CATEGORY)))
		return (Datum) 0;
	foreach (cell, qg_rule_ask(&this, rule))
	{
		const QgRuleResult *one = lfirst(cell);
		const QgFinding *finding = qg_rule_finding(rule, qg_rule_verdict(rule, false, one), one);
		Datum values[7] = {0};
		bool nulls[7] = {false};

		qg_row_put_text(values, nulls, 0, qg_rule_outcome_name(one->outcome));
		qg_row_put_finding(values, nulls, 1, finding);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* Writes the values in some slots as a JSON object, missing ones as null. */
static char *
values_json(QgRuleCase *this, const int *slots, int nslots)
{
	StringInfoData json;
	int count;
	const char *const *names = qg_rule_set_slots(this->set, &count);

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < nslots; i++)
		qg_json_text(&json, names[slots[i]], qg_case_value(this, slots[i]));
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* Joins the names of fields. */
static char *
field_names(QgRuleCase *this, const QgRule *rule)
{
	StringInfoData names;
	int count;
	const char *const *slots = qg_rule_set_slots(this->set, &count);

	initStringInfo(&names);
	for (int i = 0; i < rule->nfields; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", slots[rule->fields[i]]);
	return names.data;
}

/* Says in words what a rule asks for. */
static char *
condition_text(QgRuleCase *this, const QgRule *rule)
{
	const QgLexicon *lexicon;

	switch (rule->kind)
	{
		case QG_RULE_LEXICON:
			lexicon = qg_lexicon_find(rule->lexicon, this->at);
			return psprintf("no term of lexicon \"%s\" version %d in %s", rule->lexicon,
							lexicon ? lexicon->version : 0, field_names(this, rule));
		case QG_RULE_REQUIRED:
			return psprintf("given: %s", field_names(this, rule));
		case QG_RULE_LICENSE:
			return psprintf("the merchant holds a valid licence \"%s\"", rule->argument);
		case QG_RULE_WATCHLIST:
			return psprintf("the merchant is not on list \"%s\"", rule->argument);
		case QG_RULE_RECALL:
			return pstrdup("the goods are not recalled");
		case QG_RULE_EXPRESSION:
			return psprintf("not true: %s", rule->argument);
		case QG_RULE_SQL:
			break;
	}
	return psprintf("%s %s", rule->kind_title,
					JsonbToCString(NULL, &rule->params->root, VARSIZE(rule->params)));
}

/* What is told of one rule. */
typedef struct Explanation
{
	const char *rule;
	int version;
	const char *kind;
	const char *state;
	const char *outcome;
	QgVerdict verdict;
	const char *values;
	const char *condition;
	List *findings; /* with what it said, verdict QG_PASS where that is no finding */
	const char *legal_basis;
} Explanation;

/* Stores the row of one rule; several things it said are joined. */
static void
store(ReturnSetInfo *result, const Explanation *this)
{
	Datum values[12] = {0};
	bool nulls[12] = {false};
	StringInfoData message;
	StringInfoData detail;
	const char *field = NULL;
	ListCell *cell;

	initStringInfo(&message);
	initStringInfo(&detail);
	foreach (cell, this->findings)
	{
		const QgFinding *finding = lfirst(cell);

		if (field == NULL)
			field = finding->field;
		if (finding->message != NULL)
			appendStringInfo(&message, "%s%s", message.len > 0 ? "; " : "", finding->message);
		if (finding->detail != NULL)
			appendStringInfo(&detail, "%s%s", detail.len > 0 ? ", " : "[", finding->detail);
	}
	if (detail.len > 0)
		appendStringInfoChar(&detail, ']');
	qg_row_put_text(values, nulls, 0, this->rule);
	values[1] = Int32GetDatum(this->version);
	qg_row_put_text(values, nulls, 2, this->kind);
	qg_row_put_text(values, nulls, 3, this->state);
	qg_row_put_text(values, nulls, 4, this->outcome);
	qg_row_put_text(values, nulls, 5, qg_verdict_name(this->verdict));
	qg_row_put_json(values, nulls, 6, this->values);
	qg_row_put_text(values, nulls, 7, this->condition);
	qg_row_put_text(values, nulls, 8, field);
	qg_row_put_text(values, nulls, 9, message.len > 0 ? message.data : NULL);
	qg_row_put_text(values, nulls, 10, this->legal_basis);
	qg_row_put_json(values, nulls, 11, detail.len > 0 ? detail.data : NULL);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Tells of something that is asked without any rule. */
static void
explain_implicit(ReturnSetInfo *result, QgRuleCase *this, const char *name, const char *condition,
				 const int slots[2], bool given, List *findings)
{
	Explanation row = {.rule = name,
					   .kind = name,
					   .state = "active",
					   .outcome = !given			? "missing"
								  : findings != NIL ? "violation"
													: "pass",
					   .verdict = qg_findings_verdict(findings),
					   .values = values_json(this, slots, 2),
					   .condition = condition,
					   .findings = findings};

	if (findings != NIL)
		row.legal_basis = ((QgFinding *) linitial(findings))->legal_basis;
	store(result, &row);
}

/* Gives what a rule said as a finding; the title of one that is kept is no word about the listing. */
static QgFinding *
told(const QgRule *rule, bool trial, const QgRuleResult *result)
{
	QgFinding *finding = qg_rule_finding(rule, qg_rule_verdict(rule, trial, result), result);

	if (result->outcome < QG_RULE_MISSING)
		finding->message = result->message;
	return finding;
}

/* Tells of one rule in force or on trial. */
static void
explain_rule(ReturnSetInfo *result, QgRuleCase *this, const QgRulePeriod *period)
{
	const QgRule *rule = period->rule;
	const char *category = qg_case_value(this, QG_SLOT_CATEGORY);
	Explanation row = {.rule = rule->form.rule,
					   .version = rule->form.version,
					   .kind = rule->kind_name,
					   .state = period->trial ? "shadow" : "active",
					   .outcome = "not_applicable",
					   .values = values_json(this, rule->reads, rule->nreads),
					   .condition = condition_text(this, rule),
					   .legal_basis = rule->form.legal_basis};
	QgRuleOutcome gravest = QG_RULE_PASS;
	List *results;
	ListCell *cell;

	/* A category that is not known leaves open whether the rule concerns the listing. */
	if (!qg_rule_is_asked(rule, category))
	{
		if (qg_rule_covers(rule, category) == QG_COVERS_UNKNOWN)
		{
			QgRuleResult unknown = {.field = "category", .message = "\"category\" is missing"};

			row.outcome = qg_rule_outcome_name(QG_RULE_MISSING);
			row.findings = list_make1(qg_rule_finding(rule, QG_PASS, &unknown));
		}
		store(result, &row);
		return;
	}
	if (rule->kind == QG_RULE_SQL && qg_rule_sql_covers(this, rule) == QG_COVERS_NOT)
	{
		store(result, &row);
		return;
	}
	results = qg_rule_ask(this, rule);
	foreach (cell, results)
		gravest = Max(gravest, ((QgRuleResult *) lfirst(cell))->outcome);
	row.outcome = qg_rule_outcome_name(gravest);
	foreach (cell, results)
	{
		const QgRuleResult *one = lfirst(cell);

		/* What a rule passes or excuses is told where that is all it says. */
		if (one->outcome == gravest || one->outcome >= QG_RULE_MISSING)
			row.findings = lappend(row.findings, told(rule, period->trial, one));
	}
	row.verdict = qg_findings_verdict(row.findings);
	row.findings = qg_exceptions_apply(row.findings, this->listing, this->at);
	if (row.verdict != QG_PASS && qg_findings_verdict(row.findings) == QG_PASS)
		row.outcome = "exempt";
	row.verdict = qg_findings_verdict(row.findings);
	store(result, &row);
}

/* listing_explain(listing, at): every rule in force, what it read and what it decided. */
PG_FUNCTION_INFO_V1(qg_listing_explain);
Datum
qg_listing_explain(PG_FUNCTION_ARGS)
{
	static const int seller[2] = {QG_SLOT_MERCHANT, QG_SLOT_CATEGORY};
	static const int goods[2] = {QG_SLOT_GTIN, QG_SLOT_LOT};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	QgListing listing;
	QgRuleCase this;
	TimestampTz at;
	const QgRulePeriod *periods;
	int nperiods;

	qg_argument_listing(fcinfo, 0, &listing);
	at = qg_argument_instant(fcinfo, 1);
	qg_case_begin(&this, &listing, at);
	this.explain = true;
	InitMaterializedSRF(fcinfo, 0);
	explain_implicit(result, &this, "merchant_may", "the merchant may list", seller, true,
					 qg_judge_merchant(&this, NIL));
	explain_implicit(result, &this, "recall", "the goods are not recalled", goods,
					 qg_case_value(&this, QG_SLOT_GTIN) != NULL, qg_judge_recall(&this, NIL));
	periods = qg_rule_set_periods(this.set, &nperiods);
	for (int i = 0; i < nperiods; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (periods[i].since <= at && periods[i].until > at)
			explain_rule(result, &this, &periods[i]);
	}
	return (Datum) 0;
}
