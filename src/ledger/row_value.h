/*
 * row_value.h
 *		Values of a platform's table as JSON that depends on no setting.
 */
#ifndef QG_ROW_VALUE_H
#define QG_ROW_VALUE_H

#include "quality_gov.h"

#include "fmgr.h"
#include "utils/jsonb.h"

/* How a type's values are written. */
typedef struct QgValueType
{
	Oid type; /* without domains; InvalidOid: by the output function */
	FmgrInfo output;
	struct QgValueType *element; /* of an array, or NULL */
	int16 typlen;				 /* of the element */
	bool typbyval;
	char typalign;
} QgValueType;

extern QgValueType *qg_value_type(Oid declared, bool *pinned);
extern int qg_value_begin(bool pinned);
extern void qg_value_end(int nest);
extern void qg_value_string(JsonbValue *out, char *text);
extern void qg_value_scalar(const QgValueType *type, Datum value, JsonbValue *out);
extern void qg_value_push(JsonbParseState **state, JsonbIteratorToken token,
						  const QgValueType *type, Datum value, bool isnull);
extern Jsonb *qg_value_document(const QgValueType *type, Datum value, bool isnull);

#endif
