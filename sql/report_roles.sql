-- Who may do what, as roles that are no superusers, with what each is refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT count(*) AS roles FROM quality_gov.roles_create();
SELECT count(*) AS again FROM quality_gov.roles_create();
CREATE ROLE regress_admin; CREATE ROLE regress_app; CREATE ROLE regress_analyst; CREATE ROLE regress_regulator;
CREATE ROLE "regress shop'1"; CREATE ROLE regress_platform; CREATE ROLE regress_nobody;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_app TO regress_app; GRANT quality_gov_analyst TO regress_analyst;
GRANT quality_gov_regulator TO regress_regulator; GRANT quality_gov_merchant TO "regress shop'1";
CREATE SCHEMA shop AUTHORIZATION regress_platform;
GRANT CREATE, USAGE ON SCHEMA public TO regress_platform;

-- an administrator runs it
SET ROLE regress_admin;
SELECT admitted FROM unnest('{91110000600037341L,91350100M000100Y43}'::text[]) WITH ORDINALITY u(code, n), quality_gov.merchant_admit(jsonb_build_object(
  'merchant_id', 'm-' || n, 'kind', 'other_organization', 'name', 'n' || n, 'uscc', code), '2026-01-01');
SELECT quality_gov.listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 't', 'b', effective => '2026-01-01'),
       quality_gov.merchant_member_add('regress shop''1', 'm-1');
SELECT quality_gov.merchant_member_add('regress_no_such', 'm-1');
INSERT INTO quality_gov.merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('m-1', 'live', 'r1', 's', '[2026-01-01,)'), ('m-2', 'live', 'r2', 's', '[2026-01-01,)');
SELECT count(*) AS tasks FROM quality_gov.maintenance('2026-11-20');
SELECT count(*) > 0 AS checks FROM quality_gov.doctor();
INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc) VALUES ('m-9', 'x', 'company', '9144030071526726XG');
INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, bad, source) VALUES ('m-1', 'complaint', now(), 1, 'forged');
INSERT INTO quality_gov.maintenance_task VALUES ('evil', 1, 'public.evil', 'x');
UPDATE quality_gov.listing_decision SET verdict = 'pass';
SET quality_gov.guard_mode = off;
RESET ROLE;

-- a platform's role: rights on its own tables, none on ours
GRANT quality_gov_admin TO regress_platform;
SET ROLE regress_platform;
CREATE TABLE shop.product (id int PRIMARY KEY, shop text, title text, producer text, status text DEFAULT 'live', listed timestamptz DEFAULT '2026-11-20');
SELECT quality_gov.guard_listing('shop.product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "status": "status", "at": "listed"}');
RESET ROLE;
REVOKE quality_gov_admin FROM regress_platform;
SET ROLE regress_platform;
-- what it might plant in the path of the guard
CREATE FUNCTION shop.shadow(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN false; END $$;
CREATE OPERATOR shop.= (LEFTARG = text, RIGHTARG = text, FUNCTION = shop.shadow);
CREATE FUNCTION shop.jsonb_array_elements(jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'ran as %', current_user; END $$;
CREATE TEMP TABLE ledger_entry (kind text);
CREATE TEMP TABLE listing_decision (merchant_id text);
SET search_path = shop, pg_temp, pg_catalog, public;
INSERT INTO product VALUES (1, 'm-1', 'cup', 'p'), (2, 'm-1', 'pot', NULL), (3, 'm-2', 'jar', NULL);
INSERT INTO product VALUES (4, 'nobody', 'cup', 'p');
SELECT current_user, current_setting('search_path');
RESET search_path;
SELECT id, status FROM shop.product ORDER BY id;
SELECT (SELECT count(*) FROM pg_temp.ledger_entry) + (SELECT count(*) FROM pg_temp.listing_decision) AS planted_rows;
-- it can neither read nor forge
SELECT * FROM quality_gov.listing_finding;
SELECT * FROM quality_gov.credit_overview;
INSERT INTO quality_gov.listing_decision (merchant_id, relation, operation, at, verdict, guard_mode, role) VALUES ('m-2', 'r', 'INSERT', now(), 'pass', 'enforce', 'x');
SELECT quality_gov.ledger_record('forged', 'm-2', '{}');
SELECT quality_gov.listing_record('{}', '{}', '{}', '{}', '{}', '{}');
SELECT quality_gov.credit_event_add('m-2', 'recall', 'serious', now(), 'x', 'x');
SELECT quality_gov.append_only_lift('quality_gov.ledger_entry');
CREATE TABLE shop.fake (id int, shop text, title text);
CREATE TRIGGER fake AFTER INSERT ON shop.fake FOR EACH ROW EXECUTE FUNCTION quality_gov.guard_listing_after('listing', '{}', '{}');
SELECT quality_gov.guard_listing('shop.fake', '{"listing_id": "id", "merchant_id": "shop", "title": "title"}');
CREATE TRIGGER fake BEFORE INSERT ON quality_gov.listing_decision FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SET quality_gov.guard_mode = off;
SET quality_gov.identity_key_file = '/etc/passwd';
SELECT * FROM quality_gov.merchant_may('m-1', 'list');
SELECT '6901234567892'::quality_gov.gtin OPERATOR(quality_gov.=) '06901234567892'::quality_gov.gtin AS identifiers_work;
RESET ROLE;
SELECT merchant_id, listing_id, verdict, role = session_user AS by_session FROM quality_gov.listing_decision ORDER BY decision_id;


-- an application asks and applies
SET ROLE regress_app;
SELECT allowed, reasons FROM quality_gov.merchant_may('m-1', 'live', NULL, '2026-11-20');
SELECT count(*) AS findings FROM quality_gov.listing_check('{"merchant_id": "m-1", "title": "x"}', '2026-11-20');
SELECT quality_gov.credit_grade('m-1', '2026-11-20'), (SELECT count(*) FROM quality_gov.merchant_public) AS public;
SELECT * FROM quality_gov.credit_overview;
SELECT quality_gov.recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b');
RESET ROLE;

-- a merchant sees its own rows, in views and in tables
SET ROLE "regress shop'1";
SELECT merchant_id FROM quality_gov.credit_overview;
SELECT merchant_id, listing_id FROM quality_gov.listing_held;
SELECT merchant_id, listing_id FROM quality_gov.listing_decision;
SELECT DISTINCT merchant_id FROM quality_gov.listing_finding;
SELECT merchant_id, reason FROM quality_gov.merchant_restriction;
SELECT DISTINCT merchant_id FROM quality_gov.credit_grade_history;
SELECT merchant_id FROM quality_gov.merchant_verification_due;
SELECT quality_gov.credit_score('m-2');
SELECT * FROM quality_gov.ledger_entry;
INSERT INTO quality_gov.merchant_member VALUES (current_user, 'm-2');
RESET ROLE;
-- nor by what it plants in the path of a function that runs with its rights
CREATE SCHEMA planted AUTHORIZATION "regress shop'1";
SET ROLE "regress shop'1";
CREATE FUNCTION planted.take(text[], text) RETURNS text[] LANGUAGE sql RETURN '{m-1,m-2}'::text[];
CREATE AGGREGATE planted.array_agg(text) (SFUNC = planted.take, STYPE = text[], INITCOND = '{}');
CREATE FUNCTION planted.same(text, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR planted.= (LEFTARG = text, RIGHTARG = text, FUNCTION = planted.same);
SET search_path = planted, pg_catalog;
SELECT merchant_id FROM quality_gov.credit_overview;
SELECT merchant_id FROM quality_gov.credit_standings(NULL, '2026-11-20');
SELECT merchant_id FROM quality_gov.credit_standings('{m-2}', '2026-11-20');
RESET search_path;
RESET ROLE;
DROP SCHEMA planted CASCADE;
-- a role granted the views but tied to no merchant sees none
GRANT quality_gov_merchant TO regress_nobody;
SET ROLE regress_nobody;
SELECT (SELECT count(*) FROM quality_gov.credit_overview) + (SELECT count(*) FROM quality_gov.listing_decision) + (SELECT count(*) FROM quality_gov.listing_held)
  + (SELECT count(*) FROM quality_gov.merchant_restriction) + (SELECT count(*) FROM quality_gov.recall_overview) AS seen;
RESET ROLE;

-- analysts read views, and of tables the models of credit alone; every view that a role is granted answers it
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relkind = 'r' AND has_table_privilege('regress_analyst', c.oid, 'SELECT') ORDER BY 1;
CREATE FUNCTION public.answers(role text) RETURNS TABLE (object text, state text) LANGUAGE plpgsql AS $$
BEGIN
  FOR object IN SELECT g.object FROM quality_gov.role_grant g WHERE g.role_name = answers.role AND g.object_type = 'TABLE' AND g.privilege = 'SELECT' LOOP
    BEGIN
      EXECUTE format('SET LOCAL ROLE %I', role);
      EXECUTE format('SELECT count(x) FROM quality_gov.%I x', object);
      RESET ROLE;
    EXCEPTION WHEN OTHERS THEN
      RESET ROLE;
      state := SQLERRM;
      RETURN NEXT;
    END;
  END LOOP;
END $$;
SELECT r, a.* FROM (SELECT DISTINCT role_name AS r FROM quality_gov.role_grant) roles, public.answers(r) a;
SET ROLE regress_analyst;
SELECT quality_gov.lexicon_hits('国家级', '{cn.absolute}', at => '2026-01-01') AS hit, quality_gov.text_fold('Ａ') AS folded,
       (SELECT count(*) FROM quality_gov.lexicon_scan('国家级', '{cn.absolute}', at => '2026-01-01')) AS hits;
SELECT count(*) AS merchants FROM quality_gov.credit_overview;
SELECT count(*) AS held FROM quality_gov.listing_held;
SELECT quality_gov.merchant_admit('{}');
SELECT quality_gov.credit_model_document('default', 1) ->> 'owner' AS owner;
SELECT quality_gov.credit_model_draft('{}');
UPDATE quality_gov.credit_model SET title = 'x';
RESET ROLE;
-- of a model of credit an administrator drafts, publishes and ends versions, and writes no row
SET ROLE regress_admin;
SELECT quality_gov.credit_model_draft(quality_gov.credit_model_document('default', 1) || '{"model": "ours"}'),
       quality_gov.credit_model_publish('ours', effective => '2030-01-01'), quality_gov.credit_model_retire('ours', '2031-01-01');
SELECT quality_gov.credit_model_draft(quality_gov.credit_model_document('ours', 1));
SELECT quality_gov.credit_model_discard('ours', 2), (SELECT count(*) FROM quality_gov.credit_model_check()) AS problems;
INSERT INTO quality_gov.credit_severity VALUES ('ours', 1, 'violation', 'x', 1);
SELECT quality_gov.credit_model_lock('ours');
RESET ROLE;
SET ROLE regress_app;
SELECT quality_gov.credit_model_document('default', 1);
RESET ROLE;
SET ROLE regress_regulator;
SELECT count(*) AS problems FROM quality_gov.credit_model_check();
SELECT quality_gov.credit_model_publish('ours');
SELECT count(*) > 0 AS reads_the_record FROM quality_gov.ledger_entry;
DELETE FROM quality_gov.ledger_entry;
RESET ROLE;

DROP TABLE shop.product, shop.fake;
DROP SCHEMA shop CASCADE;
DROP FUNCTION public.answers;
DROP EXTENSION quality_gov;
DISCARD TEMP;
DROP OWNED BY regress_platform;
DROP ROLE regress_admin, regress_app, regress_analyst, regress_regulator, "regress shop'1", regress_platform, regress_nobody;
-- the extension's own roles stay where another database of the cluster uses them
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
