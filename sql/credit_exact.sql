-- One truth by five ways: accounts with tail, all events in one pass, one merchant, history, the SQL of the oracle.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2020-01-01' FROM generate_series(0, 40) g;
-- a model of every kind, with and without half-life and window, in force over part of the events
INSERT INTO credit_model (model, version, state, title, effect, owner, purpose, basis, hysteresis)
VALUES ('every', 1, 'active', 't', tstzrange(now() - interval '200 days', NULL), 'o', 'p', 'b', 10);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, prior_good, prior_bad, tolerated,
                              point_cost, title, minimum, window_days, cap, veto_grade) VALUES
  ('every', 1, 'complaint', 'disputes', 'rate', 300, '30 days', 10, 1, 0.2, NULL, 'c', 3, 90, NULL, NULL),
  ('every', 1, 'fulfilment', 'fulfilment', 'rate', 300, NULL, 10, 1, 0.2, NULL, 'f', 0, 30, NULL, NULL),
  ('every', 1, 'review', 'goods_quality', 'rate', 100, '1 hour', 5, 1, 0.4, NULL, 'r', 0, NULL, NULL, NULL),
  ('every', 1, 'listing', 'compliance', 'points', 200, NULL, 0, 0, NULL, 1, 'l', 0, NULL, 100, NULL),
  ('every', 1, 'recall', 'goods_quality', 'points', 200, '30 days', 0, 0, NULL, 3, 'r', 0, 7, NULL, NULL),
  ('every', 1, 'flagged', 'goods_quality', 'flag', 50, '10 days', 0, 0, NULL, NULL, 'f', 0, NULL, NULL, 'D');
INSERT INTO credit_grade_band (model, version, grade, floor) VALUES
  ('every', 1, 'A', 900), ('every', 1, 'B', 800), ('every', 1, 'C', 700), ('every', 1, 'D', 0);

-- events over 400 days that end now, up to 60 days late, with voids; one merchant gets many
CREATE FUNCTION put(n integer, seed float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  written bigint;
BEGIN
  PERFORM setseed(seed);
  WITH e AS MATERIALIZED (
    SELECT 'm-' || floor(40 * random() ^ 2) AS merchant,
           (ARRAY['complaint', 'fulfilment', 'listing', 'recall', 'flagged', 'review'])[1 + floor(6 * random())] AS indicator,
           now() - interval '460 days' + random() * interval '400 days' AS at, random() * interval '60 days' AS late,
           floor(random() * 4) AS good, CASE WHEN random() < 0.2 THEN 1.5 ELSE 0 END AS bad, g FROM generate_series(1, n) g),
  entered AS (
    INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, bad, source, ref)
    SELECT merchant, indicator, at, at + late, good, bad, 't', seed || '/' || g FROM e RETURNING *),
  voided AS (
    INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, bad, source, ref, void)
    SELECT merchant_id, indicator, at, least(recorded_at + random() * interval '20 days', now()), -good, -bad, source, ref, true
    FROM entered WHERE random() < 0.15)
  SELECT count(*) INTO written FROM entered;
  RETURN written;
END $$;
CREATE FUNCTION differ(t timestamptz) RETURNS TABLE (merchants bigint, by_events bigint, one_by_one bigint, one_by_events bigint, explained bigint)
LANGUAGE sql AS $$
  SELECT count(*), count(*) FILTER (WHERE (a.score, a.grade) IS DISTINCT FROM (b.score, b.grade)),
         count(*) FILTER (WHERE a.score <> credit_score(a.merchant_id, t) OR a.grade IS DISTINCT FROM credit_grade(a.merchant_id, t)),
         count(*) FILTER (WHERE a.score <> (SELECT sum(p.points) FROM credit_indicator_points(a.merchant_id, t, NULL, NULL, true) p)),
         count(*) FILTER (WHERE a.score <> (SELECT sum(e.points) FROM credit_explain(a.merchant_id, t) e))
  FROM credit_standings(NULL, t) a JOIN credit_standings(NULL, t, NULL, NULL, true) b USING (merchant_id)
$$;
CREATE VIEW whenever AS SELECT now() - d * interval '1 day' AS t FROM unnest('{0,10,100,199,300,1000}'::int[]) d;

-- nothing rolled up; then all; then a tail beside; then that too
SELECT put(3000, 0.1);
SELECT d.* FROM whenever, differ(t) d;
SELECT credit_rollup();
SELECT d.* FROM whenever, differ(t) d;
SELECT put(500, 0.2) FROM credit_rollup() WHERE credit_rollup = '0 events rolled up';
SELECT d.* FROM whenever, differ(t) d;
SELECT * FROM credit_check();
SELECT credit_rollup() ~ '^\d+ events rolled up$' AS taken_in, credit_rollup();
SELECT d.* FROM whenever, differ(t) d;
SELECT * FROM credit_check();
SELECT c.* FROM merchant m, credit_check(m.merchant_id) c;

-- grades with hysteresis and vetoes, as history has them at each step; scores differ enough to show it
SELECT count(*) AS steps, count(*) FILTER (WHERE detail = '0 grades given') < count(*) AS gave
FROM generate_series(40, 0, -4) d, LATERAL (SELECT credit_regrade(now() - d * interval '10 days') AS detail) r;
SELECT count(DISTINCT grade) > 1 AS grades, count(*) > 60 AS changes FROM credit_grade_change;
SELECT count(*) AS steps, count(*) FILTER (WHERE h.score <> credit_score(m.merchant_id, h.at)
  OR h.grade IS DISTINCT FROM credit_grade(m.merchant_id, h.at)) AS differ, count(DISTINCT h.grade) > 1 AS grades
FROM merchant m, credit_history(m.merchant_id, now() - interval '420 days', now(), '11 days 3 hours') h;
SELECT d.* FROM whenever, differ(t) d;
SELECT count(*) AS merchants, count(*) FILTER (WHERE o.score <> credit_score(o.merchant_id) OR o.grade <> credit_grade(o.merchant_id)) AS differ FROM credit_overview o;

-- the oracle notices one lost tally, in C and in SQL, one lost account and one lost day
BEGIN;
UPDATE credit_account a SET tallies[s.slot] = NULL FROM (
  SELECT s.slot FROM credit_rollup r, unnest(r.indicators, r.windows) WITH ORDINALITY s(indicator, days, slot) WHERE s.indicator = 'listing' AND s.days = 0 ORDER BY s.slot DESC LIMIT 1) s
WHERE merchant_id = 'm-0';
SELECT merchant_id, regexp_replace(problem, '\(.*', '') AS problem FROM credit_check();
SELECT merchant_id, regexp_replace(problem, '\(.*', '') AS problem FROM credit_check('m-0');
ROLLBACK;
BEGIN;
DELETE FROM credit_account WHERE merchant_id = 'm-3';
SELECT merchant_id, count(*) > 1 AS problems FROM credit_check() GROUP BY 1;
SELECT merchant_id, count(*) > 1 AS problems FROM credit_check('m-3') GROUP BY 1;
ROLLBACK;
BEGIN;
DELETE FROM credit_account_day WHERE (merchant_id, slot, day) IN (SELECT merchant_id, slot, day FROM credit_account_day ORDER BY day DESC, 1, 2 LIMIT 1);
SELECT count(*) AS problems FROM credit_check();
ROLLBACK;
DROP VIEW whenever;
DROP FUNCTION put, differ;
DROP EXTENSION quality_gov;
