
-- listing: the statement of facts, reasons and basis that a merchant gets

CREATE TABLE listing_template (
  language text NOT NULL,
  part text NOT NULL,
  body text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT listing_template_pkey PRIMARY KEY (language, part, builtin),
  CONSTRAINT listing_template_language CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  CONSTRAINT listing_template_part CHECK (part IN (
    'statement', 'fact', 'fact_matched', 'fact_missing', 'fact_whole', 'ground', 'measure_deny', 'measure_quarantine', 'measure_warn',
    'measure_audit', 'overturned', 'appeal', 'appeal_until')),
  -- Facts, reasons and basis, and the way to appeal are the merchant's due (Order 116 art 19).
  CONSTRAINT listing_template_due CHECK (
    CASE part WHEN 'statement' THEN body LIKE ALL (ARRAY['%{facts}%', '%{grounds}%', '%{measure}%', '%{appeal}%'])
      WHEN 'ground' THEN body LIKE '%{legal_basis}%' ELSE body ~ '\S' END)
);
COMMENT ON TABLE listing_template IS
  'Texts of listing_statement() by language and part, with places such as {merchant_id}; a platform''s own row comes before the shipped one';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_template', 'WHERE NOT builtin');

INSERT INTO listing_template VALUES
  ('zh', 'statement', E'商品信息处理决定告知书\n\n商家：{merchant_name}（{merchant_id}）\n商品：{listing_id}\n编号：{reference}\n认定时间：{at}（{timezone}）\n\n一、事实\n{facts}\n\n二、理由和依据\n{grounds}\n\n三、处理决定\n{measure}\n\n四、申诉\n{appeal}', true),
  ('zh', 'fact', '{n}. 字段“{field}”：{message}', true),
  ('zh', 'fact_matched', '{n}. 字段“{field}”第 {first} 至 {last} 个字符“{matched}”，对应词条“{term}”', true),
  ('zh', 'fact_missing', '{n}. 字段“{field}”未填写', true),
  ('zh', 'fact_whole', '{n}. {message}', true),
  ('zh', 'ground', '{n}. 不符合规则“{title}”（{rule}，第 {version} 版）；依据：{legal_basis}', true),
  ('zh', 'overturned', '（经申诉，该项认定已撤销）', true),
  ('zh', 'measure_deny', '该商品信息不予发布。', true),
  ('zh', 'measure_quarantine', '该商品信息暂停展示，等待审核。', true),
  ('zh', 'measure_warn', '该商品信息可以展示，上述问题记录在案，请予改正。', true),
  ('zh', 'measure_audit', '以上问题系对已有商品信息的检查所发现，记录在案，请予改正；本次检查未改变该商品信息的展示状态。', true),
  ('zh', 'appeal', '对本决定有异议的，可以凭编号 {reference} 通过本平台的申诉渠道提出申诉，说明理由并提交证据。申诉由系统自动作出决定的，可以要求由人工作出决定。', true),
  ('zh', 'appeal_until', '对本决定有异议的，可以在 {until}（{timezone}）之前凭编号 {reference} 通过本平台的申诉渠道提出申诉，说明理由并提交证据。申诉由系统自动作出决定的，可以要求由人工作出决定。', true),
  ('en', 'statement', E'Statement of a decision on a listing\n\nMerchant: {merchant_name} ({merchant_id})\nListing: {listing_id}\nReference: {reference}\nJudged at: {at} ({timezone})\n\n1. Facts\n{facts}\n\n2. Reasons and basis\n{grounds}\n\n3. Decision\n{measure}\n\n4. Appeal\n{appeal}', true),
  ('en', 'fact', '({n}) Field "{field}": {message}', true),
  ('en', 'fact_matched', '({n}) Field "{field}", characters {first} to {last}: "{matched}", which is the term "{term}"', true),
  ('en', 'fact_missing', '({n}) Field "{field}" is missing or blank', true),
  ('en', 'fact_whole', '({n}) {message}', true),
  ('en', 'ground', '({n}) Against the rule "{title}" ({rule}, version {version}); basis: {legal_basis}', true),
  ('en', 'overturned', ' (overturned on appeal)', true),
  ('en', 'measure_deny', 'The listing is not published.', true),
  ('en', 'measure_quarantine', 'The listing is held until it is reviewed.', true),
  ('en', 'measure_warn', 'The listing is shown; what was found is recorded and should be corrected.', true),
  ('en', 'measure_audit', 'This was found by an audit of listings that are there; it is recorded and should be corrected. The audit has not changed whether the listing is shown.', true),
  ('en', 'appeal', 'You may appeal through the platform''s appeal channel, naming the reference {reference}, your grounds and your evidence. Where an appeal is decided automatically, you may ask that a person decide it.', true),
  ('en', 'appeal_until', 'You may appeal before {until} ({timezone}) through the platform''s appeal channel, naming the reference {reference}, your grounds and your evidence. Where an appeal is decided automatically, you may ask that a person decide it.', true);
CREATE TRIGGER listing_template_builtin BEFORE INSERT OR UPDATE OR DELETE ON listing_template
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION listing_template_fill(language text, part text, places jsonb) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  body text := (SELECT t.body FROM quality_gov.listing_template t
                WHERE t.language = listing_template_fill.language AND t.part = listing_template_fill.part
                ORDER BY t.builtin LIMIT 1);
BEGIN
  IF body IS NULL THEN
    RAISE EXCEPTION 'language "%" has no template "%"', language, part USING ERRCODE = 'undefined_object',
      HINT = format('Languages are %s; others are rows of quality_gov.listing_template.',
        (SELECT string_agg(DISTINCT t.language, ', ') FROM quality_gov.listing_template t WHERE t.part = 'statement'));
  END IF;
  -- In one pass, so that what a merchant wrote is never taken for a place.
  RETURN (SELECT string_agg(CASE WHEN m.piece[1] IS NULL THEN m.piece[2]
                                 WHEN places ? m.piece[1] THEN COALESCE(places ->> m.piece[1], '-')
                                 ELSE '{' || m.piece[1] || '}' END, '' ORDER BY m.ordinality)
          FROM regexp_matches(body, '\{([a-z_]+)\}|([^{]+|\{)', 'g') WITH ORDINALITY AS m(piece, ordinality));
END
$$;
COMMENT ON FUNCTION listing_template_fill(text, text, jsonb) IS
  'A template''s text with its {places} filled; null prints as -, an unknown place stays as it is';

CREATE FUNCTION listing_statement_text(language text, timezone text, measure text, findings jsonb, until timestamptz,
                                       judged_at timestamptz, overturned text[], places jsonb) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  facts text;
  grounds text;
BEGIN
  PERFORM quality_gov.listing_template_fill(language, 'statement', '{}'); -- refuses unknown languages
  places := places || jsonb_build_object('timezone', timezone,
    'at', to_char(judged_at AT TIME ZONE timezone, 'YYYY-MM-DD HH24:MI:SS'),
    'until', to_char(until AT TIME ZONE timezone, 'YYYY-MM-DD HH24:MI:SS'));
  -- Rules on trial, and what an exception lets pass, give no reason for a measure.
  SELECT string_agg(quality_gov.listing_template_fill(language,
           CASE WHEN p.places ->> 'field' IS NULL THEN 'fact_whole'
                WHEN r.kind = 'required' THEN 'fact_missing'
                WHEN p.places ->> 'matched' IS NULL OR p.places ->> 'last' IS NULL THEN 'fact'
                ELSE 'fact_matched' END, p.places), E'\n' ORDER BY n),
         string_agg(quality_gov.listing_template_fill(language, 'ground', p.places)
           || CASE WHEN p.places ->> 'rule' = ANY (overturned) THEN quality_gov.listing_template_fill(language, 'overturned', p.places)
                   ELSE '' END, E'\n' ORDER BY n)
  INTO facts, grounds
  FROM (SELECT f.value AS finding, row_number() OVER (ORDER BY f.ordinality) AS n
        FROM jsonb_array_elements(findings) WITH ORDINALITY f WHERE f.value ->> 'verdict' NOT IN ('shadow', 'pass')) numbered
  LEFT JOIN quality_gov.listing_rule r ON r.rule = finding ->> 'rule' AND r.version = (finding ->> 'version')::integer
  CROSS JOIN LATERAL (SELECT finding || jsonb_build_object('n', n, 'title', COALESCE(r.title, finding ->> 'message'),
    'matched', finding #>> '{detail,matched}', 'term', finding #>> '{detail,term}',
    'first', finding #> '{detail,span,0}', 'last', CASE jsonb_typeof(finding #> '{detail,span,1}')
      WHEN 'number' THEN (finding #>> '{detail,span,1}')::numeric - 1 END) AS places) p;
  RETURN quality_gov.listing_template_fill(language, 'statement', places || jsonb_build_object(
    'facts', facts, 'grounds', grounds,
    'measure', quality_gov.listing_template_fill(language, 'measure_' || listing_statement_text.measure, places),
    'appeal', quality_gov.listing_template_fill(language, CASE WHEN until IS NULL THEN 'appeal' ELSE 'appeal_until' END, places)));
END
$$;
COMMENT ON FUNCTION listing_statement_text(text, text, text, jsonb, timestamptz, timestamptz, text[], jsonb) IS
  'The text of a statement from findings as a guard gives them; listing_statement() calls it';

CREATE FUNCTION listing_statement_of(merchant_id text, decision_id bigint, denial_id bigint, language text, timezone text)
  RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  m record;
BEGIN
  PERFORM quality_gov.listing_party_require(merchant_id, '{quality_gov_admin,quality_gov_app,quality_gov_regulator}');
  SELECT * INTO m FROM quality_gov.listing_measure(merchant_id, decision_id, denial_id);
  RETURN quality_gov.listing_statement_text(language, timezone, CASE m.operation WHEN 'AUDIT' THEN 'audit' ELSE m.verdict END,
    m.findings, quality_gov.duty_deadline('listing_appeal', m.recorded_at), m.at,
    quality_gov.listing_overturned(merchant_id, decision_id, denial_id), jsonb_build_object(
      'merchant_id', merchant_id,
      'merchant_name', (SELECT p.name FROM quality_gov.merchant p WHERE p.merchant_id = listing_statement_of.merchant_id),
      'listing_id', m.listing_id, 'reference', COALESCE(decision_id::text, 'R' || denial_id)));
END
$$;
COMMENT ON FUNCTION listing_statement_of(text, bigint, bigint, text, text) IS
  'The statement of a decision, or of a refused attempt, whose reference begins with R';

CREATE FUNCTION listing_statement(merchant_id text, decision_id bigint, language text DEFAULT 'zh',
                                  timezone text DEFAULT 'Asia/Shanghai') RETURNS text
  LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
  RETURN listing_statement_of(merchant_id, decision_id, NULL, language, timezone);
COMMENT ON FUNCTION listing_statement(text, bigint, text, text) IS
  'Statement of facts, reasons and basis of a decision with the way to appeal, as plain text from listing_template, in the language and time zone given; for a role of the merchant (42501 for another), an application, a regulator or an administrator (Order 116 art 19)';

CREATE FUNCTION listing_denial_statement(merchant_id text, denial_id bigint, language text DEFAULT 'zh',
                                         timezone text DEFAULT 'Asia/Shanghai') RETURNS text
  LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
  RETURN listing_statement_of(merchant_id, NULL, denial_id, language, timezone);
COMMENT ON FUNCTION listing_denial_statement(text, bigint, text, text) IS
  'The same statement of a refused attempt, a row of listing_denial';
