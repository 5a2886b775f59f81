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

extern void qg_jcs(Jsonb *document, StringInfo out);
extern void qg_jcs_lenient(Jsonb *document, StringInfo out);
extern void qg_jcs_string(StringInfo out, const char *text, int length);

extern int qg_jcs_number(const char *decimal, bool lenient, char out[QG_JCS_NUMBER_SIZE]);
extern int qg_jcs_key_compare(const char *a, size_t alength, const char *b, size_t blength);

#endif
