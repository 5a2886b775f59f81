
-- listing: review of held listings

CREATE TABLE listing_review (
  merchant_id text NOT NULL,
  decision_id bigint NOT NULL,
  reviewer text NOT NULL,
  assigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  outcome text,
  reasons text,
  decided_at timestamptz,
  CONSTRAINT listing_review_pkey PRIMARY KEY (merchant_id, decision_id),
  CONSTRAINT listing_review_reviewer CHECK (reviewer ~ '\S'),
  CONSTRAINT listing_review_outcome CHECK (outcome IN ('release', 'confirm')),
  CONSTRAINT listing_review_decided CHECK (
    (outcome IS NULL) = (decided_at IS NULL) AND (outcome IS NULL) = (reasons IS NULL))
);
CREATE INDEX listing_review_reviewer_idx ON listing_review (reviewer) WHERE outcome IS NULL;
COMMENT ON TABLE listing_review IS
  'Who reviews a decision that holds a listing, and what came of it: release, confirm, or null while open; the ledger keeps each step';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_review', '');
ALTER TABLE listing_review ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_review_read ON listing_review FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

-- What holds a listing is the last decision that something happened to it by: an audit that changed no row is none.
-- Held listings are few among the decisions, and asked for by age.
CREATE INDEX listing_decision_held ON listing_decision (recorded_at, decision_id)
  WHERE verdict = 'quarantine' AND operation <> 'AUDIT';

CREATE VIEW listing_queue WITH (security_barrier) AS
  SELECT d.merchant_id, d.decision_id, d.relation, d.listing_id, d.category, d.at, d.recorded_at AS held_since,
         now() - d.recorded_at AS age,
         (SELECT jsonb_agg(to_jsonb(f) - '{merchant_id,decision_id,finding}'::text[] ORDER BY f.finding)
          FROM listing_finding f WHERE f.merchant_id = d.merchant_id AND f.decision_id = d.decision_id
            AND f.verdict NOT IN ('shadow', 'pass')) AS findings,
         r.reviewer, r.assigned_at, a.appeal_id, a.state AS appeal_state
  FROM listing_decision d
  LEFT JOIN listing_review r ON r.merchant_id = d.merchant_id AND r.decision_id = d.decision_id
  LEFT JOIN listing_appeal a ON a.merchant_id = d.merchant_id AND a.decision_id = d.decision_id AND a.state <> 'withdrawn'
  WHERE d.verdict = 'quarantine' AND d.operation <> 'AUDIT' AND r.outcome IS NULL
    AND NOT EXISTS (SELECT FROM listing_decision later
                    WHERE later.merchant_id = d.merchant_id AND later.relation = d.relation
                      AND later.listing_id = d.listing_id AND later.operation <> 'AUDIT'
                      AND later.decision_id > d.decision_id)
    AND session_reads_all()
  ORDER BY d.recorded_at, d.decision_id;
COMMENT ON VIEW listing_queue IS
  'Held listings that nobody has reviewed yet, oldest first: findings, age, reviewer if assigned, and the state of an appeal';

CREATE FUNCTION listing_is_held(merchant_id text, decision_id bigint) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM listing_decision d
    WHERE d.merchant_id = listing_is_held.merchant_id AND d.decision_id = listing_is_held.decision_id
      AND d.verdict = 'quarantine' AND d.operation <> 'AUDIT'
      AND NOT EXISTS (SELECT FROM listing_decision later
                      WHERE later.merchant_id = d.merchant_id AND later.relation = d.relation
                        AND later.listing_id = d.listing_id AND later.operation <> 'AUDIT'
                        AND later.decision_id > d.decision_id));
END;
COMMENT ON FUNCTION listing_is_held(text, bigint) IS
  'Whether a decision holds its listing: it is the last one by which anything happened to the row; an AUDIT that changed no row neither holds nor frees';

-- listing: assignment

CREATE FUNCTION listing_review_assign(reviewer text, n integer DEFAULT 1, OUT merchant_id text, OUT decision_id bigint,
                                      OUT relation text, OUT listing_id text, OUT held_since timestamptz)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  wanted integer := n;
  missed boolean := true;
BEGIN
  IF COALESCE(listing_review_assign.reviewer, '') !~ '\S' OR n IS NULL OR n NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'a reviewer is named, and takes 1 to 1000 listings' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Rows that another takes at the moment are locked, or conflict when it has committed; then look again.
  WHILE wanted > 0 AND missed LOOP
    missed := false;
    FOR merchant_id, decision_id, relation, listing_id, held_since IN
      SELECT d.merchant_id, d.decision_id, d.relation, d.listing_id, d.recorded_at
      FROM quality_gov.listing_decision d
      WHERE d.verdict = 'quarantine' AND d.operation <> 'AUDIT'
        AND NOT EXISTS (SELECT FROM quality_gov.listing_review r
                        WHERE r.merchant_id = d.merchant_id AND r.decision_id = d.decision_id)
        AND NOT EXISTS (SELECT FROM quality_gov.listing_decision later
                        WHERE later.merchant_id = d.merchant_id AND later.relation = d.relation
                          AND later.listing_id = d.listing_id AND later.operation <> 'AUDIT'
                          AND later.decision_id > d.decision_id)
      ORDER BY d.recorded_at, d.decision_id LIMIT wanted
      FOR NO KEY UPDATE OF d SKIP LOCKED
    LOOP
      INSERT INTO quality_gov.listing_review (merchant_id, decision_id, reviewer)
      VALUES (listing_review_assign.merchant_id, listing_review_assign.decision_id, listing_review_assign.reviewer)
      ON CONFLICT DO NOTHING;
      IF FOUND THEN
        wanted := wanted - 1;
        PERFORM quality_gov.ledger_record('listing_review', COALESCE(listing_id, merchant_id), jsonb_build_object(
          'decision_id', decision_id, 'merchant_id', merchant_id, 'step', 'assigned', 'reviewer', listing_review_assign.reviewer));
        RETURN NEXT;
      ELSE
        missed := true;
      END IF;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION listing_review_assign(text, integer) IS
  'Gives a reviewer the n oldest held listings that nobody has, and returns them; two callers at once never get the same';

CREATE FUNCTION listing_review_return(merchant_id text, decision_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  gone quality_gov.listing_review;
BEGIN
  DELETE FROM quality_gov.listing_review r
  WHERE r.merchant_id = listing_review_return.merchant_id AND r.decision_id = listing_review_return.decision_id
    AND r.outcome IS NULL RETURNING r.* INTO gone;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'decision % of merchant "%" is not under review', decision_id, merchant_id
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  PERFORM quality_gov.ledger_record('listing_review', merchant_id, jsonb_build_object('decision_id', decision_id,
    'merchant_id', merchant_id, 'step', 'returned', 'reviewer', gone.reviewer));
END
$$;
COMMENT ON FUNCTION listing_review_return(text, bigint) IS
  'Takes an open review from its reviewer, so that the listing can be assigned again';

-- listing: release

CREATE FUNCTION listing_event_void(merchant_id text, decision_id bigint, denial_id bigint DEFAULT NULL,
                                   rules text[] DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  m record;
  overturned text[];
  before text;
  after text;
  voided integer := 0;
BEGIN
  -- A release and an appeal that overturns a part may come at the same time.
  PERFORM FROM quality_gov.listing_decision d
  WHERE d.merchant_id = listing_event_void.merchant_id AND d.decision_id = listing_event_void.decision_id FOR NO KEY UPDATE;
  overturned := quality_gov.listing_overturned(merchant_id, decision_id, denial_id);
  SELECT * INTO m FROM quality_gov.listing_measure(merchant_id, decision_id, denial_id);
  SELECT quality_gov.findings_severity(jsonb_agg(f.value) FILTER (
           WHERE f.value ->> 'rule' = ANY (rules) OR f.value ->> 'rule' <> ALL (overturned))),
         quality_gov.findings_severity(jsonb_agg(f.value) FILTER (
           WHERE rules IS NOT NULL AND f.value ->> 'rule' <> ALL (overturned)))
  INTO before, after FROM jsonb_array_elements(m.findings) AS f;
  IF before IS DISTINCT FROM after THEN
    voided := quality_gov.credit_event_void(merchant_id, 'listing', before, m.at, m.relation, m.listing_id);
  END IF;
  IF voided > 0 AND after IS NOT NULL THEN
    -- It is known from when the other is taken back, so that earlier instants are answered as before.
    PERFORM quality_gov.credit_event_add(merchant_id, 'listing', after, m.at, m.relation, m.listing_id, (
      SELECT max(v.recorded_at) FROM quality_gov.credit_event v
      WHERE v.merchant_id = listing_event_void.merchant_id AND v.source = m.relation AND v.ref IS NOT DISTINCT FROM m.listing_id
        AND v.indicator = 'listing' AND v.void));
  END IF;
  RETURN voided;
END
$$;
COMMENT ON FUNCTION listing_event_void(text, bigint, bigint, text[]) IS
  'Takes back the credit event of a decision or a refused attempt; where findings of some rules are overturned alone, one as grave as what stands takes its place; gives the number of events voided, 0 or 1';

CREATE FUNCTION listing_except(merchant_id text, decision_id bigint, denial_id bigint, owner text, reason text,
                               until timestamptz, rules text[] DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  m record;
  finding record;
  effective timestamptz;
BEGIN
  SELECT * INTO m FROM quality_gov.listing_measure(merchant_id, decision_id, denial_id);
  -- From now on, but a guard that judges as of a column of the row asks for that instant again.
  effective := CASE WHEN EXISTS (SELECT FROM quality_gov.guard g WHERE g.relation = to_regclass(m.relation)
                                   AND g.kind = 'listing' AND g.mapping ? 'at') THEN least(now(), m.at) ELSE now() END;
  -- What is asked without any rule has version 0, and no exception.
  FOR finding IN SELECT DISTINCT f.value ->> 'rule' AS rule, f.value ->> 'message' AS message
                 FROM jsonb_array_elements(m.findings) f
                 WHERE f.value ->> 'verdict' IN ('deny', 'quarantine') AND (f.value ->> 'version')::integer > 0
                   AND (rules IS NULL OR f.value ->> 'rule' = ANY (rules)) ORDER BY 1, 2 LOOP
    -- A refused INSERT may come again under another id; the finding is what it is let off.
    PERFORM quality_gov.listing_exception_add(finding.rule, merchant_id,
      COALESCE(until, greatest(now(), m.at) + interval '1 year'), reason, owner, 'pass',
      CASE WHEN denial_id IS NULL OR m.operation <> 'INSERT' THEN m.listing_id END, effective, finding.message, m.relation);
  END LOOP;
END
$$;
COMMENT ON FUNCTION listing_except(text, bigint, bigint, text, text, timestamptz, text[]) IS
  'Enters an exception for each finding (of the rules, where given) that holds or refuses a listing: exactly that finding on that listing, or on the merchant''s listings where an INSERT was refused';

CREATE FUNCTION listing_release(merchant_id text, decision_id bigint, reviewer text, reasons text, until timestamptz,
                                rules text[] DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  decided quality_gov.listing_decision;
BEGIN
  SELECT d.* INTO decided FROM quality_gov.listing_decision d
  WHERE d.merchant_id = listing_release.merchant_id AND d.decision_id = listing_release.decision_id;
  INSERT INTO quality_gov.listing_review AS r (merchant_id, decision_id, reviewer, outcome, reasons, decided_at)
  VALUES (decided.merchant_id, decided.decision_id, listing_release.reviewer, 'release', listing_release.reasons, clock_timestamp())
  ON CONFLICT (merchant_id, decision_id) DO UPDATE
  SET reviewer = excluded.reviewer, outcome = excluded.outcome, reasons = excluded.reasons, decided_at = excluded.decided_at;
  PERFORM quality_gov.listing_event_void(decided.merchant_id, decided.decision_id, NULL, rules);
  PERFORM quality_gov.listing_except(decided.merchant_id, decided.decision_id, NULL, listing_release.reviewer,
                                     listing_release.reasons, until, rules);
  PERFORM quality_gov.ledger_record('listing_review', COALESCE(decided.listing_id, decided.merchant_id), jsonb_build_object(
    'decision_id', decided.decision_id, 'merchant_id', decided.merchant_id, 'step', 'release',
    'reviewer', listing_release.reviewer, 'reasons', listing_release.reasons));
  RETURN decided.decision_id;
END
$$;
COMMENT ON FUNCTION listing_release(text, bigint, text, text, timestamptz, text[]) IS
  'Records that a held listing is released, takes back its credit event and enters the exceptions that let it pass as it is; gives the decision';

CREATE FUNCTION listing_review_close(merchant_id text, decision_id bigint, outcome text, reasons text, reviewer text,
                                     until timestamptz DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  open quality_gov.listing_review;
BEGIN
  IF outcome IS NULL OR outcome NOT IN ('release', 'confirm') THEN
    RAISE EXCEPTION 'the outcome of a review is release or confirm, found %', COALESCE(quote_literal(outcome), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF COALESCE(reasons, '') !~ '\S' THEN
    RAISE EXCEPTION 'the outcome of a review needs reasons' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- A write takes the row, whoever decides at the same time.
  INSERT INTO quality_gov.listing_review AS r (merchant_id, decision_id, reviewer)
  SELECT d.merchant_id, d.decision_id, COALESCE(listing_review_close.reviewer, session_user)
  FROM quality_gov.listing_decision d
  WHERE d.merchant_id = listing_review_close.merchant_id AND d.decision_id = listing_review_close.decision_id
  ON CONFLICT (merchant_id, decision_id) DO UPDATE SET reviewer = COALESCE(listing_review_close.reviewer, r.reviewer)
  RETURNING r.* INTO open;
  IF open.merchant_id IS NULL THEN
    RAISE EXCEPTION 'merchant "%" has no decision %', listing_review_close.merchant_id, listing_review_close.decision_id
      USING ERRCODE = 'no_data_found';
  END IF;
  IF open.outcome IS NOT NULL THEN
    RAISE EXCEPTION 'decision % was reviewed already', open.decision_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Its outcome is %s.', open.outcome);
  END IF;
  IF NOT quality_gov.listing_is_held(open.merchant_id, open.decision_id) THEN
    RAISE EXCEPTION 'decision % does not hold a listing', open.decision_id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The view quality_gov.listing_queue lists what there is to review.';
  END IF;
  IF outcome = 'release' THEN
    PERFORM quality_gov.listing_release(open.merchant_id, open.decision_id, open.reviewer, listing_review_close.reasons, until);
    RETURN;
  END IF;
  UPDATE quality_gov.listing_review r
  SET outcome = listing_review_close.outcome, reasons = listing_review_close.reasons, decided_at = clock_timestamp()
  WHERE r.merchant_id = open.merchant_id AND r.decision_id = open.decision_id;
  PERFORM quality_gov.ledger_record('listing_review', open.merchant_id, jsonb_build_object('decision_id', open.decision_id,
    'merchant_id', open.merchant_id, 'step', 'confirm', 'reviewer', open.reviewer, 'reasons', listing_review_close.reasons));
END
$$;
COMMENT ON FUNCTION listing_review_close(text, bigint, text, text, text, timestamptz) IS
  'Records the outcome of a review; listing_review_decide() calls it';

CREATE FUNCTION listing_status_set(merchant_id text, decision_id bigint, status text) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  target record;
  tables oid[];
  places tid[];
  updated integer;
  still_held integer;
BEGIN
  -- Keys are compared as their columns' types, so that an index serves, or as texts inside jsonb.
  SELECT d.listing_id, g.relation, g.options ->> 'held' AS held, jsonb_object_agg(m.key, CASE
           WHEN m.key = 'status' THEN CASE WHEN p.path = '{}' THEN jsonb_build_array(p.column_name) END
           WHEN p.path = '{}' THEN jsonb_build_array(format('t.%I', p.column_name), format_type(a.atttypid, a.atttypmod))
           ELSE jsonb_build_array(format('(t.%I #>> %L::text[])', p.column_name, p.path), 'text') END) AS keys
  INTO target
  FROM quality_gov.listing_decision d
  JOIN quality_gov.guard g ON g.relation = to_regclass(d.relation) AND g.kind = 'listing'
  CROSS JOIN LATERAL jsonb_each_text(g.mapping) m
  CROSS JOIN LATERAL quality_gov.mapping_parse(m.value) p
  JOIN pg_attribute a ON a.attrelid = g.relation AND a.attname = p.column_name AND NOT a.attisdropped
  WHERE d.merchant_id = listing_status_set.merchant_id AND d.decision_id = listing_status_set.decision_id
    AND m.key IN ('merchant_id', 'listing_id', 'status')
  GROUP BY 1, 2, 3;
  IF NOT COALESCE(jsonb_strip_nulls(target.keys) ?& '{merchant_id,listing_id,status}', false) THEN
    RAISE EXCEPTION 'the table of decision % has no guard that maps merchant_id, listing_id and a status column', decision_id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Give no status, and set the listing free in the application.';
  END IF;
  IF status = target.held THEN
    RAISE EXCEPTION '"%" is the status that holds a listing', status USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format(
    'SELECT array_agg(r.tableoid), array_agg(r.ctid)
     FROM (SELECT t.tableoid, t.ctid FROM %s t WHERE %s = $1::%s AND %s = $2::%s FOR UPDATE) r', target.relation,
    target.keys #>> '{listing_id,0}', target.keys #>> '{listing_id,1}', target.keys #>> '{merchant_id,0}',
    target.keys #>> '{merchant_id,1}')
    INTO tables, places USING target.listing_id, merchant_id;
  SELECT w.updated, w.still_held INTO updated, still_held FROM quality_gov.listing_status_write(
    target.relation, target.keys #>> '{status,0}', status, target.held, tables, places) w;
  IF updated = 0 THEN
    RAISE EXCEPTION 'table % has no listing "%" of merchant "%"', target.relation, target.listing_id, merchant_id
      USING ERRCODE = 'no_data_found', HINT = 'Give no status to record the release alone.';
  END IF;
  IF still_held > 0 THEN
    RAISE EXCEPTION 'listing "%" is held for other reasons, too', target.listing_id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'quality_gov.listing_check() names them: what the merchant may, a recall, values that changed since. Give no status to record the release alone.';
  END IF;
  RETURN updated;
END
$$;
COMMENT ON FUNCTION listing_status_set(text, bigint, text) IS
  'Updates the status column of a decision''s listing, as the guard maps it, with the caller''s rights; 55000 where the guard holds it again; gives the number of rows';

CREATE FUNCTION listing_review_decide(merchant_id text, decision_id bigint, outcome text, reasons text,
                                      status text DEFAULT NULL, reviewer text DEFAULT NULL,
                                      until timestamptz DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF outcome = 'confirm' AND status IS NOT NULL THEN
    RAISE EXCEPTION 'a confirmed listing keeps its status' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.listing_review_close(merchant_id, decision_id, outcome, reasons, reviewer, until);
  IF outcome = 'confirm' OR status IS NULL THEN
    RETURN 0;
  END IF;
  RETURN quality_gov.listing_status_set(merchant_id, decision_id, status);
END
$$;
COMMENT ON FUNCTION listing_review_decide(text, bigint, text, text, text, text, timestamptz) IS
  'Decides the review of a held listing: confirm keeps it held; release enters exceptions for what was found, until an instant, by default a year later, and with status updates the platform''s row with the caller''s rights; gives the number of rows updated';

-- listing: retirement, with the decisions that it is about

CREATE FUNCTION listing_review_retire(before timestamptz, denials boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  -- An appeal is a record of its own: open, or of the years that are kept, it keeps what it is against.
  DELETE FROM quality_gov.listing_appeal a
  WHERE a.state NOT IN ('filed', 'person_requested')
    AND NOT EXISTS (SELECT FROM quality_gov.listing_appeal_step s
                    WHERE s.merchant_id = a.merchant_id AND s.appeal_id = a.appeal_id AND s.at >= before)
    AND CASE WHEN denials THEN EXISTS (
               SELECT FROM quality_gov.listing_denial d
               WHERE d.merchant_id = a.merchant_id AND d.denial_id = a.denial_id AND d.recorded_at < before)
             ELSE EXISTS (
               SELECT FROM quality_gov.listing_decision d
               WHERE d.merchant_id = a.merchant_id AND d.decision_id = a.decision_id AND d.recorded_at < before) END;
  PERFORM quality_gov.append_only_lift('quality_gov.listing_appeal_step');
  DELETE FROM quality_gov.listing_appeal_step s
  WHERE NOT EXISTS (SELECT FROM quality_gov.listing_appeal a
                    WHERE a.merchant_id = s.merchant_id AND a.appeal_id = s.appeal_id);
  DELETE FROM quality_gov.listing_review r USING quality_gov.listing_decision d
  WHERE NOT denials AND d.merchant_id = r.merchant_id AND d.decision_id = r.decision_id AND d.recorded_at < before
    AND COALESCE(r.decided_at, r.assigned_at) < before
    AND NOT EXISTS (SELECT FROM quality_gov.listing_appeal a WHERE a.merchant_id = r.merchant_id AND a.decision_id = r.decision_id);
END
$$;
COMMENT ON FUNCTION listing_review_retire(timestamptz, boolean) IS
  'Deletes the appeals against refused attempts, or the appeals against decisions and their reviews, recorded before an instant, unless they are open or went on since; listing_denial_retire() and listing_retire() call it, and keep what an appeal or a review is left of';

CREATE FUNCTION listing_is_contested(merchant_id text, decision_id bigint, denial_id bigint DEFAULT NULL) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM listing_appeal a
                 WHERE a.merchant_id = listing_is_contested.merchant_id AND a.decision_id = listing_is_contested.decision_id)
      OR EXISTS (SELECT FROM listing_appeal a
                 WHERE a.merchant_id = listing_is_contested.merchant_id AND a.denial_id = listing_is_contested.denial_id)
      OR EXISTS (SELECT FROM listing_review r
                 WHERE r.merchant_id = listing_is_contested.merchant_id AND r.decision_id = listing_is_contested.decision_id);
END;
COMMENT ON FUNCTION listing_is_contested(text, bigint, bigint) IS
  'Whether there is an appeal against a decision or a refused attempt, or a review of it';
