/*
 * quality_gov.c
 *		Module magic, settings, and the check that library and SQL are of one version.
 */
#include "quality_gov.h"

#include <limits.h>

#include "utils/guc.h"

#include "common/version.h"

PG_MODULE_MAGIC;

int qg_guard_mode = QG_MODE_ENFORCE;
uint64 qg_guard_mode_changes = 0;
char *qg_identity_key_file = NULL;
char *qg_code_key_file = NULL;
char *qg_passport_key_file = NULL;
char *qg_ledger_key_file = NULL;
int qg_ledger_seal_interval = 0;
int qg_denial_spool_size = 64 * 1024;
bool qg_denial_worker = true;

static const struct config_enum_entry guard_modes[] = {{"enforce", QG_MODE_ENFORCE, false},
													   {"shadow", QG_MODE_SHADOW, false},
													   {"off", QG_MODE_OFF, false},
													   {NULL, 0, false}};

/* Gives the name of a guard mode as the setting spells it. */
const char *
qg_guard_mode_name(int mode)
{
	return guard_modes[mode].name;
}

/* Raises an error where an argument that must be given is null. */
void
qg_argument_require(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

/* Counts each change of the incident switch and leaves a line in the server log. */
static void
guard_mode_assign(int newval, void *extra)
{
	if (newval != qg_guard_mode)
		qg_guard_mode_changes++;
	if (newval != qg_guard_mode && IsUnderPostmaster)
		ereport(LOG, (errmsg("quality_gov.guard_mode changed from \"%s\" to \"%s\"",
							 qg_guard_mode_name(qg_guard_mode), qg_guard_mode_name(newval))));
}

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	/* First, since after a failure the library is loaded again and settings can be made only once. */
	qg_version_require();
	DefineCustomEnumVariable(
		"quality_gov.guard_mode", "Incident switch: what guards do with their verdicts.",
		"\"enforce\" applies them, \"shadow\" only records them, \"off\" stops "
		"judging. Sessions record its use in the ledger.",
		&qg_guard_mode, QG_MODE_ENFORCE, guard_modes, PGC_SUSET, 0, NULL, guard_mode_assign, NULL);
	DefineCustomStringVariable(
		"quality_gov.identity_key_file",
		"File with the key of identity digests, readable by the server only.",
		"At least 32 bytes; identity_digest() needs it.", &qg_identity_key_file, "", PGC_SUSET,
		GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"quality_gov.code_key_file",
		"File with the keys of item codes, readable by the server only.",
		"Lines of id:hexadecimal, the first being the key of new codes; code_issue() and "
		"code_check() need it.",
		&qg_code_key_file, "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"quality_gov.passport_key_file",
		"File with the private key that signs passports, readable by the server only.",
		"PEM (PKCS 8, not encrypted), Ed25519 or SM2; passport_issue() needs it.",
		&qg_passport_key_file, "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"quality_gov.ledger_key_file",
		"File with the private key that signs checkpoints, readable by the server only.",
		"PEM (PKCS 8, not encrypted), Ed25519; without it they are signed outside.",
		&qg_ledger_key_file, "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"quality_gov.ledger_seal_interval",
		"Seconds after which a background worker seals new entries of the ledger.",
		"0 starts none; maintenance() and ledger_seal() seal as well.", &qg_ledger_seal_interval, 0,
		0, 86400, PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("quality_gov.denial_spool_size",
							"Disk space for refused attempts that wait to be recorded.",
							"For each database; attempts beyond it go to the server log.",
							&qg_denial_spool_size, 64 * 1024, 0, MAX_KILOBYTES, PGC_SUSET,
							GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomBoolVariable("quality_gov.denial_worker",
							 "Start a background worker that records refused attempts.",
							 "Without it they wait for maintenance().", &qg_denial_worker, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("quality_gov");
}
