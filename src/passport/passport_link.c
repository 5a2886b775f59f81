/*
 * passport_link.c
 *		What a scan asks of functions in SQL: which they are, what a link names, under which settings they run.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "passport/passport_verify.h"

#define LINKS 256

/* Looks a function of the extension up by name and arguments. */
void
qg_verify_find_function(FunctionCallInfo fcinfo, FmgrInfo *callee, const char *name,
						oidvector *arguments)
{
	Oid oid = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
							  PointerGetDatum(arguments),
							  ObjectIdGetDatum(get_namespace_oid(QG_SCHEMA, false)));

	if (!OidIsValid(oid))
		elog(ERROR, "function \"%s.%s\" does not exist", QG_SCHEMA, name);
	fmgr_info_cxt(oid, callee, fcinfo->flinfo->fn_mcxt);
}

/* Gives the functions that the statement has called so far. */
QgVerifyCallees *
qg_verify_callees(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
														  sizeof(QgVerifyCallees));
	return fcinfo->flinfo->fn_extra;
}

/* Gives a text of a record's column in a buffer; false where it does not fit. */
static bool
take_text(HeapTuple tuple, TupleDesc desc, int column, char *to, bool *given)
{
	bool isnull;
	Datum value = heap_getattr(tuple, column, desc, &isnull);

	*given = !isnull;
	to[0] = '\0';
	if (!isnull)
	{
		text *found = DatumGetTextPP(value);

		if (VARSIZE_ANY_EXHDR(found) >= QG_LINK_BYTES)
			return false;
		text_to_cstring_buffer(found, to, QG_LINK_BYTES);
	}
	return true;
}

/* Reads a link by digital_link_read(), whose answer is the same each time; false where it is none. */
static bool
read_link(FunctionCallInfo fcinfo, const char *uri, int length, QgVerifyLink *link)
{
	FmgrInfo *read = &qg_verify_callees(fcinfo)->read;
	HeapTupleHeader answer;
	HeapTupleData tuple = {0};
	TupleDesc desc;
	bool isnull;
	bool host;
	bool good;

	if (!OidIsValid(read->fn_oid))
	{
		Oid types[1] = {TEXTOID};

		qg_verify_find_function(fcinfo, read, "digital_link_read", buildoidvector(types, 1));
	}
	answer = DatumGetHeapTupleHeader(
		FunctionCall1(read, PointerGetDatum(cstring_to_text_with_len(uri, length))));
	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(answer),
								  HeapTupleHeaderGetTypMod(answer));
	tuple.t_len = HeapTupleHeaderGetDatumLength(answer);
	tuple.t_data = answer;
	(void) heap_getattr(&tuple, 6, desc, &isnull);
	good = isnull;
	link->gtin = good ? DatumGetInt64(heap_getattr(&tuple, 2, desc, &isnull)) : 0;
	good = good && take_text(&tuple, desc, 1, link->host, &host) && host &&
		   take_text(&tuple, desc, 4, link->lot, &link->lotted) &&
		   take_text(&tuple, desc, 5, link->serial, &link->numbered);
	ReleaseTupleDesc(desc);
	link->length = length;
	memcpy(link->uri, uri, length);
	return good;
}

/* Gives what a scanned text names, of which the last are remembered; NULL where it is not a plain link. */
const QgVerifyLink *
qg_verify_link(FunctionCallInfo fcinfo, text *scanned)
{
	static QgVerifyLink links[LINKS];
	const char *uri = VARDATA_ANY(scanned);
	int length = (int) VARSIZE_ANY_EXHDR(scanned);
	uint32 hash = 0;
	QgVerifyLink *link;

	while (length > 0 && strchr(" \t\r\n", uri[length - 1]) != NULL)
		length--;
	while (length > 0 && strchr(" \t\r\n", *uri) != NULL)
		uri++, length--;
	if (length == 0 || length > QG_LINK_BYTES)
		return NULL;
	for (int i = 0; i < length; i++)
		hash = hash * 31 + (uint8) uri[i];
	link = &links[(hash ^ hash >> 16) % LINKS];
	if (link->length == length && memcmp(link->uri, uri, length) == 0)
		return link;
	link->length = 0;
	if (!read_link(fcinfo, uri, length, link))
	{
		link->length = 0;
		return NULL;
	}
	return link;
}

/* Runs as the owner, with plans that serve tables of any size, as passport_verify_full() does. */
void
qg_verify_begin_sql(QgOwner *owner)
{
	static const char *const settings[][2] = {{"plan_cache_mode", "force_generic_plan"},
											  {"enable_seqscan", "off"},
											  {"enable_bitmapscan", "off"}};

	qg_owner_begin(owner);
	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}
