
-- listing: publishing lexicons, on trial and in force, and ending them

CREATE FUNCTION lexicon_draft(lexicon text, version integer, or_shadow boolean DEFAULT false) RETURNS lexicon
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  found_version quality_gov.lexicon;
  shadow integer;
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_draft.lexicon) THEN
    RAISE EXCEPTION 'lexicon "%" does not exist', lexicon_draft.lexicon USING ERRCODE = 'undefined_object';
  END IF;
  SELECT * INTO found_version FROM quality_gov.lexicon l
  WHERE l.lexicon = lexicon_draft.lexicon
    AND CASE WHEN lexicon_draft.version IS NULL THEN l.state = 'draft' ELSE l.version = lexicon_draft.version END
  ORDER BY l.version DESC LIMIT 1;
  IF NOT FOUND AND lexicon_draft.version IS NULL THEN
    SELECT l.version INTO shadow FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_draft.lexicon AND l.state = 'shadow';
    RAISE EXCEPTION 'lexicon "%" has no draft', lexicon_draft.lexicon
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN or_shadow AND shadow IS NOT NULL THEN format('Version %s is on trial; publish it by its number.', shadow)
                        ELSE 'Load one with lexicon_load().' END;
  ELSIF NOT FOUND THEN
    RAISE EXCEPTION 'lexicon "%" has no version %', lexicon_draft.lexicon, lexicon_draft.version
      USING ERRCODE = 'undefined_object';
  ELSIF found_version.state <> 'draft' AND NOT (or_shadow AND found_version.state = 'shadow') THEN
    RAISE EXCEPTION 'version % of lexicon "%" is %, expected draft%',
      found_version.version, found_version.lexicon, found_version.state, CASE WHEN or_shadow THEN ' or shadow' ELSE '' END
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Load a new version with lexicon_load().';
  END IF;
  RETURN found_version;
END
$$;
COMMENT ON FUNCTION lexicon_draft(text, integer, boolean) IS
  'Gives a draft of a lexicon, the newest where version is null, or the version on trial where that will do; an error says why there is none';

CREATE FUNCTION lexicon_publish(lexicon text, version integer DEFAULT NULL, effective timestamptz DEFAULT now(),
                                state text DEFAULT 'active', platform_rule boolean DEFAULT false,
                                weighty boolean DEFAULT NULL, transition text DEFAULT NULL,
                                transition_until timestamptz DEFAULT NULL, summary text DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  target quality_gov.lexicon;
  notice quality_gov.listing_notice;
BEGIN
  IF state IS NULL OR state NOT IN ('active', 'shadow') OR effective IS NULL OR NOT isfinite(effective) THEN
    RAISE EXCEPTION '%', CASE WHEN effective IS NULL OR NOT isfinite(effective) THEN 'a version takes effect at a finite instant'
                              ELSE format('a version is published as active or shadow, not as %s', COALESCE(state, 'null')) END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.lexicon_lock(lexicon);
  target := quality_gov.lexicon_draft(lexicon, version, state = 'active');
  IF state = 'active' THEN
    notice := quality_gov.lexicon_notice(target, effective, platform_rule, weighty, transition, transition_until, summary);
  ELSIF platform_rule OR num_nonnulls(weighty, transition, transition_until, summary) > 0 THEN
    RAISE EXCEPTION 'a version on trial changes no platform rule' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give notice when you publish it as active.';
  END IF;
  -- Now is when the lock is held; another may have published since this transaction began.
  effective := CASE WHEN effective = now() THEN COALESCE(notice.effective, clock_timestamp()) ELSE effective END;
  IF state = 'active' THEN
    PERFORM quality_gov.lexicon_activate(target, effective, notice.notice_id);
  ELSE
    PERFORM quality_gov.lexicon_try(target, effective);
  END IF;
  PERFORM quality_gov.lexicon_compile(target.lexicon, target.version); -- so that no writer waits for it
  RETURN target.version;
END
$$;
COMMENT ON FUNCTION lexicon_publish(text, integer, timestamptz, text, boolean, boolean, text, timestamptz, text) IS
  'Puts a draft, the newest where version is null, or the version on trial in force from the given instant, ends the version before it there, enters it in the ledger and gives the version number; state shadow puts it on trial beside the active version instead; with platform_rule, or where the version was announced, by the notice of the change (D11): one given before, or one made now from weighty, transition, transition_until and summary as listing_notice_add() takes them';

CREATE FUNCTION lexicon_activate(target lexicon, effective timestamptz, notice_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  last record;
  content bytea := quality_gov.lexicon_digest(target.lexicon, target.version);
BEGIN
  IF target.digest <> content THEN
    RAISE EXCEPTION 'version % of lexicon "%" has changed since it went on trial', target.version, target.lexicon
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'lexicon_check() lists such versions; load a new one.';
  END IF;
  SELECT l.version, l.state, CASE l.state WHEN 'active' THEN lower(l.effect) ELSE upper(l.effect) END AS bound INTO last
  FROM quality_gov.lexicon l
  WHERE l.lexicon = target.lexicon AND l.state IN ('active', 'superseded') AND NOT isempty(l.effect)
  ORDER BY bound DESC, l.state LIMIT 1;
  IF effective < last.bound THEN
    RAISE EXCEPTION 'version % of lexicon "%" cannot take effect before version %',
      target.version, target.lexicon, last.version || CASE last.state WHEN 'active' THEN '' ELSE ' ended' END
      USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Version %s %s at %s, %s was given.', last.version,
                            CASE last.state WHEN 'active' THEN 'takes effect' ELSE 'ends' END, last.bound, effective);
  END IF;
  UPDATE quality_gov.lexicon l
  SET state = 'superseded', superseded_at = effective, effect = tstzrange(lower(l.effect), effective, '[)')
  WHERE l.lexicon = target.lexicon AND l.state = 'active'
  RETURNING l.version INTO last.version;
  UPDATE quality_gov.lexicon l
  SET state = 'active', effect = tstzrange(effective, NULL, '[)'), digest = content,
      published_at = COALESCE(l.published_at, clock_timestamp()), notice_id = lexicon_activate.notice_id,
      trial = CASE WHEN l.trial IS NOT NULL
              THEN tstzrange(lower(l.trial), greatest(lower(l.trial), effective), '[)') END
  WHERE l.lexicon = target.lexicon AND l.version = target.version;
  PERFORM quality_gov.ledger_record('lexicon_publish', target.lexicon, jsonb_build_object(
    'version', target.version, 'state', 'active', 'effective', effective, 'digest', encode(content, 'hex'),
    'supersedes', last.version, 'notice', notice_id));
END
$$;
COMMENT ON FUNCTION lexicon_activate(lexicon, timestamptz, bigint) IS
  'Puts a version in force in the place of the active one; for lexicon_publish()';

CREATE FUNCTION lexicon_try(target lexicon, effective timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  content bytea := quality_gov.lexicon_digest(target.lexicon, target.version);
  other integer;
BEGIN
  SELECT l.version INTO other FROM quality_gov.lexicon l WHERE l.lexicon = target.lexicon AND l.state = 'shadow';
  IF FOUND THEN
    RAISE EXCEPTION 'version % of lexicon "%" is on trial already', other, target.lexicon
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('Publish it, or end its trial: SELECT quality_gov.lexicon_end(%L, %s).', target.lexicon, other);
  END IF;
  UPDATE quality_gov.lexicon l
  SET state = 'shadow', effect = tstzrange(effective, NULL, '[)'), trial = tstzrange(effective, NULL, '[)'),
      published_at = clock_timestamp(), digest = content
  WHERE l.lexicon = target.lexicon AND l.version = target.version;
  PERFORM quality_gov.ledger_record('lexicon_publish', target.lexicon, jsonb_build_object(
    'version', target.version, 'state', 'shadow', 'effective', effective, 'digest', encode(content, 'hex')));
END
$$;
COMMENT ON FUNCTION lexicon_try(lexicon, timestamptz) IS
  'Puts a draft on trial; for lexicon_publish(); a lexicon has one version on trial at a time (55000)';

CREATE FUNCTION lexicon_end(lexicon text, version integer DEFAULT NULL, at timestamptz DEFAULT now()) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  target quality_gov.lexicon;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a trial ends at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.lexicon_lock(lexicon);
  at := CASE WHEN at = now() THEN clock_timestamp() ELSE at END;
  UPDATE quality_gov.lexicon l
  SET state = 'superseded', superseded_at = at, effect = 'empty',
      trial = tstzrange(lower(l.trial), greatest(lower(l.trial), at), '[)')
  WHERE l.lexicon = lexicon_end.lexicon AND l.state = 'shadow'
    AND (lexicon_end.version IS NULL OR l.version = lexicon_end.version)
  RETURNING l.* INTO target;
  IF NOT FOUND THEN
    RAISE EXCEPTION '%', CASE WHEN version IS NULL THEN format('lexicon "%s" has no version on trial', lexicon)
                              ELSE format('version %s of lexicon "%s" is not on trial', version, lexicon) END
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'An active version ends with lexicon_retire(), or when another is published.';
  END IF;
  PERFORM quality_gov.ledger_record('lexicon_end', target.lexicon, jsonb_build_object('version', target.version, 'at', at));
  RETURN target.version;
END
$$;
COMMENT ON FUNCTION lexicon_end(text, integer, timestamptz) IS
  'Ends the trial of a version that does not come into force, and gives its number; it is kept for three years';

CREATE FUNCTION lexicon_retire(lexicon text, at timestamptz DEFAULT now()) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  target quality_gov.lexicon;
  reader record;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a version ends at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.lexicon_lock(lexicon);
  at := CASE WHEN at = now() THEN clock_timestamp() ELSE at END;
  SELECT * INTO target FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_retire.lexicon AND l.state = 'active';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'lexicon "%" has no active version', lexicon USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF at < lower(target.effect) THEN
    RAISE EXCEPTION 'version % of lexicon "%" cannot end before it takes effect', target.version, lexicon
      USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('It takes effect at %s, %s was given.', lower(target.effect), at),
            HINT = 'To take it back, end it at the instant at which it would take effect.';
  END IF;
  -- A rule whose lexicon is not in force fails every listing.
  SELECT r.rule, r.version INTO reader FROM quality_gov.listing_rule r
  WHERE r.params ->> 'lexicon' = lexicon_retire.lexicon AND r.state <> 'draft'
    AND r.effect && tstzrange(at, NULL) ORDER BY r.rule LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'rule "%" reads lexicon "%"', reader.rule, lexicon
      USING ERRCODE = 'dependent_objects_still_exist',
            DETAIL = format('Version %s of the rule is in force after %s.', reader.version, at),
            HINT = 'Retire the rule first: quality_gov.listing_rule_retire().';
  END IF;
  UPDATE quality_gov.lexicon l
  SET state = 'superseded', superseded_at = at, effect = tstzrange(lower(l.effect), at, '[)')
  WHERE l.lexicon = target.lexicon AND l.version = target.version;
  PERFORM quality_gov.ledger_record('lexicon_retire', target.lexicon, jsonb_build_object('version', target.version, 'at', at));
  RETURN target.version;
END
$$;
COMMENT ON FUNCTION lexicon_retire(text, timestamptz) IS
  'Ends the active version without a successor and gives its number; refused while a rule reads the lexicon after that instant (2BP01); the version is kept for three years';
