-- maintenance(), doctor(), names, digests, append-only tables and the comparison of snapshots.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';

-- maintenance calls what the rows name; a task that fails does not stop the others
CREATE FUNCTION public.fails(at timestamptz) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'no luck at %', at; END $$;
CREATE FUNCTION public.works(at timestamptz) RETURNS text LANGUAGE sql AS $$ SELECT 'as of ' || at $$;
INSERT INTO maintenance_task VALUES ('a failing one', 1, 'public.fails', 'test'),
  ('a missing one', 2, 'public.missing', 'test'), ('a working one', 90, 'public.works', 'test');
SET client_min_messages = error;
SELECT * FROM maintenance('2026-11-20 00:00+08');
SET client_min_messages = warning;
SELECT * FROM maintenance('infinity');
SELECT * FROM maintenance(NULL);
DELETE FROM maintenance_task WHERE NOT builtin;

-- shipped rows stay as they are
UPDATE maintenance_task SET position = 99;
INSERT INTO watchlist VALUES ('mine', 'Mine', 'none', true);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM duty_rule WHERE duty = 'D1';
INSERT INTO watchlist VALUES ('mine', 'Mine', 'none');
DELETE FROM watchlist WHERE watchlist = 'mine';

-- doctor: a check that fails is a row; settings that weaken governance are problems
INSERT INTO doctor_check VALUES ('broken', 'public.nowhere', 'test');
SELECT check_name, status FROM doctor() WHERE check_name = 'broken';
DELETE FROM doctor_check WHERE NOT builtin;
SELECT check_name, status FROM doctor() WHERE check_name = 'settings';
SET quality_gov.guard_mode = shadow;
SELECT check_name, status, subject, detail FROM doctor() WHERE check_name = 'settings';
RESET quality_gov.guard_mode;
SET quality_gov.guard_mode = lenient;
SET quality_gov.misspelt = 1;
ALTER DATABASE qg_regress SET quality_gov.guard_mode = off;
SELECT status, detail FROM doctor() WHERE subject LIKE 'setting of %';
ALTER DATABASE qg_regress RESET quality_gov.guard_mode;

-- names as lists compare them
SELECT a, name_key(a) = name_key('上海某某贸易有限公司') AS same
FROM unnest(ARRAY['上海某某贸易有限公司', ' 上海某某 贸易有限公司', '上海某某贸易(有限)公司', '上海某某贸易有限公司​', '上海某贸易有限公司']) a;
SELECT name_key('ＡＢＣ Co., Ltd.') = name_key('abc co ltd') AS same, name_key(' ·，') IS NULL AS nothing_left,
       length(name_key(repeat('é', 500))) AS composed, name_key(E'e\u0301') = name_key('É') AS same_accent;

-- digests of identity numbers need a key file
SELECT identity_digest('11010519491231002X');
SET quality_gov.identity_key_file = '/nonexistent/key';
SELECT identity_digest('11010519491231002X');
SET quality_gov.identity_key_file = '/etc/passwd';
SELECT identity_digest('11010519491231002X');
RESET quality_gov.identity_key_file;

-- append-only: refused whole, also where no row would be touched
SELECT ledger_record('test', 's', '{}');
UPDATE ledger_entry SET kind = 'x' WHERE false;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM ledger_entry;
TRUNCATE ledger_entry;
\set VERBOSITY terse
SELECT ledger_record('Not a kind', 's', '{}');
SELECT ledger_record('test', 's', '[]');
SELECT ledger_record('test', NULL, '{}');
\set VERBOSITY default

-- a lift holds for one table and one transaction
BEGIN;
SELECT append_only_lift('ledger_entry');
DELETE FROM credit_event;
ROLLBACK;
BEGIN;
SELECT append_only_lift('ledger_entry');
DELETE FROM ledger_entry;
ROLLBACK;
DELETE FROM ledger_entry;
BEGIN;
SAVEPOINT s;
SELECT append_only_lift('ledger_entry');
ROLLBACK TO s;
DELETE FROM ledger_entry;
ROLLBACK;

-- what one snapshot shows and an earlier one did not
SELECT n, snapshot_delta(n::text::xid8, '10:20:12,15', '14:30:15,22') AS fresh
FROM unnest('{5,12,13,15,19,20,22,25,30}'::int[]) n;
SELECT count(*) AS all_without_before FROM unnest('{5,12,13,15,19,20}'::int[]) n
WHERE snapshot_delta(n::text::xid8, NULL, '30:30:');
-- the id of the writing transaction is stamped, whatever the row says
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, xid) VALUES ('m', 'complaint', '2026-11-01', 1, 't', '1')
RETURNING xid = pg_current_xact_id() AS stamped;
DROP FUNCTION public.fails, public.works;
DROP EXTENSION quality_gov;
