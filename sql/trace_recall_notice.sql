-- Notices of recalls: who is told what on which occasion, once; workers, failures, confirmations, roles.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
INSERT INTO lot (gtin, lot_code, producer, merchant_id, quantity) VALUES ('6901234567892', 'A1', 'Huashan', 'm-1', 100);
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, quantity, buyer, sold_at, state) VALUES
  ('m-1', 'O-1', '6901234567892', 'A1', 2, 'b-1', '2026-09-10', 'shipped'), ('m-1', 'O-2', '6901234567892', 'A1', 1, 'b-1', '2026-09-11', 'shipped'),
  ('m-2', 'O-3', '6901234567892', NULL, 1, 'b-2', '2026-09-12', 'open'), ('m-2', 'O-4', '6901234567892', 'A1', 1, 'b-3', '2026-09-12', 'cancelled'),
  ('m-2', 'O-5', '6901234567892', 'A1', 1, NULL, '2026-09-13', 'shipped'), ('m-2', 'O-6', '6901234567892', 'A7', 1, 'b-7', '2026-09-13', 'shipped');
SELECT recall_open('Kettle {goods}', '[{"gtin": "6901234567892", "lot": "A1"}]', 'shock', 'Order 19', merchant_id => 'm-1', at => '2026-10-01') AS kettle \gset
CREATE VIEW told AS SELECT round, occasion, audience, string_agg(recipient, ' ' ORDER BY recipient) AS recipients, string_agg(DISTINCT state, ' ') AS states
  FROM recall_notice GROUP BY 1, 2, 3;

-- each occasion tells its audiences once, also those that come later
SELECT recall_notice_generate(:kettle, '2026-09-30') AS before, recall_notice_generate(:kettle, '2026-10-01') AS first, recall_notice_generate(:kettle, '2026-10-01') AS again;
SELECT occasion, audience, recipients FROM told ORDER BY 1, 2;
INSERT INTO recall_step (recall_id, state, at) VALUES (:kettle, 'voluntary', '2026-10-02'), (:kettle, 'plan_reported', '2026-10-03'), (:kettle, 'published', '2026-10-04');
SELECT recall_notice_generate(:kettle, '2026-10-02') AS stop_sale, recall_notice_generate(:kettle, '2026-10-04') AS published;
SELECT audience, recipients FROM told WHERE occasion = 'published' ORDER BY 1;
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, quantity, buyer, sold_at) VALUES ('m-2', 'O-9', '6901234567892', 'A1', 1, 'b-9', '2026-10-01');
SELECT outcome, detail FROM maintenance('2026-10-05') WHERE task = 'recall_notice';
SELECT subject, body -> 'audiences' -> 'consumer' AS consumer FROM ledger_entry WHERE kind = 'recall_notice' AND body -> 'audiences' ? 'consumer' ORDER BY entry_id;
SELECT occasion, audience, recipients, waiting, delivered FROM recall_notice_overview WHERE occasion = 'published' ORDER BY audience;
SELECT recall_notice_text(:kettle, 1, 'published', 'consumer', 'en');
SELECT recall_notice_text(:kettle, 1, 'stop_sale', 'merchant', 'zh');
-- a platform's own words come first; what they must say, they must
INSERT INTO recall_notice_template VALUES ('en', 'contact', 'call 400-1'), ('en', 'do', ' ');
INSERT INTO recall_notice_template VALUES ('en', 'contact', 'call 400-1'), ('de', 'notice', '{title} {goods}');
INSERT INTO recall_notice_template VALUES ('en', 'contact', 'call 400-1');

-- workers: a lease, the orders of a buyer, delivery told once
SELECT notice_id, attempt, audience, recipient, body LIKE '%06901234567892%' AS text, orders, lease_until FROM recall_notice_take(2, '10 minutes', 'en', '{consumer}', '2026-10-05 10:00') ORDER BY 1;
SELECT count(*) AS others FROM recall_notice_take(9, audiences => '{consumer}', at => '2026-10-05 10:01');
SELECT min(notice_id) AS n1, min(notice_id) + 1 AS n2, max(notice_id) AS n9 FROM recall_notice WHERE audience = 'consumer' AND occasion = 'published' \gset
SELECT recall_notice_done(:n1, 'sms 1', '2026-10-05 10:02') AS done, recall_notice_done(:n1, 'sms 2', '2026-10-05 10:03') AS twice,
       recall_notice_failed(:n1, 'late', NULL, '2026-10-05 10:04') AS failed_after;
SELECT state, delivered_at, reference, attempts, error FROM recall_notice WHERE notice_id = :n1;
SELECT recall_notice_confirm(:n1, '2026-10-05 11:00') AS confirmed, recall_notice_confirm(:n1, '2026-10-05 12:00') AS twice;
SELECT lot_code, sold, notified, confirmed FROM recall_progress(:kettle, '2026-10-06');
SELECT lot_code, notified, confirmed FROM recall_progress(:kettle, '2026-10-05 10:30');
-- failures wait longer each time, then the notice is dead until it is requeued
INSERT INTO recall_notice_setting VALUES ('attempts', 3, 'attempts');
SELECT recall_notice_failed(:n2, 'no line', 2, '2026-10-05 10:05') AS other_attempt, recall_notice_failed(:n2, 'no line', 1, '2026-10-05 10:05') AS failed;
SELECT count(*) AS too_early FROM recall_notice_take(1, audiences => '{consumer}', at => '2026-10-05 10:05:59') WHERE notice_id = :n2;
SELECT attempt, recall_notice_failed(notice_id, 'no line', attempt, '2026-10-05 10:06') FROM recall_notice_take(9, audiences => '{consumer}', at => '2026-10-05 10:06') WHERE notice_id = :n2;
SELECT due_at, error FROM recall_notice WHERE notice_id = :n2;
-- the third worker dies with it: its lease ends, and that was the last attempt
SELECT attempt FROM recall_notice_take(9, '1 minute', 'zh', '{consumer}', '2026-10-05 11:00') WHERE notice_id = :n2;
SELECT count(*) AS taken FROM recall_notice_take(9, '1 minute', 'zh', '{consumer}', '2026-10-05 11:01') WHERE notice_id = :n2;
SELECT state, attempts, error, lease_until FROM recall_notice WHERE notice_id = :n2;
SELECT status, subject, detail FROM doctor_recall_notice() WHERE status = 'problem';
SELECT recall_notice_requeue(:kettle, '2026-10-05 12:00') AS requeued, recall_notice_requeue(at => '2026-10-05 12:00') AS again;
SELECT notice_id = :n2 AS second, attempt, recall_notice_done(notice_id, at => '2026-10-05 12:01') FROM recall_notice_take(9, audiences => '{consumer}', at => '2026-10-05 12:00') ORDER BY 1;

-- recalled again: everybody is told anew; dismissed: only whom something reached
INSERT INTO recall_step (recall_id, state, at) VALUES (:kettle, 'running', '2026-10-07'), (:kettle, 'completed', '2026-11-01'), (:kettle, 're_recall', '2026-11-05');
SELECT recall_notice_generate(:kettle, '2026-11-01') AS completed, recall_notice_generate(:kettle, '2026-11-05') AS re_recall;
SELECT round, occasion, audience, recipients FROM told WHERE round = 2 OR occasion = 'completed' ORDER BY 1, 2, 3;
SELECT lot_code, notified, confirmed FROM recall_progress(:kettle, '2026-11-05');
SELECT recall_open('Cup', '[{"gtin": "6901234567892"}]', 'lead', 'Order 19', at => '2026-10-01') AS cup \gset
SELECT recall_notice_generate(:cup, '2026-10-01') AS hold;
UPDATE recall_notice SET state = 'delivered', attempts = 1, delivered_at = '2026-10-02', lease_until = NULL WHERE recall_id = :cup AND audience = 'platform';
SELECT recall_advance(:cup, 'dismissed', '2026-10-03');
SELECT recall_notice_generate(:cup, '2026-10-03') AS dismissed;
SELECT occasion, audience, state FROM recall_notice WHERE recall_id = :cup ORDER BY 1, 2;

-- a language that came later than the notice
INSERT INTO recall_notice_template SELECT 'de', part, replace(body, 'Recall', 'Rückruf') FROM recall_notice_template WHERE language = 'en' AND builtin;
SELECT body LIKE '%召回%' AS zh FROM recall_notice_take(1, language => 'de', audiences => '{platform}', at => '2026-10-05 12:00');
-- what is refused
SELECT recall_notice_done(:n9 + 100);
SELECT recall_notice_done(notice_id, at => 'infinity') FROM recall_notice WHERE audience = 'regulator' LIMIT 1;
SELECT recall_notice_done(min(notice_id)) IS NULL FROM recall_notice WHERE round = 2;
SELECT recall_notice_failed(min(notice_id), 'x') IS NULL FROM recall_notice WHERE round = 2;
SELECT recall_notice_confirm(min(notice_id)) IS NULL FROM recall_notice WHERE round = 2;
SELECT recall_notice_take(0);
SELECT recall_notice_take(1, '0');
SELECT recall_notice_take(1, language => 'fr');
SELECT recall_notice_generate(999);
SELECT recall_notice_generate(:kettle, NULL);
INSERT INTO recall_notice (recall_id, occasion, audience, recipient, at, due_at) VALUES (:kettle, 'published', 'consumer', 'b-1', now(), now());
\echo :LAST_ERROR_SQLSTATE
UPDATE recall_notice_rule SET states = '{running}';
DELETE FROM recall_notice_body;
SELECT * FROM integrity_check();
SELECT problem, detail FROM recall_progress_check(:kettle);
DROP VIEW told;
DROP EXTENSION quality_gov;
