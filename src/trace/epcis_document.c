/*
 * epcis_document.c
 *		Ways through an EPCIS document: its events, and values in them.  All stand what is not as the
 *		standard wants it, and find nothing there.
 */
#include "quality_gov.h"

#include "trace/epcis.h"

/* Gives the value of a key, NULL where there is none. */
JsonbValue *
qg_epcis_get(JsonbContainer *object, const char *key, JsonbValue *space)
{
	if (object == NULL || !JsonContainerIsObject(object))
		return NULL;
	return getKeyJsonValueFromContainer(object, key, (int) strlen(key), space);
}

/* Gives the value of a key that is a string, NULL where there is none. */
JsonbValue *
qg_epcis_text(JsonbContainer *object, const char *key, JsonbValue *space)
{
	JsonbValue *value = qg_epcis_get(object, key, space);

	return value != NULL && value->type == jbvString ? value : NULL;
}

/* Gives the object or list of a key, NULL where there is none. */
JsonbContainer *
qg_epcis_inner(JsonbContainer *object, const char *key)
{
	JsonbValue space;
	JsonbValue *value = qg_epcis_get(object, key, &space);

	return value != NULL && value->type == jbvBinary ? value->val.binary.data : NULL;
}

/* Reads what the CBV and the GS1 vocabulary say of a lot; of several, the CBV's comes first. */
void
qg_epcis_ilmd(JsonbContainer *ilmd, QgEpcisIlmd *result)
{
	JsonbIterator *it;
	JsonbValue key;
	JsonbValue value;

	memset(result, 0, sizeof(*result));
	if (ilmd == NULL || !JsonContainerIsObject(ilmd))
		return;
	it = JsonbIteratorInit(ilmd);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE;)
	{
		const char *name = key.val.string.val;
		int length = key.val.string.len;
		int32 *date;
		bool *has;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		if (value.type != jbvString)
			continue;
		if ((qg_epcis_attribute(name, length, "lotNumber") ||
			 (qg_epcis_attribute(name, length, "hasBatchLotNumber") &&
			  result->lot.type == jbvNull)) &&
			value.val.string.len > 0)
			result->lot = value;
		if (qg_epcis_attribute(name, length, "productionDate"))
			date = &result->made, has = &result->has_made;
		else if (qg_epcis_attribute(name, length, "itemExpirationDate") ||
				 qg_epcis_attribute(name, length, "expirationDate"))
			date = &result->expires, has = &result->has_expires;
		else
			continue;
		if (qg_epcis_date(value.val.string.val, value.val.string.len, date))
			*has = true;
		else
		{
			result->wrong = name;
			result->wrong_length = length;
		}
	}
}

/* Gives the container of a document's events behind its body, NULL where it is one event. */
static JsonbContainer *
find_list(Jsonb *document, const char **place)
{
	JsonbContainer *body = qg_epcis_inner(&document->root, "epcisBody");
	JsonbContainer *results = qg_epcis_inner(qg_epcis_inner(body, "queryResults"), "resultsBody");

	*place = body == NULL ? "$"
			 : results	  ? "$.epcisBody.queryResults.resultsBody.eventList"
						  : "$.epcisBody.eventList";
	return qg_epcis_inner(results ? results : body, "eventList");
}

/* Gives the place of a document's events, which stands before an index, or $ of a single event. */
const char *
qg_epcis_place(Jsonb *document)
{
	const char *place;

	(void) find_list(document, &place);
	return place;
}

/* Visits the events of a document, or the one event that it is. */
void
qg_epcis_each(Jsonb *document, QgEpcisVisit visit, void *arg)
{
	const char *place;
	JsonbContainer *list = find_list(document, &place);
	JsonbIterator *it;
	JsonbValue item;
	int ordinal = 0;

	if (strcmp(place, "$") == 0 && JB_ROOT_IS_OBJECT(document))
	{
		item.type = jbvBinary;
		item.val.binary.data = &document->root;
		item.val.binary.len = VARSIZE(document) - VARHDRSZ;
		visit(&item, 1, arg);
	}
	if (list == NULL || !JsonContainerIsArray(list))
		return;
	it = JsonbIteratorInit(list);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE;)
	{
		if (token != WJB_ELEM)
			continue;
		CHECK_FOR_INTERRUPTS();
		ordinal++;
		if (item.type == jbvBinary && JsonContainerIsObject(item.val.binary.data))
			visit(&item, ordinal, arg);
	}
}
