/*
 * memo.c
 *		Remembers what is asked of every code point when a dictionary is compiled, so that tests can compile
 *		many; the linker puts it between (-Wl,--wrap).
 */
#include "core.h"

#include <stdlib.h>

#define CODES 0x110000

extern bool __real_qg_char_is_plain(uint32 codepoint);
extern void __real_qg_fold_learn(uint32 folds, uint32 codepoint, QgFoldEntry *entry);
extern bool __wrap_qg_char_is_plain(uint32 codepoint);
extern void __wrap_qg_fold_learn(uint32 folds, uint32 codepoint, QgFoldEntry *entry);

bool
__wrap_qg_char_is_plain(uint32 codepoint)
{
	static uint8 known[CODES]; /* 1 + answer */

	if (known[codepoint] == 0)
		known[codepoint] = 1 + __real_qg_char_is_plain(codepoint);
	return known[codepoint] == 2;
}

void
__wrap_qg_fold_learn(uint32 folds, uint32 codepoint, QgFoldEntry *entry)
{
	static QgFoldEntry *known[QG_FOLD_ALL + 1];
	QgFoldEntry *memo;

	if (known[folds] == NULL)
		known[folds] = calloc(CODES, sizeof(QgFoldEntry));
	memo = &known[folds][codepoint];
	if (!(memo->flags & 0x80))
	{
		__real_qg_fold_learn(folds, codepoint, memo);
		memo->flags |= 0x80;
	}
	*entry = *memo;
	entry->flags &= 0x7F;
}
