-- Events as an application writes them: what is written, what is refused and how, and taking one back.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2024-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2024-06-01');
CREATE FUNCTION refusal(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  message := 'not refused';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  -- what the clock says
  message := regexp_replace(message, 'it is .* now$', 'it is T now');
  detail := regexp_replace(detail, 'known from .* now\.$', 'known from T, and it is T now.');
END $$;

SELECT credit_event_record('m-1', 'complaint', 'desk', bad => 1, at => '2024-03-01', ref => 'c-1') AS one,
       credit_event_record('m-1', 'complaint', 'desk', good => 2.5) AS two,
       credit_event_record('m-2', 'review', 'desk', 1, 0, '2024-06-01', NULL) AS three;
SELECT event_id, merchant_id, indicator, good, bad, source, ref, void, voids, xid = pg_current_xact_id_if_assigned() AS this_transaction,
       at <= recorded_at AS ordered, recorded_at > '2024-07-01' AS known_since_now FROM credit_event ORDER BY 1;
-- what happens while the statement runs is known from then on
SELECT count(credit_event_record('m-1', 'review', 'desk', 1, at => clock_timestamp())) FROM generate_series(1, 3);
SELECT count(*) AS late, bool_and(at = recorded_at) AS known_at_once FROM credit_event WHERE indicator = 'review' AND merchant_id = 'm-1';

-- each refusal says what was found and what to do
SELECT * FROM unnest(ARRAY[
  $$credit_event_record('ghost', 'complaint', 'desk', bad => 1, at => '2024-03-01')$$,
  $$credit_event_record('m-2', 'complaint', 'desk', bad => 1, at => '2024-05-31 23:59:59')$$,
  $$credit_event_record('m-1', 'beauty', 'desk', bad => 1)$$,
  $$credit_event_record('m-1', 'complaint', 'desk', bad => 1, at => '9999-01-01')$$,
  $$credit_event_record('m-1', 'complaint', 'desk', bad => 1, at => 'infinity')$$,
  $$credit_event_record('m-1', 'complaint', 'desk', bad => 1, at => '-infinity')$$,
  $$credit_event_record('m-1', 'complaint', 'desk', bad => 'NaN')$$,
  $$credit_event_record('m-1', 'complaint', 'desk', bad => 'infinity')$$,
  $$credit_event_record('m-1', 'complaint', 'desk', good => '-infinity')$$,
  $$credit_event_record('m-1', 'complaint', 'desk', good => -1)$$,
  $$credit_event_record('m-1', 'complaint', 'desk', bad => 1.1e15)$$,
  $$credit_event_record('m-1', 'complaint', 'desk')$$,
  $$credit_event_record('m-1', 'complaint', ' ', bad => 1)$$,
  $$credit_event_record('m-1', 'complaint', 'regulatory', bad => 1)$$,
  $$credit_event_record('m-1', 'complaint', 'public.complaint', bad => 1)$$,
  $$credit_event_record(NULL, 'complaint', 'desk', bad => 1)$$,
  $$credit_event_record('m-1', NULL, 'desk', bad => 1)$$,
  $$credit_event_record('m-1', 'complaint', NULL, bad => 1)$$,
  $$credit_event_record('m-1', 'complaint', 'desk', NULL)$$,
  $$credit_event_record('m-1', 'complaint', 'desk', bad => 1, at => NULL)$$]) AS call, refusal('SELECT quality_gov.' || call);
BEGIN READ ONLY;
SELECT credit_event_record('m-1', 'complaint', 'desk', bad => 1);
ROLLBACK;
SELECT count(*) AS events FROM credit_event;

-- many at once, all or none, with ids in the order given
SELECT ids[2] - ids[1] AS second, ids[3] - ids[1] AS third
FROM credit_event_record_all('{m-2,m-1,m-2}', '{complaint,complaint,review}', 'desk', bad => '{1,2,NULL}', good => '{NULL,NULL,3}',
                             at => '{2024-07-01,NULL,2024-07-02}', ref => '{x,NULL,y}') AS ids;
SELECT merchant_id, indicator, good, bad, ref, CASE WHEN at < '2024-08-01' THEN at END AS at FROM credit_event ORDER BY event_id DESC LIMIT 3;
SELECT credit_event_record_all('{}', '{}', 'desk') AS none, credit_event_record_all('{m-1}', '{complaint}', 'desk', '{1}') IS NOT NULL AS good_alone;
SELECT * FROM unnest(ARRAY[
  $$credit_event_record_all('{m-1,ghost}', '{complaint,complaint}', 'desk', bad => '{1,1}')$$,
  $$credit_event_record_all('{m-1,m-2}', '{complaint,complaint}', 'desk', bad => '{1,1}', at => '{NULL,2024-01-02}')$$,
  $$credit_event_record_all('{m-1,m-1}', '{complaint,beauty}', 'desk', bad => '{1,1}')$$,
  $$credit_event_record_all('{m-1,m-1}', '{complaint,complaint}', 'desk', bad => '{1,NaN}')$$,
  $$credit_event_record_all('{m-1,m-1}', '{complaint,complaint}', 'desk', bad => '{1,0}')$$,
  $$credit_event_record_all('{m-1,m-1}', '{complaint,complaint}', 'desk', bad => '{1,1}', at => '{NULL,infinity}')$$,
  $$credit_event_record_all('{m-1,m-1}', '{complaint,complaint}', 'desk', bad => '{1,1}', at => '{NULL,9999-01-01}')$$,
  $$credit_event_record_all('{m-1,NULL}', '{complaint,complaint}', 'desk', bad => '{1,1}')$$,
  $$credit_event_record_all('{m-1,m-1}', '{complaint,NULL}', 'desk', bad => '{1,1}')$$,
  $$credit_event_record_all('{m-1,m-1}', '{complaint,complaint}', 'desk', bad => '{1}')$$,
  $$credit_event_record_all('{{m-1,m-1}}', '{complaint,complaint}', 'desk', bad => '{1,1}')$$,
  $$credit_event_record_all(NULL, '{complaint}', 'desk')$$]) AS call, refusal('SELECT quality_gov.' || call);
SELECT count(*) AS events FROM credit_event;

-- an event is taken back once
SELECT credit_event_void('m-1', 1) - (SELECT max(event_id) FROM credit_event) > 0 AS voided;
SELECT indicator, at, good, bad, source, ref, void, voids FROM credit_event ORDER BY event_id DESC LIMIT 1;
SELECT * FROM unnest(ARRAY[
  $$credit_event_void('m-1', 1)$$, $$credit_event_void('m-1', 999)$$, $$credit_event_void('m-2', 2)$$,
  format('credit_event_void(%L, %s)', 'm-1', (SELECT event_id FROM credit_event WHERE voids = 1)),
  $$credit_event_void('m-1', 2, '9999-01-01')$$, $$credit_event_void('m-1', 2, 'infinity')$$,
  $$credit_event_void('m-1', NULL)$$]) WITH ORDINALITY AS c(call, n), refusal('SELECT quality_gov.' || call) AS r ORDER BY n;
SELECT r.code, r.message FROM refusal('SELECT quality_gov.credit_event_void(''m-1'', 2, ''2024-01-02'')') r;
SELECT kind, subject, body->>'event_id' AS event, body->>'ref' AS ref FROM ledger_entry WHERE kind = 'credit_event_void' ORDER BY entry_id;
-- of two that are alike each is taken back by its own id, also where another program wrote a void that names none
INSERT INTO credit_event (merchant_id, indicator, at, bad, source) SELECT 'm-1', 'recall', '2024-02-02', 1, 'old' FROM generate_series(1, 2);
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, void) VALUES ('m-1', 'recall', '2024-02-02', -1, 'old', true);
SELECT count(credit_event_void('m-1', (SELECT max(event_id) FROM credit_event WHERE source = 'old' AND NOT void))) AS one_left;
SELECT r.code FROM refusal(format('SELECT quality_gov.credit_event_void(%L, %s)', 'm-1', (SELECT min(event_id) FROM credit_event WHERE source = 'old'))) r;
\set VERBOSITY terse
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, void, voids) VALUES ('m-1', 'complaint', '2024-03-01', -1, 'desk', true, 1);
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, voids) VALUES ('m-1', 'complaint', '2024-03-01', 1, 'desk', 2);

-- many by COPY: the constraints hold there, too
\copy credit_event (merchant_id, indicator, at, bad, source) FROM PROGRAM 'seq -f "m-1,review,2024-04-01,%.0f,copied" 1 3' WITH (FORMAT csv)
\copy credit_event (merchant_id, indicator, at, bad, source) FROM PROGRAM 'echo m-1,review,9999-01-01,1,copied' WITH (FORMAT csv)
\copy credit_event (merchant_id, indicator, at, bad, source) FROM PROGRAM 'echo m-1,review,2024-04-01,NaN,copied' WITH (FORMAT csv)
SELECT count(*), sum(bad) AS bad FROM credit_event WHERE source = 'copied';
SELECT * FROM credit_check();

-- what was weighed before a model of that instant was there is taken back all the same, once
BEGIN;
SELECT credit_event_add('m-1', 'recall', 'serious', '2025-01-01', 't2', 'w');
INSERT INTO credit_model (model, version, state, title, effect) VALUES ('mine', 1, 'active', 't', '[2025-01-01,)');
INSERT INTO credit_severity (model, version, indicator, severity, bad) VALUES ('mine', 1, 'recall', 'serious', 7);
SELECT credit_event_void('m-1', 'recall', 'general', '2025-01-01', 't2', 'w') AS of_another_severity,
       credit_event_void('m-1', 'recall', 'serious', '2025-01-01', 't2', 'w') AS one;
SELECT credit_event_void('m-1', 'recall', 'serious', '2025-01-01', 't2', 'w') AS two;
ROLLBACK;

-- an application records and takes its own back; what quality_gov wrote stays
INSERT INTO credit_event (merchant_id, indicator, at, bad, source, ref) VALUES ('m-1', 'regulatory', '2024-05-01', 1, 'regulatory', 'r');
SELECT count(*) > 0 AS roles FROM roles_create();
CREATE ROLE regress_app;
GRANT quality_gov_app TO regress_app;
SELECT max(event_id) AS kept FROM credit_event \gset
SET ROLE regress_app;
SELECT count(quality_gov.credit_event_void('m-1', quality_gov.credit_event_record('m-1', 'complaint', 'app', bad => 1))) AS own;
\set VERBOSITY default
SELECT quality_gov.credit_event_void('m-1', :kept);
RESET ROLE;
DROP FUNCTION refusal;
DROP EXTENSION quality_gov;
DROP ROLE regress_app;
