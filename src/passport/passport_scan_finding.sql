
-- passport: what codes and scans show together

CREATE FUNCTION code_findings(OUT finding text, OUT gtin gtin, OUT lot_code text, OUT serial text, OUT merchant_id text,
                              OUT count bigint, OUT first_at timestamptz, OUT last_at timestamptz, OUT detail text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH seen AS MATERIALIZED (
    SELECT s.gtin, s.lot_code, s.serial, s.batch_id, s.at, s.reasons FROM passport_scan s
    WHERE s.status <> 'authentic' AND s.gtin IS NOT NULL),
  coded AS MATERIALIZED (
    SELECT b.gtin, b.lot_code, sum(b.codes) AS codes, min(b.at) AS since FROM code_batch b GROUP BY b.gtin, b.lot_code),
  finding AS (
    SELECT 'code_without_passport' AS finding, c.gtin, c.lot_code, NULL::text AS serial, c.codes AS count, c.since AS first_at,
           NULL::timestamptz AS last_at, NULL::text AS detail
    FROM coded c WHERE passport_find(c.gtin, c.lot_code, NULL, now()) IS NULL
    UNION ALL
    SELECT 'beyond_quantity', c.gtin, c.lot_code, NULL, c.codes - m.made, c.since, NULL, format('%s codes, %s pieces made', c.codes, m.made)
    FROM coded c CROSS JOIN LATERAL (SELECT lot_items_made(c.gtin, c.lot_code) AS made) m WHERE c.codes > m.made
    UNION ALL
    SELECT 'scanned_before_issue', s.gtin, s.lot_code, s.serial, count(*), min(s.at), max(s.at), NULL
    FROM seen s JOIN code_batch b ON b.gtin = s.gtin AND b.at > s.at AND (b.batch_id = s.batch_id
      OR s.batch_id IS NULL AND b.lot_code = s.lot_code AND (code_lookup(s.serial, s.gtin, s.lot_code)).batch_id = b.batch_id)
    WHERE s.serial IS NOT NULL GROUP BY s.gtin, s.lot_code, s.serial
    UNION ALL
    SELECT r.reason, s.gtin, s.lot_code, s.serial, count(*), min(s.at), max(s.at), NULL
    FROM seen s CROSS JOIN LATERAL unnest(s.reasons) AS r(reason)
    WHERE r.reason IN ('unknown_code', 'code_revoked', 'wrong_lot', 'impossible_speed', 'many_places', 'many_scanners')
    GROUP BY r.reason, s.gtin, s.lot_code, s.serial
    UNION ALL
    SELECT 'sold_twice', x.gtin, min(x.lot_code), x.serial, count(DISTINCT (x.merchant_id, x.order_id)), min(x.sold_at), max(x.sold_at),
           -- Whose lot it is learns that others sold it, not their orders.
           string_agg(DISTINCT CASE WHEN session_acts_for(x.merchant_id, '{quality_gov_analyst,quality_gov_regulator,quality_gov_admin}')
                                    THEN format('%s of %s', x.order_id, x.merchant_id) ELSE 'another merchant' END, ', ')
    FROM sale x WHERE x.serial IS NOT NULL AND x.gtin IS NOT NULL AND x.state NOT IN ('cancelled', 'returned')
    GROUP BY x.gtin, x.serial HAVING count(DISTINCT (x.merchant_id, x.order_id)) > 1)
  SELECT f.finding, f.gtin, f.lot_code, f.serial, l.merchant_id, f.count, f.first_at, f.last_at, f.detail
  FROM finding f LEFT JOIN lot l ON l.gtin = gtin_current(f.gtin) AND l.lot_code = f.lot_code
  WHERE session_acts_for(l.merchant_id, '{quality_gov_analyst,quality_gov_regulator,quality_gov_admin}')
$$;
COMMENT ON FUNCTION code_findings() IS
  'What the view code_finding shows, of the goods that the session''s role may see';

CREATE VIEW code_finding WITH (security_barrier) AS
  SELECT finding, gtin, lot_code, serial, merchant_id, count, first_at, last_at, detail FROM code_findings();
COMMENT ON VIEW code_finding IS
  'What codes, scans and sales show against goods: code_without_passport, beyond_quantity (count: how many too many), scanned_before_issue, unknown_code, code_revoked, wrong_lot, impossible_speed, many_places, many_scanners, sold_twice; how often, first and last; merchants see those of their lots';

CREATE VIEW passport_scan_overview WITH (security_barrier) AS
  SELECT (s.at AT TIME ZONE 'Asia/Shanghai')::date AS day, s.gtin, s.lot_code, s.channel, s.status, count(*) AS scans,
         count(DISTINCT s.goods) AS goods, count(DISTINCT s.place) AS places
  FROM passport_scan s
  LEFT JOIN lot l ON l.gtin = s.gtin AND l.lot_code = s.lot_code
  WHERE (SELECT session_reads_all()) OR l.merchant_id IN (SELECT m.merchant_id FROM session_merchant m)
  GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW passport_scan_overview IS
  'Scans by day (Asia/Shanghai), GTIN, lot, channel and status: how many, of how many codes, in how many places; merchants see those of their lots';
