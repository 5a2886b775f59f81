#!/bin/bash
# Finding terms in descriptions from SQL, milliseconds a document: lexicon_hits() and lexicon_scan() beside
# LIKE ANY, and joins that find every term, as lexicon_scan() does.  The peers get folded text, and
# LIKE ANY its patterns as a literal.  LIKE ANY stops at the first pattern that it meets, so it is given
# the dictionary that 95 % of the listings are free of (50,000 terms); in that of everyday words (49,174)
# every listing has terms, and all are to be found.
set -eu
. "$(dirname "$0")/lib.sh"
corpus_build 030_scan
database qg_bench
trap 'rm -rf "$work"; psql -Xq -d postgres -c "DROP DATABASE IF EXISTS qg_bench WITH (FORCE)"' EXIT
docs=$(scaled 20000 100)
few=$(scaled 8 2)
corpus listings "$docs" | psql -Xq -c 'CREATE TABLE doc (id int PRIMARY KEY, shop text, title text, body text)' -c '\copy doc FROM pstdin'
corpus terms everyday | psql -Xq -c 'CREATE TABLE word (term text)' -c '\copy word FROM pstdin'
corpus terms guard | psql -Xq -c 'CREATE TABLE barred (term text)' -c '\copy barred FROM pstdin'
psql -Xq -v ON_ERROR_STOP=1 -v few="$few" <<'SQL'
SET search_path = public, quality_gov;
SELECT lexicon_load('everyday', (SELECT array_agg(term) FROM word)), lexicon_publish('everyday', effective => '2026-01-01'),
       lexicon_load('barred', (SELECT array_agg(term) FROM barred)), lexicon_publish('barred', effective => '2026-01-01') \g /dev/null
CREATE TABLE few AS SELECT id, text_fold(body) AS body FROM doc ORDER BY id LIMIT :few;
CREATE TABLE folded_word AS SELECT DISTINCT text_fold(term) AS term FROM word;
ANALYZE;
CHECKPOINT;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) AS docs, round(avg(octet_length(body))) AS bytes FROM doc \gset
SELECT quote_literal(array_agg('%' || term || '%')::text) AS patterns FROM (SELECT DISTINCT text_fold(term) AS term FROM barred) b \gset
-- once unmeasured: the lexicon is compiled or mapped, the tables are read
SELECT count(*) FROM doc, lexicon_scan(body, '{everyday,barred}', at => '2026-02-01') \g /dev/null
-- the peers' patterns stand in their statements as literals
CREATE TABLE statement AS
SELECT 'hits' AS name, $$SELECT count(*) FROM doc WHERE quality_gov.lexicon_hits(body, '{barred}', at => '2026-02-01')$$ AS sql
UNION ALL SELECT 'scan', $$SELECT count(*) FROM doc, quality_gov.lexicon_scan(body, '{barred}', at => '2026-02-01')$$
UNION ALL SELECT 'all', $$SELECT count(*) FROM doc, quality_gov.lexicon_scan(body, '{everyday}', at => '2026-02-01', all_hits => true)$$
UNION ALL SELECT 'like', 'SELECT count(*) FROM few WHERE body LIKE ANY (' || :'patterns' || '::text[])'
UNION ALL SELECT 'join', $$SELECT count(*) FROM few JOIN folded_word ON body LIKE '%' || term || '%'$$
UNION ALL SELECT 'strpos', 'SELECT count(*) FROM few JOIN folded_word ON strpos(body, term) > 0';
SELECT set_config('bench.docs', :'docs', false), set_config('bench.few', :'few', false) \g /dev/null
DO $$
DECLARE
  sql jsonb := (SELECT jsonb_object_agg(name, s.sql) FROM statement s);
  docs float8 := current_setting('bench.docs');
  few float8 := current_setting('bench.few');
  hits float8; scan float8; every float8; likes float8; joined float8; strposes float8;
BEGIN
  FOR pair IN 1..7 LOOP
    hits := executed(sql ->> 'hits') / docs;
    likes := executed(sql ->> 'like') / few;
    scan := executed(sql ->> 'scan') / docs;
    joined := executed(sql ->> 'join') / few;
    every := executed(sql ->> 'all') / docs;
    strposes := executed(sql ->> 'strpos') / few;
    INSERT INTO run VALUES ('lexicon_hits() / LIKE ANY', pair, hits, likes, '<= 0.0001'),
      ('lexicon_scan() / LIKE ANY', pair, scan, likes, '<= 0.0001'),
      ('lexicon_scan(), every hit / join on LIKE', pair, every, joined, NULL),
      ('lexicon_scan(), every hit / join on strpos()', pair, every, strposes, NULL);
  END LOOP;
END $$;
SELECT format('%s descriptions of %s bytes for ours, %s for the peers; ms a document; 7 interleaved pairs',
              :docs, :bytes, :few) AS set_up,
       (SELECT format('times as fast as LIKE ANY: lexicon_hits() %s, lexicon_scan() %s', h, s)
        FROM (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY peer / ours) FILTER (WHERE work LIKE 'lexicon_hits() / LIKE%')) AS h,
                     round(percentile_cont(0.5) WITHIN GROUP (ORDER BY peer / ours) FILTER (WHERE work LIKE 'lexicon_scan() / LIKE%')) AS s FROM run) r) AS faster \gset
\echo :set_up
\echo :faster
SQL
report
