/*
 * oracle.h
 *		Slow twins of folding and matching, written from their description alone.
 */
#ifndef QG_ORACLE_H
#define QG_ORACLE_H

#include "core.h"

/* A text as code points; at[i] is the byte where code point i begins, at[n] the length. */
typedef struct Codes
{
	int n;
	const uint32 *code;
	const int *at;
} Codes;

/* A code point of folded text, with the `run` ones of the text before `repeat` it stands for. */
typedef struct Spelled
{
	uint32 code;
	int first; /* characters from 1 and bytes from 0, ends exclusive */
	int end;
	int byte_first;
	int byte_end;
	bool broken;
	bool word;
	bool numeral;
	bool joined;
	int run;
	int member; /* the first in `all` */
} Spelled;

typedef struct Spelling
{
	int n;
	Spelled *out;
	int nall;
	Spelled *all; /* before `repeat` */
} Spelling;

extern void oracle_fold(uint32 folds, Codes text, Spelling *result);
extern int oracle_whole(uint32 folds, Codes text, uint32 *out);

typedef struct OracleTerm
{
	Codes codes;
	bool allow;
	int severity;
	bool applies;
} OracleTerm;

/* Gives the number of hits, which are written to `hits` as far as there is room. */
extern int oracle_match(uint32 folds, const OracleTerm *terms, int nterms, Codes text,
						bool overlaps, Hit *hits, int room);

#endif
