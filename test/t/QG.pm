package QG;

# What the TAP tests share: psql, pg_dump and pg_restore against the server that PGHOST and PGPORT
# name, in databases of their own.
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use IPC::Run qw(run);

our @EXPORT = qw(sql sql_error database_create database_drop command scratch cluster server);

my $scratch = File::Temp->newdir('qgtXXXXXX', DIR => $ENV{QG_TMP} || '/tmp');
chmod 0755, "$scratch";

# A folder that goes away with the test.
sub scratch { return "$scratch"; }

# Runs a command as the user that the server runs as.
sub server
{
	my @as_server = $> == 0 ? ('runuser', '-u', $ENV{QG_USER} || 'postgres', '--') : ();
	return command(@as_server, @_);
}

# Starts a cluster of the test's own, with these settings, and gives its folder and the programs'.
sub cluster
{
	my ($name, @settings) = @_;
	my $bindir = `"$ENV{PG_CONFIG}" --bindir`;
	chomp $bindir;
	my $home = scratch() . "/$name";
	mkdir $home;
	chown((getpwnam($ENV{QG_USER} || 'postgres'))[2, 3], $home) if $> == 0;
	chdir '/';
	server("$bindir/initdb", '-D', "$home/data", '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8');
	my $settings = join '', map { "$_\\n" } "listen_addresses = ''", "unix_socket_directories = '$home'", @settings;
	server('sh', '-c', "printf \"$settings\" >> $home/data/postgresql.conf");
	server("$bindir/pg_ctl", '-s', '-w', '-D', "$home/data", '-l', "$home/log", 'start');
	return ($home, $bindir);
}

# Runs SQL and gives its output, columns separated by | and rows by newlines; dies on an error.
sub sql
{
	my ($database, $sql, %option) = @_;
	my ($out, $err) = ('', '');
	run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database, @{ $option{args} || [] }],
		'<', \$sql, '>', \$out, '2>', \$err)
	  or die "psql failed: $err\n$sql\n";
	chomp $out;
	return $out;
}

# Runs SQL that must fail and gives the SQLSTATE.
sub sql_error
{
	my ($database, $sql, @args) = @_;
	my ($out, $err) = ('', '');
	run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate', '-d', $database, @args],
		'<', \$sql, '>', \$out, '2>', \$err)
	  and return 'no error';
	return $err =~ /(?:ERROR|FATAL):\s+(\w{5})/ ? $1 : $err;
}

sub command
{
	my @command = @_;
	my ($out, $err) = ('', '');
	run(\@command, '<', \undef, '>', \$out, '2>', \$err)
	  or die "@command failed: $err\n";
	return $err;
}

sub database_create
{
	my ($database) = @_;
	database_drop($database);
	sql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING 'UTF8'");
	return;
}

sub database_drop
{
	my ($database) = @_;
	sql('postgres', "SET client_min_messages = warning; DROP DATABASE IF EXISTS $database WITH (FORCE)");
	return;
}

1;
