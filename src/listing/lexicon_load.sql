
-- listing: loading lexicons

CREATE TYPE lexicon_stage AS (
  term text,
  allow boolean,
  severity integer,
  categories text[],
  tags text[],
  legal_basis text
);
COMMENT ON TYPE lexicon_stage IS
  'A term on its way into a lexicon; CREATE TEMP TABLE t (LIKE quality_gov.lexicon_stage) is what COPY fills and lexicon_load_from() reads; without allow it is a deny term, without severity of 3';

CREATE FUNCTION lexicon_lock(lexicon text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF COALESCE(lexicon, '') = '' THEN
    RAISE EXCEPTION 'a lexicon needs a name' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Two loaders at once would take the same version number, two publishers the same time.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov lexicon ' || lexicon, 0));
  IF EXISTS (SELECT FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_lock.lexicon AND l.builtin) THEN
    RAISE EXCEPTION 'lexicon "%" is shipped with the extension', lexicon
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'A dump leaves it out, so a change would be lost.',
            HINT = 'Load your own under another name.';
  END IF;
END
$$;
COMMENT ON FUNCTION lexicon_lock(text) IS
  'Makes whoever changes a lexicon wait for another who does, until the end of the transaction; refuses those that are shipped';

CREATE FUNCTION lexicon_open(lexicon text, folds text[] DEFAULT NULL, legal_basis text DEFAULT NULL,
                             title text DEFAULT NULL, draft integer DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM lexicon_lock(lexicon_open.lexicon);
  IF draft IS NOT NULL THEN
    PERFORM lexicon_draft(lexicon_open.lexicon, draft);
    IF lexicon_open.folds IS NOT NULL OR lexicon_open.title IS NOT NULL THEN
      RAISE EXCEPTION 'folds and title of a draft are given when it is opened'
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN draft;
  END IF;
  PERFORM text_fold('', lexicon_open.folds); -- refuses unknown folds
  INSERT INTO quality_gov.lexicon AS l (lexicon, version, folds, legal_basis, title)
  SELECT lexicon_open.lexicon, COALESCE(max(l.version), 0) + 1,
         ARRAY(SELECT f FROM unnest(lexicon_folds()) WITH ORDINALITY AS a (f, n)
               WHERE lexicon_open.folds IS NULL OR f = ANY (lexicon_open.folds) ORDER BY n),
         lexicon_open.legal_basis, lexicon_open.title
  FROM quality_gov.lexicon l WHERE l.lexicon = lexicon_open.lexicon
  RETURNING version INTO draft;
  RETURN draft;
END
$$;
COMMENT ON FUNCTION lexicon_open(text, text[], text, text, integer) IS
  'Opens a draft without terms and gives its version number; with draft gives that one, if it is a draft (55000); folds null means all';

CREATE FUNCTION lexicon_fill(lexicon text, draft integer, terms lexicon_stage[], first bigint DEFAULT 1)
  RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  target quality_gov.lexicon;
  added bigint;
BEGIN
  PERFORM lexicon_lock(lexicon_fill.lexicon);
  target := lexicon_draft(lexicon_fill.lexicon, draft);
  PERFORM lexicon_terms_check(target, terms, first);
  -- In the order of the index, which is half the work; and looking for the same term costs as much again.
  BEGIN
    INSERT INTO quality_gov.lexicon_term (lexicon, version, term, allow, severity, categories, tags, legal_basis)
    SELECT target.lexicon, target.version, e.term, COALESCE(e.allow, false), COALESCE(e.severity, 3), e.categories, e.tags,
           nullif(e.legal_basis, target.legal_basis)
    FROM unnest(terms) AS e ORDER BY 4, e.term COLLATE "C";
    RETURN cardinality(terms);
  EXCEPTION WHEN unique_violation THEN
    NULL;
  END;
  -- The same again is no harm; the same term with something else about it is a contradiction.
  INSERT INTO quality_gov.lexicon_term (lexicon, version, term, allow, severity, categories, tags, legal_basis)
  SELECT target.lexicon, target.version, e.term, COALESCE(e.allow, false), COALESCE(e.severity, 3), e.categories, e.tags,
         nullif(e.legal_basis, target.legal_basis)
  FROM unnest(terms) AS e
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  PERFORM lexicon_repeat_check(target, terms, first);
  RETURN added;
END
$$;
COMMENT ON FUNCTION lexicon_fill(text, integer, lexicon_stage[], bigint) IS
  'Adds terms to a draft, the newest where draft is null, and gives how many are new; the first bad one is named by its number, which counts from first (22023, 22004); one that is there with other severity, scope, tags or basis is refused (23505)';

CREATE FUNCTION lexicon_terms_check(target lexicon, terms lexicon_stage[], first bigint) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  bad record;
BEGIN
  SELECT e.*, p.problem INTO bad
  FROM unnest(terms) WITH ORDINALITY AS e (term, allow, severity, categories, tags, legal_basis, n)
  CROSS JOIN LATERAL (SELECT CASE
    WHEN e.term IS NULL THEN format('a term of lexicon "%s" is null', target.lexicon)
    WHEN char_length(e.term) > 500 THEN
      format('a term of lexicon "%s" has %s characters, the limit is 500', target.lexicon, char_length(e.term))
    WHEN e.severity NOT BETWEEN 1 AND 5 THEN
      format('term "%s" of lexicon "%s" has severity %s, expected 1 to 5', e.term, target.lexicon, e.severity)
    WHEN cardinality(e.categories) = 0 OR '' = ANY (e.categories) OR array_position(e.categories, NULL) IS NOT NULL THEN
      format('term "%s" of lexicon "%s" has categories %s, expected names', e.term, target.lexicon, e.categories)
    WHEN '' = ANY (e.tags) OR array_position(e.tags, NULL) IS NOT NULL THEN
      format('term "%s" of lexicon "%s" has tags %s, expected names', e.term, target.lexicon, e.tags)
    WHEN text_fold(e.term, target.folds) = '' THEN
      format('term "%s" of lexicon "%s" folds to nothing', e.term, target.lexicon) END AS problem) p
  WHERE p.problem IS NOT NULL ORDER BY e.n LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '%', bad.problem
      USING ERRCODE = CASE WHEN bad.term IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
            DETAIL = format('It is number %s of the terms loaded.', first + bad.n - 1)
              || CASE WHEN char_length(bad.term) > 500 THEN format(' It begins with "%s".', left(bad.term, 40))
                      WHEN bad.problem LIKE '% folds to nothing' THEN
                        format(' Folds %s leave no character of it.', array_to_string(target.folds, ', ')) ELSE '' END,
            HINT = CASE WHEN bad.problem LIKE '% folds to nothing'
                     THEN 'Leave the term out, or load it into a lexicon with fewer folds.'
                     ELSE 'Correct it or leave it out; nothing was loaded.' END;
  END IF;
END
$$;
COMMENT ON FUNCTION lexicon_terms_check(lexicon, lexicon_stage[], bigint) IS
  'Raises an error for the first of the terms that cannot be loaded, with its number, counted from first';

CREATE FUNCTION lexicon_repeat_check(target lexicon, terms lexicon_stage[], first bigint) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  bad record;
BEGIN
  -- By grouping, not by a join: what was loaded a moment ago is in no statistics, and a nested loop over it has no end.
  SELECT u.term, min(u.n) AS n INTO bad
  FROM (SELECT e.term, COALESCE(e.allow, false) AS allow, COALESCE(e.severity, 3) AS severity, e.categories, e.tags,
               nullif(e.legal_basis, target.legal_basis) AS legal_basis, e.n
        FROM unnest(terms) WITH ORDINALITY AS e (term, allow, severity, categories, tags, legal_basis, n)
        UNION ALL
        SELECT t.term, t.allow, t.severity, t.categories, t.tags, t.legal_basis, NULL
        FROM quality_gov.lexicon_term t WHERE t.lexicon = target.lexicon AND t.version = target.version) u
  GROUP BY u.term, u.allow, u.severity, u.categories, u.tags, u.legal_basis
  HAVING count(*) = count(u.n) ORDER BY 2 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'term "%" of lexicon "%" is loaded twice, with different severity, categories, tags or legal basis',
      bad.term, target.lexicon
      USING ERRCODE = 'unique_violation', DETAIL = format('It is number %s of the terms loaded.', first + bad.n - 1),
            HINT = 'Load it once, with all its categories.';
  END IF;
END
$$;
COMMENT ON FUNCTION lexicon_repeat_check(lexicon, lexicon_stage[], bigint) IS
  'Raises an error for the first of the terms that a draft holds with something else about it';

CREATE FUNCTION lexicon_load(lexicon text, deny text[], allow text[] DEFAULT '{}', folds text[] DEFAULT NULL,
                             severity integer DEFAULT 3, categories text[] DEFAULT NULL,
                             tags text[] DEFAULT NULL, legal_basis text DEFAULT NULL,
                             title text DEFAULT NULL, draft integer DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  target integer;
BEGIN
  PERFORM quality_gov.lexicon_lock(lexicon);
  IF greatest(array_ndims(deny), array_ndims(allow), array_ndims(categories), array_ndims(tags)) > 1 THEN
    RAISE EXCEPTION 'terms, categories and tags must be arrays of one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF COALESCE(cardinality(deny || allow), 0) = 0 OR draft IS NULL AND COALESCE(cardinality(deny), 0) = 0 THEN
    RAISE EXCEPTION 'lexicon "%" has no deny terms', lexicon
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give at least one term to look for.';
  END IF;
  target := quality_gov.lexicon_open(lexicon, folds, legal_basis, title, draft);
  PERFORM quality_gov.lexicon_fill(lexicon, target, ARRAY(
    SELECT ROW(t.term, t.allow, COALESCE(lexicon_load.severity, 3), lexicon_load.categories, lexicon_load.tags,
               lexicon_load.legal_basis)::quality_gov.lexicon_stage
    FROM (SELECT d.term, false, d.n FROM unnest(lexicon_load.deny) WITH ORDINALITY AS d (term, n)
          UNION ALL
          SELECT a.term, true, cardinality(lexicon_load.deny) + a.n
          FROM unnest(lexicon_load.allow) WITH ORDINALITY AS a (term, n)) AS t (term, allow, n)
    ORDER BY t.n));
  RETURN target;
END
$$;
COMMENT ON FUNCTION lexicon_load(text, text[], text[], text[], integer, text[], text[], text, text, integer) IS
  'Opens a draft with terms to look for and terms that excuse, all of one severity (1 to 5), category scope, tags and basis, and gives its version number; with draft adds to that draft instead; the first bad term is named by its number, deny before allow, one that folds to nothing is bad (22023)';

-- A term's columns, each as the relation has it or null.
CREATE FUNCTION lexicon_stage_columns(relation regclass) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong record;
  list text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = relation AND relkind IN ('r', 'p', 'v', 'm', 'f')) THEN
    RAISE EXCEPTION '%', CASE WHEN relation IS NULL THEN 'relation must not be null'
                              ELSE format('"%s" is not a table or view', relation) END
      USING ERRCODE = CASE WHEN relation IS NULL THEN 'null_value_not_allowed' ELSE 'wrong_object_type' END;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_attribute
                 WHERE attrelid = relation AND attname = 'term' AND attnum > 0 AND NOT attisdropped) THEN
    RAISE EXCEPTION 'relation "%" has no column "term"', relation
      USING ERRCODE = 'undefined_column',
            HINT = 'For example: CREATE TEMP TABLE t (LIKE quality_gov.lexicon_stage).';
  END IF;
  SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS found, c.type INTO wrong
  FROM (VALUES ('term', 'S', 'text'), ('allow', 'B', 'boolean'), ('severity', 'N', 'integer'),
               ('categories', 'AS', 'text[]'), ('tags', 'AS', 'text[]'), ('legal_basis', 'S', 'text')) AS c (name, want, type)
  JOIN pg_attribute a ON a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  WHERE c.want <> t.typcategory::text || CASE WHEN t.typcategory = 'A'
    THEN COALESCE((SELECT e.typcategory::text FROM pg_type e WHERE e.oid = t.typelem), '') ELSE '' END
  ORDER BY a.attnum LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'column "%" of relation "%" is of type %, expected %', wrong.attname, relation, wrong.found, wrong.type
      USING ERRCODE = 'datatype_mismatch';
  END IF;
  SELECT string_agg(CASE WHEN a.attname IS NULL THEN format('NULL::%s', c.type)
                         ELSE format('r.%I::%s', c.name, c.type) END, ', ' ORDER BY c.n) INTO list
  FROM (VALUES (1, 'term', 'text'), (2, 'allow', 'boolean'), (3, 'severity', 'integer'),
               (4, 'categories', 'text[]'), (5, 'tags', 'text[]'), (6, 'legal_basis', 'text')) AS c (n, name, type)
  LEFT JOIN pg_attribute a ON a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped;
  RETURN list;
END
$$;
COMMENT ON FUNCTION lexicon_stage_columns(regclass) IS
  'Select list that reads a relation r as lexicon_stage; an error says which column is missing or of the wrong type';

CREATE FUNCTION lexicon_load_from(lexicon text, relation regclass, folds text[] DEFAULT NULL,
                                  legal_basis text DEFAULT NULL, title text DEFAULT NULL,
                                  draft integer DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  columns text := quality_gov.lexicon_stage_columns(relation);
  target integer := quality_gov.lexicon_open(lexicon, folds, legal_basis, title, draft);
  part record;
  denied bigint := 0;
BEGIN
  -- The relation is read here, as the caller; only rows in an array reach the function that may write.
  FOR part IN EXECUTE format(
    'SELECT min(e.n) AS first, array_agg(e.entry ORDER BY e.n) AS terms,
            count(*) FILTER (WHERE (e.entry).allow IS NOT TRUE) AS denied
     FROM (SELECT row_number() OVER () AS n, ROW(%s)::quality_gov.lexicon_stage AS entry FROM %s AS r) e
     GROUP BY (e.n - 1) / 50000 ORDER BY 1', columns, relation)
  LOOP
    PERFORM quality_gov.lexicon_fill(lexicon, target, part.terms, part.first);
    denied := denied + part.denied;
  END LOOP;
  IF part.first IS NULL OR draft IS NULL AND denied = 0 THEN
    RAISE EXCEPTION '%', CASE WHEN part.first IS NULL THEN format('relation "%s" has no rows', relation)
                              ELSE format('lexicon "%s" has no deny terms', lexicon) END
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give at least one term to look for.';
  END IF;
  RETURN target;
END
$$;
COMMENT ON FUNCTION lexicon_load_from(text, regclass, text[], text, text, integer) IS
  'lexicon_load() from the rows of a table or view that the caller can read: column term and, where there are such, allow, severity, categories, tags, legal_basis; other columns are not read; numbers in errors are those of the rows in the order read';
