-- Recalls: how long they are kept, by regime, last act and shelf life; what is retired, with all that hangs on it, and what is refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT figure, value, unit, effect, legal_basis FROM legal_figure WHERE figure ~ '^recall' ORDER BY 1;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2019-01-01');
INSERT INTO lot (gtin, lot_code, expires_on) VALUES ('6901234567892', 'A1', '2020-08-31'), ('6901234567892', 'A2', '2023-08-31'), ('6901234567892', 'A3', '2150-08-31'),
  ('6901234567892', 'A4', NULL);
-- one recall each, finished on a day
CREATE FUNCTION done(title text, regime text, scope jsonb, at timestamptz, dismissed boolean DEFAULT false) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r bigint;
BEGIN
  r := quality_gov.recall_open(title, scope, 'r', 'b', regime, CASE WHEN regime = 'food' THEN 2 END, CASE WHEN dismissed THEN 'suspected' ELSE 'ordered' END,
    merchant_id => 'm-1', at => at - '5 h'::interval);
  IF dismissed THEN
    PERFORM quality_gov.recall_advance(r, 'dismissed', at);
    RETURN r;
  END IF;
  PERFORM quality_gov.recall_advance(r, 'plan_reported', at - '4 h'::interval, document => quality_gov.recall_report_template(regime, 'plan', at));
  PERFORM quality_gov.recall_advance(r, 'published', at - '3 h'::interval, document => '{}'), quality_gov.recall_advance(r, 'running', at - '2 h'::interval),
    quality_gov.recall_advance(r, 'completed', at - '1 h'::interval), quality_gov.recall_advance(r, 'final_summary', at, document => '{}');
  RETURN r;
END $$;
CREATE TABLE kept AS SELECT n, done(n, g, s::jsonb, t, d) AS recall FROM (VALUES
  ('goods', 'consumer', '[{"gtin": "73513537"}]', '2020-06-15 12:00'::timestamptz, false),
  ('goods dismissed', 'consumer', '[{"gtin": "73513537"}]', '2020-02-29 12:00', true),
  ('goods to come', 'consumer', '[{"gtin": "73513537"}]', '2150-06-15 12:00', false),
  ('food', 'food', '[{"gtin": "6901234567892", "lot": "A1"}]', '2020-06-15 12:00', false),
  ('food of two lots', 'food', '[{"gtin": "6901234567892", "lot": "A1"}, {"gtin": "6901234567892", "lot": "A2"}]', '2020-06-15 12:00', false),
  ('food that keeps', 'food', '[{"gtin": "6901234567892", "lot": "A3"}]', '2020-06-15 12:00', false),
  ('food of every lot', 'food', '[{"gtin": "6901234567892"}]', '2020-06-15 12:00', false),
  ('food without a date', 'food', '[{"gtin": "6901234567892", "lot": "A4"}]', '2020-06-15 12:00', false),
  ('food of an unknown lot', 'food', '[{"gtin": "6901234567892", "lot": "A1"}, {"gtin": "6901234567892", "lot": "A9"}]', '2020-06-15 12:00', false)) v(n, g, s, t, d);
INSERT INTO kept SELECT 'running', recall_open('running', '[{"gtin": "73513537"}]', 'r', 'b', state => 'ordered', at => '2020-01-01');
SELECT n, until, reason FROM kept, recall_keep_until(recall) ORDER BY n;
SELECT * FROM recall_keep_until(999);
-- a document filed later counts from then
SELECT recall_report_add(recall, 'return_record', '{}', '2020-07-01') > 0 AS filed FROM kept WHERE n = 'goods';
SELECT n, until FROM kept, recall_keep_until(recall) WHERE n = 'goods';

-- given an instant, whatever is before it must be free to go
SELECT recall_retire('2021-01-01');
UPDATE lot SET expires_on = '2020-12-31' WHERE lot_code = 'A4';
INSERT INTO lot (gtin, lot_code, expires_on) VALUES ('6901234567892', 'A9', '2020-12-31');
SELECT recall_retire('2020-06-15 12:00:01');
SELECT recall_retire('2020-01-01'), (SELECT count(*) FROM recall) AS left;
UPDATE lot SET expires_on = '2021-12-31' WHERE lot_code = 'A4';
SELECT recall_advance(recall, 'plan_reported', '2021-01-01', document => recall_report_template('consumer', 'plan')) FROM kept WHERE n = 'running';
SELECT recall_retire('2020-07-01');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_retire('2020-03-01');
SELECT count(*) AS left, (SELECT count(*) FROM recall_step s WHERE NOT EXISTS (SELECT FROM recall r WHERE r.recall_id = s.recall_id)) AS orphans FROM recall;
-- without one, all that may go goes, from every table, and nothing else
SELECT recall_fact_add(recall, 'death', '2020-06-01') FROM kept WHERE n = 'goods';
INSERT INTO recall_level_change (recall_id, at, was, level, reason, party, role) SELECT recall, '2020-06-16', 2, 3, 'r', 'platform', 'x' FROM kept WHERE n ~ '^food';
INSERT INTO recall_extension (recall_id, at, was, until, consent_by, party, role) SELECT recall, '2020-06-16', '2020-06-17', '2020-06-18', 'c', 'platform', 'x' FROM kept WHERE n ~ '^food';
UPDATE recall SET level = 3 WHERE level IS NOT NULL;
SELECT recall_retire();
SELECT title FROM recall ORDER BY 1;
SELECT count(*) AS left FROM (SELECT recall_id FROM recall_step UNION SELECT recall_id FROM recall_scope UNION SELECT recall_id FROM recall_report UNION SELECT recall_id FROM recall_fact
  UNION SELECT recall_id FROM recall_level_change UNION SELECT recall_id FROM recall_extension) x WHERE recall_id NOT IN (SELECT recall_id FROM recall);
SELECT relation, key, problem FROM integrity_check();
SELECT recall_retire() AS none_left;
-- guards forget what is gone, and the record of what was decided stays
SELECT count(*) FROM recall_bar('73513537', NULL) WHERE reason ~ 'goods$';
SELECT body ->> 'before' AS before, jsonb_array_length(body -> 'recalls') AS recalls FROM ledger_entry WHERE kind = 'recall_retire' ORDER BY entry_id;
SELECT count(DISTINCT subject) AS told FROM ledger_entry WHERE kind = 'recall';
-- the rows are append-only again
\set VERBOSITY sqlstate
DELETE FROM recall_step;
DELETE FROM recall_scope;
DELETE FROM recall_report;
BEGIN;
SELECT recall_retire();
DELETE FROM recall_step;
ROLLBACK;
DROP FUNCTION done;
DROP TABLE kept;
DROP EXTENSION quality_gov;
