-- credit_tally: what it refuses, and its order without meaning.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';

-- events that cannot have been
SELECT credit_tally('NaN', 0, '2026-01-01', '1 day');
SELECT credit_tally(0, 'NaN', '2026-01-01', '1 day');
SELECT credit_tally('Infinity', 0, '2026-01-01', '1 day');
SELECT credit_tally(0, '-Infinity', '2026-01-01', '1 day');
SELECT credit_tally(1, 0, 'infinity', '1 day');
SELECT credit_tally(1, 0, '-infinity', '1 day');
SELECT credit_tally(1e308, 0, '2026-01-01', '1 day');
SELECT credit_tally(1e231, 0, '2026-01-01', '36500 days') IS NOT NULL AS large;
-- half-lives
SELECT credit_tally(1, 0, '2026-01-01', '0');
SELECT credit_tally(1, 0, '2026-01-01', '-1 day');
SELECT credit_tally(1, 0, '2026-01-01', '0.999999 seconds');
SELECT credit_tally(1, 0, '2026-01-01', '1 month');
SELECT credit_tally(1, 0, '2026-01-01', '1 year -365 days');
SELECT credit_tally(1, 0, '2026-01-01', '105000 days');
SELECT credit_tally(1, 0, '2026-01-01', '2147483647 days');
SELECT credit_tally(1, 0, '2026-01-01', '104000 days') IS NOT NULL AS longest, credit_tally(1, 0, '2026-01-01', '1 second') IS NOT NULL AS shortest;
SELECT credit_tally(1, 0, '2026-01-01', h) FROM unnest(ARRAY['1 day', '2 days']::interval[]) AS h;
SELECT credit_tally(1, 0, '2026-01-01', '1 day') + credit_tally(1, 0, '2026-01-01', '1 hour');
SELECT credit_tally_merge(t::credit_tally) FROM unnest(ARRAY['(1,0)@0/1000000', '(1,0)@0/1000001']) AS t;
-- sums that leave the range
SELECT '(1.7e308,0)@0/1000000'::credit_tally + '(1.7e308,0)@0/1000000';
SELECT '(0,-1.7e308)@0/1000000'::credit_tally + '(0,-1.7e308)@0/1000000';
-- reading: never beyond what is finite; the ends of time
SELECT credit_tally_at('(1,0)@0/1000000', 'infinity');
SELECT credit_tally_at('(1,0)@0/1000000', '-infinity');
SELECT credit_tally_at('(1,0)@0/1000000', '1999-01-01');
SELECT credit_tally_at('(1,0)@0/1000000', '2000-01-01 00:00:01'), credit_tally_at('(1,0)@0/1000000', '294276-12-31'), credit_tally_at('(1,0)@0/1000000', '1999-12-31 23:59:58');
SELECT round(good::numeric, 14) AS good, round(bad::numeric, 14) AS bad
FROM (SELECT at, (credit_tally_at(credit_tally(1, 2, at, '1 day'), at)).* FROM unnest(ARRAY[timestamptz '4713-01-01 BC', '294276-12-31 23:59:59', '1999-12-31', '2000-01-01']) AS at GROUP BY at) AS t
ORDER BY at;
-- the transition is for the aggregate alone
SELECT credit_tally_accum(NULL, 1, 1, '2026-01-01', '1 day');

-- hostile text
DO $$
DECLARE
  input text;
BEGIN
  FOREACH input IN ARRAY ARRAY['', ' ', '(', '()', '(,)', '(,)@0/1000000', '(1,)@0/1000000', '(,1)@0/1000000', '(1,2)', '(1,2)@', '(1,2)@0', '(1,2)@0/',
    '(1,2)@/1000000', '(1,2)@0/1000000x', '(1,2)@0/1000000)', 'x(1,2)@0/1000000', '1,2@0/1000000', '(1;2)@0/1000000', '(1,2,3)@0/1000000',
    '(nan,0)@0/1000000', '(0,NaN)@0/1000000', '(inf,0)@0/1000000', '(0,-Infinity)@0/1000000', '(1e999,0)@0/1000000', '(nan(1),0)@0/1000000',
    '(1,2)@0/0', '(1,2)@0/-1000000', '(1,2)@0/999999', '(1,2)@0/9223372036854775807', '(1,2)@0/9223372036854775808', '(1,2)@0/99999999999999999999999',
    '(1,2)@9223372036854775807/1000000', '(1,2)@-9223372036854775808/1000000', '(1,2)@99999999999999999999999/1000000', '(1,2)@1e3/1000000', '(1,2)@0x1/1000000',
    '(1,2)@0.5/1000000', '(１,2)@0/1000000', '(1,2)@0/１000000', '%s%n', '(%n,%s)@%d/%d', repeat('(', 10000), '(' || repeat('9', 100000) || ',0)@0/1000000'] LOOP
    BEGIN
      RAISE WARNING 'read: % as %', left(input, 60), left(input::credit_tally::text, 60);
    EXCEPTION WHEN invalid_text_representation THEN
      NULL;
    END;
  END LOOP;
END
$$;
SELECT '(1,2)@0/1'::credit_tally;

-- order and hash agree with each other, and bytes with both
CREATE TABLE tally AS
  SELECT format('(%s,%s)@%s/%s', g, b, c, h)::credit_tally AS t
  FROM unnest('{-0,0,1,-2.5}'::text[]) AS g, unnest('{0,-0,3}'::text[]) AS b, unnest('{-1,0,2}'::int[]) AS c, unnest('{1000000,86400000000}'::bigint[]) AS h;
SELECT count(*) AS tallies, count(DISTINCT t) AS ones, count(DISTINCT t::text) AS texts FROM tally;
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE (a.t = b.t) = (a.t::text = b.t::text) AND (a.t <> b.t) = (a.t::text <> b.t::text) AND (a.t < b.t) = (b.t > a.t)
                          AND (a.t <= b.t) = NOT (a.t > b.t) AND (a.t >= b.t) = NOT (a.t < b.t) AND (a.t = b.t) = (credit_tally_cmp(a.t, b.t) = 0)
                          AND (a.t < b.t) = (credit_tally_cmp(a.t, b.t) < 0) AND (a.t <> b.t OR credit_tally_hash(a.t) = credit_tally_hash(b.t)
                               AND credit_tally_hash_extended(a.t, 5) = credit_tally_hash_extended(b.t, 5))) AS consistent
FROM tally AS a, tally AS b;
SET enable_mergejoin = off;
SELECT count(*) AS by_hash FROM tally AS a JOIN tally AS b USING (t);
RESET enable_mergejoin;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT count(*) AS by_merge FROM tally AS a JOIN tally AS b USING (t);

DROP TABLE tally;
DROP EXTENSION quality_gov;
