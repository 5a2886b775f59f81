-- GS1 dates, and which application identifiers may stand together.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET datestyle = 'ISO';
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- day 00 is the last of the month; a leap year is one of the century found
SELECT value, gs1_date(value, '2026-11-30') FROM (VALUES ('260400'), ('260430'), ('260401'), ('260200'), ('280200'),
  ('280229'), ('261200'), ('991231')) AS v (value);
-- the year lies at most 49 back or 50 ahead of the day it is seen
SELECT value, asof, gs1_date(value, asof) FROM (VALUES ('760101', date '2026-01-01'), ('760101', '2026-12-31'), ('770101', '2026-01-01'),
  ('770101', '2025-12-31'), ('000101', '2050-06-01'), ('000101', '2051-06-01'), ('500101', '1999-06-01'), ('490101', '1999-06-01'),
  ('000101', '1999-06-01'), ('990101', '2000-01-01'), ('990101', '2100-01-01'), ('000229', '2000-01-01')) AS v (value, asof);
SELECT bool_and(extract(year FROM d) - y BETWEEN -49 AND 50) AS within, count(DISTINCT d) AS years
FROM generate_series(1990, 2110, 7) AS y, generate_series(0, 99) AS n,
  LATERAL (SELECT gs1_date(lpad(n::text, 2, '0') || '0615', make_date(y, 1, 1)) AS d) AS g;
SELECT gs1_date(NULL, '2026-01-01'), gs1_date('260101', NULL);

-- wrong ones
SELECT gs1_date('260431', '2026-01-01');
SELECT gs1_date('270229', '2026-01-01');
SELECT gs1_date('261301', '2026-01-01');
SELECT gs1_date('260001', '2026-01-01');
SELECT gs1_date('261300', '2026-01-01');
SELECT gs1_date('2604', '2026-01-01');
SELECT gs1_date('2604300', '2026-01-01');
SELECT gs1_date('26-4-3', '2026-01-01');
SELECT gs1_date('２６０４３０', '2026-01-01');
SELECT gs1_date(E'260430\n', '2026-01-01');
SELECT gs1_date('', '2026-01-01');
SELECT gs1_date('260430', 'infinity');

-- each rule by itself, and what keeps to it
SELECT ais, gs1_ai_conflicts(ais) FROM (VALUES ('{01,02,37,00}'::text[]), ('{01,37}'), ('{01,255}'), ('{02}'), ('{00,02,37}'),
  ('{00,8026,37}'), ('{00,37}'), ('{02,37}'), ('{37}'), ('{10}'), ('{01,10}'), ('{02,10,37,00}'), ('{03,10}'), ('{8006,10}'), ('{8026,10}'),
  ('{21}'), ('{01,21}'), ('{03,21}'), ('{8006,21}'), ('{02,21,37,00}'), ('{01,21,235}'), ('{22}'), ('{01,22,10,21}'), ('{235}'), ('{01,235}'),
  ('{01,17,10,3103,3923}'), ('{}'), ('{99}'), (NULL)) AS v (ais);
-- dates and attributes belong to goods, whatever key names them; an identifier stands once
SELECT ai, gs1_ai_conflicts(ARRAY[ai]) AS alone, gs1_ai_conflicts(ARRAY[ai, '01']) AS of_goods, gs1_ai_conflicts(ARRAY['03', ai]) AS made_to_order,
       gs1_ai_conflicts(ARRAY[ai, '00']) AS of_pallet
FROM unnest('{11,13,15,16,17,240,241,422,7003,8200}'::text[]) AS ai;
SELECT ais, gs1_ai_conflicts(ais) FROM (VALUES ('{02,03,37,00}'::text[]), ('{255,17}'), ('{255,15}'), ('{01,10,10,10}'), ('{01,NULL}')) AS v (ais);
-- parsing accepts them all the same
SELECT array_agg(ai) AS ais, gs1_ai_conflicts(array_agg(ai)) FROM gs1_elements('(01)38425876095074(17)181119(37)1');

DROP EXTENSION quality_gov;
