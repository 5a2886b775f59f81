
-- trace: how far a recall is, and whether its figures hold

CREATE FUNCTION recall_progress_require(recall_id bigint) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  r quality_gov.recall;
BEGIN
  SELECT * INTO r FROM quality_gov.recall x WHERE x.recall_id = recall_progress_require.recall_id;
  IF NOT quality_gov.session_acts_for(r.merchant_id, '{quality_gov_admin,quality_gov_app,quality_gov_analyst,quality_gov_regulator}') THEN
    RAISE EXCEPTION 'permission denied for recall %', recall_id USING ERRCODE = 'insufficient_privilege',
      HINT = 'A merchant counts the recalls that it answers for.';
  END IF;
  IF r.recall_id IS NULL THEN
    RAISE EXCEPTION 'recall % does not exist', recall_id USING ERRCODE = 'no_data_found';
  END IF;
END
$$;
COMMENT ON FUNCTION recall_progress_require(bigint) IS
  'Refuses who may not count a recall: staff may each, a merchant those that it answers for (42501); and recalls that do not exist (P0002)';

CREATE FUNCTION recall_progress(recall_id bigint, at timestamptz DEFAULT now()) RETURNS SETOF recall_figure
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM quality_gov.recall_progress_require(recall_id);
  IF at IS NULL THEN
    RAISE EXCEPTION 'progress needs an instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
    SELECT f.* FROM quality_gov.recall_figures(quality_gov.recall_extent_of(recall_progress.recall_id), recall_progress.recall_id, recall_progress.at) f
    ORDER BY f.gtin, f.lot_code, f.lot_id;
END
$$;
COMMENT ON FUNCTION recall_progress(bigint, timestamptz) IS
  'How far a recall is: a row of figures (recall_figure says how they sum) for each lot of its present scope, and for order lines whose lot is not known; events up to an instant, states of order lines as they are now; negative unaccounted: more left than was made, a sign of counterfeits; once recalled anew, units that were only warned of or repaired before are outstanding again';

CREATE FUNCTION recall_progress_total(recall_id bigint, at timestamptz DEFAULT now(),
    OUT unit text, OUT made_known boolean, OUT lots bigint, OUT made numeric, OUT in_stock numeric, OUT used numeric, OUT sold numeric,
    OUT open numeric, OUT shipped numeric, OUT destroyed_in_stock numeric, OUT unaccounted numeric, OUT notified numeric,
    OUT confirmed numeric, OUT warned numeric, OUT repaired numeric, OUT exchanged numeric, OUT returned numeric, OUT refunded numeric,
    OUT destroyed_by_buyers numeric, OUT elsewhere numeric, OUT outstanding numeric, OUT destroyed numeric, OUT disposed numeric, OUT held numeric)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT f.unit, f.made IS NOT NULL, count(*), sum(f.made), sum(f.in_stock), sum(f.used), sum(f.sold), sum(f.open), sum(f.shipped),
         sum(f.destroyed_in_stock), sum(f.unaccounted), sum(f.notified), sum(f.confirmed), sum(f.warned), sum(f.repaired), sum(f.exchanged),
         sum(f.returned), sum(f.refunded), sum(f.destroyed_by_buyers), sum(f.elsewhere), sum(f.outstanding), sum(f.destroyed), sum(f.disposed), sum(f.held)
  FROM quality_gov.recall_progress(recall_id, at) f
  GROUP BY f.unit, f.made IS NOT NULL ORDER BY f.unit NULLS FIRST, 2 DESC
$$;
COMMENT ON FUNCTION recall_progress_total(bigint, timestamptz) IS
  'Figures of recall_progress() summed by unit (null: pieces), apart for lots whose quantity made is known and for goods of which it is not; different units are never summed';

CREATE FUNCTION recall_figure_problem(f recall_figure, OUT problem text, OUT detail text) RETURNS SETOF record
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT p.problem, p.detail FROM (VALUES
    (f.unaccounted < 0, 'more left than was made', format('%s made, %s in stock, used, shipped or destroyed', f.made, f.made - f.unaccounted)),
    (f.in_stock < 0, 'more left than was counted', format('%s in stock since the last count', f.in_stock)),
    (f.outstanding < 0, 'more dealt with than shipped', format('%s shipped, %s dealt with', f.shipped, f.shipped - f.outstanding)),
    (f.held < 0, 'more disposed of than came back', format('%s came back, %s disposed of', f.returned + f.exchanged, f.disposed)),
    (f.notified > f.sold, 'more notified than sold', format('%s sold, %s notified', f.sold, f.notified)),
    (f.confirmed > f.notified, 'more confirmed than notified', format('%s notified, %s confirmed', f.notified, f.confirmed)),
    (f.made <> f.in_stock + f.used + f.shipped + f.destroyed_in_stock + f.unaccounted OR f.sold <> f.open + f.shipped
       OR f.shipped <> f.warned + f.repaired + f.exchanged + f.returned + f.refunded + f.destroyed_by_buyers + f.elsewhere + f.outstanding
       OR f.exchanged + f.returned <> f.disposed + f.held OR f.destroyed <> f.destroyed_in_stock + f.destroyed_by_buyers,
     'figures do not sum', to_jsonb(f)::text)) AS p(holds, problem, detail)
  WHERE p.holds
$$;
COMMENT ON FUNCTION recall_figure_problem(recall_figure) IS 'What figures of a lot contradict, in words; no rows when all is well';

CREATE FUNCTION recall_progress_problem(of bigint, OUT recall_id bigint, OUT gtin gtin, OUT lot_code text, OUT problem text, OUT detail text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH extent AS MATERIALIZED (
    SELECT quality_gov.recall_extent_of(of) AS goods
  ), figure AS MATERIALIZED (
    SELECT f FROM extent x, quality_gov.recall_figures(x.goods, of, 'infinity') f
  ), line AS MATERIALIZED (
    SELECT n.* FROM extent x, quality_gov.recall_line_figure(x.goods, of, 'infinity') n
  ), answer AS (
    SELECT a.*, a.handled AS dealt
    FROM quality_gov.recall_answer(of, 'infinity') a WHERE a.order_id IS NOT NULL
  ), recipient AS MATERIALIZED (
    SELECT DISTINCT c.audience FROM quality_gov.recall_notice_recipient(of, 'infinity') c
  )
  SELECT of, (g.f).gtin, (g.f).lot_code, p.problem, p.detail
  FROM figure g CROSS JOIN LATERAL quality_gov.recall_figure_problem(g.f) p
  UNION ALL
  -- What lots say by themselves, with no order line read line by line, must be the same.
  SELECT of, (g.f).gtin, (g.f).lot_code, 'sold otherwise than the lot''s balance says',
         format('%s sold and %s restocked, by the balance %s sold', (g.f).sold, (g.f).restocked, b.sold)
  FROM figure g JOIN quality_gov.lot_balance b ON b.lot_id = (g.f).lot_id
  WHERE (g.f).basis = 'lot' AND b.sold <> (g.f).sold + (g.f).restocked
    -- An order of which no lot is known may be what an event of a lot tells.
    AND NOT EXISTS (SELECT FROM line n WHERE n.goods = (g.f).gtin AND n.lot_id IS NULL)
  UNION ALL
  SELECT of, n.goods, n.lot_code, 'more dealt with than an order line sold',
         format('line "%s" of order "%s" of merchant "%s": %s sold, %s dealt with', n.line, n.order_id, n.merchant_id, n.quantity, a.dealt)
  FROM answer a JOIN line n ON n.merchant_id = a.merchant_id AND n.order_id = a.order_id AND n.line = a.line
  WHERE a.dealt > n.quantity OR a.confirmed > n.quantity OR n.state = 'cancelled' AND a.dealt > 0
  UNION ALL
  SELECT of, r.gtin, r.lot_code, 'response outside the scope or to an order line that is gone',
         format('response %s, %s of %s', r.response_id, r.kind, r.quantity)
  FROM quality_gov.recall_response_standing r CROSS JOIN extent x
  WHERE r.recall_id = of AND (NOT quality_gov.recall_extent_covers(x.goods, r.gtin, r.lot_code, r.serial)
    OR r.order_id IS NOT NULL AND NOT EXISTS (SELECT FROM line n WHERE n.merchant_id = r.merchant_id AND n.order_id = r.order_id AND n.line = r.line))
  UNION ALL
  SELECT of, quality_gov.gtin_current(r.gtin), min(r.lot_code), 'serial number dealt with more than once', format('serial number "%s": responses %s', r.serial,
           string_agg(r.response_id::text, ', ' ORDER BY r.response_id))
  FROM quality_gov.recall_response_standing r
  WHERE r.recall_id = of AND r.serial IS NOT NULL
    AND (r.kind NOT IN ('confirmed', 'warned', 'repaired') OR r.at >= quality_gov.recall_anew(of, 'infinity')) GROUP BY quality_gov.gtin_current(r.gtin), r.serial, r.kind = 'confirmed' HAVING count(*) > 1
  UNION ALL
  SELECT of, NULL, NULL, CASE WHEN count(n.notice_id) > 0 THEN 'notices delivered to nobody'
                              WHEN o.audience IN (SELECT c.audience FROM recipient c) THEN 'nobody was given notice yet'
                              ELSE 'nobody to give notice to' END,
         format('%s, %s: %s', o.occasion, o.audience, CASE WHEN count(n.notice_id) > 0 THEN format('all %s were given up', count(n.notice_id))
           WHEN o.audience IN (SELECT c.audience FROM recipient c) THEN 'maintenance() or recall_notice_generate() writes them'
           ELSE 'no recipient is known' END)
  FROM quality_gov.recall_notice_occasion(of, 'infinity') o
  LEFT JOIN quality_gov.recall_notice n ON n.recall_id = of AND n.audience = o.audience AND n.occasion = o.occasion AND n.round = o.round
  WHERE o.state <> 'dismissed'
    -- Goods that nobody bought need no consumer told, those that no merchant has no merchant.
    AND (o.audience NOT IN ('consumer', 'merchant') OR EXISTS (SELECT FROM line l WHERE l.state NOT IN ('cancelled', 'returned')))
  GROUP BY o.audience, o.occasion HAVING count(n.notice_id) = count(*) FILTER (WHERE n.state = 'dead')
$$;
COMMENT ON FUNCTION recall_progress_problem(bigint) IS 'What is wrong in the figures of one recall; recall_progress_check() calls it';

CREATE FUNCTION recall_progress_check(recall_id bigint DEFAULT NULL, OUT recall bigint, OUT gtin gtin, OUT lot_code text,
                                      OUT problem text, OUT detail text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT p.* FROM quality_gov.recall r CROSS JOIN LATERAL quality_gov.recall_progress_problem(r.recall_id) p
  WHERE recall_progress_check.recall_id IS NULL OR r.recall_id = recall_progress_check.recall_id
  ORDER BY p.recall_id, p.gtin, p.lot_code, p.problem, p.detail
$$;
COMMENT ON FUNCTION recall_progress_check(bigint) IS
  'Oracle of one recall or all: rows where figures do not sum or contradict one another, responses do not fit order lines or scope, or an audience is told nothing; no rows when all is well';

CREATE FUNCTION recall_record_check(OUT relation text, OUT key text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT c.relation, concat_ws(' ', c.recall_id, c.id), 'has no recall'
  FROM (SELECT 'recall_notice' AS relation, n.recall_id, n.notice_id AS id FROM quality_gov.recall_notice n
        UNION ALL SELECT 'recall_notice_body', b.recall_id, b.body_id FROM quality_gov.recall_notice_body b
        UNION ALL SELECT 'recall_response', r.recall_id, r.response_id FROM quality_gov.recall_response r
        UNION ALL SELECT 'recall_disposal', d.recall_id, d.disposal_id FROM quality_gov.recall_disposal d
        UNION ALL SELECT 'recall_cause', u.recall_id, u.cause_id FROM quality_gov.recall_cause u) c
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall r WHERE r.recall_id = c.recall_id)
  UNION ALL
  SELECT 'recall_notice', n.recall_id || ' ' || n.notice_id, 'has no text' FROM quality_gov.recall_notice n
  WHERE NOT EXISTS (SELECT FROM quality_gov.recall_notice_body b
                    WHERE b.recall_id = n.recall_id AND b.round = n.round AND b.occasion = n.occasion AND b.audience = n.audience)
  UNION ALL
  SELECT 'recall_response', r.recall_id || ' ' || r.response_id, 'takes back a response that does not exist'
  FROM quality_gov.recall_response r
  WHERE r.voids IS NOT NULL AND NOT EXISTS (SELECT FROM quality_gov.recall_response x
                                            WHERE x.recall_id = r.recall_id AND x.response_id = r.voids AND x.voids IS NULL)
  UNION ALL
  SELECT 'recall_disposal', d.recall_id || ' ' || d.disposal_id, 'has no event of its lot' FROM quality_gov.recall_disposal d
  WHERE d.origin = 'stock' AND NOT EXISTS (SELECT FROM quality_gov.lot_event e WHERE e.lot_id = d.lot_id AND e.event_id = d.event_id)
  UNION ALL
  SELECT 'recall_cause', u.recall_id || ' ' || u.cause_id, 'has no lot' FROM quality_gov.recall_cause u
  WHERE u.lot_id IS NOT NULL AND NOT EXISTS (SELECT FROM quality_gov.lot l WHERE l.lot_id = u.lot_id)
$$;
COMMENT ON FUNCTION recall_record_check() IS
  'Oracle: notices, responses, disposals and causes of recalls whose parent is missing; integrity_check() calls it';
