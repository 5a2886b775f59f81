/*
 * merkle.c
 *		The SQL functions over Merkle trees that need no ledger: leaf hashes, roots, verification.
 *
 * Verification is for proofs from anywhere: what is no proof gives false, not an error.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "ledger/ledger.h"

/* Reads a hash; false where it is of another length. */
static bool
hash_read(Datum datum, QgMerkleHash *hash)
{
	bytea *value = DatumGetByteaPP(datum);

	if (VARSIZE_ANY_EXHDR(value) != QG_MERKLE_BYTES)
		return false;
	memcpy(hash->bytes, VARDATA_ANY(value), QG_MERKLE_BYTES);
	return true;
}

/* Reads a proof, gives its length, or -1 where it is none. */
static int
proof_read(ArrayType *array, QgMerkleHash proof[QG_MERKLE_PROOF])
{
	Datum *values;
	bool *nulls;
	int count;

	if (ARR_NDIM(array) > 1)
		return -1;
	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	if (count > QG_MERKLE_PROOF)
		return -1;
	for (int i = 0; i < count; i++)
		if (nulls[i] || !hash_read(values[i], &proof[i]))
			return -1;
	return count;
}

/* merkle_leaf_hash(bytea) */
PG_FUNCTION_INFO_V1(qg_merkle_leaf_hash);
Datum
qg_merkle_leaf_hash(PG_FUNCTION_ARGS)
{
	bytea *data = PG_GETARG_BYTEA_PP(0);
	QgMerkleHash hash;

	qg_merkle_leaf(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), &hash);
	return qg_hash_datum(&hash);
}

/* Gives the state of the aggregates, which begins as the empty tree. */
static QgMerkleTree *
root_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "merkle_root called outside an aggregate");
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("a leaf of a Merkle tree cannot be null"),
						errhint("Leave nulls out by FILTER (WHERE ... IS NOT NULL) if they are no "
								"leaves.")));
	if (PG_ARGISNULL(0))
		return MemoryContextAllocZero(context, sizeof(QgMerkleTree));
	return (QgMerkleTree *) PG_GETARG_POINTER(0);
}

/* Transition of merkle_root(bytea): the data of one more leaf. */
PG_FUNCTION_INFO_V1(qg_merkle_root_data);
Datum
qg_merkle_root_data(PG_FUNCTION_ARGS)
{
	QgMerkleTree *tree = root_state(fcinfo);
	bytea *data = PG_GETARG_BYTEA_PP(1);
	QgMerkleHash hash;

	qg_merkle_leaf(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), &hash);
	qg_merkle_append(tree, &hash);
	PG_RETURN_POINTER(tree);
}

/* Transition of merkle_root_of_hashes(bytea): one more leaf, hashed already. */
PG_FUNCTION_INFO_V1(qg_merkle_root_hash);
Datum
qg_merkle_root_hash(PG_FUNCTION_ARGS)
{
	QgMerkleTree *tree = root_state(fcinfo);
	QgMerkleHash hash;

	if (!hash_read(PG_GETARG_DATUM(1), &hash))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a leaf hash has %d bytes, found %d", QG_MERKLE_BYTES,
						(int) VARSIZE_ANY_EXHDR(PG_GETARG_BYTEA_PP(1))),
				 errhint("merkle_root() takes the data of leaves, merkle_leaf_hash() hashes it.")));
	qg_merkle_append(tree, &hash);
	PG_RETURN_POINTER(tree);
}

/* Final function of the aggregates. */
PG_FUNCTION_INFO_V1(qg_merkle_root_final);
Datum
qg_merkle_root_final(PG_FUNCTION_ARGS)
{
	static const QgMerkleTree empty = {0};
	QgMerkleHash root;

	qg_merkle_root(PG_ARGISNULL(0) ? &empty : (QgMerkleTree *) PG_GETARG_POINTER(0), &root);
	return qg_hash_datum(&root);
}

/* merkle_verify_inclusion(leaf_hash, leaf, size, proof, root) */
PG_FUNCTION_INFO_V1(qg_merkle_verify_inclusion_sql);
Datum
qg_merkle_verify_inclusion_sql(PG_FUNCTION_ARGS)
{
	int64 leaf = PG_GETARG_INT64(1);
	int64 size = PG_GETARG_INT64(2);
	QgMerkleHash proof[QG_MERKLE_PROOF];
	QgMerkleHash leaf_hash;
	QgMerkleHash root;
	int nproof = proof_read(PG_GETARG_ARRAYTYPE_P(3), proof);

	if (nproof < 0 || leaf < 0 || size < 0 || !hash_read(PG_GETARG_DATUM(0), &leaf_hash) ||
		!hash_read(PG_GETARG_DATUM(4), &root))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(qg_merkle_verify_inclusion(&leaf_hash, leaf, size, proof, nproof, &root));
}

/* merkle_verify_consistency(old, new, old_root, new_root, proof) */
PG_FUNCTION_INFO_V1(qg_merkle_verify_consistency_sql);
Datum
qg_merkle_verify_consistency_sql(PG_FUNCTION_ARGS)
{
	int64 old_size = PG_GETARG_INT64(0);
	int64 new_size = PG_GETARG_INT64(1);
	QgMerkleHash proof[QG_MERKLE_PROOF];
	QgMerkleHash old_root;
	QgMerkleHash new_root;
	int nproof = proof_read(PG_GETARG_ARRAYTYPE_P(4), proof);

	if (nproof < 0 || old_size < 0 || new_size < 0 || !hash_read(PG_GETARG_DATUM(2), &old_root) ||
		!hash_read(PG_GETARG_DATUM(3), &new_root))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(
		qg_merkle_verify_consistency(old_size, new_size, &old_root, &new_root, proof, nproof));
}
