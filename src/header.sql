\echo Use "CREATE EXTENSION quality_gov" to load this file. \quit

-- The script makes the schema itself: one planted beforehand stops the install, and
-- DROP EXTENSION removes it.
DO $$
BEGIN
  IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
    RAISE EXCEPTION 'quality_gov needs a database with encoding UTF8, this one has %',
      pg_catalog.getdatabaseencoding()
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Create the database with ENCODING ''UTF8'' TEMPLATE template0.';
  END IF;
  IF pg_catalog.to_regnamespace('quality_gov') IS NOT NULL THEN
    RAISE EXCEPTION 'schema "quality_gov" exists already'
      USING ERRCODE = 'duplicate_schema',
            DETAIL = 'The extension makes this schema itself, so that nobody else owns it.',
            HINT = 'Look at what is in the schema, then drop or rename it.';
  END IF;
END
$$;

CREATE SCHEMA quality_gov;
COMMENT ON SCHEMA quality_gov IS 'Quality governance for online platforms';
SELECT pg_catalog.set_config('search_path', 'quality_gov, pg_catalog, pg_temp', true);
