-- The deadline clock: working days, hours, days, months and years over an invented calendar.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET datestyle = 'ISO';
SET timezone = 'Asia/Shanghai';

-- five holidays from Friday 1 May 2026 on, Saturday 9 May worked for it; the turn of the year is off
INSERT INTO calendar (calendar, timezone) VALUES ('TEST', 'Asia/Shanghai');
SELECT calendar_load('TEST', 2026, '{2026-05-01,2026-05-02,2026-05-03,2026-05-04,2026-05-05,2026-12-31}', '{2026-05-09}', 'invented') AS days,
       calendar_load('TEST', 2027, '{2027-01-01}', source => 'invented') AS next_year,
       calendar_load('TEST', 2028, '{}') AS pattern_only;
SELECT day, to_char(day, 'Dy') AS weekday, is_workday(day, 'TEST')
FROM (SELECT date '2026-04-30' + n AS day FROM generate_series(0, 11) AS n) AS d;

-- the day itself is not counted; 0 is the day itself, working or not
SELECT day, n, workday_add(day, n, 'TEST') FROM (VALUES (date '2026-04-30', 1), ('2026-04-30', 2), ('2026-04-30', 4), ('2026-04-30', 5),
  ('2026-05-02', 1), ('2026-05-02', 0), ('2026-05-02', -1), ('2026-05-06', -1), ('2026-05-11', -1), ('2026-05-11', -5),
  ('2026-12-30', 1), ('2026-12-30', 0), ('2027-01-04', -1), ('2026-01-01', 250), (NULL, 1), ('2026-01-01', NULL)) AS v (day, n);
SELECT since, until, workdays_between(since, until, 'TEST') FROM (VALUES (date '2026-04-30', date '2026-05-11'), ('2026-05-11', '2026-04-30'),
  ('2026-05-01', '2026-05-05'), ('2026-05-05', '2026-05-06'), ('2026-05-06', '2026-05-05'), ('2026-05-08', '2026-05-10'), ('2026-05-09', '2026-05-09'),
  ('2026-12-30', '2027-01-04'), ('2026-01-01', '2026-12-31'), (NULL, '2026-01-01')) AS v (since, until);

-- the one undoes the other, ends on a working day, and stretches in one direction add up
SELECT count(*) AS pairs, count(*) FILTER (WHERE workdays_between(day, there, 'TEST') = n) AS back,
       count(*) FILTER (WHERE n = 0 OR is_workday(there, 'TEST')) AS working,
       count(*) FILTER (WHERE n < 0 AND there < day OR n = 0 AND there = day OR n > 0 AND there > day) AS ordered
FROM (SELECT date '2026-03-02' + d AS day, n, workday_add(date '2026-03-02' + d, n, 'TEST') AS there
      FROM generate_series(0, 330, 3) AS d, unnest('{-60,-22,-6,-5,-4,-3,-2,-1,0,1,2,3,4,5,6,22,60}'::int[]) AS n) AS s;
SELECT count(*) AS triples, count(*) FILTER (WHERE workdays_between(a, b, 'TEST') + workdays_between(b, c, 'TEST') = workdays_between(a, c, 'TEST')) AS add_up
FROM (SELECT date '2026-04-24' + a AS a, date '2026-04-24' + b AS b, date '2026-04-24' + c AS c
      FROM generate_series(0, 21, 3) AS a, generate_series(0, 21, 2) AS b, generate_series(0, 21, 3) AS c) AS t
WHERE a <= b AND b <= c OR a >= b AND b >= c;

-- hours run exactly, through everything; of others the first day is not counted, and the last counts whole
SELECT start, amount, unit, deadline_at(start, amount, unit, 'TEST') AS rolled, deadline_at(start, amount, unit, 'TEST', false) AS plain
FROM (VALUES (timestamptz '2026-04-30 18:00', 24, 'hour'), ('2026-05-01 00:00', 0, 'hour'), ('2026-04-30 18:00', 1, 'workday'),
  ('2026-04-28 10:00', 2, 'day'), ('2026-04-28 10:00', 3, 'day'), ('2026-04-28 10:00', 0, 'day'), ('2026-05-02 10:00', 0, 'day'),
  ('2026-05-02 10:00', 0, 'workday'), ('2026-05-02 10:00', 7, 'day'), ('2026-05-02 10:00', 8, 'day'), ('2026-05-06 23:59:59.999999', 7, 'workday'),
  ('2026-01-31 09:00', 1, 'month'), ('2026-01-31 09:00', 2, 'month'), ('2026-03-31 09:00', 1, 'month'), ('2026-04-01 09:00', 1, 'month'),
  ('2026-11-30 09:00', 1, 'month'), ('2026-12-31 09:00', 2, 'month'), ('2027-11-30 09:00', 3, 'month'), ('2024-02-29 09:00', 4, 'year'),
  ('2026-02-28 09:00', 2, 'year'), ('2024-02-29 09:00', 3, 'year'), ('2026-12-30 09:00', 1, 'day'), ('2026-12-30 09:00', 1, 'workday')) AS v (start, amount, unit);

-- days are those of the calendar's zone, whatever the session's
INSERT INTO calendar (calendar, timezone, weekend) VALUES ('FAR', 'America/New_York', '{5}');
SELECT calendar_load('FAR', 2026, '{}') AS days;
SET timezone = 'UTC';
SELECT c, deadline_at('2026-04-27 15:59:59+00', 1, 'workday', c) AS before_midnight, deadline_at('2026-04-27 16:00+00', 1, 'workday', c) AS after_midnight
FROM unnest(ARRAY['TEST', 'FAR']) AS c;
-- the clock change of 8 March 2026: a day of 23 hours ends at midnight, 24 hours are 24 hours
SELECT deadline_at('2026-03-07 12:00-05', 1, 'day', 'FAR') AS day, deadline_at('2026-03-07 12:00-05', 24, 'hour', 'FAR') AS hours,
       workday_add('2026-04-23', 1, 'FAR') AS friday_off;
SET timezone = 'Asia/Shanghai';

-- beyond the last loaded year: a warning, and the weekly pattern; nothing where the calendar is not asked
SELECT is_workday('2028-12-29', 'TEST') AS loaded, workday_add('2028-12-29', -1, 'TEST') AS back;
SELECT is_workday('2029-01-01', 'TEST');
SELECT workday_add('2028-12-29', 1, 'TEST');
SELECT workdays_between('2028-12-29', '2029-01-02', 'TEST');
SELECT deadline_at('2028-12-31 10:00', 1, 'day', 'TEST');
SELECT deadline_at('2028-12-31 10:00', 1, 'day', 'TEST', false) AS plain, deadline_at('2028-12-31 10:00', 48, 'hour', 'TEST') AS hours,
       deadline_compute('2028-12-31 10:00', 1, 'day', 'TEST', true) AS for_views;
-- the calendar that is shipped is empty, and the default
SELECT workday_add('2026-05-01', 1);

-- a year is replaced whole
SELECT calendar_load('TEST', 2026, '{2026-05-01,2026-05-01}', '{}') AS days;
SELECT workday_add('2026-04-30', 1, 'TEST') AS after, workday_add('2026-04-30', 2, 'TEST') AS monday,
       is_workday('2026-05-09', 'TEST') AS make_up, is_workday('2027-01-01', 'TEST') AS next_year;
SELECT year, source FROM calendar_year WHERE calendar = 'TEST' ORDER BY year;

-- bad input
SELECT workday_add('2026-01-01', 1, 'NONE');
SELECT workday_add('infinity', 1, 'TEST');
SELECT workday_add('2026-01-01', 100001, 'TEST');
SELECT workday_add('2026-01-01', -2147483648, 'TEST');
SELECT is_workday('-infinity', 'TEST');
SELECT workdays_between('2026-01-01', 'infinity', 'TEST');
SELECT workdays_between('2026-01-01', '9999-01-01', 'TEST');
SELECT workdays_between('2026-01-01', '2026-01-01', '');
SELECT deadline_at('2026-01-01', 1, 'week', 'TEST');
SELECT deadline_at('2026-01-01', 1, 'Day', 'TEST');
SELECT deadline_at('2026-01-01', -1, 'day', 'TEST');
SELECT deadline_at('2026-01-01', 100001, 'hour', 'TEST');
SELECT deadline_at('infinity', 1, 'day', 'TEST');
SELECT deadline_at('2026-01-01', 1, 'day', 'none');
SELECT deadline_at(NULL, 1, 'day', 'TEST'), deadline_at('2026-01-01', NULL, 'day', 'TEST'), deadline_at('2026-01-01', 1, NULL, 'TEST');
SELECT calendar_load('NONE', 2026, '{}');
SELECT calendar_load(NULL, 2026, '{}');
SELECT calendar_load('TEST', NULL, '{}');
SELECT calendar_load('TEST', 99999, '{}');
SELECT calendar_load('TEST', 2026, NULL);
SELECT calendar_load('TEST', 2026, '{2026-01-01,NULL}');
SELECT calendar_load('TEST', 2026, '{2027-01-01}');
SELECT calendar_load('TEST', 2026, '{}', '{infinity}');
SELECT calendar_load('TEST', 2026, '{2026-05-01}', '{2026-05-01}');
INSERT INTO calendar VALUES ('MOON', 'Moon/Tycho');
INSERT INTO calendar VALUES ('NEVER', 'UTC', '{1,2,3,4,5,6,7}');
INSERT INTO calendar VALUES ('EIGHT', 'UTC', '{8}');
INSERT INTO calendar_day VALUES ('TEST', 'infinity', true);
UPDATE calendar SET weekend = '{7}' WHERE calendar = 'CN';
DELETE FROM calendar WHERE calendar = 'CN';
SELECT count(*) AS still FROM calendar_day WHERE calendar = 'TEST' AND day = '2026-05-01';

DROP EXTENSION quality_gov;
