/*
 * rules.h
 *		Judging a listing, given as named texts, by the rules in force at an instant.
 */
#ifndef QG_RULES_H
#define QG_RULES_H

#include "quality_gov.h"

#include "common/finding.h"

/* A listing as rules see it: names and values, null where the value is missing. */
typedef struct QgListing
{
	int nfields;
	const char **keys;
	const char **values;
} QgListing;

extern const char *qg_listing_field(const QgListing *listing, const char *key);
extern List *qg_listing_judge(const QgListing *listing, TimestampTz at);

#endif
