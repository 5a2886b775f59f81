-- What an analyst reads, and the state of the house.

\ir story.psqlrc
\echo
\echo '9. THE VIEWS, read as quality_gov_analyst'
SELECT quality_gov.listing_denial_drain() AS drained \gset
SET ROLE quality_gov_analyst;
\echo 'credit_grade_history: merchants by grade'
\echo
SELECT day, count(*) FILTER (WHERE grade = 'A') AS "A", count(*) FILTER (WHERE grade = 'B') AS "B",
       count(*) FILTER (WHERE grade = 'C') AS "C", count(*) FILTER (WHERE grade = 'D') AS "D",
       round(avg(score), 1) AS "average score when graded"
FROM unnest('{2026-09-30,2026-11-20,2026-12-05}'::date[]) day
JOIN quality_gov.credit_grade_history h ON h.since < day + 1 AND (h.until IS NULL OR h.until >= day + 1)
WHERE merchant_id NOT LIKE 'olist-%'
GROUP BY day ORDER BY day;
\echo 'credit_grade_history: the deepest falls'
\echo
SELECT merchant_id AS merchant, to_char(since, 'YYYY-MM-DD') AS since, score, previous_grade AS "from", grade AS "to"
FROM quality_gov.credit_grade_history
WHERE previous_grade < grade ORDER BY score, merchant_id LIMIT 5;
\echo 'listing_overview: findings by month'
\echo
SELECT rule, verdict, sum(count) FILTER (WHERE day < '2026-08-01')::bigint AS "07", sum(count) FILTER (WHERE day BETWEEN '2026-08-01' AND '2026-08-31')::bigint AS "08",
       sum(count) FILTER (WHERE day BETWEEN '2026-09-01' AND '2026-09-30')::bigint AS "09", sum(count) FILTER (WHERE day BETWEEN '2026-10-01' AND '2026-10-31')::bigint AS "10",
       sum(count) FILTER (WHERE day >= '2026-11-01')::bigint AS "11", count(DISTINCT category) AS categories, sum(count)::bigint AS total
FROM quality_gov.listing_overview GROUP BY rule, verdict ORDER BY total DESC, rule;
\echo 'loop_overview: quality beside scale'
\echo
SELECT to_char(month, 'YYYY-MM') AS month, orders, complaints, listings_refused AS refused, listings_held AS held, recalls,
       complaints_per_1000_orders AS "complaints/1000", held_per_1000_orders AS "held/1000", recalls_per_1000_orders AS "recalls/1000"
FROM quality_gov.loop_overview ORDER BY 1;
\echo 'duty_due: what must be done by 2026-12-06'
\echo
SELECT duty, legal_basis AS "legal basis", count(*) AS subjects, regexp_replace(min(subject), ': .*', '') AS "the first", to_char(min(due), 'MM-DD HH24:MI') AS "first due"
FROM quality_gov.duty_due WHERE due < '2026-12-06 00:00+08' AND duty <> 'D5' GROUP BY 1, 2 ORDER BY 5;
RESET ROLE;

\ir story_replay.sql

\echo
\echo '11. THE STATE OF THE HOUSE'
SELECT format('doctor(): %s ok, %s to look at, %s problems', count(*) FILTER (WHERE status = 'ok'),
  count(*) FILTER (WHERE status = 'warning'), count(*) FILTER (WHERE status = 'problem')) AS line FROM quality_gov.doctor() \gset
\echo :line
SELECT string_agg(format('  %s: %s', subject, detail), E'\n') AS line FROM quality_gov.doctor() WHERE status <> 'ok' \gset
\echo :line
SELECT string_agg(format('%s(): %s rows', name, n), '; ') AS line
FROM (VALUES ('credit_check', (SELECT count(*) FROM quality_gov.credit_check())), ('lexicon_check', (SELECT count(*) FROM quality_gov.lexicon_check())),
             ('trace_check', (SELECT count(*) FROM quality_gov.trace_check())), ('passport_check', (SELECT count(*) FROM quality_gov.passport_check())),
             ('recall_progress_check', (SELECT count(*) FROM quality_gov.recall_progress_check()))) AS c(name, n) \gset
\echo :line
SELECT 'ledger_entry: ' || string_agg(kind || ' ' || n, ', ' ORDER BY n DESC, kind) AS line
FROM (SELECT kind, count(*) AS n FROM quality_gov.ledger_entry GROUP BY kind) k \gset
\echo :line
