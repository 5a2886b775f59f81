
-- listing: the statement of facts, reasons and basis that a merchant gets

CREATE TABLE listing_template (
  language text NOT NULL,
  part text NOT NULL,
  body text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT listing_template_pkey PRIMARY KEY (language, part, builtin),
  CONSTRAINT listing_template_language CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  -- Besides, fact_<kind> tells what rules of a kind find, fact_<kind>_<failed> what its detail calls failed.
  CONSTRAINT listing_template_part CHECK (part IN (
    'statement', 'fact', 'ground', 'measure_deny', 'measure_quarantine', 'measure_warn', 'measure_audit', 'overturned',
    'appeal', 'appeal_until') OR part ~ '^fact_[a-z][a-z0-9_]*$'),
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

CREATE TABLE listing_translation (
  language text NOT NULL,
  original text NOT NULL,
  body text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT listing_translation_pkey PRIMARY KEY (language, original, builtin),
  CONSTRAINT listing_translation_language CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  CONSTRAINT listing_translation_body CHECK (body ~ '\S')
);
COMMENT ON TABLE listing_translation IS
  'Titles of rules, and states that findings name, as listing_statement() tells them in another language; a platform''s own row comes before the shipped one; what has none is told as it is';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_translation', 'WHERE NOT builtin');

CREATE FUNCTION listing_translate(language text, original text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE((SELECT t.body FROM listing_translation t
                   WHERE t.language = listing_translate.language AND t.original = listing_translate.original
                   ORDER BY t.builtin LIMIT 1), listing_translate.original);
END;
COMMENT ON FUNCTION listing_translate(text, text) IS
  'A text in a language, by listing_translation; itself where that has none';

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
  RETURN quality_gov.places_fill(body, places);
END
$$;
COMMENT ON FUNCTION listing_template_fill(text, text, jsonb) IS
  'A template''s text with its {places} filled; null prints as -, an unknown place stays as it is';

CREATE FUNCTION listing_fact_part(language text, kind text, finding jsonb, listing jsonb) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  failed text := concat_ws('_', 'fact', kind, finding #>> '{detail,failed}');
  generic text := CASE
    WHEN finding ->> 'field' IS NULL THEN 'fact_whole'
    WHEN finding #>> '{detail,matched}' IS NULL OR jsonb_typeof(finding #> '{detail,span,1}') IS DISTINCT FROM 'number' THEN 'fact'
    ELSE 'fact_matched' END;
BEGIN
  RETURN COALESCE((
    SELECT p.part
    FROM unnest(ARRAY[
      CASE WHEN kind = 'required' THEN 'fact_missing' END,
      CASE WHEN finding #>> '{detail,missing}' = 'true' THEN failed || '_missing' END,
      CASE WHEN finding #>> '{detail,failed}' IS NOT NULL THEN failed END,
      CASE WHEN listing IS NOT NULL AND listing_value(listing, finding ->> 'field') IS NULL
             AND EXISTS (SELECT FROM quality_gov.listing_kind k WHERE k.kind = listing_fact_part.kind AND k.builtin)
           THEN 'fact_absent' END,
      'fact_' || kind]) WITH ORDINALITY AS p(part, n)
    WHERE EXISTS (SELECT FROM quality_gov.listing_template t WHERE t.language = listing_fact_part.language AND t.part = p.part)
    ORDER BY p.n LIMIT 1), generic);
END
$$;
COMMENT ON FUNCTION listing_fact_part(text, text, jsonb, jsonb) IS
  'Template by which a finding of a rule kind is told: the most special that the language has for what failed, a field that is missing, the kind, else one that tells its message or what matched where';

CREATE FUNCTION listing_fact_places(language text, rule listing_rule, finding jsonb, n bigint) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  detail jsonb := CASE jsonb_typeof(finding -> 'detail') WHEN 'object' THEN finding -> 'detail' ELSE '{}' END;
BEGIN
  RETURN COALESCE(rule.params, '{}') || detail || finding || jsonb_build_object('n', n,
    -- What is asked without any rule goes by its name.
    'title', COALESCE(listing_translate(language, rule.title),
                      nullif(listing_translate(language, finding ->> 'rule'), finding ->> 'rule'), finding ->> 'message'),
    'state', listing_translate(language, detail ->> 'state'), 'since', left(detail ->> 'since', 10),
    'any_of', array_to_string(params_texts(detail -> 'any_of'), ', '), 'in', array_to_string(params_texts(detail -> 'in'), ', '),
    'recall', substring(finding ->> 'message' FROM 'recall ([0-9]+) \('),
    'first', detail #> '{span,0}', 'last', CASE jsonb_typeof(detail #> '{span,1}')
      WHEN 'number' THEN (detail #>> '{span,1}')::numeric - 1 END);
END
$$;
COMMENT ON FUNCTION listing_fact_places(text, listing_rule, jsonb, bigint) IS
  'Places of the templates that tell a finding: the rule''s params, the finding and its detail, with title and state in the language';

CREATE FUNCTION listing_statement_text(language text, timezone text, measure text, findings jsonb, listing jsonb, until timestamptz,
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
           quality_gov.listing_fact_part(language, COALESCE((r).kind, finding ->> 'rule'), finding, listing), p.places), E'\n' ORDER BY n),
         string_agg(quality_gov.listing_template_fill(language, 'ground', p.places)
           || CASE WHEN p.places ->> 'rule' = ANY (overturned) THEN quality_gov.listing_template_fill(language, 'overturned', p.places)
                   ELSE '' END, E'\n' ORDER BY n)
  INTO facts, grounds
  FROM (SELECT f.value AS finding, row_number() OVER (ORDER BY f.ordinality) AS n
        FROM jsonb_array_elements(findings) WITH ORDINALITY f WHERE f.value ->> 'verdict' NOT IN ('shadow', 'pass')) numbered
  LEFT JOIN quality_gov.listing_rule r ON r.rule = finding ->> 'rule' AND r.version = (finding ->> 'version')::integer
  CROSS JOIN LATERAL quality_gov.listing_fact_places(language, r, finding, n) AS p(places);
  RETURN quality_gov.listing_template_fill(language, 'statement', places || jsonb_build_object(
    'facts', facts, 'grounds', grounds,
    'measure', quality_gov.listing_template_fill(language, 'measure_' || listing_statement_text.measure, places),
    'appeal', quality_gov.listing_template_fill(language, CASE WHEN until IS NULL THEN 'appeal' ELSE 'appeal_until' END, places)));
END
$$;
COMMENT ON FUNCTION listing_statement_text(text, text, text, jsonb, jsonb, timestamptz, timestamptz, text[], jsonb) IS
  'The text of a statement from findings as a guard gives them, on the values judged; listing_statement() calls it';

CREATE FUNCTION listing_statement_of(merchant_id text, decision_id bigint, denial_id bigint, language text, timezone text)
  RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  m record;
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app,quality_gov_regulator}');
  SELECT * INTO m FROM quality_gov.listing_measure(merchant_id, decision_id, denial_id);
  RETURN quality_gov.listing_statement_text(language, timezone, CASE m.operation WHEN 'AUDIT' THEN 'audit' ELSE m.verdict END,
    m.findings, m.listing, quality_gov.duty_deadline('listing_appeal', m.recorded_at), m.at,
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
