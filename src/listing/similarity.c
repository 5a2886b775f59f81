/*
 * similarity.c
 *		SQL functions on the likeness of texts, and the words that a brand is looked for in.
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"

#include "common/text.h"
#include "listing/similar.h"

/* Gives a text's code points, allocated, and their number; four bytes for one may be huge. */
static uint32 *
code_points(const text *input, int *length)
{
	const unsigned char *pos = (const unsigned char *) VARDATA_ANY(input);
	const unsigned char *end = pos + VARSIZE_ANY_EXHDR(input);
	uint32 *out = palloc_extended(sizeof(uint32) * (size_t) (end - pos + 1), MCXT_ALLOC_HUGE);

	for (*length = 0; pos < end; pos += pg_utf_mblen(pos))
		out[(*length)++] = utf8_to_unicode(pos);
	return out;
}

/* fingerprint_of(folded text): fingerprint of a text as it stands, null where it is empty. */
PG_FUNCTION_INFO_V1(qg_fingerprint_of);
Datum
qg_fingerprint_of(PG_FUNCTION_ARGS)
{
	int length;
	uint32 *points = code_points(PG_GETARG_TEXT_PP(0), &length);

	if (length == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) qg_fingerprint(points, length));
}

/* fingerprint_distance(bigint, bigint): number of bits in which two fingerprints differ. */
PG_FUNCTION_INFO_V1(qg_fingerprint_distance);
Datum
qg_fingerprint_distance(PG_FUNCTION_ARGS)
{
	uint64 differing = (uint64) PG_GETARG_INT64(0) ^ (uint64) PG_GETARG_INT64(1);

	PG_RETURN_INT32(pg_popcount64(differing));
}

/* edit_distance(text, text, limit): bounded Damerau-Levenshtein distance in code points. */
PG_FUNCTION_INFO_V1(qg_edit_distance_sql);
Datum
qg_edit_distance_sql(PG_FUNCTION_ARGS)
{
	int limit = PG_GETARG_INT32(2);
	int na;
	int nb;
	uint32 *a = code_points(PG_GETARG_TEXT_PP(0), &na);
	uint32 *b = code_points(PG_GETARG_TEXT_PP(1), &nb);

	if (limit < 0 || limit >= QG_EDIT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("limit must be between 0 and %d, found %d", QG_EDIT_MAX - 1, limit)));
	if (na > QG_EDIT_MAX || nb > QG_EDIT_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("texts to compare have %d and %d characters, the limit is %d", na,
							   nb, QG_EDIT_MAX)));
	PG_RETURN_INT32(qg_edit_distance(a, na, b, nb, limit));
}

/* Tells whether a code point is of a script that is written without spaces between words. */
static bool
is_cjk(uint32 c)
{
	return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
		   (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
		   (c >= 0x20000 && c <= 0x323af);
}

/* text_words(text): the words of a text, and its runs of Han, Kana or Hangul. */
PG_FUNCTION_INFO_V1(qg_text_words);
Datum
qg_text_words(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *pos = VARDATA_ANY(input);
	const char *end = pos + VARSIZE_ANY_EXHDR(input);
	const char *word = NULL; /* where the open word begins */
	bool cjk = false;		 /* what the open word is */
	int32 position = 0;

	InitMaterializedSRF(fcinfo, 0);
	for (;;)
	{
		uint32 c = pos < end ? utf8_to_unicode((const unsigned char *) pos) : 0;
		bool inside = pos < end && !(qg_char_class(c) & (QG_CHAR_SEPARATOR | QG_CHAR_IGNORABLE));

		CHECK_FOR_INTERRUPTS();
		if (word != NULL && (!inside || is_cjk(c) != cjk))
		{
			Datum values[3] = {Int32GetDatum(++position),
							   PointerGetDatum(cstring_to_text_with_len(word, pos - word)),
							   BoolGetDatum(cjk)};
			bool nulls[3] = {false};

			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			word = NULL;
		}
		if (pos >= end)
			break;
		if (inside && word == NULL)
		{
			word = pos;
			cjk = is_cjk(c);
		}
		pos += pg_utf_mblen((const unsigned char *) pos);
	}
	return (Datum) 0;
}
