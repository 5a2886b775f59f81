#!/bin/bash
# What guards of orders, attachments and tallies cost (040_guard.sh: the guard of listings): each row is the median of 7 interleaved pairs of one run.
# BENCH_SCALE shrinks (0.1) or grows (10) the data.
set -eu
SCALE=${BENCH_SCALE:-1}
psql -Xqc 'DROP DATABASE IF EXISTS qg_bench' -c 'CREATE DATABASE qg_bench' postgres
psql -Xq -v ON_ERROR_STOP=1 -v scale="$SCALE" qg_bench <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SELECT set_config('bench.rows', (100000 * :scale)::integer::text, false) \g /dev/null
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2026-01-01' FROM generate_series(0, 999) g;
CREATE TABLE source AS
SELECT g AS id, 'm-' || g % 1000 AS shop, left(repeat('好茶 tea ' || g || ' ', 10), 60) AS title,
       left(repeat('本品采用优质原料 quality ' || md5(g::text) || ' ', 12), 400) AS descr,
       lpad((g % 9999)::text, 12, '0') AS code
FROM generate_series(1, current_setting('bench.rows')::integer) g;
CREATE TABLE orders_plain (LIKE source, PRIMARY KEY (id));
CREATE TABLE orders_guarded (LIKE source, PRIMARY KEY (id));
CREATE TABLE event_plain (LIKE source, PRIMARY KEY (id));
CREATE TABLE event_attached (LIKE source, PRIMARY KEY (id));
SELECT guard_order('orders_guarded', '{"order_id": "id", "merchant_id": "shop", "gtin": "code"}'),
       credit_attach('event_attached', '{"merchant_id": "shop", "ref": "id"}', 'complaint', 1, 0) \g /dev/null
CREATE TABLE event AS SELECT (random() * 1000)::int AS m, now() - random() * interval '300 days' AS at, 1::float8 AS good, 0::float8 AS bad
FROM generate_series(1, current_setting('bench.rows')::integer * 10);
ANALYZE;
CHECKPOINT;

CREATE TABLE run (work text, pair int, ours float8, peer float8);
CREATE FUNCTION timed(statement text, after text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE began timestamptz := clock_timestamp(); took float8;
BEGIN
  EXECUTE statement;
  took := 1000 * extract(epoch FROM clock_timestamp() - began);
  EXECUTE after;
  RETURN took;
END $$;
DO $$
BEGIN
  FOR pair IN 1..7 LOOP
    INSERT INTO run VALUES ('INSERT of orders, guarded / plain with primary key', pair,
      timed('INSERT INTO orders_guarded SELECT * FROM source', 'TRUNCATE orders_guarded'),
      timed('INSERT INTO orders_plain SELECT * FROM source', 'TRUNCATE orders_plain'));
    INSERT INTO run VALUES ('INSERT of rows that become events / plain with primary key', pair,
      timed('INSERT INTO event_attached SELECT * FROM source', 'SELECT 1'),
      timed('INSERT INTO event_plain SELECT * FROM source', 'TRUNCATE event_plain'));
    ALTER TABLE event_attached DISABLE TRIGGER USER;
    TRUNCATE event_attached;
    ALTER TABLE event_attached ENABLE TRIGGER USER;
    INSERT INTO run VALUES ('credit_tally GROUP BY / sum(float8) GROUP BY', pair,
      timed('SELECT count(t) FROM (SELECT credit_tally(good, bad, at, ''90 days'') AS t FROM event GROUP BY m) x', 'SELECT 1'),
      timed('SELECT count(t) FROM (SELECT sum(good) AS t FROM event GROUP BY m) x', 'SELECT 1'));
  END LOOP;
END $$;
\pset border 0
\echo 'rows:' :scale 'x 100,000 (events: x 1,000,000); ms; ratio of medians of 7 pairs; spread of the pairwise ratios'
SELECT work, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ours)::numeric, 1) AS ours,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY peer)::numeric, 1) AS peer,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ours / peer)::numeric, 2) AS ratio, '-' AS bar,
       round(min(ours / peer)::numeric, 2) || ' to ' || round(max(ours / peer)::numeric, 2) AS spread
FROM run GROUP BY work ORDER BY min(pair), work;
SQL
psql -Xqc 'DROP DATABASE qg_bench' postgres
