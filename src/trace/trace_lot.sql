
-- trace: lots as people and platforms write them

CREATE FUNCTION lot_require(lot_id bigint) RETURNS lot
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found_lot quality_gov.lot;
BEGIN
  SELECT * INTO found_lot FROM quality_gov.lot l WHERE l.lot_id = lot_require.lot_id FOR KEY SHARE;
  IF found_lot.lot_id IS NULL THEN
    RAISE EXCEPTION 'lot % does not exist', COALESCE(lot_id::text, 'null') USING ERRCODE = 'no_data_found',
      HINT = 'quality_gov.lot_find(gtin, lot_code) tells the lot, quality_gov.lot_record() records one.';
  END IF;
  RETURN found_lot;
END
$$;
COMMENT ON FUNCTION lot_require(bigint) IS 'The lot of an id, kept from being removed to the end of the transaction; P0002 where there is none';

CREATE FUNCTION quantity_require(quantity numeric, what text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF NOT (quantity > 0 AND quantity < 'Infinity') THEN
    RAISE EXCEPTION '% must be a number above 0, found %', what, quantity USING ERRCODE = 'numeric_value_out_of_range';
  END IF;
END
$$;
COMMENT ON FUNCTION quantity_require(numeric, text) IS 'Raises 22003 unless a quantity is null, or finite and above 0';

CREATE FUNCTION instant_require(at timestamptz, what text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF at IS NULL THEN
    RAISE EXCEPTION '% must not be null', what USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT isfinite(at) THEN
    RAISE EXCEPTION '% must be finite', what USING ERRCODE = 'datetime_field_overflow';
  END IF;
END
$$;
COMMENT ON FUNCTION instant_require(timestamptz, text) IS 'Raises 22004 for a null instant and 22008 for one that is not finite';

CREATE FUNCTION text_require(value text, what text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF COALESCE(btrim(value), '') = '' THEN
    RAISE EXCEPTION '% must not be empty', what USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION text_require(text, text) IS 'Raises 22023 for a text that is null or blank';

CREATE FUNCTION lot_record(gtin gtin, lot_code text, producer text DEFAULT NULL, merchant_id text DEFAULT NULL,
                           made_on date DEFAULT NULL, expires_on date DEFAULT NULL, quantity numeric DEFAULT NULL,
                           unit text DEFAULT NULL, supplier_id text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  known quality_gov.lot;
  differing record;
BEGIN
  IF gtin IS NULL THEN
    RAISE EXCEPTION 'gtin must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM quality_gov.text_require(lot_code, 'lot_code');
  IF made_on > expires_on THEN
    RAISE EXCEPTION 'lot "%" would expire on %, before it is made on %', lot_code, expires_on, made_on
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF merchant_id IS NOT NULL THEN
    PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = lot_record.merchant_id FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
    END IF;
  END IF;
  IF supplier_id IS NOT NULL THEN
    PERFORM quality_gov.supplier_require(supplier_id);
  END IF;
  -- Nobody corrects the GTIN between asking for it and writing under it.
  LOCK TABLE quality_gov.gtin_alias IN ROW EXCLUSIVE MODE;
  gtin := quality_gov.gtin_current(gtin);
  INSERT INTO quality_gov.lot (gtin, lot_code, producer, merchant_id, made_on, expires_on, quantity, unit, supplier_id)
  VALUES (lot_record.gtin, lot_record.lot_code, lot_record.producer, lot_record.merchant_id, lot_record.made_on,
          lot_record.expires_on, lot_record.quantity, lot_record.unit, lot_record.supplier_id)
  ON CONFLICT ON CONSTRAINT lot_gtin_lot_code DO NOTHING RETURNING * INTO known;
  IF known.lot_id IS NOT NULL THEN
    RETURN known.lot_id;
  END IF;
  SELECT * INTO known FROM quality_gov.lot l
  WHERE l.gtin = lot_record.gtin AND l.lot_code = lot_record.lot_code FOR NO KEY UPDATE;
  SELECT v.* INTO differing
  FROM (VALUES ('producer', known.producer, producer), ('merchant_id', known.merchant_id, merchant_id),
               ('made_on', to_char(known.made_on, 'YYYY-MM-DD'), to_char(made_on, 'YYYY-MM-DD')),
               ('expires_on', to_char(known.expires_on, 'YYYY-MM-DD'), to_char(expires_on, 'YYYY-MM-DD')),
               ('quantity', trim_scale(known.quantity)::text, trim_scale(quantity)::text), ('unit', known.unit, unit),
               ('supplier_id', known.supplier_id, supplier_id)) AS v(field, have, want)
  WHERE v.have <> v.want LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'lot "%" of GTIN % has % "%", found "%"', lot_code, gtin, differing.field, differing.have, differing.want
      USING ERRCODE = 'unique_violation',
            HINT = 'What is known of a lot is not overwritten: correct the source, or the row of quality_gov.lot.';
  END IF;
  UPDATE quality_gov.lot l
  SET producer = COALESCE(l.producer, lot_record.producer), merchant_id = COALESCE(l.merchant_id, lot_record.merchant_id),
      made_on = COALESCE(l.made_on, lot_record.made_on), expires_on = COALESCE(l.expires_on, lot_record.expires_on),
      quantity = COALESCE(l.quantity, lot_record.quantity), unit = COALESCE(l.unit, lot_record.unit),
      supplier_id = COALESCE(l.supplier_id, lot_record.supplier_id)
  WHERE l.lot_id = known.lot_id
    AND (lot_record.producer IS NOT NULL AND l.producer IS NULL OR lot_record.merchant_id IS NOT NULL AND l.merchant_id IS NULL
         OR lot_record.made_on IS NOT NULL AND l.made_on IS NULL OR lot_record.expires_on IS NOT NULL AND l.expires_on IS NULL
         OR lot_record.quantity IS NOT NULL AND l.quantity IS NULL OR lot_record.unit IS NOT NULL AND l.unit IS NULL
         OR lot_record.supplier_id IS NOT NULL AND l.supplier_id IS NULL);
  RETURN known.lot_id;
END
$$;
COMMENT ON FUNCTION lot_record(gtin, text, text, text, date, date, numeric, text, text) IS
  'Records a lot and gives its id; one that is known gains what was unknown of it, and what contradicts is refused (23505) with both values; a corrected GTIN (gtin_alias) is taken for the one of today; P0002 for a merchant or supplier that does not exist';

CREATE FUNCTION lot_use(parent bigint, child bigint, quantity numeric DEFAULT NULL, at timestamptz DEFAULT NULL) RETURNS numeric
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  whole numeric;
BEGIN
  PERFORM quality_gov.quantity_require(quantity, 'quantity');
  IF at IS NOT NULL THEN
    PERFORM quality_gov.instant_require(at, 'at');
  END IF;
  IF parent IS NULL OR child IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN parent IS NULL THEN 'parent' ELSE 'child' END USING ERRCODE = 'null_value_not_allowed',
      HINT = 'quality_gov.lot_find(gtin, lot_code) is null where no such lot is recorded, quality_gov.lot_record() records one.';
  END IF;
  IF parent = child THEN
    RAISE EXCEPTION 'lot % cannot be used in itself', parent USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.lot_require(least(parent, child));
  PERFORM quality_gov.lot_require(greatest(parent, child));
  -- A lot is mostly used in one that was just made; a walk that grows long is left to trace_check().
  IF EXISTS (
    WITH RECURSIVE below AS (
      SELECT k.child AS lot FROM quality_gov.lot_link k WHERE k.parent = lot_use.child
      UNION SELECT k.child FROM below b JOIN quality_gov.lot_link k ON k.parent = b.lot)
    SELECT FROM (SELECT b.lot FROM below b LIMIT 10000) b WHERE b.lot = lot_use.parent) THEN
    RAISE EXCEPTION 'lot % cannot be used in lot %, which went into it', parent, child
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Where the earlier link is wrong, take it back with quality_gov.lot_unuse().';
  END IF;
  INSERT INTO quality_gov.lot_link AS k (parent, child, quantity, at)
  VALUES (lot_use.parent, lot_use.child, lot_use.quantity, lot_use.at)
  ON CONFLICT ON CONSTRAINT lot_link_pkey DO UPDATE
  SET quantity = k.quantity + EXCLUDED.quantity, at = least(k.at, EXCLUDED.at)
  RETURNING k.quantity INTO whole;
  RETURN whole;
END
$$;
COMMENT ON FUNCTION lot_use(bigint, bigint, numeric, timestamptz) IS
  'Says that a lot was used in another, and gives how much in all: quantities of the same two lots add up, to null once one is unknown; at is the first instant. P0002 for a lot that does not exist, 22023 for a use of a lot in itself or in what went into it, as far as it is committed: a circle that two sessions close at once is reported by trace_check()';

CREATE FUNCTION lot_unuse(parent bigint, child bigint, reason text, quantity numeric DEFAULT NULL) RETURNS numeric
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  link quality_gov.lot_link;
BEGIN
  PERFORM quality_gov.text_require(reason, 'reason');
  PERFORM quality_gov.quantity_require(quantity, 'quantity');
  SELECT * INTO link FROM quality_gov.lot_link k
  WHERE k.parent = lot_unuse.parent AND k.child = lot_unuse.child AND k.source = 0 FOR UPDATE;
  IF link.parent IS NULL THEN
    RAISE EXCEPTION 'no use of lot % in lot % is recorded', COALESCE(parent::text, 'null'), COALESCE(child::text, 'null')
      USING ERRCODE = 'no_data_found',
            HINT = CASE WHEN EXISTS (SELECT FROM quality_gov.lot_link k WHERE k.parent = lot_unuse.parent AND k.child = lot_unuse.child)
                        THEN 'An EPCIS event says so: capture its error declaration.'
                        ELSE 'The table quality_gov.lot_link lists the uses of a lot.' END;
  END IF;
  IF quantity IS NOT NULL AND NOT COALESCE(quantity <= link.quantity, false) THEN
    RAISE EXCEPTION 'of lot % only % were used in lot %, found %', parent, COALESCE(link.quantity::text, 'an unknown quantity'), child, quantity
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Without a quantity the whole use is taken back.';
  END IF;
  IF quantity < link.quantity THEN
    UPDATE quality_gov.lot_link k SET quantity = k.quantity - lot_unuse.quantity
    WHERE k.parent = lot_unuse.parent AND k.child = lot_unuse.child AND k.source = 0;
  ELSE
    DELETE FROM quality_gov.lot_link k WHERE k.parent = lot_unuse.parent AND k.child = lot_unuse.child AND k.source = 0;
  END IF;
  PERFORM quality_gov.ledger_record('lot_unuse', 'lot ' || child, jsonb_build_object('parent', parent, 'child', child,
    'had', link.quantity, 'taken_back', COALESCE(quantity, link.quantity), 'at', link.at, 'reason', reason));
  RETURN CASE WHEN quantity < link.quantity THEN link.quantity - quantity END;
END
$$;
COMMENT ON FUNCTION lot_unuse(bigint, bigint, text, numeric) IS
  'Takes back a use of a lot in another that was recorded by mistake, or a part of its quantity, with a ledger entry, and gives what is left (null: no use); P0002 where none is recorded, 22003 for more than was used; what an EPCIS event said stays';

CREATE FUNCTION lot_move(lot_id bigint, kind text, quantity numeric DEFAULT NULL, at timestamptz DEFAULT now(),
                         merchant_id text DEFAULT NULL, party text DEFAULT NULL, place text DEFAULT NULL,
                         order_id text DEFAULT NULL, note text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  kinds constant text[] := '{made,received,inspected,shipped,sold,returned,repaired,destroyed,counted,observed}';
  moved bigint;
BEGIN
  IF NOT COALESCE(kind = ANY (kinds), false) THEN
    RAISE EXCEPTION 'unknown kind "%" of event', kind USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Kinds are %s.', array_to_string(kinds, ', '));
  END IF;
  PERFORM quality_gov.instant_require(at, 'at');
  -- A count may find nothing.
  IF NOT (kind = 'counted' AND COALESCE(quantity = 0, false)) THEN
    PERFORM quality_gov.quantity_require(quantity, 'quantity');
  END IF;
  IF kind = 'counted' AND quantity IS NULL THEN
    RAISE EXCEPTION 'a count needs a quantity' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF merchant_id IS NOT NULL THEN
    PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = lot_move.merchant_id FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
    END IF;
  END IF;
  PERFORM quality_gov.lot_require(lot_id);
  INSERT INTO quality_gov.lot_event (lot_id, kind, at, quantity, merchant_id, party, place, order_id, note)
  VALUES (lot_id, kind, at, quantity, merchant_id, party, place, order_id, note) RETURNING event_id INTO moved;
  RETURN moved;
END
$$;
COMMENT ON FUNCTION lot_move(bigint, text, numeric, timestamptz, text, text, text, text, text) IS
  'Says what happened to a lot (lot_event) and gives the event''s id; quantity is in the lot''s unit, null where unknown; P0002 for a lot or merchant that does not exist, 22023 for an unknown kind, 22003 for a quantity that is none';

CREATE FUNCTION lot_event_void(lot_id bigint, event_id bigint, reason text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  event quality_gov.lot_event;
  void_id bigint;
BEGIN
  PERFORM quality_gov.text_require(reason, 'reason');
  SELECT * INTO event FROM quality_gov.lot_event e
  WHERE e.lot_id = lot_event_void.lot_id AND e.event_id = lot_event_void.event_id FOR UPDATE;
  IF event.event_id IS NULL THEN
    RAISE EXCEPTION 'lot % has no event %', COALESCE(lot_id::text, 'null'), COALESCE(event_id::text, 'null')
      USING ERRCODE = 'no_data_found';
  END IF;
  IF event.source <> 0 THEN
    RAISE EXCEPTION 'event % of lot % comes from an EPCIS event', event_id, lot_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Capture the error declaration of that event.';
  END IF;
  IF event.voids IS NOT NULL
     OR EXISTS (SELECT FROM quality_gov.lot_event v WHERE v.lot_id = event.lot_id AND v.voids = event.event_id) THEN
    RAISE EXCEPTION 'event % of lot % %', event_id, lot_id,
      CASE WHEN event.voids IS NOT NULL THEN 'takes another one back itself' ELSE 'was taken back already' END
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  INSERT INTO quality_gov.lot_event (lot_id, kind, at, quantity, merchant_id, note, voids)
  VALUES (event.lot_id, event.kind, event.at, event.quantity, event.merchant_id, reason, event.event_id)
  RETURNING lot_event.event_id INTO void_id;
  PERFORM quality_gov.ledger_record('lot_event_void', 'lot ' || lot_id, jsonb_build_object('event_id', event_id,
    'kind', event.kind, 'at', event.at, 'quantity', event.quantity, 'reason', reason));
  RETURN void_id;
END
$$;
COMMENT ON FUNCTION lot_event_void(bigint, bigint, text) IS
  'Takes back what was said to have happened to a lot, with a ledger entry, and gives the id of the void; P0002 where there is no such event, 55000 where it was taken back already or comes from an EPCIS event';

CREATE FUNCTION lot_item_add(lot_id bigint, serials text[]) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  parent quality_gov.lot;
  other record;
  added bigint;
BEGIN
  IF serials IS NULL OR EXISTS (SELECT FROM unnest(serials) s WHERE COALESCE(btrim(s), '') = '') THEN
    RAISE EXCEPTION 'serials must be an array of serial numbers without null or empty ones'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  LOCK TABLE quality_gov.gtin_alias IN ROW EXCLUSIVE MODE;
  parent := quality_gov.lot_require(lot_id);
  INSERT INTO quality_gov.lot_item (gtin, serial, lot_id)
  SELECT parent.gtin, s, parent.lot_id FROM unnest(serials) s ON CONFLICT ON CONSTRAINT lot_item_pkey DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  SELECT i.serial, l.lot_code, l.lot_id INTO other
  FROM quality_gov.lot_item i JOIN quality_gov.lot l ON l.lot_id = i.lot_id
  WHERE i.gtin = parent.gtin AND i.serial = ANY (serials) AND i.lot_id <> parent.lot_id ORDER BY i.serial LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'serial number "%" of GTIN % is of lot "%" (%), not of lot "%" (%)', other.serial, parent.gtin,
      other.lot_code, other.lot_id, parent.lot_code, parent.lot_id USING ERRCODE = 'unique_violation';
  END IF;
  RETURN added;
END
$$;
COMMENT ON FUNCTION lot_item_add(bigint, text[]) IS
  'Says which serial numbers are of a lot and gives how many were new; one that is of another lot is refused (23505), P0002 for a lot that does not exist';
