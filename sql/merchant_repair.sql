-- Credit repair (Order 107): classes, terms and their boundaries, penalties on one fact, bans, fraud.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01'),
  ('m-3', 'c', 'company', '9144030071526726XG', '2026-01-01');

-- the class: given, or derived with the reason
SELECT c.content, k.class, k.reason
FROM unnest(ARRAY['{"kinds": ["warning"]}', '{"kinds": ["criticism"]}', '{"kinds": ["fine"], "amount": 50000, "lenient": true}',
  '{"kinds": ["fine"], "amount": 50000.01, "lenient": true}', '{"kinds": ["fine"], "amount": 50000}',
  '{"kinds": ["fine"], "amount": 5000, "lenient": true, "subject": "person"}',
  '{"kinds": ["fine"], "amount": 5001, "lenient": true, "subject": "person"}',
  '{"kinds": ["warning", "fine"], "amount": 1, "lenient": true}', '{"kinds": ["fine", "confiscation"], "amount": 1, "lenient": true}',
  '{"kinds": ["fine"], "amount": 1, "lenient": true, "field": "food"}', '{"kinds": ["fine"], "amount": 90000, "field": "food"}',
  '{"kinds": ["stopped"], "field": "drug"}', '{"kinds": ["fine", "licence_revoked", "occupation_ban"], "amount": 1}',
  '{"kinds": ["fine"], "amount": 1, "class": "8.1"}', '{"severity": "general"}', '{"severity": "serious"}']::jsonb[]) WITH ORDINALITY AS c(content, n)
LEFT JOIN LATERAL repair_class_of(c.content || '{"type": "penalty"}', '2026-06-01') k ON true ORDER BY c.n;

-- one penalty of each class, all published on 10 January 2026
CREATE FUNCTION penalty(item text, VARIADIC more text[]) RETURNS jsonb LANGUAGE sql RETURN
  '{"type": "penalty", "uscc": "91110000600037341L", "reason": "r", "legal_basis": "b", "from": "2026-01-10 09:30+08"}'::jsonb
  || jsonb_build_object('item', item) || jsonb_object(more)
  || CASE WHEN more[1] = 'kinds' THEN jsonb_build_object('kinds', jsonb_build_array(more[2]), 'amount', 1) ELSE '{}' END;
SELECT count(*) AS loaded FROM regulatory_import(jsonb_build_array(
  penalty('A warning', 'kinds', 'warning'), penalty('B fine', 'class', '7 fine'), penalty('C general', 'kinds', 'fine'),
  penalty('D food', 'kinds', 'fine', 'field', 'food'), penalty('E stopped', 'kinds', 'stopped', 'ban_until', '2027-06-01 00:00+08'),
  penalty('F revoked', 'kinds', 'licence_revoked'), penalty('G ten years', 'kinds', 'occupation_ban', 'ban_until', '2036-01-01 00:00+08'),
  penalty('H until it ends', 'kinds', 'restricted'), penalty('I suspended', 'kinds', 'licence_suspended', 'ban_until', '2030-01-01'),
  '{"item": "S", "type": "sampling", "uscc": "91110000600037341L", "product": "p", "result": "fail", "from": "2026-01-10"}'::jsonb,
  '{"item": "T", "type": "sampling", "uscc": "91110000600037341L", "product": "p", "result": "pass", "from": "2026-01-10"}'::jsonb,
  '{"item": "U", "type": "spot_check", "uscc": "91110000600037341L", "checked": "annual report", "result": "fail", "from": "2026-01-10"}'::jsonb),
  'samr', false, '2026-01-11') WHERE status = 'loaded';
SELECT item, class, severity, state, published_until, earliest, may_ask, reason FROM repair_terms('m-1', '2026-02-01') ORDER BY item;
-- one instant before, at and after each boundary
SELECT b.item, b.at, t.state, t.may_ask, t.papers, t.conditions
FROM (VALUES ('B fine', '2026-04-10 23:59:59.999999'::timestamptz), ('B fine', '2026-04-11'), ('S', '2026-04-10 23:59:59.999999'), ('S', '2026-04-11'),
  ('C general', '2026-04-10 23:59:59.999999'), ('C general', '2026-04-11'), ('C general', '2027-01-10 23:59:59.999999'), ('C general', '2027-01-11'),
  ('D food', '2027-01-10 23:59:59.999999'), ('D food', '2027-01-11'), ('D food', '2029-01-10 23:59:59.999999'), ('D food', '2029-01-11'),
  ('E stopped', '2027-05-31 23:59:59.999999'), ('E stopped', '2027-06-01'), ('E stopped', '2029-01-11'),
  ('F revoked', '2028-12-31'), ('F revoked', '2029-01-11'), ('G ten years', '2029-01-11'), ('G ten years', '2036-01-01'),
  ('H until it ends', '2035-01-01')) AS b(item, at)
JOIN LATERAL repair_terms('m-1', b.at) t ON t.item = b.item ORDER BY 1, 2;
-- before the rule is in force there are no classes, and nothing is known before it was told
SELECT item, class, state, reason FROM repair_terms('m-1', '2026-01-10 23:00');
SELECT count(*) FROM regulatory_import(jsonb_build_array(penalty('old', 'severity', 'general', 'from', '2025-12-01')), 'old', false, '2025-12-02');
SELECT item, class, state, published_until, reason FROM repair_terms('m-1', '2025-12-24');
SELECT item, class, state, published_until FROM repair_terms('m-1', '2025-12-25') WHERE source = 'old';
-- the end of the ban is told later
SELECT count(*) FROM regulatory_import(jsonb_build_array(penalty('H until it ends', 'kinds', 'restricted', 'ban_until', '2026-03-01')), 'samr', false, '2026-03-02');
SELECT at, published_until, earliest FROM unnest('{2026-03-01 12:00,2026-03-02}'::timestamptz[]) at, repair_terms('m-1', at) WHERE item = 'H until it ends';

-- two penalties on one fact: the longest term governs, for a spot check what followed from it
SELECT count(*) FROM regulatory_import(jsonb_build_array(
  penalty('fine', 'kinds', 'fine', 'fact', 'f1'), penalty('food', 'kinds', 'fine', 'field', 'food', 'fact', 'f1'), penalty('warned', 'kinds', 'warning', 'fact', 'f1'),
  penalty('low', 'class', '7 fine', 'fact', 'f2'), penalty('mid', 'kinds', 'confiscation', 'fact', 'f2'),
  penalty('revoked', 'kinds', 'closed', 'fact', 'f3'), penalty('drug', 'kinds', 'fine', 'field', 'drug', 'fact', 'f3'),
  '{"item": "check", "type": "spot_check", "uscc": "91110000600037341L", "checked": "c", "result": "fail", "from": "2026-01-10", "fact": "f1"}'::jsonb,
  '{"item": "check 4", "type": "spot_check", "uscc": "91110000600037341L", "checked": "c", "result": "fail", "from": "2026-01-20", "fact": "f4"}'::jsonb,
  penalty('minor 4', 'class', '7 fine', 'fact', 'f4')), 'facts', false, '2026-01-11');
SELECT item, class, state, published_until, earliest, reason FROM repair_terms('m-1', '2026-02-01') WHERE source = 'facts' ORDER BY 1;
-- repaired, the longer one lengthens the other no more, and the check ends with it
SELECT status FROM regulatory_import('[{"item": "R", "type": "repair", "of": "food", "decision": "granted", "legal_basis": "b", "from": "2027-03-01"}]', 'facts', false, '2027-03-02');
SELECT item, state, since, published_until FROM repair_terms('m-1', '2027-03-02') WHERE source = 'facts' AND item IN ('fine', 'food', 'check') ORDER BY 1;

-- fraud: the repair is undone, the term begins anew and is not ended early, three years without application for all items
SELECT status FROM regulatory_import('[{"item": "C1", "type": "repair", "of": "C general", "decision": "granted", "legal_basis": "b", "from": "2026-05-01"},
  {"item": "C2", "type": "repair", "of": "C general", "decision": "revoked", "reason": "forged proof", "legal_basis": "Order 107 art 23", "from": "2026-08-01"}]', 'samr', false, '2026-08-02');
SELECT b.at, t.item, t.state, t.since, t.published_until, t.earliest, t.barred_until, t.may_ask
FROM unnest('{2026-08-01 23:59,2026-08-02,2027-08-01 23:59:59,2027-08-02,2029-01-10,2029-08-02}'::timestamptz[]) b(at), repair_terms('m-1', b.at) t
WHERE t.source = 'samr' AND t.item IN ('C general', 'C2', 'D food') ORDER BY 1, 2;
-- refused for fraud bars too, refused for another reason does not; a temporary repair that fails is restored with the old term
SELECT count(*) FROM regulatory_import(jsonb_build_array(penalty('P', 'kinds', 'fine', 'uscc', '91350100M000100Y43'), penalty('Q', 'kinds', 'fine', 'uscc', '9144030071526726XG'),
  '{"item": "P1", "type": "repair", "of": "P", "decision": "refused", "fraud": true, "reason": "forged", "legal_basis": "b", "from": "2026-05-01"}'::jsonb,
  '{"item": "Q1", "type": "repair", "of": "Q", "decision": "refused", "reason": "not performed", "legal_basis": "b", "from": "2026-05-01"}'::jsonb,
  '{"item": "Q2", "type": "repair", "of": "Q", "decision": "granted", "temporary": true, "legal_basis": "Order 107 art 22", "from": "2026-06-01"}'::jsonb,
  '{"item": "Q3", "type": "repair", "of": "Q", "decision": "restored", "reason": "plan failed", "legal_basis": "Order 107 art 22", "from": "2026-07-01"}'::jsonb), 'x', false, '2026-05-01');
SELECT m, at, item, class, state, published_until, barred_until, may_ask FROM unnest('{m-2,m-3}'::text[]) m, unnest('{2026-05-02,2026-06-02,2026-07-01}'::timestamptz[]) at, repair_terms(m, at) ORDER BY 1, 2, 3;

SELECT repair_terms('nobody');
SELECT repair_terms(NULL);
SELECT repair_terms('m-1', 'infinity');
INSERT INTO repair_class SELECT (c).* FROM (SELECT c FROM repair_class c LIMIT 1) x;
DROP FUNCTION penalty;
DROP EXTENSION quality_gov;
