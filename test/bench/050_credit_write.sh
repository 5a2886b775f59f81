#!/bin/bash
# What a credit event costs beside its own row: written by INSERT, by credit_event_record() and by an attached
# table, against an INSERT into a table with the same columns, constraints and indexes and no trigger.
# BENCH_SCALE shrinks seconds; BENCH_PAIRS sets the number of interleaved pairs.
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
pairs=${BENCH_PAIRS:-7}
merchants=10000
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v merchants="$merchants" <<'SQL'
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2020-01-01' FROM generate_series(0, :merchants - 1) g;
CREATE TABLE twin (LIKE credit_event INCLUDING ALL);
CREATE TABLE plain (id bigint PRIMARY KEY, shop text NOT NULL, late boolean NOT NULL, at timestamptz NOT NULL DEFAULT statement_timestamp());
CREATE TABLE attached (LIKE plain INCLUDING ALL);
CREATE TABLE silent (LIKE plain INCLUDING ALL);
CREATE SEQUENCE id CACHE 100;
SELECT credit_attach('attached', '{"merchant_id": "shop", "at": "at", "ref": "id"}', 'complaint'),
       credit_attach('silent', '{"merchant_id": "shop", "at": "at", "ref": "id", "bad": "late"}', 'fulfilment', good => 0);
CREATE TABLE source AS SELECT g AS id, 'm-' || g * 7919 % :merchants AS shop, false AS late, statement_timestamp() AS at FROM generate_series(1, 10000) g;
CREATE TABLE arrays AS SELECT array_agg(shop) AS shops, array_agg('complaint'::text) AS indicators, array_agg(1::float8) AS bads, array_agg(at) AS ats, array_agg(id::text) AS refs FROM source;
VACUUM ANALYZE;
SQL

columns='(merchant_id, indicator, at, bad, source, ref)'
event="VALUES ('m-' || :m, 'complaint', statement_timestamp(), 1, 'bench', NULL)"
for who in random hot; do
  pick="\\set m random(0, $((merchants - 1)))"
  [ "$who" = hot ] && pick='\set m 17'
  printf '%s\n' "$pick" "INSERT INTO twin $columns $event;" >"$work/twin.$who"
  printf '%s\n' "$pick" "INSERT INTO quality_gov.credit_event $columns $event;" >"$work/insert.$who"
  printf '%s\n' "$pick" "SELECT quality_gov.credit_event_record('m-' || :m, 'complaint', 'bench', bad => 1);" >"$work/record.$who"
  printf '%s\n' "$pick" "INSERT INTO attached VALUES (nextval('id'), 'm-' || :m, false);" >"$work/attached.$who"
  # What an application does that writes row and event itself, in one statement.
  printf '%s\n' "$pick" "WITH row AS (INSERT INTO plain VALUES (nextval('id'), 'm-' || :m, false) RETURNING id, shop, at) INSERT INTO twin $columns SELECT shop, 'complaint', at, 1, 'public.plain', id FROM row;" >"$work/both.$who"
done
clients() { # script synchronous_commit
  PGOPTIONS="$PGOPTIONS -c synchronous_commit=$2" pgbench -n -M prepared -c 8 -j 2 -T "$seconds" -f "$work/$1" 2>&1 | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
compare() { # work ours peer synchronous_commit bar pair
  local ours peer
  if [ $(($6 % 2)) = 0 ]; then ours=$(clients "$2" "$4") peer=$(clients "$3" "$4")
  else peer=$(clients "$3" "$4") ours=$(clients "$2" "$4"); fi
  psql -Xqc "INSERT INTO run VALUES ('$1 (tps)', $6, $ours, $peer, '$5')"
}
bulk() { # work ours peer bar pair
  local first="o $2" second="p $3"
  [ $(($5 % 2)) = 0 ] && first="p $3" second="o $2"
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
SELECT timed(\$\$${first#* }\$\$) AS ${first%% *} \gset
SELECT timed(\$\$${second#* }\$\$) AS ${second%% *} \gset
INSERT INTO run VALUES ('$1 (ms)', $5, :o, :p, '$4');
SQL
}
insert_events() { echo "INSERT INTO $1 $columns SELECT shop, 'complaint', at, 1, 'public.$2', id FROM source"; }
for pair in $(seq 0 "$pairs"); do
  # Commits that flush set the pace of a busy merchant, CPU that of the others.
  compare 'INSERT, 8 clients, random merchants' insert.random twin.random off '>= 0.9 (0.97)' "$pair"
  compare 'credit_event_record(), 8 clients, random merchants' record.random twin.random off '>= 0.9 (0.97)' "$pair"
  compare 'INSERT, 8 clients, one merchant, durable' insert.hot twin.hot on '>= 0.95 (1.0)' "$pair"
  compare 'credit_event_record(), 8 clients, one merchant, durable' record.hot twin.hot on '>= 0.95 (1.0)' "$pair"
  compare 'attached row, 8 clients, random merchants' attached.random both.random off '>= 0.9 (0.97)' "$pair"
  compare 'attached row, 8 clients, one merchant, durable' attached.hot both.hot on '>= 0.95 (1.0)' "$pair"
  bulk 'INSERT of 10,000 events' "$(insert_events quality_gov.credit_event bench)" "$(insert_events twin bench)" '<= 1.5 (1.2)' "$pair"
  bulk 'credit_event_record_all() of 10,000 events' "SELECT quality_gov.credit_event_record_all(shops, indicators, 'bench', bad => bads, at => ats, ref => refs) FROM arrays" \
    "INSERT INTO twin $columns SELECT u.shop, u.indicator, u.at, u.bad, 'bench', u.ref FROM arrays, unnest(shops, indicators, ats, bads, refs) AS u(shop, indicator, at, bad, ref)" '<= 1.5 (1.2)' "$pair"
  # Only growing keys: the peer's rows and events are as many.
  bulk 'INSERT of 10,000 rows that become events' "INSERT INTO attached SELECT -id - 100000 * $pair, shop, late, at FROM source" \
    "INSERT INTO plain SELECT -id - 100000 * $pair, shop, late, at FROM source; $(insert_events twin plain)" '<= 1.5 (1.2)' "$pair"
  bulk 'INSERT of 10,000 rows that make no event' "INSERT INTO silent SELECT -id - 100000 * $pair, shop, late, at FROM source" \
    "INSERT INTO plain SELECT -id - 100000 * $pair - 50000, shop, late, at FROM source" - "$pair"
  bulk 'UPDATE of 10,000 rows that change no event' "UPDATE silent SET id = id WHERE id <= -100000 * $pair AND id > -100000 * ($pair + 1)" \
    "UPDATE plain SET id = id WHERE id <= -100000 * $pair - 50000 AND id > -100000 * ($pair + 1)" - "$pair"
done
psql -Xqc 'DELETE FROM run WHERE pair = 0'
test/bench/machine
echo "pgbench $seconds s a run, prepared; $merchants merchants; $pairs interleaved pairs; peer: the same rows into tables without triggers, for attached tables row and event"
report
