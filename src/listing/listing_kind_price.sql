
-- listing: deal prices, and rule kind price

CREATE TABLE listing_deal (
  merchant_id text NOT NULL,
  deal_id bigint GENERATED ALWAYS AS IDENTITY,
  item text NOT NULL,
  at timestamptz NOT NULL,
  price numeric NOT NULL,
  ref text,
  CONSTRAINT listing_deal_pkey PRIMARY KEY (merchant_id, deal_id),
  CONSTRAINT listing_deal_at CHECK (isfinite(at)),
  CONSTRAINT listing_deal_price CHECK (price >= 0 AND price < 'Infinity')
);
CREATE INDEX listing_deal_item ON listing_deal (merchant_id, item, at, price);
COMMENT ON TABLE listing_deal IS
  'Prices at which a shop''s items were sold (Order 56 art 16), by the platform''s listing_id as item; append-only, deal_retire() lets go of old ones';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_deal', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_deal_deal_id_seq', '');
CREATE TRIGGER listing_deal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listing_deal
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE listing_deal ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_deal_read ON listing_deal FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
CREATE POLICY listing_deal_write ON listing_deal FOR INSERT WITH CHECK ((SELECT session_administers()));

CREATE FUNCTION listing_deal_row() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_listing_deal_row' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION listing_deal_row() IS
  'Trigger of deal_attach(): records the price of a row of the platform''s order table when it becomes a deal';

CREATE FUNCTION deal_attach(relation regclass, columns jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.mapping_check(relation, columns, '{merchant_id,item,price}', jsonb_build_object(
    'price', '["smallint", "integer", "bigint", "real", "double precision", "numeric"]'::jsonb,
    'at', '["timestamp with time zone"]'::jsonb, 'done', '["boolean"]'::jsonb, 'ref', '[]'::jsonb), true);
  PERFORM quality_gov.guard_attach(relation, 'deal', columns, '{}',
    ARRAY[CASE WHEN columns ? 'done' THEN 'row AFTER INSERT OR UPDATE:listing_deal_row' ELSE 'row AFTER INSERT:listing_deal_row' END]);
END
$$;
COMMENT ON FUNCTION deal_attach(regclass, jsonb) IS
  'Records deal prices from a platform''s order table. columns maps merchant_id, item (the listing_id), price and optionally at, ref, done (boolean: the row is a deal from when it is true); later changes of price are not followed; takes a SHARE ROW EXCLUSIVE lock';

CREATE FUNCTION deal_retire(before timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  retired bigint;
BEGIN
  before := quality_gov.retention_bound('deals', before);
  PERFORM quality_gov.append_only_lift('quality_gov.listing_deal');
  -- The last deal of an item bounds its compared price however old it is.
  DELETE FROM quality_gov.listing_deal d
  WHERE d.at < before
    AND EXISTS (SELECT FROM quality_gov.listing_deal later WHERE later.merchant_id = d.merchant_id
                AND later.item = d.item AND (later.at, later.deal_id) > (d.at, d.deal_id) AND later.at < before);
  GET DIAGNOSTICS retired = ROW_COUNT;
  PERFORM quality_gov.append_only_lift(0::regclass);
  PERFORM quality_gov.ledger_record('deal_retire', 'listing_deal', jsonb_build_object('before', before, 'deals', retired));
  RETURN retired;
END
$$;
COMMENT ON FUNCTION deal_retire(timestamptz) IS
  'Deletes deals older than the retention period (three years), except each item''s last before it, and gives their number';

CREATE FUNCTION rule_price_params_valid(params jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN params_check(params, '{"compared": "text?", "meaning": "text?", "item": "text?"}');
COMMENT ON FUNCTION rule_price_params_valid(jsonb) IS
  'What is wanted of params of kind price: all optional, names of the struck-through price "compared" (list_price), its "meaning" (list_price_meaning), the "item" of deals (listing_id); null where all is well';

CREATE FUNCTION deal_bound(merchant text, item text, at timestamptz, OUT price numeric, OUT deals text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  days integer;
BEGIN
  SELECT f.value INTO days FROM legal_figure f WHERE f.figure = 'compared_price_days' AND f.effect @> deal_bound.at
  ORDER BY f.builtin LIMIT 1;
  IF days IS NULL THEN
    RETURN;
  END IF;
  SELECT min(d.price) INTO price FROM listing_deal d
  WHERE d.merchant_id = merchant AND d.item = deal_bound.item AND d.at >= deal_bound.at - make_interval(hours => 24 * days)
    AND d.at < deal_bound.at;
  deals := format('lowest of %s days', days);
  IF price IS NULL THEN
    SELECT d.price INTO price FROM listing_deal d
    WHERE d.merchant_id = merchant AND d.item = deal_bound.item AND d.at < deal_bound.at
    ORDER BY d.at DESC, d.price LIMIT 1;
    deals := 'last';
  END IF;
END
$$;
COMMENT ON FUNCTION deal_bound(text, text, timestamptz) IS
  'Price that an undetailed compared price must not exceed (Order 56 art 16): the lowest deal of the days before (seven, exactly that long ago included), else the last deal; null where there was none or the law was not in force';

CREATE FUNCTION rule_price(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  shown text;
  compared numeric;
  item text := listing_value(listing, COALESCE(params ->> 'item', 'listing_id'));
  meaning text := listing_value(listing, COALESCE(params ->> 'meaning', 'list_price_meaning'));
  bound record;
BEGIN
  field := COALESCE(params ->> 'compared', 'list_price');
  shown := listing_value(listing, field);
  -- Without a compared price there is no comparison; one whose meaning is stated is detailed.
  IF shown IS NULL THEN
    RETURN;
  END IF;
  IF name_key(meaning) IS NOT NULL THEN
    RETURN QUERY SELECT 'pass', field, NULL::text, jsonb_build_object('meaning', meaning);
    RETURN;
  END IF;
  compared := listing_amount(shown);
  IF compared IS NULL OR item IS NULL THEN
    RETURN QUERY SELECT 'missing', field, CASE WHEN item IS NULL THEN 'the listing has no identifier to find its deals by'
      ELSE format('"%s" is not an amount', left(shown, 40)) END,
      jsonb_build_object('failed', CASE WHEN item IS NULL THEN 'item' ELSE 'amount' END, 'shown', left(shown, 40));
    RETURN;
  END IF;
  SELECT * INTO bound FROM deal_bound(listing_value(listing, 'merchant_id'), item, at);
  IF bound.price IS NULL THEN
    -- Art 16 gives no bound without a deal, and art 17 forbids a price without a basis: a person must see it.
    RETURN QUERY SELECT 'missing', field, format('compared price %s is not explained, and no deal of these goods is known', compared),
      jsonb_build_object('failed', 'deal', 'compared', compared, 'legal_basis', 'Order 56 art 17');
  ELSIF compared > bound.price THEN
    RETURN QUERY SELECT 'violation', field,
      format('compared price %s is above %s, the %s', compared, bound.price,
             CASE bound.deals WHEN 'last' THEN 'price of the last deal' ELSE replace(bound.deals, 'lowest', 'lowest deal') END),
      jsonb_build_object('compared', compared, 'bound', bound.price, 'deals', bound.deals);
  ELSE
    RETURN QUERY SELECT 'pass', field, NULL::text, jsonb_build_object('compared', compared, 'bound', bound.price, 'deals', bound.deals);
  END IF;
END
$$;
COMMENT ON FUNCTION rule_price(jsonb, jsonb, timestamptz) IS
  'Rule kind price: a struck-through price whose meaning is not stated is not above the lowest deal of the shop in the seven days before, else the last deal (Order 56 art 16); no deal ever is a missing value';

-- listing: rule kind signal

CREATE FUNCTION rule_signal_params_valid(params jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN params_check(params, '{"field": "text", "model": "text", "version": "text", "threshold": "number", "above": "boolean?",
                                "may_deny": "boolean?"}');
COMMENT ON FUNCTION rule_signal_params_valid(jsonb) IS
  'What is wanted of params of kind signal: {"field", "model", "version", "threshold", and optionally "above" (true), "may_deny"}; null where all is well';

CREATE FUNCTION rule_signal(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  shown text;
  score numeric;
  threshold numeric := (params ->> 'threshold')::numeric;
  above boolean := COALESCE((params ->> 'above')::boolean, true);
BEGIN
  field := params ->> 'field';
  shown := listing_value(listing, field);
  score := listing_amount(shown);
  detail := jsonb_build_object('model', params ->> 'model', 'version', params ->> 'version', 'threshold', threshold,
                               'above', above, 'score', score)
    || CASE WHEN score IS NULL THEN '{"missing": true}' ELSE '{}' END::jsonb;
  outcome := CASE WHEN score IS NULL THEN 'missing'
                  WHEN above AND score >= threshold OR NOT above AND score <= threshold THEN 'violation' ELSE 'pass' END;
  message := CASE outcome WHEN 'missing' THEN CASE WHEN shown IS NULL THEN format('no score of model "%s"', params ->> 'model')
                                                   ELSE format('"%s" is not a score of model "%s"', left(shown, 40), params ->> 'model') END
    WHEN 'violation' THEN format('score %s of model "%s" version %s is not %s %s', score, params ->> 'model', params ->> 'version',
                                 CASE WHEN above THEN 'below' ELSE 'above' END, threshold) END;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION rule_signal(jsonb, jsonb, timestamptz) IS
  'Rule kind signal: the mapped score of an outside model reaches the threshold; the finding records model, version, threshold and score';

ALTER TABLE listing_rule ADD CONSTRAINT listing_rule_signal CHECK (
  kind <> 'signal' OR params @> '{"may_deny": true}' OR verdict <> 'deny' AND on_missing IS DISTINCT FROM 'deny');
