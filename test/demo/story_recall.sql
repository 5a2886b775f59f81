-- A recall stops orders of the lots in its scope, and of no others.

\ir story.psqlrc
\echo
\echo '6. RECALL'
SELECT p.id, p.gtin, p.lot, p.shop_id, p.title, COALESCE(p.producer, '') AS producer FROM shop.product p
WHERE p.category = 'toys' AND p.gtin IS NOT NULL
ORDER BY p.id OFFSET 40 LIMIT 1 \gset toy_
SELECT format('%s of shop %s, GTIN %s: lot %s is suspected on 2026-12-02, recall ordered on 12-03.',
              :'toy_title', :'toy_shop_id', :'toy_gtin', :'toy_lot') AS line \gset
\echo :line
\echo
INSERT INTO quality_gov.lot (gtin, lot_code, producer, merchant_id, made_on, quantity, unit)
VALUES (:'toy_gtin', :'toy_lot', :'toy_producer', :'toy_shop_id', '2026-06-10', 1200, 'piece'),
       (:'toy_gtin', 'L202611', :'toy_producer', :'toy_shop_id', '2026-11-05', 800, 'piece');
SELECT quality_gov.recall_open('小零件脱落，幼儿窒息风险', jsonb_build_array(jsonb_build_object('gtin', :'toy_gtin', 'lot', :'toy_lot')),
  'small parts come off', 'Order 19 (消费品召回) arts 3, 9', state => 'suspected', severity => 'serious',
  merchant_id => :'toy_shop_id', at => '2026-12-02 09:00+08') AS recall \gset
SELECT quality_gov.recall_advance(:recall, 'ordered', '2026-12-03 09:00+08') AS done \gset

CREATE TEMP TABLE attempt (n integer, lot text, at timestamptz);
INSERT INTO attempt VALUES (1, :'toy_lot', '2026-12-02 08:00+08'), (2, :'toy_lot', '2026-12-02 10:00+08'),
  (3, :'toy_lot', '2026-12-03 10:00+08'), (4, 'L202611', '2026-12-03 10:00+08'), (5, NULL, '2026-12-03 10:00+08');
GRANT SELECT ON attempt TO demo_platform;
SET ROLE demo_platform;
SELECT to_char(a.at, 'YYYY-MM-DD HH24:MI') AS "ordered at", COALESCE(a.lot, 'not known') AS lot, demo.order_try(p, a.lot, a.at) AS outcome
FROM (SELECT * FROM attempt ORDER BY n) a CROSS JOIN shop.product p WHERE p.id = :toy_id;
\echo 'A new listing of the recalled lot on 2026-12-04, and an order from the barred merchant of section 1:'
SELECT demo.listing_try((70001, p.shop_id, p.title, p.descr, p.category, p.gtin, p.lot, p.producer, p.certificate, p.price,
                         'on_sale', '2026-12-04 10:00+08', p.attrs)::shop.product) AS line FROM shop.product p WHERE p.id = :toy_id \gset
\echo ' ' :line
SELECT demo.order_try((1, 'm-barred', '', '', 'toys', NULL, NULL, NULL, NULL, 10, '', '2026-12-04 10:00+08', NULL)::shop.product,
                      NULL, '2026-12-04 10:00+08') AS line \gset
\echo ' ' :line
RESET ROLE;

-- Food, under the law of 2026-12-01: level 1 must be started within 24 hours.
SELECT p.gtin, p.lot, p.shop_id, COALESCE(p.producer, '') AS producer FROM shop.product p
WHERE p.category = 'food' AND p.gtin IS NOT NULL ORDER BY p.id OFFSET 60 LIMIT 1 \gset food_
INSERT INTO quality_gov.lot (gtin, lot_code, producer, merchant_id) VALUES (:'food_gtin', :'food_lot', :'food_producer', :'food_shop_id');
SELECT quality_gov.recall_open('黄曲霉毒素超标', jsonb_build_array(jsonb_build_object('gtin', :'food_gtin', 'lot', :'food_lot')),
  'aflatoxin above the limit', 'Order 122 (食品召回) arts 9, 11', regime => 'food', level => 1, state => 'voluntary',
  severity => 'serious', merchant_id => :'food_shop_id', at => '2026-12-04 15:30+08') AS recall \gset
\echo
\echo 'recall_overview:'
\echo
SELECT recall_id AS id, state, to_char(since, 'MM-DD HH24:MI') AS since, array_to_string(lots, ', ') AS lots,
       next_duty_title AS "next duty", to_char(due, 'YYYY-MM-DD HH24:MI') AS due
FROM quality_gov.recall_overview ORDER BY recall_id;
SELECT format('The same food recall on 2026-11-20 would have had %s: its law is in force from 2026-12-01 on.',
  COALESCE(quality_gov.duty_deadline('D20 level 1', '2026-11-20 15:30+08')::text, 'no such deadline')) AS line \gset
\echo :line
