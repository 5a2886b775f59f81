-- What is wrong with lots by their supply, inspections, how suppliers do, and who may see and say what.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT supplier_record(jsonb_build_object('supplier_id', s, 'name', s, 'since', '2026-01-01')) FROM unnest('{good,barred,lapsed}'::text[]) s;
SELECT supplier_record('{"supplier_id": "lapsed", "licenses": [{"kind": "production", "number": "1", "categories": ["*"], "valid_from": "2026-01-01", "valid_until": "2026-05-31"}, {"kind": "export", "number": "2", "categories": ["*"], "valid_from": "2026-01-01", "valid_until": "2026-12-31"}]}');
SELECT supplier_bar_add('barred', 'lead in paint', '2026-06-01') > 0 AS bar;
CREATE FUNCTION buy(supplier text, lot text, day timestamptz) RETURNS bigint LANGUAGE sql AS $$
  SELECT quality_gov.purchase_record(jsonb_build_object('merchant_id', 'm-1', 'supplier_id', supplier, 'gtin', '6901234567892', 'lot', lot, 'purchased_at', day)) $$;
SELECT buy('good', 'fine', '2026-05-01'), buy('barred', 'before', '2026-05-01'), buy('barred', 'during', '2026-06-02'), buy('lapsed', 'in time', '2026-05-31 12:00+08'),
       buy('lapsed', 'too late', '2026-06-01 00:00+08'), buy('good', 'bad', '2026-05-01'), buy('good', 'stale', '2026-05-01');
CREATE VIEW named AS SELECT lot_id AS id, lot_code AS code FROM lot;
SELECT lot_record('6901234567892', 'made', supplier_id => NULL) AS made, lot_record('6901234567892', 'unbought') AS unbought, lot_record('6901234567892', 'told', supplier_id => 'barred') AS told \gset
SELECT lot_record('6901234567892', 'stale', expires_on => '2026-06-30') > 0 AS dated;
SELECT lot_use(id, :made, 1) FROM named WHERE code IN ('during', 'bad') ORDER BY code;
-- inspected: the latest governs
SELECT lot_inspect(id, r, 'lab', d, 80, n, 'GB/T 2828.1', 'R-' || n) > 0 AS inspected FROM named, (VALUES ('bad', 'accepted', '2026-05-02'::timestamptz, 0), ('bad', 'rejected', '2026-05-05', 9),
  ('fine', 'rejected', '2026-05-03', 8), ('fine', 'accepted', '2026-05-08', 1)) v(c, r, d, n) WHERE code = c ORDER BY d;
SELECT lot_code, e.kind, e.at, e.party, e.note FROM lot_event e JOIN lot USING (lot_id) ORDER BY e.at, 1;
SELECT body - 'inspection_id' AS body FROM ledger_entry WHERE kind = 'lot_inspection' ORDER BY entry_id LIMIT 1;
SELECT lot_inspect(:made, 'conditional', 'lab', '2026-05-05') > 0 AS without_counts;
SELECT lot_inspect(:made, 'good', 'lab');
SELECT lot_inspect(:made, 'accepted', NULL);
SELECT lot_inspect(:made, 'accepted', 'lab', sample_size => 0);
SELECT lot_inspect(:made, 'accepted', 'lab', defects => 1);
SELECT lot_inspect(999, 'accepted', 'lab');
UPDATE lot_inspection SET result = 'accepted';
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, sold_at, state) VALUES ('m-1', '1', '6901234567892', 'bad', '2026-05-04', 'delivered'), ('m-1', '2', '6901234567892', 'fine', '2026-05-09', 'open'),
  ('m-1', '3', '6901234567892', 'stale', '2026-06-30 23:00+08', 'open'), ('m-1', '4', '6901234567892', 'made', '2026-06-30', 'open'), ('m-1', '5', '6901234567892', 'unbought', '2026-06-30', 'open'),
  ('m-2', '6', '6901234567892', 'bad', '2026-05-06', 'cancelled');
CREATE VIEW findings AS SELECT lot_code, finding, supplier_id, since, detail FROM lot_findings('2026-07-10');
SELECT * FROM findings ORDER BY 1, 2, 5;
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, sold_at, state) VALUES ('m-2', '7', '6901234567892', 'bad', '2026-05-06', 'open'), ('m-1', '8', '6901234567892', 'stale', '2026-07-01 00:00+08', 'open');
SELECT lot_code, finding, since, detail FROM findings WHERE finding LIKE '%_sold' ORDER BY 1;
-- as of earlier, less was known
SELECT lot_code, finding FROM lot_findings('2026-05-05 12:00+08') ORDER BY 1, 2;
SELECT lot_findings(NULL);
SELECT lot_findings('-infinity');

-- suppliers: a recall counts against who supplied its cause, not what was made of it
SELECT recall_open('Cup', '[{"gtin": "6901234567892", "lot": "during"}]', 'lead', 'Order 19', state => 'ordered', at => '2026-07-01') AS cup,
       recall_open('Pot', '[{"gtin": "6901234567892", "lot": "fine"}]', 'rust', 'Order 19', at => '2026-07-01') AS pot \gset
INSERT INTO recall_scope (recall_id, gtin, lot_code, lot_id, via, depth, since) SELECT :cup, '6901234567892', 'bad', id, 1, 1, '2026-07-01' FROM named WHERE code = 'bad';
SELECT * FROM supplier_quality_at('infinity');
SELECT * FROM supplier_quality_at('2026-07-10', -1);
SELECT supplier_id, allowed, lots, inspected, failed, failure_rate, recalls, licences_expiring, next_expiry, findings FROM supplier_quality_at('2026-12-20', 30) ORDER BY 1;
SELECT supplier_id, allowed, lots, inspected, failed, recalls, licences_expiring AS soon, findings FROM supplier_quality_at('2026-05-04', 30) ORDER BY 1;
SELECT count(*) FROM supplier_quality;

-- roles: who records, who reads
SELECT count(*) > 0 AS roles FROM roles_create();
CREATE ROLE regress_app; CREATE ROLE regress_shop; CREATE ROLE regress_analyst; CREATE ROLE regress_regulator;
GRANT quality_gov_app TO regress_app; GRANT quality_gov_merchant TO regress_shop; GRANT quality_gov_analyst TO regress_analyst; GRANT quality_gov_regulator TO regress_regulator;
SELECT merchant_member_add('regress_shop', 'm-2');
SET ROLE regress_app;
SELECT quality_gov.lot_record('73513537', 'X') > 0 AS lot, quality_gov.sale_record('{"merchant_id": "m-2", "order_id": "app"}') AS sales,
       quality_gov.purchase_record('{"merchant_id": "m-2", "purchased_at": "2026-05-01"}') > 0 AS purchase;
SELECT quality_gov.lot_unuse(1, 2, 'x');
SELECT quality_gov.gtin_alias_add('73513537', '4006381333931', 'x');
SELECT quality_gov.supplier_bar_add('good', 'x');
SELECT * FROM quality_gov.sale;
SELECT quality_gov.sale_write('[]', true);
SET ROLE regress_shop;
SELECT order_id FROM quality_gov.sale ORDER BY 1;
SELECT count(*) FROM quality_gov.purchase;
SELECT quality_gov.purchase_record('{"merchant_id": "m-2", "purchased_at": "2026-05-02"}') > 0 AS mine;
SELECT quality_gov.purchase_record('{"merchant_id": "m-1", "purchased_at": "2026-05-02"}');
SELECT merchant_id, count(*) FROM quality_gov.purchase_standing GROUP BY 1;
SELECT count(*) AS complete FROM quality_gov.supply_incomplete;
SELECT quality_gov.sale_record('{"merchant_id": "m-2", "order_id": "app"}');
SELECT * FROM quality_gov.supplier;
SELECT * FROM quality_gov.lot_findings('2026-07-10');
INSERT INTO quality_gov.sale (merchant_id, order_id, sold_at) VALUES ('m-2', 'forged', now());
SET ROLE regress_analyst;
SELECT count(*) FROM quality_gov.lot_findings('2026-07-10') WHERE finding = 'rejected_sold';
SELECT count(*) AS suppliers FROM quality_gov.supplier_quality;
SELECT count(*) > 0 AS lots FROM quality_gov.lot_balance;
SELECT buyer FROM quality_gov.sale;
SET ROLE regress_regulator;
SELECT count(DISTINCT merchant_id) AS merchants FROM quality_gov.sale;
SELECT count(*) > 0 AS lines, (SELECT count(*) > 0 FROM quality_gov.lot_finding) AS findings, (SELECT count(*) FROM quality_gov.supply_check()) AS orphans FROM quality_gov.lot_sale;
SELECT quality_gov.lot_record('73513537', 'X');
RESET ROLE;
SELECT * FROM supply_check();
DROP VIEW findings, named;
DROP FUNCTION buy;
DROP EXTENSION quality_gov;
DROP ROLE regress_app, regress_shop, regress_analyst, regress_regulator;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
