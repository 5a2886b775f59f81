
-- trace: states of recalls against their entries in the ledger

CREATE FUNCTION recall_step_verify(OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT * FROM quality_gov.ledger_compare('recall', $live$
    SELECT 'recall ' || s.recall_id AS subject, jsonb_build_object('recall_id', s.recall_id, 'state', s.state, 'at', s.at, 'note', s.note) AS body
    FROM quality_gov.recall_step s $live$, '{recall_id,at}', '{at}')
$$;
COMMENT ON FUNCTION recall_step_verify() IS 'States of recalls against the entries of kind recall; for ledger_verify()';
INSERT INTO ledger_decision VALUES ('recall_step', 'quality_gov.recall_step_verify', 'States that recalls went through', true);
