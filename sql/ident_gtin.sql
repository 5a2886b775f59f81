-- gtin: GTIN-8, -12, -13 and -14, and the check digits of GS1 keys.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- numbers in use, each with its right check digit, printed as 14 digits
CREATE TEMP TABLE right_gtin (code text);
INSERT INTO right_gtin VALUES ('73513537'), ('614141123452'), ('6901234567892'), ('4006381333931'), ('5412345000013'),
  ('9780471117094'), ('6901028075831'), ('6923450657713'), ('98412345678908'), ('09506000134352');
SELECT code, code::gtin, code::gtin::bigint, gs1_is_valid(code, length(code)) AS valid,
       gs1_check_digit(left(code, -1)) AS "check"
FROM right_gtin ORDER BY code COLLATE "C";

-- GLN and SSCC, the wrong one too
SELECT key, gs1_is_valid(key, length), gs1_check_digit(left(key, -1)) AS "check"
FROM (VALUES ('0614141000012', 13), ('106141412345678908', 18), ('340123450000000000', 18), ('61414112345678908', 18),
  ('061414112345678908', 18)) AS v (key, length);
SELECT gs1_check_digit('6141411234567890') AS should_end;

-- a key is as long as it should be, in ASCII digits
SELECT key, length, gs1_is_valid(key, length) FROM (VALUES ('73513537', 8), ('73513537', 13), ('0000073513537', 13),
  (' 73513537', 8), ('7351353X', 8), ('７３５１３５３７', 8), ('', 8), (NULL, 8)) AS v (key, length);
SELECT gs1_is_valid('73513537', 9);
SELECT gs1_is_valid('73513537', -1);
SELECT gs1_is_valid('73513537', NULL);
SELECT gs1_check_digit('');
SELECT gs1_check_digit('12a');
SELECT gs1_check_digit(repeat('1', 101));
SELECT gs1_check_digit(repeat('1', 100)) = (10 - (50 * 3 + 50) % 10) % 10 AS longest, gs1_check_digit('0'), gs1_check_digit(NULL);

-- padded with zeros it is the same item, whatever the length it came in
SELECT count(*) AS forms, count(*) FILTER (WHERE lpad(code, n, '0')::gtin = code::gtin) AS same,
       count(DISTINCT lpad(code, n, '0')::gtin) AS items
FROM right_gtin, unnest(ARRAY[8, 12, 13, 14]) AS n WHERE n >= length(code);
SELECT gtin '73513537' = gtin '00000073513537' AS of_8, gtin '614141123452' = gtin '0614141123452' AS of_12,
       gtin '73513537' = '614141123452' AS others;

-- what people type
SELECT gtin ' ６９０１２３４５６７８９２ ' AS wide, E'\t6901234567892\r\n'::text::gtin AS spaced, '73513537'::char(100)::text::gtin AS padded,
       rpad('73513537', 200)::gtin AS filled, (U&'\3000' || rpad('73513537', 90, U&'\3000'))::gtin AS wide_spaces;
SELECT (rpad('73513537', 100) || '1')::gtin;

-- every substitution of one digit is caught
SELECT count(*) AS substitutions,
       count(*) FILTER (WHERE gs1_is_valid(overlay(code PLACING d::text FROM place FOR 1), length(code))) AS missed
FROM right_gtin, generate_series(1, length(code)) AS place, generate_series(0, 9) AS d
WHERE substr(code, place, 1) <> d::text;

-- wrong ones
SELECT gtin '6901234567890';
SELECT gtin '98412345678900';
SELECT gtin '69012345678';
SELECT gtin '690123456789';
SELECT gtin '106141412345678908';
SELECT gtin '';
SELECT gtin '690123456789X';
SELECT gtin '-901234567892';
SELECT gtin '690 1234567892';
SELECT gtin '00000000';
SELECT gtin '00000000000000';
SELECT gtin '690123456789二';
SELECT repeat('6', 100)::text::gtin;
SELECT gtin('6901234567890'::text);

-- numbers, which lost their leading zeros
SELECT gtin(73513537::bigint), gtin(6901234567892), 98412345678908::gtin, gtin '73513537'::bigint AS number;
SELECT gtin(6901234567890);
SELECT gtin(0::bigint);
SELECT gtin(-73513537::bigint);
SELECT gtin(100000000000000);
SELECT gtin(9223372036854775807);
SELECT gtin(-9223372036854775808);

-- in(out(x)) = x, and order is that of the numbers
SELECT count(*) AS codes, count(*) FILTER (WHERE code::gtin::text::gtin = code::gtin) AS same,
       count(*) FILTER (WHERE code::gtin::text = lpad(code, 14, '0')) AS printed,
       count(*) FILTER (WHERE code::gtin::bigint::gtin = code::gtin) AS numbers
FROM right_gtin;
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE (a.code::gtin < b.code::gtin) = (a.code::bigint < b.code::bigint)
                          AND (a.code::gtin <= b.code::gtin) = (a.code::bigint <= b.code::bigint)
                          AND (a.code::gtin > b.code::gtin) = (a.code::bigint > b.code::bigint)
                          AND (a.code::gtin >= b.code::gtin) = (a.code::bigint >= b.code::bigint)
                          AND (a.code::gtin = b.code::gtin) = (a.code::bigint = b.code::bigint)
                          AND (a.code::gtin <> b.code::gtin) = (a.code::bigint <> b.code::bigint)
                          AND gtin_cmp(a.code::gtin, b.code::gtin) = sign(a.code::bigint - b.code::bigint)) AS alike
FROM right_gtin AS a, right_gtin AS b;

DROP EXTENSION quality_gov;
