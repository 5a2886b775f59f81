/*
 * credit_points.c
 *		What sums come to under an indicator, in points and in words.
 *
 * The words are made in C because they are made for every indicator of every merchant asked about.
 */
#include "quality_gov.h"

#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "credit/credit_model.h"

/* What rounding may leave short of a bound. */
#define ROUNDING 1e-9

/* Raises an error unless an instant is one that credit can be told of. */
void
qg_credit_instant_require(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("credit is told as of a finite instant")));
}

/* Gives the model among some that was in force at an instant, or raises an error. */
const QgModel *
qg_credit_model_require(const QgModel **models, int count, TimestampTz at)
{
	const QgModel *model = qg_credit_model_among(models, count, at);

	if (model == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("no credit model was in force at %s", timestamptz_to_str(at))));
	return model;
}

/* Gives the part of an indicator's weight that a rate leaves. */
static double
rate_part(const QgIndicator *indicator, double good, double bad, bool *below)
{
	double all = good + bad + indicator->prior_good + indicator->prior_bad;

	*below = good + bad < indicator->minimum * (1 - ROUNDING);
	if (*below && indicator->missing != 'p')
		return indicator->missing == 'f' ? 1 : 0;
	if (*below)
		return 1 - indicator->prior_bad / (indicator->prior_good + indicator->prior_bad) /
					   indicator->tolerated;
	return 1 - (bad + indicator->prior_bad) / all / indicator->tolerated;
}

/* Gives what sums, as they are worth, come to under an indicator. */
QgPoints
qg_credit_points(const QgIndicator *indicator, double good, double bad)
{
	QgPoints points = {0};
	double part;

	/* Rounding may leave what was voided a hair below zero. */
	good = Max(good, 0);
	bad = Max(bad, 0);
	switch (indicator->kind)
	{
		case QG_KIND_RATE:
			part = rate_part(indicator, good, bad, &points.below);
			break;
		case QG_KIND_FLAG:
			points.up = bad >= 0.5 * (1 - ROUNDING);
			part = points.up ? 0 : 1;
			break;
		default:
			part = indicator->weight == 0 ? 0
										  : 1 - Min(bad, indicator->cap) * indicator->point_cost *
													100 / (double) indicator->weight;
			break;
	}
	points.points = (int64) llround((double) indicator->weight * Max(part, 0));
	return points;
}
/* Gives what sums at an instant come to under the indicator of their slot. */
QgPoints
qg_credit_points_of(const QgIndicator *indicator, const QgSum *sum, TimestampTz at, double *good,
					double *bad)
{
	double factor = sum->good == 0 && sum->bad == 0
						? 0
						: qg_sum_factor(sum->cell, indicator->half_life, at);

	*good = Max(sum->good * factor, 0);
	*bad = Max(sum->bad * factor, 0);
	return qg_credit_points(indicator, *good, *bad);
}

/* Says what a rate found and how small numbers were protected. */
static void
say_rate(StringInfo words, const QgIndicator *indicator, double good, double bad, bool below)
{
	double prior = indicator->prior_good + indicator->prior_bad;

	appendStringInfo(words, "%.2f bad among %.2f", bad, good + bad);
	if (!below)
		appendStringInfo(words, ", counted with %.15g bad among %.15g for small numbers",
						 indicator->prior_bad, prior);
	if (!below && good + bad > 0)
		appendStringInfo(words, " (alone they would give %.2f)",
						 (double) indicator->weight / 100 *
							 Max(1 - bad / (good + bad) / indicator->tolerated, 0));
	if (below)
		appendStringInfo(words, ", too few to judge by (%.15g are needed): ", indicator->minimum);
	if (below && indicator->missing == 'p')
		appendStringInfo(words,
						 "the %.15g bad among %.15g that are counted in for small numbers stand "
						 "alone",
						 indicator->prior_bad, prior);
	else if (below)
		appendStringInfoString(words, indicator->missing == 'f' ? "all points are given"
																: "no points are given");
	appendStringInfo(words, "; no points from %.2f %% on", indicator->tolerated * 100);
}

/* Gives in words what an indicator found and how it was counted. */
char *
qg_credit_reason(const QgIndicator *indicator, double good, double bad, const QgPoints *points)
{
	StringInfoData words;

	initStringInfo(&words);
	appendStringInfo(&words, "%s: ", indicator->title);
	if (indicator->kind == QG_KIND_RATE)
		say_rate(&words, indicator, good, bad, points->below);
	else if (indicator->kind == QG_KIND_POINTS)
		appendStringInfo(&words, "%.2f units, each costs %.15g", bad, indicator->point_cost);
	else
		appendStringInfoString(&words, points->up ? "up" : "not up");
	if (indicator->kind == QG_KIND_POINTS && bad > indicator->cap)
		appendStringInfo(&words, ", %.15g are counted at most", indicator->cap);
	if (points->up && indicator->veto_grade != NULL)
		appendStringInfo(&words, ", no grade is better than %s", indicator->veto_grade);
	if (indicator->half_life != QG_NO_DECAY)
		appendStringInfo(&words, "; half after %.15g days",
						 (double) indicator->half_life / USECS_PER_DAY);
	if (indicator->window_days > 0)
		appendStringInfo(&words, "; of the last %d days", indicator->window_days);
	return words.data;
}
