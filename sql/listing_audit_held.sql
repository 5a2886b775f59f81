-- What an audit holds, and what it only finds: queue, review, appeal and statement go by what happened to the row.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT listing_rule_add('later', 'required', '{"fields": ["producer"]}', 'quarantine', 'producer', 'b', effective => now() + interval '10 days'),
       listing_rule_add('colour', 'required', '{"fields": ["colour"]}', 'quarantine', 'colour', 'b', effective => '2026-01-01'),
       listing_rule_add('brand', 'required', '{"fields": ["brand"]}', 'warn', 'brand', 'b', effective => '2026-01-01');
CREATE TABLE p (id int PRIMARY KEY, shop text, title text, producer text, colour text, brand text, status text DEFAULT 'live');
INSERT INTO p VALUES (1, 'm-1', 'cup', NULL, 'red', 'b', 'live'), (2, 'm-1', 'pot', NULL, 'red', NULL, 'live'), (3, 'm-1', 'jar', 'p', NULL, 'b', 'live'), (4, 'm-1', 'can', 'p', 'red', 'b', 'live'),
  (5, 'm-1', 'box', NULL, 'red', 'b', 'quarantined');
SELECT guard_listing('p', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "colour": "colour", "brand": "brand", "status": "status"}');

-- an audit that only looks holds nothing, whatever it finds
CALL listing_audit('p', 500, now() + interval '11 days');
SELECT listing_id, operation, verdict FROM listing_decision ORDER BY decision_id;
SELECT count(*) AS queued, (SELECT count(*) FROM listing_review_assign('ann', 9)) AS assigned FROM listing_queue;
SELECT listing_review_decide('m-1', 1, 'release', 'x');
SELECT position('未改变该商品信息的展示状态' IN listing_statement('m-1', 1)) > 0 AS zh, position('has not changed whether' IN listing_statement('m-1', 1, 'en')) > 0 AS en;

-- one that holds by the rules of a later day says so, where the update that does it is judged by the rules of now
CALL listing_audit('p', 2, now() + interval '11 days', hold => true);
SELECT id, status, q.findings #>> '{0,rule}' AS rule FROM p LEFT JOIN listing_queue q ON q.listing_id = id::text ORDER BY id;
SELECT listing_id, operation, verdict, at > now() AS later FROM listing_decision WHERE operation <> 'AUDIT' ORDER BY listing_id::int, decision_id;
SELECT count(*) AS held FROM listing_held;
-- again: nothing is told twice
CALL listing_audit('p', 2, now() + interval '11 days', hold => true);
SELECT count(*) FROM listing_decision WHERE operation = 'AUDIT held';
-- released, it passes also on that day
SELECT listing_review_decide(merchant_id, decision_id, 'release', 'shown', 'live') FROM listing_queue WHERE listing_id = '1';
SELECT status, (SELECT count(*) FROM listing_queue WHERE listing_id = '1') AS queued FROM p WHERE id = 1;
CALL listing_audit('p', 2, now() + interval '11 days', hold => true);
SELECT status FROM p WHERE id = 1;

-- a later audit that finds a denial leaves a held listing held, in the queue, and to be released on appeal
SELECT decision_id AS held FROM listing_queue WHERE listing_id = '3' \gset
SELECT listing_rule_add('words', 'expression', '{"expression": "$.title == \"jar\""}', 'deny', 'no jars', 'b', effective => now() - interval '1 second');
CALL listing_audit('p');
SELECT operation, verdict FROM listing_decision WHERE listing_id = '3' ORDER BY decision_id DESC LIMIT 1;
SELECT decision_id = :held AS is_queued FROM listing_queue WHERE listing_id = '3';
SELECT listing_appeal_file('m-1', :held, 'it is red') AS appeal \gset
SELECT listing_rule_retire('words');
SELECT listing_appeal_decide('m-1', :appeal, 'overturned', 'red indeed', 'ann', status => 'live') AS rows_freed;
SELECT status, (SELECT count(*) FROM listing_queue WHERE listing_id = '3') AS queued FROM p WHERE id = 3;

-- what an audit found on a live row is overturned: no row changes, the next write passes
SELECT listing_rule_add('cans', 'expression', '{"expression": "$.title == \"can\""}', 'quarantine', 'no cans', 'b', effective => now() - interval '1 second');
CALL listing_audit('p');
SELECT listing_appeal_file('m-1', decision_id, 'a vase') AS appeal FROM listing_decision WHERE listing_id = '4' AND operation = 'AUDIT' \gset
SELECT listing_appeal_decide('m-1', :appeal, 'overturned', 'a vase', 'ann', status => 'live') AS rows_freed;
UPDATE p SET colour = 'blue' WHERE id = 4 RETURNING status;
SELECT * FROM integrity_check();
SELECT * FROM credit_check();
DROP TABLE p;
DROP EXTENSION quality_gov;
