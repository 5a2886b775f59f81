
-- listing: lexicons, versioned lists of terms

CREATE TABLE lexicon (
  lexicon text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  state text NOT NULL DEFAULT 'draft',
  folds text[] NOT NULL,
  digest bytea,
  legal_basis text,
  title text,
  effect tstzrange,
  published_at timestamptz,
  superseded_at timestamptz,
  builtin boolean NOT NULL DEFAULT false,
  trial tstzrange,
  notice_id bigint,
  CONSTRAINT lexicon_pkey PRIMARY KEY (lexicon, version),
  CONSTRAINT lexicon_name CHECK (char_length(lexicon) BETWEEN 1 AND 100),
  CONSTRAINT lexicon_version CHECK (version > 0),
  CONSTRAINT lexicon_state CHECK (state IN ('draft', 'shadow', 'active', 'superseded')),
  CONSTRAINT lexicon_folds CHECK (array_position(folds, NULL) IS NULL),
  CONSTRAINT lexicon_published CHECK (
    (state = 'draft') = (effect IS NULL) AND (state = 'draft') = (published_at IS NULL)
    AND (state = 'draft') = (digest IS NULL) AND (state = 'superseded') = (superseded_at IS NOT NULL)),
  CONSTRAINT lexicon_effect CHECK (
    CASE WHEN state IN ('active', 'shadow') THEN lower_inc(effect) AND upper_inf(effect)
         WHEN state = 'superseded' THEN isempty(effect) OR lower_inc(effect) AND NOT upper_inc(effect) AND NOT upper_inf(effect)
    END),
  CONSTRAINT lexicon_trial CHECK (
    CASE state WHEN 'draft' THEN trial IS NULL
               WHEN 'shadow' THEN trial IS NOT NULL AND trial = effect
               ELSE trial IS NULL OR isempty(trial) OR lower_inc(trial) AND NOT upper_inc(trial) AND NOT upper_inf(trial)
    END),
  CONSTRAINT lexicon_notice CHECK (notice_id IS NULL OR state IN ('active', 'superseded'))
);
CREATE UNIQUE INDEX lexicon_active ON lexicon (lexicon) WHERE state = 'active';
CREATE UNIQUE INDEX lexicon_shadow ON lexicon (lexicon) WHERE state = 'shadow';
COMMENT ON TABLE lexicon IS
  'Versions of lists of terms that listings are scanned for; a published version is immutable and kept for three years after it was superseded (Order 116 art. 15, Order 37 of 2021 art. 28)';
COMMENT ON COLUMN lexicon.lexicon IS 'Name of the lexicon';
COMMENT ON COLUMN lexicon.version IS 'Number of the version, from 1';
COMMENT ON COLUMN lexicon.state IS
  'draft, shadow (on trial beside the active version), active (the newest published, in force from the start of effect), superseded (also one retired without successor, and one whose trial ended)';
COMMENT ON COLUMN lexicon.folds IS 'Folds that terms and texts pass before they are compared, as in text_fold()';
COMMENT ON COLUMN lexicon.digest IS 'SHA-256 of folds and terms when it was published, as lexicon_digest() computes it';
COMMENT ON COLUMN lexicon.legal_basis IS 'Law and article that its terms rest on, where a term names none';
COMMENT ON COLUMN lexicon.title IS 'What the lexicon is for';
COMMENT ON COLUMN lexicon.effect IS
  'When the version is in force, lower bound inclusive, upper exclusive; of a version on trial the trial, of one that never left trial empty';
COMMENT ON COLUMN lexicon.published_at IS 'When the version was published, on trial or in force; it is immutable since';
COMMENT ON COLUMN lexicon.superseded_at IS
  'When the version went out of force or off trial; it is kept for three years from then';
COMMENT ON COLUMN lexicon.builtin IS 'Shipped with the extension, and not dumped';
COMMENT ON COLUMN lexicon.trial IS
  'When the version is or was on trial, where its hits bind nobody; null where it never was';
COMMENT ON COLUMN lexicon.notice_id IS
  'Notice of the change, where the version changes a platform rule; null where it changes none (电子商务法 art. 34, Order 116 art. 12)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lexicon', 'WHERE NOT builtin');

CREATE TABLE lexicon_term (
  lexicon text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  term text COLLATE "C" NOT NULL,
  allow boolean NOT NULL,
  severity smallint NOT NULL DEFAULT 3,
  categories text[],
  tags text[],
  legal_basis text,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT lexicon_term_pkey PRIMARY KEY (lexicon, version, allow, term),
  CONSTRAINT lexicon_term_length CHECK (char_length(term) BETWEEN 1 AND 500),
  CONSTRAINT lexicon_term_severity CHECK (severity BETWEEN 1 AND 5),
  CONSTRAINT lexicon_term_categories CHECK (
    categories IS NULL OR cardinality(categories) > 0 AND '' <> ALL (categories)
    AND array_position(categories, NULL) IS NULL),
  CONSTRAINT lexicon_term_tags CHECK (
    tags IS NULL OR '' <> ALL (tags) AND array_position(tags, NULL) IS NULL)
);
COMMENT ON TABLE lexicon_term IS
  'Terms of the versions of lexicons; written by lexicon_load() only, since a restore must be able to load the terms of published versions and no trigger refuses them; lexicon_check() finds what was added past it';
COMMENT ON COLUMN lexicon_term.lexicon IS 'Name of the lexicon';
COMMENT ON COLUMN lexicon_term.version IS 'Version of the lexicon';
COMMENT ON COLUMN lexicon_term.term IS 'The term as written, at most 500 characters';
COMMENT ON COLUMN lexicon_term.allow IS 'Whether the term excuses hits within it (大麻烦 over 大麻) instead of being one';
COMMENT ON COLUMN lexicon_term.severity IS 'From 1 (minor) to 5 (grave)';
COMMENT ON COLUMN lexicon_term.categories IS
  'Categories the term is about, each with those below it (food covers food/infant); null and * mean all';
COMMENT ON COLUMN lexicon_term.tags IS 'Labels that its hits carry';
COMMENT ON COLUMN lexicon_term.legal_basis IS 'Law and article, where it differs from the lexicon''s';
COMMENT ON COLUMN lexicon_term.builtin IS 'Shipped with the extension, and not dumped';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lexicon_term', 'WHERE NOT builtin');

CREATE TRIGGER lexicon_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lexicon
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER lexicon_term_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lexicon_term
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

-- listing: published versions stay as they are

CREATE FUNCTION lexicon_is_kept(lexicon text, version integer) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM lexicon l
    WHERE (lexicon_is_kept.lexicon IS NULL OR l.lexicon = lexicon_is_kept.lexicon)
      AND (lexicon_is_kept.version IS NULL OR l.version = lexicon_is_kept.version)
      AND l.state <> 'draft'
      AND (l.superseded_at IS NULL OR l.superseded_at + interval '3 years' > now()));
END;
COMMENT ON FUNCTION lexicon_is_kept(text, integer) IS
  'Whether a version is published and not yet superseded for three years; null means any lexicon, any version';

CREATE FUNCTION lexicon_change_allowed(before lexicon, after lexicon) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN before.state = 'draft' THEN
      after.state IN ('draft', 'shadow', 'active')
      AND (after.lexicon, after.version, after.builtin) = (before.lexicon, before.version, before.builtin)
    -- Everything else stays as it was published.
    WHEN to_jsonb(after) - '{state,effect,superseded_at,trial,notice_id}'::text[]
         <> to_jsonb(before) - '{state,effect,superseded_at,trial,notice_id}'::text[] THEN false
    WHEN before.state = 'active' AND after.state = 'superseded' THEN
      (after.trial, after.notice_id) IS NOT DISTINCT FROM (before.trial, before.notice_id)
      AND after.effect = tstzrange(lower(before.effect), after.superseded_at, '[)')
    WHEN before.state = 'shadow' AND after.state = 'superseded' THEN
      after.notice_id IS NULL AND isempty(after.effect)
      AND after.trial = tstzrange(lower(before.trial), greatest(lower(before.trial), after.superseded_at), '[)')
    WHEN before.state = 'shadow' AND after.state = 'active' THEN
      after.trial = tstzrange(lower(before.trial), greatest(lower(before.trial), lower(after.effect)), '[)')
    ELSE false END;
COMMENT ON FUNCTION lexicon_change_allowed(lexicon, lexicon) IS
  'Whether a version may go from one row to the other: a draft is edited or published; a version on trial comes into force or ends, an active one ends, and nothing else of them changes';

CREATE FUNCTION lexicon_protect() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  what text;
  fixed boolean;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    fixed := lexicon_is_kept(NULL, NULL);
    what := 'published lexicons cannot be truncated';
  ELSIF TG_OP = 'DELETE' THEN
    fixed := lexicon_is_kept(OLD.lexicon, OLD.version);
    what := format('version %s of lexicon "%s" is published and cannot be deleted', OLD.version, OLD.lexicon);
  ELSE
    what := format('version %s of lexicon "%s" is published and cannot be changed', OLD.version, OLD.lexicon);
    IF TG_TABLE_NAME = 'lexicon_term' THEN
      fixed := (NEW.lexicon, NEW.version) IS DISTINCT FROM (OLD.lexicon, OLD.version);
      IF fixed THEN
        what := format('terms of version %s of lexicon "%s" stay in it', OLD.version, OLD.lexicon);
      END IF;
      fixed := fixed OR EXISTS (SELECT FROM quality_gov.lexicon l
                   WHERE l.lexicon = OLD.lexicon AND l.version = OLD.version AND l.state <> 'draft');
    ELSE
      fixed := lexicon_change_allowed(OLD, NEW) IS NOT TRUE;
      IF OLD.state = 'draft' THEN
        what := format('draft %s of lexicon "%s" keeps its name, number and origin until it is published', OLD.version, OLD.lexicon);
      END IF;
    END IF;
  END IF;
  IF fixed THEN
    RAISE EXCEPTION '%', what
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Published versions are kept unchanged for three years after they were superseded.',
            HINT = 'Load a new version with lexicon_load() and publish it with lexicon_publish().';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION lexicon_protect() IS
  'Trigger: keeps published versions of lexicons and their terms as they are (Order 116 art. 15, Order 37 of 2021 art. 28)';

CREATE TRIGGER lexicon_protect BEFORE UPDATE OR DELETE ON lexicon
  FOR EACH ROW EXECUTE FUNCTION lexicon_protect();
CREATE TRIGGER lexicon_protect_truncate BEFORE TRUNCATE ON lexicon
  FOR EACH STATEMENT EXECUTE FUNCTION lexicon_protect();
CREATE TRIGGER lexicon_term_protect BEFORE UPDATE OR DELETE ON lexicon_term
  FOR EACH ROW EXECUTE FUNCTION lexicon_protect();
CREATE TRIGGER lexicon_term_protect_truncate BEFORE TRUNCATE ON lexicon_term
  FOR EACH STATEMENT EXECUTE FUNCTION lexicon_protect();

-- listing: folding and scanning

CREATE FUNCTION text_fold(body text, folds text[] DEFAULT NULL) RETURNS text
  AS 'MODULE_PATHNAME', 'qg_text_fold_sql' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION text_fold(text, text[]) IS
  'Text as lexicons compare it; folds are nfkc (compatibility normalisation), case, width (full-width and half-width forms), invisible (default-ignorable and control characters dropped), script (traditional characters simplified), confusable (letters that look like Latin ones), digit (numbers in any form to digits), separator (punctuation, spaces, symbols, emoji dropped), repeat (runs of one character shown once); null means all, an empty array none; follows Unicode as the installed ICU knows it, so rebuild an index on it when ICU changes';

CREATE FUNCTION lexicon_folds() RETURNS text[]
  AS 'MODULE_PATHNAME', 'qg_lexicon_folds' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lexicon_folds() IS 'Names of all folds, in the order in which text_fold() knows them';

CREATE FUNCTION lexicon_scan(body text, lexicons text[], category text DEFAULT NULL,
                             at timestamptz DEFAULT statement_timestamp(), all_hits boolean DEFAULT false,
                             OUT lexicon text, OUT version integer, OUT term text, OUT severity smallint,
                             OUT span int4range, OUT matched text, OUT folds text[], OUT tags text[],
                             OUT legal_basis text)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_lexicon_scan_sql' LANGUAGE c STABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION lexicon_scan(text, text[], text, timestamptz, boolean) IS
  'Hits of the lexicons'' versions in force: leftmost, then longest, or with all_hits every one; span counts characters of body from 1, upper bound exclusive; matched is that text, folds are those needed to see it; without a category deny terms of any category count and allow terms with categories do not; unknown lexicon 42704';

CREATE FUNCTION lexicon_hits(body text, lexicons text[], category text DEFAULT NULL,
                             at timestamptz DEFAULT statement_timestamp()) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_lexicon_hits_sql' LANGUAGE c STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION lexicon_hits(text, text[], text, timestamptz) IS
  'Whether lexicon_scan() would give any row; null for a null body; unknown lexicon 42704';

CREATE FUNCTION lexicon_compile(lexicon text, version integer) RETURNS void
  AS 'MODULE_PATHNAME', 'qg_lexicon_compile_sql' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lexicon_compile(text, integer) IS
  'Compiles a version for all backends, as lexicon_publish() does, so that none has to when it scans; unknown version 42704';

CREATE FUNCTION lexicon_images(OUT lexicon text, OUT version integer, OUT bytes bigint, OUT shared boolean,
                               OUT compile_ms double precision, OUT load_ms double precision)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_lexicon_images' LANGUAGE c VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION lexicon_images() IS
  'Compiled lexicons that this backend holds: bytes, whether mapped from the file that backends share, milliseconds it compiled (0 where another backend did) and waited in all';

CREATE FUNCTION lexicon_files_sweep(keep text[]) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_lexicon_files_sweep' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lexicon_files_sweep(text[]) IS
  'Removes files of compiled lexicons older than an hour whose names are not among those to keep; for maintenance()';

CREATE FUNCTION lexicon_sweep(at timestamptz) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.lexicon_files_sweep(ARRAY(
    SELECT format('%s.%s', d.oid, encode(l.digest, 'hex')) FROM quality_gov.lexicon l
    JOIN pg_database d ON d.datname = current_database()
    WHERE l.state IN ('active', 'shadow') OR l.superseded_at > lexicon_sweep.at - interval '1 month'
    UNION ALL SELECT oid::text FROM pg_database WHERE datname <> current_database()));
  RETURN 'files swept';
END
$$;
COMMENT ON FUNCTION lexicon_sweep(timestamptz) IS
  'Maintenance: removes files of compiled lexicons that are no longer in force, and those of databases that are gone';
INSERT INTO maintenance_task VALUES
  ('lexicon_sweep', 90, 'quality_gov.lexicon_sweep', 'Files of compiled lexicons that nobody needs', true);
