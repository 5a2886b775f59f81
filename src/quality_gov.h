/*
 * quality_gov.h
 *		What every C file of the extension starts from: the server's base headers, the schema's
 *		name and the settings.
 */
#ifndef QUALITY_GOV_H
#define QUALITY_GOV_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "common/compat.h"
#include "common/errors.h"

#define QG_SCHEMA "quality_gov"

/* Values of quality_gov.guard_mode. */
typedef enum QgGuardMode
{
	QG_MODE_ENFORCE, /* verdicts take effect */
	QG_MODE_SHADOW,	 /* verdicts are recorded, nothing is refused or held */
	QG_MODE_OFF		 /* guards do not judge */
} QgGuardMode;

extern int qg_guard_mode;
extern uint64 qg_guard_mode_changes; /* of its value, in this backend */
extern char *qg_identity_key_file;
extern char *qg_code_key_file;
extern char *qg_passport_key_file;
extern char *qg_ledger_key_file;
extern int qg_ledger_seal_interval; /* s */
extern int qg_denial_spool_size;	/* kB */
extern bool qg_denial_worker;

extern const char *qg_guard_mode_name(int mode);
extern void qg_argument_require(FunctionCallInfo fcinfo, int argument, const char *name);

#endif
