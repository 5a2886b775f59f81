-- Recalls: the transition table, every step it allows and none it does not, re-recall, and steps of one's own.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');

-- what may follow what, whose step it is, and what goes with it; both regimes have the same steps
SELECT from_state, string_agg(format('%s (%s%s)', to_state, array_to_string(parties, ' '),
         CASE WHEN document_required THEN ', needs ' || document ELSE ', ' || document END), '; ' ORDER BY to_state) AS may_follow
FROM recall_transition WHERE regime = 'consumer' AND effect @> '2026-12-01 00:00+08'::timestamptz GROUP BY 1 ORDER BY 1;
SELECT from_state, to_state FROM recall_transition t WHERE effect @> '2026-12-01 00:00+08'::timestamptz
GROUP BY 1, 2 HAVING count(DISTINCT regime) <> 2 OR count(*) <> 2;
SELECT count(*) AS without_basis FROM recall_transition WHERE legal_basis !~ 'Order (19|122)';
SELECT state, initial, verdict FROM recall_state WHERE initial OR verdict <> 'deny' ORDER BY verdict, state;
-- one row for each step at any instant
SELECT regime, from_state, to_state, d FROM recall_transition
CROSS JOIN (VALUES ('2019-12-31 23:59+08'::timestamptz), ('2020-01-01 00:00+08'), ('2026-11-30 23:59+08'), ('2026-12-01 00:00+08')) v(d)
WHERE effect @> d GROUP BY 1, 2, 3, 4 HAVING count(*) <> 1;

-- every pair of states: the function goes exactly where the table says
CREATE FUNCTION goes(regime text, path text[], state text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  r bigint;
  t timestamptz := '2027-01-01 00:00+08';
  step text;
  doc jsonb;
BEGIN
  FOREACH step IN ARRAY path || state LOOP
    IF r IS NULL THEN
      r := quality_gov.recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', regime, CASE WHEN regime = 'food' THEN 1 END, step, at => t);
    ELSE
      t := t + '1 hour';
      SELECT CASE WHEN x.document IS NOT NULL THEN quality_gov.recall_report_template(goes.regime, x.document, t) END INTO doc
      FROM quality_gov.recall_step s JOIN quality_gov.recall_transition x ON x.regime = goes.regime AND x.from_state = s.state AND x.to_state = step AND x.effect @> t
      WHERE s.recall_id = r ORDER BY s.at DESC LIMIT 1;
      BEGIN
        PERFORM quality_gov.recall_advance(r, step, t, document => doc);
      EXCEPTION WHEN object_not_in_prerequisite_state THEN
        RETURN false;
      END;
    END IF;
  END LOOP;
  RETURN true;
END $$;
CREATE TABLE path (state text, path text[]);
INSERT INTO path VALUES ('suspected', '{suspected}'), ('investigating', '{suspected,investigating}'), ('notified', '{notified}'), ('voluntary', '{voluntary}'),
  ('ordered', '{ordered}'), ('objected', '{notified,objected}'), ('plan_reported', '{ordered,plan_reported}'), ('published', '{ordered,plan_reported,published}'),
  ('running', '{ordered,plan_reported,published,running}'), ('completed', '{ordered,plan_reported,published,running,completed}'),
  ('final_summary', '{ordered,plan_reported,published,running,completed,final_summary}'), ('re_recall', '{ordered,plan_reported,published,re_recall}'),
  ('dismissed', '{suspected,dismissed}');
SELECT count(*) AS states, (SELECT count(*) FROM recall_state) AS all_states FROM path;
SELECT g.regime, count(*) AS pairs, count(*) FILTER (WHERE w.wanted) AS allowed, count(*) FILTER (WHERE w.wanted <> goes(g.regime, p.path, s.state)) AS wrong
FROM path p CROSS JOIN recall_state s CROSS JOIN (VALUES ('consumer'), ('food')) g(regime)
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM recall_transition t WHERE t.regime = g.regime AND t.from_state = p.state AND t.to_state = s.state) AS wanted) w
GROUP BY 1 ORDER BY 1;
SELECT * FROM recall_check();

-- a refusal names the steps there are; one that is final has none; the clock only goes on
SELECT recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "A1"}]', 'shock', 'Order 19', merchant_id => 'm-1', at => '2026-11-02 10:00+08') AS kettle \gset
SELECT recall_advance(:kettle, 'published', '2026-11-03');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_advance(:kettle, NULL, '2026-11-03');
SELECT recall_advance(:kettle, 'investigating', '2026-11-02 10:00+08');
SELECT recall_advance(:kettle, 'investigating', NULL);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT recall_advance(:kettle, 'investigating', 'infinity');
\set VERBOSITY default
SELECT recall_advance(NULL, 'investigating');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_advance(:kettle, 'notified', '2026-11-03', 'letter 7');
-- an objection has its term (10 working days): its last moment is in, the next is not
SELECT recall_advance(:kettle, 'objected', '2026-11-18 00:00+08', 'not ours');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_advance(:kettle, 'objected', '2026-11-17 23:59:59+08', 'not ours', '{"grounds": "another maker"}');
SELECT recall_advance(:kettle, 'plan_reported', '2026-11-19');
SELECT recall_advance(:kettle, 'ordered', '2026-11-20', document => '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_advance(:kettle, 'ordered', '2026-11-20');
SELECT recall_advance(:kettle, 'plan_reported', '2026-11-21', document => recall_report_template('consumer', 'plan')),
       recall_advance(:kettle, 'published', '2026-11-22', document => '{}'), recall_advance(:kettle, 'running', '2026-11-23'),
       recall_advance(:kettle, 'completed', '2026-12-20'), recall_advance(:kettle, 'final_summary', '2027-01-05', document => '{}');

-- re-recall: why, and what is added; the goods stay stopped, the plan is due again, and the old one will not do
SELECT recall_reopen(:kettle, NULL, at => '2027-02-01');
SELECT recall_reopen(:kettle, ' ', at => '2027-02-01');
SELECT recall_reopen(:kettle, 'lot A2 too', '[{"lot": "A2"}]', '2027-02-01');
SELECT recall_reopen(:kettle, 'lot A2 too', '[{"gtin": "6901234567892", "lot": "A1"}, {"gtin": "6901234567892", "lot": "A2"}]', '2027-02-01');
SELECT gtin, lot_code, revision, since FROM recall_scope WHERE recall_id = :kettle AND revision > 1 ORDER BY lot_code;
SELECT scope, lots FROM recall_overview WHERE recall_id = :kettle;
SELECT verdict, reason FROM recall_bar('6901234567892', 'A2') WHERE until IS NULL AND starts_with(reason, format('recall %s ', :kettle)) ORDER BY 2;
SELECT duty, from_when, due, state FROM recall_duties(:kettle, '2027-02-02') WHERE state = 'open';
SELECT recall_advance(:kettle, 'plan_reported', '2027-02-03');
SELECT recall_advance(:kettle, 'ordered', '2027-02-03');
SELECT recall_reopen(:kettle, 'again', at => '2027-02-04');
SELECT state, at, note, party, role = session_user AS mine FROM recall_step WHERE recall_id = :kettle ORDER BY at;
SELECT body ->> 'state' AS state, body ->> 'note' AS note, body ->> 'party' AS party FROM ledger_entry
WHERE kind = 'recall' AND subject = 'recall ' || :kettle ORDER BY entry_id DESC LIMIT 2;

-- steps of one's own are added beside those shipped, and weaken none
INSERT INTO recall_transition VALUES ('consumer', 'voluntary', 'ordered', '{authority}', NULL, false, '[2026-01-01,)', 'our policy'),
  ('consumer', 'voluntary', 'plan_reported', '{producer}', NULL, false, '(,)', 'our policy');
SELECT goes('consumer', '{voluntary}', 'ordered') AS added;
SELECT document, document_required, builtin FROM recall_transition_at('consumer', 'voluntary', '2027-01-01') WHERE to_state = 'plan_reported';
UPDATE recall_transition SET document_required = false WHERE from_state = 'completed' AND to_state = 'final_summary';
\set VERBOSITY terse
INSERT INTO recall_transition VALUES ('consumer', 'x', 'x', '{authority}', NULL, false, '(,)', 'our policy');
INSERT INTO recall_transition VALUES ('consumer', 'x', 'y', '{nobody}', NULL, false, '(,)', 'our policy');
INSERT INTO recall_transition VALUES ('food', 'running', 'sealed', '{platform}', 'tale', false, '(,)', 'our policy');
SELECT * FROM recall_check() ORDER BY 1, 2, 3;
DELETE FROM recall_transition WHERE NOT builtin;
-- what went a way that no transition allows is found
INSERT INTO recall_step (recall_id, state, at) VALUES (:kettle, 'dismissed', '2027-03-01');
SELECT relation, problem FROM recall_check() WHERE starts_with(key, format('%s ', :kettle));
DROP FUNCTION goes;
DROP TABLE path;
DROP EXTENSION quality_gov;
