-- Decisions against their entries: what is changed, added or gone is found and the entry named; and what doctor() says of the ledger.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

SET "TimeZone" = 'Asia/Shanghai';
SELECT a.admitted, b.admitted FROM merchant_admit('{"merchant_id": "m-0", "name": "x", "kind": "company"}', '2026-01-01') a, merchant_admit('{"merchant_id": "m-0", "name": "y"}', '2026-01-02') b;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91110000600037341L', '2026-01-01');
SELECT recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "A1"}]', 'r', 'b', merchant_id => 'm-1', at => '2026-05-01') AS recall \gset
SELECT recall_advance(:recall, 'ordered', '2026-05-02', 'a note'), recall_advance(:recall, 'plan_reported', '2026-05-03');
SELECT violation_record('m-2', 'general', 7, 'r', 'f', 'b', at => '2026-05-01') IS NOT NULL AS a, violation_record('m-2', 'general', 17, 'r', 'f', 'b', '{"k": [1]}', at => '2026-05-02') IS NOT NULL AS b,
       violation_record('m-1', 'serious', 30, 'r', 'f', 'b', at => '2026-05-02') IS NOT NULL AS c;
SELECT violation_revoke('m-1', 3, 'an error', 'somebody', at => '2026-05-03');
SET "TimeZone" = 'UTC';
CREATE TABLE product (id text PRIMARY KEY, shop text, title text, producer text, status text DEFAULT 'live');
SELECT listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 't', 'b', effective => '2026-01-01') > 0 AS rule;
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "status": "status"}');
INSERT INTO product SELECT g, 'm-1', 'cup', CASE WHEN g % 2 > 0 THEN 'p' END FROM generate_series(1, 6) g;
SELECT scope, status, entries, values_reread, first_bad, reason FROM ledger_verify() WHERE scope IN (SELECT scope FROM ledger_decision) ORDER BY scope COLLATE "C";

CREATE FUNCTION tampered(statement text, OUT scopes text, OUT named boolean, OUT reason text) LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL session_replication_role = replica;
  EXECUTE statement;
  SELECT string_agg(v.scope, ' ' ORDER BY v.scope COLLATE "C"), bool_and(v.first_bad IS NOT NULL), min(regexp_replace(v.reason, 'entry \d+', 'entry #', 'g'))
    INTO scopes, named, reason FROM ledger_verify() v WHERE v.status = 'problem' AND v.scope <> 'log';
  RAISE EXCEPTION 'undo' USING ERRCODE = 'QG999';
EXCEPTION WHEN SQLSTATE 'QG999' THEN NULL;
END $$;
SELECT t.act, f.* FROM unnest(ARRAY[
  'UPDATE recall_step SET state = ''voluntary'' WHERE state = ''ordered''', 'UPDATE recall_step SET at = at + interval ''1 hour'' WHERE state = ''ordered''', 'UPDATE recall_step SET note = NULL WHERE state = ''ordered''',
  'UPDATE recall_step SET note = ''x'' WHERE state = ''plan_reported''', 'UPDATE recall_step SET recall_id = 5 WHERE state = ''ordered''', 'DELETE FROM recall_step WHERE state = ''ordered''',
  'INSERT INTO recall_step (recall_id, state, at) VALUES (1, ''published'', ''2026-06-01'')',
  'UPDATE merchant_admission SET admitted = NOT admitted WHERE at = ''2025-12-31 16:00+00''', 'UPDATE merchant_admission SET findings = findings - 0 WHERE at = ''2025-12-31 16:00+00''', 'DELETE FROM merchant_admission',
  'UPDATE violation SET points = 1 WHERE violation_id = 2', 'UPDATE violation SET facts = ''g'' WHERE violation_id = 2', 'UPDATE violation SET evidence = ''{"k": [2]}'' WHERE violation_id = 2', 'UPDATE violation SET recorded_at = recorded_at + interval ''1 s'' WHERE violation_id = 2',
  'UPDATE violation SET merchant_id = ''m-1'' WHERE violation_id = 2', 'DELETE FROM violation WHERE violation_id = 2', 'UPDATE violation_void SET reasons = ''x''', 'DELETE FROM violation_void',
  'UPDATE sanction SET effect = tstzrange(lower(effect), ''2030-01-01'') WHERE merchant_id = ''m-2''', 'UPDATE sanction SET measure = ''x'' WHERE merchant_id = ''m-2''', 'UPDATE sanction SET lift_reasons = ''x'' WHERE lifted_at IS NOT NULL', 'UPDATE sanction SET lifted_at = NULL, lift_cause = NULL, lift_reasons = NULL, lifted_by = NULL WHERE lifted_at IS NOT NULL',
  'UPDATE listing_decision SET verdict = ''pass'' WHERE listing_id = ''2''', 'UPDATE listing_decision SET at = at - interval ''1 s'' WHERE listing_id = ''2''', 'DELETE FROM listing_decision WHERE listing_id = ''2''', 'UPDATE listing_finding SET message = ''x'' WHERE decision_id = 1', 'DELETE FROM listing_finding WHERE decision_id = 1',
  'UPDATE ledger_entry SET body = body || ''{"at": "never"}'' WHERE kind = ''recall''', 'DELETE FROM ledger_entry WHERE kind = ''violation''', 'INSERT INTO ledger_decision VALUES (''gone'', ''public.nothing'', ''x'')']) t(act)
CROSS JOIN LATERAL tampered(t.act) f;

-- doctor(): silent for who does not use it
SELECT status, subject, detail, hint FROM doctor() WHERE check_name = 'ledger' AND subject <> 'unsealed entries';
SELECT status, subject FROM doctor() WHERE check_name = 'ledger';
SELECT count(*) FROM ledger_seal() WHERE ledger_seal > 0;
SELECT count(*) FROM doctor() WHERE check_name = 'ledger';
-- an old tail, rights, triggers, settings, a log that nobody signs, a key file that is none
INSERT INTO ledger_entry (kind, subject, body, role, recorded_at, xid) VALUES ('note', 'old', '{}', 'r', '2026-01-01', '0');
SELECT status, detail FROM doctor() WHERE check_name = 'ledger';
SELECT ledger_seal() > 0 AS sealed;
CREATE ROLE ledger_decision_role;
GRANT INSERT, UPDATE (body), SELECT ON ledger_entry TO ledger_decision_role;
GRANT USAGE ON SEQUENCE ledger_entry_entry_id_seq TO PUBLIC;
GRANT SET ON PARAMETER session_replication_role TO ledger_decision_role;
ALTER ROLE ledger_decision_role IN DATABASE :DBNAME SET session_replication_role = replica;
ALTER TABLE ledger_seal DISABLE TRIGGER ledger_seal_append_only;
SELECT ledger_origin_set('shop.example/doctor');
SET quality_gov.ledger_key_file = '/nonexistent/key.pem';
SELECT status, subject, regexp_replace(detail, 'the log has \d+', 'the log has n') AS detail, hint FROM doctor() WHERE check_name = 'ledger' AND subject <> 'unsealed entries' ORDER BY subject COLLATE "C", detail COLLATE "C";
RESET quality_gov.ledger_key_file;
REVOKE SET ON PARAMETER session_replication_role FROM ledger_decision_role;
DROP OWNED BY ledger_decision_role;
DROP ROLE ledger_decision_role;

-- orphans
SELECT * FROM ledger_check();
SET session_replication_role = replica;
INSERT INTO ledger_secret VALUES (99999, 'phone', sha256('x'), '["1"]');
INSERT INTO ledger_signature VALUES (1, 'x', '\x00000000', sha256('') || sha256(''));
DELETE FROM ledger_entry WHERE entry_id = 3;
RESET session_replication_role;
SELECT * FROM ledger_check();
SELECT relation, key, problem FROM integrity_check() WHERE relation LIKE 'ledger%';

-- who verifies
SELECT count(*) >= 0 AS made FROM roles_create();
SELECT r.role, string_agg(p.proname, ' ' ORDER BY p.proname COLLATE "C") FROM unnest('{quality_gov_admin,quality_gov_regulator,quality_gov_analyst,quality_gov_app,quality_gov_merchant}'::text[]) r(role)
LEFT JOIN pg_proc p ON p.pronamespace = 'quality_gov'::regnamespace AND p.proname IN ('ledger_seal', 'ledger_verify', 'ledger_inclusion_proof', 'ledger_consistency_proof', 'ledger_tile_data', 'ledger_bundle', 'merkle_root') AND has_function_privilege(r.role, p.oid, 'EXECUTE')
GROUP BY r.role ORDER BY r.role COLLATE "C";
SET ROLE quality_gov_regulator;
SELECT scope, status FROM ledger_verify('log');
SELECT ledger_inclusion_proof(0, 1) = '{}' AS proved;
SELECT ledger_seal();
RESET ROLE;
DROP TABLE product;
DROP FUNCTION tampered(text);
DROP EXTENSION quality_gov;
