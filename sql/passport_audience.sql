-- Who reads what of a passport, and who may sign, enter and take back.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
INSERT INTO merchant (merchant_id, name, kind, uscc) VALUES ('m-1', 'Works', 'company', '91110000600037341L'), ('m-2', 'Other', 'company', '91350100M000100Y43');
-- the private key is that of W3C's vector, C96EF9EA...
SELECT current_setting('data_directory') || '/regress_passport_audience.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM :'write';
SET quality_gov.passport_key_file = :'key_file';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,)', merchant_id => 'm-1');
CREATE ROLE regress_passport_admin; CREATE ROLE regress_passport_app; CREATE ROLE regress_passport_regulator; CREATE ROLE regress_passport_analyst;
CREATE ROLE regress_passport_1; CREATE ROLE regress_passport_2;
DO $$ BEGIN PERFORM quality_gov.roles_create(); END $$;
GRANT quality_gov_admin TO regress_passport_admin;
GRANT quality_gov_app TO regress_passport_app;
GRANT quality_gov_regulator TO regress_passport_regulator;
GRANT quality_gov_analyst TO regress_passport_analyst;
GRANT quality_gov_merchant TO regress_passport_1, regress_passport_2;
SELECT merchant_member_add('regress_passport_1', 'm-1'), merchant_member_add('regress_passport_2', 'm-2');
INSERT INTO passport_field (category, field, audience, title, legal_basis) VALUES
  ('kettles', 'supplier', 'authorised', 'Supplier', 'policy'), ('kettles', 'cost', 'regulator', 'Cost', 'policy');
SELECT passport_issue('6901234567892', 'L1', 'S1', '{"title": "Kettle", "supplier": "Steel Co", "cost": "12"}', 'kettles', at => '2026-02-01') AS id \gset
SELECT passport_issue('6901234567892', 'L1', NULL, '{"title": "Kettle"}', 'kettles', at => '2026-02-01') AS nothing_hidden;

-- the digests are those of the disclosures: base64url(SHA-256(jcs([salt, field, value])))
SELECT bool_and(passport_export(:id) #> '{credentialSubject,claimDigests}' ? rtrim(translate(encode(sha256(convert_to(
    '["' || (d ->> 'salt') || '","' || (d ->> 'field') || '","' || (d ->> 'value') || '"]', 'UTF8')), 'base64'), '+/', '-_'), '=')) AS fit,
  count(*), count(DISTINCT d ->> 'salt') AS salts, min(length(d ->> 'salt')) AS of_characters
FROM jsonb_array_elements(passport_export(:id, 'regulator') -> 'disclosures') d;

CREATE FUNCTION told(passport bigint) RETURNS TABLE (audience text, claims text, disclosed text) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH audience IN ARRAY '{public,authorised,regulator,everybody}'::text[] LOOP
    BEGIN
      claims := quality_gov.passport_claims(passport, audience);
      disclosed := jsonb_path_query_array(quality_gov.passport_export(passport, audience), '$.disclosures[*].field');
    EXCEPTION WHEN OTHERS THEN
      claims := SQLERRM; disclosed := SQLSTATE;
    END;
    RETURN NEXT;
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION told(bigint) TO PUBLIC;
SET ROLE regress_passport_analyst;
SELECT * FROM told(:id);
SET ROLE regress_passport_app;
SELECT * FROM told(:id);
SET ROLE regress_passport_regulator;
SELECT * FROM told(:id);
SET ROLE regress_passport_1;
SELECT * FROM told(:id);
SET ROLE regress_passport_2;
SELECT * FROM told(:id);
SELECT * FROM told(999);
-- nobody but the regulator reads the tables behind, nobody but the owner writes them, nobody signs by himself
SELECT * FROM passport_claim;
SELECT * FROM passport;
SELECT passport_enter('{}', '{}', NULL, NULL);
SELECT passport_sign('{}', '{}', 'Ed25519', '');
SELECT passport_issue('6901234567892', 'L9', NULL, '{}', at => '2026-02-01');
SELECT passport_key_add('did:web:a#1', 'did:web:a', 'A', 'Ed25519', '\x', '{6901234}');
-- another's key and passports are not a merchant's to use or end
SELECT passport_draft('6901234567892', 'L9', NULL, '{}', 'did:web:works.example#1', at => '2026-02-01');
SELECT passport_revoke(:id, 'x', '2026-03-01');
SELECT passport_suspend(:id, 'x', '2026-03-01');
SELECT passport_key_revoke('did:web:works.example#1', 'x', at => '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_key_end('did:web:works.example#1', '2026-03-01');
SET ROLE regress_passport_app;
SELECT passport_revoke(:id, 'x', '2026-03-01');
SET ROLE regress_passport_regulator;
SELECT passport_key_revoke('did:web:works.example#1', 'x', at => '2026-03-01');
SELECT count(*) FROM passport_claim;
SET ROLE regress_passport_admin;
SELECT * FROM passport_claim;
INSERT INTO passport_field (category, field, title, legal_basis) VALUES ('pots', 'title', 'Name', 'policy');
INSERT INTO passport VALUES (DEFAULT);
SET quality_gov.passport_key_file = '/etc/passwd';
SHOW quality_gov.passport_key_file;
SELECT count(*) FROM passport_check();
SELECT passport_issue('6901234567892', 'L9', NULL, '{}', at => '2026-02-01') AS by_the_file_of_the_machine;
-- its own are
SET ROLE regress_passport_1;
SELECT length(to_sign) FROM passport_draft('6901234567892', 'L8', NULL, '{}', 'did:web:works.example#1', at => '2026-02-01');
SELECT passport_add(passport_export(:id), '[]', '2026-02-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(passport_export(:id), '[]');
-- what it says holds from now on: what was known at an instant does not change later
SELECT passport_suspend(:id, 'to be checked', '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_key_revoke('did:web:works.example#1', 'lost', at => '2026-04-01');
SELECT passport_key_end('did:web:works.example#1', '2026-04-01');
SELECT passport_suspend(:id, 'to be checked'), passport_reinstate(:id, 'checked'), passport_revoke(:id, 'not ours', now() + interval '1 second');
SELECT passport_key_revoke('did:web:works.example#1', 'lost', '2026-01-15'), passport_key_end('did:web:works.example#1', '9000-01-01');
SELECT passport_fault(:id, '2026-04-01') AS at_first, passport_fault(:id, now() + interval '1 second') AS then;
RESET ROLE;
SELECT * FROM passport_check();
DROP FUNCTION told(bigint);
DROP EXTENSION quality_gov;
DROP ROLE regress_passport_admin, regress_passport_app, regress_passport_regulator, regress_passport_analyst, regress_passport_1, regress_passport_2;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
