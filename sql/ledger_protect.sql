-- protected tables: every statement that changes rows is entered, and the last entry of each key is the row
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
CREATE SCHEMA shop;
SET search_path = shop, quality_gov, public;
CREATE TABLE product (id int PRIMARY KEY, title text NOT NULL, price numeric, seller text);
INSERT INTO product VALUES (1, 'cup', 1.50, 'm-1'), (2, 'bowl', NULL, 'm-2');
SELECT ledger_protect('product');
SELECT label, append_only, sensitive, retention, ended_at FROM ledger_protected;
-- what was entered since the last call, and what verification says
CREATE TABLE seen AS SELECT 0::bigint AS id;
CREATE FUNCTION news(OUT kind text, OUT subject text, OUT body jsonb) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE upto bigint := (SELECT max(entry_id) FROM quality_gov.ledger_entry); BEGIN
  RETURN QUERY SELECT e.kind, e.subject, COALESCE(e.body -> 'row', e.body - 'relation' - 'key') || jsonb_strip_nulls(jsonb_build_object('old_key', e.body -> 'old_key'))
    FROM quality_gov.ledger_entry e, shop.seen s WHERE e.entry_id > s.id ORDER BY e.entry_id;
  UPDATE shop.seen SET id = upto;
END $$;
CREATE FUNCTION verdict(label text DEFAULT 'shop.product', OUT status text, OUT entries bigint, OUT reread bigint, OUT bad boolean, OUT reason text)
  LANGUAGE sql AS $$ SELECT status, entries, values_reread, first_bad IS NOT NULL, regexp_replace(reason, 'entry \d+', 'entry N', 'g') FROM quality_gov.ledger_verify(label) $$;
SELECT * FROM news();
SELECT * FROM verdict();

-- statements
INSERT INTO product SELECT g, 'p' || g, g FROM generate_series(3, 5) g;
COPY product (id, title) FROM stdin;
6	copied
\.
UPDATE product SET price = 2 WHERE id = 1;
UPDATE product SET price = 2 WHERE id = 99;
DELETE FROM product WHERE id = 6;
SELECT * FROM news();
-- keys that change: under the old one the row is gone
UPDATE product SET id = 10 WHERE id = 5;
SELECT * FROM news();
DELETE FROM product WHERE id = 1; UPDATE product SET id = id - 1 WHERE id < 10;
SELECT kind, subject FROM news();
SELECT * FROM verdict();
-- a row comes and goes in one transaction, and what is rolled back leaves no entry
BEGIN;
INSERT INTO product VALUES (20, 'short', 1);
SAVEPOINT a;
UPDATE product SET title = 'undone' WHERE id = 20;
INSERT INTO product VALUES (21, 'undone', 1);
ROLLBACK TO a;
DELETE FROM product WHERE id = 20;
INSERT INTO product VALUES (20, 'again', 1);
COMMIT;
SELECT kind, subject, body ->> 'title' AS title FROM news() WHERE subject LIKE '% 2_';
SELECT * FROM verdict();

-- both at once
INSERT INTO product VALUES (20, 'upsert', 1), (30, 'new', 1) ON CONFLICT (id) DO UPDATE SET title = excluded.title, price = product.price + 1;
INSERT INTO product VALUES (20, 'nothing', 1), (31, 'new', 1) ON CONFLICT DO NOTHING;
SELECT * FROM news();
MERGE INTO product p USING (VALUES (20, 'merged'), (30, NULL), (40, 'merged')) AS s(id, title) ON p.id = s.id
  WHEN MATCHED AND s.title IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET title = s.title WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.title);
SELECT * FROM news();
SELECT * FROM verdict();
-- parts of one query have no order: the row comes back, though the insertion was over first
WITH gone AS (DELETE FROM product WHERE id IN (20, 31) RETURNING id) INSERT INTO product SELECT id, 'back', 3 FROM gone LIMIT 1;
SELECT kind, subject, body ->> 'title' AS title FROM news();
SELECT * FROM verdict();
WITH a AS (UPDATE product SET title = 'a' WHERE id = 2 RETURNING id), b AS (UPDATE product SET title = 'b' WHERE id = 1 RETURNING id), c AS (INSERT INTO product VALUES (50, 'c') RETURNING id)
SELECT count(*) FROM a, b, c;
SELECT kind, subject, body ->> 'title' AS title FROM news();
SELECT * FROM verdict();

-- cascades
CREATE TABLE seller (id text PRIMARY KEY);
INSERT INTO seller VALUES ('m-1'), ('m-2'), ('m-3');
UPDATE product SET seller = 'm-' || id % 3 + 1;
ALTER TABLE product ADD FOREIGN KEY (seller) REFERENCES seller ON UPDATE CASCADE ON DELETE SET NULL;
SELECT count(*) FROM news();
UPDATE seller SET id = 'n-1' WHERE id = 'm-1';
DELETE FROM seller WHERE id = 'm-2';
SELECT count(*), count(DISTINCT subject) FROM news() WHERE kind = 'row_update';
SELECT * FROM verdict();
BEGIN; DELETE FROM product WHERE id = 1; TRUNCATE seller CASCADE; SELECT * FROM news(); SELECT * FROM verdict(); ROLLBACK;
TRUNCATE product;
SELECT count(*) FROM ledger_entry WHERE kind = 'row_truncate' AND subject = 'shop.product';
SELECT * FROM verdict();
INSERT INTO product VALUES (1, 'after', 1);
SELECT * FROM verdict();

-- what happens without the triggers is found, what happened to entries too
BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO product VALUES (2, 'silent', 1); SELECT * FROM verdict(); ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica; UPDATE product SET price = 1.0; SELECT * FROM verdict(); ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM product; SELECT * FROM verdict(); ROLLBACK;
BEGIN; ALTER TABLE product DISABLE TRIGGER quality_gov_ledger_update; SELECT fault FROM ledger_guard_fault() WHERE fault ~ 'product'; ROLLBACK;
BEGIN; CREATE TABLE child () INHERITS (product); SELECT fault FROM ledger_guard_fault() WHERE fault ~ 'product'; ROLLBACK;
-- a column that is added holds nothing until it does; a table keeps its name in the ledger
ALTER TABLE product ADD COLUMN origin text;
ALTER TABLE product RENAME TO goods;
ALTER TABLE goods SET SCHEMA public;
SELECT * FROM verdict();
UPDATE goods SET origin = 'Hangzhou';
SELECT * FROM news() WHERE kind = 'row_update';
SELECT ledger_label('goods'), status FROM verdict();
CREATE TABLE product (id int CONSTRAINT other PRIMARY KEY);
SELECT ledger_protect('product');
BEGIN; ALTER TABLE goods RENAME COLUMN title TO name; SELECT * FROM verdict(); ROLLBACK;
ALTER TABLE goods DROP COLUMN origin;
SELECT * FROM verdict();
-- protected anew, it is entered as it is now
SELECT ledger_unprotect('goods');
SELECT label, ended_at > since AS ended FROM ledger_protected;
UPDATE goods SET title = 'unseen';
SELECT kind, subject FROM news();
ALTER TABLE goods SET SCHEMA shop; DROP TABLE product; ALTER TABLE goods RENAME TO product;
SELECT ledger_protect('product', baseline => false);
SELECT * FROM verdict();
CALL ledger_baseline('product', 1);
SELECT * FROM news() WHERE kind = 'row_baseline';
CALL ledger_baseline('product');
SELECT count(*) FROM news();
SELECT * FROM verdict();
SELECT ledger_unprotect('product');
DROP SCHEMA shop CASCADE;
DROP EXTENSION quality_gov;
