
-- credit: views of violations and sanctions; they read tables themselves, so that a reader needs no right on the tables

CREATE VIEW violation_overview WITH (security_barrier) AS
  SELECT m.merchant_id, m.name, p.track, p.points, p.step, p.next_step, p.next_measure, p.next_threshold, p.points_to_next,
         p.warned, p.resets_at
  FROM (SELECT DISTINCT v.merchant_id FROM violation v
        WHERE (SELECT session_reads_all()) OR v.merchant_id IN (SELECT s.merchant_id FROM session_merchant s)) seen
  JOIN merchant m ON m.merchant_id = seen.merchant_id
  CROSS JOIN LATERAL violation_points(m.merchant_id, now()) p
  WHERE EXISTS (SELECT FROM violation v WHERE v.merchant_id = m.merchant_id AND v.track = p.track);
COMMENT ON VIEW violation_overview IS
  'Points of every merchant now, on each track it has entries on: step reached, the next one, points to it, whether a warning was due, and when points lapse';

CREATE VIEW violation_warning_open WITH (security_barrier) AS
  SELECT w.merchant_id, w.warning_id, w.violation_id, w.track, w.ladder, w.step, w.measure, w.points, w.threshold,
         w.threshold - w.points AS points_to_step, w.at
  FROM violation_warning w
  WHERE ((SELECT session_reads_all()) OR w.merchant_id IN (SELECT s.merchant_id FROM session_merchant s))
    AND NOT EXISTS (SELECT FROM violation_void x WHERE x.merchant_id = w.merchant_id AND x.violation_id = w.violation_id);
COMMENT ON VIEW violation_warning_open IS
  'Warnings whose entry stands, for the platform to send and the merchant to read: what step is near, by how many points, what it would do';

CREATE VIEW sanction_overview WITH (security_barrier) AS
  SELECT s.merchant_id, m.name, s.sanction_id, s.ladder, s.step, s.measure, s.title, s.track, s.points, s.violation_id, s.facts,
         s.reasons, s.legal_basis, s.restricts, s.category, s.at, lower(s.effect) AS since,
         least(upper(s.effect), s.lifted_at) AS until, s.lifted_at, s.lift_cause,
         s.effect @> now() AND (s.lifted_at IS NULL OR s.lifted_at > now()) AS in_force,
         s.automatic, s.decided_by, s.appeal_state, s.published_at, s.published_ref,
         duty_deadline('D9', s.at) AS publish_due
  FROM sanction s
  LEFT JOIN merchant m ON m.merchant_id = s.merchant_id
  WHERE (SELECT session_reads_all()) OR s.merchant_id IN (SELECT x.merchant_id FROM session_merchant x);
COMMENT ON VIEW sanction_overview IS
  'Sanctions of every merchant with facts, reasons, basis and period, whether in force now, appeal state, and by when to be published (D9)';

CREATE VIEW sanction_publication_due WITH (security_barrier) AS
  SELECT s.merchant_id, s.sanction_id, s.title, s.at, duty_deadline('D9', s.at) AS due, duty_deadline('D9', s.at) <= now() AS overdue
  FROM sanction s
  WHERE (s.published_at IS NULL OR s.published_at > now()) AND (s.lifted_at IS NULL OR s.lifted_at > now())
    AND (upper_inf(s.effect) OR upper(s.effect) > now())
    AND ((SELECT session_reads_all()) OR s.merchant_id IN (SELECT x.merchant_id FROM session_merchant x));
COMMENT ON VIEW sanction_publication_due IS
  'Sanctions that are not published: due within a working day of the decision (duty D9, 网络交易监督管理办法 art 30), until the measure ends';

CREATE VIEW sanction_report_due WITH (security_barrier) AS
  SELECT s.merchant_id, s.sanction_id, s.title, s.at, a.authority
  FROM sanction s
  CROSS JOIN LATERAL unnest(s.report_to) AS a(authority)
  WHERE NOT EXISTS (SELECT FROM sanction_report r
                    WHERE r.merchant_id = s.merchant_id AND r.sanction_id = s.sanction_id AND r.authority = a.authority)
    AND (SELECT session_reads_all());
COMMENT ON VIEW sanction_report_due IS
  'Sanctions that are still to be reported, and to which authority (Order 117 art 12; the law sets no term)';

CREATE VIEW sanction_public WITH (security_barrier) AS
  SELECT m.shop_name, m.name, s.published_violation AS violation, s.title AS measure, s.measure AS measure_code,
         s.at AS decided_at, lower(s.effect) AS since, upper(s.effect) AS until, s.published_at, s.published_ref
  FROM sanction s
  JOIN merchant m ON m.merchant_id = s.merchant_id
  WHERE s.published_at <= now() AND (s.lifted_at IS NULL OR s.lifted_at > now())
    AND (upper_inf(s.effect) OR upper(s.effect) > now());
COMMENT ON VIEW sanction_public IS
  'Sanctions as they are published until a measure ends or is lifted: shop name, violation, measure (网络交易监督管理办法 art 30; 电子商务法 art 36); everybody''s to see';
