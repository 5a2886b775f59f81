-- 500 rules of all native kinds over categories and periods: what is found is what a plain reading of the rows finds,
-- in one order, however the rules were made.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT count(lexicon_load('l' || n, ARRAY['term' || n])), count(lexicon_publish('l' || n, effective => '2026-01-01')) FROM generate_series(0, 9) n;
CREATE TABLE wanted (rule text PRIMARY KEY, kind text, params jsonb, categories text[], effective timestamptz, until timestamptz);
INSERT INTO wanted
SELECT format('r%s', to_char(n, 'FM000')), (ARRAY['required', 'lexicon', 'expression', 'required'])[1 + n % 4],
       CASE n % 4 WHEN 1 THEN jsonb_build_object('lexicon', 'l' || n % 10, 'fields', ARRAY['title', 'f' || n % 7])
                  WHEN 2 THEN jsonb_build_object('expression', format('$.f%s == "x"', n % 7), 'fields', '{}'::text[])
                  ELSE jsonb_build_object('fields', ARRAY['f' || n % 7, 'f' || n % 3]) END,
       CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN ARRAY['food'] WHEN 2 THEN ARRAY['food/tea', 'toys'] WHEN 3 THEN ARRAY['food/tea/green'] ELSE ARRAY['*'] END,
       '2026-01-01'::timestamptz + n % 11 * interval '1 month', CASE WHEN n % 6 = 0 THEN '2026-01-01'::timestamptz + (n % 11 + 3) * interval '1 month' END
FROM generate_series(1, 500) n;
-- in an order of their own
SELECT count(listing_rule_add(rule, kind, params, 'warn', rule, 'b', categories => categories, effective => effective, until => until))
FROM (SELECT * FROM wanted ORDER BY md5(rule)) w;
CREATE TABLE listings AS
SELECT n AS id, jsonb_strip_nulls(jsonb_build_object('merchant_id', 'm-1', 'category', (ARRAY['food', 'food/tea', 'food/tea/green', 'toys/wood', 'books', NULL, 'foods', 'food/tea/green/new'])[1 + n % 8],
  'title', CASE WHEN n % 3 = 0 THEN 'a term' || n % 10 END, 'f0', CASE WHEN n % 2 = 0 THEN 'x' END, 'f1', CASE n % 3 WHEN 0 THEN ' ' WHEN 1 THEN 'term3' END,
  'f2', 'y', 'f3', CASE WHEN n % 5 = 0 THEN 'x' END, 'f5', 'term' || n % 7, 'f6', 'x')) AS l
FROM generate_series(1, 48) n;
-- the plain reading
CREATE VIEW plain AS
SELECT id, at, w.rule, f.field
FROM listings CROSS JOIN unnest('{2025-12-31,2026-01-01,2026-04-01,2026-06-15,2026-11-20}'::timestamptz[]) at CROSS JOIN wanted w
CROSS JOIN LATERAL (
  SELECT x.field FROM jsonb_array_elements_text(w.params -> 'fields') x(field) WHERE w.kind = 'required' AND btrim(COALESCE(l ->> x.field, '')) = ''
  UNION ALL SELECT x.field FROM jsonb_array_elements_text(w.params -> 'fields') x(field)
  WHERE w.kind = 'lexicon' AND strpos(l ->> x.field, 'term' || right(w.params ->> 'lexicon', 1)) > 0
  UNION ALL SELECT NULL WHERE w.kind = 'expression' AND l ->> substr(w.params ->> 'expression', 3, 2) = 'x') f
WHERE w.effective <= at AND (w.until IS NULL OR at < w.until)
  AND (w.categories IS NULL OR w.categories = '{*}' OR quality_gov.category_covers(w.categories, l ->> 'category'));
CREATE TABLE found AS
SELECT id, at, c.ordinality, c.rule, c.field FROM listings
CROSS JOIN unnest('{2025-12-31,2026-01-01,2026-04-01,2026-06-15,2026-11-20}'::timestamptz[]) at
CROSS JOIN LATERAL listing_check(l, at) WITH ORDINALITY c WHERE c.version > 0;
SELECT count(*) > 1000 AS many, (SELECT count(*) FROM found) - count(*) AS difference FROM plain;
SELECT count(*) AS only_found FROM (SELECT id, at, rule, field FROM found EXCEPT ALL SELECT id, at, rule, field FROM plain) d;
SELECT count(*) AS only_plain FROM (SELECT id, at, rule, field FROM plain EXCEPT ALL SELECT id, at, rule, field FROM found) d;
-- the order is that of the names
SELECT count(*) AS out_of_order FROM (SELECT rule, lag(rule) OVER (PARTITION BY id, at ORDER BY ordinality) AS before FROM found) d WHERE rule < before COLLATE "C";
-- one by one they say the same, and a set of them says it again
SELECT count(*) AS differ FROM (
  SELECT id, rule, field FROM found WHERE at = '2026-11-20' EXCEPT ALL
  SELECT id, a.rule, c.field FROM listings CROSS JOIN ruleset_asof('2026-11-20') a CROSS JOIN LATERAL listing_rule_check(a.rule, a.version, l, '2026-11-20') c) d;
SELECT count(*) AS differ FROM listings CROSS JOIN LATERAL (
  SELECT to_jsonb(array_agg(c)) AS c FROM listing_check(l, '2026-06-15') c) x CROSS JOIN LATERAL (
  SELECT to_jsonb(array_agg(j)) AS j FROM listing_judge(l, listing_ruleset_json('2026-06-15'), '2026-06-15') j) y WHERE c IS DISTINCT FROM j;
-- a clean row is asked of hundreds of rules without any SQL
INSERT INTO listings SELECT 100 + n, '{"merchant_id": "m-1", "category": "food/tea/green", "title": "tea", "f0": "a", "f1": "a", "f2": "a", "f3": "a", "f4": "a", "f5": "a", "f6": "a"}' FROM generate_series(1, 1000) n;
SET enable_memoize = off;
SET statement_timeout = '60s';
SELECT count(c.rule) AS clean FROM listings, listing_check(l, '2026-11-20') c WHERE id = 101;
BEGIN;
SET LOCAL track_functions = 'all';
SELECT count(c.rule) AS clean FROM listings, listing_check(l, '2026-11-20') c WHERE id > 100;
SELECT funcname, calls FROM pg_stat_xact_user_functions WHERE schemaname = 'quality_gov' AND funcname <> 'listing_check' ORDER BY funcname;
COMMIT;
-- and can be cancelled
SET statement_timeout = '200ms';
\set VERBOSITY terse
SELECT count(c.rule) FROM listings, generate_series(1, 100000) n, listing_check(l || jsonb_build_object('n', n), '2026-11-20') c WHERE id > 100;
DROP TABLE listings, wanted, found CASCADE;
DROP EXTENSION quality_gov;
