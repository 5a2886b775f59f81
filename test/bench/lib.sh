# What the benchmarks of SQL share; to be sourced.  BENCH_SCALE shrinks the data.
cd "$(dirname "$0")/../.."
DATA=../shared/data/lexicon
SCALE=${BENCH_SCALE:-1}
export PGOPTIONS='-c client_min_messages=warning'

scaled() { awk -v s="$SCALE" -v n="$1" -v m="${2:-1}" 'BEGIN { v = int(n * s); print v < m ? m : v }'; }

# Builds the corpus generator, or leaves the benchmark with a line that says why.
corpus_build() { # benchmark
  [ -f "$DATA/phrases_zh.txt" ] || { echo "skipped: $1, no phrases in $DATA"; exit 0; }
  work=$(mktemp -d /tmp/qgb.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  cc -O2 -Itest/fuzz -Itest/bench -o "$work/corpus" test/bench/corpus.c test/bench/corpus_main.c \
    test/fuzz/random.c 2>"$work/log" || { echo "skipped: $1, the corpus generator does not compile"; exit 0; }
}
corpus() { "$work/corpus" "$DATA" "$@"; }

database() { # name
  psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" -c "CREATE DATABASE $1"
  export PGDATABASE=$1
  psql -Xq -v ON_ERROR_STOP=1 <<'SQL'
CREATE EXTENSION quality_gov;
CREATE TABLE run (work text, pair int, ours float8, peer float8, bar text);
-- milliseconds of execution alone, without parsing a long literal
CREATE FUNCTION executed(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || statement INTO plan;
  RETURN plan -> 0 ->> 'Execution Time';
END $$;
-- three digits that count
CREATE FUNCTION digits(value float8) RETURNS numeric LANGUAGE sql RETURN
  round(value::numeric, GREATEST(0, 2 - floor(log(GREATEST(value, 1e-9)))::int));
CREATE FUNCTION timed(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE began timestamptz := clock_timestamp();
BEGIN
  EXECUTE statement;
  RETURN 1000 * extract(epoch FROM clock_timestamp() - began);
END $$;
SQL
}

# Prints medians, the median of the pairwise ratios, the bar and the spread.
report() {
  psql -Xq -P footer=off -P border=0 <<'SQL'
SELECT work, digits(percentile_cont(0.5) WITHIN GROUP (ORDER BY ours)) AS ours,
       digits(percentile_cont(0.5) WITHIN GROUP (ORDER BY peer)) AS peer,
       digits(percentile_cont(0.5) WITHIN GROUP (ORDER BY ours / peer)) AS ratio, COALESCE(bar, '-') AS "bar (stretch)",
       digits(min(ours / peer)) || ' to ' || digits(max(ours / peer)) AS spread
FROM run GROUP BY work, bar ORDER BY min(pair), work;
SQL
}
