-- An exception for one word hides no other, however often the one is written.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{best,cheapest}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'wording', 'b', effective => '2026-01-01'),
  listing_rule_add('claims', 'claim', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'claim', 'b', effective => '2026-01-01'),
  listing_rule_add('absolute', 'absolute_term', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute', 'b', effective => '2026-01-01');
SELECT count(listing_exception_add(rule, 'm-1', '2100-01-01', 'a brand', 'legal', effective => '2026-01-01', finding => message))
FROM (SELECT DISTINCT rule, message FROM listing_check('{"merchant_id": "m-1", "title": "best"}', '2026-05-01')) f;
SELECT n, rule, verdict, count(*), min(message) FROM unnest('{1,19,20,500}'::int[]) n,
  listing_check(jsonb_build_object('merchant_id', 'm-1', 'title', repeat('best, ', n) || 'cheapest'), '2026-05-01') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- a text of nothing but terms is told a number of them that ends
SELECT lexicon_load('many', array_agg('w' || g || 'w')), lexicon_publish('many', effective => '2026-01-01'),
  listing_rule_add('many', 'lexicon', '{"lexicon": "many", "fields": ["title"]}', 'deny', 'wording', 'b', effective => '2026-01-01') FROM generate_series(1, 1000) g;
SELECT count(*) FROM listing_check((SELECT jsonb_build_object('merchant_id', 'm-1', 'title', string_agg('w' || g || 'w', ' ')) FROM generate_series(1, 1000) g), '2026-05-01');
DROP EXTENSION quality_gov;
