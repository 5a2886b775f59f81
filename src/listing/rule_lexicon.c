/*
 * rule_lexicon.c
 *		Rules of kind lexicon: terms in fields of a listing.
 *
 * A lexicon may have a version on trial beside the one in force.  Its hits that the version in force
 * does not have become results that bind nobody, so that a change of terms shows its effect before
 * it has any.
 */
#include "quality_gov.h"

#include "utils/builtins.h"

#include "listing/rules_private.h"

/*
 * A listing stuffed with terms is told this many of them a field and rule, and further ones once
 * each: many of one, which an exception may let pass, must not hide another.
 */
#define HITS_MAX 20
#define TOLD_MAX 200

/* One text being scanned, for the callback of its hits. */
typedef struct FieldScan
{
	QgRuleCase *this;
	const QgRule *rule;
	const char *field;
	bool trial;
	int nhits;
	int nspans;		   /* of hits of the version in force */
	struct Told *hits; /* made with the first, since most texts have none */
} FieldScan;

typedef struct Told
{
	const char *message;
	int span[2];
} Told;

/* Describes a hit: lexicon and version, term, what was matched and where, folds needed to see it. */
static char *
hit_detail(const QgLexiconHit *hit)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	qg_json_text(&detail, "lexicon", hit->lexicon);
	appendStringInfo(&detail, ", \"lexicon_version\": %d", hit->version);
	qg_json_text(&detail, "term", hit->term);
	qg_json_text(&detail, "matched", hit->matched);
	appendStringInfo(&detail, ", \"span\": [%d, %d], \"folds\": [", hit->first, hit->end);
	for (int i = 0; i < hit->nfolds; i++)
		appendStringInfo(&detail, "%s\"%s\"", i > 0 ? ", " : "", hit->folds[i]);
	appendStringInfoString(&detail, "]}");
	return detail.data;
}

/* Tells whether the version in force has the hit, too. */
static bool
known_hit(const FieldScan *scan, const QgLexiconHit *hit)
{
	for (int i = 0; i < scan->nspans; i++)
		if (scan->hits[i].span[0] == hit->first && scan->hits[i].span[1] == hit->end)
			return true;
	return false;
}

/* Tells whether a message was told already. */
static bool
was_told(const FieldScan *scan, const char *message)
{
	for (int i = 0; i < scan->nhits; i++)
		if (strcmp(scan->hits[i].message, message) == 0)
			return true;
	return false;
}

/* Turns a hit of a term into a result; false ends the scan. */
static bool
term_found(const QgLexiconHit *hit, void *arg)
{
	FieldScan *scan = arg;
	QgRuleResult *result;
	char *message;

	if (scan->trial && known_hit(scan, hit))
		return true;
	message = psprintf("\"%s\" in %s: %s", hit->matched, scan->field, scan->rule->form.message);
	if (scan->nhits >= HITS_MAX && was_told(scan, message))
	{
		pfree(message);
		return true;
	}
	result = qg_case_tell(scan->this, QG_RULE_VIOLATION, scan->field, message, hit_detail(hit));
	if (scan->hits == NULL)
		scan->hits = palloc(sizeof(Told) * TOLD_MAX);
	scan->hits[scan->nhits] = (Told){message, {hit->first, hit->end}};
	result->legal_basis = hit->legal_basis;
	result->trial = scan->trial;
	/* Those of the version in force come first. */
	if (!scan->trial)
		scan->nspans++;
	return ++scan->nhits < TOLD_MAX;
}

/* Ends the scan at the first hit. */
static bool
any_found(const QgLexiconHit *hit, void *arg)
{
	*(bool *) arg = true;
	return false;
}

/* Gives the versions to scan for; a rule without any fails, since its silence would deceive. */
static void
find_lexicons(QgRuleCase *this, const QgRule *rule, const QgLexicon **live, const QgLexicon **trial)
{
	*live = qg_case_lexicon(this, rule->lexicon, false);
	*trial = qg_case_lexicon(this, rule->lexicon, true);
	if (*live == NULL && *trial == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("lexicon \"%s\" of rule \"%s\" has no version in force",
							   rule->lexicon, rule->form.rule),
						errhint("Publish a version with quality_gov.lexicon_publish(), or retire "
								"the rule.")));
}

/* Scans the rule's fields for the terms of its lexicon. */
void
qg_rule_ask_lexicon(QgRuleCase *this, const QgRule *rule)
{
	const char *category = qg_case_value(this, QG_SLOT_CATEGORY);
	const QgLexicon *live;
	const QgLexicon *trial;
	int nslots;
	const char *const *slots = qg_rule_set_slots(this->set, &nslots);

	find_lexicons(this, rule, &live, &trial);
	for (int i = 0; i < rule->nfields; i++)
	{
		const char *field = slots[rule->fields[i]];
		const char *text = qg_case_value(this, rule->fields[i]);
		FieldScan scan = {.this = this, .rule = rule, .field = field};

		if (text == NULL)
		{
			if (rule->missing != QG_PASS)
				qg_case_tell_missing(this, QG_RULE_MISSING, rule, rule->fields[i]);
			continue;
		}
		if (live != NULL)
			(void) qg_lexicon_scan(live, text, strlen(text), category, false, term_found, &scan);
		scan.trial = true;
		if (trial != NULL && scan.nhits < TOLD_MAX)
			(void) qg_lexicon_scan(trial, text, strlen(text), category, false, term_found, &scan);
	}
}

/* Tells whether any field of the rule has a term of its lexicon, in force or on trial. */
bool
qg_rule_has_term(QgRuleCase *this, const QgRule *rule)
{
	const char *category = qg_case_value(this, QG_SLOT_CATEGORY);
	const QgLexicon *live;
	const QgLexicon *trial;
	bool found = false;

	find_lexicons(this, rule, &live, &trial);
	for (int i = 0; i < rule->nfields && !found; i++)
	{
		const char *text = qg_case_value(this, rule->fields[i]);

		if (text != NULL && live != NULL)
			(void) qg_lexicon_scan(live, text, strlen(text), category, false, any_found, &found);
		if (text != NULL && trial != NULL && !found)
			(void) qg_lexicon_scan(trial, text, strlen(text), category, false, any_found, &found);
	}
	return found;
}
