
-- listing: what was in force, and judging by it

CREATE FUNCTION ruleset_asof(at timestamptz DEFAULT statement_timestamp(), OUT rule text, OUT version integer,
    OUT kind text, OUT state text, OUT verdict text, OUT severity text, OUT categories text[], OUT title text,
    OUT legal_basis text, OUT effect tstzrange, OUT lexicon text, OUT lexicon_version integer, OUT owner text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT r.rule, r.version, r.kind, CASE WHEN p.on_trial THEN 'shadow' ELSE 'active' END, r.verdict, r.severity,
         r.categories, r.title, r.legal_basis, p.effect, l.lexicon, l.version, r.owner
  FROM listing_rule_period p
  JOIN listing_rule r ON r.rule = p.rule AND r.version = p.version
  LEFT JOIN lexicon l ON l.lexicon = r.params ->> 'lexicon' AND l.state IN ('active', 'superseded')
    AND l.effect @> ruleset_asof.at
  WHERE p.effect @> ruleset_asof.at
  ORDER BY r.rule COLLATE "C", r.version;
END;
COMMENT ON FUNCTION ruleset_asof(timestamptz) IS
  'Rules in force (active) and on trial (shadow) at an instant, with the version of the lexicon each scans for';

CREATE TABLE listing_ruleset (
  ruleset_id bigint GENERATED ALWAYS AS IDENTITY,
  digest bytea NOT NULL,
  rules jsonb NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT listing_ruleset_pkey PRIMARY KEY (ruleset_id),
  CONSTRAINT listing_ruleset_rules CHECK (jsonb_typeof(rules) = 'object')
);
CREATE INDEX listing_ruleset_digest ON listing_ruleset (digest, ruleset_id);
COMMENT ON TABLE listing_ruleset IS
  'Sets of rule and lexicon versions that decisions were made by, found by the SHA-256 of their text; transactions that meet a new set at once each enter it, so that none waits for another; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_ruleset', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_ruleset_ruleset_id_seq', '');
CREATE TRIGGER listing_ruleset_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listing_ruleset
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION listing_ruleset_json(at timestamptz DEFAULT statement_timestamp()) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'qg_listing_ruleset_json' LANGUAGE c STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION listing_ruleset_json(timestamptz) IS
  'Versions in force at an instant: {"rules": {rule: version}, "lexicons": {lexicon: version}}, with "trial_rules" and "trial_lexicons" where any is on trial; lexicons are those that rules scan for';

CREATE FUNCTION listing_ruleset_id(ruleset jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  key bytea := sha256(convert_to(ruleset::text, 'UTF8'));
  id bigint;
BEGIN
  SELECT s.ruleset_id INTO id FROM quality_gov.listing_ruleset s
  WHERE s.digest = key ORDER BY s.ruleset_id LIMIT 1;
  IF id IS NULL THEN
    INSERT INTO quality_gov.listing_ruleset (digest, rules) VALUES (key, ruleset) RETURNING ruleset_id INTO id;
  END IF;
  RETURN id;
END
$$;
COMMENT ON FUNCTION listing_ruleset_id(jsonb) IS
  'Identifier of a set of versions, which is entered where it is new';

CREATE FUNCTION listing_rule_check(rule text, version integer, listing jsonb,
    at timestamptz DEFAULT statement_timestamp(), OUT outcome text, OUT verdict text, OUT severity text,
    OUT field text, OUT message text, OUT legal_basis text, OUT detail jsonb)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_listing_rule_check' LANGUAGE c STABLE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION listing_rule_check(text, integer, jsonb, timestamptz) IS
  'What one version of a rule, in whatever state, says of a listing: violation, missing (a value it needs) or exempt, with the verdict it would have in force; no row where it is satisfied or not about the category; exceptions are not applied';

CREATE FUNCTION listing_judge(listing jsonb, ruleset jsonb, at timestamptz DEFAULT statement_timestamp(),
    OUT rule text, OUT version integer, OUT verdict text, OUT severity text, OUT field text, OUT message text,
    OUT legal_basis text, OUT detail jsonb)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_listing_judge_sql' LANGUAGE c STABLE PARALLEL UNSAFE ROWS 5;
COMMENT ON FUNCTION listing_judge(jsonb, jsonb, timestamptz) IS
  'Findings of listing_check() by given versions of rules and lexicons, in the shape of listing_ruleset_json(), instead of those in force; without "lexicons" those in force at the instant';

CREATE FUNCTION listing_explain(listing jsonb, at timestamptz DEFAULT statement_timestamp(), OUT rule text,
    OUT version integer, OUT kind text, OUT state text, OUT outcome text, OUT verdict text, OUT "values" jsonb,
    OUT condition text, OUT field text, OUT message text, OUT legal_basis text, OUT detail jsonb)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_listing_explain' LANGUAGE c STABLE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION listing_explain(jsonb, timestamptz) IS
  'One row for each rule in force or on trial, and for the merchant and recalls, which are asked without a rule: what it asks, the values it read, and its outcome: violation, missing (a value it needs), exempt, pass, not_applicable (other categories)';

CREATE FUNCTION listing_replay(merchant_id text, decision_id bigint, OUT rule text, OUT version integer,
    OUT verdict text, OUT severity text, OUT field text, OUT message text, OUT legal_basis text, OUT detail jsonb)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  decision quality_gov.listing_decision;
  ruleset jsonb;
BEGIN
  SELECT * INTO decision FROM quality_gov.listing_decision d
  WHERE d.merchant_id = listing_replay.merchant_id AND d.decision_id = listing_replay.decision_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" has no decision %', listing_replay.merchant_id, listing_replay.decision_id
      USING ERRCODE = 'no_data_found';
  END IF;
  SELECT s.rules INTO ruleset FROM quality_gov.listing_ruleset s WHERE s.ruleset_id = decision.ruleset_id;
  IF decision.listing IS NULL OR ruleset IS NULL THEN
    RAISE EXCEPTION 'decision % of merchant "%" was recorded without what it was made from', decision_id, merchant_id
      USING ERRCODE = 'no_data_found', DETAIL = 'The values judged or the set of rules are missing.';
  END IF;
  IF jsonb_path_exists(decision.listing, '$.* ? (@.type() == "object")') THEN
    RAISE EXCEPTION 'decision % of merchant "%" was made on a text too long to keep', decision_id, merchant_id
      USING ERRCODE = 'no_data_found', DETAIL = 'Only its length and digest are recorded.';
  END IF;
  RETURN QUERY
    SELECT j.rule, j.version, COALESCE(ended.verdict, later.verdict, j.verdict), j.severity, j.field, j.message, j.legal_basis,
           CASE WHEN ended.verdict IS NOT NULL THEN COALESCE(j.detail, '{}') || jsonb_build_object('exception', ended.exception)
                WHEN later.verdict IS NULL THEN j.detail ELSE nullif(j.detail - 'exception', '{}') END
    FROM quality_gov.listing_judge(decision.listing, ruleset, decision.at) WITH ORDINALITY
      AS j (rule, version, verdict, severity, field, message, legal_basis, detail, n)
    -- An exception given since, for that instant too, was not there to be applied.
    LEFT JOIN LATERAL (
      SELECT j.detail #>> '{exception,verdict}' AS verdict FROM quality_gov.listing_exception e
      WHERE e.merchant_id = decision.merchant_id AND e.created_at > decision.recorded_at
        AND e.exception_id = (j.detail #>> '{exception,exception_id}')::bigint) later ON true
    -- One that was ended since for that instant, too, was there, as the finding tells.
    LEFT JOIN LATERAL (
      SELECT f.verdict, f.detail -> 'exception' AS exception FROM quality_gov.listing_finding f
      JOIN quality_gov.listing_exception e ON e.merchant_id = f.merchant_id AND NOT e.effect @> decision.at
        AND e.exception_id = (f.detail #>> '{exception,exception_id}')::bigint
      WHERE f.merchant_id = decision.merchant_id AND f.decision_id = decision.decision_id
        AND (f.rule, f.version, f.message) = (j.rule, j.version, j.message) AND f.field IS NOT DISTINCT FROM j.field
      LIMIT 1) ended ON true
    ORDER BY j.n;
END
$$;
COMMENT ON FUNCTION listing_replay(text, bigint) IS
  'Findings of a decision judged again: the stored values, by the stored versions of rules and lexicons, as of its instant; exceptions given since do not count, those ended since do';
