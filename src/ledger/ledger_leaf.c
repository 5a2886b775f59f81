/*
 * ledger_leaf.c
 *		The bytes of an entry that the log commits to: its canonical JSON (RFC 8785).
 *
 *		{"body":{"state":"ordered"},"entry":7,"kind":"recall","recorded_at":"2026-11-25T08:00:00.000000Z",
 *		 "role":"platform","subject":"recall 3"}
 *
 * The instant is in UTC with six digits.  A number of the body that would be rounded is a string of
 * its digits, so that whatever was recorded has a leaf.  A leaf of more bytes than an entry bundle
 * of C2SP tlog-tiles can hold has "body_sha256" in place of "body": the digest of the body's
 * canonical JSON in hexadecimal.
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/crypto_hash.h"
#include "common/jcs.h"
#include "ledger/ledger.h"

#define LEAF_MAX 65535

/* Appends a member whose value is text. */
static void
append_text(StringInfo out, const char *key, text *value)
{
	appendStringInfo(out, ",\"%s\":", key);
	qg_jcs_string(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* Appends what stands behind the body. */
static void
append_rest(StringInfo out, const QgLedgerEntry *entry)
{
	struct pg_tm tm;
	fsec_t fsec;

	if (timestamp2tm(entry->recorded_at, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("entry " INT64_FORMAT " was recorded at no finite instant", entry->id)));
	appendStringInfo(out, ",\"entry\":" INT64_FORMAT, entry->id);
	append_text(out, "kind", entry->kind);
	appendStringInfo(out, ",\"recorded_at\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"", tm.tm_year,
					 tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fsec);
	append_text(out, "role", entry->role);
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
	append_rest(leaf, entry);
	if (leaf->len > LEAF_MAX)
	{
		const QgPiece piece = {leaf->data + body, end - body};
		uint8 digest[QG_SHA256_BYTES];

		qg_sha256_pieces(&piece, 1, digest);
		resetStringInfo(leaf);
		appendStringInfoString(leaf, "{\"body_sha256\":\"");
		for (int i = 0; i < QG_SHA256_BYTES; i++)
			appendStringInfo(leaf, "%02x", digest[i]);
		appendStringInfoChar(leaf, '"');
		append_rest(leaf, entry);
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
