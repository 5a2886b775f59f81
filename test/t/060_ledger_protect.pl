# Protected tables after a dump is restored, on a standby, on a logical subscriber, after prepared transactions
# and crashes: exactly the entries there were, and verification says so.
use strict;
use warnings;
use QG;
use IPC::Run qw(start);
use Time::HiRes qw(sleep);
use Test::More;

my ($home, $bindir) = cluster('protected', "fsync = on", "wal_level = logical", "max_prepared_transactions = 5", "jit = off", "timezone = 'UTC'");
local $ENV{PGHOST} = $home;
local $ENV{PGPORT} = 5432;
local $ENV{PGUSER} = 'postgres';

my $start = <<'SQL';
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
CREATE SCHEMA shop;
CREATE TABLE shop.product (id int PRIMARY KEY, title text, price numeric, phone text);
CREATE TABLE shop.orders (id int, region text, at timestamptz, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE shop.orders_n PARTITION OF shop.orders FOR VALUES IN ('n');
CREATE TABLE shop.orders_s PARTITION OF shop.orders DEFAULT;
CREATE TABLE shop.log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what jsonb);
SQL
database_create('source');
sql('source', $start);
sql('source', <<'SQL');
INSERT INTO shop.product SELECT g, 'p' || g, g FROM generate_series(1, 50) g;
SELECT quality_gov.ledger_protect('shop.product', sensitive => '{phone}'), quality_gov.ledger_protect('shop.orders'), quality_gov.ledger_protect('shop.log', true);
INSERT INTO shop.product SELECT g, 'p' || g, g, '139' || g FROM generate_series(51, 100) g;
UPDATE shop.product SET id = id + 1000 WHERE id % 3 = 0;
DELETE FROM shop.product WHERE id % 7 = 0;
INSERT INTO shop.orders SELECT g, CASE g % 2 WHEN 0 THEN 'n' ELSE 's' END, '2026-01-01'::timestamptz + g * interval '1 hour' FROM generate_series(1, 40) g;
UPDATE shop.orders SET region = 'x' WHERE id < 10;
TRUNCATE shop.orders_n;
INSERT INTO shop.log (what) SELECT jsonb_build_object('n', g) FROM generate_series(1, 20) g;
SELECT quality_gov.ledger_seal();
INSERT INTO shop.log (what) VALUES ('null'), ('[1.50]');
SQL
my $verdict = q{SELECT scope, status, values_reread, reason FROM quality_gov.ledger_verify() WHERE scope LIKE 'shop.%' OR scope IN ('log', 'guards') AND status <> 'unverified' ORDER BY 1};
my $entries = q{SELECT count(*), md5(string_agg(to_jsonb(e)::text, E'\n' ORDER BY entry_id)) FROM (SELECT entry_id, kind, subject, body, role, recorded_at FROM quality_gov.ledger_entry) e};
my $secrets = q{SELECT count(*), md5(string_agg(s::text, E'\n' ORDER BY entry_id, field)) FROM quality_gov.ledger_secret s};
my $want = sql('source', $verdict);
unlike($want, qr/problem/, 'all is well') or diag($want);
like($want, qr/^shop\.product\|ok/m, 'and the rows are read again');

# dumps, into a database of another name; what is done there is entered behind what came
my $scratch = scratch();
my %way = (
	plain     => sub { command('pg_dump', '-f', "$scratch/p.sql", 'source'); command('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $_[0], '-f', "$scratch/p.sql") },
	directory => sub { command('pg_dump', '-Fd', '-j', '2', '-f', "$scratch/p.dir", 'source'); command('pg_restore', '--exit-on-error', '-j', '2', '-d', $_[0], "$scratch/p.dir") });
for my $name (sort keys %way)
{
	database_create('elsewhere');
	$way{$name}->('elsewhere');
	is(sql('elsewhere', $entries), sql('source', $entries), "$name: exactly the entries there were");
	is(sql('elsewhere', $secrets), sql('source', $secrets), "$name: and the values they commit to");
	is(sql('elsewhere', $verdict), $want, "$name: verification says the same");
	sql('elsewhere', q{UPDATE shop.product SET price = 7 WHERE id = 1; INSERT INTO shop.orders VALUES (1, 'n'); INSERT INTO shop.log (what) VALUES ('{}')});
	is(sql('elsewhere', q{SELECT string_agg(kind, ' ' ORDER BY entry_id) FROM quality_gov.ledger_entry WHERE entry_id > (SELECT max(entry_id) - 3 FROM quality_gov.ledger_entry)}), 'row_update row_insert row_insert', "$name: it goes on");
	is(sql_error('elsewhere', 'DELETE FROM shop.log'), 'QG003', "$name: append-only tables are");
	unlike(sql('elsewhere', $verdict), qr/problem/, "$name: and verifies");
	sql('elsewhere', q{ALTER TABLE shop.product DISABLE TRIGGER USER; UPDATE shop.product SET price = 8 WHERE id = 1; ALTER TABLE shop.product ENABLE TRIGGER USER});
	like(sql('elsewhere', $verdict), qr/^shop\.product\|problem/m, "$name: a silent change is found");
	database_drop('elsewhere');
}

sub wait_for
{
	my ($database, $condition) = @_;
	for (1 .. 300)
	{
		return 1 if sql($database, "SELECT $condition") eq 't';
		sleep 0.1;
	}
	return 0;
}

# a logical subscriber of table and ledger records nothing itself
database_create('subscriber');
sql('subscriber', $start . q{SELECT quality_gov.ledger_protect('shop.product', sensitive => '{phone}'); ALTER TABLE quality_gov.ledger_entry DISABLE TRIGGER USER;
	DELETE FROM quality_gov.ledger_entry; DELETE FROM quality_gov.ledger_protected; ALTER TABLE quality_gov.ledger_entry ENABLE TRIGGER USER});
sql('source', q{CREATE PUBLICATION ours FOR TABLE shop.product, quality_gov.ledger_entry, quality_gov.ledger_secret, quality_gov.ledger_protected});
sql('source', q{SELECT pg_create_logical_replication_slot('ours', 'pgoutput')});
sql('subscriber', "CREATE SUBSCRIPTION ours CONNECTION 'host=$home dbname=source user=postgres' PUBLICATION ours WITH (create_slot = false, slot_name = 'ours')");
ok(wait_for('subscriber', q{bool_and(srsubstate IN ('r', 's')) FROM pg_subscription_rel}), 'tables are copied to the subscriber');
sql('source', q{INSERT INTO shop.product SELECT g, 'late' FROM generate_series(200, 210) g; UPDATE shop.product SET title = 'later' WHERE id > 205; DELETE FROM shop.product WHERE id = 210});
my $all = sql('source', 'SELECT count(*) FROM quality_gov.ledger_entry');
ok(wait_for('subscriber', "count(*) = $all FROM quality_gov.ledger_entry"), 'entries arrive');
is(sql('subscriber', $entries), sql('source', $entries), 'and no others are made');
is(sql('subscriber', q{SELECT status, reason FROM quality_gov.ledger_verify('shop.product')}), 'ok|', 'the subscriber verifies');
sql('subscriber', 'ALTER SUBSCRIPTION ours DISABLE; ALTER SUBSCRIPTION ours SET (slot_name = NONE); DROP SUBSCRIPTION ours');
sql('source', q{SELECT pg_drop_replication_slot('ours')});

# a prepared transaction holds its row, and its entries come with it
sql('source', q{BEGIN; UPDATE shop.product SET price = 99 WHERE id = 1; INSERT INTO shop.product VALUES (300, 'prepared'); PREPARE TRANSACTION 'ours'});
sql('source', q{UPDATE shop.product SET price = 98 WHERE id = 2});
unlike(sql('source', $verdict), qr/problem/, 'what is prepared is not there yet');
is(sql_error('source', q{SET lock_timeout = '200ms'; UPDATE shop.product SET price = 97 WHERE id = 1}), '55P03', 'its row waits');
sql('source', q{COMMIT PREPARED 'ours'; UPDATE shop.product SET price = 97 WHERE id = 1});
unlike(sql('source', $verdict), qr/problem/, 'committed, it verifies');

# a physical standby verifies
server("$bindir/pg_basebackup", '-h', $home, '-U', 'postgres', '-D', "$home/standby", '-R', '-c', 'fast');
server('mkdir', "$home/socket");
server('sh', '-c', "echo \"unix_socket_directories = '$home/socket'\" >> $home/standby/postgresql.conf");
server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/standby", '-l', "$home/log2", 'start');
sql('source', q{UPDATE shop.product SET price = 1 WHERE id < 20});
$want = sql('source', $verdict);
my $lsn = sql('source', 'SELECT pg_current_wal_insert_lsn()');
{
	local $ENV{PGHOST} = "$home/socket";
	ok(wait_for('source', "pg_last_wal_replay_lsn() >= '$lsn'"), 'the standby follows');
	is(sql('source', $verdict), $want, 'and verifies');
}
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/standby", 'stop');

# a server that dies in the middle of a bulk insert has rows and entries, or neither
for my $n (1 .. 4)
{
	my ($out, $err) = ('', '');
	my $rows = sql('source', 'SELECT count(*) FROM shop.log');
	my $client = start(['psql', '-XAtq', '-d', 'source', '-c', q{SET synchronous_commit = off; INSERT INTO shop.log (what) VALUES ('"before"')},
		'-c', q{INSERT INTO shop.log (what) SELECT to_jsonb(g) FROM generate_series(1, 400000) g}], '<', \undef, '>', \$out, '2>', \$err);
	sleep 0.3 + 0.3 * $n;
	open my $pidfile, '<', "$home/data/postmaster.pid" or die;
	my $postmaster = <$pidfile> + 0;
	close $pidfile;
	my @children = split ' ', `ps -o pid= --ppid $postmaster`;
	kill 'KILL', $postmaster, @children;
	eval { $client->finish };
	for (1 .. 100) { last unless grep { kill 0, $_ } $postmaster, @children; sleep 0.1; }
	server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/data", '-l', "$home/log", 'start');
	my $found = sql('source', 'SELECT count(*) FROM shop.log') - $rows;
	ok($found == 0 || $found == 1 || $found == 400001, "crash $n: all or nothing is there ($found)");
	unlike(sql('source', $verdict), qr/problem/, "crash $n: verification finds nothing wrong");
}
server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
