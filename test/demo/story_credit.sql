-- Whose score fell, what that took away, and how it comes back.

\ir story.psqlrc
\echo
\echo '5. CREDIT: a good shop has a bad fortnight'
SET ROLE demo_platform;
-- From 2026-11-21 to 12-04: 60 orders, 25 of them late, 20 complained about.
INSERT INTO shop.orders
SELECT 300000 + n, p.id, p.shop_id, p.category, p.gtin, p.lot, p.price,
       timestamptz '2026-11-21 09:00+08' + n * interval '5 hours', n % 12 < 5
FROM generate_series(1, 60) n
CROSS JOIN LATERAL (SELECT * FROM shop.product WHERE shop_id = 'm-0120' AND status = 'on_sale' ORDER BY id LIMIT 1) p;
INSERT INTO shop.complaint
SELECT 300000 + n, 300000 + n, shop_id, ordered_at + interval '20 hours'
FROM generate_series(3, 60, 3) n JOIN shop.orders o ON o.id = 300000 + n;
RESET ROLE;

SELECT format('m-0120 (%s): %s points, grade %s on 2026-11-20; %s points, grade %s on 2026-12-05.', name,
  quality_gov.credit_score('m-0120', '2026-11-20 09:00+08'), quality_gov.credit_grade('m-0120', '2026-11-20 09:00+08'),
  quality_gov.credit_score('m-0120', '2026-12-05 09:00+08'), quality_gov.credit_grade('m-0120', '2026-12-05 09:00+08')) AS line
FROM quality_gov.merchant WHERE merchant_id = 'm-0120' \gset
\echo :line
\echo
SELECT b.indicator, b.weight, a.points AS "11-20", b.points AS "12-05", b.reason AS "reason on 2026-12-05"
FROM quality_gov.credit_explain('m-0120', '2026-12-05 09:00+08') b
JOIN quality_gov.credit_explain('m-0120', '2026-11-20 09:00+08') a USING (indicator);
SELECT format('Points sum exactly to the score: %s.', sum(points)) AS line
FROM quality_gov.credit_explain('m-0120', '2026-12-05 09:00+08') \gset
\echo :line
SELECT format('m-0027 lost %s points of "regulatory": %s (a penalty that the feed brought).', lost, reason) AS line
FROM quality_gov.credit_explain('m-0027', '2026-12-05 09:00+08') WHERE indicator = 'regulatory' \gset
\echo :line

\echo
\echo 'maintenance() of 2026-12-05 gives the grades and takes away what they forbid; an application asks merchant_may():'
\echo
SELECT count(*) FROM quality_gov.maintenance('2026-12-05 09:00+08') \gset
SELECT to_char(at, 'YYYY-MM-DD HH24:MI') AS at, action, m.allowed, array_to_string(m.reasons, '; ') AS reasons,
       COALESCE(m.until::text, CASE WHEN NOT m.allowed THEN 'no end set' END) AS until
FROM (VALUES ('2026-12-05 08:59+08'::timestamptz, 'list'), ('2026-12-05 09:01+08', 'list'), ('2026-12-05 09:01+08', 'sell')) v(at, action)
CROSS JOIN LATERAL quality_gov.merchant_may('m-0120', action, 'home', at) m;
\echo 'A new listing of m-0120 on that day:'
SET ROLE demo_platform;
SELECT demo.listing_try((70000, 'm-0120', '和悦 竹编篮 大号', NULL, 'home', NULL, NULL, '杭州明远制造有限公司', NULL, 59.9,
                         'on_sale', '2026-12-05 10:00+08', NULL)::shop.product) AS line \gset
RESET ROLE;
\echo ' ' :line

\echo
\echo 'The way back (tried in a transaction that is rolled back): 300 orders without complaint until May 2027'
\echo
BEGIN;
SET LOCAL ROLE demo_platform;
INSERT INTO shop.orders
SELECT 400000 + n, p.id, p.shop_id, p.category, p.gtin, p.lot, p.price,
       timestamptz '2026-12-06 09:00+08' + n * interval '11 hours'
FROM generate_series(1, 300) n
CROSS JOIN LATERAL (SELECT * FROM shop.product WHERE shop_id = 'm-0120' AND status = 'on_sale' ORDER BY id LIMIT 1) p;
RESET ROLE;
SELECT count(*) FROM quality_gov.maintenance('2027-05-01 09:00+08') \gset
SELECT to_char(h.since, 'YYYY-MM-DD') AS since, h.score, h.grade, h.previous_grade AS previous,
       m.allowed AS "may list", array_to_string(m.reasons, '; ') AS reasons
FROM quality_gov.credit_grade_history h
CROSS JOIN LATERAL quality_gov.merchant_may('m-0120', 'list', 'home', h.since) m
WHERE h.merchant_id = 'm-0120' ORDER BY h.since;
ROLLBACK;
