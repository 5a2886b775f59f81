/*
 * rules.c
 *		Judging a listing by the rules in force at an instant.
 *
 * The guard and listing_check() come here with the same thing, a list of named texts, so that a
 * dry run cannot differ from the real one.  Rules are kept in a cache with their periods; what
 * concerns the merchant and recalls comes from SQL functions through the memory of bars.  Rules
 * are independent of each other: every rule that applies is asked, none looks at another's result.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "listing/listing.h"
#include "listing/rules.h"

/* A listing stuffed with terms is told this many of them a field and rule. */
#define HITS_MAX 20

typedef enum RuleKind
{
	RULE_LEXICON,
	RULE_REQUIRED,
	RULE_LICENSE,
	RULE_WATCHLIST
} RuleKind;

typedef struct ListingRule
{
	RuleKind kind;
	QgFinding form; /* what every finding of the rule has in common */
	char *argument; /* lexicon, licence kind or list */
	int nfields;
	char **fields;
	int ncategories; /* -1: every category */
	char **categories;
	TimestampTz since;
	TimestampTz until;
} ListingRule;

typedef struct RuleSet
{
	int nrules;
	ListingRule *rules;
} RuleSet;

/* One text being scanned, for the callback of its hits. */
typedef struct FieldScan
{
	const ListingRule *rule;
	const char *field;
	int nhits;
	List *findings;
} FieldScan;

static void *build_rules(void);

static QgCache rule_cache = {
	.name = "listing rules", .tables = {"listing_rule"}, .build = build_rules};

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
	.cache = {.name = "listings: recalls",
			  .tables = {"recall_step", "recall_scope"},
			  .build = qg_bars_build}};

/* Gives the rule kind of a name; the table checks names, so an unknown one cannot happen. */
static RuleKind
rule_kind_of(const char *name)
{
	static const char *const names[] = {"lexicon", "required", "license", "watchlist"};

	for (int i = 0; i < (int) lengthof(names); i++)
		if (strcmp(names[i], name) == 0)
			return (RuleKind) i;
	elog(ERROR, "unknown rule kind \"%s\"", name);
}

/* Gives column's text of the current result row in the cache's context, NULL for null. */
static char *
row_text(uint64 row, int column, MemoryContext context)
{
	char *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(context, value) : NULL;
}

/* Gives an array of texts of the current result row, -1 for null. */
static int
row_texts(uint64 row, int column, MemoryContext context, char ***texts)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	Datum *items;
	bool *nulls;
	int n;

	if (isnull)
		return -1;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls,
					  &n);
	*texts = MemoryContextAlloc(context, sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*texts)[i] = MemoryContextStrdup(context, nulls[i] ? "" : TextDatumGetCString(items[i]));
	return n;
}

/* Gives a bound of a period of the current result row. */
static TimestampTz
row_bound(uint64 row, int column, TimestampTz infinite)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? infinite : DatumGetTimestampTz(value);
}

/* Builds the rule set: every version that is or was in force, with its period. */
static void *
build_rules(void)
{
	MemoryContext context = CurrentMemoryContext;
	RuleSet *set = palloc0(sizeof(RuleSet));

	set->nrules = (int) qg_cache_select(
		"SELECT kind, rule, version, CASE state WHEN 'shadow' THEN 'shadow' ELSE verdict END, "
		"severity, title, legal_basis, params ->> kind, "
		"ARRAY(SELECT jsonb_array_elements_text(params -> 'fields')), categories, "
		"lower(effect), upper(effect) "
		"FROM quality_gov.listing_rule WHERE state IN ('shadow', 'active', 'retired') "
		"AND kind IN ('lexicon', 'required', 'license', 'watchlist') "
		"AND NOT isempty(effect) ORDER BY rule, version",
		0, NULL, NULL, NULL);
	set->rules = MemoryContextAllocZero(context, sizeof(ListingRule) * (set->nrules + 1));
	for (int i = 0; i < set->nrules; i++)
	{
		ListingRule *rule = &set->rules[i];

		rule->kind = rule_kind_of(row_text(i, 1, context));
		rule->form.rule = row_text(i, 2, context);
		rule->form.version = atoi(row_text(i, 3, context));
		rule->form.verdict = qg_verdict_of(row_text(i, 4, context));
		rule->form.severity = row_text(i, 5, context);
		rule->form.message = row_text(i, 6, context);
		rule->form.legal_basis = row_text(i, 7, context);
		rule->argument = row_text(i, 8, context);
		rule->nfields = row_texts(i, 9, context, &rule->fields);
		rule->ncategories = row_texts(i, 10, context, &rule->categories);
		rule->since = row_bound(i, 11, DT_NOBEGIN);
		rule->until = row_bound(i, 12, DT_NOEND);
	}
	return set;
}

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

/* Tells whether a rule is in force at the instant and concerns the category. */
static bool
rule_applies(const ListingRule *rule, const char *category, TimestampTz at)
{
	if (rule->since > at || rule->until <= at)
		return false;
	if (rule->ncategories < 0)
		return true;
	for (int i = 0; category != NULL && i < rule->ncategories; i++)
	{
		size_t length = strlen(rule->categories[i]);

		if (strcmp(rule->categories[i], "*") == 0 ||
			(strncmp(rule->categories[i], category, length) == 0 &&
			 (category[length] == '\0' || category[length] == '/')))
			return true;
	}
	return false;
}

/* Makes a finding of a rule. */
static QgFinding *
make_finding(const ListingRule *rule, const char *field, char *message, char *detail)
{
	QgFinding *finding = palloc(sizeof(QgFinding));

	*finding = rule->form;
	finding->field = field;
	finding->message = message;
	finding->detail = detail;
	return finding;
}

/* Describes a hit: lexicon and version, term, what was matched and where, folds needed to see it. */
static char *
hit_detail(const QgLexiconHit *hit)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"lexicon\": ");
	escape_json(&detail, hit->lexicon);
	appendStringInfo(&detail, ", \"lexicon_version\": %d, \"term\": ", hit->version);
	escape_json(&detail, hit->term);
	appendStringInfoString(&detail, ", \"matched\": ");
	escape_json(&detail, hit->matched);
	appendStringInfo(&detail, ", \"span\": [%d, %d], \"folds\": [", hit->first, hit->end);
	for (int i = 0; i < hit->nfolds; i++)
		appendStringInfo(&detail, "%s\"%s\"", i > 0 ? ", " : "", hit->folds[i]);
	appendStringInfoString(&detail, "]}");
	return detail.data;
}

/* Turns a hit of a term into a finding; false ends the scan. */
static bool
term_found(const QgLexiconHit *hit, void *arg)
{
	FieldScan *scan = arg;
	QgFinding *finding = make_finding(
		scan->rule, scan->field,
		psprintf("\"%s\" in %s: %s", hit->matched, scan->field, scan->rule->form.message),
		hit_detail(hit));

	if (hit->legal_basis != NULL)
		finding->legal_basis = hit->legal_basis;
	scan->findings = lappend(scan->findings, finding);
	return ++scan->nhits < HITS_MAX;
}

/* Scans the rule's fields for the terms of its lexicon. */
static List *
judge_lexicon(const ListingRule *rule, QgListing *listing, TimestampTz at, List *findings)
{
	const QgLexicon *lexicon = qg_lexicon_find(rule->argument, at);

	if (lexicon == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("lexicon \"%s\" of rule \"%s\" has no version in force",
							   rule->argument, rule->form.rule),
						errhint("Publish a version with quality_gov.lexicon_publish(), or retire "
								"the rule.")));
	for (int i = 0; i < rule->nfields; i++)
	{
		const char *text = qg_listing_field(listing, rule->fields[i]);
		FieldScan scan = {.rule = rule, .field = rule->fields[i], .findings = findings};

		if (text == NULL)
			continue;
		(void) qg_lexicon_scan(lexicon, text, strlen(text), qg_listing_field(listing, "category"),
							   false, term_found, &scan);
		findings = scan.findings;
	}
	return findings;
}

/* Asks one rule. */
static List *
judge_rule(const ListingRule *rule, QgListing *listing, TimestampTz at, List *findings)
{
	const char *merchant = qg_listing_field(listing, "merchant_id");
	const char *category = qg_listing_field(listing, "category");
	QgFinding form = rule->form;

	switch (rule->kind)
	{
		case RULE_LEXICON:
			return judge_lexicon(rule, listing, at, findings);
		case RULE_REQUIRED:
			for (int i = 0; i < rule->nfields; i++)
				if (qg_listing_field(listing, rule->fields[i]) == NULL)
					findings = lappend(findings,
									   make_finding(rule, rule->fields[i],
													psprintf("\"%s\" is missing: %s",
															 rule->fields[i], rule->form.message),
													NULL));
			return findings;
		case RULE_LICENSE:
		case RULE_WATCHLIST:
			form.field = "merchant_id";
			return qg_findings_of_bars(findings, &merchant_bars,
									   (const char *const[QG_BAR_KEYS]){
										   merchant,
										   rule->kind == RULE_LICENSE ? "license" : "watchlist",
										   rule->argument, category},
									   at, &form);
	}
	return findings;
}

/* Gives every finding against a listing as of an instant. */
List *
qg_listing_judge(QgListing *listing, TimestampTz at)
{
	const QgFinding seller = {
		.rule = "merchant_may", .severity = "high", .field = "merchant_id", .verdict = QG_DENY};
	const QgFinding goods = {.rule = "recall", .severity = "critical", .field = "gtin"};
	const char *merchant = qg_listing_field(listing, "merchant_id");
	const char *category = qg_listing_field(listing, "category");
	const char *gtin = qg_listing_field(listing, "gtin");
	const RuleSet *set = qg_cache_get(&rule_cache);
	List *findings = NIL;

	if (merchant == NULL)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("listing names no merchant"),
						errdetail("\"merchant_id\" is missing or null.")));
	findings = qg_findings_of_bars(
		findings, &merchant_bars,
		(const char *const[QG_BAR_KEYS]){merchant, "may", "list", category}, at, &seller);
	if (gtin != NULL)
		findings = qg_findings_of_bars(
			findings, &recall_bars,
			(const char *const[QG_BAR_KEYS]){gtin, qg_listing_field(listing, "lot")}, at, &goods);
	for (int i = 0; i < set->nrules; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (rule_applies(&set->rules[i], category, at))
			findings = judge_rule(&set->rules[i], listing, at, findings);
	}
	return findings;
}
