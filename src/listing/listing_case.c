/*
 * listing_case.c
 *		Judging one row of a guarded table.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "listing/listing_case.h"

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
