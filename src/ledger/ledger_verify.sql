
-- ledger: what the log says against what is there

CREATE FUNCTION ledger_recompute("from" bigint, size bigint, sizes bigint[],
                                 OUT entries bigint, OUT bad_leaf bigint, OUT bad_entry bigint, OUT reason text, OUT roots bytea[])
  AS 'MODULE_PATHNAME', 'qg_ledger_recompute' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION ledger_recompute(bigint, bigint, bigint[]) IS
  'Computes the log anew from the entries, from a leaf (a multiple of 256; before it the tiles are taken as they are) to a size: how many entries fit, the first that does not and why, and the roots at sizes (ascending), as far as they were reached; for ledger_verify()';
