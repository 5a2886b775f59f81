-- What was in force: listed, named by a set of versions, judged again by it when all of it has been superseded.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01'), lexicon_load('unread', '{x}'), lexicon_publish('unread', effective => '2026-01-01');
SELECT listing_rule_add('words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute', 'art 9', effective => '2026-02-01', owner => 'legal'),
       listing_rule_add('brand', 'required', '{"fields": ["brand"]}', 'quarantine', 'brand', 'art 8', 'high', '{tea}', '2026-02-01', '2026-09-01'),
       listing_rule_add('brand', 'required', '{"fields": ["care"]}', 'shadow', 'care', 'art 8', effective => '2026-03-01'),
       listing_rule_draft('draft', 'required', '{"fields": ["x"]}', 'deny', 't', 'b');
SELECT rule, version, kind, state, verdict, severity, categories, legal_basis, effect, lexicon, lexicon_version, owner FROM ruleset_asof('2026-03-10');
SELECT m, (SELECT string_agg(format('%s %s', rule, version), ', ') FROM ruleset_asof(m)), listing_ruleset_json(m)
FROM unnest('{2026-01-10,2026-02-10,2026-03-10,2026-10-01}'::timestamptz[]) m;
-- each set has one number, whatever order its members come in
SELECT listing_ruleset_id(listing_ruleset_json('2026-02-10')) = listing_ruleset_id(listing_ruleset_json('2026-02-20')) AS same,
       listing_ruleset_id('{"rules": {"a": 1, "b": 2}}') = listing_ruleset_id('{"rules": {"b": 2, "a": 1}}') AS ordered,
       listing_ruleset_id(listing_ruleset_json('2026-02-10')) <> listing_ruleset_id(listing_ruleset_json('2026-03-10')) AS other;
SELECT count(*) AS sets, count(DISTINCT digest) AS digests FROM listing_ruleset;

-- a decision, replayed when its rules and lexicon have been superseded and one has ended
CREATE FUNCTION judged(listing jsonb, ruleset jsonb, at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT COALESCE(string_agg(format('%s v%s %s %s', rule, version, verdict, COALESCE(detail ->> 'matched', field)), '; '), 'clean')
  FROM quality_gov.listing_judge('{"merchant_id": "m-1", "category": "tea"}' || listing, ruleset, at) $$;
SELECT listing_ruleset_json('2026-03-10') AS then \gset
INSERT INTO listing_decision (merchant_id, relation, listing_id, operation, at, verdict, guard_mode, role, ruleset_id, listing)
VALUES ('m-1', 'product', 'l-1', 'INSERT', '2026-03-10', 'deny', 'enforce', 'x', listing_ruleset_id(:'then'), '{"merchant_id": "m-1", "category": "tea", "title": "best and finest"}'),
  ('m-1', 'product', 'l-2', 'INSERT', '2026-03-10', 'deny', 'enforce', 'x', NULL, '{"merchant_id": "m-1"}');
CREATE TEMP TABLE found AS SELECT * FROM listing_replay('m-1', (SELECT min(decision_id) FROM listing_decision));
SELECT rule, version, verdict, severity, field, message, legal_basis, detail ->> 'matched' AS matched FROM found;
SELECT count(*) AS differs FROM (SELECT to_jsonb(f) FROM found f EXCEPT ALL
  SELECT to_jsonb(c) FROM listing_check('{"merchant_id": "m-1", "category": "tea", "title": "best and finest"}', '2026-03-10') c) d;
SELECT lexicon_load('ads', '{finest}'), lexicon_publish('ads', effective => '2026-03-05'),
       listing_rule_add('words', 'lexicon', '{"lexicon": "ads", "fields": ["note"]}', 'warn', 'absolute', 'art 9', effective => '2026-03-05'),
       listing_rule_retire('brand', '2026-03-08');
SELECT judged('{"title": "best and finest"}', listing_ruleset_json('2026-03-10'), '2026-03-10') AS by_the_instant;
SELECT count(*) AS differs FROM (SELECT to_jsonb(f) FROM found f EXCEPT ALL
  SELECT to_jsonb(r) FROM listing_replay('m-1', (SELECT min(decision_id) FROM listing_decision)) r) d;
-- an exception given since covers that instant, and changes the decision no more
SELECT listing_exception_add('*', 'm-1', '2026-12-01', 'appeal', 'legal', effective => '2026-03-01') > 0 AS given;
SELECT count(*) AS differs FROM (SELECT to_jsonb(f) FROM found f EXCEPT ALL
  SELECT to_jsonb(r) FROM listing_replay('m-1', (SELECT min(decision_id) FROM listing_decision)) r) d;
-- one given before is applied again
INSERT INTO listing_decision (merchant_id, relation, listing_id, operation, at, verdict, guard_mode, role, ruleset_id, listing)
SELECT merchant_id, relation, 'l-3', operation, at, verdict, guard_mode, role, ruleset_id, listing FROM listing_decision WHERE listing_id = 'l-1';
SELECT rule, version, verdict, detail #>> '{exception,verdict}' AS was FROM listing_replay('m-1', (SELECT decision_id FROM listing_decision WHERE listing_id = 'l-3'));
-- and once more when it has been ended for that instant since
INSERT INTO listing_finding SELECT 'm-1', decision_id, row_number() OVER (), r.* FROM listing_decision d, listing_replay('m-1', decision_id) r WHERE listing_id = 'l-3';
SELECT listing_exception_end('m-1', (SELECT max(exception_id) FROM listing_exception), '2026-03-01');
SELECT rule, version, verdict, detail #>> '{exception,verdict}' AS was FROM listing_replay('m-1', (SELECT decision_id FROM listing_decision WHERE listing_id = 'l-3'));
-- merchant and recalls are asked as of the instant whatever the set; one written by hand leaves lexicons to the instant
SELECT judged('{"title": "best and finest"}', '{}', '2025-12-31'), judged('{"title": "best and finest"}', '{"rules": {"words": 1}}', '2026-02-10'),
       judged('{"title": "best and finest"}', '{"rules": {"words": 1}}', '2026-03-10'), judged('{"title": "finest"}', '{"rules": {"words": 1}, "lexicons": {"ads": 1}}', '2026-03-10');
SELECT judged('{}', '{"rules": {"brand": 2}, "trial_rules": {"brand": 1}}', '2026-03-10'), judged('{"category": "books"}', '{"rules": {"brand": 1}}', '2026-03-10');
-- so do kinds that are functions: they scan for the version that the set names, else for that of the instant
SELECT listing_rule_add('claims', 'claim', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'claims', 'art 17', effective => '2026-02-01'),
       listing_rule_add('grades', 'absolute_term', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'grades', 'art 9', effective => '2026-02-01');
SELECT judged('{"title": "best and finest"}', s, '2026-03-10')
FROM unnest('{"{\"rules\": {\"claims\": 1, \"grades\": 1}, \"lexicons\": {\"ads\": 1}}","{\"rules\": {\"claims\": 1, \"grades\": 1}}"}'::jsonb[]) s;
SELECT listing_rule_retire('claims', '2026-02-02'), listing_rule_retire('grades', '2026-02-02');
-- the text follows the rules and lexicons, at once and as of any instant
SELECT listing_ruleset_json('2026-03-10'), listing_ruleset_json('2026-03-06'), listing_ruleset_json('2026-02-10');

\set VERBOSITY terse
SELECT listing_replay('m-1', (SELECT decision_id FROM listing_decision WHERE listing_id = 'l-2'));
SELECT listing_replay('m-1', 0);
INSERT INTO listing_decision (merchant_id, relation, listing_id, operation, at, verdict, guard_mode, role, ruleset_id, listing)
VALUES ('m-2', 'product', 'l-1', 'INSERT', '2026-03-10', 'deny', 'enforce', 'x', 1, '{"merchant_id": "m-2", "title": {"bytes": 70000, "sha256": "00"}}');
SELECT listing_replay('m-2', (SELECT max(decision_id) FROM listing_decision));
SELECT judged('{}', '[]', '2026-03-10');
SELECT judged('{}', '{"rules": [1]}', '2026-03-10');
SELECT judged('{}', '{"rules": {"words": "1"}}', '2026-03-10');
SELECT judged('{}', '{"rules": {"words": 9}}', '2026-03-10');
SELECT judged('{"title": "x"}', '{"rules": {"words": 1}, "lexicons": {}}', '2026-03-10');
SELECT judged('{}', NULL, '2026-03-10');
SELECT listing_ruleset_json(NULL) IS NULL AS null_at, listing_ruleset_id(NULL) IS NULL AS null_set;
UPDATE listing_ruleset SET rules = '{}';
DELETE FROM listing_ruleset;
INSERT INTO listing_ruleset (digest, rules) VALUES ('', '[]');
-- an administrator publishes, excuses, explains and replays with no right on the tables; others do nothing of it
\set VERBOSITY terse
CREATE ROLE regress_rule_admin;
CREATE ROLE regress_rule_nobody;
SET client_min_messages = error;
SELECT count(*) >= 0 AS roles FROM roles_create();
SET client_min_messages = warning;
GRANT quality_gov_admin TO regress_rule_admin;
GRANT USAGE ON SCHEMA quality_gov TO regress_rule_nobody;
SET ROLE regress_rule_admin;
SELECT listing_rule_draft('mine', 'required', '{"fields": ["x"]}', 'deny', 't', 'b'), listing_rule_publish('mine', 1, effective => '2026-01-01'),
       listing_exception_add('mine', 'm-1', '2026-12-01', 'r', 'o', effective => '2026-01-01') > 0 AS excused;
SELECT outcome, verdict FROM listing_explain('{"merchant_id": "m-1", "title": "x"}', '2026-11-20') WHERE rule = 'mine';
SELECT count(*) > 0 AS replayed FROM listing_replay('m-1', (SELECT min(decision_id) FROM listing_decision));
SELECT count(*) > 0 AS in_force FROM ruleset_asof('2026-11-20');
UPDATE listing_rule SET title = 'x';
INSERT INTO listing_kind VALUES ('mine', 't', false, 'x');
SET ROLE regress_rule_nobody;
SELECT listing_rule_draft('x', 'required', '{"fields": ["x"]}', 'deny', 't', 'b');
SELECT listing_rule_publish('mine');
SELECT listing_exception_add('mine', 'm-1', '2100-01-01', 'r', 'o');
SELECT listing_explain('{"merchant_id": "m-1"}');
SELECT listing_ruleset_id('{}');
SELECT has_table_privilege('listing_exception', 'SELECT') AS reads;
RESET ROLE;
DROP FUNCTION judged;
DROP TABLE found;
DROP EXTENSION quality_gov;
DROP OWNED BY regress_rule_admin, regress_rule_nobody;
DROP ROLE regress_rule_admin, regress_rule_nobody;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$;
