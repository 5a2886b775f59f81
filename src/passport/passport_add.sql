
-- passport: entering what a producer signed outside

CREATE FUNCTION passport_document_require(document jsonb) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong text;
  said record;
BEGIN
  SELECT w.what INTO wrong FROM (VALUES
    ('an object', '$.type() == "object"'::jsonpath),
    ('"@context" to begin with https://www.w3.org/ns/credentials/v2', '$."@context"[0] == "https://www.w3.org/ns/credentials/v2"'),
    ('"type" to hold VerifiableCredential and ProductPassport', 'exists($.type[*] ? (@ == "VerifiableCredential")) && exists($.type[*] ? (@ == "ProductPassport"))'),
    ('"issuer" to be a text', '$.issuer.type() == "string"'),
    ('"validFrom" to be a text', '$.validFrom.type() == "string"'),
    ('"validUntil" to be a text', '!exists($.validUntil) || $.validUntil.type() == "string"'),
    ('"proof" to be one object with "verificationMethod", "created" and "proofValue"', '$.proof.type() == "object" && $.proof.verificationMethod.type() == "string" && $.proof.created.type() == "string" && $.proof.proofValue.type() == "string"'),
    ('"proof" to have no "expires", which "validUntil" says', '!exists($.proof.expires)'),
    ('"credentialSubject" to have "id", a Digital Link, and "gtin"', '$.credentialSubject.type() == "object" && $.credentialSubject.id.type() == "string" && $.credentialSubject.gtin.type() == "string"'),
    ('"lot", "serial" and "category" of the subject to be texts', '(!exists($.credentialSubject.lot) || $.credentialSubject.lot.type() == "string") && (!exists($.credentialSubject.serial) || $.credentialSubject.serial.type() == "string") && (!exists($.credentialSubject.category) || $.credentialSubject.category.type() == "string")'),
    ('"version" of the subject to be a whole number from 1', '$.credentialSubject.version.type() == "number" && $.credentialSubject.version >= 1 && $.credentialSubject.version < 1000000000 && $.credentialSubject.version.floor() == $.credentialSubject.version'),
    ('"claims" of the subject to be an object', '$.credentialSubject.claims.type() == "object"'),
    ('"claimDigests" of the subject to be an array of texts', '!exists($.credentialSubject.claimDigests) || ($.credentialSubject.claimDigests.type() == "array" && !exists($.credentialSubject.claimDigests[*] ? (@.type() != "string")))'))
    AS w(what, path)
  WHERE NOT COALESCE(document @@ w.path, false) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'document is no passport: expected %', wrong USING ERRCODE = 'invalid_parameter_value',
      HINT = 'quality_gov.passport_draft() writes one.';
  END IF;
  -- A proof signs its own @context, and what the document's has beyond that anybody may have put there.
  IF document #> '{proof,@context}' <> document -> '@context' THEN
    RAISE EXCEPTION 'document is no passport: expected "@context" to be that of its proof' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'What was added to it is not signed, and could give other words a meaning.';
  END IF;
  SELECT * INTO said FROM quality_gov.digital_link_parse(document #>> '{credentialSubject,id}');
  IF said.gtin::text <> document #>> '{credentialSubject,gtin}'
     OR said.lot IS DISTINCT FROM document #>> '{credentialSubject,lot}'
     OR said.serial IS DISTINCT FROM document #>> '{credentialSubject,serial}' THEN
    RAISE EXCEPTION 'document names other goods in "id" of its subject than in "gtin", "lot" and "serial"'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION passport_document_require(jsonb) IS
  'Raises 22023 unless a document has the shape of a passport with one proof, 22P02 where its Digital Link is none';

CREATE FUNCTION passport_secrets(passport_id bigint, document jsonb, algorithm text, disclosures jsonb, at timestamptz) RETURNS passport_claim[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  subject jsonb := document -> 'credentialSubject';
  secrets quality_gov.passport_claim[];
  wrong text;
BEGIN
  SELECT f.field INTO wrong FROM quality_gov.passport_fields(subject ->> 'category', at) f
  WHERE f.audience <> 'public' AND subject -> 'claims' ? f.field LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'claim "%" is not for everybody, but the document shows it', wrong USING ERRCODE = 'check_violation',
      HINT = 'Give it as a disclosure, with its digest in the document.';
  END IF;
  SELECT d.field INTO wrong FROM quality_gov.passport_disclosures(disclosures) d
  WHERE NOT COALESCE(subject -> 'claimDigests' ? quality_gov.passport_digest(algorithm, d.salt, d.field, d.value), false) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'digest of claim "%" is not in the document', wrong USING ERRCODE = 'QG501',
      HINT = 'It is base64url of the digest of jcs([salt, field, value]), without padding.';
  END IF;
  SELECT d.field INTO wrong FROM quality_gov.passport_disclosures(disclosures) d
  GROUP BY d.field HAVING count(*) > 1 OR bool_or(subject -> 'claims' ? d.field) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'claim "%" is made twice', wrong USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Who may read one claim learns its salt, and could try values of another that has the same.
  IF EXISTS (SELECT FROM quality_gov.passport_disclosures(disclosures) d
             GROUP BY d.salt HAVING count(*) > 1 OR length(d.salt) NOT BETWEEN 16 AND 200) THEN
    RAISE EXCEPTION 'salts of disclosures must have 16 to 200 characters, each claim its own' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Take at least 128 random bits, as quality_gov.passport_draft() does.';
  END IF;
  SELECT array_agg(ROW(passport_secrets.passport_id, d.field, CASE WHEN 'regulator' IN (d.audience, f.audience) THEN 'regulator'
                         WHEN COALESCE(d.audience, 'authorised') = 'authorised' THEN 'authorised' ELSE d.audience END,
                       d.salt, d.value)::quality_gov.passport_claim) INTO secrets
  FROM quality_gov.passport_disclosures(disclosures) d
  LEFT JOIN (SELECT x.field, max(x.audience) AS audience FROM quality_gov.passport_fields(subject ->> 'category', at) x
             WHERE x.audience <> 'public' GROUP BY x.field) f ON f.field = d.field;
  PERFORM quality_gov.passport_claims_require(subject ->> 'category', (SELECT subject -> 'claims' || COALESCE(
    jsonb_object_agg(s.field, s.value), '{}') FROM unnest(secrets) s), at);
  RETURN secrets;
END
$$;
COMMENT ON FUNCTION passport_secrets(bigint, jsonb, text, jsonb, timestamptz) IS
  'The claims of a document that are not for everybody, out of its disclosures; QG501 where a digest is not in the document, 23514 and 22023 as passport_claims_require(), and where what is not for everybody is shown';

CREATE FUNCTION passport_add(document jsonb, disclosures jsonb DEFAULT '[]', at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  subject jsonb := document -> 'credentialSubject';
  created timestamptz;
  k quality_gov.passport_key;
  latest quality_gov.passport;
  entry quality_gov.passport;
  secrets quality_gov.passport_claim[];
BEGIN
  PERFORM quality_gov.passport_document_require(document);
  created := quality_gov.passport_instant_read(document #>> '{proof,created}');
  -- Who holds a stolen key dates its signatures back; that they came in late must not depend on his word.
  IF NOT quality_gov.session_acts_for(NULL, '{quality_gov_admin,quality_gov_app}') THEN
    IF at IS DISTINCT FROM now() THEN
      RAISE EXCEPTION 'permission denied to enter a passport for another instant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    at := clock_timestamp();
  END IF;
  k := quality_gov.passport_key_require(document #>> '{proof,verificationMethod}', created, at);
  PERFORM quality_gov.session_party_require(k.merchant_id, '{quality_gov_admin,quality_gov_app}');
  IF document ->> 'issuer' <> k.issuer THEN
    RAISE EXCEPTION 'issuer "%" is not that of key "%"', document ->> 'issuer', k.key_id USING ERRCODE = 'QG501';
  END IF;
  IF NOT quality_gov.passport_proof_verify(document, k.algorithm, k.public_key) THEN
    RAISE EXCEPTION 'signature of the document is not that of key "%"', k.key_id USING ERRCODE = 'QG501',
      HINT = format('It is %s over what quality_gov.passport_draft() gives to sign, with the document as it was given.',
                    quality_gov.passport_suite(k.algorithm));
  END IF;
  -- Clocks may differ a little.
  IF created > at + interval '5 minutes' THEN
    RAISE EXCEPTION 'document was signed at %, which is still to come', created USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT nextval('quality_gov.passport_passport_id_seq'), subject ->> 'gtin',
         CASE WHEN subject ? 'serial' THEN 'item' WHEN subject ? 'lot' THEN 'batch' ELSE 'model' END, subject ->> 'lot',
         subject ->> 'serial', subject ->> 'version', subject ->> 'category', k.key_id, created,
         quality_gov.passport_period(quality_gov.passport_instant_read(document ->> 'validFrom'),
                                     quality_gov.passport_instant_read(document ->> 'validUntil')), document, at INTO entry;
  PERFORM quality_gov.passport_goods_allow(k.key_id, entry.gtin, created), quality_gov.passport_goods_allow(k.key_id, entry.gtin, at);
  secrets := quality_gov.passport_secrets(entry.passport_id, document, k.algorithm, disclosures, at);
  latest := quality_gov.passport_latest(entry.gtin, entry.lot_code, entry.serial);
  IF latest.passport_id IS NOT NULL THEN
    PERFORM quality_gov.passport_lock(latest.passport_id, at);
    latest := quality_gov.passport_latest(entry.gtin, entry.lot_code, entry.serial);
  END IF;
  IF entry.version <> COALESCE(latest.version, 0) + 1 THEN
    RAISE EXCEPTION 'document is version %, the next one of these goods is version %', entry.version, COALESCE(latest.version, 0) + 1
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Draft it again with quality_gov.passport_draft().';
  END IF;
  PERFORM quality_gov.passport_enter(ARRAY[entry], secrets, latest.passport_id, NULL);
  RETURN entry.passport_id;
END
$$;
COMMENT ON FUNCTION passport_add(jsonb, jsonb, timestamptz) IS
  'Enters a passport that its producer signed outside (passport_draft()) and gives its id: QG501 where signature, issuer or a digest does not fit, QG502 where the key may not sign, 23514 where a claim is missing or of another type, 55000 where it is not the next version; at is when it came in, and only for administrators and applications another instant than now';

CREATE FUNCTION passport_export(passport_id bigint, audience text DEFAULT 'public') RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  p quality_gov.passport;
BEGIN
  SELECT * INTO p FROM quality_gov.passport x WHERE x.passport_id = passport_export.passport_id;
  IF NOT FOUND OR audience = 'public' THEN
    RETURN p.credential;
  END IF;
  PERFORM quality_gov.passport_audience_require((SELECT k.merchant_id FROM quality_gov.passport_key k WHERE k.key_id = p.key_id), audience);
  RETURN jsonb_build_object('credential', p.credential, 'disclosures', COALESCE((
    SELECT jsonb_agg(jsonb_build_object('salt', c.salt, 'field', c.field, 'value', c.value) ORDER BY c.field)
    FROM quality_gov.passport_claim c WHERE c.passport_id = passport_export.passport_id
      AND (c.audience = passport_export.audience OR passport_export.audience = 'regulator')), '[]'));
END
$$;
COMMENT ON FUNCTION passport_export(bigint, text) IS
  'The signed document, a W3C Verifiable Credential that libraries for eddsa-jcs-2022 verify as it is; for another audience than public {"credential", "disclosures"}, whose digests the document holds; null where there is no such passport; 42501 where the session may not read for that audience';
