
-- passport: which one answers for goods, and whether it is good

CREATE FUNCTION passport_proof_verify(document jsonb, algorithm text, public_key bytea) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_passport_proof_verify' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION passport_proof_verify(jsonb, text, bytea) IS
  'Whether a document''s proof (Data Integrity, eddsa-jcs-2022, or quality-gov-sm2-jcs-2026 of SM2 with SM3) was made by a key, given raw; false for anything malformed';

CREATE FUNCTION passport_goods_match(goods text, gtin gtin) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN length(goods) = 14 THEN goods = gtin::text ELSE starts_with(substr(gtin::text, 2), goods) END;
COMMENT ON FUNCTION passport_goods_match(text, gtin) IS
  'Whether a GTIN is the one of 14 digits, or has the GS1 company prefix of fewer (after the indicator digit)';

CREATE FUNCTION passport_release(gtin gtin, lot_code text, serial text, at timestamptz) RETURNS bigint
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  answer bigint;
  shipped integer;
  made timestamptz;
BEGIN
  IF serial IS NOT NULL THEN
    SELECT p.passport_id INTO answer FROM quality_gov.passport p
    WHERE p.gtin = passport_release.gtin AND p.serial = passport_release.serial AND p.recorded_at <= at
    ORDER BY lower(p.valid) <= at DESC, CASE WHEN lower(p.valid) <= at THEN -p.version ELSE p.version END LIMIT 1;
    IF FOUND THEN
      RETURN answer;
    END IF;
  END IF;
  IF lot_code IS NOT NULL THEN
    SELECT p.passport_id INTO answer FROM quality_gov.passport p
    WHERE p.gtin = passport_release.gtin AND p.lot_code = passport_release.lot_code AND p.serial IS NULL AND p.recorded_at <= at
    ORDER BY lower(p.valid) <= at DESC, CASE WHEN lower(p.valid) <= at THEN -p.version ELSE p.version END LIMIT 1;
    IF FOUND THEN
      RETURN answer;
    END IF;
    SELECT l.version INTO shipped FROM quality_gov.passport_lot l
    WHERE l.gtin = passport_release.gtin AND l.lot_code = passport_release.lot_code AND l.at <= passport_release.at
    ORDER BY l.at DESC, l.assignment_id DESC LIMIT 1;
    IF shipped IS NULL THEN
      -- What was in force as the day ended on which the lot was made.
      SELECT (l.made_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' INTO made FROM quality_gov.lot l
      WHERE l.lot_code = passport_release.lot_code
        AND l.gtin IN (passport_release.gtin, (SELECT a.gtin FROM quality_gov.gtin_alias a WHERE a.old = passport_release.gtin))
      ORDER BY l.gtin = passport_release.gtin DESC LIMIT 1;
      SELECT p.version INTO shipped FROM quality_gov.passport p
      WHERE p.gtin = passport_release.gtin AND p.lot_code IS NULL AND p.serial IS NULL AND p.recorded_at <= at
        AND lower(p.valid) < made
      ORDER BY p.version DESC LIMIT 1;
    END IF;
    SELECT p.passport_id INTO answer FROM quality_gov.passport p
    WHERE p.gtin = passport_release.gtin AND p.lot_code IS NULL AND p.serial IS NULL AND p.version = shipped
      AND p.recorded_at <= at;
    IF FOUND THEN
      RETURN answer;
    END IF;
  END IF;
  SELECT p.passport_id INTO answer FROM quality_gov.passport p
  WHERE p.gtin = passport_release.gtin AND p.lot_code IS NULL AND p.serial IS NULL AND p.recorded_at <= at
  ORDER BY lower(p.valid) <= at DESC, CASE WHEN lower(p.valid) <= at THEN -p.version ELSE p.version END LIMIT 1;
  RETURN answer;
END
$$;
COMMENT ON FUNCTION passport_release(gtin, text, text, timestamptz) IS
  'The passport that answers for goods under this very GTIN; passport_find() asks it for each GTIN that they had';

CREATE FUNCTION passport_find(gtin gtin, lot_code text DEFAULT NULL, serial text DEFAULT NULL, at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  answer bigint := quality_gov.passport_release(gtin, lot_code, serial, at);
  renamed quality_gov.gtin;
BEGIN
  -- A corrected number does not kill a printed code: what has no passport of its own has that of its new number.
  IF answer IS NULL THEN
    SELECT a.gtin INTO renamed FROM quality_gov.gtin_alias a WHERE a.old = passport_find.gtin;
    answer := quality_gov.passport_release(renamed, lot_code, serial, at);
  END IF;
  -- Nor does it kill the passports that bear the old number.
  IF answer IS NULL THEN
    SELECT quality_gov.passport_release(a.old, passport_find.lot_code, passport_find.serial, passport_find.at) INTO answer
    FROM quality_gov.gtin_alias a WHERE a.gtin = passport_find.gtin ORDER BY 1 NULLS LAST LIMIT 1;
  END IF;
  RETURN answer;
END
$$;
COMMENT ON FUNCTION passport_find(gtin, text, text, timestamptz) IS
  'The passport that answers for goods at an instant: the item''s (by GTIN and serial, whatever lot is asked for), else the batch''s, else the model release that shipped under the lot (passport_lot, else the day made), else the model''s version in force; one not yet valid where there is no other; null where there is none; corrected GTINs are followed';

CREATE FUNCTION passport_row_agrees(p passport, issuer text) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN COALESCE(
    p.credential #>> '{credentialSubject,gtin}' = p.gtin::text
    AND p.credential #>> '{credentialSubject,lot}' IS NOT DISTINCT FROM p.lot_code
    AND p.credential #>> '{credentialSubject,serial}' IS NOT DISTINCT FROM p.serial
    AND p.credential #>> '{credentialSubject,version}' = p.version::text
    AND p.credential ->> 'issuer' = issuer
    AND p.credential #>> '{proof,verificationMethod}' = p.key_id
    AND (p.credential #>> '{proof,created}')::timestamptz = p.issued_at
    AND (p.credential ->> 'validFrom')::timestamptz = lower(p.valid)
    AND (p.credential ->> 'validUntil')::timestamptz IS NOT DISTINCT FROM upper(p.valid), false);
COMMENT ON FUNCTION passport_row_agrees(passport, text) IS
  'Whether a passport''s row and its signed document tell the same goods, version, key and period';

CREATE FUNCTION passport_fault(passport_id bigint, at timestamptz DEFAULT now()) RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  faults text[];
BEGIN
  -- One query, since each scan asks; a key once revoked is looked at again, what it signed earlier stays good.
  SELECT array_remove(ARRAY[
      CASE WHEN k.key_id IS NULL THEN 'unknown_key'
           WHEN NOT quality_gov.passport_proof_verify(p.credential, k.algorithm, k.public_key)
             OR NOT quality_gov.passport_row_agrees(p, k.issuer) THEN 'bad_signature' END,
      CASE WHEN EXISTS (SELECT FROM quality_gov.passport_key_revocation r
                        WHERE r.key_id = k.key_id AND r.at <= passport_fault.at
                          AND r.untrusted_from <= greatest(p.issued_at, p.recorded_at)) THEN 'key_revoked' END,
      CASE WHEN NOT k.valid @> p.issued_at THEN 'key_not_valid' END,
      CASE WHEN k.key_id IS NOT NULL AND NOT EXISTS (
                  SELECT FROM quality_gov.passport_key_goods g WHERE g.key_id = k.key_id AND g.valid @> p.issued_at
                    AND quality_gov.passport_goods_match(g.goods, p.gtin)) THEN 'key_not_for_goods' END,
      NULLIF((SELECT e.kind FROM quality_gov.passport_event e
              WHERE e.passport_id = p.passport_id AND e.kind IN ('suspended', 'reinstated', 'revoked') AND e.at <= passport_fault.at
              ORDER BY e.kind = 'revoked' DESC, e.at DESC, e.event_id DESC LIMIT 1), 'reinstated'),
      CASE WHEN upper(p.valid) <= passport_fault.at THEN 'expired' WHEN lower(p.valid) > passport_fault.at THEN 'not_yet_valid' END], NULL)
  INTO faults
  FROM quality_gov.passport p LEFT JOIN quality_gov.passport_key k USING (key_id)
  WHERE p.passport_id = passport_fault.passport_id;
  RETURN faults;
END
$$;
COMMENT ON FUNCTION passport_fault(bigint, timestamptz) IS
  'What is wrong with a passport at an instant, {} where nothing is: bad_signature (verified anew each time; also where row and document differ), unknown_key, key_revoked, key_not_valid, key_not_for_goods, revoked, suspended, expired, not_yet_valid; null where there is no such passport';

CREATE FUNCTION passport_audience_require(merchant_id text, audience text) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF audience IS NULL OR audience NOT IN ('public', 'authorised', 'regulator') THEN
    RAISE EXCEPTION 'audience "%" is not known', audience USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Audiences are public, authorised and regulator.';
  END IF;
  IF audience = 'authorised' AND NOT quality_gov.session_acts_for(merchant_id,
       '{quality_gov_admin,quality_gov_regulator,quality_gov_app}')
     OR audience = 'regulator' AND NOT quality_gov.session_acts_for(merchant_id,
       '{quality_gov_admin,quality_gov_regulator}') THEN
    RAISE EXCEPTION 'permission denied for claims of audience "%"', audience USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$$;
COMMENT ON FUNCTION passport_audience_require(text, text) IS
  'Raises 22023 for an unknown audience, 42501 where the session may not read for it: authorised is for administrators, regulators, applications (which answer for whom they ask) and the merchant of the key, regulator for all of them but applications';

CREATE FUNCTION passport_claims(passport_id bigint, audience text DEFAULT 'public') RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  shown jsonb;
  owner text;
BEGIN
  SELECT COALESCE(p.credential #> '{credentialSubject,claims}', '{}'), k.merchant_id INTO shown, owner
  FROM quality_gov.passport p LEFT JOIN quality_gov.passport_key k USING (key_id)
  WHERE p.passport_id = passport_claims.passport_id;
  IF audience IS DISTINCT FROM 'public' THEN
    PERFORM quality_gov.passport_audience_require(owner, audience);
    SELECT shown || COALESCE(jsonb_object_agg(c.field, c.value), '{}') INTO shown
    FROM quality_gov.passport_claim c
    WHERE c.passport_id = passport_claims.passport_id
      AND (c.audience = passport_claims.audience OR passport_claims.audience = 'regulator');
  END IF;
  RETURN shown;
END
$$;
COMMENT ON FUNCTION passport_claims(bigint, text) IS
  'What a passport tells an audience: public, authorised (and public), or regulator (all), as {field: value}; null where there is no such passport; 42501 where the session may not read for that audience';
