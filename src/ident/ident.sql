
-- ident: unified social credit code

CREATE TYPE uscc;
CREATE FUNCTION uscc_in(cstring) RETURNS uscc
  AS 'MODULE_PATHNAME', 'qg_uscc_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_in(cstring) IS 'Input of uscc; folds full-width and small letters; 22P02 names what is wrong and the right check character';
CREATE FUNCTION uscc_out(uscc) RETURNS cstring
  AS 'MODULE_PATHNAME', 'qg_uscc_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_out(uscc) IS 'Output of uscc: 18 characters, and ! behind a code admitted with a wrong check character';
CREATE FUNCTION uscc_recv(internal) RETURNS uscc
  AS 'MODULE_PATHNAME', 'qg_uscc_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_recv(internal) IS 'Binary input of uscc: the text form, checked alike';
CREATE FUNCTION uscc_send(uscc) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_uscc_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_send(uscc) IS 'Binary output of uscc: the text form';
CREATE TYPE uscc (
  INPUT = uscc_in, OUTPUT = uscc_out, RECEIVE = uscc_recv, SEND = uscc_send,
  INTERNALLENGTH = 19, ALIGNMENT = char, STORAGE = plain
);
COMMENT ON TYPE uscc IS 'Unified social credit code (统一社会信用代码, GB 32100-2015), 18 characters; a trailing ! admits a genuine early code whose check character is wrong';
CREATE FUNCTION uscc_eq(uscc, uscc) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_uscc_eq' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_eq(uscc, uscc) IS 'Same code';
CREATE FUNCTION uscc_ne(uscc, uscc) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_uscc_ne' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_ne(uscc, uscc) IS 'Different codes';
CREATE FUNCTION uscc_lt(uscc, uscc) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_uscc_lt' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_lt(uscc, uscc) IS 'Before, in the order of characters';
CREATE FUNCTION uscc_le(uscc, uscc) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_uscc_le' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_le(uscc, uscc) IS 'Before or same, in the order of characters';
CREATE FUNCTION uscc_gt(uscc, uscc) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_uscc_gt' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_gt(uscc, uscc) IS 'After, in the order of characters';
CREATE FUNCTION uscc_ge(uscc, uscc) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_uscc_ge' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_ge(uscc, uscc) IS 'After or same, in the order of characters';
CREATE OPERATOR = (LEFTARG = uscc, RIGHTARG = uscc, FUNCTION = uscc_eq,
  COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR = (uscc, uscc) IS 'Same code';
CREATE OPERATOR <> (LEFTARG = uscc, RIGHTARG = uscc, FUNCTION = uscc_ne,
  COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR <> (uscc, uscc) IS 'Different codes';
CREATE OPERATOR < (LEFTARG = uscc, RIGHTARG = uscc, FUNCTION = uscc_lt,
  COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR < (uscc, uscc) IS 'Before, in the order of characters';
CREATE OPERATOR <= (LEFTARG = uscc, RIGHTARG = uscc, FUNCTION = uscc_le,
  COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR <= (uscc, uscc) IS 'Before or same, in the order of characters';
CREATE OPERATOR > (LEFTARG = uscc, RIGHTARG = uscc, FUNCTION = uscc_gt,
  COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR > (uscc, uscc) IS 'After, in the order of characters';
CREATE OPERATOR >= (LEFTARG = uscc, RIGHTARG = uscc, FUNCTION = uscc_ge,
  COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR >= (uscc, uscc) IS 'After or same, in the order of characters';
CREATE FUNCTION uscc_cmp(uscc, uscc) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_uscc_cmp' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_cmp(uscc, uscc) IS 'Comparison for btree';
CREATE FUNCTION uscc_hash(uscc) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_uscc_hash' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_hash(uscc) IS 'Hash';
CREATE FUNCTION uscc_hash_extended(uscc, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_uscc_hash_extended' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_hash_extended(uscc, bigint) IS 'Hash with a seed';
CREATE OPERATOR FAMILY uscc_ops USING btree;
COMMENT ON OPERATOR FAMILY uscc_ops USING btree IS 'Order of uscc';
CREATE OPERATOR CLASS uscc_ops DEFAULT FOR TYPE uscc USING btree FAMILY uscc_ops AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
  FUNCTION 1 uscc_cmp(uscc, uscc), FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS uscc_ops USING btree IS 'Order of uscc';
CREATE OPERATOR FAMILY uscc_ops USING hash;
COMMENT ON OPERATOR FAMILY uscc_ops USING hash IS 'Equality of uscc';
CREATE OPERATOR CLASS uscc_ops DEFAULT FOR TYPE uscc USING hash FAMILY uscc_ops AS
  OPERATOR 1 =, FUNCTION 1 uscc_hash(uscc), FUNCTION 2 uscc_hash_extended(uscc, bigint);
COMMENT ON OPERATOR CLASS uscc_ops USING hash IS 'Equality of uscc';

-- ident: casts and parts of a code

CREATE FUNCTION uscc(text) RETURNS uscc
  AS 'MODULE_PATHNAME', 'qg_uscc_from_text' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc(text) IS 'Code that a text spells; 22P02 where it spells none';
CREATE FUNCTION text(uscc) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_uscc_to_text' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION text(uscc) IS 'Code as text';
CREATE CAST (text AS uscc) WITH FUNCTION uscc(text) AS ASSIGNMENT;
COMMENT ON CAST (text AS uscc) IS 'Reads a code';
CREATE CAST (uscc AS text) WITH FUNCTION text(uscc) AS ASSIGNMENT;
COMMENT ON CAST (uscc AS text) IS 'Writes a code';
CREATE FUNCTION uscc_authority(uscc) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_uscc_authority' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_authority(uscc) IS 'Registering department (登记管理部门): the first character';
CREATE FUNCTION uscc_category(uscc) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_uscc_category' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_category(uscc) IS 'Category of organisation (机构类别): the second character, under its department';
CREATE FUNCTION uscc_region(uscc) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_uscc_region' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_region(uscc) IS 'Region of registration (登记管理机关行政区划码, GB/T 2260): 6 characters';
CREATE FUNCTION uscc_organization_code(uscc) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_uscc_organization_code' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_organization_code(uscc) IS 'Organisation code (组织机构代码, GB 11714): 9 characters without hyphen; its check is organization_code_is_valid()';
CREATE FUNCTION uscc_is_valid(code text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_uscc_is_valid' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION uscc_is_valid(text) IS 'Whether a text is a code with a right check character; never an error';
CREATE FUNCTION organization_code_is_valid(code text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_organization_code_is_valid' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION organization_code_is_valid(text) IS 'Whether a text is an organisation code (GB 11714), with or without hyphen; never an error';
CREATE FUNCTION organization_code_check_digit(code text) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_organization_code_check_digit' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION organization_code_check_digit(text) IS 'Check character that belongs behind the 8 characters of an organisation code (GB 11714); 22023 where they are not 8 digits or letters';

-- ident: numbers of registrations and licences

CREATE FUNCTION registration_number_is_valid(number text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_registration_number_is_valid' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION registration_number_is_valid(text) IS 'Whether a text is a registration number of 15 digits (工商注册号, GS 15-2006; check ISO 7064 MOD 11,10); never an error';
CREATE FUNCTION food_licence_is_valid(number text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_food_licence_is_valid' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION food_licence_is_valid(text) IS 'Whether a text is a food production licence: SC and 14 digits (check ISO 7064 MOD 11,10); never an error';
CREATE FUNCTION ccc_number_is_valid(number text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_ccc_number_is_valid' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION ccc_number_is_valid(text) IS 'Whether a text has the form of a CCC certificate number: 16 digits, early ones 12; no check digit is known; never an error';
