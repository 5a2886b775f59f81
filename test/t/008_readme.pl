# The README's first steps do what the README says they do.
use strict;
use warnings;
use IPC::Run qw(run);
use QG;
use Test::More;

open my $readme, '<:raw', 'README.md' or die "README.md: $!";
my $text = do { local $/; <$readme> };
close $readme;
my ($steps) = $text =~ /^## Getting started\n.*?^```sql\n(.*?)^```/ms or die 'no SQL under Getting started';
my $lines = () = $steps =~ /^\s*\S/mg;
cmp_ok($lines, '<', 40, 'getting started takes fewer than 40 lines');

database_create('qg_readme');
my ($out, $err) = ('', '');
run(['psql', '-XAt', '-v', 'VERBOSITY=verbose', '-d', 'qg_readme'], '<', \$steps, '>', \$out, '2>', \$err);
my @errors = $err =~ /ERROR:\s+(\w{5})/g;
is_deeply(\@errors, ['QG401'], 'one statement is refused, with the code the README names');
like($err, qr/listing is denied: "國 家 级" in title/, 'the refusal reads as printed');
like($out, qr/^t\|\[\]$/m, 'the merchant is admitted');
like($out, qr/^quarantined$/m, 'the second listing is held');
like($out, qr/^國 家 级好茶\|广告法 art 9\(3\)$/m, 'the attempt is on record');
like($out, qr/^625\.53\|C$/m, 'score and grade are as printed');
like($out, qr/^f\|\{"credit grade C takes away \\"live\\" until it recovers"\}\|$/m, 'the grade restricts as printed');
is(sql('qg_readme', 'SELECT count(*) FROM quality_gov.credit_check()'), '0', 'the oracle is empty');

# The sections about traces and recalls are one story: nothing in it names what is not there.
my ($story) = $text =~ /^(### Trace lots\n.*?)^### Questions an analyst asks$/ms or die 'no story of a recall';
my $told = "SET search_path = public, quality_gov;\n";
while ($story =~ /^```sql\n(.*?)^```/msg)
{
	my $block = $1;
	$block =~ s/^.*\n-+(?:\+-+)*\n(?:[ ].*\n)*//mg;    # what it prints
	$told .= $block;
}
run(['psql', '-XAt', '-v', 'VERBOSITY=verbose', '-d', 'qg_readme'], '<', \$told, '>', \$out, '2>', \$err);
is(join("\n", $err =~ /(ERROR:\s+(?:42|22P02).*)/g), '', 'the story of a recall runs');
is(sql('qg_readme', 'SELECT count(*) FROM quality_gov.recall'), '3', 'and opens its three recalls');

# Every table of settings, errors and roles in the README is complete.
my $settings = sql('qg_readme', q{SELECT quality_gov.name_key('x'); SELECT string_agg(name, ' ') FROM pg_settings WHERE name LIKE 'quality_gov.%'});
for my $name (grep { /^quality_gov/ } split /\s+/, $settings)
{
	like($text, qr/`\Q$name\E`/, "the README describes $name");
}
for my $role (split /\n/, sql('qg_readme', 'SELECT DISTINCT role_name FROM quality_gov.role_grant ORDER BY 1'))
{
	like($text, qr/^\| `$role` \|/m, "the README describes $role");
}
open my $errors, '<', 'src/common/errors.h' or die "errors.h: $!";
while (<$errors>)
{
	next unless /MAKE_SQLSTATE\('(.)', '(.)', '(.)', '(.)', '(.)'\)/;
	my $code = "$1$2$3$4$5";
	like($text, qr/^\| `$code` \|/m, "the README describes $code");
}
close $errors;

# Every function that anybody is given is named in the reference.
for my $function (split /\n/, sql('qg_readme', q{SELECT DISTINCT regexp_replace(object, '\(.*', '') FROM quality_gov.role_grant
	WHERE object_type = 'FUNCTION' AND role_name <> 'quality_gov_admin' ORDER BY 1}))
{
	next if $function =~ /^(session_|credit_points|credit_tally_at|duty_deadline|category_covers|library_version|listing_params)/;
	like($text, qr/`$function`/, "the README names $function");
}
# Whatever the table of objects names is there.
my ($objects) = $text =~ /^\| domain \| objects \|\n(.*?)\n\n/ms or die 'no table of objects in the README';
my $names = join ' ', $objects =~ /`(\w+)`/g;
is(sql('qg_readme', qq{SELECT string_agg(n, ' ') FROM unnest(string_to_array('$names', ' ')) AS n
	WHERE NOT EXISTS (SELECT FROM pg_proc WHERE proname = n AND pronamespace = 'quality_gov'::regnamespace)
	  AND to_regclass('quality_gov.' || n) IS NULL AND to_regtype('quality_gov.' || n) IS NULL}), '', 'every object named is there');
database_drop('qg_readme');
done_testing();
