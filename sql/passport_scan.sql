-- Scans: how many, which was first, what says that a code was copied; kept without a row that all would update.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_scan_key && chmod 600 qg_scan_key';
SET quality_gov.code_key_file = 'qg_scan_key';
INSERT INTO lot (gtin, lot_code, quantity) VALUES ('6901234567892', 'L1', 100);
SELECT code_register('6901234567892', 'L1', ARRAY(SELECT 'C' || g FROM generate_series(1, 20) g), '2026-01-01');
CREATE FUNCTION scan(code text, at timestamptz, place text DEFAULT NULL, latitude float8 DEFAULT NULL, longitude float8 DEFAULT NULL, scanner text DEFAULT NULL, record boolean DEFAULT true)
  RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' | ', status, reasons, first_scan, scans, is_first, clone_suspected) FROM passport_verify('https://id.gs1.org/01/06901234567892/10/L1/21/' || code, at, record, place, latitude, longitude, scanner) $$;

-- the first, and those after it; asking leaves nothing
SELECT scan('C1', '2026-02-01 10:00', record => false);
SELECT scan('C1', '2026-02-01 10:00');
SELECT scan('C1', '2026-02-01 10:05', record => false);
SELECT scan('C1', '2026-02-01 10:05');
SELECT scan('C1', '2026-02-01 10:02');
SELECT t, scan('C1', t, record => false) FROM unnest('{"2026-02-01 09:59:59","2026-02-01 10:00","2026-02-01 10:04","2026-02-02"}'::timestamptz[]) t;
-- a lot's code is counted by itself
SELECT status, reasons, scans, is_first FROM passport_verify('https://id.gs1.org/01/06901234567892/10/L1', '2026-02-01');
SELECT status, scans, first_scan FROM passport_verify('https://id.gs1.org/01/06901234567892/10/L1', '2026-02-02', false);
SELECT scan_id, at, goods, lot_code, serial, status, reasons, batch_id IS NOT NULL AS coded, channel FROM passport_scan ORDER BY 1;
SELECT * FROM passport_scan_first;

-- what is kept of where and who: about a kilometre, a digest that differs for each code
SELECT scan('C2', '2026-02-01 10:00', 'Hangzhou', 30.274085, 120.15507, 'phone-1'), scan('C3', '2026-02-01 10:00', 'Hangzhou', -30.279, -120.155, 'phone-1');
SELECT serial, place, latitude, longitude, octet_length(scanner), scanner = (SELECT scanner FROM passport_scan WHERE serial = 'C3') AS same FROM passport_scan WHERE place IS NOT NULL ORDER BY scan_id;
SET quality_gov.code_key_file = '';
SELECT * FROM passport_verify('https://id.gs1.org/01/06901234567892/10/L1', '2026-02-01', scanner => 'phone-1');
SET quality_gov.code_key_file = 'qg_scan_key';

-- copies: faster than anything flies, in too many places, by too many
SELECT round(geo_distance_km(30.27, 120.16, 39.90, 116.40)), round(geo_distance_km(0, 179.9, 0, -179.9)), round(geo_distance_km(90, 0, -90, 0)), geo_distance_km(1, 1, 1, 1), geo_distance_km(1, 1, NULL, 1);
SELECT scan('C2', '2026-02-01 10:30', 'Beijing', 39.90, 116.40, 'phone-2');
SELECT scan('C3', '2026-02-01 10:01', 'Hangzhou', -30.9, -120.155, 'phone-1');
SELECT scan('C4', '2026-02-01 10:00', 'Hangzhou', 30.27, 120.16), scan('C4', '2026-02-01 10:10'), scan('C4', '2026-02-01 12:00', 'Beijing', 39.90, 116.40), scan('C4', '2026-02-01 12:30', 'Hangzhou', 30.27, 120.16, record => false);
SELECT scan('C4', '2026-02-01 11:00', 'Urumqi', 43.83, 87.62, record => false), scan('C4', '2026-02-09', 'Urumqi', 43.83, 87.62, record => false);
SELECT p, scan('C5', '2026-02-01'::timestamptz + p * interval '1 hour', 'place ' || p) FROM generate_series(1, 6) p;
SELECT scan('C5', '2026-02-08 02:00', 'place 7', record => false), scan('C5', '2026-02-08 01:00', 'place 7', record => false), scan('C5', '2026-02-20', 'place 7', record => false);
SELECT scan('C6', '2026-02-01', scanner => 'phone ' || p) FROM generate_series(1, 20) p OFFSET 19;
SELECT scan('C6', '2026-02-02', scanner => 'phone 21'), scan('C6', '2026-02-02 01:00', scanner => 'phone 21', record => false);
-- the platform's own policy goes before ours, in its period
INSERT INTO scan_policy VALUES ('ours', '[2026-02-01,2026-03-01)', '1 day', 10, 100, 50, 2, 2, 'policy');
SELECT scan('C2', '2026-02-01 09:00', 'Hangzhou', 30.27, 120.16, record => false), scan('C5', '2026-02-01 03:30', record => false), scan('C5', '2026-03-02', record => false);
INSERT INTO scan_policy VALUES ('x', '[2026-02-01,2026-03-01)', '0', 10, 100, 50, 2, 2, 'p');
INSERT INTO scan_policy VALUES ('x', '[2026-02-01,2026-03-01)', '1 day', 10, 'Infinity', 50, 2, 2, 'p');
UPDATE scan_policy SET places = 9 WHERE policy = 'default';
SELECT finding, serial, count, first_at, last_at FROM code_finding WHERE finding NOT LIKE 'code%' ORDER BY 1, 2;
SELECT kind, subject, body - 'scan_id' FROM ledger_entry WHERE kind = 'passport_scan' ORDER BY entry_id LIMIT 2;

-- many scans: sums are added by whoever counts many, none is changed
DO $$ BEGIN FOR i IN 1 .. 300 LOOP PERFORM passport_verify('https://id.gs1.org/01/06901234567892/10/L1', '2026-02-03'::timestamptz + i * interval '1 s'); END LOOP; END $$;
SELECT count(*) < 40 FROM passport_scan_tally;
SELECT passport_scan_tally_add(goods) FROM passport_scan WHERE goods LIKE '%/10/L1' LIMIT 1;
SELECT scans, exact, tail FROM passport_scan_count('06901234567892/10/L1', '2026-02-04');
SELECT scans, scans_exact FROM passport_verify('https://id.gs1.org/01/06901234567892/10/L1', '2026-02-04');
SELECT scans, exact, tail FROM passport_scan_count('06901234567892/10/L1', '2026-02-05');
SELECT scans, exact, tail FROM passport_scan_count('06901234567892/10/L1', '2026-02-03 00:00:10');
INSERT INTO passport_scan (at, goods, gtin, lot_code, status, reasons, channel, xid) SELECT '2026-02-04', '06901234567892/10/L1', '6901234567892', 'L1', 'authentic', '{}', 'x', '1' FROM generate_series(1, 1500);
SELECT scans, exact, tail FROM passport_scan_count('06901234567892/10/L1', '2026-02-05');
SELECT scans, scans_exact FROM passport_verify('https://id.gs1.org/01/06901234567892/10/L1', '2026-02-05', false);
SELECT * FROM passport_scan_check();
-- maintenance keeps the last sum; where there is none it adds up what is popular
SELECT outcome, detail LIKE '% tallies added%' FROM maintenance('2026-03-01') WHERE task = 'passport_scans';
SELECT count(*) <= 2 FROM passport_scan_tally;
SELECT scans, exact FROM passport_scan_count('06901234567892/10/L1', '2026-02-06');
DELETE FROM passport_scan_tally;
SELECT outcome, detail FROM maintenance('2026-03-01') WHERE task = 'passport_scans';
SELECT scans, exact, tail FROM passport_scan_count('06901234567892/10/L1', '2026-02-06');
-- the oracle notices
UPDATE passport_scan_tally SET scans = scans + 1;
INSERT INTO passport_scan_first VALUES ('ghost', 1, now());
INSERT INTO passport_scan (at, goods, status, reasons, channel, batch_id, passport_id, xid) VALUES ('2026-02-01', 'ghost', 'authentic', '{}', 'x', 99, 99, '1');
INSERT INTO code_registered VALUES (repeat('x', 16)::bytea, 98);
INSERT INTO code_revocation (batch_id, items, since, reason) VALUES (97, '[1,2)', '2026-01-01', 'r');
SELECT relation, problem FROM integrity_check() WHERE relation ~ '^(passport_scan|code)' ORDER BY 1, 2;

-- old scans go; counts and who was first stay
SELECT passport_scan_retire('2026-01-31 00:00:01', '2026-03-02');
SELECT passport_scan_retire(NULL);
SELECT passport_scan_retire('-infinity');
SELECT passport_scan_retire('2026-02-01 10:05', '2026-06-01');
SELECT scan('C1', '2026-02-05', record => false), scan('C4', '2026-02-05', record => false);
SELECT passport_scan_retire('2026-02-07', '2026-06-01');
SELECT scan('C1', '2026-02-08', record => false);
SELECT scans, exact, tail FROM passport_scan_count('06901234567892/10/L1', '2026-02-06');
SELECT scan('C1', '2026-02-09');
DELETE FROM passport_scan;
UPDATE passport_scan_first SET at = now();
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm qg_scan_key';
DROP FUNCTION scan;
DROP EXTENSION quality_gov;
