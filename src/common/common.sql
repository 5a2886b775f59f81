
-- common: triggers that the extension's own tables carry

CREATE FUNCTION cache_invalidate() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_cache_invalidate' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION cache_invalidate() IS
  'Trigger: tells every backend that the rows of a policy table changed';

CREATE FUNCTION append_only() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_append_only' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION append_only() IS
  'Trigger: refuses UPDATE, DELETE and TRUNCATE with SQLSTATE QG003';

CREATE FUNCTION append_only_lift(relation regclass) RETURNS void
  AS 'MODULE_PATHNAME', 'qg_append_only_lift' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION append_only_lift(regclass) IS
  'Lets the rest of the transaction delete from one append-only table; for the extension''s own functions that retire rows';

CREATE FUNCTION stamp_xid() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_stamp_xid' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION stamp_xid() IS
  'Trigger: sets the xid8 column named by its argument to the current transaction, also for restored rows';

CREATE FUNCTION builtin_protect() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  old_builtin boolean := TG_OP <> 'INSERT' AND (to_jsonb(OLD) ->> 'builtin')::boolean;
  new_builtin boolean := TG_OP <> 'DELETE' AND (to_jsonb(NEW) ->> 'builtin')::boolean;
BEGIN
  IF old_builtin OR new_builtin THEN
    RAISE EXCEPTION 'rows of "%" that the extension ships cannot be changed', TG_TABLE_NAME
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'A dump leaves them out, so a change would be lost.',
            HINT = 'Add a row of your own with "builtin" false.';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION builtin_protect() IS
  'Trigger: keeps the rows that the extension ships as they are';

-- common: services

CREATE FUNCTION name_key(name text) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_name_key' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION name_key(text) IS
  'Name as lists compare it: NFKC_Casefold without spaces, punctuation and invisible characters; null where nothing is left';

CREATE FUNCTION identity_digest(identity_number text) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_identity_digest' LANGUAGE c STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION identity_digest(text) IS
  'Keyed digest of an identity number: HMAC-SHA256 (RFC 2104), 64 hexadecimal digits, under the key of quality_gov.identity_key_file; the number itself is stored nowhere';

CREATE FUNCTION cache_state(OUT cache text, OUT valid boolean, OUT builds bigint, OUT bytes bigint)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_cache_state' LANGUAGE c VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION cache_state() IS
  'Caches of this backend: name, whether current, times built, bytes';

CREATE FUNCTION snapshot_delta(row_xid xid8, before pg_snapshot, now pg_snapshot) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (before IS NULL
          OR row_xid >= pg_snapshot_xmin(before) AND NOT pg_visible_in_snapshot(row_xid, before))
         AND pg_visible_in_snapshot(row_xid, now);
COMMENT ON FUNCTION snapshot_delta(xid8, pg_snapshot, pg_snapshot) IS
  'Whether a row written by row_xid is shown by one snapshot and was not by an earlier one; a missing earlier snapshot (none is dumped) means every row; never held up by open transactions';

-- common: texts with places

CREATE FUNCTION places_fill(body text, places jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  -- In one pass, so that what somebody wrote is never taken for a place.
  SELECT string_agg(CASE WHEN m.piece[1] IS NULL THEN m.piece[2]
                         WHEN places ? m.piece[1] THEN COALESCE(places ->> m.piece[1], '-')
                         ELSE '{' || m.piece[1] || '}' END, '' ORDER BY m.ordinality)
  FROM regexp_matches(body, '\{([a-z_]+)\}|([^{]+|\{)', 'g') WITH ORDINALITY AS m(piece, ordinality);
END;
COMMENT ON FUNCTION places_fill(text, jsonb) IS
  'A text with its {places} filled from an object; null prints as -, an unknown place stays as it is';

-- common: triggers on the platform's tables

CREATE VIEW guard WITH (security_barrier) AS
  SELECT t.tgrelid::regclass AS relation,
         a.args[1] AS kind,
         a.args[2]::jsonb AS mapping,
         a.args[3]::jsonb AS options,
         bool_and(t.tgenabled IN ('O', 'A')) AS enabled,
         array_agg(t.tgname::text ORDER BY t.tgname) AS triggers
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  CROSS JOIN LATERAL (
    SELECT array_agg(convert_from(decode(part, 'escape'), 'UTF8') ORDER BY ord) AS args
    FROM unnest(string_to_array(encode(t.tgargs, 'escape'), '\000')) WITH ORDINALITY AS s(part, ord)
    WHERE ord <= t.tgnargs) a
  WHERE p.pronamespace = 'quality_gov'::regnamespace
    AND c.relnamespace <> 'quality_gov'::regnamespace
    AND t.tgparentid = 0 AND t.tgnargs = 3
  GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW guard IS
  'Triggers of the extension on the platform''s tables: relation, kind, mapping, options, enabled';

CREATE FUNCTION mapping_parse(source text, OUT column_name text, OUT path text[])
  AS 'MODULE_PATHNAME', 'qg_mapping_parse' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mapping_parse(text) IS
  'Column and keys that a mapping names: column, or column -> ''key'' ->> ''key'' into jsonb, an integer for an element of an array; 42601 with the position where it reads otherwise';

CREATE FUNCTION generated_sources(relation regclass, column_name text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT string_agg(quote_ident(source.attname), ', ' ORDER BY source.attnum)
  FROM pg_attribute a
  JOIN pg_attrdef def ON def.adrelid = a.attrelid AND def.adnum = a.attnum
  CROSS JOIN LATERAL (
    SELECT DISTINCT d.refobjsubid FROM pg_depend d
    WHERE (d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid
           OR d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum)
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
      AND d.refobjsubid NOT IN (0, a.attnum)) d
  JOIN pg_attribute source ON source.attrelid = a.attrelid AND source.attnum = d.refobjsubid
  WHERE a.attrelid = relation AND a.attname = column_name
$$;
COMMENT ON FUNCTION generated_sources(regclass, text) IS
  'Columns that a generated column is computed from, null where there are none';

CREATE FUNCTION mapping_check(relation regclass, columns jsonb, required text[], typed jsonb,
                              closed boolean) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  rel pg_class;
  att pg_attribute;
  entry record;
  missing text;
  path text[];
  type oid;
  category "char";
BEGIN
  IF relation IS NULL OR columns IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN relation IS NULL THEN 'relation' ELSE 'columns' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO rel FROM pg_class WHERE oid = relation;
  IF rel.oid IS NULL THEN
    RAISE EXCEPTION 'relation % does not exist', relation USING ERRCODE = 'undefined_table';
  END IF;
  IF rel.relkind NOT IN ('r', 'p') OR rel.relnamespace IN ('quality_gov'::regnamespace, 'pg_catalog'::regnamespace) THEN
    RAISE EXCEPTION '"%" is %', relation,
      CASE WHEN rel.relkind IN ('r', 'p') THEN 'not a table of the platform'
           WHEN rel.relkind = 'v' THEN 'a view' WHEN rel.relkind = 'm' THEN 'a materialized view'
           WHEN rel.relkind = 'f' THEN 'a foreign table' ELSE 'not a table' END
      USING ERRCODE = 'wrong_object_type', HINT = 'Give an ordinary or partitioned table of the platform.';
  END IF;
  IF jsonb_typeof(columns) <> 'object' OR columns = '{}' THEN
    RAISE EXCEPTION 'columns must be a JSON object of column names, found %', left(columns::text, 60)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = format('For example: {"%s": "column name"}.', COALESCE(required[1], 'merchant_id'));
  END IF;
  SELECT string_agg(quote_ident(k), ', ') INTO missing FROM unnest(required) k WHERE NOT columns ? k;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'columns does not map %', missing USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR entry IN SELECT key, value, value #>> '{}' AS name FROM jsonb_each(columns) LOOP
    IF closed AND NOT (entry.key = ANY (required) OR typed ? entry.key) THEN
      RAISE EXCEPTION 'columns maps "%", which nothing here reads', entry.key
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(entry.value) <> 'string' THEN
      RAISE EXCEPTION 'columns maps "%" to %, expected a column name', entry.key, entry.value
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT p.column_name, p.path INTO entry.name, path FROM quality_gov.mapping_parse(entry.name) p;
    SELECT * INTO att FROM pg_attribute
    WHERE attrelid = relation AND attname = entry.name AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'column "%" of table "%" does not exist', entry.name, relation
        USING ERRCODE = 'undefined_column', DETAIL = format('"%s" is mapped to it.', entry.key);
    END IF;
    IF att.attgenerated <> '' THEN
      RAISE EXCEPTION 'column "%" of table "%" is generated', entry.name, relation
        USING ERRCODE = 'wrong_object_type',
              DETAIL = 'Its value is computed after a guard has read the row.',
              HINT = COALESCE('Map what it is computed from: ' || quality_gov.generated_sources(relation, entry.name) || '.',
                              'Map a column that is not computed.');
    END IF;
    -- A domain is what it is based on; what lies in a jsonb column is a text.
    WITH RECURSIVE base AS (
      SELECT t.oid, t.typbasetype, t.typcategory FROM pg_type t WHERE t.oid = att.atttypid
      UNION ALL SELECT t.oid, t.typbasetype, t.typcategory FROM base b JOIN pg_type t ON t.oid = b.typbasetype)
    SELECT b.oid, b.typcategory INTO type, category FROM base b WHERE b.typbasetype = 0;
    IF path <> '{}' THEN
      IF type <> 'jsonb'::regtype THEN
        RAISE EXCEPTION 'column "%" of table "%" is of type %', entry.name, relation,
          format_type(att.atttypid, att.atttypmod)
          USING ERRCODE = 'datatype_mismatch', DETAIL = format('"%s" is mapped to a value inside it, which needs jsonb.', entry.key),
                HINT = CASE WHEN type = 'json'::regtype THEN 'Change the column''s type to jsonb.' ELSE 'Map the column itself.' END;
      END IF;
      type := 'text'::regtype;
      category := 'S';
    END IF;
    IF category IN ('A', 'C', 'R', 'P')
       OR typed -> entry.key IS NOT NULL AND jsonb_array_length(typed -> entry.key) > 0
          AND NOT typed -> entry.key ? format_type(type, NULL) THEN
      RAISE EXCEPTION 'column "%" of table "%" is of type %', entry.name, relation,
        CASE path WHEN '{}' THEN format_type(att.atttypid, att.atttypmod) ELSE 'jsonb, and a value inside it a text' END
        USING ERRCODE = 'datatype_mismatch',
              DETAIL = format('"%s" needs %s.', entry.key, COALESCE(
                (SELECT string_agg(x, ' or ') FROM jsonb_array_elements_text(typed -> entry.key) x),
                'a single value'));
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION mapping_check(regclass, jsonb, text[], jsonb, boolean) IS
  'Raises an error unless columns maps the required names to usable columns, or values inside jsonb columns, of an ordinary or partitioned table';

CREATE FUNCTION guard_attach(relation regclass, kind text, columns jsonb, options jsonb, parts text[])
  RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  part text;
  name text;
BEGIN
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname IN (
               SELECT format('quality_gov_%s_%s', kind, ltrim(split_part(p, ' ', 1), '!')) FROM unnest(parts) p)) THEN
    RAISE EXCEPTION 'table "%" has a guard of kind "%" already', relation, kind
      USING ERRCODE = 'duplicate_object',
            HINT = format('Remove it first: SELECT quality_gov.guard_remove(%L, %L).', relation, kind);
  END IF;
  FOREACH part IN ARRAY parts LOOP
    -- Triggers fire in the order of their names.
    name := format(CASE WHEN starts_with(part, '!') THEN 'zz_' ELSE '' END || 'quality_gov_%s_%s',
                   kind, ltrim(split_part(part, ' ', 1), '!'));
    EXECUTE format('CREATE TRIGGER %I %s ON %s %s FOR EACH %s EXECUTE FUNCTION quality_gov.%I(%L, %L, %L)',
                   name, substr(part, strpos(part, ' ') + 1, strpos(part, ':') - strpos(part, ' ') - 1), relation,
                   'REFERENCING ' || nullif(split_part(part, ':', 4), ''), COALESCE(nullif(split_part(part, ':', 3), ''), 'ROW'), split_part(part, ':', 2), kind, columns, options);
    EXECUTE format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION quality_gov', name, relation);
  END LOOP;
END
$$;
COMMENT ON FUNCTION guard_attach(regclass, text, jsonb, jsonb, text[]) IS
  'Creates the triggers of a guard, each given as "suffix EVENTS:function" or "suffix EVENTS:function:STATEMENT", that with ":NEW TABLE AS name" for transition tables, a suffix with "!" before it to fire after other triggers, so that DROP EXTENSION takes them along';

CREATE FUNCTION guard_remove(relation regclass, kind text DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found_trigger text;
  removed integer := 0;
BEGIN
  FOR found_trigger IN
    SELECT unnest(g.triggers) FROM quality_gov.guard g
    WHERE g.relation = guard_remove.relation AND (guard_remove.kind IS NULL OR g.kind = guard_remove.kind)
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', found_trigger, relation);
    removed := removed + 1;
  END LOOP;
  IF removed = 0 THEN
    RAISE EXCEPTION 'table "%" has no guard%', relation, CASE WHEN kind IS NULL THEN '' ELSE format(' of kind "%s"', kind) END
      USING ERRCODE = 'undefined_object', HINT = 'The view quality_gov.guard lists the guards.';
  END IF;
  RETURN removed;
END
$$;
COMMENT ON FUNCTION guard_remove(regclass, text) IS
  'Drops the guard of a kind (all kinds by default) from a table; gives the number of triggers dropped; the caller must own the table';
