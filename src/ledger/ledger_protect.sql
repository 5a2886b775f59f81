
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
CREATE FUNCTION ledger_refuse() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_ledger_refuse' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_refuse() IS 'Trigger of ledger_protect(append_only => true): refuses changes of rows with SQLSTATE QG003';

CREATE FUNCTION ledger_row_image("row" record) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'qg_ledger_row_image' LANGUAGE c STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION ledger_row_image(record) IS
  'A table''s row as the ledger writes it, whatever the session''s settings: numbers of fixed size as numbers, numeric as a string of its digits, dates and times in ISO 8601 and UTC, bytea in hexadecimal, arrays and jsonb as such, other types as they write themselves; 55000 for a table without a primary key';
CREATE FUNCTION ledger_row_subject("row" record, label text) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_ledger_row_subject' LANGUAGE c STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION ledger_row_subject(record, text) IS 'Subject of the entries of a table''s row: the table''s name in the ledger and the key';
CREATE FUNCTION ledger_row_enter("row" record, kind text, label text, append_only boolean, sensitive text[]) RETURNS void
  AS 'MODULE_PATHNAME', 'qg_ledger_row_enter' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_row_enter(record, text, text, boolean, text[]) IS 'Enters a row as it stands, as the triggers of ledger_protect() do; for ledger_baseline()';

CREATE FUNCTION ledger_label(relation regclass) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT COALESCE((SELECT g.options ->> 'label' FROM quality_gov.guard g WHERE g.relation = ledger_label.relation AND g.kind = 'ledger' LIMIT 1),
                  (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation))
$$;
COMMENT ON FUNCTION ledger_label(regclass) IS 'Name of a table in the ledger: the one it had when it was protected';

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
    PERFORM quality_gov.ledger_trigger_add(part, 'truncate', 'AFTER TRUNCATE', 'FOR EACH STATEMENT', 'ledger_row', shown.mapping,
      shown.options || jsonb_build_object('partition', part::text));
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

CREATE FUNCTION ledger_baseline_part(part regclass, label text, append_only boolean, sensitive text[], first bigint, beyond bigint)
  RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  entered bigint;
BEGIN
  -- A row is locked before it is read, so that a change that comes first has its entry first.
  EXECUTE format($sql$
      WITH locked AS MATERIALIZED (
        SELECT "row of ours" AS r FROM ONLY %s "row of ours"
        WHERE "row of ours".ctid >= '(%s,0)'::tid AND "row of ours".ctid < '(%s,0)'::tid
          AND NOT EXISTS (SELECT FROM quality_gov.ledger_entry e
                          WHERE e.subject = quality_gov.ledger_row_subject("row of ours", $1) AND e.kind ~ '^row_')
        FOR SHARE OF "row of ours")
      SELECT count(quality_gov.ledger_row_enter(l.r, 'row_baseline', $1, $2, $3)::text) FROM locked l $sql$, part, first, beyond)
    INTO entered USING label, append_only, sensitive;
  RETURN entered;
END
$$;
COMMENT ON FUNCTION ledger_baseline_part(regclass, text, boolean, text[], bigint, bigint) IS
  'Enters the rows of some blocks of a table that have no entry; for ledger_baseline() and ledger_protect()';

CREATE PROCEDURE ledger_baseline(relation regclass, blocks integer DEFAULT 1000)
  LANGUAGE plpgsql
AS $$
DECLARE
  shown record;
  part regclass;
  label text := quality_gov.ledger_label(relation);
  size bigint;
BEGIN
  SELECT p.* INTO shown FROM quality_gov.ledger_protected p WHERE p.label = ledger_baseline.label AND p.ended_at IS NULL;
  IF shown.label IS NULL THEN
    RAISE EXCEPTION 'table "%" is not protected', relation USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'SELECT quality_gov.ledger_protect(...) protects it.';
  END IF;
  FOR part IN SELECT t.relid FROM pg_catalog.pg_partition_tree(relation) t WHERE t.isleaf
              UNION ALL SELECT relation WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(relation)) LOOP
    size := pg_catalog.pg_relation_size(part) / pg_catalog.current_setting('block_size')::bigint;
    FOR i IN 0 .. size / blocks LOOP
      PERFORM quality_gov.ledger_baseline_part(part, label, shown.append_only, shown.sensitive, i * blocks::bigint, (i + 1) * blocks::bigint);
      COMMIT;
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
  options jsonb := jsonb_build_object('label', label, 'append_only', append_only::text);
  kind "char" := (SELECT c.relkind FROM pg_class c WHERE c.oid = relation);
  unfit text;
  part regclass;
BEGIN
  IF append_only IS NULL OR sensitive IS NULL OR baseline IS NULL THEN
    RAISE EXCEPTION 'append_only, sensitive and baseline cannot be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF kind IS NULL OR kind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION '"%" is not a table', relation USING ERRCODE = 'wrong_object_type';
  END IF;
  IF (SELECT c.relnamespace FROM pg_class c WHERE c.oid = relation) = 'quality_gov'::regnamespace THEN
    RAISE EXCEPTION 'table "%" is the extension''s own', relation USING ERRCODE = 'wrong_object_type',
      DETAIL = 'The functions that write it enter what they decide themselves.';
  END IF;
  IF (SELECT c.relispartition FROM pg_class c WHERE c.oid = relation) THEN
    RAISE EXCEPTION 'table "%" is a partition', relation USING ERRCODE = 'wrong_object_type',
      HINT = 'Protect the partitioned table.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary) THEN
    RAISE EXCEPTION 'table "%" has no primary key', relation USING ERRCODE = 'object_not_in_prerequisite_state',
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
  IF NOT EXISTS (SELECT FROM quality_gov.legal_figure f WHERE f.figure = retention) THEN
    RAISE EXCEPTION 'unknown legal figure "%"', retention USING ERRCODE = 'undefined_object',
      HINT = 'Table quality_gov.legal_figure lists them.';
  END IF;
  EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', relation);
  IF EXISTS (SELECT FROM quality_gov.guard g WHERE g.relation = ledger_protect.relation AND g.kind = 'ledger') THEN
    RAISE EXCEPTION 'table "%" is protected already', relation USING ERRCODE = 'duplicate_object',
      HINT = format('End it first: SELECT quality_gov.ledger_unprotect(%L).', relation);
  END IF;
  columns := COALESCE((SELECT jsonb_object_agg(s, s) FROM unnest(sensitive) s), '{}');
  IF kind = 'p' THEN
    PERFORM quality_gov.ledger_trigger_add(relation, 'row', 'AFTER INSERT OR UPDATE OR DELETE', 'FOR EACH ROW', 'ledger_row', columns, options);
  ELSE
    PERFORM quality_gov.ledger_trigger_add(relation, 'insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', 'ledger_row', columns, options),
            quality_gov.ledger_trigger_add(relation, 'update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS fresh FOR EACH STATEMENT', 'ledger_row', columns, options),
            quality_gov.ledger_trigger_add(relation, 'delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT', 'ledger_row', columns, options);
  END IF;
  PERFORM quality_gov.ledger_trigger_add(relation, 'truncate', 'AFTER TRUNCATE', 'FOR EACH STATEMENT', 'ledger_row', columns, options);
  IF append_only THEN
    -- Rows of a partition have no statement of their own.
    PERFORM quality_gov.ledger_trigger_add(relation, 'refuse', 'BEFORE UPDATE OR DELETE', CASE kind WHEN 'p' THEN 'FOR EACH ROW' ELSE 'FOR EACH STATEMENT' END,
      'ledger_refuse', columns, options);
    PERFORM quality_gov.ledger_trigger_add(relation, 'refuse_truncate', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT', 'ledger_refuse', columns, options);
  END IF;
  PERFORM quality_gov.ledger_protect_partitions(relation);
  INSERT INTO quality_gov.ledger_protected AS p (label, append_only, sensitive, retention) VALUES (label, append_only, sensitive, retention)
  ON CONFLICT ON CONSTRAINT ledger_protected_pkey DO UPDATE SET append_only = excluded.append_only, sensitive = excluded.sensitive,
    retention = excluded.retention, since = excluded.since, ended_at = NULL;
  PERFORM quality_gov.ledger_record('ledger_protect', label, jsonb_build_object('relation', label, 'append_only', append_only, 'sensitive', sensitive, 'retention', retention));
  IF baseline THEN
    FOR part IN SELECT t.relid FROM pg_partition_tree(relation) t WHERE t.isleaf
                UNION ALL SELECT relation WHERE NOT EXISTS (SELECT FROM pg_partition_tree(relation)) LOOP
      PERFORM quality_gov.ledger_baseline_part(part, label, append_only, sensitive, 0, 4294967295);
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
  PERFORM quality_gov.guard_remove(relation, 'ledger');
  FOR part IN SELECT g.relation FROM quality_gov.guard g JOIN pg_partition_tree(ledger_unprotect.relation) t ON t.relid = g.relation
              WHERE g.kind = 'ledger' LOOP
    PERFORM quality_gov.guard_remove(part, 'ledger');
  END LOOP;
  UPDATE quality_gov.ledger_protected p SET ended_at = clock_timestamp() WHERE p.label = ledger_unprotect.label;
  PERFORM quality_gov.ledger_record('ledger_unprotect', label, jsonb_build_object('relation', label));
END
$$;
COMMENT ON FUNCTION ledger_unprotect(regclass) IS
  'Ends what ledger_protect() began: further changes of the table are not entered, which is an entry itself; 42704 for a table that is not protected';

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
