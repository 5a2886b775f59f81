-- Statistics of a score: AUC, Gini, KS, bins, PSI, weight of evidence, against hand-worked examples and slow twins.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- By hand, bad 1, bad 2, good 2, good 3: of 2 * 2 pairs good 2 beats bad 1 and ties with bad 2, good 3 beats both.
-- AUC = (1 + 1/2 + 2) / 4 = 0.875, Gini = 2 * 0.875 - 1 = 0.75; KS: at 1 it is 1/2 - 0, at 2 2/2 - 1/2, at 3 0: 0.5
SELECT credit_auc(score, bad), credit_gini(score, bad), credit_ks(score, bad)
FROM (VALUES (1, true), (2, true), (2, false), (3, false)) t(score, bad);
-- ten rows, bad at 300, 400, 500, 700, good at 450, 600, 600, 700, 800, 900: wins of 4 * 6 = 24 pairs are 2 (450: 300, 400),
-- 3 and 3 (600), 3 + 1/2 (700), 4 and 4: 19.5 / 24 = 0.8125; Gini 0.625; KS: at 500 it is 3/4 - 1/6 = 7/12
SELECT credit_auc(score, bad), credit_gini(score, bad), credit_ks(score, bad), abs(credit_ks(score, bad) - 7 / 12.0) < 1e-15 AS seven_twelfths
FROM (VALUES (300, true), (400, true), (500, true), (700, true), (450, false), (600, false), (600, false), (700, false), (800, false), (900, false)) t(score, bad);
-- perfect 1, 1, 1; backwards 0, -1, and KS has no sign: 1; one score for all 1/2, 0, 0; good in the middle of bad: wins 2 of 4,
-- 1/2, 0, yet KS = 1/2
SELECT what, credit_auc(score, bad), credit_gini(score, bad), credit_ks(score, bad)
FROM (VALUES ('1 perfect', 1, true), ('1 perfect', 2, true), ('1 perfect', 3, false), ('2 backwards', 1, false), ('2 backwards', 2, true),
             ('3 tied', 5, true), ('3 tied', 5, false), ('3 tied', 5, false), ('4 middle', 1, true), ('4 middle', 2, false),
             ('4 middle', 2, false), ('4 middle', 3, true)) t(what, score, bad) GROUP BY what ORDER BY what;

-- one class, one row, no row, nulls only: nothing can be told
SELECT what, count(*), credit_auc(score, bad), credit_gini(score, bad), credit_ks(score, bad)
FROM (VALUES ('bad only', 1, true), ('bad only', 2, true), ('good only', 1, false), ('good only', 1, false), ('one row', 1, true),
             ('nulls', NULL, true), ('nulls', 1, NULL), ('nulls', NULL, NULL)) t(what, score, bad) GROUP BY what ORDER BY what;
SELECT credit_auc(1, true), credit_ks(1, true), credit_bins(1, 2), credit_bin_counts(1, '{1}') WHERE false;
-- rows with a null change nothing: the first example again; infinite scores rank; both zeros are one score: 1/2
SELECT credit_auc(score, bad), credit_ks(score, bad)
FROM (VALUES (NULL, true), (1, true), (2, NULL), (2, true), (2, false), (NULL, NULL), (3, false), (9, NULL)) t(score, bad);
SELECT credit_auc(score, bad), credit_ks(score, bad) FROM (VALUES ('-infinity'::float8, true), (0, false), ('infinity', false)) t(score, bad);
SELECT credit_auc(score, bad), credit_ks(score, bad) FROM (VALUES ('0'::float8, true), ('-0', false)) t(score, bad);
SELECT credit_auc(score, bad) FROM (VALUES (1::float8, true), ('NaN', false)) t(score, bad);
SELECT credit_auc(score, bad) FILTER (WHERE score <> 'NaN') AS one FROM (VALUES (1::float8, true), (2, false), ('NaN', false)) t(score, bad);

-- slow twins: AUC by counting pairs, KS by trying every score, over few and many ties
CREATE TABLE sample AS
SELECT ties, n, n * 7919 % 401 * ties / 401 AS score, n * 104729 % 97 < 50 - n * 7919 % 401 / 9 AS bad
FROM generate_series(1, 400) n, unnest('{2,7,40,1000}'::int[]) ties;
WITH fast AS (SELECT ties, credit_auc(score, bad) AS auc, credit_gini(score, bad) AS gini, credit_ks(score, bad) AS ks FROM sample GROUP BY ties),
pairs AS (
  SELECT g.ties, sum(CASE WHEN g.score > b.score THEN 1 WHEN g.score = b.score THEN 0.5 ELSE 0 END) / count(*) AS auc
  FROM sample g JOIN sample b ON g.ties = b.ties AND NOT g.bad AND b.bad GROUP BY g.ties),
tried AS (
  SELECT ties, max(abs(good - bad)) AS ks FROM (
    SELECT a.ties, a.score, count(*) FILTER (WHERE NOT s.bad AND s.score <= a.score) / (count(*) FILTER (WHERE NOT s.bad))::float8 AS good,
           count(*) FILTER (WHERE s.bad AND s.score <= a.score) / (count(*) FILTER (WHERE s.bad))::float8 AS bad
    FROM (SELECT DISTINCT ties, score FROM sample) a JOIN sample s USING (ties) GROUP BY a.ties, a.score) t GROUP BY ties)
SELECT ties, round(f.auc::numeric, 4) AS auc, round(f.ks::numeric, 4) AS ks, abs(f.auc - p.auc::float8) < 1e-14 AS auc_agrees,
       abs(f.gini - (2 * p.auc - 1)::float8) < 1e-14 AS gini_agrees, abs(f.ks - t.ks) < 1e-14 AS ks_agrees
FROM fast f JOIN pairs p USING (ties) JOIN tried t USING (ties) ORDER BY ties;

-- to the bit the same in any order, with 20,000 rows of 20,000 and of 83 scores
CREATE TABLE many AS SELECT n, (n * 7919 % 20011)::float8 / 7 AS fine, n * 7919 % 83 AS coarse, n * 31 % 101 < 20 AS bad FROM generate_series(1, 20000) n;
SELECT count(*) AS ways, count(DISTINCT statistics) AS results FROM (
  SELECT ARRAY[credit_auc(fine, bad ORDER BY n), credit_ks(fine, bad ORDER BY n), credit_auc(coarse, bad ORDER BY n)] || credit_bins(fine, 7 ORDER BY n) AS statistics FROM many UNION ALL
  SELECT ARRAY[credit_auc(fine, bad ORDER BY fine), credit_ks(fine, bad ORDER BY fine), credit_auc(coarse, bad ORDER BY coarse)] || credit_bins(fine, 7 ORDER BY fine) FROM many UNION ALL
  SELECT ARRAY[credit_auc(fine, bad ORDER BY fine DESC), credit_ks(fine, bad ORDER BY fine DESC), credit_auc(coarse, bad ORDER BY coarse DESC)] || credit_bins(fine, 7 ORDER BY fine DESC) FROM many UNION ALL
  SELECT ARRAY[credit_auc(fine, bad ORDER BY md5(n::text)), credit_ks(fine, bad ORDER BY md5(n::text)), credit_auc(coarse, bad ORDER BY md5(n::text))] || credit_bins(fine, 7 ORDER BY md5(n::text)) FROM many) w;
-- a running statistic is that of the rows so far
SELECT bool_and(running IS NOT DISTINCT FROM (SELECT credit_auc(coarse, bad) FROM many b WHERE b.n <= a.n)) AS running
FROM (SELECT n, credit_auc(coarse, bad) OVER (ORDER BY n) AS running FROM many WHERE n <= 200) a;

-- bins by hand: of 10 rows, counted from 0, rows 3, 5, 8 (10/4, 20/4, 30/4, rounded up) begin the 2nd, 3rd, 4th of four bins: 4, 6, 9
SELECT credit_bins(n, 4), credit_bins(n, 5) AS five, credit_bins(n, 1) AS one, credit_bins(n, 10000) AS all FROM generate_series(1, 10) n;
SELECT credit_bin_counts(n, '{4,6,9}') AS counts, credit_bin_counts(n, '{}') AS one, credit_bin_counts(n, '{-5,0,6,20}') AS empty_too FROM generate_series(1, 10) n;
-- 0 six times: bins cannot part it, so of the rows 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 edges are those of rows 2, 4 (0, the lowest: none), 6, 8
SELECT credit_bins(greatest(n - 6, 0), 5), credit_bins(7, 5) AS constant, credit_bins(CASE n WHEN 3 THEN NULL ELSE n END, 3) AS null_passed FROM generate_series(1, 10) n;
SELECT credit_bin_counts(greatest(n - 6, 0), '{1,3}') FROM generate_series(1, 10) n;
-- as width_bucket() has it, over all edges and between them, and no bin of credit_bins() is empty
SELECT bins, cardinality(counts) AS had, counts = twin AS as_width_bucket, 0 < ALL (counts) AS none_empty, (SELECT max(c) - min(c) FROM unnest(counts) c) AS spread
FROM (SELECT bins, credit_bins(fine, bins) AS edges FROM many, unnest('{2,7,100}'::int[]) bins GROUP BY bins) e,
  LATERAL (SELECT credit_bin_counts(fine, edges) AS counts FROM many) c,
  LATERAL (SELECT array_agg(n ORDER BY b) AS twin FROM (SELECT width_bucket(fine, edges) AS b, count(*) AS n FROM many GROUP BY 1) w) t ORDER BY bins;

-- PSI by hand, halves become a quarter and three: (1/4 - 1/2) ln(1/2) + (3/4 - 1/2) ln(3/2) = 1/4 ln 2 + 1/4 ln 3/2 = ln(3) / 4;
-- rows or shares, either way round; the same shares 0
SELECT round(credit_psi('{0.5,0.5}', '{0.25,0.75}')::numeric, 12) AS psi, round(ln(3.0) / 4, 12) AS by_hand,
       round(credit_psi('{500,500}', '{1,3}')::numeric, 12) AS rows, round(credit_psi('{1,3}', '{5,5}')::numeric, 12) AS back,
       credit_psi('{10,20,70}', '{1,2,7}') AS same, credit_psi('{3}', '{8}') AS one_bin;
-- a bin that is empty on one side counts as 0.0001, or as said: (x - 1/2) ln(x / (1/2)) + (1 - 1/2) ln(1 / (1/2)); on both sides it is nothing
SELECT round(credit_psi('{5,5}', '{0,8}')::numeric, 12) AS psi, round((0.0001 - 0.5) * ln(0.0002) + 0.5 * ln(2.0), 12) AS by_hand,
       round(credit_psi('{5,5}', '{0,8}', 0.01)::numeric, 12) AS said, round((0.01 - 0.5) * ln(0.02) + 0.5 * ln(2.0), 12) AS by_hand,
       round(credit_psi('{1,0,1}', '{1,0,3}', NULL)::numeric, 12) AS both, credit_psi('{0,0}', '{1,2}') AS no_rows, credit_psi(NULL, '{1}') AS "null", credit_psi('{}', '{}') AS none;
SELECT credit_psi('{5,5}', '{0,8}', NULL);
SELECT credit_psi('{5,5}', '{1,2,3}');
SELECT credit_psi('{5,NULL}', '{1,2}');
SELECT credit_psi('{5,1}', '{-1,2}');
SELECT credit_psi('{5,1}', '{1,NaN}');
SELECT credit_psi('{5,1}', '{infinity,1}');
SELECT credit_psi('{5,1}', '{0,1}', 0);
SELECT credit_psi('{5,1}', '{0,1}', 'NaN');

-- weight of evidence by hand, good 10, 30, 60 of 100, bad 50, 30, 20 of 100: ln(0.1 / 0.5) = -ln 5, ln(0.3 / 0.3) = 0, ln(0.6 / 0.2) = ln 3;
-- iv (0.1 - 0.5) * -ln 5 + 0 + (0.6 - 0.2) * ln 3 = 0.4 ln 15
SELECT bin, good, bad, good_share, bad_share, round(woe::numeric, 12) AS woe, round(iv::numeric, 12) AS iv FROM credit_woe('{10,30,60}', '{50,30,20}');
SELECT round(-ln(5.0), 12) AS first_woe, round(ln(3.0), 12) AS last_woe, round(0.4 * ln(5.0), 12) AS first_iv, round(0.4 * ln(3.0), 12) AS last_iv,
       round(credit_iv('{10,30,60}', '{50,30,20}')::numeric, 12) AS iv, round(0.4 * ln(15.0), 12) AS by_hand, credit_iv('{1,2}', '{10,20}') AS nothing_told;
-- no good of 10 beside 5 bad of 10, 1/2 added to both: ln((0.5 / 10) / (5.5 / 10)) = -ln 11, iv (0.05 - 0.55) * -ln 11 = ln(11) / 2;
-- the bin before: ln((10 / 10) / (5 / 10)) = ln 2, iv ln(2) / 2; the bin without rows tells nothing
SELECT bin, good_share, bad_share, round(woe::numeric, 12) AS woe, round(iv::numeric, 12) AS iv FROM credit_woe('{10,0,0}', '{5,5,0}');
SELECT round(ln(2.0), 12) AS woe_0, round(-ln(11.0), 12) AS woe_1, round(credit_iv('{10,0,0}', '{5,5,0}')::numeric, 12) AS iv, round((ln(2.0) + ln(11.0)) / 2, 12) AS by_hand,
       round(credit_iv('{10,0}', '{5,5}', 1)::numeric, 12) AS one_added, round(0.5 * ln(2.0) + 0.5 * ln(6.0), 12) AS by_hand;
-- one class, nothing, null
SELECT * FROM credit_woe('{1,2}', '{0,0}');
SELECT credit_iv('{1,2}', '{0,0}'), credit_iv('{1,2}', '{0,0}', NULL) AS unadjusted, credit_iv('{}', '{}') AS none, credit_iv(NULL, '{1}') AS "null";
SELECT * FROM credit_woe('{10,0,0}', '{5,5,0}', NULL);
SELECT * FROM credit_woe('{1,2}', '{1}');
SELECT credit_iv('{1,-2}', '{1,2}');
SELECT credit_iv('{1,2}', '{1,NULL}');
SELECT credit_iv('{1,2}', '{1,2}', 0);
SELECT credit_iv('{1,2}', '{1,2}', 'NaN');

-- from a table to both: the sum of the parts, and the same formula as PSI where no bin lacks a class
SELECT count(*) AS bins, abs(sum(w.iv) - credit_psi(b.bad, b.good)) < 1e-14 AS is_psi, sum(w.good + w.bad) AS rows, round(sum(w.bad_share)::numeric, 12) AS all_bad
FROM (SELECT credit_bins(score, 5) AS edges FROM sample WHERE ties = 1000) e,
  LATERAL (SELECT credit_bin_counts(score, edges) FILTER (WHERE NOT s.bad) AS good, credit_bin_counts(score, edges) FILTER (WHERE s.bad) AS bad FROM sample s WHERE ties = 1000) b,
  LATERAL credit_woe(b.good, b.bad) w GROUP BY b.good, b.bad;

-- bad arguments
SELECT credit_bins(1, 0);
SELECT credit_bins(1, 10001);
SELECT credit_bins(n, n) FROM generate_series(1, 2) n;
SELECT credit_bins('NaN', 2);
SELECT credit_bins(1, NULL), credit_bin_counts(1, NULL);
SELECT credit_bin_counts(1, '{2,1}');
SELECT credit_bin_counts(1, '{1,1}');
SELECT credit_bin_counts(1, '{1,NaN}');
SELECT credit_bin_counts(1, '{1,NULL}');
SELECT credit_bin_counts(1, '{{1,2},{3,4}}');
SELECT credit_bin_counts('NaN', '{1}');
SELECT credit_bin_counts(n, ARRAY[n]) FROM generate_series(1, 2) n;
SELECT credit_bin_counts(n, e) FROM (VALUES (1, '{1,2}'::float8[]), (2, '{1,NULL}')) t(n, e);

-- an analyst may call all of it, over any rows it reads; a role without rights may not
SELECT count(*) AS roles FROM roles_create();
CREATE ROLE regress_nobody;
SET ROLE quality_gov_analyst;
SELECT credit_auc(n, n < 4) AS auc, credit_gini(n, n < 4) AS gini, credit_ks(n, n < 4) AS ks, credit_bins(n, 2) AS edges, credit_bin_counts(n, '{4}') AS counts,
       credit_psi('{1}', '{1}') AS psi, (SELECT count(*) FROM credit_woe('{1}', '{1}')) AS woe, credit_iv('{1}', '{1}') AS iv FROM generate_series(1, 6) n;
SET ROLE regress_nobody;
SELECT credit_auc(1, true);
SELECT credit_psi('{1}', '{1}');
RESET ROLE;
DROP ROLE regress_nobody;
DROP TABLE sample, many;
DROP EXTENSION quality_gov;
-- the extension's own roles stay where another database of the cluster uses them
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;
