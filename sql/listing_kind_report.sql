-- Rule kinds report and label: what must be shown, and agree with what is on record.
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
INSERT INTO product_report (merchant_id, number, laboratory, product, models, basis, result, passed, issued_on, valid_until, source) VALUES
  ('m-1', 'R-1', 'lab', '儿童安全座椅', '{S-1,S-2}', 'GB 27887-2024', '合格', true, '2026-01-10', '2027-01-09', 'test'),
  ('m-1', 'R-2', 'lab', NULL, NULL, 'GB 27887-2024', NULL, NULL, '2026-01-10', NULL, 'test'),
  ('m-1', 'R-3', 'lab', 'x', '{S-1}', 'GB 27887-2024', '不合格', false, '2026-01-10', NULL, 'test');
\set seat '{"merchant_id": "m-1", "report": "r-1", "model": "S－1", "standard": "GB 27887-2024", "name": "儿童安全座椅"}'
SELECT asked('report', '{"product": "name", "passed": true}', :'seat', '2026-05-01');
-- no report denies, a link is one, a blank is none
SELECT l, asked('report', '{"checks": ["present"]}', l, '2026-12-01') FROM unnest(ARRAY['{}', '{"report": " "}', '{"report_link": "https://example.org/r.pdf"}']::jsonb[]) l;
SELECT asked('report', '{}', '{"report_link": "https://example.org/r.pdf"}', '2026-12-01');
SELECT asked('report', '{"checks": ["content"]}', '{}', '2026-12-01');
-- a number nobody has a report of; another merchant's report is not this one's
SELECT asked('report', '{}', '{"merchant_id": "m-1", "report": "R-9"}', '2026-05-01');
SELECT asked('report', '{}', '{"merchant_id": "m-2", "report": "R-1"}', '2026-05-01');
-- content, agreement, result
SELECT asked('report', '{"checks": ["content"]}', '{"merchant_id": "m-1", "report": "R-2"}', '2026-05-01');
SELECT asked('report', '{"product": "name"}', :'seat' || '{"model": "S-3", "standard": "GB 1-2020", "name": "推车"}'::jsonb, '2026-05-01');
SELECT asked('report', '{"product": "name"}', :'seat' - '{model,standard,name}'::text[], '2026-05-01');
SELECT asked('report', '{"passed": true, "checks": "content"}', '{"merchant_id": "m-1", "report": "R-3"}', '2026-05-01');
SELECT detail ->> 'failed', detail ->> 'legal_basis', detail -> 'result' FROM rule_report('{"passed": true, "checks": ["agreement"]}', '{"merchant_id": "m-1", "report": "R-3", "model": "S-9", "standard": "GB 27887-2024"}', '2026-05-01') WHERE detail IS NOT NULL;
-- a standard is its letters and its whole number
SELECT s, report_basis_names('依据 GB 27887-2024、GB/T 6675.1-2014', s) AS named
FROM unnest('{GB 27887,gb27887-2024,ＧＢ　27887—2024,GB/T 6675.1,GB,G,2,27887,T 6675.1,GB/T 6675,GB 27887-2023,.*,-}'::text[]) s;
-- from the day of issue to the last day, both whole
SELECT t, asked('report', '{"checks": ["validity"]}', :'seat', t)
FROM unnest('{"2026-01-09 23:59:59.999+08","2026-01-10 00:00+08","2027-01-09 23:59:59.999+08","2027-01-10 00:00+08"}'::timestamptz[]) t;
SELECT p, rule_report_params_valid(p) FROM unnest(ARRAY['{}', '{"checks": ["present"], "regime": ["mandatory_gb"]}', '[]', '{"checks": ["all"]}', '{"passed": 1}']::jsonb[]) p;

-- label
INSERT INTO product_label (scheme, record, producer, model, gtin, grade, indicators, gb_number, effect, source) VALUES
  ('energy', 'E-1', '某某电器', 'KFR-35', '6901234567892', 1, '{"apf": "5.27", "class": "I"}', 'GB 21455-2019', '[2026-01-01 00:00+08,2026-07-01 00:00+08)', 'test'),
  ('water', 'W-1', '某某洁具', 'T-1', NULL, 2, '{}', 'GB 25502-2017', '(,)', 'test');
\set air '{"energy_grade": "1级", "producer": "某某 电器", "model": "kfr-35", "apf": "5.270", "gb": "GB21455-2019"}'
SELECT asked('label', '{"scheme": "energy", "gb_number": "gb", "indicators": {"apf": "apf", "class": "class"}}', :'air', '2026-05-01');
SELECT asked('label', '{"scheme": "energy", "gb_number": "gb", "indicators": {"apf": "apf"}}',
  :'air' || '{"energy_record": "e-1", "energy_grade": "2级", "model": "KFR-36", "producer": "别家", "apf": "5.30", "gb": "GB 1"}'::jsonb, '2026-05-01');
-- not shown; shown but not on record: by code it is false, by model it is not known
SELECT asked('label', '{"scheme": "energy"}', l, '2026-05-01') FROM unnest(ARRAY['{}', '{"energy_grade": " "}', '{"energy_grade": "1", "energy_record": "E-9"}', '{"energy_grade": "1", "producer": "p", "model": "m"}', '{"energy_grade": "1"}']::jsonb[]) l;
-- found by GTIN; the other scheme is another register; a period of the record
SELECT asked('label', '{"scheme": "energy"}', '{"energy_grade": "一级能效", "gtin": "6901234567892"}', '2026-05-01');
SELECT asked('label', '{"scheme": "energy"}', '{"energy_grade": "2", "energy_record": "W-1"}', '2026-05-01');
SELECT asked('label', '{"scheme": "water"}', '{"water_grade": "2", "water_record": "W-1"}', '2026-05-01');
SELECT t, asked('label', '{"scheme": "energy"}', '{"energy_grade": "1", "energy_record": "E-1"}', t) FROM unnest('{"2026-06-30 23:59:59.999+08","2026-07-01 00:00+08"}'::timestamptz[]) t;
SELECT g, label_grade(g) FROM unnest('{1,1级,１级,一级能效,中国能效标识1级,能效等级 2 级,3级水效,6级,11级,A,"",级}'::text[]) g;
SELECT p, rule_label_params_valid(p) FROM unnest(ARRAY['{"scheme": "water"}', '{}', '{"scheme": "noise"}', '{"scheme": "energy", "indicators": {"a": 1}}', '{"scheme": "energy", "indicators": {}}']::jsonb[]) p;
DROP FUNCTION asked;
DROP EXTENSION quality_gov;
