-- Rules that are an SQL/JSON path over the listing: true is a violation, whatever is neither true nor false is missing.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
CREATE FUNCTION said(rule text, listing jsonb, at timestamptz DEFAULT '2026-11-20') RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(concat_ws(' ', outcome, verdict, COALESCE(field, '-'), message, detail), '; '), 'satisfied')
  FROM quality_gov.listing_rule_check(said.rule, 1, listing, at) $$;

-- texts are strings: .double() makes numbers of them; the names that the path reads are what it needs
SELECT listing_rule_add('dear', 'expression', '{"expression": "$.price.double() > 100 && $.title like_regex \"tea\" flag \"i\""}', 'warn', 'dear tea', 'policy', effective => '2026-01-01');
SELECT params FROM listing_rule WHERE rule = 'dear';
SELECT l, said('dear', l) FROM unnest(ARRAY['{"price": "120.50", "title": "Tea"}', '{"price": 120, "title": "tea"}', '{"price": "99", "title": "tea"}',
  '{"price": "120", "title": "pot"}', '{"title": "tea"}', '{"price": null, "title": "tea"}', '{"price": " ", "title": "tea"}', '{}',
  '{"price": "dear", "title": "tea"}', '{"price": "dear", "title": "pot"}']::jsonb[]) l;
-- needs stated by hand; a name in quotes; existence
SELECT listing_rule_add('proof', 'expression', '{"expression": "exists($.\"claim text\") && !exists($.proof)", "fields": []}', 'deny', 'a claim needs proof', 'policy', effective => '2026-01-01'),
       listing_expression_fields('$."claim text" == "x" || $.a_1.size() > 2 || $.type() == "object"');
SELECT l, said('proof', l) FROM unnest(ARRAY['{"claim text": "x"}', '{"claim text": "x", "proof": "y"}', '{"claim text": " "}', '{}']::jsonb[]) l;
-- what becomes of an error is for the rule to say, and its trial for the set
SELECT listing_rule_add('strict', 'expression', '{"expression": "strict $.weight.double() > $.limit.double()", "fields": ["weight"]}', 'deny', 'too heavy', 'policy', on_missing => 'quarantine', effective => '2026-01-01'),
       listing_rule_add('half', 'expression', '{"expression": "($.n.double() / $.m.double()) > 1"}', 'deny', 'too many', 'policy', on_missing => 'skip', effective => '2026-01-01'),
       listing_rule_add('bare', 'expression', '{"expression": "$.price > 100"}', 'deny', 'compares a text with a number', 'policy', effective => '2026-01-01'),
       listing_rule_add('tried', 'expression', '{"expression": "$.price.double() > 1"}', 'shadow', 'on trial', 'policy', on_missing => 'deny', effective => '2026-01-01');
SELECT said('strict', '{"weight": "5"}'), said('strict', '{"weight": "5", "limit": "4"}');
SELECT said('half', '{"n": "1", "m": "0"}'), said('half', '{"n": "3", "m": "2"}');
SELECT said('bare', '{"price": "120"}');
SELECT rule, verdict, field, message FROM listing_check('{"merchant_id": "m-1", "n": "1", "m": "0", "weight": "5", "price": "x", "title": "tea", "claim text": "x"}', '2026-11-20');
-- the day and the instant of the judgement, which the session's time zone does not move
SELECT listing_rule_add('stale', 'expression', '{"expression": "$.best_before.datetime() < $today.datetime()"}', 'deny', 'past its date', 'policy', effective => '2026-01-01'),
       listing_rule_add('early', 'expression', '{"expression": "$.starts > $at"}', 'deny', 'not yet', 'policy', effective => '2026-01-01');
SELECT t, said('stale', '{"best_before": "2026-11-20"}', t), said('early', '{"starts": "2026-11-20 15:59:59+00"}', t)
FROM unnest('{"2026-11-20 23:59:59+08","2026-11-21 00:00:00+08"}'::timestamptz[]) t;
SELECT listing_rule_draft('zones', 'expression', '{"expression": "$.best_before.datetime() < $at.datetime()"}', 'warn', 'a day has no instant', 'policy');
SELECT said('zones', '{"best_before": "2026-11-20"}');
SET timezone = 'America/New_York';
SELECT said('stale', '{"best_before": "2026-11-20"}', '2026-11-20 23:59:59+08'), said('stale', '{"best_before": "2026-11-20"}', '2026-11-21 00:00:00+08');
SET timezone = 'Asia/Shanghai';

-- a path that is none is refused, with the place
SELECT listing_rule_draft('x', 'expression', '{"expression": "$.price >> 1"}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"expression": "$.price > 1 && "}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"expression": "$.title like_regex \"(\""}', 'deny', 't', 'b');
\set VERBOSITY terse
SELECT listing_rule_draft('x', 'expression', '{"expression": ""}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"expression": "$.price"}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"expression": "$.price ? (@ > 1)"}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"expression": "$.price > $limit"}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"expression": 1}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"fields": ["price"]}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', '{"expression": "$.a > 1", "fields": [1]}', 'deny', 't', 'b');
SELECT listing_rule_draft('x', 'expression', jsonb_build_object('expression', '$.a == "' || repeat('x', 2000) || '"'), 'deny', 't', 'b');
DROP FUNCTION said;
DROP EXTENSION quality_gov;
