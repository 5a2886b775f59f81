/*
 * epcis.h
 *		EPCIS 2.0 documents: what their texts say, and the vocabularies of the CBV.
 */
#ifndef QG_EPCIS_H
#define QG_EPCIS_H

#include "quality_gov.h"

#include "utils/jsonb.h"

/* Serials and lots have at most 20 characters (GS1 AI 10 and 21). */
#define QG_EPC_VALUE_MAX 20
#define QG_EPC_KEY_MAX 128
#define QG_EPCIS_DIGEST 32

/* What an identifier of goods says. */
typedef struct QgEpc
{
	int64 gtin; /* 0 where it has none */
	char lot[QG_EPC_VALUE_MAX + 1];
	char serial[QG_EPC_VALUE_MAX + 1];
	char key[QG_EPC_KEY_MAX]; /* one spelling for URN and link; empty: the URI itself */
} QgEpc;

/* A step into a document; the steps lead from the innermost up. */
typedef struct QgEpcisPath
{
	const struct QgEpcisPath *up;
	const char *key; /* NULL: an element of a list */
	int length;
	int index;
} QgEpcisPath;

typedef enum QgEpcisVocabulary
{
	QG_EPCIS_BIZ_STEP,
	QG_EPCIS_DISPOSITION,
	QG_EPCIS_TRANSACTION,
	QG_EPCIS_PARTY,
	QG_EPCIS_REASON,
	QG_EPCIS_COMPONENT,
	QG_EPCIS_ALERT
} QgEpcisVocabulary;

/* A term: a word of the standard, a URI of somebody's own, or neither. */
typedef enum QgEpcisTerm
{
	QG_EPCIS_WORD,
	QG_EPCIS_OWN,
	QG_EPCIS_UNKNOWN
} QgEpcisTerm;

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

/* epcis_text.c */
extern bool qg_epcis_is_uri(const char *text, int length);
extern bool qg_epcis_is_name(const char *text, int length);
extern bool qg_epcis_time(const char *text, int length, int64 *microseconds);
extern bool qg_epcis_date(const char *text, int length, int32 *days);
extern bool qg_epcis_zone(const char *text, int length);
/* epcis_epc.c */
extern const char *qg_epc_parse(const char *uri, int length, QgEpc *epc);
/* epcis_vocabulary.c */
extern QgEpcisTerm qg_epcis_term(QgEpcisVocabulary vocabulary, const char *text, int length,
								 const char **word);
extern const char *qg_epcis_vocabulary_name(QgEpcisVocabulary vocabulary);
extern bool qg_epcis_attribute(const char *key, int length, const char *name);
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
