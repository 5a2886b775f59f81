/*
 * sale.h
 *		Sales of a platform's order lines, on their way into sale.
 */
#ifndef QG_SALE_H
#define QG_SALE_H

#include "quality_gov.h"

/* What a sale is made of; the key stands first, texts stand together. */
typedef enum QgSaleField
{
	QG_SALE_MERCHANT,
	QG_SALE_ORDER,
	QG_SALE_LINE,
	QG_SALE_STATE,
	QG_SALE_QUANTITY,
	QG_SALE_GTIN,
	QG_SALE_LOT,
	QG_SALE_SERIAL,
	QG_SALE_PRODUCT,
	QG_SALE_MODEL,
	QG_SALE_BUYER,
	QG_SALE_SHIP_FROM,
	QG_SALE_SHIPPED_AT,
	QG_SALE_AT
} QgSaleField;

#define QG_SALE_KEYS 3
#define QG_SALE_FIELDS 14
#define QG_SALE_STATES 5
#define QG_SALE_BIT(field) ((uint32) 1 << (field))
/* Beside the fields of a mask: nothing keeps two rows of a table from being one sale. */
#define QG_SALE_REPEATED QG_SALE_BIT(QG_SALE_FIELDS + 1)

/* One sale; values point into memory of the batch that takes it. */
typedef struct QgSale
{
	uint32 mask; /* fields that its table maps */
	Datum values[QG_SALE_FIELDS];
	bool nulls[QG_SALE_FIELDS];
} QgSale;

/* Sales of one statement that are written together. */
typedef struct QgSaleBatch
{
	MemoryContext context; /* of what the sales point to, reset when they are written */
	CommandId since;	   /* what the transaction wrote from this command on stays */
	int count;
	int max;
	QgSale *sales;
} QgSaleBatch;

extern QgSaleBatch *qg_sale_batch(CommandId since);
extern void qg_sale_add(QgSaleBatch *batch, const QgSale *sale);
extern void qg_sales_insert(QgSaleBatch *batch);
extern void qg_sales_write(QgSaleBatch *batch);
extern void qg_sales_cancel(QgSaleBatch *batch, bool moved);
extern void qg_sale_batch_end(QgSaleBatch *batch);

#endif
