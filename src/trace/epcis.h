/*
 * epcis.h
 *		EPCIS 2.0 documents: ways through them, what is checked and what their content is.
 */
#ifndef QG_EPCIS_H
#define QG_EPCIS_H

#include "quality_gov.h"

#include "utils/jsonb.h"

#include "trace/epcis_text.h"

#define QG_EPCIS_DIGEST 32

/* A step into a document; the steps lead from the innermost up. */
typedef struct QgEpcisPath
{
	const struct QgEpcisPath *up;
	const char *key; /* NULL: an element of a list */
	int length;
	int index;
} QgEpcisPath;

/* Master data of goods that an event brings into being. */
typedef struct QgEpcisIlmd
{
	JsonbValue lot; /* jbvNull where it names none */
	bool has_made;
	bool has_expires;
	int32 made; /* days from 2000-01-01 */
	int32 expires;
	const char *wrong; /* key of a date that is none */
	int wrong_length;
} QgEpcisIlmd;

/* Events are visited in the order of the document, ordinals from 1. */
typedef void (*QgEpcisVisit)(JsonbValue *event, int ordinal, void *arg);

/* epcis_check.c */
extern void qg_epcis_check(Jsonb *document);
/* epcis_document.c */
extern JsonbValue *qg_epcis_get(JsonbContainer *object, const char *key, JsonbValue *space);
extern JsonbValue *qg_epcis_text(JsonbContainer *object, const char *key, JsonbValue *space);
extern JsonbContainer *qg_epcis_inner(JsonbContainer *object, const char *key);
extern void qg_epcis_ilmd(JsonbContainer *ilmd, QgEpcisIlmd *result);
extern const char *qg_epcis_place(Jsonb *document);
extern void qg_epcis_each(Jsonb *document, QgEpcisVisit visit, void *arg);
/* epcis_content.c */
extern Jsonb *qg_epcis_content(JsonbContainer *document, JsonbContainer *event,
							   uint8 digest[QG_EPCIS_DIGEST], uint8 undeclared[QG_EPCIS_DIGEST]);

#endif
