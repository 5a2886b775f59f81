/*
 * listing_audit.c
 *		Auditing rows that are in a guarded table already, by the guard's own judge.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "listing/listing_case.h"

/* Gives the mapping of a table's guard; object_not_in_prerequisite_state where it has none. */
static const QgMapping *
guard_mapping(Relation rel)
{
	/* Looking up names may rebuild the relation's own description. */
	TriggerDesc *desc = CopyTriggerDesc(rel->trigdesc);

	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
	{
		const char *name = get_func_name(desc->triggers[i].tgfoid);
		TriggerData trigger = {
			.type = T_TriggerData, .tg_relation = rel, .tg_trigger = &desc->triggers[i]};

		if (desc->triggers[i].tgnargs == 3 && name != NULL &&
			strcmp(name, "guard_listing_after") == 0 &&
			strcmp(desc->triggers[i].tgargs[0], "listing") == 0)
			return qg_mapping_get(&trigger);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no guard of kind \"listing\"", RelationGetRelationName(rel)),
			 errhint("Attach one with quality_gov.guard_listing().")));
}

/* Gives a text to show. */
static const char *
text_or_nothing(const char *value)
{
	return value ? value : "";
}

/*
 * Judges a row of a guarded table and records what is found, if anything and if told to; what is
 * found on a row that the audit has held is recorded as what happened to it.
 */
static const char *
audit_row(ListingCase *this, const QgMapping *mapping, bool record, bool held)
{
	QgVerdict verdict;

	/* A decision belongs to a merchant; one row without must not stop the audit of all others. */
	if (qg_column_filled(qg_mapping_column(mapping, "merchant_id"), this->row, this->desc) == NULL)
	{
		ereport(WARNING,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("listing \"%s\" names no merchant and is not audited",
						text_or_nothing(qg_column_text(qg_mapping_column(mapping, "listing_id"),
													   this->row, this->desc)))));
		return NULL;
	}
	if (!qg_case_judge(this, mapping) || this->findings == NIL)
		return NULL;
	verdict = qg_findings_verdict(this->findings);
	if (record)
	{
		qg_scope_audit(true);
		if (held && verdict >= QG_QUARANTINE)
			qg_decision_add(this, "AUDIT held", QG_QUARANTINE);
		else
			qg_decision_add(this, "AUDIT", verdict);
	}
	return qg_verdict_name(verdict);
}

/* listing_audit_row(relation, listing, at, record, held): the verdict on a row, null where it is clean. */
PG_FUNCTION_INFO_V1(qg_listing_audit_row);
Datum
qg_listing_audit_row(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row;
	HeapTupleData tuple = {0};
	ListingCase this = {0};
	Relation rel;
	const char *verdict;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("relation, listing, record and held must not be null")));
	row = PG_GETARG_HEAPTUPLEHEADER(1);
	rel = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (rel == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation %u does not exist", PG_GETARG_OID(0))));
	if (HeapTupleHeaderGetTypeId(row) != rel->rd_rel->reltype)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("listing is not a row of table \"%s\"", RelationGetRelationName(rel))));
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	this.row = &tuple;
	this.desc = RelationGetDescr(rel);
	this.at_given = !PG_ARGISNULL(2);
	if (this.at_given)
		this.at = PG_GETARG_TIMESTAMPTZ(2);
	verdict = audit_row(&this, guard_mapping(rel), PG_GETARG_BOOL(3), PG_GETARG_BOOL(4));
	relation_close(rel, AccessShareLock);
	if (verdict == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(verdict));
}

/* listing_audit_write(): writes the decisions that listing_audit_row() has taken. */
PG_FUNCTION_INFO_V1(qg_listing_audit_write);
Datum
qg_listing_audit_write(PG_FUNCTION_ARGS)
{
	qg_scope_audit(false);
	PG_RETURN_VOID();
}

/* Runs a query of one row and column, which is not null and of a type passed by value. */
static Datum
select_one(const char *sql, int nargs, Oid *types, Datum *values, const char *nulls)
{
	bool isnull;
	Datum value;

	if (SPI_execute_with_args(sql, nargs, types, values, nulls, false, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not run the audit of listings");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	/* An audit has many batches, and its results would stay until its end. */
	SPI_freetuptable(SPI_tuptable);
	return value;
}

/* Procedure listing_audit(relation, batch, at, hold): a transaction a batch, where it may commit. */
PG_FUNCTION_INFO_V1(qg_listing_audit);
Datum
qg_listing_audit(PG_FUNCTION_ARGS)
{
	bool commits = fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
				   !castNode(CallContext, fcinfo->context)->atomic;
	Oid types[4] = {REGCLASSOID, INT4OID, TIMESTAMPTZOID, BOOLOID};
	Datum values[4];
	char nulls[5] = "    ";
	Oid run_types[2] = {INT8OID, INT4OID};
	Datum run[2];
	bool more = true;

	for (int i = 0; i < 4; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (SPI_connect_ext(commits ? SPI_OPT_NONATOMIC : 0) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	run[0] = select_one("SELECT quality_gov.listing_audit_begin($1, $2, $3, $4)", 4, types, values,
						nulls);
	run[1] = values[1];
	while (more)
	{
		if (commits)
			SPI_commit();
		CHECK_FOR_INTERRUPTS();
		more = DatumGetBool(
			select_one("SELECT quality_gov.listing_audit_step($1, $2)", 2, run_types, run, NULL));
	}
	if (commits)
		SPI_commit();
	SPI_finish();
	PG_RETURN_VOID();
}
