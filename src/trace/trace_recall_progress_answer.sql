
-- trace: what came of the goods: what buyers did, and how goods were disposed of

CREATE TABLE recall_response (
  recall_id bigint NOT NULL,
  response_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  quantity numeric NOT NULL,
  at timestamptz NOT NULL,
  gtin gtin NOT NULL,
  lot_code text,
  serial text,
  merchant_id text,
  order_id text,
  line text,
  product text,
  specification text,
  made_on date,
  producer text,
  returner text,
  note text,
  voids bigint,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT recall_response_pkey PRIMARY KEY (recall_id, response_id),
  CONSTRAINT recall_response_kind CHECK (kind IN ('confirmed', 'warned', 'repaired', 'exchanged', 'returned', 'refunded', 'destroyed')),
  CONSTRAINT recall_response_quantity CHECK (quantity > 0 AND quantity < 'Infinity'),
  CONSTRAINT recall_response_at CHECK (isfinite(at)),
  CONSTRAINT recall_response_line CHECK (num_nonnulls(merchant_id, order_id, line) IN (0, 3)),
  CONSTRAINT recall_response_serial CHECK (serial IS NULL OR quantity = 1)
);
CREATE UNIQUE INDEX recall_response_voids ON recall_response (recall_id, voids) WHERE voids IS NOT NULL;
CREATE INDEX recall_response_order ON recall_response (merchant_id, order_id, line) WHERE order_id IS NOT NULL;
CREATE INDEX recall_response_item ON recall_response (gtin, serial) WHERE serial IS NOT NULL;
COMMENT ON TABLE recall_response IS
  'What buyers did in a recall, with the fields of a return record (食品召回管理办法, Order 122, art 23: name, specification, quantity, batch, production date, producer, return date), append-only; a row with voids takes back the response it names. It is beside order lines and lot_event, which stay as they are';
COMMENT ON COLUMN recall_response.kind IS
  'confirmed: has read the notice; what came of the unit, one of: warned (a warning added or corrected), repaired, exchanged, returned (for its price), refunded (not sent back), destroyed (by the buyer)';
COMMENT ON COLUMN recall_response.returner IS
  'The platform''s own reference of who gave the goods back, under which it keeps name, address and contact: personal data stays out of an append-only table';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_response', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_response_response_id_seq', '');
CREATE TRIGGER recall_response_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_response
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE recall_response ENABLE ROW LEVEL SECURITY;
CREATE POLICY recall_response_read ON recall_response FOR SELECT
  USING ((SELECT session_has_role('{quality_gov_admin,quality_gov_regulator}'))
         OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE VIEW recall_response_standing WITH (security_barrier, security_invoker) AS
  SELECT r.* FROM recall_response r
  WHERE r.voids IS NULL AND NOT EXISTS (SELECT FROM recall_response v WHERE v.recall_id = r.recall_id AND v.voids = r.response_id);
COMMENT ON VIEW recall_response_standing IS 'What buyers did in recalls, without what was taken back';

CREATE FUNCTION recall_anew(recall_id bigint, at timestamptz) RETURNS timestamptz
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE(max(s.at), '-infinity') FROM recall_step s
  WHERE s.recall_id = recall_anew.recall_id AND s.state = 're_recall' AND s.at <= recall_anew.at;
END;
COMMENT ON FUNCTION recall_anew(bigint, timestamptz) IS
  'When goods were last recalled anew, by an instant, or -infinity: who only confirmed before, and what was only warned of or repaired, counts no more, since the remedy proved insufficient (Order 19 art 22), as recall_release_period() has it';

CREATE FUNCTION recall_response_line(recall_id bigint, merchant_id text, order_id text, line text, gtin gtin, serial text) RETURNS sale
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  found_line quality_gov.sale;
BEGIN
  IF recall_response_line.order_id IS NULL AND recall_response_line.serial IS NOT NULL THEN
    SELECT s.merchant_id, s.order_id, s.line
    INTO recall_response_line.merchant_id, recall_response_line.order_id, recall_response_line.line
    FROM quality_gov.sale s
    WHERE s.gtin IN (SELECT quality_gov.gtin_current(recall_response_line.gtin)
                     UNION SELECT a.old FROM quality_gov.gtin_alias a WHERE a.gtin = quality_gov.gtin_current(recall_response_line.gtin))
      AND s.serial = recall_response_line.serial AND s.state <> 'cancelled'
    ORDER BY s.sold_at DESC LIMIT 1;
  END IF;
  IF recall_response_line.order_id IS NULL THEN
    -- Without an order line the recall itself is what two sessions wait for each other at.
    UPDATE quality_gov.recall r SET title = r.title WHERE r.recall_id = recall_response_line.recall_id;
    RETURN NULL;
  END IF;
  -- A write, not only a lock, so that a repeatable read that waited does not count by a stale state.
  UPDATE quality_gov.sale s SET quantity = s.quantity
  WHERE s.merchant_id = recall_response_line.merchant_id AND s.order_id = recall_response_line.order_id
    AND s.line = COALESCE(recall_response_line.line, '') RETURNING s.* INTO found_line;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'order "%" of merchant "%" has no line "%"', recall_response_line.order_id, recall_response_line.merchant_id,
      COALESCE(recall_response_line.line, '') USING ERRCODE = 'no_data_found',
      HINT = (SELECT COALESCE('Its lines are ' || string_agg(quote_literal(s.line), ', ' ORDER BY s.line) || '.',
                              'No sale of that order is recorded: quality_gov.sale_attach() and sale_record() record sales.')
              FROM quality_gov.sale s
              WHERE s.merchant_id = recall_response_line.merchant_id AND s.order_id = recall_response_line.order_id);
  END IF;
  IF found_line.state = 'cancelled' THEN
    RAISE EXCEPTION 'order "%" of merchant "%" was cancelled', found_line.order_id, found_line.merchant_id
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN found_line;
END
$$;
COMMENT ON FUNCTION recall_response_line(bigint, text, text, text, gtin, text) IS
  'The order line that a response is about, by its key or the serial number sold on it, locked; null where it is about none, and then the recall is locked; recall_response_add() calls it';

CREATE FUNCTION recall_response_refuse(r recall_response, sold sale) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  before numeric;
BEGIN
  IF NOT quality_gov.recall_extent_covers(quality_gov.recall_extent_of(r.recall_id), r.gtin, r.lot_code, r.serial) THEN
    RAISE EXCEPTION 'GTIN %, lot %, serial number % is not in the scope of recall %', r.gtin, COALESCE(r.lot_code, 'unknown'),
      COALESCE(r.serial, 'unknown'), r.recall_id USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- A unit goes one way: what left the buyer in any recall is gone, what was made safe in this one is dealt with.
  IF r.serial IS NOT NULL AND EXISTS (
       SELECT FROM quality_gov.recall_response_standing x
       WHERE x.gtin = ANY (quality_gov.gtin_names(r.gtin)) AND x.serial = r.serial AND (x.kind = 'confirmed') = (r.kind = 'confirmed')
         AND (x.recall_id = r.recall_id AND x.at >= quality_gov.recall_anew(r.recall_id, r.at)
              OR x.kind IN ('exchanged', 'returned', 'refunded', 'destroyed'))) THEN
    RAISE EXCEPTION 'serial number "%" of GTIN % has been dealt with already', r.serial, r.gtin USING ERRCODE = 'unique_violation',
      HINT = 'Take the earlier response back with quality_gov.recall_response_void() where this one takes its place.';
  END IF;
  IF sold.order_id IS NULL THEN
    RETURN;
  END IF;
  SELECT COALESCE(sum(x.quantity), 0) INTO before FROM quality_gov.recall_response_standing x
  WHERE x.merchant_id = sold.merchant_id AND x.order_id = sold.order_id AND x.line = sold.line
    AND (x.kind = 'confirmed') = (r.kind = 'confirmed')
    AND (x.recall_id = r.recall_id AND x.at >= quality_gov.recall_anew(r.recall_id, r.at)
         OR x.kind IN ('exchanged', 'returned', 'refunded', 'destroyed'));
  IF before + r.quantity > sold.quantity THEN
    RAISE EXCEPTION 'line "%" of order "%" has % sold, % dealt with already, so not % more', sold.line, sold.order_id,
      sold.quantity, before, r.quantity USING ERRCODE = 'check_violation',
      HINT = 'Take an earlier response back with quality_gov.recall_response_void() where this one takes its place.';
  END IF;
  IF r.at < sold.sold_at THEN
    RAISE EXCEPTION 'line "%" of order "%" was sold at %, not yet at %', sold.line, sold.order_id, sold.sold_at, r.at
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION recall_response_refuse(recall_response, sale) IS
  'Refuses a response to goods outside the recall, of a unit that was dealt with already, of more units than the order line sold, or before the sale; recall_response_add() calls it';

CREATE FUNCTION recall_response_add(recall_id bigint, kind text, quantity numeric DEFAULT 1, merchant_id text DEFAULT NULL,
    order_id text DEFAULT NULL, line text DEFAULT NULL, gtin gtin DEFAULT NULL, lot_code text DEFAULT NULL, serial text DEFAULT NULL,
    at timestamptz DEFAULT now(), returner text DEFAULT NULL, product text DEFAULT NULL, specification text DEFAULT NULL,
    made_on date DEFAULT NULL, producer text DEFAULT NULL, note text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  sold quality_gov.sale;
  batch quality_gov.lot;
  r quality_gov.recall_response;
BEGIN
  IF merchant_id IS NULL AND NOT quality_gov.session_acts_for(NULL, '{quality_gov_admin,quality_gov_app}') THEN
    RAISE EXCEPTION 'a merchant records responses to its own orders' USING ERRCODE = 'insufficient_privilege',
      HINT = 'Name merchant_id and order_id.';
  END IF;
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app}');
  IF kind IS NULL OR kind NOT IN ('confirmed', 'warned', 'repaired', 'exchanged', 'returned', 'refunded', 'destroyed') THEN
    RAISE EXCEPTION 'a response is confirmed, warned, repaired, exchanged, returned, refunded or destroyed, found %',
      COALESCE(quote_literal(kind), 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF quantity IS NULL OR NOT (quantity > 0 AND quantity < 'Infinity') OR serial IS NOT NULL AND quantity <> 1 THEN
    RAISE EXCEPTION 'a response is about a positive quantity, one where it names a serial number, found %',
      COALESCE(quantity::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a response needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF (merchant_id IS NULL) <> (order_id IS NULL) OR order_id IS NULL AND gtin IS NULL THEN
    RAISE EXCEPTION 'a response names an order line (merchant_id, order_id, line) or goods (gtin and lot_code or serial)'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM FROM quality_gov.recall c WHERE c.recall_id = recall_response_add.recall_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  sold := quality_gov.recall_response_line(recall_id, merchant_id, order_id, line, gtin, serial);
  IF quality_gov.gtin_current(gtin) <> quality_gov.gtin_current(sold.gtin) OR lot_code <> sold.lot_code OR serial <> sold.serial THEN
    RAISE EXCEPTION 'line "%" of order "%" sold GTIN %, lot %, serial number %, not GTIN %, lot %, serial number %', sold.line, sold.order_id,
      sold.gtin, COALESCE(sold.lot_code, 'unknown'), COALESCE(sold.serial, 'unknown'), COALESCE(gtin, sold.gtin),
      COALESCE(lot_code, sold.lot_code, 'unknown'), COALESCE(serial, sold.serial, 'unknown') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  gtin := COALESCE(sold.gtin, gtin);
  serial := COALESCE(serial, CASE WHEN quantity = 1 THEN sold.serial END);
  lot_code := COALESCE(sold.lot_code, lot_code, (SELECT l.lot_code FROM quality_gov.lot_item i JOIN quality_gov.lot l ON l.lot_id = i.lot_id
                                                 WHERE i.gtin IN (gtin, quality_gov.gtin_current(gtin)) AND i.serial = recall_response_add.serial
                                                 ORDER BY i.gtin = gtin LIMIT 1));
  SELECT l.* INTO batch FROM quality_gov.lot l
  WHERE l.gtin IN (gtin, quality_gov.gtin_current(gtin)) AND l.lot_code = recall_response_add.lot_code LIMIT 1;
  r := ROW(recall_id, 0, kind, quantity, at, gtin, lot_code, serial, sold.merchant_id, sold.order_id, sold.line,
           COALESCE(product, sold.product), COALESCE(specification, sold.model), COALESCE(made_on, batch.made_on),
           COALESCE(producer, batch.producer), COALESCE(returner, sold.buyer), note, NULL, NULL);
  PERFORM quality_gov.recall_response_refuse(r, sold);
  RETURN quality_gov.recall_response_write(r);
END
$$;
COMMENT ON FUNCTION recall_response_add(bigint, text, numeric, text, text, text, gtin, text, text, timestamptz, text, text, text, date, text, text) IS
  'Records what a buyer did (recall_response.kind says what) and gives its response_id: of an order line, or of goods by GTIN and lot or serial number where no order is known. What is not given comes from the order line and the lot. Refuses more than the line sold (23514), a serial number dealt with already (23505), goods outside the recall (22023); a merchant records for its own orders (42501 for others)';

CREATE FUNCTION recall_response_write(r recall_response) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  INSERT INTO quality_gov.recall_response AS x (recall_id, kind, quantity, at, gtin, lot_code, serial, merchant_id, order_id, line, product,
    specification, made_on, producer, returner, note, voids)
  VALUES (r.recall_id, r.kind, r.quantity, r.at, r.gtin, r.lot_code, r.serial, r.merchant_id, r.order_id, r.line, r.product,
          r.specification, r.made_on, r.producer, r.returner, r.note, r.voids) RETURNING x.response_id INTO r.response_id;
  -- The record tells what happened to goods, and names nobody.
  PERFORM quality_gov.ledger_record('recall_response', 'recall ' || r.recall_id, jsonb_strip_nulls(
    to_jsonb(r) - '{recall_id,returner,recorded_at,product,specification,producer,made_on}'::text[]));
  RETURN r.response_id;
END
$$;
COMMENT ON FUNCTION recall_response_write(recall_response) IS
  'Writes a response with its ledger entry and gives its id; recall_response_add() and recall_response_void() call it';

CREATE FUNCTION recall_response_void(recall_id bigint, response_id bigint, reason text, at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  r quality_gov.recall_response;
BEGIN
  IF COALESCE(reason, '') !~ '\S' THEN
    RAISE EXCEPTION 'who takes a response back says why' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT x.* INTO r FROM quality_gov.recall_response x
  WHERE x.recall_id = recall_response_void.recall_id AND x.response_id = recall_response_void.response_id;
  PERFORM quality_gov.session_party_require(r.merchant_id, '{quality_gov_admin,quality_gov_app}');
  IF r.response_id IS NULL OR r.voids IS NOT NULL THEN
    RAISE EXCEPTION 'recall % has no response %', recall_id, response_id USING ERRCODE = 'no_data_found';
  END IF;
  IF at IS NULL OR NOT isfinite(at) OR at < r.at THEN
    RAISE EXCEPTION 'response % is of %, it can be taken back from then on', response_id, r.at
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- The recall after the order line, as who adds does; disposals wait here, too.
  UPDATE quality_gov.sale s SET quantity = s.quantity WHERE s.merchant_id = r.merchant_id AND s.order_id = r.order_id AND s.line = r.line;
  UPDATE quality_gov.recall c SET title = c.title WHERE c.recall_id = r.recall_id;
  IF EXISTS (SELECT FROM quality_gov.recall_response v WHERE v.recall_id = r.recall_id AND v.voids = r.response_id) THEN
    RAISE EXCEPTION 'response % of recall % was taken back already', response_id, recall_id
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF r.kind IN ('exchanged', 'returned') AND r.quantity > (
       SELECT f.held FROM quality_gov.recall_figures(ARRAY[ROW(r.gtin, r.lot_code, NULL, NULL, NULL, NULL, NULL)::quality_gov.recall_extent],
                                                     r.recall_id, 'infinity') f WHERE f.lot_code = r.lot_code) THEN
    RAISE EXCEPTION 'goods of response % were disposed of', response_id USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Take the disposal back first, with quality_gov.recall_disposal_void().';
  END IF;
  r.voids := r.response_id;
  r.at := at;
  r.note := reason;
  RETURN quality_gov.recall_response_write(r);
END
$$;
COMMENT ON FUNCTION recall_response_void(bigint, bigint, text, timestamptz) IS
  'Takes a response back, with the reason, and gives the id of the row that says so; once, and not while the goods are disposed of (55000)';
