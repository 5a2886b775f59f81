#!/bin/bash
# What a recall costs the guard of an order table: orders with GTIN, lot and serial number, guarded, where no recall
# is open, beside the same where 10,000 lots are in scope; of goods that none of them is, and of other lots of a GTIN
# that is recalled.  Every run is a session of its own, so its memory begins empty.  BENCH_SCALE shrinks rows.
set -eu
. "$(dirname "$0")/lib.sh"
database qg_bench
trap 'for db in qg_bench_recall qg_bench; do psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $db WITH (FORCE)"; done' EXIT
orders=$(scaled 200000 2000)
lots=$(scaled 10000 100)
pairs=${BENCH_PAIRS:-7}
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v orders="$orders" <<'SQL'
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'm', 'company', '91110000600037341L', '2020-01-01');
CREATE TABLE code AS SELECT g, body || gs1_check_digit(body) AS gtin FROM generate_series(0, 999) g, LATERAL (SELECT lpad((600000 + g)::text, 13, '0') AS body) b;
CREATE TABLE source AS SELECT i AS id, 'm-1' AS shop, c.gtin, 'S' || i % 100 AS lot, lpad(i::text, 10, '0') AS number
FROM generate_series(1, :orders) i JOIN code c ON c.g = 500 + i % 500;
CREATE TABLE near AS SELECT s.id, s.shop, c.gtin, s.lot, s.number FROM source s JOIN code c ON c.g = s.id % 10;
CREATE TABLE orders (id bigint PRIMARY KEY, shop text, gtin text, lot text, number text);
SELECT guard_order('orders', '{"order_id": "id", "merchant_id": "shop", "gtin": "gtin", "lot": "lot", "serial": "number"}');
CREATE TABLE plain (LIKE orders INCLUDING ALL);
VACUUM ANALYZE;
SQL
psql -Xq -d postgres -c 'DROP DATABASE IF EXISTS qg_bench_recall WITH (FORCE)' -c 'CREATE DATABASE qg_bench_recall TEMPLATE qg_bench'
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v lots="$lots" -d qg_bench_recall <<'SQL'
SET search_path = public, quality_gov;
SELECT recall_open('recalled', jsonb_agg(jsonb_build_object('gtin', gtin, 'lot', 'L' || i)), 'r', 'b', state => 'ordered', at => '2026-01-01')
FROM generate_series(1, :lots) i JOIN code ON g = i % 10;
VACUUM ANALYZE;
SQL
insert() { # database table source
  psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "TRUNCATE orders, plain" -c CHECKPOINT -c "SELECT timed('INSERT INTO $2 SELECT * FROM $3')"
}
keep() { psql -Xq -c "INSERT INTO run VALUES ('$1', $2, $3, $4, '$5')"; }
for pair in $(seq 0 "$pairs"); do
  plain=$(insert qg_bench plain source)
  none=$(insert qg_bench orders source)
  far=$(insert qg_bench_recall orders source)
  near_none=$(insert qg_bench orders near)
  near=$(insert qg_bench_recall orders near)
  [ "$pair" = 0 ] && continue
  keep "guarded, no recall / no guard (ms)" "$pair" "$none" "$plain" -
  keep "$lots lots in scope, other goods / no recall (ms)" "$pair" "$far" "$none" '<= 1.1'
  keep "$lots lots in scope, other lots of the GTIN / no recall (ms)" "$pair" "$near" "$near_none" '<= 1.2'
done
test/bench/machine
echo "$orders orders in one statement, each with a serial number of its own; $pairs interleaved pairs"
report
