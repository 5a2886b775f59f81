
-- trace: the arithmetic of a recall: which lots and order lines it is about

CREATE TYPE recall_extent AS (gtin gtin, lot_code text, serial_from text, serial_to text, made daterange, depth integer, via bigint);
COMMENT ON TYPE recall_extent IS
  'Goods that are counted: a GTIN, of it a lot code (null: every lot), serial numbers (both ends included), or days made where no lot is named; depth and via as in recall_scope';

CREATE FUNCTION recall_extent_of(recall_id bigint) RETURNS recall_extent[]
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(array_agg(ROW(x.gtin, x.lot_code, x.serial_from, x.serial_to, x.made, x.depth, x.via)::recall_extent ORDER BY x.scope_id), '{}')
  FROM recall_scope x
  WHERE x.recall_id = recall_extent_of.recall_id
    AND x.revision = (SELECT max(y.revision) FROM recall_scope y WHERE y.recall_id = recall_extent_of.recall_id);
END;
COMMENT ON FUNCTION recall_extent_of(bigint) IS 'The goods of a recall, by the latest revision of its scope';

-- Who bought: a worker that delivers a notice tells the buyer its orders.
CREATE INDEX sale_buyer ON sale (buyer) WHERE buyer IS NOT NULL;

CREATE FUNCTION recall_progress_lot(extent recall_extent[],
    OUT lot_id bigint, OUT goods gtin, OUT lot_code text, OUT partial boolean, OUT items bigint, OUT depth integer, OUT via bigint)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  WITH wanted AS MATERIALIZED (
    SELECT COALESCE(a.gtin, x.gtin) AS goods, x.lot_code, x.serial_from, x.serial_to, x.made, x.depth, x.via
    FROM unnest(extent) AS x LEFT JOIN gtin_alias a ON a.old = x.gtin
  ), family AS MATERIALIZED (
    -- Every number the goods go by.
    SELECT w.goods, w.goods AS gtin FROM wanted w
    UNION SELECT a.gtin, a.old FROM gtin_alias a JOIN wanted w ON w.goods = a.gtin
  ), hit AS MATERIALIZED (
    SELECT l.lot_id, w.goods, l.lot_code, l.made_on, w.serial_from, w.serial_to, w.made, true AS named, w.depth, w.via
    FROM wanted w JOIN family f ON f.goods = w.goods JOIN lot l ON l.gtin = f.gtin AND l.lot_code = w.lot_code
    UNION ALL
    SELECT l.lot_id, w.goods, l.lot_code, l.made_on, w.serial_from, w.serial_to, w.made, false, w.depth, w.via
    FROM wanted w JOIN family f ON f.goods = w.goods JOIN lot l ON l.gtin = f.gtin
    WHERE w.lot_code IS NULL
  ), numbered AS (
    SELECT h.lot_id, count(DISTINCT i.serial) AS items
    FROM hit h JOIN lot_item i ON i.lot_id = h.lot_id
      AND length(i.serial) = length(h.serial_from) AND i.serial COLLATE "C" BETWEEN h.serial_from AND h.serial_to
    GROUP BY h.lot_id
  )
  SELECT h.lot_id, h.goods, h.lot_code, bool_and(h.serial_from IS NOT NULL), CASE WHEN bool_and(h.serial_from IS NOT NULL) THEN max(n.items) END,
         min(h.depth), (array_agg(h.via ORDER BY h.depth, h.via))[1]
  FROM hit h LEFT JOIN numbered n ON n.lot_id = h.lot_id
  -- A lot whose day is not known may have been made then; one that is named is meant.
  WHERE h.made IS NULL OR h.named OR h.made_on IS NULL OR h.made @> h.made_on
  GROUP BY h.lot_id, h.goods, h.lot_code
  HAVING NOT bool_and(h.serial_from IS NOT NULL) OR max(n.items) > 0;
END;
COMMENT ON FUNCTION recall_progress_lot(recall_extent[]) IS
  'Lots that goods name: under the present GTIN and those it had before; partial where only serial numbers of it are meant, and how many of those are known';

CREATE FUNCTION recall_progress_line(extent recall_extent[], at timestamptz, buyers text[] DEFAULT NULL,
    OUT merchant_id text, OUT order_id text, OUT line text, OUT goods gtin, OUT lot_code text, OUT lot_id bigint, OUT serial text,
    OUT product text, OUT quantity numeric, OUT state text, OUT open boolean, OUT buyer text, OUT sold_at timestamptz,
    OUT shipped_at timestamptz, OUT changed_at timestamptz)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  WITH wanted AS MATERIALIZED (
    SELECT COALESCE(a.gtin, x.gtin) AS goods, x.lot_code, x.serial_from, x.serial_to, x.made,
           x.serial_from IS NOT NULL OR x.made IS NOT NULL AND x.lot_code IS NULL AS partial
    FROM unnest(extent) AS x LEFT JOIN gtin_alias a ON a.old = x.gtin
  ), family AS MATERIALIZED (
    SELECT w.goods, w.goods AS gtin FROM wanted w
    UNION SELECT a.gtin, a.old FROM gtin_alias a JOIN wanted w ON w.goods = a.gtin
  ), sold AS (
    SELECT w.goods, s.* FROM (SELECT DISTINCT w.goods, w.lot_code FROM wanted w WHERE w.lot_code IS NOT NULL) w
    JOIN family f ON f.goods = w.goods JOIN sale s ON s.gtin = f.gtin AND s.lot_code = w.lot_code
    WHERE s.sold_at <= recall_progress_line.at AND (buyers IS NULL OR s.buyer = ANY (buyers))
    UNION
    -- Goods whose lot the order does not say, and of a GTIN that is meant whole all.
    SELECT f.goods, s.* FROM family f JOIN sale s ON s.gtin = f.gtin AND s.lot_code IS NULL
    WHERE s.sold_at <= recall_progress_line.at AND (buyers IS NULL OR s.buyer = ANY (buyers))
    UNION
    SELECT f.goods, s.* FROM family f JOIN sale s ON s.gtin = f.gtin
    WHERE f.goods IN (SELECT w.goods FROM wanted w WHERE w.lot_code IS NULL)
      AND s.sold_at <= recall_progress_line.at AND (buyers IS NULL OR s.buyer = ANY (buyers))
  ), known AS MATERIALIZED (
    SELECT s.*, COALESCE(s.lot_code, l.lot_code) AS code
    FROM sold s
    -- A serial number goes by the GTIN of today, its order line by the one of then.
    LEFT JOIN lot_item i ON i.gtin = s.goods AND i.serial = s.serial AND s.lot_code IS NULL
    LEFT JOIN lot_item o ON o.gtin = s.gtin AND o.serial = s.serial AND s.lot_code IS NULL AND i.lot_id IS NULL
    LEFT JOIN lot l ON l.lot_id = COALESCE(i.lot_id, o.lot_id)
  ), lots AS (
    SELECT DISTINCT ON (k.goods, k.code) k.goods, k.code, l.lot_id, l.made_on
    FROM (SELECT DISTINCT k.goods, k.code FROM known k) k
    JOIN family f ON f.goods = k.goods JOIN lot l ON l.gtin = f.gtin AND l.lot_code = k.code
    ORDER BY k.goods, k.code, l.gtin = k.goods DESC, l.lot_id
  ), line AS (
    SELECT k.*, l.lot_id, l.made_on FROM known k LEFT JOIN lots l ON l.goods = k.goods AND l.code = k.code
  )
  SELECT n.merchant_id, n.order_id, n.line, n.goods, n.code, n.lot_id, n.serial, n.product, n.quantity, n.state,
         n.state = 'open' AND n.shipped_at IS NULL OR COALESCE(n.shipped_at > recall_progress_line.at, false), n.buyer, n.sold_at,
         n.shipped_at, n.changed_at
  FROM line n
  WHERE (n.goods, n.code) IN (SELECT w.goods, w.lot_code FROM wanted w WHERE NOT w.partial AND w.lot_code IS NOT NULL)
     OR n.goods IN (SELECT w.goods FROM wanted w WHERE NOT w.partial AND w.lot_code IS NULL)
     -- Of goods whose lot is not known every lot may be meant.
     OR n.code IS NULL AND n.goods IN (SELECT w.goods FROM wanted w WHERE NOT w.partial)
     OR EXISTS (SELECT FROM wanted w
                WHERE w.partial AND w.goods = n.goods AND (w.lot_code IS NULL OR n.code IS NULL OR w.lot_code = n.code)
                  AND (w.serial_from IS NULL OR n.serial IS NULL
                       OR length(n.serial) = length(w.serial_from) AND n.serial COLLATE "C" BETWEEN w.serial_from AND w.serial_to)
                  AND (w.made IS NULL OR w.lot_code IS NOT NULL OR n.made_on IS NULL OR w.made @> n.made_on));
END;
COMMENT ON FUNCTION recall_progress_line(recall_extent[], timestamptz, text[]) IS
  'Order lines of goods, sold by an instant, of some buyers or all: with the lot they are of, from the line or its serial number; lines whose lot or serial number is not known may be of them and are here; open: not shipped yet';

CREATE FUNCTION recall_extent_covers(extent recall_extent[], gtin gtin, lot_code text, serial text) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM unnest(extent) AS x
    LEFT JOIN gtin_alias a ON a.old = x.gtin
    LEFT JOIN gtin_alias b ON b.old = recall_extent_covers.gtin
    LEFT JOIN LATERAL (
      SELECT l.made_on FROM lot l
      WHERE l.gtin IN (recall_extent_covers.gtin, b.gtin) AND l.lot_code = recall_extent_covers.lot_code LIMIT 1) l ON true
    WHERE COALESCE(a.gtin, x.gtin) = COALESCE(b.gtin, recall_extent_covers.gtin)
      AND (x.lot_code IS NULL OR recall_extent_covers.lot_code IS NULL OR x.lot_code = recall_extent_covers.lot_code)
      AND (x.serial_from IS NULL OR recall_extent_covers.serial IS NULL
           OR serial_within(recall_extent_covers.serial, x.serial_from, x.serial_to))
      AND (x.made IS NULL OR x.lot_code IS NOT NULL OR l.made_on IS NULL OR x.made @> l.made_on));
END;
COMMENT ON FUNCTION recall_extent_covers(recall_extent[], gtin, text, text) IS
  'Whether goods are, or may be, among those named: what is not known of lot, serial number or day made may be';
