
-- listing: rules, as rows

CREATE FUNCTION listing_params_valid(kind text, params jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN COALESCE(jsonb_typeof(params) = 'object'
    AND CASE WHEN kind IN ('lexicon', 'required')
          THEN jsonb_typeof(params -> 'fields') = 'array' AND params -> 'fields' <> '[]'
               AND NOT jsonb_path_exists(params, '$.fields[*] ? (@.type() != "string")')
          ELSE true END
    AND CASE WHEN kind IN ('lexicon', 'license', 'watchlist')
          THEN jsonb_typeof(params -> kind) = 'string' ELSE true END, false);
COMMENT ON FUNCTION listing_params_valid(text, jsonb) IS
  'Whether params has the shape a rule kind needs: lexicon {"lexicon", "fields"}, required {"fields"}, license {"license"}, watchlist {"watchlist"}';

CREATE TABLE listing_rule (
  rule text NOT NULL,
  version integer NOT NULL,
  kind text NOT NULL,
  state text NOT NULL,
  verdict text NOT NULL,
  severity text NOT NULL,
  categories text[],
  params jsonb NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  effect tstzrange NOT NULL,
  superseded_at timestamptz,
  builtin boolean NOT NULL DEFAULT false,
  owner text,
  on_missing text,
  published_at timestamptz,
  notice_id bigint,
  CONSTRAINT listing_rule_pkey PRIMARY KEY (rule, version),
  CONSTRAINT listing_rule_rule CHECK (rule ~ '^[a-z][a-z0-9_.-]{0,62}$' AND rule NOT IN ('merchant_may', 'recall')),
  CONSTRAINT listing_rule_kind CHECK (kind IN ('lexicon', 'required', 'license', 'watchlist', 'recall', 'expression', 'page',
    'claim', 'certificate', 'report', 'label', 'price', 'brand', 'absolute_term', 'signal', 'duplicate')),
  CONSTRAINT listing_rule_params CHECK (listing_params_valid(kind, params)),
  CONSTRAINT listing_rule_state CHECK (state IN ('draft', 'shadow', 'active', 'retired')),
  CONSTRAINT listing_rule_verdict CHECK (verdict IN ('deny', 'quarantine', 'warn', 'shadow')),
  CONSTRAINT listing_rule_severity CHECK (severity IN ('low', 'medium', 'high', 'critical'))
);
COMMENT ON TABLE listing_rule IS
  'Rules of the listing audit by version: kind and params, verdict, categories (null: all; a category covers those below it), title, legal basis and period of effect; a published version is immutable';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_rule', 'WHERE NOT builtin');

CREATE FUNCTION listing_rule_protect() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.state <> 'draft'
       AND (OLD.superseded_at IS NULL OR OLD.superseded_at > now() - interval '3 years') THEN
      RAISE EXCEPTION 'version % of rule "%" was published and cannot be deleted yet', OLD.version, OLD.rule
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'Rule versions are kept for three years after they were superseded (网络交易监督管理办法 art 28, Order 116 art 15).';
    END IF;
    RETURN OLD;
  END IF;
  IF OLD.state <> 'draft'
     AND (to_jsonb(NEW) - '{state,effect,superseded_at}'::text[] IS DISTINCT FROM
          to_jsonb(OLD) - '{state,effect,superseded_at}'::text[]
          OR lower(NEW.effect) IS DISTINCT FROM lower(OLD.effect) AND NOT isempty(NEW.effect)
          OR NEW.state = 'draft') THEN
    RAISE EXCEPTION 'version % of rule "%" is published and cannot be changed', OLD.version, OLD.rule
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Publish a new version with quality_gov.listing_rule_add().';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION listing_rule_protect() IS 'Trigger: keeps published rule versions as they were';
CREATE TRIGGER listing_rule_protect BEFORE UPDATE OR DELETE ON listing_rule
  FOR EACH ROW EXECUTE FUNCTION listing_rule_protect();
CREATE TRIGGER listing_rule_truncate BEFORE TRUNCATE ON listing_rule
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER listing_rule_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON listing_rule
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION listing_rule_add(rule text, kind text, params jsonb, verdict text, title text,
    legal_basis text, severity text DEFAULT 'medium', categories text[] DEFAULT NULL,
    effective timestamptz DEFAULT now(), until timestamptz DEFAULT NULL, owner text DEFAULT NULL,
    on_missing text DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  latest quality_gov.listing_rule;
BEGIN
  IF kind IS NULL OR kind NOT IN ('lexicon', 'required', 'license', 'watchlist', 'recall', 'expression', 'page',
       'claim', 'certificate', 'report', 'label', 'price', 'brand', 'absolute_term', 'signal', 'duplicate') THEN
    RAISE EXCEPTION 'unknown rule kind "%"', kind USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Kinds are lexicon, required, license and watchlist.';
  END IF;
  IF NOT quality_gov.listing_params_valid(kind, params) THEN
    RAISE EXCEPTION 'params of a rule of kind "%" must be %, found %', kind,
      CASE kind WHEN 'lexicon' THEN '{"lexicon": name, "fields": [names]}'
                WHEN 'required' THEN '{"fields": [names]}'
                WHEN 'license' THEN '{"license": kind}' ELSE '{"watchlist": name}' END, COALESCE(params::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF effective IS NULL OR NOT isfinite(effective) OR until <= effective THEN
    RAISE EXCEPTION 'a rule needs a finite instant to begin, and must not end before it'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF kind = 'watchlist' AND NOT EXISTS (SELECT FROM quality_gov.watchlist w WHERE w.watchlist = params ->> 'watchlist') THEN
    RAISE EXCEPTION 'unknown list "%"', params ->> 'watchlist' USING ERRCODE = 'undefined_object';
  END IF;
  -- Two publications of one rule at once would both take the same version number.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov listing_rule ' || rule, 0));
  -- Now is when the lock is held; another may have published since this transaction began.
  IF effective = now() THEN
    effective := clock_timestamp();
  END IF;
  -- A rule whose lexicon is not in force fails every listing.
  IF kind = 'lexicon' AND NOT EXISTS (SELECT FROM quality_gov.lexicon l
       WHERE l.lexicon = params ->> 'lexicon' AND l.state IN ('active', 'superseded') AND l.effect @> effective) THEN
    RAISE EXCEPTION 'lexicon "%" has no version in force when the rule begins', params ->> 'lexicon'
      USING ERRCODE = 'undefined_object',
            HINT = 'Load and publish it first: quality_gov.lexicon_load(), quality_gov.lexicon_publish().';
  END IF;
  SELECT * INTO latest FROM quality_gov.listing_rule r
  WHERE r.rule = listing_rule_add.rule ORDER BY r.version DESC LIMIT 1;
  IF latest.state IN ('active', 'shadow') THEN
    IF effective <= lower(latest.effect) THEN
      RAISE EXCEPTION 'version % of rule "%" is in force from % on, a new version must begin later',
        latest.version, rule, lower(latest.effect) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE quality_gov.listing_rule r
    SET state = 'retired', superseded_at = effective,
        effect = r.effect * tstzrange(NULL, effective)
    WHERE r.rule = latest.rule AND r.version = latest.version;
  END IF;
  INSERT INTO quality_gov.listing_rule (rule, version, kind, state, verdict, severity, categories, params,
                                        title, legal_basis, effect, owner, on_missing)
  VALUES (rule, COALESCE(latest.version, 0) + 1, kind, CASE verdict WHEN 'shadow' THEN 'shadow' ELSE 'active' END,
          verdict, severity, categories, params, title, legal_basis, tstzrange(effective, until), owner, on_missing);
  PERFORM quality_gov.ledger_record('listing_rule', rule, jsonb_build_object(
    'version', COALESCE(latest.version, 0) + 1, 'kind', kind, 'verdict', verdict, 'params', params,
    'effective', effective, 'until', until));
  RETURN COALESCE(latest.version, 0) + 1;
END
$$;
COMMENT ON FUNCTION listing_rule_add(text, text, jsonb, text, text, text, text, text[], timestamptz, timestamptz, text, text) IS
  'Publishes a version of a rule in the place of the one before; verdict deny, quarantine, warn or shadow (on trial); gives the version';

CREATE FUNCTION listing_rule_retire(rule text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  UPDATE quality_gov.listing_rule r
  SET state = 'retired', superseded_at = listing_rule_retire.at,
      effect = r.effect * tstzrange(NULL, listing_rule_retire.at)
  WHERE r.rule = listing_rule_retire.rule AND r.state IN ('active', 'shadow') AND lower(r.effect) < listing_rule_retire.at;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'rule "%" is not in force', rule USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM quality_gov.ledger_record('listing_rule', rule, jsonb_build_object('retired', at));
END
$$;
COMMENT ON FUNCTION listing_rule_retire(text, timestamptz) IS 'Ends a rule without a successor';
