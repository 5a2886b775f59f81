-- The life of rule versions: draft, on trial beside the one in force, in force, retired; what of it is fixed.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
CREATE FUNCTION judged(at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(format('%s v%s %s: %s', rule, version, verdict, message), '; ' ORDER BY rule, version), 'clean')
  FROM quality_gov.listing_check('{"merchant_id": "m-1", "title": "x"}', at) $$;
CREATE FUNCTION versions(name text) RETURNS TABLE (version int, state text, effect tstzrange, trial tstzrange, superseded date) LANGUAGE sql AS $$
  SELECT version, state, effect, trial, superseded_at::date FROM quality_gov.listing_rule WHERE rule = name ORDER BY version $$;

-- a draft is asked of nobody, can be tried and rewritten
SELECT listing_rule_draft('brand', 'required', '{"fields": ["brend"]}', 'deny', 'say the brand', 'policy', owner => 'goods team');
SELECT judged('2026-11-20');
SELECT outcome, verdict, field, message FROM listing_rule_check('brand', 1, '{"title": "x"}', '2026-11-20');
SELECT listing_rule_draft('brand', 'required', '{"fields": ["brand"]}', 'deny', 'say the brand', 'policy', 'high', owner => 'goods team', draft => 1);
SELECT outcome, verdict, severity, field FROM listing_rule_check('brand', 1, '{"title": "x"}', '2026-11-20');
SELECT outcome FROM listing_rule_check('brand', 1, '{"brand": "y"}', '2026-11-20');
SELECT rule, version, state, isempty(effect) AS never, published_at IS NULL AS unpublished, owner FROM listing_rule;
-- on trial, then in force: the trial stays known
SELECT listing_rule_publish('brand', state => 'shadow', effective => '2026-02-01');
SELECT judged('2026-02-10');
SELECT listing_rule_publish('brand', 1, effective => '2026-03-01');
SELECT judged('2026-02-10'), judged('2026-03-10');
SELECT * FROM versions('brand');
-- another version on trial beside the one in force, and a further one in the place of that
SELECT listing_rule_draft('brand', 'required', '{"fields": ["brand", "model"]}', 'quarantine', 'say brand and model', 'policy'),
       listing_rule_publish('brand', 2, 'shadow', '2026-04-01'),
       listing_rule_draft('brand', 'required', '{"fields": ["model"]}', 'quarantine', 'say the model', 'policy'),
       listing_rule_publish('brand', 3, 'shadow', '2026-05-01');
SELECT judged('2026-04-10'), judged('2026-05-10');
-- one in force ends both
SELECT listing_rule_add('brand', 'required', '{"fields": ["maker"]}', 'warn', 'say the maker', 'policy', effective => '2026-06-01');
SELECT judged('2026-06-10');
SELECT * FROM versions('brand');
-- every instant finds what was in force then, whatever came later
SELECT m, judged(m) FROM generate_series('2026-01-10'::timestamptz, '2026-06-10', '1 month') m;
-- the one on trial is dropped alone; the rule ends
SELECT listing_rule_add('brand', 'required', '{"fields": ["colour"]}', 'shadow', 'say the colour', 'policy', effective => '2026-07-01');
SELECT judged('2026-07-10');
SELECT listing_rule_retire('brand', '2026-08-01', 5);
SELECT judged('2026-07-10'), judged('2026-08-10');
SELECT listing_rule_retire('brand', '2027-01-01');
SELECT judged('2026-12-10'), judged('2027-01-10');
-- an end announced gives way to a version that begins before it
SELECT listing_rule_add('brand', 'required', '{"fields": ["size"]}', 'warn', 'say the size', 'policy', effective => '2026-12-01', until => '2026-12-20');
SELECT judged('2026-12-10'), judged('2026-12-20');
SELECT body ->> 'version' AS version, body ->> 'state' AS state, body ->> 'retired' AS retired FROM ledger_entry WHERE kind = 'listing_rule' ORDER BY entry_id;

-- what was published stays as it was
\set VERBOSITY terse
UPDATE listing_rule SET title = 'other' WHERE rule = 'brand' AND version = 1;
UPDATE listing_rule SET owner = 'other' WHERE rule = 'brand' AND version = 1;
UPDATE listing_rule SET state = 'draft' WHERE rule = 'brand' AND version = 1;
UPDATE listing_rule SET state = 'active' WHERE rule = 'brand' AND version = 2;
UPDATE listing_rule SET effect = '[2026-03-01,2026-09-01)' WHERE rule = 'brand' AND version = 1;
UPDATE listing_rule SET trial = NULL WHERE rule = 'brand' AND version = 2;
UPDATE listing_rule SET builtin = true WHERE rule = 'brand' AND version = 1;
DELETE FROM listing_rule WHERE rule = 'brand' AND version = 2;
SELECT listing_rule_draft('brand', 'required', '{"fields": ["x"]}', 'deny', 't', 'b', draft => 1);
SELECT listing_rule_publish('brand', 1);
SELECT listing_rule_publish('brand', 2);
-- a draft can be dropped, and a version three years after it ended
SELECT listing_rule_draft('old', 'required', '{"fields": ["x"]}', 'deny', 't', 'b'), listing_rule_discard('old', 1);
SELECT listing_rule_discard('old', 1);
SELECT listing_rule_discard('brand', 1);
SELECT listing_rule_add('old', 'required', '{"fields": ["x"]}', 'deny', 't', 'b', effective => '2019-01-01'), listing_rule_retire('old', '2020-01-01');
DELETE FROM listing_rule WHERE rule = 'old';
SELECT count(*) AS old FROM listing_rule WHERE rule = 'old';

-- a rule that the extension ships ends by a later version, since its row cannot change
INSERT INTO listing_rule (rule, version, kind, state, verdict, severity, params, title, legal_basis, effect, builtin) VALUES
  ('cn.x', 1, 'required', 'active', 'deny', 'low', '{"fields": ["x"]}', 'shipped', 'law', '[2026-09-01,)', true);
SELECT listing_rule_add('cn.x', 'required', '{"fields": ["x"]}', 'warn', 'own', 'law', effective => '2026-10-01');
SELECT listing_rule_retire('cn.x', '2026-10-15');
SELECT m, judged(m) FROM unnest('{2026-09-10,2026-10-10,2026-10-20}'::timestamptz[]) m;
INSERT INTO listing_rule (rule, version, kind, state, verdict, severity, params, title, legal_basis, effect, builtin) VALUES
  ('cn.y', 1, 'required', 'active', 'deny', 'low', '{"fields": ["y"]}', 'shipped', 'law', '[2026-09-01,)', true);
SELECT listing_rule_retire('cn.y', '2026-09-15');
SELECT m, judged(m) FROM unnest('{2026-09-10,2026-09-20}'::timestamptz[]) m;
SELECT version, state, builtin, effect FROM listing_rule WHERE rule = 'cn.y' ORDER BY version;
UPDATE listing_rule SET effect = 'empty' WHERE rule = 'cn.x' AND version = 1;
SELECT listing_rule_retire('cn.y', '2026-09-20');

-- bad input
SELECT listing_rule_publish('brand');
SELECT listing_rule_publish('nothing');
SELECT listing_rule_publish('brand', 99);
SELECT listing_rule_publish('brand', 1, 'retired');
SELECT listing_rule_publish('brand', 1, NULL);
SELECT listing_rule_draft('z', 'required', '{"fields": ["x"]}', 'deny', 't', 'b', on_missing => 'warn');
SELECT listing_rule_draft('z', 'license', '{"license": "x"}', 'deny', 't', 'b', on_missing => 'false');
SELECT listing_rule_draft('z', 'certificate', '[]', 'deny', 't', 'b');
SELECT listing_rule_draft('z', 'required', '{"fields": ["x"]}', 'deny', 't', 'b'), listing_rule_publish('z', 1, 'shadow', '2026-09-01');
SELECT listing_rule_publish('z', 1, effective => '2026-09-01');
SELECT listing_rule_publish('z', 1, effective => '2026-09-02', until => '2026-09-02');
SELECT listing_rule_publish('z', 1, effective => '2026-09-02', transition => 'immediate');
SELECT listing_rule_add('z', 'required', '{"fields": ["x"]}', 'shadow', 't', 'b', platform_rule => true, transition => 'immediate');
SELECT listing_rule_check('brand', 99, '{}', '2026-11-20');
SELECT listing_rule_check('brand', NULL, '{}', '2026-11-20');
INSERT INTO listing_kind VALUES ('Bad kind', 't', false, 'x');
UPDATE listing_kind SET default_missing = 'skip' WHERE kind = 'license';

-- what is yet to begin ends with the rule, and what a later version was to end ends at once
SELECT listing_rule_add('yet', 'required', '{"fields": ["x"]}', 'warn', 't', 'b', effective => '2026-01-01'),
       listing_rule_add('yet', 'required', '{"fields": ["y"]}', 'warn', 't', 'b', effective => now() + interval '1 month');
SELECT listing_rule_retire('yet');
SELECT version, state, isempty(effect) AS never, upper(effect) <= clock_timestamp() AS over FROM listing_rule WHERE rule = 'yet' ORDER BY version;
SELECT listing_rule_retire('yet');
SELECT listing_rule_add('yet', 'required', '{"fields": ["x"]}', 'warn', 't', 'b'), listing_rule_retire('yet', 'infinity');
SELECT listing_rule_retire('yet', NULL);
-- categories that no listing can be in
SELECT listing_rule_draft('none', 'required', '{"fields": ["x"]}', 'warn', 't', 'b', categories => '{}');
SELECT listing_rule_draft('none', 'required', '{"fields": ["x"]}', 'warn', 't', 'b', categories => '{tea,NULL}');
SELECT listing_rule_draft('none', 'required', '{"fields": ["x"]}', 'warn', 't', 'b', categories => '{""}');
SELECT listing_rule_draft('none', 'required', '{"fields": ["x"]}', 'warn', 't', 'b', categories => '{{a,b},{c,d}}');
DROP FUNCTION judged, versions;
DROP EXTENSION quality_gov;
