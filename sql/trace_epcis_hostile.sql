-- EPCIS documents made to do harm: numbers, sizes and declarations that would make other answers wrong, slow or impossible.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE FUNCTION doc(VARIADIC events jsonb[]) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('@context', '["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ns.example.com/"}]'::jsonb,
    'type', 'EPCISDocument', 'schemaVersion', '2.0', 'creationDate', '2026-03-01T09:00:00Z',
    'epcisBody', jsonb_build_object('eventList', to_jsonb(events)));
CREATE FUNCTION event(id text, rest jsonb) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('eventID', 'urn:x:' || id, 'type', 'ObjectEvent', 'eventTime', '2026-03-01T08:00:00+08:00', 'eventTimeZoneOffset', '+08:00') || rest;
CREATE FUNCTION declared(event jsonb) RETURNS jsonb LANGUAGE sql RETURN event || '{"errorDeclaration": {"declarationTime": "2026-03-12T00:00:00Z"}}';
CREATE FUNCTION made(id text, quantity text) RETURNS jsonb LANGUAGE sql RETURN
  event(id, format('{"action": "ADD", "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.A", "quantity": %s}]}', quantity)::jsonb);

-- sums of what was made cannot overflow, whatever partners say
SELECT epcis_capture(doc(made('much', '9e131071')));
SELECT epcis_capture(doc(made('more', '1e400')));
SELECT epcis_capture(doc(made('above', '1000000000000000000.1')));
SELECT epcis_capture(doc(made('less', '-1e-9')));
SELECT captured FROM epcis_capture(doc(made('most', '1e18'), made('little', '1e-16000'), made('none', '0')));
SELECT made > 1e18 AS summed FROM lot_balance;

-- an item keeps its lot while any standing event gives it, and loses it with the last
SELECT event('born', '{"action": "ADD", "epcList": ["urn:epc:id:sgtin:4012345.066666.1", "urn:epc:id:sgtin:4012345.066666.2"], "ilmd": {"cbvmda:lotNumber": "B"}}') AS born,
       event('got', '{"action": "OBSERVE", "bizStep": "receiving", "epcList": ["https://id.gs1.org/01/04012345666663/10/B/21/1"]}') AS got,
       event('alias', '{"action": "OBSERVE", "bizStep": "receiving", "epcList": ["https://id.gs1.org/01/04012345777772/10/B/21/2"]}') AS alias \gset
INSERT INTO gtin_alias (old, gtin, reason) VALUES ('04012345777772', '04012345666663', 'a typing error');
SELECT captured, lots FROM epcis_capture(doc(:'born', :'got', :'alias'));
SELECT captured, taken_back FROM epcis_capture(doc(declared(:'born')));
SELECT i.gtin, i.serial, l.lot_code, e.event_id FROM lot_item i JOIN lot l USING (lot_id) JOIN epcis_event e ON e.event_no = i.source ORDER BY 2;
SELECT captured, taken_back FROM epcis_capture(doc(declared(:'got'), declared(:'alias')));
SELECT count(*) FROM lot_item;
SELECT captured, taken_back FROM epcis_capture(doc(declared(event('never', '{"action": "OBSERVE", "epcList": []}'))));

-- a small document makes no millions of links, in one event or in parts
SELECT jsonb_agg('https://id.gs1.org/01/04012345666663/10/I' || i) AS inputs, jsonb_agg('https://id.gs1.org/01/04012345777772/10/O' || i) AS outputs FROM generate_series(1, 1001) i \gset
SELECT epcis_capture(doc(event('all', jsonb_build_object('type', 'TransformationEvent', 'inputEPCList', :'inputs'::jsonb, 'outputEPCList', :'outputs'::jsonb))));
\echo :LAST_ERROR_SQLSTATE
SELECT captured FROM epcis_capture(doc(event('in', jsonb_build_object('type', 'TransformationEvent', 'transformationID', 'urn:x:t', 'inputEPCList', :'inputs'::jsonb))));
SELECT epcis_capture(doc(event('out', jsonb_build_object('type', 'TransformationEvent', 'transformationID', 'urn:x:t', 'outputEPCList', :'outputs'::jsonb))));
SELECT links FROM epcis_capture(doc(event('some', jsonb_build_object('type', 'TransformationEvent', 'inputEPCList', :'inputs'::jsonb, 'outputEPCList', '["https://id.gs1.org/01/04012345777772/10/O1"]'::jsonb))));

-- nor is a large context stored with each of many events
SELECT epcis_capture(doc(event('vocabulary', '{"action": "OBSERVE", "epcList": []}')) || jsonb_build_object('@context', jsonb_build_object('@vocab', 'https://x.example/' || repeat('x', 65536))));
\echo :LAST_ERROR_SQLSTATE
SELECT captured FROM epcis_capture(doc(event('unused', '{"action": "OBSERVE", "epcList": []}')) || jsonb_build_object('@context', jsonb_build_object('x', 'https://x.example/' || repeat('x', 65536))));

-- containers that are each in two others, sixty deep, and in one another, are looked into once each
SELECT captured FROM epcis_capture(doc(VARIADIC ARRAY(SELECT event(format('pack%s-%s', d, s), jsonb_build_object('type', 'AggregationEvent', 'action', 'ADD',
  'parentID', format('urn:x:box-%s-%s', d, s), 'childEPCs', jsonb_build_array(format('urn:x:box-%s-0', d + 1), format('urn:x:box-%s-1', d + 1))))
  FROM generate_series(0, 60) d, generate_series(0, 1) s)));
SELECT count(*), max(depth) FROM epcis_contents('urn:x:box-0-0', '2026-03-02', 100);
SELECT captured FROM epcis_capture(doc(event('loop', '{"type": "AggregationEvent", "action": "ADD", "parentID": "urn:x:box-58-0", "childEPCs": ["urn:x:box-57-0"]}')));
SELECT epc, parent, depth FROM epcis_contents('urn:x:box-57-1', '2026-03-02') WHERE depth <= 3 ORDER BY depth, epc COLLATE "C", parent COLLATE "C";

-- of any depth, at the ends of time; nothing of it stops an export or an oracle
SELECT captured FROM epcis_capture(doc(event('deep', ('{"action": "OBSERVE", "epcList": [], "ex:d": ' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb),
  event('first', '{"action": "OBSERVE", "epcList": [], "eventTime": "0001-01-01T00:00:00+23:59"}'),
  made('last', '1') || '{"eventTime": "9999-12-31T23:59:60-23:59"}'));
SELECT jsonb_array_length(epcis_export() #> '{epcisBody,eventList}') = count(*) AS exported FROM epcis_event;
SELECT captured, repeated = (SELECT count(*) FROM epcis_event) AS all_again FROM epcis_capture(epcis_export());
SELECT count(*) >= 0 AS answers FROM trace_check();
SELECT * FROM epcis_check();
DROP EXTENSION quality_gov;
DROP FUNCTION doc, event, declared, made;
