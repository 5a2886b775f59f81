-- Back-tests: what a version of a rule would change on a table that is there, and who may ask.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SELECT count(*) AS roles FROM roles_create();
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('old', '{alpha,beta}'), lexicon_publish('old', effective => '2026-01-01');
SELECT lexicon_load('new', '{beta,gamma}'), lexicon_publish('new', effective => '2026-01-01');
SELECT listing_rule_add('words', 'lexicon', '{"lexicon": "old", "fields": ["title"]}', 'warn', 't', 'b', effective => '2026-01-01');
-- the draft drops alpha and adds gamma
SELECT listing_rule_draft('words', 'lexicon', '{"lexicon": "new", "fields": ["title"]}', 'warn', 't', 'b'),
       listing_rule_draft('words', 'lexicon', '{"lexicon": "old", "fields": ["title"]}', 'deny', 't', 'b'),
       listing_rule_draft('fresh', 'lexicon', '{"lexicon": "old", "fields": ["title"]}', 'deny', 't', 'b');
CREATE TABLE "Shop's product" (id int PRIMARY KEY, "the shop" text DEFAULT 'm-1', title text, gtin bigint, "ok'; DROP" boolean, verdict text);
INSERT INTO "Shop's product" (id, title, "ok'; DROP", verdict)
  SELECT g, (ARRAY['alpha', 'beta', 'gamma', 'alpha gamma', 'delta'])[1 + g % 5] || ' ' || g, g % 3 = 0,
         CASE g % 3 WHEN 0 THEN 'Violation' WHEN 1 THEN 'released' END FROM generate_series(0, 29) g;
\set columns '{"listing_id": "id", "merchant_id": "the shop", "title": "title", "gtin": "gtin"}'

SELECT change, listings, jsonb_array_length(examples) AS examples, true_positives, false_positives
FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20');
-- the same from the plain words
SELECT CASE WHEN n AND NOT o THEN 'new' WHEN o AND NOT n THEN 'lost' WHEN n THEN 'same' ELSE 'none' END AS change, count(*),
       count(*) FILTER (WHERE "ok'; DROP") AS violations
FROM (SELECT "ok'; DROP", title ~ 'alpha|beta' AS o, title ~ 'beta|gamma' AS n FROM "Shop's product") x GROUP BY 1 ORDER BY 1;
SELECT change, listings, true_positives, false_positives
FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20', review => 'ok''; DROP') WHERE change <> 'verdict';
-- a text column of outcomes, some of them open
SELECT change, listings, true_positives, false_positives
FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20', review => 'verdict') WHERE change IN ('new', 'lost');
-- examples name the listing and what either version says
SELECT e ->> 'merchant_id' AS merchant, e ->> 'title' ~ '^gamma' AS gamma, e -> 'draft' -> 0 ->> 'field' AS field, e ? 'live' AS live
FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20') b, jsonb_array_elements(b.examples) e WHERE change = 'new' LIMIT 1;
-- another verdict; a rule that is not in force yet; a version against itself; before the rule began
SELECT change, listings FROM listing_backtest('words', 3, '"Shop''s product"', :'columns', '2026-11-20');
SELECT change, listings FROM listing_backtest('fresh', 1, '"Shop''s product"', :'columns', '2026-11-20') WHERE listings > 0;
SELECT change, listings FROM listing_backtest('words', 1, '"Shop''s product"', :'columns', '2026-11-20') WHERE listings > 0;
-- a sample judges that many rows, the same ones each time
SELECT sum(listings) AS listings FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20', 7);
SELECT count(*) FROM (SELECT * FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20', 7)
  EXCEPT SELECT * FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20', 7)) x;
SELECT change, listings, examples FROM listing_backtest('words', 2, '"Shop''s product"', :'columns', '2026-11-20', 1) WHERE listings = 0 LIMIT 1;
-- the guard's mapping is taken where none is given; nothing is written
SELECT guard_listing('"Shop''s product"', :'columns');
SELECT sum(listings) AS listings FROM listing_backtest('words', 2, '"Shop''s product"');
SELECT count(*) FROM listing_decision;

-- values inside jsonb, by the closed grammar of mappings, with a boolean and a number among them
CREATE TABLE folded (id int, attrs jsonb, sold boolean DEFAULT true, code bigint);
INSERT INTO folded SELECT id, jsonb_build_object('shop', 'm-1', 'page', jsonb_build_object('it''s a title', title), 'checked', "ok'; DROP"), true, 6901234567892 FROM "Shop's product";
SELECT change, listings, true_positives, false_positives FROM listing_backtest('words', 2, 'folded',
  '{"listing_id": "id", "merchant_id": "attrs->>''shop''", "title": "attrs->''page''->>''it''''s a title''", "sold": "sold", "gtin": "code"}',
  '2026-11-20', review => 'attrs->>''checked''');
SELECT k, listing_source_sql('folded', k, v) <> '' AS made FROM (VALUES ('gtin', 'code'), ('sold', 'sold'), ('title', 'attrs->>0')) x(k, v);
SELECT listing_source_sql('folded', 'title', 'attrs->>title');
DROP TABLE folded;

-- refusals
CREATE TABLE plain (id int, shop text, title text[]);
SELECT * FROM listing_backtest('words', 2, 'plain');
SELECT * FROM listing_backtest('words', 9, '"Shop''s product"');
SELECT * FROM listing_backtest('words', 2, '"Shop''s product"', '{"merchant_id": "1; DROP TABLE plain"}');
SELECT * FROM listing_backtest('words', 2, '"Shop''s product"', '{"title": "title"}');
SELECT * FROM listing_backtest('words', 2, '"Shop''s product"', review => 'true OR true');
SELECT * FROM listing_backtest('words', 2, '"Shop''s product"', sample => 0);
SELECT * FROM listing_backtest('words', 2, '"Shop''s product"', at => 'infinity');
SELECT * FROM listing_backtest('words', 2, 'pg_class', :'columns');
-- it reads with the caller's rights
CREATE ROLE regress_admin; CREATE ROLE regress_nobody;
GRANT quality_gov_admin TO regress_admin;
SET ROLE regress_admin;
SELECT count(*) FROM quality_gov.listing_backtest('words', 2, 'public."Shop''s product"', :'columns');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT ON "Shop's product" TO regress_admin;
SET ROLE regress_admin;
SELECT sum(listings) AS listings FROM quality_gov.listing_backtest('words', 2, 'public."Shop''s product"', :'columns');
SET ROLE regress_nobody;
SELECT count(*) FROM quality_gov.listing_backtest('words', 2, 'public."Shop''s product"', :'columns');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP TABLE "Shop's product", plain;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, regress_nobody;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
