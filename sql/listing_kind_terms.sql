-- Rule kinds absolute_term, with the three outcomes of the guideline, claim and duplicate.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION asked(kind text, params jsonb, listing jsonb, at timestamptz) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT concat_ws('' | '', outcome, field, message) FROM quality_gov.rule_%s($1, $2, $3)', kind) USING params, listing, at;
END $$;
CREATE FUNCTION absolute(body text, category text DEFAULT NULL, lexicon text DEFAULT 'cn.absolute') RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(concat_ws(' ', outcome, detail ->> 'matched', detail ->> 'context', detail ->> 'context_basis', detail ->> 'never_slight'), '; '), '-')
  FROM quality_gov.rule_absolute_term(jsonb_build_object('lexicon', lexicon, 'fields', '{title}'::text[]), jsonb_strip_nulls(jsonb_build_object('title', body, 'category', category)), '2026-05-01') $$;
-- violations, also spaced; nothing to find
SELECT t, absolute(t) FROM unnest(ARRAY['国家级 好茶', '国 家 级 好茶', '國家級 好茶', '品质最佳的茶', '最高级面料', '最佳使用体验', '追求。最佳好茶', '好茶', '', '我们获得了客户。最佳品质']) t;
-- art 5: attitude, wish, goal are not about the goods
SELECT t, absolute(t) FROM unnest(ARRAY['以最佳的服务态度待客', '祝您健康最佳', '我们追求最佳品质', '力争做到最佳', '致力于成为最佳']) t;
-- art 6: self-comparison, usage hints, graded by a standard, award, time and place
SELECT t, absolute(t) FROM unnest(ARRAY['本品牌目前最高级的一款', '最佳赏味期 12 个月', '最佳饮用温度60度', '按GB/T 18186-2000为最高级', '最高级（依据GB/T 18186）', '荣获2024年最佳设计奖', '国家级非物质文化遗产', '国家级高新技术企业出品', '国家级品质']) t;
SELECT t, absolute(t, lexicon => 'cn.absolute-practice') FROM unnest(ARRAY['全网最低', '2025年广东省销量第一', '销量第一', '第一次用', '2025年新款第一']) t;
-- art 6(4): part of a registered name, only where it stands as that
INSERT INTO brand (brand, owner) VALUES ('最佳拍档', 'x');
SELECT t, absolute(t) FROM unnest(ARRAY['最佳拍档茶具', '最佳 拍档茶具', '最佳茶具 最佳拍档']) t;
-- one text, several words, each by its own context
SELECT absolute('国家级好茶，最佳饮用温度60度');
-- words that are excused hide none that is not, however many
SELECT n, g, outcome, count(*), max(message) FROM unnest('{19,20,200,1000}'::int[]) n, unnest('{true,false}'::boolean[]) g,
  rule_absolute_term(jsonb_build_object('lexicon', 'cn.absolute', 'fields', '{title,description}'::text[], 'grave', g),
    jsonb_build_object('title', repeat('追求最佳。', n), 'description', '国家级好茶'), '2026-05-01') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- art 11: never slight in categories under its regimes; an exempt context stays exempt
SELECT regime_assign('health_food', '{health}'), regime_assign('education', '{courses}');
SELECT c, t, absolute(t, c) FROM unnest(ARRAY['疗效最佳', '最佳食用方法 有效率说明', '提分效果最佳']) t, unnest('{health/pills,courses,tea}'::text[]) c;
SELECT g, count(*) FROM unnest('{true,false}'::boolean[]) g, rule_absolute_term(jsonb_build_object('lexicon', 'cn.absolute', 'fields', '{title}'::text[], 'grave', g), '{"title": "国家级，疗效最佳，最佳食用方法", "category": "health"}', '2026-05-01') GROUP BY g;
-- what decided is told, with the duty to prove it
SELECT detail FROM rule_absolute_term('{"lexicon": "cn.absolute", "fields": ["description"]}', '{"description": "最佳赏味期"}', '2026-05-01');
-- the platform's own contexts; a bad pattern, one that always fits, and changes of shipped rows are refused
INSERT INTO absolute_term_context (context, outcome, pattern, legal_basis) VALUES ('film', 'not_goods', '⟦最佳⟧(男|女)主角', 'art 5(3)');
INSERT INTO absolute_term_context (context, outcome, pattern, legal_basis) VALUES ('boast', 'violation', '追求⟦最佳⟧品质', 'our policy');
SELECT absolute('最佳男主角同款'), absolute('最佳主角同款'), absolute('追求最佳品质'), absolute('追求最佳');
\set VERBOSITY terse
INSERT INTO absolute_term_context (context, outcome, pattern, legal_basis) VALUES ('x', 'exempt', '(', 'b'), ('x', 'exempt', 'x*', 'b');
INSERT INTO absolute_term_context (context, outcome, pattern, legal_basis) VALUES ('x', 'exempt', 'x*', 'b');
DELETE FROM absolute_term_context WHERE context = 'goal';
SELECT p, rule_absolute_term_params_valid(p) FROM unnest(ARRAY['{"lexicon": "l", "fields": ["title"]}', '{"lexicon": "l"}', '{"fields": ["title"]}']::jsonb[]) p;
SELECT asked('absolute_term', '{"lexicon": "none", "fields": ["title"]}', '{"title": "x"}', '2026-05-01');
\set VERBOSITY default

-- claim: outside the regimes that may
SELECT regime_assign('medical', '{drugs}');
SELECT listing_rule_draft('claim', 'claim', '{"lexicon": "cn.medical-claim", "fields": ["title"], "except_regime": ["medical"]}', 'deny', 't', 'b');
SELECT c, (SELECT concat_ws(' | ', f.outcome, f.field, f.message) FROM listing_rule_check('claim', 1, jsonb_strip_nulls(jsonb_build_object('title', t, 'category', c)), '2026-05-01') f) AS said
FROM unnest('{drugs/otc,tea,NULL}'::text[]) c, unnest('{治疗失眠,本品不能治疗疾病,好茶}'::text[]) t;

-- duplicate: fingerprints of texts that share their wording are near, others far
SELECT text_fingerprint('') IS NULL AS empty, text_fingerprint('。 。') IS NULL AS nothing_left, text_fingerprint('Ａ b') = text_fingerprint('ab') AS folded, fingerprint_distance(0, -1) AS all_bits, fingerprint_distance(5, 4) AS one;
\set long '加厚不锈钢电热水壶家用大容量自动断电烧水壶办公室宿舍两用开水壶 食品级材质 双层防烫 一年质保 全国联保'
SELECT listing_take_down('shop.product', 'm-1', 'p-1', :'long', 'unsafe', 'Order 110 art 15', '2026-03-01 00:00+08') AS taken;
SELECT l, asked('duplicate', '{"fields": ["title", "description"], "distance": 3}', jsonb_build_object('merchant_id', 'm-1', 'relation', 'shop.product', 'listing_id', 'p-2', 'title', :'long') || l, '2026-04-01')
FROM unnest(ARRAY['{}', '{"listing_id": "p-1"}', '{"listing_id": "p-1", "relation": "other"}', '{"merchant_id": "m-2"}', '{"title": null}', '{"title": "儿童积木玩具大颗粒拼装益智"}']::jsonb[]) l;
SELECT asked('duplicate', '{"fields": ["title"], "scope": "platform"}', jsonb_build_object('merchant_id', 'm-2', 'listing_id', 'p-9', 'title', :'long' || '！！'), '2026-04-01');
-- of another merchant's goods nothing but the number
SELECT detail - 'distance' FROM rule_duplicate('{"fields": ["title"], "scope": "platform"}', jsonb_build_object('merchant_id', 'm-2', 'listing_id', 'p-9', 'title', :'long'), '2026-04-01');
SELECT t, asked('duplicate', '{"fields": ["title"]}', jsonb_build_object('merchant_id', 'm-1', 'listing_id', 'p-9', 'title', :'long'), t) FROM unnest('{"2026-02-28 23:59:59.999+08","2026-03-01 00:00+08"}'::timestamptz[]) t;
SELECT listing_take_down_end('m-1', 1, '2026-05-01 00:00+08');
SELECT t, asked('duplicate', '{"fields": ["title"]}', jsonb_build_object('merchant_id', 'm-1', 'listing_id', 'p-9', 'title', :'long'), t) FROM unnest('{"2026-04-30 23:59:59.999+08","2026-05-01 00:00+08"}'::timestamptz[]) t;
-- every fingerprint within three bits is found by the indexed bands, none beyond
SELECT count(*) FILTER (WHERE fingerprint_distance(a, b) <= 3 AND NOT ((a & 65535) = (b & 65535) OR (a >> 16 & 65535) = (b >> 16 & 65535) OR (a >> 32 & 65535) = (b >> 32 & 65535) OR (a >> 48 & 65535) = (b >> 48 & 65535))) AS missed, count(*) AS pairs
FROM (SELECT hashint8extended(n, 1) AS a, hashint8extended(n, 1) # (1::bigint << (n % 64)) # (1::bigint << (n * 7 % 64)) # (1::bigint << (n * 13 % 64)) AS b FROM generate_series(1, 1000) n) p;
\set VERBOSITY terse
SELECT listing_take_down_end('m-1', 1, '2026-06-01');
SELECT listing_take_down('r', 'm-1', 'p', ' ', 'r');
SELECT listing_take_down('r', NULL, 'p', 'x', 'r');
SELECT p, rule_duplicate_params_valid(p) FROM unnest(ARRAY['{"fields": ["title"]}', '{"fields": ["title"], "distance": 4}', '{"fields": ["title"], "scope": "all"}', '{}']::jsonb[]) p;
DROP FUNCTION absolute, asked;
DROP EXTENSION quality_gov;
