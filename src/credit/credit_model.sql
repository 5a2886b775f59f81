
-- credit: the model, as rows

CREATE TABLE credit_model (
  model text NOT NULL,
  version integer NOT NULL,
  state text NOT NULL,
  title text NOT NULL,
  effect tstzrange NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT credit_model_pkey PRIMARY KEY (model, version),
  CONSTRAINT credit_model_state CHECK (state IN ('draft', 'shadow', 'active', 'retired'))
);
COMMENT ON TABLE credit_model IS
  'Versions of the credit model; of those active or retired whose effect covers an instant the platform''s own goes before the shipped one, the later version before the earlier';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_model', 'WHERE NOT builtin');

CREATE TABLE credit_indicator (
  model text NOT NULL,
  version integer NOT NULL,
  indicator text NOT NULL,
  dimension text NOT NULL,
  kind text NOT NULL,
  weight numeric NOT NULL,
  half_life interval NOT NULL,
  prior_good float8 NOT NULL DEFAULT 0,
  prior_bad float8 NOT NULL DEFAULT 0,
  tolerated float8,
  point_cost float8,
  title text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT credit_indicator_pkey PRIMARY KEY (model, version, indicator),
  CONSTRAINT credit_indicator_indicator CHECK (indicator ~ '^[a-z][a-z0-9_]{0,30}$'),
  CONSTRAINT credit_indicator_dimension CHECK (dimension IN (
    'goods_quality', 'service', 'fulfilment', 'disputes', 'compliance', 'regulatory_record')),
  CONSTRAINT credit_indicator_kind CHECK (
    kind = 'rate' AND tolerated > 0 AND prior_good + prior_bad > 0 OR kind = 'points' AND point_cost > 0),
  CONSTRAINT credit_indicator_weight CHECK (weight > 0),
  CONSTRAINT credit_indicator_half_life CHECK (
    half_life > interval '0' AND extract(year FROM half_life) = 0 AND extract(month FROM half_life) = 0),
  CONSTRAINT credit_indicator_prior CHECK (prior_good >= 0 AND prior_bad >= 0)
);
COMMENT ON TABLE credit_indicator IS
  'What a model looks at. rate: points fall from weight to 0 as the decayed share of bad reaches tolerated, with prior_good and prior_bad counted in, which protects small numbers; points: each decayed unit of bad costs point_cost';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_indicator', 'WHERE NOT builtin');

CREATE TABLE credit_severity (
  model text NOT NULL,
  version integer NOT NULL,
  indicator text NOT NULL,
  severity text NOT NULL,
  bad float8 NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT credit_severity_pkey PRIMARY KEY (model, version, indicator, severity),
  CONSTRAINT credit_severity_bad CHECK (bad >= 0)
);
COMMENT ON TABLE credit_severity IS 'Units of bad that an occurrence of a severity counts for';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_severity', 'WHERE NOT builtin');

CREATE TABLE credit_grade_band (
  model text NOT NULL,
  version integer NOT NULL,
  grade text NOT NULL,
  floor numeric NOT NULL,
  restricts text[] NOT NULL DEFAULT '{}',
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT credit_grade_band_pkey PRIMARY KEY (model, version, grade),
  CONSTRAINT credit_grade_band_floor UNIQUE (model, version, floor),
  CONSTRAINT credit_grade_band_restricts CHECK (restricts <@ ARRAY['list', 'sell', 'live'])
);
COMMENT ON TABLE credit_grade_band IS
  'Grades: the lowest score of each, and the actions that the grade takes away until it recovers';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_grade_band', 'WHERE NOT builtin');

INSERT INTO credit_model VALUES
  ('default', 1, 'active', 'Shipped model; its weights are ours, no law sets them', '(,)', true);
INSERT INTO credit_indicator VALUES
  ('default', 1, 'complaint', 'disputes', 'rate', 300, '180 days', 50, 1, 0.05, NULL, 'Complaints among orders', true),
  ('default', 1, 'fulfilment', 'fulfilment', 'rate', 200, '90 days', 50, 1, 0.10, NULL, 'Late or failed shipments among orders', true),
  ('default', 1, 'review', 'goods_quality', 'rate', 150, '180 days', 20, 2, 0.20, NULL, 'Negative reviews among reviews', true),
  ('default', 1, 'listing', 'compliance', 'points', 150, '90 days', 0, 0, NULL, 10, 'Findings of the listing audit', true),
  ('default', 1, 'recall', 'goods_quality', 'points', 100, '365 days', 0, 0, NULL, 25, 'Recalls the merchant answers for', true),
  ('default', 1, 'regulatory', 'regulatory_record', 'points', 100, '365 days', 0, 0, NULL, 10, 'Decisions of authorities', true);
INSERT INTO credit_severity VALUES
  ('default', 1, 'listing', 'low', 0.5, true), ('default', 1, 'listing', 'medium', 1, true),
  ('default', 1, 'listing', 'high', 2, true), ('default', 1, 'listing', 'critical', 5, true),
  ('default', 1, 'recall', 'minor', 0.5, true), ('default', 1, 'recall', 'general', 1, true),
  ('default', 1, 'recall', 'serious', 2, true),
  ('default', 1, 'regulatory', 'minor', 1, true), ('default', 1, 'regulatory', 'general', 3, true),
  ('default', 1, 'regulatory', 'serious', 10, true);
INSERT INTO credit_grade_band VALUES
  ('default', 1, 'A', 850, '{}', true), ('default', 1, 'B', 700, '{}', true),
  ('default', 1, 'C', 550, '{live}', true), ('default', 1, 'D', 0, '{list,live}', true);
CREATE TRIGGER credit_model_builtin BEFORE INSERT OR UPDATE OR DELETE ON credit_model
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER credit_indicator_builtin BEFORE INSERT OR UPDATE OR DELETE ON credit_indicator
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER credit_severity_builtin BEFORE INSERT OR UPDATE OR DELETE ON credit_severity
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER credit_grade_band_builtin BEFORE INSERT OR UPDATE OR DELETE ON credit_grade_band
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION credit_model_at(at timestamptz, OUT model text, OUT version integer)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT m.model, m.version FROM credit_model m
  WHERE m.state IN ('active', 'retired') AND m.effect @> at
  ORDER BY m.builtin, m.version DESC, m.model LIMIT 1;
END;
COMMENT ON FUNCTION credit_model_at(timestamptz) IS 'The model version in force at an instant';

CREATE TRIGGER credit_model_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON credit_model
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER credit_severity_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON credit_severity
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

-- credit: events, the facts

CREATE TABLE credit_event (
  merchant_id text NOT NULL,
  event_id bigint GENERATED ALWAYS AS IDENTITY,
  indicator text NOT NULL,
  at timestamptz NOT NULL,
  good float8 NOT NULL DEFAULT 0,
  bad float8 NOT NULL DEFAULT 0,
  source text NOT NULL,
  ref text,
  void boolean NOT NULL DEFAULT false,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT credit_event_pkey PRIMARY KEY (merchant_id, event_id),
  CONSTRAINT credit_event_at CHECK (isfinite(at) AND isfinite(recorded_at)),
  CONSTRAINT credit_event_amount CHECK (
    good BETWEEN -1e15 AND 1e15 AND bad BETWEEN -1e15 AND 1e15
    AND CASE WHEN void THEN good <= 0 AND bad <= 0 ELSE good >= 0 AND bad >= 0 END)
);
CREATE INDEX credit_event_xid ON credit_event (xid);
CREATE INDEX credit_event_ref ON credit_event (merchant_id, source, ref) WHERE ref IS NOT NULL;
CREATE INDEX credit_event_regulatory ON credit_event (ref) WHERE source = 'regulatory';
COMMENT ON TABLE credit_event IS
  'What happened to a merchant''s credit, append-only and bitemporal: at is when it happened, recorded_at from when it is known; a void repeats an event with negated amounts';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_event', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_event_event_id_seq', '');
CREATE TRIGGER credit_event_stamp BEFORE INSERT ON credit_event
  FOR EACH ROW EXECUTE FUNCTION stamp_xid('xid');
CREATE TRIGGER credit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE credit_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY credit_event_read ON credit_event FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION credit_event_add(merchant_id text, indicator text, severity text, at timestamptz,
                                 source text, ref text) RETURNS void
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
    VALUES (merchant_id, indicator, at, units, source, ref, at);
  END IF;
END
$$;
COMMENT ON FUNCTION credit_event_add(text, text, text, timestamptz, text, text) IS
  'Writes the event of one occurrence, weighed by its severity in the model in force; called by functions that decide';

CREATE FUNCTION credit_event_void(merchant_id text, indicator text, severity text, at timestamptz,
                                  source text, ref text) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  voided integer;
BEGIN
  INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, good, bad, source, ref, void, recorded_at)
  SELECT e.merchant_id, e.indicator, e.at, -e.good, -e.bad, e.source, e.ref, true, greatest(clock_timestamp(), e.recorded_at)
  FROM quality_gov.credit_event e
  JOIN quality_gov.credit_model_at(credit_event_void.at) m ON true
  JOIN quality_gov.credit_severity s ON s.model = m.model AND s.version = m.version
    AND s.indicator = e.indicator AND s.severity = credit_event_void.severity AND s.bad = e.bad
  WHERE e.merchant_id = credit_event_void.merchant_id AND e.indicator = credit_event_void.indicator
    AND e.source = credit_event_void.source AND e.ref IS NOT DISTINCT FROM credit_event_void.ref
    AND e.at = credit_event_void.at AND NOT e.void
    -- Of events that are alike, no more are voided than there are.
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

CREATE FUNCTION credit_event_row() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_credit_event_row' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION credit_event_row() IS
  'Trigger of credit_attach(): turns rows of a platform''s table into credit events; a changed or deleted row is voided';

CREATE FUNCTION credit_attach(relation regclass, columns jsonb, indicator text,
                              good float8 DEFAULT 0, bad float8 DEFAULT 1) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
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
    ARRAY[CASE WHEN columns ? 'ref' THEN 'row AFTER INSERT OR UPDATE OR DELETE:credit_event_row'
               ELSE 'row AFTER INSERT:credit_event_row' END]);
END
$$;
COMMENT ON FUNCTION credit_attach(regclass, jsonb, text, float8, float8) IS
  'Makes credit events of an indicator from the rows of a platform''s table. columns maps merchant_id and optionally at, recorded_at, ref, good, bad; unmapped bad is the argument, unmapped good is the argument where the row''s bad is 0. With ref mapped a changed row is voided and entered anew and a deleted one voided, if it was counted; without, later changes are not followed. Rows already there are not counted. Takes a SHARE ROW EXCLUSIVE lock';
