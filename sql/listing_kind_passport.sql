-- Rule kind passport: goods must have a valid passport or codes.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_kind_key && chmod 600 qg_kind_key';
-- the private key is that of W3C's vector, C96EF9EA...
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM 'cat > qg_kind_pem && chmod 600 qg_kind_pem';
SET quality_gov.code_key_file = 'qg_kind_key';
SET quality_gov.passport_key_file = 'qg_kind_pem';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,2027-01-01)');
SELECT passport_issue('6901234567892', 'L1', NULL, '{"title": "Kettle"}', valid_until => '2026-06-01', at => '2026-02-01');
INSERT INTO lot (gtin, lot_code, quantity) VALUES ('73513537', 'L1', 9);
SELECT code_register('73513537', 'L1', '{A,B}', '2026-02-01');
CREATE FUNCTION asked(params jsonb, listing jsonb, at timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws(' | ', outcome, field, message, detail ->> 'failed') FROM rule_passport(params, listing, at) $$;
-- by GTIN and lot, by a link that goes before them, at instants
SELECT l, asked('{}', l, '2026-03-01') FROM unnest(ARRAY['{"gtin": "6901234567892", "lot": "L1"}', '{"gtin": "6901234567892"}', '{"gtin": "6901234567892", "lot": "L2"}', '{}', '{"gtin": "x"}',
  '{"gtin": "73513537"}', '{"gtin": "73513537", "lot": "L1"}', '{"gtin": "73513537", "lot": "L2"}', '{"passport_link": "https://id.gs1.org/01/06901234567892/10/L1", "gtin": "4006381333931"}',
  '{"passport_link": "https://evil.example/01/06901234567892/10/L1"}', '{"passport_link": "x", "gtin": "73513537"}']::jsonb[]) l;
SELECT t, asked('{}', '{"gtin": "6901234567892", "lot": "L1"}', t) FROM unnest('{"2026-01-31","2026-05-31 23:59:59","2026-06-01"}'::timestamptz[]) t;
SELECT t, asked('{}', '{"gtin": "73513537"}', t) FROM unnest('{"2026-01-31"}'::timestamptz[]) t;
-- one of the two alone; names of the page's own
SELECT p, asked(p, '{"gtin": "73513537", "code": "6901234567892", "batch": "L1"}', '2026-03-01') FROM unnest(ARRAY['{"accept": "passport"}', '{"accept": ["code"]}', '{"gtin": "code", "lot": "batch"}', '{"gtin": "code", "lot": "batch", "accept": "code"}']::jsonb[]) p;
SELECT passport_suspend(1, 'r', '2026-04-01'), code_revoke(1, 'r', at => '2026-04-01');
SELECT asked('{}', '{"gtin": "6901234567892", "lot": "L1"}', '2026-04-01'), asked('{}', '{"gtin": "73513537"}', '2026-04-01'), asked('{}', '{"gtin": "73513537"}', '2026-03-31');
SELECT p, rule_passport_params_valid(p) FROM unnest(ARRAY['{}', '{"accept": ["passport", "code"], "regime": "ccc"}', '{"accept": "label"}', '{"accept": []}', '{"lot": 1}', '{"x": 1}', '[]']::jsonb[]) p;
-- as a rule of the platform
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT listing_rule_add('passport', 'passport', '{}', 'quarantine', 'Kettles need a passport', 'policy', effective => '2026-01-01');
SELECT listing_rule_add('wrong', 'passport', '{"accept": "x"}', 'quarantine', 't', 'policy', effective => '2026-01-01');
SELECT rule, verdict, message FROM listing_check('{"merchant_id": "m-1", "title": "kettle", "gtin": "6901234567892", "lot": "L2"}', '2026-03-01');
SELECT count(*) FROM listing_check('{"merchant_id": "m-1", "title": "kettle", "gtin": "6901234567892", "lot": "L1"}', '2026-03-01');
SELECT rule, verdict, message FROM listing_check('{"merchant_id": "m-1", "title": "kettle"}', '2026-03-01');
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm qg_kind_key qg_kind_pem';
DROP FUNCTION asked;
DROP EXTENSION quality_gov;
