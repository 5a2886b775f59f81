-- Rule kind brand: look-alikes, near spellings and the name itself, by whom it is not allowed.
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
-- skeletons: what looks alike is equal; what does not is not
SELECT text_skeleton('раураl') = text_skeleton('paypal') AS cyrillic, text_skeleton('paypal') = text_skeleton('paypa1') AS digit, text_skeleton('') = '' AS empty,
  text_skeleton('a') = text_skeleton('b') AS different, text_skeleton(NULL) IS NULL AS "null", text_skeleton(repeat('㎡ﷺ', 2000)) IS NOT NULL AS long;
SELECT a, brand_key(a) = brand_key('Nike') AS nike FROM unnest('{nike,NIKE,N1KE,Nіke,ΝΙΚΕ,ｎｉｋｅ,n‑i‑k‑e,𝐍𝐢𝐤𝐞,nlke,bike,niike}'::text[]) a;
-- distance: insertion, deletion, substitution, swap; bounded; by code points
SELECT a, b, edit_distance(a, b, 9) AS far, edit_distance(a, b, 1) AS bounded
FROM (VALUES ('', ''), ('abc', 'abc'), ('abc', 'ab'), ('abc', 'abcd'), ('abc', 'axc'), ('abcd', 'abdc'), ('ca', 'abc'), ('kitten', 'sitting'), ('耐克', '耐刻'), ('', 'abcdefghijk'), ('𠮷野', '吉野')) v(a, b);
-- a slow twin of it over many pairs
CREATE FUNCTION slow(a text, b text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE d integer[][] := array_fill(0, ARRAY[length(a) + 1, length(b) + 1]); cost integer;
BEGIN
  FOR i IN 0..length(a) LOOP FOR j IN 0..length(b) LOOP
    cost := (substr(a, i, 1) <> substr(b, j, 1))::int;
    d[i+1][j+1] := CASE WHEN i = 0 THEN j WHEN j = 0 THEN i ELSE least(d[i][j+1] + 1, d[i+1][j] + 1, d[i][j] + cost,
      CASE WHEN i > 1 AND j > 1 AND substr(a, i, 1) = substr(b, j-1, 1) AND substr(a, i-1, 1) = substr(b, j, 1) THEN d[i-1][j-1] + 1 END) END;
  END LOOP; END LOOP;
  RETURN d[length(a)+1][length(b)+1];
END $$;
WITH words AS (SELECT n, (SELECT string_agg(chr(97 + (n * 7919 + i * i * 31 + n / (i + 1)) % 3), '') FROM generate_series(1, n % 8) i) AS w FROM generate_series(0, 60) n)
SELECT count(*) FILTER (WHERE edit_distance(a, b, k) <> least(slow(a, b), k + 1)) AS wrong, count(*) AS compared
FROM (SELECT COALESCE(x.w, '') AS a, COALESCE(y.w, '') AS b FROM words x, words y) p, generate_series(0, 4) k;
\set VERBOSITY terse
SELECT edit_distance('a', 'b', -1);
SELECT edit_distance(repeat('a', 201), 'b', 1);
\set VERBOSITY default
SELECT * FROM text_words('Nike 耐克Air-Max 2"跑鞋"');
SELECT candidate, cjk FROM brand_candidates('New Balance N i k e 小 米') ORDER BY candidate COLLATE "C", cjk;

INSERT INTO brand (brand, owner, ordinary) VALUES ('Nike', 'Nike Inc', '{}'), ('Adidas', 'adidas AG', '{}'), ('New Balance', 'NB', '{}'), ('Panasonic', 'P', '{}'),
  ('小米', '小米科技', '{小米粥,小米椒}'), ('Apple', 'Apple Inc', '{apples}'), ('Polo', 'x', '{}');
INSERT INTO brand VALUES ('Old', 'x', '{}', '[2020-01-01,2021-01-01)');
INSERT INTO brand_authorization VALUES ('m-1', 'Nike', '[2026-01-01 00:00+08,2027-01-01 00:00+08)', 'letter 7');
CREATE FUNCTION brands(title text, merchant text DEFAULT 'm-2', at timestamptz DEFAULT '2026-05-01', params jsonb DEFAULT '{"fields": ["title"]}') RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(format('%s %s by %s', outcome, detail ->> 'matched', detail ->> 'brand'), '; ' ORDER BY detail ->> 'brand'), '-')
  FROM quality_gov.rule_brand(params, jsonb_build_object('title', title, 'merchant_id', merchant), at) $$;
-- the name itself, look-alikes, near spellings by length, words joined or spelled out
SELECT t, brands(t) FROM unnest(ARRAY['Nike shoes', 'N1ke shoes', 'Nіke', 'n i k e 跑鞋', 'NIKE跑鞋', 'Adidsa', 'adidass', 'Adldas', 'Panasonlc', 'Panasoinc 电视', 'Panasanix', 'NewBalance 574', 'New  Balance', 'New-Balanse', '小米 手机', '新款小米手机', '小米手机煮小米粥', '小米粥小米']) t;
-- ordinary words, and what is too short to be near
SELECT t, brands(t) FROM unnest(ARRAY['bike shoes', 'hike', 'like', 'poco', 'balance new', 'fresh apples', 'applet', '小米粥 500g', '好吃的小米粥配小米椒', '大米', 'Panacea', 'add ideas', '', '   ', 'Old style']) t;
SELECT brands('Old style', at => '2020-06-01');
-- who is authorised may, while it lasts
SELECT t, brands('Nike', 'm-1', t), brands('N1ke', 'm-1', t) FROM unnest('{"2025-12-31 23:59:59.999+08","2026-01-01 00:00+08","2026-12-31 23:59:59.999+08","2027-01-01 00:00+08"}'::timestamptz[]) t;
-- parameters: without the exact name; other lengths
SELECT brands('Nike and N1ke', params => '{"fields": ["title"], "exact": false}'), brands('bike', params => '{"fields": ["title"], "one_from": 4}'), brands('Adidass', params => '{"fields": ["title"], "one_from": 7, "two_from": 9}');
SELECT asked('brand', '{"fields": ["title", "brand"]}', '{"title": "鞋", "brand": "Nіke"}', '2026-05-01');
SELECT asked('brand', '{"fields": ["title"]}', '{}', '2026-05-01');
SELECT brand_rest('axbxyc', '{x,NULL,"",xy}') AS rest;
-- what is too long to be compared is not passed over in silence
SELECT outcome, field, message FROM rule_brand('{"fields": ["title"]}', jsonb_build_object('merchant_id', 'm-1', 'title', repeat('x ', 5001)), '2026-05-01');
SELECT p, rule_brand_params_valid(p) FROM unnest(ARRAY['{"fields": ["title"]}', '{}', '{"fields": ["title"], "one_from": 1}', '{"fields": ["title"], "one_from": 1e30}', '{"fields": ["title"], "two_from": 8.5}', '{"fields": ["title"], "exact": 1}']::jsonb[]) p;
\set VERBOSITY terse
INSERT INTO brand (brand, owner) VALUES ('--', 'x');
DROP FUNCTION brands, slow, asked;
DROP EXTENSION quality_gov;
