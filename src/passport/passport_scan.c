/*
 * passport_scan.c
 *		Counting and writing scans without a query.
 *
 * The count is passport_scan_count() for the plain case: fewer than a thousand scans since the last tally,
 * and fewer than a thousand after the instant asked about.
 */
#include "quality_gov.h"

#include "commands/sequence.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "common/look.h"
#include "common/rows.h"

#include "passport/passport.h"

#define TAIL_MAX 1000

/* Transactions of a tally's snapshot are looked for together where they are so few and so close. */
#define NEAR 64
#define NEAR_XIDS 256

static QgLookIndex first_index = QG_LOOK_INDEX("passport_scan_first", "passport_scan_first_pkey");
static QgLookIndex opening_index = QG_LOOK_INDEX("passport_scan_opening",
												 "passport_scan_opening_pkey");
static QgLookIndex tally_index = QG_LOOK_INDEX("passport_scan_tally", "passport_scan_tally_pkey");
static QgLookIndex goods_index = QG_LOOK_INDEX("passport_scan", "passport_scan_goods");
static QgLookIndex tail_index = QG_LOOK_INDEX("passport_scan", "passport_scan_tail");

/* Columns of the tables that are read. */
enum
{
	SCAN_AT = 2,
	SCAN_XID = 19,
	FIRST_AT = 3,
	OPENING_SCANS = 3,
	OPENING_FIRST,
	TALLY_SCANS = 3,
	TALLY_SEEN
};

/* passport_scan_write(scan): inserts the row of a scan; passport_verify() alone decides what it says. */
PG_FUNCTION_INFO_V1(qg_passport_scan_write);
Datum
qg_passport_scan_write(PG_FUNCTION_ARGS)
{
	QgRows rows;

	qg_rows_open(&rows, "passport_scan");
	qg_rows_add_record(&rows, PG_GETARG_DATUM(0));
	qg_rows_close(&rows);
	PG_RETURN_VOID();
}

/* Gives an instant of the row that a search stands at. */
static TimestampTz
instant(QgLook *look, int column)
{
	bool isnull;

	return DatumGetTimestampTz(qg_look_value(look, column, &isnull));
}

/* Counts what is left of a search, as far as the limit. */
static int
count_rows(QgLook *look, int limit)
{
	int n = 0;

	while (n < limit && qg_look_next(look, ForwardScanDirection))
		n++;
	return n;
}

/* Reads the last tally, as the number of scans and the text of the snapshot that it saw, or NULL. */
static char *
read_tally(Datum goods, int64 *scans)
{
	char *seen = NULL;
	QgLook look;

	qg_look_begin(&look, &tally_index, &goods, 1, false);
	if (qg_look_next(&look, BackwardScanDirection))
	{
		bool isnull;

		*scans = DatumGetInt64(qg_look_value(&look, TALLY_SCANS, &isnull));
		seen = DatumGetCString(DirectFunctionCall1(
			pg_snapshot_out,
			PointerGetDatum(PG_DETOAST_DATUM(qg_look_value(&look, TALLY_SEEN, &isnull)))));
	}
	qg_look_end(&look);
	return seen;
}

/* Counts scans from a transaction on, those before the end of a snapshot only if they are in its list. */
static int
count_listed(QgLook *look, const uint64 *listed, int n, uint64 end)
{
	int count = 0;

	while (qg_look_next(look, ForwardScanDirection))
	{
		bool isnull;
		uint64 xid = DatumGetUInt64(qg_look_value(look, SCAN_XID, &isnull));
		int i = 0;

		/* In their order: from here on all count. */
		if (xid >= end)
			return count + 1 + count_rows(look, TAIL_MAX - 1);
		while (i < n && listed[i] != xid)
			i++;
		count += i < n;
	}
	return count;
}

/*
 * Counts the scans that a tally did not see: those of transactions that came after its snapshot, or were
 * under way.  The snapshot is told as xmin:xmax:xip,xip,... in ascending order.
 */
static int
count_tail(Datum goods, const char *seen)
{
	uint64 end = strtou64(strchr(seen, ':') + 1, NULL, 10);
	uint64 listed[NEAR];
	const char *at = strrchr(seen, ':');
	Datum keys[2] = {goods, UInt64GetDatum(end)};
	QgLook look;
	int near = 0;
	int count;

	while (at != NULL && at[1] != '\0' && near < NEAR)
	{
		listed[near++] = strtou64(at + 1, NULL, 10);
		at = strchr(at + 1, ',');
	}
	/* Those under way are mostly close together, and one search finds all. */
	if (near > 0 && near < NEAR && end - listed[0] <= NEAR_XIDS)
	{
		keys[1] = UInt64GetDatum(listed[0]);
		qg_look_begin(&look, &tail_index, keys, 2, true);
		count = count_listed(&look, listed, near, end);
		qg_look_end(&look);
		return count;
	}
	qg_look_begin(&look, &tail_index, keys, 2, true);
	count = count_rows(&look, TAIL_MAX);
	at = strrchr(seen, ':');
	while (count < TAIL_MAX && at != NULL && at[1] != '\0')
	{
		qg_look_again(&look, UInt64GetDatum(strtou64(at + 1, NULL, 10)), false);
		count += count_rows(&look, TAIL_MAX);
		at = strchr(at + 1, ',');
	}
	qg_look_end(&look);
	return count;
}

/* Adds the scans that were deleted, and looks whether they were earlier. */
static void
add_retired(Datum goods, TimestampTz at, bool counted, QgScanCount *count)
{
	QgLook look;

	qg_look_begin(&look, &opening_index, &goods, 1, false);
	while (qg_look_next(&look, ForwardScanDirection))
	{
		TimestampTz first_at = instant(&look, OPENING_FIRST);
		bool isnull;

		count->known = count->retired = true;
		if (first_at > at)
			continue;
		if (!counted)
			count->scans += DatumGetInt64(qg_look_value(&look, OPENING_SCANS, &isnull));
		if (!count->begun || first_at < count->first_at)
			count->first_at = first_at;
		count->begun = true;
	}
	qg_look_end(&look);
}

/* Reads the scan that is known as the first. */
static bool
read_first(Datum goods, TimestampTz *first_at)
{
	QgLook look;
	bool found;

	qg_look_begin(&look, &first_index, &goods, 1, false);
	found = qg_look_next(&look, ForwardScanDirection);
	if (found)
		*first_at = instant(&look, FIRST_AT);
	qg_look_end(&look);
	return found;
}

/* Counts all scans until an instant, one by one, and those after it. */
static void
count_all(QgLook *look, TimestampTz at, QgScanCount *count, int *later)
{
	while (count->tail + *later < TAIL_MAX && qg_look_next(look, ForwardScanDirection))
	{
		TimestampTz scanned_at = instant(look, SCAN_AT);

		if (!count->known)
			count->first_at = scanned_at;
		count->known = true;
		if (scanned_at <= at)
			count->tail++;
		else
			(*later)++;
	}
}

/* Finds the first of scans that a tally counts, and counts those after an instant. */
static void
find_ends(QgLook *look, TimestampTz at, QgScanCount *count, int *later)
{
	count->known = qg_look_next(look, ForwardScanDirection);
	if (!count->known)
		return;
	count->first_at = instant(look, SCAN_AT);
	index_rescan(look->scan, look->keys, look->nkeys, NULL, 0);
	while (*later < TAIL_MAX && qg_look_next(look, BackwardScanDirection) &&
		   instant(look, SCAN_AT) > at)
		(*later)++;
}

/* Counts the scans of goods, numbered ones or not; false where that is not plain. */
bool
qg_scan_count(text *goods, bool numbered, TimestampTz at, QgScanCount *count)
{
	Datum key = PointerGetDatum(goods);
	TimestampTz claimed_at = 0;
	int later = 0;
	char *seen;
	QgLook look;

	memset(count, 0, sizeof(QgScanCount));
	/* Nothing but a serial number has a scan that is the first. */
	count->claimed = numbered && read_first(key, &claimed_at);
	seen = read_tally(key, &count->scans);
	count->tallied = seen != NULL;
	qg_look_begin(&look, &goods_index, &key, 1, false);
	if (seen == NULL)
		count_all(&look, at, count, &later);
	else
		find_ends(&look, at, count, &later);
	qg_look_end(&look);
	if (seen != NULL)
		count->tail = count_tail(key, seen);
	if (later >= TAIL_MAX || count->tail + (seen == NULL ? later : 0) >= TAIL_MAX)
		return false;
	count->begun = count->known && count->first_at <= at;
	count->scans += count->tail - (seen != NULL ? later : 0);
	count->recent = later > 0 ? count->scans > 0 : count->known;
	add_retired(key, at, seen != NULL, count);
	if (seen != NULL && later > 0 && count->retired)
		return false;
	/* As of a moment that has passed nothing is added up. */
	if (later > 0)
		count->tail = 0;
	/* The one that was first says when, whatever others tell of earlier. */
	if (count->claimed && claimed_at <= at)
	{
		count->begun = true;
		count->first_at = claimed_at;
	}
	/* As passport_verify_full() has it: what is not known was never scanned. */
	if (!count->known)
		*count = (QgScanCount){.claimed = count->claimed};
	return true;
}

/*
 * Adds a tally of scans that were counted with the active snapshot, before the transaction wrote
 * anything: what that snapshot shows is complete.
 */
void
qg_scan_tally(text *goods, int64 scans, Datum seen)
{
	Datum values[4] = {PointerGetDatum(goods), (Datum) 0, Int64GetDatum(scans), seen};
	bool nulls[4] = {false};
	QgRows rows;

	qg_rows_open(&rows, "passport_scan_tally");
	values[1] = Int64GetDatum(qg_scan_number("passport_scan_tally_tally_id_seq"));
	qg_rows_add(&rows, values, nulls);
	qg_rows_close(&rows);
}

/* Gives the next number of an identity column. */
int64
qg_scan_number(const char *sequence)
{
	return nextval_internal(
		get_relname_relid(sequence, get_rel_namespace(qg_look_table(&goods_index))), false);
}
