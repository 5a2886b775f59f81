-- Codes of items: made under a key in a file, read again, registered, revoked; no more than pieces were made.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
INSERT INTO lot (gtin, lot_code, quantity, unit) VALUES ('6901234567892', 'L1', 5, NULL), ('6901234567892', 'L2', 1000, 'H87'), ('6901234567892', 'KG', 5, 'KGM'), ('73513537', 'L1', NULL, NULL);

-- the key file: none named, none there, not only the server's, not of keys
SELECT * FROM code_issue('6901234567892', 'L1', 1);
\set VERBOSITY sqlstate
SET quality_gov.code_key_file = 'qg_no_such_file';
SELECT * FROM code_issue('6901234567892', 'L1', 1);
SET quality_gov.code_key_file = 'qg_code_key';
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_code_key && chmod 640 qg_code_key';
SELECT * FROM code_issue('6901234567892', 'L1', 1);
\set VERBOSITY default
COPY (SELECT '# keys' UNION ALL SELECT 'K1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_code_key && chmod 600 qg_code_key';
SELECT * FROM code_issue('6901234567892', 'L1', 1);
COPY (SELECT 'k1:' || repeat('0a', 31) || '0') TO PROGRAM 'cat > qg_code_key';
SELECT code_key();
COPY (SELECT 'k1:' || repeat('0a', 31)) TO PROGRAM 'cat > qg_code_key; echo; echo; echo "# padding that makes the file long enough" >> qg_code_key';
SELECT code_key();
COPY (SELECT 'k1:' || repeat('0a', 65)) TO PROGRAM 'cat > qg_code_key';
SELECT code_key();
COPY (SELECT '# nothing but a comment that is longer than a key of thirty-two bytes would be') TO PROGRAM 'cat > qg_code_key';
SELECT code_key();
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_code_key';
SELECT code_key();

-- issue: 20 characters of base 32, as a link and to be typed
CREATE TABLE made AS SELECT 'L1' AS lot, * FROM code_issue('6901234567892', 'L1', 3, '2026-01-01');
SELECT count(*), count(DISTINCT code), bool_and(code ~ '^[0-9A-HJKMNP-TV-Z]{20}$'), bool_and(link = digital_link('6901234567892', 'L1', code)),
       bool_and(translate(short_form, '-', '') = '5' || code) FROM made;
SELECT batch_id, gtin, lot_code, kind, codes, key_id, at FROM code_batch;
SELECT kind, subject, body FROM ledger_entry ORDER BY entry_id;
-- no more codes than pieces; no lot, no pieces, no number
SELECT * FROM code_issue('6901234567892', 'L1', 3);
INSERT INTO made SELECT 'L1', * FROM code_issue('6901234567892', 'L1', 2, '2026-01-02');
SELECT * FROM code_issue('6901234567892', 'L1', 1);
SELECT * FROM code_issue('6901234567892', 'L9', 1);
SELECT * FROM code_issue('6901234567892', NULL, 1);
SELECT * FROM code_issue('6901234567892', 'KG', 1);
SELECT * FROM code_issue('73513537', 'L1', 1);
SELECT * FROM code_issue('6901234567892', 'L2', 0);
SELECT * FROM code_issue('6901234567892', 'L2', NULL);
SELECT * FROM code_issue('6901234567892', 'L2', 1048576);
SELECT * FROM code_issue('6901234567892', 'L2', 1, 'infinity');
INSERT INTO lot_event (lot_id, kind, at, quantity) SELECT lot_id, 'made', '2026-01-01', 1 FROM lot WHERE gtin = '73513537';
SELECT count(*) FROM code_issue('73513537', 'L1', 1, '2026-01-01');

-- check: as it was given out, in small letters, with letters that look like digits
SELECT c.valid, c.goods, c.lot, c.batch_id, c.item = m.item AS item FROM made m, code_check(m.code, '6901234567892', 'L1', '2026-02-01') c ORDER BY c.batch_id, m.item;
SELECT bool_and(c.valid AND c.item = m.item) FROM made m, code_check(lower(translate(m.code, '01', 'OL')), '6901234567892', NULL, '2026-02-01') c;
SELECT bool_and(c.valid AND c.item = m.item AND c.lot = 'L1') FROM made m, code_check(' ' || lower(replace(m.short_form, '-', ' ')), at => '2026-02-01') c;
SELECT bool_or(c.valid) FROM made m, code_check(m.short_form, at => '2025-12-31 23:59:59.999999') c;
-- every single wrong character, other goods, another lot, another batch: one answer
SELECT count(*), count(DISTINCT c.*::text), min(c.*::text) FROM made m, generate_series(1, 20) place, unnest(string_to_array('0123456789ABCDEFGHJKMNPQRSTVWXYZ', NULL)) letter,
  code_check(overlay(m.code PLACING letter FROM place), '6901234567892', 'L1', '2026-02-01') c WHERE substr(m.code, place, 1) <> letter;
SELECT DISTINCT c.* FROM made m, LATERAL (
  SELECT * FROM code_check(m.code, '73513537', 'L1', '2026-02-01') UNION ALL SELECT * FROM code_check(m.code, '6901234567892', 'L2', '2026-02-01')
  UNION ALL SELECT * FROM code_check('7' || substr(m.short_form, 2), at => '2026-02-01') UNION ALL SELECT * FROM code_check('zzzzzz' || m.short_form, at => '2026-02-01')) c;
SELECT t, c.* FROM unnest(ARRAY[NULL, '', '1', repeat('0', 20), repeat('0', 32), repeat('A', 100000), 'ümläut', E'\n', '1-0000-0000-0000-0000-00U0']) t, code_check(t, at => '2026-02-01') c WHERE c.valid OR c.goods IS NOT NULL;
SELECT valid FROM code_check('x', at => 'infinity');
-- short forms there and back
SELECT b, code_short(b, 'ABCDEFGHJKMNPQRSTVWX'), (code_short_read(code_short(b, 'ABCDEFGHJKMNPQRSTVWX'))).batch_id = b FROM unnest('{0,1,31,32,1024,9223372036854775807}'::bigint[]) b;

-- another key for new batches; the old one reads old codes; without it nothing is known, and nothing is wrong
COPY (SELECT 'k2:' || repeat('0b', 64) UNION ALL SELECT '' UNION ALL SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_code_key';
CREATE TABLE newer AS SELECT * FROM code_issue('6901234567892', 'L2', 2, '2026-01-03');
SELECT key_id, count(*) FROM code_batch GROUP BY 1 ORDER BY 1;
SELECT bool_and(c.valid) FROM made m, code_check(m.short_form, at => '2026-02-01') c;
SELECT bool_and(c.valid) FROM newer m, code_check(m.short_form, at => '2026-02-01') c;
COPY (SELECT 'k2:' || repeat('0b', 64)) TO PROGRAM 'cat > qg_code_key';
SELECT bool_or(c.valid) FROM made m, code_check(m.short_form, at => '2026-02-01') c;
SELECT DISTINCT l.unread, l.batches FROM made m, code_lookup(m.code, '6901234567892', 'L1') l;
COPY (SELECT 'k1:' || repeat('0c', 32)) TO PROGRAM 'cat > qg_code_key';
SELECT bool_or(c.valid) FROM made m, code_check(m.short_form, at => '2026-02-01') c;
COPY (SELECT 'k2:' || repeat('0b', 64) UNION ALL SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > qg_code_key';

-- a stolen roll
SELECT code_revoke(5, 'labels stolen', 2, 3, '2026-03-01');
SELECT m.item, c.valid FROM made m, code_check(m.short_form, at => '2026-03-01') c WHERE m.short_form LIKE '5-%' ORDER BY 1;
SELECT bool_and(c.valid) FROM made m, code_check(m.short_form, at => '2026-02-28 23:59:59') c;
SELECT code_revoke(5, '', 1, 1);
SELECT code_revoke(5, 'r', 2, 4);
SELECT code_revoke(5, 'r', 0, 1);
SELECT code_revoke(5, 'r', 3, 2);
SELECT code_revoke(99, 'r');
SELECT code_revoke(5, 'r', at => '-infinity');
UPDATE code_batch SET codes = 1;
DELETE FROM code_revocation;
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm qg_code_key';
DROP TABLE made, newer;
DROP EXTENSION quality_gov;
