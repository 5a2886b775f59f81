/*
 * row_image.h
 *		Rows of a platform's table as JSON that depends on no setting.
 */
#ifndef QG_ROW_IMAGE_H
#define QG_ROW_IMAGE_H

#include "quality_gov.h"

#include "utils/jsonb.h"
#include "utils/rel.h"

/* How a column's values are written. */
typedef struct QgImageColumn
{
	char *name;
	int attnum;
	bool key;		/* of the primary key */
	bool sensitive; /* only a commitment to its value is written */
	struct QgValueType *type;
} QgImageColumn;

/* How a table's rows are written; made once for a trigger. */
typedef struct QgImage
{
	int ncolumns;
	QgImageColumn *columns;
	int nkeys;
	int keys[INDEX_MAX_KEYS]; /* columns of the key, in its order, which partitions share */
	bool pinned;			  /* some column is written by its type, under pinned settings */
	bool sensitive;
} QgImage;

/* A value that an entry only commits to. */
typedef struct QgSecret
{
	const char *field;
	bytea *salt;
	Jsonb *value;
	struct QgSecret *next;
} QgSecret;

/* A row, taken apart. */
typedef struct QgImageRow
{
	Datum *values;
	bool *nulls;
} QgImageRow;

/* What an entry says of a row beside its key. */
typedef enum QgImageKind
{
	QG_IMAGE_KEY,
	QG_IMAGE_ROW,
	QG_IMAGE_DIGEST
} QgImageKind;

extern QgImage *qg_image_make(Relation relation, char **sensitive, int nsensitive);
extern Oid qg_image_key_index(Relation relation);
extern Jsonb *qg_image_row(const QgImage *image, const Datum *values, const bool *nulls);
extern Jsonb *qg_image_body(const QgImage *image, char *label, const QgImageRow *row,
							const QgImageRow *before, QgImageKind kind, QgSecret **secrets);
extern Jsonb *qg_image_table_body(char *label);
extern text *qg_image_subject(const QgImage *image, const char *label, const QgImageRow *row);
extern bool qg_image_same_key(const QgImage *image, TupleDesc desc, const QgImageRow *a,
							  const QgImageRow *b);

#endif
