/*
 * rule_sql.c
 *		Rules of the kinds that are SQL functions: rule_<kind>(params, listing, at).
 *
 * The functions run with the owner's rights over the latest snapshot, as caches are built, through
 * one saved plan a kind.  Most listings never get there: a rule of some regimes is not asked about
 * categories outside them, one that looks for terms only where there is one, and one about a value
 * only where it is given.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "common/guard.h"
#include "listing/rules_private.h"

/* Periods over which a category is under one of some regimes; of no category, over which any is. */
static QgBarSource regime_bars = {
	.sql = "SELECT lower(c.effect), upper(c.effect), 'deny', '', NULL "
		   "FROM quality_gov.category_regime c "
		   "WHERE c.regime = ANY (string_to_array($1, E'\\n')) AND ($2 IS NULL "
		   "OR quality_gov.category_covers(ARRAY[c.category], $2)) "
		   "AND $3::text IS NULL AND $4::text IS NULL",
	.cache = {.name = "listings: regimes", .tables = {"category_regime"}, .build = qg_bars_build}};

typedef struct KindPlan
{
	struct KindPlan *next;
	char *kind;
	SPIPlanPtr plan;
} KindPlan;

static KindPlan *plans = NULL;

/* Gives the saved plan of a kind, inside SPI. */
static SPIPlanPtr
kind_plan(const char *kind)
{
	Oid types[3] = {JSONBOID, JSONBOID, TIMESTAMPTZOID};
	KindPlan *entry = plans;
	SPIPlanPtr plan;

	while (entry != NULL && strcmp(entry->kind, kind) != 0)
		entry = entry->next;
	if (entry != NULL)
		return entry->plan;
	plan = SPI_prepare(psprintf("SELECT outcome::text, field::text, message::text, detail::text "
								"FROM quality_gov.%s($1, $2, $3)",
								quote_identifier(psprintf("rule_%s", kind))),
					   3, types);
	if (plan == NULL)
		elog(ERROR, "could not prepare rules of kind \"%s\"", kind);
	entry = MemoryContextAlloc(TopMemoryContext, sizeof(KindPlan));
	entry->kind = MemoryContextStrdup(TopMemoryContext, kind);
	entry->plan = plan;
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of rules of kind \"%s\"", kind);
	entry->next = plans;
	plans = entry;
	return plan;
}

/* Gives the outcome of a name. */
static QgRuleOutcome
outcome_of(const char *name, const QgRule *rule)
{
	for (int i = 0; name != NULL && i <= QG_RULE_VIOLATION; i++)
		if (strcmp(qg_rule_outcome_name(i), name) == 0)
			return (QgRuleOutcome) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rule kind \"%s\" gave outcome \"%s\"", rule->kind_name, name ? name : "null"),
			 errdetail("Outcomes are violation, missing, exempt and pass.")));
}

/* Tells the rows of the function as results, in the caller's memory context. */
static void
tell_rows(QgRuleCase *this, const QgRule *rule, MemoryContext context)
{
	MemoryContext spi = MemoryContextSwitchTo(context);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		QgRuleOutcome outcome = outcome_of(qg_result_text(i, 1), rule);

		char *message = qg_result_text(i, 3);

		CHECK_FOR_INTERRUPTS();
		if (outcome == QG_RULE_PASS && !this->explain)
			continue;
		/* A term that is found is told with what is wrong with it, as by rules of kind lexicon. */
		if (outcome == QG_RULE_VIOLATION && rule->lexicon != NULL && message != NULL)
			message = psprintf("%s: %s", message, rule->form.message);
		(void) qg_case_tell(this, outcome, qg_result_text(i, 2), message, qg_result_text(i, 4));
	}
	MemoryContextSwitchTo(spi);
}

/* Tells whether a category is under one of some regimes; of no category, whether any is. */
static bool
in_regime(QgRuleCase *this, const char *regimes, const char *category)
{
	const char *const keys[QG_BAR_KEYS] = {regimes, category};
	const QgBar *bars;
	int n = qg_bars_find(&regime_bars, keys, &bars);

	for (int i = 0; i < n; i++)
		if (bars[i].since <= this->at && bars[i].until > this->at)
			return true;
	return false;
}

/*
 * Tells whether a rule's regimes cover the listing.  Leaving out the category must not be a way past
 * the rule: it is then not known, where the platform has any category under them.
 */
QgCover
qg_rule_sql_covers(QgRuleCase *this, const QgRule *rule)
{
	const char *category = qg_case_value(this, QG_SLOT_CATEGORY);
	const char *known = category ? category : ""; /* of "" only what is under * is known */

	if (rule->subject >= 0 && qg_case_value(this, rule->subject) == NULL)
		return QG_COVERS_NOT;
	if (rule->except != NULL && in_regime(this, rule->except, known))
		return QG_COVERS_NOT;
	if (rule->regime == NULL || in_regime(this, rule->regime, known))
		return QG_COVERS;
	return category == NULL && in_regime(this, rule->regime, NULL) ? QG_COVERS_UNKNOWN
																   : QG_COVERS_NOT;
}

/* Tells that it is not known whether a rule's regimes cover a listing without category. */
static void
tell_unknown(QgRuleCase *this, const QgRule *rule)
{
	StringInfoData message;

	initStringInfo(&message);
	appendStringInfoString(&message,
						   "without a category it is not known whether the goods are under ");
	for (const char *c = rule->regime; *c != '\0'; c++)
	{
		if (*c == '\n')
			appendStringInfoString(&message, ", ");
		else
			appendStringInfoChar(&message, *c);
	}
	(void) qg_case_tell(this, QG_RULE_MISSING, "category", message.data, NULL);
}

/*
 * Gives what the function is told of the rule: its params, and where a stored set names the version of
 * their lexicon, that one.
 */
static Jsonb *
told_params(QgRuleCase *this, const QgRule *rule)
{
	const QgLexicon *lexicon;
	Datum version;

	if (this->ruleset == NULL || rule->lexicon == NULL)
		return rule->params;
	lexicon = qg_case_lexicon(this, rule->lexicon, false);
	if (lexicon == NULL)
		return rule->params;
	version = CStringGetDatum(psprintf("{\"lexicon_version\": %d}", lexicon->version));
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(rule->params),
											  DirectFunctionCall1(jsonb_in, version)));
}

/* Asks the function of the rule's kind. */
void
qg_rule_ask_sql(QgRuleCase *this, const QgRule *rule)
{
	MemoryContext caller = CurrentMemoryContext;
	QgCover cover = qg_rule_sql_covers(this, rule);
	Datum values[3];
	QgOwner owner;

	if (cover == QG_COVERS_NOT)
		return;
	if (rule->lexicon != NULL && rule->nfields > 0 && !qg_rule_has_term(this, rule))
		return;
	if (cover == QG_COVERS_UNKNOWN)
	{
		tell_unknown(this, rule);
		return;
	}
	values[0] = JsonbPGetDatum(told_params(this, rule));
	values[1] = JsonbPGetDatum(qg_case_row(this));
	values[2] = TimestampTzGetDatum(this->at);
	qg_owner_begin(&owner);
	qg_latest_snapshot_push();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_plan(kind_plan(rule->kind_name), values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not ask rules of kind \"%s\"", rule->kind_name);
	tell_rows(this, rule, caller);
	SPI_finish();
	PopActiveSnapshot();
	qg_owner_end(&owner);
}
