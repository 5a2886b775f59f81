/*
 * text.c
 *		Unicode services over ICU: character classes and compatibility folding.
 *
 * Only ICU's singleton normalizers are used; they need no close, so nothing leaks when the
 * server raises an error.
 */
#include "quality_gov.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/uversion.h>
#include <unicode/utf16.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "common/text.h"

/* Gives ICU's NFKC_Casefold or NFKC normalizer. */
static const UNormalizer2 *
normalizer(bool casefold)
{
	static const UNormalizer2 *instance[2] = {NULL, NULL};
	UErrorCode status = U_ZERO_ERROR;

	if (instance[casefold] == NULL)
	{
		const UNormalizer2 *found = casefold ? unorm2_getNFKCCasefoldInstance(&status)
											 : unorm2_getNFKCInstance(&status);

		if (U_FAILURE(status))
			elog(ERROR, "ICU has no normalizer: %s", u_errorName(status));
		instance[casefold] = found;
	}
	return instance[casefold];
}

/* Tells the properties of a code point that matching depends on. */
uint32
qg_char_class(uint32 codepoint)
{
	UChar32 c = (UChar32) codepoint;
	uint32 mask = 0;
	uint32 type = U_GET_GC_MASK(c);

	if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || (type & U_GC_CC_MASK))
		mask |= QG_CHAR_IGNORABLE;
	if (type & (U_GC_P_MASK | U_GC_Z_MASK | U_GC_S_MASK | U_GC_CC_MASK | U_GC_ME_MASK))
		mask |= QG_CHAR_SEPARATOR;
	if (type & (U_GC_MN_MASK | U_GC_MC_MASK))
		mask |= QG_CHAR_MARK;
	if ((type & U_GC_ND_MASK) ||
		((type & U_GC_L_MASK) && u_hasBinaryProperty(c, UCHAR_ALPHABETIC) &&
		 u_getIntPropertyValue(c, UCHAR_SCRIPT) == USCRIPT_LATIN))
		mask |= QG_CHAR_WORD;
	return mask;
}

/* Tells whether normalisation never looks from before this code point into it. */
bool
qg_char_starts_segment(uint32 codepoint)
{
	return unorm2_hasBoundaryBefore(normalizer(true), (UChar32) codepoint) &&
		   unorm2_hasBoundaryBefore(normalizer(false), (UChar32) codepoint);
}

/* What transform() does to a piece of text. */
typedef enum Transform
{
	NFKC_CASEFOLD,
	NFKC,
	CASEFOLD
} Transform;

/* Transforms one piece of text given as code points; returns the number written. */
static int
transform(Transform kind, const uint32 *in, int nin, uint32 *out, int maxout)
{
	UChar source[QG_SEGMENT_MAX * 2];
	UChar target[QG_SEGMENT_MAX * QG_EXPANSION_MAX * 2];
	int32_t length = 0;
	int32_t pos = 0;
	int nout = 0;
	UErrorCode status = U_ZERO_ERROR;

	if (nin > QG_SEGMENT_MAX)
		elog(ERROR, "%d code points to transform at once", nin);
	for (int i = 0; i < nin; i++)
		U16_APPEND_UNSAFE(source, length, in[i]);
	if (kind == CASEFOLD)
		length = u_strFoldCase(target, lengthof(target), source, length, U_FOLD_CASE_DEFAULT,
							   &status);
	else
		length = unorm2_normalize(normalizer(kind == NFKC_CASEFOLD), source, length, target,
								  lengthof(target), &status);
	if (U_FAILURE(status))
		elog(ERROR, "ICU transformation failed: %s", u_errorName(status));
	while (pos < length && nout < maxout)
	{
		UChar32 c;

		U16_NEXT(target, pos, length, c);
		out[nout++] = (uint32) c;
	}
	return nout;
}

/*
 * Gives NFKC_Casefold of up to QG_SEGMENT_MAX code points as code points; out has room for maxout,
 * what does not fit is cut.
 */
int
qg_text_nfkc_casefold(const uint32 *in, int nin, uint32 *out, int maxout)
{
	return transform(NFKC_CASEFOLD, in, nin, out, maxout);
}

/* The same without folding case. */
int
qg_text_nfkc(const uint32 *in, int nin, uint32 *out, int maxout)
{
	return transform(NFKC, in, nin, out, maxout);
}

/* Gives the full case folding, without normalising. */
int
qg_text_casefold(const uint32 *in, int nin, uint32 *out, int maxout)
{
	return transform(CASEFOLD, in, nin, out, maxout);
}

/* Names the ICU and Unicode versions that folding depends on. */
const char *
qg_text_icu_version(void)
{
	return "ICU " U_ICU_VERSION ", Unicode " U_UNICODE_VERSION;
}

/* name_key(text): the form of a name that watch-lists compare. */
PG_FUNCTION_INFO_V1(qg_name_key);
Datum
qg_name_key(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	const unsigned char *pos = (const unsigned char *) VARDATA_ANY(input);
	const unsigned char *end = pos + VARSIZE_ANY_EXHDR(input);
	StringInfoData key;
	uint32 segment[QG_SEGMENT_MAX];
	uint32 folded[QG_SEGMENT_MAX * QG_EXPANSION_MAX];
	int nsegment = 0;

	initStringInfo(&key);
	while (pos < end || nsegment > 0)
	{
		uint32 c = 0;

		CHECK_FOR_INTERRUPTS();
		if (pos < end)
			c = utf8_to_unicode(pos);
		if (nsegment > 0 && (pos >= end || nsegment == QG_SEGMENT_MAX || qg_char_starts_segment(c)))
		{
			int nfolded = qg_text_nfkc_casefold(segment, nsegment, folded, lengthof(folded));

			for (int i = 0; i < nfolded; i++)
			{
				unsigned char utf8[5] = {0};

				if (qg_char_class(folded[i]) & (QG_CHAR_SEPARATOR | QG_CHAR_IGNORABLE))
					continue;
				unicode_to_utf8(folded[i], utf8);
				appendStringInfoString(&key, (char *) utf8);
			}
			nsegment = 0;
		}
		if (pos < end)
		{
			segment[nsegment++] = c;
			pos += pg_utf_mblen(pos);
		}
	}
	if (key.len == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(key.data, key.len));
}

/* Gives ICU's checker of look-alikes, opened once a backend. */
static USpoofChecker *
spoof_checker(void)
{
	static USpoofChecker *checker = NULL;
	UErrorCode status = U_ZERO_ERROR;

	if (checker == NULL)
	{
		checker = uspoof_open(&status);
		if (U_FAILURE(status))
		{
			checker = NULL;
			elog(ERROR, "ICU has no checker of look-alikes: %s", u_errorName(status));
		}
	}
	return checker;
}

/*
 * Gives the skeleton (UTS 39) of a text: texts that look alike have the same one.  In the current
 * memory context; length is that of the result, too.
 */
char *
qg_text_skeleton(const char *utf8, size_t *length)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t size = (int32_t) Min(*length, (size_t) 1 << 28) * 2 + 16;
	char *skeleton = palloc(size);
	int32_t needed = uspoof_getSkeletonUTF8(spoof_checker(), 0, utf8, (int32_t) *length, skeleton,
											size, &status);

	if (status == U_BUFFER_OVERFLOW_ERROR)
	{
		status = U_ZERO_ERROR;
		skeleton = repalloc(skeleton, (Size) needed + 1);
		needed = uspoof_getSkeletonUTF8(spoof_checker(), 0, utf8, (int32_t) *length, skeleton,
										needed + 1, &status);
	}
	if (U_FAILURE(status))
		elog(ERROR, "ICU skeleton failed: %s", u_errorName(status));
	*length = (size_t) needed;
	return skeleton;
}

/* text_skeleton(text) */
PG_FUNCTION_INFO_V1(qg_text_skeleton_sql);
Datum
qg_text_skeleton_sql(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	size_t length = VARSIZE_ANY_EXHDR(input);
	char *skeleton = qg_text_skeleton(VARDATA_ANY(input), &length);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(skeleton, (int) length));
}
