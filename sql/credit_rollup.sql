-- Roll-up: what it takes in, when it begins anew, what it refuses; retention keeps exact sums.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2015-01-01' FROM generate_series(1, 3) g;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, bad, source, ref)
SELECT 'm-' || 1 + g % 2, i, t, t + interval '3 days', g % 3, (g % 5 = 0)::int, 't', i || g
FROM generate_series(1, 400) g, unnest('{complaint,recall,review}'::text[]) i, LATERAL (SELECT '2019-01-01'::timestamptz + g * interval '4 days' AS t) t;

SELECT credit_rollup();
SELECT merchant_id, events, last_recorded, cardinality(tallies) = cardinality(indicators) AS complete FROM credit_account, credit_rollup ORDER BY 1;
SELECT credit_rollup();
-- a savepoint rolled back leaves nothing, what is left is taken in once
BEGIN;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES ('m-3', 'recall', '2024-01-01', '2024-01-01', 1, 't');
SAVEPOINT s;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES ('m-3', 'recall', '2024-01-01', '2024-01-01', 1, 't');
ROLLBACK TO s;
SELECT bad FROM credit_indicator_points('m-3', '2024-01-01') WHERE indicator = 'recall';
COMMIT;
SELECT credit_rollup();
SELECT bad FROM credit_indicator_points('m-3', '2024-01-01') WHERE indicator = 'recall';
-- a model with another half-life, or with a window, and all is summed anew for it, too; until then it is answered from the events
INSERT INTO credit_model (model, version, state, title, owner, purpose, basis) VALUES ('trial', 1, 'shadow', 't', 'o', 'p', 'b');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, point_cost, title, window_days) VALUES
  ('trial', 1, 'recall', 'goods_quality', 'points', 100, '1000 days', 1, 'r', NULL), ('trial', 1, 'complaint', 'disputes', 'points', 100, NULL, 1, 'c', 1000);
SELECT merchant_id, score FROM credit_standings(NULL, '2024-02-01', 'trial', 1) ORDER BY 1;
SELECT credit_rollup();
SELECT merchant_id, score FROM credit_standings(NULL, '2024-02-01', 'trial', 1) ORDER BY 1;
SELECT count(*) = (SELECT cardinality(indicators) FROM credit_rollup) AS kept FROM (SELECT DISTINCT indicator, half_life, window_days IS NULL FROM credit_indicator) i;
SELECT * FROM credit_check();

-- a restored database has events and no account: the same answers, and the account is built from them
CREATE TABLE before AS SELECT s.merchant_id, t, s.score FROM unnest('{2020-01-01,2024-02-01}'::timestamptz[]) t, credit_standings(NULL, t) s;
DELETE FROM credit_account;
DELETE FROM credit_account_day;
UPDATE credit_rollup SET seen = NULL, at = NULL, indicators = '{}', half_lives = '{}', windows = '{}';
SELECT count(*) AS answers, count(*) FILTER (WHERE score <> credit_score(merchant_id, t)) AS differ FROM before;
SELECT * FROM credit_check();
SELECT credit_rollup();
SELECT count(*) AS answers, count(*) FILTER (WHERE score <> credit_score(merchant_id, t)) AS differ FROM before;

-- retention: exact sums stay, in batches; answers as of moments before it cannot be told any more
TRUNCATE before;
INSERT INTO before SELECT s.merchant_id, t, s.score FROM unnest('{2022-06-01,2024-02-01,2026-11-01}'::timestamptz[]) t, credit_standings(NULL, t) s;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES ('m-2', 'recall', '2019-05-05', '2019-05-05', 1, 'tail');
SELECT credit_retire('2022-01-01', 300) AS first, credit_retire('2022-01-01', 300) AS second;
SELECT credit_retire('2022-01-01') AS rest;
SELECT count(*) AS left_before, min(source) AS which FROM credit_event WHERE recorded_at < '2022-01-01';
SELECT * FROM credit_check();
SELECT credit_rollup();
SELECT credit_retire('2022-01-01') AS tail;
SELECT count(*) AS openings, min(until), max(until) FROM credit_opening;
DELETE FROM before WHERE merchant_id = 'm-2' AND t < '2024-01-01';
SELECT count(*) AS answers, count(*) FILTER (WHERE abs(b.score - credit_score(b.merchant_id, t)) > CASE b.merchant_id WHEN 'm-2' THEN 5 ELSE 0 END) AS differ FROM before b;
SELECT * FROM credit_check();
SELECT c.* FROM merchant m, credit_check(m.merchant_id) c;
SELECT credit_score('m-1', '2021-12-31');
SELECT credit_history('m-1', '2021-12-31', '2022-12-31', '1 month');
SELECT count(*) FROM credit_history('m-1', '2022-01-01', '2022-12-31', '1 month');
SELECT count(*) FROM credit_standings(NULL, '2021-12-31');
-- from the openings the account is built anew
DELETE FROM credit_account;
DELETE FROM credit_account_day;
UPDATE credit_rollup SET seen = NULL;
SELECT count(*) AS answers, count(*) FILTER (WHERE abs(b.score - credit_score(b.merchant_id, t)) > CASE b.merchant_id WHEN 'm-2' THEN 5 ELSE 0 END) AS differ FROM before b;
SELECT count(*) > 0 AS rolled FROM credit_rollup();
SELECT count(*) AS answers, count(*) FILTER (WHERE abs(b.score - credit_score(b.merchant_id, t)) > CASE b.merchant_id WHEN 'm-2' THEN 5 ELSE 0 END) AS differ FROM before b;
SELECT * FROM credit_check();

-- refused
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT credit_rollup();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT credit_retire();
ROLLBACK;
\set VERBOSITY sqlstate
SELECT credit_retire(now() - interval '1 year');
\set VERBOSITY default
SELECT credit_retire('2022-01-01', 0);
UPDATE credit_rollup SET seen = NULL;
SELECT credit_retire('2022-01-01');
DROP TABLE before;
DROP EXTENSION quality_gov;
