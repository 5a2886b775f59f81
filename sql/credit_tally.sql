-- credit_tally: a decayed pair of sums that is the same in any order, against a naive formula.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';

SELECT opcname, amname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE opcintype = 'credit_tally'::regtype ORDER BY 1, 2;

-- by hand: 1 bad on one day and 1 on the next, half-life a day, are 1.5 on the second, 0.75 on the third
SELECT (credit_tally_at(credit_tally(0, 1, at, '1 day'), '2026-01-02')).*, (credit_tally_at(credit_tally(0, 1, at, '1 day'), '2026-01-03')).bad AS third,
       (credit_tally_at(credit_tally(0, 1, at, '1 day'), '2026-01-01')).bad AS first
FROM unnest(ARRAY[timestamptz '2026-01-01', '2026-01-02']) AS at;
SELECT round(good::numeric, 14) AS good, round(bad::numeric, 14) AS bad
FROM (SELECT (credit_tally_at(credit_tally(3, 0.25, '2026-01-01', '30 days'), '2026-01-31')).*) AS t;

-- 4,000 events of four years; their decayed sum in plain SQL, and the sum of their absolute contributions
CREATE TABLE event AS
  SELECT n, (n * 7919 % 101)::float8 / 10 AS good, (n * 104729 % 97)::float8 / 7 - 3 AS bad,
         timestamptz '2023-01-01' + (n * 15485863::bigint % 126230400) * interval '1 second' AS at, n * 31 % 7 AS part
  FROM generate_series(1, 4000) AS n;
CREATE FUNCTION pg_temp.decay(at timestamptz, now timestamptz, half_life interval) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN h > 1000 THEN 0 ELSE power(2::float8, -h) END
  FROM (SELECT extract(epoch FROM now - at)::float8 / extract(epoch FROM half_life)::float8 AS h) AS d
$$;
-- whether both sums of a tally are those of the events, to 1e-9 of the absolute contributions
CREATE FUNCTION pg_temp.agrees(tally credit_tally, now timestamptz, half_life interval) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT abs(t.good - e.good) <= 1e-9 * e.good_size AND abs(t.bad - e.bad) <= 1e-9 * e.bad_size
  FROM credit_tally_at(tally, now) AS t,
    (SELECT sum(good * d) AS good, sum(bad * d) AS bad, sum(abs(good * d)) AS good_size, sum(abs(bad * d)) AS bad_size
     FROM (SELECT good, bad, pg_temp.decay(at, now, half_life) AS d FROM event) AS s) AS e
$$;

-- half-lives from a day to a century, read among and after the events
SELECT half_life, bool_and(pg_temp.agrees(tally, now, half_life)) AS agrees
FROM (SELECT half_life, (SELECT credit_tally(good, bad, at, half_life) FROM event) AS tally
      FROM unnest(ARRAY['1 day', '7 days', '90 days', '365 days', '36500 days', '1 day 13 hours 0.000001 seconds']::interval[]) AS half_life) AS t,
  unnest(ARRAY[timestamptz '2024-06-01', '2027-01-01', '2030-07-15 12:34:56.789']) AS now
WHERE half_life > '2 days' OR now < '2030-01-01'
GROUP BY half_life ORDER BY half_life;

-- any order, any grouping, merged by operator and by aggregate
SELECT bool_and(pg_temp.agrees(tally, '2027-01-01', '90 days')) AS agrees, count(*) AS ways FROM (
  SELECT credit_tally(good, bad, at, '90 days' ORDER BY at) AS tally FROM event UNION ALL
  SELECT credit_tally(good, bad, at, '90 days' ORDER BY at DESC) FROM event UNION ALL
  SELECT credit_tally(good, bad, at, '90 days' ORDER BY md5(n::text)) FROM event UNION ALL
  SELECT credit_tally_merge(t) FROM (SELECT credit_tally(good, bad, at, '90 days') AS t FROM event GROUP BY part) AS p UNION ALL
  SELECT credit_tally_merge(t ORDER BY k DESC) FROM (SELECT credit_tally(good, bad, at, '90 days') AS t, date_trunc('month', at) AS k FROM event GROUP BY 2) AS p UNION ALL
  SELECT credit_tally(good, bad, at, '90 days') FILTER (WHERE n > 17) + credit_tally(good, bad, at, '90 days') FILTER (WHERE n <= 17) FROM event UNION ALL
  SELECT credit_tally(good, bad, at, '90 days') FILTER (WHERE n <= 17) + credit_tally(good, bad, at, '90 days') FILTER (WHERE n > 17) FROM event UNION ALL
  SELECT t::text::credit_tally FROM (SELECT credit_tally(good, bad, at, '90 days') AS t FROM event) AS p) AS w;
-- whole half-lives since 2000-01-01 weigh powers of two, which have no rounding: the same to the bit, in every way
SELECT count(DISTINCT t) AS tallies, count(DISTINCT t::text) AS texts FROM (
  SELECT credit_tally(1, 2, date '2026-01-03' + n * 7, '7 days' ORDER BY n) AS t FROM generate_series(0, 20) AS n UNION ALL
  SELECT credit_tally(1, 2, date '2026-01-03' + n * 7, '7 days' ORDER BY n DESC) FROM generate_series(0, 20) AS n UNION ALL
  SELECT credit_tally(1, 2, date '2026-01-03' + n * 7, '168 hours' ORDER BY n % 5) FROM generate_series(0, 20) AS n) AS w;

-- a voided event leaves nothing: its negative undoes it, whenever that comes
SELECT pg_temp.agrees(credit_tally(good, bad, at, '90 days'), '2027-01-01', '90 days') AS agrees
FROM (SELECT n, good, bad, at FROM event UNION ALL SELECT n, 5 * good, 3 * bad, at FROM event WHERE part = 3 UNION ALL
      SELECT -n, -5 * good, -3 * bad, at FROM event WHERE part = 3) AS e;
SELECT (credit_tally_at(credit_tally(g, -g, '2026-01-01', '1 day'), '2026-01-01')).* FROM unnest(ARRAY[0.1, -0.1, 7, -7]::float8[]) AS g;

-- a century of a half-life of a day: what is old vanishes, also where it comes last
SELECT (credit_tally_at(credit_tally(g, 0, at, '1 day' ORDER BY at), '2026-01-01')).good AS in_order,
       (credit_tally_at(credit_tally(g, 0, at, '1 day' ORDER BY at DESC), '2026-01-01')).good AS backwards,
       (credit_tally_at(credit_tally(g, 0, at, '1 day') FILTER (WHERE at < '1980-01-01'), '2026-01-01')).good AS old,
       (credit_tally_at(credit_tally(g, 0, at, '1 day') FILTER (WHERE at < '1980-01-01'), '1926-01-01')).good > 1e6 AS then
FROM (VALUES (1e6, timestamptz '1926-01-01'), (4, '2026-01-01'), (8, '2025-12-31'), (1e6, '1927-01-01')) AS e (g, at);
SELECT (credit_tally_at(credit_tally(1, 1, d, '1 day'), '2026-01-01')).good BETWEEN 2 - 1e-9 AND 2 + 1e-9 AS geometric
FROM generate_series(timestamptz '1926-01-01', '2026-01-01', '1 day') AS d;
-- events an hour apart at both ends of 200 years, the old ones last, half-life an hour: no overflow, 1 + 1/2 + 1/4 + ... stays 2
SELECT (credit_tally_at(credit_tally(1, -1, d, '1 hour' ORDER BY d DESC), '2126-01-01')).good BETWEEN 2 - 1e-9 AND 2 + 1e-9 AS geometric
FROM generate_series(timestamptz '1926-01-01', '1926-03-01', '1 hour') AS h, LATERAL (VALUES (h), (h + interval '200 years' - interval '59 days')) AS e (d)
WHERE d <= '2126-01-01';

-- in parallel as in one process
ALTER TABLE event SET (parallel_workers = 4);
SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
EXPLAIN (COSTS off) SELECT credit_tally(good, bad, at, '90 days') FROM event;
CREATE TABLE in_parallel AS SELECT part, credit_tally(good, bad, at, '90 days') AS tally FROM event GROUP BY part;
SELECT pg_temp.agrees(credit_tally_merge(tally), '2027-01-01', '90 days') AS agrees FROM in_parallel;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) AS parts, bool_and(abs(p.good - s.good) <= 1e-9 * s.good AND abs(p.bad - s.bad) <= 1e-9 * s.size) AS same
FROM in_parallel AS i JOIN (SELECT part, credit_tally(good, bad, at, '90 days') AS tally, sum(abs(bad) * pg_temp.decay(at, '2027-01-01', '90 days')) AS size
                            FROM event GROUP BY part) AS e USING (part),
  credit_tally_at(i.tally, '2027-01-01') AS p, LATERAL (SELECT g.good, g.bad, e.size FROM credit_tally_at(e.tally, '2027-01-01') AS g) AS s;

-- a running tally is that of the rows so far
SELECT bool_and(abs((credit_tally_at(running, '2027-01-01')).good - expected) <= 1e-9 * expected) AS running
FROM (SELECT credit_tally(good, bad, at, '90 days') OVER w AS running, sum(good * pg_temp.decay(at, '2027-01-01', '90 days')) OVER w AS expected
      FROM event WHERE n <= 300 WINDOW w AS (ORDER BY n)) AS r;

-- nulls are passed over; nothing gives null
SELECT count(*) AS rows, (credit_tally_at(credit_tally(g, b, at, h::interval), '2026-01-01')).*
FROM (VALUES (NULL, 1, timestamptz '2026-01-01', '1 day'), (2, NULL, '2026-01-01', '1 day'), (2, 1, NULL, '1 day'),
  (2, 1, '2026-01-01', NULL), (5, 6, '2026-01-01', '1 day'), (NULL, NULL, NULL, NULL)) AS e (g, b, at, h);
SELECT credit_tally(1, NULL, '2026-01-01', '1 day') AS none, credit_tally_merge(NULL) AS merged, NULL::credit_tally + '(1,2)@0/1000000' AS added,
       credit_tally_at(NULL, '2026-01-01') AS at;

-- text and back is the same to the bit, whatever the session prints
SET extra_float_digits = -15;
SELECT count(*) AS tallies, count(*) FILTER (WHERE t::text::credit_tally = t AND t::text::credit_tally::text = t::text) AS same
FROM (SELECT credit_tally(good * 1e-9, bad * 1e17, at, n * interval '1.3 seconds' + interval '1 second') AS t FROM event GROUP BY n) AS e;
RESET extra_float_digits;
SELECT t::credit_tally FROM unnest(ARRAY['(1,2)@0/1000000', '(-0,0)@-1/86400000000', '(1.50,1e3)@1/86400000000', '(5e-324,1.7976931348623157e308)@0/1000000']) AS t;

DROP FUNCTION pg_temp.agrees;
DROP TABLE event, in_parallel;
DROP EXTENSION quality_gov;
