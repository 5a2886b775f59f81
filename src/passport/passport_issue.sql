
-- passport: signing by the key file of this machine

CREATE FUNCTION passport_goods_allow(key_id text, gtin gtin, at timestamptz) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.passport_key_goods g WHERE g.key_id = passport_goods_allow.key_id AND g.valid @> at
                   AND quality_gov.passport_goods_match(g.goods, passport_goods_allow.gtin)) THEN
    RAISE EXCEPTION 'key "%" does not sign for GTIN %', key_id, gtin USING ERRCODE = 'QG502',
      HINT = 'An administrator adds goods by quality_gov.passport_key_goods_set().';
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION passport_goods_allow(text, gtin, timestamptz) IS 'True, or QG502 where a key does not sign for goods at an instant';

CREATE FUNCTION passport_period(since timestamptz, until timestamptz) RETURNS tstzrange
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF since IS NULL OR NOT isfinite(since) OR until <= since OR NOT isfinite(COALESCE(until, since)) THEN
    RAISE EXCEPTION 'a passport cannot be valid from % until %', since, until USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN tstzrange(since, until);
END
$$;
COMMENT ON FUNCTION passport_period(timestamptz, timestamptz) IS 'The period of a passport; 22023 where it is none';

CREATE FUNCTION passport_enter(entries passport[], secrets passport_claim[], supersedes bigint, reason text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken record;
BEGIN
  BEGIN
    INSERT INTO quality_gov.passport OVERRIDING SYSTEM VALUE SELECT * FROM unnest(entries);
  EXCEPTION WHEN unique_violation THEN
    FOR taken IN SELECT e.gtin, e.lot_code, e.serial, e.version, l.passport_id AS id FROM unnest(entries) e
                 CROSS JOIN LATERAL quality_gov.passport_latest(e.gtin, e.lot_code, e.serial) l WHERE l.version >= e.version
    LOOP
      RAISE EXCEPTION 'GTIN %', concat_ws(' ', taken.gtin, 'lot ' || taken.lot_code, 'serial ' || taken.serial)
          || format(' has passport %s already', taken.id)
        USING ERRCODE = 'unique_violation', HINT = 'quality_gov.passport_version() makes its next version.';
    END LOOP;
    -- Two goods of one call, or a version that this transaction's snapshot does not show.
    RAISE EXCEPTION '%', CASE WHEN cardinality(entries) > 1 THEN 'two passports of one version would be made for the same goods'
                              ELSE 'another session has just made this version of the passport' END
      USING ERRCODE = CASE WHEN cardinality(entries) > 1 THEN 'unique_violation' ELSE 'serialization_failure' END;
  END;
  IF cardinality(secrets) > 0 THEN
    INSERT INTO quality_gov.passport_claim SELECT * FROM unnest(secrets);
  END IF;
  INSERT INTO quality_gov.passport_event (passport_id, kind, at, reason)
  SELECT e.passport_id, 'issued', e.recorded_at, passport_enter.reason FROM unnest(entries) e;
  IF supersedes IS NOT NULL THEN
    INSERT INTO quality_gov.passport_event (passport_id, kind, at, reason)
    SELECT supersedes, 'superseded', e.recorded_at, passport_enter.reason FROM unnest(entries) e;
  END IF;
  PERFORM quality_gov.ledger_record_all('passport', array_agg('passport ' || e.passport_id), array_agg(jsonb_build_object(
    'action', 'issued', 'gtin', e.gtin, 'lot', e.lot_code, 'serial', e.serial, 'version', e.version, 'key_id', e.key_id,
    'at', e.recorded_at, 'proof', e.credential #> '{proof,proofValue}', 'supersedes', supersedes, 'reason', passport_enter.reason)))
  FROM unnest(entries) e;
END
$$;
COMMENT ON FUNCTION passport_enter(passport[], passport_claim[], bigint, text) IS
  'Stores passports with their hidden claims, events and entries in the ledger; passport_add(), passport_issue_all() and passport_version() call it; 23505 where goods have a passport';

CREATE FUNCTION passport_signing_key(key_id text, at timestamptz) RETURNS passport_key
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  mine text[];
BEGIN
  IF key_id IS NULL THEN
    SELECT array_agg(k.key_id ORDER BY k.key_id) INTO mine
    FROM quality_gov.passport_signer() s JOIN quality_gov.passport_key k USING (algorithm, public_key);
    IF cardinality(mine) IS DISTINCT FROM 1 THEN
      RAISE EXCEPTION '% are of the key file that "quality_gov.passport_key_file" names',
          CASE WHEN mine IS NULL THEN 'no registered keys' ELSE format('keys %s', array_to_string(mine, ', ')) END
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = CASE WHEN mine IS NULL
          THEN 'Register the public key that quality_gov.passport_signer() shows by quality_gov.passport_key_add().'
          ELSE 'Say which by key_id.' END;
    END IF;
    key_id := mine[1];
  END IF;
  RETURN quality_gov.passport_key_require(key_id, date_trunc('second', at), at);
END
$$;
COMMENT ON FUNCTION passport_signing_key(text, timestamptz) IS
  'The key to sign by: the one named, else the registered one of the key file; kept from change until the transaction ends';

CREATE FUNCTION passport_issue_batch(k passport_key, passports jsonb[], version integer, supersedes bigint, at timestamptz,
                                     resolver text, reason text) RETURNS bigint[]
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  created timestamptz := date_trunc('second', at);
  proof jsonb := quality_gov.passport_proof(k.key_id, k.algorithm, created);
  goods text[] := ARRAY(SELECT g.goods FROM quality_gov.passport_key_goods g WHERE g.key_id = k.key_id AND g.valid @> created);
  entries quality_gov.passport[];
  secrets quality_gov.passport_claim[];
BEGIN
  PERFORM quality_gov.passport_resolver_require(resolver);
  WITH input AS MATERIALIZED (
    SELECT u.n, nextval('quality_gov.passport_passport_id_seq') AS id, (u.x ->> 'gtin')::quality_gov.gtin AS gtin,
           u.x ->> 'lot' AS lot, u.x ->> 'serial' AS serial, u.x ->> 'category' AS category, u.x -> 'claims' AS claims,
           date_trunc('second', COALESCE((u.x ->> 'valid_from')::timestamptz, at)) AS since,
           date_trunc('second', (u.x ->> 'valid_until')::timestamptz) AS until
    FROM unnest(passports) WITH ORDINALITY u(x, n)),
  kinds AS MATERIALIZED (
    SELECT c.category, quality_gov.passport_claims_path(c.category, at) AS path, f.hidden, f.audience
    FROM (SELECT DISTINCT i.category FROM input i) c
    CROSS JOIN LATERAL (
      SELECT array_agg(x.field) AS hidden, jsonb_object_agg(x.field, x.audience) AS audience
      FROM (SELECT s.field, max(s.audience) AS audience FROM quality_gov.passport_fields(c.category, at) s
            WHERE s.audience <> 'public' GROUP BY s.field) x) f),
  checked AS MATERIALIZED (
    SELECT i.*, t.hidden, t.audience, CASE WHEN i.until > i.since OR i.until IS NULL THEN tstzrange(i.since, i.until)
                                 ELSE quality_gov.passport_period(i.since, i.until) END AS valid
    FROM input i JOIN kinds t ON t.category IS NOT DISTINCT FROM i.category
    WHERE CASE WHEN i.claims @@ t.path THEN true ELSE quality_gov.passport_claims_require(i.category, i.claims, at) END
      AND CASE WHEN EXISTS (SELECT FROM unnest(goods) g WHERE quality_gov.passport_goods_match(g, i.gtin))
               THEN true ELSE quality_gov.passport_goods_allow(k.key_id, i.gtin, created) END),
  documents AS MATERIALIZED (
    SELECT c.*, h.secrets, quality_gov.passport_document(
             quality_gov.digital_link(c.gtin, c.lot, c.serial, resolver), c.gtin::text, c.lot, c.serial, version, c.category, k.issuer,
             CASE WHEN h.secrets IS NULL THEN c.claims ELSE c.claims - c.hidden END, h.digests, c.since, c.until) AS document
    FROM checked c
    LEFT JOIN LATERAL (
      SELECT array_agg(ROW(c.id, s.key, c.audience ->> s.key, s.salt, s.value)::quality_gov.passport_claim) AS secrets,
             array_agg(quality_gov.passport_digest(k.algorithm, s.salt, s.key, s.value) ORDER BY s.salt) AS digests
      FROM (SELECT e.key, e.value, replace(gen_random_uuid()::text, '-', '') AS salt
            FROM jsonb_each(c.claims) e WHERE e.key = ANY (c.hidden)) s) h ON c.claims ?| c.hidden)
  SELECT array_agg(ROW(d.id, d.gtin, CASE WHEN d.serial IS NOT NULL THEN 'item' WHEN d.lot IS NOT NULL THEN 'batch' ELSE 'model' END,
                       d.lot, d.serial, version, d.category, k.key_id, created, d.valid,
                       d.document || jsonb_build_object('proof', proof || jsonb_build_object('proofValue',
                         quality_gov.passport_sign(d.document, proof, k.algorithm, k.public_key))), at)::quality_gov.passport ORDER BY d.n),
         (SELECT array_agg(s) FROM documents x CROSS JOIN LATERAL unnest(x.secrets) s)
  INTO entries, secrets FROM documents d;
  PERFORM quality_gov.passport_enter(entries, secrets, supersedes, reason);
  RETURN ARRAY(SELECT e.passport_id FROM unnest(entries) e);
END
$$;
COMMENT ON FUNCTION passport_issue_batch(passport_key, jsonb[], integer, bigint, timestamptz, text, text) IS
  'Checks, writes, signs and stores passports of one version; passport_issue_all() and passport_version() call it';

CREATE FUNCTION passport_issue_all(passports jsonb[], key_id text DEFAULT NULL, at timestamptz DEFAULT now(),
    resolver text DEFAULT 'https://id.gs1.org') RETURNS SETOF bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  size CONSTANT integer := 1000;
  k quality_gov.passport_key;
  wrong jsonb;
BEGIN
  SELECT x INTO wrong FROM unnest(passports) x
  WHERE x IS NULL OR jsonb_typeof(x) <> 'object' OR x ->> 'gtin' IS NULL
     OR x - '{gtin,lot,serial,category,claims,valid_from,valid_until}'::text[] <> '{}' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'passport to issue must have "gtin", and of "lot", "serial", "category", "claims", "valid_from" and "valid_until" what applies'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', left(COALESCE(wrong::text, 'null'), 200));
  END IF;
  k := quality_gov.passport_signing_key(key_id, at);
  FOR i IN 0 .. (COALESCE(cardinality(passports), 0) - 1) / size LOOP
    EXIT WHEN COALESCE(cardinality(passports), 0) = 0;
    RETURN QUERY SELECT unnest(quality_gov.passport_issue_batch(k, passports[i * size + 1 : (i + 1) * size], 1, NULL, at, resolver, NULL));
  END LOOP;
END
$$;
COMMENT ON FUNCTION passport_issue_all(jsonb[], text, timestamptz, text) IS
  'Issues first versions of many passports, signed by quality_gov.passport_key_file: [{"gtin", "lot", "serial", "category", "claims", "valid_from", "valid_until"}]; gives their ids in that order; errors as passport_issue()';

CREATE FUNCTION passport_issue(gtin gtin, lot text, serial text, claims jsonb, category text DEFAULT NULL,
    valid_from timestamptz DEFAULT NULL, valid_until timestamptz DEFAULT NULL, key_id text DEFAULT NULL,
    at timestamptz DEFAULT now(), resolver text DEFAULT 'https://id.gs1.org') RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT quality_gov.passport_issue_all(ARRAY[jsonb_build_object('gtin', gtin, 'lot', lot, 'serial', serial, 'category', category,
    'claims', claims, 'valid_from', valid_from, 'valid_until', valid_until)], key_id, at, resolver)
$$;
COMMENT ON FUNCTION passport_issue(gtin, text, text, jsonb, text, timestamptz, timestamptz, text, timestamptz, text) IS
  'Issues the first version of a passport, at level model (no lot, no serial), batch (lot) or item (serial), signed by quality_gov.passport_key_file, and gives its id; 23514 where a claim that the category needs is missing or of another type, QG502 where the key may not sign, 23505 where the goods have a passport';

CREATE FUNCTION passport_version(passport_id bigint, claims jsonb, reason text, valid_from timestamptz DEFAULT NULL,
    valid_until timestamptz DEFAULT NULL, key_id text DEFAULT NULL, at timestamptz DEFAULT now(),
    resolver text DEFAULT 'https://id.gs1.org') RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  -- The key before the passport, as passport_add() takes them.
  k quality_gov.passport_key := quality_gov.passport_signing_key(key_id, at);
  p quality_gov.passport := quality_gov.passport_lock(passport_id, at);
BEGIN
  PERFORM quality_gov.passport_latest_require(p);
  RETURN (quality_gov.passport_issue_batch(k, ARRAY[jsonb_build_object(
    'gtin', p.gtin, 'lot', p.lot_code, 'serial', p.serial, 'category', p.category, 'claims', claims, 'valid_from', valid_from,
    'valid_until', valid_until)], p.version + 1, p.passport_id, at, resolver, reason))[1];
END
$$;
COMMENT ON FUNCTION passport_version(bigint, jsonb, text, timestamptz, timestamptz, text, timestamptz, text) IS
  'Issues the next version of a passport, which takes its place, and gives its id; of two sessions one waits, and is told that it would version what is not the latest any more (55000)';
