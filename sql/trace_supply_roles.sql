-- Supply and sales as roles that are no superusers: what a merchant can say and see of others, and what a policy hides.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT count(*) > 0 AS roles FROM quality_gov.roles_create();
CREATE ROLE regress_admin; CREATE ROLE regress_app; CREATE ROLE regress_one; CREATE ROLE regress_two; CREATE ROLE regress_nobody;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_app TO regress_app; GRANT quality_gov_merchant TO regress_one, regress_two;
INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT quality_gov.merchant_member_add('regress_one', 'm-1'), quality_gov.merchant_member_add('regress_two', 'm-2');
SELECT quality_gov.supplier_record('{"supplier_id": "s-bad", "name": "Barred"}'), quality_gov.supplier_record('{"supplier_id": "s-2", "name": "Farm", "address": "Wuhan"}');
SELECT quality_gov.lot_record('6901234567892', 'A1', 'Mill', 'm-2') AS theirs, quality_gov.lot_record('6901234567892', 'A2', 'Mill', 'm-1') AS ours,
       quality_gov.lot_record('6901234567892', 'A3', 'Mill') AS anyones \gset
-- a purchase of one merchant says nothing of where another's lot came from
SET ROLE regress_one;
SELECT quality_gov.purchase_record(format('{"merchant_id": "m-1", "supplier_id": "s-bad", "gtin": "6901234567892", "lot": "%s", "purchased_at": "2026-11-01"}', l)::jsonb) > 0 AS bought
FROM unnest('{A1,A2,A3}'::text[]) l;
SELECT quality_gov.purchase_record('{"merchant_id": "m-2", "purchased_at": "2026-11-01"}');
RESET ROLE;
SELECT lot_code, merchant_id, supplier_id FROM quality_gov.lot ORDER BY 1;
SET ROLE regress_app;
SELECT quality_gov.purchase_record('{"merchant_id": "m-2", "supplier_id": "s-2", "gtin": "6901234567892", "lot": "A1", "purchased_at": "2026-11-01"}') > 0 AS bought;
RESET ROLE;
SELECT supplier_id FROM quality_gov.lot WHERE lot_id = :theirs;
-- sales and purchases are seen by whose they are
SELECT quality_gov.sale_record('[{"merchant_id": "m-1", "order_id": "o1", "gtin": "6901234567892", "lot": "A2", "buyer": "b1", "at": "2026-11-01"}, {"merchant_id": "m-2", "order_id": "o2", "gtin": "6901234567892", "lot": "A1", "buyer": "b2", "at": "2026-11-01"}]');
SET ROLE regress_two;
SELECT merchant_id, order_id, buyer FROM quality_gov.sale;
SELECT merchant_id, supplier_id FROM quality_gov.purchase_standing;
SELECT merchant_id, supplier_id FROM quality_gov.purchase;
SELECT * FROM quality_gov.lot_sale;
SELECT * FROM quality_gov.supplier;
SELECT quality_gov.trace_forward(:theirs);
SELECT quality_gov.sale_record('[]');
SET ROLE regress_nobody;
SELECT count(*) FROM quality_gov.lot_balance;
RESET ROLE;
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'quality_gov'::regnamespace AND p.proname ~ '^(gtin_(alias|names|cur|codes|try)|lot_|trace_|recall_|suppl|purchase_|sale_)'
  AND has_function_privilege('regress_nobody', p.oid, 'EXECUTE') ORDER BY 1;
-- a backfill of who does not see every row records none, and says so
CREATE SCHEMA shop;
CREATE TABLE shop.line (merchant text NOT NULL, ord text PRIMARY KEY);
INSERT INTO shop.line VALUES ('m-1', 'r1'), ('m-2', 'r2');
ALTER TABLE shop.line ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA shop TO regress_admin;
GRANT SELECT, UPDATE ON shop.line TO regress_admin;
SELECT quality_gov.sale_attach('shop.line', '{"merchant_id": "merchant", "order_id": "ord"}');
SET ROLE regress_admin;
SELECT quality_gov.sale_backfill('shop.line');
RESET ROLE;
SELECT quality_gov.sale_backfill('shop.line');
SELECT quality_gov.guard_remove('shop.line', 'sale');
DROP SCHEMA shop CASCADE;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, regress_app, regress_one, regress_two, regress_nobody;
