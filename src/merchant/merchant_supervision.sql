
-- merchant: supervisors' classes of credit risk, an internal input for inspections and no rating of a
-- firm. Nobody but the regulator's role reads them: the platform's own administrator does not.

CREATE TABLE supervision_record (
  uscc uscc NOT NULL,
  record_id bigint GENERATED ALWAYS AS IDENTITY,
  class text NOT NULL,
  since timestamptz NOT NULL,
  reason text NOT NULL,
  indicators jsonb,
  source text NOT NULL,
  role text NOT NULL,
  nonce text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT supervision_record_pkey PRIMARY KEY (uscc, record_id),
  CONSTRAINT supervision_record_class CHECK (class IN ('low', 'general', 'higher', 'high')),
  CONSTRAINT supervision_record_since CHECK (isfinite(since) AND isfinite(recorded_at)),
  CONSTRAINT supervision_record_reason CHECK (reason ~ '\S'),
  CONSTRAINT supervision_record_source CHECK (source ~ '\S'),
  CONSTRAINT supervision_record_indicators CHECK (jsonb_typeof(indicators) = 'object')
);
COMMENT ON TABLE supervision_record IS
  'Classes of credit risk of firms (企业信用风险分类, 国市监信发〔2022〕6号): low 低 A, general 一般 B, higher 较高 C, high 高 D, from when, why, by what indicators, from which source or set by a supervisor; for the regulator''s role only; append-only';
COMMENT ON COLUMN supervision_record.nonce IS
  'Random, and part of the digest in the ledger, so that nobody finds the class by trying the four';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supervision_record', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supervision_record_record_id_seq', '');
CREATE TRIGGER supervision_record_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON supervision_record
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
-- A right on all tables, such as pg_read_all_data, is none on these rows.
ALTER TABLE supervision_record ENABLE ROW LEVEL SECURITY;
CREATE POLICY supervision_record_read ON supervision_record FOR SELECT
  USING (session_has_role('{quality_gov_regulator}'));

CREATE TABLE supervision_intensity (
  class text NOT NULL,
  letter text NOT NULL,
  factor numeric NOT NULL,
  manner text NOT NULL,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT supervision_intensity_pkey PRIMARY KEY (class, effect, builtin),
  CONSTRAINT supervision_intensity_class CHECK (class IN ('low', 'general', 'higher', 'high')),
  CONSTRAINT supervision_intensity_factor CHECK (factor >= 0)
);
COMMENT ON TABLE supervision_intensity IS
  'How often and how a firm of a class is inspected: factor is relative to general; the factors shipped are ours, since no national ones are published; a row of the authority (builtin false) goes before the shipped one';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supervision_intensity', 'WHERE NOT builtin');
INSERT INTO supervision_intensity VALUES
  ('low', 'A', 0.5, 'Fewer and rarer checks, no disturbance without cause', '(,)', '国市监信发〔2022〕6号; the factor is ours', true),
  ('general', 'B', 1, 'Normal rate', '(,)', '国市监信发〔2022〕6号; the factor is ours', true),
  ('higher', 'C', 2, 'Focused, raised', '(,)', '国市监信发〔2022〕6号; the factor is ours', true),
  ('high', 'D', 4, 'Strict, markedly raised, on site', '(,)', '国市监信发〔2022〕6号; the factor is ours', true);
CREATE TRIGGER supervision_intensity_builtin BEFORE INSERT OR UPDATE OR DELETE ON supervision_intensity
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
ALTER TABLE supervision_intensity ENABLE ROW LEVEL SECURITY;
CREATE POLICY supervision_intensity_all ON supervision_intensity
  USING (session_has_role('{quality_gov_regulator}')) WITH CHECK (session_has_role('{quality_gov_regulator}'));

CREATE FUNCTION supervision_digest(record supervision_record) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN encode(sha256(convert_to(concat_ws(E'\n', record.nonce, record.uscc, record.record_id, record.class,
    extract(epoch FROM record.since), record.reason, record.indicators, record.source), 'UTF8')), 'hex');
COMMENT ON FUNCTION supervision_digest(supervision_record) IS
  'Digest of a classification, as the ledger holds it: SHA-256 of nonce and values, 64 hexadecimal digits';

CREATE FUNCTION supervision_class_set(uscc uscc, class text, reason text, since timestamptz DEFAULT now(),
                                      indicators jsonb DEFAULT NULL, source text DEFAULT 'supervisor') RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  written quality_gov.supervision_record;
BEGIN
  IF num_nulls(uscc, class, reason, since, source) > 0 THEN
    RAISE EXCEPTION 'uscc, class, reason, since and source must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF class NOT IN ('low', 'general', 'higher', 'high') THEN
    RAISE EXCEPTION 'unknown class "%"', class USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Classes are low (A), general (B), higher (C) and high (D).';
  END IF;
  IF NOT isfinite(since) THEN
    RAISE EXCEPTION 'since must be finite' USING ERRCODE = 'datetime_field_overflow';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov supervision ' || uscc::text, 0));
  -- The same of the same day again changes nothing, so that a whole history may be sent twice.
  SELECT r.* INTO written FROM quality_gov.supervision_record r
  WHERE r.uscc = supervision_class_set.uscc AND r.since = supervision_class_set.since ORDER BY r.record_id DESC LIMIT 1;
  IF FOUND AND (written.class, written.since, written.reason, written.source) = (class, since, reason, source)
     AND written.indicators IS NOT DISTINCT FROM indicators THEN
    RETURN written.record_id;
  END IF;
  INSERT INTO quality_gov.supervision_record (uscc, class, since, reason, indicators, source, role, nonce, recorded_at)
  VALUES (uscc, class, since, reason, indicators, source, session_user,
          gen_random_uuid()::text || gen_random_uuid()::text, greatest(clock_timestamp(), written.recorded_at))
  RETURNING * INTO written;
  PERFORM quality_gov.ledger_record('supervision', uscc::text,
    jsonb_build_object('record_id', written.record_id, 'digest', quality_gov.supervision_digest(written)));
  RETURN written.record_id;
END
$$;
COMMENT ON FUNCTION supervision_class_set(uscc, text, text, timestamptz, jsonb, text) IS
  'Records the class of a firm from an instant on, with the reason, the indicators (a JSON object) and the source; the same again changes nothing; the ledger gets a digest only; for the regulator''s role';

CREATE FUNCTION supervision_import(feed jsonb, source text, OUT uscc text, OUT status text, OUT reason text)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  entry record;
  before bigint;
  after bigint;
BEGIN
  IF feed IS NULL OR jsonb_typeof(feed) <> 'array' THEN
    RAISE EXCEPTION 'feed must be a JSON array of items, found %', COALESCE(jsonb_typeof(feed), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF COALESCE(source, '') = '' THEN
    RAISE EXCEPTION 'source must name where the feed comes from' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR entry IN SELECT value, ordinality FROM jsonb_array_elements(feed) WITH ORDINALITY LOOP
    reason := NULL;
    uscc := COALESCE(CASE jsonb_typeof(entry.value) WHEN 'object' THEN entry.value ->> 'uscc' END, '#' || entry.ordinality);
    BEGIN
      SELECT max(r.record_id) INTO before FROM quality_gov.supervision_record r
      WHERE r.uscc = (entry.value ->> 'uscc')::quality_gov.uscc;
      after := quality_gov.supervision_class_set(
        (entry.value ->> 'uscc')::quality_gov.uscc,
        CASE entry.value ->> 'class' WHEN 'A' THEN 'low' WHEN 'B' THEN 'general' WHEN 'C' THEN 'higher' WHEN 'D' THEN 'high'
                                     ELSE entry.value ->> 'class' END,
        entry.value ->> 'reason', (entry.value ->> 'from')::timestamptz, nullif(entry.value -> 'indicators', 'null'), source);
      status := CASE WHEN after <= before THEN 'unchanged' WHEN before IS NULL THEN 'loaded' ELSE 'changed' END;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
      status := 'refused';
      reason := SQLERRM;
    END;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION supervision_import(jsonb, text) IS
  'Imports classes from the authority: an array of objects uscc, class (a word or A to D), reason, from, indicators; per item loaded, changed, unchanged or refused with the reason; for the regulator''s role';

CREATE FUNCTION supervision_class(merchant_id text, at timestamptz DEFAULT now()) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT r.class FROM merchant m JOIN supervision_record r ON r.uscc = m.uscc
  WHERE m.merchant_id = supervision_class.merchant_id AND r.since <= supervision_class.at
    AND r.recorded_at <= supervision_class.at
  ORDER BY r.since DESC, r.record_id DESC LIMIT 1;
END;
COMMENT ON FUNCTION supervision_class(text, timestamptz) IS
  'Class of a merchant''s firm as of an instant, as recorded then: low, general, higher or high, null where none is; reads with the caller''s rights, which only the regulator''s role has';

CREATE VIEW supervision_overview WITH (security_barrier) AS
  SELECT m.merchant_id, m.name, m.uscc, r.class, i.letter, r.since, r.source, r.reason, r.indicators,
         i.factor, i.manner, i.legal_basis
  FROM merchant m
  CROSS JOIN LATERAL (
    SELECT x.* FROM supervision_record x WHERE x.uscc = m.uscc AND x.since <= now() AND x.recorded_at <= now()
    ORDER BY x.since DESC, x.record_id DESC LIMIT 1) r
  LEFT JOIN LATERAL (
    SELECT y.* FROM supervision_intensity y WHERE y.class = r.class AND y.effect @> now()
    ORDER BY y.builtin, lower(y.effect) DESC NULLS LAST LIMIT 1) i ON true
  WHERE m.closed_at IS NULL AND session_has_role('{quality_gov_regulator}');
COMMENT ON VIEW supervision_overview IS
  'For planning inspections: the class of each merchant''s firm now with the factor and manner of its inspection; for the regulator''s role only';

CREATE FUNCTION supervision_check(OUT uscc uscc, OUT record_id bigint, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT r.uscc, r.record_id, 'is not what the ledger holds' FROM quality_gov.supervision_record r
  WHERE NOT EXISTS (
    SELECT FROM quality_gov.ledger_entry l
    WHERE l.kind = 'supervision' AND l.subject = r.uscc::text
      AND l.body = jsonb_build_object('record_id', r.record_id, 'digest', quality_gov.supervision_digest(r)))
$$;
COMMENT ON FUNCTION supervision_check() IS
  'Oracle: classifications that differ from their digest in the ledger; no rows when all is well; tells no class';
