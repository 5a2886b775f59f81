-- Who may make codes, scan and read scans; a merchant for its own lots.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
SELECT count(*) FROM quality_gov.roles_create();
CREATE ROLE regress_admin; CREATE ROLE regress_app; CREATE ROLE regress_analyst; CREATE ROLE regress_regulator; CREATE ROLE regress_shop1; CREATE ROLE regress_shop2; CREATE ROLE regress_nobody;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_app TO regress_app; GRANT quality_gov_analyst TO regress_analyst; GRANT quality_gov_regulator TO regress_regulator; GRANT quality_gov_merchant TO regress_shop1, regress_shop2;
INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT quality_gov.merchant_member_add('regress_shop1', 'm-1'), quality_gov.merchant_member_add('regress_shop2', 'm-2');
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_roles_key && chmod 600 qg_roles_key';
SET quality_gov.code_key_file = 'qg_roles_key';
INSERT INTO quality_gov.lot (gtin, lot_code, quantity, merchant_id) VALUES ('6901234567892', 'L1', 9, 'm-1'), ('6901234567892', 'L2', 9, 'm-2'), ('6901234567892', 'L3', 9, NULL);

-- a merchant makes, registers and revokes codes of its own lots
SET ROLE regress_shop1;
SELECT count(*) FROM quality_gov.code_issue('6901234567892', 'L1', 2, '2026-01-01');
SELECT quality_gov.code_register('6901234567892', 'L1', '{A,B}', '2026-01-01');
SELECT quality_gov.code_issue('6901234567892', 'L2', 1);
SELECT quality_gov.code_register('6901234567892', 'L3', '{A}');
SELECT quality_gov.code_revoke(2, 'r', at => '2026-05-01');
SELECT status, is_first FROM quality_gov.passport_verify('https://id.gs1.org/01/06901234567892/10/L1/21/A', '2026-02-01', channel => 'receiving', merchant_id => 'm-1');
SELECT status FROM quality_gov.passport_verify('https://id.gs1.org/01/06901234567892/10/L1/21/A', '2026-02-01', merchant_id => 'm-2');
SELECT finding, lot_code, count FROM quality_gov.code_finding ORDER BY 1;
SELECT day, lot_code, channel, status, scans FROM quality_gov.passport_scan_overview;
SELECT * FROM quality_gov.passport_scan;
SELECT * FROM quality_gov.code_registered;
SELECT quality_gov.code_read('x', '6901234567892', 'L1', 1, 'k1');
SELECT quality_gov.code_digest('k1', 3, 'x');
SELECT quality_gov.code_key();
SET quality_gov.code_key_file = '/etc/passwd';
SHOW quality_gov.code_key_file;
SET ROLE regress_shop2;
SELECT finding, lot_code FROM quality_gov.code_finding;
SELECT count(*) FROM quality_gov.passport_scan_overview;
SELECT quality_gov.code_revoke(2, 'r');
-- an application for all of them, and the consumers behind it
SET ROLE regress_app;
SELECT count(*) FROM quality_gov.code_issue('6901234567892', 'L3', 1, '2026-01-01');
SELECT status, scans FROM quality_gov.passport_verify('https://id.gs1.org/01/06901234567892/10/L1/21/A', '2026-02-02');
SELECT valid FROM quality_gov.code_check('A', '6901234567892', 'L1', '2026-02-01');
SELECT quality_gov.passport_linkset('https://id.gs1.org/01/06901234567892', at => '2026-02-01');
SELECT count(*) > 20 FROM quality_gov.passport_status;
SELECT * FROM quality_gov.code_finding;
SELECT quality_gov.passport_link_add('6901234567892', 'gs1:pip', 'https://x.example/', 'x');
SELECT quality_gov.passport_scan_retire('2026-01-01');
INSERT INTO quality_gov.passport_resolver VALUES ('evil.example', 'x');
-- who supervises reads what was scanned; an analyst sums
SET ROLE regress_regulator;
SELECT count(*), count(*) FILTER (WHERE channel = 'receiving') FROM quality_gov.passport_scan;
SELECT count(*) FROM quality_gov.code_finding;
SELECT count(*) FROM quality_gov.passport_scan_check();
SELECT quality_gov.code_issue('6901234567892', 'L1', 1);
SET ROLE regress_analyst;
SELECT lot_code, sum(scans) FROM quality_gov.passport_scan_overview GROUP BY 1;
SELECT status FROM quality_gov.passport_verify('https://id.gs1.org/01/06901234567892/10/L1/21/B', '2026-02-01', false);
SELECT * FROM quality_gov.passport_scan;
-- an administrator runs it
SET ROLE regress_admin;
INSERT INTO quality_gov.passport_resolver VALUES ('scan.works.example', 'ours');
INSERT INTO quality_gov.scan_policy VALUES ('ours', '[2026-02-01,)', '1 day', 10, 100, 50, 2, 2, 'policy');
UPDATE quality_gov.scan_policy SET effect = '[2026-02-01,2026-03-01)' WHERE policy = 'ours';
SELECT quality_gov.passport_link_add('6901234567892', 'gs1:pip', 'https://x.example/', 'x', effective => '2026-01-01');
SELECT quality_gov.passport_scan_retire('2026-01-01', '2026-06-01');
INSERT INTO quality_gov.passport_scan (at, goods, status, reasons, channel, xid) VALUES (now(), 'x', 'authentic', '{}', 'x', '1');
UPDATE quality_gov.code_batch SET codes = 1;
-- that an item was sold by others, too, is told to whose lot it is, their orders are not
RESET ROLE;
INSERT INTO quality_gov.sale (merchant_id, order_id, line, gtin, lot_code, serial, sold_at)
VALUES ('m-1', 'o-1', '1', '6901234567892', 'L1', 'A', '2026-03-01'), ('m-2', 'o-2', '1', '6901234567892', 'L1', 'A', '2026-03-02');
SET ROLE regress_shop1;
SELECT count, detail FROM quality_gov.code_finding WHERE finding = 'sold_twice';
SET ROLE regress_shop2;
SELECT count(*) FROM quality_gov.code_finding WHERE finding = 'sold_twice';
SET ROLE regress_analyst;
SELECT count, detail FROM quality_gov.code_finding WHERE finding = 'sold_twice';
SET ROLE regress_nobody;
SELECT quality_gov.passport_verify('x');
SELECT quality_gov.code_check('x');
RESET ROLE;
-- nothing that a caller plants in its path is run with the owner's rights
CREATE SCHEMA planted AUTHORIZATION regress_shop1;
SET ROLE regress_shop1;
CREATE FUNCTION planted.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN true; END $$;
CREATE OPERATOR planted.= (LEFTARG = text, RIGHTARG = text, FUNCTION = planted.same);
CREATE FUNCTION planted.btrim(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN ''; END $$;
SET search_path = planted, pg_catalog;
SELECT status FROM quality_gov.passport_verify('https://id.gs1.org/01/06901234567892/10/L2/21/A', '2026-02-03');
SELECT valid FROM quality_gov.code_check('C', '6901234567892', 'L1', '2026-02-01');
RESET search_path;
RESET ROLE;
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm qg_roles_key';
DROP SCHEMA planted CASCADE;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, regress_app, regress_analyst, regress_regulator, regress_shop1, regress_shop2, regress_nobody;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
