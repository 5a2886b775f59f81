
-- listing: test reports, energy and water labels, and their rule kinds

CREATE TABLE product_report (
  merchant_id text NOT NULL,
  number text NOT NULL,
  laboratory text,
  product text,
  models text[],
  basis text,
  result text,
  passed boolean,
  issued_on date,
  valid_until date,
  source text NOT NULL,
  imported_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT product_report_pkey PRIMARY KEY (merchant_id, number),
  CONSTRAINT product_report_number CHECK (number = upper(btrim(number)) AND number <> ''),
  CONSTRAINT product_report_valid CHECK (valid_until >= issued_on)
);
COMMENT ON TABLE product_report IS
  'Test reports that merchants gave: laboratory, product and models, basis (standards), result in words and whether it was passed; numbers in upper case; valid_until, where the platform limits it, is the last day (Asia/Shanghai)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.product_report', '');
ALTER TABLE product_report ENABLE ROW LEVEL SECURITY;
CREATE POLICY product_report_read ON product_report FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
CREATE POLICY product_report_write ON product_report FOR INSERT WITH CHECK ((SELECT session_administers()));
CREATE POLICY product_report_change ON product_report FOR UPDATE USING ((SELECT session_administers()));

CREATE FUNCTION rule_report_params_valid(params jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := params_check(params, '{"field": "text?", "link": "text?", "checks": "texts?", "passed": "boolean?",
                                        "product": "text?", "model": "text?", "basis": "text?"}');
  unknown text;
BEGIN
  SELECT c INTO unknown FROM unnest(params_texts(params -> 'checks')) AS c
  WHERE c NOT IN ('present', 'content', 'agreement', 'validity');
  IF wanted IS NULL AND unknown IS NOT NULL THEN
    wanted := format('"checks" of present, content, agreement and validity, not "%s"', unknown);
  END IF;
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION rule_report_params_valid(jsonb) IS
  'What is wanted of params of kind report: all optional, "field" (report), "link" (report_link), "checks" (present, content, agreement, validity), "passed", names of the page''s "product", "model" (model), "basis" (standard); null where all is well';

CREATE FUNCTION report_basis_names(basis text, standard text) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  written text := translate(upper(text_fold(basis, '{nfkc,width,invisible}')), E'—–‐‑− \t\r\n', '-----');
  asked text := translate(upper(text_fold(standard, '{nfkc,width,invisible}')), E'—–‐‑− \t\r\n', '-----');
BEGIN
  -- A whole number with its letters, with or without the year: GB is not one, and GB 4706 is not GB 4706.1.
  RETURN asked ~ '[A-Z].*[0-9]' AND written ~ ('(^|[^A-Z0-9/])' || regexp_replace(asked, '([][*+?.(){}|^$\\])', '\\\1', 'g') || '($|[^A-Z0-9.])');
END
$$;
COMMENT ON FUNCTION report_basis_names(text, text) IS
  'Whether the basis of a test report names a standard as the page does, by its letters and number, where the year may be left out; spaces, case and width do not count';

CREATE FUNCTION rule_report(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  shown text;
  report product_report;
  checks text[] := COALESCE(params_texts(params -> 'checks'), '{present,content,agreement,validity}');
  page_product text := listing_value(listing, params ->> 'product');
  page_model text := listing_value(listing, COALESCE(params ->> 'model', 'model'));
  page_basis text := listing_value(listing, COALESCE(params ->> 'basis', 'standard'));
  today date := (at AT TIME ZONE 'Asia/Shanghai')::date;
  absent text;
  facts jsonb;
BEGIN
  field := COALESCE(params ->> 'field', 'report');
  shown := upper(listing_value(listing, field));
  IF shown IS NULL THEN
    IF listing_value(listing, COALESCE(params ->> 'link', 'report_link')) IS NOT NULL THEN
      -- A link satisfies the gate; what the report says is not known from it.
      RETURN QUERY SELECT CASE WHEN checks = '{present}' THEN 'pass' ELSE 'missing' END, field,
        CASE WHEN checks <> '{present}' THEN 'the report is given as a link only, its content is not known' END,
        CASE WHEN checks <> '{present}' THEN '{"failed": "link"}'::jsonb END;
    ELSIF 'present' = ANY (checks) THEN
      RETURN QUERY SELECT 'violation', field, 'no test report is given',
        '{"failed": "present", "legal_basis": "Order 110 art 10"}'::jsonb;
    ELSE
      RETURN QUERY SELECT 'missing', field, 'no test report is given', NULL::jsonb;
    END IF;
    RETURN;
  END IF;
  SELECT * INTO report FROM product_report r
  WHERE r.merchant_id = listing_value(listing, 'merchant_id') AND r.number = shown;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'missing', field, format('no report "%s" of this merchant is known', shown),
      jsonb_build_object('failed', 'register', 'number', shown);
    RETURN;
  END IF;
  absent := concat_ws(', ', CASE WHEN report.product IS NULL THEN 'product' END, CASE WHEN report.basis IS NULL THEN 'basis' END,
                      CASE WHEN report.result IS NULL THEN 'result' END);
  facts := jsonb_strip_nulls(jsonb_build_object('number', shown, 'laboratory', report.laboratory, 'product', report.product,
    'models', report.models, 'basis', report.basis, 'result', report.result, 'issued_on', report.issued_on,
    'valid_until', report.valid_until));
  RETURN QUERY
  SELECT c.outcome, field, CASE WHEN c.outcome <> 'pass' THEN c.message END, CASE c.outcome WHEN 'pass' THEN NULL
           ELSE facts || jsonb_strip_nulls(jsonb_build_object('failed', c.failed, 'missing', nullif(c.outcome = 'missing', false),
             'legal_basis', c.basis)) END
  FROM (VALUES
    (1, 'content', 'content', 'Order 110 art 8', CASE WHEN absent = '' THEN 'pass' ELSE 'violation' END,
     format('report "%s" does not tell %s', shown, absent)),
    (2, 'agreement', 'product', 'Order 110 art 13',
     CASE WHEN report.product IS NULL OR params ->> 'product' IS NULL THEN 'pass' WHEN page_product IS NULL THEN 'missing'
          WHEN listing_agrees(page_product, ARRAY[report.product]) THEN 'pass' ELSE 'violation' END,
     format('report "%s" is about "%s", the page says "%s"', shown, report.product, page_product)),
    (3, 'agreement', 'model', 'Order 110 art 13',
     CASE WHEN report.models IS NULL THEN 'pass' WHEN page_model IS NULL THEN 'missing'
          WHEN listing_agrees(page_model, report.models) THEN 'pass' ELSE 'violation' END,
     format('report "%s" does not cover model "%s"', shown, page_model)),
    (4, 'agreement', 'basis', 'Order 110 art 13',
     CASE WHEN report.basis IS NULL THEN 'pass' WHEN page_basis IS NULL THEN 'missing'
          WHEN report_basis_names(report.basis, page_basis) THEN 'pass' ELSE 'violation' END,
     format('report "%s" is by "%s", the page says "%s"', shown, report.basis, page_basis)),
    (5, 'validity', 'validity', 'rule of the platform',
     CASE WHEN today < report.issued_on OR today > report.valid_until THEN 'violation' ELSE 'pass' END,
     CASE WHEN today < report.issued_on THEN format('report "%s" was issued only on %s', shown, report.issued_on)
          ELSE format('report "%s" counts until %s', shown, report.valid_until) END),
    (6, 'passed', 'passed', 'rule of the platform',
     CASE WHEN report.passed IS NULL THEN 'missing' WHEN report.passed THEN 'pass' ELSE 'violation' END,
     CASE WHEN report.passed IS NULL THEN format('whether report "%s" was passed is not known', shown)
          ELSE format('report "%s" was not passed', shown) END)
  ) AS c(n, part, failed, basis, outcome, message)
  WHERE c.part = ANY (checks) OR c.part = 'passed' AND params @> '{"passed": true}'
  ORDER BY c.n;
END
$$;
COMMENT ON FUNCTION rule_report(jsonb, jsonb, timestamptz) IS
  'Rule kind report: a test report or a link to one is given (Order 110 art 10), it tells product, basis and result (art 8), they agree with the page (art 13); a number the platform has no report of is a missing value';

CREATE TABLE product_label (
  scheme text NOT NULL,
  record text NOT NULL,
  producer text NOT NULL,
  model text NOT NULL,
  gtin gtin,
  grade integer NOT NULL,
  indicators jsonb NOT NULL DEFAULT '{}',
  gb_number text,
  effect tstzrange NOT NULL DEFAULT '(,)',
  source text NOT NULL,
  imported_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT product_label_pkey PRIMARY KEY (scheme, record),
  CONSTRAINT product_label_scheme CHECK (scheme IN ('energy', 'water')),
  CONSTRAINT product_label_record CHECK (record = upper(btrim(record)) AND record <> ''),
  CONSTRAINT product_label_grade CHECK (grade BETWEEN 1 AND 5),
  CONSTRAINT product_label_indicators CHECK (jsonb_typeof(indicators) = 'object')
);
CREATE INDEX product_label_gtin ON product_label (gtin) WHERE gtin IS NOT NULL;
CREATE INDEX product_label_model ON product_label (name_key(model));
COMMENT ON TABLE product_label IS
  'Register of energy and water labels: record code in upper case, producer, model, grade, indicators (name to value), standard (GB number), period';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.product_label', '');
