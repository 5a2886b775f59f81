-- loading a lexicon from a table that the caller filled, by COPY for example
CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE TEMP TABLE t (LIKE quality_gov.lexicon_stage);
COPY t FROM stdin (DELIMITER '|', NULL '');
处方药||5|||药品管理法
治愈|f||{food,toys}|{claim}|
女装|f|2|||广告法
女装|t|2|{apparel}||
处方药|f|5|||药品管理法
\.
SELECT lexicon_load_from('goods', 't', '{separator,case}', '广告法', 'Goods');
SELECT folds, legal_basis, title, state FROM lexicon WHERE NOT builtin;
SELECT term, allow, severity, categories, tags, legal_basis FROM lexicon_term WHERE NOT builtin ORDER BY term COLLATE "C", allow;
SELECT lexicon_publish('goods', 1, '2026-01-01');
SELECT term, severity, tags, legal_basis FROM lexicon_scan('处方药 治愈 女装', '{goods}', 'apparel', '2026-11-20');

-- the terms alone, from a view, with columns of other types and others that are not read
CREATE TABLE public.word (id bigint, term varchar(20) PRIMARY KEY, severity smallint, note point);
INSERT INTO word SELECT g, '词' || g, 1 + g % 5 FROM generate_series(1, 60000) g;
CREATE VIEW public.short AS SELECT term FROM word WHERE id <= 3;
SELECT lexicon_load_from('short', 'short'), lexicon_load_from('short', 'short', draft => 1), lexicon_load_from('short', 'word', draft => 1);
-- the draft held three of them with severity 3: nothing was added to it
SELECT lexicon_load_from('short', 'short');
SELECT version, count(*), count(DISTINCT severity) FROM lexicon_term WHERE lexicon = 'short' GROUP BY 1 ORDER BY 1;
-- more than one part
SELECT lexicon_load_from('words', 'word');
SELECT count(*), min(severity), max(severity) FROM lexicon_term WHERE lexicon = 'words';
-- the first bad row is named by its number, in whatever part it is
INSERT INTO word VALUES (60001, 'x', 9), (60002, '……', 1);
SELECT lexicon_load_from('words', 'word', draft => 1);
UPDATE word SET severity = 3 WHERE id = 60001;
SELECT lexicon_load_from('words2', 'word');
SELECT count(*) AS nothing_left FROM lexicon_term WHERE lexicon = 'words2';

-- each row is checked
CREATE FUNCTION public.attempt(entry text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE pg_temp.t;
  INSERT INTO pg_temp.t VALUES ('好', false);
  INSERT INTO pg_temp.t SELECT (entry::quality_gov.lexicon_stage).*;
  PERFORM quality_gov.lexicon_load_from('bad', 'pg_temp.t');
  RETURN 'allowed';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT left(e, 40) AS entry, attempt(e) FROM unnest(ARRAY[
  '(,f,1,,,)', '("",f,1,,,)', '(--,t,1,,,)', '(' || repeat('长', 501) || ',f,1,,,)', '(a,f,0,,,)', '(a,f,6,,,)',
  '(a,f,1,{},,)', '(a,f,1,"{a,NULL}",,)', '(a,f,1,"{""""}",,)', '(a,f,1,,"{""""}",)', '(a,f,1,,{NULL},)',
  '(好,f,4,,,)', '(好,f,3,{food},,)', '(好,f,3,,,law)', '(好,f,3,,{x},)', '(好,t,4,,,)', '(好,,,,,)', '(a,f,1,,{},)']) e;
DELETE FROM lexicon_term WHERE lexicon = 'bad';
DELETE FROM lexicon WHERE lexicon = 'bad';
-- the same from arrays
SELECT lexicon_load('twice', '{a}', severity => 2, legal_basis => 'law'), lexicon_load('twice', '{a,b}', severity => 2, draft => 1, legal_basis => 'law');
SELECT lexicon_load('twice', '{a}', severity => 3, draft => 1, legal_basis => 'law');

-- a lexicon without terms is opened by itself, is in force and finds nothing
SELECT lexicon_open('nothing', '{}', title => 'Nothing'), lexicon_publish('nothing', 1, '2026-01-01');
SELECT folds, title FROM lexicon WHERE lexicon = 'nothing';
SELECT count(*) FROM lexicon_scan('x', '{nothing}', at => '2026-11-20');

-- refused
TRUNCATE t;
SELECT lexicon_load_from('empty', 't');
INSERT INTO t VALUES ('a', true);
SELECT lexicon_load_from('empty', 't');
SELECT lexicon_load_from(NULL, 't'), lexicon_load_from('', 't');
SELECT lexicon_load_from('empty', NULL);
SELECT lexicon_load_from('empty', 'pg_class');
SELECT lexicon_load_from('empty', 'word_pkey');
SELECT lexicon_load_from('empty', 't', '{soundex}');
SELECT lexicon_load_from('goods', 't', draft => 1);
SELECT lexicon_load_from('goods', 't', draft => 9);
SELECT lexicon_load_from('words', 't', title => 'x', draft => 1);
CREATE TEMP TABLE wrong (term text, categories text);
SELECT lexicon_load_from('empty', 'wrong');
CREATE TEMP TABLE wrong2 (term text, tags integer[], allow integer);
SELECT lexicon_load_from('empty', 'wrong2');
SELECT lexicon_fill('goods', 1, ARRAY[ROW('x', false, 1, NULL, NULL, NULL)::lexicon_stage]);
SELECT lexicon_fill('words', NULL, '{}'), lexicon_fill('words', 1, NULL), lexicon_fill('words', 1, ARRAY[ROW('x', false, 1, NULL, NULL, NULL)::lexicon_stage]);
SELECT lexicon_fill('words', 1, ARRAY[NULL::lexicon_stage], 100);
SELECT count(*) AS nothing_left FROM lexicon WHERE lexicon IN ('empty', 'bad');

-- the relation is read with the caller's rights, the lexicon written with the owner's
CREATE ROLE regress_loader;
GRANT USAGE ON SCHEMA quality_gov TO regress_loader;
GRANT EXECUTE ON FUNCTION lexicon_load_from, lexicon_stage_columns, lexicon_open, lexicon_fill TO regress_loader;
CREATE TABLE public.secret (term text);
INSERT INTO secret VALUES ('secret');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION public.who() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT current_user::text';
CREATE VIEW public.mine AS SELECT who() AS term;
GRANT SELECT ON mine TO regress_loader;
SET ROLE regress_loader;
SELECT lexicon_load_from('stolen', 'secret');
SELECT lexicon_load_from('who', 'mine');
CREATE TEMP TABLE own (LIKE quality_gov.lexicon_stage);
INSERT INTO own VALUES ('a');
SELECT lexicon_load_from('own', 'own');
INSERT INTO lexicon_term (lexicon, version, term, allow) VALUES ('own', 1, 'b', true);
RESET ROLE;
GRANT SELECT ON secret TO regress_loader;
SET ROLE regress_loader;
SELECT lexicon_load_from('stolen', 'secret');
RESET ROLE;
SELECT term FROM lexicon_term WHERE lexicon IN ('who', 'own', 'stolen') ORDER BY 1;
DROP OWNED BY regress_loader;
DROP ROLE regress_loader;
DROP VIEW short, mine;
DROP TABLE word, secret;
DROP FUNCTION who, attempt;
DROP EXTENSION quality_gov;
