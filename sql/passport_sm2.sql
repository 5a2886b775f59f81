-- Passports signed by SM2 with SM3 (GB/T 32918, GB/T 32905), as those by Ed25519 are.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
-- the private key of GB/T 32918.5, A.2, in PKCS 8: algorithm id-ecPublicKey on curve 1.2.156.10197.1.301
SELECT current_setting('data_directory') || '/regress_passport_sm2.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (SELECT '-----BEGIN PRIVATE KEY-----' UNION ALL SELECT l FROM regexp_split_to_table(encode(
  '\x308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b02010104203945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8a1440342000409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
  'base64'), '\n') l UNION ALL SELECT '-----END PRIVATE KEY-----') TO PROGRAM :'write';
SET quality_gov.passport_key_file = :'key_file';
SELECT * FROM passport_signer();
SELECT passport_key_add('did:web:works.example#sm2', 'did:web:works.example', 'Works', algorithm, public_key::text, '{6901234}', '[2026-01-01,)') FROM passport_signer();
INSERT INTO passport_field (category, field, audience, title, legal_basis) VALUES ('kettles', 'cost', 'regulator', 'Cost', 'policy');
SELECT passport_issue('6901234567892', 'L1', 'S1', '{"title": "水壶", "cost": "12"}', 'kettles', at => '2026-02-01') AS id \gset
SELECT passport_export(:id) #>> '{proof,cryptosuite}' AS suite, length(multibase_decode(passport_export(:id) #>> '{proof,proofValue}')) AS signature;
SELECT passport_fault(:id, '2026-02-01'), passport_proof_verify(passport_export(:id), 'SM2', public_key) AS verified, passport_proof_verify(passport_export(:id), 'Ed25519', public_key) AS as_ed25519,
       passport_proof_verify(jsonb_set(passport_export(:id), '{credentialSubject,claims,title}', '"x"'), 'SM2', public_key) AS changed,
       passport_proof_verify(jsonb_set(passport_export(:id), '{proof,cryptosuite}', '"eddsa-jcs-2022"'), 'SM2', public_key) AS other_suite FROM passport_signer();
-- what is signed are two digests by SM3
SELECT passport_proof_bytes(d - 'proof', (d -> 'proof') - 'proofValue'::text, 'SM2')
     = sm3(convert_to(jcs((d -> 'proof') - 'proofValue'::text), 'UTF8')) || sm3(convert_to(jcs(d - 'proof'), 'UTF8')) AS by_sm3,
       signature_verify('SM2', public_key, passport_proof_bytes(d - 'proof', (d -> 'proof') - 'proofValue'::text, 'SM2'), multibase_decode(d #>> '{proof,proofValue}')) AS verified
FROM passport_export(:id) d, passport_signer();
SELECT passport_export(:id) #> '{credentialSubject,claimDigests}' ? rtrim(translate(encode(sm3(convert_to(format('["%s","cost","12"]', d ->> 'salt'), 'UTF8')), 'base64'), '+/', '-_'), '=') AS digest_by_sm3
FROM jsonb_array_elements(passport_export(:id, 'regulator') -> 'disclosures') d;
-- signed outside; a key of another algorithm does not verify it
SELECT * FROM passport_draft('6901234567892', 'L2', NULL, '{"title": "x"}', 'did:web:works.example#sm2', at => '2026-02-01') \gset
SELECT passport_add(jsonb_set(:'document', '{proof,proofValue}', to_jsonb(passport_sign(:'document'::jsonb - 'proof', :'document'::jsonb -> 'proof', 'SM2', public_key))), at => '2026-02-01') AS added FROM passport_signer();
SELECT passport_key_add('did:web:works.example#ed', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,)');
SELECT passport_issue('6901234567892', 'L3', NULL, '{}', key_id => 'did:web:works.example#ed', at => '2026-02-01');
\echo :LAST_ERROR_SQLSTATE
-- a hundred signatures, each another, of 64 bytes whatever leading zeros the numbers have
SELECT count(*) AS faults FROM passport_issue_all(ARRAY(SELECT jsonb_build_object('gtin', '6901234567892', 'serial', 'B' || n, 'claims', '{}'::jsonb) FROM generate_series(1, 100) n), at => '2026-02-01') i
WHERE i IS NULL;
SELECT count(DISTINCT credential #> '{proof,proofValue}'), bool_and(length(multibase_decode(credential #>> '{proof,proofValue}')) = 64) FROM passport;
SELECT * FROM passport_check();
DROP EXTENSION quality_gov;
