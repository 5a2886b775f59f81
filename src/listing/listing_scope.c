/*
 * listing_scope.c
 *		What a transaction remembers between the triggers of one statement.
 *
 * BEFORE judges every row; AFTER need not judge again a row that was found clean, if what is stored
 * is what BEFORE gave back.  That is so when no enabled BEFORE trigger follows ours, in the order
 * of names.  So BEFORE notes the rows that are not clean, by table and a hash of who lists what,
 * and AFTER judges a row whose hash was noted.  Most transactions note nothing, and AFTER costs a
 * look at an empty set.  A hash too many (of a row that ON CONFLICT never stored, of another row of
 * the same listing) costs one more judgement and changes nothing, so none is ever taken out.
 *
 * A scope lasts from the statement's BEFORE to its AFTER STATEMENT trigger.  While one is open in
 * the running (sub)transaction, decisions may wait for its end and are written together.  Scopes
 * need not end in the reverse order of their beginning: cascades of foreign keys and WITH interleave
 * them.  A partition named in the statement has no statement triggers, thus no scope.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "common/hashfn.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "listing/listing_case.h"

#define SCOPES_MAX 64
/* Beyond so many hashes AFTER judges every row. */
#define NOTED_MAX 1000000

typedef struct NotedRow
{
	uint64 key;
	char status;
} NotedRow;

#define SH_PREFIX noted
#define SH_ELEMENT_TYPE NotedRow
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) ((uint32) (key))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Scope
{
	Oid relid; /* of the statement's table; InvalidOid for an audit */
	bool update;
	SubTransactionId subxact;
} Scope;

static Scope scopes[SCOPES_MAX];
static int nscopes = 0;
static noted_hash *noted = NULL;
static bool judging_seen = false; /* rows were judged while the switch had changed so often: */
static uint64 judging_changes = 0;
static bool doubtful = false; /* not every row was judged, or not all were noted */

/* Ends what the transaction remembered. */
static void
forget_all(bool committed)
{
	nscopes = 0;
	noted = NULL;
	judging_seen = false;
	doubtful = false;
	qg_decisions_forget(committed);
}

/* Follows the transaction; decisions that no statement's end has written are written before it commits. */
static void
transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (!qg_decisions_pending())
				return;
			PushActiveSnapshot(GetTransactionSnapshot());
			qg_decisions_write();
			PopActiveSnapshot();
			return;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			forget_all(event == XACT_EVENT_COMMIT);
			return;
		default:
			return;
	}
}

/* Follows subtransactions: an abort drops what it began, a commit leaves it to the parent. */
static void
subtransaction_event(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent,
					 void *arg)
{
	int kept = 0;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (int i = 0; i < nscopes; i++)
	{
		if (scopes[i].subxact == subxact)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			scopes[i].subxact = parent;
		}
		scopes[kept++] = scopes[i];
	}
	nscopes = kept;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		qg_decisions_abort_sub(subxact);
	else
		qg_decisions_commit_sub(subxact, parent);
}

/* Sees to it, once a backend, that the end of transactions is heard of. */
void
qg_transactions_follow(void)
{
	static bool following = false;

	if (following)
		return;
	RegisterXactCallback(transaction_event, NULL);
	RegisterSubXactCallback(subtransaction_event, NULL);
	following = true;
}

/* Tells whether a trigger is one of ours, by its function. */
static bool
is_ours(const Trigger *trigger, const char *function)
{
	const char *name;

	if (get_func_namespace(trigger->tgfoid) != get_namespace_oid(QG_SCHEMA, true))
		return false;
	name = get_func_name(trigger->tgfoid);
	return name != NULL && strcmp(name, function) == 0;
}

/*
 * Gives the place of the trigger of a kind and function in the order of firing, if it fires whenever
 * the given one of the same table does, or -1.  The look-ups may rebuild the relation's own
 * description, so it is given a copy.
 */
static int
find_ours(const TriggerDesc *desc, const TriggerData *trigger, int16 kind, const char *function)
{
	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
		if ((desc->triggers[i].tgtype & kind) == kind &&
			desc->triggers[i].tgenabled == trigger->tg_trigger->tgenabled &&
			is_ours(&desc->triggers[i], function))
			return i;
	return -1;
}

/* Tells whether what our BEFORE trigger gives back is stored as it is. */
static bool
stored_as_judged(TriggerData *trigger, const QgMapping *mapping, int16 event)
{
	const TriggerDesc *desc = CopyTriggerDesc(trigger->tg_relation->trigdesc);
	int16 kind = TRIGGER_TYPE_ROW | TRIGGER_TYPE_BEFORE | event;
	int ours = find_ours(desc, trigger, kind, "guard_listing_before");
	const Trigger *before;

	if (ours < 0)
		return false;
	before = &desc->triggers[ours];
	if (before->tgqual != NULL || before->tgnattr > 0 || before->tgnargs != 3 ||
		strcmp(before->tgargs[1], trigger->tg_trigger->tgargs[1]) != 0 ||
		strcmp(before->tgargs[2], trigger->tg_trigger->tgargs[2]) != 0)
		return false;
	for (int i = ours + 1; i < desc->numtriggers; i++)
		if ((desc->triggers[i].tgtype & kind) == kind &&
			desc->triggers[i].tgenabled != TRIGGER_DISABLED)
			return false;
	for (int i = 0; i < mapping->ncolumns; i++)
		if (mapping->columns[i].generated)
			return false;
	return true;
}

/* Gives what stored_as_judged() says, looked up again only after the table has changed. */
static bool
trusts_before(TriggerData *trigger, const QgMapping *mapping)
{
	bool *answers = mapping->extra;

	if (answers == NULL)
	{
		answers = MemoryContextAlloc(mapping->context, 2 * sizeof(bool));
		answers[0] = stored_as_judged(trigger, mapping, TRIGGER_TYPE_INSERT);
		answers[1] = stored_as_judged(trigger, mapping, TRIGGER_TYPE_UPDATE);
		unconstify(QgMapping *, mapping)->extra = answers;
	}
	return answers[TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? 1 : 0];
}

/* Hashes table, listing and merchant of a row. */
static uint64
row_key(const ListingCase *this, const QgMapping *mapping, Oid relid)
{
	static const char *const names[] = {"listing_id", "merchant_id"};
	uint64 key = relid;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		const QgColumn *column = qg_mapping_column(mapping, names[i]);
		bool isnull = true;
		Datum value = (Datum) 0;
		uint32 hash = 0;

		/* A column that is gone is the judge's to report. */
		if (column != NULL && column->attnum != InvalidAttrNumber)
			value = qg_column_datum(column, this->row, this->desc, &isnull);
		if (!isnull)
		{
			Form_pg_attribute att = TupleDescAttr(this->desc, column->attnum - 1);

			hash = datum_image_hash(value, att->attbyval, att->attlen);
		}
		key = hash_combine64(key, murmurhash32(hash));
	}
	return key;
}

/* Notes what BEFORE found of a row. */
void
qg_rows_judged(const ListingCase *this, Oid relid, bool clean)
{
	bool found;

	qg_transactions_follow();
	if (judging_seen && judging_changes != qg_guard_mode_changes)
		doubtful = true;
	judging_seen = true;
	judging_changes = qg_guard_mode_changes;
	if (clean || doubtful)
		return;
	if (noted == NULL)
		noted = noted_create(TopTransactionContext, 64, NULL);
	if (noted->members >= NOTED_MAX)
		doubtful = true;
	else
		(void) noted_insert(noted, row_key(this, this->mapping, relid), &found);
}

/* Notes that BEFORE let a row pass without judging it. */
void
qg_rows_unjudged(void)
{
	qg_transactions_follow();
	doubtful = true;
}

/* Tells whether a row that AFTER sees was found clean, and nothing has changed since. */
bool
qg_row_known_clean(const ListingCase *this, TriggerData *trigger)
{
	if (doubtful || !judging_seen || judging_changes != qg_guard_mode_changes ||
		!trusts_before(trigger, this->mapping))
		return false;
	return noted == NULL ||
		   noted_lookup(
			   noted, row_key(this, this->mapping, RelationGetRelid(trigger->tg_relation))) == NULL;
}

/* Tells whether the end of a statement will be heard of, looked up again only after changes. */
static bool
end_is_heard(TriggerData *trigger)
{
	QgMapping *mapping = qg_mapping_get(trigger);
	bool *answers = mapping->extra;

	if (answers == NULL)
	{
		const TriggerDesc *desc = CopyTriggerDesc(trigger->tg_relation->trigdesc);

		answers = MemoryContextAlloc(mapping->context, 2 * sizeof(bool));
		answers[0] = find_ours(desc, trigger, TRIGGER_TYPE_INSERT, "guard_listing_end") >= 0;
		answers[1] = find_ours(desc, trigger, TRIGGER_TYPE_UPDATE, "guard_listing_end") >= 0;
		mapping->extra = answers;
	}
	return answers[TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? 1 : 0];
}

/* Opens the scope of a statement, if its end will be heard of. */
void
qg_scope_open(TriggerData *trigger)
{
	qg_transactions_follow();
	/* Scopes that find no room are none: their rows are written at once, or with an outer one's. */
	if (nscopes < SCOPES_MAX && end_is_heard(trigger))
		scopes[nscopes++] = (Scope){RelationGetRelid(trigger->tg_relation),
									TRIGGER_FIRED_BY_UPDATE(trigger->tg_event),
									GetCurrentSubTransactionId()};
}

/* Closes the last scope of a table and event. */
static void
close_scope(Oid relid, bool update)
{
	for (int i = nscopes - 1; i >= 0; i--)
	{
		if (scopes[i].relid != relid || scopes[i].update != update ||
			scopes[i].subxact != GetCurrentSubTransactionId())
			continue;
		memmove(&scopes[i], &scopes[i + 1], sizeof(Scope) * (nscopes - i - 1));
		nscopes--;
		return;
	}
}

/* Closes the scope of a statement and writes what waits for it. */
void
qg_scope_close(TriggerData *trigger)
{
	close_scope(RelationGetRelid(trigger->tg_relation), TRIGGER_FIRED_BY_UPDATE(trigger->tg_event));
	qg_decisions_write();
}

/* Opens the scope of an audit where none is open, or closes it and writes what waits for it. */
void
qg_scope_audit(bool open)
{
	SubTransactionId current = GetCurrentSubTransactionId();

	qg_transactions_follow();
	if (!open)
	{
		close_scope(InvalidOid, false);
		qg_decisions_write();
		return;
	}
	for (int i = 0; i < nscopes; i++)
		if (scopes[i].relid == InvalidOid && scopes[i].subxact == current)
			return;
	if (nscopes < SCOPES_MAX)
		scopes[nscopes++] = (Scope){InvalidOid, false, current};
}

/* Tells whether a scope is open whose end will write what is decided now. */
bool
qg_scope_is_open(void)
{
	SubTransactionId current = GetCurrentSubTransactionId();

	for (int i = nscopes - 1; i >= 0; i--)
		if (scopes[i].subxact == current)
			return true;
	return false;
}
