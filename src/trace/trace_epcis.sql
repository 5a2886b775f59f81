
-- trace: EPCIS 2.0 events as they came, and what they say of lots

CREATE FUNCTION epcis_events(document jsonb, OUT ordinal integer, OUT path text, OUT event_id text, OUT digest bytea,
                             OUT type text, OUT event_time timestamptz, OUT zone text, OUT action text, OUT biz_step text,
                             OUT disposition text, OUT read_point text, OUT biz_location text, OUT party text,
                             OUT source_party text, OUT order_id text, OUT transformation_id text,
                             OUT error_declared boolean, OUT declared_at timestamptz, OUT made_on date, OUT expires_on date,
                             OUT context jsonb, OUT body jsonb) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_epcis_events' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION epcis_events(jsonb) IS
  'Events of an EPCIS 2.0 document (EPCISDocument, EPCISQueryDocument or one event with its context), checked and without storing anything; 22023 names the JSON path and what the standard wants there';

CREATE FUNCTION epcis_identifiers(document jsonb, OUT ordinal integer, OUT nth integer, OUT role text, OUT uri text,
                                  OUT epc text, OUT gtin gtin, OUT lot_code text, OUT serial text, OUT quantity numeric,
                                  OUT unit text, OUT born boolean) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_epcis_identifiers' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION epcis_identifiers(jsonb) IS
  'What the events of an EPCIS document are about: role (object, parent, child, input, output), URI as it came and in one spelling (epc), GTIN, lot and serial where it has them, quantity and unit (null counts pieces), whether it comes into being there; of a document that epcis_events() accepts';

CREATE TABLE epcis_event (
  event_no bigint GENERATED ALWAYS AS IDENTITY,
  event_id text NOT NULL,
  digest bytea NOT NULL,
  type text NOT NULL,
  event_time timestamptz NOT NULL,
  zone text NOT NULL,
  action text,
  biz_step text,
  disposition text,
  read_point text,
  biz_location text,
  party text,
  source_party text,
  order_id text,
  transformation_id text,
  error_declared boolean NOT NULL,
  declared_at timestamptz,
  made_on date,
  expires_on date,
  context jsonb,
  body jsonb NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT epcis_event_pkey PRIMARY KEY (event_no),
  CONSTRAINT epcis_event_digest CHECK (length(digest) = 32),
  CONSTRAINT epcis_event_declared_at CHECK (error_declared OR declared_at IS NULL),
  CONSTRAINT epcis_event_body CHECK (jsonb_typeof(body) = 'object')
);
CREATE UNIQUE INDEX epcis_event_id ON epcis_event (event_id) WHERE NOT error_declared;
CREATE UNIQUE INDEX epcis_event_declaration ON epcis_event (event_id, digest) WHERE error_declared;
CREATE INDEX epcis_event_time ON epcis_event (event_time);
CREATE INDEX epcis_event_transformation ON epcis_event (transformation_id) WHERE transformation_id IS NOT NULL;
COMMENT ON TABLE epcis_event IS
  'EPCIS events, append-only: the event as it came (body), the context it needs beside the standard''s, and what is searched by; bizStep and disposition as bare words of the CBV or as URI; an event without eventID has one made of its content';
COMMENT ON COLUMN epcis_event.digest IS
  'SHA-256 of the content: all but @context and recordTime, and the terms of the context that it uses';
COMMENT ON COLUMN epcis_event.error_declared IS
  'Whether the row declares the event of the same event_id an error (errorDeclaration), at declared_at';
COMMENT ON COLUMN epcis_event.party IS
  'Destination of type possessing_party, else owning_party; source_party likewise of the sources';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.epcis_event', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.epcis_event_event_no_seq', '');
CREATE TRIGGER epcis_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON epcis_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE epcis_identifier (
  event_no bigint NOT NULL,
  nth integer NOT NULL,
  role text NOT NULL,
  uri text NOT NULL,
  epc text NOT NULL,
  gtin gtin,
  lot_code text,
  serial text,
  quantity numeric,
  unit text,
  CONSTRAINT epcis_identifier_pkey PRIMARY KEY (event_no, nth),
  CONSTRAINT epcis_identifier_role CHECK (role IN ('object', 'parent', 'child', 'input', 'output')),
  CONSTRAINT epcis_identifier_quantity CHECK (quantity >= 0)
);
CREATE INDEX epcis_identifier_epc ON epcis_identifier (epc);
CREATE INDEX epcis_identifier_lot ON epcis_identifier (gtin, lot_code) WHERE lot_code IS NOT NULL;
COMMENT ON TABLE epcis_identifier IS
  'What EPCIS events are about: role, URI as it came and in one spelling (epc), GTIN, lot (of a new item also the ilmd''s), serial, quantity and unit (null counts pieces)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.epcis_identifier', '');
CREATE TRIGGER epcis_identifier_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON epcis_identifier
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE VIEW epcis_event_standing WITH (security_barrier) AS
  SELECT e.* FROM epcis_event e
  WHERE NOT e.error_declared
    AND NOT EXISTS (SELECT FROM epcis_event d WHERE d.event_id = e.event_id AND d.error_declared);
COMMENT ON VIEW epcis_event_standing IS 'EPCIS events without declarations of errors and what they declare so';

CREATE VIEW epcis_lot WITH (security_barrier) AS
  SELECT i.event_no, i.nth, i.role, l.lot_id, i.serial,
         CASE WHEN i.serial IS NOT NULL THEN CASE WHEN l.unit IS NULL THEN 1 END
              WHEN l.unit IS NOT DISTINCT FROM i.unit THEN i.quantity END AS quantity
  FROM epcis_identifier i
  LEFT JOIN gtin_alias a ON a.old = i.gtin
  CROSS JOIN LATERAL (
    SELECT k.lot_id, k.unit FROM lot k WHERE k.gtin = COALESCE(a.gtin, i.gtin) AND k.lot_code = i.lot_code
    UNION ALL
    SELECT k.lot_id, k.unit FROM lot_item t JOIN lot k ON k.lot_id = t.lot_id
    WHERE i.lot_code IS NULL AND t.gtin = COALESCE(a.gtin, i.gtin) AND t.serial = i.serial) l;
COMMENT ON VIEW epcis_lot IS
  'Which lots EPCIS events are about, in which role and how much in the lot''s unit: numbered items count 1, another unit is not converted but null';

CREATE FUNCTION epcis_kind(type text, action text, biz_step text, disposition text, role text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN role = 'input' THEN 'observed'
    WHEN role = 'output' THEN 'made'
    WHEN biz_step IN ('shipping', 'departing') AND action <> 'DELETE' THEN 'shipped'
    WHEN type NOT IN ('ObjectEvent', 'TransactionEvent') THEN
      CASE WHEN biz_step IN ('receiving', 'accepting') AND action <> 'DELETE' THEN 'received' ELSE 'observed' END
    WHEN type = 'ObjectEvent' AND action = 'ADD'
      AND (biz_step IS NULL OR biz_step IN ('commissioning', 'creating_class_instance')) THEN 'made'
    WHEN biz_step IN ('destroying', 'decommissioning') THEN 'destroyed'
    WHEN biz_step = 'repairing' THEN 'repaired'
    WHEN biz_step IN ('stock_taking', 'cycle_counting') THEN 'counted'
    WHEN biz_step = 'inspecting' THEN 'inspected'
    WHEN biz_step IN ('retail_selling', 'dispensing') THEN 'sold'
    WHEN disposition = 'returned' THEN 'returned'
    WHEN biz_step IN ('receiving', 'accepting') THEN 'received'
    WHEN biz_step IS NULL AND disposition IN ('retail_sold', 'dispensed') THEN 'sold'
    WHEN biz_step IS NULL AND (disposition = 'destroyed' OR type = 'ObjectEvent' AND action = 'DELETE') THEN 'destroyed'
    ELSE 'observed' END;
COMMENT ON FUNCTION epcis_kind(text, text, text, text, text) IS
  'What an EPCIS event means for a lot (lot_event.kind), by event type, action, bizStep, disposition and role; what changes figures comes of ObjectEvent, TransactionEvent and outputs of TransformationEvent only';
