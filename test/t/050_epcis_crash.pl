# Documents of the EPCIS inbox are captured a transaction each: a server that is killed in the middle, and workers that
# share the rest, give what one undisturbed run gives.
use strict;
use warnings;
use QG;
use IPC::Run qw(run start finish);
use Test::More;

# A cluster of its own, since the server goes down with the backend.
my ($home, $bindir) = cluster('epcis', "fsync = off");
local $ENV{PGHOST} = $home;
local $ENV{PGPORT} = 5432;
local $ENV{PGUSER} = 'postgres';

# 400 documents of four events: a lot is made, a part of it is sent, another lot is made of it; every fifth document
# is one that came before, every seventh is refused in its last event, and every ninth declares a shipment an error.
my $setup = <<'SQL';
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
CREATE FUNCTION event(id text, rest jsonb) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_object('eventID', 'urn:x:' || id, 'eventTime', '2026-03-01T00:00:00Z', 'eventTimeZoneOffset', '+08:00') || rest;
CREATE FUNCTION amount(lot text, n numeric) RETURNS jsonb LANGUAGE sql RETURN
  jsonb_build_array(jsonb_build_object('epcClass', 'urn:epc:class:lgtin:4012345.012345.' || lot, 'quantity', n));
CREATE FUNCTION doc(d int) RETURNS jsonb LANGUAGE sql RETURN jsonb_build_object('@context', '[]'::jsonb, 'type', 'EPCISDocument', 'schemaVersion', '2.0',
  'creationDate', '2026-03-01T09:00:00Z', 'id', 'urn:x:doc:' || d, 'epcisBody', jsonb_build_object('eventList', jsonb_build_array(
    event('made-' || d, jsonb_build_object('type', 'ObjectEvent', 'action', 'ADD', 'quantityList', amount('L' || d, 10))),
    event('sent-' || d, jsonb_build_object('type', 'ObjectEvent', 'action', 'OBSERVE', 'bizStep', 'shipping', 'quantityList', amount('L' || d, 3))),
    event('used-' || d, jsonb_build_object('type', 'TransformationEvent', 'inputQuantityList', amount('L' || d, 2), 'outputQuantityList', amount('M' || d % 20, 1))),
    event('sent-' || d - CASE WHEN d % 9 = 0 THEN 9 ELSE 0 END, jsonb_build_object('type', 'ObjectEvent', 'bizStep', 'shipping', 'quantityList', amount('L' || d - CASE WHEN d % 9 = 0 THEN 9 ELSE 0 END, 3),
      'action', CASE WHEN d % 7 = 0 THEN 'SEE' ELSE 'OBSERVE' END) || CASE WHEN d % 9 = 0 THEN '{"errorDeclaration": {"declarationTime": "2026-03-02T00:00:00Z"}}' ELSE '{}'::jsonb END))));
SELECT count(epcis_submit(doc(CASE WHEN n % 5 = 0 THEN n - 4 ELSE n END), 'supplier')) FROM generate_series(1, 400) n;
SQL

# What is stored, by names that do not depend on the order of numbers.
my $summary = <<'SQL';
SET search_path = public, quality_gov;
SELECT (SELECT md5(string_agg(event_id || ' ' || encode(digest, 'hex'), ',' ORDER BY event_id COLLATE "C", digest)) FROM epcis_event),
  (SELECT md5(string_agg(concat_ws(' ', l.lot_code, e.kind, e.quantity, v.event_id, v.error_declared), ',' ORDER BY l.lot_code, v.event_id COLLATE "C", e.kind, v.error_declared)) FROM lot_event e JOIN lot l USING (lot_id) JOIN epcis_event v ON v.event_no = e.source),
  (SELECT md5(string_agg(concat_ws(' ', p.lot_code, c.lot_code, k.quantity, k.at), ',' ORDER BY p.lot_code, c.lot_code)) FROM lot_link k JOIN lot p ON p.lot_id = k.parent JOIN lot c ON c.lot_id = k.child),
  (SELECT string_agg(concat_ws(' ', document_no, state, sqlstate), ',' ORDER BY document_no) FROM epcis_inbox),
  (SELECT count(*) FROM ledger_entry WHERE kind = 'epcis_capture');
SQL

database_create('undisturbed');
sql('undisturbed', $setup);
sql('undisturbed', 'CALL quality_gov.epcis_capture_pending()');
my $wanted = sql('undisturbed', $summary);
is(sql('undisturbed', 'SELECT * FROM quality_gov.epcis_check()'), '', 'the undisturbed run is well');
like(sql('undisturbed', 'SELECT state, count(*) FROM quality_gov.epcis_inbox GROUP BY 1 ORDER BY 1'), qr/captured\|\d+\nrefused\|\d+/, 'some documents were refused');

sql('postgres', $setup);
my ($out, $err) = ('', '');
my $worker = start(['psql', '-XAtq', '-d', 'postgres', '-c', 'CALL quality_gov.epcis_capture_pending()'], '<', \undef, '>', \$out, '2>', \$err);
my $pid = '';
for (1 .. 1200)
{
	$pid = sql('postgres', "SELECT a.pid FROM pg_stat_activity a WHERE a.query LIKE 'CALL%' AND a.pid <> pg_backend_pid()
		AND (SELECT count(*) FROM quality_gov.epcis_inbox WHERE state <> 'pending') >= 40 LIMIT 1");
	last if $pid ne '';
	select undef, undef, undef, 0.01;
}
server('kill', '-9', $pid) if $pid ne '';
finish($worker);
for (1 .. 600)
{
	last if run(["$bindir/pg_isready", '-q', '-d', 'postgres']) && run(['psql', '-XAtq', '-d', 'postgres', '-c', 'SELECT 1'], '>', \my $one, '2>', \my $none);
	select undef, undef, undef, 0.1;
}
my $done = sql('postgres', "SELECT count(*) FROM quality_gov.epcis_inbox WHERE state <> 'pending'");
cmp_ok($done, '>=', 40, 'the worker had come somewhere');
cmp_ok($done, '<', 400, 'and was killed before its end');
is(sql('postgres', q{SELECT count(*) FROM quality_gov.epcis_inbox i WHERE (i.state = 'captured' AND (i.result ->> 'captured')::int > 0)}),
	sql('postgres', q{SELECT count(*) FROM quality_gov.ledger_entry WHERE kind = 'epcis_capture'}), 'what is marked captured is what was entered');
is(sql('postgres', 'SELECT * FROM quality_gov.epcis_check()'), '', 'no document is stored in part');

my @workers = map {
	start(['psql', '-XAtq', '-d', 'postgres', '-c', 'CALL quality_gov.epcis_capture_pending()'], '<', \undef, '>', \my $o, '2>', \my $e)
} 1 .. 2;
finish($_) for @workers;
is(sql('postgres', "SELECT count(*) FROM quality_gov.epcis_inbox WHERE state = 'pending'"), 0, 'two workers finished the rest');
is(sql('postgres', $summary), $wanted, 'and the whole is what the undisturbed run gave');
is(sql('postgres', 'SELECT * FROM quality_gov.epcis_check()'), '', 'the oracle finds nothing');

server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
