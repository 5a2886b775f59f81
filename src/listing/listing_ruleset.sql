
-- listing: rule sets that are shipped; nothing of them is in force until ruleset_enable() is called

CREATE TABLE ruleset_rule (
  ruleset text NOT NULL,
  rule text NOT NULL,
  kind text NOT NULL,
  params jsonb NOT NULL,
  verdict text NOT NULL,
  on_missing text NOT NULL,
  severity text NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  effect tstzrange NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT ruleset_rule_pkey PRIMARY KEY (ruleset, rule, effect, builtin),
  CONSTRAINT ruleset_rule_verdict CHECK (verdict IN ('deny', 'quarantine', 'warn', 'shadow')),
  CONSTRAINT ruleset_rule_on_missing CHECK (on_missing IN ('deny', 'quarantine', 'warn', 'shadow', 'skip'))
);
COMMENT ON TABLE ruleset_rule IS
  'Rules that a rule set offers, each with its legal basis and the period over which the law is in force; ruleset_enable() publishes them as rules of the platform';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ruleset_rule', 'WHERE NOT builtin');

CREATE FUNCTION ruleset_needs(kind text, params jsonb, at timestamptz) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  names text[] := COALESCE(params_texts(params -> 'fields'), '{}') || COALESCE((params_texts(params -> 'any_of'))[1:1], '{}')
    || COALESCE((params_texts(params -> 'in'))[1:1], '{}')
    || CASE kind WHEN 'certificate' THEN '{certificate,product_type}'::text[] WHEN 'report' THEN '{report,standard,model}'
         WHEN 'label' THEN ARRAY[(params ->> 'scheme') || '_grade', 'model', 'producer'] WHEN 'price' THEN '{list_price,listing_id}'
         WHEN 'recall' THEN '{gtin,lot}' WHEN 'passport' THEN '{gtin}' ELSE '{}' END
    || CASE WHEN params ?| '{regime,except_regime}' THEN '{category}'::text[] ELSE '{}' END;
  unmapped text;
  empty text;
BEGIN
  SELECT string_agg(DISTINCT n, ', ') INTO unmapped FROM unnest(names) AS n
  WHERE NOT EXISTS (SELECT FROM guard g WHERE g.kind = 'listing' AND g.mapping ? n);
  SELECT string_agg(r, ', ') INTO empty FROM unnest(params_texts(params -> 'regime')) AS r
  WHERE NOT EXISTS (SELECT FROM category_regime c WHERE c.regime = r AND COALESCE(upper(c.effect), 'infinity') > at);
  RETURN nullif(concat_ws('; ', 'no guard maps ' || unmapped, 'no category is under ' || empty,
    CASE kind WHEN 'certificate' THEN CASE WHEN NOT EXISTS (SELECT FROM product_certificate) THEN 'product_certificate is empty' END
      WHEN 'label' THEN CASE WHEN NOT EXISTS (SELECT FROM product_label l WHERE l.scheme = params ->> 'scheme')
                             THEN 'product_label is empty' END
      WHEN 'price' THEN CASE WHEN NOT EXISTS (SELECT FROM listing_deal) THEN 'no deal is known' END END), '');
END
$$;
COMMENT ON FUNCTION ruleset_needs(text, jsonb, timestamptz) IS
  'What is not there yet that rules of a kind read: names no guard maps, regimes without categories, empty registers; null where nothing is missing';

CREATE FUNCTION ruleset_require(ruleset text, rules text[]) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  unknown text;
BEGIN
  IF NOT EXISTS (SELECT FROM ruleset_rule o WHERE o.ruleset = ruleset_require.ruleset) THEN
    RAISE EXCEPTION 'unknown rule set "%"', ruleset USING ERRCODE = 'undefined_object',
      HINT = (SELECT 'Rule sets are ' || string_agg(DISTINCT o.ruleset, ', ') || '.' FROM ruleset_rule o);
  END IF;
  SELECT n INTO unknown FROM unnest(rules) AS n
  WHERE NOT EXISTS (SELECT FROM ruleset_rule o WHERE o.ruleset = ruleset_require.ruleset AND o.rule = n);
  IF FOUND THEN
    RAISE EXCEPTION 'rule set "%" has no rule "%"', ruleset, unknown USING ERRCODE = 'undefined_object';
  END IF;
END
$$;
COMMENT ON FUNCTION ruleset_require(text, text[]) IS
  'Raises an error unless a rule set is offered, with every one of the rules named (42704)';

CREATE FUNCTION ruleset_enable(ruleset text, rules text[] DEFAULT NULL, effective timestamptz DEFAULT now(),
                               trial boolean DEFAULT false, owner text DEFAULT NULL, transition text DEFAULT NULL,
                               weighty boolean DEFAULT false)
  RETURNS TABLE (rule text, version integer, verdict text, effect tstzrange, needs text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  offer ruleset_rule;
  live listing_rule;
  since timestamptz;
BEGIN
  PERFORM ruleset_require(ruleset_enable.ruleset, rules);
  IF effective IS NULL OR NOT isfinite(effective) OR trial IS NULL THEN
    RAISE EXCEPTION 'a rule set is enabled from a finite instant, on trial or not' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Two calls at once would publish everything twice.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov ruleset ' || ruleset_enable.ruleset, 0));
  FOR offer IN
    SELECT DISTINCT ON (o.rule) * FROM ruleset_rule o
    WHERE o.ruleset = ruleset_enable.ruleset AND (rules IS NULL OR o.rule = ANY (rules))
      AND COALESCE(upper(o.effect), 'infinity') > effective
    ORDER BY o.rule, lower(o.effect), o.builtin
  LOOP
    rule := offer.rule;
    verdict := CASE WHEN trial THEN 'shadow' ELSE offer.verdict END;
    needs := ruleset_needs(offer.kind, offer.params, effective);
    SELECT * INTO live FROM listing_rule r
    WHERE r.rule = offer.rule AND r.state IN ('active', 'shadow') ORDER BY r.version DESC LIMIT 1;
    IF live.verdict = verdict AND live.kind = offer.kind AND live.params = offer.params AND live.title = offer.title
       AND live.legal_basis = offer.legal_basis AND live.severity = offer.severity AND live.on_missing = offer.on_missing THEN
      version := live.version;
      effect := live.effect;
    ELSE
      -- The law's own start, or the platform's, whichever is later.
      since := greatest(effective, lower(offer.effect));
      version := listing_rule_add(offer.rule, offer.kind, offer.params, verdict, offer.title, offer.legal_basis, offer.severity,
                                  effective => since, until => upper(offer.effect),
                                  owner => COALESCE(ruleset_enable.owner, 'rule set ' || ruleset_enable.ruleset),
                                  on_missing => offer.on_missing, platform_rule => transition IS NOT NULL,
                                  weighty => weighty, transition => transition);
      SELECT r.effect INTO effect FROM listing_rule r WHERE r.rule = offer.rule AND r.version = ruleset_enable.version;
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION ruleset_enable(text, text[], timestamptz, boolean, text, text, boolean) IS
  'Publishes the rules of a shipped rule set (only those named) as the platform''s own, each from the later of effective and the start of its law, with trial all as shadow beside what is in force; a rule that is published as offered stays as it is; a transition gives notice of each (平台规则办法 art 12); needs says what it lacks to find something';

CREATE FUNCTION ruleset_disable(ruleset text, rules text[] DEFAULT NULL, at timestamptz DEFAULT now()) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  name text;
  retired integer := 0;
BEGIN
  PERFORM ruleset_require(ruleset, rules);
  -- What another call enables at the moment is disabled, too.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov ruleset ' || ruleset, 0));
  FOR name IN
    SELECT DISTINCT r.rule FROM ruleset_rule o JOIN listing_rule r ON r.rule = o.rule AND r.state IN ('active', 'shadow')
    WHERE o.ruleset = ruleset_disable.ruleset AND (rules IS NULL OR o.rule = ANY (rules)) ORDER BY r.rule
  LOOP
    PERFORM listing_rule_retire(name, ruleset_disable.at);
    retired := retired + 1;
  END LOOP;
  RETURN retired;
END
$$;
COMMENT ON FUNCTION ruleset_disable(text, text[], timestamptz) IS
  'Retires the published rules of a rule set (only those named), also those whose law is not in force yet, and gives their number';
