-- Who bought goods of a recall: order lines by how surely they are of it, and who sees them.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT count(*) > 0 AS roles FROM roles_create();
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
INSERT INTO lot (gtin, lot_code, made_on) VALUES ('73513537', 'MAY', '2026-05-10'), ('73513537', 'JUNE', '2026-06-10'), ('73513537', 'NODAY', NULL);
INSERT INTO sale (merchant_id, order_id, line, gtin, lot_code, serial, quantity, buyer, sold_at, state) VALUES
  ('m-1', 'o-1', '1', '6901234567892', 'A1', NULL, 2, 'anna', '2026-06-01', 'delivered'),
  ('m-1', 'o-1', '2', '6901234567892', 'A2', NULL, 1, 'anna', '2026-06-01', 'delivered'),
  ('m-1', 'o-2', '1', '6901234567892', NULL, NULL, 1, 'bo', '2026-06-02', 'shipped'),
  ('m-2', 'o-3', '1', '6901234567892', 'A1', NULL, 3, 'anna', '2026-06-03', 'open'),
  ('m-2', 'o-4', '1', '6901234567892', 'A1', NULL, 1, 'chen', '2026-06-04', 'cancelled'),
  ('m-2', 'o-5', '1', '6901234567892', 'A1', NULL, 1, NULL, '2026-06-05', 'returned'),
  ('m-1', 'o-6', '1', '4006381333931', 'K', '0150', 1, 'dina', '2026-06-06', 'delivered'),
  ('m-1', 'o-6', '2', '4006381333931', 'K', '0250', 1, 'dina', '2026-06-06', 'delivered'),
  ('m-1', 'o-6', '3', '4006381333931', 'K', NULL, 1, 'dina', '2026-06-06', 'open'),
  ('m-1', 'o-7', '1', '73513537', 'MAY', NULL, 1, 'eve', '2026-06-07', 'open'),
  ('m-1', 'o-7', '2', '73513537', 'JUNE', NULL, 1, 'eve', '2026-06-07', 'open'),
  ('m-1', 'o-7', '3', '73513537', 'NODAY', NULL, 1, 'eve', '2026-06-07', 'open'),
  ('m-1', 'o-7', '4', '73513537', 'NEVER', NULL, 1, 'eve', '2026-06-07', 'open'),
  ('m-1', 'o-7', '5', '73513537', NULL, NULL, 1, 'eve', '2026-06-07', 'open'),
  ('m-1', 'o-8', '1', '614141123452', 'A1', NULL, 4, 'fay', '2026-06-08', 'open'),
  ('m-1', 'o-9', '1', NULL, NULL, NULL, 1, 'gus', '2026-06-09', 'open');
SELECT recall_open('Tea', '[{"gtin": "6901234567892", "lot": "A1"}]', 'r', 'b', merchant_id => 'm-1', state => 'voluntary', at => '2026-06-10') AS tea \gset
SELECT merchant_id, order_id, line, lot_code AS lot, quantity, buyer, state, open, match FROM recall_orders(:tea, '2026-06-11');
SELECT * FROM recall_buyers(:tea, '2026-06-11');
SELECT recall_open('Kettle', '[{"gtin": "4006381333931", "serial_from": "0100", "serial_to": "0199"}]', 'r', 'b', at => '2026-06-10') AS kettle \gset
SELECT order_id, line, serial, open, match FROM recall_orders(:kettle, '2026-06-11');
SELECT recall_open('Days', '[{"gtin": "73513537", "made_from": "2026-05-01", "made_until": "2026-05-31"}]', 'r', 'b', at => '2026-06-10') AS days \gset
SELECT order_id, line, lot_code AS lot, match FROM recall_orders(:days, '2026-06-11');
-- an order that names no lot is of the lot that its serial number belongs to
INSERT INTO lot (gtin, lot_code) VALUES ('5901234123457', 'P1'), ('5901234123457', 'P2');
INSERT INTO lot_item (gtin, serial, lot_id) SELECT gtin, serial, lot_id FROM (VALUES ('P1', 's1'), ('P2', 's2')) v(lot_code, serial) JOIN lot USING (lot_code);
INSERT INTO sale (merchant_id, order_id, gtin, serial, buyer, sold_at) SELECT 'm-1', 'p-' || s, '5901234123457', nullif(s, 's0'), 'kim', '2026-06-01' FROM unnest('{s0,s1,s2,s3}'::text[]) s;
SELECT recall_open('Phone', '[{"gtin": "5901234123457", "lot": "P1"}]', 'r', 'b', at => '2026-06-10') AS phone \gset
SELECT order_id, serial, match FROM recall_orders(:phone, '2026-06-11');
-- a whole GTIN takes every line of it; a corrected number brings the lines under the other one, from the day it is known
SELECT recall_open('All', '[{"gtin": "6901234567892"}]', 'r', 'b', at => '2026-06-10') AS everything \gset
INSERT INTO gtin_alias (old, gtin, reason, since) VALUES ('614141123452', '6901234567892', 'misprint', '2026-06-12');
SELECT count(*) AS lines, count(*) FILTER (WHERE match = 'certain') AS certain FROM recall_orders(:everything, '2026-06-11');
SELECT count(*) AS lines FROM recall_orders(:everything, '2026-06-12');
SELECT order_id, gtin, match FROM recall_orders(:tea, '2026-06-12') WHERE quantity = 4;

-- what was made safe before it was sold is no order of the recall; what was sold before stays one
INSERT INTO recall_step (recall_id, state, at) VALUES (:tea, 'plan_reported', '2026-06-13');
SELECT recall_release(:tea, '[{"gtin": "6901234567892", "lot": "A1"}]', 'warned', 'leaflet', '2026-06-14') AS entries;
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, buyer, sold_at) VALUES ('m-1', 'o-10', '6901234567892', 'A1', 'hal', '2026-06-15'), ('m-1', 'o-11', '6901234567892', 'A1', 'ida', '2026-06-13');
SELECT order_id FROM recall_orders(:tea, '2026-06-16') WHERE order_id IN ('o-1', 'o-10', 'o-11');
-- as of before the scope was widened
SELECT change, lot_code FROM recall_scope_compute(:tea, '[{"gtin": "6901234567892", "lot": "A1"}, {"gtin": "6901234567892", "lot": "A2"}]', '2026-06-20');
SELECT count(*) FILTER (WHERE at = '2026-06-19') AS before, count(*) FILTER (WHERE at = '2026-06-20') AS after
FROM (VALUES ('2026-06-19'::timestamptz), ('2026-06-20')) v(at), recall_orders(:tea, at) o WHERE o.lot_code = 'A2';

-- a merchant sees its own lines, and the goods of recalls it answers for
CREATE ROLE regress_m1 IN ROLE quality_gov_merchant;
CREATE ROLE regress_m2 IN ROLE quality_gov_merchant;
CREATE ROLE regress_regulator IN ROLE quality_gov_regulator;
CREATE ROLE regress_analyst IN ROLE quality_gov_analyst;
CREATE ROLE regress_nobody;
SELECT merchant_member_add('regress_m1', 'm-1'), merchant_member_add('regress_m2', 'm-2');
SET search_path = quality_gov;
SET ROLE regress_m1;
SELECT DISTINCT merchant_id FROM recall_orders(:tea, '2026-06-11');
SELECT count(*) AS goods FROM recall_goods(:tea, '2026-06-11');
SET ROLE regress_m2;
SELECT merchant_id, order_id FROM recall_orders(:tea, '2026-06-11');
SELECT DISTINCT merchant_id FROM recall_buyers(:tea, '2026-06-11');
SELECT count(*) AS goods FROM recall_goods(:tea, '2026-06-11');
SELECT recall_release(:tea, '[{"gtin": "6901234567892", "lot": "A1"}]', 'warned', 'x', '2026-06-21');
SELECT recall_scope_compute(:tea);
SELECT * FROM recall_criterion;
SET ROLE regress_regulator;
SELECT count(*) AS lines, count(DISTINCT merchant_id) AS merchants FROM recall_orders(:tea, '2026-06-11');
SELECT count(*) AS goods FROM recall_goods(:tea, '2026-06-11');
SELECT count(*) AS criteria FROM recall_criterion WHERE recall_id = :tea;
SELECT recall_scope_compute(:tea);
SET ROLE regress_analyst;
SELECT count(*) AS goods FROM recall_goods(:tea, '2026-06-11');
SELECT count(*) FROM recall_orders(:tea);
SET ROLE regress_nobody;
SELECT count(*) FROM recall_goods(:tea);
RESET ROLE;
SELECT count(*) AS none FROM recall_orders(999);
SELECT count(*) AS none FROM recall_goods(NULL);
DROP EXTENSION quality_gov;
DROP ROLE regress_m1, regress_m2, regress_regulator, regress_analyst, regress_nobody;
