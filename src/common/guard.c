/*
 * guard.c
 *		What every trigger of the extension shares.
 */
#include "quality_gov.h"

#include "common/guard.h"

void
qg_guard_init(void)
{
}
