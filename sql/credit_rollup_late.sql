-- Roll-up and retirement: models that look further back, what one transaction writes around a roll-up, events that are gone.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT m, m, 'company', '91110000600037341L', '2020-01-01' FROM unnest('{a,b}'::text[]) m;
CREATE VIEW differ AS SELECT a.merchant_id, a.score, b.score AS by_events FROM credit_standings(NULL, statement_timestamp()) a
  JOIN credit_standings(NULL, statement_timestamp(), NULL, NULL, true) b USING (merchant_id) ORDER BY 1;
CREATE FUNCTION model(version integer, window_days integer, state text) RETURNS void LANGUAGE sql BEGIN ATOMIC
  INSERT INTO credit_model (model, version, state, title, effect, hysteresis) VALUES ('ours', version, state, 't', '[2022-01-15,)', 0);
  INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, window_days, point_cost, title)
  VALUES ('ours', version, 'late', 'fulfilment', 'points', 1000, window_days, 1, 't');
  INSERT INTO credit_grade_band (model, version, grade, floor) VALUES ('ours', version, 'A', 0);
END;

-- days beyond the window are let go; a draft that looks further back changes nothing, in force it has the days built anew
SELECT model(1, 30, 'active');
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) SELECT 'a', 'late', now() - d * interval '10 days' - interval '1 hour', 1, 't' FROM generate_series(0, 19) d;
SELECT credit_rollup();
SELECT windows[array_position(indicators, 'late')] AS days FROM credit_rollup;
SELECT count(*) FROM credit_account_day;
SELECT model(2, 90, 'draft');
SELECT credit_rollup();
SELECT * FROM credit_check();
SELECT * FROM differ;
UPDATE credit_model SET state = 'active' WHERE model = 'ours' AND version = 2;
SELECT * FROM differ;
SELECT credit_rollup();
SELECT count(*) FROM credit_account_day;
SELECT * FROM differ;
SELECT * FROM credit_check();

-- a transaction's own events are left to the next roll-up, whichever transactions ended meanwhile
BEGIN;
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) VALUES ('b', 'late', now(), 2, 't');
SELECT credit_rollup();
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) VALUES ('b', 'late', now(), 3, 't');
SELECT * FROM differ;
COMMIT;
SELECT credit_rollup();
SELECT * FROM differ;
SELECT * FROM credit_check();

-- events that no account kept sums of are not forgotten silently once they are retired
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source)
SELECT 'b', i, '2021-01-01', '2021-01-01', 5, 't' FROM unnest('{late,violation}'::text[]) i;
SELECT score, credit_score('b', '2021-01-10') FROM credit_standings('{b}', '2021-01-10', 'ours', 2);
SELECT credit_rollup(), credit_retire('2022-01-01');
SELECT merchant_id, indicator, half_life, events, until FROM credit_opening ORDER BY 1, 2, 3;
SELECT score FROM credit_standings('{b}', '2021-01-10', 'ours', 2);
SELECT score FROM credit_standings('{b}', '2021-01-10', 'ours', 2, true);
-- nor is credit told as of an instant from which a window reaches back to them
SELECT score FROM credit_standings('{b}', '2022-03-31 15:59', 'ours', 2);
SELECT score FROM credit_standings('{b}', '2022-03-31 16:00', 'ours', 2);
SELECT score FROM credit_standings(NULL, '2022-03-31', 'ours', 2, true);
SELECT count(*) FROM credit_history('b', '2022-01-02', '2022-01-14');
SELECT count(*) FROM credit_history('b', '2022-01-02', '2022-01-16');
SELECT * FROM differ;
-- built anew with what is kept, and under a model that counts without a window
SELECT model(3, NULL, 'active'), credit_rollup();
SELECT credit_rollup();
SELECT * FROM differ;
SELECT merchant_id, events FROM credit_account ORDER BY 1;
SELECT * FROM credit_check();
SELECT c.* FROM merchant m, credit_check(m.merchant_id) c;

-- instants that a typing error put beyond days with a name, and beyond what a sum can be told before, stop nothing
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source)
SELECT 'a', i, at, at, 1, 't' FROM unnest('{late,service}'::text[]) i, unnest('{2326-01-01,294276-12-31 23:59:59}'::timestamptz[]) at;
SELECT credit_rollup();
SELECT credit_day(at) FROM unnest('{2026-01-01 15:59:59.999999,2026-01-01 16:00,1999-12-31 15:59,294276-12-31 23:59:59}'::timestamptz[]) at;
SELECT credit_day('infinity');
SELECT * FROM differ;
SELECT * FROM credit_check();
SELECT c.* FROM merchant m, credit_check(m.merchant_id) c;
BEGIN;
DELETE FROM credit_account_day WHERE day > '2300-01-01';
SELECT merchant_id, problem FROM credit_check() ORDER BY 2;
ROLLBACK;
DROP VIEW differ;
DROP FUNCTION model;
DROP EXTENSION quality_gov;
