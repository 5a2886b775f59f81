# A passport leaves the database as a document that anyone verifies with the issuer's key, Python and
# openssl alone; what its producer signs by openssl is taken; dump and restore verify all again.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run qw(run);
use QG;
use Test::More;

my $verifier = abs_path(dirname(__FILE__) . '/../verify/passport_verify.py');
for my $need ([ 'openssl', 'version' ], [ 'python3', '--version' ])
{
	eval { run($need, '>', \my $out, '2>', \my $err) } or plan skip_all => "no $need->[0]";
}

my $database = 'qg_passport';
database_create($database);
sql($database, 'CREATE EXTENSION quality_gov');
my $folder = sql($database, q{SELECT current_setting('data_directory')});

# The server itself makes the private keys, so that they belong to its user.
sub key
{
	my ($name, @options) = @_;
	sql($database, "COPY (SELECT 1) TO PROGRAM \$p\$umask 077; openssl genpkey @options -out '$folder/$name.pem' 2>/dev/null; cat >/dev/null\$p\$");
	return "SET quality_gov.passport_key_file = '$folder/$name.pem'; SET search_path = quality_gov; ";
}

my $serial = 0;

sub file
{
	my ($content) = @_;
	my $path = scratch() . '/' . $serial++;
	open my $out, '>', $path or die $!;
	print $out $content;
	close $out;
	return $path;
}

# What the independent check says of a document.
sub judged
{
	my ($document, $key) = @_;
	run([ 'python3', $verifier, file($document), $key ], '>', \my $out, '2>', \my $err);
	return $out . $err;
}

my %set = (ed => key('qg_test_ed', '-algorithm', 'ED25519'), sm2 => key('qg_test_sm2', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:SM2'));
sql($database, "INSERT INTO quality_gov.passport_field (category, field, type, audience, title, legal_basis) VALUES
	('kettles', 'cost', 'number', 'regulator', 'Cost', 'policy'), ('kettles', 'supplier', 'string', 'authorised', 'Supplier', 'policy')");

for my $kind ('ed', 'sm2')
{
	my $gtin = $kind eq 'ed' ? '6901234567892' : '6901234000009';
	my $public = sql($database, "$set{$kind} SELECT encode(public_key, 'hex') FROM passport_signer()");
	my $other = sql($database, ($kind eq 'ed' ? $set{sm2} : $set{ed}) . "SELECT encode(public_key, 'hex') FROM passport_signer()");
	sql($database, "$set{$kind} SELECT passport_key_add('did:web:works.example#$kind', 'did:web:works.example', 'Works', algorithm, '\\x$public', '{6901234}', '[2026-01-01,)') FROM passport_signer()");
	my $id = sql($database, "$set{$kind} SELECT passport_issue('$gtin', 'L/1', 'S1', '{\"title\": \"水壶 \\\\u00e9\\\\n\", \"mass\": 1.50, \"tiny\": 0.00000012, \"big\": 1e21, \"many\": 123456789012345, \"supplier\": \"Steel\", \"cost\": 12.5,
		\"nested\": {\"\\\\ud83d\\\\ude00\": [null, true, -0.5, 100, {}], \"\\\\ufb33\": \"\\\\u0001\"}}', 'kettles', key_id => 'did:web:works.example#$kind', at => '2026-02-01')");
	my $document = sql($database, "SELECT quality_gov.passport_export($id)");
	like(judged($document, $public), qr/^verified: did:web:works.example says so of https/, "$kind: verified with none of our code");
	like(judged($document, $other), qr/^refused/, "$kind: not by another key");
	like(judged($document =~ s/水壶/茶壶/r, $public), qr/^refused: the signature does not fit/, "$kind: not when it was changed");
	like(judged($document =~ s/"S1"/"S2"/r, $public), qr/^refused: the signature does not fit/, "$kind: not for another item");
	like(judged($document =~ s/2026-02-01T00:00:00Z", "\@context/2026-02-02T00:00:00Z", "\@context/r, $public), qr/^refused: the signature/, "$kind: not of another day");
	my $disclosed = sql($database, "SELECT quality_gov.passport_export($id, 'regulator')");
	like(judged($disclosed, $public), qr/^verified/, "$kind: what is disclosed to the regulator was signed");
	like(judged($disclosed =~ s/12\.5/12.4/r, $public), qr/^refused: claim 'cost' was not signed/, "$kind: no other value was");

	# signed outside, by openssl and the producer's own private key
	my ($draft, $secrets, $bytes) = split /\|/, sql($database, "SET search_path = quality_gov; SELECT document, disclosures, encode(to_sign, 'hex') FROM passport_draft('$gtin', 'L/2', NULL,
		'{\"title\": \"x\", \"cost\": 1}', 'did:web:works.example#$kind', 'kettles', at => '2026-02-01')");
	my $message = file(pack 'H*', $bytes);
	my $signature = scratch() . "/signature_$kind";
	command('openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', "$folder/qg_test_$kind.pem", '-in', $message, '-out', $signature,
		$kind eq 'sm2' ? ('-digest', 'sm3', '-pkeyopt', 'distid:1234567812345678') : ());
	open my $in, '<:raw', $signature or die $!;
	my $raw = do { local $/; <$in> };
	close $in;
	if ($kind eq 'sm2')
	{
		my ($r, $s) = unpack 'x3 C/a x C/a', $raw;
		$raw = join '', map { substr(("\0" x 32) . $_, -32) } $r, $s;
	}
	my $add = sub {
		return "SET search_path = quality_gov; SELECT passport_add(jsonb_set(\$d\$$draft\$d\$, '{proof,proofValue}', to_jsonb(multibase_encode('\\x$_[0]'))), \$d\$$secrets\$d\$, '2026-02-02')";
	};
	my $hex = unpack 'H*', $raw;
	is(sql_error($database, $add->($hex =~ s/^(..)/sprintf '%02x', hex($1) ^ 1/er)), 'QG501', "$kind: another signature is refused");
	my $added = sql($database, $add->($hex));
	is(sql($database, "SELECT quality_gov.passport_fault($added, '2026-02-02')"), '{}', "$kind: what its producer signed outside is good");
	like(judged(sql($database, "SELECT quality_gov.passport_export($added)"), $public), qr/^verified/, "$kind: and verified by anyone");
}

# the vector of W3C's EdDSA Cryptosuites 1.0, by the independent check
my $w3c = '{"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"], "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
	"type": ["VerifiableCredential", "AlumniCredential"], "name": "Alumni Credential", "description": "A minimum viable example of an Alumni Credential.",
	"issuer": "https://vc.example/issuers/5678", "validFrom": "2023-01-01T00:00:00Z", "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
	"proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": "2023-02-24T23:36:38Z",
	"verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2", "proofPurpose": "assertionMethod",
	"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
	"proofValue": "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"}}';
like(judged($w3c, 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2'), qr/^verified/, 'the independent check agrees with W3C');
like(judged($w3c =~ s/School/Schools/r, 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2'), qr/^refused/, 'and refuses what differs from it');

# a key file that others may read, with a password, of another kind
sql($database, "COPY (SELECT 1) TO PROGRAM \$p\$chmod 0640 '$folder/qg_test_ed.pem'; cat >/dev/null\$p\$");
is(sql_error($database, "$set{ed} SELECT passport_signer()"), '42501', 'a private key that others can read is refused');
is(sql_error($database, key('qg_test_pass', '-algorithm', 'ED25519', '-aes256', '-pass', 'pass:x') . 'SELECT passport_signer()'), '22023', 'one with a password is refused');
is(sql_error($database, key('qg_test_rsa', '-algorithm', 'RSA') . 'SELECT passport_signer()'), '22023', 'one of RSA is refused');
is(sql_error($database, "SET quality_gov.passport_key_file = '$folder/PG_VERSION'; SELECT quality_gov.passport_signer()"), '22023', 'a file without a key is refused');

# everything verifies again after dump and restore, and no private key is in the dump
my $dump = scratch() . '/passport.dump';
command('pg_dump', '-Fc', '-f', $dump, $database);
my $restored = 'qg_passport_restored';
database_create($restored);
command('pg_restore', '-j', '2', '-d', $restored, $dump);
is(sql($restored, 'SELECT count(*), count(*) FILTER (WHERE quality_gov.passport_fault(passport_id, \'2026-02-02\') = \'{}\') FROM quality_gov.passport'), '4|4', 'each is good in the restored database');
is(sql($restored, 'SELECT count(*) FROM quality_gov.passport_check()'), '0', 'and the oracle finds nothing');
is(sql($restored, 'SELECT count(*) FROM quality_gov.integrity_check()'), '0', 'nor does that of the whole');
sql($database, "COPY (SELECT 1) TO PROGRAM \$p\$rm -f '$folder'/qg_test_*.pem; cat >/dev/null\$p\$");
database_drop($restored);
database_drop($database);
done_testing();
