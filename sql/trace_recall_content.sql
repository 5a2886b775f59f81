-- Recalls: documents, what the law wants in them and since when, whose they are, and the record of them.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
-- the fields, in the order of the rules; no kind has fields that no rule gives
SELECT regime, kind, string_agg(concat_ws(' or ', field, alternative), ', ' ORDER BY place) AS fields, min(legal_basis) AS legal_basis, min(lower(effect)) AS since
FROM recall_content GROUP BY 1, 2 ORDER BY 1, 2;
SELECT kind, regimes, parties, legal_basis FROM recall_report_kind ORDER BY 1;
SELECT recall_report_template('consumer', 'plan', '2020-01-01'), recall_report_template('consumer', 'plan', '2019-12-31'), recall_report_template('food', 'notice', '2027-01-01');
-- what is missing: null, blank and empty say nothing, zero and false do; a number for the alternative will do
SELECT recall_content_missing('consumer', 'plan', d::jsonb, '2027-01-01') FROM (VALUES ('{}'), ('{"scope": null, "defect": " ", "measures": [], "contact": {}, "schedule": 0, "responsible_body": false}'),
  ('[]'), ('"x"'), (NULL), ('{"scope": "s", "defect": "d", "emergency_measures": "e", "measures": ["m"], "responsible_body": "r", "contact": {"tel": "1"}, "schedule": "s"}')) v(d);
SELECT recall_content_missing('food', 'plan', recall_report_template('food', 'plan', '2027-01-01') - 'licence_number' || d::jsonb, '2027-01-01')
FROM (VALUES ('{}'), ('{"filing_number": "F1"}'), ('{"licence_number": "L1"}'), ('{"filing_number": ""}')) v(d);

SELECT recall_open('Kettle', '[{"gtin": "6901234567892"}]', 'shock', 'Order 19', state => 'ordered', at => '2026-11-02 10:00') AS kettle \gset
SELECT recall_open('Milk', '[{"gtin": "614141123452"}]', 'bacteria', 'Order 122', 'food', 1, 'voluntary', at => '2026-11-29 10:00') AS milk \gset
-- the step waits for the document; a document that lacks something is not filed, nor is the step taken
SELECT recall_advance(:kettle, 'plan_reported', '2026-11-03 10:00');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_advance(:kettle, 'plan_reported', '2026-11-03 10:00', document => '{"scope": "all", "defect": "shock"}');
SELECT recall_report_add(:kettle, 'plan', '{"scope": "all"}', '2026-11-03 10:00');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_report_add(:kettle, 'plan', '["scope"]', '2026-11-03 10:00');
SELECT recall_report_add(:kettle, 'plan', NULL, '2026-11-03 10:00');
SELECT count(*) AS filed, (SELECT count(*) FROM recall_step WHERE recall_id = :kettle) AS steps FROM recall_report;
-- filed before, it serves; filed for later, it does not yet
SELECT recall_report_add(:kettle, 'plan', recall_report_template('consumer', 'plan'), '2026-11-05 10:00') > 0 AS filed;
SELECT recall_advance(:kettle, 'plan_reported', '2026-11-05 09:59:59');
SELECT recall_advance(:kettle, 'plan_reported', '2026-11-05 10:00');
SELECT recall_advance(:kettle, 'published', '2026-11-06');
SELECT recall_advance(:kettle, 'published', '2026-11-06', document => '{"pages": ["shop.example/recall"]}');
SELECT recall_advance(:kettle, 'running', '2026-11-07'), recall_advance(:kettle, 'completed', '2026-12-07');
SELECT recall_advance(:kettle, 'final_summary', '2026-12-20');
SELECT recall_report_add(:kettle, 'final_summary', '{"returned": 90}', '2026-12-19') > 0 AS filed;
SELECT recall_advance(:kettle, 'final_summary', '2026-12-20');
-- documents of the wrong regime, kind, state or time
SELECT recall_report_add(:kettle, 'progress', '{}', '2026-11-08');
SELECT recall_report_add(:kettle, 'poem', '{}', '2026-11-08');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_report_add(:kettle, NULL, '{}', '2026-11-08');
SELECT recall_report_add(:kettle, 'stage_summary', '{}', '2026-12-08');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_report_add(:kettle, 'objection', '{}', '2026-11-02 12:00');
SELECT recall_report_add(:kettle, 'defect_report', '{}', '2026-11-02 09:59');
SELECT recall_report_add(:kettle, 'defect_report', '{}', NULL);
SELECT recall_report_add(999, 'plan', '{}', '2026-11-02');
\echo :LAST_ERROR_SQLSTATE
SELECT recall_report_add(:kettle, 'stage_summary', '{}', '2026-12-01') > 0 AS late_entry;

-- food: before Order 122 no plan was asked for, from its first moment on every field is, also of a plan filed before
SELECT recall_report_add(:milk, 'plan', '{"batch": "B7"}', '2026-11-30 12:00') > 0 AS filed;
SELECT recall_advance(:milk, 'plan_reported', '2026-12-01 00:00');
SELECT recall_report_add(:milk, 'plan', recall_report_template('food', 'plan', '2026-12-01') - 'licence_number' || '{"filing_number": "F1"}', '2026-12-01 00:00') > 0 AS filed;
SELECT recall_advance(:milk, 'plan_reported', '2026-12-01 00:00');
SELECT recall_open('Tea', '[{"gtin": "4006381333931"}]', 'mould', 'b', 'food', 3, 'voluntary', at => '2026-11-20') AS tea \gset
SELECT recall_advance(:tea, 'plan_reported', '2026-11-21'), recall_advance(:tea, 'published', '2026-11-22');
-- records of goods that came back and were disposed of (art 23)
SELECT recall_report_add(:milk, 'return_record', '{"name": "milk", "quantity": 4}', '2026-12-02');
SELECT recall_report_add(:milk, 'disposal_record', '{"measure": "destroyed", "time": "2026-12-03", "place": "Hangzhou", "pictures": []}', '2026-12-03');
SELECT recall_report_add(:milk, 'return_record', recall_report_template('food', 'return_record', '2026-12-02'), '2026-12-02') > 0 AS came_back,
       recall_report_add(:milk, 'disposal_record', recall_report_template('food', 'disposal_record', '2026-12-02'), '2026-12-03') > 0 AS disposed;

-- a platform's own field is asked for beside the law's, and shipped rows stay as they are
INSERT INTO recall_content (regime, kind, field, title, effect, legal_basis) VALUES ('food', 'progress', 'percentage', 'share that came back', '[2026-12-05,)', 'our policy');
SELECT recall_report_add(:milk, 'progress', '{}', '2026-12-04') > 0 AS before;
SELECT recall_report_add(:milk, 'progress', '{}', '2026-12-05');
SELECT recall_report_add(:milk, 'progress', '{"percentage": 0}', '2026-12-05') > 0 AS complete;
DELETE FROM recall_content WHERE field = 'scope';
INSERT INTO recall_content (regime, kind, field, title, legal_basis) VALUES ('food', 'saga', 'hero', 'h', 'our policy');
SELECT * FROM recall_check();

-- everything is on record: the list, and a digest of each document in the ledger, not what it says
SELECT kind, what, at, party, detail ->> 'returned' AS returned FROM recall_history WHERE recall_id = :kettle ORDER BY at, kind;
SELECT p.kind, l.body ->> 'sha256' = encode(sha256(convert_to(p.content::text, 'UTF8')), 'hex') AS proved, l.body ? 'content' AS told
FROM recall_report p JOIN ledger_entry l ON l.kind = 'recall_report' AND (l.body ->> 'report_id')::bigint = p.report_id WHERE p.recall_id = :kettle ORDER BY p.report_id;
SELECT (SELECT count(*) FROM recall_report) = (SELECT count(*) FROM ledger_entry WHERE kind = 'recall_report') AS all_recorded;
\set VERBOSITY sqlstate
UPDATE recall_report SET content = '{}';
DELETE FROM recall_fact;
TRUNCATE recall_level_change;
DELETE FROM recall_extension;
DROP EXTENSION quality_gov;
