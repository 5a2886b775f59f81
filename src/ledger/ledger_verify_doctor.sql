
-- ledger: what a DBA should know of the log

CREATE FUNCTION ledger_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'ledger_secret', s.entry_id || ' ' || s.field, 'has no entry' FROM quality_gov.ledger_secret s
  WHERE NOT EXISTS (SELECT FROM quality_gov.ledger_entry e WHERE e.entry_id = s.entry_id)
  UNION ALL
  SELECT 'ledger_leaf', l.page::text, format('holds entry %s, which does not exist', (
           SELECT min(u) FROM unnest(l.entry_ids) u WHERE NOT EXISTS (SELECT FROM quality_gov.ledger_entry e WHERE e.entry_id = u)))
  FROM quality_gov.ledger_leaf l
  WHERE cardinality(l.entry_ids) <> (SELECT count(*) FROM quality_gov.ledger_entry e WHERE e.entry_id = ANY (l.entry_ids))
  UNION ALL
  SELECT 'ledger_signature', g.size || ' ' || g.name, CASE WHEN k.name IS NULL THEN 'has no key' ELSE 'has no seal' END
  FROM quality_gov.ledger_signature g
  LEFT JOIN quality_gov.ledger_key k ON k.name = g.name AND k.key_hash = g.key_hash
  LEFT JOIN quality_gov.ledger_seal s ON s.size = g.size
  WHERE k.name IS NULL OR s.size IS NULL
$$;
COMMENT ON FUNCTION ledger_check() IS
  'Oracle: values kept for entries, places of leaves and signatures whose entry, key or seal is missing; no rows when all is well';

CREATE FUNCTION ledger_key_file_fault(OUT fault text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  held bytea;
BEGIN
  SELECT s.public_key INTO held FROM quality_gov.ledger_sign('\x'::bytea) s;
  IF NOT EXISTS (SELECT FROM quality_gov.ledger_key k WHERE k.kind = 'log' AND k.public_key = held AND k.retired_at IS NULL) THEN
    fault := 'its key is not in use for the log';
  END IF;
EXCEPTION WHEN OTHERS THEN
  fault := SQLERRM;
END
$$;
COMMENT ON FUNCTION ledger_key_file_fault() IS 'Why quality_gov.ledger_key_file cannot sign for the log, or null; for doctor()';

CREATE FUNCTION doctor_ledger(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', 'guards of the ledger', f.fault, 'Enable or create it again, and let ledger_verify() tell what was changed meanwhile.'
  FROM quality_gov.ledger_guard_fault() f
  UNION ALL
  SELECT 'warning', format('rights on table %s', c.relname),
         format('%s may %s it, and so change the log past its functions', CASE a.grantee WHEN 0 THEN 'everybody' ELSE format('role "%s"', a.grantee::regrole) END,
                string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)),
         format('REVOKE %s ON quality_gov.%I FROM %s;', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), c.relname,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
  FROM pg_class c
  CROSS JOIN LATERAL (
    SELECT x.grantee, x.privilege_type FROM aclexplode(c.relacl) x
    UNION SELECT x.grantee, x.privilege_type FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) x WHERE t.attrelid = c.oid) a
  WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relname ~ '^ledger_' AND c.relkind IN ('r', 'S') AND a.grantee <> c.relowner
    AND (a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN') OR c.relkind = 'S' AND a.privilege_type = 'USAGE')
  GROUP BY c.relname, a.grantee
  UNION ALL
  SELECT 'warning', 'setting session_replication_role', format('role "%s" may set it, and so write tables past their triggers', a.grantee),
         format('REVOKE SET ON PARAMETER session_replication_role FROM %I;', a.grantee)
  FROM (SELECT CASE x.grantee WHEN 0 THEN 'public' ELSE x.grantee::regrole::text END AS grantee
        FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) x
        WHERE p.parname = 'session_replication_role' AND x.privilege_type = 'SET'
          AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = x.grantee AND r.rolsuper)) a
  UNION ALL
  SELECT 'warning', 'setting session_replication_role', format('%s makes it %s, and so every session writes tables past their triggers',
           COALESCE('role ' || nullif(s.setrole, 0)::regrole, 'the database'), substr(c.line, 26)), 'Reset it.'
  FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) c(line)
  WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
    AND c.line ~ '^session_replication_role=' AND c.line !~ '=origin$'
  UNION ALL
  SELECT 'warning', 'setting session_replication_role', format('it is %s, and so this session writes tables past their triggers', s.setting), 'Reset it, in postgresql.conf if need be.'
  FROM pg_settings s WHERE s.name = 'session_replication_role' AND s.setting <> 'origin'
  UNION ALL
  SELECT CASE WHEN u.oldest < clock_timestamp() - interval '1 day' THEN 'warning' ELSE 'ok' END, 'unsealed entries',
         format('%s, the oldest since %s', u.entries, u.oldest), 'maintenance() seals, ledger_seal() does at once; an open or prepared transaction keeps its own entries back.'
  FROM (SELECT count(*) AS entries, min(e.recorded_at) AS oldest FROM quality_gov.ledger_entry e
        WHERE e.entry_id > COALESCE(quality_gov.ledger_floor((SELECT w.seen FROM quality_gov.ledger_watermark w)), -9223372036854775808)
          AND NOT COALESCE(pg_visible_in_snapshot(e.xid, (SELECT w.seen FROM quality_gov.ledger_watermark w)), quality_gov.ledger_leaf_of(e.entry_id) IS NOT NULL)) u
  WHERE u.entries > 0
  UNION ALL
  -- Who names no origin has no use for checkpoints, and is not told about them.
  SELECT CASE WHEN g.at IS NULL OR g.at < clock_timestamp() - interval '7 days' THEN 'warning' ELSE 'ok' END, 'last anchor',
         CASE WHEN g.at IS NULL THEN 'no checkpoint was signed yet'
              ELSE format('a checkpoint of %s leaves was signed at %s, the log has %s', g.size, g.at, quality_gov.ledger_size()) END,
         'Sign ledger_checkpoint_body() and give the signature to ledger_checkpoint_add(), and keep the checkpoint outside this machine.'
  FROM quality_gov.ledger_log l
  LEFT JOIN LATERAL (SELECT max(x.size) AS size, max(x.added_at) AS at FROM quality_gov.ledger_signature x) g ON true
  WHERE quality_gov.ledger_size() > COALESCE(g.size, 0)
  UNION ALL
  SELECT 'warning', 'keys of the ledger', format('log "%s" has no key in use', l.origin), 'ledger_key_add() takes its public key.'
  FROM quality_gov.ledger_log l WHERE NOT EXISTS (SELECT FROM quality_gov.ledger_key k WHERE k.kind = 'log' AND k.retired_at IS NULL)
  UNION ALL
  SELECT CASE WHEN f.fault IS NULL THEN 'ok' ELSE 'problem' END, 'quality_gov.ledger_key_file', COALESCE(f.fault, 'the key can be read and is one of the log'),
         CASE WHEN f.fault IS NOT NULL THEN 'The file must hold an Ed25519 key (PEM, PKCS 8), belong to the server''s user and be readable by it alone.' END
  FROM quality_gov.ledger_key_file_fault() f WHERE current_setting('quality_gov.ledger_key_file', true) <> ''
$$;
COMMENT ON FUNCTION doctor_ledger() IS
  'Check: rights and settings that weaken the ledger, triggers, what is not sealed or not signed, keys and the key file';

INSERT INTO doctor_check VALUES ('ledger', 'quality_gov.doctor_ledger', 'Rights, triggers, seals, signatures and keys of the ledger', true);
