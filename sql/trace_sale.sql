-- An attached table of order lines: what its rows become, however they are written, and what is refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
CREATE TABLE line (shop varchar(20), ord text, no int, code text, lot char(6), qty int, status text, sent timestamptz, made timestamptz DEFAULT '2026-11-01', extra jsonb, note text,
  PRIMARY KEY (ord, no));
INSERT INTO line VALUES ('m-0', 'old', 1, '73513537', 'B1', 2, 'paid', NULL, '2026-10-01', '{"from": "Fuzhou"}');
SELECT sale_attach('line', '{"merchant_id": "shop", "order_id": "ord", "line": "no", "gtin": "code", "lot": "lot", "quantity": "qty", "state": "status", "shipped_at": "sent", "at": "made",
  "ship_from": "extra ->> ''from''", "serial": "extra -> ''serials'' ->> 0"}', '{"paid": "open", "done": "delivered", "refunded": "returned", "*": "shipped"}');
SELECT kind, options, triggers FROM guard WHERE relation = 'line'::regclass;
CREATE VIEW shown AS SELECT merchant_id AS m, order_id AS o, line AS l, gtin, lot_code AS lot, serial, quantity AS q, state, sold_at::date AS sold, shipped_at::date AS shipped, ship_from FROM sale;

-- inserted, with what cannot be read and what is no sale
INSERT INTO line VALUES ('m-1', 'o1', 1, '6901234567892', 'A1', 3, 'paid', NULL, '2026-11-01', '{"from": "Wuhan", "serials": ["s1", "s2"]}');
INSERT INTO line (shop, ord, no, code, lot, qty, status, sent) VALUES ('m-1', 'o1', 2, ' ６９０１２３４５６７８９２ ', '  ', NULL, 'done', NULL), ('m-1', 'o2', 1, '6901234567890', 'A1', 1, 'unheard of', NULL), ('m-1', 'o2', 2, 'tea', NULL, 0, 'paid', NULL),
  (NULL, 'o3', 1, 'tea', NULL, 1, 'paid', NULL), ('  ', 'o3', 2, 'tea', NULL, 1, 'paid', NULL), ('m-1', 'o4', 1, '73513537', 'B1', 1, NULL, NULL), ('m-1', 'o4', 2, NULL, 'B1', 1, NULL, '2026-11-03');
SELECT * FROM shown ORDER BY 1, 2, 3;
-- changed: what nothing maps changes nothing, states and lots are followed, a row that becomes no sale is cancelled
SELECT max(changed_at) AS changed FROM sale \gset
UPDATE line SET note = 'x' WHERE ord = 'o1';
SELECT count(*) AS touched FROM sale WHERE changed_at > :'changed';
UPDATE line SET status = 'done', sent = '2026-11-04', lot = 'A2' WHERE ord = 'o1' AND no = 1;
UPDATE line SET qty = 0 WHERE ord = 'o2' AND no = 1;
UPDATE line SET qty = 4 WHERE ord = 'o2' AND no = 2;
UPDATE line SET made = NULL, status = 'refunded' WHERE ord = 'o4' AND no = 1;
SELECT * FROM shown ORDER BY 1, 2, 3;
-- keys that move, also onto each other; deleted: what was delivered stays sold
ALTER TABLE line DROP CONSTRAINT line_pkey, ADD PRIMARY KEY (ord, no) DEFERRABLE;
UPDATE line SET no = 3 - no WHERE ord = 'o1';
ALTER TABLE line DROP CONSTRAINT line_pkey, ADD PRIMARY KEY (ord, no);
UPDATE line SET ord = 'o5' WHERE ord = 'o4' AND no = 1;
DELETE FROM line WHERE ord IN ('o1', 'o2');
SELECT m, o, l, gtin, lot, q, state FROM shown ORDER BY 1, 2, 3;
-- one that comes back
INSERT INTO line VALUES ('m-1', 'o2', 2, NULL, NULL, 1, 'paid');
SELECT o, l, q, state FROM shown WHERE o = 'o2' AND l = '2';
-- rows that were there before are loaded once; merges, COPY, CTEs and ON CONFLICT go the same way
SELECT sale_backfill('line'), sale_backfill('line');
SELECT * FROM shown WHERE m = 'm-0';
COPY line (shop, ord, no, code, status) FROM stdin;
m-1	o6	1	73513537	paid
m-1	o6	2	73513537	paid
\.
INSERT INTO line (shop, ord, no, status) VALUES ('m-1', 'o6', 1, 'x'), ('m-1', 'o6', 3, 'paid') ON CONFLICT DO NOTHING;
WITH gone AS (DELETE FROM line WHERE ord = 'o6' AND no = 2 RETURNING *) INSERT INTO line SELECT shop, 'o7', no, code FROM gone;
MERGE INTO line t USING (VALUES ('o6', 1), ('o8', 1)) s(ord, no) ON t.ord = s.ord AND t.no = s.no
  WHEN MATCHED THEN UPDATE SET status = 'done' WHEN NOT MATCHED THEN INSERT (shop, ord, no, status) VALUES ('m-1', s.ord, s.no, 'paid');
SELECT o, l, state FROM shown WHERE o > 'o5' ORDER BY 1, 2;
-- a trigger of the platform changes a row before its insertion's end is told
CREATE FUNCTION ship() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  BEGIN UPDATE line SET status = 'shipped' WHERE ord = NEW.ord AND no = NEW.no; EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NULL; END $$;
CREATE TRIGGER aa_ship AFTER INSERT ON line FOR EACH ROW EXECUTE FUNCTION ship();
BEGIN;
INSERT INTO line (shop, ord, no, status) VALUES ('m-1', 'o9', 1, 'paid'), ('m-1', 'o9', 2, 'paid');
SELECT o, l, state FROM shown WHERE o = 'o9' ORDER BY 2;
UPDATE line SET status = 'done' WHERE ord = 'o9' AND no = 1;
SAVEPOINT s;
DELETE FROM line WHERE ord = 'o9' AND no = 2;
ROLLBACK TO s;
UPDATE line SET qty = 7 WHERE ord = 'o9' AND no = 2;
COMMIT;
SELECT o, l, q, state FROM shown WHERE o = 'o9' ORDER BY 2;
-- many, more than are written together
INSERT INTO line (shop, ord, no, code, status) SELECT 'm-' || g % 3, 'b' || g, 1, '73513537', 'paid' FROM generate_series(1, 4500) g;
UPDATE line SET status = 'done' WHERE ord LIKE 'b%' AND shop = 'm-0';
DELETE FROM line WHERE ord LIKE 'b%';
SELECT state, count(*) FROM sale WHERE order_id LIKE 'b%' GROUP BY 1 ORDER BY 1;
DROP TRIGGER aa_ship ON line;
-- partitioned, and rows that move between partitions
CREATE TABLE part (shop text, id bigint, day date, status text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE part_11 PARTITION OF part FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
CREATE TABLE part_12 PARTITION OF part FOR VALUES FROM ('2026-12-01') TO ('2027-01-01');
SELECT sale_attach('part', '{"merchant_id": "shop", "order_id": "id"}');
INSERT INTO part VALUES ('m-9', 1, '2026-11-02'), ('m-9', 2, '2026-12-02');
UPDATE part SET day = '2026-12-03' WHERE id = 1;
SELECT sale_record('{"merchant_id": "m-9", "order_id": "1", "lot": "L1", "state": "delivered"}');
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-9', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT sale_record('[{"merchant_id": "m-9", "order_id": "1", "lot": "L1", "state": "delivered"}, {"merchant_id": "m-9", "order_id": "3", "gtin": "73513537", "quantity": 2.5, "at": "2026-11-02 00:00+08", "shipped_at": "2026-11-03 00:00+08"}]');
UPDATE part SET shop = 'm-9', day = '2026-11-05' WHERE id = 1;
SELECT * FROM (SELECT o, l, gtin, lot, q, state FROM shown WHERE m = 'm-9') s ORDER BY o;
SELECT sale_attach('part_11', '{"merchant_id": "shop", "order_id": "id"}');
INSERT INTO part_11 VALUES ('m-9', 4, '2026-11-02');
SELECT o FROM shown WHERE m = 'm-9' AND o = '4';

-- refused
INSERT INTO line (shop, ord, no, made) VALUES ('m-1', 'p1', 1, 'infinity');
INSERT INTO line (shop, ord, no, sent) VALUES ('m-1', 'p1', 1, '-infinity');
SELECT sale_attach('line', '{"merchant_id": "shop", "order_id": "ord", "line": "no"}');
SELECT sale_attach('part_12', '{"merchant_id": "shop"}');
SELECT sale_attach('part_12', '{"merchant_id": "shop", "order_id": "shop"}');
CREATE TABLE unnamed (shop text NOT NULL, ord text NOT NULL, no text, UNIQUE (shop, ord, no));
SELECT sale_attach('unnamed', '{"merchant_id": "shop", "order_id": "ord", "line": "no"}');
ALTER TABLE unnamed DROP CONSTRAINT unnamed_shop_ord_no_key, ADD UNIQUE NULLS NOT DISTINCT (shop, ord, no);
SELECT sale_attach('unnamed', '{"merchant_id": "shop", "order_id": "ord", "line": "no"}');
SELECT sale_attach('part_12', '{"merchant_id": "shop", "order_id": "id", "colour": "id"}');
SELECT sale_attach('part_12', '{"merchant_id": "shop", "order_id": "id", "quantity": "shop"}');
SELECT sale_attach('part_12', '{"merchant_id": "shop", "order_id": "id"}', '{"paid": "open"}');
SELECT sale_attach('part_12', '{"merchant_id": "shop", "order_id": "id", "state": "status"}', '{"paid": "opened"}');
SELECT sale_attach('part_12', '{"merchant_id": "shop", "order_id": "id", "state": "status"}', '[]');
SELECT sale_attach('sale', '{"merchant_id": "merchant_id", "order_id": "order_id"}');
SELECT sale_backfill('part_12');
SELECT sale_record('{"merchant_id": "m-9"}');
SELECT sale_record('{"merchant_id": "m-9", "order_id": "1", "state": "lost"}');
SELECT sale_record('{"merchant_id": "m-9", "order_id": "1", "gtin": "73513530"}');
SELECT sale_record('{"merchant_id": "m-9", "order_id": "1", "quantity": -1}');
SELECT sale_record('[1]');
SELECT sale_record(NULL);
-- let go, and no sooner
UPDATE sale SET sold_at = '2020-01-01', changed_at = '2020-01-01' WHERE order_id IN ('b3', 'o6', 'old');
SELECT sale_retire();
SELECT order_id, line, state FROM sale WHERE sold_at < '2021-01-01' ORDER BY 1, 2;
\set VERBOSITY sqlstate
SELECT sale_retire(now());
-- the trigger and the loading read alike
CREATE TABLE spelt (shop text, id int PRIMARY KEY, code bigint, lot text, qty numeric, word text, extra jsonb, at timestamptz);
SELECT sale_attach('spelt', '{"merchant_id": "shop", "order_id": "id", "gtin": "code", "lot": "lot", "quantity": "qty", "state": "word", "product": "extra -> ''name''", "at": "at"}', '{"gone": "returned"}');
INSERT INTO spelt SELECT 'm-s', g, (ARRAY[73513537, 12345678905, 1, NULL])[1 + g % 4], (ARRAY['L', ' ', '', NULL])[1 + g % 4], (ARRAY[1.5, NULL, 0, 2, -1])[1 + g % 5],
  (ARRAY['gone', 'shipped', 'odd', NULL, ' '])[1 + g % 5], (ARRAY['{"name": "tea"}', '{"name": 7}', '{"name": null}', '{"name": [1]}', NULL]::jsonb[])[1 + g % 5], '2026-11-01' FROM generate_series(1, 40) g;
CREATE TABLE told AS SELECT * FROM sale WHERE merchant_id = 'm-s';
DELETE FROM sale WHERE merchant_id = 'm-s';
SELECT sale_backfill('spelt');
SELECT count(*) AS both, count(*) FILTER (WHERE to_jsonb(a) - 'changed_at' IS DISTINCT FROM to_jsonb(b) - 'changed_at') AS differ
FROM told a FULL JOIN (SELECT * FROM sale WHERE merchant_id = 'm-s') b USING (order_id);
-- so do the trigger and gtin_try() read GTINs
CREATE TABLE coded (shop text, id int PRIMARY KEY, code text);
SELECT sale_attach('coded', '{"merchant_id": "shop", "order_id": "id", "gtin": "code"}');
INSERT INTO coded SELECT 'm-c', row_number() OVER (), c FROM unnest(ARRAY['96385074', ' 96385074 ', E'\t96385074', '963850 74', '96385075', '036000291452', '6901234567892', '16901234567899', '690123456789', '06901234567892',
  '006901234567892', '0', '00000000', '', ' ', 'x96385074', '96385074x', '-96385074', U&'\FF19\FF16\FF13\FF18\FF15\FF10\FF17\FF14', U&'\300096385074\3000', U&'\0661\0662', '99999999999999999999999']) c;
SELECT count(s.gtin) AS read, count(*) FILTER (WHERE s.gtin IS DISTINCT FROM gtin_try(c.code)) AS differ FROM sale s JOIN coded c ON s.merchant_id = 'm-c' AND s.order_id = c.id::text;
SELECT guard_remove('spelt'), guard_remove('coded');
-- what lies inside jsonb may name a line twice: the last one counts, and the statement goes through
CREATE TABLE loose (id int PRIMARY KEY, d jsonb);
SELECT sale_attach('loose', '{"merchant_id": "d ->> ''m''", "order_id": "d ->> ''o''", "quantity": "id"}');
INSERT INTO loose VALUES (1, '{"m": "m-9", "o": "j1"}'), (2, '{"m": "m-9", "o": "j1"}'), (3, '{"m": "m-9", "o": "j2"}');
UPDATE loose SET id = id + 10;
SELECT o, q, state FROM shown WHERE o LIKE 'j%' ORDER BY 1;
UPDATE loose SET d = jsonb_set(d, '{o}', '"j3"');
SELECT o, q, state FROM shown WHERE o LIKE 'j%' ORDER BY 1;
DROP TABLE spelt, told, coded, unnamed, loose;
SELECT guard_remove('line', 'sale'), guard_remove('part', 'sale'), guard_remove('part_11', 'sale');
DROP VIEW shown;
DROP TABLE line, part;
DROP FUNCTION ship;
DROP EXTENSION quality_gov;
