
-- credit: the statement of a sanction that a merchant gets

CREATE TABLE sanction_template (
  language text NOT NULL,
  part text NOT NULL,
  body text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT sanction_template_pkey PRIMARY KEY (language, part, builtin),
  CONSTRAINT sanction_template_language CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  -- Besides, measure_<measure> and track_<track> name measures and tracks in the language.
  CONSTRAINT sanction_template_part CHECK (part IN ('statement', 'points', 'term', 'term_open', 'lifted', 'appeal', 'appeal_until')
                                           OR part ~ '^(measure|track)_[a-z][a-z0-9_]*$'),
  -- Facts, reasons, basis, term and the way to appeal are the merchant's due (Order 116 art 19; Order 117 art 14).
  CONSTRAINT sanction_template_due CHECK (
    CASE part WHEN 'statement' THEN body LIKE ALL (ARRAY['%{facts}%', '%{reasons}%', '%{legal_basis}%', '%{measure}%', '%{term}%', '%{appeal}%'])
      ELSE body ~ '\S' END)
);
COMMENT ON TABLE sanction_template IS
  'Texts of sanction_statement() by language and part, with places such as {merchant_id}; a platform''s own row comes before the shipped one';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.sanction_template', 'WHERE NOT builtin');

INSERT INTO sanction_template VALUES
  ('zh', 'statement', E'处理措施决定告知书\n\n商家：{merchant_name}（{merchant_id}）\n编号：S{reference}\n决定时间：{at}（{timezone}）\n\n一、事实\n{facts}\n\n二、理由和依据\n{reasons}\n依据：{legal_basis}\n\n三、处理措施和期限\n{measure}\n{term}{lifted}\n\n四、申诉\n{appeal}', true),
  ('zh', 'points', '“{track}”累计 {points} 分，达到第 {step} 档的处理标准。', true),
  ('zh', 'term', '自 {since} 起至 {until} 止（{timezone}）。', true),
  ('zh', 'term_open', '自 {since}（{timezone}）起，未设定期限。', true),
  ('zh', 'lifted', E'\n本措施已于 {lifted_at}（{timezone}）解除：{lift_reasons}', true),
  ('zh', 'appeal', '对本决定有异议的，可以凭编号 S{reference} 通过本平台的申诉渠道提出申诉，说明理由并提交证据。申诉由系统自动作出决定的，可以要求由人工作出决定。', true),
  ('zh', 'appeal_until', '对本决定有异议的，可以在 {appeal_until}（{timezone}）之前凭编号 S{reference} 通过本平台的申诉渠道提出申诉，说明理由并提交证据。申诉由系统自动作出决定的，可以要求由人工作出决定。', true),
  ('en', 'statement', E'Statement of a sanction\n\nMerchant: {merchant_name} ({merchant_id})\nReference: S{reference}\nDecided at: {at} ({timezone})\n\n1. Facts\n{facts}\n\n2. Reasons and basis\n{reasons}\nBasis: {legal_basis}\n\n3. Measure and term\n{measure}\n{term}{lifted}\n\n4. Appeal\n{appeal}', true),
  ('en', 'points', 'On the track "{track}" the points came to {points}, which reaches step {step} of its ladder.', true),
  ('en', 'term', 'From {since} until {until} ({timezone}).', true),
  ('en', 'term_open', 'From {since} ({timezone}) on; no end is set.', true),
  ('en', 'lifted', E'\nThe measure was lifted at {lifted_at} ({timezone}): {lift_reasons}', true),
  ('en', 'appeal', 'You may appeal through the platform''s appeal channel, naming the reference S{reference}, your grounds and your evidence. Where an appeal is decided automatically, you may ask that a person decide it.', true),
  ('en', 'appeal_until', 'You may appeal before {appeal_until} ({timezone}) through the platform''s appeal channel, naming the reference S{reference}, your grounds and your evidence. Where an appeal is decided automatically, you may ask that a person decide it.', true);
INSERT INTO sanction_template
SELECT 'zh', m.part, m.title, true
FROM (VALUES ('track_general', '一般违规'), ('track_serious', '严重违规'), ('track_counterfeit', '出售假冒商品'),
             ('measure_limit_campaigns', '限制参加营销活动和享受权益'), ('measure_limit_publishing', '限制发布新商品，限制参加营销活动'),
             ('measure_close_shop_for_term', '限期关闭店铺'), ('measure_close_shop', '永久关闭店铺'), ('measure_warn', '警示'), ('measure_limit_functions', '限制功能'),
             ('measure_limit_traffic', '限制流量'), ('measure_suspend_live', '暂停直播'), ('measure_ban_live_for_term', '限期停播'), ('measure_close_account', '关闭账号'),
             ('measure_bar_registration', '禁止重新注册'), ('measure_blacklist', '列入黑名单')) AS m(part, title);
CREATE TRIGGER sanction_template_builtin BEFORE INSERT OR UPDATE OR DELETE ON sanction_template
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION sanction_template_fill(language text, part text, places jsonb) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  body text := (SELECT t.body FROM quality_gov.sanction_template t
                WHERE t.language = sanction_template_fill.language AND t.part = sanction_template_fill.part
                ORDER BY t.builtin LIMIT 1);
BEGIN
  IF body IS NULL THEN
    RAISE EXCEPTION 'language "%" has no template "%"', language, part USING ERRCODE = 'undefined_object',
      HINT = format('Languages are %s; others are rows of quality_gov.sanction_template.',
        (SELECT string_agg(DISTINCT t.language, ', ') FROM quality_gov.sanction_template t WHERE t.part = 'statement'));
  END IF;
  RETURN quality_gov.places_fill(body, places);
END
$$;
COMMENT ON FUNCTION sanction_template_fill(text, text, jsonb) IS
  'A template''s text with its {places} filled; null prints as -, an unknown place stays as it is';

CREATE FUNCTION sanction_template_name(language text, part text, name text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT COALESCE((SELECT t.body FROM sanction_template t
                   WHERE t.language = sanction_template_name.language AND t.part = sanction_template_name.part
                   ORDER BY t.builtin LIMIT 1), name);
END;
COMMENT ON FUNCTION sanction_template_name(text, text, text) IS
  'What a measure or a track is called in a language; the name given where sanction_template has none';

CREATE FUNCTION sanction_statement(merchant_id text, sanction_id bigint, language text DEFAULT 'zh',
                                   timezone text DEFAULT 'Asia/Shanghai') RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  s quality_gov.sanction;
  due timestamptz;
  places jsonb;
BEGIN
  PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app,quality_gov_regulator}');
  PERFORM quality_gov.sanction_template_fill(language, 'statement', '{}'); -- refuses unknown languages
  s := quality_gov.sanction_require(merchant_id, sanction_id);
  due := quality_gov.duty_deadline('violation_appeal', s.at);
  places := jsonb_build_object(
    'merchant_id', s.merchant_id, 'merchant_name', (SELECT m.name FROM quality_gov.merchant m WHERE m.merchant_id = s.merchant_id),
    'reference', s.sanction_id, 'facts', s.facts, 'reasons', s.reasons, 'legal_basis', s.legal_basis,
    'track', quality_gov.sanction_template_name(language, 'track_' || s.track, s.track), 'points', trim_scale(s.points), 'step', s.step, 'lift_reasons', s.lift_reasons, 'timezone', timezone,
    'at', to_char(s.at AT TIME ZONE timezone, 'YYYY-MM-DD HH24:MI:SS'),
    'since', to_char(lower(s.effect) AT TIME ZONE timezone, 'YYYY-MM-DD HH24:MI:SS'),
    'until', to_char(upper(s.effect) AT TIME ZONE timezone, 'YYYY-MM-DD HH24:MI:SS'),
    'lifted_at', to_char(s.lifted_at AT TIME ZONE timezone, 'YYYY-MM-DD HH24:MI:SS'),
    'appeal_until', to_char(due AT TIME ZONE timezone, 'YYYY-MM-DD HH24:MI:SS'));
  RETURN quality_gov.sanction_template_fill(language, 'statement', places || jsonb_build_object(
    'measure', quality_gov.sanction_template_name(language, 'measure_' || s.measure, s.title),
    'reasons', CASE WHEN s.track IS NULL THEN s.reasons ELSE quality_gov.sanction_template_fill(language, 'points', places) END,
    'term', quality_gov.sanction_template_fill(language, CASE WHEN upper_inf(s.effect) THEN 'term_open' ELSE 'term' END, places),
    'lifted', CASE WHEN s.lifted_at IS NULL THEN '' ELSE quality_gov.sanction_template_fill(language, 'lifted', places) END,
    'appeal', quality_gov.sanction_template_fill(language, CASE WHEN due IS NULL THEN 'appeal' ELSE 'appeal_until' END, places)));
END
$$;
COMMENT ON FUNCTION sanction_statement(text, bigint, text, text) IS
  'Statement of a sanction: facts, reasons, basis, measure, term and the way to appeal, as plain text from sanction_template, in the language and time zone given; for a role of the merchant (42501 for another), an application, a regulator or an administrator (Order 116 art 19; Order 117 art 14)';
