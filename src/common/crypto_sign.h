/*
 * crypto_sign.h
 *		Signatures by Ed25519 and by SM2 with SM3.
 */
#ifndef QG_CRYPTO_SIGN_H
#define QG_CRYPTO_SIGN_H

#include "quality_gov.h"

#include "common/crypto.h"

#define QG_SIGNATURE_BYTES 64 /* R || S, or r || s */
#define QG_PUBLIC_KEY_MAX 65

typedef enum QgAlgorithm
{
	QG_ED25519, /* RFC 8032, keys of 32 bytes */
	QG_SM2		/* GB/T 32918 with SM3, keys 04 || x || y of 65 bytes */
} QgAlgorithm;

/* What is wrong with a public key. */
typedef enum QgKeyFault
{
	QG_KEY_OK,
	QG_KEY_FORMAT,		  /* neither raw nor SubjectPublicKeyInfo, in DER or PEM */
	QG_KEY_TYPE,		  /* of another algorithm */
	QG_KEY_LENGTH,		  /* raw, of a wrong length */
	QG_KEY_NOT_CANONICAL, /* a coordinate beyond the field */
	QG_KEY_NO_POINT,	  /* not on the curve */
	QG_KEY_SMALL_ORDER,	  /* any signature would do for some messages */
	QG_KEY_UNSUPPORTED	  /* libcrypto was built without the algorithm */
} QgKeyFault;

/* A private key in libcrypto's memory. */
typedef struct QgSigner QgSigner;

extern int qg_public_key_length(QgAlgorithm algorithm);
extern QgKeyFault qg_public_key_check(QgAlgorithm algorithm, const uint8 *key, size_t length);
extern QgKeyFault qg_public_key_parse(QgAlgorithm algorithm, const uint8 *input, size_t length,
									  uint8 key[QG_PUBLIC_KEY_MAX]);
extern bool qg_signature_verify(QgAlgorithm algorithm, const uint8 *key, const uint8 *message,
								size_t length, const uint8 signature[QG_SIGNATURE_BYTES]);

extern QgSigner *qg_signer_open(const uint8 *pem, size_t length);
extern QgAlgorithm qg_signer_algorithm(const QgSigner *signer);
extern const uint8 *qg_signer_public_key(const QgSigner *signer);
extern bool qg_signer_sign(QgSigner *signer, const uint8 *message, size_t length,
						   uint8 signature[QG_SIGNATURE_BYTES]);
extern void qg_signer_close(QgSigner *signer);

#endif
