/*
 * denial.c
 *		Notes refused attempts where the rollback of the refused statement does not reach them.
 *
 * An attempt becomes a JSON object in the spool (common/spool.c), about 10 microseconds of work;
 * where the spool has no room it becomes one line of the server log.  Then a background worker is
 * asked for, once a second at most: it records what is in the spool in transactions of its own.
 * Registering a worker is not undone by a rollback either.  Where no slot is free the attempts
 * wait for maintenance().
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/finding.h"
#include "listing/denial.h"

/* A record is kept below this, and no text in it longer than the first of the cuts. */
#define ATTEMPT_MAX (256 * 1024)
#define IDENTIFIER_MAX 2048
static const size_t text_cuts[] = {8192, 1024, 64};

/* Gives whose spool this backend writes to and reads; false where the extension is not there. */
bool
qg_denial_key(QgSpoolKey *key)
{
	key->database = MyDatabaseId;
	key->instance = get_namespace_oid(QG_SCHEMA, true);
	return OidIsValid(key->database) && OidIsValid(key->instance);
}

/* Writes an attempt to the server log as one line of JSON and counts it. */
void
qg_denial_log(const char *attempt, size_t length, QgSpoolState *state)
{
	ereport(LOG_SERVER_ONLY, (errmsg_internal("%.*s", (int) length, attempt), errhidestmt(true),
							  errhidecontext(true)));
	if (state == NULL)
		return;
	pg_atomic_fetch_add_u64(&state->logged, 1);
	pg_atomic_write_u64(&state->logged_at, (uint64) GetCurrentTimestamp());
}

/* Tells where a JSON string that is to be cut ends: no character and no escape is halved. */
static const char *
cut_at(const char *text, const char *end, size_t limit)
{
	const char *at = text;

	while (at < end)
	{
		const char *next = at + 1;

		if (*at == '\\')
		{
			next = at + (at[1] == 'u' ? 6 : 2);
			/* A surrogate pair is one character. */
			if (at[1] == 'u' && (at[2] == 'd' || at[2] == 'D') && strchr("89abAB", at[3]) != NULL)
				next += 6;
		}
		while (next < end && IS_HIGHBIT_SET(*next) && ((unsigned char) *next & 0xC0) == 0x80)
			next++;
		if ((size_t) (next - text) > limit)
			return at;
		at = next;
	}
	return end;
}

/* Copies JSON, cutting the strings in it that are longer than a limit, with a mark. */
static void
append_cut(StringInfo out, const char *json, size_t limit)
{
	while (*json != '\0')
	{
		const char *text = strchr(json, '"');
		const char *end;

		if (text == NULL)
			break;
		text++;
		for (end = text; *end != '"' && *end != '\0'; end++)
			if (*end == '\\' && end[1] != '\0')
				end++;
		appendBinaryStringInfo(out, json, (int) (text - json));
		if ((size_t) (end - text) <= limit)
			appendBinaryStringInfo(out, text, (int) (end - text));
		else
		{
			const char *cut = cut_at(text, end, limit);

			appendBinaryStringInfo(out, text, (int) (cut - text));
			appendStringInfo(out, "… [cut: %zu of %zu bytes]", (size_t) (cut - text),
							 (size_t) (end - text));
		}
		json = end;
		if (*json == '"')
			appendStringInfoChar(out, *json++);
	}
	appendStringInfoString(out, json);
}

/* Appends a member that is JSON, cut until it leaves the record room; null where nothing helps. */
static void
append_json(StringInfo out, const char *key, const char *json, size_t room)
{
	int start;

	qg_json_key(out, key);
	start = out->len;
	/* Short JSON holds no long text. */
	if (json != NULL && strlen(json) <= text_cuts[0])
		appendStringInfoString(out, json);
	for (int i = 0; i < (int) lengthof(text_cuts) && json != NULL && out->len == start; i++)
	{
		append_cut(out, json, text_cuts[i]);
		if ((size_t) (out->len - start) > room)
		{
			out->len = start;
			out->data[start] = '\0';
		}
	}
	if (out->len == start)
		appendStringInfoString(out, "null");
}

/* Appends an identifier, which is short, or else cut. */
static void
append_identifier(StringInfo out, const char *key, const char *value)
{
	if (value != NULL && strlen(value) > IDENTIFIER_MAX)
		value = pnstrdup(value, pg_mbcliplen(value, (int) strlen(value), IDENTIFIER_MAX));
	qg_json_text(out, key, value);
}

/*
 * Notes a refused attempt, so that it is recorded although its transaction will be rolled back.
 * Never waits, and never raises an error for lack of resources.
 */
void
qg_denial_record(const char *relation, const char *merchant_id, const char *listing_id,
				 const char *category, const char *operation, TimestampTz at, const char *verdict,
				 const char *findings_json, const char *listing_json)
{
	MemoryContext context = CurrentMemoryContext;
	QgSpoolKey key;

	if (!IsTransactionState() || !qg_denial_key(&key))
		return;
	/* Nothing in here reads or writes tables, so an error (out of memory) leaves nothing behind. */
	PG_TRY();
	{
		QgSpoolState *state = qg_spool_state(&key);
		StringInfoData out;

		initStringInfo(&out);
		appendBinaryStringInfo(&out, "\0\0\0\0\0\0\0\0", QG_SPOOL_HEADER);
		appendStringInfoString(&out, "{\"quality_gov\": \"listing_denial\"");
		append_identifier(&out, "relation", relation);
		append_identifier(&out, "merchant_id", merchant_id);
		append_identifier(&out, "listing_id", listing_id);
		append_identifier(&out, "category", category);
		qg_json_text(&out, "operation", operation);
		qg_json_text(&out, "at", timestamptz_to_str(at));
		qg_json_text(&out, "verdict", verdict);
		qg_json_text(&out, "guard_mode", qg_guard_mode_name(qg_guard_mode));
		qg_json_text(&out, "role", GetUserNameFromId(GetSessionUserId(), true));
		qg_json_text(&out, "attempted_at", timestamptz_to_str(GetCurrentTimestamp()));
		append_json(&out, "findings", findings_json, ATTEMPT_MAX / 2 - (size_t) out.len);
		append_json(&out, "listing", listing_json, ATTEMPT_MAX - 1024 - (size_t) out.len);
		appendStringInfoChar(&out, '}');

		if (!qg_spool_append(&key, out.data, (size_t) out.len,
							 (uint64) qg_denial_spool_size * 1024))
			qg_denial_log(out.data + QG_SPOOL_HEADER, (size_t) out.len - QG_SPOOL_HEADER, state);
		else
			qg_denial_worker_ask(&key, state);
		pfree(out.data);
	}
	PG_CATCH();
	{
		static const char lost[] =
			"{\"quality_gov\": \"listing_denial\", \"lost\": \"out of memory\"}";

		MemoryContextSwitchTo(context);
		FlushErrorState();
		qg_denial_log(lost, strlen(lost), qg_spool_state(&key));
	}
	PG_END_TRY();
}
