/*
 * crypto.c
 *		Cryptographic services over libcrypto, and keys kept in files.
 *
 * No palloc and no ereport stands between opening and closing a libcrypto handle.
 */
#include "quality_gov.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "storage/fd.h"
#include "utils/builtins.h"

#include "common/crypto.h"

/* A key file is small; more than this is some other file. */
#define KEY_FILE_MAX 4096

/* Computes HMAC-SHA256; false where libcrypto refuses. */
bool
qg_hmac_sha256(const uint8 *key, size_t keylen, const uint8 *data, size_t datalen,
			   uint8 digest[QG_SHA256_BYTES])
{
	unsigned int length = 0;

	return HMAC(EVP_sha256(), key, (int) keylen, data, datalen, digest, &length) != NULL &&
		   length == QG_SHA256_BYTES;
}

/* Clears a secret that is not palloc'd. */
void
qg_secret_clear(void *secret, size_t length)
{
	OPENSSL_cleanse(secret, length);
}

/* Compares secrets in a time that does not tell where they differ. */
bool
qg_secrets_equal(const uint8 *a, const uint8 *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}

/* Names the libcrypto in use. */
const char *
qg_crypto_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

/* Clears and frees a key. */
void
qg_key_forget(uint8 *key, size_t length)
{
	OPENSSL_cleanse(key, length);
	pfree(key);
}

/*
 * Reads a key file that only the server's user can read.  The error names the setting, never the
 * content.
 */
uint8 *
qg_key_file_read(const char *path, const char *setting, size_t min, size_t *length)
{
	struct stat st;
	uint8 *key;
	ssize_t got;
	int fd;

	if (path == NULL || path[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("setting \"%s\" names no key file", setting),
						errhint("A superuser sets it to a file that only the server's user can "
								"read.")));
	fd = OpenTransientFile(path, O_RDONLY);
	if (fd < 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not open the key file that \"%s\" names: %m", setting)));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("the key file that \"%s\" names is not a regular file", setting)));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("the key file that \"%s\" names can be read by others", setting),
						errhint("Set its permissions to 0600 or 0400.")));
	key = palloc(KEY_FILE_MAX);
	got = read(fd, key, KEY_FILE_MAX);
	CloseTransientFile(fd);
	if (got < (ssize_t) min)
	{
		qg_key_forget(key, KEY_FILE_MAX);
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the key file that \"%s\" names holds fewer than %zu bytes", setting,
							   min)));
	}
	*length = (size_t) got;
	return key;
}

/* Copies an identity number without spaces and hyphens, letters in upper case. */
static char *
identity_canonical(text *number)
{
	char *copy = text_to_cstring(number);
	char *to = copy;

	for (char *from = copy; *from != '\0'; from++)
		if (*from != ' ' && *from != '-')
			*to++ = (char) pg_ascii_toupper((unsigned char) *from);
	*to = '\0';
	return copy;
}

/*
 * identity_digest(text): HMAC-SHA256 of an identity number under the key of
 * quality_gov.identity_key_file, as lower-case hexadecimal.
 */
PG_FUNCTION_INFO_V1(qg_identity_digest);
Datum
qg_identity_digest(PG_FUNCTION_ARGS)
{
	char *number = identity_canonical(PG_GETARG_TEXT_PP(0));
	size_t keylen = 0;
	uint8 *key = qg_key_file_read(qg_identity_key_file, "quality_gov.identity_key_file", 32,
								  &keylen);
	uint8 digest[QG_SHA256_BYTES];
	char hex[QG_SHA256_BYTES * 2 + 1];
	bool ok = qg_hmac_sha256(key, keylen, (const uint8 *) number, strlen(number), digest);

	qg_key_forget(key, keylen);
	if (!ok)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("libcrypto refused to compute HMAC-SHA256")));
	for (int i = 0; i < QG_SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	PG_RETURN_TEXT_P(cstring_to_text(hex));
}
