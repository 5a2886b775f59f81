
-- trace: sales, from a platform's own order lines or said by an application

ALTER TABLE sale ENABLE ROW LEVEL SECURITY;
CREATE POLICY sale_read ON sale FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION row_written_since(row_xid xid, row_command cid, command cid) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_row_written_since' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION row_written_since(xid, cid, cid) IS
  'Whether the transaction itself wrote a row by its xmin and cmin, at a command or later';

CREATE FUNCTION sale_change() RETURNS trigger
  AS 'MODULE_PATHNAME', 'qg_sale_change' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sale_change() IS
  'Trigger of sale_attach(): writes the order lines of a statement to sale, all at once';

CREATE FUNCTION sale_attach(relation regclass, columns jsonb, states jsonb DEFAULT '{}') RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  ours constant text[] := '{open,shipped,delivered,returned,cancelled}';
  wrong text;
BEGIN
  PERFORM quality_gov.mapping_check(relation, columns, '{merchant_id,order_id}', jsonb_build_object(
    'line', '[]'::jsonb, 'gtin', '["gtin", "quality_gov.gtin", "text", "character varying", "character", "bigint"]'::jsonb,
    'lot', '[]'::jsonb, 'serial', '[]'::jsonb, 'product', '[]'::jsonb, 'model', '[]'::jsonb,
    'quantity', '["smallint", "integer", "bigint", "numeric", "real", "double precision"]'::jsonb, 'buyer', '[]'::jsonb,
    'at', '["timestamp with time zone"]'::jsonb, 'shipped_at', '["timestamp with time zone"]'::jsonb,
    'ship_from', '[]'::jsonb, 'state', '[]'::jsonb), true);
  IF jsonb_typeof(states) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'states must be a JSON object from the platform''s words to ours' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example {"paid": "open", "done": "delivered", "refunded": "returned", "*": "open"}.';
  END IF;
  SELECT s.key INTO wrong FROM jsonb_each(states) s WHERE NOT COALESCE(s.value #>> '{}' = ANY (ours), false) ORDER BY 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'states maps "%" to %', wrong, states -> wrong USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Our states are %s.', array_to_string(ours, ', '));
  END IF;
  IF states <> '{}' AND NOT columns ? 'state' THEN
    RAISE EXCEPTION 'states is given, and columns does not map state' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Rows that are one sale to us would overwrite each other; what lies inside jsonb cannot be looked into.
  IF NOT EXISTS (
       SELECT FROM pg_index i
       WHERE i.indrelid = relation AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
         -- Many lines without a name are one line to us.
         AND (i.indnullsnotdistinct OR NOT EXISTS (
           SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
             AND NOT a.attnotnull AND a.attname = (quality_gov.mapping_parse(columns ->> 'line')).column_name))
         AND NOT EXISTS (
           SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]) k
           JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = k
           WHERE NOT a.attname = ANY (ARRAY(SELECT (quality_gov.mapping_parse(c.value)).column_name FROM jsonb_each_text(columns) c
                                            WHERE c.key IN ('merchant_id', 'order_id', 'line')))
             -- A partitioned table's unique keys must hold what it is partitioned by.
             AND NOT EXISTS (SELECT FROM pg_partition_ancestors(relation) p
                             JOIN pg_partitioned_table t ON t.partrelid = p.relid
                             JOIN pg_attribute k ON k.attrelid = t.partrelid AND k.attnum = ANY (t.partattrs)
                             WHERE k.attname = a.attname)))
     AND NOT EXISTS (SELECT FROM jsonb_each_text(columns) c WHERE c.key IN ('merchant_id', 'order_id', 'line')
                       AND (quality_gov.mapping_parse(c.value)).path <> '{}') THEN
    RAISE EXCEPTION 'nothing makes merchant, order and line of table "%" unique', relation USING ERRCODE = 'invalid_parameter_value',
      DETAIL = 'Two of its rows could be one sale, and the second would overwrite the first.',
      HINT = 'Map "line" to a column that tells the lines of an order apart and is never null, and let a primary key or unique index be of no other columns.';
  END IF;
  PERFORM quality_gov.guard_attach(relation, 'sale', columns,
    COALESCE((SELECT jsonb_object_agg('state ' || s.key, s.value) FROM jsonb_each(states) s), '{}'),
    ARRAY['insert AFTER INSERT:sale_change:STATEMENT:NEW TABLE AS quality_gov_new',
          'update AFTER UPDATE:sale_change:STATEMENT:OLD TABLE AS quality_gov_old NEW TABLE AS quality_gov_new',
          'delete AFTER DELETE:sale_change:STATEMENT:OLD TABLE AS quality_gov_old']);
END
$$;
COMMENT ON FUNCTION sale_attach(regclass, jsonb, jsonb) IS
  'Makes sales of the rows of a platform''s order-line table and follows them. columns maps merchant_id, order_id and optionally line, gtin, lot, serial, product, model, quantity, buyer, at, shipped_at, ship_from, state; states maps the platform''s words for a state to ours ("*": every other word, open by default). A row without merchant or order, or of a quantity not above 0, is no sale; a deleted one is cancelled, unless it was delivered or returned. Rows already there: sale_backfill(). Takes a SHARE ROW EXCLUSIVE lock';

CREATE FUNCTION sale_write(sales jsonb, replace boolean) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  written bigint;
BEGIN
  INSERT INTO quality_gov.sale AS s (merchant_id, order_id, line, gtin, lot_code, serial, product, model, quantity, buyer,
                                     sold_at, shipped_at, ship_from, state)
  SELECT g ->> 'merchant_id', g ->> 'order_id', COALESCE(g ->> 'line', ''), quality_gov.gtin_try(g ->> 'gtin'), g ->> 'lot',
         g ->> 'serial', g ->> 'product', g ->> 'model', COALESCE((g ->> 'quantity')::numeric, 1), g ->> 'buyer',
         COALESCE((g ->> 'at')::timestamptz, now()), (g ->> 'shipped_at')::timestamptz, g ->> 'ship_from',
         COALESCE(g ->> 'state', CASE WHEN g ->> 'shipped_at' IS NULL THEN 'open' ELSE 'shipped' END)
  FROM jsonb_array_elements(sales) g
  ON CONFLICT ON CONSTRAINT sale_pkey DO NOTHING;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF NOT replace OR written = jsonb_array_length(sales) THEN
    RETURN written;
  END IF;
  -- What is not said stays as it is.
  UPDATE quality_gov.sale s
  SET gtin = CASE WHEN g ? 'gtin' THEN quality_gov.gtin_try(g ->> 'gtin') ELSE s.gtin END,
      lot_code = CASE WHEN g ? 'lot' THEN g ->> 'lot' ELSE s.lot_code END,
      serial = CASE WHEN g ? 'serial' THEN g ->> 'serial' ELSE s.serial END,
      product = CASE WHEN g ? 'product' THEN g ->> 'product' ELSE s.product END,
      model = CASE WHEN g ? 'model' THEN g ->> 'model' ELSE s.model END,
      quantity = COALESCE((g ->> 'quantity')::numeric, s.quantity),
      buyer = CASE WHEN g ? 'buyer' THEN g ->> 'buyer' ELSE s.buyer END,
      sold_at = COALESCE((g ->> 'at')::timestamptz, s.sold_at),
      shipped_at = CASE WHEN g ? 'shipped_at' THEN (g ->> 'shipped_at')::timestamptz ELSE s.shipped_at END,
      ship_from = CASE WHEN g ? 'ship_from' THEN g ->> 'ship_from' ELSE s.ship_from END,
      state = COALESCE(g ->> 'state', CASE WHEN s.state = 'open' AND g ->> 'shipped_at' IS NOT NULL THEN 'shipped' ELSE s.state END),
      changed_at = now()
  FROM jsonb_array_elements(sales) g
  WHERE s.merchant_id = g ->> 'merchant_id' AND s.order_id = g ->> 'order_id' AND s.line = COALESCE(g ->> 'line', '');
  RETURN jsonb_array_length(sales);
END
$$;
COMMENT ON FUNCTION sale_write(jsonb, boolean) IS
  'Writes sales that were looked at before; those that are there are brought up to date or left alone; gives the number written';

CREATE FUNCTION sale_record(sales jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  given record;
  lacking text;
BEGIN
  sales := CASE jsonb_typeof(sales) WHEN 'object' THEN jsonb_build_array(sales) ELSE sales END;
  PERFORM quality_gov.items_require(sales, 'sales');
  FOR given IN SELECT s.value AS sale, format('sale %s of sales', s.n) AS what FROM jsonb_array_elements(sales) WITH ORDINALITY AS s(value, n) LOOP
    PERFORM quality_gov.fields_require(given.sale,
      '{merchant_id,order_id,line,gtin,lot,serial,product,model,quantity,buyer,at,shipped_at,ship_from,state}', given.what);
    PERFORM quality_gov.text_require(given.sale ->> 'merchant_id', '"merchant_id" of ' || given.what);
    PERFORM quality_gov.text_require(given.sale ->> 'order_id', '"order_id" of ' || given.what);
    PERFORM quality_gov.quantity_require((given.sale ->> 'quantity')::numeric, '"quantity" of ' || given.what);
    IF NOT COALESCE(isfinite((given.sale ->> 'at')::timestamptz), true) THEN
      RAISE EXCEPTION '"at" of % must be finite', given.what USING ERRCODE = 'datetime_field_overflow';
    END IF;
    IF NOT COALESCE(given.sale ->> 'state' IN ('open', 'shipped', 'delivered', 'returned', 'cancelled'), true) THEN
      RAISE EXCEPTION 'unknown state "%" of %', given.sale ->> 'state', given.what USING ERRCODE = 'invalid_parameter_value',
        HINT = 'States are open, shipped, delivered, returned and cancelled.';
    END IF;
    IF given.sale ->> 'gtin' IS NOT NULL AND quality_gov.gtin_try(given.sale ->> 'gtin') IS NULL THEN
      RAISE EXCEPTION '"gtin" of % is "%", which is no GTIN', given.what, given.sale ->> 'gtin' USING ERRCODE = 'invalid_text_representation';
    END IF;
  END LOOP;
  SELECT string_agg(DISTINCT quote_ident(s ->> 'merchant_id'), ', ') INTO lacking FROM jsonb_array_elements(sales) s
  WHERE NOT EXISTS (SELECT FROM quality_gov.merchant m WHERE m.merchant_id = s ->> 'merchant_id');
  IF lacking IS NOT NULL THEN
    RAISE EXCEPTION 'merchant % does not exist', lacking USING ERRCODE = 'no_data_found';
  END IF;
  RETURN quality_gov.sale_write(sales, true);
END
$$;
COMMENT ON FUNCTION sale_record(jsonb) IS
  'Records sales, or brings them up to date by merchant, order and line, for applications that attach no table: one object or an array of {"merchant_id", "order_id", "line", "gtin", "lot", "serial", "product", "model", "quantity", "buyer", "at", "shipped_at", "ship_from", "state"}; what is not given stays; gives their number; P0002 for a merchant that does not exist';

CREATE FUNCTION sale_backfill(relation regclass) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
  -- Rows that a policy hides would be missing, and nobody would know.
  SET row_security = off
AS $$
DECLARE
  attached quality_gov.guard;
  expression text;
  word text;
  batch jsonb;
  written bigint := 0;
BEGIN
  SELECT * INTO attached FROM quality_gov.guard g WHERE g.relation = sale_backfill.relation AND g.kind = 'sale';
  IF attached.kind IS NULL THEN
    RAISE EXCEPTION 'table "%" is not attached', relation USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Attach it first with quality_gov.sale_attach(), so that no row is missed between.';
  END IF;
  -- As the trigger reads them: blank is nothing, and the number of a GTIN has lost the zeros it begins with.
  SELECT string_agg(format(CASE WHEN m.key IN ('at', 'shipped_at') THEN 'CASE WHEN isfinite(%1$s) THEN %1$s END AS %2$I'
                                WHEN m.key = 'quantity' THEN '%1$s AS %2$I'
                                WHEN m.key = 'state' THEN 'quality_gov.sale_word(%3$L, %1$s) AS %2$I'
                                ELSE 'CASE WHEN btrim(%1$s, E'' \t\r\n'') <> '''' THEN %1$s END AS %2$I' END,
           CASE WHEN m.key IN ('at', 'shipped_at', 'quantity') THEN format('t.%I', p.column_name)
                WHEN p.path <> '{}' THEN format(CASE WHEN m.value ~ '->>[^>]*$' THEN '(t.%I #>> %L::text[])' ELSE '(t.%I #> %L::text[])::text' END,
                                             p.column_name, p.path)
                WHEN m.key = 'gtin' AND a.atttypid = 'bigint'::regtype THEN format('lpad(t.%I::text, 14, ''0'')', p.column_name)
                ELSE format('t.%I::text', p.column_name) END, m.key, attached.options), ', ')
  INTO expression
  FROM jsonb_each_text(attached.mapping) m CROSS JOIN LATERAL quality_gov.mapping_parse(m.value) p
  JOIN pg_attribute a ON a.attrelid = relation AND a.attname = p.column_name;
  -- A lock on the row keeps it from being deleted between reading and writing.
  FOR batch IN EXECUTE format('WITH r AS MATERIALIZED (SELECT %s FROM %s AS t FOR KEY SHARE OF t),
      b AS (SELECT r.*, row_number() OVER () AS row_n FROM r WHERE r.merchant_id IS NOT NULL AND r.order_id IS NOT NULL %s)
    SELECT jsonb_agg(to_jsonb(b) - ''row_n'') FROM b GROUP BY b.row_n / 1000', expression, relation,
    CASE WHEN attached.mapping ? 'quantity' THEN 'AND COALESCE(r.quantity > 0, true)' ELSE '' END)
  LOOP
    written := written + quality_gov.sale_write(batch, false);
  END LOOP;
  RETURN written;
END
$$;
COMMENT ON FUNCTION sale_backfill(regclass) IS
  'Records the rows that an attached order-line table holds already and that are not recorded yet, and gives their number; again records nothing twice. Locks its rows FOR KEY SHARE; 55000 for a table that is not attached, 42501 for who sees only some of its rows (row security)';

CREATE FUNCTION sale_word(options jsonb, word text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN word IS NOT NULL THEN COALESCE(options ->> ('state ' || word),
    CASE WHEN word IN ('open', 'shipped', 'delivered', 'returned', 'cancelled') THEN word END, options ->> 'state *', 'open') END;
COMMENT ON FUNCTION sale_word(jsonb, text) IS
  'Our state for a platform''s word, by what sale_attach() was given; open for a word that nothing maps';

CREATE FUNCTION sale_retire(before timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  retired bigint;
BEGIN
  before := quality_gov.retention_bound('sales', before);
  DELETE FROM quality_gov.sale s
  WHERE s.sold_at < before AND s.changed_at < before AND s.state IN ('delivered', 'returned', 'cancelled');
  GET DIAGNOSTICS retired = ROW_COUNT;
  PERFORM quality_gov.ledger_record('sale_retire', 'sale', jsonb_build_object('before', before, 'sales', retired));
  RETURN retired;
END
$$;
COMMENT ON FUNCTION sale_retire(timestamptz) IS
  'Deletes sales that ended (delivered, returned, cancelled) and last changed longer ago than the retention period (three years, Order 110 art 7; 电子商务法 art 31), with a ledger entry, and gives their number; a later bound is refused (55000)';
