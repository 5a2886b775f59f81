-- What captured EPCIS events say of lots, and how they are taken back.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE FUNCTION doc(VARIADIC events jsonb[]) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('@context', '["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ns.example.com/", "unused": "https://unused.example.com/"}]'::jsonb,
    'type', 'EPCISDocument', 'schemaVersion', '2.0', 'creationDate', '2026-03-01T09:00:00Z',
    'epcisBody', jsonb_build_object('eventList', to_jsonb(events)));
CREATE FUNCTION event(id text, day int, rest jsonb) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_strip_nulls(jsonb_build_object('eventID', 'urn:x:' || id)) || jsonb_build_object('type', 'ObjectEvent', 'eventTime', format('2026-03-%sT08:00:00+08:00', to_char(day, 'FM00')), 'eventTimeZoneOffset', '+08:00') || rest;
CREATE VIEW did AS
SELECT l.lot_code, e.kind, e.quantity, e.at::date AS day, e.party, e.place, e.order_id, e.note, v.event_id, e.voids IS NOT NULL AS voids
FROM lot_event e JOIN lot l USING (lot_id) JOIN epcis_event v ON v.event_no = e.source ORDER BY e.source, l.lot_code, e.kind;

-- made, sent, received, sold; pieces are counted with their numbers, kilograms are not pieces
SELECT * FROM epcis_capture(doc(
  event('made', 1, '{"action": "ADD", "bizStep": "commissioning", "bizLocation": {"id": "urn:epc:id:sgln:4012345.00001.0"}, "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 100, "uom": "KGM"}],
    "ilmd": {"cbvmda:productionDate": "2026-02-28", "cbvmda:itemExpirationDate": "2027-02-28", "ex:field": "north"}}'),
  event('numbered', 2, '{"action": "ADD", "bizStep": "urn:epcglobal:cbv:bizstep:commissioning", "epcList": ["urn:epc:id:sgtin:4012345.066666.1", "urn:epc:id:sgtin:4012345.066666.2", "https://id.gs1.org/01/04012345666663/21/2"],
    "quantityList": [{"epcClass": "https://id.gs1.org/01/04012345666663/10/B", "quantity": 5, "uom": "EA"}], "ilmd": {"cbvmda:lotNumber": "B"}}'),
  event('sent', 3, '{"action": "OBSERVE", "bizStep": "shipping", "epcList": ["https://id.gs1.org/01/04012345666663/21/1"], "quantityList": [{"epcClass": "https://id.gs1.org/01/04012345123456/10/A", "quantity": 30, "uom": "KGM"}, {"epcClass": "urn:epc:idpat:sgtin:4012345.012345.*", "quantity": 1}],
    "readPoint": {"id": "urn:x:gate"}, "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000009:P-7"}], "sourceList": [{"type": "possessing_party", "source": "urn:x:maker"}],
    "destinationList": [{"type": "owning_party", "destination": "urn:x:bank"}, {"type": "possessing_party", "destination": "urn:x:shop"}]}'),
  event('got', 4, '{"action": "OBSERVE", "bizStep": "receiving", "quantityList": [{"epcClass": "https://id.gs1.org/01/04012345123456/10/A", "quantity": 30000, "uom": "GRM"}]}'),
  event('sold', 5, '{"action": "DELETE", "bizStep": "retail_selling", "epcList": ["urn:epc:id:sgtin:4012345.066666.1"]}')));
SELECT gtin, lot_code, producer, made_on, expires_on, quantity, unit FROM lot ORDER BY 1, 2;
SELECT * FROM did;
SELECT i.gtin, i.serial, l.lot_code FROM lot_item i JOIN lot l USING (lot_id) ORDER BY 2;
SELECT lot_id, made, sold FROM lot_balance ORDER BY 1;
SELECT kind, subject, body - 'content_sha256' AS body FROM ledger_entry WHERE kind = 'epcis_capture';

-- every kind that an event can mean
SELECT epcis_kind(t, a, s, d, 'object'), count(*), min(concat_ws(' ', t, a, s, d) COLLATE "C")
FROM unnest('{ObjectEvent,TransactionEvent,AggregationEvent}'::text[]) t, unnest('{ADD,OBSERVE,DELETE}'::text[]) a,
  unnest('{NULL,commissioning,receiving,shipping,retail_selling,destroying,decommissioning,repairing,stock_taking,inspecting,storing}'::text[]) s, unnest('{NULL,returned,retail_sold,destroyed}'::text[]) d
GROUP BY 1 ORDER BY 1;
SELECT epcis_kind('TransformationEvent', NULL, 'commissioning', NULL, r) FROM unnest('{input,output}'::text[]) r;

-- the same again changes nothing, however it is written; something else under the same id is refused
SELECT * FROM epcis_capture(doc(event('sold', 5, '{"recordTime": "2026-03-06T00:00:00Z", "action": "DELETE", "bizStep": "retail_selling", "epcList": ["urn:epc:id:sgtin:4012345.066666.1"]}')) || '{"@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"}');
SELECT * FROM epcis_capture(doc(event('sold', 6, '{"action": "DELETE", "bizStep": "retail_selling", "epcList": ["urn:epc:id:sgtin:4012345.066666.1"]}')));
SELECT * FROM epcis_capture(doc(event('new', 6, '{"action": "OBSERVE", "epcList": []}'), event('new', 7, '{"action": "OBSERVE", "epcList": []}')));
SELECT * FROM epcis_capture(doc(event('new', 6, '{"action": "OBSERVE", "epcList": []}'), event('new', 6, '{"action": "OBSERVE", "epcList": []}')));
SELECT * FROM epcis_capture(doc(event('other', 6, '{"action": "ADD", "epcList": ["urn:epc:id:sgtin:4012345.066666.1"], "ilmd": {"cbvmda:lotNumber": "C"}}')));
SELECT * FROM epcis_capture(NULL);
SELECT * FROM epcis_capture(doc(VARIADIC '{}'));
SELECT count(*) AS events, (SELECT count(*) FROM ledger_entry WHERE kind = 'epcis_capture') AS documents FROM epcis_event;
-- without eventID the content is the id, whatever the document's prefixes are
SELECT captured, repeated FROM unnest(ARRAY['{"ex": "https://ns.example.com/"}', '{"ex": "https://ns.example.com/", "y": "https://y.example/"}', '{"ex": "https://else.example.com/"}']::jsonb[]) c,
  epcis_capture(doc(event(NULL, 6, '{"action": "OBSERVE", "epcList": [], "ex:n": 1.0}')) || jsonb_build_object('@context', c));
SELECT event_id ~ '^ni:///sha-256;[A-Za-z0-9_-]{43}$' AS made, context FROM epcis_event WHERE body ? 'ex:n' ORDER BY event_no;

-- transformations: how much went in is known where one lot came out; parts of one are joined
SELECT lots, links FROM epcis_capture(doc(
  event('mix', 8, '{"type": "TransformationEvent", "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 20, "uom": "KGM"}], "inputEPCList": ["urn:epc:id:sgtin:4012345.066666.2"], "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.M", "quantity": 7}, {"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 1, "uom": "KGM"}]}'),
  event('cook', 9, '{"type": "TransformationEvent", "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.M", "quantity": 3}, {"epcClass": "urn:epc:class:lgtin:4012345.098765.M", "quantity": 1}], "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.N", "quantity": 9}]}')));
SELECT links FROM epcis_capture(doc(event('in', 10, '{"type": "TransformationEvent", "transformationID": "urn:x:t", "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.N", "quantity": 2}]}')));
SELECT links FROM epcis_capture(doc(event('out', 11, '{"type": "TransformationEvent", "transformationID": "urn:x:t", "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.P", "quantity": 2}]}')));
CREATE VIEW linked AS
SELECT p.lot_code AS parent, c.lot_code AS child, k.quantity, e.event_id, k.at::date AS day FROM lot_link k JOIN lot p ON p.lot_id = k.parent JOIN lot c ON c.lot_id = k.child JOIN epcis_event e ON e.event_no = k.source ORDER BY k.source, 1, 2;
SELECT * FROM linked;

-- an error declaration takes back what its event did, in whichever order they come, and once
SELECT captured, taken_back FROM epcis_capture(doc(event('out', 11, '{"type": "TransformationEvent", "transformationID": "urn:x:t", "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.P", "quantity": 2}], "errorDeclaration": {"declarationTime": "2026-03-12T00:00:00Z", "reason": "did_not_occur"}}')));
SELECT captured, taken_back FROM epcis_capture(doc(event('numbered', 2, '{"action": "ADD", "bizStep": "urn:epcglobal:cbv:bizstep:commissioning", "epcList": ["urn:epc:id:sgtin:4012345.066666.1", "urn:epc:id:sgtin:4012345.066666.2", "https://id.gs1.org/01/04012345666663/21/2"],
  "quantityList": [{"epcClass": "https://id.gs1.org/01/04012345666663/10/B", "quantity": 5, "uom": "EA"}], "ilmd": {"cbvmda:lotNumber": "B"}, "errorDeclaration": {"declarationTime": "2026-03-12T00:00:00Z", "reason": "incorrect_data", "correctiveEventIDs": ["urn:x:numbered2"], "ex:by": "QA"}}')));
SELECT captured, taken_back FROM epcis_capture(doc(event('late', 2, '{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 1, "uom": "KGM"}], "errorDeclaration": {"declarationTime": "2026-03-12T00:00:00Z"}}')));
SELECT captured, taken_back FROM epcis_capture(doc(event('late', 2, '{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 1, "uom": "KGM"}]}')));
SELECT captured, taken_back FROM epcis_capture(doc(event('late', 2, '{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 1, "uom": "KGM"}], "errorDeclaration": {"declarationTime": "2026-03-13T00:00:00Z"}}')));
SELECT * FROM linked;
SELECT lot_code, kind, quantity, event_id, voids FROM did WHERE event_id IN ('urn:x:out', 'urn:x:numbered', 'urn:x:late');
SELECT count(*) FROM lot_item;
SELECT lots FROM epcis_capture(doc(event('numbered2', 2, '{"action": "ADD", "bizStep": "commissioning", "epcList": ["urn:epc:id:sgtin:4012345.066666.1"], "ilmd": {"cbvmda:lotNumber": "C"}}')));
SELECT i.serial, l.lot_code FROM lot_item i JOIN lot l USING (lot_id);
SELECT body -> 'taken_back' FROM ledger_entry WHERE body ? 'taken_back' ORDER BY entry_id;

-- goods known under an old number are goods of the new one
INSERT INTO gtin_alias (old, gtin, reason) VALUES ('04012345987652', '04012345123456', 'a typing error');
SELECT lots FROM epcis_capture(doc(event('alias', 14, '{"action": "OBSERVE", "bizStep": "inspecting", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.098765.A", "quantity": 1, "uom": "KGM"}]}')));
SELECT lot_code, kind, quantity FROM did WHERE event_id = 'urn:x:alias';
-- dates that come later are taken where there are none, unless they contradict
SELECT lots FROM epcis_capture(doc(event('seen', 15, '{"action": "OBSERVE", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.077777.X"}, {"epcClass": "urn:epc:class:lgtin:4012345.077777.Y"}]}')));
SELECT lots FROM epcis_capture(doc(event('dated', 16, '{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.077777.X", "quantity": 1}, {"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": 1, "uom": "KGM"}], "ilmd": {"cbvmda:productionDate": "2026-03-01", "gs1:expirationDate": "2026-09-01"}}')));
SELECT lots FROM epcis_capture(doc(event('expired', 17, '{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.077777.X", "quantity": 1}, {"epcClass": "urn:epc:class:lgtin:4012345.077777.Y", "quantity": 1}], "ilmd": {"cbvmda:itemExpirationDate": "2026-02-01"}}'), event('made2', 18, '{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.077777.Y", "quantity": 1}], "ilmd": {"cbvmda:productionDate": "2026-03-01"}}')));
SELECT lot_code, made_on, expires_on FROM lot WHERE lot_code IN ('A', 'X', 'Y') ORDER BY 1;
UPDATE epcis_event SET body = '{}';
SELECT * FROM epcis_check();
DROP VIEW did, linked;
DROP EXTENSION quality_gov;
DROP FUNCTION doc, event;
