#!/bin/bash
# What an attached table of order lines costs: rows inserted, changed and deleted, by the thousand and one by one,
# against the same table without the triggers, and against an application that writes row and sale itself.
# BENCH_SCALE shrinks seconds and rows; BENCH_PAIRS sets the number of interleaved pairs.
set -eu
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d /tmp/qgb.XXXXXX)
database qg_bench
trap 'rm -rf "$work"; psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
psql -Xqo /dev/null -d postgres <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
SELECT pg_reload_conf();
SQL
seconds=$(scaled 6 2)
rows=$(scaled 10000 1000)
pairs=${BENCH_PAIRS:-7}
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v rows="$rows" <<'SQL'
SET search_path = public, quality_gov;
CREATE TABLE plain (ord bigint, no int, shop text NOT NULL, sku text NOT NULL, code gtin, lot text, title text, qty int NOT NULL, price numeric(12, 2) NOT NULL,
  buyer text NOT NULL, status text NOT NULL DEFAULT 'paid', made timestamptz NOT NULL DEFAULT now(), sent timestamptz, note text, PRIMARY KEY (ord, no));
-- What a platform looks order lines up by.
CREATE INDEX ON plain (shop, made);
CREATE INDEX ON plain (buyer, made);
CREATE INDEX ON plain (sku);
CREATE TABLE attached (LIKE plain INCLUDING ALL);
CREATE TABLE twin (LIKE sale INCLUDING ALL);
CREATE SEQUENCE id CACHE 100;
SELECT sale_attach('attached', '{"merchant_id": "shop", "order_id": "ord", "line": "no", "gtin": "code", "lot": "lot", "product": "title", "quantity": "qty",
  "buyer": "buyer", "at": "made", "shipped_at": "sent", "state": "status"}', '{"paid": "open", "done": "delivered"}');
CREATE TABLE source AS SELECT g AS ord, 1 AS no, 'm-' || g * 7919 % 1000 AS shop, 'sku-' || g * 31 % 5000 AS sku, '6901234567892'::gtin AS code, 'L' || g % 97 AS lot,
  'Kettle, steel, ' || g % 5000 AS title, 1 + g % 3 AS qty, 9.90 AS price, 'b-' || g * 104729 % 100000 AS buyer, 'paid' AS status, now() AS made FROM generate_series(1, :rows) g;
VACUUM ANALYZE;
SQL

bulk() { # work ours peer bar pair
  local first="o $2" second="p $3"
  [ $(($5 % 2)) = 0 ] && first="p $3" second="o $2"
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
SELECT timed(\$\$${first#* }\$\$) AS ${first%% *} \gset
SELECT timed(\$\$${second#* }\$\$) AS ${second%% *} \gset
INSERT INTO run VALUES ('$1 (ms)', $5, :o, :p, '$4');
SQL
}
lines() { # table offset
  echo "INSERT INTO $1 (ord, no, shop, sku, code, lot, title, qty, price, buyer, status, made) SELECT ord + $2, no, shop, sku, code, lot, title, qty, price, buyer, status, made FROM source"
}
sales() { # offset
  echo "INSERT INTO twin (merchant_id, order_id, line, gtin, lot_code, product, quantity, buyer, sold_at) SELECT shop, (ord + $1)::text, no::text, code, lot, title, qty, buyer, made FROM source"
}
where() { echo "WHERE ord > $1 AND ord <= $1 + $rows"; }
key='t.merchant_id = p.shop AND t.order_id = p.ord::text AND t.line = p.no::text'
insert="VALUES (nextval('id'), 1, 'm-' || :m, 'sku-' || :m, '6901234567892', 'L' || :m, 'Kettle', 1, 9.90, 'b-' || :m)"
for table in plain attached; do
  printf '%s\n' '\set m random(0, 999)' "INSERT INTO $table (ord, no, shop, sku, code, lot, title, qty, price, buyer) $insert;" >"$work/$table"
done
clients() { # script clients
  PGOPTIONS="$PGOPTIONS -c synchronous_commit=off" pgbench -n -M prepared -c "$2" -j 2 -T "$seconds" -f "$work/$1" 2>&1 | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
single() { # clients bar pair
  local ours peer
  if [ $(($3 % 2)) = 0 ]; then ours=$(clients attached "$1") peer=$(clients plain "$1")
  else peer=$(clients plain "$1") ours=$(clients attached "$1"); fi
  psql -Xqc "INSERT INTO run VALUES ('INSERT of single lines, $1 clients (tps)', $3, $ours, $peer, '$2')"
}
for pair in $(seq 0 "$pairs"); do
  base=$((1000000000 + 1000000 * pair))
  bulk "INSERT of $rows lines" "$(lines attached $base)" "$(lines plain $base)" '<= 2' "$pair"
  psql -Xqc "$(sales $base)"
  bulk "the same, peer writes the sales, too" "$(lines attached $((base + 200000)))" "$(lines plain $((base + 200000))); $(sales $((base + 200000)))" '<= 1.3' "$pair"
  bulk "UPDATE of $rows lines to delivered, peer its sales, too" "UPDATE attached SET status = 'done' $(where $((base + 200000)))" \
    "UPDATE plain SET status = 'done' $(where $((base + 200000))); UPDATE twin t SET state = 'delivered' FROM plain p $(where $((base + 200000))) AND $key" '<= 2' "$pair"
  bulk "UPDATE of $rows lines that changes no sale" "UPDATE attached SET note = 'x' $(where $base)" "UPDATE plain SET note = 'x' $(where $base)" '<= 1.2' "$pair"
  bulk "DELETE of $rows lines, peer cancels its sales, too" "DELETE FROM attached $(where $base)" \
    "UPDATE twin t SET state = 'cancelled' FROM plain p $(where $base) AND $key; DELETE FROM plain $(where $base)" '<= 2' "$pair"
  single 1 '>= 0.5' "$pair"
  single 8 '>= 0.5' "$pair"
done
psql -Xqc 'DELETE FROM run WHERE pair = 0'
test/bench/machine
echo "pgbench $seconds s a run, prepared; $rows lines a statement; $pairs interleaved pairs; peer: the same table without triggers"
report
