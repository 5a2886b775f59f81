#!/bin/bash
# What tracing lots costs: ten million links over five million lots on four levels, two random parents each, against
# WITH RECURSIVE on the same table, vacuumed, read from the index alone; a deep and narrow graph; lots numbered in no
# order; a check of everything.  BENCH_SCALE shrinks the links; BENCH_PAIRS sets the number of interleaved pairs.
set -eu
. "$(dirname "$0")/lib.sh"
database qg_bench
trap 'psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
lots=$(scaled 4950000 1000)
pairs=${BENCH_PAIRS:-7}
psql -Xqo /dev/null -v ON_ERROR_STOP=1 <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
ALTER DATABASE qg_bench SET work_mem = '256MB';
ALTER DATABASE qg_bench SET max_parallel_workers_per_gather = 0;
SELECT pg_reload_conf();
SQL
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v lots="$lots" <<'SQL'
SET search_path = public, quality_gov;
CREATE FUNCTION draw(lot bigint, n int, below bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN (hashint8(lot * 8 + n)::bigint & 2147483647) % below;
-- of each lot two different lots of the level above; mask spreads the numbers of lots, 0 leaves them as they are
CREATE FUNCTION load(levels bigint[], base bigint, mask bigint) RETURNS void LANGUAGE sql AS $$
  WITH level AS (
    SELECT n, levels[n] AS lots, levels[n - 1] AS above, (sum(levels[n]) OVER (ORDER BY n))::bigint - levels[n] AS first
    FROM generate_subscripts(levels, 1) n),
  link AS (
    SELECT l.first - l.above + CASE k WHEN 0 THEN a ELSE (a + 1 + b) % l.above END AS parent, l.first + g AS child
    FROM level l, generate_series(0, l.lots - 1) g, LATERAL (SELECT draw(l.first + g, 0, l.above) AS a, draw(l.first + g, 1, l.above - 1) AS b) d,
         generate_series(0, 1) k
    WHERE l.n > 1)
  INSERT INTO lot_link (parent, child, quantity)
  SELECT base + CASE mask WHEN 0 THEN parent ELSE parent * 2654435 & mask END, base + CASE mask WHEN 0 THEN child ELSE child * 2654435 & mask END,
         1 + child % 9 FROM link
$$;
SELECT load(ARRAY[36, 1000, 50000, :lots], 1, 0);
SELECT load(ARRAY[12, 330, 5000, :lots / 10], 20000000, 1048575);
-- 200 levels of ten lots, each with two parents on the level above and one two levels up
INSERT INTO lot_link (parent, child, quantity)
SELECT DISTINCT 10000000 + 10 * (g / 10 - up) + draw(g, k, 10), 10000000 + g, 1
FROM generate_series(20, 2009) g, (VALUES (0, 1), (1, 1), (2, 2)) v(k, up);
CREATE TABLE few AS SELECT parent AS lot FROM lot_link WHERE parent BETWEEN 1037 AND 51036 GROUP BY 1 ORDER BY 1 LIMIT 200;
VACUUM (ANALYZE, DISABLE_PAGE_SKIPPING) lot_link, few;
CHECKPOINT;
VACUUM lot_link;
CREATE FUNCTION peer(start bigint) RETURNS text LANGUAGE sql RETURN format(
  'WITH RECURSIVE w(lot) AS (SELECT child FROM quality_gov.lot_link WHERE parent = %s UNION SELECT k.child FROM w JOIN quality_gov.lot_link k ON k.parent = w.lot) SELECT count(*) FROM w', start);
SQL

# In one session, and a first pair that does not count: a backend maps shared memory as it touches it.
compare() { # work ours peer bar [work_mem]
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
SET work_mem = '${5:-256MB}';
DO \$\$
DECLARE
  o float8;
  p float8;
BEGIN
  FOR pair IN 0..$pairs LOOP
    IF pair % 2 = 0 THEN p := timed($3); END IF;
    o := timed($2);
    IF pair % 2 = 1 THEN p := timed($3); END IF;
    INSERT INTO run SELECT '$1', pair, o, p, '$4' WHERE pair > 0;
  END LOOP;
END \$\$;
SQL
}
compare 'trace_forward(), every row / WITH RECURSIVE' "'SELECT count(*) FROM quality_gov.trace_forward(1)'" 'peer(1)' '0.2 (0.125)'
compare 'trace_forward_count() / WITH RECURSIVE, counted' "'SELECT quality_gov.trace_forward_count(1)'" 'peer(1)' '0.125 (0.067)'
# The same small trace from 200 lots: a single one is over before the clock has moved.  With more memory WITH RECURSIVE
# clears a hash table for the millions of rows that the planner fears.
small="'SELECT sum(c) FROM few, LATERAL (%s) x(c)'"
compare '200 traces of 198 lots / WITH RECURSIVE' "format($small, 'SELECT count(*) FROM quality_gov.trace_forward(few.lot)')" \
  "format($small, replace(peer(0), '= 0', '= few.lot'))" '1 (0.2)' 1MB
compare '200 levels of ten lots, three parents each / WITH RECURSIVE' "'SELECT count(*) FROM quality_gov.trace_forward(10000010)'" 'peer(10000010)' '1' 1MB
compare 'lots numbered in no order, a tenth of them / WITH RECURSIVE' "'SELECT count(*) FROM quality_gov.trace_forward(20000000)'" 'peer(20000000)' '0.2'
psql -Xqo /dev/null -v ON_ERROR_STOP=1 <<'SQL'
SET search_path = public, quality_gov;
INSERT INTO lot (lot_id, gtin, lot_code, made_on, expires_on) OVERRIDING SYSTEM VALUE
SELECT lot, '6901234567892', lot, '2026-01-01', '2027-01-01' FROM (SELECT parent FROM lot_link UNION SELECT child FROM lot_link) x(lot);
VACUUM ANALYZE lot;
INSERT INTO run VALUES ('trace_cycle(), every link', 100, timed('SELECT count(*) FROM quality_gov.trace_cycle()'));
INSERT INTO run VALUES ('trace_check(), every lot and link', 101, timed('SELECT count(*) FROM quality_gov.trace_check()'));
SQL
echo "links: $(psql -XAtc 'SELECT count(*) FROM quality_gov.lot_link'); lots reached: $(psql -XAtc 'SELECT quality_gov.trace_forward_count(1)'); ms; ratio: median of $pairs pairs"
report
psql -Xqo /dev/null -d postgres -c 'ALTER SYSTEM RESET ALL' -c 'SELECT pg_reload_conf()'
