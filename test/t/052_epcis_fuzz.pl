# Mutated EPCIS documents and Digital Links: whatever comes is taken or refused as the sender's mistake, never an
# internal error, and never what stops the server.  EPCIS_FUZZ multiplies the number, QG_SEED
# starts elsewhere.
use strict;
use warnings;
use QG;
use Test::More;

my $times = $ENV{EPCIS_FUZZ} || 1;
my $state = $ENV{QG_SEED} || 20260301;

# A generator of its own, since Perl's differs between machines.
sub draw { my ($n) = @_; $state = ($state * 1103515245 + 12345) & 0x7fffffff; return int($state / 65536) % $n; }
sub pick { return $_[draw(scalar @_)]; }

my @documents = (
	'{"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ext1": "https://ns.example.com/", "t": {"@id": "ext1:t", "@type": "ext1:x"}}], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-03-01T09:00:00Z", "epcisBody": {"eventList": [{"type": "ObjectEvent", "eventID": "urn:x:1", "eventTime": "2026-03-01T08:00:00.116+08:00", "eventTimeZoneOffset": "+08:00", "action": "ADD", "bizStep": "urn:epcglobal:cbv:bizstep:commissioning", "disposition": "active", "epcList": ["urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464/10/L1/21/9"], "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200.5, "uom": "KGM"}], "readPoint": {"id": "urn:epc:id:sgln:0012345.11111.400"}, "ilmd": {"cbvmda:lotNumber": "L1", "cbvmda:itemExpirationDate": "2027-01-01", "ext1:a": [1, {"t": null}]}, "sensorElementList": [{"sensorMetadata": {"time": "2019-04-02T13:05:00.000Z"}, "sensorReport": [{"type": "Temperature", "value": 26.1, "hexBinaryValue": "f0"}]}]}]}}',
	'{"@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld", "type": "EPCISQueryDocument", "epcisBody": {"queryResults": {"queryName": "q", "resultsBody": {"eventList": [{"type": "TransformationEvent", "eventTime": "2026-03-01T08:00:00Z", "eventTimeZoneOffset": "-06:00", "transformationID": "urn:x:t", "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.011111.4444", "quantity": 10}], "outputQuantityList": [{"epcClass": "https://id.gs1.org/01/04012345123456/10/N", "quantity": 3}], "inputEPCList": ["urn:epc:id:sgtin:0614141.107346.2017"]}, {"type": "AggregationEvent", "eventTime": "2026-03-01T08:00:00Z", "eventTimeZoneOffset": "+00:00", "action": "DELETE", "parentID": "urn:epc:id:sscc:0614141.1234567890", "childEPCs": ["https://id.gs1.org/00/106141412345678908"]}]}}}}',
	'{"@context": {"ext1": "https://ns.example.com/"}, "type": "TransactionEvent", "eventID": "urn:x:1", "eventTime": "2026-03-01T08:00:00Z", "eventTimeZoneOffset": "+00:00", "action": "OBSERVE", "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"}], "epcList": [], "sourceList": [{"type": "possessing_party", "source": "urn:x:1"}], "errorDeclaration": {"declarationTime": "2026-03-02T00:00:00Z", "reason": "incorrect_data", "correctiveEventIDs": ["urn:x:2"]}, "persistentDisposition": {"set": ["completeness_verified"]}, "certificationInfo": ["https://x.example/1"]}',
	'{"@context": [], "type": "AssociationEvent", "eventTime": "2026-03-01T08:00:00Z", "eventTimeZoneOffset": "+00:00", "action": "ADD", "parentID": "urn:epc:id:grai:4012345.55555.987", "childQuantityList": [{"epcClass": "urn:epc:idpat:itip:4012345.012345.01.02.*", "quantity": 1e3}], "ext1:n": {"deep": {"deep": [[[]]]}}}');
my @links = ('https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172', 'https://example.com/a/b/01/05412345000013/22/2A/10/L1/21/S1#x',
	'http://id.gs1.org/gtin/05412345000013/lot/A', 'https://id.gs1.org/01/95201234/235/x');
my @values = ('null', 'true', '0', '-1', '1e400', '-1e-400', '99999999999999999999999999999999', '""', '"urn:"', '"urn:epc:id:sgtin:.."', '"urn:epc:id:sgtin:0614141.107346."', '"urn:epc:class:lgtin:4012345.012345.%00"', '"urn:epc:id:sscc:000000000000.00000"',
	'"urn:epc:idpat:sgtin:*.*.*"', '"https://id.gs1.org/01/10614141073464/21/' . ('%41' x 30) . '"', '"https://id.gs1.org/00/"', '"9999-12-31T23:59:60-23:59"', '"0001-01-01T00:00:00+23:59"', '"0000-13-99T99:99:99Z"', '"\u5546\u54c1"', '"\ud83d\ude00"', '"' . ('x' x 5000) . '"', '"urn:x:' . ('y' x 3000) . '"',
	'[]', '{}', '[[]]', '[{}]', '{"": ""}', '{"@context": [[]]}', '{"a:b": ' . ('[' x 200) . (']' x 200) . '}');
my @bytes = ('"', '{', '}', '[', ']', ':', ',', '\\', '%', '/', '.', '*', '0', '9', 'Z', '-', "'", ' ', "\t", '?', '#', '\u0041');

# Changes a text in one place: cuts, doubles, swaps or puts in bytes, or, of JSON, a value.
sub mutate
{
	my ($text, $json) = @_;
	for (0 .. draw(3))
	{
		my $at = draw(length $text);
		my $how = draw($json ? 8 : 5);
		if ($how == 0) { substr($text, $at, 1 + draw(8)) = ''; }
		elsif ($how == 1) { substr($text, $at, 0) = pick(@bytes); }
		elsif ($how == 2) { substr($text, $at, 1) = pick(@bytes); }
		elsif ($how == 3) { substr($text, $at, 0) = substr($text, $at, 1 + draw(20)); }
		elsif ($how == 4) { substr($text, $at, 1) = chr(33 + draw(94)); }
		else
		{
			# One of the values, or of the keys, is another.
			my @places;
			while ($text =~ /(?<=: )("[^"]*"|[0-9.e]+)/g) { push @places, [$-[0], $+[0] - $-[0]]; }
			my $place = pick(@places) or next;
			substr($text, $place->[0], $place->[1]) = pick(@values);
		}
		return $text if $text eq '';
	}
	return $text;
}

database_create('qg_fuzz');
sql('qg_fuzz', 'CREATE EXTENSION quality_gov; CREATE TABLE input (n serial PRIMARY KEY, kind text, body text)');
my @rows;
for my $n (1 .. 3000 * $times) { push @rows, ['epcis', mutate(pick(@documents), 1)]; }
for my $n (1 .. 2000 * $times) { push @rows, ['link', mutate(pick(@links), 0)]; }
while (my @some = splice @rows, 0, 500)
{
	sql('qg_fuzz', 'INSERT INTO input (kind, body) VALUES ' . join(',', map { my ($k, $b) = @$_; $b =~ s/'/''/g; "('$k', '$b')" } @some));
}
sql('qg_fuzz', <<'SQL');
CREATE TABLE answer (n int, kind text, state text, message text);
CREATE PROCEDURE ask() LANGUAGE plpgsql AS $$
DECLARE i record; d jsonb;
BEGIN
  FOR i IN SELECT * FROM input ORDER BY n LOOP
    BEGIN
      IF i.kind = 'link' THEN
        PERFORM quality_gov.digital_link_parse(i.body);
      ELSE
        BEGIN
          d := i.body::jsonb;
        EXCEPTION WHEN invalid_text_representation OR untranslatable_character OR numeric_value_out_of_range THEN
          CONTINUE;
        END;
        PERFORM quality_gov.epcis_capture(d);
      END IF;
      INSERT INTO answer VALUES (i.n, i.kind, 'ok');
    EXCEPTION WHEN OTHERS THEN
      INSERT INTO answer VALUES (i.n, i.kind, SQLSTATE, SQLERRM);
    END;
  END LOOP;
END $$;
SQL
sql('qg_fuzz', 'CALL ask()');
is(sql('qg_fuzz', q{SELECT kind, state, message, left(body, 300) FROM answer JOIN input USING (n, kind) WHERE state <> 'ok' AND state !~ '^(22|23)' LIMIT 5}), '', 'nothing is answered by another error than of data');
is(sql('qg_fuzz', q{SELECT count(*) FROM answer WHERE kind = 'epcis' AND state LIKE '22%' AND message !~ '^EPCIS document refused at \$'}), 0, 'every refusal of a document names a place');
cmp_ok(sql('qg_fuzz', q{SELECT count(*) FROM answer WHERE kind = 'epcis' AND state = 'ok'}), '>', 50, 'many a mutation is still a document');
cmp_ok(sql('qg_fuzz', q{SELECT count(*) FROM answer WHERE kind = 'epcis' AND state = '22023'}), '>', 500, 'and many a one is JSON, but none');
cmp_ok(sql('qg_fuzz', q{SELECT count(*) FROM answer WHERE kind = 'link' AND state = 'ok'}), '>', 50, 'many a link is still one');
is(sql('qg_fuzz', q{SELECT count(*) FROM quality_gov.epcis_check()}), 0, 'the oracle finds nothing');
is(sql('qg_fuzz', q{SELECT captured FROM quality_gov.epcis_capture(quality_gov.epcis_export())}), 0, 'and what was taken comes back the same');
database_drop('qg_fuzz');
done_testing();
