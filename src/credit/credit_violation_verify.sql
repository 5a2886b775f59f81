
-- credit: the oracle of violations and sanctions, which counts in another way than the functions that decide

CREATE FUNCTION violation_balance(merchant_id text, track text, at timestamptz, last_id bigint, voids_known timestamptz) RETURNS numeric
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  -- From year to year: what is carried over, and what is added; a year's rule is that of its last moment.
  WITH RECURSIVE counted AS (
    SELECT v.points, v.at, extract(year FROM v.at AT TIME ZONE 'Asia/Shanghai')::integer AS year
    FROM quality_gov.violation v
    WHERE v.merchant_id = violation_balance.merchant_id AND v.track = violation_balance.track AND v.at <= violation_balance.at
      AND v.recorded_at <= violation_balance.at AND v.violation_id <= last_id
      AND NOT EXISTS (SELECT FROM quality_gov.violation_void x WHERE x.merchant_id = v.merchant_id
                        AND x.violation_id = v.violation_id AND x.recorded_at <= voids_known)),
  years AS (
    SELECT min(c.year) AS year, 0::numeric AS carried, min(c.year) AS since FROM counted c HAVING count(*) > 0
    UNION ALL
    SELECT y.year + 1, CASE WHEN kept.holds THEN kept.n ELSE 0 END, CASE WHEN kept.holds THEN y.since ELSE y.year + 1 END
    FROM years y
    CROSS JOIN LATERAL (
      SELECT n, COALESCE(t.reset IS DISTINCT FROM 'yearly' OR t.carry @> n, false) AS holds
      FROM (SELECT y.carried + COALESCE(sum(c.points), 0) AS n FROM counted c WHERE c.year = y.year) total
      LEFT JOIN LATERAL quality_gov.violation_track_at(violation_balance.track,
        make_date(y.year + 1, 1, 1)::timestamp AT TIME ZONE 'Asia/Shanghai' - interval '1 microsecond') t ON true) kept
    WHERE y.year < extract(year FROM violation_balance.at AT TIME ZONE 'Asia/Shanghai')::integer)
  SELECT COALESCE(sum(c.points), 0)
  FROM counted c
  CROSS JOIN (SELECT y.since FROM years y ORDER BY y.year DESC LIMIT 1) last
  LEFT JOIN LATERAL quality_gov.violation_track_at(violation_balance.track, violation_balance.at) t ON true
  WHERE c.year >= last.since
    AND (t.reset IS DISTINCT FROM 'window' OR quality_gov.shanghai_add(c.at, t.counted) > violation_balance.at)
$$;
COMMENT ON FUNCTION violation_balance(text, text, timestamptz, bigint, timestamptz) IS
  'Slow twin of violation_standing(): points of a track at an instant, of entries up to an id, carried from year to year';

CREATE FUNCTION sanction_check(OUT merchant_id text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  -- OFFSET 0 keeps what is counted of an entry from being counted again for each step.
  WITH climbed AS (
    SELECT v.merchant_id, v.violation_id, v.track, v.recorded_at, l.ladder, l.step, l.duration,
           was.before < l.threshold AND l.threshold <= was.after AS reached_then,
           now.before < l.threshold AND l.threshold <= now.after AS reached
    FROM quality_gov.violation v
    CROSS JOIN LATERAL (SELECT quality_gov.violation_balance(v.merchant_id, v.track, v.recorded_at, v.violation_id - 1, v.recorded_at) AS before,
                               quality_gov.violation_balance(v.merchant_id, v.track, v.recorded_at, v.violation_id, v.recorded_at) AS after OFFSET 0) was
    CROSS JOIN LATERAL (SELECT quality_gov.violation_balance(v.merchant_id, v.track, v.recorded_at, v.violation_id - 1, 'infinity') AS before,
                               quality_gov.violation_balance(v.merchant_id, v.track, v.recorded_at, v.violation_id, 'infinity') AS after OFFSET 0) now
    CROSS JOIN LATERAL quality_gov.violation_track_at(v.track, v.recorded_at) t
    CROSS JOIN LATERAL quality_gov.sanction_ladder_at(t.ladder, v.recorded_at) l
    WHERE l.threshold IS NOT NULL)
  SELECT s.merchant_id, format('sanction %s does not follow from the points', s.sanction_id)
  FROM quality_gov.sanction s
  WHERE s.track IS NOT NULL AND s.lifted_at IS NULL
    AND NOT EXISTS (SELECT FROM climbed c WHERE c.merchant_id = s.merchant_id AND c.violation_id = s.violation_id
                      AND c.ladder = s.ladder AND c.step = s.step AND c.reached)
  UNION ALL
  SELECT c.merchant_id, format('violation %s reached step %s of ladder "%s" without a sanction', c.violation_id, c.step, c.ladder)
  FROM climbed c
  WHERE c.reached
    AND NOT EXISTS (SELECT FROM quality_gov.sanction s WHERE s.merchant_id = c.merchant_id AND s.track = c.track
                      AND s.violation_id = c.violation_id AND s.ladder = c.ladder AND s.step = c.step
                      AND s.lift_cause IS DISTINCT FROM 'recomputed')
    -- One reached only once another was void is not imposed when its term would have been over, or was endured before.
    AND (c.reached_then OR NOT EXISTS (
      SELECT FROM quality_gov.violation_void x JOIN quality_gov.violation v USING (merchant_id, violation_id)
      WHERE x.merchant_id = c.merchant_id AND v.track = c.track AND x.violation_id < c.violation_id
        AND x.recorded_at >= least(quality_gov.shanghai_add(c.recorded_at, c.duration), quality_gov.shanghai_add(x.recorded_at, c.duration)
          - quality_gov.sanction_served(c.merchant_id, c.track, c.ladder, c.step, x.recorded_at))))
  UNION ALL
  SELECT s.merchant_id, format('sanction %s rests on violation %s, which was taken back', s.sanction_id, s.violation_id)
  FROM quality_gov.sanction s JOIN quality_gov.violation_void x USING (merchant_id, violation_id)
  WHERE s.lifted_at IS NULL
  UNION ALL
  SELECT s.merchant_id, format('sanction %s is not enforced over its period: %s', s.sanction_id, a.action)
  FROM quality_gov.sanction s
  CROSS JOIN LATERAL unnest(s.restricts) AS a(action)
  WHERE NOT s.effect * tstzrange(NULL, s.lifted_at) <@ COALESCE((
    SELECT range_agg(r.effect) FROM quality_gov.merchant_restriction r
    WHERE r.merchant_id = s.merchant_id AND r.restriction_id = ANY (s.restrictions) AND r.action = a.action
      AND r.category IS NOT DISTINCT FROM s.category), '{}')
  UNION ALL
  SELECT s.merchant_id, format('sanction %s is not on list "%s" over its period', s.sanction_id, s.watchlist)
  FROM quality_gov.sanction s
  WHERE s.watchlist IS NOT NULL
    AND NOT EXISTS (SELECT FROM quality_gov.watchlist_entry e
                    WHERE e.source = 'sanction' AND starts_with(e.source_item, s.sanction_id || '/') AND e.watchlist = s.watchlist
                      AND e.term @> (s.effect * tstzrange(NULL, s.lifted_at)))
  UNION ALL
  SELECT NULL, format('watch-list entry %s does not follow from a sanction', e.entry_id)
  FROM quality_gov.watchlist_entry e
  WHERE e.source = 'sanction'
    AND NOT EXISTS (SELECT FROM quality_gov.sanction s WHERE starts_with(e.source_item, s.sanction_id || '/') AND s.watchlist = e.watchlist
                      AND e.term <@ (s.effect * tstzrange(NULL, s.lifted_at)))
  UNION ALL
  SELECT r.merchant_id, format('restriction %s does not follow from a sanction', r.restriction_id)
  FROM quality_gov.merchant_restriction r
  WHERE r.source = 'sanction'
    AND NOT EXISTS (SELECT FROM quality_gov.sanction s WHERE s.merchant_id = r.merchant_id AND r.restriction_id = ANY (s.restrictions)
                      AND r.action = ANY (s.restricts) AND r.effect <@ (s.effect * tstzrange(NULL, s.lifted_at)))
  UNION ALL
  SELECT s.merchant_id, format('sanction %s has the appeal state %s, its appeals say %s', s.sanction_id, s.appeal_state, want.state)
  FROM quality_gov.sanction s
  CROSS JOIN LATERAL (SELECT quality_gov.sanction_appeal_state(s.merchant_id, s.sanction_id, s.violation_id) AS state) want
  WHERE s.appeal_state <> want.state OR want.state = 'lifted' AND s.lifted_at IS NULL
  UNION ALL
  SELECT a.merchant_id, format('appeal %s was overturned, its violation was not taken back', a.appeal_id)
  FROM quality_gov.violation_appeal a
  WHERE a.outcome = 'overturned' AND a.violation_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM quality_gov.violation_void x WHERE x.merchant_id = a.merchant_id AND x.violation_id = a.violation_id)
  UNION ALL
  SELECT a.merchant_id, 'something was decided after what the account says'
  FROM quality_gov.violation_account a
  WHERE greatest((SELECT max(v.recorded_at) FROM quality_gov.violation v WHERE v.merchant_id = a.merchant_id),
                 (SELECT max(x.recorded_at) FROM quality_gov.violation_void x WHERE x.merchant_id = a.merchant_id),
                 (SELECT max(s.at) FROM quality_gov.sanction s WHERE s.merchant_id = a.merchant_id)) > COALESCE(a.recorded_at, '-infinity')
  UNION ALL
  SELECT NULL, format('track "%s" climbs ladder "%s", which has no step in force', t.track, t.ladder)
  FROM (SELECT DISTINCT x.track FROM quality_gov.violation_track x WHERE x.effect @> now()) named
  CROSS JOIN LATERAL quality_gov.violation_track_at(named.track, now()) t
  WHERE NOT EXISTS (SELECT FROM quality_gov.sanction_ladder_at(t.ladder, now()) l WHERE l.threshold IS NOT NULL)
$$;
COMMENT ON FUNCTION sanction_check() IS
  'Oracle: replays every entry and void; sanctions and restrictions that do not follow, steps reached without a sanction, sanctions that are not enforced, or not on their list, over their period, appeals without their effect, tracks without a ladder; no rows when all is well';

CREATE FUNCTION doctor_sanction(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', COALESCE('sanctions of merchant ' || c.merchant_id, 'sanctions'), c.problem, NULL FROM quality_gov.sanction_check() c
$$;
COMMENT ON FUNCTION doctor_sanction() IS 'Check: what sanction_check() finds';
INSERT INTO doctor_check VALUES ('sanction', 'quality_gov.doctor_sanction', 'What sanction_check() finds', true);
