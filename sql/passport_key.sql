-- Public keys: the forms they come in, what is wrong with them, whose goods they sign for, and how they end.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- one key (RFC 8032, test 2; GB/T 32918.5) in every form
SELECT public_key_read('Ed25519', k) = '\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c' AS same
FROM unnest(ARRAY['\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  '\x302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n-----END PUBLIC KEY-----\n',
  multikey('\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')]) k;
SELECT multikey(public_key_read('Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2'));
SELECT encode(substr(public_key_read('SM2', k), 1, 5), 'hex') FROM unnest(ARRAY[
  '\x0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
  '\x3059301306072a8648ce3d020106082a811ccf5501822d0342000409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13']) k;

-- small order: y is 1, -1, 0 (either sign), or that of a point of order 8
SELECT public_key_read('Ed25519', '\x0100000000000000000000000000000000000000000000000000000000000000');
\echo :LAST_ERROR_SQLSTATE
SELECT public_key_read('Ed25519', '\xecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
SELECT public_key_read('Ed25519', '\x0000000000000000000000000000000000000000000000000000000000000000');
SELECT public_key_read('Ed25519', '\x0000000000000000000000000000000000000000000000000000000000000080');
SELECT public_key_read('Ed25519', '\xc7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
SELECT public_key_read('Ed25519', '\x26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85');
-- not canonical: p, p + 1; no point; other lengths, other algorithms, other forms
SELECT public_key_read('Ed25519', '\xedffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
\echo :LAST_ERROR_SQLSTATE
SELECT public_key_read('Ed25519', '\xeeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
SELECT public_key_read('Ed25519', '\x0200000000000000000000000000000000000000000000000000000000000000');
SELECT public_key_read('SM2', '\x0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad14');
SELECT public_key_read('Ed25519', '\x3d4017');
\echo :LAST_ERROR_SQLSTATE
SELECT public_key_read('SM2', '\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
SELECT public_key_read('SM2', '\x302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
SELECT public_key_read('SM2', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2');
SELECT public_key_read('Ed25519', repeat('not a key ', 20));
\echo :LAST_ERROR_SQLSTATE
SELECT public_key_read('Ed25519', '');
SELECT public_key_read('Ed25519', 'z');
SELECT public_key_read('Ed25519', '\xzz');
-- as long as base 58 may be, and texts of that length that stand for more
SELECT count(*) AS same FROM generate_series(0, 1024, 64) n, LATERAL (SELECT substr(decode(repeat('ff', 1024), 'hex'), 1, n) AS b) x WHERE multibase_decode(multibase_encode(b)) = b;
SELECT length(multibase_decode('z' || repeat('z', 1398)));
SELECT multibase_decode('z' || repeat('z', 1435));
SELECT multibase_decode('z' || repeat('z', 1436));
SELECT public_key_read('Ed25519', 'z' || repeat('z', 1435));
SELECT public_key_read('ed25519', '\x00');

-- registered, or not
\set key '\\x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{6901234}', '[2026-01-01,2027-01-01)');
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{6901234}');
SELECT passport_key_add('did:web:other.example#1', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{6901234}');
SELECT passport_key_add('works#1', 'works', 'Works', 'Ed25519', :'key', '{6901234}');
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{}');
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{690}');
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{06901234567893}');
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{0000012}');
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{6901234}', 'empty');
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', NULL, '{6901234}');
SELECT passport_key_add('did:web:works.example#2', 'did:web:works.example', 'Works', 'Ed25519', :'key', '{6901234}', merchant_id => 'm-1');
SELECT key_id, goods, g.valid = '(,)' AS always FROM passport_key JOIN passport_key_goods g USING (key_id);

-- a company prefix stands behind the indicator digit
SELECT goods, passport_goods_match(goods, '6901234567892') AS each, passport_goods_match(goods, '16901234567899') AS case_of_it,
       passport_goods_match(goods, '6901234000009') AS other FROM unnest('{6901234,6901234567,06901234567892,690123456789,5901234}'::text[]) goods;

-- what was given ends and is revoked
SELECT passport_key_goods_set('did:web:works.example#1', '{06901234000009,6901234}', '[2026-01-01,2026-06-01)');
SELECT passport_key_goods_set('did:web:works.example#9', '{6901234}');
SELECT passport_key_end('did:web:works.example#1', '2025-01-01');
SELECT passport_key_end('did:web:works.example#1', '2026-11-01');
SELECT passport_key_end('did:web:works.example#9');
SELECT lower(valid), upper(valid) FROM passport_key;
SELECT passport_key_revoke('did:web:works.example#1', 'stolen', '2026-03-01', '2026-02-01');
SELECT passport_key_revoke('did:web:works.example#1', 'stolen', '2026-03-01', '2026-04-01');
SELECT passport_key_revoke('did:web:works.example#1', 'earlier than thought', '-infinity', '2026-04-02');
SELECT passport_key_revoke('did:web:works.example#1', '', at => '2026-04-03');
SELECT passport_key_revoke('did:web:works.example#9', 'x');
UPDATE passport_key_revocation SET reason = 'x';
\echo :LAST_ERROR_SQLSTATE
SELECT subject, body ->> 'action' AS action, body ->> 'untrusted_from' AS untrusted_from FROM ledger_entry WHERE kind = 'passport_key' ORDER BY entry_id;
SELECT * FROM passport_check();
DROP EXTENSION quality_gov;
