
-- listing: rules, as rows

CREATE TABLE listing_kind (
  kind text NOT NULL,
  title text NOT NULL,
  native boolean NOT NULL DEFAULT false,
  params text NOT NULL,
  reads text[] NOT NULL DEFAULT '{}',
  default_missing text NOT NULL DEFAULT 'verdict',
  subject text,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT listing_kind_pkey PRIMARY KEY (kind),
  CONSTRAINT listing_kind_kind CHECK (kind ~ '^[a-z][a-z0-9_]{0,47}$'),
  CONSTRAINT listing_kind_default_missing
    CHECK (default_missing IN ('verdict', 'deny', 'quarantine', 'warn', 'shadow', 'skip'))
);
COMMENT ON TABLE listing_kind IS
  'Kinds of rules: what rules of the kind ask, whether C judges them or the function quality_gov.rule_<kind>(params jsonb, listing jsonb, at timestamptz) RETURNS TABLE (outcome, field, message, detail), the shape of params, names they read beside those in params, what a missing value means where a rule does not say (verdict: the rule''s own), and the value without which there is nothing to ask, as "param=name where params has none"';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_kind', 'WHERE NOT builtin');
INSERT INTO listing_kind (kind, title, native, params, reads, default_missing, builtin, subject) VALUES
  ('lexicon', 'no term of a lexicon', true, '{"lexicon": name, "fields": [names]}', '{}', 'skip', true, NULL),
  ('required', 'values that must be given', true, '{"fields": [names]}', '{}', 'verdict', true, NULL),
  ('license', 'a licence that the merchant must hold', true, '{"license": kind}', '{merchant_id,category}', 'verdict', true, NULL),
  ('watchlist', 'a list that the merchant must not be on', true, '{"watchlist": name}', '{merchant_id}', 'verdict', true, NULL),
  ('recall', 'goods that are not recalled', true, '{}', '{gtin,lot}', 'skip', true, NULL),
  ('expression', 'an SQL/JSON path predicate that must not be true', true, '{"expression": path, "fields": [names it needs]}', '{}', 'verdict', true, NULL),
  ('page', 'what the page must show', false, 'an object', '{}', 'verdict', true, NULL),
  ('claim', 'no claim of a lexicon, but for what its goods may claim', false, '{"lexicon": name, "fields": [names]}', '{}', 'skip', true, NULL),
  ('certificate', 'a certificate on record that covers the goods', false, 'an object', '{certificate,product_type}', 'verdict', true, NULL),
  ('report', 'a test report that covers the goods', false, 'an object', '{report,standard,model}', 'verdict', true, NULL),
  ('label', 'label fields as on record', false, 'an object', '{model,producer}', 'verdict', true, NULL),
  ('price', 'a compared price that was really asked', false, 'an object', '{price,list_price}', 'verdict', true, 'compared=list_price'),
  ('brand', 'no look-alike of a protected brand', false, 'an object', '{brand,title}', 'skip', true, NULL),
  ('absolute_term', 'no absolute wording about the goods', false, '{"lexicon": name, "fields": [names]}', '{}', 'skip', true, NULL),
  ('signal', 'a score of an outside model below its threshold', false, '{"field": name, "model": text, "version": text, "threshold": number}', '{}', 'verdict', true, NULL),
  ('duplicate', 'goods that were not taken down before', false, 'an object', '{title}', 'skip', true, NULL),
  ('passport', 'a valid passport or codes of the goods', false, 'an object', '{gtin,lot,serial,passport_link}', 'verdict', true, NULL);
CREATE TRIGGER listing_kind_builtin BEFORE INSERT OR UPDATE OR DELETE ON listing_kind
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER listing_kind_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON listing_kind
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION listing_params_valid(kind text, params jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN COALESCE(jsonb_typeof(params) = 'object'
    AND CASE WHEN kind IN ('lexicon', 'required', 'expression')
          THEN jsonb_typeof(params -> 'fields') = 'array' AND (kind = 'expression' OR params -> 'fields' <> '[]')
               AND NOT jsonb_path_exists(params, '$.fields[*] ? (@.type() != "string")')
          ELSE true END
    AND CASE WHEN kind IN ('lexicon', 'license', 'watchlist', 'expression')
          THEN jsonb_typeof(params -> kind) = 'string' ELSE true END, false);
COMMENT ON FUNCTION listing_params_valid(text, jsonb) IS
  'Whether params has the shape a rule kind needs: lexicon {"lexicon", "fields"}, required {"fields"}, license {"license"}, watchlist {"watchlist"}, expression {"expression", "fields"}; an object for every other, whose function rule_<kind>_params_valid() says more';

CREATE FUNCTION listing_expression_fields(expression text) RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(array_agg(DISTINCT COALESCE(m[1], m[2]) ORDER BY COALESCE(m[1], m[2])), '{}')
  FROM regexp_matches(expression, '\$\.(?:([[:alpha:]_][[:alnum:]_]*)(?![[:alnum:]_]*\s*\()|"([^"\\]+)")', 'g') m;
END;
COMMENT ON FUNCTION listing_expression_fields(text) IS
  'Names of the members of the listing that an SQL/JSON path reads ($.name, $."name")';

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
  trial tstzrange,
  CONSTRAINT listing_rule_pkey PRIMARY KEY (rule, version),
  CONSTRAINT listing_rule_rule CHECK (rule ~ '^[a-z][a-z0-9_.-]{0,62}$' AND rule NOT IN ('merchant_may', 'recall')),
  CONSTRAINT listing_rule_version CHECK (version > 0),
  CONSTRAINT listing_rule_categories CHECK (
    categories IS NULL OR COALESCE(array_ndims(categories), 0) = 1 AND '' <> ALL (categories)
    AND array_position(categories, NULL) IS NULL),
  CONSTRAINT listing_rule_on_missing CHECK (on_missing IN ('deny', 'quarantine', 'warn', 'shadow', 'skip')),
  CONSTRAINT listing_rule_params CHECK (listing_params_valid(kind, params)),
  CONSTRAINT listing_rule_state CHECK (state IN ('draft', 'shadow', 'active', 'retired')),
  CONSTRAINT listing_rule_verdict CHECK (verdict IN ('deny', 'quarantine', 'warn', 'shadow')),
  CONSTRAINT listing_rule_severity CHECK (severity IN ('low', 'medium', 'high', 'critical'))
);
COMMENT ON TABLE listing_rule IS
  'Rules of the listing audit by version: kind and params, verdict, categories (null: all; a category covers those below it), title, legal basis and period of effect; a published version is immutable and kept for three years after it was superseded (Order 116 art 15)';
COMMENT ON COLUMN listing_rule.state IS
  'draft (asked of nobody), shadow (on trial over effect: findings bind nobody, also beside an active version), active (in force over effect), retired';
COMMENT ON COLUMN listing_rule.categories IS
  'Categories the rule is about; a listing without category is none of theirs, unless on_missing says what that means';
COMMENT ON COLUMN listing_rule.effect IS 'When the version is in force, or on trial where its state is shadow; empty: never';
COMMENT ON COLUMN listing_rule.superseded_at IS 'When the version went out of force; it is kept for three years from then';
COMMENT ON COLUMN listing_rule.owner IS 'Who answers for the rule';
COMMENT ON COLUMN listing_rule.on_missing IS
  'What a missing or unusable value means: deny, quarantine, warn, shadow or skip; null: as the kind says, most often the rule''s own verdict';
COMMENT ON COLUMN listing_rule.published_at IS 'When the version was published';
COMMENT ON COLUMN listing_rule.notice_id IS 'Notice that was given of the version, where it changes a platform rule (平台规则办法 art 12)';
COMMENT ON COLUMN listing_rule.trial IS 'When the version was on trial, once it no longer is';
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
  IF (OLD.rule, OLD.version, OLD.builtin) IS DISTINCT FROM (NEW.rule, NEW.version, NEW.builtin)
     OR OLD.state <> 'draft'
     AND (OLD.builtin
          OR to_jsonb(NEW) - '{state,effect,superseded_at,trial}'::text[] IS DISTINCT FROM
             to_jsonb(OLD) - '{state,effect,superseded_at,trial}'::text[]
          OR NOT CASE
               -- A version ends, or ends sooner than it was to.
               WHEN NEW.state IN (OLD.state, 'retired') AND OLD.state IN ('active', 'retired') THEN
                 NEW.effect <@ OLD.effect AND NEW.trial IS NOT DISTINCT FROM OLD.trial
                 AND (isempty(NEW.effect) OR lower(NEW.effect) IS NOT DISTINCT FROM lower(OLD.effect))
               -- A trial ends, with the version coming into force or without.
               WHEN OLD.state = 'shadow' AND NEW.state = 'retired' THEN
                 isempty(NEW.effect) AND NEW.trial <@ OLD.effect
               WHEN OLD.state = 'shadow' AND NEW.state = 'active' THEN
                 NEW.trial = OLD.effect * tstzrange(NULL, lower(NEW.effect))
               ELSE false END) THEN
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

CREATE VIEW listing_rule_period WITH (security_barrier) AS
  SELECT r.rule, r.version, r.state = 'shadow' AS on_trial,
         -- Rows that the extension ships do not change, so what ends them is a later version.
         CASE WHEN r.builtin THEN r.effect * tstzrange(NULL, (
                SELECT min(COALESCE(lower(l.effect), l.superseded_at)) FROM listing_rule l
                WHERE l.rule = r.rule AND l.version > r.version
                  AND (l.state = 'active' OR l.state = 'retired' AND (l.trial IS NULL OR NOT isempty(l.effect)))))
              ELSE r.effect END AS effect
  FROM listing_rule r
  WHERE r.state IN ('shadow', 'active', 'retired') AND NOT isempty(r.effect)
  UNION ALL
  SELECT r.rule, r.version, true, r.trial
  FROM listing_rule r
  WHERE NOT isempty(r.trial);
COMMENT ON VIEW listing_rule_period IS
  'When versions of rules were and are in force or on trial (on_trial: their findings bind nobody)';

CREATE FUNCTION listing_rule_subject(subject text, params jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN COALESCE(params ->> split_part(subject, '=', 1), split_part(subject, '=', 2));
COMMENT ON FUNCTION listing_rule_subject(text, jsonb) IS
  'Name of the value without which a rule has nothing to ask, from listing_kind.subject and params; null where it always asks';

CREATE FUNCTION listing_params_lines(value jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE jsonb_typeof(value) WHEN 'string' THEN value #>> '{}'
    WHEN 'array' THEN (SELECT string_agg(e.value, E'\n' ORDER BY e.n) FROM jsonb_array_elements_text(value) WITH ORDINALITY AS e(value, n)) END;
COMMENT ON FUNCTION listing_params_lines(jsonb) IS 'Strings of a parameter that is one string or an array of them, one a line';

CREATE VIEW listing_rule_compiled WITH (security_barrier) AS
  SELECT r.kind, r.rule, r.version, r.verdict, r.severity, r.title, r.legal_basis, r.params ->> r.kind AS argument,
         CASE jsonb_typeof(r.params -> 'fields')
           WHEN 'array' THEN ARRAY(SELECT f.value FROM jsonb_array_elements_text(r.params -> 'fields') WITH ORDINALITY f(value, n) ORDER BY f.n)
           WHEN 'string' THEN ARRAY[r.params ->> 'fields'] END AS fields,
         r.categories, COALESCE(r.on_missing, k.default_missing, 'verdict') AS missing, r.on_missing IS NOT NULL AS missing_given,
         ARRAY(SELECT n.name FROM unnest(k.reads
             || CASE WHEN jsonb_typeof(r.params -> 'fields') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(r.params -> 'fields')) END
             || CASE WHEN r.kind = 'expression' THEN listing_expression_fields(r.params ->> 'expression') END
             -- Params of kinds in SQL name fields by their own keys; what is none of the listing's is told as null.
             || CASE WHEN NOT k.native THEN ARRAY(
                  SELECT p.value #>> '{}' FROM jsonb_each(r.params) p
                  WHERE p.key NOT IN ('lexicon', 'model', 'version', 'regime', 'except_regime', 'statement', 'scheme')
                    AND jsonb_typeof(p.value) = 'string') END) AS n(name)
           GROUP BY n.name ORDER BY n.name) AS reads,
         COALESCE(k.title, r.kind) AS kind_title, r.params, r.params ->> 'lexicon' AS lexicon,
         listing_rule_subject(k.subject, r.params) AS subject,
         CASE WHEN r.params ? 'regime' THEN listing_params_lines(r.params -> 'regime') END AS regime,
         CASE WHEN r.params ? 'except_regime' THEN listing_params_lines(r.params -> 'except_regime') END AS except_regime
  FROM listing_rule r
  LEFT JOIN listing_kind k ON k.kind = r.kind;
COMMENT ON VIEW listing_rule_compiled IS
  'Versions of rules as the judge reads them, with what their kinds say: the names a rule needs (fields) and reads, and what a missing value means';
