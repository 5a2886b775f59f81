-- An attached table: what its rows become, however they are written, and what is refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2024-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2024-01-01');
CREATE TABLE sale (id int, shop text, at timestamptz DEFAULT '2024-02-01', known timestamptz DEFAULT '2024-02-01', late float8 DEFAULT 0,
                   region int DEFAULT 1, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE sale_1 PARTITION OF sale FOR VALUES IN (1);
CREATE TABLE sale_2 PARTITION OF sale FOR VALUES IN (2);
SELECT credit_attach('sale', '{"merchant_id": "shop", "at": "at", "recorded_at": "known", "ref": "id"}', 'complaint', good => 1, bad => 0),
       credit_attach('sale', '{"merchant_id": "shop", "at": "at", "recorded_at": "known", "ref": "id", "bad": "late"}', 'fulfilment', good => 1);
CREATE VIEW standing AS
  SELECT e.ref::int AS ref, e.merchant_id AS merchant, e.indicator, sum(e.good) AS good, sum(e.bad) AS bad, count(*) FILTER (WHERE NOT void) AS events, count(*) FILTER (WHERE void) AS voids
  FROM credit_event e GROUP BY 1, 2, 3;
CREATE VIEW total AS SELECT merchant_id, indicator, sum(good) AS good, sum(bad) AS bad, count(*) AS events, count(DISTINCT event_id) = count(*) AS distinct_ids FROM credit_event GROUP BY 1, 2;

-- 10,000 rows by COPY, an INSERT that goes on, a partition that is named itself
\copy sale (id, shop, late) FROM PROGRAM 'awk "BEGIN { for (i = 1; i <= 10000; i++) print i \",m-\" (i % 2 + 1) \",\" (i % 4 == 0) }"' WITH (FORMAT csv)
INSERT INTO sale (id, shop) VALUES (10001, 'm-1'), (10002, NULL) ON CONFLICT DO NOTHING;
INSERT INTO sale (id, shop) VALUES (10001, 'm-2') ON CONFLICT DO NOTHING;
INSERT INTO sale_2 (id, shop, region) VALUES (10003, 'm-1', 2);
SELECT * FROM total ORDER BY 1, 2;
-- ids follow the rows
SELECT count(*) AS out_of_order FROM (SELECT ref::int < lag(ref::int) OVER (ORDER BY event_id) AS wrong FROM credit_event WHERE indicator = 'complaint') x WHERE wrong;

-- a row that changes is voided and entered anew: other values, another shop, another partition, another key
UPDATE sale SET late = 1 WHERE id IN (1, 2);
UPDATE sale SET shop = 'm-2' WHERE id = 1;
UPDATE sale SET region = 2 WHERE id = 2;
UPDATE sale SET id = 20003 WHERE id = 3;
UPDATE sale SET note = 'x', region = region WHERE id = 5;
DELETE FROM sale WHERE id = 4;
SELECT * FROM standing WHERE ref IN (1, 2, 3, 4, 5, 20003) ORDER BY 1, 2, 3;
-- what a change enters is known from the void on, also where the row went to another partition
SELECT e.indicator, e.ref, e.recorded_at = v.recorded_at AS known_with_the_void, e.at FROM credit_event e JOIN credit_event v ON v.merchant_id = e.merchant_id AND v.xid = e.xid AND v.indicator = e.indicator
WHERE e.ref = '2' AND v.ref = '2' AND v.void AND NOT e.void ORDER BY 1;
-- one statement that inserts, updates and deletes; the same row twice
MERGE INTO sale s USING (VALUES (6, 'm-1'), (7, NULL), (30001, 'm-2')) n (id, shop) ON s.id = n.id AND s.region = 1
  WHEN MATCHED AND n.shop IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET late = 3 WHEN NOT MATCHED THEN INSERT (id, shop) VALUES (n.id, n.shop);
INSERT INTO sale (id, shop, late) VALUES (6, 'm-1', 5), (30002, 'm-1', 0) ON CONFLICT (id, region) DO UPDATE SET late = EXCLUDED.late;
WITH gone AS (DELETE FROM sale WHERE id = 8 RETURNING id, shop) INSERT INTO sale (id, shop, late) SELECT id + 30000, shop, 7 FROM gone;
SELECT * FROM standing WHERE ref IN (6, 7, 8, 30001, 30002, 30008) AND indicator = 'fulfilment' ORDER BY 1, 2;
SELECT * FROM credit_check();

-- triggers of the platform that write to the same table before ours has seen the row, one of which is undone
CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    INSERT INTO public.sale (id, shop, late) VALUES (NEW.id + 1000, NEW.shop, 1);
    UPDATE public.sale SET late = late + 1 WHERE id = NEW.id;
    IF NEW.id % 2 = 1 THEN RAISE division_by_zero; END IF;
  EXCEPTION WHEN division_by_zero THEN NULL;
  END;
  RETURN NULL;
END $$;
CREATE TRIGGER echo AFTER INSERT ON sale FOR EACH ROW WHEN (NEW.id IN (40001, 40002)) EXECUTE FUNCTION echo();
CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.sale WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER drop_it AFTER INSERT ON sale FOR EACH ROW WHEN (NEW.id = 40004) EXECUTE FUNCTION drop_it();
INSERT INTO sale (id, shop) VALUES (40001, 'm-1'), (40002, 'm-1'), (40003, 'm-1'), (40004, 'm-1');
SELECT * FROM standing WHERE ref > 40000 AND indicator = 'fulfilment' ORDER BY 1;
-- an error in the middle leaves nothing, and the next statement begins anew
BEGIN;
INSERT INTO sale (id, shop) VALUES (50001, 'm-1');
SAVEPOINT s;
INSERT INTO sale (id, shop) VALUES (50002, 'm-1'), (50003, 'ghost');
ROLLBACK TO s;
INSERT INTO sale (id, shop) VALUES (50004, 'm-2');
DELETE FROM sale WHERE id = 50001;
INSERT INTO sale (id, shop) VALUES (50001, 'm-2');
COMMIT;
SELECT * FROM standing WHERE ref > 50000 ORDER BY 1, 2, 3;
-- rows of a cascade, and of a trigger deferred to the commit
CREATE TABLE buyer (id int PRIMARY KEY);
CREATE TABLE claim (id int PRIMARY KEY, buyer int REFERENCES buyer ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, shop text);
SELECT credit_attach('claim', '{"merchant_id": "shop", "ref": "id"}', 'review');
INSERT INTO buyer VALUES (1), (2);
INSERT INTO claim VALUES (60001, 1, 'm-1'), (60002, 1, 'm-1'), (60003, 2, 'm-1');
DELETE FROM buyer WHERE id = 1;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM buyer WHERE id = 2;
COMMIT;
SELECT * FROM standing WHERE indicator = 'review' ORDER BY 1;
-- two rows of one ref are two events, and each goes for itself
CREATE TABLE remark (order_id int, shop text, made timestamptz);
SELECT credit_attach('remark', '{"merchant_id": "shop", "ref": "order_id", "at": "made"}', 'service');
INSERT INTO remark VALUES (1, 'm-1', '2024-03-01'), (1, 'm-1', '2024-03-05');
DELETE FROM remark WHERE made = '2024-03-01';
SELECT at, bad, voids IS NOT NULL AS void FROM credit_event WHERE indicator = 'service' ORDER BY event_id;
DELETE FROM remark;
-- what an administrator took back is not taken back again
INSERT INTO remark VALUES (2, 'm-1', '2024-03-07');
SELECT count(credit_event_void('m-1', (SELECT max(event_id) FROM credit_event))) AS by_hand;
UPDATE remark SET shop = 'm-2';
DELETE FROM remark;
SELECT merchant_id, count(*), sum(bad) AS bad FROM credit_event WHERE indicator = 'service' GROUP BY 1;
SELECT * FROM credit_check();

-- each refusal names the column
\set VERBOSITY default
INSERT INTO sale (id, shop) VALUES (70001, 'ghost');
INSERT INTO sale (id, shop, at, known) VALUES (70001, 'm-1', '2023-12-31', '2024-02-01');
INSERT INTO sale (id, shop, at, known) VALUES (70001, 'm-1', '2024-03-02', '2024-03-01');
INSERT INTO sale (id, shop, at) VALUES (70001, 'm-1', 'infinity');
INSERT INTO sale (id, shop, late) VALUES (70001, 'm-1', 'NaN');
INSERT INTO sale (id, shop, late) VALUES (70001, 'm-1', -1);
UPDATE sale SET late = 'infinity' WHERE id = 10;
\set VERBOSITY sqlstate
INSERT INTO remark VALUES (3, 'm-1', '9999-01-01');
\set VERBOSITY default
INSERT INTO sale (id, shop, late) VALUES (70001, NULL, 'NaN'), (70002, 'm-1', NULL);
SELECT merchant_id, good, bad FROM credit_event WHERE ref = '70002' ORDER BY indicator;
-- without a ref a row counts once, also where it moves
CREATE TABLE chat (id int, shop text, region int) PARTITION BY LIST (region);
CREATE TABLE chat_1 PARTITION OF chat FOR VALUES IN (1);
CREATE TABLE chat_2 PARTITION OF chat FOR VALUES IN (2);
SELECT credit_attach('chat', '{"merchant_id": "shop"}', 'violation');
INSERT INTO chat VALUES (1, 'm-1', 1), (2, 'm-1', 1);
UPDATE chat SET region = 2 WHERE id = 1;
INSERT INTO chat VALUES (3, 'm-1', 2);
SELECT count(*) AS rows, (SELECT count(*) FROM credit_event WHERE indicator = 'violation') AS events FROM chat;
-- an instant that is missing is the statement's; one of this statement is known at once
INSERT INTO remark VALUES (4, 'm-1', NULL), (5, 'm-1', clock_timestamp());
SELECT ref, at = recorded_at AS known_at_once, at > '2024-04-01' AS now FROM credit_event WHERE indicator = 'service' AND ref IN ('4', '5') ORDER BY ref;
-- triggers that are not heard at the end of a statement do not lose events
ALTER TABLE remark DISABLE TRIGGER quality_gov_credit_service_end;
INSERT INTO remark VALUES (6, 'm-1', '2024-05-01'), (7, 'm-1', '2024-05-01');
ALTER TABLE remark ENABLE TRIGGER quality_gov_credit_service_end, DISABLE TRIGGER quality_gov_credit_service_begin;
INSERT INTO remark VALUES (8, 'm-1', '2024-05-01'), (9, 'm-1', '2024-05-01');
SELECT string_agg(ref, ' ' ORDER BY event_id) AS refs FROM credit_event WHERE at = '2024-05-01';
SELECT * FROM credit_check();
SELECT guard_remove('remark'), guard_remove('sale');
DROP TABLE sale, claim, buyer, remark, chat CASCADE;
DROP FUNCTION echo, drop_it;
DROP EXTENSION quality_gov CASCADE;
