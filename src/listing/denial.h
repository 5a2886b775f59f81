/*
 * denial.h
 *		Recording a refused attempt so that it survives the rollback.
 */
#ifndef QG_DENIAL_H
#define QG_DENIAL_H

#include "quality_gov.h"

#include "datatype/timestamp.h"

extern void qg_denial_record(const char *relation, const char *merchant_id, const char *listing_id,
							 const char *category, const char *operation, TimestampTz at,
							 const char *verdict, const char *findings_json,
							 const char *listing_json);

#endif
