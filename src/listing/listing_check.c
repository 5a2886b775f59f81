/*
 * listing_check.c
 *		listing_check(), which asks the guards' judge about a listing given as JSON.
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "listing/rules.h"

/* Writes a JSON number; the number of a GTIN has lost the zeros it begins with. */
static char *
number_text(const char *key, Numeric number)
{
	char *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	int length = (int) strlen(text);

	if (strcmp(key, "gtin") != 0 || length >= 14)
		return text;
	return psprintf("%.*s%s", 14 - length, "00000000000000", text);
}

/* Reads the members of a JSON object as named texts. */
static void
read_json(Jsonb *object, QgListing *listing)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue item;
	int n = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("listing must be a JSON object"),
				 errhint("Use the names that the guard's mapping uses, such as "
						 "\"merchant_id\" and \"title\".")));
	listing->keys = palloc0(sizeof(char *) * (JB_ROOT_COUNT(object) + 1));
	listing->values = palloc0(sizeof(char *) * (JB_ROOT_COUNT(object) + 1));
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			listing->keys[n] = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (item.type == jbvString)
				listing->values[n] = pnstrdup(item.val.string.val, item.val.string.len);
			else if (item.type == jbvNumeric)
				listing->values[n] = number_text(listing->keys[n], item.val.numeric);
			else if (item.type == jbvBool)
				listing->values[n] = pstrdup(item.val.boolean ? "t" : "f");
			else if (item.type != jbvNull)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("\"%s\" of the listing must be a single value", listing->keys[n])));
			n++;
		}
	}
	listing->nfields = n;
}

/* listing_check(listing, at): the findings a guard would make, without side effects. */
PG_FUNCTION_INFO_V1(qg_listing_check);
Datum
qg_listing_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	QgListing listing = {0};
	List *findings;
	ListCell *cell;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be null", PG_ARGISNULL(0) ? "listing" : "at")));
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("the instant to judge as of must be finite")));
	read_json(PG_GETARG_JSONB_P(0), &listing);
	findings = qg_listing_judge(&listing, PG_GETARG_TIMESTAMPTZ(1));
	InitMaterializedSRF(fcinfo, 0);
	foreach (cell, findings)
	{
		const QgFinding *finding = lfirst(cell);
		Datum values[8] = {0};
		bool nulls[8] = {false};

		values[0] = CStringGetTextDatum(finding->rule);
		values[1] = Int32GetDatum(finding->version);
		values[2] = CStringGetTextDatum(qg_verdict_name(finding->verdict));
		values[3] = CStringGetTextDatum(finding->severity);
		nulls[4] = finding->field == NULL;
		values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(finding->field);
		values[5] = CStringGetTextDatum(finding->message);
		nulls[6] = finding->legal_basis == NULL;
		values[6] = nulls[6] ? (Datum) 0 : CStringGetTextDatum(finding->legal_basis);
		nulls[7] = finding->detail == NULL;
		values[7] = nulls[7] ? (Datum) 0
							 : DirectFunctionCall1(jsonb_in, CStringGetDatum(finding->detail));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
