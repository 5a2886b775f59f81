-- Merkle trees of RFC 9162 (RFC 6962 hashing): published roots, proofs of every leaf and size, and what is no proof.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- the eight leaves and roots that implementations of Certificate Transparency test with
CREATE TABLE leaf (n int PRIMARY KEY, data bytea NOT NULL);
INSERT INTO leaf VALUES (1, ''), (2, '\x00'), (3, '\x10'), (4, '\x2021'), (5, '\x3031'), (6, '\x40414243'), (7, '\x5051525354555657'),
  (8, '\x606162636465666768696a6b6c6d6e6f');
CREATE TABLE root (size int PRIMARY KEY, root bytea NOT NULL);
INSERT INTO root VALUES (0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
  (1, '\x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'), (2, '\xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'),
  (3, '\xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'), (4, '\xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'),
  (5, '\x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'), (6, '\x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'),
  (7, '\xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'), (8, '\x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
SELECT r.size FROM root r WHERE (SELECT merkle_root(data ORDER BY n) FROM leaf WHERE n <= r.size) <> r.root;
SELECT r.size FROM root r WHERE (SELECT merkle_root_of_hashes(merkle_leaf_hash(data) ORDER BY n) FROM leaf WHERE n <= r.size) <> r.root;
SELECT merkle_leaf_hash('') = (SELECT root FROM root WHERE size = 1) AS leaf, merkle_leaf_hash(NULL) IS NULL AS strict;
SELECT merkle_root(data ORDER BY n DESC) <> (SELECT root FROM root WHERE size = 8) AS ordered FROM leaf;
SELECT merkle_root(NULL::bytea);
SELECT merkle_root_of_hashes('\x00');

-- a slow twin in SQL, straight from the definitions, proves every leaf of every size up to 40 and every pair of sizes
CREATE FUNCTION mth(lo int, hi int) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE k int := 1; BEGIN
  IF hi - lo = 1 THEN RETURN sha256('\x00'::bytea || convert_to('leaf ' || lo, 'UTF8')); END IF;
  WHILE 2 * k < hi - lo LOOP k := 2 * k; END LOOP;
  RETURN sha256('\x01'::bytea || mth(lo, lo + k) || mth(lo + k, hi));
END $$;
CREATE FUNCTION path(m int, lo int, hi int) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE k int := 1; BEGIN
  IF hi - lo = 1 THEN RETURN '{}'; END IF;
  WHILE 2 * k < hi - lo LOOP k := 2 * k; END LOOP;
  RETURN CASE WHEN m < k THEN path(m, lo, lo + k) || mth(lo + k, hi) ELSE path(m - k, lo + k, hi) || mth(lo, lo + k) END;
END $$;
CREATE FUNCTION subproof(m int, lo int, hi int, b bool) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE k int := 1; BEGIN
  IF m = hi - lo THEN RETURN CASE WHEN b THEN '{}' ELSE ARRAY[mth(lo, hi)] END; END IF;
  WHILE 2 * k < hi - lo LOOP k := 2 * k; END LOOP;
  RETURN CASE WHEN m <= k THEN subproof(m, lo, lo + k, b) || mth(lo + k, hi) ELSE subproof(m - k, lo + k, hi, false) || mth(lo, lo + k) END;
END $$;
CREATE TABLE inclusion AS SELECT m, n, merkle_leaf_hash(convert_to('leaf ' || m, 'UTF8')) AS hash, path(m, 0, n) AS proof, mth(0, n) AS root
  FROM generate_series(1, 40) n, generate_series(0, n - 1) m;
CREATE TABLE consistency AS SELECT m, n, mth(0, m) AS old_root, mth(0, n) AS new_root, subproof(m, 0, n, true) AS proof
  FROM generate_series(1, 40) n, generate_series(1, n) m;
SELECT count(*), bool_and(merkle_verify_inclusion(hash, m, n, proof, root)) AS proved FROM inclusion;
SELECT count(*), bool_and(merkle_verify_consistency(m, n, old_root, new_root, proof)) AS proved FROM consistency;

-- nothing else proves: another place, size, root or leaf; a node changed, missing, doubled, added; ends swapped
SELECT count(*) FILTER (WHERE merkle_verify_inclusion(hash, m + d, n, proof, root)) AS place,
       count(*) FILTER (WHERE merkle_verify_inclusion(hash, m, n, proof, set_byte(root, 31, get_byte(root, 31) # d))) AS root,
       count(*) FILTER (WHERE merkle_verify_inclusion(set_byte(hash, 0, get_byte(hash, 0) # d), m, n, proof, root)) AS leaf,
       count(*) FILTER (WHERE merkle_verify_inclusion(hash, m, n, proof || hash, root)) AS added,
       count(*) FILTER (WHERE merkle_verify_inclusion(hash, m, n, hash || proof, root)) AS before,
       count(*) FILTER (WHERE n > 1 AND merkle_verify_inclusion(hash, m, n, trim_array(proof, 1), root)) AS missing
FROM inclusion, generate_series(1, 3) d;
SELECT count(*) FILTER (WHERE merkle_verify_inclusion(hash, m, n, proof[:i - 1] || set_byte(proof[i], 7, get_byte(proof[i], 7) # 1) || proof[i + 1:], root)) AS changed
FROM inclusion, generate_series(1, cardinality(proof)) i;
SELECT count(*) FILTER (WHERE m < n AND merkle_verify_consistency(m, n, new_root, old_root, proof)) AS swapped,
       count(*) FILTER (WHERE m < n AND merkle_verify_consistency(n, m, new_root, old_root, proof)) AS shrunk,
       count(*) FILTER (WHERE merkle_verify_consistency(m, n, old_root, new_root, proof || new_root)) AS added,
       count(*) FILTER (WHERE m < n AND merkle_verify_consistency(m, n, old_root, new_root, trim_array(proof, 1))) AS missing,
       count(*) FILTER (WHERE m < n AND merkle_verify_consistency(m, n, set_byte(old_root, 0, get_byte(old_root, 0) # 1), new_root, proof)) AS old_root,
       count(*) FILTER (WHERE merkle_verify_consistency(m, n, old_root, set_byte(new_root, 0, get_byte(new_root, 0) # 1), proof)) AS new_root
FROM consistency;

-- malformed input is false
SELECT merkle_verify_inclusion(h, 0, 1, '{}', h) AS one, merkle_verify_inclusion(h, 0, 0, '{}', h) AS none, merkle_verify_inclusion(h, -1, 1, '{}', h) AS negative,
       merkle_verify_inclusion(h, 1, 1, '{}', h) AS beyond, merkle_verify_inclusion(h, 0, 1, ARRAY[h], h) AS more, merkle_verify_inclusion('', 0, 1, '{}', '') AS empty,
       merkle_verify_inclusion(h, 0, 2, ARRAY[NULL::bytea], h) AS null, merkle_verify_inclusion(h, 0, 2, ARRAY['\x00'::bytea], h) AS short,
       merkle_verify_inclusion(h, 0, 9223372036854775807, array_fill(h, ARRAY[63]), h) AS large, merkle_verify_inclusion(h, 0, 9223372036854775807, array_fill(h, ARRAY[1000]), h) AS long,
       merkle_verify_inclusion(h, 0, 4, ARRAY[[h], [h]], h) AS nested
FROM (SELECT merkle_leaf_hash('x') AS h) x;
SELECT merkle_verify_consistency(1, 1, h, h, '{}') AS same, merkle_verify_consistency(1, 1, h, h, ARRAY[h]) AS more, merkle_verify_consistency(0, 0, e, e, '{}') AS empty,
       merkle_verify_consistency(0, 1, e, h, '{}') AS from_empty, merkle_verify_consistency(1, 2, h, h, '{}') AS none, merkle_verify_consistency(-1, 2, h, h, '{}') AS negative,
       merkle_verify_consistency(1, 9223372036854775807, h, h, array_fill(h, ARRAY[64])) AS large, merkle_verify_consistency(2, 1, h, h, ARRAY[h]) AS shrunk
FROM (SELECT merkle_leaf_hash('x') AS h, sha256('') AS e) x;
DROP EXTENSION quality_gov;
