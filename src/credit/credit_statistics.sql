
-- credit: how well a score ranks, as aggregates over any table

CREATE FUNCTION credit_outcome_accum(internal, float8, boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_credit_outcome_accum' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_outcome_accum(internal, float8, boolean) IS
  'Transition of credit_auc, credit_gini and credit_ks, which share one state where they stand side by side';
CREATE FUNCTION credit_auc_final(internal) RETURNS float8
  AS 'MODULE_PATHNAME', 'qg_credit_auc_final' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_auc_final(internal) IS 'Final function of credit_auc';
CREATE FUNCTION credit_gini_final(internal) RETURNS float8
  AS 'MODULE_PATHNAME', 'qg_credit_gini_final' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_gini_final(internal) IS 'Final function of credit_gini';
CREATE FUNCTION credit_ks_final(internal) RETURNS float8
  AS 'MODULE_PATHNAME', 'qg_credit_ks_final' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_ks_final(internal) IS 'Final function of credit_ks';

CREATE AGGREGATE credit_auc(score float8, bad boolean) (
  SFUNC = credit_outcome_accum, STYPE = internal, FINALFUNC = credit_auc_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE credit_auc(float8, boolean) IS
  'Area under the ROC curve of a score that is higher where less is bad: the share of pairs of a good and a bad row in which the good one has the higher score, ties counting half (Mann-Whitney U); 1 ranks perfectly, 0.5 not at all, below it backwards. Exact, the same in any order. Rows with a null are passed over, infinite scores rank, NaN is an error (22023); null without good or without bad rows. Memory: 24 bytes for each different score, 54000 beyond 39 million of them';
CREATE AGGREGATE credit_gini(score float8, bad boolean) (
  SFUNC = credit_outcome_accum, STYPE = internal, FINALFUNC = credit_gini_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE credit_gini(float8, boolean) IS
  'Gini coefficient of a score (accuracy ratio, Somers'' D): 2 credit_auc - 1, between -1 and 1; otherwise as credit_auc';
CREATE AGGREGATE credit_ks(score float8, bad boolean) (
  SFUNC = credit_outcome_accum, STYPE = internal, FINALFUNC = credit_ks_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE credit_ks(float8, boolean) IS
  'Kolmogorov-Smirnov statistic of a score: the greatest distance between the shares of the good and of the bad rows at or below one score, between 0 and 1, without sign (which class is lower is told by credit_auc); otherwise as credit_auc';

-- credit: bins of a score

CREATE FUNCTION credit_bins_accum(internal, float8, integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_credit_bins_accum' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_bins_accum(internal, float8, integer) IS 'Transition of credit_bins';
CREATE FUNCTION credit_bins_final(internal) RETURNS float8[]
  AS 'MODULE_PATHNAME', 'qg_credit_bins_final' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_bins_final(internal) IS 'Final function of credit_bins';
CREATE AGGREGATE credit_bins(score float8, bins integer) (
  SFUNC = credit_bins_accum, STYPE = internal, FINALFUNC = credit_bins_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE credit_bins(float8, integer) IS
  'Inner edges of that many bins (1 to 10000, one number for all rows) that hold as many rows each, ascending, for width_bucket() and credit_bin_counts(): an edge is the lowest score of its bin. Of n rows in order, bin i of b begins with the score of row i * n / b, counted from 0 and rounded up; rows of one score stay together, so there may be fewer bins, and none is empty. Nulls, NaN and memory as of credit_auc; null without rows';

CREATE FUNCTION credit_bin_counts_accum(internal, float8, float8[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_credit_bin_counts_accum' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_bin_counts_accum(internal, float8, float8[]) IS 'Transition of credit_bin_counts';
CREATE FUNCTION credit_bin_counts_final(internal) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'qg_credit_bin_counts_final' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_bin_counts_final(internal) IS 'Final function of credit_bin_counts';
CREATE AGGREGATE credit_bin_counts(score float8, edges float8[]) (
  SFUNC = credit_bin_counts_accum, STYPE = internal, FINALFUNC = credit_bin_counts_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE credit_bin_counts(float8, float8[]) IS
  'Rows in each bin, empty ones too: element 1 counts the scores below the first edge, the last one those at or above the last edge; a score is in bin width_bucket(score, edges), counted from 0. Edges ascend and are the same for all rows (22023). Rows with a null are passed over, NaN is an error; null without rows';

-- credit: stability and evidence, from numbers of rows bin by bin

CREATE FUNCTION credit_psi(expected float8[], actual float8[], empty_share float8 DEFAULT 0.0001)
  RETURNS float8
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong bigint;
  all_expected float8;
  all_actual float8;
BEGIN
  IF expected IS NULL OR actual IS NULL THEN
    RETURN NULL;
  END IF;
  IF cardinality(expected) <> cardinality(actual) THEN
    RAISE EXCEPTION 'expected has % bins, actual has %', cardinality(expected), cardinality(actual)
      USING ERRCODE = '22023', HINT = 'Count both with the same edges.';
  END IF;
  IF empty_share <= 0 OR empty_share >= 1 THEN
    RAISE EXCEPTION 'empty_share must be above 0 and below 1, not %', empty_share USING ERRCODE = '22023';
  END IF;
  SELECT min(r.n) FILTER (WHERE (r.e >= 0 AND r.e < 'infinity' AND r.a >= 0 AND r.a < 'infinity') IS NOT TRUE),
         sum(r.e), sum(r.a) INTO wrong, all_expected, all_actual
  FROM unnest(expected, actual) WITH ORDINALITY AS r(e, a, n);
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'element % of expected or actual is not a number of rows or a share', wrong
      USING ERRCODE = '22023', DETAIL = 'It must be 0 or more, finite and not null.';
  END IF;
  IF all_expected = 0 OR all_actual = 0 THEN
    RETURN NULL;
  END IF;
  SELECT min(r.n) INTO wrong FROM unnest(expected, actual) WITH ORDINALITY AS r(e, a, n)
  WHERE empty_share IS NULL AND (r.e = 0) <> (r.a = 0);
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'element % is 0 in one of expected and actual, the index would be infinite', wrong
      USING ERRCODE = '22023', HINT = 'Join bins, or state the share that an empty bin counts as (empty_share).';
  END IF;
  RETURN (
    SELECT sum((s.a - s.e) * (ln(s.a) - ln(s.e)))
    FROM unnest(expected, actual) AS r(e, a)
    -- without empty_share what is empty is so on both sides: any share makes that nothing
    CROSS JOIN LATERAL (SELECT CASE WHEN r.e = 0 THEN COALESCE(empty_share, 1) ELSE r.e / all_expected END AS e,
                               CASE WHEN r.a = 0 THEN COALESCE(empty_share, 1) ELSE r.a / all_actual END AS a) AS s);
END
$$;
COMMENT ON FUNCTION credit_psi(float8[], float8[], float8) IS
  'Population stability index: sum over bins of (actual share - expected share) * ln(actual share / expected share); by custom, no law, below 0.1 is stable and above 0.25 shifted. Arguments are numbers of rows or shares, each divided by its sum. A bin with 0 on one side counts there as empty_share, the others stay as they are; with null for it such a bin is an error (22023). Null where either is null, empty or sums to 0; 22023 for different lengths and elements that are null, negative or not finite';

CREATE FUNCTION credit_woe(goods float8[], bads float8[], adjustment float8 DEFAULT 0.5)
  RETURNS TABLE (bin integer, good float8, bad float8, good_share float8, bad_share float8, woe float8, iv float8)
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong bigint;
  all_good float8;
  all_bad float8;
BEGIN
  IF goods IS NULL OR bads IS NULL THEN
    RETURN;
  END IF;
  IF cardinality(goods) <> cardinality(bads) THEN
    RAISE EXCEPTION 'goods has % bins, bads has %', cardinality(goods), cardinality(bads)
      USING ERRCODE = '22023', HINT = 'Count both with the same edges.';
  END IF;
  IF (adjustment > 0 AND adjustment < 'infinity') IS FALSE THEN
    RAISE EXCEPTION 'adjustment must be above 0 and finite, not %', adjustment USING ERRCODE = '22023';
  END IF;
  SELECT min(r.n) FILTER (WHERE (r.g >= 0 AND r.g < 'infinity' AND r.b >= 0 AND r.b < 'infinity') IS NOT TRUE),
         nullif(sum(r.g), 0), nullif(sum(r.b), 0) INTO wrong, all_good, all_bad
  FROM unnest(goods, bads) WITH ORDINALITY AS r(g, b, n);
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'element % of goods or bads is not a number of rows', wrong
      USING ERRCODE = '22023', DETAIL = 'It must be 0 or more, finite and not null.';
  END IF;
  SELECT min(r.n) INTO wrong FROM unnest(goods, bads) WITH ORDINALITY AS r(g, b, n)
  WHERE adjustment IS NULL AND (r.g = 0) <> (r.b = 0) AND all_good > 0 AND all_bad > 0;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'element % is 0 in one of goods and bads, the weight would be infinite', wrong
      USING ERRCODE = '22023', HINT = 'Join bins, or state what is added to both numbers of such a bin (adjustment).';
  END IF;
  RETURN QUERY
    SELECT (r.n - 1)::integer, r.g, r.b, r.g / all_good, r.b / all_bad,
           CASE WHEN r.g + r.b > 0 THEN ln(s.g) - ln(s.b) END,
           CASE WHEN all_good IS NULL OR all_bad IS NULL THEN NULL
                WHEN r.g + r.b > 0 THEN (s.g - s.b) * (ln(s.g) - ln(s.b)) ELSE 0 END
    FROM unnest(goods, bads) WITH ORDINALITY AS r(g, b, n)
    CROSS JOIN LATERAL (SELECT CASE WHEN r.g = 0 OR r.b = 0 THEN adjustment ELSE 0 END AS added) AS d
    CROSS JOIN LATERAL (SELECT (r.g + d.added) / all_good AS g, (r.b + d.added) / all_bad AS b) AS s
    ORDER BY r.n;
END
$$;
COMMENT ON FUNCTION credit_woe(float8[], float8[], float8) IS
  'Weight of evidence of each bin, from the numbers of good and bad rows bin by bin: woe = ln(share of all good / share of all bad), above 0 where a bin is better than all rows together, and iv = (share of good - share of bad) * woe, its part of the information value. bin counts from 0 as width_bucket() does. To both numbers of a bin that lacks good or bad adjustment is added, for woe and iv only (good_share and bad_share are as counted); with null for it such a bin is an error (22023). A bin without rows has woe null and iv 0; both are null where there is no good or no bad at all; no rows where an argument is null. 22023 for different lengths and elements that are null, negative or not finite';

CREATE FUNCTION credit_iv(goods float8[], bads float8[], adjustment float8 DEFAULT 0.5) RETURNS float8
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT sum(w.iv) FROM credit_woe(goods, bads, adjustment) w;
END;
COMMENT ON FUNCTION credit_iv(float8[], float8[], float8) IS
  'Information value: the sum of iv of credit_woe(), with the same arguments and errors; by custom, no law, below 0.02 tells nothing and above 0.3 much. Null where there is no good or no bad at all';
