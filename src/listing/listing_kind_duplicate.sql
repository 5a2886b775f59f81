
-- listing: goods that were taken down, and rule kind duplicate

CREATE TABLE listing_taken_down (
  merchant_id text NOT NULL,
  takedown_id bigint GENERATED ALWAYS AS IDENTITY,
  relation text NOT NULL,
  listing_id text NOT NULL,
  fingerprint bigint NOT NULL,
  reason text NOT NULL,
  legal_basis text,
  effect tstzrange NOT NULL,
  CONSTRAINT listing_taken_down_pkey PRIMARY KEY (merchant_id, takedown_id)
);
-- Of four parts of 16 bits, fingerprints that differ in three bits or fewer share at least one.
CREATE INDEX listing_taken_down_band1 ON listing_taken_down ((fingerprint & 65535));
CREATE INDEX listing_taken_down_band2 ON listing_taken_down ((fingerprint >> 16 & 65535));
CREATE INDEX listing_taken_down_band3 ON listing_taken_down ((fingerprint >> 32 & 65535));
CREATE INDEX listing_taken_down_band4 ON listing_taken_down ((fingerprint >> 48 & 65535));
COMMENT ON TABLE listing_taken_down IS
  'Listings that were taken down, by the fingerprint of their text: why, and from when to when they must not come back; listing_take_down() writes it';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_taken_down', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_taken_down_takedown_id_seq', '');
ALTER TABLE listing_taken_down ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_taken_down_read ON listing_taken_down FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION listing_take_down(relation text, merchant_id text, listing_id text, body text, reason text,
    legal_basis text DEFAULT NULL, at timestamptz DEFAULT now(), until timestamptz DEFAULT 'infinity') RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken bigint;
BEGIN
  IF relation IS NULL OR merchant_id IS NULL OR listing_id IS NULL OR reason IS NULL THEN
    RAISE EXCEPTION 'relation, merchant_id, listing_id and reason must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF text_fingerprint(body) IS NULL THEN
    RAISE EXCEPTION 'the text of a listing that is taken down must say something' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give title and description, as the rule of kind duplicate reads them.';
  END IF;
  IF at IS NULL OR NOT isfinite(at) OR until IS NULL OR until <= at THEN
    RAISE EXCEPTION 'a listing is taken down at a finite instant, and must not return before it'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.listing_taken_down (merchant_id, relation, listing_id, fingerprint, reason, legal_basis, effect)
  VALUES (merchant_id, relation, listing_id, text_fingerprint(body), reason, legal_basis, tstzrange(at, nullif(until, 'infinity')))
  RETURNING takedown_id INTO taken;
  PERFORM quality_gov.ledger_record('listing_take_down', listing_id, jsonb_build_object('takedown_id', taken,
    'merchant_id', merchant_id, 'relation', relation, 'reason', reason, 'legal_basis', legal_basis, 'at', at));
  RETURN taken;
END
$$;
COMMENT ON FUNCTION listing_take_down(text, text, text, text, text, text, timestamptz, timestamptz) IS
  'Remembers a listing that was taken down, so that rules of kind duplicate find it when it comes back; body is the text those rules read, one field after the other; gives its number';

CREATE FUNCTION listing_take_down_end(merchant_id text, takedown_id bigint, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  UPDATE quality_gov.listing_taken_down t SET effect = t.effect * tstzrange(NULL, listing_take_down_end.at)
  WHERE t.merchant_id = listing_take_down_end.merchant_id AND t.takedown_id = listing_take_down_end.takedown_id
    AND t.effect @> listing_take_down_end.at;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nothing of merchant "%" is taken down under number %', merchant_id, takedown_id
      USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM quality_gov.ledger_record('listing_take_down', merchant_id, jsonb_build_object('takedown_id', takedown_id, 'ended', at));
END
$$;
COMMENT ON FUNCTION listing_take_down_end(text, bigint, timestamptz) IS 'Lets goods that were taken down come back';

CREATE FUNCTION rule_duplicate_params_valid(params jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := params_check(params, '{"fields": "texts", "distance": "number?", "scope": "text?"}');
BEGIN
  IF wanted IS NULL AND (params ->> 'distance')::numeric NOT IN (0, 1, 2, 3) THEN
    wanted := '"distance" from 0 to 3';
  ELSIF wanted IS NULL AND params ->> 'scope' NOT IN ('merchant', 'platform') THEN
    wanted := '"scope" to be merchant or platform';
  END IF;
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION rule_duplicate_params_valid(jsonb) IS
  'What is wanted of params of kind duplicate: {"fields", and optionally "distance" (0 to 3 bits, 3), "scope" (merchant or platform, merchant)}; null where all is well';

CREATE FUNCTION rule_duplicate(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  names text[] := params_texts(params -> 'fields');
  print bigint;
  near integer := COALESCE((params ->> 'distance')::numeric, 3);
BEGIN
  SELECT text_fingerprint(string_agg(listing_value(listing, u.name), ' ' ORDER BY u.n)) INTO print
  FROM unnest(names) WITH ORDINALITY AS u(name, n);
  IF print IS NULL THEN
    RETURN QUERY SELECT 'missing', names[1], 'there is no text to compare', NULL::jsonb;
    RETURN;
  END IF;
  RETURN QUERY
  -- Findings are the merchant's to read, and what another merchant did is not; whoever reviews looks up takedown_id.
  SELECT 'violation', names[1],
         CASE WHEN own.is THEN format('resembles listing "%s", taken down: %s', t.listing_id, t.reason)
              ELSE 'resembles goods of another merchant that were taken down' END,
         jsonb_strip_nulls(jsonb_build_object('takedown_id', t.takedown_id,
           'merchant_id', CASE WHEN own.is THEN t.merchant_id END, 'listing_id', CASE WHEN own.is THEN t.listing_id END,
           'since', CASE WHEN own.is THEN lower(t.effect) AT TIME ZONE 'Asia/Shanghai' END,
           'distance', fingerprint_distance(t.fingerprint, print), 'legal_basis', t.legal_basis))
  FROM listing_taken_down t
  CROSS JOIN LATERAL (SELECT COALESCE(t.merchant_id = listing_value(listing, 'merchant_id'), false) AS is) own
  WHERE ((t.fingerprint & 65535) = (print & 65535) OR (t.fingerprint >> 16 & 65535) = (print >> 16 & 65535)
         OR (t.fingerprint >> 32 & 65535) = (print >> 32 & 65535) OR (t.fingerprint >> 48 & 65535) = (print >> 48 & 65535))
    AND fingerprint_distance(t.fingerprint, print) <= near AND t.effect @> at
    AND (params @> '{"scope": "platform"}' OR own.is)
    AND (t.merchant_id, t.relation, t.listing_id) IS DISTINCT FROM
        (listing_value(listing, 'merchant_id'), listing ->> 'relation', listing_value(listing, 'listing_id'))
  ORDER BY fingerprint_distance(t.fingerprint, print), t.merchant_id, t.takedown_id LIMIT 3;
END
$$;
COMMENT ON FUNCTION rule_duplicate(jsonb, jsonb, timestamptz) IS
  'Rule kind duplicate: the text resembles that of another listing that was taken down, to within 3 of 64 bits of their fingerprints; of another merchant''s nothing but the number is told';
