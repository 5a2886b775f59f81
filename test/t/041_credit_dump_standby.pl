# Credit after a dump is restored, on a standby, after its promotion and on a logical subscriber: the same answers, and roll-ups go on.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use QG;
use Test::More;

my ($home, $bindir) = cluster('replicated', "fsync = off", "wal_level = logical", "max_prepared_transactions = 5", "jit = off", "timezone = 'UTC'");
local $ENV{PGHOST} = $home;
local $ENV{PGPORT} = 5432;
local $ENV{PGUSER} = 'postgres';

# Merchants, and a model of the platform's own whose indicators fade, have a window, or neither.
my $start = <<'SQL';
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO credit_model (model, version, state, title, effect, owner, purpose, basis, hysteresis) VALUES ('ours', 1, 'active', 't', '[2020-01-01,)', 'o', 'p', 'b', 20);
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, window_days, prior_good, prior_bad, tolerated, point_cost, title) VALUES
  ('ours', 1, 'complaint', 'disputes', 'rate', 400, '180 days', NULL, 10, 1, 0.2, NULL, 't'), ('ours', 1, 'listing', 'compliance', 'points', 300, NULL, NULL, 0, 0, NULL, 20, 't'),
  ('ours', 1, 'recall', 'goods_quality', 'points', 300, NULL, 90, 0, 0, NULL, 100, 't');
INSERT INTO credit_grade_band (model, version, grade, floor, restricts) VALUES ('ours', 1, 'A', 850, '{}'), ('ours', 1, 'B', 600, '{}'), ('ours', 1, 'C', 0, '{live}');
SQL
# The higher a merchant's number, the more of its events are bad.
my $events = q{INSERT INTO quality_gov.credit_event (merchant_id, indicator, at, recorded_at, good, bad, source, ref)
	SELECT 'm-' || m, (ARRAY['complaint', 'listing', 'recall'])[1 + (hashint4(g) >> 8 & 3) %% 3], t, t + (hashint4(g) >> 12 & 31) * interval '1 day',
		1, CASE WHEN (hashint4(g) & 255) < m / 2 THEN 1.5 ELSE 0 END, 't', g
	FROM generate_series(%d, %d) g, LATERAL (SELECT g * 7919 %% 1009 %% 300 AS m, timestamptz '2020-06-01' + g * interval '6 hours' AS t) x};

database_create('source');
sql('source', $start . <<'SQL' . sprintf($events, 1, 7000));
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at)
SELECT 'm-' || g, 'm', 'company', '91110000600037341L', '2020-01-01' FROM generate_series(0, 299) g;
SQL
sql('source', 'SELECT quality_gov.credit_rollup()');
cmp_ok(sql('source', q{SELECT quality_gov.credit_retire('2022-01-01')}), '>', 1000, 'old events are retired');
sql('source', q{SELECT count(quality_gov.credit_regrade(t)) FROM generate_series(timestamptz '2023-01-01', '2025-05-01', '3 months') t});
sql('source', sprintf($events, 7001, 8000));
sql('source', sprintf($events, 8001, 8100));

# Grades and scores at fixed instants: of all at once, one by one, over time, explained; and what was recorded.
my $answers = q{SET search_path = quality_gov;
	SELECT t, s.* FROM unnest('{2023-01-01,2025-01-01,2026-03-01,2026-09-01}'::timestamptz[]) t, credit_standings(NULL, t) s ORDER BY 1, 2;
	SELECT merchant_id, credit_score(merchant_id, '2026-03-01'), credit_grade(merchant_id, '2026-03-01') FROM merchant ORDER BY 1;
	SELECT m, h.* FROM unnest('{m-1,m-77,m-200}'::text[]) m, credit_history(m, '2022-04-05', '2026-06-01', '17 days') h ORDER BY 1, 2;
	SELECT m, e.* FROM unnest('{m-1,m-77,m-200}'::text[]) m, credit_explain(m, '2026-03-01') e ORDER BY 1, 2;
	SELECT merchant_id, since, score, grade, previous_grade FROM credit_grade_history WHERE since < '2026-09-01' ORDER BY 1, 2; SELECT * FROM credit_opening ORDER BY 1, 2, 3};
my $oracle = 'SELECT count(*) FROM quality_gov.credit_check()';
my $live = q{SELECT count(*), count(*) FILTER (WHERE o.score <> quality_gov.credit_score(o.merchant_id) OR o.grade <> quality_gov.credit_grade(o.merchant_id)) FROM quality_gov.credit_overview o};
# As one line, since there are thousands of rows.
sub answers { return md5_hex(sql($_[0], $answers)); }

my $want = answers('source');
is(sql('source', $oracle), '0', 'the oracle is empty');
is(sql('source', q{SELECT count(DISTINCT grade), count(*) > 500, count(DISTINCT since) FROM quality_gov.credit_grade_history}), '3|t|10', 'grades change');

# dumps
my $scratch = scratch();
my %way = (
	plain     => sub { command('pg_dump', '-f', "$scratch/c.sql", 'source'); command('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $_[0], '-f', "$scratch/c.sql") },
	directory => sub { command('pg_dump', '-Fd', '-j', '2', '-f', "$scratch/c.dir", 'source'); command('pg_restore', '--exit-on-error', '-j', '2', '-d', $_[0], "$scratch/c.dir") },
);
for my $name (sort keys %way)
{
	database_create('copy');
	$way{$name}->('copy');
	is(sql('copy', $oracle), '0', "$name: the oracle is empty");
	is(answers('copy'), $want, "$name: answers are the same before a roll-up");
	is(sql('copy', q{SELECT seen IS NULL, (SELECT count(*) FROM quality_gov.credit_account) FROM quality_gov.credit_rollup}), 't|0', "$name: accounts are not of the dump");
	is(sql('copy', q{SELECT string_agg(outcome, ' ' ORDER BY outcome) FROM quality_gov.maintenance('2026-10-01') WHERE task LIKE 'credit%'}), 'done done done', "$name: maintenance runs");
	is(answers('copy'), $want, "$name: and after it");
	sql('copy', sprintf($events, 8101, 8200));
	is(sql('copy', 'SELECT quality_gov.credit_rollup()'), '100 events rolled up', "$name: roll-ups go on");
	is(sql('copy', $oracle), '0', "$name: the oracle is empty");
	is(sql('copy', $live), '300|0', "$name: the overview says what each score says");
	database_drop('copy');
}

# a logical subscriber stamps what comes with transactions of its own
database_create('subscriber');
sql('subscriber', $start);
sql('source', q{CREATE PUBLICATION credit FOR TABLE quality_gov.merchant, quality_gov.credit_event, quality_gov.credit_opening, quality_gov.credit_grade_change WITH (publish = 'insert')});
sql('source', q{SELECT pg_create_logical_replication_slot('credit', 'pgoutput')});
sql('subscriber', "CREATE SUBSCRIPTION credit CONNECTION 'host=$home dbname=source user=postgres' PUBLICATION credit WITH (create_slot = false, slot_name = 'credit')");

sub wait_for
{
	my ($database, $condition) = @_;
	for (1 .. 300)
	{
		return 1 if sql($database, "SELECT $condition") eq 't';
		select undef, undef, undef, 0.1;
	}
	return 0;
}
ok(wait_for('subscriber', q{bool_and(srsubstate IN ('r', 's')) FROM pg_subscription_rel}), 'tables are copied to the subscriber');
is(answers('subscriber'), $want, 'its answers are the same');
sql('subscriber', 'SELECT quality_gov.credit_rollup()');
sql('source', sprintf($events, 8101, 8200));
my $all = sql('source', 'SELECT count(*) FROM quality_gov.credit_event');
ok(wait_for('subscriber', "count(*) = $all FROM quality_gov.credit_event"), 'events arrive');
is(sql('subscriber', 'SELECT bool_and(xid < pg_current_xact_id()) AND count(DISTINCT xid) BETWEEN 2 AND 10 FROM quality_gov.credit_event'), 't', 'they are of transactions of the subscriber');
$want = answers('source');
is(answers('subscriber'), $want, 'the tail is counted there');
is(sql('subscriber', 'SELECT quality_gov.credit_rollup()'), '100 events rolled up', 'and rolled up');
is(answers('subscriber'), $want, 'answers are the same');
is(sql('subscriber', $oracle), '0', 'the oracle is empty');
sql('subscriber', 'ALTER SUBSCRIPTION credit DISABLE; ALTER SUBSCRIPTION credit SET (slot_name = NONE); DROP SUBSCRIPTION credit');
sql('source', q{SELECT pg_drop_replication_slot('credit')});

# a physical standby, with a transaction prepared over the roll-up
sql('source', 'BEGIN; ' . sprintf($events, 8201, 8250) . "; PREPARE TRANSACTION 'late'");
server("$bindir/pg_basebackup", '-h', $home, '-U', 'postgres', '-D', "$home/standby", '-R', '-c', 'fast');
server('mkdir', "$home/socket");
server('sh', '-c', "echo \"unix_socket_directories = '$home/socket'\" >> $home/standby/postgresql.conf");
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", '-l', "$home/log2", 'start');

# Runs something on the standby once it has replayed what the primary wrote.
sub standby
{
	my ($sub) = @_;
	my $lsn = sql('source', 'SELECT pg_current_wal_insert_lsn()');
	local $ENV{PGHOST} = "$home/socket";
	wait_for('source', "pg_last_wal_replay_lsn() >= '$lsn'") or die 'the standby does not follow';
	return $sub->();
}

is(standby(sub { answers('source') }), answers('source'), 'a standby gives the answers of its primary');
is(sql('source', 'SELECT quality_gov.credit_rollup()'), '1200 events rolled up', 'the primary rolls up beside a prepared transaction');
is(standby(sub { answers('source') }), answers('source'), 'the standby follows');
is(standby(sub { sql('source', $live) }), '300|0', 'its overview says what each score says');
is(standby(sub { sql('source', $oracle) }), '0', 'its oracle is empty');
is(standby(sub { sql_error('source', 'SELECT quality_gov.credit_rollup()') }), '25006', 'it rolls nothing up');
is(standby(sub { sql_error('source', "SELECT quality_gov.credit_retire('2022-01-01')") }), '25006', 'and retires nothing');
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", 'promote');
$ENV{PGHOST} = "$home/socket";
is(sql('source', 'SELECT quality_gov.credit_rollup()'), '0 events rolled up', 'promoted, it rolls up');
$want = answers('source');
sql('source', "COMMIT PREPARED 'late'");
isnt(answers('source'), $want, 'what was prepared counts once it is committed');
is(sql('source', 'SELECT quality_gov.credit_rollup()'), '50 events rolled up', 'and is rolled up');
is(sql('source', $oracle), '0', 'the oracle is empty');
is(sql('source', $live), '300|0', 'the overview says what each score says');
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/standby", 'stop');
done_testing();
