
-- credit: the life of a model: drafted from a document, on trial, in force, ended

CREATE FUNCTION credit_document_key(OUT part text, OUT "position" integer, OUT key text, OUT kinds text[], OUT needed boolean,
                                    OUT must jsonpath, OUT wanted text) RETURNS SETOF record
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  VALUES
    ('model', 1, 'model', NULL::text[], true, 'strict $ like_regex "^[a-z][a-z0-9_]{0,30}$"'::jsonpath,
     'a name of at most 31 lower-case letters, digits and _, beginning with a letter'),
    ('model', 2, 'title', NULL, true, 'strict $ like_regex "\\S"', 'a text'),
    ('model', 3, 'owner', NULL, false, 'strict $ like_regex "\\S"', 'a text'),
    ('model', 4, 'purpose', NULL, false, 'strict $ like_regex "\\S"', 'a text'),
    ('model', 5, 'basis', NULL, false, 'strict $ like_regex "\\S"', 'a text'),
    ('model', 6, 'hysteresis', NULL, false, 'strict $ >= 0 && $ < 1000000 && ($ * 100).floor() == $ * 100',
     'points from 0 to below 1000000, to a hundredth'),
    ('model', 7, 'indicators', NULL, true, 'strict $.type() == "array"', 'an array of indicators'),
    ('model', 8, 'severities', NULL, false, 'strict $.type() == "array"', 'an array of severities'),
    ('model', 9, 'grades', NULL, true, 'strict $.type() == "array"', 'an array of grades'),
    ('indicator', 1, 'indicator', NULL, true, 'strict $ like_regex "^[a-z][a-z0-9_]{0,30}$"',
     'a name of at most 31 lower-case letters, digits and _, beginning with a letter'),
    ('indicator', 2, 'kind', NULL, true, 'strict $ == "rate" || $ == "points" || $ == "flag"', 'rate, points or flag'),
    ('indicator', 3, 'dimension', NULL, true, 'strict $ like_regex
       "^(goods_quality|service|fulfilment|disputes|compliance|regulatory_record)$"',
     'goods_quality, service, fulfilment, disputes, compliance or regulatory_record'),
    ('indicator', 4, 'weight', NULL, true, 'strict $ >= 0 && $ < 1000000 && ($ * 100).floor() == $ * 100',
     'points from 0 to below 1000000, to a hundredth'),
    ('indicator', 5, 'title', NULL, true, 'strict $ like_regex "\\S"', 'a text'),
    ('indicator', 6, 'half_life', NULL, false, 'strict $.type() == "string"',
     'a time in days or smaller units, from 1 second to 100000 days, or null where nothing fades'),
    ('indicator', 7, 'tolerated', '{rate}', true, 'strict $ > 0 && $ <= 1 && $.double() > 0', 'a share above 0, at most 1'),
    ('indicator', 8, 'point_cost', '{points}', true, 'strict $ > 0 && $ < 1000000000 && $.double() > 0',
     'points above 0, below 1000000000'),
    ('indicator', 9, 'cap', '{points}', false, 'strict $ > 0 && $ < 1e15 && $.double() > 0', 'a number above 0, below 1e15'),
    ('indicator', 10, 'veto_grade', '{flag}', false, 'strict $ like_regex "\\S"', 'the name of a grade'),
    ('indicator', 11, 'prior_good', NULL, false, 'strict $ >= 0 && $ < 1e14 && $.double() >= 0', 'a number from 0 to below 1e14'),
    ('indicator', 12, 'prior_bad', NULL, false, 'strict $ >= 0 && $ < 1e14 && $.double() >= 0', 'a number from 0 to below 1e14'),
    ('indicator', 13, 'minimum', '{rate}', false, 'strict $ >= 0 && $ < 1e15 && $.double() >= 0', 'a number from 0 to below 1e15'),
    ('indicator', 14, 'missing', NULL, false, 'strict $ == "prior" || $ == "full" || $ == "none"', 'prior, full or none'),
    ('indicator', 15, 'window_days', NULL, false, 'strict $ >= 1 && $ <= 1095 && $.floor() == $', 'whole days from 1 to 1095'),
    ('severity', 1, 'indicator', NULL, true, 'strict $.type() == "string"', 'the name of an indicator'),
    ('severity', 2, 'severity', NULL, true, 'strict $ like_regex "\\S" && $ like_regex "^.{1,100}$"', 'a text of at most 100 characters'),
    ('severity', 3, 'bad', NULL, true, 'strict $ >= 0 && $ <= 1e15 && $.double() >= 0', 'a number from 0 to 1e15'),
    ('grade', 1, 'grade', NULL, true, 'strict $ like_regex "\\S" && $ like_regex "^.{1,100}$"', 'a text of at most 100 characters'),
    ('grade', 2, 'floor', NULL, true, 'strict $ >= 0 && $ < 1000000000', 'points from 0 to below 1000000000'),
    ('grade', 3, 'restricts', NULL, false, 'strict $.type() == "array" && !exists($[*] ? (@.type() != "string"))
       && !exists($[*] ? (!(@ == "list" || @ == "sell" || @ == "live")))', 'an array of list, sell and live');
END;
COMMENT ON FUNCTION credit_document_key() IS
  'Keys of the document of a credit model, by part (model, indicator, severity, grade): for which kinds of indicators (null: any), whether it must be given for these, the JSON path its value must satisfy, and that in words';

CREATE FUNCTION credit_half_life_valid(half_life text) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  span interval;
BEGIN
  span := half_life::interval;
  RETURN isfinite(span) AND span >= interval '1 second' AND span <= interval '100000 days'
         AND extract(year FROM span) = 0 AND extract(month FROM span) = 0;
EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow OR invalid_parameter_value THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION credit_half_life_valid(text) IS
  'Whether a text is a time after which an event may count half: days or smaller units, from 1 second to 100000 days';

CREATE FUNCTION credit_document_part(value jsonb, part text, path text) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  want record;
  item jsonb;
BEGIN
  IF jsonb_typeof(value) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION '"%" must be an object, found %', path, COALESCE(left(value::text, 80), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT k INTO want FROM jsonb_object_keys(value) k
  WHERE NOT EXISTS (SELECT FROM quality_gov.credit_document_key() d WHERE d.part = credit_document_part.part AND d.key = k)
  ORDER BY k LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'unknown key "%.%"', path, left(want.k, 80) USING ERRCODE = 'invalid_parameter_value',
      HINT = (SELECT 'Keys there are ' || string_agg(d.key, ', ' ORDER BY d.position) || '.'
              FROM quality_gov.credit_document_key() d WHERE d.part = credit_document_part.part);
  END IF;
  FOR want IN SELECT * FROM quality_gov.credit_document_key() d WHERE d.part = credit_document_part.part ORDER BY d.position LOOP
    item := nullif(value -> want.key, 'null');
    IF item IS NULL THEN
      IF want.needed AND (want.kinds IS NULL OR value ->> 'kind' = ANY (want.kinds)) THEN
        RAISE EXCEPTION '"%.%" is missing', path, want.key
          USING ERRCODE = 'invalid_parameter_value', HINT = format('It must be %s.', want.wanted);
      END IF;
    ELSIF value ->> 'kind' <> ALL (want.kinds) THEN
      RAISE EXCEPTION '"%.%" is for indicators of kind %, not of kind %', path, want.key, want.kinds[1], value ->> 'kind'
        USING ERRCODE = 'invalid_parameter_value';
    ELSIF jsonb_path_match(item, want.must, silent => true) IS NOT TRUE
          OR want.key = 'half_life' AND NOT quality_gov.credit_half_life_valid(item #>> '{}') THEN
      RAISE EXCEPTION '"%.%" must be %, found %', path, want.key, want.wanted, left(item::text, 80)
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION credit_document_part(jsonb, text, text) IS
  'Raises an error, with the JSON path, unless a value is a part of the document of a credit model as credit_document_key() says';

CREATE FUNCTION credit_document_check(document jsonb) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  list record;
  entry record;
  names text[] := '{}';
  kinds jsonb := '{}';
  name text;
BEGIN
  PERFORM quality_gov.credit_document_part(document, 'model', '$');
  -- Severities come after the indicators that they are of.
  FOR list IN SELECT * FROM (VALUES (1, 'indicators', 'indicator'), (2, 'severities', 'severity'), (3, 'grades', 'grade'))
                l(n, key, part) ORDER BY n LOOP
    CONTINUE WHEN jsonb_typeof(document -> list.key) IS DISTINCT FROM 'array';
    names := '{}';
    FOR entry IN SELECT a.value, format('$.%s[%s]', list.key, a.n - 1) AS path
                 FROM jsonb_array_elements(document -> list.key) WITH ORDINALITY a(value, n) ORDER BY a.n LOOP
      PERFORM quality_gov.credit_document_part(entry.value, list.part, entry.path);
      name := entry.value ->> list.part;
      IF list.part = 'indicator' THEN
        IF entry.value ->> 'kind' = 'rate'
           AND COALESCE((entry.value ->> 'prior_good')::numeric, 0) + COALESCE((entry.value ->> 'prior_bad')::numeric, 0) = 0 THEN
          RAISE EXCEPTION '"%" needs "prior_good" or "prior_bad" above 0', entry.path USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'They are counted in with every merchant, so that few orders do not decide.';
        END IF;
        kinds := kinds || jsonb_build_object(name, entry.value -> 'kind');
      ELSIF list.part = 'severity' THEN
        IF NOT kinds ? (entry.value ->> 'indicator') THEN
          RAISE EXCEPTION '"%.indicator" is "%", which the model does not have', entry.path, left(entry.value ->> 'indicator', 80)
            USING ERRCODE = 'undefined_object',
                  HINT = (SELECT 'Its indicators are ' || string_agg(k, ', ' ORDER BY k COLLATE "C") || '.' FROM jsonb_object_keys(kinds) k);
        END IF;
        name := format('%s" of indicator "%s', name, entry.value ->> 'indicator');
      END IF;
      IF name = ANY (names) THEN
        RAISE EXCEPTION '"%" gives % "%" once more', entry.path, list.part, name USING ERRCODE = 'duplicate_object';
      END IF;
      names := names || name;
    END LOOP;
  END LOOP;
  SELECT a.path, a.value ->> 'floor' AS floor INTO entry FROM (
    SELECT format('$.grades[%s]', n - 1) AS path, value, n,
           row_number() OVER (PARTITION BY (value ->> 'floor')::numeric ORDER BY n) AS nth
    FROM jsonb_array_elements(document -> 'grades') WITH ORDINALITY g(value, n)) a
  WHERE a.nth > 1 ORDER BY a.n LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '"%.floor" is %, where another grade begins', entry.path, entry.floor USING ERRCODE = 'duplicate_object';
  END IF;
END
$$;
COMMENT ON FUNCTION credit_document_check(jsonb) IS
  'Raises an error, with the JSON path, unless a value is the document of a credit model';

CREATE FUNCTION credit_model_content(model text, version integer) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE SET extra_float_digits = 1 SET intervalstyle = 'postgres'
BEGIN ATOMIC
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'model', m.model, 'title', m.title, 'owner', m.owner, 'purpose', m.purpose, 'basis', m.basis, 'hysteresis', m.hysteresis,
    'indicators', (
      SELECT COALESCE(jsonb_agg(jsonb_build_object(
        'indicator', i.indicator, 'dimension', i.dimension, 'kind', i.kind, 'weight', i.weight, 'half_life', i.half_life,
        'prior_good', CASE WHEN i.kind = 'rate' OR i.prior_good <> 0 THEN i.prior_good END,
        'prior_bad', CASE WHEN i.kind = 'rate' OR i.prior_bad <> 0 THEN i.prior_bad END,
        'tolerated', i.tolerated, 'point_cost', i.point_cost, 'title', i.title,
        'minimum', CASE WHEN i.kind = 'rate' THEN i.minimum END,
        'missing', CASE WHEN i.kind = 'rate' OR i.missing <> 'prior' THEN i.missing END,
        'cap', i.cap, 'window_days', i.window_days, 'veto_grade', i.veto_grade) ORDER BY i.indicator COLLATE "C"), '[]')
      FROM credit_indicator i WHERE i.model = m.model AND i.version = m.version),
    'severities', (
      SELECT COALESCE(jsonb_agg(jsonb_build_object('indicator', s.indicator, 'severity', s.severity, 'bad', s.bad)
               ORDER BY s.indicator COLLATE "C", s.bad, s.severity COLLATE "C"), '[]')
      FROM credit_severity s WHERE s.model = m.model AND s.version = m.version),
    'grades', (
      SELECT COALESCE(jsonb_agg(jsonb_build_object('grade', b.grade, 'floor', b.floor, 'restricts', b.restricts)
               ORDER BY b.floor DESC), '[]')
      FROM credit_grade_band b WHERE b.model = m.model AND b.version = m.version)))
  FROM credit_model m WHERE m.model = credit_model_content.model AND m.version = credit_model_content.version;
END;
COMMENT ON FUNCTION credit_model_content(text, integer) IS
  'Document of a version, the same under any setting; null where there is no such version';

CREATE FUNCTION credit_model_digest(model text, version integer) RETURNS bytea
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN sha256(convert_to(credit_model_content(model, version)::text, 'UTF8'));
COMMENT ON FUNCTION credit_model_digest(text, integer) IS
  'SHA-256 of the document of a version; null where there is no such version';

CREATE FUNCTION credit_model_document(model text, version integer) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  document jsonb := quality_gov.credit_model_content(model, version);
BEGIN
  IF document IS NULL THEN
    RAISE EXCEPTION 'credit model "%" has no version %', COALESCE(model, 'null'), COALESCE(version::text, 'null')
      USING ERRCODE = 'undefined_object', HINT = 'The table quality_gov.credit_model lists the versions.';
  END IF;
  RETURN document;
END
$$;
COMMENT ON FUNCTION credit_model_document(text, integer) IS
  'A version of a credit model as the JSON document that credit_model_draft() takes: {model, title, owner, purpose, basis, hysteresis, indicators: [], severities: [], grades: []}';

CREATE FUNCTION credit_model_lock(model text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'credit models are changed at isolation level read committed'
      USING ERRCODE = 'active_sql_transaction', DETAIL = 'With an older snapshot one would not see what another session has published.';
  END IF;
  -- One lock for all models, since one of them is in force.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov credit_model', 0));
  IF EXISTS (SELECT FROM quality_gov.credit_model m WHERE m.model = credit_model_lock.model AND m.builtin) THEN
    RAISE EXCEPTION 'credit model "%" is shipped with the extension', model
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'It is in force wherever no model of the platform is, and a dump leaves it out.',
            HINT = 'Draft its document under a name of your own, with what you want changed, and publish that: it goes before the shipped one.';
  END IF;
END
$$;
COMMENT ON FUNCTION credit_model_lock(text) IS
  'Makes whoever changes credit models wait for another who does, until the end of the transaction; refuses those that are shipped';

CREATE FUNCTION credit_model_draft(document jsonb) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  name text := document ->> 'model';
  number integer;
BEGIN
  PERFORM quality_gov.credit_document_check(document);
  PERFORM quality_gov.credit_model_lock(name);
  SELECT COALESCE(max(m.version), 0) + 1 INTO number FROM quality_gov.credit_model m WHERE m.model = name;
  INSERT INTO quality_gov.credit_model (model, version, state, title, owner, purpose, basis, hysteresis)
  VALUES (name, number, 'draft', document ->> 'title', document ->> 'owner', document ->> 'purpose', document ->> 'basis',
          COALESCE((document ->> 'hysteresis')::numeric, 0));
  INSERT INTO quality_gov.credit_indicator (model, version, indicator, dimension, kind, weight, half_life, prior_good, prior_bad,
    tolerated, point_cost, title, minimum, missing, cap, window_days, veto_grade)
  SELECT name, number, i.indicator, i.dimension, i.kind, i.weight, i.half_life, COALESCE(i.prior_good, 0), COALESCE(i.prior_bad, 0),
         i.tolerated, i.point_cost, i.title, COALESCE(i.minimum, 0), COALESCE(i.missing, 'prior'), i.cap, i.window_days, i.veto_grade
  FROM jsonb_to_recordset(document -> 'indicators') AS i(indicator text, dimension text, kind text, weight numeric,
    half_life interval, prior_good float8, prior_bad float8, tolerated float8, point_cost float8, title text, minimum float8,
    missing text, cap float8, window_days numeric, veto_grade text);
  INSERT INTO quality_gov.credit_severity (model, version, indicator, severity, bad)
  SELECT name, number, s.indicator, s.severity, s.bad
  FROM jsonb_to_recordset(COALESCE(nullif(document -> 'severities', 'null'), '[]')) AS s(indicator text, severity text, bad float8);
  INSERT INTO quality_gov.credit_grade_band (model, version, grade, floor, restricts)
  SELECT name, number, g.grade, g.floor, COALESCE(g.restricts, '{}')
  FROM jsonb_to_recordset(document -> 'grades') AS g(grade text, floor numeric, restricts text[]);
  RETURN number;
END
$$;
COMMENT ON FUNCTION credit_model_draft(jsonb) IS
  'Drafts a version of a credit model from its document and gives the version number; what the document must be credit_document_key() says, and an error names the JSON path; begin with credit_model_document() of another';

CREATE FUNCTION credit_model_discard(model text, version integer) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found_state text;
BEGIN
  PERFORM quality_gov.credit_model_lock(model);
  SELECT m.state INTO found_state FROM quality_gov.credit_model m
  WHERE m.model = credit_model_discard.model AND m.version = credit_model_discard.version FOR UPDATE;
  IF found_state IS DISTINCT FROM 'draft' THEN
    RAISE EXCEPTION 'version % of credit model "%" %', COALESCE(version::text, 'null'), COALESCE(model, 'null'),
      COALESCE('is ' || found_state || ', expected draft', 'does not exist')
      USING ERRCODE = CASE WHEN found_state IS NULL THEN 'undefined_object' ELSE 'object_not_in_prerequisite_state' END;
  END IF;
  DELETE FROM quality_gov.credit_severity s WHERE s.model = credit_model_discard.model AND s.version = credit_model_discard.version;
  DELETE FROM quality_gov.credit_grade_band b WHERE b.model = credit_model_discard.model AND b.version = credit_model_discard.version;
  DELETE FROM quality_gov.credit_indicator i WHERE i.model = credit_model_discard.model AND i.version = credit_model_discard.version;
  DELETE FROM quality_gov.credit_model m WHERE m.model = credit_model_discard.model AND m.version = credit_model_discard.version;
END
$$;
COMMENT ON FUNCTION credit_model_discard(text, integer) IS 'Drops a draft of a credit model; what was published stays';
