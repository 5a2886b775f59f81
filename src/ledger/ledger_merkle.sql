
-- ledger: Merkle trees (RFC 9162), for a log of ours or anybody else's

CREATE FUNCTION merkle_leaf_hash(data bytea) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_merkle_leaf_hash' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merkle_leaf_hash(bytea) IS 'Hash of a leaf (RFC 9162, 2.1.1): SHA-256 of a zero byte and the data, 32 bytes';

CREATE FUNCTION merkle_root_data(internal, bytea) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_merkle_root_data' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION merkle_root_data(internal, bytea) IS 'Transition of merkle_root(bytea)';
CREATE FUNCTION merkle_root_hash(internal, bytea) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_merkle_root_hash' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION merkle_root_hash(internal, bytea) IS 'Transition of merkle_root_of_hashes(bytea)';
CREATE FUNCTION merkle_root_final(internal) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_merkle_root_final' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION merkle_root_final(internal) IS 'Final function of merkle_root(bytea) and merkle_root_of_hashes(bytea)';

CREATE AGGREGATE merkle_root(bytea) (
  SFUNC = merkle_root_data, STYPE = internal, FINALFUNC = merkle_root_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merkle_root(bytea) IS
  'Root of the Merkle tree over the data of leaves (RFC 9162, 2.1.1) in the order of ORDER BY; of none the digest of nothing; 22004 for a null';
CREATE AGGREGATE merkle_root_of_hashes(bytea) (
  SFUNC = merkle_root_hash, STYPE = internal, FINALFUNC = merkle_root_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merkle_root_of_hashes(bytea) IS
  'Root of the Merkle tree over leaf hashes of 32 bytes in the order of ORDER BY, as merkle_root() over their data';

CREATE FUNCTION merkle_verify_inclusion(leaf_hash bytea, leaf bigint, size bigint, proof bytea[], root bytea) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_merkle_verify_inclusion_sql' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merkle_verify_inclusion(bytea, bigint, bigint, bytea[], bytea) IS
  'Whether a proof shows that the tree of this size and root holds the leaf at that place from 0 (RFC 9162, 2.1.3.2); false for whatever is no proof';

CREATE FUNCTION merkle_verify_consistency(old bigint, new bigint, old_root bytea, new_root bytea, proof bytea[]) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_merkle_verify_consistency_sql' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merkle_verify_consistency(bigint, bigint, bytea, bytea, bytea[]) IS
  'Whether a proof shows that the tree of new leaves begins with the tree of old ones (RFC 9162, 2.1.4.2); false for whatever is no proof, and from the empty tree, whose beginning proves nothing';
