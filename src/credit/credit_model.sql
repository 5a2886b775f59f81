
-- credit: the model, as rows

CREATE TABLE credit_model (
  model text NOT NULL,
  version integer NOT NULL,
  state text NOT NULL,
  title text NOT NULL,
  effect tstzrange NOT NULL DEFAULT 'empty',
  builtin boolean NOT NULL DEFAULT false,
  owner text,
  purpose text,
  basis text,
  hysteresis numeric NOT NULL DEFAULT 0,
  published_at timestamptz,
  digest bytea,
  CONSTRAINT credit_model_pkey PRIMARY KEY (model, version),
  CONSTRAINT credit_model_model CHECK (model ~ '^[a-z][a-z0-9_]{0,30}$'),
  CONSTRAINT credit_model_version CHECK (version > 0),
  CONSTRAINT credit_model_state CHECK (state IN ('draft', 'shadow', 'active', 'retired')),
  CONSTRAINT credit_model_hysteresis CHECK (hysteresis >= 0 AND hysteresis = round(hysteresis, 2) AND hysteresis < 1e6),
  CONSTRAINT credit_model_published CHECK (
    (published_at IS NULL) = (digest IS NULL) AND (state <> 'draft' OR published_at IS NULL))
);
CREATE UNIQUE INDEX credit_model_shadow ON credit_model (model) WHERE state = 'shadow';
COMMENT ON TABLE credit_model IS
  'Versions of the credit model, immutable once they are no draft; of those active or retired whose effect covers an instant the platform''s own goes before the shipped one, the later version before the earlier';
COMMENT ON COLUMN credit_model.state IS
  'draft, shadow (on trial, one version of a model at a time; binds nobody), active (the last published), retired (its end is set, which may be to come; empty effect: never in force)';
COMMENT ON COLUMN credit_model.effect IS
  'When the version is in force, lower bound inclusive, upper exclusive; of a version on trial the trial';
COMMENT ON COLUMN credit_model.owner IS 'Who answers for the model';
COMMENT ON COLUMN credit_model.purpose IS 'What the model is for';
COMMENT ON COLUMN credit_model.published_at IS
  'When credit_model_publish() published the version, on trial or in force; null where its rows were put in otherwise';
COMMENT ON COLUMN credit_model.digest IS
  'SHA-256 of the version''s document when it was published, as credit_model_digest() computes it';
COMMENT ON COLUMN credit_model.hysteresis IS
  'Points by which a score must pass a floor before the grade that a merchant has changes: above it to climb, below it to fall';
COMMENT ON COLUMN credit_model.basis IS 'On what the model rests: a rule of the platform, a statute';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_model', 'WHERE NOT builtin');

CREATE TABLE credit_indicator (
  model text NOT NULL,
  version integer NOT NULL,
  indicator text NOT NULL,
  dimension text NOT NULL,
  kind text NOT NULL,
  weight numeric NOT NULL,
  half_life interval,
  prior_good float8 NOT NULL DEFAULT 0,
  prior_bad float8 NOT NULL DEFAULT 0,
  tolerated float8,
  point_cost float8,
  title text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  minimum float8 NOT NULL DEFAULT 0,
  missing text NOT NULL DEFAULT 'prior',
  cap float8,
  window_days integer,
  veto_grade text,
  CONSTRAINT credit_indicator_pkey PRIMARY KEY (model, version, indicator),
  CONSTRAINT credit_indicator_indicator CHECK (indicator ~ '^[a-z][a-z0-9_]{0,30}$'),
  CONSTRAINT credit_indicator_dimension CHECK (dimension IN (
    'goods_quality', 'service', 'fulfilment', 'disputes', 'compliance', 'regulatory_record')),
  CONSTRAINT credit_indicator_kind CHECK (CASE kind
    WHEN 'rate' THEN num_nonnulls(tolerated) = 1 AND num_nonnulls(point_cost, cap, veto_grade) = 0 AND prior_good + prior_bad > 0
    WHEN 'points' THEN num_nonnulls(point_cost) = 1 AND num_nonnulls(tolerated, veto_grade) = 0
    WHEN 'flag' THEN num_nonnulls(tolerated, point_cost, cap) = 0
    ELSE false END),
  CONSTRAINT credit_indicator_tolerated CHECK (tolerated > 0 AND tolerated <= 1),
  CONSTRAINT credit_indicator_point_cost CHECK (point_cost > 0 AND point_cost < 1e9),
  CONSTRAINT credit_indicator_cap CHECK (cap > 0 AND cap < 1e15),
  CONSTRAINT credit_indicator_weight CHECK (weight >= 0 AND weight = round(weight, 2) AND weight < 1e6),
  CONSTRAINT credit_indicator_half_life CHECK (
    half_life >= interval '1 second' AND half_life <= interval '100000 days'
    AND extract(year FROM half_life) = 0 AND extract(month FROM half_life) = 0),
  CONSTRAINT credit_indicator_prior CHECK (prior_good >= 0 AND prior_bad >= 0 AND prior_good + prior_bad < 1e15),
  CONSTRAINT credit_indicator_minimum CHECK (minimum >= 0 AND minimum < 1e15 AND (minimum = 0 OR kind = 'rate')),
  CONSTRAINT credit_indicator_missing CHECK (missing IN ('prior', 'full', 'none')),
  CONSTRAINT credit_indicator_window_days CHECK (window_days BETWEEN 1 AND 1095)
);
COMMENT ON TABLE credit_indicator IS
  'What a model looks at, each indicator worth from 0 to weight points. rate: points fall from weight to 0 as the share of bad among good and bad reaches tolerated, with prior_good and prior_bad counted in, which protects small numbers; points: each unit of bad costs point_cost; flag: all points are lost, and no grade is better than veto_grade, while bad is worth at least half a unit';
COMMENT ON COLUMN credit_indicator.half_life IS
  'Time after which an event counts half, in days or smaller units, up to 100000 days; null: it does not fade';
COMMENT ON COLUMN credit_indicator.window_days IS
  'Days (Asia/Shanghai) over which an event counts, the day of the question among them; null: without end';
COMMENT ON COLUMN credit_indicator.minimum IS
  'Least volume, good and bad together as they are worth, from which a rate speaks; below it missing says what counts';
COMMENT ON COLUMN credit_indicator.missing IS
  'What a rate below its minimum gives: prior (the points of the prior alone), full (all points) or none';
COMMENT ON COLUMN credit_indicator.cap IS 'Units of bad beyond which no more are counted; null: no bound but the weight';
COMMENT ON COLUMN credit_indicator.veto_grade IS 'Best grade that a merchant can have while the flag is up';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_indicator', 'WHERE NOT builtin');

CREATE TABLE credit_severity (
  model text NOT NULL,
  version integer NOT NULL,
  indicator text NOT NULL,
  severity text NOT NULL,
  bad float8 NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT credit_severity_pkey PRIMARY KEY (model, version, indicator, severity),
  CONSTRAINT credit_severity_bad CHECK (bad >= 0 AND bad <= 1e15)
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
  ('default', 1, 'active', 'Shipped model, 0 to 1000', '(,)', true, 'quality_gov',
   'A start that every platform can read and change: what buyers say and receive, what audits, recalls and authorities found',
   'Ours; no law sets these weights. Decay, protected small numbers, points by severity, vetoes and grades with hysteresis are common to public schemes of large marketplaces',
   15, NULL);
INSERT INTO credit_indicator VALUES
  ('default', 1, 'complaint', 'disputes', 'rate', 250, '180 days', 50, 1, 0.05, NULL, 'Complaints among orders', true, 5),
  ('default', 1, 'fulfilment', 'fulfilment', 'rate', 150, '90 days', 50, 1, 0.10, NULL, 'Late or failed shipments among orders', true, 5),
  ('default', 1, 'service', 'service', 'rate', 100, '90 days', 50, 1, 0.10, NULL, 'Messages not answered in time among messages', true, 5),
  ('default', 1, 'review', 'goods_quality', 'rate', 100, '180 days', 20, 2, 0.20, NULL, 'Negative reviews among reviews', true, 5),
  ('default', 1, 'listing', 'compliance', 'points', 100, '90 days', 0, 0, NULL, 10, 'Findings of the listing audit', true, 0),
  ('default', 1, 'violation', 'compliance', 'points', 100, '180 days', 0, 0, NULL, 10, 'Violations of the platform''s rules', true, 0),
  ('default', 1, 'recall', 'goods_quality', 'points', 100, '365 days', 0, 0, NULL, 25, 'Recalls the merchant answers for', true, 0),
  ('default', 1, 'regulatory', 'regulatory_record', 'points', 100, '365 days', 0, 0, NULL, 10, 'Decisions of authorities', true, 0);
-- While it is up, a merchant that an authority holds in grave breach, or that sold counterfeits, is in the lowest grade.
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, title, builtin, veto_grade) VALUES
  ('default', 1, 'serious_violation', 'regulatory_record', 'flag', 0, NULL, 'Serious-violation list', true, 'D'),
  ('default', 1, 'counterfeit', 'goods_quality', 'flag', 0, '365 days', 'Counterfeit goods found', true, 'D');
INSERT INTO credit_severity VALUES
  ('default', 1, 'listing', 'low', 0.5, true), ('default', 1, 'listing', 'medium', 1, true),
  ('default', 1, 'listing', 'high', 2, true), ('default', 1, 'listing', 'critical', 5, true),
  ('default', 1, 'violation', 'general', 1, true), ('default', 1, 'violation', 'serious', 4, true),
  ('default', 1, 'violation', 'counterfeit', 10, true), ('default', 1, 'counterfeit', 'counterfeit', 1, true),
  ('default', 1, 'recall', 'minor', 0.5, true), ('default', 1, 'recall', 'general', 1, true),
  ('default', 1, 'recall', 'serious', 2, true),
  ('default', 1, 'regulatory', 'minor', 1, true), ('default', 1, 'regulatory', 'general', 3, true),
  ('default', 1, 'regulatory', 'serious', 10, true), ('default', 1, 'serious_violation', 'serious', 1, true);
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

CREATE FUNCTION credit_model_change_allowed(before credit_model, after credit_model) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE
    WHEN (after.model, after.version, after.builtin) IS DISTINCT FROM (before.model, before.version, before.builtin) THEN false
    WHEN before.state = 'draft' THEN after.state IN ('draft', 'shadow', 'active')
    -- Everything else stays as it was published.
    WHEN to_jsonb(after) - '{state,effect}'::text[] <> to_jsonb(before) - '{state,effect}'::text[] THEN false
    WHEN after.state = before.state AND after.effect = before.effect THEN true
    WHEN before.state = 'shadow' AND after.state = 'active' THEN COALESCE(lower(after.effect) >= now(), false)
    WHEN before.state = 'shadow' AND after.state = 'retired' THEN isempty(after.effect)
    -- A version ends, or sooner than it was to, but never in the past: answers once given stay.
    WHEN before.state IN ('active', 'retired') AND after.state = 'retired' THEN
      CASE WHEN isempty(after.effect) THEN isempty(before.effect) OR COALESCE(lower(before.effect) >= now(), false)
           ELSE COALESCE(upper(after.effect) >= now(), false)
                AND after.effect = before.effect * tstzrange(NULL, upper(after.effect)) END
    ELSE false END;
COMMENT ON FUNCTION credit_model_change_allowed(credit_model, credit_model) IS
  'Whether a version may go from one row to the other: a draft is edited or published; a version on trial comes into force or ends, one in force ends, no earlier than now, and nothing else of them changes';

CREATE FUNCTION credit_model_protect() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found_state text;
  fixed boolean;
BEGIN
  IF TG_TABLE_NAME = 'credit_model' THEN
    found_state := OLD.state;
    fixed := CASE TG_OP WHEN 'DELETE' THEN OLD.state <> 'draft'
                        ELSE quality_gov.credit_model_change_allowed(OLD, NEW) IS NOT TRUE END;
  ELSE
    -- A change of a draft waits for whoever publishes it, and the other way round.
    SELECT m.state INTO found_state FROM quality_gov.credit_model m
    WHERE m.model = OLD.model AND m.version = OLD.version FOR SHARE;
    fixed := found_state <> 'draft'
             OR TG_OP = 'UPDATE' AND (NEW.model, NEW.version) IS DISTINCT FROM (OLD.model, OLD.version);
  END IF;
  IF fixed THEN
    RAISE EXCEPTION 'version % of credit model "%" is % and cannot be %', OLD.version, OLD.model,
      CASE WHEN found_state IS DISTINCT FROM 'draft' THEN COALESCE(found_state, 'gone') ELSE 'a draft' END,
      CASE WHEN TG_OP = 'DELETE' THEN 'deleted' WHEN found_state = 'draft' THEN 'changed so' ELSE 'changed' END
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = CASE WHEN found_state = 'draft' THEN 'A draft and its rows keep name, number and origin, and a draft becomes shadow or active.'
                          ELSE 'Published versions are kept unchanged, three years at least after they are superseded.' END,
            HINT = 'Draft a new version with quality_gov.credit_model_draft() and publish it with quality_gov.credit_model_publish().';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION credit_model_protect() IS
  'Trigger: keeps versions of credit models that are no draft, and their rows, as they are';
CREATE TRIGGER credit_model_protect BEFORE UPDATE OR DELETE ON credit_model
  FOR EACH ROW EXECUTE FUNCTION credit_model_protect();
CREATE TRIGGER credit_indicator_protect BEFORE UPDATE OR DELETE ON credit_indicator
  FOR EACH ROW EXECUTE FUNCTION credit_model_protect();
CREATE TRIGGER credit_severity_protect BEFORE UPDATE OR DELETE ON credit_severity
  FOR EACH ROW EXECUTE FUNCTION credit_model_protect();
CREATE TRIGGER credit_grade_band_protect BEFORE UPDATE OR DELETE ON credit_grade_band
  FOR EACH ROW EXECUTE FUNCTION credit_model_protect();
CREATE TRIGGER credit_model_truncate BEFORE TRUNCATE ON credit_model
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER credit_indicator_truncate BEFORE TRUNCATE ON credit_indicator
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER credit_severity_truncate BEFORE TRUNCATE ON credit_severity
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER credit_grade_band_truncate BEFORE TRUNCATE ON credit_grade_band
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

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
CREATE TRIGGER credit_indicator_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON credit_indicator
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER credit_grade_band_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON credit_grade_band
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER credit_severity_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON credit_severity
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
