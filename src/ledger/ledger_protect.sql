
-- ledger: the platform's own tables, whose every change becomes an entry

CREATE TABLE ledger_protected (
  label text NOT NULL,
  append_only boolean NOT NULL,
  sensitive text[] NOT NULL DEFAULT '{}',
  retention text NOT NULL DEFAULT 'record_retention',
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  CONSTRAINT ledger_protected_pkey PRIMARY KEY (label),
  CONSTRAINT ledger_protected_ended_at CHECK (ended_at >= since)
);
COMMENT ON TABLE ledger_protected IS
  'Tables whose changes are entered in the ledger, by the name they had then; sensitive columns enter as commitments, retention names the legal_figure for how long their values are kept';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_protected', '');

CREATE TABLE ledger_secret (
  entry_id bigint NOT NULL,
  field text NOT NULL,
  salt bytea NOT NULL,
  value jsonb NOT NULL,
  CONSTRAINT ledger_secret_pkey PRIMARY KEY (entry_id, field),
  CONSTRAINT ledger_secret_salt CHECK (length(salt) = 32)
);
COMMENT ON TABLE ledger_secret IS
  'Values of sensitive columns, in an array of one, with the salts of their commitments: SHA-256 of salt and canonical JSON; ledger_erase() deletes both';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_secret', '');

CREATE FUNCTION ledger_row() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_ledger_row' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_row() IS 'Trigger of ledger_protect(): enters every change of a table''s rows in the ledger';
CREATE FUNCTION ledger_begin() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_ledger_begin' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_begin() IS
  'Trigger of ledger_protect(): notes that a statement begins, so that others that run inside it on the same table do not leave the order of entries in doubt';
CREATE FUNCTION ledger_refuse() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_ledger_refuse' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_refuse() IS 'Trigger of ledger_protect(append_only => true): refuses changes of rows with SQLSTATE QG003';

CREATE FUNCTION ledger_row_image("row" record) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'qg_ledger_row_image' LANGUAGE c STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION ledger_row_image(record) IS
  'A table''s row as the ledger writes it, whatever the session''s settings: numbers of fixed size as numbers, numeric as a string of its digits, dates and times in ISO 8601 and UTC, bytea in hexadecimal, arrays and jsonb as such, other types as they write themselves, columns that are NULL left out; 55000 for a table without a primary key';
CREATE FUNCTION ledger_row_subject("row" record, label text) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_ledger_row_subject' LANGUAGE c STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION ledger_row_subject(record, text) IS
  'Subject of the entries of a table''s row: the table''s name in the ledger and the key, of several columns as a JSON array, of more than some 2,000 bytes as its SHA-256';
CREATE FUNCTION ledger_live(relation regclass, label text) RETURNS TABLE (subject text, image jsonb)
  AS 'MODULE_PATHNAME', 'qg_ledger_live' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION ledger_live(regclass, text) IS
  'Every row of a table and its partitions, as ledger_row_subject() and ledger_row_image() give it, read so that no code of the table''s owner runs; for ledger_verify()';
CREATE FUNCTION ledger_row_enter(relation regclass, place tid) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_ledger_row_enter' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_row_enter(regclass, tid) IS
  'Locks the row at a place of a protected table and enters it as it stands, whatever the session would have it be; false where it is gone; 55000 for a table that is not protected; for ledger_baseline()';

CREATE FUNCTION ledger_label(relation regclass) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT COALESCE((SELECT g.options ->> 'label' FROM quality_gov.guard g WHERE g.relation = ledger_label.relation AND g.kind = 'ledger' LIMIT 1),
                  (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation))
$$;
COMMENT ON FUNCTION ledger_label(regclass) IS 'Name of a table in the ledger: the one it had when it was protected';

CREATE FUNCTION ledger_protected_note(label text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  shown record;
BEGIN
  SELECT g.options ->> 'append_only' = 'true' AS append_only, ARRAY(SELECT k FROM jsonb_object_keys(g.mapping) k ORDER BY k COLLATE "C") AS sensitive,
         g.options ->> 'retention' AS retention
  INTO shown FROM quality_gov.guard g
  WHERE g.kind = 'ledger' AND g.options ->> 'label' = ledger_protected_note.label AND NOT g.options ? 'partition' LIMIT 1;
  IF FOUND THEN
    -- What is listed already was entered with it.
    INSERT INTO quality_gov.ledger_protected AS p (label, append_only, sensitive, retention)
    VALUES (label, shown.append_only, shown.sensitive, shown.retention)
    ON CONFLICT ON CONSTRAINT ledger_protected_pkey DO UPDATE
    SET append_only = excluded.append_only, sensitive = excluded.sensitive, retention = excluded.retention, since = excluded.since, ended_at = NULL
    WHERE p.ended_at IS NOT NULL;
    IF FOUND THEN
      PERFORM quality_gov.ledger_record('ledger_protect', label, jsonb_build_object('relation', label, 'append_only', shown.append_only,
        'sensitive', shown.sensitive, 'retention', shown.retention));
    END IF;
  ELSE
    UPDATE quality_gov.ledger_protected p SET ended_at = clock_timestamp() WHERE p.label = ledger_protected_note.label AND p.ended_at IS NULL;
    IF FOUND THEN
      PERFORM quality_gov.ledger_record('ledger_unprotect', label, jsonb_build_object('relation', label));
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION ledger_protected_note(text) IS
  'Brings ledger_protected into line with the triggers there are, for a table by its name in the ledger, and enters what changes by that; for ledger_protect() and ledger_unprotect()';

CREATE FUNCTION ledger_keep(figure text) RETURNS interval
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT max((f.value || ' ' || f.unit)::interval) FROM quality_gov.legal_figure f
  WHERE f.figure = $1 AND f.unit IN ('day', 'month', 'year') AND f.effect @> statement_timestamp()
$$;
COMMENT ON FUNCTION ledger_keep(text) IS 'How long a legal_figure wants records kept now; null where none of that name is a period in force';

CREATE FUNCTION ledger_key_digest(subject text) RETURNS bigint[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT ARRAY[('x' || substr(h, 1, 15))::bit(60)::bigint, ('x' || substr(h, 17, 15))::bit(60)::bigint,
               ('x' || substr(h, 33, 15))::bit(60)::bigint, ('x' || substr(h, 49, 15))::bit(60)::bigint]
  FROM encode(sha256(convert_to(subject, 'UTF8')), 'hex') h
$$;
COMMENT ON FUNCTION ledger_key_digest(text) IS
  'Four numbers of 60 bits from the SHA-256 of a subject; their sums over rows depend on no order';

CREATE FUNCTION ledger_trigger_add(relation regclass, suffix text, events text, rest text, function text, columns jsonb, options jsonb)
  RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER %I %s ON %s %s EXECUTE FUNCTION quality_gov.%I(%L, %L, %L)',
                 'quality_gov_ledger_' || suffix, events, relation, rest, function, 'ledger', columns, options);
  EXECUTE format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION quality_gov', 'quality_gov_ledger_' || suffix, relation);
END
$$;
COMMENT ON FUNCTION ledger_trigger_add(regclass, text, text, text, text, jsonb, jsonb) IS
  'Creates a trigger of ledger_protect(), which goes with the extension';

CREATE FUNCTION ledger_keys(part regclass, label text, OUT "rows" bigint, OUT keys numeric[])
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT count(*), ARRAY[COALESCE(sum(k[1]), 0), COALESCE(sum(k[2]), 0), COALESCE(sum(k[3]), 0), COALESCE(sum(k[4]), 0)]
  FROM quality_gov.ledger_live(part, label) l CROSS JOIN LATERAL quality_gov.ledger_key_digest(l.subject) k
$$;
COMMENT ON FUNCTION ledger_keys(regclass, text) IS
  'How many rows a partition has and the sums of the digests of their subjects, which tell for good which rows they were';

CREATE FUNCTION ledger_partition_leave(part regclass, label text, detached boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  held record;
BEGIN
  IF detached IS DISTINCT FROM (
    SELECT NOT c.relispartition FROM pg_class c
    WHERE c.oid = part AND EXISTS (SELECT FROM quality_gov.guard g WHERE g.relation = part AND g.kind = 'ledger'
                                   AND g.options ->> 'label' = ledger_partition_leave.label AND g.options ? 'partition')) THEN
    RAISE EXCEPTION '"%" is not leaving protected table "%"', part, label USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'ledger_detach() and TRUNCATE enter what they do themselves.';
  END IF;
  SELECT * INTO held FROM quality_gov.ledger_keys(part, label);
  PERFORM quality_gov.ledger_record('row_truncate', label, jsonb_build_object(
    'relation', label, 'partition', part::text, 'detached', detached, 'rows', held."rows", 'keys', held.keys::text[]));
END
$$;
COMMENT ON FUNCTION ledger_partition_leave(regclass, text, boolean) IS
  'Enters that the rows of a partition leave a protected table together: how many, and the sums of their digests';

CREATE FUNCTION ledger_truncate() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  -- What a partition holds is in those below it.
  IF (SELECT c.relkind FROM pg_class c WHERE c.oid = TG_RELID) = 'r' THEN
    PERFORM quality_gov.ledger_partition_leave(TG_RELID, TG_ARGV[2]::jsonb ->> 'label', false);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger_truncate() IS 'Trigger of ledger_protect() on partitions: enters TRUNCATE with what they held';

CREATE FUNCTION ledger_protect_partitions(relation regclass) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  part regclass;
  shown record;
  added integer := 0;
BEGIN
  SELECT g.mapping, g.options INTO shown FROM quality_gov.guard g
  WHERE g.relation = ledger_protect_partitions.relation AND g.kind = 'ledger' LIMIT 1;
  FOR part IN SELECT t.relid FROM pg_partition_tree(relation) t
              WHERE t.relid <> relation AND NOT EXISTS (SELECT FROM pg_trigger x WHERE x.tgrelid = t.relid AND x.tgname = 'quality_gov_ledger_truncate') LOOP
    shown.options := shown.options || jsonb_build_object('partition', part::text);
    PERFORM quality_gov.ledger_trigger_add(part, 'truncate', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT', 'ledger_truncate', shown.mapping, shown.options);
    IF shown.options ->> 'append_only' = 'true' THEN
      PERFORM quality_gov.ledger_trigger_add(part, 'refuse_truncate', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT', 'ledger_refuse', shown.mapping, shown.options);
    END IF;
    added := added + 1;
  END LOOP;
  RETURN added;
END
$$;
COMMENT ON FUNCTION ledger_protect_partitions(regclass) IS
  'Gives the partitions of a protected table that have none a trigger for TRUNCATE, which PostgreSQL does not hand down; how many';

CREATE FUNCTION ledger_baseline_part(part regclass, label text, first bigint, beyond bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp SET row_security = off
AS $$
DECLARE
  entered bigint;
BEGIN
  -- A row is locked before it is read, so that a change that comes first has its entry first.
  EXECUTE format($sql$
      WITH locked AS MATERIALIZED (
        SELECT "row of ours".ctid AS place FROM ONLY %s "row of ours"
        WHERE "row of ours".ctid >= '(%s,0)'::tid AND "row of ours".ctid < '(%s,0)'::tid
          AND NOT EXISTS (SELECT FROM quality_gov.ledger_entry e
                          WHERE e.subject = quality_gov.ledger_row_subject("row of ours".*, $1) AND e.kind ~ '^row_' AND e.entry_id > $2)
        FOR SHARE OF "row of ours")
      SELECT count(*) FILTER (WHERE quality_gov.ledger_row_enter($3, l.place)) FROM locked l $sql$, part, first, beyond)
    INTO entered USING label, (SELECT max(e.entry_id) FROM quality_gov.ledger_entry e
                               WHERE e.subject = ledger_baseline_part.label AND e.kind = 'ledger_protect'), part;
  RETURN entered;
END
$$;
COMMENT ON FUNCTION ledger_baseline_part(regclass, text, bigint, bigint) IS
  'Enters the rows of some blocks of a table that have no entry since it was protected; for ledger_baseline() and ledger_protect()';

CREATE PROCEDURE ledger_baseline(relation regclass, blocks integer DEFAULT 1000)
  LANGUAGE plpgsql
AS $$
DECLARE
  shown record;
  part regclass;
  known text;
  size bigint;
BEGIN
  -- What commits cannot have a setting of its own.
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, quality_gov, pg_temp', true);
  known := quality_gov.ledger_label(relation);
  SELECT p.* INTO shown FROM quality_gov.ledger_protected p WHERE p.label = known AND p.ended_at IS NULL;
  IF blocks IS NULL OR blocks < 1 THEN
    RAISE EXCEPTION 'blocks must be at least 1, found %', COALESCE(blocks::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF shown.label IS NULL THEN
    RAISE EXCEPTION 'table "%" is not protected', relation USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'SELECT quality_gov.ledger_protect(...) protects it.';
  END IF;
  FOR part IN SELECT t.relid FROM pg_catalog.pg_partition_tree(relation) t WHERE t.isleaf
              UNION ALL SELECT relation WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(relation)) LOOP
    size := pg_catalog.pg_relation_size(part) / pg_catalog.current_setting('block_size')::bigint;
    FOR i IN 0 .. size / blocks LOOP
      PERFORM quality_gov.ledger_baseline_part(part, known, i * blocks::bigint, (i + 1) * blocks::bigint);
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, quality_gov, pg_temp', true);
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON PROCEDURE ledger_baseline(regclass, integer) IS
  'Enters the rows of a protected table that have no entry yet, committing after so many blocks; may be stopped and called again; writers go on, but for rows of the batch at work';

CREATE FUNCTION ledger_protect(relation regclass, append_only boolean DEFAULT false, sensitive text[] DEFAULT '{}',
                               retention text DEFAULT 'record_retention', baseline boolean DEFAULT true) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  label text := quality_gov.ledger_label(relation);
  columns jsonb;
  options jsonb := jsonb_build_object('label', label, 'append_only', append_only::text, 'retention', retention);
  kind "char" := (SELECT c.relkind FROM pg_class c WHERE c.oid = relation);
  unfit text;
  part regclass;
BEGIN
  IF relation IS NULL OR append_only IS NULL OR sensitive IS NULL OR array_position(sensitive, NULL) IS NOT NULL OR retention IS NULL OR baseline IS NULL THEN
    RAISE EXCEPTION 'relation, append_only, sensitive, retention and baseline cannot be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'a table must be protected at isolation level read committed' USING ERRCODE = 'active_sql_transaction',
      DETAIL = 'An older snapshot would not show every row that was written before.';
  END IF;
  IF kind IS NULL OR kind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION '"%" is not a table', relation USING ERRCODE = 'wrong_object_type';
  END IF;
  IF (SELECT c.relpersistence FROM pg_class c WHERE c.oid = relation) <> 'p' THEN
    RAISE EXCEPTION 'table "%" is temporary or unlogged', relation USING ERRCODE = 'feature_not_supported',
      DETAIL = 'The ledger would outlive its rows.';
  END IF;
  IF (SELECT c.relnamespace FROM pg_class c WHERE c.oid = relation) = 'quality_gov'::regnamespace THEN
    RAISE EXCEPTION 'table "%" is the extension''s own', relation USING ERRCODE = 'wrong_object_type',
      DETAIL = 'The functions that write it enter what they decide themselves.';
  END IF;
  IF (SELECT c.relispartition FROM pg_class c WHERE c.oid = relation) THEN
    RAISE EXCEPTION 'table "%" is a partition', relation USING ERRCODE = 'wrong_object_type',
      HINT = 'Protect the partitioned table.';
  END IF;
  IF EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = relation)
     OR kind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = relation) THEN
    RAISE EXCEPTION 'table "%" inherits, or is inherited from', relation USING ERRCODE = 'feature_not_supported',
      DETAIL = 'A change by way of the parent fires no trigger of the child.', HINT = 'Use a partitioned table.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary AND i.indimmediate) THEN
    RAISE EXCEPTION 'table "%" has no primary key, or a deferrable one', relation USING ERRCODE = 'object_not_in_prerequisite_state',
      DETAIL = 'The ledger tells rows by their keys.';
  END IF;
  SELECT string_agg(quote_ident(s), ', ') INTO unfit FROM unnest(sensitive) s
  WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = s AND a.attnum > 0 AND NOT a.attisdropped)
     OR EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = ANY (i.indkey)
                WHERE i.indrelid = relation AND i.indisprimary AND a.attname = s);
  IF unfit IS NOT NULL THEN
    RAISE EXCEPTION 'table "%" cannot keep % apart', relation, unfit USING ERRCODE = 'undefined_column',
      DETAIL = 'Sensitive columns must be of the table, and not of its primary key.';
  END IF;
  IF append_only AND sensitive <> '{}' THEN
    RAISE EXCEPTION 'an append-only table has no sensitive columns' USING ERRCODE = 'invalid_parameter_value',
      DETAIL = 'Its entries hold no image of the row, and nothing in it could be erased.';
  END IF;
  IF quality_gov.ledger_keep(retention) IS NULL THEN
    RAISE EXCEPTION 'no legal figure "%" is a period', retention USING ERRCODE = 'undefined_object',
      DETAIL = 'Its unit must be day, month or year, and it must be in force.', HINT = 'Table quality_gov.legal_figure lists them.';
  END IF;
  EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', relation);
  IF EXISTS (SELECT FROM quality_gov.guard g WHERE g.relation = ledger_protect.relation AND g.kind = 'ledger') THEN
    RAISE EXCEPTION 'table "%" is protected already', relation USING ERRCODE = 'duplicate_object',
      HINT = format('End it first: SELECT quality_gov.ledger_unprotect(%L).', relation);
  END IF;
  IF EXISTS (SELECT FROM quality_gov.guard g WHERE g.kind = 'ledger' AND g.options ->> 'label' = label AND NOT g.options ? 'partition') THEN
    RAISE EXCEPTION 'the ledger knows another table by the name "%"', label USING ERRCODE = 'duplicate_object',
      DETAIL = 'A table keeps the name that it had when it was protected.', HINT = 'Rename this one before you protect it.';
  END IF;
  columns := COALESCE((SELECT jsonb_object_agg(s, quote_ident(s)) FROM unnest(sensitive) s), '{}');
  IF kind = 'p' THEN
    PERFORM quality_gov.ledger_trigger_add(relation, 'row', 'AFTER INSERT OR UPDATE OR DELETE', 'FOR EACH ROW', 'ledger_row', columns, options);
  ELSE
    PERFORM quality_gov.ledger_trigger_add(relation, 'insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', 'ledger_row', columns, options),
            quality_gov.ledger_trigger_add(relation, 'update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS fresh FOR EACH STATEMENT', 'ledger_row', columns, options),
            quality_gov.ledger_trigger_add(relation, 'delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT', 'ledger_row', columns, options);
  END IF;
  IF kind = 'r' AND NOT append_only THEN
    PERFORM quality_gov.ledger_trigger_add(relation, 'begin', 'BEFORE INSERT OR UPDATE OR DELETE', 'FOR EACH STATEMENT', 'ledger_begin', columns, options);
  END IF;
  PERFORM quality_gov.ledger_trigger_add(relation, 'truncate', 'AFTER TRUNCATE', 'FOR EACH STATEMENT', 'ledger_row', columns, options);
  IF append_only THEN
    -- Rows of a partition have no statement of their own.
    PERFORM quality_gov.ledger_trigger_add(relation, 'refuse', 'BEFORE UPDATE OR DELETE', CASE kind WHEN 'p' THEN 'FOR EACH ROW' ELSE 'FOR EACH STATEMENT' END,
      'ledger_refuse', columns, options);
    PERFORM quality_gov.ledger_trigger_add(relation, 'refuse_truncate', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT', 'ledger_refuse', columns, options);
  END IF;
  PERFORM quality_gov.ledger_protect_partitions(relation);
  PERFORM quality_gov.ledger_protected_note(label);
  IF baseline THEN
    FOR part IN SELECT t.relid FROM pg_partition_tree(relation) t WHERE t.isleaf
                UNION ALL SELECT relation WHERE NOT EXISTS (SELECT FROM pg_partition_tree(relation)) LOOP
      PERFORM quality_gov.ledger_baseline_part(part, label, 0, 4294967295);
    END LOOP;
  END IF;
END
$$;
COMMENT ON FUNCTION ledger_protect(regclass, boolean, text[], text, boolean) IS
  'Enters every INSERT, UPDATE, DELETE and TRUNCATE of a table in the ledger with the row and its key, and the rows already there (baseline; false: CALL ledger_baseline() does it in batches). append_only refuses changes, and its entries hold a digest in place of the row. sensitive columns enter as commitments, their values kept apart so that ledger_erase() can delete them after the retention of a legal_figure. Takes a SHARE ROW EXCLUSIVE lock';

CREATE FUNCTION ledger_unprotect(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  label text := quality_gov.ledger_label(relation);
  part regclass;
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.guard g WHERE g.relation = ledger_unprotect.relation AND g.kind = 'ledger' AND NOT g.options ? 'partition') THEN
    RAISE EXCEPTION 'table "%" is not protected', relation USING ERRCODE = 'undefined_object',
      HINT = 'Table quality_gov.ledger_protected lists those that are, by the names they had then.';
  END IF;
  PERFORM quality_gov.guard_remove(relation, 'ledger');
  FOR part IN SELECT g.relation FROM quality_gov.guard g JOIN pg_partition_tree(ledger_unprotect.relation) t ON t.relid = g.relation
              WHERE g.kind = 'ledger' LOOP
    PERFORM quality_gov.guard_remove(part, 'ledger');
  END LOOP;
  PERFORM quality_gov.ledger_protected_note(label);
END
$$;
COMMENT ON FUNCTION ledger_unprotect(regclass) IS
  'Ends what ledger_protect() began: further changes of the table are not entered, which is an entry itself; 42704 for a table that is not protected';

CREATE FUNCTION ledger_detach(part regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  root regclass := (SELECT a.relid FROM pg_partition_ancestors(part) WITH ORDINALITY a(relid, n) ORDER BY a.n DESC LIMIT 1);
  parent regclass := (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = part);
  label text;
  leaf regclass;
BEGIN
  SELECT g.options ->> 'label' INTO label FROM quality_gov.guard g WHERE g.relation = root AND g.kind = 'ledger' LIMIT 1;
  IF label IS NULL OR root = part THEN
    RAISE EXCEPTION '"%" is not a partition of a protected table', part USING ERRCODE = 'wrong_object_type';
  END IF;
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', part);
  -- A partition that came after the last maintenance() has no trigger yet, which tells whose it was.
  IF NOT EXISTS (SELECT FROM quality_gov.guard g WHERE g.relation = part AND g.options ? 'partition') THEN
    PERFORM quality_gov.ledger_protect_partitions(root);
  END IF;
  EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, part);
  PERFORM quality_gov.ledger_partition_leave(part, label, true);
  FOR leaf IN SELECT g.relation FROM quality_gov.guard g
              WHERE g.kind = 'ledger' AND g.relation IN (SELECT part UNION SELECT t.relid FROM pg_partition_tree(part) t) LOOP
    PERFORM quality_gov.guard_remove(leaf, 'ledger');
  END LOOP;
END
$$;
COMMENT ON FUNCTION ledger_detach(regclass) IS
  'Detaches a partition from a protected table and enters that its rows are no longer there; the table lives on without protection, to be kept or dropped; 42809 for anything else';

CREATE FUNCTION ledger_partitions_due(at timestamptz) RETURNS text
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT format('%s partitions', COALESCE(sum(quality_gov.ledger_protect_partitions(g.relation)), 0))
  FROM (SELECT DISTINCT x.relation FROM quality_gov.guard x JOIN pg_class c ON c.oid = x.relation
        WHERE x.kind = 'ledger' AND c.relkind = 'p' AND NOT c.relispartition) g
$$;
COMMENT ON FUNCTION ledger_partitions_due(timestamptz) IS 'Task of maintenance(): new partitions of protected tables have their TRUNCATE entered too';
INSERT INTO maintenance_task VALUES
  ('ledger_partitions', 94, 'quality_gov.ledger_partitions_due', 'Lets TRUNCATE of new partitions of protected tables be entered', true);
