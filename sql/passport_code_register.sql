-- Codes that a producer assigned: only keyed digests are stored, and a code is registered once.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_register_key && chmod 600 qg_register_key';
INSERT INTO lot (gtin, lot_code, quantity) VALUES ('6901234567892', 'L1', 2), ('6901234567892', 'L2', 9), ('73513537', 'L1', 9);
SELECT code_register('6901234567892', 'L1', '{A-1}');
SET quality_gov.code_key_file = 'qg_register_key';
SELECT code_register('6901234567892', 'L1', '{A-1,A-2,a-2}', '2026-01-01');
SELECT code_register('6901234567892', 'L2', ARRAY['<script>', 'x"''%&+,./:;=?()_!*-'], '2026-01-01');
SELECT code_register('73513537', 'L1', '{A-1}', '2026-01-01');
SELECT count(*), count(DISTINCT digest), bool_and(octet_length(digest) = 16) FROM code_registered;
SELECT EXISTS (SELECT FROM code_registered WHERE position('A-1'::bytea IN digest) > 0 OR digest = substr(sha256('A-1'), 1, 16)) AS told;
SELECT c.code, k.* FROM unnest('{A-1,A-2,a-2,A-3,<script>}'::text[]) c(code), code_check(c.code, '6901234567892', NULL, '2026-02-01') k ORDER BY c.code COLLATE "C";
SELECT k.valid FROM code_check('A-1', '6901234567892', 'L2', '2026-02-01') k;
SELECT k.valid FROM code_check('A-1', '6901234567892', 'L1', '2025-12-31') k;
SELECT k.* FROM unnest(ARRAY[repeat('😀', 100), repeat('x', 100000), 'A-1 ', 'A%2D1', '']) c(code), code_check(c.code, '6901234567892', 'L1', '2026-02-01') k;
SELECT kind, subject, body - 'at' FROM ledger_entry ORDER BY entry_id;
-- twice, in another lot, after another key came, twice in one call
SELECT code_register('6901234567892', 'L1', '{B-1,A-2}');
SELECT code_register('6901234567892', 'L2', '{A-1}');
COPY (SELECT 'k2:' || repeat('0b', 32) UNION ALL SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_register_key';
SELECT code_register('6901234567892', 'L2', '{A-1}');
SELECT code_register('6901234567892', 'L2', '{B-1,B-2,B-1}');
SELECT code_register('6901234567892', 'L2', '{B-1}', '2026-01-05');
SELECT bool_and(k.valid) FROM unnest('{A-1,A-2,a-2,B-1}'::text[]) c(code), code_check(c.code, '6901234567892', NULL, '2026-02-01') k;
-- what can never be scanned
SELECT code_register('6901234567892', 'L1', ARRAY['ok', NULL]);
SELECT code_register('6901234567892', 'L1', ARRAY['ok', '']);
SELECT code_register('6901234567892', 'L1', ARRAY['ok', 'sp ace']);
SELECT code_register('6901234567892', 'L1', ARRAY[repeat('x', 21)]);
SELECT code_register('6901234567892', 'L1', ARRAY['码']);
SELECT code_register('6901234567892', 'L1', '{}');
SELECT code_register('6901234567892', 'L1', NULL);
SELECT code_register('6901234567892', 'L9', '{x}');
SELECT code_register('6901234567892', 'L1', '{x}', 'infinity');
SELECT code_revoke(2, 'r', 1, 1);
SELECT count(*) FROM code_batch;
-- revoked together; more codes than pieces are a finding, and told to whoever scans those that are too many
SELECT b.batch_id, code_revoke(b.batch_id, 'r', at => '2026-02-01') FROM code_batch b WHERE b.gtin = '73513537';
SELECT k.valid FROM code_check('A-1', '73513537', NULL, '2026-02-01') k;
SELECT finding, gtin, lot_code, count, detail FROM code_finding ORDER BY 1, 2, 3;
SELECT code_register('6901234567892', 'L1', '{C-1}', '2026-01-06');
SELECT c, status, reasons FROM unnest('{A-1,C-1}'::text[]) c, passport_verify(digital_link('6901234567892', 'L1', c), '2026-02-01', false);
SELECT * FROM passport_scan_check();
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm qg_register_key';
DROP EXTENSION quality_gov;
