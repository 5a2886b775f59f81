/*
 * jcs.h
 *		Canonical JSON (RFC 8785), for digests and signatures.
 */
#ifndef QG_JCS_H
#define QG_JCS_H

#include "quality_gov.h"

#include "utils/jsonb.h"

/* Room for any number: sign, "0.", five zeros, 17 digits, and a terminating zero byte. */
#define QG_JCS_NUMBER_SIZE 32

/* How an object's own members are changed as it is written. */
typedef struct QgJcsEdit
{
	const char *drop;	 /* a member that is left out, or NULL */
	const char *replace; /* a member whose value is replaced, or NULL */
	const char *by;		 /* by this canonical JSON */
	int bylength;
} QgJcsEdit;

extern void qg_jcs(Jsonb *document, StringInfo out);
extern void qg_jcs_lenient(Jsonb *document, StringInfo out);
extern void qg_jcs_string(StringInfo out, const char *text, int length);
extern bool qg_jcs_try(JsonbContainer *container, const QgJcsEdit *edit, StringInfo out);

extern int qg_jcs_number(const char *decimal, char out[QG_JCS_NUMBER_SIZE], bool may_fail);
extern int qg_jcs_key_compare(const char *a, size_t alength, const char *b, size_t blength);

#endif
