/*
 * epcis_shape.c
 *		The objects of EPCIS 2.0 documents, field by field (GS1 EPCIS-JSON-Schema.json).
 *
 * In four places documents that GS1 and others publish as valid go beyond the schema, and the text of
 * the standard decides: a quantity may be left out where it is not known (QuantityElement), error
 * declarations and sensor elements may be extended, a sensor report that is an exception needs no
 * type of measurement, and those types are the GS1 web vocabulary's, which grows, so that any word
 * is taken.
 */
#include "quality_gov.h"

#include "trace/epcis_shape.h"

#define SHAPE(others, definition, fields)            \
	{                                                \
		definition, others, fields, lengthof(fields) \
	}
#define FIELD(name, kind, ...)            \
	{                                     \
		name, QG_KIND_##kind, __VA_ARGS__ \
	}

static const QgEpcisField quantity_fields[] = {FIELD("epcClass", EPC, .required = true),
											   FIELD("quantity", AMOUNT, .list = false),
											   FIELD("uom", UNIT, .list = false)};
const QgEpcisShape qg_epcis_quantity_shape = SHAPE(QG_OTHERS_NAMESPACED, "quantityElement",
												   quantity_fields);

static const QgEpcisField transaction_fields[] = {
	FIELD("type", TERM, .vocabulary = QG_EPCIS_TRANSACTION),
	FIELD("bizTransaction", URI, .required = true)};
static const QgEpcisShape transaction = SHAPE(QG_OTHERS_NAMESPACED, "bizTransaction",
											  transaction_fields);

static const QgEpcisField source_fields[] = {
	FIELD("type", TERM, .required = true, .vocabulary = QG_EPCIS_PARTY),
	FIELD("source", URI, .required = true)};
static const QgEpcisShape source = SHAPE(QG_OTHERS_NONE, "source", source_fields);

static const QgEpcisField destination_fields[] = {
	FIELD("type", TERM, .required = true, .vocabulary = QG_EPCIS_PARTY),
	FIELD("destination", URI, .required = true)};
static const QgEpcisShape destination = SHAPE(QG_OTHERS_NONE, "destination", destination_fields);

static const QgEpcisField place_fields[] = {FIELD("id", URI, .required = true)};
static const QgEpcisShape read_point = SHAPE(QG_OTHERS_NAMESPACED, "readPoint", place_fields);
static const QgEpcisShape biz_location = SHAPE(QG_OTHERS_NAMESPACED, "bizLocation", place_fields);

static const QgEpcisField persistent_fields[] = {
	FIELD("set", TERM, .list = true, .vocabulary = QG_EPCIS_DISPOSITION),
	FIELD("unset", TERM, .list = true, .vocabulary = QG_EPCIS_DISPOSITION)};
static const QgEpcisShape persistent = SHAPE(QG_OTHERS_NAMESPACED, "persistentDisposition",
											 persistent_fields);

static const QgEpcisField error_fields[] = {FIELD("declarationTime", TIME, .required = true),
											FIELD("reason", TERM, .vocabulary = QG_EPCIS_REASON),
											FIELD("correctiveEventIDs", URI, .list = true)};
static const QgEpcisShape error = SHAPE(QG_OTHERS_NAMESPACED, "errorDeclaration", error_fields);

static const QgEpcisField metadata_fields[] = {FIELD("time", TIME, .list = false),
											   FIELD("startTime", TIME, .list = false),
											   FIELD("endTime", TIME, .list = false),
											   FIELD("deviceID", URI, .list = false),
											   FIELD("deviceMetadata", URI, .list = false),
											   FIELD("rawData", URI, .list = false),
											   FIELD("dataProcessingMethod", URI, .list = false),
											   FIELD("bizRules", URI, .list = false)};
static const QgEpcisShape metadata = SHAPE(QG_OTHERS_NAMESPACED, "sensorMetadata", metadata_fields);

static const QgEpcisField report_fields[] = {
	FIELD("type", NAME, .list = false),
	FIELD("exception", TERM, .vocabulary = QG_EPCIS_ALERT),
	FIELD("component", TERM, .vocabulary = QG_EPCIS_COMPONENT),
	FIELD("time", TIME, .list = false),
	FIELD("deviceID", URI, .list = false),
	FIELD("deviceMetadata", URI, .list = false),
	FIELD("rawData", URI, .list = false),
	FIELD("dataProcessingMethod", URI, .list = false),
	FIELD("bizRules", URI, .list = false),
	FIELD("coordinateReferenceSystem", URI, .list = false),
	FIELD("microorganism", URI, .list = false),
	FIELD("chemicalSubstance", URI, .list = false),
	FIELD("uriValue", URI, .list = false),
	FIELD("value", NUMBER, .list = false),
	FIELD("minValue", NUMBER, .list = false),
	FIELD("maxValue", NUMBER, .list = false),
	FIELD("meanValue", NUMBER, .list = false),
	FIELD("sDev", NUMBER, .list = false),
	FIELD("percRank", NUMBER, .list = false),
	FIELD("percValue", NUMBER, .list = false),
	FIELD("stringValue", STRING, .list = false),
	FIELD("booleanValue", BOOLEAN, .list = false),
	FIELD("hexBinaryValue", HEX, .list = false),
	FIELD("uom", STRING, .list = false)};
const QgEpcisShape qg_epcis_report_shape = SHAPE(QG_OTHERS_NAMESPACED, "sensorReport",
												 report_fields);

static const QgEpcisField sensor_fields[] = {
	FIELD("sensorMetadata", OBJECT, .shape = &metadata),
	FIELD("sensorReport", OBJECT, .list = true, .required = true, .shape = &qg_epcis_report_shape)};
static const QgEpcisShape sensor = SHAPE(QG_OTHERS_NAMESPACED, "sensorElement", sensor_fields);

/* Master data of instances and lots is all extension, thus needs namespaces. */
const QgEpcisShape qg_epcis_ilmd_shape = {"ilmd", QG_OTHERS_NAMESPACED, NULL, 0};

#define NOT_OWN (QG_EVENT_ALL & ~QG_EVENT_OWN)
#define PARENTS (QG_EVENT_AGGREGATION | QG_EVENT_ASSOCIATION)
#define GOODS (QG_EVENT_OBJECT | QG_EVENT_TRANSACTION)

/* The fields of all events, and of which; what a type needs beyond them epcis_check.c knows. */
static const QgEpcisField event_fields[] = {
	FIELD("type", TYPE, .required = true, .types = QG_EVENT_ALL),
	FIELD("@context", CONTEXT, .types = QG_EVENT_ALL),
	FIELD("eventID", URI, .types = QG_EVENT_ALL),
	FIELD("eventTime", TIME, .required = true, .types = QG_EVENT_ALL),
	FIELD("eventTimeZoneOffset", ZONE, .required = true, .types = QG_EVENT_ALL),
	FIELD("recordTime", TIME, .types = QG_EVENT_ALL),
	FIELD("certificationInfo", URIS, .types = QG_EVENT_ALL),
	FIELD("errorDeclaration", OBJECT, .types = QG_EVENT_ALL, .shape = &error),
	FIELD("action", ACTION, .required = true, .types = NOT_OWN & ~QG_EVENT_TRANSFORMATION),
	FIELD("bizStep", TERM, .types = NOT_OWN, .vocabulary = QG_EPCIS_BIZ_STEP),
	FIELD("disposition", TERM, .types = NOT_OWN, .vocabulary = QG_EPCIS_DISPOSITION),
	FIELD("persistentDisposition", OBJECT, .types = NOT_OWN, .shape = &persistent),
	FIELD("readPoint", OBJECT, .types = NOT_OWN, .shape = &read_point),
	FIELD("bizLocation", OBJECT, .types = NOT_OWN, .shape = &biz_location),
	FIELD("bizTransactionList", OBJECT, .list = true, .types = NOT_OWN, .shape = &transaction),
	FIELD("sourceList", OBJECT, .list = true, .types = NOT_OWN, .shape = &source),
	FIELD("destinationList", OBJECT, .list = true, .types = NOT_OWN, .shape = &destination),
	FIELD("sensorElementList", OBJECT, .list = true, .types = NOT_OWN, .shape = &sensor),
	FIELD("epcList", EPC, .list = true, .types = GOODS),
	FIELD("quantityList", OBJECT, .list = true, .types = GOODS, .shape = &qg_epcis_quantity_shape),
	FIELD("parentID", EPC, .types = PARENTS | QG_EVENT_TRANSACTION),
	FIELD("childEPCs", EPC, .list = true, .types = PARENTS),
	FIELD("childQuantityList", OBJECT, .list = true, .types = PARENTS,
		  .shape = &qg_epcis_quantity_shape),
	FIELD("inputEPCList", EPC, .list = true, .types = QG_EVENT_TRANSFORMATION),
	FIELD("outputEPCList", EPC, .list = true, .types = QG_EVENT_TRANSFORMATION),
	FIELD("inputQuantityList", OBJECT, .list = true, .types = QG_EVENT_TRANSFORMATION,
		  .shape = &qg_epcis_quantity_shape),
	FIELD("outputQuantityList", OBJECT, .list = true, .types = QG_EVENT_TRANSFORMATION,
		  .shape = &qg_epcis_quantity_shape),
	FIELD("transformationID", URI, .types = QG_EVENT_TRANSFORMATION),
	FIELD("ilmd", OBJECT, .types = QG_EVENT_OBJECT | QG_EVENT_TRANSFORMATION,
		  .shape = &qg_epcis_ilmd_shape)};
const QgEpcisShape qg_epcis_event_shape = SHAPE(QG_OTHERS_NAMESPACED, "Event", event_fields);

static const QgEpcisField body_fields[] = {
	FIELD("eventList", OBJECT, .list = true, .required = true, .shape = &qg_epcis_event_shape)};
static const QgEpcisShape body = SHAPE(QG_OTHERS_ANY, "epcisDocument", body_fields);
static const QgEpcisShape results_body = SHAPE(QG_OTHERS_ANY, "resultsBody", body_fields);

static const QgEpcisField header_fields[] = {FIELD("epcisMasterData", ANY, .list = false)};
static const QgEpcisShape header = SHAPE(QG_OTHERS_ANY, "epcisHeader", header_fields);

static const QgEpcisField document_fields[] = {
	FIELD("@context", CONTEXT, .required = true), FIELD("schemaVersion", STRING, .required = true),
	FIELD("creationDate", TIME, .required = true), FIELD("epcisHeader", OBJECT, .shape = &header),
	FIELD("epcisBody", OBJECT, .required = true, .shape = &body)};
const QgEpcisShape qg_epcis_document_shape = SHAPE(QG_OTHERS_ANY, "epcisDocument", document_fields);

static const QgEpcisField results_fields[] = {
	FIELD("queryName", STRING, .list = false), FIELD("subscriptionID", STRING, .list = false),
	FIELD("resultsBody", OBJECT, .required = true, .shape = &results_body)};
static const QgEpcisShape results = SHAPE(QG_OTHERS_ANY, "queryResults", results_fields);

static const QgEpcisField query_body_fields[] = {
	FIELD("queryResults", OBJECT, .required = true, .shape = &results)};
static const QgEpcisShape query_body = SHAPE(QG_OTHERS_ANY, "epcisQueryDocumentBody",
											 query_body_fields);

static const QgEpcisField query_fields[] = {
	FIELD("@context", CONTEXT, .required = true), FIELD("creationDate", TIME, .list = false),
	FIELD("epcisBody", OBJECT, .required = true, .shape = &query_body)};
const QgEpcisShape qg_epcis_query_shape = SHAPE(QG_OTHERS_ANY, "epcisQueryDocument", query_fields);
