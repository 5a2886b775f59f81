/*
 * crypto_hash.h
 *		Digests: SHA-256 and SM3, with algorithms fetched once and contexts reused.
 */
#ifndef QG_CRYPTO_HASH_H
#define QG_CRYPTO_HASH_H

#include "quality_gov.h"

#define QG_DIGEST_BYTES 32
#define QG_SHA256_BYTES QG_DIGEST_BYTES

/* Bytes that are hashed one piece after the other. */
typedef struct QgPiece
{
	const void *data;
	size_t length;
} QgPiece;

extern bool qg_sha256(const void *data, size_t length, uint8 digest[QG_DIGEST_BYTES]);
extern bool qg_sm3(const void *data, size_t length, uint8 digest[QG_DIGEST_BYTES]);
extern void qg_sha256_pieces(const QgPiece *pieces, int npieces, uint8 digest[QG_SHA256_BYTES]);

#endif
