
-- passport: who makes, registers and revokes codes, and how many a lot may have

CREATE FUNCTION code_lot(gtin gtin, lot_code text) RETURNS lot
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found_lot quality_gov.lot;
BEGIN
  -- The lot's row is held, so that two who make codes of it at once count each other's.
  SELECT * INTO found_lot FROM quality_gov.lot l WHERE l.gtin = code_lot.gtin AND l.lot_code = code_lot.lot_code FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no lot "%" of GTIN %', COALESCE(lot_code, ''), COALESCE(gtin::text, 'null') USING ERRCODE = 'undefined_object',
      HINT = 'Record the lot first: codes of goods whose lot is not known could not be recalled.';
  END IF;
  IF found_lot.merchant_id IS NULL AND NOT quality_gov.session_acts_for(NULL, '{quality_gov_admin,quality_gov_app}') THEN
    RAISE EXCEPTION 'permission denied for lot "%", which is no merchant''s', lot_code USING ERRCODE = 'insufficient_privilege';
  ELSIF found_lot.merchant_id IS NOT NULL THEN
    PERFORM quality_gov.session_party_require(found_lot.merchant_id, '{quality_gov_admin,quality_gov_app}');
  END IF;
  RETURN found_lot;
END
$$;
COMMENT ON FUNCTION code_lot(gtin, text) IS
  'The lot that codes are made for, held until the transaction ends; 42704 where there is none, 42501 for others than its merchant, an application or an administrator';

CREATE FUNCTION lot_items_made(gtin gtin, lot_code text) RETURNS bigint
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  l quality_gov.lot;
BEGIN
  -- Codes keep the number that they were made under, lots go over to a corrected one.
  SELECT * INTO l FROM quality_gov.lot x WHERE x.gtin = lot_items_made.gtin AND x.lot_code = lot_items_made.lot_code;
  IF NOT FOUND THEN
    SELECT * INTO l FROM quality_gov.lot x
    WHERE x.gtin = quality_gov.gtin_current(lot_items_made.gtin) AND x.lot_code = lot_items_made.lot_code;
  END IF;
  IF l.quantity IS NULL AND l.lot_id IS NOT NULL THEN
    SELECT sum(e.quantity) INTO l.quantity FROM quality_gov.lot_event_standing e WHERE e.lot_id = l.lot_id AND e.kind = 'made';
  END IF;
  -- Units of UN/ECE Recommendation 20 that count pieces: piece, one, each.
  RETURN CASE WHEN COALESCE(l.unit, 'H87') IN ('H87', 'C62', 'EA') AND l.quantity < 9e18 THEN floor(l.quantity) END;
END
$$;
COMMENT ON FUNCTION lot_items_made(gtin, text) IS
  'Number of pieces made of a lot, as lot_balance has it; null where it is not known, or the lot is not measured in pieces (H87, C62 or EA)';

CREATE FUNCTION code_fault(batch_id bigint, item integer, nth bigint, since timestamptz, gtin gtin, lot_code text, at timestamptz)
  RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  -- Codes are counted in the order of their batches: those past what was made are on goods that are not of the lot.
  RETURN CASE WHEN since > at THEN '{code_not_issued}'::text[] ELSE '{}' END
    || CASE WHEN quality_gov.code_is_revoked(batch_id, item, at) THEN '{code_revoked}'::text[] ELSE '{}' END
    || CASE WHEN nth > quality_gov.lot_items_made(gtin, lot_code) THEN '{beyond_quantity}'::text[] ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION code_fault(bigint, integer, bigint, timestamptz, gtin, text, timestamptz) IS
  'What is wrong with a code that code_lookup() found: not issued yet, revoked, or past the number of pieces made';

CREATE FUNCTION code_issue(gtin gtin, lot_code text, count integer, at timestamptz DEFAULT now(),
                           resolver text DEFAULT 'https://id.gs1.org')
  RETURNS TABLE (item integer, code text, link text, short_form text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  goods quality_gov.lot := quality_gov.code_lot(gtin, lot_code);
  made bigint := quality_gov.lot_items_made(goods.gtin, goods.lot_code);
  had bigint;
  batch quality_gov.code_batch;
BEGIN
  IF count IS NULL OR count NOT BETWEEN 1 AND 1048575 THEN
    RAISE EXCEPTION 'count must be 1 to 1048575, found %', COALESCE(count::text, 'null') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'A greater lot is issued in several calls.';
  END IF;
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'codes are issued at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT COALESCE(sum(b.codes), 0) INTO had FROM quality_gov.code_batch b
  WHERE b.gtin = goods.gtin AND b.lot_code = goods.lot_code;
  IF made IS NULL THEN
    RAISE EXCEPTION 'how many pieces were made of lot "%" is not known', goods.lot_code USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'A lot may have as many codes as pieces were made: set its quantity, or record an event "made".';
  ELSIF had + count > made THEN
    RAISE EXCEPTION 'lot "%" of % pieces has % codes and may not have % more', goods.lot_code, made, had, count
      USING ERRCODE = 'check_violation', HINT = 'Correct the quantity made where it is wrong.';
  END IF;
  INSERT INTO quality_gov.code_batch (gtin, lot_code, kind, codes, key_id, merchant_id, at, role)
  VALUES (goods.gtin, goods.lot_code, 'issued', count, quality_gov.code_key(), goods.merchant_id, at, session_user) RETURNING * INTO batch;
  PERFORM quality_gov.ledger_record('code_issue', quality_gov.digital_link(goods.gtin, goods.lot_code, NULL),
    jsonb_build_object('batch_id', batch.batch_id, 'codes', count, 'key_id', batch.key_id, 'at', at));
  RETURN QUERY
    SELECT w.item, w.code, quality_gov.digital_link(goods.gtin, goods.lot_code, w.code, resolver),
           quality_gov.code_short(batch.batch_id, w.code)
    FROM quality_gov.code_write(goods.gtin, goods.lot_code, batch.batch_id, batch.key_id, count) w;
END
$$;
COMMENT ON FUNCTION code_issue(gtin, text, integer, timestamptz, text) IS
  'Makes codes for items of a lot: number in the batch, code (a GS1 serial number, AI 21), Digital Link, short form to type; no more than pieces were made (23514); they are stored nowhere and cannot be told again';

CREATE FUNCTION code_register(gtin gtin, lot_code text, codes text[], at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  goods quality_gov.lot := quality_gov.code_lot(gtin, lot_code);
  batch quality_gov.code_batch;
  bad text;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'codes are registered at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF cardinality(codes) IS NULL OR cardinality(codes) NOT BETWEEN 1 AND 1048575 THEN
    RAISE EXCEPTION 'codes must be an array of 1 to 1048575 codes, found %', COALESCE(cardinality(codes)::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- What cannot stand in a link as a serial number can never be scanned; the set is that of AI 21.
  SELECT format('code %s of the array is %s', c.n, CASE WHEN c.code IS NULL THEN 'null' ELSE 'no GS1 serial number of 1 to 20 characters' END)
  INTO bad FROM unnest(codes) WITH ORDINALITY AS c(code, n)
  WHERE c.code IS NULL OR c.code !~ '^[-!"%&''()*+,./0-9:;<=>?A-Z_a-z]{1,20}$' ORDER BY c.n LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '%', bad USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.code_batch (gtin, lot_code, kind, codes, key_id, merchant_id, at, role)
  VALUES (goods.gtin, goods.lot_code, 'registered', cardinality(codes), quality_gov.code_key(), goods.merchant_id, at, session_user)
  RETURNING * INTO batch;
  IF EXISTS (SELECT FROM (SELECT DISTINCT b.key_id FROM quality_gov.code_batch b
                          WHERE b.gtin = goods.gtin AND b.kind = 'registered' AND b.key_id <> batch.key_id) k
             CROSS JOIN unnest(codes) AS c(code)
             JOIN quality_gov.code_registered r ON r.digest = quality_gov.code_digest(k.key_id, 3, goods.gtin::text || ' ' || c.code)) THEN
    RAISE EXCEPTION 'a code of GTIN % is registered already', goods.gtin USING ERRCODE = 'unique_violation';
  END IF;
  BEGIN
    INSERT INTO quality_gov.code_registered (digest, batch_id)
    SELECT quality_gov.code_digest(batch.key_id, 3, goods.gtin::text || ' ' || c.code), batch.batch_id FROM unnest(codes) AS c(code);
  EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'a code of GTIN % is registered already, or stands twice in the array', goods.gtin USING ERRCODE = 'unique_violation';
  END;
  PERFORM quality_gov.ledger_record('code_register', quality_gov.digital_link(goods.gtin, goods.lot_code, NULL),
    jsonb_build_object('batch_id', batch.batch_id, 'codes', batch.codes, 'key_id', batch.key_id, 'at', at));
  RETURN batch.batch_id;
END
$$;
COMMENT ON FUNCTION code_register(gtin, text, text[], timestamptz) IS
  'Registers codes that the producer assigned to items of a lot, and gives the batch; only keyed digests are stored; more than pieces were made are taken, and found by code_finding; 23505 where one is registered already';

CREATE FUNCTION code_revoke(batch_id bigint, reason text, first integer DEFAULT NULL, last integer DEFAULT NULL,
                            at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  batch quality_gov.code_batch;
  revocation bigint;
BEGIN
  SELECT * INTO batch FROM quality_gov.code_batch b WHERE b.batch_id = code_revoke.batch_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no batch % of codes', COALESCE(batch_id::text, 'null') USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM quality_gov.session_party_require(COALESCE(batch.merchant_id, ''), '{quality_gov_admin,quality_gov_app}');
  IF COALESCE(reason, '') = '' OR at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'codes are revoked for a reason, at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF batch.kind = 'registered' AND (first IS NOT NULL OR last IS NOT NULL) THEN
    RAISE EXCEPTION 'registered codes have no numbers and are revoked together' USING ERRCODE = 'invalid_parameter_value';
  ELSIF NOT COALESCE(first, 1) BETWEEN 1 AND COALESCE(last, batch.codes) OR last > batch.codes THEN
    RAISE EXCEPTION 'batch % has items 1 to %, not % to %', batch_id, batch.codes, COALESCE(first, 1), COALESCE(last, batch.codes)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.code_revocation (batch_id, items, since, reason)
  VALUES (batch_id, int4range(COALESCE(first, 1), COALESCE(last, batch.codes), '[]'), at, reason)
  RETURNING revocation_id INTO revocation;
  PERFORM quality_gov.ledger_record('code_revoke', quality_gov.digital_link(batch.gtin, batch.lot_code, NULL),
    jsonb_build_object('batch_id', batch_id, 'first', first, 'last', last, 'reason', reason, 'at', at));
  RETURN revocation;
END
$$;
COMMENT ON FUNCTION code_revoke(bigint, text, integer, integer, timestamptz) IS
  'Ends codes of a batch from an instant on, all or those of a range of items, for a reason; append-only, so for good';
