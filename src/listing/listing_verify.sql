
-- listing: decisions on listings against their entries in the ledger

CREATE FUNCTION listing_decision_verify(OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT * FROM quality_gov.ledger_compare('listing_decision', $live$
    SELECT d.subject, d.body FROM (
      SELECT COALESCE(d.listing_id, d.merchant_id) AS subject, jsonb_build_object('decision_id', d.decision_id, 'ruleset_id', d.ruleset_id,
               'relation', d.relation, 'merchant_id', d.merchant_id, 'listing_id', d.listing_id, 'operation', d.operation, 'at', d.at,
               'verdict', d.verdict, 'guard_mode', d.guard_mode, 'findings', COALESCE((
                 SELECT jsonb_agg(jsonb_build_object('rule', f.rule, 'version', f.version, 'verdict', f.verdict, 'severity', f.severity,
                   'field', f.field, 'message', f.message, 'legal_basis', f.legal_basis, 'detail', f.detail) ORDER BY f.finding)
                 FROM quality_gov.listing_finding f WHERE f.merchant_id = d.merchant_id AND f.decision_id = d.decision_id), '[]')) AS body
      FROM quality_gov.listing_decision d) d $live$, '{merchant_id,decision_id}', '{at}',
    -- what listing_retire() deleted
    $gone$ (SELECT max((r.body ->> 'before')::timestamptz) FROM quality_gov.ledger_entry r
            WHERE r.kind = 'listing_retire' AND r.subject = 'listing_decision') > (SELECT x.recorded_at FROM quality_gov.ledger_entry x WHERE x.entry_id = e.entry_id) $gone$)
$$;
COMMENT ON FUNCTION listing_decision_verify() IS 'Decisions on listings and their findings against the entries of kind listing_decision; for ledger_verify()';
INSERT INTO ledger_decision VALUES ('listing_decision', 'quality_gov.listing_decision_verify', 'Decisions on listings and what was found', true);
