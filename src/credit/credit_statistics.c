/*
 * credit_statistics.c
 *		Aggregates that judge a score: how well it ranks, where its bins begin, how many fall in each.
 *
 * Rank statistics.  AUC, Gini and KS depend on the order of the scores only, so what a table holds of
 * its rows is how many good and how many bad there are of each score.  Scores come in any order and
 * are appended; when the table is full it is compacted: sorted, and equal scores made one entry.  It
 * grows only where compacting leaves it more than half full, so that memory follows the distinct
 * scores, not the rows.  Compacted, it is the same whatever the order of the rows was, and so is all
 * that is computed from it.
 *
 * With the good and the bad of each distinct score, in ascending order, and n of each in all:
 *
 *		AUC = sum(good * (bad below + bad here / 2)) / (n good * n bad)		(Mann-Whitney)
 *		KS  = max |good so far / n good - bad so far / n bad|
 *
 * Both have integers above the fraction line (after doubling), and divide once.
 *
 * Example: bad 1, bad 2, good 2, good 3.  Of the 4 pairs the good 2 beats the bad 1 and ties with the
 * bad 2, the good 3 beats both: AUC 3.5 / 4.  Up to 1 half of the bad and no good: KS 0.5; up to 2 all
 * of the bad and half of the good: 0.5, too.
 */
#include "quality_gov.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* Rows of one score. */
typedef struct ScoreCount
{
	double score;
	int64 good; /* all, where there is no outcome */
	int64 bad;
} ScoreCount;

/* State of the rank statistics and of credit_bins(). */
typedef struct ScoreTable
{
	int used;
	int room;
	int bins; /* of credit_bins(), otherwise 0 */
	ScoreCount *counts;
} ScoreTable;

/* State of credit_bin_counts(). */
typedef struct BinTable
{
	int edges;
	double *edge;  /* ascending */
	int64 *counts; /* one more than edges */
} BinTable;

/* Sums that the rank statistics are made of. */
typedef struct RankSums
{
	double good;
	double bad;
	double wins; /* pairs in which the good has the higher score, twice; a tie counts once */
	double gap;	 /* greatest distance of the distributions, times good times bad */
} RankSums;

#define ROOM_MIN 16
/* What one allocation can hold. */
#define ROOM_MAX ((int) (MaxAllocSize / sizeof(ScoreCount)))
/* Fuller than this a table would be compacted again and again. */
#define DISTINCT_MAX (ROOM_MAX / 8 * 7)
#define BINS_MAX 10000

#define ST_SORT sort_scores
#define ST_ELEMENT_TYPE ScoreCount
#define ST_COMPARE(a, b) ((a)->score < (b)->score ? -1 : (a)->score > (b)->score)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Gives the context that a state lives in; nobody else may call the function. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("function of an aggregate called outside the aggregate")));
	return context;
}

/* Gives a score in the one form it has in a table, or raises an error where it has no place. */
static double
require_score(double score)
{
	if (unlikely(isnan(score)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("score must not be NaN"),
						errhint("Leave such rows out with FILTER (WHERE score <> 'NaN').")));
	/* Zero has two forms. */
	return score == 0 ? 0 : score;
}

/* Sorts a table and makes equal scores one entry. */
static void
compact(ScoreTable *table)
{
	ScoreCount *counts = table->counts;
	int last = 0;

	if (table->used < 2)
		return;
	sort_scores(counts, table->used);
	for (int i = 1; i < table->used; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (counts[i].score == counts[last].score)
		{
			counts[last].good += counts[i].good;
			counts[last].bad += counts[i].bad;
		}
		else
			counts[++last] = counts[i];
	}
	table->used = last + 1;
}

/* Makes room for further scores, or raises an error where there are too many different ones. */
static void
make_room(ScoreTable *table)
{
	compact(table);
	if (table->used > DISTINCT_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %d different scores", DISTINCT_MAX),
						errhint("Round the scores, or take a sample of the rows.")));
	if (table->used <= table->room / 2)
		return;
	table->room = table->room > ROOM_MAX / 2 ? ROOM_MAX : table->room * 2;
	table->counts = repalloc(table->counts, table->room * sizeof(ScoreCount));
}

/* Gives the table of an aggregate, empty at its first row. */
static ScoreTable *
score_table(FunctionCallInfo fcinfo, int bins)
{
	MemoryContext context = aggregate_context(fcinfo);
	ScoreTable *table;

	if (!PG_ARGISNULL(0))
		return (ScoreTable *) PG_GETARG_POINTER(0);
	table = MemoryContextAlloc(context, sizeof(ScoreTable));
	table->used = 0;
	table->room = ROOM_MIN;
	table->bins = bins;
	table->counts = MemoryContextAlloc(context, ROOM_MIN * sizeof(ScoreCount));
	return table;
}

/* Adds a row to a table. */
static void
count_score(ScoreTable *table, double score, bool bad)
{
	ScoreCount *count;

	if (table->used == table->room)
		make_room(table);
	count = &table->counts[table->used++];
	count->score = score;
	count->good = bad ? 0 : 1;
	count->bad = bad ? 1 : 0;
}

/* Gives the state as it was before a row that is passed over. */
static Datum
unchanged(FunctionCallInfo fcinfo)
{
	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* Transition of credit_auc, credit_gini and credit_ks: a row with a null is passed over. */
PG_FUNCTION_INFO_V1(qg_credit_outcome_accum);
Datum
qg_credit_outcome_accum(PG_FUNCTION_ARGS)
{
	ScoreTable *table;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged(fcinfo);
	table = score_table(fcinfo, 0);
	count_score(table, require_score(PG_GETARG_FLOAT8(1)), PG_GETARG_BOOL(2));
	PG_RETURN_POINTER(table);
}

/* Gives the sums of a table; false where a class is missing and nothing can be told. */
static bool
rank_sums(FunctionCallInfo fcinfo, RankSums *sums)
{
	ScoreTable *table;
	double good = 0;
	double bad = 0;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		return false;
	table = (ScoreTable *) PG_GETARG_POINTER(0);
	compact(table);
	memset(sums, 0, sizeof(RankSums));
	for (int i = 0; i < table->used; i++)
	{
		sums->good += (double) table->counts[i].good;
		sums->bad += (double) table->counts[i].bad;
	}
	if (sums->good == 0 || sums->bad == 0)
		return false;
	for (int i = 0; i < table->used; i++)
	{
		const ScoreCount *count = &table->counts[i];

		CHECK_FOR_INTERRUPTS();
		sums->wins += (double) count->good * (2 * bad + (double) count->bad);
		good += (double) count->good;
		bad += (double) count->bad;
		sums->gap = Max(sums->gap, fabs(good * sums->bad - bad * sums->good));
	}
	return true;
}

/* The chance that a good has a higher score than a bad, a tie counting half. */
PG_FUNCTION_INFO_V1(qg_credit_auc_final);
Datum
qg_credit_auc_final(PG_FUNCTION_ARGS)
{
	RankSums sums;

	if (!rank_sums(fcinfo, &sums))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sums.wins / (2 * sums.good * sums.bad));
}

/* Twice the AUC less one, divided once so that simple fractions come out as written. */
PG_FUNCTION_INFO_V1(qg_credit_gini_final);
Datum
qg_credit_gini_final(PG_FUNCTION_ARGS)
{
	RankSums sums;

	if (!rank_sums(fcinfo, &sums))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((sums.wins - sums.good * sums.bad) / (sums.good * sums.bad));
}

/* The greatest distance of the distributions of good and bad, without sign. */
PG_FUNCTION_INFO_V1(qg_credit_ks_final);
Datum
qg_credit_ks_final(PG_FUNCTION_ARGS)
{
	RankSums sums;

	if (!rank_sums(fcinfo, &sums))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sums.gap / (sums.good * sums.bad));
}

/* Transition of credit_bins: a row with a null is passed over. */
PG_FUNCTION_INFO_V1(qg_credit_bins_accum);
Datum
qg_credit_bins_accum(PG_FUNCTION_ARGS)
{
	ScoreTable *table;
	int bins;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged(fcinfo);
	bins = PG_GETARG_INT32(2);
	if (bins < 1 || bins > BINS_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("bins must be between 1 and %d, not %d", BINS_MAX, bins)));
	table = score_table(fcinfo, bins);
	if (table->bins != bins)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("bins must be the same for all rows"),
						errdetail("It is %d and %d.", table->bins, bins)));
	count_score(table, require_score(PG_GETARG_FLOAT8(1)), false);
	PG_RETURN_POINTER(table);
}

/*
 * Gives the scores at which bins begin: of n ordered rows, bin i of b begins with the score of row
 * i * n / b, counted from 0 and rounded up.  Rows of one score stay together, so where there are many
 * of them there are fewer bins, and none is empty.
 */
PG_FUNCTION_INFO_V1(qg_credit_bins_final);
Datum
qg_credit_bins_final(PG_FUNCTION_ARGS)
{
	ScoreTable *table;
	Datum *edges;
	int found = 0;
	int64 rows = 0;
	int64 seen = 0;
	int64 next = 1;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	table = (ScoreTable *) PG_GETARG_POINTER(0);
	compact(table);
	for (int i = 0; i < table->used; i++)
		rows += table->counts[i].good;
	edges = palloc(table->bins * sizeof(Datum));
	for (int i = 0; i < table->used; i++)
	{
		int64 begun; /* the last bin that begins in the rows of this score */

		CHECK_FOR_INTERRUPTS();
		seen += table->counts[i].good;
		begun = (seen - 1) * table->bins / rows;
		if (begun < next)
			continue;
		next = begun + 1;
		/* What begins at the lowest score has nothing before it. */
		if (i > 0)
			edges[found++] = Float8GetDatum(table->counts[i].score);
	}
	PG_RETURN_ARRAYTYPE_P(
		construct_array(edges, found, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Raises an error unless an array can be the edges of bins. */
static void
require_edges(ArrayType *array, const double *edge, int edges)
{
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("edges must be an array of one dimension without nulls")));
	for (int i = 0; i < edges; i++)
	{
		if (isnan(edge[i]) || (i > 0 && edge[i] <= edge[i - 1]))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("edges must ascend, each above the one before"),
							errdetail("Edge %d is %g.", i + 1, edge[i])));
	}
}

/* Gives the bins of an aggregate, empty at its first row, whose edges are those of all. */
static BinTable *
bin_table(FunctionCallInfo fcinfo, ArrayType *array)
{
	MemoryContext context = aggregate_context(fcinfo);
	const double *edge = (const double *) ARR_DATA_PTR(array);
	int edges = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	BinTable *table;

	if (!PG_ARGISNULL(0))
	{
		table = (BinTable *) PG_GETARG_POINTER(0);
		if (table->edges != edges || array_contains_nulls(array) ||
			memcmp(table->edge, edge, edges * sizeof(double)) != 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("edges must be the same for all rows")));
		return table;
	}
	require_edges(array, edge, edges);
	table = MemoryContextAlloc(context, sizeof(BinTable));
	table->edges = edges;
	table->edge = MemoryContextAlloc(context, edges * sizeof(double));
	memcpy(table->edge, edge, edges * sizeof(double));
	table->counts = MemoryContextAllocZero(context, (edges + 1) * sizeof(int64));
	return table;
}

/* Transition of credit_bin_counts: a row with a null is passed over. */
PG_FUNCTION_INFO_V1(qg_credit_bin_counts_accum);
Datum
qg_credit_bin_counts_accum(PG_FUNCTION_ARGS)
{
	BinTable *table;
	double score;
	int low = 0;
	int high;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged(fcinfo);
	table = bin_table(fcinfo, PG_GETARG_ARRAYTYPE_P(2));
	score = require_score(PG_GETARG_FLOAT8(1));
	/* As many edges as are at or below the score, which is what width_bucket() tells. */
	high = table->edges;
	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (table->edge[middle] <= score)
			low = middle + 1;
		else
			high = middle;
	}
	table->counts[low]++;
	PG_RETURN_POINTER(table);
}

/* Gives the numbers of rows, bin by bin. */
PG_FUNCTION_INFO_V1(qg_credit_bin_counts_final);
Datum
qg_credit_bin_counts_final(PG_FUNCTION_ARGS)
{
	BinTable *table;
	Datum *counts;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	table = (BinTable *) PG_GETARG_POINTER(0);
	counts = palloc((table->edges + 1) * sizeof(Datum));
	for (int i = 0; i <= table->edges; i++)
		counts[i] = Int64GetDatum(table->counts[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(counts, table->edges + 1, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
