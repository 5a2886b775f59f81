/*
 * ruleset_stub.c
 *		Stands in for the versions in force at an instant until rules give them.
 */
#include "quality_gov.h"

#include "listing/rules.h"

/* Gives an empty set of versions. */
const char *
qg_ruleset_json(TimestampTz at)
{
	return "{}";
}
