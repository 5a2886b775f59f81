
-- credit: accounts, derived from the events; neither they nor the snapshot are dumped

CREATE TABLE credit_account (
  merchant_id text NOT NULL,
  tallies credit_tally[] NOT NULL,
  events bigint NOT NULL,
  last_recorded timestamptz NOT NULL,
  CONSTRAINT credit_account_pkey PRIMARY KEY (merchant_id)
) WITH (fillfactor = 60);
COMMENT ON TABLE credit_account IS
  'Sums of each merchant''s events that the last roll-up saw, one tally for each indicator and half-life in the order of credit_rollup; derived, not dumped';

CREATE TABLE credit_account_day (
  merchant_id text NOT NULL,
  slot integer NOT NULL,
  day date NOT NULL,
  tally credit_tally NOT NULL,
  CONSTRAINT credit_account_day_pkey PRIMARY KEY (merchant_id, slot, day)
) WITH (fillfactor = 80);
COMMENT ON TABLE credit_account_day IS
  'Sums by day (Asia/Shanghai) for indicators with a window; slot is the place in credit_rollup; derived, not dumped';

CREATE TABLE credit_rollup (
  only_row boolean NOT NULL DEFAULT true,
  seen pg_snapshot,
  at timestamptz,
  indicators text[] NOT NULL DEFAULT '{}',
  half_lives bigint[] NOT NULL DEFAULT '{}',
  windows integer[] NOT NULL DEFAULT '{}',
  CONSTRAINT credit_rollup_pkey PRIMARY KEY (only_row),
  CONSTRAINT credit_rollup_only_row CHECK (only_row)
);
COMMENT ON TABLE credit_rollup IS
  'What credit_account holds: the events that the snapshot seen shows, null before the first roll-up, summed for these indicators and half-lives (microseconds), by day where a window is not 0, over as many days; derived, not dumped';
INSERT INTO credit_rollup DEFAULT VALUES;

CREATE TABLE credit_opening (
  merchant_id text NOT NULL,
  indicator text NOT NULL,
  half_life interval NOT NULL,
  tally credit_tally NOT NULL,
  events bigint NOT NULL,
  until timestamptz NOT NULL,
  size credit_tally NOT NULL,
  CONSTRAINT credit_opening_pkey PRIMARY KEY (merchant_id, indicator, half_life)
);
COMMENT ON TABLE credit_opening IS
  'Exact sums of events that credit_retire() deleted: those recorded before until, without fading (100000 days) and for every half-life that a model asked for then; a fact, and dumped; size sums the absolute amounts, by which rounding is told from a difference';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.credit_opening', '');

CREATE FUNCTION credit_tallies_add(credit_tally[], credit_tally[]) RETURNS credit_tally[]
  AS 'MODULE_PATHNAME', 'qg_credit_tallies_add' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tallies_add(credit_tally[], credit_tally[]) IS
  'Adds the tallies of two accounts place by place; nulls are nothing';

CREATE FUNCTION credit_day(at timestamptz) RETURNS date
  AS 'MODULE_PATHNAME', 'qg_credit_day_sql' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_day(timestamptz) IS
  'Day (Asia/Shanghai) of a finite instant, also of the last hours that a timestamp can tell, which AT TIME ZONE refuses; 22008 for an infinite one';

CREATE FUNCTION credit_slot_wanted(OUT indicators text[], OUT half_lives bigint[], OUT windows integer[])
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(array_agg(s.indicator ORDER BY s.indicator COLLATE "C", s.half_life, s.days), '{}'),
         COALESCE(array_agg(s.half_life ORDER BY s.indicator COLLATE "C", s.half_life, s.days), '{}'),
         COALESCE(array_agg(s.days ORDER BY s.indicator COLLATE "C", s.half_life, s.days), '{}')
  FROM (SELECT i.indicator,
               (extract(epoch FROM COALESCE(i.half_life, interval '100000 days')) * 1000000)::bigint AS half_life,
               COALESCE(max(i.window_days), 0) AS days
        FROM credit_model m JOIN credit_indicator i ON i.model = m.model AND i.version = m.version
        WHERE m.state = 'shadow'
           OR m.state IN ('active', 'retired') AND NOT isempty(m.effect) AND COALESCE(upper(m.effect), 'infinity') > now()
        GROUP BY 1, 2, i.window_days IS NULL) s;
END;
COMMENT ON FUNCTION credit_slot_wanted() IS
  'What accounts should be kept for: each indicator with each half-life (microseconds), without a window (0) and over the longest in days, that a model on trial, in force or to come asks for';

CREATE FUNCTION credit_rollup(at timestamptz DEFAULT now()) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  held quality_gov.credit_rollup;
  wanted record;
  rebuilt boolean := false;
  since xid8;
  own xid8;
  events bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'credit_rollup must run at isolation level read committed'
      USING ERRCODE = 'active_sql_transaction', DETAIL = 'With an older snapshot it would add again what another run has added.';
  END IF;
  -- The lock is taken in one statement; the next reads what the session before left.
  SELECT * INTO held FROM quality_gov.credit_rollup FOR UPDATE;
  SELECT * INTO wanted FROM quality_gov.credit_slot_wanted();
  IF held.seen IS NULL OR (held.indicators, held.half_lives, held.windows)
     IS DISTINCT FROM (wanted.indicators, wanted.half_lives, wanted.windows) THEN
    rebuilt := true;
    DELETE FROM quality_gov.credit_account;
    DELETE FROM quality_gov.credit_account_day;
    UPDATE quality_gov.credit_rollup r
    SET seen = NULL, indicators = wanted.indicators, half_lives = wanted.half_lives, windows = wanted.windows;
  END IF;
  since := CASE WHEN rebuilt THEN '0' ELSE pg_snapshot_xmin(held.seen) END;
  -- A snapshot shows its own transaction, which may go on to write events: all of them are left to the next run.
  own := pg_current_xact_id();
  -- One statement: what is read, what is added and the snapshot that is stored are of one moment.
  WITH was AS MATERIALIZED (
    SELECT r.seen, CASE WHEN pg_visible_in_snapshot(own, s.now)
      THEN format('%s:%s:%s', pg_snapshot_xmin(s.now), pg_snapshot_xmax(s.now),
                  (SELECT string_agg(x::text, ',' ORDER BY x) FROM (SELECT own UNION ALL SELECT pg_snapshot_xip(s.now)) o(x)))::pg_snapshot
      ELSE s.now END AS now
    FROM quality_gov.credit_rollup r, (SELECT pg_current_snapshot() AS now) s),
  slot AS (
    SELECT s.indicator, make_interval(secs => s.half_life / 1000000.0) AS half_life, s.days > 0 AS windowed, s.slot::integer
    FROM quality_gov.credit_rollup r, unnest(r.indicators, r.half_lives, r.windows) WITH ORDINALITY s(indicator, half_life, days, slot)),
  fresh AS MATERIALIZED (
    SELECT e.merchant_id, e.indicator, e.at, e.recorded_at, e.good, e.bad FROM quality_gov.credit_event e, was
    WHERE e.xid >= since AND quality_gov.snapshot_delta(e.xid, was.seen, was.now)),
  sums AS (
    SELECT x.merchant_id, x.slot, quality_gov.credit_tally_merge(x.tally) AS tally
    FROM (SELECT f.merchant_id, s.slot, quality_gov.credit_tally(f.good, f.bad, f.at, s.half_life) AS tally
          FROM fresh f JOIN slot s USING (indicator) WHERE NOT s.windowed GROUP BY 1, 2
          UNION ALL
          -- What was retired is part of an account that is built anew.
          SELECT o.merchant_id, s.slot, o.tally FROM quality_gov.credit_opening o JOIN slot s USING (indicator, half_life), was
          WHERE NOT s.windowed AND was.seen IS NULL) x
    GROUP BY 1, 2),
  merchant AS (
    SELECT x.merchant_id, sum(x.events)::bigint AS events, max(x.last_recorded) AS last_recorded
    FROM (SELECT f.merchant_id, count(*) AS events, max(f.recorded_at) AS last_recorded FROM fresh f GROUP BY 1
          UNION ALL
          SELECT o.merchant_id, sum(o.events) FILTER (WHERE o.half_life = interval '100000 days'), max(o.until) FROM quality_gov.credit_opening o, was WHERE was.seen IS NULL GROUP BY 1) x
    GROUP BY 1),
  account AS (
    INSERT INTO quality_gov.credit_account AS a (merchant_id, tallies, events, last_recorded)
    SELECT m.merchant_id, array_agg(s.tally ORDER BY p.slot), m.events, m.last_recorded
    FROM merchant m CROSS JOIN slot p LEFT JOIN sums s ON s.merchant_id = m.merchant_id AND s.slot = p.slot
    GROUP BY m.merchant_id, m.events, m.last_recorded
    ON CONFLICT (merchant_id) DO UPDATE
    SET tallies = quality_gov.credit_tallies_add(a.tallies, EXCLUDED.tallies), events = a.events + EXCLUDED.events,
        last_recorded = greatest(a.last_recorded, EXCLUDED.last_recorded)),
  days AS (
    INSERT INTO quality_gov.credit_account_day AS d (merchant_id, slot, day, tally)
    SELECT f.merchant_id, s.slot, quality_gov.credit_day(f.at),
           quality_gov.credit_tally(f.good, f.bad, f.at, s.half_life)
    FROM fresh f JOIN slot s USING (indicator) WHERE s.windowed GROUP BY 1, 2, 3
    ON CONFLICT (merchant_id, slot, day) DO UPDATE SET tally = d.tally + EXCLUDED.tally),
  stored AS (
    UPDATE quality_gov.credit_rollup r SET seen = was.now, at = statement_timestamp() FROM was)
  SELECT count(*) INTO events FROM fresh;
  -- Days that no window reaches any more.
  DELETE FROM quality_gov.credit_account_day d
  WHERE d.day < quality_gov.credit_day(statement_timestamp()) - 1 - wanted.windows[d.slot];
  RETURN format('%s events %s', events, CASE WHEN rebuilt THEN 'rolled up anew' ELSE 'rolled up' END);
END
$$;
COMMENT ON FUNCTION credit_rollup(timestamptz) IS
  'Maintenance: adds to the accounts the events that the last roll-up did not see, and begins anew where models ask for other half-lives or windows; what its own transaction wrote is left to the next; waits for another roll-up, for no writer; refuses above read committed (25001); its argument is not used';
