
-- trace: the goods of a recall and who bought them, as a session may see it

CREATE FUNCTION recall_goods(recall bigint, at timestamptz DEFAULT now(), OUT gtin gtin, OUT lot_code text, OUT serial_from text,
    OUT serial_to text, OUT made daterange, OUT lot_id bigint, OUT via bigint, OUT depth integer, OUT released boolean)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF NOT quality_gov.session_acts_for((SELECT r.merchant_id FROM quality_gov.recall r WHERE r.recall_id = recall),
                                      '{quality_gov_admin,quality_gov_regulator,quality_gov_analyst,quality_gov_app}') THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT x.gtin, x.lot_code, x.serial_from, x.serial_to, x.made, COALESCE(x.lot_id, l.lot_id), x.via, x.depth,
           EXISTS (SELECT FROM quality_gov.gtin_codes(x.gtin) k JOIN quality_gov.recall_release f ON f.gtin = k.code AND k.since <= recall_goods.at
                   WHERE f.recall_id = recall AND (f.lot_code IS NULL OR f.lot_code = x.lot_code)
                     AND (f.serial_from IS NULL OR quality_gov.serial_within(x.serial_from, f.serial_from, f.serial_to)
                                                   AND quality_gov.serial_within(x.serial_to, f.serial_from, f.serial_to))
                     AND quality_gov.recall_release_period(recall, f.at) @> recall_goods.at)
    FROM quality_gov.recall_scope_at(recall, recall_goods.at) x
    LEFT JOIN LATERAL (
      SELECT l.lot_id FROM quality_gov.gtin_codes(x.gtin) k JOIN quality_gov.lot l ON l.gtin = k.code AND l.lot_code = x.lot_code
      WHERE x.lot_id IS NULL ORDER BY k.since, l.lot_id LIMIT 1) l ON true
    ORDER BY x.gtin, x.lot_code, x.serial_from, x.serial_to, x.made;
END
$$;
COMMENT ON FUNCTION recall_goods(bigint, timestamptz) IS
  'Goods of a recall as of an instant: GTIN, of it a lot, serial numbers or, without a lot, goods of days made whose lot is not known; depth and via where reached from an ingredient lot; released where all of the row may be sold again; no rows for a merchant that does not answer for the recall';

CREATE FUNCTION recall_order_match(recall bigint, at timestamptz, OUT sold sale, OUT match text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH goods AS MATERIALIZED (
    SELECT x.lot_code, x.serial_from, x.serial_to, x.made, x.gtin,
           x.made IS NOT NULL AND NOT EXISTS (SELECT FROM quality_gov.lot l WHERE l.lot_id = x.lot_id AND l.made_on IS NOT NULL) AS undated
    FROM quality_gov.recall_scope_at(recall, recall_order_match.at) x),
  code AS MATERIALIZED (
    SELECT g.gtin, k.code FROM (SELECT DISTINCT g.gtin FROM goods g) g CROSS JOIN LATERAL quality_gov.gtin_codes(g.gtin) k
    WHERE k.since <= recall_order_match.at),
  released AS MATERIALIZED (
    SELECT k.code, f.lot_code, f.serial_from, f.serial_to,
           quality_gov.recall_release_period(recall, f.at) * tstzrange(k.since, NULL) AS period
    FROM quality_gov.recall_release f CROSS JOIN LATERAL quality_gov.gtin_codes(f.gtin) k WHERE f.recall_id = recall),
  unnamed AS (
    -- Where an order names no lot, its serial number may tell.
    SELECT s, c.gtin, i.lot_code
    FROM code c JOIN quality_gov.sale s ON s.gtin = c.code AND s.lot_code IS NULL
    -- Numbers go by the GTIN of today, whatever was known then.
    LEFT JOIN ((SELECT DISTINCT g.gtin FROM goods g) o CROSS JOIN LATERAL quality_gov.gtin_codes(o.gtin) k
               JOIN quality_gov.lot_item t ON t.gtin = k.code JOIN quality_gov.lot i ON i.lot_id = t.lot_id)
      ON o.gtin = c.gtin AND t.serial = s.serial),
  named AS (
    SELECT s, g.serial_from, g.serial_to, CASE WHEN g.undated THEN 'day made unknown' ELSE 'certain' END AS match
    FROM goods g JOIN code c ON c.gtin = g.gtin JOIN quality_gov.sale s ON s.gtin = c.code AND s.lot_code = g.lot_code
    UNION ALL
    SELECT u.s, g.serial_from, g.serial_to, CASE WHEN g.undated THEN 'day made unknown' ELSE 'certain' END
    FROM goods g JOIN unnamed u ON u.gtin = g.gtin AND u.lot_code = g.lot_code
    UNION ALL
    SELECT u.s, g.serial_from, g.serial_to, 'lot unknown'
    FROM (SELECT DISTINCT g.gtin, g.serial_from, g.serial_to FROM goods g WHERE g.lot_code IS NOT NULL) g
    JOIN unnamed u ON u.gtin = g.gtin AND u.lot_code IS NULL
    UNION ALL
    SELECT w.s, g.serial_from, g.serial_to,
           CASE WHEN g.made IS NULL THEN 'certain' WHEN w.lot_code IS NULL THEN 'lot unknown' ELSE 'day made unknown' END
    FROM (SELECT * FROM goods g WHERE g.lot_code IS NULL) g
    JOIN (SELECT s, c.gtin, s.lot_code FROM code c JOIN quality_gov.sale s ON s.gtin = c.code AND s.lot_code IS NOT NULL
          UNION ALL SELECT * FROM unnamed) w ON w.gtin = g.gtin
    WHERE NOT (g.made IS NOT NULL AND EXISTS (
                 SELECT FROM quality_gov.recall_spared p JOIN code o ON o.code = p.gtin
                 WHERE p.recall_id = recall AND o.gtin = g.gtin AND p.lot_code = w.lot_code AND p.since <= recall_order_match.at)))
  SELECT DISTINCT ON ((n.s).merchant_id, (n.s).order_id, (n.s).line) n.s,
         CASE WHEN n.match = 'certain' AND n.serial_from IS NOT NULL AND (n.s).serial IS NULL THEN 'serial number unknown' ELSE n.match END
  FROM named n
  WHERE (n.serial_from IS NULL OR (n.s).serial IS NULL OR quality_gov.serial_within((n.s).serial, n.serial_from, n.serial_to))
    -- What was made safe before it was sold was sold rightly.
    AND NOT EXISTS (
      SELECT FROM released f
      WHERE f.code = (n.s).gtin AND (f.lot_code IS NULL OR f.lot_code = (n.s).lot_code) AND f.period @> (n.s).sold_at
        AND (f.serial_from IS NULL OR quality_gov.serial_within((n.s).serial, f.serial_from, f.serial_to)))
  ORDER BY (n.s).merchant_id, (n.s).order_id, (n.s).line, n.match <> 'certain', n.serial_from IS NOT NULL AND (n.s).serial IS NULL, n.match
$$;
COMMENT ON FUNCTION recall_order_match(bigint, timestamptz) IS
  'Order lines of goods in scope of a recall as of an instant, and how surely: certain, lot unknown, serial number unknown, day made unknown';

CREATE FUNCTION recall_orders(recall bigint, at timestamptz DEFAULT now(), OUT merchant_id text, OUT order_id text, OUT line text,
    OUT gtin gtin, OUT lot_code text, OUT serial text, OUT quantity numeric, OUT buyer text, OUT sold_at timestamptz, OUT state text,
    OUT open boolean, OUT match text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  everything boolean := quality_gov.session_acts_for(NULL, '{quality_gov_admin,quality_gov_regulator,quality_gov_app}');
  own text[];
BEGIN
  IF NOT everything THEN
    own := ARRAY(SELECT DISTINCT m.merchant_id FROM quality_gov.merchant_member m WHERE quality_gov.session_acts_for(m.merchant_id, '{}'));
  END IF;
  RETURN QUERY
    SELECT (m.sold).merchant_id, (m.sold).order_id, (m.sold).line, (m.sold).gtin, (m.sold).lot_code, (m.sold).serial, (m.sold).quantity,
           (m.sold).buyer, (m.sold).sold_at, (m.sold).state, (m.sold).state IN ('open', 'shipped'), m.match
    FROM quality_gov.recall_order_match(recall, recall_orders.at) m
    WHERE everything OR (m.sold).merchant_id = ANY (own);
END
$$;
COMMENT ON FUNCTION recall_orders(bigint, timestamptz) IS
  'Order lines of goods in scope of a recall as of an instant, read when asked, so that orders in flight when it began appear once they commit: open says not delivered yet, match how surely they are of it; a merchant sees its own';

CREATE FUNCTION recall_buyers(recall bigint, at timestamptz DEFAULT now(), OUT merchant_id text, OUT buyer text, OUT lines bigint,
    OUT quantity numeric, OUT open bigint, OUT certain boolean, OUT last_sold_at timestamptz)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT o.merchant_id, o.buyer, count(*), sum(o.quantity), count(*) FILTER (WHERE o.open), bool_or(o.match = 'certain'), max(o.sold_at)
  FROM quality_gov.recall_orders(recall, recall_buyers.at) o
  WHERE o.state <> 'cancelled' AND o.buyer IS NOT NULL
  GROUP BY o.merchant_id, o.buyer ORDER BY o.merchant_id, o.buyer
$$;
COMMENT ON FUNCTION recall_buyers(bigint, timestamptz) IS
  'Buyers of record of goods in scope of a recall, by merchant: the platform''s references, order lines not cancelled, how many of them are open, and whether any is certainly of it; a merchant sees its own';
