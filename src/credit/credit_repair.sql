
-- credit: decisions of authorities count while they stand

CREATE FUNCTION credit_collect(at timestamptz) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  voided integer;
  entered integer;
BEGIN
  -- One statement, so that what another session imports meanwhile is seen by both halves or by neither.
  WITH model AS MATERIALIZED (
    SELECT s.indicator, s.severity, s.bad FROM quality_gov.credit_model_at(credit_collect.at) k
    JOIN quality_gov.credit_severity s USING (model, version)
    WHERE s.indicator IN ('regulatory', 'serious_violation')),
  -- A model that has an indicator of the list of serious violations hears of it there, too.
  counted AS MATERIALIZED (
    SELECT m.merchant_id, i.indicator, format('%s/%s/%s', s.source, s.item, s.version) AS ref,
           greatest(s.decided_at, m.admitted_at) AS at, s.severity
    FROM quality_gov.regulatory_standing(credit_collect.at) s
    JOIN quality_gov.merchant m ON m.uscc = s.uscc
    CROSS JOIN LATERAL (
      SELECT 'regulatory' AS indicator
      UNION ALL
      SELECT DISTINCT k.indicator FROM model k WHERE k.indicator = 'serious_violation' AND s.class = '8.4') i
    WHERE s.state IN ('standing', 'clear') AND s.type <> 'repair'
      AND s.decided_at <= credit_collect.at AND m.admitted_at <= credit_collect.at),
  balance AS MATERIALIZED (
    SELECT e.merchant_id, e.indicator, e.ref, count(*) FILTER (WHERE NOT e.void) - count(*) FILTER (WHERE e.void) AS events,
           max(e.event_id) FILTER (WHERE NOT e.void) AS event_id, max(e.recorded_at) AS recorded_at
    FROM quality_gov.credit_event e WHERE e.source = 'regulatory'
    GROUP BY e.merchant_id, e.indicator, e.ref),
  -- What was collected for a later instant is not collected again for an earlier one.
  void AS (
    INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, good, bad, source, ref, void, recorded_at)
    SELECT e.merchant_id, e.indicator, e.at, -e.good, -e.bad, e.source, e.ref, true, credit_collect.at
    FROM balance b
    JOIN quality_gov.credit_event e ON e.merchant_id = b.merchant_id AND e.source = 'regulatory' AND e.ref = b.ref AND e.event_id = b.event_id
    WHERE b.events > 0 AND b.recorded_at <= credit_collect.at
      -- An indicator that the model of today lacks keeps what it was told while the item stands.
      AND NOT EXISTS (SELECT FROM counted c WHERE c.merchant_id = b.merchant_id AND c.ref = b.ref)
    ORDER BY e.event_id
    RETURNING 1),
  enter AS (
    INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, good, bad, source, ref, recorded_at)
    SELECT c.merchant_id, c.indicator, COALESCE(e.at, c.at), COALESCE(e.good, 0), COALESCE(e.bad, k.bad, 0),
           'regulatory', c.ref, credit_collect.at
    FROM counted c
    LEFT JOIN balance b ON b.merchant_id = c.merchant_id AND b.indicator = c.indicator AND b.ref = c.ref
    -- What counts again counts as it did.
    LEFT JOIN quality_gov.credit_event e ON e.merchant_id = b.merchant_id AND e.source = 'regulatory' AND e.ref = b.ref AND e.event_id = b.event_id
    LEFT JOIN model k ON k.indicator = c.indicator AND k.severity = c.severity
    WHERE (b.ref IS NULL OR b.events = 0 AND b.recorded_at <= credit_collect.at)
      -- What was retired is in the opening.
      AND NOT EXISTS (SELECT FROM quality_gov.credit_opening o WHERE o.merchant_id = c.merchant_id AND c.at < o.until)
    ORDER BY c.ref, c.merchant_id, c.indicator
    RETURNING 1)
  SELECT (SELECT count(*) FROM void), (SELECT count(*) FROM enter) INTO voided, entered;
  RETURN format('%s events entered, %s voided', entered, voided);
END
$$;
COMMENT ON FUNCTION credit_collect(timestamptz) IS
  'Maintenance: what authorities decided becomes a credit event of each merchant it names while it stands; an event is voided once a later version, a repair, removal or annulment takes its place or it has lapsed, and entered again where the authority undoes that';

CREATE FUNCTION credit_collect_check(OUT merchant_id text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT e.merchant_id, format('%s counts %s times', e.ref, sum(CASE WHEN e.void THEN -1 ELSE 1 END))
  FROM quality_gov.credit_event e WHERE e.source = 'regulatory'
  GROUP BY e.merchant_id, e.indicator, e.ref
  HAVING sum(CASE WHEN e.void THEN -1 ELSE 1 END) NOT IN (0, 1)
    -- Of what was retired in part the voids go last.
    AND NOT (sum(CASE WHEN e.void THEN -1 ELSE 1 END) < 0 AND EXISTS (
      SELECT FROM quality_gov.credit_opening o WHERE o.merchant_id = e.merchant_id AND o.indicator = e.indicator AND min(e.at) < o.until))
  UNION ALL
  SELECT e.merchant_id, format('%s counts in more than one version', string_agg(e.ref, ', ' ORDER BY e.ref))
  FROM (SELECT x.merchant_id, x.indicator, x.ref FROM quality_gov.credit_event x WHERE x.source = 'regulatory'
        GROUP BY x.merchant_id, x.indicator, x.ref HAVING sum(CASE WHEN x.void THEN -1 ELSE 1 END) > 0) e
  JOIN quality_gov.regulatory_record r ON e.ref = format('%s/%s/%s', r.source, r.item, r.version)
  GROUP BY e.merchant_id, e.indicator, r.source, r.item HAVING count(*) > 1
$$;
COMMENT ON FUNCTION credit_collect_check() IS
  'Oracle: decisions of authorities that count twice, in two versions, or less than not at all; no rows when all is well; credit_check() asks it';
