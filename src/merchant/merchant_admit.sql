
-- merchant: entry audit

CREATE TABLE merchant_field (
  kind text NOT NULL,
  field text NOT NULL,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT merchant_field_pkey PRIMARY KEY (kind, field, builtin)
);
COMMENT ON TABLE merchant_field IS
  'Fields a merchant of a kind must give and show (网络交易监督管理办法 art 12); the platform adds its own';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_field', 'WHERE NOT builtin');

INSERT INTO merchant_field
SELECT kind, field, '网络交易监督管理办法 (Order 37/2021, amended 2025) art 12', true
FROM (VALUES
  ('company', '{uscc,name,organization_type,legal_representative,registered_address,registered_capital}'::text[]),
  ('individual_business', '{uscc,name,operator,registered_address,composition}'),
  ('farmers_cooperative', '{uscc,name,legal_representative,registered_address,member_contribution}'),
  ('other_organization', '{uscc,name}'),
  ('unregistered', '{name,self_declaration,actual_address,contact}')) AS k(kind, fields)
CROSS JOIN unnest(k.fields) AS field;
CREATE TRIGGER merchant_field_builtin BEFORE INSERT OR UPDATE OR DELETE ON merchant_field
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION application_require(application jsonb) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  part record;
BEGIN
  IF application IS NULL OR jsonb_typeof(application) <> 'object' THEN
    RAISE EXCEPTION 'application must be a JSON object, found %', COALESCE(jsonb_typeof(application), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF COALESCE(application ->> 'merchant_id', '') = '' OR jsonb_typeof(application -> 'merchant_id') <> 'string' THEN
    RAISE EXCEPTION 'application has no "merchant_id"' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give the platform''s own identifier as a string.';
  END IF;
  IF jsonb_path_exists(application, 'strict $.**.identity_number', silent => true) THEN
    RAISE EXCEPTION 'application holds an identity number' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give "identity_digest", as quality_gov.identity_digest() computes it; identity numbers are not stored.';
  END IF;
  FOR part IN SELECT key, value FROM jsonb_each(application) LOOP
    IF part.key IN ('categories', 'licenses', 'persons') THEN
      IF jsonb_typeof(part.value) <> 'array' OR jsonb_path_exists(part.value,
           CASE part.key WHEN 'categories' THEN '$[*] ? (@.type() != "string")'
                         ELSE '$[*] ? (@.type() != "object")' END::jsonpath) THEN
        RAISE EXCEPTION '"%" of the application must be an array of %', part.key,
          CASE part.key WHEN 'categories' THEN 'strings' ELSE 'objects' END
          USING ERRCODE = 'invalid_parameter_value';
      END IF;
    ELSIF jsonb_typeof(part.value) IN ('object', 'array') THEN
      RAISE EXCEPTION '"%" of the application must be a single value', part.key
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION application_require(jsonb) IS
  'Raises an error unless an application has the shape that merchant_admit() reads';

CREATE FUNCTION application_license(application jsonb, OUT kind text, OUT number text, OUT categories text[],
                                    OUT valid daterange, OUT status text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT l ->> 'kind', l ->> 'number',
         ARRAY(SELECT jsonb_array_elements_text(l -> 'categories')),
         daterange((l ->> 'valid_from')::date, (l ->> 'valid_until')::date, '[]'),
         COALESCE(l ->> 'status', 'valid')
  FROM jsonb_array_elements(application -> 'licenses') l;
END;
COMMENT ON FUNCTION application_license(jsonb) IS
  'Licences of an application: {"kind", "number", "categories", "valid_from", "valid_until" (last day), "status"}';

CREATE FUNCTION merchant_admission_check(application jsonb, at timestamptz DEFAULT now(),
    OUT finding text, OUT verdict text, OUT field text, OUT message text, OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  applicant_uscc quality_gov.uscc;
  digests text[];
  today date := (at AT TIME ZONE 'Asia/Shanghai')::date;
  known_kind boolean := application ->> 'kind' IN ('company', 'individual_business',
    'farmers_cooperative', 'other_organization', 'unregistered');
BEGIN
  PERFORM quality_gov.application_require(application);
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'the instant to judge as of must be finite' USING ERRCODE = 'datetime_field_overflow';
  END IF;
  IF known_kind IS NOT TRUE THEN
    RETURN QUERY SELECT 'kind_unknown', 'deny', 'kind', format('unknown kind "%s"', application ->> 'kind'),
      '网络交易监督管理办法 art 12';
  END IF;
  BEGIN
    applicant_uscc := (application ->> 'uscc')::quality_gov.uscc;
    RETURN QUERY SELECT 'uscc_unchecked', 'warn', 'uscc',
      format('"%s" is admitted though its check character is wrong', application ->> 'uscc'), 'GB 32100-2015'
      WHERE right(applicant_uscc::text, 1) = '!';
  EXCEPTION WHEN invalid_text_representation THEN
    RETURN QUERY SELECT 'uscc_invalid', 'deny', 'uscc',
      format('"%s" is not a unified social credit code', application ->> 'uscc'), 'GB 32100-2015';
  END;
  digests := ARRAY(SELECT p ->> 'identity_digest' FROM jsonb_array_elements(application -> 'persons') p
                   WHERE p ->> 'identity_digest' IS NOT NULL);

  RETURN QUERY
    SELECT DISTINCT ON (f.field) 'field_missing', 'deny', f.field, format('"%s" is missing', f.field), f.legal_basis
    FROM quality_gov.merchant_field f
    WHERE f.kind = application ->> 'kind' AND COALESCE(btrim(application ->> f.field), '') = ''
    ORDER BY f.field, f.builtin;
  RETURN QUERY
    SELECT 'field_unexpected', 'deny', f, format('"%s" does not go with kind "%s"', f, application ->> 'kind'),
           '网络交易监督管理办法 arts 8 and 12'
    FROM unnest(CASE application ->> 'kind' WHEN 'unregistered' THEN '{uscc}' ELSE '{self_declaration}' END::text[]) f
    WHERE known_kind AND application ->> f IS NOT NULL;
  RETURN QUERY
    SELECT 'self_declaration_unknown', 'deny', 'self_declaration',
           format('unknown self-declaration "%s"', application ->> 'self_declaration'), '网络交易监督管理办法 art 12'
    WHERE application ->> 'kind' = 'unregistered'
      AND application ->> 'self_declaration' NOT IN ('own_farm_produce', 'home_handicraft',
                                                     'licence_free_labour', 'sporadic_small_trade');
  RETURN QUERY
    SELECT CASE WHEN held.kind IS NULL THEN 'license_missing' ELSE 'license_expired' END, 'deny', 'licenses',
           CASE WHEN held.kind IS NULL THEN format('category "%s" needs a licence "%s"', want.category, c.license_kind)
                ELSE format('licence "%s" for category "%s" is not valid on %s: %s', c.license_kind, want.category,
                            to_char(today, 'YYYY-MM-DD'),
                            CASE held.status WHEN 'valid' THEN concat_ws(' to ', to_char(lower(held.valid), 'YYYY-MM-DD'),
                                                                         to_char(upper(held.valid) - 1, 'YYYY-MM-DD'))
                                             ELSE held.status END) END,
           c.legal_basis
    FROM jsonb_array_elements_text(application -> 'categories') AS want(category)
    JOIN quality_gov.category_license c
      ON quality_gov.category_covers(ARRAY[c.category], want.category) AND c.effect @> at
    LEFT JOIN LATERAL (
      SELECT l.kind, l.status, l.valid, l.valid @> today AND l.status = 'valid' AS good
      FROM quality_gov.application_license(application) l
      WHERE l.kind = c.license_kind AND quality_gov.category_covers(l.categories, want.category)
      ORDER BY 4 DESC LIMIT 1) held ON true
    WHERE held.good IS NOT TRUE
    ORDER BY 3, 4;
  RETURN QUERY
    SELECT 'watchlist', effect.verdict, CASE WHEN h.uscc = applicant_uscc THEN 'uscc'
             WHEN h.identity_digest = ANY (digests) THEN 'persons' ELSE 'name' END,
           format('on list "%s" since %s: %s', h.watchlist,
                  to_char(lower(h.term) AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'), h.reason),
           h.legal_basis
    FROM quality_gov.watchlist_hit(applicant_uscc, application ->> 'name', digests) h
    CROSS JOIN LATERAL (SELECT quality_gov.watchlist_verdict(h.watchlist, 'admit') AS verdict) effect
    WHERE h.term @> at AND effect.verdict IN ('deny', 'warn')
    ORDER BY h.entry_id;
  RETURN QUERY
    SELECT DISTINCT 'barred_return', 'deny', CASE WHEN m.uscc = applicant_uscc THEN 'uscc' ELSE 'persons' END,
           format('barred under shop "%s": %s', m.merchant_id, r.reason), '直播电商监督管理办法 (Order 117) art 14; service agreement'
    FROM quality_gov.merchant m
    JOIN quality_gov.merchant_restriction r ON r.merchant_id = m.merchant_id AND r.action = '*' AND r.effect @> at
    WHERE m.merchant_id <> application ->> 'merchant_id'
      AND (m.uscc = applicant_uscc
           OR EXISTS (SELECT FROM quality_gov.merchant_person p
                      WHERE p.merchant_id = m.merchant_id AND p.identity_digest = ANY (digests)));
  RETURN QUERY
    SELECT 'merchant_exists', 'deny', 'merchant_id', format('merchant "%s" is admitted already', m.merchant_id),
           'quality_gov: one merchant, one identifier'
    FROM quality_gov.merchant m
    WHERE m.merchant_id = application ->> 'merchant_id' AND m.admitted_at < at;
END
$$;
COMMENT ON FUNCTION merchant_admission_check(jsonb, timestamptz) IS
  'Every finding of the entry audit as of an instant, without recording anything; a finding of verdict deny stands in the way';

CREATE FUNCTION merchant_admit(application jsonb, at timestamptz DEFAULT now(),
                               OUT admitted boolean, OUT findings jsonb, OUT admission_id bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  SELECT COALESCE(bool_and(c.verdict <> 'deny'), true), COALESCE(jsonb_agg(to_jsonb(c)), '[]')
  INTO admitted, findings
  FROM quality_gov.merchant_admission_check(application, at) c;
  -- Of two applications at once, or of one instant, the second finds the merchant there.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov merchant ' || (application ->> 'merchant_id'), 0));
  IF admitted AND EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = application ->> 'merchant_id') THEN
    admitted := false;
    findings := findings || jsonb_build_array(jsonb_build_object('finding', 'merchant_exists', 'verdict', 'deny',
      'field', 'merchant_id', 'message', format('merchant "%s" is admitted already', application ->> 'merchant_id'),
      'legal_basis', 'quality_gov: one merchant, one identifier'));
  END IF;

  INSERT INTO quality_gov.merchant_admission (merchant_id, at, admitted, application, findings)
  VALUES (application ->> 'merchant_id', at, merchant_admit.admitted, application, merchant_admit.findings)
  RETURNING merchant_admission.admission_id INTO admission_id;
  IF admitted THEN
    INSERT INTO quality_gov.merchant
      (merchant_id, name, kind, uscc, organization_type, legal_representative, operator, composition,
       registered_address, actual_address, registered_capital, member_contribution, contact,
       self_declaration, identity_ref, shop_name, shop_url, declared_annual_total, categories, admitted_at)
    SELECT r.merchant_id, r.name, r.kind, r.uscc, r.organization_type, r.legal_representative, r.operator,
           r.composition, r.registered_address, r.actual_address, r.registered_capital,
           r.member_contribution, r.contact, r.self_declaration, r.identity_ref, r.shop_name, r.shop_url,
           r.declared_annual_total,
           ARRAY(SELECT jsonb_array_elements_text(application -> 'categories')), at
    FROM jsonb_populate_record(NULL::quality_gov.merchant, application - 'categories') r;
    INSERT INTO quality_gov.merchant_license (merchant_id, kind, number, categories, valid, status)
    SELECT application ->> 'merchant_id', l.kind, l.number, l.categories, l.valid, l.status
    FROM quality_gov.application_license(application) l;
    INSERT INTO quality_gov.merchant_person (merchant_id, identity_digest, position)
    SELECT DISTINCT ON (p ->> 'identity_digest') application ->> 'merchant_id', p ->> 'identity_digest',
           COALESCE(p ->> 'position', 'person')
    FROM jsonb_array_elements(application -> 'persons') p WHERE p ->> 'identity_digest' IS NOT NULL;
    INSERT INTO quality_gov.merchant_verification (merchant_id, verified_at, checked, verified_by, result)
    VALUES (application ->> 'merchant_id', at, '{identity,address,contact,licences}', 'entry audit', 'confirmed');
  END IF;
  PERFORM quality_gov.ledger_record('merchant_admission', application ->> 'merchant_id',
    jsonb_build_object('admission_id', admission_id, 'at', at, 'admitted', admitted, 'findings', findings));
END
$$;
COMMENT ON FUNCTION merchant_admit(jsonb, timestamptz) IS
  'Entry audit (准入审核): admitted or not with every finding, recorded; an admitted applicant becomes a merchant. Replay with merchant_admission_check(application, at)';
