-- The rule set cn: dormant on a fresh install, enabled wholly or in part, from the law's own days.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
CREATE FUNCTION judged(listing jsonb, at timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws(' ', rule, verdict, severity, message) FROM quality_gov.listing_check('{"merchant_id": "m-1"}' || listing, at) ORDER BY rule, message $$;
-- a fresh install has rules on offer and none in force
SELECT count(*) AS published FROM listing_rule;
SELECT rule, kind, verdict, on_missing, severity, legal_basis, lower(effect) FROM ruleset_rule WHERE ruleset = 'cn' ORDER BY rule;
SELECT rule FROM ruleset_rule WHERE NOT builtin OR legal_basis !~ '(办法|规定|法)' OR lower_inf(effect) OR NOT upper_inf(effect);
CREATE FUNCTION wanted(kind text, params jsonb) RETURNS text LANGUAGE plpgsql AS $$ DECLARE w text;
BEGIN EXECUTE format('SELECT quality_gov.rule_%s_params_valid($1)', kind) INTO w USING params; RETURN w; END $$;
SELECT rule, wanted(kind, params) FROM ruleset_rule WHERE kind <> 'recall' AND wanted(kind, params) IS NOT NULL;
SELECT * FROM lexicon_check();
SELECT lexicon, version, state, builtin, legal_basis, effect, (SELECT string_agg(term, ' ' ORDER BY term COLLATE "C") FROM lexicon_term t WHERE t.lexicon = l.lexicon AND l.lexicon = 'cn.absolute') FROM lexicon l ORDER BY 1;

-- a part of it, on and before the days of the law; what it lacks is told
SELECT * FROM ruleset_enable('cn', '{cn.absolute,cn.page-fields,cn.ccc-status}', '2026-11-01 00:00+08');
SELECT owner, builtin, state FROM listing_rule ORDER BY rule;
-- again: nothing is published twice; the rest is added
SELECT rule, version FROM ruleset_enable('cn', '{cn.absolute,cn.page-fields,cn.ccc-status}', '2026-11-05 00:00+08');
SELECT count(*), count(*) FILTER (WHERE version = 1), count(*) FILTER (WHERE lower(effect) = '2026-12-01 00:00+08') AS from_december FROM ruleset_enable('cn', effective => '2026-11-05 00:00+08');
SELECT count(*) AS rules, count(DISTINCT rule) AS distinct_rules FROM listing_rule;

-- nothing is asked of goods until their categories are under a regime
\set kettle '{"merchant_id": "m-1", "listing_id": "1", "title": "电热水壶", "category": "kettles"}'
SELECT judged(:'kettle', '2026-12-02');
SELECT regime_assign('ccc', '{kettles}'), regime_assign('mandatory_gb', '{seats}'), regime_assign('energy_label', '{fridges}'), regime_assign('water_label', '{taps}'), regime_assign('health_food', '{health}'), regime_assign('medical', '{drugs}');
-- Order 110 begins with December, in Beijing
SELECT t, j FROM unnest('{"2026-11-30 23:59:59.999+08","2026-12-01 00:00+08"}'::timestamptz[]) t, judged(:'kettle', t) j;
-- all that the page needs
INSERT INTO product_certificate (kind, number, product_type, valid_from, valid_until, source) VALUES ('ccc', 'C-1', '电热水壶', '2025-01-01', '2029-12-31', 'test');
INSERT INTO product_certificate_state VALUES ('ccc', 'C-1', '2025-01-01 00:00+08', 'valid', NULL, 'test'), ('ccc', 'C-1', '2026-11-10 00:00+08', 'suspended', NULL, 'test'), ('ccc', 'C-1', '2026-11-20 00:00+08', 'valid', NULL, 'test');
\set full '{"producer": "厂", "producer_address": "址", "model": "K", "standard": "GB 4706.19", "warning": "烫", "gtin": "6901234567892", "certificate": "C-1", "product_type": "电热水壶"}'
SELECT count(*) AS findings FROM judged(:'kettle' || :'full'::jsonb, '2026-12-01 00:00+08');
-- a suspended certificate stops sales before December, too
SELECT t, judged(:'kettle' || :'full'::jsonb, t) FROM unnest('{"2026-11-15 00:00+08","2026-11-20 00:00+08"}'::timestamptz[]) t;
-- no test report, no listing; leaving the category out is no way past the gates
SELECT judged('{"merchant_id": "m-1", "title": "座椅", "category": "seats", "producer": "p", "producer_address": "a", "model": "m", "standard": "s", "warning": "w", "gtin": "1"}', '2026-12-01 00:00+08');
SELECT judged('{"merchant_id": "m-1", "title": "座椅"}', '2026-12-01 00:00+08');
-- words, claims, statement, labels, prices
SELECT judged(l, '2026-11-20') FROM unnest(ARRAY['{"title": "国家级 好茶", "category": "tea"}', '{"title": "第一名茶 最佳饮用温度80度", "category": "tea"}', '{"title": "治疗失眠", "category": "tea"}', '{"title": "治疗失眠", "category": "drugs/otc"}',
  '{"title": "维生素", "category": "health"}', '{"title": "维生素", "description": "本品不能代替药物", "category": "health"}', '{"title": "冰箱", "category": "fridges"}', '{"title": "水龙头", "category": "taps", "water_grade": "2级"}',
  '{"title": "茶", "category": "tea", "merchant_id": "m-1", "listing_id": "9", "list_price": "100"}']::jsonb[]) l;

-- the guard's own look at the regimes is that of SQL, also just after they changed
CREATE VIEW looks AS SELECT c, t, EXISTS (SELECT FROM listing_check(l, t) WHERE rule = 'cn.ccc-status') AS asked, CASE WHEN c IS NULL THEN EXISTS (SELECT FROM category_regime r WHERE r.regime = 'ccc' AND r.effect @> t) ELSE listing_in_regime('{ccc}', c, t) END AS concerned
FROM unnest('{kettles,kettles/steel,kettlesx,kettle,seats,NULL}'::text[]) c, unnest('{"2026-11-20","2026-12-02 23:59:59.999+08","2026-12-03 00:00+08"}'::timestamptz[]) t,
  LATERAL (SELECT jsonb_strip_nulls(jsonb_build_object('merchant_id', 'm-1', 'title', 'x', 'category', c)) AS l) x;
SELECT count(*) FILTER (WHERE asked) AS asked, count(*) FILTER (WHERE asked <> concerned) AS differ FROM looks;
SELECT regime_release('ccc', '{kettles}', '2026-12-03 00:00+08');
SELECT count(*) FILTER (WHERE asked) AS asked, count(*) FILTER (WHERE asked <> concerned) AS differ FROM looks;
SELECT regime_assign('ccc', '{*}', effective => '2026-12-03 00:00+08');
SELECT count(*) FILTER (WHERE asked) AS asked, count(*) FILTER (WHERE asked <> concerned) AS differ FROM looks;
DROP VIEW looks;
SELECT regime_release('ccc', '{*}', '2026-12-03 12:00+08');

-- recalled goods are held or stopped without any rule; the article stands beside it
SELECT recall_open('Kettle', '[{"gtin": "6901234567892"}]', 'shock', 'Order 19', at => '2026-11-02') IS NOT NULL AS opened;
SELECT judged('{"title": "水壶", "category": "kettles", "certificate": "C-1", "product_type": "电热水壶", "gtin": 6901234567892}', '2026-11-20');

-- on trial, then for good, then off; a change is a version of its own
SELECT rule, version, verdict FROM ruleset_enable('cn', '{cn.absolute}', '2026-12-05 00:00+08', trial => true);
SELECT t, judged('{"title": "国家级", "category": "tea"}', t) FROM unnest('{2026-12-04,2026-12-05}'::date[]) t;
SELECT rule, version, verdict, effect FROM ruleset_enable('cn', '{cn.absolute}', '2026-12-06 00:00+08', owner => 'legal team');
SELECT version, state, verdict, owner, effect, trial FROM listing_rule WHERE rule = 'cn.absolute' ORDER BY version;
SELECT ruleset_disable('cn', '{cn.absolute}', '2026-12-07 00:00+08'), ruleset_disable('cn', at => '2026-12-08 00:00+08') AS the_rest;
SELECT count(*) AS findings FROM judged(:'kettle', '2026-12-08 00:00+08');
-- off before the law is in force
INSERT INTO ruleset_rule (ruleset, rule, kind, params, verdict, on_missing, severity, title, legal_basis, effect)
SELECT 'own', 'own.law', 'page', '{"fields": ["x"]}', 'warn', 'skip', 'low', 't', 'b', tstzrange(now() + interval '1 month', NULL);
SELECT version, lower(effect) > now() AS later FROM ruleset_enable('own');
SELECT ruleset_disable('own');
SELECT state, effect FROM listing_rule WHERE rule = 'own.law';
-- a category that leaves a regime as it enters it was never there, however often
SELECT regime_assign('ccc', '{mugs}', effective => '2026-12-09'), regime_release('ccc', '{mugs}', '2026-12-09') FROM generate_series(1, 2);
SELECT count(*) AS mugs FROM category_regime WHERE category = 'mugs';
\set VERBOSITY terse
SELECT regime_assign('ccc', '{{a,b},{c,d}}');
SELECT ruleset_disable('eu');
SELECT ruleset_disable('cn', '{cn.none}');
SELECT ruleset_enable('eu');
SELECT ruleset_enable('cn', '{cn.absolute,cn.none}');
SELECT ruleset_enable('cn', effective => 'infinity');
DELETE FROM ruleset_rule;
SELECT lexicon_load('cn.absolute', '{x}');
DROP FUNCTION judged, wanted;
DROP EXTENSION quality_gov;
