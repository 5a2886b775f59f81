-- A recall that is completed, recalled anew with a wider scope, and retired: law, scope, figures and notices tell one story.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT lot_record('6901234567892', 'A1', 'Mill', 'm-1', '2026-01-01', NULL, 100) AS part, lot_record('614141123452', 'F1', 'Mill', 'm-1', '2026-01-05', NULL, 50) AS kettle,
       lot_record('614141123452', 'F2', 'Mill', 'm-1', '2026-01-06', NULL, 10) AS later \gset
SELECT lot_use(:part, :kettle, 40, '2026-01-05'), lot_item_add(:kettle, '{s1,s2}');
SELECT sale_record('[{"merchant_id": "m-1", "order_id": "o1", "gtin": "614141123452", "lot": "F1", "quantity": 20, "buyer": "b1", "at": "2026-02-01", "state": "delivered"},
  {"merchant_id": "m-1", "order_id": "o2", "gtin": "614141123452", "serial": "s1", "buyer": "b1", "at": "2026-02-01", "state": "delivered"},
  {"merchant_id": "m-2", "order_id": "o3", "gtin": "614141123452", "lot": "F2", "quantity": 2, "buyer": "b2", "at": "2026-02-01", "state": "delivered"}]');
-- an ingredient that is named as goods, too, is in scope once, and nothing is wrong with that
SELECT recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "A1"}, {"ingredient": {"gtin": "6901234567892", "lot": "A1"}}]', 'shock', 'Order 19', state => 'voluntary', merchant_id => 'm-1', at => '2026-03-01') AS r \gset
SELECT lot_code, depth FROM recall_goods(:r, '2026-03-01') ORDER BY 1;
SELECT * FROM recall_scope_check();
SELECT recall_advance(:r, 'plan_reported', '2026-03-02', document => recall_report_template('consumer', 'plan', '2026-03-02')), recall_advance(:r, 'published', '2026-03-03', document => '{"page": "x"}'),
       recall_notice_generate(:r, '2026-03-03 01:00') AS notices, recall_advance(:r, 'running', '2026-03-04');
SELECT count(recall_notice_done(t.notice_id, at => '2026-03-04')) AS delivered FROM recall_notice_take(100, at => '2026-03-04') t;
SELECT recall_response_add(:r, 'confirmed', 20, 'm-1', 'o1', at => '2026-03-05'), recall_response_add(:r, 'repaired', 18, 'm-1', 'o1', at => '2026-03-06'),
       recall_response_add(:r, 'returned', 2, 'm-1', 'o1', at => '2026-03-06'), recall_response_add(:r, 'warned', gtin => '614141123452', serial => 's1', at => '2026-03-06');
SELECT recall_response_add(:r, 'repaired', 1, 'm-1', 'o1', at => '2026-03-07');
SELECT recall_release(:r, '[{"gtin": "614141123452", "lot": "F1"}]', 'repaired', 'laboratory', '2026-03-07'), recall_advance(:r, 'completed', '2026-03-20');
CREATE FUNCTION told(r bigint, at timestamptz) RETURNS TABLE (lot_code text, sold numeric, notified numeric, confirmed numeric, warned numeric, repaired numeric, returned numeric, outstanding numeric, stopped bigint)
LANGUAGE sql BEGIN ATOMIC
  SELECT f.lot_code, f.sold, f.notified, f.confirmed, f.warned, f.repaired, f.returned, f.outstanding, (SELECT count(*) FROM recall_bar(f.gtin::text, f.lot_code) b WHERE tstzrange(b.since, b.until) @> at)
  FROM recall_progress(r, at) f ORDER BY 1;
END;
SELECT * FROM told(:r, '2026-03-21');
-- anew: what was repaired is stopped again and has to be dealt with again, what came back is back
SELECT recall_reopen(:r, 'remedy not enough', '[{"gtin": "614141123452", "lot": "F2"}]', '2026-04-01');
SELECT * FROM told(:r, '2026-04-02');
SELECT * FROM told(:r, '2026-03-21') WHERE lot_code = 'F1';
SELECT recall_notice_generate(:r, '2026-04-01 01:00') AS notices;
SELECT round, audience, recipient FROM recall_notice WHERE occasion = 're_recall' ORDER BY 2, 3;
SELECT recall_response_add(:r, 'returned', 19, 'm-1', 'o1', at => '2026-04-06');
SELECT recall_response_add(:r, 'returned', 18, 'm-1', 'o1', at => '2026-04-06'), recall_response_add(:r, 'returned', gtin => '614141123452', serial => 's1', at => '2026-04-06');
SELECT recall_response_add(:r, 'repaired', gtin => '614141123452', serial => 's1', at => '2026-04-07');
SELECT * FROM told(:r, '2026-04-08');
SELECT duty, state, from_when FROM recall_duties(:r, '2026-04-10') ORDER BY from_when, duty;
SELECT * FROM recall_progress_check();
SELECT * FROM integrity_check();
-- retired, nothing that hangs on it stays
SELECT recall_advance(:r, 'plan_reported', '2026-04-12', document => recall_report_template('consumer', 'plan', '2026-04-12')), recall_advance(:r, 'published', '2026-04-13', document => '{"page": "x"}'),
       recall_cause_record(:r, 'ingredient', :part), recall_disposal_add(:r, '614141123452', 'F1', 'stock', 'shredded', 5, 'works', '2026-04-13'), recall_advance(:r, 'running', '2026-04-14'),
       recall_fact_add(:r, 'death', '2026-04-14'), recall_advance(:r, 'completed', '2026-04-15'), recall_advance(:r, 'final_summary', '2026-04-16', document => recall_report_template('consumer', 'final_summary', '2026-04-16'));
SET session_replication_role = replica;
UPDATE recall_step SET at = at - interval '20 years';
UPDATE recall_report SET at = at - interval '20 years';
RESET session_replication_role;
SELECT recall_retire();
SELECT c.relname, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', c.oid::regclass), false, true, '')))[1]::text AS rows
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'recall_id' WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relkind = 'r' ORDER BY 1;
SELECT * FROM integrity_check();
DROP FUNCTION told;
DROP EXTENSION quality_gov;
