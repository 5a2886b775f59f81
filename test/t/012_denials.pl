# Refused attempts outlive killed backends, stopped servers and full spools; each is on record once.
use strict;
use warnings;
use IPC::Run qw(run start);
use JSON::PP ();
use QG;
use Test::More;
use Time::HiRes qw(sleep time);

# A server of its own, since it is killed.
my $dir = scratch() . '/denials';
my $data = "$dir/data";
my $spool = "$data/pgsql_tmp_quality_gov/spool";
my $bin = $ENV{PG_CONFIG} ? `$ENV{PG_CONFIG} --bindir` : '';
chomp $bin;
my $pg_ctl = $bin ? "$bin/pg_ctl" : 'pg_ctl';
my @as_user = $> == 0 ? ('runuser', '-u', $ENV{QG_USER} || 'postgres', '--') : ();

sub as_server
{
	my @command = (@as_user, @_);
	my ($out, $err) = ('', '');
	run(\@command, '<', \undef, '>', \$out, '2>', \$err, init => sub { chdir '/' }) or die "@command failed: $out$err";
	return;
}

sub server { as_server($pg_ctl, '-s', '-w', '-D', $data, '-l', "$dir/log", '-m', $_[1] || 'fast', $_[0]); return; }

sub setting
{
	my ($line) = @_;
	open my $conf, '>>', "$data/postgresql.conf" or die $!;
	print $conf "$line\n";
	close $conf;
	return;
}

mkdir $dir or die $!;
chown((getpwnam($ENV{QG_USER} || 'postgres'))[2, 3], $dir) if $> == 0;
as_server($bin ? "$bin/initdb" : 'initdb', '-D', $data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N');
setting("listen_addresses = ''\nunix_socket_directories = '$dir'\nfsync = off\ntimezone = 'UTC'\nlog_min_messages = log\nmax_wal_senders = 2\nwal_writer_delay = '10s'\njit = off");
server('start');
@ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} = ($dir, 5432, 'postgres', 'postgres');
delete $ENV{PGOPTIONS};

my $setup = <<'SQL';
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01'),
  listing_rule_add('ads', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 't', 'b', effective => '2026-01-01');
CREATE TABLE product (id text, shop text, title text);
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title"}');
CREATE FUNCTION refuse(prefix text, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. n LOOP
    BEGIN
      INSERT INTO product VALUES (prefix || i, 'm-' || i % 100, 'best');
    EXCEPTION WHEN SQLSTATE 'QG401' THEN NULL;
    END;
  END LOOP;
END $$;
SQL
my $once = 'SELECT count(*), count(DISTINCT listing_id) FROM quality_gov.listing_denial';

# Asks until the answer comes; gives the last one.
sub wait_for
{
	my ($database, $query, $want, $seconds) = @_;
	my $answer = '';
	for (my $until = time + ($seconds || 15); time < $until; sleep 0.1)
	{
		$answer = eval { sql($database, $query) } // $@;
		last if $answer eq $want;
	}
	return $answer;
}

sub database
{
	my ($name, @set) = @_;
	database_create($name);
	sql($name, $setup);
	sql('postgres', "ALTER DATABASE $name SET $_") foreach @set;
	return;
}

# Statements that are refused, then the backend is killed.
sub refuse_and_kill
{
	my ($database, $id) = @_;
	my $script = "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\nBEGIN;\nINSERT INTO product VALUES ('$id', 'm-1', 'best');\n\\! kill -9 \$PID\n";
	my ($out, $err) = ('', '');
	run(['psql', '-Xq', '-d', $database], '<', \$script, '>', \$out, '2>', \$err);
	return $err;
}

# -- a backend killed just after, with and without a worker at work; the postmaster restarts the server
database('killed');
database('killed_alone', 'quality_gov.denial_worker = off');
foreach my $database (qw(killed killed_alone))
{
	like(refuse_and_kill($database, 'k1'), qr/is denied/, "$database: refused");
	wait_for($database, 'SELECT 1', '1');
	sql($database, 'SELECT quality_gov.listing_denial_drain()');
	is(sql($database, $once), '1|1', "$database: a killed backend's attempt is recorded once");
}

# -- a server stopped at once: in the midst of the worker's work; when files of recorded attempts are removed already
sql('killed', "SELECT refuse('s', 3000)");
sql('killed_alone', "SELECT refuse('l', 5)");
is(sql('killed_alone', "SET synchronous_commit = off;\n" . "SELECT quality_gov.listing_denial_drain();\n" x 2), "5\n0", 'recorded, and files removed, without waiting for the disk');
server('stop', 'immediate');
server('start');
is(sql('killed_alone', $once), '6|6', 'the crash undoes no record whose file is gone');
sql('killed', 'SELECT quality_gov.listing_denial_drain()');
is(sql('killed', $once), '3001|3001', 'attempts before an immediate stop are recorded once');
is(sql('killed', 'SELECT files, bytes, spooled - drained FROM quality_gov.listing_denial_drain(), quality_gov.listing_denial_state()'), '0|0|0', 'and their files are gone');

# -- the worker records by itself, goes again, and keeps nobody from dropping the database
is(sql_error('killed', "INSERT INTO product VALUES ('w1', 'm-1', 'best')"), 'QG401', 'refused');
is(wait_for('killed', "SELECT count(*) FROM quality_gov.listing_denial WHERE listing_id = 'w1'", '1'), '1', 'the worker records it');
is(sql('killed', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'quality_gov denials'}), '1', 'one worker lingers');
my $began = time;
sql('postgres', 'DROP DATABASE killed');
cmp_ok(time - $began, '<', 5, 'DROP DATABASE waits for it');
is(wait_for('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'quality_gov denials'}, '0'), '0', 'the worker is gone');

# -- a database that is dropped with attempts on disk; another one's maintenance clears away
database('dropped', 'quality_gov.denial_worker = off');
sql('dropped', "SELECT refuse('d', 10)");
my $oid = sql('postgres', "SELECT oid FROM pg_database WHERE datname = 'dropped'");
database_drop('dropped');
is(scalar(() = glob "$spool/$oid.*"), 2, 'a dropped database leaves files');
sql('killed_alone', 'SELECT count(*) FROM quality_gov.maintenance()');
is(scalar(() = glob "$spool/$oid.*"), 0, 'maintenance in another one clears them away');

# -- a copy of a database has none of its attempts
sql('killed_alone', "SELECT refuse('t', 5)");
sql('postgres', 'CREATE DATABASE copied TEMPLATE killed_alone');
is(sql('copied', 'SELECT quality_gov.listing_denial_drain()'), '0', 'a copied database drains nothing');
is(sql('killed_alone', 'SELECT quality_gov.listing_denial_drain()'), '5', 'the original does');

# -- base backups leave the spool out
sql('killed_alone', "SELECT refuse('b', 5)");
as_server($bin ? "$bin/pg_basebackup" : 'pg_basebackup', '-h', $dir, '-U', 'postgres', '-D', "$dir/backup", '-c', 'fast', '-X', 'none', '--no-manifest');
ok(-d "$dir/backup/base" && !-e "$dir/backup/pgsql_tmp_quality_gov", 'a base backup has no spool');

# -- torn by a crash of the machine: what follows in the file is left out, and said so
sql('killed_alone', 'SELECT quality_gov.listing_denial_drain()') for 1 .. 2;
sql('killed_alone', "SELECT refuse('x', 3)");
sql('killed_alone', "SELECT refuse('y', 3)");
$oid = sql('postgres', "SELECT oid FROM pg_database WHERE datname = 'killed_alone'");
my ($torn, $cut) = grep { !/state$/ && -s $_ } glob "$spool/$oid.*";
open my $file, '+<:raw', $torn or die $!;
my $size = -s $torn;
seek $file, int($size / 2), 0;
print $file "\0" x 8;
close $file;
truncate $cut, (-s $cut) - 1 or die $!;
my ($out, $err) = ('', '');
run(['psql', '-XAtq', '-d', 'killed_alone', '-c', 'SELECT quality_gov.listing_denial_drain()'], '>', \$out, '2>', \$err);
is($out, "3\n", 'complete records before the damage are recorded');
is(scalar(() = $err =~ /WARNING:.*torn/g), 2, 'a warning for each file');
is(sql('killed_alone', 'SELECT quality_gov.listing_denial_drain()'), '0', 'and not again');
is(sql('killed_alone', q{SELECT detail FROM quality_gov.doctor() WHERE check_name = 'denial' AND status = 'problem'}), '2 files were torn by a crash of the machine', 'doctor knows');
is(scalar(grep { !/state$/ } glob "$spool/$oid.*"), 0, 'torn files are gone');

# -- 8 clients, 50,000 refusals, drained by the worker and by maintenance meanwhile
database('crowd', 'log_statement = none', 'synchronous_commit = off');
open my $script, '>', "$dir/refuse.sql" or die $!;
print $script "SELECT refuse(format('%s.%s.', :client_id, nextval('n')), 50);\n";
close $script;
chmod 0644, "$dir/refuse.sql";
sql('crowd', 'CREATE SEQUENCE n');
my $bench = start([$bin ? "$bin/pgbench" : 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '125', '-f', "$dir/refuse.sql", 'crowd'], '>', \$out, '2>', \$err);
my $runs = 0;
while ($bench->pumpable)
{
	sql('crowd', q{SELECT count(*) FROM quality_gov.maintenance()});
	$runs++;
	$bench->pump_nb;
	sleep 0.2;
}
ok($bench->finish, "pgbench, beside $runs runs of maintenance") or diag $err;
is(wait_for('crowd', 'SELECT spooled - drained FROM quality_gov.listing_denial_state()', '0', 30), '0', 'all are taken from disk');
is(sql('crowd', $once), '50000|50000', 'each of 50,000 is recorded once');
is(sql('crowd', q{SELECT count(*), count(DISTINCT body ->> 'denial_id') FROM quality_gov.ledger_entry WHERE kind = 'listing_denial'}), '50000|50000', 'and in the ledger');
is(sql('crowd', 'SELECT logged, torn FROM quality_gov.listing_denial_state()'), '0|0', 'none went to the log');
# the statements of ordinary clients, that fail as such
my @clients = map { my $id = $_; my $sql = join '', map { "INSERT INTO product VALUES ('c$id.$_', 'm-1', 'best');\n" } 1 .. 200;
	start(['psql', '-Xq', '-d', 'crowd'], '<', \$sql, '>', '/dev/null', '2>', '/dev/null') } 1 .. 8;
$_->finish foreach @clients;
is(wait_for('crowd', q{SELECT count(*), count(DISTINCT listing_id) FROM quality_gov.listing_denial WHERE listing_id LIKE 'c%'}, '1600|1600'), '1600|1600', 'failing statements, too');

# -- a spool that is full: nothing waits, the rest is in the server log, each as one line of JSON
database('filled', 'quality_gov.denial_worker = off', q{quality_gov.denial_spool_size = '256kB'});
my @full = map { start(['psql', '-XAtq', '-d', 'filled', '-c', "SELECT refuse('f$_.', 300)"], '>', '/dev/null', '2>', '/dev/null') } 1 .. 4;
$_->finish foreach @full;
my ($spooled, $logged) = split /\|/, sql('filled', 'SELECT spooled, logged FROM quality_gov.listing_denial_state()');
is($spooled + $logged, 1200, "$spooled on disk, $logged in the log");
cmp_ok($spooled, '>', 0, 'the spool was used');
cmp_ok(sql('filled', 'SELECT bytes FROM quality_gov.listing_denial_state()'), '<=', 256 * 1024, 'and not more than allowed');
sql('filled', 'SELECT quality_gov.listing_denial_drain()');
my %where = map { $_ => 1 } split /\n/, sql('filled', 'SELECT listing_id FROM quality_gov.listing_denial');
open my $log, '<', "$dir/log" or die $!;
my @lines = grep { /"listing_id": "f/ } <$log>;
close $log;
is(scalar @lines, $logged, 'a line each');
$where{ JSON::PP->new->utf8->decode(/LOG:\s+(\{.*\})$/ ? $1 : '{}')->{listing_id} // '' }++ foreach @lines;
is(scalar(grep { $_ == 1 } values %where), 1200, 'each attempt is in one of the two places');
sql('filled', 'SELECT quality_gov.listing_denial_drain()');
sql('filled', "SELECT refuse('g', 1)");
is(sql('filled', 'SELECT quality_gov.listing_denial_drain()'), '1', 'room again after draining');
# a disk that is full keeps no file of what it had no room for
SKIP:
{
	skip 'no prlimit', 2 if system('prlimit --version >/dev/null 2>&1') != 0;
	sql('filled', 'SELECT quality_gov.listing_denial_drain()') for 1 .. 2;
	$oid = sql('postgres', "SELECT oid FROM pg_database WHERE datname = 'filled'");
	my $before = sql('filled', 'SELECT logged FROM quality_gov.listing_denial_state()');
	sql('filled', "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n\\! @as_user prlimit --pid \$PID --fsize=1\nSELECT refuse('full', 20);\n");
	is(sql('filled', 'SELECT logged FROM quality_gov.listing_denial_state()') - $before, 20, 'a full disk: refused as ever');
	is(scalar(grep { !/state$/ } glob "$spool/$oid.*"), 0, '... and no files of nothing');
}
# no folder to write to
rename "$data/pgsql_tmp_quality_gov", "$data/pgsql_tmp_away" or die $!;
open my $block, '>', "$data/pgsql_tmp_quality_gov" or die $!;
close $block;
is(sql_error('filled', "INSERT INTO product VALUES ('h1', 'm-1', 'best')"), 'QG401', 'no folder: refused as ever');
unlink "$data/pgsql_tmp_quality_gov";
rename "$data/pgsql_tmp_away", "$data/pgsql_tmp_quality_gov" or die $!;
open $log, '<', "$dir/log" or die $!;
is(scalar(grep { /"listing_id": "h1"/ } <$log>), 1, 'and in the log');
close $log;

# -- dumped and restored into the same database, what was on disk already is not recorded again
sql('killed_alone', "SELECT refuse('z', 4)");
sql('killed_alone', 'SELECT quality_gov.listing_denial_drain()');
my $before = sql('killed_alone', 'SELECT md5(string_agg(d::text, NULL ORDER BY denial_id)) FROM quality_gov.listing_denial d');
command('pg_dump', '-Fc', '-f', "$dir/d.dump", 'killed_alone');
sql('killed_alone', 'SET client_min_messages = error; DROP TABLE product; DROP FUNCTION refuse; DROP EXTENSION quality_gov');
command('pg_restore', '--exit-on-error', '-d', 'killed_alone', "$dir/d.dump");
is(sql('killed_alone', 'SELECT quality_gov.listing_denial_drain()'), '0', 'nothing is recorded again');
is(sql('killed_alone', 'SELECT md5(string_agg(d::text, NULL ORDER BY denial_id)) FROM quality_gov.listing_denial d'), $before, 'every row is back');

# -- the extension is dropped while its worker drains, and made again
database_create('remade');
for my $round (1 .. 3)
{
	is(eval { sql('remade', $setup . "SELECT refuse('q', 500);\nDROP TABLE product; DROP FUNCTION refuse(text, int); DROP EXTENSION quality_gov;\nSELECT 1") =~ /1\z/ ? 'dropped' : '' } // $@,
		'dropped', "dropped at work $round");
}
# whatever the database's defaults are
sql('remade', "SET client_min_messages = error;\n$setup");
sql('postgres', "ALTER DATABASE remade SET $_") foreach q{default_transaction_isolation = 'serializable'}, 'default_transaction_read_only = on', 'synchronous_commit = off';
sql('remade', "SET default_transaction_read_only = off;\nSELECT refuse('v', 5)");
is(wait_for('remade', $once, '5|5'), '5|5', 'the worker minds no defaults of the database');
wait_for('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'quality_gov denials'}, '0');
open $log, '<', "$dir/log" or die $!;
is(join('', grep { /(ERROR|FATAL|PANIC|TRAP)|quality_gov denials.*exit code 1/ && !/recovery mode|starting up|shutting down|administrator command|not yet accepting/ } <$log>), '', 'no worker failed');
close $log;

# -- no slot for a worker
setting('max_worker_processes = 0');
server('restart');
is(sql_error('crowd', "INSERT INTO product VALUES ('m1', 'm-1', 'best')"), 'QG401', 'refused without a slot');
is(sql('crowd', q{SELECT detail FROM quality_gov.maintenance() WHERE task = 'listing_denial'}), '1 refused attempts recorded', 'maintenance records it');
server('stop', 'immediate');
done_testing();
