#!/bin/bash
# What a protected row costs beside the row: 8 clients with one row a transaction, durable and not, and bulk
# inserts, against the same rows into a table without triggers.  BENCH_SCALE shrinks seconds and rows;
# BENCH_PAIRS sets the number of interleaved pairs.
set -eu
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d /tmp/qgb.XXXXXX)
database qg_bench
trap 'rm -rf "$work"; psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
psql -Xqo /dev/null -d postgres <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET fsync = on;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
SELECT pg_reload_conf();
SQL
seconds=$(scaled 6 2)
rows=$(scaled 500000 1000)
pairs=${BENCH_PAIRS:-7}
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v rows="$rows" <<'SQL'
CREATE TABLE plain (id bigint PRIMARY KEY, shop text NOT NULL, note text NOT NULL, at timestamptz NOT NULL DEFAULT statement_timestamp());
CREATE TABLE imaged (LIKE plain INCLUDING ALL);
CREATE TABLE appended (LIKE plain INCLUDING ALL);
CREATE TABLE source AS SELECT g AS id, 'm-' || g % 1000 AS shop, repeat(md5(g::text), 3) AS note, statement_timestamp() AS at FROM generate_series(1, :rows) g;
SELECT quality_gov.ledger_protect('imaged'), quality_gov.ledger_protect('appended', append_only => true);
CREATE SEQUENCE id CACHE 100;
VACUUM ANALYZE;
SQL
for table in plain imaged appended; do
  printf '%s\n' '\set m random(1, 1000)' "INSERT INTO $table VALUES (nextval('id') + 1000000000, 'm-' || :m, repeat('0123456789', 10));" >"$work/$table"
done
clients() { # table synchronous_commit
  PGOPTIONS="$PGOPTIONS -c synchronous_commit=$2" pgbench -n -M prepared -c 8 -j 2 -T "$seconds" -f "$work/$1" 2>&1 | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
compare() { # work table synchronous_commit bar pair
  local ours peer
  if [ $(($5 % 2)) = 0 ]; then ours=$(clients "$2" "$3") peer=$(clients plain "$3")
  else peer=$(clients plain "$3") ours=$(clients "$2" "$3"); fi
  psql -Xqc "INSERT INTO run VALUES ('$1 (tps)', $5, $ours, $peer, '$4')"
}
bulk() { # work table bar pair
  local first="o $2" second="p plain"
  [ $(($4 % 2)) = 0 ] && first="p plain" second="o $2"
  # Both grow at the end of their keys; what was written before is gone.
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
SET client_min_messages = error;
SET session_replication_role = replica;
TRUNCATE plain, imaged, appended, quality_gov.ledger_entry;
RESET session_replication_role;
CHECKPOINT;
SELECT timed('INSERT INTO ${first#* } SELECT * FROM source') AS ${first%% *} \gset
CHECKPOINT;
SELECT timed('INSERT INTO ${second#* } SELECT * FROM source') AS ${second%% *} \gset
INSERT INTO run VALUES ('$1 (ms)', $4, :o, :p, '$3');
SQL
}
for pair in $(seq 0 "$pairs"); do
  compare '8 clients, one protected row a transaction, durable' imaged on '>= 0.75 (0.9)' "$pair"
  compare '8 clients, one append-only row a transaction, durable' appended on '>= 0.75 (0.9)' "$pair"
  compare '8 clients, one protected row a transaction, not durable' imaged off '>= 0.65 (0.8)' "$pair"
  compare '8 clients, one append-only row a transaction, not durable' appended off '>= 0.65 (0.8)' "$pair"
  bulk "INSERT of $rows protected rows" imaged '<= 4 (2)' "$pair"
  bulk "INSERT of $rows append-only rows" appended '<= 4 (2)' "$pair"
done
psql -Xqc 'DELETE FROM run WHERE pair = 0'
test/bench/machine
echo "pgbench $seconds s a run, prepared; $pairs interleaved pairs; peer: the same rows into a table without triggers"
report
