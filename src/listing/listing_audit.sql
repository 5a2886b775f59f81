
-- listing: auditing the rows that are in a guarded table already

CREATE TABLE listing_audit_run (
  run_id bigint GENERATED ALWAYS AS IDENTITY,
  relation text NOT NULL,
  at timestamptz,
  hold boolean NOT NULL,
  role text NOT NULL,
  rows_estimated bigint NOT NULL,
  rows_done bigint NOT NULL DEFAULT 0,
  listings_found bigint NOT NULL DEFAULT 0,
  listings_held bigint NOT NULL DEFAULT 0,
  last_key jsonb,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  CONSTRAINT listing_audit_run_pkey PRIMARY KEY (run_id)
);
COMMENT ON TABLE listing_audit_run IS
  'Progress of listing_audit(): rows judged so far and estimated in all, listings that something was found on, listings held, the primary key of the last row judged; finished_at is null while it runs or waits to be taken up again';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_audit_run', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_audit_run_run_id_seq', '');

CREATE FUNCTION listing_audit_row(relation regclass, listing record, at timestamptz, record boolean,
                                  held boolean DEFAULT false) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_listing_audit_row' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION listing_audit_row(regclass, record, timestamptz, boolean, boolean) IS
  'Verdict of a table''s guard on one of its rows, null where it is clean; with record true what is found becomes a decision "AUDIT", with held true, where it holds the row, "AUDIT held", written by listing_audit_write()';

CREATE FUNCTION listing_audit_write() RETURNS void
  AS 'MODULE_PATHNAME', 'qg_listing_audit_write' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION listing_audit_write() IS 'Writes the decisions that listing_audit_row() has taken';

CREATE FUNCTION listing_audit_begin(relation regclass, batch integer, at timestamptz, hold boolean) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  guarded quality_gov.guard;
  run bigint;
BEGIN
  IF relation IS NULL OR batch IS NULL OR hold IS NULL THEN
    RAISE EXCEPTION 'relation, batch and hold must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF batch NOT BETWEEN 1 AND 100000 THEN
    RAISE EXCEPTION 'batch must be from 1 to 100000, found %', batch USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT isfinite(at) THEN
    RAISE EXCEPTION 'the instant to judge as of must be finite' USING ERRCODE = 'datetime_field_overflow';
  END IF;
  SELECT * INTO guarded FROM quality_gov.guard g WHERE g.relation = listing_audit_begin.relation AND g.kind = 'listing';
  IF guarded.relation IS NULL THEN
    RAISE EXCEPTION 'table "%" has no guard of kind "listing"', relation
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Attach one with quality_gov.guard_listing().';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary) THEN
    RAISE EXCEPTION 'table "%" has no primary key', relation
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'An audit goes by its order, and resumes behind the last key.';
  END IF;
  IF hold AND NOT guarded.mapping ? 'status' THEN
    RAISE EXCEPTION 'the guard of table "%" maps no "status" to hold listings by', relation
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  SELECT r.run_id INTO run FROM quality_gov.listing_audit_run r
  WHERE r.relation = listing_audit_begin.relation::text AND r.finished_at IS NULL
    AND r.at IS NOT DISTINCT FROM listing_audit_begin.at AND r.hold = listing_audit_begin.hold
  ORDER BY r.run_id DESC LIMIT 1;
  IF run IS NULL THEN
    INSERT INTO quality_gov.listing_audit_run (relation, at, hold, role, rows_estimated)
    SELECT listing_audit_begin.relation::text, at, hold, session_user, COALESCE(sum(greatest(c.reltuples, 0)), 0)
    FROM pg_partition_tree(listing_audit_begin.relation) t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf
    RETURNING run_id INTO run;
  END IF;
  RETURN run;
END
$$;
COMMENT ON FUNCTION listing_audit_begin(regclass, integer, timestamptz, boolean) IS
  'Run of an audit that was not finished, else a new one; listing_audit() calls it';

CREATE FUNCTION listing_audit_claim(run bigint) RETURNS listing_audit_run
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  claimed quality_gov.listing_audit_run;
BEGIN
  SELECT * INTO claimed FROM quality_gov.listing_audit_run r WHERE r.run_id = run FOR UPDATE NOWAIT;
  RETURN claimed;
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION 'run % of the audit is going on in another session', run USING ERRCODE = 'lock_not_available';
END
$$;
COMMENT ON FUNCTION listing_audit_claim(bigint) IS
  'Row of a run, locked for the transaction; 55P03 where another session has it';

CREATE FUNCTION listing_audit_note(run bigint, judged bigint, hits bigint, held bigint, last_key jsonb, finished boolean)
  RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  UPDATE quality_gov.listing_audit_run r
  SET rows_done = r.rows_done + judged, listings_found = r.listings_found + hits, listings_held = r.listings_held + held,
      last_key = COALESCE(listing_audit_note.last_key, r.last_key), updated_at = clock_timestamp(),
      finished_at = CASE WHEN finished THEN clock_timestamp() END
  WHERE r.run_id = run;
  IF finished THEN
    PERFORM quality_gov.ledger_record('listing_audit', r.relation, to_jsonb(r)) FROM quality_gov.listing_audit_run r WHERE r.run_id = run;
  END IF;
END
$$;
COMMENT ON FUNCTION listing_audit_note(bigint, bigint, bigint, bigint, jsonb, boolean) IS
  'Adds a batch to the progress of a run; a finished run is entered in the ledger';

CREATE FUNCTION listing_audit_step(run bigint, batch integer) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  this quality_gov.listing_audit_run := quality_gov.listing_audit_claim(run);
  rel regclass := to_regclass(this.relation);
  guarded quality_gov.guard;
  keys text;
  casts text;
  elements text;
  judged bigint;
  last_key jsonb;
  dirty jsonb[];
  to_hold jsonb[] := '{}';
  hits bigint := 0;
  held bigint := 0;
  column_name text;
  tables oid[];
  places tid[];
BEGIN
  IF this.run_id IS NULL OR batch IS NULL OR batch < 1 THEN
    RAISE EXCEPTION 'a step is of a run of listing_audit() and of one row or more, found run % and batch %',
      COALESCE(run::text, 'null'), COALESCE(batch::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO guarded FROM quality_gov.guard g WHERE g.relation = rel AND g.kind = 'listing';
  SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY k.n),
         string_agg(format('(k ->> %s)::%s', k.n - 1, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY k.n)
  INTO keys, casts
  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = rel AND i.indisprimary AND k.n <= i.indnkeyatts;
  elements := format('(%s) IN (SELECT %s FROM unnest($2) k)', keys, casts);
  -- Judged without locks, since most rows are clean.
  EXECUTE format(
    'SELECT count(*), (array_agg(s.key))[count(*)], COALESCE(array_agg(s.key) FILTER (WHERE s.found), ''{}'')
     FROM (SELECT b.key, quality_gov.listing_audit_row(%L, b.t, $1, false) IS NOT NULL AS found
           FROM (SELECT t.*::%s AS t, jsonb_build_array(%s) AS key FROM %2$s t
                 WHERE %4$s ORDER BY %3$s LIMIT %5$s) b) s',
    rel::oid, rel, keys, CASE WHEN this.last_key IS NULL THEN 'true' ELSE
      format('(%s) > (SELECT %s FROM (SELECT %L::jsonb) x(k))', keys, casts, this.last_key) END, batch)
    INTO judged, last_key, dirty USING this.at;
  IF dirty <> '{}' THEN
    -- What was found is judged once more under a lock, so that no change comes between it and its record.
    EXECUTE format(
      'SELECT count(*), COALESCE(array_agg(s.key) FILTER (WHERE s.held), ''{}'')
       FROM (SELECT v.key, v.held, CASE WHEN v.held OR v.verdict IS NULL THEN v.verdict
                                        ELSE quality_gov.listing_audit_row(%L, v.t, $1, true) END AS verdict
             FROM (SELECT b.t, b.key, b.verdict, $3 AND b.verdict IN (''quarantine'', ''deny'') AS held
                   FROM (SELECT l.t, l.key, quality_gov.listing_audit_row(%1$L, l.t, $1, false) AS verdict
                         FROM (SELECT t.*::%2$s AS t, jsonb_build_array(%3$s) AS key FROM %2$s t WHERE %4$s ORDER BY %3$s FOR SHARE) l
                         OFFSET 0) b) v OFFSET 0) s
       WHERE s.verdict IS NOT NULL', rel::oid, rel, keys, elements)
      INTO hits, to_hold USING this.at, dirty, this.hold;
    PERFORM quality_gov.listing_audit_write();
  END IF;
  IF to_hold <> '{}' THEN
    column_name := (quality_gov.mapping_parse(guarded.mapping ->> 'status')).column_name;
    EXECUTE format('SELECT array_agg(t.tableoid), array_agg(t.ctid) FROM %s t WHERE %s AND t.%I::text IS DISTINCT FROM %L',
                   rel, elements, column_name, guarded.options ->> 'held')
      INTO tables, places USING NULL, to_hold;
    held := (quality_gov.listing_status_write(rel, column_name, guarded.options ->> 'held', guarded.options ->> 'held',
                                              tables, places)).updated;
    -- The update is judged by the rules of now, which may find nothing or something else; what held the row is told.
    EXECUTE format('SELECT count(quality_gov.listing_audit_row(%L, l.t, $1, true, l.held))
                    FROM (SELECT t.*::%s AS t, COALESCE(t.%I::text = %L, false) AS held FROM %2$s t WHERE %5$s ORDER BY %6$s) l',
                   rel::oid, rel, column_name, guarded.options ->> 'held', elements, keys)
      USING this.at, to_hold;
    PERFORM quality_gov.listing_audit_write();
  END IF;
  PERFORM quality_gov.listing_audit_note(run, judged, hits, held, last_key, judged < batch);
  RETURN judged = batch;
END
$$;
COMMENT ON FUNCTION listing_audit_step(bigint, integer) IS
  'Audits the next batch of a run, with the caller''s rights on the table; decisions and progress belong to one transaction; false when it was the last';

CREATE FUNCTION listing_status_write(relation regclass, column_name text, status text, held text, tables oid[], places tid[],
                                     OUT updated integer, OUT still_held integer)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  command text := (
    SELECT format(
      'WITH changed AS (UPDATE %s t SET %I = $3::%I.%I WHERE t.ctid = ANY ($2)
                        AND (t.tableoid, t.ctid) IN (SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) u)
                        RETURNING t.%2$I::text AS status)
       SELECT count(*), count(*) FILTER (WHERE status = $4) FROM changed', relation, column_name, n.nspname, y.typname)
    FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid JOIN pg_namespace n ON n.oid = y.typnamespace
    WHERE a.attrelid = relation AND a.attname = column_name AND NOT a.attisdropped);
BEGIN
  -- The platform's own triggers run under the path they are used to; no type or operator of ours is looked up by it.
  SET LOCAL search_path TO DEFAULT;
  EXECUTE command INTO updated, still_held USING tables, places, status, held;
END
$$;
COMMENT ON FUNCTION listing_status_write(regclass, text, text, text, oid[], tid[]) IS
  'Sets the status of locked rows, by their places in their tables, with the caller''s rights and under the search path of the caller''s role; gives how many there were, and how many are held afterwards';

CREATE PROCEDURE listing_audit(relation regclass, batch integer DEFAULT 1000, at timestamptz DEFAULT NULL,
                               hold boolean DEFAULT false)
  AS 'MODULE_PATHNAME', 'qg_listing_audit' LANGUAGE c;
COMMENT ON PROCEDURE listing_audit(regclass, integer, timestamptz, boolean) IS
  'Audits the rows that are in a guarded table already, a transaction a batch in the order of the primary key; an audit that was cut short is taken up where it stopped; findings become decisions "AUDIT", which change no row; with hold true rows to be held or denied get the status that holds them, recorded as the update that does it or, where the rules of now would not, as "AUDIT held"; progress in listing_audit_run';
