
-- trace: the guard of a platform's order table

CREATE FUNCTION guard_order_row() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_guard_order_row' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION guard_order_row() IS
  'Trigger of guard_order(): refuses with SQLSTATE QG601 a sale of goods that a recall holds or stops, or by a merchant who may not sell';

CREATE FUNCTION guard_order(relation regclass, columns jsonb, on_failure text DEFAULT 'refuse') RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF on_failure IS NULL OR on_failure NOT IN ('refuse', 'allow') THEN
    RAISE EXCEPTION 'on_failure must be refuse or allow, found %', COALESCE(quote_literal(on_failure), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.mapping_check(relation, columns, '{merchant_id}', jsonb_build_object(
    'order_id', '[]'::jsonb, 'gtin', '["gtin", "quality_gov.gtin", "text", "character varying", "character", "bigint"]'::jsonb,
    'lot', '[]'::jsonb, 'serial', '[]'::jsonb, 'category', '[]'::jsonb, 'at', '["timestamp with time zone"]'::jsonb), true);
  PERFORM quality_gov.guard_attach(relation, 'order', columns, jsonb_build_object('on_failure', on_failure),
    ARRAY['row AFTER INSERT OR UPDATE:guard_order_row']);
END
$$;
COMMENT ON FUNCTION guard_order(regclass, jsonb, text) IS
  'Guards a platform''s order table: goods that a recall holds (suspected) or stops (ordered) and merchants who may not sell sell nothing. columns maps merchant_id and optionally order_id, gtin, lot, serial, category, at (the instant to judge as of); on_failure says whether a guard that fails itself refuses the row or lets it pass; takes a SHARE ROW EXCLUSIVE lock';
