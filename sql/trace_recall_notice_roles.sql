-- Who may count a recall, answer for orders, send notices and read them, as roles that are no superusers.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
SELECT count(*) AS roles FROM quality_gov.roles_create();
CREATE ROLE regress_admin; CREATE ROLE regress_app; CREATE ROLE regress_analyst; CREATE ROLE regress_regulator; CREATE ROLE regress_shop; CREATE ROLE regress_other; CREATE ROLE regress_nobody;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_app TO regress_app; GRANT quality_gov_analyst TO regress_analyst;
GRANT quality_gov_regulator TO regress_regulator; GRANT quality_gov_merchant TO regress_shop, regress_other;
INSERT INTO quality_gov.merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT quality_gov.merchant_member_add('regress_shop', 'm-1'), quality_gov.merchant_member_add('regress_other', 'm-2');
INSERT INTO quality_gov.lot (gtin, lot_code, producer, merchant_id, quantity, supplier_id) VALUES ('6901234567892', 'A1', 'Huashan', 'm-1', 100, 's-1');
INSERT INTO quality_gov.sale (merchant_id, order_id, gtin, lot_code, quantity, buyer, sold_at, state) VALUES
  ('m-1', 'O-1', '6901234567892', 'A1', 2, 'b-1', '2026-09-10', 'shipped'), ('m-2', 'O-2', '6901234567892', 'A1', 2, 'b-2', '2026-09-10', 'shipped');
SET ROLE regress_admin;
SELECT quality_gov.recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "A1"}]', 'shock', 'Order 122', 'food', 1, 'voluntary', merchant_id => 'm-1', at => '2026-12-02') AS kettle \gset
SELECT quality_gov.recall_notice_generate(:kettle, '2026-12-02') AS created;
SELECT count(*) AS buyers FROM quality_gov.recall_notice WHERE audience = 'consumer';
SELECT quality_gov.recall_drill_record(1, '2026-12-02') > 0 AS drilled, quality_gov.recall_cause_record(:kettle, 'making', 1, at => '2026-12-03') > 0 AS cause;
UPDATE quality_gov.recall_notice SET state = 'withdrawn';
INSERT INTO quality_gov.recall_response (recall_id, kind, quantity, at, gtin) VALUES (:kettle, 'returned', 1, '2026-12-03', '6901234567892');

-- the application sends, and records what buyers do; it reads no table of who they are
SET ROLE regress_app;
SELECT n.recipient, quality_gov.recall_notice_done(n.notice_id, 'sms', '2026-12-02 11:00') AS done FROM quality_gov.recall_notice_take(2, '5 minutes', 'en', '{merchant}', '2026-12-02 10:00') n ORDER BY 1;
SELECT n.recipient, quality_gov.recall_notice_done(n.notice_id, 'sms', '2026-12-02 11:00') AS done FROM quality_gov.recall_notice_take(9, '5 minutes', 'en', '{consumer}', '2026-12-02 10:00') n ORDER BY 1;
SELECT quality_gov.recall_response_add(:kettle, 'returned', 1, 'm-2', 'O-2', at => '2026-12-03') AS r2 \gset
SELECT lot_code, sold, notified, returned FROM quality_gov.recall_progress(:kettle, '2026-12-04');
SELECT count(*) FROM quality_gov.recall_notice;
SELECT quality_gov.recall_notice_generate(:kettle);
SELECT quality_gov.recall_notice_requeue(:kettle);

-- a merchant reads what it was told, confirms it, answers for its own orders, counts the recall that it answers for
SET ROLE regress_shop;
SELECT merchant_id, notice_id AS mine, occasion, state, language, body LIKE '%A1%' AS lot FROM quality_gov.recall_notice_inbox WHERE language = 'en' \gset
SELECT :'merchant_id' AS merchant, :'occasion' AS occasion, :'state' AS state, :'lot' AS lot, quality_gov.recall_notice_confirm(:mine, '2026-12-03') AS confirmed;
SELECT quality_gov.recall_response_add(:kettle, 'repaired', 1, 'm-1', 'O-1', at => '2026-12-03') AS r1 \gset
SELECT quality_gov.recall_response_add(:kettle, 'repaired', 1, 'm-2', 'O-2', at => '2026-12-03');
SELECT quality_gov.recall_response_add(:kettle, 'repaired', 1, gtin => '6901234567892', lot_code => 'A1', at => '2026-12-03');
SELECT quality_gov.recall_response_void(:kettle, :r2, 'x', '2026-12-04');
SELECT merchant_id, kind FROM quality_gov.recall_response;
SELECT lot_code, returned, repaired FROM quality_gov.recall_progress(:kettle, '2026-12-04');
SELECT supplier_id, causes FROM quality_gov.supplier_recall;
SELECT count(*) FROM quality_gov.recall_notice;
SELECT * FROM quality_gov.recall_notice_take(1);
SELECT quality_gov.recall_disposal_add(:kettle, '6901234567892', 'A1', 'stock', 'burnt', 1, 'x');
SELECT * FROM quality_gov.recall_drill(1);
SET ROLE regress_other;
SELECT count(*) AS of_others FROM quality_gov.recall_notice_inbox WHERE merchant_id <> 'm-2';
SELECT quality_gov.recall_notice_confirm(:mine, '2026-12-03');
SELECT * FROM quality_gov.recall_progress(:kettle, '2026-12-04');
SELECT count(*) AS suppliers_of_others FROM quality_gov.supplier_recall;

-- the regulator sees every figure and who was told, but no buyer; analysts see figures
SET ROLE regress_regulator;
SELECT audience, recipient FROM quality_gov.recall_notice ORDER BY 1, 2;
SELECT audience, recipients, delivered, confirmed FROM quality_gov.recall_notice_overview ORDER BY 1;
SELECT merchant_id, kind, quantity FROM quality_gov.recall_response_standing ORDER BY 1;
SELECT count(*) AS problems FROM quality_gov.recall_progress_check(:kettle);
SELECT count(*) AS runs FROM quality_gov.recall_drill_run;
SELECT quality_gov.recall_cause_record(:kettle, 'making');
SET ROLE regress_analyst;
SELECT made, in_stock, sold, unaccounted FROM quality_gov.recall_progress_total(:kettle, '2026-12-04');
SELECT lots, buyers FROM quality_gov.recall_drill(1, '2026-12-04');
SELECT count(*) FROM quality_gov.recall_notice;
SELECT count(*) FROM quality_gov.recall_response;
SELECT * FROM quality_gov.recall_progress_check();
SET ROLE regress_nobody;
SELECT * FROM quality_gov.recall_progress(:kettle);
SELECT * FROM quality_gov.recall_notice_overview;
RESET ROLE;
-- no function of the outbox or the count that was granted is missing, and inner ones are nobody's
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'quality_gov'::regnamespace AND p.proname ~ '^recall_(notice|response|disposal|drill|progress|cause|figure|extent|answer|line|stock|record|trace)'
  AND has_function_privilege('regress_app', p.oid, 'EXECUTE') ORDER BY 1;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, regress_app, regress_analyst, regress_regulator, regress_shop, regress_other, regress_nobody;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
