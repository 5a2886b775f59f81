-- Values inside jsonb columns, domains and generated columns as sources of a guard.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title", "spec"]}', 'deny', 'absolute wording', 'b', effective => '2026-01-01'),
       listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'warn', 'page field', 'b', effective => '2026-01-01');

-- the grammar: a column, and steps into it
SELECT source, (mapping_parse(source)).* FROM unnest(ARRAY['title', 'My Title', '"a->b"', '"a""b"->''k''', 'attrs->>''title''',
  'attrs -> ''spec'' ->> ''model''', 'attrs->''it''''s''->-1->>0', '"Attrs"->>''''', '宝贝->>''标题''', 'attrs->2147483647', 'attrs->-2147483648']) source;
SELECT mapping_parse('');
SELECT mapping_parse('attrs->>');
SELECT mapping_parse('attrs->>''title');
SELECT mapping_parse('"attrs');
SELECT mapping_parse('attrs->>''title''->''x''');
SELECT mapping_parse('attrs->title');
SELECT mapping_parse('宝贝->''标题'' || ''x''');
SELECT mapping_parse('->>''title''');
SELECT mapping_parse('attrs->99999999999');
SELECT mapping_parse('attrs->2147483648');
SELECT mapping_parse('attrs->''a'') FROM pg_authid --');
SELECT mapping_parse('"attrs" x');
SELECT mapping_parse('a' || repeat('->1', 33));

CREATE DOMAIN name_text AS varchar(80) CHECK (VALUE <> 'x');
CREATE DOMAIN doc AS jsonb;
CREATE TABLE product (id int PRIMARY KEY, shop name_text, attrs doc, plain json, status text DEFAULT 'live',
  upper_title text GENERATED ALWAYS AS (upper(shop) || (attrs ->> 'title')) STORED);
-- refused, with what to do
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "attrs->>title"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "atrs->>''title''"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "plain->>''title''"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "shop->>''title''"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "upper_title"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "attrs"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "shop", "at": "attrs->>''at''"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "shop", "status": "attrs->>''status''"}');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "shop", "relation": "shop"}');

SELECT guard_listing('product', '{"listing_id": "attrs->''ids''->>0", "merchant_id": "shop", "title": "attrs->>''title''", "spec": "attrs->''spec''",
  "producer": "attrs->''page''->>''producer''", "status": "\"status\""}', 'quarantine');
SELECT mapping ->> 'title' AS title FROM guard;
SELECT status, subject, detail FROM doctor() WHERE check_name = 'guards';
INSERT INTO product VALUES (1, 'm-1', '{"ids": ["A1", "A0"], "title": "cup", "page": {"producer": "p"}}'),
  (2, 'm-1', '{"ids": ["A2"], "title": "the best cup", "page": {"producer": "p"}}'),
  (3, 'm-1', '{"ids": ["A3"], "title": "cup", "spec": {"note": ["best"]}, "page": {"producer": "p"}}');
-- absent, null, of another shape, of another type, empty, and the whole column null: all are missing
INSERT INTO product SELECT 10 + n, 'm-1', doc::jsonb FROM unnest(ARRAY['{"ids": ["B1"]}', '{"ids": ["B2"], "page": {"producer": null}}', '{"ids": ["B3"], "page": ["producer"]}',
  '{"ids": ["B4"], "page": {"producer": {"producer": "p"}}}', '{"ids": ["B5"], "page": {"producer": ""}}', '{"ids": ["B6"], "spec": null, "page": {"producer": 7}}', NULL])
  WITH ORDINALITY x(doc, n);
SELECT d.listing_id, d.verdict, f.rule, f.field, f.detail ->> 'matched' AS matched, d.listing FROM listing_decision d JOIN listing_finding f USING (merchant_id, decision_id) ORDER BY 1, 3;
SELECT id, status FROM product WHERE status <> 'live' ORDER BY id;

-- an update of the column is judged, one beside it is not, one that changes nothing found is not decided again
SELECT count(*) AS before FROM listing_decision \gset
UPDATE product SET plain = '{}';
UPDATE product SET attrs = attrs || '{"other": 1}' WHERE id = 12;
SELECT count(*) - :before AS decided FROM listing_decision;
UPDATE product SET attrs = jsonb_set(attrs, '{page}', '{"producer": "p"}') WHERE id = 12;
SELECT operation, verdict FROM listing_decision ORDER BY decision_id DESC LIMIT 1;
-- the values that were judged are kept, a long one by its length and digest
INSERT INTO product VALUES (20, 'm-1', jsonb_build_object('ids', '["C1"]'::jsonb, 'title', repeat('好', 30000)));
SELECT listing #> '{title,bytes}' AS bytes, listing #>> '{title,sha256}' = encode(sha256(convert_to(repeat('好', 30000), 'UTF8')), 'hex') AS digest,
       listing - 'title' AS rest FROM listing_decision WHERE listing_id = 'C1';

-- a column that is jsonb no more
ALTER TABLE product DROP COLUMN upper_title;
ALTER TABLE product ALTER attrs TYPE text;
INSERT INTO product (id, shop, attrs) VALUES (30, 'm-1', 'x');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE product;

-- the other triggers take such a mapping too
CREATE TABLE event (id int, doc jsonb);
SELECT credit_attach('event', '{"merchant_id": "doc->''shop''->>''id''"}', 'complaint'), guard_order('event', '{"merchant_id": "doc->''shop''->>''id''"}');
INSERT INTO event VALUES (1, '{"shop": {"id": "m-1"}}');
SELECT merchant_id FROM credit_event WHERE indicator = 'complaint';
DROP TABLE event;
DROP DOMAIN name_text, doc;
DROP EXTENSION quality_gov;
