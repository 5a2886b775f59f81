
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
  'What the guard decided on a stored listing that something was found on (or found on before), as of at; clean listings leave no row; append-only';
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

CREATE FUNCTION listing_record(relation text, merchant_id text, listing_id text, category text, operation text,
                               at timestamptz, verdict text, findings jsonb, guard_mode text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  last quality_gov.listing_decision;
  decision bigint;
  gravest text;
BEGIN
  IF operation = 'UPDATE' THEN
    SELECT * INTO last FROM quality_gov.listing_decision d
    WHERE d.merchant_id = listing_record.merchant_id AND d.relation = listing_record.relation
      AND d.listing_id = listing_record.listing_id
    ORDER BY d.decision_id DESC LIMIT 1;
    -- An update that changes nothing about what was found is not decided again.
    IF COALESCE(last.verdict, 'pass') = verdict AND findings = COALESCE((
         SELECT jsonb_agg(jsonb_build_object('rule', f.rule, 'version', f.version, 'verdict', f.verdict,
           'severity', f.severity, 'field', f.field, 'message', f.message, 'legal_basis', f.legal_basis,
           'detail', f.detail) ORDER BY f.finding)
         FROM quality_gov.listing_finding f
         WHERE f.merchant_id = last.merchant_id AND f.decision_id = last.decision_id), '[]') THEN
      RETURN last.decision_id;
    END IF;
  END IF;
  INSERT INTO quality_gov.listing_decision
    (merchant_id, relation, listing_id, category, operation, at, verdict, guard_mode, role)
  VALUES (merchant_id, relation, listing_id, category, operation, at, verdict, guard_mode, session_user)
  RETURNING decision_id INTO decision;
  INSERT INTO quality_gov.listing_finding
  SELECT merchant_id, decision, f.ordinality, f.value ->> 'rule', (f.value ->> 'version')::integer,
         f.value ->> 'verdict', f.value ->> 'severity', f.value ->> 'field', f.value ->> 'message',
         f.value ->> 'legal_basis', nullif(f.value -> 'detail', 'null')
  FROM jsonb_array_elements(findings) WITH ORDINALITY f;
  PERFORM quality_gov.ledger_record('listing_decision', COALESCE(listing_id, merchant_id), jsonb_build_object(
    'decision_id', decision, 'relation', relation, 'merchant_id', merchant_id, 'listing_id', listing_id,
    'operation', operation, 'at', at, 'verdict', verdict, 'guard_mode', guard_mode, 'findings', findings));
  -- One event a decision, as grave as its gravest finding that is not on trial.
  IF verdict IN ('warn', 'quarantine', 'deny') THEN
    SELECT f.value ->> 'severity' INTO gravest FROM jsonb_array_elements(findings) f
    WHERE f.value ->> 'verdict' <> 'shadow'
    ORDER BY array_position('{critical,high,medium,low}', f.value ->> 'severity') LIMIT 1;
    PERFORM quality_gov.credit_event_add(merchant_id, 'listing', gravest, at, relation, listing_id);
  END IF;
  RETURN decision;
END
$$;
COMMENT ON FUNCTION listing_record(text, text, text, text, text, timestamptz, text, jsonb, text) IS
  'Writes a decision with its findings, ledger entry and credit event; the guard calls it';
