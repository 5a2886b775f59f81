-- What is behind a scanned code: every status and reason, at fixed instants, without recording.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_verify_key && chmod 600 qg_verify_key';
-- the private key is that of W3C's vector, C96EF9EA...
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM 'cat > qg_verify_pem && chmod 600 qg_verify_pem';
SET quality_gov.code_key_file = 'qg_verify_key';
SET quality_gov.passport_key_file = 'qg_verify_pem';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,2027-01-01)');
INSERT INTO lot (gtin, lot_code, quantity, expires_on) VALUES ('6901234567892', 'L1', 5, '2026-06-30'), ('6901234567892', 'L2', 5, NULL), ('73513537', 'L1', 5, NULL);
INSERT INTO lot_item SELECT '6901234567892', 'S9', lot_id FROM lot WHERE lot_code = 'L2';
SELECT passport_issue('6901234567892', NULL, NULL, '{"title": "Kettle"}', at => '2026-02-01'), passport_issue('6901234567892', 'L1', NULL, '{"title": "Kettle of lot 1"}', valid_until => '2026-09-01', at => '2026-02-01'),
       passport_issue('6901234567892', 'L1', 'S1', '{"title": "This kettle"}', at => '2026-02-01'), passport_issue('6901234567892', NULL, 'S9', '{"title": "Another"}', valid_from => '2026-04-01', at => '2026-02-01');
CREATE TABLE code AS SELECT item, code FROM code_issue('73513537', 'L1', 2, '2026-02-01');
CREATE FUNCTION asked(uri text, at timestamptz, merchant text DEFAULT NULL, "order" text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' | ', authentic, status, reasons, level, passport_id, expires_on, claims ->> 'title')
  FROM passport_verify(uri, at, false, merchant_id => merchant, order_id => "order") $$;
\set base https://id.gs1.org/01/06901234567892

-- a model, a batch, an item; a serial number without a passport of its own is shown its lot's
SELECT asked(:'base', '2026-03-01');
SELECT asked(:'base' || '/10/L1', '2026-03-01');
SELECT asked(:'base' || '/10/L1/21/S1', '2026-03-01');
SELECT asked(:'base' || '/21/S1', '2026-03-01');
SELECT asked(:'base' || '/10/L1/21/S2', '2026-03-01');
SELECT asked(:'base' || '/10/L7', '2026-03-01');
SELECT gtin, lot, serial, first_scan, scans, clone_suspected, recalls, is_first, scans_exact, scan_id FROM passport_verify(:'base' || '/10/L1/21/S1', '2026-03-01', false);
-- as of instants: before it was entered, before it is valid, after the lot's last day, after the passport's
SELECT t, asked(:'base' || '/10/L1', t) FROM unnest('{"2026-01-31 23:59:59","2026-06-30 15:59:59","2026-06-30 16:00:00","2026-09-01"}'::timestamptz[]) t;
SELECT t, asked(:'base' || '/21/S9', t) FROM unnest('{"2026-03-31 23:59:59","2026-04-01"}'::timestamptz[]) t;
-- nothing known, or a serial number of another lot
SELECT asked('https://id.gs1.org/01/00012345678905', '2026-03-01');
SELECT asked(:'base' || '/10/L1/21/S9', '2026-05-01');
-- a code without a passport proves, too; in capitals or not, by its link, without its lot or typed by hand
SELECT asked(digital_link('73513537', 'L1', code), '2026-03-01'), asked(digital_link('73513537', NULL, lower(code)), '2026-03-01') FROM code WHERE item = 1;
SELECT v.authentic, v.gtin, v.lot, v.serial = c.code FROM code c JOIN code_batch b ON true CROSS JOIN LATERAL passport_verify(lower(code_short(b.batch_id, c.code)), '2026-03-01', false) v;
SELECT asked(digital_link('73513537', 'L1', code), '2026-01-31'), asked(digital_link('73513537', 'L2', code), '2026-03-01') FROM code WHERE item = 1;
SELECT asked('https://id.gs1.org/01/00000073513537/10/L1/21/ABCDEFGHJKMNPQRSTVWX', '2026-03-01');
SELECT asked('https://id.gs1.org/01/00000073513537/10/L1', '2026-03-01');
SELECT code_revoke(batch_id, 'stolen', 2, 2, '2026-04-01') FROM code_batch;
SELECT item, asked(digital_link('73513537', 'L1', code), '2026-04-01') FROM code ORDER BY item;
UPDATE lot SET quantity = 1 WHERE gtin = '73513537';
SELECT item, asked(digital_link('73513537', 'L1', code), '2026-03-01') FROM code ORDER BY item;
UPDATE lot SET quantity = 5 WHERE gtin = '73513537';
SET quality_gov.code_key_file = '';
SELECT asked(digital_link('73513537', 'L1', code), '2026-03-01') FROM code WHERE item = 1;
SET quality_gov.code_key_file = 'qg_verify_key';

-- sold: once, under this order or another, twice, taken back
INSERT INTO sale (merchant_id, order_id, gtin, serial, sold_at) VALUES ('m-1', 'o-1', '6901234567892', 'S1', '2026-03-01 08:00');
SELECT o, asked(:'base' || '/21/S1', '2026-03-02', m, o) FROM (VALUES ('m-1', 'o-1'), ('m-1', 'o-2'), ('m-2', 'o-1'), ('m-2', NULL), (NULL, NULL)) x(m, o);
SELECT asked(:'base' || '/21/S1', '2026-03-01 07:59', 'm-2', 'o-1');
INSERT INTO sale (merchant_id, order_id, gtin, serial, sold_at) VALUES ('m-2', 'o-1', '6901234567892', 'S1', '2026-03-05');
SELECT asked(:'base' || '/21/S1', '2026-03-06', 'm-2', 'o-1');
SELECT finding, serial, count, detail FROM code_finding WHERE finding = 'sold_twice';
UPDATE sale SET state = 'cancelled' WHERE merchant_id = 'm-1';
SELECT asked(:'base' || '/21/S1', '2026-03-06', 'm-2', 'o-1');
UPDATE sale SET state = 'returned' WHERE merchant_id = 'm-2';
SELECT asked(:'base' || '/21/S1', '2026-03-06');
-- recalled: suspected is no verdict, ordered is the first thing to know
SELECT recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "L1"}]', 'burns', 'Order 19', at => '2026-03-10');
SELECT asked(:'base' || '/10/L1', '2026-03-11'), asked(:'base' || '/10/L2', '2026-03-11');
SELECT recall_advance(1, 'ordered', '2026-03-12');
SELECT asked(:'base' || '/10/L1', '2026-03-12'), asked(:'base' || '/10/L1', '2026-03-11 23:59:59'), asked(:'base' || '/10/L2', '2026-03-12');
SELECT status, authentic, reasons, recalls FROM passport_verify(:'base' || '/10/L1/21/S2', '2026-07-01', false);
-- passports and keys that do not count any more
SELECT passport_suspend(1, 'r', '2026-05-01');
SELECT asked(:'base' || '/10/L2', '2026-05-02');
SELECT passport_revoke(3, 'r', '2026-05-01');
SELECT asked(:'base' || '/21/S1', '2026-05-02');
SELECT passport_key_revoke('did:web:works.example#1', 'stolen', at => '2026-06-01', untrusted_from => '-infinity');
SELECT asked(:'base' || '/10/L2', '2026-06-02'), asked(:'base' || '/10/L2', '2026-05-31');
-- a corrected number kills no printed code
INSERT INTO gtin_alias VALUES ('4006381333931', '6901234567892', 'typing error', '2026-02-01');
SELECT asked('https://id.gs1.org/01/04006381333931/10/L2', '2026-03-01');
SELECT count(*) FROM passport_scan;
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm qg_verify_key qg_verify_pem';
DROP FUNCTION asked;
DROP TABLE code;
DROP EXTENSION quality_gov;
