-- Rows that were there before the guard: audited in batches, taken up again, never found twice.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute wording', 'b', 'high', effective => '2026-01-01'),
       listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 'page field', 'b', effective => '2026-01-01'),
       listing_rule_add('colour', 'required', '{"fields": ["colour"]}', 'warn', 'say the colour', 'b', 'low', effective => '2026-06-01');
CREATE TYPE state AS ENUM ('live', 'held');
CREATE TABLE product (shop text, id int, title text, producer text, colour text, status state DEFAULT 'live', PRIMARY KEY (id, shop)) PARTITION BY LIST (shop);
CREATE TABLE product_1 PARTITION OF product FOR VALUES IN ('m-1');
INSERT INTO product SELECT 'm-1', g, CASE WHEN g % 10 = 0 THEN 'best cup' ELSE 'cup' END, CASE WHEN g % 5 > 0 THEN 'p' END, 'red' FROM generate_series(1, 100) g;
UPDATE product SET colour = NULL WHERE id = 7;

-- refused
CALL listing_audit('product');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "colour": "colour"}');
CALL listing_audit('product', hold => true);
CALL listing_audit('product', 0);
CALL listing_audit('product', NULL);
CALL listing_audit('product', at => 'infinity');
CREATE TABLE heap (id int, shop text, title text);
SELECT guard_listing('heap', '{"listing_id": "id", "merchant_id": "shop", "title": "title"}');
CALL listing_audit('heap');
SELECT listing_audit_row('product', ROW(1), NULL, false);
SELECT listing_audit_row(NULL, ROW(1), NULL, false);
SELECT listing_audit_row(1::regclass, ROW(1), NULL, false);
SELECT listing_audit_step(0, 10);
SELECT count(*) AS runs FROM listing_audit_run;

-- by the rules of May the colour was not asked for; nothing changes in the table
CALL listing_audit('product', 7, '2026-05-01');
SELECT relation, at, rows_done, listings_found, listings_held, last_key, finished_at IS NOT NULL AS finished FROM listing_audit_run;
SELECT operation, verdict, at, count(*) FROM listing_decision GROUP BY 1, 2, 3 ORDER BY 2;
SELECT listing ->> 'title' AS title, count(*) FROM listing_decision GROUP BY 1 ORDER BY 1;
SELECT count(*) AS held_by_mistake FROM listing_held;
SELECT count(*) AS events FROM credit_event;
-- once more finds the same and records nothing; as of today there is one more
CALL listing_audit('product', 1000, '2026-05-01');
SELECT count(*) AS decisions FROM listing_decision;
CALL listing_audit('product');
SELECT verdict, count(*) FROM listing_decision GROUP BY 1 ORDER BY 1;
SELECT listing_id, verdict FROM listing_decision ORDER BY decision_id DESC LIMIT 1;
SELECT body ->> 'listings_found' AS found, body ->> 'rows_done' AS done FROM ledger_entry WHERE kind = 'listing_audit' ORDER BY entry_id;

-- cut short and taken up: a step at a time, as a crash between two would leave it
SELECT listing_audit_begin('product', 30, '2026-04-01', false) AS run \gset
SELECT listing_audit_step(:run, 30) AS more;
SELECT rows_done, last_key, finished_at FROM listing_audit_run WHERE run_id = :run;
CALL listing_audit('product', 30, '2026-04-01');
SELECT rows_done, listings_found, finished_at IS NOT NULL AS finished FROM listing_audit_run WHERE run_id = :run;
SELECT listing_audit_begin('product', 30, '2026-04-01', false) > :run AS a_new_one;
-- inside a transaction it is all one
BEGIN;
CALL listing_audit('product', 10, '2026-03-01');
ROLLBACK;
SELECT count(*) AS runs FROM listing_audit_run WHERE at = '2026-03-01';

-- holding: what is to be held or denied gets the status, by an update that the guard lets pass and records
SELECT guard_remove('product');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "colour": "colour", "status": "status"}', held => 'held');
CALL listing_audit('product', 9, hold => true);
SELECT status, count(*) FROM product GROUP BY 1 ORDER BY 1;
SELECT rows_done, listings_found, listings_held FROM listing_audit_run ORDER BY run_id DESC LIMIT 1;
SELECT operation, verdict, count(*) FROM listing_decision GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS held FROM listing_held;
CALL listing_audit('product', 9, hold => true);
SELECT rows_done, listings_found, listings_held FROM listing_audit_run ORDER BY run_id DESC LIMIT 1;
-- a bad listing can be held by hand and cannot be released
UPDATE product SET status = 'live' WHERE id = 10;
UPDATE product SET status = 'held' WHERE id = 10 RETURNING status;
UPDATE product SET status = 'held', title = 'best pot' WHERE id = 10;

-- a column named as the alias is not the row; triggers of the platform find their tables
CREATE TABLE seen (id int);
CREATE TABLE odd (t seen, k int PRIMARY KEY, shop text, title text, status text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.k); RETURN NEW; END $$;
INSERT INTO odd VALUES (NULL, 1, 'm-1', 'cup', 'live'), (ROW(7), 2, 'm-1', 'best', 'live');
CREATE TRIGGER see BEFORE UPDATE ON odd FOR EACH ROW EXECUTE FUNCTION see();
SELECT guard_listing('odd', '{"listing_id": "k", "merchant_id": "shop", "title": "title", "producer": "title", "colour": "title", "status": "status"}', held => 'held');
CALL listing_audit('odd', hold => true);
SELECT k, status, s.id AS seen FROM odd LEFT JOIN seen s ON s.id = k ORDER BY k;
DROP TABLE odd, seen;
DROP FUNCTION see;

-- a row without a merchant is passed over, and said so
ALTER TABLE heap ADD PRIMARY KEY (id);
SET client_min_messages = error;
SET session_replication_role = replica;
INSERT INTO heap VALUES (1, NULL, 'best'), (2, 'm-1', 'best');
RESET session_replication_role;
SET client_min_messages = warning;
CALL listing_audit('heap', 1);
SELECT rows_done, listings_found FROM listing_audit_run ORDER BY run_id DESC LIMIT 1;

-- a role that may run it needs its own rights on the table
SELECT count(*) > 0 AS made FROM roles_create();
CREATE ROLE regress_auditor;
GRANT quality_gov_admin TO regress_auditor;
SET ROLE regress_auditor;
CALL listing_audit('product', 50);
RESET ROLE;
GRANT SELECT, UPDATE ON product TO regress_auditor;
SET ROLE regress_auditor;
CALL listing_audit('product', 50);
RESET ROLE;
SELECT rows_done, finished_at IS NOT NULL AS finished FROM listing_audit_run ORDER BY run_id DESC LIMIT 1;
SELECT * FROM integrity_check();
SELECT * FROM credit_check();
DROP TABLE product, heap;
DROP TYPE state;
DROP OWNED BY regress_auditor, quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
DROP ROLE regress_auditor, quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
DROP EXTENSION quality_gov;
