-- The queue of held listings: assignment, release that reaches the platform's table, confirmation.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SELECT count(*) AS roles FROM roles_create();
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'quarantine', 'wording', 'law', 'high', effective => '2026-01-01'),
       listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 'producer', 'law', effective => '2026-01-01'),
       listing_rule_add('trial', 'required', '{"fields": ["care"]}', 'shadow', 'on trial', 'policy', 'low', '{clothes}', effective => '2026-01-01');
CREATE TYPE state AS ENUM ('live', 'held');
CREATE TABLE product (id bigint PRIMARY KEY, shop varchar(20), title text, producer text, cat text, gtin text, "The Status" state DEFAULT 'live');
CREATE TABLE trail (id bigint, now_is state);
-- a trigger of the platform's own, which counts on the path that its roles have
CREATE FUNCTION trail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trail VALUES (NEW.id, NEW."The Status"); RETURN NULL; END $$;
CREATE TRIGGER trail AFTER UPDATE ON product FOR EACH ROW EXECUTE FUNCTION trail();
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "category": "cat",
  "gtin": "gtin", "status": "The Status"}', held => 'held');
INSERT INTO product VALUES (1, 'm-1', 'best tea', 'p', 'clothes'), (2, 'm-1', 'cup', NULL, NULL), (3, 'm-2', 'best pot', NULL, NULL), (4, 'm-2', 'pot', 'p', 'clothes'), (5, 'm-2', 'best jar', 'p', NULL);

-- the queue: oldest first, with what holds each, nothing that is on trial
SELECT merchant_id, decision_id, listing_id, age >= interval '0' AS aged, jsonb_path_query_array(findings, '$[*].rule') AS rules, reviewer, appeal_state FROM listing_queue;
-- assignment: the oldest, each once
SELECT decision_id, listing_id FROM listing_review_assign('ann', 2);
SELECT decision_id, listing_id FROM listing_review_assign('bob', 5);
SELECT count(*) FROM listing_review_assign('eve', 5);
SELECT decision_id, reviewer FROM listing_queue;
SELECT listing_review_return('m-2', 5);
SELECT decision_id FROM listing_review_assign('ann', 1);

-- release: the row is set free, the listing is held no more, the event is taken back, and all is on record
SELECT sum(bad) AS bad FROM credit_event WHERE ref = '1' GROUP BY ref;
SELECT listing_review_decide('m-1', 1, 'release', 'a brand, not a claim', 'live') AS rows_freed;
SELECT id, "The Status" FROM product ORDER BY id;
SELECT * FROM trail;
SELECT sum(bad) AS bad FROM credit_event WHERE ref = '1' GROUP BY ref;
SELECT listing_id FROM listing_held ORDER BY 1;
SELECT verdict FROM listing_decision WHERE listing_id = '1' ORDER BY decision_id;
-- it passes with what was found, and with nothing else
SELECT merchant_id, rule, listing_id, verdict, finding, owner, upper(effect) = lower(effect) + interval '1 year' AS a_year FROM listing_exception;
UPDATE product SET title = 'the best tea of all' WHERE id = 1 RETURNING "The Status";
UPDATE product SET title = 'the Ｂｅｓｔ tea of all' WHERE id = 1 RETURNING "The Status";
UPDATE product SET title = 'best tea', "The Status" = 'live' WHERE id = 1 RETURNING "The Status";
UPDATE product SET producer = NULL WHERE id = 1 RETURNING "The Status";
UPDATE product SET producer = 'p', "The Status" = 'live' WHERE id = 1 RETURNING "The Status";
-- confirmed: it stays held, and leaves the queue
SELECT listing_review_decide('m-1', 2, 'confirm', 'no producer indeed');
SELECT listing_id, reviewer FROM listing_queue;
SELECT merchant_id, decision_id, reviewer, outcome, reasons FROM listing_review ORDER BY decision_id;
SELECT subject, body - 'merchant_id' AS body FROM ledger_entry WHERE kind = 'listing_review' ORDER BY entry_id;
-- without a status the application sets it
SELECT listing_review_decide('m-2', 5, 'release', 'fine', reviewer => 'zoe', until => now() + interval '1 day');
SELECT upper(effect) = lower(effect) + interval '1 day' AS in_a_day, owner FROM listing_exception WHERE listing_id = '5';
UPDATE product SET "The Status" = 'live' WHERE id = 5 RETURNING "The Status";

-- refusals
SELECT listing_review_assign('', 1);
SELECT listing_review_assign('ann', 0);
SELECT listing_review_return('m-1', 1);
SELECT listing_review_decide('m-1', 1, 'release', 'again', 'live');
SELECT listing_review_decide('m-1', 99, 'confirm', 'x');
SELECT listing_review_decide('m-2', 4, 'confirm', 'x');
SELECT listing_review_decide('m-2', 3, 'forget', 'x');
SELECT listing_review_decide('m-2', 3, 'release', '  ');
SELECT listing_review_decide('m-2', 3, 'release', 'x', 'held');
SELECT listing_review_decide('m-2', 3, 'confirm', 'x', 'live');
SELECT listing_review_decide('m-2', 3, 'release', 'x', 'no such state');
\echo :LAST_ERROR_SQLSTATE
-- what no exception covers holds it still, and then nothing of the release stays
INSERT INTO product VALUES (6, 'm-2', 'best pan', 'p', NULL, '06901234567892');
SELECT recall_open('Pan', '[{"gtin": "06901234567892"}]', 'handle', 'Order 19', at => '2026-11-02') IS NOT NULL AS opened;
SELECT listing_review_decide('m-2', decision_id, 'release', 'x', 'live') FROM listing_queue WHERE listing_id = '6';
SELECT listing_id FROM listing_queue WHERE listing_id = '6';
DELETE FROM product WHERE id = 6;
SELECT listing_review_decide('m-2', decision_id, 'release', 'x', 'live') FROM listing_queue WHERE listing_id = '6';
SELECT guard_remove('product');
SELECT listing_review_decide('m-2', 3, 'release', 'x', 'live');

-- keys inside a jsonb column
CREATE TABLE folded (doc jsonb, status text);
SELECT guard_listing('folded', '{"listing_id": "doc->>''id''", "merchant_id": "doc->''shop''->>''id''", "title": "doc->>''title''", "producer": "doc->>''by''", "status": "status"}');
INSERT INTO folded VALUES ('{"id": 1, "shop": {"id": "m-1"}, "title": "best", "by": "p"}', 'live'), ('{"id": 1, "shop": {"id": "m-2"}, "title": "x", "by": "p"}', 'draft');
SELECT listing_review_decide(merchant_id, decision_id, 'release', 'fine', 'live') FROM listing_queue WHERE relation = 'public.folded';
SELECT status FROM folded ORDER BY doc -> 'shop';
DROP TABLE folded;
-- keys of a type of ours, whose operators no path of the caller finds
CREATE TABLE coded (id text PRIMARY KEY, shop uscc, t text, title text, status varchar(8));
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('9144030071526726XG', 'c', 'company', '9144030071526726XG', '2026-01-01');
SELECT guard_listing('coded', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "t", "status": "status"}', held => 'held');
INSERT INTO coded VALUES ('1', '9144030071526726XG', 'p', 'best', 'live'), ('2', '9144030071526726XG', 'p', 'best', 'live');
SELECT listing_review_decide(merchant_id, decision_id, 'release', 'fine', 'live') FROM listing_queue WHERE relation = 'public.coded' AND listing_id = '1';
SELECT id, status FROM coded ORDER BY id;
DROP TABLE coded;

-- the release runs with the rights of who decides
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "status": "The Status"}', held => 'held');
CREATE ROLE regress_admin; CREATE ROLE regress_shop; CREATE ROLE regress_reg;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_merchant TO regress_shop; GRANT quality_gov_regulator TO regress_reg;
SET ROLE regress_admin;
SELECT quality_gov.listing_review_decide('m-2', 3, 'release', 'x', 'live');
SELECT listing_id FROM quality_gov.listing_queue;
RESET ROLE;
GRANT SELECT, UPDATE ON product TO regress_admin;
GRANT INSERT ON trail TO regress_admin;
SET ROLE regress_admin;
SELECT quality_gov.listing_review_decide('m-2', 3, 'release', 'x', 'live');
SET ROLE regress_reg;
SELECT count(*) >= 0 AS reads FROM quality_gov.listing_queue;
SELECT quality_gov.listing_review_decide('m-2', 3, 'confirm', 'x');
SET ROLE regress_shop;
SELECT count(*) FROM quality_gov.listing_queue;
RESET ROLE;
-- a graver finding that an exception lets pass is no reason to hold, and the event is found to be taken back
SELECT listing_rule_add('by', 'expression', '{"expression": "$.producer == \"x\""}', 'quarantine', 'by x', 'law', 'critical', effective => '2026-01-01');
SELECT listing_exception_add('by', 'm-1', now() + interval '1 year', 'known', 'ops') IS NOT NULL AS excepted;
INSERT INTO product VALUES (7, 'm-1', 'best urn', 'x');
SELECT f.rule, f.verdict, f.severity FROM listing_finding f JOIN listing_decision d USING (merchant_id, decision_id) WHERE d.listing_id = '7' ORDER BY finding;
SELECT q.listing_id, jsonb_path_query_array(q.findings, '$[*].rule') AS rules, h.reasons FROM listing_queue q JOIN listing_held h USING (listing_id) WHERE listing_id = '7';
SELECT sum(bad) AS bad FROM credit_event WHERE ref = '7';
SELECT listing_review_decide('m-1', decision_id, 'release', 'fine', 'live') FROM listing_queue WHERE listing_id = '7';
SELECT sum(bad) AS bad FROM credit_event WHERE ref = '7';
SELECT * FROM integrity_check();
SELECT * FROM credit_check();
DROP TABLE product, trail;
DROP FUNCTION trail;
DROP TYPE state;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, regress_shop, regress_reg;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
