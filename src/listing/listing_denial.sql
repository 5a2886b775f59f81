
-- listing: refused attempts, whose own transactions were rolled back

CREATE TABLE listing_denial (
  merchant_id text NOT NULL,
  denial_id bigint GENERATED ALWAYS AS IDENTITY,
  relation text NOT NULL,
  listing_id text,
  category text,
  operation text NOT NULL,
  at timestamptz NOT NULL,
  verdict text NOT NULL,
  guard_mode text NOT NULL,
  role text NOT NULL,
  findings jsonb NOT NULL,
  listing jsonb,
  attempted_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT listing_denial_pkey PRIMARY KEY (merchant_id, denial_id),
  CONSTRAINT listing_denial_verdict CHECK (verdict IN ('deny', 'quarantine', 'warn', 'shadow', 'pass')),
  CONSTRAINT listing_denial_findings CHECK (jsonb_typeof(findings) = 'array'),
  CONSTRAINT listing_denial_at CHECK (isfinite(at) AND isfinite(attempted_at))
);
CREATE INDEX listing_denial_listing ON listing_denial (merchant_id, relation, listing_id, denial_id);
CREATE INDEX listing_denial_attempted ON listing_denial (attempted_at);
COMMENT ON TABLE listing_denial IS
  'Each attempt to store a listing that a guard refused: what was to be stored (texts above 8 kB cut), as of which instant it was judged, the findings, the session''s role, when it was attempted and when recorded; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_denial', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_denial_denial_id_seq', '');

CREATE TRIGGER listing_denial_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listing_denial
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE listing_denial ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_denial_read ON listing_denial FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

-- Files belong to this cluster, so a dump leaves these rows out.
CREATE TABLE listing_denial_spool (
  file text NOT NULL,
  consumed bigint NOT NULL,
  recorded bigint NOT NULL,
  torn bigint NOT NULL,
  CONSTRAINT listing_denial_spool_pkey PRIMARY KEY (file),
  CONSTRAINT listing_denial_spool_amounts CHECK (consumed >= 0 AND recorded >= 0 AND torn >= 0)
);
COMMENT ON TABLE listing_denial_spool IS
  'How far each file of refused attempts was read (consumed, bytes), attempts recorded from it, whether its end was torn; the row of the empty name sums up files that are gone; of this cluster, not dumped';

CREATE FUNCTION findings_severity(findings jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT f.value ->> 'severity' FROM jsonb_array_elements(findings) f
          WHERE f.value ->> 'verdict' NOT IN ('shadow', 'pass')
          ORDER BY array_position('{critical,high,medium,low}', f.value ->> 'severity') LIMIT 1);
COMMENT ON FUNCTION findings_severity(jsonb) IS
  'Severity of the gravest finding that is not on trial and that no exception lets pass, as the guard weighs it; null where there is none';

CREATE FUNCTION listing_denial_enter(attempts text[]) RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH attempt AS MATERIALIZED (
    SELECT a.value::jsonb AS r FROM unnest(attempts) AS a(value)
  ), denial AS (
    INSERT INTO quality_gov.listing_denial (merchant_id, relation, listing_id, category, operation, at, verdict,
                                            guard_mode, role, findings, listing, attempted_at)
    SELECT COALESCE(r ->> 'merchant_id', ''), COALESCE(r ->> 'relation', ''), r ->> 'listing_id', r ->> 'category',
           COALESCE(r ->> 'operation', ''), (r ->> 'at')::timestamptz, COALESCE(r ->> 'verdict', 'deny'),
           r ->> 'guard_mode', COALESCE(r ->> 'role', ''), COALESCE(nullif(r -> 'findings', 'null'), '[]'),
           nullif(r -> 'listing', 'null'), (r ->> 'attempted_at')::timestamptz
    FROM attempt ORDER BY (r ->> 'attempted_at')::timestamptz
    RETURNING *
  ), entry AS (
    SELECT count(quality_gov.ledger_record('listing_denial', COALESCE(d.listing_id, d.merchant_id), jsonb_build_object(
             'denial_id', d.denial_id, 'relation', d.relation, 'merchant_id', d.merchant_id, 'listing_id', d.listing_id,
             'operation', d.operation, 'at', d.at, 'verdict', d.verdict, 'guard_mode', d.guard_mode, 'role', d.role,
             'attempted_at', d.attempted_at, 'findings', d.findings))) AS entries
    FROM denial d
  ), grave AS MATERIALIZED (
    SELECT d.merchant_id, d.denial_id, d.at, d.relation, d.listing_id, m.model, m.version,
           quality_gov.findings_severity(d.findings) AS severity
    FROM denial d CROSS JOIN LATERAL quality_gov.credit_model_at(d.at) m
    -- Who was refused for not being admitted has no credit.
    WHERE d.verdict IN ('warn', 'quarantine', 'deny')
      AND EXISTS (SELECT FROM quality_gov.merchant a WHERE a.merchant_id = d.merchant_id)
  ), event AS (
    -- One event an attempt, as grave as its gravest finding that counts.
    INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, bad, source, ref, recorded_at)
    SELECT g.merchant_id, 'listing', g.at, s.bad, g.relation, g.listing_id, g.at
    FROM grave g
    JOIN quality_gov.credit_severity s
      ON s.model = g.model AND s.version = g.version AND s.indicator = 'listing' AND s.severity = g.severity
    WHERE s.bad > 0 ORDER BY g.denial_id
  )
  SELECT entries FROM entry
$$;
COMMENT ON FUNCTION listing_denial_enter(text[]) IS
  'Writes attempts, each a JSON object as the spool holds it, with ledger entries and credit events, and gives their number; listing_denial_drain() calls it';

CREATE FUNCTION listing_denial_consume(files text[], consumed bigint[], recorded bigint[], torn boolean[]) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  INSERT INTO quality_gov.listing_denial_spool AS s
  SELECT u.file, u.consumed, u.recorded, u.torn::integer FROM unnest(files, consumed, recorded, torn) AS u(file, consumed, recorded, torn)
  ON CONFLICT (file) DO UPDATE
  SET consumed = EXCLUDED.consumed, recorded = s.recorded + EXCLUDED.recorded, torn = s.torn + EXCLUDED.torn
$$;
COMMENT ON FUNCTION listing_denial_consume(text[], bigint[], bigint[], boolean[]) IS
  'Writes how far files of refused attempts were read; listing_denial_drain() calls it';

CREATE FUNCTION listing_denial_forget(files text[]) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH gone AS (
    DELETE FROM quality_gov.listing_denial_spool s WHERE s.file = ANY (files) RETURNING s.recorded, s.torn)
  INSERT INTO quality_gov.listing_denial_spool AS s
  SELECT '', 0, sum(g.recorded), sum(g.torn) FROM gone g HAVING count(*) > 0
  ON CONFLICT (file) DO UPDATE SET recorded = s.recorded + EXCLUDED.recorded, torn = s.torn + EXCLUDED.torn
$$;
COMMENT ON FUNCTION listing_denial_forget(text[]) IS
  'Adds the rows of files that are gone to the row of the empty name; listing_denial_drain() calls it';

CREATE FUNCTION listing_denial_drain(wait boolean DEFAULT true) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_listing_denial_drain' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION listing_denial_drain(boolean) IS
  'Records the refused attempts that wait on disk, each once, and gives how many it took from there; one that the tables refuse goes to the server log; of two calls at once the second waits, or gives null where it must not wait; at isolation level read committed only (SQLSTATE 25001)';

CREATE FUNCTION listing_denial_collect(at timestamptz) RETURNS text
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  -- Waits for the worker, so that what was refused before is on record after.
  SELECT quality_gov.listing_denial_drain() || ' refused attempts recorded'
$$;
COMMENT ON FUNCTION listing_denial_collect(timestamptz) IS
  'Maintenance task: records the refused attempts that wait on disk';
INSERT INTO maintenance_task VALUES
  ('listing_denial', 5, 'quality_gov.listing_denial_collect', 'Refused attempts that wait on disk', true);

CREATE FUNCTION listing_denial_spool_state(OUT spooled bigint, OUT logged bigint, OUT logged_at timestamptz,
                                           OUT files bigint, OUT bytes bigint, OUT oldest timestamptz)
  AS 'MODULE_PATHNAME', 'qg_listing_denial_spool_state' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION listing_denial_spool_state() IS
  'Counters that all sessions of the database share and what is on disk; listing_denial_state() adds what was recorded';

CREATE FUNCTION listing_denial_state(OUT spooled bigint, OUT drained bigint, OUT logged bigint, OUT files bigint,
                                     OUT bytes bigint, OUT torn bigint, OUT logged_at timestamptz, OUT oldest timestamptz)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT s.spooled, d.recorded, s.logged, s.files, s.bytes, d.torn, s.logged_at, s.oldest
  FROM quality_gov.listing_denial_spool_state() s
  CROSS JOIN (SELECT COALESCE(sum(p.recorded), 0)::bigint AS recorded, COALESCE(sum(p.torn), 0)::bigint AS torn
              FROM quality_gov.listing_denial_spool p) d
$$;
COMMENT ON FUNCTION listing_denial_state() IS
  'Refused attempts of this database: written to disk, taken from there and recorded, sent to the server log for want of room (and when last), files and bytes on disk, files whose end was torn, last write to the file that has waited longest';

CREATE FUNCTION doctor_denial(OUT status text, OUT subject text, OUT detail text, OUT hint text) RETURNS SETOF record
  LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT CASE WHEN s.logged_at > now() - interval '7 days' OR s.oldest < now() - interval '1 hour' THEN 'warning' ELSE 'ok' END,
         'refused attempts', format('%s recorded; %s files, %s bytes on disk; %s in the server log, last at %s',
           s.drained, s.files, s.bytes, s.logged, COALESCE(s.logged_at::text, 'no time')),
         CASE WHEN s.logged_at > now() - interval '7 days' THEN
                'Search the server log for "listing_denial"; raise quality_gov.denial_spool_size or call maintenance() more often.'
              WHEN s.oldest < now() - interval '1 hour' THEN 'Attempts wait on disk: call maintenance().' END
  FROM quality_gov.listing_denial_state() s
  UNION ALL
  SELECT 'problem', 'refused attempts', format('%s files were torn by a crash of the machine', s.torn),
         'What was in them is lost; see the server log of that day.'
  FROM quality_gov.listing_denial_state() s WHERE s.torn > 0
$$;
COMMENT ON FUNCTION doctor_denial() IS 'Check: refused attempts that wait, went to the server log or were torn';
INSERT INTO doctor_check VALUES
  ('denial', 'quality_gov.doctor_denial', 'Refused attempts that wait, went to the server log or were torn', true);

CREATE VIEW listing_denial_overview WITH (security_barrier) AS
  SELECT (d.at AT TIME ZONE 'Asia/Shanghai')::date AS day, f.value ->> 'rule' AS rule, d.category,
         count(DISTINCT (d.merchant_id, d.denial_id)) AS count, count(DISTINCT d.merchant_id) AS merchants
  FROM listing_denial d
  CROSS JOIN LATERAL jsonb_array_elements(d.findings) f
  WHERE f.value ->> 'verdict' = 'deny' AND session_reads_all()
  GROUP BY 1, 2, 3;
COMMENT ON VIEW listing_denial_overview IS
  'Refused attempts by day (Asia/Shanghai), rule that refused and category, and of how many merchants';

CREATE FUNCTION listing_denial_retire(before timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  retired bigint;
BEGIN
  before := quality_gov.retention_bound('refused attempts', before);
  PERFORM quality_gov.listing_review_retire(before, true);
  PERFORM quality_gov.append_only_lift('quality_gov.listing_denial');
  DELETE FROM quality_gov.listing_denial d
  WHERE d.recorded_at < before AND NOT listing_is_contested(d.merchant_id, NULL, d.denial_id);
  GET DIAGNOSTICS retired = ROW_COUNT;
  PERFORM quality_gov.append_only_lift(0::regclass);
  PERFORM quality_gov.ledger_record('listing_retire', 'listing_denial',
    jsonb_build_object('before', before, 'denials', retired));
  RETURN retired;
END
$$;
COMMENT ON FUNCTION listing_denial_retire(timestamptz) IS
  'Deletes refused attempts recorded longer ago than the retention period (three years) and gives their number, but for those with an appeal that is open or younger; the ledger keeps what was refused';
