
-- report: views that look across the domains

CREATE VIEW duty_due WITH (security_barrier) AS
  SELECT 'D1' AS duty, '网络交易监督管理办法 art 24' AS legal_basis, 'verify merchant ' || v.merchant_id AS subject,
         v.due, v.overdue
  FROM merchant_verification_due v
  UNION ALL
  SELECT 'D9', '网络交易监督管理办法 art 30', format('publish sanction %s of merchant %s', s.sanction_id, s.merchant_id), s.due, s.overdue
  FROM sanction_publication_due s
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
           sum(e.good) AS orders, sum(e.bad) AS complaints, 0::bigint AS held, 0::bigint AS recalls,
           0::bigint AS refused
    FROM credit_event e WHERE e.indicator = 'complaint' GROUP BY 1
    UNION ALL
    SELECT date_trunc('month', d.at AT TIME ZONE 'Asia/Shanghai')::date, 0, 0, count(*), 0, 0
    FROM listing_decision d WHERE d.verdict = 'quarantine' AND d.operation <> 'AUDIT' GROUP BY 1
    UNION ALL
    SELECT date_trunc('month', n.at AT TIME ZONE 'Asia/Shanghai')::date, 0, 0, 0, 0, count(*)
    FROM listing_denial n GROUP BY 1
    UNION ALL
    SELECT date_trunc('month', s.at AT TIME ZONE 'Asia/Shanghai')::date, 0, 0, 0, count(DISTINCT s.recall_id), 0
    FROM recall_step s WHERE s.state IN ('notified', 'voluntary', 'ordered') GROUP BY 1)
  SELECT month, sum(orders)::bigint AS orders, sum(complaints)::bigint AS complaints,
         sum(held)::bigint AS listings_held, sum(recalls)::bigint AS recalls,
         round((1000 * sum(complaints) / nullif(sum(orders), 0))::numeric, 2) AS complaints_per_1000_orders,
         round((1000 * sum(held) / nullif(sum(orders), 0))::numeric, 2) AS held_per_1000_orders,
         round((1000 * sum(recalls) / nullif(sum(orders), 0))::numeric, 4) AS recalls_per_1000_orders,
         sum(refused)::bigint AS listings_refused
  FROM months
  WHERE session_reads_all()
  GROUP BY month;
COMMENT ON VIEW loop_overview IS
  'Quality beside scale, by month (Asia/Shanghai): orders, complaints, listings held, recalls, each per 1,000 orders, and attempts refused; orders and complaints are the good and bad of indicator complaint';

-- report: the oracle of everything that has no foreign key, since a parallel restore would lose rows by one

CREATE FUNCTION integrity_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT c.relation, concat_ws(' ', c.merchant_id, c.id), 'has no merchant'
  FROM (SELECT 'merchant_license' AS relation, l.merchant_id, l.license_id AS id FROM quality_gov.merchant_license l
        UNION ALL SELECT 'merchant_verification', v.merchant_id, v.verification_id FROM quality_gov.merchant_verification v
        UNION ALL SELECT 'merchant_restriction', r.merchant_id, r.restriction_id FROM quality_gov.merchant_restriction r
        UNION ALL SELECT 'credit_grade_change', g.merchant_id, g.change_id FROM quality_gov.credit_grade_change g
        UNION ALL SELECT 'violation', v.merchant_id, v.violation_id FROM quality_gov.violation v
        UNION ALL SELECT 'violation_warning', w.merchant_id, w.warning_id FROM quality_gov.violation_warning w
        UNION ALL SELECT 'violation_appeal', p.merchant_id, p.appeal_id FROM quality_gov.violation_appeal p
        UNION ALL SELECT 'sanction', s.merchant_id, s.sanction_id FROM quality_gov.sanction s
        UNION ALL SELECT 'violation_account', n.merchant_id, NULL FROM quality_gov.violation_account n
        UNION ALL SELECT 'listing_exception', e.merchant_id, e.exception_id FROM quality_gov.listing_exception e) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = c.merchant_id)
  UNION ALL
  SELECT 'merchant_person', p.merchant_id, 'has no merchant' FROM quality_gov.merchant_person p
  WHERE NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = p.merchant_id)
  UNION ALL
  SELECT 'merchant_member', b.role || ' ' || b.merchant_id,
         CASE WHEN to_regrole(quote_ident(b.role)) IS NULL THEN 'has no role' ELSE 'has no merchant' END
  FROM quality_gov.merchant_member b
  WHERE to_regrole(quote_ident(b.role)) IS NULL
     OR NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = b.merchant_id)
  UNION ALL
  SELECT c.relation, c.merchant_id || ' ' || c.id, 'has no violation'
  FROM (SELECT 'violation_void' AS relation, x.merchant_id, x.violation_id AS id, x.violation_id FROM quality_gov.violation_void x
        UNION ALL SELECT 'violation_warning', w.merchant_id, w.warning_id, w.violation_id FROM quality_gov.violation_warning w
        UNION ALL SELECT 'violation_appeal', a.merchant_id, a.appeal_id, a.violation_id FROM quality_gov.violation_appeal a
        WHERE a.violation_id IS NOT NULL
        UNION ALL SELECT 'sanction', s.merchant_id, s.sanction_id, s.violation_id FROM quality_gov.sanction s
        WHERE s.violation_id IS NOT NULL) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.violation v WHERE v.merchant_id = c.merchant_id AND v.violation_id = c.violation_id)
  UNION ALL
  SELECT c.relation, c.merchant_id || ' ' || c.id, 'has no sanction'
  FROM (SELECT 'violation_appeal' AS relation, a.merchant_id, a.appeal_id AS id, a.sanction_id FROM quality_gov.violation_appeal a
        WHERE a.sanction_id IS NOT NULL
        UNION ALL SELECT 'sanction_report', r.merchant_id, r.sanction_id, r.sanction_id FROM quality_gov.sanction_report r) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.sanction s WHERE s.merchant_id = c.merchant_id AND s.sanction_id = c.sanction_id)
  UNION ALL
  SELECT 'violation_appeal_step', s.merchant_id || ' ' || s.step_id, 'has no appeal' FROM quality_gov.violation_appeal_step s
  WHERE NOT EXISTS (SELECT FROM quality_gov.violation_appeal a
                    WHERE a.merchant_id = s.merchant_id AND a.appeal_id = s.appeal_id)
  UNION ALL
  SELECT 'violation_appeal', a.merchant_id || ' ' || a.appeal_id, 'is not in the state of its last step'
  FROM quality_gov.violation_appeal a
  WHERE a.state IS DISTINCT FROM (SELECT s.state FROM quality_gov.violation_appeal_step s
    WHERE s.merchant_id = a.merchant_id AND s.appeal_id = a.appeal_id ORDER BY s.step_id DESC LIMIT 1)
  UNION ALL
  SELECT 'watchlist_entry', e.entry_id::text, format('is of list "%s", which does not exist', e.watchlist)
  FROM quality_gov.watchlist_entry e
  WHERE NOT EXISTS (SELECT FROM quality_gov.watchlist w WHERE w.watchlist = e.watchlist)
  UNION ALL
  SELECT 'listing_finding', f.decision_id || ' ' || f.finding, 'has no decision' FROM quality_gov.listing_finding f
  WHERE NOT EXISTS (SELECT FROM quality_gov.listing_decision d
                    WHERE d.merchant_id = f.merchant_id AND d.decision_id = f.decision_id)
  UNION ALL
  SELECT c.relation, c.merchant_id || ' ' || c.id, 'has no decision'
  FROM (SELECT 'listing_appeal' AS relation, a.merchant_id, a.appeal_id AS id, a.decision_id FROM quality_gov.listing_appeal a
        WHERE a.denial_id IS NULL
        UNION ALL SELECT 'listing_review', r.merchant_id, r.decision_id, r.decision_id FROM quality_gov.listing_review r) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.listing_decision d
                    WHERE d.merchant_id = c.merchant_id AND d.decision_id = c.decision_id)
  UNION ALL
  SELECT 'listing_appeal', a.merchant_id || ' ' || a.appeal_id, 'has no refused attempt' FROM quality_gov.listing_appeal a
  WHERE a.denial_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM quality_gov.listing_denial d WHERE d.merchant_id = a.merchant_id AND d.denial_id = a.denial_id)
  UNION ALL
  SELECT 'listing_appeal', a.merchant_id || ' ' || a.appeal_id, 'is not in the state of its last step'
  FROM quality_gov.listing_appeal a
  WHERE a.state IS DISTINCT FROM (SELECT s.state FROM quality_gov.listing_appeal_step s
    WHERE s.merchant_id = a.merchant_id AND s.appeal_id = a.appeal_id ORDER BY s.step_id DESC LIMIT 1)
  UNION ALL
  SELECT 'listing_appeal_step', s.merchant_id || ' ' || s.step_id, 'has no appeal' FROM quality_gov.listing_appeal_step s
  WHERE NOT EXISTS (SELECT FROM quality_gov.listing_appeal a
                    WHERE a.merchant_id = s.merchant_id AND a.appeal_id = s.appeal_id)
  UNION ALL
  SELECT 'listing_rule', r.rule || ' ' || r.version, format('reads lexicon "%s", which has no version in force', r.params ->> 'lexicon')
  FROM quality_gov.listing_rule r
  WHERE r.params ? 'lexicon' AND r.state <> 'draft'
    AND NOT COALESCE(r.effect * tstzrange(now(), NULL) <@ (
      SELECT range_agg(l.effect) FROM quality_gov.lexicon l
      WHERE l.lexicon = r.params ->> 'lexicon' AND l.state IN ('active', 'superseded')), false)
  UNION ALL
  SELECT DISTINCT 'listing_rule', r.rule || ' ' || r.version, format('is of kind "%s", which does not exist', r.kind)
  FROM quality_gov.listing_rule r
  WHERE NOT EXISTS (SELECT FROM quality_gov.listing_kind k WHERE k.kind = r.kind)
  UNION ALL
  SELECT DISTINCT 'listing_decision', 'ruleset ' || d.ruleset_id, 'is not recorded'
  FROM quality_gov.listing_decision d
  WHERE d.ruleset_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM quality_gov.listing_ruleset s WHERE s.ruleset_id = d.ruleset_id)
  UNION ALL
  SELECT DISTINCT 'calendar_day', d.calendar, 'has no calendar' FROM quality_gov.calendar_day d
  WHERE NOT EXISTS (SELECT FROM quality_gov.calendar c WHERE c.calendar = d.calendar)
  UNION ALL
  SELECT DISTINCT 'calendar_year', y.calendar, 'has no calendar' FROM quality_gov.calendar_year y
  WHERE NOT EXISTS (SELECT FROM quality_gov.calendar c WHERE c.calendar = y.calendar)
  UNION ALL
  SELECT 'recall_scope', s.recall_id || ' ' || s.scope_id, 'has no recall' FROM quality_gov.recall_scope s
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall r WHERE r.recall_id = s.recall_id)
  UNION ALL
  SELECT 'recall', r.recall_id::text, 'has no state' FROM quality_gov.recall r
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall_step s WHERE s.recall_id = r.recall_id)
  UNION ALL
  SELECT 'watchlist_entry', c.source || '/' || c.item, c.problem FROM quality_gov.watchlist_check() c
  UNION ALL
  SELECT 'supervision_record', c.uscc || ' ' || c.record_id, c.problem FROM quality_gov.supervision_check() c
  UNION ALL
  SELECT c.relation, c.key, c.problem FROM quality_gov.ledger_check() c
$$;
COMMENT ON FUNCTION integrity_check() IS
  'Oracle: rows whose parent is missing; no rows when all is well';

CREATE FUNCTION doctor_integrity(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', format('%s %s', i.relation, i.key), i.problem, NULL FROM quality_gov.integrity_check() i
  UNION ALL
  SELECT 'problem', format('lexicon %s version %s', l.lexicon, l.version), l.reason, NULL FROM quality_gov.lexicon_check() l
$$;
COMMENT ON FUNCTION doctor_integrity() IS 'Check: what integrity_check() and lexicon_check() find';
INSERT INTO doctor_check VALUES
  ('integrity', 'quality_gov.doctor_integrity', 'What integrity_check() and lexicon_check() find', true);
