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

/* Makes a term that can tell its number, which is below 26. */
static inline QgTerm
core_term(int number, const char *text, size_t length, bool allow, int severity)
{
	static const char tags[26][3] = {"A\0", "B\0", "C\0", "D\0", "E\0", "F\0", "G\0", "H\0", "I\0",
									 "J\0", "K\0", "L\0", "M\0", "N\0", "O\0", "P\0", "Q\0", "R\0",
									 "S\0", "T\0", "U\0", "V\0", "W\0", "X\0", "Y\0", "Z\0"};

	return (QgTerm){
		.text = text, .length = length, .allow = allow, .severity = severity, .tags = tags[number]};
}

/* Gives the number of the term that a filter is asked about. */
static inline int
core_number(const QgMatcher *matcher, int entry)
{
	QgTerm term;

	qg_matcher_term(matcher, entry, &term);
	return term.tags[0] - 'A';
}
#else
#define QG_FOLD_SCRIPT 0
#define QG_FOLD_CONFUSABLE 0
#define QG_FOLD_DIGIT 0
#define QG_FOLD_REPEAT 0
#define FOLDED_RUN(f) ((void) (f), 1)
#define FOLDED_NUMERAL(f) ((void) (f), false)
#define RUNS_COLLAPSE 0
#define core_term(number, text, length, allow, severity) \
	((QgTerm){(text), (length), (allow), (severity)})
#define core_number(matcher, entry) ((void) (matcher), (entry))
#define qg_char_simplify(c) (c)
#define qg_char_latin(c) ((c) + 0)
#define qg_char_number(c) ((void) (c), -1)
#define qg_char_han_numeral(c) ((void) (c), false)
#endif

#endif
