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
