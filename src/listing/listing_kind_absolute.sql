
-- listing: contexts of absolute wording, and rule kind absolute_term

CREATE TABLE absolute_term_context (
  context text NOT NULL,
  outcome text NOT NULL,
  pattern text NOT NULL,
  before integer NOT NULL DEFAULT 20,
  after integer NOT NULL DEFAULT 20,
  regimes text[],
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT absolute_term_context_pkey PRIMARY KEY (context, pattern, builtin),
  CONSTRAINT absolute_term_context_outcome CHECK (outcome IN ('violation', 'not_goods', 'exempt', 'grave')),
  CONSTRAINT absolute_term_context_window CHECK (before BETWEEN 0 AND 100 AND after BETWEEN 0 AND 100),
  CONSTRAINT absolute_term_context_pattern CHECK ('' !~ pattern)
);
COMMENT ON TABLE absolute_term_context IS
  'What around a word decides on absolute wording (广告绝对化用语执法指南 arts 5, 6, 11): a regular expression over before and after characters around it, the word itself in ⟦⟧; not_goods and exempt are no violation, violation is one whatever else fits, grave is never slight; in categories of the regimes where given';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.absolute_term_context', 'WHERE NOT builtin');
INSERT INTO absolute_term_context (context, outcome, pattern, regimes, effect, legal_basis, builtin)
SELECT c.context, c.outcome, c.pattern, c.regimes, '(,)', '广告绝对化用语执法指南 art ' || c.article, true
FROM (VALUES
  ('attitude', 'not_goods', '⟦[^⟧]+⟧的?(服务态度|态度|诚意|心意|祝福|祝愿)', NULL::text[], '5(1)'),
  ('wish', 'not_goods', '(祝您?|愿您?|希望)[^，。！？；,.!?;]{0,8}⟦', NULL, '5(1)'),
  ('goal', 'not_goods', '(追求|力争|力求|争取|争做|争创|致力于|立志|目标是|努力(做到|成为|打造))[^，。！？；,.!?;]{0,8}⟦', NULL, '5(2)'),
  ('self_comparison', 'exempt', '(本品牌|我们品牌|自家|本公司|我司|本系列|同系列|旗下)[^，。！？；,.!?;]{0,12}⟦', NULL, '6(1)'),
  ('usage_hint', 'exempt', '⟦[^⟧]+⟧(赏味|食用|饮用|品尝|品鉴|使用|服用|保存|储存|贮存|存放|冲泡|观赏|种植|播种|采摘)(期限|期|时间|时期|时段|日期|季节|温度|水温|方法|方式|条件|环境)', NULL, '6(2)'),
  ('standard_grade', 'exempt', '(GB|NY|SB|QB|LY|SN|DB|T)(/T)? ?[0-9]{2,}[^。！？；!?;]{0,14}⟦', NULL, '6(3)'),
  ('standard_grade', 'exempt', '⟦[^⟧]+⟧别?[^。！？；!?;]{0,8}(依据|按照|根据|执行标准)[^。！？；!?;]{0,4}(GB|NY|SB|QB|LY|SN|DB|T)(/T)? ?[0-9]{2,}', NULL, '6(3)'),
  ('award', 'exempt', '(荣获|获得|获评|荣膺|被评为|评为|被授予|入选)[^，。！？；,.!?;]{0,16}⟦', NULL, '6(5)'),
  ('award', 'exempt', '⟦国家级⟧(非物质文化遗产|非遗|高新技术|专精特新|绿色工厂|企业技术中心|工业设计中心|实验室|农业产业化|龙头企业|自然保护区|湿地公园|森林公园|旅游度假区|园区|示范)', NULL, '6(5)'),
  ('award', 'exempt', '⟦[^⟧]+⟧[^，。！？；,.!?;]{0,8}(奖|称号)', NULL, '6(5)'),
  ('time_and_place', 'exempt', '(19|20)[0-9]{2} ?年[^。！？；!?;]{0,16}(省|市|县|区|地区|国)[^。！？；!?;]{0,10}(销量|销售额|市场占有率|市场份额)[^。！？；!?;]{0,6}⟦', NULL, '6(6)'),
  ('cure_rate', 'grave', '(疗效|治愈|有效率|痊愈)[^，。！？；,.!?;]{0,8}⟦|⟧[^，。！？；,.!?;]{0,8}(疗效|治愈|有效率|痊愈)', '{medical,medical_beauty,health_food,special_medical_food}', '11(1)'),
  ('investment_return', 'grave', '(收益|回报|保本|无风险)[^，。！？；,.!?;]{0,8}⟦|⟧[^，。！？；,.!?;]{0,8}(收益|回报|保本|无风险)', '{investment}', '11(2)'),
  ('education_result', 'grave', '(提分|通过率|升学|录取|师资|培训机构|教学)[^，。！？；,.!?;]{0,8}⟦|⟧[^，。！？；,.!?;]{0,8}(提分|通过率|升学|录取|师资|培训机构|教学)', '{education}', '11(3)')
) AS c(context, outcome, pattern, regimes, article);
CREATE TRIGGER absolute_term_context_builtin BEFORE INSERT OR UPDATE OR DELETE ON absolute_term_context
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION rule_absolute_term_params_valid(params jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN params_check(params, '{"lexicon": "text", "fields": "texts", "grave": "boolean?"}');
COMMENT ON FUNCTION rule_absolute_term_params_valid(jsonb) IS
  'What is wanted of params of kind absolute_term: {"lexicon", "fields", and optionally "grave": only what is never slight, or all but that}; null where all is well';

CREATE FUNCTION absolute_term_judge(body text, span int4range, category text, at timestamptz,
                                    OUT outcome text, OUT context text, OUT legal_basis text, OUT grave text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  candidate absolute_term_context;
  head text;
  tail text := substr(body, upper(span), 100);
  word text := substr(body, lower(span), upper(span) - lower(span));
BEGIN
  head := substr(body, greatest(lower(span) - 100, 1), least(lower(span) - 1, 100));
  -- A brand that contains the word names the goods and praises nothing (art 6(4)); the register proves it.
  SELECT 'exempt', 'registered_name', '广告绝对化用语执法指南 art 6(4)' INTO outcome, context, legal_basis
  FROM brand b WHERE b.effect @> at AND strpos(b.brand, word) > 0
    AND substr(head || word || tail, char_length(head) + 2 - strpos(b.brand, word), char_length(b.brand)) = b.brand LIMIT 1;
  outcome := COALESCE(outcome, 'violation');
  FOR candidate IN
    SELECT * FROM absolute_term_context c
    WHERE c.effect @> at AND (c.regimes IS NULL OR listing_in_regime(c.regimes, category, at))
    ORDER BY array_position('{grave,violation,not_goods,exempt}', c.outcome), c.context, c.pattern COLLATE "C"
  LOOP
    -- The first context that fits decides.
    CONTINUE WHEN context IS NOT NULL AND candidate.outcome <> 'grave';
    IF right(head, candidate.before) || '⟦' || word || '⟧' || left(tail, candidate.after) ~ candidate.pattern THEN
      IF candidate.outcome = 'grave' THEN
        grave := COALESCE(grave, candidate.legal_basis);
      ELSE
        outcome := candidate.outcome;
        context := candidate.context;
        legal_basis := candidate.legal_basis;
      END IF;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION absolute_term_judge(text, int4range, text, timestamptz) IS
  'Outcome for an absolute word at a span of a text: violation, exempt or not_goods, the context that decided and its basis, and the article by which it is never slight';

CREATE FUNCTION rule_absolute_term(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
  -- Words that are excused must not hide one that is not: all are judged before any is left out, as far as 200 of them.
  WITH hit AS MATERIALIZED (
    SELECT f.name, h.*, row_number() OVER (ORDER BY f.n, lower(h.span)) AS nth
    FROM unnest(params_texts(params -> 'fields')) WITH ORDINALITY AS f(name, n)
    CROSS JOIN LATERAL (
      SELECT * FROM rule_scan(params, listing_value(listing, f.name), listing_value(listing, 'category'), at) LIMIT 201) AS h
    WHERE listing_value(listing, f.name) IS NOT NULL
  ), judged AS (
    SELECT CASE j.outcome WHEN 'violation' THEN 'violation' ELSE 'exempt' END AS outcome, h.name,
           CASE j.outcome WHEN 'violation' THEN format('"%s" in %s', h.matched, h.name)
             ELSE format('"%s" in %s: %s', h.matched, h.name, j.context) END AS message,
           jsonb_build_object('lexicon', h.lexicon, 'lexicon_version', h.version, 'term', h.term, 'matched', h.matched,
             'span', jsonb_build_array(lower(h.span), upper(h.span)), 'folds', h.folds, 'outcome', j.outcome)
           || jsonb_strip_nulls(jsonb_build_object('context', j.context, 'context_basis', j.legal_basis,
                'legal_basis', CASE j.outcome WHEN 'violation' THEN h.legal_basis END,
                'never_slight', CASE WHEN j.outcome = 'violation' THEN j.grave END,
                'provable', CASE WHEN j.outcome <> 'violation' THEN '广告绝对化用语执法指南 art 7' END)) AS detail, h.nth
    FROM hit h
    CROSS JOIN LATERAL absolute_term_judge(listing_value(listing, h.name), h.span, listing_value(listing, 'category'), at) AS j
    WHERE h.nth <= 200 AND COALESCE((params ->> 'grave')::boolean = (j.outcome = 'violation' AND j.grave IS NOT NULL), true)
  ), told AS (
    -- Many of one word, which an exception may let pass, must not hide another.
    SELECT j.*, row_number() OVER (ORDER BY j.outcome = 'violation' DESC, j.nth) AS place,
           row_number() OVER (PARTITION BY j.outcome, j.message ORDER BY j.nth) AS again
    FROM judged j
  )
  (SELECT t.outcome, t.name, t.message, t.detail FROM told t WHERE t.place <= 20 OR t.again = 1 ORDER BY t.place)
  UNION ALL
  SELECT CASE WHEN (params ->> 'grave')::boolean THEN 'missing' ELSE 'violation' END, h.name,
         format('"%s" in %s, beyond 200 such words: too many to look at what is around each', h.matched, h.name),
         jsonb_build_object('failed', 'too_many', 'matched', h.matched)
  FROM hit h WHERE h.nth = 201;
END;
COMMENT ON FUNCTION rule_absolute_term(jsonb, jsonb, timestamptz) IS
  'Rule kind absolute_term: a word of the lexicon is a violation, exempt, or not about the goods, by its context (广告绝对化用语执法指南 arts 5, 6), violations told first, after 20 words each once; in the cases of art 11 it is never slight: detail names the article; words beyond 200 in a listing are not excused by any context';
