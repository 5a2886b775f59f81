/*
 * listing_case.c
 *		Judging one row of a guarded table, and what of it is kept with a decision.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "listing/listing_case.h"

/* A text above this many bytes is kept as its length and digest. */
#define KEPT_BYTES_MAX 65536

/* Reads a mapped column of the row. */
static void
load_field(QgListing *listing, int field)
{
	ListingCase *this = listing->source;

	listing->values[field] = qg_column_text(&this->mapping->columns[field], this->row, this->desc);
}

/* Judges the row; its columns are read when a rule asks for them. */
static void
judge_row(const QgMapping *mapping, void *arg)
{
	ListingCase *this = arg;
	int n = mapping->ncolumns + 1;
	char *memory = palloc0((sizeof(char *) + sizeof(bool)) * n);

	/* The statement's instant, so that what came into force since the transaction began counts. */
	if (!this->at_given)
		this->at = qg_mapping_instant(mapping, "at", this->row, this->desc,
									  GetCurrentStatementStartTimestamp());
	this->listing.relation = mapping->relation;
	this->listing.nfields = mapping->ncolumns;
	this->listing.keys = mapping->keys;
	this->listing.values = (const char **) memory;
	this->listing.loaded = (bool *) (memory + sizeof(char *) * n);
	this->listing.load = load_field;
	this->listing.source = this;
	if (!this->known_clean)
		this->findings = qg_listing_judge(&this->listing, this->at);
}

/* Judges a row; false where the guard failed and was told to let the row pass. */
bool
qg_case_judge(ListingCase *this, const QgMapping *mapping)
{
	this->mapping = mapping;
	return qg_guard_judge(mapping, judge_row, this);
}

/* Gives a mapped value, NULL where it is null or not mapped. */
const char *
qg_case_field(ListingCase *this, const char *key)
{
	return qg_listing_field(&this->listing, key);
}

/* Appends what stands for a text that is too long to keep. */
static void
append_digest(StringInfo json, const char *value, size_t length)
{
	Datum digest = DirectFunctionCall1(sha256_bytea,
									   PointerGetDatum(cstring_to_text_with_len(value, length)));
	Datum hex = DirectFunctionCall2(binary_encode, digest, CStringGetTextDatum("hex"));

	appendStringInfo(json, "{\"bytes\": %zu, \"sha256\": \"%s\"}", length,
					 TextDatumGetCString(hex));
}

/* Writes the values judged as a JSON object, nulls left out. */
char *
qg_case_listing_json(ListingCase *this)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < this->listing.nfields; i++)
	{
		const char *value = qg_listing_field(&this->listing, this->listing.keys[i]);
		size_t length;

		if (value == NULL)
			continue;
		if (json.len > 1)
			appendStringInfoString(&json, ", ");
		escape_json(&json, this->listing.keys[i]);
		appendStringInfoString(&json, ": ");
		length = strlen(value);
		if (length > KEPT_BYTES_MAX)
			append_digest(&json, value, length);
		else
			escape_json(&json, value);
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}
