# The ledger under writers, sealers and crashes, on a standby, after a promotion, and restored under another name.
use strict;
use warnings;
use QG;
use IPC::Run qw(run start finish);
use Test::More;

my ($home, $bindir) = cluster('ledger', 'fsync = off', 'max_prepared_transactions = 10', 'wal_level = replica', 'max_wal_senders = 4', 'max_connections = 40');
local $ENV{PGHOST} = $home;
local $ENV{PGPORT} = 5432;
local $ENV{PGUSER} = 'postgres';
my $scratch = scratch();

sql('postgres', 'CREATE DATABASE shop');
sql('shop', 'CREATE EXTENSION quality_gov; CREATE TABLE written (n bigint)');

# Every transaction notes how many entries it made, so that none can be lost unseen.
my %script = (
	one    => "INSERT INTO written SELECT count(quality_gov.ledger_record('note', 'one', '{}')) FROM generate_series(1, 1);",
	many   => "BEGIN;\nSELECT quality_gov.ledger_record_all('note', '{a,b,c}', '{\"{}\",\"{}\",\"{}\"}');\nINSERT INTO written VALUES (3);\nCOMMIT;",
	long   => "BEGIN;\nSELECT quality_gov.ledger_record('note', 'long', '{}');\nSELECT pg_sleep(0.3);\nSELECT quality_gov.ledger_record('note', 'long', '{}');\nINSERT INTO written VALUES (2);\nCOMMIT;",
	undone => "BEGIN;\nSAVEPOINT a;\nSELECT quality_gov.ledger_record('note', 'undone', '{}');\nROLLBACK TO a;\nSAVEPOINT b;\nSELECT quality_gov.ledger_record('note', 'kept', '{}');\nRELEASE b;\nINSERT INTO written VALUES (1);\nCOMMIT;",
	never  => "BEGIN;\nSELECT quality_gov.ledger_record('note', 'never', '{}');\nROLLBACK;",
	seal   => 'SELECT quality_gov.ledger_seal();');
for my $name (keys %script)
{
	open my $out, '>', "$scratch/$name.sql" or die;
	print $out "$script{$name}\n";
	close $out;
}

sub writers
{
	my ($seconds) = @_;
	return start(['pgbench', '-n', '-c', '12', '-j', '2', '-T', $seconds, (map { ('-f', "$scratch/$_") } 'one.sql@5', 'many.sql@2', 'long.sql@1', 'undone.sql@3', 'never.sql@1'), 'shop'],
		'<', \undef, '>', \my $o1, '2>', \my $e1),
	  start(['pgbench', '-n', '-c', '3', '-j', '1', '-T', $seconds, '-f', "$scratch/seal.sql", 'shop'], '<', \undef, '>', \my $o2, '2>', \my $e2);
}
sub until_up
{
	for (1 .. 600)
	{
		return if run(['psql', '-XAtq', '-d', 'shop', '-c', 'SELECT 1'], '<', \undef, '>', \my $one, '2>', \my $none);
		select undef, undef, undef, 0.1;
	}
	die 'the server did not come back';
}
my $once = q{DO $$ BEGIN PERFORM quality_gov.ledger_seal(); END $$; SELECT quality_gov.ledger_size() = count(*) AND count(*) = (SELECT sum(n) FROM written), (SELECT count(DISTINCT p.entry_id) = count(*) FROM quality_gov.ledger_place p)
	AND NOT EXISTS (SELECT entry_id FROM quality_gov.ledger_entry EXCEPT SELECT entry_id FROM quality_gov.ledger_place) FROM quality_gov.ledger_entry};
my $verify = q{SELECT scope, status, unsealed, reason FROM quality_gov.ledger_verify() WHERE status <> 'unverified'};

# a backend is killed, and the server with it; then the whole server
for my $round (1 .. 3)
{
	my @work = writers(6);
	select undef, undef, undef, 2.5;
	if ($round < 3)
	{
		my $pid = sql('shop', q{SELECT pid FROM pg_stat_activity WHERE query ~ '} . ($round == 1 ? 'ledger_seal' : 'ledger_record') . q{' AND pid <> pg_backend_pid() LIMIT 1});
		server('kill', '-9', $pid) if $pid ne '';
	}
	else
	{
		server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
		server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/data", '-l', "$home/log", 'start');
	}
	finish($_) for @work;
	until_up();
	is(sql('shop', $once), 't|t', "round $round: every committed entry is sealed, once");
	is(sql('shop', $verify), "log|ok|0|\nguards|ok|0|", "round $round: the log verifies");
	cmp_ok(sql('shop', 'SELECT count(*) FROM quality_gov.ledger_mark'), '<=', 20, "round $round: old marks are gone");
}
my $size = sql('shop', 'SELECT quality_gov.ledger_size()');
cmp_ok($size, '>', 300, 'there was something to seal');

# a prepared transaction outlives a restart and is sealed when it ends
sql('shop', q{BEGIN; SELECT quality_gov.ledger_record('note', 'prepared', '{}'); INSERT INTO written VALUES (1); PREPARE TRANSACTION 'p'});
sql('shop', q{INSERT INTO written SELECT count(quality_gov.ledger_record('note', 'x', '{}')) FROM generate_series(1, 5); SELECT quality_gov.ledger_seal()});
server("$bindir/pg_ctl", '-s', '-w', '-m', 'fast', '-D', "$home/data", '-l', "$home/log", 'restart');
is(sql('shop', 'SELECT quality_gov.ledger_seal()'), $size + 5, 'a prepared transaction keeps back its own entries');
is(sql('shop', q{COMMIT PREPARED 'p'; SELECT quality_gov.ledger_seal()}), $size + 6, 'and they are sealed once it ends');
is(sql('shop', $verify), "log|ok|0|\nguards|ok|0|", 'the log verifies');
sql('shop', q{INSERT INTO written SELECT count(quality_gov.ledger_record('note', 'tail', '{}')) FROM generate_series(1, 7)});

# a standby verifies and proves
server("$bindir/pg_basebackup", '-D', "$home/standby", '-R', '-c', 'fast', '-h', $home, '-U', 'postgres');
server('mkdir', "$home/s");
server('sh', '-c', "printf \"unix_socket_directories = '$home/s'\\n\" >> $home/standby/postgresql.conf");
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", '-l', "$home/standby.log", 'start');
{
	local $ENV{PGHOST} = "$home/s";
	is(sql('shop', 'SELECT pg_is_in_recovery()'), 't', 'a standby is up');
	is(sql('shop', $verify), "log|ok|7|\nguards|ok|0|", 'it verifies the log');
	is(sql('shop', q{SELECT bool_and(quality_gov.merkle_verify_inclusion(quality_gov.merkle_leaf_hash(quality_gov.ledger_leaf_data(e.entry_id, e.kind, e.subject, e.body, e.role, e.recorded_at)),
		p.leaf, s.size, quality_gov.ledger_inclusion_proof(p.leaf, s.size), s.root)) FROM quality_gov.ledger_place p JOIN quality_gov.ledger_entry e USING (entry_id),
		(SELECT size, root FROM quality_gov.ledger_seal ORDER BY size DESC LIMIT 1) s WHERE p.leaf % 17 = 0}), 't', 'it proves entries');
	is(sql_error('shop', 'SELECT quality_gov.ledger_seal()'), '25006', 'it does not seal');
	server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", 'promote');
	is(sql('shop', $once), 't|t', 'promoted, it seals what was left');
	sql('shop', q{INSERT INTO written SELECT count(quality_gov.ledger_record('note', 'new', '{}')) FROM generate_series(1, 7)});
	is(sql('shop', $once), 't|t', 'and goes on');
	is(sql('shop', $verify), "log|ok|0|\nguards|ok|0|", 'the log verifies');
	server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/standby", 'stop');
}

# restored under another name, with a tail that was not sealed
my $roots = q{SELECT count(*), sha256(string_agg(root, '' ORDER BY size)) FROM quality_gov.ledger_seal};
my $want = sql('shop', $roots);
command('pg_dump', '-Fc', '-f', "$scratch/l.dump", 'shop');
database_create('other');
command('pg_restore', '--exit-on-error', '-j', '2', '-d', 'other', "$scratch/l.dump");
is(sql('other', $roots), $want, 'restored: the same roots');
is(sql('other', $verify), "log|ok|7|\nguards|ok|0|", 'restored: the log verifies');
is(sql('other', $once), 't|t', 'restored: the tail is sealed, and nothing twice');
sql('other', q{INSERT INTO written SELECT count(quality_gov.ledger_record('note', 'new', '{}')) FROM generate_series(1, 7)});
is(sql('other', $once), 't|t', 'restored: it goes on');
is(sql('other', $verify), "log|ok|0|\nguards|ok|0|", 'restored: the log verifies');
is(sql('other', q{SELECT count(*) FROM quality_gov.ledger_check()}), '0', 'restored: nothing is an orphan');

server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
