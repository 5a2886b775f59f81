
-- credit: oracles, retention

CREATE FUNCTION credit_account_check(OUT merchant_id text, OUT problem text) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_credit_account_check' LANGUAGE c STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION credit_account_check() IS
  'Merchants whose account differs from what the events come to that the last roll-up saw, by more than 1e-9 of the sum of absolute amounts; one pass over all events';

CREATE FUNCTION credit_account_check(merchant text, OUT merchant_id text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH slot AS (
    -- Sums are compared as they are worth when the last event has happened: before it they might be beyond any number.
    SELECT r.seen, greatest(r.at, (SELECT max(e.at) FROM quality_gov.credit_event e WHERE e.merchant_id = merchant)) AS at,
           s.indicator, make_interval(secs => s.half_life / 1000000.0) AS half_life, s.slot::integer
    FROM quality_gov.credit_rollup r, unnest(r.indicators, r.half_lives, r.windows) WITH ORDINALITY s(indicator, half_life, days, slot)
    WHERE s.days = 0 AND r.seen IS NOT NULL),
  truth AS (
    SELECT x.slot, quality_gov.credit_tally_merge(x.tally) AS tally, quality_gov.credit_tally_merge(x.size) AS size
    FROM (SELECT s.slot, quality_gov.credit_tally(e.good, e.bad, e.at, s.half_life) AS tally,
                 quality_gov.credit_tally(abs(e.good), abs(e.bad), e.at, s.half_life) AS size
          FROM quality_gov.credit_event e JOIN slot s USING (indicator)
          WHERE e.merchant_id = merchant AND pg_visible_in_snapshot(e.xid, s.seen) GROUP BY 1
          UNION ALL
          SELECT s.slot, o.tally, o.size FROM quality_gov.credit_opening o JOIN slot s USING (indicator, half_life)
          WHERE o.merchant_id = merchant) x
    GROUP BY 1)
  SELECT merchant, format('account of indicator "%s" is (%s, %s), its events come to (%s, %s)', s.indicator, a.good, a.bad, t.good, t.bad)
  FROM slot s
  LEFT JOIN truth x USING (slot)
  CROSS JOIN LATERAL (SELECT COALESCE(w.good, 0) AS good, COALESCE(w.bad, 0) AS bad FROM (SELECT) once
    LEFT JOIN quality_gov.credit_tally_at((SELECT c.tallies[s.slot] FROM quality_gov.credit_account c WHERE c.merchant_id = merchant), s.at) w ON true) a
  CROSS JOIN LATERAL (SELECT COALESCE(w.good, 0) AS good, COALESCE(w.bad, 0) AS bad FROM (SELECT) once
    LEFT JOIN quality_gov.credit_tally_at(x.tally, s.at) w ON true) t
  CROSS JOIN LATERAL (SELECT COALESCE(w.good, 0) AS good, COALESCE(w.bad, 0) AS bad FROM (SELECT) once
    LEFT JOIN quality_gov.credit_tally_at(x.size, s.at) w ON true) z
  WHERE abs(a.good - t.good) > 1e-9 * abs(z.good) OR abs(a.bad - t.bad) > 1e-9 * abs(z.bad)
$$;
COMMENT ON FUNCTION credit_account_check(text) IS
  'The same for one merchant, in SQL: a second opinion on the arithmetic in C';

CREATE FUNCTION credit_day_check(merchant text, OUT merchant_id text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH slot AS (
    SELECT r.seen, s.indicator, make_interval(secs => s.half_life / 1000000.0) AS half_life, s.slot::integer,
           quality_gov.credit_day(statement_timestamp()) - s.days AS first
    FROM quality_gov.credit_rollup r, unnest(r.indicators, r.half_lives, r.windows) WITH ORDINALITY s(indicator, half_life, days, slot)
    WHERE s.days > 0 AND r.seen IS NOT NULL),
  truth AS (
    SELECT e.merchant_id, s.slot, quality_gov.credit_day(e.at) AS day,
           quality_gov.credit_tally(e.good, e.bad, e.at, s.half_life) AS tally,
           quality_gov.credit_tally(abs(e.good), abs(e.bad), e.at, s.half_life) AS size
    FROM slot s JOIN quality_gov.credit_event e USING (indicator)
    WHERE pg_visible_in_snapshot(e.xid, s.seen) AND quality_gov.credit_day(e.at) > s.first
      AND (merchant IS NULL OR e.merchant_id = merchant)
    GROUP BY 1, 2, 3)
  SELECT k.merchant_id, format('sum of %s for indicator "%s" is not what its events come to', k.day, s.indicator)
  FROM (SELECT d.merchant_id, d.slot, d.day FROM quality_gov.credit_account_day d JOIN slot s USING (slot)
        WHERE d.day > s.first AND (merchant IS NULL OR d.merchant_id = merchant)
        UNION SELECT t.merchant_id, t.slot, t.day FROM truth t) k
  JOIN slot s USING (slot)
  LEFT JOIN quality_gov.credit_account_day d USING (merchant_id, slot, day)
  LEFT JOIN truth t USING (merchant_id, slot, day)
  -- At the end of the day; the last day has none.
  CROSS JOIN LATERAL (SELECT CASE WHEN k.day < '294276-12-30' THEN (k.day + 1)::timestamp AT TIME ZONE 'UTC'
    ELSE '294276-12-31 23:59:59.999999+00' END AS at) z
  WHERE d.tally IS NULL OR t.tally IS NULL
     OR abs((quality_gov.credit_tally_at(d.tally, z.at)).good - (quality_gov.credit_tally_at(t.tally, z.at)).good)
        > 1e-9 * (quality_gov.credit_tally_at(t.size, z.at)).good
     OR abs((quality_gov.credit_tally_at(d.tally, z.at)).bad - (quality_gov.credit_tally_at(t.tally, z.at)).bad)
        > 1e-9 * (quality_gov.credit_tally_at(t.size, z.at)).bad
$$;
COMMENT ON FUNCTION credit_day_check(text) IS
  'Days of indicators with a window whose sum differs from its events, of one merchant or of all where null';

CREATE FUNCTION credit_fact_check(merchant text, OUT merchant_id text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT e.merchant_id, format('event %s has no merchant', e.event_id)
  FROM quality_gov.credit_event e
  LEFT JOIN quality_gov.merchant m USING (merchant_id)
  WHERE m.merchant_id IS NULL AND (merchant IS NULL OR e.merchant_id = merchant)
  UNION ALL
  SELECT e.merchant_id, format('event %s has unknown indicator "%s"', e.event_id, e.indicator)
  FROM quality_gov.credit_event e
  LEFT JOIN (SELECT DISTINCT x.indicator FROM quality_gov.credit_indicator x) i USING (indicator)
  WHERE i.indicator IS NULL AND (merchant IS NULL OR e.merchant_id = merchant)
  UNION ALL
  SELECT v.merchant_id, format('void %s has no event', v.event_id)
  FROM quality_gov.credit_event v
  WHERE v.void AND (merchant IS NULL OR v.merchant_id = merchant) AND NOT EXISTS (
    SELECT FROM quality_gov.credit_event e
    WHERE e.merchant_id = v.merchant_id AND e.source = v.source AND e.ref IS NOT DISTINCT FROM v.ref
      AND e.indicator = v.indicator AND NOT e.void AND e.event_id < v.event_id)
    -- The event may have been retired before its void was written.
    AND NOT EXISTS (SELECT FROM quality_gov.credit_opening o WHERE o.merchant_id = v.merchant_id AND v.at < o.until)
  UNION ALL
  SELECT r.merchant_id, format('restriction %s does not follow from the grade', r.restriction_id)
  FROM quality_gov.merchant_restriction r
  WHERE r.source = 'credit_grade' AND upper_inf(r.effect) AND (merchant IS NULL OR r.merchant_id = merchant)
    AND NOT EXISTS (
      SELECT FROM (SELECT c.grade, c.at FROM quality_gov.credit_grade_change c
                   WHERE c.merchant_id = r.merchant_id ORDER BY c.change_id DESC LIMIT 1) last
      CROSS JOIN LATERAL quality_gov.credit_model_at(last.at) m
      JOIN quality_gov.credit_grade_band b USING (model, version)
      WHERE b.grade = last.grade AND r.action = ANY (b.restricts))
$$;
COMMENT ON FUNCTION credit_fact_check(text) IS
  'Events without merchant, of unknown indicators, voids of nothing, restrictions that do not follow from the grade';

CREATE FUNCTION credit_check(merchant text DEFAULT NULL, OUT merchant_id text, OUT problem text) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT f.merchant_id, f.problem FROM quality_gov.credit_fact_check(credit_check.merchant) f;
  IF credit_check.merchant IS NULL THEN
    RETURN QUERY SELECT a.merchant_id, a.problem FROM quality_gov.credit_account_check() a;
  ELSE
    RETURN QUERY SELECT a.merchant_id, a.problem FROM quality_gov.credit_account_check(credit_check.merchant) a;
  END IF;
  RETURN QUERY SELECT d.merchant_id, d.problem FROM quality_gov.credit_day_check(credit_check.merchant) d;
  RETURN QUERY SELECT c.merchant_id, c.problem FROM quality_gov.credit_collect_check() c
    WHERE credit_check.merchant IS NULL OR c.merchant_id = credit_check.merchant;
END
$$;
COMMENT ON FUNCTION credit_check(text) IS
  'Oracle: accounts that are not what their events come to, orphaned events, unknown indicators, voids of nothing, restrictions that do not follow from the grade; of one merchant, or of all where null; no rows when all is well';

CREATE FUNCTION credit_retire(before timestamptz DEFAULT NULL, most integer DEFAULT 10000) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  held quality_gov.credit_rollup;
  retired bigint;
BEGIN
  IF COALESCE(most, 0) <= 0 THEN
    RAISE EXCEPTION 'most must be positive, found %', COALESCE(most::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'credit_retire must run at isolation level read committed' USING ERRCODE = 'active_sql_transaction';
  END IF;
  before := quality_gov.retention_bound('credit events', before);
  -- A roll-up must not take in what is deleted meanwhile; what it has not seen stays.
  SELECT * INTO held FROM quality_gov.credit_rollup FOR UPDATE;
  IF held.seen IS NULL THEN
    RAISE EXCEPTION 'credit events have not been rolled up yet' USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Run quality_gov.maintenance() first.';
  END IF;
  PERFORM quality_gov.append_only_lift('quality_gov.credit_event');
  WITH old AS MATERIALIZED (
    SELECT e.merchant_id, e.xid, e.event_id FROM quality_gov.credit_event e
    WHERE e.recorded_at < before AND pg_visible_in_snapshot(e.xid, held.seen)
      -- What an authority decided stays while it counts, so that it can be taken back, and goes with its voids.
      AND (e.source <> 'regulatory' OR (
        SELECT sum(CASE WHEN x.void THEN -1 ELSE 1 END) <= 0 AND max(x.recorded_at) < before
        FROM quality_gov.credit_event x
        WHERE x.merchant_id = e.merchant_id AND x.source = 'regulatory' AND x.ref = e.ref AND x.indicator = e.indicator))
    ORDER BY e.merchant_id, e.xid, e.event_id LIMIT most),
  gone AS (
    DELETE FROM quality_gov.credit_event e USING old o
    WHERE e.merchant_id = o.merchant_id AND e.xid = o.xid AND e.event_id = o.event_id
    RETURNING e.merchant_id, e.indicator, e.at, e.good, e.bad, e.recorded_at),
  kept AS (
    INSERT INTO quality_gov.credit_opening AS o (merchant_id, indicator, half_life, tally, events, until, size)
    SELECT g.merchant_id, g.indicator, s.half_life, quality_gov.credit_tally(g.good, g.bad, g.at, s.half_life), count(*), before,
           quality_gov.credit_tally(abs(g.good), abs(g.bad), g.at, s.half_life)
    FROM gone g
    JOIN (SELECT u.indicator, make_interval(secs => u.half_life / 1000000.0) AS half_life
          FROM unnest(held.indicators, held.half_lives, held.windows) u(indicator, half_life, days) WHERE u.days = 0
          -- A model may have been published since the last roll-up.
          UNION SELECT u.indicator, make_interval(secs => u.half_life / 1000000.0)
          FROM quality_gov.credit_slot_wanted() w, unnest(w.indicators, w.half_lives, w.windows) u(indicator, half_life, days) WHERE u.days = 0
          -- So that something tells of every event that is gone, and models to come may count it.
          UNION SELECT DISTINCT x.indicator, interval '100000 days' FROM gone x) s USING (indicator)
    GROUP BY 1, 2, 3
    ON CONFLICT (merchant_id, indicator, half_life) DO UPDATE
    SET tally = o.tally + EXCLUDED.tally, events = o.events + EXCLUDED.events, until = greatest(o.until, EXCLUDED.until),
        size = o.size + EXCLUDED.size)
  SELECT count(*) INTO retired FROM gone;
  RETURN retired;
END
$$;
COMMENT ON FUNCTION credit_retire(timestamptz, integer) IS
  'Deletes at most so many credit events recorded before an instant, by default as long ago as the law wants them kept (a later one is refused, 55000), and keeps their exact sums in credit_opening, but for decisions of authorities that count still; gives their number: call it, each time in a transaction of its own, until it gives 0. Credit as of an instant before it, or from which a window reaches back behind it, can then no longer be told, and a half-life that no model asked for yet finds nothing of them';

CREATE FUNCTION doctor_credit(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', 'credit of merchant ' || c.merchant_id, c.problem, NULL FROM quality_gov.credit_check() c
$$;
COMMENT ON FUNCTION doctor_credit() IS 'Check: what credit_check() finds';
INSERT INTO doctor_check VALUES ('credit', 'quality_gov.doctor_credit', 'What credit_check() finds', true);
