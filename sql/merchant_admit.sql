-- Entry audit: every finding, the decision on record, and its replay.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO category_license VALUES ('food', 'food_operation', '[2026-01-01,)', 'test: food needs a licence');
CREATE TABLE app (n int PRIMARY KEY, body jsonb);
INSERT INTO app VALUES
  (1, '{"merchant_id": "m-1", "kind": "company", "name": "北京某某食品有限公司", "uscc": "91110000600037341L",
        "organization_type": "有限责任公司", "legal_representative": "张三", "registered_address": "北京",
        "registered_capital": "100万元", "categories": ["food/tea"],
        "licenses": [{"kind": "food_operation", "number": "JY1", "categories": ["food"], "valid_from": "2026-01-01", "valid_until": "2026-11-30"}],
        "persons": [{"position": "legal_representative", "identity_digest": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}'),
  (2, '{"merchant_id": "m-2", "kind": "unregistered", "name": "李四", "self_declaration": "home_handicraft",
        "actual_address": "杭州", "contact": "li@example.org"}');

-- admitted; twice is refused; the licence's last day is its last
SELECT admitted, findings FROM app, merchant_admit(body, '2026-11-20 12:00+08') WHERE n = 1;
SELECT admitted, findings #>> '{0,finding}' AS finding FROM app, merchant_admit(body, '2026-11-21 12:00+08') WHERE n = 1;
SELECT admitted FROM app, merchant_admit(body, '2026-11-20 12:00+08') WHERE n = 2;
SELECT merchant_id, kind, uscc, categories, self_declaration, admitted_at FROM merchant ORDER BY 1;
SELECT kind, number, categories, valid, status FROM merchant_license;
SELECT * FROM merchant_person;
SELECT t, f.finding, f.message FROM app, unnest('{2026-11-30 23:59+08,2026-12-01 00:00+08}'::timestamptz[]) t
LEFT JOIN LATERAL merchant_admission_check((SELECT body FROM app WHERE n = 1) || '{"merchant_id": "m-x"}', t) f ON true
WHERE n = 1;

-- fields missing for each kind
SELECT k AS kind, array_agg(f.field ORDER BY f.field) AS missing
FROM unnest('{company,individual_business,farmers_cooperative,other_organization,unregistered}'::text[]) k,
     merchant_admission_check(jsonb_build_object('merchant_id', 'm-3', 'kind', k), '2026-11-20') f
GROUP BY k ORDER BY k;
SELECT finding, message FROM merchant_admission_check('{"merchant_id": "m-3", "kind": "guild"}', '2026-11-20');
SELECT finding, message FROM merchant_admission_check('{"merchant_id": "m-3", "kind": "other_organization", "name": "x", "uscc": "91110000600037341N"}', '2026-11-20');
SELECT finding, message FROM merchant_admission_check('{"merchant_id": "m-3", "kind": "unregistered", "name": "x",
  "self_declaration": "poetry", "actual_address": "a", "contact": "c"}', '2026-11-20');

SELECT finding, message FROM merchant_admission_check('{"merchant_id": "m-3", "kind": "unregistered", "name": "x", "uscc": "91440300708461136T",
  "self_declaration": "own_farm_produce", "actual_address": "a", "contact": "c"}', '2026-11-20');

-- licences: missing, expired, suspended; a requirement holds over its period of effect
SELECT l AS given, f.finding, f.message FROM unnest(ARRAY[
    '[]', '[{"kind": "food_operation", "number": "1", "categories": ["toys"], "valid_from": "2026-01-01", "valid_until": "2027-01-01"}]',
    '[{"kind": "food_operation", "number": "1", "categories": ["food"], "valid_from": "2025-01-01", "valid_until": "2026-01-01"}]',
    '[{"kind": "food_operation", "number": "1", "categories": ["food"], "valid_from": "2026-01-01", "valid_until": "2027-01-01", "status": "suspended"}]']::jsonb[]) l,
  merchant_admission_check((SELECT body FROM app WHERE n = 2) || jsonb_build_object('merchant_id', 'm-4', 'categories', '["food/infant"]'::jsonb, 'licenses', l), '2026-11-20') f;
SELECT count(*) AS before_effect FROM merchant_admission_check((SELECT body FROM app WHERE n = 2) ||
  '{"merchant_id": "m-4", "categories": ["food"]}', '2025-12-31 12:00+08');

-- watch-lists by code, by name and by person, within their term; a lifted entry is silent
INSERT INTO watchlist_entry (watchlist, uscc, name, identity_digest, reason, legal_basis, source, term, appeal_state) VALUES
  ('serious_violation', '91440300708461136T', NULL, NULL, 'false tests', 'Order 44', 'test', '[2026-06-01,2026-12-01)', 'none'),
  ('abnormal_operation', NULL, '某某（上海）贸易有限公司', NULL, 'unreachable', 'Order 108', 'test', '[2026-06-01,)', 'none'),
  ('platform', NULL, NULL, repeat('b', 64), 'fakes', 'agreement', 'test', '[2026-06-01,)', 'none'),
  ('platform', NULL, NULL, repeat('c', 64), 'fakes', 'agreement', 'test', '[2026-06-01,)', 'lifted');
CREATE FUNCTION hits(extra jsonb, at timestamptz) RETURNS TABLE (finding text, verdict text, field text, message text)
  LANGUAGE sql AS $$ SELECT f.finding, f.verdict, f.field, f.message FROM quality_gov.merchant_admission_check(
    (SELECT body FROM app WHERE n = 2) || '{"merchant_id": "m-5"}' || extra, at) f WHERE f.finding IN ('watchlist', 'barred_return') $$;
SELECT * FROM hits('{"uscc": "91440300708461136T"}', '2026-11-20');
SELECT * FROM hits('{"uscc": "91440300708461136T"}', '2026-12-02');
SELECT * FROM hits('{"name": "某某(上海)贸易有限公司"}', '2026-11-20');
SELECT * FROM hits(format('{"persons": [{"identity_digest": "%s"}, {"identity_digest": "%s"}]}', repeat('b', 64), repeat('c', 64))::jsonb, '2026-11-20');
-- the platform's own effect of a list goes before the shipped one
INSERT INTO watchlist_effect VALUES ('abnormal_operation', 'admit', 'deny', 'our policy');
SELECT verdict FROM hits('{"name": "某某(上海)贸易有限公司"}', '2026-11-20');

-- barred under one shop, back under another
INSERT INTO merchant_restriction (merchant_id, action, reason, source, effect)
VALUES ('m-1', '*', 'sold counterfeits', 'platform', '[2026-11-21,)');
SELECT * FROM hits(format('{"persons": [{"identity_digest": "%s"}]}', repeat('a', 64))::jsonb, '2026-11-22');
SELECT count(*) AS before_bar FROM hits(format('{"persons": [{"identity_digest": "%s"}]}', repeat('a', 64))::jsonb, '2026-11-20');

-- every decision is on record, and replays to the same findings, whatever the session's settings
SET datestyle = 'German';
SET timezone = 'UTC';
SELECT merchant_id, admitted, jsonb_array_length(findings) AS findings FROM merchant_admission ORDER BY admission_id;
SELECT count(*) AS differ FROM merchant_admission a
WHERE a.findings <> (SELECT COALESCE(jsonb_agg(to_jsonb(f)), '[]') FROM merchant_admission_check(a.application, a.at) f);
SET timezone = 'Asia/Shanghai';
SELECT kind, subject, body -> 'admitted' AS admitted FROM ledger_entry WHERE kind = 'merchant_admission' ORDER BY entry_id;
UPDATE merchant_admission SET admitted = true;

-- a genuine early code is admitted with a warning; the same instant twice is refused, not an error
SELECT admitted, findings #>> '{0,finding}' AS finding FROM merchant_admit('{"merchant_id": "m-7", "kind": "other_organization", "name": "x", "uscc": "911100006000373410!"}', '2026-11-20');
SELECT admitted, findings #>> '{1,finding}' AS finding FROM merchant_admit('{"merchant_id": "m-7", "kind": "other_organization", "name": "x", "uscc": "911100006000373410!"}', '2026-11-20');

-- bad input
SELECT merchant_admit('{"merchant_id": "m-8", "kind": "other_organization", "name": "x", "uscc": "91440300708461136T"}', 'infinity');
SELECT merchant_admit(NULL);
SELECT merchant_admit('[]');
SELECT merchant_admit('{"kind": "company"}');
SELECT merchant_admit('{"merchant_id": 7, "kind": "company"}');
SELECT merchant_admit('{"merchant_id": "m-6", "categories": "food"}');
SELECT merchant_admit('{"merchant_id": "m-6", "licenses": [1]}');
SELECT merchant_admit('{"merchant_id": "m-6", "name": {"first": "x"}}');
SELECT merchant_admit('{"merchant_id": "m-6", "persons": [{"identity_number": "11010519491231002X"}]}');
SELECT merchant_admit((SELECT body FROM app WHERE n = 1) || '{"merchant_id": "m-6", "licenses": [{"kind": "food_operation", "number": "1", "categories": ["food"], "valid_from": "soon", "valid_until": "later"}]}', '2026-11-20');
SELECT count(*) AS merchants FROM merchant;
DROP FUNCTION hits;
DROP TABLE app;
DROP EXTENSION quality_gov;
