-- protected partitioned tables: moves, direct changes, new partitions, TRUNCATE, ATTACH and DETACH
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
CREATE SCHEMA shop;
SET search_path = shop, quality_gov, public;
CREATE TABLE orders (id int, region text, total numeric, secret text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE orders_n PARTITION OF orders FOR VALUES IN ('north');
-- a partition whose columns stand in another order
CREATE TABLE orders_s (secret text, gone int, total numeric, region text NOT NULL, id int NOT NULL);
ALTER TABLE orders_s DROP COLUMN gone;
ALTER TABLE orders ATTACH PARTITION orders_s FOR VALUES IN ('south');
CREATE TABLE orders_x PARTITION OF orders DEFAULT PARTITION BY RANGE (id);
CREATE TABLE orders_x1 PARTITION OF orders_x FOR VALUES FROM (0) TO (100);
INSERT INTO orders VALUES (1, 'north', 1), (2, 'south', 2.0), (3, 'east', 3);
SELECT ledger_protect('orders', sensitive => '{secret}');
CREATE FUNCTION verdict(OUT status text, OUT entries bigint, OUT reread bigint, OUT reason text)
  LANGUAGE sql AS $$ SELECT status, entries, values_reread, regexp_replace(reason, 'entry \d+', 'entry N', 'g') FROM quality_gov.ledger_verify('shop.orders') $$;
SELECT * FROM verdict();
SELECT kind, subject, body -> 'row' ? 'secret' AS committed, body #>> '{row,total}' AS total FROM ledger_entry WHERE kind ~ '^row' ORDER BY subject;

-- through the root, directly, moved
INSERT INTO orders VALUES (4, 'north', 4, 'a'), (5, 'south', 5, 'b'), (6, 'west', 6, 'c');
INSERT INTO orders_s (id, region, secret) VALUES (7, 'south', 'd');
UPDATE orders_n SET total = total + 1;
UPDATE orders SET region = 'south' WHERE region = 'north' AND id = 4;
UPDATE orders SET id = id + 10 WHERE region = 'south';
DELETE FROM orders_x1 WHERE id = 3;
COPY orders_n (id, region) FROM stdin;
8	north
\.
SELECT * FROM verdict();
SELECT kind, count(*) FROM ledger_entry WHERE kind ~ '^row' GROUP BY 1 ORDER BY 1;
BEGIN; ALTER TABLE orders_s DISABLE TRIGGER USER; UPDATE orders_s SET secret = 'z' WHERE id = 17; SELECT * FROM verdict(); ROLLBACK;
BEGIN; ALTER TABLE orders_s DISABLE TRIGGER USER; DELETE FROM orders_s WHERE id = 17; SELECT * FROM verdict(); ROLLBACK;

-- a new partition has its rows entered at once, its TRUNCATE from maintenance() on
CREATE TABLE orders_c PARTITION OF orders FOR VALUES IN ('centre');
SELECT fault FROM ledger_guard_fault() ORDER BY 1;
INSERT INTO orders_c (id, region) VALUES (1, 'centre');
SELECT outcome, detail FROM maintenance() WHERE task = 'ledger_partitions';
SELECT outcome, detail FROM maintenance() WHERE task = 'ledger_partitions';
SELECT fault FROM ledger_guard_fault();
SELECT * FROM verdict();
TRUNCATE orders_c, orders_x;
SELECT subject, body - 'keys' AS body FROM ledger_entry WHERE kind = 'row_truncate' ORDER BY body ->> 'partition' COLLATE "C";
SELECT * FROM verdict();
BEGIN; INSERT INTO orders VALUES (1, 'centre'); ALTER TABLE orders_c DISABLE TRIGGER USER; DELETE FROM orders_c; SELECT * FROM verdict(); ROLLBACK;

-- the rows that left are counted and told apart: others cannot go in their shadow
BEGIN; ALTER TABLE orders_n DISABLE TRIGGER USER; DELETE FROM orders_n WHERE id = 8; SELECT * FROM verdict(); ROLLBACK;
BEGIN; ALTER TABLE orders DISABLE TRIGGER USER; DELETE FROM orders_n WHERE id = 8; INSERT INTO orders_c VALUES (77, 'centre'); ALTER TABLE orders ENABLE TRIGGER USER;
ALTER TABLE orders_n ENABLE TRIGGER USER; TRUNCATE orders_c; SELECT * FROM verdict(); ROLLBACK;
INSERT INTO orders_c (id, region) VALUES (1, 'centre'), (2, 'centre'); UPDATE orders_c SET id = 3 WHERE id = 2; DELETE FROM orders_c WHERE id = 1;
TRUNCATE orders_c;
INSERT INTO orders_c (id, region) VALUES (3, 'centre');
SELECT * FROM verdict();
TRUNCATE orders_c;
INSERT INTO orders (id, region) VALUES (3, 'centre');
SELECT * FROM verdict();

-- a partition that comes with rows needs its baseline; one that goes is let go of by ledger_detach()
CREATE TABLE orders_w (LIKE orders INCLUDING ALL);
INSERT INTO orders_w VALUES (50, 'harbour', 1, 'e');
ALTER TABLE orders ATTACH PARTITION orders_w FOR VALUES IN ('harbour');
SELECT * FROM verdict();
CALL ledger_baseline('orders');
SELECT * FROM verdict();
BEGIN; ALTER TABLE orders DETACH PARTITION orders_s; SELECT * FROM verdict(); ROLLBACK;
SELECT ledger_detach('orders_s');
SELECT * FROM verdict();
SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders_s'::regclass;
SELECT body - 'keys' AS body FROM ledger_entry WHERE body @> '{"detached": true}';
DELETE FROM orders_s WHERE id = 12;
SELECT * FROM verdict();
SELECT ledger_detach('orders_x');
SELECT tgrelid::regclass FROM pg_trigger WHERE tgrelid IN ('orders_x'::regclass, 'orders_x1'::regclass);
SELECT * FROM verdict();
SELECT ledger_detach('orders_s');
SELECT ledger_detach('orders');
-- detached without it, the rows are missed; the triggers that stay are of no use and confuse nobody
ALTER TABLE orders DETACH PARTITION orders_w;
SELECT status FROM verdict();
SELECT ledger_unprotect('orders_w');
SELECT guard_remove('orders_w', 'ledger');
SELECT ledger_unprotect('orders');
SELECT relation, kind FROM guard;

-- append-only: nothing changes, in no partition
CREATE TABLE log (id int PRIMARY KEY, what text) PARTITION BY RANGE (id);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (100);
CREATE TABLE flat (id int PRIMARY KEY, what text);
SELECT ledger_protect('log', append_only => true), ledger_protect('flat', append_only => true);
INSERT INTO log VALUES (1, 'a'); INSERT INTO log_1 VALUES (2, 'b'); INSERT INTO flat SELECT g, 'x' FROM generate_series(1, 3) g;
INSERT INTO flat VALUES (1, 'y') ON CONFLICT DO NOTHING;
\set VERBOSITY sqlstate
UPDATE log SET what = 'c';
UPDATE log_1 SET what = 'c';
DELETE FROM log WHERE id = 1;
DELETE FROM log_1;
TRUNCATE log;
TRUNCATE log_1;
UPDATE flat SET what = 'c';
DELETE FROM flat;
TRUNCATE flat;
INSERT INTO flat VALUES (1, 'y') ON CONFLICT (id) DO UPDATE SET what = 'y';
CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (100) TO (200);
INSERT INTO log VALUES (101, 'd');
UPDATE log_2 SET what = 'c';
SELECT detail FROM maintenance() WHERE task = 'ledger_partitions';
TRUNCATE log_2;
\set VERBOSITY default
UPDATE flat SET what = 'c';
SELECT subject, body FROM ledger_entry WHERE subject = 'shop.flat 2';
SELECT (body ->> 'row_sha256') = encode(sha256(convert_to(jcs(ledger_row_image(f)), 'UTF8')), 'hex') FROM ledger_entry e, flat f WHERE e.subject = ledger_row_subject(f, 'shop.flat') ORDER BY id;
SELECT scope, status, entries, values_reread FROM ledger_verify() WHERE scope IN ('shop.log', 'shop.flat');
BEGIN; ALTER TABLE flat DISABLE TRIGGER USER; UPDATE flat SET what = 'c' WHERE id = 2; SELECT status, regexp_replace(reason, 'entry \d+', 'entry N') FROM ledger_verify('shop.flat'); ROLLBACK;
ALTER TABLE flat ADD COLUMN more int;
SELECT status FROM ledger_verify('shop.flat');
DROP SCHEMA shop CASCADE;
SELECT status, reason FROM ledger_verify('shop.flat');
DROP EXTENSION quality_gov;
