/*
 * credit_write.c
 *		Writing events: what is asked of each, and the rows.
 *
 * An event costs little more than its row.  The merchant is looked up by a probe of the primary key
 * and not locked: a lock on the row would make everybody who writes events of one busy merchant
 * write to that row first.  In its place the table is locked in ROW SHARE mode to the end of the
 * transaction, so whoever removes merchants takes it in EXCLUSIVE mode first and then finds every
 * event; what is removed without that is what credit_check() lists.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "credit/credit_event.h"

/* A merchant that was looked up. */
typedef struct Merchant
{
	text *id;
	TimestampTz admitted_at;
	char status;
} Merchant;

/* Hashes a text by its bytes. */
static inline uint32
text_hash(const text *value)
{
	return hash_bytes((const unsigned char *) VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));
}

/* Compares texts by their bytes. */
static inline bool
text_equal(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

#define SH_PREFIX merchants
#define SH_ELEMENT_TYPE Merchant
#define SH_KEY_TYPE text *
#define SH_KEY id
#define SH_HASH_KEY(tb, key) text_hash(key)
#define SH_EQUAL(tb, a, b) text_equal(a, b)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The merchants, as they are looked up. */
typedef struct QgAdmitted
{
	Relation table;
	Relation index;
	AttrNumber admitted_at;
	TupleTableSlot *slot;
	Snapshot snapshot;
	bool latest;		/* the snapshot is not the statement's */
	IndexScanDesc scan; /* NULL until needed */
	merchants_hash *known;
} QgAdmitted;

/* Gives a table or index of the extension. */
static Oid
relation_named(const char *name)
{
	return get_relname_relid(name, get_namespace_oid(QG_SCHEMA, false));
}

/* Makes ready to write events. */
void
qg_events_open(QgEventWriter *writer)
{
	/* A temporary table may be written to, and an attachment of it fire, where this is not. */
	PreventCommandIfReadOnly("INSERT");
	qg_rows_open(&writer->rows, "credit_event");
	if (RelationGetDescr(writer->rows.relation)->natts != Natts_event)
		elog(ERROR, "credit_event has %d columns, expected %d",
			 RelationGetDescr(writer->rows.relation)->natts, Natts_event);
	writer->sequence = relation_named("credit_event_event_id_seq");
	writer->xid = FullTransactionIdGetDatum(GetTopFullTransactionId());
	writer->merchants = NULL;
}

/* Gives an event its id. */
int64
qg_event_next_id(const QgEventWriter *writer)
{
	return nextval_internal(writer->sequence, false);
}

/* Writes an event as it is and gives its id. */
int64
qg_event_write(QgEventWriter *writer, const QgEvent *event)
{
	Datum values[Natts_event];
	bool nulls[Natts_event] = {false};
	int64 id = event->id != 0 ? event->id : qg_event_next_id(writer);

	values[Anum_event_merchant - 1] = event->merchant;
	values[Anum_event_id - 1] = Int64GetDatum(id);
	values[Anum_event_indicator - 1] = event->indicator;
	values[Anum_event_at - 1] = TimestampTzGetDatum(event->at);
	values[Anum_event_recorded_at - 1] = TimestampTzGetDatum(event->recorded_at);
	values[Anum_event_good - 1] = Float8GetDatum(event->good);
	values[Anum_event_bad - 1] = Float8GetDatum(event->bad);
	values[Anum_event_xid - 1] = writer->xid;
	values[Anum_event_void - 1] = BoolGetDatum(event->voids != 0);
	values[Anum_event_source - 1] = event->source;
	values[Anum_event_ref - 1] = event->ref;
	nulls[Anum_event_ref - 1] = event->ref == (Datum) 0;
	values[Anum_event_voids - 1] = Int64GetDatum(event->voids);
	nulls[Anum_event_voids - 1] = event->voids == 0;
	qg_rows_add(&writer->rows, values, nulls);
	return id;
}

/* Orders events by merchant, those of one by id. */
static int
compare_events(const void *a, const void *b)
{
	const QgEvent *x = *(const QgEvent *const *) a;
	const QgEvent *y = *(const QgEvent *const *) b;
	const text *p = (const text *) DatumGetPointer(x->merchant);
	const text *q = (const text *) DatumGetPointer(y->merchant);
	Size common = Min(VARSIZE_ANY_EXHDR(p), VARSIZE_ANY_EXHDR(q));
	int order = memcmp(VARDATA_ANY(p), VARDATA_ANY(q), common);

	if (order == 0 && VARSIZE_ANY_EXHDR(p) != VARSIZE_ANY_EXHDR(q))
		order = VARSIZE_ANY_EXHDR(p) < VARSIZE_ANY_EXHDR(q) ? -1 : 1;
	if (order == 0)
		order = x->id < y->id ? -1 : x->id > y->id;
	return order;
}

/*
 * Writes events that have their ids and whose texts are not toasted.  Those of one merchant go
 * together, which finds the pages of three indexes in the processor's cache.
 */
void
qg_events_write(QgEventWriter *writer, const QgEvent *events, int count)
{
	const QgEvent **sorted = palloc_extended(sizeof(QgEvent *) * (count + 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < count; i++)
		sorted[i] = &events[i];
	qsort(sorted, count, sizeof(QgEvent *), compare_events);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		qg_event_write(writer, sorted[i]);
	}
	pfree(sorted);
}

/* Says of which row or argument an error speaks; gives 0, as errdetail() does. */
static int
say_where(const QgEventOrigin *origin, const char *name)
{
	if (origin->relation != NULL)
		errdetail("The row is one of table %s, whose column \"%s\" says so.", origin->relation,
				  name);
	else if (origin->element > 0)
		errdetail("It is element %d of argument \"%s\".", origin->element, name);
	return 0;
}

/* Refuses an amount that is no number from 0 on. */
void
qg_amount_check(float8 amount, const char *name, const QgEventOrigin *origin)
{
	/* Not a number is neither below nor above. */
	if (amount >= 0 && amount <= QG_EVENT_AMOUNT_MAX)
		return;
	ereport(ERROR, (errcode(amount > QG_EVENT_AMOUNT_MAX ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE
														 : ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" must be from 0 to 1e15, found %s", name,
						   DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(amount)))),
					say_where(origin, name)));
}

/* Gives an instant as the session writes it. */
static const char *
instant_text(TimestampTz at)
{
	return pstrdup(timestamptz_to_str(at));
}

/*
 * Sees to it that an event is not known before it happened; one that happened after the statement
 * began is known from then on.  recorded: a column says from when it is known.
 */
void
qg_instants_set(QgEvent *event, bool recorded, const QgEventOrigin *origin)
{
	TimestampTz clock;

	if (event->at <= event->recorded_at)
		return;
	if (recorded)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("an event that happened at %s cannot be known from %s",
						instant_text(event->at), instant_text(event->recorded_at)),
				 errdetail("Table %s says so in columns \"%s\" and \"%s\".", origin->relation,
						   origin->at, origin->recorded_at),
				 errhint("\"%s\" must not be before \"%s\".", origin->recorded_at, origin->at)));
	clock = GetCurrentTimestamp();
	if (event->at > clock)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event cannot have happened in the future, at %s; it is %s now",
						instant_text(event->at), instant_text(clock)),
				 say_where(origin, origin->at),
				 errhint(origin->relation != NULL
							 ? "Write the row once it has happened, or map \"recorded_at\" to the "
							   "column that says from when it is known."
							 : "Record it once it has happened.")));
	event->recorded_at = event->at;
}

/* Makes ready to look merchants up. */
static QgAdmitted *
open_merchants(void)
{
	QgAdmitted *merchants = palloc0(sizeof(QgAdmitted));

	merchants->table = table_open(relation_named("merchant"), RowShareLock);
	merchants->index = index_open(relation_named("merchant_pkey"), AccessShareLock);
	merchants->admitted_at = get_attnum(RelationGetRelid(merchants->table), "admitted_at");
	merchants->slot = table_slot_create(merchants->table, NULL);
	/* A merchant may have come, or gone, since the transaction began. */
	merchants->latest = IsolationUsesXactSnapshot();
	merchants->snapshot = RegisterSnapshot(merchants->latest ? GetLatestSnapshot()
															 : GetActiveSnapshot());
	merchants->known = merchants_create(CurrentMemoryContext, 8, NULL);
	return merchants;
}

/* Ends looking; the table stays locked. */
static void
close_merchants(QgAdmitted *merchants)
{
	if (merchants->scan != NULL)
		index_endscan(merchants->scan);
	UnregisterSnapshot(merchants->snapshot);
	ExecDropSingleTupleTableSlot(merchants->slot);
	index_close(merchants->index, AccessShareLock);
	table_close(merchants->table, NoLock);
}

/* Looks a merchant up in the index; tells whether there is one. */
static bool
find_merchant(QgAdmitted *merchants, Datum id, TimestampTz *admitted_at)
{
	ScanKeyData key;
	bool found;
	bool isnull;

	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid,
						   merchants->index->rd_indcollation[0], F_TEXTEQ, id);
	if (merchants->scan == NULL)
		merchants->scan = qg_index_beginscan(merchants->table, merchants->index,
											 merchants->snapshot, 1);
	index_rescan(merchants->scan, &key, 1, NULL, 0);
	found = index_getnext_slot(merchants->scan, ForwardScanDirection, merchants->slot);
	if (found)
		*admitted_at = DatumGetTimestampTz(
			slot_getattr(merchants->slot, merchants->admitted_at, &isnull));
	ExecClearTuple(merchants->slot);
	return found;
}

/* Goes on with the latest snapshot. */
static void
look_anew(QgAdmitted *merchants)
{
	index_endscan(merchants->scan);
	merchants->scan = NULL;
	UnregisterSnapshot(merchants->snapshot);
	merchants->snapshot = RegisterSnapshot(GetLatestSnapshot());
	merchants->latest = true;
}

/* Gives a merchant, NULL where there is none. */
static const Merchant *
get_merchant(QgEventWriter *writer, Datum id)
{
	text *key = DatumGetTextPP(id);
	QgAdmitted *merchants = writer->merchants;
	Merchant *merchant;
	TimestampTz admitted_at = 0;
	bool found;

	if (merchants == NULL)
		merchants = writer->merchants = open_merchants();
	merchant = merchants_lookup(merchants->known, key);
	if (merchant != NULL)
		return merchant;
	found = find_merchant(merchants, id, &admitted_at);
	if (!found && !merchants->latest)
	{
		look_anew(merchants);
		found = find_merchant(merchants, id, &admitted_at);
	}
	if (!found)
		return NULL;
	merchant = merchants_insert(merchants->known, key, &found);
	merchant->admitted_at = admitted_at;
	return merchant;
}

/* Refuses an event of nobody, or of a time when its merchant was not there. */
void
qg_event_check(QgEventWriter *writer, const QgEvent *event, const QgEventOrigin *origin)
{
	const Merchant *merchant = get_merchant(writer, event->merchant);

	if (merchant == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("merchant \"%s\" does not exist", TextDatumGetCString(event->merchant)),
				 say_where(origin, origin->merchant),
				 errhint("Admit it first: quality_gov.merchant_admit().")));
	if (event->at < merchant->admitted_at)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("event happened at %s, before merchant \"%s\" was admitted at %s",
							   instant_text(event->at), TextDatumGetCString(event->merchant),
							   instant_text(merchant->admitted_at)),
						say_where(origin, origin->at ? origin->at : origin->merchant),
						errhint("Correct the instant, or \"admitted_at\" of the merchant.")));
}

/* Ends writing; the events are seen by the commands that follow. */
void
qg_events_close(QgEventWriter *writer)
{
	if (writer->merchants != NULL)
		close_merchants(writer->merchants);
	qg_rows_close(&writer->rows);
}
