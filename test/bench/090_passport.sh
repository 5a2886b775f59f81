#!/bin/bash
# What passports cost: issuing 100,000 of them (document, signature, rows, events, ledger) and judging each
# against what openssl signs and verifies on this machine, one core; canonical JSON against jsonb::text.
# BENCH_SCALE shrinks the numbers; BENCH_PAIRS sets the number of interleaved pairs.
set -eu
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || { echo "skipped: passports, no openssl command"; exit 0; }
database qg_bench
count=$(scaled 100000 1000)
pairs=${BENCH_PAIRS:-7}
key=$(psql -XAtqc "SELECT current_setting('data_directory')")/bench_passport.pem
trap 'psql -Xq -d postgres -c "COPY (SELECT 1) TO PROGRAM \$p\$rm -f $key; cat >/dev/null\$p\$" -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v key="$key" -v count="$count" <<'SQL'
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '60min';
SELECT pg_reload_conf();
SELECT format('umask 077; openssl genpkey -algorithm ED25519 -out %L; cat >/dev/null', :'key') AS make \gset
COPY (SELECT 1) TO PROGRAM :'make';
ALTER DATABASE qg_bench SET quality_gov.passport_key_file = :'key';
ALTER DATABASE qg_bench SET work_mem = '256MB';
ALTER DATABASE qg_bench SET max_parallel_workers_per_gather = 0;
SQL
psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v count="$count" <<'SQL'
SET search_path = public, quality_gov;
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', 'Works', algorithm, public_key::text, '{6901234}', '[2026-01-01,)') FROM passport_signer();
INSERT INTO passport_category VALUES ('kettles', 'order_110');
-- what Order 110 wants of an item, and an energy label
CREATE TABLE input AS SELECT n, jsonb_build_object('gtin', '6901234567892', 'lot', 'L' || n / 1000, 'category', 'kettles', 'claims', jsonb_build_object(
  'title', '电热水壶 1.7 L', 'producer', '佛山市某某电器有限公司', 'producer_address', '广东省佛山市顺德区容桂街道 1 号', 'model', 'K-17', 'standard', 'GB 4706.19-2008',
  'certificate', '2016010901123456', 'warning', '表面高温，防止烫伤')) AS passport FROM generate_series(1, :count) n;
-- documents of a kilobyte: a passport's, and one half of numbers
CREATE TABLE document AS SELECT jsonb_build_object('@context', '["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"]'::jsonb,
  'id', 'https://id.gs1.org/01/06901234567892/10/L1/21/' || n, 'type', '["VerifiableCredential", "ProductPassport"]'::jsonb, 'issuer', 'did:web:works.example', 'validFrom', '2026-02-01T00:00:00Z',
  'credentialSubject', passport || jsonb_build_object('serial', n::text, 'level', 'item', 'version', 1, 'notice', repeat('请按说明书使用 ', 12))) AS passport,
  (SELECT jsonb_object_agg('m' || k, CASE WHEN k % 2 = 0 THEN to_jsonb(round((n * k)::numeric / 7, 3)) ELSE to_jsonb(md5((n * k)::text)) END) FROM generate_series(1, 36) k) AS mixed
FROM input LIMIT 20000;
VACUUM ANALYZE;
CHECKPOINT;
SQL
# signatures and verifications a second, by the clock
openssl_speed() { openssl speed -elapsed -seconds 2 ed25519 2>/dev/null | awk '/Ed25519/ { print $(NF-1), $NF }'; }
for pair in $(seq "$pairs"); do
  read -r sign verify <<<"$(openssl_speed)"
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
SET search_path = public, quality_gov;
DO \$\$
DECLARE
  o float8;
  p float8;
BEGIN
  o := executed(\$q\$SELECT count(*) FROM quality_gov.passport_issue_all(ARRAY(SELECT passport || jsonb_build_object('serial', 'P${pair}N' || n) FROM input), at => '2026-12-02')\$q\$);
  INSERT INTO run VALUES ('passport_issue_all / openssl speed ed25519 sign (a second)', $pair, 1000 * $count / o, $sign, '0.25 (0.5)');
  o := executed(\$q\$SELECT count(*) FROM (SELECT quality_gov.passport_fault(passport_id, '2026-12-03') AS f FROM (SELECT passport_id FROM quality_gov.passport LIMIT 10000) x) y WHERE f = '{}'\$q\$);
  INSERT INTO run VALUES ('passport_fault / openssl speed ed25519 verify (a second)', $pair, 1000 * LEAST(10000, $count) / o, $verify, '-');
  p := executed('SELECT count(passport::text) FROM document');
  o := executed('SELECT count(quality_gov.jcs(passport)) FROM document');
  INSERT INTO run VALUES ('jcs / jsonb::text, passports (ms)', $pair, o, p, '2 (1.2)');
  p := executed('SELECT count(mixed::text) FROM document');
  o := executed('SELECT count(quality_gov.jcs(mixed)) FROM document');
  INSERT INTO run VALUES ('jcs / jsonb::text, half numbers (ms)', $pair, o, p, '2 (1.2)');
END
\$\$;
SQL
done
psql -XAtqc "SELECT format('passports: %s in all, %s bytes each as text; documents: %s and %s bytes', count(*), avg(length(credential::text))::int, (SELECT avg(octet_length(quality_gov.jcs(passport)))::int FROM document), (SELECT avg(octet_length(quality_gov.jcs(mixed)))::int FROM document)) FROM quality_gov.passport"
[ "$(psql -XAtqc 'SELECT count(*) FROM quality_gov.passport_check(false)')" = 0 ] || { echo "passport_check() finds faults"; exit 1; }
report
