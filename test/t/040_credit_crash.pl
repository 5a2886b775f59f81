# A server that dies in the middle of a bulk insert or of a roll-up comes back with every event counted once.
use strict;
use warnings;
use QG;
use IPC::Run qw(run start finish);
use Time::HiRes qw(sleep time);
use Test::More;

# A cluster of its own, with fsync on, since it goes down again and again.
my ($home, $bindir) = cluster('credit', "fsync = on", "work_mem = '64MB'", "jit = off", "max_wal_size = '4GB'", "timezone = 'UTC'");
local $ENV{PGHOST} = $home;
local $ENV{PGPORT} = 5432;
local $ENV{PGUSER} = 'postgres';

# One indicator fades, one has a window, one neither.
sql('postgres', <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2020-01-01' FROM generate_series(0, 4999) g;
INSERT INTO credit_model (model, version, state, title, effect, hysteresis) VALUES ('ours', 1, 'active', 't', '[2020-01-01,)', 0);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, window_days, point_cost, title) VALUES
  ('ours', 1, 'violation', 'compliance', 'points', 500, '30 days', NULL, 0.5, 't'), ('ours', 1, 'recall', 'goods_quality', 'points', 500, NULL, 30, 0.5, 't'),
  ('ours', 1, 'listing', 'compliance', 'points', 500, NULL, NULL, 0.5, 't');
INSERT INTO credit_grade_band (model, version, grade, floor) VALUES ('ours', 1, 'A', 900), ('ours', 1, 'B', 0);
SQL

# COPY of so many events of December 2039, which no window has left behind.
sub events
{
	my ($count) = @_;
	return "COPY quality_gov.credit_event (merchant_id, indicator, at, recorded_at, bad, source, ref) FROM PROGRAM
	\$\$awk 'BEGIN { split(\"violation recall listing\", i, \" \"); for (g = 0; g < $count; g++) { t = sprintf(\"2039-12-%02d 12:00+00\", 1 + g % 28); printf \"m-%d,%s,%s,%s,%.2f,t,%d\\n\", (g * 7919) % 5000, i[1 + g % 3], t, t, g % 7 / 4, g } }'\$\$ CSV";
}

# Starts a statement and gives how to wait for it and its backend.
sub begin
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	my $client = start(['psql', '-XAtq', '-d', 'postgres', '-c', "SET application_name = victim", '-c', $sql], '<', \undef, '>', \$out, '2>', \$err);
	my $pid = '';
	for (1 .. 200)
	{
		$pid = sql('postgres', "SELECT pid FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active' AND query NOT LIKE 'SET%'");
		last if $pid ne '';
		sleep 0.01;
	}
	die "no victim: $err" if $pid eq '';
	return ($client, $pid);
}

# Kills a backend, or with it the postmaster and all its children, and has the server back.
sub crash
{
	my ($client, $pid, $all) = @_;
	if ($all)
	{
		open my $in, '<', "$home/data/postmaster.pid" or die "postmaster.pid: $!";
		chomp(my $postmaster = <$in>);
		my @children = split ' ', `ps -o pid= --ppid $postmaster`;
		kill 'KILL', $postmaster, @children;
		finish($client);
		for (1 .. 100) { last unless grep { -d "/proc/$_" } $postmaster, @children; sleep 0.05; }
		server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/data", '-l', "$home/log", 'start');
		return;
	}
	server('kill', '-9', $pid);
	finish($client);
	for (1 .. 600)
	{
		return if run(['psql', '-XAtq', '-d', 'postgres', '-c', 'SELECT 1'], '>', \my $one, '2>', \my $none);
		sleep 0.05;
	}
	die 'the server did not come back';
}

# What must hold at any time: events and, of scores as they are and as the events alone give them, those that differ; problems.
my $state = q{SELECT (SELECT count(*) FROM quality_gov.credit_event), (SELECT count(*) FROM quality_gov.credit_standings(NULL, '2040-01-01') a
	JOIN quality_gov.credit_standings(NULL, '2040-01-01', NULL, NULL, true) b USING (merchant_id) WHERE (a.score, a.grade) = (b.score, b.grade)),
	(SELECT count(*) FROM quality_gov.credit_check())};

# a bulk insert: the backend dies, then the whole server
for my $all (0, 1)
{
	my ($client, $pid) = begin(events(1000000));
	for (1 .. 400)
	{
		last if sql('postgres', 'SELECT COALESCE(max(tuples_processed), 0) > 50000 FROM pg_stat_progress_copy') eq 't';
		sleep 0.01;
	}
	is(sql('postgres', 'SELECT max(tuples_processed) BETWEEN 50000 AND 999999 FROM pg_stat_progress_copy'), 't', 'events are being copied');
	crash($client, $pid, $all);
	is(sql('postgres', $state), '0|5000|0', 'nothing of them is there, the oracle is empty');
}

my $began = time;
sql('postgres', events(1000000));
my $took = time - $began;
note(sprintf 'a million events are copied in %.1f s', $took);
is(sql('postgres', $state), '1000000|5000|0', 'all are in the tail, and counted');
# So that a recovery does not read them all again.
sql('postgres', 'CHECKPOINT');

# a roll-up of them, early, later, and when all is written and not committed
for my $moment ([0.5, 0], [2, 1], [undef, 0])
{
	my ($client, $pid) = begin('SELECT quality_gov.credit_rollup(), pg_sleep(600)');
	sleep($moment->[0] // 0);
	if (!defined $moment->[0])
	{
		for (1 .. 600)
		{
			last if sql('postgres', "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $pid") eq 't';
			sleep 0.1;
		}
	}
	crash($client, $pid, $moment->[1]);
	is(sql('postgres', 'SELECT (SELECT count(*) FROM quality_gov.credit_account), seen IS NULL FROM quality_gov.credit_rollup'), '0|t', 'nothing of a roll-up is there that was killed');
}
is(sql('postgres', 'SELECT quality_gov.credit_rollup()'), '1000000 events rolled up anew', 'the next takes them all in');
is(sql('postgres', $state), '1000000|5000|0', 'each event is counted once');

# a roll-up of some more beside those, killed; then with another insert open and killed
sql('postgres', events(100000));
my ($client, $pid) = begin('BEGIN; SELECT quality_gov.credit_rollup(), pg_sleep(60)');
sleep 0.3;
crash($client, $pid, 0);
($client, $pid) = begin(events(1000000));
is(sql('postgres', 'SELECT quality_gov.credit_rollup()'), '100000 events rolled up', 'a roll-up beside an open insert');
crash($client, $pid, 1);
is(sql('postgres', 'SELECT quality_gov.credit_rollup()'), '0 events rolled up', 'what was open then is gone');
is(sql('postgres', $state), '1100000|5000|0', 'each event is counted once');

server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
