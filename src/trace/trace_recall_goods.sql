
-- trace: what a recall declares, and the goods that follow from it

CREATE TABLE recall_criterion (
  recall_id bigint NOT NULL,
  criterion_id bigint GENERATED ALWAYS AS IDENTITY,
  revision integer NOT NULL,
  gtin gtin,
  lot_code text,
  serial_from text,
  serial_to text,
  made daterange,
  ingredient gtin,
  ingredient_lot text,
  CONSTRAINT recall_criterion_pkey PRIMARY KEY (recall_id, criterion_id),
  CONSTRAINT recall_criterion_goods CHECK (
    (gtin IS NULL) <> (ingredient IS NULL) AND (ingredient IS NULL) = (ingredient_lot IS NULL)
    AND (gtin IS NOT NULL OR num_nonnulls(lot_code, serial_from, made) = 0)),
  CONSTRAINT recall_criterion_made CHECK (made IS NULL OR NOT isempty(made) AND num_nonnulls(lot_code, serial_from) = 0),
  CONSTRAINT recall_criterion_serial CHECK (
    (serial_from IS NULL) = (serial_to IS NULL)
    AND length(serial_from) = length(serial_to) AND serial_from <= serial_to COLLATE "C")
);
COMMENT ON TABLE recall_criterion IS
  'What a recall declares, from a revision of its scope on: a GTIN, of it a lot, serial numbers (both included) or days made; or the lot of an ingredient, for whatever it went into; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_criterion', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_criterion_criterion_id_seq', '');
CREATE TRIGGER recall_criterion_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_criterion
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE recall_spared (
  recall_id bigint NOT NULL,
  gtin gtin NOT NULL,
  lot_code text NOT NULL,
  since timestamptz NOT NULL,
  CONSTRAINT recall_spared_pkey PRIMARY KEY (recall_id, gtin, lot_code)
);
COMMENT ON TABLE recall_spared IS
  'Lots known to be made on other days than a recall of days made declares, since when; lots of its GTIN that are neither here nor in recall_scope count as in scope; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_spared', '');
CREATE TRIGGER recall_spared_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_spared
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER recall_spared_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON recall_spared
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER gtin_alias_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON gtin_alias
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION serial_within(serial text, serial_from text, serial_to text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN length(serial) = length(serial_from)
         AND serial COLLATE "C" >= serial_from AND serial COLLATE "C" <= serial_to;
COMMENT ON FUNCTION serial_within(text, text, text) IS
  'Whether a serial number lies in a range, both ends included: of the same length, compared by code points, as numbers of a fixed width are';

CREATE FUNCTION gtin_codes(gtin gtin, OUT code gtin, OUT since timestamptz) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT gtin_codes.gtin, '-infinity'::timestamptz
  UNION ALL
  SELECT a.gtin, a.since FROM gtin_alias a WHERE a.old = gtin_codes.gtin
  UNION ALL
  SELECT a.old, a.since FROM gtin_alias a WHERE a.gtin = gtin_codes.gtin
  UNION ALL
  SELECT b.old, greatest(a.since, b.since) FROM gtin_alias a JOIN gtin_alias b ON b.gtin = a.gtin
  WHERE a.old = gtin_codes.gtin AND b.old <> a.old;
END;
COMMENT ON FUNCTION gtin_codes(gtin) IS
  'GTINs under which the same goods go (gtin_alias), itself among them, each with the instant since when that is known';

CREATE FUNCTION recall_scope_read(scope jsonb, OUT gtin gtin, OUT lot_code text, OUT serial_from text, OUT serial_to text,
                                  OUT made daterange, OUT ingredient gtin, OUT ingredient_lot text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  item jsonb;
  place text;
  n integer := 0;
BEGIN
  IF scope IS NULL OR jsonb_typeof(scope) <> 'array' OR scope = '[]' THEN
    RAISE EXCEPTION 'scope must be an array of one or more objects, found %', COALESCE(left(scope::text, 60), 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example [{"gtin": "06901234567892", "lot": "A1"}].';
  END IF;
  FOR item IN SELECT e.value FROM jsonb_array_elements(scope) WITH ORDINALITY e(value, at) ORDER BY e.at LOOP
    place := format('scope[%s]', n);
    n := n + 1;
    PERFORM quality_gov.recall_scope_item_check(item, place);
    gtin := quality_gov.recall_gtin_read(item, place);
    lot_code := item ->> 'lot';
    serial_from := item ->> 'serial_from';
    serial_to := item ->> 'serial_to';
    made := CASE WHEN item ?| '{made_from,made_until}' THEN
      daterange((item ->> 'made_from')::date, (item ->> 'made_until')::date, '[]') END;
    ingredient := quality_gov.recall_gtin_read(item -> 'ingredient', place || '.ingredient');
    ingredient_lot := item #>> '{ingredient,lot}';
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION recall_scope_read(jsonb) IS
  'Rows of a scope given as JSON: {"gtin"}, of it one "lot", serial numbers "serial_from" to "serial_to" (both included, of one length) or days made "made_from" to "made_until" (both included, either may be left out); or {"ingredient": {"gtin", "lot"}}; 22023 names the place of what it does not know or what contradicts';

CREATE FUNCTION recall_gtin_read(item jsonb, place text) RETURNS gtin
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  detail text;
BEGIN
  RETURN (item ->> 'gtin')::quality_gov.gtin;
EXCEPTION WHEN data_exception THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RAISE EXCEPTION '%."gtin": %', place, SQLERRM
    USING ERRCODE = SQLSTATE, DETAIL = COALESCE(nullif(detail, ''), 'A GTIN has 8, 12, 13 or 14 digits.');
END
$$;
COMMENT ON FUNCTION recall_gtin_read(jsonb, text) IS 'GTIN of an object of a scope; an error names its place';

CREATE FUNCTION recall_scope_item_check(item jsonb, place text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  shape text[] := '{gtin,lot,serial_from,serial_to,made_from,made_until}';
  entry record;
  problem text;
BEGIN
  IF jsonb_typeof(item) <> 'object' THEN
    RAISE EXCEPTION '% must be an object, found %', place, left(item::text, 60) USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF item ? 'ingredient' THEN
    IF jsonb_typeof(item -> 'ingredient') <> 'object' THEN
      RAISE EXCEPTION '%."ingredient" must be an object with "gtin" and "lot", found %', place, left((item -> 'ingredient')::text, 60)
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF item - 'ingredient' <> '{}' THEN
      RAISE EXCEPTION '% has "%" beside "ingredient"', place, (SELECT min(k) FROM jsonb_object_keys(item - 'ingredient') k)
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Give goods and ingredients as objects of their own.';
    END IF;
    shape := '{gtin,lot}';
    place := place || '.ingredient';
    item := item -> 'ingredient';
  END IF;
  FOR entry IN SELECT e.key, e.value FROM jsonb_each(item) e ORDER BY e.key LOOP
    problem := CASE
      WHEN NOT entry.key = ANY (shape) THEN 'is not known: known are ' || array_to_string(shape, ', ')
      WHEN jsonb_typeof(entry.value) <> 'string' AND NOT (entry.key = 'gtin' AND jsonb_typeof(entry.value) = 'number')
        THEN 'must be a string, found ' || left(entry.value::text, 60)
      WHEN entry.value #>> '{}' ~ '^\s*$' THEN 'is blank'
      WHEN entry.value #>> '{}' ~ '^\s|\s$' THEN 'has blanks around it: ' || (entry.value)::text
      WHEN entry.key LIKE 'made%' AND NOT quality_gov.date_is_valid(entry.value #>> '{}')
        THEN 'must be a day as YYYY-MM-DD, found ' || left(entry.value::text, 60) END;
    IF problem IS NOT NULL THEN
      RAISE EXCEPTION '%."%" %', place, entry.key, problem USING ERRCODE = 'invalid_parameter_value';
    END IF;
  END LOOP;
  problem := CASE
    WHEN NOT item ? 'gtin' THEN 'has no "gtin"'
    WHEN cardinality(shape) = 2 AND NOT item ? 'lot' THEN 'has no "lot"'
    WHEN item ? 'serial_from' <> item ? 'serial_to' THEN 'has one of "serial_from" and "serial_to" only'
    WHEN length(item ->> 'serial_from') <> length(item ->> 'serial_to')
      THEN 'has a "serial_from" and a "serial_to" of different lengths'
    WHEN item ->> 'serial_from' > item ->> 'serial_to' COLLATE "C" THEN 'has a "serial_from" after "serial_to"'
    WHEN item ?| '{made_from,made_until}' AND item ?| '{lot,serial_from}' THEN 'has days made beside a lot or serial numbers'
    WHEN (item ->> 'made_from')::date > (item ->> 'made_until')::date THEN 'has a "made_from" after "made_until"' END;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '% %', place, problem USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION recall_scope_item_check(jsonb, text) IS
  'Raises 22023, naming place and key, for an object of a scope that has an unknown key, a value of a wrong form or keys that contradict';

CREATE FUNCTION date_is_valid(day text) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' AND make_date(left(day, 4)::integer, substr(day, 6, 2)::integer, right(day, 2)::integer) IS NOT NULL;
EXCEPTION WHEN datetime_field_overflow THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION date_is_valid(text) IS 'Whether a text is a day of the calendar as YYYY-MM-DD (ISO 8601)';
