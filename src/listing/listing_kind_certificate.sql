
-- listing: the register of certificates, and rule kind certificate

CREATE TABLE product_certificate (
  kind text NOT NULL,
  number text NOT NULL,
  product_type text NOT NULL,
  models text[],
  holder text,
  holder_uscc uscc,
  valid_from date,
  valid_until date,
  source text NOT NULL,
  imported_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT product_certificate_pkey PRIMARY KEY (kind, number),
  CONSTRAINT product_certificate_kind CHECK (kind ~ '^[a-z][a-z_]{0,40}$'),
  CONSTRAINT product_certificate_number CHECK (number = upper(btrim(number)) AND number <> ''),
  CONSTRAINT product_certificate_valid CHECK (valid_until >= valid_from)
);
COMMENT ON TABLE product_certificate IS
  'Register of certificates as authorities publish it: ccc (compulsory certification), production_licence, others; numbers in upper case; valid_until is the last valid day (Asia/Shanghai)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.product_certificate', '');

CREATE TABLE product_certificate_state (
  kind text NOT NULL,
  number text NOT NULL,
  since timestamptz NOT NULL,
  state text NOT NULL,
  reason text,
  source text NOT NULL,
  CONSTRAINT product_certificate_state_pkey PRIMARY KEY (kind, number, since),
  CONSTRAINT product_certificate_state_state CHECK (state IN ('valid', 'suspended', 'revoked', 'cancelled')),
  CONSTRAINT product_certificate_state_since CHECK (since < 'infinity')
);
COMMENT ON TABLE product_certificate_state IS
  'States of certificates, each from since until the next: valid 有效, suspended 暂停, revoked 撤销, cancelled 注销 (强制性产品认证管理规定 arts 26 to 28)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.product_certificate_state', '');

CREATE FUNCTION rule_certificate_params_valid(params jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := params_check(params, '{"field": "text?", "kind": "texts", "checks": "texts?", "type": "text?",
                                        "model": "text?", "holder": "boolean?", "producer": "text?"}');
  unknown text;
BEGIN
  SELECT c INTO unknown FROM unnest(params_texts(params -> 'checks')) AS c
  WHERE c NOT IN ('register', 'type', 'status', 'validity', 'model');
  IF wanted IS NULL AND unknown IS NOT NULL THEN
    wanted := format('"checks" of register, type, status, validity and model, not "%s"', unknown);
  END IF;
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION rule_certificate_params_valid(jsonb) IS
  'What is wanted of params of kind certificate: {"kind", and optionally "field" (certificate), "checks" (register, type, status, validity), "type" (product_type), "model", "holder", "producer"}; null where all is well';

CREATE FUNCTION certificate_holder_agrees(certificate product_certificate, producer text, merchant text) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN listing_agrees(producer, ARRAY[certificate.holder])
      OR EXISTS (SELECT FROM merchant m WHERE m.merchant_id = certificate_holder_agrees.merchant
                 AND (m.uscc = certificate.holder_uscc OR listing_agrees(m.name, ARRAY[certificate.holder])));
END
$$;
COMMENT ON FUNCTION certificate_holder_agrees(product_certificate, text, text) IS
  'Whether a certificate''s holder is the producer on the page or the merchant, by unified social credit code or name';

CREATE FUNCTION rule_certificate(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  shown text;
  found_certificate product_certificate;
  state product_certificate_state;
  checks text[] := COALESCE(params_texts(params -> 'checks'), '{register,type,status,validity}');
  page_type text := listing_value(listing, COALESCE(params ->> 'type', 'product_type'));
  page_model text := listing_value(listing, COALESCE(params ->> 'model', 'model'));
  today date := (at AT TIME ZONE 'Asia/Shanghai')::date;
  facts jsonb;
BEGIN
  field := COALESCE(params ->> 'field', 'certificate');
  shown := upper(listing_value(listing, field));
  IF shown IS NULL THEN
    RETURN QUERY SELECT 'missing', field, 'no certificate number is shown', NULL::jsonb;
    RETURN;
  END IF;
  SELECT * INTO found_certificate FROM product_certificate c
  WHERE c.number = shown AND c.kind = ANY (params_texts(params -> 'kind')) ORDER BY c.kind LIMIT 1;
  IF NOT FOUND THEN
    IF 'register' = ANY (checks) THEN
      RETURN QUERY SELECT 'violation', field, format('certificate "%s" is not in the register', shown),
        jsonb_build_object('failed', 'register', 'number', shown, 'legal_basis', 'Order 110 art 10');
    ELSE
      RETURN QUERY SELECT 'missing', field, format('certificate "%s" is not in the register', shown),
        jsonb_build_object('failed', 'register', 'number', shown);
    END IF;
    RETURN;
  END IF;
  SELECT * INTO state FROM product_certificate_state s
  WHERE s.kind = found_certificate.kind AND s.number = found_certificate.number AND s.since <= at
  ORDER BY s.since DESC LIMIT 1;
  facts := jsonb_strip_nulls(jsonb_build_object('number', shown, 'kind', found_certificate.kind,
    'product_type', found_certificate.product_type, 'holder', found_certificate.holder, 'state', state.state,
    'since', state.since AT TIME ZONE 'Asia/Shanghai', 'valid_from', found_certificate.valid_from,
    'valid_until', found_certificate.valid_until, 'source', found_certificate.source));
  RETURN QUERY
  SELECT c.outcome, field, CASE WHEN c.outcome <> 'pass' THEN c.message END, CASE c.outcome WHEN 'pass' THEN NULL
           ELSE facts || jsonb_strip_nulls(jsonb_build_object('failed', c.part, 'missing', nullif(c.outcome = 'missing', false),
             'legal_basis', c.basis)) END
  FROM (VALUES
    (1, 'type', 'Order 110 art 10',
     CASE WHEN page_type IS NULL THEN 'missing'
          WHEN listing_agrees(page_type, ARRAY[found_certificate.product_type]) THEN 'pass' ELSE 'violation' END,
     CASE WHEN page_type IS NULL THEN 'the page names no product type to compare with the certificate'
          ELSE format('certificate "%s" is for "%s", the page says "%s"', shown, found_certificate.product_type, page_type) END),
    (2, 'model', 'Order 110 art 13',
     CASE WHEN page_model IS NULL OR found_certificate.models IS NULL THEN 'missing'
          WHEN listing_agrees(page_model, found_certificate.models) THEN 'pass' ELSE 'violation' END,
     CASE WHEN page_model IS NULL THEN 'the page names no model to compare with the certificate'
          WHEN found_certificate.models IS NULL THEN format('the register has no models for certificate "%s"', shown)
          ELSE format('certificate "%s" does not cover model "%s"', shown, page_model) END),
    (3, 'status', CASE found_certificate.kind WHEN 'ccc' THEN '强制性产品认证管理规定 art 29' ELSE 'Order 110 art 13' END,
     CASE WHEN state.state IS NULL THEN 'missing' WHEN state.state = 'valid' THEN 'pass' ELSE 'violation' END,
     CASE WHEN state.state IS NULL THEN format('the register has no state for certificate "%s"', shown)
          ELSE format('certificate "%s" is %s since %s', shown, state.state, (state.since AT TIME ZONE 'Asia/Shanghai')::date) END),
    (4, 'validity', 'Order 110 art 13',
     CASE WHEN today < found_certificate.valid_from OR today > found_certificate.valid_until THEN 'violation'
          WHEN found_certificate.valid_until IS NULL THEN 'missing' ELSE 'pass' END,
     CASE WHEN today < found_certificate.valid_from THEN format('certificate "%s" is valid from %s on', shown, found_certificate.valid_from)
          WHEN found_certificate.valid_until IS NULL THEN format('the register has no last day for certificate "%s"', shown)
          ELSE format('certificate "%s" was valid until %s', shown, found_certificate.valid_until) END),
    (5, 'holder', 'rule of the platform',
     CASE WHEN found_certificate.holder IS NULL AND found_certificate.holder_uscc IS NULL THEN 'missing'
          WHEN certificate_holder_agrees(found_certificate, listing_value(listing, COALESCE(params ->> 'producer', 'producer')),
                                         listing_value(listing, 'merchant_id')) THEN 'pass' ELSE 'violation' END,
     CASE WHEN found_certificate.holder IS NULL AND found_certificate.holder_uscc IS NULL
          THEN format('the register has no holder for certificate "%s"', shown)
          ELSE format('certificate "%s" is held by "%s", not by the producer or the merchant', shown,
                      COALESCE(found_certificate.holder, found_certificate.holder_uscc::text)) END)
  ) AS c(n, part, basis, outcome, message)
  WHERE c.part = ANY (checks) OR c.part = 'holder' AND params @> '{"holder": true}'
  ORDER BY c.n;
END
$$;
COMMENT ON FUNCTION rule_certificate(jsonb, jsonb, timestamptz) IS
  'Rule kind certificate: the number is in the register and product type agrees (Order 110 art 10), the state is valid (强制性产品认证管理规定 art 29), the day is within the validity (Order 110 art 13), the holder agrees (the platform''s own rule)';
