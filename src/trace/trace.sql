
-- trace: lots, what went into what, what happened to them, and what was sold of them

CREATE TABLE gtin_alias (
  old gtin NOT NULL,
  gtin gtin NOT NULL,
  reason text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT gtin_alias_pkey PRIMARY KEY (old),
  CONSTRAINT gtin_alias_gtin CHECK (old <> gtin)
);
COMMENT ON TABLE gtin_alias IS
  'Corrected item numbers: goods known under the old GTIN are goods of the new one; an alias never leads to another alias';
CREATE INDEX gtin_alias_current ON gtin_alias (gtin);
SELECT pg_catalog.pg_extension_config_dump('quality_gov.gtin_alias', '');

CREATE FUNCTION gtin_current(gtin gtin) RETURNS gtin
  LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT COALESCE((SELECT a.gtin FROM gtin_alias a WHERE a.old = gtin_current.gtin), gtin_current.gtin);
END;
COMMENT ON FUNCTION gtin_current(gtin) IS 'The GTIN that a GTIN stands for today: itself, unless it was corrected (gtin_alias)';

CREATE FUNCTION gtin_names(gtin gtin) RETURNS gtin[]
  LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT ARRAY(SELECT gtin_current(gtin_names.gtin)
               UNION ALL SELECT a.old FROM gtin_alias a WHERE a.gtin = gtin_current(gtin_names.gtin));
END;
COMMENT ON FUNCTION gtin_names(gtin) IS 'Every GTIN that goods of a GTIN may carry: the one of today first, then those that were corrected into it';

CREATE TABLE lot (
  lot_id bigint GENERATED ALWAYS AS IDENTITY,
  gtin gtin NOT NULL,
  lot_code text NOT NULL,
  producer text,
  merchant_id text,
  made_on date,
  expires_on date,
  quantity numeric,
  unit text,
  supplier_id text,
  CONSTRAINT lot_pkey PRIMARY KEY (lot_id),
  CONSTRAINT lot_gtin_lot_code UNIQUE (gtin, lot_code),
  CONSTRAINT lot_lot_code CHECK (lot_code <> ''),
  CONSTRAINT lot_quantity CHECK (quantity >= 0 AND quantity < 'Infinity'),
  CONSTRAINT lot_expires_on CHECK (expires_on >= made_on)
);
CREATE INDEX lot_supplier ON lot (supplier_id) WHERE supplier_id IS NOT NULL;
COMMENT ON TABLE lot IS
  'Production lots: GTIN and lot code (GS1 AI 01 and 10), producer, the merchant that sells it, the supplier it came from, dates, quantity made and its unit (UN/ECE Recommendation 20 code; null counts pieces)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot_lot_id_seq', '');

CREATE FUNCTION lot_find(gtin gtin, lot_code text) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT l.lot_id FROM lot l
  WHERE l.gtin IN (gtin_current(lot_find.gtin), lot_find.gtin) AND l.lot_code = lot_find.lot_code
  ORDER BY l.gtin = lot_find.gtin LIMIT 1;
END;
COMMENT ON FUNCTION lot_find(gtin, text) IS
  'The lot of a GTIN, also one that was corrected since (gtin_alias), and our lot code, or null; supplier_lot_find() knows the codes of suppliers';

CREATE TABLE lot_link (
  parent bigint NOT NULL,
  child bigint NOT NULL,
  source bigint NOT NULL DEFAULT 0,
  quantity numeric,
  at timestamptz,
  CONSTRAINT lot_link_pkey PRIMARY KEY (parent, child, source) INCLUDE (quantity),
  CONSTRAINT lot_link_child CHECK (child <> parent),
  CONSTRAINT lot_link_quantity CHECK (quantity > 0 AND quantity < 'Infinity')
);
CREATE INDEX lot_link_child_parent ON lot_link (child, parent) INCLUDE (quantity);
COMMENT ON TABLE lot_link IS
  'Which lot went into which: parent was used in child, how much of the parent (in its unit) and when; source is 0 or the EPCIS event that said so (epcis_event)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot_link', '');

CREATE TABLE lot_item (
  gtin gtin NOT NULL,
  serial text NOT NULL,
  lot_id bigint NOT NULL,
  source bigint NOT NULL DEFAULT 0,
  CONSTRAINT lot_item_pkey PRIMARY KEY (gtin, serial),
  CONSTRAINT lot_item_serial CHECK (serial <> '')
);
CREATE INDEX lot_item_lot ON lot_item (lot_id);
COMMENT ON TABLE lot_item IS 'Serial numbers (GS1 AI 21) of a lot, where items are numbered; source is 0 or the EPCIS event that said so (epcis_event)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot_item', '');

CREATE TABLE lot_event (
  lot_id bigint NOT NULL,
  event_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  at timestamptz NOT NULL,
  quantity numeric,
  merchant_id text,
  party text,
  place text,
  order_id text,
  note text,
  source bigint NOT NULL DEFAULT 0,
  voids bigint,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT lot_event_pkey PRIMARY KEY (lot_id, event_id),
  CONSTRAINT lot_event_kind CHECK (kind IN ('made', 'received', 'inspected', 'shipped', 'sold', 'returned', 'repaired',
                                            'destroyed', 'counted', 'observed')),
  CONSTRAINT lot_event_at CHECK (isfinite(at)),
  CONSTRAINT lot_event_quantity CHECK (quantity >= 0 AND quantity < 'Infinity')
);
CREATE UNIQUE INDEX lot_event_voids ON lot_event (lot_id, voids) WHERE voids IS NOT NULL;
CREATE INDEX lot_event_source ON lot_event (source) WHERE source <> 0;
COMMENT ON TABLE lot_event IS
  'What happened to a lot, append-only: quantity in the lot''s unit where known, who held it (merchant_id, party), where, under which order; source is 0 or the EPCIS event; a row with voids takes back the event it names';
COMMENT ON COLUMN lot_event.kind IS
  'made and destroyed change what exists; sold and returned what consumers hold; counted is a stock count; received, shipped, inspected, repaired and observed change no figure';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot_event', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot_event_event_id_seq', '');
CREATE TRIGGER lot_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lot_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE sale (
  merchant_id text NOT NULL,
  order_id text NOT NULL,
  line text NOT NULL DEFAULT '',
  gtin gtin,
  lot_code text,
  serial text,
  product text,
  model text,
  quantity numeric NOT NULL DEFAULT 1,
  buyer text,
  sold_at timestamptz NOT NULL,
  shipped_at timestamptz,
  ship_from text,
  state text NOT NULL DEFAULT 'open',
  changed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT sale_pkey PRIMARY KEY (merchant_id, order_id, line),
  CONSTRAINT sale_quantity CHECK (quantity > 0 AND quantity < 'Infinity'),
  CONSTRAINT sale_state CHECK (state IN ('open', 'shipped', 'delivered', 'returned', 'cancelled'))
);
CREATE INDEX sale_goods ON sale (gtin, lot_code);
CREATE INDEX sale_serial ON sale (gtin, serial) WHERE lot_code IS NULL AND serial IS NOT NULL;
COMMENT ON TABLE sale IS
  'Order lines, with the fields of a sales record (网络销售重点工业产品质量安全监督管理规定, Order 110, art 7): goods down to lot and serial, quantity, the platform''s own reference of the buyer, day of sale, where it was shipped from';
COMMENT ON COLUMN sale.state IS 'open (not shipped yet), shipped, delivered, returned or cancelled';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.sale', '');

CREATE VIEW lot_event_standing WITH (security_barrier) AS
  SELECT e.* FROM lot_event e
  WHERE e.voids IS NULL AND NOT EXISTS (SELECT FROM lot_event v WHERE v.lot_id = e.lot_id AND v.voids = e.event_id);
COMMENT ON VIEW lot_event_standing IS 'What happened to lots, without what was taken back';

CREATE VIEW lot_sale WITH (security_barrier) AS
  SELECT l.lot_id, x.* FROM lot l
  JOIN sale x ON x.gtin = ANY (ARRAY(SELECT l.gtin UNION ALL SELECT a.old FROM gtin_alias a WHERE a.gtin = l.gtin))
    AND x.lot_code = l.lot_code
  UNION ALL
  SELECT i.lot_id, x.* FROM lot_item i
  JOIN sale x ON x.gtin = ANY (ARRAY(SELECT i.gtin UNION ALL SELECT a.old FROM gtin_alias a WHERE a.gtin = i.gtin))
    AND x.serial = i.serial AND x.lot_code IS NULL AND x.serial IS NOT NULL;
COMMENT ON VIEW lot_sale IS
  'Order lines of each lot: those that name it, under its GTIN or one corrected into it, and those that name no lot and a serial number of it';

CREATE VIEW lot_balance WITH (security_barrier) AS
  SELECT l.lot_id, COALESCE(l.quantity, e.made) AS made, COALESCE(u.used, 0) AS used, COALESCE(u.unknown, 0) AS uses_unknown,
         COALESCE(s.sold, 0) + COALESCE(e.sold, 0) AS sold, COALESCE(s.returned, 0) + COALESCE(e.returned, 0) AS returned,
         COALESCE(e.destroyed, 0) AS destroyed, c.quantity AS counted, c.at AS counted_at
  FROM lot l
  -- Order lines carry the GTIN that the platform knew.
  CROSS JOIN LATERAL (
    SELECT ARRAY(SELECT l.gtin UNION ALL SELECT a.old FROM gtin_alias a WHERE a.gtin = l.gtin) AS gtins) n
  CROSS JOIN LATERAL (
    SELECT sum(k.quantity) AS used, count(*) FILTER (WHERE k.quantity IS NULL) AS unknown
    FROM lot_link k WHERE k.parent = l.lot_id) u
  CROSS JOIN LATERAL (
    SELECT sum(x.quantity) FILTER (WHERE x.state <> 'cancelled') AS sold,
           sum(x.quantity) FILTER (WHERE x.state = 'returned') AS returned,
           array_agg(DISTINCT x.order_id) AS orders, array_agg(DISTINCT x.merchant_id || E'\n' || x.order_id) AS lines
    FROM (
      SELECT y.quantity, y.state, y.merchant_id, y.order_id FROM sale y WHERE y.gtin = ANY (n.gtins) AND y.lot_code = l.lot_code
      UNION ALL
      SELECT y.quantity, y.state, y.merchant_id, y.order_id FROM lot_item i
      JOIN sale y ON y.gtin = ANY (n.gtins) AND y.serial = i.serial AND y.lot_code IS NULL AND y.serial IS NOT NULL
      WHERE i.lot_id = l.lot_id) x) s
  CROSS JOIN LATERAL (
    SELECT sum(v.quantity) FILTER (WHERE v.kind = 'made') AS made, sum(v.quantity) FILTER (WHERE v.kind = 'sold') AS sold,
           sum(v.quantity) FILTER (WHERE v.kind = 'returned') AS returned,
           sum(v.quantity) FILTER (WHERE v.kind = 'destroyed') AS destroyed
    FROM lot_event_standing v
    WHERE v.lot_id = l.lot_id
      -- What an order line of the platform says already is not counted again.
      AND NOT (v.kind IN ('sold', 'returned') AND v.order_id IS NOT NULL 
               AND COALESCE(v.merchant_id || E'\n' || v.order_id = ANY (s.lines), v.order_id = ANY (s.orders), false))) e
  LEFT JOIN LATERAL (
    SELECT v.quantity, v.at FROM lot_event_standing v WHERE v.lot_id = l.lot_id AND v.kind = 'counted'
    ORDER BY v.at DESC, v.event_id DESC LIMIT 1) c ON true;
COMMENT ON VIEW lot_balance IS
  'Quantities of each lot in its unit: made, used in other lots (uses_unknown: uses without a quantity), sold in all, returned, destroyed, and the latest stock count';
