-- What a missing value means, by kind and by rule; kinds that are functions in SQL; lexicons on trial.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
CREATE FUNCTION said(rule text, listing jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(concat_ws(' ', outcome, verdict, COALESCE(field, '-'), message, detail), '; '), 'satisfied')
  FROM quality_gov.listing_rule_check(said.rule, 1, listing, '2026-11-20') $$;
CREATE FUNCTION judged(listing jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(format('%s %s %s', rule, verdict, COALESCE(field, '-')), '; '), 'clean')
  FROM quality_gov.listing_check('{"merchant_id": "m-1"}' || listing, '2026-11-20') $$;

-- every verdict that a rule can give a missing value, beside its own
SELECT listing_rule_draft('need-' || COALESCE(m, 'own'), 'expression', '{"expression": "$.power.double() > 2000"}', 'deny', 'too strong', 'b', on_missing => m)
FROM unnest('{deny,quarantine,warn,shadow,skip,NULL}'::text[]) m;
SELECT rule, said(rule, '{}'), said(rule, '{"power": "3000"}') FROM listing_rule ORDER BY rule COLLATE "C";
-- null, blank and absent are one
SELECT l, said('need-warn', l) FROM unnest(ARRAY['{"power": null}', '{"power": "\t "}', '{"Power": "1"}', '{"power": "1"}']::jsonb[]) l;
-- a licence without a merchant, a recall without a GTIN; the implicit check of recalls stays
SELECT listing_rule_add('ccc', 'license', '{"license": "ccc"}', 'warn', 'CCC', 'b', effective => '2026-01-01'),
       listing_rule_add('pulled', 'recall', '{}', 'warn', 'goods under recall', 'b', effective => '2026-01-01'),
       listing_rule_draft('pulled-strict', 'recall', '{}', 'deny', 'goods under recall', 'b', on_missing => 'quarantine');
SELECT said('ccc', '{}'), said('pulled', '{}'), said('pulled-strict', '{}');
SELECT recall_open('Kettle', '[{"gtin": "6901234567892"}]', 'shock', 'Order 19', at => '2026-11-02') IS NOT NULL AS opened;
SELECT said('pulled', '{"gtin": "6901234567892"}'), said('pulled', '{"gtin": "6901234567885"}');
SELECT judged('{"gtin": "6901234567892"}');
SELECT listing_rule_retire('ccc', '2026-11-01'), listing_rule_retire('pulled', '2026-11-01');

-- without a category a rule of some categories is asked only where it says what that means
SELECT listing_rule_add('toys', 'required', '{"fields": ["age"]}', 'deny', 'age group', 'b', categories => '{toys}', effective => '2026-01-01'),
       listing_rule_add('toys-sure', 'expression', '{"expression": "$.age.double() < 3"}', 'deny', 'small parts', 'b', categories => '{toys}', on_missing => 'warn', effective => '2026-01-01');
SELECT l, judged(l) FROM unnest(ARRAY['{}', '{"category": "toys"}', '{"category": "toys/wood", "age": "2"}', '{"category": "toysrus"}', '{"age": "2"}']::jsonb[]) l;

-- a kind of the platform's own
INSERT INTO listing_kind (kind, title, params, reads, default_missing) VALUES ('weight', 'a weight within limits', '{"most": number}', '{weight}', 'quarantine');
SELECT listing_rule_draft('heavy', 'weight', '{"most": 5}', 'deny', 'too heavy', 'b');
CREATE FUNCTION quality_gov.rule_weight(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb) LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN listing ->> 'weight' IS NULL THEN 'missing' WHEN listing ->> 'weight' = 'odd' THEN 'funny'
              WHEN listing ->> 'note' = 'bulk' THEN 'exempt' WHEN (listing ->> 'weight')::numeric > (params ->> 'most')::numeric THEN 'violation'
              ELSE 'pass' END, 'weight', CASE WHEN listing ->> 'note' = 'say' THEN format('%s kg', listing ->> 'weight') END,
         jsonb_build_object('by', current_user = (SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'quality_gov'), 'listing', listing) $$;
CREATE FUNCTION quality_gov.rule_weight_params_valid(params jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT CASE WHEN jsonb_typeof(params -> 'most') IS DISTINCT FROM 'number' THEN '{"most": number}' END $$;
SELECT listing_rule_add('heavy', 'weight', '{"most": "5"}', 'deny', 'too heavy', 'b');
SELECT listing_rule_add('heavy', 'weight', '{"most": 5}', 'deny', 'too heavy', 'b', categories => '{parcels}', effective => '2026-01-01');
SELECT l, said('heavy', l) FROM unnest(ARRAY['{"category": "parcels", "weight": 7}', '{"category": "parcels", "weight": "7", "note": "say", "x": null}',
  '{"category": "parcels"}', '{"category": "parcels", "weight": "7", "note": "bulk"}', '{"category": "parcels", "weight": "3"}', '{"category": "books", "weight": "7"}']::jsonb[]) l;
SELECT judged('{"category": "parcels", "weight": "7"}'), judged('{"category": "parcels"}'), judged('{"category": "books"}');
SELECT judged('{"category": "parcels", "weight": "odd"}');
SELECT judged('{"category": "parcels", "weight": "heavy"}');
-- one that looks for terms first is not called for a listing without any
INSERT INTO listing_kind (kind, title, params) VALUES ('careful', 'terms in context', '{"lexicon": name, "fields": [names]}');
CREATE FUNCTION quality_gov.rule_careful(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb) LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE EXCEPTION 'asked'; END $$;
SELECT lexicon_load('top', '{best}'), lexicon_publish('top', effective => '2026-01-01');
SELECT listing_rule_add('careful', 'careful', '{"lexicon": "top", "fields": ["title"]}', 'deny', 't', 'b', effective => '2026-01-01');
SELECT said('careful', '{"title": "tea", "note": "best"}');
SELECT said('careful', '{"title": "best tea"}');
SELECT listing_rule_retire('careful', '2026-11-01');

-- one about a value is not called where the value is not given
INSERT INTO listing_kind (kind, title, params, subject) VALUES ('about', 'about a value', '{"of": name}', 'of=usual');
CREATE FUNCTION quality_gov.rule_about(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb) LANGUAGE sql STABLE AS $$ SELECT 'violation', 'asked', NULL, NULL::jsonb $$;
SELECT listing_rule_draft('about', 'about', '{}', 'deny', 't', 'b'), listing_rule_draft('about-other', 'about', '{"of": "other"}', 'deny', 't', 'b');
SELECT l, said('about', l), said('about-other', l) FROM unnest(ARRAY['{}', '{"usual": "x", "other": " "}', '{"other": "x"}']::jsonb[]) l;

-- whose regimes cover the listing is asked before it is called; without category that is not known, unless all are covered
INSERT INTO listing_kind (kind, title, params) VALUES ('regional', 'goods under a regime', '{}');
CREATE FUNCTION quality_gov.rule_regional(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb) LANGUAGE sql STABLE AS $$ SELECT 'violation', 'asked', NULL, NULL::jsonb $$;
SELECT listing_rule_draft('covered', 'regional', '{"regime": ["ccc", "medical"]}', 'warn', 't', 'b'), listing_rule_draft('but', 'regional', '{"regime": ["ccc"], "except_regime": ["medical"]}', 'warn', 't', 'b'), listing_rule_draft('other', 'regional', '{"except_regime": ["medical"]}', 'warn', 't', 'b');
CREATE VIEW regional AS SELECT l, said('covered', l) AS covered, said('but', l) AS but, said('other', l) AS other FROM unnest(ARRAY['{}', '{"category": "kettles"}', '{"category": "kettles/steel"}', '{"category": "drugs"}', '{"category": "cups"}']::jsonb[]) l;
TABLE regional;
SELECT regime_assign('ccc', '{kettles}'), regime_assign('medical', '{drugs,kettles/steel}');
TABLE regional;
SELECT regime_assign('medical', '{*}');
TABLE regional;
DROP VIEW regional;

-- a lexicon on trial beside the one in force: only hits that it alone has, and they bind nobody
SELECT listing_rule_add('words', 'lexicon', '{"lexicon": "top", "fields": ["title"]}', 'deny', 'absolute', 'b', effective => '2026-01-01'), lexicon_load('top', '{best,finest}');
DO $$
BEGIN
  PERFORM lexicon_publish('top', 2, '2026-11-10', state => 'shadow');
EXCEPTION WHEN undefined_function THEN
  UPDATE lexicon SET state = 'shadow', effect = '[2026-11-10,2026-12-31)', published_at = now(), digest = lexicon_digest(lexicon, version) WHERE version = 2;
END
$$;
SELECT l, judged(jsonb_build_object('title', l)) FROM unnest('{best tea,finest tea,best finest tea,tea}'::text[]) l;
SELECT rule, verdict, detail -> 'lexicon_version' AS version FROM listing_check('{"merchant_id": "m-1", "title": "finest"}', '2026-11-20');
SELECT listing_ruleset_json('2026-11-20') -> 'trial_lexicons' AS trial_lexicons, listing_ruleset_json('2026-11-05') ? 'trial_lexicons' AS before;
SELECT rule, verdict FROM listing_judge('{"merchant_id": "m-1", "title": "best finest"}', '{"rules": {"words": 1}, "lexicons": {"top": 1}, "trial_lexicons": {"top": 2}}', '2026-11-05');
SELECT rule, verdict FROM listing_judge('{"merchant_id": "m-1", "title": "best finest"}', '{"rules": {"words": 1}, "lexicons": {"top": 2}}', '2026-11-05');
SELECT count(*) AS before_the_trial FROM listing_check('{"merchant_id": "m-1", "title": "finest"}', '2026-11-05');
DROP FUNCTION said, judged, rule_weight, rule_weight_params_valid, rule_careful, rule_about, rule_regional;
DROP EXTENSION quality_gov;
