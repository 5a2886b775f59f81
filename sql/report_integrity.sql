-- The oracle of what has no foreign key notices every orphan, and doctor() says so.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SELECT * FROM integrity_check();
SELECT check_name, status FROM doctor() WHERE check_name IN ('integrity', 'credit');
INSERT INTO merchant_license (merchant_id, kind, number, categories, valid) VALUES ('ghost', 'k', 'n', '{x}', '(,)');
INSERT INTO merchant_verification (merchant_id, verified_at, checked, verified_by, result) VALUES ('ghost', now(), '{identity}', 'x', 'confirmed');
INSERT INTO merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('ghost', 'list', 'r', 's', '[2026-01-01,)');
INSERT INTO credit_grade_change (merchant_id, at, score, grade) VALUES ('ghost', now(), 1, 'D');
INSERT INTO merchant_person VALUES ('ghost', repeat('a', 64), 'p');
INSERT INTO merchant_member VALUES ('regress_no_such_role', 'ghost'), (current_user, 'ghost');
INSERT INTO watchlist_entry (watchlist, name, reason, legal_basis, source, term) VALUES ('lost', 'x', 'r', 'b', 's', '[2026-01-01,)');
INSERT INTO listing_finding VALUES ('ghost', 1, 1, 'r', 1, 'warn', 'low', NULL, 'm');
INSERT INTO listing_rule VALUES ('r', 1, 'lexicon', 'active', 'warn', 'low', NULL, '{"lexicon": "lost", "fields": ["title"]}', 't', 'b', '(,)');
INSERT INTO listing_rule VALUES ('k', 1, 'lost', 'draft', 'warn', 'low', NULL, '{}', 't', 'b', 'empty');
INSERT INTO listing_exception (merchant_id, rule, verdict, reason, owner, effect) VALUES ('ghost', 'r', 'pass', 'r', 'o', '[2026-01-01,2026-02-01)');
INSERT INTO listing_decision (merchant_id, relation, operation, at, verdict, guard_mode, role, ruleset_id) VALUES ('m-0', 'r', 'INSERT', now(), 'pass', 'enforce', 'x', 9);
INSERT INTO calendar_day VALUES ('GONE', '2026-01-01', false), ('GONE', '2026-01-02', false);
INSERT INTO calendar_year VALUES ('GONE', 2026);
INSERT INTO recall_scope (recall_id, gtin) VALUES (7, '73513537');
INSERT INTO recall (title, regime, reason, legal_basis) VALUES ('t', 'consumer', 'r', 'b');
SELECT relation, replace(key, current_user, 'me') AS key, problem FROM integrity_check() ORDER BY 1, 3;
SELECT check_name, status, count(*) FROM doctor() WHERE check_name = 'integrity' GROUP BY 1, 2;
-- a rule that reads a lexicon with no version in force is an error for the listing, not silence
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT listing_check('{"merchant_id": "m-1", "title": "x"}');
DROP EXTENSION quality_gov;
