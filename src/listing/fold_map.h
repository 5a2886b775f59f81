/*
 * fold_map.h
 *		What folds do to the code points of one segment, and what is remembered of those that stand
 *		alone.
 */
#ifndef QG_FOLD_MAP_H
#define QG_FOLD_MAP_H

#include "listing/fold.h"

/* What folds do with a code point that stands alone. */
typedef struct QgFoldEntry
{
	uint32 codepoint; /* what it maps to, where that is one code point */
	uint8 class;	  /* its own properties, QG_CHAR_* */
	uint8 flags;	  /* QG_ENTRY_* */
} QgFoldEntry;

#define QG_ENTRY_KNOWN 0x01
#define QG_ENTRY_STARTS 0x02  /* normalisation never looks from before it into it */
#define QG_ENTRY_MANY 0x04	  /* it maps to several code points or to none */
#define QG_ENTRY_HIDDEN 0x08  /* default-ignorable: nobody sees it */
#define QG_ENTRY_NUMERAL 0x10 /* what it maps to is a digit for a Han numeral */

/* Set in a code point given out: a digit that stands for a Han numeral. */
#define QG_MAP_NUMERAL 0x80000000u

extern void qg_fold_learn(uint32 folds, uint32 codepoint, QgFoldEntry *entry);
extern int qg_fold_map(uint32 folds, const uint32 *in, int nin, uint32 *out);

#endif
