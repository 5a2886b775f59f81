-- erasure: value and salt are destroyed once the table's retention has passed, the entries and their proof stay
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
CREATE SCHEMA shop;
SET search_path = shop, quality_gov, public;
INSERT INTO legal_figure VALUES ('regress_none', 0, 'day', '(,)', 'test'), ('regress_past', 1, 'day', '(,2020-01-01)', 'test');
CREATE TABLE person (id int PRIMARY KEY, name text, phone text, city text);
CREATE TABLE customer (id int PRIMARY KEY, phone text);
SELECT ledger_protect('person', sensitive => '{name,phone}', retention => 'regress_none'), ledger_protect('customer', sensitive => '{phone}');
SELECT ledger_protect('person', retention => 'regress_past');
INSERT INTO person VALUES (7, 'Li Si', '139', 'Hangzhou'), (8, 'Zhang San', '137', 'Ningbo');
INSERT INTO customer VALUES (7, '139');
UPDATE person SET phone = '138' WHERE id = 7;
DELETE FROM person WHERE id = 8;
SELECT ledger_seal() > 0 AS sealed;

-- asked first, it shows
SELECT field, state, until <= now() AS past FROM ledger_erase('shop.person 7', '个人信息保护法 art 47');
SELECT e.field, e.state, e.until = x.recorded_at + interval '3 years' AS kept FROM ledger_erase('shop.customer 7', 'b') e JOIN ledger_entry x USING (entry_id);
SELECT count(*) FROM ledger_secret;
-- inside the retention it refuses, and says until when
\set VERBOSITY sqlstate
SELECT * FROM ledger_erase('shop.customer 7', 'b', false);
\set VERBOSITY default
DO $$ BEGIN
  PERFORM quality_gov.ledger_erase('shop.customer 7', 'b', false);
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RAISE WARNING '%', SQLERRM = format('what the ledger holds of "shop.customer 7" is kept until %s', (SELECT to_char((e.recorded_at + interval '3 years') AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')
    FROM quality_gov.ledger_entry e WHERE e.subject = 'shop.customer 7'));
END $$;
-- past it, it is done, and done is entered without the values
SELECT field, state FROM ledger_erase('shop.person 7', 'asked by the person; 个人信息保护法 art 47', false);
SELECT e.kind, e.subject, e.body - 'first_entry' - 'last_entry' AS body, (SELECT array_agg(x.kind ORDER BY x.entry_id) FROM ledger_entry x WHERE x.entry_id IN ((e.body ->> 'first_entry')::bigint, (e.body ->> 'last_entry')::bigint)) AS of
FROM ledger_entry e WHERE e.kind = 'ledger_erase';
SELECT count(*) FROM ledger_secret s JOIN ledger_entry e USING (entry_id) WHERE e.subject = 'shop.person 7';
SELECT count(*) FROM ledger_entry e WHERE e.body::text ~ '"(Li Si|139|138|Zhang San)"';
SELECT scope, status, entries, values_reread FROM ledger_verify() WHERE scope IN ('log', 'shop.person', 'shop.customer');
SELECT count(*) FROM ledger_erase('shop.person 7', 'again', false);
SELECT count(*) FROM ledger_entry WHERE kind = 'ledger_erase';
-- a row that is gone can be forgotten too, and one that changes after has values again
SELECT field, state FROM ledger_erase('shop.person 8', 'b', false);
UPDATE person SET city = 'Beijing' WHERE id = 7;
SELECT s.field, s.value FROM ledger_secret s JOIN ledger_entry e USING (entry_id) WHERE e.subject = 'shop.person 7' ORDER BY 1;
SELECT status FROM ledger_verify('shop.person');
BEGIN; DELETE FROM ledger_secret; SELECT status, regexp_replace(reason, 'entry \d+', 'entry N') FROM ledger_verify('shop.person'); ROLLBACK;
-- no figure in force is no leave to erase; an open change of mind keeps all
BEGIN; DELETE FROM legal_figure WHERE figure = 'regress_none'; SELECT field, state, until FROM ledger_erase('shop.person 7', 'b'); SELECT ledger_erase('shop.person 7', 'b', false); ROLLBACK;
BEGIN; SELECT count(*) FROM ledger_erase('shop.person 7', 'b', false); ROLLBACK;
SELECT count(*) FROM ledger_secret s JOIN ledger_entry e USING (entry_id) WHERE e.subject = 'shop.person 7';

SELECT ledger_erase('shop.person 99', 'b');
SELECT ledger_erase(NULL, 'b');
SELECT ledger_erase('shop.person 7', NULL);
SELECT ledger_erase('shop.person 7', E' \n');
SELECT ledger_erase('shop.person 7', 'b', NULL);
DROP SCHEMA shop CASCADE;
DROP EXTENSION quality_gov;
