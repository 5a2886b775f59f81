/*
 * element.h
 *		Lists of GS1 element strings: application identifiers and their values.
 */
#ifndef QG_ELEMENT_H
#define QG_ELEMENT_H

#include "quality_gov.h"

/* More elements than this no symbol can hold. */
#define QG_ELEMENTS_MAX 64
#define QG_ELEMENT_VALUE_MAX 90
/* A link longer than this is no link. */
#define QG_LINK_MAX 2048

typedef struct QgElement
{
	char ai[5];
	char value[QG_ELEMENT_VALUE_MAX + 1];
} QgElement;

typedef struct QgElements
{
	int n;
	int npath; /* how many of them, from the first, the path of a link gave */
	QgElement items[QG_ELEMENTS_MAX];
} QgElements;

/* An error message and its detail, or NULL; the parsers need nothing of the server. */
typedef struct QgElementError
{
	const char *message;
	char ai[5];
	int expected; /* check digit or length, -1 where it is about neither */
} QgElementError;

extern int qg_ai_digits(const char *text, int length);
extern bool qg_element_add(QgElements *list, const char *ai, int ailen, const char *value,
						   int length, QgElementError *error);
extern bool qg_elements_parse(const char *text, int length, QgElements *list,
							  QgElementError *error);
extern const QgElement *qg_elements_find(const QgElements *list, const char *ai);
extern void qg_elements_write(const QgElements *list, bool bracketed, StringInfo out);
extern bool qg_link_parse(const char *uri, int length, QgElements *list, QgElementError *error);
extern void qg_link_write(const QgElements *list, const char *resolver, StringInfo out);

#endif
