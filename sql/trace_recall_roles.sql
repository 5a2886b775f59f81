-- Recalls: which steps and documents are whose, as roles that are no superusers.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT count(*) > 0 AS roles FROM quality_gov.roles_create();
CREATE ROLE regress_admin; CREATE ROLE regress_app; CREATE ROLE regress_regulator; CREATE ROLE regress_maker; CREATE ROLE regress_other; CREATE ROLE regress_nobody;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_app TO regress_app; GRANT quality_gov_regulator TO regress_regulator;
GRANT quality_gov_merchant TO regress_maker, regress_other;
INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT quality_gov.merchant_member_add('regress_maker', 'm-1'), quality_gov.merchant_member_add('regress_other', 'm-2');

SET ROLE regress_admin;
SELECT quality_gov.recall_open('Kettle', '[{"gtin": "6901234567892"}]', 'shock', 'Order 19', merchant_id => 'm-1', at => '2026-11-02 10:00') AS kettle,
       quality_gov.recall_open('Milk', '[{"gtin": "614141123452"}]', 'bacteria', 'Order 122', 'food', 2, 'voluntary', merchant_id => 'm-1', at => '2026-12-02 10:00') AS milk,
       quality_gov.recall_open('Nobody''s', '[{"gtin": "73513537"}]', 'shock', 'Order 19', state => 'voluntary', at => '2026-11-02 10:00') AS orphan \gset
-- the authority: investigates, notifies, orders; it files no plan and opens nothing
SET ROLE regress_regulator;
SELECT quality_gov.recall_advance(:kettle, 'investigating', '2026-11-03'), quality_gov.recall_advance(:kettle, 'notified', '2026-11-04', 'letter 7');
SELECT quality_gov.recall_advance(:kettle, 'plan_reported', '2026-11-05', document => quality_gov.recall_report_template('consumer', 'plan'));
SELECT quality_gov.recall_report_add(:kettle, 'plan', quality_gov.recall_report_template('consumer', 'plan'), '2026-11-05');
SELECT quality_gov.recall_open('x', '[{"gtin": "6901234567892"}]', 'r', 'b');
SELECT quality_gov.recall_retire();
-- the producer: objects, reports, publishes, for itself alone
SET ROLE regress_maker;
SELECT recall_id, state FROM quality_gov.recall_overview ORDER BY 1;
SELECT recall, duty, due FROM quality_gov.recall_duties(NULL, '2026-12-02 12:00') WHERE state = 'open' ORDER BY 1, 2;
SELECT quality_gov.recall_advance(:kettle, 'objected', '2026-11-05', 'another maker', '{"grounds": "another maker"}');
SELECT quality_gov.recall_advance(:kettle, 'dismissed', '2026-11-06');
\echo :LAST_ERROR_SQLSTATE
SELECT quality_gov.recall_advance(:kettle, 'ordered', '2026-11-06');
SELECT quality_gov.recall_level_set(:milk, 3, 'not so grave', '2026-12-02 11:00');
SELECT quality_gov.recall_extend(:milk, '2027-02-01', 'ourselves', '2026-12-03');
SELECT quality_gov.recall_retire();
SELECT quality_gov.recall_check();
SET ROLE regress_other;
SELECT quality_gov.recall_advance(:kettle, 'voluntary', '2026-11-06');
SELECT quality_gov.recall_report_add(:kettle, 'defect_report', '{}', '2026-11-06');
SELECT quality_gov.recall_fact_add(:kettle, 'death', '2026-11-06');
SELECT quality_gov.recall_reopen(:kettle, 'x', at => '2026-11-06');
SELECT quality_gov.recall_report_add(:orphan, 'plan', quality_gov.recall_report_template('consumer', 'plan'), '2026-11-06');
SELECT count(*) AS seen FROM quality_gov.recall_duties(NULL, '2027-01-01') UNION ALL SELECT count(*) FROM quality_gov.recall_duty
UNION ALL SELECT count(*) FROM quality_gov.recall_history UNION ALL SELECT count(*) FROM quality_gov.recall_overview;
SELECT * FROM quality_gov.recall_report;
SET ROLE regress_nobody;
SELECT quality_gov.recall_advance(:kettle, 'voluntary', '2026-11-06');
SELECT * FROM quality_gov.recall_duty;
SET ROLE regress_regulator;
SELECT quality_gov.recall_advance(:kettle, 'ordered', '2026-11-06'), quality_gov.recall_level_set(:milk, 1, 'graver', '2026-12-02 11:00');
SET ROLE regress_maker;
SELECT quality_gov.recall_report_add(:kettle, 'plan', quality_gov.recall_report_template('consumer', 'plan'), '2026-11-09') > 0 AS filed,
       quality_gov.recall_fact_add(:kettle, 'overseas_recall', '2026-11-09');
SELECT quality_gov.recall_advance(:kettle, 'plan_reported', '2026-11-09 10:00');
-- its application does the same for it, not where no merchant answers
SET ROLE regress_app;
SELECT quality_gov.recall_advance(:kettle, 'published', '2026-11-10', document => '{"page": "x"}'), quality_gov.recall_advance(:kettle, 'running', '2026-11-11');
SELECT quality_gov.recall_report_add(:kettle, 'stage_summary', '{}', '2027-02-01') > 0 AS filed;
SELECT quality_gov.recall_report_add(:kettle, 'investigation', '{}', '2026-11-03 12:00') > 0 AS filed;
SELECT quality_gov.recall_report_add(:orphan, 'plan', quality_gov.recall_report_template('consumer', 'plan'), '2026-11-06');
SELECT * FROM quality_gov.recall_duty;
SET ROLE regress_admin;
SELECT quality_gov.recall_report_add(:orphan, 'plan', quality_gov.recall_report_template('consumer', 'plan'), '2026-11-06') > 0 AS filed;
INSERT INTO quality_gov.recall_content (regime, kind, field, title, legal_basis) VALUES ('food', 'progress', 'percentage', 'p', 'our policy');
INSERT INTO quality_gov.recall_step (recall_id, state, at) VALUES (:kettle, 'completed', '2027-01-01');
INSERT INTO quality_gov.recall_report (recall_id, kind, at, content, party, role) VALUES (:kettle, 'plan', '2027-01-01', '{}', 'producer', 'x');
SELECT count(*) > 0 AS reads FROM quality_gov.recall_report;
-- the authority recalls anew and consents to longer terms
SET ROLE regress_regulator;
SELECT quality_gov.recall_reopen(:kettle, 'lot A2 too', '[{"gtin": "6901234567892", "lot": "A2"}]', '2027-02-02');
SET ROLE regress_maker;
SELECT quality_gov.recall_advance(:milk, 'plan_reported', '2026-12-03', document => quality_gov.recall_report_template('food', 'plan', '2026-12-03'));
SET ROLE regress_regulator;
SELECT quality_gov.recall_extend(:milk, '2027-02-01', 'county bureau', '2026-12-04');
RESET ROLE;
SELECT recall_id, kind, what, party FROM quality_gov.recall_history WHERE recall_id <> :orphan ORDER BY recall_id, at, kind;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, regress_app, regress_regulator, regress_maker, regress_other, regress_nobody;
-- the extension's own roles stay where another database of the cluster uses them
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
