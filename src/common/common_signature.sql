
-- common: SM3, signatures and public keys

CREATE FUNCTION sm3(data bytea) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_sm3_bytea' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sm3(bytea) IS 'SM3 digest of 32 bytes (GB/T 32905); 0A000 where libcrypto was built without it';

CREATE FUNCTION signature_verify(algorithm text, public_key bytea, message bytea, signature bytea) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_signature_verify_bytea' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION signature_verify(text, bytea, bytea, bytea) IS
  'Whether a signature of 64 bytes is that of a key: Ed25519 (RFC 8032), or SM2 with SM3 (GB/T 32918, r || s, identity 1234567812345678); false for anything malformed';

CREATE FUNCTION public_key_read(algorithm text, key text) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_public_key_read' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION public_key_read(text, text) IS
  'Raw bytes of a public key, 32 of Ed25519, 65 of SM2 (04 || x || y), given as PEM, multikey, or \x and hexadecimal digits of the raw key or of its SubjectPublicKeyInfo; 22023 for another algorithm or length, points of small order, off the curve or not canonical; 22P02 for another form';

CREATE FUNCTION multikey(public_key bytea) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_multikey' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION multikey(bytea) IS 'An Ed25519 public key as a W3C Multikey (z6Mk...)';

CREATE FUNCTION multibase_encode(data bytea) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_multibase_encode' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION multibase_encode(bytea) IS 'Bytes in multibase, base 58 with Bitcoin''s alphabet: z and digits; 22023 beyond 1024 bytes';

CREATE FUNCTION multibase_decode(encoded text) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_multibase_decode' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION multibase_decode(text) IS 'Bytes of a text in multibase, base 58; 22P02 where it is none';
