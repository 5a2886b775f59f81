-- Counting a recall: figures worked out by hand, what responses and disposals change, and what is refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
INSERT INTO supplier (supplier_id, name) SELECT 's-' || g, 'Supplier ' || g FROM generate_series(1, 9) g;
INSERT INTO lot (gtin, lot_code, producer, merchant_id, made_on, quantity, unit, supplier_id) VALUES
  ('6901234567892', 'A1', 'Huashan', 'm-1', '2026-09-01', 100, NULL, NULL), ('6901234567892', 'A2', 'Huashan', 'm-1', '2026-09-02', 50, NULL, NULL),
  ('6901234567892', 'A3', 'Huashan', 'm-1', '2026-09-03', 5, NULL, NULL), ('6901234567892', 'A9', 'Huashan', 'm-1', '2026-09-09', 9, NULL, NULL),
  ('4006381333931', 'S1', 'Steelworks', NULL, '2026-08-01', 40, 'KGM', 's-1');
SELECT lot_find('6901234567892', 'A1') AS a1, lot_find('6901234567892', 'A2') AS a2, lot_find('4006381333931', 'S1') AS s1 \gset
INSERT INTO lot_link (parent, child, quantity, at) VALUES (:s1, :a1, 30, '2026-08-30'), (:s1, :a2, NULL, '2026-08-31');
INSERT INTO lot_event (lot_id, kind, at, quantity, order_id) VALUES (:a1, 'sold', '2026-09-12', 20, NULL), (:a1, 'destroyed', '2026-09-13', 2, NULL),
  (:a1, 'counted', '2026-10-01', 60, NULL), (:a1, 'sold', '2026-09-10', 10, 'O-1'), (:a1, 'returned', '2026-09-22', 6, 'O-4');
INSERT INTO sale (merchant_id, order_id, line, gtin, lot_code, quantity, buyer, sold_at, shipped_at, state, changed_at, product) VALUES
  ('m-1', 'O-1', '1', '6901234567892', 'A1', 10, 'b-1', '2026-09-10', '2026-09-11', 'shipped', '2026-09-11', 'kettle'),
  ('m-1', 'O-2', '', '6901234567892', 'A1', 5, 'b-2', '2026-09-11', '2026-09-12', 'delivered', '2026-09-14', 'kettle'),
  ('m-1', 'O-3', '', '6901234567892', 'A1', 4, 'b-3', '2026-09-12', NULL, 'open', '2026-09-12', 'kettle'),
  ('m-1', 'O-4', '', '6901234567892', 'A1', 6, 'b-4', '2026-09-13', '2026-09-14', 'returned', '2026-09-22', 'kettle'),
  ('m-1', 'O-5', '', '6901234567892', 'A1', 3, 'b-5', '2026-09-14', NULL, 'cancelled', '2026-09-15', 'kettle'),
  ('m-2', 'O-6', '', '6901234567892', 'A1', 7, 'b-1', '2026-10-04', '2026-10-05', 'shipped', '2026-10-05', 'kettle'),
  ('m-1', 'O-7', '', '6901234567892', 'A2', 8, NULL, '2026-10-04', '2026-10-05', 'shipped', '2026-10-05', 'kettle'),
  ('m-1', 'O-8', '', '6901234567892', NULL, 2, 'b-6', '2026-10-04', '2026-10-05', 'shipped', '2026-10-05', 'kettle'),
  ('m-1', 'O-9', '', '6901234567892', 'A9', 1, 'b-9', '2026-10-04', '2026-10-05', 'shipped', '2026-10-05', 'kettle');
SELECT recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "A1"}, {"gtin": "6901234567892", "lot": "A2"}, {"gtin": "4006381333931", "lot": "S1"}]',
  'shock', 'Order 19', merchant_id => 'm-1', state => 'voluntary', at => '2026-10-10') AS kettle \gset

-- A1: 100 = 53 in stock (60 counted, 7 shipped since) + 42 shipped (10 + 5 + 7 and 20 without order) + 2 destroyed + 3 nobody can tell
SELECT lot_code, unit, basis, made, in_stock, in_stock_basis AS by, used, uses_unknown AS unk, sold, open, shipped, restocked AS restk,
  destroyed_in_stock AS destr, unaccounted AS unacc, outstanding AS outst FROM recall_progress(:kettle, '2026-10-10');
-- before the count, and before anything
SELECT lot_code, made, in_stock, in_stock_basis AS by, sold, open, shipped, unaccounted FROM recall_progress(:kettle, '2026-09-30') WHERE lot_code = 'A1';
SELECT lot_code, made, in_stock, used, sold, outstanding FROM recall_progress(:kettle, '2026-01-01');

-- what buyers did
SELECT count(*) FROM (VALUES ('returned', 4, 'm-1', 'O-1', '1'), ('repaired', 2, 'm-1', 'O-1', '1'), ('exchanged', 1, 'm-1', 'O-2', NULL), ('destroyed', 1, 'm-1', 'O-2', ''),
  ('refunded', 2, 'm-2', 'O-6', ''), ('confirmed', 3, 'm-1', 'O-2', ''), ('warned', 1, 'm-1', 'O-8', '')) r(k, q, m, o, l),
  recall_response_add(:kettle, k, q, m, o, l, at => '2026-10-12');
SELECT recall_response_add(:kettle, 'returned', 5, gtin => '6901234567892', lot_code => 'A1', at => '2026-10-13', returner => 'shop 4') > 0 AS without_order;
SELECT recall_disposal_add(:kettle, '6901234567892', 'A1', 'returned', 'shredded', 6, 'Hangzhou', '2026-10-20', '{pic/1,pic/2}') > 0 AS disposed,
       recall_disposal_add(:kettle, '6901234567892', 'A1', 'stock', 'shredded', 13, 'Hangzhou', '2026-10-21') > 0 AS stock;
SELECT lot_code, made, in_stock, shipped, warned AS warn, repaired AS rep, exchanged AS exch, returned AS ret, refunded AS refd, destroyed_by_buyers AS destb, outstanding AS outst,
  destroyed_in_stock AS desti, destroyed AS destr, disposed AS disp, held, unaccounted AS unacc, confirmed AS conf FROM recall_progress(:kettle, '2026-11-01');
SELECT unit, made_known AS known, lots, made, in_stock, used, sold, open, shipped, destroyed_in_stock AS desti, unaccounted AS unacc, returned, outstanding AS outst, held FROM recall_progress_total(:kettle, '2026-11-01');
SELECT kind, quantity, order_id, product, made_on, producer, returner FROM recall_response WHERE kind IN ('returned', 'exchanged') ORDER BY response_id;
SELECT kind, quantity, place, note FROM lot_event_standing WHERE kind = 'destroyed' ORDER BY at;
-- neither order line nor lot is changed by what buyers do; nothing but confirmations without notice contradicts
SELECT state, quantity FROM sale WHERE order_id = 'O-1';
SELECT recall = :kettle AS here, lot_code, problem, detail FROM recall_progress_check(:kettle);
-- taken back
SELECT recall_response_void(:kettle, response_id, 'typing error', '2026-10-14') > response_id AS voided FROM recall_response WHERE kind = 'returned' AND order_id = 'O-1';
SELECT recall_disposal_void(:kettle, disposal_id, 'the wrong lot', '2026-10-22') > disposal_id AS voided FROM recall_disposal WHERE origin = 'stock';
SELECT lot_code, in_stock, returned, outstanding, destroyed_in_stock, disposed, held FROM recall_progress(:kettle, '2026-11-01') WHERE lot_code = 'A1';

-- what is refused
SELECT recall_response_add(:kettle, 'returned', 9, 'm-1', 'O-1', '1', at => '2026-10-15');
SELECT recall_response_add(:kettle, 'confirmed', 3, 'm-1', 'O-2', at => '2026-10-15');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1', 'O-1', at => '2026-10-15');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1', 'O-99', '1', at => '2026-10-15');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1', 'O-5', at => '2026-10-15');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1', 'O-9', at => '2026-10-15');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1', 'O-1', '1', lot_code => 'A2', at => '2026-10-15');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1', 'O-1', '1', at => '2026-09-01');
SELECT recall_response_add(:kettle, 'lost', 1, 'm-1', 'O-1', '1');
SELECT recall_response_add(:kettle, 'returned', q, 'm-1', 'O-1', '1') FROM (VALUES (0), (NULL)) v(q);
SELECT recall_response_add(:kettle, 'returned', 'NaN', 'm-1', 'O-1', '1');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1', 'O-1', '1', at => 'infinity');
SELECT recall_response_add(:kettle, 'returned', 1, 'm-1');
SELECT recall_response_add(:kettle, 'returned', 1);
SELECT recall_response_add(999, 'returned', 1, 'm-1', 'O-1', '1');
SELECT recall_response_void(:kettle, 1, 'again', '2026-10-15');
SELECT recall_response_void(:kettle, 2, 'too early', '2026-10-11');
SELECT recall_response_void(:kettle, 2, ' ');
SELECT recall_response_void(:kettle, 999, 'x', '2026-10-15');
SELECT recall_disposal_add(:kettle, '6901234567892', 'A1', 'returned', 'burnt', 6, 'x', '2026-10-19');
SELECT recall_disposal_add(:kettle, '6901234567892', 'A1', 'returned', 'burnt', 1, 'x', '2026-11-01');
SELECT recall_disposal_add(:kettle, '6901234567892', 'A2', 'stock', 'burnt', 43, 'x', '2026-11-01');
SELECT recall_disposal_add(:kettle, '6901234567892', 'A9', 'stock', 'burnt', 1, 'x', '2026-11-01');
SELECT recall_disposal_add(:kettle, '6901234567892', 'A1', 'elsewhere', 'burnt', 1, 'x', '2026-11-01');
SELECT recall_disposal_void(:kettle, 2, 'again', '2026-10-23');
SELECT * FROM recall_progress(999);
SELECT * FROM recall_progress(:kettle, NULL);
UPDATE recall_response SET quantity = 1;
DELETE FROM recall_disposal;
SELECT * FROM integrity_check();
DROP EXTENSION quality_gov;
