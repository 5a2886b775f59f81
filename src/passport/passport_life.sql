
-- passport: entering what a producer signed outside, and what happens to passports later

CREATE FUNCTION passport_lock(passport_id bigint, at timestamptz) RETURNS passport
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  p quality_gov.passport;
  last timestamptz;
BEGIN
  SELECT * INTO p FROM quality_gov.passport x WHERE x.passport_id = passport_lock.passport_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'passport % does not exist', passport_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT max(e.at) INTO last FROM quality_gov.passport_event e WHERE e.passport_id = passport_lock.passport_id;
  IF at IS NULL OR NOT isfinite(at) OR at < last THEN
    RAISE EXCEPTION 'passport % has events up to %, a later instant is needed', passport_id, last
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN p;
END
$$;
COMMENT ON FUNCTION passport_lock(bigint, timestamptz) IS
  'A passport, locked; P0002 where there is none, 22023 where something happened to it later than the instant';

CREATE FUNCTION passport_latest_require(p passport) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  latest quality_gov.passport := quality_gov.passport_latest(p.gtin, p.lot_code, p.serial);
BEGIN
  IF latest.passport_id <> p.passport_id THEN
    RAISE EXCEPTION 'passport % is version %, the latest is version %', p.passport_id, p.version, latest.version
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Give passport %s.', latest.passport_id);
  END IF;
END
$$;
COMMENT ON FUNCTION passport_latest_require(passport) IS 'Raises 55000 unless a passport is the latest version of its goods';

CREATE FUNCTION passport_event_add(passport_id bigint, kind text, reason text, at timestamptz, allowed text[]) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  p quality_gov.passport := quality_gov.passport_lock(passport_id, at);
  state text;
BEGIN
  PERFORM quality_gov.passport_word_require((SELECT k.merchant_id FROM quality_gov.passport_key k WHERE k.key_id = p.key_id), at);
  IF COALESCE(btrim(reason), '') = '' THEN
    RAISE EXCEPTION 'reason must not be empty' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT CASE e.kind WHEN 'reinstated' THEN 'good' ELSE e.kind END INTO state FROM quality_gov.passport_event e
  WHERE e.passport_id = passport_event_add.passport_id AND e.kind IN ('suspended', 'reinstated', 'revoked')
  ORDER BY e.event_id DESC LIMIT 1;
  IF NOT COALESCE(state, 'good') = ANY (allowed) THEN
    RAISE EXCEPTION 'passport % is %, it cannot be %', passport_id, CASE COALESCE(state, 'good') WHEN 'good' THEN 'not suspended' ELSE state END, kind
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  INSERT INTO quality_gov.passport_event (passport_id, kind, at, reason) VALUES (passport_id, kind, at, reason);
  PERFORM quality_gov.ledger_record('passport', 'passport ' || passport_id,
    jsonb_build_object('action', kind, 'at', at, 'reason', reason));
END
$$;
COMMENT ON FUNCTION passport_event_add(bigint, text, text, timestamptz, text[]) IS
  'Records what happened to a passport, from the states allowed; passport_revoke(), passport_suspend() and passport_reinstate() call it';

CREATE FUNCTION passport_revoke(passport_id bigint, reason text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$ SELECT quality_gov.passport_event_add(passport_id, 'revoked', reason, at, '{good,suspended}') $$;
COMMENT ON FUNCTION passport_revoke(bigint, text, timestamptz) IS
  'Takes a passport back for good, from an instant on; a new version may follow; for administrators and the merchant of its key';

CREATE FUNCTION passport_suspend(passport_id bigint, reason text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$ SELECT quality_gov.passport_event_add(passport_id, 'suspended', reason, at, '{good}') $$;
COMMENT ON FUNCTION passport_suspend(bigint, text, timestamptz) IS
  'Suspends a passport from an instant on, until passport_reinstate(); for administrators and the merchant of its key';

CREATE FUNCTION passport_reinstate(passport_id bigint, reason text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$ SELECT quality_gov.passport_event_add(passport_id, 'reinstated', reason, at, '{suspended}') $$;
COMMENT ON FUNCTION passport_reinstate(bigint, text, timestamptz) IS
  'Ends the suspension of a passport; for administrators and the merchant of its key';

CREATE FUNCTION passport_lot_assign(gtin gtin, lot_code text, version integer, reason text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM FROM quality_gov.passport p
  WHERE p.gtin = passport_lot_assign.gtin AND p.lot_code IS NULL AND p.serial IS NULL AND p.version = passport_lot_assign.version
  FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'GTIN % has no passport of the model of version %', gtin, version USING ERRCODE = 'no_data_found';
  END IF;
  INSERT INTO quality_gov.passport_lot (gtin, lot_code, version, at, reason) VALUES (gtin, lot_code, version, at, reason);
  PERFORM quality_gov.ledger_record('passport_lot', format('GTIN %s lot %s', gtin, lot_code),
    jsonb_build_object('version', version, 'at', at, 'reason', reason));
END
$$;
COMMENT ON FUNCTION passport_lot_assign(gtin, text, integer, text, timestamptz) IS
  'Says which version of the model''s passport shipped under a lot: a scan of that lot shows it, whatever version came later; the latest assignment counts';

CREATE FUNCTION passport_instant_read(written text) RETURNS timestamptz
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF written !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$' THEN
    RAISE EXCEPTION '"%" is not an instant', left(written, 100) USING ERRCODE = 'invalid_datetime_format',
      HINT = 'Write it as in 2026-01-31T12:00:00Z.';
  END IF;
  RETURN written::timestamptz;
END
$$;
COMMENT ON FUNCTION passport_instant_read(text) IS 'The instant that a document writes, with its offset (XSD dateTimeStamp); 22007 where it is none';

CREATE FUNCTION passport_disclosures(disclosures jsonb, OUT field text, OUT salt text, OUT value jsonb, OUT audience text)
  RETURNS SETOF record
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF jsonb_typeof(disclosures) IS DISTINCT FROM 'array' OR jsonb_path_exists(disclosures,
       '$[*] ? (!(@.field.type() == "string" && @.salt.type() == "string" && exists(@.value)))') THEN
    RAISE EXCEPTION 'disclosures must be an array of objects with "salt", "field" and "value"'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF jsonb_path_exists(disclosures, '$[*].audience ? (@ != "authorised" && @ != "regulator")') THEN
    RAISE EXCEPTION 'audience of a disclosure must be authorised or regulator' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY SELECT d ->> 'field', d ->> 'salt', d -> 'value', d ->> 'audience' FROM jsonb_array_elements(disclosures) d;
END
$$;
COMMENT ON FUNCTION passport_disclosures(jsonb) IS
  'Disclosures as rows: [{"salt", "field", "value", "audience"}], audience optional; 22023 where they are none';
