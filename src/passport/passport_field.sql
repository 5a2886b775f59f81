
-- passport: what a passport must tell about goods of a category, and to whom

CREATE TABLE passport_field (
  category text NOT NULL,
  field text NOT NULL,
  type text NOT NULL DEFAULT 'string',
  required boolean NOT NULL DEFAULT false,
  one_of text,
  audience text NOT NULL DEFAULT 'public',
  title text NOT NULL,
  legal_basis text NOT NULL,
  effect tstzrange NOT NULL DEFAULT '(,)',
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT passport_field_pkey PRIMARY KEY (category, field, effect, builtin),
  CONSTRAINT passport_field_category CHECK (category <> ''),
  CONSTRAINT passport_field_field CHECK (field ~ '^[a-z][A-Za-z0-9_]{0,62}$' AND field NOT IN ('id', 'type')),
  CONSTRAINT passport_field_type CHECK (type IN ('string', 'number', 'integer', 'boolean', 'date', 'url', 'array', 'object')),
  CONSTRAINT passport_field_one_of CHECK (one_of IS NULL OR NOT required),
  CONSTRAINT passport_field_audience CHECK (audience IN ('public', 'authorised', 'regulator')),
  CONSTRAINT passport_field_effect CHECK (NOT isempty(effect))
);
COMMENT ON TABLE passport_field IS
  'Fields of passports of a category and those below it (* is all): type of the claim, whether it must be there (one_of: one of those with that name must), who may read it, legal basis and period of effect; a claim without a row is for everybody';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_field', 'WHERE NOT builtin');

CREATE TABLE passport_category (
  category text NOT NULL,
  includes text NOT NULL,
  effect tstzrange NOT NULL DEFAULT '(,)',
  CONSTRAINT passport_category_pkey PRIMARY KEY (category, includes),
  CONSTRAINT passport_category_includes CHECK (category <> '' AND includes <> '')
);
COMMENT ON TABLE passport_category IS
  'Categories of the platform whose passports also need the fields of another, such as order_110, energy_label or water_label, over a period';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_category', '');

-- Names as the listing's fields have them; a licence or certificate, or else a test report.
INSERT INTO passport_field (category, field, type, required, one_of, title, legal_basis, effect, builtin)
SELECT 'order_110', v.field, CASE v.field WHEN 'report' THEN 'object' ELSE 'string' END, v.required, v.one_of, v.title,
       '网络销售重点工业产品质量安全监督管理规定 (Order 110) art 8', '[2026-12-01 00:00+08,)', true
FROM (VALUES
  ('title', true, NULL, 'Product name'),
  ('producer', true, NULL, 'Name of the producer'),
  ('producer_address', true, NULL, 'Address of the producer'),
  ('model', true, NULL, 'Model or specification'),
  ('standard', true, NULL, 'Number of the standard'),
  ('warning', false, NULL, 'Warnings, where goods need them'),
  ('licence', false, 'certificate', 'Number of the production licence'),
  ('certificate', false, 'certificate', 'Number of the CCC certificate'),
  ('report', false, 'certificate', 'Test report: product, basis, result')) AS v(field, required, one_of, title);
INSERT INTO passport_field (category, field, type, required, title, legal_basis, builtin)
SELECT l.scheme || '_label', replace(v.field, 'scheme', l.scheme), v.type, true, v.title, l.legal_basis, true
FROM (VALUES ('energy', '能源效率标识管理办法 (Order 35 of 2016)'), ('water', '水效标识管理办法 (Order 6 of 2017)')) AS l(scheme, legal_basis)
CROSS JOIN (VALUES
  ('producer', 'string', 'Name of the producer'),
  ('model', 'string', 'Model'),
  ('scheme_grade', 'integer', 'Grade of efficiency'),
  ('indicators', 'object', 'Indicators of use'),
  ('standard', 'string', 'Number of the efficiency standard (GB)'),
  ('scheme_record', 'string', 'Information code of the label')) AS v(field, type, title);
CREATE TRIGGER passport_field_builtin BEFORE INSERT OR UPDATE OR DELETE ON passport_field
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION passport_fields(category text, at timestamptz DEFAULT now()) RETURNS SETOF passport_field
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT f.* FROM quality_gov.passport_field f
  WHERE f.effect @> at
    AND (quality_gov.category_covers(ARRAY[f.category], COALESCE(passport_fields.category, ''))
         OR f.category IN (SELECT c.includes FROM quality_gov.passport_category c
                           WHERE c.effect @> at AND quality_gov.category_covers(ARRAY[c.category], COALESCE(passport_fields.category, ''))))
  ORDER BY f.category, f.field
$$;
COMMENT ON FUNCTION passport_fields(text, timestamptz) IS
  'Fields that passports of goods of a category have at an instant: its own, those of categories above it, and of those it includes';

CREATE FUNCTION passport_claim_fits(value jsonb, type text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE type
    WHEN 'integer' THEN jsonb_typeof(value) = 'number' AND (value #>> '{}')::numeric % 1 = 0
    WHEN 'date' THEN jsonb_typeof(value) = 'string'
      AND value #>> '{}' ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'
      AND right(value #>> '{}', 2)::integer <= CASE substr(value #>> '{}', 6, 2)
        WHEN '02' THEN CASE WHEN left(value #>> '{}', 4)::integer % CASE WHEN substr(value #>> '{}', 3, 2) = '00' THEN 400 ELSE 4 END = 0
                            THEN 29 ELSE 28 END
        WHEN '04' THEN 30 WHEN '06' THEN 30 WHEN '09' THEN 30 WHEN '11' THEN 30 ELSE 31 END
    WHEN 'url' THEN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^https?://[!-~]+$'
    WHEN 'string' THEN jsonb_typeof(value) = 'string' AND btrim(value #>> '{}') <> ''
    ELSE jsonb_typeof(value) = type END;
COMMENT ON FUNCTION passport_claim_fits(jsonb, text) IS
  'Whether a claim is of a type: string (not blank), number, integer, boolean, date (YYYY-MM-DD), url (http or https), array, object';

CREATE FUNCTION passport_claims_require(category text, claims jsonb, at timestamptz) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong record;
BEGIN
  IF jsonb_typeof(claims) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'claims must be an object of fields and their values' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT c.key, CASE WHEN c.key !~ '^[a-z][A-Za-z0-9_]{0,62}$' OR c.key IN ('id', 'type')
                     THEN 'is no name of a field: a letter in lower case, then letters, digits and _, but not id or type'
                     ELSE 'is null' END AS problem INTO wrong
  FROM jsonb_each(claims) c
  WHERE c.key !~ '^[a-z][A-Za-z0-9_]{0,62}$' OR c.key IN ('id', 'type') OR c.value = 'null' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'claim "%" %', wrong.key, wrong.problem USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT f.* INTO wrong FROM quality_gov.passport_fields(category, at) f
  WHERE (f.required AND NOT claims ? f.field) OR NOT quality_gov.passport_claim_fits(claims -> f.field, f.type)
  ORDER BY f.category, f.field LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'claim "%" %', wrong.field,
      CASE WHEN NOT claims ? wrong.field THEN 'is missing'
           WHEN wrong.type = 'string' AND jsonb_typeof(claims -> wrong.field) = 'string' THEN 'is empty'
           ELSE 'is not of type ' || wrong.type END
      USING ERRCODE = 'check_violation', DETAIL = format('%s (%s).', wrong.title, wrong.legal_basis);
  END IF;
  SELECT f.one_of, string_agg(DISTINCT f.field, ', ') AS fields, min(f.legal_basis) AS legal_basis INTO wrong
  FROM quality_gov.passport_fields(category, at) f WHERE f.one_of IS NOT NULL
  GROUP BY f.category, f.one_of HAVING NOT bool_or(claims ? f.field) ORDER BY 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'one of the claims % is missing', wrong.fields
      USING ERRCODE = 'check_violation', DETAIL = format('%s.', wrong.legal_basis);
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION passport_claims_require(text, jsonb, timestamptz) IS
  'True; raises 23514 where a claim that a category needs is missing or of another type, 22023 where claims are no object or a name is none';

CREATE FUNCTION passport_claims_path(category text, at timestamptz) RETURNS jsonpath
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT concat_ws(' && ',
    '$.type() == "object"',
    string_agg(concat_ws(' && ',
      CASE WHEN f.required THEN format('exists($.%s)', f.field) END,
      CASE f.type
        WHEN 'string' THEN format('!exists($.%1$s ? (@.type() != "string" || !(@ like_regex "[^[:space:]]")))', f.field)
        WHEN 'number' THEN format('!exists($.%1$s ? (@.type() != "number"))', f.field)
        WHEN 'boolean' THEN format('!exists($.%1$s ? (@.type() != "boolean"))', f.field)
        WHEN 'object' THEN format('!exists($.%1$s ? (@.type() != "object"))', f.field)
        -- The others are looked at one by one.
        ELSE format('!exists($.%1$s)', f.field) END), ' && '),
    (SELECT string_agg('(' || o.choice || ')', ' && ')
     FROM (SELECT string_agg(format('exists($.%s)', g.field), ' || ') AS choice
           FROM quality_gov.passport_fields(passport_claims_path.category, passport_claims_path.at) g WHERE g.one_of IS NOT NULL GROUP BY g.category, g.one_of) o))::jsonpath
  FROM quality_gov.passport_fields(passport_claims_path.category, passport_claims_path.at) f
$$;
COMMENT ON FUNCTION passport_claims_path(text, timestamptz) IS
  'A condition that only claims meet which passport_claims_require() accepts, but for names and nulls, which passport_document() judges; those that do not meet it, that function judges';
