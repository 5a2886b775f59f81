-- Receipts: who gets which, what is in them, and what verification makes of every part that is changed.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SELECT count(*) > 0 AS roles FROM roles_create();
CREATE ROLE qg_receipt_admin; CREATE ROLE qg_receipt_regulator; CREATE ROLE qg_receipt_app; CREATE ROLE qg_receipt_seller; CREATE ROLE qg_receipt_analyst; CREATE ROLE qg_receipt_nobody;
GRANT quality_gov_admin TO qg_receipt_admin; GRANT quality_gov_regulator TO qg_receipt_regulator; GRANT quality_gov_app TO qg_receipt_app;
GRANT quality_gov_merchant TO qg_receipt_seller; GRANT quality_gov_analyst TO qg_receipt_analyst;
CREATE FUNCTION refused(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE query; RETURN 'no error'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
GRANT EXECUTE ON FUNCTION refused(text) TO PUBLIC;
INSERT INTO merchant (merchant_id, name, kind, uscc) VALUES ('m-1', 'n', 'company', '91110000600037341L'), ('m-2', 'n', 'company', '91350100M000100Y43');
SELECT merchant_member_add('qg_receipt_seller', 'm-1');

-- entries: decisions about merchants, one that only looks so, a long one, a row with a sensitive column
CREATE TABLE entry (what text PRIMARY KEY, id bigint);
GRANT SELECT ON entry TO PUBLIC;
INSERT INTO entry VALUES ('grade', ledger_record('credit_grade', 'm-1', '{"grade": "B", "score": 612.50, "none": null, "text": "好 \"x\""}')),
  ('decision', ledger_record('listing_decision', '7', '{"merchant_id": "m-1", "verdict": "deny"}')),
  ('other', ledger_record('listing_decision', 'm-1', '{"merchant_id": "m-2"}')), ('other grade', ledger_record('credit_grade', 'm-2', '{"merchant_id": "m-1"}')),
  ('unlisted', ledger_record('regulatory_check', 'm-1', '{"merchant_id": "m-1"}')), ('no merchant', ledger_record('listing_decision', 'm-1', '{}')),
  ('long', ledger_record('credit_grade', 'm-1', jsonb_build_object('text', repeat('x', 70000), 'n', 1.0)));
CREATE TABLE person (id int PRIMARY KEY, name text, phone text);
SELECT ledger_protect('person', sensitive => '{name,phone}') IS NOT NULL AS protected;
INSERT INTO person VALUES (1, 'Li "Lei"', '138');
INSERT INTO entry SELECT 'row', entry_id FROM ledger_entry WHERE kind = 'row_insert';
SELECT refused('SELECT ledger_receipt(NULL)'), refused('SELECT ledger_receipt(1, NULL)'), refused('SELECT ledger_receipt(0)');
SELECT refused(format('SELECT ledger_receipt(%s)', id)) LIKE '55000 entry % is not sealed yet' AS unsealed FROM entry WHERE what = 'grade';
SELECT ledger_seal() > 8 AS sealed;
SELECT refused(format('SELECT ledger_receipt(%s)', id)) LIKE '55000 entry % is under no signed checkpoint yet' AS unsigned FROM entry WHERE what = 'grade';
-- the key of RFC 8032, 7.1
COPY (SELECT unnest(ARRAY['-----BEGIN PRIVATE KEY-----', encode('\x302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'base64'), '-----END PRIVATE KEY-----']))
  TO PROGRAM 'umask 077; cat > ledger_receipt.pem';
SET quality_gov.ledger_key_file = 'ledger_receipt.pem';
SELECT ledger_origin_set('shop.example/log'), ledger_key_add('\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a') IS NOT NULL AS added, ledger_checkpoint() IS NOT NULL AS signed;

-- what is in it
CREATE TABLE receipt AS SELECT what, id, ledger_receipt(id, CASE what WHEN 'row' THEN '{phone,name}' ELSE '{}' END::text[]) AS doc FROM entry;
GRANT SELECT ON receipt TO PUBLIC;
SELECT string_agg(k, ' ' ORDER BY k) AS members FROM receipt, jsonb_object_keys(doc) k WHERE what = 'grade';
SELECT doc ->> 'format' AS format, doc -> 'version' AS version, doc ->> 'origin' AS origin, doc -> 'entry' -> 'body' AS body, doc -> 'entry' ->> 'kind' AS kind,
       (doc -> 'entry' ->> 'entry')::bigint = id AS entry, (doc ->> 'index')::bigint = ledger_leaf_of(id) AS place, doc ->> 'checkpoint' = ledger_checkpoint() AS checkpoint,
       doc -> 'vkeys' = to_jsonb(ledger_vkeys()) AS vkeys, convert_from(decode(doc ->> 'leaf', 'base64'), 'UTF8')::jsonb = doc -> 'entry' AS leaf FROM receipt WHERE what = 'grade';
SELECT what, (ledger_receipt_verify(doc)).* FROM receipt ORDER BY id;
SELECT length(doc ->> 'body') AS body, (doc -> 'entry' ? 'body') AS in_leaf FROM receipt WHERE what = 'long';
SELECT d.key, d.value ->> 'value' AS value, length(decode(d.value ->> 'salt', 'base64')) AS salt FROM receipt, jsonb_each(doc -> 'disclosed') d WHERE what = 'row' ORDER BY 1;
SELECT refused(format('SELECT ledger_receipt(%s, %L)', id, '{phone,id}')) = format('P0002 entry %s has no value to disclose of field "id"', id) AS plain,
       refused(format('SELECT ledger_receipt(%s, %L)', id, '{nope}')) = format('42501 permission denied to disclose field "nope" of entry %s', id) AS none FROM receipt WHERE what = 'row';
-- entries of the same transaction as the seal come later
SELECT refused(format('SELECT ledger_receipt(%s)', max(entry_id))) LIKE '55000%' AS later FROM ledger_entry;

-- every part changed
SELECT part, v.* FROM receipt r, LATERAL (VALUES ('format', doc || '{"format": "x"}'), ('version', doc || '{"version": 2}'), ('version as text', doc || '{"version": "1"}'),
  ('origin', doc || '{"origin": "x"}'), ('entry', jsonb_set(doc, '{entry,body,grade}', '"A"')), ('entry gone', doc - 'entry'), ('entry no object', doc || '{"entry": []}'),
  ('leaf', jsonb_set(doc, '{leaf}', to_jsonb(base64_line(decode(doc ->> 'leaf', 'base64') || ' ')))), ('leaf gone', doc - 'leaf'), ('leaf no text', doc || '{"leaf": {}}'),
  ('both', jsonb_set(jsonb_set(doc, '{entry,body,grade}', '"A"'), '{leaf}', to_jsonb(base64_line(convert_to(ledger_canonical(jsonb_set(doc, '{entry,body,grade}', '"A"') -> 'entry'), 'UTF8'))))),
  ('index', jsonb_set(doc, '{index}', to_jsonb((doc ->> 'index')::int + 1))), ('index beyond', doc || '{"index": 999999999999999999999}'), ('index negative', doc || '{"index": -1}'),
  ('index fraction', doc || '{"index": 1.5}'), ('index gone', doc - 'index'), ('proof short', doc #- '{proof,0}'), ('proof long', jsonb_set(doc, '{proof}', doc -> 'proof' || '["AAAA"]')),
  ('proof junk', jsonb_set(doc, '{proof,0}', '{}')), ('proof null', jsonb_set(doc, '{proof,0}', 'null')), ('proof no array', doc || '{"proof": "x"}'),
  ('checkpoint gone', doc - 'checkpoint'), ('checkpoint junk', doc || '{"checkpoint": "x"}'), ('checkpoint null', doc || '{"checkpoint": null}'),
  ('checkpoint size', jsonb_set(doc, '{checkpoint}', to_jsonb(regexp_replace(doc ->> 'checkpoint', E'\n([0-9]+)\n', E'\n1\\1\n')))),
  ('checkpoint unsigned', jsonb_set(doc, '{checkpoint}', to_jsonb(regexp_replace(doc ->> 'checkpoint', '— .*$', '')))),
  ('signature', jsonb_set(doc, '{checkpoint}', to_jsonb(regexp_replace(doc ->> 'checkpoint', '.....=\n$', E'AAAAA=\n')))),
  ('signature of others', jsonb_set(doc, '{checkpoint}', to_jsonb(doc ->> 'checkpoint' || E'— x.example AAAAAAAA\n'))),
  ('vkeys', doc || '{"vkeys": []}'), ('body', doc || '{"body": "x"}'), ('disclosed', doc || '{"disclosed": {"grade": {"salt": "AAAA", "value": "1"}}}')) t(part, changed), ledger_receipt_verify(changed) v
WHERE what = 'grade';
SELECT v.* FROM receipt r, ledger_receipt_verify(jsonb_set(doc, '{disclosed,phone,value}', '"[\"139\"]"')) v WHERE what = 'row';
SELECT v.* FROM receipt r, ledger_receipt_verify(doc || '{"body": "{}"}') v WHERE what = 'long';
SELECT d, v.* FROM unnest(ARRAY['null', '1', '[]', '{}']::jsonb[]) d, ledger_receipt_verify(d) v;
SELECT (ledger_receipt_verify(NULL)).*;
-- keys are the caller's, not the receipt's
SELECT (ledger_receipt_verify(doc, k)).* FROM receipt, (VALUES ('{}'::text[]), ('{PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW}'),
  (ARRAY[note_vkey('other', 'log', '\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')]), (ledger_vkeys())) k(k) WHERE what = 'grade';
SELECT refused(format('SELECT ledger_receipt_verify(%L, %L)', doc, '{x}')) FROM receipt WHERE what = 'grade';

-- who gets which
CREATE VIEW got AS SELECT string_agg(what, ', ' ORDER BY id) FILTER (WHERE said = 'no error') AS got, string_agg(DISTINCT left(said, 39), '; ') FILTER (WHERE said <> 'no error') AS refused
  FROM (SELECT what, id, refused(format('SELECT quality_gov.ledger_receipt(%s)', id)) AS said FROM entry) x;
GRANT SELECT ON got TO PUBLIC;
SELECT ledger_seal() > 0 AS sealed;
SET ROLE qg_receipt_admin; SELECT quality_gov.ledger_checkpoint() LIKE 'shop.example/log%' AS signed; SELECT * FROM got; SELECT refused(format('SELECT quality_gov.ledger_receipt(%s, %L)', id, '{phone}')) LIKE '42501 permission denied to disclose%' AS hidden FROM entry WHERE what = 'row';
SET ROLE qg_receipt_regulator; SELECT * FROM got;
SET ROLE qg_receipt_app; SELECT * FROM got;
SET ROLE qg_receipt_seller; SELECT * FROM got; SELECT refused('SELECT quality_gov.ledger_receipt(1000000)'); SELECT refused('SELECT quality_gov.ledger_checkpoint_add(''x'')');
SELECT v.valid FROM receipt, quality_gov.ledger_receipt_verify(doc) v WHERE what = 'grade'; SELECT count(*) FROM quality_gov.ledger_anchor;
SET ROLE qg_receipt_analyst; SELECT got, left(refused, 60) FROM got;
SET ROLE qg_receipt_nobody; SELECT refused('SELECT quality_gov.ledger_receipt(1)');
RESET ROLE;
GRANT SELECT (id, phone) ON person TO qg_receipt_admin;
SET ROLE qg_receipt_admin; SELECT what, (quality_gov.ledger_receipt(id, '{phone}') -> 'disclosed' -> 'phone' ->> 'value') AS phone, refused(format('SELECT quality_gov.ledger_receipt(%s, %L)', id, '{name}')) LIKE '42501%' AS hidden FROM entry WHERE what = 'row'; RESET ROLE;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
SET ROLE qg_receipt_admin; SELECT refused(format('SELECT quality_gov.ledger_receipt(%s, %L)', id, '{phone}')) LIKE '42501%' AS "rows are hidden" FROM entry WHERE what = 'row'; RESET ROLE;
INSERT INTO merchant_receipt_kind VALUES ('regulatory_check', 'body');
SET ROLE qg_receipt_seller; SELECT got FROM got; RESET ROLE;
SELECT refused($$INSERT INTO merchant_receipt_kind VALUES ('x', 'y')$$), refused($$DELETE FROM merchant_receipt_kind WHERE kind = 'violation'$$);
SELECT scope, status, reason FROM ledger_verify('checkpoints');
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm ledger_receipt.pem';
DROP VIEW got; DROP TABLE entry, receipt, person; DROP FUNCTION refused;
DROP EXTENSION quality_gov;
DROP ROLE qg_receipt_admin, qg_receipt_regulator, qg_receipt_app, qg_receipt_seller, qg_receipt_analyst, qg_receipt_nobody;
DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
