-- protected tables: who may protect, that writers need no rights of ours, and what is refused
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SELECT count(*) > 0 AS roles FROM quality_gov.roles_create();
CREATE ROLE regress_owner; CREATE ROLE regress_writer; CREATE ROLE regress_admin; CREATE ROLE regress_regulator;
GRANT quality_gov_admin TO regress_owner, regress_admin; GRANT quality_gov_regulator TO regress_regulator;
CREATE SCHEMA shop AUTHORIZATION regress_owner;
SET ROLE regress_owner;
CREATE TABLE shop.product (id int PRIMARY KEY, title text, phone text, "Owner ""x""" text);
CREATE TABLE shop.orders (id int PRIMARY KEY, total numeric) PARTITION BY RANGE (id);
CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (0) TO (100);
GRANT USAGE ON SCHEMA shop TO regress_writer, regress_admin, regress_regulator; GRANT INSERT, UPDATE, DELETE, SELECT, TRUNCATE ON shop.product, shop.orders, shop.orders_1 TO regress_writer;
INSERT INTO shop.product VALUES (1, 'cup', '139', 'x');

-- an administrator who does not own it, the owner without the role, the owner
SET ROLE regress_admin;
SELECT quality_gov.ledger_protect('shop.product');
SET ROLE regress_owner;
SELECT quality_gov.ledger_protect('shop.product', sensitive => ARRAY['phone', 'Owner "x"']), quality_gov.ledger_protect('shop.orders', append_only => true);
SELECT label, append_only, sensitive, ended_at IS NULL AS holds FROM quality_gov.ledger_protected ORDER BY label;
SELECT kind, role FROM quality_gov.ledger_entry ORDER BY entry_id;
-- a writer needs nothing but the table
SET ROLE regress_writer;
INSERT INTO shop.product VALUES (2, 'bowl', '137', NULL), (3, 'jar', NULL, NULL);
UPDATE shop.product SET title = 'vase' WHERE id = 1;
INSERT INTO shop.orders VALUES (1, 2);
TRUNCATE shop.orders_1;
DELETE FROM shop.product WHERE id = 3;
SELECT count(*) FROM quality_gov.ledger_entry;
SELECT count(*) FROM quality_gov.ledger_secret;
SELECT quality_gov.ledger_unprotect('shop.product');
SELECT quality_gov.ledger_row_enter('shop.product', '(0,1)');
RESET ROLE;
SELECT kind, subject, body #> '{row,phone}' ? 'commitment' AS phone, body #> ARRAY['row', 'Owner "x"'] ? 'commitment' AS owner FROM quality_gov.ledger_entry WHERE subject LIKE 'shop.product%' ORDER BY entry_id;
SELECT s.field, s.value, length(s.salt), e.body #>> ARRAY['row', s.field, 'commitment'] = encode(sha256(s.salt || convert_to(quality_gov.jcs(s.value), 'UTF8')), 'hex') AS fits
FROM quality_gov.ledger_secret s JOIN quality_gov.ledger_entry e USING (entry_id) ORDER BY s.entry_id, s.field COLLATE "C";
SELECT scope, status, entries, values_reread FROM quality_gov.ledger_verify() WHERE scope LIKE 'shop%';
BEGIN; UPDATE quality_gov.ledger_secret SET value = '["138"]' WHERE value = '["137"]'; SELECT status, regexp_replace(reason, 'entry \d+', 'entry N') FROM quality_gov.ledger_verify('shop.product'); ROLLBACK;
BEGIN; DELETE FROM quality_gov.ledger_secret WHERE value = '["137"]'; SELECT status, regexp_replace(reason, 'entry \d+', 'entry N') FROM quality_gov.ledger_verify('shop.product'); ROLLBACK;

-- what no role may do
SET ROLE regress_admin;
SELECT count(*) FROM quality_gov.ledger_secret;
UPDATE quality_gov.ledger_protected SET ended_at = now();
SELECT quality_gov.ledger_protected_note('shop.product'), quality_gov.ledger_protected_note('shop.none');
SELECT label, ended_at FROM quality_gov.ledger_protected ORDER BY label;
SELECT quality_gov.ledger_unprotect('shop.product');
SET ROLE regress_regulator;
SELECT count(*) FROM quality_gov.ledger_protected;
SELECT quality_gov.ledger_protect('shop.product');
SELECT * FROM quality_gov.ledger_erase('shop.product 1', 'b');
SET ROLE regress_owner;
SELECT quality_gov.ledger_unprotect('shop.product');
SELECT label, ended_at IS NULL AS holds FROM quality_gov.ledger_protected ORDER BY label;
SELECT quality_gov.ledger_unprotect('shop.product');
CALL quality_gov.ledger_baseline('shop.product');

-- rows that a policy hides from the owner cannot be left out in silence
CREATE TABLE shop.hidden (id int PRIMARY KEY);
INSERT INTO shop.hidden VALUES (1);
ALTER TABLE shop.hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE shop.hidden FORCE ROW LEVEL SECURITY;
SELECT quality_gov.ledger_protect('shop.hidden');

-- what cannot be protected
RESET ROLE;
\set VERBOSITY terse
SET search_path = shop, quality_gov, public;
CREATE TABLE keyless (id int); CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE); CREATE TEMP TABLE passing (id int PRIMARY KEY); CREATE UNLOGGED TABLE fast (id int PRIMARY KEY);
CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent); CREATE VIEW seen AS SELECT 1 AS id;
SELECT ledger_protect('keyless');
SELECT ledger_protect('deferred');
SELECT ledger_protect('passing');
SELECT ledger_protect('fast');
SELECT ledger_protect('parent');
SELECT ledger_protect('child');
SELECT ledger_protect('seen');
SELECT ledger_protect('orders_1');
SELECT ledger_protect('orders');
SELECT ledger_protect('ledger_entry');
SELECT ledger_protect('product', sensitive => '{id}');
SELECT ledger_protect('product', sensitive => '{nothing}');
SELECT ledger_protect('product', sensitive => '{phone,NULL}');
SELECT ledger_protect('product', sensitive => '{phone}', append_only => true);
SELECT ledger_protect('product', retention => 'minor_fine_entity');
SELECT ledger_protect('product', retention => NULL);
SELECT ledger_protect('product', NULL);
SELECT ledger_protect(NULL);
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT ledger_protect('product'); ROLLBACK;
CALL ledger_baseline('orders', 0);
CREATE FUNCTION ours() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER made_by_hand AFTER INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION ledger_row('ledger', '{}', '{}');
INSERT INTO keyless VALUES (1);
DROP TRIGGER made_by_hand ON keyless;
CREATE TRIGGER made_by_hand AFTER INSERT ON product FOR EACH STATEMENT EXECUTE FUNCTION ledger_row('ledger', '{}', '{"label": "x"}');
INSERT INTO product VALUES (9);
-- a sensitive column that is renamed stops writing until the table is protected anew; a key that is gone does too
DROP TRIGGER made_by_hand ON product;
SELECT ledger_protect('product', sensitive => '{phone}');
BEGIN; ALTER TABLE product RENAME phone TO mobile; UPDATE product SET mobile = '1'; ROLLBACK;
BEGIN; ALTER TABLE product DROP CONSTRAINT product_pkey; UPDATE product SET title = '1'; ROLLBACK;
DROP SCHEMA shop CASCADE;
DROP EXTENSION quality_gov;
DROP OWNED BY regress_owner, regress_writer, regress_admin, regress_regulator;
DROP ROLE regress_owner, regress_writer, regress_admin, regress_regulator;
