
-- credit: violations and sanctions against their entries in the ledger

CREATE FUNCTION violation_verify(OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT * FROM quality_gov.ledger_compare('violation', $live$
    SELECT v.merchant_id AS subject, to_jsonb(v) - '{merchant_id,role}'::text[] AS body FROM quality_gov.violation v $live$,
    '{violation_id}', '{at,recorded_at}')
$$;
COMMENT ON FUNCTION violation_verify() IS 'Violations against the entries of kind violation; for ledger_verify()';

CREATE FUNCTION violation_void_verify(OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT * FROM quality_gov.ledger_compare('violation_void', $live$
    SELECT v.merchant_id AS subject, jsonb_build_object('violation_id', v.violation_id, 'appeal_id', v.appeal_id, 'at', v.recorded_at,
             'reasons', v.reasons, 'decided_by', v.decided_by) AS body FROM quality_gov.violation_void v $live$, '{violation_id}', '{at}')
$$;
COMMENT ON FUNCTION violation_void_verify() IS 'Violations taken back against the entries of kind violation_void; for ledger_verify()';

CREATE FUNCTION sanction_verify(OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT * FROM quality_gov.ledger_compare('sanction', $live$
    SELECT s.merchant_id AS subject, jsonb_build_object('sanction_id', s.sanction_id, 'ladder', s.ladder, 'step', s.step, 'measure', s.measure,
             'track', s.track, 'points', s.points, 'violation_id', s.violation_id, 'facts', s.facts, 'reasons', s.reasons,
             'legal_basis', s.legal_basis, 'at', s.at, 'since', lower(s.effect), 'until', upper(s.effect), 'restricts', s.restricts,
             'category', s.category, 'decided_by', s.decided_by, 'automatic', s.automatic) AS body
    FROM quality_gov.sanction s $live$, '{sanction_id}', '{at,since,until}')
$$;
COMMENT ON FUNCTION sanction_verify() IS 'Sanctions as they were imposed against the entries of kind sanction; for ledger_verify()';

CREATE FUNCTION sanction_lifted_verify(OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT * FROM quality_gov.ledger_compare('sanction_lifted', $live$
    SELECT s.merchant_id AS subject, jsonb_build_object('sanction_id', s.sanction_id, 'at', s.lifted_at, 'cause', s.lift_cause,
             'reasons', s.lift_reasons, 'decided_by', s.lifted_by) AS body
    FROM quality_gov.sanction s WHERE s.lifted_at IS NOT NULL $live$, '{sanction_id}', '{at}')
$$;
COMMENT ON FUNCTION sanction_lifted_verify() IS 'Sanctions that were lifted against the entries of kind sanction_lifted; for ledger_verify()';

INSERT INTO ledger_decision VALUES
  ('violation', 'quality_gov.violation_verify', 'Violations of merchants', true),
  ('violation_void', 'quality_gov.violation_void_verify', 'Violations that were taken back', true),
  ('sanction', 'quality_gov.sanction_verify', 'Sanctions as they were imposed', true),
  ('sanction_lifted', 'quality_gov.sanction_lifted_verify', 'Sanctions that were lifted', true);
