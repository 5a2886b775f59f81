# Canonical JSON, base 58 and what takes signed documents hold against random and hostile input: a
# clear verdict or error, no crash, no internal error (XX000), nothing stored, and nothing verifies that
# was not signed.  QG_SEED repeats a run, QG_ROUNDS and QG_DOCUMENTS say how much is tried.
use strict;
use warnings;
use QG;
use Test::More;

my $seed = $ENV{QG_SEED} // int(rand(2**31));
my $rounds = $ENV{QG_ROUNDS} // 100_000;
my $documents = $ENV{QG_DOCUMENTS} // 2_000;
my $program = scratch() . '/fuzz_jcs';
my $output = `test/fuzz/build $program test/fuzz/fuzz_jcs.c test/fuzz/random.c src/common/jcs_core.c src/common/base58.c 2>&1`;
SKIP:
{
	skip $1, 2 if $? >> 8 == 3 && $output =~ /^skipped: (.*)/m;
	is($?, 0, 'the cores compile outside the server') or diag($output);
	$output = `$program $seed $rounds`;
	is($?, 0, "numbers, keys and base 58 agree with their twins, seed $seed") or diag($output);
}

my $database = 'qg_passport_fuzz';
database_create($database);
sql($database, <<'SQL');
CREATE EXTENSION quality_gov;
SET search_path = quality_gov;
SELECT passport_key_add('did:web:a.example#1', 'did:web:a.example', 'A', 'Ed25519', 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2', '{6901234}', '[2026-01-01,)');
SELECT set_config('quality_gov.passport_key_file', current_setting('data_directory') || '/fuzz_passport.pem', false);
DO $$ BEGIN EXECUTE format('COPY (VALUES (''-----BEGIN PRIVATE KEY-----''), (%L), (''-----END PRIVATE KEY-----'')) TO PROGRAM %L', encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64'), format('umask 077; cat > ''%s''', current_setting('quality_gov.passport_key_file'))); END $$;
CREATE TABLE public.given (n int, body text);
-- every function that takes a document, its verdict or SQLSTATE
CREATE FUNCTION public.tried(body text, OUT parsed text, OUT verified text, OUT canonical text, OUT added text, OUT resigned text, OUT keyed text, OUT decoded text) LANGUAGE plpgsql AS $$
DECLARE
  document jsonb;
BEGIN
  BEGIN document := body; parsed := 'parsed'; EXCEPTION WHEN OTHERS THEN parsed := SQLSTATE; END;
  BEGIN verified := quality_gov.passport_proof_verify(document, 'Ed25519', '\xb00d8d938e7f773d51565aad36a623f5344f7f5d1960f9cf3e8e12620ea2810f');
  EXCEPTION WHEN OTHERS THEN verified := SQLSTATE; END;
  -- canonical again, and the same value
  BEGIN canonical := quality_gov.jcs(quality_gov.jcs(document)::jsonb) = quality_gov.jcs(document) AND quality_gov.jcs(document)::jsonb = document;
  EXCEPTION WHEN OTHERS THEN canonical := SQLSTATE; END;
  BEGIN added := quality_gov.passport_add(document, COALESCE(document #> '{credentialSubject,claimDigests}', '[]'), '2026-03-01');
  EXCEPTION WHEN OTHERS THEN added := SQLSTATE; END;
  -- signed by the right key after all, so that what comes behind the signature is reached; then undone
  BEGIN
    PERFORM quality_gov.passport_add(jsonb_set(document, '{proof,proofValue}', to_jsonb(quality_gov.passport_sign(document - 'proof', (document -> 'proof') - 'proofValue'::text, 'Ed25519',
      '\xb00d8d938e7f773d51565aad36a623f5344f7f5d1960f9cf3e8e12620ea2810f'))), '[]', '2026-03-01');
    RAISE SQLSTATE 'TAKEN';
  EXCEPTION WHEN OTHERS THEN resigned := SQLSTATE; END;
  BEGIN PERFORM quality_gov.public_key_read(CASE WHEN length(body) % 2 = 0 THEN 'Ed25519' ELSE 'SM2' END, substr(body, 1, 200)); keyed := 'a key';
  EXCEPTION WHEN OTHERS THEN keyed := SQLSTATE; END;
  BEGIN PERFORM quality_gov.multibase_decode(body); decoded := 'decoded'; EXCEPTION WHEN OTHERS THEN decoded := SQLSTATE; END;
END $$;
SQL

my $signed = '{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/undefined-terms/v2"],"id":"https://id.gs1.org/01/06901234567892/10/L1/21/S1#passport-1",'
  . '"type":["VerifiableCredential","ProductPassport"],"issuer":"did:web:a.example","validFrom":"2026-02-01T00:00:00Z","credentialSubject":{"id":"https://id.gs1.org/01/06901234567892/10/L1/21/S1",'
  . '"gtin":"06901234567892","lot":"L1","serial":"S1","level":"item","version":1,"claims":{"title":"Kettle","mass":1.5,"parts":[1,2.5e3,null,true,{"a":"\\u00e9\\n"}]},"claimDigests":["abc"]},'
  . '"proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","created":"2026-02-01T00:00:00Z","verificationMethod":"did:web:a.example#1","proofPurpose":"assertionMethod",'
  . '"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/undefined-terms/v2"],"proofValue":"z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"}}';
my @tokens = $signed =~ /"(?:[^"\\]|\\.)*"|[-\w.]+|[{}\[\],:]/g;
my @strange = ('null', 'true', '0', '-0', '1e400', '1e-400', '9007199254740993', '0.1000000000000000055511151231257827', '1' x 400, '-1', '2147483648', '1.5', '""', '[]', '{}', '[{}]', '"z"', '"z1"',
	'"z' . ('z' x 20000) . '"', '"' . ('x' x 100000) . '"', '"\\ud800"', '"\\u0000"', '"\\uffff"', '"https://id.gs1.org/01/06901234567892/10/%00"', '"https://id.gs1.org/01/06901234567892/10/<script>"',
	'"-infinity"', '"2026-13-01T00:00:00Z"', '"294277-01-01T00:00:00Z"', '"did:web:b.example#1"', '"@context"', '"proof"', ('[' x 2000) . (']' x 2000), ('{"a":' x 500) . '1' . ('}' x 500));
srand $seed;
my @given = ($signed, '', ' ', 'z', '[' x 50000, '{"a":' x 50000, '"' . ('\\u0000' x 10) . '"', "\x01", 'z' . ('1' x 2000), '\\x', '\\x0', '-----BEGIN PUBLIC KEY-----', 'z6Mk', "\xc3\xa9" x 5000);
while (@given < $documents)
{
	my @copy = @tokens;
	for (0 .. int rand 3)
	{
		my $at = int rand @copy;
		my $how = int rand 6;
		if ($how == 0) { splice @copy, $at, 1; }
		elsif ($how == 1) { splice @copy, $at, 0, $copy[ int rand @copy ]; }
		elsif ($how == 2) { @copy[ $at, -1 ] = @copy[ -1, $at ]; }
		elsif ($how == 3) { my $byte = int rand length $copy[$at]; substr($copy[$at], $byte, 1) = chr(32 + int rand 95); }
		else { $copy[$at] = $strange[ int rand @strange ]; }
	}
	push @given, join '', @copy;
}
my $file = scratch() . '/given';
open my $out, '>:raw', $file or die $!;
for my $n (0 .. $#given)
{
	my $body = $given[$n] =~ s/\\/\\\\/gr =~ s/\t/\\t/gr =~ s/\n/\\n/gr;
	print $out "$n\t$body\n";
}
close $out;
sql($database, "\\copy public.given FROM '$file'");
sql($database, q{SET quality_gov.passport_key_file = '} . sql($database, q{SELECT current_setting('data_directory')}) . q{/fuzz_passport.pem'; } . 'CREATE TABLE public.said AS SELECT g.n, t.* FROM public.given g, public.tried(g.body) t');
is(sql($database, 'SELECT count(*) FROM public.said'), scalar @given, "each of them is answered, seed $seed");
is(sql($database, q{SELECT string_agg(n::text, ' ') FROM public.said WHERE 'XX' IN (left(parsed, 2), left(verified, 2), left(canonical, 2), left(added, 2), left(resigned, 2), left(keyed, 2), left(decoded, 2))}), '', 'no internal error');
is(sql($database, q{SELECT string_agg(DISTINCT verified, ' ') FROM public.said WHERE verified <> 'false'}), '', 'nothing verifies that was not signed, and verifying raises no error');
is(sql($database, q{SELECT string_agg(DISTINCT canonical, ' ' ORDER BY canonical) FROM public.said WHERE canonical NOT IN ('true', '22003')}), '', 'canonical JSON is the same value and stable, or a number is refused');
is(sql($database, q{SELECT string_agg(DISTINCT added, ' ' ORDER BY added) FROM public.said WHERE added !~ '^(QG50[12]|22|23514|P0002|55000)'}), '', 'each is refused with a reason');
is(sql($database, q{SELECT string_agg(DISTINCT resigned, ' ' ORDER BY resigned) FROM public.said WHERE resigned !~ '^(QG50[12]|22|23514|P0002|55000|TAKEN)'}), '', 'signed by the right key each is taken or refused with a reason');
cmp_ok(sql($database, q{SELECT count(*) FROM public.said WHERE resigned = 'TAKEN'}), '>', 0, 'some are taken then');
is(sql($database, 'SELECT (SELECT count(*) FROM quality_gov.passport) + (SELECT count(*) FROM quality_gov.passport_claim) + (SELECT count(*) FROM quality_gov.passport_event)'), '0', 'nothing is stored');
sql($database, "COPY (SELECT 1) TO PROGRAM \$p\$rm -f fuzz_passport.pem; cat >/dev/null\$p\$");
database_drop($database);
done_testing();
