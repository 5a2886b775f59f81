
-- ledger: what the log says against what is there

CREATE FUNCTION ledger_recompute("from" bigint, size bigint, sizes bigint[],
                                 OUT entries bigint, OUT bad_leaf bigint, OUT bad_entry bigint, OUT reason text, OUT roots bytea[])
  AS 'MODULE_PATHNAME', 'qg_ledger_recompute' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION ledger_recompute(bigint, bigint, bigint[]) IS
  'Computes the log anew from the entries, from a leaf (a multiple of 256; before it the tiles are taken as they are) to a size: how many entries fit, the first that does not and why, and the roots at sizes (ascending), as far as they were reached; for ledger_verify()';

CREATE FUNCTION ledger_canonical(document jsonb) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_ledger_canonical' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION ledger_canonical(jsonb) IS
  'Canonical JSON as leaves and digests of rows have it: jcs(), but a number that would be rounded is a string of its digits';

CREATE FUNCTION ledger_verify_rows(relation regclass, label text, sensitive text[],
                                   OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  EXECUTE $sql$
    WITH last AS (
      SELECT DISTINCT ON (e.subject) e.subject, e.entry_id, e.kind, e.body
      FROM quality_gov.ledger_entry e
      WHERE e.kind IN ('row_insert', 'row_update', 'row_delete', 'row_baseline') AND e.body ->> 'relation' = $1
        AND e.entry_id > COALESCE((SELECT max(x.entry_id) FROM quality_gov.ledger_entry x
                                   WHERE x.subject = $1 AND (x.kind = 'ledger_protect' OR x.kind = 'row_truncate' AND NOT x.body ? 'partition')), -1)
      ORDER BY e.subject, e.entry_id DESC),
    emptied AS (
      SELECT max(x.entry_id) AS entry_id FROM quality_gov.ledger_entry x
      WHERE x.subject = $1 AND x.kind = 'row_truncate' AND x.body ? 'partition'),
    live AS (SELECT r.subject, r.image FROM quality_gov.ledger_live($3, $1) r),
    judged AS (
      SELECT l.entry_id, v.image IS NOT NULL AND l.entry_id IS NOT NULL AS reread,
             CASE WHEN l.entry_id IS NULL THEN format('row "%s" has no entry', v.subject)
                  WHEN l.kind = 'row_delete' AND v.image IS NOT NULL THEN format('row "%s" is there, though entry %s deletes it', v.subject, l.entry_id)
                  WHEN l.kind = 'row_delete' THEN NULL
                  WHEN v.image IS NULL AND l.entry_id < (SELECT m.entry_id FROM emptied m) THEN NULL
                  WHEN v.image IS NULL THEN format('row "%s" of entry %s is gone without an entry', l.subject, l.entry_id)
                  WHEN l.body ? 'row_sha256' THEN
                    CASE WHEN l.body ->> 'row_sha256' <> encode(sha256(convert_to(quality_gov.ledger_canonical(v.image), 'UTF8')), 'hex')
                         THEN format('row "%s" is not what entry %s says', l.subject, l.entry_id) END
                  WHEN (l.body -> 'row') - $2 IS DISTINCT FROM v.image - $2 THEN format('row "%s" is not what entry %s says', l.subject, l.entry_id)
                  WHEN EXISTS (
                    SELECT FROM unnest($2) f(field) JOIN quality_gov.ledger_secret s ON s.entry_id = l.entry_id AND s.field = f.field
                    WHERE s.value <> jsonb_build_array(v.image -> f.field)
                       OR encode(sha256(s.salt || convert_to(quality_gov.ledger_canonical(s.value), 'UTF8')), 'hex')
                          IS DISTINCT FROM l.body #>> ARRAY['row', f.field, 'commitment'])
                  THEN format('a sensitive value of row "%s" is not what entry %s commits to', l.subject, l.entry_id)
                  WHEN EXISTS (
                    SELECT FROM unnest($2) f(field)
                    WHERE NOT EXISTS (SELECT FROM quality_gov.ledger_secret s WHERE s.entry_id = l.entry_id AND s.field = f.field)
                      AND NOT EXISTS (SELECT FROM quality_gov.ledger_entry x WHERE x.subject = l.subject AND x.kind = 'ledger_erase' AND x.entry_id > l.entry_id))
                  THEN format('a sensitive value of entry %s is gone without ledger_erase()', l.entry_id)
             END AS fault
      FROM last l FULL JOIN live v ON v.subject = l.subject)
    SELECT count(j.entry_id), count(*) FILTER (WHERE j.reread),
           (array_agg(j.entry_id ORDER BY j.entry_id NULLS LAST) FILTER (WHERE j.fault IS NOT NULL))[1],
           (array_agg(j.fault ORDER BY j.entry_id NULLS LAST) FILTER (WHERE j.fault IS NOT NULL))[1]
    FROM judged j $sql$
  INTO entries, values_reread, first_bad, reason USING label, sensitive, relation;
  reason := COALESCE(reason, quality_gov.ledger_gone_fault(relation, label));
END
$$;
COMMENT ON FUNCTION ledger_verify_rows(regclass, text, text[]) IS
  'Compares the rows of a protected table with the last entry of each key: entries and values read, the first entry that differs and why; for ledger_verify()';

CREATE TABLE ledger_decision (
  scope text NOT NULL,
  function text NOT NULL,
  description text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT ledger_decision_pkey PRIMARY KEY (scope)
);
COMMENT ON TABLE ledger_decision IS
  'Tables of decisions that ledger_verify() compares with their entries: functions without arguments returning one row (entries, values_reread, first_bad, reason)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_decision', 'WHERE NOT builtin');

CREATE FUNCTION ledger_guard_fault(OUT fault text) RETURNS SETOF text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT format('trigger "%s" of table "%s" is disabled', t.tgname, t.tgrelid::regclass)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND t.tgenabled IN ('D', 'R')
    AND (c.relnamespace = 'quality_gov'::regnamespace OR starts_with(t.tgname, 'quality_gov_ledger_'))
  UNION ALL
  SELECT format('table "%s" has lost trigger append_only', w.relation::regclass)
  FROM unnest('{quality_gov.ledger_entry,quality_gov.ledger_seal,quality_gov.ledger_signature}'::regclass[]) AS w(relation)
  WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = w.relation AND t.tgfoid = 'quality_gov.append_only()'::regprocedure)
  UNION ALL
  SELECT format('protected table "%s" has no triggers of ledger_protect()', p.label) FROM quality_gov.ledger_protected p
  WHERE p.ended_at IS NULL AND NOT EXISTS (SELECT FROM quality_gov.guard g WHERE g.kind = 'ledger' AND g.options ->> 'label' = p.label)
  UNION ALL
  SELECT format('protected table "%s" has no trigger "quality_gov_ledger_%s" as ledger_protect() makes it', g.relation, x.suffix)
  FROM quality_gov.ledger_protected p
  JOIN (SELECT DISTINCT y.relation, y.options ->> 'label' AS label FROM quality_gov.guard y
        WHERE y.kind = 'ledger' AND NOT y.options ? 'partition') g ON g.label = p.label
  JOIN pg_class c ON c.oid = g.relation AND NOT c.relispartition
  -- pg_trigger.tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate
  JOIN (VALUES ('r'::"char", NULL, 'insert', 4, 'row'), ('r', NULL, 'update', 16, 'row'), ('r', NULL, 'delete', 8, 'row'), ('r', false, 'begin', 30, 'begin'),
               ('p', NULL, 'row', 29, 'row'), ('r', NULL, 'truncate', 32, 'row'), ('p', NULL, 'truncate', 32, 'row'), ('r', true, 'refuse', 26, 'refuse'),
               ('p', true, 'refuse', 27, 'refuse'), ('r', true, 'refuse_truncate', 34, 'refuse'), ('p', true, 'refuse_truncate', 34, 'refuse')
       ) x(relkind, append_only, suffix, type, function) ON x.relkind = c.relkind AND COALESCE(x.append_only, p.append_only) = p.append_only
  WHERE p.ended_at IS NULL AND NOT EXISTS (
    SELECT FROM pg_trigger t JOIN quality_gov.guard y ON y.relation = t.tgrelid AND t.tgname = ANY (y.triggers)
    WHERE t.tgrelid = g.relation AND t.tgname = 'quality_gov_ledger_' || x.suffix AND t.tgtype = x.type AND t.tgqual IS NULL AND t.tgattr = ''
      AND t.tgfoid = format('quality_gov.ledger_%s()', x.function)::regprocedure AND y.kind = 'ledger' AND y.options ->> 'label' = p.label
      AND y.options ->> 'append_only' = p.append_only::text AND y.options ->> 'retention' = p.retention
      AND y.mapping = COALESCE((SELECT jsonb_object_agg(s, quote_ident(s)) FROM unnest(p.sensitive) s), '{}'))
  UNION ALL
  SELECT format('tables %s have triggers that enter their rows as "%s"', string_agg(format('"%s"', g.relation), ', ' ORDER BY g.relation::text), g.label)
  FROM (SELECT DISTINCT y.relation, y.options ->> 'label' AS label FROM quality_gov.guard y JOIN pg_class c ON c.oid = y.relation
        WHERE y.kind = 'ledger' AND NOT y.options ? 'partition' AND NOT c.relispartition) g
  GROUP BY g.label HAVING count(*) > 1
  UNION ALL
  SELECT format('partition "%s" of a protected table has no trigger for TRUNCATE', t.relid)
  FROM (SELECT DISTINCT g.relation FROM quality_gov.guard g JOIN pg_class c ON c.oid = g.relation WHERE g.kind = 'ledger' AND c.relkind = 'p') g
  CROSS JOIN LATERAL pg_partition_tree(g.relation) t
  WHERE NOT EXISTS (SELECT FROM pg_trigger x WHERE x.tgrelid = t.relid AND x.tgname = 'quality_gov_ledger_truncate')
  UNION ALL
  SELECT format('protected table "%s" inherits, or is inherited from, and changes by way of another table are not entered', g.relation)
  FROM (SELECT DISTINCT g.relation FROM quality_gov.guard g JOIN pg_class c ON c.oid = g.relation
        WHERE g.kind = 'ledger' AND c.relkind = 'r' AND NOT g.options ? 'partition') g
  WHERE EXISTS (SELECT FROM pg_inherits i WHERE g.relation IN (i.inhrelid, i.inhparent))
  UNION ALL
  SELECT format('table "%s" belongs to %s, not to %s', c.oid::regclass, c.relowner::regrole, x.extowner::regrole)
  FROM pg_extension x, pg_class c
  WHERE x.extname = 'quality_gov' AND c.relnamespace = 'quality_gov'::regnamespace AND c.relname ~ '^ledger_' AND c.relkind IN ('r', 'S')
    AND c.relowner <> x.extowner
  UNION ALL
  SELECT format('ids of entries are given out %s at a time, which a seal can miss', s.seqcache)
  FROM pg_sequence s WHERE s.seqrelid = 'quality_gov.ledger_entry_entry_id_seq'::regclass AND s.seqcache <> 1
$$;
COMMENT ON FUNCTION ledger_guard_fault() IS
  'What keeps the ledger and is not as it was made: triggers disabled or gone, owners changed; no rows when all is well';

CREATE FUNCTION ledger_tree_root_try(size bigint) RETURNS bytea
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN quality_gov.ledger_tree_root(size);
EXCEPTION WHEN data_corrupted THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger_tree_root_try(bigint) IS 'ledger_tree_root(), or null where the tiles do not hold it';

CREATE FUNCTION ledger_note_signer(note text, OUT name text, OUT key_hash bytea) RETURNS SETOF record
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT m.p[1], substr(base64_try(m.p[2]), 1, 4)
  FROM string_to_table(ledger_note_signer.note, E'\n') t(line) CROSS JOIN LATERAL (SELECT regexp_match(t.line, '^\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)$') AS p OFFSET 0) m
  WHERE m.p IS NOT NULL;
END;
COMMENT ON FUNCTION ledger_note_signer(text) IS 'Names and key hashes of the signature lines of a signed note; for ledger_verify()';

CREATE FUNCTION ledger_verify_all(what text, since timestamptz, trusted_checkpoint text)
  RETURNS TABLE (scope text, status text, entries bigint, values_reread bigint, unsealed bigint, last_anchor timestamptz,
                 first_bad bigint, reason text)
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := ledger_verify_all.what;
  size bigint := quality_gov.ledger_size();
  origin text[];
  trusted_size bigint;
  trusted_root bytea;
  start bigint := 0;
  sizes bigint[];
  log record;
  found record;
  faults text[];
BEGIN
  unsealed := 0;
  last_anchor := (SELECT max(s.added_at) FROM quality_gov.ledger_signature s);
  IF trusted_checkpoint IS NOT NULL THEN
    origin := regexp_match(trusted_checkpoint, E'^([^\n]+)\n([0-9]{1,18})\n([A-Za-z0-9+/=]+)\n');
    trusted_size := origin[2]::bigint;
    trusted_root := quality_gov.base64_try(origin[3]);
    IF trusted_root IS NULL OR length(trusted_root) <> 32 THEN
      RAISE EXCEPTION 'not a checkpoint: %', quote_literal(left(trusted_checkpoint, 60)) USING ERRCODE = 'invalid_text_representation',
        HINT = 'It begins with the log''s origin, its size and the root in base 64, a line each, as ledger_checkpoint() gives it.';
    END IF;
  END IF;
  IF wanted IS NULL OR wanted IN ('log', 'checkpoints', 'trusted') THEN
    IF since IS NOT NULL THEN
      start := COALESCE((SELECT max(s.size) FROM quality_gov.ledger_seal s WHERE s.at <= since), 0) / 256 * 256;
    END IF;
    sizes := ARRAY(SELECT s.size FROM quality_gov.ledger_seal s WHERE s.size > start
                   UNION SELECT trusted_size WHERE trusted_size BETWEEN start + 1 AND size ORDER BY 1);
    BEGIN
      SELECT * INTO log FROM quality_gov.ledger_recompute(start, size, sizes);
    EXCEPTION WHEN data_corrupted THEN
      SELECT 0::bigint AS entries, NULL::bigint AS bad_leaf, NULL::bigint AS bad_entry, SQLERRM AS reason, '{}'::bytea[] AS roots INTO log;
    END;
    scope := 'log';
    entries := log.entries;
    values_reread := log.entries;
    first_bad := log.bad_entry;
    SELECT f.unsealed, COALESCE(log.bad_entry, f.first_bad), COALESCE(log.reason, f.reason) INTO unsealed, first_bad, reason
    FROM quality_gov.ledger_place_fault(size) f;
    reason := COALESCE(reason, quality_gov.ledger_tile_fault(size));
    IF reason IS NULL THEN
      SELECT f.first_bad, f.reason INTO first_bad, reason FROM quality_gov.ledger_seal_fault(start, sizes, log.roots) f;
    END IF;
    status := CASE WHEN reason IS NOT NULL THEN 'problem' WHEN entries > 0 THEN 'ok' ELSE 'unverified' END;
    reason := COALESCE(reason, CASE WHEN entries = 0 THEN 'no entry is sealed' || CASE WHEN since IS NULL THEN '' ELSE ' since' END END);
    IF wanted IS NULL OR wanted = scope THEN
      RETURN NEXT;
    END IF;
    scope := 'checkpoints';
    values_reread := 0;
    unsealed := 0;
    SELECT count(*), min(x.size) FILTER (WHERE x.fault IS NOT NULL), (array_agg(x.fault ORDER BY x.size) FILTER (WHERE x.fault IS NOT NULL))[1]
      INTO entries, first_bad, reason
    FROM (
      SELECT g.size, CASE
               WHEN l.seen_at IS NOT NULL AND g.added_at NOT BETWEEN l.seen_at - interval '1 hour' AND clock_timestamp() + interval '1 hour'
                 OR g.added_at < k.added_at - interval '1 hour' OR g.added_at > k.retired_at + interval '1 hour'
               THEN format('the signature of "%s" at %s leaves was not added at %s', g.name, g.size, g.added_at)
               WHEN k.kind = 'log' AND g.cosigned_at IS NOT NULL THEN format('the signature of "%s" at %s leaves has the time of a witness', g.name, g.size)
               WHEN k.name IS NULL THEN format('the signature at %s leaves is of key "%s", which is not known', g.size, g.name)
               WHEN z.n IS NULL AND g.size > start THEN format('the log has no seal of %s leaves, which "%s" signed', g.size, g.name)
               WHEN quality_gov.ledger_signature_valid(format(E'%s\n%s\n%s\n', (SELECT l.origin FROM quality_gov.ledger_log l), g.size,
                      quality_gov.base64_line(COALESCE(log.roots[z.n], quality_gov.ledger_tree_root_try(g.size)))), k.kind, k.public_key, g.signature, g.cosigned_at) IS NOT TRUE
               THEN format('the signature of "%s" at %s leaves does not fit the log', g.name, g.size) END AS fault
      FROM quality_gov.ledger_signature g
      LEFT JOIN quality_gov.ledger_key k ON k.name = g.name AND k.key_hash = g.key_hash
      LEFT JOIN LATERAL (SELECT min(y.at) AS seen_at FROM quality_gov.ledger_seal y WHERE y.size = g.size) l ON true
      LEFT JOIN unnest(sizes) WITH ORDINALITY z(size, n) ON z.size = g.size AND z.n <= cardinality(log.roots)) x;
    reason := COALESCE(reason, CASE WHEN entries = 0 THEN 'no checkpoint is signed' END);
    first_bad := NULL;
    status := CASE WHEN entries = 0 THEN 'unverified' WHEN reason IS NULL THEN 'ok' ELSE 'problem' END;
    IF wanted IS NULL OR wanted = scope THEN
      RETURN NEXT;
    END IF;
    IF wanted IS NULL AND trusted_checkpoint IS NOT NULL OR wanted = 'trusted' THEN
      scope := 'trusted';
      entries := trusted_size;
      reason := CASE
        WHEN trusted_checkpoint IS NULL THEN 'no checkpoint was given'
        WHEN origin[1] IS DISTINCT FROM (SELECT l.origin FROM quality_gov.ledger_log l) THEN format('the checkpoint is of log "%s"', origin[1])
        WHEN trusted_size > size THEN format('the log has %s leaves, fewer than the %s of the checkpoint', size, trusted_size)
        WHEN trusted_root IS DISTINCT FROM CASE WHEN trusted_size = 0 THEN sha256('') WHEN trusted_size <= start THEN quality_gov.ledger_tree_root_try(trusted_size)
             ELSE log.roots[array_position(sizes, trusted_size)] END
        THEN format('the first %s entries are not those of the checkpoint', trusted_size)
        ELSE (SELECT format('the checkpoint''s signature of "%s" is no longer stored', x.name) FROM quality_gov.ledger_note_signer(trusted_checkpoint) x
              WHERE NOT EXISTS (SELECT FROM quality_gov.ledger_signature g WHERE g.size = trusted_size AND g.name = x.name AND g.key_hash = x.key_hash)
                AND EXISTS (SELECT FROM quality_gov.ledger_entry e WHERE e.kind = 'ledger_key' AND e.body ->> 'name' = x.name)
              ORDER BY x.name LIMIT 1) END;
      first_bad := CASE WHEN reason IS NOT NULL AND log.bad_leaf < trusted_size THEN log.bad_entry END;
      status := CASE WHEN trusted_checkpoint IS NULL THEN 'unverified' WHEN reason IS NULL THEN 'ok' ELSE 'problem' END;
      RETURN NEXT;
    END IF;
  END IF;
  unsealed := 0;
  IF wanted IS NULL OR wanted = 'registers' THEN
    scope := 'registers';
    values_reread := 0;
    SELECT count(*) INTO entries FROM quality_gov.ledger_entry e WHERE e.kind IN ('ledger_origin', 'ledger_key', 'ledger_protect', 'ledger_unprotect');
    SELECT min(f.entry_id), (array_agg(f.fault ORDER BY f.entry_id NULLS LAST))[1] INTO first_bad, reason FROM quality_gov.ledger_register_fault() f;
    status := CASE WHEN reason IS NOT NULL THEN 'problem' WHEN entries > 0 THEN 'ok' ELSE 'unverified' END;
    reason := COALESCE(reason, CASE WHEN entries = 0 THEN 'no origin, no keys and no protected tables were entered' END);
    RETURN NEXT;
  END IF;
  IF wanted IS NULL OR wanted = 'guards' THEN
    scope := 'guards';
    faults := ARRAY(SELECT f.fault FROM quality_gov.ledger_guard_fault() f UNION ALL SELECT d.fault FROM quality_gov.ledger_decision_fault() d);
    entries := 0;
    values_reread := 0;
    first_bad := NULL;
    reason := faults[1] || CASE WHEN cardinality(faults) > 1 THEN format(', and %s more', cardinality(faults) - 1) ELSE '' END;
    status := CASE WHEN reason IS NULL THEN 'ok' ELSE 'problem' END;
    RETURN NEXT;
  END IF;
  FOR found IN
    SELECT p.label, p.sensitive, g.relation FROM quality_gov.ledger_protected p
    LEFT JOIN LATERAL (SELECT x.relation FROM quality_gov.guard x JOIN pg_class c ON c.oid = x.relation
                       WHERE x.kind = 'ledger' AND x.options ->> 'label' = p.label AND NOT x.options ? 'partition' AND NOT c.relispartition LIMIT 1) g ON true
    WHERE p.ended_at IS NULL AND (wanted IS NULL OR wanted = p.label) ORDER BY p.label COLLATE "C" LOOP
    scope := found.label;
    IF found.relation IS NULL THEN
      entries := 0; values_reread := 0; first_bad := NULL;
      reason := 'the table is gone, or has no triggers of ledger_protect()';
    ELSE
      SELECT * INTO entries, values_reread, first_bad, reason FROM quality_gov.ledger_verify_rows(found.relation, found.label, found.sensitive);
    END IF;
    status := CASE WHEN reason IS NOT NULL THEN 'problem' WHEN entries > 0 THEN 'ok' ELSE 'unverified' END;
    reason := COALESCE(reason, CASE WHEN entries = 0 THEN 'the table has no rows and no entries' END);
    RETURN NEXT;
  END LOOP;
  FOR found IN SELECT d.* FROM quality_gov.ledger_decision d WHERE wanted IS NULL OR wanted = d.scope ORDER BY d.scope COLLATE "C" LOOP
    scope := found.scope;
    BEGIN
      EXECUTE format('SELECT * FROM %s()', (found.function || '()')::regprocedure::regproc) INTO entries, values_reread, first_bad, reason;
    EXCEPTION WHEN OTHERS THEN
      entries := 0; values_reread := 0; first_bad := NULL;
      reason := format('it could not be compared: %s (%s)', SQLERRM, SQLSTATE);
    END;
    status := CASE WHEN reason IS NOT NULL THEN 'problem' WHEN entries > 0 THEN 'ok' ELSE 'unverified' END;
    reason := COALESCE(reason, CASE WHEN entries = 0 THEN 'nothing was decided' END);
    RETURN NEXT;
  END LOOP;
  IF scope IS NULL THEN
    RAISE EXCEPTION 'unknown scope "%"', wanted USING ERRCODE = 'undefined_object',
      HINT = 'Scopes are log, checkpoints, trusted, registers, guards, the labels of ledger_protected and the scopes of ledger_decision.';
  END IF;
END
$$;
COMMENT ON FUNCTION ledger_verify_all(text, timestamptz, text) IS 'What ledger_verify() does';

CREATE FUNCTION ledger_verify(scope text DEFAULT NULL, since timestamptz DEFAULT NULL, trusted_checkpoint text DEFAULT NULL,
                              OUT scope text, OUT status text, OUT entries bigint, OUT values_reread bigint, OUT unsealed bigint,
                              OUT last_anchor timestamptz, OUT first_bad bigint, OUT reason text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$ SELECT * FROM quality_gov.ledger_verify_all($1, $2, $3) $$;
COMMENT ON FUNCTION ledger_verify(text, timestamptz, text) IS
  'Reads again what the log says: entries against leaves, tiles, roots and signatures (log, checkpoints), growth from a checkpoint somebody kept (trusted), origin, keys, the list of protected tables and kept values against their entries (registers), triggers and owners (guards), rows of protected tables and of decisions against their last entries. A row each: status ok, problem or, where nothing could be checked, unverified; first_bad is an entry. since takes what was sealed by then as the tiles have it';
