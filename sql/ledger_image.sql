-- what a row of a platform's table becomes in the ledger: by type, whatever the settings of the session
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
\set VERBOSITY sqlstate
CREATE SCHEMA shop;
SET search_path = shop, quality_gov, public;
CREATE DOMAIN money_amount AS numeric(12,2);
CREATE DOMAIN codes AS text[];
CREATE DOMAIN document AS jsonb;
CREATE TYPE address AS (city text, since timestamptz, share float8);
CREATE DOMAIN home AS address;
CREATE TYPE grade AS ENUM ('A', 'B');

-- numbers and texts
CREATE TABLE plain (id int PRIMARY KEY, b boolean, s smallint, l bigint, r real, d float8, n numeric, m money_amount, t text, v varchar(9), c char(4), y bytea, "Na me" text, "q""uote" int,
  gone int, twice int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE plain DROP COLUMN gone;
INSERT INTO plain VALUES
  (1, true, -32768, 9223372036854775807, 0.1, 0.1, 1.500, 2, E'a"\\\n', 'é', 'ab', '\x00ff', 'x', 7),
  (2, false, 32767, -9223372036854775808, 'NaN', '-Infinity', 'NaN', 0, '', '', '', '', '', 0),
  (3, NULL, 0, 0, '1e-45', '5e-324', '-Infinity', -0.01, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, NULL, NULL, 9007199254740993, 3.4028235e38, 1.7976931348623157e308, 1e40, NULL, U&'\0001\2028\+01F600', NULL, NULL, NULL, NULL, NULL),
  (5, NULL, NULL, NULL, '-0', '-0', '-0.00', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT id, name, image FROM plain ours, jsonb_each(ledger_row_image(ours)) AS e(name, image) ORDER BY id, name COLLATE "C";

-- dates and times
CREATE TABLE times (id int PRIMARY KEY, d date, t timestamp, z timestamptz, w time, x timetz, i interval);
INSERT INTO times VALUES
  (1, '2026-11-25', '2026-11-25 08:00:00.000001', '2026-11-25 08:00+08', '23:59:59.5', '08:00+08', '1 year -2 days 3 hours'),
  (2, 'infinity', '-infinity', 'infinity', '24:00', '00:00-15', '-1 month'),
  (3, '0001-01-01 BC', '0044-03-15 12:00 BC', '4713-01-01 00:00+00 BC', NULL, NULL, '0'),
  (4, '5874897-12-31', '294276-12-31 23:59:59.999999', '9999-12-31 23:00-08', NULL, NULL, '178956970 years');
SELECT id, name, image FROM times ours, jsonb_each(ledger_row_image(ours)) AS e(name, image) ORDER BY id, name COLLATE "C";

-- arrays, documents, composites, ranges and what writes itself
CREATE TABLE nested (id int PRIMARY KEY, a int[], f float8[], tt timestamptz[], dd codes, aa address[], am money_amount[], ad codes[], j jsonb, js json, doc document, ad1 address, h home,
  rg tstzrange, mr int4multirange, g grade, u uuid, net inet, o oid, iv int2vector, cls regclass, ty regtype, cash money, p point, bits bit(3), vec tsvector, x xml);
INSERT INTO nested (id, a, f, tt, dd, aa, am, ad) VALUES
  (1, '{1,NULL,3}', '{0.1,NaN,-Infinity}', '{2026-01-01 00:00+08,infinity}', '{a,"b c",NULL}', ARRAY[('杭州', '2026-01-01 00:00+08', 0.1)::address], '{1,2.50}', '{"{x,y}",NULL}'),
  (2, '{}', '{{1,2},{3,4}}', '[0:1]={2026-01-01 00:00+08,2026-01-02 00:00+08}', '{}', '{}', '{}', '{}'), (3, '[2:3]={5,6}', NULL, NULL, '{{a},{b}}', ARRAY[NULL::address], NULL, NULL);
INSERT INTO nested (id, j, js, doc) VALUES (4, 'null', '{"a" : 1,"a":2}', '[]'), (5, '"text"', ' 1 ', '{}'), (6, '12345678901234567890.123', NULL, '{"a": [null, {"b": 1e40}], "": true}'),
  (7, '1.50', NULL, '[[], {}, [[1]]]'), (8, 'false', NULL, '-0');
INSERT INTO nested (id, ad1, h, rg, mr, g, u, net, o, iv, cls, ty, cash, p, bits, vec, x) VALUES
  (9, ('a,"b', '2026-01-01 00:00+08', 1e-7), (NULL, NULL, 0.1), '[2026-01-01 00:00+08,)', '{[1,3),[5,6)}', 'B', '00000000-0000-0000-0000-00000000000a', '10.0.0.1/8', 4294967295,
   '1 2', 'shop.nested', 'shop.grade', 12.5, '(0.1,1e300)', '101', 'b a:1', '<a>1</a>');
SELECT id, name, image FROM nested ours, jsonb_each(ledger_row_image(ours)) AS e(name, image) ORDER BY id, name COLLATE "C";

-- the same rows under other settings: images and the bytes of leaves
CREATE VIEW images AS
  SELECT string_agg(ledger_row_image(ours)::text || ledger_canonical(ledger_row_image(ours)), '' ORDER BY id) AS all FROM plain ours UNION ALL
  SELECT string_agg(ledger_row_image(ours)::text || ledger_canonical(ledger_row_image(ours)), '' ORDER BY id) FROM times ours UNION ALL
  SELECT string_agg(ledger_row_image(ours)::text || ledger_canonical(ledger_row_image(ours)), '' ORDER BY id) FROM nested ours;
CREATE TABLE before AS SELECT * FROM images;
SET DateStyle = 'German, DMY'; SET IntervalStyle = sql_standard; SET TimeZone = 'America/St_Johns'; SET extra_float_digits = -10; SET bytea_output = escape; SET xmlbinary = hex;
SELECT count(*) FROM (SELECT * FROM shop.images EXCEPT ALL SELECT * FROM shop.before) x;
SET search_path = pg_catalog; SET DateStyle = 'SQL, MDY'; SET IntervalStyle = postgres_verbose; SET TimeZone = 'Asia/Kathmandu'; SET quote_all_identifiers = on; SET extra_float_digits = 3;
SELECT count(*) FROM (SELECT * FROM shop.images EXCEPT ALL SELECT * FROM shop.before) x;
SHOW TimeZone; SHOW DateStyle;
RESET ALL;
SET client_min_messages = warning;
SET search_path = shop, quality_gov, public;
-- and in a parallel worker
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET TimeZone = 'Asia/Kathmandu'; 
SELECT count(set_config(name, 'on', false)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT count(*) FROM (SELECT * FROM shop.images EXCEPT ALL SELECT * FROM shop.before) x;
RESET ALL;
SET client_min_messages = warning;
SET search_path = shop, quality_gov, public;

-- subjects: a single key as it is, several as an array, long ones by their digest
CREATE TABLE two (a text, b numeric, "c d" timestamptz, PRIMARY KEY (b, a));
INSERT INTO two VALUES ('a b', 1.50, '2026-01-01 00:00+00'), ('x", 1', 2, NULL);
SELECT ledger_row_subject(t, 'shop.two') FROM two t ORDER BY b;
CREATE TABLE one (k text PRIMARY KEY);
INSERT INTO one VALUES ('["a b",1]'), (''), (repeat('长', 650)), (repeat('x', 2500));
SELECT left(s, 40), length(s) FROM one t, ledger_row_subject(t, 'shop.one') s ORDER BY k COLLATE "C";
SELECT ledger_row_subject(t, 'shop.one') = 'shop.one sha256:' || encode(sha256(convert_to(k, 'UTF8')), 'hex') FROM one t WHERE length(k) = 2500;
CREATE TABLE days (d date[] PRIMARY KEY, x int);
INSERT INTO days VALUES ('{2026-01-01,NULL}');
SELECT ledger_row_subject(t, 'shop.days'), ledger_row_image(t) FROM days t;

-- a column added later changes nothing while it is empty; jsonb null is a value
ALTER TABLE one ADD COLUMN later jsonb;
SELECT ledger_row_image(t) FROM one t WHERE k = '';
UPDATE one SET later = 'null' WHERE k = '';
SELECT ledger_row_image(t) FROM one t WHERE k = '';
-- large values
CREATE TABLE large (id int PRIMARY KEY, t text, y bytea);
INSERT INTO large SELECT 1, string_agg(md5(g::text), ''), string_agg(sha256(g::text::bytea), '') FROM generate_series(1, 30000) g;
SELECT ledger_row_image(l) = jsonb_build_object('id', 1, 't', t, 'y', encode(y, 'hex')) FROM large l;

-- what has no image
CREATE TABLE keyless (id int);
INSERT INTO keyless VALUES (1);
SELECT ledger_row_image(k) FROM keyless k;
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
INSERT INTO deferred VALUES (1);
SELECT ledger_row_image(k) FROM deferred k;
SELECT ledger_row_image(ROW(1, 2)), ledger_row_subject(NULL::one, 'x') IS NULL;
SELECT ledger_row_image(ROW('a', NULL, 1)::address);
SELECT ledger_row_image(NULL::one) IS NULL;
DROP SCHEMA shop CASCADE;
DROP EXTENSION quality_gov;
