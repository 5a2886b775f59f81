CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;

-- the folds that keep every code point's kind; those that take one for another are in listing_evasion
CREATE FUNCTION pg_temp.fold(body text, folds text[] DEFAULT '{nfkc,case,width,invisible,separator}') RETURNS text
  LANGUAGE sql IMMUTABLE AS 'SELECT quality_gov.text_fold(body, folds)';

-- each fold by itself, all, and none
SELECT f AS folds, pg_temp.fold(E'Ａb①\u200B，C', f) FROM (VALUES
  ('{}'::text[]), ('{nfkc}'), ('{case}'), ('{width}'), ('{invisible}'), ('{separator}'),
  ('{width,case}'), ('{case,invisible,separator}')) AS v (f);

-- width alone: full-width, half-width, ideographic space; nothing else of compatibility
SELECT pg_temp.fold('ＡＢＣ１２３！￥ｶﾀｶﾅ', '{width}') = 'ABC123!¥カタカナ' AS forms,
       pg_temp.fold(U&'a\3000b', '{width}') = 'a b' AS space,
       pg_temp.fold('①㎡ﬁ', '{width}') = '①㎡ﬁ' AS others_stay;

-- case: full folding, one to many; with nfkc it is NFKC_Casefold
SELECT pg_temp.fold('STRASSE') = pg_temp.fold('straße') AS sharp_s,
       pg_temp.fold('ΣΊΣΥΦΟΣ') = pg_temp.fold('σίσυφος') AS sigma,
       pg_temp.fold('İ') = U&'i\0307' AS dotted_i,
       pg_temp.fold('ﬀ', '{case}') AS ligature;

-- compatibility forms
SELECT pg_temp.fold('㎡℃ﬁ①⑳Ⅷ㍿ｶﾞ') = 'm2cfi120viii株式会社ガ' AS compat,
       pg_temp.fold(U&'\+01D54A\+01D544') = 'sm' AS mathematical,
       pg_temp.fold(U&'\+01F130') = 'a' AS squared;

-- combining sequences are seen whole, also across what nobody sees
SELECT pg_temp.fold(U&'e\0301') = 'é' AS composes,
       pg_temp.fold(U&'e\200D\0301') = 'é' AS through_joiner,
       pg_temp.fold(U&'e\200D\0301', '{nfkc}') = U&'e\200D\0301' AS not_when_kept,
       pg_temp.fold(U&'e\200D\0301', '{nfkc,case}') = U&'e\200D\0301' AS not_when_kept_either,
       pg_temp.fold(U&'\1112\1161\11ab') = '한' AS jamo,
       pg_temp.fold(U&'\d558\11ab') = '한' AS syllable_and_jamo,
       pg_temp.fold(U&'q\0307\0323') = pg_temp.fold(U&'q\0323\0307') AS order_of_marks;

-- what is invisible, and what separates
SELECT pg_temp.fold(U&'a\200Bb\FEFFc\00ADd\2060e\FE0Ff\034Fg\+0E0041h', '{invisible}') AS ignorable,
       pg_temp.fold(E'a\tb\nc\x01d\x7Fe', '{invisible}') AS control,
       pg_temp.fold('赌-博 (1) ￥$+=^~…《》·★♥❤️👨‍👩‍👧👍🏽🇨🇳1️⃣', '{invisible,separator}') AS separators,
       pg_temp.fold(U&'赌\00B4博\00A8彩.\0308票 ̈') = '赌博彩票' AS spacing_accents,
       pg_temp.fold('Nike™ Adidas® X℠') AS signs;

-- nothing in, nothing out
SELECT pg_temp.fold('') = '' AS empty, pg_temp.fold(NULL) IS NULL AS null_text, pg_temp.fold(NULL, '{case}') IS NULL AS null_too,
       pg_temp.fold(U&' \200B…👍') = '' AS nothing_left;

-- more marks than are taken at once: no error, and dictionary and text still agree
SELECT length(pg_temp.fold('a' || repeat(U&'\0301', 63))) AS at_limit,
       length(pg_temp.fold('a' || repeat(U&'\0301', 200))) BETWEEN 199 AND 201 AS beyond,
       length(pg_temp.fold(repeat(U&'\0301', 1000))) AS marks_only,
       pg_temp.fold('a' || repeat(U&'\200B', 5000) || 'b') AS invisible_run,
       length(pg_temp.fold(repeat(U&'\FDFA', 100))) AS longest_expansion;

-- every character of these blocks, and random strings of them, against the server's own normalisation
CREATE TEMP TABLE block (lo int, hi int);
INSERT INTO block VALUES (32, 126), (160, 591), (768, 847), (880, 1023), (1025, 1119), (4352, 4519), (7680, 7935),
  (8304, 8348), (8448, 8505), (9312, 9450), (12353, 12435), (12832, 12867), (13056, 13311), (19968, 20100),
  (44032, 44200), (63744, 64000), (65281, 65374), (65377, 65437), (119808, 119850), (131072, 131100);
SELECT count(*) AS differ
FROM block, generate_series(lo, hi) AS c
WHERE pg_temp.fold(chr(c), '{nfkc}') <> normalize(chr(c), NFKC);

CREATE FUNCTION pg_temp.random_text(seed text, length int) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT string_agg(chr(lo + r % (hi - lo + 1)), '' ORDER BY i)
  FROM (SELECT i, ('x' || substr(md5(seed || i), 1, 7))::bit(28)::int AS r,
               ('x' || substr(md5(seed || i), 9, 7))::bit(28)::int AS b FROM generate_series(1, length) AS i) AS d
  JOIN (SELECT lo, hi, row_number() OVER (ORDER BY lo) - 1 AS n, count(*) OVER () AS blocks FROM block) AS k
    ON k.n = b % k.blocks
$$;
SELECT count(*) AS texts, count(*) FILTER (WHERE pg_temp.fold(t, '{nfkc}') <> normalize(t, NFKC)) AS differ,
       count(*) FILTER (WHERE pg_temp.fold(t, '{nfkc,width}') <> normalize(t, NFKC)) AS differ_with_width,
       count(*) FILTER (WHERE pg_temp.fold(t, '{}') <> t) AS differ_without
FROM generate_series(1, 2000) AS n, pg_temp.random_text('fold' || n, 1 + n % 40) AS t;

-- bad input
SELECT text_fold('a', '{skript}');
SELECT text_fold('a', '{nfkc,CASE}');
SELECT text_fold(NULL, '{nfkc,nfkd}');
SELECT text_fold('a', ARRAY['case', NULL]);

DROP EXTENSION quality_gov;
