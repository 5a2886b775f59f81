/*
 * similar.h
 *		Likeness of texts given as code points: fingerprints and edit distance.
 *
 * A pure core: similar.c needs nothing of the server but its interrupts.
 */
#ifndef QG_SIMILAR_H
#define QG_SIMILAR_H

#include "quality_gov.h"

/* Longest texts that edit distance compares; names are shorter. */
#define QG_EDIT_MAX 200

extern uint64 qg_fingerprint(const uint32 *text, int length);
extern int qg_edit_distance(const uint32 *a, int na, const uint32 *b, int nb, int limit);

#endif
