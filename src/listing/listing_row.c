/*
 * listing_row.c
 *		The rows that a decision is written as, and what the ledger says of it.
 *
 * JSON is built from its parts, not from text: parsing would be a third of a decision's price.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "listing/listing_case.h"

/* A text above this many bytes is kept as its length and digest. */
#define KEPT_BYTES_MAX 65536

/* The columns of listing_decision and listing_finding, in their order. */
enum
{
	D_MERCHANT,
	D_ID,
	D_RELATION,
	D_LISTING_ID,
	D_CATEGORY,
	D_OPERATION,
	D_AT,
	D_VERDICT,
	D_MODE,
	D_ROLE,
	D_RECORDED_AT,
	D_RULESET,
	D_LISTING,
	D_COLUMNS
};

enum
{
	F_MERCHANT,
	F_ID,
	F_FINDING,
	F_RULE,
	F_VERSION,
	F_VERDICT,
	F_SEVERITY,
	F_FIELD,
	F_MESSAGE,
	F_BASIS,
	F_DETAIL,
	F_COLUMNS
};

/* Adds a member whose value is a number. */
static void
push_number(JsonbParseState **state, const char *key, int64 value)
{
	JsonbValue item = {.type = jbvNumeric};

	qg_jsonb_push_key(state, key);
	item.val.numeric = int64_to_numeric(value);
	(void) pushJsonbValue(state, WJB_VALUE, &item);
}

/* Adds what stands for a text that is too long to keep. */
static void
push_digest(JsonbParseState **state, const char *key, const char *value, size_t length)
{
	Datum digest = DirectFunctionCall1(
		sha256_bytea, PointerGetDatum(cstring_to_text_with_len(value, (int) length)));
	Datum hex = DirectFunctionCall2(binary_encode, digest, CStringGetTextDatum("hex"));

	qg_jsonb_push_key(state, key);
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_number(state, "bytes", (int64) length);
	qg_jsonb_push_text(state, "sha256", TextDatumGetCString(hex));
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Gives the values judged as a JSON object, nulls left out. */
Jsonb *
qg_case_listing(ListingCase *this)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < this->listing.nfields; i++)
	{
		const char *key = this->listing.keys[i];
		const char *value = qg_listing_field(&this->listing, key);
		size_t length = value ? strlen(value) : 0;

		if (length > KEPT_BYTES_MAX)
			push_digest(&state, key, value, length);
		else if (value != NULL)
			qg_jsonb_push_text(&state, key, value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Gives a finding's detail, NULL where it has none. */
static Jsonb *
finding_detail(const QgFinding *finding)
{
	if (finding->detail == NULL)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(finding->detail)));
}

/* Adds a finding in the shape of listing_check()'s rows. */
static void
push_finding(JsonbParseState **state, const QgFinding *finding, Jsonb *detail)
{
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	qg_jsonb_push_text(state, "rule", finding->rule);
	push_number(state, "version", finding->version);
	qg_jsonb_push_text(state, "verdict", qg_verdict_name(finding->verdict));
	qg_jsonb_push_text(state, "severity", finding->severity);
	qg_jsonb_push_text(state, "field", finding->field);
	qg_jsonb_push_text(state, "message", finding->message);
	qg_jsonb_push_text(state, "legal_basis", finding->legal_basis);
	if (detail == NULL)
		qg_jsonb_push_text(state, "detail", NULL);
	else
	{
		JsonbValue item = {.type = jbvBinary};

		qg_jsonb_push_key(state, "detail");
		item.val.binary.data = &detail->root;
		item.val.binary.len = VARSIZE(detail) - VARHDRSZ;
		(void) pushJsonbValue(state, WJB_VALUE, &item);
	}
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Gives a text, noting whether it is null. */
static Datum
text_or_null(const char *value, bool *isnull)
{
	*isnull = value == NULL;
	return value ? CStringGetTextDatum(value) : (Datum) 0;
}

/* Gives the severity of the gravest finding that is not on trial, NULL where there is none. */
static const char *
gravest_severity(List *findings)
{
	static const char *const severities[] = {"low", "medium", "high", "critical"};
	int gravest = -1;
	ListCell *cell;

	foreach (cell, findings)
	{
		const QgFinding *finding = lfirst(cell);

		for (int i = gravest + 1; i < (int) lengthof(severities); i++)
			if (finding->verdict > QG_SHADOW && strcmp(finding->severity, severities[i]) == 0)
				gravest = i;
	}
	return gravest >= 0 ? severities[gravest] : NULL;
}

/* Gives what the ledger says of a decision. */
static Datum
ledger_body(ListingCase *this, const DecisionTaken *taken, Jsonb **details)
{
	JsonbParseState *state = NULL;
	ListCell *cell;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_number(&state, "decision_id", taken->id);
	push_number(&state, "ruleset_id", taken->ruleset);
	qg_jsonb_push_text(&state, "relation", this->mapping->relation);
	qg_jsonb_push_text(&state, "merchant_id", qg_case_field(this, "merchant_id"));
	qg_jsonb_push_text(&state, "listing_id", qg_case_field(this, "listing_id"));
	qg_jsonb_push_text(&state, "operation", taken->operation);
	qg_jsonb_push_text(
		&state, "at",
		JsonEncodeDateTime(NULL, TimestampTzGetDatum(this->at), TIMESTAMPTZOID, NULL));
	qg_jsonb_push_text(&state, "verdict", qg_verdict_name(taken->verdict));
	qg_jsonb_push_text(&state, "guard_mode", qg_guard_mode_name(qg_guard_mode));
	qg_jsonb_push_key(&state, "findings");
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach (cell, this->findings)
		push_finding(&state, lfirst(cell), details[foreach_current_index(cell)]);
	(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Makes a row of a table's type. */
static Datum
make_row(TupleDesc desc, int columns, Datum *values, bool *nulls)
{
	if (desc->natts != columns)
		elog(ERROR, "a table of decisions has %d columns, expected %d", desc->natts, columns);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* Makes the row of listing_decision. */
static Datum
decision_row(ListingCase *this, TupleDesc desc, const DecisionTaken *taken)
{
	Datum values[D_COLUMNS];
	bool nulls[D_COLUMNS] = {false};

	values[D_MERCHANT] = text_or_null(qg_case_field(this, "merchant_id"), &nulls[D_MERCHANT]);
	values[D_ID] = Int64GetDatum(taken->id);
	values[D_RELATION] = CStringGetTextDatum(this->mapping->relation);
	values[D_LISTING_ID] = text_or_null(qg_case_field(this, "listing_id"), &nulls[D_LISTING_ID]);
	values[D_CATEGORY] = text_or_null(qg_case_field(this, "category"), &nulls[D_CATEGORY]);
	values[D_OPERATION] = CStringGetTextDatum(taken->operation);
	values[D_AT] = TimestampTzGetDatum(this->at);
	values[D_VERDICT] = CStringGetTextDatum(qg_verdict_name(taken->verdict));
	values[D_MODE] = CStringGetTextDatum(qg_guard_mode_name(qg_guard_mode));
	values[D_ROLE] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	values[D_RECORDED_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[D_RULESET] = Int64GetDatum(taken->ruleset);
	values[D_LISTING] = JsonbPGetDatum(qg_case_listing(this));
	return make_row(desc, D_COLUMNS, values, nulls);
}

/* Makes a row of listing_finding. */
static Datum
finding_row(ListingCase *this, TupleDesc desc, const DecisionTaken *taken, int n, Jsonb *detail)
{
	const QgFinding *finding = list_nth(this->findings, n);
	Datum values[F_COLUMNS];
	bool nulls[F_COLUMNS] = {false};

	values[F_MERCHANT] = text_or_null(qg_case_field(this, "merchant_id"), &nulls[F_MERCHANT]);
	values[F_ID] = Int64GetDatum(taken->id);
	values[F_FINDING] = Int32GetDatum(n + 1);
	values[F_RULE] = CStringGetTextDatum(finding->rule);
	values[F_VERSION] = Int32GetDatum(finding->version);
	values[F_VERDICT] = CStringGetTextDatum(qg_verdict_name(finding->verdict));
	values[F_SEVERITY] = CStringGetTextDatum(finding->severity);
	values[F_FIELD] = text_or_null(finding->field, &nulls[F_FIELD]);
	values[F_MESSAGE] = CStringGetTextDatum(finding->message);
	values[F_BASIS] = text_or_null(finding->legal_basis, &nulls[F_BASIS]);
	nulls[F_DETAIL] = detail == NULL;
	values[F_DETAIL] = nulls[F_DETAIL] ? (Datum) 0 : JsonbPGetDatum(detail);
	return make_row(desc, F_COLUMNS, values, nulls);
}

/* Makes everything that is written of a decision, in the current memory context. */
DecisionRows
qg_decision_rows(ListingCase *this, TupleDesc decision, TupleDesc finding,
				 const DecisionTaken *taken)
{
	const char *listing = qg_case_field(this, "listing_id");
	int n = list_length(this->findings);
	Jsonb **details = palloc(sizeof(Jsonb *) * (n + 1));
	DecisionRows rows;

	rows.findings = palloc(sizeof(Datum) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		details[i] = finding_detail(list_nth(this->findings, i));
		rows.findings[i] = finding_row(this, finding, taken, i, details[i]);
	}
	rows.decision = decision_row(this, decision, taken);
	rows.body = ledger_body(this, taken, details);
	rows.subject = CStringGetTextDatum(listing ? listing : qg_case_field(this, "merchant_id"));
	rows.grave = taken->verdict > QG_SHADOW ? gravest_severity(this->findings) : NULL;
	return rows;
}
