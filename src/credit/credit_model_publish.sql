
-- credit: a model is put on trial and in force, and ends

CREATE FUNCTION credit_model_problem(model text, version integer, OUT "position" integer, OUT problem text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  WITH version AS (
    SELECT * FROM credit_model m WHERE m.model = credit_model_problem.model AND m.version = credit_model_problem.version),
  indicator AS (
    SELECT i.* FROM credit_indicator i JOIN version v ON v.model = i.model AND v.version = i.version),
  band AS (
    SELECT b.*, lag(b.grade) OVER better AS better, lag(b.floor) OVER better AS better_floor
    FROM credit_grade_band b JOIN version v ON v.model = b.model AND v.version = b.version
    WINDOW better AS (ORDER BY b.grade COLLATE "C")),
  total AS (
    SELECT COALESCE(sum(i.weight), 0) AS weight, count(*) AS indicators FROM indicator i)
  SELECT 1, format('it has no %s', f.name)
  FROM version v CROSS JOIN LATERAL (VALUES ('owner', v.owner), ('purpose', v.purpose), ('basis', v.basis)) f(name, value)
  WHERE btrim(COALESCE(f.value, '')) = ''
  UNION ALL
  SELECT 2, 'it has no indicator' FROM total t WHERE t.indicators = 0
  UNION ALL
  SELECT 3, format('indicator "%s" is worth 0 points, which only a flag may be', i.indicator)
  FROM indicator i WHERE i.weight = 0 AND i.kind <> 'flag'
  UNION ALL
  SELECT 4, format('severity "%s" is of indicator "%s", which %s', s.severity, s.indicator,
                   CASE WHEN i.kind IS NULL THEN 'the model does not have' ELSE 'is a rate: points and flags have severities' END)
  FROM credit_severity s JOIN version v ON v.model = s.model AND v.version = s.version
  LEFT JOIN indicator i ON i.indicator = s.indicator
  WHERE i.kind IS NULL OR i.kind = 'rate'
  UNION ALL
  SELECT 5, format('veto_grade "%s" of indicator "%s" is no grade of the model', i.veto_grade, i.indicator)
  FROM indicator i WHERE i.veto_grade IS NOT NULL AND NOT EXISTS (SELECT FROM band b WHERE b.grade = i.veto_grade)
  UNION ALL
  SELECT 6, format('it has fewer than 2 grades: %s', count(*)) FROM band b HAVING count(*) < 2
  UNION ALL
  SELECT 7, format('grade "%s" begins at %s, not below grade "%s", which begins at %s: floors fall in the order of the names',
                   b.grade, b.floor, b.better, b.better_floor)
  FROM band b WHERE b.floor >= b.better_floor
  UNION ALL
  SELECT 8, format('the lowest grade begins at %s, expected 0', min(b.floor)) FROM band b HAVING min(b.floor) <> 0
  UNION ALL
  SELECT 9, format('the highest grade begins at %s%s, more than the %s points that the weights sum to', max(b.floor),
                   CASE WHEN v.hysteresis > 0 THEN format(' and with the hysteresis is reached at %s', max(b.floor) + v.hysteresis) ELSE '' END, t.weight)
  FROM band b CROSS JOIN total t CROSS JOIN version v
  GROUP BY t.weight, v.hysteresis HAVING max(b.floor) + v.hysteresis > t.weight;
END;
COMMENT ON FUNCTION credit_model_problem(text, integer) IS
  'Why a version of a credit model cannot be published, the first to be mended first; no rows where it can';

CREATE FUNCTION credit_model_require(model text, version integer, or_shadow boolean) RETURNS credit_model
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  target quality_gov.credit_model;
  problems text[];
BEGIN
  SELECT m.* INTO target FROM quality_gov.credit_model m
  WHERE m.model = credit_model_require.model
    AND CASE WHEN credit_model_require.version IS NULL THEN m.state = 'draft' ELSE m.version = credit_model_require.version END
  ORDER BY m.version DESC LIMIT 1 FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'credit model "%" has no %', COALESCE(credit_model_require.model, 'null'),
      COALESCE('version ' || credit_model_require.version, 'draft')
      USING ERRCODE = 'undefined_object',
            HINT = COALESCE((SELECT format('Version %s is on trial; publish it by its number.', m.version)
                             FROM quality_gov.credit_model m
                             WHERE or_shadow AND credit_model_require.version IS NULL
                               AND m.model = credit_model_require.model AND m.state = 'shadow'),
                            'Draft one with quality_gov.credit_model_draft().');
  ELSIF NOT (target.state = 'draft' OR or_shadow AND target.state = 'shadow') THEN
    RAISE EXCEPTION 'version % of credit model "%" is % already', target.version, target.model, target.state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Drafts are published, and versions on trial put in force; draft a new version with quality_gov.credit_model_draft().';
  ELSIF target.digest <> quality_gov.credit_model_digest(target.model, target.version) THEN
    RAISE EXCEPTION 'version % of credit model "%" has changed since it went on trial', target.version, target.model
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'credit_model_check() lists such versions; draft a new one.';
  END IF;
  SELECT array_agg(p.problem ORDER BY p.position, p.problem COLLATE "C") INTO problems
  FROM quality_gov.credit_model_problem(target.model, target.version) p;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION 'version % of credit model "%" cannot be published: %', target.version, target.model, problems[1]
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('To be mended: %s.', array_to_string(problems, '; ')),
            HINT = 'Draft its document with this mended: quality_gov.credit_model_document(), quality_gov.credit_model_draft().';
  END IF;
  RETURN target;
END
$$;
COMMENT ON FUNCTION credit_model_require(text, integer, boolean) IS
  'Gives a draft of a credit model that can be published, the newest where version is null, or the version on trial where that will do, and locks it; an error says why there is none';

CREATE FUNCTION credit_model_instant(at timestamptz) RETURNS timestamptz
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  clock timestamptz := clock_timestamp();
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a credit model begins and ends at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  ELSIF at <> now() AND at < clock THEN
    RAISE EXCEPTION 'a credit model begins and ends at no instant that has passed' USING ERRCODE = 'invalid_parameter_value',
      DETAIL = format('It is %s, %s was given.', clock, at),
      HINT = 'Leave the instant out for now: scores and grades that were given stay as they were.';
  END IF;
  -- Now is when the lock is held; another may have published since this transaction began.
  RETURN CASE WHEN at = now() THEN clock ELSE at END;
END
$$;
COMMENT ON FUNCTION credit_model_instant(timestamptz) IS
  'Gives the instant at which a version begins or ends, by the clock where it is now(); refuses one that has passed (22023)';

CREATE FUNCTION credit_model_publish(model text, version integer DEFAULT NULL, effective timestamptz DEFAULT now(),
                                     state text DEFAULT 'active') RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  target quality_gov.credit_model;
  other quality_gov.credit_model;
  content bytea;
  ended integer[];
BEGIN
  IF state IS NULL OR state NOT IN ('active', 'shadow') THEN
    RAISE EXCEPTION 'a version is published as active or shadow, not as %', COALESCE(state, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.credit_model_lock(model);
  effective := quality_gov.credit_model_instant(effective);
  target := quality_gov.credit_model_require(model, version, state = 'active');
  content := quality_gov.credit_model_digest(target.model, target.version);
  IF state = 'shadow' THEN
    SELECT * INTO other FROM quality_gov.credit_model m WHERE m.model = target.model AND m.state = 'shadow';
    IF FOUND THEN
      RAISE EXCEPTION 'version % of credit model "%" is on trial already', other.version, other.model
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('Publish it, or end its trial: SELECT quality_gov.credit_model_retire(%L, version => %s).', other.model, other.version);
    END IF;
  ELSE
    -- One model of the platform is in force at a time, and none is overtaken by one published later.
    SELECT * INTO other FROM quality_gov.credit_model m
    WHERE NOT m.builtin AND m.state IN ('active', 'retired') AND m.effect && tstzrange(effective, NULL)
      AND (m.model <> target.model OR lower(m.effect) > effective)
    ORDER BY m.model = target.model, m.model, m.version DESC LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION '%', CASE WHEN other.model = target.model
          THEN format('version %s of credit model "%s" cannot take effect before version %s', target.version, target.model, other.version)
          ELSE format('credit model "%s" cannot take effect beside credit model "%s"', target.model, other.model) END
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = format('Version %s is in force over %s, %s was given.', other.version, other.effect, effective),
              HINT = format('End that one first: SELECT quality_gov.credit_model_retire(%L, %L, %s).', other.model,
                            greatest(effective, lower(other.effect)), other.version);
    END IF;
    WITH done AS (
      UPDATE quality_gov.credit_model m SET state = 'retired', effect = m.effect * tstzrange(NULL, effective)
      WHERE m.model = target.model AND m.version <> target.version AND NOT m.builtin
        AND m.state IN ('active', 'retired') AND m.effect && tstzrange(effective, NULL)
      RETURNING m.version)
    SELECT array_agg(d.version ORDER BY d.version) INTO ended FROM done d;
  END IF;
  UPDATE quality_gov.credit_model m
  SET state = credit_model_publish.state, effect = tstzrange(effective, NULL), digest = content,
      published_at = COALESCE(m.published_at, clock_timestamp())
  WHERE m.model = target.model AND m.version = target.version;
  PERFORM quality_gov.ledger_record('credit_model', target.model, jsonb_build_object(
    'version', target.version, 'state', state, 'effective', effective, 'digest', encode(content, 'hex'),
    'owner', target.owner, 'purpose', target.purpose, 'basis', target.basis, 'ends', to_jsonb(ended)));
  RETURN target.version;
END
$$;
COMMENT ON FUNCTION credit_model_publish(text, integer, timestamptz, text) IS
  'Puts a draft of a credit model, the newest where version is null, or the version on trial in force from the given instant, which has not passed, ends the version before it there, enters it in the ledger and gives the version number; state shadow puts it on trial beside the one in force instead';

CREATE FUNCTION credit_model_retire(model text, at timestamptz DEFAULT now(), version integer DEFAULT NULL) RETURNS integer[]
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  ended integer[];
BEGIN
  PERFORM quality_gov.credit_model_lock(model);
  at := quality_gov.credit_model_instant(at);
  -- What was on trial was never in force.
  WITH done AS (
    UPDATE quality_gov.credit_model m
    SET state = 'retired',
        effect = CASE m.state WHEN 'shadow' THEN 'empty' ELSE m.effect * tstzrange(NULL, credit_model_retire.at) END
    WHERE m.model = credit_model_retire.model AND (credit_model_retire.version IS NULL OR m.version = credit_model_retire.version)
      AND (m.state = 'shadow' AND m.version = credit_model_retire.version
           OR m.state IN ('active', 'retired') AND m.effect && tstzrange(credit_model_retire.at, NULL))
    RETURNING m.version)
  SELECT array_agg(d.version ORDER BY d.version) INTO ended FROM done d;
  IF ended IS NULL THEN
    RAISE EXCEPTION '%credit model "%" is not in force after that instant%',
      COALESCE('version ' || version || ' of ', ''), COALESCE(model, 'null'), CASE WHEN version IS NULL THEN '' ELSE ', nor on trial' END
      USING ERRCODE = CASE WHEN EXISTS (SELECT FROM quality_gov.credit_model m WHERE m.model = credit_model_retire.model)
                      THEN 'object_not_in_prerequisite_state' ELSE 'undefined_object' END,
            HINT = 'A version on trial is ended by its number; a draft is dropped with quality_gov.credit_model_discard().';
  END IF;
  PERFORM quality_gov.ledger_record('credit_model', model, jsonb_build_object('retired', at, 'versions', to_jsonb(ended)));
  RETURN ended;
END
$$;
COMMENT ON FUNCTION credit_model_retire(text, timestamptz, integer) IS
  'Ends a credit model at an instant that has not passed, its versions yet to begin too, or one version of it, that on trial at once, and gives the versions; the shipped model goes on; what ended is kept';

CREATE FUNCTION credit_model_check(OUT model text, OUT version integer, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT m.model, m.version, 'is not what was published'
  FROM quality_gov.credit_model m
  WHERE m.digest <> quality_gov.credit_model_digest(m.model, m.version)
  UNION ALL
  SELECT DISTINCT r.model, r.version, CASE WHEN m.model IS NULL THEN format('has rows of %s and does not exist', r.relation)
                                           ELSE format('is shipped and has rows of %s that are not', r.relation) END
  FROM (SELECT 'credit_indicator' AS relation, i.model, i.version, i.builtin FROM quality_gov.credit_indicator i
        UNION ALL SELECT 'credit_severity', s.model, s.version, s.builtin FROM quality_gov.credit_severity s
        UNION ALL SELECT 'credit_grade_band', b.model, b.version, b.builtin FROM quality_gov.credit_grade_band b) r
  LEFT JOIN quality_gov.credit_model m ON m.model = r.model AND m.version = r.version
  WHERE m.model IS NULL OR m.builtin AND NOT r.builtin
  UNION ALL
  SELECT a.model, a.version, format('is in force together with version %s of "%s"', b.version, b.model)
  FROM quality_gov.credit_model a
  JOIN quality_gov.credit_model b ON (b.model, b.version) > (a.model, a.version) AND b.effect && a.effect
  WHERE a.state IN ('active', 'retired') AND b.state IN ('active', 'retired')
    AND a.published_at IS NOT NULL AND b.published_at IS NOT NULL
$$;
COMMENT ON FUNCTION credit_model_check() IS
  'Oracle: versions of credit models whose content is not what was published, rows of versions that do not exist or are shipped, and published versions in force together; no rows when all is well';

CREATE FUNCTION doctor_credit_model(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', format('credit model %s version %s', c.model, c.version), c.problem, NULL FROM quality_gov.credit_model_check() c
$$;
COMMENT ON FUNCTION doctor_credit_model() IS 'Check: what credit_model_check() finds';
INSERT INTO doctor_check VALUES ('credit_model', 'quality_gov.doctor_credit_model', 'What credit_model_check() finds', true);
