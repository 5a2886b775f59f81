/*
 * rules.c
 *		Judging a listing by the rules in force at an instant.
 *
 * The guard and listing_check() come here with the same thing, a list of named texts, so that a
 * dry run cannot differ from the real one.  A rule tells results: violations, missing values, what
 * it excuses.  What becomes of them is decided here, in one place, by the rule's verdict, by what it
 * says of missing values, and by whether it is on trial; then exceptions lower verdicts.  Rules are
 * independent of each other: every rule that applies is asked, none looks at another's result.
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "listing/rules_private.h"

static QgBarSource merchant_bars = {
	.sql = "SELECT since, until, verdict, reason, legal_basis "
		   "FROM quality_gov.merchant_bar($1, $2, $3, $4)",
	.cache = {.name = "listings: merchants",
			  .tables = {"merchant", "merchant_license", "category_license", "merchant_restriction",
						 "watchlist_effect", "watchlist_entry", "merchant_person"},
			  .build = qg_bars_build}};

static QgBarSource recall_bars = {
	.sql = "SELECT since, until, verdict, reason, legal_basis FROM quality_gov.recall_bar($1, $2) "
		   "WHERE $3::text IS NULL AND $4::text IS NULL",
	.cache = {
		.name = "listings: recalls",
		.tables = {"recall_step", "recall_scope", "recall_spared", "recall_release", "gtin_alias"},
		.build = qg_bars_build}};

/* Gives a listing's value for a key; missing, null and blank are all NULL. */
const char *
qg_listing_field(QgListing *listing, const char *key)
{
	for (int i = 0; i < listing->nfields; i++)
	{
		const char *value;

		if (strcmp(listing->keys[i], key) != 0)
			continue;
		if (listing->load != NULL && !listing->loaded[i])
		{
			listing->load(listing, i);
			listing->loaded[i] = true;
		}
		value = listing->values[i];
		return value && value[strspn(value, " \t\r\n")] ? value : NULL;
	}
	return NULL;
}

/* Gives the name of an outcome, as SQL functions and listing_explain() have it. */
const char *
qg_rule_outcome_name(QgRuleOutcome outcome)
{
	static const char *const names[] = {"pass", "exempt", "missing", "violation"};

	return names[outcome];
}

/* Begins the judgement of a listing by the rules as they are known now. */
void
qg_case_begin(QgRuleCase *this, QgListing *listing, TimestampTz at)
{
	int nslots;

	memset(this, 0, sizeof(QgRuleCase));
	this->listing = listing;
	this->at = at;
	this->set = qg_rule_set();
	(void) qg_rule_set_slots(this->set, &nslots);
	this->values = palloc(sizeof(char *) * nslots);
	this->known = palloc0(sizeof(bool) * nslots);
}

/* Gives the value in a slot, as qg_listing_field() does; each is looked up once a listing. */
const char *
qg_case_value(QgRuleCase *this, int slot)
{
	if (!this->known[slot])
	{
		int nslots;

		this->values[slot] = qg_listing_field(this->listing,
											  qg_rule_set_slots(this->set, &nslots)[slot]);
		this->known[slot] = true;
	}
	return this->values[slot];
}

/* Gives the listing as a JSON object, made once a listing. */
Jsonb *
qg_case_row(QgRuleCase *this)
{
	if (this->row == NULL)
		this->row = qg_listing_json(this->listing);
	return this->row;
}

/* Adds a result of the rule being asked; the caller may say more in it. */
QgRuleResult *
qg_case_tell(QgRuleCase *this, QgRuleOutcome outcome, const char *field, char *message,
			 char *detail)
{
	QgRuleResult *result = palloc0(sizeof(QgRuleResult));

	result->outcome = outcome;
	result->field = field;
	result->message = message;
	result->detail = detail;
	this->results = lappend(this->results, result);
	return result;
}

/* Tells whether a rule concerns a category, as category_covers() does in SQL. */
QgCover
qg_rule_covers(const QgRule *rule, const char *category)
{
	if (rule->ncategories < 0)
		return QG_COVERS;
	for (int i = 0; i < rule->ncategories; i++)
	{
		size_t length = strlen(rule->categories[i]);

		if (strcmp(rule->categories[i], "*") == 0)
			return QG_COVERS;
		if (category != NULL && strncmp(rule->categories[i], category, length) == 0 &&
			(category[length] == '\0' || category[length] == '/'))
			return QG_COVERS;
	}
	return category != NULL ? QG_COVERS_NOT : QG_COVERS_UNKNOWN;
}

/*
 * Tells whether a listing of a category is asked about by a rule.  One without category is none of a
 * rule's with categories, unless the rule itself says what a missing value means.
 */
bool
qg_rule_is_asked(const QgRule *rule, const char *category)
{
	QgCover cover = qg_rule_covers(rule, category);

	return cover == QG_COVERS || (cover == QG_COVERS_UNKNOWN && rule->missing_given);
}

/* Tells that a value the rule needs is not there. */
void
qg_case_tell_missing(QgRuleCase *this, QgRuleOutcome outcome, const QgRule *rule, int slot)
{
	int nslots;
	const char *field = qg_rule_set_slots(this->set, &nslots)[slot];

	(void) qg_case_tell(this, outcome, field,
						psprintf("\"%s\" is missing: %s", field, rule->form.message), NULL);
}

/* Asks for values that must be there; what is missing is what such a rule is about. */
static void
ask_required(QgRuleCase *this, const QgRule *rule)
{
	for (int i = 0; i < rule->nfields; i++)
		if (qg_case_value(this, rule->fields[i]) == NULL)
			qg_case_tell_missing(this, QG_RULE_VIOLATION, rule, rule->fields[i]);
}

/* Tells a violation for each bar of a key that covers the instant. */
static void
ask_bars(QgRuleCase *this, QgBarSource *source, const char *const keys[QG_BAR_KEYS],
		 const char *field, const char *title)
{
	/* Which verdict it has is for the rule to say. */
	const QgFinding form = {.verdict = QG_DENY};
	List *bars = qg_findings_of_bars(NIL, source, keys, this->at, &form);
	ListCell *cell;

	foreach (cell, bars)
	{
		const QgFinding *bar = lfirst(cell);

		(void) qg_case_tell(this, QG_RULE_VIOLATION, field,
							title ? psprintf("%s: %s", title, bar->message) : pstrdup(bar->message),
							NULL);
	}
}

/* Asks whether the merchant holds a licence, or is on a list. */
static void
ask_merchant(QgRuleCase *this, const QgRule *rule)
{
	const char *merchant = qg_case_value(this, QG_SLOT_MERCHANT);
	const char *const keys[QG_BAR_KEYS] = {merchant, rule->kind_name, rule->argument,
										   qg_case_value(this, QG_SLOT_CATEGORY)};

	if (merchant == NULL)
		qg_case_tell_missing(this, QG_RULE_MISSING, rule, QG_SLOT_MERCHANT);
	else
		ask_bars(this, &merchant_bars, keys, "merchant_id", NULL);
}

/* Asks whether the goods are recalled. */
static void
ask_recall(QgRuleCase *this, const QgRule *rule)
{
	const char *gtin = qg_case_value(this, QG_SLOT_GTIN);
	const char *const keys[QG_BAR_KEYS] = {gtin, qg_case_value(this, QG_SLOT_LOT)};

	if (gtin == NULL)
		qg_case_tell_missing(this, QG_RULE_MISSING, rule, QG_SLOT_GTIN);
	else
		ask_bars(this, &recall_bars, keys, "gtin", rule->form.message);
}

/* Asks one rule; its results are told to the case. */
static void
ask(QgRuleCase *this, const QgRule *rule)
{
	if (rule->ncategories >= 0 && qg_case_value(this, QG_SLOT_CATEGORY) == NULL &&
		qg_rule_covers(rule, NULL) != QG_COVERS)
	{
		qg_case_tell_missing(this, QG_RULE_MISSING, rule, QG_SLOT_CATEGORY);
		return;
	}
	switch (rule->kind)
	{
		case QG_RULE_LEXICON:
			qg_rule_ask_lexicon(this, rule);
			break;
		case QG_RULE_REQUIRED:
			ask_required(this, rule);
			break;
		case QG_RULE_LICENSE:
		case QG_RULE_WATCHLIST:
			ask_merchant(this, rule);
			break;
		case QG_RULE_RECALL:
			ask_recall(this, rule);
			break;
		case QG_RULE_EXPRESSION:
			qg_rule_ask_expression(this, rule);
			break;
		case QG_RULE_SQL:
			qg_rule_ask_sql(this, rule);
			break;
	}
}

/* Tells in an error's context which rule was asked. */
static void
rule_context(void *arg)
{
	const QgRule *rule = arg;

	errcontext("rule \"%s\" version %d", rule->form.rule, rule->form.version);
}

/* Asks one rule and gives its results. */
List *
qg_rule_ask(QgRuleCase *this, const QgRule *rule)
{
	ErrorContextCallback callback = {.callback = rule_context,
									 .arg = unconstify(QgRule *, rule),
									 .previous = error_context_stack};

	this->results = NIL;
	error_context_stack = &callback;
	ask(this, rule);
	error_context_stack = callback.previous;
	return this->results;
}

/* Gives what becomes of a result; QG_PASS: no finding. */
QgVerdict
qg_rule_verdict(const QgRule *rule, bool trial, const QgRuleResult *result)
{
	QgVerdict verdict = QG_PASS;

	if (result->outcome == QG_RULE_VIOLATION)
		verdict = rule->form.verdict;
	else if (result->outcome == QG_RULE_MISSING)
		verdict = rule->missing;
	if ((trial || result->trial) && verdict > QG_SHADOW)
		verdict = QG_SHADOW;
	return verdict;
}

/* Makes the finding of a result. */
QgFinding *
qg_rule_finding(const QgRule *rule, QgVerdict verdict, const QgRuleResult *result)
{
	QgFinding *finding = palloc(sizeof(QgFinding));

	*finding = rule->form;
	finding->verdict = verdict;
	finding->field = result->field;
	if (result->message != NULL)
		finding->message = result->message;
	if (result->legal_basis != NULL)
		finding->legal_basis = result->legal_basis;
	finding->detail = result->detail;
	return finding;
}

/* Asks a rule and adds what it finds. */
List *
qg_judge_rule(QgRuleCase *this, const QgRule *rule, bool trial, List *findings)
{
	ListCell *cell;

	CHECK_FOR_INTERRUPTS();
	foreach (cell, qg_rule_ask(this, rule))
	{
		const QgRuleResult *result = lfirst(cell);
		QgVerdict verdict = qg_rule_verdict(rule, trial, result);

		if (verdict != QG_PASS)
			findings = lappend(findings, qg_rule_finding(rule, verdict, result));
	}
	return findings;
}

/* Adds what forbids the merchant to list. */
List *
qg_judge_merchant(QgRuleCase *this, List *findings)
{
	const QgFinding seller = {
		.rule = "merchant_may", .severity = "high", .field = "merchant_id", .verdict = QG_DENY};
	const char *merchant = qg_case_value(this, QG_SLOT_MERCHANT);

	if (merchant == NULL)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("listing names no merchant"),
						errdetail("\"merchant_id\" is missing or null.")));
	return qg_findings_of_bars(findings, &merchant_bars,
							   (const char *const[QG_BAR_KEYS]){
								   merchant, "may", "list", qg_case_value(this, QG_SLOT_CATEGORY)},
							   this->at, &seller);
}

/* Adds the recalls that concern the goods. */
List *
qg_judge_recall(QgRuleCase *this, List *findings)
{
	const QgFinding goods = {.rule = "recall", .severity = "critical", .field = "gtin"};
	const char *gtin = qg_case_value(this, QG_SLOT_GTIN);

	if (gtin == NULL)
		return findings;
	return qg_findings_of_bars(
		findings, &recall_bars,
		(const char *const[QG_BAR_KEYS]){gtin, qg_case_value(this, QG_SLOT_LOT)}, this->at, &goods);
}

/* Gives every finding against a listing as of an instant, in a stable order. */
List *
qg_listing_judge(QgListing *listing, TimestampTz at)
{
	QgRuleCase this;
	const QgRulePlan *plan;
	List *findings;

	qg_case_begin(&this, listing, at);
	findings = qg_judge_merchant(&this, NIL);
	findings = qg_judge_recall(&this, findings);
	plan = qg_rule_set_plan(this.set, qg_case_value(&this, QG_SLOT_CATEGORY), at);
	for (int i = 0; i < plan->nasked; i++)
		findings = qg_judge_rule(&this, plan->asked[i]->rule, plan->asked[i]->trial, findings);
	return qg_exceptions_apply(findings, listing, at);
}
