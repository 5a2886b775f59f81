
-- merchant: how long what an authority decided is published, and what repairs it. The authority
-- decides; what is here only tells the terms and follows what the feed brings.

CREATE TABLE repair_class (
  class text NOT NULL,
  title text NOT NULL,
  severity text NOT NULL,
  precedence integer NOT NULL,
  types text[] NOT NULL,
  published boolean NOT NULL,
  max_months integer,
  repair text NOT NULL,
  repair_months integer,
  awaits_ban boolean NOT NULL DEFAULT false,
  conditions text[] NOT NULL DEFAULT '{}',
  papers text[] NOT NULL DEFAULT '{}',
  effect tstzrange NOT NULL,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT repair_class_pkey PRIMARY KEY (class, effect, builtin),
  CONSTRAINT repair_class_severity CHECK (severity IN ('minor', 'general', 'serious')),
  CONSTRAINT repair_class_types CHECK (types <> '{}' AND types <@ '{list,penalty,sampling,spot_check,repair}'::text[]),
  CONSTRAINT repair_class_repair CHECK (repair IN ('none', 'lapse', 'application', 'cure')),
  CONSTRAINT repair_class_months CHECK (
    (repair_months IS NOT NULL) = (repair = 'application') AND repair_months BETWEEN 0 AND max_months
    AND max_months BETWEEN 1 AND 1200 AND (published OR max_months IS NULL)),
  CONSTRAINT repair_class_effect CHECK (NOT isempty(effect))
);
COMMENT ON TABLE repair_class IS
  'Classes of what is held against a party, by article (Order 107): minor 轻微, general 一般, serious 严重; months of publication at most, and what ends it before: nothing (none; lapse: it is short and lapses by itself), an application from repair_months on, or cure; a row of the platform (builtin false) goes before the shipped one';
COMMENT ON COLUMN repair_class.precedence IS 'Of several penalties in one decision the class with the highest governs';
COMMENT ON COLUMN repair_class.awaits_ban IS 'Publication and application wait for the end of the ban that was imposed';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.repair_class', 'WHERE NOT builtin');

INSERT INTO repair_class VALUES
  ('7 warning', 'Minor: a warning only (仅受到警告)', 'minor', 1, '{penalty}', false, NULL, 'none', NULL, false, '{}', '{}',
   '[2025-12-25 00:00+08,)', 'Order 107 art 7', true),
  ('7 fine', 'Minor: criticism (通报批评) or a low fine (较低数额罚款)', 'minor', 2, '{penalty}', true, 3, 'lapse', NULL, false, '{}', '{}',
   '[2025-12-25 00:00+08,)', 'Order 107 art 7', true),
  ('9', 'General: every other penalty', 'general', 3, '{penalty}', true, 12, 'application', 3, false,
   '{performed,rectified,no further penalty of the same kind}', '{application,identity,promise,proof}',
   '[2025-12-25 00:00+08,)', 'Order 107 arts 9, 11, 14', true),
  ('8.1', 'Serious: food, drugs, medical devices, cosmetics, special equipment, key industrial goods', 'serious', 4, '{penalty}',
   true, 36, 'application', 12, false, '{performed,rectified,no further penalty of the same kind}',
   '{application,identity,promise,proof}', '[2025-12-25 00:00+08,)', 'Order 107 arts 8(1)(1), 11, 14', true),
  ('8.2', 'Serious: business limited or stopped, ban on occupation', 'serious', 5, '{penalty}', true, 36, 'application', 12, true,
   '{performed,rectified,no further penalty of the same kind}', '{application,identity,promise,proof}',
   '[2025-12-25 00:00+08,)', 'Order 107 arts 8(1)(2), 11, 14', true),
  ('8.3', 'Serious: grade cut, licence revoked, closed', 'serious', 6, '{penalty}', true, 36, 'none', NULL, false, '{}', '{}',
   '[2025-12-25 00:00+08,)', 'Order 107 art 8(1)(3)', true),
  ('8.4', 'Serious: list of serious violations and loss of credit (严重违法失信名单)', 'serious', 7, '{list}', true, 36,
   'application', 12, false, '{performed,rectified,no further heavier penalty}', '{application,identity,promise,proof}',
   '[2025-12-25 00:00+08,)', 'Order 107 arts 8(1)(4), 13, 14', true),
  ('8.4', 'Serious: list of serious violations and loss of credit (严重违法失信名单)', 'serious', 7, '{list}', true, 36,
   'application', 12, false, '{performed,rectified,no further heavier penalty}', '{}',
   '[2021-09-01 00:00+08,2025-12-25 00:00+08)', 'Order 44/2021 arts 16, 21', true),
  ('abnormal', 'List of abnormal operations (经营异常名录)', 'general', 3, '{list}', true, NULL, 'cure', NULL, false,
   '{cured}', '{application,identity,promise,proof}', '(,)',
   'Order 107 arts 12, 14; 企业经营异常名录管理办法 (as amended by Order 108/2025)', true),
  ('10', 'Spot check or sampling with a negative result (抽查检查结果负面信息)', 'minor', 2, '{sampling,spot_check}', true, 3, 'lapse',
   NULL, false, '{}', '{}', '[2025-12-25 00:00+08,)', 'Order 107 art 10', true),
  ('23', 'Repair refused or revoked for fraud; while it is published no application is open', 'serious', 7, '{repair}', true, 36, 'none',
   NULL, false, '{}', '{}', '[2025-12-25 00:00+08,)', 'Order 107 art 23', true);
CREATE TRIGGER repair_class_builtin BEFORE INSERT OR UPDATE OR DELETE ON repair_class
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE repair_ground (
  attribute text NOT NULL,
  code text NOT NULL,
  title text NOT NULL,
  class text NOT NULL,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT repair_ground_pkey PRIMARY KEY (attribute, code, builtin),
  CONSTRAINT repair_ground_attribute CHECK (attribute IN ('kind', 'field')),
  CONSTRAINT repair_ground_code CHECK (code ~ '\S')
);
COMMENT ON TABLE repair_ground IS
  'What a class is derived from where the authority gives none: the class of each kind of penalty (a low fine is 7 fine), and of every penalty that is not minor in a field; a row of the platform (builtin false) goes before the shipped one';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.repair_ground', 'WHERE NOT builtin');
INSERT INTO repair_ground VALUES
  ('kind', 'warning', 'Warning (警告)', '7 warning', 'Order 107 art 7', true),
  ('kind', 'criticism', 'Notice of criticism (通报批评)', '7 fine', 'Order 107 art 7', true),
  ('kind', 'fine', 'Fine (罚款)', '9', 'Order 107 arts 7, 9', true),
  ('kind', 'confiscation', 'Confiscation of gains or goods (没收)', '9', 'Order 107 art 9', true),
  ('kind', 'licence_suspended', 'Licence suspended (暂扣许可证件)', '9', 'Order 107 art 9', true),
  ('kind', 'other', 'Any other penalty', '9', 'Order 107 art 9', true),
  ('kind', 'restricted', 'Production and business limited (限制开展生产经营活动)', '8.2', 'Order 107 art 8(1)(2)', true),
  ('kind', 'stopped', 'Production and business stopped (责令停产停业)', '8.2', 'Order 107 art 8(1)(2)', true),
  ('kind', 'occupation_ban', 'Ban on occupation (限制从业)', '8.2', 'Order 107 art 8(1)(2)', true),
  ('kind', 'grade_cut', 'Qualification cut to a lower grade (降低资质等级)', '8.3', 'Order 107 art 8(1)(3)', true),
  ('kind', 'licence_revoked', 'Licence or business licence revoked (吊销许可证件, 吊销营业执照)', '8.3', 'Order 107 art 8(1)(3)', true),
  ('kind', 'closed', 'Closed by order (责令关闭)', '8.3', 'Order 107 art 8(1)(3)', true),
  ('field', 'food', 'Food (食品)', '8.1', 'Order 107 art 8(1)(1)', true),
  ('field', 'drug', 'Drugs (药品)', '8.1', 'Order 107 art 8(1)(1)', true),
  ('field', 'medical_device', 'Medical devices (医疗器械)', '8.1', 'Order 107 art 8(1)(1)', true),
  ('field', 'cosmetics', 'Cosmetics (化妆品)', '8.1', 'Order 107 art 8(1)(1)', true),
  ('field', 'special_equipment', 'Special equipment (特种设备)', '8.1', 'Order 107 art 8(1)(1)', true),
  ('field', 'key_industrial_goods', 'Key industrial goods (重点工业产品)', '8.1', 'Order 107 art 8(1)(1)', true);
CREATE TRIGGER repair_ground_builtin BEFORE INSERT OR UPDATE OR DELETE ON repair_ground
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION repair_class_of(content jsonb, at timestamptz DEFAULT now(), OUT class text, OUT reason text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  WITH fine AS (
    -- A low fine is one of the lenient or mitigated band up to the figure for the one fined.
    SELECT (content ->> 'lenient')::boolean AND (content ->> 'amount')::numeric <= f.value AS low, f.value AS limit_value
    FROM legal_figure f
    WHERE f.figure = CASE content ->> 'subject' WHEN 'person' THEN 'minor_fine_person' ELSE 'minor_fine_entity' END
      AND f.effect @> repair_class_of.at
    ORDER BY f.builtin LIMIT 1),
  kind AS (
    SELECT k.code,
           CASE WHEN k.code = 'fine' AND g.class = '9' AND (SELECT f.low FROM fine f) THEN '7 fine' ELSE g.class END AS class
    FROM jsonb_array_elements_text(CASE jsonb_typeof(content -> 'kinds') WHEN 'array' THEN content -> 'kinds' ELSE '[]' END) AS k(code)
    CROSS JOIN LATERAL (SELECT x.class FROM repair_ground x WHERE x.attribute = 'kind' AND x.code = k.code
                        ORDER BY x.builtin LIMIT 1) g),
  -- Without kinds all that is known is how grave it was.
  told AS (
    SELECT k.class, format('kind of penalty "%s"', k.code)
             || CASE WHEN k.code <> 'fine' THEN '' WHEN k.class = '7 fine' THEN ', low'
                     ELSE ', not low: not lenient or above the limit' END AS reason
    FROM kind k
    UNION ALL
    SELECT s.class, format('neither class nor kinds of penalty are told; taken from severity "%s"', content ->> 'severity')
    FROM (VALUES ('minor', '7 fine'), ('general', '9'),
                 ('serious', CASE WHEN content ->> 'ban_until' IS NULL THEN '8.1' ELSE '8.2' END)) AS s(severity, class)
    WHERE content ->> 'type' = 'penalty' AND s.severity = content ->> 'severity' AND NOT EXISTS (SELECT FROM kind)),
  of_penalty AS (
    SELECT t.class, t.reason, p.precedence FROM told t
    CROSS JOIN LATERAL (SELECT max(c.precedence) AS precedence FROM repair_class c WHERE c.class = t.class) p
    UNION ALL
    SELECT g.class, format('field "%s", not minor', g.code), p.precedence
    FROM repair_ground g
    CROSS JOIN LATERAL (SELECT max(c.precedence) AS precedence FROM repair_class c WHERE c.class = g.class) p
    WHERE g.attribute = 'field' AND g.code = content ->> 'field'
      AND EXISTS (SELECT FROM told t WHERE t.class NOT IN ('7 warning', '7 fine')))
  SELECT d.class, d.reason
  FROM (SELECT content ->> 'class' AS class, 'as the authority gives it' AS reason, 1 AS step, 0 AS precedence
        WHERE content ->> 'class' IS NOT NULL
        UNION ALL
        SELECT CASE content ->> 'list' WHEN 'serious_violation' THEN '8.4' WHEN 'abnormal_operation' THEN 'abnormal' END,
               format('list "%s"', content ->> 'list'), 2, 0
        WHERE content ->> 'type' = 'list' AND content ->> 'list' IN ('serious_violation', 'abnormal_operation')
        UNION ALL
        SELECT '10', 'negative result', 2, 0
        WHERE content ->> 'type' IN ('sampling', 'spot_check') AND content ->> 'result' = 'fail'
        UNION ALL
        SELECT '23', 'fraud in a repair', 2, 0
        WHERE content ->> 'type' = 'repair'
          AND (content ->> 'decision' = 'revoked' OR content ->> 'decision' = 'refused' AND (content ->> 'fraud')::boolean)
        UNION ALL
        SELECT p.class, p.reason, 2, p.precedence FROM of_penalty p WHERE content ->> 'type' = 'penalty') d
  ORDER BY d.step, d.precedence DESC, d.reason LIMIT 1;
END;
COMMENT ON FUNCTION repair_class_of(jsonb, timestamptz) IS
  'Class of an item of a feed with the reason: the authority''s where it gives one, else derived from list, result, kinds of penalty (the highest precedence governs, Order 107 art 6), amount and field, else from the severity; no row where the item has no class';

CREATE FUNCTION repair_class_key(content jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN content - '{item,uscc,name,identity_digest,reason,legal_basis,from,until,published_from,fact,of,product,checked,withdrawn,temporary,ground}'::text[]
         - CASE WHEN content -> 'lenient' = 'true' THEN '{}' ELSE '{amount}'::text[] END
         || CASE WHEN content ->> 'ban_until' IS NULL THEN '{}'::jsonb ELSE '{"ban_until": "told"}' END;
COMMENT ON FUNCTION repair_class_key(jsonb) IS
  'An item of a feed without what repair_class_of() does not read, so that items of one sort are alike';

CREATE FUNCTION publication_end(start timestamptz, months integer) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN ((start AT TIME ZONE 'Asia/Shanghai')::date + make_interval(months => months) + interval '1 day')
         AT TIME ZONE 'Asia/Shanghai';
COMMENT ON FUNCTION publication_end(timestamptz, integer) IS
  'The instant after the last day of so many months of publication: the first day is not counted, days are those of Asia/Shanghai; null where months is';
