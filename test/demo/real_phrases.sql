-- How a large lexicon behaves: 49,174 real phrases (OpenCC), loaded, published and looked for.

SET timezone = 'Asia/Shanghai';
\pset tuples_only on
\pset format unaligned
\set phrases `cat "$SHARED/lexicon/phrases_zh.txt"`

SELECT clock_timestamp() AS began \gset
SELECT quality_gov.lexicon_load('phrases', array_remove(string_to_array(:'phrases', E'\n'), ''),
  severity => 1, legal_basis => 'none: a test of size', title => 'Real phrases') AS draft \gset
SELECT clock_timestamp() AS loaded \gset
SELECT quality_gov.lexicon_publish('phrases', effective => '2026-07-01 00:00+08') AS version \gset
SELECT clock_timestamp() AS published \gset
SELECT count(*) FROM quality_gov.lexicon_scan('first use builds the automaton', '{phrases}', at => '2026-11-20 12:00+08') \gset
SELECT clock_timestamp() AS built \gset
SELECT count(*) AS hits, count(DISTINCT p.id) AS titles FROM (SELECT id, title FROM shop.product ORDER BY id LIMIT 1000) p
CROSS JOIN LATERAL quality_gov.lexicon_scan(p.title, '{phrases}', at => '2026-11-20 12:00+08') \gset
SELECT format('    %s terms loaded in %s s, published in %s s, automaton built in %s s',
  (SELECT count(*) FROM quality_gov.lexicon_term WHERE lexicon = 'phrases'),
  round(extract(epoch FROM timestamptz :'loaded' - :'began'), 2), round(extract(epoch FROM timestamptz :'published' - :'loaded'), 2),
  round(extract(epoch FROM timestamptz :'built' - :'published'), 2));
SELECT format('    1,000 titles scanned in %s ms: %s hits in %s titles',
  round(1000 * extract(epoch FROM clock_timestamp() - :'built')), :hits, :titles);
