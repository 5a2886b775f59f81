-- Attaching to tables: what is refused and why, and what the DBA sees.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
CREATE SCHEMA shop;
SET search_path = public, quality_gov;
CREATE TABLE shop.orders (id int, shop_id text, gtin text, tags text[], price numeric,
                          ordered date, gone int, double int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE shop.orders DROP COLUMN gone;
CREATE VIEW shop.order_view AS SELECT * FROM shop.orders;
CREATE MATERIALIZED VIEW shop.order_copy AS SELECT * FROM shop.orders;
CREATE FOREIGN DATA WRAPPER qg_regress_fdw;
CREATE SERVER qg_regress_server FOREIGN DATA WRAPPER qg_regress_fdw;
CREATE FOREIGN TABLE shop.order_far (id int, shop_id text) SERVER qg_regress_server;

-- the relation
SELECT guard_order(NULL, '{"merchant_id": "shop_id"}');
SELECT guard_order('shop.nothing', '{"merchant_id": "shop_id"}');
SELECT guard_order('shop.order_view', '{"merchant_id": "shop_id"}');
SELECT guard_order('shop.order_copy', '{"merchant_id": "shop_id"}');
SELECT guard_order('shop.order_far', '{"merchant_id": "shop_id"}');
SELECT guard_order('quality_gov.merchant', '{"merchant_id": "merchant_id"}');
SELECT guard_order('pg_catalog.pg_class', '{"merchant_id": "relname"}');

-- the mapping
SELECT guard_order('shop.orders', NULL);
SELECT guard_order('shop.orders', '[]');
SELECT guard_order('shop.orders', '{}');
SELECT guard_order('shop.orders', '{"gtin": "gtin"}');
SELECT guard_order('shop.orders', '{"merchant_id": 1}');
SELECT guard_order('shop.orders', '{"merchant_id": "shop"}');
SELECT guard_order('shop.orders', '{"merchant_id": "gone"}');
SELECT guard_order('shop.orders', '{"merchant_id": "ctid"}');
SELECT guard_order('shop.orders', '{"merchant_id": "tags"}');
SELECT guard_order('shop.orders', '{"merchant_id": "double"}');
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id", "at": "ordered"}');
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id", "gtin": "price"}');
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id", "colour": "price"}');
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id"}', 'ignore');
SELECT guard_listing('shop.orders', '{"listing_id": "id", "merchant_id": "shop_id", "title": "price"}');
SELECT guard_listing('shop.orders', '{"listing_id": "id", "merchant_id": "shop_id", "title": "gtin"}', 'quarantine');
SELECT guard_listing('shop.orders', '{"listing_id": "id", "merchant_id": "shop_id", "title": "gtin", "status": "price"}');
SELECT guard_listing('shop.orders', '{"listing_id": "id", "merchant_id": "shop_id", "title": "gtin"}', 'explode');
SELECT credit_attach('shop.orders', '{"merchant_id": "shop_id"}', 'beauty');
SELECT credit_attach('shop.orders', '{"merchant_id": "shop_id"}', NULL);
SELECT credit_attach('shop.orders', '{"merchant_id": "shop_id", "bad": "shop_id"}', 'complaint');
SELECT credit_attach('shop.orders', '{"merchant_id": "shop_id"}', 'complaint', 'NaN');
SELECT count(*) AS attached FROM guard;

-- what is attached shows, twice is refused, and it can be removed
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id", "gtin": "gtin"}');
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id"}');
\echo :LAST_ERROR_SQLSTATE
SELECT relation, kind, mapping, options, enabled FROM guard;
SELECT status, subject, detail, hint FROM doctor() WHERE check_name = 'guards';
ALTER TABLE shop.orders DISABLE TRIGGER quality_gov_order_row;
SELECT status, subject, detail, hint FROM doctor() WHERE check_name = 'guards';
ALTER TABLE shop.orders ENABLE TRIGGER quality_gov_order_row;
ALTER TABLE shop.orders RENAME gtin TO code;
SELECT status, subject, detail FROM doctor() WHERE check_name = 'guards';
SELECT guard_remove('shop.orders', 'listing');
SELECT guard_remove('shop.orders', 'order');
SELECT guard_remove('shop.orders');

-- a guard that fails itself refuses the row, or lets it pass and leaves a record
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id", "gtin": "code"}');
ALTER TABLE shop.orders RENAME code TO gtin;
INSERT INTO shop.orders (id, shop_id) VALUES (1, 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT guard_remove('shop.orders');
SELECT guard_order('shop.orders', '{"merchant_id": "shop_id", "gtin": "gtin"}', 'allow');
ALTER TABLE shop.orders RENAME gtin TO code;
INSERT INTO shop.orders (id, shop_id) VALUES (1, 'm');
SELECT kind, subject, body FROM ledger_entry;

-- triggers called as what they are not
SELECT append_only();
CREATE TRIGGER wrong BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION guard_order_row();
INSERT INTO shop.orders (id, shop_id) VALUES (2, 'm');
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER wrong ON shop.orders;
CREATE TRIGGER wrong AFTER INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION guard_order_row('order');
INSERT INTO shop.orders (id, shop_id) VALUES (2, 'm');
DROP EXTENSION quality_gov CASCADE;
DROP SCHEMA shop CASCADE;
DROP FOREIGN DATA WRAPPER qg_regress_fdw CASCADE;
