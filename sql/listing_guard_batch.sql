-- Decisions of a statement are written together, and none is lost, written twice or left behind.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 'absolute wording', 'b', effective => '2026-01-01'),
       listing_rule_add('colour', 'required', '{"fields": ["colour"]}', 'warn', 'say the colour', 'b', effective => '2026-01-01');
CREATE TABLE product (id int PRIMARY KEY, shop text DEFAULT 'm-1', title text, colour text, status text DEFAULT 'live', note text);
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "colour": "colour", "status": "status"}');
-- what is recorded of the listings a condition names: each once, with finding, entry and event
CREATE FUNCTION recorded(lo int, hi int) RETURNS text LANGUAGE sql AS $$
  SELECT format('%s decisions, %s findings, %s entries, %s events, ids in order: %s', count(*), count(DISTINCT f.decision_id), count(DISTINCT l.entry_id), count(DISTINCT e.event_id),
                bool_and(d.decision_id = (l.body ->> 'decision_id')::bigint))
  FROM listing_decision d LEFT JOIN listing_finding f USING (merchant_id, decision_id)
  LEFT JOIN ledger_entry l ON l.kind = 'listing_decision' AND l.body -> 'decision_id' = to_jsonb(d.decision_id) AND l.subject = d.listing_id
  LEFT JOIN credit_event e ON e.ref = d.listing_id AND e.indicator = 'listing' WHERE d.listing_id::int BETWEEN lo AND hi $$;

-- more than fit together, with clean rows between
INSERT INTO product (id, title, colour) SELECT g, 'cup ' || g, CASE WHEN g % 2 = 0 THEN 'red' END FROM generate_series(1, 4600) g;
SELECT recorded(1, 4600);
SELECT count(*) AS wrong FROM listing_decision WHERE listing_id::int % 2 = 0 OR listing ->> 'title' <> 'cup ' || listing_id;
-- ON CONFLICT DO NOTHING of a dirty row leaves nothing; the clean row after it is clean
INSERT INTO product (id, title) VALUES (1, 'cup') ON CONFLICT DO NOTHING;
INSERT INTO product (id, title, colour) VALUES (1, 'cup', NULL), (4601, 'cup', 'red') ON CONFLICT DO NOTHING;
SELECT recorded(1, 4601);
-- an update of many: most change nothing found, some become clean, one becomes dirty
UPDATE product SET title = title || '!', colour = CASE WHEN id IN (3, 5, 7) THEN 'red' WHEN id <> 8 THEN colour END WHERE id BETWEEN 1 AND 2000;
SELECT listing_id, verdict FROM listing_decision WHERE operation = 'UPDATE' ORDER BY decision_id;
-- upserts and MERGE: rows that are stored and rows that are changed, each judged as what it became
INSERT INTO product (id, title, colour) VALUES (5000, 'new', NULL), (9, 'old', 'red'), (11, 'old', NULL) ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, colour = EXCLUDED.colour;
SELECT operation, listing_id, verdict FROM listing_decision WHERE listing_id IN ('5000', '9', '11') ORDER BY decision_id;
MERGE INTO product p USING (VALUES (13, 'red'), (5001, NULL)) v(id, colour) ON p.id = v.id WHEN MATCHED THEN UPDATE SET colour = v.colour
  WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id, 'merged');
SELECT operation, listing_id, verdict FROM listing_decision WHERE listing_id IN ('13', '5001') ORDER BY decision_id;
COPY product (id, title, colour) FROM STDIN;
5002	cup	\N
5003	cup	red
\.
WITH a AS (INSERT INTO product (id, title) VALUES (5004, 'cup') RETURNING id), b AS (UPDATE product SET colour = NULL WHERE id = 5003 RETURNING id)
INSERT INTO product (id, title) SELECT id + 100, 'cup' FROM a;
SELECT operation, listing_id, verdict FROM listing_decision WHERE listing_id::int BETWEEN 5002 AND 5104 ORDER BY decision_id;

-- savepoints and exception blocks: what is rolled back is not recorded, what is kept is
BEGIN;
INSERT INTO product (id, title) VALUES (6000, 'cup');
SAVEPOINT s;
INSERT INTO product (id, title) VALUES (6001, 'cup');
ROLLBACK TO s;
INSERT INTO product (id, title) VALUES (6002, 'cup'), (6003, 'best');
ROLLBACK TO s;
INSERT INTO product (id, title) VALUES (6004, 'cup');
COMMIT;
DO $$
BEGIN
  INSERT INTO product (id, title) VALUES (6005, 'cup');
  BEGIN
    INSERT INTO product (id, title) VALUES (6006, 'cup'), (6007, 'best');
  EXCEPTION WHEN SQLSTATE 'QG401' THEN NULL;
  END;
  INSERT INTO product (id, title) VALUES (6008, 'cup');
END $$;
SELECT listing_id FROM listing_decision WHERE listing_id::int BETWEEN 6000 AND 6999 ORDER BY decision_id;

-- a trigger of the platform writes to the same table, inside a block that may fail
CREATE FUNCTION twin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.note = 'twin' THEN
    BEGIN
      INSERT INTO product (id, title) VALUES (NEW.id + 500, 'cup');
      UPDATE product SET colour = 'red' WHERE id = NEW.id;
      IF NEW.id % 2 = 1 THEN RAISE EXCEPTION 'odd'; END IF;
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER zz_twin AFTER INSERT ON product FOR EACH ROW EXECUTE FUNCTION twin();
INSERT INTO product (id, title, note) SELECT g, 'cup', 'twin' FROM generate_series(7000, 7003) g;
SELECT p.id, p.colour, d.operation, d.verdict FROM product p LEFT JOIN listing_decision d ON d.listing_id::int = p.id WHERE p.id BETWEEN 7000 AND 7999 ORDER BY p.id, d.decision_id;
DROP TRIGGER zz_twin ON product;

-- a later BEFORE trigger spoils a title that was clean, or mends one that was dirty
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.note = 'spoil' THEN NEW.colour := NULL; ELSIF NEW.note = 'mend' THEN NEW.colour := 'red'; END IF; RETURN NEW; END $$;
CREATE TRIGGER zzz_change BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION change();
INSERT INTO product (id, title, colour, note) VALUES (8000, 'cup', 'red', 'spoil'), (8001, 'cup', NULL, 'mend'), (8002, 'cup', 'red', NULL);
-- an earlier one is seen by the guard; a disabled one changes nothing
ALTER TRIGGER zzz_change ON product RENAME TO aaa_change;
INSERT INTO product (id, title, colour, note) VALUES (8003, 'cup', 'red', 'spoil'), (8004, 'cup', NULL, 'mend'), (8005, 'cup', NULL, NULL);
DROP TRIGGER aaa_change ON product;
SELECT listing_id, verdict FROM listing_decision WHERE listing_id::int BETWEEN 8000 AND 8999 ORDER BY decision_id;

-- a part of the guard is switched off: the others do its work where they can
ALTER TABLE product DISABLE TRIGGER zz_quality_gov_listing_before;
INSERT INTO product (id, title) VALUES (9000, 'best');
INSERT INTO product (id, title) VALUES (9001, 'cup');
ALTER TABLE product ENABLE TRIGGER zz_quality_gov_listing_before;
ALTER TABLE product DISABLE TRIGGER quality_gov_listing_end;
INSERT INTO product (id, title) VALUES (9002, 'cup');
ALTER TABLE product ENABLE TRIGGER quality_gov_listing_end;
ALTER TABLE product DISABLE TRIGGER quality_gov_listing_begin;
INSERT INTO product (id, title) VALUES (9003, 'cup');
ALTER TABLE product ENABLE TRIGGER quality_gov_listing_begin;
SELECT recorded(9000, 9003);
-- a part that fires for replicated rows only is off for others, though another table's rows were judged
CREATE TABLE other (LIKE product INCLUDING DEFAULTS);
SELECT guard_listing('other', '{"listing_id": "id", "merchant_id": "shop", "title": "title"}');
ALTER TABLE product ENABLE REPLICA TRIGGER zz_quality_gov_listing_before;
BEGIN;
INSERT INTO other (id, title) VALUES (9004, 'cup');
INSERT INTO product (id, title) VALUES (9005, 'best');
ROLLBACK;
ALTER TABLE product ENABLE TRIGGER zz_quality_gov_listing_before;
DROP TABLE other;
-- the incident switch turned inside a statement: what BEFORE has let pass AFTER judges
CREATE FUNCTION turn(mode text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT set_config('quality_gov.guard_mode', mode, false) $$;
SET quality_gov.guard_mode = off;
INSERT INTO product (id, title) SELECT 9010, 'cup' FROM turn('off') UNION ALL SELECT 9011, turn('enforce');
SELECT listing_id, guard_mode FROM listing_decision WHERE listing_id::int BETWEEN 9010 AND 9011 ORDER BY 1;
-- the statement's end is not heard of after all: the commit writes
INSERT INTO product (id, title) SELECT 9020, 'cup' || set_config('session_replication_role', 'replica', false) FROM (SELECT 1 OFFSET 0) x;
RESET session_replication_role;
INSERT INTO product (id, title) SELECT 9021, 'cup' UNION ALL SELECT 9022, set_config('session_replication_role', 'replica', false);
RESET session_replication_role;
SELECT listing_id FROM listing_decision WHERE listing_id::int BETWEEN 9020 AND 9029 ORDER BY 1;

SELECT count(*) AS undecided FROM product p WHERE colour IS NULL AND id NOT IN (9020, 9022) AND NOT EXISTS (SELECT FROM listing_decision d WHERE d.listing_id::int = p.id);
SELECT * FROM integrity_check();
SELECT * FROM credit_check();
DROP TABLE product;
DROP FUNCTION recorded, twin, change, turn;
DROP EXTENSION quality_gov;
