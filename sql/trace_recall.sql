-- Recalls: states, scope, deadlines on their own clocks, and orders that are refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
INSERT INTO merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('m-2', 'sell', 'late shipments', 'platform', '[2026-11-10,2026-11-15)');
INSERT INTO lot (gtin, lot_code, merchant_id, made_on) VALUES ('6901234567892', 'A1', 'm-1', '2026-09-01') RETURNING gtin, lot_code;
SELECT lot_find('6901234567892', 'A1') = (SELECT lot_id FROM lot) AS found, lot_find('06901234567892', 'A1') IS NOT NULL AS padded,
       lot_find('6901234567892', 'A2') IS NULL AS other;

-- what may follow what
SELECT recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "A1"}, {"gtin": "73513537"}]', 'shock', 'Order 19', merchant_id => 'm-1', at => '2026-11-02 10:00+08') AS kettle \gset
SELECT recall_advance(:kettle, 'running', '2026-11-03');
SELECT recall_advance(:kettle, 'ordered', '2026-11-02 09:00+08');
SELECT recall_advance(:kettle, NULL, '2026-11-03');
SELECT recall_advance(999, 'ordered', '2026-11-03');
SELECT recall_advance(:kettle, 'ordered', '2026-11-04 10:00+08', 'notice 7');

-- what a recall holds and stops, and when; goods of unknown lot may be of the recalled one
SELECT g, l, verdict, since, until FROM (VALUES ('6901234567892', 'A1'), ('6901234567892', NULL), ('6901234567892', 'A2'),
  ('73513537', 'any'), ('00000073513537', NULL), ('4006381333931', NULL), ('not a gtin', NULL)) v(g, l), recall_bar(g, l) ORDER BY 1, 2, 4;

-- the guard of orders, as of the order's own instant
CREATE TABLE orders (id int PRIMARY KEY, shop text, code text, lot text, at timestamptz, status text);
SELECT guard_order('orders', '{"order_id": "id", "merchant_id": "shop", "gtin": "code", "lot": "lot", "at": "at"}');
CREATE FUNCTION try(id int, shop text, code text, lot text, at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
  INSERT INTO public.orders VALUES (id, shop, code, lot, at);
  RETURN 'stored';
EXCEPTION WHEN SQLSTATE 'QG601' THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN (SELECT string_agg(format('%s %s: %s', f ->> 'rule', f ->> 'verdict', f ->> 'message'), '; ') FROM jsonb_array_elements(detail::jsonb) f);
END $$;
SELECT n, try(n, s, c, l, t) FROM (VALUES
  (1, 'm-1', '6901234567892', 'A1', '2026-11-02 09:59+08'::timestamptz), (2, 'm-1', '6901234567892', 'A1', '2026-11-02 10:00+08'),
  (3, 'm-1', '6901234567892', 'A1', '2026-11-05'), (4, 'm-1', '6901234567892', 'A2', '2026-11-05'), (5, 'm-1', '6901234567892', NULL, '2026-11-05'),
  (6, 'm-2', '73513537', 'x', '2026-11-12'), (7, 'm-2', '4006381333931', NULL, '2026-11-12'), (8, 'm-2', '4006381333931', NULL, '2026-11-15'),
  (9, 'm-3', NULL, NULL, '2026-11-12'), (10, 'm-1', 'rubbish', NULL, '2026-11-12')) v(n, s, c, l, t) ORDER BY n;
-- a status change is no sale; a changed lot is judged anew
UPDATE orders SET status = 'shipped', at = at WHERE id = 1;
UPDATE orders SET lot = 'A1', at = '2026-11-05' WHERE id = 4;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO orders VALUES (20, NULL, NULL, NULL, '2026-11-05');
-- the incident switch, and the record of its use
SET quality_gov.guard_mode = off;
INSERT INTO orders VALUES (21, 'm-3', NULL, NULL, '2026-11-05');
SET quality_gov.guard_mode = shadow;
INSERT INTO orders VALUES (22, 'm-3', NULL, NULL, '2026-11-05'), (23, 'm-1', NULL, NULL, '2026-11-05');
BEGIN;
INSERT INTO orders VALUES (24, 'm-1', NULL, NULL, '2026-11-05');
SAVEPOINT s;
INSERT INTO orders VALUES (25, 'm-1', NULL, NULL, '2026-11-05');
INSERT INTO orders VALUES (26, 'm-1', NULL, NULL, '2026-11-05');
ROLLBACK TO s;
INSERT INTO orders VALUES (27, 'm-1', NULL, NULL, '2026-11-05');
COMMIT;
RESET quality_gov.guard_mode;
SELECT kind, subject, body ->> 'guard_mode' AS mode, body #>> '{findings,0,rule}' AS rule FROM ledger_entry
WHERE kind IN ('guard_mode', 'order_shadow') ORDER BY entry_id;
SELECT id FROM orders ORDER BY id;

-- what spells the goods differently does not slip through: padded char(n), numbers without zeros, blank lots, later triggers
CREATE TABLE sale (id int, shop char(8), code bigint, lot char(8), at timestamptz);
SELECT guard_order('sale', '{"order_id": "id", "merchant_id": "shop", "gtin": "code", "lot": "lot", "at": "at"}');
INSERT INTO sale VALUES (1, 'm-1', 6901234567892, 'A1', '2026-11-05');
INSERT INTO sale VALUES (2, 'm-1', 73513537, '', '2026-11-05');
INSERT INTO sale VALUES (3, 'm-1', 6901234567892, ' ', '2026-11-05');
INSERT INTO sale VALUES (4, 'm-1', 6901234567892, 'A2', '2026-11-05'), (5, 'm-1', NULL, NULL, '2026-11-05');
INSERT INTO sale VALUES (6, 'm-1', NULL, NULL, 'infinity');
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.shop := 'nobody'; RETURN NEW; END $$;
CREATE TRIGGER zz_spoil BEFORE INSERT ON sale FOR EACH ROW EXECUTE FUNCTION spoil();
INSERT INTO sale VALUES (7, 'm-1', NULL, NULL, '2026-11-05');
SELECT id FROM sale ORDER BY id;
DROP TABLE sale;
DROP FUNCTION spoil;
-- dismissed: the goods are free again
SELECT recall_open('Cup', '[{"gtin": "4006381333931"}]', 'lead', 'Order 19', at => '2026-11-20') AS cup \gset
SELECT recall_advance(:cup, 'dismissed', '2026-11-22');
SELECT try(30, 'm-1', '4006381333931', NULL, '2026-11-21'), try(31, 'm-1', '4006381333931', NULL, '2026-11-22');
SELECT recall_advance(:cup, 'ordered', '2026-11-23');

-- duties: working days for consumer goods, hours for food, and no figure before the rule is in force
SELECT recall_open('Milk before', '[{"gtin": "614141123452"}]', 'bacteria', 'Order 122', regime => 'food', level => 1, state => 'voluntary', at => '2026-11-30 12:00+08') IS NOT NULL AS opened;
SELECT recall_open('Milk after', '[{"gtin": "614141123452"}]', 'bacteria', 'Order 122', regime => 'food', level => 1, state => 'voluntary', at => '2026-12-01 12:00+08') IS NOT NULL AS opened;
SELECT title, state, since, scope, lots, next_duty, due FROM recall_overview ORDER BY recall_id;
SELECT recall_advance(:kettle, s, t, document => d) FROM (VALUES
  ('plan_reported', '2026-11-10'::timestamptz, recall_report_template('consumer', 'plan', '2026-11-10')), ('published', '2026-11-11', '{"place": "shop"}'),
  ('running', '2026-11-12', NULL), ('completed', '2026-12-20', NULL)) v(s, t, d);
SELECT state, next_duty, due FROM recall_overview WHERE recall_id = :kettle;
-- the merchant answered once; every step is on record
SELECT merchant_id, indicator, at, bad FROM credit_event;
SELECT subject, body ->> 'state' AS state FROM ledger_entry WHERE kind = 'recall' AND subject = 'recall ' || :kettle ORDER BY entry_id;

-- bad input
SELECT recall_open('x', NULL, 'r', 'b');
SELECT recall_open('x', '[]', 'r', 'b');
SELECT recall_open('x', '[{"lot": "1"}]', 'r', 'b');
SELECT recall_open('x', '[{"gtin": "6901234567890"}]', 'r', 'b');
SELECT recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', state => 'completed');
SELECT recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', merchant_id => 'nobody');
\set VERBOSITY terse
SELECT recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', regime => 'food');
SELECT recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', level => 1);
SELECT recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', regime => 'toys');
SELECT recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', regime => 'food', level => 4);
SELECT recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b', severity => 'high');
SELECT recall_open(NULL, '[{"gtin": "6901234567892"}]', 'r', 'b');
INSERT INTO lot (gtin, lot_code) VALUES ('6901234567892', 'A1');
DROP FUNCTION try;
DROP TABLE orders;
DROP EXTENSION quality_gov;
