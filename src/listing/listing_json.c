/*
 * listing_json.c
 *		A listing as a JSON object: read from one, and written as one.
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "listing/rules.h"

/* Writes a JSON number; the number of a GTIN has lost the zeros it begins with. */
static char *
number_text(const char *key, Numeric number)
{
	char *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	int length = (int) strlen(text);

	if (strcmp(key, "gtin") != 0 || length >= 14)
		return text;
	return psprintf("%.*s%s", 14 - length, "00000000000000", text);
}

/* Gives a single value as text, NULL for null. */
static const char *
value_text(const char *key, const JsonbValue *item)
{
	switch (item->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			return pnstrdup(item->val.string.val, item->val.string.len);
		case jbvNumeric:
			return number_text(key, item->val.numeric);
		case jbvBool:
			return item->val.boolean ? "t" : "f";
		default:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("\"%s\" of the listing must be a single value", key)));
	}
}

/* Reads the members of a JSON object as named texts. */
void
qg_listing_read_json(Jsonb *object, QgListing *listing)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue item;
	int n = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("listing must be a JSON object"),
				 errhint("Use the names that the guard's mapping uses, such as "
						 "\"merchant_id\" and \"title\".")));
	memset(listing, 0, sizeof(QgListing));
	listing->keys = palloc0(sizeof(char *) * (JB_ROOT_COUNT(object) + 1));
	listing->values = palloc0(sizeof(char *) * (JB_ROOT_COUNT(object) + 1));
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			listing->keys[n] = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE)
		{
			listing->values[n] = value_text(listing->keys[n], &item);
			n++;
		}
	}
	listing->nfields = n;
}

/* Adds a member's key to an object being written. */
void
qg_jsonb_push_key(JsonbParseState **state, const char *key)
{
	JsonbValue item = {.type = jbvString};

	item.val.string.val = unconstify(char *, key);
	item.val.string.len = (int) strlen(key);
	(void) pushJsonbValue(state, WJB_KEY, &item);
}

/* Adds a member whose value is a text, or null. */
void
qg_jsonb_push_text(JsonbParseState **state, const char *key, const char *value)
{
	JsonbValue item = {.type = value ? jbvString : jbvNull};

	qg_jsonb_push_key(state, key);
	if (value != NULL)
	{
		item.val.string.val = unconstify(char *, value);
		item.val.string.len = (int) strlen(value);
	}
	(void) pushJsonbValue(state, WJB_VALUE, &item);
}

/* Writes a listing as an object of its texts and "relation"; what is missing is left out. */
Jsonb *
qg_listing_json(QgListing *listing)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < listing->nfields; i++)
	{
		const char *value = qg_listing_field(listing, listing->keys[i]);

		if (value != NULL)
			qg_jsonb_push_text(&state, listing->keys[i], value);
	}
	if (listing->relation != NULL)
		qg_jsonb_push_text(&state, "relation", listing->relation);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
