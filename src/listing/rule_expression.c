/*
 * rule_expression.c
 *		Rules of kind expression: an SQL/JSON path predicate over the listing.
 *
 * The server's own engine evaluates it.  TRUE is a violation and FALSE is none; whatever else comes
 * out, an error or the null of a comparison that cannot be made, is a value that the rule could not
 * use, and the rule says what becomes of that.  So a rule never falls silent because of a value that
 * it did not expect.
 */
#include "quality_gov.h"

#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "listing/rules_private.h"

/* Gives the rule's path, parsed once. */
static JsonPath *
rule_path(const QgRule *rule)
{
	QgRule *this = unconstify(QgRule *, rule);

	if (this->path == NULL)
	{
		JsonPath *path = DatumGetJsonPathP(
			DirectFunctionCall1(jsonpath_in, CStringGetDatum(rule->argument)));
		JsonPath *kept = MemoryContextAlloc(GetMemoryChunkContext(rule->argument), VARSIZE(path));

		memcpy(kept, path, VARSIZE(path));
		this->path = kept;
	}
	return this->path;
}

/* Makes the variables of paths: "at" as ISO 8601 in UTC, "today" as the date in China. */
static Jsonb *
make_variables(TimestampTz at)
{
	struct pg_tm tm;
	fsec_t fsec;
	char text[2][32];

	for (int i = 0; i < 2; i++)
	{
		/* China has had one time zone without summer time since 1992. */
		if (timestamp2tm(i == 0 ? at : at + 8 * USECS_PER_HOUR, NULL, &tm, &fsec, NULL, NULL) != 0)
			ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
							errmsg("timestamp out of range")));
		if (i == 0)
			snprintf(text[i], sizeof(text[i]), "%04d-%02d-%02d %02d:%02d:%02d+00", tm.tm_year,
					 tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		else
			snprintf(text[i], sizeof(text[i]), "%04d-%02d-%02d", tm.tm_year, tm.tm_mon, tm.tm_mday);
	}
	return DatumGetJsonbP(DirectFunctionCall1(
		jsonb_in,
		CStringGetDatum(psprintf("{\"at\": \"%s\", \"today\": \"%s\"}", text[0], text[1]))));
}

/* Gives the variables of paths, made once a listing. */
static Jsonb *
path_variables(QgRuleCase *this)
{
	if (this->variables == NULL)
		this->variables = make_variables(this->at);
	return this->variables;
}

/*
 * Evaluates the path; false with an error's message where it fails.  No subtransaction is needed to
 * go on after an error: a path over a value in memory opens and locks nothing, and a worker could
 * not have one.
 */
static bool
evaluate(QgRuleCase *this, const QgRule *rule, bool *isnull, bool *result, char **error)
{
	LOCAL_FCINFO(fcinfo, 4);
	MemoryContext context = CurrentMemoryContext;
	volatile bool done = false;

	InitFunctionCallInfoData(*fcinfo, NULL, 4, DEFAULT_COLLATION_OID, NULL, NULL);
	fcinfo->args[0].value = JsonbPGetDatum(qg_case_row(this));
	fcinfo->args[1].value = PointerGetDatum(rule_path(rule));
	fcinfo->args[2].value = JsonbPGetDatum(path_variables(this));
	fcinfo->args[3].value = BoolGetDatum(false);
	for (int i = 0; i < 4; i++)
		fcinfo->args[i].isnull = false;
	PG_TRY();
	{
		*result = DatumGetBool(jsonb_path_match(fcinfo));
		*isnull = fcinfo->isnull;
		done = true;
	}
	PG_CATCH();
	{
		ErrorData *data;

		MemoryContextSwitchTo(context);
		/* Dates that could be compared only by the session's time zone are not supported. */
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION &&
			geterrcode() != ERRCODE_FEATURE_NOT_SUPPORTED)
			PG_RE_THROW();
		data = CopyErrorData();
		FlushErrorState();
		*error = data->message;
	}
	PG_END_TRY();
	return done;
}

/* Asks the path, once the values it needs are there. */
void
qg_rule_ask_expression(QgRuleCase *this, const QgRule *rule)
{
	StringInfoData detail;
	bool isnull = false;
	bool violated = false;
	bool complete = true;
	char *error = "the condition is neither true nor false for these values";
	int nslots;
	const char *const *slots = qg_rule_set_slots(this->set, &nslots);

	for (int i = 0; i < rule->nfields; i++)
	{
		if (qg_case_value(this, rule->fields[i]) != NULL)
			continue;
		complete = false;
		qg_case_tell_missing(this, QG_RULE_MISSING, rule, rule->fields[i]);
	}
	if (!complete)
		return;
	if (evaluate(this, rule, &isnull, &violated, &error) && !isnull)
	{
		if (violated)
			(void) qg_case_tell(this, QG_RULE_VIOLATION,
								rule->nfields > 0 ? slots[rule->fields[0]] : NULL, NULL, NULL);
		return;
	}
	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	qg_json_text(&detail, "error", error);
	appendStringInfoChar(&detail, '}');
	(void) qg_case_tell(this, QG_RULE_MISSING, rule->nfields > 0 ? slots[rule->fields[0]] : NULL,
						psprintf("cannot be decided: %s", rule->form.message), detail.data);
}
