
-- credit: events, the facts

CREATE TABLE credit_event (
  merchant_id text NOT NULL,
  event_id bigint GENERATED ALWAYS AS IDENTITY,
  indicator text NOT NULL,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
  good float8 NOT NULL DEFAULT 0,
  bad float8 NOT NULL DEFAULT 0,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  void boolean NOT NULL DEFAULT false,
  source text NOT NULL,
  ref text,
  voids bigint,
  -- The transaction stands before the event, so that a merchant's newest are found without a further index.
  CONSTRAINT credit_event_pkey PRIMARY KEY (merchant_id, xid, event_id),
  CONSTRAINT credit_event_at CHECK (isfinite(at) AND isfinite(recorded_at) AND at <= recorded_at),
  CONSTRAINT credit_event_amount CHECK (
    good BETWEEN -1e15 AND 1e15 AND bad BETWEEN -1e15 AND 1e15
    AND CASE WHEN void THEN good <= 0 AND bad <= 0 ELSE good >= 0 AND bad >= 0 AND voids IS NULL END)
);
CREATE INDEX credit_event_xid ON credit_event (xid);
CREATE INDEX credit_event_ref ON credit_event (merchant_id, source, ref) WHERE ref IS NOT NULL;
-- Whoever takes an event back, from whichever session: it happens once.
CREATE UNIQUE INDEX credit_event_voids ON credit_event (merchant_id, voids) WHERE voids IS NOT NULL;
CREATE INDEX credit_event_regulatory ON credit_event (ref) WHERE source = 'regulatory';
COMMENT ON TABLE credit_event IS
  'What happened to a merchant''s credit, append-only and bitemporal: at is when it happened, recorded_at from when it is known, never earlier; a void repeats an event with negated amounts';
COMMENT ON COLUMN credit_event.voids IS 'Of a void, the event of the same merchant that it takes back; null in a void that another program wrote';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_event', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_event_event_id_seq', '');
CREATE TRIGGER credit_event_stamp BEFORE INSERT ON credit_event
  FOR EACH ROW EXECUTE FUNCTION stamp_xid('xid');
-- A replicated row is of this cluster's transactions too.
ALTER TABLE credit_event ENABLE ALWAYS TRIGGER credit_event_stamp;
CREATE TRIGGER credit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE credit_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY credit_event_read ON credit_event FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION credit_event_add(merchant_id text, indicator text, severity text, at timestamptz,
                                 source text, ref text, recorded_at timestamptz DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  units float8;
BEGIN
  SELECT s.bad INTO units FROM quality_gov.credit_model_at(at) m
  JOIN quality_gov.credit_severity s USING (model, version)
  WHERE s.indicator = credit_event_add.indicator AND s.severity = credit_event_add.severity;
  -- A model that gives the severity no weight gives the occurrence no event.
  IF units > 0 THEN
    INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, bad, source, ref, recorded_at)
    VALUES (merchant_id, indicator, at, units, source, ref, COALESCE(recorded_at, at));
  END IF;
END
$$;
COMMENT ON FUNCTION credit_event_add(text, text, text, timestamptz, text, text, timestamptz) IS
  'Writes the event of one occurrence, weighed by its severity in the model in force, known from when it happened where recorded_at is null; called by functions that decide';

CREATE FUNCTION credit_event_void(merchant_id text, indicator text, severity text, at timestamptz,
                                  source text, ref text) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  voided integer;
BEGIN
  INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, good, bad, source, ref, void, voids, recorded_at)
  SELECT e.merchant_id, e.indicator, e.at, 0 - e.good, 0 - e.bad, e.source, e.ref, true, e.event_id,
         greatest(clock_timestamp(), e.recorded_at)
  FROM quality_gov.credit_event e
  CROSS JOIN LATERAL (
    SELECT COALESCE(bool_or((s.model, s.version) = (m.model, m.version)), false) AS in_force, count(*) > 0 AS known
    FROM quality_gov.credit_severity s LEFT JOIN quality_gov.credit_model_at(credit_event_void.at) m ON true
    WHERE s.indicator = e.indicator AND s.severity = credit_event_void.severity AND s.bad = e.bad) weighed
  WHERE e.merchant_id = credit_event_void.merchant_id AND e.indicator = credit_event_void.indicator
    AND e.source = credit_event_void.source AND e.ref IS NOT DISTINCT FROM credit_event_void.ref
    AND e.at = credit_event_void.at AND NOT e.void
    -- A model published just then may not have been seen when the event was weighed; alone it is known by its name.
    AND (weighed.in_force OR weighed.known AND NOT EXISTS (
      SELECT FROM quality_gov.credit_event x
      WHERE x.merchant_id = e.merchant_id AND x.indicator = e.indicator AND x.source = e.source
        AND x.ref IS NOT DISTINCT FROM e.ref AND x.at = e.at AND NOT x.void AND x.bad <> e.bad))
    AND NOT EXISTS (SELECT FROM quality_gov.credit_event v WHERE v.merchant_id = e.merchant_id AND v.voids = e.event_id)
    -- Of events that are alike, no more are voided than there are, also by voids that name none.
    AND (SELECT count(*) FILTER (WHERE NOT v.void) > count(*) FILTER (WHERE v.void)
         FROM quality_gov.credit_event v
         WHERE v.merchant_id = e.merchant_id AND v.indicator = e.indicator AND v.source = e.source
           AND v.ref IS NOT DISTINCT FROM e.ref AND v.at = e.at AND abs(v.bad) = e.bad)
  ORDER BY e.event_id LIMIT 1;
  GET DIAGNOSTICS voided = ROW_COUNT;
  RETURN voided;
END
$$;
COMMENT ON FUNCTION credit_event_void(text, text, text, timestamptz, text, text) IS
  'Takes back one event that credit_event_add() wrote with these arguments; gives 1, or 0 where none is left';

CREATE FUNCTION credit_event_add_all(indicator text, merchants text[], severities text[], instants timestamptz[],
                                     sources text[], refs text[]) RETURNS void
  AS 'MODULE_PATHNAME', 'qg_credit_event_add_all' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION credit_event_add_all(text, text[], text[], timestamptz[], text[], text[]) IS
  'Writes the events of many occurrences, as credit_event_add() does one';

CREATE FUNCTION credit_event_record(merchant_id text, indicator text, source text, good float8 DEFAULT 0, bad float8 DEFAULT 0,
                                    at timestamptz DEFAULT statement_timestamp(), ref text DEFAULT NULL) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_credit_event_record' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION credit_event_record(text, text, text, float8, float8, timestamptz, text) IS
  'Writes an event that an application knows of and gives its id: amounts of good and bad from 0 to 1e15, when it happened, who knows of it and by what name. 23503 for a merchant that does not exist, 42704 for an indicator that no model has, 22008 for the future and for a time before the merchant was admitted, 22003 or 22023 for amounts, 42939 for a source that quality_gov keeps for itself';

CREATE FUNCTION credit_event_record_all(merchant_id text[], indicator text[], source text, good float8[] DEFAULT NULL,
                                        bad float8[] DEFAULT NULL, at timestamptz[] DEFAULT NULL, ref text[] DEFAULT NULL)
  RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'qg_credit_event_record_all' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION credit_event_record_all(text[], text[], text, float8[], float8[], timestamptz[], text[]) IS
  'Writes many events, all or none, as credit_event_record() writes one; arrays of one length, null for what the single form has by default; gives their ids in the same order';

CREATE FUNCTION credit_source_reserved(source text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'qg_credit_source_reserved';
COMMENT ON FUNCTION credit_source_reserved(text) IS
  'Whether events of a source are written by quality_gov alone: tables, which have a dot in their names, regulatory and recall';

CREATE FUNCTION credit_event_void(merchant_id text, event_id bigint, at timestamptz DEFAULT statement_timestamp()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  event quality_gov.credit_event;
  void_id bigint;
  caller name := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
BEGIN
  IF merchant_id IS NULL OR event_id IS NULL OR at IS NULL THEN
    RAISE EXCEPTION 'merchant_id, event_id and at must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- The lock lets one of two sessions go first; the unique index lets no second one through.
  SELECT e.* INTO event FROM quality_gov.credit_event e
  WHERE e.merchant_id = credit_event_void.merchant_id AND e.event_id = credit_event_void.event_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" has no credit event %', merchant_id, event_id USING ERRCODE = 'no_data_found';
  END IF;
  IF event.void THEN
    RAISE EXCEPTION 'credit event % is a void itself', event_id USING ERRCODE = 'object_not_in_prerequisite_state',
      DETAIL = COALESCE(format('It takes back event %s.', event.voids), 'It repeats an event with negated amounts.'),
      HINT = 'Enter the event anew where it did happen.';
  END IF;
  IF quality_gov.credit_source_reserved(event.source) AND NOT EXISTS (
       SELECT FROM pg_roles r
       WHERE r.rolname = caller AND (r.rolsuper OR pg_has_role(r.oid, to_regrole('quality_gov_admin'), 'USAGE'))) THEN
    RAISE EXCEPTION 'credit event % is of source "%", which quality_gov writes itself', event_id, event.source
      USING ERRCODE = 'insufficient_privilege', HINT = 'An administrator of quality_gov can void it.';
  END IF;
  IF NOT isfinite(at) OR at > clock_timestamp() OR at < event.recorded_at AND at <> statement_timestamp() THEN
    RAISE EXCEPTION 'a void of event % cannot be known from %', event_id, at USING ERRCODE = 'datetime_field_overflow',
      DETAIL = format('The event is known from %s, and it is %s now.', event.recorded_at, clock_timestamp());
  END IF;
  IF (SELECT count(*) FILTER (WHERE NOT v.void) <= count(*) FILTER (WHERE v.void) FROM quality_gov.credit_event v
      WHERE v.merchant_id = event.merchant_id AND v.indicator = event.indicator AND v.source = event.source
        AND v.ref IS NOT DISTINCT FROM event.ref AND v.at = event.at
        AND abs(v.good) = event.good AND abs(v.bad) = event.bad) THEN
    RAISE unique_violation;
  END IF;
  INSERT INTO quality_gov.credit_event AS v (merchant_id, indicator, at, good, bad, source, ref, void, voids, recorded_at)
  VALUES (event.merchant_id, event.indicator, event.at, 0 - event.good, 0 - event.bad, event.source, event.ref, true,
          event.event_id, greatest(at, event.recorded_at))
  RETURNING v.event_id INTO void_id;
  PERFORM quality_gov.ledger_record('credit_event_void', event.merchant_id, jsonb_build_object(
    'event_id', event.event_id, 'void_id', void_id, 'indicator', event.indicator, 'source', event.source, 'ref', event.ref,
    'role', caller));
  RETURN void_id;
EXCEPTION
  WHEN unique_violation THEN
    RAISE EXCEPTION 'credit event % is voided already', event_id USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;
COMMENT ON FUNCTION credit_event_void(text, bigint, timestamptz) IS
  'Takes back one event by its id, known from at on, with a ledger entry, and gives the id of the void; P0002 where there is no such event, 55000 where it is voided already or a void itself, 22008 for an instant before the event was known or in the future, 42501 for an event that quality_gov wrote itself where the caller is no administrator';

CREATE FUNCTION credit_event_row() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_credit_event_row' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION credit_event_row() IS
  'Trigger of credit_attach(): turns rows of a platform''s table into credit events; a changed or deleted row is voided';

CREATE FUNCTION credit_event_begin() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_credit_event_begin' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION credit_event_begin() IS
  'Trigger of credit_attach(): from here on the statement''s events wait to be written together';
CREATE FUNCTION credit_event_end() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_credit_event_end' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION credit_event_end() IS
  'Trigger of credit_attach(): writes the events of the statement';

CREATE FUNCTION credit_attach(relation regclass, columns jsonb, indicator text,
                              good float8 DEFAULT 0, bad float8 DEFAULT 1) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  changes text := CASE WHEN columns ? 'ref' THEN 'INSERT OR UPDATE OR DELETE' ELSE 'INSERT' END;
  -- A row that an update moves to another partition is inserted there and was counted before.
  statements text := CASE WHEN columns ? 'ref' THEN changes ELSE 'INSERT OR UPDATE' END;
  number_types jsonb := '["boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric"]';
BEGIN
  IF indicator IS NULL OR good IS NULL OR bad IS NULL THEN
    RAISE EXCEPTION 'indicator, good and bad must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT EXISTS (SELECT FROM quality_gov.credit_indicator i WHERE i.indicator = credit_attach.indicator) THEN
    RAISE EXCEPTION 'no credit model has an indicator "%"', indicator USING ERRCODE = 'undefined_object',
      HINT = (SELECT 'Indicators are ' || string_agg(DISTINCT i.indicator, ', ') || '.' FROM quality_gov.credit_indicator i);
  END IF;
  IF NOT (good BETWEEN 0 AND 1e15 AND bad BETWEEN 0 AND 1e15) THEN
    RAISE EXCEPTION 'good and bad must be from 0 to 1e15' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.mapping_check(relation, columns, '{merchant_id}', jsonb_build_object(
    'at', '["timestamp with time zone"]'::jsonb, 'recorded_at', '["timestamp with time zone"]'::jsonb,
    'good', number_types, 'bad', number_types, 'ref', '[]'::jsonb), true);
  PERFORM quality_gov.guard_attach(relation, 'credit_' || indicator, columns,
    jsonb_build_object('indicator', indicator, 'good', good::text, 'bad', bad::text),
    ARRAY[format('begin BEFORE %s:credit_event_begin:STATEMENT', statements), format('row AFTER %s:credit_event_row', changes),
          format('end AFTER %s:credit_event_end:STATEMENT', statements)]);
END
$$;
COMMENT ON FUNCTION credit_attach(regclass, jsonb, text, float8, float8) IS
  'Makes credit events of an indicator from the rows of a platform''s table. columns maps merchant_id and optionally at, recorded_at, ref, good, bad; unmapped bad is the argument, unmapped good is the argument where the row''s bad is 0. With ref mapped a changed row is voided and entered anew and a deleted one voided, if it was counted; without, later changes are not followed. Rows already there are not counted. Takes a SHARE ROW EXCLUSIVE lock';
