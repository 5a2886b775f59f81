-- Which passport answers: item, batch, the release that shipped under a lot, the version in force; versions, corrected GTINs, states.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
-- the private key is that of W3C's vector, C96EF9EA...
SELECT current_setting('data_directory') || '/regress_passport_find.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM :'write';
SET quality_gov.passport_key_file = :'key_file';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,2027-01-01)');

SELECT passport_issue('6901234567892', NULL, NULL, '{"title": "K1"}', at => '2026-02-01') AS v1;
SELECT passport_version(1, '{"title": "K2"}', 'new cord', valid_from => '2026-04-01', at => '2026-03-20') AS v2;
SELECT passport_version(2, '{"title": "K3"}', 'new plug', at => '2026-06-01') AS v3;
SELECT passport_version(1, '{"title": "K4"}', 'from the first', at => '2026-07-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_version(3, '{"title": "K4"}', 'dated back', at => '2026-05-01');
SELECT passport_version(9, '{}', 'x', at => '2026-05-01');
\echo :LAST_ERROR_SQLSTATE
-- the model: by the day its version came into force, whatever day it was entered
SELECT d, version FROM unnest('{2026-01-15,2026-02-15,2026-03-25,2026-04-01,2026-07-01}'::date[]) d
LEFT JOIN passport ON passport_id = passport_find('6901234567892', NULL, NULL, d::timestamptz);
-- a lot shows the release of the day it was made, or what it was assigned
INSERT INTO lot (gtin, lot_code, made_on) VALUES ('6901234567892', 'OLD', '2025-05-05'), ('6901234567892', 'FEB', '2026-02-10'), ('6901234567892', 'MAR31', '2026-03-31'),
  ('6901234567892', 'APR1', '2026-04-01'), ('6901234567892', 'NODAY', NULL), ('6901234567892', 'JUN', '2026-06-02');
SELECT passport_lot_assign('6901234567892', 'JUN', 2, 'old stock', '2026-06-10');
SELECT passport_lot_assign('6901234567892', 'JUN', 9, 'x', '2026-06-10');
\echo :LAST_ERROR_SQLSTATE
SELECT l AS lot, (SELECT version FROM passport WHERE passport_id = passport_find('6901234567892', l, NULL, '2026-06-05')) AS early_june,
  (SELECT version FROM passport WHERE passport_id = passport_find('6901234567892', l, 'S9', '2026-12-01')) AS december
FROM unnest('{OLD,FEB,MAR31,APR1,NODAY,JUN,UNKNOWN}'::text[]) l;
SELECT passport_lot_assign('6901234567892', 'JUN', 3, 'counted again', '2026-06-20');
SELECT passport_find('6901234567892', at => '2026-06-05') = passport_find('6901234567892', NULL, NULL, '2026-06-05') AS same;
SELECT (SELECT version FROM passport WHERE passport_id = passport_find('6901234567892', 'JUN', NULL, '2026-06-15')) AS before,
       (SELECT version FROM passport WHERE passport_id = passport_find('6901234567892', 'JUN', NULL, '2026-06-20')) AS after;
-- a batch comes before the model, an item before its batch, whatever lot is asked for
SELECT passport_issue('6901234567892', 'FEB', NULL, '{}', valid_from => '2026-08-01', at => '2026-02-20') AS batch, passport_issue('6901234567892', 'FEB', 'S1', '{}', at => '2026-02-21') AS item;
SELECT passport_find('6901234567892', 'FEB', 'S1', '2026-03-01') AS item, passport_find('6901234567892', NULL, 'S1', '2026-03-01') AS without_lot, passport_find('6901234567892', 'JUN', 'S1', '2026-03-01') AS other_lot,
       passport_find('6901234567892', 'FEB', 'S2', '2026-03-01') AS batch_to_come, passport_find('6901234567892', 'FEB', 'S2', '2026-02-20 12:00') AS batch_entered, passport_find('6901234567892', 'FEB', NULL, '2026-02-19') AS release;
SELECT passport_find('73513537', NULL, NULL, '2026-03-01') IS NULL AND passport_find(NULL, 'FEB', 'S1', '2026-03-01') IS NULL AND passport_find('6901234567892', NULL, NULL, NULL) IS NULL AS nothing;
-- codes printed with a GTIN that was corrected
INSERT INTO gtin_alias VALUES ('73513537', '6901234567892', 'wrong on the first print run');
SELECT passport_find('73513537', 'FEB', 'S1', '2026-03-01') AS item, passport_find('73513537', NULL, NULL, '2026-03-01') AS model;
-- and passports issued under the number that was corrected since
INSERT INTO gtin_alias VALUES ('6901234567892', '6901234000009', 'of another article');
SELECT passport_find('6901234000009', 'FEB', 'S1', '2026-03-01') AS item;
-- whose lots are kept under the new one
UPDATE lot SET gtin = '6901234000009' WHERE lot_code = 'MAR31';
SELECT passport_find('6901234567892', 'MAR31', NULL, '2026-12-01') AS by_old, passport_find('6901234000009', 'MAR31', NULL, '2026-12-01') AS by_new;
DELETE FROM gtin_alias WHERE gtin = '6901234000009';

-- suspended, reinstated, revoked; each from its instant on, and only in that order
SELECT passport_reinstate(5, 'x', '2026-04-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_suspend(5, 'label to be checked', '2026-04-01');
SELECT passport_suspend(5, 'again', '2026-04-02');
SELECT passport_reinstate(5, 'checked', '2026-04-10'), passport_suspend(5, 'once more', '2026-05-01');
SELECT passport_revoke(5, '', '2026-06-01');
SELECT passport_revoke(5, 'dated back', '2026-04-15');
SELECT passport_revoke(5, 'not ours', '2026-06-01');
SELECT passport_reinstate(5, 'x', '2026-06-02');
SELECT passport_revoke(5, 'x', '2026-06-02');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_revoke(99, 'x', '2026-06-02');
SELECT d, passport_fault(5, d) FROM unnest('{2026-03-31,2026-04-01,2026-04-10,2026-05-01,2026-06-01}'::timestamptz[]) d;
-- what is revoked is shown until a version takes its place
SELECT passport_find('6901234567892', 'FEB', 'S1', '2026-07-01') AS revoked, passport_version(5, '{}', 'issued again', at => '2026-07-02') AS next;
SELECT passport_find('6901234567892', 'FEB', 'S1', '2026-07-02') AS next, passport_fault(passport_find('6901234567892', 'FEB', 'S1', '2026-07-02'), '2026-07-02');
SELECT subject, body ->> 'action' AS action, body ->> 'reason' AS reason FROM ledger_entry WHERE subject ~ '^passport [57]' OR kind = 'passport_lot' ORDER BY entry_id;

-- what nobody can do unseen
UPDATE passport SET version = 7;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM passport_event;
SELECT * FROM passport_check();
ALTER TABLE passport DISABLE TRIGGER passport_append_only;
UPDATE passport SET lot_code = 'JUN' WHERE passport_id = 5;
UPDATE passport SET credential = jsonb_set(credential, '{credentialSubject,claims,title}', '"K9"') WHERE passport_id = 1;
UPDATE passport SET valid = '[2026-01-01,)' WHERE passport_id = 2;
SELECT passport_fault(5, '2026-03-01') AS moved, passport_fault(1, '2026-03-01') AS changed, passport_fault(2, '2026-05-01') AS dated;
DELETE FROM passport WHERE passport_id = 3;
SELECT * FROM passport_check() ORDER BY 1, 2, 3;
SELECT count(*) FROM passport_check(false);
DROP EXTENSION quality_gov;
