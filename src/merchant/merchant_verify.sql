
-- merchant: admissions against their entries in the ledger

CREATE FUNCTION merchant_admission_verify(OUT entries bigint, OUT values_reread bigint, OUT first_bad bigint, OUT reason text)
  LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT * FROM quality_gov.ledger_compare('merchant_admission', $live$
    SELECT a.merchant_id AS subject, jsonb_build_object('admission_id', a.admission_id, 'at', a.at, 'admitted', a.admitted, 'findings', a.findings) AS body
    FROM quality_gov.merchant_admission a $live$, '{admission_id}', '{at}')
$$;
COMMENT ON FUNCTION merchant_admission_verify() IS 'Entry audits against the entries of kind merchant_admission; for ledger_verify()';
INSERT INTO ledger_decision VALUES ('merchant_admission', 'quality_gov.merchant_admission_verify', 'Entry audits of merchants and what they found', true);
