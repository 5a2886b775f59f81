
-- trace: what is wrong with lots by what is known of their supply, and how suppliers do

CREATE VIEW lot_source WITH (security_barrier) AS
  SELECT p.lot_id, p.supplier_id, min(p.purchased_at) AS purchased_at
  FROM purchase p
  WHERE p.lot_id IS NOT NULL AND p.supplier_id IS NOT NULL AND (SELECT session_reads_all())
    AND NOT EXISTS (SELECT FROM purchase r WHERE r.merchant_id = p.merchant_id AND r.replaces = p.purchase_id)
  GROUP BY 1, 2
  UNION ALL
  SELECT l.lot_id, l.supplier_id, NULL FROM lot l
  WHERE l.supplier_id IS NOT NULL AND (SELECT session_reads_all())
    AND NOT EXISTS (SELECT FROM purchase p WHERE p.lot_id = l.lot_id AND p.supplier_id = l.supplier_id
                      AND NOT EXISTS (SELECT FROM purchase r WHERE r.merchant_id = p.merchant_id AND r.replaces = p.purchase_id));
COMMENT ON VIEW lot_source IS
  'Whom each lot came from: by its purchases, with the first instant, and by what the lot itself says (null: no purchase of it is recorded)';

CREATE FUNCTION lot_findings(at timestamptz DEFAULT now(), OUT lot_id bigint, OUT gtin gtin, OUT lot_code text, OUT finding text,
                             OUT supplier_id text, OUT since timestamptz, OUT detail text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.instant_require(at, 'at');
  RETURN QUERY
  WITH RECURSIVE came AS MATERIALIZED (
    SELECT s.lot_id, s.supplier_id, COALESCE(s.purchased_at, lot_findings.at) AS judged, s.purchased_at FROM quality_gov.lot_source s
    WHERE (s.purchased_at <= lot_findings.at) IS NOT FALSE),
  against AS MATERIALIZED (
    SELECT c.supplier_id, a.* FROM (SELECT DISTINCT x.supplier_id FROM came x) c
    CROSS JOIN LATERAL quality_gov.supplier_against(c.supplier_id, NULL, NULL) a),
  -- Goods of a supplier that was barred since are looked at, too; a licence counts on the day of the purchase.
  supply AS (
    SELECT DISTINCT ON (c.lot_id, c.supplier_id, f.finding) c.lot_id, f.finding, c.supplier_id, a.since,
           CASE WHEN f.bought THEN 'when it was bought: ' WHEN c.purchased_at IS NULL THEN '' ELSE 'since it was bought: ' END || a.reason AS detail
    FROM came c
    JOIN against a USING (supplier_id)
    CROSS JOIN LATERAL (SELECT CASE a.kind WHEN 'expired' THEN 'supplier_expired' ELSE 'supplier_barred' END AS finding,
      c.purchased_at IS NOT NULL AND COALESCE(a.since <= c.judged, true) AND COALESCE(a.until > c.judged, true) AS bought) f
    WHERE COALESCE(a.since <= c.judged, true) AND COALESCE(a.until > c.judged, true)
       OR a.kind = 'barred' AND a.since <= lot_findings.at AND COALESCE(a.until > lot_findings.at, true)
    ORDER BY c.lot_id, c.supplier_id, f.finding, f.bought DESC, a.since NULLS FIRST, a.reason),
  looked_at AS MATERIALIZED (
    SELECT DISTINCT ON (i.lot_id) i.* FROM quality_gov.lot_inspection i WHERE i.at <= lot_findings.at
    ORDER BY i.lot_id, i.at DESC, i.inspection_id DESC),
  sold AS MATERIALIZED (
    SELECT x.lot_id, min(x.sold_at) AS first_sold, max(x.sold_at) AS last_sold, count(*) AS lines,
           -- Of goods on their way or gone; an open order can still be held.
           min(x.sold_at) FILTER (WHERE x.sold_at >= i.at) AS after_rejection,
           min(x.sold_at) FILTER (WHERE (x.sold_at AT TIME ZONE 'Asia/Shanghai')::date > l.expires_on) AS after_expiry
    FROM quality_gov.lot_sale x
    JOIN quality_gov.lot l ON l.lot_id = x.lot_id
    LEFT JOIN looked_at i ON i.lot_id = x.lot_id AND i.result = 'rejected'
    WHERE x.state <> 'cancelled' AND x.sold_at <= lot_findings.at GROUP BY 1),
  tainted AS (
    SELECT s.lot_id, s.finding || ': ' || s.detail AS why FROM supply s
    UNION SELECT i.lot_id, 'rejected: ' || concat_ws(', ', i.inspector, i.report) FROM looked_at i WHERE i.result = 'rejected'),
  reached AS (
    SELECT k.child AS lot, t.lot_id AS root FROM tainted t JOIN quality_gov.lot_link k ON k.parent = t.lot_id
    UNION SELECT k.child, r.root FROM reached r JOIN quality_gov.lot_link k ON k.parent = r.lot),
  found AS (
    SELECT s.lot_id, s.finding, s.supplier_id, s.since, s.detail FROM supply s
    UNION ALL
    SELECT s.lot_id, 'rejected_sold', NULL, s.after_rejection,
           format('sold after the inspection of %s by %s rejected it', to_char(i.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'), i.inspector)
    FROM sold s JOIN looked_at i USING (lot_id) WHERE s.after_rejection IS NOT NULL
    UNION ALL
    SELECT s.lot_id, 'expired_sold', NULL, s.after_expiry, format('sold after it expired on %s', to_char(l.expires_on, 'YYYY-MM-DD'))
    FROM sold s JOIN quality_gov.lot l USING (lot_id) WHERE s.after_expiry IS NOT NULL
    UNION ALL
    -- What was made of other lots, or made at all, is the merchant's own product.
    SELECT s.lot_id, 'no_purchase', NULL, s.first_sold, format('sold in %s order lines, and no purchase is recorded', s.lines)
    FROM sold s
    WHERE NOT EXISTS (SELECT FROM quality_gov.purchase p WHERE p.lot_id = s.lot_id)
      AND NOT EXISTS (SELECT FROM quality_gov.lot_link k WHERE k.child = s.lot_id)
      AND NOT EXISTS (SELECT FROM quality_gov.lot_event_standing e WHERE e.lot_id = s.lot_id AND e.kind = 'made')
    UNION ALL
    SELECT r.lot, 'ingredient', NULL, NULL,
           format('made from lot "%s" of GTIN %s, %s', l.lot_code, l.gtin, t.why)
    FROM reached r JOIN quality_gov.lot l ON l.lot_id = r.root JOIN tainted t ON t.lot_id = r.root WHERE r.lot <> r.root)
  SELECT f.lot_id, l.gtin, l.lot_code, f.finding, f.supplier_id, f.since, f.detail
  FROM found f JOIN quality_gov.lot l USING (lot_id);
END
$$;
COMMENT ON FUNCTION lot_findings(timestamptz) IS
  'What is wrong with lots as of an instant by their supply: supplier_barred (when it was bought, or since), supplier_expired (a licence, when it was bought), ingredient (made from such a lot or a rejected one), rejected_sold, expired_sold, no_purchase (sold, bought from nobody and not made here)';

CREATE VIEW lot_finding WITH (security_barrier) AS
  SELECT f.* FROM lot_findings(now()) f WHERE (SELECT session_reads_all());
COMMENT ON VIEW lot_finding IS 'lot_findings() now';

CREATE FUNCTION supplier_quality_at(at timestamptz DEFAULT now(), days integer DEFAULT 90, OUT supplier_id text, OUT name text,
    OUT allowed boolean, OUT lots bigint, OUT inspected bigint, OUT failed bigint, OUT failure_rate numeric, OUT recalls bigint,
    OUT licences_expiring bigint, OUT next_expiry date, OUT findings bigint)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  today date := (at AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
  PERFORM quality_gov.instant_require(at, 'at');
  IF days IS NULL OR days < 0 THEN
    RAISE EXCEPTION 'days must not be below 0, found %', COALESCE(days::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
  WITH came AS MATERIALIZED (
    SELECT c.lot_id, c.supplier_id FROM quality_gov.lot_source c WHERE (c.purchased_at <= supplier_quality_at.at) IS NOT FALSE),
  -- A lot counts as failed where any inspection rejected it, also if it passed later.
  looked_at AS (
    SELECT i.lot_id, bool_or(i.result = 'rejected') AS failed FROM quality_gov.lot_inspection i
    WHERE i.at <= supplier_quality_at.at GROUP BY 1),
  supplied AS (
    SELECT c.supplier_id, count(*) AS lots, count(i.lot_id) AS inspected, count(*) FILTER (WHERE i.failed) AS failed
    FROM came c LEFT JOIN looked_at i USING (lot_id) GROUP BY 1),
  -- The cause is a lot that the recall names itself, not one reached from it.
  caused AS (
    SELECT c.supplier_id, count(DISTINCT x.recall_id) AS recalls
    FROM quality_gov.recall_scope x
    JOIN came c ON c.lot_id = COALESCE(x.lot_id, quality_gov.lot_find(x.gtin, x.lot_code))
    WHERE COALESCE(x.depth, 0) = 0
      AND EXISTS (SELECT FROM quality_gov.recall_step s WHERE s.recall_id = x.recall_id AND s.at <= supplier_quality_at.at
                    AND s.state IN ('notified', 'voluntary', 'ordered'))
      AND (SELECT s.state FROM quality_gov.recall_step s WHERE s.recall_id = x.recall_id AND s.at <= supplier_quality_at.at
           ORDER BY s.at DESC LIMIT 1) <> 'dismissed'
    GROUP BY 1),
  expiring AS (
    SELECT l.supplier_id, count(*) AS licences, min(upper(l.valid) - 1) AS next
    FROM quality_gov.supplier_license l
    WHERE l.valid @> today AND upper(l.valid) - 1 <= today + days
      AND (l.status = 'valid' OR l.status_since > supplier_quality_at.at) GROUP BY 1),
  found AS (
    SELECT c.supplier_id, count(*) AS findings FROM quality_gov.lot_findings(supplier_quality_at.at) f
    JOIN came c ON c.lot_id = f.lot_id AND (f.supplier_id IS NULL OR f.supplier_id = c.supplier_id) GROUP BY 1)
  SELECT s.supplier_id, s.name, (SELECT m.allowed FROM quality_gov.supplier_may(s.supplier_id, NULL, NULL, supplier_quality_at.at) m),
         COALESCE(p.lots, 0), COALESCE(p.inspected, 0), COALESCE(p.failed, 0),
         round(p.failed::numeric / nullif(p.inspected, 0), 4), COALESCE(c.recalls, 0), COALESCE(e.licences, 0), e.next,
         COALESCE(f.findings, 0)
  FROM quality_gov.supplier s
  LEFT JOIN supplied p USING (supplier_id) LEFT JOIN caused c USING (supplier_id) LEFT JOIN expiring e USING (supplier_id)
  LEFT JOIN found f USING (supplier_id)
  WHERE s.since <= supplier_quality_at.at;
END
$$;
COMMENT ON FUNCTION supplier_quality_at(timestamptz, integer) IS
  'How suppliers do as of an instant: whether they may supply, lots, those inspected and those that an inspection rejected (failure_rate: of those inspected), recalls that their lots caused, licences that expire within so many days and the next to, findings of their lots (lot_findings)';

CREATE VIEW supplier_quality WITH (security_barrier) AS
  SELECT q.* FROM supplier_quality_at(now(), 90) q WHERE (SELECT session_reads_all());
COMMENT ON VIEW supplier_quality IS 'supplier_quality_at() now, with licences that expire within 90 days';

CREATE VIEW supply_incomplete WITH (security_barrier) AS
  SELECT 'purchase' AS record, p.merchant_id, p.purchase_id::text AS reference, p.purchased_at AS at, m.missing
  FROM purchase p
  CROSS JOIN LATERAL supply_missing('purchase', to_jsonb(p), p.key_industrial, p.purchased_at) AS m(missing)
  WHERE m.missing <> '{}' AND NOT EXISTS (SELECT FROM purchase r WHERE r.merchant_id = p.merchant_id AND r.replaces = p.purchase_id)
    AND ((SELECT session_reads_all()) OR p.merchant_id IN (SELECT s.merchant_id FROM session_merchant s))
  UNION ALL
  SELECT 'sale', x.merchant_id, concat_ws(' line ', x.order_id, nullif(x.line, '')), x.sold_at, m.missing
  FROM sale x
  CROSS JOIN LATERAL supply_missing('sale', to_jsonb(x), EXISTS (
    SELECT FROM purchase p WHERE p.merchant_id = x.merchant_id AND p.gtin = x.gtin AND p.key_industrial), x.sold_at) AS m(missing)
  WHERE x.state IN ('shipped', 'delivered', 'returned') AND m.missing <> '{}'
    AND ((SELECT session_reads_all()) OR x.merchant_id IN (SELECT s.merchant_id FROM session_merchant s));
COMMENT ON VIEW supply_incomplete IS
  'Records of purchases, and of sales that were shipped, that lack what supply_field wants of them (Order 110 art 7), and what; a sale is of key industrial goods where the merchant bought its GTIN as such; a merchant sees its own';

-- trace: the oracle of what this part keeps

CREATE FUNCTION supply_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT c.relation, c.key, 'has no supplier'
  FROM (SELECT 'supplier_license' AS relation, l.supplier_id || ' ' || l.license_id AS key, l.supplier_id FROM quality_gov.supplier_license l
        UNION ALL SELECT 'supplier_brand', b.supplier_id || ' ' || b.brand, b.supplier_id FROM quality_gov.supplier_brand b
        UNION ALL SELECT 'supplier_bar', b.supplier_id || ' ' || b.bar_id, b.supplier_id FROM quality_gov.supplier_bar b
        UNION ALL SELECT 'supplier_lot', s.supplier_id || ' ' || s.supplier_lot, s.supplier_id FROM quality_gov.supplier_lot s
        UNION ALL SELECT 'purchase', p.merchant_id || ' ' || p.purchase_id, p.supplier_id FROM quality_gov.purchase p WHERE p.supplier_id IS NOT NULL
        UNION ALL SELECT 'lot', l.lot_id::text, l.supplier_id FROM quality_gov.lot l WHERE l.supplier_id IS NOT NULL) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.supplier s WHERE s.supplier_id = c.supplier_id)
  UNION ALL
  SELECT c.relation, c.key, 'has no lot'
  FROM (SELECT 'supplier_lot' AS relation, s.supplier_id || ' ' || s.supplier_lot AS key, s.lot_id FROM quality_gov.supplier_lot s
        UNION ALL SELECT 'purchase', p.merchant_id || ' ' || p.purchase_id, p.lot_id FROM quality_gov.purchase p WHERE p.lot_id IS NOT NULL
        UNION ALL SELECT 'lot_inspection', i.lot_id || ' ' || i.inspection_id, i.lot_id FROM quality_gov.lot_inspection i
        UNION ALL SELECT 'lot_event', e.lot_id || ' ' || e.event_id, e.lot_id FROM quality_gov.lot_event e
        UNION ALL SELECT 'lot_item', i.gtin || ' ' || i.serial, i.lot_id FROM quality_gov.lot_item i
        UNION ALL SELECT 'lot_link', k.parent || ' ' || k.child, k.parent FROM quality_gov.lot_link k
        UNION ALL SELECT 'lot_link', k.parent || ' ' || k.child, k.child FROM quality_gov.lot_link k) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.lot l WHERE l.lot_id = c.lot_id)
  UNION ALL
  SELECT c.relation, c.key, 'has no merchant'
  FROM (SELECT 'lot' AS relation, l.lot_id::text AS key, l.merchant_id FROM quality_gov.lot l WHERE l.merchant_id IS NOT NULL
        UNION ALL SELECT 'purchase', p.merchant_id || ' ' || p.purchase_id, p.merchant_id FROM quality_gov.purchase p) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = c.merchant_id)
  UNION ALL
  SELECT 'lot_event', e.lot_id || ' ' || e.event_id, format('takes back event %s, which is none of this lot that can be', e.voids)
  FROM quality_gov.lot_event e
  WHERE e.voids IS NOT NULL
    AND NOT EXISTS (SELECT FROM quality_gov.lot_event v WHERE v.lot_id = e.lot_id AND v.event_id = e.voids AND v.voids IS NULL)
  UNION ALL
  SELECT 'lot_item', i.gtin || ' ' || i.serial, format('is of lot %s, which has the GTIN %s', l.lot_id, l.gtin)
  FROM quality_gov.lot_item i JOIN quality_gov.lot l USING (lot_id) WHERE l.gtin <> i.gtin
  UNION ALL
  SELECT 'gtin_alias', a.old::text, format('leads to %s, which was corrected to %s', a.gtin, b.gtin)
  FROM quality_gov.gtin_alias a JOIN quality_gov.gtin_alias b ON b.old = a.gtin
  UNION ALL
  SELECT 'lot', l.lot_id::text, format('is kept under GTIN %s, which was corrected to %s; gtin_alias_add() again moves it', l.gtin, a.gtin)
  FROM quality_gov.lot l JOIN quality_gov.gtin_alias a ON a.old = l.gtin
$$;
COMMENT ON FUNCTION supply_check() IS
  'Oracle: records of supply, lots'' links, items and events whose supplier, lot or merchant is missing, voids of nothing, serial numbers under another GTIN than their lot, aliases that chain, lots under a corrected GTIN; no rows when all is well; integrity_check() calls it';
