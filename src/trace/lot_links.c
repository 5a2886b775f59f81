/*
 * lot_links.c
 *		Reading the links of many lots off an index of lot_link.
 *
 * Of the lots that a trace reaches few have links of their own: finding out that a lot has none is
 * what costs.  Both indexes begin with the lot whose links are asked for and hold all that is wanted
 * (parent, child, quantity), so the lots of a level, sorted, are merged with the leaves of the tree:
 *
 *		find the leaf of the first lot, from the root
 *		in the leaf, look for the lot by halving; an entry of a later lot answers for every lot
 *		before it, none of which has links
 *		at the end of the leaf, the first key of the next one answers for all lots before it; if
 *		the next lot was in the right neighbour last time, go there, else from the root
 *
 * A thousand lots without links, whose numbers lie between two lots that have some, cost one look.
 * An index scan cannot do that: it reads a leaf to its end before it can be asked for another key.
 *
 * It follows the same rules as the server's index-only scan.  A leaf is read under a share lock, what
 * is wanted of it is copied, and its pin is kept while the table's visibility map is asked, so that
 * VACUUM cannot take a row away in between.  A row on a page that is not all visible is looked up in
 * the table with the snapshot.  The right neighbour is the one that the leaf had when it was read, so
 * that a split in between neither hides an entry nor shows it twice.  Entries marked dead are passed
 * over, but not in recovery, where the mark may be ahead of the snapshot.  Serializable transactions
 * take the locks that tell them of writers.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "trace/lot_links.h"

/* Pages of the table that one page of its visibility map speaks of. */
#define MAP_BLOCKS ((BLCKSZ - MAXALIGN(SizeOfPageHeaderData)) * 4)

/* Reads one of the first columns of an entry, which are bigint and never null. */
static inline int64
entry_lot(IndexTuple entry, int column)
{
	return ((int64 *) ((char *) entry + IndexInfoFindDataOffset(entry->t_info)))[column];
}

/* Gives the lot that an entry of a page begins with. */
static inline int64
first_lot(Page page, OffsetNumber offset)
{
	return entry_lot((IndexTuple) PageGetItem(page, PageGetItemId(page, offset)), 0);
}

/* Tells whether a column of an index is a column of the table, ascending as bigint. */
static bool
is_ascending(const QgLinks *links, int place, const char *column)
{
	Relation index = links->index;

	return index->rd_index->indkey.values[place] ==
			   get_attnum(RelationGetRelid(links->table), column) &&
		   index->rd_opfamily[place] == INTEGER_BTREE_FAM_OID &&
		   TupleDescAttr(RelationGetDescr(index), place)->atttypid == INT8OID &&
		   !(index->rd_indoption[place] & INDOPTION_DESC);
}

/* Tells whether an index is one of all rows, by the two columns, that the snapshot may use. */
static bool
is_usable(const QgLinks *links, bool backward)
{
	Form_pg_index form = links->index->rd_index;

	return links->index->rd_rel->relam == BTREE_AM_OID && form->indisvalid &&
		   (!form->indcheckxmin ||
			TransactionIdPrecedes(HeapTupleHeaderGetXmin(links->index->rd_indextuple->t_data),
								  TransactionXmin)) &&
		   form->indrelid == RelationGetRelid(links->table) && form->indnkeyatts >= 2 &&
		   is_ascending(links, 0, backward ? "child" : "parent") &&
		   is_ascending(links, 1, backward ? "parent" : "child") &&
		   RelationGetIndexPredicate(links->index) == NIL;
}

/* Opens the index, and makes sure that it is what this file reads. */
static void
open_index(QgLinks *links, bool backward)
{
	const char *name = backward ? "lot_link_child_parent" : "lot_link_pkey";
	Oid oid = get_relname_relid(name, get_namespace_oid(QG_SCHEMA, false));
	AttrNumber column = get_attnum(RelationGetRelid(links->table), "quantity");

	if (OidIsValid(oid))
		links->index = index_open(oid, AccessShareLock);
	if (links->index != NULL && is_usable(links, backward))
		for (int i = 2; i < links->index->rd_index->indnatts; i++)
			if (links->index->rd_index->indkey.values[i] == column)
				links->quantity = i + 1;
	if (links->quantity == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index \"%s.%s\" is missing or not as it was installed", QG_SCHEMA, name),
				 errhint("Build it anew as the extension's script does.")));
}

/* Makes ready to read links from parents to children or backward, as the active snapshot shows them. */
void
qg_links_open(QgLinks *links, bool backward, bool quantities)
{
	memset(links, 0, sizeof(QgLinks));
	links->table = table_open(get_relname_relid("lot_link", get_namespace_oid(QG_SCHEMA, false)),
							  AccessShareLock);
	open_index(links, backward);
	links->snapshot = GetActiveSnapshot();
	links->quantities = quantities;
	links->keep_dead = TransactionStartedDuringRecovery();
	links->key = _bt_mkscankey(links->index, NULL);
	links->key->keysz = 1;
	links->key->scankeys[0].sk_flags &= ~SK_ISNULL;
	links->row = table_slot_create(links->table, NULL);
	links->fetch = table_index_fetch_begin(links->table);
	links->batch = palloc(sizeof(QgLink) * MaxTIDsPerBTreePage);
	/* A quantity may grow by three bytes when it is aligned. */
	links->bytes = palloc(BLCKSZ * 2);
}

/* Starts to read the links of lots, which are sorted and not twice the same, or all links. */
void
qg_links_start(QgLinks *links, const int64 *lots, Size count)
{
	links->lots = lots;
	links->count = count;
	links->at = 0;
	links->ended = lots != NULL && count == 0;
	links->right = InvalidBlockNumber;
	links->near = false;
	links->within = false;
}

/* Leaves out what is not read yet of a lot's links, and of all lots before it. */
void
qg_links_skip(QgLinks *links, int64 lot)
{
	while (links->at < links->count && links->lots[links->at] <= lot)
		links->at++;
}

/* Ends reading. */
void
qg_links_close(QgLinks *links)
{
	table_index_fetch_end(links->fetch);
	ExecDropSingleTupleTableSlot(links->row);
	for (int i = 0; i < QG_LINKS_MAPS; i++)
		if (BufferIsValid(links->visible[i]))
			ReleaseBuffer(links->visible[i]);
	index_close(links->index, AccessShareLock);
	table_close(links->table, AccessShareLock);
}

/* Gives the first entry from an offset on that is not before a lot. */
static inline OffsetNumber
search_page(Page page, OffsetNumber from, OffsetNumber last, int64 lot)
{
	OffsetNumber to = last + 1;
	OffsetNumber step = 1;

	/* Doubled steps first: it is mostly close by. */
	while (from + step <= last && first_lot(page, from + step) < lot)
	{
		from += step;
		step *= 2;
	}
	to = Min(to, from + step);
	while (from < to)
	{
		OffsetNumber middle = from + (to - from) / 2;

		if (first_lot(page, middle) < lot)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Gives the first lot from a place on that is not before another. */
static Size
search_lots(const QgLinks *links, Size from, int64 lot)
{
	Size to = links->count;
	Size step = 1;

	while (from + step < links->count && links->lots[from + step] < lot)
	{
		from += step;
		step *= 2;
	}
	to = Min(to, from + step);
	while (from < to)
	{
		Size middle = from + (to - from) / 2;

		if (links->lots[middle] < lot)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Copies an entry into the batch. */
static void
take(QgLinks *links, IndexTuple entry)
{
	bool null = true;
	Datum quantity = (Datum) 0;
	int rows = BTreeTupleIsPosting(entry) ? BTreeTupleGetNPosting(entry) : 1;

	if (links->quantities)
		quantity = index_getattr(entry, links->quantity, RelationGetDescr(links->index), &null);
	if (!null)
	{
		Size size = VARSIZE_ANY(DatumGetPointer(quantity));
		char *copy = links->bytes + links->nbytes;

		memcpy(copy, DatumGetPointer(quantity), size);
		links->nbytes += INTALIGN(size);
		quantity = PointerGetDatum(copy);
	}
	for (int i = 0; i < rows; i++)
	{
		QgLink *link = &links->batch[links->nbatch++];

		link->from = entry_lot(entry, 0);
		link->to = entry_lot(entry, 1);
		link->quantity = quantity;
		link->unknown = null;
		link->tid = BTreeTupleIsPosting(entry) ? *BTreeTupleGetPostingN(entry, i) : entry->t_tid;
	}
}

/* Takes what is wanted of a locked leaf, and goes past the lots that it answers for. */
static void
read_page(QgLinks *links, Page page)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	OffsetNumber offset = P_FIRSTDATAKEY(opaque);

	while (links->lots == NULL || links->at < links->count)
	{
		ItemId id;

		if (links->lots != NULL)
			offset = search_page(page, offset, last, links->lots[links->at]);
		if (offset > last)
			break;
		if (links->lots != NULL)
		{
			int64 lot = first_lot(page, offset);

			if (lot != links->lots[links->at])
			{
				links->at = search_lots(links, links->at, lot);
				continue;
			}
		}
		id = PageGetItemId(page, offset);
		if (links->keep_dead || !ItemIdIsDead(id))
			take(links, (IndexTuple) PageGetItem(page, id));
		offset++;
	}
	links->right = opaque->btpo_next;
	if (P_RIGHTMOST(opaque))
		links->ended = true;
	else if (links->lots != NULL)
	{
		int64 next = first_lot(page, P_HIKEY);

		links->at = search_lots(links, links->at, next);
		links->ended = links->at == links->count;
		links->within = !links->ended && links->lots[links->at] == next;
	}
}

/* Goes from the root to the leaf of the key; invalid where the index is empty. */
static Buffer
search_tree(QgLinks *links)
{
	Buffer leaf;

	pgstat_count_index_scan(links->index);
	_bt_freestack(_bt_search(links->index QG_BTREE_TABLE(links->table), links->key, &leaf,
							 BT_READ QG_BTREE_SNAPSHOT(links->snapshot)));
	return leaf;
}

/* Finds the leaf of the next lot from the root; invalid where the index is empty. */
static Buffer
descend(QgLinks *links)
{
	Buffer leaf;

	links->key->scankeys[0].sk_argument = Int64GetDatum(
		links->lots == NULL ? PG_INT64_MIN : links->lots[links->at]);
	leaf = search_tree(links);
	if (!BufferIsValid(leaf) && IsolationIsSerializable())
	{
		/* Another may have made the first leaf before the lock was taken. */
		PredicateLockRelation(links->index, links->snapshot);
		leaf = search_tree(links);
	}
	links->near = BufferIsValid(leaf) && BufferGetBlockNumber(leaf) == links->right;
	return leaf;
}

/* Locks the right neighbour of the page last read, past pages that are being deleted. */
static Buffer
step_right(QgLinks *links)
{
	for (;;)
	{
		Buffer leaf = ReadBuffer(links->index, links->right);
		BTPageOpaque opaque;

		LockBuffer(leaf, BUFFER_LOCK_SHARE);
		_bt_checkpage(links->index, leaf);
		opaque = BTPageGetOpaque(BufferGetPage(leaf));
		if (!P_IGNORE(opaque))
			return leaf;
		links->right = opaque->btpo_next;
		UnlockReleaseBuffer(leaf);
		CHECK_FOR_INTERRUPTS();
		if (links->right == P_NONE)
			return InvalidBuffer;
	}
}

/* Keeps of the batch the links whose rows the snapshot shows. */
static void
keep_visible(QgLinks *links)
{
	bool serializable = IsolationIsSerializable();
	int kept = 0;

	for (int i = 0; i < links->nbatch; i++)
	{
		QgLink *link = &links->batch[i];
		BlockNumber block = ItemPointerGetBlockNumber(&link->tid);

		if (VM_ALL_VISIBLE(links->table, block,
						   &links->visible[block / MAP_BLOCKS % QG_LINKS_MAPS]))
		{
			if (serializable)
				PredicateLockPage(links->table, block, links->snapshot);
		}
		else
		{
			ItemPointerData tid = link->tid;
			bool again = false;

			if (!table_index_fetch_tuple(links->fetch, &tid, links->snapshot, links->row, &again,
										 NULL))
				continue;
			ExecClearTuple(links->row);
		}
		if (kept != i)
			links->batch[kept] = *link;
		kept++;
	}
	links->nbatch = kept;
}

/* Reads the next page that has links; false at the end. */
bool
qg_links_next(QgLinks *links)
{
	while (!links->ended && (links->lots == NULL || links->at < links->count))
	{
		bool right = links->right != InvalidBlockNumber &&
					 (links->within || links->near || links->lots == NULL);
		Size before = links->at;
		Buffer leaf;

		CHECK_FOR_INTERRUPTS();
		leaf = right ? step_right(links) : descend(links);
		links->nbatch = 0;
		links->nbytes = 0;
		if (!BufferIsValid(leaf))
		{
			links->ended = true;
			return false;
		}
		if (IsolationIsSerializable())
			PredicateLockPage(links->index, BufferGetBlockNumber(leaf), links->snapshot);
		read_page(links, BufferGetPage(leaf));
		LockBuffer(leaf, BUFFER_LOCK_UNLOCK);
		/* A neighbour that did not even bring the next lot was not worth the visit. */
		if (right && links->nbatch == 0 && links->at == before)
			links->near = false;
		keep_visible(links);
		ReleaseBuffer(leaf);
		if (links->nbatch > 0)
			return true;
	}
	links->nbatch = 0;
	return false;
}
