# EPCIS documents as others publish them: those that are valid are captured, those that are not are refused for the
# right reason, and what is given back is what came.
use strict;
use warnings;
use QG;
use Cwd qw(abs_path);
use Test::More;

my $folder = '../shared/data/epcis';
plan skip_all => "no documents in $folder" if !-d "$folder/Documents" || !-d "$folder/Invalid";

sub slurp
{
	my ($file) = @_;
	open my $in, '<:raw', $file or die "$file: $!\n";
	local $/ = undef;
	return <$in>;
}

sub name { my ($file) = @_; $file =~ s{.*/}{}; $file =~ s{\.json$}{}; return $file; }

# Where each is wrong, as the JSON schema of EPCIS 2.0 and the CBV have it.  The certificates of one are objects where
# the schema wants a URI or a list of URIs; the date that its name is about is inside the second.
my %wrong = (
	Combination_of_events_with_missing_mandatory_fields => '[0].action: expected a value, which is required',
	Combination_of_multiple_invalid_fields => '[0].bizStep: expected a CBV bizStep or a URI of your own, found "transforming"',
	Combination_of_non_standard_bizStep_and_disposition => '[0].bizStep: expected a CBV bizStep or a URI of your own, found "transforming"',
	EPCISDocument_without_context => '@context: expected a value, which is required',
	ObjectEvent_with_ilmd_field_without_namespace => '[0].ilmd.materialType: expected no such field without a namespace',
	ObjectEvent_with_invalid_action => '[0].action: expected ADD, OBSERVE or DELETE, found "CREATE"',
	ObjectEvent_with_invalid_certificationInfo => '[0].certificationInfo[0]: expected a string, found an object',
	ObjectEvent_with_invalid_eventTime_format => '[0].eventTime: expected a time with zone like 2026-07-22T06:45:00+02:00, found "22-07-2026"',
	ObjectEvent_with_non_standard_bizStep => '[0].bizStep: expected a CBV bizStep or a URI of your own, found "transforming"',
	ObjectEvent_with_non_standard_bizStep_in_second_event => '[1].bizStep: expected a CBV bizStep or a URI of your own, found "transforming"',
	ObjectEvent_with_non_standard_disposition => '[0].disposition: expected a CBV disposition or a URI of your own, found "in_transport"',
	ObjectEvent_with_quantity_as_text => '[0].quantityList[0].quantity: expected a number, found "twenty"',
	ObjectEvent_with_unknown_field_in_quantityList => '[0].quantityList[0].weight: expected no such field without a namespace',
	ObjectEvent_without_action_and_eventTime => '[0].eventTime: expected a value, which is required',
	ObjectEvent_without_identifier_list => '[0]: expected epcList or quantityList, or sensorElementList with readPoint');

database_create('qg_epcis');
sql('qg_epcis', 'CREATE EXTENSION quality_gov');
sql('qg_epcis', 'CREATE TABLE file (name text PRIMARY KEY, document jsonb)');
for my $file (glob "$folder/Documents/*.json $folder/Invalid/*.json")
{
	my $text = slurp($file);
	sql('qg_epcis', 'INSERT INTO file VALUES (' . join(', ', map { my $t = $_; $t =~ s/'/''/g; "'$t'" } name($file), $text) . ')');
}
# The SQLSTATE and message of a capture that leaves nothing behind, or its counts.
sql('qg_epcis', <<'SQL');
CREATE FUNCTION captured(document jsonb, keep boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE c record;
BEGIN
  SELECT * INTO c FROM quality_gov.epcis_capture(document);
  IF NOT keep THEN RAISE EXCEPTION USING ERRCODE = 'QGXXX', MESSAGE = c.events || ' events'; END IF;
  RETURN c.events || ' events';
EXCEPTION WHEN SQLSTATE 'QGXXX' THEN RETURN SQLERRM;
  WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SQL
my @valid = map { name($_) } glob "$folder/Documents/*.json";
my @invalid = map { name($_) } glob "$folder/Invalid/*.json";
is(scalar @valid, 38, '38 valid documents');
is(scalar @invalid, 15, '15 invalid ones');
for (@valid)
{
	like(sql('qg_epcis', "SELECT captured(document, false) FROM file WHERE name = '$_'"), qr/^\d+ events$/, "$_ is captured");
}
for (@invalid)
{
	my $said = sql('qg_epcis', "SELECT captured(document, false) FROM file WHERE name = '$_'");
	my $place = $wrong{$_} =~ /^\@/ ? '$.' : '$.epcisBody.eventList';
	is($said, "22023 EPCIS document refused at $place$wrong{$_}", "$_ is refused");
}
is(sql('qg_epcis', 'SELECT count(*) FROM quality_gov.epcis_event'), 0, 'nothing is left of documents that were only tried');

# All in one database: two documents give one eventID, which is the hash of neither's content, to events that differ;
# EPCIS 2.0 has eventID globally unique, so the second is told so, and the other 37 stay.
my @told = grep { $_ !~ /\d events$/ } split /\n/, sql('qg_epcis', 'SELECT name, captured(document, true) FROM file WHERE name = ANY (ARRAY[' . join(',', map { "'$_'" } @valid) . ']) ORDER BY name');
is(scalar @told, 1, 'one document contradicts another');
like($told[0], qr/^AssociationEvent_with_sensorData\|23505 /, 'and is told so');
my $stored = 'SELECT (SELECT count(*) FROM quality_gov.epcis_event), (SELECT count(*) FROM quality_gov.epcis_identifier), (SELECT count(*) FROM quality_gov.lot_event), (SELECT count(*) FROM quality_gov.ledger_entry)';
my $before = sql('qg_epcis', $stored);
is(sql('qg_epcis', q{SELECT DISTINCT captured(document, true) LIKE '%events' FROM file JOIN quality_gov.ledger_entry l ON true WHERE name = 'ObjectEvent' LIMIT 1}), 't', 'a document comes again');
is(sql('qg_epcis', 'SELECT captured FROM quality_gov.epcis_capture(quality_gov.epcis_export())'), 0, 'the export is known in whole');
is(sql('qg_epcis', $stored), $before, 'and changes nothing');
is(sql('qg_epcis', q{SELECT count(*) FROM file f, jsonb_array_elements(f.document #> '{epcisBody,eventList}') e WHERE f.name = ANY (ARRAY[} . join(',', map { "'$_'" } @valid) . q{]) AND f.name <> 'AssociationEvent_with_sensorData'
	AND NOT EXISTS (SELECT FROM quality_gov.epcis_event s WHERE s.body = e)}), 0, 'every event is stored as it came');
is(sql('qg_epcis', 'SELECT * FROM quality_gov.epcis_check()'), '', 'the oracle finds nothing');

database_create('qg_epcis_again');
sql('qg_epcis_again', 'CREATE EXTENSION quality_gov');
my $export = sql('qg_epcis', q{SELECT quality_gov.epcis_export(at => '2026-01-01')});
$export =~ s/'/''/g;
sql('qg_epcis_again', "SELECT quality_gov.epcis_capture('$export')");
my $content = q{SELECT md5(string_agg(e.event_id || encode(e.digest, 'hex'), ',' ORDER BY e.event_id COLLATE "C", e.digest)),
	(SELECT md5(string_agg(concat_ws(' ', gtin, lot_code, unit, made_on, expires_on, producer), ',' ORDER BY gtin, lot_code)) FROM quality_gov.lot) FROM quality_gov.epcis_event e};
is(sql('qg_epcis_again', $content), sql('qg_epcis', $content), 'an empty database has the same events and lots of it');
database_drop('qg_epcis');
database_drop('qg_epcis_again');
done_testing();
