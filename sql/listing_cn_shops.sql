-- The rule set cn on three usual shapes of a shop's tables, as the README maps them.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
INSERT INTO product_certificate (kind, number, product_type, valid_from, valid_until, source) VALUES ('ccc', 'C-1', '电热水壶', '2025-01-01', '2029-12-31', 'test');
INSERT INTO product_certificate_state VALUES ('ccc', 'C-1', '2025-01-01 00:00+08', 'valid', NULL, 'test');
SELECT regime_assign('ccc', '{kettles}');

-- 1. one flat table
CREATE TABLE product (
  id bigint PRIMARY KEY, shop_id text NOT NULL, title text NOT NULL, detail text, category text, producer text, producer_address text,
  model text, standard_no text, warning text, barcode text, ccc_no text, product_type text, list_price numeric, list_price_note text,
  status text DEFAULT 'live', listed_at timestamptz);
SELECT guard_listing('product', '{
  "listing_id": "id", "merchant_id": "shop_id", "title": "title", "description": "detail", "category": "category",
  "producer": "producer", "producer_address": "producer_address", "model": "model", "standard": "standard_no",
  "warning": "warning", "gtin": "barcode", "certificate": "ccc_no", "product_type": "product_type",
  "list_price": "list_price", "list_price_meaning": "list_price_note", "status": "status", "at": "listed_at"}');
SELECT rule, needs FROM ruleset_enable('cn', effective => '2026-11-01 00:00+08') WHERE needs IS NOT NULL ORDER BY rule;
-- good; refused for its words; refused and, from December, for its certificate; held for its page
INSERT INTO product VALUES (1, 'm-1', '电热水壶', '好用', 'kettles', '厂', '址', 'K', 'GB 4706.19', '烫', '6901234567892', 'C-1', '电热水壶', NULL, NULL, 'live', '2026-12-01') RETURNING status;
INSERT INTO product (id, shop_id, title, category, listed_at) VALUES (2, 'm-1', '国家级好茶', 'tea', '2026-11-20');
INSERT INTO product (id, shop_id, title, category, listed_at) VALUES (3, 'm-1', '电热水壶', 'kettles', '2026-11-30 23:59:59.999+08') RETURNING status;
INSERT INTO product (id, shop_id, title, category, listed_at) VALUES (4, 'm-1', '电热水壶', 'kettles', '2026-12-01 00:00+08');
INSERT INTO product (id, shop_id, title, category, ccc_no, product_type, listed_at) VALUES (5, 'm-1', '电热水壶', 'kettles', 'C-1', '电热水壶', '2026-12-01 00:00+08') RETURNING status;
SELECT relation, listing_id, d.verdict, string_agg(DISTINCT f.rule, ' ' ORDER BY f.rule) AS rules
FROM listing_decision d JOIN listing_finding f USING (merchant_id, decision_id) GROUP BY 1, 2, 3 ORDER BY 1, 2;

-- 2. a name and a bag of attributes
CREATE TABLE goods (goods_id uuid PRIMARY KEY, vendor text, cat text, attrs jsonb, state text DEFAULT 'on', created timestamptz);
SELECT guard_listing('goods', $${
  "listing_id": "goods_id", "merchant_id": "vendor", "category": "cat", "title": "attrs->>'title'",
  "description": "attrs->>'desc'", "producer": "attrs->'maker'->>'name'", "producer_address": "attrs->'maker'->>'address'",
  "model": "attrs->>'model'", "standard": "attrs->>'standard'", "warning": "attrs->>'warning'", "gtin": "attrs->>'gtin'",
  "certificate": "attrs->'ccc'->>'number'", "product_type": "attrs->'ccc'->>'type'", "status": "state", "at": "created"}$$, held => 'held');
INSERT INTO goods VALUES ('00000000-0000-0000-0000-000000000001', 'm-1', 'kettles', '{"title": "电热水壶", "maker": {"name": "厂", "address": "址"}, "model": "K", "standard": "GB 4706.19",
  "warning": "烫", "gtin": "6901234567892", "ccc": {"number": "C-1", "type": "电热水壶"}}', 'on', '2026-12-01') RETURNING state;
INSERT INTO goods VALUES ('00000000-0000-0000-0000-000000000002', 'm-1', 'tea', '{"title": "最 佳 好茶"}', 'on', '2026-12-01');
INSERT INTO goods VALUES ('00000000-0000-0000-0000-000000000003', 'm-1', 'kettles', '{"title": "电热水壶", "ccc": {"number": "C-1", "type": "电热水壶"}}', 'on', '2026-12-01') RETURNING state;

-- 3. a SKU row with a title in two languages; the rules read what their "fields" name, so the second language gets a rule of its own
CREATE TABLE sku (sku_code text PRIMARY KEY, seller_id bigint, spu_category text, title_zh varchar(200), title_en varchar(200), brand_name text,
  ean char(13), held boolean DEFAULT false, first_shown timestamptz);
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('17', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT guard_listing('sku', '{
  "listing_id": "sku_code", "merchant_id": "seller_id", "category": "spu_category", "title": "title_zh", "title_en": "title_en",
  "brand": "brand_name", "gtin": "ean", "status": "held", "at": "first_shown"}', held => 'true');
INSERT INTO brand (brand, owner) VALUES ('Nike', 'Nike Inc');
SELECT listing_rule_add('brands', 'brand', '{"fields": ["title", "title_en", "brand"]}', 'quarantine', 'protected brand', '商标法', effective => '2026-11-01');
INSERT INTO sku VALUES ('S-1', 17, 'shoes', '跑鞋', 'Running shoes', NULL, NULL, false, '2026-12-01') RETURNING held;
INSERT INTO sku VALUES ('S-2', 17, 'shoes', '跑鞋', 'N1ke shoes', NULL, NULL, false, '2026-12-01') RETURNING held;
INSERT INTO sku VALUES ('S-3', 17, 'shoes', '最佳跑鞋', 'shoes', NULL, NULL, false, '2026-12-01');
SELECT relation, kind, enabled FROM guard ORDER BY relation::text;
DROP TABLE product, goods, sku;
DROP EXTENSION quality_gov;
