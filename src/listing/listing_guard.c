/*
 * listing_guard.c
 *		The guard of a platform's listing table, and listing_check(), which asks the same judge.
 *
 * Two triggers share the work.  The one BEFORE the row decides: it refuses, or holds the row by its
 * status column.  It may fire for a row that ON CONFLICT never stores, and a later trigger may
 * change the row, so the one AFTER judges what was really stored and writes decision and findings.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "listing/denial.h"
#include "listing/rules.h"

/* What the judgement reads and what it leaves. */
typedef struct ListingCase
{
	HeapTuple row;
	TupleDesc desc;
	const QgMapping *mapping;
	TimestampTz at;
	QgListing listing;
	List *findings;
} ListingCase;

/* Reads a mapped column of the row. */
static void
load_field(QgListing *listing, int field)
{
	ListingCase *this = listing->source;

	listing->values[field] = qg_column_text(&this->mapping->columns[field], this->row, this->desc);
}

/* Judges the row; its columns are read when a rule asks for them. */
static void
judge_row(const QgMapping *mapping, void *arg)
{
	ListingCase *this = arg;

	/* The statement's instant, so that what came into force since the transaction began counts. */
	this->at = qg_mapping_instant(mapping, "at", this->row, this->desc,
								  GetCurrentStatementStartTimestamp());
	this->mapping = mapping;
	this->listing.relation = mapping->relation;
	this->listing.nfields = mapping->ncolumns;
	this->listing.keys = palloc(sizeof(char *) * (mapping->ncolumns + 1));
	this->listing.values = palloc0(sizeof(char *) * (mapping->ncolumns + 1));
	this->listing.loaded = palloc0(sizeof(bool) * (mapping->ncolumns + 1));
	this->listing.load = load_field;
	this->listing.source = this;
	for (int i = 0; i < mapping->ncolumns; i++)
		this->listing.keys[i] = mapping->columns[i].key;
	this->findings = qg_listing_judge(&this->listing, this->at);
}

/* Judges the trigger's row; false where the guard does not judge it. */
static bool
judge_trigger_row(TriggerData *trigger, const QgMapping *mapping, ListingCase *this)
{
	bool update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);

	this->row = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	this->desc = RelationGetDescr(trigger->tg_relation);
	if (qg_guard_mode == QG_MODE_OFF)
		return false;
	if (update && !qg_mapping_changed(mapping, trigger->tg_trigtuple, this->row, this->desc))
		return false;
	return qg_guard_judge(mapping, judge_row, this);
}

/* Writes the mapped values as a JSON object. */
static char *
listing_json(QgListing *listing)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < listing->nfields; i++)
	{
		const char *value = qg_listing_field(listing, listing->keys[i]);

		if (value == NULL)
			continue;
		appendStringInfoString(&json, json.len == 0 ? "{" : ", ");
		escape_json(&json, listing->keys[i]);
		appendStringInfoString(&json, ": ");
		escape_json(&json, value);
	}
	appendStringInfoString(&json, json.len == 0 ? "{}" : "}");
	return json.data;
}

/* Raises the error of a denied listing, with every finding in its detail. */
static void
deny(ListingCase *this, bool update)
{
	qg_denial_record(this->mapping->relation, qg_listing_field(&this->listing, "merchant_id"),
					 qg_listing_field(&this->listing, "listing_id"),
					 qg_listing_field(&this->listing, "category"), update ? "UPDATE" : "INSERT",
					 this->at, qg_verdict_name(QG_DENY), qg_findings_json(this->findings),
					 listing_json(&this->listing));
	ereport(ERROR,
			(errcode(ERRCODE_QG_LISTING_DENIED),
			 errmsg("listing is denied: %s", qg_findings_summary(this->findings, QG_DENY)),
			 errdetail_internal("%s", qg_findings_json(this->findings)),
			 errhint("The detail lists every finding, as quality_gov.listing_check() would.")));
}

/* Gives the row with its status column set to the value that holds a listing. */
static HeapTuple
hold(const QgMapping *mapping, ListingCase *this)
{
	const QgColumn *status = qg_mapping_column(mapping, "status");
	const char *value = qg_mapping_option(mapping, "held");
	Oid input;
	Oid ioparam;
	Datum datum;
	bool isnull = false;
	int attnum;

	if (status == NULL || value == NULL)
		return this->row;
	attnum = status->attnum;
	getTypeInputInfo(status->type, &input, &ioparam);
	datum = OidInputFunctionCall(input, unconstify(char *, value), ioparam,
								 TupleDescAttr(this->desc, attnum - 1)->atttypmod);
	return heap_modify_tuple_by_cols(this->row, this->desc, 1, &attnum, &datum, &isnull);
}

/* Tells whether a verdict of deny stores the row as held instead of failing the statement. */
static bool
deny_holds(const QgMapping *mapping)
{
	const char *on_deny = qg_mapping_option(mapping, "on_deny");

	return on_deny != NULL && strcmp(on_deny, "quarantine") == 0;
}

/* Trigger of guard_listing(), BEFORE: refuses or holds the row. */
PG_FUNCTION_INFO_V1(qg_guard_listing_before);
Datum
qg_guard_listing_before(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "guard_listing_before",
											  QG_TRIGGER_BEFORE | QG_TRIGGER_ROW, 3);
	const QgMapping *mapping = qg_mapping_get(trigger);
	ListingCase this = {0};
	QgVerdict verdict;

	qg_guard_mode_record(mapping);
	if (!judge_trigger_row(trigger, mapping, &this) || qg_guard_mode == QG_MODE_SHADOW)
		return PointerGetDatum(this.row);
	verdict = qg_findings_verdict(this.findings);
	if (verdict == QG_DENY && !deny_holds(mapping))
		deny(&this, TRIGGER_FIRED_BY_UPDATE(trigger->tg_event));
	if (verdict >= QG_QUARANTINE)
		this.row = hold(mapping, &this);
	return PointerGetDatum(this.row);
}

/* Writes decision and findings of a stored row. */
static void
record_decision(const QgMapping *mapping, TriggerData *trigger, ListingCase *this,
				QgVerdict verdict)
{
	static SPIPlanPtr plan = NULL;
	Oid types[9] = {TEXTOID,		TEXTOID, TEXTOID,  TEXTOID, TEXTOID,
					TIMESTAMPTZOID, TEXTOID, JSONBOID, TEXTOID};
	const char *listing = qg_listing_field(&this->listing, "listing_id");
	const char *category = qg_listing_field(&this->listing, "category");
	char nulls[10] = "         ";
	Datum values[9];
	QgOwner owner;

	values[0] = CStringGetTextDatum(mapping->relation);
	values[1] = CStringGetTextDatum(qg_listing_field(&this->listing, "merchant_id"));
	values[2] = listing ? CStringGetTextDatum(listing) : (Datum) 0;
	nulls[2] = listing ? ' ' : 'n';
	values[3] = category ? CStringGetTextDatum(category) : (Datum) 0;
	nulls[3] = category ? ' ' : 'n';
	values[4] = CStringGetTextDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE"
																			   : "INSERT");
	values[5] = TimestampTzGetDatum(this->at);
	values[6] = CStringGetTextDatum(qg_verdict_name(verdict));
	values[7] = DirectFunctionCall1(jsonb_in, CStringGetDatum(qg_findings_json(this->findings)));
	values[8] = CStringGetTextDatum(qg_guard_mode_name(qg_guard_mode));

	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (plan == NULL)
	{
		plan = SPI_prepare("SELECT quality_gov.listing_record($1, $2, $3, $4, $5, $6, $7, $8, $9)",
						   9, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the listing decision");
	}
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not record the listing decision");
	SPI_finish();
	qg_owner_end(&owner);
}

/* Trigger of guard_listing(), AFTER: judges the row as it was stored and records what it found. */
PG_FUNCTION_INFO_V1(qg_guard_listing_after);
Datum
qg_guard_listing_after(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "guard_listing_after",
											  QG_TRIGGER_AFTER | QG_TRIGGER_ROW, 3);
	const QgMapping *mapping = qg_mapping_get(trigger);
	ListingCase this = {0};
	QgVerdict verdict;

	if (!judge_trigger_row(trigger, mapping, &this))
		return PointerGetDatum(NULL);
	verdict = qg_findings_verdict(this.findings);
	if (qg_guard_mode == QG_MODE_SHADOW && verdict > QG_SHADOW)
		verdict = QG_SHADOW;
	if (verdict == QG_DENY && !deny_holds(mapping))
		deny(&this, TRIGGER_FIRED_BY_UPDATE(trigger->tg_event));
	/* A deny that holds the row is recorded as what happened to it. */
	if (verdict == QG_DENY)
		verdict = QG_QUARANTINE;
	if (verdict == QG_PASS && TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(NULL);
	record_decision(mapping, trigger, &this, verdict);
	return PointerGetDatum(NULL);
}

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
