-- What a merchant may do, with every reason and until when; as of any instant.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at, closed_at) VALUES
  ('m-1', '某某食品', 'company', '91110000600037341L', '2026-01-01', NULL),
  ('m-2', '某某百货', 'company', '91440300708461136T', '2026-01-01', '2026-12-31');
INSERT INTO category_license VALUES ('food', 'food_operation', '(,)', 'test');
INSERT INTO merchant_license (merchant_id, kind, number, categories, valid, status, status_since) VALUES
  ('m-1', 'food_operation', 'A', '{food}', '[2026-01-01,2026-07-01)', 'valid', '-infinity'),
  ('m-1', 'food_operation', 'B', '{food/tea}', '[2026-06-01,2027-01-01)', 'suspended', '2026-11-01'),
  ('m-2', 'food_operation', 'C', '{*}', '[2026-01-01,2028-01-01)', 'valid', '-infinity');

-- a category covers those below it, not those that only begin alike
SELECT c, category_covers('{food}', c) FROM unnest('{food,food/tea,foodstuff,Food,toys}'::text[]) c;
SELECT category_covers(NULL, 'x') AS no_scope, category_covers('{*}', 'x') AS star, category_covers('{}', 'x') AS empty,
       category_covers('{x}', NULL) AS no_category;

-- licences over time: two overlap, one is suspended, none covers sweets after the first ends
SELECT t, c, allowed, reasons FROM unnest('{food/tea,food/sweets,toys,NULL}'::text[]) c,
  unnest('{2025-12-31,2026-01-01,2026-06-30,2026-08-01,2026-11-02}'::timestamptz[]) t, merchant_may('m-1', 'list', c, t)
ORDER BY c, t;
SELECT allowed, reasons FROM merchant_may('m-2', 'list', 'food/tea', '2026-08-01');
SELECT allowed, reasons FROM merchant_may('m-2', 'list', 'food/tea', '2026-12-31');
-- going live needs no licence of a category
SELECT allowed FROM merchant_may('m-1', 'live', 'food/sweets', '2026-08-01');

-- restrictions: action, category, period, and until when the last of them lasts
INSERT INTO merchant_restriction (merchant_id, action, category, reason, source, effect) VALUES
  ('m-1', 'list', 'toys', 'unsafe toys', 'platform', '[2026-03-01,2026-04-01)'),
  ('m-1', 'list', NULL, 'late shipments', 'platform', '[2026-03-15,2026-05-01)'),
  ('m-1', '*', NULL, 'sold counterfeits', 'platform', '[2026-09-01,)');
SELECT t, a, c, allowed, reasons, until
FROM (VALUES ('2026-02-28'::timestamptz, 'list', 'toys'), ('2026-03-02', 'list', 'toys'), ('2026-03-02', 'list', 'books'),
             ('2026-03-20', 'list', 'toys/wood'), ('2026-03-20', 'sell', 'toys'), ('2026-05-01', 'list', 'toys'),
             ('2026-09-01', 'sell', 'toys'), ('2026-09-01', 'live', NULL)) v(t, a, c), merchant_may('m-1', a, c, t);

-- lists: what being on one does is a row; the platform's row goes before the shipped one
INSERT INTO watchlist_entry (watchlist, uscc, reason, legal_basis, source, term) VALUES
  ('platform', '91440300708461136T', 'fakes', 'agreement', 'test', '[2026-02-01,2026-03-01)'),
  ('live_commerce', '91440300708461136T', 'false claims', 'Order 117 art 14', 'test', '[2026-02-01,2026-03-01)'),
  ('serious_violation', '91440300708461136T', 'false tests', 'Order 44', 'test', '[2026-02-01,2026-03-01)');
SELECT a, allowed, reasons, until FROM unnest('{list,sell,live}'::text[]) a, merchant_may('m-2', a, NULL, '2026-02-15');
INSERT INTO watchlist_effect VALUES ('platform', 'sell', 'pass', 'our policy'), ('serious_violation', 'sell', 'deny', 'our policy');
SELECT a, allowed, reasons FROM unnest('{list,sell}'::text[]) a, merchant_may('m-2', a, NULL, '2026-02-15');

-- unknown merchants, and bad input
SELECT allowed, reasons, until FROM merchant_may('m-9', 'list', NULL, '2026-08-01');
SELECT merchant_may(NULL, 'list');
SELECT merchant_may('m-1', 'fly');
SELECT merchant_may('m-1', NULL);
SELECT merchant_may('m-1', 'list', NULL, NULL);

-- what the tables refuse
\set VERBOSITY terse
INSERT INTO merchant (merchant_id, name, kind, uscc) VALUES ('', 'x', 'company', '91110000600037341L');
INSERT INTO merchant (merchant_id, name, kind) VALUES ('m-3', 'x', 'company');
INSERT INTO merchant (merchant_id, name, kind, self_declaration) VALUES ('m-3', '…', 'unregistered', 'home_handicraft');
INSERT INTO merchant (merchant_id, name, kind) VALUES ('m-3', 'x', 'unregistered');
INSERT INTO merchant (merchant_id, name, kind, uscc) VALUES ('m-3', 'x', 'company', 'not a code');
INSERT INTO merchant_license (merchant_id, kind, number, categories, valid) VALUES ('m-1', 'k', 'n', '{x}', 'empty');
INSERT INTO merchant_license (merchant_id, kind, number, categories, valid, status) VALUES ('m-1', 'k', 'n', '{x}', '(,)', 'lost');
INSERT INTO merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('m-1', 'fly', 'r', 's', '[2026-01-01,)');
INSERT INTO watchlist_entry (watchlist, reason, legal_basis, source, term) VALUES ('platform', 'r', 'b', 's', '[2026-01-01,)');
INSERT INTO watchlist_entry (watchlist, identity_digest, reason, legal_basis, source, term) VALUES ('platform', '110105', 'r', 'b', 's', '[2026-01-01,)');
INSERT INTO merchant_verification (merchant_id, verified_at, checked, verified_by, result) VALUES ('m-1', now(), '{luck}', 'x', 'confirmed');
DROP EXTENSION quality_gov;
