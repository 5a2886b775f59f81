-- Rules of each kind, their versions and periods; listing_check() as of any instant.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
INSERT INTO merchant_license (merchant_id, kind, number, categories, valid) VALUES ('m-1', 'ccc', '1', '{toys}', '[2026-01-01,2026-12-01)');
INSERT INTO watchlist_entry (watchlist, uscc, reason, legal_basis, source, term) VALUES
  ('serious_violation', '91350100M000100Y43', 'false tests', 'Order 44', 'test', '[2026-11-01,2026-12-01)');
SELECT lexicon_load('ads', '{国家级,最高级,最佳}', '{最佳赏味期}', legal_basis => '广告法 art 9(3)'), lexicon_publish('ads', effective => '2026-01-01');
SELECT lexicon_load('cure', '{治疗}', categories => '{food}'), lexicon_publish('cure', effective => '2026-01-01');

SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title", "description"]}', 'deny', 'absolute wording', '广告法 art 9(3)', 'high', effective => '2026-01-01');
SELECT listing_rule_add('cure', 'lexicon', '{"lexicon": "cure", "fields": ["title"]}', 'warn', 'medical claim', '广告法 art 17', effective => '2026-01-01');
SELECT listing_rule_add('page-fields', 'required', '{"fields": ["producer", "model"]}', 'quarantine', 'page field', 'Order 110 art 8', effective => '2026-12-01');
SELECT listing_rule_add('ccc', 'license', '{"license": "ccc"}', 'deny', 'CCC', '强制性产品认证管理规定', 'high', '{toys,appliances}', effective => '2026-01-01');
SELECT listing_rule_add('serious', 'watchlist', '{"watchlist": "serious_violation"}', 'warn', 'on the list', 'Order 44 art 15', 'low', effective => '2026-01-01');
SELECT listing_rule_add('trial', 'required', '{"fields": ["warranty"]}', 'shadow', 'on trial', 'none', effective => '2026-11-01', until => '2026-11-10');

CREATE FUNCTION judged(listing jsonb, at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(format('%s v%s %s %s: %s', rule, version, verdict, COALESCE(field, '-'), message), E'\n' ORDER BY rule, field), 'clean')
  FROM quality_gov.listing_check('{"merchant_id": "m-1"}' || listing, at) $$;
-- lexicon: where, what, which folds; the allow term excuses; the category scope of terms
SELECT judged('{"title": "国 家 级 好 茶", "description": "最佳赏味期 12 个月"}', '2026-11-20');
SELECT detail FROM listing_check('{"merchant_id": "m-1", "title": "好茶 国－家－级"}', '2026-11-20');
SELECT c, judged(jsonb_build_object('title', '治疗 茶', 'category', c), '2026-11-20') FROM unnest('{food/tea,books}'::text[]) c;
-- required: missing, null and blank are all missing, on both sides of the day the rule begins
SELECT t, judged(l, t) FROM unnest('{"2026-11-30 23:59:59+08","2026-12-01 00:00:00+08"}'::timestamptz[]) t,
  unnest(ARRAY['{"title": "茶", "producer": "p", "model": "m"}', '{"title": "茶", "producer": null, "model": "  "}', '{"title": "茶", "model": "m"}']::jsonb[]) l;
-- licence: by category and until its last day
SELECT t, c, judged(jsonb_build_object('title', 'x', 'producer', 'p', 'model', 'm', 'category', c), t)
FROM unnest('{2026-11-30,2026-12-01}'::timestamptz[]) t, unnest('{toys,toys/wood,appliances,toysrus,NULL}'::text[]) c;
-- watch-list, over its term
SELECT t, judged('{"merchant_id": "m-2", "title": "x", "producer": "p", "model": "m"}', t) FROM unnest('{2026-10-31,2026-11-15,2026-12-01}'::timestamptz[]) t;
-- a rule on trial
SELECT t, judged('{"title": "x"}', t) FROM unnest('{2026-11-05,2026-11-10}'::timestamptz[]) t;
-- the merchant and recalls are asked without any rule
SELECT recall_open('Kettle', '[{"gtin": "6901234567892"}]', 'shock', 'Order 19', at => '2026-11-02') IS NOT NULL AS opened;
SELECT judged('{"merchant_id": "nobody", "title": "x", "gtin": 6901234567892}', '2026-11-20');
-- everything at once, all findings told
SELECT judged('{"merchant_id": "m-2", "title": "国家级 最佳 治疗", "category": "toys"}', '2026-11-20');

-- versions: a new one takes the place of the one before from its day; replay finds the old one
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'warn', 'absolute wording', '广告法 art 9(3)', effective => '2026-11-25');
SELECT t, judged('{"title": "x", "description": "最佳", "producer": "p", "model": "m"}', t) FROM unnest('{2026-11-24,2026-11-26}'::timestamptz[]) t;
SELECT rule, version, state, effect FROM listing_rule WHERE rule = 'ad-words' ORDER BY version;
SELECT listing_rule_retire('ad-words', '2026-11-28');
SELECT judged('{"title": "最佳"}', '2026-11-27') <> 'clean' AS before_it_ended, judged('{"title": "最佳"}', '2026-11-28') AS after_it_ended;
SELECT listing_rule_retire('ad-words', '2026-11-29');
-- published versions stay as they are
UPDATE listing_rule SET verdict = 'warn' WHERE rule = 'ccc';
DELETE FROM listing_rule WHERE rule = 'ccc';
TRUNCATE listing_rule;
\echo :LAST_ERROR_SQLSTATE

-- bad input
SELECT listing_rule_add('x', 'magic', '{}', 'deny', 't', 'b');
SELECT listing_rule_add('x', 'lexicon', '{"lexicon": "none", "fields": ["title"]}', 'deny', 't', 'b');
SELECT listing_rule_add('x', 'lexicon', '{"lexicon": "ads"}', 'deny', 't', 'b');
SELECT listing_rule_add('x', 'required', '{"fields": []}', 'deny', 't', 'b');
SELECT listing_rule_add('x', 'required', '{"fields": [1]}', 'deny', 't', 'b');
SELECT listing_rule_add('x', 'required', NULL, 'deny', 't', 'b');
SELECT listing_rule_add('x', 'license', '[]', 'deny', 't', 'b');
SELECT listing_rule_add('x', 'watchlist', '{"watchlist": "none"}', 'deny', 't', 'b');
SELECT listing_rule_add('ccc', 'license', '{"license": "ccc"}', 'deny', 't', 'b', effective => '2026-01-01');
SELECT listing_rule_add('x', 'license', '{"license": "ccc"}', 'deny', 't', 'b', effective => 'infinity');
\set VERBOSITY terse
SELECT listing_rule_add('x', 'license', '{"license": "ccc"}', 'explode', 't', 'b');
SELECT listing_rule_add('X!', 'license', '{"license": "ccc"}', 'deny', 't', 'b');
SELECT listing_rule_add('recall', 'license', '{"license": "ccc"}', 'deny', 't', 'b');
SELECT listing_check('{"title": "x"}');
SELECT listing_check('[]');
SELECT listing_check('{"merchant_id": "m-1"}', 'infinity');
SELECT lexicon_load('later', '{x}'), lexicon_publish('later', effective => '2100-01-01');
SELECT listing_rule_add('x', 'lexicon', '{"lexicon": "later", "fields": ["title"]}', 'warn', 't', 'b');
SELECT listing_check('{"merchant_id": "m-1", "title": {"zh": "x"}}');
SELECT listing_check(NULL);
SELECT listing_check('{"merchant_id": "m-1"}', NULL);
DROP FUNCTION judged;
DROP EXTENSION quality_gov;
