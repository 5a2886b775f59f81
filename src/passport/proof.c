/*
 * proof.c
 *		Data Integrity proofs of JSON documents: eddsa-jcs-2022 (W3C) and the same with SM2 and SM3.
 *
 * A secured document holds its proof as a member.  What is signed are two digests (Data Integrity
 * EdDSA Cryptosuites 1.0, 3.3), of SHA-256, or of SM3 where SM2 signs:
 *
 *		digest(jcs(proof without proofValue)) || digest(jcs(document without proof))
 *
 * A proof repeats the document's @context.  A document whose @context was added to later is
 * still what was signed: the values of the proof's must be the first ones of the document's, and
 * stand in for them.  Canonical JSON makes that a comparison of texts:
 *
 *		proof ["a","b"]		document ["a","b"] or ["a","b",...
 *
 * W3C has no suite for SM2.  Ours is named "quality-gov-sm2-jcs-2026", and its proofValue is r || s.
 */
#include "quality_gov.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common/base58.h"
#include "common/jcs.h"
#include "common/signature.h"

#include "passport/passport.h"

#define HASH_DATA_BYTES (2 * QG_DIGEST_BYTES)
#define KEY_FILE_SETTING "quality_gov.passport_key_file"

static const char *const suites[] = {
	[QG_ED25519] = "eddsa-jcs-2022", [QG_SM2] = "quality-gov-sm2-jcs-2026"};

/* A private key that goes with a memory context. */
typedef struct HeldSigner
{
	MemoryContextCallback callback;
	QgSigner *signer;
} HeldSigner;

/* Gives an object's member, NULL where it has none. */
static JsonbValue *
member(JsonbContainer *object, const char *name)
{
	return getKeyJsonValueFromContainer(object, name, (int) strlen(name), NULL);
}

/* Tells whether a member is a string of some text. */
static bool
member_is(JsonbContainer *object, const char *name, const char *text)
{
	JsonbValue *value = member(object, name);

	return value != NULL && value->type == jbvString &&
		   value->val.string.len == (int) strlen(text) &&
		   memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/* Gives a member that is an object, NULL where it is none. */
static JsonbContainer *
member_object(JsonbContainer *object, const char *name)
{
	JsonbValue *value = member(object, name);

	return value != NULL && value->type == jbvBinary &&
				   JsonContainerIsObject(value->val.binary.data)
			   ? value->val.binary.data
			   : NULL;
}

/* Appends a value as canonical JSON. */
static bool
append_value(JsonbValue *value, StringInfo out)
{
	return qg_jcs_try(value->type == jbvBinary ? value->val.binary.data
											   : &JsonbValueToJsonb(value)->root,
					  NULL, out);
}

/* Tells whether the document's @context begins with the proof's, both in canonical JSON. */
static bool
context_begins(StringInfo document, StringInfo proof)
{
	const char *text = document->data;
	int length = proof->len;
	char after;

	if (document->len == proof->len && memcmp(text, proof->data, length) == 0)
		return true;
	if (text[0] != '[')
		return false;
	if (proof->data[0] == '[')
		length--;
	else
		text++;
	if (length >= document->len - (int) (text - document->data) ||
		memcmp(text, proof->data, length) != 0)
		return false;
	after = text[length];
	return after == ']' || after == ',';
}

/* Computes one digest of the signed pair. */
static bool
digest(QgAlgorithm algorithm, StringInfo data, uint8 *out)
{
	return algorithm == QG_SM2 ? qg_sm3(data->data, data->len, out)
							   : qg_sha256(data->data, data->len, out);
}

/* Computes what is signed; false where the two are not a document and its proof. */
static bool
hash_data(JsonbContainer *document, JsonbContainer *proof, QgAlgorithm algorithm,
		  uint8 out[HASH_DATA_BYTES])
{
	JsonbValue *context = member(proof, "@context");
	QgJcsEdit edit = {.drop = "proofValue"};
	StringInfoData text;
	StringInfoData own;

	initStringInfo(&text);
	if (!qg_jcs_try(proof, &edit, &text) || !digest(algorithm, &text, out))
		return false;
	edit.drop = "proof";
	if (context != NULL)
	{
		JsonbValue *all = member(document, "@context");
		StringInfoData theirs;

		initStringInfo(&own);
		initStringInfo(&theirs);
		if (all == NULL || !append_value(context, &own) || !append_value(all, &theirs) ||
			!context_begins(&theirs, &own))
			return false;
		edit.replace = "@context";
		edit.by = own.data;
		edit.bylength = own.len;
	}
	resetStringInfo(&text);
	return qg_jcs_try(document, &edit, &text) && digest(algorithm, &text, out + QG_DIGEST_BYTES);
}

/* Tells whether a proof is one of the algorithm's suite, to assert what the document says. */
static bool
proof_fits(JsonbContainer *proof, QgAlgorithm algorithm)
{
	return member_is(proof, "type", "DataIntegrityProof") &&
		   member_is(proof, "cryptosuite", suites[algorithm]) &&
		   member_is(proof, "proofPurpose", "assertionMethod");
}

/* Reads the proof's signature; false where it is none. */
static bool
proof_value(JsonbContainer *proof, uint8 signature[QG_SIGNATURE_BYTES])
{
	JsonbValue *value = member(proof, "proofValue");

	return value != NULL && value->type == jbvString && value->val.string.len > 0 &&
		   value->val.string.val[0] == 'z' &&
		   qg_base58_decode(value->val.string.val + 1, value->val.string.len - 1, signature,
							QG_SIGNATURE_BYTES) == QG_SIGNATURE_BYTES;
}

/*
 * Verifies a signature, or remembers that these very bytes were: a popular passport is asked for again
 * and again, and the same key, hashes and signature can only give the same answer.  What was not
 * verified is not remembered.
 */
static bool
signature_verify(QgAlgorithm algorithm, const uint8 *key, int keylen, const uint8 *data,
				 const uint8 *signature)
{
	static struct
	{
		bool verified;
		QgAlgorithm algorithm;
		uint8 key[QG_PUBLIC_KEY_MAX];
		uint8 data[HASH_DATA_BYTES];
		uint8 signature[QG_SIGNATURE_BYTES];
	} seen[64];
	int slot = (data[0] ^ data[HASH_DATA_BYTES - 1] ^ signature[0]) % lengthof(seen);

	if (seen[slot].verified && seen[slot].algorithm == algorithm &&
		memcmp(seen[slot].key, key, keylen) == 0 &&
		memcmp(seen[slot].data, data, HASH_DATA_BYTES) == 0 &&
		memcmp(seen[slot].signature, signature, QG_SIGNATURE_BYTES) == 0)
		return true;
	if (!qg_signature_verify(algorithm, key, data, HASH_DATA_BYTES, signature))
		return false;
	seen[slot].verified = true;
	seen[slot].algorithm = algorithm;
	memcpy(seen[slot].key, key, keylen);
	memcpy(seen[slot].data, data, HASH_DATA_BYTES);
	memcpy(seen[slot].signature, signature, QG_SIGNATURE_BYTES);
	return true;
}

/* Tells whether a document's proof was made by a key; false for anything malformed. */
bool
qg_proof_holds(Jsonb *document, QgAlgorithm algorithm, const uint8 *key)
{
	uint8 signature[QG_SIGNATURE_BYTES];
	uint8 data[HASH_DATA_BYTES];
	JsonbContainer *proof;

	if (!JB_ROOT_IS_OBJECT(document))
		return false;
	proof = member_object(&document->root, "proof");
	return proof != NULL && proof_fits(proof, algorithm) && proof_value(proof, signature) &&
		   hash_data(&document->root, proof, algorithm, data) &&
		   signature_verify(algorithm, key, qg_public_key_length(algorithm), data, signature);
}

/* passport_proof_verify(document, algorithm, public_key): false for anything malformed. */
PG_FUNCTION_INFO_V1(qg_passport_proof_verify);
Datum
qg_passport_proof_verify(PG_FUNCTION_ARGS)
{
	bytea *key = PG_GETARG_BYTEA_PP(2);
	QgAlgorithm algorithm;

	PG_RETURN_BOOL(qg_algorithm_named(PG_GETARG_TEXT_PP(1), &algorithm) &&
				   (int) VARSIZE_ANY_EXHDR(key) == qg_public_key_length(algorithm) &&
				   qg_proof_holds(PG_GETARG_JSONB_P(0), algorithm, (uint8 *) VARDATA_ANY(key)));
}

/* Computes what is to be signed, or raises the error that says why it cannot be. */
static void
hash_data_require(Jsonb *document, Jsonb *proof, QgAlgorithm algorithm, uint8 out[HASH_DATA_BYTES])
{
	StringInfoData text;

	if (!JB_ROOT_IS_OBJECT(document) || !JB_ROOT_IS_OBJECT(proof) ||
		!proof_fits(&proof->root, algorithm))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("document and proof are not those of a signature by %s",
							   qg_algorithm_name(algorithm)),
						errhint("A proof has \"type\" DataIntegrityProof, \"cryptosuite\" %s and "
								"\"proofPurpose\" assertionMethod.",
								suites[algorithm])));
	if (hash_data(&document->root, &proof->root, algorithm, out))
		return;
	/* A number that would be rounded says so itself. */
	initStringInfo(&text);
	qg_jcs(document, &text);
	qg_jcs(proof, &text);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"@context\" of the proof is not that of the document")));
}

/* passport_proof_bytes(document, proof, algorithm): the 64 bytes that are signed. */
PG_FUNCTION_INFO_V1(qg_passport_proof_bytes);
Datum
qg_passport_proof_bytes(PG_FUNCTION_ARGS)
{
	bytea *result = palloc(VARHDRSZ + HASH_DATA_BYTES);

	SET_VARSIZE(result, VARHDRSZ + HASH_DATA_BYTES);
	hash_data_require(PG_GETARG_JSONB_P(0), PG_GETARG_JSONB_P(1),
					  qg_algorithm_require(PG_GETARG_TEXT_PP(2)), (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

/* Closes the private key when its memory context goes. */
static void
held_signer_close(void *arg)
{
	HeldSigner *held = arg;

	qg_signer_close(held->signer);
	held->signer = NULL;
}

/* Reads the private key of the setting, for as long as a memory context lives. */
static QgSigner *
signer_hold(MemoryContext context)
{
	HeldSigner *held = MemoryContextAllocZero(context, sizeof(HeldSigner));
	size_t length;
	uint8 *pem = qg_key_file_read(qg_passport_key_file, KEY_FILE_SETTING, 1, &length);

	held->callback.func = held_signer_close;
	held->callback.arg = held;
	MemoryContextRegisterResetCallback(context, &held->callback);
	held->signer = qg_signer_open(pem, length);
	qg_key_forget(pem, length);
	if (held->signer == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key file that \"%s\" names holds no private key of Ed25519 or SM2",
						KEY_FILE_SETTING),
				 errhint("It is PEM (BEGIN PRIVATE KEY, PKCS 8) without a password.")));
	return held->signer;
}

/* passport_sign(document, proof, algorithm, public_key): the proofValue, by the key file. */
PG_FUNCTION_INFO_V1(qg_passport_sign);
Datum
qg_passport_sign(PG_FUNCTION_ARGS)
{
	Jsonb *document = PG_GETARG_JSONB_P(0);
	Jsonb *proof = PG_GETARG_JSONB_P(1);
	QgAlgorithm algorithm = qg_algorithm_require(PG_GETARG_TEXT_PP(2));
	bytea *key = PG_GETARG_BYTEA_PP(3);
	uint8 data[HASH_DATA_BYTES];
	uint8 signature[QG_SIGNATURE_BYTES];
	char text[1 + QG_BASE58_SIZE(QG_SIGNATURE_BYTES)];
	QgSigner *signer;

	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = signer_hold(fcinfo->flinfo->fn_mcxt);
	signer = fcinfo->flinfo->fn_extra;
	if (qg_signer_algorithm(signer) != algorithm ||
		(int) VARSIZE_ANY_EXHDR(key) != qg_public_key_length(algorithm) ||
		memcmp(VARDATA_ANY(key), qg_signer_public_key(signer), qg_public_key_length(algorithm)) !=
			0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the key file that \"%s\" names is not the private key of this public key",
						KEY_FILE_SETTING),
				 errhint("passport_signer() shows the public key that belongs to the file.")));
	hash_data_require(document, proof, algorithm, data);
	if (!qg_signer_sign(signer, data, HASH_DATA_BYTES, signature))
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("libcrypto refused to sign by %s", qg_algorithm_name(algorithm))));
	text[0] = 'z';
	qg_base58_encode(signature, QG_SIGNATURE_BYTES, text + 1);
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

/* passport_signer(): algorithm and public key of the key file. */
PG_FUNCTION_INFO_V1(qg_passport_signer);
Datum
qg_passport_signer(PG_FUNCTION_ARGS)
{
	QgSigner *signer = signer_hold(CurrentMemoryContext);
	QgAlgorithm algorithm = qg_signer_algorithm(signer);
	int length = qg_public_key_length(algorithm);
	bytea *key = palloc(VARHDRSZ + length);
	Datum values[2];
	bool nulls[2] = {false};
	TupleDesc descriptor;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "passport_signer() gives no record");
	SET_VARSIZE(key, VARHDRSZ + length);
	memcpy(VARDATA(key), qg_signer_public_key(signer), length);
	values[0] = CStringGetTextDatum(qg_algorithm_name(algorithm));
	values[1] = PointerGetDatum(key);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}
