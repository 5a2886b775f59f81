# The keyed digest of an identity number is HMAC-SHA256, needs a key file of the server's own, and
# finds a barred person under a new shop; number and key are stored nowhere.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use QG;
use Test::More;

my $database = 'qg_identity';
database_create($database);
sql($database, 'CREATE EXTENSION quality_gov');

# The server itself writes the files, so that they belong to its user.
my $path = sql($database, q{SELECT current_setting('data_directory')}) . '/qg_test_key';
my $key = join '', 'a' .. 'z', 0 .. 9, 'A' .. 'D';
sub key_file
{
	my ($content, $mode) = @_;
	sql($database, sprintf(q{COPY (SELECT %s) TO PROGRAM $p$head -c -1 > '%s' && chmod %s '%s'$p$},
		"\$k\$$content\$k\$", $path, $mode, $path));
}
my $set = "SET quality_gov.identity_key_file = '$path'; ";

key_file($key, '0600');
my $number = '11010519491231002X';
is(sql($database, "$set SELECT quality_gov.identity_digest('$number')"), hmac_sha256_hex($number, $key), 'the digest is HMAC-SHA256 (RFC 2104)');
is(sql($database, "$set SELECT quality_gov.identity_digest(' 110105-19491231-002x ')"), hmac_sha256_hex($number, $key), 'spaces, hyphens and small letters make no difference');
isnt(sql($database, "$set SELECT quality_gov.identity_digest('110105194912310021')"), hmac_sha256_hex($number, $key), 'another number has another digest');
key_file($key, '0640');
is(sql_error($database, "$set SELECT quality_gov.identity_digest('$number')"), '42501', 'a key that others can read is refused');
key_file(substr($key, 0, 31), '0600');
is(sql_error($database, "$set SELECT quality_gov.identity_digest('$number')"), '22023', 'a short key is refused');
is(sql_error($database, "SET quality_gov.identity_key_file = '/'; SELECT quality_gov.identity_digest('$number')"), '42809', 'a folder is refused');

# barred under one shop, back under another
key_file($key, '0600');
my $apply = sub {
	my ($merchant, $at) = @_;
	return sql($database, "$set SELECT admitted || ' ' || COALESCE(findings #>> '{0,finding}', 'none') FROM quality_gov.merchant_admit(jsonb_build_object(
		'merchant_id', '$merchant', 'kind', 'unregistered', 'name', 'Li Si', 'self_declaration', 'home_handicraft', 'actual_address', 'a', 'contact', 'c',
		'persons', jsonb_build_array(jsonb_build_object('identity_digest', quality_gov.identity_digest('$number')))), '$at')");
};
is($apply->('first', '2026-01-01'), 'true none', 'the person opens a shop');
sql($database, q{INSERT INTO quality_gov.merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('first', '*', 'fakes', 'platform', '[2026-02-01,)')});
is($apply->('second', '2026-03-01'), 'false barred_return', 'barred there, and known under the second');

sql($database, sprintf(q{COPY (SELECT 1) TO PROGRAM $p$rm '%s'$p$}, $path));
my $dump = scratch() . '/identity.sql';
command('pg_dump', '-f', $dump, $database);
open my $in, '<', $dump or die $!;
my $text = do { local $/; <$in> };
close $in;
unlike($text, qr/\Q$number\E/, 'the number is in no dump');
unlike($text, qr/\Q$key\E/, 'nor is the key');
database_drop($database);
done_testing();
