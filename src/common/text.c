/*
 * text.c
 *		Unicode services over ICU: character classes, compatibility folding and look-alikes.
 *
 * ICU's singleton normalizers need no close, and the checker of look-alikes is opened once a backend
 * and kept, so nothing leaks when the server raises an error.
 */
#include "quality_gov.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>
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
	if (type & U_GC_ND_MASK)
		mask |= QG_CHAR_DIGIT;
	if ((type & U_GC_ND_MASK) ||
		((type & U_GC_L_MASK) && u_hasBinaryProperty(c, UCHAR_ALPHABETIC) &&
		 u_getIntPropertyValue(c, UCHAR_SCRIPT) == USCRIPT_LATIN))
		mask |= QG_CHAR_WORD;
	return mask;
}

/* Numerals as Chinese writes them, plain and in the form of accounts, by value. */
static const uint32 han_numerals[10][4] = {
	{0x3007, 0x96F6}, {0x4E00, 0x58F9}, {0x4E8C, 0x8D30, 0x8CB3}, {0x4E09, 0x53C1, 0x53C4},
	{0x56DB, 0x8086}, {0x4E94, 0x4F0D}, {0x516D, 0x9646, 0x9678}, {0x4E03, 0x67D2},
	{0x516B, 0x634C}, {0x4E5D, 0x7396}};

/* Gives the value of a Han numeral, or -1. */
static int
han_numeral_value(uint32 codepoint)
{
	if (codepoint < 0x3007 || codepoint > 0x9FFF)
		return -1;
	for (int value = 0; value < 10; value++)
		for (int i = 0; i < 4; i++)
			if (han_numerals[value][i] == codepoint)
				return value;
	return -1;
}

/* Tells whether a code point is a Han numeral from 0 to 9. */
bool
qg_char_han_numeral(uint32 codepoint)
{
	return han_numeral_value(codepoint) >= 0;
}

/*
 * Gives the number that a single character writes, from 0 to 50, or -1: decimal digits of all
 * scripts, enclosed, raised and Roman numbers, Han numerals.
 */
int
qg_char_number(uint32 codepoint)
{
	int value = han_numeral_value(codepoint);
	uint32 type = U_GET_GC_MASK((UChar32) codepoint);
	double number;

	if (value >= 0)
		return value;
	if (type & U_GC_ND_MASK)
		return u_charDigitValue((UChar32) codepoint);
	if (!(type & (U_GC_NO_MASK | U_GC_NL_MASK)))
		return -1;
	number = u_getNumericValue((UChar32) codepoint);
	return number >= 0 && number <= 50 && number == (int) number ? (int) number : -1;
}

/* Traditional characters and their simplified forms, ascending. */
typedef struct Simplified
{
	UChar32 from;
	UChar32 to;
} Simplified;

static Simplified *simplified = NULL;
static int nsimplified = 0;

/* Transliterates one code point, itself where what comes out is not one. */
static UChar32
transliterate(const UTransliterator *transliterator, UChar32 c)
{
	UChar text[8];
	int32_t length = 0;
	int32_t limit;
	int32_t pos = 0;
	UErrorCode status = U_ZERO_ERROR;
	UChar32 result;

	U16_APPEND_UNSAFE(text, length, c);
	limit = length;
	utrans_transUChars(transliterator, text, &length, lengthof(text), 0, &limit, &status);
	if (U_FAILURE(status) || length == 0)
		return c;
	U16_NEXT(text, pos, length, result);
	return pos == length ? result : c;
}

/* Asks ICU's transliterator for every character that it would change; malloc, since handles are open. */
static void
read_simplified(void)
{
	static const UChar id[] = u"Traditional-Simplified";
	UErrorCode status = U_ZERO_ERROR;
	UTransliterator *transliterator = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
	USet *source = NULL;
	Simplified *table = NULL;
	int count = 0;

	if (U_SUCCESS(status))
		source = utrans_getSourceSet(transliterator, false, NULL, &status);
	if (U_SUCCESS(status))
		table = malloc(sizeof(Simplified) * (size_t) (uset_size(source) + 1));
	for (int32_t i = 0; table != NULL && i < uset_getItemCount(source); i++)
	{
		UChar32 first;
		UChar32 last;
		UErrorCode ignored = U_ZERO_ERROR;

		if (uset_getItem(source, i, &first, &last, NULL, 0, &ignored) != 0)
			continue;
		for (UChar32 c = first; c <= last; c++)
		{
			UChar32 to = transliterate(transliterator, c);

			if (to != c)
				table[count++] = (Simplified){c, to};
		}
	}
	if (source != NULL)
		uset_close(source);
	if (transliterator != NULL)
		utrans_close(transliterator);
	if (U_FAILURE(status))
		elog(ERROR, "ICU has no transliterator to simplified characters: %s", u_errorName(status));
	if (table == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	simplified = table;
	nsimplified = count;
}

/* Gives the simplified form of a traditional character, any other code point as it is. */
uint32
qg_char_simplify(uint32 codepoint)
{
	int low = 0;
	int high;

	if (codepoint < 0x2E80)
		return codepoint;
	if (simplified == NULL)
		read_simplified();
	high = nsimplified;
	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (simplified[middle].from == (UChar32) codepoint)
			return (uint32) simplified[middle].to;
		if (simplified[middle].from < (UChar32) codepoint)
			low = middle + 1;
		else
			high = middle;
	}
	return codepoint;
}

/*
 * Tells, without a look at normalisation, that a code point stands for itself whatever is folded and
 * has none of the properties above: a Han character of one form, or one that is not assigned.
 */
bool
qg_char_is_plain(uint32 codepoint)
{
	UChar32 c = (UChar32) codepoint;
	uint32 type = U_GET_GC_MASK(c);

	if (type & (U_GC_CN_MASK | U_GC_CO_MASK | U_GC_CS_MASK))
		return !u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
	return (type & U_GC_LO_MASK) && u_hasBinaryProperty(c, UCHAR_UNIFIED_IDEOGRAPH) &&
		   qg_char_simplify(codepoint) == codepoint && !qg_char_han_numeral(codepoint);
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

/* Gives the one ASCII letter that Unicode's confusables show a character as, or 0 (UTS 39). */
static UChar32
skeleton_letter(UChar32 c)
{
	USpoofChecker *checker = spoof_checker();
	UErrorCode status = U_ZERO_ERROR;
	UChar source[2];
	UChar target[32];
	int32_t length = 0;

	U16_APPEND_UNSAFE(source, length, c);
	length = uspoof_getSkeleton(checker, 0, source, length, target, lengthof(target), &status);
	if (U_FAILURE(status) || length != 1 || target[0] >= 0x80 || !u_isalpha(target[0]))
		return 0;
	/* The skeleton takes a capital I for a small l. */
	return target[0] == 'l' && u_isupper(c) ? 'I' : target[0];
}

/*
 * Gives the ASCII letter that a Latin, Cyrillic, Greek, Armenian, Cherokee, Coptic, Lisu or
 * mathematical letter looks like, any other code point as it is.  A small letter that looks like
 * none goes with its capital, so that case folding still joins the two.
 */
uint32
qg_char_latin(uint32 codepoint)
{
	UChar32 c = (UChar32) codepoint;
	UChar32 letter;

	if (codepoint < 0x80 || !u_isalpha(c))
		return codepoint;
	if (u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE) == U_DT_FONT)
	{
		uint32 plain[2];

		if (qg_text_nfkc(&codepoint, 1, plain, lengthof(plain)) == 1)
			c = (UChar32) plain[0];
		if (c < 0x80)
			return (uint32) c;
	}
	else if (u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE) != U_DT_NONE)
		return codepoint;
	switch (u_getIntPropertyValue(c, UCHAR_SCRIPT))
	{
		case USCRIPT_LATIN:
		case USCRIPT_CYRILLIC:
		case USCRIPT_GREEK:
		case USCRIPT_ARMENIAN:
		case USCRIPT_CHEROKEE:
		case USCRIPT_COPTIC:
		case USCRIPT_LISU:
			break;
		default:
			return (uint32) c;
	}
	letter = skeleton_letter(c);
	if (letter == 0 && u_islower(c) && u_toupper(c) != c)
		letter = u_tolower(skeleton_letter(u_toupper(c)));
	return letter != 0 ? (uint32) letter : (uint32) c;
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
	UChar source[(QG_SEGMENT_MAX + 1) * 2];
	UChar target[(QG_SEGMENT_MAX + 1) * QG_EXPANSION_MAX * 2];
	int32_t length = 0;
	int32_t pos = 0;
	int nout = 0;
	UErrorCode status = U_ZERO_ERROR;

	if (nin > QG_SEGMENT_MAX + 1)
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

/*
 * Gives the skeleton (UTS 39) of a text: texts that look alike have the same one.  In the current
 * memory context; length is that of the result, too.
 */
static char *
text_skeleton(const char *utf8, size_t *length)
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

/* text_skeleton(body): what texts that look alike have in common. */
PG_FUNCTION_INFO_V1(qg_text_skeleton);
Datum
qg_text_skeleton(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	size_t length = VARSIZE_ANY_EXHDR(input);
	char *skeleton = text_skeleton(VARDATA_ANY(input), &length);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(skeleton, (int) length));
}
