/*
 * rule_exception.c
 *		Exceptions: what a merchant or one of its listings is let off, by whom, until when.
 *
 * Exceptions are applied to findings, after rules were asked, so a clean listing never looks for
 * one.  The finding stays, with its verdict lowered, and says which exception did that.  What is
 * asked without any rule, admission and recalls, knows no exception.
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "listing/rules_private.h"

typedef struct RuleException
{
	char *merchant;
	char *listing;	/* NULL: all of them */
	char *rule;		/* "*": every rule */
	char *finding;	/* message of the findings it is about, NULL: all of them */
	char *relation; /* table of the listings, NULL: any */
	QgVerdict verdict;
	char *reason;
	char *owner;
	char *number;
	TimestampTz since;
	TimestampTz until;
} RuleException;

typedef struct Exceptions
{
	int n;
	RuleException *list; /* by merchant */
} Exceptions;

static void *build_exceptions(void);

static QgCache exception_cache = {
	.name = "listing exceptions", .tables = {"listing_exception"}, .build = build_exceptions};

/* Builds the list of exceptions. */
static void *
build_exceptions(void)
{
	Exceptions *all = palloc0(sizeof(Exceptions));

	all->n = (int) qg_cache_select(
		"SELECT merchant_id, listing_id, rule, verdict, reason, owner, exception_id::text, "
		"lower(effect), upper(effect), finding, relation FROM quality_gov.listing_exception "
		"WHERE NOT isempty(effect) ORDER BY merchant_id COLLATE \"C\", exception_id",
		0, NULL, NULL, NULL);
	all->list = palloc_extended(sizeof(RuleException) * (all->n + 1),
								MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < all->n; i++)
	{
		RuleException *entry = &all->list[i];

		CHECK_FOR_INTERRUPTS();
		entry->merchant = qg_result_text(i, 1);
		entry->listing = qg_result_text(i, 2);
		entry->rule = qg_result_text(i, 3);
		entry->verdict = qg_verdict_of(qg_result_text(i, 4));
		entry->reason = qg_result_text(i, 5);
		entry->owner = qg_result_text(i, 6);
		entry->number = qg_result_text(i, 7);
		entry->since = qg_result_instant(i, 8, DT_NOBEGIN);
		entry->until = qg_result_instant(i, 9, DT_NOEND);
		entry->finding = qg_result_text(i, 10);
		entry->relation = qg_result_text(i, 11);
	}
	return all;
}

/* Gives the place of a merchant's first exception. */
static int
first_exception(const Exceptions *all, const char *merchant)
{
	int low = 0;
	int high = all->n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (strcmp(all->list[middle].merchant, merchant) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Lowers a finding and writes into its detail what did that. */
static void
lower_finding(QgFinding *finding, const RuleException *exception)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfo(&detail, "{\"exception\": {\"exception_id\": %s", exception->number);
	qg_json_text(&detail, "verdict", qg_verdict_name(finding->verdict));
	qg_json_text(&detail, "owner", exception->owner);
	qg_json_text(&detail, "reason", exception->reason);
	appendStringInfoString(&detail, "}");
	/* What the rule said of it follows. */
	if (finding->detail == NULL || strcmp(finding->detail, "{}") == 0)
		appendStringInfoChar(&detail, '}');
	else if (finding->detail[0] == '{')
		appendStringInfo(&detail, ", %s", finding->detail + 1);
	else
		appendStringInfo(&detail, ", \"detail\": %s}", finding->detail);
	finding->detail = detail.data;
	finding->verdict = exception->verdict;
}

/* Tells whether an exception covers a finding of a listing at an instant. */
static bool
covers(const RuleException *exception, const QgFinding *finding, const char *listing,
	   const char *relation, TimestampTz at)
{
	return exception->since <= at && exception->until > at &&
		   (exception->listing == NULL ||
			(listing != NULL && strcmp(exception->listing, listing) == 0)) &&
		   (strcmp(exception->rule, "*") == 0 || strcmp(exception->rule, finding->rule) == 0) &&
		   (exception->finding == NULL || strcmp(exception->finding, finding->message) == 0) &&
		   /* A listing that is only asked about is of no table. */
		   (exception->relation == NULL || relation == NULL ||
			strcmp(exception->relation, relation) == 0);
}

/* Lowers each finding by the exception of the merchant or the listing that lowers it most. */
List *
qg_exceptions_apply(List *findings, QgListing *listing, TimestampTz at)
{
	const Exceptions *all;
	const char *merchant;
	const char *id;
	ListCell *cell;
	int first;

	if (findings == NIL)
		return findings;
	all = qg_cache_get(&exception_cache);
	merchant = qg_listing_field(listing, "merchant_id");
	if (merchant == NULL || all->n == 0)
		return findings;
	id = qg_listing_field(listing, "listing_id");
	first = first_exception(all, merchant);
	foreach (cell, findings)
	{
		QgFinding *finding = lfirst(cell);
		const RuleException *best = NULL;

		CHECK_FOR_INTERRUPTS();
		/* Version 0 is what is asked without any rule. */
		if (finding->version == 0)
			continue;
		for (int i = first; i < all->n && strcmp(all->list[i].merchant, merchant) == 0; i++)
			if (all->list[i].verdict < (best ? best->verdict : finding->verdict) &&
				covers(&all->list[i], finding, id, listing->relation, at))
				best = &all->list[i];
		if (best != NULL)
			lower_finding(finding, best);
	}
	return findings;
}
