
-- listing: notice of changes of platform rules (duty D11)

CREATE TABLE listing_transition (
  transition text NOT NULL,
  title text NOT NULL,
  needs_until boolean NOT NULL,
  weighty boolean NOT NULL,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT listing_transition_pkey PRIMARY KEY (transition),
  CONSTRAINT listing_transition_transition CHECK (transition ~ '^[a-z][a-z0-9_]{0,62}$')
);
COMMENT ON TABLE listing_transition IS
  'Ways from an old platform rule to a new one; needs_until: it must say when it ends; weighty: it may be chosen where the change is weighty, for which the law wants a transition (Order 116 art 13). Whoever leaves because of a change is settled by the old rule whatever is chosen (电子商务法 art 34, Order 116 art 14)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_transition', 'WHERE NOT builtin');
INSERT INTO listing_transition VALUES
  ('immediate', 'Applies to every listing from the instant it takes effect', false, false,
   '电子商务法 art 34', true),
  ('grace_period', 'Applies from the instant it takes effect; breaches have no consequence before the period ends', true, true,
   '网络交易平台规则监督管理办法 (Order 116) art 13', true),
  ('old_listings_keep', 'Applies to listings written from the instant it takes effect; those there before stay under the old rule until they change', false, true,
   '网络交易平台规则监督管理办法 (Order 116) art 13', true),
  ('old_listings_until', 'Applies to listings written from the instant it takes effect; those there before stay under the old rule until the period ends', true, true,
   '网络交易平台规则监督管理办法 (Order 116) art 13', true);
CREATE TRIGGER listing_transition_builtin BEFORE INSERT OR UPDATE OR DELETE ON listing_transition
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE listing_notice (
  notice_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  summary text,
  announced_at timestamptz NOT NULL,
  effective timestamptz NOT NULL,
  weighty boolean NOT NULL,
  days_required integer NOT NULL,
  transition text NOT NULL,
  transition_until timestamptz,
  source text,
  digest bytea,
  legal_basis text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT listing_notice_pkey PRIMARY KEY (notice_id),
  CONSTRAINT listing_notice_kind CHECK (kind IN ('lexicon', 'rule')),
  CONSTRAINT listing_notice_version CHECK (version > 0),
  CONSTRAINT listing_notice_effective CHECK (isfinite(announced_at) AND isfinite(effective) AND effective >= announced_at),
  CONSTRAINT listing_notice_until CHECK (isfinite(transition_until) AND transition_until > effective),
  CONSTRAINT listing_notice_digest CHECK (kind <> 'lexicon' OR digest IS NOT NULL)
);
CREATE INDEX listing_notice_name ON listing_notice (kind, name, version);
COMMENT ON TABLE listing_notice IS
  'Notices of changes of platform rules, append-only: of which version of a rule or lexicon, what changes, when it was announced and takes effect, the days the law asked for and the transition chosen; the newest of a version counts';
COMMENT ON COLUMN listing_notice.source IS 'Where else it was announced, when that was before it was recorded here';
COMMENT ON COLUMN listing_notice.digest IS
  'What lexicon_digest() or listing_rule_digest() gave of the version when it was announced; null of a rule that was drafted only later';
COMMENT ON COLUMN listing_notice.recorded_at IS 'When the notice was entered here';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_notice', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_notice_notice_id_seq', '');
CREATE TRIGGER listing_notice_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listing_notice
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION listing_notice_term(weighty boolean DEFAULT false, at timestamptz DEFAULT now(),
                                    OUT days integer, OUT earliest timestamptz, OUT legal_basis text)
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT r.amount, deadline_compute($2, r.amount, r.unit, 'CN', r.roll) AS ends, r.legal_basis
  FROM (SELECT DISTINCT ON (d.duty) d.* FROM quality_gov.duty_rule d
        WHERE (d.duty = 'D11' OR $1 AND d.duty = 'D11 weighty') AND d.effect @> $2
        ORDER BY d.duty, d.builtin) r
  ORDER BY ends DESC LIMIT 1
$$;
COMMENT ON FUNCTION listing_notice_term(boolean, timestamptz) IS
  'How many days a change announced at an instant must be public before it takes effect (duty D11: 7, 15 where many users, a large change or weighty interests are concerned), and the first instant at which it may; the day of the notice does not count, and a term that would end on a day off ends on the next working day';

CREATE FUNCTION listing_notice_add(kind text, name text, version integer, effective timestamptz,
                                   weighty boolean DEFAULT false, transition text DEFAULT NULL,
                                   until timestamptz DEFAULT NULL, summary text DEFAULT NULL,
                                   at timestamptz DEFAULT now(), source text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  term record;
  content bytea;
  added bigint;
BEGIN
  IF kind IS NULL OR kind NOT IN ('lexicon', 'rule') OR COALESCE(name, '') = '' OR COALESCE(version, 0) < 1 THEN
    RAISE EXCEPTION 'a notice is of a version of a rule or lexicon, found % "%" version %',
      COALESCE(kind, 'null'), name, version USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF effective IS NULL OR NOT isfinite(effective) OR weighty IS NULL OR at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a notice needs finite instants, and whether the change is weighty'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF at < now() AND COALESCE(source, '') = '' THEN
    RAISE EXCEPTION 'a notice given earlier needs a source' USING ERRCODE = 'invalid_parameter_value',
      DETAIL = format('It is said to have been announced at %s.', at), HINT = 'Say in source where it was announced.';
  END IF;
  IF kind = 'lexicon' THEN
    PERFORM quality_gov.lexicon_lock(name);
    content := quality_gov.lexicon_digest((quality_gov.lexicon_draft(name, version, true)).lexicon, version);
  ELSE
    -- Nobody rewrites the draft meanwhile.
    PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov listing_rule ' || name, 0));
    content := quality_gov.listing_rule_digest(name, version);
  END IF;
  at := CASE WHEN at = now() THEN clock_timestamp() ELSE at END;
  PERFORM quality_gov.listing_transition_check(transition, weighty, effective, until);
  term := quality_gov.listing_notice_term(weighty, at);
  IF effective < COALESCE(term.earliest, at) THEN
    RAISE EXCEPTION 'a change announced at % cannot take effect before %', at, COALESCE(term.earliest, at)
      USING ERRCODE = 'invalid_parameter_value',
            DETAIL = COALESCE(format('It must be public for %s days, the day of the notice not counted (%s); %s was given.',
                              term.days, term.legal_basis, effective), format('%s was given.', effective)),
            HINT = 'quality_gov.listing_notice_term() gives the first instant.';
  END IF;
  INSERT INTO quality_gov.listing_notice (kind, name, version, summary, announced_at, effective, weighty, days_required,
    transition, transition_until, source, digest, legal_basis, recorded_at)
  VALUES (kind, name, version, summary, at, effective, weighty, COALESCE(term.days, 0), transition, until, source, content,
          COALESCE(term.legal_basis, 'no rule in force'), clock_timestamp())
  RETURNING notice_id INTO added;
  PERFORM quality_gov.ledger_record('listing_notice', name, jsonb_build_object('notice', added, 'kind', kind,
    'version', version, 'announced_at', at, 'effective', effective, 'weighty', weighty, 'transition', transition,
    'until', until, 'source', source));
  RETURN added;
END
$$;
COMMENT ON FUNCTION listing_notice_add(text, text, integer, timestamptz, boolean, text, timestamptz, text, timestamptz, text) IS
  'Announces that a version of a rule or lexicon changes a platform rule, and gives the number of the notice; refuses an instant closer than listing_notice_term() allows (22023), a transition that is not a row of listing_transition or, where the change is weighty, none that the law wants; until ends the transition; at and source for a notice given elsewhere earlier';

CREATE FUNCTION listing_transition_check(transition text, weighty boolean, effective timestamptz, until timestamptz)
  RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  chosen quality_gov.listing_transition;
  wrong text;
BEGIN
  SELECT * INTO chosen FROM quality_gov.listing_transition t WHERE t.transition = listing_transition_check.transition;
  wrong := CASE
    WHEN transition IS NULL THEN 'a notice needs a transition'
    WHEN chosen.transition IS NULL THEN format('unknown transition "%s"', transition)
    WHEN weighty AND NOT chosen.weighty THEN format('transition "%s" is not for a weighty change', transition)
    WHEN chosen.needs_until AND until IS NULL THEN format('transition "%s" needs an end', transition)
    WHEN NOT chosen.needs_until AND until IS NOT NULL THEN format('transition "%s" has no end', transition)
    WHEN until <= effective OR NOT isfinite(until) THEN 'a transition ends at a finite instant after the change takes effect' END;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'invalid_parameter_value',
      HINT = CASE WHEN chosen.transition IS NULL OR weighty AND NOT chosen.weighty THEN
        'Choose one of: ' || (SELECT string_agg(t.transition, ', ' ORDER BY t.transition) FROM quality_gov.listing_transition t
                              WHERE t.weighty OR NOT listing_transition_check.weighty) || '.'
        ELSE 'Give until, or choose another transition; quality_gov.listing_transition lists them.' END;
  END IF;
END
$$;
COMMENT ON FUNCTION listing_transition_check(text, boolean, timestamptz, timestamptz) IS
  'Raises an error unless the transition is a row of listing_transition that may be chosen for the change, with an end where it needs one';

CREATE FUNCTION lexicon_notice(target lexicon, effective timestamptz, platform_rule boolean, weighty boolean,
                               transition text, until timestamptz, summary text) RETURNS listing_notice
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  notice quality_gov.listing_notice;
  added bigint;
  differs text;
BEGIN
  SELECT * INTO notice FROM quality_gov.listing_notice n
  WHERE n.kind = 'lexicon' AND n.name = target.lexicon AND n.version = target.version
  ORDER BY n.notice_id DESC LIMIT 1;
  IF NOT FOUND AND platform_rule IS TRUE THEN
    added := quality_gov.listing_notice_add('lexicon', target.lexicon, target.version, effective,
                                            COALESCE(weighty, false), transition, until, summary);
    SELECT * INTO notice FROM quality_gov.listing_notice n WHERE n.notice_id = added;
    RETURN notice;
  ELSIF notice.notice_id IS NULL THEN
    IF num_nonnulls(weighty, transition, until, summary) > 0 THEN
      RAISE EXCEPTION 'weighty, transition, until and summary are for a version that changes a platform rule'
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Give platform_rule => true.';
    END IF;
    RETURN NULL;
  END IF;
  -- What was announced is what comes into force.
  differs := CASE
    WHEN effective NOT IN (notice.effective, now()) THEN format('It announces %s, %s was given.', notice.effective, effective)
    WHEN weighty <> notice.weighty OR transition <> notice.transition OR until <> notice.transition_until
      OR summary <> notice.summary THEN 'It announces another weight, transition or summary.'
    WHEN notice.digest IS DISTINCT FROM quality_gov.lexicon_digest(target.lexicon, target.version)
      THEN 'Terms or folds have changed since.' END;
  IF differs IS NOT NULL THEN
    RAISE EXCEPTION 'version % of lexicon "%" is not what notice % announces', target.version, target.lexicon, notice.notice_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = differs,
            HINT = 'Publish what was announced, or announce anew with listing_notice_add().';
  END IF;
  RETURN notice;
END
$$;
COMMENT ON FUNCTION lexicon_notice(lexicon, timestamptz, boolean, boolean, text, timestamptz, text) IS
  'Gives the notice by which a version comes into force, making it where none was given before; null where it changes no platform rule; one that announces something else is an error (55000)';

CREATE VIEW listing_notice_public WITH (security_barrier) AS
  SELECT n.notice_id, n.kind, n.name, n.version, n.summary, n.announced_at, n.effective, n.transition,
         t.title AS transition_title, n.transition_until, n.source, n.legal_basis,
         EXISTS (SELECT FROM listing_notice l WHERE l.kind = n.kind AND l.name = n.name AND l.version = n.version
                 AND l.notice_id > n.notice_id) AS replaced,
         'Whoever does not accept the change may leave, and is settled by the rule before it (电子商务法 art 34; 网络交易平台规则监督管理办法 art 14)' AS exit
  FROM listing_notice n
  LEFT JOIN listing_transition t ON t.transition = n.transition;
COMMENT ON VIEW listing_notice_public IS
  'Notices of changes of platform rules as merchants and consumers read them, everybody''s to see: what changes, when, how the old goes over into the new, and whether a later notice replaces it';

CREATE VIEW listing_notice_due WITH (security_barrier) AS
  SELECT n.notice_id, n.kind, n.name, n.version, n.announced_at, n.effective, n.transition, n.transition_until,
         CASE WHEN NOT p.published AND n.effective <= now() THEN 'overdue'
              WHEN NOT p.published THEN 'announced'
              WHEN n.effective > now() THEN 'published' ELSE 'transition' END AS status
  FROM listing_notice n
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM lexicon l WHERE n.kind = 'lexicon' AND l.notice_id = n.notice_id)
           OR EXISTS (SELECT FROM listing_rule r WHERE n.kind = 'rule' AND r.rule = n.name AND r.version = n.version
                      AND r.state <> 'draft') AS published) p
  WHERE session_reads_all()
    AND (NOT p.published OR greatest(n.effective, n.transition_until) > now())
    AND NOT EXISTS (SELECT FROM listing_notice l WHERE l.kind = n.kind AND l.name = n.name AND l.version = n.version
                    AND l.notice_id > n.notice_id);
COMMENT ON VIEW listing_notice_due IS
  'Notices that still ask for something: announced (publish the version by effective), overdue (it was not), published (takes effect later), transition (in force, the old rule not yet gone)';
