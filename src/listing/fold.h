/*
 * fold.h
 *		Folding of UTF-8 text to the code points that matching compares, each with its place in the
 *		original.
 *
 * A pure core: fold.c needs nothing of the server but palloc, ereport and common/text.h.
 */
#ifndef QG_FOLD_H
#define QG_FOLD_H

#include "quality_gov.h"

#include "common/text.h"

/* Folds, as a mask; their names are in fold.c. */
#define QG_FOLD_NFKC 0x01	   /* compatibility normalisation */
#define QG_FOLD_CASE 0x02	   /* full case folding */
#define QG_FOLD_WIDTH 0x04	   /* full-width and half-width forms */
#define QG_FOLD_INVISIBLE 0x08 /* default-ignorable and control characters are dropped */
#define QG_FOLD_SEPARATOR 0x10 /* punctuation, spaces, symbols and emoji are dropped */
#define QG_FOLD_COUNT 5
#define QG_FOLD_ALL ((1 << QG_FOLD_COUNT) - 1)

/* One code point of folded text. */
typedef struct QgFoldedChar
{
	uint32 codepoint;
	int32 first; /* characters of the original that it stands for, from 1, end exclusive */
	int32 end;
	int32 byte_first; /* the same in bytes, from 0 */
	int32 byte_end;
	uint8 folds;   /* folds that changed it */
	uint8 skipped; /* folds that dropped something between it and the one before */
	bool broken;   /* a separator was dropped between it and the one before */
	bool word;	   /* Latin letter or digit, or a mark upon one */
	bool joined;   /* continues the word that the one before belongs to */
} QgFoldedChar;

typedef struct QgFolder QgFolder;

/* A pass over one text; private to fold.c, declared here to live on the caller's stack. */
typedef struct QgFoldScan
{
	QgFolder *folder;
	const unsigned char *text;
	const unsigned char *pos; /* next byte to read */
	const unsigned char *end;
	int32 character;	/* number of the next character to read */
	bool base_dropped;	/* marks that follow go with the base that was dropped */
	bool broken;		/* a separator was dropped since the last one given out */
	bool in_word;		/* the last one given out was of a word */
	uint8 skipped;		/* folds that dropped something since then */
	QgFoldedChar place; /* of the segment in out */
	uint32 out[QG_SEGMENT_MAX * QG_EXPANSION_MAX];
	int nout;
	int nextout;
} QgFoldScan;

extern uint32 qg_fold_by_name(const char *name);
extern const char *qg_fold_name(int bit);
extern void qg_fold_begin(QgFoldScan *scan, uint32 folds, const char *text, size_t length);
extern bool qg_fold_next(QgFoldScan *scan, QgFoldedChar *folded);
extern int qg_codepoint_to_utf8(uint32 codepoint, char *out);

#endif
