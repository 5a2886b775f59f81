
-- trace: what suppliers learn of recalls: which, of what lots of theirs, and why

CREATE TABLE recall_cause (
  recall_id bigint NOT NULL,
  cause_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  supplier_id text,
  lot_id bigint,
  at timestamptz NOT NULL,
  note text,
  role text NOT NULL,
  voids bigint,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT recall_cause_pkey PRIMARY KEY (recall_id, cause_id),
  CONSTRAINT recall_cause_kind CHECK (kind IN ('design', 'making', 'warning', 'ingredient')),
  CONSTRAINT recall_cause_at CHECK (isfinite(at)),
  CONSTRAINT recall_cause_ingredient CHECK (kind <> 'ingredient' OR lot_id IS NOT NULL)
);
CREATE UNIQUE INDEX recall_cause_voids ON recall_cause (recall_id, voids) WHERE voids IS NOT NULL;
CREATE INDEX recall_cause_supplier ON recall_cause (supplier_id) WHERE supplier_id IS NOT NULL;
COMMENT ON TABLE recall_cause IS
  'What caused a recall: defects of design, making or warning (Order 19 art 3), or an ingredient, with the lot and the supplier it came from where known, by which role; append-only, a row with voids takes back the one it names';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_cause', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_cause_cause_id_seq', '');
CREATE TRIGGER recall_cause_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_cause
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE VIEW recall_cause_standing WITH (security_barrier) AS
  SELECT c.* FROM recall_cause c
  WHERE c.voids IS NULL AND NOT EXISTS (SELECT FROM recall_cause v WHERE v.recall_id = c.recall_id AND v.voids = c.cause_id);
COMMENT ON VIEW recall_cause_standing IS 'Causes of recalls, without what was taken back';

CREATE FUNCTION recall_cause_record(recall_id bigint, kind text, lot bigint DEFAULT NULL, supplier_id text DEFAULT NULL,
    at timestamptz DEFAULT now(), note text DEFAULT NULL, voids bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  written quality_gov.recall_cause;
BEGIN
  UPDATE quality_gov.recall c SET title = c.title WHERE c.recall_id = recall_cause_record.recall_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
  IF kind IS NULL OR kind NOT IN ('design', 'making', 'warning', 'ingredient') OR kind = 'ingredient' AND lot IS NULL THEN
    RAISE EXCEPTION 'a cause is design, making, warning, or ingredient with its lot, found %', COALESCE(quote_literal(kind), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a cause needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF lot IS NOT NULL THEN
    SELECT COALESCE(recall_cause_record.supplier_id, l.supplier_id) INTO supplier_id FROM quality_gov.lot l WHERE l.lot_id = lot FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'lot % does not exist', lot USING ERRCODE = 'no_data_found',
        HINT = 'quality_gov.lot_find(gtin, lot_code) tells the lot, null where there is none.';
    END IF;
  END IF;
  IF voids IS NOT NULL AND NOT EXISTS (SELECT FROM quality_gov.recall_cause_standing c
                                       WHERE c.recall_id = recall_cause_record.recall_id AND c.cause_id = voids) THEN
    RAISE EXCEPTION 'recall % has no cause %, or it was taken back already', recall_id, voids USING ERRCODE = 'no_data_found';
  END IF;
  INSERT INTO quality_gov.recall_cause AS c (recall_id, kind, supplier_id, lot_id, at, note, role, voids)
  VALUES (recall_id, kind, supplier_id, lot, at, note, session_user, voids) RETURNING c.* INTO written;
  PERFORM quality_gov.ledger_record('recall_cause', 'recall ' || recall_id, jsonb_strip_nulls(to_jsonb(written) - '{role,recorded_at}'::text[]));
  RETURN written.cause_id;
END
$$;
COMMENT ON FUNCTION recall_cause_record(bigint, text, bigint, text, timestamptz, text, bigint) IS
  'Records what caused a recall (design, making, warning, or ingredient with its lot) and gives the cause_id; the supplier is the lot''s unless named; voids takes an earlier cause back';

CREATE VIEW supplier_recall WITH (security_barrier) AS
  WITH told AS (
    SELECT x.recall_id, l.lot_id, 'scope' AS relation
    FROM recall_scope x LEFT JOIN gtin_alias a ON a.old = x.gtin
    JOIN lot l ON l.gtin = COALESCE(a.gtin, x.gtin) AND (x.lot_code IS NULL OR x.lot_code = l.lot_code)
    WHERE l.supplier_id IS NOT NULL AND x.revision = (SELECT max(y.revision) FROM recall_scope y WHERE y.recall_id = x.recall_id)
      AND (x.made IS NULL OR x.lot_code IS NOT NULL OR l.made_on IS NULL OR x.made @> l.made_on)
    UNION
    SELECT x.recall_id, x.via, 'ingredient' FROM recall_scope x
    WHERE x.via IS NOT NULL AND x.revision = (SELECT max(y.revision) FROM recall_scope y WHERE y.recall_id = x.recall_id)
    UNION
    SELECT c.recall_id, c.lot_id, 'cause' FROM recall_cause_standing c
  )
  SELECT COALESCE(c.supplier_id, l.supplier_id) AS supplier_id, r.recall_id, r.title, r.reason, s.state, s.at AS since, l.lot_id, l.gtin,
         l.lot_code, array_agg(DISTINCT t.relation ORDER BY t.relation) AS relations, c.causes, c.known_at
  FROM told t
  JOIN recall r ON r.recall_id = t.recall_id
  LEFT JOIN lot l ON l.lot_id = t.lot_id
  LEFT JOIN LATERAL (
    SELECT c.supplier_id, array_agg(DISTINCT c.kind ORDER BY c.kind) AS causes, max(c.at) AS known_at
    FROM recall_cause_standing c
    WHERE c.recall_id = t.recall_id AND (c.lot_id = t.lot_id OR c.lot_id IS NULL AND t.lot_id IS NULL)
    GROUP BY c.supplier_id) c ON true
  LEFT JOIN LATERAL (
    SELECT p.state, p.at FROM recall_step p WHERE p.recall_id = t.recall_id ORDER BY p.at DESC LIMIT 1) s ON true
  WHERE COALESCE(c.supplier_id, l.supplier_id) IS NOT NULL
    AND ((SELECT session_reads_all()) OR l.merchant_id IN (SELECT m.merchant_id FROM session_merchant m))
  GROUP BY 1, r.recall_id, r.title, r.reason, s.state, s.at, l.lot_id, l.gtin, l.lot_code, c.causes, c.known_at;
COMMENT ON VIEW supplier_recall IS
  'For each supplier the recalls that its lots are in: in scope, as the ingredient through which others are (ingredient), or as what caused it (cause), with the kinds of causes on record; a merchant sees its own lots';
