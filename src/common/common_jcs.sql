
-- common: canonical JSON

CREATE FUNCTION jcs(document jsonb) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_jcs_text' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jcs(jsonb) IS
  'Canonical JSON (RFC 8785), the same text for equal values, to be hashed or signed as UTF-8; never rounds: 22003 for a number that is beyond an IEEE 754 double or has other digits than ECMAScript writes its double with';
