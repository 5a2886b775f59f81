/*
 * sale_write.c
 *		Writing sales by the thousand.
 *
 * A batch is one statement over arrays, prepared once a backend for each set of mapped fields: what
 * a table does not map is left as it is, since somebody else may know it.  A sale that is there
 * already is brought up to date, and not written where nothing differs.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/guard.h"
#include "trace/sale.h"

/* How a field is passed and kept. */
typedef struct Field
{
	const char *column;
	const char *cast;
	Oid type;
	Oid array;
	int16 length;
	bool byval;
	char align;
} Field;

#define TEXT_FIELD(name)                                         \
	{                                                            \
		name, "", TEXTOID, TEXTARRAYOID, -1, false, TYPALIGN_INT \
	}

static const Field fields[QG_SALE_FIELDS] = {
	TEXT_FIELD("merchant_id"),
	TEXT_FIELD("order_id"),
	TEXT_FIELD("line"),
	TEXT_FIELD("state"),
	{"quantity", "", NUMERICOID, NUMERICARRAYOID, -1, false, TYPALIGN_INT},
	{"gtin", "::quality_gov.gtin", INT8OID, INT8ARRAYOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
	TEXT_FIELD("lot_code"),
	TEXT_FIELD("serial"),
	TEXT_FIELD("product"),
	TEXT_FIELD("model"),
	TEXT_FIELD("buyer"),
	TEXT_FIELD("ship_from"),
	{"shipped_at", "", TIMESTAMPTZOID, TIMESTAMPTZARRAYOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
	{"sold_at", "", TIMESTAMPTZOID, TIMESTAMPTZARRAYOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE}};

#define KEY_MASK (QG_SALE_BIT(QG_SALE_KEYS) - 1)
/* Every sale has a key and a state. */
#define FIXED_MASK (KEY_MASK | QG_SALE_BIT(QG_SALE_STATE))
/* What says that the table maps a state, beside the fields that are passed. */
#define STATE_MAPPED QG_SALE_BIT(QG_SALE_FIELDS)

/* A statement that was prepared. */
typedef struct Prepared
{
	uint32 mask; /* 0: cancels */
	SPIPlanPtr plan;
	struct Prepared *next;
} Prepared;

static Prepared *prepared = NULL;

/* Begins a batch that leaves alone what the transaction wrote from a command on. */
QgSaleBatch *
qg_sale_batch(CommandId since)
{
	QgSaleBatch *batch = palloc0(sizeof(QgSaleBatch));

	batch->context = AllocSetContextCreate(CurrentMemoryContext, "quality_gov sales",
										   ALLOCSET_DEFAULT_SIZES);
	batch->since = since;
	batch->max = 64;
	batch->sales = palloc(sizeof(QgSale) * batch->max);
	return batch;
}

/* Adds a sale; the caller sees to it that its values last. */
void
qg_sale_add(QgSaleBatch *batch, const QgSale *sale)
{
	if (batch->count == batch->max)
	{
		batch->max *= 2;
		batch->sales = repalloc_huge(batch->sales, sizeof(QgSale) * batch->max);
	}
	batch->sales[batch->count++] = *sale;
}

/* Ends a batch. */
void
qg_sale_batch_end(QgSaleBatch *batch)
{
	MemoryContextDelete(batch->context);
	pfree(batch->sales);
	pfree(batch);
}

/* Appends the columns of a mask, each with what stands before and after it. */
static void
append_columns(StringInfo sql, uint32 mask, const char *before, bool cast)
{
	bool first = true;

	for (int i = 0; i < QG_SALE_FIELDS; i++)
	{
		if (!(mask & QG_SALE_BIT(i)))
			continue;
		appendStringInfo(sql, "%s%s%s%s", first ? "" : ", ", before, fields[i].column,
						 cast ? fields[i].cast : "");
		first = false;
	}
}

/*
 * Appends the arrays of a mask as parameters, with the place of each row, and gives their number.
 * Only the bare name unnest takes several; the search path is pinned.
 */
static int
append_arrays(StringInfo sql, uint32 mask, Oid *types)
{
	int n = 0;

	appendStringInfoString(sql, "unnest(");
	for (int i = 0; i < QG_SALE_FIELDS; i++)
	{
		if (!(mask & QG_SALE_BIT(i)))
			continue;
		types[n++] = fields[i].array;
		appendStringInfo(sql, "%s$%d", n > 1 ? ", " : "", n);
	}
	appendStringInfoString(sql, ") WITH ORDINALITY AS u(");
	append_columns(sql, mask, "", false);
	appendStringInfoString(sql, ", place)");
	return n;
}

/* Writes the statement that inserts sales or brings them up to date. */
static int
upsert_sql(StringInfo sql, uint32 mask, Oid *types)
{
	/* A table that tells no state tells only that goods were shipped. */
	const char *state = mask & STATE_MAPPED
							? "EXCLUDED.state"
							: "CASE WHEN s.state IN ('open', 'cancelled') THEN EXCLUDED.state "
							  "ELSE s.state END";
	uint32 told = mask & (QG_SALE_BIT(QG_SALE_FIELDS) - 1);
	uint32 rest = told & ~FIXED_MASK;
	int n;

	appendStringInfoString(sql, "INSERT INTO quality_gov.sale AS s (sold_at, ");
	append_columns(sql, told & ~QG_SALE_BIT(QG_SALE_AT), "", false);
	appendStringInfo(sql, ") SELECT %s %s, ",
					 mask & QG_SALE_REPEATED ? "DISTINCT ON (u.merchant_id, u.order_id, u.line)"
											 : "",
					 told & QG_SALE_BIT(QG_SALE_AT) ? "u.sold_at" : "pg_catalog.now()");
	append_columns(sql, told & ~QG_SALE_BIT(QG_SALE_AT), "u.", true);
	appendStringInfoString(sql, " FROM ");
	n = append_arrays(sql, told, types);
	types[n++] = CIDOID;
	if (mask & QG_SALE_REPEATED)
		appendStringInfoString(sql, " ORDER BY u.merchant_id, u.order_id, u.line, u.place DESC");
	appendStringInfo(sql,
					 " ON CONFLICT ON CONSTRAINT sale_pkey DO UPDATE "
					 "SET changed_at = EXCLUDED.changed_at, state = %s",
					 state);
	for (int i = 0; i < QG_SALE_FIELDS; i++)
		if (rest & QG_SALE_BIT(i))
			appendStringInfo(sql, ", %s = EXCLUDED.%s", fields[i].column, fields[i].column);
	appendStringInfoString(sql, " WHERE (ROW(s.state");
	appendStringInfoString(sql, rest != 0 ? ", " : "");
	append_columns(sql, rest, "s.", false);
	appendStringInfo(sql, ") IS DISTINCT FROM ROW(%s%s", state, rest != 0 ? ", " : "");
	append_columns(sql, rest, "EXCLUDED.", false);
	appendStringInfo(sql, ")) AND NOT quality_gov.row_written_since(s.xmin, s.cmin, $%d)", n);
	return n;
}

/*
 * Writes the statement that cancels sales.  What a buyer holds was sold, whatever became of the row,
 * but for a row that has become another sale.
 */
static int
cancel_sql(StringInfo sql, Oid *types)
{
	int n;

	appendStringInfoString(sql, "UPDATE quality_gov.sale s SET state = 'cancelled', "
								"changed_at = pg_catalog.now() FROM ");
	n = append_arrays(sql, KEY_MASK, types);
	types[n++] = CIDOID;
	types[n++] = BOOLOID;
	appendStringInfo(sql,
					 " WHERE s.merchant_id = u.merchant_id AND s.order_id = u.order_id "
					 "AND s.line = u.line AND s.state <> 'cancelled' "
					 "AND ($%d OR s.state IN ('open', 'shipped')) "
					 "AND NOT quality_gov.row_written_since(s.xmin, s.cmin, $%d)",
					 n, n - 1);
	return n;
}

/* Gives the statement of a mask, 0 for the one that cancels; inside SPI, as owner. */
static SPIPlanPtr
get_plan(uint32 mask)
{
	Oid types[QG_SALE_FIELDS + 2];
	StringInfoData sql;
	Prepared *entry;
	int n;

	for (entry = prepared; entry != NULL; entry = entry->next)
		if (entry->mask == mask)
			return entry->plan;
	initStringInfo(&sql);
	n = mask != 0 ? upsert_sql(&sql, mask, types) : cancel_sql(&sql, types);
	entry = MemoryContextAllocZero(TopMemoryContext, sizeof(Prepared));
	entry->mask = mask;
	/* How long the arrays are changes nothing worth planning anew for. */
	entry->plan = SPI_prepare_cursor(sql.data, n, types, CURSOR_OPT_GENERIC_PLAN);
	if (entry->plan == NULL || SPI_keepplan(entry->plan) != 0)
		elog(ERROR, "could not prepare the sales");
	entry->next = prepared;
	prepared = entry;
	return entry->plan;
}

/* Gives one field of several sales as an array. */
static Datum
array_of(const QgSale *sales, int count, int field)
{
	Datum *values = palloc(sizeof(Datum) * count);
	bool *nulls = palloc(sizeof(bool) * count);
	int lower = 1;

	for (int i = 0; i < count; i++)
	{
		values[i] = sales[i].values[field];
		nulls[i] = sales[i].nulls[field];
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &count, &lower, fields[field].type,
											  fields[field].length, fields[field].byval,
											  fields[field].align));
}

/* Executes the statement of a mask over sales that have the same, as the owner. */
static void
execute(uint32 mask, const QgSale *sales, int count, CommandId since, bool moved)
{
	uint32 told = mask != 0 ? mask & (QG_SALE_BIT(QG_SALE_FIELDS) - 1) : KEY_MASK;
	Datum values[QG_SALE_FIELDS + 2];
	QgOwner owner;
	int n = 0;
	int result;

	for (int i = 0; i < QG_SALE_FIELDS; i++)
		if (told & QG_SALE_BIT(i))
			values[n++] = array_of(sales, count, i);
	values[n++] = CommandIdGetDatum(since);
	values[n++] = BoolGetDatum(moved); /* heard by the statement that cancels only */
	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	result = SPI_execute_plan(get_plan(mask), values, NULL, false, 0);
	if (result < 0)
		elog(ERROR, "could not write the sales: %s", SPI_result_code_string(result));
	SPI_finish();
	qg_owner_end(&owner);
}

/* Gives the mask of the statement that a sale is written by. */
static uint32
statement_mask(const QgSale *sale)
{
	uint32 mask = sale->mask | FIXED_MASK;

	return sale->mask & QG_SALE_BIT(QG_SALE_STATE) ? mask | STATE_MAPPED : mask;
}

/* Writes the sales of a batch and empties it. */
void
qg_sales_write(QgSaleBatch *batch)
{
	MemoryContext caller = MemoryContextSwitchTo(batch->context);

	for (int from = 0, to; from < batch->count; from = to)
	{
		uint32 mask = statement_mask(&batch->sales[from]);

		for (to = from + 1; to < batch->count; to++)
			if (statement_mask(&batch->sales[to]) != mask)
				break;
		execute(mask, &batch->sales[from], to - from, batch->since, false);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(batch->context);
	batch->count = 0;
}

/* Cancels the sales of a batch, also those delivered where their rows have moved, and empties it. */
void
qg_sales_cancel(QgSaleBatch *batch, bool moved)
{
	MemoryContext caller = MemoryContextSwitchTo(batch->context);

	if (batch->count > 0)
		execute(0, batch->sales, batch->count, batch->since, moved);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(batch->context);
	batch->count = 0;
}
