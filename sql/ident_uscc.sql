-- uscc: unified social credit code, GB 32100-2015, and the organisation code in it, GB 11714.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- codes in use, each with its right check character and a right organisation code
CREATE TEMP TABLE right_code (code text);
INSERT INTO right_code VALUES ('91110000600037341L'), ('91350100M000100Y43'), ('9144030071526726XG'),
  ('91370200163562681G'), ('91330106673959654P'), ('91440300708461136T'), ('92340602MA2PBQAH7E'),
  ('121200004013590816'), ('91620105L015101280');
SELECT code::uscc, uscc_is_valid(code) AS valid, code::uscc::text = code AS same,
       uscc_authority(code::uscc) AS authority, uscc_category(code::uscc) AS category,
       uscc_region(code::uscc) AS region, uscc_organization_code(code::uscc) AS organization,
       organization_code_is_valid(uscc_organization_code(code::uscc)) AS organization_valid
FROM right_code ORDER BY code COLLATE "C";

-- wrong ones: check character, alphabet, first eight, length
SELECT code, uscc_is_valid(code) FROM (VALUES ('91110000600037341N'), ('9111000060003IOZSV'),
  ('A1110000600037341L'), ('12345'), (''), (' '), (NULL)) AS v (code);
SELECT uscc '91110000600037341N';
SELECT uscc '9111000060003IOZSV';
SELECT uscc 'A1110000600037341L';
SELECT uscc '12345';
SELECT uscc '';
SELECT uscc '91110000600037341L1';
SELECT uscc '91110000600037341';
SELECT uscc '91110000600037341L!!';
SELECT uscc '!';
SELECT uscc '9111000060003734一';
SELECT uscc '91110000600037341一';
SELECT uscc '911100006 0037341L';
SELECT uscc '91110000-60003734-1L';
SELECT repeat('9', 65)::text::uscc;
SELECT '91110000600037341N'::text::uscc;
SELECT uscc('91110000600037341É'::text);

-- letters may stand among the first eight where the check character is right
SELECT uscc_is_valid('A1110000600037341' || c) AS valid, c AS "check"
FROM regexp_split_to_table('0123456789ABCDEFGHJKLMNPQRTUWXY', '') AS c WHERE uscc_is_valid('A1110000600037341' || c);

-- every substitution of one character of every code is caught: 31 letters at 18 places
CREATE TEMP TABLE letter AS
  SELECT l FROM regexp_split_to_table('0123456789ABCDEFGHJKLMNPQRTUWXY', '') AS l;
SELECT count(*) AS substitutions, count(*) FILTER (WHERE uscc_is_valid(overlay(code PLACING l FROM place FOR 1))) AS missed
FROM right_code, generate_series(1, 18) AS place, letter
WHERE substr(code, place, 1) <> l;

-- the letters outside the alphabet are caught at every place, named by it
SELECT count(*) AS texts, count(*) FILTER (WHERE uscc_is_valid(overlay(code PLACING l FROM place FOR 1))) AS missed
FROM right_code, generate_series(1, 18) AS place, regexp_split_to_table('IOSVZ-_ ', '') AS l;

-- two neighbours exchanged are caught, for their weights differ
SELECT count(*) FILTER (WHERE uscc_is_valid(
         overlay(code PLACING substr(code, place + 1, 1) || substr(code, place, 1) FROM place FOR 2))) AS missed
FROM right_code, generate_series(1, 17) AS place
WHERE substr(code, place, 1) <> substr(code, place + 1, 1);

-- what people type: small letters, full-width forms, spaces around
SELECT count(*) AS codes,
       count(*) FILTER (WHERE lower(code)::uscc = code::uscc) AS small,
       count(*) FILTER (WHERE wide::uscc = code::uscc AND wide::uscc::text = code) AS wide,
       count(*) FILTER (WHERE (E'\t ' || U&'\3000' || code || U&' \3000')::uscc = code::uscc) AS spaced,
       count(*) FILTER (WHERE (E'\n' || rpad(code, 200) || E'\r\n')::uscc = code::uscc) AS padded,
       count(*) FILTER (WHERE uscc_is_valid(lower(wide))) AS small_wide
FROM right_code, LATERAL (SELECT string_agg(chr(ascii(c) + 65248), '' ORDER BY n) AS wide
                          FROM regexp_split_to_table(code, '') WITH ORDINALITY AS r (c, n)) AS w;

-- a code known to fail its check: admitted with !, printed back, and not valid
SELECT uscc '91110000600037341N!' AS admitted, uscc_is_valid('91110000600037341N!') AS valid,
       uscc '91110000600037341n！' AS typed, uscc_organization_code(uscc '91110000600037341N!') AS organization;
-- behind a right code it says nothing and is dropped
SELECT uscc '91110000600037341L!' AS dropped, uscc_is_valid('91110000600037341L!') AS valid;
-- the form is checked all the same
SELECT uscc '9111000060003IOZSV!';
SELECT uscc '12345!';
-- same characters, same code; there is no other with these and a right check
SELECT uscc '91110000600037341N!' = uscc '91110000600037341N!' AS equal,
       uscc '91110000600037341N!' = uscc '91110000600037341L' AS other,
       uscc '91110000600037341N!' > uscc '91110000600037341L' AS greater;

-- in(out(x)) = x, also to the letter
SELECT count(*) AS codes, count(*) FILTER (WHERE x::text::uscc::text = x::text AND x::text::uscc = x) AS same
FROM (SELECT code::uscc FROM right_code
      UNION ALL SELECT (left(code, 17) || l || '!')::uscc FROM right_code, letter) AS c (x);

-- order is that of the characters
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE (a.code::uscc < b.code::uscc) = (a.code COLLATE "C" < b.code)
                          AND (a.code::uscc <= b.code::uscc) = (a.code COLLATE "C" <= b.code)
                          AND (a.code::uscc > b.code::uscc) = (a.code COLLATE "C" > b.code)
                          AND (a.code::uscc >= b.code::uscc) = (a.code COLLATE "C" >= b.code)
                          AND (a.code::uscc = b.code::uscc) = (a.code = b.code)
                          AND (a.code::uscc <> b.code::uscc) = (a.code <> b.code)
                          AND sign(uscc_cmp(a.code::uscc, b.code::uscc)) =
                              CASE WHEN a.code COLLATE "C" < b.code THEN -1 WHEN a.code = b.code THEN 0 ELSE 1 END) AS alike
FROM right_code AS a, right_code AS b;

-- organisation codes: with and without hyphen; the sum's rest 0 and 1 give 0 and X
SELECT code, organization_code_is_valid(code) AS valid, organization_code_is_valid(replace(code, '-', '')) AS plain
FROM (VALUES ('60003734-1'), ('71526726-X'), ('70846113-6'), ('16356268-1'), ('MA2PBQAH-7'), ('M000100Y-4'),
  ('40135908-1'), ('L0151012-8'), ('67395965-4'), ('D2143731-0')) AS v (code);
SELECT code, organization_code_is_valid(code) FROM (VALUES ('71526726-0'), ('71526726-1'), ('D2143731-X'), ('ma2pbqah-7'),
  ('ＭＡ２ＰＢＱＡＨ－７'), ('MA2PBQA-H7'), ('MA2PBQAH--7'), ('MA2PBQ*H-7'), ('7'), (''), (repeat('1', 100)), ('71526726一'), (NULL)) AS v (code);
SELECT count(*) AS digits, string_agg(c, '') AS right_ones
FROM regexp_split_to_table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') AS c WHERE organization_code_is_valid('60003734' || c);

-- the check character by itself
SELECT code, organization_code_check_digit(left(code, 8)) AS "check", right(code, 1) AS printed
FROM (VALUES ('60003734-1'), ('71526726-X'), ('70846113-6'), ('16356268-1'), ('MA2PBQAH-7'), ('M000100Y-4'),
  ('40135908-1'), ('L0151012-8'), ('67395965-4'), ('D2143731-0')) AS v (code);
SELECT organization_code_check_digit(' ｍa2pbqah ') AS typed, organization_code_check_digit(NULL);
SELECT organization_code_check_digit('60003734-1');
SELECT organization_code_check_digit('6000373');
SELECT organization_code_check_digit('6000373*');

DROP EXTENSION quality_gov;
