-- Score, grade and explanation: exact, as of any instant, fair to small numbers.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT m, m, 'company', u::uscc, '2026-01-01' FROM (VALUES ('new', '91110000600037341L'), ('one', '91350100M000100Y43'),
  ('many', '9144030071526726XG'), ('good', '91370200163562681G'), ('late', '91330106673959654P')) v(m, u);

-- one bad of one order stands above 95 bad of 100, and below nothing known; much good stands above both
INSERT INTO credit_event (merchant_id, indicator, at, good, bad, source, recorded_at) VALUES
  ('one', 'complaint', '2026-11-01', 0, 1, 'test', '2026-11-01'),
  ('many', 'complaint', '2026-11-01', 5, 95, 'test', '2026-11-01'),
  ('good', 'complaint', '2026-11-01', 5000, 10, 'test', '2026-11-01');
SELECT merchant_id, credit_score(merchant_id, '2026-11-20'), credit_grade(merchant_id, '2026-11-20') FROM merchant
ORDER BY 2 DESC, 1;

-- the arithmetic of one indicator, by hand: 250 * (1 - (10 * 2^(-19/180) + 1) / (5010 * 2^(-19/180) + 51) / 0.05)
SELECT points = round((250 * (1 - (10 * w + 1) / (5010 * w + 51) / 0.05))::numeric, 2) AS as_by_hand
FROM (SELECT power(2, -19 / 180.0) AS w) x, credit_explain('good', '2026-11-20') WHERE indicator = 'complaint';
SELECT indicator, points, weight, lost, reason FROM credit_explain('many', '2026-11-20');

-- points sum exactly to the score, for every merchant and many instants
SELECT count(*) AS asked, count(*) FILTER (WHERE credit_score(m.merchant_id, t) <> (SELECT sum(points) FROM credit_explain(m.merchant_id, t))) AS differ
FROM merchant m, generate_series('2026-10-01'::timestamptz, '2027-06-01', '13 days') t;

-- bitemporal: an event counts from when it both had happened and was recorded
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, recorded_at) VALUES ('late', 'recall', '2026-10-01', 1, 'test', '2026-11-10');
SELECT t, credit_score('late', t) - credit_score('new', t) AS difference
FROM unnest('{2026-09-30,2026-10-15,2026-11-09,2026-11-10,2027-11-10}'::timestamptz[]) t;
-- a void takes an event out from when the void is recorded, and what was said before stays
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, void, recorded_at) VALUES ('late', 'recall', '2026-10-01', -1, 'test', true, '2026-11-15');
SELECT t, credit_score('late', t) - credit_score('new', t) AS difference FROM unnest('{2026-11-12,2026-11-15}'::timestamptz[]) t;

-- the floor: no indicator goes below zero
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, recorded_at) SELECT 'many', i, '2026-11-02', 1000, 'test', '2026-11-02'
FROM unnest('{complaint,fulfilment,service,review,listing,violation,recall,regulatory,counterfeit}'::text[]) i;
SELECT credit_score('many', '2026-11-20'), credit_grade('many', '2026-11-20');

-- a platform's own model goes before the shipped one over its period
INSERT INTO credit_model VALUES ('ours', 1, 'active', 'test', '[2026-12-01,2027-01-01)');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, point_cost, title)
VALUES ('ours', 1, 'recall', 'goods_quality', 'points', 50, '30 days', 5, 'Recalls');
INSERT INTO credit_grade_band VALUES ('ours', 1, 'good', 40), ('ours', 1, 'poor', 0);
SELECT t, credit_score('new', t), credit_grade('new', t) FROM unnest('{2026-11-30,2026-12-01,2027-01-01}'::timestamptz[]) t;
SELECT credit_grade('many', '2026-12-01');

-- bad input
SELECT credit_score('nobody', '2026-11-20');
SELECT credit_score(NULL, '2026-11-20');
SELECT credit_score('new', NULL);
SELECT credit_explain('nobody');
\set VERBOSITY terse
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) VALUES ('new', 'complaint', '2026-11-01', -1, 'test');
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) VALUES ('new', 'complaint', '2026-11-01', 'NaN', 'test');
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) VALUES ('new', 'complaint', '2026-11-01', 'infinity', 'test');
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) VALUES ('new', 'complaint', 'infinity', 1, 'test');
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, void) VALUES ('new', 'complaint', '2026-11-01', 1, 'test', true);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, point_cost, title)
VALUES ('ours', 1, 'x', 'service', 'points', 50, '1 month', 5, 'x');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, point_cost, title)
VALUES ('ours', 1, 'x', 'service', 'points', 50, '-1 day', 5, 'x');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, title)
VALUES ('ours', 1, 'x', 'service', 'rate', 50, '1 day', 'x');
INSERT INTO credit_grade_band VALUES ('ours', 1, 'odd', 40);
SELECT * FROM credit_check();
DROP EXTENSION quality_gov;
