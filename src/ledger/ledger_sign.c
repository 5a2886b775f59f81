/*
 * ledger_sign.c
 *		Signing a checkpoint with the key of this machine.
 *
 * Signing belongs outside; the key file is for one machine alone.  Whoever is superuser there can sign
 * whatever the log says, so it proves nothing against them.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "common/crypto_sign.h"

/* Makes a row of a signature and the public key it is of. */
static Datum
signature_row(TupleDesc desc, const uint8 *signature, const uint8 *key)
{
	bool nulls[2] = {false, false};
	Datum values[2];

	values[0] = PointerGetDatum(
		cstring_to_text_with_len((const char *) signature, QG_SIGNATURE_BYTES));
	values[1] = PointerGetDatum(
		cstring_to_text_with_len((const char *) key, qg_public_key_length(QG_ED25519)));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* ledger_sign(message): an Ed25519 signature by the key of quality_gov.ledger_key_file, and its public key. */
PG_FUNCTION_INFO_V1(qg_ledger_sign);
Datum
qg_ledger_sign(PG_FUNCTION_ARGS)
{
	static const char setting[] = "quality_gov.ledger_key_file";
	text *message = PG_GETARG_TEXT_PP(0);
	uint8 signature[QG_SIGNATURE_BYTES];
	uint8 key[QG_PUBLIC_KEY_MAX];
	size_t length = 0;
	uint8 *pem;
	QgSigner *signer;
	bool fits;
	bool ok = false;
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "ledger_sign must return a row");
	pem = qg_key_file_read(qg_ledger_key_file, setting, 1, &length);
	signer = qg_signer_open(pem, length);
	qg_key_forget(pem, length);
	fits = signer != NULL && qg_signer_algorithm(signer) == QG_ED25519;
	if (fits)
	{
		ok = qg_signer_sign(signer, (const uint8 *) VARDATA_ANY(message),
							VARSIZE_ANY_EXHDR(message), signature);
		memcpy(key, qg_signer_public_key(signer), qg_public_key_length(QG_ED25519));
	}
	if (signer != NULL)
		qg_signer_close(signer);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key file that \"%s\" names holds no Ed25519 private key", setting),
				 errhint("It is made by: openssl genpkey -algorithm ed25519")));
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("libcrypto refused to sign")));
	PG_RETURN_DATUM(signature_row(desc, signature, key));
}
