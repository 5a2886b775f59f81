-- Refused attempts: on record although their transactions were rolled back, each once.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SET quality_gov.denial_worker = off;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'),
  ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT lexicon_load('ads', '{国家级,best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute wording', '广告法 art 9(3)', 'high', effective => '2026-01-01'),
       listing_rule_add('origin', 'required', '{"fields": ["origin"]}', 'warn', 'say the origin', 'policy', 'low', effective => '2026-01-01');
CREATE TABLE product (id text PRIMARY KEY, shop text, title text, descr text, origin text, cat text, listed timestamptz DEFAULT '2026-11-20 10:00+08');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "description": "descr", "origin": "origin", "category": "cat", "at": "listed"}');
INSERT INTO product VALUES ('0', 'm-1', 'tea', 'green', 'CN', 'food');

-- a statement by itself, a transaction rolled back, a savepoint, an exception block, a prepared statement, COPY, an update
INSERT INTO product VALUES ('1', 'm-1', '国 家 级', 'green', NULL, 'food');
BEGIN;
INSERT INTO product VALUES ('2', 'm-1', 'best', NULL, 'CN', NULL);
ROLLBACK;
BEGIN;
SAVEPOINT a;
INSERT INTO product VALUES ('3', 'm-2', 'best', NULL, 'CN', NULL);
ROLLBACK TO a;
INSERT INTO product VALUES ('10', 'm-2', 'kept', NULL, 'CN', NULL);
COMMIT;
DO $$ BEGIN
  INSERT INTO product VALUES ('4', 'm-1', 'best', NULL, 'CN', NULL);
EXCEPTION WHEN SQLSTATE 'QG401' THEN NULL; END $$;
PREPARE put AS INSERT INTO product VALUES ($1, 'm-1', $2, NULL, 'CN', NULL);
EXECUTE put('5', 'best');
DEALLOCATE put;
COPY product (id, shop, title) FROM STDIN;
6	m-1	best cup
\.
UPDATE product SET title = 'best tea' WHERE id = '0';
INSERT INTO product VALUES ('13', 'm-9', 'tea', NULL, 'CN', NULL);
SELECT spooled, drained, logged, files, bytes > 0 AS bytes, torn FROM listing_denial_state();
SELECT count(*) FROM listing_denial;

-- drained by a transaction that is rolled back, and twice in one, they wait on
BEGIN;
SELECT listing_denial_drain();
SELECT listing_denial_drain();
ROLLBACK;
BEGIN;
SELECT listing_denial_drain();
SAVEPOINT a;
SELECT listing_denial_drain();
ROLLBACK TO a;
SELECT listing_denial_drain();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT listing_denial_drain();
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
SELECT task, outcome, detail FROM maintenance('2026-11-20 10:00+08') WHERE task = 'listing_denial';
SELECT listing_denial_drain();
SELECT spooled, drained, logged, files, bytes, torn FROM listing_denial_state();
SELECT merchant_id, listing_id, relation, category, operation, at, verdict, guard_mode, role = session_user AS role, listing, jsonb_array_length(findings) AS findings
FROM listing_denial ORDER BY denial_id;
SELECT findings -> 0 ->> 'rule' AS rule, findings -> 0 -> 'detail' ->> 'matched' AS matched, findings -> 1 ->> 'rule' AS further
FROM listing_denial WHERE listing_id = '1';
SELECT bool_and(attempted_at <= recorded_at AND attempted_at > now() - interval '1 hour') AS clocks FROM listing_denial;
-- with each a ledger entry and, where the merchant is admitted, a credit event as grave as its gravest finding
SELECT e.subject, e.body ->> 'operation' AS operation, d.listing_id = e.subject AND d.findings = e.body -> 'findings' AS same
FROM ledger_entry e LEFT JOIN listing_denial d ON d.denial_id = (e.body ->> 'denial_id')::bigint WHERE e.kind = 'listing_denial' ORDER BY e.entry_id;
SELECT merchant_id, ref, indicator, at, bad = (SELECT s.bad FROM credit_severity s WHERE s.builtin AND s.indicator = 'listing' AND s.severity = 'high') AS high, source
FROM credit_event ORDER BY event_id;
SELECT * FROM credit_check();

-- 1,000 in one transaction
DO $$ BEGIN
  FOR i IN 1 .. 1000 LOOP
    BEGIN
      INSERT INTO product VALUES ('n' || i, 'm-2', 'best ' || i, NULL, 'CN', NULL);
    EXCEPTION WHEN SQLSTATE 'QG401' THEN NULL; END;
  END LOOP;
END $$;
SELECT listing_denial_drain(), listing_denial_drain();
SELECT count(*), count(DISTINCT listing_id), count(DISTINCT denial_id) FROM listing_denial WHERE listing_id LIKE 'n%';

-- long texts are cut between characters and escapes, and the record stays small; short ones are whole
CREATE TABLE wide (id text, shop text, title text, t1 text, t2 text, t3 text);
SELECT guard_listing('wide', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "t1": "t1", "t2": "t2", "t3": "t3"}');
INSERT INTO wide VALUES ('w1', 'm-1', 'best', repeat('级', 5000), 'x' || repeat(E'\n', 9000), 'x' || repeat('"\', 8000));
INSERT INTO wide VALUES ('w2', 'm-1', 'best ' || repeat('😀', 200000), repeat('a', 8192), repeat('b', 8193), NULL);
SELECT listing_denial_drain();
SELECT listing_id, length(listing ->> 't1') AS t1, right(listing ->> 't1', 34) AS mark, ltrim(listing ->> 't2', E'x\n') AS t2, ltrim(listing ->> 't3', 'x"\') AS t3,
       pg_column_size(listing::text) < 262144 AS small
FROM listing_denial WHERE listing_id = 'w1';
SELECT left(listing ->> 'title', 7), ltrim(listing ->> 'title', 'best😀 ') AS title, length(listing ->> 't1') AS t1, ltrim(listing ->> 't2', 'b') AS t2, listing ? 't3' AS t3,
       jsonb_array_length(findings) AS findings FROM listing_denial WHERE listing_id = 'w2';

-- no room in the spool: refused as ever, the attempt goes to the log; an attempt that the tables refuse does not hold up the others
SET quality_gov.denial_spool_size = 0;
INSERT INTO product VALUES ('7', 'm-1', 'best', NULL, 'CN', NULL);
\echo :LAST_ERROR_SQLSTATE
RESET quality_gov.denial_spool_size;
INSERT INTO product VALUES ('8', 'm-1', 'best', NULL, 'CN', NULL);
\set VERBOSITY sqlstate
INSERT INTO product SELECT string_agg(md5(i::text), ''), string_agg(md5('s' || i), ''), 'best', NULL, 'CN' FROM generate_series(1, 90) i;
\set VERBOSITY terse
INSERT INTO product VALUES ('9', 'm-1', 'best', NULL, 'CN', NULL);
SELECT listing_denial_drain(), listing_denial_drain();
SELECT listing_id FROM listing_denial WHERE listing_id IN ('7', '8', '9') ORDER BY 1;
SELECT spooled, logged, logged_at > now() - interval '1 hour' AS at, files FROM listing_denial_state();
SELECT status, subject, hint FROM doctor() WHERE check_name = 'denial';

-- views; who may; retirement
SELECT * FROM listing_denial_overview WHERE day = '2026-11-20' ORDER BY 1, 2, 3;
SELECT sum(listings_held) AS held, sum(listings_refused) AS refused FROM loop_overview;
SELECT count(*) AS roles FROM roles_create();
CREATE ROLE regress_denial;
GRANT USAGE ON SCHEMA public TO regress_denial;
GRANT INSERT ON product TO regress_denial;
SET ROLE regress_denial;
INSERT INTO product VALUES ('11', 'm-2', 'best', NULL, 'CN', NULL);
SELECT listing_denial_drain();
SELECT * FROM listing_denial_state();
SELECT * FROM listing_denial;
SELECT * FROM listing_denial_overview;
SELECT listing_denial_enter('{}');
SELECT listing_denial_retire();
SET quality_gov.denial_spool_size = 0;
SET quality_gov.denial_worker = off;
RESET ROLE;
GRANT quality_gov_merchant TO regress_denial;
SELECT merchant_member_add('regress_denial', 'm-2');
SELECT listing_denial_drain();
SET ROLE regress_denial;
SELECT DISTINCT merchant_id FROM listing_denial;
RESET ROLE;
DELETE FROM listing_denial;
UPDATE listing_denial SET verdict = 'pass';
\set VERBOSITY sqlstate
SELECT listing_denial_retire(now());
\set VERBOSITY terse
INSERT INTO listing_denial (merchant_id, relation, operation, at, verdict, guard_mode, role, findings, attempted_at, recorded_at)
  VALUES ('m-3', 'r', 'INSERT', '2020-01-01', 'deny', 'enforce', 'x', '[]', '2020-01-01', '2020-01-01');
SELECT listing_denial_retire();
SELECT count(*) FROM listing_denial WHERE merchant_id = 'm-3';
DELETE FROM listing_denial;

-- an extension made anew begins with nothing: what waited for the one before is cleared away
INSERT INTO product VALUES ('12', 'm-1', 'best', NULL, 'CN', NULL);
DROP TABLE product, wide;
DROP EXTENSION quality_gov;
CREATE EXTENSION quality_gov;
SELECT listing_denial_drain(), (SELECT count(*) FROM listing_denial) AS denials;
SELECT spooled, drained, logged, files FROM listing_denial_state();
SELECT count(*) AS left_over FROM pg_ls_dir('pgsql_tmp_quality_gov/spool') f WHERE f LIKE (SELECT oid FROM pg_database WHERE datname = current_database()) || '.%'
  AND f NOT LIKE '%.' || 'quality_gov'::regnamespace::oid || '.%';
DROP EXTENSION quality_gov;
DROP OWNED BY regress_denial;
DROP ROLE regress_denial;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
