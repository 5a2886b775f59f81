-- Numbers of registrations (GS 15-2006), food production licences (SC) and CCC certificates.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- registration numbers, the wrong ones too
SELECT number, registration_number_is_valid(number) FROM (VALUES ('110108000000016'), ('440301103097413'), ('440301501131182'),
  ('310115001234560'), ('320594000012345'), ('110000001823122')) AS v (number);
-- the digit that the wrong ones should end in, and no other
SELECT number, string_agg(d::text, '') AS should_end
FROM (VALUES ('31011500123456'), ('32059400001234'), ('11000000182312')) AS v (number), generate_series(0, 9) AS d
WHERE registration_number_is_valid(number || d) GROUP BY number ORDER BY number;
-- ISO 7064 MOD 11,10, vectors 0794 -> 5, 00200667308 -> 5, 79462 -> 3: behind digits that leave the rest as it was
SELECT vector, string_agg(d::text, '') AS "check"
FROM (VALUES ('1101080007', '0794'), ('008', '00200667308'), ('110108001', '79462')) AS v (before, vector), generate_series(0, 9) AS d
WHERE registration_number_is_valid(before || vector || d) GROUP BY vector ORDER BY vector;
-- every substitution of one digit is caught
SELECT count(*) AS substitutions,
       count(*) FILTER (WHERE registration_number_is_valid(overlay(number PLACING d::text FROM place FOR 1))) AS missed
FROM (VALUES ('110108000000016'), ('440301103097413'), ('440301501131182')) AS v (number),
  generate_series(1, 15) AS place, generate_series(0, 9) AS d WHERE substr(number, place, 1) <> d::text;
SELECT number, registration_number_is_valid(number) FROM (VALUES ('１１０１０８０００００００１６'), (' 110108000000016 '),
  ('11010800000001'), ('1101080000000160'), ('11010800000001X'), ('110108-00000001'), (''), (repeat('0', 100)), ('一二三'), (NULL)) AS v (number);

-- food production licences printed in public, and wrong ones
SELECT number, food_licence_is_valid(number) FROM (VALUES ('SC11464010500015'), ('SC11333019700024'), ('SC11837048101233'),
  ('SC11834020305037'), ('SC12636098200051'), ('SC11532139200465'), ('SC12434017430075'), ('SC11432010400101'),
  ('SC12345678901234'), ('SC10600000000000')) AS v (number);
SELECT number, string_agg(d::text, '') AS should_end
FROM (VALUES ('SC1234567890123'), ('SC1060000000000')) AS v (number), generate_series(0, 9) AS d
WHERE food_licence_is_valid(number || d) GROUP BY number ORDER BY number;
SELECT count(*) AS substitutions,
       count(*) FILTER (WHERE food_licence_is_valid(overlay(number PLACING d::text FROM place FOR 1))) AS missed
FROM (VALUES ('SC11464010500015'), ('SC12434017430075')) AS v (number), generate_series(3, 16) AS place, generate_series(0, 9) AS d
WHERE substr(number, place, 1) <> d::text;
-- the category is 1 and 01 to 31 (food) or 2 and 01 to 03 (additives)
SELECT left(category, 1) AS kind, min(category), max(category), count(*) AS categories
FROM (SELECT DISTINCT to_char(k, 'FM000') AS category FROM generate_series(0, 999) AS k, generate_series(0, 9) AS c
      WHERE food_licence_is_valid('SC' || to_char(k, 'FM000') || '1234567890' || c)) AS n GROUP BY 1 ORDER BY 1;
SELECT number, food_licence_is_valid(number) FROM (VALUES ('sc11464010500015'), ('ＳＣ１１４６４０１０５０００１５'),
  ('11464010500015'), ('QS11464010500015'), ('SC1146401050001'), ('SC114640105000150'), ('SC1146401050001X'), ('SC'), (''), (NULL)) AS v (number);

-- CCC certificates: the form only
SELECT number, ccc_number_is_valid(number) FROM (VALUES ('2016010901123456'), ('２０１６０１０９０１１２３４５６'),
  ('200301090112'), ('201601090112345'), ('20160109011234567'), ('201601090112345X'), ('2016 010901123456'), (''), (NULL)) AS v (number);

DROP EXTENSION quality_gov;
