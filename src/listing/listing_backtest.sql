
-- listing: what a version of a rule would change over a table that is there

CREATE FUNCTION listing_source_sql(relation regclass, key text, source text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  at record;
BEGIN
  SELECT m.column_name, m.path, a.atttypid::regtype AS type INTO at
  FROM quality_gov.mapping_parse(source) m
  LEFT JOIN pg_attribute a ON a.attrelid = relation AND a.attname = m.column_name AND a.attnum > 0 AND NOT a.attisdropped;
  IF at.type IS NULL THEN
    RAISE EXCEPTION 'column "%" of table "%" does not exist', at.column_name, relation USING ERRCODE = 'undefined_column';
  END IF;
  -- As a guard reads it: by the type's output function, and a GTIN with the zeros that a number has lost.
  RETURN CASE
    WHEN at.path <> '{}' THEN format('t.%I #>> %L::text[]', at.column_name, at.path)
    WHEN at.type = 'bigint'::regtype AND key = 'gtin'
      THEN format('lpad(t.%1$I::text, greatest(14, length(t.%1$I::text)), ''0'')', at.column_name)
    WHEN at.type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN format('t.%I::text', at.column_name)
    ELSE format('CASE WHEN t.%1$I IS NOT NULL THEN format(''%%s'', t.%1$I) END', at.column_name) END;
END
$$;
COMMENT ON FUNCTION listing_source_sql(regclass, text, text) IS
  'SQL expression that gives what a mapping''s source, a column or a path into a jsonb column, says in row t, as text; made of the catalogue''s names and quoted keys only';

CREATE FUNCTION review_is_violation(review text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN lower(btrim(review)) IN ('true', 't', 'yes', 'y', '1', 'violation', 'confirm', 'confirmed', 'upheld') THEN true
              WHEN lower(btrim(review)) IN ('false', 'f', 'no', 'n', '0', 'ok', 'release', 'released', 'overturned') THEN false END;
COMMENT ON FUNCTION review_is_violation(text) IS
  'Whether a reviewer''s outcome says that it was really a violation: true, yes, violation, confirm, upheld and so on; null where it says neither';

CREATE FUNCTION listing_backtest(rule text, version integer, relation regclass, columns jsonb DEFAULT NULL,
                                 at timestamptz DEFAULT NULL, sample integer DEFAULT NULL, review text DEFAULT NULL)
  RETURNS TABLE (change text, listings bigint, examples jsonb, true_positives bigint, false_positives bigint)
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  moment timestamptz := COALESCE(at, statement_timestamp());
  live integer;
  sources text;
  asked text := $query$(
    SELECT (array_agg(f.verdict ORDER BY array_position('{deny,quarantine,warn,shadow}', f.verdict)))[1] AS verdict,
           jsonb_agg(jsonb_build_object('verdict', f.verdict, 'field', f.field, 'message', f.message)) AS findings
    FROM quality_gov.listing_rule_check($2, %s, s.listing, $5) f
    WHERE f.verdict IN ('deny', 'quarantine', 'warn', 'shadow'))$query$;
BEGIN
  IF NOT isfinite(moment) THEN
    RAISE EXCEPTION 'the instant to judge as of must be finite' USING ERRCODE = 'datetime_field_overflow';
  END IF;
  IF sample < 1 THEN
    RAISE EXCEPTION 'a sample has at least one row, found %', sample USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM FROM quality_gov.listing_rule r WHERE r.rule = listing_backtest.rule AND r.version = listing_backtest.version;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'version % of rule "%" does not exist', version, rule USING ERRCODE = 'undefined_object';
  END IF;
  SELECT p.version INTO live FROM quality_gov.listing_rule_period p
  WHERE p.rule = listing_backtest.rule AND NOT p.on_trial AND p.effect @> moment
  ORDER BY p.version DESC LIMIT 1;

  columns := COALESCE(columns, (SELECT g.mapping FROM quality_gov.guard g
                                WHERE g.relation = listing_backtest.relation AND g.kind = 'listing'));
  IF columns IS NULL THEN
    RAISE EXCEPTION 'table "%" has no guard to take the mapping from', relation USING ERRCODE = 'undefined_object',
      HINT = 'Give columns, as quality_gov.guard_listing() takes it.';
  END IF;
  PERFORM quality_gov.mapping_check(relation, columns, '{merchant_id}', '{}', false);
  SELECT format('%L::text[], ARRAY[%s]', array_agg(m.key), string_agg(quality_gov.listing_source_sql(relation, m.key, m.value), ', '))
  INTO sources FROM jsonb_each_text(columns) m;

  -- One query, with the caller's rights; everything in it is a name of the catalogue or a parameter.
  RETURN QUERY EXECUTE format(
    $query$
    SELECT k.change, count(v.change),
           jsonb_agg(v.example ORDER BY v.place) FILTER (WHERE v.place <= 5 AND v.example IS NOT NULL),
           CASE WHEN k.change <> 'none' AND $6 THEN count(*) FILTER (WHERE v.violation) END,
           CASE WHEN k.change <> 'none' AND $6 THEN count(*) FILTER (WHERE NOT v.violation) END
    FROM unnest('{new,lost,verdict,same,none}'::text[]) WITH ORDINALITY AS k(change, n)
    LEFT JOIN (
      SELECT j.*, row_number() OVER (PARTITION BY j.change ORDER BY j.example ->> 'merchant_id', j.example ->> 'listing_id') AS place
      FROM (
        SELECT CASE WHEN d.verdict IS NULL AND l.verdict IS NULL THEN 'none'
                    WHEN l.verdict IS NULL THEN 'new'
                    WHEN d.verdict IS NULL THEN 'lost'
                    WHEN d.verdict <> l.verdict THEN 'verdict' ELSE 'same' END AS change,
               s.violation,
               CASE WHEN COALESCE(d.verdict, l.verdict) IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
                 'merchant_id', s.listing -> 'merchant_id', 'listing_id', s.listing -> 'listing_id',
                 'title', s.listing -> 'title', 'draft', d.findings, 'live', l.findings)) END AS example
        FROM (SELECT jsonb_strip_nulls(jsonb_object(%s)) || $1 AS listing,
                     %s AS violation
              FROM %s t OFFSET 0) s
        CROSS JOIN LATERAL %s d
        CROSS JOIN LATERAL %s l) j) v ON v.change = k.change
    GROUP BY k.change, k.n ORDER BY k.n
    $query$,
    sources,
    CASE WHEN review IS NULL THEN 'NULL::boolean'
         ELSE format('quality_gov.review_is_violation(%s)', quality_gov.listing_source_sql(relation, 'review', review)) END,
    -- Chosen by a hash of the row's place, since the first rows of a table are its oldest.
    CASE WHEN sample IS NULL THEN relation::text
         ELSE format('(SELECT r.* FROM %s r ORDER BY hashtextextended(r.ctid::text, 0) LIMIT %s)', relation, sample) END,
    format(asked, '$3'),
    CASE WHEN live IS NULL THEN '(SELECT NULL::text AS verdict, NULL::jsonb AS findings WHERE $4 IS NULL)'
         ELSE format(asked, '$4') END)
  USING jsonb_build_object('relation', relation::text), rule, version, live, moment, review IS NOT NULL;
END
$$;
COMMENT ON FUNCTION listing_backtest(text, integer, regclass, jsonb, timestamptz, integer, text) IS
  'What a version of a rule, in whatever state, would change on a platform''s table against the version in force at an instant: listings that are new findings, lost ones, found with another verdict, found the same, and found by neither, with up to five examples each. columns is a mapping, by default the guard''s; sample a number of rows; review a boolean or text column that says whether each was really a violation, by which true and false positives are counted. Reads with the caller''s rights and writes nothing';
