/*
 * mapping_path.c
 *		Where a mapped value comes from: a column, or a value inside a jsonb column.
 *
 * Guards run with the owner's rights, so a mapping is never SQL.  It is
 *
 *		source = column { ( "->" | "->>" ) ( 'key' | index ) }
 *
 * where column is the name as the catalog has it, or that name in double quotes, key is in single
 * quotes (doubled inside), and index an integer, from the end where negative.  Only the last arrow
 * may be "->>", which gives the text; "->" gives JSON.  A key that is absent and a JSON null are
 * both NULL.  The steps are the server's own functions.
 */
#include "quality_gov.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "common/mapping.h"

/* More steps than anybody's documents are deep. */
#define STEPS_MAX 32

typedef struct PathReader
{
	const char *source;
	const char *at;
} PathReader;

/* Raises an error about what stands where the reader is. */
static void
refuse(const PathReader *in, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR), errmsg("cannot read the mapping \"%s\"", in->source),
			 errdetail("At character %d: expected %s, found %s.",
					   pg_mbstrlen_with_len(in->source, (int) (in->at - in->source)) + 1, expected,
					   *in->at ? psprintf("\"%s\"", in->at) : "the end"),
			 errhint("Map a column, or a value inside a jsonb column: attrs->>'title', "
					 "attrs->'specs'->>'model', attrs->'codes'->>0.")));
}

static void
skip_blanks(PathReader *in)
{
	in->at += strspn(in->at, " \t\r\n");
}

/* Reads a text between two quotes, where a doubled quote stands for one. */
static char *
read_quoted(PathReader *in, char quote)
{
	StringInfoData text;

	initStringInfo(&text);
	for (in->at++;; in->at++)
	{
		if (*in->at == '\0')
			refuse(in, "a closing quote");
		if (*in->at == quote && *++in->at != quote)
			return text.data;
		appendStringInfoChar(&text, *in->at);
	}
}

/* Reads an index into an array. */
static int
read_index(PathReader *in)
{
	bool negative = *in->at == '-';
	int index = 0;

	if (negative)
		in->at++;
	if (!isdigit((unsigned char) *in->at))
		refuse(in, "a key in single quotes or an integer");
	for (; isdigit((unsigned char) *in->at); in->at++)
		if (pg_mul_s32_overflow(index, 10, &index) ||
			pg_sub_s32_overflow(index, *in->at - '0', &index))
			refuse(in, "a smaller index");
	/* Summed up below zero, where there is room for one more. */
	if (!negative && index == PG_INT32_MIN)
		refuse(in, "a smaller index");
	return negative ? index : -index;
}

/* Reads an arrow and what it leads to. */
static QgPathStep
read_step(PathReader *in)
{
	QgPathStep step = {0};

	if (strncmp(in->at, "->", 2) != 0)
		refuse(in, "-> or ->>");
	in->at += 2;
	step.text = *in->at == '>';
	if (step.text)
		in->at++;
	skip_blanks(in);
	if (*in->at == '\'')
		step.key = read_quoted(in, '\'');
	else
		step.index = read_index(in);
	skip_blanks(in);
	return step;
}

/* Reads the column, up to the first arrow. */
static char *
read_column(PathReader *in)
{
	const char *arrow;
	const char *start;
	size_t length;

	if (*in->at == '"')
	{
		char *column = read_quoted(in, '"');

		skip_blanks(in);
		return column;
	}
	arrow = strstr(in->at, "->");
	start = in->at;
	in->at = arrow ? arrow : in->at + strlen(in->at);
	/* Blanks before an arrow are no part of the name; without one the name is what is written. */
	for (length = in->at - start; arrow != NULL && length > 0; length--)
		if (!isspace((unsigned char) start[length - 1]))
			break;
	return pnstrdup(start, length);
}

/* Parses a mapping's value, in the current memory context; syntax_error with the position. */
QgPath
qg_path_parse(const char *source)
{
	PathReader in = {source, source};
	QgPath path = {0};

	path.steps = palloc0(sizeof(QgPathStep) * STEPS_MAX);
	path.column = read_column(&in);
	if (path.column[0] == '\0')
	{
		in.at = source;
		refuse(&in, "a column");
	}
	while (*in.at != '\0')
	{
		if (path.nsteps > 0 && path.steps[path.nsteps - 1].text)
			refuse(&in, "the end after ->>");
		if (path.nsteps == STEPS_MAX)
			refuse(&in, "fewer steps");
		path.steps[path.nsteps++] = read_step(&in);
	}
	return path;
}

/* Takes one step; false where it leads nowhere. */
static bool
take_step(const QgPathStep *step, Datum value, Datum *result)
{
	LOCAL_FCINFO(call, 2);

	InitFunctionCallInfoData(*call, NULL, 2, InvalidOid, NULL, NULL);
	call->args[0].value = value;
	call->args[0].isnull = false;
	call->args[1].value = step->key ? CStringGetTextDatum(step->key) : Int32GetDatum(step->index);
	call->args[1].isnull = false;
	if (step->key != NULL)
		*result = step->text ? jsonb_object_field_text(call) : jsonb_object_field(call);
	else
		*result = step->text ? jsonb_array_element_text(call) : jsonb_array_element(call);
	return !call->isnull;
}

/* Gives the text that a path leads to inside a jsonb value, NULL where it leads nowhere or to null. */
char *
qg_path_text(const QgPath *path, Datum value)
{
	Jsonb *json;
	JsonbValue scalar;

	for (int i = 0; i < path->nsteps; i++)
		if (!take_step(&path->steps[i], value, &value))
			return NULL;
	if (path->nsteps > 0 && path->steps[path->nsteps - 1].text)
		return TextDatumGetCString(value);
	json = DatumGetJsonbP(value);
	if (JB_ROOT_IS_SCALAR(json) && JsonbExtractScalar(&json->root, &scalar) &&
		scalar.type == jbvNull)
		return NULL;
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

/* mapping_parse(source): the column and the keys that a mapping's value names. */
PG_FUNCTION_INFO_V1(qg_mapping_parse);
Datum
qg_mapping_parse(PG_FUNCTION_ARGS)
{
	QgPath path = qg_path_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Datum steps[STEPS_MAX];
	Datum values[2];
	bool nulls[2] = {false, false};
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "mapping_parse must return a row");
	for (int i = 0; i < path.nsteps; i++)
		steps[i] = CStringGetTextDatum(path.steps[i].key ? path.steps[i].key
														 : psprintf("%d", path.steps[i].index));
	values[0] = CStringGetTextDatum(path.column);
	values[1] = PointerGetDatum(
		construct_array(steps, path.nsteps, TEXTOID, -1, false, TYPALIGN_INT));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
