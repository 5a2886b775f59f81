/*
 * core.h
 *		The interfaces that tests and benchmarks drive, under one roof.
 */
#ifndef QG_CORE_H
#define QG_CORE_H

#include "shim.h"

#include "listing/fold.h"
#include "listing/fold_map.h"
#include "listing/matcher.h"

#define CORE_TERMS_MAX 26

/* A hit and where it stands. */
typedef struct Hit
{
	int term;
	int first; /* characters from 1 and bytes from 0, ends exclusive */
	int end;
	int byte_first;
	int byte_end;
} Hit;

static inline Hit
core_hit(const QgHit *hit)
{
	QgPlace place;

	qg_hit_locate(hit, &place);
	return (Hit){qg_hit_number(hit), place.first, place.end, place.byte_first, place.byte_end};
}

/* Makes a term that can tell its number, which is below CORE_TERMS_MAX. */
static inline QgTerm
core_term(int number, const char *text, size_t length, bool allow, int severity)
{
	static const char tags[CORE_TERMS_MAX][3] = {
		"A\0", "B\0", "C\0", "D\0", "E\0", "F\0", "G\0", "H\0", "I\0", "J\0", "K\0", "L\0", "M\0",
		"N\0", "O\0", "P\0", "Q\0", "R\0", "S\0", "T\0", "U\0", "V\0", "W\0", "X\0", "Y\0", "Z\0"};

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

#endif
