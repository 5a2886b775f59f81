-- Signatures and their encodings: vectors typed from RFC 8032, draft-msporny-base58, GB/T 32905 and GB/T 32918.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- RFC 8032, 7.1: tests 1 to 3
CREATE TABLE rfc8032 (test text, public_key bytea, message bytea, signature bytea);
INSERT INTO rfc8032 VALUES
  ('1', '\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '',
   '\xe5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'),
  ('2', '\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '\x72',
   '\x92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'),
  ('3', '\xfc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', '\xaf82',
   '\x6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a');
SELECT test, signature_verify('Ed25519', public_key, message, signature) FROM rfc8032;
-- no other message, key, or signature; nor S plus the group's order, nor another length
SELECT DISTINCT signature_verify('Ed25519', public_key, message || '\x00', signature),
       signature_verify('Ed25519', set_byte(public_key, 5, get_byte(public_key, 5) # 1), message, signature),
       signature_verify('Ed25519', public_key, message, signature || '\x00'), signature_verify('Ed25519', '', message, signature) FROM rfc8032;
SELECT count(*) AS bits_that_may_change FROM rfc8032, generate_series(0, 511) b
WHERE signature_verify('Ed25519', public_key, message, set_bit(signature, b, 1 - get_bit(signature, b)));
SELECT signature_verify('Ed25519', public_key, message,
  '\x92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69daf52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10') AS plus_order
FROM rfc8032 WHERE test = '2';
SELECT signature_verify('RSA', '', '', '');
\echo :LAST_ERROR_SQLSTATE

-- GB/T 32905, A.1 and A.2
SELECT sm3('abc') = '\x66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0' AS sm3_1,
       sm3(repeat('abcd', 16)::bytea) = '\xdebe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732' AS sm3_2;

-- GB/T 32918.5 (GM/T 0003.5), A.2: identity 1234567812345678, message "message digest"
CREATE TABLE sm2 AS SELECT
  '\x0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13'::bytea AS public_key,
  '\xf5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa'::bytea AS signature;
SELECT signature_verify('SM2', public_key, 'message digest', signature),
       signature_verify('SM2', public_key, 'message digesT', signature) AS other_message,
       signature_verify('SM2', public_key, 'message digest', substr(signature, 33) || substr(signature, 1, 32)) AS s_r,
       signature_verify('SM2', public_key, 'message digest', '\x' || decode(repeat('00', 64), 'hex')) AS zero,
       signature_verify('SM2', public_key, 'message digest', decode(repeat('ff', 64), 'hex')) AS beyond,
       signature_verify('Ed25519', public_key, 'message digest', signature) AS other_algorithm FROM sm2;
SELECT count(*) AS bits_that_may_change FROM sm2, generate_series(0, 511) b
WHERE signature_verify('SM2', public_key, 'message digest', set_bit(signature, b, 1 - get_bit(signature, b)));

-- draft-msporny-base58, 5
CREATE TABLE base58 (data bytea, encoded text);
INSERT INTO base58 VALUES ('Hello World!', 'z2NEpo7TZRRrLZSi2U'), ('\x0000287fb4cd', 'z11233QC4'), ('', 'z'),
  ('The quick brown fox jumps over the lazy dog.', 'zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z');
SELECT encoded, multibase_encode(data) = encoded AS encodes, multibase_decode(encoded) = data AS decodes FROM base58;
SELECT count(*) AS changed_on_the_way
FROM (SELECT decode(repeat('00', n % 7) || repeat(md5(n::text), n / 16) || left(md5(n::text), 2 * (n % 16)), 'hex') AS data FROM generate_series(0, 300) n) d
WHERE multibase_decode(multibase_encode(data)) <> data;
SELECT multibase_decode('z0');
\echo :LAST_ERROR_SQLSTATE
SELECT multibase_decode('f00');
SELECT multibase_decode('');
SELECT multibase_decode('zI');
SELECT length(multibase_decode('z' || repeat('1', 1024)));
SELECT multibase_decode('z' || repeat('z', 2000));
SELECT multibase_encode(decode(repeat('00', 1025), 'hex'));
\echo :LAST_ERROR_SQLSTATE
SELECT multibase_encode(NULL) IS NULL AND sm3(NULL) IS NULL AND signature_verify('SM2', NULL, '', '') IS NULL AS nulls;
DROP TABLE rfc8032, sm2, base58;
DROP EXTENSION quality_gov;
