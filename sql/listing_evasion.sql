CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;

-- the folds that take one code point for another, each by itself
SELECT f AS fold, text_fold('賭博Ѕ①Ⅲ三壹２٣aa', f) FROM (VALUES
  ('{script}'::text[]), ('{confusable}'), ('{digit}'), ('{repeat}'), ('{script,digit,repeat}')) AS v (f);
SELECT lexicon_folds();
SELECT text_fold('①②⑩㊿⑴⒈ⅫⅣ²₂９۹〇零壹贰叁肆伍陆柒捌玖貳陸〡', '{digit}') AS numbers,
       text_fold('½㎡十百万IV', '{digit}') AS not_single_numbers;
SELECT text_fold('раураl Ѕсаm ΑΒΕ ѕех 𝐬𝐞𝐱 ｓｅｘ ꜱ', '{confusable,case}') AS look_alikes,
       text_fold('ВОДКА', '{confusable,case}') = text_fold('водка', '{confusable,case}') AS case_joins,
       text_fold('йéłß日', '{confusable}') AS others_stay;
SELECT text_fold('發財 愛國 龍門 臺灣 體驗 樂透', '{script}') AS simplified, text_fold('发财', '{script}') AS stays;
SELECT text_fold('aaabbb1100哈哈哈。。a', '{repeat}') AS runs, text_fold('as sin 大-大', '{repeat,separator}') AS words_apart;

CREATE FUNCTION pg_temp.scan(body text, deny text[], allow text[] DEFAULT '{}', all_hits boolean DEFAULT false,
                             folds text[] DEFAULT NULL)
RETURNS TABLE (hit text, span int4range, matched text, needed text[]) LANGUAGE plpgsql AS $$
DECLARE
  name text := md5(deny::text || allow::text || COALESCE(folds::text, ''));
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.lexicon WHERE lexicon = name) THEN
    PERFORM quality_gov.lexicon_load(name, deny, allow, folds), quality_gov.lexicon_publish(name, 1, '2026-01-01');
  END IF;
  RETURN QUERY SELECT s.term, s.span, s.matched, s.folds
    FROM quality_gov.lexicon_scan(body, ARRAY[name], NULL, '2026-11-20', all_hits) AS s;
END $$;

-- one disguise each, and which fold saw through it
SELECT * FROM pg_temp.scan('賭博 赌。博 赌赌博 ｓｅｘ s\u200bex sеx SEX 赌😀博'::text, '{赌博,sex}');
SELECT * FROM pg_temp.scan(E'𝓈ℯ𝓍 s\u200Bex ⓢⓔⓧ', '{sex}');
SELECT * FROM pg_temp.scan('加微信 一二三四5６⑦ 薇芯', '{1234567}');

-- runs: a run of the text is as long as the term's, or longer
SELECT * FROM pg_temp.scan('asshole assshole ashole aasshhoolle asshol', '{asshole}');
SELECT * FROM pg_temp.scan('cool col coool', '{cool}');
SELECT * FROM pg_temp.scan('cool col coool', '{col}');
SELECT * FROM pg_temp.scan('赌赌博博博 赌，赌博', '{赌博}');
SELECT * FROM pg_temp.scan('赌赌博 赌博', '{赌赌博}');
SELECT * FROM pg_temp.scan('100 10 1000 哈 哈哈哈', '{10,哈哈}');

-- numbers: numerals of a word are none of a number, and whole numbers stay whole
SELECT * FROM pg_temp.scan('下三滥 下3滥 下叁滥 下33滥', '{下三滥}');
SELECT * FROM pg_temp.scan('69 695 六九 六九五 ⑥⑨ 三69 6九', '{69}');
SELECT * FROM pg_temp.scan('十三黄片 一三黄片 13黄片 3黄片 叁黄片', '{三黄片}');
SELECT * FROM pg_temp.scan('三黄片 黄片 3黄片', '{黄片}', '{三黄片}');

-- the rest of the cases that matchers get wrong
SELECT * FROM pg_temp.scan('大麻烦 大麻 大.麻 大，麻烦 大麻煩', '{大麻}', '{大麻烦}');
SELECT * FROM pg_temp.scan('Smoking ЅМ Ѕmoking S.M', '{SM}');
SELECT * FROM pg_temp.scan('İİ賭博İ', '{赌博}');
SELECT * FROM pg_temp.scan('￥赌￥￥博￥ $$赌*&^%博', '{赌博}');
SELECT * FROM pg_temp.scan('VIAGRA viagra', '{VIAGRA}');
SELECT * FROM pg_temp.scan('大麻烟大麻', '{大麻,大麻烟,麻烟}');
SELECT * FROM pg_temp.scan('大麻烟大麻', '{大麻,大麻烟,麻烟}', all_hits => true);
SELECT * FROM pg_temp.scan('㍿', '{株式,会社}');

-- texts of every length around the sizes that loops work in: 16 to 69 bytes, and around a chunk
SELECT count(*) AS texts, count(*) FILTER (WHERE places = ARRAY[int4range(n + 1, n + 3)]) AS found_at_the_end
FROM generate_series(10, 63) AS n,
     LATERAL (SELECT array_agg(span) AS places FROM pg_temp.scan(repeat('x', n) || '赌博', '{赌博}')) AS s;
SELECT count(*) AS texts, count(*) FILTER (WHERE places = ARRAY[int4range(n + 1, n + 3)]) AS found_far_away
FROM generate_series(2900, 8300, 300) AS n,
     LATERAL (SELECT array_agg(span) AS places FROM pg_temp.scan(repeat('好坏', n / 2) || '賭博', '{赌博}')) AS s;
SELECT count(*) FROM pg_temp.scan(repeat('赌博了', 20000), '{赌博}');
SELECT count(*) FROM pg_temp.scan(repeat(U&'了㍿e\0301', 20000), '{社é}');

-- categories, severity and tags are the term's own, also under noise
SELECT lexicon_load('scope', '{女装}', categories => '{live,food}', severity => 4, tags => '{adult,slang}', legal_basis => 'policy 7'),
       lexicon_publish('scope', 1, '2026-01-01');
SELECT category, (SELECT count(*) FROM lexicon_scan('女 装', '{scope}', category, '2026-11-20')) AS hits,
       lexicon_hits('女 装', '{scope}', category, '2026-11-20')
FROM (VALUES ('apparel'), ('food'), ('food/tea'), ('foodstuff'), (NULL)) AS v (category);
SELECT severity, tags, legal_basis, matched, folds FROM lexicon_scan('女。装', '{scope}', 'live', '2026-11-20');

-- the predicate, and what it refuses
SELECT lexicon_hits(NULL, '{scope}') IS NULL AS null_body, lexicon_hits('', '{scope}', at => '2026-11-20') AS empty_body,
       lexicon_hits('女装', '{scope}', at => '2025-12-31') AS before_effect, lexicon_hits('女装', '{}') AS no_lexicon;
SELECT lexicon_hits('a', '{nowhere}');
SELECT lexicon_hits('a', ARRAY['scope', NULL]);
SELECT lexicon_hits('a', NULL);
SELECT lexicon_scan('a', '{scope}', at => NULL);
SELECT lexicon_compile('scope', 7);

-- images: published versions are shared, drafts are this backend's own
SELECT lexicon_load('draft', '{草稿}') AS version;
SELECT lexicon_compile('draft', 1), lexicon_compile('scope', 1);
SELECT lexicon, version, bytes > 300000 AS has_bytes, shared, load_ms >= compile_ms AS times FROM lexicon_images()
WHERE lexicon IN ('draft', 'scope') ORDER BY lexicon;
DROP EXTENSION quality_gov;
