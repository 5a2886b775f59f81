-- The loop: a platform's rows become events, a fallen grade restricts, a recovered one frees.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
CREATE TABLE orders (id int, shop text, ordered timestamptz, late boolean, PRIMARY KEY (id, ordered)) PARTITION BY RANGE (ordered);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2026-10-01');
CREATE TABLE complaint (id int PRIMARY KEY, shop text, filed timestamptz, note text);
SELECT credit_attach('orders', '{"merchant_id": "shop", "at": "ordered", "recorded_at": "ordered", "ref": "id"}', 'complaint', good => 1, bad => 0);
SELECT credit_attach('orders', '{"merchant_id": "shop", "at": "ordered", "recorded_at": "ordered", "ref": "id", "bad": "late"}', 'fulfilment', good => 1);
SELECT credit_attach('complaint', '{"merchant_id": "shop", "at": "filed", "recorded_at": "filed", "ref": "id"}', 'complaint');
SELECT relation, kind FROM guard ORDER BY 1, 2;
-- a partition attached later carries the triggers too
CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM ('2026-10-01') TO ('2027-12-01');

INSERT INTO orders SELECT g, 'm-1', '2026-09-20'::timestamptz + g * interval '1 hour', g % 10 = 0 FROM generate_series(1, 400) g;
INSERT INTO orders VALUES (1000, NULL, '2026-11-01', false), (1001, 'm-1', '2026-11-01', NULL);
SELECT indicator, count(*), sum(good) AS good, sum(bad) AS bad, min(source) AS source FROM credit_event GROUP BY 1 ORDER BY 1;

-- an updated row is voided and entered anew, a deleted one voided; what is not mapped does not count
INSERT INTO complaint VALUES (1, 'm-2', '2026-11-01', 'x'), (2, 'm-2', '2026-11-02', 'x'), (3, 'm-2', '2026-11-03', 'x');
UPDATE complaint SET note = 'y';
UPDATE complaint SET shop = 'm-1' WHERE id = 2;
UPDATE complaint SET shop = NULL WHERE id = 3;
DELETE FROM complaint WHERE id = 1;
SELECT merchant_id, ref, at, bad, void FROM credit_event WHERE source = 'public.complaint' ORDER BY event_id;
SELECT merchant_id, sum(bad) AS bad FROM credit_event WHERE source = 'public.complaint' GROUP BY 1 ORDER BY 1;
-- rows older than the attachment were never counted, so nothing is voided of them; without ref nothing is followed
CREATE TABLE review (id int, shop text);
INSERT INTO review VALUES (1, 'm-2'), (2, 'm-2');
SELECT credit_attach('review', '{"merchant_id": "shop", "ref": "id"}', 'review');
INSERT INTO review VALUES (3, 'm-2');
DELETE FROM review WHERE id = 1;
UPDATE review SET shop = 'm-1' WHERE id = 2;
UPDATE review SET id = 4 WHERE id = 3;
SELECT ref, bad, void, at = first_value(at) OVER (ORDER BY event_id) AS same_instant FROM credit_event WHERE indicator = 'review' ORDER BY event_id;
SELECT guard_remove('review');
SELECT credit_attach('review', '{"merchant_id": "shop"}', 'review');
DELETE FROM review;
SELECT count(*) AS events FROM credit_event WHERE indicator = 'review';
DROP TABLE review;
-- nothing of a rolled back statement stays
BEGIN;
INSERT INTO complaint VALUES (4, 'm-2', '2026-11-01', 'x');
SAVEPOINT s;
INSERT INTO complaint VALUES (5, 'm-2', '2026-11-01', 'x');
ROLLBACK TO s;
COMMIT;
SELECT ref FROM credit_event WHERE source = 'public.complaint' AND ref IN ('4', '5');

-- grades as maintenance() gives them
SELECT task, detail FROM maintenance('2026-11-10') WHERE task = 'credit_regrade';
SELECT merchant_id, since, score, grade, previous_grade FROM credit_grade_history ORDER BY 1;
INSERT INTO complaint SELECT 100 + g, 'm-2', '2026-11-11', 'x' FROM generate_series(1, 60) g;
INSERT INTO orders SELECT 2000 + g, 'm-2', '2026-11-11', true FROM generate_series(1, 40) g;
SELECT allowed FROM merchant_may('m-2', 'list', NULL, '2026-11-12');
SELECT task, detail FROM maintenance('2026-11-12') WHERE task = 'credit_regrade';
SELECT task, detail FROM maintenance('2026-11-12') WHERE task = 'credit_regrade';
SELECT a, allowed, reasons, until FROM unnest('{list,live,sell}'::text[]) a, merchant_may('m-2', a, NULL, '2026-11-12');
SELECT allowed FROM merchant_may('m-2', 'list', NULL, '2026-11-11');
SELECT * FROM credit_check();
-- as time passes and orders go well the grade recovers and the restriction ends; what was said before stays
INSERT INTO orders SELECT 3000 + g, 'm-2', '2027-06-01', false FROM generate_series(1, 4000) g;
SELECT task, detail FROM maintenance('2027-06-02') WHERE task = 'credit_regrade';
SELECT since, until, grade, previous_grade FROM credit_grade_history WHERE merchant_id = 'm-2' ORDER BY since;
SELECT action, effect FROM merchant_restriction WHERE merchant_id = 'm-2' ORDER BY 1;
SELECT t, allowed FROM unnest('{2026-11-12,2027-06-01,2027-06-02}'::timestamptz[]) t, merchant_may('m-2', 'list', NULL, t);
-- an earlier instant is not decided again
SELECT task, detail FROM maintenance('2026-12-01') WHERE task = 'credit_regrade';
SELECT subject, body - 'at' - 'score' AS body FROM ledger_entry WHERE kind = 'credit_grade' ORDER BY entry_id;

-- the oracle notices: a restriction that does not follow, an orphan
INSERT INTO merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('m-1', 'sell', 'r', 'credit_grade', '[2026-11-12,)');
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) VALUES ('ghost', 'complaint', '2026-11-01', 1, 't'), ('m-1', 'odd', '2026-11-01', 1, 't');
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, ref, void) VALUES ('m-1', 'complaint', '2026-11-01', -1, 't', 'never', true);
SELECT merchant_id, regexp_replace(problem, '\d+', 'N') AS problem FROM credit_check() ORDER BY 1, 2;
-- what credit_overview shows now is what credit_score says now
SELECT count(*) AS merchants, count(*) FILTER (WHERE o.score <> credit_score(o.merchant_id) OR o.grade <> credit_grade(o.merchant_id)) AS differ FROM credit_overview o;
DROP TABLE orders, complaint;
DROP EXTENSION quality_gov;
