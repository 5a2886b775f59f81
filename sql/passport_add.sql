-- Passports that their producers sign outside: drafted, signed, entered, and what is refused on the way in.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
-- the private key is that of W3C's vector, C96EF9EA...
SELECT current_setting('data_directory') || '/regress_passport_add.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM :'write';
SET quality_gov.passport_key_file = :'key_file';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,2027-01-01)');
INSERT INTO passport_field (category, field, type, audience, required, title, legal_basis) VALUES
  ('kettles', 'title', 'string', 'public', true, 'Name', 'policy'), ('kettles', 'supplier', 'string', 'authorised', false, 'Supplier', 'policy'),
  ('kettles', 'cost', 'number', 'regulator', true, 'Cost', 'policy');
-- what the producer does outside: here the key file stands in
CREATE FUNCTION sign_outside(document jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_set(document, '{proof,proofValue}', to_jsonb(passport_sign(document - 'proof', (document -> 'proof') - 'proofValue'::text, 'Ed25519', public_key)))
  FROM passport_signer() $$;

SELECT * FROM passport_draft('6901234567892', 'L1', 'S1', '{"title": "Kettle", "supplier": "Steel Co", "cost": 12.5}', 'did:web:works.example#1', 'kettles', at => '2026-02-01') \gset
SELECT :'document'::jsonb #> '{credentialSubject,claims}' AS shown, jsonb_array_length(:'document'::jsonb #> '{credentialSubject,claimDigests}') AS digests,
       jsonb_path_query_array(:'disclosures', '$[*].field') AS hidden, :'document'::jsonb #> '{proof,proofValue}' AS proof_value, length(:'to_sign'::bytea) AS to_sign;
SELECT position('Steel' IN :'document') = 0 AS tells_nothing, count(DISTINCT d ->> 'salt') AS salts FROM jsonb_array_elements(:'disclosures') d;
SELECT sign_outside(:'document') AS signed \gset
SELECT multibase_decode(:'signed'::jsonb #>> '{proof,proofValue}') AS signature \gset
SELECT signature_verify('Ed25519', public_key, :'to_sign', :'signature') AS signs_those_bytes FROM passport_signer();

-- refused, and nothing kept: unsigned, another signature, changed after it was signed
SELECT passport_add(:'document', :'disclosures', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(jsonb_set(:'signed', '{proof,proofValue}', '"z1"'), :'disclosures', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(jsonb_set(:'signed', '{credentialSubject,claims,title}', '"Pot"'), :'disclosures', '2026-02-02');
SELECT passport_add(jsonb_set(:'signed', '{proof,verificationMethod}', '"did:web:nobody.example#1"'), :'disclosures', '2026-02-02');
-- disclosures that are not what was signed
SELECT passport_add(:'signed', jsonb_set(:'disclosures', '{0,value}', '1'), '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(:'signed', jsonb_set(:'disclosures', '{0,salt}', '"00000000000000000000000000000000"'), '2026-02-02');
SELECT passport_add(:'signed', :'disclosures'::jsonb || (:'disclosures'::jsonb -> 0), '2026-02-02');
SELECT passport_add(:'signed', jsonb_set(:'disclosures', '{0,audience}', '"everybody"', true), '2026-02-02');
SELECT passport_add(:'signed', '[{"field": "cost"}]', '2026-02-02');
SELECT passport_add(:'signed', '{}', '2026-02-02');
SELECT passport_add(:'signed', '[]', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
-- signed well, but not to be taken: dates, goods, versions, shapes, what is shown that must not be
SELECT passport_add(:'signed', :'disclosures', '2026-01-31');
SELECT passport_add(sign_outside(jsonb_set(:'document', '{issuer}', '"did:web:other.example"')), :'disclosures', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(sign_outside(jsonb_set(:'document', '{credentialSubject,gtin}', '"00000073513537"')), :'disclosures', '2026-02-02');
SELECT passport_add(sign_outside(:'document'::jsonb || jsonb_build_object('credentialSubject', :'document'::jsonb -> 'credentialSubject' || '{"gtin": "00000073513537", "id": "https://id.gs1.org/01/00000073513537/10/L1/21/S1"}')), :'disclosures', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(sign_outside(jsonb_set(:'document', '{credentialSubject,version}', '2')), :'disclosures', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
-- a context that was added to later is not signed, though libraries verify the rest
SELECT passport_proof_verify(d, 'Ed25519', public_key) AS verifies FROM passport_signer(), jsonb_insert(:'signed', '{@context,-1}', '"https://a.example/more"', true) d;
SELECT passport_add(jsonb_insert(:'signed', '{@context,-1}', '"https://a.example/more"', true), :'disclosures', '2026-02-02');
SELECT passport_add(sign_outside(jsonb_set(:'document', '{validFrom}', '"2026-02-01"')), :'disclosures', '2026-02-02');
SELECT passport_add(sign_outside(jsonb_set(:'document', '{validFrom}', '"2026-02-31T00:00:00Z"')), :'disclosures', '2026-02-02');
SELECT passport_add(sign_outside(jsonb_set(:'document', '{validUntil}', '"2026-01-01T00:00:00Z"')), :'disclosures', '2026-02-02');
SELECT passport_add(sign_outside(jsonb_set(:'document', '{credentialSubject,claims,cost}', '1')), :'disclosures', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(sign_outside(jsonb_set(:'document', '{credentialSubject,claims,title}', '1')), :'disclosures', '2026-02-02');
SELECT passport_add(sign_outside(jsonb_set(:'document', '{credentialSubject,id}', '"https://a.example/x"')), :'disclosures', '2026-02-02');
SELECT passport_add(jsonb_set(:'signed', ARRAY[t], '{}'), '[]', '2026-02-02') FROM unnest('{@context}'::text[]) t;
SELECT passport_add(jsonb_set(:'signed', '{type}', '["VerifiableCredential"]'), '[]', '2026-02-02');
SELECT passport_add(jsonb_set(:'signed', '{proof}', '[]'), '[]', '2026-02-02');
SELECT passport_add(jsonb_set(:'signed', '{proof,expires}', '"2026-03-01T00:00:00Z"'), '[]', '2026-02-02');
SELECT passport_add(jsonb_set(:'signed', '{credentialSubject,version}', '1.5'), '[]', '2026-02-02');
SELECT passport_add('[]', '[]', '2026-02-02');
SELECT passport_add(NULL, '[]', '2026-02-02');
-- salts that can be tried, or are those of another claim
SELECT passport_add(sign_outside(jsonb_set(:'document', '{credentialSubject,claimDigests}', to_jsonb(ARRAY[passport_digest('Ed25519', s[1], 'cost', '12'), passport_digest('Ed25519', s[2], 'supplier', '"Steel Co"')]))),
  jsonb_build_array(jsonb_build_object('salt', s[1], 'field', 'cost', 'value', 12), jsonb_build_object('salt', s[2], 'field', 'supplier', 'value', 'Steel Co')), '2026-02-02')
FROM (SELECT ARRAY['0123456789abcde', '0123456789abcdef0'] AS s) x;
\echo :LAST_ERROR_SQLSTATE
SELECT passport_add(sign_outside(jsonb_set(:'document', '{credentialSubject,claimDigests}', to_jsonb(ARRAY[passport_digest('Ed25519', s[1], 'cost', '12'), passport_digest('Ed25519', s[2], 'supplier', '"Steel Co"')]))),
  jsonb_build_array(jsonb_build_object('salt', s[1], 'field', 'cost', 'value', 12), jsonb_build_object('salt', s[2], 'field', 'supplier', 'value', 'Steel Co')), '2026-02-02')
FROM (SELECT ARRAY['0123456789abcdef', '0123456789abcdef'] AS s) x;
SELECT (SELECT count(*) FROM passport) + (SELECT count(*) FROM passport_claim) + (SELECT count(*) FROM passport_event) AS kept;

-- taken; the second version after it, and neither twice
SELECT passport_add(:'signed', jsonb_set(:'disclosures', '{1,audience}', '"regulator"', true), '2026-02-02') AS first \gset
SELECT passport_add(:'signed', :'disclosures', '2026-02-02');
\echo :LAST_ERROR_SQLSTATE
SELECT field, audience, value FROM passport_claim ORDER BY 1;
SELECT * FROM passport_draft('6901234567892', 'L1', 'S1', '{"title": "Kettle 2", "cost": 13}', 'did:web:works.example#1', 'kettles', '2026-03-01', '2026-09-01', '2026-02-20') \gset
SELECT passport_add(sign_outside(:'document'), :'disclosures', '2026-02-21') AS second \gset
SELECT version, valid, recorded_at, passport_fault(passport_id, '2026-03-02') AS in_march, passport_fault(passport_id, '2026-02-25') AS in_february, passport_fault(passport_id, '2026-09-01') AS in_september FROM passport ORDER BY 1;
SELECT p.version, e.kind, e.at FROM passport_event e JOIN passport p USING (passport_id) ORDER BY event_id;
SELECT passport_draft('6901234567892', 'L2', NULL, '{"title": "Kettle"}', 'did:web:works.example#1', 'kettles', at => '2026-02-01');
SELECT * FROM passport_check();
DROP FUNCTION sign_outside(jsonb);
DROP EXTENSION quality_gov;
