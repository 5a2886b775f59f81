
-- trace: capturing EPCIS documents

CREATE FUNCTION epcis_part(numbers bigint[], OUT event_no bigint, OUT nth integer, OUT role text, OUT born boolean, OUT gtin gtin,
                           OUT lot_code text, OUT serial text, OUT unit text, OUT lot_id bigint, OUT quantity numeric)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
  -- A plan made while the tables are small, and kept, would read all of them when they are large.
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  aliased boolean := EXISTS (SELECT FROM quality_gov.gtin_alias);
BEGIN
  RETURN QUERY
  SELECT e.event_no, i.nth, i.role, i.role = 'output' OR e.type = 'ObjectEvent' AND e.action = 'ADD',
         COALESCE(a.gtin, i.gtin), i.lot_code, i.serial, i.unit, l.lot_id,
         CASE WHEN l.lot_id IS NULL THEN NULL
              WHEN i.serial IS NOT NULL THEN CASE WHEN l.unit IS NULL THEN 1 END
              WHEN l.unit IS NOT DISTINCT FROM i.unit THEN i.quantity END
  FROM unnest(numbers) AS w (event_no)
  JOIN quality_gov.epcis_event e ON e.event_no = w.event_no AND NOT e.error_declared
  JOIN quality_gov.epcis_identifier i ON i.event_no = e.event_no AND i.role <> 'parent'
  LEFT JOIN LATERAL (SELECT x.gtin FROM quality_gov.gtin_alias x WHERE aliased AND x.old = i.gtin) a ON true
  LEFT JOIN quality_gov.lot_item t ON i.lot_code IS NULL AND t.gtin = COALESCE(a.gtin, i.gtin) AND t.serial = i.serial
  LEFT JOIN LATERAL (
    SELECT k.lot_id, k.unit FROM quality_gov.lot k WHERE k.gtin = COALESCE(a.gtin, i.gtin) AND k.lot_code = i.lot_code
    UNION ALL
    SELECT k.lot_id, k.unit FROM quality_gov.lot k WHERE t.lot_id IS NOT NULL AND k.lot_id = t.lot_id) l ON true
  WHERE NOT EXISTS (SELECT FROM quality_gov.epcis_event d WHERE d.event_id = e.event_id AND d.error_declared);
END
$$;
COMMENT ON FUNCTION epcis_part(bigint[]) IS
  'What standing EPCIS events are about, but their parents: as epcis_identifier has it, with today''s GTIN, whether it comes into being there, its lot (null where none is known) and how much in the lot''s unit (numbered items count 1, another unit is null)';

CREATE FUNCTION epcis_lots(numbers bigint[], dated boolean, numbered boolean) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  aliased boolean := EXISTS (SELECT FROM quality_gov.gtin_alias);
  added integer;
  known record;
  wrong record;
BEGIN
  INSERT INTO quality_gov.lot (gtin, lot_code, unit, made_on, expires_on, producer)
  SELECT DISTINCT ON (p.gtin, p.lot_code) p.gtin, p.lot_code, p.unit, p.made_on, p.expires_on, p.producer
  FROM (
    SELECT COALESCE(a.gtin, i.gtin) AS gtin, i.lot_code, i.unit, i.serial, i.event_no, i.nth, b.born,
           CASE WHEN b.born THEN e.made_on END AS made_on, CASE WHEN b.born THEN e.expires_on END AS expires_on,
           CASE WHEN b.born THEN COALESCE(e.source_party, e.biz_location, e.read_point) END AS producer
    FROM unnest(numbers) AS w (event_no)
    JOIN quality_gov.epcis_event e ON e.event_no = w.event_no AND NOT e.error_declared
    JOIN quality_gov.epcis_identifier i ON i.event_no = e.event_no AND i.role <> 'parent' AND i.lot_code IS NOT NULL
    LEFT JOIN LATERAL (SELECT x.gtin FROM quality_gov.gtin_alias x WHERE aliased AND x.old = i.gtin) a ON true
    CROSS JOIN LATERAL (SELECT i.role = 'output' OR e.type = 'ObjectEvent' AND e.action = 'ADD' AS born) b
    WHERE NOT EXISTS (SELECT FROM quality_gov.epcis_event d WHERE d.event_id = e.event_id AND d.error_declared)) p
  -- The order that every capture creates lots in, so that two never wait for each other.
  ORDER BY p.gtin, p.lot_code, p.born DESC, p.serial IS NOT NULL, p.event_no, p.nth
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;

  -- What a lot that was known before lacks.
  IF dated THEN
    FOR known IN
      SELECT l.lot_id, min(e.made_on) AS made_on, min(e.expires_on) AS expires_on
      FROM unnest(numbers) AS w (event_no)
      JOIN quality_gov.epcis_event e ON e.event_no = w.event_no AND NOT e.error_declared
      JOIN quality_gov.epcis_identifier i ON i.event_no = e.event_no AND i.role <> 'parent' AND i.lot_code IS NOT NULL
      LEFT JOIN LATERAL (SELECT x.gtin FROM quality_gov.gtin_alias x WHERE aliased AND x.old = i.gtin) a ON true
      JOIN quality_gov.lot l ON l.gtin = COALESCE(a.gtin, i.gtin) AND l.lot_code = i.lot_code
      WHERE (i.role = 'output' OR e.type = 'ObjectEvent' AND e.action = 'ADD')
        AND (l.made_on IS NULL AND e.made_on IS NOT NULL OR l.expires_on IS NULL AND e.expires_on IS NOT NULL)
        AND NOT EXISTS (SELECT FROM quality_gov.epcis_event d WHERE d.event_id = e.event_id AND d.error_declared)
      GROUP BY l.lot_id ORDER BY l.lot_id
    LOOP
      UPDATE quality_gov.lot l
      SET made_on = COALESCE(l.made_on, known.made_on), expires_on = COALESCE(l.expires_on, known.expires_on)
      WHERE l.lot_id = known.lot_id
        AND (l.made_on IS NULL AND known.made_on IS NOT NULL OR l.expires_on IS NULL AND known.expires_on IS NOT NULL)
        AND (COALESCE(l.expires_on, known.expires_on) >= COALESCE(l.made_on, known.made_on)) IS NOT FALSE;
    END LOOP;
  END IF;

  IF numbered THEN
    INSERT INTO quality_gov.lot_item (gtin, serial, lot_id, source)
    SELECT p.gtin, p.serial, p.lot_id, p.event_no
    FROM quality_gov.epcis_part(numbers) p
    WHERE p.serial IS NOT NULL AND p.lot_code IS NOT NULL
    ORDER BY p.gtin, p.serial, p.event_no
    ON CONFLICT DO NOTHING;
    SELECT t.gtin, t.serial, l.lot_code AS known, p.lot_code, e.event_id INTO wrong
    FROM quality_gov.epcis_part(numbers) p
    JOIN quality_gov.epcis_event e ON e.event_no = p.event_no
    JOIN quality_gov.lot_item t ON t.gtin = p.gtin AND t.serial = p.serial
    JOIN quality_gov.lot l ON l.lot_id = t.lot_id
    WHERE p.lot_code IS NOT NULL AND t.lot_id <> p.lot_id
    LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'item % % is of lot %, EPCIS event "%" says lot %', wrong.gtin, wrong.serial, wrong.known,
                      wrong.event_id, wrong.lot_code
        USING ERRCODE = 'unique_violation', HINT = 'Declare the event that gave the wrong lot an error first.';
    END IF;
  END IF;
  RETURN added;
END
$$;
COMMENT ON FUNCTION epcis_lots(bigint[], boolean, boolean) IS
  'Enters the lots that EPCIS events name, the dates they give (dated) and numbered items of known lots (numbered), and gives how many lots are new; 23505 where an item is of another lot';

CREATE FUNCTION epcis_links_refuse(transformation text) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  -- One event that is a whole transformation is known by its number.
  IF transformation ~ '^[0-9]+$' THEN
    SELECT e.event_id INTO transformation FROM quality_gov.epcis_event e WHERE e.event_no = transformation::bigint;
  END IF;
  RAISE EXCEPTION 'EPCIS transformation "%" would make more than 1000000 links', left(transformation, 200)
    USING ERRCODE = 'program_limit_exceeded',
    DETAIL = 'Each of its input lots would be linked with each of its output lots.',
    HINT = 'Capture a transformation for each output, with what went into it.';
END
$$;
COMMENT ON FUNCTION epcis_links_refuse(text) IS 'Raises 54000; epcis_links() calls it for a transformation of too many lots';

CREATE FUNCTION epcis_links(numbers bigint[]) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  linked integer;
  members bigint[];
  joined bigint[];
BEGIN
  -- Events of one transformation give inputs and outputs separately, and are taken together.
  SELECT array_agg(DISTINCT m.event_no), array_agg(DISTINCT m.event_no) FILTER (WHERE m.again)
  INTO members, joined
  FROM unnest(numbers) AS w (event_no)
  JOIN quality_gov.epcis_event e ON e.event_no = w.event_no AND e.type = 'TransformationEvent'
  CROSS JOIN LATERAL (
    SELECT e.event_no, EXISTS (SELECT FROM quality_gov.epcis_event d WHERE d.event_id = e.event_id AND d.error_declared) AS again
    UNION ALL
    SELECT g.event_no, true FROM quality_gov.epcis_event g WHERE g.transformation_id = e.transformation_id) m;
  -- Links of events seen before, which may have been made by other parts or are declared errors.
  IF joined IS NOT NULL THEN
    DELETE FROM quality_gov.lot_link k
    USING (SELECT DISTINCT l.lot_id FROM unnest(joined) AS w (event_no)
           JOIN quality_gov.epcis_identifier i ON i.event_no = w.event_no AND i.role = 'output'
           LEFT JOIN quality_gov.gtin_alias a ON a.old = i.gtin
           LEFT JOIN quality_gov.lot_item t ON i.lot_code IS NULL AND t.gtin = COALESCE(a.gtin, i.gtin) AND t.serial = i.serial
           CROSS JOIN LATERAL (
             SELECT c.lot_id FROM quality_gov.lot c WHERE c.gtin = COALESCE(a.gtin, i.gtin) AND c.lot_code = i.lot_code
             UNION ALL SELECT t.lot_id WHERE t.lot_id IS NOT NULL) l) o
    WHERE k.child = o.lot_id AND k.source = ANY (joined);
  END IF;
  INSERT INTO quality_gov.lot_link (parent, child, source, quantity, at)
  WITH part AS MATERIALIZED (
    SELECT COALESCE(e.transformation_id, e.event_no::text) AS transformation, e.event_no, e.event_time, p.role, p.lot_id, p.quantity
    FROM quality_gov.epcis_part(members) p
    JOIN quality_gov.epcis_event e ON e.event_no = p.event_no),
  made AS (
    SELECT transformation, array_agg(DISTINCT lot_id) AS lots, count(*) FILTER (WHERE lot_id IS NULL) AS others,
           max(event_no) AS event_no, max(event_time) AS at
    FROM part WHERE role = 'output' GROUP BY transformation),
  used AS (
    SELECT transformation, lot_id, max(event_no) AS event_no, max(event_time) AS at,
           CASE WHEN bool_and(quantity IS NOT NULL) THEN sum(quantity) END AS quantity
    FROM part WHERE role = 'input' AND lot_id IS NOT NULL GROUP BY transformation, lot_id),
  -- Both in the order of their transformation, that one pass of each finds the pairs.
  pair AS (
    SELECT transformation, event_no, at, lot_id, quantity, NULL::bigint[] AS lots, 0::bigint AS others FROM used
    UNION ALL SELECT transformation, event_no, at, NULL, NULL, lots, others FROM made),
  met AS (
    SELECT p.*, count(p.lot_id) OVER w AS inputs, max(p.lots) OVER w AS children, max(p.others) OVER w AS without,
           max(p.event_no) FILTER (WHERE p.lots IS NOT NULL) OVER w AS made_no, max(p.at) FILTER (WHERE p.lots IS NOT NULL) OVER w AS made_at
    FROM pair p WINDOW w AS (PARTITION BY p.transformation))
  SELECT m.lot_id, c.lot_id, GREATEST(m.event_no, m.made_no),
         -- How much of an input went into which of several outputs nobody says.
         CASE WHEN cardinality(m.children) = 1 AND m.without = 0 THEN NULLIF(m.quantity, 0) END, GREATEST(m.at, m.made_at)
  FROM met m CROSS JOIN LATERAL unnest(m.children) AS c (lot_id)
  WHERE m.lot_id IS NOT NULL AND c.lot_id <> m.lot_id
    -- A small document must not fill the disk.
    AND CASE WHEN m.inputs * cardinality(m.children) > 1000000 THEN quality_gov.epcis_links_refuse(m.transformation) ELSE true END
  ORDER BY m.lot_id, c.lot_id
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS linked = ROW_COUNT;
  RETURN linked;
END
$$;
COMMENT ON FUNCTION epcis_links(bigint[]) IS
  'Links the input lots of the transformations that events belong to with their output lots, anew; quantity only where all output is one lot; gives how many links there are; 54000 for more than a million of one transformation';

CREATE FUNCTION epcis_declare(numbers bigint[]) RETURNS text[]
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  wrong bigint[];
  others bigint[];
  ids text[];
BEGIN
  SELECT array_agg(o.event_no ORDER BY o.event_no), array_agg(o.event_id ORDER BY o.event_no) INTO wrong, ids
  FROM quality_gov.epcis_event o
  WHERE NOT o.error_declared AND o.event_id IN (
    SELECT d.event_id FROM unnest(numbers) AS w (event_no)
    JOIN quality_gov.epcis_event d ON d.event_no = w.event_no AND d.error_declared);
  IF wrong IS NULL THEN
    RETURN '{}';
  END IF;
  INSERT INTO quality_gov.lot_event (lot_id, kind, at, party, place, order_id, source, voids)
  SELECT v.lot_id, v.kind, d.declared_at, v.party, v.place, v.order_id, d.event_no, v.event_id
  FROM unnest(wrong) AS w (event_no)
  JOIN quality_gov.epcis_event o ON o.event_no = w.event_no
  JOIN LATERAL (SELECT x.event_no, x.declared_at FROM quality_gov.epcis_event x
                WHERE x.event_id = o.event_id AND x.error_declared ORDER BY x.event_no LIMIT 1) d ON true
  JOIN quality_gov.lot_event v ON v.source = o.event_no AND v.source <> 0 AND v.voids IS NULL
  ORDER BY v.lot_id, v.event_id
  ON CONFLICT DO NOTHING;
  PERFORM quality_gov.epcis_links(wrong);
  DELETE FROM quality_gov.lot_item t
  USING quality_gov.epcis_identifier i
  WHERE i.event_no = ANY (wrong) AND i.serial IS NOT NULL
    AND t.gtin = quality_gov.gtin_current(i.gtin) AND t.serial = i.serial AND t.source = i.event_no;
  -- Another event that stands may give the lot of the same items.
  SELECT array_agg(DISTINCT n.event_no) INTO others
  FROM quality_gov.epcis_identifier i
  CROSS JOIN LATERAL unnest(quality_gov.gtin_names(i.gtin)) AS g (gtin)
  JOIN quality_gov.epcis_identifier n ON n.epc = replace(i.epc, '/01/' || i.gtin, '/01/' || g.gtin)
  WHERE i.event_no = ANY (wrong) AND i.serial IS NOT NULL AND i.lot_code IS NOT NULL
    AND n.lot_code IS NOT NULL AND n.event_no <> ALL (wrong);
  IF others IS NOT NULL THEN
    PERFORM quality_gov.epcis_lots(others, false, true);
  END IF;
  RETURN ids;
END
$$;
COMMENT ON FUNCTION epcis_declare(bigint[]) IS
  'Takes back what the events did that error declarations name: lot events are voided, links and numbered items go; gives the eventIDs taken back';

CREATE FUNCTION epcis_capture(document jsonb, OUT events integer, OUT captured integer, OUT repeated integer,
                              OUT lots integer, OUT links integer, OUT taken_back integer) RETURNS record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
  -- Statements that look rows up among many are planned each time, those that only enter rows are not.
AS $$
DECLARE
  numbers bigint[];
  ids text[];
  digests bytea[];
  places text[];
  declares boolean;
  transforms boolean;
  joined boolean;
  dated boolean;
  numbered boolean;
  undone text[] := '{}';
  content bytea;
  other record;
BEGIN
  IF document IS NULL THEN
    RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  WITH read AS MATERIALIZED (
    SELECT e.*, nextval('quality_gov.epcis_event_event_no_seq') AS event_no FROM quality_gov.epcis_events(document) e),
  added AS (
    INSERT INTO quality_gov.epcis_event (event_no, event_id, digest, type, event_time, zone, action, biz_step, disposition,
      read_point, biz_location, party, source_party, order_id, transformation_id, error_declared, declared_at, made_on,
      expires_on, context, body) OVERRIDING SYSTEM VALUE
    SELECT r.event_no, r.event_id, r.digest, r.type, r.event_time, r.zone, r.action, r.biz_step, r.disposition,
      r.read_point, r.biz_location, r.party, r.source_party, r.order_id, r.transformation_id, r.error_declared,
      r.declared_at, r.made_on, r.expires_on, r.context, r.body
    FROM read r
    -- The order that every capture enters events in, so that two never wait for each other.
    ORDER BY r.event_id COLLATE "C", r.error_declared, r.digest, r.ordinal
    ON CONFLICT DO NOTHING RETURNING event_no)
  SELECT count(*), (SELECT count(*) FROM added), array_agg(r.event_no ORDER BY r.ordinal),
         array_agg(r.event_id ORDER BY r.ordinal) FILTER (WHERE NOT r.error_declared),
         array_agg(r.digest ORDER BY r.ordinal) FILTER (WHERE NOT r.error_declared),
         array_agg(r.path ORDER BY r.ordinal) FILTER (WHERE NOT r.error_declared),
         COALESCE(bool_or(r.error_declared), false), COALESCE(bool_or(r.type = 'TransformationEvent'), false),
         COALESCE(bool_or(r.transformation_id IS NOT NULL), false),
         COALESCE(bool_or(r.made_on IS NOT NULL OR r.expires_on IS NOT NULL), false), sha256(string_agg(r.digest, '' ORDER BY r.ordinal))
  INTO events, captured, numbers, ids, digests, places, declares, transforms, joined, dated, content
  FROM read r;
  repeated := events - captured;
  lots := 0;
  links := 0;
  taken_back := 0;
  IF repeated > 0 THEN
    EXECUTE $query$SELECT e.event_no, e.event_id, u.place
    FROM unnest($1, $2, $3) WITH ORDINALITY AS u (event_id, digest, place, nth)
    JOIN quality_gov.epcis_event e ON e.event_id = u.event_id AND NOT e.error_declared
    WHERE e.digest <> u.digest
    ORDER BY u.nth LIMIT 1$query$ INTO other USING ids, digests, places;
    IF other.event_no IS NOT NULL THEN
      RAISE EXCEPTION 'EPCIS event at % has the eventID "%" of another event, number %', other.place, other.event_id, other.event_no
        USING ERRCODE = 'unique_violation',
          DETAIL = 'Their contents differ, and a second event of the same eventID is one that declares the first an error.',
          HINT = 'Capture the event with an errorDeclaration, then the corrected one under an eventID of its own.';
    END IF;
  END IF;
  IF captured = 0 THEN
    RETURN;
  END IF;
  -- A declaration waits for captures under way of what it may be about, as do parts of one transformation.
  IF declares OR joined THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov epcis', 0));
  ELSE
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('quality_gov epcis', 0));
  END IF;
  WITH named AS (
    INSERT INTO quality_gov.epcis_identifier (event_no, nth, role, uri, epc, gtin, lot_code, serial, quantity, unit)
    SELECT numbers[i.ordinal], i.nth, i.role, i.uri, i.epc, i.gtin, i.lot_code, i.serial, i.quantity, i.unit
    FROM quality_gov.epcis_identifiers(document) i
    -- Of events that were repeated the numbers are of no row.
    WHERE repeated = 0 OR EXISTS (SELECT FROM quality_gov.epcis_event e WHERE e.event_no = numbers[i.ordinal])
    RETURNING serial IS NOT NULL AND lot_code IS NOT NULL AS numbered)
  SELECT COALESCE(bool_or(n.numbered), false) INTO numbered FROM named n;
  lots := quality_gov.epcis_lots(numbers, dated, numbered);
  EXECUTE $query$INSERT INTO quality_gov.lot_event (lot_id, kind, at, quantity, party, place, order_id, note, source)
  SELECT p.lot_id, k.kind, e.event_time,
         CASE WHEN bool_and(p.quantity IS NOT NULL)
              THEN COALESCE(sum(p.quantity) FILTER (WHERE p.serial IS NULL), 0) + count(DISTINCT p.serial) END,
         COALESCE(e.party, e.source_party), COALESCE(e.biz_location, e.read_point), e.order_id, e.biz_step, e.event_no
  FROM quality_gov.epcis_part($1) p
  JOIN quality_gov.epcis_event e ON e.event_no = p.event_no
  CROSS JOIN LATERAL (SELECT quality_gov.epcis_kind(e.type, e.action, e.biz_step, e.disposition, p.role) AS kind) k
  WHERE p.lot_id IS NOT NULL
  GROUP BY e.event_no, p.lot_id, k.kind
  ORDER BY p.lot_id, e.event_no, k.kind$query$ USING numbers;
  IF transforms THEN
    links := quality_gov.epcis_links(numbers);
  END IF;
  IF declares THEN
    undone := quality_gov.epcis_declare(numbers);
    taken_back := cardinality(undone);
  END IF;
  PERFORM quality_gov.ledger_record('epcis_capture', COALESCE(document ->> 'instanceIdentifier', document ->> 'id', ids[1], numbers[1]::text),
    jsonb_strip_nulls(jsonb_build_object('events', events, 'captured', captured, 'lots', lots, 'links', links,
      'first_event_no', numbers[1], 'last_event_no', numbers[events], 'content_sha256', encode(content, 'hex'),
      'creation_date', document -> 'creationDate', 'sender', document -> 'sender',
      'taken_back', CASE WHEN taken_back > 0 THEN to_jsonb(undone) END)));
END
$$;
COMMENT ON FUNCTION epcis_capture(jsonb) IS
  'Stores the events of an EPCIS 2.0 document, all or none, with what they say of lots (lot, lot_item, lot_event, lot_link), one ledger entry a document; events stored before are repeated and change nothing; an error declaration takes back what the event of its eventID did; 22023 names the JSON path and what the standard wants there, 23505 an eventID of another event or an item of another lot';
