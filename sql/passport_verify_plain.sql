-- passport_verify() answers the plain case without passport_verify_full(), and says and records the same: over random goods.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_plain_key && chmod 600 qg_plain_key';
-- the private key is that of W3C's vector, C96EF9EA...
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM 'cat > qg_plain_pem && chmod 600 qg_plain_pem';
SET quality_gov.code_key_file = 'qg_plain_key';
SET quality_gov.passport_key_file = 'qg_plain_pem';
SELECT passport_key_add('did:web:works.example#' || k, 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', goods, valid)
FROM (VALUES (1, '{6901234}'::text[], '[2026-01-01,2027-01-01)'::tstzrange), (2, '{6905678,73513537000}', '[2026-01-01,)')) k(k, goods, valid);
SELECT setseed(0.25);
CREATE TABLE goods AS SELECT n, gtin FROM unnest('{6901234567892,06901234000016,06901234000023,06905678000014,06905678000021,06905678000038}'::gtin[]) WITH ORDINALITY g(gtin, n);
INSERT INTO lot (gtin, lot_code, quantity, made_on, expires_on)
SELECT gtin, 'L' || l, 100, CASE WHEN l > 1 THEN date '2026-01-15' + l * 20 END, CASE WHEN (n + l) % 3 = 0 THEN date '2026-05-01' + l * 30 END FROM goods, generate_series(1, 3) l;
CREATE FUNCTION pick(n integer) RETURNS integer LANGUAGE sql VOLATILE RETURN floor(random() * n)::integer;
-- several versions at each level, some of them not yet valid, some that end
DO $$
DECLARE
  g record;
  former bigint;
  key text;
BEGIN
  FOR g IN SELECT gtin, lot, serial FROM goods, (VALUES (NULL, NULL), ('L1', NULL), ('L2', NULL), ('L1', 'A'), (NULL, 'B'), ('L3', 'C'), ('L3', 'D')) x(lot, serial), generate_series(1, 2) v
           WHERE pick(4) > 0 LOOP
    key := 'did:web:works.example#' || CASE WHEN g.gtin::text LIKE '06901234%' THEN 1 ELSE 2 END;
    SELECT max(p.passport_id) INTO former FROM passport p WHERE p.gtin = g.gtin AND p.lot_code IS NOT DISTINCT FROM g.lot AND p.serial IS NOT DISTINCT FROM g.serial;
    IF former IS NULL THEN
      PERFORM passport_issue(g.gtin, g.lot, g.serial, jsonb_build_object('title', 'Kettle', 'no', pick(100)), key_id => key,
        valid_from => '2026-02-01'::timestamptz + pick(60) * interval '1 day', valid_until => CASE WHEN pick(3) = 0 THEN '2026-08-01'::timestamptz END, at => '2026-02-01');
    ELSE
      PERFORM passport_version(former, jsonb_build_object('title', 'Kettle', 'no', pick(100)), 'r', key_id => key, valid_from => '2026-04-10', at => '2026-03-01'::timestamptz + pick(20) * interval '1 day');
    END IF;
  END LOOP;
END $$;
SELECT count(*) > 20 FROM passport;
CREATE TABLE asked AS
SELECT row_number() OVER () AS n, digital_link(gtin, lot, serial, resolver) AS uri, at::timestamptz
FROM goods, unnest('{NULL,L1,L2,L3,L9}'::text[]) lot, unnest('{NULL,A,B,C,Z}'::text[]) serial,
  unnest('{https://id.gs1.org,https://other.example}'::text[]) resolver,
  unnest('{2026-01-15,2026-02-01,2026-03-10,2026-04-20,2026-05-31 15:59:59,2026-05-31 16:00,2026-09-01}'::text[]) at
WHERE resolver LIKE '%gs1%' OR lot IS NULL;
-- what the two say of all; scan_id differs where both record
CREATE FUNCTION compare(step text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  told text;
BEGIN
  SELECT format('%s: %s differ, authentic %s', step, count(*) FILTER (WHERE to_jsonb(v) <> to_jsonb(f)), count(*) FILTER (WHERE v.status = 'authentic') > 0) INTO told
  FROM asked a, passport_verify(a.uri, a.at, false, merchant_id => 'm-1', order_id => 'o-1') v,
       passport_verify_full(a.uri, a.at, false, NULL, NULL, NULL, NULL, 'consumer', 'm-1', 'o-1') f;
  RETURN told;
END $$;
-- scans each text twice, once by either function, from the same state, and compares answer, row, claim and ledger
CREATE TABLE left_behind (way text, n bigint, answer jsonb, scan jsonb, first jsonb, ledger bigint);
CREATE FUNCTION scan(way text, a asked, place text, latitude float8, longitude float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v record;
  entries bigint := (SELECT count(*) FROM ledger_entry);
BEGIN
  BEGIN
    IF way = 'plain' THEN
      SELECT * INTO v FROM passport_verify(a.uri, a.at, true, place, latitude, longitude, NULL, 'receiving', 'm-1', 'o-1');
    ELSE
      SELECT * INTO v FROM passport_verify_full(a.uri, a.at, true, place, latitude, longitude, NULL, 'receiving', 'm-1', 'o-1');
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'QG999', MESSAGE = jsonb_build_object('answer', to_jsonb(v) - 'scan_id',
      'scan', (SELECT jsonb_agg(to_jsonb(s) - '{scan_id,recorded_at,xid}'::text[]) FROM passport_scan s WHERE s.scan_id = v.scan_id),
      'first', (SELECT jsonb_agg(to_jsonb(x) - 'scan_id') FROM passport_scan_first x WHERE x.scan_id = v.scan_id),
      'ledger', (SELECT count(*) FROM ledger_entry) - entries)::text;
  EXCEPTION WHEN SQLSTATE 'QG999' THEN
    INSERT INTO left_behind SELECT way, a.n, x.* FROM jsonb_to_record(SQLERRM::jsonb) x(answer jsonb, scan jsonb, first jsonb, ledger bigint);
  END;
END $$;
CREATE FUNCTION compare_scans(step text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  told text;
BEGIN
  TRUNCATE left_behind;
  PERFORM scan(w, a, 'Hangzhou', 30.27449, -120.15551) FROM asked a, unnest('{plain,full}'::text[]) w WHERE a.n % 3 = 0 ORDER BY a.n, w;
  SELECT format('%s: %s differ, %s are first', step, count(*) FILTER (WHERE to_jsonb(p) - 'way' <> to_jsonb(f) - 'way'), count(p.first) > 0) INTO told
  FROM left_behind p FULL JOIN left_behind f ON f.n = p.n AND f.way = 'full' WHERE p.way = 'plain';
  RETURN told;
END $$;
SELECT compare('new');
SELECT compare_scans('new');
-- the plain case is answered without the other function
BEGIN;
SET LOCAL track_functions = 'pl';
SELECT count(*) FILTER (WHERE v.status = 'authentic') > 50, count(*) FILTER (WHERE v.status = 'authentic') + pg_stat_get_xact_function_calls('passport_verify_full'::regproc) - count(*) FROM asked a, passport_verify(a.uri, a.at, false) v;
ROLLBACK;
-- scanned many times, in any order, by transactions that wrote before and by others
DO $$ BEGIN FOR i IN 1 .. 150 LOOP PERFORM v.scans FROM asked a, passport_verify(a.uri, a.at, true, 'Hangzhou', 30.2, 120.1) v WHERE a.n = ANY (ARRAY[2, 3, 4, 17, 18, 40, 145, 146, 147]); IF i % 40 = 0 THEN COMMIT; END IF; END LOOP; END $$;
SELECT count(*) > 5 FROM passport_scan_tally;
SELECT compare('scanned');
SELECT compare_scans('scanned');
INSERT INTO passport_scan_opening (goods, scans, first_at) SELECT DISTINCT goods, 7, '2026-01-20'::timestamptz FROM passport_scan WHERE passport_id % 2 = 0;
SELECT compare('retired'), compare_scans('retired');
-- what may be said against goods, one after the other; each takes effect at once, and ends with its transaction
CREATE FUNCTION change(step text, statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    EXECUTE statement;
    RETURN NEXT compare(step);
    RETURN NEXT compare_scans(step);
    RAISE EXCEPTION USING ERRCODE = 'QG998';
  EXCEPTION WHEN SQLSTATE 'QG998' THEN NULL;
  END;
  RETURN NEXT compare('without ' || step);
END $$;
SELECT change('recall', $$SELECT recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "L1"}]', 'burns', 'Order 19', at => '2026-03-10'), recall_advance(1, 'ordered', '2026-03-12')$$);
SELECT change('sale', $$INSERT INTO sale (merchant_id, order_id, gtin, serial, sold_at) SELECT 'm-' || n, 'o-1', gtin, 'A', '2026-03-01' FROM goods WHERE n < 4$$);
SELECT change('numbers', $$INSERT INTO lot_item SELECT gtin, 'A', lot_id FROM lot WHERE lot_code = 'L2'$$);
SELECT change('codes', $$SELECT count(*) FROM code_issue('06905678000014', 'L1', 2, '2026-02-01')$$);
SELECT change('alias', $$INSERT INTO gtin_alias VALUES ('06905678000021', '06905678000038', 'typing error', '2026-02-01')$$);
SELECT change('key', $$SELECT passport_key_revoke('did:web:works.example#1', 'stolen', untrusted_from => '-infinity', at => '2026-03-05')$$);
SELECT change('period', $$UPDATE passport_key SET valid = '[2026-02-15,)' WHERE key_id LIKE '%2'$$);
SELECT change('goods', $$DELETE FROM passport_key_goods WHERE goods = '6905678'$$);
SELECT change('events', $$SELECT passport_suspend(passport_id, 'r', '2026-04-01') FROM passport WHERE passport_id % 4 = 0$$);
SELECT change('lot', $$SELECT passport_lot_assign(gtin, 'L3', 1, 'r', at => '2026-03-10') FROM passport WHERE level = 'model' AND version = 2$$);
SELECT change('host', $$INSERT INTO passport_resolver VALUES ('other.example', 'Another')$$);
SELECT change('tampering', $$ALTER TABLE passport DISABLE TRIGGER ALL; UPDATE passport SET credential = jsonb_set(credential, '{credentialSubject,claims,title}', '"Copy"') WHERE passport_id % 3 = 0; UPDATE passport SET valid = '[2026-01-02,)' WHERE passport_id % 5 = 0$$);
-- one snapshot for a whole transaction
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT compare('repeatable read');
ROLLBACK;
SELECT * FROM passport_scan_check() WHERE problem NOT LIKE '%retired%';
COPY (SELECT 1) TO PROGRAM 'rm qg_plain_key qg_plain_pem';
DROP TABLE goods, asked, left_behind CASCADE;
DROP FUNCTION pick, compare, compare_scans, change;
DROP EXTENSION quality_gov;
