/*
 * ruleset.c
 *		Which versions of rules and lexicons judge a listing: naming them, and judging by a stored
 *		set of them.
 *
 * A set is a JSON object: "rules" and "lexicons" map names to the versions in force, "trial_rules"
 * and "trial_lexicons", left out where empty, to those on trial.
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "listing/rules_private.h"

/* Gives a member of an object in a stored rule set, or NULL. */
static Jsonb *
ruleset_member(Jsonb *ruleset, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&ruleset->root, name, (int) strlen(name),
													 NULL);

	if (value == NULL)
		return NULL;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" of a rule set must be an object of version numbers", name)));
	return JsonbValueToJsonb(value);
}

/* Gives the version that a member of a stored rule set names, 0 where it names none. */
static int
ruleset_version(Jsonb *ruleset, const char *member, const char *name)
{
	Jsonb *versions = ruleset_member(ruleset, member);
	JsonbValue *value;

	if (versions == NULL)
		return 0;
	value = getKeyJsonValueFromContainer(&versions->root, name, (int) strlen(name), NULL);
	if (value == NULL)
		return 0;
	if (value->type != jbvNumeric)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the version of \"%s\" in a rule set must be a number", name)));
	return DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(value->val.numeric)));
}

/* Gives the lexicon that a rule scans for: of the stored set, else the one in effect; or NULL. */
const QgLexicon *
qg_case_lexicon(QgRuleCase *this, const char *name, bool trial)
{
	int version;

	if (this->ruleset == NULL)
		return trial ? qg_lexicon_shadow(name, this->at) : qg_lexicon_find(name, this->at);
	/* A set written by hand may leave lexicons to the instant. */
	if (ruleset_member(this->ruleset, "lexicons") == NULL)
		return trial ? qg_lexicon_shadow(name, this->at) : qg_lexicon_find(name, this->at);
	version = ruleset_version(this->ruleset, trial ? "trial_lexicons" : "lexicons", name);
	return version > 0 ? qg_lexicon_version(name, version) : NULL;
}

/* Adds the versions that a member of a stored rule set names and that cover the listing. */
static void
collect_asked(QgRuleCase *this, const char *member, bool trial, List **asked)
{
	Jsonb *versions = ruleset_member(this->ruleset, member);
	const char *category = qg_case_value(this, QG_SLOT_CATEGORY);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;

	if (versions == NULL)
		return;
	it = JsonbIteratorInit(&versions->root);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		QgRulePeriod *period;
		char *name;
		int version;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_KEY)
			continue;
		period = palloc0(sizeof(QgRulePeriod));
		name = pnstrdup(item.val.string.val, item.val.string.len);
		version = ruleset_version(this->ruleset, member, name);
		period->rule = qg_rule_set_version(this->set, name, version);
		period->trial = trial;
		if (period->rule == NULL)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
							errmsg("version %d of rule \"%s\" does not exist", version, name)));
		if (qg_rule_is_asked(period->rule, category))
			*asked = lappend(*asked, period);
	}
}

/* Orders rules as the rules in force are asked. */
static int
compare_asked(const ListCell *a, const ListCell *b)
{
	const QgRulePeriod *left = lfirst(a);
	const QgRulePeriod *right = lfirst(b);

	if (left->rule != right->rule)
		return left->rule < right->rule ? -1 : 1;
	return (int) left->trial - (int) right->trial;
}

/* Gives every finding against a listing by a stored set of rule and lexicon versions. */
List *
qg_listing_judge_set(QgListing *listing, TimestampTz at, Jsonb *ruleset)
{
	QgRuleCase this;
	List *findings;
	List *asked = NIL;
	ListCell *cell;

	if (!JB_ROOT_IS_OBJECT(ruleset))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a rule set must be a JSON object"),
						errhint("quality_gov.listing_ruleset_json() shows the one in force.")));
	qg_case_begin(&this, listing, at);
	this.ruleset = ruleset;
	findings = qg_judge_recall(&this, qg_judge_merchant(&this, NIL));
	collect_asked(&this, "rules", false, &asked);
	collect_asked(&this, "trial_rules", true, &asked);
	list_sort(asked, compare_asked);
	foreach (cell, asked)
	{
		const QgRulePeriod *period = lfirst(cell);

		findings = qg_judge_rule(&this, period->rule, period->trial, findings);
	}
	return qg_exceptions_apply(findings, listing, at);
}

/* Tells whether the set last written is that of the instant. */
static bool
text_holds(const QgRulesetText *text, TimestampTz at)
{
	if (text->json == NULL || at < text->since || at >= text->until)
		return false;
	for (int i = 0; i < text->nlexicons; i++)
	{
		const QgLexicon *live = qg_lexicon_find(text->lexicons[i], at);
		const QgLexicon *trial = qg_lexicon_shadow(text->lexicons[i], at);

		if ((live ? live->version : 0) != text->live[i] ||
			(trial ? trial->version : 0) != text->trial[i])
			return false;
	}
	return true;
}

/* Appends a member of the set: versions by name, or nothing where there is none. */
static void
append_versions(StringInfo json, const char *member, int count, const char *const *names,
				const int *versions, bool always)
{
	bool some = false;

	for (int i = 0; i < count; i++)
	{
		if (versions[i] == 0)
			continue;
		if (!some)
			appendStringInfo(json, "%s\"%s\": {", json->len > 1 ? ", " : "", member);
		else
			appendStringInfoString(json, ", ");
		escape_json(json, names[i]);
		appendStringInfo(json, ": %d", versions[i]);
		some = true;
	}
	if (some)
		appendStringInfoChar(json, '}');
	else if (always)
		appendStringInfo(json, "%s\"%s\": {}", json->len > 1 ? ", " : "", member);
}

/* Notes a lexicon that rules read, once, with its versions in effect. */
static void
note_lexicon(QgRulesetText *text, const char *name, TimestampTz at)
{
	const QgLexicon *lexicon;
	int n = text->nlexicons;

	for (int i = 0; i < n; i++)
		if (strcmp(text->lexicons[i], name) == 0)
			return;
	text->lexicons[n] = pstrdup(name);
	lexicon = qg_lexicon_find(name, at);
	text->live[n] = lexicon ? lexicon->version : 0;
	lexicon = qg_lexicon_shadow(name, at);
	text->trial[n] = lexicon ? lexicon->version : 0;
	text->nlexicons++;
}

/* Writes the set that is in effect at an instant, in the text's memory context. */
static void
write_text(QgRulesetText *text, const QgRuleSet *set, TimestampTz at)
{
	int nperiods;
	const QgRulePeriod *periods = qg_rule_set_periods(set, &nperiods);
	const char **names = palloc(sizeof(char *) * (nperiods + 1));
	int *rules = palloc(sizeof(int) * (nperiods + 1));
	int *trials = palloc(sizeof(int) * (nperiods + 1));
	StringInfoData json;
	int n = 0;

	text->nlexicons = 0;
	text->lexicons = palloc(sizeof(char *) * (nperiods + 1));
	text->live = palloc(sizeof(int) * (nperiods + 1));
	text->trial = palloc(sizeof(int) * (nperiods + 1));
	for (int i = 0; i < nperiods; i++)
	{
		const QgRule *rule = periods[i].rule;

		CHECK_FOR_INTERRUPTS();
		if (periods[i].since > at || periods[i].until <= at)
			continue;
		names[n] = rule->form.rule;
		rules[n] = periods[i].trial ? 0 : rule->form.version;
		trials[n++] = periods[i].trial ? rule->form.version : 0;
		if (rule->lexicon != NULL)
			note_lexicon(text, rule->lexicon, at);
	}
	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_versions(&json, "rules", n, names, rules, true);
	append_versions(&json, "lexicons", text->nlexicons, text->lexicons, text->live, true);
	append_versions(&json, "trial_rules", n, names, trials, false);
	append_versions(&json, "trial_lexicons", text->nlexicons, text->lexicons, text->trial, false);
	appendStringInfoChar(&json, '}');
	text->json = json.data;
}

/* Gives the set in effect at an instant as text, in the caller's memory context. */
const char *
qg_ruleset_json(TimestampTz at)
{
	const QgRuleSet *set = qg_rule_set();
	QgRulesetText *text = qg_rule_set_text(set);

	if (!text_holds(text, at))
	{
		MemoryContext caller;

		text->json = NULL;
		MemoryContextReset(text->context);
		caller = MemoryContextSwitchTo(text->context);
		qg_rule_set_window(set, at, &text->since, &text->until);
		write_text(text, set, at);
		MemoryContextSwitchTo(caller);
	}
	return pstrdup(text->json);
}

/* listing_ruleset_json(at): the set in effect at an instant. */
PG_FUNCTION_INFO_V1(qg_listing_ruleset_json);
Datum
qg_listing_ruleset_json(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(
		DirectFunctionCall1(jsonb_in, CStringGetDatum(qg_ruleset_json(PG_GETARG_TIMESTAMPTZ(0)))));
}
