# Behind PgBouncer in transaction mode, where a session's statements run on whatever backend is
# free, guards judge, and a rule is in force for every pooled connection from its next statement.
use strict;
use warnings;
use File::Temp ();
use IPC::Run qw(run start);
use QG;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
plan skip_all => 'PgBouncer is not installed' unless $pgbouncer;

my $database = 'qg_pooled';
database_create($database);
sql($database, <<'SQL');
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', 'n', 'company', '91110000600037341L', '2026-01-01');
CREATE TABLE product (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop text, title text, producer text);
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer"}');
SQL

# PgBouncer refuses to run as root, so its folder and process belong to an ordinary user.
my $dir = File::Temp->newdir('qgbXXXXXX', DIR => '/tmp');
chmod 0755, "$dir";
my $user = $ENV{PGUSER} || getpwuid($<);
my $port = $ENV{PGPORT} || 5432;
open my $ini, '>', "$dir/pgbouncer.ini" or die $!;
print $ini <<"INI";
[databases]
$database = host=$ENV{PGHOST} port=$port dbname=$database user=$user
[pgbouncer]
unix_socket_dir = $dir
listen_addr =
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = 3
ignore_startup_parameters = extra_float_digits,options
logfile = $dir/log
pidfile = $dir/pid
INI
close $ini;
my @as_user;
if ($> == 0)
{
	my $owner = $ENV{QG_USER} || 'postgres';
	chown((getpwnam $owner)[2, 3], "$dir", "$dir/pgbouncer.ini");
	@as_user = ('runuser', '-u', $owner, '--');
}
my ($out, $err) = ('', '');
run([@as_user, $pgbouncer, '-d', "$dir/pgbouncer.ini"], '<', \undef, '>', \$out, '2>', \$err, init => sub { chdir '/' })
  or die "pgbouncer did not start: $err";
# The daemon's parent ends before the daemon has written its pid and opened its socket.
my $pid;
for (1 .. 100)
{
	if (open my $pidfile, '<', "$dir/pid")
	{
		chomp($pid = <$pidfile> // '');
		last if $pid && -S "$dir/.s.PGSQL.6432";
	}
	select undef, undef, undef, 0.1;
}
END { kill 'INT', $pid if $pid; }
die 'pgbouncer did not come up' unless $pid && -S "$dir/.s.PGSQL.6432";

# Talks through the pool.
sub pooled
{
	my ($sql) = @_;
	my ($answer, $error) = ('', '');
	run(['psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-h', "$dir", '-p', '6432', '-d', $database], '<', \$sql, '>', \$answer, '2>', \$error);
	chomp $answer;
	return $error =~ /ERROR:\s+(\w{5})/ ? $1 : $error ? $error : $answer;
}

is(pooled('SELECT count(*) FROM quality_gov.guard'), '1', 'the pool answers');
is(pooled(q{INSERT INTO product (shop, title) VALUES ('m-1', 'cup') RETURNING 'stored'}), 'stored', 'a clean listing is stored');
is(pooled(q{INSERT INTO product (shop, title) VALUES ('nobody', 'cup')}), 'QG401', 'a stranger is refused');

# Warm every backend of the pool, then change the rules on one and ask all.
my @open = map {
	my %client = (in => "BEGIN;\nINSERT INTO product (shop, title) VALUES ('m-1', 'warm $_') RETURNING 'warm';\n", out => '', err => '');
	$client{h} = start(['psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-h', "$dir", '-p', '6432', '-d', $database], '<', \$client{in}, '>', \$client{out}, '2>', \$client{err});
	$client{h}->pump until $client{out} =~ /warm/ || $client{err};
	\%client;
} 1 .. 3;
is(join(' ', map { $_->{out} =~ /warm/ ? 'warm' : $_->{err} } @open), 'warm warm warm', 'three backends hold caches in open transactions');
sql($database, q{SELECT quality_gov.listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'deny', 't', 'b')});
for my $client (@open)
{
	$client->{in} .= "INSERT INTO product (shop, title) VALUES ('m-1', 'again');\nROLLBACK;\n\\q\n";
	$client->{h}->finish;
	like($client->{err}, qr/QG401/, 'the new rule is in force in an open transaction of the pool');
}
is(join(' ', map { pooled(q{INSERT INTO product (shop, title) VALUES ('m-1', 'pot')}) } 1 .. 6), join(' ', ('QG401') x 6), 'and for every statement after');
is(pooled(q{INSERT INTO product (shop, title, producer) VALUES ('m-1', 'pot', 'p') RETURNING 'stored'}), 'stored', 'what follows the rule is stored');
is(pooled('SELECT count(*) FROM quality_gov.credit_check()'), '0', 'the oracle is empty');

kill 'INT', $pid;
for (1 .. 50) { last unless kill 0, $pid; select undef, undef, undef, 0.1; }
$pid = undef;
database_drop($database);
done_testing();
