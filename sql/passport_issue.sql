-- Issuing passports by the key file: levels, what the document holds, required claims, what is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
-- the private key is that of W3C's vector, C96EF9EA...
SELECT current_setting('data_directory') || '/regress_passport_issue.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM :'write';
SET quality_gov.passport_key_file = :'key_file';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,2027-01-01)');

-- at each level; what is signed says the goods, as a Digital Link too
SELECT passport_issue('6901234567892', NULL, NULL, '{"title": "Kettle"}', at => '2026-02-01 10:00:00.5') AS model,
       passport_issue('6901234567892', 'L/1', NULL, '{"title": "Kettle"}', valid_until => '2026-12-01', at => '2026-02-01') AS batch,
       passport_issue('6901234567892', 'L/1', 'S1', '{"title": "Kettle"}', valid_from => '2026-01-15 08:00+08', at => '2026-02-01') AS item,
       passport_issue('6901234567892', NULL, 'S2', '{"title": "水壶", "weight": 1.50, "parts": {"cord": [1, null, true]}}', 'kettles', at => '2026-02-01', resolver => 'https://works.example/p') AS item_without_lot;
SELECT passport_id, level, lot_code, serial, version, category, key_id, issued_at, valid, recorded_at FROM passport ORDER BY 1;
SELECT passport_export(1) - 'proof' AS document;
SELECT passport_export(4) -> 'credentialSubject' AS subject, passport_export(4) -> 'id' AS id;
SELECT passport_export(2) ->> 'validUntil' AS valid_until, passport_export(3) ->> 'validFrom' AS valid_from, passport_export(1) #>> '{proof,created}' AS created;
SELECT (passport_export(1) -> 'proof') - 'proofValue'::text AS proof;
-- each verifies, by the function, the oracle and the public key alone
SELECT passport_id, passport_fault(passport_id, '2026-03-01'), passport_proof_verify(passport_export(passport_id), 'Ed25519',
  public_key_read('Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2')) AS verified FROM passport ORDER BY 1;
SELECT * FROM passport_check();
SELECT kind, at, reason FROM passport_event WHERE passport_id = 1;
SELECT subject, body - 'proof' AS body, body -> 'proof' = passport_export(1) #> '{proof,proofValue}' AS same FROM ledger_entry WHERE subject = 'passport 1';

-- what a category must tell, by law from the day it is in force
INSERT INTO passport_category VALUES ('kettles', 'order_110');
SELECT category, field, type, required, one_of, audience, lower(effect), builtin FROM passport_fields('kettles/electric', '2026-12-02');
SELECT count(*) FROM (SELECT passport_fields('kettles/electric', '2026-11-30') UNION ALL SELECT passport_fields('pots', '2026-12-02')) none;
SELECT passport_issue('6901234567892', 'L2', NULL, '{"title": "Kettle"}', 'kettles', at => '2026-11-30 15:59:59') AS day_before;
SELECT passport_issue('6901234567892', 'L3', NULL, '{"title": "Kettle"}', 'kettles', at => '2026-11-30 16:00:00');
\echo :LAST_ERROR_SQLSTATE
\set claims '{"title": "Kettle", "producer": "Works", "producer_address": "1 Road", "model": "K", "standard": "GB 4706.1-2005"'
SELECT passport_issue('6901234567892', 'L3', NULL, (:'claims' || '}')::jsonb, 'kettles', at => '2026-12-02');
SELECT passport_issue('6901234567892', 'L3', NULL, (:'claims' || ', "report": "see page"}')::jsonb, 'kettles', at => '2026-12-02');
SELECT passport_issue('6901234567892', 'L3', NULL, (:'claims' || ', "certificate": " "}')::jsonb, 'kettles', at => '2026-12-02');
SELECT passport_issue('6901234567892', 'L3', NULL, (:'claims' || ', "report": {"result": "passed"}}')::jsonb, 'kettles', at => '2026-12-02') AS by_report,
       passport_issue('6901234567892', 'L4', NULL, (:'claims' || ', "certificate": "2016010901123456"}')::jsonb, 'kettles', at => '2026-12-02') AS by_certificate;
UPDATE passport_field SET required = false WHERE field = 'standard';
\echo :LAST_ERROR_SQLSTATE
SELECT category, array_agg(field ORDER BY field) AS fields FROM passport_field WHERE category ~ '_label$' AND builtin AND required GROUP BY 1 ORDER BY 1;
-- types
INSERT INTO passport_field (category, field, type, title, legal_basis) SELECT 'types', t, t, 'T', 'policy' FROM unnest('{string,number,integer,boolean,date,url,array,object}'::text[]) t;
SELECT t.field, array_agg(v ORDER BY v::text) FILTER (WHERE passport_claim_fits(v, t.type)) AS fits
FROM passport_field t, unnest(ARRAY['"x"', '" "', '1', '1.5', 'true', '"2026-02-28"', '"2026-02-29"', '"2024-02-29"', '"2026-13-01"', '"2026-04-31"', '"https://a.example/b"', '"javascript:1"', '[]', '{}', 'null']::jsonb[]) v
WHERE category = 'types' GROUP BY 1 ORDER BY 1;
SELECT passport_issue('6901234567892', 'T1', NULL, jsonb_build_object('date', '2026-02-29'), 'types', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'T1', NULL, '{"date": "2024-02-29", "integer": 3, "url": "https://a.example", "array": [null], "boolean": false, "number": -1.5}', 'types', at => '2026-02-01') AS fits;

-- refused: names and nulls, goods of others, second passports, periods, numbers that would be rounded
SELECT passport_issue('6901234567892', 'X', NULL, '{"Title": "x"}', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, '{"id": "x"}', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, '{"@type": "x"}', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, '{"title": null}', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, '["title"]', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, NULL, at => '2026-02-01');
SELECT passport_issue('73513537', 'X', NULL, '{}', at => '2026-02-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_issue('6901234567892', 'L/1', NULL, '{}', at => '2026-02-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_issue('6901234567892', 'L9', 'S2', '{}', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, '{}', valid_until => '2026-02-01', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, '{"n": 9007199254740993}', at => '2026-02-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_issue('6901234567892', 'too long a lot for GS1 to have', NULL, '{}', at => '2026-02-01');
SELECT passport_issue(NULL, 'X', NULL, '{}', at => '2026-02-01');
SELECT passport_issue('6901234567892', '', NULL, '{}', at => '2026-02-01');
SELECT passport_issue('6901234567892', 'X', NULL, '{}', at => 'infinity');
SELECT passport_issue('6901234567892', 'X', NULL, '{}', at => '2026-02-01', resolver => r) FROM unnest('{javascript:alert(1)//,https://,https://a.example/?x=,NULL}'::text[]) r;
SELECT passport_draft('6901234567892', 'X', NULL, '{}', 'did:web:works.example#1', at => '2026-02-01', resolver => 'https://a.example/#');
-- all or none, in order
SELECT * FROM passport_issue_all(ARRAY['{"gtin": "6901234567892", "lot": "A1", "claims": {}}', '{"gtin": "6901234567892", "lot": "A1", "claims": {}}']::jsonb[], at => '2026-02-01');
SELECT * FROM passport_issue_all(ARRAY['{"gtin": "6901234567892", "lots": "A1"}']::jsonb[], at => '2026-02-01');
SELECT * FROM passport_issue_all(ARRAY['{"lot": "A1"}', NULL]::jsonb[], at => '2026-02-01');
SELECT count(*) FROM passport_issue_all('{}', at => '2026-02-01');
CREATE TABLE issued AS SELECT * FROM passport_issue_all(ARRAY(SELECT jsonb_build_object('gtin', '6901234567892', 'lot', 'B', 'serial', 'B' || n, 'claims', '{}'::jsonb)
  FROM generate_series(1, 2100) n), at => '2026-02-01') WITH ORDINALITY i(id, n);
SELECT count(*) AS issued, bool_and(p.serial = 'B' || n) AS in_order, count(DISTINCT passport_export(id) #>> '{proof,proofValue}') AS signatures
FROM issued JOIN passport p ON p.passport_id = issued.id;
SELECT count(*) FROM ledger_entry JOIN issued ON subject = 'passport ' || id;
DROP TABLE issued;
SELECT count(*) AS faults FROM passport_check();
DROP EXTENSION quality_gov;
