/*
 * crypto_sign.c
 *		Signatures by Ed25519 (RFC 8032) and by SM2 with SM3 (GB/T 32918, 32905).
 *
 * A signature is 64 bytes in both: R || S, and r || s as two numbers of 32 bytes, big-endian.
 * libcrypto takes and gives SM2's as DER, which is converted here.  The signer's identity, which enters
 * what SM2 signs (ZA), is the default 1234567812345678 of GM/T 0009.
 *
 * Every handle is closed before the function that opened it returns, but for the parsed keys of
 * crypto_key.c and for a QgSigner, which its owner closes.  Nothing here allocates from the server or
 * raises an error.
 */
#include "quality_gov.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/crypto_key.h"

#define SM2_IDENTITY "1234567812345678"
#define SM2_DER_MAX 72 /* SEQUENCE of two INTEGERs of up to 33 bytes */

struct QgSigner
{
	EVP_PKEY *key;
	QgAlgorithm algorithm;
	uint8 public_key[QG_PUBLIC_KEY_MAX];
};

/* Writes a number of 32 bytes as a DER INTEGER, gives its length. */
static int
der_integer(const uint8 *number, uint8 *out)
{
	int zeros = 0;
	int pad;

	while (zeros < 31 && number[zeros] == 0)
		zeros++;
	pad = number[zeros] >= 0x80;
	out[0] = 0x02;
	out[1] = 32 - zeros + pad;
	out[2] = 0;
	memcpy(out + 2 + pad, number + zeros, 32 - zeros);
	return 2 + out[1];
}

/* Writes r || s as DER, gives the length. */
static int
sm2_to_der(const uint8 *signature, uint8 der[SM2_DER_MAX])
{
	int length = der_integer(signature, der + 2);

	length += der_integer(signature + 32, der + 2 + length);
	der[0] = 0x30;
	der[1] = length;
	return 2 + length;
}

/* Reads DER into r || s; false where it is none. */
static bool
sm2_from_der(const uint8 *der, size_t length, uint8 *signature)
{
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long) length);
	bool ok = parsed != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, 32) == 32 &&
			  BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + 32, 32) == 32;

	ECDSA_SIG_free(parsed);
	return ok;
}

/* Begins to sign or to verify with a key. */
static bool
begin(EVP_MD_CTX *ctx, EVP_PKEY *key, QgAlgorithm algorithm, bool sign)
{
	const char *digest = algorithm == QG_SM2 ? "SM3" : NULL;
	EVP_PKEY_CTX *options = NULL;
	int begun = sign ? EVP_DigestSignInit_ex(ctx, &options, digest, NULL, NULL, key, NULL)
					 : EVP_DigestVerifyInit_ex(ctx, &options, digest, NULL, NULL, key, NULL);

	return begun == 1 && (algorithm != QG_SM2 ||
						  EVP_PKEY_CTX_set1_id(options, SM2_IDENTITY, strlen(SM2_IDENTITY)) == 1);
}

/* Tells whether a signature of a message is that of a raw public key. */
bool
qg_signature_verify(QgAlgorithm algorithm, const uint8 *key, const uint8 *message, size_t length,
					const uint8 signature[QG_SIGNATURE_BYTES])
{
	EVP_PKEY *parsed = qg_public_key_get(algorithm, key);
	EVP_MD_CTX *ctx = parsed == NULL ? NULL : EVP_MD_CTX_new();
	uint8 der[SM2_DER_MAX];
	bool ok = false;

	if (ctx != NULL && begin(ctx, parsed, algorithm, false))
		ok = (algorithm == QG_SM2
				  ? EVP_DigestVerify(ctx, der, sm2_to_der(signature, der), message, length)
				  : EVP_DigestVerify(ctx, signature, QG_SIGNATURE_BYTES, message, length)) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		ERR_clear_error();
	return ok;
}

/* Gives no password: an encrypted key file is refused, nobody is asked at a terminal. */
static int
no_password(char *buffer, int size, int writing, void *arg)
{
	return -1;
}

/*
 * Reads a private key in PEM (PKCS 8); NULL where it is none of our algorithms.  The caller closes
 * it.
 */
QgSigner *
qg_signer_open(const uint8 *pem, size_t length)
{
	BIO *bio = BIO_new_mem_buf(pem, (int) length);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	QgSigner *signer = key == NULL ? NULL : OPENSSL_zalloc(sizeof(QgSigner));

	BIO_free(bio);
	if (signer != NULL && qg_key_algorithm(key, &signer->algorithm) &&
		qg_public_key_raw(key, signer->algorithm, signer->public_key))
		signer->key = key;
	else
	{
		EVP_PKEY_free(key);
		OPENSSL_free(signer);
		signer = NULL;
	}
	ERR_clear_error();
	return signer;
}

QgAlgorithm
qg_signer_algorithm(const QgSigner *signer)
{
	return signer->algorithm;
}

/* Gives the raw public key that belongs to the private one. */
const uint8 *
qg_signer_public_key(const QgSigner *signer)
{
	return signer->public_key;
}

/* Signs a message; false where libcrypto refuses. */
bool
qg_signer_sign(QgSigner *signer, const uint8 *message, size_t length,
			   uint8 signature[QG_SIGNATURE_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8 der[SM2_DER_MAX];
	size_t size = signer->algorithm == QG_SM2 ? SM2_DER_MAX : QG_SIGNATURE_BYTES;
	bool ok = ctx != NULL && begin(ctx, signer->key, signer->algorithm, true) &&
			  EVP_DigestSign(ctx, signer->algorithm == QG_SM2 ? der : signature, &size, message,
							 length) == 1;

	if (ok)
		ok = signer->algorithm == QG_SM2 ? sm2_from_der(der, size, signature)
										 : size == QG_SIGNATURE_BYTES;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* Forgets a private key. */
void
qg_signer_close(QgSigner *signer)
{
	if (signer == NULL)
		return;
	EVP_PKEY_free(signer->key);
	OPENSSL_free(signer);
}
