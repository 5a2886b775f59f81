
-- trace: where a lot went, and what it came from

CREATE FUNCTION trace_forward(lot bigint, max_depth integer DEFAULT NULL, max_rows bigint DEFAULT NULL,
    OUT lot bigint, OUT depth integer, OUT via bigint, OUT quantity numeric, OUT cycle boolean, OUT more boolean,
    OUT truncated boolean) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_trace_forward' LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION trace_forward(bigint, integer, bigint) IS
  'Lots that a lot went into, over any number of links, each once: depth of a shortest path, via the smallest lot before it on one, quantity of that lot that went into it (null: not known), whether it lies on a cycle; more: it leads to lots that a limit left out, truncated: any lot does; a lot that does not exist is an error (P0002)';

CREATE FUNCTION trace_backward(lot bigint, max_depth integer DEFAULT NULL, max_rows bigint DEFAULT NULL,
    OUT lot bigint, OUT depth integer, OUT via bigint, OUT quantity numeric, OUT cycle boolean, OUT more boolean,
    OUT truncated boolean) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_trace_backward' LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION trace_backward(bigint, integer, bigint) IS
  'Lots that went into a lot, over any number of links; as trace_forward(), quantity: of the lot that went into via';

CREATE FUNCTION trace_forward_count(lot bigint, max_depth integer DEFAULT NULL) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_trace_forward_count' LANGUAGE c STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION trace_forward_count(bigint, integer) IS
  'How many lots a lot went into, within a number of steps or at all: the number of rows of trace_forward()';

CREATE FUNCTION trace_backward_count(lot bigint, max_depth integer DEFAULT NULL) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_trace_backward_count' LANGUAGE c STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION trace_backward_count(bigint, integer) IS
  'How many lots went into a lot, within a number of steps or at all: the number of rows of trace_backward()';

CREATE FUNCTION trace_path_lots(source bigint, target bigint) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'qg_trace_path_lots' LANGUAGE c STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION trace_path_lots(bigint, bigint) IS
  'Lots of a shortest path of links from one lot to another, both included, or null where none leads there; of a lot to itself a shortest cycle';

CREATE FUNCTION trace_path(source bigint, target bigint, OUT step integer, OUT lot bigint, OUT quantity numeric)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT p.n::integer - 1, p.lot,
         (SELECT sum(k.quantity) FROM quality_gov.lot_link k WHERE k.parent = p.previous AND k.child = p.lot)
  FROM (SELECT u.n, u.lot, lag(u.lot) OVER (ORDER BY u.n) AS previous
        FROM unnest(quality_gov.trace_path_lots(source, target)) WITH ORDINALITY u(lot, n)) p
  ORDER BY p.n
$$;
COMMENT ON FUNCTION trace_path(bigint, bigint) IS
  'One shortest path from a lot to a lot that it went into: the steps from 0, the lot, and how much of the lot before went into it; no rows where none leads there; of a lot to itself a shortest cycle';

CREATE FUNCTION trace_cycle(OUT lot bigint, OUT cycle bigint, OUT lots bigint) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'qg_trace_cycle' LANGUAGE c STABLE PARALLEL SAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION trace_cycle() IS
  'Lots from which links lead back to themselves; of those that lead to one another, cycle is the smallest and lots their number; reads every link';
