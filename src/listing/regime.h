/*
 * regime.h
 *		Whether the regimes of a rule concern a category, without asking SQL.
 */
#ifndef QG_REGIME_H
#define QG_REGIME_H

#include "quality_gov.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

extern bool qg_regime_spares(Jsonb *params, const char *category, TimestampTz at);

#endif
