-- What a recall covers: every kind of criterion, its goods by revisions, and what goes stale.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
-- an ingredient in two doughs of one cake, by ways of different length, and in nothing it does not reach
INSERT INTO lot (gtin, lot_code, made_on) VALUES
  ('6901234567892', 'FLOUR', '2026-05-01'), ('73513537', 'D1', '2026-05-03'), ('73513537', 'D2', '2026-05-04'),
  ('4006381333931', 'CAKE', '2026-05-05'), ('4006381333931', 'PIE', '2026-05-06'), ('614141123452', 'OTHER', '2026-05-07');
INSERT INTO lot_link (parent, child) SELECT p.lot_id, c.lot_id FROM (VALUES ('FLOUR', 'D1'), ('FLOUR', 'D2'), ('D1', 'CAKE'), ('D2', 'CAKE'),
  ('CAKE', 'PIE'), ('D2', 'PIE'), ('PIE', 'D1')) v(p, c) JOIN lot p ON p.lot_code = v.p JOIN lot c ON c.lot_code = v.c;
CREATE VIEW goods AS SELECT g.gtin, g.lot_code AS lot, g.serial_from AS from, g.serial_to AS to, g.made, g.lot_id IS NOT NULL AS recorded, v.lot_code AS via, g.depth, r.recall_id
FROM recall r CROSS JOIN LATERAL recall_goods(r.recall_id, '2030-01-01') g LEFT JOIN lot v ON v.lot_id = g.via;
SELECT recall_open('Flour', '[{"ingredient": {"gtin": "6901234567892", "lot": "FLOUR"}}]', 'moth', 'Order 122', at => '2026-06-01') AS flour \gset
SELECT gtin, lot, via, depth FROM goods WHERE recall_id = :flour;
SELECT c, count(*) AS bars FROM (VALUES ('6901234567892', 'FLOUR'), ('73513537', 'D1'), ('4006381333931', 'PIE'), ('614141123452', 'OTHER'), ('4006381333931', 'BUN')) v(g, c),
  recall_bar(g, c) GROUP BY c ORDER BY c;

-- a lot made of it later is not missed: maintenance takes it in, as a revision of its own
INSERT INTO lot (gtin, lot_code, made_on) VALUES ('614141123452', 'ROLL', '2026-06-03');
INSERT INTO lot_link (parent, child) SELECT p.lot_id, c.lot_id FROM lot p, lot c WHERE p.lot_code = 'PIE' AND c.lot_code = 'ROLL';
SELECT change, gtin, lot_code FROM recall_scope_stale();
SELECT status, subject, detail, hint FROM doctor_recall_scope();
SELECT count(*) AS bars FROM recall_bar('614141123452', 'ROLL');
SELECT detail FROM maintenance('2026-06-04') WHERE task = 'recall_scope';
SELECT since, verdict FROM recall_bar('614141123452', 'ROLL');
SELECT count(*) AS stale FROM recall_scope_stale();
SELECT status, subject, detail FROM doctor_recall_scope();
-- a link taken back takes no goods out by itself
DELETE FROM lot_link k USING lot c WHERE k.child = c.lot_id AND c.lot_code = 'ROLL';
SELECT change, lot_code FROM recall_scope_stale(:flour);
SELECT status, detail, replace(hint, :'flour', 'N') AS hint FROM doctor_recall_scope();
SELECT detail FROM maintenance('2026-06-05') WHERE task = 'recall_scope';
SELECT until FROM recall_bar('614141123452', 'ROLL');
SELECT change, lot_code FROM recall_scope_compute(:flour, at => '2026-06-06') WHERE change <> 'kept';
SELECT since, until FROM recall_bar('614141123452', 'ROLL');
SELECT count(*) AS kept, (SELECT max(revision) FROM recall_scope WHERE recall_id = :flour) AS revision FROM recall_scope_compute(:flour, at => '2026-06-07') WHERE change = 'kept';

-- days made: lots of the days, of no known day, and whatever lot is not recorded
INSERT INTO lot (gtin, lot_code, made_on) VALUES ('6901234567892', 'M1', '2026-04-30'), ('6901234567892', 'M2', '2026-05-31'), ('6901234567892', 'M3', NULL);
SELECT recall_open('Days', '[{"gtin": "6901234567892", "made_from": "2026-05-01", "made_until": "2026-05-31"}]', 'r', 'b', at => '2026-06-10') AS days \gset
SELECT gtin, lot, made FROM goods WHERE recall_id = :days;
SELECT gtin, lot_code, since FROM recall_spared;
SELECT l, count(*) AS bars FROM unnest('{FLOUR,M1,M2,M3,M9,NULL}'::text[]) l, recall_bar('6901234567892', l) WHERE reason ~ 'Days' GROUP BY l ORDER BY l;
-- a day learnt later: taken in when it is one of them; let go by maintenance when the lot was not known before, by hand when it was in scope
INSERT INTO lot (gtin, lot_code, made_on) VALUES ('6901234567892', 'M8', '2026-06-11'), ('6901234567892', 'M9', '2026-05-02');
UPDATE lot SET made_on = '2026-07-01' WHERE lot_code = 'M3';
SELECT change, lot_code FROM recall_scope_stale() ORDER BY lot_code, change;
SELECT detail FROM maintenance('2026-06-12') WHERE task = 'recall_scope';
SELECT l, since, until FROM unnest('{M3,M8,M9}'::text[]) l, recall_bar('6901234567892', l) WHERE reason ~ 'Days' ORDER BY l;
SELECT change, lot_code FROM recall_scope_stale() ORDER BY lot_code, change;
SELECT change, lot_code FROM recall_scope_compute(:days, at => '2026-06-13') WHERE change <> 'kept';
SELECT l, since, until FROM unnest('{M3}'::text[]) l, recall_bar('6901234567892', l) WHERE reason ~ 'Days';

-- re-recall: other criteria, the difference, and each instant judged by the revision of its day
SELECT recall_open('Kettle', '[{"gtin": "5901234123457", "lot": "K1"}, {"gtin": "5901234123457", "lot": "K2"}]', 'r', 'b', state => 'voluntary', at => '2026-07-01') AS kettle \gset
SELECT change, gtin, lot_code, serial_from, serial_to FROM recall_scope_compute(:kettle,
  '[{"gtin": "5901234123457", "lot": "K2"}, {"gtin": "5901234123457", "lot": "K3"}, {"gtin": "5901234123457", "serial_from": "100", "serial_to": "199"}]', '2026-07-10');
SELECT l, since, until, verdict FROM unnest('{K1,K2,K3}'::text[]) l, recall_bar('5901234123457', l, '300') ORDER BY l;
SELECT count(*) FILTER (WHERE at = 1) AS before, count(*) FILTER (WHERE at = 2) AS after
FROM (SELECT 1 AS at FROM recall_goods(:kettle, '2026-07-09') UNION ALL SELECT 2 FROM recall_goods(:kettle, '2026-07-10')) g;
SELECT revision, lot_code, serial_from, serial_to FROM recall_criterion WHERE recall_id = :kettle ORDER BY revision, lot_code;
SELECT body - 'recall_id' AS body FROM ledger_entry WHERE kind = 'recall_scope' AND subject = 'recall ' || :kettle ORDER BY entry_id;

-- a corrected GTIN, on both sides, from the day it is known
INSERT INTO gtin_alias (old, gtin, reason, since) VALUES ('4006381333931', '96385074', 'misprint', '2026-08-01'), ('12345670', '96385074', 'misprint', '2026-08-02');
SELECT g, since FROM unnest('{4006381333931,96385074,12345670}'::text[]) g, recall_bar(g, 'CAKE') ORDER BY 2;
SELECT recall_open('New number', '[{"gtin": "96385074", "lot": "CAKE"}]', 'r', 'b', at => '2026-08-10') AS new \gset
SELECT gtin, lot, recorded FROM goods WHERE recall_id = :new;
SELECT count(*) AS bars FROM recall_bar('4006381333931', 'CAKE') WHERE reason ~ 'New';
-- what supersedes a number moves its lots: the goods stay the same goods
UPDATE lot SET gtin = '96385074' WHERE gtin = '4006381333931';
SELECT change, gtin, lot_code FROM recall_scope_stale();
SELECT change, count(*) FROM recall_scope_compute(:flour, at => '2026-08-12') GROUP BY change;
SELECT g, count(*) AS bars FROM unnest('{4006381333931,96385074,12345670}'::text[]) g, recall_bar(g, 'PIE') GROUP BY g ORDER BY g;
-- what is declared reads back, and is added to
SELECT r.title, recall_scope_declared(r.recall_id) AS declared FROM recall r ORDER BY r.recall_id;
SELECT change, gtin, lot_code, serial_from, made FROM recall_scope_compute(:days, recall_scope_declared(:days) || '[{"gtin": "73513537", "made_until": "2026-01-31"}]', '2026-08-15');
SELECT recall_scope_declared(:days) -> 1 AS added;
SELECT recall_scope_declared(999) IS NULL AS none;
SELECT * FROM integrity_check();
DROP VIEW goods;
DROP EXTENSION quality_gov;
