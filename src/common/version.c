/*
 * version.c
 *		Refuses to run against SQL objects of another version.
 *
 * The library file is replaced before ALTER EXTENSION UPDATE runs, and a backend keeps the file
 * it has loaded, so both orders of mismatch occur on every upgrade.  The check runs when the
 * library is loaded and whenever a cache is filled.
 */
#include "quality_gov.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "common/crypto.h"
#include "common/text.h"
#include "common/version.h"

/* Gives the installed version of the extension, or NULL where it is not installed. */
static char *
installed_version(void)
{
	Relation rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	char *version = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("quality_gov"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool isnull;
		Datum value = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(rel),
								   &isnull);

		if (!isnull)
			version = TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return version;
}

/* Raises an error unless the installed SQL is of the library's own version. */
void
qg_version_require(void)
{
	char *version;

	/* The extension's own scripts run between versions; outside a transaction nothing is read. */
	if (creating_extension || !IsTransactionState() || !OidIsValid(MyDatabaseId))
		return;
	version = installed_version();
	if (version != NULL && strcmp(version, QG_VERSION) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_QG_VERSION_MISMATCH),
				 errmsg("quality_gov library is of version %s, its SQL objects are of version %s",
						QG_VERSION, version),
				 errhint("Run ALTER EXTENSION quality_gov UPDATE, or, where that is done, "
						 "reconnect.")));
}

/* library_version(): the library's version and the libraries it runs on. */
PG_FUNCTION_INFO_V1(qg_library_version);
Datum
qg_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(
		psprintf("%s (%s, %s)", QG_VERSION, qg_text_icu_version(), qg_crypto_version())));
}
