
-- merchant: who sells, with what licences, and when that was last verified

CREATE TABLE merchant (
  merchant_id text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  uscc uscc,
  organization_type text,
  legal_representative text,
  operator text,
  composition text,
  registered_address text,
  actual_address text,
  registered_capital text,
  member_contribution text,
  contact text,
  self_declaration text,
  identity_ref text,
  shop_name text,
  shop_url text,
  declared_annual_total numeric,
  categories text[] NOT NULL DEFAULT '{}',
  admitted_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  CONSTRAINT merchant_pkey PRIMARY KEY (merchant_id),
  CONSTRAINT merchant_merchant_id CHECK (merchant_id <> ''),
  CONSTRAINT merchant_name CHECK (name_key(name) IS NOT NULL),
  CONSTRAINT merchant_kind CHECK (kind IN ('company', 'individual_business', 'farmers_cooperative',
                                           'other_organization', 'unregistered')),
  CONSTRAINT merchant_uscc CHECK ((kind = 'unregistered') = (uscc IS NULL)),
  CONSTRAINT merchant_self_declaration CHECK (
    (kind = 'unregistered') = (self_declaration IS NOT NULL)
    AND self_declaration IN ('own_farm_produce', 'home_handicraft', 'licence_free_labour',
                             'sporadic_small_trade')),
  CONSTRAINT merchant_declared_annual_total CHECK (declared_annual_total >= 0),
  CONSTRAINT merchant_admitted_at CHECK (isfinite(admitted_at)),
  CONSTRAINT merchant_closed_at CHECK (closed_at > admitted_at)
);
CREATE INDEX merchant_uscc_idx ON merchant (uscc) WHERE uscc IS NOT NULL;
CREATE INDEX merchant_name_idx ON merchant (name_key(name));
COMMENT ON TABLE merchant IS
  'Sellers with the fields they must show (网络交易监督管理办法 art 12), per kind';
COMMENT ON COLUMN merchant.merchant_id IS 'The platform''s own identifier';
COMMENT ON COLUMN merchant.kind IS
  'company (公司), individual_business (个体工商户), farmers_cooperative (农民专业合作社), other_organization, or unregistered natural person (art 8)';
COMMENT ON COLUMN merchant.self_declaration IS
  'Of an unregistered seller, one of four (art 12): own farm produce, home handicraft, licence-free labour with own skill, sporadic small trade';
COMMENT ON COLUMN merchant.identity_ref IS
  'The platform''s own reference to an identity document; no identity number is stored here';
COMMENT ON COLUMN merchant.declared_annual_total IS
  'Yuan a year over all shops on all platforms, as the seller declared it (art 8)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant', '');

CREATE TABLE merchant_license (
  merchant_id text NOT NULL,
  license_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  number text NOT NULL,
  categories text[] NOT NULL,
  valid daterange NOT NULL,
  status text NOT NULL DEFAULT 'valid',
  status_since timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT merchant_license_pkey PRIMARY KEY (merchant_id, license_id),
  CONSTRAINT merchant_license_number UNIQUE (merchant_id, kind, number),
  CONSTRAINT merchant_license_valid CHECK (NOT isempty(valid)),
  CONSTRAINT merchant_license_status CHECK (status IN ('valid', 'suspended', 'revoked', 'cancelled'))
);
COMMENT ON TABLE merchant_license IS
  'Licences of a merchant: kind, number, categories covered (a category covers those below it: food covers food/infant; * covers all), days of validity in Asia/Shanghai';
COMMENT ON COLUMN merchant_license.status IS
  'valid 有效, suspended 暂停, revoked 撤销 or cancelled 注销; it holds from status_since';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_license', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_license_license_id_seq', '');

CREATE TABLE category_license (
  category text NOT NULL,
  license_kind text NOT NULL,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT category_license_pkey PRIMARY KEY (category, license_kind, builtin)
);
COMMENT ON TABLE category_license IS
  'Which licence a category needs, from when to when, and why; a category covers those below it';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.category_license', 'WHERE NOT builtin');

CREATE TABLE merchant_verification (
  merchant_id text NOT NULL,
  verification_id bigint GENERATED ALWAYS AS IDENTITY,
  verified_at timestamptz NOT NULL,
  checked text[] NOT NULL,
  verified_by text NOT NULL,
  result text NOT NULL,
  note text,
  CONSTRAINT merchant_verification_pkey PRIMARY KEY (merchant_id, verification_id),
  CONSTRAINT merchant_verification_verified_at CHECK (isfinite(verified_at)),
  CONSTRAINT merchant_verification_checked CHECK (
    checked <> '{}' AND checked <@ ARRAY['identity', 'address', 'contact', 'licences']),
  CONSTRAINT merchant_verification_result CHECK (result IN ('confirmed', 'corrected', 'failed'))
);
COMMENT ON TABLE merchant_verification IS
  'Six-monthly checks (网络交易监督管理办法 art 24): what was checked, by whom, with what result; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_verification', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_verification_verification_id_seq', '');

CREATE TABLE merchant_restriction (
  merchant_id text NOT NULL,
  restriction_id bigint GENERATED ALWAYS AS IDENTITY,
  action text NOT NULL,
  category text,
  reason text NOT NULL,
  source text NOT NULL,
  effect tstzrange NOT NULL,
  CONSTRAINT merchant_restriction_pkey PRIMARY KEY (merchant_id, restriction_id),
  CONSTRAINT merchant_restriction_action CHECK (action IN ('list', 'sell', 'live', '*')),
  CONSTRAINT merchant_restriction_effect CHECK (NOT isempty(effect) AND NOT lower_inf(effect))
);
CREATE INDEX merchant_restriction_open ON merchant_restriction (merchant_id, source)
  WHERE upper_inf(effect);
COMMENT ON TABLE merchant_restriction IS
  'What a merchant may not do, over what period, why, and what imposed it (source, such as credit_grade or platform)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_restriction', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_restriction_restriction_id_seq', '');

CREATE TABLE merchant_admission (
  merchant_id text NOT NULL,
  admission_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  admitted boolean NOT NULL,
  application jsonb NOT NULL,
  findings jsonb NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT merchant_admission_pkey PRIMARY KEY (merchant_id, admission_id)
);
COMMENT ON TABLE merchant_admission IS
  'Entry audits: the application, every finding and the decision as of an instant; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_admission', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_admission_admission_id_seq', '');

CREATE TABLE merchant_member (
  role text NOT NULL,
  merchant_id text NOT NULL,
  CONSTRAINT merchant_member_pkey PRIMARY KEY (role, merchant_id)
);
COMMENT ON TABLE merchant_member IS
  'Which database role belongs to which merchant: the role, and roles that have its rights, see that merchant''s rows';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_member', '');

CREATE TRIGGER merchant_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON merchant
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER merchant_license_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON merchant_license FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER category_license_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON category_license FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER merchant_restriction_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON merchant_restriction FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER merchant_verification_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON merchant_verification FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER merchant_admission_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON merchant_admission FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION category_covers(scope text[], category text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN scope IS NULL OR EXISTS (
    SELECT FROM unnest(scope) s
    WHERE s = '*' OR s = category OR starts_with(category, s || '/'));
COMMENT ON FUNCTION category_covers(text[], text) IS
  'Whether a category is one of the scope or below one: food covers food/infant; null scope and * cover all';

-- merchant: row security; the four reader roles of the whole platform, and members for their own

CREATE FUNCTION session_has_role(roles text[]) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(bool_or(r.rolsuper OR pg_has_role(r.oid, to_regrole(w.role), 'USAGE')), false)
  FROM pg_roles r CROSS JOIN unnest(roles) AS w(role)
  WHERE r.rolname = current_user;
END;
COMMENT ON FUNCTION session_has_role(text[]) IS
  'Whether the current role is a superuser or has the rights of one of the roles; roles that are missing count for nothing';

CREATE FUNCTION session_reads_all() RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN session_has_role('{quality_gov_analyst,quality_gov_regulator,quality_gov_admin}');
COMMENT ON FUNCTION session_reads_all() IS
  'Whether the current role has the rights of an analyst, a regulator or an administrator';

CREATE FUNCTION session_administers() RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN session_has_role('{quality_gov_admin}');
COMMENT ON FUNCTION session_administers() IS
  'Whether the current role has the rights of an administrator of quality_gov';

CREATE VIEW session_merchant WITH (security_barrier) AS
  SELECT m.merchant_id FROM merchant_member m
  WHERE pg_has_role(current_user, to_regrole(quote_ident(m.role)), 'USAGE');
COMMENT ON VIEW session_merchant IS 'Merchants that the current role belongs to';

ALTER TABLE merchant ENABLE ROW LEVEL SECURITY;
CREATE POLICY merchant_read ON merchant FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
CREATE POLICY merchant_write ON merchant
  USING (session_administers()) WITH CHECK (session_administers());
ALTER TABLE merchant_license ENABLE ROW LEVEL SECURITY;
CREATE POLICY merchant_license_read ON merchant_license FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
CREATE POLICY merchant_license_write ON merchant_license
  USING (session_administers()) WITH CHECK (session_administers());
ALTER TABLE merchant_restriction ENABLE ROW LEVEL SECURITY;
CREATE POLICY merchant_restriction_read ON merchant_restriction FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
CREATE POLICY merchant_restriction_write ON merchant_restriction
  USING (session_administers()) WITH CHECK (session_administers());

CREATE FUNCTION merchant_member_add(role name, merchant_id text) RETURNS void
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF to_regrole(quote_ident(role)) IS NULL THEN
    RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = merchant_member_add.merchant_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
  END IF;
  INSERT INTO quality_gov.merchant_member VALUES (role, merchant_id) ON CONFLICT DO NOTHING;
  PERFORM quality_gov.ledger_record('merchant_member', merchant_id, jsonb_build_object('role', role));
END
$$;
COMMENT ON FUNCTION merchant_member_add(name, text) IS
  'Ties a database role to its merchant; the role also needs membership of quality_gov_merchant to read the views';

CREATE FUNCTION session_acts_for(merchant_id text, staff text[]) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM pg_roles r
    WHERE r.rolname = CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END
      AND (r.rolsuper
           OR EXISTS (SELECT FROM unnest(staff) AS s(role) WHERE pg_has_role(r.oid, to_regrole(s.role), 'USAGE'))
           OR EXISTS (SELECT FROM merchant_member m
                      WHERE m.merchant_id = session_acts_for.merchant_id
                        AND pg_has_role(r.oid, to_regrole(quote_ident(m.role)), 'USAGE'))));
END;
COMMENT ON FUNCTION session_acts_for(text, text[]) IS
  'Whether the session''s role (SET ROLE, else the login), also when asked by a definer function, has the rights of one of the staff roles or belongs to the merchant';

CREATE FUNCTION session_party_require(merchant_id text, staff text[]) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF NOT quality_gov.session_acts_for(merchant_id, staff) THEN
    RAISE EXCEPTION 'permission denied for merchant "%"', merchant_id USING ERRCODE = 'insufficient_privilege',
      HINT = 'A database role is tied to its merchant by quality_gov.merchant_member_add().';
  END IF;
END
$$;
COMMENT ON FUNCTION session_party_require(text, text[]) IS
  'Raises 42501 unless the session acts for the merchant or is of the staff roles';
