
-- trace: the scope of a recall, computed from what it declares and kept by revisions

CREATE FUNCTION recall_criteria(recall bigint) RETURNS SETOF recall_criterion
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT c.* FROM recall_criterion c
  WHERE c.recall_id = recall AND c.revision = (SELECT max(n.revision) FROM recall_criterion n WHERE n.recall_id = recall);
END;
COMMENT ON FUNCTION recall_criteria(bigint) IS 'What a recall declares now: the criteria that were given last';

CREATE FUNCTION recall_scope_declared(recall bigint) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('gtin', c.gtin::text, 'lot', c.lot_code, 'serial_from', c.serial_from, 'serial_to', c.serial_to,
           'made_from', to_char(lower(c.made), 'YYYY-MM-DD'), 'made_until', to_char(upper(c.made) - 1, 'YYYY-MM-DD'),
           'ingredient', CASE WHEN c.ingredient IS NOT NULL THEN jsonb_build_object('gtin', c.ingredient::text, 'lot', c.ingredient_lot) END))
         ORDER BY c.criterion_id)
  FROM recall_criteria(recall) c;
END;
COMMENT ON FUNCTION recall_scope_declared(bigint) IS
  'What a recall declares now, in the form that recall_open() and recall_scope_compute() take: with || what a re-recall adds to it';

CREATE FUNCTION recall_scope_reach(recall bigint, OUT gtin gtin, OUT lot_code text, OUT serial_from text,
                                   OUT serial_to text, OUT made daterange, OUT lot_id bigint, OUT via bigint, OUT depth integer)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH criterion AS MATERIALIZED (SELECT * FROM quality_gov.recall_criteria(recall)),
  ingredient AS MATERIALIZED (
    SELECT c.ingredient, c.ingredient_lot, l.lot_id, l.gtin
    FROM criterion c
    LEFT JOIN LATERAL (
      SELECT l.lot_id, l.gtin FROM quality_gov.gtin_codes(c.ingredient) k
      JOIN quality_gov.lot l ON l.gtin = k.code AND l.lot_code = c.ingredient_lot) l ON true
    WHERE c.ingredient IS NOT NULL),
  goods AS (
    -- What is declared stands as it is; goods of a day made whose lot is not known are the row without a lot.
    SELECT c.gtin, c.lot_code, c.serial_from, c.serial_to, c.made, l.lot_id, NULL::bigint AS via, NULL::integer AS depth
    FROM criterion c
    LEFT JOIN LATERAL (
      SELECT l.lot_id FROM quality_gov.gtin_codes(c.gtin) k
      JOIN quality_gov.lot l ON l.gtin = k.code AND l.lot_code = c.lot_code
      ORDER BY k.since, l.lot_id LIMIT 1) l ON true
    WHERE c.gtin IS NOT NULL
    UNION ALL
    SELECT l.gtin, l.lot_code, NULL, NULL, c.made, l.lot_id, NULL, NULL
    FROM criterion c CROSS JOIN LATERAL quality_gov.gtin_codes(c.gtin) k JOIN quality_gov.lot l ON l.gtin = k.code
    WHERE c.made IS NOT NULL AND (l.made_on IS NULL OR c.made @> l.made_on)
    UNION ALL
    SELECT COALESCE(i.gtin, i.ingredient), i.ingredient_lot, NULL, NULL, NULL, i.lot_id, NULL, 0 FROM ingredient i
    UNION ALL
    SELECT l.gtin, l.lot_code, NULL, NULL, NULL, l.lot_id, t.via, t.depth
    FROM ingredient i CROSS JOIN LATERAL quality_gov.trace_forward(i.lot_id) t JOIN quality_gov.lot l ON l.lot_id = t.lot
    WHERE i.lot_id IS NOT NULL)
  SELECT DISTINCT ON (g.gtin, g.lot_code, g.serial_from, g.serial_to, g.made) g.*
  FROM goods g
  ORDER BY g.gtin, g.lot_code, g.serial_from, g.serial_to, g.made, g.depth NULLS FIRST, g.lot_id NULLS LAST, g.via
$$;
COMMENT ON FUNCTION recall_scope_reach(bigint) IS
  'Goods that the criteria of a recall reach by the lots, links and GTIN aliases recorded now';

CREATE FUNCTION recall_scope_spare(recall bigint, OUT gtin gtin, OUT lot_code text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT l.gtin, l.lot_code
  FROM quality_gov.recall_criteria(recall) c
  CROSS JOIN LATERAL quality_gov.gtin_codes(c.gtin) k
  JOIN quality_gov.lot l ON l.gtin = k.code
  WHERE c.made IS NOT NULL
    AND NOT EXISTS (SELECT FROM quality_gov.recall_spared s
                    WHERE s.recall_id = recall AND s.gtin = l.gtin AND s.lot_code = l.lot_code)
  GROUP BY l.gtin, l.lot_code
  HAVING NOT bool_or(l.made_on IS NULL OR c.made @> l.made_on)
$$;
COMMENT ON FUNCTION recall_scope_spare(bigint) IS
  'Lots known to be made on other days than a recall declares that recall_spared does not have yet';

CREATE FUNCTION recall_scope_difference(recall bigint, before integer, after integer, OUT change text, OUT gtin gtin,
    OUT lot_code text, OUT serial_from text, OUT serial_to text, OUT made daterange, OUT lot_id bigint)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT CASE WHEN bool_and(b.new) THEN 'added' WHEN bool_or(b.new) THEN 'kept' ELSE 'removed' END,
         COALESCE(a.gtin, b.gtin), b.lot_code, b.serial_from, b.serial_to, b.made, max(b.lot_id)
  FROM (SELECT false AS new, x.gtin, x.lot_code, x.serial_from, x.serial_to, x.made, x.lot_id
        FROM quality_gov.recall_scope x WHERE x.recall_id = recall AND x.revision = before
        UNION ALL
        SELECT true, x.gtin, x.lot_code, x.serial_from, x.serial_to, x.made, x.lot_id
        FROM quality_gov.recall_scope x WHERE x.recall_id = recall AND x.revision = after
        UNION ALL
        -- Without a later revision: against what the criteria reach now.
        SELECT true, x.gtin, x.lot_code, x.serial_from, x.serial_to, x.made, x.lot_id
        FROM quality_gov.recall_scope_reach(recall) x WHERE after IS NULL) b
  -- Goods under a corrected GTIN are the same goods.
  LEFT JOIN quality_gov.gtin_alias a ON a.old = b.gtin
  GROUP BY COALESCE(a.gtin, b.gtin), b.lot_code, b.serial_from, b.serial_to, b.made
$$;
COMMENT ON FUNCTION recall_scope_difference(bigint, integer, integer) IS
  'How a revision of a recall''s scope differs from an earlier one, row by row: added, removed or kept; without a later one, how what its criteria reach now differs';

CREATE FUNCTION recall_scope_store(recall bigint, scope jsonb, at timestamptz, widen boolean, OUT revision integer, OUT earlier integer)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  last_since timestamptz;
  unknown record;
  spared bigint;
  figures jsonb;
BEGIN
  -- A write, not only a lock, so that a repeatable read that waited does not go on from a stale scope.
  UPDATE quality_gov.recall r SET title = r.title WHERE r.recall_id = recall;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall USING ERRCODE = 'no_data_found';
  END IF;
  IF (SELECT s.verdict = 'pass' FROM quality_gov.recall_step t JOIN quality_gov.recall_state s USING (state)
      WHERE t.recall_id = recall ORDER BY t.at DESC LIMIT 1) THEN
    RAISE EXCEPTION 'recall % stops nothing any more, its scope stays as it is', recall
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Open another recall.';
  END IF;
  SELECT max(x.revision), max(x.since) INTO earlier, last_since FROM quality_gov.recall_scope x WHERE x.recall_id = recall;
  IF at IS NULL OR NOT isfinite(at) OR at <= last_since THEN
    RAISE EXCEPTION 'the scope of recall % needs a finite instant%, found %', recall, COALESCE(' after ' || last_since, ''), COALESCE(at::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  revision := COALESCE(earlier, 0) + 1;
  IF scope IS NOT NULL THEN
    INSERT INTO quality_gov.recall_criterion (recall_id, revision, gtin, lot_code, serial_from, serial_to, made, ingredient, ingredient_lot)
    SELECT recall, recall_scope_store.revision, c.gtin, c.lot_code, c.serial_from, c.serial_to, c.made, c.ingredient, c.ingredient_lot
    FROM quality_gov.recall_scope_read(scope) WITH ORDINALITY c
    GROUP BY c.gtin, c.lot_code, c.serial_from, c.serial_to, c.made, c.ingredient, c.ingredient_lot ORDER BY min(c.ordinality);
  ELSIF NOT EXISTS (SELECT FROM quality_gov.recall_criterion c WHERE c.recall_id = recall) THEN
    RAISE EXCEPTION 'recall % declares no criteria', recall USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Give its scope, for example [{"gtin": "06901234567892", "lot": "A1"}].';
  END IF;
  INSERT INTO quality_gov.recall_spared (recall_id, gtin, lot_code, since)
  SELECT recall, s.gtin, s.lot_code, at FROM quality_gov.recall_scope_spare(recall) s ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS spared = ROW_COUNT;
  IF scope IS NOT NULL OR EXISTS (SELECT FROM quality_gov.recall_scope_difference(recall, earlier, NULL) d
                                  WHERE d.change = 'added' OR d.change = 'removed' AND NOT widen) THEN
    INSERT INTO quality_gov.recall_scope (recall_id, revision, gtin, lot_code, serial_from, serial_to, made, lot_id, via, depth, since)
    SELECT recall, recall_scope_store.revision, g.*, at FROM quality_gov.recall_scope_reach(recall) g
    UNION ALL
    -- Goods that are not reached any more stay until somebody decides that they may go.
    SELECT recall, recall_scope_store.revision, x.gtin, x.lot_code, x.serial_from, x.serial_to, x.made, x.lot_id, x.via, x.depth, at
    FROM quality_gov.recall_scope_difference(recall, earlier, NULL) d
    CROSS JOIN LATERAL quality_gov.gtin_codes(d.gtin) k
    JOIN quality_gov.recall_scope x ON x.recall_id = recall AND x.revision = earlier AND x.gtin = k.code
      AND (x.lot_code, x.serial_from, x.made) IS NOT DISTINCT FROM (d.lot_code, d.serial_from, d.made)
      AND x.serial_to IS NOT DISTINCT FROM d.serial_to
    WHERE widen AND d.change = 'removed';
    FOR unknown IN SELECT DISTINCT c.ingredient, c.ingredient_lot FROM quality_gov.recall_criteria(recall) c
                   WHERE c.ingredient IS NOT NULL AND NOT EXISTS (
                     SELECT FROM quality_gov.gtin_codes(c.ingredient) k JOIN quality_gov.lot l ON l.gtin = k.code AND l.lot_code = c.ingredient_lot) LOOP
      RAISE WARNING 'ingredient lot "%" of GTIN % is not recorded, so what it went into is not known', unknown.ingredient_lot, unknown.ingredient;
    END LOOP;
  ELSE
    revision := earlier;
  END IF;
  IF revision IS DISTINCT FROM earlier OR spared > 0 THEN
    SELECT jsonb_build_object('added', count(*) FILTER (WHERE d.change = 'added'), 'removed', count(*) FILTER (WHERE d.change = 'removed'),
                              'kept', count(*) FILTER (WHERE d.change = 'kept')) INTO figures
    FROM quality_gov.recall_scope_difference(recall, earlier, recall_scope_store.revision) d;
    PERFORM quality_gov.ledger_record('recall_scope', 'recall ' || recall, figures || jsonb_build_object(
      'recall_id', recall, 'revision', revision, 'at', at, 'scope', scope, 'spared', spared, 'widened_only', widen));
  END IF;
END
$$;
COMMENT ON FUNCTION recall_scope_store(bigint, jsonb, timestamptz, boolean) IS
  'Computes the scope of a recall anew and stores it as its next revision where it differs or criteria are given; widen keeps goods that are not reached any more; gives the revision in force and the one before';

CREATE FUNCTION recall_scope_compute(recall bigint, scope jsonb DEFAULT NULL, at timestamptz DEFAULT now(), OUT change text,
    OUT gtin gtin, OUT lot_code text, OUT serial_from text, OUT serial_to text, OUT made daterange, OUT lot_id bigint)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  done record;
BEGIN
  SELECT * INTO done FROM quality_gov.recall_scope_store(recall, scope, at, false);
  RETURN QUERY SELECT * FROM quality_gov.recall_scope_difference(recall, done.earlier, done.revision) d
               ORDER BY d.change, d.gtin, d.lot_code, d.serial_from, d.made;
END
$$;
COMMENT ON FUNCTION recall_scope_compute(bigint, jsonb, timestamptz) IS
  'Computes the goods of a recall from its criteria, or from others that replace them (re-recall, Order 19 art 22), as a revision in force from at on, and shows the difference: added, removed, kept; nothing is stored where nothing differs; 55000 for a recall that was dismissed, 22023 for a scope it cannot read';

CREATE FUNCTION recall_scope_stale(recall bigint DEFAULT NULL, OUT recall_id bigint, OUT change text,
                                   OUT gtin gtin, OUT lot_code text, OUT made daterange, OUT lot_id bigint)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT r.recall_id, d.change, d.gtin, d.lot_code, d.made, d.lot_id
  FROM quality_gov.recall r
  -- What names goods outright never goes stale: only lots of days made and what an ingredient went into do.
  JOIN LATERAL (SELECT bool_or(c.made IS NOT NULL OR c.ingredient IS NOT NULL) AS moves
                FROM quality_gov.recall_criteria(r.recall_id) c) criteria ON criteria.moves
  JOIN LATERAL (SELECT s.verdict FROM quality_gov.recall_step t JOIN quality_gov.recall_state s USING (state)
                WHERE t.recall_id = r.recall_id ORDER BY t.at DESC LIMIT 1) state ON state.verdict <> 'pass'
  JOIN LATERAL (
    SELECT d.change, d.gtin, d.lot_code, d.made, d.lot_id
    FROM quality_gov.recall_scope_difference(r.recall_id,
      (SELECT max(x.revision) FROM quality_gov.recall_scope x WHERE x.recall_id = r.recall_id), NULL) d
    WHERE d.change <> 'kept'
    UNION ALL
    SELECT 'spared', s.gtin, s.lot_code, NULL, NULL FROM quality_gov.recall_scope_spare(r.recall_id) s) d ON true
  WHERE r.recall_id = COALESCE(recall, r.recall_id)
$$;
COMMENT ON FUNCTION recall_scope_stale(bigint) IS
  'Oracle: goods whose place in the scope of a recall (of one, or of all that stop goods) changed by lots, links or aliases recorded after it was computed: added (reached and not in scope), removed (in scope and not reached any more), spared (held only because their day made was not known); no rows when all is well';

CREATE FUNCTION recall_scope_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT c.relation, concat_ws(' ', c.recall_id, c.id), 'has no recall'
  FROM (SELECT 'recall_scope' AS relation, s.recall_id, s.scope_id::text AS id FROM quality_gov.recall_scope s
        UNION ALL SELECT 'recall_criterion', c.recall_id, c.criterion_id::text FROM quality_gov.recall_criterion c
        UNION ALL SELECT 'recall_spared', p.recall_id, p.gtin || ' ' || p.lot_code FROM quality_gov.recall_spared p
        UNION ALL SELECT 'recall_release', e.recall_id, e.release_id::text FROM quality_gov.recall_release e) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall r WHERE r.recall_id = c.recall_id)
  UNION ALL
  SELECT 'recall_criterion', c.recall_id || ' ' || c.criterion_id, 'is not in the scope of its revision'
  FROM quality_gov.recall_criterion c
  LEFT JOIN quality_gov.recall_scope x ON x.recall_id = c.recall_id AND x.revision = c.revision AND x.gtin = c.gtin
    AND COALESCE(x.lot_code, '') = COALESCE(c.lot_code, '') AND COALESCE(x.serial_from, '') = COALESCE(c.serial_from, '')
    AND COALESCE(x.serial_to, '') = COALESCE(c.serial_to, '') AND COALESCE(x.made, 'empty') = COALESCE(c.made, 'empty')
  -- An ingredient that is declared as goods, too, is in the scope once.
  WHERE x.recall_id IS NULL AND NOT EXISTS (
    SELECT FROM quality_gov.gtin_codes(c.ingredient) k
    JOIN quality_gov.recall_scope i ON i.gtin = k.code AND i.lot_code = c.ingredient_lot
    WHERE i.recall_id = c.recall_id AND i.revision = c.revision)
  UNION ALL
  SELECT 'recall_scope', r.recall_id || ' revision ' || r.revision,
         CASE WHEN r.since IS NULL THEN 'has several instants'
              WHEN r.revision <> r.place THEN 'does not follow the revision before' ELSE 'is not after the revision before' END
  FROM (SELECT x.recall_id, x.revision, row_number() OVER w AS place, CASE WHEN min(x.since) = max(x.since) THEN min(x.since) END AS since,
               lag(max(x.since)) OVER w AS before
        FROM quality_gov.recall_scope x GROUP BY x.recall_id, x.revision
        WINDOW w AS (PARTITION BY x.recall_id ORDER BY x.revision)) r
  WHERE r.since IS NULL OR r.revision <> r.place OR r.since <= r.before
$$;
COMMENT ON FUNCTION recall_scope_check() IS
  'Oracle: criteria, goods, spared lots and releases without a recall, criteria that are not in the scope computed from them, revisions that do not follow one another; no rows when all is well';

CREATE FUNCTION recall_scope_refresh(at timestamptz) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  stale record;
  changed bigint := 0;
  goods bigint := 0;
BEGIN
  FOR stale IN SELECT s.recall_id, count(*) AS goods, (SELECT max(x.since) FROM quality_gov.recall_scope x WHERE x.recall_id = s.recall_id) AS since
               FROM quality_gov.recall_scope_stale() s WHERE s.change <> 'removed'
               GROUP BY s.recall_id ORDER BY s.recall_id LOOP
    PERFORM quality_gov.recall_scope_store(stale.recall_id, NULL, greatest(at, stale.since + interval '1 microsecond'), true);
    changed := changed + 1;
    goods := goods + stale.goods;
  END LOOP;
  RETURN format('%s recalls changed, by %s goods', changed, goods);
END
$$;
COMMENT ON FUNCTION recall_scope_refresh(timestamptz) IS
  'Maintenance: takes goods that a recall now reaches into its scope, as another revision; takes none out';

INSERT INTO maintenance_task VALUES
  ('recall_scope', 7, 'quality_gov.recall_scope_refresh', 'Goods that recalls reach since their scope was computed', true);

CREATE FUNCTION doctor_recall_scope(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH stale AS MATERIALIZED (SELECT * FROM quality_gov.recall_scope_stale())
  SELECT CASE s.change WHEN 'added' THEN 'problem' ELSE 'warning' END, 'recall ' || s.recall_id,
         format('%s goods %s', count(*), CASE s.change WHEN 'added' THEN 'are reached and not in its scope'
                  WHEN 'spared' THEN 'are held though made on other days' ELSE 'in its scope are not reached any more' END),
         CASE s.change WHEN 'removed' THEN format('Run quality_gov.recall_scope_compute(%s) if they may be sold again.', s.recall_id)
                       ELSE 'Run quality_gov.maintenance().' END
  FROM stale s GROUP BY s.recall_id, s.change
  UNION ALL
  SELECT 'ok', 'recalls', 'every scope holds what its criteria reach', NULL
  WHERE NOT EXISTS (SELECT FROM stale)
$$;
COMMENT ON FUNCTION doctor_recall_scope() IS 'Check: recalls whose stored scope lacks goods that they reach';
INSERT INTO doctor_check VALUES ('recall_scope', 'quality_gov.doctor_recall_scope', 'Recalls whose scope is not what their criteria reach', true);
