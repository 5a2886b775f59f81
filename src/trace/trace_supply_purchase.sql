
-- trace: purchase records, suppliers' own lot numbers, and incoming inspection

CREATE TABLE supply_field (
  record text NOT NULL,
  field text NOT NULL,
  goods text NOT NULL DEFAULT 'all',
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT supply_field_pkey PRIMARY KEY (record, field, goods, builtin),
  CONSTRAINT supply_field_record CHECK (record IN ('purchase', 'sale')),
  CONSTRAINT supply_field_goods CHECK (goods IN ('all', 'key_industrial'))
);
COMMENT ON TABLE supply_field IS
  'Which fields records of purchases and sales must have, of all goods or of key industrial goods, from when to when, and why; the platform adds its own';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supply_field', 'WHERE NOT builtin');
INSERT INTO supply_field
SELECT record, field, 'key_industrial', '[2026-12-01 00:00+08,)', '网络销售重点工业产品质量安全监督管理规定 (Order 110) art 7', true
FROM (VALUES ('purchase', '{supplier_name,supplier_address,supplier_contact,product,model,quantity}'::text[]),
             ('sale', '{product,model,ship_from}')) AS r(record, fields)
CROSS JOIN unnest(r.fields) AS field;
CREATE TRIGGER supply_field_builtin BEFORE INSERT OR UPDATE OR DELETE ON supply_field
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE purchase (
  merchant_id text NOT NULL,
  purchase_id bigint GENERATED ALWAYS AS IDENTITY,
  supplier_id text,
  supplier_name text,
  supplier_address text,
  supplier_contact text,
  gtin gtin,
  lot_id bigint,
  supplier_lot text,
  product text,
  model text,
  quantity numeric,
  unit text,
  purchased_at timestamptz NOT NULL,
  voucher text,
  key_industrial boolean NOT NULL DEFAULT true,
  replaces bigint,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT purchase_pkey PRIMARY KEY (merchant_id, purchase_id),
  CONSTRAINT purchase_quantity CHECK (quantity > 0 AND quantity < 'Infinity'),
  CONSTRAINT purchase_purchased_at CHECK (isfinite(purchased_at))
);
CREATE INDEX purchase_lot ON purchase (lot_id) WHERE lot_id IS NOT NULL;
CREATE INDEX purchase_supplier ON purchase (supplier_id, purchased_at) WHERE supplier_id IS NOT NULL;
CREATE UNIQUE INDEX purchase_replaces ON purchase (merchant_id, replaces) WHERE replaces IS NOT NULL;
COMMENT ON TABLE purchase IS
  'Purchases of merchants, with the fields of a purchase record (Order 110 art 7): supplier by name, address and contact as they were then, product, model, quantity, day; our lot and the supplier''s own number of it; append-only: a correction is a further row that replaces one; purchase_retire() lets go of old ones';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.purchase', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.purchase_purchase_id_seq', '');
CREATE TRIGGER purchase_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON purchase
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE purchase ENABLE ROW LEVEL SECURITY;
CREATE POLICY purchase_read ON purchase FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE VIEW purchase_standing WITH (security_barrier) AS
  SELECT p.* FROM purchase p
  WHERE NOT EXISTS (SELECT FROM purchase r WHERE r.merchant_id = p.merchant_id AND r.replaces = p.purchase_id)
    AND ((SELECT session_reads_all()) OR p.merchant_id IN (SELECT s.merchant_id FROM session_merchant s));
COMMENT ON VIEW purchase_standing IS 'Purchases without those that a later record replaces; a merchant sees its own';

CREATE TABLE supplier_lot (
  supplier_id text NOT NULL,
  supplier_lot text NOT NULL,
  lot_id bigint NOT NULL,
  CONSTRAINT supplier_lot_pkey PRIMARY KEY (supplier_id, supplier_lot, lot_id),
  CONSTRAINT supplier_lot_supplier_lot CHECK (supplier_lot <> '')
);
CREATE INDEX supplier_lot_lot ON supplier_lot (lot_id);
COMMENT ON TABLE supplier_lot IS 'A supplier''s own lot numbers and the lots of ours they mean; one of theirs may mean several of ours';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier_lot', '');

CREATE FUNCTION supplier_lot_add(supplier_id text, supplier_lot text, lot_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.text_require(supplier_lot, 'supplier_lot');
  PERFORM quality_gov.supplier_require(supplier_id);
  PERFORM quality_gov.lot_require(lot_id);
  INSERT INTO quality_gov.supplier_lot VALUES (supplier_id, supplier_lot, lot_id) ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION supplier_lot_add(text, text, bigint) IS
  'Says which lot of ours a supplier''s own lot number means; again changes nothing; P0002 for a supplier or lot that does not exist';

CREATE FUNCTION supplier_lot_find(supplier_id text, supplier_lot text, gtin gtin DEFAULT NULL) RETURNS SETOF bigint
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT s.lot_id FROM supplier_lot s JOIN lot l USING (lot_id)
  WHERE s.supplier_id = supplier_lot_find.supplier_id AND s.supplier_lot = supplier_lot_find.supplier_lot
    AND (supplier_lot_find.gtin IS NULL OR l.gtin IN (gtin_current(supplier_lot_find.gtin), supplier_lot_find.gtin))
  ORDER BY 1;
END;
COMMENT ON FUNCTION supplier_lot_find(text, text, gtin) IS
  'The lots of ours that a supplier''s own lot number means, of one GTIN or of all';

CREATE FUNCTION supply_missing(record text, content jsonb, key_industrial boolean, at timestamptz) RETURNS text[]
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT COALESCE(array_agg(DISTINCT f.field), '{}') FROM quality_gov.supply_field f
  WHERE f.record = supply_missing.record AND f.effect @> at AND (f.goods = 'all' OR key_industrial)
    AND COALESCE(btrim(content ->> f.field), '') = ''
$$;
COMMENT ON FUNCTION supply_missing(text, jsonb, boolean, timestamptz) IS
  'Fields that a record of a purchase or sale must have at an instant and has not (supply_field)';

CREATE FUNCTION purchase_record(purchase jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  p quality_gov.purchase;
  s quality_gov.supplier;
  missing text[];
BEGIN
  PERFORM quality_gov.fields_require(purchase, '{merchant_id,supplier_id,supplier_name,supplier_address,supplier_contact,gtin,lot,supplier_lot,product,model,quantity,unit,purchased_at,voucher,key_industrial,replaces}', 'purchase');
  p := jsonb_populate_record(NULL::quality_gov.purchase, purchase);
  PERFORM quality_gov.text_require(p.merchant_id, '"merchant_id" of the purchase');
  PERFORM quality_gov.instant_require(p.purchased_at, '"purchased_at" of the purchase');
  PERFORM quality_gov.quantity_require(p.quantity, '"quantity" of the purchase');
  PERFORM quality_gov.session_party_require(p.merchant_id, '{quality_gov_admin,quality_gov_app}');
  p.key_industrial := COALESCE(p.key_industrial, true);
  PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = p.merchant_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" does not exist', p.merchant_id USING ERRCODE = 'no_data_found';
  END IF;
  IF p.supplier_id IS NOT NULL THEN
    PERFORM quality_gov.supplier_require(p.supplier_id);
    SELECT * INTO s FROM quality_gov.supplier x WHERE x.supplier_id = p.supplier_id;
    p.supplier_name := COALESCE(p.supplier_name, s.name);
    p.supplier_address := COALESCE(p.supplier_address, s.address);
    p.supplier_contact := COALESCE(p.supplier_contact, s.contact);
  END IF;
  missing := quality_gov.supply_missing('purchase', to_jsonb(p), p.key_industrial, p.purchased_at);
  IF missing <> '{}' THEN
    RAISE EXCEPTION 'purchase lacks %', array_to_string(missing, ', ') USING ERRCODE = 'not_null_violation',
      DETAIL = (SELECT string_agg(DISTINCT f.legal_basis, '; ') FROM quality_gov.supply_field f WHERE f.record = 'purchase'
                  AND f.field = ANY (missing) AND f.effect @> p.purchased_at AND (f.goods = 'all' OR p.key_industrial)),
      HINT = CASE WHEN p.key_industrial THEN 'Goods that are no key industrial goods are recorded with "key_industrial": false.'
                  ELSE 'The table quality_gov.supply_field says what a record needs.' END;
  END IF;
  IF p.replaces IS NOT NULL THEN
    PERFORM FROM quality_gov.purchase x WHERE x.merchant_id = p.merchant_id AND x.purchase_id = p.replaces FOR UPDATE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'merchant "%" has no purchase % to replace', p.merchant_id, p.replaces USING ERRCODE = 'no_data_found';
    END IF;
    IF EXISTS (SELECT FROM quality_gov.purchase x WHERE x.merchant_id = p.merchant_id AND x.replaces = p.replaces) THEN
      RAISE EXCEPTION 'purchase % of merchant "%" was replaced already', p.replaces, p.merchant_id
        USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
  END IF;
  IF purchase ->> 'lot' IS NOT NULL THEN
    p.lot_id := quality_gov.lot_record(p.gtin, purchase ->> 'lot');
    -- A lot may come from several suppliers; the first one known is the lot's.  Whose lot it is not has no say.
    UPDATE quality_gov.lot l SET supplier_id = p.supplier_id
    WHERE l.lot_id = p.lot_id AND l.supplier_id IS NULL AND p.supplier_id IS NOT NULL
      AND (l.merchant_id IS NULL OR quality_gov.session_acts_for(l.merchant_id, '{quality_gov_admin,quality_gov_app}'));
    IF p.supplier_lot IS NOT NULL AND p.supplier_id IS NOT NULL THEN
      PERFORM quality_gov.supplier_lot_add(p.supplier_id, p.supplier_lot, p.lot_id);
    END IF;
  END IF;
  INSERT INTO quality_gov.purchase (merchant_id, supplier_id, supplier_name, supplier_address, supplier_contact, gtin, lot_id,
    supplier_lot, product, model, quantity, unit, purchased_at, voucher, key_industrial, replaces)
  VALUES (p.merchant_id, p.supplier_id, p.supplier_name, p.supplier_address, p.supplier_contact, p.gtin, p.lot_id,
    p.supplier_lot, p.product, p.model, p.quantity, p.unit, p.purchased_at, p.voucher, p.key_industrial, p.replaces)
  RETURNING purchase_id INTO p.purchase_id;
  RETURN p.purchase_id;
END
$$;
COMMENT ON FUNCTION purchase_record(jsonb) IS
  'Records a purchase and gives its id: {"merchant_id", "supplier_id", "supplier_name", "supplier_address", "supplier_contact", "gtin", "lot", "supplier_lot", "product", "model", "quantity", "unit", "purchased_at", "voucher", "key_industrial" (true by default), "replaces"}; what is not given of the supplier is taken from supplier, a lot that is not known is recorded. Fields that supply_field wants at purchased_at and that are missing are refused (23502), all named; 42501 for a merchant of somebody else';

CREATE TABLE lot_inspection (
  lot_id bigint NOT NULL,
  inspection_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  result text NOT NULL,
  inspector text NOT NULL,
  sample_size integer,
  defects integer,
  basis text,
  report text,
  note text,
  event_id bigint,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT lot_inspection_pkey PRIMARY KEY (lot_id, inspection_id),
  CONSTRAINT lot_inspection_at CHECK (isfinite(at)),
  CONSTRAINT lot_inspection_result CHECK (result IN ('accepted', 'rejected', 'conditional')),
  CONSTRAINT lot_inspection_sample_size CHECK (sample_size > 0),
  CONSTRAINT lot_inspection_defects CHECK (defects IS NULL OR defects >= 0 AND sample_size IS NOT NULL)
);
COMMENT ON TABLE lot_inspection IS
  'Incoming inspections of lots (产品质量法 art 33): when, by whom, how many were looked at and how many failed, accepted, rejected or conditional, on what basis, report number; append-only, the latest by at governs';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot_inspection', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.lot_inspection_inspection_id_seq', '');
CREATE TRIGGER lot_inspection_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lot_inspection
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION lot_inspect(lot_id bigint, result text, inspector text, at timestamptz DEFAULT now(), sample_size integer DEFAULT NULL,
                            defects integer DEFAULT NULL, basis text DEFAULT NULL, report text DEFAULT NULL,
                            note text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  entered bigint;
  event bigint;
BEGIN
  IF NOT COALESCE(result IN ('accepted', 'rejected', 'conditional'), false) THEN
    RAISE EXCEPTION 'unknown result "%" of an inspection', result USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Results are accepted, rejected and conditional.';
  END IF;
  PERFORM quality_gov.text_require(inspector, 'inspector');
  PERFORM quality_gov.instant_require(at, 'at');
  IF sample_size <= 0 OR defects < 0 OR defects IS NOT NULL AND sample_size IS NULL THEN
    RAISE EXCEPTION 'sample_size must be above 0 and defects not below, found % and %', sample_size, defects
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.lot_require(lot_id);
  event := quality_gov.lot_move(lot_id, 'inspected', at => at, party => inspector, note => result);
  INSERT INTO quality_gov.lot_inspection (lot_id, at, result, inspector, sample_size, defects, basis, report, note, event_id)
  VALUES (lot_id, at, result, inspector, sample_size, defects, basis, report, note, event) RETURNING inspection_id INTO entered;
  PERFORM quality_gov.ledger_record('lot_inspection', 'lot ' || lot_id, jsonb_build_object('inspection_id', entered, 'at', at,
    'result', result, 'inspector', inspector, 'sample_size', sample_size, 'defects', defects, 'basis', basis, 'report', report));
  RETURN entered;
END
$$;
COMMENT ON FUNCTION lot_inspect(bigint, text, text, timestamptz, integer, integer, text, text, text) IS
  'Records an incoming inspection of a lot (accepted, rejected or conditional) and the event, with a ledger entry, and gives its id; P0002 for a lot that does not exist, 22023 for an unknown result or counts that are none';

CREATE FUNCTION purchase_retire(before timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  retired bigint;
BEGIN
  before := quality_gov.retention_bound('purchases', before);
  PERFORM quality_gov.append_only_lift('quality_gov.purchase');
  -- What was replaced goes with what replaces it, or it would stand again.
  WITH RECURSIVE kept AS (
    SELECT p.merchant_id, p.purchase_id, p.replaces FROM quality_gov.purchase p
    WHERE p.purchased_at >= before OR p.recorded_at >= before
    UNION
    SELECT p.merchant_id, p.purchase_id, p.replaces FROM kept k
    JOIN quality_gov.purchase p ON p.merchant_id = k.merchant_id AND (p.purchase_id = k.replaces OR p.replaces = k.purchase_id))
  DELETE FROM quality_gov.purchase p
  WHERE p.purchased_at < before
    AND NOT EXISTS (SELECT FROM kept k WHERE k.merchant_id = p.merchant_id AND k.purchase_id = p.purchase_id);
  GET DIAGNOSTICS retired = ROW_COUNT;
  PERFORM quality_gov.append_only_lift(0::regclass);
  PERFORM quality_gov.ledger_record('purchase_retire', 'purchase', jsonb_build_object('before', before, 'purchases', retired));
  RETURN retired;
END
$$;
COMMENT ON FUNCTION purchase_retire(timestamptz) IS
  'Deletes purchases made and recorded longer ago than the retention period (three years, Order 110 art 7), with a ledger entry, and gives their number; a later bound is refused (55000)';
