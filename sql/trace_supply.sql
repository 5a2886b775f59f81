-- Suppliers: who may supply what and when, purchase records, own lot numbers.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');

-- recorded, and brought up to date
SELECT supplier_record('{"supplier_id": "s-1", "name": "Works", "uscc": "91350100M000100Y43", "address": "1 Road", "contact": "1234", "since": "2026-01-01 00:00+08",
  "licenses": [{"kind": "production", "number": "P1", "categories": ["food"], "valid_from": "2026-01-01", "valid_until": "2026-06-30"}],
  "brands": [{"brand": "Nike", "valid_from": "2026-01-01", "valid_until": "2026-03-31", "evidence": "letter 7"}]}');
SELECT supplier_record('{"supplier_id": "s-1", "contact": "5678", "licenses": [{"kind": "production", "number": "P2", "categories": ["food"], "valid_from": "2026-08-01", "valid_until": "2027-07-31"}]}');
SELECT name, uscc, address, contact, since FROM supplier;
SELECT number, valid, status FROM supplier_license ORDER BY number;
SELECT count(*) AS entries FROM ledger_entry WHERE kind = 'supplier';
SELECT supplier_record('{"supplier_id": "s-1", "uscc": "91110000600037341L"}');
SELECT supplier_record('{"supplier_id": "s-2"}');
SELECT supplier_record('{"name": "x"}');
SELECT supplier_record('{"supplier_id": "s-2", "name": "x", "colour": "red"}');
SELECT supplier_record('{"supplier_id": "s-2", "name": "x", "uscc": "91110000600037341X"}');
SELECT supplier_record('{"supplier_id": "s-2", "name": "x", "licenses": [{"kind": "production", "number": "P1"}]}');
SELECT supplier_record(NULL);

-- who may supply: licences lapse and return, brands need a letter, bars and watch-lists hold
SELECT d, c, b, m.* FROM (VALUES ('2025-12-31 23:59+08'::timestamptz, NULL, NULL), ('2026-01-01 00:00+08', NULL, NULL), ('2026-06-30 23:59+08', 'food', NULL),
  ('2026-07-01 00:00+08', 'food/tea', NULL), ('2026-07-01 00:00+08', 'toys', NULL), ('2026-08-01 00:00+08', 'food', NULL), ('2026-03-31 23:00+08', 'food', 'NIKE'),
  ('2026-04-01 00:00+08', 'food', 'nike'), ('2026-02-01 00:00+08', NULL, 'Adidas')) v(d, c, b), supplier_may('s-1', c, b, d) m ORDER BY d, c, b;
INSERT INTO supplier_category VALUES ('toys', 'ccc_factory', '[2026-09-01,)', 'our policy');
SELECT supplier_may('s-1', 'toys', at => '2026-08-31'), supplier_may('s-1', 'toys/cars', at => '2026-09-01');
SELECT supplier_bar_add('s-1', 'lead in paint', '2026-10-01', '2026-12-01') AS bar, supplier_bar_add('s-1', 'bad milk', '2026-11-01', category => 'food') AS food \gset
SELECT supplier_may('s-1', NULL, at => '2026-10-15'), supplier_may('s-1', 'food', at => '2026-11-15'), supplier_may('s-1', 'food/milk', at => '2026-12-15');
SELECT supplier_bar_end('s-1', :bar, 'repainted', '2026-11-10');
SELECT supplier_may('s-1', NULL, at => '2026-11-09'), supplier_may('s-1', NULL, at => '2026-11-10');
SELECT supplier_bar_end('s-1', :bar, 'again', '2026-11-20');
SELECT supplier_bar_end('s-1', 99, 'x', '2026-11-20');
SELECT supplier_bar_add('nobody', 'x');
SELECT supplier_bar_add('s-1', NULL);
SELECT supplier_bar_add('s-1', 'x', '2026-10-01', '2026-10-01');
INSERT INTO watchlist_entry (watchlist, uscc, reason, legal_basis, source, term) VALUES ('abnormal_operation', '91350100M000100Y43', 'no address', 'b', 't', '[2026-05-01,2026-05-10)'),
  ('serious_violation', '91350100M000100Y43', 'fakes', 'b', 't', '[2026-05-10 00:00+08,2026-05-20 00:00+08)');
SELECT supplier_may('s-1', NULL, at => '2026-05-05'), supplier_may('s-1', NULL, at => '2026-05-15');
SELECT * FROM supplier_may('nobody', at => '2026-05-05');
SELECT supplier_record('{"supplier_id": "s-9", "name": "no day said"}');
SELECT supplier_may('s-9', at => '1999-01-01');
SELECT supplier_may(NULL);
SELECT supplier_may('s-1', at => 'infinity');
SELECT supplier_may('s-1', at => NULL);
SELECT supplier_record('{"supplier_id": "s-1", "ended_at": "2026-12-20 00:00+08"}') IS NOT NULL AS ended;
SELECT supplier_may('s-1', NULL, at => '2026-12-19'), supplier_may('s-1', NULL, at => '2026-12-20');
SELECT kind, body ->> 'reason' AS reason FROM ledger_entry WHERE kind LIKE 'supplier_bar%' ORDER BY entry_id;

-- a purchase record lacks nothing that the law asks from its day on
SELECT purchase_record('{"merchant_id": "m-1", "supplier_id": "s-1", "gtin": "6901234567892", "lot": "A1", "supplier_lot": "X-7", "quantity": 5, "purchased_at": "2026-11-30 23:59+08"}') AS before \gset
SELECT purchase_record('{"merchant_id": "m-1", "supplier_name": " ", "gtin": "6901234567892", "quantity": 5, "purchased_at": "2026-12-01 00:00+08"}');
SELECT purchase_record('{"merchant_id": "m-1", "gtin": "6901234567892", "quantity": 5, "purchased_at": "2026-12-01 00:00+08", "key_industrial": false}') AS other \gset
SELECT purchase_record('{"merchant_id": "m-1", "supplier_id": "s-1", "gtin": "6901234567892", "lot": "A2", "supplier_lot": "X-7", "product": "kettle", "model": "K1", "quantity": 5, "purchased_at": "2026-12-01 00:00+08"}') AS whole \gset
SELECT purchased_at, supplier_name, supplier_contact, product, lot_id IS NOT NULL AS lot, key_industrial FROM purchase ORDER BY purchase_id;
INSERT INTO supply_field VALUES ('purchase', 'voucher', 'all', '[2027-01-01,)', 'our policy');
SELECT purchase_record('{"merchant_id": "m-1", "purchased_at": "2027-01-01", "key_industrial": false}');
UPDATE supply_field SET effect = 'empty' WHERE builtin;
-- corrected by a further record
SELECT purchase_record(format('{"merchant_id": "m-1", "supplier_id": "s-1", "gtin": "6901234567892", "quantity": 6, "purchased_at": "2026-11-30", "replaces": %s}', :before)::jsonb) > 0 AS replaced;
SELECT purchase_record(format('{"merchant_id": "m-1", "purchased_at": "2026-11-30", "replaces": %s}', :before)::jsonb);
SELECT purchase_record('{"merchant_id": "m-1", "purchased_at": "2026-11-30", "replaces": 99}');
SELECT count(*) AS records, (SELECT count(*) FROM purchase_standing) AS standing FROM purchase;
INSERT INTO purchase (merchant_id, supplier_name, purchased_at) VALUES ('m-1', 'by hand', '2026-12-05');
SELECT record, at, missing FROM supply_incomplete;
SELECT purchase_record('{"merchant_id": "nobody", "purchased_at": "2026-11-30"}');
SELECT purchase_record('{"merchant_id": "m-1", "supplier_id": "nobody", "purchased_at": "2026-11-30"}');
SELECT purchase_record('{"merchant_id": "m-1", "quantity": 0, "purchased_at": "2026-11-30"}');
SELECT purchase_record('{"merchant_id": "m-1", "lot_id": 1}');
SELECT purchase_record('{"merchant_id": "m-1"}');
SELECT purchase_record('{"merchant_id": "m-1", "gtin": "6901234567890", "purchased_at": "2026-11-30"}');
SELECT purchase_record('{"merchant_id": "m-1", "lot": "A1", "purchased_at": "2026-11-30"}');
UPDATE purchase SET quantity = 1;

-- a number of theirs may mean several lots of ours, and is none of ours
SELECT lot_record('73513537', 'B1') AS b \gset
SELECT supplier_lot_add('s-1', 'X-7', :b), supplier_lot_add('s-1', 'X-7', :b);
SELECT l.lot_code FROM supplier_lot_find('s-1', 'X-7') f JOIN lot l ON l.lot_id = f ORDER BY 1;
SELECT l.lot_code FROM supplier_lot_find('s-1', 'X-7', '73513537') f JOIN lot l ON l.lot_id = f;
SELECT lot_find('73513537', 'X-7') IS NULL AS not_ours, (SELECT count(*) FROM supplier_lot_find('s-2', 'X-7')) AS not_his;
SELECT supplier_lot_add('nobody', 'X', :b);
SELECT supplier_lot_add('s-1', 'X', 999);
SELECT supplier_lot_add('s-1', '', :b);
SELECT (SELECT supplier_id FROM lot WHERE lot_code = 'A1') AS first_supplier;
-- sales that were shipped lack, too
INSERT INTO sale (merchant_id, order_id, gtin, product, sold_at, state) VALUES ('m-1', 'o-1', '6901234567892', 'kettle', '2026-12-02', 'shipped'),
  ('m-1', 'o-2', '6901234567892', 'kettle', '2026-11-30', 'shipped'), ('m-1', 'o-3', '73513537', 'cup', '2026-12-02', 'shipped'), ('m-1', 'o-4', '6901234567892', 'kettle', '2026-12-02', 'open');
SELECT record, reference, missing FROM supply_incomplete WHERE record = 'sale';
-- what is old goes, with what it replaced, and no sooner
INSERT INTO purchase (merchant_id, purchased_at, recorded_at, replaces) VALUES ('m-1', '2020-01-01', '2020-01-01', NULL), ('m-1', '2020-01-01', '2020-01-01', NULL);
INSERT INTO purchase (merchant_id, purchased_at, replaces) SELECT 'm-1', '2020-01-01', max(purchase_id) FROM purchase;
SELECT purchase_retire();
SELECT count(*) AS left_there FROM purchase WHERE purchased_at < '2021-01-01';
\set VERBOSITY sqlstate
SELECT purchase_retire(now());
SELECT * FROM supply_check();
DROP EXTENSION quality_gov;
