/*
 * lot_set.h
 *		A set of lots that knows which of them are new.
 */
#ifndef QG_LOT_SET_H
#define QG_LOT_SET_H

#include "quality_gov.h"

#define QG_SET_WORDS 8 /* of 64 lots each a page */

/* 64 neighbouring lots. */
typedef struct QgLotWord
{
	uint64 seen;  /* lots of earlier levels */
	uint64 fresh; /* lots of the level being filled */
} QgLotWord;

/* 512 neighbouring lots. */
typedef struct QgLotPage
{
	uint64 number; /* of its first lot, in pages, ordered as lots are */
	uint64 level;  /* the last one that touched the page */
	QgLotWord words[QG_SET_WORDS];
} QgLotPage;

/* A page of the level being filled, for sorting. */
typedef struct QgLotPlace
{
	uint64 number;
	uint32 page;
} QgLotPlace;

typedef struct QgLotSet
{
	MemoryContext context;
	QgLotPage *pages;
	uint32 count;
	uint32 allocated;
	uint32 *buckets; /* page plus one, 0 for none; twice as many as pages are allocated */
	int shift;		 /* of the hash, which leaves the number of a bucket */
	uint32 level;
	QgLotPlace *touched; /* pages of the level */
	uint32 ntouched;
	Size nfresh; /* lots of the level */
} QgLotSet;

/* What a lot was before it was added. */
typedef enum QgLotWas
{
	QG_LOT_NEW,
	QG_LOT_FRESH, /* in the level being filled */
	QG_LOT_SEEN	  /* in an earlier one */
} QgLotWas;

extern void qg_lot_set_init(QgLotSet *set);
extern QgLotWas qg_lot_set_add(QgLotSet *set, int64 lot);
extern bool qg_lot_set_has(const QgLotSet *set, int64 lot);
extern void qg_lot_set_remove(QgLotSet *set, int64 lot);
extern int64 *qg_lot_set_level(QgLotSet *set, Size *count);
extern int64 *qg_lot_set_all(const QgLotSet *set, Size *count);

#endif
