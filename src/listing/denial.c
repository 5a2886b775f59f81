/*
 * denial.c
 *		Stands in for the record of refused attempts until it is there; does nothing.
 */
#include "quality_gov.h"

#include "listing/denial.h"

/* Records nothing. */
void
qg_denial_record(const char *relation, const char *merchant_id, const char *listing_id,
				 const char *category, const char *operation, TimestampTz at, const char *verdict,
				 const char *findings_json, const char *listing_json)
{
}
