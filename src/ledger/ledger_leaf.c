/*
 * ledger_leaf.c
 *		The bytes of an entry that the log commits to: its canonical JSON (RFC 8785).
 *
 *		{"body":{"state":"ordered"},"entry":7,"kind":"recall","recorded_at":"2026-11-25T08:00:00.000000Z",
 *		 "role":"platform","subject":"recall 3"}
 *
 * The instant is in UTC with six digits.  A number of the body that would be rounded is a string of
 * its digits, and an instant without end is "infinity", so that whatever was recorded has a leaf.  A
 * leaf of more bytes than an entry bundle of C2SP tlog-tiles can hold has "body_sha256" in place of
 * "body": the digest of the body's canonical JSON in hexadecimal.  If that is not enough, it has
 * "subject_sha256" in place of "subject": the digest of its UTF-8.
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/crypto_hash.h"
#include "common/jcs.h"
#include "ledger/ledger.h"

/* Appends a member whose value is text. */
static void
append_text(StringInfo out, const char *key, text *value)
{
	appendStringInfoString(out, ",\"");
	appendStringInfoString(out, key);
	appendStringInfoString(out, "\":");
	qg_jcs_string(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* Appends a member whose value is the digest of bytes, in hexadecimal. */
static void
append_digest(StringInfo out, const char *key, const char *data, int length)
{
	const QgPiece piece = {data, length};
	uint8 digest[QG_SHA256_BYTES];

	qg_sha256_pieces(&piece, 1, digest);
	appendStringInfo(out, "\"%s\":\"", key);
	for (int i = 0; i < QG_SHA256_BYTES; i++)
		appendStringInfo(out, "%02x", digest[i]);
	appendStringInfoChar(out, '"');
}

/* Appends a number of so many digits at least. */
static void
append_number(StringInfo out, int64 number, int digits)
{
	char buffer[MAXINT8LEN + 1];

	if (digits > 0 && number >= 0)
		appendBinaryStringInfo(out, buffer,
							   pg_ultostr_zeropad(buffer, (uint32) number, digits) - buffer);
	else
		appendBinaryStringInfo(out, buffer, pg_lltoa(number, buffer));
}

/* Appends an instant in UTC, or which of the two that never come. */
static void
append_instant(StringInfo out, TimestampTz instant)
{
	struct pg_tm tm;
	fsec_t fsec;

	if (TIMESTAMP_NOT_FINITE(instant) || timestamp2tm(instant, NULL, &tm, &fsec, NULL, NULL) != 0)
	{
		appendStringInfoString(out, TIMESTAMP_IS_NOBEGIN(instant) ? "-infinity" : "infinity");
		return;
	}
	if (tm.tm_year < 0)
		appendStringInfoCharMacro(out, '-');
	append_number(out, abs(tm.tm_year), 4);
	appendStringInfoCharMacro(out, '-');
	append_number(out, tm.tm_mon, 2);
	appendStringInfoCharMacro(out, '-');
	append_number(out, tm.tm_mday, 2);
	appendStringInfoCharMacro(out, 'T');
	append_number(out, tm.tm_hour, 2);
	appendStringInfoCharMacro(out, ':');
	append_number(out, tm.tm_min, 2);
	appendStringInfoCharMacro(out, ':');
	append_number(out, tm.tm_sec, 2);
	appendStringInfoCharMacro(out, '.');
	append_number(out, fsec, 6);
	appendStringInfoCharMacro(out, 'Z');
}

/* Appends what stands behind the body. */
static void
append_rest(StringInfo out, const QgLedgerEntry *entry, bool brief)
{
	appendStringInfoString(out, ",\"entry\":");
	append_number(out, entry->id, 0);
	append_text(out, "kind", entry->kind);
	appendStringInfoString(out, ",\"recorded_at\":\"");
	append_instant(out, entry->recorded_at);
	appendStringInfoChar(out, '"');
	append_text(out, "role", entry->role);
	if (brief)
	{
		appendStringInfoChar(out, ',');
		append_digest(out, "subject_sha256", VARDATA_ANY(entry->subject),
					  VARSIZE_ANY_EXHDR(entry->subject));
	}
	else
		append_text(out, "subject", entry->subject);
	appendStringInfoChar(out, '}');
}

/* Writes an entry's leaf into a string that is reset first. */
void
qg_ledger_leaf(const QgLedgerEntry *entry, StringInfo leaf)
{
	static const char opening[] = "{\"body\":";
	int body = sizeof(opening) - 1;
	int end;

	resetStringInfo(leaf);
	appendBinaryStringInfo(leaf, opening, body);
	qg_jcs_lenient(entry->body, leaf);
	end = leaf->len;
	append_rest(leaf, entry, false);
	if (leaf->len > QG_LEAF_MAX)
	{
		StringInfoData brief;
		int head;

		initStringInfo(&brief);
		appendStringInfoChar(&brief, '{');
		append_digest(&brief, "body_sha256", leaf->data + body, end - body);
		head = brief.len;
		append_rest(&brief, entry, false);
		if (brief.len > QG_LEAF_MAX)
		{
			brief.len = head;
			append_rest(&brief, entry, true);
		}
		resetStringInfo(leaf);
		appendBinaryStringInfo(leaf, brief.data, brief.len);
		pfree(brief.data);
	}
}

/* ledger_leaf_data(entry_id, kind, subject, body, role, recorded_at) */
PG_FUNCTION_INFO_V1(qg_ledger_leaf_data);
Datum
qg_ledger_leaf_data(PG_FUNCTION_ARGS)
{
	const QgLedgerEntry entry = {.id = PG_GETARG_INT64(0),
								 .kind = PG_GETARG_TEXT_PP(1),
								 .subject = PG_GETARG_TEXT_PP(2),
								 .body = PG_GETARG_JSONB_P(3),
								 .role = PG_GETARG_TEXT_PP(4),
								 .recorded_at = PG_GETARG_TIMESTAMPTZ(5)};
	StringInfoData leaf;

	initStringInfo(&leaf);
	qg_ledger_leaf(&entry, &leaf);
	PG_RETURN_BYTEA_P(cstring_to_text_with_len(leaf.data, leaf.len));
}

/* ledger_canonical(jsonb) */
PG_FUNCTION_INFO_V1(qg_ledger_canonical);
Datum
qg_ledger_canonical(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	qg_jcs_lenient(PG_GETARG_JSONB_P(0), &out);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
