
-- trace: recalls, their states and what they hold or stop

CREATE TABLE recall_state (
  state text NOT NULL,
  initial boolean NOT NULL,
  verdict text NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  CONSTRAINT recall_state_pkey PRIMARY KEY (state),
  CONSTRAINT recall_state_verdict CHECK (verdict IN ('quarantine', 'deny', 'pass'))
);
COMMENT ON TABLE recall_state IS
  'States of a recall, whether it may begin in them, and what happens meanwhile to goods in its scope: quarantine, deny or pass; what follows what is in recall_transition; shipped, not dumped';
INSERT INTO recall_state VALUES
  ('suspected', true, 'quarantine', 'Suspected defect', 'Order 19 art 9'),
  ('investigating', true, 'quarantine', 'Under investigation', 'Order 19 art 9'),
  ('notified', true, 'deny', 'Recall notified by the authority', 'Order 19 arts 13, 15'),
  ('voluntary', true, 'deny', 'Voluntary recall', 'Order 19 arts 15, 16'),
  ('ordered', true, 'deny', 'Recall ordered by the authority', 'Order 19 arts 15, 16'),
  ('objected', false, 'deny', 'Producer objected', 'Order 19 art 13'),
  ('plan_reported', false, 'deny', 'Plan reported', 'Order 19 art 17'),
  ('published', false, 'deny', 'Published', 'Order 19 art 19'),
  ('running', false, 'deny', 'Running', 'Order 19 art 21'),
  ('completed', false, 'deny', 'Completed; goods not made safe may not be sold', 'Order 19 arts 20, 21'),
  ('final_summary', false, 'deny', 'Final summary reported', 'Order 19 arts 20 to 22'),
  ('re_recall', false, 'deny', 'To be recalled anew, since scope or remedy proved insufficient', 'Order 19 art 22'),
  ('dismissed', false, 'pass', 'No defect found', 'Order 19 art 9');

CREATE TABLE recall_transition (
  regime text NOT NULL,
  from_state text NOT NULL,
  to_state text NOT NULL,
  parties text[] NOT NULL,
  document text,
  document_required boolean NOT NULL DEFAULT false,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT recall_transition_pkey PRIMARY KEY (regime, from_state, to_state, effect, builtin),
  CONSTRAINT recall_transition_regime CHECK (regime IN ('consumer', 'food')),
  CONSTRAINT recall_transition_to_state CHECK (to_state <> from_state),
  CONSTRAINT recall_transition_parties CHECK (cardinality(parties) > 0 AND parties <@ '{authority,producer,platform}'),
  CONSTRAINT recall_transition_document CHECK (document IS NOT NULL OR NOT document_required),
  CONSTRAINT recall_transition_effect CHECK (NOT isempty(effect))
);
COMMENT ON TABLE recall_transition IS
  'What may follow what, by regime and period: whose step it is (authority, producer, platform), the kind of document (recall_report_kind) that goes with it and whether the step needs it. A row of one''s own adds a step; where a shipped row has the same step, that one counts';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_transition', 'WHERE NOT builtin');
-- Order 122 is silent on steps of its own but for the plan: food goes the way of Order 19.
INSERT INTO recall_transition
SELECT g.regime, f.state, t.to_state, t.parties, t.document, t.needed, CASE WHEN t.needed THEN g.effect ELSE '(,)' END,
       CASE WHEN g.regime = 'consumer' THEN '消费品召回管理暂行规定 (Order 19) ' || t.basis
            WHEN t.to_state = 'plan_reported' THEN '食品召回管理办法 (Order 122) art 12'
            ELSE '食品召回管理办法 (Order 122); step as in Order 19 ' || t.basis END, true
FROM (VALUES
  ('{suspected}'::text[], 'investigating', '{authority,producer,platform}'::text[], NULL, false, 'art 9'),
  ('{suspected,investigating}', 'notified', '{authority}', NULL, false, 'art 13'),
  ('{suspected,investigating,notified,objected}', 'voluntary', '{producer}', NULL, false, 'arts 15, 16'),
  ('{suspected,investigating,notified,objected,re_recall}', 'ordered', '{authority}', NULL, false, 'arts 15, 16'),
  ('{objected,re_recall}', 'notified', '{authority}', NULL, false, 'art 13'),
  ('{suspected,investigating,objected}', 'dismissed', '{authority,platform}', 'investigation', false, 'arts 9, 13'),
  ('{notified}', 'objected', '{producer}', 'objection', false, 'art 13'),
  ('{notified,voluntary,ordered,re_recall}', 'plan_reported', '{producer}', 'plan', true, 'arts 17, 18'),
  ('{plan_reported}', 'published', '{producer}', 'notice', true, 'art 19'),
  ('{published}', 'running', '{producer,platform}', NULL, false, 'art 21'),
  ('{running}', 'completed', '{producer}', NULL, false, 'arts 20, 21'),
  ('{completed}', 'final_summary', '{producer}', 'final_summary', true, 'art 21'),
  ('{published,running,completed,final_summary}', 're_recall', '{authority,producer}', NULL, false, 'art 22'))
  AS t(from_states, to_state, parties, document, needed, basis)
CROSS JOIN unnest(t.from_states) AS f(state)
CROSS JOIN (VALUES
  ('consumer', '[2020-01-01 00:00+08,)'::tstzrange), ('food', '[2026-12-01 00:00+08,)')) AS g(regime, effect);
-- Before the rules that ask for them, a step needs no document.
INSERT INTO recall_transition
SELECT t.regime, t.from_state, t.to_state, t.parties, t.document, false, tstzrange(NULL, lower(t.effect)), t.legal_basis, true
FROM recall_transition t WHERE t.document_required;
CREATE TRIGGER recall_transition_builtin BEFORE INSERT OR UPDATE OR DELETE ON recall_transition
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION recall_transition_at(regime text, from_state text, at timestamptz) RETURNS SETOF recall_transition
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT DISTINCT ON (t.to_state) t.* FROM recall_transition t
  WHERE t.regime = recall_transition_at.regime AND t.from_state = recall_transition_at.from_state AND t.effect @> at
  ORDER BY t.to_state, t.builtin DESC, lower(t.effect) DESC NULLS LAST;
END;
COMMENT ON FUNCTION recall_transition_at(text, text, timestamptz) IS
  'Steps that a recall in a state may take at an instant, one row for each state that may follow';

CREATE TABLE recall (
  recall_id bigint GENERATED ALWAYS AS IDENTITY,
  title text NOT NULL,
  regime text NOT NULL,
  level integer,
  severity text NOT NULL DEFAULT 'general',
  merchant_id text,
  reason text NOT NULL,
  legal_basis text NOT NULL,
  discovered_at timestamptz,
  CONSTRAINT recall_pkey PRIMARY KEY (recall_id),
  CONSTRAINT recall_regime CHECK (regime IN ('consumer', 'food')),
  CONSTRAINT recall_level CHECK ((regime = 'food') = (level IS NOT NULL) AND level BETWEEN 1 AND 3),
  CONSTRAINT recall_severity CHECK (severity IN ('minor', 'general', 'serious')),
  CONSTRAINT recall_discovered_at CHECK (isfinite(discovered_at))
);
COMMENT ON TABLE recall IS
  'Recalls of consumer goods (消费品召回, Order 19) and food (食品召回, Order 122, levels 1 to 3); merchant_id answers for it; level is the one in force (recall_level_change has those before); discovered_at is when the defect or risk was discovered, null where nobody said: the recall''s first step then';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_recall_id_seq', '');

CREATE TABLE recall_scope (
  recall_id bigint NOT NULL,
  scope_id bigint GENERATED ALWAYS AS IDENTITY,
  revision integer NOT NULL DEFAULT 1,
  gtin gtin NOT NULL,
  lot_code text,
  serial_from text,
  serial_to text,
  made daterange,
  lot_id bigint,
  via bigint,
  depth integer,
  since timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT recall_scope_pkey PRIMARY KEY (recall_id, scope_id)
);
CREATE INDEX recall_scope_gtin ON recall_scope (gtin, lot_code);
CREATE INDEX recall_scope_revision ON recall_scope (recall_id, revision);
COMMENT ON TABLE recall_scope IS
  'Goods of a recall, one computation of the scope a revision: a GTIN, of it a lot code (null: every lot), a range of serial numbers or of days made; lot_id where the lot is known, via and depth where it was reached from an ingredient lot; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_scope', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_scope_scope_id_seq', '');

CREATE TABLE recall_step (
  recall_id bigint NOT NULL,
  step_id bigint GENERATED ALWAYS AS IDENTITY,
  state text NOT NULL,
  at timestamptz NOT NULL,
  note text,
  party text,
  role text,
  CONSTRAINT recall_step_pkey PRIMARY KEY (recall_id, step_id),
  CONSTRAINT recall_step_at UNIQUE (recall_id, at),
  CONSTRAINT recall_step_finite CHECK (isfinite(at)),
  CONSTRAINT recall_step_party CHECK (party IN ('authority', 'producer', 'platform'))
);
COMMENT ON TABLE recall_step IS
  'States a recall went through, and since when; as what party (authority, producer, platform: an administrator, who also records what others did) and by which role it was entered; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_step', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_step_step_id_seq', '');
CREATE TRIGGER recall_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_step
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER recall_scope_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_scope
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER recall_step_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON recall_step
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER recall_scope_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON recall_scope
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION recall_open(title text, scope jsonb, reason text, legal_basis text,
    regime text DEFAULT 'consumer', level integer DEFAULT NULL, state text DEFAULT 'suspected',
    severity text DEFAULT 'general', merchant_id text DEFAULT NULL, at timestamptz DEFAULT now(),
    discovered_at timestamptz DEFAULT NULL, harm text[] DEFAULT '{}')
  RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  opened bigint;
BEGIN
  IF scope IS NULL THEN
    RAISE EXCEPTION 'scope must not be null' USING ERRCODE = 'null_value_not_allowed',
      HINT = 'For example [{"gtin": "06901234567892", "lot": "A1"}].';
  END IF;
  IF NOT EXISTS (SELECT FROM quality_gov.recall_state x WHERE x.state = recall_open.state AND x.initial) THEN
    RAISE EXCEPTION 'a recall cannot begin as "%"', state USING ERRCODE = 'invalid_parameter_value',
      HINT = 'It begins as suspected, investigating, notified, voluntary or ordered.';
  END IF;
  IF regime NOT IN ('consumer', 'food') THEN
    RAISE EXCEPTION 'regime must be consumer or food, found "%"', regime USING ERRCODE = 'check_violation';
  END IF;
  IF regime = 'food' AND level BETWEEN 1 AND 3 IS NOT TRUE THEN
    RAISE EXCEPTION 'a recall of food needs level 1, 2 or 3, found %', COALESCE(level::text, 'none') USING ERRCODE = 'check_violation',
      HINT = 'The table quality_gov.recall_level says what each means.';
  END IF;
  IF regime <> 'food' AND level IS NOT NULL THEN
    RAISE EXCEPTION 'a recall of consumer goods has no level, found %', level USING ERRCODE = 'check_violation',
      HINT = 'Levels are of food: regime => ''food''.';
  END IF;
  IF severity NOT IN ('minor', 'general', 'serious') THEN
    RAISE EXCEPTION 'severity must be minor, general or serious, found "%"', severity USING ERRCODE = 'check_violation';
  END IF;
  IF discovered_at > at THEN
    RAISE EXCEPTION 'a recall cannot begin (%) before its cause is discovered (%)', at, discovered_at
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF merchant_id IS NOT NULL THEN
    PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = recall_open.merchant_id FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
    END IF;
  END IF;
  INSERT INTO quality_gov.recall (title, regime, level, severity, merchant_id, reason, legal_basis, discovered_at)
  VALUES (title, regime, level, severity, merchant_id, reason, legal_basis, discovered_at) RETURNING recall_id INTO opened;
  PERFORM FROM quality_gov.recall_scope_compute(opened, scope, at);
  PERFORM quality_gov.recall_enter(opened, state, at, NULL, 'platform');
  PERFORM quality_gov.recall_fact_add(opened, h, COALESCE(discovered_at, at)) FROM unnest(harm) h;
  RETURN opened;
END
$$;
COMMENT ON FUNCTION recall_open(text, jsonb, text, text, text, integer, text, text, text, timestamptz, timestamptz, text[]) IS
  'Opens a recall over goods, in the form that recall_scope_read() takes: [{"gtin", "lot"}], lot optional, serial numbers, days made, ingredient lots; guards hold or stop them from at on. discovered_at is when the defect or risk was discovered (the clock of D20), harm what recall_fact_add() would add: death, serious_injury, large_loss, overseas_recall, known since then';

CREATE FUNCTION recall_enter(recall_id bigint, state text, at timestamptz, note text, party text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  r quality_gov.recall;
BEGIN
  SELECT * INTO r FROM quality_gov.recall x WHERE x.recall_id = recall_enter.recall_id;
  INSERT INTO quality_gov.recall_step (recall_id, state, at, note, party, role)
  VALUES (recall_id, state, at, note, party, session_user);
  -- The merchant answers once, when the recall is no longer only suspected.
  IF r.merchant_id IS NOT NULL AND state IN ('notified', 'voluntary', 'ordered')
     AND NOT EXISTS (SELECT FROM quality_gov.credit_event e WHERE e.merchant_id = r.merchant_id
                       AND e.source = 'recall' AND e.ref = recall_enter.recall_id::text) THEN
    PERFORM quality_gov.credit_event_add(r.merchant_id, 'recall', r.severity, at, 'recall', recall_id::text);
  END IF;
  PERFORM quality_gov.ledger_record('recall', 'recall ' || recall_id, jsonb_build_object(
    'recall_id', recall_id, 'state', state, 'at', at, 'title', r.title, 'note', note, 'party', party));
END
$$;
COMMENT ON FUNCTION recall_enter(bigint, text, timestamptz, text, text) IS
  'Enters a state of a recall with what follows from it; recall_open() and recall_advance() call it';

CREATE FUNCTION recall_party(merchant_id text, parties text[]) RETURNS text
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT CASE WHEN quality_gov.session_acts_for(NULL, '{quality_gov_admin}') THEN 'platform'
              WHEN 'authority' = ANY (parties) AND quality_gov.session_acts_for(NULL, '{quality_gov_regulator}') THEN 'authority'
              WHEN 'producer' = ANY (parties) AND merchant_id IS NOT NULL
                   AND quality_gov.session_acts_for(merchant_id, '{quality_gov_app}') THEN 'producer' END
$$;
COMMENT ON FUNCTION recall_party(text, text[]) IS
  'As which of the parties the session acts in a recall that the merchant answers for: an administrator always, as platform; a regulator as authority; the merchant and an application as producer; else null';

CREATE FUNCTION recall_party_require(recall_id bigint, merchant_id text, parties text[], what text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  party text := quality_gov.recall_party(merchant_id, parties);
BEGIN
  IF party IS NULL THEN
    RAISE EXCEPTION 'permission denied to % of recall %', what, recall_id USING ERRCODE = 'insufficient_privilege',
      HINT = format('That is for %s, or for an administrator, who records what they did. The producer is the merchant that answers for the recall, the authority a regulator.',
                    array_to_string(parties, ', '));
  END IF;
  RETURN party;
END
$$;
COMMENT ON FUNCTION recall_party_require(bigint, text, text[], text) IS
  'The party that the session acts as in a recall; 42501 for who is none of those given';

CREATE FUNCTION recall_take(recall_id bigint, parties text[], what text) RETURNS recall
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken quality_gov.recall;
BEGIN
  SELECT * INTO taken FROM quality_gov.recall r WHERE r.recall_id = recall_take.recall_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  PERFORM quality_gov.recall_party_require(recall_id, taken.merchant_id, parties, what);
  -- A write, not only a lock, so that a repeatable read that waited does not go on from a stale state.
  UPDATE quality_gov.recall r SET title = r.title WHERE r.recall_id = recall_take.recall_id RETURNING r.* INTO taken;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  RETURN taken;
END
$$;
COMMENT ON FUNCTION recall_take(bigint, text[], text) IS
  'Takes a recall for a change until the transaction ends, and gives it; P0002 where there is none, 42501 for a session that acts as none of the parties';

CREATE FUNCTION recall_advance(recall_id bigint, state text, at timestamptz DEFAULT now(),
                               note text DEFAULT NULL, document jsonb DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken quality_gov.recall := quality_gov.recall_take(recall_id, '{authority,producer}', 'take a step');
  now_in quality_gov.recall_step;
  step quality_gov.recall_transition;
  party text;
  ended timestamptz;
BEGIN
  SELECT * INTO now_in FROM quality_gov.recall_step s
  WHERE s.recall_id = recall_advance.recall_id ORDER BY s.at DESC LIMIT 1;
  IF at IS NULL OR at <= now_in.at THEN
    RAISE EXCEPTION 'recall % is "%" since %, a later instant is needed', recall_id, now_in.state, now_in.at
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO step FROM quality_gov.recall_transition_at(taken.regime, now_in.state, at) t
  WHERE t.to_state = recall_advance.state;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % cannot go from "%" to "%"', recall_id, now_in.state, state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = (SELECT COALESCE('It may go to ' || string_agg(t.to_state, ', ' ORDER BY t.to_state) || '.', 'That state is final.')
                    FROM quality_gov.recall_transition_at(taken.regime, now_in.state, at) t);
  END IF;
  party := quality_gov.recall_party_require(recall_id, taken.merchant_id, step.parties,
                                            format('take the step from "%s" to "%s"', now_in.state, state));
  IF state = 'objected' AND taken.regime = 'consumer' THEN
    ended := quality_gov.duty_deadline('D16', now_in.at);
    IF at >= ended THEN
      RAISE EXCEPTION 'the term to object to recall % ended at %', recall_id, ended
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = step.legal_basis || '.';
    END IF;
  END IF;
  IF document IS NOT NULL AND step.document IS NULL THEN
    RAISE EXCEPTION 'no document goes with the step from "%" to "%"', now_in.state, state
      USING ERRCODE = 'invalid_parameter_value', HINT = 'File it with quality_gov.recall_report_add().';
  END IF;
  IF document IS NOT NULL THEN
    PERFORM quality_gov.recall_report_write(taken, step.document, document, at, party);
  ELSIF step.document_required THEN
    PERFORM quality_gov.recall_report_require(taken, step, at);
  END IF;
  PERFORM quality_gov.recall_enter(recall_id, state, at, note, party);
END
$$;
COMMENT ON FUNCTION recall_advance(bigint, text, timestamptz, text, jsonb) IS
  'Takes a recall to its next state, with the document that goes with the step. 55000 for a step that recall_transition does not allow, naming those it does, for one whose document is neither given nor filed, and for an objection after its term; 22023 for a document that lacks fields, naming them, and for an instant not after the last step; 42501 for who is not one of the step''s parties';

CREATE FUNCTION recall_reopen(recall_id bigint, reason text, scope jsonb DEFAULT NULL, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF reason IS NULL OR reason !~ '\S' THEN
    RAISE EXCEPTION 'say why the goods are to be recalled anew' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.recall_advance(recall_id, 're_recall', at, reason);
  IF scope IS NOT NULL THEN
    PERFORM FROM quality_gov.recall_scope_compute(recall_id, quality_gov.recall_scope_declared(recall_id) || scope, at);
  END IF;
END
$$;
COMMENT ON FUNCTION recall_reopen(bigint, text, jsonb, timestamptz) IS
  'Recalls anew, since scope or remedy proved insufficient (Order 19 art 22): state re_recall, with the reason, and the whole scope as it is to be, where it changes; a plan is due again. Errors as recall_advance()';
