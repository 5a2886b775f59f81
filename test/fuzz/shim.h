/*
 * shim.h
 *		What the pure cores need of the server, for programs outside it.
 *
 * An error of theirs leaves through PG_TRY as it does in the server; without one it ends the program.
 */
#ifndef QG_SHIM_H
#define QG_SHIM_H

#include "quality_gov.h"

#include "utils/memutils.h"

extern MemoryContext shim_context(void);
extern void shim_drop(MemoryContext context);
extern size_t shim_allocated(void);
extern const char *shim_error(void);

#endif
