-- What a recall stops: serial numbers, releases, guards, and what recall_open() and recall_release() refuse.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');

-- serial numbers are compared at one length, and an order that names none may be of any
SELECT s, serial_within(s, '0100', '0199') FROM unnest('{0100,0150,0199,0099,0200,150,00150,015A,NULL}'::text[]) s;
SELECT recall_open('Kettle', '[{"gtin": "5901234123457", "serial_from": "0100", "serial_to": "0199"}, {"gtin": "5901234123457", "lot": "B", "serial_from": "X01", "serial_to": "X09"}]',
  'shock', 'Order 19', at => '2026-11-02') AS kettle \gset
SELECT l, s, count(b.since) AS bars FROM (VALUES (NULL, NULL), ('A', NULL), (NULL, '0150'), ('A', '0150'), ('A', '0200'), ('B', 'X05'), ('A', 'X05'), (NULL, 'X05'), ('B', 'X10'), ('B', NULL)) v(l, s)
LEFT JOIN LATERAL recall_bar('5901234123457', l, s) b ON true GROUP BY l, s ORDER BY l, s;

-- the guard asks with the number where the table has one
CREATE TABLE orders (id int PRIMARY KEY, shop text, code text, lot text, number text, at timestamptz);
SELECT guard_order('orders', '{"order_id": "id", "merchant_id": "shop", "gtin": "code", "lot": "lot", "serial": "number", "at": "at"}');
CREATE FUNCTION try(id int, lot text, number text, at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.orders VALUES (id, 'm-1', '5901234123457', lot, number, at);
  RETURN 'stored';
EXCEPTION WHEN SQLSTATE 'QG601' THEN
  RETURN SQLERRM;
END $$;
SELECT n, try(n, l, s, '2026-11-10') FROM (VALUES (1, NULL, NULL), (2, 'A', '0150'), (3, 'A', '0200'), (4, 'B', 'X05'), (5, 'A', 'X05'), (6, NULL, 'X99'), (7, 'A', ' '), (8, '', '0200')) v(n, l, s) ORDER BY n;
UPDATE orders SET number = '0101' WHERE id = 3;
\echo :LAST_ERROR_SQLSTATE

-- nothing is released before a plan is reported, without a remedy, or out of scope
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "serial_from": "0110", "serial_to": "0119"}]', 'repaired', 'report 1', '2026-11-03');
-- (steps are entered by hand: what they ask for is not the matter here)
INSERT INTO recall_step (recall_id, state, at) VALUES (:kettle, 'ordered', '2026-11-04'), (:kettle, 'plan_reported', '2026-11-05');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "serial_from": "0110", "serial_to": "0119"}]', 'repaired', 'report 1', '2026-11-04');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "serial_from": "0110", "serial_to": "0119"}]', 'destroyed', 'report 1', '2026-11-06');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "serial_from": "0110", "serial_to": "0119"}]', 'repaired', ' ', '2026-11-06');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "serial_from": "0110", "serial_to": "0119"}]', 'repaired', 'report 1', 'infinity');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "serial_from": "0110", "serial_to": "0119"}, {"gtin": "5901234123457", "serial_from": "0190", "serial_to": "0200"}]', 'repaired', 'report 1', '2026-11-06');
SELECT recall_release(:kettle, '[{"gtin": "4006381333931", "lot": "A"}]', 'repaired', 'report 1', '2026-11-06');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457"}]', 'repaired', 'report 1', '2026-11-06');
SELECT recall_release(999, '[{"gtin": "5901234123457", "lot": "A"}]', 'repaired', 'report 1', '2026-11-06');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "serial_from": "0110", "serial_to": "0119"}, {"gtin": "5901234123457", "lot": "B"}]', 'repaired', 'report 1', '2026-11-06') AS entries;
SELECT l, s, verdict, since, until FROM (VALUES ('A', '0110'), ('A', '0120'), ('B', 'X05'), ('B', NULL), (NULL, '0110'), (NULL, 'X05'), ('B', '0150')) v(l, s),
  recall_bar('5901234123457', l, s) WHERE verdict = 'deny' AND (until IS NULL OR until > '2026-11-05') ORDER BY l, s;
SELECT try(20, 'A', '0110', '2026-11-05 12:00+08'), try(21, 'A', '0110', '2026-11-06'), try(22, 'B', NULL, '2026-11-06'), try(23, 'B', 'X05', '2026-11-06');
SELECT lot_code, serial_from, released FROM recall_goods(:kettle, '2026-11-07');
-- recalled anew, the remedy was not enough
INSERT INTO recall_step (recall_id, state, at) VALUES (:kettle, 'published', '2026-11-07'), (:kettle, 'running', '2026-11-08'), (:kettle, 'completed', '2026-11-09'), (:kettle, 'ordered', '2026-11-10');
SELECT state, since, until FROM recall_bar('5901234123457', 'A', '0110'), LATERAL (SELECT substring(reason FROM '\((.*)\)') AS state) s ORDER BY since;
SELECT subject = 'recall ' || :kettle AS subject, body ->> 'remedy' AS remedy, body ->> 'evidence' AS evidence FROM ledger_entry WHERE kind = 'recall_release';

-- two recalls on one lot: what ends one leaves the other
SELECT recall_open('Cord', '[{"gtin": "5901234123457", "lot": "B"}]', 'r', 'b', at => '2026-11-12') AS cord \gset
INSERT INTO recall_step (recall_id, state, at) VALUES (:kettle, 'plan_reported', '2026-11-13');
SELECT recall_release(:kettle, '[{"gtin": "5901234123457", "lot": "B"}]', 'warned', 'leaflet', '2026-11-14') AS entries;
SELECT reason, verdict FROM recall_bar('5901234123457', 'B', 'X05') WHERE since <= '2026-11-15' AND (until IS NULL OR until > '2026-11-15');
INSERT INTO recall_step (recall_id, state, at) VALUES (:cord, 'dismissed', '2026-11-16');
SELECT count(*) AS bars FROM recall_bar('5901234123457', 'B', 'X05') WHERE until IS NULL;
SELECT recall_scope_compute(:cord, '[{"gtin": "5901234123457", "lot": "C"}]', '2026-11-17');

-- a scope says where it cannot be read
CREATE FUNCTION refused(scope jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM quality_gov.recall_scope_read(scope);
  RETURN 'read';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT refused(s) FROM unnest(ARRAY['{}', '[]', 'null', '["x"]', '[{}]', '[{"gtin": "73513537"}, {"gtin": "73513537", "lots": "A"}]', '[{"gtin": "73513538"}]', '[{"gtin": true}]',
  '[{"gtin": null}]', '[{"gtin": 73513537, "lot": 7}]', '[{"gtin": "73513537", "lot": " "}]', '[{"gtin": "73513537", "lot": "A1 "}]', '[{"gtin": "73513537", "serial_from": "1"}]', '[{"gtin": "73513537", "serial_from": "1", "serial_to": "10"}]',
  '[{"gtin": "73513537", "serial_from": "9", "serial_to": "1"}]', '[{"gtin": "73513537", "made_from": "1 May 2026"}]', '[{"gtin": "73513537", "made_from": "2026-02-30"}]',
  '[{"gtin": "73513537", "made_from": "2026-05-02", "made_until": "2026-05-01"}]', '[{"gtin": "73513537", "made_from": "2026-05-02", "lot": "A"}]',
  '[{"gtin": "73513537", "made_until": "2026-05-02", "serial_from": "1", "serial_to": "2"}]', '[{"ingredient": "73513537"}]', '[{"ingredient": {"gtin": "73513537"}}]',
  '[{"ingredient": {"lot": "A"}}]', '[{"ingredient": {"gtin": "73513537", "lot": "A", "made_from": "2026-01-01"}}]', '[{"ingredient": {"gtin": "73513537", "lot": "A"}, "gtin": "73513537"}]',
  '[{"ingredient": {"gtin": "1", "lot": "A"}}]', '[{"gtin": 73513537, "made_from": "2026-05-02"}, {"ingredient": {"gtin": "73513537", "lot": "A"}}]']::jsonb[]) s;
SELECT recall_scope_compute(999);
SELECT recall_scope_compute(:kettle, at => 'infinity');
SELECT recall_scope_compute(:kettle, at => '2026-11-01');
SELECT recall_scope_compute(:kettle, '[{"gtin": "5901234123457", "lot": 1}]', '2026-11-20');
SELECT recall_open('Unknown flour', '[{"ingredient": {"gtin": "73513537", "lot": "?"}}]', 'r', 'b', at => '2026-11-20') > 0 AS opened;
SELECT count(*) AS bars FROM recall_bar('73513537', '?');
UPDATE recall_criterion SET lot_code = 'x';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM recall_release;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE recall_spared;
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION try, refused;
DROP TABLE orders;
DROP EXTENSION quality_gov;
