/*
 * listing_check.c
 *		The guards' judge asked about a listing given as JSON: listing_check() by the rules in force,
 *		listing_judge() by a stored set of versions.
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "listing/rules.h"

/* Puts a text into a row, NULL as null. */
void
qg_row_put_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* Puts a JSON text into a row, NULL as null. */
void
qg_row_put_json(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text ? DirectFunctionCall1(jsonb_in, CStringGetDatum(text)) : (Datum) 0;
}

/* Puts verdict, severity, field, message, legal basis and detail of a finding into a row. */
void
qg_row_put_finding(Datum *values, bool *nulls, int column, const QgFinding *finding)
{
	qg_row_put_text(values, nulls, column++, qg_verdict_name(finding->verdict));
	qg_row_put_text(values, nulls, column++, finding->severity);
	qg_row_put_text(values, nulls, column++, finding->field);
	qg_row_put_text(values, nulls, column++, finding->message);
	qg_row_put_text(values, nulls, column++, finding->legal_basis);
	qg_row_put_json(values, nulls, column, finding->detail);
}

/* Gives an argument that must be a finite instant. */
TimestampTz
qg_argument_instant(FunctionCallInfo fcinfo, int argument)
{
	qg_argument_require(fcinfo, argument, "at");
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(argument)))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("the instant to judge as of must be finite")));
	return PG_GETARG_TIMESTAMPTZ(argument);
}

/* Gives an argument that must be a listing. */
void
qg_argument_listing(FunctionCallInfo fcinfo, int argument, QgListing *listing)
{
	qg_argument_require(fcinfo, argument, "listing");
	qg_listing_read_json(PG_GETARG_JSONB_P(argument), listing);
}

/* Gives findings as the result's rows. */
static Datum
give_findings(FunctionCallInfo fcinfo, List *findings)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach (cell, findings)
	{
		const QgFinding *finding = lfirst(cell);
		Datum values[8] = {0};
		bool nulls[8] = {false};

		qg_row_put_text(values, nulls, 0, finding->rule);
		values[1] = Int32GetDatum(finding->version);
		qg_row_put_finding(values, nulls, 2, finding);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* listing_check(listing, at): the findings a guard would make, without side effects. */
PG_FUNCTION_INFO_V1(qg_listing_check);
Datum
qg_listing_check(PG_FUNCTION_ARGS)
{
	QgListing listing;

	qg_argument_listing(fcinfo, 0, &listing);
	return give_findings(fcinfo, qg_listing_judge(&listing, qg_argument_instant(fcinfo, 1)));
}

/* listing_judge(listing, ruleset, at): the findings by a stored set of versions. */
PG_FUNCTION_INFO_V1(qg_listing_judge_sql);
Datum
qg_listing_judge_sql(PG_FUNCTION_ARGS)
{
	QgListing listing;

	qg_argument_listing(fcinfo, 0, &listing);
	qg_argument_require(fcinfo, 1, "ruleset");
	return give_findings(fcinfo, qg_listing_judge_set(&listing, qg_argument_instant(fcinfo, 2),
													  PG_GETARG_JSONB_P(1)));
}
