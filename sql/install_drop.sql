-- Installing where it must be refused, and dropping without a trace.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;

-- a schema planted beforehand
CREATE SCHEMA quality_gov;
CREATE EXTENSION quality_gov;
\echo :LAST_ERROR_SQLSTATE
DROP SCHEMA quality_gov;

-- a database of another encoding
CREATE DATABASE qg_regress_latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
\c qg_regress_latin1
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
\echo :LAST_ERROR_SQLSTATE
\c qg_regress
SET client_min_messages = warning;
DROP DATABASE qg_regress_latin1;

-- SQL objects of another version than the library's, in a new session
CREATE EXTENSION quality_gov;
UPDATE pg_extension SET extversion = '0.0' WHERE extname = 'quality_gov';
\c qg_regress
SET client_min_messages = warning;
\set VERBOSITY sqlstate
SELECT quality_gov.name_key('Acme');
SELECT quality_gov.name_key('Acme');
\set VERBOSITY default
UPDATE pg_extension SET extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'quality_gov')
WHERE extname = 'quality_gov';
\c qg_regress
SET client_min_messages = warning;
SELECT quality_gov.name_key('ＡＣＭＥ 贸易（上海）有限公司');

-- DROP EXTENSION takes its triggers along and leaves the platform's tables usable
CREATE SCHEMA shop;
CREATE TABLE shop.product (id int PRIMARY KEY, shop_id text, title text, status text);
CREATE TABLE shop.orders (id int PRIMARY KEY, shop_id text);
CREATE TABLE shop.complaint (id int PRIMARY KEY, shop_id text);
SELECT quality_gov.guard_listing('shop.product', '{"listing_id": "id", "merchant_id": "shop_id", "title": "title", "status": "status"}');
SELECT quality_gov.guard_order('shop.orders', '{"merchant_id": "shop_id"}');
SELECT quality_gov.credit_attach('shop.complaint', '{"merchant_id": "shop_id"}', 'complaint');
INSERT INTO shop.product VALUES (1, 'nobody', 'a title', 'new');
\echo :LAST_ERROR_SQLSTATE
DROP EXTENSION quality_gov;
SELECT count(*) AS triggers_left FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'shop.%';
INSERT INTO shop.product VALUES (1, 'nobody', 'a title', 'new');
INSERT INTO shop.orders VALUES (1, 'nobody');
INSERT INTO shop.complaint VALUES (1, 'nobody');
SELECT to_regnamespace('quality_gov') IS NULL AS schema_gone;

-- and it can be installed again in the same session
CREATE EXTENSION quality_gov;
SELECT count(*) FROM quality_gov.guard;
DROP EXTENSION quality_gov;
DROP SCHEMA shop CASCADE;

-- one session goes on through DROP and CREATE: plans, caches and mappings follow the new objects
CREATE FUNCTION public.round() RETURNS text LANGUAGE plpgsql AS $round$
DECLARE
  step text;
  result text;
BEGIN
  FOREACH step IN ARRAY ARRAY[
    'CREATE EXTENSION quality_gov',
    $$INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01')$$,
    $$SELECT quality_gov.lexicon_load('ads', '{best}'), quality_gov.lexicon_publish('ads', effective => '2026-01-01')$$,
    $$SELECT quality_gov.listing_rule_add('claims', 'claim', '{"lexicon": "ads", "fields": ["title"]}', 'quarantine', 't', 'b', effective => '2026-01-01'),
             quality_gov.listing_rule_add('price', 'price', '{}', 'warn', 't', 'b', effective => '2026-01-01'),
             quality_gov.listing_rule_add('page', 'page', '{"fields": ["origin"], "regime": "ccc"}', 'warn', 't', 'b', effective => '2026-01-01')$$,
    $$SELECT quality_gov.regime_assign('ccc', '{food}')$$,
    'CREATE TABLE public.ware (id int, shop text, title text, cat text, list_price text, status text)',
    'CREATE TABLE public.deal (shop text, item text, price numeric)',
    $$SELECT quality_gov.guard_listing('public.ware', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "category": "cat", "list_price": "list_price", "status": "status"}')$$,
    $$SELECT quality_gov.deal_attach('public.deal', '{"merchant_id": "shop", "item": "item", "price": "price"}')$$,
    $$INSERT INTO public.deal VALUES ('m-1', '1', 5)$$,
    $$INSERT INTO public.ware VALUES (1, 'm-1', 'best', 'food', '9', 'live'), (2, 'm-1', 'cup', NULL, NULL, 'live')$$] LOOP
    EXECUTE step;
  END LOOP;
  EXECUTE $$SELECT (SELECT string_agg(status, ' ' ORDER BY id) FROM public.ware) || ': '
                   || string_agg(f.rule, ' ' ORDER BY d.listing_id, f.finding) || ', ' || (SELECT count(*) FROM quality_gov.listing_deal) || ' deal'
            FROM quality_gov.listing_finding f JOIN quality_gov.listing_decision d USING (merchant_id, decision_id)$$ INTO result;
  DROP TABLE public.ware, public.deal;
  DROP EXTENSION quality_gov;
  RETURN result;
END
$round$;
SELECT public.round();
SELECT public.round();
DROP FUNCTION public.round();
