/*
 * rule_set.c
 *		Every version of every rule in a cache, and which of them a listing must be asked about.
 *
 * A platform has hundreds of rules, most of them for other categories or other days than those of
 * the row at hand.  So what must be asked is planned once: instants at which no rule comes or goes
 * between them share a plan, and so do categories that the same scopes cover, which are those with
 * the same deepest scope above them.  A row finds its plan by two searches, and finds in it only
 * rules that concern it.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "listing/rule_set.h"

/* Plans beyond so many are made for one row and forgotten. */
#define PLANS_MAX 4096

/* Scopes that stand for a listing without category, and for one that no scope covers. */
#define SCOPE_MISSING (-2)
#define SCOPE_NONE (-1)

typedef struct PlanKey
{
	int window; /* number of instants at which something changes up to the one asked for */
	int scope;
} PlanKey;

typedef struct PlanEntry
{
	PlanKey key;
	QgRulePlan plan;
} PlanEntry;

struct QgRuleSet
{
	MemoryContext context;
	int nrules;
	QgRule *rules; /* by name, then version */
	int nperiods;
	QgRulePeriod *periods; /* by name, then version */
	int ninstants;
	TimestampTz *instants; /* at which a period begins or ends, ascending */
	int nscopes;
	char **scopes; /* categories that rules name, ascending */
	int nslots;
	const char **slots; /* names that rules read */
	HTAB *plans;
	QgRulesetText text;
};

static void *build_rules(void);

static QgCache rule_cache = {
	.name = "listing rules", .tables = {"listing_rule", "listing_kind"}, .build = build_rules};

/* Gives the rule kind of a name; what is not native is a function in SQL. */
static QgRuleKind
rule_kind_of(const char *name)
{
	static const char *const names[] = {"lexicon",	 "required", "license",
										"watchlist", "recall",	 "expression"};

	for (int i = 0; i < (int) lengthof(names); i++)
		if (strcmp(names[i], name) == 0)
			return (QgRuleKind) i;
	return QG_RULE_SQL;
}

/* Gives an array of texts of a result row, -1 for null. */
static int
row_texts(uint64 row, int column, char ***texts)
{
	bool isnull;
	Datum value = qg_result_value(row, column, &isnull);
	Datum *items;
	bool *nulls;
	int n;

	if (isnull)
		return -1;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls,
					  &n);
	*texts = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*texts)[i] = nulls[i] ? "" : TextDatumGetCString(items[i]);
	return n;
}

static uint32
name_hash(const void *key, Size size)
{
	return string_hash(*(char *const *) key, PG_INT32_MAX);
}

static int
name_match(const void *a, const void *b, Size size)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Slots by name, while a set is built. */
typedef struct SlotEntry
{
	const char *name;
	int slot;
} SlotEntry;

/* Gives the slot of a name, a new one for a name that is new. */
static int
slot_of(QgRuleSet *set, HTAB *names, const char *name)
{
	bool found;
	SlotEntry *entry = hash_search(names, &name, HASH_ENTER, &found);

	if (!found)
	{
		if (set->slots == NULL)
			set->slots = MemoryContextAlloc(set->context, sizeof(char *) * 16);
		else if (set->nslots >= 16 && (set->nslots & (set->nslots - 1)) == 0)
			set->slots = repalloc(set->slots, sizeof(char *) * set->nslots * 2);
		entry->slot = set->nslots;
		set->slots[set->nslots++] = name;
	}
	return entry->slot;
}

/* Gives the slots of the names in an array of a result row. */
static int
row_slots(QgRuleSet *set, HTAB *names, uint64 row, int column, int **slots)
{
	char **texts;
	int n = row_texts(row, column, &texts);

	*slots = palloc(sizeof(int) * (Max(n, 0) + 1));
	for (int i = 0; i < n; i++)
		(*slots)[i] = slot_of(set, names, texts[i]);
	return Max(n, 0);
}

/* Reads one version from a result row, in the set's memory context. */
static void
read_rule(QgRuleSet *set, QgRule *rule, HTAB *names, uint64 row)
{
	bool isnull;
	char *missing;
	char *subject;

	rule->kind_name = qg_result_text(row, 1);
	rule->kind = rule_kind_of(rule->kind_name);
	rule->form.rule = qg_result_text(row, 2);
	rule->form.version = DatumGetInt32(qg_result_value(row, 3, &isnull));
	rule->form.verdict = qg_verdict_of(qg_result_text(row, 4));
	rule->form.severity = qg_result_text(row, 5);
	rule->form.message = qg_result_text(row, 6);
	rule->form.legal_basis = qg_result_text(row, 7);
	rule->argument = qg_result_text(row, 8);
	rule->nfields = row_slots(set, names, row, 9, &rule->fields);
	rule->ncategories = row_texts(row, 10, &rule->categories);
	missing = qg_result_text(row, 11);
	rule->missing = strcmp(missing, "skip") == 0	  ? QG_PASS
					: strcmp(missing, "verdict") == 0 ? rule->form.verdict
													  : qg_verdict_of(missing);
	rule->missing_given = DatumGetBool(qg_result_value(row, 12, &isnull));
	rule->nreads = row_slots(set, names, row, 13, &rule->reads);
	rule->kind_title = qg_result_text(row, 14);
	rule->params = DatumGetJsonbPCopy(qg_result_value(row, 15, &isnull));
	rule->lexicon = qg_result_text(row, 16);
	subject = qg_result_text(row, 17);
	rule->subject = subject ? slot_of(set, names, subject) : -1;
	rule->regime = qg_result_text(row, 18);
	rule->except = qg_result_text(row, 19);
}

/* Reads every version, drafts too, so that a draft can be tried. */
static void
read_rules(QgRuleSet *set)
{
	static const char *const fixed[QG_SLOT_FIXED] = {"merchant_id", "category", "gtin", "lot"};
	HASHCTL ctl = {.keysize = sizeof(char *),
				   .entrysize = sizeof(SlotEntry),
				   .hash = name_hash,
				   .match = name_match,
				   .hcxt = CurrentMemoryContext};
	HTAB *names = hash_create("quality_gov rule fields", 64, &ctl,
							  HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);

	for (int i = 0; i < QG_SLOT_FIXED; i++)
		slot_of(set, names, fixed[i]);
	set->nrules = (int) qg_cache_select(
		"SELECT kind, rule, version, verdict, severity, title, legal_basis, argument, fields, "
		"categories, missing, missing_given, reads, kind_title, params, lexicon, subject, regime, "
		"except_regime FROM quality_gov.listing_rule_compiled ORDER BY rule COLLATE \"C\", version",
		0, NULL, NULL, NULL);
	set->rules = MemoryContextAllocZero(set->context, sizeof(QgRule) * (set->nrules + 1));
	for (int i = 0; i < set->nrules; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_rule(set, &set->rules[i], names, i);
	}
	hash_destroy(names);
}

static int
compare_instants(const void *a, const void *b)
{
	TimestampTz left = *(const TimestampTz *) a;
	TimestampTz right = *(const TimestampTz *) b;

	return left < right ? -1 : left > right;
}

/* Reads when versions were in force or on trial; both orders are that of the rules. */
static void
read_periods(QgRuleSet *set)
{
	const QgRule *rule = set->rules;

	set->nperiods = (int) qg_cache_select(
		"SELECT rule, version, on_trial, lower(effect), upper(effect) "
		"FROM quality_gov.listing_rule_period "
		"ORDER BY rule COLLATE \"C\", version, on_trial",
		0, NULL, NULL, NULL);
	set->periods = MemoryContextAllocZero(set->context, sizeof(QgRulePeriod) * (set->nperiods + 1));
	set->instants = MemoryContextAlloc(set->context, sizeof(TimestampTz) * (2 * set->nperiods + 1));
	for (int i = 0; i < set->nperiods; i++)
	{
		QgRulePeriod *period = &set->periods[i];
		char *name = qg_result_text(i, 1);
		bool isnull;
		int version = DatumGetInt32(qg_result_value(i, 2, &isnull));

		while (strcmp(rule->form.rule, name) != 0 || rule->form.version != version)
			rule++;
		pfree(name);
		period->rule = rule;
		period->trial = DatumGetBool(qg_result_value(i, 3, &isnull));
		period->since = qg_result_instant(i, 4, DT_NOBEGIN);
		period->until = qg_result_instant(i, 5, DT_NOEND);
		set->instants[set->ninstants++] = period->since;
		set->instants[set->ninstants++] = period->until;
	}
	qsort(set->instants, set->ninstants, sizeof(TimestampTz), compare_instants);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Collects the categories that rules name, each once. */
static void
collect_scopes(QgRuleSet *set)
{
	int total = 0;
	int n = 0;

	for (int i = 0; i < set->nrules; i++)
		total += Max(set->rules[i].ncategories, 0);
	set->scopes = MemoryContextAlloc(set->context, sizeof(char *) * (total + 1));
	for (int i = 0; i < set->nrules; i++)
		for (int j = 0; j < set->rules[i].ncategories; j++)
			set->scopes[n++] = set->rules[i].categories[j];
	qsort(set->scopes, n, sizeof(char *), compare_names);
	for (int i = 0; i < n; i++)
		if (set->nscopes == 0 || strcmp(set->scopes[set->nscopes - 1], set->scopes[i]) != 0)
			set->scopes[set->nscopes++] = set->scopes[i];
}

/* Builds the set. */
static void *
build_rules(void)
{
	QgRuleSet *set = palloc0(sizeof(QgRuleSet));
	HASHCTL ctl = {
		.keysize = sizeof(PlanKey), .entrysize = sizeof(PlanEntry), .hcxt = CurrentMemoryContext};

	set->context = CurrentMemoryContext;
	read_rules(set);
	read_periods(set);
	collect_scopes(set);
	set->plans = hash_create("quality_gov rule plans", 64, &ctl,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	set->text.context = AllocSetContextCreate(set->context, "quality_gov rule set as text",
											  ALLOCSET_SMALL_SIZES);
	return set;
}

/* Gives the rules, current as of this call; they stay good until the end of the transaction. */
const QgRuleSet *
qg_rule_set(void)
{
	return qg_cache_get(&rule_cache);
}

/* Finds a scope by name and length, or SCOPE_NONE. */
static int
find_scope(const QgRuleSet *set, const char *name, size_t length)
{
	int low = 0;
	int high = set->nscopes;

	while (low < high)
	{
		int middle = low + (high - low) / 2;
		int order = strncmp(set->scopes[middle], name, length);

		if (order == 0 && set->scopes[middle][length] == '\0')
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SCOPE_NONE;
}

/* Gives the deepest scope that covers a category. */
static int
scope_of(const QgRuleSet *set, const char *category)
{
	size_t length;

	if (category == NULL)
		return SCOPE_MISSING;
	length = strlen(category);
	while (length > 0)
	{
		int scope = find_scope(set, category, length);

		if (scope != SCOPE_NONE)
			return scope;
		while (--length > 0 && category[length] != '/')
			;
	}
	return SCOPE_NONE;
}

/* Gives the number of changes of the set up to an instant. */
static int
window_of(const QgRuleSet *set, TimestampTz at)
{
	int low = 0;
	int high = set->ninstants;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (set->instants[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes a plan in the current memory context. */
static void
make_plan(const QgRuleSet *set, const char *category, TimestampTz at, QgRulePlan *plan)
{
	plan->nasked = 0;
	plan->asked = palloc(sizeof(QgRulePeriod *) * (set->nperiods + 1));
	for (int i = 0; i < set->nperiods; i++)
	{
		const QgRulePeriod *period = &set->periods[i];

		if (period->since <= at && period->until > at && qg_rule_is_asked(period->rule, category))
			plan->asked[plan->nasked++] = period;
	}
}

/* Gives what a listing of a category is asked at an instant. */
const QgRulePlan *
qg_rule_set_plan(const QgRuleSet *set, const char *category, TimestampTz at)
{
	PlanKey key = {window_of(set, at), scope_of(set, category)};
	PlanEntry *entry = hash_search(set->plans, &key, HASH_FIND, NULL);
	QgRulePlan *plan;
	const QgRulePeriod **kept;

	if (entry != NULL)
		return &entry->plan;
	plan = palloc(sizeof(QgRulePlan));
	make_plan(set, category, at, plan);
	if (hash_get_num_entries(set->plans) >= PLANS_MAX)
		return plan;
	kept = MemoryContextAlloc(set->context, sizeof(QgRulePeriod *) * (plan->nasked + 1));
	memcpy(kept, plan->asked, sizeof(QgRulePeriod *) * plan->nasked);
	entry = hash_search(set->plans, &key, HASH_ENTER, NULL);
	entry->plan.nasked = plan->nasked;
	entry->plan.asked = kept;
	return &entry->plan;
}

/* Gives all periods, in the order of rules. */
const QgRulePeriod *
qg_rule_set_periods(const QgRuleSet *set, int *count)
{
	*count = set->nperiods;
	return set->periods;
}

/* Gives a version of a rule in whatever state, or NULL. */
const QgRule *
qg_rule_set_version(const QgRuleSet *set, const char *rule, int version)
{
	int low = 0;
	int high = set->nrules;

	while (low < high)
	{
		int middle = low + (high - low) / 2;
		int order = strcmp(set->rules[middle].form.rule, rule);

		if (order == 0)
			order = set->rules[middle].form.version - version;
		if (order == 0)
			return &set->rules[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Gives the names that rules read, by slot. */
const char *const *
qg_rule_set_slots(const QgRuleSet *set, int *count)
{
	*count = set->nslots;
	return set->slots;
}

/* Gives the place of the set's text, which is kept with it. */
QgRulesetText *
qg_rule_set_text(const QgRuleSet *set)
{
	return unconstify(QgRulesetText *, &set->text);
}

/* Gives the time around an instant over which no version comes or goes. */
void
qg_rule_set_window(const QgRuleSet *set, TimestampTz at, TimestampTz *since, TimestampTz *until)
{
	int window = window_of(set, at);

	*since = window > 0 ? set->instants[window - 1] : DT_NOBEGIN;
	*until = window < set->ninstants ? set->instants[window] : DT_NOEND;
}
