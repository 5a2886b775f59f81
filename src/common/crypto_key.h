/*
 * crypto_key.h
 *		Parsed public keys, for the crypto files alone: it names types of libcrypto.
 */
#ifndef QG_CRYPTO_KEY_H
#define QG_CRYPTO_KEY_H

#include "quality_gov.h"

#include <openssl/evp.h>

#include "common/crypto_sign.h"

extern EVP_PKEY *qg_public_key_get(QgAlgorithm algorithm, const uint8 *bytes);
extern bool qg_public_key_raw(EVP_PKEY *key, QgAlgorithm algorithm, uint8 *bytes);
extern bool qg_key_algorithm(EVP_PKEY *key, QgAlgorithm *algorithm);

#endif
