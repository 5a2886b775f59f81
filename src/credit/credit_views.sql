
-- credit: views; they read tables themselves, or ask functions that show a session what is its to see

CREATE VIEW credit_overview WITH (security_barrier) AS
  SELECT s.merchant_id, s.name, s.score, s.grade, s.since, s.recorded_grade, s.previous_grade, r.restricted_until
  FROM credit_standings(NULL, statement_timestamp()) s
  LEFT JOIN (SELECT x.merchant_id, max(COALESCE(upper(x.effect), 'infinity')) AS restricted_until
             FROM merchant_restriction x WHERE x.effect @> now() GROUP BY x.merchant_id) r USING (merchant_id);
COMMENT ON VIEW credit_overview IS
  'Credit of every merchant now, always fresh: score and grade from accounts and tail, the grade that maintenance() recorded last with since when and what it was before, and until when the merchant is restricted (infinity: no end set)';

CREATE VIEW credit_grade_history WITH (security_barrier) AS
  SELECT c.merchant_id, c.at AS since,
         lead(c.at) OVER (PARTITION BY c.merchant_id ORDER BY c.change_id) AS until,
         c.score, c.grade, c.previous_grade
  FROM credit_grade_change c
  WHERE (SELECT session_reads_all()) OR c.merchant_id IN (SELECT s.merchant_id FROM session_merchant s);
COMMENT ON VIEW credit_grade_history IS 'Grades of every merchant over time, as maintenance() recorded them';
