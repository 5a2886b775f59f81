/*
 * crypto_key.c
 *		Public keys of Ed25519 and SM2: read in any usual form, checked, and kept parsed.
 *
 * libcrypto takes any 32 bytes for an Ed25519 key and says no only when it verifies.  Some of them are
 * points of small order, for which one signature fits many messages, or are written with a
 * coordinate beyond the field, so that one key has two spellings.  Both are refused here, and so
 * is what is no point at all (RFC 8032, 5.1.3):
 *
 *		x^2 = (y^2 - 1) / (d y^2 + 1)	must have a root mod p = 2^255 - 19
 *
 * SM2's curve has prime order, so a point on it that is not infinity is a good key.
 */
#include "quality_gov.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/crypto_key.h"

#define ED25519_BYTES 32
#define SM2_BYTES 65

/* The field of Ed25519, 2^255 - 19, and the curve's d, in hexadecimal. */
#define ED25519_P "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
#define ED25519_D "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"
/* y of a point of order 8; the other is its negative. */
#define ED25519_Y8 "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"

/* Parsed keys that a backend keeps, the least recently used goes first. */
#define KEYS_MAX 32

typedef struct KeptKey
{
	QgAlgorithm algorithm;
	uint8 bytes[QG_PUBLIC_KEY_MAX];
	EVP_PKEY *key;
	uint64 used;
} KeptKey;

static KeptKey kept[KEYS_MAX];
static int nkept = 0;
static uint64 uses = 0;

int
qg_public_key_length(QgAlgorithm algorithm)
{
	return algorithm == QG_ED25519 ? ED25519_BYTES : SM2_BYTES;
}

/* What the point with a y is not, given numbers that the caller frees. */
static QgKeyFault
ed25519_point_fault(BIGNUM *y, BIGNUM *p, BIGNUM *d, BIGNUM *y8, BIGNUM *u, BIGNUM *v, BN_CTX *ctx)
{
	if (BN_cmp(y, p) >= 0)
		return QG_KEY_NOT_CANONICAL;
	/* Orders 4, 1, 2 and 8: y is 0, 1, -1 or one of two more. */
	if (BN_is_zero(y) || BN_is_one(y) || BN_cmp(y, y8) == 0)
		return QG_KEY_SMALL_ORDER;
	if (!BN_sub(u, p, y))
		return QG_KEY_UNSUPPORTED;
	if (BN_is_one(u) || BN_cmp(u, y8) == 0)
		return QG_KEY_SMALL_ORDER;
	/* u = y^2 - 1, v = d y^2 + 1; u / v is a square where u v is. */
	if (!BN_mod_sqr(u, y, p, ctx) || !BN_mod_mul(v, u, d, p, ctx) || !BN_sub_word(u, 1) ||
		!BN_add_word(v, 1) || !BN_mod_mul(u, u, v, p, ctx))
		return QG_KEY_UNSUPPORTED;
	return BN_kronecker(u, p, ctx) == 1 ? QG_KEY_OK : QG_KEY_NO_POINT;
}

/* Tells what is wrong with 32 bytes as an Ed25519 key. */
static QgKeyFault
ed25519_fault(const uint8 *key)
{
	uint8 y_bytes[ED25519_BYTES];
	QgKeyFault fault = QG_KEY_UNSUPPORTED;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *y, *p = NULL, *d = NULL, *y8 = NULL;
	BIGNUM *u = BN_new(), *v = BN_new();

	memcpy(y_bytes, key, ED25519_BYTES);
	y_bytes[ED25519_BYTES - 1] &= 0x7f;
	y = BN_lebin2bn(y_bytes, ED25519_BYTES, NULL);
	if (ctx != NULL && y != NULL && u != NULL && v != NULL && BN_hex2bn(&p, ED25519_P) != 0 &&
		BN_hex2bn(&d, ED25519_D) != 0 && BN_hex2bn(&y8, ED25519_Y8) != 0)
		fault = ed25519_point_fault(y, p, d, y8, u, v, ctx);
	BN_free(y);
	BN_free(p);
	BN_free(d);
	BN_free(y8);
	BN_free(u);
	BN_free(v);
	BN_CTX_free(ctx);
	return fault;
}

/* Parses a raw public key; NULL where it is none, or libcrypto lacks the algorithm. */
static EVP_PKEY *
key_from_raw(QgAlgorithm algorithm, const uint8 *bytes)
{
	char group[] = "SM2";
	uint8 point[SM2_BYTES];
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (algorithm == QG_ED25519)
		return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, bytes, ED25519_BYTES);
	memcpy(point, bytes, SM2_BYTES);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, SM2_BYTES);
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/*
 * Gives a public key parsed, NULL where it cannot be.  It stays the cache's: it is good until the next
 * call.
 */
EVP_PKEY *
qg_public_key_get(QgAlgorithm algorithm, const uint8 *bytes)
{
	int length = qg_public_key_length(algorithm);
	KeptKey *oldest = &kept[0];
	EVP_PKEY *key;

	for (int i = 0; i < nkept; i++)
	{
		if (kept[i].algorithm == algorithm && memcmp(kept[i].bytes, bytes, length) == 0)
		{
			kept[i].used = ++uses;
			return kept[i].key;
		}
		if (kept[i].used < oldest->used)
			oldest = &kept[i];
	}
	key = key_from_raw(algorithm, bytes);
	if (key == NULL)
	{
		ERR_clear_error();
		return NULL;
	}
	if (nkept < KEYS_MAX)
		oldest = &kept[nkept++];
	else
		EVP_PKEY_free(oldest->key);
	oldest->algorithm = algorithm;
	memcpy(oldest->bytes, bytes, length);
	oldest->key = key;
	oldest->used = ++uses;
	return key;
}

/* Tells what is wrong with the bytes of a raw public key. */
QgKeyFault
qg_public_key_check(QgAlgorithm algorithm, const uint8 *key, size_t length)
{
	EVP_PKEY_CTX *probe;

	if (length != (size_t) qg_public_key_length(algorithm))
		return QG_KEY_LENGTH;
	if (algorithm == QG_ED25519)
		return ed25519_fault(key);
	if (key[0] != 0x04)
		return QG_KEY_FORMAT;
	if (qg_public_key_get(QG_SM2, key) != NULL)
		return QG_KEY_OK;
	probe = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	EVP_PKEY_CTX_free(probe);
	ERR_clear_error();
	return probe == NULL ? QG_KEY_UNSUPPORTED : QG_KEY_NO_POINT;
}

/* Writes the raw bytes of a parsed key's public part; false where they cannot be had. */
bool
qg_public_key_raw(EVP_PKEY *key, QgAlgorithm algorithm, uint8 *bytes)
{
	BIGNUM *x = NULL, *y = NULL;
	size_t length = ED25519_BYTES;
	bool ok;

	if (algorithm == QG_ED25519)
		return EVP_PKEY_get_raw_public_key(key, bytes, &length) == 1 && length == ED25519_BYTES;
	ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
		 EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
		 BN_bn2binpad(x, bytes + 1, 32) == 32 && BN_bn2binpad(y, bytes + 33, 32) == 32;
	bytes[0] = 0x04;
	BN_free(x);
	BN_free(y);
	return ok;
}

/* Tells a parsed key's algorithm; false where it is none of ours. */
bool
qg_key_algorithm(EVP_PKEY *key, QgAlgorithm *algorithm)
{
	char group[64];

	*algorithm = QG_ED25519;
	if (EVP_PKEY_is_a(key, "ED25519"))
		return true;
	*algorithm = QG_SM2;
	return EVP_PKEY_is_a(key, "SM2") ||
		   (EVP_PKEY_is_a(key, "EC") &&
			EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
			strcmp(group, "SM2") == 0);
}

/* Parses SubjectPublicKeyInfo, in PEM or in DER; NULL where it is neither. */
static EVP_PKEY *
key_from_info(const uint8 *input, size_t length)
{
	EVP_PKEY *key = d2i_PUBKEY(NULL, &(const unsigned char *){input}, (long) length);
	BIO *bio;

	if (key != NULL)
		return key;
	bio = BIO_new_mem_buf(input, (int) length);
	if (bio != NULL)
		key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return key;
}

/* Reads a public key, raw or as SubjectPublicKeyInfo, into its raw bytes, and checks it. */
QgKeyFault
qg_public_key_parse(QgAlgorithm algorithm, const uint8 *input, size_t length,
					uint8 bytes[QG_PUBLIC_KEY_MAX])
{
	EVP_PKEY *key;
	QgAlgorithm found;
	QgKeyFault fault = QG_KEY_OK;

	if (length == ED25519_BYTES || (length == SM2_BYTES && input[0] == 0x04))
	{
		QgKeyFault raw = qg_public_key_check(algorithm, input, length);

		if (raw == QG_KEY_OK)
			memcpy(bytes, input, length);
		return raw;
	}
	key = key_from_info(input, length);
	if (key == NULL)
		fault = QG_KEY_FORMAT;
	else if (!qg_key_algorithm(key, &found) || found != algorithm)
		fault = QG_KEY_TYPE;
	else if (!qg_public_key_raw(key, algorithm, bytes))
		fault = QG_KEY_FORMAT;
	EVP_PKEY_free(key);
	ERR_clear_error();
	return fault == QG_KEY_OK
			   ? qg_public_key_check(algorithm, bytes, qg_public_key_length(algorithm))
			   : fault;
}
