-- Proofs, tiles and bundles of logs of many sizes against the definitions; leaves of odd entries; what is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
CREATE FUNCTION refused(statement text, OUT state text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN EXECUTE statement; state := 'none'; EXCEPTION WHEN OTHERS THEN state := SQLSTATE; message := SQLERRM; END $$;

-- an empty log
SELECT ledger_size(), ledger_seal(), encode(ledger_tree_root(0), 'hex') = encode(sha256(''), 'hex') AS empty;
SELECT refused('SELECT ledger_inclusion_proof(0)'), refused('SELECT ledger_consistency_proof(0, 0)'), refused('SELECT ledger_tile_data(0, 0, 1)'), refused('SELECT ledger_bundle(0, 1)');

-- sealed at odd sizes up to 700, so that tiles fill within a seal, at its end and after it
DO $$ DECLARE n int; BEGIN
  FOREACH n IN ARRAY '{1,1,1,2,5,20,33,100,92,1,256,1,100,87}'::int[] LOOP
    PERFORM ledger_record('note', 'n', jsonb_build_object('n', n, 'g', g)) FROM generate_series(1, n) g;
    COMMIT;
    PERFORM ledger_seal();
    COMMIT;
  END LOOP;
END $$;
SELECT count(*), max(size) FROM ledger_seal;
CREATE TABLE proof_leaf AS SELECT p.leaf, ledger_leaf_data(e.entry_id, e.kind, e.subject, e.body, e.role, e.recorded_at) AS data FROM ledger_place p JOIN ledger_entry e USING (entry_id);
CREATE UNIQUE INDEX ON proof_leaf (leaf);
ANALYZE proof_leaf;
CREATE TABLE proof_root AS SELECT n AS size, (SELECT merkle_root(data ORDER BY leaf) FROM proof_leaf WHERE leaf < n) AS root FROM generate_series(0, 700) n;
SELECT count(*) FILTER (WHERE r.root <> ledger_tree_root(r.size)) AS tiles, count(*) FILTER (WHERE r.root <> s.root) AS seals, count(s) FROM proof_root r LEFT JOIN ledger_seal s USING (size);
-- every leaf of some sizes, and some leaves of every size
SELECT bool_and(merkle_verify_inclusion(merkle_leaf_hash(l.data), l.leaf, r.size, ledger_inclusion_proof(l.leaf, r.size), r.root)) AS proved, count(*)
FROM proof_root r JOIN proof_leaf l ON l.leaf < r.size WHERE r.size IN (1, 2, 3, 255, 256, 257, 511, 512, 513, 700) OR l.leaf IN (0, 1, 15, 16, 255, 256, 257, 511, 512, r.size - 1, r.size / 2);
SELECT bool_and(merkle_verify_consistency(a.size, b.size, a.root, b.root, ledger_consistency_proof(a.size, b.size))) AS proved, count(*)
FROM proof_root a JOIN proof_root b ON a.size > 0 AND a.size <= b.size WHERE a.size % 37 = 1 OR b.size IN (255, 256, 257, 512, 700) AND a.size % 3 = 0 OR a.size IN (255, 256, 257, 512);
-- of the whole log where no size is said
SELECT ledger_inclusion_proof(5) = ledger_inclusion_proof(5, 700) AS inclusion, ledger_consistency_proof(5) = ledger_consistency_proof(5, 700) AS consistency,
       ledger_inclusion_proof(NULL) IS NULL AS null, bool_and(ledger_leaf_of(entry_id) = leaf) AS places FROM ledger_place;

-- tiles and bundles are what a static server serves
SELECT bool_and(ledger_tile_data(0, t, w) = (SELECT string_agg(merkle_leaf_hash(data), '' ORDER BY leaf) FROM proof_leaf WHERE leaf BETWEEN 256 * t AND 256 * t + w - 1)) AS leaves,
       bool_and(ledger_bundle(t, w) = (SELECT string_agg(decode(lpad(to_hex(length(data)), 4, '0'), 'hex') || data, '' ORDER BY leaf) FROM proof_leaf WHERE leaf BETWEEN 256 * t AND 256 * t + w - 1)) AS bundles
FROM (VALUES (0, 1), (0, 255), (0, 256), (1, 256), (1, 7), (2, 188)) v(t, w);
SELECT ledger_tile_data(1, 0, 2) = (SELECT string_agg(root, '' ORDER BY t) FROM (SELECT leaf / 256 AS t, merkle_root(data ORDER BY leaf) AS root FROM proof_leaf WHERE leaf < 512 GROUP BY 1) x) AS above;

-- what is refused
SELECT s AS statement, (refused('SELECT ' || s)).* FROM unnest('{"ledger_inclusion_proof(700)","ledger_inclusion_proof(5, 5)","ledger_inclusion_proof(-1, 5)","ledger_inclusion_proof(0, 0)","ledger_inclusion_proof(0, -1)",
  "ledger_inclusion_proof(0, 701)","ledger_consistency_proof(0, 5)","ledger_consistency_proof(6, 5)","ledger_consistency_proof(-1)","ledger_consistency_proof(5, 701)","ledger_tree_root(-1)",
  "ledger_tile_data(0, 2)","ledger_tile_data(0, 2, 189)","ledger_tile_data(1, 0, 3)","ledger_tile_data(8, 0)","ledger_tile_data(-1, 0)","ledger_tile_data(0, -1)","ledger_tile_data(0, 0, 0)","ledger_tile_data(0, 0, 257)",
  "ledger_tile_data(NULL, 0)","ledger_tile_data(7, 9223372036854775807)","ledger_bundle(2)","ledger_bundle(3, 1)","ledger_bundle(-1)","ledger_bundle(0, 0)","ledger_bundle(NULL)","ledger_bundle(9223372036854775807)"}'::text[]) s;

-- leaves of odd entries: canonical JSON, whatever the session's settings
CREATE FUNCTION leaf(body jsonb, subject text DEFAULT 's', at timestamptz DEFAULT '2026-11-25 08:00:00.000001+00') RETURNS text LANGUAGE sql
  AS $$ SELECT convert_from(quality_gov.ledger_leaf_data(7, 'k', subject, body, 'r', at), 'UTF8') $$;
SELECT leaf('{"b": 1.50, "a": 1e400, "c": 0.1, "d": 123456789012345678901234567890, "\u20ac": "\u0001\"\\", "\ud83d\ude00": 1, "\ufb33": 2, "": null, "10": [true, {}], "9": -0.0}');
SELECT leaf('{}', 's', 'infinity'), leaf('{}', 's', '-infinity'), leaf('{}', 's', '0044-03-15 12:00:00 BC+00'), leaf('{}', E'"\n\\', '12345-01-01 00:00:00+00');
SELECT length(l), l::jsonb ?& '{body_sha256,subject}' AS brief, l::jsonb ->> 'body_sha256' = encode(sha256(convert_to(ledger_canonical(b), 'UTF8')), 'hex') AS digest
FROM (SELECT jsonb_build_object('x', repeat('y', 1000000)) AS b) b, leaf(b) l;
SELECT length(l) < 65536 AS fits, l::jsonb ->> 'subject_sha256' = encode(sha256(convert_to(repeat('ab', 40000), 'UTF8')), 'hex') AS digest FROM leaf('{}', repeat('ab', 40000)) l;
-- just fits, and just does not
SELECT n, length(l), l::jsonb ? 'body' AS whole FROM (VALUES (65428), (65429)) v(n), leaf(jsonb_build_object('x', repeat('y', n))) l;
SELECT length(leaf((repeat('{"a":[', 1500) || '1' || repeat(']}', 1500))::jsonb)) AS deep;
CREATE TABLE told AS SELECT leaf('{"x": 0.1, "y": "2026-01-01"}') AS leaf;
SET "TimeZone" = 'Asia/Shanghai'; SET "DateStyle" = 'German'; SET extra_float_digits = -15; SET bytea_output = 'escape'; SET standard_conforming_strings = on; SET "IntervalStyle" = 'sql_standard';
SELECT leaf('{"x": 0.1, "y": "2026-01-01"}') = leaf AS stable FROM told;
RESET ALL;
SET client_min_messages = warning;
SET search_path = public, quality_gov;
-- and they are sealed and verified
SELECT count(ledger_record('odd', s, b)) FROM (VALUES (repeat('ab', 40000), '{}'::jsonb), ('big', jsonb_build_object('x', repeat('y', 1000000))), ('deep', (repeat('{"a":[', 1500) || '1' || repeat(']}', 1500))::jsonb),
  ('number', '{"x": 1e400, "y": 123456789012345678901234567890}')) v(s, b);
INSERT INTO ledger_entry (kind, subject, body, role, recorded_at, xid) VALUES ('odd', 'never', '{}', 'r', 'infinity', '0');
SELECT ledger_seal();
SELECT status, entries, unsealed, reason FROM ledger_verify('log');
SELECT max(length(substr(b, 1, 2))) AS lengths, octet_length(b) > 0 AS bundle FROM ledger_bundle(2, 193) b GROUP BY b;

-- an entry below what was given and passed is found, and a seal that looks at all of them takes it
INSERT INTO ledger_entry (entry_id, kind, subject, body, role, recorded_at, xid) OVERRIDING SYSTEM VALUE VALUES (-5, 'odd', 'low', '{}', 'r', '2026-01-01', '0');
SELECT ledger_record('note', 'n', '{}') > 0 AS recorded;
SELECT ledger_seal();
SELECT ledger_record('note', 'n', '{}') > 0 AS recorded;
SELECT ledger_seal();
SELECT status, unsealed, first_bad, reason FROM ledger_verify('log');
UPDATE ledger_watermark SET seen = NULL;
SELECT ledger_seal();
SELECT status, unsealed, first_bad, reason FROM ledger_verify('log');
-- a third level of tiles
SELECT ledger_record_all('note', array_agg('many ' || g), array_agg(jsonb_build_object('g', g))) IS NOT NULL AS recorded FROM generate_series(1, 65000) g;
SELECT ledger_seal();
CREATE TABLE proof_many AS SELECT p.leaf, ledger_leaf_data(e.entry_id, e.kind, e.subject, e.body, e.role, e.recorded_at) AS data FROM ledger_place p JOIN ledger_entry e USING (entry_id);
CREATE TABLE proof_far AS SELECT size, (SELECT merkle_root(data ORDER BY leaf) FROM proof_many WHERE leaf < size) AS root FROM unnest('{700,65280,65535,65536,65537,65708}'::bigint[]) size;
SELECT bool_and(ledger_tree_root(size) = root) AS roots FROM proof_far;
SELECT bool_and(merkle_verify_inclusion(merkle_leaf_hash(l.data), l.leaf, r.size, ledger_inclusion_proof(l.leaf, r.size), r.root)) AS proved, count(*) FROM proof_far r JOIN proof_many l ON l.leaf < r.size
WHERE l.leaf IN (0, 255, 256, 4095, 4096, 40000, 65279, 65280, 65534, 65535, 65536, 65707);
SELECT bool_and(merkle_verify_consistency(a.size, b.size, a.root, b.root, ledger_consistency_proof(a.size, b.size))) AS proved, count(*) FROM proof_far a JOIN proof_far b ON a.size <= b.size;
SELECT ledger_tile_data(2, 0, 1) = root AS above FROM proof_far WHERE size = 65536;
SELECT status, entries FROM ledger_verify('log');
-- a sealed table of leaves in another order than the entries lie in
CREATE TABLE proof_copy AS SELECT * FROM ledger_entry;
SET session_replication_role = replica;
TRUNCATE ledger_entry;
INSERT INTO ledger_entry OVERRIDING SYSTEM VALUE SELECT * FROM proof_copy ORDER BY hashint8(entry_id);
RESET session_replication_role;
SELECT status, entries, reason FROM ledger_verify('log');
-- nothing checked is not ok
SELECT scope, status, entries, reason FROM ledger_verify('log', 'infinity');
SELECT scope, status, entries, reason FROM ledger_verify('log', '-infinity');
SELECT scope, status, reason FROM ledger_verify('trusted');
SELECT s, (refused('SELECT ledger_verify(' || s || ')')).* FROM unnest('{"''nothing''","''trusted'', NULL, ''x''"}'::text[]) s;
DROP TABLE proof_leaf, root, told;
DROP FUNCTION leaf(jsonb, text, timestamptz), refused(text);
DROP EXTENSION quality_gov;
