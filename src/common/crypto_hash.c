/*
 * crypto_hash.c
 *		Digests: SHA-256, and SM3 where libcrypto has it.
 *
 * OpenSSL 3 looks an algorithm up anew in every one-shot call, which costs more than hashing a short
 * message: it is fetched once in a backend, and so is the context.
 */
#include "quality_gov.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/crypto_hash.h"

/* An algorithm of 32 bytes, fetched at its first use. */
typedef struct Digest
{
	const char *name;
	EVP_MD *algorithm;
	EVP_MD_CTX *context;
} Digest;

static Digest sha256 = {.name = "SHA256"};
static Digest sm3 = {.name = "SM3"};

/* Fetches the algorithm and makes the context; false where libcrypto refuses. */
static bool
digest_prepare(Digest *digest)
{
	if (digest->algorithm == NULL)
		digest->algorithm = EVP_MD_fetch(NULL, digest->name, NULL);
	if (digest->context == NULL)
		digest->context = EVP_MD_CTX_new();
	if (digest->algorithm != NULL && digest->context != NULL)
		return true;
	ERR_clear_error();
	return false;
}

/* Computes the digest of pieces put together; false where libcrypto refuses. */
static bool
digest_pieces(Digest *digest, const QgPiece *pieces, int npieces, uint8 out[QG_DIGEST_BYTES])
{
	unsigned int length = 0;
	bool ok = digest_prepare(digest) &&
			  EVP_DigestInit_ex2(digest->context, digest->algorithm, NULL) == 1;

	for (int i = 0; ok && i < npieces; i++)
		ok = EVP_DigestUpdate(digest->context, pieces[i].data, pieces[i].length) == 1;
	return ok && EVP_DigestFinal_ex(digest->context, out, &length) == 1 &&
		   length == QG_DIGEST_BYTES;
}

/* Computes the SHA-256 digest of pieces put together. */
void
qg_sha256_pieces(const QgPiece *pieces, int npieces, uint8 digest[QG_SHA256_BYTES])
{
	if (!digest_pieces(&sha256, pieces, npieces, digest))
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("libcrypto refused to compute SHA-256")));
}

/* Computes SHA-256; false where libcrypto refuses. */
bool
qg_sha256(const void *data, size_t length, uint8 digest[QG_DIGEST_BYTES])
{
	const QgPiece piece = {data, length};

	return digest_pieces(&sha256, &piece, 1, digest);
}

/* Computes SM3; false where libcrypto lacks it. */
bool
qg_sm3(const void *data, size_t length, uint8 digest[QG_DIGEST_BYTES])
{
	const QgPiece piece = {data, length};

	return digest_pieces(&sm3, &piece, 1, digest);
}
