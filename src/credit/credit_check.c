/*
 * credit_check.c
 *		The slow twin of the accounts: what they should hold, from the events, in one pass.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "credit/credit_scan.h"

/* Accounts and recomputed sums may differ by so much of the sum of absolute amounts. */
#define TOLERANCE 1e-9

/* A call. */
typedef struct Check
{
	ReturnSetInfo *result;
	QgSlot *slots; /* those without a window */
	int *match;	   /* which slot of the account each is */
	int nslots;
	QgMerchants merchants; /* sums by the events, then sums of absolute amounts */
} Check;

/* Takes the slots whose sums the account keeps as one. */
static void
take_slots(Check *check, const QgRollup *rollup)
{
	check->slots = palloc(sizeof(QgSlot) * (rollup->nslots + 1));
	check->match = palloc(sizeof(int) * (rollup->nslots + 1));
	for (int i = 0; i < rollup->nslots; i++)
		if (rollup->slots[i].window_days == 0)
		{
			check->slots[check->nslots] = rollup->slots[i];
			check->match[check->nslots++] = i;
		}
}

/* Adds what is kept of retired events. */
static void
add_openings(Check *check)
{
	bool isnull;

	qg_cache_select("SELECT merchant_id, indicator, (extract(epoch FROM half_life) * "
					"1000000)::bigint, tally, size FROM quality_gov.credit_opening",
					0, NULL, NULL, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		const char *merchant = qg_result_text(row, 1);
		const char *indicator = qg_result_text(row, 2);
		int64 half_life = DatumGetInt64(qg_result_value(row, 3, &isnull));
		QgSum sum = DatumGetTallyP(qg_result_value(row, 4, &isnull))->sum;
		QgSum size = DatumGetTallyP(qg_result_value(row, 5, &isnull))->sum;
		QgSum *sums = qg_merchants_sums(
			&check->merchants, qg_merchants_add(&check->merchants, merchant, strlen(merchant)));

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < check->nslots; i++)
			if (check->slots[i].half_life == half_life &&
				strcmp(check->slots[i].indicator, indicator) == 0)
			{
				qg_sum_add(&sums[i], sum);
				qg_sum_add(&sums[check->nslots + i], size);
			}
	}
}

/* Tells whether two sums differ by more than rounding. */
static bool
differ(QgSum account, QgSum truth, QgSum size)
{
	account.good = -account.good;
	account.bad = -account.bad;
	qg_sum_add(&account, truth);
	qg_sum_meet(&account, &size);
	return fabs(account.good) > TOLERANCE * size.good || fabs(account.bad) > TOLERANCE * size.bad;
}

/* Compares the account of a merchant with its sums and reports where they differ. */
static void
compare(Check *check, const char *merchant, const QgSum *account, const QgSum *sums)
{
	for (int i = 0; i < check->nslots; i++)
		if (differ(account[i], sums[i], sums[check->nslots + i]))
		{
			Datum values[2];
			bool nulls[2] = {false, false};

			values[0] = CStringGetTextDatum(merchant);
			values[1] = CStringGetTextDatum(
				psprintf("account of indicator \"%s\" is (%g, %g), its events come to (%g, %g)",
						 check->slots[i].indicator, account[i].good, account[i].bad, sums[i].good,
						 sums[i].bad));
			tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, nulls);
		}
}

/* Compares all accounts, and reports merchants that should have one. */
static void
compare_all(Check *check)
{
	Size bytes = sizeof(QgSum) * (check->nslots + 1);
	QgSum *account = palloc(bytes);
	QgTable accounts;

	qg_table_open(&accounts, "credit_account");
	while (qg_table_next(&accounts, 2))
	{
		text *merchant = DatumGetTextPP(accounts.row->tts_values[0]);
		uint32 number = qg_merchants_add(&check->merchants, VARDATA_ANY(merchant),
										 VARSIZE_ANY_EXHDR(merchant));

		check->merchants.items[number].change = 1;
		memset(account, 0, bytes);
		qg_account_add(accounts.row->tts_values[1], check->match, check->nslots, account);
		compare(check, check->merchants.items[number].key, account,
				qg_merchants_sums(&check->merchants, number));
	}
	qg_table_close(&accounts);
	memset(account, 0, bytes);
	for (uint32 i = 0; i < check->merchants.count; i++)
		if (check->merchants.items[i].change == 0)
			compare(check, check->merchants.items[i].key, account,
					qg_merchants_sums(&check->merchants, i));
}

/* credit_account_check(): merchants whose account is not what their events come to. */
PG_FUNCTION_INFO_V1(qg_credit_account_check);
Datum
qg_credit_account_check(PG_FUNCTION_ARGS)
{
	Check check = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	MemoryContext caller = CurrentMemoryContext;
	QgRollup rollup;

	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(caller);
	qg_rollup_read(&rollup);
	take_slots(&check, &rollup);
	qg_merchants_init(&check.merchants, check.nslots * 2);
	if (rollup.present)
	{
		QgScan scan = {.slots = check.slots,
					   .nslots = check.nslots,
					   .at = DT_NOEND,
					   .rollup = &rollup,
					   .sizes = true};

		add_openings(&check);
		qg_credit_scan(&scan, &check.merchants);
	}
	compare_all(&check);
	SPI_finish();
	return (Datum) 0;
}

/* credit_tallies_add(a, b): the tallies of two accounts, added place by place. */
PG_FUNCTION_INFO_V1(qg_credit_tallies_add);
Datum
qg_credit_tallies_add(PG_FUNCTION_ARGS)
{
	ArrayType *arrays[2] = {PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1)};
	Oid type = ARR_ELEMTYPE(arrays[0]);
	Datum *items[2];
	bool *nulls[2];
	int counts[2];
	int lower = 1;

	for (int i = 0; i < 2; i++)
		deconstruct_array(arrays[i], type, -1, false, TYPALIGN_DOUBLE, &items[i], &nulls[i],
						  &counts[i]);
	if (counts[0] != counts[1])
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("accounts of %d and %d tallies cannot be added", counts[0], counts[1])));
	for (int i = 0; i < counts[0]; i++)
	{
		if (nulls[1][i])
			continue;
		if (!nulls[0][i])
		{
			QgTally *sum = palloc(sizeof(QgTally));

			memcpy(sum, DatumGetTallyP(items[0][i]), sizeof(QgTally));
			if (sum->half_life != DatumGetTallyP(items[1][i])->half_life)
				elog(ERROR, "tallies of an account differ in half-life");
			qg_sum_add(&sum->sum, DatumGetTallyP(items[1][i])->sum);
			items[1][i] = PointerGetDatum(sum);
		}
		items[0][i] = items[1][i];
		nulls[0][i] = false;
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(items[0], nulls[0], 1, counts, &lower, type, -1, false,
											 TYPALIGN_DOUBLE));
}
