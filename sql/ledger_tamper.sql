-- What a superuser changes past the triggers is found, column by column as the catalog lists them, and the entry named.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- a key of the log (RFC 8032, 7.1, test 1) in a file of the server's
DO $$ BEGIN
  EXECUTE format('COPY (SELECT line FROM unnest(%L::text[]) WITH ORDINALITY u(line, n) ORDER BY n) TO PROGRAM %L',
    ARRAY['-----BEGIN PRIVATE KEY-----', encode(decode('302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'), 'base64'),
          '-----END PRIVATE KEY-----'], format('umask 077; rm -f "%1$s/quality_gov_tamper.pem"; cat > "%1$s/quality_gov_tamper.pem"', current_setting('data_directory')));
  PERFORM set_config('quality_gov.ledger_key_file', current_setting('data_directory') || '/quality_gov_tamper.pem', false);
END $$;
SELECT ledger_origin_set('shop.example/tamper');
SELECT length(ledger_key_add((SELECT s.public_key::text FROM ledger_sign('') s))) > 0 AS added;

-- a log of several pages and seals, a protected table with a sensitive column, and a checkpoint that somebody kept
CREATE TABLE account (id int PRIMARY KEY, name text, price numeric, phone text);
SELECT ledger_protect('account', sensitive => '{phone}');
SELECT count(ledger_record('note', 'note ' || g, jsonb_build_object('n', g))) FROM generate_series(1, 300) g;
SELECT ledger_seal() > 0 AS sealed;
INSERT INTO account SELECT g, 'name ' || g, g, '1390000000' || g FROM generate_series(1, 6) g;
SELECT ledger_seal() > 0 AS sealed;
SELECT count(ledger_record('note', 'note ' || g, jsonb_build_object('n', g))) FROM generate_series(301, 600) g;
SELECT ledger_seal() > 0 AS sealed;
CREATE TABLE kept AS SELECT ledger_checkpoint() AS checkpoint;
SELECT ledger_record('note', 'later', '{}') > 0 AS later;
SELECT ledger_seal() > 0 AS sealed;
SELECT scope, status, first_bad, reason FROM ledger_verify(trusted_checkpoint => (SELECT checkpoint FROM kept)) WHERE scope !~ '_|violation|sanction';

-- what is wrong after a statement, which is undone
CREATE FUNCTION tampered(statement text, OUT result text, OUT scopes text, OUT named bigint) LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE statement;
    SELECT COALESCE(max(v.status) FILTER (WHERE v.status = 'problem'), 'NOTHING'), string_agg(v.scope, ' ') FILTER (WHERE v.status = 'problem'), min(v.first_bad)
      INTO result, scopes, named FROM ledger_verify(trusted_checkpoint => (SELECT k.checkpoint FROM kept k)) v;
    RAISE EXCEPTION 'undo' USING ERRCODE = 'QG999';
  EXCEPTION
    WHEN SQLSTATE 'QG999' THEN NULL;
    WHEN check_violation OR unique_violation OR not_null_violation THEN result := 'refused';
  END;
END $$;
-- a value that is another one of its type
CREATE FUNCTION other(col text, type regtype) RETURNS text LANGUAGE sql AS $$
  SELECT CASE col WHEN 'kind' THEN 'CASE WHEN kind IN (''log'') THEN ''witness'' ELSE ''other'' END' WHEN 'retired_at' THEN 'added_at' WHEN 'ended_at' THEN 'since'
    WHEN 'cosigned_at' THEN '''2026-01-01''' ELSE format(CASE type::text WHEN 'text' THEN '%1$I || ''x''' WHEN 'jsonb' THEN 'CASE jsonb_typeof(%1$I) WHEN ''array'' THEN ''["x"]'' ELSE %1$I || ''{"x": 1}'' END'
    WHEN 'boolean' THEN 'NOT %1$I' WHEN 'timestamp with time zone' THEN '%1$I - interval ''1 day''' WHEN 'bytea' THEN 'set_byte(%1$I, 0, get_byte(%1$I, 0) # 1)'
    WHEN 'bigint[]' THEN '%1$I[2:2] || %1$I[1:1] || %1$I[3:]' WHEN 'int8range' THEN 'int8range(lower(%1$I) - 1, upper(%1$I))' WHEN 'text[]' THEN '%1$I || ''x''::text'
    WHEN 'xid8' THEN 'pg_current_xact_id()' WHEN 'integer' THEN '%1$I + 7' ELSE '%1$I + 100000' END, col) END $$;
CREATE VIEW part AS
  SELECT c.oid, c.oid::regclass AS relation, a.attname AS col, a.atttypid::regtype AS type, a.attnum = ANY (i.indkey) AS key
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
  WHERE c.oid = 'account'::regclass OR c.relnamespace = 'quality_gov'::regnamespace AND c.relname ~ '^ledger_' AND c.relkind = 'r'
    -- these are made anew by a seal and not dumped, or are lists of functions
    AND c.relname NOT IN ('ledger_watermark', 'ledger_mark', 'ledger_decision');
-- a row in the middle, and one after it
CREATE FUNCTION pick(relation regclass, place int) RETURNS tid LANGUAGE plpgsql AS $$
DECLARE picked tid; BEGIN
  EXECUTE format('SELECT x.ctid FROM %1$s x ORDER BY x LIMIT 1 OFFSET least(%2$s + (SELECT count(*) / 2 FROM %1$s), (SELECT count(*) - 1 FROM %1$s))', relation, place) INTO picked;
  RETURN picked;
END $$;
CREATE TABLE trial AS
  SELECT p.relation, 'update ' || p.col AS act, format('UPDATE %s SET %I = %s WHERE ctid = %L', p.relation, p.col, other(p.col, p.type), pick(p.relation, 0)) AS statement FROM part p
  -- an identity is changed by a row in its place
  WHERE (p.relation::text, p.col) <> ('ledger_entry', 'entry_id')
  UNION ALL
  SELECT 'ledger_entry', 'update entry_id', 'WITH gone AS (DELETE FROM ledger_entry WHERE entry_id = 200 RETURNING *) INSERT INTO ledger_entry OVERRIDING SYSTEM VALUE SELECT 5000, kind, subject, body, role, recorded_at, xid FROM gone'
  UNION ALL
  SELECT p.relation, 'delete', format('DELETE FROM %s WHERE ctid = %L', p.relation, pick(p.relation, 0)) FROM part p GROUP BY p.relation
  UNION ALL
  SELECT p.relation, 'insert', format('INSERT INTO %1$s OVERRIDING SYSTEM VALUE SELECT %2$s FROM %1$s WHERE ctid = %3$L', p.relation,
    string_agg(CASE WHEN p.key AND p.col <> 'only_row' AND p.col <> 'level' THEN other(p.col, p.type) ELSE quote_ident(p.col) END, ', ' ORDER BY a.attnum), pick(p.relation, 0))
  FROM part p JOIN pg_attribute a ON a.attrelid = p.oid AND a.attname = p.col GROUP BY p.relation
  UNION ALL
  SELECT p.relation, 'swap', format('UPDATE %1$s x SET (%2$s) = (SELECT %3$s FROM %1$s y WHERE y.ctid = CASE x.ctid WHEN %4$L THEN %5$L::tid ELSE %4$L::tid END) WHERE x.ctid IN (%4$L, %5$L)', p.relation,
    string_agg(quote_ident(p.col), ', '), string_agg('y.' || quote_ident(p.col), ', '), pick(p.relation, 0), pick(p.relation, 1))
  FROM part p WHERE NOT p.key AND pick(p.relation, 0) <> pick(p.relation, 1) GROUP BY p.relation;
CREATE TABLE outcome AS SELECT t.relation::text, t.act, f.* FROM trial t CROSS JOIN LATERAL tampered(t.statement) f;

-- every case was found, but for a constraint that does not let it be
SELECT relation, act FROM outcome WHERE result NOT IN ('problem', 'refused');
SELECT relation, act FROM outcome WHERE result = 'refused' ORDER BY relation COLLATE "C", act COLLATE "C";
-- and where
SELECT relation, act, scopes, named FROM outcome WHERE result = 'problem' ORDER BY relation COLLATE "C", act COLLATE "C";

-- the tail cut off, an older state, the log written anew with fresh hashes, its signatures gone
SELECT act, f.result, f.scopes, f.named FROM (VALUES
  ('tail', $$DELETE FROM ledger_seal WHERE size > 400; DELETE FROM ledger_leaf WHERE page > 1; DELETE FROM ledger_tile WHERE level = 0 AND tile_index > 1; DELETE FROM ledger_entry WHERE entry_id > 512$$),
  ('older', $$DELETE FROM ledger_seal WHERE size > 303; DELETE FROM ledger_leaf WHERE page > 1; DELETE FROM ledger_tile WHERE level = 0 AND tile_index > 1; DELETE FROM ledger_entry WHERE entry_id > 303;
     UPDATE ledger_leaf SET entry_ids = entry_ids[:303 - 256], span = int8range(257, 304) WHERE page = 1; UPDATE ledger_tile SET data = substr(data, 1, 32 * (303 - 256)), middle = substr(middle, 1, 64) WHERE (level, tile_index) = (0, 1); UPDATE ledger_tile SET data = substr(data, 1, 32) WHERE level = 1;
     DELETE FROM ledger_signature; UPDATE ledger_watermark SET seen = NULL; DELETE FROM account; DELETE FROM ledger_secret$$),
  ('anew', $$UPDATE ledger_entry SET body = '{"n": 0}' WHERE entry_id = 250; DELETE FROM ledger_seal; DELETE FROM ledger_leaf; DELETE FROM ledger_tile; UPDATE ledger_watermark SET seen = NULL; SELECT ledger_seal()$$),
  ('anew and unsigned', $$UPDATE ledger_entry SET body = '{"n": 0}' WHERE entry_id = 250; DELETE FROM ledger_seal; DELETE FROM ledger_leaf; DELETE FROM ledger_tile; DELETE FROM ledger_signature; UPDATE ledger_watermark SET seen = NULL; SELECT ledger_seal()$$),
  ('all gone', $$DELETE FROM ledger_seal; DELETE FROM ledger_leaf; DELETE FROM ledger_tile; DELETE FROM ledger_signature; DELETE FROM ledger_entry; DELETE FROM ledger_key; DELETE FROM ledger_secret; DELETE FROM ledger_protected; UPDATE ledger_watermark SET seen = NULL$$),
  ('sealed twice', $$UPDATE ledger_watermark SET seen = '3:3:'; DELETE FROM ledger_mark; SELECT ledger_seal()$$),
  ('trigger disabled', $$ALTER TABLE account DISABLE TRIGGER quality_gov_ledger_update; ALTER TABLE ledger_seal DISABLE TRIGGER ledger_seal_append_only$$)) AS t(act, statement)
CROSS JOIN LATERAL tampered(t.statement) f;
-- without a checkpoint from before, a log written anew is a log
DO $$ BEGIN
  SET LOCAL session_replication_role = replica;
  UPDATE ledger_entry SET body = '{"n": 0}' WHERE entry_id = 250; DELETE FROM ledger_seal; DELETE FROM ledger_leaf; DELETE FROM ledger_tile; DELETE FROM ledger_signature;
  UPDATE ledger_watermark SET seen = NULL; PERFORM ledger_seal();
END $$;
SELECT scope, status, first_bad, reason FROM ledger_verify() WHERE scope IN ('log', 'checkpoints', 'registers', 'public.account');
DROP VIEW part;
DROP TABLE account, kept, trial, outcome;
DROP FUNCTION tampered(text), other(text, regtype), pick(regclass, integer);
DROP EXTENSION quality_gov;
DO $$ BEGIN
  EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('rm -f "%s"', current_setting('quality_gov.ledger_key_file')));
END $$;
