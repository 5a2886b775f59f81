#!/bin/bash
# Sealing and verifying the ledger, and proofs, against what SQL does with the same rows.
#
# The peers: count(sha256()) over the same entries; lag() over a chain of hashes without values, as audit
# tables of SQL are checked; one look-up by a btree.
set -eu
. "$(dirname "$0")/lib.sh"

database qg_bench
trap 'psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
entries=$(scaled 1000000 20000)
pairs=${BENCH_PAIRS:-7}
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v entries="$entries" <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
ALTER DATABASE qg_bench SET max_parallel_workers_per_gather = 0;
SELECT pg_reload_conf();
SQL
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v entries="$entries" <<'SQL'
SET search_path = public, quality_gov;
SELECT ledger_seal();
-- bodies of some 250 bytes, as decisions on listings have them
SELECT ledger_record_all('note', array_agg('listing ' || g), array_agg(jsonb_build_object('decision_id', g, 'merchant_id', 'm-' || g % 1000,
         'verdict', 'quarantine', 'at', '2026-11-25T08:00:00+00:00', 'findings', jsonb_build_array('producer', 'ad-words'), 'digest', md5(g::text) || md5('x' || g)) ORDER BY g))
FROM generate_series(1, :entries) g GROUP BY g / 10000 ORDER BY g / 10000;
-- a chain of hashes as a table has it that is checked in SQL
CREATE TABLE chain (n bigint PRIMARY KEY, payload text NOT NULL, row_hash bytea NOT NULL);
DO $$
DECLARE held bytea := ''; batch bytea[]; size int := 10000;
BEGIN
  FOR i IN 0 .. (SELECT count(*) - 1 FROM ledger_entry) / size LOOP
    batch := '{}';
    FOR j IN 1 .. size LOOP
      held := sha256(held || convert_to(md5((i * size + j)::text), 'UTF8'));
      batch[j] := held;
    END LOOP;
    INSERT INTO chain SELECT i * size + n, md5((i * size + n)::text), h FROM unnest(batch) WITH ORDINALITY u(h, n);
  END LOOP;
  DELETE FROM chain WHERE n > (SELECT count(*) FROM ledger_entry);
END $$;
VACUUM ANALYZE;
CHECKPOINT;
SQL
seal() { # pair: in a transaction that is undone
  psql -Xq -v ON_ERROR_STOP=1 -v pair="$1" <<'SQL' >/dev/null
BEGIN;
SELECT timed('SELECT count(sha256(convert_to(body::text, ''UTF8''))) FROM quality_gov.ledger_entry') AS peer \gset
SELECT timed('SELECT quality_gov.ledger_seal()') AS ours \gset
ROLLBACK;
VACUUM quality_gov.ledger_tile, quality_gov.ledger_leaf;
INSERT INTO run VALUES ('seal of all entries / count(sha256(body))', :pair, :ours, :peer, '3 (1.5)');
SQL
}
verify() { # pair
  psql -Xq -v ON_ERROR_STOP=1 -v pair="$1" <<'SQL' >/dev/null
SELECT timed('SELECT count(*) FROM (SELECT row_hash, sha256(lag(row_hash, 1, '''') OVER (ORDER BY n) || convert_to(payload, ''UTF8'')) AS want FROM chain) x WHERE row_hash <> want') AS peer \gset
SELECT timed('SELECT * FROM quality_gov.ledger_verify(''log'')') AS ours \gset
INSERT INTO run VALUES ('ledger_verify(''log''), entries read again / lag() over a chain', :pair, :ours, :peer, '2 (1)');
SQL
}
prove() { # pair: microseconds of one
  psql -Xq -v ON_ERROR_STOP=1 -v pair="$1" -v entries="$entries" <<'SQL' >/dev/null
CREATE TEMP TABLE asked AS SELECT (hashint8(g)::bigint + 2147483648) % :entries AS n FROM generate_series(1, 2000) g;
DO $$ DECLARE a bigint; BEGIN FOR a IN SELECT n FROM asked LIMIT 200 LOOP PERFORM quality_gov.ledger_inclusion_proof(a); PERFORM row_hash FROM chain WHERE n = a; END LOOP; END $$;
SELECT timed('DO $x$ DECLARE a bigint; BEGIN FOR a IN SELECT n FROM asked LOOP PERFORM row_hash FROM chain WHERE n = a; END LOOP; END $x$') / 2 AS peer \gset
SELECT timed('DO $x$ DECLARE a bigint; BEGIN FOR a IN SELECT n FROM asked LOOP PERFORM quality_gov.ledger_inclusion_proof(a); END LOOP; END $x$') / 2 AS ours \gset
INSERT INTO run VALUES ('inclusion proof / one look-up by a btree (µs)', :pair, :ours, :peer, '30 (10)');
SQL
}
for pair in $(seq "$pairs"); do seal "$pair"; done
psql -Xqo /dev/null -c 'SELECT quality_gov.ledger_seal()' -c 'VACUUM ANALYZE'
for pair in $(seq "$pairs"); do
  verify "$pair"
  prove "$pair"
done
echo "entries: $entries of some 250 bytes; ms; ratio: median of $pairs pairs"
report
psql -Xqo /dev/null -d postgres -c 'ALTER SYSTEM RESET ALL' -c 'SELECT pg_reload_conf()'
