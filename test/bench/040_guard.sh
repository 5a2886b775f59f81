#!/bin/bash
# What the guard of a listing table costs: a lexicon rule over 50,000 terms, 5 % of the listings dirty,
# decisions and findings written, beside a plain table with a primary key; and how soon a new version of
# the lexicon is live in every backend.  BENCH_SCALE shrinks rows and seconds.
set -eu
. "$(dirname "$0")/lib.sh"
corpus_build 040_guard
database qg_bench
trap 'rm -rf "$work"; psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
psql -Xqo /dev/null -d postgres <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET fsync = on;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
SELECT pg_reload_conf();
SQL
listings=$(scaled 100000 1000)
seconds=$(scaled 6 2)
pairs=${BENCH_PAIRS:-7}
corpus listings "$listings" | psql -Xq -c 'CREATE TABLE source (id int PRIMARY KEY, shop text, title text, body text)' -c '\copy source FROM pstdin'
corpus terms guard | psql -Xq -c 'CREATE TABLE word (term text)' -c '\copy word FROM pstdin'
psql -Xqo /dev/null -v ON_ERROR_STOP=1 <<'SQL'
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2026-01-01' FROM generate_series(0, 999) g;
SELECT lexicon_load('bench', (SELECT array_agg(term) FROM word)), lexicon_publish('bench', effective => '2026-01-01'),
       listing_rule_add('bench', 'lexicon', '{"lexicon": "bench", "fields": ["title", "description"]}', 'warn', 't', 'b', effective => '2026-01-01');
CREATE TABLE plain (id bigint PRIMARY KEY, shop text, title text, body text);
CREATE TABLE guarded (LIKE plain INCLUDING ALL);
CREATE SEQUENCE id CACHE 100;
SELECT guard_listing('guarded', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "description": "body"}');
VACUUM ANALYZE;
SQL

rows() { # table pair
  psql -Xq -v ON_ERROR_STOP=1 -c "TRUNCATE $1" -c CHECKPOINT -c "
    INSERT INTO sample SELECT 'bulk', '$1', $2, timed('INSERT INTO $1 SELECT g * 10000000 + id, shop, title, body FROM generate_series(1, 3) g, source')"
}
clients() { # table pair synchronous_commit
  psql -Xq -c "TRUNCATE $1" -c CHECKPOINT
  PGOPTIONS="$PGOPTIONS -c synchronous_commit=$3" pgbench -n -M prepared -c 8 -j 2 -T "$seconds" -f "$work/$1.pgbench" 2>&1 |
    sed -n 's/^tps = \([0-9.]*\).*/\1/p' | { read -r tps; psql -Xq -c "INSERT INTO sample VALUES ('$3', '$1', $2, $tps)"; }
}
for table in plain guarded; do
  cat >"$work/$table.pgbench" <<PGBENCH
\set pick random(1, $listings)
INSERT INTO $table SELECT nextval('id'), shop, title, body FROM source WHERE id = :pick;
PGBENCH
done
psql -Xq -c 'CREATE TABLE sample (work text, relation text, pair int, value float8)'
rows plain 0
rows guarded 0
dirty=$(psql -XAtc 'SELECT round(100.0 * count(*) / (SELECT count(*) FROM guarded), 1) FROM quality_gov.listing_decision')
for pair in $(seq "$pairs"); do
  rows plain "$pair"
  rows guarded "$pair"
  for sync in off on; do
    clients plain "$pair" "$sync"
    clients guarded "$pair" "$sync"
  done
done
psql -Xq <<'SQL'
INSERT INTO run
SELECT CASE g.work WHEN 'bulk' THEN 'INSERT ... SELECT, guarded / plain with primary key (ms)'
                   ELSE '8 clients, a row a transaction, synchronous_commit ' || g.work || ' (tps)' END,
       g.pair, g.value, p.value, CASE g.work WHEN 'bulk' THEN '<= 1.8 (1.45)' WHEN 'off' THEN '>= 0.8 (0.9)' ELSE '>= 0.9 (0.97)' END
FROM sample g JOIN sample p USING (work, pair)
WHERE g.relation = 'guarded' AND p.relation = 'plain' AND g.pair > 0
ORDER BY g.work;
SQL
test/bench/machine
echo "$((listings * 3)) listings in bulk, $dirty % dirty, 50,000 terms; pgbench $seconds s a run; $pairs interleaved pairs"
report

# Eight backends scan in a loop, each in transactions of their own; a version is published meanwhile.
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -c "SELECT quality_gov.lexicon_load('bench', (SELECT array_agg(term) FROM word) || '新来的词'::text)" \
  -c 'CREATE TABLE seen (backend int, ready timestamptz, at timestamptz, first float8, usual float8, worst float8)' \
  -c 'CREATE TABLE published (began timestamptz, at timestamptz)'
watch() { # backend
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
SET search_path = public, quality_gov;
CREATE TEMP TABLE took (ms float8);
DO \$\$
DECLARE
  body text := (SELECT body FROM source WHERE id = $1);
  began timestamptz; found text; ms float8; ready timestamptz;
BEGIN
  FOR n IN 1..60000 LOOP
    began := clock_timestamp();
    SELECT h.term INTO found FROM lexicon_scan(body || '新来的词', '{bench}', at => clock_timestamp()) h WHERE h.term = '新来的词';
    ms := 1000 * extract(epoch FROM clock_timestamp() - began);
    EXIT WHEN found IS NOT NULL;
    IF n > 100 AND n <= 1100 THEN INSERT INTO took VALUES (ms); END IF;
    IF n = 1100 THEN INSERT INTO seen VALUES ($1, clock_timestamp(), NULL, NULL, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms) FROM took t), (SELECT max(t.ms) FROM took t)); END IF;
    COMMIT;
    PERFORM pg_sleep(0.0005);
  END LOOP;
  UPDATE seen SET at = clock_timestamp(), first = ms WHERE backend = $1;
END \$\$;
SQL
}
for backend in 1 2 3 4 5 6 7 8; do watch "$backend" & done
for _ in $(seq 300); do
  [ "$(psql -XAtc 'SELECT count(*) FROM seen')" = 8 ] && break
  sleep 0.2
done
psql -Xq -c "INSERT INTO published VALUES (clock_timestamp())" -c "SELECT quality_gov.lexicon_publish('bench')" -o /dev/null -c "UPDATE published SET at = clock_timestamp()"
wait
psql -Xq -P footer=off -P border=0 <<'SQL'
\echo
\echo 'A new version of 50,001 terms, 8 backends that scan all the time (ms); bars: live everywhere < 300, stall < 1'
SELECT round(1000 * extract(epoch FROM p.at - p.began), 1) AS publishing,
       round(1000 * extract(epoch FROM min(s.at) - p.at), 1) AS first_backend, round(1000 * extract(epoch FROM max(s.at) - p.at), 1) AS last_backend,
       round(max(s.first - s.usual)::numeric, 2) AS worst_stall, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.first - s.usual)::numeric, 2) AS median_stall,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.usual)::numeric, 3) AS usual_scan,
       round(max(s.worst)::numeric, 2) AS worst_usual_scan, count(s.at) AS backends
FROM seen s, published p GROUP BY p.at, p.began;
SQL
