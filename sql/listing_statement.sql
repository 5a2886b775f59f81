-- The statement of facts, reasons and basis: what it must contain, in which language, and who may read it.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SELECT count(*) AS roles FROM roles_create();
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', '某某公司 {n}', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT lexicon_load('ads', '{国家级}', legal_basis => '广告法 art 9(3)'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'quarantine', 'absolute wording', '广告法 art 9(3)', 'high', effective => '2026-01-01'),
       listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'warn', 'page field', 'Order 110 art 8', effective => '2026-01-01'),
       listing_rule_add('trial', 'required', '{"fields": ["care"]}', 'shadow', 'on trial', 'policy', 'low', effective => '2026-01-01');
CREATE TABLE product (id int PRIMARY KEY, shop text, title text, producer text, status text DEFAULT 'live', listed timestamptz DEFAULT '2026-11-20 10:00+08');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "status": "status", "at": "listed"}');
INSERT INTO product VALUES (11, 'm-1', '好 国 家 级 {message}', NULL), (12, 'm-1', 'cup', NULL), (13, 'm-1', 'pot', 'p'), (14, 'm-2', 'jar', NULL);
SELECT decision_id, listing_id, verdict FROM listing_decision ORDER BY 1;

-- who, which listing, when, each fact with where it stands, rule and version, basis, decision, appeal
SELECT w.what, position(w.expected IN s.text) > 0 AS is_there
FROM listing_statement('m-1', 1) s(text), (VALUES
  ('merchant', '某某公司 {n}（m-1）'), ('listing', '商品：11'), ('reference', '编号：1'), ('time', '2026-11-20 10:00:00（Asia/Shanghai）'),
  ('fact and span', '字段“title”第 3 至 7 个字符“国 家 级”，对应词条“国家级”'), ('missing field', '字段“producer”未填写'),
  ('rule and basis', '“绝对化用语”（ad-words，第 1 版）；依据：广告法 art 9(3)'), ('second basis', 'Order 110 art 8'),
  ('decision', '暂停展示'), ('appeal', '提出申诉'), ('a person on request', '由人工作出决定')) w(what, expected);
SELECT w.what, position(w.expected IN s.text) > 0 AS is_there
FROM listing_statement('m-1', 1, 'en', 'UTC') s(text), (VALUES
  ('merchant', '某某公司 {n} (m-1)'), ('listing', 'Listing: 11'), ('reference', 'Reference: 1'), ('time', '2026-11-20 02:00:00 (UTC)'),
  ('fact and span', 'Field "title", characters 3 to 7: "国 家 级", which is the term "国家级"'), ('missing field', 'Field "producer" is missing'),
  ('rule and basis', '"absolute wording" (ad-words, version 1); basis: 广告法 art 9(3)'), ('second basis', 'Order 110 art 8'),
  ('decision', 'held until it is reviewed'), ('appeal', 'You may appeal'), ('a person on request', 'that a person decide')) w(what, expected);
-- rules on trial are no reason; without a period set none is named; every place is filled
SELECT position('trial' IN s) AS trial, position('之前' IN s) AS period, s ~ '\{(n|field|facts|grounds|measure|appeal|reference|at)\}' AND s !~ '某某公司 \{n\}' AS unfilled
FROM listing_statement('m-1', 1) s;
-- a warning has another measure
SELECT position('is shown' IN listing_statement('m-1', 2, 'en')) > 0 AS shown;
-- a period that the platform sets
INSERT INTO duty_rule (duty, title, amount, unit, effect, legal_basis) VALUES ('listing_appeal', 'appeal', 10, 'day', '(,)', 'our rules');
SELECT position(to_char(duty_deadline('listing_appeal', recorded_at) AT TIME ZONE 'Asia/Shanghai', '"在 "YYYY-MM-DD HH24:MI:SS"（Asia/Shanghai）之前"') IN listing_statement('m-1', 1)) > 0 AS zh,
       position('before ' || to_char(duty_deadline('listing_appeal', recorded_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "(UTC)"') IN listing_statement('m-1', 1, 'en', 'UTC')) > 0 AS en
FROM listing_decision WHERE decision_id = 1;

-- the platform's own text comes before the shipped one, in its language or another; shipped text stays
INSERT INTO listing_template VALUES ('en', 'statement', 'Ours {reference}{unknown}{ {facts}{grounds}{measure} {appeal}'), ('en', 'appeal_until', 'write to us by {until}'),
  ('de', 'statement', 'Bescheid {reference}: {facts} {grounds} {measure} {appeal}'), ('de', 'fact_missing', 'f'), ('de', 'ground', 'g {legal_basis}');
SELECT listing_statement('m-1', 1, 'en') ~ '^Ours 1\{unknown\}\{ .* write to us by \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$' AS ours;
SELECT listing_statement('m-1', 1, 'de');
SELECT listing_statement('m-1', 1, 'fr');
UPDATE listing_template SET body = 'x' WHERE builtin AND part = 'appeal';
\set VERBOSITY terse
INSERT INTO listing_template VALUES ('en', 'poem', 'x');
-- what the law wants in a statement no template leaves out
INSERT INTO listing_template VALUES ('fr', 'statement', '{facts} {grounds} {measure}');
INSERT INTO listing_template VALUES ('fr', 'ground', '{title}');
INSERT INTO listing_template VALUES ('fr', 'appeal', ' ');
SELECT listing_statement('m-1', 1, 'zh', 'Mars/Olympus');

-- refusals: no such decision, another's decision, a decision that took no measure
SELECT listing_statement('m-1', 99);
SELECT listing_statement('m-2', 1);
UPDATE product SET producer = 'p' WHERE id = 12;
SELECT verdict, listing_statement('m-1', decision_id) FROM listing_decision WHERE listing_id = '12' AND verdict IN ('pass', 'shadow');

-- a merchant reads its own, staff reads all, nobody else any
CREATE ROLE regress_shop_1; CREATE ROLE regress_shop_2; CREATE ROLE regress_reg; CREATE ROLE regress_analyst;
GRANT quality_gov_merchant TO regress_shop_1, regress_shop_2;
GRANT quality_gov_regulator TO regress_reg; GRANT quality_gov_analyst TO regress_analyst;
SELECT merchant_member_add('regress_shop_1', 'm-1'), merchant_member_add('regress_shop_2', 'm-2');
CREATE FUNCTION may_read(who text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  PERFORM set_config('role', who, true);
  PERFORM quality_gov.listing_statement('m-1', 1);
  RESET ROLE;
  RETURN 'yes';
EXCEPTION WHEN insufficient_privilege THEN RETURN SQLERRM; END $$;
SELECT w, may_read(w) FROM unnest('{regress_shop_1,regress_shop_2,regress_reg,regress_analyst}'::text[]) w;
DROP FUNCTION may_read;
DROP TABLE product;
DROP EXTENSION quality_gov;
DROP ROLE regress_shop_1, regress_shop_2, regress_reg, regress_analyst;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
