
-- trace: recalls, their states and what they hold or stop

CREATE TABLE recall_state (
  state text NOT NULL,
  next_states text[] NOT NULL,
  verdict text NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  CONSTRAINT recall_state_pkey PRIMARY KEY (state),
  CONSTRAINT recall_state_verdict CHECK (verdict IN ('quarantine', 'deny', 'pass'))
);
COMMENT ON TABLE recall_state IS
  'States of a recall, what may follow, and what happens meanwhile to goods in its scope: quarantine, deny or pass; shipped, not dumped';
INSERT INTO recall_state VALUES
  ('suspected', '{investigating,notified,voluntary,ordered,dismissed}', 'quarantine', 'Suspected defect', 'Order 19 art 9'),
  ('investigating', '{notified,voluntary,ordered,dismissed}', 'quarantine', 'Under investigation', 'Order 19 art 9'),
  ('notified', '{objected,voluntary,ordered,plan_reported}', 'deny', 'Recall notified by the authority', 'Order 19 arts 13, 15'),
  ('voluntary', '{plan_reported}', 'deny', 'Voluntary recall', 'Order 19 arts 15, 16'),
  ('ordered', '{plan_reported}', 'deny', 'Recall ordered by the authority', 'Order 19 arts 15, 16'),
  ('objected', '{notified,voluntary,ordered,dismissed}', 'deny', 'Producer objected', 'Order 19 art 13'),
  ('plan_reported', '{published}', 'deny', 'Plan reported', 'Order 19 art 17'),
  ('published', '{running}', 'deny', 'Published', 'Order 19 art 19'),
  ('running', '{completed}', 'deny', 'Running', 'Order 19 art 21'),
  ('completed', '{final_summary,ordered}', 'deny', 'Completed; goods not made safe may not be sold', 'Order 19 arts 20, 21'),
  ('final_summary', '{ordered}', 'deny', 'Final summary reported', 'Order 19 arts 20 to 22'),
  ('dismissed', '{}', 'pass', 'No defect found', 'Order 19 art 9');

CREATE TABLE recall (
  recall_id bigint GENERATED ALWAYS AS IDENTITY,
  title text NOT NULL,
  regime text NOT NULL,
  level integer,
  severity text NOT NULL DEFAULT 'general',
  merchant_id text,
  reason text NOT NULL,
  legal_basis text NOT NULL,
  CONSTRAINT recall_pkey PRIMARY KEY (recall_id),
  CONSTRAINT recall_regime CHECK (regime IN ('consumer', 'food')),
  CONSTRAINT recall_level CHECK ((regime = 'food') = (level IS NOT NULL) AND level BETWEEN 1 AND 3),
  CONSTRAINT recall_severity CHECK (severity IN ('minor', 'general', 'serious'))
);
COMMENT ON TABLE recall IS
  'Recalls of consumer goods (消费品召回, Order 19) and food (食品召回, Order 122, levels 1 to 3); merchant_id answers for it';
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
  CONSTRAINT recall_step_pkey PRIMARY KEY (recall_id, step_id),
  CONSTRAINT recall_step_at UNIQUE (recall_id, at),
  CONSTRAINT recall_step_finite CHECK (isfinite(at))
);
COMMENT ON TABLE recall_step IS 'States a recall went through, and since when; append-only';
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
    severity text DEFAULT 'general', merchant_id text DEFAULT NULL, at timestamptz DEFAULT now())
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
  IF state IS NULL OR state NOT IN ('suspected', 'investigating', 'notified', 'voluntary', 'ordered') THEN
    RAISE EXCEPTION 'a recall cannot begin as "%"', state USING ERRCODE = 'invalid_parameter_value',
      HINT = 'It begins as suspected, investigating, notified, voluntary or ordered.';
  END IF;
  IF merchant_id IS NOT NULL THEN
    PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = recall_open.merchant_id FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
    END IF;
  END IF;
  INSERT INTO quality_gov.recall (title, regime, level, severity, merchant_id, reason, legal_basis)
  VALUES (title, regime, level, severity, merchant_id, reason, legal_basis) RETURNING recall_id INTO opened;
  PERFORM FROM quality_gov.recall_scope_compute(opened, scope, at);
  PERFORM quality_gov.recall_enter(opened, state, at, NULL);
  RETURN opened;
END
$$;
COMMENT ON FUNCTION recall_open(text, jsonb, text, text, text, integer, text, text, text, timestamptz) IS
  'Opens a recall over goods, in the form that recall_scope_read() takes: [{"gtin", "lot"}], lot optional, serial numbers, days made, ingredient lots; guards hold or stop them from at on';

CREATE FUNCTION recall_enter(recall_id bigint, state text, at timestamptz, note text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  r quality_gov.recall;
BEGIN
  SELECT * INTO r FROM quality_gov.recall x WHERE x.recall_id = recall_enter.recall_id;
  INSERT INTO quality_gov.recall_step (recall_id, state, at, note) VALUES (recall_id, state, at, note);
  -- The merchant answers once, when the recall is no longer only suspected.
  IF r.merchant_id IS NOT NULL AND state IN ('notified', 'voluntary', 'ordered')
     AND NOT EXISTS (SELECT FROM quality_gov.credit_event e WHERE e.merchant_id = r.merchant_id
                       AND e.source = 'recall' AND e.ref = recall_enter.recall_id::text) THEN
    PERFORM quality_gov.credit_event_add(r.merchant_id, 'recall', r.severity, at, 'recall', recall_id::text);
  END IF;
  PERFORM quality_gov.ledger_record('recall', 'recall ' || recall_id, jsonb_build_object(
    'recall_id', recall_id, 'state', state, 'at', at, 'title', r.title, 'note', note));
END
$$;
COMMENT ON FUNCTION recall_enter(bigint, text, timestamptz, text) IS
  'Enters a state of a recall with what follows from it; recall_open() and recall_advance() call it';

CREATE FUNCTION recall_advance(recall_id bigint, state text, at timestamptz DEFAULT now(),
                               note text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  now_in quality_gov.recall_step;
  allowed text[];
BEGIN
  -- A write, not only a lock, so that a repeatable read that waited does not go on from a stale state.
  UPDATE quality_gov.recall r SET title = r.title WHERE r.recall_id = recall_advance.recall_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT * INTO now_in FROM quality_gov.recall_step s
  WHERE s.recall_id = recall_advance.recall_id ORDER BY s.at DESC LIMIT 1;
  SELECT s.next_states INTO allowed FROM quality_gov.recall_state s WHERE s.state = now_in.state;
  IF state IS NULL OR NOT state = ANY (allowed) THEN
    RAISE EXCEPTION 'recall % cannot go from "%" to "%"', recall_id, now_in.state, state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN allowed = '{}' THEN 'That state is final.'
                        ELSE format('It may go to %s.', array_to_string(allowed, ', ')) END;
  END IF;
  IF at IS NULL OR at <= now_in.at THEN
    RAISE EXCEPTION 'recall % is "%" since %, a later instant is needed', recall_id, now_in.state, now_in.at
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.recall_enter(recall_id, state, at, note);
END
$$;
COMMENT ON FUNCTION recall_advance(bigint, text, timestamptz, text) IS
  'Takes a recall to its next state; refuses steps that recall_state does not allow, naming those it does';

CREATE VIEW recall_overview WITH (security_barrier) AS
  SELECT r.recall_id, r.title, r.regime, r.level, r.merchant_id, s.state, s.at AS since,
         (SELECT count(*) FROM recall_scope x WHERE x.recall_id = r.recall_id) AS scope,
         ARRAY(SELECT DISTINCT x.gtin::text || COALESCE(' lot ' || x.lot_code, '')
               FROM recall_scope x WHERE x.recall_id = r.recall_id ORDER BY 1) AS lots,
         d.duty AS next_duty, d.title AS next_duty_title, d.legal_basis,
         quality_gov.duty_deadline(d.duty, s.at) AS due,
         quality_gov.duty_deadline(d.duty, s.at) <= now() AS overdue
  FROM recall r
  CROSS JOIN LATERAL (SELECT t.state, t.at FROM recall_step t
                      WHERE t.recall_id = r.recall_id ORDER BY t.at DESC LIMIT 1) s
  LEFT JOIN LATERAL (
    SELECT q.duty, q.title, q.legal_basis FROM duty_rule q
    WHERE q.effect @> s.at AND q.duty = CASE
      WHEN r.regime = 'food' AND s.state IN ('notified', 'voluntary', 'ordered') THEN 'D20 level ' || r.level
      WHEN r.regime = 'food' AND s.state IN ('plan_reported', 'published', 'running') THEN 'D21 level ' || r.level
      WHEN s.state IN ('notified', 'voluntary', 'ordered') THEN 'D17'
      WHEN s.state = 'plan_reported' THEN 'D18'
      WHEN s.state IN ('published', 'running') THEN 'D19'
      WHEN s.state = 'completed' THEN 'D19 final' END
    ORDER BY q.builtin LIMIT 1) d ON true
  WHERE (SELECT session_reads_all()) OR r.merchant_id IN (SELECT m.merchant_id FROM session_merchant m);
COMMENT ON VIEW recall_overview IS
  'Recalls with their state, scope, next duty and whether it is overdue; a duty of a rule not in force yet has no date';
