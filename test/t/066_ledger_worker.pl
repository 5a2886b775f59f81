# The worker seals what is committed, soon, and keeps nobody from anything; nothing waits for ever, nothing fills the log.
use strict;
use warnings;
use IPC::Run qw(start finish pump timeout);
use QG;
use Test::More;
use Time::HiRes qw(sleep time);

my ($home, $bindir) = cluster('sealed', 'fsync = off', 'jit = off', 'max_prepared_transactions = 5', 'quality_gov.denial_worker = off', 'log_min_messages = info', 'max_worker_processes = 4', "timezone = 'UTC'");
local @ENV{qw(PGHOST PGPORT PGUSER)} = ($home, 5432, 'postgres');
delete local $ENV{PGOPTIONS};

# Waits until a query gives this.
sub becomes
{
	my ($database, $sql, $want, $what, $seconds) = @_;
	my $until = time + ($seconds || 15);
	my $got = '';
	while (time < $until) { $got = eval { sql($database, $sql) } // ''; last if $got eq $want; sleep 0.1; }
	is($got, $want, $what);
	return;
}
my $tail = 'SELECT count(*) FROM quality_gov.ledger_entry e WHERE NOT EXISTS (SELECT FROM quality_gov.ledger_place p WHERE p.entry_id = e.entry_id)';
my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'quality_gov ledger seal'};
my $waiting = qq{$workers AND datid IS NOT NULL};
sub record { my ($more) = @_; return 'SELECT quality_gov.ledger_record(\'test\', \'s\', \'{}\') IS NOT NULL' . ($more // ''); }
sub processes { my $n = grep { /quality_gov ledger seal/ } `ps -eo args | grep -F 'ledger seal' | grep -v grep`; return $n; }

database_create('quiet');
sql('quiet', 'SET client_min_messages = warning; CREATE EXTENSION quality_gov; ' . record());
sleep 1.5;
is(sql('quiet', $tail), '1', 'without an interval nothing is sealed');
is(sql_error('quiet', q{SELECT quality_gov.ledger_size(), quality_gov.merkle_leaf_hash(''); SET quality_gov.ledger_seal_interval = -1}), '22023', 'an interval is not negative');

# A database of its own setting, with settings that would hinder a seal.
database_create('noted');
sql('noted', q{SET client_min_messages = warning; CREATE EXTENSION quality_gov; ALTER DATABASE noted SET quality_gov.ledger_seal_interval = '1s';
	ALTER DATABASE noted SET default_transaction_isolation = 'serializable'; ALTER DATABASE noted SET default_transaction_read_only = on; ALTER DATABASE noted SET search_path = ''});
my $write = 'SET default_transaction_read_only = off; ';
sql('noted', $write . record());
becomes('noted', $tail, '0', 'an entry is sealed');
becomes('noted', $workers, '0', 'and the worker goes');
sql('noted', $write . 'BEGIN; ' . record() . '; ROLLBACK');
is(sql('noted', $workers), '0', 'nobody is asked for what is rolled back');

# Many sessions at once: one worker at work or two, and all is sealed.
my @sessions = map { my ($in, $out) = ('', ''); my $h = start(['psql', '-XAtq', '-d', 'noted'], '<', \($write . 'SELECT pg_sleep(random() / 5); ' . (record() . ';') x 5), '>', \my $said, '2>', \my $err); $h } 1 .. 12;
finish($_) for @sessions;
cmp_ok(sql('noted', $workers), '<=', 3, 'not every session has a worker');
becomes('noted', $tail, '0', 'what twelve sessions wrote is sealed');

# Rows of protected tables count, too.
{
	local $ENV{PGOPTIONS} = '-c default_transaction_isolation=read\\ committed';
	sql('noted', $write . q{SET client_min_messages = warning; CREATE TABLE public.t (id int PRIMARY KEY); SELECT quality_gov.ledger_protect('public.t')});
}
becomes('noted', $tail, '0', 'the table is protected');
becomes('noted', $workers, '0', 'and the worker goes');
sql('noted', $write . 'INSERT INTO public.t VALUES (1)');
becomes('noted', $tail, '0', 'what a trigger enters is sealed');

# A transaction that is long, and one that is prepared: seen when they end, though nobody writes then.
my ($in, $out) = ($write . 'BEGIN; ' . record() . ";\n", '');
my $session = start(['psql', '-XAtq', '-d', 'noted'], '<', \$in, '>', \$out, timeout(60));
pump($session) until $out =~ /t/;
sql('noted', $write . record());
becomes('noted', $tail, '0', 'others are sealed beside an open transaction');
sleep 1.2;
$in .= "COMMIT;\n";
finish($session);
becomes('noted', $tail, '0', 'a transaction that was open is sealed');
sql('noted', $write . 'BEGIN; ' . record() . "; PREPARE TRANSACTION 'p'");
sleep 2.5;
sql('noted', "SET default_transaction_read_only = off; COMMIT PREPARED 'p'");
becomes('noted', $tail, '0', 'what was prepared is sealed once it is committed');
becomes('noted', $workers, '0', 'the last worker goes');

# Dropped and made again; a database with a worker that waits is dropped without waiting.
sql('noted', $write . record());
sql('noted', $write . 'SET client_min_messages = warning; DROP TABLE public.t; DROP EXTENSION quality_gov');
sleep 1.5;
sql('noted', $write . 'CREATE EXTENSION quality_gov; ' . record());
becomes('noted', $tail, '0', 'it seals again after DROP and CREATE EXTENSION');
sql('postgres', "ALTER DATABASE noted SET quality_gov.ledger_seal_interval = '1h'");
sql('noted', $write . record());
becomes('postgres', $waiting, '0', 'a worker that waits is in no database');
sleep 0.5;
is(processes() > 0 ? 'waits' : 'none', 'waits', 'it waits');
my $began = time;
sql('postgres', 'DROP DATABASE noted');
cmp_ok(time - $began, '<', 3, 'nobody waits for it to drop the database');

# Cancelled, terminated, stopped.
sql('quiet', "ALTER DATABASE quiet SET quality_gov.ledger_seal_interval = '1s'");
sql('quiet', record());
becomes('quiet', $tail, '0', 'a database that had none gets a worker');
sql('quiet', "ALTER DATABASE quiet SET quality_gov.ledger_seal_interval = '1h'");
sql('quiet', record());
sleep 0.5;
my $stopping = time;
server("$bindir/pg_ctl", '-s', '-w', '-m', 'fast', '-D', "$home/data", 'stop');
cmp_ok(time - $stopping, '<', 10, 'a server with workers that wait stops');
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/data", '-l', "$home/log", 'start');
sql('quiet', "ALTER DATABASE quiet SET quality_gov.ledger_seal_interval = '1s'");
sql('quiet', record());
becomes('quiet', $tail, '0', 'after a restart the next entry has a worker');
($in, $out) = ("BEGIN; LOCK TABLE quality_gov.ledger_watermark;\n\\echo held\n", '');
$session = start(['psql', '-XAtq', '-d', 'quiet'], '<', \$in, '>', \$out, timeout(60));
pump($session) until $out =~ /held/;
sql('quiet', record());
becomes('quiet', "$waiting AND wait_event_type = 'Lock'", '1', 'a worker waits for a lock');
sql('quiet', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'quality_gov ledger seal'});
becomes('quiet', $waiting, '0', 'it can be cancelled');
sql('quiet', record());
becomes('quiet', "$waiting AND wait_event_type = 'Lock'", '1', 'the next one waits');
sql('quiet', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'quality_gov ledger seal'});
becomes('quiet', $waiting, '0', 'it can be terminated');
$in .= "COMMIT;\n";
finish($session);
sql('quiet', record());
becomes('quiet', $tail, '0', 'and the next one seals');

# The server's log: nothing of workers but the two that were stopped by hand, and the database that was gone.
open my $log, '<', "$home/log" or die $!;
my @lines = grep { /^2.*(LOG|WARNING|ERROR|FATAL):/ && /ledger|worker/ && !/outside the valid range|terminating background worker .* due to administrator|exited with exit code 1/ } <$log>;
close $log;
is(join('', @lines), '', 'the server log is not filled');
open $log, '<', "$home/log" or die $!;
my $lines = () = join('', <$log>) =~ /exited with exit code|FATAL/g;
close $log;
cmp_ok($lines, '<', 10, 'some lines for what went wrong on purpose');
is(sql('quiet', q{SELECT string_agg(scope || ' ' || status, ', ') FROM quality_gov.ledger_verify('log')}) =~ /problem/ ? 'problem' : 'ok', 'ok', 'the oracle finds nothing');
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
