-- the ledger: what an administrator cannot enter in it by hand, and triggers that were tampered with
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SELECT count(*) > 0 AS roles FROM quality_gov.roles_create();
CREATE ROLE regress_admin;
GRANT quality_gov_admin TO regress_admin;
CREATE SCHEMA shop AUTHORIZATION regress_admin;
SET ROLE regress_admin;
SET search_path = quality_gov, shop, public;
CREATE TABLE shop.product (id int PRIMARY KEY, title text, phone text);
CREATE TABLE shop.other (id int PRIMARY KEY);
CREATE TABLE shop.orders (id int PRIMARY KEY, k int, d text, l text) PARTITION BY RANGE (id);
CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (0) TO (100);
CREATE TABLE shop.orders_2 PARTITION OF shop.orders FOR VALUES FROM (100) TO (200);
INSERT INTO shop.product VALUES (1, 'cup', '139');
SELECT ledger_protect('product', sensitive => '{phone}'), ledger_protect('orders');

-- kinds that verification believes
SELECT ledger_record('row_update', 'shop.product 1', '{"relation": "shop.product", "row": {"id": 1}}');
SELECT ledger_record('row_truncate', 'shop.product', '{"relation": "shop.product"}');
SELECT ledger_record('ledger_erase', 'shop.product 1', '{}');
SELECT ledger_record('ledger', 'x', '{}') > 0 AS ok, ledger_record('rows', 'x', '{}') > 0 AS ok;
RESET ROLE;
GRANT EXECUTE ON FUNCTION ledger_record_all(text, text[], jsonb[]) TO regress_admin;
SET ROLE regress_admin;
SELECT ledger_record_all('ledger_unprotect', '{shop.product}', '{"{}"}');

-- a row enters as it is, and nowhere but from a protected table
SELECT ledger_row_enter('product', '(0,1)'), ledger_row_enter('product', '(0,9)');
SELECT ledger_row_enter('product', '(9,1)');
SELECT ledger_row_enter('orders', '(0,1)');
SELECT ledger_row_enter('other', '(0,1)');
BEGIN; DELETE FROM product; SELECT ledger_row_enter('product', '(0,1)'); ROLLBACK;
SELECT kind, subject, body #>> '{row,title}' AS title, body #> '{row,phone}' ? 'commitment' AS phone FROM ledger_entry WHERE kind ~ '^row_' ORDER BY entry_id;
-- what is listed already is not listed anew
SELECT ledger_protected_note('shop.product'), ledger_protected_note('shop.none');
SELECT ledger_partition_leave('orders_1', 'shop.orders', true);
SELECT ledger_partition_leave('other', 'shop.orders', true);
SELECT ledger_partition_leave('orders_1', 'shop.product', false);
SELECT kind, subject FROM ledger_entry WHERE kind !~ '^row_' ORDER BY entry_id;

-- partitions whose columns have the names that our queries use
INSERT INTO orders VALUES (1, 1), (2, 2), (101, 3), (102, 4);
TRUNCATE orders_1;
SELECT ledger_detach('orders_2');
SELECT scope, status, entries, reason FROM ledger_verify() WHERE scope ~ '^shop' OR scope IN ('registers', 'guards');
-- verification runs no code of a table's owner, whose indexes the planner would look at
CREATE FUNCTION shop.seen(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
CREATE INDEX ON product (title) WHERE shop.seen(1);
CREATE INDEX ON orders_1 (k) WHERE shop.seen(1);
CREATE OR REPLACE FUNCTION shop.seen(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
  IF current_user <> 'regress_admin' THEN RAISE EXCEPTION 'run by another'; END IF; RETURN true; END $$;
SELECT scope, status FROM ledger_verify() WHERE scope ~ '^shop';
TRUNCATE orders_1;
-- a column cannot stand for the row
CREATE TYPE shop.twin AS (id int, title text, phone text);
BEGIN;
ALTER TABLE product ADD COLUMN "row of ours" shop.twin;
SELECT status, reason FROM ledger_verify('shop.product');
ALTER TABLE product DISABLE TRIGGER USER;
UPDATE product SET title = 'jar', "row of ours" = (1, 'cup', '139');
SELECT status, reason FROM ledger_verify('shop.product');
ROLLBACK;

-- triggers
RESET ROLE;
BEGIN; DROP TRIGGER quality_gov_ledger_update ON product; SELECT * FROM ledger_guard_fault(); SELECT status FROM ledger_verify('guards'); ROLLBACK;
BEGIN; DROP TRIGGER quality_gov_ledger_truncate ON orders; SELECT * FROM ledger_guard_fault(); ROLLBACK;
BEGIN; ALTER TABLE orders_1 DISABLE TRIGGER quality_gov_ledger_row; SELECT * FROM ledger_guard_fault(); ROLLBACK;
BEGIN;
DROP TRIGGER quality_gov_ledger_delete ON product;
CREATE TRIGGER quality_gov_ledger_delete AFTER DELETE ON product REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT WHEN (false)
  EXECUTE FUNCTION ledger_row('ledger', '{"phone": "phone"}', '{"label": "shop.product", "append_only": "false", "retention": "record_retention"}');
SELECT * FROM ledger_guard_fault();
DROP TRIGGER quality_gov_ledger_delete ON product;
CREATE TRIGGER quality_gov_ledger_delete AFTER DELETE ON product REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
  EXECUTE FUNCTION ledger_row('ledger', '{"phone": "title"}', '{"label": "shop.product", "append_only": "false", "retention": "record_retention"}');
SELECT * FROM ledger_guard_fault();
ROLLBACK;
BEGIN;
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION ledger_row('ledger', '{}', '{"label": "shop.product"}');
SELECT * FROM ledger_guard_fault() WHERE fault !~ 'as ledger_protect';
ROLLBACK;
SELECT * FROM ledger_guard_fault();
DROP SCHEMA shop CASCADE;
DROP EXTENSION quality_gov;
DROP OWNED BY regress_admin;
DROP ROLE regress_admin;
