#!/bin/bash
# epcis_capture() of 100,000 events in documents of 100, a transaction each, against inserting the rows that result
# from staging tables, in as many transactions, into tables with the same columns, constraints and indexes.
# BENCH_SCALE shrinks the number of documents; BENCH_PAIRS sets the number of interleaved pairs.
set -eu
. "$(dirname "$0")/lib.sh"
database qg_bench
trap 'psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
psql -Xqo /dev/null -d postgres <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
SELECT pg_reload_conf();
SQL
pairs=${BENCH_PAIRS:-7}
documents=$(scaled $((1000 / pairs + 1)) 4)
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v documents="$documents" -v pairs="$pairs" <<'SQL'
SET search_path = public, quality_gov;
-- Of ten events four commission a lot, two make a lot of two others, two ship and two receive one with five numbered items.
CREATE FUNCTION event_of(d bigint, n int) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('eventTime', '2026-03-01T08:00:00+08:00', 'eventTimeZoneOffset', '+08:00', 'eventID', format('urn:uuid:%s', md5(d || ' ' || n)::uuid),
    'readPoint', jsonb_build_object('id', 'urn:epc:id:sgln:4012345.00001.0'), 'bizLocation', jsonb_build_object('id', 'urn:epc:id:sgln:4012345.00002.0')) ||
  CASE WHEN n % 10 < 4 THEN jsonb_build_object('type', 'ObjectEvent', 'action', 'ADD', 'bizStep', 'commissioning', 'disposition', 'active',
           'quantityList', jsonb_build_array(jsonb_build_object('epcClass', format('urn:epc:class:lgtin:4012345.012345.L%s-%s', d, n), 'quantity', 100)),
           'ilmd', jsonb_build_object('cbvmda:itemExpirationDate', '2027-03-01', 'cbvmda:productionDate', '2026-03-01'))
       WHEN n % 10 < 6 THEN jsonb_build_object('type', 'TransformationEvent', 'bizStep', 'commissioning',
           'inputQuantityList', jsonb_build_array(
             jsonb_build_object('epcClass', format('urn:epc:class:lgtin:4012345.012345.L%s-%s', d, n - 4), 'quantity', 40),
             jsonb_build_object('epcClass', format('urn:epc:class:lgtin:4012345.012345.L%s-%s', d, n - 3), 'quantity', 60)),
           'outputQuantityList', jsonb_build_array(jsonb_build_object('epcClass', format('https://id.gs1.org/01/04012345066661/10/T%s-%s', d, n), 'quantity', 100)))
       ELSE jsonb_build_object('type', 'ObjectEvent', 'action', 'OBSERVE', 'bizStep', CASE WHEN n % 10 < 8 THEN 'shipping' ELSE 'receiving' END,
           'disposition', 'in_transit', 'bizTransactionList', jsonb_build_array(jsonb_build_object('type', 'po', 'bizTransaction', format('urn:epcglobal:cbv:bt:4012345000009:P%s', d))),
           'epcList', (SELECT jsonb_agg(format('urn:epc:id:sgtin:4012345.098765.%s%s', d * 1000 + n, s)) FROM generate_series(1, 5) s),
           'quantityList', jsonb_build_array(jsonb_build_object('epcClass', format('urn:epc:class:lgtin:4012345.012345.L%s-%s', d, n / 10 * 10), 'quantity', 10)))
  END;
CREATE TABLE document AS
SELECT p * 1000000 + d AS n, p AS pair, jsonb_build_object('@context', '["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]'::jsonb,
  'type', 'EPCISDocument', 'schemaVersion', '2.0', 'creationDate', '2026-03-01T09:00:00Z', 'id', format('urn:x:%s-%s', p, d),
  'epcisBody', jsonb_build_object('eventList', (SELECT jsonb_agg(event_of(p * 1000000 + d, e) ORDER BY e) FROM generate_series(0, 99) e))) AS document
FROM generate_series(0, :pairs) p, generate_series(1, :documents) d;
CREATE TABLE done (n bigint PRIMARY KEY, first_event bigint, last_event bigint, first_lot bigint, last_lot bigint, entry bigint);
CREATE TABLE p_event (LIKE epcis_event INCLUDING ALL);
CREATE TABLE p_identifier (LIKE epcis_identifier INCLUDING ALL);
CREATE TABLE p_lot (LIKE lot INCLUDING ALL);
CREATE TABLE p_lot_item (LIKE lot_item INCLUDING ALL);
CREATE TABLE p_lot_event (LIKE lot_event INCLUDING ALL);
CREATE TABLE p_lot_link (LIKE lot_link INCLUDING ALL);
CREATE TABLE p_ledger (LIKE ledger_entry INCLUDING ALL);
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY '{event,identifier,lot,lot_item,lot_event,lot_link,ledger}'::text[] LOOP
    EXECUTE format('CREATE TABLE s_%s AS SELECT 0::bigint AS n, * FROM p_%1$s', t);
    EXECUTE format('CREATE INDEX ON s_%s (n)', t);
  END LOOP;
END $$;
CREATE PROCEDURE ours(of_pair int) LANGUAGE plpgsql AS $$
DECLARE d record;
BEGIN
  FOR d IN SELECT document FROM document WHERE pair = of_pair ORDER BY n LOOP
    PERFORM quality_gov.epcis_capture(d.document);
    COMMIT;
  END LOOP;
END $$;
CREATE PROCEDURE stage(of_pair int) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO s_event SELECT d.n, e.* FROM document d
  JOIN quality_gov.ledger_entry l ON l.kind = 'epcis_capture' AND l.subject = d.document ->> 'id'
  JOIN quality_gov.epcis_event e ON e.event_no BETWEEN (l.body ->> 'first_event_no')::bigint AND (l.body ->> 'last_event_no')::bigint
  WHERE d.pair = of_pair;
  INSERT INTO s_identifier SELECT s.n, i.* FROM s_event s JOIN quality_gov.epcis_identifier i USING (event_no) WHERE s.n / 1000000 = of_pair;
  INSERT INTO s_lot_event SELECT s.n, i.* FROM s_event s JOIN quality_gov.lot_event i ON i.source = s.event_no WHERE s.n / 1000000 = of_pair;
  INSERT INTO s_lot SELECT v.n, l.* FROM (SELECT lot_id, min(n) AS n FROM s_lot_event GROUP BY lot_id) v JOIN quality_gov.lot l USING (lot_id) WHERE v.n / 1000000 = of_pair;
  INSERT INTO s_lot_link SELECT s.n, i.* FROM s_event s JOIN quality_gov.lot_link i ON i.source = s.event_no WHERE s.n / 1000000 = of_pair;
  INSERT INTO s_lot_item SELECT s.n, i.* FROM s_event s JOIN quality_gov.lot_item i ON i.source = s.event_no WHERE s.n / 1000000 = of_pair;
  INSERT INTO s_ledger SELECT d.n, l.* FROM document d JOIN quality_gov.ledger_entry l ON l.kind = 'epcis_capture' AND l.subject = d.document ->> 'id' WHERE d.pair = of_pair;
  COMMIT;
END $$;
DO $$ DECLARE t text; columns text; body text := ''; BEGIN
  FOREACH t IN ARRAY '{event,identifier,lot,lot_item,lot_event,lot_link,ledger}'::text[] LOOP
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute WHERE attrelid = ('p_' || t)::regclass AND attnum > 0;
    body := body || format('INSERT INTO p_%s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM s_%1$s WHERE n = d.n;', t, columns);
  END LOOP;
  EXECUTE format('CREATE PROCEDURE peer(of_pair int) LANGUAGE plpgsql AS $p$ DECLARE d record; BEGIN
    FOR d IN SELECT n FROM document WHERE pair = of_pair ORDER BY n LOOP %s COMMIT; END LOOP; END $p$', body);
END $$;
VACUUM ANALYZE document;
SQL
for pair in $(seq 0 "$pairs"); do
  psql -Xq -v ON_ERROR_STOP=1 -v pair="$pair" <<'SQL'
SET search_path = public;
SELECT extract(epoch FROM clock_timestamp()) AS a \gset
CALL ours(:pair);
SELECT 1000 * (extract(epoch FROM clock_timestamp()) - :a) AS ours \gset
CALL stage(:pair);
ANALYZE s_event, s_identifier, s_lot, s_lot_item, s_lot_event, s_lot_link, s_ledger;
SELECT extract(epoch FROM clock_timestamp()) AS a \gset
CALL peer(:pair);
SELECT 1000 * (extract(epoch FROM clock_timestamp()) - :a) AS peer \gset
INSERT INTO run SELECT 'epcis_capture(), ' || (SELECT count(*) FROM s_event WHERE n / 1000000 = :pair) || ' events (ms)', :pair, :ours, :peer, '<= 4 (2)';
SQL
done
psql -Xqc 'DELETE FROM run WHERE pair = 0'
psql -XAtq -v ON_ERROR_STOP=1 <<'SQL'
SELECT format('%s events, %s rows in all: %s identifiers, %s lots, %s lot events, %s links; %s differ', (SELECT count(*) FROM quality_gov.epcis_event),
  (SELECT count(*) FROM p_event) + (SELECT count(*) FROM p_identifier) + (SELECT count(*) FROM p_lot) + (SELECT count(*) FROM p_lot_item)
    + (SELECT count(*) FROM p_lot_event) + (SELECT count(*) FROM p_lot_link) + (SELECT count(*) FROM p_ledger),
  (SELECT count(*) FROM p_identifier), (SELECT count(*) FROM p_lot), (SELECT count(*) FROM p_lot_event), (SELECT count(*) FROM p_lot_link),
  abs((SELECT count(*) FROM quality_gov.lot_event) - (SELECT count(*) FROM p_lot_event)) + abs((SELECT count(*) FROM quality_gov.lot) - (SELECT count(*) FROM p_lot))
    + (SELECT count(*) FROM quality_gov.epcis_check()));
SQL
test/bench/machine
echo "a transaction a document of 100 events; $pairs interleaved pairs; peer: INSERT ... SELECT of the same rows from staging tables"
report
