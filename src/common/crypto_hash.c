/*
 * crypto_hash.c
 *		Digests of many small pieces.
 *
 * OpenSSL 3 looks an algorithm up anew in every one-shot call, which costs more than hashing a short
 * message: it is fetched once in a backend, and so is the context.
 */
#include "quality_gov.h"

#include <openssl/evp.h>

#include "common/crypto_hash.h"

/* Fetches the algorithm and makes the context; false where libcrypto refuses. */
static bool
sha256_prepare(EVP_MD **algorithm, EVP_MD_CTX **context)
{
	if (*algorithm == NULL)
		*algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (*context == NULL)
		*context = EVP_MD_CTX_new();
	return *algorithm != NULL && *context != NULL;
}

/* Computes the SHA-256 digest of pieces put together. */
void
qg_sha256_pieces(const QgPiece *pieces, int npieces, uint8 digest[QG_SHA256_BYTES])
{
	static EVP_MD *algorithm = NULL;
	static EVP_MD_CTX *context = NULL;
	unsigned int length = 0;
	bool ok = sha256_prepare(&algorithm, &context) &&
			  EVP_DigestInit_ex2(context, algorithm, NULL) == 1;

	for (int i = 0; ok && i < npieces; i++)
		ok = EVP_DigestUpdate(context, pieces[i].data, pieces[i].length) == 1;
	if (!ok || EVP_DigestFinal_ex(context, digest, &length) != 1 || length != QG_SHA256_BYTES)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("libcrypto refused to compute SHA-256")));
}
