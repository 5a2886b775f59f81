-- A marketplace with tables of its own, as any platform has them, and the guards attached to them.

ALTER DATABASE demo SET timezone = 'Asia/Shanghai';
SET timezone = 'Asia/Shanghai';
CREATE EXTENSION quality_gov;
SELECT count(*) AS roles FROM quality_gov.roles_create() \gset

CREATE SCHEMA shop;
CREATE TABLE shop.account (
  shop_id text PRIMARY KEY,
  name text NOT NULL,
  opened_at timestamptz NOT NULL
);
CREATE TABLE shop.product (
  id bigint PRIMARY KEY,
  shop_id text NOT NULL,
  title text NOT NULL,
  descr text,
  category text NOT NULL,
  gtin text,
  lot text,
  producer text,
  certificate text,
  price numeric(10, 2),
  status text NOT NULL DEFAULT 'on_sale',
  listed_at timestamptz NOT NULL,
  attrs jsonb
);
CREATE TABLE shop.orders (
  id bigint PRIMARY KEY,
  product_id bigint NOT NULL,
  shop_id text NOT NULL,
  category text,
  gtin text,
  lot text,
  amount numeric(10, 2),
  ordered_at timestamptz NOT NULL,
  late boolean NOT NULL DEFAULT false
);
CREATE TABLE shop.complaint (
  id bigint PRIMARY KEY,
  order_id bigint NOT NULL,
  shop_id text NOT NULL,
  filed_at timestamptz NOT NULL
);
-- The guards. "at" names the column with the instant to judge as of; without it that is now().
SELECT quality_gov.guard_listing('shop.product',
  '{"listing_id": "id", "merchant_id": "shop_id", "title": "title", "description": "descr",
    "category": "category", "gtin": "gtin", "lot": "lot", "producer": "producer",
    "certificate": "certificate", "status": "status", "at": "listed_at",
    "producer_address": "attrs->>''address''", "model": "attrs->>''model''", "standard": "attrs->>''standard''",
    "product_type": "attrs->>''type''", "list_price": "attrs->>''was''"}', held => 'held') AS done \gset
SELECT quality_gov.guard_order('shop.orders',
  '{"order_id": "id", "merchant_id": "shop_id", "category": "category", "gtin": "gtin", "lot": "lot",
    "at": "ordered_at"}') AS done \gset

-- An order is one good event of both indicators, a late one a bad event of fulfilment; a complaint is a
-- bad event. recorded_at is the row's own time here, so that scores of past instants count it.
SELECT quality_gov.credit_attach('shop.orders',
  '{"merchant_id": "shop_id", "at": "ordered_at", "recorded_at": "ordered_at", "ref": "id"}',
  'complaint', good => 1, bad => 0) AS done \gset
SELECT quality_gov.credit_attach('shop.orders',
  '{"merchant_id": "shop_id", "at": "ordered_at", "recorded_at": "ordered_at", "ref": "id", "bad": "late"}',
  'fulfilment', good => 1) AS done \gset
SELECT quality_gov.credit_attach('shop.complaint',
  '{"merchant_id": "shop_id", "at": "filed_at", "recorded_at": "filed_at", "ref": "order_id"}',
  'complaint') AS done \gset

-- The platform's application: rights on its own tables, none on quality_gov's.
DO $$
BEGIN
  IF to_regrole('demo_platform') IS NULL THEN
    CREATE ROLE demo_platform NOLOGIN;
  END IF;
END
$$;
GRANT USAGE ON SCHEMA shop TO demo_platform;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA shop TO demo_platform;
