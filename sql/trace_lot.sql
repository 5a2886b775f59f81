-- Lots as people write them: recorded again, used, moved, taken back, numbered; and corrected GTINs.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');

-- again changes nothing, fills what was unknown, and refuses what contradicts
SELECT lot_record('6901234567892', 'A1', made_on => '2026-09-01') AS a \gset
SELECT lot_record('06901234567892', 'A1', quantity => 100.0, merchant_id => 'm-1') = :a AS same, lot_record('6901234567892', 'A1', quantity => 100) = :a AS again;
SELECT gtin, lot_code, made_on, quantity, merchant_id FROM lot;
SELECT lot_record('6901234567892', 'A1', made_on => '2026-09-02');
SELECT lot_record('6901234567892', 'A1', quantity => 99);
SELECT lot_record(NULL, 'A1');
SELECT lot_record('6901234567892', ' ');
SELECT lot_record('6901234567892', 'A2', merchant_id => 'nobody');
SELECT lot_record('6901234567892', 'A2', supplier_id => 'nobody');
SELECT lot_record('6901234567892', 'A2', made_on => '2026-09-02', expires_on => '2026-09-01');
\set VERBOSITY terse
SELECT lot_record('6901234567892', 'A2', quantity => -1);
\set VERBOSITY default

-- uses add up; what would close a circle is refused
SELECT b.lot_id AS b FROM lot_record_all('[{"gtin": "73513537", "lot": "B1", "quantity": 50, "serials": ["s1", "s2"]}, {"gtin": "73513537", "lot": "B2"}]') b WHERE item = 1 \gset
SELECT lot_find('73513537', 'B2') AS c \gset
SELECT lot_use(:a, :b, 10, '2026-09-03'), lot_use(:a, :b, 5, '2026-09-02'), lot_use(:b, :c), lot_use(:b, :c, 1);
SELECT quantity, at, source FROM lot_link ORDER BY parent;
SELECT lot_use(:a, :a);
SELECT lot_use(:c, :a, 1);
SELECT lot_use(:a, 999, 1);
SELECT lot_use(:a, NULL, 1);
SELECT lot_use(:a, :c, 0);
SELECT lot_use(:a, :c, 'NaN');
SELECT lot_use(:a, :c, 1, 'infinity');
SELECT lot_use_all('[{"parent": {"gtin": "6901234567892", "lot": "A1"}, "child": {"gtin": "73513537", "lot": "B2"}, "quantity": 2}]');
SELECT lot_use_all('[{"parent": {"gtin": "6901234567892", "lot": "none"}, "child": 1}]');
SELECT lot_use_all('[{"parent": 1, "from": 2}]');
SELECT lot_use_all('{}');
-- taken back in part and whole, on record
SELECT lot_unuse(:a, :b, 'misread', 5) AS part, lot_unuse(:a, :c, 'wrong lot') AS whole;
SELECT lot_unuse(:a, :b, 'misread', 11);
SELECT lot_unuse(:b, :c, 'misread', 1);
SELECT lot_unuse(:a, :c, 'again');
SELECT lot_unuse(:a, :b, '');
INSERT INTO lot_link VALUES (:a, :c, 77, 1);
SELECT lot_unuse(:a, :c, 'of an event');
DELETE FROM lot_link WHERE source = 77;
SELECT kind, body ->> 'had' AS had, body ->> 'taken_back' AS taken_back, body ->> 'reason' AS reason FROM ledger_entry ORDER BY entry_id;

-- what happened, and what did not
SELECT lot_move(:b, 'made', 50, '2026-09-04') AS made, lot_move(:b, 'sold', 3, '2026-09-05', 'm-1', order_id => 'o-1') AS sold,
       lot_move(:b, 'counted', 0, '2026-09-06') AS counted \gset
SELECT lot_move_all('[{"lot": {"gtin": "73513537", "lot": "B1"}, "kind": "destroyed", "quantity": 2, "at": "2026-09-07 00:00+08"}]');
SELECT made, used, uses_unknown, sold, returned, destroyed, counted FROM lot_balance WHERE lot_id = :b;
SELECT lot_event_void(:b, :sold, 'another lot') > :sold AS voided;
SELECT sold FROM lot_balance WHERE lot_id = :b;
SELECT lot_event_void(:b, :sold, 'again');
SELECT lot_event_void(:b, (SELECT event_id FROM lot_event WHERE voids IS NOT NULL), 'a void');
SELECT lot_event_void(:a, :sold, 'not of this lot');
SELECT lot_event_void(:b, :made, NULL);
INSERT INTO lot_event (lot_id, kind, at, source) VALUES (:b, 'shipped', '2026-09-07', 77);
SELECT lot_event_void(:b, (SELECT event_id FROM lot_event WHERE source = 77), 'of an event');
SELECT lot_move(:b, 'lost', 1);
SELECT lot_move(:b, 'sold', 0);
SELECT lot_move(:b, 'counted');
SELECT lot_move(:b, 'sold', 1, NULL);
SELECT lot_move(999, 'sold', 1);
SELECT lot_move(:b, 'sold', 1, merchant_id => 'nobody');
UPDATE lot_event SET quantity = 1;

-- serial numbers are of one lot
SELECT lot_item_add(:b, '{s2,s3,s3}'), lot_item_add(:c, '{}');
SELECT lot_item_add(:c, '{s9,s3}');
SELECT lot_item_add(:c, '{s9,NULL}');
SELECT lot_item_add(999, '{s9}');
SELECT serial FROM lot_item ORDER BY 1;

-- a corrected GTIN: lots keep their ids, aliases never chain, order lines are found under both
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, serial, quantity, sold_at, state) VALUES
  ('m-1', 'o-1', '73513537', 'B1', NULL, 4, '2026-09-05', 'open'), ('m-1', 'o-2', '73513537', NULL, 's1', 1, '2026-09-05', 'returned'),
  ('m-1', 'o-3', '73513537', NULL, 's99', 1, '2026-09-05', 'open'), ('m-1', 'o-4', '73513537', 'B1', NULL, 8, '2026-09-05', 'cancelled');
SELECT gtin_alias_add('73513537', '4006381333931', 'misprinted') AS lots;
SELECT gtin_alias_add('4006381333931', '614141123452', 'misread') AS lots;
SELECT gtin_alias_add('12345670', '73513537', 'older still') AS lots;
SELECT old, gtin FROM gtin_alias ORDER BY old;
SELECT gtin_current('12345670') AS current, gtin_names('73513537') AS names;
SELECT lot_find('73513537', 'B1') = :b AS old, lot_find('614141123452', 'B1') = :b AS new, lot_record('12345670', 'B1', quantity => 50) = :b AS recorded,
       lot_find('614141123452', 'none') IS NULL AS none;
SELECT gtin, serial FROM lot_item ORDER BY serial LIMIT 1;
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, sold_at) VALUES ('m-1', 'o-5', '614141123452', 'B1', '2026-09-05');
SELECT sold, returned FROM lot_balance WHERE lot_id = :b;
SELECT lot_move(:b, 'sold', 4, '2026-09-05', order_id => 'o-1') > 0 AS told_by_both, lot_move(:b, 'sold', 2, '2026-09-05') > 0 AS otherwise;
SELECT sold, returned FROM lot_balance WHERE lot_id = :b;
SELECT order_id FROM lot_sale WHERE lot_id = :b ORDER BY 1;
SELECT gtin_alias_add('614141123452', '73513537', 'a circle');
SELECT gtin_alias_add('73513537', '73513537', 'itself');
SELECT gtin_alias_add('73513537', '6901234567892', 'something else');
SELECT gtin_alias_add('73513537', '614141123452', 'again') AS lots;
SELECT gtin_alias_add(NULL, '614141123452', 'null');
SELECT gtin_alias_add('6901234567892', '614141123452', '');
SELECT lot_record('614141123452', 'A1') > 0 AS twice;
SELECT gtin_alias_add('6901234567892', '614141123452', 'the same lot code');
SELECT * FROM supply_check();
-- what the oracle notices
INSERT INTO lot (gtin, lot_code, supplier_id, merchant_id) VALUES ('73513537', 'late', 'ghost', 'ghost');
INSERT INTO lot_event (lot_id, kind, at, voids) VALUES (999, 'sold', '2026-09-05', 1);
INSERT INTO lot_item VALUES ('73513537', 's7', :b), ('73513537', 's8', 999);
INSERT INTO gtin_alias VALUES ('614141123452', '6901234567892', 'by hand');
SELECT relation, problem FROM integrity_check() ORDER BY 1, 2;
DROP EXTENSION quality_gov;
