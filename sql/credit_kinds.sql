-- What each kind of indicator makes of its events, by hand; small numbers, windows, flags and hysteresis.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = 0;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT m, m, 'company', '91110000600037341L', '2020-01-01' FROM unnest('{none,few,some,worse,voided,capped,flagged,windowed}'::text[]) m;
INSERT INTO credit_model (model, version, state, title, effect, owner, purpose, basis, hysteresis)
VALUES ('kinds', 1, 'active', 't', '[2026-01-01,)', 'o', 'p', 'b', 10);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, prior_good, prior_bad, tolerated,
                              point_cost, title, minimum, missing, window_days, cap, veto_grade) VALUES
  ('kinds', 1, 'prior_rate', 'disputes', 'rate', 100, NULL, 9, 1, 0.5, NULL, 'Prior', 10, 'prior', NULL, NULL, NULL),
  ('kinds', 1, 'full_rate', 'disputes', 'rate', 100, NULL, 9, 1, 0.5, NULL, 'Full', 10, 'full', NULL, NULL, NULL),
  ('kinds', 1, 'none_rate', 'disputes', 'rate', 100, NULL, 9, 1, 0.5, NULL, 'None', 10, 'none', NULL, NULL, NULL),
  ('kinds', 1, 'units', 'compliance', 'points', 100, '10 days', 0, 0, NULL, 7.5, 'Units', 0, 'prior', NULL, 8, NULL),
  ('kinds', 1, 'recent', 'service', 'points', 100, NULL, 0, 0, NULL, 10, 'Recent', 0, 'prior', 7, NULL, NULL),
  ('kinds', 1, 'flag', 'goods_quality', 'flag', 50, '20 days', 0, 0, NULL, NULL, 'Flag', 0, 'prior', NULL, NULL, 'C');
INSERT INTO credit_grade_band (model, version, grade, floor) VALUES
  ('kinds', 1, 'A', 400), ('kinds', 1, 'B', 330), ('kinds', 1, 'C', 250), ('kinds', 1, 'D', 0);

-- a merchant of whom nothing is known: 100 * (1 - 0.1 / 0.5), all, none; no units; no flag
SELECT indicator, points, weight FROM credit_explain('none', '2026-03-01') ORDER BY 1;
-- nine of ten needed, all bad: as if nothing were known; with the tenth: 100 * (1 - 11/20 / 0.5) is below zero
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source)
SELECT 'few', i, '2026-02-01', '2026-02-01', 9, 't' FROM unnest('{prior_rate,full_rate,none_rate}'::text[]) i;
SELECT indicator, points, reason FROM credit_explain('few', '2026-03-01') WHERE indicator LIKE '%rate' ORDER BY 1;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source)
SELECT 'few', i, '2026-02-02', '2026-02-02', 1, 't' FROM unnest('{prior_rate,full_rate,none_rate}'::text[]) i;
SELECT indicator, points, reason FROM credit_explain('few', '2026-03-01') WHERE indicator LIKE '%rate' ORDER BY 1;
-- 18 good, 2 bad: 100 * (1 - (3 / 30) / 0.5)
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, bad, source) VALUES ('some', 'prior_rate', '2026-02-01', '2026-02-01', 18, 2, 't');
SELECT points, good, bad, reason FROM credit_explain('some', '2026-03-01') WHERE indicator = 'prior_rate';
-- for every volume: who has only 1 order, and it bad, is not below who has 95 bad of 100
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, bad, source) VALUES
  ('worse', 'complaint', '2025-02-01', '2025-02-01', 5, 95, 't'), ('voided', 'complaint', '2025-02-01', '2025-02-01', 0, 1, 't');
SELECT bool_and(credit_score('voided', t) >= credit_score('worse', t)) AS fair, bool_or(credit_score('voided', t) > credit_score('worse', t)) AS apart
FROM generate_series('2025-02-01'::timestamptz, '2025-12-01', '1 month') t;

-- units: 2 cost 15; half after 10 days; 20 of them count as 8 once they are capped
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES
  ('capped', 'units', '2026-02-01', '2026-02-01', 2, 't'), ('capped', 'units', '2026-03-01', '2026-03-01', 20, 't');
SELECT t, points, bad, reason FROM unnest('{2026-02-01,2026-02-11,2026-03-01,2026-03-21}'::timestamptz[]) t, credit_explain('capped', t) WHERE indicator = 'units';
-- a void leaves nothing
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source, void) VALUES
  ('voided', 'units', '2026-02-01 13:14:15.161718', '2026-02-02', 1.7, 't', false), ('voided', 'units', '2026-02-01 13:14:15.161718', '2026-02-03', -1.7, 't', true);
SELECT t, points, bad, events FROM unnest('{2026-02-02,2026-02-03}'::timestamptz[]) t, credit_explain('voided', t) WHERE indicator = 'units';

-- a window of 7 days: the day of the question and the six before it, days of Shanghai
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source)
SELECT 'windowed', 'recent', at, at, 1, 't' FROM unnest('{2026-02-01 00:00,2026-02-01 23:59:59.999999,2026-02-04 12:00}'::timestamptz[]) at;
SELECT t, points, bad, reason FROM unnest('{2026-02-01 00:00,2026-02-07 23:59:59.999999,2026-02-08 00:00,2026-02-10 23:59,2026-02-11 00:00}'::timestamptz[]) t,
  credit_explain('windowed', t) WHERE indicator = 'recent';
-- a flag is up for one half-life of one unit; while it is, all its points are lost and no grade is better than its veto
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES ('flagged', 'flag', '2026-02-01', '2026-02-01', 1, 't');
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, source)
SELECT 'flagged', i, '2026-01-01', '2026-01-01', 5000, 't' FROM unnest('{prior_rate,full_rate,none_rate}'::text[]) i;
SELECT t, credit_score('flagged', t), credit_grade('flagged', t), points, reason
FROM unnest('{2026-01-31,2026-02-01,2026-02-21,2026-02-21 00:00:01}'::timestamptz[]) t, credit_explain('flagged', t) WHERE indicator = 'flag';

-- hysteresis: 10 points beyond a floor are needed to climb, and to fall
SELECT previous, score, credit_grade_of('kinds', 1, score, previous) AS grade
FROM unnest('{B,B,B,B,B,D,X}'::text[], '{320,319.99,409.99,410,100,330,330}'::numeric[]) AS g(previous, score);
SELECT score, credit_grade_of('kinds', 1, score) AS grade, credit_grade_of('kinds', 1, score, NULL, '{flag}') AS vetoed FROM unnest('{400,399.99,0,-1}'::numeric[]) score;
SELECT credit_grade_of('kinds', 2, 400);
SELECT * FROM credit_check();

-- bad models, bad events
\set VERBOSITY terse
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title) VALUES ('kinds', 2, 'x', 'service', 'guess', 1, 'x');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title, point_cost, tolerated) VALUES ('kinds', 2, 'x', 'service', 'points', 1, 'x', 1, 1);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title, tolerated) VALUES ('kinds', 2, 'x', 'service', 'rate', 1, 'x', 0.1);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title, tolerated, prior_good) VALUES ('kinds', 2, 'x', 'service', 'rate', 1, 'x', 0, 1);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title, window_days) VALUES ('kinds', 2, 'x', 'service', 'flag', 1, 'x', 0);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title, minimum) VALUES ('kinds', 2, 'x', 'service', 'flag', 1, 'x', 5);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title, half_life) VALUES ('kinds', 2, 'x', 'service', 'flag', 1, 'x', '0');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, title) VALUES ('kinds', 2, 'x', 'service', 'flag', 0.001, 'x');
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES ('none', 'units', '2026-02-02', '2026-02-01', 1, 't');
DROP EXTENSION quality_gov;
