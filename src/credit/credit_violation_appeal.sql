
-- credit: appeals of merchants against violations and sanctions

CREATE TABLE violation_appeal_state (
  state text NOT NULL,
  next_states text[] NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  CONSTRAINT violation_appeal_state_pkey PRIMARY KEY (state)
);
COMMENT ON TABLE violation_appeal_state IS
  'States of an appeal and what may follow; one decided automatically goes to a person when the party asks; shipped, not dumped';
INSERT INTO violation_appeal_state VALUES
  ('filed', '{decided_automatically,decided,withdrawn}', 'Filed', 'Order 116 art 19'),
  ('decided_automatically', '{person_requested}', 'Decided without a person', 'Order 116 art 19'),
  ('person_requested', '{decided,withdrawn}', 'The party asks for a person', 'Order 116 art 19'),
  ('decided', '{}', 'Decided by a person', 'Order 116 art 19'),
  ('withdrawn', '{}', 'Withdrawn by the party', 'Order 116 art 19');

CREATE TABLE violation_appeal (
  merchant_id text NOT NULL,
  appeal_id bigint GENERATED ALWAYS AS IDENTITY,
  violation_id bigint,
  sanction_id bigint,
  filed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  grounds text NOT NULL,
  evidence jsonb,
  state text NOT NULL DEFAULT 'filed',
  outcome text,
  CONSTRAINT violation_appeal_pkey PRIMARY KEY (merchant_id, appeal_id),
  CONSTRAINT violation_appeal_against CHECK (num_nonnulls(violation_id, sanction_id) = 1),
  CONSTRAINT violation_appeal_grounds CHECK (grounds ~ '\S'),
  CONSTRAINT violation_appeal_evidence CHECK (jsonb_typeof(evidence) IN ('object', 'array')),
  CONSTRAINT violation_appeal_outcome CHECK (outcome IN ('upheld', 'overturned')),
  CONSTRAINT violation_appeal_decided CHECK (
    (outcome IS NOT NULL) >= (state IN ('decided', 'decided_automatically', 'person_requested')))
);
CREATE UNIQUE INDEX violation_appeal_violation ON violation_appeal (merchant_id, violation_id) WHERE state <> 'withdrawn';
CREATE UNIQUE INDEX violation_appeal_sanction ON violation_appeal (merchant_id, sanction_id) WHERE state <> 'withdrawn';
COMMENT ON TABLE violation_appeal IS
  'Appeals against entries and sanctions, one each unless withdrawn: grounds, evidence (a JSON object or array), state, and outcome for what is appealed against: upheld, it stands; overturned, it falls';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_appeal', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_appeal_appeal_id_seq', '');

CREATE TABLE violation_appeal_step (
  merchant_id text NOT NULL,
  appeal_id bigint NOT NULL,
  step_id bigint GENERATED ALWAYS AS IDENTITY,
  state text NOT NULL,
  at timestamptz NOT NULL,
  outcome text,
  reasons text,
  decided_by text,
  role text NOT NULL,
  CONSTRAINT violation_appeal_step_pkey PRIMARY KEY (merchant_id, appeal_id, step_id)
);
COMMENT ON TABLE violation_appeal_step IS
  'Each state an appeal entered, with outcome, reasons, who or what decided, and the session''s role; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_appeal_step', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_appeal_step_step_id_seq', '');
CREATE TRIGGER violation_appeal_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON violation_appeal_step
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

ALTER TABLE violation_appeal ENABLE ROW LEVEL SECURITY;
CREATE POLICY violation_appeal_read ON violation_appeal FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
ALTER TABLE violation_appeal_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY violation_appeal_step_read ON violation_appeal_step FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION violation_appeal_note(appeal violation_appeal, outcome text, reasons text, decided_by text, at timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  INSERT INTO quality_gov.violation_appeal_step (merchant_id, appeal_id, state, at, outcome, reasons, decided_by, role)
  VALUES (appeal.merchant_id, appeal.appeal_id, appeal.state, at, outcome, reasons, decided_by, session_user);
  -- An entry's appeal is one of every sanction that rests on it.
  UPDATE quality_gov.sanction s SET appeal_state = quality_gov.sanction_appeal_state(s.merchant_id, s.sanction_id, s.violation_id)
  WHERE s.merchant_id = appeal.merchant_id
    AND (s.sanction_id = appeal.sanction_id OR s.violation_id = appeal.violation_id);
  PERFORM quality_gov.ledger_record('violation_appeal', 'appeal ' || appeal.appeal_id, jsonb_strip_nulls(jsonb_build_object(
    'appeal_id', appeal.appeal_id, 'merchant_id', appeal.merchant_id, 'violation_id', appeal.violation_id,
    'sanction_id', appeal.sanction_id, 'state', appeal.state, 'outcome', outcome, 'reasons', reasons, 'decided_by', decided_by)));
END
$$;
COMMENT ON FUNCTION violation_appeal_note(violation_appeal, text, text, text, timestamptz) IS
  'Writes the step that took an appeal into its state, the appeal state of the sanctions concerned, and the ledger entry';

CREATE FUNCTION sanction_appeal_state(merchant_id text, sanction_id bigint, violation_id bigint) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE((
    SELECT CASE WHEN a.state IN ('filed', 'person_requested') THEN 'open' WHEN a.outcome = 'overturned' THEN 'lifted' ELSE 'upheld' END
    FROM violation_appeal a
    WHERE a.merchant_id = sanction_appeal_state.merchant_id AND a.state <> 'withdrawn'
      AND (a.sanction_id = sanction_appeal_state.sanction_id OR a.violation_id = sanction_appeal_state.violation_id)
    ORDER BY array_position(ARRAY['lifted', 'open', 'upheld'], CASE WHEN a.state IN ('filed', 'person_requested') THEN 'open'
      WHEN a.outcome = 'overturned' THEN 'lifted' ELSE 'upheld' END) LIMIT 1), 'none');
END;
COMMENT ON FUNCTION sanction_appeal_state(text, bigint, bigint) IS
  'Where appeals against a sanction, or the entry it rests on, stand: none, open, upheld or lifted';

CREATE FUNCTION violation_appeal_enter(merchant_id text, appeal_id bigint, state text, outcome text DEFAULT NULL,
                                       reasons text DEFAULT NULL, decided_by text DEFAULT NULL, at timestamptz DEFAULT clock_timestamp())
  RETURNS violation_appeal
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  was quality_gov.violation_appeal;
  allowed text[];
BEGIN
  SELECT * INTO was FROM quality_gov.violation_appeal a
  WHERE a.merchant_id = violation_appeal_enter.merchant_id AND a.appeal_id = violation_appeal_enter.appeal_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" has no appeal %', merchant_id, appeal_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT s.next_states INTO allowed FROM quality_gov.violation_appeal_state s WHERE s.state = was.state;
  IF NOT violation_appeal_enter.state = ANY (allowed) THEN
    RAISE EXCEPTION 'appeal % cannot go from "%" to "%"', appeal_id, was.state, state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN allowed = '{}' THEN 'That state is final.'
                        ELSE format('It may go to %s.', array_to_string(allowed, ', ')) END;
  END IF;
  IF state = 'person_requested' AND was.outcome = 'overturned' THEN
    RAISE EXCEPTION 'appeal % was decided for the party', appeal_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  UPDATE quality_gov.violation_appeal a
  SET state = violation_appeal_enter.state, outcome = COALESCE(violation_appeal_enter.outcome, a.outcome)
  WHERE a.merchant_id = was.merchant_id AND a.appeal_id = was.appeal_id
  RETURNING a.* INTO was;
  PERFORM quality_gov.violation_appeal_note(was, outcome, reasons, decided_by, at);
  RETURN was;
END
$$;
COMMENT ON FUNCTION violation_appeal_enter(text, bigint, text, text, text, text, timestamptz) IS
  'Takes an appeal to its next state, refusing steps that violation_appeal_state does not allow and naming those it does; gives the appeal; its caller holds the merchant''s account';

CREATE FUNCTION violation_appeal_enter_new(merchant_id text, violation_id bigint, sanction_id bigint, grounds text, evidence jsonb)
  RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  told text := CASE WHEN sanction_id IS NULL THEN format('violation %s', violation_id) ELSE format('sanction %s', sanction_id) END;
  decided timestamptz;
  due timestamptz;
  filed quality_gov.violation_appeal;
  against record;
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app}');
  PERFORM quality_gov.violation_merchant_require(merchant_id, now());
  IF COALESCE(grounds, '') !~ '\S' THEN
    RAISE EXCEPTION 'an appeal needs grounds' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF jsonb_typeof(evidence) NOT IN ('object', 'array') THEN
    RAISE EXCEPTION 'evidence must be a JSON object or array, found %', jsonb_typeof(evidence)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.violation_hold(merchant_id);
  IF sanction_id IS NULL THEN
    decided := (quality_gov.violation_require(merchant_id, violation_id)).recorded_at;
  ELSE
    against := quality_gov.sanction_require(merchant_id, sanction_id);
    IF against.lifted_at IS NOT NULL THEN
      RAISE EXCEPTION '% was lifted', told
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('That was at %s.', against.lifted_at);
    END IF;
    decided := against.at;
  END IF;
  -- The platform may set a period; whoever runs quality_gov may file after it.
  due := quality_gov.duty_deadline('violation_appeal', decided);
  IF due <= clock_timestamp() AND NOT quality_gov.session_acts_for(NULL, '{quality_gov_admin}') THEN
    RAISE EXCEPTION 'the period to appeal against % ended at %', told, due
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Ask the platform to file the appeal.';
  END IF;
  INSERT INTO quality_gov.violation_appeal (merchant_id, violation_id, sanction_id, grounds, evidence)
  VALUES (merchant_id, violation_id, sanction_id, grounds, evidence) ON CONFLICT DO NOTHING RETURNING * INTO filed;
  IF filed.appeal_id IS NULL THEN
    RAISE EXCEPTION '% has been appealed against already', told
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'An appeal that was decided automatically goes to a person by quality_gov.violation_appeal_request_person().';
  END IF;
  PERFORM quality_gov.violation_appeal_note(filed, NULL, grounds, NULL, filed.filed_at);
  RETURN filed.appeal_id;
END
$$;
COMMENT ON FUNCTION violation_appeal_enter_new(text, bigint, bigint, text, jsonb) IS
  'Files an appeal against an entry or a sanction; violation_appeal_file() and sanction_appeal_file() call it';

CREATE FUNCTION violation_appeal_file(merchant_id text, violation_id bigint, grounds text, evidence jsonb DEFAULT NULL)
  RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  RETURN violation_appeal_enter_new(merchant_id, violation_id, NULL, grounds, evidence);
COMMENT ON FUNCTION violation_appeal_file(text, bigint, text, jsonb) IS
  'Files an appeal against an entry and gives its id; for a role of the merchant (42501 for another), an application or an administrator; the period, if any, is a row violation_appeal of duty_rule (Order 116 art 19)';

CREATE FUNCTION sanction_appeal_file(merchant_id text, sanction_id bigint, grounds text, evidence jsonb DEFAULT NULL)
  RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  RETURN violation_appeal_enter_new(merchant_id, NULL, sanction_id, grounds, evidence);
COMMENT ON FUNCTION sanction_appeal_file(text, bigint, text, jsonb) IS
  'Files an appeal against a sanction, as violation_appeal_file() does against an entry';

CREATE FUNCTION violation_appeal_request_person(merchant_id text, appeal_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app}');
  PERFORM quality_gov.violation_merchant_require(merchant_id, now());
  PERFORM quality_gov.violation_hold(merchant_id);
  PERFORM quality_gov.violation_appeal_enter(merchant_id, appeal_id, 'person_requested');
END
$$;
COMMENT ON FUNCTION violation_appeal_request_person(text, bigint) IS
  'The party asks that a person decide an appeal that was decided automatically; from then on only a person can (Order 116 art 19)';

CREATE FUNCTION violation_appeal_withdraw(merchant_id text, appeal_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app}');
  PERFORM quality_gov.violation_merchant_require(merchant_id, now());
  PERFORM quality_gov.violation_hold(merchant_id);
  PERFORM quality_gov.violation_appeal_enter(merchant_id, appeal_id, 'withdrawn');
END
$$;
COMMENT ON FUNCTION violation_appeal_withdraw(text, bigint) IS 'The party withdraws an appeal that no person has decided';

CREATE FUNCTION violation_appeal_decide(merchant_id text, appeal_id bigint, outcome text, reasons text, decided_by text,
                                        automatic boolean DEFAULT false, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  appeal quality_gov.violation_appeal;
  against record;
BEGIN
  IF outcome IS NULL OR outcome NOT IN ('upheld', 'overturned') THEN
    RAISE EXCEPTION 'the outcome of an appeal is upheld or overturned, found %', COALESCE(quote_literal(outcome), 'null')
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It is the outcome for what is appealed against.';
  END IF;
  IF COALESCE(reasons, '') !~ '\S' OR COALESCE(decided_by, '') !~ '\S' OR automatic IS NULL THEN
    RAISE EXCEPTION 'the decision of an appeal needs reasons, who or what decided, and whether it is automatic'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  at := quality_gov.violation_lock(merchant_id, at);
  appeal := quality_gov.violation_appeal_enter(merchant_id, appeal_id,
    CASE WHEN automatic THEN 'decided_automatically' ELSE 'decided' END, outcome, reasons, decided_by, at);
  IF outcome = 'upheld' THEN
    RETURN;
  END IF;
  reasons := format('appeal %s: %s', appeal_id, reasons);
  IF appeal.sanction_id IS NOT NULL THEN
    against := quality_gov.sanction_require(merchant_id, appeal.sanction_id);
    -- Meanwhile it may have been lifted for another cause.
    IF against.lifted_at IS NULL THEN
      PERFORM quality_gov.sanction_close(against, at, 'appeal', reasons, decided_by);
    END IF;
  ELSIF NOT EXISTS (SELECT FROM quality_gov.violation_void x
                    WHERE x.merchant_id = appeal.merchant_id AND x.violation_id = appeal.violation_id) THEN
    PERFORM quality_gov.violation_void_add(quality_gov.violation_require(merchant_id, appeal.violation_id), appeal_id, reasons,
      decided_by, at);
  END IF;
END
$$;
COMMENT ON FUNCTION violation_appeal_decide(text, bigint, text, text, text, boolean, timestamptz) IS
  'Decides an appeal, by a person or automatically (decided_by names the person or the system): upheld, the entry or sanction stands; overturned, a sanction is lifted, an entry taken back, with its credit event, and everything after it computed anew: sanctions whose step is no longer reached are lifted from then on, what was answered for earlier instants stays';
