
-- listing: what the rule kinds written in SQL share

CREATE FUNCTION text_skeleton(body text) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_text_skeleton' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION text_skeleton(text) IS
  'Skeleton of a text by Unicode TS 39: texts that look alike have the same one; case counts; follows Unicode as the installed ICU knows it';

CREATE FUNCTION text_words(body text, OUT "position" integer, OUT word text, OUT cjk boolean) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_text_words' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION text_words(text) IS
  'Words of a text in order, cut at spaces, punctuation, symbols and invisible characters; runs of Han, Kana or Hangul are words of their own (cjk)';

CREATE FUNCTION edit_distance(a text, b text, "limit" integer) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_edit_distance_sql' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION edit_distance(text, text, integer) IS
  'Damerau-Levenshtein distance (optimal string alignment) in code points; limit + 1 where it is more than limit; 22023 beyond 200 characters';

CREATE FUNCTION fingerprint_of(folded text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_fingerprint_of' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION fingerprint_of(text) IS
  'Similarity fingerprint (64-bit simhash over runs of three code points) of a text as it stands; null where it is empty';

CREATE FUNCTION text_fingerprint(body text) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN fingerprint_of(text_fold(body));
COMMENT ON FUNCTION text_fingerprint(text) IS
  'Similarity fingerprint of the folded text: texts that share most of their wording differ in few bits; null where nothing is left of it';

CREATE FUNCTION fingerprint_distance(a bigint, b bigint) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_fingerprint_distance' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION fingerprint_distance(bigint, bigint) IS 'Number of bits, 0 to 64, in which two fingerprints differ';

-- What follows is asked for every listing: plpgsql keeps its plans, where a SQL function with a subquery plans anew.
CREATE FUNCTION params_texts(value jsonb) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN CASE jsonb_typeof(value)
    WHEN 'string' THEN ARRAY[value #>> '{}']
    WHEN 'array' THEN ARRAY(SELECT e.value FROM jsonb_array_elements_text(value) e) END;
END
$$;
COMMENT ON FUNCTION params_texts(jsonb) IS 'Strings of a parameter that is one string or an array of them; null where it is missing';

CREATE FUNCTION params_check(params jsonb, shape jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  entry record;
  known jsonb := shape || '{"regime": "texts?", "except_regime": "texts?"}';
  value jsonb;
BEGIN
  IF params IS NULL OR jsonb_typeof(params) <> 'object' THEN
    RETURN 'a JSON object';
  END IF;
  FOR entry IN SELECT p.key FROM jsonb_object_keys(params) AS p(key) WHERE NOT known ? p.key ORDER BY p.key LOOP
    RETURN format('no "%s": known are %s', entry.key,
                  (SELECT string_agg(format('"%s"', k), ', ' ORDER BY k) FROM jsonb_object_keys(known) AS k));
  END LOOP;
  FOR entry IN SELECT s.key, rtrim(s.value, '?') AS type, s.value LIKE '%?' AS optional
               FROM jsonb_each_text(known) s ORDER BY s.key LOOP
    value := params -> entry.key;
    CONTINUE WHEN value IS NULL AND entry.optional;
    IF value IS NULL THEN
      RETURN format('"%s"', entry.key);
    ELSIF NOT (CASE entry.type
        WHEN 'text' THEN jsonb_typeof(value) = 'string' AND value <> '""'
        WHEN 'texts' THEN jsonb_typeof(value) = 'string' AND value <> '""'
          OR jsonb_typeof(value) = 'array' AND value <> '[]' AND NOT value @> '[""]'
             AND NOT jsonb_path_exists(value, '$[*] ? (@.type() != "string")')
        WHEN 'names' THEN jsonb_typeof(value) = 'object' AND value <> '{}'
             AND NOT jsonb_path_exists(value, '$.* ? (@.type() != "string")')
        ELSE jsonb_typeof(value) = entry.type END) THEN
      RETURN format('"%s" to be %s, not %s', entry.key,
        CASE entry.type WHEN 'text' THEN 'a string' WHEN 'texts' THEN 'a string or an array of strings'
          WHEN 'names' THEN 'an object of strings' ELSE 'a ' || entry.type END, left(value::text, 60));
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION params_check(jsonb, jsonb) IS
  'What is wanted of a rule''s params by the shape of its kind: names to text, texts, names, boolean or number, ? where optional; regime and except_regime are known to every kind; null where all is well';

CREATE FUNCTION listing_value(listing jsonb, name text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN nullif(btrim(listing ->> name, E' \t\r\n'), '');
COMMENT ON FUNCTION listing_value(jsonb, text) IS 'Value of a listing under a name of the mapping; missing, null and blank are null';

CREATE FUNCTION listing_amount(value text) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN value ~ '^\s*[-+]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][-+]?[0-9]{1,2})?\s*$' THEN value::numeric END;
COMMENT ON FUNCTION listing_amount(text) IS 'Number that a value spells in digits, null where it spells none';

CREATE FUNCTION rule_scan(params jsonb, body text, category text, at timestamptz) RETURNS SETOF lexicon_hit
  LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 5 SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF params ? 'lexicon_version' THEN
    RETURN QUERY SELECT * FROM lexicon_scan_version(body, params ->> 'lexicon', (params ->> 'lexicon_version')::integer, category);
  ELSE
    RETURN QUERY SELECT * FROM lexicon_scan(body, ARRAY[params ->> 'lexicon'], category, at);
  END IF;
END
$$;
COMMENT ON FUNCTION rule_scan(jsonb, text, text, timestamptz) IS
  'Hits of the lexicon that a rule''s params name: of the version in force, or of lexicon_version, which the judge adds where it judges by a stored set';

CREATE FUNCTION listing_agrees(shown text, registered text[]) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  key text := name_key(shown);
  one text;
BEGIN
  FOREACH one IN ARRAY COALESCE(registered, '{}') LOOP
    IF key = name_key(one) THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;
COMMENT ON FUNCTION listing_agrees(text, text[]) IS
  'Whether a shown value is one of a register''s, compared as names are: without case, width, spaces and punctuation';

-- listing: which law a shop's categories fall under

CREATE TABLE listing_regime (
  regime text NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT listing_regime_pkey PRIMARY KEY (regime)
);
COMMENT ON TABLE listing_regime IS 'Bodies of law that goods fall under by their category, such as compulsory certification';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_regime', 'WHERE NOT builtin');
INSERT INTO listing_regime VALUES
  ('ccc', 'Goods under compulsory product certification', '强制性产品认证管理规定 art 2; Order 110 art 3', true),
  ('production_licence', 'Industrial goods under production licence', 'Order 110 art 3', true),
  ('mandatory_gb', 'Goods of the catalogue under a mandatory safety standard, without licence or certification', 'Order 110 art 3', true),
  ('energy_label', 'Goods that carry the energy label', '能源效率标识管理办法 (Order 35 of 2016)', true),
  ('water_label', 'Goods that carry the water label', '水效标识管理办法 (Order 6 of 2017) art 8', true),
  ('medical', 'Medical services, drugs and medical devices', '广告法 art 17', true),
  ('medical_beauty', 'Medical beauty', '广告绝对化用语执法指南 art 11(1)', true),
  ('health_food', 'Health food', '广告法 art 18', true),
  ('special_medical_food', 'Food for special medical purposes', '广告绝对化用语执法指南 art 11(1)', true),
  ('investment', 'Goods and services with a promise of returns', '广告绝对化用语执法指南 art 11(2)', true),
  ('education', 'Education and training', '广告绝对化用语执法指南 art 11(3)', true);
CREATE TRIGGER listing_regime_builtin BEFORE INSERT OR UPDATE OR DELETE ON listing_regime
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE category_regime (
  category text NOT NULL,
  regime text NOT NULL,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text,
  CONSTRAINT category_regime_pkey PRIMARY KEY (category, regime, effect),
  CONSTRAINT category_regime_category CHECK (category <> '')
);
COMMENT ON TABLE category_regime IS
  'Which categories of the platform fall under which regime, from when to when; a category covers those below it, * means all; regime_assign() writes it';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.category_regime', '');
CREATE TRIGGER category_regime_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_regime
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION regime_assign(regime text, categories text[], legal_basis text DEFAULT NULL,
                              effective timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity') RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  period tstzrange;
  assigned integer;
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.listing_regime r WHERE r.regime = regime_assign.regime) THEN
    RAISE EXCEPTION 'unknown regime "%"', regime USING ERRCODE = 'undefined_object',
      HINT = (SELECT 'Regimes are ' || string_agg(r.regime, ', ' ORDER BY r.regime) || '.' FROM quality_gov.listing_regime r);
  END IF;
  IF COALESCE(array_ndims(categories), 0) <> 1 OR array_position(categories, NULL) IS NOT NULL OR '' = ANY (categories) THEN
    RAISE EXCEPTION 'categories must be names, found %', COALESCE(categories::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF effective IS NULL OR until IS NULL OR until <= effective THEN
    RAISE EXCEPTION 'a category must not leave a regime before it falls under it' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  period := tstzrange(nullif(effective, '-infinity'), nullif(until, 'infinity'));
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov category_regime', 0));
  IF EXISTS (SELECT FROM quality_gov.category_regime c
             WHERE c.regime = regime_assign.regime AND c.category = ANY (categories) AND c.effect && period) THEN
    RAISE EXCEPTION 'a category of % is under regime "%" in this period already', categories, regime
      USING ERRCODE = 'duplicate_object';
  END IF;
  INSERT INTO quality_gov.category_regime (category, regime, effect, legal_basis)
  SELECT DISTINCT c, regime, period, legal_basis FROM unnest(categories) AS c;
  GET DIAGNOSTICS assigned = ROW_COUNT;
  PERFORM quality_gov.ledger_record('category_regime', regime, jsonb_build_object(
    'categories', categories, 'effective', nullif(effective, '-infinity'), 'until', nullif(until, 'infinity')));
  RETURN assigned;
END
$$;
COMMENT ON FUNCTION regime_assign(text, text[], text, timestamptz, timestamptz) IS
  'Puts categories under a regime for a period and gives their number; rules with "regime" in their params judge only those';

CREATE FUNCTION regime_release(regime text, categories text[], at timestamptz DEFAULT now()) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  released integer;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a category leaves a regime at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- What ends as it begins was never under the regime, and leaves no row that the next would collide with.
  WITH never AS (
    DELETE FROM quality_gov.category_regime c
    WHERE c.regime = regime_release.regime AND c.category = ANY (categories) AND lower(c.effect) = at RETURNING 1
  ), ended AS (
    UPDATE quality_gov.category_regime c SET effect = c.effect * tstzrange(NULL, at)
    WHERE c.regime = regime_release.regime AND c.category = ANY (categories) AND c.effect @> at
      AND lower(c.effect) IS DISTINCT FROM at RETURNING 1)
  SELECT (SELECT count(*) FROM never) + (SELECT count(*) FROM ended) INTO released;
  IF released = 0 THEN
    RAISE EXCEPTION 'no category of % is under regime "%"', categories, regime USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM quality_gov.ledger_record('category_regime', regime, jsonb_build_object('categories', categories, 'released', at));
  RETURN released;
END
$$;
COMMENT ON FUNCTION regime_release(text, text[], timestamptz) IS
  'Ends at an instant that categories are under a regime, and gives the number ended';

CREATE FUNCTION listing_in_regime(regimes text[], category text, at timestamptz) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  RETURN EXISTS (SELECT FROM category_regime c
                 WHERE c.regime = ANY (regimes) AND c.effect @> at AND category_covers(ARRAY[c.category], category));
END
$$;
COMMENT ON FUNCTION listing_in_regime(text[], text, timestamptz) IS
  'Whether a category is under one of the regimes at an instant';
