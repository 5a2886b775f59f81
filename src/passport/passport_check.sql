
-- passport: the oracle

CREATE FUNCTION passport_check(signatures boolean DEFAULT true, OUT relation text, OUT key text, OUT problem text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT c.relation, c.key, 'has no key' FROM (
    SELECT 'passport_key_goods' AS relation, concat_ws(' ', g.key_id, g.goods) AS key, g.key_id FROM quality_gov.passport_key_goods g
    UNION ALL SELECT 'passport_key_revocation', concat_ws(' ', r.key_id, r.revocation_id), r.key_id
    FROM quality_gov.passport_key_revocation r
    UNION ALL SELECT 'passport', p.passport_id::text, p.key_id FROM quality_gov.passport p) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.passport_key k WHERE k.key_id = c.key_id)
  UNION ALL
  SELECT 'passport_key', k.key_id, 'has no merchant' FROM quality_gov.passport_key k
  WHERE k.merchant_id IS NOT NULL AND NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = k.merchant_id)
  UNION ALL
  SELECT c.relation, c.key, 'has no passport' FROM (
    SELECT 'passport_claim' AS relation, concat_ws(' ', x.passport_id, x.field) AS key, x.passport_id FROM quality_gov.passport_claim x
    UNION ALL SELECT 'passport_event', concat_ws(' ', e.passport_id, e.event_id), e.passport_id FROM quality_gov.passport_event e) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.passport p WHERE p.passport_id = c.passport_id)
  UNION ALL
  SELECT 'passport_lot', concat_ws(' ', l.gtin, l.lot_code, l.assignment_id), 'has no passport of the model' FROM quality_gov.passport_lot l
  WHERE NOT EXISTS (SELECT FROM quality_gov.passport p WHERE p.gtin = l.gtin AND p.lot_code IS NULL AND p.serial IS NULL
                      AND p.version = l.version)
  UNION ALL
  SELECT 'passport', p.passport_id::text, 'was never issued' FROM quality_gov.passport p
  WHERE NOT EXISTS (SELECT FROM quality_gov.passport_event e WHERE e.passport_id = p.passport_id AND e.kind = 'issued')
  UNION ALL
  SELECT 'passport', p.passport_id::text, format('version %s has no version %s before it, or that was not superseded', p.version, p.version - 1)
  FROM quality_gov.passport p
  WHERE p.version > 1 AND NOT EXISTS (
    SELECT FROM quality_gov.passport b JOIN quality_gov.passport_event e ON e.passport_id = b.passport_id AND e.kind = 'superseded'
    WHERE b.gtin = p.gtin AND b.version = p.version - 1 AND b.serial IS NOT DISTINCT FROM p.serial
      AND (p.serial IS NOT NULL OR b.lot_code IS NOT DISTINCT FROM p.lot_code))
  UNION ALL
  SELECT 'passport', p.passport_id::text, CASE WHEN NOT quality_gov.passport_row_agrees(p, k.issuer) THEN 'differs from its signed document'
                                               ELSE 'has a signature that does not fit' END
  FROM quality_gov.passport p JOIN quality_gov.passport_key k USING (key_id)
  WHERE signatures AND (NOT quality_gov.passport_row_agrees(p, k.issuer)
                        OR NOT quality_gov.passport_proof_verify(p.credential, k.algorithm, k.public_key))
  UNION ALL
  SELECT 'passport_claim', concat_ws(' ', x.passport_id, x.field), 'has no digest in the signed document'
  FROM quality_gov.passport_claim x JOIN quality_gov.passport p USING (passport_id) JOIN quality_gov.passport_key k USING (key_id)
  WHERE signatures AND NOT COALESCE(p.credential #> '{credentialSubject,claimDigests}' ?
    quality_gov.passport_digest(k.algorithm, x.salt, x.field, x.value), false)
$$;
COMMENT ON FUNCTION passport_check(boolean) IS
  'Oracle: passports without key, claims, events or assignments without passport, versions with gaps, and (unless false is given) signatures, rows and claims that do not fit the signed document; no rows when all is well';
