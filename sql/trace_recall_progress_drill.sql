-- A recall rehearsed in a read-only transaction, drills kept as evidence, and what suppliers learn.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
-- steel S1 goes into bases B1 and B2, those into kettles K1 (both) and K2, and back into scrap that S1 was made of
INSERT INTO supplier (supplier_id, name) SELECT 's-' || g, 'Supplier ' || g FROM generate_series(1, 9) g;
INSERT INTO lot (gtin, lot_code, producer, quantity, unit, supplier_id) VALUES
  ('4006381333931', 'S1', 'Steelworks', 100, 'KGM', 's-1'), ('73513537', 'B1', 'Bases', 50, NULL, 's-2'), ('73513537', 'B2', 'Bases', 50, NULL, 's-2'),
  ('6901234567892', 'K1', 'Huashan', 40, NULL, NULL), ('6901234567892', 'K2', 'Huashan', 30, NULL, NULL), ('6901234567892', 'K3', 'Huashan', 30, NULL, NULL);
INSERT INTO lot_link (parent, child, quantity) VALUES (1, 2, 30), (1, 3, 40), (2, 4, 20), (3, 4, 20), (3, 5, 30), (4, 1, 1);
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, quantity, buyer, sold_at, state) VALUES
  ('m-1', 'O-1', '6901234567892', 'K1', 5, 'b-1', '2026-09-01', 'shipped'), ('m-1', 'O-2', '6901234567892', 'K2', 7, 'b-1', '2026-09-02', 'open'),
  ('m-2', 'O-3', '6901234567892', 'K2', 2, NULL, '2026-09-03', 'delivered'), ('m-2', 'O-4', '6901234567892', 'K3', 2, 'b-4', '2026-09-03', 'delivered'),
  ('m-2', 'O-5', '6901234567892', 'K1', 2, 'b-5', '2026-09-03', 'cancelled'), ('m-2', 'O-6', '6901234567892', 'K1', 2, 'b-6', '2026-10-03', 'shipped');
SELECT (x).lot_code, (x).depth, (x).via FROM unnest(recall_drill_extent(1)) AS x;
BEGIN READ ONLY;
SELECT lots, levels, merchants, order_lines, open_lines, buyers, reachable_lines, unreachable_lines, elapsed_ms > 0 AND elapsed_ms < 600000 AS timed FROM recall_drill(1, '2026-10-01');
SELECT f ->> 'unit' AS unit, f ->> 'lots' AS lots, f ->> 'made' AS made, f ->> 'in_stock' AS in_stock, f ->> 'used' AS used, f ->> 'sold' AS sold, f ->> 'open' AS open
FROM recall_drill('4006381333931', 'S1', '2026-10-01') d, jsonb_array_elements(d.figures) f;
SELECT lot_code, depth, via, made, used, in_stock, sold, open, shipped, outstanding FROM recall_drill_lots(1, '2026-10-01');
SELECT lots, order_lines FROM recall_drill('6901234567892', 'K3', '2026-10-01');
COMMIT;
-- nothing was written; what is kept is kept when asked for
SELECT count(*) AS entries FROM ledger_entry;
SELECT recall_drill_record(1, '2026-10-01', 'yearly drill') AS run \gset
SELECT gtin, lot_code, at, result - 'figures' AS result, elapsed_ms > 0 AS timed, note FROM recall_drill_run WHERE run_id = :run;
SELECT kind, subject, body ->> 'run_id' = :run::text AS run FROM ledger_entry;
SELECT recall_drill(99);
SELECT recall_drill(NULL::bigint);
SELECT recall_drill(gtin => '6901234567892', lot_code => 'K9');
SELECT recall_drill(1, NULL);
SELECT recall_drill_record(1, 'infinity');
DELETE FROM recall_drill_run;

-- the supplier of an ingredient sees the recall it led to, and why
SELECT recall_open('Kettle', '[{"gtin": "614141123452"}]', 'shock', 'Order 19', at => '2026-10-05') AS kettle \gset
INSERT INTO recall_scope (recall_id, revision, gtin, lot_code, lot_id, via, depth) VALUES (:kettle, 2, '6901234567892', 'K1', 4, 3, 2), (:kettle, 2, '73513537', 'B2', 3, 1, 1);
SELECT supplier_id, lot_code, relations, causes FROM supplier_recall ORDER BY 1, 2;
SELECT recall_cause_record(:kettle, 'ingredient', 1, at => '2026-10-06', note => 'cracks') AS cracks, recall_cause_record(:kettle, 'making', 3, at => '2026-10-07') AS welds,
       recall_cause_record(:kettle, 'design', supplier_id => 's-9', at => '2026-10-07') > 0 AS drawn \gset
SELECT supplier_id, title, state, lot_code, relations, causes, known_at FROM supplier_recall ORDER BY 1, 4;
SELECT recall_cause_record(:kettle, 'making', 3, at => '2026-10-08', voids => :welds) > 0 AS taken_back;
SELECT supplier_id, lot_code, relations, causes FROM supplier_recall WHERE supplier_id = 's-2';
SELECT kind, supplier_id, lot_id, note FROM recall_cause_standing ORDER BY cause_id;
SELECT recall_cause_record(:kettle, 'making', 3, voids => :welds);
SELECT recall_cause_record(:kettle, 'fate');
SELECT recall_cause_record(:kettle, 'ingredient');
SELECT recall_cause_record(:kettle, 'ingredient', 99);
SELECT recall_cause_record(999, 'design');
SELECT recall_cause_record(:kettle, 'design', at => 'infinity');
SELECT * FROM integrity_check();
DROP EXTENSION quality_gov;
