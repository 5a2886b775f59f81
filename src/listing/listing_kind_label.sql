
-- listing: rule kind label

CREATE FUNCTION rule_label_params_valid(params jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := params_check(params, '{"scheme": "text", "grade": "text?", "record": "text?", "producer": "text?",
                                        "model": "text?", "gb_number": "text?", "indicators": "names?"}');
BEGIN
  IF wanted IS NULL AND params ->> 'scheme' NOT IN ('energy', 'water') THEN
    wanted := '"scheme" to be energy or water';
  END IF;
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION rule_label_params_valid(jsonb) IS
  'What is wanted of params of kind label: {"scheme": energy or water, and optionally the page''s names of "grade" (<scheme>_grade), "record" (<scheme>_record), "producer", "model", "gb_number", "indicators" (indicator to name)}; null where all is well';

CREATE FUNCTION label_grade(shown text) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN nullif(translate(substring(text_fold(shown) FROM '^(?:(?:中国)?(?:能效|水效)(?:标识|等级)?)?([1-5一二三四五])(?:级.*|级能效|级水效)?$'),
                          '一二三四五', '12345'), '')::integer;
COMMENT ON FUNCTION label_grade(text) IS 'Grade 1 to 5 that a label field spells (1, 1级, 一级能效, 能效等级1级), null where it spells none';

CREATE FUNCTION rule_label(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  scheme text := params ->> 'scheme';
  grade_name text := COALESCE(params ->> 'grade', scheme || '_grade');
  record_name text := COALESCE(params ->> 'record', scheme || '_record');
  page_producer text := listing_value(listing, COALESCE(params ->> 'producer', 'producer'));
  page_model text := listing_value(listing, COALESCE(params ->> 'model', 'model'));
  shown text := listing_value(listing, grade_name);
  shown_record text := upper(listing_value(listing, record_name));
  shown_gtin text := listing_value(listing, 'gtin');
  label product_label;
  register jsonb;
BEGIN
  IF shown IS NULL THEN
    RETURN QUERY SELECT 'violation', grade_name, format('the %s label is not shown', scheme), '{"failed": "shown"}'::jsonb;
    RETURN;
  END IF;
  SELECT * INTO label FROM product_label l
  WHERE l.scheme = params ->> 'scheme' AND l.effect @> at
    AND CASE WHEN shown_record IS NOT NULL THEN l.record = shown_record
             WHEN shown_gtin ~ '^[0-9]{8,14}$' AND l.gtin IS NOT NULL
             THEN l.gtin::text = lpad(shown_gtin, 14, '0')
             ELSE name_key(l.model) = name_key(page_model) AND name_key(l.producer) = name_key(page_producer) END
  ORDER BY l.record LIMIT 1;
  IF NOT FOUND THEN
    RETURN QUERY SELECT CASE WHEN shown_record IS NULL THEN 'missing' ELSE 'violation' END, record_name,
      CASE WHEN shown_record IS NULL THEN format('no %s label of these goods is in the register', scheme)
           ELSE format('%s label "%s" is not in the register', scheme, shown_record) END,
      jsonb_strip_nulls(jsonb_build_object('failed', 'register', 'missing', nullif(shown_record IS NULL, false), 'record', shown_record));
    RETURN;
  END IF;
  register := jsonb_strip_nulls(jsonb_build_object('record', label.record, 'producer', label.producer, 'model', label.model,
    'grade', label.grade, 'indicators', label.indicators, 'gb_number', label.gb_number, 'source', label.source));
  RETURN QUERY
  SELECT CASE WHEN c.agrees THEN 'pass' ELSE 'violation' END, c.name,
         CASE WHEN NOT c.agrees THEN format('"%s" is "%s", the register of %s labels says "%s"', c.name, c.page, scheme, c.registered) END,
         CASE WHEN NOT c.agrees THEN register || jsonb_build_object('failed', c.name, 'shown', c.page) END
  FROM (
    SELECT 1 AS n, grade_name AS name, shown AS page, label.grade::text AS registered,
           COALESCE(label_grade(shown) = label.grade, false) AS agrees
    UNION ALL
    SELECT 2, t.name, t.page, t.registered, listing_agrees(t.page, ARRAY[t.registered])
    FROM (VALUES (COALESCE(params ->> 'producer', 'producer'), page_producer, label.producer),
                 (COALESCE(params ->> 'model', 'model'), page_model, label.model),
                 (params ->> 'gb_number', listing_value(listing, params ->> 'gb_number'), label.gb_number)) AS t(name, page, registered)
    WHERE t.page IS NOT NULL AND t.registered IS NOT NULL
    UNION ALL
    SELECT 3, i.value, listing_value(listing, i.value), label.indicators ->> i.key,
           COALESCE(listing_amount(listing_value(listing, i.value)) = listing_amount(label.indicators ->> i.key),
                    listing_agrees(listing_value(listing, i.value), ARRAY[label.indicators ->> i.key]))
    FROM jsonb_each_text(params -> 'indicators') i
    WHERE listing_value(listing, i.value) IS NOT NULL AND label.indicators ? i.key) AS c
  ORDER BY c.n, c.name;
END
$$;
COMMENT ON FUNCTION rule_label(jsonb, jsonb, timestamptz) IS
  'Rule kind label: the energy or water label is shown, and what is shown equals the register, found by record code, else GTIN, else producer and model';
