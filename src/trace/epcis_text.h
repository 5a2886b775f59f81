/*
 * epcis_text.h
 *		What texts in EPCIS 2.0 documents say: forms, identifiers of goods, words of the CBV.  Nothing
 *		of the server is needed for it but its base.
 */
#ifndef QG_EPCIS_TEXT_H
#define QG_EPCIS_TEXT_H

#include "quality_gov.h"

/* Serials and lots have at most 20 characters (GS1 AI 10 and 21). */
#define QG_EPC_VALUE_MAX 20
#define QG_EPC_KEY_MAX 128

/* What an identifier of goods says. */
typedef struct QgEpc
{
	int64 gtin; /* 0 where it has none */
	char lot[QG_EPC_VALUE_MAX + 1];
	char serial[QG_EPC_VALUE_MAX + 1];
	char key[QG_EPC_KEY_MAX]; /* one spelling for URN and link; empty: the URI itself */
} QgEpc;

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

#endif
