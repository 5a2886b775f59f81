# Binary COPY: what goes out comes in again, and what nobody could have sent is refused whole.
use strict;
use warnings;
use Test::More;
use QG;

my $database = 'qg_copy_binary';
database_create($database);
sql($database, 'CREATE EXTENSION quality_gov');

# A file of binary COPY with one row per value; undef is a null.
sub copy_file
{
	my ($name, @values) = @_;
	my $path = scratch() . "/$name";
	open my $out, '>:raw', $path or die "$path: $!";
	print $out "PGCOPY\n\377\r\n\0", pack('N N', 0, 0);
	print $out pack('n', 1), defined $_ ? pack('N', length $_) . $_ : pack('N', 0xFFFFFFFF) foreach @values;
	print $out pack('n', 0xFFFF);
	close $out or die "$path: $!";
	return $path;
}

sub tally
{
	my ($version, $half_life, $cell, $good, $bad) = @_;
	return pack('C q> q> d> d>', $version, $half_life, $cell, $good, $bad);
}

# Values of each type, and the rows that must not get in.
my $day = 86_400_000_000;
my $inf = 9**9**9;
my $nan = -sin($inf);
my %type = (
	uscc => {
		values => "SELECT v::quality_gov.uscc AS v FROM unnest(ARRAY['91110000600037341L', '9144030071526726XG',
			'91110000600037341N!', '121200004013590816', NULL]) AS v",
		right => '91110000600037341L',
		wrong => {
			'nothing at all' => '',
			'one character short' => '91110000600037341',
			'one character more' => '91110000600037341LL',
			'a wrong check character' => '91110000600037341N',
			'a character outside the alphabet' => '9111000060003IOZSV',
			'two marks' => '91110000600037341N!!',
			'far too long' => '9' x 100_000 } },
	gtin => {
		values => "SELECT v::quality_gov.gtin AS v FROM unnest(ARRAY['73513537', '6901234567892', '98412345678908',
			NULL]) AS v",
		right => pack('q>', 73_513_537),
		wrong => {
			'a wrong check digit' => pack('q>', 73_513_538),
			'zero' => pack('q>', 0),
			'a negative number' => pack('q>', -73_513_537),
			'fifteen digits' => pack('q>', 100_000_000_000_000),
			'the least number' => pack('q>', -2**63),
			'the greatest number' => pack('q>', 9_223_372_036_854_775_807) } },
	credit_tally => {
		values => "SELECT quality_gov.credit_tally(g, b, '2026-01-01'::timestamptz + g * interval '1 day', interval '1 day' * h) AS v
			FROM (VALUES (1, 1, 0.1, 1), (4, 2, 1e200, 30), (2, -3, 0, 90), (3, 1e-300, 7, 36500)) AS e (n, g, b, h)
			GROUP BY n, h UNION ALL SELECT NULL",  # one half-life to a tally
		right => tally(1, $day, 37, 1.5, 0),
		wrong => {
			'no version that is known' => tally(0, $day, 37, 1, 1),
			'a later version' => tally(2, $day, 37, 1, 1),
			'no number' => tally(1, $day, 37, $nan, 1),
			'no number of bad' => tally(1, $day, 37, 1, $nan),
			'more than there is' => tally(1, $day, 37, $inf, 1),
			'less than there is' => tally(1, $day, 37, 1, -$inf),
			'no half-life' => tally(1, 0, 37, 1, 1),
			'a negative half-life' => tally(1, -$day, 37, 1, 1),
			'a half-life under a second' => tally(1, 999_999, 37, 1, 1),
			'a half-life without end' => tally(1, 9_223_372_036_854_775_807, 0, 1, 1),
			'a cell beyond time' => tally(1, $day, 9_223_372_036_854_775_807, 1, 1),
			'a cell before time' => tally(1, $day, -2**63, 1, 1) } });

# The server itself refuses a value that is shorter or longer than its type reads.
my %length = (
	gtin => { 'too short' => pack('N', 73_513_537), 'too long' => pack('q> C', 73_513_537, 0), 'empty' => '' },
	credit_tally => { 'too short' => substr(tally(1, $day, 37, 1, 1), 0, 32), 'too long' => tally(1, $day, 37, 1, 1) . "\0",
		'empty' => '', 'a version alone' => "\1" },
	uscc => { 'a NUL' => "91110000600037341\0", 'broken UTF-8' => "91110000600037341\xE4\xB8" });

foreach my $type (sort keys %type)
{
	my ($case, $file) = ($type{$type}, scratch() . "/$type.out");

	sql($database, "CREATE TABLE t_$type AS $case->{values}");
	sql($database, "CREATE TABLE u_$type (LIKE t_$type)");
	sql($database, "\\copy t_$type TO '$file' WITH (FORMAT binary)");
	sql($database, "\\copy u_$type FROM '$file' WITH (FORMAT binary)");
	is(sql($database, "SELECT v::text FROM u_$type ORDER BY v"), sql($database, "SELECT v::text FROM t_$type ORDER BY v"),
		"$type: what went out came in");
	is(sql($database, "SELECT count(*) > 3 AND count(*) = count(v) + 1 FROM u_$type"), 't', "$type: with its null");
	sql($database, "TRUNCATE u_$type");

	$file = copy_file("$type.right", $case->{right}, undef);
	sql($database, "\\copy u_$type FROM '$file' WITH (FORMAT binary)");
	is(sql($database, "SELECT count(*), count(v) FROM u_$type"), '2|1', "$type: a row made by hand comes in");
	sql($database, "TRUNCATE u_$type");

	# A right row before the wrong one shows that nothing stays.
	foreach my $what (sort keys %{ $case->{wrong} })
	{
		$file = copy_file("$type.wrong", $case->{right}, $case->{wrong}{$what});
		is(sql_error($database, "\\copy u_$type FROM '$file' WITH (FORMAT binary)"), '22P03', "$type: $what is refused");
	}
	foreach my $what (sort keys %{ $length{$type} })
	{
		$file = copy_file("$type.length", $case->{right}, $length{$type}{$what});
		like(sql_error($database, "\\copy u_$type FROM '$file' WITH (FORMAT binary)"), qr/^(22P03|08P01|22021)$/,
			"$type: $what is refused");
	}
	is(sql($database, "SELECT count(*) FROM u_$type"), '0', "$type: nothing of it was loaded");
}

database_drop($database);
done_testing();
