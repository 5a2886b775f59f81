/*
 * epcis_read.c
 *		Reads EPCIS documents into rows: the events, once all of them are as the standard wants them,
 *		and the identifiers of goods that they name.
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "trace/epcis.h"

#define EVENT_COLUMNS 22
#define IDENTIFIER_COLUMNS 11

/* What the visit of a document's events carries. */
typedef struct Read
{
	ReturnSetInfo *result;
	JsonbContainer *document;
	MemoryContext context; /* of one event */
	const char *list;	   /* place of the events in the document */
	/* of identifiers of the event at hand */
	int position;
	int ordinal;
	bool born;
	QgEpcisIlmd ilmd;
} Read;

/* Sets a column to a text, or to null where there is none. */
static void
set_text(Datum *values, bool *nulls, int column, const char *text, int length)
{
	nulls[column] = text == NULL;
	values[column] = text ? PointerGetDatum(cstring_to_text_with_len(text, length)) : (Datum) 0;
}

/* Sets a column to a string of the document, or to null where there is none. */
static void
set_string(Datum *values, bool *nulls, int column, const JsonbValue *value)
{
	set_text(values, nulls, column, value ? value->val.string.val : NULL,
			 value ? value->val.string.len : 0);
}

/* Sets a column to a term: the word of the standard, or the URI. */
static void
set_term(Datum *values, bool *nulls, int column, QgEpcisVocabulary vocabulary,
		 const JsonbValue *value)
{
	const char *word = NULL;

	if (value != NULL)
		(void) qg_epcis_term(vocabulary, value->val.string.val, value->val.string.len, &word);
	if (word != NULL)
		set_text(values, nulls, column, word, (int) strlen(word));
	else
		set_string(values, nulls, column, value);
}

/* Gives the id of an event that has none: the digest of its content (RFC 6920). */
static char *
content_id(const uint8 digest[QG_EPCIS_DIGEST])
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char text[64];
	int n = 0;

	for (int i = 0; i < QG_EPCIS_DIGEST; i += 3)
	{
		int rest = QG_EPCIS_DIGEST - i;
		uint32 bits = (uint32) digest[i] << 16 | (rest > 1 ? (uint32) digest[i + 1] << 8 : 0) |
					  (rest > 2 ? digest[i + 2] : 0);

		text[n++] = alphabet[bits >> 18];
		text[n++] = alphabet[bits >> 12 & 63];
		if (rest > 1)
			text[n++] = alphabet[bits >> 6 & 63];
		if (rest > 2)
			text[n++] = alphabet[bits & 63];
	}
	return psprintf("ni:///sha-256;%.*s", n, text);
}

/* Finds the party of a list: who possesses, else who owns, else where. */
static bool
find_party(JsonbContainer *event, const char *list, const char *name, JsonbValue *party)
{
	static const char *const preferred[] = {"possessing_party", "owning_party"};
	JsonbContainer *parties = qg_epcis_inner(event, list);
	JsonbIterator *it;
	JsonbValue item;
	JsonbValue space;
	int best = (int) lengthof(preferred);

	if (parties == NULL || !JsonContainerIsArray(parties))
		return false;
	it = JsonbIteratorInit(parties);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE;)
	{
		const char *word = NULL;
		JsonbValue *type;
		JsonbValue *value;

		if (token != WJB_ELEM || item.type != jbvBinary)
			continue;
		type = qg_epcis_text(item.val.binary.data, "type", &space);
		if (type != NULL)
			(void) qg_epcis_term(QG_EPCIS_PARTY, type->val.string.val, type->val.string.len, &word);
		value = qg_epcis_text(item.val.binary.data, name, &space);
		for (int i = 0; value != NULL && word != NULL && i < best; i++)
			if (strcmp(word, preferred[i]) == 0)
			{
				*party = *value;
				best = i;
			}
	}
	return best < (int) lengthof(preferred);
}

/* Finds the purchase order of an event: the number behind urn:epcglobal:cbv:bt:, or the URI. */
static bool
find_order(JsonbContainer *event, JsonbValue *order)
{
	static const char urn[] = "urn:epcglobal:cbv:bt:";
	JsonbContainer *list = qg_epcis_inner(event, "bizTransactionList");
	JsonbIterator *it;
	JsonbValue item;
	JsonbValue space;

	if (list == NULL || !JsonContainerIsArray(list))
		return false;
	it = JsonbIteratorInit(list);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE;)
	{
		const char *word = NULL;
		JsonbValue *value;

		if (token != WJB_ELEM || item.type != jbvBinary)
			continue;
		value = qg_epcis_text(item.val.binary.data, "type", &space);
		if (value != NULL)
			(void) qg_epcis_term(QG_EPCIS_TRANSACTION, value->val.string.val, value->val.string.len,
								 &word);
		value = qg_epcis_text(item.val.binary.data, "bizTransaction", &space);
		if (word == NULL || strcmp(word, "po") != 0 || value == NULL)
			continue;
		*order = *value;
		if (value->val.string.len > (int) sizeof(urn) &&
			memcmp(value->val.string.val, urn, sizeof(urn) - 1) == 0)
		{
			const char *number = memchr(value->val.string.val + sizeof(urn) - 1, ':',
										value->val.string.len - (sizeof(urn) - 1));
			int length = number ? (int) (value->val.string.val + value->val.string.len - number - 1)
								: 0;

			if (length > 0)
			{
				order->val.string.val = unconstify(char *, number + 1);
				order->val.string.len = length;
			}
		}
		return true;
	}
	return false;
}

/* Sets a column to a time of the document, or to null where there is none. */
static void
set_time(Datum *values, bool *nulls, int column, const JsonbValue *value)
{
	int64 time;

	nulls[column] = value == NULL ||
					!qg_epcis_time(value->val.string.val, value->val.string.len, &time);
	values[column] = nulls[column] ? (Datum) 0 : TimestampTzGetDatum(time);
}

/* Makes the row of an event that has been checked. */
static void
put_event(JsonbValue *value, int ordinal, void *arg)
{
	JsonbContainer *event = value->val.binary.data;
	Read *read = arg;
	MemoryContext caller = MemoryContextSwitchTo(read->context);
	Datum values[EVENT_COLUMNS];
	bool nulls[EVENT_COLUMNS] = {false};
	JsonbContainer *declaration = qg_epcis_inner(event, "errorDeclaration");
	JsonbValue space;
	JsonbValue *id = qg_epcis_text(event, "eventID", &space);
	uint8 undeclared[QG_EPCIS_DIGEST];
	bytea *digest = palloc(VARHDRSZ + QG_EPCIS_DIGEST);
	Jsonb *context;
	QgEpcisIlmd ilmd;

	SET_VARSIZE(digest, VARHDRSZ + QG_EPCIS_DIGEST);
	context = qg_epcis_content(read->document, event, (uint8 *) VARDATA(digest), undeclared);
	values[0] = Int32GetDatum(ordinal);
	values[1] = CStringGetTextDatum(
		strcmp(read->list, "$") == 0 ? "$" : psprintf("%s[%d]", read->list, ordinal - 1));
	if (id != NULL)
		set_string(values, nulls, 2, id);
	else
		values[2] = CStringGetTextDatum(content_id(undeclared));
	values[3] = PointerGetDatum(digest);
	set_string(values, nulls, 4, qg_epcis_text(event, "type", &space));
	set_time(values, nulls, 5, qg_epcis_text(event, "eventTime", &space));
	set_string(values, nulls, 6, qg_epcis_text(event, "eventTimeZoneOffset", &space));
	set_string(values, nulls, 7, qg_epcis_text(event, "action", &space));
	set_term(values, nulls, 8, QG_EPCIS_BIZ_STEP, qg_epcis_text(event, "bizStep", &space));
	set_term(values, nulls, 9, QG_EPCIS_DISPOSITION, qg_epcis_text(event, "disposition", &space));
	set_string(values, nulls, 10, qg_epcis_text(qg_epcis_inner(event, "readPoint"), "id", &space));
	set_string(values, nulls, 11,
			   qg_epcis_text(qg_epcis_inner(event, "bizLocation"), "id", &space));
	set_string(values, nulls, 12,
			   find_party(event, "destinationList", "destination", &space) ? &space : NULL);
	set_string(values, nulls, 13,
			   find_party(event, "sourceList", "source", &space) ? &space : NULL);
	set_string(values, nulls, 14, find_order(event, &space) ? &space : NULL);
	set_string(values, nulls, 15, qg_epcis_text(event, "transformationID", &space));
	values[16] = BoolGetDatum(declaration != NULL);
	set_time(values, nulls, 17, qg_epcis_text(declaration, "declarationTime", &space));
	qg_epcis_ilmd(qg_epcis_inner(event, "ilmd"), &ilmd);
	values[18] = DateADTGetDatum(ilmd.made);
	nulls[18] = !ilmd.has_made;
	values[19] = DateADTGetDatum(ilmd.expires);
	nulls[19] = !ilmd.has_expires;
	values[20] = PointerGetDatum(context);
	nulls[20] = context == NULL;
	values[21] = JsonbPGetDatum(JsonbValueToJsonb(value));
	tuplestore_putvalues(read->result->setResult, read->result->setDesc, values, nulls);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(read->context);
}

/* epcis_events(document): its events, checked. */
PG_FUNCTION_INFO_V1(qg_epcis_events);
Datum
qg_epcis_events(PG_FUNCTION_ARGS)
{
	Jsonb *document = PG_GETARG_JSONB_P(0);
	Read read = {.document = &document->root};

	InitMaterializedSRF(fcinfo, 0);
	qg_epcis_check(document);
	read.result = (ReturnSetInfo *) fcinfo->resultinfo;
	read.context = AllocSetContextCreate(CurrentMemoryContext, "quality_gov EPCIS event",
										 ALLOCSET_DEFAULT_SIZES);
	read.list = qg_epcis_place(document);
	qg_epcis_each(document, put_event, &read);
	MemoryContextDelete(read.context);
	return (Datum) 0;
}

/* Makes the row of an identifier. */
static void
put_identifier(Read *read, const char *role, const JsonbValue *uri, const JsonbValue *quantity,
			   const JsonbValue *unit)
{
	static const char *const pieces[] = {"C62", "EA", "H87", "PCE"};
	Datum values[IDENTIFIER_COLUMNS];
	bool nulls[IDENTIFIER_COLUMNS] = {false};
	bool born = read->born && strcmp(role, "input") != 0;
	const char *text = uri->val.string.val;
	int length = uri->val.string.len;
	QgEpc epc;

	if (qg_epc_parse(text, length, &epc) != NULL)
		return;
	values[0] = Int32GetDatum(read->ordinal);
	values[1] = Int32GetDatum(++read->position);
	values[2] = CStringGetTextDatum(role);
	set_string(values, nulls, 3, uri);
	if (epc.key[0] != '\0')
		set_text(values, nulls, 4, epc.key, (int) strlen(epc.key));
	else
		set_string(values, nulls, 4, uri);
	values[5] = Int64GetDatum(epc.gtin);
	nulls[5] = epc.gtin == 0;
	if (epc.lot[0] != '\0')
		set_text(values, nulls, 6, epc.lot, (int) strlen(epc.lot));
	else
		set_string(values, nulls, 6,
				   born && epc.gtin != 0 && read->ilmd.lot.type == jbvString ? &read->ilmd.lot
																			 : NULL);
	set_text(values, nulls, 7, epc.serial[0] ? epc.serial : NULL, (int) strlen(epc.serial));
	nulls[8] = quantity == NULL || quantity->type != jbvNumeric;
	values[8] = nulls[8] ? (Datum) 0 : NumericGetDatum(quantity->val.numeric);
	for (int i = 0; unit != NULL && i < (int) lengthof(pieces); i++)
		if ((int) strlen(pieces[i]) == unit->val.string.len &&
			memcmp(pieces[i], unit->val.string.val, unit->val.string.len) == 0)
			unit = NULL;
	set_string(values, nulls, 9, unit);
	values[10] = BoolGetDatum(born);
	tuplestore_putvalues(read->result->setResult, read->result->setDesc, values, nulls);
}

/* Makes rows of a list of identifiers or of quantities of classes. */
static void
put_list(Read *read, JsonbContainer *event, const char *name, const char *role)
{
	JsonbContainer *list = qg_epcis_inner(event, name);
	JsonbIterator *it;
	JsonbValue item;
	JsonbValue uri;
	JsonbValue quantity;
	JsonbValue unit;

	if (list == NULL || !JsonContainerIsArray(list))
		return;
	it = JsonbIteratorInit(list);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE;)
	{
		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		if (item.type == jbvString)
			put_identifier(read, role, &item, NULL, NULL);
		else if (item.type == jbvBinary &&
				 qg_epcis_text(item.val.binary.data, "epcClass", &uri) != NULL)
			put_identifier(read, role, &uri,
						   qg_epcis_get(item.val.binary.data, "quantity", &quantity),
						   qg_epcis_text(item.val.binary.data, "uom", &unit));
	}
}

/* Tells whether a value is this string. */
static bool
is_string(const JsonbValue *value, const char *text)
{
	return value != NULL && value->val.string.len == (int) strlen(text) &&
		   memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/* Makes the rows of an event's identifiers. */
static void
put_identifiers(JsonbValue *value, int ordinal, void *arg)
{
	JsonbContainer *event = value->val.binary.data;
	static const char *const lists[][2] = {
		{"epcList", "object"},		 {"quantityList", "object"},
		{"childEPCs", "child"},		 {"childQuantityList", "child"},
		{"inputEPCList", "input"},	 {"inputQuantityList", "input"},
		{"outputEPCList", "output"}, {"outputQuantityList", "output"}};
	Read *read = arg;
	MemoryContext caller = MemoryContextSwitchTo(read->context);
	JsonbValue space;
	JsonbValue *parent;

	read->ordinal = ordinal;
	read->position = 0;
	qg_epcis_ilmd(qg_epcis_inner(event, "ilmd"), &read->ilmd);
	/* Goods come into being where objects are added, and as output of a transformation. */
	read->born = is_string(qg_epcis_text(event, "type", &space), "TransformationEvent");
	if (is_string(qg_epcis_text(event, "type", &space), "ObjectEvent"))
		read->born = is_string(qg_epcis_text(event, "action", &space), "ADD");
	parent = qg_epcis_text(event, "parentID", &space);
	if (parent != NULL)
		put_identifier(read, "parent", parent, NULL, NULL);
	for (int i = 0; i < (int) lengthof(lists); i++)
		put_list(read, event, lists[i][0], lists[i][1]);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(read->context);
}

/* epcis_identifiers(document): what the events of a document are about. */
PG_FUNCTION_INFO_V1(qg_epcis_identifiers);
Datum
qg_epcis_identifiers(PG_FUNCTION_ARGS)
{
	Jsonb *document = PG_GETARG_JSONB_P(0);
	Read read = {.document = &document->root};

	InitMaterializedSRF(fcinfo, 0);
	read.result = (ReturnSetInfo *) fcinfo->resultinfo;
	read.context = AllocSetContextCreate(CurrentMemoryContext, "quality_gov EPCIS event",
										 ALLOCSET_DEFAULT_SIZES);
	qg_epcis_each(document, put_identifiers, &read);
	MemoryContextDelete(read.context);
	return (Datum) 0;
}
