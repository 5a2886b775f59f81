
-- trace: a recall rehearsed, with no side effect

CREATE FUNCTION recall_drill_extent(lot bigint) RETURNS recall_extent[]
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT array_agg(ROW(l.gtin, l.lot_code, NULL, NULL, NULL, t.depth, t.via)::quality_gov.recall_extent ORDER BY t.depth, l.lot_id)
  FROM quality_gov.lot first
  CROSS JOIN LATERAL (SELECT first.lot_id AS lot, 0 AS depth, NULL::bigint AS via
                      UNION ALL SELECT f.lot, f.depth, f.via FROM quality_gov.trace_forward(first.lot_id) f WHERE f.lot <> first.lot_id) t
  JOIN quality_gov.lot l ON l.lot_id = t.lot
  WHERE first.lot_id = recall_drill_extent.lot
$$;
COMMENT ON FUNCTION recall_drill_extent(bigint) IS 'What a recall of a lot would be about: it and every lot it went into';

CREATE FUNCTION recall_drill_lots(lot bigint, at timestamptz DEFAULT now()) RETURNS SETOF recall_figure
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT f.* FROM quality_gov.recall_figures(quality_gov.recall_drill_extent(lot), NULL, at) f ORDER BY f.depth NULLS LAST, f.gtin, f.lot_code
$$;
COMMENT ON FUNCTION recall_drill_lots(bigint, timestamptz) IS
  'Figures, as recall_progress() has them, of a lot and every lot it went into, without any recall: nothing is written';

CREATE FUNCTION recall_drill(lot bigint, at timestamptz DEFAULT now(),
    OUT lots bigint, OUT levels integer, OUT merchants bigint, OUT order_lines bigint, OUT open_lines bigint, OUT buyers bigint,
    OUT reachable_lines bigint, OUT unreachable_lines bigint, OUT figures jsonb, OUT elapsed_ms numeric)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  began timestamptz := clock_timestamp();
  goods quality_gov.recall_extent[] := quality_gov.recall_drill_extent(lot);
BEGIN
  IF goods IS NULL THEN
    RAISE EXCEPTION 'lot % does not exist', COALESCE(lot::text, 'null') USING ERRCODE = 'no_data_found',
      HINT = 'quality_gov.lot_find(gtin, lot_code) tells the lot, null where there is none.';
  END IF;
  IF at IS NULL THEN
    RAISE EXCEPTION 'a drill needs an instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT count(*), max(x.depth) INTO lots, levels FROM unnest(goods) AS x;
  SELECT count(DISTINCT n.merchant_id), count(*), count(*) FILTER (WHERE n.open), count(DISTINCT n.buyer),
         count(*) FILTER (WHERE n.buyer <> ''), count(*) FILTER (WHERE n.buyer IS NULL OR n.buyer = '')
  INTO merchants, order_lines, open_lines, buyers, reachable_lines, unreachable_lines
  FROM quality_gov.recall_progress_line(goods, at) n WHERE n.state NOT IN ('cancelled', 'returned');
  SELECT jsonb_agg(to_jsonb(t) ORDER BY t.unit NULLS FIRST, t.made_known DESC) INTO figures
  FROM (SELECT f.unit, f.made IS NOT NULL AS made_known, count(*) AS lots, sum(f.made) AS made, sum(f.in_stock) AS in_stock, sum(f.used) AS used,
               sum(f.sold) AS sold, sum(f.open) AS open, sum(f.shipped) AS shipped, sum(f.destroyed_in_stock) AS destroyed_in_stock,
               sum(f.unaccounted) AS unaccounted
        FROM quality_gov.recall_figures(goods, NULL, at) f GROUP BY f.unit, f.made IS NOT NULL) t;
  elapsed_ms := round(extract(epoch FROM clock_timestamp() - began) * 1000, 3);
END
$$;
COMMENT ON FUNCTION recall_drill(bigint, timestamptz) IS
  'What a recall of a lot would come to, with no side effect, also on a standby: lots reached and levels below it, merchants, order lines, those not shipped yet, buyers, lines with and without a buyer of record, figures by unit (a JSON array) and the time it took in milliseconds';

CREATE FUNCTION recall_drill(gtin gtin, lot_code text, at timestamptz DEFAULT now(),
    OUT lots bigint, OUT levels integer, OUT merchants bigint, OUT order_lines bigint, OUT open_lines bigint, OUT buyers bigint,
    OUT reachable_lines bigint, OUT unreachable_lines bigint, OUT figures jsonb, OUT elapsed_ms numeric)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  lot bigint := quality_gov.lot_find(gtin, lot_code);
BEGIN
  IF lot IS NULL THEN
    RAISE EXCEPTION 'lot % of GTIN % does not exist', COALESCE(lot_code, 'null'), COALESCE(gtin::text, 'null') USING ERRCODE = 'no_data_found';
  END IF;
  SELECT d.* INTO lots, levels, merchants, order_lines, open_lines, buyers, reachable_lines, unreachable_lines, figures, elapsed_ms
  FROM quality_gov.recall_drill(lot, at) d;
END
$$;
COMMENT ON FUNCTION recall_drill(gtin, text, timestamptz) IS 'recall_drill() of a lot by its GTIN and lot code; with two literals name the arguments, recall_drill(gtin => …, lot_code => …)';

CREATE TABLE recall_drill_run (
  run_id bigint GENERATED ALWAYS AS IDENTITY,
  lot_id bigint NOT NULL,
  gtin gtin NOT NULL,
  lot_code text NOT NULL,
  at timestamptz NOT NULL,
  result jsonb NOT NULL,
  elapsed_ms numeric NOT NULL,
  note text,
  role text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT recall_drill_run_pkey PRIMARY KEY (run_id),
  CONSTRAINT recall_drill_run_elapsed_ms CHECK (elapsed_ms >= 0),
  CONSTRAINT recall_drill_run_result CHECK (jsonb_typeof(result) = 'object')
);
COMMENT ON TABLE recall_drill_run IS
  'Drills that were recorded, as evidence of how fast goods can be found: lot, instant, what recall_drill() answered, the milliseconds it took, by which role; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_drill_run', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_drill_run_run_id_seq', '');
CREATE TRIGGER recall_drill_run_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_drill_run
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION recall_drill_record(lot bigint, at timestamptz DEFAULT now(), note text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  d record;
  run bigint;
BEGIN
  SELECT * INTO d FROM quality_gov.recall_drill(lot, at);
  IF NOT isfinite(at) THEN
    RAISE EXCEPTION 'a recorded drill needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO quality_gov.recall_drill_run (lot_id, gtin, lot_code, at, result, elapsed_ms, note, role)
  SELECT l.lot_id, l.gtin, l.lot_code, recall_drill_record.at, to_jsonb(d) - 'elapsed_ms', d.elapsed_ms, recall_drill_record.note, session_user
  FROM quality_gov.lot l WHERE l.lot_id = recall_drill_record.lot RETURNING run_id INTO run;
  PERFORM quality_gov.ledger_record('recall_drill', 'lot ' || lot, jsonb_build_object('run_id', run, 'at', at, 'elapsed_ms', d.elapsed_ms));
  RETURN run;
END
$$;
COMMENT ON FUNCTION recall_drill_record(bigint, timestamptz, text) IS
  'Runs recall_drill(), keeps its answer and the time it took in recall_drill_run, and gives the run_id';
