-- protected tables: statements inside one another, whose entries come in another order than their changes
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
CREATE SCHEMA shop;
SET search_path = shop, quality_gov, public;
CREATE TABLE plain (id int PRIMARY KEY, what text NOT NULL, n int);
CREATE TABLE parts (id int PRIMARY KEY, what text NOT NULL, n int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
SELECT ledger_protect('plain'), ledger_protect('parts');
CREATE FUNCTION run(statement text) RETURNS TABLE (label text, status text, reason text, entries bigint) LANGUAGE plpgsql AS $$
DECLARE t text; before bigint; BEGIN
  FOREACH t IN ARRAY '{plain,parts}'::text[] LOOP
    before := (SELECT count(*) FROM quality_gov.ledger_entry);
    EXECUTE replace(statement, '@', t);
    RETURN QUERY SELECT v.scope, v.status, v.reason, (SELECT count(*) FROM quality_gov.ledger_entry) - before FROM quality_gov.ledger_verify('shop.' || t) v;
  END LOOP;
END $$;

-- a trigger of the row that changes the row again, another row, or takes it away and brings it back
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF pg_trigger_depth() > 1 THEN RETURN NULL; END IF;
  EXECUTE format(CASE NEW.what WHEN 'self' THEN 'UPDATE shop.%1$I SET n = 0 WHERE id = $1' WHEN 'next' THEN 'UPDATE shop.%1$I SET n = COALESCE(n, 0) + 1 WHERE id = $1 + 1'
    WHEN 'all' THEN 'UPDATE shop.%1$I SET n = $1' WHEN 'gone' THEN 'DELETE FROM shop.%1$I WHERE id = $1' WHEN 'away' THEN 'UPDATE shop.%1$I SET id = id + 50 WHERE id = $1'
    WHEN 'anew' THEN 'DELETE FROM shop.%1$I WHERE id = $1' ELSE 'SELECT $1' END, TG_ARGV[0]) USING NEW.id;
  IF NEW.what = 'anew' THEN EXECUTE format('INSERT INTO shop.%I VALUES ($1, ''renewed'', $1)', TG_ARGV[0]) USING NEW.id; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER a_before_ours AFTER INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION again('plain');
CREATE TRIGGER a_before_ours AFTER INSERT OR UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION again('parts');
SELECT * FROM run($$INSERT INTO @ VALUES (1, 'self', 9)$$);
SELECT * FROM run($$INSERT INTO @ VALUES (2, 'next', 9), (3, 'x', 9)$$);
SELECT * FROM run($$INSERT INTO @ VALUES (4, 'all', 9), (5, 'all', 9), (6, 'all', 9)$$);
SELECT * FROM run($$INSERT INTO @ VALUES (7, 'gone', 9), (8, 'anew', 9), (9, 'away', 9)$$);
SELECT * FROM run($$UPDATE @ SET what = 'self'$$);
SELECT * FROM run($$UPDATE @ SET what = 'next'$$);
SELECT * FROM run($$UPDATE @ SET what = 'anew'$$);
SELECT * FROM run($$UPDATE @ SET what = 'gone' WHERE id < 5$$);
SELECT * FROM run($$UPDATE @ SET what = 'away', id = id + 1000 - 1000$$);
SELECT * FROM run($$UPDATE @ SET id = id + 40, what = 'x' WHERE id BETWEEN 55 AND 70$$);
DROP TRIGGER a_before_ours ON plain; DROP TRIGGER a_before_ours ON parts;

-- a trigger before the row: it suppresses it, changes it, or makes room for it
CREATE FUNCTION early() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.what = 'skip' THEN RETURN NULL; END IF;
  IF NEW.what = 'change' THEN NEW.n := 77; END IF;
  IF NEW.what = 'room' THEN EXECUTE format('DELETE FROM shop.%I WHERE id IN ($1, $1 - 1)', TG_ARGV[0]) USING NEW.id; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER early BEFORE INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION early('plain');
CREATE TRIGGER early BEFORE INSERT OR UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION early('parts');
SELECT * FROM run($$INSERT INTO @ VALUES (11, 'skip', 1), (12, 'change', 1), (13, 'x', 1)$$);
SELECT * FROM run($$INSERT INTO @ VALUES (12, 'room', 1), (14, 'x', 1), (15, 'room', 2), (16, 'x', 1)$$);
SELECT * FROM plain WHERE id BETWEEN 11 AND 16 ORDER BY id;
SELECT * FROM run($$UPDATE @ SET what = 'skip'$$);
DROP TRIGGER early ON plain; DROP TRIGGER early ON parts;

-- deleted and brought back by a trigger; functions in a query; errors that are caught
CREATE FUNCTION undelete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('INSERT INTO shop.%I VALUES ($1, ''kept'')', TG_ARGV[0]) USING OLD.id; RETURN NULL; END $$;
CREATE TRIGGER a_undelete AFTER DELETE ON plain FOR EACH ROW EXECUTE FUNCTION undelete('plain');
CREATE TRIGGER a_undelete AFTER DELETE ON parts FOR EACH ROW EXECUTE FUNCTION undelete('parts');
SELECT * FROM run($$DELETE FROM @ WHERE id < 16$$);
DROP TRIGGER a_undelete ON plain; DROP TRIGGER a_undelete ON parts;
CREATE FUNCTION touch(t text, id int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('UPDATE shop.%I SET n = $1 WHERE id = $1', t) USING id - 1; RETURN id; END $$;
SELECT * FROM run($$INSERT INTO @ SELECT touch('@', g), 'f' FROM generate_series(20, 25) g$$);
CREATE FUNCTION fail(t text, id int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('UPDATE shop.%I SET n = 5', t); EXECUTE format('INSERT INTO shop.%I VALUES (20, ''twice'')', t); RETURN 0;
  EXCEPTION WHEN unique_violation THEN RETURN id; END $$;
SELECT * FROM run($$INSERT INTO @ SELECT fail('@', g), 'f' FROM generate_series(30, 32) g$$);
SELECT * FROM run($$UPDATE @ SET what = 'after', n = 1$$);
SELECT * FROM run($$WITH d AS (DELETE FROM @ WHERE id IN (20, 21, 22) RETURNING id) INSERT INTO @ SELECT id, 'back' FROM d LIMIT 1$$);
SELECT * FROM run($$WITH d AS (UPDATE @ SET id = id + 60 WHERE id IN (30, 31, 32) RETURNING id), e AS (DELETE FROM @ WHERE id = 25) INSERT INTO @ SELECT id - 60, 'moved' FROM d LIMIT 1$$);
SELECT * FROM run($$UPDATE @ SET id = id + 1 WHERE id = (SELECT max(id) FROM @)$$);
-- the rest of the transaction goes on as ever, and so does the next
BEGIN; SELECT * FROM run($$DELETE FROM @ WHERE id = 20$$); SELECT * FROM run($$INSERT INTO @ VALUES (20, 'x')$$); COMMIT;
SELECT * FROM run($$UPDATE @ SET n = 3 WHERE id = 20$$);
SELECT * FROM run($$TRUNCATE @$$);

-- a row whose INSERT is entered after what a trigger did with it, in a partition that was emptied before
CREATE TABLE logged (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE logged_1 PARTITION OF logged FOR VALUES FROM (0) TO (100);
CREATE TABLE logged_2 PARTITION OF logged FOR VALUES FROM (100) TO (200);
CREATE FUNCTION count_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF new.id % 2 = 0 THEN UPDATE shop.logged SET n = 1 WHERE id IN (new.id, new.id + 1); ELSIF new.id % 5 = 0 THEN DELETE FROM shop.logged WHERE id = new.id; END IF;
  RETURN NULL; END $$;
CREATE TRIGGER a AFTER INSERT ON logged FOR EACH ROW EXECUTE FUNCTION count_on();
SELECT ledger_protect('logged');
INSERT INTO logged SELECT g FROM generate_series(90, 109) g;
TRUNCATE logged_1;
UPDATE logged SET n = 2 WHERE id < 105;
INSERT INTO logged SELECT g FROM generate_series(85, 99) g;
DELETE FROM logged WHERE id IN (92, 102);
SELECT status, reason FROM ledger_verify('shop.logged');
TRUNCATE logged_1, logged_2;
INSERT INTO logged SELECT g FROM generate_series(90, 109) g;
SELECT status, reason FROM ledger_verify('shop.logged');
SELECT kind, body #>> '{row,n}' AS n FROM ledger_entry WHERE subject = 'shop.logged 90' ORDER BY entry_id DESC LIMIT 4;

-- keys of many types are found again
CREATE TYPE grade AS ENUM ('A', 'B');
CREATE DOMAIN code AS varchar(9);
CREATE TABLE odd (n numeric, a text[], e grade, c char(4), v code, z timestamptz, note text, PRIMARY KEY (v, a, e, c, z, n));
SELECT ledger_protect('odd');
INSERT INTO odd VALUES (1.50, '{x,NULL}', 'A', 'ab', 'é', '2026-01-01 00:00+00', 'old'), (2, '{}', 'B', '', '', 'infinity', 'old');
WITH d AS (DELETE FROM odd RETURNING *) INSERT INTO odd SELECT n, a, e, c, v, z, 'new' FROM d LIMIT 1;
SELECT kind, body #>> '{row,note}' AS note, subject FROM ledger_entry WHERE subject LIKE 'shop.odd [%' ORDER BY entry_id;
SELECT status, reason FROM ledger_verify('shop.odd');
DROP SCHEMA shop CASCADE;
DROP EXTENSION quality_gov;
