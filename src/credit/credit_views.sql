
-- credit: views; they read tables themselves, so that a reader needs no right on the tables

CREATE VIEW credit_overview WITH (security_barrier) AS
  WITH model AS (
    SELECT m.model, m.version FROM credit_model m
    WHERE m.state IN ('active', 'retired') AND m.effect @> now()
    ORDER BY m.builtin, m.version DESC, m.model LIMIT 1),
  indicator AS (
    SELECT i.* FROM credit_indicator i JOIN model m ON i.model = m.model AND i.version = m.version),
  seen AS (
    SELECT m.merchant_id, m.name FROM merchant m
    WHERE m.closed_at IS NULL
      AND ((SELECT session_reads_all()) OR m.merchant_id IN (SELECT s.merchant_id FROM session_merchant s))),
  tally AS (
    SELECT e.merchant_id, e.indicator,
           credit_tally_at(credit_tally(e.good, e.bad, e.at, COALESCE(i.half_life, '100000 days')), now()) AS amount
    FROM credit_event e JOIN indicator i ON i.indicator = e.indicator
    WHERE e.at <= now() AND e.recorded_at <= now() AND e.merchant_id IN (SELECT s.merchant_id FROM seen s)
    GROUP BY e.merchant_id, e.indicator),
  standing AS (
    SELECT s.merchant_id, s.name,
           sum(credit_points(i.kind, i.weight, i.prior_good, i.prior_bad, i.tolerated, i.point_cost,
                             greatest(COALESCE((t.amount).good, 0), 0),
                             greatest(COALESCE((t.amount).bad, 0), 0))) AS score
    FROM seen s CROSS JOIN indicator i
    LEFT JOIN tally t ON t.merchant_id = s.merchant_id AND t.indicator = i.indicator
    GROUP BY s.merchant_id, s.name)
  SELECT s.merchant_id, s.name, s.score,
         (SELECT b.grade FROM credit_grade_band b JOIN model m ON b.model = m.model AND b.version = m.version
          WHERE b.floor <= s.score ORDER BY b.floor DESC LIMIT 1) AS grade,
         last.at AS since, last.grade AS recorded_grade, last.previous_grade,
         (SELECT max(COALESCE(upper(r.effect), 'infinity')) FROM merchant_restriction r
          WHERE r.merchant_id = s.merchant_id AND r.effect @> now()) AS restricted_until
  FROM standing s
  LEFT JOIN LATERAL (
    SELECT c.at, c.grade, c.previous_grade FROM credit_grade_change c
    WHERE c.merchant_id = s.merchant_id ORDER BY c.change_id DESC LIMIT 1) last ON true;
COMMENT ON VIEW credit_overview IS
  'Credit of every merchant now: score and grade from the events, the grade that maintenance() recorded last with since when and what it was before, and until when the merchant is restricted (infinity: no end set)';

CREATE VIEW credit_grade_history WITH (security_barrier) AS
  SELECT c.merchant_id, c.at AS since,
         lead(c.at) OVER (PARTITION BY c.merchant_id ORDER BY c.change_id) AS until,
         c.score, c.grade, c.previous_grade
  FROM credit_grade_change c
  WHERE (SELECT session_reads_all()) OR c.merchant_id IN (SELECT s.merchant_id FROM session_merchant s);
COMMENT ON VIEW credit_grade_history IS 'Grades of every merchant over time, as maintenance() recorded them';
