
-- trace: what notices of recalls say, in the languages of the platform

CREATE TABLE recall_notice_template (
  language text NOT NULL,
  part text NOT NULL,
  body text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT recall_notice_template_pkey PRIMARY KEY (language, part, builtin),
  CONSTRAINT recall_notice_template_language CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  -- headline_<occasion>; do_<occasion>_<audience>, else do_<occasion>, else do.
  CONSTRAINT recall_notice_template_part CHECK (
    part IN ('notice', 'goods_all', 'goods_lot', 'goods_serial', 'goods_made', 'goods_more', 'do', 'measures', 'contact')
    OR part ~ '^(headline|do)_[a-z][a-z0-9_]*$'),
  -- Goods, lots, defect, what to do and whom to ask are what a notice is for (Order 19 arts 18, 19; Order 122 art 12).
  CONSTRAINT recall_notice_template_due CHECK (
    CASE part WHEN 'notice' THEN body LIKE ALL (ARRAY['%{title}%', '%{goods}%', '%{defect}%', '%{do}%', '%{contact}%', '%{legal_basis}%'])
      ELSE body ~ '\S' END)
);
COMMENT ON TABLE recall_notice_template IS
  'Texts of notices by language and part, with places such as {goods}; a platform''s own row comes before the shipped one: its contact belongs there';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_notice_template', 'WHERE NOT builtin');

INSERT INTO recall_notice_template VALUES
  ('zh', 'notice', E'{headline}\n\n召回编号：{recall_id}\n名称：{title}\n自 {since}（Asia/Shanghai）起\n\n一、涉及商品\n{goods}\n\n二、缺陷或者危害\n{defect}\n\n三、请您这样做\n{do}{measures}\n\n四、联系方式\n{contact}\n\n依据：{legal_basis}', true),
  ('zh', 'goods_all', 'GTIN {gtin}，全部批次', true),
  ('zh', 'goods_lot', 'GTIN {gtin}，批号 {lot}', true),
  ('zh', 'goods_serial', 'GTIN {gtin}，批号 {lot}，序列号 {serial_from} 至 {serial_to}', true),
  ('zh', 'goods_made', 'GTIN {gtin}，批号 {lot}，生产日期 {made_from} 至 {made_to}', true),
  ('zh', 'goods_more', '以及另外 {more} 项，请向联系人查询', true),
  ('zh', 'measures', E'\n召回措施：{measures}', true),
  ('zh', 'contact', '本平台客户服务', true),
  ('zh', 'headline_hold', '商品疑似缺陷，请暂停销售', true),
  ('zh', 'headline_stop_sale', '商品召回：请立即停止生产和销售', true),
  ('zh', 'headline_published', '商品召回公告', true),
  ('zh', 'headline_re_recall', '商品再次召回公告', true),
  ('zh', 'headline_completed', '商品召回已完成', true),
  ('zh', 'headline_dismissed', '未发现缺陷，召回程序终止', true),
  ('zh', 'do', '请停止销售和使用上述商品，并按召回措施处理。', true),
  ('zh', 'do_hold', '调查期间请暂停销售上述商品，保存相关记录，并配合调查。', true),
  ('zh', 'do_stop_sale', '请立即停止生产、进口、销售上述商品，将库存单独存放，并报告库存和售出数量。', true),
  ('zh', 'do_stop_sale_consumer', '请立即停止食用或者使用上述商品，保留实物和批号，等待处理。', true),
  ('zh', 'do_published_consumer', '请立即停止使用上述商品，核对批号，并与联系人联系，免费修理、更换或者退货。', true),
  ('zh', 'do_re_recall_consumer', '请立即停止使用上述商品，也包括已经处理过的商品，核对批号，并与联系人联系。', true),
  ('zh', 'do_completed', '未消除缺陷的商品不得再次销售；请保存召回记录。', true),
  ('zh', 'do_dismissed', '上述商品可以恢复销售和使用，先前的通知不再适用。', true),
  ('en', 'notice', E'{headline}\n\nRecall: {recall_id}\nTitle: {title}\nSince {since} (Asia/Shanghai)\n\n1. Goods\n{goods}\n\n2. Defect or harm\n{defect}\n\n3. What to do\n{do}{measures}\n\n4. Contact\n{contact}\n\nBasis: {legal_basis}', true),
  ('en', 'goods_all', 'GTIN {gtin}, every lot', true),
  ('en', 'goods_lot', 'GTIN {gtin}, lot {lot}', true),
  ('en', 'goods_serial', 'GTIN {gtin}, lot {lot}, serial numbers {serial_from} to {serial_to}', true),
  ('en', 'goods_made', 'GTIN {gtin}, lot {lot}, made from {made_from} to {made_to}', true),
  ('en', 'goods_more', 'and {more} more, which the contact can tell', true),
  ('en', 'measures', E'\nMeasures of the recall: {measures}', true),
  ('en', 'contact', 'The customer service of this platform', true),
  ('en', 'headline_hold', 'Suspected defect: please suspend sale', true),
  ('en', 'headline_stop_sale', 'Recall: stop making and selling at once', true),
  ('en', 'headline_published', 'Notice of recall', true),
  ('en', 'headline_re_recall', 'Notice of a further recall', true),
  ('en', 'headline_completed', 'Recall completed', true),
  ('en', 'headline_dismissed', 'No defect found, the recall has ended', true),
  ('en', 'do', 'Stop selling and using these goods, and follow the measures of the recall.', true),
  ('en', 'do_hold', 'Suspend the sale of these goods while they are investigated, keep the records, and cooperate.', true),
  ('en', 'do_stop_sale', 'Stop making, importing and selling these goods at once, keep what is in stock apart, and report quantities in stock and sold.', true),
  ('en', 'do_stop_sale_consumer', 'Stop eating or using these goods at once, keep them with their lot code, and wait for what follows.', true),
  ('en', 'do_published_consumer', 'Stop using these goods at once, compare the lot code, and ask the contact for repair, exchange or return, free of charge.', true),
  ('en', 'do_re_recall_consumer', 'Stop using these goods at once, also where they were dealt with before, compare the lot code, and ask the contact.', true),
  ('en', 'do_completed', 'Goods that were not made safe may not be sold again; keep the records of the recall.', true),
  ('en', 'do_dismissed', 'These goods may be sold and used again; earlier notices no longer apply.', true);
CREATE TRIGGER recall_notice_template_builtin BEFORE INSERT OR UPDATE OR DELETE ON recall_notice_template
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION recall_notice_fill(language text, part text, places jsonb) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  body text := (SELECT t.body FROM quality_gov.recall_notice_template t
                WHERE t.language = recall_notice_fill.language AND t.part = recall_notice_fill.part
                ORDER BY t.builtin LIMIT 1);
BEGIN
  IF body IS NULL THEN
    RAISE EXCEPTION 'language "%" has no template "%"', language, part USING ERRCODE = 'undefined_object',
      HINT = format('Languages are %s; others are rows of quality_gov.recall_notice_template.',
        (SELECT string_agg(DISTINCT t.language, ', ') FROM quality_gov.recall_notice_template t WHERE t.part = 'notice'));
  END IF;
  RETURN quality_gov.places_fill(body, places);
END
$$;
COMMENT ON FUNCTION recall_notice_fill(text, text, jsonb) IS
  'A template''s text with its {places} filled; null prints as -, an unknown place stays as it is';

CREATE FUNCTION recall_notice_goods(recall_id bigint, language text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  WITH goods AS (
    SELECT quality_gov.recall_notice_fill(recall_notice_goods.language,
             CASE WHEN e.serial_from IS NOT NULL THEN 'goods_serial' WHEN e.lot_code IS NOT NULL THEN 'goods_lot'
                  WHEN e.made IS NOT NULL THEN 'goods_made' ELSE 'goods_all' END,
             jsonb_build_object('gtin', e.gtin::text, 'lot', e.lot_code, 'serial_from', e.serial_from, 'serial_to', e.serial_to,
                                'made_from', lower(e.made), 'made_to', upper(e.made) - 1)) AS line
    FROM unnest(quality_gov.recall_extent_of(recall_notice_goods.recall_id)) AS e
  ), lines AS (
    SELECT g.line, row_number() OVER (ORDER BY g.line COLLATE "C") AS n, count(*) OVER () AS lines
    FROM (SELECT DISTINCT g.line FROM goods g) g
  )
  -- A letter has room for so many; the rest is for the contact to say.
  SELECT string_agg(l.line, E'\n' ORDER BY l.n) || CASE WHEN max(l.lines) > 100 THEN E'\n' || quality_gov.recall_notice_fill(
           recall_notice_goods.language, 'goods_more', jsonb_build_object('more', max(l.lines) - 100)) ELSE '' END
  FROM lines l WHERE l.n <= 100
$$;
COMMENT ON FUNCTION recall_notice_goods(bigint, text) IS
  'The goods of a recall in a language, a line each, at most 100 and how many more there are';

CREATE FUNCTION recall_notice_plan(recall_id bigint, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  plan jsonb;
BEGIN
  IF to_regclass('quality_gov.recall_report') IS NULL THEN
    RETURN '{}';
  END IF;
  SELECT r.content INTO plan FROM quality_gov.recall_report r
  WHERE r.recall_id = recall_notice_plan.recall_id AND r.kind = 'plan' AND r.at <= recall_notice_plan.at
  ORDER BY r.at DESC, r.report_id DESC LIMIT 1;
  RETURN COALESCE(plan, '{}');
END
$$;
COMMENT ON FUNCTION recall_notice_plan(bigint, timestamptz) IS
  'The plan of a recall as reported by an instant, a JSON object; empty where none was';

CREATE FUNCTION recall_notice_body_write(recall_id bigint, round integer, occasion text, audience text, since timestamptz,
                                         legal_basis text, at timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  c quality_gov.recall;
  plan jsonb := quality_gov.recall_notice_plan(recall_id, at);
  lang text;
  parts text[];
  places jsonb;
  told text;
BEGIN
  SELECT * INTO c FROM quality_gov.recall x WHERE x.recall_id = recall_notice_body_write.recall_id;
  FOR lang, parts IN
    SELECT t.language, array_agg(DISTINCT t.part) FROM quality_gov.recall_notice_template t GROUP BY t.language
    HAVING bool_or(t.part = 'notice') ORDER BY t.language LOOP
    places := jsonb_build_object('recall_id', recall_id, 'title', c.title, 'defect', c.reason,
      'legal_basis', concat_ws('; ', c.legal_basis, legal_basis), 'goods', quality_gov.recall_notice_goods(recall_id, lang),
      'since', to_char(since AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'),
      'contact', COALESCE(plan ->> 'contact', quality_gov.recall_notice_fill(lang, 'contact', '{}')),
      'measures', plan ->> 'measures');
    -- An occasion of the platform's own needs no headline of its own.
    places := places || jsonb_build_object(
      'headline', CASE WHEN 'headline_' || occasion = ANY (parts) THEN quality_gov.recall_notice_fill(lang, 'headline_' || occasion, places)
                       ELSE c.title END,
      'do', quality_gov.recall_notice_fill(lang, (
        SELECT p.part FROM unnest(ARRAY['do_' || occasion || '_' || audience, 'do_' || occasion, 'do']) WITH ORDINALITY AS p(part, n)
        WHERE p.part = ANY (parts) ORDER BY p.n LIMIT 1), places),
      'measures', CASE WHEN plan ->> 'measures' IS NULL THEN '' ELSE quality_gov.recall_notice_fill(lang, 'measures', places) END);
    told := quality_gov.recall_notice_fill(lang, 'notice', places);
    INSERT INTO quality_gov.recall_notice_body (recall_id, round, occasion, audience, language, body, at)
    SELECT recall_id, round, occasion, audience, lang, told, at
    WHERE told IS DISTINCT FROM quality_gov.recall_notice_text(recall_id, round, occasion, audience, lang);
  END LOOP;
END
$$;
COMMENT ON FUNCTION recall_notice_body_write(bigint, integer, text, text, timestamptz, text, timestamptz) IS
  'Writes the text of a notice in every language that has templates, where it is not the one that stands; recall_notice_write() calls it';

CREATE FUNCTION recall_notice_text(recall_id bigint, round integer, occasion text, audience text, language text DEFAULT 'zh') RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT b.body FROM recall_notice_body b
  WHERE b.recall_id = recall_notice_text.recall_id AND b.round = recall_notice_text.round
    AND b.occasion = recall_notice_text.occasion AND b.audience = recall_notice_text.audience
    AND b.language = recall_notice_text.language
  ORDER BY b.body_id DESC LIMIT 1;
END;
COMMENT ON FUNCTION recall_notice_text(bigint, integer, text, text, text) IS
  'What an audience is told of a recall on an occasion, in a language; null where nothing was written in it';

CREATE FUNCTION recall_notice_orders(recall_id bigint, buyer text, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
  -- The plan must know that it is about one buyer.
  SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN (
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('merchant_id', n.merchant_id, 'order_id', n.order_id, 'line', nullif(n.line, ''),
             'gtin', n.goods::text, 'lot', n.lot_code, 'serial', n.serial, 'quantity', n.quantity, 'product', n.product,
             'shipped', NOT n.open)) ORDER BY n.sold_at, n.order_id, n.line)
    FROM quality_gov.recall_progress_line(quality_gov.recall_extent_of(recall_notice_orders.recall_id), recall_notice_orders.at,
                                          ARRAY[recall_notice_orders.buyer]) n
    WHERE n.state NOT IN ('cancelled', 'returned'));
END
$$;
COMMENT ON FUNCTION recall_notice_orders(bigint, text, timestamptz) IS
  'The order lines of a buyer that a recall concerns: [{merchant_id, order_id, line, gtin, lot, serial, quantity, product, shipped}]; without lot where it is not known';

CREATE VIEW recall_notice_inbox WITH (security_barrier) AS
  SELECT n.recipient AS merchant_id, n.notice_id, n.recall_id, n.round, n.occasion, n.at, n.state, n.delivered_at, n.confirmed_at,
         b.language, b.body
  FROM recall_notice n
  CROSS JOIN LATERAL (
    SELECT DISTINCT ON (b.language) b.language, b.body FROM recall_notice_body b
    WHERE b.recall_id = n.recall_id AND b.round = n.round AND b.occasion = n.occasion AND b.audience = n.audience
    ORDER BY b.language, b.body_id DESC) b
  WHERE n.audience = 'merchant' AND n.state <> 'withdrawn' AND n.recipient IN (SELECT m.merchant_id FROM session_merchant m);
COMMENT ON VIEW recall_notice_inbox IS
  'Notices of recalls to the session''s own merchants, a row for each language, with text and state';
