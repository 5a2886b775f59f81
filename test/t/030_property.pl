# Folding and matching agree with slow twins written from their description alone, on random texts of
# all planes and on random dictionaries.  QG_SEED repeats a run, QG_STRINGS and QG_DICTIONARIES say how
# much is tried.
use strict;
use warnings;
use Test::More;
use QG;

my $seed = $ENV{QG_SEED} // int(rand(2**31));
my $strings = $ENV{QG_STRINGS} // 200_000;
my $dictionaries = $ENV{QG_DICTIONARIES} // 1_000;
my $program = scratch() . '/property';
my $sources = join ' ', map { "test/fuzz/$_.c" } qw(property oracle_fold oracle_match random memo);
my $output = `test/fuzz/build $program $sources -Wl,--wrap=qg_char_is_plain,--wrap=qg_fold_learn 2>&1`;

plan skip_all => $1 if $? >> 8 == 3 && $output =~ /^skipped: (.*)/m;
is($?, 0, 'the cores compile outside the server') or diag($output);
$output = `$program $seed $strings $dictionaries`;
is($?, 0, "cores and twins agree, seed $seed");
diag($output);
done_testing();
