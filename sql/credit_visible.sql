-- Whom a session sees: a search path says nothing about it, nor does a parallel query stand in its way.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SELECT count(*) AS roles FROM quality_gov.roles_create();
INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2020-01-01' FROM generate_series(1, 3) g;
CREATE ROLE regress_shop;
GRANT quality_gov_merchant TO regress_shop;
SELECT quality_gov.merchant_member_add('regress_shop', 'm-1');

-- an aggregate, or an operator, of one's own does not show others
CREATE SCHEMA regress_planted AUTHORIZATION regress_shop;
SET ROLE regress_shop;
CREATE FUNCTION regress_planted.all_of_them(text[], text) RETURNS text[] LANGUAGE sql RETURN '{m-1,m-2,m-3}'::text[];
CREATE AGGREGATE regress_planted.array_agg(text) (SFUNC = regress_planted.all_of_them, STYPE = text[]);
CREATE FUNCTION regress_planted.same(text, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR regress_planted.= (LEFTARG = text, RIGHTARG = text, FUNCTION = regress_planted.same);
SET search_path = regress_planted, pg_catalog;
SELECT merchant_id FROM quality_gov.credit_overview ORDER BY 1;
SELECT merchant_id FROM quality_gov.credit_standings('{m-2,m-3}', '2026-01-01') ORDER BY 1;
SELECT merchant_id FROM quality_gov.credit_standings('{m-1,m-2}', '2026-01-01') ORDER BY 1;
SELECT merchant_id FROM quality_gov.credit_standings('{m-1}', '2026-01-01', 'default', 1);
RESET search_path;
RESET ROLE;

-- beside a plan with workers
CREATE TABLE many AS SELECT 'm-' || 1 + g % 3 AS merchant_id FROM generate_series(1, 6) g;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT bool_and(s IS NOT NULL) AS scores
FROM (SELECT (quality_gov.credit_what_if(merchant_id, '[{"indicator": "recall", "bad": 1}]', '2026-01-01')).score AS s
      FROM many OFFSET 0) x;
SELECT bool_and(s IS NOT NULL) AS scores FROM (SELECT quality_gov.credit_score(merchant_id, '2026-01-01') AS s FROM many OFFSET 0) x;
DROP TABLE many;
DROP SCHEMA regress_planted CASCADE;
DROP ROLE regress_shop;
DROP EXTENSION quality_gov;
SET client_min_messages = error;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$;
