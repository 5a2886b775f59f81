
-- credit: tracks of violation points and the ladders their points climb, as rows

CREATE TABLE violation_track (
  track text NOT NULL,
  title text NOT NULL,
  reset text NOT NULL,
  counted interval,
  carry numrange,
  ladder text NOT NULL,
  effect tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT violation_track_pkey PRIMARY KEY (track, effect, builtin),
  CONSTRAINT violation_track_track CHECK (track ~ '^[a-z][a-z0-9_]{0,30}$' AND track <> 'violation'),
  -- Compared with an instant, so that a mix of months and days is judged as it will be counted; no end of one is out of range.
  CONSTRAINT violation_track_reset CHECK (
    reset = 'window' AND counted IS NOT NULL AND carry IS NULL
      AND '2000-01-01'::timestamp + counted > '2000-01-01' AND '2000-01-01'::timestamp + counted < '3000-01-01'
    OR reset = 'yearly' AND counted IS NULL),
  CONSTRAINT violation_track_effect CHECK (NOT isempty(effect))
);
COMMENT ON TABLE violation_track IS
  'Tracks whose points are counted apart, and how they lapse; of rows in force a platform''s own (builtin false) goes before the shipped one, the later before the earlier';
COMMENT ON COLUMN violation_track.reset IS
  'window: points count for so long (counted); yearly: those of a year are cleared on 31 December 24:00, Asia/Shanghai';
COMMENT ON COLUMN violation_track.counted IS 'Of a window, how long points count, days being those of Asia/Shanghai';
COMMENT ON COLUMN violation_track.carry IS
  'Of a yearly track, the sums that are carried into the next year instead: [24,48) for 24 <= N < 48; null clears every sum';
COMMENT ON COLUMN violation_track.ladder IS 'Ladder of sanction_ladder that the track''s points climb';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_track', 'WHERE NOT builtin');

CREATE TABLE sanction_ladder (
  ladder text NOT NULL,
  step integer NOT NULL,
  measure text NOT NULL,
  title text NOT NULL,
  threshold numeric,
  warn_before numeric,
  duration interval,
  until_needed boolean NOT NULL DEFAULT false,
  restricts text[] NOT NULL DEFAULT '{}',
  watchlist text,
  report_to text[] NOT NULL DEFAULT '{}',
  criteria text,
  effect tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT sanction_ladder_pkey PRIMARY KEY (ladder, step, effect, builtin),
  CONSTRAINT sanction_ladder_measure CHECK (measure ~ '^[a-z][a-z0-9_]{0,40}$'),
  CONSTRAINT sanction_ladder_threshold CHECK (threshold > 0 AND threshold <= 1000000),
  CONSTRAINT sanction_ladder_warn_before CHECK (warn_before > 0 AND warn_before < threshold),
  CONSTRAINT sanction_ladder_duration CHECK (
    '2000-01-01'::timestamp + duration > '2000-01-01' AND '2000-01-01'::timestamp + duration < '3000-01-01'),
  -- What follows from points is imposed with no person there to give an end.
  CONSTRAINT sanction_ladder_until_needed CHECK (NOT until_needed OR threshold IS NULL AND duration IS NULL),
  CONSTRAINT sanction_ladder_restricts CHECK (restricts <@ ARRAY['list', 'sell', 'live'] AND array_position(restricts, NULL) IS NULL),
  CONSTRAINT sanction_ladder_report_to CHECK (report_to <@ ARRAY['county', 'province'] AND array_position(report_to, NULL) IS NULL),
  CONSTRAINT sanction_ladder_effect CHECK (NOT isempty(effect))
);
COMMENT ON TABLE sanction_ladder IS
  'Ladders of measures, step by step: with a threshold a step follows from points, without one a person chooses it by its criteria; of rows of a step in force a platform''s own goes before the shipped one, the later before the earlier';
COMMENT ON COLUMN sanction_ladder.threshold IS 'Points of a track from which on the step is reached; null: chosen by a person';
COMMENT ON COLUMN sanction_ladder.warn_before IS 'Points before the threshold from which on the merchant is warned; null: no warning';
COMMENT ON COLUMN sanction_ladder.duration IS 'How long the measure lasts, days being those of Asia/Shanghai; null: until it is lifted, or as a person says';
COMMENT ON COLUMN sanction_ladder.until_needed IS 'The measure is for a term, which whoever imposes it must give';
COMMENT ON COLUMN sanction_ladder.restricts IS 'Actions of merchant_may() that the measure takes away: list, sell, live; what else it limits is the platform''s to enforce';
COMMENT ON COLUMN sanction_ladder.watchlist IS 'List that the merchant is entered on while the measure lasts, so that a new account of it is known';
COMMENT ON COLUMN sanction_ladder.report_to IS 'Authorities that the measure is reported to: county, province (of the platform)';
COMMENT ON COLUMN sanction_ladder.criteria IS 'What a person weighs in choosing the step, or where its numbers are from';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.sanction_ladder', 'WHERE NOT builtin');

INSERT INTO violation_track (track, title, reset, carry, ladder, effect, legal_basis, builtin) VALUES
  ('general', 'General violations (一般违规)', 'yearly', NULL, 'points', '(,)', 'Ours, after the practice of platforms; no law sets it', true),
  ('serious', 'Serious violations (严重违规)', 'yearly', NULL, 'points', '(,)', 'Ours, after the practice of platforms; no law sets it', true),
  ('counterfeit', 'Selling counterfeits (出售假冒商品)', 'yearly', '[24,48)', 'points', '(,)', 'Ours, after the practice of platforms; no law sets it', true);
-- A measure of a platform rests on its own rules; where its numbers are from, criteria says.
INSERT INTO sanction_ladder (ladder, step, measure, title, threshold, warn_before, duration, restricts, criteria, effect, legal_basis, builtin)
SELECT 'points', m.step, m.measure, m.title, 12 * m.step, 5, m.duration, m.restricts,
       'Thresholds, measures and terms are ours, after the practice of platforms; no law sets them', '(,)',
       'Service agreement and rules of the platform (电子商务法 art 32)', true
FROM (VALUES
  (1, 'limit_campaigns', 'No part in campaigns and benefits', '7 days'::interval, '{}'::text[]),
  (2, 'limit_publishing', 'No new goods, no part in campaigns', '14 days', '{list}'),
  (3, 'close_shop_for_term', 'Shop closed for a term', '28 days', '{list,sell,live}'),
  (4, 'close_shop', 'Shop closed for good', NULL, '{list,sell,live}')) AS m(step, measure, title, duration, restricts);
INSERT INTO sanction_ladder (ladder, step, measure, title, until_needed, restricts, watchlist, report_to, criteria, effect, legal_basis, builtin)
SELECT 'live_order_117', m.step, m.measure, m.title, m.until_needed, m.restricts, m.watchlist, m.report_to,
       'Proportionate to facts, nature, gravity and harm', '[2026-02-01 00:00+08,)', m.legal_basis, true
FROM (VALUES
  (1, 'warn', 'Warning (警示)', false, '{}'::text[], NULL, '{county}'::text[], 'Order 117 art 12'),
  (2, 'limit_functions', 'Functions limited (限制功能)', false, '{}', NULL, '{county}', 'Order 117 art 12'),
  (3, 'limit_traffic', 'Traffic limited (限制流量)', false, '{}', NULL, '{county}', 'Order 117 art 12'),
  (4, 'suspend_live', 'Live suspended (暂停直播)', false, '{live}', NULL, '{county}', 'Order 117 art 12'),
  (5, 'ban_live_for_term', 'Live banned for a term (限期停播)', true, '{live}', NULL, '{county}', 'Order 117 art 12'),
  (6, 'close_account', 'Account closed (关闭账号)', false, '{live}', NULL, '{county,province}', 'Order 117 art 12'),
  (7, 'bar_registration', 'Barred from registering again (禁止重新注册)', false, '{live}', 'live_registration', '{county,province}', 'Order 117 art 12'),
  (8, 'blacklist', 'Entered on the blacklist (列入黑名单)', true, '{live}', 'live_commerce', '{county,province}', 'Order 117 arts 12, 14'))
  AS m(step, measure, title, until_needed, restricts, watchlist, report_to, legal_basis);
CREATE TRIGGER violation_track_builtin BEFORE INSERT OR UPDATE OR DELETE ON violation_track
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER sanction_ladder_builtin BEFORE INSERT OR UPDATE OR DELETE ON sanction_ladder
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION violation_track_at(track text, at timestamptz) RETURNS SETOF violation_track
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT t.* FROM violation_track t
  WHERE t.track = violation_track_at.track AND t.effect @> violation_track_at.at
  ORDER BY t.builtin, lower(t.effect) DESC NULLS LAST LIMIT 1;
END;
COMMENT ON FUNCTION violation_track_at(text, timestamptz) IS 'The row of a track in force at an instant; none where there is none';

CREATE FUNCTION sanction_ladder_at(ladder text, at timestamptz) RETURNS SETOF sanction_ladder
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT DISTINCT ON (l.step) l.* FROM sanction_ladder l
  WHERE l.ladder = sanction_ladder_at.ladder AND l.effect @> sanction_ladder_at.at
  ORDER BY l.step, l.builtin, lower(l.effect) DESC NULLS LAST;
END;
COMMENT ON FUNCTION sanction_ladder_at(text, timestamptz) IS 'Steps of a ladder in force at an instant';

CREATE FUNCTION shanghai_add(at timestamptz, duration interval) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (at AT TIME ZONE 'Asia/Shanghai' + duration) AT TIME ZONE 'Asia/Shanghai';
COMMENT ON FUNCTION shanghai_add(timestamptz, interval) IS
  'An instant and a duration later, days and months being those of Asia/Shanghai whatever the session''s time zone; null with no duration';

-- credit: violations, the facts

CREATE TABLE violation (
  merchant_id text NOT NULL,
  violation_id bigint GENERATED ALWAYS AS IDENTITY,
  track text NOT NULL,
  points numeric NOT NULL,
  reason_code text NOT NULL,
  facts text NOT NULL,
  legal_basis text NOT NULL,
  evidence jsonb,
  ref text,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  role text NOT NULL,
  CONSTRAINT violation_pkey PRIMARY KEY (merchant_id, violation_id),
  CONSTRAINT violation_ref UNIQUE (merchant_id, ref),
  CONSTRAINT violation_points CHECK (points BETWEEN 0 AND 1000000),
  CONSTRAINT violation_text CHECK (reason_code ~ '\S' AND facts ~ '\S' AND legal_basis ~ '\S'),
  CONSTRAINT violation_evidence CHECK (jsonb_typeof(evidence) IN ('object', 'array')),
  CONSTRAINT violation_at CHECK (isfinite(at) AND isfinite(recorded_at) AND at <= recorded_at)
);
CREATE INDEX violation_track_entries ON violation (merchant_id, track);
COMMENT ON TABLE violation IS
  'Entries on a merchant''s tracks, append-only and bitemporal: at is from when the points count, recorded_at from when they are known; with reason, facts, legal or rule basis, evidence (a JSON object or array) and the platform''s own reference';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_violation_id_seq', '');

CREATE TABLE violation_void (
  merchant_id text NOT NULL,
  violation_id bigint NOT NULL,
  appeal_id bigint,
  reasons text NOT NULL,
  decided_by text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT violation_void_pkey PRIMARY KEY (merchant_id, violation_id),
  CONSTRAINT violation_void_recorded_at CHECK (isfinite(recorded_at))
);
COMMENT ON TABLE violation_void IS
  'Entries taken back, on an appeal or by the platform itself (appeal_id null): from recorded_at on they do not count, what was answered before stays; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_void', '');

CREATE TABLE violation_warning (
  merchant_id text NOT NULL,
  warning_id bigint GENERATED ALWAYS AS IDENTITY,
  violation_id bigint NOT NULL,
  track text NOT NULL,
  ladder text NOT NULL,
  step integer NOT NULL,
  measure text NOT NULL,
  points numeric NOT NULL,
  threshold numeric NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT violation_warning_pkey PRIMARY KEY (merchant_id, warning_id)
);
COMMENT ON TABLE violation_warning IS
  'Warnings given before a step: the entry that brought the points near its threshold, from when, what the step would do; the platform reads and sends them; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_warning', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_warning_warning_id_seq', '');

CREATE TABLE violation_account (
  merchant_id text NOT NULL,
  recorded_at timestamptz,
  CONSTRAINT violation_account_pkey PRIMARY KEY (merchant_id)
);
COMMENT ON TABLE violation_account IS
  'Up to when a merchant''s violations and sanctions are decided; every function that decides writes the row first, so that two come one after the other and none decides before another';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.violation_account', '');

CREATE TRIGGER violation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON violation
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER violation_void_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON violation_void
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER violation_warning_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON violation_warning
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE violation ENABLE ROW LEVEL SECURITY;
CREATE POLICY violation_read ON violation FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
ALTER TABLE violation_void ENABLE ROW LEVEL SECURITY;
CREATE POLICY violation_void_read ON violation_void FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
ALTER TABLE violation_warning ENABLE ROW LEVEL SECURITY;
CREATE POLICY violation_warning_read ON violation_warning FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION violation_merchant_require(merchant_id text, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF at IS NULL OR NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = violation_merchant_require.merchant_id) THEN
    PERFORM quality_gov.credit_merchant_require(merchant_id, at);
  END IF;
END
$$;
COMMENT ON FUNCTION violation_merchant_require(text, timestamptz) IS
  'Raises an error unless the merchant exists and the instant is given';

CREATE FUNCTION violation_hold(merchant_id text) RETURNS timestamptz
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  last timestamptz;
BEGIN
  PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = violation_hold.merchant_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
  END IF;
  -- A write, not only a lock, so that a repeatable read that waited does not go on from a stale state.
  INSERT INTO quality_gov.violation_account AS a (merchant_id) VALUES (violation_hold.merchant_id)
  ON CONFLICT ON CONSTRAINT violation_account_pkey DO UPDATE SET recorded_at = a.recorded_at
  RETURNING a.recorded_at INTO last;
  RETURN last;
END
$$;
COMMENT ON FUNCTION violation_hold(text) IS
  'Lets one session at a time write what concerns a merchant''s violations; gives up to when they are decided';

CREATE FUNCTION violation_lock(merchant_id text, at timestamptz) RETURNS timestamptz
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  last timestamptz;
BEGIN
  PERFORM quality_gov.violation_merchant_require(merchant_id, at);
  IF NOT (at > '1900-01-01 00:00+00' AND at < '2200-01-01 00:00+00') THEN
    RAISE EXCEPTION 'the instant to decide as of must lie between 1900 and 2200, found %', at
      USING ERRCODE = 'datetime_field_overflow';
  END IF;
  last := quality_gov.violation_hold(merchant_id);
  IF at = now() THEN
    at := greatest(clock_timestamp(), last);
  ELSIF at < last THEN
    RAISE EXCEPTION 'violations and sanctions of merchant "%" are decided up to %, so nothing can be decided as of %', merchant_id, last, at
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Leave out at; the earlier instant of a violation is its happened_at.';
  END IF;
  UPDATE quality_gov.violation_account a SET recorded_at = at WHERE a.merchant_id = violation_lock.merchant_id;
  RETURN at;
END
$$;
COMMENT ON FUNCTION violation_lock(text, timestamptz) IS
  'Lets one session at a time decide on a merchant''s violations; gives the instant it decides as of: the one given, for now() the clock''s after the lock; one before what is decided already is refused (55000)';

-- credit: what the entries sum to

CREATE FUNCTION violation_standing(merchant_id text, track text, at timestamptz, known timestamptz, last_id bigint,
                                   voids_known timestamptz, OUT points numeric, OUT resets_at timestamptz)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  rule quality_gov.violation_track;
  instants timestamptz[];
  amounts numeric[];
  counts_from timestamptz := '-infinity';
  year_end timestamptz;
BEGIN
  SELECT COALESCE(array_agg(v.at), '{}'), COALESCE(array_agg(v.points), '{}'), min(v.at) INTO instants, amounts, year_end
  FROM quality_gov.violation v
  WHERE v.merchant_id = violation_standing.merchant_id AND v.track = violation_standing.track
    AND v.at <= violation_standing.at
    AND (v.recorded_at, v.violation_id) <= (known, COALESCE(last_id, 9223372036854775807))
    AND NOT EXISTS (SELECT FROM quality_gov.violation_void x
                    WHERE x.merchant_id = v.merchant_id AND x.violation_id = v.violation_id AND x.recorded_at <= voids_known);
  -- Each year end clears what was counted up to it, by the rule in force to its last moment.
  year_end := date_trunc('year', COALESCE(year_end, at) AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai';
  LOOP
    year_end := quality_gov.shanghai_add(year_end, '1 year');
    EXIT WHEN year_end > at;
    SELECT * INTO rule FROM quality_gov.violation_track_at(track, year_end - interval '1 microsecond');
    SELECT COALESCE(sum(u.amount), 0) INTO points FROM unnest(instants, amounts) AS u(instant, amount)
    WHERE u.instant >= counts_from AND u.instant < year_end;
    IF rule.reset = 'yearly' AND NOT COALESCE(rule.carry @> points, false) THEN
      counts_from := year_end;
    END IF;
  END LOOP;
  SELECT * INTO rule FROM quality_gov.violation_track_at(track, at);
  SELECT COALESCE(sum(u.amount), 0), min(quality_gov.shanghai_add(u.instant, rule.counted)) FILTER (WHERE u.amount > 0)
  INTO points, resets_at
  FROM unnest(instants, amounts) AS u(instant, amount)
  WHERE u.instant >= counts_from AND (rule.counted IS NULL OR quality_gov.shanghai_add(u.instant, rule.counted) > at);
  IF rule.reset = 'yearly' AND points > 0 AND NOT COALESCE(rule.carry @> points, false) THEN
    resets_at := year_end;
  END IF;
END
$$;
COMMENT ON FUNCTION violation_standing(text, text, timestamptz, timestamptz, bigint, timestamptz) IS
  'Points of a track at an instant, of entries known by an instant (up to and with last_id of those known just then) less the voids known by another; and when the next of them lapse, if nothing is added; null: they do not';

CREATE FUNCTION violation_points(merchant_id text, at timestamptz DEFAULT now(), known timestamptz DEFAULT NULL,
    OUT track text, OUT points numeric, OUT step integer, OUT next_step integer, OUT next_measure text, OUT next_threshold numeric,
    OUT points_to_next numeric, OUT warned boolean, OUT resets_at timestamptz)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id,
    '{quality_gov_admin,quality_gov_app,quality_gov_analyst,quality_gov_regulator}');
  PERFORM quality_gov.violation_merchant_require(merchant_id, at);
  known := COALESCE(known, at);
  IF NOT (at > '1900-01-01 00:00+00' AND at < '2200-01-01 00:00+00') THEN
    RAISE EXCEPTION 'the instant to judge as of must lie between 1900 and 2200, found %', at USING ERRCODE = 'datetime_field_overflow';
  END IF;
  RETURN QUERY
    SELECT t.track, s.points, reached.step, next.step, next.measure, next.threshold, next.threshold - s.points,
           COALESCE(s.points >= next.threshold - next.warn_before, false), s.resets_at
    FROM (SELECT DISTINCT x.track FROM quality_gov.violation_track x WHERE x.effect @> violation_points.at) named
    CROSS JOIN LATERAL quality_gov.violation_track_at(named.track, violation_points.at) t
    CROSS JOIN LATERAL quality_gov.violation_standing(violation_points.merchant_id, t.track, violation_points.at, known, NULL, known) s
    LEFT JOIN LATERAL (
      SELECT l.step FROM quality_gov.sanction_ladder_at(t.ladder, violation_points.at) l
      WHERE l.threshold <= s.points ORDER BY l.threshold DESC, l.step DESC LIMIT 1) reached ON true
    LEFT JOIN LATERAL (
      SELECT l.* FROM quality_gov.sanction_ladder_at(t.ladder, violation_points.at) l
      WHERE l.threshold > s.points ORDER BY l.threshold, l.step LIMIT 1) next ON true
    ORDER BY t.track;
END
$$;
COMMENT ON FUNCTION violation_points(text, timestamptz, timestamptz) IS
  'Points of a merchant on each track at an instant, as known then (or by known): the step reached, the next one with its measure, threshold and the points to it, whether the points are so near it that a warning was due, and when the next points lapse; for a role of the merchant (42501 for another), an application, an analyst, a regulator or an administrator';
