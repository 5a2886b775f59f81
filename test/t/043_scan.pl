# Scans on a standby and after its promotion, after a crash amid scans, after a dump; and codes computed anew outside.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use QG;
use Test::More;

my ($home, $bindir) = cluster('scans', "fsync = off", "jit = off", "timezone = 'UTC'", "quality_gov.code_key_file = 'qg_code_key'", "quality_gov.denial_worker = off");
local $ENV{PGHOST} = $home;
local $ENV{PGPORT} = 5432;
local $ENV{PGUSER} = 'postgres';
my $key = join '', map { chr } 1 .. 40;

database_create('source');
sql('source', q{CREATE EXTENSION quality_gov; COPY (SELECT 'k1:} . unpack('H*', $key) . q{') TO PROGRAM 'cat > qg_code_key && chmod 600 qg_code_key';
	INSERT INTO quality_gov.lot (gtin, lot_code, quantity) VALUES ('6901234567892', 'L-1', 5000)});

# The format that passport_code.c describes, in a few lines of another language.
my $base = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
sub base32
{
	my ($bits) = @_;
	return join '', map { substr $base, oct "0b$_", 1 } $bits =~ /.{5}/g;
}
sub code
{
	my ($batch, $gtin, $item, $lot) = @_;
	my $mac = substr hmac_sha256("quality_gov code\x01" . pack('Q>Q>N', $batch, $gtin, $item) . $lot, $key), 0, 10;
	my $cover = unpack('N', "\0" . substr hmac_sha256("quality_gov code\x02" . pack('Q>', $batch) . $mac, $key), 0, 3) >> 4;
	return base32(unpack('B80', $mac) . sprintf('%020b', $item ^ $cover));
}
my @codes = map { [split /\|/] } split /\n/, sql('source', q{SELECT item, code FROM quality_gov.code_issue('6901234567892', 'L-1', 1000, '2026-01-01')});
is(scalar(grep { $_->[1] ne code(1, 6901234567892, $_->[0], 'L-1') } @codes), 0, 'a thousand codes are what the format says');
my $dump = scratch() . '/codes.sql';
command('pg_dump', '-f', $dump, 'source');
open my $in, '<', $dump or die $!;
my $text = do { local $/; <$in> };
close $in;
unlike($text, qr/\Q$codes[0][1]\E/, 'no code is stored');
unlike($text, qr/@{[unpack 'H*', $key]}/i, 'nor is the key');

# Random and mutated texts: an answer each, by the function, by the reader and by the check of codes.
srand 7;
my @seeds = ("https://id.gs1.org/01/06901234567892/10/L-1/21/$codes[1][1]", "1-$codes[2][1]", 'https://id.gs1.org/gtin/06901234567892/lot/L%2D1?17=270101#x', '');
my @pieces = ('%00', '%', '%c3%28', '%F0%9F%92%A9', '/', '//', '/01/', '/21/', '?', '#', '@', ':', '\\', '<script>', "'", '"', ' ', "\t", '0' x 50, "\xc3\xa9", "\xe2\x80\xae", 'x' x 3000, '01/' x 200, '1-0000-0000-0000-0000-0000', 'javascript:', ';', '{', '}', '$1');
my @texts;
for (1 .. 4000)
{
	my $text = $seeds[rand @seeds];
	for (0 .. rand 4)
	{
		my $at = int rand 1 + length $text;
		my $what = rand;
		if ($what < 0.4) { substr($text, $at, 0) = $pieces[rand @pieces] }
		elsif ($what < 0.6) { substr($text, $at, int rand 5) = '' }
		elsif ($what < 0.8) { substr($text, $at, 1) = chr(1 + rand 126) if $at < length $text }
		else { $text .= substr $text, 0, $at }
	}
	push @texts, $text;
}
my $rows = join ',', map { "(convert_from(decode('" . unpack('H*', $_) . "', 'hex'), 'UTF8'))" } grep { utf8::decode(my $copy = $_) } @texts;
sql('source', "CREATE TABLE hostile (uri text); INSERT INTO hostile VALUES $rows");
my $statuses = sql('source', q{SELECT count(*) = count(v.status) AND bool_and(v.status IN ('invalid', 'unknown', 'not_authentic', 'authentic', 'suspected_copy')) FROM hostile, quality_gov.passport_verify(uri, '2026-02-01', false) v});
is($statuses, 't', 'whatever is scanned has an answer');
my $known = join ',', map { $_->[1] } @codes;
is(sql('source', qq{SELECT count(*) FROM hostile, quality_gov.passport_verify(uri, '2026-02-01', false) v WHERE v.authentic AND NOT v.serial = ANY ('{$known}')}), '0', 'what is authentic has a code that was given out');
is(sql('source', q{SELECT count(*) = count(v.status) FROM hostile, quality_gov.passport_verify(uri, '2026-02-01') v}), 't', 'nor does recording fail');
is(sql('source', q{SELECT count(*) FROM quality_gov.passport_scan WHERE status = 'invalid' AND (goods IS NOT NULL OR gtin IS NOT NULL OR lot_code IS NOT NULL OR serial IS NOT NULL)}), '0', 'of what is no link nothing is kept');
is(sql('source', q{SELECT COALESCE(max(greatest(length(lot_code), length(serial))), 0) <= 20 FROM quality_gov.passport_scan}), 't', 'what is kept is as long as a link allows');
is(sql('source', q{SELECT count(*) FROM hostile, quality_gov.code_check(uri, at => '2026-02-01') c WHERE c.valid IS NULL}), '0', 'codes are checked, too');
is(sql('source', q{SELECT count(*) FROM hostile, quality_gov.digital_link_read(uri) r WHERE (r.fault IS NULL) = (r.gtin IS NULL)}), '0', 'a link has a GTIN or a fault');
is(sql('source', q{SELECT count(*) FROM (SELECT uri FROM hostile, quality_gov.digital_link_read(uri) r WHERE r.fault IS NULL) x, quality_gov.digital_link_parse(x.uri) p WHERE p.gtin IS NULL}), '0', 'and is what digital_link_parse() reads');

# a standby verifies and records nothing
my $link = "https://id.gs1.org/01/06901234567892/10/L-1/21/$codes[9][1]";
sql('source', qq{SELECT quality_gov.passport_verify('$link', '2026-02-01')}) for 1 .. 100;
server("$bindir/pg_basebackup", '-h', $home, '-U', 'postgres', '-D', "$home/standby", '-R', '-c', 'fast');
server('mkdir', "$home/socket");
server('sh', '-c', "echo \"unix_socket_directories = '$home/socket'\" >> $home/standby/postgresql.conf");
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", '-l', "$home/log2", 'start');
sub standby
{
	my ($sub) = @_;
	my $lsn = sql('source', 'SELECT pg_current_wal_insert_lsn()');
	local $ENV{PGHOST} = "$home/socket";
	for (1 .. 300)
	{
		return $sub->() if sql('source', "SELECT pg_last_wal_replay_lsn() >= '$lsn'") eq 't';
		select undef, undef, undef, 0.1;
	}
	die 'the standby does not follow';
}
my $ask = qq{SELECT status, reasons, scans, scans_exact, first_scan, is_first, scan_id IS NULL FROM quality_gov.passport_verify('$link', '2026-03-01', false)};
is(sql('source', $ask), 'authentic|{}|100|t|2026-02-01 00:00:00+00|f|t', 'the primary answers');
sql('source', qq{SELECT quality_gov.passport_verify('$link', '2026-02-01')}) for 1 .. 3;
is(standby(sub { sql('source', $ask) }), 'authentic|{}|103|t|2026-02-01 00:00:00+00|f|t', 'a standby does, with scans that no sum has seen');
is(standby(sub { sql_error('source', qq{SELECT quality_gov.passport_verify('$link', '2026-03-01')}) }), '25006', 'and says that it cannot record');
is(standby(sub { sql('source', q{SELECT count(*) FROM quality_gov.passport_scan_check()}) }), '0', 'its oracle is empty');

# a crash amid scans: what was committed is there
my $fresh = "https://id.gs1.org/01/06901234567892/10/L-1/21/";
my @acknowledged;
for my $n (20 .. 60)
{
	push @acknowledged, sql('source', qq{SELECT goods FROM quality_gov.passport_scan WHERE scan_id = (SELECT scan_id FROM quality_gov.passport_verify('$fresh$codes[$n][1]', '2026-02-02'))});
}
my $scans = sql('source', 'SELECT count(*) FROM quality_gov.passport_scan');
my $pid = fork;
if ($pid == 0)
{
	open STDOUT, '>', '/dev/null';
	open STDERR, '>', '/dev/null';
	exec 'psql', '-Xq', '-d', 'source', '-c', "DO \$\$ BEGIN FOR i IN 1 .. 100000 LOOP PERFORM quality_gov.passport_verify('$link', '2026-02-02'); COMMIT; END LOOP; END \$\$";
}
sleep 1;
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
waitpid $pid, 0;
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/data", '-l', "$home/log", 'start');
cmp_ok(sql('source', 'SELECT count(*) FROM quality_gov.passport_scan'), '>=', $scans + 1, 'scans are there after a crash');
is(sql('source', q{SELECT count(*) FROM quality_gov.passport_scan_check()}), '0', 'and counted right');
is(sql('source', q{SELECT count(*) FROM quality_gov.passport_scan_first}), sql('source', q{SELECT count(DISTINCT goods) FROM quality_gov.passport_scan WHERE batch_id IS NOT NULL}), 'each code has one first scan');
my $counted = sql('source', qq{SELECT scans, scans_exact FROM quality_gov.passport_verify('$link', '2026-03-01', false)});
is($counted, sql('source', qq{SELECT count(*), true FROM quality_gov.passport_scan WHERE serial = '$codes[9][1]'}), 'the popular one is counted exactly');

# promoted, the standby records
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", 'promote');
{
	local $ENV{PGHOST} = "$home/socket";
	my $before = sql('source', qq{SELECT scans FROM quality_gov.passport_verify('$link', '2026-03-01', false)});
	is(sql('source', qq{SELECT scans FROM quality_gov.passport_verify('$link', '2026-03-02')}), $before + 1, 'a promoted standby records');
	is(sql('source', q{SELECT count(*) FROM quality_gov.passport_scan_check()}), '0', 'and its oracle is empty');
}
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/standby", 'stop');

# a dump, also one that restores in parallel, counts the same, and maintenance sums it up anew
command('pg_dump', '-Fd', '-j', '2', '-f', scratch() . '/scans.dir', 'source');
database_create('copy');
command('pg_restore', '--exit-on-error', '-j', '2', '-d', 'copy', scratch() . '/scans.dir');
is(sql('copy', 'SELECT count(*) FROM quality_gov.passport_scan_tally'), '0', 'sums are not of the dump');
like(sql('copy', q{SELECT detail FROM quality_gov.maintenance('2026-03-01') WHERE task = 'passport_scans'}), qr/^[1-9]\d* tallies added/, 'maintenance makes them');
is(sql('copy', qq{SELECT scans, scans_exact FROM quality_gov.passport_verify('$link', '2026-03-01', false)}), $counted, 'the count is the same');
is(sql('copy', qq{SELECT first_scan, is_first FROM quality_gov.passport_verify('$link', '2026-03-01')}), '2026-02-01 00:00:00+00|f', 'and so is the first');
is(sql('copy', q{SELECT count(*) FROM quality_gov.integrity_check()}), '0', 'the oracle is empty');
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
