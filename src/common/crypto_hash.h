/*
 * crypto_hash.h
 *		Digests of many small pieces: SHA-256 with an algorithm fetched once and a context reused.
 */
#ifndef QG_CRYPTO_HASH_H
#define QG_CRYPTO_HASH_H

#include "quality_gov.h"

#define QG_SHA256_BYTES 32

/* Bytes that are hashed one piece after the other. */
typedef struct QgPiece
{
	const void *data;
	size_t length;
} QgPiece;

extern void qg_sha256_pieces(const QgPiece *pieces, int npieces, uint8 digest[QG_SHA256_BYTES]);

#endif
