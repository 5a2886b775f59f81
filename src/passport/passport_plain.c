/*
 * passport_plain.c
 *		The passport that answers for goods, where it is good and nothing is to be said against it.
 *
 * It is passport_find() and passport_fault() for the plain case, read off the indexes in the order in
 * which those ask: the item's passport, the batch's, the model's that shipped under the lot, the model's
 * in force.  Where an answer is not plain (not yet valid, an event, a revocation, a lot assigned by hand)
 * it says so, and the functions in SQL answer.
 * */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "common/look.h"

#include "passport/passport.h"

#define GTIN_DIGITS 14

/* Asia/Shanghai is eight hours ahead since 1992, the days of this many and later since 2000-01-01. */
#define SHANGHAI_AHEAD (8 * USECS_PER_HOUR)
#define SHANGHAI_SINCE ((DateADT) -2922)

static QgLookIndex item_index = QG_LOOK_INDEX("passport", "passport_item_version");
static QgLookIndex batch_index = QG_LOOK_INDEX("passport", "passport_lot_version");
static QgLookIndex event_index = QG_LOOK_INDEX("passport_event", "passport_event_pkey");
static QgLookIndex assigned_index = QG_LOOK_INDEX("passport_lot", "passport_lot_pkey");
static QgLookIndex lot_index = QG_LOOK_INDEX("lot", "lot_gtin_lot_code");

/* Columns of the tables that are read. */
enum
{
	PASSPORT_ID = 1,
	PASSPORT_LEVEL = 3,
	PASSPORT_LOT,
	PASSPORT_SERIAL,
	PASSPORT_VERSION,
	PASSPORT_KEY = 8,
	PASSPORT_ISSUED,
	PASSPORT_VALID,
	PASSPORT_CREDENTIAL,
	PASSPORT_RECORDED,
	EVENT_KIND = 3,
	LOT_MADE = 6,
	LOT_EXPIRES
};

/* Gives a text column of the row, NULL for null. */
static text *
text_of(QgLook *look, int column)
{
	bool isnull;
	Datum value = qg_look_value(look, column, &isnull);

	return isnull ? NULL : DatumGetTextPP(value);
}

/* Gives the period of validity; false where it has no beginning. */
static bool
read_period(QgLook *look, QgPassportRow *row)
{
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound lower, upper;
	bool empty;
	bool isnull;

	range_deserialize(type, DatumGetRangeTypeP(qg_look_value(look, PASSPORT_VALID, &isnull)),
					  &lower, &upper, &empty);
	if (empty || lower.infinite)
		return false;
	row->from = DatumGetTimestampTz(lower.val);
	row->ends = !upper.infinite;
	row->until = row->ends ? DatumGetTimestampTz(upper.val) : DT_NOEND;
	return true;
}

/* Tells whether nothing but its issue and its successor happened to a passport. */
static bool
no_events(int64 passport_id)
{
	Datum key = Int64GetDatum(passport_id);
	bool plain = true;
	QgLook look;

	qg_look_begin(&look, &event_index, &key, 1, false);
	while (plain && qg_look_next(&look, ForwardScanDirection))
	{
		bool isnull;
		text *kind = DatumGetTextPP(qg_look_value(&look, EVENT_KIND, &isnull));
		int length = (int) VARSIZE_ANY_EXHDR(kind);

		plain = (length == 6 && memcmp(VARDATA_ANY(kind), "issued", 6) == 0) ||
				(length == 10 && memcmp(VARDATA_ANY(kind), "superseded", 10) == 0);
	}
	qg_look_end(&look);
	return plain;
}

/* Copies the claims that the document shows to everybody, NULL where it has none. */
static Jsonb *
copy_claims(Jsonb *credential)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&credential->root, "credentialSubject", 17,
													 NULL);

	value = getKeyJsonValueFromContainer(value->val.binary.data, "claims", 6, NULL);
	return value ? JsonbValueToJsonb(value) : NULL;
}

/* Judges the passport that the search stands at; false where it is not good beyond doubt. */
static bool
judge_row(QgPassportCase *scan, QgLook *look, QgPassportRow *row)
{
	bool isnull;
	char gtin[GTIN_DIGITS + 8];
	text *lot;

	snprintf(gtin, sizeof(gtin), "%014lld", (long long) scan->gtin);
	scan->passport_id = DatumGetInt64(qg_look_value(look, PASSPORT_ID, &isnull));
	row->passport_id = scan->passport_id;
	row->lot = lot = text_of(look, PASSPORT_LOT);
	row->serial = text_of(look, PASSPORT_SERIAL);
	row->version = DatumGetInt32(qg_look_value(look, PASSPORT_VERSION, &isnull));
	row->key_id = text_of(look, PASSPORT_KEY);
	row->issued = DatumGetTimestampTz(qg_look_value(look, PASSPORT_ISSUED, &isnull));
	row->credential = DatumGetJsonbP(qg_look_value(look, PASSPORT_CREDENTIAL, &isnull));
	if ((row->ends && row->until <= scan->at) || row->from > scan->at ||
		!qg_passport_row_holds(look, row, gtin) || !no_events(scan->passport_id))
		return false;
	scan->level = DatumGetTextPCopy(qg_look_value(look, PASSPORT_LEVEL, &isnull));
	scan->claims = copy_claims(row->credential);
	scan->shown_lot = scan->lot;
	if (scan->lot == NULL && lot != NULL)
		scan->shown_lot = DatumGetTextPCopy(PointerGetDatum(lot));
	/* An item's passport tells its lot, and a link that tells another is wrong. */
	return row->serial == NULL || lot == NULL || scan->lot == NULL ||
		   (VARSIZE_ANY_EXHDR(lot) == VARSIZE_ANY_EXHDR(scan->lot) &&
			memcmp(VARDATA_ANY(lot), VARDATA_ANY(scan->lot), VARSIZE_ANY_EXHDR(lot)) == 0);
}

/* What a search for the version that answers came to. */
typedef enum Choice
{
	NONE,	  /* there is no version */
	GOOD,	  /* it is good */
	NOT_PLAIN /* it is not, or none is valid yet */
} Choice;

/*
 * Judges the latest version, entered by the instant asked about, that was valid by another instant, or
 * where that is before and not by it.
 */
static Choice
choose(QgPassportCase *scan, QgLookIndex *where, text *second, TimestampTz by, bool before)
{
	Datum keys[2] = {Int64GetDatum(scan->gtin), PointerGetDatum(second)};
	Choice choice = NONE;
	QgLook look;

	qg_look_begin(&look, where, keys, 2, false);
	while (choice != GOOD && qg_look_next(&look, BackwardScanDirection))
	{
		QgPassportRow row = {0};
		bool isnull;

		row.recorded = DatumGetTimestampTz(qg_look_value(&look, PASSPORT_RECORDED, &isnull));
		if (row.recorded > scan->at)
			continue;
		if (!read_period(&look, &row))
		{
			choice = NOT_PLAIN;
			break;
		}
		if (row.from < by || (!before && row.from == by))
		{
			choice = judge_row(scan, &look, &row) ? GOOD : NOT_PLAIN;
			break;
		}
		if (!before)
			choice = NOT_PLAIN;
	}
	qg_look_end(&look);
	return choice;
}

/* Reads the lot's last day and when it was made; false where that is of other times. */
static bool
read_lot(QgPassportCase *scan, text *lot, bool *made_known, TimestampTz *made)
{
	Datum keys[2] = {Int64GetDatum(scan->gtin), PointerGetDatum(lot)};
	bool plain = true;
	QgLook look;

	*made_known = scan->expires = false;
	qg_look_begin(&look, &lot_index, keys, 2, false);
	if (qg_look_next(&look, ForwardScanDirection))
	{
		bool isnull;
		DateADT made_on = DatumGetDateADT(qg_look_value(&look, LOT_MADE, &isnull));

		*made_known = !isnull;
		if (!isnull)
		{
			plain = made_on >= SHANGHAI_SINCE && !DATE_NOT_FINITE(made_on);
			*made = ((TimestampTz) made_on + 1) * USECS_PER_DAY - SHANGHAI_AHEAD;
		}
		scan->expires_on = DatumGetDateADT(qg_look_value(&look, LOT_EXPIRES, &isnull));
		scan->expires = !isnull;
	}
	qg_look_end(&look);
	return plain;
}

/* Finds the model's passport of a lot, that which was in force as the day ended on which it was made. */
static Choice
choose_model(QgPassportCase *scan, bool made_known, TimestampTz made)
{
	Datum keys[2] = {Int64GetDatum(scan->gtin), PointerGetDatum(scan->lot)};
	Choice choice = NONE;

	if (scan->lot != NULL && qg_look_any(&assigned_index, keys, 2))
		return NOT_PLAIN;
	if (scan->lot != NULL && made_known)
		choice = choose(scan, &batch_index, NULL, made, true);
	return choice == NONE ? choose(scan, &batch_index, NULL, scan->at, false) : choice;
}

/* Tells whether the lot is not past its last day. */
static bool
not_expired(const QgPassportCase *scan)
{
	TimestampTz local = scan->at + SHANGHAI_AHEAD;

	return !scan->expires ||
		   (scan->at >= (TimestampTz) SHANGHAI_SINCE * USECS_PER_DAY && local < END_TIMESTAMP &&
			scan->expires_on >= (DateADT) (local >= 0
											   ? local / USECS_PER_DAY
											   : -((USECS_PER_DAY - 1 - local) / USECS_PER_DAY)));
}

/*
 * Finds the passport that answers for goods of a plain GTIN, and tells whether it is good and the lot
 * not past its last day.
 */
bool
qg_passport_plain(QgPassportCase *scan)
{
	bool made_known = false;
	TimestampTz made = 0;
	Choice choice = NONE;

	if (scan->lot != NULL && !read_lot(scan, scan->lot, &made_known, &made))
		return false;
	if (scan->serial != NULL)
		choice = choose(scan, &item_index, scan->serial, scan->at, false);
	if (choice == NONE && scan->lot != NULL)
		choice = choose(scan, &batch_index, scan->lot, scan->at, false);
	if (choice == NONE)
		choice = choose_model(scan, made_known, made);
	if (choice != GOOD)
		return false;
	if (scan->lot == NULL && scan->shown_lot != NULL)
		(void) read_lot(scan, scan->shown_lot, &made_known, &made);
	return not_expired(scan);
}
