
-- ledger: what ledger_verify() looks for

CREATE FUNCTION ledger_place_fault(size bigint, OUT unsealed bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  held pg_snapshot := (SELECT w.seen FROM quality_gov.ledger_watermark w);
  floor bigint := COALESCE(quality_gov.ledger_floor(held), -9223372036854775808);
  oldest xid8 := pg_snapshot_xmin(held);
  hidden bigint;
  passed bigint;
  early bigint;
BEGIN
  SELECT count(*) - size, count(*) FILTER (WHERE e.xid >= oldest AND NOT pg_visible_in_snapshot(e.xid, held)) INTO unsealed, hidden FROM quality_gov.ledger_entry e;
  IF unsealed = 0 AND hidden = 0 THEN
    RETURN;
  END IF;
  WITH place AS MATERIALIZED (SELECT p.entry_id FROM quality_gov.ledger_place p),
  entry AS (
    SELECT e.entry_id, p.entry_id IS NOT NULL AS placed, pg_visible_in_snapshot(e.xid, held) AS shown
    FROM quality_gov.ledger_entry e LEFT JOIN place p ON p.entry_id = e.entry_id)
  SELECT count(*) FILTER (WHERE NOT e.placed), min(e.entry_id) FILTER (WHERE NOT e.placed AND (e.shown OR e.entry_id <= floor)),
         min(e.entry_id) FILTER (WHERE e.placed AND NOT e.shown)
  INTO unsealed, passed, early FROM entry e;
  first_bad := COALESCE(passed, early);
  reason := CASE WHEN passed IS NOT NULL THEN format('entry %s has no place, though the last seal should have taken it', passed)
                 WHEN early IS NOT NULL THEN format('entry %s has a place, though its transaction is not one that the last seal saw', early) END;
END
$$;
COMMENT ON FUNCTION ledger_place_fault(bigint) IS
  'Entries without a place in a log of so many leaves, and the first that should have one, or has one and should not; for ledger_verify()';

CREATE FUNCTION ledger_tile_fault(size bigint) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT format('tile %s of level %s is beyond the end of the log', t.tile_index, t.level)
  FROM (SELECT l.level, (ledger_tile_fault.size >> (8 * l.level)) AS hashes FROM generate_series(0, 7) l(level)) l
  JOIN quality_gov.ledger_tile t ON t.level = l.level AND (t.tile_index < 0 OR t.tile_index >= (l.hashes + 255) / 256)
  ORDER BY t.level, t.tile_index LIMIT 1
$$;
COMMENT ON FUNCTION ledger_tile_fault(bigint) IS 'The first tile that a log of so many leaves does not have, or null; for ledger_verify()';

CREATE FUNCTION ledger_seal_fault(start bigint, sizes bigint[], roots bytea[], OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT p.entry_ids[(s.size - s.entries) % 256 + 1], s.fault
  FROM (
    SELECT s.size, s.entries, CASE
             WHEN s.size <> s.before + s.entries THEN format('the seal of %s leaves does not follow the one before', s.size)
             WHEN s.size > start AND s.root IS DISTINCT FROM z.root THEN format('the seal of %s leaves has another root than follows from the entries', s.size)
             WHEN s.size <= start THEN NULL
             -- Clocks are set back now and then, if only by little.
             WHEN s.at < s.at_before - interval '1 minute' OR s.at > clock_timestamp() + interval '1 minute' OR s.at < CASE WHEN isfinite(l.recorded_at) THEN l.recorded_at - interval '1 minute' END
             THEN format('the seal of %s leaves says it was made at %s, which is not between its entries and the next seal', s.size, s.at)
           END AS fault
    FROM (SELECT x.*, lag(x.size, 1, 0::bigint) OVER w AS before, lag(x.at) OVER w AS at_before FROM quality_gov.ledger_seal x WINDOW w AS (ORDER BY x.size)) s
    LEFT JOIN unnest(sizes, roots) z(size, root) ON z.size = s.size
    LEFT JOIN quality_gov.ledger_leaf p ON p.page = (s.size - 1) / 256 AND s.size > start
    LEFT JOIN quality_gov.ledger_entry l ON l.entry_id = p.entry_ids[(s.size - 1) % 256 + 1]) s
  LEFT JOIN quality_gov.ledger_leaf p ON p.page = (s.size - s.entries) / 256
  WHERE s.fault IS NOT NULL ORDER BY s.size LIMIT 1
$$;
COMMENT ON FUNCTION ledger_seal_fault(bigint, bigint[], bytea[]) IS
  'The first seal beyond so many leaves that does not follow from the entries, whose roots at sizes are given, and the first entry it took; for ledger_verify()';

CREATE FUNCTION ledger_register_fault(OUT entry_id bigint, OUT fault text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  -- the origin
  SELECT e.entry_id, format('the log''s origin is not "%s", as entry %s says', e.body ->> 'origin', e.entry_id)
  FROM (SELECT x.* FROM quality_gov.ledger_entry x WHERE x.kind = 'ledger_origin' AND x.subject = 'ledger' ORDER BY x.entry_id DESC LIMIT 1) e
  LEFT JOIN quality_gov.ledger_log l ON true WHERE l.origin IS DISTINCT FROM e.body ->> 'origin'
  UNION ALL
  SELECT NULL, format('the log''s origin "%s" has no entry', l.origin) FROM quality_gov.ledger_log l
  WHERE NOT EXISTS (SELECT FROM quality_gov.ledger_entry x WHERE x.kind = 'ledger_origin')
  UNION ALL
  -- keys
  SELECT e.entry_id, CASE
           WHEN e.entry_id IS NULL THEN format('key "%s" has no entry', k.name)
           WHEN k.name IS NULL THEN format('key "%s" of entry %s is gone or was changed', e.body ->> 'name', e.entry_id)
           WHEN k.kind <> e.body ->> 'kind' OR k.key_hash <> quality_gov.note_key_hash(k.name, k.kind, k.public_key)
           THEN format('key "%s" is not what entry %s says', k.name, e.entry_id)
           ELSE format('key "%s" was added or retired at another time than the entries say', k.name) END
  FROM (SELECT x.* FROM quality_gov.ledger_entry x WHERE x.kind = 'ledger_key' AND x.body ->> 'act' = 'added') e
  FULL JOIN quality_gov.ledger_key k ON quality_gov.note_vkey(k.name, k.kind, k.public_key) = e.body ->> 'vkey'
  LEFT JOIN LATERAL (SELECT min(x.recorded_at) AS at FROM quality_gov.ledger_entry x WHERE x.kind = 'ledger_key' AND x.body ->> 'act' = 'retired'
                     AND x.body ->> 'name' = k.name AND x.body ->> 'key_hash' = encode(k.key_hash, 'hex')) r ON true
  WHERE e.entry_id IS NULL OR k.name IS NULL OR k.kind IS DISTINCT FROM e.body ->> 'kind'
     OR k.key_hash <> quality_gov.note_key_hash(k.name, k.kind, k.public_key)
     OR k.added_at NOT BETWEEN e.recorded_at - interval '1 minute' AND e.recorded_at + interval '1 minute'
     OR (k.retired_at IS NULL) <> (r.at IS NULL) OR k.retired_at NOT BETWEEN r.at - interval '1 minute' AND r.at + interval '1 minute'
  UNION ALL
  -- protected tables
  SELECT e.entry_id, CASE
           WHEN e.entry_id IS NULL THEN format('protected table "%s" has no entry', p.label)
           WHEN p.label IS NULL THEN format('entry %s protects table "%s", which is not listed', e.entry_id, e.subject)
           ELSE format('protected table "%s" is not listed as entry %s says', p.label, COALESCE(u.entry_id, e.entry_id)) END
  FROM (SELECT DISTINCT ON (x.subject) x.* FROM quality_gov.ledger_entry x WHERE x.kind = 'ledger_protect' ORDER BY x.subject, x.entry_id DESC) e
  FULL JOIN quality_gov.ledger_protected p ON p.label = e.subject
  LEFT JOIN LATERAL (SELECT x.entry_id, x.recorded_at FROM quality_gov.ledger_entry x WHERE x.kind = 'ledger_unprotect' AND x.subject = p.label AND x.entry_id > e.entry_id
                     ORDER BY x.entry_id DESC LIMIT 1) u ON true
  WHERE e.entry_id IS NULL OR p.label IS NULL OR to_jsonb(p.append_only) IS DISTINCT FROM e.body -> 'append_only'
     OR (SELECT array_agg(s ORDER BY s COLLATE "C") FROM unnest(p.sensitive) s)
        IS DISTINCT FROM (SELECT array_agg(s ORDER BY s COLLATE "C") FROM jsonb_array_elements_text(e.body -> 'sensitive') s)
     OR p.retention <> COALESCE(e.body ->> 'retention', p.retention)
     OR p.since NOT BETWEEN e.recorded_at - interval '1 hour' AND e.recorded_at + interval '1 minute'
     OR (p.ended_at IS NULL) <> (u.entry_id IS NULL) OR p.ended_at NOT BETWEEN u.recorded_at - interval '1 hour' AND u.recorded_at + interval '1 minute'
  UNION ALL
  -- values kept apart
  SELECT s.entry_id, CASE WHEN e.entry_id IS NULL THEN format('a value of field "%s" is kept for entry %s, which does not exist', s.field, s.entry_id)
                          ELSE format('the value kept of field "%s" is not what entry %s commits to', s.field, s.entry_id) END
  FROM quality_gov.ledger_secret s LEFT JOIN quality_gov.ledger_entry e ON e.entry_id = s.entry_id
  WHERE encode(sha256(s.salt || convert_to(quality_gov.ledger_canonical(s.value), 'UTF8')), 'hex') IS DISTINCT FROM e.body #>> ARRAY['row', s.field, 'commitment']
  UNION ALL
  SELECT e.entry_id, format('the value of field "%s" that entry %s commits to is gone without ledger_erase()', f.field, e.entry_id)
  FROM quality_gov.ledger_protected p
  JOIN quality_gov.ledger_entry e ON e.body ->> 'relation' = p.label AND e.kind IN ('row_insert', 'row_update', 'row_delete', 'row_baseline')
  CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(e.body -> 'row') = 'object' THEN e.body -> 'row' END) f(field, value)
  WHERE jsonb_typeof(f.value) = 'object' AND f.value ? 'commitment' AND p.sensitive <> '{}'
    AND NOT EXISTS (SELECT FROM quality_gov.ledger_secret s WHERE s.entry_id = e.entry_id AND s.field = f.field)
    AND NOT EXISTS (SELECT FROM quality_gov.ledger_entry x WHERE x.subject = e.subject AND x.kind = 'ledger_erase' AND x.entry_id > e.entry_id)
$$;
COMMENT ON FUNCTION ledger_register_fault() IS
  'Where the origin, the keys, the list of protected tables and the values of sensitive columns are not as entries say, and of which entry; no rows when all is well';

CREATE FUNCTION ledger_compare(kind text, live text, key text[], instants text[], gone text DEFAULT NULL,
                               OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp SET "TimeZone" = 'UTC'
AS $$
BEGIN
  EXECUTE format($sql$
    WITH live AS (
      SELECT l.subject, l.body, ARRAY(SELECT l.body ->> k FROM unnest($2) k) AS key FROM (%s) l),
    said AS (
      -- Instants were written in the time zone of whoever decided.
      SELECT e.entry_id, e.subject, b.body, ARRAY(SELECT b.body ->> k FROM unnest($2) k) AS key
      FROM quality_gov.ledger_entry e
      CROSS JOIN LATERAL (SELECT e.body || COALESCE(jsonb_object_agg(i, to_jsonb((e.body ->> i)::timestamptz)) FILTER (WHERE e.body ->> i IS NOT NULL), '{}') AS body
                          FROM unnest($3) i) b
      WHERE e.kind = $1),
    judged AS (
      SELECT e.entry_id, l.key IS NOT NULL AND e.entry_id IS NOT NULL AS reread, CASE
               WHEN e.entry_id IS NULL THEN format('%%s of "%%s" has no entry', array_to_string(l.key, ' ', 'null'), l.subject)
               WHEN l.key IS NULL AND (%s) IS NOT TRUE THEN format('of entry %%s about "%%s" is gone', e.entry_id, e.subject)
               WHEN EXISTS (SELECT FROM jsonb_each(l.body) f WHERE f.value IS DISTINCT FROM COALESCE(e.body -> f.key, 'null'))
               THEN format('%%s of "%%s" is not what entry %%s says', array_to_string(l.key, ' ', 'null'), l.subject, e.entry_id) END AS fault
      FROM said e FULL JOIN live l ON l.subject = e.subject AND l.key = e.key)
    SELECT count(j.entry_id), count(*) FILTER (WHERE j.reread),
           (array_agg(j.entry_id ORDER BY j.entry_id NULLS LAST) FILTER (WHERE j.fault IS NOT NULL))[1],
           (array_agg($1 || ' ' || j.fault ORDER BY j.entry_id NULLS LAST) FILTER (WHERE j.fault IS NOT NULL))[1]
    FROM judged j $sql$, live, COALESCE(gone, 'false'))
  INTO entries, values_reread, first_bad, reason USING kind, key, instants;
END
$$;
COMMENT ON FUNCTION ledger_compare(text, text, text[], text[], text) IS
  'Compares a table of decisions with the entries of a kind: live is a query of (subject, body) with the fields of a row that its entry must have, key and instants are names of such fields, gone a condition on e, an entry whose row may be gone; entries and rows read, the first entry that differs and why; for functions of ledger_decision';
