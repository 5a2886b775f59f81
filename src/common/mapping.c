/*
 * mapping.c
 *		How a trigger on a platform's table reads that table's rows.
 *
 * The extension's triggers on other people's tables carry three arguments: the kind, the mapping
 * (a JSON object from the names rules use to column names) and options (a JSON object of texts).
 * They are the only place where this is stored, so nothing can dangle, and a dump of the platform's
 * table brings them back.  Each is parsed once a backend and again after the relation changed.
 */
#include "quality_gov.h"

#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common/mapping.h"

static HTAB *mappings = NULL;

/* Marks stale what was parsed for the relation. */
static void
relation_changed(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	QgMapping *mapping;

	hash_seq_init(&scan, mappings);
	while ((mapping = hash_seq_search(&scan)) != NULL)
		if (!OidIsValid(relid) || mapping->relid == relid)
			mapping->valid = false;
}

/* Splits a JSON object of strings into keys and values, in the current memory context. */
static int
parse_object(const char *json, char ***keys, char ***values)
{
	Jsonb *object = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue item;
	int n = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("trigger argument is not a JSON object: \"%s\"", json)));
	*keys = palloc0(sizeof(char *) * (JB_ROOT_COUNT(object) + 1));
	*values = palloc0(sizeof(char *) * (JB_ROOT_COUNT(object) + 1));
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			(*keys)[n] = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (item.type != jbvString)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("trigger argument has a value that is not a string: \"%s\"",
									   json)));
			(*values)[n++] = pnstrdup(item.val.string.val, item.val.string.len);
		}
	}
	return n;
}

/*
 * Finds a mapped column in the table as it is now.  A column that is gone is an error only when a
 * guard reads it, where the guard's own choice of what to do on failure applies.
 */
static void
resolve_column(QgMapping *mapping, QgColumn *column, TupleDesc desc)
{
	Oid output;
	bool varlena;

	column->attnum = InvalidAttrNumber;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), column->path.column) == 0)
		{
			column->attnum = att->attnum;
			column->type = getBaseType(att->atttypid);
			column->generated = att->attgenerated != '\0';
		}
	}
	/* Steps lead into jsonb only; a column that has become something else is as good as gone. */
	if (column->attnum != InvalidAttrNumber && column->path.nsteps > 0 && column->type != JSONBOID)
		column->attnum = InvalidAttrNumber;
	if (column->attnum == InvalidAttrNumber)
		return;
	getTypeOutputInfo(column->type, &output, &varlena);
	fmgr_info_cxt(output, &column->output, mapping->context);
}

/* Names a table as records do; a partition goes by the name of the table it belongs to. */
static char *
relation_name(Relation rel)
{
	Oid relid = RelationGetRelid(rel);

	if (rel->rd_rel->relispartition)
	{
		/* A detachment that is pending leaves a partition without ancestors. */
		List *ancestors = get_partition_ancestors(relid);

		if (ancestors != NIL)
			relid = llast_oid(ancestors);
	}
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/* Parses the trigger's arguments into the entry, which is valid only when all went well. */
static void
fill_mapping(QgMapping *mapping, TriggerData *trigger)
{
	Relation rel = trigger->tg_relation;
	MemoryContext caller;
	char **keys;
	char **values;

	/* A caller up the stack may still read what was parsed before, so that goes with the transaction. */
	if (mapping->context != NULL)
		MemoryContextSetParent(mapping->context, TopTransactionContext);
	mapping->context = AllocSetContextCreate(TopMemoryContext, "quality_gov guard mapping",
											 ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(mapping->context);
	mapping->relid = RelationGetRelid(rel);
	mapping->relation = relation_name(rel);
	mapping->ncolumns = parse_object(trigger->tg_trigger->tgargs[1], &keys, &values);
	mapping->columns = palloc0(sizeof(QgColumn) * (mapping->ncolumns + 1));
	mapping->keys = (const char **) keys;
	mapping->extra = NULL;
	for (int i = 0; i < mapping->ncolumns; i++)
	{
		mapping->columns[i].key = keys[i];
		mapping->columns[i].path = qg_path_parse(values[i]);
		resolve_column(mapping, &mapping->columns[i], RelationGetDescr(rel));
	}
	mapping->noptions = parse_object(trigger->tg_trigger->tgargs[2], &mapping->option_keys,
									 &mapping->option_values);
	MemoryContextSwitchTo(caller);
	mapping->valid = true;
}

/* Gives the parsed arguments of a trigger, current as of this call. */
QgMapping *
qg_mapping_get(TriggerData *trigger)
{
	QgMapping *mapping;
	bool found;

	if (mappings == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(QgMapping);
		mappings = hash_create("quality_gov guard mappings", 32, &ctl, HASH_ELEM | HASH_BLOBS);
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	}
	mapping = hash_search(mappings, &trigger->tg_trigger->tgoid, HASH_ENTER, &found);
	if (!found)
	{
		mapping->valid = false;
		mapping->context = NULL;
		mapping->relid = RelationGetRelid(trigger->tg_relation);
	}
	if (!mapping->valid)
		fill_mapping(mapping, trigger);
	return mapping;
}

/* Gives the column mapped to a key, or NULL. */
const QgColumn *
qg_mapping_column(const QgMapping *mapping, const char *key)
{
	for (int i = 0; i < mapping->ncolumns; i++)
		if (strcmp(mapping->columns[i].key, key) == 0)
			return &mapping->columns[i];
	return NULL;
}

/* Gives an option's text, or NULL. */
const char *
qg_mapping_option(const QgMapping *mapping, const char *key)
{
	for (int i = 0; i < mapping->noptions; i++)
		if (strcmp(mapping->option_keys[i], key) == 0)
			return mapping->option_values[i];
	return NULL;
}

/* Tells whether an option has a value. */
bool
qg_mapping_option_is(const QgMapping *mapping, const char *key, const char *value)
{
	const char *option = qg_mapping_option(mapping, key);

	return option != NULL && strcmp(option, value) == 0;
}

/* Raises an error where a mapped column is gone from the table. */
void
qg_column_require(const QgColumn *column)
{
	if (column->attnum == InvalidAttrNumber)
		ereport(
			ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("guarded table has no %scolumn \"%s\", which \"%s\" is mapped to",
					column->path.nsteps > 0 ? "jsonb " : "", column->path.column, column->key),
			 errhint("Remove the guard with quality_gov.guard_remove() and attach it again with "
					 "the present column names.")));
}

/* Gives a char(n) without the blanks that pad it, which are no part of its value. */
static char *
text_to_cstring_trimmed(Datum value)
{
	char *string = TextDatumGetCString(value);

	string[bpchartruelen(string, (int) strlen(string))] = '\0';
	return string;
}

/* Gives the value of the column that a key is mapped to, as stored. */
Datum
qg_column_datum(const QgColumn *column, HeapTuple row, TupleDesc desc, bool *isnull)
{
	qg_column_require(column);
	return heap_getattr(row, column->attnum, desc, isnull);
}

/* Gives a mapped value as text, NULL for null or an unmapped key. */
char *
qg_column_text(const QgColumn *column, HeapTuple row, TupleDesc desc)
{
	bool isnull;
	Datum value;

	if (column == NULL)
		return NULL;
	value = qg_column_datum(column, row, desc, &isnull);
	if (isnull)
		return NULL;
	if (column->path.nsteps > 0)
		return qg_path_text(&column->path, value);
	if (column->type == TEXTOID || column->type == VARCHAROID)
		return TextDatumGetCString(value);
	if (column->type == BPCHAROID)
		return text_to_cstring_trimmed(value);
	/* The number of a GTIN has lost the zeros it begins with. */
	if (column->type == INT8OID && strcmp(column->key, "gtin") == 0)
		return psprintf("%014lld", (long long) DatumGetInt64(value));
	return OutputFunctionCall(unconstify(FmgrInfo *, &column->output), value);
}

/* Gives a column's value as text, NULL for null, blank or an unmapped key. */
char *
qg_column_filled(const QgColumn *column, HeapTuple row, TupleDesc desc)
{
	char *text = qg_column_text(column, row, desc);

	return text != NULL && text[strspn(text, " \t\r\n")] != '\0' ? text : NULL;
}

/* Gives the instant in a mapped timestamptz column, the one given where it is null or unmapped. */
TimestampTz
qg_mapping_instant(const QgMapping *mapping, const char *key, HeapTuple row, TupleDesc desc,
				   TimestampTz unmapped)
{
	const QgColumn *column = qg_mapping_column(mapping, key);
	bool isnull;
	Datum value;

	if (column == NULL)
		return unmapped;
	qg_column_require(column);
	if (column->type != TIMESTAMPTZOID)
		return unmapped;
	value = heap_getattr(row, column->attnum, desc, &isnull);
	if (isnull)
		return unmapped;
	/* Every period would have ended by then, and nothing would be in force. */
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("\"%s\" in column \"%s\" must be a finite instant", key,
							   column->path.column)));
	return DatumGetTimestampTz(value);
}

/* Tells whether an update touched any mapped column but one (or none). */
bool
qg_mapping_changed_but(const QgMapping *mapping, HeapTuple old, HeapTuple new, TupleDesc desc,
					   const QgColumn *but)
{
	for (int i = 0; i < mapping->ncolumns; i++)
	{
		Form_pg_attribute att;
		bool oldnull;
		bool newnull;
		Datum oldvalue;
		Datum newvalue;

		if (&mapping->columns[i] == but)
			continue;
		if (mapping->columns[i].attnum == InvalidAttrNumber)
			return true;
		att = TupleDescAttr(desc, mapping->columns[i].attnum - 1);
		oldvalue = heap_getattr(old, att->attnum, desc, &oldnull);
		newvalue = heap_getattr(new, att->attnum, desc, &newnull);
		if (oldnull != newnull ||
			(!oldnull && !datum_image_eq(oldvalue, newvalue, att->attbyval, att->attlen)))
			return true;
	}
	return false;
}

/* Tells whether an update touched any mapped column. */
bool
qg_mapping_changed(const QgMapping *mapping, HeapTuple old, HeapTuple new, TupleDesc desc)
{
	return qg_mapping_changed_but(mapping, old, new, desc, NULL);
}
