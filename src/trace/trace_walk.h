/*
 * trace_walk.h
 *		Walking from a lot along its links.
 */
#ifndef QG_TRACE_WALK_H
#define QG_TRACE_WALK_H

#include "trace/lot_links.h"
#include "trace/lot_set.h"

/* A walk, and what it reached. */
typedef struct QgWalk
{
	/* what is asked, the caller's to fill */
	int64 start;
	bool backward;
	bool rows;			 /* keep the lots reached, not only their number */
	int max_depth;		 /* 0 for no limit */
	Size max_rows;		 /* 0 for no limit */
	const int64 *target; /* stop at the level that reaches this lot, where not NULL */
	/* the lots reached, in the order of depth, via and lot */
	Size count;
	int depth;	/* of the last one */
	Size *ends; /* of the levels among the lots; ends[0] is 0 */
	int64 *lots;
	int64 *vias;
	char *
		quantities; /* of each lot a zero byte, or a numeric of one-byte header, or a mark and one */
	Size largest;	/* bytes of a quantity */
	QgLotSet cycle; /* lots that lie on a cycle, as far as links were followed */
	QgLotSet more;	/* lots with links to lots that were not reached */
	bool truncated; /* a limit left links unfollowed */
	/* the walk's own */
	QgLinks links;
	QgLotSet reached;
	Size allocated;
	int levels;
	Size quantity_bytes;
	Size quantity_allocated;
	Datum quantity; /* of the last lot, not stored yet */
	bool unknown;
	char *owned; /* the memory of that quantity, where it is not a page's */
	int64 *rest; /* lots of the level that was not followed, in order */
	Size nrest;
	bool suspect; /* a link led to a lot of the same level or an earlier one */
} QgWalk;

/* A lot on a cycle. */
typedef struct QgCycleLot
{
	int64 lot;
	int64 cycle; /* the smallest lot of those that lead to one another */
	uint32 size; /* how many those are */
} QgCycleLot;

extern void qg_walk(QgWalk *walk);
extern const char *qg_walk_quantity(const QgWalk *walk, Size *place, Size *size);
extern QgCycleLot *qg_cycle_lots(QgLinks *links, const int64 *lots, Size count, Size *found);

#endif
