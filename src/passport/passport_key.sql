
-- passport: registering, limiting and revoking keys

CREATE FUNCTION passport_goods_require(goods text[]) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong text;
BEGIN
  SELECT COALESCE(g, 'null') INTO wrong FROM unnest(goods) g
  WHERE g IS NULL OR g !~ '^([0-9]{4,12}|[0-9]{14})$' OR g ~ '^0{5}.{0,7}$'
     OR length(g) = 14 AND NOT quality_gov.gs1_is_valid(g, 14) LIMIT 1;
  IF COALESCE(cardinality(goods), 0) = 0 OR wrong IS NOT NULL THEN
    RAISE EXCEPTION 'goods "%" are neither a GS1 company prefix of 4 to 12 digits nor a GTIN of 14', COALESCE(wrong, '{}')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {6901234} or {06901234567892}.';
  END IF;
END
$$;
COMMENT ON FUNCTION passport_goods_require(text[]) IS
  'Raises 22023 unless goods are company prefixes or GTINs of 14 digits with the right check digit, at least one';

CREATE FUNCTION passport_key_add(key_id text, issuer text, name text, algorithm text, public_key text, goods text[],
    valid tstzrange DEFAULT NULL, uscc uscc DEFAULT NULL, merchant_id text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  k quality_gov.passport_key;
BEGIN
  IF algorithm IS NULL OR public_key IS NULL THEN
    RAISE EXCEPTION 'algorithm and public_key must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF issuer IS NULL OR issuer !~ '^[a-z][a-z0-9+.-]*:[!-~]+$' THEN
    RAISE EXCEPTION 'issuer "%" is no DID or URL', issuer USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example did:web:works.example or https://works.example/issuer.';
  END IF;
  IF isempty(valid) THEN
    RAISE EXCEPTION 'period of a key must not be empty' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT COALESCE(starts_with(key_id, issuer || '#'), false) THEN
    RAISE EXCEPTION 'key_id "%" is not a verification method of issuer "%"', key_id, issuer
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the issuer''s DID or URL, # and a name of the key.';
  END IF;
  IF merchant_id IS NOT NULL THEN
    PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = passport_key_add.merchant_id FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
    END IF;
  END IF;
  INSERT INTO quality_gov.passport_key (key_id, issuer, name, uscc, merchant_id, algorithm, public_key, valid)
  VALUES (key_id, issuer, name, uscc, merchant_id, algorithm, quality_gov.public_key_read(algorithm, public_key),
          COALESCE(valid, tstzrange(now(), NULL)))
  RETURNING * INTO k;
  PERFORM quality_gov.ledger_record('passport_key', k.key_id, jsonb_build_object('action', 'added', 'name', k.name, 'uscc', k.uscc,
    'merchant_id', k.merchant_id, 'algorithm', k.algorithm, 'public_key', encode(k.public_key, 'hex'), 'valid', k.valid));
  PERFORM quality_gov.passport_key_goods_set(k.key_id, goods);
END
$$;
COMMENT ON FUNCTION passport_key_add(text, text, text, text, text, text[], tstzrange, uscc, text) IS
  'Registers a public key: verification method, issuer, name, Ed25519 or SM2, the key as public_key_read() takes it, the goods it signs for (company prefixes, GTINs), period (null: from now on), whose it is; 22023 says what is wrong with a key, 23505 where key_id is taken';

CREATE FUNCTION passport_key_goods_set(key_id text, goods text[], valid tstzrange DEFAULT '(,)') RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.passport_goods_require(goods);
  -- A write, not only a lock: who is about to sign by what held before must wait or fail.
  UPDATE quality_gov.passport_key k SET name = k.name WHERE k.key_id = passport_key_goods_set.key_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'key "%" does not exist', key_id USING ERRCODE = 'no_data_found';
  END IF;
  INSERT INTO quality_gov.passport_key_goods SELECT DISTINCT passport_key_goods_set.key_id, g, passport_key_goods_set.valid
  FROM unnest(goods) g
  ON CONFLICT ON CONSTRAINT passport_key_goods_pkey DO UPDATE SET valid = EXCLUDED.valid;
  PERFORM quality_gov.ledger_record('passport_key', key_id,
    jsonb_build_object('action', 'goods', 'goods', goods, 'valid', passport_key_goods_set.valid));
END
$$;
COMMENT ON FUNCTION passport_key_goods_set(text, text[], tstzrange) IS
  'Lets a key sign for goods (GS1 company prefixes of 4 to 12 digits, GTINs of 14) in a period, or changes the period of those it has';

CREATE FUNCTION passport_word_require(merchant_id text, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin}');
  -- What was known at an instant that has passed, and answered then, must not depend on its word.
  IF at < now() AND NOT quality_gov.session_acts_for(NULL, '{quality_gov_admin}') THEN
    RAISE EXCEPTION 'permission denied to date back what is said of keys and passports' USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$$;
COMMENT ON FUNCTION passport_word_require(text, timestamptz) IS
  'Raises 42501 unless the session is an administrator''s, or a merchant''s own that says what holds from now on';

CREATE FUNCTION passport_key_end(key_id text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  k quality_gov.passport_key;
BEGIN
  SELECT * INTO k FROM quality_gov.passport_key x WHERE x.key_id = passport_key_end.key_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'key "%" does not exist', key_id USING ERRCODE = 'no_data_found';
  END IF;
  PERFORM quality_gov.passport_word_require(k.merchant_id, at);
  IF at IS NULL OR NOT isfinite(at) OR at <= lower(k.valid) THEN
    RAISE EXCEPTION 'key "%" cannot end at %, it is valid in %', key_id, at, k.valid USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE quality_gov.passport_key x SET valid = x.valid * tstzrange(NULL, at) WHERE x.key_id = passport_key_end.key_id;
  PERFORM quality_gov.ledger_record('passport_key', key_id, jsonb_build_object('action', 'ended', 'at', at));
END
$$;
COMMENT ON FUNCTION passport_key_end(text, timestamptz) IS
  'Lets a key sign nothing from an instant on; what it signed before stays good (where it came into other hands: passport_key_revoke()); merchants end and revoke their own from now on or later, not back (42501)';

CREATE FUNCTION passport_key_revoke(key_id text, reason text, untrusted_from timestamptz DEFAULT NULL,
                                    at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  k quality_gov.passport_key;
  affected bigint;
BEGIN
  UPDATE quality_gov.passport_key x SET name = x.name WHERE x.key_id = passport_key_revoke.key_id RETURNING * INTO k;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'key "%" does not exist', key_id USING ERRCODE = 'no_data_found';
  END IF;
  PERFORM quality_gov.passport_word_require(k.merchant_id, at);
  IF untrusted_from > at THEN
    RAISE EXCEPTION 'a key revoked at % cannot be trusted until %', at, untrusted_from USING ERRCODE = 'invalid_parameter_value',
      HINT = 'passport_key_end() lets a key end later.';
  END IF;
  IF COALESCE(btrim(reason), '') = '' THEN
    RAISE EXCEPTION 'reason must not be empty' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.passport_key_revocation (key_id, at, untrusted_from, reason)
  VALUES (key_id, at, COALESCE(untrusted_from, at), reason);
  SELECT count(*) INTO affected FROM quality_gov.passport p
  WHERE p.key_id = passport_key_revoke.key_id
    AND greatest(p.issued_at, p.recorded_at) >= COALESCE(passport_key_revoke.untrusted_from, at);
  PERFORM quality_gov.ledger_record('passport_key', key_id, jsonb_build_object('action', 'revoked', 'at', at,
    'untrusted_from', COALESCE(untrusted_from, at), 'reason', reason, 'passports', affected));
END
$$;
COMMENT ON FUNCTION passport_key_revoke(text, text, timestamptz, timestamptz) IS
  'Revokes a key from an instant on, and takes back trust in what was signed or entered since untrusted_from (null: since that instant; -infinity: ever); waits for those who are issuing by it';

CREATE FUNCTION passport_key_require(key_id text, signed timestamptz, entered timestamptz) RETURNS passport_key
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  k quality_gov.passport_key;
  revoked quality_gov.passport_key_revocation;
  used timestamptz;
BEGIN
  SELECT * INTO k FROM quality_gov.passport_key x WHERE x.key_id = passport_key_require.key_id FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'key "%" does not exist', key_id USING ERRCODE = 'no_data_found',
      HINT = 'An administrator registers keys by quality_gov.passport_key_add().';
  END IF;
  -- A new statement, which sees what the one that held the row wrote.
  SELECT * INTO revoked FROM quality_gov.passport_key_revocation r
  WHERE r.key_id = passport_key_require.key_id AND r.untrusted_from <= greatest(signed, entered)
  ORDER BY r.untrusted_from LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'key "%" is revoked, nothing it signed since % is trusted', key_id, revoked.untrusted_from
      USING ERRCODE = 'QG502', DETAIL = revoked.reason;
  END IF;
  -- When it signed is its holder's word: after its end nothing comes in, whatever date that bears.
  used := CASE WHEN k.valid @> signed THEN entered ELSE signed END;
  IF NOT k.valid @> used THEN
    RAISE EXCEPTION 'key "%" % at %', key_id,
      CASE WHEN upper(k.valid) <= used THEN 'has expired' ELSE 'is not yet valid' END, used
      USING ERRCODE = 'QG502', DETAIL = format('It is valid in %s.', k.valid);
  END IF;
  RETURN k;
END
$$;
COMMENT ON FUNCTION passport_key_require(text, timestamptz, timestamptz) IS
  'The key, kept from change until the transaction ends; P0002 where there is none, QG502 where it is revoked, expired or not yet valid, when it signed or when that is entered';
