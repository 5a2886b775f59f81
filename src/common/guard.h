/*
 * guard.h
 *		What every trigger of the extension shares: entry checks, running as the owner, and the
 *		protection of append-only tables.
 */
#ifndef QG_GUARD_H
#define QG_GUARD_H

extern void qg_guard_init(void);

#endif
