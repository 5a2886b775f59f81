-- The life of a credit model: from a document to a draft, on trial, in force, ended; what of it is fixed.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
CREATE FUNCTION in_force(at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT model || ' ' || version FROM quality_gov.credit_model_at(at) $$;
CREATE VIEW versions AS
  SELECT model, version, state, effect, published_at IS NOT NULL AS published, octet_length(digest) AS digest
  FROM quality_gov.credit_model WHERE NOT builtin ORDER BY model, version;

-- one starts from the shipped model, gives it a name of one's own, and changes it
SELECT k AS key, jsonb_typeof(v) AS type, CASE jsonb_typeof(v) WHEN 'array' THEN jsonb_array_length(v) END AS rows, v -> 0 AS first
FROM jsonb_each(credit_model_document('default', 1)) d(k, v) ORDER BY k;
CREATE TABLE mine AS SELECT credit_model_document('default', 1) || '{"model": "ours", "title": "Ours", "owner": "risk team"}' AS document;
SELECT credit_model_draft(document) FROM mine;
-- what comes back is the same model, of any values and under any setting
SELECT credit_model_document('ours', 1) = document AS same FROM mine;
SELECT credit_model_draft('{"model": "odd", "title": "测试", "owner": null, "hysteresis": 0.25, "grades": [{"grade": "一", "floor": 0.5}],
  "indicators": [{"indicator": "a", "dimension": "service", "kind": "rate", "weight": 0.01, "half_life": "36 hours 1.5 seconds", "prior_bad": 1e-7,
    "tolerated": 0.1, "title": "a", "minimum": 0.3, "missing": "none", "window_days": 90},
    {"indicator": "b", "dimension": "service", "kind": "points", "weight": 7, "point_cost": 0.3333333333333333, "cap": 12.5, "title": "b", "half_life": null}],
  "severities": [{"indicator": "b", "severity": "low", "bad": 123456789.123456789}]}');
SELECT k AS key, v AS value FROM jsonb_each(credit_model_document('odd', 1)) d(k, v) WHERE k <> 'indicators' ORDER BY k;
SELECT i AS indicator FROM jsonb_array_elements(credit_model_document('odd', 1) -> 'indicators') i;
SELECT credit_model_draft(credit_model_document('odd', 1));
SELECT credit_model_document('odd', 1) = credit_model_document('odd', 2) AS same, credit_model_digest('odd', 1) = credit_model_digest('odd', 2) AS digest;
CREATE TEMP TABLE digest AS SELECT credit_model_digest('odd', 1) AS digest;
SET extra_float_digits = -5;
SET intervalstyle = 'sql_standard';
SELECT digest = credit_model_digest('odd', 1) AS same FROM digest;
RESET extra_float_digits;
RESET intervalstyle;

-- a draft is asked of nobody; published it is in force from its instant on, and ends the one before
SELECT in_force('2030-06-01');
SELECT credit_model_publish('ours', effective => '2030-01-01');
SELECT credit_model_draft(document || '{"hysteresis": 5}'), credit_model_draft(document || '{"hysteresis": 6}') FROM mine;
SELECT credit_model_publish('ours', 2, '2031-01-01');
SELECT * FROM versions WHERE model = 'ours';
SELECT at, in_force(at) FROM unnest('{2029-12-31 23:59:59,2030-01-01,2030-12-31 23:59:59,2031-01-01}'::timestamptz[]) at;
-- on trial beside the one in force, which the next one ends; the trial goes on
SELECT credit_model_publish('ours', 3, '2030-06-01', 'shadow');
SELECT in_force('2031-06-01');
SELECT credit_model_draft(document || '{"hysteresis": 7}'), credit_model_draft(document || '{"hysteresis": 8}') FROM mine;
SELECT credit_model_publish('ours', 4, '2031-02-01', 'shadow');
SELECT credit_model_publish('ours', 5, '2032-01-01');
SELECT * FROM versions WHERE model = 'ours';
-- the one on trial is put in force, and another takes its turn on trial and ends without
SELECT credit_model_publish('ours', 3, '2033-01-01'), credit_model_publish('ours', 4, '2033-01-01', 'shadow');
SELECT credit_model_retire('ours', version => 4);
-- never before one published for later begins; in its place where both begin at once; it can be taken back
SELECT credit_model_draft(document) FROM mine;
SELECT credit_model_publish('ours', effective => '2032-06-01');
SELECT credit_model_retire('ours', '2033-01-01', 3);
SELECT credit_model_publish('ours', effective => '2032-06-01');
SELECT credit_model_draft(document) FROM mine;
SELECT credit_model_publish('ours', effective => '2032-06-01');
SELECT * FROM versions WHERE model = 'ours';
-- another model beside it would be asked of nobody
SELECT credit_model_draft(document || '{"model": "other"}') FROM mine;
SELECT credit_model_publish('other', effective => '2034-01-01');
SELECT credit_model_retire('ours', '2034-06-01');
-- an end that is to come gives way to a version that begins before it
SELECT credit_model_draft(document), credit_model_publish('ours', effective => '2034-01-01'), credit_model_retire('ours', '2034-01-01') FROM mine;
SELECT * FROM versions WHERE model = 'ours' AND version > 6;
SELECT credit_model_publish('other', effective => '2034-01-01'), credit_model_retire('other', '2035-01-01');
-- the shipped one goes on
SELECT at, in_force(at) FROM unnest('{2029-01-01,2030-06-01,2031-06-01,2032-03-01,2032-12-01,2033-12-31,2034-12-31,2035-01-01}'::timestamptz[]) at;
-- now is when the lock is held
SELECT credit_model_draft(document || '{"model": "now"}') FROM mine;
SELECT credit_model_retire('ours', '2030-01-01'), credit_model_retire('other', '2034-01-01');
SELECT credit_model_publish('now');
SELECT in_force(clock_timestamp()), lower(effect) BETWEEN published_at - interval '1 minute' AND published_at AS since FROM credit_model WHERE model = 'now';
SELECT credit_model_retire('now');
SELECT in_force(clock_timestamp()), state, upper_inf(effect) AS open FROM credit_model WHERE model = 'now';
-- what has ended stays so
SELECT credit_model_retire('now', '2036-01-01');
-- a draft can be dropped
SELECT credit_model_discard('odd', 2);
SELECT count(*) AS rows FROM (SELECT version FROM credit_model WHERE model = 'odd' UNION ALL SELECT version FROM credit_indicator WHERE model = 'odd'
  UNION ALL SELECT version FROM credit_severity WHERE model = 'odd' UNION ALL SELECT version FROM credit_grade_band WHERE model = 'odd') r WHERE version = 2;
SELECT * FROM credit_model_check();
-- all of it is in the ledger
SELECT subject, body ->> 'version' AS version, body ->> 'state' AS state, body ->> 'effective' AS effective,
       CASE WHEN body ->> 'retired' > '2029' THEN body ->> 'retired' END AS ended,
       body -> 'ends' AS ends, body -> 'versions' AS versions, body ->> 'owner' AS owner, body ->> 'digest' = encode(m.digest, 'hex') AS digest
FROM ledger_entry l LEFT JOIN credit_model m ON m.model = subject AND m.version = (body ->> 'version')::integer
WHERE l.kind = 'credit_model' AND subject <> 'now' ORDER BY entry_id;
DROP TABLE mine;
DROP VIEW versions;
DROP FUNCTION in_force;
DROP EXTENSION quality_gov;
