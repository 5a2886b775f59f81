
-- ident: GTIN

CREATE TYPE gtin;
CREATE FUNCTION gtin_in(cstring) RETURNS gtin
  AS 'MODULE_PATHNAME', 'qg_gtin_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_in(cstring) IS 'Input of gtin: 8, 12, 13 or 14 digits; 22P02 names what is wrong and the right check digit';
CREATE FUNCTION gtin_out(gtin) RETURNS cstring
  AS 'MODULE_PATHNAME', 'qg_gtin_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_out(gtin) IS 'Output of gtin: 14 digits';
CREATE FUNCTION gtin_recv(internal) RETURNS gtin
  AS 'MODULE_PATHNAME', 'qg_gtin_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_recv(internal) IS 'Binary input of gtin: int8, checked';
CREATE FUNCTION gtin_send(gtin) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_gtin_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_send(gtin) IS 'Binary output of gtin: int8';
CREATE TYPE gtin (
  INPUT = gtin_in, OUTPUT = gtin_out, RECEIVE = gtin_recv, SEND = gtin_send, LIKE = pg_catalog.int8
);
COMMENT ON TYPE gtin IS 'Global Trade Item Number (GS1 GTIN-8, -12, -13, -14), stored as its number and printed as 14 digits';
CREATE FUNCTION gtin_eq(gtin, gtin) RETURNS boolean
  AS 'int8eq' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_eq(gtin, gtin) IS 'Same item';
CREATE FUNCTION gtin_ne(gtin, gtin) RETURNS boolean
  AS 'int8ne' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_ne(gtin, gtin) IS 'Different items';
CREATE FUNCTION gtin_lt(gtin, gtin) RETURNS boolean
  AS 'int8lt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_lt(gtin, gtin) IS 'Before, by number';
CREATE FUNCTION gtin_le(gtin, gtin) RETURNS boolean
  AS 'int8le' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_le(gtin, gtin) IS 'Before or same, by number';
CREATE FUNCTION gtin_gt(gtin, gtin) RETURNS boolean
  AS 'int8gt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_gt(gtin, gtin) IS 'After, by number';
CREATE FUNCTION gtin_ge(gtin, gtin) RETURNS boolean
  AS 'int8ge' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_ge(gtin, gtin) IS 'After or same, by number';
CREATE OPERATOR = (LEFTARG = gtin, RIGHTARG = gtin, FUNCTION = gtin_eq,
  COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR = (gtin, gtin) IS 'Same item';
CREATE OPERATOR <> (LEFTARG = gtin, RIGHTARG = gtin, FUNCTION = gtin_ne,
  COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR <> (gtin, gtin) IS 'Different items';
CREATE OPERATOR < (LEFTARG = gtin, RIGHTARG = gtin, FUNCTION = gtin_lt,
  COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR < (gtin, gtin) IS 'Before, by number';
CREATE OPERATOR <= (LEFTARG = gtin, RIGHTARG = gtin, FUNCTION = gtin_le,
  COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR <= (gtin, gtin) IS 'Before or same, by number';
CREATE OPERATOR > (LEFTARG = gtin, RIGHTARG = gtin, FUNCTION = gtin_gt,
  COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR > (gtin, gtin) IS 'After, by number';
CREATE OPERATOR >= (LEFTARG = gtin, RIGHTARG = gtin, FUNCTION = gtin_ge,
  COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR >= (gtin, gtin) IS 'After or same, by number';
CREATE FUNCTION gtin_cmp(gtin, gtin) RETURNS integer
  AS 'btint8cmp' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_cmp(gtin, gtin) IS 'Comparison for btree';
CREATE FUNCTION gtin_sortsupport(internal) RETURNS void
  AS 'btint8sortsupport' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_sortsupport(internal) IS 'Fast comparison for sorting';
CREATE FUNCTION gtin_hash(gtin) RETURNS integer
  AS 'hashint8' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_hash(gtin) IS 'Hash';
CREATE FUNCTION gtin_hash_extended(gtin, bigint) RETURNS bigint
  AS 'hashint8extended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin_hash_extended(gtin, bigint) IS 'Hash with a seed';
CREATE OPERATOR FAMILY gtin_ops USING btree;
COMMENT ON OPERATOR FAMILY gtin_ops USING btree IS 'Order of gtin';
CREATE OPERATOR CLASS gtin_ops DEFAULT FOR TYPE gtin USING btree FAMILY gtin_ops AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
  FUNCTION 1 gtin_cmp(gtin, gtin), FUNCTION 2 gtin_sortsupport(internal),
  FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS gtin_ops USING btree IS 'Order of gtin';
CREATE OPERATOR FAMILY gtin_ops USING hash;
COMMENT ON OPERATOR FAMILY gtin_ops USING hash IS 'Equality of gtin';
CREATE OPERATOR CLASS gtin_ops DEFAULT FOR TYPE gtin USING hash FAMILY gtin_ops AS
  OPERATOR 1 =, FUNCTION 1 gtin_hash(gtin), FUNCTION 2 gtin_hash_extended(gtin, bigint);
COMMENT ON OPERATOR CLASS gtin_ops USING hash IS 'Equality of gtin';

-- ident: casts and GS1 checks

CREATE FUNCTION gtin(text) RETURNS gtin
  AS 'MODULE_PATHNAME', 'qg_gtin_from_text' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin(text) IS 'GTIN that a text spells; 22P02 where it spells none';
CREATE FUNCTION gtin(bigint) RETURNS gtin
  AS 'MODULE_PATHNAME', 'qg_gtin_from_int8' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gtin(bigint) IS 'GTIN of a number; 22P02 where its check digit is wrong';
CREATE FUNCTION text(gtin) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_gtin_to_text' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION text(gtin) IS 'GTIN as 14 digits';
CREATE CAST (text AS gtin) WITH FUNCTION gtin(text) AS ASSIGNMENT;
COMMENT ON CAST (text AS gtin) IS 'Reads a GTIN';
CREATE CAST (gtin AS text) WITH FUNCTION text(gtin) AS ASSIGNMENT;
COMMENT ON CAST (gtin AS text) IS 'Writes a GTIN';
CREATE CAST (bigint AS gtin) WITH FUNCTION gtin(bigint);
COMMENT ON CAST (bigint AS gtin) IS 'GTIN of a number';
CREATE CAST (gtin AS bigint) WITHOUT FUNCTION;
COMMENT ON CAST (gtin AS bigint) IS 'Number of a GTIN';
CREATE FUNCTION gs1_check_digit(digits text) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_gs1_check_digit_of' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gs1_check_digit(text) IS 'Check digit that belongs behind the digits given (GS1 General Specifications 7.9)';
CREATE FUNCTION gs1_is_valid(key text, length integer) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_gs1_is_valid' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION gs1_is_valid(text, integer) IS 'Whether a text is a GS1 key of that many digits (8, 12, 13, 14: GTIN, 13: GLN, 18: SSCC) with a right check digit; null of a null key, 22023 of any other length or none';

-- ident: element strings and Digital Link

CREATE FUNCTION digital_link(gtin gtin, lot text, serial text, resolver text DEFAULT 'https://id.gs1.org',
                             variant text DEFAULT NULL) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_digital_link' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION digital_link(gtin, text, text, text, text) IS 'GS1 Digital Link of a GTIN with variant, lot and serial where given, percent-encoded; 22P02 where a value is longer than 20 characters or outside set 82';
CREATE FUNCTION digital_link_parse(uri text, OUT gtin gtin, OUT variant text, OUT lot text, OUT serial text)
  AS 'MODULE_PATHNAME', 'qg_digital_link_parse' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION digital_link_parse(text) IS 'GTIN and qualifiers of a GS1 Digital Link of any resolver, numbers or short words, from its path alone; 22P02 where it is none or an element is wrong';
CREATE FUNCTION digital_link_read(uri text, OUT host text, OUT gtin gtin, OUT variant text, OUT lot text, OUT serial text,
                                  OUT fault text)
  AS 'MODULE_PATHNAME', 'qg_digital_link_read' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION digital_link_read(text) IS 'What digital_link_parse() gives, and the host in small letters without its port; of what is no such link the fault alone (too_long, no_link, wrong_path, wrong_value, wrong_host), never an error';
CREATE FUNCTION digital_link_elements(uri text, OUT ai text, OUT value text) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_digital_link_elements' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION digital_link_elements(text) IS 'Elements of a GS1 Digital Link, those of its query too; 22P02 where it is none or an element is wrong';
CREATE FUNCTION gs1_elements(element_string text, OUT ai text, OUT value text) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_gs1_elements' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gs1_elements(text) IS 'Elements of a GS1 element string, with brackets or with 0x1D behind values of variable length; AIs 01, 10, 11, 13, 15, 17, 21, 22 and 235 are checked, others kept as they came; in brackets a backslash stands before a bracket of a value that would read as an AI, and before a backslash; 22P02 where it is none';
CREATE FUNCTION gs1_element_string(elements text, bracketed boolean DEFAULT false) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_gs1_element_string' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gs1_element_string(text, boolean) IS 'An element string or Digital Link as an element string: predefined lengths first, then the rest as it came, with brackets or separators';
CREATE FUNCTION gs1_element_string(ais text[], element_values text[], bracketed boolean DEFAULT false) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_gs1_element_string_of' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gs1_element_string(text[], text[], boolean) IS 'Application identifiers and their values as an element string in the same order; 22P02 where a value is wrong, 22023 where an identifier is none or a value is missing';
CREATE FUNCTION gs1_digital_link(elements text, resolver text DEFAULT 'https://id.gs1.org') RETURNS text
  AS 'MODULE_PATHNAME', 'qg_gs1_digital_link' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gs1_digital_link(text, text) IS 'An element string as a GS1 Digital Link: key and qualifiers in the path, the rest in the query; 22P02 where it is none, 22023 where it has no GTIN';
CREATE FUNCTION gs1_date(yymmdd text, asof date) RETURNS date
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  year integer;
  first date;
BEGIN
  IF yymmdd !~ '^[0-9]{6}$' THEN
    RAISE EXCEPTION 'invalid GS1 date: "%"', yymmdd USING ERRCODE = 'invalid_text_representation',
      DETAIL = 'Expected six digits YYMMDD.';
  END IF;
  IF NOT isfinite(asof) THEN
    RAISE EXCEPTION 'a GS1 date must be seen on a finite day' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  year := extract(year FROM asof)::integer / 100 * 100 + left(yymmdd, 2)::integer;
  year := year + CASE WHEN year - extract(year FROM asof) > 50 THEN -100
                      WHEN year - extract(year FROM asof) < -49 THEN 100 ELSE 0 END;
  first := make_date(year, substr(yymmdd, 3, 2)::integer, 1);
  IF right(yymmdd, 2) = '00' THEN
    RETURN first + interval '1 month' - interval '1 day';
  END IF;
  RETURN make_date(year, substr(yymmdd, 3, 2)::integer, right(yymmdd, 2)::integer);
END
$$;
COMMENT ON FUNCTION gs1_date(text, date) IS 'Date of a value YYMMDD seen on a day: day 00 is the last of the month, the year lies at most 49 back or 50 ahead; 22P02 where it is not six digits, 22008 where the calendar has no such day';
CREATE FUNCTION gs1_ai_conflicts(ais text[]) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(
    SELECT conflict FROM (
      SELECT format('%s stands %s times', ai, count(*))
      FROM unnest(ais) AS given (ai) GROUP BY ai HAVING count(*) > 1
      UNION ALL
      SELECT format('%s must not stand with %s', ai, other)
      FROM (VALUES ('01', '{02,37,255}'::text[]), ('02', '{03}'), ('21', '{235}')) AS bar (ai, others), unnest(others) AS other
      WHERE ARRAY[ai, other] <@ ais
      UNION ALL
      SELECT format('%s needs %s', ai, regexp_replace(array_to_string(needs, ', '), ', ([0-9]+)$', ' or \1'))
      FROM (VALUES ('{02}'::text[], '{37}'::text[]), ('{10,11,13,15,16,240,241,422}', '{01,02,03,8006,8026}'),
                   ('{17}', '{01,02,03,255,8006,8026}'), ('{21}', '{01,03,8006}'), ('{22,235,8200}', '{01}'),
                   ('{7003}', '{01,02,03}')) AS need (of_ais, needs), unnest(of_ais) AS ai
      WHERE ai = ANY (ais) AND NOT ais && needs
      UNION ALL
      SELECT '37 needs 00 and 02, or 00 and 8026'
      WHERE '37' = ANY (ais) AND NOT ('00' = ANY (ais) AND ais && '{02,8026}')) AS broken (conflict)
    ORDER BY conflict COLLATE "C");
COMMENT ON FUNCTION gs1_ai_conflicts(text[]) IS 'What keeps application identifiers from standing together, empty where nothing does (GS1 General Specifications 4.13 and 4.14); parsing accepts them all the same';
