
-- credit: sanctions, the measures that follow from points or that a person chose

CREATE TABLE sanction (
  merchant_id text NOT NULL,
  sanction_id bigint GENERATED ALWAYS AS IDENTITY,
  ladder text NOT NULL,
  step integer NOT NULL,
  measure text NOT NULL,
  title text NOT NULL,
  track text,
  points numeric,
  violation_id bigint,
  facts text NOT NULL,
  reasons text NOT NULL,
  legal_basis text NOT NULL,
  at timestamptz NOT NULL,
  effect tstzrange NOT NULL,
  restricts text[] NOT NULL,
  category text,
  watchlist text,
  report_to text[] NOT NULL,
  restrictions bigint[] NOT NULL DEFAULT '{}',
  decided_by text NOT NULL,
  automatic boolean NOT NULL,
  ref text,
  appeal_state text NOT NULL DEFAULT 'none',
  published_at timestamptz,
  published_ref text,
  published_violation text,
  lifted_at timestamptz,
  lift_cause text,
  lift_reasons text,
  lifted_by text,
  CONSTRAINT sanction_pkey PRIMARY KEY (merchant_id, sanction_id),
  CONSTRAINT sanction_ref UNIQUE (merchant_id, ref),
  CONSTRAINT sanction_text CHECK (facts ~ '\S' AND reasons ~ '\S' AND legal_basis ~ '\S' AND decided_by ~ '\S'),
  CONSTRAINT sanction_points CHECK ((track IS NULL) = (points IS NULL) AND (track IS NULL OR violation_id IS NOT NULL)),
  CONSTRAINT sanction_effect CHECK (NOT isempty(effect) AND NOT lower_inf(effect) AND isfinite(at)),
  CONSTRAINT sanction_appeal_state CHECK (appeal_state IN ('none', 'open', 'upheld', 'lifted')),
  CONSTRAINT sanction_published CHECK ((published_at IS NULL) = (published_ref IS NULL) AND (published_at IS NULL) = (published_violation IS NULL)),
  CONSTRAINT sanction_lifted CHECK (
    lift_cause IN ('decision', 'appeal', 'recomputed') AND lifted_at >= at AND lift_reasons IS NOT NULL AND lifted_by IS NOT NULL
    OR num_nonnulls(lift_cause, lifted_at, lift_reasons, lifted_by) = 0)
);
CREATE UNIQUE INDEX sanction_reached ON sanction (merchant_id, track, ladder, step, violation_id)
  WHERE track IS NOT NULL AND lift_cause IS DISTINCT FROM 'recomputed';
CREATE INDEX sanction_unpublished ON sanction (at) WHERE published_at IS NULL AND lifted_at IS NULL;
COMMENT ON TABLE sanction IS
  'Measures against merchants with facts, reasons and basis (Order 116 art 19): the step of a ladder, the period, what it takes away, who or what decided, appeal, publication (网络交易监督管理办法 art 30), and whether it was lifted';
COMMENT ON COLUMN sanction.track IS 'Of a measure that follows from points, the track, with points the sum that reached the step; null: chosen by a person';
COMMENT ON COLUMN sanction.violation_id IS 'The entry that reached the step, or that a person chose the measure for';
COMMENT ON COLUMN sanction.effect IS 'Period as decided; no end: until lifted. Where lifted_at comes before its end the measure ends then';
COMMENT ON COLUMN sanction.restrictions IS 'Rows of merchant_restriction (source sanction) by which merchant_may() enforces it';
COMMENT ON COLUMN sanction.appeal_state IS 'none, open, upheld (it stands) or lifted, of appeals against it or the entry it rests on';
COMMENT ON COLUMN sanction.published_violation IS 'The violation as it is published, beside shop name and measure';
COMMENT ON COLUMN sanction.lift_cause IS
  'decision (by a person), appeal (against it or its entry), recomputed (its step is not reached once an earlier entry is void)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.sanction', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.sanction_sanction_id_seq', '');

CREATE TABLE sanction_report (
  merchant_id text NOT NULL,
  sanction_id bigint NOT NULL,
  authority text NOT NULL,
  reported_at timestamptz NOT NULL,
  ref text NOT NULL,
  CONSTRAINT sanction_report_pkey PRIMARY KEY (merchant_id, sanction_id, authority),
  CONSTRAINT sanction_report_authority CHECK (authority IN ('county', 'province')),
  CONSTRAINT sanction_report_ref CHECK (ref ~ '\S')
);
COMMENT ON TABLE sanction_report IS
  'Reports of sanctions to the authorities (Order 117 art 12), with the reference of each; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.sanction_report', '');
CREATE TRIGGER sanction_report_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sanction_report
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

ALTER TABLE sanction ENABLE ROW LEVEL SECURITY;
CREATE POLICY sanction_read ON sanction FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
ALTER TABLE sanction_report ENABLE ROW LEVEL SECURITY;
CREATE POLICY sanction_report_read ON sanction_report FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

-- credit: a sanction begins and ends

CREATE FUNCTION sanction_write(s sanction) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  m quality_gov.merchant;
  written bigint;
BEGIN
  INSERT INTO quality_gov.sanction (merchant_id, ladder, step, measure, title, track, points, violation_id, facts, reasons, legal_basis,
    at, effect, restricts, category, watchlist, report_to, decided_by, automatic, ref, appeal_state)
  VALUES (s.merchant_id, s.ladder, s.step, s.measure, s.title, s.track, s.points, s.violation_id, s.facts, s.reasons, s.legal_basis,
    s.at, s.effect, s.restricts, s.category, s.watchlist, s.report_to, s.decided_by, s.automatic, s.ref,
    quality_gov.sanction_appeal_state(s.merchant_id, NULL, s.violation_id))
  RETURNING sanction_id INTO written;
  WITH taken AS (
    INSERT INTO quality_gov.merchant_restriction (merchant_id, action, category, reason, source, effect)
    SELECT s.merchant_id, a, s.category, format('sanction %s: %s', written, s.title), 'sanction', s.effect
    FROM unnest(s.restricts) WITH ORDINALITY AS r(a, n) ORDER BY r.n
    RETURNING restriction_id)
  UPDATE quality_gov.sanction x SET restrictions = ARRAY(SELECT t.restriction_id FROM taken t ORDER BY 1)
  WHERE x.merchant_id = s.merchant_id AND x.sanction_id = written AND s.restricts <> '{}';
  IF s.watchlist IS NOT NULL THEN
    SELECT * INTO m FROM quality_gov.merchant x WHERE x.merchant_id = s.merchant_id;
    -- A natural person is known by the number's digest where there is one, since people share names.
    INSERT INTO quality_gov.watchlist_entry (watchlist, uscc, name, identity_digest, reason, legal_basis, source, source_item, term)
    SELECT s.watchlist, m.uscc, CASE WHEN who.identity_digest IS NULL THEN m.name END, who.identity_digest,
           s.title, s.legal_basis, 'sanction', format('%s/%s', written, who.n), s.effect
    FROM (SELECT p.identity_digest, row_number() OVER (ORDER BY p.identity_digest) AS n FROM quality_gov.merchant_person p
          WHERE p.merchant_id = s.merchant_id AND m.uscc IS NULL
          UNION ALL
          SELECT NULL, 0 WHERE m.uscc IS NOT NULL OR NOT EXISTS (
            SELECT FROM quality_gov.merchant_person p WHERE p.merchant_id = s.merchant_id)) who
    ORDER BY who.n;
  END IF;
  PERFORM quality_gov.ledger_record('sanction', s.merchant_id, jsonb_strip_nulls(jsonb_build_object(
    'sanction_id', written, 'ladder', s.ladder, 'step', s.step, 'measure', s.measure, 'track', s.track, 'points', s.points,
    'violation_id', s.violation_id, 'facts', s.facts, 'reasons', s.reasons, 'legal_basis', s.legal_basis, 'at', s.at,
    'since', lower(s.effect), 'until', upper(s.effect), 'restricts', s.restricts, 'category', s.category, 'decided_by', s.decided_by,
    'automatic', s.automatic)));
  RETURN written;
END
$$;
COMMENT ON FUNCTION sanction_write(sanction) IS
  'Writes a sanction with what enforces it, restrictions and entries on lists, and the ledger entry; gives its id';

CREATE FUNCTION sanction_close(s sanction, at timestamptz, cause text, reasons text, decided_by text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  UPDATE quality_gov.sanction x
  SET lifted_at = sanction_close.at, lift_cause = cause, lift_reasons = sanction_close.reasons, lifted_by = sanction_close.decided_by
  WHERE x.merchant_id = s.merchant_id AND x.sanction_id = s.sanction_id;
  -- What had not begun never was; what has run is cut off, and earlier instants are answered as before.
  DELETE FROM quality_gov.merchant_restriction r
  WHERE r.merchant_id = s.merchant_id AND r.restriction_id = ANY (s.restrictions) AND lower(r.effect) >= sanction_close.at;
  UPDATE quality_gov.merchant_restriction r SET effect = r.effect * tstzrange(NULL, sanction_close.at)
  WHERE r.merchant_id = s.merchant_id AND r.restriction_id = ANY (s.restrictions) AND r.effect @> sanction_close.at;
  UPDATE quality_gov.watchlist_entry e SET term = e.term * tstzrange(NULL, sanction_close.at)
  WHERE e.source = 'sanction' AND starts_with(e.source_item, s.sanction_id || '/')
    AND (upper_inf(e.term) OR upper(e.term) > sanction_close.at);
  PERFORM quality_gov.ledger_record('sanction_lifted', s.merchant_id, jsonb_build_object(
    'sanction_id', s.sanction_id, 'at', sanction_close.at, 'cause', cause, 'reasons', reasons, 'decided_by', decided_by));
END
$$;
COMMENT ON FUNCTION sanction_close(sanction, timestamptz, text, text, text) IS
  'Ends a sanction and what enforces it as of an instant, for a cause of lift_cause, and writes the ledger entry';

CREATE FUNCTION sanction_require(merchant_id text, sanction_id bigint) RETURNS sanction
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  s quality_gov.sanction;
BEGIN
  SELECT * INTO s FROM quality_gov.sanction x
  WHERE x.merchant_id = sanction_require.merchant_id AND x.sanction_id = sanction_require.sanction_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" has no sanction %', merchant_id, sanction_id USING ERRCODE = 'no_data_found';
  END IF;
  RETURN s;
END
$$;
COMMENT ON FUNCTION sanction_require(text, bigint) IS 'Gives a sanction of a merchant, or an error where there is none';

CREATE FUNCTION sanction_step_require(ladder text, measure text, at timestamptz) RETURNS sanction_ladder
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  chosen quality_gov.sanction_ladder;
BEGIN
  SELECT * INTO chosen FROM quality_gov.sanction_ladder_at(ladder, at) l WHERE l.measure = sanction_step_require.measure
  ORDER BY l.step LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'ladder "%" has no measure "%" at %', ladder, measure, at USING ERRCODE = 'undefined_object',
      HINT = COALESCE((SELECT 'Its measures are ' || string_agg(l.measure, ', ' ORDER BY l.step) || '.'
                       FROM quality_gov.sanction_ladder_at(ladder, at) l),
                      'No step of a ladder of that name is in force then; steps are rows of quality_gov.sanction_ladder.');
  END IF;
  IF chosen.threshold IS NOT NULL THEN
    RAISE EXCEPTION 'measure "%" of ladder "%" follows from points', measure, ladder
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Record the violation with quality_gov.violation_record().';
  END IF;
  RETURN chosen;
END
$$;
COMMENT ON FUNCTION sanction_step_require(text, text, timestamptz) IS
  'Gives the step of a ladder that a person may choose by its measure at an instant; an error naming those there are';

CREATE FUNCTION sanction_impose(merchant_id text, ladder text, measure text, facts text, reasons text, decided_by text,
                                until timestamptz DEFAULT NULL, restricts text[] DEFAULT NULL, category text DEFAULT NULL,
                                violation_id bigint DEFAULT NULL, legal_basis text DEFAULT NULL, ref text DEFAULT NULL,
                                at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  chosen quality_gov.sanction_ladder;
  s quality_gov.sanction;
BEGIN
  IF COALESCE(facts, '') !~ '\S' OR COALESCE(reasons, '') !~ '\S' OR COALESCE(decided_by, '') !~ '\S' OR legal_basis !~ '\S' THEN
    RAISE EXCEPTION 'a sanction needs facts, reasons and who decided, and a legal basis that is not blank'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'They are the merchant''s due (Order 116 art 19).';
  END IF;
  IF NOT restricts <@ ARRAY['list', 'sell', 'live'] OR array_position(restricts, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a sanction takes away list, sell or live, found %', restricts USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.violation_merchant_require(merchant_id, at);
  PERFORM quality_gov.violation_hold(merchant_id);
  -- A call that is repeated is not refused for what was decided since.
  SELECT * INTO s FROM quality_gov.sanction x WHERE x.merchant_id = sanction_impose.merchant_id AND x.ref = sanction_impose.ref;
  IF FOUND AND (s.ladder, s.measure, s.facts, s.reasons) = (ladder, measure, facts, reasons) THEN
    RETURN s.sanction_id;
  ELSIF FOUND THEN
    RAISE EXCEPTION 'sanction % of merchant "%" has the reference "%" and another content', s.sanction_id, merchant_id, ref
      USING ERRCODE = 'unique_violation';
  END IF;
  at := quality_gov.violation_lock(merchant_id, at);
  chosen := quality_gov.sanction_step_require(ladder, measure, at);
  IF until IS NULL AND chosen.until_needed THEN
    RAISE EXCEPTION 'measure "%" is for a term, so it needs until', measure USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT (isfinite(until) AND until > at) THEN
    RAISE EXCEPTION 'a sanction decided as of % cannot end at %', at, until USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF violation_id IS NOT NULL THEN
    PERFORM quality_gov.violation_require(merchant_id, violation_id);
  END IF;
  s := NULL;
  s.merchant_id := merchant_id;
  s.ladder := ladder;
  s.step := chosen.step;
  s.measure := chosen.measure;
  s.title := chosen.title;
  s.violation_id := violation_id;
  s.facts := facts;
  s.reasons := reasons;
  s.legal_basis := COALESCE(legal_basis, chosen.legal_basis);
  s.at := at;
  s.effect := tstzrange(at, COALESCE(until, quality_gov.shanghai_add(at, chosen.duration)));
  s.restricts := CASE WHEN restricts IS NULL THEN chosen.restricts ELSE ARRAY(SELECT DISTINCT a FROM unnest(restricts) a ORDER BY a) END;
  s.category := category;
  s.watchlist := chosen.watchlist;
  s.report_to := chosen.report_to;
  s.decided_by := decided_by;
  s.automatic := false;
  s.ref := ref;
  RETURN quality_gov.sanction_write(s);
END
$$;
COMMENT ON FUNCTION sanction_impose(text, text, text, text, text, text, timestamptz, text[], text, bigint, text, text, timestamptz) IS
  'Imposes a measure that a person chose from a ladder and gives its id: from at to until, else as long as the step lasts or until it is lifted; restricts and legal_basis default to the step''s; category limits what is taken away; rests on an entry where violation_id is given and falls with it; called again with the same ref gives the sanction there is';

CREATE FUNCTION sanction_lift(merchant_id text, sanction_id bigint, reasons text, decided_by text, at timestamptz DEFAULT now())
  RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  s quality_gov.sanction;
BEGIN
  IF COALESCE(reasons, '') !~ '\S' OR COALESCE(decided_by, '') !~ '\S' THEN
    RAISE EXCEPTION 'lifting a sanction needs reasons and who decided' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  at := quality_gov.violation_lock(merchant_id, at);
  s := quality_gov.sanction_require(merchant_id, sanction_id);
  IF s.lifted_at IS NOT NULL OR upper(s.effect) <= at THEN
    RAISE EXCEPTION 'sanction % %', sanction_id, CASE WHEN s.lifted_at IS NULL THEN 'has ended' ELSE 'was lifted' END
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('That was at %s.', COALESCE(s.lifted_at, upper(s.effect)));
  END IF;
  PERFORM quality_gov.sanction_close(s, at, 'decision', reasons, decided_by);
END
$$;
COMMENT ON FUNCTION sanction_lift(text, bigint, text, text, timestamptz) IS
  'A person ends a sanction before its term, with what enforces it; its entry and its points stay';

-- credit: publication, and reports to the authorities

CREATE FUNCTION sanction_publish(merchant_id text, sanction_id bigint, ref text, violation text DEFAULT NULL,
                                 at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  s quality_gov.sanction;
BEGIN
  IF COALESCE(ref, '') !~ '\S' OR violation !~ '\S' THEN
    RAISE EXCEPTION 'a publication needs where it is, and a violation that is not blank' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.violation_merchant_require(merchant_id, at);
  PERFORM quality_gov.violation_hold(merchant_id);
  s := quality_gov.sanction_require(merchant_id, sanction_id);
  at := CASE WHEN at = now() THEN greatest(clock_timestamp(), s.at) ELSE at END;
  IF s.published_ref = ref THEN
    RETURN;
  ELSIF s.published_at IS NOT NULL OR s.lifted_at IS NOT NULL THEN
    RAISE EXCEPTION 'sanction % was %', sanction_id, CASE WHEN s.lifted_at IS NULL THEN 'published' ELSE 'lifted' END
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('That was at %s.', COALESCE(s.lifted_at, s.published_at));
  ELSIF NOT (isfinite(at) AND at >= s.at) THEN
    RAISE EXCEPTION 'sanction % was decided at %, so it cannot have been published at %', sanction_id, s.at, at
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE quality_gov.sanction x
  SET published_at = at, published_ref = ref, published_violation = COALESCE(violation, s.facts)
  WHERE x.merchant_id = s.merchant_id AND x.sanction_id = s.sanction_id;
  PERFORM quality_gov.ledger_record('sanction_published', merchant_id, jsonb_build_object(
    'sanction_id', sanction_id, 'at', at, 'ref', ref, 'violation', COALESCE(violation, s.facts)));
END
$$;
COMMENT ON FUNCTION sanction_publish(text, bigint, text, text, timestamptz) IS
  'Notes that a sanction is published, where (ref), and the violation as it is told, by default its facts; from then on sanction_public shows it and duty D9 is done; again with the same ref it does nothing';

CREATE FUNCTION sanction_report_add(merchant_id text, sanction_id bigint, authority text, ref text, at timestamptz DEFAULT now())
  RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  s quality_gov.sanction;
BEGIN
  PERFORM quality_gov.violation_merchant_require(merchant_id, at);
  PERFORM quality_gov.violation_hold(merchant_id);
  s := quality_gov.sanction_require(merchant_id, sanction_id);
  IF authority IS NULL OR authority NOT IN ('county', 'province') OR COALESCE(ref, '') !~ '\S' THEN
    RAISE EXCEPTION 'a report needs its authority, county or province, and a reference' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  at := CASE WHEN at = now() THEN greatest(clock_timestamp(), s.at) ELSE at END;
  IF NOT (isfinite(at) AND at >= s.at) THEN
    RAISE EXCEPTION 'sanction % was decided at %, so it cannot have been reported at %', sanction_id, s.at, at
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.sanction_report (merchant_id, sanction_id, authority, reported_at, ref)
  VALUES (merchant_id, sanction_id, authority, at, ref) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM quality_gov.ledger_record('sanction_reported', merchant_id, jsonb_build_object(
      'sanction_id', sanction_id, 'authority', authority, 'at', at, 'ref', ref));
  END IF;
END
$$;
COMMENT ON FUNCTION sanction_report_add(text, bigint, text, text, timestamptz) IS
  'Notes that a sanction was reported to the county authority or to the province (Order 117 art 12); a second report to the same does nothing';
