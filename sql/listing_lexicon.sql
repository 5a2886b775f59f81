CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never

-- load, publish, supersede; each instant is judged by the version in force then
SELECT lexicon_load('ads', '{国家级,最佳}', title => 'Absolute terms', legal_basis => '广告法 art. 9(3)', severity => 4, tags => '{absolute}');
SELECT count(*) FROM lexicon_scan('最佳', '{ads}', at => '2026-11-20') AS draft_is_not_in_force;
SELECT lexicon_publish('ads', 1, '2026-01-01');
SELECT lexicon_load('ads', '{国家级}', folds => '{separator,case}');
SELECT lexicon_publish('ads', effective => '2026-12-01');
SELECT lexicon, version, state, folds, effect, superseded_at, published_at IS NOT NULL AS published, octet_length(digest)
FROM lexicon WHERE NOT builtin ORDER BY version;
SELECT at, s.*
FROM (VALUES ('2025-12-31 23:59'::timestamptz), ('2026-01-01'), ('2026-11-30 23:59'), ('2026-12-01')) AS t (at),
  lexicon_scan('国 家级，最佳', '{ads}', at => t.at) AS s;

-- a draft is filled in steps of different severity and scope
SELECT lexicon_load('goods', '{处方药}', severity => 5, legal_basis => '药品管理法');
SELECT lexicon_load('goods', '{治愈}', severity => 2, categories => '{food,toys}', draft => 1, legal_basis => '广告法 art. 17');
SELECT lexicon_load('goods', '{女装}', categories => '{*}', draft => 1);
SELECT lexicon_load('goods', '{}', '{女装}', categories => '{apparel}', draft => 1);
SELECT lexicon_publish('goods', effective => '2026-01-01');
SELECT category, array_agg(term || ' ' || severity || COALESCE(' ' || legal_basis, '') ORDER BY term COLLATE "C") AS hits
FROM unnest('{food,food/infant,foodstuff,apparel,apparel/women,NULL}'::text[]) AS category,
  lexicon_scan('处方药 治愈 女装', '{goods}', category, '2026-11-20')
GROUP BY 1 ORDER BY 1;

-- several lexicons, one named twice, none
SELECT lexicon, term, span FROM lexicon_scan('处方药最佳', '{goods,ads,goods}', at => '2026-11-20');
SELECT count(*) FROM lexicon_scan('处方药最佳', '{}', at => '2026-11-20');
-- of two spellings of one thing the graver one is reported
SELECT lexicon_load('twice', '{vx}', severity => 1), lexicon_load('twice', '{V.X}', severity => 5, draft => 1),
  lexicon_publish('twice', 1, '2026-01-01');
SELECT term, severity, matched, folds FROM lexicon_scan('加 v-x', '{twice}', at => '2026-11-20');

-- refused when loading
SELECT lexicon_load('bad', '{大麻,"……"}');
SELECT lexicon_load('bad', '{大麻}', '{"🙂"}');
SELECT lexicon_load('bad', ARRAY['a', NULL, 'b']);
SELECT lexicon_load('bad', '{a}', ARRAY[NULL::text]);
SELECT lexicon_load('bad', '{}');
SELECT lexicon_load('bad', NULL, NULL);
SELECT lexicon_load('bad', '{}', '{a}');
SELECT lexicon_load('bad', '{a}', folds => '{case,soundex}');
SELECT lexicon_load('bad', '{a}', severity => 6);
SELECT lexicon_load('bad', '{a}', categories => '{}');
SELECT lexicon_load('bad', ARRAY[repeat('长', 501)]);
SELECT lexicon_load('bad', '{{a,b}}', '{c}');
SELECT lexicon_load('bad', '{a}', tags => '{{a,b}}');
SELECT lexicon_load('bad', '{a}', draft => 1);
SELECT lexicon_load('ads', '{a}', draft => 1);
SELECT lexicon_load(NULL, '{a}'), lexicon_load('', '{a}');
SELECT count(*) AS nothing_left FROM lexicon WHERE lexicon = 'bad';
-- without the fold the same term is one
SELECT lexicon_load('signs', '{……}', folds => '{nfkc,case}');

-- refused when publishing
SELECT lexicon_publish('none');
SELECT lexicon_publish(NULL);
SELECT lexicon_publish('ads');
SELECT lexicon_publish('ads', 1);
SELECT lexicon_publish('ads', 7);
SELECT lexicon_publish('signs', 1, NULL);
SELECT lexicon_publish('signs', 1, 'infinity');
SELECT lexicon_load('ads', '{顶级}');
SELECT lexicon_publish('ads', 3, '2026-11-30');

-- refused when scanning
SELECT * FROM lexicon_scan('a', '{ads,none}', at => '2026-11-20');
SELECT * FROM lexicon_scan(NULL, '{none}', at => '2026-11-20');
SELECT * FROM lexicon_scan('a', NULL, at => '2026-11-20');
SELECT * FROM lexicon_scan('a', ARRAY['ads', NULL], at => '2026-11-20');
SELECT * FROM lexicon_scan('a', '{ads}', at => NULL);

-- a published version and its terms stay as they are
UPDATE lexicon SET title = 'other' WHERE lexicon = 'ads' AND version = 1;
UPDATE lexicon SET effect = tstzrange('2026-06-01', NULL) WHERE lexicon = 'ads' AND version = 2;
UPDATE lexicon SET state = 'superseded', superseded_at = '2027-01-01', effect = tstzrange('2020-01-01', '2027-01-01')
WHERE lexicon = 'ads' AND version = 2;
UPDATE lexicon_term SET severity = 1 WHERE lexicon = 'ads' AND version = 2;
DELETE FROM lexicon WHERE lexicon = 'ads' AND version = 1;
DELETE FROM lexicon_term WHERE lexicon = 'ads' AND version = 1;
TRUNCATE lexicon_term;
TRUNCATE lexicon;
SELECT * FROM lexicon_check();

-- a draft may go; so may a version superseded for three years, and nothing is in force in its time then
DELETE FROM lexicon_term WHERE lexicon = 'ads' AND version = 3;
DELETE FROM lexicon WHERE lexicon = 'ads' AND version = 3;
SELECT lexicon_load('old', '{甲}'), lexicon_publish('old', 1, '2019-01-01'),
  lexicon_load('old', '{甲}'), lexicon_publish('old', 2, '2020-01-01');
SELECT version FROM lexicon_scan('甲', '{old}', at => '2019-06-01');
DELETE FROM lexicon_term WHERE lexicon = 'old' AND version = 1;
DELETE FROM lexicon WHERE lexicon = 'old' AND version = 1;
SELECT count(*) FROM lexicon_scan('甲', '{old}', at => '2019-06-01');

-- what was added past lexicon_load() is found
BEGIN;
INSERT INTO lexicon_term (lexicon, version, term, allow) VALUES ('ads', 2, '国家', true), ('gone', 1, 'x', false);
SELECT * FROM lexicon_check() ORDER BY 1, 2;
ROLLBACK;

-- every publication is in the ledger
SELECT subject, body ->> 'version' AS version, (body ->> 'effective')::timestamptz AS effective, body ->> 'supersedes' AS supersedes
FROM ledger_entry WHERE kind = 'lexicon_publish' ORDER BY entry_id;

-- a change is seen at once, also under repeatable read and by a prepared statement
PREPARE scan AS SELECT version, term FROM lexicon_scan('甲乙', '{old}', at => '2026-11-20');
BEGIN ISOLATION LEVEL REPEATABLE READ;
EXECUTE scan;
SELECT lexicon_load('old', '{乙}'), lexicon_publish('old', 3, '2026-01-01');
EXECUTE scan;
ROLLBACK;
EXECUTE scan;

-- who may call these needs no right on the tables
CREATE ROLE regress_lexicon;
GRANT USAGE ON SCHEMA quality_gov TO regress_lexicon;
GRANT EXECUTE ON FUNCTION lexicon_load, lexicon_publish, lexicon_scan TO regress_lexicon;
SET ROLE regress_lexicon;
SELECT lexicon_load('mine', '{甲}'), lexicon_publish('mine', 1, '2026-01-01');
SELECT term FROM lexicon_scan('甲', '{mine}', at => '2026-11-20');
SELECT * FROM lexicon;
INSERT INTO lexicon_term (lexicon, version, term, allow) VALUES ('ads', 2, '国家', true);
RESET ROLE;
DROP OWNED BY regress_lexicon;
DROP ROLE regress_lexicon;

DROP EXTENSION quality_gov;
