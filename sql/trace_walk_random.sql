-- The walk in C against WITH RECURSIVE: random graphs with diamonds, cycles, sources twice over and lots far apart.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- what a walk gives, slowly; steps is the limit of depth
CREATE FUNCTION slow(start bigint, backward boolean, steps int) RETURNS TABLE (lot bigint, depth int, via bigint, quantity numeric, cycle boolean)
LANGUAGE sql AS $$
  WITH RECURSIVE link AS MATERIALIZED (
    SELECT CASE WHEN backward THEN child ELSE parent END AS a, CASE WHEN backward THEN parent ELSE child END AS b, sum(quantity) AS q
    FROM lot_link GROUP BY 1, 2),
  walk(lot, depth) AS (
    SELECT start, 0 UNION SELECT k.b, w.depth + 1 FROM walk w JOIN link k ON k.a = w.lot WHERE w.depth < LEAST(steps, 25)),
  best AS (SELECT w.lot, min(w.depth) FILTER (WHERE w.depth > 0) AS depth, min(w.depth) AS first FROM walk w GROUP BY 1),
  followed AS MATERIALIZED (SELECT k.a, k.b FROM link k JOIN best p ON p.lot = k.a AND p.first < steps),
  leads(a, b) AS (SELECT f.a, f.b FROM followed f UNION SELECT l.a, f.b FROM leads l JOIN followed f ON f.a = l.b)
  SELECT b.lot, b.depth, v.a, v.q, EXISTS (SELECT FROM leads l WHERE l.a = b.lot AND l.b = b.lot)
  FROM best b
  CROSS JOIN LATERAL (SELECT k.a, k.q FROM link k JOIN best p ON p.lot = k.a
                      WHERE k.b = b.lot AND p.first = b.depth - 1 ORDER BY k.a LIMIT 1) v
$$;
CREATE FUNCTION fast(start bigint, backward boolean, steps int, most bigint DEFAULT NULL) RETURNS TABLE (lot bigint, depth int, via bigint, quantity numeric, cycle boolean, more boolean, truncated boolean)
LANGUAGE sql AS $$
  SELECT * FROM trace_forward(start, steps, most) WHERE NOT backward UNION ALL SELECT * FROM trace_backward(start, steps, most) WHERE backward
$$;
-- which lots of a result have links to lots that are not in it
CREATE FUNCTION leaves_out(backward boolean, lots bigint[]) RETURNS bigint[] LANGUAGE sql AS $$
  SELECT array_agg(DISTINCT a ORDER BY a) FROM (
    SELECT CASE WHEN backward THEN child ELSE parent END AS a, CASE WHEN backward THEN parent ELSE child END AS b FROM lot_link) k
  WHERE a = ANY (lots) AND b <> ALL (lots)
$$;
-- what is wrong with walks from a lot, null where nothing is
CREATE FUNCTION wrong(start bigint, backward boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  whole int; bad int; lots bigint[]; marked bigint[]; cut boolean;
BEGIN
  SELECT count(*) INTO bad FROM (SELECT lot, depth, via, quantity, cycle FROM fast(start, backward, NULL)) f
    FULL JOIN slow(start, backward, 25) s USING (lot, depth, via, cycle) WHERE f IS NULL OR s IS NULL OR f.quantity IS DISTINCT FROM s.quantity;
  IF bad > 0 THEN RETURN format('whole walk from %s', start); END IF;
  SELECT count(*), bool_or(more OR truncated) INTO whole, cut FROM fast(start, backward, NULL);
  IF cut OR whole <> (CASE WHEN backward THEN trace_backward_count(start) ELSE trace_forward_count(start) END) THEN RETURN format('count or marks from %s', start); END IF;
  FOR steps IN 1..3 LOOP
    SELECT count(*) INTO bad FROM (SELECT lot, depth, via, quantity, cycle FROM fast(start, backward, steps)) f
      FULL JOIN (SELECT * FROM slow(start, backward, steps)) s USING (lot, depth, via, cycle) WHERE f IS NULL OR s IS NULL OR f.quantity IS DISTINCT FROM s.quantity;
    SELECT array_agg(lot), array_agg(lot ORDER BY lot) FILTER (WHERE more), bool_or(truncated) INTO lots, marked, cut FROM fast(start, backward, steps);
    IF bad > 0 OR marked IS DISTINCT FROM leaves_out(backward, lots) OR cut <> (cardinality(lots) < whole) THEN
      RETURN format('%s steps from %s', steps, start); END IF;
    IF (CASE WHEN backward THEN trace_backward_count(start, steps) ELSE trace_forward_count(start, steps) END) <> cardinality(lots) THEN
      RETURN format('count of %s steps from %s', steps, start); END IF;
  END LOOP;
  FOREACH bad IN ARRAY ARRAY[1, 2, whole / 2 + 1, whole, whole + 1] LOOP
    SELECT array_agg(lot), array_agg(lot ORDER BY lot) FILTER (WHERE more), bool_or(truncated) INTO lots, marked, cut FROM fast(start, backward, NULL, bad);
    IF lots IS DISTINCT FROM (SELECT array_agg(s.lot ORDER BY s.depth, s.via, s.lot) FROM (
         SELECT * FROM slow(start, backward, 25) x ORDER BY x.depth, x.via, x.lot LIMIT bad) s)
       OR marked IS DISTINCT FROM leaves_out(backward, lots) OR cut <> (bad < whole) THEN
      RETURN format('%s rows from %s', bad, start); END IF;
  END LOOP;
  RETURN NULL;
END $$;

SELECT setseed(0.25);
CREATE TABLE seen (graph int, walks int, cyclic int, wrong text);
DO $$
DECLARE
  lots int; apart bigint;
BEGIN
  FOR graph IN 1..40 LOOP
    DELETE FROM lot_link;
    lots := 2 + floor(random() * 18);
    apart := (ARRAY[1, 37, 600, 1000000007, 500000000000000000])[1 + graph % 5];
    -- every third without cycles; quantities of many digits, unknown, of several sources
    INSERT INTO lot_link (parent, child, source, quantity)
    SELECT apart * a, apart * b, c, CASE WHEN random() < 0.7 THEN (random() * 100)::numeric(10, 3) + 0.001 + CASE WHEN random() < 0.1 THEN 1e300 ELSE 0 END END
    FROM (SELECT DISTINCT floor(random() * lots)::bigint - lots / 2 AS a, floor(random() * lots)::bigint - lots / 2 AS b,
                 floor(random() * 3)::bigint AS c FROM generate_series(1, 1 + floor(random() * lots * 2.5)::int)) x
    WHERE a <> b AND (graph % 3 > 0 OR a < b);
    DELETE FROM lot_link WHERE random() < 0.1;
    INSERT INTO seen SELECT graph, count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM trace_forward(s.lot) WHERE cycle)), min(wrong(s.lot, false))
      FROM (SELECT DISTINCT parent AS lot FROM lot_link) s HAVING count(*) > 0;
    INSERT INTO seen SELECT graph, count(*), 0, min(wrong(s.lot, true)) FROM (SELECT DISTINCT child AS lot FROM lot_link) s HAVING count(*) > 0;
    -- the whole graph, too
    INSERT INTO seen SELECT graph, 0, 0, 'trace_cycle' FROM (SELECT array_agg(lot ORDER BY lot) AS c FROM trace_cycle()) t,
      (SELECT array_agg(s.lot ORDER BY s.lot) AS c FROM (SELECT DISTINCT parent AS lot FROM lot_link) s WHERE EXISTS (SELECT FROM trace_forward(s.lot) f WHERE f.lot = s.lot)) u
    WHERE t.c IS DISTINCT FROM u.c;
  END LOOP;
END $$;
SELECT count(*) > 70 AS graphs, sum(walks) > 400 AS walks, sum(cyclic) > 100 AS cyclic FROM seen;
SELECT * FROM seen WHERE wrong IS NOT NULL;

-- many leaves of the index: as left by the deletions, vacuumed, with rows of this transaction, with some taken back
DELETE FROM lot_link;
INSERT INTO lot_link (parent, child, quantity)
SELECT DISTINCT ON (a, b) a, b, 1 + g % 7 FROM (SELECT g, (g / 4) * 13 AS a, (g / 4 + 1 + floor(random() * 700))::bigint * 13 AS b FROM generate_series(1, 12000) g) x;
CREATE FUNCTION differs() RETURNS bigint LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM generate_series(0, 2900, 290) g CROSS JOIN LATERAL (
      WITH RECURSIVE w AS (SELECT child AS lot FROM lot_link WHERE parent = g * 13 UNION SELECT k.child FROM w JOIN lot_link k ON k.parent = w.lot)
      SELECT FROM w FULL JOIN trace_forward(g * 13) f USING (lot) WHERE w.lot IS NULL OR f.depth IS NULL) d
    WHERE EXISTS (SELECT FROM lot_link WHERE parent = g * 13))
  + (SELECT count(*) FROM generate_series(500, 3400, 290) g CROSS JOIN LATERAL (
      WITH RECURSIVE w AS (SELECT parent AS lot FROM lot_link WHERE child = g * 13 UNION SELECT k.parent FROM w JOIN lot_link k ON k.child = w.lot)
      SELECT FROM w FULL JOIN trace_backward(g * 13) f USING (lot) WHERE w.lot IS NULL OR f.depth IS NULL) d
    WHERE EXISTS (SELECT FROM lot_link WHERE child = g * 13))
$$;
SELECT (SELECT count(*) > 2000 FROM trace_forward(13)) AND (SELECT count(*) > 200 FROM trace_backward((SELECT max(child) FROM lot_link))) AS many, differs();
VACUUM lot_link;
SELECT differs();
BEGIN;
DELETE FROM lot_link WHERE parent % 3 = 0;
SAVEPOINT s;
INSERT INTO lot_link (parent, child) SELECT 39 * g, 13 * (g * 3 + 5) FROM generate_series(1, 500) g;
SELECT differs();
ROLLBACK TO s;
UPDATE lot_link SET quantity = 2, source = 7 WHERE parent % 2 = 0;
SELECT differs();
COMMIT;
SELECT differs();
VACUUM lot_link;
SELECT differs();

-- deep and narrow: 200 levels of two lots, each of which goes into both of the next
DELETE FROM lot_link;
INSERT INTO lot_link (parent, child, quantity) SELECT 2 * g + a, 2 * g + 2 + b, 1 FROM generate_series(0, 199) g, generate_series(0, 1) a, generate_series(0, 1) b;
SELECT count(*), max(depth), count(*) FILTER (WHERE depth <> lot / 2) AS wrong_depth, count(*) FILTER (WHERE depth > 1 AND via <> (lot / 2 - 1) * 2) AS wrong_via, bool_or(cycle) AS cycle
FROM trace_forward(0);
SELECT count(*), max(depth) FROM trace_backward(401);
INSERT INTO lot_link (parent, child) VALUES (400, 0);
SELECT count(*), count(*) FILTER (WHERE cycle) AS on_cycle, (SELECT count(*) FROM trace_path(0, 0)) AS round FROM trace_forward(0);

DROP FUNCTION slow, fast, leaves_out, wrong, differs;
DROP TABLE seen;
DROP EXTENSION quality_gov;
