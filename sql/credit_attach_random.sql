-- Random statements on an attached table, with triggers of the platform that write to it, subtransactions that are
-- undone, rows that move: what the log adds up to is what the table says.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2024-01-01' FROM generate_series(0, 9) g;
CREATE SEQUENCE nested START 1000000000;
CREATE TABLE t (id bigint, shop text, bad int, region int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2);
SELECT credit_attach('t', '{"merchant_id": "shop", "ref": "id", "bad": "bad"}', 'complaint', good => 1),
       credit_attach('t', '{"merchant_id": "shop", "ref": "id"}', 'review', 1, 0);
CREATE FUNCTION nest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() > 2 THEN RETURN NULL; END IF;
  IF NEW.id % 3 = 0 THEN UPDATE public.t SET bad = bad + 1 WHERE id = NEW.id; END IF;
  BEGIN
    IF NEW.id % 5 = 0 THEN INSERT INTO public.t VALUES (nextval('public.nested'), 'm-5', 2, 1); END IF;
    IF NEW.id % 7 = 0 THEN RAISE division_by_zero; END IF;
    IF NEW.id % 11 = 0 THEN DELETE FROM public.t WHERE id = NEW.id; END IF;
  EXCEPTION WHEN division_by_zero THEN NULL;
  END;
  RETURN NULL;
END $$;
-- one fires before the attachment's own trigger, one after it
CREATE TRIGGER aa AFTER INSERT ON t FOR EACH ROW WHEN (NEW.id % 2 = 0) EXECUTE FUNCTION nest();
CREATE TRIGGER zz AFTER INSERT ON t FOR EACH ROW WHEN (NEW.id % 2 = 1) EXECUTE FUNCTION nest();
CREATE PROCEDURE step(i bigint) LANGUAGE plpgsql AS $$
DECLARE
  a int := (random() * 1000)::int;
  b int := a + (random() * 20)::int;
  k int := (random() * 9)::int;
BEGIN
  CASE (random() * 6)::int
    WHEN 0 THEN INSERT INTO t SELECT i * 1000 + g, 'm-' || (random() * 9)::int, (random() * 3)::int, 1 + random()::int FROM generate_series(1, k) g;
    WHEN 1 THEN UPDATE t SET bad = bad + 1 WHERE id % 997 BETWEEN a AND b;
    WHEN 2 THEN UPDATE t SET region = 3 - region WHERE id % 997 BETWEEN a AND b;
    WHEN 3 THEN UPDATE t SET shop = 'm-' || k, region = 3 - region, bad = 0 WHERE id % 997 BETWEEN a AND b;
    WHEN 4 THEN DELETE FROM t WHERE id % 997 BETWEEN a AND a + 3;
    WHEN 5 THEN UPDATE t SET shop = CASE WHEN shop IS NULL THEN 'm-1' END WHERE id % 997 BETWEEN a AND a + 4;
    ELSE MERGE INTO t USING (SELECT id, region FROM t WHERE id % 997 BETWEEN a AND b
                             UNION ALL SELECT i * 1000 + 700 + g, 1 FROM generate_series(1, 3) g) s ON t.id = s.id AND t.region = s.region
           WHEN MATCHED AND t.id % 2 = 0 THEN UPDATE SET bad = 2
           WHEN MATCHED THEN DELETE
           WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'm-3', 1, 2);
  END CASE;
  IF random() < 0.15 THEN RAISE division_by_zero; END IF;
EXCEPTION WHEN division_by_zero THEN NULL;
END $$;
SELECT setseed(0.42) \g /dev/null
DO $$ BEGIN
  FOR i IN 1..2000 LOOP
    CALL public.step(i);
    IF i % 37 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$;
SELECT count(*) > 100 AS rows FROM t;
SELECT count(*) > 1000 AS events, count(voids) > 1000 AS voids FROM credit_event;
SELECT id, t.shop, t.bad, e.merchant_id, e.indicator, e.good, e.bad
FROM (SELECT t.*, i.* FROM t, (VALUES ('complaint'), ('review')) i (indicator) WHERE shop IS NOT NULL) t
FULL JOIN (SELECT ref::bigint AS id, indicator, merchant_id, sum(good) AS good, sum(bad) AS bad FROM credit_event
           GROUP BY 1, 2, 3 HAVING sum(good) <> 0 OR sum(bad) <> 0) e USING (id, indicator)
WHERE t.shop IS DISTINCT FROM e.merchant_id
   OR e.bad IS DISTINCT FROM CASE indicator WHEN 'complaint' THEN t.bad ELSE 0 END
   OR e.good IS DISTINCT FROM CASE WHEN indicator = 'review' OR t.bad = 0 THEN 1 ELSE 0 END;
-- every void takes back one event, with its amounts and instant, and is not known before it
SELECT v.event_id FROM credit_event v
WHERE void AND NOT EXISTS (SELECT FROM credit_event e WHERE e.merchant_id = v.merchant_id AND e.event_id = v.voids
                             AND (e.indicator, e.ref, e.good, e.bad, e.at) = (v.indicator, v.ref, -v.good, -v.bad, v.at) AND e.recorded_at <= v.recorded_at);
SELECT * FROM credit_check();
DROP TABLE t;
DROP SEQUENCE nested;
DROP PROCEDURE step;
DROP FUNCTION nest;
DROP EXTENSION quality_gov;
