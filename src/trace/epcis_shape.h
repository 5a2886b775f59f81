/*
 * epcis_shape.h
 *		What the objects of an EPCIS document are made of, as tables that epcis_check.c walks.
 */
#ifndef QG_EPCIS_SHAPE_H
#define QG_EPCIS_SHAPE_H

#include "trace/epcis.h"

/* What a value must be. */
typedef enum QgEpcisKind
{
	QG_KIND_ANY,
	QG_KIND_STRING,
	QG_KIND_NUMBER,
	QG_KIND_AMOUNT, /* a number that is not negative */
	QG_KIND_BOOLEAN,
	QG_KIND_HEX,
	QG_KIND_URI,
	QG_KIND_URIS, /* a URI or a list of them */
	QG_KIND_EPC,
	QG_KIND_TIME,
	QG_KIND_ZONE,
	QG_KIND_ACTION,
	QG_KIND_UNIT,
	QG_KIND_NAME, /* a bare word or a URI */
	QG_KIND_TERM, /* of a vocabulary */
	QG_KIND_CONTEXT,
	QG_KIND_TYPE,
	QG_KIND_OBJECT
} QgEpcisKind;

/* Types of events, as bits. */
#define QG_EVENT_OBJECT 1
#define QG_EVENT_AGGREGATION 2
#define QG_EVENT_TRANSACTION 4
#define QG_EVENT_TRANSFORMATION 8
#define QG_EVENT_ASSOCIATION 16
#define QG_EVENT_OWN 32 /* a type of somebody's own, which has the fields that all have */
#define QG_EVENT_ALL 63

struct QgEpcisShape;

typedef struct QgEpcisField
{
	const char *name;
	QgEpcisKind kind;
	bool list;
	bool required;
	int types; /* of events that have the field, 0 for fields of other objects */
	QgEpcisVocabulary vocabulary;
	const struct QgEpcisShape *shape;
} QgEpcisField;

/* Which other keys an object may have. */
typedef enum QgEpcisOthers
{
	QG_OTHERS_NONE,
	QG_OTHERS_NAMESPACED,
	QG_OTHERS_ANY
} QgEpcisOthers;

typedef struct QgEpcisShape
{
	const char *definition; /* in the JSON schema of EPCIS 2.0 */
	QgEpcisOthers others;
	const QgEpcisField *fields;
	int count;
} QgEpcisShape;

extern const QgEpcisShape qg_epcis_document_shape;
extern const QgEpcisShape qg_epcis_query_shape;
extern const QgEpcisShape qg_epcis_event_shape;
extern const QgEpcisShape qg_epcis_quantity_shape;
extern const QgEpcisShape qg_epcis_report_shape;
extern const QgEpcisShape qg_epcis_ilmd_shape;

#endif
