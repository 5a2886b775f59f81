/*
 * sale_attach.c
 *		The trigger that keeps the sales of a platform's own table of order lines.
 *
 * It is C because it sits on the hot path of other people's tables: a statement's rows are read from
 * its transition tables and written by one upsert for each thousand, and a row whose mapped columns
 * did not change costs a comparison.  A partition named in a statement has statement triggers of its
 * own only, so it is attached by itself where platforms write to partitions by name.
 *
 * Rows are read with the caller's rights, and written with the owner's.  Triggers of the platform
 * may change a row in a statement of their own before the one that wrote it has ended; what that
 * wrote to sale is the newer state and stays (row_written_since).
 */
#include "quality_gov.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common/guard.h"
#include "trace/sale.h"

/* So many rows are written together. */
#define TOGETHER 2000

/* What is said of all rows of an attached table; kept with the mapping of its trigger. */
typedef struct Attached
{
	const QgColumn *columns[QG_SALE_FIELDS];
	uint32 mask; /* fields that are mapped */
	Datum states[QG_SALE_STATES];
} Attached;

static const char *const keys[QG_SALE_FIELDS] = {
	"merchant_id", "order_id", "line",	"state", "quantity",  "gtin",		"lot",
	"serial",	   "product",  "model", "buyer", "ship_from", "shipped_at", "at"};

static const char *const states[QG_SALE_STATES] = {"open", "shipped", "delivered", "returned",
												   "cancelled"};

/* Gives what an attachment says, parsed again only after the table has changed. */
static const Attached *
get_attached(TriggerData *trigger)
{
	QgMapping *mapping = qg_mapping_get(trigger);
	MemoryContext caller;
	Attached *attached;

	if (mapping->extra != NULL)
		return mapping->extra;
	caller = MemoryContextSwitchTo(mapping->context);
	attached = palloc0(sizeof(Attached));
	for (int i = 0; i < QG_SALE_FIELDS; i++)
	{
		attached->columns[i] = qg_mapping_column(mapping, keys[i]);
		if (attached->columns[i] != NULL)
			attached->mask |= QG_SALE_BIT(i);
		/* Uniqueness of what lies inside jsonb is not looked into. */
		if (i < QG_SALE_KEYS && attached->columns[i] != NULL &&
			attached->columns[i]->path.nsteps > 0)
			attached->mask |= QG_SALE_REPEATED;
	}
	for (int i = 0; i < QG_SALE_STATES; i++)
		attached->states[i] = CStringGetTextDatum(states[i]);
	MemoryContextSwitchTo(caller);
	mapping->extra = attached;
	return attached;
}

/* Tells whether a text is empty or blank. */
static bool
is_blank(const char *text, int length)
{
	for (int i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
			return false;
	return true;
}

/* Reads a mapped value as a text that lasts as long as the row; false for null, blank, unmapped. */
static bool
read_text(const QgColumn *column, HeapTuple row, TupleDesc desc, Datum *value)
{
	bool isnull;
	char *text;

	if (column == NULL)
		return false;
	if (column->path.nsteps == 0 && (column->type == TEXTOID || column->type == VARCHAROID))
	{
		*value = qg_column_datum(column, row, desc, &isnull);
		if (isnull)
			return false;
		*value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(*value));
		return !is_blank(VARDATA_ANY(DatumGetPointer(*value)),
						 (int) VARSIZE_ANY_EXHDR(DatumGetPointer(*value)));
	}
	text = qg_column_text(column, row, desc);
	if (text == NULL || is_blank(text, (int) strlen(text)))
		return false;
	*value = CStringGetTextDatum(text);
	return true;
}

/* Reads a finite instant; false for null and unmapped. */
static bool
read_instant(const QgColumn *column, HeapTuple row, TupleDesc desc, Datum *value)
{
	bool isnull;

	if (column == NULL)
		return false;
	*value = qg_column_datum(column, row, desc, &isnull);
	if (isnull || column->type != TIMESTAMPTZOID)
		return false;
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(*value)))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("\"%s\" in column \"%s\" must be a finite instant", column->key,
							   column->path.column)));
	return true;
}

/* Gives the number of a column, which NaN and infinity are not. */
static Datum
number_of(const QgColumn *column, Datum value, HeapTuple row, TupleDesc desc)
{
	Datum number;

	switch (column->type)
	{
		case NUMERICOID:
			number = PointerGetDatum(PG_DETOAST_DATUM(value));
			break;
		case INT2OID:
			return NumericGetDatum(int64_to_numeric(DatumGetInt16(value)));
		case INT4OID:
			return NumericGetDatum(int64_to_numeric(DatumGetInt32(value)));
		case INT8OID:
			return NumericGetDatum(int64_to_numeric(DatumGetInt64(value)));
		default:
			number = DirectFunctionCall3(numeric_in,
										 CStringGetDatum(qg_column_text(column, row, desc)),
										 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	if (numeric_is_nan(DatumGetNumeric(number)) || numeric_is_inf(DatumGetNumeric(number)))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("\"%s\" in column \"%s\" must be a finite number", column->key,
							   column->path.column)));
	return number;
}

/* Reads the quantity, one where the row names none; false for none at all. */
static bool
read_quantity(const QgColumn *column, HeapTuple row, TupleDesc desc, Datum *value)
{
	bool isnull = true;

	if (column != NULL)
		*value = qg_column_datum(column, row, desc, &isnull);
	if (isnull)
	{
		*value = NumericGetDatum(int64_to_numeric(1));
		return true;
	}
	*value = number_of(column, *value, row, desc);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, *value)) > 0;
}

/* Gives the number of the GTIN that a text spells, or 0. */
static int64
gtin_of(char *spelt)
{
	int64 number = 0;
	int sum = 0;
	int length;
	char *digits = spelt;

	for (char *c = spelt; *c != '\0'; c++)
		if (IS_HIGHBIT_SET(*c))
		{
			/* Full-width digits, say. */
			Datum plain = DirectFunctionCall2(unicode_normalize_func, CStringGetTextDatum(spelt),
											  CStringGetTextDatum("NFKC"));

			digits = TextDatumGetCString(plain);
			break;
		}
	digits += strspn(digits, " ");
	length = (int) strspn(digits, "0123456789");
	if ((length != 8 && (length < 12 || length > 14)) ||
		digits[length + strspn(digits + length, " ")] != '\0')
		return 0;
	for (int i = 0; i < length; i++)
	{
		number = number * 10 + (digits[i] - '0');
		sum += (digits[i] - '0') * ((length - i) % 2 == 0 ? 3 : 1);
	}
	return sum % 10 == 0 ? number : 0;
}

/* Gives our state of a row: what its word stands for, else what the day of shipment tells. */
static Datum
read_state(const QgMapping *mapping, const Attached *attached, HeapTuple row, TupleDesc desc,
		   bool shipped)
{
	const char *word = qg_column_text(attached->columns[QG_SALE_STATE], row, desc);
	const char *found = NULL;

	if (word == NULL)
		return attached->states[shipped ? 1 : 0];
	for (int i = 0; found == NULL && i < mapping->noptions; i++)
		if (strncmp(mapping->option_keys[i], "state ", 6) == 0 &&
			strcmp(mapping->option_keys[i] + 6, word) == 0)
			found = mapping->option_values[i];
	for (int i = 0; i < QG_SALE_STATES; i++)
		if (strcmp(found != NULL ? found : word, states[i]) == 0)
			return attached->states[i];
	/* A word that nobody has mapped leaves the goods where a recall finds them. */
	found = qg_mapping_option(mapping, "state *");
	for (int i = 0; found != NULL && i < QG_SALE_STATES; i++)
		if (strcmp(found, states[i]) == 0)
			return attached->states[i];
	return attached->states[0];
}

/* Reads the key of a row; false where it names no merchant or order. */
static bool
read_key(const Attached *attached, HeapTuple row, TupleDesc desc, QgSale *sale)
{
	if (!read_text(attached->columns[QG_SALE_MERCHANT], row, desc,
				   &sale->values[QG_SALE_MERCHANT]) ||
		!read_text(attached->columns[QG_SALE_ORDER], row, desc, &sale->values[QG_SALE_ORDER]))
		return false;
	if (!read_text(attached->columns[QG_SALE_LINE], row, desc, &sale->values[QG_SALE_LINE]))
		sale->values[QG_SALE_LINE] = CStringGetTextDatum("");
	return true;
}

/* Reads the sale that a row is; false where it is none. */
static bool
read_sale(const QgMapping *mapping, const Attached *attached, HeapTuple row, TupleDesc desc,
		  QgSale *sale)
{
	char *gtin;

	memset(sale->nulls, 0, sizeof(sale->nulls));
	sale->mask = attached->mask;
	if (!read_key(attached, row, desc, sale) ||
		!read_quantity(attached->columns[QG_SALE_QUANTITY], row, desc,
					   &sale->values[QG_SALE_QUANTITY]))
		return false;
	for (int i = QG_SALE_LOT; i <= QG_SALE_SHIP_FROM; i++)
		sale->nulls[i] = !read_text(attached->columns[i], row, desc, &sale->values[i]);
	gtin = qg_column_text(attached->columns[QG_SALE_GTIN], row, desc);
	sale->values[QG_SALE_GTIN] = Int64GetDatum(gtin != NULL ? gtin_of(gtin) : 0);
	sale->nulls[QG_SALE_GTIN] = DatumGetInt64(sale->values[QG_SALE_GTIN]) == 0;
	sale->nulls[QG_SALE_SHIPPED_AT] = !read_instant(attached->columns[QG_SALE_SHIPPED_AT], row,
													desc, &sale->values[QG_SALE_SHIPPED_AT]);
	/* A row that tells no instant is sold now, and stays sold then. */
	if (!read_instant(attached->columns[QG_SALE_AT], row, desc, &sale->values[QG_SALE_AT]))
		sale->mask &= ~QG_SALE_BIT(QG_SALE_AT);
	sale->values[QG_SALE_STATE] = read_state(mapping, attached, row, desc,
											 !sale->nulls[QG_SALE_SHIPPED_AT]);
	return true;
}

/* A statement's rows, being read. */
typedef struct Rows
{
	Tuplestorestate *store; /* NULL where the statement has none */
	int pointer;
	TupleTableSlot *slot;
} Rows;

/* Makes ready to read a transition table from its beginning. */
static void
open_rows(Rows *rows, Tuplestorestate *store, TupleDesc desc)
{
	rows->store = store;
	if (store == NULL)
		return;
	rows->pointer = tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(store, rows->pointer);
	tuplestore_rescan(store);
	rows->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

/* Gives the next row, in the current memory context, or NULL. */
static HeapTuple
next_row(Rows *rows)
{
	if (rows->store == NULL)
		return NULL;
	tuplestore_select_read_pointer(rows->store, rows->pointer);
	if (!tuplestore_gettupleslot(rows->store, true, false, rows->slot))
		return NULL;
	return ExecCopySlotHeapTuple(rows->slot);
}

/* Ends reading. */
static void
close_rows(Rows *rows)
{
	if (rows->store != NULL)
		ExecDropSingleTupleTableSlot(rows->slot);
}

/* Tells whether two sales are of the same merchant, order and line. */
static bool
same_key(const QgSale *a, const QgSale *b)
{
	for (int i = 0; i < QG_SALE_KEYS; i++)
	{
		struct varlena *x = (struct varlena *) DatumGetPointer(a->values[i]);
		struct varlena *y = (struct varlena *) DatumGetPointer(b->values[i]);

		if (VARSIZE_ANY_EXHDR(x) != VARSIZE_ANY_EXHDR(y) ||
			memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) != 0)
			return false;
	}
	return true;
}

/* Adds a sale to those to cancel, with a copy of its key. */
static void
add_cancelled(QgSaleBatch *cancelled, QgSale *sale)
{
	MemoryContext caller = MemoryContextSwitchTo(cancelled->context);

	for (int i = 0; i < QG_SALE_KEYS; i++)
		sale->values[i] = datumCopy(sale->values[i], false, -1);
	MemoryContextSwitchTo(caller);
	qg_sale_add(cancelled, sale);
}

/* Takes what a change of a row means: a sale to write, a sale to cancel, both or nothing. */
static void
take_change(TriggerData *trigger, HeapTuple old, HeapTuple new, QgSaleBatch *written,
			QgSaleBatch *cancelled)
{
	const QgMapping *mapping = qg_mapping_get(trigger);
	const Attached *attached = get_attached(trigger);
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	QgSale before = {.mask = 0};
	QgSale after;
	bool is;

	if (old != NULL && new != NULL && !qg_mapping_changed(mapping, old, new, desc))
		return;
	is = new != NULL &&read_sale(mapping, attached, new, desc, &after);
	if (is)
		qg_sale_add(written, &after);
	if (old != NULL && cancelled != NULL && read_key(attached, old, desc, &before) &&
		!(is && same_key(&before, &after)))
		add_cancelled(cancelled, &before);
}

/* Writes what waits and empties the batch; what a statement inserts is mostly new. */
static void
write_sales(TriggerData *trigger, QgSaleBatch *written)
{
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		qg_sales_insert(written);
	qg_sales_write(written);
}

/* Reads a statement's rows once and writes its sales; those that end are cancelled by the caller. */
static void
read_statement(TriggerData *trigger, CommandId since, QgSaleBatch *cancelled)
{
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	QgSaleBatch *written = qg_sale_batch(since);
	Rows olds;
	Rows news;
	uint64 n = 0;

	open_rows(&olds, trigger->tg_oldtable, desc);
	open_rows(&news, trigger->tg_newtable, desc);
	for (;;)
	{
		MemoryContext caller = MemoryContextSwitchTo(written->context);
		HeapTuple old = next_row(&olds);
		HeapTuple new = next_row(&news);

		CHECK_FOR_INTERRUPTS();
		if (old != NULL || new != NULL)
			take_change(trigger, old, new, written, cancelled);
		MemoryContextSwitchTo(caller);
		if (old == NULL && new == NULL)
			break;
		if (++n % TOGETHER != 0)
			continue;
		write_sales(trigger, written);
		/* Where rows only go, none takes another's place. */
		if (trigger->tg_newtable == NULL)
			qg_sales_cancel(cancelled, false);
	}
	write_sales(trigger, written);
	close_rows(&olds);
	close_rows(&news);
	qg_sale_batch_end(written);
}

/* Trigger of sale_attach(), AFTER the statement. */
PG_FUNCTION_INFO_V1(qg_sale_change);
Datum
qg_sale_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "sale_change",
											  QG_TRIGGER_AFTER | QG_TRIGGER_STATEMENT, 3);
	/* The statement saw nothing that was written since it began. */
	CommandId since = GetActiveSnapshot()->curcid;
	QgSaleBatch *cancelled = qg_sale_batch(since);

	read_statement(trigger, since, cancelled);
	if (cancelled->count > 0)
	{
		qg_sales_cancel(cancelled, trigger->tg_newtable != NULL);
		/* One row may have taken another's place. */
		if (trigger->tg_newtable != NULL)
			read_statement(trigger, PG_UINT32_MAX, NULL);
	}
	qg_sale_batch_end(cancelled);
	return PointerGetDatum(NULL);
}

/* row_written_since(xmin, cmin, command): whether this transaction wrote a row at a command or later. */
PG_FUNCTION_INFO_V1(qg_row_written_since);
Datum
qg_row_written_since(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(DatumGetCommandId(PG_GETARG_DATUM(1)) >= DatumGetCommandId(PG_GETARG_DATUM(2)) &&
				   TransactionIdIsCurrentTransactionId(PG_GETARG_TRANSACTIONID(0)));
}
