-- One rule set on both sides of 2026-12-01; why, to whom, and what may be said against it.

\ir story.psqlrc
\echo
\echo '3. THE LAW OF DECEMBER: the rule set cn'
\echo 'One kettle, judged on two days (listing_check); its certificate is for another kind of goods:'
\echo
INSERT INTO quality_gov.product_certificate (kind, number, product_type, models, holder, valid_from, valid_until, source)
VALUES ('ccc', '2024010901000077', '电吹风', '{CF-1}', '成都启辰制造有限公司', '2024-01-09', '2029-01-08', 'demo'),
       ('ccc', '2024010901000078', '电热水壶', '{K-9}', '成都启辰制造有限公司', '2024-01-09', '2029-01-08', 'demo');
INSERT INTO quality_gov.product_certificate_state
SELECT kind, number, '2024-01-09 00:00+08', 'valid', NULL, 'demo' FROM quality_gov.product_certificate;
\set kettle '{"merchant_id": "m-0122", "listing_id": "new", "title": "云舟 便携电热水壶 2026款", "category": "electronics", "certificate": "2024010901000077", "product_type": "电热水壶", "model": "K-9"}'
SELECT to_char(day, 'YYYY-MM-DD') AS day, c.rule, c.verdict, split_part(c.message, ': ', 1) AS finding, c.legal_basis AS "legal basis"
FROM unnest('{2026-11-20 12:00+08,2026-12-05 12:00+08}'::timestamptz[]) day
CROSS JOIN LATERAL quality_gov.listing_check(:'kettle', day) c
ORDER BY 1, 2;
\echo 'Why (listing_explain): what some of the rules read, and what came of it'
\echo
SELECT rule, outcome, verdict, "values" - 'category' AS "values it read"
FROM quality_gov.listing_explain(:'kettle', '2026-12-05 12:00+08')
WHERE rule IN ('cn.absolute', 'cn.barcode', 'cn.certificate', 'cn.certificate-validity', 'cn.energy-label') ORDER BY rule;

-- The application lists it, is refused, and rolls back: the attempt stays.
\echo 'What its merchant must be told of the refused attempt (listing_denial_statement):'
\echo
SET ROLE demo_platform;
SELECT demo.listing_try((70010, 'm-0122', '云舟 便携电热水壶 最佳拍档', NULL, 'electronics', '06901234567892', NULL, '成都启辰制造有限公司',
  '2024010901000078', 129, 'on_sale', '2026-12-05 10:00+08',
  '{"type": "电热水壶", "model": "K-9", "standard": "GB 4706.19", "address": "成都"}')::shop.product) AS line \gset
RESET ROLE;
SELECT quality_gov.listing_denial_drain() AS drained \gset
SELECT denial_id AS denial FROM quality_gov.listing_denial WHERE merchant_id = 'm-0122' AND listing_id = '70010' \gset
SELECT quality_gov.listing_denial_statement('m-0122', :denial) AS line \gset
\echo :line
\echo
\echo 'Its appeal: decided by a program, taken to a person on demand (Order 116 art 19), overturned. The same write then passes:'
\echo
SELECT quality_gov.listing_denial_appeal('m-0122', :denial, '“最佳拍档”是注册商标', '{"mark": "12345678"}') AS appeal \gset
SELECT quality_gov.listing_appeal_decide('m-0122', :appeal, 'upheld', '命中词条“最佳”', 'appeals model 2', automatic => true) AS freed \gset
SELECT quality_gov.listing_appeal_request_person('m-0122', :appeal) \gset
SELECT quality_gov.listing_appeal_decide('m-0122', :appeal, 'overturned', '商标已核实', 'ann', until => '2027-12-31 00:00+08') AS freed \gset
SELECT state, outcome, reasons, decided_by AS "decided by" FROM quality_gov.listing_appeal_step
WHERE merchant_id = 'm-0122' AND appeal_id = :appeal ORDER BY step_id;
SET ROLE demo_platform;
SELECT demo.listing_try((70010, 'm-0122', '云舟 便携电热水壶 最佳拍档', NULL, 'electronics', '06901234567892', NULL, '成都启辰制造有限公司',
  '2024010901000078', 129, 'on_sale', '2026-12-05 15:00+08',
  '{"type": "电热水壶", "model": "K-9", "standard": "GB 4706.19", "address": "成都"}')::shop.product) AS line \gset
RESET ROLE;
\echo '  written again:' :line
SELECT format('  of the same listing %s: finding of %s, verdict %s, by exception %s of %s', d.operation, f.rule, f.verdict,
  f.detail #>> '{exception,exception_id}', f.detail #>> '{exception,owner}') AS line
FROM quality_gov.listing_decision d JOIN quality_gov.listing_finding f USING (merchant_id, decision_id)
WHERE d.listing_id = '70010' AND f.rule = 'cn.absolute' \gset
\echo :line
