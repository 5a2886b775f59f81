
-- credit: a violation is recorded, and steps are taken

CREATE FUNCTION violation_require(merchant_id text, violation_id bigint) RETURNS violation
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  v quality_gov.violation;
  since timestamptz;
BEGIN
  SELECT * INTO v FROM quality_gov.violation x
  WHERE x.merchant_id = violation_require.merchant_id AND x.violation_id = violation_require.violation_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" has no violation %', merchant_id, violation_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT x.recorded_at INTO since FROM quality_gov.violation_void x
  WHERE x.merchant_id = violation_require.merchant_id AND x.violation_id = violation_require.violation_id;
  IF FOUND THEN
    RAISE EXCEPTION 'violation % of merchant "%" was taken back', violation_id, merchant_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('That was at %s.', since);
  END IF;
  RETURN v;
END
$$;
COMMENT ON FUNCTION violation_require(text, bigint) IS 'Gives an entry of a merchant that was not taken back, or an error';

CREATE FUNCTION violation_step(merchant_id text, track text, from_id bigint, voids_known timestamptz,
    OUT violation_id bigint, OUT recorded_at timestamptz, OUT ladder text, OUT step integer, OUT threshold numeric,
    OUT duration interval, OUT before numeric, OUT after numeric, OUT reached boolean)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT v.violation_id, v.recorded_at, l.ladder, l.step, l.threshold, l.duration, b.points, a.points, l.threshold <= a.points
    FROM quality_gov.violation v
    CROSS JOIN LATERAL quality_gov.violation_standing(v.merchant_id, v.track, v.recorded_at, v.recorded_at, v.violation_id - 1,
                                                      violation_step.voids_known) b
    CROSS JOIN LATERAL quality_gov.violation_standing(v.merchant_id, v.track, v.recorded_at, v.recorded_at, v.violation_id,
                                                      violation_step.voids_known) a
    CROSS JOIN LATERAL quality_gov.violation_track_at(v.track, v.recorded_at) t
    CROSS JOIN LATERAL quality_gov.sanction_ladder_at(t.ladder, v.recorded_at) l
    WHERE v.merchant_id = violation_step.merchant_id AND v.track = violation_step.track
      AND v.violation_id >= violation_step.from_id
      AND b.points < l.threshold AND a.points >= l.threshold - COALESCE(l.warn_before, 0)
      AND (l.threshold <= a.points OR b.points < l.threshold - l.warn_before)
    ORDER BY v.violation_id, l.threshold, l.step;
END
$$;
COMMENT ON FUNCTION violation_step(text, text, bigint, timestamptz) IS
  'Steps that the entries of a track from an id on reached, or came so near to that a warning is due (reached false), each as of its own recording, less the voids known by an instant';

CREATE FUNCTION violation_sanction(v violation, taken record, at timestamptz, until timestamptz, reasons text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  l quality_gov.sanction_ladder;
  s quality_gov.sanction;
BEGIN
  SELECT * INTO l FROM quality_gov.sanction_ladder_at(taken.ladder, v.recorded_at) x WHERE x.step = taken.step;
  s.merchant_id := v.merchant_id;
  s.ladder := l.ladder;
  s.step := l.step;
  s.measure := l.measure;
  s.title := l.title;
  s.track := v.track;
  s.points := taken.after;
  s.violation_id := v.violation_id;
  s.facts := v.facts;
  s.reasons := reasons;
  s.legal_basis := concat_ws('; ', v.legal_basis, nullif(l.legal_basis, v.legal_basis));
  s.at := at;
  s.effect := tstzrange(at, until);
  s.restricts := l.restricts;
  s.watchlist := l.watchlist;
  s.report_to := l.report_to;
  s.decided_by := 'ladder ' || l.ladder;
  s.automatic := true;
  RETURN quality_gov.sanction_write(s);
END
$$;
COMMENT ON FUNCTION violation_sanction(violation, record, timestamptz, timestamptz, text) IS
  'Imposes what a step that an entry reached does, from an instant until another, and gives the sanction';

CREATE FUNCTION violation_record(merchant_id text, track text, points numeric, reason_code text, facts text, legal_basis text,
    evidence jsonb DEFAULT NULL, ref text DEFAULT NULL, at timestamptz DEFAULT now(), happened_at timestamptz DEFAULT NULL,
    OUT violation_id bigint, OUT total numeric, OUT warnings bigint[], OUT sanctions bigint[])
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  rule quality_gov.violation_track;
  v quality_gov.violation;
  taken record;
BEGIN
  IF points IS NULL OR NOT points BETWEEN 0 AND 1000000 THEN
    RAISE EXCEPTION 'points must be from 0 to 1000000, found %', COALESCE(points::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF COALESCE(reason_code, '') !~ '\S' OR COALESCE(facts, '') !~ '\S' OR COALESCE(legal_basis, '') !~ '\S' THEN
    RAISE EXCEPTION 'a violation needs a reason code, facts and a basis' USING ERRCODE = 'invalid_parameter_value',
      DETAIL = 'They are the merchant''s due (Order 116 art 19).';
  END IF;
  IF jsonb_typeof(evidence) NOT IN ('object', 'array') THEN
    RAISE EXCEPTION 'evidence must be a JSON object or array, found %', jsonb_typeof(evidence) USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.violation_merchant_require(merchant_id, at);
  PERFORM quality_gov.violation_hold(merchant_id);
  -- A call that is repeated is not refused for what was decided since.
  SELECT * INTO v FROM quality_gov.violation x WHERE x.merchant_id = violation_record.merchant_id AND x.ref = violation_record.ref;
  IF FOUND AND (v.track, v.points, v.reason_code, v.facts) = (track, points, reason_code, facts) THEN
    violation_id := v.violation_id;
    at := CASE WHEN at = now() THEN clock_timestamp() ELSE greatest(at, v.recorded_at) END;
  ELSIF FOUND THEN
    RAISE EXCEPTION 'violation % of merchant "%" has the reference "%" and another content', v.violation_id, merchant_id, ref
      USING ERRCODE = 'unique_violation';
  ELSE
    at := quality_gov.violation_lock(merchant_id, at);
    happened_at := COALESCE(happened_at, at);
    IF NOT (happened_at > '1900-01-01 00:00+00' AND happened_at <= at) THEN
      RAISE EXCEPTION 'a violation recorded at % cannot have happened at %', at, happened_at USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO rule FROM quality_gov.violation_track_at(track, at);
    IF NOT FOUND THEN
      RAISE EXCEPTION 'there is no track "%" at %', track, at USING ERRCODE = 'undefined_object',
        HINT = COALESCE((SELECT 'Tracks are ' || string_agg(DISTINCT t.track, ', ') || '.' FROM quality_gov.violation_track t
                         WHERE t.effect @> at), 'Tracks are rows of quality_gov.violation_track.');
    END IF;
    INSERT INTO quality_gov.violation (merchant_id, track, points, reason_code, facts, legal_basis, evidence, ref, at, recorded_at, role)
    VALUES (merchant_id, track, points, reason_code, facts, legal_basis, evidence, ref, happened_at, at, session_user)
    RETURNING * INTO v;
    violation_id := v.violation_id;
    PERFORM quality_gov.ledger_record('violation', merchant_id, to_jsonb(v) - 'merchant_id' - 'role');
    -- Weighed as of the decision, so that scores of earlier instants stay.
    PERFORM quality_gov.credit_event_add(merchant_id, 'violation', track, at, 'violation', violation_id::text);
    -- A model may have a flag of the track's name, which goes up with it.
    IF points > 0 THEN
      PERFORM quality_gov.credit_event_add(merchant_id, track, track, at, 'violation', violation_id::text);
    END IF;
    FOR taken IN SELECT * FROM quality_gov.violation_step(merchant_id, track, violation_id, at) LOOP
      IF taken.reached THEN
        PERFORM quality_gov.violation_sanction(v, taken, at, quality_gov.shanghai_add(at, taken.duration),
          format('%s points on track "%s" reach the %s of step %s', trim_scale(taken.after), track, trim_scale(taken.threshold), taken.step));
      ELSE
        INSERT INTO quality_gov.violation_warning (merchant_id, violation_id, track, ladder, step, measure, points, threshold, at)
        SELECT merchant_id, violation_id, track, l.ladder, l.step, l.measure, taken.after, l.threshold, at
        FROM quality_gov.sanction_ladder_at(taken.ladder, at) l WHERE l.step = taken.step;
        PERFORM quality_gov.ledger_record('violation_warning', merchant_id, jsonb_build_object(
          'violation_id', violation_id, 'track', track, 'step', taken.step, 'points', taken.after, 'threshold', taken.threshold));
      END IF;
    END LOOP;
  END IF;
  total := (quality_gov.violation_standing(merchant_id, track, at, at, NULL, at)).points;
  warnings := ARRAY(SELECT w.warning_id FROM quality_gov.violation_warning w
    WHERE w.merchant_id = violation_record.merchant_id AND w.violation_id = violation_record.violation_id ORDER BY 1);
  sanctions := ARRAY(SELECT s.sanction_id FROM quality_gov.sanction s
    WHERE s.merchant_id = violation_record.merchant_id AND s.violation_id = violation_record.violation_id AND s.automatic ORDER BY 1);
END
$$;
COMMENT ON FUNCTION violation_record(text, text, numeric, text, text, text, jsonb, text, timestamptz, timestamptz) IS
  'Enters a violation, decided and known at an instant (not before what is decided already), its points counting from happened_at (by default the same); gives the entry, the total of its track, the warnings it gives and the sanctions of the steps it newly reaches; writes the ledger entry and the credit event; called again with the same ref gives the entry there is';

-- credit: an entry is taken back, and what came after it is computed anew

CREATE FUNCTION sanction_served(merchant_id text, track text, ladder text, step integer, at timestamptz) RETURNS interval
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(sum(least(upper(s.effect), s.lifted_at) - lower(s.effect)), '0')
  FROM sanction s
  WHERE s.merchant_id = sanction_served.merchant_id AND s.track = sanction_served.track AND s.ladder = sanction_served.ladder
    AND s.step = sanction_served.step AND s.lift_cause = 'recomputed' AND s.lifted_at <= sanction_served.at;
END;
COMMENT ON FUNCTION sanction_served(text, text, text, integer, timestamptz) IS
  'How long a step of a track was endured by an instant under sanctions that turned out not to follow';

CREATE FUNCTION violation_recompute(merchant_id text, track text, from_id bigint, at timestamptz, reasons text, decided_by text)
  RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  s quality_gov.sanction;
  taken record;
  until timestamptz;
BEGIN
  FOR s IN
    SELECT x.* FROM quality_gov.sanction x
    WHERE x.merchant_id = violation_recompute.merchant_id AND x.lifted_at IS NULL
      AND (x.violation_id = from_id AND x.track IS NULL
           OR x.track = violation_recompute.track AND x.violation_id >= from_id
              AND NOT EXISTS (
                SELECT FROM quality_gov.violation_step(violation_recompute.merchant_id, violation_recompute.track, from_id, violation_recompute.at) r
                WHERE r.reached AND r.violation_id = x.violation_id AND r.ladder = x.ladder AND r.step = x.step))
    ORDER BY x.sanction_id
  LOOP
    PERFORM quality_gov.sanction_close(s, at, 'recomputed', reasons, decided_by);
  END LOOP;
  -- What a later entry reaches instead begins now, and ends when it would have, had it begun with that entry; what was
  -- endured for nothing counts.
  FOR taken IN
    SELECT r.* FROM quality_gov.violation_step(violation_recompute.merchant_id, violation_recompute.track, from_id, violation_recompute.at) r
    WHERE r.reached AND NOT EXISTS (
      SELECT FROM quality_gov.sanction x
      WHERE x.merchant_id = violation_recompute.merchant_id AND x.track = violation_recompute.track AND x.ladder = r.ladder
        AND x.step = r.step AND x.violation_id = r.violation_id AND x.lift_cause IS DISTINCT FROM 'recomputed')
  LOOP
    until := least(quality_gov.shanghai_add(taken.recorded_at, taken.duration),
                   quality_gov.shanghai_add(at, taken.duration) - quality_gov.sanction_served(merchant_id, track, taken.ladder, taken.step, at));
    CONTINUE WHEN until <= at;
    PERFORM quality_gov.violation_sanction(v, taken, at, until,
        format('once violation %s is taken back, %s points on track "%s" reach the %s of step %s', from_id, trim_scale(taken.after), track,
               trim_scale(taken.threshold), taken.step))
    FROM quality_gov.violation v WHERE v.merchant_id = violation_recompute.merchant_id AND v.violation_id = taken.violation_id;
  END LOOP;
END
$$;
COMMENT ON FUNCTION violation_recompute(text, text, bigint, timestamptz, text, text) IS
  'After an entry was taken back: lifts the sanctions that rest on it and those of its track whose step is no longer reached as of their entry; a step that a later entry reaches instead is imposed for what is left of its term, less what was endured of it for nothing';

CREATE FUNCTION violation_void_add(v violation, appeal_id bigint, reasons text, decided_by text, at timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  INSERT INTO quality_gov.violation_void (merchant_id, violation_id, appeal_id, reasons, decided_by, recorded_at)
  VALUES (v.merchant_id, v.violation_id, appeal_id, reasons, decided_by, at);
  PERFORM quality_gov.ledger_record('violation_void', v.merchant_id, jsonb_strip_nulls(jsonb_build_object(
    'violation_id', v.violation_id, 'appeal_id', appeal_id, 'at', at, 'reasons', reasons, 'decided_by', decided_by)));
  PERFORM quality_gov.credit_event_void(v.merchant_id, i, v.track, v.recorded_at, 'violation', v.violation_id::text)
  FROM unnest(ARRAY['violation', v.track]) AS i;
  PERFORM quality_gov.violation_recompute(v.merchant_id, v.track, v.violation_id, at,
    format('violation %s was taken back: %s', v.violation_id, reasons), decided_by);
END
$$;
COMMENT ON FUNCTION violation_void_add(violation, bigint, text, text, timestamptz) IS
  'Takes back an entry: the void, the ledger entry, the void of its credit event, and what follows for sanctions';

CREATE FUNCTION violation_revoke(merchant_id text, violation_id bigint, reasons text, decided_by text, at timestamptz DEFAULT now())
  RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF COALESCE(reasons, '') !~ '\S' OR COALESCE(decided_by, '') !~ '\S' THEN
    RAISE EXCEPTION 'taking back a violation needs reasons and who decided' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  at := quality_gov.violation_lock(merchant_id, at);
  PERFORM quality_gov.violation_void_add(quality_gov.violation_require(merchant_id, violation_id), NULL, reasons, decided_by, at);
END
$$;
COMMENT ON FUNCTION violation_revoke(text, bigint, text, text, timestamptz) IS
  'The platform takes back an entry that it finds to be wrong, without an appeal, as an overturned appeal would';
