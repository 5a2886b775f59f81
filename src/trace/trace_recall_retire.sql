
-- trace: what happened in a recall, in one list; whether it holds together; how long it is kept

CREATE VIEW recall_history WITH (security_barrier) AS
  SELECT r.recall_id, h.at, h.kind, h.what, h.party, h.role, h.detail
  FROM recall r
  CROSS JOIN LATERAL (
    SELECT s.at, 'state' AS kind, s.state AS what, s.party, s.role, jsonb_strip_nulls(jsonb_build_object('note', s.note)) AS detail
    FROM recall_step s WHERE s.recall_id = r.recall_id
    UNION ALL
    SELECT p.at, 'report', p.kind, p.party, p.role, p.content FROM recall_report p WHERE p.recall_id = r.recall_id
    UNION ALL
    SELECT f.at, 'fact', f.fact, NULL, f.role, jsonb_strip_nulls(jsonb_build_object('note', f.note))
    FROM recall_fact f WHERE f.recall_id = r.recall_id
    UNION ALL
    SELECT c.at, 'level', c.level::text, c.party, c.role, jsonb_build_object('was', c.was, 'reason', c.reason)
    FROM recall_level_change c WHERE c.recall_id = r.recall_id
    UNION ALL
    SELECT e.at, 'extension', e.until::text, e.party, e.role,
           jsonb_strip_nulls(jsonb_build_object('was', e.was, 'consent_by', e.consent_by, 'note', e.note))
    FROM recall_extension e WHERE e.recall_id = r.recall_id) h
  WHERE (SELECT session_reads_all()) OR r.merchant_id IN (SELECT m.merchant_id FROM session_merchant m);
COMMENT ON VIEW recall_history IS
  'Everything that was done and said in recalls: states, documents with their content, facts, levels, extensions; each with its instant, party and role';

CREATE FUNCTION recall_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT c.relation, c.recall_id || ' ' || c.id, 'has no recall'
  FROM (SELECT 'recall_report' AS relation, p.recall_id, p.report_id AS id FROM quality_gov.recall_report p
        UNION ALL SELECT 'recall_step', s.recall_id, s.step_id FROM quality_gov.recall_step s
        UNION ALL SELECT 'recall_fact', f.recall_id, f.fact_id FROM quality_gov.recall_fact f
        UNION ALL SELECT 'recall_level_change', l.recall_id, l.change_id FROM quality_gov.recall_level_change l
        UNION ALL SELECT 'recall_extension', e.recall_id, e.extension_id FROM quality_gov.recall_extension e) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall r WHERE r.recall_id = c.recall_id)
  UNION ALL
  SELECT 'recall_transition', concat_ws(' ', t.regime, t.from_state, t.to_state), format('names "%s", which is no state', w.state)
  FROM quality_gov.recall_transition t CROSS JOIN unnest(ARRAY[t.from_state, t.to_state]) AS w(state)
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall_state s WHERE s.state = w.state)
  UNION ALL
  SELECT 'recall_transition', concat_ws(' ', t.regime, t.from_state, t.to_state), format('names documents of kind "%s", which does not exist', t.document)
  FROM quality_gov.recall_transition t
  WHERE t.document IS NOT NULL
    AND NOT EXISTS (SELECT FROM quality_gov.recall_report_kind k WHERE k.kind = t.document AND t.regime = ANY (k.regimes))
  UNION ALL
  SELECT 'recall_content', concat_ws(' ', c.regime, c.kind, c.field), format('is of kind "%s", which does not exist', c.kind)
  FROM quality_gov.recall_content c
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall_report_kind k WHERE k.kind = c.kind AND c.regime = ANY (k.regimes))
  UNION ALL
  SELECT 'recall', r.recall_id::text, format('is of level %s, its last change says %s', r.level, l.level)
  FROM quality_gov.recall r
  CROSS JOIN LATERAL (SELECT c.level FROM quality_gov.recall_level_change c
                      WHERE c.recall_id = r.recall_id ORDER BY c.at DESC LIMIT 1) l
  WHERE l.level IS DISTINCT FROM r.level
  UNION ALL
  SELECT 'recall_step', s.recall_id || ' ' || s.step_id,
         CASE WHEN s.was IS NULL THEN format('begins as "%s"', s.state) ELSE format('goes from "%s" to "%s"', s.was, s.state) END
  FROM (SELECT x.*, lag(x.state) OVER (PARTITION BY x.recall_id ORDER BY x.at) AS was FROM quality_gov.recall_step x) s
  JOIN quality_gov.recall r ON r.recall_id = s.recall_id
  WHERE CASE WHEN s.was IS NULL
             THEN NOT EXISTS (SELECT FROM quality_gov.recall_state b WHERE b.state = s.state AND b.initial)
             ELSE NOT EXISTS (SELECT FROM quality_gov.recall_transition_at(r.regime, s.was, s.at) t WHERE t.to_state = s.state) END
$$;
COMMENT ON FUNCTION recall_check() IS
  'Oracle: rows of recalls that have no recall, steps that no transition allows, levels that differ from their last change, rows of one''s own that name what does not exist; no rows when all is well';

CREATE FUNCTION recall_keep_until(recall_id bigint, OUT until timestamptz, OUT reason text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  r quality_gov.recall;
  last quality_gov.recall_step;
  acted timestamptz;
  expiry date;
  unknown boolean;
BEGIN
  SELECT * INTO r FROM quality_gov.recall x WHERE x.recall_id = recall_keep_until.recall_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT * INTO last FROM quality_gov.recall_step s WHERE s.recall_id = r.recall_id ORDER BY s.at DESC LIMIT 1;
  IF last.state NOT IN ('dismissed', 'final_summary') THEN
    until := 'infinity';
    reason := format('it is "%s"', last.state);
    RETURN;
  END IF;
  acted := GREATEST(last.at, (SELECT max(p.at) FROM quality_gov.recall_report p WHERE p.recall_id = r.recall_id));
  -- Terms that were in force at its last act or began since; a recall of food before Order 122 is kept as its records are now.
  SELECT max(quality_gov.deadline_compute(acted, f.value::integer, f.unit, 'CN', false)), string_agg(DISTINCT f.legal_basis, '; ')
  INTO until, reason
  FROM quality_gov.legal_figure f
  WHERE f.figure = 'recall_retention ' || r.regime AND COALESCE(upper(f.effect) > acted, true);
  IF r.regime = 'food' THEN
    SELECT max(l.expires_on), bool_or(l.expires_on IS NULL) INTO expiry, unknown
    FROM quality_gov.recall_scope x
    LEFT JOIN quality_gov.gtin_alias a ON a.old = x.gtin
    LEFT JOIN quality_gov.lot l ON l.gtin = COALESCE(a.gtin, x.gtin) AND (x.lot_code IS NULL OR l.lot_code = x.lot_code)
    WHERE x.recall_id = r.recall_id;
    IF COALESCE(unknown, true) THEN
      until := 'infinity';
      reason := 'the shelf life of its goods is not known (lot.expires_on)';
      RETURN;
    END IF;
    until := GREATEST(until, (
      SELECT max(quality_gov.deadline_compute(expiry::timestamp AT TIME ZONE 'Asia/Shanghai', f.value::integer, f.unit, 'CN', false))
      FROM quality_gov.legal_figure f
      WHERE f.figure = 'recall_retention_expiry ' || r.regime AND COALESCE(upper(f.effect) > acted, true)));
  END IF;
END
$$;
COMMENT ON FUNCTION recall_keep_until(bigint) IS
  'Instant until which the records of a recall are kept (legal_figure recall_retention), counted from its last step or document, for food also from the shelf life of its goods; infinity, with the reason, while it is not over or a shelf life is not known';

CREATE FUNCTION recall_retire(before timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  retired bigint[];
  kept record;
  part regclass;
BEGIN
  -- No step or document comes in between.
  PERFORM FROM quality_gov.recall r
  WHERE before IS NULL OR NOT EXISTS (SELECT FROM quality_gov.recall_step s WHERE s.recall_id = r.recall_id AND s.at >= before)
  ORDER BY r.recall_id FOR UPDATE;
  IF before IS NOT NULL THEN
    SELECT r.recall_id, k.until, k.reason INTO kept
    FROM quality_gov.recall r CROSS JOIN LATERAL quality_gov.recall_keep_until(r.recall_id) k
    WHERE k.until > now()
      AND NOT EXISTS (SELECT FROM quality_gov.recall_step s WHERE s.recall_id = r.recall_id AND s.at >= before)
    ORDER BY k.until DESC, r.recall_id LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'recall % is kept %', kept.recall_id,
          CASE WHEN kept.until = 'infinity' THEN 'as long as ' || kept.reason ELSE 'until ' || kept.until END
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = CASE WHEN kept.until < 'infinity' THEN kept.reason || '.' ELSE 'Nobody can tell yet until when.' END,
              HINT = 'Without an instant, those that need not be kept any more are retired.';
    END IF;
  END IF;
  SELECT COALESCE(array_agg(r.recall_id ORDER BY r.recall_id), '{}') INTO retired
  FROM quality_gov.recall r CROSS JOIN LATERAL quality_gov.recall_keep_until(r.recall_id) k
  WHERE k.until <= now()
    AND (before IS NULL
         OR NOT EXISTS (SELECT FROM quality_gov.recall_step s WHERE s.recall_id = r.recall_id AND s.at >= before));
  -- Whatever hangs on a recall is a table of ours named after it.
  FOR part IN
    SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'recall_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relkind = 'r'
      AND (starts_with(c.relname, 'recall_') OR c.relname = 'recall')
    ORDER BY c.relname DESC
  LOOP
    PERFORM quality_gov.append_only_lift(part);
    EXECUTE format('DELETE FROM %s WHERE recall_id = ANY ($1)', part) USING retired;
  END LOOP;
  PERFORM quality_gov.append_only_lift(0::regclass);
  PERFORM quality_gov.ledger_record('recall_retire', 'recall', jsonb_build_object('before', before, 'recalls', retired));
  RETURN cardinality(retired);
END
$$;
COMMENT ON FUNCTION recall_retire(timestamptz) IS
  'Deletes the recalls that need not be kept any more (recall_keep_until()) with all that hangs on them, and gives their number; given an instant, those whose last step is before it, and refuses (55000) where one of them must be kept, naming it and until when; the ledger keeps what was decided';
