-- what a version changes: on paper, and over the platform's listings
CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT lexicon_load('ads', '{国家级,最佳,顶级}', '{最佳赏味期}', folds => '{case}', legal_basis => 'a');
SELECT lexicon_publish('ads', 1, '2026-01-01');
SELECT lexicon_load('ads', '{国家级,女装}', folds => '{case,separator}', legal_basis => 'b');
SELECT lexicon_load('ads', '{顶级}', '{顶级域名}', severity => 5, categories => '{food}', tags => '{x}', legal_basis => 'c', draft => 2);
SELECT * FROM lexicon_diff('ads', 1, 2) ORDER BY change, term COLLATE "C" NULLS FIRST, allow;
SELECT * FROM lexicon_diff('ads', 2, 1) ORDER BY change, term COLLATE "C" NULLS FIRST, allow;
SELECT * FROM lexicon_diff('ads', 1, 1);
SELECT * FROM lexicon_diff('ads', 1, 3);
SELECT * FROM lexicon_diff('none', 1, 2);
SELECT * FROM lexicon_diff('ads', NULL, 2);

-- a version is scanned by its number in whatever state
SELECT v.version, s.version, term, severity, span, matched, s.folds, tags, legal_basis
FROM generate_series(1, 2) v (version), lexicon_scan_version('国 家级 顶级 最佳赏味期', 'ads', v.version) s ORDER BY 1, span;
SELECT term FROM lexicon_scan_version('顶级', 'ads', 2, 'apparel');
SELECT term FROM lexicon_scan_version('顶级', 'ads', 2, 'food/infant', true);
SELECT count(*) FROM lexicon_scan_version(NULL, 'ads', 2);
-- a draft is scanned as it stands
BEGIN;
SELECT lexicon_load('ads', '{绝版}', draft => 2);
SELECT term FROM lexicon_scan_version('绝版', 'ads', 2);
ROLLBACK;
SELECT term FROM lexicon_scan_version('绝版', 'ads', 2);
SELECT * FROM lexicon_scan_version('x', 'ads', 3);
SELECT * FROM lexicon_scan_version('x', 'none', 1);
SELECT * FROM lexicon_scan_version('x', NULL, 1);
SELECT * FROM lexicon_scan_version('x', 'ads', NULL);

-- new hits, lost hits, examples
CREATE TABLE public.product (id bigint PRIMARY KEY, "the title" text, body text, cat text);
INSERT INTO product VALUES (1, '国家级好茶', NULL, 'food'), (2, '国 家 级好茶', '女装', 'apparel'), (3, '最佳', '最佳', 'food'),
  (4, '顶级', NULL, 'apparel'), (5, '顶级', NULL, 'food'), (6, '最佳 国家级', NULL, NULL), (7, '女装,女装', '女装', 'apparel'), (8, NULL, NULL, NULL);
SELECT change, term, listings, jsonb_pretty(examples) FROM lexicon_backtest('ads', 2, 'product', '{the title,body}', category => 'cat');
-- against a version given, the other way round, one column, fewer examples
SELECT * FROM lexicon_backtest('ads', 1, 'product', '{the title}', 2, 'cat', 1);
SELECT change, term, listings, examples FROM lexicon_backtest('ads', 2, 'product', '{body}', examples => 0);
SELECT * FROM lexicon_backtest('ads', 1, 'product', '{the title,body}');
-- a lexicon with nothing in force: every hit is new
SELECT lexicon_load('first', '{好茶}');
SELECT * FROM lexicon_backtest('first', 1, 'product', '{the title}');
-- a view has no key, a table without primary key its ctid
CREATE VIEW public.titles AS SELECT "the title" AS title FROM product WHERE id = 1;
CREATE TABLE public.keyless AS TABLE titles;
SELECT r AS relation, b.examples FROM unnest('{titles,keyless}'::regclass[]) r, lexicon_backtest('first', 1, r, '{title}') b WHERE term IS NULL;
-- long texts are cut around the hit
SELECT lexicon_load('cut', '{甲乙}');
CREATE TABLE public.long AS SELECT repeat('长', 100) || '甲乙' || repeat('文', 100) AS body;
SELECT examples -> 0 ->> 'text' FROM lexicon_backtest('cut', 1, 'long', '{body}') WHERE term IS NOT NULL;

-- refused
SELECT * FROM lexicon_backtest('ads', 9, 'product', '{body}');
SELECT * FROM lexicon_backtest('ads', NULL, 'product', '{body}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{body}', 9);
SELECT * FROM lexicon_backtest('none', 1, 'product', '{body}');
SELECT * FROM lexicon_backtest('ads', 2, NULL, '{body}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{body,NULL}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{body,title}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{to_jsonb}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', ARRAY['body"); DROP TABLE product; --']);
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{body}', category => 'kind');
SELECT * FROM lexicon_backtest('ads', 2, 'product_pkey', '{id}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{{body,kind},{body,kind}}');
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{body}', examples => -1);

-- it reads with the caller's rights
CREATE ROLE regress_tester;
GRANT USAGE ON SCHEMA quality_gov TO regress_tester;
GRANT SELECT ON lexicon TO regress_tester;
GRANT EXECUTE ON FUNCTION lexicon_backtest, lexicon_backtest_source, lexicon_version_require, lexicon_scan_version TO regress_tester;
SET ROLE regress_tester;
SELECT * FROM lexicon_backtest('ads', 2, 'product', '{body}');
RESET ROLE;
ALTER TABLE product ENABLE ROW LEVEL SECURITY;
CREATE POLICY second ON product USING (id = 2);
GRANT SELECT ON product TO regress_tester;
SET ROLE regress_tester;
SELECT change, term, listings FROM lexicon_backtest('ads', 2, 'product', '{body,the title}');
RESET ROLE;
DROP OWNED BY regress_tester;
DROP ROLE regress_tester;
DROP VIEW titles;
DROP TABLE product, keyless, long;
DROP EXTENSION quality_gov;
