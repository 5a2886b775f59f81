
-- listing: rule kind passport

CREATE FUNCTION rule_passport_params_valid(params jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := params_check(params, '{"accept": "texts?", "gtin": "text?", "lot": "text?", "serial": "text?", "link": "text?"}');
  unknown text;
BEGIN
  SELECT c INTO unknown FROM unnest(params_texts(params -> 'accept')) AS c WHERE c NOT IN ('passport', 'code');
  IF wanted IS NULL AND unknown IS NOT NULL THEN
    wanted := format('"accept" of passport and code, not "%s"', unknown);
  END IF;
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION rule_passport_params_valid(jsonb) IS
  'What is wanted of params of kind passport: {optionally "accept" (passport, code; both), and the page''s names of "gtin" (gtin), "lot" (lot), "serial" (serial), "link" (passport_link, a GS1 Digital Link that goes before them)}; null where all is well';

CREATE FUNCTION rule_passport(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  accept text[] := COALESCE(params_texts(params -> 'accept'), '{passport,code}');
  link_name text := COALESCE(params ->> 'link', 'passport_link');
  shown text := listing_value(listing, link_name);
  goods gtin;
  lot text := listing_value(listing, COALESCE(params ->> 'lot', 'lot'));
  serial text := listing_value(listing, COALESCE(params ->> 'serial', 'serial'));
  link record;
  passport bigint;
  faults text[];
  codes bigint;
BEGIN
  field := COALESCE(params ->> 'gtin', 'gtin');
  IF shown IS NOT NULL THEN
    field := link_name;
    link := digital_link_read(shown);
    IF link.fault IS NOT NULL OR NOT EXISTS (SELECT FROM passport_resolver r WHERE r.host = link.host) THEN
      RETURN QUERY SELECT 'violation', field, 'what is shown is no GS1 Digital Link of a resolver of the platform',
        jsonb_build_object('failed', COALESCE(link.fault, 'foreign_host'));
      RETURN;
    END IF;
    goods := link.gtin;
    lot := COALESCE(link.lot, lot);
    serial := COALESCE(link.serial, serial);
  ELSE
    goods := gtin_try(listing_value(listing, field));
  END IF;
  IF goods IS NULL THEN
    RETURN QUERY SELECT 'missing', field, 'without a GTIN it is not known whether the goods have a passport', NULL::jsonb;
    RETURN;
  END IF;
  IF 'passport' = ANY (accept) THEN
    passport := passport_find(goods, lot, serial, at);
    faults := passport_fault(passport, at);
  END IF;
  IF faults = '{}' THEN
    RETURN QUERY SELECT 'pass', field, NULL::text, NULL::jsonb;
    RETURN;
  END IF;
  -- A passport that is not good is no better for codes beside it.
  IF passport IS NULL AND 'code' = ANY (accept) THEN
    SELECT count(*) INTO codes FROM code_batch b
    WHERE b.gtin = goods AND (lot IS NULL OR b.lot_code = lot) AND b.at <= rule_passport.at
      AND NOT EXISTS (SELECT FROM code_revocation r WHERE r.batch_id = b.batch_id AND r.since <= rule_passport.at
                        AND r.items @> int4range(1, b.codes, '[]'));
    IF codes > 0 THEN
      RETURN QUERY SELECT 'pass', field, NULL::text, NULL::jsonb;
      RETURN;
    END IF;
  END IF;
  RETURN QUERY SELECT 'violation', field,
    CASE WHEN passport IS NULL THEN format('GTIN %s%s has no %s', goods, ' lot ' || lot, array_to_string(accept, ' and no '))
         ELSE format('passport %s of GTIN %s is not valid: %s', passport, goods, array_to_string(faults, ', ')) END,
    jsonb_strip_nulls(jsonb_build_object('failed', CASE WHEN passport IS NULL THEN 'none' ELSE 'valid' END, 'gtin', goods::text, 'lot', lot,
      'passport_id', passport, 'faults', to_jsonb(faults), 'legal_basis', 'rule of the platform'));
END
$$;
COMMENT ON FUNCTION rule_passport(jsonb, jsonb, timestamptz) IS
  'Rule kind passport: goods have a passport whose signature, key and validity hold, or item codes that are not revoked, as the platform asks for it by its own rule';
