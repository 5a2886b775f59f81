
-- credit: what would be if: other events, another grade, another model

CREATE FUNCTION credit_supposed(merchant_id text, events jsonb, at timestamptz,
    OUT indicators text[], OUT instants timestamptz[], OUT goods float8[], OUT bads float8[])
  -- Whatever catches an error cannot run beside a parallel query, before PostgreSQL 17.
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  event record;
  known record;
  parsed record;
BEGIN
  indicators := '{}';
  instants := '{}';
  goods := '{}';
  bads := '{}';
  IF events IS NULL OR jsonb_typeof(events) <> 'array' THEN
    RAISE EXCEPTION 'events must be a JSON array, found %', COALESCE(jsonb_typeof(events), 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Write [{"indicator": "complaint", "bad": 1}, …].';
  END IF;
  FOR event IN SELECT e.value AS content, e.ordinality - 1 AS place FROM jsonb_array_elements(events) WITH ORDINALITY e LOOP
    IF jsonb_typeof(event.content) <> 'object' THEN
      RAISE EXCEPTION 'event % must be a JSON object, found %', event.place, jsonb_typeof(event.content)
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT k INTO known FROM jsonb_object_keys(event.content) k
    WHERE k NOT IN ('indicator', 'good', 'bad', 'severity', 'at', 'void') LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'event % has unknown key "%"', event.place, known.k USING ERRCODE = 'invalid_parameter_value',
        HINT = 'Keys are indicator, good, bad, severity, at and void.';
    END IF;
    SELECT i.indicator, s.severity, s.bad INTO known
    FROM quality_gov.credit_model_at(at) m
    JOIN quality_gov.credit_indicator i ON i.model = m.model AND i.version = m.version
    LEFT JOIN quality_gov.credit_severity s
      ON s.model = m.model AND s.version = m.version AND s.indicator = i.indicator AND s.severity = event.content ->> 'severity'
    WHERE i.indicator = event.content ->> 'indicator';
    IF NOT FOUND THEN
      RAISE EXCEPTION 'event % is of indicator "%", which the model in force does not have', event.place,
        COALESCE(event.content ->> 'indicator', 'null') USING ERRCODE = 'undefined_object';
    ELSIF event.content ? 'severity' AND known.bad IS NULL THEN
      RAISE EXCEPTION 'event % is of severity "%", which indicator "%" does not have', event.place,
        event.content ->> 'severity', known.indicator USING ERRCODE = 'undefined_object';
    END IF;
    BEGIN
      SELECT COALESCE((event.content ->> 'good')::float8, 0) AS good,
             COALESCE((event.content ->> 'bad')::float8, known.bad, 0) AS bad,
             COALESCE((event.content ->> 'at')::timestamptz, credit_supposed.at) AS at,
             COALESCE((event.content ->> 'void')::boolean, false) AS void
      INTO parsed;
    EXCEPTION WHEN data_exception THEN
      RAISE EXCEPTION 'event % cannot be read: %', event.place, SQLERRM USING ERRCODE = 'invalid_parameter_value';
    END;
    IF NOT (parsed.good BETWEEN 0 AND 1e15 AND parsed.bad BETWEEN 0 AND 1e15) THEN
      RAISE EXCEPTION 'good and bad of event % must be from 0 to 1e15, found % and %', event.place, parsed.good, parsed.bad
        USING ERRCODE = 'numeric_value_out_of_range';
    ELSIF NOT isfinite(parsed.at) OR parsed.at > credit_supposed.at THEN
      RAISE EXCEPTION 'event % happens at %, after the instant that is asked about, %', event.place, parsed.at, credit_supposed.at
        USING ERRCODE = 'datetime_field_overflow';
    END IF;
    indicators := indicators || known.indicator;
    instants := instants || parsed.at;
    goods := goods || CASE WHEN parsed.void THEN -parsed.good ELSE parsed.good END;
    bads := bads || CASE WHEN parsed.void THEN -parsed.bad ELSE parsed.bad END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION credit_supposed(text, jsonb, timestamptz) IS
  'Reads the events of credit_what_if(); an error names the event by its place from 0';

CREATE FUNCTION credit_what_if(merchant_id text, events jsonb, at timestamptz DEFAULT statement_timestamp(),
    OUT score numeric, OUT grade text, OUT score_now numeric, OUT grade_now text, OUT points jsonb)
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  supposed record;
  standing record;
BEGIN
  PERFORM quality_gov.credit_party_require(merchant_id, at);
  SELECT * INTO supposed FROM quality_gov.credit_supposed(merchant_id, events, at);
  SELECT * INTO standing FROM quality_gov.credit_standing(merchant_id, at);
  score_now := standing.score;
  grade_now := standing.grade;
  SELECT sum(p.points), jsonb_object_agg(p.indicator, p.points - was.points) FILTER (WHERE p.points <> was.points),
         quality_gov.credit_grade_of(min(p.model_name), min(p.model_version), sum(p.points), standing.recorded_grade,
                                     COALESCE(array_agg(p.indicator) FILTER (WHERE p.up), '{}'))
  INTO score, points, grade
  FROM quality_gov.credit_indicator_points(credit_what_if.merchant_id, credit_what_if.at, NULL, NULL, false,
    supposed.indicators, supposed.instants, supposed.goods, supposed.bads) p
  JOIN quality_gov.credit_indicator_points(credit_what_if.merchant_id, credit_what_if.at) was USING (indicator);
  points := COALESCE(points, '{}');
END
$$;
COMMENT ON FUNCTION credit_what_if(text, jsonb, timestamptz) IS
  'Score and grade if these events had happened too, beside what they are, and the change of points by indicator; events: array of {"indicator", "good", "bad" or "severity", "at", "void"}, at by default the instant asked about, void takes such an event out. Nothing is stored. For staff, or a role of the merchant for itself (42501)';

CREATE FUNCTION credit_way_up(merchant_id text, needed numeric, at timestamptz)
  RETURNS TABLE (indicator text, change text, amount numeric, wait interval, possible boolean)
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH state AS (
    -- Points are rounded to a hundredth, so that half of one less will do.
    SELECT p.indicator, i.kind, p.weight::float8 AS weight, p.points, p.good, p.bad, p.below_minimum, i.point_cost, i.cap,
           i.prior_good, i.prior_bad, i.tolerated, i.minimum, i.window_days,
           CASE WHEN i.half_life < interval '100000 days' THEN i.half_life END AS half_life,
           p.weight - p.points >= needed AND needed > 0 AS possible,
           (1 - (p.points + needed - 0.004999)::float8 / nullif(p.weight, 0)::float8) AS part
    FROM quality_gov.credit_indicator_points(merchant_id, at) p
    JOIN quality_gov.credit_indicator i ON i.model = p.model_name AND i.version = p.model_version AND i.indicator = p.indicator
    WHERE i.kind <> 'flag'),
  worked AS (
    SELECT s.*, greatest(s.part, 0) * s.tolerated AS share, greatest(s.part, 0) * s.weight / s.point_cost AS units FROM state s)
  SELECT w.indicator, c.change, ceil(c.amount::numeric), c.wait, COALESCE(w.possible AND c.possible, false)
  FROM worked w
  CROSS JOIN LATERAL (
    SELECT 'more good', greatest((w.bad + w.prior_bad) / nullif(w.share, 0) - w.good - w.bad - w.prior_good - w.prior_bad,
                                 w.minimum - w.good - w.bad, 0), NULL::interval, w.share > 0
    WHERE w.kind = 'rate'
    UNION ALL
    SELECT 'fewer bad', (w.bad + w.prior_bad - w.share * (w.good + w.bad + w.prior_good + w.prior_bad)) / (1 - w.share),
           NULL, NOT w.below_minimum
           AND (w.bad + w.prior_bad - w.share * (w.good + w.bad + w.prior_good + w.prior_bad)) / (1 - w.share) <= w.bad
           AND w.good + w.bad - ceil((w.bad + w.prior_bad - w.share * (w.good + w.bad + w.prior_good + w.prior_bad)) / (1 - w.share)) >= w.minimum
    WHERE w.kind = 'rate'
    UNION ALL
    SELECT 'fewer units', w.bad - w.units,
           CASE WHEN w.units > 0 AND w.window_days IS NULL AND w.bad > w.units
                THEN make_interval(secs => ceil(extract(epoch FROM w.half_life)::float8 * log(2, (w.bad / w.units)::numeric)::float8)) END,
           w.part >= 0 AND w.bad > w.units
    WHERE w.kind = 'points') c(change, amount, wait, possible)
$$;
COMMENT ON FUNCTION credit_way_up(text, numeric, timestamptz) IS
  'What each indicator alone would have to change for so many more points; for credit_path()';

CREATE FUNCTION credit_path(merchant_id text, grade text, at timestamptz DEFAULT statement_timestamp(),
    OUT indicator text, OUT change text, OUT amount numeric, OUT wait interval, OUT possible boolean, OUT needed numeric)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  standing record;
  target record;
  held record;
BEGIN
  PERFORM quality_gov.credit_party_require(merchant_id, at);
  SELECT * INTO standing FROM quality_gov.credit_standing(merchant_id, at);
  SELECT b.floor, m.hysteresis INTO target FROM quality_gov.credit_grade_band b
  JOIN quality_gov.credit_model m USING (model, version)
  WHERE b.model = standing.model_name AND b.version = standing.model_version AND b.grade = credit_path.grade;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model "%" has no grade "%"', standing.model_name, COALESCE(grade, 'null') USING ERRCODE = 'undefined_object',
      HINT = (SELECT 'Grades are ' || string_agg(b.grade, ', ' ORDER BY b.floor DESC) || '.' FROM quality_gov.credit_grade_band b
              WHERE b.model = standing.model_name AND b.version = standing.model_version);
  END IF;
  SELECT b.floor INTO held FROM quality_gov.credit_grade_band b
  WHERE b.model = standing.model_name AND b.version = standing.model_version AND b.grade = standing.recorded_grade;
  -- Who climbs from a recorded grade has to pass the floor by the hysteresis.
  needed := greatest(0, target.floor + CASE WHEN held.floor < target.floor THEN target.hysteresis ELSE 0 END - standing.score);
  RETURN QUERY
    SELECT p.indicator, 'flag to come down', NULL::numeric,
           CASE WHEN i.half_life < interval '100000 days' AND i.window_days IS NULL
                THEN make_interval(secs => ceil(extract(epoch FROM i.half_life)::float8 * log(2, (p.bad / 0.5)::numeric)::float8) + 1) END,
           COALESCE(i.half_life < interval '100000 days', false), credit_path.needed
    FROM quality_gov.credit_indicator_points(credit_path.merchant_id, credit_path.at) p
    JOIN quality_gov.credit_indicator i ON i.model = p.model_name AND i.version = p.model_version AND i.indicator = p.indicator
    JOIN quality_gov.credit_grade_band v ON v.model = i.model AND v.version = i.version AND v.grade = i.veto_grade
    WHERE p.up AND v.floor < target.floor
    ORDER BY p.indicator;
  IF needed > 0 THEN
    RETURN QUERY
      SELECT w.indicator, w.change, CASE WHEN w.possible THEN w.amount END, CASE WHEN w.possible THEN w.wait END, w.possible, credit_path.needed
      FROM quality_gov.credit_way_up(credit_path.merchant_id, credit_path.needed, credit_path.at) w
      ORDER BY w.possible DESC, w.amount, w.indicator, w.change;
  END IF;
END
$$;
COMMENT ON FUNCTION credit_path(text, text, timestamptz) IS
  'What would lift a merchant to a grade: needed points, and for each indicator the smallest change that would do alone: so much more good, so much less bad (as it is worth now), fewer units, or the time in which they fade; possible false where the indicator alone cannot; flags that veto the grade come first, and must come down besides; no rows where the merchant has it or better. For staff, or a role of the merchant for itself (42501)';

CREATE FUNCTION credit_shadow(model text, version integer DEFAULT NULL, at timestamptz DEFAULT statement_timestamp(),
    OUT merchant_id text, OUT score numeric, OUT grade text, OUT shadow_score numeric, OUT shadow_grade text, OUT difference numeric)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  challenger integer := version;
BEGIN
  IF challenger IS NULL THEN
    SELECT m.version INTO challenger FROM quality_gov.credit_model m
    WHERE m.model = credit_shadow.model AND m.state = 'shadow' ORDER BY m.version DESC LIMIT 1;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'credit model "%" has no version on trial', COALESCE(model, 'null') USING ERRCODE = 'undefined_object',
        HINT = 'Publish one with state "shadow", or name the version.';
    END IF;
  END IF;
  RETURN QUERY
    SELECT l.merchant_id, l.score, l.grade, c.score, c.grade, c.score - l.score
    FROM quality_gov.credit_standings(NULL, credit_shadow.at) l
    JOIN quality_gov.credit_standings(NULL, credit_shadow.at, credit_shadow.model, challenger) c USING (merchant_id)
    ORDER BY abs(c.score - l.score) DESC, l.merchant_id;
END
$$;
COMMENT ON FUNCTION credit_shadow(text, integer, timestamptz) IS
  'A challenger beside the model in force, on the same events, as of an instant: score and grade of every merchant under both, those that move most first; by default the version on trial, else any, drafts too';

CREATE FUNCTION credit_shadow_summary(model text, version integer DEFAULT NULL, at timestamptz DEFAULT statement_timestamp(),
    OUT measure text, OUT item text, OUT live numeric, OUT shadow numeric)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH pair AS MATERIALIZED (SELECT * FROM quality_gov.credit_shadow(model, version, at))
  SELECT 'merchants', NULL, count(*), count(*) FROM pair
  UNION ALL SELECT 'score', 'mean', round(avg(b.score), 2), round(avg(b.shadow_score), 2) FROM pair b
  UNION ALL
  SELECT 'score', 'p' || lpad((p * 100)::integer::text, 2, '0'), round((percentile_cont(p) WITHIN GROUP (ORDER BY b.score))::numeric, 2),
         round((percentile_cont(p) WITHIN GROUP (ORDER BY b.shadow_score))::numeric, 2)
  FROM pair b, unnest('{0.1,0.25,0.5,0.75,0.9}'::float8[]) p GROUP BY p
  UNION ALL
  SELECT 'grade', COALESCE(g.grade, 'none'), sum(g.live), sum(g.shadow)
  FROM (SELECT b.grade, 1 AS live, 0 AS shadow FROM pair b UNION ALL SELECT b.shadow_grade, 0, 1 FROM pair b) g GROUP BY 2
  UNION ALL
  SELECT 'grade change', format('%s to %s', COALESCE(b.grade, 'none'), COALESCE(b.shadow_grade, 'none')), NULL, count(*)
  FROM pair b WHERE b.grade IS DISTINCT FROM b.shadow_grade GROUP BY 2
  ORDER BY 1 DESC, 2
$$;
COMMENT ON FUNCTION credit_shadow_summary(text, integer, timestamptz) IS
  'credit_shadow() summed up: merchants, mean and quantiles of the scores, merchants by grade, grade changes by from and to';

CREATE FUNCTION credit_statement(merchant_id text, at timestamptz DEFAULT statement_timestamp()) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  statement jsonb;
BEGIN
  PERFORM quality_gov.credit_party_require(merchant_id, at);
  -- In one statement, so that score and points are of one snapshot.
  SELECT jsonb_build_object(
    'kind', 'credit_statement', 'merchant_id', credit_statement.merchant_id,
    'at', to_char(credit_statement.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'score', standing.score, 'grade', standing.grade,
    'model', jsonb_build_object('model', standing.model_name, 'version', standing.model_version, 'title', m.title, 'basis', m.basis),
    'indicators', (SELECT jsonb_agg(jsonb_build_object(
        'indicator', e.indicator, 'dimension', e.dimension, 'points', e.points, 'weight', e.weight,
        'good', e.good, 'bad', e.bad, 'reason', e.reason) ORDER BY e.indicator)
      FROM quality_gov.credit_explain(credit_statement.merchant_id, credit_statement.at) e))
  INTO statement
  FROM quality_gov.credit_standing(credit_statement.merchant_id, credit_statement.at) standing
  JOIN quality_gov.credit_model m ON m.model = standing.model_name AND m.version = standing.model_version;
  PERFORM quality_gov.ledger_record('credit_statement', merchant_id, statement);
  RETURN quality_gov.jcs(statement);
END
$$;
COMMENT ON FUNCTION credit_statement(text, timestamptz) IS
  'What a merchant''s credit is and why, as canonical JSON (RFC 8785): score, grade, model version, points of each indicator with the reason; entered in the ledger. For staff, or a role of the merchant for itself (42501)';
