
-- trace: EPCIS documents of what is stored, what a container holds, and the oracle

CREATE FUNCTION epcis_contents(container text, at timestamptz DEFAULT now(), depth_limit integer DEFAULT 32,
                               OUT epc text, OUT parent text, OUT depth integer, OUT gtin gtin, OUT lot_code text,
                               OUT serial text, OUT lot_id bigint, OUT quantity numeric, OUT unit text) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  start text;
BEGIN
  IF container IS NULL OR at IS NULL OR depth_limit IS NULL THEN
    RAISE EXCEPTION 'container, at and depth_limit must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- An SSCC may come as its 18 digits.
  IF container ~ '^[0-9]{18}$' AND quality_gov.gs1_is_valid(container, 18) THEN
    start := 'https://id.gs1.org/00/' || container;
  ELSE
    SELECT i.epc INTO start FROM quality_gov.epcis_identifiers(
      jsonb_build_object('type', 'ObjectEvent', 'epcList', jsonb_build_array(container))) i;
  END IF;
  RETURN QUERY
  WITH RECURSIVE inside AS (
    SELECT start AS epc, NULL::text AS parent, 0 AS depth,
           NULL::quality_gov.gtin AS gtin, NULL::text AS lot_code, NULL::text AS serial, NULL::numeric AS quantity, NULL::text AS unit
    -- What is in several containers is looked into once a depth: ways through them may be more than anybody can count.
    UNION
    SELECT c.epc, p.epc, p.depth + 1, c.gtin, c.lot_code, c.serial, c.quantity, c.unit
    FROM (SELECT DISTINCT i.epc, i.depth FROM inside i) p
    CROSS JOIN LATERAL (
      SELECT i.epc, i.gtin, i.lot_code, i.serial, i.unit,
             sum(CASE WHEN e.action = 'DELETE' THEN -1 ELSE 1 END * i.quantity) FILTER (WHERE e.action <> 'OBSERVE') AS quantity,
             (array_agg(e.action ORDER BY e.event_time DESC, e.event_no DESC))[1] AS last_action
      FROM quality_gov.epcis_identifier h
      JOIN quality_gov.epcis_event e ON e.event_no = h.event_no AND NOT e.error_declared
        AND e.type IN ('AggregationEvent', 'AssociationEvent') AND e.event_time <= epcis_contents.at
      JOIN quality_gov.epcis_identifier i ON i.event_no = e.event_no AND i.role = 'child'
      WHERE h.epc = p.epc AND h.role = 'parent'
        -- A disaggregation that names no children empties the container.
        AND NOT EXISTS (
          SELECT FROM quality_gov.epcis_identifier x
          JOIN quality_gov.epcis_event d ON d.event_no = x.event_no AND d.action = 'DELETE' AND NOT d.error_declared
            AND d.type = e.type AND d.event_time <= epcis_contents.at
            AND (d.event_time, d.event_no) > (e.event_time, e.event_no)
          WHERE x.epc = p.epc AND x.role = 'parent'
            AND NOT EXISTS (SELECT FROM quality_gov.epcis_identifier y WHERE y.event_no = d.event_no AND y.role = 'child')
            AND NOT EXISTS (SELECT FROM quality_gov.epcis_event z WHERE z.event_id = d.event_id AND z.error_declared))
        AND NOT EXISTS (SELECT FROM quality_gov.epcis_event z WHERE z.event_id = e.event_id AND z.error_declared)
      GROUP BY i.epc, i.gtin, i.lot_code, i.serial, i.unit) c
    WHERE c.epc <> start AND p.depth < depth_limit
      AND CASE WHEN c.serial IS NULL AND c.quantity IS NOT NULL THEN c.quantity > 0 ELSE c.last_action <> 'DELETE' END)
  SELECT n.epc, n.parent, n.depth, n.gtin, n.lot_code, n.serial,
         COALESCE((SELECT l.lot_id FROM quality_gov.lot l
                   WHERE l.gtin = quality_gov.gtin_current(n.gtin) AND l.lot_code = n.lot_code),
                  (SELECT t.lot_id FROM quality_gov.lot_item t
                   WHERE t.gtin = quality_gov.gtin_current(n.gtin) AND t.serial = n.serial)),
         CASE WHEN n.serial IS NOT NULL THEN 1 ELSE n.quantity END, n.unit
  FROM (SELECT DISTINCT ON (i.epc, i.parent, i.gtin, i.lot_code, i.serial, i.unit) i.* FROM inside i WHERE i.depth > 0
        ORDER BY i.epc, i.parent, i.gtin, i.lot_code, i.serial, i.unit, i.depth) n
  ORDER BY n.depth, n.epc, n.parent;
END
$$;
COMMENT ON FUNCTION epcis_contents(text, timestamptz, integer) IS
  'What a container (SSCC, or any EPC that is a parent) holds at an instant by the aggregation and association events stored, through containers inside it down to depth_limit: EPC, the container it is in, least depth, from 1, GTIN, lot, serial, quantity';

CREATE FUNCTION epcis_events_of(lot bigint) RETURNS SETOF bigint
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH RECURSIVE named AS (
    SELECT i.event_no, i.epc, i.role
    FROM quality_gov.lot l
    CROSS JOIN LATERAL (SELECT l.gtin UNION ALL SELECT a.old FROM quality_gov.gtin_alias a WHERE a.gtin = l.gtin) g (gtin)
    JOIN quality_gov.epcis_identifier i ON i.gtin = g.gtin AND i.lot_code = l.lot_code
    WHERE l.lot_id = epcis_events_of.lot
    UNION
    SELECT i.event_no, i.epc, i.role
    FROM quality_gov.lot_item t
    CROSS JOIN LATERAL (SELECT t.gtin UNION ALL SELECT a.old FROM quality_gov.gtin_alias a WHERE a.gtin = t.gtin) g (gtin)
    JOIN quality_gov.epcis_identifier n ON n.gtin = g.gtin AND n.lot_code IS NOT NULL AND n.serial = t.serial
    JOIN quality_gov.epcis_identifier i ON i.epc = n.epc
    WHERE t.lot_id = epcis_events_of.lot),
  held AS (
    SELECT n.event_no, n.epc, n.role FROM named n
    UNION
    -- What was done with a container was done with what is in it.
    SELECT i.event_no, i.epc, i.role
    FROM held h
    JOIN quality_gov.epcis_identifier p ON p.event_no = h.event_no AND p.role = 'parent'
    JOIN quality_gov.epcis_identifier i ON i.epc = p.epc
    WHERE h.role = 'child')
  SELECT DISTINCT m.event_no FROM held h
  JOIN quality_gov.epcis_event e ON e.event_no = h.event_no
  CROSS JOIN LATERAL (
    SELECT e.event_no
    UNION ALL SELECT g.event_no FROM quality_gov.epcis_event g WHERE g.transformation_id = e.transformation_id
    UNION ALL SELECT d.event_no FROM quality_gov.epcis_event d WHERE d.event_id = e.event_id) m
$$;
COMMENT ON FUNCTION epcis_events_of(bigint) IS
  'Events of a lot: those that name it or its numbered items, those of containers it was in, other parts of their transformations, and declarations of errors in them';

CREATE FUNCTION epcis_export_document(lot bigint, since timestamptz, until timestamptz, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF at IS NULL OR NOT isfinite(at) OR since >= until THEN
    RAISE EXCEPTION 'the time of an export must be finite, and since before until' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN (
    SELECT jsonb_build_object(
      '@context', jsonb_build_array('https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'),
      'type', 'EPCISDocument', 'schemaVersion', '2.0',
      'creationDate', to_char(epcis_export_document.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'epcisBody', jsonb_build_object('eventList', COALESCE(jsonb_agg(
        CASE WHEN e.context IS NULL THEN e.body - '@context' ELSE e.body || jsonb_build_object('@context', e.context) END
        ORDER BY e.event_no), '[]')))
    FROM quality_gov.epcis_event e
    WHERE (epcis_export_document.lot IS NULL
           OR e.event_no IN (SELECT quality_gov.epcis_events_of(epcis_export_document.lot)))
      AND (since IS NULL OR e.event_time >= since) AND (until IS NULL OR e.event_time < until));
END
$$;
COMMENT ON FUNCTION epcis_export_document(bigint, timestamptz, timestamptz, timestamptz) IS
  'EPCISDocument of the stored events of a lot, or of all where it is null; epcis_export() calls it';

-- Two functions, so that a lot that lot_find() does not find is no request for everything.
CREATE FUNCTION epcis_export(lot bigint, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
                             at timestamptz DEFAULT now()) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM quality_gov.lot l WHERE l.lot_id = epcis_export.lot) THEN
    RAISE EXCEPTION 'lot % does not exist', COALESCE(lot::text, 'null') USING ERRCODE = 'no_data_found',
      HINT = 'quality_gov.lot_find(gtin, lot_code) tells the lot, null where there is none.';
  END IF;
  RETURN quality_gov.epcis_export_document(lot, since, until, at);
END
$$;
COMMENT ON FUNCTION epcis_export(bigint, timestamptz, timestamptz, timestamptz) IS
  'As epcis_export(timestamptz, timestamptz, timestamptz), of the events of a lot as epcis_events_of() gives them; P0002 where the lot does not exist';

CREATE FUNCTION epcis_export(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, at timestamptz DEFAULT now()) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT quality_gov.epcis_export_document(NULL, since, until, at)
$$;
COMMENT ON FUNCTION epcis_export(timestamptz, timestamptz, timestamptz) IS
  'EPCISDocument of the stored events of a time range by eventTime (since <= eventTime < until), or of all; each event as it came, with the context it needs; at is its creationDate; what did not come as EPCIS is not in it';

CREATE FUNCTION epcis_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'epcis_identifier', concat_ws(' ', i.event_no, i.nth), 'has no event' FROM quality_gov.epcis_identifier i
  WHERE NOT EXISTS (SELECT FROM quality_gov.epcis_event e WHERE e.event_no = i.event_no)
  UNION ALL
  SELECT s.relation, s.key, 'is of EPCIS event ' || s.source || ', which does not exist'
  FROM (SELECT 'lot_event' AS relation, concat_ws(' ', v.lot_id, v.event_id) AS key, v.source FROM quality_gov.lot_event v WHERE v.source <> 0
        UNION ALL SELECT 'lot_link', concat_ws(' ', k.parent, k.child), k.source FROM quality_gov.lot_link k WHERE k.source <> 0
        UNION ALL SELECT 'lot_item', concat_ws(' ', t.gtin, t.serial), t.source FROM quality_gov.lot_item t WHERE t.source <> 0) s
  WHERE NOT EXISTS (SELECT FROM quality_gov.epcis_event e WHERE e.event_no = s.source)
  UNION ALL
  SELECT s.relation, s.key, 'stands although EPCIS event ' || s.source || ' is declared an error'
  FROM (SELECT 'lot_event' AS relation, concat_ws(' ', v.lot_id, v.event_id) AS key, v.source FROM quality_gov.lot_event_standing v WHERE v.source <> 0
        UNION ALL SELECT 'lot_link', concat_ws(' ', k.parent, k.child), k.source FROM quality_gov.lot_link k WHERE k.source <> 0
        UNION ALL SELECT 'lot_item', concat_ws(' ', t.gtin, t.serial), t.source FROM quality_gov.lot_item t WHERE t.source <> 0) s
  JOIN quality_gov.epcis_event e ON e.event_no = s.source
  WHERE NOT EXISTS (SELECT FROM quality_gov.epcis_event_standing x WHERE x.event_no = s.source)
  UNION ALL
  SELECT 'epcis_event', e.event_no::text, 'is not what its body says'
  FROM quality_gov.epcis_event e
  CROSS JOIN LATERAL quality_gov.epcis_events(e.body || jsonb_build_object('@context', COALESCE(e.context, '[]'))) r
  WHERE r.digest <> e.digest OR r.event_id <> e.event_id
$$;
COMMENT ON FUNCTION epcis_check() IS
  'Oracle: identifiers, lot events, links and items whose EPCIS event is missing or declared an error, and events whose body has another digest; no rows when all is well';
CREATE FUNCTION doctor_epcis(OUT status text, OUT subject text, OUT detail text, OUT hint text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', format('%s %s', c.relation, c.key), c.problem, NULL FROM quality_gov.epcis_check() c
$$;
COMMENT ON FUNCTION doctor_epcis() IS 'Check: what epcis_check() finds';
INSERT INTO doctor_check VALUES ('epcis', 'quality_gov.doctor_epcis', 'What epcis_check() finds', true);
