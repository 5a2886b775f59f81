
-- listing: the guard

CREATE FUNCTION guard_listing_before() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_guard_listing_before' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION guard_listing_before() IS
  'Trigger of guard_listing(): refuses a denied row with SQLSTATE QG401, passes it over, or holds it by its status column';
CREATE FUNCTION guard_listing_after() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_guard_listing_after' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION guard_listing_after() IS
  'Trigger of guard_listing(): records decision and findings of the row as it was stored';

CREATE FUNCTION guard_listing_begin() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_guard_listing_begin' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION guard_listing_begin() IS
  'Trigger of guard_listing(): from here on the statement''s decisions wait to be written together';
CREATE FUNCTION guard_listing_end() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_guard_listing_end' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION guard_listing_end() IS
  'Trigger of guard_listing(): writes the decisions of the statement';

CREATE FUNCTION listing_check(listing jsonb, at timestamptz DEFAULT statement_timestamp(), OUT rule text, OUT version integer,
    OUT verdict text, OUT severity text, OUT field text, OUT message text, OUT legal_basis text, OUT detail jsonb)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_listing_check' LANGUAGE c STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION listing_check(jsonb, timestamptz) IS
  'Findings that a guard would make on a listing, without side effects: {"merchant_id", "title", …} by the names of the mapping';

CREATE FUNCTION guard_listing(relation regclass, columns jsonb, on_deny text DEFAULT 'error',
                              held text DEFAULT 'quarantined', on_failure text DEFAULT 'refuse') RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  texts jsonb := '["text", "character varying", "character"]';
BEGIN
  IF on_deny IS NULL OR on_deny NOT IN ('error', 'quarantine', 'skip') THEN
    RAISE EXCEPTION 'on_deny must be error, quarantine or skip, found %', COALESCE(quote_literal(on_deny), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF on_failure IS NULL OR on_failure NOT IN ('refuse', 'allow') THEN
    RAISE EXCEPTION 'on_failure must be refuse or allow, found %', COALESCE(quote_literal(on_failure), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF columns ? 'relation' THEN
    RAISE EXCEPTION '"relation" cannot be mapped' USING ERRCODE = 'invalid_parameter_value',
      DETAIL = 'Rules and exceptions read the name of the table by it.', HINT = 'Map the value under another name.';
  END IF;
  PERFORM quality_gov.mapping_check(relation, columns, '{listing_id,merchant_id,title}', jsonb_build_object(
    'title', texts, 'description', texts,
    'gtin', '["gtin", "quality_gov.gtin", "text", "character varying", "character", "bigint"]'::jsonb,
    'at', '["timestamp with time zone"]'::jsonb), false);
  IF on_deny = 'quarantine' AND (held IS NULL OR NOT columns ? 'status') THEN
    RAISE EXCEPTION 'on_deny quarantine needs "status" mapped and the value that holds a listing'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF on_deny = 'skip' AND (SELECT c.relkind = 'p' OR c.relispartition FROM pg_class c WHERE c.oid = relation) THEN
    RAISE EXCEPTION 'table "%" is partitioned, so denied rows cannot be skipped', relation
      USING ERRCODE = 'feature_not_supported',
            DETAIL = 'A row that moves between partitions is deleted from one before it comes to the other, and would be lost.',
            HINT = 'Use error or quarantine.';
  END IF;
  IF (SELECT p.path <> '{}' FROM quality_gov.mapping_parse(columns ->> 'status') p) THEN
    RAISE EXCEPTION '"status" must be mapped to a column, found %', columns ->> 'status'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'The guard writes to it to hold a listing.';
  END IF;
  IF columns ? 'status' THEN
    PERFORM quality_gov.guard_value_check(relation, (quality_gov.mapping_parse(columns ->> 'status')).column_name, held);
  END IF;
  PERFORM quality_gov.guard_attach(relation, 'listing', columns,
    jsonb_strip_nulls(jsonb_build_object('on_deny', on_deny, 'held', held, 'on_failure', on_failure)),
    ARRAY['begin BEFORE INSERT OR UPDATE:guard_listing_begin:STATEMENT',
          '!before BEFORE INSERT OR UPDATE:guard_listing_before',
          'after AFTER INSERT OR UPDATE:guard_listing_after',
          'end AFTER INSERT OR UPDATE:guard_listing_end:STATEMENT']);
  IF NOT EXISTS (SELECT FROM quality_gov.listing_rule r WHERE r.state IN ('active', 'shadow')) THEN
    RAISE NOTICE 'no rule is published yet, the guard asks about merchants and recalls only'
      USING HINT = 'SELECT * FROM quality_gov.ruleset_enable(''cn'') publishes the shipped rules.';
  END IF;
END
$$;
COMMENT ON FUNCTION guard_listing(regclass, jsonb, text, text, text) IS
  'Guards a platform''s listing table. columns maps listing_id, merchant_id, title and whatever rules read (description, category, gtin, lot, status, at, …) to columns or to values inside jsonb columns (attrs->>''title''); on_deny: error, quarantine or skip; held is written to status to hold a listing; takes a SHARE ROW EXCLUSIVE lock';

CREATE FUNCTION guard_value_check(relation regclass, column_name text, value text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  type text := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = relation AND attname = column_name AND NOT attisdropped);
BEGIN
  IF type IS NULL THEN
    RAISE EXCEPTION 'column "%" of table "%" does not exist', column_name, relation USING ERRCODE = 'undefined_column';
  END IF;
  EXECUTE format('SELECT %L::%s', value, type);
EXCEPTION WHEN data_exception THEN
  RAISE EXCEPTION 'column "%" of table "%" cannot hold the value "%"', column_name, relation, value
    USING ERRCODE = 'datatype_mismatch', DETAIL = SQLERRM,
          HINT = 'Give a value of its type as "held".';
END
$$;
COMMENT ON FUNCTION guard_value_check(regclass, text, text) IS
  'Raises an error unless a column''s type accepts a value';

-- listing: views and retirement

CREATE VIEW listing_overview WITH (security_barrier) AS
  SELECT (d.at AT TIME ZONE 'Asia/Shanghai')::date AS day, f.rule, d.category,
         CASE d.verdict WHEN 'shadow' THEN 'shadow' ELSE f.verdict END AS verdict,
         count(DISTINCT (d.merchant_id, d.decision_id)) AS count
  FROM listing_decision d
  JOIN listing_finding f ON f.merchant_id = d.merchant_id AND f.decision_id = d.decision_id
  WHERE session_reads_all()
  GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW listing_overview IS
  'Listings with findings by day (Asia/Shanghai), rule, category and verdict';

CREATE VIEW listing_held WITH (security_barrier) AS
  SELECT d.merchant_id, d.relation, d.listing_id, d.category, d.at AS since,
         ARRAY(SELECT f.message FROM listing_finding f
               WHERE f.merchant_id = d.merchant_id AND f.decision_id = d.decision_id
                 AND f.verdict NOT IN ('shadow', 'pass') ORDER BY f.finding) AS reasons
  FROM listing_decision d
  WHERE d.verdict = 'quarantine' AND d.operation <> 'AUDIT'
    AND NOT EXISTS (SELECT FROM listing_decision later
                    WHERE later.merchant_id = d.merchant_id AND later.relation = d.relation
                      AND later.listing_id = d.listing_id AND later.operation <> 'AUDIT'
                      AND later.decision_id > d.decision_id)
    AND ((SELECT session_reads_all()) OR d.merchant_id IN (SELECT m.merchant_id FROM session_merchant m));
COMMENT ON VIEW listing_held IS
  'Listings whose last decision other than an AUDIT, which changes no row, holds them, since when and why; a listing deleted since stays here';

CREATE FUNCTION listing_retire(before timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  retired bigint;
BEGIN
  before := quality_gov.retention_bound('decisions', before);
  PERFORM quality_gov.listing_review_retire(before, false);
  PERFORM quality_gov.append_only_lift('quality_gov.listing_finding');
  DELETE FROM quality_gov.listing_finding f USING quality_gov.listing_decision d
  WHERE f.merchant_id = d.merchant_id AND f.decision_id = d.decision_id AND d.recorded_at < before
    AND NOT listing_is_contested(d.merchant_id, d.decision_id);
  PERFORM quality_gov.append_only_lift('quality_gov.listing_decision');
  DELETE FROM quality_gov.listing_decision d
  WHERE d.recorded_at < before AND NOT listing_is_contested(d.merchant_id, d.decision_id);
  GET DIAGNOSTICS retired = ROW_COUNT;
  PERFORM quality_gov.append_only_lift(0::regclass);
  PERFORM quality_gov.ledger_record('listing_retire', 'listing_decision',
    jsonb_build_object('before', before, 'decisions', retired));
  RETURN retired;
END
$$;
COMMENT ON FUNCTION listing_retire(timestamptz) IS
  'Deletes decisions and findings older than the retention period (three years) and gives their number, but for those with an appeal or a review that is open or younger; the ledger keeps what was decided';
