/*
 * sale_insert.c
 *		Inserting sales that are new, without a query.
 *
 * An order line that is inserted is mostly one that sale does not know, and a query that inserts one
 * row spends most of its time on being set up.  Here rows go into the table one by one; those whose
 * key is there already, or may be, are left for the query that brings sales up to date.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common/rows.h"
#include "trace/sale.h"

/* The columns of sale that this file knows; changed_at stands last. */
#define SALE_COLUMNS 15

static const char *const columns[SALE_COLUMNS] = {
	"merchant_id", "order_id", "line",	"state",	 "quantity",   "gtin",	  "lot_code",  "serial",
	"product",	   "model",	   "buyer", "ship_from", "shipped_at", "sold_at", "changed_at"};

/* Finds the columns in the table as it is; false where it has others, whose defaults nobody gives. */
static bool
find_columns(TupleDesc desc, AttrNumber *numbers)
{
	if (desc->natts != SALE_COLUMNS)
		return false;
	for (int i = 0; i < SALE_COLUMNS; i++)
	{
		numbers[i] = SPI_fnumber(desc, columns[i]);
		if (numbers[i] <= 0)
			return false;
	}
	return true;
}

/* Inserts a sale; false where its key may be there. */
static bool
insert_sale(QgRows *rows, const AttrNumber *numbers, const QgSale *sale)
{
	Datum now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	Datum values[SALE_COLUMNS];
	bool nulls[SALE_COLUMNS];

	for (int i = 0; i < QG_SALE_FIELDS; i++)
	{
		values[numbers[i] - 1] = sale->values[i];
		nulls[numbers[i] - 1] = sale->nulls[i];
	}
	if (!(sale->mask & QG_SALE_BIT(QG_SALE_AT)))
	{
		values[numbers[QG_SALE_AT] - 1] = now;
		nulls[numbers[QG_SALE_AT] - 1] = false;
	}
	values[numbers[SALE_COLUMNS - 1] - 1] = now;
	nulls[numbers[SALE_COLUMNS - 1] - 1] = false;
	return qg_rows_try_add(rows, values, nulls);
}

/* Inserts those sales of a batch that are new; the others stay in it. */
void
qg_sales_insert(QgSaleBatch *batch)
{
	MemoryContext caller;
	AttrNumber numbers[SALE_COLUMNS];
	QgRows rows;
	int left = 0;

	if (batch->count == 0)
		return;
	/* A temporary table may be written to, and an attachment of it fire, where sale may not. */
	PreventCommandIfReadOnly("INSERT");
	caller = MemoryContextSwitchTo(batch->context);
	qg_rows_open(&rows, "sale");
	if (find_columns(RelationGetDescr(rows.relation), numbers))
	{
		for (int i = 0; i < batch->count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!insert_sale(&rows, numbers, &batch->sales[i]))
				batch->sales[left++] = batch->sales[i];
		}
		batch->count = left;
	}
	qg_rows_close(&rows);
	MemoryContextSwitchTo(caller);
}
