-- Canonical JSON: vectors typed from RFC 8785 and from ECMA-262, what is refused, and what must always hold.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- the sample of 3.2.2, its first number spelt as it is written: the bytes are those of 3.2.4
SELECT encode(convert_to(jcs(
  '{
     "numbers": [333333333.3333333, 1E30, 4.50,
                 2e-3, 0.000000000000000000000000001],
     "string": "\u20ac$\u000F\u000aA''\u0042\u0022\u005c\\\"\/",
     "literals": [null, true, false]
   }'), 'UTF8'), 'hex') = translate('
  7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72
  75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a
  5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31
  65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37
  5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30
  30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d', E' \n', '') AS as_published;
-- as the RFC spells that number it would be rounded
SELECT jcs('[333333333.33333329]');
\echo :LAST_ERROR_SQLSTATE

-- the order of 3.2.3
SELECT row_number() OVER () AS place, key, value FROM json_each_text(jcs(
  '{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis"}')::json);

-- appendix B: the bits of a double, and its number; none may be missing
CREATE TABLE appendix_b (bits text, number text);
INSERT INTO appendix_b VALUES
  ('0000000000000000', '0'), ('8000000000000000', '0'),
  ('0000000000000001', '5e-324'), ('8000000000000001', '-5e-324'),
  ('7fefffffffffffff', '1.7976931348623157e+308'), ('ffefffffffffffff', '-1.7976931348623157e+308'),
  ('4340000000000000', '9007199254740992'), ('c340000000000000', '-9007199254740992'),
  ('4430000000000000', '295147905179352830000'),
  ('44b52d02c7e14af5', '9.999999999999997e+22'), ('44b52d02c7e14af6', '1e+23'),
  ('44b52d02c7e14af7', '1.0000000000000001e+23'),
  ('444b1ae4d6e2ef4e', '999999999999999700000'), ('444b1ae4d6e2ef4f', '999999999999999900000'),
  ('444b1ae4d6e2ef50', '1e+21'),
  ('3eb0c6f7a0b5ed8c', '9.999999999999997e-7'), ('3eb0c6f7a0b5ed8d', '0.000001'),
  ('41b3de4355555553', '333333333.3333332'), ('41b3de4355555554', '333333333.33333325'),
  ('41b3de4355555555', '333333333.3333333'), ('41b3de4355555556', '333333333.3333334'),
  ('41b3de4355555557', '333333333.33333343'), ('becbf647612f3696', '-0.0000033333333333333333'),
  ('43143ff3c1cb0959', '1424953923781206.2');
SELECT count(*) AS vectors,
       count(*) FILTER (WHERE encode(float8send(number::float8), 'hex') = replace(bits, '8000000000000000', repeat('0', 16))) AS of_these_bits,
       count(*) FILTER (WHERE jcs(number::numeric::text::jsonb) = number) AS written_so
FROM appendix_b;

-- where a number is written with an exponent, and no zero too many
SELECT n AS number, jcs(n::jsonb) FROM unnest('{0,-0,-0.000,0e5,10,1.0,-4.50,1e20,123e18,1e21,-1e21,12e20,123456789012345680000,
  0.000001,0.0000012,1e-7,-12e-8,1.5e300,15e-301,100e-2}'::text[]) n;

-- halfway between two doubles ECMAScript takes the shorter number, where the server's own form is longer;
-- above a power of two (2^-44, 2^54) the nearest of 16 digits can belong to another double
SELECT n, jcs(n::jsonb) FROM unnest('{1e23,18014398509482010,5.684341886080802e-14,18014398509481984}'::text[]) n;
SELECT n AS other_digits_of_the_same FROM unnest('{99999999999999990000000,18014398509482008}'::text[]) n
WHERE n::float8 IN (1e23, 18014398509482010);
SELECT jcs('[99999999999999990000000]');
SELECT jcs('[18014398509482008]');

-- refused: too large, too small, rounded
SELECT jcs('{"a": [1e400]}');
\echo :LAST_ERROR_SQLSTATE
SELECT jcs('-1e400');
SELECT jcs('1.7976931348623159e308');
SELECT jcs('1e-400');
\echo :LAST_ERROR_SQLSTATE
SELECT jcs('4e-324');
SELECT jcs('0.1000000000000000055511151231257827');
\echo :LAST_ERROR_SQLSTATE
SELECT jcs('9007199254740993');
SELECT jcs('295147905179352825856');
SELECT jcs(('1' || repeat('234', 300))::jsonb);
SELECT jcs(('-0.1' || repeat('234', 300))::jsonb);
SELECT jcs('{"exact as text": "9007199254740993"}');

-- strings: controls, and nothing else that could be escaped
SELECT c, jcs(to_jsonb(chr(c))) FROM generate_series(1, 32) c;
SELECT jcs('"\"\\\/\u007f</script>&''"') = E'"\\"\\\\/\u007f</script>&''"' AS plain,
       jcs('"\u0080\u2028\u2029\ufeff\ud83d\ude02"') = E'"\u0080\u2028\u2029\ufeff\U0001f602"' AS literal,
       jcs('["A\u030a", "\u00c5"]') = E'["A\u030a","\u00c5"]' AS not_normalised;
SELECT jcs(jsonb_build_object(E'\n"\\', repeat(E'x\ty', 3)));

-- shapes
SELECT jcs(d::jsonb) FROM unnest(ARRAY['{}', '[]', 'null', 'true', '""', '[[], {}, [{}]]', '{"": ""}', '{"b": 1, "a": 2, "b": 3}',
  '{"1": {"f": {"f": "hi", "F": 5}, "\n": 56.0}, "10": {}, "": "empty", "a": {}, "111": [{}], "A": {}}',
  '[56, {"d": true, "10": null, "1": []}]']) d;
SELECT jcs(NULL) IS NULL AS of_nothing;

-- key order over all planes: by UTF-16 code units, the shorter before the longer
CREATE TABLE key_units AS
SELECT chr(a) || COALESCE(chr(b), '') AS key,
       CASE WHEN a < 65536 THEN ARRAY[a] ELSE ARRAY[55296 + (a - 65536) / 1024, 56320 + a % 1024] END
       || CASE WHEN b IS NULL THEN '{}' WHEN b < 65536 THEN ARRAY[b]
               ELSE ARRAY[55296 + (b - 65536) / 1024, 56320 + b % 1024] END AS units
FROM unnest('{32,127,128,2047,2048,55295,57344,61439,64307,65535,65536,66559,66560,128512,1114111}'::int[]) a,
     unnest('{32,127,128,2047,2048,55295,57344,61439,64307,65535,65536,66559,66560,128512,1114111,null}'::int[]) b;
SELECT count(*) AS keys,
       (SELECT array_agg(key ORDER BY place) FROM json_object_keys(jcs(jsonb_object_agg(key, 0))::json) WITH ORDINALITY AS k(key, place))
       = array_agg(key ORDER BY units) AS by_code_units,
       array_agg(key ORDER BY units) = array_agg(key ORDER BY key COLLATE "C") AS by_bytes
FROM key_units;

-- deep: written as it is, and an error where the stack ends
CREATE TABLE deep AS
SELECT n, (repeat('{"bb": 1, "a": [', n) || '0' || repeat(']}', n))::jsonb AS document FROM unnest('{1,40,2000}'::int[]) n;
SELECT n, jcs(document) = repeat('{"a":[', n) || '0' || repeat('],"bb":1}', n) AS same FROM deep ORDER BY n;
SET max_stack_depth = '100kB';
SELECT jcs(document) IS NULL FROM deep WHERE n = 2000;
\echo :LAST_ERROR_SQLSTATE
RESET max_stack_depth;

-- what must always hold, over generated documents: the value is kept, the text stays as it is, and the same
-- members in another order are the same text
CREATE TABLE generated AS
SELECT n, jsonb_object_agg(k.key, k.value) AS document,
       '{' || string_agg(to_json(k.key) || ' : ' || k.value, ' , ' ORDER BY k.key DESC) || '}' AS other_order
FROM generate_series(1, 400) n
CROSS JOIN LATERAL (
  SELECT DISTINCT ON (key) CASE i % 4 WHEN 0 THEN chr(1 + (n * 7919 + i * 104729) % 55000) ELSE '' END || substr(md5(n || '/' || i), 1, i % 9) AS key,
         CASE i % 6 WHEN 0 THEN to_jsonb(round((n * i)::numeric / (1 + i % 7), i % 12))
                    WHEN 1 THEN to_jsonb((n * 7919 % 1000003) * power(10::numeric, i % 40 - 20))
                    WHEN 2 THEN to_jsonb(chr(1 + n * i % 40) || md5(i::text))
                    WHEN 3 THEN jsonb_build_array(n, n / 8.0, i = 3, NULL, jsonb_build_object('z', i, 'y', '{}'::jsonb))
                    WHEN 4 THEN to_jsonb(sin(n * i)) ELSE jsonb_build_object(md5(n::text), i, '~', '[]'::jsonb) END AS value
  FROM generate_series(1, n % 50) i ORDER BY key, i) k
GROUP BY n;
SELECT count(*) AS documents, count(*) FILTER (WHERE jcs(document)::jsonb = document) AS kept,
       count(*) FILTER (WHERE jcs(jcs(document)::jsonb) = jcs(document)) AS stays,
       count(*) FILTER (WHERE jcs(other_order::jsonb) = jcs(document)) AS order_does_not_matter,
       count(DISTINCT jcs(document)) = count(DISTINCT document) AS as_many_texts_as_values
FROM generated;

-- everybody with a role may call it, PUBLIC may not
SELECT role_name, privilege FROM role_grant WHERE object LIKE '%jcs(jsonb)' ORDER BY 1;
SELECT provolatile, proisstrict, proparallel, has_function_privilege('public', oid, 'EXECUTE') AS public
FROM pg_proc WHERE oid = 'jcs(jsonb)'::regprocedure;
DROP TABLE appendix_b, key_units, deep, generated;
DROP EXTENSION quality_gov;
