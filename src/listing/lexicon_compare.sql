
-- listing: what a version changes, on paper and over the platform's own listings

CREATE FUNCTION lexicon_version_require(lexicon text, version integer) RETURNS lexicon
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  found_version quality_gov.lexicon;
BEGIN
  SELECT * INTO found_version FROM quality_gov.lexicon l
  WHERE l.lexicon = lexicon_version_require.lexicon AND l.version = lexicon_version_require.version;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'lexicon "%" has no version %', lexicon_version_require.lexicon, lexicon_version_require.version
      USING ERRCODE = 'undefined_object';
  END IF;
  RETURN found_version;
END
$$;
COMMENT ON FUNCTION lexicon_version_require(text, integer) IS
  'Gives a version of a lexicon, or an error where there is none (42704)';

CREATE FUNCTION lexicon_diff(lexicon text, version_a integer, version_b integer, OUT change text, OUT term text,
                             OUT allow boolean, OUT before jsonb, OUT after jsonb) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  a quality_gov.lexicon := lexicon_version_require(lexicon_diff.lexicon, version_a);
  b quality_gov.lexicon := lexicon_version_require(lexicon_diff.lexicon, version_b);
BEGIN
  IF (a.folds, a.legal_basis) IS DISTINCT FROM (b.folds, b.legal_basis) THEN
    RETURN QUERY SELECT 'changed', NULL::text, NULL::boolean,
      jsonb_build_object('folds', a.folds, 'legal_basis', a.legal_basis),
      jsonb_build_object('folds', b.folds, 'legal_basis', b.legal_basis);
  END IF;
  RETURN QUERY
    SELECT CASE WHEN x.term IS NULL THEN 'added' WHEN y.term IS NULL THEN 'removed' ELSE 'changed' END,
           COALESCE(x.term, y.term), COALESCE(x.allow, y.allow),
           CASE WHEN x.term IS NOT NULL THEN jsonb_build_object(
             'severity', x.severity, 'categories', x.categories, 'tags', x.tags, 'legal_basis', x.legal_basis) END,
           CASE WHEN y.term IS NOT NULL THEN jsonb_build_object(
             'severity', y.severity, 'categories', y.categories, 'tags', y.tags, 'legal_basis', y.legal_basis) END
    FROM (SELECT * FROM quality_gov.lexicon_term t WHERE t.lexicon = a.lexicon AND t.version = a.version) x
    FULL JOIN (SELECT * FROM quality_gov.lexicon_term t WHERE t.lexicon = b.lexicon AND t.version = b.version) y
      ON y.term = x.term AND y.allow = x.allow
    WHERE x.term IS NULL OR y.term IS NULL
       OR (x.severity, x.categories, x.tags, x.legal_basis) IS DISTINCT FROM (y.severity, y.categories, y.tags, y.legal_basis);
END
$$;
COMMENT ON FUNCTION lexicon_diff(text, integer, integer) IS
  'What differs from version_a to version_b: terms added, removed, changed, with severity, categories, tags and legal basis before and after; a row without term is of the lexicon''s folds and legal basis; unknown version 42704';

CREATE TYPE lexicon_hit AS (
  lexicon text,
  version integer,
  term text,
  severity smallint,
  span int4range,
  matched text,
  folds text[],
  tags text[],
  legal_basis text
);
COMMENT ON TYPE lexicon_hit IS 'A hit of a lexicon, as lexicon_scan() gives it';

CREATE FUNCTION lexicon_scan_version(body text, lexicon text, version integer, category text DEFAULT NULL,
                                     all_hits boolean DEFAULT false) RETURNS SETOF lexicon_hit
  AS 'MODULE_PATHNAME', 'qg_lexicon_scan_version_sql' LANGUAGE c STABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION lexicon_scan_version(text, text, integer, text, boolean) IS
  'lexicon_scan() for one version by its number, in whatever state it is, draft included; unknown lexicon or version 42704';

CREATE FUNCTION lexicon_backtest_source(relation regclass, columns text[], category text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  missing text;
  kind "char" := (SELECT relkind FROM pg_class WHERE oid = relation);
  key text;
BEGIN
  IF relation IS NULL OR COALESCE(array_ndims(columns), 0) <> 1 OR array_position(columns, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a back-test needs a relation and columns of it that hold text'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF kind IS NULL OR kind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
    RAISE EXCEPTION '"%" is not a table or view', relation USING ERRCODE = 'wrong_object_type';
  END IF;
  SELECT c INTO missing FROM unnest(columns || category) WITH ORDINALITY AS w (c, n)
  WHERE c IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = w.c
                                      AND a.attnum > 0 AND NOT a.attisdropped) ORDER BY n LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'column "%" of relation "%" does not exist', missing, relation USING ERRCODE = 'undefined_column';
  END IF;
  SELECT 'jsonb_build_object(' || string_agg(format('%L, r.%I', a.attname, a.attname), ', ' ORDER BY a.attnum) || ')' INTO key
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = relation AND i.indisprimary;
  RETURN format('SELECT row_number() OVER () AS n, %s AS key, %s AS category, ARRAY[%s] AS bodies FROM %s AS r',
    COALESCE(key, CASE WHEN kind IN ('r', 'm') THEN 'jsonb_build_object(''ctid'', r.ctid)' ELSE 'NULL::jsonb' END),
    CASE WHEN category IS NULL THEN 'NULL::text' ELSE format('r.%I::text', category) END,
    (SELECT string_agg(format('r.%I::text', c), ', ' ORDER BY n) FROM unnest(columns) WITH ORDINALITY AS w (c, n)), relation);
END
$$;
COMMENT ON FUNCTION lexicon_backtest_source(regclass, text[], text) IS
  'Query that reads a relation for a back-test: key (primary key, else ctid, null for a view), category and the texts';

CREATE TYPE lexicon_backtest_row AS (
  change text,
  term text,
  listings bigint,
  examples jsonb
);
COMMENT ON TYPE lexicon_backtest_row IS 'What a version of a lexicon would change, as lexicon_backtest() gives it';

CREATE FUNCTION lexicon_backtest(lexicon text, draft integer, relation regclass, columns text[],
                                 live integer DEFAULT NULL, category text DEFAULT NULL, examples integer DEFAULT 5)
  RETURNS SETOF lexicon_backtest_row
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  source text := quality_gov.lexicon_backtest_source(relation, columns, category);
BEGIN
  PERFORM quality_gov.lexicon_version_require(lexicon, draft);
  IF live IS NOT NULL THEN
    PERFORM quality_gov.lexicon_version_require(lexicon, live);
  ELSE
    SELECT l.version INTO live FROM quality_gov.lexicon l
    WHERE l.lexicon = lexicon_backtest.lexicon AND l.state = 'active';
  END IF;
  IF examples IS NULL OR examples < 0 THEN
    RAISE EXCEPTION 'examples must not be negative' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- A listing counts for a term on one side only; grouped without the term it is one that had no hit at all
  -- on the other side.
  RETURN QUERY EXECUTE format($query$
    WITH hit AS MATERIALIZED (
      SELECT s.n, h.after, h.term, c.number, h.span,
             jsonb_build_object('key', s.key, 'column', c.name, 'matched', h.matched,
               'text', substr(c.body, greatest(1, lower(h.span) - 10), upper(h.span) - greatest(1, lower(h.span) - 10) + 10)) AS example
      FROM (%s) s
      CROSS JOIN LATERAL unnest(s.bodies, $4) WITH ORDINALITY AS c (body, name, number)
      CROSS JOIN LATERAL (
        SELECT true AS after, a.term, a.matched, a.span
        FROM quality_gov.lexicon_scan_version(c.body, $1, $2, s.category) a
        UNION ALL
        SELECT false, b.term, b.matched, b.span
        FROM quality_gov.lexicon_scan_version(c.body, $1, $3, s.category) b WHERE $3 IS NOT NULL) h),
    changed AS (
      SELECT x.*, count(*) OVER w AS listings, row_number() OVER (w ORDER BY x.n) AS rank
      FROM (SELECT hit.n, hit.term, bool_or(hit.after) AS after FROM hit
            GROUP BY GROUPING SETS ((hit.n, hit.term), (hit.n))
            HAVING bool_and(hit.after) OR NOT bool_or(hit.after)) x
      WINDOW w AS (PARTITION BY x.after, x.term)),
    shown AS (
      SELECT DISTINCT ON (c.after, c.term, c.n) c.after, c.term, c.n, c.rank, c.listings, h.example
      FROM changed c
      JOIN hit h ON h.n = c.n AND COALESCE(h.term = c.term, true)
      WHERE c.rank <= greatest($5, 1)
      ORDER BY c.after, c.term, c.n, h.number, lower(h.span))
    SELECT CASE WHEN after THEN 'new' ELSE 'lost' END, term, min(listings),
           COALESCE(jsonb_agg(example ORDER BY n) FILTER (WHERE rank <= $5), '[]')
    FROM shown GROUP BY after, term
    ORDER BY after DESC, term IS NOT NULL, min(listings) DESC, term COLLATE "C"$query$, source)
  USING lexicon, draft, live, columns, examples;
END
$$;
COMMENT ON FUNCTION lexicon_backtest(text, integer, regclass, text[], integer, text, integer) IS
  'Scans a table or view, with the caller''s rights, by a version in whatever state and by the live one (the active where null): for each term the listings that only the one hits (new) or only the other (lost), with examples; a row without term counts the listings that had no hit at all before (new) or have none any more (lost); category names a column';
