
-- trace: corrected GTINs, and lots by the thousand

CREATE FUNCTION gtin_alias_add(old gtin, new gtin, reason text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  target quality_gov.gtin;
  known quality_gov.gtin;
  twice record;
  moved bigint;
BEGIN
  IF old IS NULL OR new IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN old IS NULL THEN 'old' ELSE 'new' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM quality_gov.text_require(reason, 'reason');
  IF old = new THEN
    RAISE EXCEPTION 'GTIN % cannot be corrected to itself', old USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- One at a time, and nobody records a lot meanwhile.
  LOCK TABLE quality_gov.gtin_alias IN SHARE ROW EXCLUSIVE MODE;
  target := quality_gov.gtin_current(new);
  IF target = old THEN
    RAISE EXCEPTION 'GTIN % cannot be corrected to %, which was corrected to it', old, new USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT a.gtin INTO known FROM quality_gov.gtin_alias a WHERE a.old = gtin_alias_add.old;
  IF known <> target THEN
    RAISE EXCEPTION 'GTIN % was corrected to %, not to %', old, known, target USING ERRCODE = 'unique_violation',
      HINT = format('Where both are the same goods, correct %s to %s.', known, target);
  END IF;
  SELECT o.lot_code, o.lot_id AS old_lot, n.lot_id AS new_lot INTO twice
  FROM quality_gov.lot o JOIN quality_gov.lot n ON n.gtin = target AND n.lot_code = o.lot_code
  WHERE o.gtin = gtin_alias_add.old ORDER BY o.lot_code LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'lot "%" is known under both GTINs, as lot % and lot %', twice.lot_code, twice.old_lot, twice.new_lot
      USING ERRCODE = 'unique_violation',
            HINT = 'Two lots are not made one: each keeps its links and events. Give one of them another lot code in quality_gov.lot first.';
  END IF;
  SELECT o.serial INTO twice FROM quality_gov.lot_item o JOIN quality_gov.lot_item n ON n.gtin = target AND n.serial = o.serial
  WHERE o.gtin = gtin_alias_add.old ORDER BY o.serial LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'serial number "%" is known under both GTINs', twice.serial USING ERRCODE = 'unique_violation';
  END IF;
  IF known IS NULL THEN
    UPDATE quality_gov.gtin_alias a SET gtin = target WHERE a.gtin = gtin_alias_add.old;
    INSERT INTO quality_gov.gtin_alias (old, gtin, reason) VALUES (gtin_alias_add.old, target, gtin_alias_add.reason);
  END IF;
  UPDATE quality_gov.lot l SET gtin = target WHERE l.gtin = gtin_alias_add.old;
  GET DIAGNOSTICS moved = ROW_COUNT;
  UPDATE quality_gov.lot_item i SET gtin = target WHERE i.gtin = gtin_alias_add.old;
  IF known IS NULL OR moved > 0 THEN
    PERFORM quality_gov.ledger_record('gtin_alias', 'gtin ' || old, jsonb_build_object('old', old, 'gtin', target,
      'lots', moved, 'reason', reason));
  END IF;
  RETURN moved;
END
$$;
COMMENT ON FUNCTION gtin_alias_add(gtin, gtin, text) IS
  'Says that a GTIN was corrected: the lots and serial numbers under the old one go on under the new one and keep their ids, order lines keep what they say and are found under both; gives the number of lots. An alias never leads to another: what was corrected to the old one is now corrected to the new. 22023 for a circle, 23505 where the old one was corrected to something else or a lot code or serial number is known under both';

CREATE FUNCTION lot_named(name jsonb) RETURNS bigint
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  named bigint;
BEGIN
  CASE jsonb_typeof(name)
    WHEN 'number' THEN
      RETURN (name #>> '{}')::bigint;
    WHEN 'object' THEN
      named := quality_gov.lot_find((name ->> 'gtin')::quality_gov.gtin, name ->> 'lot');
      IF named IS NULL THEN
        RAISE EXCEPTION 'lot "%" of GTIN % is not recorded', name ->> 'lot', name ->> 'gtin' USING ERRCODE = 'no_data_found';
      END IF;
      RETURN named;
    ELSE
      RAISE EXCEPTION 'a lot must be given by its id or as {"gtin", "lot"}, found %', COALESCE(name::text, 'none')
        USING ERRCODE = 'invalid_parameter_value';
  END CASE;
END
$$;
COMMENT ON FUNCTION lot_named(jsonb) IS 'The lot that an id or {"gtin", "lot"} names; P0002 where the latter names none';

CREATE FUNCTION fields_require(item jsonb, fields text[], what text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  unknown text;
BEGIN
  IF jsonb_typeof(item) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION '% must be a JSON object, found %', what, COALESCE(jsonb_typeof(item), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT string_agg(quote_ident(k), ', ') INTO unknown FROM jsonb_object_keys(item) k WHERE NOT k = ANY (fields);
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION '% has %, which nothing here reads', what, unknown USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Fields are %s.', array_to_string(fields, ', '));
  END IF;
END
$$;
COMMENT ON FUNCTION fields_require(jsonb, text[], text) IS 'Raises 22023 unless item is an object of no other than the given fields';

CREATE FUNCTION items_require(items jsonb, what text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF jsonb_typeof(items) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION '% must be a JSON array, found %', what, COALESCE(jsonb_typeof(items), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION items_require(jsonb, text) IS 'Raises 22023 unless items is an array';

CREATE FUNCTION lot_record_all(lots jsonb, OUT item bigint, OUT lot_id bigint) RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  given record;
BEGIN
  PERFORM quality_gov.items_require(lots, 'lots');
  FOR given IN SELECT l.value AS lot, l.n FROM jsonb_array_elements(lots) WITH ORDINALITY AS l(value, n) LOOP
    PERFORM quality_gov.fields_require(given.lot,
      '{gtin,lot,producer,merchant_id,made_on,expires_on,quantity,unit,supplier_id,serials}', format('lot %s of lots', given.n));
    item := given.n;
    lot_id := quality_gov.lot_record((given.lot ->> 'gtin')::quality_gov.gtin, given.lot ->> 'lot', given.lot ->> 'producer',
      given.lot ->> 'merchant_id', (given.lot ->> 'made_on')::date, (given.lot ->> 'expires_on')::date,
      (given.lot ->> 'quantity')::numeric, given.lot ->> 'unit', given.lot ->> 'supplier_id');
    IF given.lot ? 'serials' THEN
      PERFORM quality_gov.lot_item_add(lot_id, ARRAY(SELECT jsonb_array_elements_text(given.lot -> 'serials')));
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION lot_record_all(jsonb) IS
  'lot_record() of many, all or none: an array of {"gtin", "lot", "producer", "merchant_id", "made_on", "expires_on", "quantity", "unit", "supplier_id", "serials"}; gives the id of each, numbered from 1';

CREATE FUNCTION lot_use_all(links jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  given record;
BEGIN
  PERFORM quality_gov.items_require(links, 'links');
  FOR given IN SELECT l.value AS link, l.n FROM jsonb_array_elements(links) WITH ORDINALITY AS l(value, n) LOOP
    PERFORM quality_gov.fields_require(given.link, '{parent,child,quantity,at}', format('link %s of links', given.n));
    PERFORM quality_gov.lot_use(quality_gov.lot_named(given.link -> 'parent'), quality_gov.lot_named(given.link -> 'child'),
      (given.link ->> 'quantity')::numeric, (given.link ->> 'at')::timestamptz);
  END LOOP;
  RETURN jsonb_array_length(links);
END
$$;
COMMENT ON FUNCTION lot_use_all(jsonb) IS
  'lot_use() of many, all or none: an array of {"parent", "child", "quantity", "at"}, each lot by its id or as {"gtin", "lot"}; gives their number';

CREATE FUNCTION lot_move_all(events jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  given record;
BEGIN
  PERFORM quality_gov.items_require(events, 'events');
  FOR given IN SELECT e.value AS event, e.n FROM jsonb_array_elements(events) WITH ORDINALITY AS e(value, n) LOOP
    PERFORM quality_gov.fields_require(given.event, '{lot,kind,quantity,at,merchant_id,party,place,order_id,note}',
                                       format('event %s of events', given.n));
    PERFORM quality_gov.lot_move(quality_gov.lot_named(given.event -> 'lot'), given.event ->> 'kind',
      (given.event ->> 'quantity')::numeric, COALESCE((given.event ->> 'at')::timestamptz, now()), given.event ->> 'merchant_id',
      given.event ->> 'party', given.event ->> 'place', given.event ->> 'order_id', given.event ->> 'note');
  END LOOP;
  RETURN jsonb_array_length(events);
END
$$;
COMMENT ON FUNCTION lot_move_all(jsonb) IS
  'lot_move() of many, all or none: an array of {"lot", "kind", "quantity", "at", "merchant_id", "party", "place", "order_id", "note"}, the lot by its id or as {"gtin", "lot"}; gives their number';
