
-- merchant: views

CREATE VIEW merchant_verification_due WITH (security_barrier) AS
  SELECT m.merchant_id, m.name, m.kind, last.verified_at AS last_verified,
         quality_gov.duty_deadline('D1', COALESCE(last.verified_at, m.admitted_at)) AS due,
         quality_gov.duty_deadline('D1', COALESCE(last.verified_at, m.admitted_at)) <= now() AS overdue
  FROM merchant m
  LEFT JOIN LATERAL (
    SELECT max(v.verified_at) AS verified_at FROM merchant_verification v
    WHERE v.merchant_id = m.merchant_id AND v.result <> 'failed') last ON true
  WHERE m.closed_at IS NULL
    AND ((SELECT session_reads_all()) OR m.merchant_id IN (SELECT s.merchant_id FROM session_merchant s));
COMMENT ON VIEW merchant_verification_due IS
  'When each merchant must be verified again (duty D1, 网络交易监督管理办法 art 24): last verification, due, overdue';

CREATE VIEW merchant_public WITH (security_barrier) AS
  SELECT m.merchant_id, m.shop_name, m.shop_url, m.name,
         m.kind <> 'unregistered' AS registered,
         m.kind, m.uscc, m.organization_type, m.legal_representative, m.operator, m.composition,
         m.registered_address, m.registered_capital, m.member_contribution,
         CASE WHEN m.kind = 'unregistered' THEN m.actual_address END AS actual_address,
         CASE WHEN m.kind = 'unregistered' THEN m.contact END AS contact,
         m.self_declaration,
         ARRAY(SELECT l.kind || ' ' || l.number FROM merchant_license l
               WHERE l.merchant_id = m.merchant_id AND l.status = 'valid'
                 AND l.valid @> (now() AT TIME ZONE 'Asia/Shanghai')::date
               ORDER BY l.kind, l.number) AS licenses
  FROM merchant m
  WHERE m.closed_at IS NULL;
COMMENT ON VIEW merchant_public IS
  'What must be shown of each merchant (网络交易监督管理办法 arts 12 and 27; 电子商务法 art 15), registered and unregistered told apart; everybody''s to see';

CREATE TABLE merchant_turnover (
  merchant_id text NOT NULL,
  year integer NOT NULL,
  measured numeric NOT NULL,
  CONSTRAINT merchant_turnover_pkey PRIMARY KEY (merchant_id, year),
  CONSTRAINT merchant_turnover_measured CHECK (measured >= 0)
);
COMMENT ON TABLE merchant_turnover IS
  'Yuan that a merchant turned over on this platform in a year, as the platform measured it';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_turnover', '');

CREATE VIEW merchant_identity_report WITH (security_barrier) AS
  SELECT m.merchant_id, m.name, m.kind, m.uscc, m.identity_ref, m.actual_address, m.contact, m.shop_name,
         m.shop_url, m.self_declaration, t.measured AS measured_total, m.declared_annual_total AS declared_total,
         CASE WHEN m.kind = 'unregistered' AND t.measured > f.value THEN 'measured'
              WHEN m.kind = 'unregistered' AND m.declared_annual_total > f.value THEN 'declared' END AS over_limit
  FROM merchant m
  LEFT JOIN merchant_turnover t ON t.merchant_id = m.merchant_id
    AND t.year = extract(year FROM now() AT TIME ZONE 'Asia/Shanghai')::integer
  LEFT JOIN LATERAL (SELECT l.value FROM legal_figure l WHERE l.figure = 'small_seller_annual_total' AND l.effect @> now()
                     ORDER BY l.builtin LIMIT 1) f ON true
  WHERE session_reads_all();
COMMENT ON VIEW merchant_identity_report IS
  'Half-yearly report of identities (duty D5: each January and July, 网络交易监督管理办法 art 25); the platform joins identity numbers by identity_ref on export; over_limit says which total puts an unregistered seller above the yearly limit (art 8): the one measured here, or the declared one over all platforms';
