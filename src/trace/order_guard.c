/*
 * order_guard.c
 *		The guard of a platform's order table: refuses a sale of goods under recall, and by a
 *		merchant who may not sell.
 *
 * It is C because it sits on the hot path of other people's tables.  What stands in the way comes
 * from the SQL functions that applications ask, merchant_bar() and recall_bar(), remembered per
 * backend; a row that nothing stands against costs two hash look-ups.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "common/finding.h"

static QgBarSource merchant_bars = {
	.sql = "SELECT since, until, verdict, reason, legal_basis "
		   "FROM quality_gov.merchant_bar($1, $2, $3, $4)",
	.cache = {.name = "orders: merchants",
			  .tables = {"merchant", "merchant_license", "category_license", "merchant_restriction",
						 "watchlist_effect", "watchlist_entry", "merchant_person"},
			  .build = qg_bars_build}};

/* Four parameters are the form of a source; three of them serve here. */
static QgBarSource recall_bars = {
	.sql = "SELECT since, until, verdict, reason, legal_basis "
		   "FROM quality_gov.recall_bar($1, $2, $3) WHERE $4::text IS NULL",
	.cache = {
		.name = "orders: recalls",
		.tables = {"recall_step", "recall_scope", "recall_spared", "recall_release", "gtin_alias"},
		.build = qg_bars_build}};

/* What the judgement reads and what it leaves. */
typedef struct OrderCase
{
	HeapTuple row;
	TupleDesc desc;
	TimestampTz at;
	char *order;
	List *findings;
} OrderCase;

/*
 * Adds the recalls of the goods.  What nothing stands against as long as lot and serial number are
 * not known, nothing stands against when they are; so most goods are remembered by GTIN alone, and
 * numbers, of which each order has another, only where a recall asks for them.
 */
static List *
judge_goods(List *findings, const char *gtin, const char *lot, const char *serial, TimestampTz at)
{
	const QgFinding goods = {
		.rule = "recall", .severity = "critical", .field = "gtin", .verdict = QG_DENY};
	const char *const coarse[][QG_BAR_KEYS] = {{gtin}, {gtin, lot}};
	const QgBar *bars;

	for (int i = 0; i < (int) lengthof(coarse); i++)
		if (qg_bars_find(&recall_bars, coarse[i], &bars) == 0)
			return findings;
	return qg_findings_of_bars(findings, &recall_bars,
							   (const char *const[QG_BAR_KEYS]){gtin, lot, serial}, at, &goods);
}

/* Finds everything that stands against the sale. */
static void
judge_order(const QgMapping *mapping, void *arg)
{
	OrderCase *order = arg;
	const QgFinding seller = {
		.rule = "merchant_may", .severity = "high", .field = "merchant_id", .verdict = QG_DENY};
	char *merchant = qg_column_filled(qg_mapping_column(mapping, "merchant_id"), order->row,
									  order->desc);
	char *category = qg_column_filled(qg_mapping_column(mapping, "category"), order->row,
									  order->desc);
	char *gtin = qg_column_filled(qg_mapping_column(mapping, "gtin"), order->row, order->desc);
	char *lot = qg_column_filled(qg_mapping_column(mapping, "lot"), order->row, order->desc);
	char *serial = qg_column_filled(qg_mapping_column(mapping, "serial"), order->row, order->desc);

	order->order = qg_column_filled(qg_mapping_column(mapping, "order_id"), order->row,
									order->desc);
	if (merchant == NULL)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
						errmsg("order of table %s names no merchant", mapping->relation),
						errdetail("Column \"%s\" is null or blank.",
								  qg_mapping_column(mapping, "merchant_id")->path.column)));
	order->findings = qg_findings_of_bars(
		order->findings, &merchant_bars,
		(const char *const[QG_BAR_KEYS]){merchant, "may", "sell", category}, order->at, &seller);
	if (gtin != NULL)
		order->findings = judge_goods(order->findings, gtin, lot, serial, order->at);
}

/* Enters what would have been refused, for a guard in shadow mode. */
static void
record_shadow(const QgMapping *mapping, const OrderCase *order)
{
	Oid types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum values[3];
	QgOwner owner;

	values[0] = CStringGetTextDatum(mapping->relation);
	values[1] = CStringGetTextDatum(order->order ? order->order : "unnamed order");
	values[2] = CStringGetTextDatum(qg_findings_json(order->findings));
	qg_owner_begin(&owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT quality_gov.ledger_record('order_shadow', $2, "
							  "jsonb_build_object('relation', $1, 'findings', $3::jsonb))",
							  3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not record an order's findings");
	SPI_finish();
	qg_owner_end(&owner);
}

/* Trigger of guard_order(), AFTER the row: it judges what was stored, also by later triggers. */
PG_FUNCTION_INFO_V1(qg_guard_order_row);
Datum
qg_guard_order_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = qg_trigger_require(fcinfo, "guard_order_row",
											  QG_TRIGGER_AFTER | QG_TRIGGER_ROW, 3);
	HeapTuple row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
															   : trigger->tg_trigtuple;
	const QgMapping *mapping = qg_mapping_get(trigger);
	OrderCase order = {.row = row, .desc = RelationGetDescr(trigger->tg_relation)};

	qg_guard_mode_record(mapping);
	if (qg_guard_mode == QG_MODE_OFF ||
		(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) &&
		 !qg_mapping_changed(mapping, trigger->tg_trigtuple, row, order.desc)))
		return PointerGetDatum(NULL);
	/* The statement's instant, so that what came into force since the transaction began counts. */
	order.at = qg_mapping_instant(mapping, "at", row, order.desc,
								  GetCurrentStatementStartTimestamp());
	if (!qg_guard_judge(mapping, judge_order, &order) || order.findings == NIL)
		return PointerGetDatum(NULL);
	if (qg_guard_mode == QG_MODE_SHADOW)
	{
		record_shadow(mapping, &order);
		return PointerGetDatum(NULL);
	}
	ereport(ERROR, (errcode(ERRCODE_QG_ORDER_DENIED),
					errmsg("order is refused: %s", qg_findings_summary(order.findings, QG_DENY)),
					errdetail_internal("%s", qg_findings_json(order.findings)),
					errhint("The detail lists every reason.")));
}
