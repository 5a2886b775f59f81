-- the life of a version: on trial, in force, ended, retired; and that a published one stays as it was
CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never
CREATE VIEW public.versions AS
  SELECT lexicon, version, state, effect, trial, superseded_at, octet_length(digest) AS digest, published_at IS NOT NULL AS published
  FROM quality_gov.lexicon WHERE NOT builtin ORDER BY lexicon, version;

-- a version on trial stands beside the active one, which stays in force
SELECT lexicon_load('ads', '{国家级}'), lexicon_publish('ads', 1, '2026-01-01');
SELECT lexicon_load('ads', '{最佳}'), lexicon_publish('ads', 2, '2026-02-01', 'shadow');
SELECT * FROM versions;
SELECT version, term FROM lexicon_scan('国家级 最佳', '{ads}', at => '2026-03-01');
SELECT version, term FROM lexicon_scan_version('国家级 最佳', 'ads', 2);
-- one at a time
SELECT lexicon_load('ads', '{顶级}'), lexicon_load('ads', '{极品}');
SELECT lexicon_publish('ads', 3, '2026-02-01', 'shadow');
-- another is put in force: the trial goes on
SELECT lexicon_publish('ads', 3, '2026-03-01');
SELECT * FROM versions;
-- the version on trial is put in force: the trial ends there, and is remembered
SELECT lexicon_publish('ads', 2, '2026-04-01');
SELECT * FROM versions;
SELECT at, version, term FROM unnest('{2026-02-15,2026-03-15,2026-04-15}'::timestamptz[]) at,
  lexicon_scan('国家级 最佳 顶级', '{ads}', at => at) ORDER BY at;
-- a trial that ends without success is never in force
SELECT lexicon_publish('ads', 4, '2026-05-01', 'shadow');
SELECT lexicon_publish('ads');
SELECT lexicon_end('ads', at => '2026-06-01');
SELECT * FROM versions WHERE version = 4;
SELECT count(*) FROM lexicon_scan('极品', '{ads}', at => '2026-05-15');
SELECT lexicon_load('ads', '{绝版}'), lexicon_publish('ads', 5, '2026-07-01', 'shadow'), lexicon_end('ads', 5, '2026-06-15');
SELECT trial, superseded_at FROM versions WHERE version = 5;
SELECT * FROM lexicon_check();

-- retired: in force no more, nothing in its place; the next one begins no earlier
SELECT lexicon_retire('ads', '2026-08-01');
SELECT * FROM versions WHERE version = 2;
SELECT count(*) FILTER (WHERE at < '2026-08-01') AS before, count(*) FILTER (WHERE at >= '2026-08-01') AS after
FROM unnest('{2026-07-31 23:59,2026-08-01}'::timestamptz[]) at, lexicon_scan('最佳', '{ads}', at => at);
SELECT lexicon_load('ads', '{最佳}'), lexicon_publish('ads', 6, '2026-07-31');
SELECT lexicon_load('ads', '{最佳}');
SELECT lexicon_publish('ads', 6, '2026-08-01');
-- one that is not yet in force is taken back at the instant at which it would be
SELECT lexicon_retire('ads', '2026-07-31');
SELECT lexicon_retire('ads', '2026-08-01');
SELECT effect FROM versions WHERE version = 6;
SELECT * FROM lexicon_check();

-- refused
SELECT lexicon_load('ads', '{孤品}');
SELECT lexicon_publish('ads', 7, state => 'superseded');
SELECT lexicon_publish('ads', 7, state => NULL);
SELECT lexicon_publish('ads', 7, state => 'shadow', platform_rule => true);
SELECT lexicon_publish('ads', 2, state => 'shadow');
SELECT lexicon_publish('ads', 4);
SELECT lexicon_end('ads');
SELECT lexicon_end('ads', 2);
SELECT lexicon_end('none');
SELECT lexicon_end(NULL);
SELECT lexicon_end('ads', at => 'infinity');
SELECT lexicon_retire('ads');
SELECT lexicon_retire('none');
SELECT lexicon_retire(NULL);
SELECT lexicon_retire('ads', NULL);
-- a rule that reads the lexicon would fail every listing
SELECT lexicon_publish('ads', 7, '2026-09-01');
SELECT listing_rule_add('words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 't', 'b', effective => '2026-09-01');
SELECT lexicon_retire('ads', '2026-10-01');
SELECT listing_rule_retire('words', '2026-10-01');
SELECT lexicon_retire('ads', '2026-09-30');
SELECT lexicon_retire('ads', '2026-10-01');

-- what is published stays as it is, whatever its state, and so do its terms
SELECT lexicon_load('kept', '{a}'), lexicon_publish('kept', 1, '2026-01-01'), lexicon_load('kept', '{b}'), lexicon_publish('kept', 2, '2026-02-01'),
  lexicon_load('kept', '{c}'), lexicon_publish('kept', 3, '2026-02-01', 'shadow'), lexicon_load('kept', '{d}');
CREATE FUNCTION public.attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE command;
  RAISE EXCEPTION USING ERRCODE = 'QGOK0', MESSAGE = 'allowed';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT v AS version, attempt(format(c, v))
FROM (VALUES ('UPDATE lexicon SET title = ''x'' WHERE lexicon = ''kept'' AND version = %s'),
             ('UPDATE lexicon SET folds = ''{}'' WHERE lexicon = ''kept'' AND version = %s'),
             ('UPDATE lexicon SET version = 9 WHERE lexicon = ''kept'' AND version = %s'),
             ('UPDATE lexicon_term SET severity = 1 WHERE lexicon = ''kept'' AND version = %s'),
             ('DELETE FROM lexicon_term WHERE lexicon = ''kept'' AND version = %s'),
             ('DELETE FROM lexicon WHERE lexicon = ''kept'' AND version = %s')) t (c), generate_series(1, 4) v
ORDER BY c, v;
SELECT attempt(c) FROM unnest(ARRAY[
  'TRUNCATE lexicon', 'TRUNCATE lexicon_term',
  $$UPDATE lexicon_term SET version = 2 WHERE lexicon = 'kept' AND version = 4$$,
  $$UPDATE lexicon SET state = 'draft', effect = NULL, trial = NULL, digest = NULL, published_at = NULL WHERE lexicon = 'kept' AND version = 3$$,
  $$UPDATE lexicon SET state = 'superseded', superseded_at = '2026-03-01', effect = '[2026-02-01,2026-03-01)', trial = '[2026-02-01,2026-03-01)' WHERE lexicon = 'kept' AND version = 3$$,
  $$UPDATE lexicon SET state = 'superseded', superseded_at = '2026-03-01', effect = 'empty' WHERE lexicon = 'kept' AND version = 3$$,
  $$UPDATE lexicon SET state = 'superseded', superseded_at = '2026-03-01', effect = 'empty', trial = '[2026-02-01,2026-03-01)', digest = '\x00' WHERE lexicon = 'kept' AND version = 3$$,
  $$UPDATE lexicon SET state = 'superseded', superseded_at = '2026-03-01', effect = 'empty' WHERE lexicon = 'kept' AND version = 2$$,
  $$UPDATE lexicon SET notice_id = 1 WHERE lexicon = 'kept' AND version = 2$$]) c;
-- a term put in by INSERT, which no trigger refuses since a restore must be able to, is found
INSERT INTO lexicon_term (lexicon, version, term, allow) SELECT 'kept', v, 'x', false FROM generate_series(1, 4) v;
INSERT INTO lexicon (lexicon, version, state, folds, effect, published_at, digest) VALUES ('kept', 8, 'active', '{}', '[2027-01-01,)', now(), '\x00');
INSERT INTO lexicon (lexicon, version, state, folds, effect, published_at, superseded_at, digest)
VALUES ('kept', 8, 'superseded', '{}', '[2026-02-01,2026-03-01)', now(), now(), '\x00');
SELECT * FROM lexicon_check() ORDER BY 1, 2, 3;
SELECT lexicon_publish('kept', 3, '2026-03-01');

-- what is shipped is changed by the extension alone
INSERT INTO lexicon (lexicon, version, folds, builtin) VALUES ('shipped', 1, '{}', true);
UPDATE lexicon SET builtin = false WHERE lexicon = 'shipped';
SELECT lexicon_load('shipped', '{a}');
SELECT lexicon_fill('shipped', 1, '{}');
SELECT lexicon_publish('shipped');
SELECT lexicon_end('shipped');
SELECT lexicon_retire('shipped');
SELECT listing_notice_add('lexicon', 'shipped', 1, now() + '60 days', transition => 'immediate');

-- three years after it ended a version may go, one whose trial ended too
SELECT lexicon_load('old', '{a}'), lexicon_publish('old', 1, now() - interval '4 years', 'shadow'), lexicon_end('old', 1, now() - interval '3 years 1 hour'),
  lexicon_load('old', '{a}'), lexicon_publish('old', 2, now() - interval '4 years', 'shadow'), lexicon_end('old', 2, now() - interval '2 years 11 months');
SELECT v AS version, attempt(format('DELETE FROM lexicon_term WHERE lexicon = ''old'' AND version = %s', v)) AS terms,
  attempt(format('DELETE FROM lexicon WHERE lexicon = ''old'' AND version = %s', v)) AS version FROM generate_series(1, 2) v;

-- all of it is in the ledger
SELECT kind, subject, body ->> 'version' AS version, body ->> 'state' AS state, (COALESCE(body ->> 'effective', body ->> 'at'))::timestamptz AS at,
  body ->> 'supersedes' AS supersedes
FROM ledger_entry WHERE kind LIKE 'lexicon%' AND subject = 'ads' ORDER BY entry_id;
DROP FUNCTION public.attempt;
DROP VIEW public.versions;
DROP EXTENSION quality_gov;
