/*
 * passport.h
 *		What the plain case of a scan is made of.
 *
 * Each function here tells whether what it looks at is plain, which is to say: whether nothing is to be
 * found there that passport_verify_full() would have more to say about.
 */
#ifndef QG_PASSPORT_H
#define QG_PASSPORT_H

#include "quality_gov.h"

#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/jsonb.h"

#include "common/look.h"
#include "common/signature.h"

/* Goods that a link names, and the passport that answers for them. */
typedef struct QgPassportCase
{
	TimestampTz at;
	int64 gtin;
	text *lot;	  /* as the link tells, NULL where it tells none */
	text *serial; /* likewise */

	int64 passport_id;
	text *level;
	text *shown_lot; /* the link's, else the passport's, else NULL */
	Jsonb *claims;	 /* NULL where the passport has none */
	bool expires;
	DateADT expires_on;
} QgPassportCase;

/* How often goods were scanned. */
typedef struct QgScanCount
{
	bool claimed; /* one scan is known as the first */
	bool known;	  /* there are scans */
	int64 scans;
	int tail;	  /* scans since the last tally */
	bool tallied; /* there is one */
	bool retired; /* scans were deleted */
	bool begun;	  /* first_at is known */
	TimestampTz first_at;
	bool recent; /* there are scans that were not retired */
} QgScanCount;

/* What a row of passport tells beside its document. */
typedef struct QgPassportRow
{
	int64 passport_id;
	text *lot;
	text *serial;
	int32 version;
	text *key_id;
	TimestampTz issued;
	TimestampTz recorded;
	TimestampTz from;
	TimestampTz until;
	bool ends;
	Jsonb *credential;
} QgPassportRow;

extern bool qg_proof_holds(Jsonb *document, QgAlgorithm algorithm, const uint8 *key);

extern bool qg_passport_host(text *host);
extern bool qg_passport_goods_plain(int64 gtin, bool numbered);
extern bool qg_passport_row_holds(QgLook *look, const QgPassportRow *row, const char *gtin);

extern bool qg_passport_plain(QgPassportCase *scan);

extern bool qg_scan_count(text *goods, bool numbered, TimestampTz at, QgScanCount *count);
extern void qg_scan_tally(text *goods, int64 scans, Datum seen);
extern int64 qg_scan_number(const char *sequence);

#endif
