/*
 * passport_verify.c
 *		What is behind a scanned code, in the plain case.
 *
 * Most scans are of goods against which nothing is to be said: a link of ours, a passport that is good,
 * no recall, no sale of the serial number, no codes.  passport_verify_full(), in SQL, decides every
 * case; its queries take a quarter of a millisecond.  Here the plain case is decided by a dozen looks into
 * indexes.  Everything is read before anything is written, and whatever is not plain is left to
 * passport_verify_full(), as are transactions that read by one snapshot, since caches are newer.
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/xid8.h"

#include "common/guard.h"
#include "common/look.h"
#include "common/rows.h"

#include "passport/passport.h"

#define LINKS 256
#define LINK_BYTES 200
#define NAME_MAX_CHARS 200
#define CHANNEL_MAX 41
#define TALLY_FROM 64
#define TALLY_STEP 16

static QgLookIndex lot_item_index = QG_LOOK_INDEX("lot_item", "lot_item_pkey");
static QgLookIndex sale_index = QG_LOOK_INDEX("sale", "sale_item");
static QgLookIndex scan_index = QG_LOOK_INDEX("passport_scan", "passport_scan_pkey");

/* Arguments of passport_verify(). */
enum
{
	ARG_URI,
	ARG_AT,
	ARG_RECORD,
	ARG_PLACE,
	ARG_LATITUDE,
	ARG_LONGITUDE,
	ARG_SCANNER,
	ARG_CHANNEL,
	ARG_MERCHANT,
	ARG_ORDER,
	NARGS
};

/* Columns of its answer. */
enum
{
	OUT_AUTHENTIC,
	OUT_STATUS,
	OUT_REASONS,
	OUT_GTIN,
	OUT_LOT,
	OUT_SERIAL,
	OUT_PASSPORT,
	OUT_FIRST_SCAN,
	OUT_SCANS,
	OUT_CLONE,
	OUT_CLAIMS,
	OUT_RECALLS,
	OUT_EXPIRES,
	OUT_LEVEL,
	OUT_IS_FIRST,
	OUT_EXACT,
	OUT_SCAN_ID,
	NOUT
};

/* Columns of passport_scan. */
enum
{
	SCAN_ID,
	SCAN_AT,
	SCAN_RECORDED,
	SCAN_GOODS,
	SCAN_GTIN,
	SCAN_LOT,
	SCAN_SERIAL,
	SCAN_STATUS,
	SCAN_REASONS,
	SCAN_PASSPORT,
	SCAN_BATCH,
	SCAN_CHANNEL,
	SCAN_PLACE,
	SCAN_LATITUDE,
	SCAN_LONGITUDE,
	SCAN_SCANNER,
	SCAN_MERCHANT,
	SCAN_ORDER,
	SCAN_XID,
	SCAN_COLUMNS
};

/* Functions in SQL that are called, looked up once a statement. */
typedef struct Callees
{
	FmgrInfo full;
	FmgrInfo read;
	FmgrInfo clone;
	FmgrInfo tally;
} Callees;

/* What a scan comes to before it is written. */
typedef struct Answer
{
	QgPassportCase goods;
	text *name; /* of the goods, as passport_goods() has it */
	QgScanCount count;
	bool first;
	int64 scan_id;
} Answer;

/* Looks a function of the extension up by name and arguments. */
static void
find_function(FunctionCallInfo fcinfo, FmgrInfo *callee, const char *name, oidvector *arguments)
{
	Oid oid = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
							  PointerGetDatum(arguments),
							  ObjectIdGetDatum(get_namespace_oid(QG_SCHEMA, false)));

	if (!OidIsValid(oid))
		elog(ERROR, "function \"%s.%s\" does not exist", QG_SCHEMA, name);
	fmgr_info_cxt(oid, callee, fcinfo->flinfo->fn_mcxt);
}

/* Gives the functions that the statement has called so far. */
static Callees *
callees(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Callees));
	return fcinfo->flinfo->fn_extra;
}

/* Asks passport_verify_full(), which has the same arguments. */
static Datum
verify_full(FunctionCallInfo fcinfo)
{
	FmgrInfo *full = &callees(fcinfo)->full;
	LOCAL_FCINFO(call, NARGS);
	Datum answer;

	if (!OidIsValid(full->fn_oid))
	{
		HeapTuple own = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));

		if (!HeapTupleIsValid(own))
			elog(ERROR, "passport_verify() is not there");
		find_function(fcinfo, full, "passport_verify_full",
					  &((Form_pg_proc) GETSTRUCT(own))->proargtypes);
		ReleaseSysCache(own);
	}
	InitFunctionCallInfoData(*call, full, NARGS, fcinfo->fncollation, NULL, NULL);
	memcpy(call->args, fcinfo->args, sizeof(NullableDatum) * NARGS);
	answer = FunctionCallInvoke(call);
	if (call->isnull)
		PG_RETURN_NULL();
	return answer;
}

/* A link that was read, and what it names; texts that are NULL are not in it. */
typedef struct Link
{
	int length; /* 0 while the place is free */
	char uri[LINK_BYTES];
	int64 gtin;
	bool lotted;
	bool numbered;
	char host[LINK_BYTES];
	char lot[LINK_BYTES];
	char serial[LINK_BYTES];
} Link;

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

		if (VARSIZE_ANY_EXHDR(found) >= LINK_BYTES)
			return false;
		text_to_cstring_buffer(found, to, LINK_BYTES);
	}
	return true;
}

/* Reads a link by digital_link_read(), whose answer is the same each time; false where it is none. */
static bool
read_link(FunctionCallInfo fcinfo, const char *uri, int length, Link *link)
{
	FmgrInfo *read = &callees(fcinfo)->read;
	HeapTupleHeader answer;
	HeapTupleData tuple = {0};
	TupleDesc desc;
	bool isnull;
	bool host;
	bool good;

	if (!OidIsValid(read->fn_oid))
	{
		Oid types[1] = {TEXTOID};

		find_function(fcinfo, read, "digital_link_read", buildoidvector(types, 1));
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
static const Link *
find_link(FunctionCallInfo fcinfo, text *scanned)
{
	static Link links[LINKS];
	const char *uri = VARDATA_ANY(scanned);
	int length = (int) VARSIZE_ANY_EXHDR(scanned);
	uint32 hash = 0;
	Link *link;

	while (length > 0 && strchr(" \t\r\n", uri[length - 1]) != NULL)
		length--;
	while (length > 0 && strchr(" \t\r\n", *uri) != NULL)
		uri++, length--;
	if (length == 0 || length > LINK_BYTES)
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

/* Tells whether a name of a place is short enough. */
static bool
is_name(FunctionCallInfo fcinfo, int argument)
{
	text *name;

	if (PG_ARGISNULL(argument))
		return true;
	name = PG_GETARG_TEXT_PP(argument);
	return pg_mbstrlen_with_len(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name)) <= NAME_MAX_CHARS;
}

/* Tells whether a channel is a word as passport_scan_arguments() asks for. */
static bool
is_channel(text *channel)
{
	const char *word = VARDATA_ANY(channel);
	int length = (int) VARSIZE_ANY_EXHDR(channel);

	if (length == 0 || length > CHANNEL_MAX || word[0] < 'a' || word[0] > 'z')
		return false;
	for (int i = 1; i < length; i++)
		if (!((word[i] >= 'a' && word[i] <= 'z') || (word[i] >= '0' && word[i] <= '9') ||
			  word[i] == '_'))
			return false;
	return true;
}

/* Tells whether coordinates are both given, within their bounds, or both not. */
static bool
is_place(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(ARG_LATITUDE) || PG_ARGISNULL(ARG_LONGITUDE))
		return PG_ARGISNULL(ARG_LATITUDE) && PG_ARGISNULL(ARG_LONGITUDE);
	return fabs(PG_GETARG_FLOAT8(ARG_LATITUDE)) <= 90 &&
		   fabs(PG_GETARG_FLOAT8(ARG_LONGITUDE)) <= 180;
}

/* Tells whether what the application told can be kept as it is; a scanner's digest is left to SQL. */
static bool
arguments_plain(FunctionCallInfo fcinfo)
{
	return !PG_ARGISNULL(ARG_URI) && !PG_ARGISNULL(ARG_AT) && !PG_ARGISNULL(ARG_RECORD) &&
		   !TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(ARG_AT)) && PG_ARGISNULL(ARG_SCANNER) &&
		   !PG_ARGISNULL(ARG_CHANNEL) && is_channel(PG_GETARG_TEXT_PP(ARG_CHANNEL)) &&
		   is_name(fcinfo, ARG_PLACE) && is_place(fcinfo) &&
		   !(PG_GETARG_BOOL(ARG_RECORD) && XactReadOnly) && !IsolationUsesXactSnapshot();
}

/* Names goods as passport_goods() does. */
static text *
name_goods(const Link *link)
{
	char name[LINK_BYTES + 20];

	snprintf(name, sizeof(name), "%014" INT64_MODIFIER "d%s%s", link->gtin,
			 link->numbered ? "/21/"
			 : link->lotted ? "/10/"
							: "",
			 link->numbered ? link->serial
			 : link->lotted ? link->lot
							: "");
	return cstring_to_text(name);
}

/* Runs as the owner, with plans that serve tables of any size, as passport_verify_full() does. */
static void
begin_sql(QgOwner *owner)
{
	static const char *const settings[][2] = {{"plan_cache_mode", "force_generic_plan"},
											  {"enable_seqscan", "off"},
											  {"enable_bitmapscan", "off"}};

	qg_owner_begin(owner);
	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/* Tells whether the last scans of a serial number speak against this one, by passport_scan_clone(). */
static bool
is_cloned(FunctionCallInfo fcinfo, text *goods)
{
	FmgrInfo *clone = &callees(fcinfo)->clone;
	LOCAL_FCINFO(call, 6);
	QgOwner owner;
	Datum reasons;

	begin_sql(&owner);
	if (!OidIsValid(clone->fn_oid))
	{
		Oid types[] = {TEXTOID, TIMESTAMPTZOID, TEXTOID, FLOAT8OID, FLOAT8OID, BYTEAOID};

		find_function(fcinfo, clone, "passport_scan_clone", buildoidvector(types, lengthof(types)));
	}
	InitFunctionCallInfoData(*call, clone, 6, DEFAULT_COLLATION_OID, NULL, NULL);
	call->args[0] = (NullableDatum){PointerGetDatum(goods), false};
	call->args[1] = fcinfo->args[ARG_AT];
	call->args[2] = fcinfo->args[ARG_PLACE];
	call->args[3] = fcinfo->args[ARG_LATITUDE];
	call->args[4] = fcinfo->args[ARG_LONGITUDE];
	call->args[5] = (NullableDatum){(Datum) 0, true};
	reasons = FunctionCallInvoke(call);
	qg_owner_end(&owner);
	return call->isnull || ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(reasons)),
										  ARR_DIMS(DatumGetArrayTypeP(reasons))) > 0;
}

/* Tells whether a serial number is neither entered under a lot nor sold. */
static bool
serial_plain(const QgPassportCase *goods)
{
	Datum keys[2] = {Int64GetDatum(goods->gtin), PointerGetDatum(goods->serial)};

	return goods->serial == NULL ||
		   (!qg_look_any(&lot_item_index, keys, 2) && !qg_look_any(&sale_index, keys, 2));
}

/* Finds the answer with the active snapshot, and tells whether the case is plain. */
static bool
find_answer(FunctionCallInfo fcinfo, Answer *answer)
{
	const Link *link = find_link(fcinfo, PG_GETARG_TEXT_PP(ARG_URI));
	QgPassportCase *goods = &answer->goods;
	bool item;

	memset(answer, 0, sizeof(Answer));
	if (link == NULL || !qg_passport_host(cstring_to_text(link->host)) ||
		!qg_passport_goods_plain(link->gtin))
		return false;
	goods->at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	goods->gtin = link->gtin;
	goods->lot = link->lotted ? cstring_to_text(link->lot) : NULL;
	goods->serial = link->numbered ? cstring_to_text(link->serial) : NULL;
	answer->name = name_goods(link);
	if (!serial_plain(goods) || !qg_passport_plain(goods) ||
		!qg_scan_count(answer->name, goods->at, &answer->count))
		return false;
	item = VARSIZE_ANY_EXHDR(goods->level) == 4 &&
		   memcmp(VARDATA_ANY(goods->level), "item", 4) == 0;
	answer->first = item && !answer->count.claimed && PG_GETARG_BOOL(ARG_RECORD);
	/* Who is the first although there were others is for SQL to say, as is what looks like a copy. */
	return !(answer->first && answer->count.known) &&
		   !(goods->serial != NULL && answer->count.recent && is_cloned(fcinfo, answer->name));
}

/* Claims to be the first; false where somebody else did, who may not be certain yet. */
static bool
claim_first(Answer *answer)
{
	QgRows rows;
	Datum values[3] = {PointerGetDatum(answer->name), Int64GetDatum(answer->scan_id),
					   TimestampTzGetDatum(answer->goods.at)};
	bool nulls[3] = {false};
	bool claimed;

	qg_rows_open(&rows, "passport_scan_first");
	claimed = (rows.relation->trigdesc == NULL ||
			   !rows.relation->trigdesc->trig_insert_before_row) &&
			  (rows.relation->trigdesc == NULL ||
			   !rows.relation->trigdesc->trig_insert_after_row) &&
			  qg_rows_try_add(&rows, values, nulls);
	qg_rows_close(&rows);
	return claimed;
}

/* Gives a coordinate as its column keeps it. */
static Datum
coordinate(FunctionCallInfo fcinfo, int argument, TupleDesc desc, int column)
{
	if (PG_ARGISNULL(argument))
		return (Datum) 0;
	return DirectFunctionCall2(numeric,
							   DirectFunctionCall1(float8_numeric, PG_GETARG_DATUM(argument)),
							   Int32GetDatum(TupleDescAttr(desc, column)->atttypmod));
}

/* Writes the row of the scan. */
static void
write_scan(FunctionCallInfo fcinfo, const Answer *answer)
{
	static const int given[][2] = {{SCAN_CHANNEL, ARG_CHANNEL},	  {SCAN_PLACE, ARG_PLACE},
								   {SCAN_LATITUDE, ARG_LATITUDE}, {SCAN_LONGITUDE, ARG_LONGITUDE},
								   {SCAN_MERCHANT, ARG_MERCHANT}, {SCAN_ORDER, ARG_ORDER}};
	const QgPassportCase *goods = &answer->goods;
	Datum values[SCAN_COLUMNS] = {0};
	bool nulls[SCAN_COLUMNS] = {0};
	QgRows rows;

	qg_rows_open(&rows, "passport_scan");
	for (int i = 0; i < (int) lengthof(given); i++)
	{
		values[given[i][0]] = PG_GETARG_DATUM(given[i][1]);
		nulls[given[i][0]] = PG_ARGISNULL(given[i][1]);
	}
	values[SCAN_ID] = Int64GetDatum(answer->scan_id);
	values[SCAN_AT] = TimestampTzGetDatum(goods->at);
	values[SCAN_RECORDED] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[SCAN_GOODS] = PointerGetDatum(answer->name);
	values[SCAN_GTIN] = Int64GetDatum(goods->gtin);
	values[SCAN_LOT] = PointerGetDatum(goods->shown_lot);
	nulls[SCAN_LOT] = goods->shown_lot == NULL;
	values[SCAN_SERIAL] = PointerGetDatum(goods->serial);
	nulls[SCAN_SERIAL] = goods->serial == NULL;
	values[SCAN_STATUS] = CStringGetTextDatum("authentic");
	values[SCAN_REASONS] = PointerGetDatum(construct_empty_array(TEXTOID));
	values[SCAN_PASSPORT] = Int64GetDatum(goods->passport_id);
	nulls[SCAN_BATCH] = nulls[SCAN_SCANNER] = true;
	values[SCAN_LATITUDE] = coordinate(fcinfo, ARG_LATITUDE, RelationGetDescr(rows.relation),
									   SCAN_LATITUDE);
	values[SCAN_LONGITUDE] = coordinate(fcinfo, ARG_LONGITUDE, RelationGetDescr(rows.relation),
										SCAN_LONGITUDE);
	values[SCAN_XID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	qg_rows_add(&rows, values, nulls);
	qg_rows_close(&rows);
}

/* Adds up the scans of popular goods, now and then, as passport_verify_full() does. */
static void
add_tally(FunctionCallInfo fcinfo, const Answer *answer)
{
	FmgrInfo *tally = &callees(fcinfo)->tally;
	QgOwner owner;

	if (answer->count.tail < TALLY_FROM ||
		(answer->count.tail % TALLY_STEP != 0 && answer->scan_id % TALLY_FROM != 0))
		return;
	begin_sql(&owner);
	if (!OidIsValid(tally->fn_oid))
	{
		Oid types[1] = {TEXTOID};

		find_function(fcinfo, tally, "passport_scan_tally_add", buildoidvector(types, 1));
	}
	(void) FunctionCall1Coll(tally, DEFAULT_COLLATION_OID, PointerGetDatum(answer->name));
	qg_owner_end(&owner);
}

/* Records the scan; false where somebody else claims to be the first, and nothing was written. */
static bool
record_scan(FunctionCallInfo fcinfo, Answer *answer)
{
	QgOwner owner;
	bool recorded;

	qg_owner_begin(&owner);
	answer->scan_id = nextval_internal(
		get_relname_relid("passport_scan_scan_id_seq",
						  get_rel_namespace(qg_look_table(&scan_index))),
		false);
	recorded = !answer->first || claim_first(answer);
	if (recorded)
		write_scan(fcinfo, answer);
	qg_owner_end(&owner);
	if (recorded)
		add_tally(fcinfo, answer);
	return recorded;
}

/* Gives the type of the answer, which is worked out once. */
static TupleDesc
answer_type(FunctionCallInfo fcinfo)
{
	static Oid function = InvalidOid;
	static TupleDesc type = NULL;
	MemoryContext caller;
	TupleDesc fresh;

	if (function == fcinfo->flinfo->fn_oid)
		return type;
	if (get_call_result_type(fcinfo, NULL, &fresh) != TYPEFUNC_COMPOSITE || fresh->natts != NOUT)
		elog(ERROR, "passport_verify() gives another record than was installed");
	caller = MemoryContextSwitchTo(TopMemoryContext);
	type = BlessTupleDesc(CreateTupleDescCopy(fresh));
	MemoryContextSwitchTo(caller);
	function = fcinfo->flinfo->fn_oid;
	return type;
}

/* Makes the answer's record. */
static Datum
make_record(FunctionCallInfo fcinfo, const Answer *answer, bool recorded)
{
	const QgPassportCase *goods = &answer->goods;
	Datum values[NOUT] = {0};
	bool nulls[NOUT] = {0};
	bool begun = answer->count.begun || recorded;

	values[OUT_AUTHENTIC] = BoolGetDatum(true);
	values[OUT_STATUS] = CStringGetTextDatum("authentic");
	values[OUT_REASONS] = PointerGetDatum(construct_empty_array(TEXTOID));
	values[OUT_GTIN] = Int64GetDatum(goods->gtin);
	values[OUT_LOT] = PointerGetDatum(goods->shown_lot);
	nulls[OUT_LOT] = goods->shown_lot == NULL;
	values[OUT_SERIAL] = PointerGetDatum(goods->serial);
	nulls[OUT_SERIAL] = goods->serial == NULL;
	values[OUT_PASSPORT] = Int64GetDatum(goods->passport_id);
	values[OUT_FIRST_SCAN] = TimestampTzGetDatum(answer->count.begun ? answer->count.first_at
																	 : goods->at);
	nulls[OUT_FIRST_SCAN] = !begun;
	values[OUT_SCANS] = Int64GetDatum(answer->count.scans + (recorded ? 1 : 0));
	values[OUT_CLONE] = BoolGetDatum(false);
	values[OUT_CLAIMS] = PointerGetDatum(goods->claims);
	nulls[OUT_CLAIMS] = goods->claims == NULL;
	nulls[OUT_RECALLS] = true;
	values[OUT_EXPIRES] = DateADTGetDatum(goods->expires_on);
	nulls[OUT_EXPIRES] = !goods->expires;
	values[OUT_LEVEL] = PointerGetDatum(goods->level);
	values[OUT_IS_FIRST] = BoolGetDatum(answer->first);
	values[OUT_EXACT] = BoolGetDatum(true);
	values[OUT_SCAN_ID] = Int64GetDatum(answer->scan_id);
	nulls[OUT_SCAN_ID] = !recorded;
	return HeapTupleGetDatum(heap_form_tuple(answer_type(fcinfo), values, nulls));
}

/* passport_verify(uri, at, record, ...): what is behind a scanned text. */
PG_FUNCTION_INFO_V1(qg_passport_verify);
Datum
qg_passport_verify(PG_FUNCTION_ARGS)
{
	Answer answer;
	bool record;
	bool plain;

	if (!arguments_plain(fcinfo))
		return verify_full(fcinfo);
	record = PG_GETARG_BOOL(ARG_RECORD);
	/* As a function in SQL that is volatile: it sees what was written so far, by this statement too. */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	plain = find_answer(fcinfo, &answer) && (!record || record_scan(fcinfo, &answer));
	PopActiveSnapshot();
	if (!plain)
		return verify_full(fcinfo);
	return make_record(fcinfo, &answer, record);
}
