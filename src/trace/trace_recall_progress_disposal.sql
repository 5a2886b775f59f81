
-- trace: disposal of recalled goods

CREATE FUNCTION recall_disposal_write(d recall_disposal) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  -- Stock that is destroyed is so in the lot's own events; what buyers gave back is in none.
  IF d.origin = 'stock' THEN
    INSERT INTO quality_gov.lot_event AS e (lot_id, kind, at, quantity, place, note, voids)
    VALUES (d.lot_id, 'destroyed', d.at, d.quantity, d.place, 'recall ' || d.recall_id, CASE WHEN d.voids IS NOT NULL THEN d.event_id END)
    RETURNING e.event_id INTO d.event_id;
  END IF;
  INSERT INTO quality_gov.recall_disposal AS x (recall_id, gtin, lot_code, origin, measure, quantity, at, place, pictures, lot_id, event_id, voids, note)
  VALUES (d.recall_id, d.gtin, d.lot_code, d.origin, d.measure, d.quantity, d.at, d.place, d.pictures, d.lot_id, d.event_id, d.voids, d.note)
  RETURNING x.disposal_id INTO d.disposal_id;
  PERFORM quality_gov.ledger_record('recall_disposal', 'recall ' || d.recall_id,
    jsonb_strip_nulls(to_jsonb(d) - '{recall_id,recorded_at}'::text[]));
  RETURN d.disposal_id;
END
$$;
COMMENT ON FUNCTION recall_disposal_write(recall_disposal) IS
  'Writes a disposal, for stock with its lot_event, and a ledger entry, and gives its id; recall_disposal_add() and recall_disposal_void() call it';

CREATE FUNCTION recall_disposal_add(recall_id bigint, gtin gtin, lot_code text, origin text, measure text, quantity numeric, place text,
    at timestamptz DEFAULT now(), pictures text[] DEFAULT '{}', note text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  lot bigint;
  f record;
BEGIN
  IF origin IS NULL OR origin NOT IN ('returned', 'stock') THEN
    RAISE EXCEPTION 'goods disposed of were returned or are stock, found %', COALESCE(quote_literal(origin), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF quantity IS NULL OR NOT (quantity > 0 AND quantity < 'Infinity') OR at IS NULL OR NOT isfinite(at) OR gtin IS NULL OR lot_code IS NULL THEN
    RAISE EXCEPTION 'a disposal needs GTIN, lot code, a positive quantity and a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE quality_gov.recall c SET title = c.title WHERE c.recall_id = recall_disposal_add.recall_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  IF NOT quality_gov.recall_extent_covers(quality_gov.recall_extent_of(recall_id), gtin, lot_code, NULL) THEN
    RAISE EXCEPTION 'GTIN %, lot % is not in the scope of recall %', gtin, lot_code, recall_id USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT l.lot_id INTO lot FROM quality_gov.lot l
  WHERE l.gtin IN (gtin, quality_gov.gtin_current(gtin)) AND l.lot_code = recall_disposal_add.lot_code LIMIT 1;
  -- There then, and not gone since.
  SELECT min(p.held) AS held, min(p.in_stock) AS in_stock INTO f
  FROM unnest(ARRAY[at, 'infinity']) t(instant)
  CROSS JOIN LATERAL quality_gov.recall_figures(ARRAY[ROW(gtin, lot_code, NULL, NULL, NULL, NULL, NULL)::quality_gov.recall_extent], recall_id, t.instant) p
  WHERE p.lot_code = recall_disposal_add.lot_code;
  IF origin = 'stock' AND lot IS NULL THEN
    RAISE EXCEPTION 'lot % of GTIN % does not exist', lot_code, gtin USING ERRCODE = 'no_data_found';
  END IF;
  IF quantity > (CASE origin WHEN 'stock' THEN f.in_stock ELSE COALESCE(f.held, 0) END) THEN
    RAISE EXCEPTION 'of lot % of GTIN % % are %, so not % can be disposed of', lot_code, gtin,
      CASE origin WHEN 'stock' THEN f.in_stock ELSE COALESCE(f.held, 0) END,
      CASE origin WHEN 'stock' THEN 'in stock' ELSE 'back and not disposed of' END, quantity USING ERRCODE = 'check_violation';
  END IF;
  RETURN quality_gov.recall_disposal_write(ROW(recall_id, 0, gtin, lot_code, origin, measure, quantity, at, place, COALESCE(pictures, '{}'),
    CASE origin WHEN 'stock' THEN lot END, NULL, NULL, note, NULL));
END
$$;
COMMENT ON FUNCTION recall_disposal_add(bigint, gtin, text, text, text, numeric, text, timestamptz, text[], text) IS
  'Records how goods of a recall were disposed of (Order 122 art 23: measure, time, place, pictures) and gives the disposal_id: returned ones, or stock, which lot_event then has as destroyed; refuses more than came back or is in stock (23514)';

CREATE FUNCTION recall_disposal_void(recall_id bigint, disposal_id bigint, reason text, at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  d quality_gov.recall_disposal;
BEGIN
  IF COALESCE(reason, '') !~ '\S' THEN
    RAISE EXCEPTION 'who takes a disposal back says why' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE quality_gov.recall c SET title = c.title WHERE c.recall_id = recall_disposal_void.recall_id;
  SELECT x.* INTO d FROM quality_gov.recall_disposal x
  WHERE x.recall_id = recall_disposal_void.recall_id AND x.disposal_id = recall_disposal_void.disposal_id AND x.voids IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % has no disposal %', recall_id, disposal_id USING ERRCODE = 'no_data_found';
  END IF;
  IF at IS NULL OR NOT isfinite(at) OR at < d.at THEN
    RAISE EXCEPTION 'disposal % is of %, it can be taken back from then on', disposal_id, d.at USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF EXISTS (SELECT FROM quality_gov.recall_disposal v WHERE v.recall_id = d.recall_id AND v.voids = d.disposal_id) THEN
    RAISE EXCEPTION 'disposal % of recall % was taken back already', disposal_id, recall_id
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  d.voids := d.disposal_id;
  d.at := at;
  d.note := reason;
  RETURN quality_gov.recall_disposal_write(d);
END
$$;
COMMENT ON FUNCTION recall_disposal_void(bigint, bigint, text, timestamptz) IS
  'Takes a disposal back, and the lot_event it wrote, with the reason, and gives the id of the row that says so; once (55000 the second time)';
