-- Data Integrity proofs: the vector of W3C's EdDSA Cryptosuites 1.0 (appendix B, eddsa-jcs-2022), and what must not verify.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

CREATE TABLE w3c AS SELECT '{
  "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
  "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
  "type": ["VerifiableCredential", "AlumniCredential"],
  "name": "Alumni Credential",
  "description": "A minimum viable example of an Alumni Credential.",
  "issuer": "https://vc.example/issuers/5678",
  "validFrom": "2023-01-01T00:00:00Z",
  "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"}
}'::jsonb AS document, '{
  "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": "2023-02-24T23:36:38Z",
  "verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
  "proofPurpose": "assertionMethod",
  "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
}'::jsonb AS proof, 'z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX' AS proof_value,
  public_key_read('Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2') AS public_key;

-- its canonical documents, their digests, the bytes that are signed, the signature
SELECT jcs(document) = '{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],"credentialSubject":{"alumniOf":"The School of Examples","id":"did:example:abcdefgh"},"description":"A minimum viable example of an Alumni Credential.","id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","issuer":"https://vc.example/issuers/5678","name":"Alumni Credential","type":["VerifiableCredential","AlumniCredential"],"validFrom":"2023-01-01T00:00:00Z"}' AS canonical_document,
  jcs(proof) = '{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],"created":"2023-02-24T23:36:38Z","cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod","type":"DataIntegrityProof","verificationMethod":"did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"}' AS canonical_proof,
  sha256(convert_to(jcs(document), 'UTF8')) = '\x59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19' AS document_hash,
  sha256(convert_to(jcs(proof), 'UTF8')) = '\x66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db' AS proof_hash,
  passport_proof_bytes(document, proof, 'Ed25519') = '\x66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19' AS signed,
  multibase_decode(proof_value) = '\x407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b80351da3f253d725c6f00b07c9e5448d50b3ef78012b9ab54255116d069c6dd2808' AS signature FROM w3c;
CREATE TABLE secured AS SELECT document || jsonb_build_object('proof', proof || jsonb_build_object('proofValue', proof_value)) AS d, public_key AS k FROM w3c;
SELECT passport_proof_verify(d, 'Ed25519', k), passport_proof_verify(d, 'SM2', k) AS sm2, passport_proof_verify(d, 'ed25519', k) AS unknown,
       passport_proof_verify(d, 'Ed25519', substr(k, 2)) AS short, passport_proof_verify(NULL, 'Ed25519', k) IS NULL AS nulls FROM secured;

-- whoever adds to @context changes nothing; whoever changes what is signed does
SELECT passport_proof_verify(d || jsonb_build_object('@context', d -> '@context' || '["https://a.example/more"]'), 'Ed25519', k) AS added,
       passport_proof_verify(d || jsonb_build_object('@context', '["https://a.example/more"]' || (d -> '@context')), 'Ed25519', k) AS put_before,
       passport_proof_verify(d || jsonb_build_object('@context', d #> '{@context,0}'), 'Ed25519', k) AS first_only,
       passport_proof_verify(d || jsonb_build_object('@context', '["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2x"]'::jsonb), 'Ed25519', k) AS longer,
       passport_proof_verify(d - '@context', 'Ed25519', k) AS without,
       passport_proof_verify(d #- '{proof,@context}', 'Ed25519', k) AS proof_without FROM secured;
-- each of its members, changed and taken away, and one put in
SELECT m.path, passport_proof_verify(d #- m.path, 'Ed25519', k) AS without,
       passport_proof_verify(jsonb_set(d, m.path, '"x"'), 'Ed25519', k) AS changed,
       passport_proof_verify(jsonb_set(d, m.path, 'null'), 'Ed25519', k) AS null_there,
       passport_proof_verify(jsonb_set(d, m.path, '[{}]'), 'Ed25519', k) AS array_there
FROM secured, unnest(ARRAY['{id}', '{type}', '{type,1}', '{issuer}', '{validFrom}', '{credentialSubject}', '{credentialSubject,alumniOf}',
  '{proof}', '{proof,type}', '{proof,cryptosuite}', '{proof,created}', '{proof,verificationMethod}', '{proof,proofPurpose}',
  '{proof,proofValue}']) AS p(t), LATERAL (SELECT t::text[] AS path) m WHERE d #> m.path IS NOT NULL;
SELECT count(*) AS verified FROM secured, unnest(ARRAY['{"new": 1}', '{"proof": []}', '{"proof": {}}', '{"proof": 1}', '{"proof": [{"type": "DataIntegrityProof"}]}']::jsonb[]) x
WHERE passport_proof_verify(d || x, 'Ed25519', k);
SELECT count(*) AS verified FROM secured, unnest(ARRAY['[]', '{}', '1', '"x"', 'null', '[{"proof": {}}]', '{"proof": {"proofValue": "z"}}']::jsonb[]) x
WHERE passport_proof_verify(x, 'Ed25519', k);
-- signatures in other spellings: other base, a byte more or less, one in front, characters that are none
SELECT count(*) AS verified FROM secured, unnest(ARRAY['m' || encode(multibase_decode(d #>> '{proof,proofValue}'), 'base64'),
  substr(d #>> '{proof,proofValue}', 2), 'z1' || substr(d #>> '{proof,proofValue}', 2), (d #>> '{proof,proofValue}') || '1', 'z', '', 'z0',
  multibase_encode(multibase_decode(d #>> '{proof,proofValue}') || '\x00'), 'z' || repeat('z', 100000), ' ' || (d #>> '{proof,proofValue}')]) v
WHERE passport_proof_verify(jsonb_set(d, '{proof,proofValue}', to_jsonb(v)), 'Ed25519', k);
-- what canonical JSON cannot hold verifies never, and says so to who would sign it
SELECT passport_proof_verify(d || '{"n": 9007199254740993}', 'Ed25519', k), passport_proof_verify(d || '{"n": 1e400}', 'Ed25519', k) FROM secured;
SELECT passport_proof_bytes(document || '{"n": 9007199254740993}', proof, 'Ed25519') FROM w3c;
\echo :LAST_ERROR_SQLSTATE
SELECT passport_proof_bytes(document - '@context', proof, 'Ed25519') FROM w3c;
SELECT passport_proof_bytes(document, proof, 'SM2') FROM w3c;
\echo :LAST_ERROR_SQLSTATE
SELECT passport_proof_bytes('[]', proof, 'Ed25519') FROM w3c;

-- the private key of the vector signs to the same signature
SELECT current_setting('data_directory') || '/regress_passport_proof.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM :'write';
SELECT passport_sign(document, proof, 'Ed25519', public_key) FROM w3c;
\echo :LAST_ERROR_SQLSTATE
SET quality_gov.passport_key_file = :'key_file';
SELECT algorithm, multikey(public_key) FROM passport_signer();
SELECT passport_sign(document, proof, 'Ed25519', public_key) = proof_value AS same FROM w3c, generate_series(1, 3);
SELECT passport_sign(document, proof, 'Ed25519', set_byte(public_key, 0, 1)) FROM w3c;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE w3c, secured;
DROP EXTENSION quality_gov;
