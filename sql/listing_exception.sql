-- Exceptions: findings of a merchant or a listing are lowered until a day, and stay.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01'),
  listing_rule_add('words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute', 'b', effective => '2026-01-01'),
  listing_rule_add('brand', 'required', '{"fields": ["brand"]}', 'quarantine', 'brand', 'b', effective => '2026-01-01');
CREATE FUNCTION judged(merchant text, listing text, at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s %s%s', rule, verdict, ' by ' || (detail #>> '{exception,reason}')), '; ')
  FROM quality_gov.listing_check(jsonb_build_object('merchant_id', merchant, 'listing_id', listing, 'title', 'best tea', 'gtin', '6901234567892'), at) $$;

SELECT listing_exception_add('words', 'm-1', '2026-12-01', 'trade mark "Best"', 'legal', effective => '2026-11-01'),
       listing_exception_add('brand', 'm-1', '2026-12-01', 'no-name goods', 'goods team', 'warn', 'l-1', '2026-11-01');
-- over its period, for its listing, for its merchant
SELECT t, judged('m-1', 'l-1', t), judged('m-1', 'l-2', t), judged('m-2', 'l-1', t), judged('m-1', NULL, t)
FROM unnest('{"2026-10-31 23:59:59+08",2026-11-01,"2026-11-30 23:59:59+08",2026-12-01}'::timestamptz[]) t;
-- the finding says what lowered it, beside what the rule said
SELECT rule, verdict, detail FROM listing_check('{"merchant_id": "m-1", "listing_id": "l-1", "title": "best"}', '2026-11-20');
SELECT rule, outcome, verdict FROM listing_explain('{"merchant_id": "m-1", "listing_id": "l-1", "title": "best"}', '2026-11-20') WHERE version > 0;
-- every rule; of two the milder counts; what is no rule's knows no exception
SELECT recall_open('Tea', '[{"gtin": "6901234567892"}]', 'mould', 'Order 19', at => '2026-11-02') IS NOT NULL AS opened;
SELECT listing_exception_add('*', 'm-2', '2026-12-01', 'pilot', 'legal', 'shadow', effective => '2026-11-01');
SELECT judged('m-2', 'l-1', '2026-11-20');
SELECT listing_exception_add('words', 'm-2', '2026-12-01', 'milder', 'legal', effective => '2026-11-01'),
       listing_exception_add('brand', 'm-2', '2026-12-01', 'graver', 'legal', 'warn', effective => '2026-11-01');
SELECT judged('m-2', 'l-1', '2026-11-20');
-- never graver than the rule itself
SELECT listing_rule_add('soft', 'required', '{"fields": ["care"]}', 'shadow', 'care', 'b', effective => '2026-01-01'),
       listing_exception_add('soft', 'm-1', '2026-12-01', 'not graver', 'legal', 'warn', effective => '2026-11-01');
SELECT rule, verdict FROM listing_check('{"merchant_id": "m-1", "title": "x", "brand": "y"}', '2026-11-20');
-- ended before its time; what was, stays
SELECT listing_exception_end('m-1', (SELECT min(exception_id) FROM listing_exception), '2026-11-15');
SELECT judged('m-1', 'l-2', '2026-11-14'), judged('m-1', 'l-2', '2026-11-15');
SELECT body - 'exception_id' FROM ledger_entry WHERE kind = 'listing_exception' ORDER BY entry_id LIMIT 1;
SELECT body - 'exception_id' FROM ledger_entry WHERE kind = 'listing_exception' ORDER BY entry_id DESC LIMIT 1;
SELECT exception_id IS NOT NULL AS id, rule, effect, created_by = session_user AS by_me FROM listing_exception WHERE merchant_id = 'm-1' AND rule = 'words';
-- a guard lets pass what an exception covers, and counts it
CREATE TABLE product (id text PRIMARY KEY, shop text, title text, at timestamptz);
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "at": "at"}');
SELECT listing_rule_retire('brand', '2026-11-18');
INSERT INTO product VALUES ('l-9', 'm-2', 'best', '2026-11-20');
SELECT count(*) AS stored FROM product;
\set VERBOSITY terse
INSERT INTO product VALUES ('l-9', 'm-1', 'best', '2026-11-20');

-- bad input
SELECT listing_exception_add('words', 'm-1', NULL, 'r', 'o', effective => '2026-11-01');
SELECT listing_exception_add('words', 'm-1', 'infinity', 'r', 'o', effective => '2026-11-01');
SELECT listing_exception_add('words', 'm-1', '2026-11-01', 'r', 'o', effective => '2026-11-01');
SELECT listing_exception_add('words', 'nobody', '2100-01-01', 'r', 'o');
SELECT listing_exception_add('none', 'm-1', '2100-01-01', 'r', 'o');
SELECT listing_exception_add('recall', 'm-1', '2100-01-01', 'r', 'o');
SELECT listing_exception_add('words', 'm-1', '2100-01-01', 'r', 'o', 'deny');
SELECT listing_exception_add('words', 'm-1', '2100-01-01', '', 'o');
SELECT listing_exception_add('words', 'm-1', '2100-01-01', 'r', NULL);
SELECT listing_exception_end('m-1', 0);
UPDATE listing_exception SET reason = 'other';
UPDATE listing_exception SET effect = '[2026-11-01,2027-12-01)' WHERE rule = 'brand';
DELETE FROM listing_exception;
TRUNCATE listing_exception;
DROP TABLE product;
DROP FUNCTION judged;
DROP EXTENSION quality_gov;
