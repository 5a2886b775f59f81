/*
 * credit_model.c
 *		Credit models, kept per backend, and their arithmetic.
 *
 * It is C because scores of all merchants are computed in one pass: points are hundredths in
 * integers, so that those of the indicators sum exactly to the score.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "credit/credit_model.h"

typedef struct Models
{
	int count;
	const QgModel **items; /* in their order of rank: of those in force the first goes before */
} Models;

static void *build_models(void);

static QgCache cache = {.name = "credit models",
						.tables = {"credit_model", "credit_indicator", "credit_grade_band"},
						.build = build_models};

/* Gives a column of type float8, another number for null. */
static double
result_number(uint64 row, int column, double null)
{
	bool isnull;
	Datum value = qg_result_value(row, column, &isnull);

	return isnull ? null : DatumGetFloat8(value);
}

/* Gives a column of type bigint, another number for null. */
static int64
result_integer(uint64 row, int column, int64 null)
{
	bool isnull;
	Datum value = qg_result_value(row, column, &isnull);

	return isnull ? null : DatumGetInt64(value);
}

/* Gives the place of a grade among a model's bands, -1 where it has none of that name. */
static int
band_of(const QgModel *model, const char *grade)
{
	for (int i = 0; grade != NULL && i < model->nbands; i++)
		if (strcmp(model->bands[i].grade, grade) == 0)
			return i;
	return -1;
}

/* Reads the bands of a model. */
static void
read_bands(QgModel *model, Datum *key)
{
	Oid types[2] = {TEXTOID, INT4OID};

	model->nbands = (int) qg_cache_select(
		"SELECT grade, (floor * 100)::bigint FROM quality_gov.credit_grade_band "
		"WHERE model = $1 AND version = $2 ORDER BY floor DESC",
		2, types, key, NULL);
	model->bands = palloc0(sizeof(QgBand) * (model->nbands + 1));
	for (int i = 0; i < model->nbands; i++)
		model->bands[i] = (QgBand){qg_result_text(i, 1), result_integer(i, 2, 0)};
}

/* Reads the indicators of a model, whose bands are read. */
static void
read_indicators(QgModel *model, Datum *key)
{
	Oid types[2] = {TEXTOID, INT4OID};

	model->nindicators = (int) qg_cache_select(
		"SELECT indicator, kind, (weight * 100)::bigint, (extract(epoch FROM half_life) * "
		"1000000)::bigint, window_days::bigint, prior_good, prior_bad, tolerated, point_cost, "
		"minimum, missing, cap, veto_grade, title, dimension FROM quality_gov.credit_indicator "
		"WHERE model = $1 AND version = $2 ORDER BY indicator COLLATE \"C\"",
		2, types, key, NULL);
	model->indicators = palloc0(sizeof(QgIndicator) * (model->nindicators + 1));
	for (int i = 0; i < model->nindicators; i++)
	{
		QgIndicator *indicator = &model->indicators[i];
		const char *kind = qg_result_text(i, 2);

		indicator->name = qg_result_text(i, 1);
		indicator->length = (int) strlen(indicator->name);
		indicator->kind = kind[0] == 'r'   ? QG_KIND_RATE
						  : kind[0] == 'p' ? QG_KIND_POINTS
										   : QG_KIND_FLAG;
		indicator->weight = result_integer(i, 3, 0);
		indicator->half_life = result_integer(i, 4, QG_NO_DECAY);
		indicator->window_days = (int) result_integer(i, 5, 0);
		indicator->prior_good = result_number(i, 6, 0);
		indicator->prior_bad = result_number(i, 7, 0);
		indicator->tolerated = result_number(i, 8, 1);
		indicator->point_cost = result_number(i, 9, 0);
		indicator->minimum = result_number(i, 10, 0);
		indicator->missing = qg_result_text(i, 11)[0];
		indicator->cap = result_number(i, 12, INFINITY);
		indicator->veto_grade = qg_result_text(i, 13);
		indicator->veto = band_of(model, indicator->veto_grade);
		indicator->title = qg_result_text(i, 14);
		indicator->dimension = qg_result_text(i, 15);
	}
}

/* Builds the cache's content. */
static void *
build_models(void)
{
	Models *models = palloc0(sizeof(Models));
	QgModel *items;

	models->count = (int) qg_cache_select(
		"SELECT model, version, state IN ('active', 'retired') AND NOT isempty(effect), "
		"lower(effect), upper(effect), (hysteresis * 100)::bigint FROM quality_gov.credit_model "
		"ORDER BY builtin, version DESC, model",
		0, NULL, NULL, NULL);
	items = palloc0(sizeof(QgModel) * (models->count + 1));
	models->items = palloc0(sizeof(QgModel *) * (models->count + 1));
	for (int i = 0; i < models->count; i++)
	{
		bool isnull;

		items[i].model = qg_result_text(i, 1);
		items[i].version = DatumGetInt32(qg_result_value(i, 2, &isnull));
		items[i].in_force = DatumGetBool(qg_result_value(i, 3, &isnull));
		items[i].since = qg_result_instant(i, 4, DT_NOBEGIN);
		items[i].until = qg_result_instant(i, 5, DT_NOEND);
		items[i].hysteresis = result_integer(i, 6, 0);
		models->items[i] = &items[i];
	}
	for (int i = 0; i < models->count; i++)
	{
		Datum key[2] = {CStringGetTextDatum(items[i].model), Int32GetDatum(items[i].version)};

		read_bands(&items[i], key);
		read_indicators(&items[i], key);
	}
	return models;
}

/* Gives all model versions, in their order of rank, and their number. */
int
qg_credit_models(const QgModel ***models)
{
	const Models *all = qg_cache_get(&cache);

	*models = all->items;
	return all->count;
}

/* Tells whether a model is in force at an instant. */
static bool
covers(const QgModel *model, TimestampTz at)
{
	return model->in_force && at >= model->since && (at < model->until || model->until == DT_NOEND);
}

/* Gives the model among some, in their order of rank, that is in force at an instant, or NULL. */
const QgModel *
qg_credit_model_among(const QgModel **models, int count, TimestampTz at)
{
	for (int i = 0; i < count; i++)
		if (covers(models[i], at))
			return models[i];
	return NULL;
}

/* Gives the model in force at an instant, as credit_model_at() does; NULL where there is none. */
const QgModel *
qg_credit_model_at(TimestampTz at)
{
	const QgModel **models;
	int count = qg_credit_models(&models);

	return qg_credit_model_among(models, count, at);
}

/* Gives a model version by its key, in whatever state, or raises an error. */
const QgModel *
qg_credit_model_get(const char *model, int version)
{
	const QgModel **models;
	int count = qg_credit_models(&models);

	for (int i = 0; i < count; i++)
		if (models[i]->version == version && strcmp(models[i]->model, model) == 0)
			return models[i];
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("credit model \"%s\" has no version %d", model, version)));
}

/* Gives the best band whose floor, raised by a margin, a score reaches; -1 for none. */
static int
band_reached(const QgModel *model, int64 score, int64 margin)
{
	for (int i = 0; i < model->nbands; i++)
		if (model->bands[i].floor + margin <= score)
			return i;
	return -1;
}

/*
 * Gives the band of a score: a merchant that has a grade keeps it until the score passes a floor
 * by more than the model's hysteresis, and none is better than a veto (-1: none) leaves it.
 */
int
qg_credit_grade(const QgModel *model, int64 score, const char *previous, int veto)
{
	int plain = band_reached(model, score, 0);
	int held = band_of(model, previous);

	if (held >= 0 && plain >= 0 && plain < held)
	{
		int climbed = band_reached(model, score, model->hysteresis);

		plain = climbed < 0 || climbed > held ? held : climbed;
	}
	else if (held >= 0 && (plain > held || plain < 0) &&
			 score >= model->bands[held].floor - model->hysteresis)
		plain = held;
	return plain < 0 ? plain : Max(plain, veto);
}
