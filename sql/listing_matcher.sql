CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;

-- the folds that keep every code point's kind; those that take one for another are in listing_evasion
CREATE FUNCTION pg_temp.fold(body text, folds text[] DEFAULT '{nfkc,case,width,invisible,separator}') RETURNS text
  LANGUAGE sql IMMUTABLE AS 'SELECT quality_gov.text_fold(body, folds)';

CREATE FUNCTION pg_temp.scan(body text, deny text[], allow text[] DEFAULT '{}', all_hits boolean DEFAULT false,
                             folds text[] DEFAULT '{nfkc,case,width,invisible,separator}')
RETURNS TABLE (hit text, span int4range, matched text, needed text[]) LANGUAGE plpgsql AS $$
DECLARE
  name text := md5(deny::text || allow::text || COALESCE(folds::text, ''));
BEGIN
  IF NOT EXISTS (SELECT FROM lexicon WHERE lexicon = name) THEN
    PERFORM lexicon_load(name, deny, allow, folds), lexicon_publish(name, 1, '2026-01-01');
  END IF;
  RETURN QUERY SELECT s.term, s.span, s.matched, s.folds
    FROM lexicon_scan(body, ARRAY[name], NULL, '2026-11-20', all_hits) AS s;
END $$;

-- an allow term that covers a hit wins; one that only touches it does not
SELECT * FROM pg_temp.scan('大麻烦了，大麻，大麻 烦', '{大麻}', '{大麻烦}');
-- a separator that only the allow term spans does not make it one
SELECT * FROM pg_temp.scan('很大，麻烦了；大麻，烦请联系；大 麻 烦', '{大麻}', '{大麻烦}');
SELECT * FROM pg_temp.scan('hash brown, hash-brown, hash; brown hashbrown hash b.rown', '{hash}', '{hash brown}');
SELECT * FROM pg_temp.scan('三黄片 黄片', '{黄片}', '{三黄片}');
SELECT * FROM pg_temp.scan('大麻烦人', '{大麻,大麻烦人}', '{大麻烦}');
SELECT * FROM pg_temp.scan('新大麻', '{大麻}', '{新大}');
SELECT * FROM pg_temp.scan('大麻', '{大麻}', '{大麻}');

-- words of Latin letters and digits are matched whole, in whatever disguise
SELECT * FROM pg_temp.scan('Smoking SMS 695 169 m69 prisms', '{SM,69}');
SELECT * FROM pg_temp.scan('SM,S.M.;ＳＭ 的sm店 (s m) SM™ 69号 6-9', '{SM,69}');
SELECT * FROM pg_temp.scan('is method, has meaning; be stingy; thesis: M', '{sm,best,sism}');
SELECT * FROM pg_temp.scan(U&'SM\200Boking \200BSM\200B SM\0308 S\200BM', '{sm}');
SELECT * FROM pg_temp.scan('23片 3片 3 片', '{3片}');
SELECT * FROM pg_temp.scan('naïve NAI naı', '{nai}');
SELECT * FROM pg_temp.scan(E'sm\nsm', '{sm}');

-- spans count characters of the original, also where folding changes their number
SELECT * FROM pg_temp.scan('İİ毒品İ', '{毒品,İ}');
SELECT * FROM pg_temp.scan('ISTANBUL İSTANBUL', '{i̇stanbul}');
SELECT * FROM pg_temp.scan(U&'Ae\0301 Cafe\0301 x', '{CAFÉ}');
SELECT * FROM pg_temp.scan('㍿ 1㎡ ㎏', '{会社,株式,k,m2}');
SELECT * FROM pg_temp.scan('毒品㍿', '{品株}');

-- noise between letters is seen through; noise around them is not part of the hit
SELECT * FROM pg_temp.scan('赌😀博 赌👨‍👩‍👧博 😀赌博😀 赌￥_博 ￥赌.博￥', '{赌博}');
SELECT * FROM pg_temp.scan(U&'\200B赌\200B\2060博\200B了', '{赌博}');
SELECT * FROM pg_temp.scan('赌 博 赌博', '{赌博}', folds => '{nfkc,case}');

-- terms with separators; upper case in the dictionary; spellings that fold to one another
SELECT * FROM pg_temp.scan('100％纯 NO.1 no1 No 1', '{100%,no.1}');
SELECT * FROM pg_temp.scan('viagra', '{VIAGRA}');
SELECT * FROM pg_temp.scan('ＳＭ', '{SM,sm,Ｓ.Ｍ}');
SELECT * FROM pg_temp.scan('C++ c', '{C++}', folds => '{nfkc,case}');

-- leftmost, then longest; overlaps on request, each once
SELECT * FROM pg_temp.scan('甲乙丙丁', '{甲乙,乙丙丁,甲乙丙,丁}');
SELECT * FROM pg_temp.scan('甲乙丙丁', '{甲乙,乙丙丁,甲乙丙,丁}', all_hits => true);
SELECT * FROM pg_temp.scan('哈哈哈哈', '{哈哈}');
SELECT * FROM pg_temp.scan('哈哈哈哈', '{哈哈}', all_hits => true);

-- supplementary planes; empty text; a dictionary that does not occur
SELECT * FROM pg_temp.scan(U&'x\+020000\+01F600\+020001y', ARRAY[U&'\+020000\+020001']);
SELECT * FROM pg_temp.scan('', '{甲}');
SELECT * FROM pg_temp.scan(NULL, '{甲}');
SELECT * FROM pg_temp.scan('乙', '{甲}');

-- texts of 16 to 69 bytes, the term at every place, and beside every other character
SELECT count(*) AS texts, count(*) FILTER (WHERE span = int4range(n - 14 + 1, n - 14 + 3)) AS found
FROM generate_series(14, 67) AS n, pg_temp.scan(repeat('x', n - 14) || '毒品' || repeat('y', 67 - n), '{毒品}') AS s;
SELECT count(*) AS texts, sum((SELECT count(*) FROM pg_temp.scan(repeat('z', n - 6) || '毒品', '{毒品}'))) AS found
FROM generate_series(16, 69) AS n;

-- long texts, many waiting hits
SELECT count(*), max(upper(span)) FROM pg_temp.scan(repeat('哈', 5000), '{哈,哈哈,哈哈哈}', all_hits => true);
SELECT count(*) FROM pg_temp.scan(repeat('哈', 5000), '{哈哈}', ARRAY[repeat('哈', 400)], all_hits => true);
SELECT count(*) FROM pg_temp.scan(repeat('哈', 1000) || '甲', '{哈}', ARRAY[repeat('哈', 400) || '甲']);

-- against a naive search: every place of every folded term, over random texts without Latin
CREATE FUNCTION pg_temp.breaks(t text) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$
  -- which letters of the folded text follow a separator
  SELECT ARRAY(SELECT length(pg_temp.fold(left(t, k))) + 1 FROM generate_series(1, length(t) - 1) AS k
               WHERE substr(t, k, 1) IN ('。', ' ') AND substr(t, k + 1, 1) NOT IN ('。', ' '))
$$;
CREATE TEMP TABLE trial AS
SELECT n, body, pg_temp.breaks(body) FROM generate_series(1, 400) AS n, LATERAL (
  SELECT string_agg(substr('甲乙丙甲乙ア。 ', 1 + ('x' || substr(md5(n || 'b' || i), 1, 6))::bit(24)::int % 8, 1), '') AS body
  FROM generate_series(1, 5 + n % 60) AS i) AS b;
CREATE TEMP TABLE term AS
SELECT t AS term, n > 6 AS allow, pg_temp.breaks(t)
FROM unnest('{甲乙,乙丙甲,丙,ア甲,甲甲乙丙,乙ア,甲乙丙甲,丙ア,甲。丙}'::text[]) WITH ORDINALITY AS u (t, n);
CREATE TEMP TABLE occurrence AS
SELECT n, term, allow, i AS start, i + length(f) AS stop, ARRAY(
         SELECT p FROM unnest(trial.breaks) AS p
         WHERE p > i AND p < i + length(f) AND p - i + 1 <> ALL (term.breaks)) AS needs
FROM trial, pg_temp.fold(body) AS b, term, pg_temp.fold(term) AS f, generate_series(1, length(b)) AS i
WHERE substr(b, i, length(f)) = f;
WITH expected AS (
  SELECT n, term, start FROM occurrence o WHERE NOT allow AND NOT EXISTS (
    SELECT FROM occurrence a WHERE a.allow AND a.n = o.n AND a.start <= o.start AND a.stop >= o.stop
      AND o.start < ALL (a.needs) AND o.stop > ALL (a.needs))
), found AS (
  SELECT n, s.hit AS term, length(pg_temp.fold(substr(body, 1, lower(s.span) - 1))) + 1 AS start, s.matched, s.span, body
  FROM trial, pg_temp.scan(body, (SELECT array_agg(term) FROM term WHERE NOT allow),
                           (SELECT array_agg(term) FROM term WHERE allow), true) AS s
)
SELECT (SELECT count(*) > 1000 FROM expected) AS enough,
       (SELECT count(*) FROM (SELECT * FROM expected EXCEPT ALL SELECT n, term, start FROM found) AS x) AS missed,
       (SELECT count(*) FROM (SELECT n, term, start FROM found EXCEPT ALL SELECT * FROM expected) AS x) AS invented,
       (SELECT count(*) FROM found WHERE matched <> substr(body, lower(span), upper(span) - lower(span))
          OR pg_temp.fold(matched) <> pg_temp.fold(term)) AS misplaced;

DROP EXTENSION quality_gov;
