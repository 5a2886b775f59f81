-- Credit follows the authority: what is repaired, annulled or lapsed counts no more, what is undone counts again.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('clean', 'b', 'company', '91350100M000100Y43', '2026-01-01');
CREATE FUNCTION item(item text, type text, at text, more jsonb) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('item', item, 'type', type, 'reason', 'r', 'legal_basis', 'b', 'from', at)
  || CASE WHEN type IN ('repair', 'removal', 'annulment') THEN '{}' ELSE '{"uscc": "91110000600037341L"}'::jsonb END || more;
CREATE FUNCTION load(at timestamptz, VARIADIC feed jsonb[]) RETURNS bigint LANGUAGE sql
  AS 'SELECT count(*) FROM quality_gov.regulatory_import(to_jsonb(feed), ''samr'', false, at) i WHERE i.status IN (''loaded'', ''changed'')';
CREATE FUNCTION collect(at timestamptz) RETURNS text LANGUAGE sql AS $$ SELECT m.detail FROM quality_gov.maintenance(at) m WHERE m.task = 'credit_collect' $$;
-- whether m-1 stands worse than a merchant of whom nothing is held
CREATE FUNCTION worse(at timestamptz) RETURNS boolean LANGUAGE sql RETURN quality_gov.credit_score('m-1', at) < quality_gov.credit_score('clean', at);

-- of each class one; a warning alone, which is not published, does not count
SELECT load('2026-01-11', item('warning', 'penalty', '2026-01-10', '{"kinds": ["warning"]}')), collect('2026-01-12');
SELECT worse('2026-01-12');
SELECT load('2026-01-13', item('low', 'penalty', '2026-01-10', '{"kinds": ["criticism"]}'), item('general', 'penalty', '2026-01-10', '{"kinds": ["confiscation"]}'),
  item('food', 'penalty', '2026-01-10', '{"kinds": ["confiscation"], "field": "food"}'), item('revoked', 'penalty', '2026-01-10', '{"kinds": ["licence_revoked"]}'),
  item('serious', 'list', '2026-01-10', '{"list": "serious_violation"}'), item('abnormal', 'list', '2026-01-10', '{"list": "abnormal_operation"}'),
  item('check', 'sampling', '2026-01-10', '{"product": "p", "result": "fail"}'));
SELECT collect('2026-01-14');
SELECT worse('2026-01-14');
-- each lapses at its instant and not before; a scheduler that comes again changes nothing
SELECT at, collect(at) FROM unnest('{2026-04-10 23:59:59,2026-04-11,2026-04-11,2027-01-10 23:59:59,2027-01-11,2029-01-10 23:59:59,2029-01-11,2029-01-12}'::timestamptz[]) at;
SELECT ref, count(*) FILTER (WHERE NOT void) AS entered, count(*) FILTER (WHERE void) AS voided, max(recorded_at) FILTER (WHERE void) AS voided_at
FROM credit_event GROUP BY 1 ORDER BY 1;
-- cured
SELECT load('2029-02-01', item('abnormal-', 'removal', '2029-02-01', '{"of": "abnormal", "ground": "cure"}')), collect('2029-02-02');
SELECT credit_score('m-1', '2029-02-02') = credit_score('clean', '2029-02-02') AS as_clean;
-- what was said before stays said
SELECT worse('2026-01-13') AS before, worse('2026-04-10') AS then, worse('2029-02-01') AS until_cured, worse('2029-02-02') AS after;
SELECT * FROM credit_check();

-- a repair counts from when it is collected on; a fraud undoes it with the same weight
SELECT load('2030-01-02', item('p', 'penalty', '2030-01-01', '{"kinds": ["confiscation"]}')), collect('2030-01-02');
SELECT load('2030-05-02', item('p+', 'repair', '2030-05-01', '{"of": "p", "decision": "granted"}')), collect('2030-05-03'), collect('2030-05-03');
SELECT worse('2030-05-02') AS before, worse('2030-05-03') AS after;
SELECT load('2030-06-02', item('p!', 'repair', '2030-06-01', '{"of": "p", "decision": "revoked"}')), collect('2030-06-03'), collect('2030-06-04');
SELECT worse('2030-06-02') AS before, worse('2030-06-03') AS after;
SELECT at, bad = first_value(bad) OVER (ORDER BY event_id) OR void AS same_weight, void, recorded_at FROM credit_event WHERE ref LIKE 'samr/p/%' ORDER BY event_id;
-- a repair that is granted early, or one of what has no early repair, is copied: the platform decides nothing
SELECT load('2030-07-02', item('r', 'penalty', '2030-07-01', '{"kinds": ["closed"]}'), item('r+', 'repair', '2030-07-02', '{"of": "r", "decision": "granted"}')), collect('2030-07-03');
-- annulled; the annulment withdrawn; the subject corrected
SELECT load('2030-08-02', item('p-', 'annulment', '2030-08-01', '{"of": "p"}')), collect('2030-08-03');
SELECT worse('2030-08-02') AS before, worse('2030-08-03') AS after;
SELECT load('2030-08-04', item('p-', 'annulment', '2030-08-01', '{"of": "p", "withdrawn": true}')), collect('2030-08-05');
SELECT worse('2030-08-05');
SELECT load('2030-08-06', item('p', 'penalty', '2030-01-01', '{"kinds": ["confiscation"], "uscc": "91350100M000100Y43"}')), collect('2030-08-07');
SELECT merchant_id, ref, void FROM credit_event WHERE ref LIKE 'samr/p/%' ORDER BY event_id;
-- an earlier instant takes nothing back of what was collected for a later one
SELECT collect('2030-05-04'), collect('2026-02-01'), collect('2030-08-08');
-- decisions of a firm that is no merchant yet count when it is admitted, with its repair
SELECT load('2030-09-01', item('q', 'penalty', '2030-08-20', '{"kinds": ["confiscation"], "uscc": "9144030071526726XG"}'), item('q2', 'penalty', '2030-08-20', '{"kinds": ["confiscation"], "uscc": "9144030071526726XG"}'),
  item('q2+', 'repair', '2030-08-25', '{"of": "q2", "decision": "granted"}')), collect('2030-09-02');
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-3', 'c', 'company', '9144030071526726XG', '2030-09-03');
SELECT collect('2030-09-04');
SELECT ref, at FROM credit_event WHERE merchant_id = 'm-3';
SELECT * FROM credit_check();
-- the oracle notices an event that counts twice
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source, ref) VALUES ('m-3', 'regulatory', '2030-09-04', '2030-09-04', 1, 'regulatory', 'samr/q/1');
SELECT * FROM credit_check();
DROP FUNCTION item, load, collect, worse;
DROP EXTENSION quality_gov;
