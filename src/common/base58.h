/*
 * base58.h
 *		Base 58 with Bitcoin's alphabet, as multibase "z" writes it.
 */
#ifndef QG_BASE58_H
#define QG_BASE58_H

#include "quality_gov.h"

/* More is not encoded or decoded: the work grows with the square. */
#define QG_BASE58_BYTES_MAX 1024
/* Room for the text of so many bytes, with a terminating zero byte. */
#define QG_BASE58_SIZE(bytes) ((bytes) *7 / 5 + 2)

extern int qg_base58_encode(const uint8 *bytes, int length, char *text);
extern int qg_base58_decode(const char *text, int length, uint8 *bytes, int room);

#endif
