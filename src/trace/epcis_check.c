/*
 * epcis_check.c
 *		Checks an EPCIS document against EPCIS 2.0 and the CBV; a refusal names the place in the
 *		document and what the standard wants there.
 *
 * The walk follows the tables of epcis_shape.c, so it goes no deeper than they do: what is inside
 * extensions is free, and of any depth.  Problems are gathered, so that one refusal tells several.
 */
#include "quality_gov.h"

#include <ctype.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "trace/epcis_shape.h"

#define PROBLEMS_MAX 10
#define URI_MAX 2048							   /* what is searched by must fit into an index */
#define AMOUNT_MAX INT64CONST(1000000000000000000) /* sums must not overflow */

typedef struct Check
{
	int count;
	char *problems[PROBLEMS_MAX]; /* "place: expected this, found that" */
	const char *definition;		  /* of the first */
	int type;					  /* of the event at hand, 0 outside of events */
	const char *type_name;
} Check;

static void check_object(Check *check, JsonbContainer *object, const QgEpcisShape *shape,
						 const QgEpcisPath *path);

/* Appends a place, from the document down. */
static void
append_path(StringInfo out, const QgEpcisPath *path)
{
	if (path == NULL)
	{
		appendStringInfoChar(out, '$');
		return;
	}
	append_path(out, path->up);
	if (path->key != NULL)
		appendStringInfo(out, ".%.*s", pg_mbcliplen(path->key, path->length, 60), path->key);
	else
		appendStringInfo(out, "[%d]", path->index);
}

/* Appends what was found in place of what was expected. */
static void
append_found(StringInfo out, const JsonbValue *value)
{
	if (value == NULL)
		return;
	appendStringInfoString(out, ", found ");
	switch (value->type)
	{
		case jbvNull:
			appendStringInfoString(out, "null");
			break;
		case jbvBool:
			appendStringInfoString(out, value->val.boolean ? "true" : "false");
			break;
		case jbvString:
			appendStringInfo(out, "\"%.*s\"",
							 pg_mbcliplen(value->val.string.val, value->val.string.len, 60),
							 value->val.string.val);
			break;
		case jbvNumeric:
			appendStringInfoString(out, "a number");
			break;
		default:
			appendStringInfoString(out, JsonContainerIsArray(value->val.binary.data) ? "a list"
																					 : "an object");
	}
}

/* Notes that a place of the document has not what the standard wants. */
static void
problem(Check *check, const QgEpcisPath *path, const QgEpcisShape *shape, const char *wants,
		const JsonbValue *found)
{
	StringInfoData text;

	if (check->count == PROBLEMS_MAX)
		return;
	if (check->count == 0)
		check->definition = shape->definition;
	initStringInfo(&text);
	append_path(&text, path);
	appendStringInfo(&text, ": expected %s", wants);
	append_found(&text, found);
	check->problems[check->count++] = text.data;
}

/* Gives the bit of an event type, 0 where it has none. */
static int
event_type(const char *name, int length)
{
	static const struct
	{
		const char *name;
		int type;
	} types[] = {{"ObjectEvent", QG_EVENT_OBJECT},
				 {"AggregationEvent", QG_EVENT_AGGREGATION},
				 {"TransactionEvent", QG_EVENT_TRANSACTION},
				 {"TransformationEvent", QG_EVENT_TRANSFORMATION},
				 {"AssociationEvent", QG_EVENT_ASSOCIATION}};

	for (int i = 0; i < (int) lengthof(types); i++)
		if ((int) strlen(types[i].name) == length && memcmp(types[i].name, name, length) == 0)
			return types[i].type;
	return qg_epcis_is_uri(name, length) ? QG_EVENT_OWN : 0;
}

/* Says what a string must be instead, NULL where it is right. */
static const char *
string_fault(const QgEpcisField *field, const char *text, int length)
{
	int64 time;
	QgEpc epc;
	const char *word;

	switch (field->kind)
	{
		case QG_KIND_STRING:
			return NULL;
		case QG_KIND_HEX:
			for (int i = 0; i < length; i++)
				if (!isxdigit((unsigned char) text[i]))
					return "hexadecimal digits";
			return length > 0 ? NULL : "hexadecimal digits";
		case QG_KIND_URI:
		case QG_KIND_URIS:
			if (length > URI_MAX)
				return "a URI of at most 2048 characters";
			return qg_epcis_is_uri(text, length) ? NULL : "a URI";
		case QG_KIND_EPC:
			if (length > URI_MAX)
				return "a URI of at most 2048 characters";
			return qg_epcis_is_uri(text, length)
					   ? qg_epc_parse(text, length, &epc)
					   : "a URI: an EPC URN, a GS1 Digital Link or one of your own";
		case QG_KIND_TIME:
			return qg_epcis_time(text, length, &time)
					   ? NULL
					   : "a time with zone like 2026-07-22T06:45:00+02:00";
		case QG_KIND_ZONE:
			return qg_epcis_zone(text, length) ? NULL : "a zone like +08:00, at most 14:00";
		case QG_KIND_ACTION:
			return (length == 3 && memcmp(text, "ADD", 3) == 0) ||
						   (length == 7 && memcmp(text, "OBSERVE", 7) == 0) ||
						   (length == 6 && memcmp(text, "DELETE", 6) == 0)
					   ? NULL
					   : "ADD, OBSERVE or DELETE";
		case QG_KIND_UNIT:
			for (int i = 0; i < length; i++)
				if (!(text[i] >= 'A' && text[i] <= 'Z') && !(text[i] >= '0' && text[i] <= '9'))
					return "a unit of UN/ECE Recommendation 20, like KGM";
			return length == 2 || length == 3 ? NULL
											  : "a unit of UN/ECE Recommendation 20, like KGM";
		case QG_KIND_NAME:
			return qg_epcis_is_name(text, length) || qg_epcis_is_uri(text, length)
					   ? NULL
					   : "a word of the GS1 vocabulary or a URI";
		case QG_KIND_TERM:
			return qg_epcis_term(field->vocabulary, text, length, &word) != QG_EPCIS_UNKNOWN
					   ? NULL
					   : psprintf("a CBV %s or a URI of your own",
								  qg_epcis_vocabulary_name(field->vocabulary));
		case QG_KIND_TYPE:
			return event_type(text, length) ? NULL
											: "one of the five event types or a URI of your own";
		default:
			return "another value";
	}
}

/* Checks the value of a context: a URI, an object of terms, or a list of both. */
static void
check_context(Check *check, const JsonbValue *value, const QgEpcisShape *shape,
			  const QgEpcisPath *path, bool inside)
{
	static const char *const wants = "a JSON-LD context: a URI, an object, or a list of them";

	if (value->type == jbvString)
	{
		if (!qg_epcis_is_uri(value->val.string.val, value->val.string.len))
			problem(check, path, shape, wants, value);
	}
	else if (value->type != jbvBinary || (inside && JsonContainerIsArray(value->val.binary.data)))
		problem(check, path, shape, wants, value);
	else if (JsonContainerIsArray(value->val.binary.data))
	{
		JsonbIterator *it = JsonbIteratorInit(value->val.binary.data);
		JsonbValue item;
		QgEpcisPath place = {path, NULL, 0, -1};

		for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE;)
			if (token == WJB_ELEM)
			{
				place.index++;
				check_context(check, &item, shape, &place, true);
			}
	}
}

/* Compares a number with a whole one. */
static int
compare(Numeric amount, int64 whole)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(amount),
											 NumericGetDatum(int64_to_numeric(whole))));
}

/* Checks one value that is not a list, or one element of a list. */
static void
check_value(Check *check, const JsonbValue *value, const QgEpcisField *field,
			const QgEpcisShape *shape, const QgEpcisPath *path)
{
	switch (field->kind)
	{
		case QG_KIND_ANY:
			return;
		case QG_KIND_CONTEXT:
			check_context(check, value, shape, path, false);
			return;
		case QG_KIND_OBJECT:
			if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
				problem(check, path, shape, "an object", value);
			else
				check_object(check, value->val.binary.data, field->shape, path);
			return;
		case QG_KIND_BOOLEAN:
			if (value->type != jbvBool)
				problem(check, path, shape, "true or false", value);
			return;
		case QG_KIND_AMOUNT:
		case QG_KIND_NUMBER:
			if (value->type != jbvNumeric)
				problem(check, path, shape, "a number", value);
			else if (field->kind == QG_KIND_AMOUNT && (compare(value->val.numeric, 0) < 0 ||
													   compare(value->val.numeric, AMOUNT_MAX) > 0))
				problem(check, path, shape, "a number from 0 to 10^18", value);
			return;
		default:
		{
			const char *fault = "a string";

			if (value->type == jbvString)
				fault = string_fault(field, value->val.string.val, value->val.string.len);
			if (fault != NULL)
				problem(check, path, shape, fault, value);
		}
	}
}

/* Checks the value of a field. */
static void
check_field(Check *check, const JsonbValue *value, const QgEpcisField *field,
			const QgEpcisShape *shape, const QgEpcisPath *path)
{
	JsonbIterator *it;
	JsonbValue item;
	QgEpcisPath place = {path, NULL, 0, -1};
	bool array = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);

	if (field->list && !array)
	{
		problem(check, path, shape, "a list", value);
		return;
	}
	if (!field->list && !(field->kind == QG_KIND_URIS && array))
	{
		check_value(check, value, field, shape, path);
		return;
	}
	it = JsonbIteratorInit(value->val.binary.data);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE;)
		if (token == WJB_ELEM)
		{
			CHECK_FOR_INTERRUPTS();
			place.index++;
			check_value(check, &item, field, shape, &place);
		}
}

/* Tells how many elements a list of an event has, -1 where the event has no such list. */
static int
list_size(JsonbContainer *event, const char *name)
{
	JsonbValue space;
	JsonbValue *value = qg_epcis_get(event, name, &space);

	return value == NULL ? -1
		   : value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data)
			   ? (int) JsonContainerSize(value->val.binary.data)
			   : 0;
}

/* Checks what an event needs beyond its fields: something that it is about. */
static void
check_goods(Check *check, JsonbContainer *event, const QgEpcisShape *shape, const QgEpcisPath *path)
{
	JsonbValue space;
	JsonbValue *action = qg_epcis_get(event, "action", &space);
	bool deletes = action != NULL && action->type == jbvString && action->val.string.len == 6 &&
				   memcmp(action->val.string.val, "DELETE", 6) == 0;
	bool adds = action != NULL && action->type == jbvString && action->val.string.len == 3 &&
				memcmp(action->val.string.val, "ADD", 3) == 0;
	QgEpcisPath place = {path, "ilmd", 4, 0};

	switch (check->type)
	{
		case QG_EVENT_OBJECT:
			if (qg_epcis_get(event, "ilmd", &space) != NULL && action != NULL && !adds)
				problem(check, &place, shape, "no ilmd unless the action is ADD", NULL);
			if (list_size(event, "epcList") < 0 && list_size(event, "quantityList") <= 0 &&
				(list_size(event, "sensorElementList") <= 0 ||
				 qg_epcis_get(event, "readPoint", &space) == NULL))
				problem(check, path, shape,
						"epcList or quantityList, or sensorElementList with readPoint", NULL);
			break;
		case QG_EVENT_TRANSACTION:
			if (list_size(event, "bizTransactionList") <= 0)
				problem(check, path, shape, "bizTransactionList with a transaction", NULL);
			if (!deletes && list_size(event, "epcList") < 0 &&
				list_size(event, "quantityList") <= 0)
				problem(check, path, shape, "epcList or quantityList unless the action is DELETE",
						NULL);
			break;
		case QG_EVENT_AGGREGATION:
		case QG_EVENT_ASSOCIATION:
			if (check->type == QG_EVENT_ASSOCIATION &&
				qg_epcis_get(event, "parentID", &space) == NULL)
				problem(check, path, shape, "parentID", NULL);
			if (!deletes && list_size(event, "childEPCs") <= 0 &&
				list_size(event, "childQuantityList") <= 0)
				problem(check, path, shape,
						"childEPCs or childQuantityList unless the action is DELETE", NULL);
			break;
		case QG_EVENT_TRANSFORMATION:
		{
			bool inputs = list_size(event, "inputEPCList") > 0 ||
						  list_size(event, "inputQuantityList") > 0;
			bool outputs = list_size(event, "outputEPCList") > 0 ||
						   list_size(event, "outputQuantityList") > 0;
			bool joined = qg_epcis_get(event, "transformationID", &space) != NULL;

			if (joined ? !inputs && !outputs : !inputs || !outputs)
				problem(check, path, shape, "inputs and outputs, or transformationID with either",
						NULL);
			break;
		}
		default:
			break;
	}
}

/* Checks what fields ask of each other: units, reports of sensors, dates of goods. */
static void
check_pairs(Check *check, JsonbContainer *object, const QgEpcisShape *shape,
			const QgEpcisPath *path)
{
	JsonbValue space;

	if (shape == &qg_epcis_quantity_shape && qg_epcis_get(object, "uom", &space) != NULL &&
		qg_epcis_get(object, "quantity", &space) == NULL)
		problem(check, path, shape, "quantity beside uom", NULL);
	else if (shape == &qg_epcis_report_shape && qg_epcis_get(object, "type", &space) == NULL &&
			 qg_epcis_get(object, "exception", &space) == NULL)
		problem(check, path, shape, "type or exception", NULL);
	else if (shape == &qg_epcis_ilmd_shape)
	{
		QgEpcisIlmd ilmd;

		qg_epcis_ilmd(object, &ilmd);
		if (ilmd.wrong_length > 0)
			problem(check, &(QgEpcisPath){path, ilmd.wrong, ilmd.wrong_length, 0}, shape,
					"a date like 2026-07-22", NULL);
		else if (ilmd.has_made && ilmd.has_expires && ilmd.expires < ilmd.made)
			problem(check, path, shape, "an expiration date not before the production date", NULL);
	}
}

/* Finds the field of a key, NULL where the shape has none. */
static const QgEpcisField *
find_field(const QgEpcisShape *shape, const JsonbValue *key)
{
	for (int i = 0; i < shape->count; i++)
		if ((int) strlen(shape->fields[i].name) == key->val.string.len &&
			memcmp(shape->fields[i].name, key->val.string.val, key->val.string.len) == 0)
			return &shape->fields[i];
	return NULL;
}

/* Checks an object: its fields, whether those required are there, and its other keys. */
static void
check_object(Check *check, JsonbContainer *object, const QgEpcisShape *shape,
			 const QgEpcisPath *path)
{
	JsonbIterator *it;
	JsonbValue key;
	JsonbValue value;
	bool event = shape == &qg_epcis_event_shape;
	uint64 found = 0;

	CHECK_FOR_INTERRUPTS();
	if (event)
	{
		JsonbValue *type = qg_epcis_get(object, "type", &value);

		/* Without a type that is known nothing but the common fields can be asked for. */
		check->type = type != NULL && type->type == jbvString
						  ? event_type(type->val.string.val, type->val.string.len)
						  : 0;
		check->type_name = check->type ? pnstrdup(type->val.string.val, type->val.string.len) : "";
	}
	it = JsonbIteratorInit(object);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE;)
	{
		const QgEpcisField *field;
		QgEpcisPath place = {path, key.val.string.val, key.val.string.len, 0};

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		field = find_field(shape, &key);
		if (field != NULL)
		{
			found |= UINT64CONST(1) << (field - shape->fields);
			if (event && check->type != 0 && check->type != QG_EVENT_OWN &&
				!(field->types & check->type))
				problem(check, &place, shape, psprintf("no such field in %s", check->type_name),
						NULL);
			else
				check_field(check, &value, field, shape, &place);
		}
		/* What events of somebody's own type hold is theirs to say. */
		else if (event && check->type == QG_EVENT_OWN)
			continue;
		else if (shape->others == QG_OTHERS_NONE ||
				 (shape->others == QG_OTHERS_NAMESPACED && key.val.string.val[0] != '@' &&
				  !qg_epcis_is_uri(key.val.string.val, key.val.string.len)))
			problem(check, &place, shape,
					shape->others == QG_OTHERS_NONE ? "no such field"
													: "no such field without a namespace",
					NULL);
	}
	for (int i = 0; i < shape->count; i++)
	{
		const QgEpcisField *field = &shape->fields[i];
		QgEpcisPath place = {path, field->name, (int) strlen(field->name), 0};

		if (field->required && !(found & UINT64CONST(1) << i) &&
			(!event || check->type == 0 || (field->types & check->type)))
			problem(check, &place, shape, "a value, which is required", NULL);
	}
	if (event)
		check_goods(check, object, shape, path);
	else
		check_pairs(check, object, shape, path);
}

/* Raises the refusal that names the first problem, and the others in its detail. */
static void
refuse(const Check *check)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfo(&detail, "EPCIS 2.0 JSON schema, definition \"%s\".", check->definition);
	for (int i = 1; i < check->count; i++)
		appendStringInfo(&detail, "%s%s", i == 1 ? " Also at " : "; ", check->problems[i]);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("EPCIS document refused at %s", check->problems[0]),
					errdetail_internal("%s", detail.data)));
}

/* Checks a document: an EPCISDocument, an EPCISQueryDocument, or one event with its context. */
void
qg_epcis_check(Jsonb *document)
{
	Check check = {0};
	JsonbValue space;
	JsonbValue context;
	JsonbValue *type;
	QgEpcisPath type_path = {NULL, "type", 4, 0};
	QgEpcisPath context_path = {NULL, "@context", 8, 0};
	const char *name = "";
	int length = 0;

	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("EPCIS document refused at $: expected an object")));
	type = qg_epcis_get(&document->root, "type", &space);
	if (type != NULL && type->type == jbvString)
	{
		name = type->val.string.val;
		length = type->val.string.len;
	}
	if (length == 13 && memcmp(name, "EPCISDocument", 13) == 0)
		check_object(&check, &document->root, &qg_epcis_document_shape, NULL);
	else if (length == 18 && memcmp(name, "EPCISQueryDocument", 18) == 0)
		check_object(&check, &document->root, &qg_epcis_query_shape, NULL);
	else if (type == NULL || event_type(name, length) == 0)
		problem(&check, &type_path, &qg_epcis_document_shape,
				"EPCISDocument, EPCISQueryDocument or an event type", type);
	else
	{
		if (qg_epcis_get(&document->root, "@context", &context) == NULL)
			problem(&check, &context_path, &qg_epcis_event_shape, "a value, which is required",
					NULL);
		check_object(&check, &document->root, &qg_epcis_event_shape, NULL);
	}
	if (check.count > 0)
		refuse(&check);
}
