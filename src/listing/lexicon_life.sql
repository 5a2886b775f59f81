
-- listing: loading and publishing lexicons

CREATE FUNCTION lexicon_load(lexicon text, deny text[], allow text[] DEFAULT '{}', folds text[] DEFAULT NULL,
                             severity integer DEFAULT 3, categories text[] DEFAULT NULL,
                             tags text[] DEFAULT NULL, legal_basis text DEFAULT NULL,
                             title text DEFAULT NULL, draft integer DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  target quality_gov.lexicon;
  bad text;
BEGIN
  IF COALESCE(lexicon_load.lexicon, '') = '' THEN
    RAISE EXCEPTION 'a lexicon needs a name' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF cardinality(deny || allow) IS NULL OR cardinality(deny || allow) = 0
     OR draft IS NULL AND COALESCE(cardinality(deny), 0) = 0 THEN
    RAISE EXCEPTION 'lexicon "%" has no deny terms', lexicon_load.lexicon
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give at least one term to look for.';
  END IF;
  IF array_position(array_cat(deny, allow), NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a term of lexicon "%" is null', lexicon_load.lexicon
      USING ERRCODE = 'null_value_not_allowed',
            DETAIL = format('It is element %s of %s.',
              COALESCE(array_position(deny, NULL), array_position(allow, NULL)),
              CASE WHEN array_position(deny, NULL) IS NULL THEN 'allow' ELSE 'deny' END);
  END IF;

  -- Two loaders at once would take the same version number.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov lexicon ' || lexicon_load.lexicon, 0));
  IF EXISTS (SELECT FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_load.lexicon AND l.builtin) THEN
    RAISE EXCEPTION 'lexicon "%" is shipped with the extension', lexicon_load.lexicon
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Load your own under another name.';
  END IF;
  IF draft IS NULL THEN
    PERFORM text_fold('', folds); -- refuses unknown folds
    INSERT INTO quality_gov.lexicon AS l (lexicon, version, folds, legal_basis, title)
    SELECT lexicon_load.lexicon, COALESCE(max(l.version), 0) + 1,
           ARRAY(SELECT f FROM unnest(lexicon_folds()) WITH ORDINALITY AS a (f, n)
                 WHERE lexicon_load.folds IS NULL OR f = ANY (lexicon_load.folds) ORDER BY n),
           lexicon_load.legal_basis, lexicon_load.title
    FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_load.lexicon
    RETURNING l.* INTO target;
  ELSE
    target := lexicon_draft(lexicon_load.lexicon, draft);
    IF lexicon_load.folds IS NOT NULL OR lexicon_load.title IS NOT NULL THEN
      RAISE EXCEPTION 'folds and title of a draft are given when it is opened'
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
  END IF;

  SELECT t INTO bad FROM unnest(deny || allow) AS t WHERE text_fold(t, target.folds) = '' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'term "%" of lexicon "%" folds to nothing', bad, target.lexicon
      USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Folds %s leave no character of it.', array_to_string(target.folds, ', ')),
            HINT = 'Leave the term out, or load it into a lexicon with fewer folds.';
  END IF;
  SELECT t INTO bad FROM unnest(deny || allow) AS t WHERE char_length(t) > 500 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a term of lexicon "%" has % characters, the limit is 500', target.lexicon, char_length(bad)
      USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It begins with "%s".', left(bad, 40));
  END IF;
  INSERT INTO quality_gov.lexicon_term (lexicon, version, term, allow, severity, categories, tags, legal_basis)
  SELECT DISTINCT target.lexicon, target.version, term, allow, lexicon_load.severity::smallint,
         lexicon_load.categories, lexicon_load.tags,
         CASE WHEN lexicon_load.legal_basis IS DISTINCT FROM target.legal_basis THEN lexicon_load.legal_basis END
  FROM (SELECT unnest(lexicon_load.deny), false UNION ALL SELECT unnest(lexicon_load.allow), true) AS t (term, allow);
  RETURN target.version;
END
$$;
COMMENT ON FUNCTION lexicon_load(text, text[], text[], text[], integer, text[], text[], text, text, integer) IS
  'Opens a draft with terms to look for and terms that excuse, all of one severity (1 to 5), category scope, tags and basis, and gives its version number; with draft adds to that draft instead; terms that fold to nothing are refused (22023)';

CREATE FUNCTION lexicon_draft(lexicon text, version integer) RETURNS lexicon
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  found_version quality_gov.lexicon;
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_draft.lexicon) THEN
    RAISE EXCEPTION 'lexicon "%" does not exist', lexicon_draft.lexicon USING ERRCODE = 'undefined_object';
  END IF;
  SELECT * INTO found_version FROM quality_gov.lexicon l
  WHERE l.lexicon = lexicon_draft.lexicon
    AND CASE WHEN lexicon_draft.version IS NULL THEN l.state = 'draft' ELSE l.version = lexicon_draft.version END
  ORDER BY l.version DESC LIMIT 1;
  IF NOT FOUND AND lexicon_draft.version IS NULL THEN
    RAISE EXCEPTION 'lexicon "%" has no draft', lexicon_draft.lexicon
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Load one with lexicon_load().';
  ELSIF NOT FOUND THEN
    RAISE EXCEPTION 'lexicon "%" has no version %', lexicon_draft.lexicon, lexicon_draft.version
      USING ERRCODE = 'undefined_object';
  ELSIF found_version.state <> 'draft' THEN
    RAISE EXCEPTION 'version % of lexicon "%" is %, expected draft',
      found_version.version, found_version.lexicon, found_version.state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Load a new version with lexicon_load().';
  END IF;
  RETURN found_version;
END
$$;
COMMENT ON FUNCTION lexicon_draft(text, integer) IS
  'Gives a draft of a lexicon, the newest where version is null; an error says why there is none';

CREATE FUNCTION lexicon_publish(lexicon text, version integer DEFAULT NULL,
                                effective timestamptz DEFAULT now()) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  target quality_gov.lexicon;
  previous quality_gov.lexicon;
BEGIN
  IF lexicon_publish.lexicon IS NULL OR effective IS NULL OR NOT isfinite(effective) THEN
    RAISE EXCEPTION '%', CASE WHEN lexicon_publish.lexicon IS NULL THEN 'lexicon must not be null'
                              ELSE 'a version takes effect at a finite instant' END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov lexicon ' || lexicon_publish.lexicon, 0));
  -- Now is when the lock is held; another may have published since this transaction began.
  IF effective = now() THEN
    effective := clock_timestamp();
  END IF;
  target := lexicon_draft(lexicon_publish.lexicon, lexicon_publish.version);
  SELECT * INTO previous FROM quality_gov.lexicon l
  WHERE l.lexicon = target.lexicon AND l.state = 'active';
  IF effective < lower(previous.effect) THEN
    RAISE EXCEPTION 'version % of lexicon "%" cannot take effect before version %',
      target.version, target.lexicon, previous.version
      USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Version %s takes effect at %s, %s was given.',
                            previous.version, lower(previous.effect), effective);
  END IF;
  UPDATE quality_gov.lexicon l
  SET state = 'superseded', superseded_at = effective, effect = tstzrange(lower(l.effect), effective, '[)')
  WHERE l.lexicon = previous.lexicon AND l.version = previous.version;
  UPDATE quality_gov.lexicon l
  SET state = 'active', effect = tstzrange(effective, NULL, '[)'), published_at = clock_timestamp(),
      digest = lexicon_digest(l.lexicon, l.version)
  WHERE l.lexicon = target.lexicon AND l.version = target.version
  RETURNING l.* INTO target;
  PERFORM ledger_record('lexicon_publish', target.lexicon, jsonb_build_object(
    'version', target.version, 'effective', effective, 'digest', encode(target.digest, 'hex'),
    'supersedes', previous.version));
  RETURN target.version;
END
$$;
COMMENT ON FUNCTION lexicon_publish(text, integer, timestamptz) IS
  'Puts a draft, the newest where version is null, in force from the given instant, ends the version before it there, enters it in the ledger and gives the version number';
