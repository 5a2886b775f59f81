-- What would be if: other events, the way to a grade, another model; the statement.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2020-01-01' FROM generate_series(1, 30) g;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, bad, source, ref)
SELECT 'm-' || g, i, t, t, (g * 7 + n * 3) % 50, ((g + n) % 6) * (g % 4), 't', g || '/' || n
FROM generate_series(1, 30) g, unnest('{complaint,fulfilment,service,review}'::text[]) WITH ORDINALITY i(i, n),
  LATERAL (SELECT '2026-06-01'::timestamptz + g * interval '3 days 5 hours' AS t) t;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source, ref)
SELECT 'm-' || g, i, '2026-09-01', '2026-09-01', (g % 7) * n * 0.8, 't', 'p' || g
FROM generate_series(1, 30) g, unnest('{listing,violation,recall,regulatory}'::text[]) WITH ORDINALITY i(i, n);
SELECT credit_regrade('2026-10-01');
SELECT grade, count(*) FROM credit_grade_change GROUP BY 1 ORDER BY 1;

-- nothing supposed is what is; what is supposed and then happens is what is
SELECT count(*) AS merchants, count(*) FILTER (WHERE w.score <> w.score_now OR w.grade <> w.grade_now OR w.points <> '{}' OR w.score <> credit_score(merchant_id, '2026-11-01')) AS differ
FROM merchant, credit_what_if(merchant_id, '[]', '2026-11-01') w;
SELECT * FROM credit_what_if('m-1', '[{"indicator": "complaint", "bad": 3, "at": "2026-10-15"}, {"indicator": "recall", "severity": "serious"}]', '2026-11-01');
BEGIN;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES
  ('m-1', 'complaint', '2026-10-15', '2026-10-15', 3, 't'), ('m-1', 'recall', '2026-11-01', '2026-11-01', 2, 't');
SELECT credit_score('m-1', '2026-11-01'), credit_grade('m-1', '2026-11-01');
ROLLBACK;
-- a flag vetoes; a void takes it down again
SELECT score = score_now AS same_score, grade FROM credit_what_if('m-4', '[{"indicator": "counterfeit", "bad": 1}]', '2026-11-01');
SELECT grade = grade_now AS same FROM credit_what_if('m-4', '[{"indicator": "counterfeit", "bad": 1}, {"indicator": "counterfeit", "bad": 1, "void": true}]', '2026-11-01');

-- every way that is said to be possible leads to the grade; every way that is not falls short even if all of it is taken
CREATE VIEW way AS
SELECT m.merchant_id, g.grade, p.* FROM merchant m, unnest('{A,B,C}'::text[]) g(grade), credit_path(m.merchant_id, g.grade, '2026-11-01') p;
SELECT change, possible, count(*) > 0 AS found,
       count(*) FILTER (WHERE w.grade > way.grade) AS fall_short
FROM way, credit_what_if(merchant_id, jsonb_build_array(CASE change
    WHEN 'more good' THEN jsonb_build_object('indicator', indicator, 'good', amount)
    ELSE jsonb_build_object('indicator', indicator, 'bad', amount, 'void', true) END), '2026-11-01') w
WHERE possible GROUP BY 1, 2 ORDER BY 1;
-- one less does not do: the change is the smallest, to a whole unit
SELECT change, count(*) AS ways, count(*) FILTER (WHERE w.grade <= way.grade) AS less_does
FROM way, credit_what_if(merchant_id, jsonb_build_array(CASE change
    WHEN 'more good' THEN jsonb_build_object('indicator', indicator, 'good', greatest(amount - 1, 0))
    ELSE jsonb_build_object('indicator', indicator, 'bad', greatest(amount - 1, 0), 'void', true) END), '2026-11-01') w
WHERE possible AND change <> 'fewer units' GROUP BY 1 ORDER BY 1;
-- units fade in the time that is told, if nothing else fades meanwhile; then all of them lift at least as far
SELECT count(*) > 0 AS ways, bool_and(wait > interval '0') AS all_wait FROM way WHERE possible AND change = 'fewer units' AND wait IS NOT NULL;
SELECT count(*) FILTER (WHERE NOT possible) > 0 AS impossible_ways FROM way;
-- who has the grade needs nothing; a flag must come down first
SELECT count(*) AS rows FROM merchant m, credit_path(m.merchant_id, 'D', '2026-11-01');
BEGIN;
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES
  ('m-7', 'counterfeit', '2026-10-01', '2026-10-01', 1, 't'), ('m-7', 'serious_violation', '2026-10-01', '2026-10-01', 1, 't');
SELECT indicator, change, wait > interval '300 days' AS waits, possible FROM credit_path('m-7', 'C', '2026-11-01') WHERE change LIKE 'flag%' ORDER BY 1;
ROLLBACK;

-- a challenger on the same events
INSERT INTO credit_model (model, version, state, title, owner, purpose, basis) VALUES ('ours', 1, 'shadow', 't', 'o', 'p', 'b');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, prior_good, prior_bad, tolerated, point_cost, title) VALUES
  ('ours', 1, 'complaint', 'disputes', 'rate', 600, '60 days', 20, 1, 0.3, NULL, 'c'), ('ours', 1, 'recall', 'goods_quality', 'points', 400, NULL, 0, 0, NULL, 100, 'r');
INSERT INTO credit_grade_band (model, version, grade, floor) VALUES ('ours', 1, 'A', 800), ('ours', 1, 'B', 0);
SELECT count(*) AS merchants, count(*) FILTER (WHERE difference = 0) AS unmoved, bool_and(score = credit_score(merchant_id, '2026-11-01')) AS live,
       bool_and(shadow_score = (SELECT sum(p.points) FROM credit_indicator_points(merchant_id, '2026-11-01', 'ours', 1, true) p)) AS shadow
FROM credit_shadow('ours', NULL, '2026-11-01');
SELECT measure, item, live > 0 AS live, shadow > 0 AS shadow FROM credit_shadow_summary('ours', 1, '2026-11-01');
SELECT sum(live) AS live, sum(shadow) AS shadow FROM credit_shadow_summary('ours', 1, '2026-11-01') WHERE measure = 'grade';
SELECT credit_grade('m-1', '2026-11-01') = grade AS trial_changes_nothing FROM credit_shadow('ours', 1, '2026-11-01') WHERE merchant_id = 'm-1';

-- the statement is canonical, in the ledger, and says what the functions say
SELECT credit_statement('m-3', '2026-11-01 08:00:00.5') AS statement \gset
SELECT :'statement' = jcs(:'statement'::jsonb) AS canonical, body = :'statement'::jsonb AS recorded FROM ledger_entry WHERE kind = 'credit_statement';
SELECT s ->> 'at' AS at, (s ->> 'score')::numeric = credit_score('m-3', '2026-11-01 08:00:00.5') AS score, s ->> 'grade' = credit_grade('m-3', '2026-11-01 08:00:00.5') AS grade,
       (SELECT sum((i ->> 'points')::numeric) FROM jsonb_array_elements(s -> 'indicators') i) = (s ->> 'score')::numeric AS sums, s -> 'model' ->> 'version' AS version
FROM (SELECT :'statement'::jsonb) x(s);

-- refused
SELECT credit_what_if('m-1', '{}', '2026-11-01');
SELECT credit_what_if('m-1', '[1]', '2026-11-01');
SELECT credit_what_if('m-1', '[{"indicator": "complaint", "evil": 1}]', '2026-11-01');
SELECT credit_what_if('m-1', '[{"indicator": "complaints"}]', '2026-11-01');
SELECT credit_what_if('m-1', '[{"indicator": "recall", "severity": "fatal"}]', '2026-11-01');
SELECT credit_what_if('m-1', '[{"indicator": "recall", "bad": -1}]', '2026-11-01');
SELECT credit_what_if('m-1', '[{"indicator": "recall", "bad": "NaN"}]', '2026-11-01');
SELECT credit_what_if('m-1', '[{"indicator": "recall", "bad": "x"}]', '2026-11-01');
SELECT credit_what_if('m-1', '[{"indicator": "recall", "bad": 1, "at": "2026-11-02"}]', '2026-11-01');
SELECT credit_path('m-1', 'E', '2026-11-01');
SELECT credit_path('nobody', 'A', '2026-11-01');
SELECT credit_shadow('default');
SELECT credit_history('m-1', '2026-01-01', '2026-02-01', '0');
SELECT credit_history('m-1', '2020-01-01', '2026-02-01', '1 second');
SELECT credit_history('m-1', '-infinity', '2026-02-01');
SELECT count(*) FROM credit_history('m-1', '2026-02-01', '2026-01-01');
SELECT * FROM credit_check();
DROP VIEW way;
DROP EXTENSION quality_gov;
