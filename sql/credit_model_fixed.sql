-- What a published credit model keeps, whoever asks, and what is refused of one.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE command;
  RAISE EXCEPTION USING ERRCODE = 'QGOK0', MESSAGE = 'allowed';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- a document of one rate, one sum of points and one flag, changed at a path
CREATE FUNCTION changed(path text, value text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT CASE WHEN value IS NULL THEN document #- path::text[] ELSE jsonb_set(document, path::text[], value::jsonb) END FROM (SELECT
  '{"model": "m", "title": "t", "owner": "o", "purpose": "p", "basis": "b", "indicators": [
    {"indicator": "r", "dimension": "service", "kind": "rate", "weight": 50, "half_life": "90 days", "prior_good": 9, "prior_bad": 1, "tolerated": 0.5, "title": "r"},
    {"indicator": "p", "dimension": "compliance", "kind": "points", "weight": 50, "half_life": "30 days", "point_cost": 5, "title": "p"},
    {"indicator": "f", "dimension": "compliance", "kind": "flag", "weight": 0, "title": "f", "veto_grade": "B"}],
   "severities": [{"indicator": "p", "severity": "low", "bad": 1}, {"indicator": "f", "severity": "low", "bad": 1}],
   "grades": [{"grade": "A", "floor": 60}, {"grade": "B", "floor": 0, "restricts": ["live"]}]}'::jsonb) d(document) $$;

-- documents that are none
SELECT path, value, attempt(format('SELECT quality_gov.credit_model_draft(public.changed(%L, %L))', path, value)) FROM (VALUES
  ('{model}', NULL), ('{model}', 'null'), ('{model}', '"Big"'), ('{model}', '7'), ('{model}', '"default"'), ('{title}', '" "'), ('{owner}', '7'),
  ('{hysteresis}', '-1'), ('{hysteresis}', '0.001'), ('{colour}', '"red"'), ('{indicators}', NULL), ('{indicators}', '{}'), ('{indicators,1}', '7'),
  ('{grades}', 'null'), ('{severities}', '"none"'), ('{indicators,0,wieght}', '1'), ('{indicators,0,weight}', '-1'), ('{indicators,0,weight}', '"50"'),
  ('{indicators,0,weight}', '0.125'), ('{indicators,0,weight}', '1000000'), ('{indicators,0,half_life}', '"0 days"'), ('{indicators,0,half_life}', '"-5 days"'),
  ('{indicators,0,half_life}', '"1 month"'), ('{indicators,0,half_life}', '"soon"'), ('{indicators,0,half_life}', '90'), ('{indicators,0,half_life}', '"200000 days"'),
  ('{indicators,0,half_life}', '"99999999999999 days"'), ('{indicators,0,half_life}', '"infinity"'), ('{indicators,0,tolerated}', NULL), ('{indicators,0,tolerated}', '0'),
  ('{indicators,0,tolerated}', '1.5'), ('{indicators,0,tolerated}', '1e-400'), ('{indicators,0,point_cost}', '5'), ('{indicators,0,cap}', '5'), ('{indicators,0,prior_good}', '1e300'),
  ('{indicators,0,veto_grade}', '"B"'), ('{indicators,0,missing}', '"zero"'), ('{indicators,0,window_days}', '0'), ('{indicators,0,window_days}', '1.5'), ('{indicators,0,window_days}', '[5]'),
  ('{indicators,0,dimension}', '"speed"'), ('{indicators,0,kind}', '"sum"'), ('{indicators,0,kind}', NULL), ('{indicators,0,indicator}', '"Späte Lieferung"'), ('{indicators,0,title}', NULL),
  ('{indicators,1,point_cost}', '0'), ('{indicators,1,point_cost}', 'null'), ('{indicators,1,minimum}', '5'), ('{indicators,1,indicator}', '"r"'), ('{indicators,2,tolerated}', '1'),
  ('{severities,0,indicator}', '"speed"'), ('{severities,0,bad}', '-1'), ('{severities,0,bad}', NULL), ('{severities,0,severity}', '""'), ('{severities,1,indicator}', '"p"'),
  ('{grades,0,floor}', '"top"'), ('{grades,0,floor}', '-1'), ('{grades,1,floor}', '60.0'), ('{grades,1,grade}', '"A"'), ('{grades,1,restricts}', '["sleep"]'), ('{grades,1,restricts}', '[7]'),
  ('{grades,1,restricts}', '"live"')) c(path, value);
SELECT credit_model_draft(changed('{indicators,0,prior_good}', '0') #- '{indicators,0,prior_bad}');
SELECT credit_model_draft(changed('{indicators,0,wieght}', '1'));
SELECT credit_model_draft(changed('{indicators,0,weight}', NULL));
SELECT credit_model_draft('[]'), credit_model_draft('{}');
SELECT credit_model_draft(NULL);
SELECT count(*) AS drafts FROM credit_model WHERE NOT builtin;

-- drafts that cannot be published, with all that is to be mended
SELECT path, value, attempt(format('SELECT quality_gov.credit_model_publish(''m'', quality_gov.credit_model_draft(public.changed(%L, %L)))', path, value)) FROM (VALUES
  ('{owner}', NULL), ('{purpose}', 'null'), ('{basis}', NULL), ('{indicators,0,weight}', '0'), ('{severities,0,indicator}', '"r"'), ('{indicators,2,veto_grade}', '"E"'),
  ('{grades}', '[]'), ('{grades}', '[{"grade": "B", "floor": 0}]'), ('{grades,1,floor}', '10'), ('{grades,0,floor}', '101'), ('{hysteresis}', '41'), ('{hysteresis}', '40'),
  ('{grades}', '[{"grade": "B", "floor": 60}, {"grade": "A", "floor": 0}]'), ('{title}', '"as it should be"')) c(path, value);
SELECT credit_model_draft(changed('{indicators}', '[]') || '{"owner": null, "severities": [], "grades": [{"grade": "A", "floor": 0}]}');
SELECT credit_model_publish('m');

-- wrong names, states and instants
SELECT attempt('SELECT quality_gov.credit_model_' || c) FROM unnest(ARRAY[
  $$publish('none')$$, $$publish(NULL)$$, $$publish('m', 9)$$, $$publish('default')$$, $$publish('default', 1)$$, $$publish('m', state => 'draft')$$, $$publish('m', state => NULL)$$,
  $$publish('m', effective => NULL)$$, $$publish('m', effective => 'infinity')$$, $$publish('m', effective => '2026-01-01')$$, $$retire('default')$$, $$retire('none')$$, $$retire(NULL)$$,
  $$retire('m')$$, $$retire('m', version => 1)$$, $$retire('m', NULL)$$, $$retire('m', '2026-01-01')$$, $$discard('default', 1)$$, $$discard('m', 9)$$, $$discard('m', NULL)$$, $$discard(NULL, 1)$$,
  $$document('m', 9)$$, $$document(NULL, NULL)$$]) c;
SELECT credit_model_retire('default');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT credit_model_publish('m');
ROLLBACK;

-- what was published stays as it was, for whoever owns it, too
SELECT credit_model_discard('m', 1), credit_model_draft(changed('{title}', '"in force"')), credit_model_publish('m', 1, '2030-01-01'),
       credit_model_draft(changed('{title}', '"ended"')), credit_model_publish('m', 2, '2031-01-01'), credit_model_draft(changed('{title}', '"on trial"')),
       credit_model_publish('m', 3, '2030-01-01', 'shadow'), credit_model_draft(changed('{title}', '"a draft"'));
SELECT version, state, title, effect FROM credit_model WHERE model = 'm' ORDER BY version;
SELECT v AS version, attempt(format(c, v)) FROM (VALUES
  ('UPDATE credit_model SET title = ''x'' WHERE model = ''m'' AND version = %s'), ('UPDATE credit_model SET hysteresis = 1 WHERE model = ''m'' AND version = %s'),
  ('UPDATE credit_model SET version = 9 WHERE model = ''m'' AND version = %s'), ('DELETE FROM credit_model WHERE model = ''m'' AND version = %s'),
  ('UPDATE credit_indicator SET weight = 51 WHERE model = ''m'' AND version = %s'), ('DELETE FROM credit_indicator WHERE model = ''m'' AND version = %s'),
  ('UPDATE credit_severity SET bad = 2 WHERE model = ''m'' AND version = %s'), ('DELETE FROM credit_severity WHERE model = ''m'' AND version = %s'),
  ('UPDATE credit_grade_band SET restricts = ''{}'' WHERE model = ''m'' AND version = %s'), ('DELETE FROM credit_grade_band WHERE model = ''m'' AND version = %s')) t(c),
  unnest('{1,3,4}'::integer[]) v ORDER BY c, v;
SELECT attempt(c) FROM unnest(ARRAY[
  'TRUNCATE credit_model', 'TRUNCATE credit_indicator', 'TRUNCATE credit_severity', 'TRUNCATE credit_grade_band',
  $$UPDATE credit_model SET state = 'draft', digest = NULL, published_at = NULL, effect = 'empty' WHERE model = 'm' AND version = 2$$,
  $$UPDATE credit_model SET state = 'shadow' WHERE model = 'm' AND version = 2$$, $$UPDATE credit_model SET state = 'retired' WHERE model = 'm' AND version = 2$$,
  $$UPDATE credit_model SET state = 'retired', effect = '[2031-01-01,2031-06-01)', digest = '\x00' WHERE model = 'm' AND version = 2$$,
  $$UPDATE credit_model SET state = 'retired', effect = '[2031-01-01,2031-06-01)' WHERE model = 'm' AND version = 2$$,
  $$UPDATE credit_model SET state = 'retired', effect = '[2030-06-01,2031-06-01)' WHERE model = 'm' AND version = 2$$,
  $$UPDATE credit_model SET effect = '[2030-01-01,2032-01-01)' WHERE model = 'm' AND version = 1$$, $$UPDATE credit_model SET state = 'active' WHERE model = 'm' AND version = 1$$,
  $$UPDATE credit_model SET state = 'active', effect = '[2020-01-01,)' WHERE model = 'm' AND version = 3$$, $$UPDATE credit_model SET state = 'retired' WHERE model = 'm' AND version = 3$$,
  $$UPDATE credit_model SET state = 'retired' WHERE model = 'm' AND version = 4$$, $$UPDATE credit_indicator SET version = 1 WHERE model = 'm' AND version = 4$$,
  $$INSERT INTO credit_model (model, version, state, title, published_at) VALUES ('m', 9, 'active', 't', now())$$,
  $$INSERT INTO credit_model (model, version, state, title) VALUES ('m', 9, 'shadow', 't')$$, $$DELETE FROM credit_model WHERE builtin$$, $$SELECT quality_gov.credit_model_discard('m', 2)$$,
  $$SELECT quality_gov.credit_model_publish('m', 2)$$, $$SELECT quality_gov.credit_model_publish('m', 3, state => 'shadow')$$]) c;
DELETE FROM credit_indicator WHERE model = 'm' AND version = 2;
UPDATE credit_indicator SET version = 1 WHERE model = 'm' AND version = 4;
SELECT credit_model_discard('m', 4);
SELECT credit_model_publish('m');
-- rows that were put in directly, with their past, stay too; an end in the past would change answers that were given
INSERT INTO credit_model (model, version, state, title, effect) VALUES ('hand', 1, 'active', 't', '[2026-01-01,2026-02-01)');
SELECT attempt(c) FROM unnest(ARRAY[$$UPDATE credit_model SET state = 'retired', effect = '[2026-01-01,2026-01-15)' WHERE model = 'hand'$$,
  $$UPDATE credit_model SET state = 'retired', effect = 'empty' WHERE model = 'hand'$$, $$DELETE FROM credit_model WHERE model = 'hand'$$]) c;

-- a row put in by INSERT, which no trigger refuses since a restore must be able to, is found
SELECT * FROM credit_model_check();
INSERT INTO credit_severity (model, version, indicator, severity, bad) VALUES ('m', 1, 'p', 'x', 9), ('m', 3, 'p', 'x', 9), ('gone', 1, 'p', 'x', 9), ('default', 1, 'recall', 'x', 9);
INSERT INTO credit_model (model, version, state, title, effect, published_at, digest) VALUES ('forged', 1, 'active', 't', '[2030-06-01,)', now(), '\x00');
SELECT * FROM credit_model_check() ORDER BY 1, 2, 3;
SELECT subject, detail FROM doctor() WHERE check_name = 'credit_model' AND subject LIKE '% gone %';
SELECT credit_model_publish('m', 3, '2032-01-01');
DROP FUNCTION attempt, changed;
DROP EXTENSION quality_gov;
