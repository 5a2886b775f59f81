/*
 * listing_record.c
 *		Writing decisions, many with one statement.
 *
 * A decision is made into rows of listing_decision and listing_finding as soon as it is taken, and
 * has its id, so that ids follow the order of deciding whenever the rows are written.  The rows of
 * the running (sub)transaction are written together by listing_record(); those of an outer one stay,
 * since what is written inside a subtransaction goes with it.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "listing/listing_case.h"
#include "listing/listing_record.h"

/* So many decisions of one (sub)transaction are written together at most. */
#define TOGETHER_MAX 1000

typedef struct Pending
{
	MemoryContext context;
	int ndecisions;
	int ndecisions_max;
	Decision *decisions;
	int nfindings_max;
	Datum *findings; /* rows of listing_finding */
	TupleDesc decision;
	TupleDesc finding;
	Oid sequence;
	Oid table; /* listing_decision and its index by listing */
	Oid index;
} Pending;

/* The last ruleset and its id, kept over transactions once the row that holds it is committed. */
typedef struct KnownRuleset
{
	char *json; /* in TopMemoryContext, NULL where none is known */
	int64 id;
	Oid decision; /* row type of listing_decision then: another extension has other ids */
	bool committed;
} KnownRuleset;

static Pending *pending = NULL;
static KnownRuleset ruleset = {0};

/* Gives the row type of a table of ours. */
static TupleDesc
row_type(const char *table)
{
	Oid relid = get_relname_relid(table, get_namespace_oid(QG_SCHEMA, false));

	return lookup_rowtype_tupdesc_copy(get_rel_type_id(relid), -1);
}

/* Makes ready to take decisions, in a memory of their own. */
static void
begin_pending(void)
{
	MemoryContext context;
	MemoryContext caller;
	Pending *fresh;

	if (pending != NULL)
		return;
	qg_transactions_follow();
	context = AllocSetContextCreate(TopTransactionContext, "quality_gov decisions",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	fresh = palloc0(sizeof(Pending));
	fresh->context = context;
	fresh->ndecisions_max = 16;
	fresh->decisions = palloc(sizeof(Decision) * fresh->ndecisions_max);
	fresh->nfindings_max = 16;
	fresh->findings = palloc(sizeof(Datum) * fresh->nfindings_max);
	fresh->decision = row_type("listing_decision");
	fresh->finding = row_type("listing_finding");
	fresh->sequence = get_relname_relid("listing_decision_decision_id_seq",
										get_namespace_oid(QG_SCHEMA, false));
	fresh->table = get_relname_relid("listing_decision", get_namespace_oid(QG_SCHEMA, false));
	fresh->index = get_relname_relid("listing_decision_listing",
									 get_namespace_oid(QG_SCHEMA, false));
	MemoryContextSwitchTo(caller);
	pending = fresh;
}

/* Frees what held decisions. */
static void
discard_pending(void)
{
	MemoryContextDelete(pending->context);
	pending = NULL;
}

/* Forgets a ruleset whose row may be undone. */
static void
forget_ruleset(void)
{
	if (ruleset.json != NULL && !ruleset.committed)
	{
		pfree(ruleset.json);
		ruleset.json = NULL;
	}
}

/* Forgets what waits at the end of a transaction, with which its memory goes. */
void
qg_decisions_forget(bool committed)
{
	pending = NULL;
	if (committed)
		ruleset.committed = true;
	else
		forget_ruleset();
}

/* Tells whether anything waits. */
bool
qg_decisions_pending(void)
{
	return pending != NULL && pending->ndecisions > 0;
}

/* Drops the decisions of a subtransaction that is undone. */
void
qg_decisions_abort_sub(SubTransactionId subxact)
{
	forget_ruleset();
	if (pending == NULL)
		return;
	while (pending->ndecisions > 0 &&
		   pending->decisions[pending->ndecisions - 1].subxact == subxact)
		pending->ndecisions--;
	if (pending->ndecisions == 0)
		discard_pending();
}

/* Leaves the decisions of a subtransaction to its parent. */
void
qg_decisions_commit_sub(SubTransactionId subxact, SubTransactionId parent)
{
	for (int i = pending ? pending->ndecisions - 1 : -1;
		 i >= 0 && pending->decisions[i].subxact == subxact; i--)
		pending->decisions[i].subxact = parent;
}

/* Gives the id of a ruleset, writing it where it is new. */
static int64
select_ruleset(const char *json)
{
	static SPIPlanPtr plan = NULL;
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(json)};
	QgOwner owner;
	bool isnull;
	int64 id;

	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (plan == NULL)
	{
		plan = SPI_prepare("SELECT quality_gov.listing_ruleset_id($1::jsonb)", 1, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the ruleset");
	}
	if (SPI_execute_plan(plan, values, NULL, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not record the ruleset");
	id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	qg_owner_end(&owner);
	return id;
}

/* Gives the id of the ruleset in force at an instant. */
static int64
ruleset_id(TimestampTz at)
{
	const char *json = qg_ruleset_json(at);

	if (ruleset.json != NULL && ruleset.decision == pending->decision->tdtypeid &&
		strcmp(ruleset.json, json) == 0)
		return ruleset.id;
	if (ruleset.json != NULL)
		pfree(ruleset.json);
	ruleset.json = NULL;
	ruleset.id = select_ruleset(json);
	ruleset.decision = pending->decision->tdtypeid;
	ruleset.committed = false;
	ruleset.json = MemoryContextStrdup(TopMemoryContext, json);
	return ruleset.id;
}

/* Gives the first decision that waits in the running (sub)transaction. */
static int
first_of_current(void)
{
	SubTransactionId current = GetCurrentSubTransactionId();
	int first = pending->ndecisions;

	while (first > 0 && pending->decisions[first - 1].subxact == current)
		first--;
	return first;
}

/* Gives the last decision that waits on the same listing, or -1. */
static int
find_waiting(uint32 key)
{
	int i = pending->ndecisions - 1;

	while (i >= 0 && pending->decisions[i].key != key)
		i--;
	return i;
}

/* Hashes what a decision is about. */
static uint32
decision_key(ListingCase *this)
{
	const char *const parts[] = {this->mapping->relation, qg_case_field(this, "merchant_id"),
								 qg_case_field(this, "listing_id")};
	uint32 key = 0;

	for (int i = 0; i < (int) lengthof(parts); i++)
		if (parts[i] != NULL)
			key = hash_combine(
				key, hash_bytes((const unsigned char *) parts[i], (int) strlen(parts[i])));
	return key;
}

/*
 * Tells whether anything was ever decided on the listing.  An update of many clean rows asks for
 * each of them, so it looks into the index itself: a query would cost five times as much.
 */
static bool
was_decided(ListingCase *this)
{
	const AttrNumber columns[] = {Anum_decision_merchant, Anum_decision_relation,
								  Anum_decision_listing};
	const char *const parts[] = {qg_case_field(this, "merchant_id"), this->mapping->relation,
								 qg_case_field(this, "listing_id")};
	ScanKeyData keys[3];
	Relation table;
	SysScanDesc scan;
	Snapshot snapshot;
	bool decided;

	if (parts[0] == NULL || parts[2] == NULL)
		return false;
	for (int i = 0; i < 3; i++)
		ScanKeyEntryInitialize(&keys[i], 0, columns[i], BTEqualStrategyNumber, InvalidOid,
							   DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(parts[i]));
	table = table_open(pending->table, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(table, pending->index, true, snapshot, 3, keys);
	decided = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return decided;
}

/* Makes room for one more decision and its findings. */
static void
make_room(int nfindings)
{
	int findings = pending->ndecisions ? pending->decisions[pending->ndecisions - 1].nfindings : 0;

	if (pending->ndecisions == pending->ndecisions_max)
	{
		pending->ndecisions_max *= 2;
		pending->decisions = repalloc(pending->decisions,
									  sizeof(Decision) * pending->ndecisions_max);
	}
	while (findings + nfindings > pending->nfindings_max)
	{
		pending->nfindings_max *= 2;
		pending->findings = repalloc(pending->findings, sizeof(Datum) * pending->nfindings_max);
	}
}

/*
 * Takes a decision on a row.  It is written at the end of the statement where that will be heard of
 * and sooner where many wait, else at once.  One that is not of an insert is written only where it
 * differs from the last one on the listing.
 */
void
qg_decision_add(ListingCase *this, const char *operation, QgVerdict verdict)
{
	Decision decision = {.subxact = GetCurrentSubTransactionId(),
						 .always = strcmp(operation, "INSERT") == 0};
	DecisionTaken taken = {.operation = operation, .verdict = verdict};
	DecisionRows rows;
	MemoryContext caller;
	int waiting;

	begin_pending();
	decision.key = decision_key(this);
	waiting = decision.always ? -1 : find_waiting(decision.key);
	/* A clean listing that was never found to be anything else needs no word. */
	if (verdict == QG_PASS && waiting < 0 && !was_decided(this))
		return;
	if (waiting >= 0)
	{
		/* The last one must be there to be compared with; an outer transaction's cannot be. */
		if (pending->decisions[waiting].subxact == decision.subxact)
			qg_decisions_write();
		else
			decision.always = true;
		begin_pending();
	}
	taken.ruleset = ruleset_id(this->at);
	taken.id = nextval_internal(pending->sequence, false);
	make_room(list_length(this->findings));
	decision.nfindings = pending->ndecisions ? pending->decisions[pending->ndecisions - 1].nfindings
											 : 0;

	/* Built here, where memory is short-lived, and kept as it will be written. */
	rows = qg_decision_rows(this, pending->decision, pending->finding, &taken);
	caller = MemoryContextSwitchTo(pending->context);
	decision.row = datumCopy(rows.decision, false, -1);
	decision.body = datumCopy(rows.body, false, -1);
	decision.subject = datumCopy(rows.subject, false, -1);
	decision.grave = rows.grave;
	for (int i = 0; i < list_length(this->findings); i++)
		pending->findings[decision.nfindings++] = datumCopy(rows.findings[i], false, -1);
	MemoryContextSwitchTo(caller);
	pending->decisions[pending->ndecisions++] = decision;
	if (!qg_scope_is_open() || pending->ndecisions - first_of_current() >= TOGETHER_MAX)
		qg_decisions_write();
}

/* Writes the decisions that wait in the running (sub)transaction. */
void
qg_decisions_write(void)
{
	int first = pending ? first_of_current() : 0;
	int first_finding;

	if (pending == NULL || first == pending->ndecisions)
		return;
	first_finding = first > 0 ? pending->decisions[first - 1].nfindings : 0;
	qg_decisions_insert(&(DecisionBatch){
		.decisions = pending->decisions + first,
		.ndecisions = pending->ndecisions - first,
		.findings = pending->findings + first_finding,
		.nfindings = pending->decisions[pending->ndecisions - 1].nfindings - first_finding,
		.decision_type = pending->decision->tdtypeid,
		.finding_type = pending->finding->tdtypeid});
	pending->ndecisions = first;
	if (first == 0)
		discard_pending();
}
