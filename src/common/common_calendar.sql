
-- common: the deadline clock

CREATE TABLE calendar (
  calendar text NOT NULL,
  timezone text NOT NULL,
  weekend integer[] NOT NULL DEFAULT '{6,7}',
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT calendar_pkey PRIMARY KEY (calendar),
  CONSTRAINT calendar_timezone CHECK (timezone('UTC', '2000-01-01'::timestamp) AT TIME ZONE timezone IS NOT NULL),
  CONSTRAINT calendar_weekend CHECK (weekend <@ '{1,2,3,4,5,6,7}' AND cardinality(weekend) < 7)
);
COMMENT ON TABLE calendar IS
  'Calendars by name: time zone whose days count, and the ISO weekdays (1 Monday to 7 Sunday) that are not worked';
COMMENT ON COLUMN calendar.calendar IS 'Name, as callers give it';
COMMENT ON COLUMN calendar.timezone IS 'Time zone (IANA name) whose midnights part the days';
COMMENT ON COLUMN calendar.weekend IS 'ISO weekdays that are not worked, 1 Monday to 7 Sunday';
COMMENT ON COLUMN calendar.builtin IS 'Shipped with the extension: cannot be changed, is not dumped';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.calendar', 'WHERE NOT builtin');
INSERT INTO calendar VALUES ('CN', 'Asia/Shanghai', '{6,7}', true);
CREATE TRIGGER calendar_builtin BEFORE INSERT OR UPDATE OR DELETE ON calendar
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE calendar_day (
  calendar text NOT NULL,
  day date NOT NULL,
  working boolean NOT NULL,
  note text,
  CONSTRAINT calendar_day_pkey PRIMARY KEY (calendar, day),
  CONSTRAINT calendar_day_day CHECK (isfinite(day))
);
COMMENT ON TABLE calendar_day IS
  'Days that differ from the weekly pattern: holidays, and make-up working weekends; shipped empty, calendar_load() fills it from the State Council''s yearly notice';
COMMENT ON COLUMN calendar_day.calendar IS 'Calendar the day belongs to';
COMMENT ON COLUMN calendar_day.day IS 'Date that differs from the weekly pattern';
COMMENT ON COLUMN calendar_day.working IS 'True for a make-up working day, false for a holiday';
COMMENT ON COLUMN calendar_day.note IS 'What day it is, free text';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.calendar_day', '');

CREATE TABLE calendar_year (
  calendar text NOT NULL,
  year integer NOT NULL,
  source text,
  CONSTRAINT calendar_year_pkey PRIMARY KEY (calendar, year)
);
COMMENT ON TABLE calendar_year IS 'Years whose holidays are loaded, and from what source';
COMMENT ON COLUMN calendar_year.calendar IS 'Calendar the year belongs to';
COMMENT ON COLUMN calendar_year.year IS 'Year whose days are known; beyond the latest one callers are warned';
COMMENT ON COLUMN calendar_year.source IS 'Where the days are published';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.calendar_year', '');

CREATE FUNCTION calendar_require(calendar text) RETURNS calendar
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found_calendar quality_gov.calendar;
BEGIN
  SELECT * INTO found_calendar FROM quality_gov.calendar c WHERE c.calendar = calendar_require.calendar;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'calendar "%" does not exist', calendar USING ERRCODE = 'undefined_object',
      HINT = 'Calendars are rows of quality_gov.calendar.';
  END IF;
  RETURN found_calendar;
END
$$;
COMMENT ON FUNCTION calendar_require(text) IS 'Gives a calendar, or an error where there is none of the name';

CREATE FUNCTION calendar_load(calendar text, year integer, holidays date[], workdays date[] DEFAULT '{}',
                              source text DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong date;
BEGIN
  -- Two loads of a calendar come one after the other, and neither leaves days of a calendar that is gone.
  PERFORM FROM quality_gov.calendar c WHERE c.calendar = calendar_load.calendar FOR NO KEY UPDATE;
  PERFORM quality_gov.calendar_require(calendar);
  IF year IS NULL OR holidays IS NULL OR workdays IS NULL OR array_position(holidays || workdays, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'year, holidays and workdays must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF year NOT BETWEEN 1949 AND 2200 THEN
    RAISE EXCEPTION 'year % cannot be right', year USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT d INTO wrong FROM unnest(holidays || workdays) d WHERE NOT isfinite(d) OR extract(year FROM d) <> calendar_load.year LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is not a day of %', wrong, year USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT d INTO wrong FROM unnest(holidays) d WHERE d = ANY (workdays) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is both a holiday and a working day', wrong USING ERRCODE = 'invalid_parameter_value';
  END IF;
  DELETE FROM quality_gov.calendar_day c
  WHERE c.calendar = calendar_load.calendar AND extract(year FROM c.day) = calendar_load.year;
  INSERT INTO quality_gov.calendar_day (calendar, day, working)
  SELECT DISTINCT calendar_load.calendar, d, d = ANY (workdays) FROM unnest(holidays || workdays) d;
  DELETE FROM quality_gov.calendar_year c
  WHERE c.calendar = calendar_load.calendar AND c.year = calendar_load.year;
  INSERT INTO quality_gov.calendar_year VALUES (calendar, year, source);
  RETURN (SELECT count(*) FROM quality_gov.calendar_day c
          WHERE c.calendar = calendar_load.calendar AND extract(year FROM c.day) = calendar_load.year);
END
$$;
COMMENT ON FUNCTION calendar_load(text, integer, date[], date[], text) IS
  'Replaces a year of a calendar: holidays, make-up working days, and where they are published; gives the number of days';

CREATE FUNCTION workday_step(day date, days integer, calendar text) RETURNS date
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  c quality_gov.calendar := quality_gov.calendar_require(calendar);
  step integer := CASE WHEN days < 0 THEN -1 ELSE 1 END;
  reach integer := 0;
  result date;
BEGIN
  IF day IS NULL OR days IS NULL THEN
    RETURN NULL;
  END IF;
  IF NOT isfinite(day) OR days NOT BETWEEN -100000 AND 100000 THEN
    RAISE EXCEPTION 'a finite date and at most 100000 working days are needed' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF days = 0 THEN
    RETURN day;
  END IF;
  -- Looks ahead in stretches that grow until they hold enough working days.
  LOOP
    reach := reach + abs(days) * 2 + 30;
    SELECT d.day INTO result
    FROM (SELECT day + step * g AS day FROM generate_series(1, reach) g) d
    LEFT JOIN quality_gov.calendar_day x ON x.calendar = c.calendar AND x.day = d.day
    WHERE COALESCE(x.working, NOT extract(isodow FROM d.day)::integer = ANY (c.weekend))
    ORDER BY abs(d.day - workday_step.day) OFFSET abs(days) - 1 LIMIT 1;
    EXIT WHEN FOUND;
    IF reach > 10000000 THEN
      RAISE EXCEPTION 'calendar "%" has too few working days', calendar USING ERRCODE = 'data_exception';
    END IF;
  END LOOP;
  RETURN result;
END
$$;
COMMENT ON FUNCTION workday_step(date, integer, text) IS
  'The date so many working days after (or before) a day, which itself is not counted; no warning about years that are not loaded';

CREATE FUNCTION calendar_warn(calendar text, day date) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  last integer := (SELECT max(y.year) FROM quality_gov.calendar_year y WHERE y.calendar = calendar_warn.calendar);
BEGIN
  IF extract(year FROM day) > COALESCE(last, 0) THEN
    RAISE WARNING 'calendar "%" has no holidays of %', calendar, extract(year FROM day)
      USING DETAIL = COALESCE('The last year loaded is ' || last || '; days after it are counted by the weekly pattern.',
                              'No year is loaded; days are counted by the weekly pattern.'),
            HINT = 'Load the year with quality_gov.calendar_load().';
  END IF;
END
$$;
COMMENT ON FUNCTION calendar_warn(text, date) IS 'Warns where a day lies beyond the last loaded year of a calendar';

CREATE FUNCTION is_workday(day date, calendar text DEFAULT 'CN') RETURNS boolean
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  c quality_gov.calendar := quality_gov.calendar_require(calendar);
BEGIN
  IF NOT isfinite(day) THEN
    RAISE EXCEPTION 'a finite date is needed' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.calendar_warn(calendar, day);
  RETURN COALESCE((SELECT x.working FROM quality_gov.calendar_day x
                   WHERE x.calendar = c.calendar AND x.day = is_workday.day),
                  NOT extract(isodow FROM day)::integer = ANY (c.weekend));
END
$$;
COMMENT ON FUNCTION is_workday(date, text) IS 'Whether a day is a working day (工作日) of a calendar';

CREATE FUNCTION workday_add(day date, days integer, calendar text DEFAULT 'CN') RETURNS date
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  result date := quality_gov.workday_step(day, days, calendar);
BEGIN
  PERFORM quality_gov.calendar_warn(calendar, greatest(day, result));
  RETURN result;
END
$$;
COMMENT ON FUNCTION workday_add(date, integer, text) IS
  'The date so many working days after a day, before it where negative, the day itself where 0; the day itself is not counted';

CREATE FUNCTION workdays_between(since date, until date, calendar text DEFAULT 'CN') RETURNS integer
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  c quality_gov.calendar := quality_gov.calendar_require(calendar);
BEGIN
  IF NOT isfinite(since) OR NOT isfinite(until) OR abs(until - since) > 1000000 THEN
    RAISE EXCEPTION 'finite dates at most 1000000 days apart are needed' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.calendar_warn(calendar, greatest(since, until));
  RETURN sign(until - since) * (
    SELECT count(*) FROM (
      SELECT least(since, until) + CASE WHEN until < since THEN 0 ELSE 1 END + g AS day
      FROM generate_series(0, abs(until - since) - 1) g) d
    LEFT JOIN quality_gov.calendar_day x ON x.calendar = c.calendar AND x.day = d.day
    WHERE COALESCE(x.working, NOT extract(isodow FROM d.day)::integer = ANY (c.weekend)));
END
$$;
COMMENT ON FUNCTION workdays_between(date, date, text) IS
  'Working days after the one day up to and including the other; negative where the second is earlier';

CREATE FUNCTION deadline_compute(start timestamptz, amount integer, unit text, calendar text DEFAULT 'CN',
                                 roll boolean DEFAULT true) RETURNS timestamptz
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  c quality_gov.calendar := quality_gov.calendar_require(calendar);
  first date := (start AT TIME ZONE c.timezone)::date;
  last date;
BEGIN
  IF amount < 0 OR amount > 100000 OR NOT isfinite(start) THEN
    RAISE EXCEPTION 'a deadline needs a finite start and an amount from 0 to 100000' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  CASE unit
    WHEN 'hour' THEN RETURN start + make_interval(hours => amount);
    WHEN 'workday' THEN last := quality_gov.workday_step(first, amount, calendar);
    WHEN 'day' THEN last := first + amount;
    WHEN 'month' THEN last := first + make_interval(months => amount);
    WHEN 'year' THEN last := first + make_interval(years => amount);
    ELSE RAISE EXCEPTION 'unknown unit "%"', unit USING ERRCODE = 'invalid_parameter_value',
           HINT = 'Units are hour, day, workday, month and year.';
  END CASE;
  IF roll AND unit <> 'workday' THEN
    -- The first working day from the last day on.
    last := quality_gov.workday_step(last - 1, 1, calendar);
  END IF;
  RETURN (last + 1)::timestamp AT TIME ZONE c.timezone;
END
$$;
COMMENT ON FUNCTION deadline_compute(timestamptz, integer, text, text, boolean) IS
  'deadline_at() without the warning about years that are not loaded, for views';

CREATE FUNCTION deadline_at(start timestamptz, amount integer, unit text, calendar text DEFAULT 'CN',
                            roll boolean DEFAULT true) RETURNS timestamptz
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  result timestamptz := quality_gov.deadline_compute(start, amount, unit, calendar, roll);
BEGIN
  IF unit <> 'hour' AND (roll OR unit = 'workday') THEN
    PERFORM quality_gov.calendar_warn(calendar,
      (result AT TIME ZONE (quality_gov.calendar_require(calendar)).timezone)::date - 1);
  END IF;
  RETURN result;
END
$$;
COMMENT ON FUNCTION deadline_at(timestamptz, integer, text, text, boolean) IS
  'The instant after the last moment of a term of hours, days, workdays, months or years. Hours run exactly; of the others the first day is not counted, days are those of the calendar''s time zone, and with roll a term that would end on a day off ends on the next working day (投诉举报处理办法 art 45)';

CREATE FUNCTION doctor_calendar(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT CASE WHEN y.year IS NULL THEN 'warning' ELSE 'ok' END, format('calendar %s, %s', c.calendar, want.year),
         CASE WHEN y.year IS NULL THEN 'holidays not loaded; working days are counted by the weekly pattern'
              ELSE COALESCE('loaded from ' || y.source, 'loaded') END,
         CASE WHEN y.year IS NULL THEN 'Load the year with quality_gov.calendar_load().' END
  FROM quality_gov.calendar c
  CROSS JOIN LATERAL (SELECT extract(year FROM now() AT TIME ZONE c.timezone)::integer AS year) want
  LEFT JOIN quality_gov.calendar_year y ON y.calendar = c.calendar AND y.year = want.year
$$;
COMMENT ON FUNCTION doctor_calendar() IS 'Check: calendars whose current year is not loaded';
