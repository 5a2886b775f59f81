
-- trace: what cannot be true of lots

CREATE FUNCTION trace_line(one bigint, OUT lot_id bigint, OUT line sale) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT l.lot_id, x FROM lot l JOIN sale x ON x.gtin = l.gtin AND x.lot_code = l.lot_code WHERE one IS NULL OR l.lot_id = one
  UNION ALL
  SELECT l.lot_id, x FROM lot l JOIN gtin_alias a ON a.gtin = l.gtin JOIN sale x ON x.gtin = a.old AND x.lot_code = l.lot_code
  WHERE one IS NULL OR l.lot_id = one
  UNION ALL
  SELECT i.lot_id, x FROM lot_item i JOIN sale x ON x.gtin = i.gtin AND x.serial = i.serial AND x.lot_code IS NULL AND x.serial IS NOT NULL
  WHERE one IS NULL OR i.lot_id = one
  UNION ALL
  SELECT i.lot_id, x FROM lot_item i JOIN gtin_alias a ON a.gtin = i.gtin
  JOIN sale x ON x.gtin = a.old AND x.serial = i.serial AND x.lot_code IS NULL AND x.serial IS NOT NULL
  WHERE one IS NULL OR i.lot_id = one;
END;
COMMENT ON FUNCTION trace_line(bigint) IS
  'Order lines of each lot, of one or of all where null, as lot_sale has them, by joins that all lots at once can afford';

CREATE FUNCTION trace_balance_check(one bigint, OUT lot bigint, OUT problem text, OUT detail text) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
  -- With one lot or with all: a plan for both would be one for all.
  SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN QUERY
    WITH used AS (
      SELECT k.parent AS lot_id, sum(k.quantity) AS used, bool_and(k.quantity = trunc(k.quantity)) AS whole
      FROM quality_gov.lot_link k WHERE one IS NULL OR k.parent = one GROUP BY 1),
    told AS MATERIALIZED (
      SELECT t.lot_id, (t.line).merchant_id, (t.line).order_id, (t.line).quantity, (t.line).state FROM quality_gov.trace_line(one) t),
    line AS (
      SELECT x.lot_id, sum(x.quantity) FILTER (WHERE x.state <> 'cancelled') AS sold,
             sum(x.quantity) FILTER (WHERE x.state = 'returned') AS returned,
             bool_and(x.quantity = trunc(x.quantity)) AS whole
      FROM told x GROUP BY 1),
    happened AS (
      SELECT v.lot_id, sum(v.quantity) FILTER (WHERE v.kind = 'made') AS made,
             sum(v.quantity) FILTER (WHERE v.kind = 'sold') AS sold,
             sum(v.quantity) FILTER (WHERE v.kind = 'returned') AS returned,
             sum(v.quantity) FILTER (WHERE v.kind = 'destroyed') AS destroyed,
             bool_and(v.quantity = trunc(v.quantity)) AS whole
      FROM quality_gov.lot_event_standing v
      WHERE (one IS NULL OR v.lot_id = one)
        -- What an order line says already is not counted again; as two joins, which all lots at once can afford.
        AND NOT EXISTS (SELECT FROM told x WHERE v.kind IN ('sold', 'returned')
                          AND x.lot_id = v.lot_id AND x.order_id = v.order_id AND x.merchant_id = v.merchant_id)
        AND NOT EXISTS (SELECT FROM told x WHERE v.kind IN ('sold', 'returned') AND v.merchant_id IS NULL
                          AND x.lot_id = v.lot_id AND x.order_id = v.order_id)
      GROUP BY 1),
    numbered AS (
      SELECT i.lot_id, count(*) AS items FROM quality_gov.lot_item i WHERE one IS NULL OR i.lot_id = one GROUP BY 1),
    balance AS (
      SELECT l.lot_id, COALESCE(l.quantity, h.made) AS made, COALESCE(u.used, 0) AS used,
             COALESCE(s.sold, 0) + COALESCE(h.sold, 0) AS sold, COALESCE(s.returned, 0) + COALESCE(h.returned, 0) AS returned,
             COALESCE(h.destroyed, 0) AS destroyed, n.items,
             -- UN/ECE Recommendation 20: piece, one, each
             COALESCE(l.unit, 'H87') IN ('H87', 'C62', 'EA') AS pieces,
             l.quantity <> trunc(l.quantity) OR NOT u.whole OR NOT s.whole OR NOT h.whole AS broken
      FROM quality_gov.lot l
      LEFT JOIN used u USING (lot_id)
      LEFT JOIN line s USING (lot_id)
      LEFT JOIN happened h USING (lot_id)
      LEFT JOIN numbered n USING (lot_id)
      WHERE one IS NULL OR l.lot_id = one)
    SELECT b.lot_id, p.problem, p.detail
    FROM balance b
    CROSS JOIN LATERAL (VALUES
      (b.used + b.sold - b.returned + b.destroyed > b.made, 'more out than made',
       format('made %s, used %s, sold %s, returned %s, destroyed %s', b.made, b.used, b.sold, b.returned, b.destroyed)),
      (b.returned > b.sold, 'more returned than sold', format('sold %s, returned %s', b.sold, b.returned)),
      (b.pieces AND b.items > b.made, 'more numbered than made', format('made %s, %s serial numbers', b.made, b.items)),
      (b.pieces AND b.broken, 'a fraction of a piece',
       'its unit counts pieces, but a quantity made, used or sold is not whole')) p(wrong, problem, detail)
    -- Lots that are right end here, before a message is made for each.
    WHERE (b.used + b.sold - b.returned + b.destroyed > b.made OR b.returned > b.sold
           OR b.pieces AND (b.broken OR b.items > b.made)) AND p.wrong;
END
$$;
COMMENT ON FUNCTION trace_balance_check(bigint) IS
  'Lots whose figures do not add up, of one lot or of all where null: more out than made or more returned than sold (a sign of counterfeits), more serial numbers than pieces, fractions of pieces';

CREATE FUNCTION trace_link_check(one bigint, OUT lot bigint, OUT problem text, OUT detail text) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
  SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN QUERY
    SELECT p.lot, p.problem, p.detail
    FROM quality_gov.lot_link k
    LEFT JOIN quality_gov.lot a ON a.lot_id = k.parent
    LEFT JOIN quality_gov.lot b ON b.lot_id = k.child
    CROSS JOIN LATERAL (SELECT (k.at AT TIME ZONE 'Asia/Shanghai')::date AS used) z
    CROSS JOIN LATERAL (VALUES
      (a.lot_id IS NULL, k.parent, 'does not exist', format('it went into lot %s', k.child)),
      (b.lot_id IS NULL, k.child, 'does not exist', format('lot %s went into it', k.parent)),
      (b.made_on < a.made_on, k.child, 'made before what went into it',
       format('made %s, lot %s made %s', b.made_on, k.parent, a.made_on)),
      (z.used < a.made_on, k.parent, 'used before it was made',
       format('made %s, used in lot %s at %s', a.made_on, k.child, k.at)),
      (COALESCE(z.used, b.made_on) > a.expires_on, k.parent, 'used after it expired',
       format('expired %s, used in lot %s %s', a.expires_on, k.child, COALESCE('at ' || k.at, 'made ' || b.made_on))))
      p(wrong, lot, problem, detail)
    WHERE (one IS NULL OR k.parent = one OR k.child = one)
      AND (a.lot_id IS NULL OR b.lot_id IS NULL OR b.made_on < a.made_on OR z.used < a.made_on
           OR COALESCE(z.used, b.made_on) > a.expires_on) AND p.wrong;
END
$$;
COMMENT ON FUNCTION trace_link_check(bigint) IS
  'Links of which a lot is missing or whose times cannot be, of one lot or of all where null; days in Asia/Shanghai';

CREATE FUNCTION trace_event_check(one bigint, OUT lot bigint, OUT problem text, OUT detail text) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
  SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN QUERY
    SELECT e.lot_id, 'does not exist', format('event %s (%s) happened to it', e.event_id, e.kind)
    FROM quality_gov.lot_event e
    WHERE (one IS NULL OR e.lot_id = one) AND NOT EXISTS (SELECT FROM quality_gov.lot l WHERE l.lot_id = e.lot_id)
    UNION ALL
    SELECT e.lot_id, 'takes back an event that does not exist', format('event %s takes back event %s', e.event_id, e.voids)
    FROM quality_gov.lot_event e
    WHERE e.voids IS NOT NULL AND (one IS NULL OR e.lot_id = one) AND NOT EXISTS (
      SELECT FROM quality_gov.lot_event v WHERE v.lot_id = e.lot_id AND v.event_id = e.voids AND v.event_id < e.event_id)
    UNION ALL
    SELECT l.lot_id, CASE WHEN z.day < l.made_on THEN 'an event before it was made' ELSE 'sold after it expired' END,
           format('made %s, expires %s, event %s (%s) at %s', l.made_on, l.expires_on, v.event_id, v.kind, v.at)
    FROM quality_gov.lot_event_standing v
    JOIN quality_gov.lot l ON l.lot_id = v.lot_id
    CROSS JOIN LATERAL (SELECT (v.at AT TIME ZONE 'Asia/Shanghai')::date AS day) z
    WHERE (one IS NULL OR v.lot_id = one) AND (z.day < l.made_on OR v.kind = 'sold' AND z.day > l.expires_on)
    UNION ALL
    -- An order may be taken before the goods are made, and the lot known when they are shipped.
    SELECT l.lot_id, CASE WHEN z.shipped < l.made_on THEN 'shipped before it was made' ELSE 'sold after it expired' END,
           format('made %s, expires %s, order %s of merchant %s sold at %s, shipped at %s', l.made_on, l.expires_on,
                  (t.line).order_id, (t.line).merchant_id, (t.line).sold_at, COALESCE((t.line).shipped_at::text, 'no time known'))
    FROM quality_gov.trace_line(one) t
    JOIN quality_gov.lot l ON l.lot_id = t.lot_id
    CROSS JOIN LATERAL (SELECT ((t.line).sold_at AT TIME ZONE 'Asia/Shanghai')::date AS sold,
                               ((t.line).shipped_at AT TIME ZONE 'Asia/Shanghai')::date AS shipped) z
    WHERE (t.line).state <> 'cancelled' AND (z.shipped < l.made_on OR z.sold > l.expires_on)
    UNION ALL
    SELECT i.lot_id, CASE WHEN l.lot_id IS NULL THEN 'does not exist' ELSE 'an item of another GTIN' END,
           format('item %s serial %s', i.gtin, i.serial)
    FROM quality_gov.lot_item i LEFT JOIN quality_gov.lot l ON l.lot_id = i.lot_id
    WHERE (one IS NULL OR i.lot_id = one)
      AND (l.lot_id IS NULL OR l.gtin <> i.gtin AND quality_gov.gtin_current(l.gtin) <> quality_gov.gtin_current(i.gtin));
END
$$;
COMMENT ON FUNCTION trace_event_check(bigint) IS
  'Events, order lines and numbered items that cannot be so, of one lot or of all where null; days in Asia/Shanghai';

CREATE FUNCTION trace_check(one bigint DEFAULT NULL, OUT lot bigint, OUT problem text, OUT detail text) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.lot l WHERE l.lot_id = one)
     AND NOT EXISTS (SELECT FROM quality_gov.lot_link k WHERE k.parent = one OR k.child = one)
     AND NOT EXISTS (SELECT FROM quality_gov.lot_event e WHERE e.lot_id = one)
     AND NOT EXISTS (SELECT FROM quality_gov.lot_item i WHERE i.lot_id = one) AND one IS NOT NULL THEN
    RAISE EXCEPTION 'lot % does not exist', one USING ERRCODE = 'no_data_found',
      HINT = 'lot_find() gives the lot of a GTIN and lot code.';
  END IF;
  RETURN QUERY SELECT c.* FROM quality_gov.trace_balance_check(one) c;
  RETURN QUERY SELECT c.* FROM quality_gov.trace_link_check(one) c;
  RETURN QUERY SELECT c.* FROM quality_gov.trace_event_check(one) c;
  IF one IS NULL THEN
    RETURN QUERY SELECT c.lot, 'leads back to itself',
      format('%s lots lead to one another, lot %s is the first of them', c.lots, c.cycle) FROM quality_gov.trace_cycle() c;
    RETURN QUERY SELECT NULL::bigint, 'an alias of an alias', format('GTIN %s stands for %s, which stands for %s', a.old, a.gtin, b.gtin)
      FROM quality_gov.gtin_alias a JOIN quality_gov.gtin_alias b ON b.old = a.gtin;
  ELSIF EXISTS (SELECT FROM quality_gov.lot_link k WHERE k.child = one) THEN
    RETURN QUERY SELECT one, 'leads back to itself', 'by way of lots ' || array_to_string(p, ', ')
      FROM quality_gov.trace_path_lots(one, one) p WHERE p IS NOT NULL;
  END IF;
END
$$;
COMMENT ON FUNCTION trace_check(bigint) IS
  'Oracle: lots of which something cannot be true, of one lot or of all: figures that do not add up, missing lots, cycles, impossible times, items of another GTIN, aliases of aliases (without a lot); no rows when all is well';

CREATE FUNCTION doctor_trace(OUT status text, OUT subject text, OUT detail text, OUT hint text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', 'lot ' || c.cycle, format('%s lots lead to one another', c.lots),
         format('SELECT * FROM quality_gov.trace_path(%s, %1$s) shows how.', c.cycle)
  FROM quality_gov.trace_cycle() c WHERE c.lot = c.cycle
  UNION ALL
  SELECT 'problem', 'GTIN ' || a.old, format('stands for %s, which stands for %s', a.gtin, b.gtin), 'Let it stand for the last one.'
  FROM quality_gov.gtin_alias a JOIN quality_gov.gtin_alias b ON b.old = a.gtin
$$;
COMMENT ON FUNCTION doctor_trace() IS
  'Check: cycles among lots and aliases of aliases; what takes longer is in trace_check()';
INSERT INTO doctor_check VALUES
  ('trace', 'quality_gov.doctor_trace', 'Cycles among lots and aliases of aliases; trace_check() looks at the rest', true);
