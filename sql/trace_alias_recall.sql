-- A GTIN that is corrected in the middle of a recall: whoever is asked answers as before.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT supplier_record('{"supplier_id": "s-1", "name": "Farm"}');
SELECT lot_record('6901234567892', 'A1', 'Mill', 'm-1', '2026-01-01', '2026-12-31', 100, NULL, 's-1') AS milk,
       lot_record('614141123452', 'F1', 'Dairy', 'm-1', '2026-01-05', '2026-06-30', 50) AS cheese \gset
SELECT lot_use(:milk, :cheese, 40, '2026-01-05'), lot_item_add(:cheese, '{s01,s02,s03,s04}');
-- more of A1 is gone than was made; two merchants have an order o1
SELECT sale_record('[{"merchant_id": "m-1", "order_id": "o1", "gtin": "614141123452", "lot": "F1", "quantity": 20, "buyer": "b1", "at": "2026-02-01", "state": "delivered"},
  {"merchant_id": "m-1", "order_id": "o2", "gtin": "614141123452", "serial": "s01", "buyer": "b2", "at": "2026-02-01", "state": "delivered"},
  {"merchant_id": "m-2", "order_id": "o3", "gtin": "614141123452", "lot": "F1", "quantity": 5, "buyer": "b3", "at": "2026-02-02", "state": "open"},
  {"merchant_id": "m-2", "order_id": "o4", "gtin": "614141123452", "quantity": 2, "buyer": "b4", "at": "2026-02-02", "state": "shipped"},
  {"merchant_id": "m-2", "order_id": "o5", "gtin": "614141123452", "lot": "F1", "quantity": 4, "buyer": "b5", "at": "2026-07-02", "state": "returned"},
  {"merchant_id": "m-1", "order_id": "o6", "gtin": "6901234567892", "lot": "A1", "quantity": 70, "buyer": "b6", "at": "2026-02-02", "state": "delivered"}]');
SELECT lot_move(:cheese, 'sold', 20, '2026-02-01', 'm-1', order_id => 'o1') > 0 AS told_twice, lot_move(:cheese, 'sold', 6, '2026-02-01', 'm-2', order_id => 'o1') > 0 AS another;
SELECT recall_open('Milk', '[{"ingredient": {"gtin": "6901234567892", "lot": "A1"}}]', 'bacteria', 'Order 122', 'food', 1, 'voluntary', merchant_id => 'm-1', at => '2026-03-01') AS r,
       recall_notice_generate(1, '2026-03-01 01:00') AS notices \gset
CREATE TABLE answer (part text, said jsonb, at integer);
CREATE FUNCTION ask(milk bigint, r bigint, n integer) RETURNS void LANGUAGE sql BEGIN ATOMIC
  INSERT INTO answer
  SELECT 'goods', to_jsonb(g) - 'gtin', n FROM recall_goods(r, '2026-08-01') g
  UNION ALL SELECT 'progress', to_jsonb(p) - 'gtin', n FROM recall_progress(r, '2026-08-01') p
  UNION ALL SELECT 'orders', to_jsonb(o) - 'gtin', n FROM recall_orders(r, '2026-08-01') o
  UNION ALL SELECT 'buyers', to_jsonb(b), n FROM recall_buyers(r, '2026-08-01') b
  UNION ALL SELECT 'balance', to_jsonb(b), n FROM lot_balance b
  UNION ALL SELECT 'trace_check', to_jsonb(c), n FROM trace_check() c
  UNION ALL SELECT 'trace_check one', to_jsonb(c), n FROM lot l CROSS JOIN LATERAL trace_check(l.lot_id) c
  UNION ALL SELECT 'progress_check', to_jsonb(c) - 'gtin', n FROM recall_progress_check(r) c
  UNION ALL SELECT 'scope_check', to_jsonb(c), n FROM recall_scope_check() c
  UNION ALL SELECT 'scope_stale', to_jsonb(c), n FROM recall_scope_stale() c
  UNION ALL SELECT 'drill', to_jsonb(d) - 'elapsed_ms', n FROM recall_drill(milk, '2026-08-01') d
  UNION ALL SELECT 'supplier', to_jsonb(s) - 'gtin', n FROM supplier_recall s
  UNION ALL SELECT 'recipient', to_jsonb(w), n FROM recall_notice_recipient(r, '2026-08-01') w;
END;
SELECT ask(:milk, :r, 1);
SELECT said ->> 'lot_id' AS lot, said ->> 'basis' AS basis, said ->> 'made' AS made, said ->> 'sold' AS sold, said ->> 'restocked' AS restocked, said ->> 'in_stock' AS in_stock
FROM answer WHERE part = 'progress' ORDER BY 1, 2;
SELECT said ->> 'lot_id' AS lot, said ->> 'sold' AS sold, said ->> 'returned' AS returned FROM answer WHERE part = 'balance' ORDER BY 1;
SELECT said ->> 'lot' AS lot, said ->> 'problem' AS problem, said ->> 'detail' AS detail FROM answer WHERE part = 'trace_check' ORDER BY 1, 2;
SELECT said ->> 'problem' AS problem, said ->> 'detail' AS detail FROM answer WHERE part = 'progress_check' ORDER BY 1, 2;
SELECT said ->> 'order_id' AS ord, said ->> 'match' AS match FROM answer WHERE part = 'orders' ORDER BY 1;

SELECT gtin_alias_add('614141123452', '73513537', 'misread'), gtin_alias_add('6901234567892', '4006381333931', 'misread');
SELECT ask(:milk, :r, 2);
SELECT part, said FROM answer WHERE at = 1 EXCEPT SELECT part, said FROM answer WHERE at = 2;
SELECT part, said FROM answer WHERE at = 2 EXCEPT SELECT part, said FROM answer WHERE at = 1;
SELECT count(DISTINCT part) AS parts FROM answer WHERE at = 2;

-- a unit is dealt with once, under whatever number, and known to be of its lot
SELECT recall_response_add(:r, 'returned', 1, 'm-1', 'o2', at => '2026-03-05'), recall_response_add(:r, 'returned', 1, gtin => '614141123452', serial => 's03', at => '2026-03-06');
SELECT recall_response_add(:r, 'returned', 1, gtin => '73513537', serial => 's03', at => '2026-03-06');
SELECT recall_response_add(:r, 'returned', 1, gtin => '73513537', serial => 's01', at => '2026-03-06');
SELECT serial, lot_code, made_on FROM recall_response ORDER BY 1;
SELECT lot_id = :cheese AS cheese, returned, outstanding, held FROM recall_progress(:r, '2026-08-01') WHERE lot_code = 'F1';
-- shelf life is known as long as the lots are
SELECT recall_open('Cheese', '[{"gtin": "614141123452", "lot": "F1"}]', 'mould', 'Order 122', 'food', 3, at => '2026-03-01') AS c \gset
SELECT recall_advance(:c, 'dismissed', '2026-03-02');
SELECT until FROM recall_keep_until(:c);
DROP TABLE answer CASCADE;
DROP EXTENSION quality_gov;
