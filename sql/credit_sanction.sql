-- Sanctions that a person chooses: the measures of Order 117, their periods, publication (D9), reports, statements.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, shop_name, kind, uscc, self_declaration, admitted_at) VALUES
  ('m-1', 'Acme', 'Acme live', 'company', '91110000600037341L', NULL, '2026-01-01'), ('m-2', 'Li Si', 'Li', 'unregistered', NULL, 'home_handicraft', '2026-01-01'),
  ('m-3', 'Li Si', 'Li again', 'unregistered', NULL, 'home_handicraft', '2026-01-01'), ('m-4', 'Acme', 'Acme again', 'company', '91110000600037341L', NULL, '2026-01-01');
INSERT INTO merchant_person VALUES ('m-2', repeat('a', 64), 'owner'), ('m-3', repeat('b', 64), 'owner');
SELECT step, measure, title, until_needed, restricts, watchlist, report_to, effect, legal_basis FROM sanction_ladder WHERE ladder = 'live_order_117' ORDER BY 1;

-- a warning, a suspension, a ban for a term
SELECT sanction_impose('m-1', 'live_order_117', 'warn', 'the price was compared with nothing', 'a first time, slight', 'ann', at => '2026-03-06 10:00') AS s1;
SELECT sanction_impose('m-1', 'live_order_117', 'suspend_live', 'again', 'a second time', 'ann', category => 'food', at => '2026-03-12 10:00') AS s2;
SELECT sanction_impose('m-1', 'live_order_117', 'ban_live_for_term', 'again', 'a third time', 'ann', until => '2926-12-20', restricts => '{sell,live}', at => '2026-03-13 18:00') AS s3;
SELECT sanction_id, measure, legal_basis, effect, restricts, category, decided_by, automatic FROM sanction ORDER BY 1;
SELECT t, a, c, allowed, reasons FROM unnest('{2026-03-12 12:00,2026-03-14}'::timestamptz[]) t, unnest('{live,sell}'::text[]) a, unnest('{food,toys}'::text[]) c, merchant_may('m-1', a, c, t) ORDER BY t, a, c;
-- the last three are reported to the province, too; the blacklist finds the same merchant under another account, and no namesake
SELECT sanction_impose('m-1', 'live_order_117', 'blacklist', 'again', 'grave', 'ann', until => '2926-11-30', at => '2026-03-20 23:59:59') AS s4;
SELECT sanction_impose('m-2', 'live_order_117', 'bar_registration', 'fake goods', 'grave', 'ann', at => '2026-03-20 10:00') AS s5;
SELECT merchant_id, allowed, reasons FROM unnest('{m-1,m-2,m-3,m-4}'::text[]) merchant_id, merchant_may(merchant_id, 'live', NULL, '2026-03-21');
SELECT watchlist, uscc, name, left(identity_digest, 2) AS digest, reason, source, source_item, term FROM watchlist_entry ORDER BY entry_id;
SELECT merchant_id, sanction_id, authority FROM sanction_report_due ORDER BY 1, 2, 3;
SELECT sanction_report_add('m-1', 4, 'province', 'letter 7', '2026-03-21'), sanction_report_add('m-1', 4, 'province', 'letter 8', '2026-03-22');
SELECT sanction_id, authority FROM sanction_report_due WHERE sanction_id >= 4 ORDER BY 1, 2;
SELECT sanction_id, authority, ref FROM sanction_report;

-- D9: one working day from the decision; of a Friday until Monday's end, unless the Saturday is worked; of a Friday before a holiday Monday until Tuesday's
SELECT subject, due, legal_basis FROM duty_due WHERE duty = 'D9' ORDER BY subject;
SELECT calendar_load('CN', 2026, '{2026-03-23}', '{2026-03-14}', 'test') AS days;
SELECT subject, due FROM duty_due WHERE duty = 'D9' ORDER BY subject;
SELECT sanction_publish('m-1', 4, 'https://example.org/notices/4', 'sold fakes on air', '2026-03-21 09:00');
SELECT sanction_publish('m-1', 4, 'https://example.org/notices/4'), sanction_publish('m-1', 1, 'notice 1', at => '2026-03-06 11:00');
SELECT subject FROM duty_due WHERE duty = 'D9' ORDER BY subject;
SELECT * FROM sanction_public ORDER BY decided_at;
-- a measure whose term is over needs no publication any more, and is shown no more
SELECT sanction_impose('m-2', 'live_order_117', 'limit_traffic', 'f', 'r', 'ann', until => '2026-03-21 00:00', at => '2026-03-20 12:00') AS s6;
SELECT subject FROM duty_due WHERE duty = 'D9' ORDER BY subject;
SELECT sanction_publish('m-2', 6, 'x', at => '2026-03-21'), (SELECT count(*) FROM sanction_public) AS shown;

-- lifted by a person: what enforces it ends then, earlier instants are answered as before
SELECT sanction_lift('m-1', 4, 'the term was too long', 'bob', '2026-03-28 12:00');
SELECT sanction_lift('m-1', 3, 'the same', 'bob', '2026-03-28 12:00');
SELECT sanction_lift('m-1', 2, 'mended', 'bob', '2026-03-28 12:00');
SELECT t, allowed, cardinality(reasons) AS reasons FROM unnest('{2026-03-28 11:59:59,2026-03-28 12:00}'::timestamptz[]) t, merchant_may('m-1', 'live', NULL, t);
SELECT allowed FROM merchant_may('m-4', 'live', NULL, '2026-03-29');
SELECT sanction_id, lifted_at, lift_cause, lift_reasons, lifted_by FROM sanction WHERE lifted_at IS NOT NULL ORDER BY 1;
SELECT measure_code FROM sanction_public ORDER BY 1;
SELECT sanction_id, since, until, in_force, publish_due FROM sanction_overview WHERE merchant_id = 'm-1' ORDER BY 1;
-- the statement: facts, reasons, basis, term, how to appeal; what a person wrote is no place
SELECT sanction_impose('m-2', 'live_order_117', 'limit_functions', 'said {reference} on air', 'r', 'ann', until => '2926-12-01', legal_basis => 'rules 7', at => '2026-03-21 10:00') AS s7;
SELECT sanction_statement('m-2', 7);
INSERT INTO duty_rule (duty, title, amount, unit, effect, legal_basis) VALUES ('violation_appeal', 'appeal', 15, 'day', '(,)', 'our rules');
SELECT sanction_statement('m-1', 4, 'en', 'UTC');
SELECT sanction_statement('m-1', 4, 'tlh');
SELECT sanction_statement('m-1', 99);

-- the same reference is the same sanction
SELECT sanction_impose('m-3', 'live_order_117', 'warn', 'f', 'r', 'ann', ref => 'c-1', at => '2026-03-21') = sanction_impose('m-3', 'live_order_117', 'warn', 'f', 'r', 'ann', ref => 'c-1', at => '2026-03-22') AS same;
SELECT sanction_impose('m-3', 'live_order_117', 'warn', 'other', 'r', 'ann', ref => 'c-1', at => '2026-03-22');
-- refused
SELECT sanction_impose('m-3', 'live_order_117', 'scold', 'f', 'r', 'ann', at => '2026-03-22');
SELECT sanction_impose('m-3', 'lost', 'warn', 'f', 'r', 'ann', at => '2026-03-22');
SELECT sanction_impose('m-3', 'points', 'close_shop', 'f', 'r', 'ann', at => '2026-03-22');
SELECT sanction_impose('m-3', 'live_order_117', 'blacklist', 'f', 'r', 'ann', at => '2026-03-22');
SELECT sanction_impose('m-3', 'live_order_117', 'warn', 'f', 'r', 'ann', until => '2026-03-21', at => '2026-03-22');
SELECT sanction_impose('m-3', 'live_order_117', 'warn', 'f', ' ', 'ann');
SELECT sanction_impose('m-3', 'live_order_117', 'warn', 'f', 'r', 'ann', restricts => '{breathe}');
SELECT sanction_impose('m-3', 'live_order_117', 'warn', 'f', 'r', 'ann', violation_id => 5, at => '2026-03-22');
SELECT sanction_impose('ghost', 'live_order_117', 'warn', 'f', 'r', 'ann');
SELECT sanction_lift('m-1', 4, 'twice', 'bob', '2026-03-29');
SELECT sanction_lift('m-1', 1, '', 'bob');
SELECT sanction_publish('m-1', 3, 'x');
SELECT sanction_publish('m-1', 1, 'elsewhere');
SELECT sanction_publish('m-2', 5, 'x', at => '2026-02-22');
SELECT sanction_publish('m-2', 5, ' ');
SELECT sanction_report_add('m-1', 1, 'world', 'x');
-- before the order was in force there was no such ladder
INSERT INTO merchant (merchant_id, name, kind, self_declaration, admitted_at) VALUES ('m-5', 'x', 'unregistered', 'home_handicraft', '2025-01-01');
SELECT sanction_impose('m-5', 'live_order_117', 'warn', 'f', 'r', 'ann', at => '2026-01-31 23:59:59');
-- a platform's own row of a step comes before the shipped one
INSERT INTO sanction_ladder (ladder, step, measure, title, duration, legal_basis, effect) VALUES ('live_order_117', 1, 'warn', 'Yellow card', '30 days', 'rules 8', '[2026-06-01,)');
SELECT sanction_impose('m-5', 'live_order_117', 'warn', 'f', 'r', 'ann', at => '2026-05-31') AS shipped, sanction_impose('m-5', 'live_order_117', 'warn', 'f', 'r', 'ann', at => '2026-06-01') AS own \gset
SELECT title, effect FROM sanction WHERE sanction_id IN (:shipped, :own) ORDER BY at;
SELECT * FROM sanction_check();
-- the oracle notices
UPDATE merchant_restriction SET effect = '[2026-03-13,2026-03-14)' WHERE reason LIKE 'sanction 2:%';
INSERT INTO merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('m-3', 'sell', 'r', 'sanction', '[2026-03-05,)');
UPDATE sanction SET appeal_state = 'open' WHERE sanction_id = 1;
UPDATE watchlist_entry SET term = '[2026-03-20,)' WHERE source_item = '4/0';
DELETE FROM watchlist_entry WHERE source_item = '5/1';
INSERT INTO sanction (merchant_id, ladder, step, measure, title, track, points, violation_id, facts, reasons, legal_basis, at, effect, restricts, report_to, decided_by, automatic)
VALUES ('ghost', 'points', 1, 'x', 't', 'general', 12, 77, 'f', 'r', 'b', '2026-03-05', '[2026-03-05,)', '{}', '{}', 'x', true);
SELECT * FROM sanction_check() ORDER BY 1, 2;
SELECT relation, key, problem FROM integrity_check() ORDER BY 1, 3;
SELECT DISTINCT check_name, status FROM doctor() WHERE check_name = 'sanction';
DROP EXTENSION quality_gov;
