-- A statement in Chinese is in Chinese, whatever shipped rule or kind it tells of.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
\pset format unaligned
\pset tuples_only on
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', '某某公司', 'company', '91110000600037341L', '2026-01-01');
SELECT count(regime_assign(r, ARRAY[r])) AS regimes FROM unnest('{ccc,production_licence,mandatory_gb,energy_label,water_label,health_food,education}'::text[]) r;
INSERT INTO product_certificate (kind, number, product_type, models, holder, valid_from, valid_until, source) VALUES
  ('ccc', 'C-1', '电热水壶', '{K-1}', '某某厂', '2024-01-01', '2025-12-31', 's'), ('ccc', 'C-2', '电热水壶', NULL, NULL, NULL, NULL, 's'), ('production_licence', 'P-1', '电线', NULL, NULL, '2027-01-01', '2028-01-01', 's');
INSERT INTO product_certificate_state VALUES ('ccc', 'C-1', '2026-01-01', 'suspended', NULL, 's'), ('production_licence', 'P-1', '2026-01-01', 'revoked', NULL, 's');
INSERT INTO product_report (merchant_id, number, product, models, basis, result, passed, issued_on, valid_until, source) VALUES
  ('m-1', 'R-1', NULL, '{K-1}', 'GB 4706.1', NULL, false, '2020-01-01', '2021-01-01', 's'), ('m-1', 'R-2', '座椅', NULL, NULL, '合格', NULL, NULL, NULL, 's');
INSERT INTO product_label (scheme, record, producer, model, grade, indicators, source) VALUES ('energy', 'E-1', '某某厂', 'K-1', 2, '{"use": 3}', 's'), ('water', 'W-1', '某某厂', 'K-1', 2, '{}', 's');
INSERT INTO listing_deal (merchant_id, item, at, price) VALUES ('m-1', '9', '2026-11-30', 50);
INSERT INTO brand (brand, owner) VALUES ('Nike', 'Nike Inc');
SELECT listing_take_down('t', 'm-1', '7', '会爆炸的电热水壶请勿购买请勿使用', 'unsafe', 'b', '2026-01-01') IS NOT NULL AS taken_down;
SELECT recall_open('Kettle', '[{"gtin": "6901234567892"}]', 'shock', 'Order 19', at => '2026-11-02') IS NOT NULL AS opened;
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01');

-- what rules find on listings of all kinds, one by one, as the statement tells it
CREATE TABLE listing AS SELECT '{"merchant_id": "m-1", "listing_id": "9"}' || l AS l FROM unnest(ARRAY[
  '{}', '{"title": "-"}', '{"title": "国家级 第一 治疗 best Nike 会爆炸的电热水壶请勿购买请勿使用", "description": "通过率最佳", "category": "education", "gtin": "6901234567892"}', '{"title": "国家级 第一 治疗"}',
  '{"list_price": "100"}', '{"list_price": "100", "listing_id": "8"}', '{"list_price": "many"}', '{"list_price": "5", "listing_id": null}', '{"risk": "0.9"}', '{"risk": "high"}', '{"power": "9"}', '{"power": "x"}']::jsonb[]
  || ARRAY[jsonb_build_object('title', repeat('国家级 ', 250))]
  || ARRAY(SELECT jsonb_build_object('category', c, 'title', '-', 'certificate', n, 'product_type', t, 'model', 'K-2', 'producer', '他厂') FROM unnest('{ccc,production_licence}'::text[]) c, unnest('{NULL,C-1,C-2,C-3,P-1}'::text[]) n, unnest('{玩具,NULL}'::text[]) t)
  || ARRAY(SELECT jsonb_build_object('category', 'mandatory_gb', 'report', n, 'model', t, 'standard', t, 'product', t, 'report_link', k) FROM unnest('{NULL,R-1,R-2,R-3}'::text[]) n, unnest('{K-2,NULL}'::text[]) t, unnest('{http://x,NULL}'::text[]) k)
  || ARRAY(SELECT jsonb_build_object('category', c || '_label', c || '_grade', g, c || '_record', n, 'use', '4', 'model', 'x') FROM unnest('{energy,water}'::text[]) c, unnest('{NULL,1级}'::text[]) g, unnest('{NULL,E-1,W-1,E-9}'::text[]) n)
  || ARRAY['{"category": "health_food", "title": "维生素"}']::jsonb[]) l;
CREATE VIEW told AS
SELECT r.rule, r.kind, listing_fact_part('zh', r.kind, f.finding, l) AS part, f.finding, s.text,
       -- what may be in Latin letters: what is quoted, the rule's name, the law
       regexp_replace(regexp_replace(regexp_replace(s.text, '“[^”]*”', '', 'g'), '（[a-z.-]+，第', '', 'g'), '依据：[^\n]*', '', 'g') AS rest
FROM listing_rule r, listing, LATERAL (
  SELECT to_jsonb(c) || jsonb_build_object('rule', r.rule, 'version', r.version, 'verdict', 'warn') AS finding FROM listing_rule_check(r.rule, r.version, l, '2026-12-02') c WHERE c.outcome IN ('violation', 'missing')) f,
  LATERAL (SELECT substring(listing_statement_text('zh', 'UTC', 'warn', jsonb_build_array(f.finding), l, NULL, now(), '{}', '{}') FROM '一、事实\n(.*)\n\n三、') AS text) s;
SELECT count(*) AS published FROM ruleset_enable('cn', effective => '2026-01-01 00:00+08');
-- every shipped rule finds something here, and nothing of it is told in English
SELECT rule AS never_told FROM ruleset_rule WHERE ruleset = 'cn' AND rule NOT IN (SELECT rule FROM told);
SELECT DISTINCT rule, text FROM told WHERE COALESCE(rest, 'x') ~ '[A-Za-z]' OR part = 'fact';
SELECT rule FROM ruleset_rule o WHERE builtin AND NOT EXISTS (SELECT FROM listing_translation t WHERE t.language = 'zh' AND t.original = o.title AND t.body ~ '^[^A-Za-z]+$');
SELECT DISTINCT text COLLATE "C" FROM told WHERE rule IN ('cn.certificate', 'cn.ccc-status', 'cn.page-report', 'cn.absolute-grave', 'cn.recall', 'cn.compared-price') AND finding ->> 'field' <> 'category' ORDER BY 1;
-- nor of what other params of the kinds find, with a title of the platform's own
INSERT INTO listing_translation VALUES ('zh', 'ours', '本平台规则');
SELECT count(listing_rule_add('own-' || translate(n::text, '0123456789', 'abcdefghij'), k, p::jsonb, 'warn', 'ours', '本平台规则', effective => '2026-01-01', on_missing => nullif('warn', CASE k WHEN 'required' THEN 'warn' END))) AS rules
FROM (VALUES (1, 'lexicon', '{"lexicon": "ads", "fields": ["title"]}'), (2, 'required', '{"fields": ["brand"]}'), (3, 'license', '{"license": "food"}'), (4, 'expression', '{"expression": "$.power.double() > 3"}'),
  (5, 'certificate', '{"kind": ["ccc", "production_licence"], "checks": ["register", "type", "status", "validity", "model"], "holder": true}'), (6, 'certificate', '{"kind": ["ccc"], "checks": ["status"]}'),
  (7, 'report', '{"product": "product", "passed": true}'), (8, 'report', '{"checks": ["content"]}'), (9, 'label', '{"scheme": "energy", "indicators": {"use": "use"}}'), (10, 'signal', '{"field": "risk", "model": "m", "version": "1", "threshold": 0.5}'),
  (11, 'brand', '{"fields": ["title"]}'), (12, 'duplicate', '{"fields": ["title"]}'), (13, 'page', '{"statement": "声明", "in": ["title", "description"]}')) x(n, k, p);
SELECT DISTINCT rule, text FROM told WHERE rule LIKE 'own-%' AND (COALESCE(rest, 'x') ~ '[A-Za-z]' OR part = 'fact');
SELECT kind, array_agg(DISTINCT part ORDER BY part) AS parts FROM told GROUP BY 1 ORDER BY 1;
-- templates that nothing here is told by
SELECT part FROM listing_template WHERE language = 'zh' AND part LIKE 'fact\_%' AND part NOT IN (SELECT part FROM told) ORDER BY 1;

-- from a guard; a version of the platform's own has its own title, and English stays English
CREATE TABLE product (id int PRIMARY KEY, shop text, title text, status text DEFAULT 'live', listed timestamptz DEFAULT '2026-11-20 10:00+08');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "status": "status", "at": "listed"}', on_deny => 'quarantine');
SELECT listing_rule_retire(rule, '2026-10-01') FROM listing_rule WHERE rule LIKE 'own-%' OR rule = 'cn.medical-claim' GROUP BY rule;
SELECT listing_rule_add('cn.medical-claim', 'claim', '{"lexicon": "cn.medical-claim", "fields": ["title"]}', 'quarantine', '不得宣传疗效', '广告法 art 17', effective => '2026-10-01');
INSERT INTO product VALUES (1, 'm-1', '国家级治疗仪'), (2, 'nobody', '茶');
SELECT substring(listing_statement('m-1', decision_id) FROM '一、事实.*三、') FROM listing_decision WHERE listing_id = '1';
SELECT substring(listing_statement('m-1', decision_id, 'en') FROM '1\. Facts.*3\. ') FROM listing_decision WHERE listing_id = '1';
SELECT substring(listing_statement('nobody', decision_id) FROM '一、事实.*三、') FROM listing_decision WHERE listing_id = '2';
DELETE FROM listing_translation WHERE original = 'recall';
INSERT INTO listing_template VALUES ('zh', 'facts', 'x');
DROP TABLE product, listing CASCADE;
DROP EXTENSION quality_gov;
