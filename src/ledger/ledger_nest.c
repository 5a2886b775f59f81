/*
 * ledger_nest.c
 *		Statements on a protected table that run inside one another.
 *
 * The trigger that enters a statement's rows fires when the statement is over.  Where a trigger of the
 * platform, or a function in a query, changes the same table meanwhile, the inner statement is over
 * first and has the earlier entries, though it may have come later; two parts of one WITH query have no
 * order at all.  So each statement announces itself before it begins.  While another one is open, the
 * keys that it enters are kept as hashes, and a key that a second statement enters is settled when
 * the last one of them is over: it gets a further entry that says what the row is now.
 *
 * What is kept is of a transaction; a rollback to a savepoint forgets the statements it undid.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "storage/proc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "ledger/ledger_nest.h"

/* A statement that has begun. */
typedef struct Open
{
	Oid relid;
	SubTransactionId subxact;
} Open;

/* A key that a statement of a nest has entered. */
typedef struct Touched
{
	struct TouchedKey
	{
		uint64 hash; /* of the subject */
		uint64 relid;
	} key;
	HeapTuple row; /* the key itself, once a second statement has entered it */
} Touched;

static LocalTransactionId nest_xact = InvalidLocalTransactionId;
static Open *opens;
static int nopens;
static int opens_size;
static HTAB *touched;

/* Forgets the statements of a subtransaction that is undone; others go to its parent. */
static void
subxact_ended(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	int kept = 0;

	if (nest_xact != QG_LOCAL_XID)
		return;
	for (int i = 0; i < nopens; i++)
	{
		if (opens[i].subxact == mine && event == SUBXACT_EVENT_ABORT_SUB)
			continue;
		opens[kept] = opens[i];
		if (opens[kept].subxact == mine && event == SUBXACT_EVENT_COMMIT_SUB)
			opens[kept].subxact = parent;
		kept++;
	}
	nopens = kept;
}

/* Begins anew in a transaction that has none. */
static void
start(void)
{
	static bool registered = false;

	if (!registered)
		RegisterSubXactCallback(subxact_ended, NULL);
	registered = true;
	if (nest_xact == QG_LOCAL_XID)
		return;
	opens_size = 8;
	opens = MemoryContextAlloc(TopTransactionContext, opens_size * sizeof(Open));
	nopens = 0;
	touched = NULL;
	nest_xact = QG_LOCAL_XID;
}

/* Notes that a statement on a table begins. */
void
qg_nest_begin(Oid relid)
{
	start();
	if (nopens == opens_size)
	{
		opens = repalloc(opens, opens_size * 2 * sizeof(Open));
		opens_size *= 2;
	}
	opens[nopens].relid = relid;
	opens[nopens++].subxact = GetCurrentSubTransactionId();
}

/*
 * Notes that a statement on a table is over.  Tells whether its keys are to be noted, and whether it was
 * the last of those that were open.
 */
bool
qg_nest_end(Oid relid, bool *last)
{
	int mine = -1;
	bool others = false;

	start();
	for (int i = 0; i < nopens; i++)
		if (opens[i].relid == relid)
		{
			others = mine >= 0;
			mine = i;
		}
	if (mine >= 0)
	{
		memmove(&opens[mine], &opens[mine + 1], (nopens - mine - 1) * sizeof(Open));
		nopens--;
	}
	*last = !others;
	return others || touched != NULL;
}

/* Notes that a statement has entered a key; made only where another one has before. */
bool
qg_nest_note(Oid relid, const text *subject, HeapTuple (*make)(void *), void *arg)
{
	struct TouchedKey key = {0};
	Touched *entry;
	bool found;

	if (touched == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(key);
		ctl.entrysize = sizeof(Touched);
		ctl.hcxt = TopTransactionContext;
		touched = hash_create("quality_gov nested statements", 64, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	key.hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(subject),
								   VARSIZE_ANY_EXHDR(subject), 0);
	key.relid = relid;
	entry = hash_search(touched, &key, HASH_ENTER, &found);
	if (!found)
		entry->row = NULL;
	else if (entry->row == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

		entry->row = make(arg);
		MemoryContextSwitchTo(caller);
	}
	return found;
}

/* Does something about every key of a table that more than one statement has entered, and forgets all. */
void
qg_nest_settle(Oid relid, QgNestDo what, void *arg)
{
	HASH_SEQ_STATUS scan;
	Touched *entry;

	if (touched == NULL)
		return;
	hash_seq_init(&scan, touched);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		HeapTuple row = entry->row;

		if (entry->key.relid != relid)
			continue;
		(void) hash_search(touched, &entry->key, HASH_REMOVE, NULL);
		if (row != NULL)
			what(row, arg);
	}
	if (hash_get_num_entries(touched) == 0)
	{
		hash_destroy(touched);
		touched = NULL;
	}
}
