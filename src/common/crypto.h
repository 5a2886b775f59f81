/*
 * crypto.h
 *		Cryptographic services; only crypto*.c includes OpenSSL's headers.
 */
#ifndef QG_CRYPTO_H
#define QG_CRYPTO_H

#include "quality_gov.h"

#include "common/crypto_hash.h"

extern bool qg_hmac_sha256(const uint8 *key, size_t keylen, const uint8 *data, size_t datalen,
						   uint8 digest[QG_SHA256_BYTES]);
extern void qg_secret_clear(void *secret, size_t length);
extern bool qg_secrets_equal(const uint8 *a, const uint8 *b, size_t length);
extern uint8 *qg_key_file_read(const char *path, const char *setting, size_t min, size_t *length);
extern const char *qg_crypto_version(void);
extern void qg_key_forget(uint8 *key, size_t length);

#endif
