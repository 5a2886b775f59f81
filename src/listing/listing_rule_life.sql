
-- listing: the life of a rule version

CREATE FUNCTION listing_expression_check(expression text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  path jsonpath;
  reason text;
  place integer;
BEGIN
  IF char_length(expression) > 2000 THEN
    RAISE EXCEPTION 'expression has % characters, the limit is 2000', char_length(expression)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  BEGIN
    path := expression::jsonpath;
  EXCEPTION WHEN syntax_error OR data_exception OR feature_not_supported THEN
    reason := SQLERRM;
  END;
  -- The server does not say where: it is the end of the shortest beginning that can no longer be completed.
  FOR place IN 1 .. char_length(expression) LOOP
    EXIT WHEN reason IS NULL;
    BEGIN
      PERFORM left(expression, place)::jsonpath;
    EXCEPTION WHEN syntax_error OR data_exception OR feature_not_supported THEN
      IF SQLERRM = reason AND reason !~ ' at end of ' OR place = char_length(expression) THEN
        RAISE EXCEPTION 'expression is not an SQL/JSON path: %', reason
          USING ERRCODE = 'invalid_parameter_value',
                DETAIL = format('At character %s: %s', place, right(left(expression, place), 40));
      END IF;
    END;
  END LOOP;
  IF expression = '' OR NOT COALESCE(jsonb_path_query_array('{}', path, '{"at": "2026-01-01 00:00:00+00", "today": "2026-01-01"}', true)
           IN ('[true]', '[false]', '[null]'), false) THEN
    RAISE EXCEPTION 'expression is not a predicate'
      USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('It gives values, not true or false: %s', left(expression, 80)),
            HINT = 'For example: $.price.double() > 100 && $.title like_regex "tea".';
  END IF;
END
$$;
COMMENT ON FUNCTION listing_expression_check(text) IS
  'Raises an error, with the character where it goes wrong, unless a text is an SQL/JSON path predicate; variables are $at and $today (China)';

CREATE FUNCTION listing_params_check(kind text, params jsonb) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  known quality_gov.listing_kind;
  wanted text;
BEGIN
  SELECT * INTO known FROM quality_gov.listing_kind k WHERE k.kind = listing_params_check.kind;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown rule kind "%"', kind USING ERRCODE = 'invalid_parameter_value',
      HINT = 'The table quality_gov.listing_kind lists the kinds.';
  END IF;
  -- A rule needs what its path reads, unless it says otherwise.
  IF kind = 'expression' AND jsonb_typeof(params) = 'object' AND NOT params ? 'fields' THEN
    params := params || jsonb_build_object('fields', listing_expression_fields(params ->> 'expression'));
  END IF;
  IF NOT quality_gov.listing_params_valid(kind, params) THEN
    wanted := known.params;
  ELSIF to_regprocedure(format('quality_gov.rule_%s_params_valid(jsonb)', kind)) IS NOT NULL THEN
    EXECUTE format('SELECT quality_gov.%I($1)', 'rule_' || kind || '_params_valid') INTO wanted USING params;
  END IF;
  IF wanted IS NOT NULL THEN
    RAISE EXCEPTION 'params of a rule of kind "%" must be %, found %', kind, wanted, COALESCE(params::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT known.native
     AND to_regprocedure(format('quality_gov.rule_%s(jsonb, jsonb, timestamp with time zone)', kind)) IS NULL THEN
    RAISE EXCEPTION 'rules of kind "%" need the function quality_gov.rule_%(jsonb, jsonb, timestamptz), which does not exist',
      kind, kind USING ERRCODE = 'undefined_function';
  END IF;
  IF kind = 'expression' THEN
    PERFORM quality_gov.listing_expression_check(params ->> 'expression');
  ELSIF kind = 'watchlist' AND NOT EXISTS (
    SELECT FROM quality_gov.watchlist w WHERE w.watchlist = params ->> 'watchlist') THEN
    RAISE EXCEPTION 'unknown list "%"', params ->> 'watchlist' USING ERRCODE = 'undefined_object';
  END IF;
  RETURN params;
END
$$;
COMMENT ON FUNCTION listing_params_check(text, jsonb) IS
  'Raises an error unless params is what a rule of the kind can be judged by; gives params complete: an expression without "fields" needs every name it reads';

CREATE FUNCTION listing_rule_draft(rule text, kind text, params jsonb, verdict text, title text,
    legal_basis text, severity text DEFAULT 'medium', categories text[] DEFAULT NULL,
    owner text DEFAULT NULL, on_missing text DEFAULT NULL, draft integer DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found quality_gov.listing_rule;
BEGIN
  params := quality_gov.listing_params_check(kind, params);
  IF kind = 'required' AND on_missing IS NOT NULL THEN
    RAISE EXCEPTION 'a rule of kind "required" has no on_missing, missing values are what it is about'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Two drafts or publications of one rule at once would take the same version number.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov listing_rule ' || rule, 0));
  IF draft IS NULL THEN
    INSERT INTO quality_gov.listing_rule AS r (rule, version, kind, state, verdict, severity, categories, params,
                                               title, legal_basis, effect, owner, on_missing)
    VALUES (rule, (SELECT COALESCE(max(l.version), 0) + 1 FROM quality_gov.listing_rule l
                   WHERE l.rule = listing_rule_draft.rule),
            kind, 'draft', verdict, severity, categories, params, title, legal_basis, 'empty', owner, on_missing)
    RETURNING r.* INTO found;
  ELSE
    SELECT * INTO found FROM quality_gov.listing_rule r
    WHERE r.rule = listing_rule_draft.rule AND r.version = draft FOR UPDATE;
    IF found.state IS DISTINCT FROM 'draft' THEN
      RAISE EXCEPTION 'version % of rule "%" is not a draft', draft, rule
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Leave out the version to begin a new draft.';
    END IF;
    UPDATE quality_gov.listing_rule r
    SET kind = listing_rule_draft.kind, verdict = listing_rule_draft.verdict, severity = listing_rule_draft.severity,
        categories = listing_rule_draft.categories, params = listing_rule_draft.params, title = listing_rule_draft.title,
        legal_basis = listing_rule_draft.legal_basis, owner = listing_rule_draft.owner,
        on_missing = listing_rule_draft.on_missing
    WHERE r.rule = found.rule AND r.version = found.version;
  END IF;
  RETURN found.version;
END
$$;
COMMENT ON FUNCTION listing_rule_draft(text, text, jsonb, text, text, text, text, text[], text, text, integer) IS
  'Begins a draft of a rule, or rewrites the draft given, and gives its version; listing_rule_check() tries it, listing_rule_publish() puts it in force';

CREATE FUNCTION listing_rule_discard(rule text, draft integer) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  DELETE FROM quality_gov.listing_rule r
  WHERE r.rule = listing_rule_discard.rule AND r.version = draft AND r.state = 'draft' AND NOT r.builtin;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'version % of rule "%" is not a draft', draft, rule USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
END
$$;
COMMENT ON FUNCTION listing_rule_discard(text, integer) IS 'Drops a draft of a rule; what was published stays';

CREATE FUNCTION listing_rule_publish(rule text, version integer DEFAULT NULL, state text DEFAULT 'active',
    effective timestamptz DEFAULT now(), until timestamptz DEFAULT NULL, platform_rule boolean DEFAULT false,
    weighty boolean DEFAULT false, transition text DEFAULT NULL, transition_until timestamptz DEFAULT NULL,
    summary text DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  target quality_gov.listing_rule;
  other quality_gov.listing_rule;
  notice record;
BEGIN
  IF listing_rule_publish.state IS NULL OR listing_rule_publish.state NOT IN ('active', 'shadow') THEN
    RAISE EXCEPTION 'a version is published active or shadow, found %', COALESCE(quote_literal(listing_rule_publish.state), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF effective IS NULL OR NOT isfinite(effective) OR until <= effective THEN
    RAISE EXCEPTION 'a rule needs a finite instant to begin, and must not end before it'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov listing_rule ' || listing_rule_publish.rule, 0));
  SELECT * INTO target FROM quality_gov.listing_rule r
  WHERE r.rule = listing_rule_publish.rule
    AND CASE WHEN listing_rule_publish.version IS NULL THEN r.state = 'draft' ELSE r.version = listing_rule_publish.version END
  ORDER BY r.version DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION '%', CASE WHEN listing_rule_publish.version IS NULL THEN format('rule "%s" has no draft', listing_rule_publish.rule)
      ELSE format('version %s of rule "%s" does not exist', listing_rule_publish.version, listing_rule_publish.rule) END
      USING ERRCODE = 'undefined_object', HINT = 'Begin one with quality_gov.listing_rule_draft().';
  ELSIF target.builtin OR NOT (target.state = 'draft' OR target.state = 'shadow' AND listing_rule_publish.state = 'active') THEN
    RAISE EXCEPTION 'version % of rule "%" is % already', target.version, target.rule, target.state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Only drafts are published, and versions on trial put in force.';
  END IF;
  SELECT * INTO notice FROM quality_gov.listing_rule_notice(target.rule, target.version, listing_rule_publish.state,
    effective, platform_rule, weighty, transition, transition_until, summary);
  effective := notice.begins;
  IF until <= effective THEN
    RAISE EXCEPTION 'a rule must not end before it begins, at %', effective USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- What could be relied on when the draft was written may be gone.
  PERFORM quality_gov.listing_params_check(target.kind, target.params);
  -- Nobody retires the lexicon between this look and the publication.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('quality_gov lexicon ' || (target.params ->> 'lexicon'), 0));
  IF target.params ? 'lexicon' AND NOT EXISTS (
       SELECT FROM quality_gov.lexicon l
       WHERE l.lexicon = target.params ->> 'lexicon' AND l.effect @> effective
         AND l.state = ANY (CASE listing_rule_publish.state WHEN 'shadow' THEN '{active,superseded,shadow}' ELSE '{active,superseded}' END::text[])) THEN
    -- A rule whose lexicon is not in force fails every listing.
    RAISE EXCEPTION 'lexicon "%" has no version in force when the rule begins', target.params ->> 'lexicon'
      USING ERRCODE = 'undefined_object',
            HINT = 'Load and publish it first: quality_gov.lexicon_load(), quality_gov.lexicon_publish().';
  END IF;

  -- A version in force gives way to another in force, one on trial to either.
  FOR other IN SELECT * FROM quality_gov.listing_rule r
               WHERE r.rule = target.rule AND r.state <> 'draft' AND NOT isempty(r.effect)
                 AND (r.state = 'shadow' OR listing_rule_publish.state = 'active')
                 AND (r.state <> 'retired' OR COALESCE(upper(r.effect) > effective, true))
               ORDER BY r.version LOOP
    IF effective <= lower(other.effect)
       AND ((other.state = 'shadow') = (listing_rule_publish.state = 'shadow') OR other.version = target.version) THEN
      RAISE EXCEPTION 'version % of rule "%" is in force from % on, a new version must begin later',
        other.version, other.rule, lower(other.effect) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    CONTINUE WHEN other.version = target.version OR other.builtin;
    UPDATE quality_gov.listing_rule r
    SET state = 'retired', superseded_at = LEAST(r.superseded_at, effective),
        trial = CASE r.state WHEN 'shadow' THEN r.effect * tstzrange(NULL, effective) ELSE r.trial END,
        effect = CASE r.state WHEN 'shadow' THEN 'empty' ELSE r.effect * tstzrange(NULL, effective) END
    WHERE r.rule = other.rule AND r.version = other.version;
  END LOOP;
  UPDATE quality_gov.listing_rule r
  SET state = listing_rule_publish.state, effect = tstzrange(effective, until),
      trial = CASE r.state WHEN 'shadow' THEN r.effect * tstzrange(NULL, effective) END,
      published_at = COALESCE(r.published_at, clock_timestamp()), notice_id = notice.notice_id
  WHERE r.rule = target.rule AND r.version = target.version;
  PERFORM quality_gov.ledger_record('listing_rule', target.rule, jsonb_build_object(
    'version', target.version, 'kind', target.kind, 'state', listing_rule_publish.state, 'verdict', target.verdict,
    'params', target.params, 'owner', target.owner, 'effective', effective, 'until', until, 'notice_id', notice.notice_id));
  RETURN target.version;
END
$$;
COMMENT ON FUNCTION listing_rule_publish(text, integer, text, timestamptz, timestamptz, boolean, boolean, text, timestamptz, text) IS
  'Publishes a draft, the newest where version is null: active in the place of the version in force, or shadow on trial beside it; an active version ends the trial of others, and one on trial can be put in force; with platform_rule, or where the version was announced, by the notice of the change (D11): one given before, or one made now, which needs the transition chosen';

CREATE FUNCTION listing_rule_digest(rule text, version integer) RETURNS bytea
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT sha256(convert_to(jsonb_build_array(r.kind, r.verdict, r.severity, r.categories, r.params, r.title, r.legal_basis,
                                             r.on_missing)::text, 'UTF8'))
  FROM listing_rule r WHERE r.rule = listing_rule_digest.rule AND r.version = listing_rule_digest.version;
END;
COMMENT ON FUNCTION listing_rule_digest(text, integer) IS
  'SHA-256 of what a version of a rule asks and what follows; null where there is no such version';

CREATE FUNCTION listing_rule_notice(rule text, version integer, state text, effective timestamptz, platform_rule boolean,
    weighty boolean, transition text, transition_until timestamptz, summary text, OUT notice_id bigint, OUT begins timestamptz)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  given record;
BEGIN
  -- Now is when the lock is held; another may have published since this transaction began.
  begins := CASE WHEN effective = now() THEN clock_timestamp() ELSE effective END;
  IF platform_rule IS NOT TRUE AND (weighty OR num_nonnulls(transition, transition_until, summary) > 0) THEN
    RAISE EXCEPTION 'weighty, transition and what else a notice says are for a version that changes a platform rule'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give platform_rule => true.';
  ELSIF platform_rule AND state = 'shadow' THEN
    RAISE EXCEPTION 'a version on trial changes no platform rule' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give notice when you put it in force.';
  ELSIF state = 'shadow' THEN
    RETURN;
  END IF;
  SELECT n.notice_id, n.effective, n.digest INTO given FROM quality_gov.listing_notice n
  WHERE n.kind = 'rule' AND n.name = listing_rule_notice.rule AND n.version = listing_rule_notice.version
  ORDER BY n.notice_id DESC LIMIT 1;
  IF given.notice_id IS NOT NULL AND (transition IS NOT NULL OR listing_rule_notice.effective <> now() AND begins < given.effective) THEN
    RAISE EXCEPTION 'version % of rule "%" was announced to take effect at %', version, rule, given.effective
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Publish it as announced, or give a new notice with quality_gov.listing_notice_add().';
  ELSIF given.digest <> quality_gov.listing_rule_digest(rule, version) THEN
    RAISE EXCEPTION 'version % of rule "%" is not what notice % announces', version, rule, given.notice_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'The draft has changed since.',
            HINT = 'Publish what was announced, or announce anew with quality_gov.listing_notice_add().';
  ELSIF given.notice_id IS NOT NULL THEN
    notice_id := given.notice_id;
    begins := greatest(begins, given.effective);
  ELSIF platform_rule THEN
    notice_id := quality_gov.listing_notice_add('rule', rule, version, begins, weighty => weighty, transition => transition,
                                                until => transition_until, summary => summary);
  END IF;
END
$$;
COMMENT ON FUNCTION listing_rule_notice(text, integer, text, timestamptz, boolean, boolean, text, timestamptz, text) IS
  'Gives the notice by which a version of a rule comes into force, null where it changes no platform rule, and when it begins: not before what was announced';

CREATE FUNCTION listing_rule_add(rule text, kind text, params jsonb, verdict text, title text,
    legal_basis text, severity text DEFAULT 'medium', categories text[] DEFAULT NULL,
    effective timestamptz DEFAULT now(), until timestamptz DEFAULT NULL, owner text DEFAULT NULL,
    on_missing text DEFAULT NULL, platform_rule boolean DEFAULT false, weighty boolean DEFAULT false,
    transition text DEFAULT NULL, transition_until timestamptz DEFAULT NULL, summary text DEFAULT NULL) RETURNS integer
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT listing_rule_publish(listing_rule_add.rule,
    listing_rule_draft(listing_rule_add.rule, listing_rule_add.kind, listing_rule_add.params, listing_rule_add.verdict,
      listing_rule_add.title, listing_rule_add.legal_basis, listing_rule_add.severity, listing_rule_add.categories,
      listing_rule_add.owner, listing_rule_add.on_missing),
    CASE listing_rule_add.verdict WHEN 'shadow' THEN 'shadow' ELSE 'active' END,
    listing_rule_add.effective, listing_rule_add.until, listing_rule_add.platform_rule, listing_rule_add.weighty,
    listing_rule_add.transition, listing_rule_add.transition_until, listing_rule_add.summary);
END;
COMMENT ON FUNCTION listing_rule_add(text, text, jsonb, text, text, text, text, text[], timestamptz, timestamptz, text, text, boolean, boolean, text, timestamptz, text) IS
  'Drafts and publishes a version of a rule in one call; verdict deny, quarantine, warn or shadow (on trial beside the version in force); gives the version';

CREATE FUNCTION listing_rule_retire(rule text, at timestamptz DEFAULT now(), version integer DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  ended integer[];
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a rule ends at a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov listing_rule ' || rule, 0));
  at := CASE WHEN at = now() THEN clock_timestamp() ELSE at END;
  -- A version that a later one is to end ends sooner, and one that is yet to begin never does.
  WITH done AS (
    UPDATE quality_gov.listing_rule r
    SET state = 'retired', superseded_at = LEAST(r.superseded_at, listing_rule_retire.at),
        trial = CASE r.state WHEN 'shadow' THEN r.effect * tstzrange(NULL, listing_rule_retire.at) ELSE r.trial END,
        effect = CASE r.state WHEN 'shadow' THEN 'empty' ELSE r.effect * tstzrange(NULL, listing_rule_retire.at) END
    WHERE r.rule = listing_rule_retire.rule AND r.state <> 'draft' AND NOT r.builtin AND NOT isempty(r.effect)
      AND COALESCE(upper(r.effect) > listing_rule_retire.at, true)
      AND (r.state <> 'retired' OR upper(r.effect) > clock_timestamp())
      AND (lower(r.effect) < listing_rule_retire.at OR lower(r.effect) > clock_timestamp())
      AND (listing_rule_retire.version IS NULL OR r.version = listing_rule_retire.version)
    RETURNING r.version)
  SELECT array_agg(d.version ORDER BY d.version) INTO ended FROM done d;
  -- A row that the extension ships stays as it is; a later version that was never in force ends it.
  INSERT INTO quality_gov.listing_rule (rule, version, kind, state, verdict, severity, categories, params, title,
                                        legal_basis, effect, superseded_at, owner, on_missing, published_at)
  SELECT r.rule, (SELECT max(m.version) + 1 FROM quality_gov.listing_rule m WHERE m.rule = r.rule), r.kind, 'retired',
         r.verdict, r.severity, r.categories, r.params, r.title, r.legal_basis, 'empty', listing_rule_retire.at,
         r.owner, r.on_missing, clock_timestamp()
  FROM quality_gov.listing_rule r
  JOIN quality_gov.listing_rule_period p ON p.rule = r.rule AND p.version = r.version
  WHERE r.rule = listing_rule_retire.rule AND r.builtin AND p.effect @> listing_rule_retire.at
    AND lower(p.effect) < listing_rule_retire.at
    AND (listing_rule_retire.version IS NULL OR r.version = listing_rule_retire.version)
  ORDER BY r.version DESC LIMIT 1;
  IF ended IS NULL AND NOT FOUND THEN
    RAISE EXCEPTION 'rule "%" is not in force', rule USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM quality_gov.ledger_record('listing_rule', rule,
    jsonb_strip_nulls(jsonb_build_object('retired', at, 'versions', to_jsonb(ended))));
END
$$;
COMMENT ON FUNCTION listing_rule_retire(text, timestamptz, integer) IS
  'Ends a rule without a successor, those of its versions that are yet to begin too, or one version of it, such as the one on trial';
