#!/bin/bash
# What a scan costs: passport_verify() of Ed25519 against openssl speed on one core, by one statement and by one statement
# each; and 8 clients that scan one popular code, recorded and durable, against plain appends of the scan's row.
# BENCH_SCALE shrinks the passports and seconds; BENCH_PAIRS sets the number of interleaved pairs.
set -eu
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d /tmp/qgb.XXXXXX)
chmod 755 "$work"
database qg_bench
trap 'rm -rf "$work"; psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
psql -Xqo /dev/null -d postgres <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET fsync = on;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
SELECT pg_reload_conf();
SQL
pairs=${BENCH_PAIRS:-7}
# Half of the codes are only asked for; of the others each run records a slice that nobody has scanned before.
passports=$(scaled 20000 2000)
half=$((passports / 2)) slice=$((passports / 2 / (pairs + 1)))
seconds=$(scaled 6 2)
# The private key is that of W3C's vector; the server writes the files, so that they are its user's.
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v n="$passports" <<'SQL'
SET search_path = public, quality_gov;
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM 'cat > qg_bench_pem && chmod 600 qg_bench_pem';
SET quality_gov.passport_key_file = 'qg_bench_pem';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2020-01-01,)');
INSERT INTO lot (gtin, lot_code, quantity) VALUES ('6901234567892', 'L1', :n);
SELECT count(*) FROM (SELECT array_agg(jsonb_build_object('gtin', '6901234567892', 'lot', 'L1', 'serial', 'S' || g, 'claims',
  jsonb_build_object('title', 'Kettle', 'producer', 'Works', 'model', 'K-' || g % 10, 'standard', 'GB 4706.1-2005', 'weight_g', 1000 + g))) AS a
  FROM generate_series(1, :n) g) x, passport_issue_all(a, at => '2020-02-01');
SELECT passport_issue('6901234567892', 'L1', NULL, '{"title": "Kettle", "producer": "Works"}', at => '2020-02-01');
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm qg_bench_pem';
CREATE TABLE code AS SELECT g AS id, digital_link('6901234567892', 'L1', 'S' || g) AS uri FROM generate_series(1, :n) g;
CREATE TABLE twin (LIKE passport_scan INCLUDING ALL);
VACUUM ANALYZE;
SQL

# openssl counts what its own seconds of processor time gave; ours are of the clock, which on a busy machine is less.
openssl_verify() { openssl speed -elapsed -seconds 2 ed25519 2>/dev/null | awk '/Ed25519/ { print $NF }'; }
rate() { # record first last: verifications a second in one statement
  psql -XAtq -v ON_ERROR_STOP=1 <<SQL
SELECT ($3 - $2 + 1) / timed(\$\$SELECT count(*) FILTER (WHERE v.authentic) FROM code, quality_gov.passport_verify(uri, now(), $1) v WHERE id BETWEEN $2 AND $3\$\$) * 1000;
SQL
}
printf '%s\n' "\\set n random(1, $half)" "SELECT authentic FROM quality_gov.passport_verify('https://id.gs1.org/01/06901234567892/10/L1/21/S' || :n, now(), false);" >"$work/single"
popular() { # file uri goods serial
  printf '%s\n' "SELECT authentic FROM quality_gov.passport_verify('$2');" >"$work/$1.ours"
  printf '%s\n' "INSERT INTO twin (at, goods, gtin, lot_code, serial, status, reasons, passport_id, channel, xid) VALUES (now(), '$3', '6901234567892', 'L1', $4, 'authentic', '{}', 1, 'consumer', pg_current_xact_id());" >"$work/$1.peer"
}
popular lot https://id.gs1.org/01/06901234567892/10/L1 06901234567892/10/L1 NULL
popular item "https://id.gs1.org/01/06901234567892/10/L1/21/S$passports" "06901234567892/21/S$passports" "'S$passports'"
clients() { # script clients
  pgbench -n -M prepared -c "$2" -j "$2" -T "$seconds" -f "$work/$1" 2>&1 | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
compare() { # work ours peer bar pair
  local ours peer
  if [ $(($5 % 2)) = 0 ]; then ours=$($2) peer=$($3); else peer=$($3) ours=$($2); fi
  psql -Xqc "INSERT INTO run VALUES ('$1', $5, $ours, $peer, '$4')"
}
asked() { rate false 1 $half; }
recorded() { rate true $((half + pair * slice + 1)) $((half + (pair + 1) * slice)); }
single() { clients single 1; }
lot_ours() { clients lot.ours 8; }
lot_peer() { clients lot.peer 8; }
item_ours() { clients item.ours 8; }
item_peer() { clients item.peer 8; }
for pair in $(seq 0 "$pairs"); do
  compare 'passport_verify, Ed25519 / openssl speed verify (1/s)' asked openssl_verify '>= 0.4 (0.6)' "$pair"
  compare 'the same, recorded' recorded openssl_verify '>= 0.25' "$pair"
  compare 'the same, not recorded, a statement each by pgbench' single openssl_verify - "$pair"
  compare '8 clients, one popular code of a lot, recorded, durable / plain append (tps)' lot_ours lot_peer '>= 0.8 (0.95)' "$pair"
  compare '8 clients, one serial number, recorded, durable / plain append (tps)' item_ours item_peer - "$pair"
done
psql -Xqc 'DELETE FROM run WHERE pair = 0'
psql -XAtqc 'SELECT $$problems: $$ || count(*) FROM quality_gov.passport_scan_check()'
test/bench/machine
echo "passports: $passports of five claims; pgbench $seconds s a run, prepared; $pairs interleaved pairs; peer of appends: the same rows, indexes and constraints without trigger"
report
psql -Xqo /dev/null -d postgres -c 'ALTER SYSTEM RESET ALL' -c 'SELECT pg_reload_conf()'
