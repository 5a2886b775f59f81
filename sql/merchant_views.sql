-- Views of merchants: what must be shown, what is due, and the half-yearly report; and the duties.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, legal_representative, registered_address, contact, shop_name, admitted_at) VALUES
  ('m-1', '某某公司', 'company', '91110000600037341L', '张三', '北京', 'private@example.org', '某某旗舰店', '2026-01-31 12:00+08');
INSERT INTO merchant (merchant_id, name, kind, self_declaration, actual_address, contact, identity_ref, declared_annual_total, admitted_at)
SELECT m, '李四 ' || m, 'unregistered', 'own_farm_produce', '杭州', 'li@example.org', 'vault:' || m, d, '2026-03-01' FROM (VALUES
  ('m-2', 100000), ('m-3', 100000.01), ('m-4', NULL), ('m-5', NULL)) v(m, d);
UPDATE merchant SET closed_at = '2026-06-01' WHERE merchant_id = 'm-5';
INSERT INTO merchant_license (merchant_id, kind, number, categories, valid, status) VALUES
  ('m-1', 'food', 'JY1', '{food}', '[2020-01-01,)', 'valid'), ('m-1', 'food', 'JY2', '{food}', '[2020-01-01,)', 'revoked'),
  ('m-1', 'old', 'X', '{food}', '[2020-01-01,2021-01-01)', 'valid');
INSERT INTO merchant_turnover SELECT m, extract(year FROM now() AT TIME ZONE 'Asia/Shanghai'), t FROM (VALUES ('m-1', 5000000), ('m-2', 99999), ('m-4', 100001)) v(m, t);

-- registered and unregistered told apart; a registered seller's contact is not among what art 12 shows
SELECT merchant_id, registered, kind, uscc, legal_representative, actual_address, contact, self_declaration, licenses FROM merchant_public ORDER BY 1;
-- whichever total is above the limit is named
SELECT merchant_id, identity_ref, measured_total, declared_total, over_limit FROM merchant_identity_report ORDER BY 1;

-- D1: at most six months after the last verification that did not fail, weekend or not
INSERT INTO merchant_verification (merchant_id, verified_at, checked, verified_by, result) VALUES
  ('m-2', '2026-04-10', '{identity,address}', 'clerk 7', 'confirmed'), ('m-2', '2026-05-10', '{contact}', 'clerk 7', 'failed'),
  ('m-3', '2026-08-31', '{identity}', 'clerk 8', 'corrected');
SELECT merchant_id, last_verified, due FROM merchant_verification_due ORDER BY 1;
UPDATE merchant_verification SET result = 'confirmed';
\echo :LAST_ERROR_SQLSTATE
SELECT duty, legal_basis, subject, due FROM duty_due WHERE duty = 'D1' ORDER BY due;
SELECT duty, extract(month FROM due) IN (2, 8) AND due > now() AS after_january_or_july, overdue FROM duty_due WHERE duty = 'D5';

-- deadlines of rules by the rule in force then
SELECT d, s, duty_deadline(d, s) FROM (VALUES ('D14', '2026-11-20 09:00+08'::timestamptz), ('D14', '2019-12-31 09:00+08'), ('D18', '2026-11-20 09:00+08'),
  ('D20 level 2', '2026-11-30 23:00+08'), ('D20 level 2', '2026-12-01 00:00+08'), ('D21 level 3', '2026-12-01 00:00+08'), ('none', '2026-12-01')) v(d, s);
-- a platform may set a rule of its own beside the shipped one
INSERT INTO duty_rule (duty, title, amount, unit, effect, legal_basis) VALUES ('D14', 'ours: one working day', 1, 'workday', '[2026-01-01,)', 'our policy');
SELECT duty_deadline('D14', '2026-11-20 09:00+08');

-- the loop by month, with orders and complaints from the indicator complaint
INSERT INTO credit_event (merchant_id, indicator, at, good, bad, source) VALUES
  ('m-1', 'complaint', '2026-10-31 23:30+08', 1000, 0, 't'), ('m-1', 'complaint', '2026-10-31 15:30+08', 0, 5, 't'), ('m-1', 'complaint', '2026-11-01 00:30+08', 500, 1, 't');
SELECT recall_open('Kettle', '[{"gtin": "6901234567892"}]', 'shock', 'Order 19', state => 'ordered', at => '2026-11-04') IS NOT NULL AS opened;
SELECT * FROM loop_overview ORDER BY month;
DROP EXTENSION quality_gov;
