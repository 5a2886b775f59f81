# An audit whose backend is killed in the middle is taken up where it stopped and finds nothing twice.
use strict;
use warnings;
use QG;
use IPC::Run qw(run start finish);
use Test::More;

# A cluster of its own, since the server goes down with the backend.
my ($home, $bindir) = cluster('crash', "fsync = off");
local $ENV{PGHOST} = $home;
local $ENV{PGPORT} = 5432;
local $ENV{PGUSER} = 'postgres';

sql('postgres', <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01');
SELECT listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 't', 'b', effective => '2026-01-01');
CREATE TABLE product (id int PRIMARY KEY, shop text, title text, producer text, status text DEFAULT 'live');
INSERT INTO product SELECT g, 'm-1', 'cup', CASE WHEN g % 3 > 0 THEN 'p' END FROM generate_series(1, 20000) g;
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "status": "status"}');
SQL

# Kills the backend of an audit once it has come so far; gives how far the survivors say it had come.
sub kill_audit
{
	my ($call, $far) = @_;
	my ($out, $err) = ('', '');
	my $audit = start(['psql', '-XAtq', '-d', 'postgres', '-c', $call], '<', \undef, '>', \$out, '2>', \$err);
	my $pid = '';
	for (1 .. 600)
	{
		$pid = sql('postgres', "SELECT a.pid FROM pg_stat_activity a, quality_gov.listing_audit_run r
			WHERE a.query LIKE 'CALL%' AND a.pid <> pg_backend_pid() AND r.finished_at IS NULL AND r.rows_done >= $far LIMIT 1");
		last if $pid ne '';
		select undef, undef, undef, 0.02;
	}
	server('kill', '-9', $pid) if $pid ne '';
	finish($audit);
	for (1 .. 600)
	{
		last if run(["$bindir/pg_isready", '-q', '-d', 'postgres']) && run(['psql', '-XAtq', '-d', 'postgres', '-c', 'SELECT 1'], '>', \my $one, '2>', \my $none);
		select undef, undef, undef, 0.1;
	}
	return sql('postgres', 'SELECT rows_done FROM quality_gov.listing_audit_run ORDER BY run_id DESC LIMIT 1');
}

my $summary = q{SELECT count(*), count(DISTINCT listing_id), (SELECT count(*) FROM quality_gov.listing_finding),
	(SELECT count(*) FROM quality_gov.credit_event WHERE indicator = 'listing'), (SELECT count(*) FROM quality_gov.ledger_entry WHERE kind = 'listing_decision')
	FROM quality_gov.listing_decision};

my $done = kill_audit(q{CALL quality_gov.listing_audit('product', 10)}, 500);
cmp_ok($done, '>=', 500, 'the audit had come somewhere');
cmp_ok($done, '<', 20000, 'and was killed before its end');
my $found = int($done / 3);
is(sql('postgres', $summary), join('|', ($found) x 5), 'decisions and progress are of the same batches');
sql('postgres', q{CALL quality_gov.listing_audit('product', 1000)});
is(sql('postgres', 'SELECT count(*), max(rows_done), max(listings_found), bool_and(finished_at IS NOT NULL) FROM quality_gov.listing_audit_run'),
	'1|20000|6666|t', 'the same run was taken up and finished');
is(sql('postgres', $summary), join('|', (6666) x 5), 'nothing was found twice or lost');

# the same while it holds what it finds
$done = kill_audit(q{CALL quality_gov.listing_audit('product', 10, hold => true)}, 300);
my $held = sql('postgres', q{SELECT count(*) FROM product WHERE status = 'quarantined'});
is($held, int($done / 3), 'what is held and the progress are of the same batches');
sql('postgres', q{CALL quality_gov.listing_audit('product', 1000, hold => true)});
is(sql('postgres', q{SELECT count(*), (SELECT count(*) FROM quality_gov.listing_held) FROM product WHERE status = 'quarantined'}), '6666|6666', 'every listing is held, once');
is(sql('postgres', q{SELECT (SELECT count(*) FROM quality_gov.integrity_check()) + (SELECT count(*) FROM quality_gov.credit_check())}), '0', 'the oracles are empty');

server("$bindir/pg_ctl", '-s', '-m', 'immediate', '-D', "$home/data", 'stop');
done_testing();
