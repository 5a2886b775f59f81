/*
 * text.h
 *		Unicode services; text.c is the only file that includes ICU's headers.
 */
#ifndef QG_TEXT_H
#define QG_TEXT_H

#include "quality_gov.h"

/* Properties of a code point, as a mask. */
#define QG_CHAR_IGNORABLE 0x01 /* default-ignorable or control: invisible between letters */
#define QG_CHAR_SEPARATOR 0x02 /* punctuation, space, symbol, emoji, enclosing mark, control */
#define QG_CHAR_WORD 0x04	   /* Latin letter or decimal digit: words are delimited */
#define QG_CHAR_MARK 0x08	   /* combining mark: belongs to the character before it */
#define QG_CHAR_DIGIT 0x10	   /* decimal digit, of any script */

/* Most code points that are normalised as one piece, and the most that one can become. */
#define QG_SEGMENT_MAX 64
#define QG_EXPANSION_MAX 18

extern uint32 qg_char_class(uint32 codepoint);
extern bool qg_char_starts_segment(uint32 codepoint);
extern bool qg_char_is_plain(uint32 codepoint);
extern uint32 qg_char_simplify(uint32 codepoint);
extern uint32 qg_char_latin(uint32 codepoint);
extern int qg_char_number(uint32 codepoint);
extern bool qg_char_han_numeral(uint32 codepoint);
extern int qg_text_nfkc_casefold(const uint32 *in, int nin, uint32 *out, int maxout);
extern int qg_text_nfkc(const uint32 *in, int nin, uint32 *out, int maxout);
extern int qg_text_casefold(const uint32 *in, int nin, uint32 *out, int maxout);
extern const char *qg_text_icu_version(void);

#endif
