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
#include <unicode/ustring.h>
#include <unicode/uversion.h>
#include <unicode/utf16.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "common/text.h"

/* Longest run of combining characters that is normalised as one piece. */
#define SEGMENT_MAX 64

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
	if (type & (U_GC_P_MASK | U_GC_Z_MASK | U_GC_S_MASK | U_GC_CC_MASK))
		mask |= QG_CHAR_SEPARATOR;
	if ((type & U_GC_ND_MASK) ||
		((type & U_GC_L_MASK) && u_hasBinaryProperty(c, UCHAR_ALPHABETIC) &&
		 u_getIntPropertyValue(c, UCHAR_SCRIPT) == USCRIPT_LATIN))
		mask |= QG_CHAR_WORD;
	return mask;
}

/* Folds the case of one code point where that gives one code point. */
uint32
qg_char_fold_case(uint32 codepoint)
{
	return (uint32) u_foldCase((UChar32) codepoint, U_FOLD_CASE_DEFAULT);
}

/* Tells whether normalisation never looks from before this code point into it. */
bool
qg_char_starts_segment(uint32 codepoint)
{
	return unorm2_hasBoundaryBefore(normalizer(true), (UChar32) codepoint) &&
		   unorm2_hasBoundaryBefore(normalizer(false), (UChar32) codepoint);
}

/* Normalises one piece of text given as code points; returns the number written. */
static int
normalize(bool casefold, const uint32 *in, int nin, uint32 *out, int maxout)
{
	UChar source[SEGMENT_MAX * 2];
	UChar target[SEGMENT_MAX * 36];
	int32_t length = 0;
	int32_t pos = 0;
	int nout = 0;
	UErrorCode status = U_ZERO_ERROR;

	if (nin > SEGMENT_MAX)
		elog(ERROR, "normalisation of %d code points at once", nin);
	for (int i = 0; i < nin; i++)
		U16_APPEND_UNSAFE(source, length, in[i]);
	length = unorm2_normalize(normalizer(casefold), source, length, target, lengthof(target),
							  &status);
	if (U_FAILURE(status))
		elog(ERROR, "ICU normalisation failed: %s", u_errorName(status));
	while (pos < length && nout < maxout)
	{
		UChar32 c;

		U16_NEXT(target, pos, length, c);
		out[nout++] = (uint32) c;
	}
	return nout;
}

/*
 * Gives NFKC_Casefold of up to 64 code points as code points; out has room for maxout, what does
 * not fit is cut.  18 code points for one is the longest expansion Unicode defines.
 */
int
qg_text_nfkc_casefold(const uint32 *in, int nin, uint32 *out, int maxout)
{
	return normalize(true, in, nin, out, maxout);
}

/* The same without folding case. */
int
qg_text_nfkc(const uint32 *in, int nin, uint32 *out, int maxout)
{
	return normalize(false, in, nin, out, maxout);
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
	uint32 segment[SEGMENT_MAX];
	uint32 folded[SEGMENT_MAX * 18];
	int nsegment = 0;

	initStringInfo(&key);
	while (pos < end || nsegment > 0)
	{
		uint32 c = 0;

		CHECK_FOR_INTERRUPTS();
		if (pos < end)
			c = utf8_to_unicode(pos);
		if (nsegment > 0 && (pos >= end || nsegment == SEGMENT_MAX || qg_char_starts_segment(c)))
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
