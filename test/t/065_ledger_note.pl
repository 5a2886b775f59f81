# A log that is signed outside and witnessed is provable to who has only receipts, checkpoints, tiles, python3 and openssl; whatever is changed is found.
use strict;
use warnings;
use Cwd 'getcwd';
use IPC::Run qw(run);
use JSON::PP ();
use QG;
use Test::More;

my $root = getcwd();
plan skip_all => 'skipped: python3 or openssl is missing' if system('python3 -c "" 2>/dev/null; test $? -eq 0 && openssl version >/dev/null 2>&1') != 0;
my ($home, $bindir) = cluster('noted', 'fsync = off', 'jit = off', "timezone = 'UTC'");
local @ENV{qw(PGHOST PGPORT PGUSER)} = ($home, 5432, 'postgres');
local $ENV{LEDGER_VERIFY} = "$root/test/verify/ledger_verify.py";
local $ENV{PATH} = "$bindir:$ENV{PATH}";

# The signer and the witness are another user of the machine, where the test can be one.
my $outside = scratch() . '/outside';
mkdir $outside;
my @as_signer = $> == 0 ? ('runuser', '-u', 'nobody', '--') : ();
chown((getpwnam 'nobody')[2, 3], $outside) if @as_signer;
sub outside { my ($out, $err) = ('', ''); my $ok = run([@as_signer, @_], '<', \undef, '>', \$out, '2>', \$err); return ($ok, $out . $err); }
sub openssl { my ($ok, $said) = outside('sh', '-c', "umask 077; openssl $_[0]"); die $said if !$ok; return $said; }
my $database = 'noted';
sub signs { my ($name, @args) = @_; return outside("$root/src/ledger/quality_gov_ledger_sign", @args, "$outside/$name.pem", "$outside/$name", '-d', $database, '-U', 'signer'); }
sub verify { my ($out, $err) = ('', ''); my $ok = run(['python3', $ENV{LEDGER_VERIFY}, @_], '<', \undef, '>', \$out, '2>', \$err); return ($ok, $out . $err); }
sub file { my ($name, $data) = @_; my $path = scratch() . "/$name"; open my $out, '>:raw', $path or die "$path: $!"; print $out $data; close $out; return $path; }
sub good { my ($what, $like, @args) = @_; my ($ok, $said) = verify(@args); ok($ok && $said =~ $like, $what) or diag $said; return; }
sub bad { my ($what, $like, @args) = @_; my ($ok, $said) = verify(@args); ok(!$ok && $said =~ /^not verified: .*$like/s, $what) or diag $said; return; }

database_create('noted');
sql('noted', 'SET client_min_messages = warning; CREATE EXTENSION quality_gov; SELECT quality_gov.roles_create()');
sql('noted', q{CREATE ROLE signer LOGIN; GRANT quality_gov_regulator TO signer; SELECT quality_gov.ledger_origin_set('shop.example/log')});
for my $name (qw(log witness)) { openssl("genpkey -algorithm ed25519 -out $outside/$name.pem"); outside('mkdir', "$outside/$name"); }
sub public { my ($name) = @_; return openssl("pkey -in $outside/$name.pem -pubout"); }
my $vkey = sql('noted', "SELECT quality_gov.ledger_key_add(:'key')", args => ['-v', 'key=' . public('log')]);
my $witness = sql('noted', "SELECT quality_gov.ledger_key_add(:'key', 'witness', 'w.example')", args => ['-v', 'key=' . public('witness')]);

# three checkpoints: a few leaves, more than a tile, more than a tile of tiles would be at the right edge
sub grow { my ($n) = @_; sql('noted', qq{SELECT count(quality_gov.ledger_record('credit_grade', 'm-' || n, jsonb_build_object('n', n, 'text', '好'))) FROM generate_series(1, $n) n}); return sql('noted', 'SELECT quality_gov.ledger_seal()'); }
grow(40);
is(sql_error('noted', 'SELECT quality_gov.ledger_checkpoint()'), '55000', 'a new session says that nothing is signed');
like((signs('log'))[1], qr/-i begins/, 'a signer without a checkpoint does not just sign');
like((signs('log', '-i'))[1], qr{^shop.example/log has signed 43 leaves$}, 'it begins');
my $first = file('first', sql('noted', 'SELECT quality_gov.ledger_checkpoint()'));
like((signs('log', '-i'))[1], qr/it began before/, 'and begins once');
sql('noted', q{SELECT quality_gov.ledger_record('credit_grade', 'm-1', jsonb_build_object('text', repeat('x', 70000)))});
sql('noted', q{SELECT quality_gov.ledger_record('test', repeat('x', 70000), '{}')});
sql('noted', q{SET client_min_messages = warning; CREATE TABLE person (id int PRIMARY KEY, phone text); SELECT quality_gov.ledger_protect('person', sensitive => '{phone}'); INSERT INTO person VALUES (1, '138')});
is(grow(700), '747', 'the log grows');
like((signs('log'))[1], qr/has signed 747 leaves/, 'the signer follows');
like((signs('log'))[1], qr/has signed 747 leaves/, 'to sign the same again is no harm');
like((signs('witness', '-i', '-w', 'w.example'))[1], qr/w.example has signed 747 leaves/, 'a witness signs, too');
is(sql('noted', 'SELECT size, kind, name, cosigned_at BETWEEN sealed_at - interval \'1 s\' AND now() FROM quality_gov.ledger_anchor ORDER BY 1, 2'),
	"43|log|shop.example/log|\n747|log|shop.example/log|\n747|witness|w.example|t", 'ledger_anchor shows them');
my $note = sql('noted', 'SELECT quality_gov.ledger_checkpoint()');
my $last = file('last', $note);
good('the checkpoint verifies', qr{^shop.example/log has 747 leaves, signed by the log, witnessed by w.example$}, 'checkpoint', $last, $vkey, $witness);
good('unknown signatures are passed over', qr{signed by the log$}, 'checkpoint', $last, $vkey);
bad('a witness alone is not the log', 'no key given', 'checkpoint', $last, $witness);
bad('keys of another name are not this one', 'hash of', 'checkpoint', $last, $vkey =~ s/shop/shoq/r);
for my $change ([size => sub { s/^747$/748/m }], [root => sub { s/^(.)(.{43})$/($1 eq 'A' ? 'B' : 'A') . $2/me }], [origin => sub { s/^shop/shoq/ }], [signature => sub { s/(log .{30})(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/e }],
	['time of the witness' => sub { s/(w.example .{14})(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/e }], ['line' => sub { s/=\n\n/=\nmore\n\n/ }], ['no signature' => sub { s/\n\x{e2}.*/\n/s }])
{
	my ($what, $do) = @$change;
	local $_ = $note;
	$do->();
	isnt($_, $note, "$what changed") if $what ne 'no signature';
	bad("a checkpoint with another $what is refused", '', 'checkpoint', file('changed', $_), $vkey, $witness);
}

# receipts
my ($entry) = sql('noted', q{SELECT min(entry_id) FROM quality_gov.ledger_entry WHERE kind = 'credit_grade'});
my %receipt = (plain => sql('noted', "SELECT quality_gov.ledger_receipt($entry)"),
	long => sql('noted', q{SELECT quality_gov.ledger_receipt(entry_id) FROM quality_gov.ledger_entry WHERE length(body::text) > 65535}),
	subject => sql('noted', q{SELECT quality_gov.ledger_receipt(entry_id) FROM quality_gov.ledger_entry WHERE length(subject) > 65535}),
	row => sql('noted', q{SELECT quality_gov.ledger_receipt(entry_id, '{phone}') FROM quality_gov.ledger_entry WHERE kind = 'row_insert'}));
for my $name (sort keys %receipt)
{
	good("receipt $name verifies", qr{of the 747 of shop.example/log, signed by the log, witnessed by w.example}, 'receipt', file('r', $receipt{$name}), $vkey, $witness);
	my $doc = JSON::PP->new->utf8->decode($receipt{$name});
	my @changes = (sub { $_[0]{index}++ }, sub { $_[0]{proof}[3] = $_[0]{proof}[2] }, sub { shift @{ $_[0]{proof} } }, sub { push @{ $_[0]{proof} }, $_[0]{proof}[0] }, sub { $_[0]{entry}{subject} = 'm-9' },
		sub { $_[0]{leaf} =~ s/^.{8}/AAAAAAAA/ }, sub { delete $_[0]{leaf} }, sub { $_[0]{origin} = 'x' }, sub { $_[0]{version} = 2 }, sub { $_[0]{body} .= ' ' }, sub { $_[0]{checkpoint} =~ s/747/746/ },
		sub { $_[0]{disclosed} = { phone => { salt => 'AAAA', value => '["138"]' } } }, sub { $_[0]{proof} = 'x' }, sub { $_[0]{index} = -1 }, sub { $_[0]{checkpoint} = undef });
	my $n = 0;
	for my $change (@changes)
	{
		my $copy = JSON::PP->new->utf8->decode($receipt{$name});
		$change->($copy);
		my $text = JSON::PP->new->utf8->encode($copy);
		bad("receipt $name with change " . ++$n, '', 'receipt', file('r', $text), $vkey, $witness);
		is(sql('noted', q{SELECT valid FROM quality_gov.ledger_receipt_verify(:'r')}, args => ['-v', "r=$text"]), 'f', 'the database says the same') if $name ne 'long';
	}
}
bad('a receipt is not believed by keys of its own', 'no key given', 'receipt', file('r', $receipt{plain}));

# tiles, as a static server has them
my $folder = scratch() . '/site';
sub path { my ($n) = @_; my $p = sprintf '%03d', $n % 1000; while ($n = int($n / 1000)) { $p = sprintf 'x%03d/%s', $n % 1000, $p } return $p; }
sub export
{
	my %tile;
	for (split /\n/, sql('noted', q{SELECT level || '/' || tile_index, encode(quality_gov.ledger_tile_data(level, tile_index, length(data) / 32), 'hex') FROM quality_gov.ledger_tile})) { my ($at, $hex) = split /\|/; my ($l, $i) = split m{/}, $at; my $data = pack 'H*', $hex; my $w = length($data) / 32; $tile{"$l/" . path($i) . ($w < 256 ? ".p/$w" : '')} = $data; }
	my $size = sql('noted', 'SELECT quality_gov.ledger_size()');
	for (my $i = 0; 256 * $i < $size; $i++) { my $w = $size - 256 * $i; $w = 256 if $w > 256; $tile{'entries/' . path($i) . ($w < 256 ? ".p/$w" : '')} = pack 'H*', sql('noted', "SELECT encode(quality_gov.ledger_bundle($i, $w), 'hex')"); }
	return \%tile;
}
sub site { my ($tile) = @_; command('rm', '-rf', $folder); for my $at (keys %$tile) { my ($dir) = "$folder/tile/$at" =~ m{^(.*)/}; command('mkdir', '-p', $dir); file("site/tile/$at", $tile->{$at}); } return; }
my $tiles = export();
is(join(' ', sort keys %$tiles), '0/000 0/001 0/002.p/235 1/000.p/2 entries/000 entries/001 entries/002.p/235', 'tiles have the paths of C2SP');
site($tiles);
good('the whole log verifies', qr/^all 747 leaves .* witnessed by w.example/, 'log', $folder, $last, $first, $vkey, $witness);
good('tiles that grew hold the earlier log', qr/^all 43 leaves/, 'log', $folder, $first, '-', $vkey);
for my $at (sort keys %$tiles)
{
	site({ %$tiles, $at => $tiles->{$at} ^ (("\0" x (length($tiles->{$at}) - 1)) . "\1") });
	bad("a changed tile $at is found", '', 'log', $folder, $last, '-', $vkey);
	my %gone = %$tiles;
	delete $gone{$at};
	site(\%gone);
	bad("a missing tile $at is found", 'is missing', 'log', $folder, $last, '-', $vkey);
}
site($tiles);
bad('another beginning is found', 'does not begin', 'log', $folder, $last, file('changed', join("\n", 'shop.example/log', 43, 'A' x 43 . '=', '')), $vkey);

# proofs of every size up to 40: the verifier, which was written from the RFC alone, agrees with the database
my $proofs = sql('noted', q{SET search_path = quality_gov; SELECT jsonb_agg(jsonb_build_array(m, n, encode(ledger_tree_root(m), 'hex'), encode(ledger_tree_root(n), 'hex'),
  (SELECT COALESCE(jsonb_agg(encode(p, 'hex') ORDER BY o), '[]') FROM unnest(ledger_consistency_proof(m, n)) WITH ORDINALITY x(p, o)),
  (SELECT COALESCE(jsonb_agg(encode(p, 'hex') ORDER BY o), '[]') FROM unnest(ledger_inclusion_proof(m - 1, n)) WITH ORDINALITY x(p, o)),
  (SELECT encode(substr(data, 32 * (m - 1)::int + 1, 32), 'hex') FROM ledger_tile WHERE level = 0 AND tile_index = 0)))
  FROM generate_series(1::bigint, 40) n, generate_series(1::bigint, n) m});
my ($said, $err) = ('', '');
run(['python3', '-c', <<'PY', file('proofs', $proofs)], '>', \$said, '2>', \$err);
import json, os, sys
sys.path.insert(0, os.path.dirname(os.environ["LEDGER_VERIFY"]))
sys.dont_write_bytecode = True
import ledger_verify as v
tried = wrong = 0
def refuses(call, *args):
    try:
        call(*args)
    except v.Fault:
        return True
    return False
def included(m, n, leaf, root, proof):
    v.need(0 <= m < n and v.climb(m, n - 1, b"", leaf, proof)[1] == root, "no")
for m, n, old, new, grown, path, leaf in json.load(open(sys.argv[1])):
    old, new, leaf, grown, path = bytes.fromhex(old), bytes.fromhex(new), bytes.fromhex(leaf), [bytes.fromhex(x) for x in grown], [bytes.fromhex(x) for x in path]
    v.check_consistency((m, old), (n, new), grown)
    included(m - 1, n, leaf, new, path)
    tried += 1
    for proof in [grown + [old], grown[1:], grown[:-1], [new] + grown[1:]]:
        wrong += proof != grown and not refuses(v.check_consistency, (m, old), (n, new), proof)
    wrong += not refuses(v.check_consistency, (m, leaf if m > 1 else b"", ), (n, new), grown) or not refuses(v.check_consistency, (m, old), (n, b""), grown)
    for proof in [path + [old], path[1:], path[:-1]]:
        wrong += proof != path and not refuses(included, m - 1, n, leaf, new, proof)
    wrong += not refuses(included, m, n, leaf, new, path) or not refuses(included, m - 1, n, b"", new, path)
print(tried, wrong)
PY
is($said, "820 0\n", 'proofs agree and nothing else does') or diag $err;

# The signer does not sign a log that is not the one it signed.
my $state = sql('noted', q{SELECT count(*) FROM quality_gov.ledger_signature});
sub meddle { my ($sql) = @_; return sql('noted', "SET session_replication_role = replica; $sql"); }
for (['another root at the same size', q{UPDATE quality_gov.ledger_seal SET root = sha256('x') WHERE size = 747}, qr/not the one that was signed: .*does not begin/],
	['a log that was cut', 'DELETE FROM quality_gov.ledger_seal WHERE size = 747', qr/has 43 leaves, fewer than the 747/],
	['a log that was rewritten', q{UPDATE quality_gov.ledger_tile SET data = overlay(data PLACING sha256('x') FROM 1 FOR 32) WHERE level = 1}, qr/not the one that was signed/],
	['a log of another name', q{UPDATE quality_gov.ledger_log SET origin = 'x'}, qr/not the one that was signed: .*logs/])
{
	my ($what, $sql, $like) = @$_;
	database_drop('meddled');
	sql('postgres', 'CREATE DATABASE meddled TEMPLATE noted');
	sql('meddled', "SET session_replication_role = replica; $sql");
	sql('meddled', q{SELECT count(quality_gov.ledger_record('test', 's', '{}')) FROM generate_series(1, 3)});
	sql('meddled', 'SELECT quality_gov.ledger_seal()') if $what =~ /rewritten/;
	$database = 'meddled';
	like((signs('log'))[1], $like, "$what is not signed");
	like((signs('witness', '-w', 'w.example'))[1], $like, "$what is not witnessed") if $what !~ /cut/;
}
$database = 'noted';
grow(3);
is(sql('noted', 'SELECT count(*) FROM quality_gov.ledger_signature'), $state, 'nothing was signed meanwhile');
openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $outside/rsa.pem; mkdir $outside/rsa; cp $outside/log.pem $outside/open.pem; chmod 644 $outside/open.pem; mkdir $outside/open; touch $outside/junk.pem; mkdir $outside/junk");
like((signs('rsa', '-i'))[1], qr/not an Ed25519 key/, 'an RSA key does not sign');
like((signs('junk', '-i'))[1], qr/is no private key/, 'nor does what is no key');
like((signs('open', '-i'))[1], qr/others can read/, 'nor one that others can read');
like((signs('none', '-i'))[1], qr/there is no key file/, 'nor none');
openssl("genpkey -algorithm ed25519 -out $outside/next.pem; mkdir $outside/next");
like((signs('next', '-i'))[1], qr/no key in use has signed this/, 'a key that the database does not know signs in vain');
sql('noted', "SELECT quality_gov.ledger_key_add(:'key')", args => ['-v', 'key=' . public('next')]);
like((signs('next'))[1], qr/has signed 750 leaves/, 'and not once it is known');

# A key of this machine; on a standby and read-only the last signed one is shown.
my $key = "$home/key.pem";
server('sh', '-c', "umask 077; openssl genpkey -algorithm ed25519 -out $key");
sql('noted', q{SELECT quality_gov.ledger_key_add(:'key')}, args => ['-v', 'key=' . server_says("openssl pkey -in $key -pubout")]);
sub server_says { my ($line) = @_; my $out = ''; run([@{ $> == 0 ? ['runuser', '-u', $ENV{QG_USER} || 'postgres', '--'] : [] }, 'sh', '-c', $line], '>', \$out); return $out; }
server("$bindir/pg_basebackup", '-h', $home, '-U', 'postgres', '-D', "$home/standby", '-R', '-c', 'fast');
server('mkdir', "$home/socket");
server('sh', '-c', "echo \"unix_socket_directories = '$home/socket'\nquality_gov.ledger_key_file = '$key'\nquality_gov.ledger_seal_interval = 1\" >> $home/standby/postgresql.conf");
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", '-l', "$home/log2", 'start');
{
	local $ENV{PGHOST} = "$home/socket";
	is(sql('noted', 'SELECT split_part(quality_gov.ledger_checkpoint(), chr(10), 2)'), '750', 'a standby shows the last that was signed');
	is(sql('noted', "SELECT count(*) FROM quality_gov.ledger_receipt_verify(quality_gov.ledger_receipt($entry)) WHERE valid"), '1', 'and gives receipts');
	is(sql('noted', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'quality_gov ledger seal'}), '0', 'it has no worker');
	is(sql_error('noted', q{SELECT quality_gov.ledger_checkpoint_add('x')}), '22P02', 'it refuses what is no line');
	is(sql_error('noted', q{SELECT quality_gov.ledger_checkpoint_add(quality_gov.ledger_checkpoint())}), '25006', 'and stores none');
}
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/standby", 'stop');
my $settings = "SET quality_gov.ledger_key_file = '$key'; ";
grow(1);
like(sql('noted', $settings . 'SELECT quality_gov.ledger_checkpoint()'), qr{^shop.example/log\n753\n}, 'the key of this machine signs what is sealed');
is(sql('noted', q{SELECT string_agg(DISTINCT status, ' ') FROM quality_gov.ledger_verify('checkpoints')}), 'ok', 'the oracle agrees');

# Random changes of notes and proofs: refused or false, each with a code of ours.
my $seed = $ENV{QG_SEED} // int rand 2**31;
my $codes = sql('noted', <<"SQL");
SET search_path = public, quality_gov;
SELECT setseed($seed / 2147483648.0);
CREATE FUNCTION fuzz(n int) RETURNS TABLE (what text, code text, tried bigint) LANGUAGE plpgsql AS \$\$
DECLARE note text := ledger_checkpoint(); changed text; c text; said text; p bytea[]; b bytea; size bigint := ledger_size(); root bytea := ledger_tree_root(size); leaf bytea := (SELECT merkle_leaf_hash(leaf_of(1)));
BEGIN
  CREATE TEMP TABLE seen (what text, code text);
  FOR i IN 1 .. n LOOP
    changed := note;
    FOR j IN 0 .. (random() * 3)::int LOOP
      c := (ARRAY['', E'\\n', ' ', '—', '+', '=', '0', '9', 'A', chr(160), chr(1 + (random() * 2000)::int), E'\\n\\n', substr(note, (random() * 300)::int, 60)])[1 + (random() * 12)::int];
      changed := overlay(changed PLACING c FROM 1 + (random() * length(changed))::int FOR (random() * random() * 100)::int);
    END LOOP;
    BEGIN said := CASE WHEN ledger_checkpoint_add(CASE WHEN random() < 0.3 THEN regexp_replace(changed, '^.*\\n\\n', '') ELSE changed END) = 0 THEN 'known' ELSE 'stored' END;
    EXCEPTION WHEN OTHERS THEN said := SQLSTATE; END;
    INSERT INTO seen VALUES ('note', said);
    p := ledger_inclusion_proof(0, size);
    p := CASE (random() * 5)::int WHEN 0 THEN p || p WHEN 1 THEN p[2:] WHEN 2 THEN NULL WHEN 3 THEN ARRAY[p[1], NULL] WHEN 4 THEN p || ''::bytea ELSE ARRAY[[p[1]], [p[2]]] END;
    b := CASE WHEN random() < 0.5 THEN root WHEN random() < 0.5 THEN ''::bytea ELSE substr(root, 2) END;
    FOREACH said IN ARRAY ARRAY[
      format('merkle_verify_inclusion(%L, %s, %s, %L, %L)', CASE WHEN random() < 0.5 THEN leaf ELSE b END, (ARRAY['0', '-1', '9223372036854775807', '1'])[1 + (random() * 3)::int], (ARRAY[size::text, '0', '-9223372036854775808', '9223372036854775807'])[1 + (random() * 3)::int], p, b),
      format('merkle_verify_consistency(%s, %s, %L, %L, %L)', (ARRAY['0', '1', '-1', '9223372036854775807'])[1 + (random() * 3)::int], (ARRAY[size::text, '0', '1', '9223372036854775807'])[1 + (random() * 3)::int], leaf, b, p)] LOOP
      BEGIN EXECUTE 'SELECT ' || said INTO said; EXCEPTION WHEN OTHERS THEN said := SQLSTATE; END;
      INSERT INTO seen VALUES ('proof', said);
    END LOOP;
  END LOOP;
  RETURN QUERY SELECT s.what, s.code, count(*) FROM seen s GROUP BY 1, 2;
END \$\$;
CREATE FUNCTION leaf_of(id bigint) RETURNS bytea LANGUAGE sql AS 'SELECT quality_gov.ledger_leaf_data(e.entry_id, e.kind, e.subject, e.body, e.role, e.recorded_at) FROM quality_gov.ledger_entry e WHERE entry_id = id';
SELECT what || ' ' || COALESCE(code, 'null') FROM fuzz(${\ ($ENV{QG_STRINGS} ? 300 : 3000)}) ORDER BY 1;
SQL
my @odd = grep { !/^$|^note (known|22P02|22023|55000|P0002)$|^proof (false|null|22004|2202E)$/ } split /\n/, $codes;
is("@odd", '', "whatever is malformed is refused, seed $seed") or diag $codes;
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
