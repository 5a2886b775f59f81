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
SELECT format('%s rules, %s of them shipped with the law they rest on; %s attempts were refused, rolled back, and are on record.',
  count(*), count(*) FILTER (WHERE rule LIKE 'cn.%'), (SELECT count(*) FROM quality_gov.listing_denial)) AS line
FROM quality_gov.listing_rule WHERE state = 'active' \gset
\echo :line
\echo 'What was refused (listing_denial_overview), and what was stored with a finding (listing_overview):'
\echo
SELECT rule, verdict, sum(count)::bigint AS listings FROM (
  SELECT rule, 'deny' AS verdict, count FROM quality_gov.listing_denial_overview
  UNION ALL
  SELECT rule, verdict, count FROM quality_gov.listing_overview) o
GROUP BY 1, 2 ORDER BY array_position('{deny,quarantine,warn,shadow}', verdict), 3 DESC, 1;

\echo 'Words in disguise: what was written, the term it is, and the folds that showed it:'
\echo
SELECT left(matched, 20) AS written, term, folds, verdict, basis AS "legal basis" FROM (
  SELECT DISTINCT ON (term, folds) * FROM (
    SELECT replace(f -> 'detail' ->> 'matched', chr(8203), '<U+200B>') AS matched, f -> 'detail' ->> 'term' AS term,
           (SELECT string_agg(x, ', ') FROM jsonb_array_elements_text(f -> 'detail' -> 'folds') x) AS folds,
           f ->> 'verdict' AS verdict, split_part(f ->> 'legal_basis', ' (f', 1) AS basis
    FROM (SELECT findings FROM quality_gov.listing_denial
          UNION ALL SELECT jsonb_build_array(to_jsonb(f)) FROM quality_gov.listing_finding f) r
    CROSS JOIN LATERAL jsonb_array_elements(r.findings) f) s
  WHERE folds IS NOT NULL
  ORDER BY term, folds, matched) s
ORDER BY verdict, term, folds;

\echo 'The findings of one refused attempt, which an application gets as DETAIL, too:'
\echo
SELECT regexp_replace(jsonb_pretty(findings), '\[\s+([0-9]+|"\w+")(,)?\s*([0-9]*)\s+\]', '[\1\2\3]', 'g') AS findings
FROM quality_gov.listing_denial WHERE listing ->> 'title' LIKE '%' || chr(8203) || '%' ORDER BY listing_id LIMIT 1 \gset refused_
\echo :refused_findings
\echo
SELECT format('Excused: %s listings say %s and %s, which are storage and use hints (执法指南 art 6).',
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
\echo 'The platform''s role inserts into its tables and is governed; it sees nothing of quality_gov:'
\echo
SET ROLE demo_platform;
SELECT statement, demo.refused(statement) AS answer
FROM unnest(ARRAY['SELECT FROM quality_gov.credit_event', 'DELETE FROM quality_gov.listing_decision',
                  $$SELECT quality_gov.ledger_record('forged', 'm-0001', '{}')$$]) statement;
RESET ROLE;
