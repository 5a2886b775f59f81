
-- credit: from events to points, score and grade

CREATE FUNCTION credit_points(kind text, weight numeric, prior_good float8, prior_bad float8,
                              tolerated float8, point_cost float8, good float8, bad float8) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN round(weight * greatest(0, 1 - CASE kind
    WHEN 'rate' THEN (bad + prior_bad) / nullif(good + bad + prior_good + prior_bad, 0) / tolerated
    ELSE bad * point_cost / weight::float8 END)::numeric, 2);
COMMENT ON FUNCTION credit_points(text, numeric, float8, float8, float8, float8, float8, float8) IS
  'Points of one indicator, from 0 to its weight, to a hundredth';

CREATE FUNCTION credit_indicator_points(merchants text[], at timestamptz,
    OUT merchant_id text, OUT indicator text, OUT points numeric, OUT weight numeric,
    OUT good float8, OUT bad float8, OUT reason text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  WITH tally AS (
    SELECT e.merchant_id, i.indicator,
           credit_tally_at(credit_tally(e.good, e.bad, e.at, i.half_life),
                           credit_indicator_points.at) AS amount
    FROM credit_model_at(credit_indicator_points.at) m
    JOIN credit_indicator i ON i.model = m.model AND i.version = m.version
    JOIN credit_event e ON e.indicator = i.indicator
    WHERE e.merchant_id = ANY (merchants)
      AND e.at <= credit_indicator_points.at AND e.recorded_at <= credit_indicator_points.at
    GROUP BY e.merchant_id, i.indicator)
  SELECT w.merchant_id, i.indicator,
         credit_points(i.kind, i.weight, i.prior_good, i.prior_bad, i.tolerated, i.point_cost, a.good, a.bad),
         i.weight, a.good, a.bad,
         CASE i.kind
           WHEN 'rate' THEN format('%s: %s bad among %s, counted with %s bad among %s for small numbers; no points from %s %% on',
             i.title, round(a.bad::numeric, 2), round((a.good + a.bad)::numeric, 2),
             i.prior_bad, i.prior_good + i.prior_bad, round((i.tolerated * 100)::numeric, 2))
           ELSE format('%s: %s units, each costs %s', i.title, round(a.bad::numeric, 2), i.point_cost) END
  FROM unnest(merchants) AS w(merchant_id)
  CROSS JOIN credit_model_at(credit_indicator_points.at) m
  JOIN credit_indicator i ON i.model = m.model AND i.version = m.version
  LEFT JOIN tally t ON t.merchant_id = w.merchant_id AND t.indicator = i.indicator
  -- Rounding may leave a voided amount a hair below zero.
  CROSS JOIN LATERAL (SELECT greatest(COALESCE((t.amount).good, 0), 0) AS good,
                             greatest(COALESCE((t.amount).bad, 0), 0) AS bad) a;
END;
COMMENT ON FUNCTION credit_indicator_points(text[], timestamptz) IS
  'Points of each indicator for each merchant as of an instant: events that had happened and were recorded by then, under the model in force then';

CREATE FUNCTION credit_grade_of(score numeric, at timestamptz) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT b.grade FROM credit_model_at(at) m
  JOIN credit_grade_band b ON b.model = m.model AND b.version = m.version
  WHERE b.floor <= score ORDER BY b.floor DESC LIMIT 1;
END;
COMMENT ON FUNCTION credit_grade_of(numeric, timestamptz) IS
  'Grade of a score under the model in force at an instant';

CREATE FUNCTION credit_merchant_require(merchant_id text, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF merchant_id IS NULL OR at IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN at IS NULL THEN 'at' ELSE 'merchant_id' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = credit_merchant_require.merchant_id) THEN
    RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
  END IF;
END
$$;
COMMENT ON FUNCTION credit_merchant_require(text, timestamptz) IS
  'Raises an error unless the merchant exists and the instant is given';

CREATE FUNCTION credit_score(merchant_id text, at timestamptz DEFAULT now()) RETURNS numeric
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.credit_merchant_require(merchant_id, at);
  RETURN (SELECT sum(p.points) FROM quality_gov.credit_indicator_points(ARRAY[merchant_id], at) p);
END
$$;
COMMENT ON FUNCTION credit_score(text, timestamptz) IS
  'Credit score as of an instant: the sum of the points of all indicators, 0 to 1000 in the shipped model';

CREATE FUNCTION credit_grade(merchant_id text, at timestamptz DEFAULT now()) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN quality_gov.credit_grade_of(quality_gov.credit_score(merchant_id, at), at);
END
$$;
COMMENT ON FUNCTION credit_grade(text, timestamptz) IS 'Credit grade as of an instant, A to D in the shipped model';

CREATE FUNCTION credit_explain(merchant_id text, at timestamptz DEFAULT now(),
    OUT indicator text, OUT points numeric, OUT reason text, OUT weight numeric, OUT lost numeric)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.credit_merchant_require(merchant_id, at);
  RETURN QUERY
    SELECT p.indicator, p.points, p.reason, p.weight, p.weight - p.points
    FROM quality_gov.credit_indicator_points(ARRAY[merchant_id], at) p
    ORDER BY p.weight - p.points DESC, p.indicator;
END
$$;
COMMENT ON FUNCTION credit_explain(text, timestamptz) IS
  'Points of each indicator with the reason, most lost first; they sum exactly to credit_score()';

-- credit: grades over time, and what they take away

CREATE TABLE credit_grade_change (
  merchant_id text NOT NULL,
  change_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  score numeric NOT NULL,
  grade text NOT NULL,
  previous_grade text,
  CONSTRAINT credit_grade_change_pkey PRIMARY KEY (merchant_id, change_id)
);
COMMENT ON TABLE credit_grade_change IS
  'Each grade a merchant was given by maintenance(), from when, at what score; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_grade_change', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_grade_change_change_id_seq', '');
CREATE TRIGGER credit_grade_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON credit_grade_change FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION credit_regrade(at timestamptz) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  graded record;
  restricted text[];
  n integer := 0;
BEGIN
  FOR graded IN
    WITH standing AS (
      SELECT p.merchant_id, sum(p.points) AS score
      FROM quality_gov.credit_indicator_points(ARRAY(
        SELECT m.merchant_id FROM quality_gov.merchant m
        WHERE m.admitted_at <= credit_regrade.at AND m.closed_at IS NULL), credit_regrade.at) p
      GROUP BY p.merchant_id)
    SELECT s.merchant_id, s.score, g.grade, last.grade AS previous
    FROM standing s
    CROSS JOIN LATERAL (SELECT quality_gov.credit_grade_of(s.score, credit_regrade.at) AS grade) g
    LEFT JOIN LATERAL (
      SELECT c.grade, c.at FROM quality_gov.credit_grade_change c
      WHERE c.merchant_id = s.merchant_id ORDER BY c.change_id DESC LIMIT 1) last ON true
    -- What was decided later is not decided again for an earlier instant.
    -- A model whose lowest band begins above a score gives it no grade; others are graded all the same.
    WHERE g.grade IS NOT NULL AND g.grade IS DISTINCT FROM last.grade AND (last.at IS NULL OR last.at < credit_regrade.at)
    ORDER BY s.merchant_id
  LOOP
    INSERT INTO quality_gov.credit_grade_change (merchant_id, at, score, grade, previous_grade)
    VALUES (graded.merchant_id, credit_regrade.at, graded.score, graded.grade, graded.previous);
    SELECT b.restricts INTO restricted FROM quality_gov.credit_model_at(credit_regrade.at) m
    JOIN quality_gov.credit_grade_band b USING (model, version) WHERE b.grade = graded.grade;
    UPDATE quality_gov.merchant_restriction r
    SET effect = tstzrange(lower(r.effect), credit_regrade.at)
    WHERE r.merchant_id = graded.merchant_id AND r.source = 'credit_grade' AND upper_inf(r.effect)
      AND lower(r.effect) < credit_regrade.at AND NOT r.action = ANY (restricted);
    INSERT INTO quality_gov.merchant_restriction (merchant_id, action, reason, source, effect)
    SELECT graded.merchant_id, a, format('credit grade %s takes away "%s" until it recovers', graded.grade, a),
           'credit_grade', tstzrange(credit_regrade.at, NULL)
    FROM unnest(restricted) a
    WHERE NOT EXISTS (SELECT FROM quality_gov.merchant_restriction r
                      WHERE r.merchant_id = graded.merchant_id AND r.action = a
                        AND r.source = 'credit_grade' AND upper_inf(r.effect));
    IF graded.previous IS NOT NULL OR restricted <> '{}' THEN
      PERFORM quality_gov.ledger_record('credit_grade', graded.merchant_id, jsonb_build_object(
        'at', credit_regrade.at, 'score', graded.score, 'grade', graded.grade,
        'previous_grade', graded.previous, 'restricts', restricted));
    END IF;
    n := n + 1;
  END LOOP;
  RETURN format('%s grades given', n);
END
$$;
COMMENT ON FUNCTION credit_regrade(timestamptz) IS
  'Maintenance: records each merchant''s grade where it changed; a grade''s restrictions begin and end here';

INSERT INTO maintenance_task VALUES
  ('credit_collect', 10, 'quality_gov.credit_collect', 'Imported decisions become credit events', true),
  ('credit_regrade', 20, 'quality_gov.credit_regrade', 'Grades and their restrictions', true);

CREATE FUNCTION credit_check(OUT merchant_id text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT e.merchant_id, format('event %s has no merchant', e.event_id)
  FROM quality_gov.credit_event e
  WHERE NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = e.merchant_id)
  UNION ALL
  SELECT e.merchant_id, format('event %s has unknown indicator "%s"', e.event_id, e.indicator)
  FROM quality_gov.credit_event e
  WHERE NOT EXISTS (SELECT FROM quality_gov.credit_indicator i WHERE i.indicator = e.indicator)
  UNION ALL
  SELECT v.merchant_id, format('void %s has no event', v.event_id)
  FROM quality_gov.credit_event v
  WHERE v.void AND NOT EXISTS (
    SELECT FROM quality_gov.credit_event e
    WHERE e.merchant_id = v.merchant_id AND e.source = v.source AND e.ref IS NOT DISTINCT FROM v.ref
      AND e.indicator = v.indicator AND NOT e.void AND e.event_id < v.event_id)
  UNION ALL
  SELECT c.merchant_id, c.problem FROM quality_gov.credit_collect_check() c
  UNION ALL
  SELECT r.merchant_id, format('restriction %s does not follow from the grade', r.restriction_id)
  FROM quality_gov.merchant_restriction r
  WHERE r.source = 'credit_grade' AND upper_inf(r.effect)
    AND NOT EXISTS (
      SELECT FROM (SELECT c.grade, c.at FROM quality_gov.credit_grade_change c
                   WHERE c.merchant_id = r.merchant_id ORDER BY c.change_id DESC LIMIT 1) last
      CROSS JOIN LATERAL quality_gov.credit_model_at(last.at) m
      JOIN quality_gov.credit_grade_band b USING (model, version)
      WHERE b.grade = last.grade AND r.action = ANY (b.restricts))
$$;
COMMENT ON FUNCTION credit_check() IS
  'Oracle: orphaned events, unknown indicators, voids of nothing, decisions of authorities that count twice or less than not at all, restrictions that do not follow from the grade; no rows when all is well';

CREATE FUNCTION doctor_credit(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', 'credit of merchant ' || c.merchant_id, c.problem, NULL FROM quality_gov.credit_check() c
$$;
COMMENT ON FUNCTION doctor_credit() IS 'Check: what credit_check() finds';
INSERT INTO doctor_check VALUES ('credit', 'quality_gov.doctor_credit', 'What credit_check() finds', true);
