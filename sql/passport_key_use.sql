-- A key that signs no more, or not for these goods: refused when it signs, and found when its passports are looked at.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
-- the private key is that of W3C's vector, C96EF9EA...
SELECT current_setting('data_directory') || '/regress_passport_key_use.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM :'write';
SET quality_gov.passport_key_file = :'key_file';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,2027-01-01)');

-- before its period, after it
SELECT passport_issue('6901234567892', 'A', NULL, '{}', at => '2025-12-31 23:59:59');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_issue('6901234567892', 'A', NULL, '{}', at => '2027-01-01');
SELECT passport_issue('6901234567892', 'A', NULL, '{}', at => '2026-12-31 23:59:59') AS on_its_last_second;
SELECT passport_issue('6901234567892', 'J', NULL, '{}', at => '2026-01-10') AS january, passport_issue('6901234567892', 'M', NULL, '{}', at => '2026-03-10') AS march;

-- its period shortened, what it signed later is no longer good
SELECT passport_key_end('did:web:works.example#1', '2026-12-01');
SELECT lot_code, passport_fault(passport_id, '2026-12-31 23:59:59') FROM passport ORDER BY 1;

-- nor is a signature taken that comes in later and is dated back
SELECT * FROM passport_draft('6901234567892', 'E', NULL, '{}', 'did:web:works.example#1', at => '2026-02-20') \gset
SELECT jsonb_set(:'document', '{proof,proofValue}', to_jsonb(passport_sign(:'document'::jsonb - 'proof', :'document'::jsonb -> 'proof', 'Ed25519', s.public_key))) AS february FROM passport_signer() s \gset
SELECT passport_add(:'february', at => '2026-12-01');
\echo :LAST_ERROR_SQLSTATE

-- goods taken from it
SELECT passport_key_goods_set('did:web:works.example#1', '{6901234}', '(,2026-03-01)');
SELECT lot_code, passport_fault(passport_id, '2027-06-01') FROM passport ORDER BY 1;
SELECT passport_issue('6901234567892', 'N', NULL, '{}', at => '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(:'february', at => '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT passport_add(:'february', at => '2026-02-28') AS in_time;
ROLLBACK;
SELECT passport_key_goods_set('did:web:works.example#1', '{06901234567892}');
SELECT lot_code, passport_fault(passport_id, '2027-06-01') FROM passport ORDER BY 1;

-- revoked in June, for what it signed since February; who asked in May was told what was known then
SELECT passport_key_revoke('did:web:works.example#1', 'lost with a notebook', '2026-02-01', '2026-06-01');
SELECT lot_code, passport_fault(passport_id, '2026-05-01') AS in_may, passport_fault(passport_id, '2026-06-01') AS in_june FROM passport ORDER BY 1;
SELECT passport_issue('6901234567892', 'N', NULL, '{}', at => '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_issue('6901234567892', 'N', NULL, '{}', at => '2026-01-20') AS of_january;
-- a signature dated back does not help: it came in too late
SELECT * FROM passport_draft('6901234567892', 'D', NULL, '{}', 'did:web:works.example#1', at => '2026-01-20') \gset
SELECT passport_add(jsonb_set(:'document', '{proof,proofValue}', to_jsonb(passport_sign(:'document'::jsonb - 'proof', :'document'::jsonb -> 'proof', 'Ed25519', s.public_key))), at => '2026-07-01') FROM passport_signer() s;
\echo :LAST_ERROR_SQLSTATE

-- a key file without a registered key, with several, of another key; the key of a row that went
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,)');
SELECT passport_issue('6901234567892', 'P', NULL, '{}', at => '2026-03-01');
SELECT passport_issue('6901234567892', 'P', NULL, '{}', key_id => 'did:web:works.example#2', at => '2026-03-01') AS by_the_second;
SELECT passport_issue('6901234567892', 'Q', NULL, '{}', key_id => 'did:web:nobody.example#1', at => '2026-03-01');
SELECT passport_key_add('did:web:other.example#1', 'did:web:other.example', 'Other', 'Ed25519', '\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '{6901234}', '[2026-01-01,)');
SELECT passport_issue('6901234567892', 'Q', NULL, '{}', key_id => 'did:web:other.example#1', at => '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM passport_key WHERE key_id = 'did:web:works.example#1';
SELECT passport_issue('6901234567892', 'Q', NULL, '{}', key_id => 'did:web:works.example#1', at => '2026-03-01');
SELECT lot_code, passport_fault(passport_id, '2026-05-01') FROM passport ORDER BY 1;
SELECT relation, key, problem FROM passport_check() ORDER BY 1, 2;
DELETE FROM passport_key WHERE key_id = 'did:web:works.example#2';
SELECT passport_issue('6901234567892', 'Q', NULL, '{}', at => '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_fault(999, '2026-05-01') IS NULL AS no_such_passport;
DROP EXTENSION quality_gov;
