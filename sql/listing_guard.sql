-- The guard on a platform's own table: refused, held, recorded, released; and only then.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{国家级,best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute wording', '广告法 art 9(3)', 'high', effective => '2026-01-01'),
       listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 'page field', 'Order 110 art 8', effective => '2026-12-01'),
       listing_rule_add('colour', 'required', '{"fields": ["colour"]}', 'warn', 'say the colour', 'policy', 'low', '{clothes}', effective => '2026-01-01'),
       listing_rule_add('trial', 'required', '{"fields": ["care"]}', 'shadow', 'on trial', 'policy', 'low', '{clothes}', effective => '2026-01-01');
CREATE TYPE state AS ENUM ('live', 'held');
CREATE TABLE product (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop text, title varchar(100), producer text, colour text, cat text,
                      care text, price numeric, status state DEFAULT 'live', listed timestamptz DEFAULT '2026-11-20');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "colour": "colour",
  "care": "care", "category": "cat", "status": "status", "at": "listed"}', held => 'held');

-- refused, with every finding as JSON in the detail; the row is not there
INSERT INTO product (shop, title, cat) VALUES ('m-1', 'Ｂｅｓｔ 国-家-级', 'clothes');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM product;
-- clean rows leave no trace; findings do
INSERT INTO product (shop, title, producer) VALUES ('m-1', 'tea', 'p'), ('m-1', 'cup', NULL);
SELECT count(*) AS decisions FROM listing_decision;
INSERT INTO product (shop, title, cat) VALUES ('m-1', 'shirt', 'clothes') RETURNING id, status;
INSERT INTO product (shop, title, listed) VALUES ('m-1', 'pot', '2026-12-02') RETURNING id, status;
SELECT listing_id, category, operation, at, verdict, guard_mode FROM listing_decision ORDER BY decision_id;
SELECT d.listing_id, f.rule, f.version, f.verdict, f.severity, f.field, f.message FROM listing_finding f JOIN listing_decision d USING (decision_id) ORDER BY d.decision_id, finding;
SELECT ref, indicator, at, bad FROM credit_event ORDER BY event_id;
SELECT listing_id, since, reasons FROM listing_held;

-- an update that touches nothing mapped is not judged; one that changes nothing found is not decided again
UPDATE product SET price = 1;
UPDATE product SET title = 'teapot' WHERE title = 'pot';
UPDATE product SET status = 'live' WHERE title = 'teapot' RETURNING status;
SELECT count(*) AS decisions FROM listing_decision;
-- put right: a pass is on record and the listing is held no more
UPDATE product SET producer = 'P', status = 'live' WHERE title = 'teapot' RETURNING status;
SELECT operation, verdict FROM listing_decision WHERE listing_id = (SELECT id::text FROM product WHERE title = 'teapot') ORDER BY decision_id;
SELECT count(*) AS held FROM listing_held;
UPDATE product SET title = 'best teapot' WHERE title = 'teapot';
\echo :LAST_ERROR_SQLSTATE
-- the decision replays: listing_check on what was stored gives what was found
SELECT count(*) AS differ FROM listing_decision d JOIN product p ON p.id::text = d.listing_id
WHERE d.operation = 'INSERT' AND d.category IS NOT NULL AND (SELECT jsonb_agg(f.rule ORDER BY f.finding) FROM listing_finding f WHERE f.decision_id = d.decision_id)
  IS DISTINCT FROM (SELECT jsonb_agg(c.rule) FROM listing_check(jsonb_build_object('merchant_id', p.shop, 'title', p.title, 'category', p.cat), d.at) c);

-- every way in: COPY, INSERT ... SELECT, ON CONFLICT, MERGE, a trigger that changes the title after the guard
COPY product (shop, title, producer) FROM STDIN;
m-1	best cup	p
\.
\echo :LAST_ERROR_SQLSTATE
INSERT INTO product (shop, title, producer) SELECT 'm-1', t, 'p' FROM unnest('{ok,best}'::text[]) t;
INSERT INTO product OVERRIDING SYSTEM VALUE SELECT id, shop, 'best', producer FROM product ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title;
MERGE INTO product p USING (VALUES ('tea')) v(x) ON p.title = v.x WHEN MATCHED THEN UPDATE SET title = 'the best';
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := 'best ' || NEW.title; RETURN NEW; END $$;
CREATE TRIGGER zz_spoil BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION spoil();
INSERT INTO product (shop, title, producer) VALUES ('m-1', 'jar', 'p');
DROP TRIGGER zz_spoil ON product;
DROP FUNCTION spoil;
SELECT count(*) FILTER (WHERE title LIKE '%best%') AS slipped_in FROM product;
-- ON CONFLICT DO NOTHING of a row that is not stored leaves no decision
SELECT count(*) AS before FROM listing_decision \gset
INSERT INTO product (id, shop, title, cat) OVERRIDING SYSTEM VALUE VALUES ((SELECT min(id) FROM product), 'm-1', 'sock', 'clothes') ON CONFLICT DO NOTHING;
SELECT count(*) - :before AS decisions FROM listing_decision;

-- a deny that holds instead; the incident switch; retirement keeps what the law keeps
SELECT guard_remove('product');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "status": "status", "at": "listed"}', 'quarantine', 'held');
INSERT INTO product (shop, title) VALUES ('m-1', 'best hat') RETURNING status;
SELECT verdict FROM listing_decision ORDER BY decision_id DESC LIMIT 1;
SET quality_gov.guard_mode = shadow;
INSERT INTO product (shop, title) VALUES ('m-1', 'best cap') RETURNING status;
SELECT verdict, guard_mode FROM listing_decision ORDER BY decision_id DESC LIMIT 1;
SET quality_gov.guard_mode = off;
INSERT INTO product (shop, title) VALUES ('m-1', 'best wig') RETURNING status;
RESET quality_gov.guard_mode;
SELECT subject, body ->> 'guard_mode' AS mode FROM ledger_entry WHERE kind = 'guard_mode' ORDER BY entry_id;
INSERT INTO product (shop, title) VALUES (NULL, 'hat');
\set VERBOSITY sqlstate
SELECT listing_retire(now());
\set VERBOSITY default
SELECT listing_retire();
DELETE FROM listing_decision;
\echo :LAST_ERROR_SQLSTATE
SELECT day, rule, category, verdict, count FROM listing_overview ORDER BY 1, 2, 4;
DROP TABLE product;
DROP TYPE state;
DROP EXTENSION quality_gov;
