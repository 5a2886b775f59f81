# Files of compiled lexicons may be damaged, missing, replaced or refused at any time: every backend
# goes on finding what the terms say, and none writes what they do not say.
use strict;
use warnings;
use IPC::Run qw(run start finish);
use QG;
use Test::More;
use Time::HiRes qw(sleep time);

# A server of its own, since its files are damaged and its backends killed.
my $home = scratch() . '/images';
my $data = "$home/data";
my $files = "$data/pgsql_tmp_quality_gov/lexicon";
my $bin = $ENV{PG_CONFIG} ? `"$ENV{PG_CONFIG}" --bindir` : '';
chomp $bin;
$bin .= '/' if $bin;
my @as_server = $> == 0 ? ('runuser', '-u', $ENV{QG_USER} || 'postgres', '--') : ();

sub server { command(@as_server, @_); return; }
sub control { server("${bin}pg_ctl", '-s', '-w', '-D', $data, '-l', "$home/log", '-m', $_[1] || 'fast', $_[0]); return; }

mkdir $home;
chown((getpwnam($ENV{QG_USER} || 'postgres'))[2, 3], $home) if $> == 0;
chdir '/';
server("${bin}initdb", '-D', $data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N');
open my $conf, '>>', "$data/postgresql.conf" or die $!;
print $conf "listen_addresses = ''\nunix_socket_directories = '$home'\nfsync = off\njit = off\ntimezone = 'UTC'\nwork_mem = 64MB\n";
close $conf;
control('start');
@ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} = ($home, 5432, 'postgres', 'postgres');
delete $ENV{PGOPTIONS};

sql('postgres', <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SELECT lexicon_load('w', '{大麻}', '{大麻烦}'), lexicon_publish('w', effective => '2026-01-01');
CREATE TABLE body AS SELECT '吸大麻'::text AS body FROM generate_series(1, 10);
ALTER TABLE body SET (parallel_workers = 2);
-- many terms, none of which folds to another
SELECT lexicon_load('many', ARRAY(SELECT translate(g::text, '0123456789', 'abcdefghij') || '词' FROM generate_series(1, 80000) g));
SQL

# The image files there are.
sub images { return grep { !/\.(lock|tmp)$/ } glob "$files/*"; }
# What a new backend finds in a text, and whether it maps the image.
my $scan = q{SELECT count(*) FROM quality_gov.lexicon_scan('吸大麻，大麻烦', '{w}', at => '2027-01-01')};
my $found = "$scan; SELECT shared FROM quality_gov.lexicon_images()";

my ($image) = images();
my $bytes = read_file($image);
is(scalar(images()), 1, 'publishing writes one image');
is(sql('postgres', $found), "1\nt", 'which is mapped');

sub read_file { local $/; open my $file, '<:raw', $_[0] or die $!; return scalar <$file>; }

# Writes a file beside an image and renames it into place, as every writer does.
sub replace
{
	my ($content) = @_;
	open my $file, '>:raw', "$image.new" or die $!;
	print $file $content;
	close $file;
	chown((stat $data)[4, 5], "$image.new");
	rename "$image.new", $image or die $!;
	return;
}

# A copy of the image with some bytes overwritten.
sub with { my ($at, $new) = @_; my $copy = $bytes; substr($copy, $at, length $new) = $new; return $copy; }

# -- damaged: made again, while a backend that has it mapped goes on
my $mapped_in = "$scan;\n";
my $mapped_out = '';
my $mapped = start(['psql', '-XAtq', '-d', 'postgres'], '<', \$mapped_in, '>', \$mapped_out, '2>', \my $mapped_error);
$mapped->pump until $mapped_out =~ /\n/;
my $middle = int(length($bytes) / 2);
my %damage = (
	'empty' => '',
	'shorter than its header' => substr($bytes, 0, 40),
	'truncated' => substr($bytes, 0, $middle),
	'longer' => $bytes . "\0" x 4096,
	'with a bit flipped' => with($middle, chr(ord(substr($bytes, $middle, 1)) ^ 1)),
	'with its last bit flipped' => with(length($bytes) - 1, chr(ord(substr($bytes, -1)) ^ 1)),
	'of another digest' => with(24, 'x' x 32),
	'of a length that wraps around' => with(8, "\xff" x 8),
	'of zeroes' => "\0" x length $bytes);
foreach my $what (sort keys %damage)
{
	replace($damage{$what});
	is(sql('postgres', $found), "1\nt", "an image $what is made again");
	ok(read_file($image) eq $bytes, '... as it was');
}
# sound, yet of another format: the checksum is of what follows
{
	my $other = with(64 + 8, "\x63\0\0\0");
	substr($other, 16, 4) = pack 'V', crc32c(substr($other, 64));
	replace($other);
	is(sql('postgres', $found), "1\nt", 'an image of another format is made again');
	ok(read_file($image) eq $bytes, '... as it was');
}
$mapped_out = '';
$mapped_in = "$scan;\n";
$mapped->pump until $mapped_out =~ /\n/;
is($mapped_out, "1\n", 'who has it mapped does not notice');
finish($mapped);

# CRC-32C, by bits
sub crc32c
{
	my @table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0x82F63B78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;
	my $crc = 0xFFFFFFFF;
	$crc = ($crc >> 8) ^ $table[($crc ^ $_) & 255] foreach unpack 'C*', $_[0];
	return $crc ^ 0xFFFFFFFF;
}

# -- no place to write to: each backend has its own
sub beside
{
	my ($what, $make, $undo) = @_;
	rename "$data/pgsql_tmp_quality_gov", "$data/pgsql_tmp_away" or die $!;
	$make->();
	is(sql('postgres', $found), "1\n" . ($what =~ /again/ ? 't' : 'f'), $what);
	$undo->();
	run(['rm', '-rf', "$data/pgsql_tmp_quality_gov"]);
	rename "$data/pgsql_tmp_away", "$data/pgsql_tmp_quality_gov" or die $!;
	return;
}
sub as_owner { chown((stat $data)[4, 5], $_[0]); return; }
my $home_of = "$data/pgsql_tmp_quality_gov";
beside('a missing folder is made again', sub { }, sub { });
beside('a file in its place', sub { open my $file, '>', $home_of or die $!; close $file }, sub { });
beside('a dangling link in its place', sub { symlink "$home/nowhere", $home_of or die $!; }, sub { });
SKIP:
{
	skip 'not root, whose folders the server cannot write to', 1 if $> != 0;
	beside('a folder that the server cannot write to', sub { mkdir $home_of, 0755; mkdir "$home_of/lexicon", 0755 }, sub { });
}
beside('a folder where the image should be', sub { mkdir $_ and as_owner($_) foreach $home_of, "$home_of/lexicon", $image }, sub { });
is(sql('postgres', $found), "1\nt", 'back in place it is mapped');

# -- what is compiled from other terms than were published is nobody else's
unlink $image;
sql('postgres', q{SET session_replication_role = replica; UPDATE quality_gov.lexicon_term SET term = '海洛因' WHERE term = '大麻'});
is(sql('postgres', "SET client_min_messages = error; $found"), "0\nf", 'terms that were tampered with are not shared');
is(scalar(images()), 0, '... nor written');
sql('postgres', q{SET session_replication_role = replica; UPDATE quality_gov.lexicon_term SET term = '大麻' WHERE term = '海洛因'});
is(sql('postgres', $found), "1\nt", 'put right they are');
# a parallel query whose snapshot is older than the publication, while the leader knows of it
my $older = <<"SQL";
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers = 0;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM body;
\\! psql -XAtqc "SELECT quality_gov.lexicon_load('w', '{吸}')" -c "SELECT quality_gov.lexicon_publish('w', effective => '2026-02-01')" >/dev/null
\\! rm -f $files/*
SELECT quality_gov.lexicon_hits('', '{few}', at => '2027-01-01');
SELECT count(*) FROM body WHERE quality_gov.lexicon_hits(body, '{w}', at => '2027-01-01');
SQL
sql('postgres', q{SELECT quality_gov.lexicon_load('few', '{a}'), quality_gov.lexicon_publish('few', effective => '2026-01-01')});
is(sql_error('postgres', $older), '55000', 'a parallel query that cannot see the terms says so');
is(sql('postgres', q{SELECT count(*) FROM body WHERE quality_gov.lexicon_hits(body, '{w}', at => '2027-01-01')}), '10', '... and spoils nothing for others');

# -- swept: what was left of a crash long ago, not what is in force
($image) = images();
foreach my $name ("$image.4242.tmp", "$image.4243.tmp", "$files/1.00", "$files/" . sql('postgres', q{SELECT oid FROM pg_database WHERE datname = 'template1'}) . '.00')
{
	open my $file, '>', $name or die $!;
	close $file;
	utime time - 7200, time - 7200, $name unless $name =~ /4243/;
}
utime time - 7200, time - 7200, $image;
is(sql('postgres', q{SELECT detail FROM quality_gov.maintenance() WHERE task = 'lexicon_sweep'}), 'files swept', 'maintenance sweeps');
ok(-e $image, 'it keeps what is in force');
ok(!-e "$image.4242.tmp", 'it removes what was never finished');
ok(-e "$image.4243.tmp", 'it keeps what may be being written');
unlink "$image.4243.tmp";

# -- base backups leave them out; a restart finds them again
server("${bin}pg_basebackup", '-h', $home, '-U', 'postgres', '-D', "$home/backup", '-c', 'fast', '-X', 'none', '--no-manifest');
ok(-d "$home/backup/base" && !-e "$home/backup/pgsql_tmp_quality_gov", 'a base backup has no images');
control('restart');
is(sql('postgres', 'SELECT quality_gov.lexicon_hits($$吸$$, $${w}$$, at => $$2027-01-01$$); SELECT shared, compile_ms = 0 FROM quality_gov.lexicon_images()'), "t\nt|t", 'a restart compiles nothing');

# -- cancelled and killed while it compiles: no image, no lock that stays, and the next one compiles
my $publish = q{SELECT quality_gov.lexicon_publish('many', effective => '2026-01-01')};
sub compiling
{
	my ($how) = @_;
	my $client = start(['psql', '-XAtq', '-d', 'postgres', '-c', $publish], '<', \undef, '>', \my $out, '2>', \my $err);
	my $before = images();
	my $pid = '';
	for (my $until = time + 20; time < $until; sleep 0.02)
	{
		$pid = sql('postgres', q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT quality_gov.lexicon_publish%'});
		my $locked = () = glob "$files/*.lock";
		last if $locked > 1;
	}
	my $since = time;
	$how->($pid);
	finish($client);
	my $took = time - $since;
	return ($err, $took, images() - $before);
}
unlink glob "$files/*.lock";
sql('postgres', q{SELECT quality_gov.lexicon_hits('', '{w}', at => '2027-01-01')});
open my $one, '>', "$files/0.lock" or die $!;
my ($error, $took, $made) = compiling(sub { sql('postgres', "SELECT pg_cancel_backend($_[0])") });
like($error, qr/canceling statement due to user request/, 'compiling can be cancelled');
cmp_ok($took, '<', 1, '... at once');
is($made, 0, '... and leaves no image');
unlink glob "$files/*[0-9a-f].lock";
open $one, '>', "$files/0.lock" or die $!;
($error, $took, $made) = compiling(sub { server('kill', '-9', $_[0]) });
like($error, qr/server closed the connection|terminating connection|connection to server was lost/, 'killed while it compiles');
for (1 .. 100) { last if eval { sql('postgres', 'SELECT 1') }; sleep 0.1; }
is($made, 0, '... leaves no image');
unlink "$files/0.lock";

# -- two at once: one compiles, both map
sql('postgres', $publish);
unlink images();
my $both = q{SELECT quality_gov.lexicon_hits('', '{many}', at => '2027-01-01'); SELECT shared, compile_ms > 0 FROM quality_gov.lexicon_images()};
my @answers = ('', '');
my @two = map { start(['psql', '-XAtq', '-d', 'postgres', '-c', $both], '<', \undef, '>', \$answers[$_], '2>', '/dev/null') } 0, 1;
finish($_) foreach @two;
is(join('', sort @answers), "f\nt|f\nf\nt|t\n", 'of two backends one compiles');

# -- the longest scans can be cancelled: terms of 500 characters that all begin everywhere, and excuses
sql('postgres', <<'SQL');
SET client_min_messages = warning;
SET search_path = quality_gov;
SELECT lexicon_load('deep', ARRAY(SELECT repeat('a', g) FROM generate_series(1, 500) g), folds => '{case}'), lexicon_publish('deep', effective => '2026-01-01');
SELECT lexicon_load('excuses', ARRAY(SELECT repeat('大', g) FROM generate_series(1, 500) g), ARRAY(SELECT repeat('大', g) || '麻' FROM generate_series(1, 499) g) ||
  ARRAY(SELECT repeat('大', g) || '烦' FROM generate_series(1, 499) g), folds => '{separator}'), lexicon_publish('excuses', effective => '2026-01-01');
SELECT lexicon_load('allowed', '{麻}', ARRAY(SELECT repeat('大', g) FROM generate_series(1, 500) g), folds => '{separator}'), lexicon_publish('allowed', effective => '2026-01-01');
SELECT lexicon_load('runs', '{大大b,大b}'), lexicon_publish('runs', effective => '2026-01-01');
CREATE TABLE public.long (name text, body text);
INSERT INTO public.long VALUES ('a', repeat('a', 1000000)), ('separated', repeat('大，', 300000)), ('spaces', repeat(' ', 50000000)), ('runs', repeat('大大大b', 300000)),
  ('unseen', repeat(U&'\200B', 16000000));
SQL
foreach my $case (['deep', 'a'], ['excuses', 'separated'], ['allowed', 'separated'], ['many', 'spaces'], ['many', 'unseen'], ['runs', 'runs'])
{
	my ($lexicon, $name) = @$case;
	my $began = time;
	my $state = sql_error('postgres', "SELECT quality_gov.lexicon_hits('', '{$lexicon}', at => '2027-01-01');
		SET statement_timeout = '100ms'; SELECT count(*) FROM public.long, quality_gov.lexicon_scan_version(body, '$lexicon', 1, all_hits => true) WHERE name = '$name'");
	ok($state =~ /^(57014|no error)$/ && time - $began < 1.2, sprintf '%s over %s ends in time, %s in %.1f s', $lexicon, $name, $state, time - $began);
}

is(sql('postgres', 'SELECT count(*) FROM quality_gov.lexicon_check()'), '0', 'the oracle is empty');
open my $log, '<', "$home/log" or die $!;
is(scalar(grep { /TRAP|PANIC|signal (?!9)\d/ } <$log>), 0, 'nothing crashed');
control('stop', 'immediate');
done_testing();
