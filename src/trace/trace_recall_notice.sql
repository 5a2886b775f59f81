
-- trace: notices of recalls, an outbox that workers empty: who is told what, when, and whether it arrived

CREATE TABLE recall_notice_rule (
  occasion text NOT NULL,
  audience text NOT NULL,
  regime text NOT NULL DEFAULT '*',
  states text[] NOT NULL,
  again boolean NOT NULL DEFAULT false,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT recall_notice_rule_pkey PRIMARY KEY (occasion, audience, regime, builtin),
  CONSTRAINT recall_notice_rule_occasion CHECK (occasion ~ '^[a-z][a-z0-9_]*$'),
  CONSTRAINT recall_notice_rule_audience CHECK (audience IN ('producer', 'platform', 'merchant', 'consumer', 'regulator')),
  CONSTRAINT recall_notice_rule_regime CHECK (regime IN ('*', 'consumer', 'food')),
  CONSTRAINT recall_notice_rule_states CHECK (states <> '{}')
);
COMMENT ON TABLE recall_notice_rule IS
  'Who is given notice on what occasion: the states of a recall that are the occasion, again where the recall was completed before; regime is one of recalls or *';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_notice_rule', 'WHERE NOT builtin');
INSERT INTO recall_notice_rule
SELECT r.occasion, a, r.regime, r.states, r.again, r.legal_basis, true
FROM (VALUES
  ('hold', '{producer,platform,merchant}'::text[], '*', '{suspected,investigating}'::text[], false, 'Order 19 art 9'),
  ('stop_sale', '{producer,platform,merchant,regulator}', '*', '{notified,voluntary,ordered}', false, 'Order 19 arts 15, 16'),
  -- Food is called back within hours of the discovery, before a plan is published.
  ('stop_sale', '{consumer}', 'food', '{notified,voluntary,ordered}', false, 'Order 122 art 11'),
  ('published', '{producer,platform,merchant,consumer,regulator}', '*', '{published}', false, 'Order 19 art 19'),
  ('re_recall', '{producer,platform,merchant,consumer,regulator}', '*', '{re_recall,notified,voluntary,ordered}', true, 'Order 19 art 22'),
  ('completed', '{producer,platform,merchant,regulator}', '*', '{completed}', false, 'Order 19 arts 20, 21'),
  ('dismissed', '{producer,platform,merchant,consumer,regulator}', '*', '{dismissed}', false, 'Order 19 art 9'))
  AS r(occasion, audiences, regime, states, again, legal_basis)
CROSS JOIN unnest(r.audiences) AS a;
CREATE TRIGGER recall_notice_rule_builtin BEFORE INSERT OR UPDATE OR DELETE ON recall_notice_rule
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE recall_notice_setting (
  setting text NOT NULL,
  value numeric NOT NULL,
  unit text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT recall_notice_setting_pkey PRIMARY KEY (setting, builtin),
  CONSTRAINT recall_notice_setting_setting CHECK (setting IN ('attempts', 'first_delay', 'longest_delay')),
  CONSTRAINT recall_notice_setting_value CHECK (value >= 1 AND value <= 1000000)
);
COMMENT ON TABLE recall_notice_setting IS
  'How often the delivery of a notice is tried before it is given up, and how long is waited: first_delay doubles up to longest_delay; a platform''s own row comes before the shipped one';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_notice_setting', 'WHERE NOT builtin');
INSERT INTO recall_notice_setting VALUES
  ('attempts', 8, 'attempts', true), ('first_delay', 60, 'second', true), ('longest_delay', 21600, 'second', true);
CREATE TRIGGER recall_notice_setting_builtin BEFORE INSERT OR UPDATE OR DELETE ON recall_notice_setting
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION recall_notice_setting_value(setting text) RETURNS numeric
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT s.value FROM recall_notice_setting s
  WHERE s.setting = recall_notice_setting_value.setting ORDER BY s.builtin LIMIT 1;
END;
COMMENT ON FUNCTION recall_notice_setting_value(text) IS
  'A setting of recall_notice_setting: the platform''s own, else the shipped one';

CREATE TABLE recall_notice_body (
  recall_id bigint NOT NULL,
  body_id bigint GENERATED ALWAYS AS IDENTITY,
  round integer NOT NULL,
  occasion text NOT NULL,
  audience text NOT NULL,
  language text NOT NULL,
  body text NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT recall_notice_body_pkey PRIMARY KEY (recall_id, body_id)
);
COMMENT ON TABLE recall_notice_body IS
  'Texts of notices as they were given, by occasion, audience and language; a later row is the text of notices from then on, as after the scope changed; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_notice_body', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_notice_body_body_id_seq', '');
CREATE TRIGGER recall_notice_body_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_notice_body
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE recall_notice (
  notice_id bigint GENERATED ALWAYS AS IDENTITY,
  recall_id bigint NOT NULL,
  round integer NOT NULL DEFAULT 1,
  occasion text NOT NULL,
  audience text NOT NULL,
  recipient text NOT NULL,
  at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  lease_until timestamptz,
  error text,
  delivered_at timestamptz,
  reference text,
  confirmed_at timestamptz,
  CONSTRAINT recall_notice_pkey PRIMARY KEY (notice_id),
  CONSTRAINT recall_notice_once UNIQUE (recall_id, audience, recipient, occasion, round),
  CONSTRAINT recall_notice_audience CHECK (audience IN ('producer', 'platform', 'merchant', 'consumer', 'regulator')),
  CONSTRAINT recall_notice_recipient CHECK (recipient <> ''),
  CONSTRAINT recall_notice_state CHECK (state IN ('pending', 'taken', 'delivered', 'dead', 'withdrawn')),
  CONSTRAINT recall_notice_taken CHECK ((state = 'taken') = (lease_until IS NOT NULL)),
  CONSTRAINT recall_notice_delivered CHECK ((state = 'delivered') = (delivered_at IS NOT NULL)),
  CONSTRAINT recall_notice_confirmed CHECK (confirmed_at IS NULL OR delivered_at IS NOT NULL),
  CONSTRAINT recall_notice_tried CHECK (attempts > 0 OR state IN ('pending', 'withdrawn'))
);
CREATE INDEX recall_notice_due ON recall_notice (due_at, notice_id) WHERE state IN ('pending', 'taken');
COMMENT ON TABLE recall_notice IS
  'Notices of recalls, one per recall, audience, recipient, occasion and round (1, and one more each time it is recalled again): producer by name, merchant by merchant_id, consumer by the platform''s own reference of the buyer, platform and regulator as such';
COMMENT ON COLUMN recall_notice.state IS
  'pending (from due_at on), taken by a worker (until lease_until), delivered, dead (given up after as many attempts as recall_notice_setting says) or withdrawn (the recall was dismissed first)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_notice', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_notice_notice_id_seq', '');
ALTER TABLE recall_notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY recall_notice_read ON recall_notice FOR SELECT
  USING ((SELECT session_administers())
         OR audience <> 'consumer' AND (SELECT session_has_role('{quality_gov_regulator}'))
         OR audience = 'merchant' AND recipient IN (SELECT merchant_id FROM session_merchant));

CREATE VIEW recall_notice_overview WITH (security_barrier) AS
  SELECT n.recall_id, n.round, n.occasion, n.audience, count(*) AS recipients,
         count(*) FILTER (WHERE n.state IN ('pending', 'taken')) AS waiting,
         count(*) FILTER (WHERE n.state = 'delivered') AS delivered,
         count(*) FILTER (WHERE n.confirmed_at IS NOT NULL) AS confirmed,
         count(*) FILTER (WHERE n.state = 'dead') AS dead,
         count(*) FILTER (WHERE n.state = 'withdrawn') AS withdrawn,
         min(n.at) AS first_at, max(n.delivered_at) AS last_delivered_at
  FROM recall_notice n
  WHERE (SELECT session_reads_all())
  GROUP BY n.recall_id, n.round, n.occasion, n.audience;
COMMENT ON VIEW recall_notice_overview IS
  'Notices of each recall by occasion and audience: recipients, and how many wait, were delivered, confirmed, given up or withdrawn; names nobody';

-- trace: what is notified: the occasion of each audience, its recipients

CREATE FUNCTION recall_notice_occasion(recall_id bigint, at timestamptz,
    OUT audience text, OUT occasion text, OUT round integer, OUT since timestamptz, OUT state text, OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH step AS (
    SELECT s.state, s.at, lag(s.state) OVER (ORDER BY s.at) AS before FROM quality_gov.recall_step s
    WHERE s.recall_id = recall_notice_occasion.recall_id AND s.at <= recall_notice_occasion.at
  ), numbered AS (
    -- Who was told of the first recall is told of the second.
    SELECT s.state, s.at, 1 + count(*) FILTER (WHERE s.state = 're_recall' OR s.before IN ('completed', 'final_summary')
                                                 AND s.state NOT IN ('completed', 'final_summary')) OVER (ORDER BY s.at) AS round
    FROM step s
  ), last AS (
    SELECT n.* FROM numbered n ORDER BY n.at DESC LIMIT 1
  )
  SELECT DISTINCT ON (r.audience) r.audience, r.occasion, n.round::integer, n.at, n.state, r.legal_basis
  FROM numbered n
  JOIN last l ON l.round = n.round
  JOIN quality_gov.recall c ON c.recall_id = recall_notice_occasion.recall_id
  JOIN quality_gov.recall_notice_rule r ON n.state = ANY (r.states) AND r.regime IN ('*', c.regime) AND r.again <= (n.round > 1)
  -- Once it is dismissed, nothing but that is told.
  WHERE l.state <> 'dismissed' OR n.state = 'dismissed'
  ORDER BY r.audience, n.at DESC, r.again DESC, r.builtin, r.occasion
$$;
COMMENT ON FUNCTION recall_notice_occasion(bigint, timestamptz) IS
  'What each audience of a recall is to be told as of an instant: the latest occasion that has a rule for it, with the state and since when, and the round';

CREATE FUNCTION recall_notice_recipient(recall_id bigint, at timestamptz, OUT audience text, OUT recipient text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH extent AS MATERIALIZED (
    SELECT quality_gov.recall_extent_of(recall_notice_recipient.recall_id) AS of
  ), lots AS MATERIALIZED (
    SELECT l.producer, l.merchant_id FROM extent e, quality_gov.recall_progress_lot(e.of) p
    JOIN quality_gov.lot l ON l.lot_id = p.lot_id
  ), lines AS MATERIALIZED (
    SELECT n.merchant_id, n.buyer, n.state FROM extent e, quality_gov.recall_progress_line(e.of, recall_notice_recipient.at) n
  )
  SELECT 'platform', 'platform'
  UNION SELECT 'regulator', 'regulator'
  UNION SELECT 'producer', l.producer FROM lots l WHERE l.producer <> ''
  UNION SELECT 'merchant', m.merchant_id
  FROM (SELECT l.merchant_id FROM lots l UNION SELECT n.merchant_id FROM lines n
        UNION SELECT r.merchant_id FROM quality_gov.recall r WHERE r.recall_id = recall_notice_recipient.recall_id) m
  WHERE m.merchant_id <> ''
  -- Who sent the goods back, or never got them, has nothing to be told.
  UNION SELECT 'consumer', n.buyer FROM lines n WHERE n.buyer <> '' AND n.state NOT IN ('cancelled', 'returned')
$$;
COMMENT ON FUNCTION recall_notice_recipient(bigint, timestamptz) IS
  'Who is concerned by a recall: producers by name, the platform, merchants of its lots and order lines, each buyer of record whose order stands, the regulator';

CREATE FUNCTION recall_notice_write(recall_id bigint, at timestamptz, OUT audience text, OUT occasion text, OUT created bigint)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  told record;
BEGIN
  -- Whom nothing reached yet needs not be told that it was nothing.
  UPDATE quality_gov.recall_notice n SET state = 'withdrawn'
  FROM quality_gov.recall_notice_occasion(recall_notice_write.recall_id, recall_notice_write.at) o
  WHERE o.state = 'dismissed' AND n.recall_id = recall_notice_write.recall_id AND n.audience = o.audience AND n.occasion <> o.occasion
    AND n.state IN ('pending', 'dead');
  FOR told IN
    WITH due AS MATERIALIZED (
      SELECT o.* FROM quality_gov.recall_notice_occasion(recall_notice_write.recall_id, recall_notice_write.at) o
    ), who AS MATERIALIZED (
      SELECT r.audience, r.recipient FROM quality_gov.recall_notice_recipient(recall_notice_write.recall_id, recall_notice_write.at) r
      WHERE r.audience IN (SELECT d.audience FROM due d WHERE d.state <> 'dismissed')
      UNION
      SELECT n.audience, n.recipient FROM quality_gov.recall_notice n
      WHERE n.recall_id = recall_notice_write.recall_id AND n.state IN ('taken', 'delivered')
        AND n.audience IN (SELECT d.audience FROM due d WHERE d.state = 'dismissed')
    ), written AS (
      INSERT INTO quality_gov.recall_notice (recall_id, round, occasion, audience, recipient, at, due_at)
      SELECT recall_notice_write.recall_id, d.round, d.occasion, d.audience, w.recipient, recall_notice_write.at, recall_notice_write.at
      FROM due d JOIN who w ON w.audience = d.audience
      -- A look into the index for each: as a join it would be planned by statistics that do not know the rows just written.
      WHERE NOT EXISTS (SELECT FROM quality_gov.recall_notice n
                        WHERE n.recall_id = recall_notice_write.recall_id AND n.audience = d.audience AND n.recipient = w.recipient
                          AND n.occasion = d.occasion AND n.round = d.round OFFSET 0)
      ORDER BY d.audience, w.recipient
      ON CONFLICT ON CONSTRAINT recall_notice_once DO NOTHING
      RETURNING audience
    )
    SELECT d.*, w.created FROM due d JOIN (SELECT x.audience, count(*) AS created FROM written x GROUP BY x.audience) w ON w.audience = d.audience
    ORDER BY d.audience
  LOOP
    PERFORM quality_gov.recall_notice_body_write(recall_notice_write.recall_id, told.round, told.occasion, told.audience, told.since,
                                                 told.legal_basis, recall_notice_write.at);
    SELECT told.audience, told.occasion, told.created INTO audience, occasion, created;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION recall_notice_write(bigint, timestamptz) IS
  'Writes the notices of a recall that are missing, with their texts, and gives their number by audience; recall_notice_generate() calls it';

CREATE FUNCTION recall_notice_generate(recall_id bigint, at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  written jsonb;
  total bigint;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'notices need a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- One at a time for a recall; a write, so that a repeatable read that waited does not go on from a stale state.
  UPDATE quality_gov.recall r SET title = r.title WHERE r.recall_id = recall_notice_generate.recall_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT sum(w.created), jsonb_object_agg(w.audience, jsonb_build_object('occasion', w.occasion, 'notices', w.created))
  INTO total, written FROM quality_gov.recall_notice_write(recall_id, at) w;
  IF total > 0 THEN
    PERFORM quality_gov.ledger_record('recall_notice', 'recall ' || recall_id,
      jsonb_build_object('recall_id', recall_id, 'at', at, 'audiences', written));
    PERFORM pg_notify('quality_gov_recall_notice', recall_id::text);
  END IF;
  RETURN COALESCE(total, 0);
END
$$;
COMMENT ON FUNCTION recall_notice_generate(bigint, timestamptz) IS
  'Creates the notices of a recall that are missing as of an instant, also for orders that were in flight before, and gives their number; NOTIFY quality_gov_recall_notice with the recall''s id where there are any; as often as one likes, of two at once the second waits';

CREATE FUNCTION recall_notice_collect(at timestamptz) RETURNS text
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT COALESCE(sum(quality_gov.recall_notice_generate(r.recall_id, at)), 0) || ' notices of recalls created'
  FROM (SELECT r.recall_id FROM quality_gov.recall r
        CROSS JOIN LATERAL (SELECT s.state, s.at FROM quality_gov.recall_step s
                            WHERE s.recall_id = r.recall_id AND s.at <= recall_notice_collect.at ORDER BY s.at DESC LIMIT 1) s
        -- Of a recall that ended long ago nobody is found any more.
        WHERE s.state NOT IN ('dismissed', 'final_summary') OR s.at > recall_notice_collect.at - interval '30 days'
        ORDER BY r.recall_id) r
$$;
COMMENT ON FUNCTION recall_notice_collect(timestamptz) IS
  'Maintenance task: creates the notices of recalls that are missing';
INSERT INTO maintenance_task VALUES
  ('recall_notice', 30, 'quality_gov.recall_notice_collect', 'Notices of recalls', true);
