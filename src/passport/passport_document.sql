
-- passport: the document that is signed

CREATE FUNCTION passport_proof_bytes(document jsonb, proof jsonb, algorithm text) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_passport_proof_bytes' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION passport_proof_bytes(jsonb, jsonb, text) IS
  'The 64 bytes that a signature of a document is of: digest of the canonical proof without proofValue, digest of the canonical document without proof (SHA-256, SM3 for SM2)';

CREATE FUNCTION passport_sign(document jsonb, proof jsonb, algorithm text, public_key bytea) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_passport_sign' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION passport_sign(jsonb, jsonb, text, bytea) IS
  'The proofValue of a document by the private key of quality_gov.passport_key_file, which must belong to the public key; for passport_issue_all()';

CREATE FUNCTION passport_signer(OUT algorithm text, OUT public_key bytea) RETURNS record
  AS 'MODULE_PATHNAME', 'qg_passport_signer' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION passport_signer() IS
  'Algorithm and public key that belong to the private key of quality_gov.passport_key_file';

CREATE FUNCTION passport_instant(at timestamptz) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
COMMENT ON FUNCTION passport_instant(timestamptz) IS 'An instant as the document writes it: UTC, to the second';

CREATE FUNCTION passport_digest(algorithm text, salt text, field text, value jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (SELECT translate(encode(CASE algorithm WHEN 'SM2' THEN sm3(b) ELSE sha256(b) END, 'base64'), '+/=', '-_')
          FROM convert_to(jcs(jsonb_build_array(salt, field, value)), 'UTF8') b);
COMMENT ON FUNCTION passport_digest(text, text, text, jsonb) IS
  'What the document holds of a claim that is not for everybody: base64url of the digest (SHA-256, SM3 beside SM2) of jcs([salt, field, value])';

CREATE FUNCTION passport_suite(algorithm text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE algorithm WHEN 'Ed25519' THEN 'eddsa-jcs-2022' WHEN 'SM2' THEN 'quality-gov-sm2-jcs-2026' END;
COMMENT ON FUNCTION passport_suite(text) IS 'Name of an algorithm''s cryptosuite: W3C''s of Ed25519, our own of SM2 with SM3';

CREATE FUNCTION passport_context() RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"]'::jsonb;
COMMENT ON FUNCTION passport_context() IS
  'The @context of passports: VC Data Model 2.0, whose undefined-terms gives the claims a vocabulary of their issuer';

CREATE FUNCTION passport_document(link text, gtin text, lot_code text, serial text, version integer, category text, issuer text,
    claims jsonb, digests text[], valid_from timestamptz, valid_until timestamptz) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'qg_passport_document' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION passport_document(text, text, text, text, integer, text, text, jsonb, text[], timestamptz, timestamptz) IS
  'A passport as a W3C Verifiable Credential (VC Data Model 2.0), unsigned: its subject is the GS1 Digital Link of the goods, with public claims and the digests of the others; 22023 where a claim is null or its name none';

CREATE FUNCTION passport_resolver_require(resolver text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF resolver IS NULL OR resolver !~ '^https?://[a-z0-9.-]+(:[0-9]+)?(/[!-~]*)?$' OR resolver ~ '[?#]' OR length(resolver) > 200 THEN
    RAISE EXCEPTION 'resolver "%" is not the address of one', left(resolver, 200) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example https://id.gs1.org.';
  END IF;
END
$$;
COMMENT ON FUNCTION passport_resolver_require(text) IS 'Raises 22023 unless a text is an http or https address that a Digital Link can begin with';

CREATE FUNCTION passport_proof(key_id text, algorithm text, created timestamptz) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN jsonb_build_object('type', 'DataIntegrityProof', 'cryptosuite', passport_suite(algorithm), 'created', passport_instant(created),
    'verificationMethod', key_id, 'proofPurpose', 'assertionMethod', '@context', passport_context());
COMMENT ON FUNCTION passport_proof(text, text, timestamptz) IS 'The proof of a passport (Data Integrity) before it has a proofValue';

CREATE FUNCTION passport_latest(gtin gtin, lot_code text, serial text) RETURNS passport
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  p quality_gov.passport;
BEGIN
  IF serial IS NOT NULL THEN
    SELECT * INTO p FROM quality_gov.passport x
    WHERE x.gtin = passport_latest.gtin AND x.serial = passport_latest.serial ORDER BY x.version DESC LIMIT 1;
  ELSE
    SELECT * INTO p FROM quality_gov.passport x
    WHERE x.gtin = passport_latest.gtin AND x.serial IS NULL AND x.lot_code IS NOT DISTINCT FROM passport_latest.lot_code
    ORDER BY x.version DESC LIMIT 1;
  END IF;
  RETURN p;
END
$$;
COMMENT ON FUNCTION passport_latest(gtin, text, text) IS 'The latest version of the passport of the very goods, of nulls where there is none';

CREATE FUNCTION passport_draft(gtin gtin, lot text, serial text, claims jsonb, key_id text, category text DEFAULT NULL,
    valid_from timestamptz DEFAULT NULL, valid_until timestamptz DEFAULT NULL, at timestamptz DEFAULT now(),
    resolver text DEFAULT 'https://id.gs1.org', OUT document jsonb, OUT disclosures jsonb, OUT to_sign bytea)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  k quality_gov.passport_key := quality_gov.passport_key_require(key_id, date_trunc('second', at), at);
  latest quality_gov.passport := quality_gov.passport_latest(gtin, lot, serial);
  proof jsonb;
  digests text[];
  hidden text[];
BEGIN
  PERFORM quality_gov.session_party_require(k.merchant_id, '{quality_gov_admin,quality_gov_app}');
  PERFORM quality_gov.passport_resolver_require(resolver);
  PERFORM quality_gov.passport_claims_require(category, claims, at);
  SELECT jsonb_agg(jsonb_build_object('salt', d.salt, 'field', d.field, 'value', d.value) ORDER BY d.field),
         array_agg(quality_gov.passport_digest(k.algorithm, d.salt, d.field, d.value) ORDER BY d.salt), array_agg(d.field)
  INTO disclosures, digests, hidden
  FROM (SELECT c.key AS field, c.value, replace(gen_random_uuid()::text, '-', '') AS salt FROM jsonb_each(claims) c
        WHERE c.key IN (SELECT f.field FROM quality_gov.passport_fields(category, at) f WHERE f.audience <> 'public')) d;
  disclosures := COALESCE(disclosures, '[]');
  document := quality_gov.passport_document(quality_gov.digital_link(gtin, lot, serial, resolver), gtin::text, lot, serial, COALESCE(latest.version, 0) + 1, category, k.issuer,
    claims - COALESCE(hidden, '{}'), digests, COALESCE(valid_from, at), valid_until);
  proof := quality_gov.passport_proof(key_id, k.algorithm, at);
  to_sign := quality_gov.passport_proof_bytes(document, proof, k.algorithm);
  document := document || jsonb_build_object('proof', proof);
END
$$;
COMMENT ON FUNCTION passport_draft(gtin, text, text, jsonb, text, text, timestamptz, timestamptz, timestamptz, text) IS
  'The next version of the passport of goods, for its producer to sign outside: the document with a proof that lacks proofValue, salts and values of the claims that are not for everybody, the 64 bytes to sign; the signature enters the proof as multibase_encode() writes it, then passport_add() takes all';
