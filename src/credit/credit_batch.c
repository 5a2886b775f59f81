/*
 * credit_batch.c
 *		What waits, in a transaction, to become credit events.
 *
 * The changes of a statement's rows are written together at its end, which costs a fraction of
 * writing each.  A scope lasts from the statement's BEFORE to its AFTER STATEMENT trigger; while
 * any is open changes wait, in the order in which the rows' triggers fired.  Scopes need not end in
 * the reverse order of their beginning: cascades of foreign keys and WITH interleave them.  A
 * partition named in the statement has no statement triggers, thus no scope, and its rows are
 * written at once.
 *
 * What is written inside a subtransaction goes with it, so changes are written only where the first
 * that waits is of the running one; else they wait for the end of the statement further out, which
 * keeps their order.  They wait for it, too, where it is at the same table.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/guard.h"
#include "credit/credit_change.h"

#define SCOPES_MAX 64
/* So many changes wait at most where nothing forbids writing them. */
#define TOGETHER_MAX 10000
/* So many changes back a row is looked for that left one partition for another. */
#define MOVES_LOOKED_FOR 16

typedef struct Scope
{
	Oid relid;			  /* of the statement's table */
	const char *relation; /* its name, as changes have it */
	TriggerEvent operation;
	SubTransactionId subxact;
} Scope;

static Scope scopes[SCOPES_MAX];
static int nscopes = 0;

static MemoryContext context = NULL; /* of the changes, NULL where none wait */
static QgChange *changes = NULL;
static int nchanges = 0;
static int nchanges_max = 0;

/* Writes what waits, unless something of an outer transaction does, too. */
static void
write_changes(void)
{
	MemoryContext written = context;
	int count = nchanges;

	if (count == 0 || changes[0].subxact != GetCurrentSubTransactionId())
		return;
	/* An error in between undoes the rows that the changes are of. */
	context = NULL;
	nchanges = 0;
	qg_changes_write(changes, count);
	MemoryContextDelete(written);
}

/* Ends what the transaction remembered; its memory goes with it. */
static void
forget_all(void)
{
	nscopes = 0;
	nchanges = 0;
	context = NULL;
}

/* Follows the transaction; what no statement's end has written is written before it commits. */
static void
transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (nchanges == 0)
				return;
			PushActiveSnapshot(GetTransactionSnapshot());
			write_changes();
			PopActiveSnapshot();
			return;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			forget_all();
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
	bool aborted = event == SUBXACT_EVENT_ABORT_SUB;
	int kept = 0;

	if (!aborted && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (int i = 0; i < nscopes; i++)
	{
		if (scopes[i].subxact == subxact && aborted)
			continue;
		if (scopes[i].subxact == subxact)
			scopes[i].subxact = parent;
		scopes[kept++] = scopes[i];
	}
	nscopes = kept;
	/* Those of the youngest subtransaction stand last. */
	for (int i = nchanges - 1; i >= 0 && changes[i].subxact == subxact; i--)
	{
		if (aborted)
			nchanges = i;
		else
			changes[i].subxact = parent;
	}
}

/* Sees to it, once a backend, that the end of transactions is heard of. */
static void
follow_transactions(void)
{
	static bool following = false;

	if (following)
		return;
	RegisterXactCallback(transaction_event, NULL);
	RegisterSubXactCallback(subtransaction_event, NULL);
	following = true;
}

/* Gives the memory of changes that wait. */
MemoryContext
qg_changes_context(void)
{
	if (context != NULL)
		return context;
	follow_transactions();
	nchanges = 0;
	nchanges_max = 16;
	context = AllocSetContextCreate(TopTransactionContext, "quality_gov credit changes",
									ALLOCSET_DEFAULT_SIZES);
	changes = MemoryContextAlloc(context, sizeof(QgChange) * nchanges_max);
	return context;
}

/* Tells whether two texts, or nothing, are the same. */
static bool
same_text(Datum a, Datum b)
{
	if (a == (Datum) 0 || b == (Datum) 0)
		return a == b;
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* Tells whether a statement of an operation is under way at a table. */
static bool
is_open(const char *relation, TriggerEvent operation)
{
	for (int i = 0; i < nscopes; i++)
		if (scopes[i].operation == operation && strcmp(scopes[i].relation, relation) == 0)
			return true;
	return false;
}

/*
 * Tells whether a row that comes into a partition of a table only moves there: an update is under
 * way at the table and nothing inserts.
 */
bool
qg_row_moves(const char *relation)
{
	return is_open(relation, TRIGGER_EVENT_UPDATE) && !is_open(relation, TRIGGER_EVENT_INSERT);
}

/*
 * Joins a row that comes into a partition to where it left another one, since that is an update;
 * tells whether it did.
 */
static bool
join_move(const QgChange *change)
{
	if (!change->moves || !change->enters || change->new.ref == (Datum) 0 ||
		!is_open(change->attachment->origin.relation, TRIGGER_EVENT_UPDATE))
		return false;
	for (int i = nchanges - 1; i >= Max(0, nchanges - MOVES_LOOKED_FOR); i--)
	{
		QgChange *left = &changes[i];

		if (!left->moves || left->enters || left->subxact != change->subxact ||
			!same_text(left->old.ref, change->new.ref) ||
			!same_text(left->attachment->source, change->attachment->source) ||
			!same_text(left->attachment->indicator, change->attachment->indicator))
			continue;
		left->enters = true;
		left->dated = change->dated;
		left->new = change->new;
		left->attachment = change->attachment;
		return true;
	}
	return false;
}

/* Takes a change, whose texts are in the memory of changes; it is written when its turn comes. */
void
qg_change_add(QgChange *change)
{
	change->subxact = GetCurrentSubTransactionId();
	if (join_move(change))
		return;
	if (nchanges == nchanges_max)
	{
		nchanges_max *= 2;
		changes = repalloc_huge(changes, sizeof(QgChange) * nchanges_max);
	}
	changes[nchanges++] = *change;
	if (nscopes == 0 || (nchanges >= TOGETHER_MAX && !(change->moves && !change->enters)))
		write_changes();
}

/* Tells whether a trigger is ours and fires at the end of a statement. */
static bool
is_end(const Trigger *trigger)
{
	const char *name;

	if (get_func_namespace(trigger->tgfoid) != get_namespace_oid(QG_SCHEMA, true))
		return false;
	name = get_func_name(trigger->tgfoid);
	return name != NULL && strcmp(name, "credit_event_end") == 0;
}

/*
 * Tells whether the end of a statement will be heard of, looked up again only after changes.  The
 * look-ups may rebuild the relation's own description, so a copy is read.
 */
static bool
end_is_heard(TriggerData *trigger)
{
	QgMapping *mapping = qg_mapping_get(trigger);
	int16 wanted = TRIGGER_FIRED_BY_INSERT(trigger->tg_event)	? TRIGGER_TYPE_INSERT
				   : TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? TRIGGER_TYPE_UPDATE
																: TRIGGER_TYPE_DELETE;

	if (mapping->extra == NULL)
	{
		const TriggerDesc *desc = CopyTriggerDesc(trigger->tg_relation->trigdesc);
		int16 *heard = MemoryContextAllocZero(mapping->context, sizeof(int16));

		for (int i = 0; i < desc->numtriggers; i++)
			if (desc->triggers[i].tgenabled == trigger->tg_trigger->tgenabled &&
				desc->triggers[i].tgqual == NULL && is_end(&desc->triggers[i]))
				*heard |= desc->triggers[i].tgtype;
		mapping->extra = heard;
	}
	return (*(int16 *) mapping->extra & wanted) != 0;
}

/* Opens the scope of a statement, if its end will be heard of. */
void
qg_changes_begin(TriggerData *trigger)
{
	follow_transactions();
	/* Scopes that find no room are none: their rows are written with an outer one's. */
	if (nscopes < SCOPES_MAX && end_is_heard(trigger))
		scopes[nscopes++] = (Scope){.relid = RelationGetRelid(trigger->tg_relation),
									.relation = qg_mapping_get(trigger)->relation,
									.operation = trigger->tg_event & TRIGGER_EVENT_OPMASK,
									.subxact = GetCurrentSubTransactionId()};
}

/*
 * Tells whether a statement further out is still at a table that changes wait of.  Triggers of the
 * platform may have changed a row before our trigger on its insertion fired, and both belong
 * together.
 */
static bool
more_may_come(void)
{
	for (int i = 0; i < nscopes; i++)
		for (int j = 0; j < nchanges; j++)
			if (strcmp(scopes[i].relation, changes[j].attachment->origin.relation) == 0)
				return true;
	return false;
}

/* Closes the scope of a statement and writes what waits for it. */
void
qg_changes_end(TriggerData *trigger)
{
	for (int i = nscopes - 1; i >= 0; i--)
	{
		if (scopes[i].relid != RelationGetRelid(trigger->tg_relation) ||
			scopes[i].operation != (trigger->tg_event & TRIGGER_EVENT_OPMASK) ||
			scopes[i].subxact != GetCurrentSubTransactionId())
			continue;
		memmove(&scopes[i], &scopes[i + 1], sizeof(Scope) * (nscopes - i - 1));
		nscopes--;
		break;
	}
	if (!more_may_come())
		write_changes();
}
