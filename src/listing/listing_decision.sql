
-- listing: decisions

CREATE TABLE listing_decision (
  merchant_id text NOT NULL,
  decision_id bigint GENERATED ALWAYS AS IDENTITY,
  relation text NOT NULL,
  listing_id text,
  category text,
  operation text NOT NULL,
  at timestamptz NOT NULL,
  verdict text NOT NULL,
  guard_mode text NOT NULL,
  role text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ruleset_id bigint,
  listing jsonb,
  CONSTRAINT listing_decision_pkey PRIMARY KEY (merchant_id, decision_id),
  CONSTRAINT listing_decision_verdict CHECK (verdict IN ('deny', 'quarantine', 'warn', 'shadow', 'pass'))
);
CREATE INDEX listing_decision_listing ON listing_decision (merchant_id, relation, listing_id, decision_id);
COMMENT ON TABLE listing_decision IS
  'What the guard decided on a stored listing that something was found on (or found on before), as of at, by which rules (ruleset_id) and on what values (listing; a text above 64 kB by its length and SHA-256); clean listings leave no row; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_decision', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_decision_decision_id_seq', '');

CREATE TABLE listing_finding (
  merchant_id text NOT NULL,
  decision_id bigint NOT NULL,
  finding integer NOT NULL,
  rule text NOT NULL,
  version integer NOT NULL,
  verdict text NOT NULL,
  severity text NOT NULL,
  field text,
  message text NOT NULL,
  legal_basis text,
  detail jsonb,
  CONSTRAINT listing_finding_pkey PRIMARY KEY (merchant_id, decision_id, finding)
);
COMMENT ON TABLE listing_finding IS
  'Each finding of a decision: rule and version, verdict, field, message, legal basis, and what was matched; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_finding', '');

CREATE TRIGGER listing_decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listing_decision
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER listing_finding_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listing_finding
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE listing_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_decision_read ON listing_decision FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
ALTER TABLE listing_finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_finding_read ON listing_finding FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION listing_record(decisions listing_decision[], findings listing_finding[], bodies jsonb[],
                               subjects text[], severities text[], always boolean[]) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  -- What changes nothing about what was found is not decided again.
  IF NOT true = ALL (always) THEN
    SELECT array_agg(decisions[n] ORDER BY n), array_agg(bodies[n] ORDER BY n), array_agg(subjects[n] ORDER BY n),
           array_agg(severities[n] ORDER BY n) INTO decisions, bodies, subjects, severities
    FROM generate_subscripts(decisions, 1) n
    LEFT JOIN LATERAL (
      SELECT d.* FROM quality_gov.listing_decision d
      WHERE d.merchant_id = (decisions[n]).merchant_id AND d.relation = (decisions[n]).relation
        AND d.listing_id = (decisions[n]).listing_id
      ORDER BY d.decision_id DESC LIMIT 1) last ON NOT always[n]
    WHERE always[n] OR last.operation = 'AUDIT' AND (decisions[n]).operation <> 'AUDIT'
       OR COALESCE(last.verdict, 'pass') <> (decisions[n]).verdict
       OR bodies[n] -> 'findings' <> COALESCE((
         SELECT jsonb_agg(jsonb_build_object('rule', f.rule, 'version', f.version, 'verdict', f.verdict,
           'severity', f.severity, 'field', f.field, 'message', f.message, 'legal_basis', f.legal_basis,
           'detail', f.detail) ORDER BY f.finding)
         FROM quality_gov.listing_finding f
         WHERE f.merchant_id = last.merchant_id AND f.decision_id = last.decision_id), '[]');
    IF decisions IS NULL THEN
      RETURN;
    END IF;
    findings := ARRAY(SELECT f FROM unnest(findings) f
                      WHERE f.decision_id IN (SELECT d.decision_id FROM unnest(decisions) d));
  END IF;
  INSERT INTO quality_gov.listing_decision OVERRIDING SYSTEM VALUE SELECT * FROM unnest(decisions);
  INSERT INTO quality_gov.listing_finding SELECT * FROM unnest(findings);
  PERFORM quality_gov.ledger_record_all('listing_decision', subjects, bodies);
  -- One event a decision, as grave as its gravest finding that is not on trial.
  PERFORM quality_gov.credit_event_add_all('listing', array_agg(e.merchant_id), array_agg(e.severity),
                                           array_agg(e.at), array_agg(e.relation), array_agg(e.listing_id))
  FROM (SELECT d.merchant_id, d.at, d.relation, d.listing_id, d.unnest AS severity
        FROM ROWS FROM (unnest(decisions), unnest(severities)) d) e
  WHERE e.severity IS NOT NULL HAVING count(*) > 0;
END
$$;
COMMENT ON FUNCTION listing_record(listing_decision[], listing_finding[], jsonb[], text[], text[], boolean[]) IS
  'Writes decisions with their findings, ledger entries (bodies, subjects) and credit events (severities, null for none); one that is not to be written always only where it differs from the last on its listing; the guard calls it';
