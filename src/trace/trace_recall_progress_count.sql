
-- trace: the arithmetic of a recall: figures that must sum

CREATE TYPE recall_figure AS (
  lot_id bigint, gtin gtin, lot_code text, unit text, basis text, made numeric, in_stock numeric, in_stock_basis text, used numeric,
  uses_unknown bigint, sold numeric, open numeric, shipped numeric, restocked numeric, destroyed_in_stock numeric, unaccounted numeric,
  notified numeric, confirmed numeric, warned numeric, repaired numeric, exchanged numeric, returned numeric, refunded numeric,
  destroyed_by_buyers numeric, elsewhere numeric, outstanding numeric, destroyed numeric, disposed numeric, held numeric, depth integer, via bigint);
COMMENT ON TYPE recall_figure IS
  'Figures of a lot in a recall, in its unit. made = in_stock + used + shipped + destroyed_in_stock + unaccounted; sold = open + shipped; shipped = warned + repaired + exchanged + returned + refunded + destroyed_by_buyers + elsewhere (what left the buyer in another recall) + outstanding; exchanged + returned = disposed + held; destroyed = destroyed_in_stock + destroyed_by_buyers. basis: lot, serials (only those of the lot), sales (order lines of a lot that is not on record, or whose serial number is not known), unknown (order lines that do not say their lot). in_stock_basis: counted (the latest stock count, and what moved since), derived (what is left; then unaccounted is never positive) or unknown';

CREATE TABLE recall_disposal (
  recall_id bigint NOT NULL,
  disposal_id bigint GENERATED ALWAYS AS IDENTITY,
  gtin gtin NOT NULL,
  lot_code text NOT NULL,
  origin text NOT NULL,
  measure text NOT NULL,
  quantity numeric NOT NULL,
  at timestamptz NOT NULL,
  place text NOT NULL,
  pictures text[] NOT NULL DEFAULT '{}',
  lot_id bigint,
  event_id bigint,
  voids bigint,
  note text,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT recall_disposal_pkey PRIMARY KEY (recall_id, disposal_id),
  CONSTRAINT recall_disposal_origin CHECK (origin IN ('returned', 'stock')),
  CONSTRAINT recall_disposal_measure CHECK (measure ~ '\S'),
  CONSTRAINT recall_disposal_place CHECK (place ~ '\S'),
  CONSTRAINT recall_disposal_quantity CHECK (quantity > 0 AND quantity < 'Infinity'),
  CONSTRAINT recall_disposal_at CHECK (isfinite(at)),
  CONSTRAINT recall_disposal_event CHECK (num_nonnulls(lot_id, event_id) = CASE origin WHEN 'stock' THEN 2 ELSE 0 END)
);
CREATE UNIQUE INDEX recall_disposal_voids ON recall_disposal (recall_id, voids) WHERE voids IS NOT NULL;
COMMENT ON TABLE recall_disposal IS
  'How recalled goods were disposed of (食品召回管理办法, Order 122, art 23: measure, time, place, pictures), append-only: goods that buyers gave back (origin returned), or stock, which is then destroyed in lot_event, too (event_id); pictures are references; a row with voids takes back the one it names';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_disposal', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_disposal_disposal_id_seq', '');
CREATE TRIGGER recall_disposal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_disposal
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE VIEW recall_disposal_standing WITH (security_barrier) AS
  SELECT d.* FROM recall_disposal d
  WHERE d.voids IS NULL AND NOT EXISTS (SELECT FROM recall_disposal v WHERE v.recall_id = d.recall_id AND v.voids = d.disposal_id);
COMMENT ON VIEW recall_disposal_standing IS 'How recalled goods were disposed of, without what was taken back';

CREATE FUNCTION recall_answer(recall_id bigint, at timestamptz, OUT gtin gtin, OUT lot_code text, OUT merchant_id text, OUT order_id text,
    OUT line text, OUT confirmed numeric, OUT warned numeric, OUT repaired numeric, OUT exchanged numeric, OUT returned numeric,
    OUT refunded numeric, OUT destroyed numeric, OUT handled numeric, OUT gone numeric)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT x.goods, x.code, x.merchant_id, x.order_id, x.line,
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind = 'confirmed'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind = 'warned'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind = 'repaired'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind = 'exchanged'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind = 'returned'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind = 'refunded'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind = 'destroyed'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE x.own AND x.kind <> 'confirmed'), 0),
         COALESCE(sum(x.quantity) FILTER (WHERE NOT x.own AND x.kind IN ('exchanged', 'returned', 'refunded', 'destroyed')), 0)
  FROM (SELECT r.*, r.recall_id IS NOT DISTINCT FROM recall_answer.recall_id AS own,
               CASE WHEN r.order_id IS NULL THEN COALESCE(a.gtin, r.gtin) END AS goods, CASE WHEN r.order_id IS NULL THEN r.lot_code END AS code
        FROM recall_response_standing r LEFT JOIN gtin_alias a ON a.old = r.gtin
        WHERE r.at <= recall_answer.at
          AND (r.recall_id IS DISTINCT FROM recall_answer.recall_id
               OR r.kind NOT IN ('confirmed', 'warned', 'repaired')
               OR r.at >= (SELECT recall_anew(recall_answer.recall_id, recall_answer.at)))) x
  GROUP BY x.goods, x.code, x.merchant_id, x.order_id, x.line;
END;
COMMENT ON FUNCTION recall_answer(bigint, timestamptz) IS
  'Units by what came of them in a recall, of each order line, or of goods and lot where no order is known; gone: what left the buyer in other recalls; recall_figures() calls it';

CREATE FUNCTION recall_line_figure(extent recall_extent[], recall_id bigint, at timestamptz, OUT lot_id bigint, OUT goods gtin,
    OUT lot_code text, OUT merchant_id text, OUT order_id text, OUT line text, OUT serial text, OUT buyer text, OUT state text, OUT quantity numeric,
    OUT sold numeric, OUT open numeric, OUT restocked numeric, OUT notified numeric, OUT confirmed numeric, OUT warned numeric,
    OUT repaired numeric, OUT exchanged numeric, OUT returned numeric, OUT refunded numeric, OUT destroyed numeric,
    OUT elsewhere numeric, OUT shipped_at timestamptz, OUT restocked_at timestamptz)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH told AS (
    SELECT n.recipient, bool_or(n.confirmed_at <= recall_line_figure.at) AS confirmed
    FROM quality_gov.recall_notice n
    WHERE n.recall_id = recall_line_figure.recall_id AND n.audience = 'consumer' AND n.occasion <> 'dismissed'
      AND n.delivered_at <= recall_line_figure.at
      AND n.round = (SELECT max(o.round) FROM quality_gov.recall_notice_occasion(recall_line_figure.recall_id, recall_line_figure.at) o)
    GROUP BY n.recipient
  ), line AS (
    -- A unit goes one way in a recall; what came of it there is told before what another recall did with it.
    SELECT n.*, COALESCE(a.handled, 0) AS own, LEAST(COALESCE(a.gone, 0), GREATEST(n.quantity - COALESCE(a.handled, 0), 0)) AS elsewhere,
           a.confirmed AS confirms, a.warned, a.repaired, a.exchanged, a.returned, a.refunded, a.destroyed,
           -- What the order table says came back, and no response, is on sale again.
           CASE n.state WHEN 'cancelled' THEN 0 WHEN 'returned' THEN LEAST(n.quantity, COALESCE(a.handled + a.gone, 0))
                        ELSE n.quantity END AS sold
    FROM quality_gov.recall_progress_line(extent, recall_line_figure.at) n
    LEFT JOIN quality_gov.recall_answer(recall_line_figure.recall_id, recall_line_figure.at) a
      ON a.merchant_id = n.merchant_id AND a.order_id = n.order_id AND a.line = n.line
  )
  SELECT n.lot_id, n.goods, n.lot_code, n.merchant_id, n.order_id, n.line, n.serial, n.buyer, n.state, n.quantity, n.sold,
         -- Who gave something back had got it.
         CASE WHEN n.open THEN LEAST(n.sold, GREATEST(n.quantity - n.own - n.elsewhere, 0)) ELSE 0 END,
         CASE n.state WHEN 'cancelled' THEN 0 ELSE n.quantity - n.sold END,
         CASE WHEN t.recipient IS NOT NULL THEN n.sold ELSE 0 END,
         CASE WHEN t.confirmed THEN n.sold ELSE COALESCE(n.confirms, 0) END,
         COALESCE(n.warned, 0), COALESCE(n.repaired, 0), COALESCE(n.exchanged, 0), COALESCE(n.returned, 0), COALESCE(n.refunded, 0),
         COALESCE(n.destroyed, 0), n.elsewhere, COALESCE(n.shipped_at, n.sold_at), n.changed_at
  FROM line n LEFT JOIN told t ON t.recipient = n.buyer
$$;
COMMENT ON FUNCTION recall_line_figure(recall_extent[], bigint, timestamptz) IS
  'Figures of each order line of goods, as recall_figure has them of lots: restocked is what came back outside recalls, and may be sold again; recall_figures() sums them';

CREATE FUNCTION recall_stock_figure(extent recall_extent[], recall_id bigint, at timestamptz, OUT lot_id bigint, OUT made numeric,
    OUT used numeric, OUT uses_unknown bigint, OUT sold numeric, OUT returned numeric, OUT destroyed numeric, OUT counted numeric,
    OUT counted_at timestamptz, OUT moved numeric)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH lots AS MATERIALIZED (
    SELECT p.lot_id, p.goods, l.quantity, c.quantity AS counted, c.at AS counted_at
    FROM quality_gov.recall_progress_lot(extent) p
    JOIN quality_gov.lot l ON l.lot_id = p.lot_id
    LEFT JOIN LATERAL (
      SELECT v.quantity, v.at FROM quality_gov.lot_event_standing v
      WHERE v.lot_id = p.lot_id AND v.kind = 'counted' AND v.quantity IS NOT NULL AND v.at <= recall_stock_figure.at
      ORDER BY v.at DESC, v.event_id DESC LIMIT 1) c ON true
    -- What happens to a lot does not say to which of its numbers.
    WHERE NOT p.partial
  ), lines AS MATERIALIZED (
    SELECT n.goods, n.lot_id, n.merchant_id, n.order_id FROM quality_gov.recall_progress_line(extent, recall_stock_figure.at) n
  ), event AS (
    SELECT l.lot_id, v.kind, v.quantity, v.at > l.counted_at AS after
    FROM lots l JOIN quality_gov.lot_event_standing v ON v.lot_id = l.lot_id
    WHERE v.at <= recall_stock_figure.at AND v.quantity IS NOT NULL
      -- What an order line says already is not counted again.
      AND NOT (v.kind IN ('sold', 'returned') AND v.order_id IS NOT NULL AND EXISTS (
        SELECT FROM lines n WHERE n.order_id = v.order_id AND n.merchant_id = COALESCE(v.merchant_id, n.merchant_id)
          AND n.goods = l.goods AND COALESCE(n.lot_id, v.lot_id) = v.lot_id))
  ), events AS (
    SELECT e.lot_id, sum(e.quantity) FILTER (WHERE e.kind = 'made') AS made, sum(e.quantity) FILTER (WHERE e.kind = 'sold') AS sold,
           sum(e.quantity) FILTER (WHERE e.kind = 'returned') AS returned, sum(e.quantity) FILTER (WHERE e.kind = 'destroyed') AS destroyed,
           sum(CASE WHEN e.kind IN ('made', 'returned') THEN e.quantity WHEN e.kind IN ('sold', 'destroyed') THEN -e.quantity END)
             FILTER (WHERE e.after) AS moved
    FROM event e GROUP BY e.lot_id
  ), links AS (
    SELECT l.lot_id, sum(k.quantity) AS used, count(*) FILTER (WHERE k.quantity IS NULL) AS unknown,
           sum(k.quantity) FILTER (WHERE k.at > l.counted_at) AS after
    FROM lots l JOIN quality_gov.lot_link k ON k.parent = l.lot_id
    WHERE k.at IS NULL OR k.at <= recall_stock_figure.at GROUP BY l.lot_id
  )
  SELECT l.lot_id, COALESCE(l.quantity, e.made), COALESCE(k.used, 0), COALESCE(k.unknown, 0), COALESCE(e.sold, 0), COALESCE(e.returned, 0),
         COALESCE(e.destroyed, 0), l.counted, l.counted_at, COALESCE(e.moved, 0) - COALESCE(k.after, 0)
  FROM lots l LEFT JOIN events e ON e.lot_id = l.lot_id LEFT JOIN links k ON k.lot_id = l.lot_id
$$;
COMMENT ON FUNCTION recall_stock_figure(recall_extent[], bigint, timestamptz) IS
  'Figures of each whole lot of goods from its events and uses: sold and returned beside order lines, the latest stock count, and what moved since (order lines apart); recall_figures() adds them';

CREATE FUNCTION recall_figures(extent recall_extent[], recall_id bigint, at timestamptz) RETURNS SETOF recall_figure
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH lots AS MATERIALIZED (
    SELECT p.*, l.unit FROM quality_gov.recall_progress_lot(extent) p JOIN quality_gov.lot l ON l.lot_id = p.lot_id
  ), stock AS MATERIALIZED (
    SELECT * FROM quality_gov.recall_stock_figure(extent, recall_figures.recall_id, recall_figures.at)
  ), part AS (
    -- Order lines, responses without one, and lots themselves, as parts of the same rows.
    -- Of serial numbers of a lot, an order that says none may be of them, and is apart.
    SELECT CASE WHEN l.partial AND n.serial IS NULL THEN 0 ELSE COALESCE(n.lot_id, 0) END AS lot_key, n.goods, COALESCE(n.lot_code, '') AS code, n.sold, n.open, n.restocked, n.notified, n.confirmed,
           n.warned, n.repaired, n.exchanged, n.returned, n.refunded, n.destroyed, n.elsewhere,
           CASE WHEN n.restocked_at > s.counted_at THEN n.restocked ELSE 0 END
             - CASE WHEN n.shipped_at > s.counted_at THEN n.sold - n.open + n.restocked ELSE 0 END AS moved
    FROM quality_gov.recall_line_figure(extent, recall_figures.recall_id, recall_figures.at) n
    LEFT JOIN stock s ON s.lot_id = n.lot_id
    LEFT JOIN lots l ON l.lot_id = n.lot_id
    UNION ALL
    SELECT COALESCE(l.lot_id, 0), a.gtin, COALESCE(a.lot_code, ''), 0, 0, 0, 0, a.confirmed, a.warned, a.repaired, a.exchanged, a.returned,
           a.refunded, a.destroyed, a.gone, 0
    FROM quality_gov.recall_answer(recall_figures.recall_id, recall_figures.at) a
    LEFT JOIN (SELECT DISTINCT ON (l.goods, l.lot_code) l.goods, l.lot_code, l.lot_id FROM lots l ORDER BY l.goods, l.lot_code, l.lot_id DESC) l
      ON l.goods = a.gtin AND l.lot_code = a.lot_code
    WHERE a.order_id IS NULL AND quality_gov.recall_extent_covers(extent, a.gtin, a.lot_code, NULL)
    UNION ALL
    SELECT l.lot_id, l.goods, l.lot_code, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM lots l
  ), total AS (
    SELECT p.lot_key, p.goods, p.code, sum(p.sold) AS sold, sum(p.open) AS open, sum(p.restocked) AS restocked, sum(p.notified) AS notified,
           sum(p.confirmed) AS confirmed, sum(p.warned) AS warned, sum(p.repaired) AS repaired, sum(p.exchanged) AS exchanged,
           sum(p.returned) AS returned, sum(p.refunded) AS refunded, sum(p.destroyed) AS destroyed, sum(p.elsewhere) AS elsewhere, COALESCE(sum(p.moved), 0) AS moved,
           p.lot_key = max(p.lot_key) OVER (PARTITION BY p.goods, p.code) AS main
    FROM part p GROUP BY p.lot_key, p.goods, p.code
  ), disposal AS (
    SELECT COALESCE(a.gtin, d.gtin) AS goods, d.lot_code, sum(d.quantity) AS quantity
    FROM quality_gov.recall_disposal_standing d LEFT JOIN quality_gov.gtin_alias a ON a.old = d.gtin
    WHERE d.recall_id = recall_figures.recall_id AND d.origin = 'returned' AND d.at <= recall_figures.at GROUP BY 1, 2
  ), known AS (
    SELECT t.*, l.lot_id, l.unit, l.partial, l.depth, l.via, CASE WHEN l.partial THEN l.items ELSE s.made END AS made,
           COALESCE(s.used, 0) AS used, COALESCE(s.uses_unknown, 0) AS uses_unknown, COALESCE(s.destroyed, 0) AS scrapped,
           t.sold + COALESCE(s.sold - s.returned, 0) AS sold_net, t.restocked + COALESCE(s.returned, 0) AS restocked_all,
           s.counted + s.moved + t.moved AS counted, COALESCE(d.quantity, 0) AS disposed
    FROM total t
    LEFT JOIN lots l ON l.lot_id = t.lot_key
    LEFT JOIN stock s ON s.lot_id = t.lot_key
    LEFT JOIN disposal d ON d.goods = t.goods AND d.lot_code = t.code AND t.main
  ), stocked AS (
    SELECT k.*, k.sold_net - k.open AS shipped,
           COALESCE(k.counted, GREATEST(k.made - k.used - k.sold_net + k.open - k.scrapped, 0)) AS in_stock
    FROM known k
  )
  SELECT k.lot_id, k.goods, nullif(k.code, ''), k.unit,
         CASE WHEN k.code = '' THEN 'unknown' WHEN k.lot_id IS NULL THEN 'sales' WHEN k.partial THEN 'serials' ELSE 'lot' END,
         k.made, CASE WHEN k.made IS NOT NULL OR k.counted IS NOT NULL THEN k.in_stock END,
         CASE WHEN k.counted IS NOT NULL THEN 'counted' WHEN k.made IS NOT NULL THEN 'derived' ELSE 'unknown' END,
         k.used, k.uses_unknown, k.sold_net, k.open, k.shipped, k.restocked_all, k.scrapped,
         k.made - k.in_stock - k.used - k.shipped - k.scrapped,
         k.notified, k.confirmed, k.warned, k.repaired, k.exchanged, k.returned, k.refunded, k.destroyed, k.elsewhere,
         k.shipped - k.warned - k.repaired - k.exchanged - k.returned - k.refunded - k.destroyed - k.elsewhere,
         k.scrapped + k.destroyed, k.disposed, k.exchanged + k.returned - k.disposed, k.depth, k.via
  FROM stocked k
$$;
COMMENT ON FUNCTION recall_figures(recall_extent[], bigint, timestamptz) IS
  'Figures of goods by lot, as of an instant; recall_progress() and recall_drill() call it';
