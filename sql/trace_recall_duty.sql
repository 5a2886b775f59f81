-- Recalls: duties D14 to D22, each on its own clock, started, met and ended by what happened; due dates typed from the calendar.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT calendar_load('CN', 2026, (SELECT array_agg(d::date) FROM generate_series('2026-10-01', '2026-10-07', '1 day'::interval) d), '{2026-10-10}', 'test'),
       calendar_load('CN', 2027, '{2027-01-01,2027-02-08,2027-02-09,2027-09-15}', '{}', 'test');
-- a recall goes through its states, with documents where they are needed
CREATE FUNCTION walk(r bigint, VARIADIC steps text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s text; goal text; t timestamptz; needs quality_gov.recall_transition;
BEGIN
  FOREACH s IN ARRAY steps LOOP
    t := substr(s, position(' ' IN s) + 1)::timestamptz;
    goal := split_part(s, ' ', 1);
    IF starts_with(goal, '+') THEN
      PERFORM quality_gov.recall_report_add(r, substr(goal, 2), '{}', t);
      CONTINUE;
    END IF;
    SELECT x.* INTO needs FROM quality_gov.recall o, quality_gov.recall_step p, quality_gov.recall_transition_at(o.regime, p.state, t) x
    WHERE o.recall_id = r AND p.recall_id = r AND x.to_state = goal ORDER BY p.at DESC LIMIT 1;
    PERFORM quality_gov.recall_advance(r, goal, t, document => CASE WHEN needs.document_required THEN quality_gov.recall_report_template((SELECT regime FROM quality_gov.recall WHERE recall_id = r), needs.document, t) END);
  END LOOP;
END $$;
CREATE FUNCTION opened(title text, at timestamptz, state text DEFAULT 'suspected', level int DEFAULT NULL, discovered timestamptz DEFAULT NULL, harm text[] DEFAULT '{}') RETURNS bigint
  LANGUAGE sql RETURN quality_gov.recall_open(title, '[{"gtin": "6901234567892"}]', 'r', 'b', CASE WHEN level IS NULL THEN 'consumer' ELSE 'food' END, level, state, at => at, discovered_at => discovered, harm => harm);

-- working days over the holidays of October, of which one Saturday is worked; late by a moment is late
SELECT opened('Kettle', '2026-09-29 09:00', harm => '{death}') AS kettle \gset
SELECT walk(:kettle, 'notified 2026-09-30 15:00', 'plan_reported 2026-10-20 23:59:59', 'published 2026-10-24 00:00', 'running 2026-10-26 00:00',
  '+stage_summary 2027-01-24 23:59', 'completed 2027-02-01 10:00', 'final_summary 2027-02-24 23:59', '+defect_report 2027-02-25 00:00');
SELECT d.duty, d.from_when, d.due, d.met_at, d.lapsed_at, d.state, d.overdue, d.due = w.due::timestamptz AS "as counted"
FROM recall_duties(:kettle, '2027-03-01') d
LEFT JOIN (VALUES ('D14', '2026-10-09'), ('D15', '2026-10-10'), ('D16', '2026-10-21'), ('D17', '2026-10-21'), ('D18', '2026-10-24'),
  ('D19', '2027-01-25'), ('D19', '2027-04-25'), ('D19 final', '2027-02-25')) w(duty, due) ON w.duty = d.duty AND w.due::timestamptz = d.due
ORDER BY d.duty, d.from_when;
-- the same recall, as it was known then: several duties at once, each overdue from its own instant on
SELECT v.at, string_agg(d.duty || CASE WHEN d.overdue THEN ' overdue' ELSE '' END, ', ' ORDER BY d.duty) AS open
FROM (VALUES ('2026-09-29 08:59'::timestamptz), ('2026-09-29 09:00'), ('2026-09-30 16:00'), ('2026-10-08 23:59'), ('2026-10-09'), ('2026-10-21'),
  ('2026-10-24 00:01'), ('2027-01-25'), ('2027-02-10'), ('2027-02-25 00:01')) v(at)
LEFT JOIN recall_duties(:kettle, v.at) d ON d.state = 'open' GROUP BY 1 ORDER BY 1;

-- an objection, an order that starts the plan's term anew, and a re-recall that asks for another plan
SELECT opened('Lamp', '2026-11-02 10:00', 'investigating') AS lamp \gset
SELECT walk(:lamp, 'notified 2026-11-03 10:00', 'objected 2026-11-10 10:00', 'ordered 2026-11-20 10:00', 'plan_reported 2026-12-04 10:00',
  'published 2026-12-07 10:00', 're_recall 2027-02-01 10:00', 'plan_reported 2027-02-17 10:00');
SELECT recall_fact_add(:lamp, 'overseas_recall', '2026-11-05 12:00', 'Canada'), recall_fact_add(:lamp, 'serious_injury', '2026-11-30 12:00');
SELECT walk(:lamp, '+defect_report 2026-11-09 17:00');
SELECT duty, from_when, due, met_at, lapsed_at, state, overdue FROM recall_duties(:lamp, '2027-03-01') ORDER BY duty, from_when;
SELECT recall_fact_add(:lamp, 'smell', '2026-11-05');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_fact_add(:lamp, 'death', 'infinity');
SELECT recall_fact_add(:lamp, NULL);

-- a right ends with its term and is never overdue; what is dismissed owes nothing more
SELECT opened('Cup', '2026-11-02 10:00', 'notified') AS cup \gset
SELECT duty, state, lapsed_at, overdue FROM recall_duties(:cup, '2026-11-16 23:59') ORDER BY 1;
SELECT duty, state, lapsed_at, overdue FROM recall_duties(:cup, '2026-11-17') ORDER BY 1;
SELECT opened('Pan', '2026-11-02 10:00', harm => '{large_loss}') AS pan \gset
SELECT walk(:pan, 'dismissed 2026-11-03 10:00');
SELECT duty, state, lapsed_at, overdue FROM recall_duties(:pan, '2026-12-01') ORDER BY 1;

-- stage summaries: three months each from the last, which ends with the month where that is shorter
SELECT opened('Chair', '2026-11-20 10:00', 'voluntary') AS chair \gset
SELECT walk(:chair, 'plan_reported 2026-11-25 10:00', 'published 2026-11-30 10:00', '+stage_summary 2027-02-28 12:00', 'running 2027-03-10 10:00',
  '+stage_summary 2027-05-31 12:00', 'completed 2027-08-31 09:00');
SELECT duty, from_when, due, met_at, lapsed_at, overdue FROM recall_duties(:chair, '2027-09-01') WHERE duty ~ 'D19' ORDER BY from_when;

-- food: hours from discovery by level, in the zone's own minutes; no figure before Order 122 is in force
CREATE TABLE milk AS SELECT n, level, opened('Milk ' || n, t, 'suspected', level, found) AS recall FROM (VALUES
  (1, 1, '2026-12-01 00:10'::timestamptz, '2026-11-30 23:59:59'::timestamptz), (2, 1, '2026-12-01 09:00', '2026-12-01 00:00'),
  (3, 2, '2026-12-01 12:00', '2026-12-01 10:30:15'), (4, 3, '2026-12-31 13:30', '2026-12-31 12:45'), (5, 1, '2026-12-03 07:30', NULL)) v(n, level, t, found);
SELECT n, d.duty, d.from_when, d.due, d.title, d.legal_basis FROM milk m CROSS JOIN recall_duties(m.recall, '2027-01-01') d ORDER BY n;
SELECT recall AS milk FROM milk WHERE n = 2 \gset
SELECT walk(:milk, 'voluntary 2026-12-01 10:00', 'plan_reported 2026-12-01 23:59:59', '+progress 2026-12-02 18:00', '+progress 2026-12-04 08:00', 'published 2026-12-04 09:00',
  'running 2026-12-05 09:00', '+progress 2026-12-05 09:00', 'completed 2026-12-12 00:00', '+final_summary 2026-12-17 09:00');
SELECT duty, from_when, due, met_at, lapsed_at, overdue FROM recall_duties(:milk, '2026-12-20') ORDER BY duty, from_when;

-- levels: what they mean; duties follow the one in force, from when they began
SELECT level, title, meaning, legal_basis FROM recall_level ORDER BY 1;
SELECT opened('Rice', '2026-12-07 08:00', 'voluntary', 3) AS rice \gset
SELECT recall_level_set(:rice, 1, 'two poisonings', '2026-12-08 10:00');
SELECT walk(:rice, 'plan_reported 2026-12-08 12:00', '+progress 2026-12-09 12:00');
SELECT recall_level_set(:rice, 2, 'mild', '2026-12-10 10:00');
SELECT v.at, string_agg(format('%s %s%s', d.duty, to_char(d.due, 'MM-DD HH24:MI'), CASE WHEN d.overdue THEN ' overdue' END), ', ' ORDER BY d.duty) AS open
FROM (VALUES ('2026-12-08 09:00'::timestamptz), ('2026-12-08 11:00'), ('2026-12-10 09:00'), ('2026-12-10 11:00')) v(at)
CROSS JOIN recall_duties(:rice, v.at) d WHERE d.state = 'open' GROUP BY 1 ORDER BY 1;
SELECT duty, due, met_at, overdue FROM recall_duties(:rice, '2026-12-11') WHERE state = 'met' ORDER BY 1;
SELECT recall_level_at(:rice, t), t FROM (VALUES ('2026-12-01'::timestamptz), ('2026-12-08 09:59:59'), ('2026-12-08 10:00'), ('2026-12-31')) v(t) ORDER BY t;
SELECT at, was, level, reason, party FROM recall_level_change ORDER BY at;
SELECT recall_level_set(:kettle, 1, 'x', '2027-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_level_set(:rice, 2, 'x', '2027-01-01');
SELECT recall_level_set(:rice, 4, 'x', '2027-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_level_set(:rice, NULL, 'x', '2027-01-01');
SELECT recall_level_set(:rice, 1, ' ', '2027-01-01');
SELECT recall_level_set(:rice, 1, 'x', '2026-12-10 10:00');

-- a longer term needs consent, before the term ends; a higher level asks for another consent, a lower one does not
SELECT recall_extend(:rice, '2027-01-10', 'county bureau', '2026-12-20 10:00', 'letter 9');
SELECT duty, due, state, overdue FROM recall_duties(:rice, '2026-12-30') WHERE duty ~ 'D21';
SELECT duty, due FROM recall_duties(:rice, '2026-12-20 09:59') WHERE duty ~ 'D21';
SELECT recall_extend(:rice, '2027-01-10', 'county bureau', '2026-12-21');
SELECT recall_extend(:rice, '2027-01-20', ' ', '2026-12-21');
SELECT recall_extend(:rice, NULL, 'county bureau', '2026-12-21');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_extend(:rice, 'infinity', 'county bureau', '2026-12-21');
SELECT recall_extend(:rice, '2027-01-20', 'county bureau', '2027-01-10');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_extend(:milk, '2027-01-20', 'county bureau', '2026-12-21');
SELECT recall_extend(:kettle, '2027-03-20', 'county bureau', '2026-11-21');
SELECT recall_extend(:rice, '2027-01-15', 'county bureau', '2027-01-09');
SELECT at, was, until, consent_by, note FROM recall_extension ORDER BY at;
SELECT recall_level_set(:rice, 3, 'clear', '2027-01-11');
SELECT recall_level_set(:rice, 1, 'grave after all', '2027-01-12');
SELECT v.at, duty, due FROM (VALUES ('2027-01-11'::timestamptz), ('2027-01-12')) v(at), recall_duties(:rice, v.at) WHERE duty ~ 'D21' ORDER BY 1;

-- a platform's own, shorter term comes first; one open list with legal basis
INSERT INTO duty_rule (duty, title, amount, unit, legal_basis) VALUES ('D18', 'Publish the recall', 1, 'workday', 'our policy');
SELECT duty, due, legal_basis FROM recall_duties(:lamp, '2027-03-01') WHERE duty = 'D18' AND state = 'open';
SELECT r.title, d.duty, d.due, d.subject FROM duty_due d JOIN recall r ON d.subject ~ format('^recall %s:', r.recall_id) WHERE r.title IN ('Rice', 'Lamp', 'Milk 1') ORDER BY 1, 3;
SELECT title, next_duty, due FROM recall_overview WHERE title <> 'Cup' ORDER BY recall_id;
SELECT * FROM recall_check();
DROP TABLE milk;
DROP FUNCTION walk;
DROP FUNCTION opened;
DROP EXTENSION quality_gov;
