-- Checkpoints: verifier keys, lines and notes as C2SP publishes them; the log's name and its keys; signatures taken and refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
CREATE FUNCTION refused(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
  EXECUTE query; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLSTATE || ' ' || SQLERRM || COALESCE(nullif(' / ' || detail, ' / '), '');
END $$;

-- verifier keys that specifications and the Go checksum database publish
SELECT v, k.name, k.kind, encode(k.key_hash, 'hex') AS hash, note_vkey(k.name, k.kind, k.public_key) = v AS same
FROM unnest('{PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW,example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k,
  sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8}'::text[]) v, note_vkey_read(v) k;
SELECT refused(format('SELECT note_vkey_read(%L)', v)) FROM unnest(ARRAY['', 'x', 'PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T', 'Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  'PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', '+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW']) v;
-- the note of the Go package's documentation
SELECT ledger_signature_valid(E'If you think cryptography is the answer to your problem,\nthen you don''t know what your problem is.\n', 'log', k.public_key, l.signature, NULL) AS valid,
       ledger_signature_valid(E'If you think cryptography is the answer to your problem,\nthen you know what your problem is.\n', 'log', k.public_key, l.signature, NULL) AS other,
       l.name, l.key_hash = k.key_hash AS key
FROM note_vkey_read('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW') k,
     note_line('— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=') l;
-- the Go checksum database signed what is the example of tlog-checkpoint, under its own origin
SELECT ledger_signature_valid(o || E'\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n', 'log', k.public_key, l.signature, NULL) AS valid
FROM unnest('{go.sum database tree,example.com/behind-the-sofa}'::text[]) o, note_vkey_read('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8') k,
     note_line('— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=') l;
-- lines of tlog-checkpoint and tlog-cosignature
SELECT name, encode(key_hash, 'hex') AS hash, extract(epoch FROM cosigned_at) AS time, length(signature) FROM unnest(ARRAY[
  '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=',
  '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==']) l, note_line(l);
SELECT refused(format('SELECT note_line(%L)', l)) FROM unnest(ARRAY['', '- a AAAAAAA=', '— a', '— a b c', '—  AAAAAAA=', '— a+b AAAAAAA=', '— a AAAA', '— a AAAAAA==', '— a AAA AAA=',
  '— a AAAAAAA= ', E'— a\u00a0b AAAAAAA=', E'— a AAAAAAA=\n', '— a AAAAAA=A']) l;
SELECT count(*) FILTER (WHERE note_name_valid('a' || chr(c) || 'b')) AS valid FROM unnest('{1,9,10,13,32,43,127,133,160,5760,8192,8202,8232,8233,8239,8287,12288}'::int[]) c;
SELECT note_name_valid(''), note_name_valid(repeat('a', 201)), note_name_valid('商店.example/日志');

-- the name
SELECT refused('SELECT ledger_origin()');
SELECT refused(format('SELECT ledger_origin_set(%L)', o)) FROM unnest(ARRAY[NULL, '', 'a b', 'a+b', E'a\nb']) o;
SELECT ledger_origin_set('shop.example'), ledger_origin_set('shop.example/log'), ledger_origin_set('shop.example/log');
SELECT subject, body FROM ledger_entry WHERE kind = 'ledger_origin' ORDER BY entry_id;
SELECT refused('SELECT ledger_checkpoint_body()'), refused('SELECT ledger_checkpoint_body(7)');

-- keys: those of RFC 8032, 7.1; in files that only the server reads
CREATE TABLE pair (who text, secret text, public text);
INSERT INTO pair VALUES ('log', '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
  ('next', '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
  ('witness', 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025');
DO $$ DECLARE p pair; BEGIN
  FOR p IN SELECT * FROM pair LOOP
    EXECUTE format('COPY (SELECT unnest(ARRAY[''-----BEGIN PRIVATE KEY-----'', encode(%L, ''base64''), ''-----END PRIVATE KEY-----''])) TO PROGRAM %L',
      decode('302e020100300506032b657004220420' || p.secret, 'hex'), 'umask 077; cat > ledger_note_' || p.who || '.pem');
  END LOOP; END $$;
SELECT refused(format('SELECT ledger_key_add(%L, %L, %L)', k.key, k.kind, k.name)) FROM (VALUES (NULL, 'log', NULL), ('\xd75a', 'log', NULL), ('x', 'log', NULL),
  ('\x0100000000000000000000000000000000000000000000000000000000000000', 'log', NULL), ('\x0400000000000000000000000000000000000000000000000000000000000000', 'log', 'other'),
  ('\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'mirror', NULL), ('\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', NULL, NULL),
  ('\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'witness', NULL), ('\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'witness', 'a b')) k(key, kind, name);
SELECT ledger_key_add('\x' || public) FROM pair WHERE who = 'log';
SELECT refused(format('SELECT ledger_key_add(%L, %L, %L)', k.key, k.kind, k.name)) FROM (VALUES ('w.example+c1acdd47+BPxRzY5iGKGjjaR+0AIw8FgIFu0TujMDrF3rkRVIkIAl', 'log', NULL),
  ('w.example+c1acdd47+BPxRzY5iGKGjjaR+0AIw8FgIFu0TujMDrF3rkRVIkIAl', 'witness', 'v.example'), ('w.example+c1acdd48+BPxRzY5iGKGjjaR+0AIw8FgIFu0TujMDrF3rkRVIkIAl', 'witness', NULL),
  ('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'log', NULL)) k(key, kind, name);
SELECT ledger_key_add('w.example+c1acdd47+BPxRzY5iGKGjjaR+0AIw8FgIFu0TujMDrF3rkRVIkIAl', 'witness');
SELECT public_key = (SELECT decode(public, 'hex') FROM pair WHERE who = 'witness') AS same FROM ledger_key WHERE kind = 'witness';
SELECT refused(format('SELECT ledger_key_add(%L, %L, %L)', '\x' || public, 'witness', 'v.example')) FROM pair WHERE who IN ('log', 'witness');
SELECT refused($$SELECT ledger_origin_set('other.example/log')$$), refused($$SELECT ledger_origin_set('shop.example/log')$$);
SELECT ledger_vkeys();

-- signatures: what a key signs, as a line of a note
SELECT count(ledger_record('test', 's', jsonb_build_object('n', n))) FROM generate_series(1, 5) n;
SELECT ledger_seal() AS size \gset
SELECT ledger_checkpoint_body() = format(E'shop.example/log\n%s\n%s\n', ledger_size(), base64_line(root)) AS body FROM ledger_seal WHERE size = ledger_size();
CREATE FUNCTION signed_by(who text, body text DEFAULT ledger_checkpoint_body(), name text DEFAULT NULL, "time" bytea DEFAULT '\x000000006553f100') RETURNS text LANGUAGE plpgsql AS $$
DECLARE s record; kind text := CASE who WHEN 'witness' THEN 'witness' ELSE 'log' END;
BEGIN
  PERFORM set_config('quality_gov.ledger_key_file', 'ledger_note_' || who || '.pem', false);
  name := COALESCE(name, CASE kind WHEN 'witness' THEN 'w.example' ELSE 'shop.example/log' END);
  SELECT * INTO s FROM ledger_sign(convert_to(CASE kind WHEN 'witness' THEN format(E'cosignature/v1\ntime %s\n', ('x' || encode("time", 'hex'))::bit(64)::bigint) ELSE '' END || body, 'UTF8'));
  PERFORM set_config('quality_gov.ledger_key_file', '', false);
  RETURN format('— %s %s', name, base64_line(note_key_hash(name, kind, s.public_key) || CASE kind WHEN 'witness' THEN "time" ELSE '' END || s.signature));
END $$;
SELECT refused('SELECT ledger_checkpoint()'), refused('SELECT ledger_checkpoint_add(NULL)'), refused('SELECT ledger_checkpoint_add('''')');
SELECT refused(format('SELECT ledger_checkpoint_add(%L)', x)) LIKE '22023 the signature of key % does not fit the log at % leaves%' AS refused FROM unnest(ARRAY[signed_by('log', 'x'),
  signed_by('log', replace(ledger_checkpoint_body(), E'\n9\n', E'\n8\n')), signed_by('log', ledger_checkpoint_body() || E'extension\n'), signed_by('log', rtrim(ledger_checkpoint_body(), E'\n')),
  signed_by('witness', 'x'), signed_by('log') || E'\n' || signed_by('witness', 'x')]) x;
SELECT count(*) AS "nothing is stored" FROM ledger_signature;
-- unknown keys are passed over, but one must be known
SELECT refused(format('SELECT ledger_checkpoint_add(%L)', signed_by('next')));
SELECT ledger_checkpoint_add(signed_by('next') || E'\n' || signed_by('log') || E'\n' || signed_by('log', name => 'other.example') || E'\n— ml-dsa.example ' || base64_line(convert_to(repeat('x', 2424), 'UTF8'))) AS stored,
       ledger_checkpoint_add(signed_by('log')) AS again;
SELECT refused(format('SELECT ledger_checkpoint_add(%L)', signed_by('log') || x)) LIKE '22P02%' AS junk FROM unnest(ARRAY[E'\njunk', ' ', E'\r\n']) x;
SELECT refused(format('SELECT ledger_checkpoint_add(%L)', repeat('x', 100001)));
-- a witness: whole seconds, not zero, not to come, at most what an instant can be
SELECT t, left(refused(format('SELECT ledger_checkpoint_add(%L)', signed_by('witness', "time" => t))), 48) FROM unnest('{"\\x0000000000000000","\\x00000000ffffffff","\\x0000040000000000","\\x7fffffffffffffff"}'::bytea[]) t;
SELECT ledger_checkpoint_add(ledger_checkpoint_body() || E'\n' || signed_by('log') || E'\n' || signed_by('witness') || E'\n') AS stored;
SELECT size = :size AS size, root = (SELECT root FROM ledger_seal WHERE size = :size) AS root, name, kind, cosigned_at AT TIME ZONE 'UTC' AS cosigned_at, age > '0' AS aged FROM ledger_anchor ORDER BY kind;
SELECT ledger_checkpoint() = ledger_checkpoint_body() || E'\n' || signed_by('log') || E'\n' || signed_by('witness') || E'\n' AS note;
-- whole notes of another log, root or size, with an extension line, or two empty lines
SELECT left(refused(format('SELECT ledger_checkpoint_add(%L)', x)), 40) FROM unnest(ARRAY[E'other.example\n' || split_part(ledger_checkpoint(), E'/log\n', 2),
  replace(ledger_checkpoint(), E'=\n\n', E'=\nextension\n\n'), replace(ledger_checkpoint(), E'=\n\n', E'=\n\n\n'), overlay(ledger_checkpoint() PLACING 'AAAA' FROM 20), E'\n\n', E'a\n0\nb\n\n— a AAAAAAA=']) x;
SELECT refused(format('SELECT ledger_checkpoint_add(%L, 3)', ledger_checkpoint()));

-- a key of this machine, and its successor; what the one signed still verifies
SELECT ledger_record('test', 's', '{}') IS NOT NULL AS recorded;
SELECT ledger_seal() > :size AS sealed;
SET quality_gov.ledger_key_file = 'ledger_note_next.pem';
SELECT refused('SELECT ledger_checkpoint()');
SELECT ledger_key_add('\x' || public) IS NOT NULL AS added FROM pair WHERE who = 'next';
SELECT ledger_key_retire(name, key_hash) FROM ledger_key WHERE public_key = (SELECT decode(public, 'hex') FROM pair WHERE who = 'log');
BEGIN;
SET session_replication_role = replica;
UPDATE ledger_seal SET root = sha256('x') WHERE size = ledger_size();
SELECT refused('SELECT ledger_checkpoint()') LIKE 'XX001%' AS "not signed";
ROLLBACK;
SELECT refused($$SELECT ledger_key_retire('shop.example/log', '\x00000000')$$), refused($$SELECT ledger_key_retire(NULL, NULL)$$);
SELECT split_part(ledger_checkpoint(), E'\n', 2)::int > :size AS signed, ledger_checkpoint() = ledger_checkpoint() AS same;
SELECT refused(format('SELECT ledger_checkpoint_add(%L)', signed_by('log'))), ledger_checkpoint_add(signed_by('log') || E'\n' || signed_by('next')) AS known;
SELECT ledger_checkpoint_add(signed_by('log', ledger_checkpoint_body(:size)), :size) AS "what it signed before";
SELECT scope, status, reason FROM ledger_verify('checkpoints');
SELECT subject, body - 'vkey' AS body FROM ledger_entry WHERE kind = 'ledger_key' ORDER BY entry_id;
SELECT (ledger_note_faults(ledger_note(:size), ledger_vkeys())).faults, (ledger_note_faults(ledger_note(:size), ARRAY[(ledger_vkeys())[2]])).faults AS "new key alone";

-- a key that a superuser puts there himself
BEGIN;
INSERT INTO ledger_key (name, key_hash, kind, public_key) SELECT name, note_key_hash(name, 'log', key), 'log', key
  FROM (VALUES ('shop.example/log', '\x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12'::bytea)) k(name, key);
SELECT status, reason FROM ledger_verify('registers');
ROLLBACK;

-- key files that do not do
COPY (SELECT 'junk') TO PROGRAM 'umask 077; cat > ledger_note_junk.pem';
COPY (SELECT 'junk') TO PROGRAM 'cat > ledger_note_open.pem; chmod 644 ledger_note_open.pem';
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; umask 077; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out ledger_note_rsa.pem 2>/dev/null';
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; umask 077; openssl genpkey -algorithm SM2 -out ledger_note_sm2.pem 2>/dev/null';
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; umask 077; openssl pkey -in ledger_note_log.pem -aes128 -passout pass:x -out ledger_note_locked.pem';
CREATE FUNCTION sign_by(file text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN PERFORM set_config('quality_gov.ledger_key_file', file, true); RETURN refused('SELECT ledger_sign(''x'')'); END $$;
SELECT f, sign_by(f) FROM unnest('{"",ledger_note_none.pem,base,ledger_note_junk.pem,ledger_note_open.pem,ledger_note_rsa.pem,ledger_note_sm2.pem,ledger_note_locked.pem}'::text[]) f;
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm ledger_note_*.pem';
RESET quality_gov.ledger_key_file;

-- read-only, the last one is shown; nothing here is for everybody
BEGIN READ ONLY;
SELECT split_part(ledger_checkpoint(), E'\n', 1);
ROLLBACK;
CREATE ROLE qg_note_nobody;
SELECT count(*) AS "functions for PUBLIC" FROM pg_proc WHERE pronamespace = 'quality_gov'::regnamespace AND proname ~ '^(ledger_|note_|base64_)' AND has_function_privilege('qg_note_nobody', oid, 'EXECUTE');
SET ROLE qg_note_nobody;
SET quality_gov.ledger_key_file = 'x';
SET quality_gov.ledger_seal_interval = 1;
SHOW quality_gov.ledger_key_file;
RESET ROLE;
DROP ROLE qg_note_nobody;
DROP TABLE pair;
DROP FUNCTION refused, signed_by, sign_by;
DROP EXTENSION quality_gov;
