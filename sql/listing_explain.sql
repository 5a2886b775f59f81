-- listing_explain(): one row for each rule in force, with what it read and what it decided; it agrees with listing_check().
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{best,finest}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT count(listing_rule_add(r, k, p::jsonb, v, t, 'law ' || r, 'low', c, '2026-01-01', on_missing => m)) AS rules
FROM (VALUES ('a-words', 'lexicon', '{"lexicon": "ads", "fields": ["title", "note"]}', 'deny', 'absolute', NULL::text[], NULL),
  ('b-fields', 'required', '{"fields": ["brand", "model"]}', 'quarantine', 'page field', NULL, NULL),
  ('c-licence', 'license', '{"license": "ccc"}', 'warn', 'CCC', '{toys}', NULL),
  ('d-list', 'watchlist', '{"watchlist": "serious_violation"}', 'warn', 'on the list', NULL, NULL),
  ('e-price', 'expression', '{"expression": "$.price.double() > 100"}', 'warn', 'dear', NULL, 'skip'),
  ('f-trial', 'required', '{"fields": ["care"]}', 'shadow', 'on trial', NULL, NULL),
  ('g-books', 'required', '{"fields": ["isbn"]}', 'deny', 'ISBN', '{books}', NULL),
  ('h-recall', 'recall', '{}', 'warn', 'recalled', NULL, NULL)) AS x(r, k, p, v, t, c, m);
SELECT listing_rule_add('gone', 'required', '{"fields": ["x"]}', 'deny', 't', 'b', effective => '2026-01-01', until => '2026-02-01'),
       listing_rule_draft('never', 'required', '{"fields": ["x"]}', 'deny', 't', 'b');
\x on
SELECT * FROM listing_explain('{"merchant_id": "m-1", "category": "toys/wood", "title": "best and finest", "brand": "y", "note": " ", "price": "x"}', '2026-11-20');
\x off
-- all is well; a category that is not known leaves open what rules of some categories say
SELECT rule, outcome, verdict, message FROM listing_explain('{"merchant_id": "m-1", "title": "tea", "brand": "y", "model": "z", "price": "5", "care": "dry"}', '2026-11-20');
SELECT rule, version, outcome, message FROM listing_explain('{"merchant_id": "nobody", "category": "food", "title": "tea"}', '2026-11-20') WHERE version = 0;
-- a rule in SQL tells also what it passes and exempts
INSERT INTO listing_kind (kind, title, params, reads) VALUES ('mood', 'goods of good mood', '{"of": name}', '{title}');
CREATE FUNCTION quality_gov.rule_mood(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb) LANGUAGE sql STABLE AS $$
  SELECT o, params ->> 'of', 'because ' || o, jsonb_build_object('n', n) FROM jsonb_array_elements_text((listing ->> 'tone')::jsonb) WITH ORDINALITY AS x(o, n) $$;
SELECT listing_rule_add('mood', 'mood', '{"of": "tone"}', 'deny', 'bad mood', 'b', effective => '2026-01-01');
SELECT l, e.outcome, e.verdict, e.values, e.condition, e.field, e.message, e.detail
FROM unnest('{[],"[\"pass\"]","[\"exempt\", \"pass\"]","[\"missing\", \"exempt\"]","[\"violation\", \"missing\", \"violation\"]"}'::text[]) l,
  listing_explain(jsonb_build_object('merchant_id', 'm-1', 'title', 'tea', 'tone', l), '2026-11-20') e WHERE e.rule = 'mood';
-- a rule that is kept says nothing of the listing, unless it has something to say: its title would read as a finding
SELECT count(listing_rule_add(r, k, p::jsonb, 'deny', 'must show it', 'b', effective => '2026-01-01')) AS rules
FROM (VALUES ('page', 'page', '{"fields": ["title"], "any_of": ["title", "note"]}'), ('price', 'price', '{}'), ('praise', 'absolute_term', '{"lexicon": "ads", "fields": ["title"]}')) x(r, k, p);
SELECT t, rule, outcome, message FROM unnest('{tea,best}'::text[]) t, listing_explain(jsonb_build_object('merchant_id', 'm-1', 'title', t, 'list_price', '5', 'list_price_meaning', 'RRP'), '2026-11-20')
WHERE rule IN ('page', 'price', 'praise');
-- what it decides is what listing_check() finds, rule by rule
SELECT count(*) AS differ
FROM unnest('{toys,books,food,NULL}'::text[]) c, unnest('{best,tea,best finest best}'::text[]) t, unnest('{5,500,x,NULL}'::text[]) p, unnest('{2026-01-15,2026-11-20}'::timestamptz[]) at
CROSS JOIN LATERAL (SELECT jsonb_build_object('merchant_id', 'm-1', 'category', c, 'title', t, 'price', p, 'tone', '["exempt"]') AS l) x
CROSS JOIN LATERAL (
  SELECT array_agg((rule, version, verdict)::text ORDER BY rule COLLATE "C", version) FILTER (WHERE verdict <> 'pass') AS explained FROM listing_explain(l, at)) e
CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT (rule, version, verdict)::text) AS found FROM listing_check(l, at)) f
WHERE ARRAY(SELECT unnest(explained) ORDER BY 1) IS DISTINCT FROM ARRAY(SELECT unnest(found) ORDER BY 1);
\set VERBOSITY terse
SELECT listing_explain('{"title": "x"}', '2026-11-20');
SELECT listing_explain('[]', '2026-11-20');
SELECT listing_explain(NULL, '2026-11-20');
SELECT listing_explain('{"merchant_id": "m-1"}', NULL);
SELECT listing_explain('{"merchant_id": "m-1"}', 'infinity');
DROP FUNCTION rule_mood;
DROP EXTENSION quality_gov;
