
-- passport: quality-safety codes (质量安全赋码) of single items, assigned by the producer or made here under a key

CREATE TABLE code_batch (
  batch_id bigint GENERATED ALWAYS AS IDENTITY,
  gtin gtin NOT NULL,
  lot_code text NOT NULL,
  kind text NOT NULL,
  codes integer NOT NULL,
  key_id text NOT NULL,
  merchant_id text,
  at timestamptz NOT NULL,
  role text NOT NULL,
  CONSTRAINT code_batch_pkey PRIMARY KEY (batch_id),
  CONSTRAINT code_batch_kind CHECK (kind IN ('issued', 'registered')),
  CONSTRAINT code_batch_codes CHECK (codes BETWEEN 1 AND 1048575),
  CONSTRAINT code_batch_at CHECK (isfinite(at))
);
CREATE INDEX code_batch_goods ON code_batch (gtin, lot_code, batch_id);
COMMENT ON TABLE code_batch IS
  'Batches of item codes of a lot, append-only: issued here or registered by the producer, how many, the id of the key (never the key), the merchant that sells the lot, since when, by which role';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.code_batch', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.code_batch_batch_id_seq', '');
CREATE TRIGGER code_batch_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON code_batch
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE code_registered (
  digest bytea NOT NULL,
  batch_id bigint NOT NULL,
  CONSTRAINT code_registered_pkey PRIMARY KEY (digest),
  CONSTRAINT code_registered_digest CHECK (octet_length(digest) = 16)
);
CREATE INDEX code_registered_batch ON code_registered (batch_id);
COMMENT ON TABLE code_registered IS
  'Codes that a producer assigned, as keyed digests: the first 128 bits of HMAC-SHA256 of GTIN and code under the batch''s key; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.code_registered', '');
CREATE TRIGGER code_registered_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON code_registered
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE code_revocation (
  batch_id bigint NOT NULL,
  revocation_id bigint GENERATED ALWAYS AS IDENTITY,
  items int4range NOT NULL,
  since timestamptz NOT NULL,
  reason text NOT NULL,
  CONSTRAINT code_revocation_pkey PRIMARY KEY (batch_id, revocation_id),
  CONSTRAINT code_revocation_items CHECK (NOT isempty(items)),
  CONSTRAINT code_revocation_since CHECK (isfinite(since)),
  CONSTRAINT code_revocation_reason CHECK (reason <> '')
);
COMMENT ON TABLE code_revocation IS
  'Codes that count no more since an instant, such as a roll of labels that was stolen: items of a batch by number; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.code_revocation', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.code_revocation_revocation_id_seq', '');
CREATE TRIGGER code_revocation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON code_revocation
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What knows the key, in C.
CREATE FUNCTION code_key() RETURNS text
  AS 'MODULE_PATHNAME', 'qg_code_key' LANGUAGE c STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION code_key() IS
  'Id of the key of new codes: the first line of the file that quality_gov.code_key_file names';
CREATE FUNCTION code_write(gtin gtin, lot_code text, batch_id bigint, key_id text, items integer, OUT item integer, OUT code text)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_code_write' LANGUAGE c STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION code_write(gtin, text, bigint, text, integer) IS
  'Codes of the items of a batch in order: 20 characters of Crockford''s base 32, 80 bits of HMAC-SHA256 over batch, GTIN, item and lot, and the item''s number hidden under the key';
CREATE FUNCTION code_read(code text, gtin gtin, lot_code text, batch_id bigint, key_id text) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_code_read' LANGUAGE c STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION code_read(text, gtin, text, bigint, text) IS
  'Number of the item of a batch whose code this is, null where it is none, -1 where the key is not there; compares in constant time';
CREATE FUNCTION code_digest(key_id text, purpose integer, value text) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_code_digest' LANGUAGE c STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION code_digest(text, integer, text) IS
  '128 bits of HMAC-SHA256 of a value under a key of the codes for a purpose (3 registered codes, 4 scanners); null where the key is not there';

CREATE FUNCTION code_short(batch_id bigint, code text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  rest bigint := batch_id;
  number text := '';
BEGIN
  LOOP
    number := substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + (rest & 31)::integer, 1) || number;
    rest := rest >> 5;
    EXIT WHEN rest = 0;
  END LOOP;
  RETURN number || regexp_replace(code, '(.{4})', '-\1', 'g');
END
$$;
COMMENT ON FUNCTION code_short(bigint, text) IS
  'A code to be typed by hand, without a link: the number of the batch in base 32, then the code in fours, with hyphens';

CREATE FUNCTION code_short_read(short_form text, OUT batch_id bigint, OUT code text)
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  plain text;
  number text;
BEGIN
  IF length(short_form) BETWEEN 21 AND 60 AND short_form ~ '^[0-9A-Za-z -]+$' THEN
    plain := translate(upper(short_form), 'OIL -', '011');
    number := left(plain, -20);
    IF number ~ '^[0-9A-HJKMNP-TV-Z]{1,12}$' THEN
      batch_id := 0;
      FOR i IN 1 .. length(number) LOOP
        batch_id := batch_id << 5 | strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(number, i, 1)) - 1;
      END LOOP;
      code := right(plain, 20);
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION code_short_read(text) IS
  'Batch and code of what was typed by hand: small letters, O for 0, I and L for 1, with or without hyphens and spaces; null where it is none';

CREATE FUNCTION code_lookup(code text, gtin gtin, lot_code text, OUT batch_id bigint, OUT item integer, OUT lot text,
                            OUT since timestamptz, OUT batches integer, OUT unread boolean, OUT serial text, OUT nth bigint)
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  b record;
  keys text[] := '{}';
BEGIN
  batches := 0;
  unread := false;
  serial := code;
  FOR b IN SELECT x.batch_id, x.lot_code, x.kind, x.key_id, x.at FROM quality_gov.code_batch x
           WHERE x.gtin = code_lookup.gtin AND x.lot_code = code_lookup.lot_code
           UNION ALL
           SELECT x.batch_id, x.lot_code, x.kind, x.key_id, x.at FROM quality_gov.code_batch x
           WHERE x.gtin = code_lookup.gtin AND code_lookup.lot_code IS NULL
           ORDER BY lot_code, batch_id LOOP
    batches := batches + 1;
    IF b.kind = 'issued' THEN
      item := quality_gov.code_read(code, gtin, b.lot_code, b.batch_id, b.key_id);
      IF item > 0 THEN
        batch_id := b.batch_id;
        lot := b.lot_code;
        since := b.at;
        serial := translate(upper(code), 'OIL', '011');
        EXIT;
      END IF;
      unread := unread OR COALESCE(item = -1, false);
      item := NULL;
    ELSIF NOT b.key_id = ANY (keys) THEN
      keys := keys || b.key_id;
    END IF;
  END LOOP;
  FOR i IN 1 .. CASE WHEN batch_id IS NULL THEN cardinality(keys) ELSE 0 END LOOP
    SELECT r.batch_id, x.lot_code, x.at INTO batch_id, lot, since
    FROM quality_gov.code_registered r JOIN quality_gov.code_batch x USING (batch_id)
    WHERE r.digest = quality_gov.code_digest(keys[i], 3, code_lookup.gtin::text || ' ' || code_lookup.code)
      AND (code_lookup.lot_code IS NULL OR x.lot_code = code_lookup.lot_code);
    EXIT WHEN FOUND;
    unread := unread OR quality_gov.code_digest(keys[i], 3, '') IS NULL;
  END LOOP;
  IF batch_id IS NOT NULL THEN
    nth := COALESCE(item, 1);
    IF batches > 1 OR item IS NULL THEN
      nth := nth + (SELECT COALESCE(sum(x.codes), 0) FROM quality_gov.code_batch x
                    WHERE x.gtin = code_lookup.gtin AND x.lot_code = code_lookup.lot AND x.batch_id < code_lookup.batch_id);
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION code_lookup(text, gtin, text) IS
  'The batch and item of a code, the batch''s lot and since when; batches counts those of the goods that were asked, unread says that a key was missing, serial is the code as it was issued, nth its place among the codes of the lot; without a lot every batch of the GTIN is asked';

CREATE FUNCTION code_is_revoked(batch_id bigint, item integer, at timestamptz) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM quality_gov.code_revocation r
                 WHERE r.batch_id = code_is_revoked.batch_id AND r.since <= at AND r.items @> COALESCE(item, 1));
END
$$;
COMMENT ON FUNCTION code_is_revoked(bigint, integer, timestamptz) IS
  'Whether a code of a batch counts no more at an instant; registered codes have no number and are revoked together';

CREATE FUNCTION code_check(code text, gtin gtin DEFAULT NULL, lot_code text DEFAULT NULL, at timestamptz DEFAULT now(),
                           OUT valid boolean, OUT goods gtin, OUT lot text, OUT batch_id bigint, OUT item integer)
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  asked text := code;
  since timestamptz;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a code is checked as of a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  goods := gtin;
  lot := lot_code;
  IF goods IS NULL THEN
    SELECT b.gtin, b.lot_code, s.code INTO goods, lot, asked
    FROM quality_gov.code_short_read(code) s JOIN quality_gov.code_batch b ON b.batch_id = s.batch_id;
  END IF;
  IF octet_length(asked) <= 100 THEN
    SELECT l.batch_id, l.item, l.lot, l.since INTO batch_id, item, lot, since FROM quality_gov.code_lookup(asked, goods, lot) l;
  END IF;
  valid := COALESCE(since <= at, false) AND NOT quality_gov.code_is_revoked(batch_id, item, at);
  -- One answer to whatever is not a code, so that answers teach nothing about codes.
  IF NOT valid THEN
    goods := NULL;
    lot := NULL;
    batch_id := NULL;
    item := NULL;
  END IF;
END
$$;
COMMENT ON FUNCTION code_check(text, gtin, text, timestamptz) IS
  'Whether a code was issued or registered, of the goods given or in its short form, and counts as of an instant; of whatever does not the answer is the same: false and nulls';
