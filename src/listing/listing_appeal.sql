
-- listing: appeals of merchants against what was decided on their listings

CREATE TABLE listing_appeal_state (
  state text NOT NULL,
  next_states text[] NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  CONSTRAINT listing_appeal_state_pkey PRIMARY KEY (state)
);
COMMENT ON TABLE listing_appeal_state IS
  'States of an appeal and what may follow; one decided automatically goes to a person when the party asks; shipped, not dumped';
INSERT INTO listing_appeal_state VALUES
  ('filed', '{decided_automatically,decided,withdrawn}', 'Filed', 'Order 116 art 19'),
  ('decided_automatically', '{person_requested}', 'Decided without a person', 'Order 116 art 19'),
  ('person_requested', '{decided,withdrawn}', 'The party asks for a person', 'Order 116 art 19'),
  ('decided', '{}', 'Decided by a person', 'Order 116 art 19'),
  ('withdrawn', '{}', 'Withdrawn by the party', 'Order 116 art 19');

CREATE TABLE listing_appeal (
  merchant_id text NOT NULL,
  appeal_id bigint GENERATED ALWAYS AS IDENTITY,
  decision_id bigint,
  denial_id bigint,
  filed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  grounds text NOT NULL,
  evidence jsonb,
  state text NOT NULL DEFAULT 'filed',
  outcome text,
  rules text[],
  CONSTRAINT listing_appeal_pkey PRIMARY KEY (merchant_id, appeal_id),
  CONSTRAINT listing_appeal_against CHECK (num_nonnulls(decision_id, denial_id) = 1),
  CONSTRAINT listing_appeal_grounds CHECK (grounds ~ '\S'),
  CONSTRAINT listing_appeal_evidence CHECK (jsonb_typeof(evidence) IN ('object', 'array')),
  CONSTRAINT listing_appeal_outcome CHECK (outcome IN ('upheld', 'overturned', 'partly')),
  CONSTRAINT listing_appeal_decided CHECK (
    (outcome IS NOT NULL) >= (state IN ('decided', 'decided_automatically', 'person_requested')))
);
CREATE UNIQUE INDEX listing_appeal_decision ON listing_appeal (merchant_id, decision_id) WHERE state <> 'withdrawn';
CREATE UNIQUE INDEX listing_appeal_denial ON listing_appeal (merchant_id, denial_id) WHERE state <> 'withdrawn';
COMMENT ON TABLE listing_appeal IS
  'Appeals against decisions and refused attempts, one each unless withdrawn: grounds, evidence (a JSON object or array), state, outcome (upheld, overturned, partly) of the decision appealed against, and the rules whose findings are overturned';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_appeal', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_appeal_appeal_id_seq', '');

CREATE TABLE listing_appeal_step (
  merchant_id text NOT NULL,
  appeal_id bigint NOT NULL,
  step_id bigint GENERATED ALWAYS AS IDENTITY,
  state text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  outcome text,
  reasons text,
  decided_by text,
  role text NOT NULL,
  rules text[],
  CONSTRAINT listing_appeal_step_pkey PRIMARY KEY (merchant_id, appeal_id, step_id)
);
COMMENT ON TABLE listing_appeal_step IS
  'Each state an appeal entered, with outcome, reasons, who or what decided, the session''s role, and the rules whose findings the step overturned; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_appeal_step', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_appeal_step_step_id_seq', '');
CREATE TRIGGER listing_appeal_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listing_appeal_step
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

ALTER TABLE listing_appeal ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_appeal_read ON listing_appeal FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
ALTER TABLE listing_appeal_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_appeal_step_read ON listing_appeal_step FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

-- listing: what is appealed against, stated and released

CREATE FUNCTION listing_measure(merchant_id text, decision_id bigint, denial_id bigint, OUT verdict text, OUT at timestamptz,
    OUT recorded_at timestamptz, OUT relation text, OUT listing_id text, OUT operation text, OUT findings jsonb, OUT listing jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  SELECT d.verdict, d.at, d.recorded_at, d.relation, d.listing_id, d.operation,
         (SELECT jsonb_agg(to_jsonb(f) ORDER BY f.finding) FROM quality_gov.listing_finding f
          WHERE f.merchant_id = d.merchant_id AND f.decision_id = d.decision_id), d.listing
  INTO verdict, at, recorded_at, relation, listing_id, operation, findings, listing
  FROM quality_gov.listing_decision d
  WHERE d.merchant_id = listing_measure.merchant_id AND d.decision_id = listing_measure.decision_id
  UNION ALL
  SELECT d.verdict, d.at, d.recorded_at, d.relation, d.listing_id, d.operation, d.findings, d.listing
  FROM quality_gov.listing_denial d
  WHERE d.merchant_id = listing_measure.merchant_id AND d.denial_id = listing_measure.denial_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" has no %', listing_measure.merchant_id,
      CASE WHEN listing_measure.denial_id IS NULL THEN format('decision %s', listing_measure.decision_id)
           ELSE format('refused attempt %s', listing_measure.denial_id) END USING ERRCODE = 'no_data_found';
  END IF;
  IF verdict NOT IN ('deny', 'quarantine', 'warn') THEN
    RAISE EXCEPTION 'decision % took no measure against the listing', listing_measure.decision_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Its verdict is %s.', verdict);
  END IF;
END
$$;
COMMENT ON FUNCTION listing_measure(text, bigint, bigint) IS
  'What a decision or a refused attempt did to a listing, what was found, and on what values; an error where there is none or it did nothing';

CREATE FUNCTION listing_overturned(merchant_id text, decision_id bigint, denial_id bigint) RETURNS text[]
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(array_agg(DISTINCT r ORDER BY r), '{}')
  FROM listing_appeal a CROSS JOIN LATERAL unnest(a.rules) AS r
  WHERE a.merchant_id = listing_overturned.merchant_id
    AND (a.decision_id = listing_overturned.decision_id OR a.denial_id = listing_overturned.denial_id);
END;
COMMENT ON FUNCTION listing_overturned(text, bigint, bigint) IS
  'Rules whose findings in a decision or a refused attempt were overturned on appeal';

-- listing: an appeal's steps

CREATE FUNCTION listing_appeal_enter(merchant_id text, appeal_id bigint, state text, outcome text DEFAULT NULL,
                                     reasons text DEFAULT NULL, decided_by text DEFAULT NULL,
                                     rules text[] DEFAULT NULL) RETURNS listing_appeal
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  was quality_gov.listing_appeal;
  allowed text[];
BEGIN
  -- A write, not only a lock, so that a repeatable read that waited does not go on from a stale state.
  UPDATE quality_gov.listing_appeal a SET grounds = a.grounds
  WHERE a.merchant_id = listing_appeal_enter.merchant_id AND a.appeal_id = listing_appeal_enter.appeal_id
  RETURNING a.* INTO was;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" has no appeal %', merchant_id, appeal_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT s.next_states INTO allowed FROM quality_gov.listing_appeal_state s WHERE s.state = was.state;
  IF NOT state = ANY (allowed) THEN
    RAISE EXCEPTION 'appeal % cannot go from "%" to "%"', appeal_id, was.state, state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN allowed = '{}' THEN 'That state is final.'
                        ELSE format('It may go to %s.', array_to_string(allowed, ', ')) END;
  END IF;
  IF state = 'person_requested' AND was.outcome = 'overturned' THEN
    RAISE EXCEPTION 'appeal % was decided for the party', appeal_id
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  UPDATE quality_gov.listing_appeal a
  SET state = listing_appeal_enter.state, outcome = COALESCE(listing_appeal_enter.outcome, a.outcome),
      rules = COALESCE(a.rules || listing_appeal_enter.rules, a.rules, listing_appeal_enter.rules)
  WHERE a.merchant_id = was.merchant_id AND a.appeal_id = was.appeal_id
  RETURNING a.* INTO was;
  PERFORM quality_gov.listing_appeal_record(was, outcome, reasons, decided_by, rules);
  RETURN was;
END
$$;
COMMENT ON FUNCTION listing_appeal_enter(text, bigint, text, text, text, text, text[]) IS
  'Takes an appeal to its next state, refusing steps that listing_appeal_state does not allow and naming those it does; gives the appeal';

CREATE FUNCTION listing_appeal_record(appeal listing_appeal, outcome text, reasons text, decided_by text, rules text[]) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  INSERT INTO quality_gov.listing_appeal_step (merchant_id, appeal_id, state, outcome, reasons, decided_by, role, rules)
  VALUES (appeal.merchant_id, appeal.appeal_id, appeal.state, outcome, reasons, decided_by, session_user, rules);
  PERFORM quality_gov.ledger_record('listing_appeal', 'appeal ' || appeal.appeal_id, jsonb_strip_nulls(jsonb_build_object(
    'appeal_id', appeal.appeal_id, 'merchant_id', appeal.merchant_id, 'decision_id', appeal.decision_id,
    'denial_id', appeal.denial_id, 'state', appeal.state, 'outcome', outcome, 'reasons', reasons, 'decided_by', decided_by,
    'rules', rules)));
END
$$;
COMMENT ON FUNCTION listing_appeal_record(listing_appeal, text, text, text, text[]) IS
  'Writes the step that took an appeal into its state, and the ledger entry';

CREATE FUNCTION listing_appeal_enter_new(merchant_id text, decision_id bigint, denial_id bigint, grounds text, evidence jsonb)
  RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  told text := CASE WHEN listing_appeal_enter_new.denial_id IS NULL THEN format('decision %s', listing_appeal_enter_new.decision_id)
                    ELSE format('refused attempt %s', listing_appeal_enter_new.denial_id) END;
  due timestamptz;
  filed quality_gov.listing_appeal;
BEGIN
  PERFORM quality_gov.session_party_require(listing_appeal_enter_new.merchant_id, '{quality_gov_admin,quality_gov_app}');
  IF COALESCE(grounds, '') !~ '\S' THEN
    RAISE EXCEPTION 'an appeal needs grounds' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF jsonb_typeof(evidence) NOT IN ('object', 'array') THEN
    RAISE EXCEPTION 'evidence must be a JSON object or array, found %', jsonb_typeof(evidence)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM FROM quality_gov.listing_decision d
  WHERE d.merchant_id = listing_appeal_enter_new.merchant_id AND d.decision_id = listing_appeal_enter_new.decision_id FOR KEY SHARE;
  PERFORM FROM quality_gov.listing_denial d
  WHERE d.merchant_id = listing_appeal_enter_new.merchant_id AND d.denial_id = listing_appeal_enter_new.denial_id FOR KEY SHARE;
  -- The platform may set a period; whoever runs quality_gov may file after it.
  due := quality_gov.duty_deadline('listing_appeal', m.recorded_at) FROM quality_gov.listing_measure(
    listing_appeal_enter_new.merchant_id, listing_appeal_enter_new.decision_id, listing_appeal_enter_new.denial_id) m;
  IF due <= clock_timestamp() AND NOT quality_gov.session_acts_for(NULL, '{quality_gov_admin}') THEN
    RAISE EXCEPTION 'the period to appeal against % ended at %', told, due
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Ask the platform to file the appeal.';
  END IF;
  INSERT INTO quality_gov.listing_appeal (merchant_id, decision_id, denial_id, grounds, evidence)
  VALUES (listing_appeal_enter_new.merchant_id, listing_appeal_enter_new.decision_id, listing_appeal_enter_new.denial_id,
          grounds, evidence)
  ON CONFLICT DO NOTHING RETURNING * INTO filed;
  IF filed.appeal_id IS NULL THEN
    RAISE EXCEPTION '% has been appealed against already', told
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'An appeal that was decided automatically goes to a person by quality_gov.listing_appeal_request_person().';
  END IF;
  PERFORM quality_gov.listing_appeal_record(filed, NULL, grounds, NULL, NULL);
  RETURN filed.appeal_id;
END
$$;
COMMENT ON FUNCTION listing_appeal_enter_new(text, bigint, bigint, text, jsonb) IS
  'Files an appeal against a decision or a refused attempt; listing_appeal_file() and listing_denial_appeal() call it';

CREATE FUNCTION listing_appeal_file(merchant_id text, decision_id bigint, grounds text, evidence jsonb DEFAULT NULL)
  RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  RETURN listing_appeal_enter_new(merchant_id, decision_id, NULL, grounds, evidence);
COMMENT ON FUNCTION listing_appeal_file(text, bigint, text, jsonb) IS
  'Files an appeal against a decision and gives its id; for a role of the merchant (42501 for another), an application or an administrator; the period, if any, is a row listing_appeal of duty_rule (Order 116 art 19)';

CREATE FUNCTION listing_denial_appeal(merchant_id text, denial_id bigint, grounds text, evidence jsonb DEFAULT NULL)
  RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  RETURN listing_appeal_enter_new(merchant_id, NULL, denial_id, grounds, evidence);
COMMENT ON FUNCTION listing_denial_appeal(text, bigint, text, jsonb) IS
  'Files an appeal against a refused attempt, as listing_appeal_file() does against a decision';

CREATE FUNCTION listing_appeal_request_person(merchant_id text, appeal_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app}');
  PERFORM quality_gov.listing_appeal_enter(merchant_id, appeal_id, 'person_requested');
END
$$;
COMMENT ON FUNCTION listing_appeal_request_person(text, bigint) IS
  'The party asks that a person decide an appeal that was decided automatically; from then on only a person can (Order 116 art 19)';

CREATE FUNCTION listing_appeal_withdraw(merchant_id text, appeal_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app}');
  PERFORM quality_gov.listing_appeal_enter(merchant_id, appeal_id, 'withdrawn');
END
$$;
COMMENT ON FUNCTION listing_appeal_withdraw(text, bigint) IS
  'The party withdraws an appeal that no person has decided';

CREATE FUNCTION listing_appeal_rules(merchant_id text, appeal listing_appeal, outcome text, rules text[]) RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  earlier text[] := quality_gov.listing_overturned(merchant_id, appeal.decision_id, appeal.denial_id);
  found_rules text[] := ARRAY(
    SELECT DISTINCT f.value ->> 'rule'
    FROM quality_gov.listing_measure(merchant_id, appeal.decision_id, appeal.denial_id) m
    CROSS JOIN LATERAL jsonb_array_elements(m.findings) f WHERE f.value ->> 'verdict' NOT IN ('shadow', 'pass') ORDER BY 1);
  other text;
BEGIN
  IF outcome = 'upheld' AND rules IS NOT NULL THEN
    RAISE EXCEPTION 'a decision that is upheld has no findings that are overturned' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT r INTO other FROM unnest(rules) AS r WHERE r IS NULL OR r <> ALL (found_rules) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'what appeal % is against does not rest on a finding of rule "%"', appeal.appeal_id, COALESCE(other, 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = format('It rests on %s.', array_to_string(found_rules, ', '));
  END IF;
  IF outcome = 'overturned' THEN
    rules := COALESCE(rules, found_rules);
    SELECT r INTO other FROM unnest(found_rules) AS r WHERE r <> ALL (rules || earlier) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'a finding of rule "%" stands, so the decision is not overturned as a whole', other
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Decide the appeal partly, or name every rule.';
    END IF;
  END IF;
  RETURN CASE WHEN rules IS NOT NULL THEN ARRAY(SELECT DISTINCT r FROM unnest(rules) AS r WHERE r <> ALL (earlier) ORDER BY r) END;
END
$$;
COMMENT ON FUNCTION listing_appeal_rules(text, listing_appeal, text, text[]) IS
  'Rules whose findings a decision of an appeal overturns, those that were before left out: all where the whole is overturned, null where nothing is; an error where they do not fit the outcome or what was found';

CREATE FUNCTION listing_appeal_close(merchant_id text, appeal_id bigint, outcome text, reasons text, decided_by text,
                                     automatic boolean, until timestamptz DEFAULT NULL, rules text[] DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  appeal quality_gov.listing_appeal;
  m record;
  held boolean;
BEGIN
  IF outcome IS NULL OR outcome NOT IN ('upheld', 'overturned', 'partly') THEN
    RAISE EXCEPTION 'the outcome of an appeal is upheld, overturned or partly, found %', COALESCE(quote_literal(outcome), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF COALESCE(reasons, '') !~ '\S' OR COALESCE(decided_by, '') !~ '\S' OR automatic IS NULL THEN
    RAISE EXCEPTION 'the decision of an appeal needs reasons, who or what decided, and whether it is automatic'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT a.* INTO appeal FROM quality_gov.listing_appeal a
  WHERE a.merchant_id = listing_appeal_close.merchant_id AND a.appeal_id = listing_appeal_close.appeal_id;
  IF FOUND THEN
    rules := quality_gov.listing_appeal_rules(merchant_id, appeal, outcome, rules);
  END IF;
  appeal := quality_gov.listing_appeal_enter(merchant_id, appeal_id,
    CASE WHEN automatic THEN 'decided_automatically' ELSE 'decided' END, outcome, reasons, decided_by, rules);
  reasons := format('appeal %s: %s', appeal_id, reasons);
  IF rules IS NULL THEN
    RETURN NULL;
  END IF;
  held := quality_gov.listing_is_held(merchant_id, appeal.decision_id);
  SELECT * INTO m FROM quality_gov.listing_measure(merchant_id, appeal.decision_id, appeal.denial_id);
  -- Where the listing is held by nothing else, the row of its review is what a release at the same time waits for.
  IF held AND NOT EXISTS (
       SELECT FROM jsonb_array_elements(m.findings) f
       WHERE f.value ->> 'verdict' IN ('deny', 'quarantine') AND f.value ->> 'rule' <> ALL (appeal.rules)) THEN
    RETURN quality_gov.listing_release(merchant_id, appeal.decision_id, decided_by, reasons, until, rules);
  END IF;
  PERFORM quality_gov.listing_event_void(merchant_id, appeal.decision_id, appeal.denial_id, rules);
  -- What was refused may be written again, and what an audit found is not held at the next write.
  IF held OR appeal.denial_id IS NOT NULL OR m.operation = 'AUDIT' THEN
    PERFORM quality_gov.listing_except(merchant_id, appeal.decision_id, appeal.denial_id, decided_by, reasons, until, rules);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION listing_appeal_close(text, bigint, text, text, text, boolean, timestamptz, text[]) IS
  'Records the decision of an appeal; one that overturns takes back the credit event and releases a held listing, or lets pass what was refused or only found by an audit; gives the decision whose listing is to be set free, or null; listing_appeal_decide() calls it';

CREATE FUNCTION listing_appeal_decide(merchant_id text, appeal_id bigint, outcome text, reasons text, decided_by text,
                                      automatic boolean DEFAULT false, status text DEFAULT NULL,
                                      until timestamptz DEFAULT NULL, rules text[] DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  freed bigint := quality_gov.listing_appeal_close(merchant_id, appeal_id, outcome, reasons, decided_by, automatic, until, rules);
BEGIN
  IF freed IS NULL OR status IS NULL THEN
    RETURN 0;
  END IF;
  RETURN quality_gov.listing_status_set(merchant_id, freed, status);
END
$$;
COMMENT ON FUNCTION listing_appeal_decide(text, bigint, text, text, text, boolean, text, timestamptz, text[]) IS
  'Decides an appeal: the decision is upheld, overturned or partly so, by a person or automatically (decided_by names the person or the system). Overturned, the credit event is voided and a held listing released, or a refused one let pass when it is written again; decided partly, that is so for findings of the rules named alone, and the event is weighed by what stands; the exceptions that do it end at until, by default a year later; with status the platform''s row is updated with the caller''s rights once nothing holds it; gives the number of rows updated';
