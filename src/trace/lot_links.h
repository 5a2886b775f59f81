/*
 * lot_links.h
 *		Reading the links of many lots off an index of lot_link.
 */
#ifndef QG_LOT_LINKS_H
#define QG_LOT_LINKS_H

#include "quality_gov.h"

#include "access/nbtree.h"
#include "access/tableam.h"
#include "utils/snapshot.h"

#define QG_LINKS_MAPS 16

/* A link as it was found; its quantity is valid until the next page. */
typedef struct QgLink
{
	int64 from;
	int64 to;
	Datum quantity; /* numeric */
	bool unknown;	/* it has no quantity */
	ItemPointerData tid;
} QgLink;

/* Links of some lots, in the order of the index. */
typedef struct QgLinks
{
	Relation table;
	Relation index;
	Snapshot snapshot;
	AttrNumber quantity; /* its column in the index */
	bool quantities;	 /* whether they are wanted */
	bool keep_dead;		 /* entries marked dead may be alive for this snapshot */
	BTScanInsert key;
	const int64 *lots; /* sorted, NULL where all links are read */
	Size count;
	Size at; /* the first lot whose links are not all read */
	bool ended;
	BlockNumber right; /* of the page last read, or invalid */
	bool within; /* links of the next lot may have been on that page, and go on at its right */
	bool near;	 /* whether the next lot was last found there */
	Buffer visible
		[QG_LINKS_MAPS]; /* of the visibility map: rows of a page lie anywhere in the table */
	IndexFetchTableData *fetch;
	TupleTableSlot *row;
	QgLink *batch; /* links of one page */
	int nbatch;
	char *bytes; /* quantities of the batch */
	Size nbytes;
} QgLinks;

extern void qg_links_open(QgLinks *links, bool backward, bool quantities);
extern void qg_links_start(QgLinks *links, const int64 *lots, Size count);
extern bool qg_links_next(QgLinks *links);
extern void qg_links_skip(QgLinks *links, int64 lot);
extern void qg_links_close(QgLinks *links);

#endif
