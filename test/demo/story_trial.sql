-- Rules and words before they bind anybody, and a table that was full before its guard.

\ir story.psqlrc
\echo
\echo '4. ON TRIAL: what a change would do, before it does'
SELECT quality_gov.lexicon_load('imitation', '{高仿,精仿,超A货,A货,复刻,仿牌,山寨,一比一,replica,1:1 copy,super clone,平替,大牌同款}',
  allow => '{A货架,复刻本}', severity => 4, tags => '{imitation}', legal_basis => '产品质量法 art 53 (false origin or mark)',
  title => 'Words that announce imitations') AS draft \gset
\echo 'The next version of the lexicon "imitation", over the titles of the shop (lexicon_backtest):'
\echo
SELECT change, term, listings, examples -> 0 ->> 'text' AS example
FROM quality_gov.lexicon_backtest('imitation', :draft, 'shop.product', '{title}') WHERE listings > 0 ORDER BY change, listings DESC, term;
SELECT quality_gov.lexicon_publish('imitation', :draft, '2026-12-06 00:00+08', state => 'shadow') AS version \gset
SELECT quality_gov.listing_rule_draft('imitation', 'lexicon', '{"lexicon": "imitation", "fields": ["title"]}', 'deny',
  'Imitations', '产品质量法 art 53; policy of the platform', 'high') AS draft \gset
\echo 'The rule "imitation", if it refused listings instead of holding them (listing_backtest):'
\echo
SELECT change, listings, examples -> 0 ->> 'title' AS example
FROM quality_gov.listing_backtest('imitation', :draft, 'shop.product', at => '2026-12-05 12:00+08');
SET ROLE demo_platform;
SELECT demo.listing_try((70020, 'm-0124', '青岚 护手霜 大牌同款', NULL, 'beauty', NULL, NULL, '厦门云舟制造有限公司', NULL, 39, 'on_sale',
                         '2026-12-06 10:00+08', NULL)::shop.product) AS line \gset
RESET ROLE;
SELECT format('On 2026-12-06 version %s is on trial. A new listing "大牌同款": %s, finding of %s with verdict %s.',
  (f.detail ->> 'lexicon_version'), :'line', f.rule, f.verdict) AS line
FROM quality_gov.listing_decision d JOIN quality_gov.listing_finding f USING (merchant_id, decision_id) WHERE d.listing_id = '70020' \gset
\echo :line

\echo
\echo 'A shop that was taken over: 1,000 listings were there before the guard (listing_audit, by the law of 2026-12-05)'
\echo
CREATE TABLE shop.takeover (sku text PRIMARY KEY, seller text, cat text, attrs jsonb, state text DEFAULT 'on', at timestamptz DEFAULT '2026-12-05 08:00+08');
INSERT INTO shop.takeover
SELECT 'T' || n, shop_id, category, jsonb_strip_nulls(jsonb_build_object('title', CASE n % 50 WHEN 7 THEN '最 佳 ' WHEN 9 THEN '國家級' ELSE '' END || title,
         'maker', CASE WHEN n % 4 = 0 THEN jsonb_build_object('name', producer, 'address', '杭州') END, 'ccc', certificate, 'type', 'toy'))
FROM generate_series(1, 1000) n CROSS JOIN LATERAL demo.listing(n) l;
SELECT quality_gov.guard_listing('shop.takeover', $${
  "listing_id": "sku", "merchant_id": "seller", "category": "cat", "title": "attrs->>'title'", "producer": "attrs->'maker'->>'name'",
  "producer_address": "attrs->'maker'->>'address'", "certificate": "attrs->>'ccc'", "product_type": "attrs->>'type'", "status": "state", "at": "at"}$$,
  held => 'held') AS done \gset
CALL quality_gov.listing_audit('shop.takeover', 500, hold => true);
SELECT rows_done AS judged, listings_found AS "with findings", listings_held AS held FROM quality_gov.listing_audit_run;
SELECT f.rule, f.verdict, count(DISTINCT d.listing_id) AS listings FROM quality_gov.listing_decision d
JOIN quality_gov.listing_finding f USING (merchant_id, decision_id) WHERE d.relation = 'shop.takeover' GROUP BY 1, 2 ORDER BY 3 DESC, 1;

\echo 'The queue of what is held: a reviewer takes the two oldest, confirms one and sets one free'
\echo
CREATE TEMP TABLE mine AS SELECT row_number() OVER () AS n, q.* FROM quality_gov.listing_review_assign('ann', 2) q;
SELECT sum(quality_gov.listing_review_decide(merchant_id, decision_id, CASE n WHEN 1 THEN 'confirm' ELSE 'release' END,
  'looked at the goods', CASE n WHEN 2 THEN 'on_sale' END)) AS updated FROM mine \gset mine_
SELECT m.listing_id AS listing, left(p.title, 30) AS title, r.outcome, p.status FROM mine m
JOIN quality_gov.listing_review r USING (merchant_id, decision_id) JOIN shop.product p ON p.id::text = m.listing_id ORDER BY n;
SELECT format('%s more are held.', count(*)) AS line FROM quality_gov.listing_queue WHERE reviewer IS NULL \gset
\echo :line
