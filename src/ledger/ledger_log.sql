
-- ledger: the log, a Merkle tree over the entries (RFC 9162) in tiles (C2SP tlog-tiles)

CREATE FUNCTION ledger_leaf_data(entry_id bigint, kind text, subject text, body jsonb, role text, recorded_at timestamptz)
  RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_ledger_leaf_data' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION ledger_leaf_data(bigint, text, text, jsonb, text, timestamptz) IS
  'What the log holds of an entry: its canonical JSON (RFC 8785) as UTF-8, the instant in UTC with six digits, numbers that would be rounded as strings; beyond 65,535 bytes "body_sha256" stands for "body", and if need be "subject_sha256" for "subject"';

CREATE TABLE ledger_seal (
  size bigint NOT NULL,
  entries bigint NOT NULL,
  root bytea NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT ledger_seal_pkey PRIMARY KEY (size),
  CONSTRAINT ledger_seal_entries CHECK (entries BETWEEN 1 AND size),
  CONSTRAINT ledger_seal_root CHECK (length(root) = 32)
);
COMMENT ON TABLE ledger_seal IS
  'Seals of the log: leaves after each, how many of them it added, and the root; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_seal', '');
CREATE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE ledger_leaf (
  page bigint NOT NULL,
  entry_ids bigint[] NOT NULL,
  span int8range NOT NULL,
  CONSTRAINT ledger_leaf_pkey PRIMARY KEY (page),
  CONSTRAINT ledger_leaf_entry_ids CHECK (cardinality(entry_ids) BETWEEN 1 AND 256 AND array_position(entry_ids, NULL) IS NULL)
);
-- A full row of places stays in its page, and is not worth compressing.
ALTER TABLE ledger_leaf ALTER COLUMN entry_ids SET STORAGE PLAIN;
CREATE INDEX ledger_leaf_span ON ledger_leaf USING gist (span);
COMMENT ON TABLE ledger_leaf IS
  'Which entry is which leaf of the log: entry_ids[n] is leaf 256 * page + n - 1; span holds all of them, for the way back';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_leaf', '');

CREATE TABLE ledger_tile (
  level integer NOT NULL,
  tile_index bigint NOT NULL,
  data bytea NOT NULL,
  middle bytea NOT NULL,
  CONSTRAINT ledger_tile_pkey PRIMARY KEY (level, tile_index),
  CONSTRAINT ledger_tile_level CHECK (level BETWEEN 0 AND 7),
  CONSTRAINT ledger_tile_data CHECK (length(data) BETWEEN 32 AND 8192 AND length(data) % 32 = 0),
  CONSTRAINT ledger_tile_middle CHECK (length(middle) = length(data) / 512 * 32)
);
-- Hashes do not compress.
ALTER TABLE ledger_tile ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE ledger_tile IS
  'Tiles of the log (C2SP tlog-tiles, height 8), byte for byte what a static server serves: up to 256 hashes of 32 bytes; the beginning of a tile is the partial tile of an earlier size';
COMMENT ON COLUMN ledger_tile.middle IS
  'Roots of the complete runs of 16 hashes, so that a proof hashes tens of nodes and not hundreds; not part of what a tile server serves';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_tile', '');

CREATE TABLE ledger_watermark (
  only_row boolean NOT NULL DEFAULT true,
  seen pg_snapshot,
  CONSTRAINT ledger_watermark_pkey PRIMARY KEY (only_row),
  CONSTRAINT ledger_watermark_only_row CHECK (only_row)
);
COMMENT ON TABLE ledger_watermark IS
  'The snapshot of the last seal; transactions mean nothing in another cluster: not dumped, and null after a restore';
INSERT INTO ledger_watermark DEFAULT VALUES;

CREATE TABLE ledger_mark (
  next_xid xid8 NOT NULL,
  last_entry bigint NOT NULL,
  CONSTRAINT ledger_mark_pkey PRIMARY KEY (next_xid)
);
COMMENT ON TABLE ledger_mark IS
  'How far back a seal must look: transactions from next_xid on gave their entries ids above last_entry; kept for the oldest transaction that was open at the last seal; not dumped, and where there is none every entry is looked at';

CREATE VIEW ledger_place WITH (security_barrier) AS
  SELECT 256 * p.page + e.n - 1 AS leaf, e.entry_id
  FROM ledger_leaf p CROSS JOIN LATERAL unnest(p.entry_ids) WITH ORDINALITY e(entry_id, n);
COMMENT ON VIEW ledger_place IS 'Leaves of the log, from 0, and their entries';

CREATE FUNCTION ledger_append(size bigint, before pg_snapshot, now pg_snapshot, floor bigint, OUT entries bigint, OUT root bytea)
  AS 'MODULE_PATHNAME', 'qg_ledger_append' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_append(bigint, pg_snapshot, pg_snapshot, bigint) IS
  'Puts the entries above floor that the snapshot now shows and before did not behind the log''s first size leaves; ledger_seal() calls it under its lock';

CREATE FUNCTION ledger_floor(before pg_snapshot, now pg_snapshot DEFAULT NULL) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(max(m.last_entry), -9223372036854775808) FROM ledger_mark m
  WHERE m.next_xid <= CASE WHEN ledger_floor.now IS NULL THEN pg_snapshot_xmin(ledger_floor.before)
    -- Of those that were open only who has finished counts.
    ELSE LEAST(pg_snapshot_xmax(ledger_floor.before), (
      SELECT min(x.xid) FROM pg_snapshot_xip(ledger_floor.before) x(xid) WHERE pg_visible_in_snapshot(x.xid, ledger_floor.now))) END;
END;
COMMENT ON FUNCTION ledger_floor(pg_snapshot, pg_snapshot) IS
  'Entries that the snapshot before did not show, and now does (null: ever will), have ids above this one; for ledger_seal()';

CREATE FUNCTION ledger_size() RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT COALESCE(max(s.size), 0) FROM ledger_seal s;
END;
COMMENT ON FUNCTION ledger_size() IS 'Leaves of the log as of its last seal';

CREATE FUNCTION ledger_next_xid() RETURNS xid8
  AS 'MODULE_PATHNAME', 'qg_ledger_next_xid' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_next_xid() IS
  'The id that the next transaction to need one is given; pg_snapshot_xmax() may lie below ids of open transactions; for ledger_seal()';

CREATE FUNCTION ledger_others() RETURNS pg_snapshot
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT format('%s:%s:%s', pg_snapshot_xmin(s.seen), pg_snapshot_xmax(s.seen),
    (SELECT string_agg(x.xid::text, ',' ORDER BY x.xid)
     FROM (SELECT pg_snapshot_xip(s.seen) AS xid UNION SELECT pg_current_xact_id()) x WHERE x.xid < pg_snapshot_xmax(s.seen)))::pg_snapshot
  FROM (SELECT pg_current_snapshot() AS seen OFFSET 0) s
$$;
COMMENT ON FUNCTION ledger_others() IS
  'The current snapshot with this transaction among those still open, as every other session sees it; for ledger_seal()';

CREATE FUNCTION ledger_seal() RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  held pg_snapshot;
  shown pg_snapshot;
  leaves bigint;
  given bigint;
  next_xid xid8;
  floor bigint;
  added record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'ledger_seal must run at isolation level read committed'
      USING ERRCODE = 'active_sql_transaction', DETAIL = 'With an older snapshot it would seal again what another session has sealed.';
  END IF;
  -- The lock is taken in one statement; the next reads what the session before left.
  PERFORM FROM quality_gov.ledger_watermark FOR UPDATE;
  SELECT w.seen INTO held FROM quality_gov.ledger_watermark w;
  leaves := quality_gov.ledger_size();
  -- The ids that were given, before the transaction ids that were: whoever has a later one gave a later id.
  SELECT s.last_value - (NOT s.is_called)::integer INTO given FROM quality_gov.ledger_entry_entry_id_seq s;
  next_xid := quality_gov.ledger_next_xid();
  shown := quality_gov.ledger_others();
  floor := quality_gov.ledger_floor(held, shown);
  SELECT * INTO added FROM quality_gov.ledger_append(leaves, held, shown, floor);
  IF added.entries > 0 THEN
    leaves := leaves + added.entries;
    INSERT INTO quality_gov.ledger_seal (size, entries, root, at)
    VALUES (leaves, added.entries, added.root, GREATEST(clock_timestamp(), (SELECT s.at FROM quality_gov.ledger_seal s ORDER BY s.size DESC LIMIT 1)));
  END IF;
  -- Where nothing was added, the next call is spared what this one read in vain.
  IF added.entries > 0 OR held IS NULL OR quality_gov.ledger_floor(shown, shown) > floor THEN
    UPDATE quality_gov.ledger_watermark SET seen = shown;
    INSERT INTO quality_gov.ledger_mark AS m (next_xid, last_entry)
    SELECT next_xid, given
    WHERE given > COALESCE((SELECT x.last_entry FROM quality_gov.ledger_mark x ORDER BY x.next_xid DESC LIMIT 1), -9223372036854775808)
    ON CONFLICT ON CONSTRAINT ledger_mark_pkey DO NOTHING;
    DELETE FROM quality_gov.ledger_mark m
    WHERE m.next_xid < (SELECT max(x.next_xid) FROM quality_gov.ledger_mark x WHERE x.next_xid <= pg_snapshot_xmin(shown));
  END IF;
  RETURN leaves;
END
$$;
COMMENT ON FUNCTION ledger_seal() IS
  'Gives every committed entry that has none a place in the log and returns its leaves; writers are not waited for, and an open or prepared transaction delays its own entries alone; the session''s own are sealed by a later call';

CREATE FUNCTION ledger_seal_due(at timestamptz) RETURNS text
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$ SELECT format('%s leaves', quality_gov.ledger_seal()) $$;
COMMENT ON FUNCTION ledger_seal_due(timestamptz) IS 'Task of maintenance(): ledger_seal(), as of now whatever the instant';
INSERT INTO maintenance_task VALUES
  ('ledger_seal', 95, 'quality_gov.ledger_seal_due', 'Gives new entries their places in the log', true);

CREATE FUNCTION ledger_tree_root(size bigint) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_ledger_tree_root' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION ledger_tree_root(bigint) IS 'Root of the first so many leaves of the log, computed from the tiles; XX001 where they do not hold it';

CREATE FUNCTION ledger_inclusion_nodes(leaf bigint, size bigint) RETURNS bytea[]
  AS 'MODULE_PATHNAME', 'qg_ledger_inclusion_nodes' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION ledger_inclusion_nodes(bigint, bigint) IS 'Nodes of an inclusion proof, from the tiles; for ledger_inclusion_proof()';
CREATE FUNCTION ledger_consistency_nodes(old bigint, new bigint) RETURNS bytea[]
  AS 'MODULE_PATHNAME', 'qg_ledger_consistency_nodes' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION ledger_consistency_nodes(bigint, bigint) IS 'Nodes of a consistency proof, from the tiles; for ledger_consistency_proof()';

CREATE FUNCTION ledger_size_require(size bigint) RETURNS bigint
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  sealed bigint := quality_gov.ledger_size();
BEGIN
  IF size > sealed THEN
    RAISE EXCEPTION 'the log has % leaves, not %', sealed, size USING ERRCODE = 'invalid_parameter_value',
      HINT = 'ledger_seal() seals what was recorded since.';
  END IF;
  RETURN COALESCE(size, sealed);
END
$$;
COMMENT ON FUNCTION ledger_size_require(bigint) IS 'A size of the log that proofs can be of: the one given, by default all that is sealed; 22023 for a larger one';

CREATE FUNCTION ledger_inclusion_proof(leaf bigint, size bigint DEFAULT NULL) RETURNS bytea[]
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
BEGIN ATOMIC
  SELECT ledger_inclusion_nodes(leaf, ledger_size_require(size));
END;
COMMENT ON FUNCTION ledger_inclusion_proof(bigint, bigint) IS
  'Proof that the log''s first size leaves (null: all) hold a leaf, from 0: hashes from the leaf up (RFC 9162, 2.1.3); ledger_place tells the leaf of an entry; 22023 for a leaf beyond the size';

CREATE FUNCTION ledger_consistency_proof(old bigint, new bigint DEFAULT NULL) RETURNS bytea[]
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
BEGIN ATOMIC
  SELECT ledger_consistency_nodes(old, ledger_size_require(new));
END;
COMMENT ON FUNCTION ledger_consistency_proof(bigint, bigint) IS
  'Proof that the log''s first new leaves (null: all) begin with its first old ones (RFC 9162, 2.1.4); 22023 unless 0 < old <= new';

CREATE FUNCTION ledger_leaf_of(entry_id bigint) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT 256 * p.page + array_position(p.entry_ids, ledger_leaf_of.entry_id) - 1
  FROM ledger_leaf p
  WHERE p.span @> ledger_leaf_of.entry_id AND array_position(p.entry_ids, ledger_leaf_of.entry_id) IS NOT NULL
  LIMIT 1;
END;
COMMENT ON FUNCTION ledger_leaf_of(bigint) IS 'Leaf of an entry in the log, from 0; null while it is not sealed';

CREATE FUNCTION ledger_tile_data(level integer, tile_index bigint, width integer DEFAULT 256) RETURNS bytea
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  hashes numeric;
  tile bytea;
BEGIN
  IF level IS NULL OR level NOT BETWEEN 0 AND 7 OR tile_index IS NULL OR tile_index < 0 OR width IS NULL OR width NOT BETWEEN 1 AND 256 THEN
    RAISE EXCEPTION 'no tile can be % of level % and width %', COALESCE(tile_index::text, 'null'), COALESCE(level::text, 'null'), COALESCE(width::text, 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are 0 to 7, tiles begin at 0, widths are 1 to 256.';
  END IF;
  hashes := (quality_gov.ledger_size() >> (8 * level)) - 256 * tile_index::numeric;
  IF hashes < width THEN
    RAISE EXCEPTION 'tile % of level % has % hashes, not %', tile_index, level, greatest(hashes, 0), width USING ERRCODE = 'no_data_found',
      HINT = 'Sizes of the log are in quality_gov.ledger_seal; a partial tile is asked for by its width.';
  END IF;
  SELECT substr(t.data, 1, 32 * width) INTO tile FROM quality_gov.ledger_tile t WHERE t.level = ledger_tile_data.level AND t.tile_index = ledger_tile_data.tile_index;
  IF tile IS NULL OR length(tile) < 32 * width THEN
    RAISE EXCEPTION 'tile % of level % of the log lacks hashes', tile_index, level USING ERRCODE = 'data_corrupted',
      HINT = 'SELECT * FROM quality_gov.ledger_verify() tells what is wrong.';
  END IF;
  RETURN tile;
END
$$;
COMMENT ON FUNCTION ledger_tile_data(integer, bigint, integer) IS
  'The bytes that a server of C2SP tlog-tiles serves as tile/<level>/<tile_index>, of a width below 256 as its .p/<width>; P0002 where the log has not so many hashes yet';

CREATE FUNCTION ledger_bundle(bundle_index bigint, width integer DEFAULT 256) RETURNS bytea
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  leaves numeric;
  found bigint;
  bundle bytea;
BEGIN
  IF bundle_index IS NULL OR bundle_index < 0 OR width IS NULL OR width NOT BETWEEN 1 AND 256 THEN
    RAISE EXCEPTION 'no bundle can be % of width %', COALESCE(bundle_index::text, 'null'), COALESCE(width::text, 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Bundles begin at 0, widths are 1 to 256.';
  END IF;
  leaves := quality_gov.ledger_size() - 256 * bundle_index::numeric;
  IF leaves < width THEN
    RAISE EXCEPTION 'bundle % has % leaves, not %', bundle_index, greatest(leaves, 0), width USING ERRCODE = 'no_data_found',
      HINT = 'Sizes of the log are in quality_gov.ledger_seal; a partial bundle is asked for by its width.';
  END IF;
  SELECT count(*), string_agg(substr(int4send(length(l.leaf)), 3) || l.leaf, '' ORDER BY l.n) INTO found, bundle
  FROM (SELECT u.n, quality_gov.ledger_leaf_data(e.entry_id, e.kind, e.subject, e.body, e.role, e.recorded_at) AS leaf
        FROM quality_gov.ledger_leaf p CROSS JOIN LATERAL unnest(p.entry_ids[:width]) WITH ORDINALITY u(entry_id, n)
        JOIN quality_gov.ledger_entry e ON e.entry_id = u.entry_id
        WHERE p.page = bundle_index) l;
  IF found < width THEN
    RAISE EXCEPTION 'bundle % of the log lacks entries', bundle_index USING ERRCODE = 'data_corrupted',
      HINT = 'SELECT * FROM quality_gov.ledger_verify() tells what is wrong.';
  END IF;
  RETURN bundle;
END
$$;
COMMENT ON FUNCTION ledger_bundle(bigint, integer) IS
  'The bytes that a server of C2SP tlog-tiles serves as tile/entries/<bundle_index>, of a width below 256 as its .p/<width>: leaves, each behind its length in 16 bits; P0002 where the log has not so many leaves yet';
