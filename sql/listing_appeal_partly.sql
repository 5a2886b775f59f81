-- An appeal that overturns some of what was found: only that is let pass, the rest stands and weighs.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT listing_rule_add('colour', 'required', '{"fields": ["colour"]}', 'deny', 'colour', 'b', 'critical', effective => '2026-01-01'),
       listing_rule_add('brand', 'required', '{"fields": ["brand"]}', 'quarantine', 'brand', 'b', 'high', effective => '2026-01-01'),
       listing_rule_add('model', 'required', '{"fields": ["model"]}', 'warn', 'model', 'b', 'low', effective => '2026-01-01'),
       listing_rule_add('care', 'required', '{"fields": ["care"]}', 'shadow', 'care', 'b', effective => '2026-01-01');
CREATE TABLE p (id int PRIMARY KEY, shop text, colour text, brand text, model text, status text DEFAULT 'live', at timestamptz DEFAULT '2026-11-20');
SELECT guard_listing('p', '{"listing_id": "id", "merchant_id": "shop", "title": "shop", "colour": "colour", "brand": "brand", "model": "model", "status": "status", "at": "at"}');
CREATE FUNCTION weighs(ref text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(s.severity, ' ') FROM (SELECT sum(e.bad) AS bad FROM quality_gov.credit_event e WHERE e.ref = weighs.ref AND indicator = 'listing') t
  JOIN quality_gov.credit_severity s ON s.indicator = 'listing' AND s.bad = t.bad $$;

-- a refused attempt: the colour is on the picture, the brand was not appealed about
INSERT INTO p VALUES (1, 'm-1', NULL, NULL, NULL);
SELECT listing_denial_drain() AS recorded, weighs('1');
SELECT listing_denial_appeal('m-1', 1, 'the colour is on the picture') AS appeal \gset
SELECT listing_appeal_decide('m-1', :appeal, 'overturned', 'x', 'ann', rules => '{colour,care}');
SELECT listing_appeal_decide('m-1', :appeal, 'overturned', 'x', 'ann', rules => '{colour}');
SELECT listing_appeal_decide('m-1', :appeal, 'upheld', 'x', 'ann', rules => '{colour}');
SELECT listing_appeal_decide('m-1', :appeal, 'partly', 'x', 'ann', rules => '{NULL}');
SELECT listing_appeal_decide('m-1', :appeal, 'partly', 'it is', 'model', true, rules => '{colour}') AS rows_freed;
SELECT rule, finding FROM listing_exception;
SELECT weighs('1');
-- what weighs instead is known from when the other was taken back: before, one of them counts
SELECT count(*) AS events, count(DISTINCT recorded_at) AS known_together FROM credit_event
WHERE ref = '1' AND event_id > (SELECT min(event_id) FROM credit_event WHERE ref = '1');
INSERT INTO p VALUES (4, 'm-1', NULL, NULL, NULL) RETURNING status;
SELECT outcome, rules FROM listing_appeal;
SELECT state, rules FROM listing_appeal_step ORDER BY step_id;
SELECT body -> 'rules' AS rules FROM ledger_entry WHERE kind = 'listing_appeal' ORDER BY entry_id;
SELECT regexp_matches(listing_denial_statement('m-1', 1), '“(colour|brand)”（(colour|brand)[^\n]*（经申诉，该项认定已撤销）', 'g');
SELECT regexp_matches(listing_denial_statement('m-1', 1, 'en'), '"(colour|brand)" [^\n]* \(overturned on appeal\)', 'g');
-- then by a person, all of it: what fell before is not let pass twice
SELECT listing_appeal_request_person('m-1', :appeal);
SELECT listing_appeal_decide('m-1', :appeal, 'overturned', 'no brand either', 'ann') AS rows_freed;
SELECT rule FROM listing_exception ORDER BY exception_id;
SELECT state, rules FROM listing_appeal_step WHERE rules IS NOT NULL ORDER BY step_id;
SELECT sum(bad) AS bad FROM credit_event WHERE ref = '1';
UPDATE p SET status = 'live', model = 'm' WHERE id = 4 RETURNING status;

-- a held listing: held on by what stands, free when nothing that holds it stands
SELECT listing_rule_add('colour', 'required', '{"fields": ["colour"]}', 'quarantine', 'colour', 'b', 'critical', effective => '2026-11-21');
INSERT INTO p VALUES (2, 'm-2', NULL, NULL, NULL, 'live', '2026-11-22'), (3, 'm-2', NULL, NULL, NULL, 'live', '2026-11-22');
SELECT listing_appeal_file(merchant_id, decision_id, 'x') AS first FROM listing_decision WHERE listing_id = '2' \gset
SELECT listing_appeal_file(merchant_id, decision_id, 'x') AS second FROM listing_decision WHERE listing_id = '3' \gset
SELECT listing_appeal_decide('m-2', :first, 'partly', 'it is', 'ann', status => 'live', rules => '{brand}') AS rows_freed;
SELECT status, weighs('2') FROM p WHERE id = 2;
SELECT listing_appeal_decide('m-2', :second, 'partly', 'it is', 'ann', status => 'live', rules => '{brand,colour}') AS rows_freed;
SELECT status FROM p WHERE id = 3;
SELECT bad, void FROM credit_event WHERE ref = '3' ORDER BY event_id;
-- what is left is released in review
SELECT listing_id FROM listing_queue;
SELECT listing_review_decide(merchant_id, decision_id, 'release', 'fine', 'live') FROM listing_queue;
SELECT status FROM p WHERE id = 2;
SELECT * FROM credit_check();
SELECT * FROM integrity_check();
DROP TABLE p;
DROP FUNCTION weighs;
DROP EXTENSION quality_gov;
