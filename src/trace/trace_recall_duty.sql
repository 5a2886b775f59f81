
-- trace: the clocks of a recall: facts, levels, extensions, and the duties that follow

CREATE TABLE recall_fact (
  recall_id bigint NOT NULL,
  fact_id bigint GENERATED ALWAYS AS IDENTITY,
  fact text NOT NULL,
  at timestamptz NOT NULL,
  note text,
  role text NOT NULL,
  CONSTRAINT recall_fact_pkey PRIMARY KEY (recall_id, fact_id),
  CONSTRAINT recall_fact_fact CHECK (fact IN ('death', 'serious_injury', 'large_loss', 'overseas_recall')),
  CONSTRAINT recall_fact_at CHECK (isfinite(at))
);
COMMENT ON TABLE recall_fact IS
  'What makes a defect one that must be reported at once (Order 19 art 8), and since when it is known: death, serious_injury, large_loss, overseas_recall; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_fact', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_fact_fact_id_seq', '');
CREATE TRIGGER recall_fact_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_fact
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE recall_level (
  level integer NOT NULL,
  title text NOT NULL,
  meaning text NOT NULL,
  legal_basis text NOT NULL,
  CONSTRAINT recall_level_pkey PRIMARY KEY (level)
);
COMMENT ON TABLE recall_level IS 'Levels of food recalls (食品召回) and what they mean; shipped, not dumped';
INSERT INTO recall_level VALUES
  (1, '一级召回', 'acute or subacute poisoning, grave harm or death', '食品召回管理办法 (Order 122) art 9'),
  (2, '二级召回', 'chronic poisoning or ordinary harm', '食品召回管理办法 (Order 122) art 9'),
  (3, '三级召回', 'other failure of a food standard', '食品召回管理办法 (Order 122) art 9');

CREATE TABLE recall_level_change (
  recall_id bigint NOT NULL,
  change_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  was integer NOT NULL,
  level integer NOT NULL,
  reason text NOT NULL,
  party text NOT NULL,
  role text NOT NULL,
  CONSTRAINT recall_level_change_pkey PRIMARY KEY (recall_id, change_id),
  CONSTRAINT recall_level_change_at UNIQUE (recall_id, at),
  CONSTRAINT recall_level_change_finite CHECK (isfinite(at)),
  CONSTRAINT recall_level_change_level CHECK (level BETWEEN 1 AND 3 AND was BETWEEN 1 AND 3 AND level <> was)
);
COMMENT ON TABLE recall_level_change IS
  'Changes of the level of a food recall: since when, from what to what, why, as what party and by which role; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_level_change', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_level_change_change_id_seq', '');
CREATE TRIGGER recall_level_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_level_change
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE recall_extension (
  recall_id bigint NOT NULL,
  extension_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  was timestamptz NOT NULL,
  until timestamptz NOT NULL,
  consent_by text NOT NULL,
  note text,
  party text NOT NULL,
  role text NOT NULL,
  CONSTRAINT recall_extension_pkey PRIMARY KEY (recall_id, extension_id),
  CONSTRAINT recall_extension_until CHECK (isfinite(until) AND until > was AND was > at AND isfinite(at)),
  CONSTRAINT recall_extension_consent_by CHECK (consent_by ~ '\S')
);
COMMENT ON TABLE recall_extension IS
  'Longer terms to complete a food recall (D21): who consented and when (at), the end of the term before (was) and the new one, the instant after its last moment (until), as what party and by which role; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_extension', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_extension_extension_id_seq', '');
CREATE TRIGGER recall_extension_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_extension
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE recall_duty_kind (
  regime text NOT NULL,
  duty text NOT NULL,
  party text NOT NULL,
  starts text[] NOT NULL,
  meets text[] NOT NULL,
  lapses text[] NOT NULL,
  by_level boolean NOT NULL,
  extendable boolean NOT NULL,
  optional boolean NOT NULL,
  CONSTRAINT recall_duty_kind_pkey PRIMARY KEY (regime, duty)
);
COMMENT ON TABLE recall_duty_kind IS
  'Duties of a recall: whose they are, and which signs start, meet and end them: a state entered (state:), a document filed (report:), a fact known (fact:). A sign that both starts and meets makes the duty come back, each from the last one. Terms are in duty_rule, by level under "<duty> level <n>"; one that is optional is a right, which ends with its term; shipped, not dumped';
INSERT INTO recall_duty_kind VALUES
  ('consumer', 'D14', 'producer', '{fact:death,fact:serious_injury,fact:large_loss,fact:overseas_recall}', '{report:defect_report}',
   '{state:dismissed}', false, false, false),
  ('consumer', 'D15', 'authority', '{state:suspected}', '{state:investigating}',
   '{state:notified,state:voluntary,state:ordered,state:dismissed}', false, false, false),
  ('consumer', 'D16', 'producer', '{state:notified}', '{state:objected}',
   '{state:voluntary,state:ordered,state:plan_reported}', false, false, true),
  ('consumer', 'D17', 'producer', '{state:notified,state:voluntary,state:ordered,state:re_recall}', '{state:plan_reported}',
   '{state:notified,state:voluntary,state:ordered,state:objected}', false, false, false),
  ('consumer', 'D18', 'producer', '{state:plan_reported}', '{state:published}', '{}', false, false, false),
  ('consumer', 'D19', 'producer', '{state:published,report:stage_summary}', '{report:stage_summary}',
   '{state:completed,state:re_recall}', false, false, false),
  ('consumer', 'D19 final', 'producer', '{state:completed}', '{state:final_summary,report:final_summary}',
   '{state:re_recall}', false, false, false),
  ('food', 'D20', 'producer', '{fact:discovered,state:re_recall}', '{state:plan_reported}', '{state:dismissed}', true, false, false),
  ('food', 'D21', 'producer', '{state:plan_reported}', '{state:completed}', '{state:re_recall}', true, true, false),
  ('food', 'D22', 'producer', '{state:plan_reported,report:progress}', '{report:progress}', '{state:completed,state:re_recall}',
   true, false, false),
  ('food', 'D22 final', 'producer', '{state:completed}', '{state:final_summary,report:final_summary}', '{state:re_recall}',
   false, false, false);

CREATE FUNCTION recall_level_at(recall_id bigint, at timestamptz DEFAULT now()) RETURNS integer
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT COALESCE(
    (SELECT c.level FROM recall_level_change c
     WHERE c.recall_id = recall_level_at.recall_id AND c.at <= recall_level_at.at ORDER BY c.at DESC LIMIT 1),
    (SELECT c.was FROM recall_level_change c WHERE c.recall_id = recall_level_at.recall_id ORDER BY c.at LIMIT 1),
    (SELECT r.level FROM recall r WHERE r.recall_id = recall_level_at.recall_id));
END;
COMMENT ON FUNCTION recall_level_at(bigint, timestamptz) IS 'Level (1 to 3) of a food recall in force at an instant; null for consumer goods';

CREATE FUNCTION recall_signs(recall_id bigint, at timestamptz, OUT sign text, OUT since timestamptz) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
  SELECT 'state:' || s.state, s.at FROM recall_step s WHERE s.recall_id = recall_signs.recall_id AND s.at <= recall_signs.at
  UNION
  SELECT 'report:' || p.kind, p.at FROM recall_report p WHERE p.recall_id = recall_signs.recall_id AND p.at <= recall_signs.at
  UNION
  SELECT 'fact:' || f.fact, f.at FROM recall_fact f WHERE f.recall_id = recall_signs.recall_id AND f.at <= recall_signs.at
  UNION
  SELECT 'fact:discovered', COALESCE(r.discovered_at, b.at)
  FROM recall r CROSS JOIN LATERAL (SELECT min(s.at) AS at FROM recall_step s WHERE s.recall_id = r.recall_id) b
  WHERE r.recall_id = recall_signs.recall_id AND COALESCE(r.discovered_at, b.at) <= recall_signs.at;
END;
COMMENT ON FUNCTION recall_signs(bigint, timestamptz) IS
  'What starts, meets and ends duties of a recall, known at an instant: states entered, documents filed, facts; each with its own instant';

CREATE FUNCTION recall_duties(recall_id bigint DEFAULT NULL, at timestamptz DEFAULT now(), known timestamptz DEFAULT NULL,
    open_only boolean DEFAULT false,
    OUT recall bigint, OUT duty text, OUT title text, OUT from_when timestamptz, OUT due timestamptz, OUT met_at timestamptz,
    OUT overdue boolean, OUT legal_basis text, OUT party text, OUT lapsed_at timestamptz, OUT state text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT t.recall_id, t.code, t.title, t.since, t.due, CASE WHEN t.met THEN t.ended END,
         NOT t.optional AND COALESCE(t.due <= COALESCE(t.ended, recall_duties.at), false), t.legal_basis, t.party,
         CASE WHEN NOT t.met THEN t.ended END, w.state
  FROM (
    SELECT i.recall_id, i.code, i.since, i.party, i.optional, q.title, q.legal_basis, d.due,
           -- A right ends with its term.
           CASE WHEN i.optional AND d.due <= COALESCE(i.ended, recall_duties.at) THEN d.due ELSE i.ended END AS ended,
           i.met AND NOT (i.optional AND COALESCE(d.due <= i.ended, false)) AS met
    FROM (
      SELECT r.recall_id, k.party, k.optional, k.extendable, b.since, e.ended, e.known, v.raised_at,
             m.at IS NOT NULL AND m.at <= COALESCE(l.at, 'infinity') AS met,
             k.duty || CASE WHEN k.by_level THEN ' level ' || quality_gov.recall_level_at(r.recall_id, COALESCE(e.ended, e.known))
                            ELSE '' END AS code
      FROM quality_gov.recall r
      CROSS JOIN LATERAL (SELECT array_agg(s.sign) AS signs, array_agg(s.since) AS instants
                          FROM quality_gov.recall_signs(r.recall_id, COALESCE(recall_duties.known, recall_duties.at)) s) g
      JOIN quality_gov.recall_duty_kind k ON k.regime = r.regime
      CROSS JOIN LATERAL (SELECT DISTINCT s.since FROM unnest(g.signs, g.instants) AS s(sign, since)
                          WHERE s.sign = ANY (k.starts)) b
      CROSS JOIN LATERAL (SELECT min(s.since) AS at FROM unnest(g.signs, g.instants) AS s(sign, since)
                          WHERE s.sign = ANY (k.meets)
                            -- A sign that starts the duty anew meets the one before, not its own.
                            AND (s.since > b.since OR s.since = b.since AND s.sign <> ALL (k.starts))) m
      CROSS JOIN LATERAL (SELECT min(s.since) AS at FROM unnest(g.signs, g.instants) AS s(sign, since)
                          WHERE s.sign = ANY (k.lapses) AND s.since > b.since) l
      CROSS JOIN LATERAL (SELECT LEAST(m.at, l.at) AS ended, COALESCE(recall_duties.known, recall_duties.at) AS known) e
      LEFT JOIN LATERAL (SELECT max(c.at) AS raised_at FROM quality_gov.recall_level_change c
                         WHERE k.extendable AND c.recall_id = r.recall_id AND c.level < c.was
                           AND c.at <= COALESCE(e.ended, e.known)) v ON true
      WHERE (recall_duties.recall_id IS NULL OR r.recall_id = recall_duties.recall_id)
        AND ((SELECT quality_gov.session_acts_for(NULL, '{quality_gov_admin,quality_gov_regulator,quality_gov_analyst}'))
             OR quality_gov.session_acts_for(r.merchant_id, '{}'))
        AND (NOT recall_duties.open_only OR e.ended IS NULL)) i
    -- The rule in force when it began; else one of another time, which names the duty and gives it no date.
    CROSS JOIN LATERAL (
      SELECT q.title, q.legal_basis FROM quality_gov.duty_rule q WHERE q.duty = i.code
      ORDER BY q.effect @> i.since DESC, q.builtin, lower(q.effect) DESC NULLS LAST LIMIT 1) q
    LEFT JOIN LATERAL (
      -- A consent holds until the level is raised.
      SELECT e.until FROM quality_gov.recall_extension e
      WHERE i.extendable AND e.recall_id = i.recall_id AND e.at >= i.since AND e.at <= COALESCE(i.ended, i.known)
        AND e.at >= COALESCE(i.raised_at, '-infinity')
      ORDER BY e.at DESC, e.extension_id DESC LIMIT 1) x ON true
    CROSS JOIN LATERAL (SELECT COALESCE(x.until, quality_gov.duty_deadline(i.code, i.since)) AS due) d) t
  CROSS JOIN LATERAL (SELECT CASE WHEN t.met THEN 'met' WHEN t.ended IS NOT NULL THEN 'lapsed' ELSE 'open' END AS state) w
  WHERE NOT recall_duties.open_only OR w.state = 'open'
$$;
COMMENT ON FUNCTION recall_duties(bigint, timestamptz, timestamptz, boolean) IS
  'Duties of a recall, or of all that the session may see, judged at an instant by what was on record until known (by default the same instant): since when, due (the instant after the last moment; null where no rule was in force when it began), when met or lapsed, whose, and state: open, met or lapsed; open_only leaves out the others. Levels are those in force when a duty was met, or at the instant; overdue also says that it was met late';

CREATE VIEW recall_duty WITH (security_barrier) AS
  SELECT d.recall AS recall_id, d.duty, d.title, d.from_when, d.due, d.met_at, d.overdue, d.legal_basis, d.party, d.lapsed_at, d.state
  FROM recall_duties(NULL, now(), 'infinity') d;
COMMENT ON VIEW recall_duty IS 'Duties of recalls by all that is on record, judged now: open, met and lapsed, as recall_duties() gives them';

CREATE VIEW recall_overview WITH (security_barrier) AS
  SELECT r.recall_id, r.title, r.regime, r.level, r.merchant_id, s.state, s.at AS since,
         g.scope, g.lots,
         d.duty AS next_duty, d.title AS next_duty_title, d.legal_basis, d.due, d.overdue
  FROM recall r
  CROSS JOIN LATERAL (SELECT t.state, t.at FROM recall_step t
                      WHERE t.recall_id = r.recall_id ORDER BY t.at DESC LIMIT 1) s
  CROSS JOIN LATERAL (
    SELECT count(*) AS scope, COALESCE(array_agg(DISTINCT x.gtin::text || COALESCE(' lot ' || x.lot_code, '')), '{}') AS lots
    FROM recall_scope x
    WHERE x.recall_id = r.recall_id AND x.revision = (SELECT max(l.revision) FROM recall_scope l WHERE l.recall_id = r.recall_id)) g
  LEFT JOIN (SELECT DISTINCT ON (q.recall) q.recall, q.duty, q.title, q.legal_basis, q.due, q.overdue
             FROM recall_duties(NULL, now(), 'infinity', true) q ORDER BY q.recall, q.due, q.duty) d ON d.recall = r.recall_id
  WHERE (SELECT session_reads_all()) OR r.merchant_id IN (SELECT m.merchant_id FROM session_merchant m);
COMMENT ON VIEW recall_overview IS
  'Recalls with their state, scope (of its latest revision), the open duty that is due first and whether it is overdue; a duty of a rule not in force yet has no date';

CREATE FUNCTION recall_fact_add(recall_id bigint, fact text, at timestamptz DEFAULT now(), note text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken quality_gov.recall := quality_gov.recall_take(recall_id, '{authority,producer}', 'add a fact');
BEGIN
  IF fact IS NULL OR fact NOT IN ('death', 'serious_injury', 'large_loss', 'overseas_recall') THEN
    RAISE EXCEPTION 'unknown fact "%"', fact USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Facts are death, serious_injury, large_loss and overseas_recall.';
  END IF;
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a finite instant is needed' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.recall_fact (recall_id, fact, at, note, role) VALUES (recall_id, fact, at, note, session_user);
  PERFORM quality_gov.ledger_record('recall_fact', 'recall ' || recall_id, jsonb_build_object(
    'recall_id', recall_id, 'fact', fact, 'at', at, 'note', note));
END
$$;
COMMENT ON FUNCTION recall_fact_add(bigint, text, timestamptz, text) IS
  'Says that death, serious_injury, large_loss or an overseas_recall came to light, and when: the report of Order 19 art 8 (D14) is due. 22023 for another fact, 42501 for who is neither the producer nor the authority';

CREATE FUNCTION recall_level_set(recall_id bigint, level integer, reason text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken quality_gov.recall := quality_gov.recall_take(recall_id, '{authority}', 'change the level');
  party text := quality_gov.recall_party(NULL, '{authority}');
  since timestamptz;
BEGIN
  IF taken.regime <> 'food' THEN
    RAISE EXCEPTION 'recall % is of consumer goods and has no level', recall_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF NOT EXISTS (SELECT FROM quality_gov.recall_level l WHERE l.level = recall_level_set.level) OR level IS NOT DISTINCT FROM taken.level THEN
    RAISE EXCEPTION 'recall % is of level %, another of 1, 2 and 3 is needed, found %', recall_id, taken.level,
        COALESCE(level::text, 'null')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = (SELECT string_agg(format('%s: %s', l.level, l.meaning), '; ' ORDER BY l.level) || '.' FROM quality_gov.recall_level l);
  END IF;
  IF reason IS NULL OR reason !~ '\S' THEN
    RAISE EXCEPTION 'say why the level changes' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  since := (SELECT max(x.at) FROM (
    SELECT min(s.at) AS at FROM quality_gov.recall_step s WHERE s.recall_id = recall_level_set.recall_id
    UNION ALL SELECT c.at FROM quality_gov.recall_level_change c WHERE c.recall_id = recall_level_set.recall_id) x);
  IF at IS NULL OR NOT isfinite(at) OR at <= since THEN
    RAISE EXCEPTION 'recall % is of level % since %, a later instant is needed', recall_id, taken.level, since
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF EXISTS (SELECT FROM quality_gov.recall_step s
             WHERE s.recall_id = recall_level_set.recall_id AND s.state = 'dismissed' AND s.at <= recall_level_set.at) THEN
    RAISE EXCEPTION 'recall % is dismissed', recall_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  INSERT INTO quality_gov.recall_level_change (recall_id, at, was, level, reason, party, role)
  VALUES (recall_id, at, taken.level, level, reason, party, session_user);
  UPDATE quality_gov.recall r SET level = recall_level_set.level WHERE r.recall_id = recall_level_set.recall_id;
  PERFORM quality_gov.ledger_record('recall_level', 'recall ' || recall_id, jsonb_build_object(
    'recall_id', recall_id, 'at', at, 'was', taken.level, 'level', level, 'reason', reason, 'party', party));
END
$$;
COMMENT ON FUNCTION recall_level_set(bigint, integer, text, timestamptz) IS
  'Changes the level of a food recall from an instant on, with the reason; its duties count by the new level, from when they began, and a longer term consented to before ends where the level is raised. 55000 for consumer goods, 22023 for the level it has or an instant not after the last change';

CREATE FUNCTION recall_extend(recall_id bigint, until timestamptz, consent_by text, at timestamptz DEFAULT now(),
                              note text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken quality_gov.recall := quality_gov.recall_take(recall_id, '{authority}', 'extend the term');
  party text := quality_gov.recall_party(NULL, '{authority}');
  term record;
BEGIN
  IF consent_by IS NULL OR consent_by !~ '\S' THEN
    RAISE EXCEPTION 'say who consents to the longer term' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT d.* INTO term FROM quality_gov.recall_duties(recall_id, at) d
  WHERE d.duty LIKE 'D21 %' AND d.state = 'open' AND d.due IS NOT NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % has no term to complete it at %', recall_id, at USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'The term (D21) runs for food, from the report of the plan until the recall is completed.';
  END IF;
  IF term.overdue THEN
    RAISE EXCEPTION 'the term of recall % ended at %, it cannot be extended after that', recall_id, term.due
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = term.legal_basis || '.';
  END IF;
  IF until IS NULL OR NOT isfinite(until) OR until <= term.due THEN
    RAISE EXCEPTION 'the term of recall % ends at %, a later instant is needed', recall_id, term.due
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.recall_extension (recall_id, at, was, until, consent_by, note, party, role)
  VALUES (recall_id, at, term.due, until, consent_by, note, party, session_user);
  PERFORM quality_gov.ledger_record('recall_extension', 'recall ' || recall_id, jsonb_build_object(
    'recall_id', recall_id, 'at', at, 'was', term.due, 'until', until, 'consent_by', consent_by, 'note', note, 'party', party));
END
$$;
COMMENT ON FUNCTION recall_extend(bigint, timestamptz, text, timestamptz, text) IS
  'Gives a food recall a longer term to be completed (D21): until is the instant after its last moment. 55000 where no term runs, and after it ended; 22023 for one that is not later; 42501 for who is not the authority';
