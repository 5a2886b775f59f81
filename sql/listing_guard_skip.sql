-- Denied rows passed over; partitions named in the statement; holding by hand.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute wording', 'b', effective => '2026-01-01'),
       listing_rule_add('colour', 'required', '{"fields": ["colour"]}', 'warn', 'say the colour', 'b', effective => '2026-01-01');
CREATE TABLE product (id int PRIMARY KEY, shop text DEFAULT 'm-1', title text, colour text, status text DEFAULT 'live');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "colour": "colour", "status": "status"}', on_deny => 'skip');

-- the statement goes on without the denied rows
INSERT INTO product VALUES (1, 'm-1', 'cup', 'red'), (2, 'm-1', 'best cup', 'red'), (3, 'm-1', 'pot', NULL), (4, 'nobody', 'cup', 'red') RETURNING id;
COPY product (id, title, colour) FROM STDIN;
5	best	red
6	cup	red
\.
UPDATE product SET title = CASE WHEN id = 1 THEN 'best ' ELSE 'nice ' END || title RETURNING id, title;
INSERT INTO product VALUES (1, 'm-1', 'best', 'red'), (6, 'm-1', 'mug', NULL) ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, colour = EXCLUDED.colour RETURNING id, title;
MERGE INTO product p USING (VALUES (1, 'the best'), (7, 'best'), (8, 'jar')) v(id, title) ON p.id = v.id
  WHEN MATCHED THEN UPDATE SET title = v.title WHEN NOT MATCHED THEN INSERT (id, title, colour) VALUES (v.id, v.title, 'red');
SELECT * FROM product ORDER BY id;
SELECT listing_id, operation, verdict FROM listing_decision ORDER BY decision_id;
-- what a later trigger spoils can no longer be passed over
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := 'best ' || NEW.title; RETURN NEW; END $$;
CREATE TRIGGER zzz_spoil BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION spoil();
INSERT INTO product VALUES (9, 'm-1', 'cup', 'red');
DROP TRIGGER zzz_spoil ON product;
-- the incident switch passes nothing over
SET quality_gov.guard_mode = shadow;
INSERT INTO product VALUES (10, 'm-1', 'best', 'red') RETURNING id;
RESET quality_gov.guard_mode;
-- a row that is there can be held, whatever is wrong with it, and nothing else
UPDATE product SET status = 'quarantined' WHERE id = 10 RETURNING status;
UPDATE product SET status = 'live' WHERE id = 10 RETURNING status;
SELECT operation, verdict FROM listing_decision WHERE listing_id = '10' ORDER BY decision_id;
SELECT listing_id FROM listing_held;

-- not where a skipped row would be lost on its way from one partition to another
CREATE TABLE part (id int, shop text DEFAULT 'm-1', title text, colour text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200);
INSERT INTO part VALUES (10, 'm-1', 'best before there was a guard', 'red');
SELECT guard_listing('part', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "colour": "colour"}', 'skip');
SELECT guard_listing('part_1', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "colour": "colour"}', 'skip');
ALTER TABLE part DETACH PARTITION part_2;
SELECT guard_listing('part_2', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "colour": "colour"}', 'skip');
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES FROM (100) TO (200);
UPDATE part SET id = 110 WHERE id = 10;
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM part;
SELECT guard_remove('part_2');

-- a partition named in the statement is guarded, and decisions are there at once and go by the table's name
SELECT guard_listing('part', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "colour": "colour"}');
INSERT INTO part_1 VALUES (20, 'm-1', 'best', 'red');
INSERT INTO part_1 VALUES (21, 'm-1', 'cup', NULL), (22, 'm-1', 'cup', 'red');
INSERT INTO part VALUES (23, 'm-1', 'cup', NULL), (123, 'm-1', 'cup', NULL), (124, 'm-1', 'cup', 'red');
UPDATE part SET id = id + 100 WHERE id = 21;
UPDATE part_1 SET colour = 'red' WHERE id = 23;
COPY part_2 (id, title) FROM STDIN;
130	cup
\.
SELECT relation, listing_id, operation, verdict FROM listing_decision WHERE relation = 'public.part' ORDER BY decision_id;
SELECT relation, kind, enabled, triggers FROM guard ORDER BY relation;

-- a guard that fails and was told to let rows pass does so, and goes on judging what it can
CREATE TABLE lax (id int, shop text DEFAULT 'm-1', title text, colour text);
SELECT guard_listing('lax', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "colour": "colour"}', on_failure => 'allow');
INSERT INTO lax VALUES (1, 'm-1', 'cup', NULL);
ALTER TABLE lax RENAME title TO name;
INSERT INTO lax VALUES (2, 'm-1', 'best', 'red'), (3, 'm-1', 'cup', NULL);
SELECT count(*) AS stored FROM lax;
SELECT DISTINCT subject, body ->> 'sqlstate' AS sqlstate FROM ledger_entry WHERE kind = 'guard_failed';
ALTER TABLE lax RENAME name TO title;
INSERT INTO lax VALUES (4, 'm-1', 'best', 'red');
SELECT listing_id FROM listing_decision WHERE relation = 'public.lax';
SELECT * FROM integrity_check();
-- a status column that is gone holds nothing, and nothing is stored as if it were held
CREATE TABLE kept (id int, shop text DEFAULT 'm-1', title text, status text);
SELECT guard_listing('kept', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "status": "status"}', 'quarantine', 'held');
INSERT INTO kept (id, title) VALUES (1, 'best') RETURNING status;
ALTER TABLE kept RENAME status TO state;
INSERT INTO kept (id, title) VALUES (2, 'best');
\echo :LAST_ERROR_SQLSTATE

DROP TABLE product, part, lax, kept;
DROP FUNCTION spoil;
DROP EXTENSION quality_gov;
