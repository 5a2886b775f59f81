-- 2,000 merchants and a few applicants whom the entry audit turns away.

SET timezone = 'Asia/Shanghai';

-- What the authority's feed brought: lists, and a penalty that will count in a merchant's credit.
CREATE TABLE demo.feed AS
SELECT * FROM quality_gov.regulatory_import(jsonb_build_array(
  jsonb_build_object('item', 'S-1', 'type', 'list', 'list', 'serious_violation', 'uscc', demo.uscc('91330100', 900001),
    'reason', '销售不合格电热毯', 'legal_basis', 'Order 44/2021 art 7', 'from', '2025-03-10', 'until', '2028-03-10'),
  jsonb_build_object('item', 'A-1', 'type', 'list', 'list', 'abnormal_operation', 'uscc', demo.uscc('91440100', 900002),
    'reason', '未按期公示年度报告', 'legal_basis', '经营异常名录 arts 6 to 9', 'from', '2026-02-01'),
  jsonb_build_object('item', 'P-1', 'type', 'penalty', 'uscc', demo.application(27) ->> 'uscc',
    'reason', '虚假宣传', 'legal_basis', '广告法 art 55', 'from', '2026-09-15', 'severity', 'general'),
  jsonb_build_object('item', 'P-2', 'type', 'penalty', 'name', '无主体', 'reason', '缺少严重程度', 'legal_basis', '-', 'from', '2026-09-15')),
  'market regulation feed', at => '2026-09-20 09:00+08');

SELECT count(*) AS admitted FROM generate_series(1, 2000) n
CROSS JOIN LATERAL quality_gov.merchant_admit(demo.application(n), timestamptz '2026-06-01 09:00+08' + n * interval '10 minutes') a
WHERE a.admitted \gset

-- A merchant barred by the platform, one whose food licence will lapse, and those who are refused.
CREATE TABLE demo.applicant AS
SELECT * FROM (VALUES
  ('m-barred', 3001, '{"categories": ["toys"], "licenses": null}'::jsonb, 1),
  ('m-lapsing', 3005, '{"licenses": [{"kind": "food_business", "number": "FB-L", "categories": ["food"], "valid_from": "2021-11-01", "valid_until": "2026-10-31"}]}', 1),
  ('r-fields', 3002, '{"legal_representative": null, "registered_capital": " ", "categories": ["clothing"]}', 2),
  ('r-check', 3012, '{"uscc": "91110000600037341N", "categories": ["home"]}', 2),
  ('r-nolicence', 3011, '{"licenses": null, "categories": ["food"]}', 2),
  ('r-expired', 3017, '{"licenses": [{"kind": "food_business", "number": "FB-X", "categories": ["food"], "valid_from": "2021-06-01", "valid_until": "2026-05-31"}]}', 2),
  ('r-listed', 3020, jsonb_build_object('uscc', demo.uscc('91330100', 900001)), 2),
  ('w-abnormal', 3021, jsonb_build_object('uscc', demo.uscc('91440100', 900002)), 2),
  ('r-declares', 3009, '{"self_declaration": "hobby"}', 2),
  ('r-return', 3003, jsonb_build_object('persons', demo.application(3001) -> 'persons'), 3)) AS a(shop_id, n, changes, wave);

SELECT count(*) FROM demo.applicant a
CROSS JOIN LATERAL quality_gov.merchant_admit(jsonb_strip_nulls(demo.application(a.n) || a.changes || jsonb_build_object('merchant_id', a.shop_id)),
                                              '2026-06-20 09:00+08') r WHERE a.wave < 3 \gset
INSERT INTO quality_gov.merchant_restriction (merchant_id, action, reason, source, effect)
VALUES ('m-barred', '*', '售假，平台永久清退', 'platform', '[2026-08-01 00:00+08,)');
SELECT count(*) FROM demo.applicant a
CROSS JOIN LATERAL quality_gov.merchant_admit(demo.application(a.n) || a.changes || jsonb_build_object('merchant_id', a.shop_id),
                                              '2026-09-01 09:00+08') r WHERE a.wave = 3 \gset

INSERT INTO shop.account
SELECT m.merchant_id, m.name, m.admitted_at FROM quality_gov.merchant m;
ANALYZE;
