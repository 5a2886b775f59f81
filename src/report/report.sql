
-- report: views that look across the domains

CREATE VIEW duty_due WITH (security_barrier) AS
  SELECT 'D1' AS duty, '网络交易监督管理办法 art 24' AS legal_basis, 'verify merchant ' || v.merchant_id AS subject,
         v.due, v.overdue
  FROM merchant_verification_due v
  UNION ALL
  SELECT r.next_duty, r.legal_basis, format('recall %s: %s', r.recall_id, r.next_duty_title), r.due, r.overdue
  FROM recall_overview r WHERE r.due IS NOT NULL
  UNION ALL
  SELECT 'D5', '网络交易监督管理办法 art 25; 直播电商监督管理办法 art 9', 'report merchant identities to the province',
         CASE WHEN month <= 1 THEN make_date(year, 2, 1) WHEN month <= 7 THEN make_date(year, 8, 1)
              ELSE make_date(year + 1, 2, 1) END::timestamp AT TIME ZONE 'Asia/Shanghai', false
  FROM (SELECT extract(year FROM now() AT TIME ZONE 'Asia/Shanghai')::integer AS year,
               extract(month FROM now() AT TIME ZONE 'Asia/Shanghai')::integer AS month) today
  WHERE session_reads_all();
COMMENT ON VIEW duty_due IS
  'What must be done by when (due is the instant after the last moment), on what legal basis, and whether it is overdue';

CREATE VIEW loop_overview WITH (security_barrier) AS
  WITH months AS (
    SELECT date_trunc('month', e.at AT TIME ZONE 'Asia/Shanghai')::date AS month,
           sum(e.good) AS orders, sum(e.bad) AS complaints, 0::bigint AS held, 0::bigint AS recalls
    FROM credit_event e WHERE e.indicator = 'complaint' GROUP BY 1
    UNION ALL
    SELECT date_trunc('month', d.at AT TIME ZONE 'Asia/Shanghai')::date, 0, 0, count(*), 0
    FROM listing_decision d WHERE d.verdict IN ('quarantine', 'deny') GROUP BY 1
    UNION ALL
    SELECT date_trunc('month', s.at AT TIME ZONE 'Asia/Shanghai')::date, 0, 0, 0, count(DISTINCT s.recall_id)
    FROM recall_step s WHERE s.state IN ('notified', 'voluntary', 'ordered') GROUP BY 1)
  SELECT month, sum(orders)::bigint AS orders, sum(complaints)::bigint AS complaints,
         sum(held)::bigint AS listings_held, sum(recalls)::bigint AS recalls,
         round((1000 * sum(complaints) / nullif(sum(orders), 0))::numeric, 2) AS complaints_per_1000_orders,
         round((1000 * sum(held) / nullif(sum(orders), 0))::numeric, 2) AS held_per_1000_orders,
         round((1000 * sum(recalls) / nullif(sum(orders), 0))::numeric, 4) AS recalls_per_1000_orders
  FROM months
  WHERE session_reads_all()
  GROUP BY month;
COMMENT ON VIEW loop_overview IS
  'Quality beside scale, by month (Asia/Shanghai): orders, complaints, listings held, recalls, and each per 1,000 orders; orders and complaints are the good and bad of indicator complaint';
