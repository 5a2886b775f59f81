/*
 * core.h
 *		The interfaces that tests and benchmarks drive, under one roof.
 */
#ifndef QG_CORE_H
#define QG_CORE_H

#include "shim.h"

#include "listing/fold.h"
#include "listing/matcher.h"

#ifdef QG_FOLD_REPEAT
#define FOLDED_RUN(f) ((f)->run)
#define FOLDED_NUMERAL(f) ((f)->numeral)
#define RUNS_COLLAPSE 1
#else
#define QG_FOLD_SCRIPT 0
#define QG_FOLD_CONFUSABLE 0
#define QG_FOLD_DIGIT 0
#define QG_FOLD_REPEAT 0
#define FOLDED_RUN(f) ((void) (f), 1)
#define FOLDED_NUMERAL(f) ((void) (f), false)
#define RUNS_COLLAPSE 0
#define qg_char_simplify(c) (c)
#define qg_char_latin(c) ((c) + 0)
#define qg_char_number(c) ((void) (c), -1)
#define qg_char_han_numeral(c) ((void) (c), false)
#endif

#endif
