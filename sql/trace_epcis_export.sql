-- EPCIS documents given back, containers, the inbox, and who may do what.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE FUNCTION doc(VARIADIC events jsonb[]) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('@context', '["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ns.example.com/", "deep": "ex:deep/", "unused": "https://unused.example.com/"}, "https://ctx.example.com/more.jsonld"]'::jsonb,
    'type', 'EPCISDocument', 'schemaVersion', '2.0', 'creationDate', '2026-03-01T09:00:00Z',
    'epcisBody', jsonb_build_object('eventList', to_jsonb(events)));
CREATE FUNCTION event(id text, day int, rest jsonb) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_strip_nulls(jsonb_build_object('eventID', 'urn:x:' || id)) || jsonb_build_object('type', 'ObjectEvent', 'eventTime', format('2026-03-%sT08:00:00+08:00', to_char(day, 'FM00')), 'eventTimeZoneOffset', '+08:00') || rest;
SELECT captured, lots, links FROM epcis_capture(doc(
  event('made', 1, '{"action": "ADD", "bizStep": "commissioning", "epcList": ["urn:epc:id:sgtin:4012345.066666.1"], "ilmd": {"cbvmda:lotNumber": "B", "deep:soil": {"a": [1.50, true, null, "x"]}}, "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 26.10, "uom": "CEL"}]}]}'),
  event(NULL, 1, '{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.M", "quantity": 50}], "@context": {"own": "https://own.example.com/"}, "own:n": 1, "recordTime": "2026-03-01T01:00:00Z"}'),
  event('pack', 2, '{"type": "AggregationEvent", "action": "ADD", "parentID": "urn:epc:id:sscc:4012345.0111111111", "childEPCs": ["https://id.gs1.org/01/04012345666663/21/1"], "childQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.M", "quantity": 20}]}'),
  event('load', 3, '{"type": "AggregationEvent", "action": "ADD", "parentID": "urn:epc:id:grai:4012345.55555.987", "childEPCs": ["urn:epc:id:sscc:4012345.0111111111"]}'),
  event('send', 4, '{"action": "OBSERVE", "bizStep": "shipping", "epcList": ["urn:epc:id:grai:4012345.55555.987"]}'),
  event('take', 5, '{"type": "AggregationEvent", "action": "DELETE", "parentID": "urn:epc:id:sscc:4012345.0111111111", "childQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.M", "quantity": 5}]}'),
  event('bake', 6, '{"type": "TransformationEvent", "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.M", "quantity": 5}], "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.N", "quantity": 1}]}'),
  event('wrong', 7, '{"action": "DELETE", "bizStep": "destroying", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.N", "quantity": 1}]}'),
  event('wrong', 7, '{"action": "DELETE", "bizStep": "destroying", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.N", "quantity": 1}], "errorDeclaration": {"declarationTime": "2026-03-08T00:00:00Z"}}'),
  event('empty', 9, '{"type": "AggregationEvent", "action": "DELETE", "parentID": "urn:epc:id:sscc:4012345.0111111111"}')));

-- what a container holds, at an instant and through containers inside it
SELECT day, c.parent, c.depth, c.epc, c.lot_id IS NOT NULL AS lot, c.quantity
FROM generate_series(1, 9) day, epcis_contents('urn:epc:id:grai:4012345.55555.987', '2026-03-01T12:00:00Z'::timestamptz + (day - 1) * interval '1 day') c WHERE day IN (1, 3, 5, 9);
SELECT epc, quantity FROM epcis_contents('040123451111111110', '2026-03-03');
SELECT epc, quantity FROM epcis_contents('https://id.gs1.org/00/040123451111111110', '2026-03-06');
SELECT depth FROM epcis_contents('urn:epc:id:grai:4012345.55555.987', '2026-03-04', 1);
SELECT * FROM epcis_contents(NULL);

-- extensions, sensor data and contexts come back as they came
SELECT jsonb_pretty(epcis_export(since => '2026-03-01', until => '2026-03-02', at => '2026-04-01'));
SELECT e #>> '{eventID}' AS id, e #>> '{type}' AS type FROM jsonb_path_query(epcis_export((SELECT lot_id FROM lot WHERE lot_code = 'B')), '$.epcisBody.eventList[*]') e;
SELECT e #>> '{eventID}' AS id FROM jsonb_path_query(epcis_export((SELECT lot_id FROM lot WHERE lot_code = 'N')), '$.epcisBody.eventList[*]') e;
SELECT epcis_export(99);
-- a lot that was not found is no request for everything
SELECT epcis_export(lot_find('4012345123456', 'no such lot'));
SELECT epcis_export(since => '2026-03-02', until => '2026-03-01');
SELECT epcis_export(at => 'infinity');

-- capturing the export again changes nothing, and gives the same in an empty database
CREATE VIEW now AS
SELECT (SELECT md5(string_agg(concat_ws(' ', event_id, encode(digest, 'hex'), context), ',' ORDER BY event_id COLLATE "C", digest)) FROM epcis_event) AS events,
  (SELECT md5(string_agg(concat_ws(' ', gtin, lot_code, unit, made_on, expires_on, producer), ',' ORDER BY gtin, lot_code)) FROM lot) AS lots,
  (SELECT md5(string_agg(concat_ws(' ', l.lot_code, e.kind, e.quantity, e.at, v.event_id), ',' ORDER BY l.lot_code, v.event_id COLLATE "C", e.kind)) FROM lot_event_standing e JOIN lot l USING (lot_id) JOIN epcis_event v ON v.event_no = e.source) AS done,
  (SELECT md5(string_agg(concat_ws(' ', p.lot_code, c.lot_code, k.quantity), ',' ORDER BY p.lot_code, c.lot_code)) FROM lot_link k JOIN lot p ON p.lot_id = k.parent JOIN lot c ON c.lot_id = k.child) AS links;
CREATE TABLE kept AS SELECT epcis_export(at => '2026-04-01') AS document, now.*, (SELECT count(*) FROM lot_event) AS n, (SELECT count(*) FROM ledger_entry) AS l FROM now;
SELECT c.events, c.captured FROM kept, epcis_capture(kept.document) c;
SELECT n = (SELECT count(*) FROM lot_event) AND l = (SELECT count(*) FROM ledger_entry) AS unchanged FROM kept;
DROP VIEW now;
DROP EXTENSION quality_gov;
CREATE EXTENSION quality_gov;
SELECT c.captured FROM kept, epcis_capture(kept.document) c;
SELECT kept.document = epcis_export(at => '2026-04-01') AS document, kept.events = (SELECT md5(string_agg(concat_ws(' ', event_id, encode(digest, 'hex'), context), ',' ORDER BY event_id COLLATE "C", digest)) FROM epcis_event) AS events,
  kept.lots = (SELECT md5(string_agg(concat_ws(' ', gtin, lot_code, unit, made_on, expires_on, producer), ',' ORDER BY gtin, lot_code)) FROM lot) AS lots,
  kept.done = (SELECT md5(string_agg(concat_ws(' ', l.lot_code, e.kind, e.quantity, e.at, v.event_id), ',' ORDER BY l.lot_code, v.event_id COLLATE "C", e.kind)) FROM lot_event_standing e JOIN lot l USING (lot_id) JOIN epcis_event v ON v.event_no = e.source) AS done,
  kept.links = (SELECT md5(string_agg(concat_ws(' ', p.lot_code, c.lot_code, k.quantity), ',' ORDER BY p.lot_code, c.lot_code)) FROM lot_link k JOIN lot p ON p.lot_id = k.parent JOIN lot c ON c.lot_id = k.child) AS links FROM kept;
SELECT * FROM epcis_check();

-- the inbox: one transaction a document, and a refusal stops no other
SELECT count(*) AS roles FROM roles_create();
CREATE ROLE regress_epcis_app; CREATE ROLE regress_epcis_analyst; CREATE ROLE regress_epcis_shop;
GRANT quality_gov_app TO regress_epcis_app; GRANT quality_gov_analyst TO regress_epcis_analyst; GRANT quality_gov_merchant TO regress_epcis_shop;
GRANT SELECT ON kept TO regress_epcis_app;
SET ROLE regress_epcis_app;
SELECT quality_gov.epcis_submit(d, 'a supplier') FROM unnest(ARRAY[doc(event('n1', 20, '{"action": "OBSERVE", "epcList": []}')), doc(event('n1', 21, '{"action": "OBSERVE", "epcList": []}')),
  doc(event('n2', 20, '{"action": "SEE", "epcList": []}')), doc(event('n3', 20, '{"action": "OBSERVE", "epcList": []}')), doc(event('n1', 20, '{"action": "OBSERVE", "epcList": []}'))]) d;
SELECT quality_gov.epcis_submit(NULL, 'x');
BEGIN; CALL quality_gov.epcis_capture_pending(); ROLLBACK;
CALL quality_gov.epcis_capture_pending(2);
SELECT state, count(*) FROM quality_gov.epcis_inbox GROUP BY 1 ORDER BY 1;
CALL quality_gov.epcis_capture_pending();
CALL quality_gov.epcis_capture_pending();
SELECT document_no, state, document IS NULL AS gone, result - '{links,lots,taken_back}'::text[] AS result, sqlstate, error FROM quality_gov.epcis_inbox ORDER BY 1;
SELECT quality_gov.epcis_capture_next() IS NULL AS none;
INSERT INTO quality_gov.epcis_event (event_id) VALUES ('x');
SELECT quality_gov.epcis_part('{1}');
RESET ROLE;
SET ROLE regress_epcis_analyst;
SELECT count(*) > 0 AS read FROM quality_gov.epcis_event_standing;
SELECT quality_gov.epcis_capture('{}');
SELECT count(*) FROM quality_gov.epcis_inbox;
RESET ROLE;
SET ROLE regress_epcis_shop;
SELECT quality_gov.epcis_export();
SELECT count(*) FROM quality_gov.epcis_event_standing;
RESET ROLE;
SELECT * FROM doctor() WHERE check_name = 'epcis' AND status <> 'ok';
DROP TABLE kept;
DROP OWNED BY regress_epcis_app, regress_epcis_analyst, regress_epcis_shop;
DROP ROLE regress_epcis_app, regress_epcis_analyst, regress_epcis_shop;
DROP EXTENSION quality_gov;
DROP FUNCTION doc, event;
