-- Who was refused at the door, and what was refused in the shop window.

\ir story.psqlrc
\echo
\echo '1. AT THE DOOR: the entry audit'
SELECT format('%s applicants, %s admitted. Refused, or admitted with a warning:', count(*), count(*) FILTER (WHERE admitted)) AS line
FROM quality_gov.merchant_admission WHERE merchant_id NOT LIKE 'olist-%' \gset
\echo :line
\echo
SELECT a.merchant_id AS applicant, CASE WHEN a.admitted THEN 'warned' ELSE 'refused' END AS outcome,
       f ->> 'message' AS finding, f ->> 'legal_basis' AS "legal basis"
FROM quality_gov.merchant_admission a
CROSS JOIN LATERAL jsonb_array_elements(a.findings) f
WHERE a.merchant_id NOT LIKE 'olist-%'
ORDER BY a.admission_id, f ->> 'message';
SELECT format('The authority''s feed: %s items loaded; item %s refused: %s.', count(*) FILTER (WHERE status = 'loaded'),
              max(item) FILTER (WHERE status = 'refused'), max(reason) FILTER (WHERE status = 'refused')) AS line
FROM demo.feed \gset
\echo :line

\echo
\echo '2. IN THE WINDOW: the listing guard'
SELECT format('%s terms in %s lexicons, each with its legal basis; rules and words hold from a day on.', count(*), count(DISTINCT lexicon)) AS line
FROM quality_gov.lexicon_term WHERE lexicon <> 'phrases' \gset
\echo :line
\echo 'What the application was refused (SQLSTATE QG401), and what was stored with a finding:'
\echo
SELECT rule, verdict, sum(count)::bigint AS listings FROM (
  SELECT f ->> 'rule' AS rule, 'deny' AS verdict, count(DISTINCT r.id) AS count
  FROM shop.refusal r CROSS JOIN LATERAL jsonb_array_elements(r.detail) f
  WHERE f ->> 'verdict' = 'deny' GROUP BY 1
  UNION ALL
  SELECT rule, verdict, count FROM quality_gov.listing_overview) o
GROUP BY 1, 2 ORDER BY array_position('{deny,quarantine,warn,shadow}', verdict), 3 DESC;

\echo 'Words in disguise: what was written, the term it is, and the folds that showed it:'
\echo
SELECT left(title, 40) AS "title (beginning)", term, folds, verdict, basis AS "legal basis" FROM (
  SELECT DISTINCT ON (term, folds) * FROM (
    SELECT replace(r.title, chr(8203), '<U+200B>') AS title, f -> 'detail' ->> 'term' AS term,
           (SELECT string_agg(x, ', ') FROM jsonb_array_elements_text(f -> 'detail' -> 'folds') x) AS folds,
           f ->> 'verdict' AS verdict, split_part(f ->> 'legal_basis', ' (f', 1) AS basis
    FROM shop.refusal r CROSS JOIN LATERAL jsonb_array_elements(r.detail) f
    WHERE f -> 'detail' ->> 'term' IS NOT NULL
    UNION ALL
    SELECT p.title, f.detail ->> 'term',
           (SELECT string_agg(x, ', ') FROM jsonb_array_elements_text(f.detail -> 'folds') x), f.verdict, split_part(f.legal_basis, ' (f', 1)
    FROM quality_gov.listing_finding f
    JOIN quality_gov.listing_decision d USING (merchant_id, decision_id)
    JOIN shop.product p ON p.id = d.listing_id::bigint
    WHERE f.rule = 'imitation') s
  WHERE folds IS NOT NULL
  ORDER BY term, folds, title) s
ORDER BY verdict, term, folds;

\echo 'The DETAIL of one refusal, as an application gets it:'
\echo
SELECT title, regexp_replace(jsonb_pretty(detail), '\[\s+([0-9]+|"\w+")(,)?\s*([0-9]*)\s+\]', '[\1\2\3]', 'g') AS detail
FROM shop.refusal WHERE title LIKE '%' || chr(8203) || '%' ORDER BY id LIMIT 1 \gset refused_
\echo :refused_detail
\echo
SELECT format('Excused: %s listings say %s and %s, which are storage and use hints and no absolute claims.',
              count(*), '最佳赏味期', '最佳使用温度') AS line
FROM shop.product WHERE descr ~ '^最佳' \gset
\echo :line

-- A held listing that its seller corrects: the update is judged again.
SELECT p.id, p.title FROM shop.product p WHERE p.status = 'held' AND p.title LIKE '高仿%' ORDER BY p.id LIMIT 1 \gset held_
SET ROLE demo_platform;
UPDATE shop.product SET title = substr(title, 4), status = 'on_sale' WHERE id = :held_id;
RESET ROLE;
SELECT format('Corrected: listing %s, "%s", was held; its seller dropped a word: %s.', :held_id, :'held_title',
              string_agg(operation || ' ' || verdict, ', then ' ORDER BY decision_id)) AS line
FROM quality_gov.listing_decision WHERE listing_id = :'held_id' \gset
\echo :line

\echo
\echo 'One listing, judged on two days (listing_check): a kettle without producer and certificate'
\echo
SELECT to_char(day, 'YYYY-MM-DD') AS day, c.rule, c.verdict, split_part(c.message, ': ', 1) AS finding, c.legal_basis AS "legal basis"
FROM unnest('{2026-11-20 12:00+08,2026-12-05 12:00+08}'::timestamptz[]) day
CROSS JOIN LATERAL quality_gov.listing_check(
  '{"merchant_id": "m-0122", "listing_id": "new", "title": "云舟 便携电热水壶 2026款", "category": "electronics"}', day) c
ORDER BY 1, 2;

\echo 'The platform''s role inserts into its tables and is governed; it sees nothing of quality_gov:'
\echo
SET ROLE demo_platform;
SELECT statement, demo.refused(statement) AS answer
FROM unnest(ARRAY['SELECT FROM quality_gov.credit_event', 'DELETE FROM quality_gov.listing_decision',
                  $$SELECT quality_gov.ledger_record('forged', 'm-0001', '{}')$$]) statement;
RESET ROLE;
