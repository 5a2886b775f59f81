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
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "common/look.h"

#include "passport/passport_verify.h"

#define NAME_MAX_CHARS 200
#define CHANNEL_MAX 41

static QgLookIndex lot_item_index = QG_LOOK_INDEX("lot_item", "lot_item_pkey");
static QgLookIndex sale_index = QG_LOOK_INDEX("sale", "sale_item");

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

/* Asks passport_verify_full(), which has the same arguments. */
static Datum
verify_full(FunctionCallInfo fcinfo)
{
	FmgrInfo *full = &qg_verify_callees(fcinfo)->full;
	LOCAL_FCINFO(call, NARGS);
	Datum answer;

	if (!OidIsValid(full->fn_oid))
	{
		HeapTuple own = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));

		if (!HeapTupleIsValid(own))
			elog(ERROR, "passport_verify() is not there");
		qg_verify_find_function(fcinfo, full, "passport_verify_full",
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
		   PG_ARGISNULL(ARG_MERCHANT) && !PG_ARGISNULL(ARG_CHANNEL) &&
		   is_channel(PG_GETARG_TEXT_PP(ARG_CHANNEL)) && is_name(fcinfo, ARG_PLACE) &&
		   is_place(fcinfo) && !(PG_GETARG_BOOL(ARG_RECORD) && XactReadOnly) &&
		   !IsolationUsesXactSnapshot();
}

/* Names goods as passport_goods() does. */
static text *
name_goods(const QgVerifyLink *link)
{
	char name[QG_LINK_BYTES + 20];

	snprintf(name, sizeof(name), "%014lld%s%s", (long long) link->gtin,
			 link->numbered ? "/21/"
			 : link->lotted ? "/10/"
							: "",
			 link->numbered ? link->serial
			 : link->lotted ? link->lot
							: "");
	return cstring_to_text(name);
}

/* Tells whether the last scans of a serial number speak against this one, by passport_scan_clone(). */
static bool
is_cloned(FunctionCallInfo fcinfo, text *goods)
{
	FmgrInfo *clone = &qg_verify_callees(fcinfo)->clone;
	LOCAL_FCINFO(call, 6);
	QgOwner owner;
	Datum reasons;

	qg_verify_begin_sql(&owner);
	if (!OidIsValid(clone->fn_oid))
	{
		Oid types[] = {TEXTOID, TIMESTAMPTZOID, TEXTOID, FLOAT8OID, FLOAT8OID, BYTEAOID};

		qg_verify_find_function(fcinfo, clone, "passport_scan_clone",
								buildoidvector(types, lengthof(types)));
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
find_answer(FunctionCallInfo fcinfo, QgVerifyAnswer *answer)
{
	const QgVerifyLink *link = qg_verify_link(fcinfo, PG_GETARG_TEXT_PP(ARG_URI));
	QgPassportCase *goods = &answer->goods;
	bool item;

	memset(answer, 0, sizeof(QgVerifyAnswer));
	if (link == NULL || !qg_passport_host(cstring_to_text(link->host)) ||
		!qg_passport_goods_plain(link->gtin, link->numbered))
		return false;
	goods->at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	goods->gtin = link->gtin;
	goods->lot = link->lotted ? cstring_to_text(link->lot) : NULL;
	goods->serial = link->numbered ? cstring_to_text(link->serial) : NULL;
	answer->name = name_goods(link);
	if (!serial_plain(goods) || !qg_passport_plain(goods) ||
		!qg_scan_count(answer->name, goods->serial != NULL, goods->at, &answer->count))
		return false;
	item = VARSIZE_ANY_EXHDR(goods->level) == 4 &&
		   memcmp(VARDATA_ANY(goods->level), "item", 4) == 0;
	/* A transaction that has written may write more: what it sees is not complete yet. */
	if (PG_GETARG_BOOL(ARG_RECORD) && answer->count.tail >= QG_TALLY_FROM &&
		(answer->count.tallied || !answer->count.retired) &&
		!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		answer->seen = OidFunctionCall0(F_PG_CURRENT_SNAPSHOT);
	answer->first = item && !answer->count.claimed && PG_GETARG_BOOL(ARG_RECORD);
	/* Who is the first although there were others is for SQL to say, as is what looks like a copy. */
	return !(answer->first && answer->count.known) &&
		   !(goods->serial != NULL && answer->count.recent && is_cloned(fcinfo, answer->name));
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
make_record(FunctionCallInfo fcinfo, const QgVerifyAnswer *answer, bool recorded)
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
	QgVerifyAnswer answer;
	bool record;
	bool plain;

	if (!arguments_plain(fcinfo))
		return verify_full(fcinfo);
	record = PG_GETARG_BOOL(ARG_RECORD);
	/* As a function in SQL that is volatile: it sees what was written so far, by this statement too. */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	plain = find_answer(fcinfo, &answer) && (!record || qg_verify_record(fcinfo, &answer));
	PopActiveSnapshot();
	if (!plain)
		return verify_full(fcinfo);
	return make_record(fcinfo, &answer, record);
}
