
-- passport: keys of those who sign, product passports, their claims and what happened to them

CREATE TABLE passport_key (
  key_id text NOT NULL,
  issuer text NOT NULL,
  name text NOT NULL,
  uscc uscc,
  merchant_id text,
  algorithm text NOT NULL,
  public_key bytea NOT NULL,
  valid tstzrange NOT NULL,
  added_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT passport_key_pkey PRIMARY KEY (key_id),
  CONSTRAINT passport_key_issuer CHECK (issuer ~ '^[a-z][a-z0-9+.-]*:[!-~]+$' AND length(issuer) <= 500),
  CONSTRAINT passport_key_key_id CHECK (starts_with(key_id, issuer || '#') AND key_id ~ '#[!-~]+$' AND length(key_id) <= 700),
  CONSTRAINT passport_key_name CHECK (name <> ''),
  CONSTRAINT passport_key_algorithm CHECK (algorithm IN ('Ed25519', 'SM2')),
  CONSTRAINT passport_key_public_key CHECK (length(public_key) = CASE algorithm WHEN 'SM2' THEN 65 ELSE 32 END),
  CONSTRAINT passport_key_valid CHECK (NOT isempty(valid))
);
COMMENT ON TABLE passport_key IS
  'Public keys that sign passports: key_id is the verification method (issuer''s DID or URL, #, name of the key), whose it is, raw key (Ed25519 of 32 bytes, SM2 of 65), period in which it signs';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_key', '');

CREATE TABLE passport_key_goods (
  key_id text NOT NULL,
  goods text NOT NULL,
  valid tstzrange NOT NULL DEFAULT '(,)',
  CONSTRAINT passport_key_goods_pkey PRIMARY KEY (key_id, goods),
  CONSTRAINT passport_key_goods_goods CHECK (goods ~ '^([0-9]{4,12}|[0-9]{14})$' AND goods !~ '^0{5}.{0,7}$'),
  CONSTRAINT passport_key_goods_valid CHECK (NOT isempty(valid))
);
COMMENT ON TABLE passport_key_goods IS
  'Which goods a key signs for, and when: a GS1 company prefix of 4 to 12 digits, or one GTIN of 14 digits (GTIN-8 must be listed one by one)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_key_goods', '');

CREATE TABLE passport_key_revocation (
  key_id text NOT NULL,
  revocation_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  untrusted_from timestamptz NOT NULL,
  reason text NOT NULL,
  CONSTRAINT passport_key_revocation_pkey PRIMARY KEY (key_id, revocation_id),
  CONSTRAINT passport_key_revocation_at CHECK (isfinite(at)),
  CONSTRAINT passport_key_revocation_reason CHECK (reason <> '')
);
COMMENT ON TABLE passport_key_revocation IS
  'Revoked keys, append-only: said at an instant; what was signed or entered from untrusted_from on (when the key came into other hands, -infinity: ever) is no longer trusted';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_key_revocation', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_key_revocation_revocation_id_seq', '');
CREATE TRIGGER passport_key_revocation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passport_key_revocation
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE passport (
  passport_id bigint GENERATED ALWAYS AS IDENTITY,
  gtin gtin NOT NULL,
  level text NOT NULL,
  lot_code text,
  serial text,
  version integer NOT NULL,
  category text,
  key_id text NOT NULL,
  issued_at timestamptz NOT NULL,
  valid tstzrange NOT NULL,
  credential jsonb NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT passport_pkey PRIMARY KEY (passport_id),
  CONSTRAINT passport_level CHECK (level = CASE WHEN serial IS NOT NULL THEN 'item' WHEN lot_code IS NOT NULL THEN 'batch' ELSE 'model' END),
  CONSTRAINT passport_lot_code CHECK (lot_code <> ''),
  CONSTRAINT passport_serial CHECK (serial <> ''),
  CONSTRAINT passport_version CHECK (version > 0),
  CONSTRAINT passport_issued_at CHECK (isfinite(issued_at) AND isfinite(recorded_at)),
  CONSTRAINT passport_valid CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
  CONSTRAINT passport_credential CHECK (jsonb_typeof(credential) = 'object')
);
CREATE UNIQUE INDEX passport_item_version ON passport (gtin, serial, version) WHERE serial IS NOT NULL;
CREATE UNIQUE INDEX passport_lot_version ON passport (gtin, lot_code, version) NULLS NOT DISTINCT WHERE serial IS NULL;
-- A document of usual size is read with its row, uncompressed, for each scan verifies it.
ALTER TABLE passport ALTER COLUMN credential SET STORAGE MAIN;
COMMENT ON TABLE passport IS
  'Product passports, append-only, a row for each version: goods at level model (GTIN), batch (GTIN and lot) or item (GTIN, serial, and lot where known), the key that signed, when it signed (proof), period of validity, the secured document (W3C Verifiable Credential), when it was entered';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_passport_id_seq', '');
CREATE TRIGGER passport_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passport
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE passport_claim (
  passport_id bigint NOT NULL,
  field text NOT NULL,
  audience text NOT NULL,
  salt text NOT NULL,
  value jsonb NOT NULL,
  CONSTRAINT passport_claim_pkey PRIMARY KEY (passport_id, field),
  CONSTRAINT passport_claim_audience CHECK (audience IN ('authorised', 'regulator')),
  CONSTRAINT passport_claim_salt CHECK (length(salt) BETWEEN 16 AND 200)
);
COMMENT ON TABLE passport_claim IS
  'Claims that are not for everybody, append-only: field, who may read it, salt and value; the signed document holds their digest only, base64url(SHA-256(jcs([salt, field, value])))';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_claim', '');
CREATE TRIGGER passport_claim_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passport_claim
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE passport_event (
  passport_id bigint NOT NULL,
  event_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  at timestamptz NOT NULL,
  reason text,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT passport_event_pkey PRIMARY KEY (passport_id, event_id),
  CONSTRAINT passport_event_kind CHECK (kind IN ('issued', 'superseded', 'suspended', 'reinstated', 'revoked')),
  CONSTRAINT passport_event_at CHECK (isfinite(at))
);
COMMENT ON TABLE passport_event IS
  'What happened to a passport, append-only: issued, superseded by its next version, suspended and reinstated, revoked (for good); that it expired is said by its validity';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_event', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_event_event_id_seq', '');
CREATE TRIGGER passport_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passport_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE passport_lot (
  gtin gtin NOT NULL,
  lot_code text NOT NULL,
  assignment_id bigint GENERATED ALWAYS AS IDENTITY,
  version integer NOT NULL,
  at timestamptz NOT NULL,
  reason text,
  CONSTRAINT passport_lot_pkey PRIMARY KEY (gtin, lot_code, assignment_id),
  CONSTRAINT passport_lot_lot_code CHECK (lot_code <> ''),
  CONSTRAINT passport_lot_version CHECK (version > 0),
  CONSTRAINT passport_lot_at CHECK (isfinite(at))
);
COMMENT ON TABLE passport_lot IS
  'Which version of the model''s passport shipped under a lot, append-only, the latest assignment counts; a lot without one shows the version in force when it was made (lot.made_on)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_lot', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_lot_assignment_id_seq', '');
CREATE TRIGGER passport_lot_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passport_lot
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
