/*
 * listing_guard.c
 *		The guard of a platform's listing table.
 *
 * Two row triggers share the work.  The one BEFORE the row decides: it refuses the row, passes it
 * over, or holds it by its status column.  It may fire for a row that ON CONFLICT never stores, and
 * a later trigger may change the row, so the one AFTER sees to what was really stored: a row that
 * may have changed or was not found clean is judged again, and what was found is recorded.  Two
 * statement triggers around them let the decisions of a statement be written together.
 */
#include "quality_gov.h"

#include "commands/trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "listing/denial.h"
#include "listing/listing_case.h"

/* Gives the name of what fired a trigger. */
static const char *
operation_of(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE" : "INSERT";
}

/* Fills in the trigger's row; false where the guard does not look at it. */
static bool
open_case(TriggerData *trigger, const QgMapping *mapping, ListingCase *this)
{
	bool update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);

	this->row = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	this->desc = RelationGetDescr(trigger->tg_relation);
	this->mapping = mapping;
	return qg_guard_mode != QG_MODE_OFF &&
		   !(update && !qg_mapping_changed(mapping, trigger->tg_trigtuple, this->row, this->desc));
}

/* Keeps the attempt that is about to be refused or passed over. */
static void
record_attempt(ListingCase *this, const char *operation)
{
	Jsonb *listing = qg_case_listing(this);

	qg_denial_record(this->mapping->relation, qg_case_field(this, "merchant_id"),
					 qg_case_field(this, "listing_id"), qg_case_field(this, "category"), operation,
					 this->at, qg_verdict_name(QG_DENY), qg_findings_json(this->findings),
					 JsonbToCString(NULL, &listing->root, VARSIZE(listing)));
}

/* Raises the error of a denied listing, with every finding in its detail. */
static void
deny(ListingCase *this, const char *operation)
{
	record_attempt(this, operation);
	ereport(ERROR,
			(errcode(ERRCODE_QG_LISTING_DENIED),
			 errmsg("listing is denied: %s", qg_findings_summary(this->findings, QG_DENY)),
			 errdetail_internal("%s", qg_findings_json(this->findings)),
			 errhint("The detail lists every finding, as quality_gov.listing_check() would.")));
}

/* Gives the row with its status column set to the value that holds a listing. */
static HeapTuple
hold(ListingCase *this)
{
	const QgColumn *status = qg_mapping_column(this->mapping, "status");
	const char *value = qg_mapping_option(this->mapping, "held");
	Form_pg_attribute att;
	Oid input;
	Oid ioparam;
	Datum datum;
	bool isnull = false;
	int attnum;

	if (status == NULL || value == NULL)
		return this->row;
	qg_column_require(status);
	attnum = status->attnum;
	att = TupleDescAttr(this->desc, attnum - 1);
	getTypeInputInfo(att->atttypid, &input, &ioparam);
	datum = OidInputFunctionCall(input, unconstify(char *, value), ioparam, att->atttypmod);
	return heap_modify_tuple_by_cols(this->row, this->desc, 1, &attnum, &datum, &isnull);
}

/* Tells whether an update only holds a listing, which is never refused. */
static bool
update_holds(const TriggerData *trigger, const ListingCase *this)
{
	const QgColumn *status = qg_mapping_column(this->mapping, "status");
	const char *held = qg_mapping_option(this->mapping, "held");
	const char *value;

	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) || status == NULL || held == NULL ||
		qg_mapping_changed_but(this->mapping, trigger->tg_trigtuple, this->row, this->desc, status))
		return false;
	value = qg_column_text(status, this->row, this->desc);
	return value != NULL && strcmp(value, held) == 0;
}

/* Tells whether a denied row is stored as held. */
static bool
deny_holds(const TriggerData *trigger, const ListingCase *this)
{
	return qg_mapping_option_is(this->mapping, "on_deny", "quarantine") ||
		   update_holds(trigger, this);
}

/*
 * Tells whether a denied row is passed over.  A row that moves between partitions is deleted from
 * one before it comes to the other, and would be lost.
 */
static bool
deny_skips(const TriggerData *trigger, const QgMapping *mapping)
{
	return qg_mapping_option_is(mapping, "on_deny", "skip") &&
		   !trigger->tg_relation->rd_rel->relispartition;
}

/* Trigger of guard_listing(), BEFORE: refuses, passes over or holds the row. */
PG_FUNCTION_INFO_V1(qg_guard_listing_before);
Datum
qg_guard_listing_before(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "guard_listing_before",
											  QG_TRIGGER_BEFORE | QG_TRIGGER_ROW, 3);
	const QgMapping *mapping = qg_mapping_get(trigger);
	const char *operation = operation_of(trigger);
	ListingCase this = {0};
	QgVerdict verdict;

	qg_guard_mode_record(mapping);
	if (!open_case(trigger, mapping, &this))
	{
		if (qg_guard_mode == QG_MODE_OFF)
			qg_rows_unjudged();
		return PointerGetDatum(this.row);
	}
	if (!qg_case_judge(&this, mapping))
	{
		qg_rows_unjudged();
		return PointerGetDatum(this.row);
	}
	qg_rows_judged(&this, RelationGetRelid(trigger->tg_relation), this.findings == NIL);
	if (this.findings == NIL || qg_guard_mode == QG_MODE_SHADOW)
		return PointerGetDatum(this.row);
	verdict = qg_findings_verdict(this.findings);
	if (verdict == QG_DENY && !deny_holds(trigger, &this))
	{
		if (!deny_skips(trigger, mapping))
			deny(&this, operation);
		record_attempt(&this, psprintf("%s skipped", operation));
		return PointerGetDatum(NULL);
	}
	if (verdict >= QG_QUARANTINE)
		this.row = hold(&this);
	return PointerGetDatum(this.row);
}

/* Trigger of guard_listing(), AFTER: judges what was stored where need be and records what it finds. */
PG_FUNCTION_INFO_V1(qg_guard_listing_after);
Datum
qg_guard_listing_after(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "guard_listing_after",
											  QG_TRIGGER_AFTER | QG_TRIGGER_ROW, 3);
	const QgMapping *mapping = qg_mapping_get(trigger);
	ListingCase this = {0};
	QgVerdict verdict;

	if (!open_case(trigger, mapping, &this))
		return PointerGetDatum(NULL);
	this.known_clean = qg_row_known_clean(&this, trigger);
	if (this.known_clean && TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(NULL);
	if (!qg_case_judge(&this, mapping))
		return PointerGetDatum(NULL);
	verdict = qg_findings_verdict(this.findings);
	if (qg_guard_mode == QG_MODE_SHADOW && verdict > QG_SHADOW)
		verdict = QG_SHADOW;
	if (verdict == QG_DENY && !deny_holds(trigger, &this))
		deny(&this, operation_of(trigger));
	/* A deny that holds the row is recorded as what happened to it. */
	if (verdict == QG_DENY)
		verdict = QG_QUARANTINE;
	if (this.findings != NIL || TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		qg_decision_add(&this, operation_of(trigger), verdict);
	return PointerGetDatum(NULL);
}

/* Trigger of guard_listing(), BEFORE the statement: decisions may wait for its end. */
PG_FUNCTION_INFO_V1(qg_guard_listing_begin);
Datum
qg_guard_listing_begin(PG_FUNCTION_ARGS)
{
	qg_scope_open(qg_trigger_require(fcinfo, "guard_listing_begin",
									 QG_TRIGGER_BEFORE | QG_TRIGGER_STATEMENT, 3));
	return PointerGetDatum(NULL);
}

/* Trigger of guard_listing(), AFTER the statement: writes its decisions. */
PG_FUNCTION_INFO_V1(qg_guard_listing_end);
Datum
qg_guard_listing_end(PG_FUNCTION_ARGS)
{
	qg_scope_close(qg_trigger_require(fcinfo, "guard_listing_end",
									  QG_TRIGGER_AFTER | QG_TRIGGER_STATEMENT, 3));
	return PointerGetDatum(NULL);
}
