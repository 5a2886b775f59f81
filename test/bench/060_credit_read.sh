#!/bin/bash
# What answers about credit cost: the aggregate, recomputing every merchant, all scores fresh, one merchant; ten
# million events of 100,000 merchants, skewed, against the built-ins on the same table.
# BENCH_SCALE shrinks the events; BENCH_PAIRS sets the number of interleaved pairs.
set -eu
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d /tmp/qgb.XXXXXX)
database qg_bench
trap 'rm -rf "$work"; psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
events=$(scaled 10000000 20000)
pairs=${BENCH_PAIRS:-7}
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v events="$events" <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
ALTER DATABASE qg_bench SET work_mem = '256MB';
ALTER DATABASE qg_bench SET max_parallel_workers_per_gather = 0;
SELECT pg_reload_conf();
SQL
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v events="$events" <<'SQL'
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2020-01-01' FROM generate_series(0, 99999) g;
-- in the order in which they happened, over 300 days, merchants in no order
SELECT setseed(0.5);
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, good, bad, source)
SELECT 'm-' || floor(100000 * random() * random()), (ARRAY['complaint', 'fulfilment', 'service', 'review'])[1 + floor(4 * random())],
       t.at, t.at, 1, (random() < 0.02)::int, 'bench'
FROM generate_series(1, :events) g, LATERAL (SELECT now() - interval '300 days' * ((:events - g)::float8 / :events) AS at) t;
VACUUM ANALYZE;
SELECT credit_rollup();
SELECT credit_regrade(now());
-- a tail that no roll-up has seen
INSERT INTO credit_event (merchant_id, indicator, at, good, bad, source)
SELECT 'm-' || floor(100000 * random()), 'complaint', statement_timestamp(), 1, 0, 'bench' FROM generate_series(1, 10000) g;
VACUUM ANALYZE;
CREATE VIEW decayed AS SELECT merchant_id, sum(bad * exp(-0.0000001 * extract(epoch FROM now() - at)::float8)) AS bad FROM credit_event GROUP BY 1;
CREATE MATERIALIZED VIEW scores AS SELECT * FROM decayed;
CREATE TABLE usual AS SELECT row_number() OVER () AS n, merchant_id FROM (
  SELECT merchant_id FROM credit_event GROUP BY 1 ORDER BY abs(count(*) - 100), merchant_id LIMIT 1000) x;
CREATE UNIQUE INDEX ON usual (n);
ANALYZE usual;
CHECKPOINT;
SQL

sum='SELECT count(x.s) FROM (SELECT merchant_id, sum(bad) AS s FROM quality_gov.credit_event GROUP BY 1) x'
tally="SELECT count(x.s) FROM (SELECT merchant_id, quality_gov.credit_tally(good, bad, at, ''90 days'') AS s FROM quality_gov.credit_event GROUP BY 1) x"
compare() { # work ours peer bar pair [parallel workers]
  local ours="o := executed('$2');" peer="p := executed('$3');"
  [ $(($5 % 2)) = 0 ] && ours="p := executed('$3');" peer="o := executed('$2');"
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
SET max_parallel_workers_per_gather = ${6:-0};
DO \$\$ DECLARE o float8; p float8; BEGIN $ours $peer INSERT INTO run VALUES ('$1', $5, o, p, '$4'); END \$\$;
SQL
}
refresh() { # pair
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
DO \$\$
DECLARE o float8; p float8;
BEGIN
  p := timed('REFRESH MATERIALIZED VIEW scores');
  o := executed('SELECT count(grade), sum(score), max(since), max(restricted_until) FROM quality_gov.credit_overview');
  INSERT INTO run VALUES ('REFRESH of a view of decayed sums / credit_overview, all of it (times faster)', $1, p, o, '20 (80)');
  o := executed('SELECT count(grade), sum(score) FROM quality_gov.credit_overview');
  INSERT INTO run VALUES ('REFRESH of a view of decayed sums / credit_overview, scores and grades (times faster)', $1, p, o, '20 (80)');
END \$\$;
SQL
}
cat >"$work/peer" <<'SQL'
\set n random(1, 1000)
SELECT sum(bad * exp(-0.0000001 * extract(epoch FROM now() - at)::float8)) FROM quality_gov.credit_event WHERE merchant_id = (SELECT merchant_id FROM usual WHERE n = :n);
SQL
cat >"$work/score" <<'SQL'
\set n random(1, 1000)
SELECT quality_gov.credit_score((SELECT merchant_id FROM usual WHERE n = :n));
SQL
cat >"$work/explain" <<'SQL'
\set n random(1, 1000)
SELECT count(*), sum(points) FROM quality_gov.credit_explain((SELECT merchant_id FROM usual WHERE n = :n));
SQL
latency() { # script: milliseconds a transaction
  pgbench -n -M prepared -c 8 -j 2 -T "$(scaled 6 2)" -f "$work/$1" 2>&1 | sed -n 's/^latency average = \([0-9.]*\) ms/\1/p'
}
for pair in $(seq "$pairs"); do
  compare 'credit_tally GROUP BY / sum(float8) GROUP BY' "$tally" "$sum" '1.25 (1.1)' "$pair"
  compare 'the same with 2 parallel workers' "$tally" "$sum" '1.25 (1.1)' "$pair" 2
  compare 'every score from the events / sum(float8) GROUP BY' \
    'SELECT count(*) FROM quality_gov.credit_standings(NULL, now(), NULL, NULL, true)' "$sum" '1.0 (0.4)' "$pair"
  compare 'every account checked against the events / sum(float8) GROUP BY' \
    'SELECT count(*) FROM quality_gov.credit_account_check()' "$sum" '1.0 (0.4)' "$pair"
  refresh "$pair"
  peer=$(latency peer)
  for ours in score explain; do
    psql -Xqc "INSERT INTO run VALUES ('credit_$ours of one merchant / its 100 events through a btree', $pair, $(latency $ours), $peer, '2')"
  done
done
echo "events: $events and a tail of 10,000; ms; ratio: median of $pairs pairs; tail not rolled up"
report
psql -Xqo /dev/null -d postgres -c 'ALTER SYSTEM RESET ALL' -c 'SELECT pg_reload_conf()'
