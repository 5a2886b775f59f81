
-- credit: from sums to points, score and grade

CREATE FUNCTION credit_indicator_points(merchant_id text, at timestamptz, model text DEFAULT NULL, version integer DEFAULT NULL,
    recompute boolean DEFAULT false, indicators text[] DEFAULT '{}', instants timestamptz[] DEFAULT '{}',
    goods float8[] DEFAULT '{}', bads float8[] DEFAULT '{}',
    OUT model_name text, OUT model_version integer, OUT indicator text, OUT points numeric, OUT weight numeric,
    OUT good float8, OUT bad float8, OUT below_minimum boolean, OUT up boolean, OUT dimension text, OUT reason text)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_credit_indicator_points' LANGUAGE c STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION credit_indicator_points(text, timestamptz, text, integer, boolean, text[], timestamptz[], float8[], float8[]) IS
  'Points of each indicator of a merchant as of an instant: events that had happened and were recorded by then, as they are worth, under a model version, by default the one in force then (42704 where there was none); recompute goes back to the events; the last four are events to suppose. For functions that have asked who may see it';

CREATE FUNCTION credit_standings(merchants text[], at timestamptz, model text DEFAULT NULL, version integer DEFAULT NULL,
    recompute boolean DEFAULT false,
    OUT merchant_id text, OUT name text, OUT score numeric, OUT grade text, OUT model_name text, OUT model_version integer,
    OUT recorded_grade text, OUT since timestamptz, OUT previous_grade text)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_credit_standings' LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 10000;
COMMENT ON FUNCTION credit_standings(text[], timestamptz, text, integer, boolean) IS
  'Score and grade of merchants as of an instant, with the grade recorded last: of those named, or of all that were on the platform then where null, as far as the session may see them; in one pass over accounts and tail, or over all events with recompute';

CREATE FUNCTION credit_grade_of(model text, version integer, score numeric, previous text DEFAULT NULL,
                                vetoes text[] DEFAULT NULL) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_credit_grade_of' LANGUAGE c STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION credit_grade_of(text, integer, numeric, text, text[]) IS
  'Grade of a score under a model version: a merchant of a previous grade keeps it until the score passes a floor by more than the hysteresis; flags named in vetoes are up; null below the lowest floor';

CREATE FUNCTION credit_merchant_require(merchant_id text, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF merchant_id IS NULL OR at IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN at IS NULL THEN 'at' ELSE 'merchant_id' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
END
$$;
COMMENT ON FUNCTION credit_merchant_require(text, timestamptz) IS
  'Raises the error of a question about no merchant or no instant';

CREATE FUNCTION credit_party_require(merchant_id text, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app,quality_gov_analyst,quality_gov_regulator}')
  WHERE merchant_id IS NOT NULL;
  IF at IS NULL OR NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = credit_party_require.merchant_id) THEN
    PERFORM quality_gov.credit_merchant_require(merchant_id, at);
  END IF;
END
$$;
COMMENT ON FUNCTION credit_party_require(text, timestamptz) IS
  'Raises an error unless the merchant exists, the instant is given and the session may read the merchant''s credit: as staff, or as the merchant (42501)';

CREATE FUNCTION credit_standing(merchant_id text, at timestamptz, OUT score numeric, OUT grade text,
                                OUT model_name text, OUT model_version integer, OUT recorded_grade text)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  SELECT s.score, s.grade, s.model_name, s.model_version, s.recorded_grade
  INTO score, grade, model_name, model_version, recorded_grade
  FROM quality_gov.credit_standings(ARRAY[credit_standing.merchant_id], credit_standing.at) s
  WHERE credit_standing.at IS NOT NULL;
  IF NOT FOUND THEN
    PERFORM quality_gov.credit_merchant_require(merchant_id, at);
  END IF;
END
$$;
COMMENT ON FUNCTION credit_standing(text, timestamptz) IS
  'Score and grade of one merchant; 02000 where there is no such merchant';

CREATE FUNCTION credit_score(merchant_id text, at timestamptz DEFAULT statement_timestamp()) RETURNS numeric
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  answer record;
BEGIN
  -- Not by credit_standing(), though it says the same: a call more nearly doubles what an answer costs.
  SELECT s.score AS value INTO answer FROM quality_gov.credit_standings(ARRAY[merchant_id], at) s WHERE at IS NOT NULL;
  IF NOT FOUND THEN
    PERFORM quality_gov.credit_merchant_require(merchant_id, at);
  END IF;
  RETURN answer.value;
END
$$;
COMMENT ON FUNCTION credit_score(text, timestamptz) IS
  'Credit score as of an instant: the sum of the points of all indicators, 0 to 1000 in the shipped model, from the events that had happened and were recorded by then';

CREATE FUNCTION credit_grade(merchant_id text, at timestamptz DEFAULT statement_timestamp()) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  answer record;
BEGIN
  SELECT s.grade AS value INTO answer FROM quality_gov.credit_standings(ARRAY[merchant_id], at) s WHERE at IS NOT NULL;
  IF NOT FOUND THEN
    PERFORM quality_gov.credit_merchant_require(merchant_id, at);
  END IF;
  RETURN answer.value;
END
$$;
COMMENT ON FUNCTION credit_grade(text, timestamptz) IS
  'Credit grade as of an instant, A to D in the shipped model: the score''s, unless the grade recorded last holds by hysteresis or a flag vetoes';

CREATE FUNCTION credit_explain(merchant_id text, at timestamptz DEFAULT statement_timestamp(),
    OUT indicator text, OUT points numeric, OUT reason text, OUT weight numeric, OUT lost numeric,
    OUT dimension text, OUT good numeric, OUT bad numeric, OUT events jsonb)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  IF at IS NULL OR NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = credit_explain.merchant_id) THEN
    PERFORM quality_gov.credit_merchant_require(credit_explain.merchant_id, credit_explain.at);
  END IF;
  RETURN QUERY
    WITH latest AS (
      SELECT e.indicator, e.source, e.ref, e.at, e.bad FROM quality_gov.credit_event e
      WHERE e.merchant_id = credit_explain.merchant_id AND e.recorded_at <= credit_explain.at
      ORDER BY e.xid DESC, e.event_id DESC LIMIT 500),
    matter AS (
      SELECT g.indicator, to_jsonb((array_agg(jsonb_build_object('source', g.source, 'ref', g.ref, 'at', g.at, 'bad', g.bad)
                                              ORDER BY g.bad DESC, g.at DESC, g.source, g.ref))[1:3]) AS events
      -- A void and what it takes out come to nothing.
      FROM (SELECT l.indicator, l.source, l.ref, l.at, sum(l.bad) AS bad FROM latest l WHERE l.bad <> 0
            GROUP BY 1, 2, 3, 4 HAVING sum(l.bad) > 1e-9) g
      GROUP BY g.indicator)
    SELECT p.indicator, p.points, p.reason, p.weight, p.weight - p.points, p.dimension, round(p.good::numeric, 6),
           round(p.bad::numeric, 6), e.events
    FROM quality_gov.credit_indicator_points(credit_explain.merchant_id, credit_explain.at) p
    LEFT JOIN matter e ON e.indicator = p.indicator
    ORDER BY p.weight - p.points DESC, p.indicator;
END
$$;
COMMENT ON FUNCTION credit_explain(text, timestamptz) IS
  'Points of each indicator, most lost first; they sum exactly to credit_score(): reason in words, with what protects small numbers; good and bad as they are worth; the events that weigh most among the latest 500';

CREATE FUNCTION credit_history_rows(merchant_id text, instants timestamptz[], OUT at timestamptz, OUT score numeric, OUT grade text)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_credit_history_rows' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION credit_history_rows(text, timestamptz[]) IS
  'Score and grade of a merchant at ascending instants, in one pass over its events. For functions that have asked who may see it';

CREATE FUNCTION credit_history(merchant_id text, since timestamptz, until timestamptz DEFAULT statement_timestamp(),
    step interval DEFAULT '1 day', OUT at timestamptz, OUT score numeric, OUT grade text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.credit_party_require(merchant_id, since);
  IF until IS NULL OR NOT isfinite(since) OR NOT isfinite(until) OR COALESCE(since + step <= since, true)
     OR (until - since) > step * 100000 THEN
    RAISE EXCEPTION 'a history needs finite instants and a positive step of which there are at most 100000, found % to % by %',
      since, COALESCE(until::text, 'null'), COALESCE(step::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY SELECT h.at, h.score, h.grade
    FROM quality_gov.credit_history_rows(credit_history.merchant_id,
      ARRAY(SELECT g FROM generate_series(since, until, step) g ORDER BY g)) h;
END
$$;
COMMENT ON FUNCTION credit_history(text, timestamptz, timestamptz, interval) IS
  'Score and grade from since to until, a step apart; each row is what credit_score() and credit_grade() say as of it';

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
  n bigint;
BEGIN
  WITH graded AS MATERIALIZED (
    SELECT s.merchant_id, s.score, s.grade, s.recorded_grade AS previous, b.restricts
    FROM quality_gov.credit_standings(NULL, credit_regrade.at) s
    JOIN quality_gov.credit_grade_band b ON b.model = s.model_name AND b.version = s.model_version AND b.grade = s.grade
    -- What was decided later is not decided again for an earlier instant.
    -- A model whose lowest band begins above a score gives it no grade; others are graded all the same.
    WHERE s.grade IS DISTINCT FROM s.recorded_grade
      AND NOT EXISTS (SELECT FROM quality_gov.credit_grade_change c
                      WHERE c.merchant_id = s.merchant_id AND c.at >= credit_regrade.at)),
  changed AS (
    INSERT INTO quality_gov.credit_grade_change (merchant_id, at, score, grade, previous_grade)
    SELECT g.merchant_id, credit_regrade.at, g.score, g.grade, g.previous FROM graded g ORDER BY g.merchant_id),
  ended AS (
    UPDATE quality_gov.merchant_restriction r SET effect = tstzrange(lower(r.effect), credit_regrade.at)
    FROM graded g
    WHERE r.merchant_id = g.merchant_id AND r.source = 'credit_grade' AND upper_inf(r.effect)
      AND lower(r.effect) < credit_regrade.at AND NOT r.action = ANY (g.restricts)),
  begun AS (
    INSERT INTO quality_gov.merchant_restriction (merchant_id, action, reason, source, effect)
    SELECT g.merchant_id, a.action, format('credit grade %s takes away "%s" until it recovers', g.grade, a.action),
           'credit_grade', tstzrange(credit_regrade.at, NULL)
    FROM graded g CROSS JOIN unnest(g.restricts) WITH ORDINALITY AS a(action, place)
    WHERE NOT EXISTS (SELECT FROM quality_gov.merchant_restriction r
                      WHERE r.merchant_id = g.merchant_id AND r.action = a.action
                        AND r.source = 'credit_grade' AND upper_inf(r.effect))
    ORDER BY g.merchant_id, a.place),
  recorded AS (
    SELECT count(quality_gov.ledger_record('credit_grade', g.merchant_id, jsonb_build_object(
      'at', credit_regrade.at, 'score', g.score, 'grade', g.grade, 'previous_grade', g.previous, 'restricts', g.restricts)))
    FROM (SELECT * FROM graded x WHERE x.previous IS NOT NULL OR x.restricts <> '{}' ORDER BY x.merchant_id) g)
  SELECT count(*) INTO n FROM graded g, recorded;
  RETURN format('%s grades given', n);
END
$$;
COMMENT ON FUNCTION credit_regrade(timestamptz) IS
  'Maintenance: records each merchant''s grade where it changed; a grade''s restrictions begin and end here';

INSERT INTO maintenance_task VALUES
  ('credit_collect', 10, 'quality_gov.credit_collect', 'Imported decisions become credit events', true),
  ('credit_rollup', 15, 'quality_gov.credit_rollup', 'Accounts take in what was appended', true),
  ('credit_regrade', 20, 'quality_gov.credit_regrade', 'Grades and their restrictions', true);
