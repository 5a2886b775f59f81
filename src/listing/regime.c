/*
 * regime.c
 *		Whether the regimes of a rule concern a category, without asking SQL.
 *
 * Most listings are under no regime of most rules.  The table category_regime is small and changes
 * seldom, so it is kept in a cache, and only rules that concern a listing cost a call of their SQL
 * function.  rule_concerns() is the same in SQL.
 */
#include "quality_gov.h"

#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/cache.h"
#include "listing/regime.h"

typedef struct CategoryRegime
{
	char *category;
	char *regime;
	TimestampTz since;
	TimestampTz until;
} CategoryRegime;

typedef struct RegimeSet
{
	int nrows;
	CategoryRegime *rows;
} RegimeSet;

/* What is known of a category and the regimes that a parameter names. */
typedef struct Standing
{
	bool covered; /* the category is under one of them */
	bool any;	  /* some category is */
} Standing;

static void *build_regimes(void);

static QgCache regime_cache = {
	.name = "listing regimes", .tables = {"category_regime"}, .build = build_regimes};

/* Gives a bound of a period of the current result row. */
static TimestampTz
row_bound(uint64 row, int column, TimestampTz infinite)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? infinite : DatumGetTimestampTz(value);
}

/* Builds the set: every category that is or was under a regime, with its period. */
static void *
build_regimes(void)
{
	MemoryContext context = CurrentMemoryContext;
	RegimeSet *set = palloc0(sizeof(RegimeSet));

	set->nrows = (int) qg_cache_select("SELECT category, regime, lower(effect), upper(effect) "
									   "FROM quality_gov.category_regime WHERE NOT isempty(effect)",
									   0, NULL, NULL, NULL);
	set->rows = MemoryContextAllocZero(context, sizeof(CategoryRegime) * (set->nrows + 1));
	for (int i = 0; i < set->nrows; i++)
	{
		CategoryRegime *row = &set->rows[i];

		row->category = MemoryContextStrdup(
			context, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
		row->regime = MemoryContextStrdup(
			context, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2));
		row->since = row_bound(i, 3, DT_NOBEGIN);
		row->until = row_bound(i, 4, DT_NOEND);
	}
	return set;
}

/* Tells whether a row's category covers another: it is the same, above it, or all. */
static bool
covers(const CategoryRegime *row, const char *category)
{
	size_t length = strlen(row->category);

	return strcmp(row->category, "*") == 0 ||
		   (category != NULL && strncmp(row->category, category, length) == 0 &&
			(category[length] == '\0' || category[length] == '/'));
}

/* Adds what one regime's name contributes to a standing. */
static void
add_regime(const RegimeSet *set, const JsonbValue *name, const char *category, TimestampTz at,
		   Standing *standing)
{
	if (name->type != jbvString)
		return;
	for (int i = 0; i < set->nrows; i++)
	{
		const CategoryRegime *row = &set->rows[i];

		if (row->since > at || row->until <= at ||
			strlen(row->regime) != (size_t) name->val.string.len ||
			memcmp(row->regime, name->val.string.val, name->val.string.len) != 0)
			continue;
		standing->any = true;
		standing->covered |= covers(row, category);
	}
}

/* Gives the standing of a category by a parameter; false where it is not given. */
static bool
standing_of(Jsonb *params, const char *key, const char *category, TimestampTz at,
			Standing *standing)
{
	JsonbValue buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(&params->root, key, (int) strlen(key),
													 &buffer);
	const RegimeSet *set;

	if (value == NULL)
		return false;
	set = qg_cache_get(&regime_cache);
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		int n = JsonContainerSize(value->val.binary.data);

		for (int i = 0; i < n; i++)
			add_regime(set, getIthJsonbValueFromContainer(value->val.binary.data, i), category, at,
					   standing);
	}
	else
		add_regime(set, value, category, at, standing);
	return true;
}

/* Tells whether a rule's regimes leave out the category, so that the rule has nothing to ask. */
bool
qg_regime_spares(Jsonb *params, const char *category, TimestampTz at)
{
	Standing regime = {0};
	Standing except = {0};

	if (standing_of(params, "except_regime", category, at, &except) && except.covered)
		return true;
	return standing_of(params, "regime", category, at, &regime) && !regime.covered &&
		   (category != NULL || !regime.any);
}
