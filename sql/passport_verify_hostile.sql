-- Whatever is scanned gets an answer: no error, no crash, nothing of it kept. test/t/043_scan.pl asks more.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
\pset format unaligned
\pset tuples_only on
INSERT INTO passport_resolver VALUES ('scan.works.example', 'ours');
CREATE TABLE hostile (n int GENERATED ALWAYS AS IDENTITY, uri text);
INSERT INTO hostile (uri) VALUES (NULL), (''), (' '), ('x'), ('06901234567892'), ('javascript:alert(1)'), ('data:text/html,<script>alert(1)</script>'),
  ('ftp://id.gs1.org/01/06901234567892'), ('//id.gs1.org/01/06901234567892'), ('https://'), ('https:///01/06901234567892'), ('https://id.gs1.org'),
  ('https://id.gs1.org/'), ('https://id.gs1.org/01/'), ('https://id.gs1.org/01/6901234567893'), ('https://id.gs1.org/01/06901234567892/21/'),
  ('https://id.gs1.org/21/S1/01/06901234567892'), ('https://id.gs1.org/01/06901234567892/21/S/10/L'), ('https://id.gs1.org/01/06901234567892/10/L/10/L'),
  ('https://evil.example/01/06901234567892'), ('https://id.gs1.org.evil.example/01/06901234567892'), ('https://id.gs1.org@evil.example/01/06901234567892'),
  ('https://evil.example/https://id.gs1.org/01/06901234567892'), ('https://evil.example\@id.gs1.org/01/06901234567892'), ('https://id.gs1.org:443x/01/06901234567892'),
  ('https://id.gs1.org#@evil.example/01/06901234567892'), ('https://id.gs1.org?x=/01/06901234567892'), ('https://ｉｄ.gs1.org/01/06901234567892'), ('https://[::1]/01/06901234567892'),
  ('https://id.gs1.org/01/06901234567892/10/%00'), ('https://id.gs1.org/01/06901234567892/10/L%'), ('https://id.gs1.org/01/06901234567892/10/%zz'), ('https://id.gs1.org/01/06901234567892/10/%C3%28'),
  ('https://id.gs1.org/01/06901234567892/10/%F0%9F%98%80'), ('https://id.gs1.org/01/06901234567892/10/%c0%80'), ('https://id.gs1.org/01/06901234567892/10/%0A'), ('https://id.gs1.org/01/06901234567892/10/L' || chr(7)),
  ('https://id.gs1.org/01/06901234567892/10/批次'), ('https://id.gs1.org/01/06901234567892/21/' || repeat('9', 21)), ('https://id.gs1.org/01/00000000000000'),
  ('https://id.gs1.org/01/06901234567892?' || repeat('a=1&', 500)), ('https://id.gs1.org/' || repeat('01/', 600) || '06901234567892'), ('https://id.gs1.org/01/06901234567892/10/' || repeat('%41', 600)), (repeat('https://id.gs1.org/01/06901234567892', 1000)),
  (repeat('x', 1000000)), ('1-0000-0000-0000-0000-0000'), ('ZZZZZZZZZZZZ-0000-0000-0000-0000-0000'), ('%s%n%d'), (''' OR 1=1 --'), ('https://id.gs1.org/01/06901234567892'' OR ''1''=''1');
-- links that are well formed, whatever they say: an unknown lot is unknown
INSERT INTO hostile (uri) VALUES ('https://id.gs1.org/01/06901234567892/10/%3Cscript%3E'), ('HTTPS://ID.GS1.ORG/01/06901234567892'), ('http://scan.works.example:8080/p/01/06901234567892/10/%27%3B--'), (E' https://id.gs1.org/01/06901234567892\n'),
  ('https://id.gs1.org/01/06901234567892?linkType=javascript:alert(1)'), ('https://id.gs1.org/01/06901234567892#<script>'), ('https://id.gs1.org/gtin/06901234567892/lot/L/ser/S');
SELECT h.n, left(to_json(h.uri)::text, 70), v.status, v.reasons, v.gtin, v.lot, v.serial FROM hostile h, passport_verify(h.uri, '2026-03-01', false) v ORDER BY h.n;
SELECT count(*) FROM passport_scan;
-- recorded, it leaves the verdict and what a good link names; never a text of its own
SELECT count(v.scan_id) FROM hostile h, passport_verify(h.uri, '2026-03-01') v;
SELECT status, goods, gtin, lot_code, serial, count(*) FROM passport_scan GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2;
SELECT count(*) FROM ledger_entry;
SELECT max(pg_column_size(s)) < 400 AS small FROM passport_scan s;
-- the links resolve or do not
SELECT count(*) FILTER (WHERE passport_linkset(uri, '2026-03-01') = '{"linkset": []}') = count(*) AS empty FROM hostile;
-- every single character changed, put in and left out, of a good link: an answer each
CREATE TABLE mutation AS
SELECT CASE kind WHEN 0 THEN overlay(u PLACING c FROM p FOR 1) WHEN 1 THEN overlay(u PLACING c FROM p FOR 0) ELSE overlay(u PLACING '' FROM p FOR 1) END AS uri
FROM (VALUES ('https://id.gs1.org/01/06901234567892/10/L%2F1/21/S1?17=270101')) l(u), generate_series(1, 66) p, unnest(ARRAY['%', '/', '<', '@', ':', E'\x7f', '0', 'é', E'\\', ' ', '?', '#', '&', E'\u2028']) c, generate_series(0, 2) kind;
SELECT count(*), count(v.status), count(*) FILTER (WHERE v.authentic) FROM mutation m, passport_verify(m.uri, '2026-03-01', false) v;
SELECT DISTINCT v.status FROM mutation m, passport_verify(m.uri, '2026-03-01', false) v ORDER BY 1;

-- what an application gives that cannot be kept is its error
\set VERBOSITY sqlstate
SELECT * FROM passport_verify('x', NULL);
SELECT * FROM passport_verify('x', 'infinity', false);
SELECT * FROM passport_verify('x', '2026-03-01', NULL);
SELECT * FROM passport_verify('x', '2026-03-01', latitude => 1);
SELECT * FROM passport_verify('x', '2026-03-01', latitude => 91, longitude => 1);
SELECT * FROM passport_verify('x', '2026-03-01', latitude => 1, longitude => 'NaN');
SELECT * FROM passport_verify('x', '2026-03-01', latitude => 'Infinity', longitude => 1);
SELECT * FROM passport_verify('x', '2026-03-01', false, channel => 'Shop Floor');
SELECT * FROM passport_verify('x', '2026-03-01', channel => NULL);
SELECT * FROM passport_verify('x', '2026-03-01', place => repeat('x', 201));
SELECT * FROM passport_verify('x', '2026-03-01', scanner => repeat('x', 201));
\set VERBOSITY default
BEGIN READ ONLY;
SELECT status FROM passport_verify('https://id.gs1.org/01/06901234567892', '2026-03-01', false);
SELECT status FROM passport_verify('https://id.gs1.org/01/06901234567892', '2026-03-01');
ROLLBACK;
DROP TABLE hostile, mutation;
DROP EXTENSION quality_gov;
