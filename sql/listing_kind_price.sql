-- Rule kinds price, with the deals it reads, and signal.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION asked(kind text, params jsonb, listing jsonb, at timestamptz) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT concat_ws('' | '', outcome, field, message) FROM quality_gov.rule_%s($1, $2, $3)', kind) USING params, listing, at;
END $$;
INSERT INTO listing_deal (merchant_id, item, at, price) VALUES
  ('m-1', 'a', '2026-03-01 12:00+08', 50), ('m-1', 'a', '2026-03-05 12:00+08', 80), ('m-1', 'a', '2026-03-06 12:00+08', 90),
  ('m-2', 'a', '2026-03-06 12:00+08', 10), ('m-1', 'b', '2026-03-06 12:00+08', 20);
-- no compared price, one whose meaning is stated, at and above the lowest deal
SELECT l, asked('price', '{}', '{"merchant_id": "m-1", "listing_id": "a"}' || l, '2026-03-10 12:00+08')
FROM unnest(ARRAY['{}', '{"list_price": " "}', '{"list_price": "999", "list_price_meaning": "厂商建议零售价"}', '{"list_price": "80.00"}', '{"list_price": "80.01"}', '{"list_price": "8e1"}',
  '{"list_price": "￥80"}', '{"list_price": "NaN"}']::jsonb[]) l;
-- a deal exactly seven days old counts, one a moment older only while no other is nearer; the deal's own instant is not before
SELECT t, b.* FROM unnest('{"2026-03-08 12:00+08","2026-03-08 12:00:00.001+08","2026-03-12 12:00:00.001+08","2026-03-13 12:00:00.001+08","2026-03-01 12:00+08","2026-03-01 12:00:00.001+08"}'::timestamptz[]) t, deal_bound('m-1', 'a', t) b;
SELECT asked('price', '{}', '{"merchant_id": "m-1", "listing_id": "a", "list_price": "91"}', '2026-09-01');
-- a dash states no meaning
SELECT asked('price', '{}', '{"merchant_id": "m-1", "listing_id": "a", "list_price": "91", "list_price_meaning": "-"}', '2026-09-01');
-- no deal ever; another shop's or another item's is none; no identifier
SELECT asked('price', '{}', l, '2026-03-10') FROM unnest(ARRAY['{"merchant_id": "m-3", "listing_id": "a", "list_price": "1"}', '{"merchant_id": "m-1", "listing_id": "c", "list_price": "1"}', '{"merchant_id": "m-1", "list_price": "1"}']::jsonb[]) l;
-- the figure of seven days is law from 2022-07-01 on
INSERT INTO listing_deal (merchant_id, item, at, price) VALUES ('m-9', 'a', '2022-06-30 00:00+08', 5);
SELECT t, price FROM unnest('{"2022-06-30 23:59:59.999+08","2022-07-01 00:00+08"}'::timestamptz[]) t, deal_bound('m-9', 'a', t);
SELECT p, rule_price_params_valid(p) FROM unnest(ARRAY['{}', '{"compared": "was"}', '{"compared": 1}', '{"days": 7}', '"x"']::jsonb[]) p;

-- deals from the platform's orders: when written, or when done; what changes later is not followed
CREATE TABLE orders (id bigint PRIMARY KEY, shop text, product bigint, price numeric(10,2), paid boolean, at timestamptz);
SELECT deal_attach('orders', '{"merchant_id": "shop", "item": "product", "price": "price", "at": "at", "ref": "id", "done": "paid"}');
INSERT INTO orders VALUES (1, 'm-4', 7, 9.90, true, '2026-03-01'), (2, 'm-4', 7, 8.00, false, '2026-03-02'), (3, 'm-4', 7, NULL, true, '2026-03-02'), (4, 'm-4', 7, 7, NULL, '2026-03-02');
UPDATE orders SET paid = true WHERE id = 2;
UPDATE orders SET price = 1 WHERE id = 1;
UPDATE orders SET paid = false WHERE id = 2;
SELECT item, at, price, ref FROM listing_deal WHERE merchant_id = 'm-4' ORDER BY deal_id;
SELECT relation, kind FROM guard;
SELECT guard_remove('orders', 'deal');
SELECT deal_attach('orders', '{"merchant_id": "shop", "item": "product", "price": "price"}');
INSERT INTO orders VALUES (5, 'm-5', 7, 3, NULL, NULL);
UPDATE orders SET price = 2 WHERE id = 5;
SELECT price, ref IS NULL AS no_ref FROM listing_deal WHERE merchant_id = 'm-5';
\set VERBOSITY terse
SELECT deal_attach('orders', '{"merchant_id": "shop", "item": "product", "price": "price"}');
SELECT deal_attach('orders', '{"merchant_id": "shop", "item": "product"}');
SELECT deal_attach('orders', '{"merchant_id": "shop", "item": "product", "price": "shop"}');
SELECT deal_attach('orders', '{"merchant_id": "shop", "item": "product", "price": "price", "colour": "shop"}');
INSERT INTO orders VALUES (6, 'm-5', 7, -1, NULL, NULL);
SELECT count(*) FROM listing_deal WHERE price < 0;
UPDATE listing_deal SET price = 1;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM listing_deal;
-- what is older than three years goes, but the last of each item, which bounds prices still
INSERT INTO listing_deal (merchant_id, item, at, price) VALUES ('m-8', 'a', '2020-01-01', 1), ('m-8', 'a', '2020-01-02', 2), ('m-8', 'b', '2020-01-01', 3), ('m-8', 'b', '2026-01-01', 4);
SELECT deal_retire('2021-01-01');
SELECT item, at, price FROM listing_deal WHERE merchant_id = 'm-8' ORDER BY 1, 2;
\set VERBOSITY sqlstate
SELECT deal_retire(now());
\set VERBOSITY terse
DROP TABLE orders;

-- signal: a score at the threshold, either side, what is no score, no denial unless said
\set model '{"field": "risk", "model": "m", "version": "3", "threshold": 0.9}'
SELECT l, asked('signal', :'model', l, now()) FROM unnest(ARRAY['{"risk": "0.899"}', '{"risk": "0.9"}', '{"risk": " 9.5e-1 "}', '{"risk": "NaN"}', '{"risk": "high"}', '{"risk": "1e999"}', '{"risk": ""}', '{}']::jsonb[]) l;
SELECT l, asked('signal', :'model' || '{"above": false}'::jsonb, l, now()) FROM unnest(ARRAY['{"risk": "0.9"}', '{"risk": "0.91"}']::jsonb[]) l;
SELECT detail FROM rule_signal(:'model', '{"risk": "0.95"}', now());
SELECT p, rule_signal_params_valid(p) FROM unnest(ARRAY[:'model', '{"field": "f", "model": "m", "version": 3, "threshold": 1}', '{"field": "f", "model": "m", "version": "3"}', '{"field": "f", "model": "m", "version": "3", "threshold": "1"}']::jsonb[]) p;
SELECT listing_rule_add('risk', 'signal', :'model', 'deny', 't', 'b');
SELECT listing_rule_add('risk', 'signal', :'model', 'quarantine', 't', 'b', on_missing => 'deny');
SELECT listing_rule_add('risk', 'signal', :'model', 'quarantine', 't', 'b');
SELECT listing_rule_add('risk2', 'signal', :'model' || '{"may_deny": true}'::jsonb, 'deny', 't', 'b');
DROP FUNCTION asked;
DROP EXTENSION quality_gov;
