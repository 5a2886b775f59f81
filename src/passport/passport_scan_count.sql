
-- passport: how often goods were scanned, without a row that everybody would have to update

CREATE FUNCTION snapshot_settled() RETURNS pg_snapshot
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  s pg_snapshot := pg_current_snapshot();
  own xid8 := pg_current_xact_id_if_assigned();
BEGIN
  -- A snapshot shows its own transaction, which may go on to write: it is left out.
  IF own IS NULL OR NOT pg_visible_in_snapshot(own, s) THEN
    RETURN s;
  END IF;
  RETURN format('%s:%s:%s', pg_snapshot_xmin(s), pg_snapshot_xmax(s),
                (SELECT string_agg(x::text, ',' ORDER BY x) FROM (SELECT own UNION ALL SELECT pg_snapshot_xip(s)) o(x)))::pg_snapshot;
END
$$;
COMMENT ON FUNCTION snapshot_settled() IS
  'The statement''s snapshot without its own transaction: what it shows is complete';

CREATE FUNCTION passport_scan_count(goods text, at timestamptz, OUT scans bigint, OUT exact boolean, OUT tail integer,
                                    OUT first_at timestamptz, OUT last_at timestamptz)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  base_scans bigint;
  claimed timestamptz;
  retired bigint;
  retired_at timestamptz;
  later bigint;
BEGIN
  SELECT (SELECT f.at FROM quality_gov.passport_scan_first f WHERE f.goods = passport_scan_count.goods AND f.at <= passport_scan_count.at),
         (SELECT s.at FROM quality_gov.passport_scan s WHERE s.goods = passport_scan_count.goods ORDER BY s.at LIMIT 1),
         (SELECT s.at FROM quality_gov.passport_scan s WHERE s.goods = passport_scan_count.goods ORDER BY s.at DESC LIMIT 1),
         t.scans,
         CASE WHEN t.seen IS NULL
           THEN (SELECT count(*) FROM (SELECT FROM quality_gov.passport_scan s WHERE s.goods = passport_scan_count.goods LIMIT 1000) x)
           -- What the tally did not see: written by transactions that came after it, or were under way.  In order, for that
           -- is the index by xid and no other; and one by one, for an array would be a filter over all scans.
           ELSE (SELECT count(*) FROM (SELECT FROM quality_gov.passport_scan s
                   WHERE s.goods = passport_scan_count.goods AND s.xid >= pg_snapshot_xmax(t.seen) ORDER BY s.xid LIMIT 1000) x)
                + COALESCE((SELECT sum((SELECT count(*) FROM quality_gov.passport_scan s
                                        WHERE s.goods = passport_scan_count.goods AND s.xid = u.xid))
                            FROM pg_snapshot_xip(t.seen) AS u(xid)), 0) END,
         (SELECT sum(o.scans) FROM quality_gov.passport_scan_opening o
          WHERE o.goods = passport_scan_count.goods AND o.first_at <= passport_scan_count.at),
         (SELECT min(o.first_at) FROM quality_gov.passport_scan_opening o
          WHERE o.goods = passport_scan_count.goods AND o.first_at <= passport_scan_count.at)
  INTO claimed, first_at, last_at, base_scans, tail, retired, retired_at
  FROM (SELECT) one
  LEFT JOIN LATERAL (SELECT x.scans, x.seen FROM quality_gov.passport_scan_tally x
                     WHERE x.goods = passport_scan_count.goods ORDER BY x.tally_id DESC LIMIT 1) t ON true;
  IF last_at > passport_scan_count.at THEN
    -- As of a moment that has passed: without the few that came since, else one by one, and no more than anybody needs to know.
    SELECT count(*) INTO later FROM (SELECT FROM quality_gov.passport_scan s
      WHERE s.goods = passport_scan_count.goods AND s.at > passport_scan_count.at LIMIT 1000) x;
    IF base_scans IS NOT NULL AND later < 1000 AND tail < 1000
       AND NOT EXISTS (SELECT FROM quality_gov.passport_scan_opening o WHERE o.goods = passport_scan_count.goods) THEN
      scans := base_scans + tail - later;
      exact := true;
    ELSE
      SELECT count(*) INTO scans FROM (SELECT FROM quality_gov.passport_scan s
        WHERE s.goods = passport_scan_count.goods AND s.at <= passport_scan_count.at LIMIT 10000) x;
      exact := scans < 10000;
    END IF;
    last_at := CASE WHEN scans > 0 THEN passport_scan_count.at END;
    first_at := CASE WHEN first_at <= passport_scan_count.at THEN first_at END;
    base_scans := NULL;
    tail := 0;
  ELSE
    scans := COALESCE(base_scans, 0) + tail;
    exact := tail < 1000;
  END IF;
  IF base_scans IS NULL AND retired IS NOT NULL THEN
    scans := scans + retired;
  END IF;
  -- The one that was first says when, whatever others tell of earlier.
  first_at := COALESCE(claimed, least(first_at, retired_at));
END
$$;
COMMENT ON FUNCTION passport_scan_count(text, timestamptz) IS
  'Number of scans of goods until an instant, where exact is false at least so many; tail counts those that were added one by one to the last passport_scan_tally; when they were scanned first (passport_scan_first before all) and last';

CREATE FUNCTION passport_scan_tally_add(goods text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  total bigint;
BEGIN
  -- One statement, so that count and snapshot are of one moment.
  INSERT INTO quality_gov.passport_scan_tally (goods, scans, seen)
  SELECT passport_scan_tally_add.goods,
         CASE WHEN base.scans IS NULL
           THEN (SELECT count(*) FROM quality_gov.passport_scan s
                 WHERE s.goods = passport_scan_tally_add.goods AND pg_visible_in_snapshot(s.xid, now.seen))
                + (SELECT COALESCE(sum(o.scans), 0) FROM quality_gov.passport_scan_opening o WHERE o.goods = passport_scan_tally_add.goods)
           ELSE base.scans
                + (SELECT count(*) FROM (SELECT s.xid FROM quality_gov.passport_scan s
                                         WHERE s.goods = passport_scan_tally_add.goods AND s.xid >= pg_snapshot_xmax(base.seen)
                                         ORDER BY s.xid OFFSET 0) x WHERE pg_visible_in_snapshot(x.xid, now.seen))
                + COALESCE((SELECT sum((SELECT count(*) FROM quality_gov.passport_scan s
                                       WHERE s.goods = passport_scan_tally_add.goods AND s.xid = u.xid
                                         AND pg_visible_in_snapshot(s.xid, now.seen)))
                            FROM pg_snapshot_xip(base.seen) AS u(xid)), 0) END,
         now.seen
  FROM (SELECT quality_gov.snapshot_settled() AS seen) now
  LEFT JOIN LATERAL (SELECT t.scans, t.seen FROM quality_gov.passport_scan_tally t
                     WHERE t.goods = passport_scan_tally_add.goods ORDER BY t.tally_id DESC LIMIT 1) base ON true
  RETURNING scans INTO total;
  RETURN total;
END
$$;
COMMENT ON FUNCTION passport_scan_tally_add(text) IS
  'Adds up the scans of goods that are certain now, and gives their number; waits for nobody';

CREATE FUNCTION passport_scan_rollup(at timestamptz DEFAULT now()) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  dropped bigint;
  added bigint;
BEGIN
  DELETE FROM quality_gov.passport_scan_tally t
  WHERE EXISTS (SELECT FROM quality_gov.passport_scan_tally n WHERE n.goods = t.goods AND n.tally_id > t.tally_id);
  GET DIAGNOSTICS dropped = ROW_COUNT;
  IF EXISTS (SELECT FROM quality_gov.passport_scan_tally) THEN
    SELECT count(quality_gov.passport_scan_tally_add(t.goods)) INTO added
    FROM (SELECT x.goods FROM quality_gov.passport_scan_tally x OFFSET 0) t
    WHERE (quality_gov.passport_scan_count(t.goods, 'infinity')).tail >= 64;
  ELSE
    -- After a restore there is none: popular goods are added up here, and not while somebody waits.
    SELECT count(quality_gov.passport_scan_tally_add(s.goods)) INTO added
    FROM (SELECT x.goods FROM quality_gov.passport_scan x WHERE x.goods IS NOT NULL GROUP BY x.goods HAVING count(*) >= 64) s;
  END IF;
  RETURN format('%s tallies added, %s dropped', added, dropped);
END
$$;
COMMENT ON FUNCTION passport_scan_rollup(timestamptz) IS
  'Maintenance: drops tallies of scans that newer ones make needless, adds up popular goods again, and after a restore all that were scanned 64 times or more; its argument is not used';
INSERT INTO maintenance_task VALUES
  ('passport_scans', 45, 'quality_gov.passport_scan_rollup', 'Adds up scans of popular codes', true);

CREATE FUNCTION passport_scan_retire(before timestamptz, at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  retired bigint;
BEGIN
  IF before IS NULL OR NOT isfinite(before) OR NOT COALESCE(before <= passport_scan_retire.at - interval '30 days', false) THEN
    RAISE EXCEPTION 'scans are kept for 30 days at least, asked was to delete those before %', COALESCE(before::text, 'null')
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'What is younger tells copies.';
  END IF;
  PERFORM quality_gov.append_only_lift('quality_gov.passport_scan');
  WITH gone AS (
    DELETE FROM quality_gov.passport_scan s WHERE s.at < before RETURNING s.goods, s.at),
  kept AS (
    INSERT INTO quality_gov.passport_scan_opening (goods, scans, first_at)
    SELECT g.goods, count(*), min(g.at) FROM gone g WHERE g.goods IS NOT NULL GROUP BY g.goods RETURNING goods),
  dropped AS (
    DELETE FROM quality_gov.passport_scan_tally t WHERE t.goods IN (SELECT k.goods FROM kept k))
  SELECT count(*) INTO retired FROM gone;
  PERFORM quality_gov.ledger_record('passport_scan_retire', 'passport_scan', jsonb_build_object('before', before, 'scans', retired));
  RETURN retired;
END
$$;
COMMENT ON FUNCTION passport_scan_retire(timestamptz, timestamptz) IS
  'Deletes scans of before an instant, at least 30 days before at, and gives their number; of each goods their count and the earliest stay, and who was first';

CREATE FUNCTION passport_scan_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'passport_scan_tally', t.goods || ' ' || t.tally_id, format('counts %s scans, there are %s', t.scans, x.scans)
  FROM quality_gov.passport_scan_tally t
  CROSS JOIN LATERAL (
    SELECT (SELECT count(*) FROM quality_gov.passport_scan s WHERE s.goods = t.goods AND pg_visible_in_snapshot(s.xid, t.seen))
         + (SELECT COALESCE(sum(o.scans), 0) FROM quality_gov.passport_scan_opening o WHERE o.goods = t.goods) AS scans) x
  WHERE t.scans <> x.scans
  UNION ALL
  SELECT 'passport_scan_first', f.goods, 'has no scan' FROM quality_gov.passport_scan_first f
  WHERE NOT EXISTS (SELECT FROM quality_gov.passport_scan s WHERE s.scan_id = f.scan_id AND s.goods = f.goods)
    AND NOT EXISTS (SELECT FROM quality_gov.passport_scan_opening o WHERE o.goods = f.goods)
  UNION ALL
  SELECT 'passport_scan', s.scan_id::text, 'names goods that its numbers are not' FROM quality_gov.passport_scan s
  WHERE s.goods IS DISTINCT FROM quality_gov.passport_goods(s.gtin, s.lot_code, s.serial)
  UNION ALL
  SELECT 'passport_scan', s.scan_id::text, 'has no batch of codes' FROM quality_gov.passport_scan s
  WHERE s.batch_id IS NOT NULL AND NOT EXISTS (SELECT FROM quality_gov.code_batch b WHERE b.batch_id = s.batch_id)
  UNION ALL
  SELECT 'passport_scan', s.scan_id::text, 'has no passport' FROM quality_gov.passport_scan s
  WHERE s.passport_id IS NOT NULL AND NOT EXISTS (SELECT FROM quality_gov.passport p WHERE p.passport_id = s.passport_id)
  UNION ALL
  SELECT 'code_registered', encode(r.digest, 'hex'), 'has no batch' FROM quality_gov.code_registered r
  WHERE NOT EXISTS (SELECT FROM quality_gov.code_batch b WHERE b.batch_id = r.batch_id)
  UNION ALL
  SELECT 'code_revocation', r.batch_id || ' ' || r.revocation_id, 'has no batch' FROM quality_gov.code_revocation r
  WHERE NOT EXISTS (SELECT FROM quality_gov.code_batch b WHERE b.batch_id = r.batch_id)
  UNION ALL
  SELECT 'code_batch', b.batch_id::text, 'has no lot' FROM quality_gov.code_batch b
  WHERE NOT EXISTS (SELECT FROM quality_gov.lot l WHERE l.gtin IN (b.gtin, quality_gov.gtin_current(b.gtin)) AND l.lot_code = b.lot_code)
  UNION ALL
  SELECT 'code_batch', b.batch_id::text, format('has %s registered codes, %s are told', x.codes, b.codes)
  FROM quality_gov.code_batch b CROSS JOIN LATERAL (
    SELECT count(*) AS codes FROM quality_gov.code_registered r WHERE r.batch_id = b.batch_id) x
  WHERE x.codes <> CASE b.kind WHEN 'registered' THEN b.codes ELSE 0 END
$$;
COMMENT ON FUNCTION passport_scan_check() IS
  'Oracle: tallies that differ from the scans, scans and codes whose parent is missing; no rows when all is well';
