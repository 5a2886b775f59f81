-- What epcis_events() accepts and what it refuses, and where.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE FUNCTION doc(event jsonb) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('@context', '["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ns.example.com/"}]'::jsonb,
    'type', 'EPCISDocument', 'schemaVersion', '2.0', 'creationDate', '2026-03-01T09:00:00Z',
    'epcisBody', jsonb_build_object('eventList', jsonb_build_array(event)));
CREATE TABLE good (name text, event jsonb);
INSERT INTO good
SELECT name, '{"eventTime": "2026-03-01T08:00:00+08:00", "eventTimeZoneOffset": "+08:00"}'::jsonb || event FROM (VALUES
  ('object', '{"type": "ObjectEvent", "action": "ADD", "bizStep": "commissioning", "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"]}'::jsonb),
  ('aggregation', '{"type": "AggregationEvent", "action": "ADD", "parentID": "urn:epc:id:sscc:0614141.1234567890", "childEPCs": ["urn:epc:id:sgtin:0614141.107346.2017"]}'),
  ('transaction', '{"type": "TransactionEvent", "action": "ADD", "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1"}], "epcList": []}'),
  ('transformation', '{"type": "TransformationEvent", "inputEPCList": ["urn:epc:id:sgtin:0614141.107346.2017"], "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.1"}]}'),
  ('association', '{"type": "AssociationEvent", "action": "ADD", "parentID": "urn:epc:id:grai:4012345.55555.987", "childEPCs": ["urn:epc:id:giai:4000001.12345"]}'),
  ('own', '{"type": "ex:LoanEvent", "ex:borrower": {"anything": [1, null]}}')) v(name, event);
-- Where a document is refused, and what for; null where it is not.
CREATE FUNCTION refusal(document jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM quality_gov.epcis_events(document);
  RETURN NULL;
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN substr(SQLERRM, length('EPCIS document refused at ') + 1);
END $$;

-- all types are accepted, in a document, in query results and alone
SELECT name, refusal(doc(event)) AS document, refusal(event || '{"@context": []}') AS alone,
  refusal('{"@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld", "type": "EPCISQueryDocument"}'::jsonb ||
    jsonb_build_object('epcisBody', jsonb_build_object('queryResults', jsonb_build_object('resultsBody', jsonb_build_object('eventList', jsonb_build_array(event)))))) AS query
FROM good;
SELECT type, event_time, zone, action, biz_step, path FROM epcis_events((SELECT doc(event) FROM good WHERE name = 'object'));
-- each mandatory field, removed by itself, is missed by its path
SELECT name, field, refusal(doc(event - field)) FROM good, jsonb_object_keys(event) field ORDER BY name COLLATE "C", field COLLATE "C";
SELECT field, refusal(doc(event) - field) FROM good, unnest('{@context,type,schemaVersion,creationDate,epcisBody}'::text[]) field WHERE name = 'own';
-- the order of fields says nothing: jsonb has one of its own, and text keeps its
SELECT e.digest = f.digest AS same
FROM epcis_events('{"@context": [], "type": "ObjectEvent", "action": "OBSERVE", "epcList": [], "eventTime": "2026-03-01T00:00:00Z", "eventTimeZoneOffset": "+08:00"}') e,
     epcis_events('{"eventTimeZoneOffset": "+08:00", "epcList": [], "eventTime": "2026-03-01T00:00:00Z", "action": "OBSERVE", "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "ObjectEvent", "recordTime": "2026-03-02T00:00:00Z"}') f;
-- values that are wrong, one at a time
SELECT change, refusal(doc(event || change::jsonb))
FROM good, unnest('{
  "{\"action\": \"add\"}", "{\"action\": null}", "{\"eventTime\": \"2026-02-29T00:00:00Z\"}", "{\"eventTime\": \"2026-03-01T00:00:00\"}", "{\"eventTime\": 5}",
  "{\"eventTimeZoneOffset\": \"+14:30\"}", "{\"eventTimeZoneOffset\": \"Z\"}", "{\"eventID\": \"one\"}", "{\"eventID\": \"urn:x:a b\"}",
  "{\"bizStep\": \"selling\"}", "{\"bizStep\": \"urn:epcglobal:cbv:bizstep:selling\"}", "{\"disposition\": \"https://ref.gs1.org/cbv/Disp-gone\"}",
  "{\"epcList\": \"urn:x:1\"}", "{\"epcList\": [\"urn:x:1\", 7]}", "{\"epcList\": [\"urn:epc:id:sgtin:0614141.1073.2017\"]}", "{\"epcList\": [\"urn:epc:id:sgtin:0614141.107346\"]}",
  "{\"epcList\": [\"https://id.gs1.org/01/09521141012346/21/1\"]}", "{\"epcList\": [\"https://id.gs1.org/01/09521141012345/21/1/10/2\"]}", "{\"epcList\": [\"https://id.gs1.org/00/106141412345678907\"]}",
  "{\"quantityList\": [{\"epcClass\": \"urn:x:1\", \"quantity\": -1}]}", "{\"quantityList\": [{\"epcClass\": \"urn:x:1\", \"quantity\": 1, \"uom\": \"kg\"}]}", "{\"quantityList\": [{\"epcClass\": \"urn:x:1\", \"uom\": \"KGM\"}]}",
  "{\"quantityList\": [{\"quantity\": 1}]}", "{\"quantityList\": [5]}", "{\"readPoint\": \"urn:x:1\"}", "{\"readPoint\": {}}", "{\"colour\": \"red\"}", "{\"parentID\": \"urn:x:1\"}",
  "{\"sourceList\": [{\"type\": \"owner\", \"source\": \"urn:x:1\"}]}", "{\"sourceList\": [{\"type\": \"location\", \"source\": \"urn:x:1\", \"ex:a\": 1}]}", "{\"bizTransactionList\": [{\"type\": \"po\"}]}",
  "{\"errorDeclaration\": {}}", "{\"errorDeclaration\": {\"declarationTime\": \"2026-03-02T00:00:00Z\", \"reason\": \"oops\"}}", "{\"sensorElementList\": [{\"sensorReport\": [{\"value\": 1}]}]}",
  "{\"sensorElementList\": [{}]}", "{\"sensorElementList\": [{\"sensorReport\": [{\"type\": \"Temperature\", \"value\": \"26\"}]}]}", "{\"ilmd\": {\"lotNumber\": \"A\"}}",
  "{\"ilmd\": {\"cbvmda:itemExpirationDate\": \"soon\"}}", "{\"ilmd\": {\"cbvmda:itemExpirationDate\": \"2026-01-01\", \"cbvmda:productionDate\": \"2026-01-02\"}}", "{\"action\": \"OBSERVE\", \"ilmd\": {\"ex:a\": 1}}",
  "{\"@context\": 5}", "{\"type\": \"Event\"}", "{\"persistentDisposition\": {\"set\": [\"gone\"]}}", "{\"certificationInfo\": [{}]}"}'::text[]) WITH ORDINALITY AS c(change, n)
WHERE name = 'object' ORDER BY n;
SELECT d, refusal(d::jsonb) FROM unnest('{5,"[]","{}","{\"type\": \"EPCISDocument\"}","{\"type\": 7}"}'::text[]) d;
-- what the standard leaves open
SELECT change, refusal(doc(event || change::jsonb))
FROM good, unnest('{
  "{\"bizStep\": \"https://example.com/selling\"}", "{\"bizStep\": \"ex:selling\"}", "{\"ex:colour\": {\"red\": [1, {\"deep\": null}]}}", "{\"epcList\": [\"https://example.com/my/thing\"]}",
  "{\"quantityList\": [{\"epcClass\": \"urn:epc:idpat:sgtin:4012345.066666.*\"}]}", "{\"sensorElementList\": [{\"sensorReport\": [{\"exception\": \"gs1:ALARM_CONDITION\", \"booleanValue\": true}], \"ex:a\": 1}]}",
  "{\"eventTime\": \"2016-12-31T23:59:60Z\"}", "{\"eventTime\": \"2026-03-01t00:00:00.1234567-12:45\"}", "{\"certificationInfo\": [\"https://example.com/c\"]}", "{\"@context\": [{\"a\": \"https://a.example/\"}]}"}'::text[]) WITH ORDINALITY AS c(change, n)
WHERE name = 'object' ORDER BY n;
SELECT change, refusal(doc(event || change::jsonb)) FROM good, unnest('{"{\"anything\": 1, \"epcList\": [\"urn:x:1\"]}", "{\"epcList\": [1]}"}'::text[]) change WHERE name = 'own';
-- every word of the CBV in its forms, of which one is kept
CREATE TABLE word AS
SELECT field, urn, web, unnest(words) AS word FROM (VALUES
  ('bizStep', 'bizstep', 'BizStep', '{accepting,arriving,assembling,collecting,commissioning,consigning,creating_class_instance,cycle_counting,decommissioning,departing,destroying,disassembling,dispensing,encoding,entering_exiting,holding,inspecting,installing,killing,loading,other,packing,picking,receiving,removing,repackaging,repairing,replacing,reserving,retail_selling,sampling,sensor_reporting,shipping,staging_outbound,stock_taking,stocking,storing,transporting,unloading,unpacking,void_shipping}'::text[]),
  ('disposition', 'disp', 'Disp', '{active,available,completeness_inferred,completeness_verified,conformant,container_closed,container_open,damaged,destroyed,dispensed,disposed,encoded,expired,in_progress,in_transit,inactive,mismatch_class,mismatch_instance,mismatch_quantity,needs_replacement,no_pedigree_match,non_conformant,non_sellable_other,partially_dispensed,recalled,reserved,retail_sold,returned,sellable_accessible,sellable_not_accessible,stolen,unavailable,unknown}')) v(field, urn, web, words);
SELECT w.field, count(*) AS words, count(*) FILTER (WHERE COALESCE(e.biz_step, e.disposition) = w.word) AS kept
FROM word w CROSS JOIN LATERAL unnest(ARRAY[w.word, format('urn:epcglobal:cbv:%s:%s', w.urn, w.word), format('https://ref.gs1.org/cbv/%s-%s', w.web, w.word), format('cbv:%s-%s', w.web, w.word)]) form,
  LATERAL epcis_events(doc((SELECT event - 'bizStep' FROM good WHERE name = 'object') || jsonb_build_object(w.field, form))) e
GROUP BY w.field ORDER BY w.field;
SELECT list, count(*) AS accepted FROM (VALUES
  ('bizTransactionList', 'bizTransaction', 'btt', '{bol,cert,desadv,inv,pedigree,po,poc,prodorder,recadv,rma,testprd,testres,upevt}'::text[]),
  ('sourceList', 'source', 'sdt', '{owning_party,possessing_party,location}'), ('destinationList', 'destination', 'sdt', '{owning_party,possessing_party,location}')) v(list, key, urn, words),
  unnest(words) w, unnest(ARRAY[w, format('urn:epcglobal:cbv:%s:%s', urn, w), format('https://ref.gs1.org/cbv/%s-%s', upper(urn), w)]) form
WHERE refusal(doc((SELECT event FROM good WHERE name = 'object') || jsonb_build_object(list, jsonb_build_array(jsonb_build_object('type', form, key, 'urn:x:1'))))) IS NULL
GROUP BY list ORDER BY list COLLATE "C";
-- one spelling of an identifier, whichever way it came
SELECT i.* FROM epcis_identifiers(doc('{"type": "ObjectEvent", "action": "ADD", "epcList": ["urn:epc:id:sgtin:0614141.107346.2017", "https://shop.example/x/01/10614141073464/10/L%2F1/21/2017", "urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908", "urn:epc:id:giai:4000001.111"],
  "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.99%2F8", "quantity": 2.50, "uom": "KGM"}, {"epcClass": "urn:epc:idpat:sgtin:4012345.066666.*", "quantity": 3, "uom": "H87"}], "ilmd": {"cbvmda:lotNumber": "M1"}}')) i;
DROP TABLE good, word;
DROP EXTENSION quality_gov;
DROP FUNCTION doc, refusal;
