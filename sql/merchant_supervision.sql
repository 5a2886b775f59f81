-- Supervisors' classes: history as of any instant, and nobody but the regulator's role sees them.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT count(*) AS roles FROM quality_gov.roles_create();
CREATE ROLE regress_admin; CREATE ROLE regress_app; CREATE ROLE regress_analyst; CREATE ROLE regress_supervisor; CREATE ROLE regress_shop; CREATE ROLE regress_reader;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_app TO regress_app; GRANT quality_gov_analyst TO regress_analyst;
GRANT quality_gov_regulator TO regress_supervisor; GRANT quality_gov_merchant TO regress_shop; GRANT pg_read_all_data TO regress_reader;
INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2020-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2020-01-01');
SELECT quality_gov.merchant_member_add('regress_shop', 'm-1');

SET ROLE regress_supervisor;
SELECT quality_gov.supervision_class_set('91110000600037341L', 'high', 'two serious penalties', '2020-03-01', '{"penalties": 2}') AS id;
SELECT quality_gov.supervision_class_set('91110000600037341L', 'high', 'two serious penalties', '2020-03-01', '{"penalties": 2}') AS again;
-- what came first may be entered later; a firm need not be a merchant
SELECT uscc, status, reason FROM quality_gov.supervision_import('[{"uscc": "91110000600037341L", "class": "B", "reason": "computed", "from": "2020-02-01"},
  {"uscc": "91110000600037341L", "class": "C", "reason": "computed", "from": "2020-06-01", "indicators": {"score": 61}},
  {"uscc": "9144030071526726XG", "class": "low", "reason": "computed", "from": "2020-02-01"}, {"uscc": "91110000600037341N", "class": "A"},
  {"uscc": "91350100M000100Y43", "class": "E", "reason": "computed", "from": "2020-02-01"}, {"uscc": "91350100M000100Y43", "class": "A", "reason": "computed"},
  {"uscc": "91350100M000100Y43", "class": "A", "reason": "computed", "from": "2020-02-01", "indicators": [1]}, 5]', 'samr');
SELECT uscc, status FROM quality_gov.supervision_import('[{"uscc": "91110000600037341L", "class": "B", "reason": "computed", "from": "2020-02-01"},
  {"uscc": "91110000600037341L", "class": "C", "reason": "computed", "from": "2020-06-01", "indicators": {"score": 61}}]', 'samr');
-- as known today; nothing was known then
SELECT (SELECT max(recorded_at) < '2099-01-01' FROM quality_gov.supervision_record) AS recorded, quality_gov.supervision_class('m-1', '2020-07-01') IS NULL AS unknown_then;
SELECT quality_gov.supervision_class('m-1'), quality_gov.supervision_class('m-2'), quality_gov.supervision_class('nobody');
SELECT merchant_id, class, letter, since, source, factor, manner FROM quality_gov.supervision_overview;
-- the factors shipped are marked ours; the authority's own go before
INSERT INTO quality_gov.supervision_intensity VALUES ('higher', 'C', 3, 'Twice a quarter', '[2020-01-01,)', 'notice of the province');
SELECT factor, manner FROM quality_gov.supervision_overview;
SELECT DISTINCT legal_basis FROM quality_gov.supervision_intensity WHERE builtin;
SELECT * FROM quality_gov.supervision_check();
SELECT * FROM quality_gov.integrity_check();
-- refused
SELECT quality_gov.supervision_class_set('91110000600037341L', 'D', 'r', '2020-03-01');
SELECT quality_gov.supervision_class_set('91110000600037341L', 'high', NULL);
SELECT quality_gov.supervision_class_set('91110000600037341L', 'high', ' ', '2020-03-01');
SELECT quality_gov.supervision_class_set('91110000600037341L', 'high', 'r', 'infinity');
SELECT quality_gov.supervision_import('{}', 'samr');
SELECT quality_gov.supervision_import('[]', '');
UPDATE quality_gov.supervision_record SET class = 'low';
INSERT INTO quality_gov.supervision_record (uscc, class, since, reason, source, role, nonce, recorded_at) VALUES ('91110000600037341L', 'low', now(), 'r', 's', 'x', 'x', now());
RESET ROLE;
DELETE FROM quality_gov.supervision_record;

-- whatever another role asks: the table, the view, the function, a plan, a statistic
CREATE FUNCTION public.tries(who text) RETURNS TABLE (statement text, outcome text) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH statement IN ARRAY ARRAY['SELECT * FROM quality_gov.supervision_record', 'SELECT * FROM quality_gov.supervision_overview',
    'SELECT * FROM quality_gov.supervision_intensity', 'SELECT quality_gov.supervision_class(''m-1'')',
    'SELECT quality_gov.supervision_class_set(''91110000600037341L'', ''low'', ''r'')', 'SELECT quality_gov.supervision_import(''[]'', ''x'')',
    'EXPLAIN SELECT * FROM quality_gov.supervision_overview', 'EXPLAIN ANALYZE SELECT * FROM quality_gov.supervision_record',
    'SELECT quality_gov.lexicon_load_from(''x'', ''quality_gov.supervision_record'')'] LOOP
    BEGIN
      EXECUTE format('SET LOCAL ROLE %I', who);
      EXECUTE statement;
      outcome := 'answered';
    EXCEPTION WHEN OTHERS THEN
      outcome := SQLSTATE;
    END;
    RESET ROLE;
    RETURN NEXT;
  END LOOP;
END $$;
SELECT t.statement, array_agg(t.outcome ORDER BY r.n) AS admin_app_analyst_shop
FROM unnest('{regress_admin,regress_app,regress_analyst,regress_shop}'::text[]) WITH ORDINALITY r(who, n), public.tries(r.who) t GROUP BY 1 ORDER BY 1;
-- a right on all tables is none on these rows
SET ROLE regress_reader;
SELECT count(*) FROM quality_gov.supervision_record;
SELECT count(*) FROM quality_gov.supervision_intensity;
SELECT count(*) FROM quality_gov.supervision_overview;
RESET ROLE;
-- nor with what the rows' own rule asks
GRANT EXECUTE ON FUNCTION quality_gov.session_has_role(text[]) TO regress_reader;
SET ROLE regress_reader;
SELECT (SELECT count(*) FROM quality_gov.supervision_record) AS records, (SELECT count(*) FROM quality_gov.supervision_intensity) AS factors,
       (SELECT count(*) FROM quality_gov.supervision_overview) AS shown;
RESET ROLE;
-- views, score, reasons, ledger and doctor tell nothing: what an administrator reads names no class, factor or reason
SET ROLE regress_admin;
SELECT kind, count(*), bool_and(body - 'digest' - 'record_id' = '{}' AND body ->> 'digest' ~ '^[0-9a-f]{64}$') AS a_digest_only
FROM quality_gov.ledger_entry WHERE kind = 'supervision' GROUP BY 1;
SELECT count(*) AS guessed FROM quality_gov.ledger_entry l, unnest('{low,general,higher,high}'::text[]) c
WHERE l.kind = 'supervision' AND l.body ->> 'digest' IN (encode(sha256(c::bytea), 'hex'), encode(sha256((l.subject || c)::bytea), 'hex'));
SELECT count(*) AS told FROM (SELECT to_jsonb(d)::text FROM quality_gov.doctor() d UNION ALL SELECT to_jsonb(e)::text FROM quality_gov.credit_explain('m-1', '2030-01-01') e
  UNION ALL SELECT to_jsonb(o)::text FROM quality_gov.credit_overview o UNION ALL SELECT to_jsonb(r)::text FROM quality_gov.repair_terms('m-1', '2030-01-01') r
  UNION ALL SELECT to_jsonb(l)::text FROM quality_gov.ledger_entry l) x(t) WHERE t ~ 'serious penalties|computed|Focused|"higher"|"high"';
SELECT count(*) AS statistics FROM pg_stats WHERE schemaname = 'quality_gov' AND tablename LIKE 'supervision%';
RESET ROLE;
SELECT object, role_name, privilege FROM quality_gov.role_grant WHERE object ~ '^supervision' AND role_name <> 'quality_gov_regulator';
-- a merchant sees what may be asked of the authority for itself, and for nobody else
SELECT count(*) FROM quality_gov.regulatory_import('[{"item": "P", "type": "penalty", "uscc": "91110000600037341L", "reason": "r", "legal_basis": "b", "from": "2020-01-10", "severity": "general"},
  {"item": "Q", "type": "penalty", "uscc": "91350100M000100Y43", "reason": "r", "legal_basis": "b", "from": "2020-01-10", "severity": "general"}]', 'samr', false, '2020-01-11');
SET ROLE regress_shop;
SELECT item FROM quality_gov.repair_terms('m-1', '2020-02-01');
SELECT item FROM quality_gov.repair_terms('m-2', '2020-02-01');
SELECT merchant_id, item FROM quality_gov.repair_overview;
SET ROLE regress_admin;
SELECT merchant_id, item FROM quality_gov.repair_overview ORDER BY 1;
SET ROLE regress_analyst;
SELECT item FROM quality_gov.repair_terms('m-2', '2020-02-01');
RESET ROLE;
DROP FUNCTION public.tries;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, regress_app, regress_analyst, regress_supervisor, regress_shop, regress_reader;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
