-- What is counted: whole GTINs, serial numbers, days made, corrected GTINs, lots known from orders alone, several recalls of one lot.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO gtin_alias VALUES ('73513537', '6901234567892', 'misprint');
INSERT INTO lot (gtin, lot_code, producer, made_on, quantity) VALUES ('6901234567892', 'A1', 'p', '2026-09-01', 4), ('6901234567892', 'A2', 'p', '2026-09-05', 10),
  ('6901234567892', 'A3', 'p', NULL, 10), ('73513537', 'B1', 'p', '2026-09-02', 20), ('4006381333931', 'C1', 'p', '2026-09-02', 20);
INSERT INTO lot_item SELECT '6901234567892', 's-' || g, lot_find('6901234567892', 'A1') FROM generate_series(6, 9) g;
INSERT INTO lot_item SELECT '6901234567892', 's-' || g, lot_find('6901234567892', 'A2') FROM generate_series(10, 19) g;
INSERT INTO sale (merchant_id, order_id, line, gtin, lot_code, serial, quantity, buyer, sold_at, state) VALUES
  ('m-1', 'O-1', '1', '6901234567892', NULL, 's-8', 1, 'b-1', '2026-09-10', 'shipped'), ('m-1', 'O-1', '2', '6901234567892', NULL, 's-12', 1, 'b-1', '2026-09-10', 'shipped'),
  ('m-1', 'O-2', '', '6901234567892', 'A2', NULL, 2, 'b-2', '2026-09-10', 'shipped'), ('m-1', 'O-3', '', '73513537', 'A3', NULL, 3, 'b-3', '2026-09-10', 'shipped'),
  ('m-1', 'O-4', '', '73513537', 'B1', NULL, 4, 'b-4', '2026-09-10', 'shipped'), ('m-1', 'O-5', '', '6901234567892', 'X9', NULL, 5, 'b-5', '2026-09-10', 'shipped'),
  ('m-1', 'O-6', '', '6901234567892', NULL, NULL, 6, 'b-6', '2026-09-10', 'shipped'), ('m-1', 'O-7', '', '6901234567892', NULL, 's-77', 1, 'b-7', '2026-09-10', 'shipped'),
  ('m-1', 'O-8', '', '4006381333931', 'C1', NULL, 7, 'b-8', '2026-09-10', 'shipped'), ('m-1', 'O-9', '', '6901234567892', 'A1', 's-7', 1, 'b-9', '2026-11-10', 'shipped');
INSERT INTO lot_event (lot_id, kind, at, quantity, order_id) VALUES (lot_find('6901234567892', 'A3'), 'sold', '2026-09-11', 3, 'O-3'), (lot_find('6901234567892', 'A3'), 'sold', '2026-09-11', 6, 'O-6');
CREATE FUNCTION figures(recall bigint) RETURNS TABLE (gtin text, lot_code text, basis text, made numeric, in_stock numeric, by text, sold numeric, unaccounted numeric) LANGUAGE sql AS
  $$ SELECT gtin::text, lot_code, basis, made, in_stock, in_stock_basis, sold, unaccounted FROM quality_gov.recall_progress(recall, '2026-10-31') $$;
CREATE FUNCTION recall_of(scope text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r bigint := quality_gov.recall_open('r', '[{"gtin": "614141123452"}]', 'r', 'b', at => '2026-10-01');
BEGIN
  EXECUTE format('INSERT INTO quality_gov.recall_scope (recall_id, revision, gtin, lot_code, serial_from, serial_to, made) SELECT %s, 2, * FROM (VALUES %s) v', r, scope);
  RETURN r;
END $$;
-- the whole GTIN, also under its old number: every known lot, lots that only orders name, and orders that name none
SELECT recall_of('(quality_gov.gtin ''6901234567892'', null, null, null, null::daterange)') AS whole \gset
SELECT * FROM figures(:whole);
-- one lot, and of orders without a lot those that may be of it
SELECT * FROM figures(recall_of('(quality_gov.gtin ''6901234567892'', ''A2'', null, null, null::daterange)'));
-- serial numbers, of the same length: a numbered item is in or out, an order without a number may be in
SELECT * FROM figures(recall_of('(quality_gov.gtin ''6901234567892'', null, ''s-10'', ''s-13'', null::daterange)'));
SELECT * FROM figures(recall_of('(quality_gov.gtin ''6901234567892'', ''A1'', ''s-6'', ''s-8'', null::daterange)'));
-- days made: a lot whose day is not known may be of them
SELECT * FROM figures(recall_of('(quality_gov.gtin ''6901234567892'', null, null, null, daterange ''[2026-09-01,2026-09-03)'')'));
-- a lot that is meant whole and by numbers is meant whole, once
SELECT * FROM figures(recall_of('(quality_gov.gtin ''6901234567892'', ''A1'', null, null, null::daterange), (quality_gov.gtin ''73513537'', ''A1'', ''s-6'', ''s-7'', null)')) WHERE lot_code = 'A1';
-- an earlier revision counts no more
SELECT lot_code FROM figures(:whole) WHERE gtin = '00614141123452';
INSERT INTO recall_scope (recall_id, revision, gtin, lot_code) VALUES (:whole, 3, '4006381333931', 'C1');
SELECT gtin, lot_code, made, sold FROM figures(:whole);

-- a serial number finds its order line, and counts once in whatever recall
SELECT recall_of('(quality_gov.gtin ''6901234567892'', ''A1'', null, null, null::daterange)') AS r1, recall_of('(quality_gov.gtin ''6901234567892'', null, null, null, null::daterange)') AS r2 \gset
SELECT recall_response_add(:r1, 'repaired', gtin => '6901234567892', serial => 's-8', at => '2026-10-02') > 0 AS repaired;
SELECT merchant_id, order_id, line, lot_code, serial, returner FROM recall_response;
SELECT recall_response_add(:r1, 'returned', 1, 'm-1', 'O-1', '1', at => '2026-10-03');
SELECT recall_response_add(:r1, 'returned', 2, gtin => '6901234567892', serial => 's-8', at => '2026-10-03');
SELECT recall_response_add(:r1, 'returned', gtin => '6901234567892', serial => 's-12', at => '2026-10-03');
-- repaired in one recall, it can come back in another; what is gone is gone
SELECT recall_response_add(:r2, 'returned', gtin => '6901234567892', serial => 's-8', at => '2026-10-04') > 0 AS returned;
SELECT recall_response_add(:r2, 'returned', gtin => '6901234567892', serial => 's-8', at => '2026-10-05');
SELECT recall_response_add(:r2, 'returned', 2, 'm-1', 'O-2', at => '2026-10-04') > 0 AS two_back;
SELECT r, lot_code, shipped, repaired, returned, elsewhere, outstanding, held FROM (VALUES (:r1), (:r2)) v(r), recall_progress(r, '2026-10-31') WHERE lot_code IN ('A1', 'A2') ORDER BY 1, 2;
SELECT recall_of('(quality_gov.gtin ''6901234567892'', ''A2'', null, null, null::daterange)') AS r3 \gset
SELECT lot_code, shipped, elsewhere, outstanding FROM recall_progress(:r3, '2026-10-31') ORDER BY 1;
SELECT recall_response_add(:r1, 'returned', gtin => '6901234567892', lot_code => 'A9', at => '2026-10-04');
-- a response may name the goods by their old number, too
SELECT recall_response_add(:r2, 'returned', 1, 'm-1', 'O-2', gtin => '73513537', at => '2026-10-04');
SELECT recall_response_add(:r2, 'refunded', gtin => '73513537', serial => 's-12', at => '2026-10-04') > 0 AS found;
SELECT order_id, line, gtin, lot_code FROM recall_response WHERE kind = 'refunded';
SELECT recall, lot_code, problem, detail FROM recall_progress_check() WHERE problem NOT LIKE 'nobody%';
DROP FUNCTION figures, recall_of;
DROP EXTENSION quality_gov;
