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
#define QG_FOLD_NFKC 0x001		 /* compatibility normalisation */
#define QG_FOLD_CASE 0x002		 /* full case folding */
#define QG_FOLD_WIDTH 0x004		 /* full-width and half-width forms */
#define QG_FOLD_INVISIBLE 0x008	 /* default-ignorable and control characters are dropped */
#define QG_FOLD_SCRIPT 0x010	 /* traditional characters to simplified ones */
#define QG_FOLD_CONFUSABLE 0x020 /* letters that look like Latin ones */
#define QG_FOLD_DIGIT 0x040		 /* numbers in any form to ASCII digits */
#define QG_FOLD_SEPARATOR 0x080	 /* punctuation, spaces, symbols and emoji are dropped */
#define QG_FOLD_REPEAT 0x100	 /* runs of one code point are one, with their length beside it */
#define QG_FOLD_COUNT 9
#define QG_FOLD_ALL ((1 << QG_FOLD_COUNT) - 1)

/* One code point of folded text. */
typedef struct QgFoldedChar
{
	uint32 codepoint;
	int32 first; /* characters of the original that it stands for, from 1, end exclusive */
	int32 end;
	int32 byte_first; /* the same in bytes, from 0 */
	int32 byte_end;
	int32 run;	  /* how many equal code points it stands for, 1 without `repeat` */
	bool broken;  /* a separator was dropped between it and the one before */
	bool word;	  /* Latin letter or digit, or a mark upon one */
	bool numeral; /* digit that the original writes as a Han numeral */
	bool joined;  /* continues the word that the one before belongs to */
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
	bool numeral;		/* and of a Han numeral */
	bool repeat;		/* runs are joined */
	bool have_ahead;	/* ahead was read, but not given out */
	QgFoldedChar ahead; /* with `repeat`, what follows a run */
	QgFoldedChar place; /* of the segment in out */
	uint32 out[QG_SEGMENT_MAX * QG_EXPANSION_MAX];
	int nout;
	int nextout;
} QgFoldScan;

extern uint32 qg_fold_by_name(const char *name);
extern const char *qg_fold_name(int bit);
extern void qg_fold_begin(QgFoldScan *scan, uint32 folds, const char *text, size_t length);
extern void qg_fold_seek(QgFoldScan *scan, size_t byte, bool base_dropped, bool broken,
						 bool in_word, bool numeral);
extern bool qg_fold_next(QgFoldScan *scan, QgFoldedChar *folded);
extern bool qg_fold_segment(QgFoldScan *scan);
extern bool qg_fold_rest(QgFoldScan *scan, QgFoldedChar *folded, uint8 *class);
extern uint32 qg_fold_decode(const unsigned char *pos, const unsigned char *end, int *length);
extern int qg_codepoint_to_utf8(uint32 codepoint, char *out);

#endif
