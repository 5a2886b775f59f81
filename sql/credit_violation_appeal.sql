-- Appeals against violations and sanctions: who may file, a person on request, and everything after a void computed anew.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT count(*) AS roles FROM roles_create();
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2025-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2025-01-01');
-- a model of the platform that weighs violations
INSERT INTO credit_model (model, version, state, title, effect) VALUES ('ours', 1, 'active', 't', '[2026-01-01,)');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, point_cost, title)
VALUES ('ours', 1, 'violation', 'compliance', 'points', 100, '365 days', 10, 'Violations');
INSERT INTO credit_severity VALUES ('ours', 1, 'violation', 'general', 1), ('ours', 1, 'violation', 'counterfeit', 3);
INSERT INTO credit_grade_band VALUES ('ours', 1, 'A', 0);
CREATE ROLE regress_admin; CREATE ROLE "regress shop'1"; CREATE ROLE regress_shop_2; CREATE ROLE regress_app; CREATE ROLE regress_reg;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_merchant TO "regress shop'1", regress_shop_2;
GRANT quality_gov_app TO regress_app; GRANT quality_gov_regulator TO regress_reg;
SELECT merchant_member_add('regress shop''1', 'm-1'), merchant_member_add('regress_shop_2', 'm-2');

-- 10 and 5 reach 12, another 10 reaches 24, 30 more reach 36 and 48
SET ROLE regress_admin;
SELECT total, sanctions FROM quality_gov.violation_record('m-1', 'general', 10, 'r', 'f1', 'b', at => '2026-03-01');
SELECT total, sanctions FROM quality_gov.violation_record('m-1', 'general', 5, 'r', 'f2', 'b', at => '2026-03-02');
SELECT total, sanctions FROM quality_gov.violation_record('m-1', 'general', 10, 'r', 'f3', 'b', at => '2026-03-10');
SELECT total, sanctions FROM quality_gov.violation_record('m-1', 'general', 30, 'r', 'f4', 'b', at => '2026-03-12');
SELECT total, sanctions FROM quality_gov.violation_record('m-2', 'counterfeit', 12, 'r', 'f5', 'b', at => '2026-03-12');
SELECT quality_gov.sanction_impose('m-1', 'live_order_117', 'suspend_live', 'f1', 'r', 'ann', violation_id => 1, at => '2026-03-12') AS by_hand;
-- the merchant files for itself, its application for it, another merchant and a regulator do not
SET ROLE "regress shop'1";
SELECT quality_gov.violation_appeal_file('m-1', 1, 'the parcels were in time', '{"waybill": "SF 1"}') AS appeal;
SELECT quality_gov.violation_appeal_file('m-2', 5, 'for a friend');
SELECT quality_gov.violation_appeal_file('m-1', 1, 'twice');
SELECT quality_gov.violation_appeal_file('m-1', 3, ' ');
SELECT quality_gov.violation_appeal_file('m-1', 3, 'x', '"text"');
SELECT quality_gov.violation_appeal_file('m-1', 99, 'x');
SELECT quality_gov.violation_appeal_decide('m-1', 1, 'overturned', 'r', 'me');
SELECT quality_gov.violation_record('m-1', 'general', 0, 'r', 'f', 'b');
SELECT (SELECT count(*) FROM quality_gov.violation) AS violations, (SELECT count(*) FROM quality_gov.sanction) AS sanctions,
       (SELECT count(*) FROM quality_gov.sanction_overview) AS overview, (SELECT count(DISTINCT merchant_id) FROM quality_gov.violation_overview) AS merchants,
       (SELECT count(*) FROM quality_gov.violation_warning_open) AS warnings, quality_gov.sanction_statement('m-1', 1) ~ '申诉' AS stated;
SELECT points FROM quality_gov.violation_points('m-1', '2026-03-12') WHERE track = 'general';
SELECT quality_gov.violation_points('m-2');
SELECT quality_gov.sanction_statement('m-2', 5);
SET ROLE regress_shop_2;
SELECT quality_gov.violation_appeal_withdraw('m-1', 1);
SELECT quality_gov.violation_appeal_request_person('m-1', 1);
SELECT count(*) AS foreign_appeals FROM quality_gov.violation_appeal;
SET ROLE regress_reg;
SELECT quality_gov.violation_appeal_file('m-1', 2, 'x');
SELECT count(*) AS sanctions, quality_gov.sanction_statement('m-1', 1, 'en') ~ 'You may appeal' AS stated FROM quality_gov.sanction;
SET ROLE regress_app;
SELECT quality_gov.sanction_appeal_file('m-2', 5, 'too harsh') AS harsh \gset
SELECT quality_gov.sanction_impose('m-2', 'live_order_117', 'warn', 'f', 'r', 'x');
SELECT (SELECT count(*) FROM quality_gov.sanction_public) AS public;
RESET ROLE;
SELECT sanction_id, merchant_id, violation_id, appeal_state FROM sanction ORDER BY 1;

-- decided automatically; the party asks for a person; from then on only a person can
SELECT violation_appeal_request_person('m-1', 1);
SELECT violation_appeal_decide('m-1', 1, 'upheld', 'the log says so', 'model appeals-2', true, '2026-03-13');
SELECT violation_appeal_decide('m-1', 1, 'overturned', 'r', 'ann', at => '2026-03-13');
SELECT DISTINCT appeal_state FROM sanction WHERE violation_id = 1;
SET ROLE "regress shop'1";
SELECT quality_gov.violation_appeal_withdraw('m-1', 1);
SELECT quality_gov.violation_appeal_request_person('m-1', 1);
RESET ROLE;
SELECT violation_appeal_decide('m-1', 1, 'upheld', 'the log says so', 'model appeals-2', true, '2026-03-14');
SELECT violation_appeal_decide('m-1', 1, 'overturned', 'r', 'ann', at => '2026-03-01');
SELECT violation_appeal_decide('m-1', 1, 'maybe', 'r', 'ann', at => '2026-03-14');
SELECT violation_appeal_decide('m-1', 1, 'overturned', ' ', 'ann', at => '2026-03-14');
SELECT violation_appeal_decide('m-1', 99, 'overturned', 'r', 'ann', at => '2026-03-14');
-- overturned: 10 less from then on. 12 is reached by the third entry now, which is endured already; 24, of which four days
-- are, and 36 by the fourth; 48 by none
SELECT violation_appeal_decide('m-1', 1, 'overturned', 'they were', 'ann', at => '2026-03-14');
SELECT sanction_id, step, measure, violation_id, at, effect, lifted_at, lift_cause, appeal_state FROM sanction WHERE merchant_id = 'm-1' ORDER BY 1;
SELECT lift_reasons, lifted_by FROM sanction WHERE sanction_id = 1;
SELECT reasons FROM sanction WHERE sanction_id > 6 ORDER BY sanction_id;
SELECT t, a, allowed, cardinality(reasons) AS reasons FROM unnest('{2026-03-13 23:59:59,2026-03-14}'::timestamptz[]) t, unnest('{list,live}'::text[]) a, merchant_may('m-1', a, NULL, t) ORDER BY t, a;
-- what was answered for earlier instants stays; the past as known now is another question
SELECT t, known, points FROM (VALUES ('2026-03-12'::timestamptz, NULL::timestamptz), ('2026-03-14', NULL), ('2026-03-12', '2026-03-14')) x(t, known), violation_points('m-1', t, known) WHERE track = 'general';
SELECT ref, bad, void FROM credit_event WHERE merchant_id = 'm-1' ORDER BY event_id;
SELECT violation_id, appeal_id, reasons, decided_by, recorded_at FROM violation_void;
SELECT appeal_id, state, outcome, reasons, decided_by FROM violation_appeal_step WHERE appeal_id = 1 ORDER BY step_id;
SELECT * FROM sanction_check();
-- later entries go on from what is left
SELECT total, sanctions FROM violation_record('m-1', 'general', 3, 'r', 'f6', 'b', at => '2026-03-15');
-- one that follows from points is stated in words of the language
SELECT sanction_statement('m-1', 7);
-- a sanction overturned is lifted, its entry stays; an appeal withdrawn may be filed again
SELECT violation_appeal_decide('m-2', :harsh, 'overturned', 'a first time', 'model appeals-2', true, '2026-03-14');
SELECT violation_appeal_request_person('m-2', :harsh);
SELECT s.lift_cause, s.appeal_state, p.points FROM sanction s, violation_points('m-2', '2026-03-14') p WHERE s.merchant_id = 'm-2' AND p.track = 'counterfeit';
SELECT sanction_appeal_file('m-2', 5, 'again');
SELECT violation_appeal_file('m-2', 5, 'x') AS appeal \gset
SELECT violation_appeal_withdraw('m-2', :appeal);
SELECT violation_appeal_file('m-2', 5, 'y') AS appeal \gset
-- taken back by the platform itself while the appeal is open; the appeal may still be decided
SELECT violation_revoke('m-2', 5, 'of another shop', 'bob', '2026-03-15');
SELECT violation_revoke('m-2', 5, 'of another shop', 'bob', '2026-03-15');
SELECT violation_appeal_decide('m-2', :appeal, 'overturned', 'it was', 'ann', at => '2026-03-16');
SELECT violation_appeal_file('m-2', 5, 'z');
SELECT sanction_impose('m-2', 'live_order_117', 'warn', 'f', 'r', 'ann', violation_id => 5, at => '2026-03-16');
-- a period that the platform set has ended; an administrator may still file
INSERT INTO duty_rule (duty, title, amount, unit, effect, legal_basis) VALUES ('violation_appeal', 'appeal', 15, 'day', '(,)', 'our rules');
SET ROLE "regress shop'1";
SELECT quality_gov.violation_appeal_file('m-1', 2, 'late');
SET ROLE regress_admin;
SELECT quality_gov.violation_appeal_file('m-1', 2, 'late') IS NOT NULL AS filed;
RESET ROLE;
UPDATE violation_appeal_step SET reasons = '';
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sanction_check();
SELECT * FROM credit_check();
SELECT * FROM integrity_check();
SELECT kind, count(*) FROM ledger_entry WHERE kind ~ '^(violation|sanction)' GROUP BY 1 ORDER BY 1;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, "regress shop'1", regress_shop_2, regress_app, regress_reg;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
