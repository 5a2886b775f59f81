
-- common: law as rows

CREATE TABLE duty_rule (
  duty text NOT NULL,
  title text NOT NULL,
  amount integer NOT NULL,
  unit text NOT NULL,
  roll boolean NOT NULL DEFAULT true,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT duty_rule_pkey PRIMARY KEY (duty, effect, builtin),
  CONSTRAINT duty_rule_amount CHECK (amount > 0),
  CONSTRAINT duty_rule_unit CHECK (unit IN ('hour', 'day', 'workday', 'month', 'year'))
);
COMMENT ON TABLE duty_rule IS
  'Deadlines of the law: what is due so long after what, on which clock, over which period of effect; roll: a term that would end on a holiday ends on the next working day, where the rule says so';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.duty_rule', 'WHERE NOT builtin');

INSERT INTO duty_rule VALUES
  ('D1', 'Verify a merchant''s identity, address, contact and licences again', 6, 'month', false, '(,)',
   '网络交易监督管理办法 (Order 37/2021, amended by Order 101/2025) art 24', true),
  ('D9', 'Publish a sanction', 1, 'workday', true, '(,)',
   '网络交易监督管理办法 (Order 37/2021, amended by Order 101/2025) art 30', true),
  ('D11', 'Announce a rule change before it takes effect', 7, 'day', true, '[2019-01-01 00:00+08,)',
   '电子商务法 art 34; 网络交易平台规则监督管理办法 (Order 116) art 12', true),
  ('D11 weighty', 'Announce a rule change of many users, large extent or weighty interests', 15, 'day', true,
   '[2026-02-01 00:00+08,)', '网络交易平台规则监督管理办法 (Order 116) art 12', true),
  ('D14', 'Report a defect with death, serious injury or large loss, or an overseas recall', 2, 'workday', true,
   '[2020-01-01 00:00+08,)', '消费品召回管理暂行规定 (Order 19) art 8', true),
  ('D15', 'Authority: tell the producer to investigate a suspected defect', 3, 'workday', true, '[2020-01-01 00:00+08,)',
   '消费品召回管理暂行规定 (Order 19) art 9', true),
  ('D16', 'Object to a notice of recall', 10, 'workday', true, '[2020-01-01 00:00+08,)',
   '消费品召回管理暂行规定 (Order 19) art 13', true),
  ('D17', 'Report the recall plan', 10, 'workday', true, '[2020-01-01 00:00+08,)',
   '消费品召回管理暂行规定 (Order 19) art 17', true),
  ('D18', 'Publish the recall', 3, 'workday', true, '[2020-01-01 00:00+08,)',
   '消费品召回管理暂行规定 (Order 19) art 19', true),
  ('D19', 'Summary of a running recall', 3, 'month', false, '[2020-01-01 00:00+08,)',
   '消费品召回管理暂行规定 (Order 19) art 21', true),
  ('D19 final', 'Final summary of a recall', 15, 'workday', true, '[2020-01-01 00:00+08,)',
   '消费品召回管理暂行规定 (Order 19) art 21', true),
  ('D20 level 1', 'Start a food recall of level 1', 24, 'hour', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 11', true),
  ('D20 level 2', 'Start a food recall of level 2', 36, 'hour', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 11', true),
  ('D20 level 3', 'Start a food recall of level 3', 48, 'hour', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 11', true),
  ('D21 level 1', 'Complete a food recall of level 1', 10, 'day', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 15', true),
  ('D21 level 2', 'Complete a food recall of level 2', 20, 'day', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 15', true),
  ('D21 level 3', 'Complete a food recall of level 3', 30, 'day', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 15', true),
  ('D22 level 1', 'Report the progress of a food recall of level 1', 1, 'day', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 24', true),
  ('D22 level 2', 'Report the progress of a food recall of level 2', 5, 'day', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 24', true),
  ('D22 level 3', 'Report the progress of a food recall of level 3', 10, 'day', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 24', true),
  ('D22 final', 'Final report of a food recall', 5, 'day', false, '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 24', true),
  ('D38 objection', 'Object to an entry on the list of abnormal operations', 30, 'day', true, '(,)',
   '企业经营异常名录管理办法 (as amended by Order 108/2025) art 12', true),
  ('D41 accept', 'Authority: accept an application for credit repair', 2, 'workday', true, '[2025-12-25 00:00+08,)',
   '市场监督管理信用修复管理办法 (Order 107) art 14', true),
  ('D41 decide', 'Authority: decide on a credit repair', 7, 'workday', true, '[2025-12-25 00:00+08,)',
   '市场监督管理信用修复管理办法 (Order 107) art 16', true),
  ('D41 decide abnormal', 'Authority: decide on removal from the list of abnormal operations', 2, 'workday', true,
   '[2025-12-25 00:00+08,)', '市场监督管理信用修复管理办法 (Order 107) art 16', true),
  ('D41 extension', 'Authority: extension of its term to decide', 10, 'workday', true, '[2025-12-25 00:00+08,)',
   '市场监督管理信用修复管理办法 (Order 107) art 16', true),
  ('D41 process', 'Authority: process the data of a granted repair', 3, 'workday', true, '[2025-12-25 00:00+08,)',
   '市场监督管理信用修复管理办法 (Order 107) art 17', true),
  ('D42 withdraw', 'Authority: withdraw a penalty that was annulled', 3, 'workday', true, '(,)',
   '市场监督管理行政处罚信息公示规定 arts 9 to 11', true);
CREATE TRIGGER duty_rule_builtin BEFORE INSERT OR UPDATE OR DELETE ON duty_rule
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION duty_deadline(duty text, start timestamptz) RETURNS timestamptz
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT deadline_compute(start, r.amount, r.unit, 'CN', r.roll)
  -- A start beyond any calendar has no deadline, and must not make a view of many fail.
  FROM duty_rule r WHERE r.duty = duty_deadline.duty AND r.effect @> start
    AND start > '1900-01-01 00:00+00' AND start < '2200-01-01 00:00+00'
  ORDER BY r.builtin LIMIT 1;
END;
COMMENT ON FUNCTION duty_deadline(text, timestamptz) IS
  'Instant by which a duty that began at start must be done, by the rule in force then; null where no rule was in force';

CREATE TABLE legal_figure (
  figure text NOT NULL,
  value numeric NOT NULL,
  unit text NOT NULL,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT legal_figure_pkey PRIMARY KEY (figure, effect, builtin)
);
COMMENT ON TABLE legal_figure IS 'Amounts and periods that the law sets, with their period of effect';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.legal_figure', 'WHERE NOT builtin');
INSERT INTO legal_figure VALUES
  ('small_seller_annual_total', 100000, 'CNY', '(,)', '网络交易监督管理办法 art 8', true),
  ('record_retention', 3, 'year', '(,)', '电子商务法 art 31; 网络交易监督管理办法 art 31', true),
  ('recall_retention consumer', 5, 'year', '[2020-01-01 00:00+08,)', '消费品召回管理暂行规定 (Order 19) art 21', true),
  ('recall_retention food', 2, 'year', '[2026-12-01 00:00+08,)', '食品召回管理办法 (Order 122) art 23', true),
  ('recall_retention_expiry food', 6, 'month', '[2026-12-01 00:00+08,)', '食品召回管理办法 (Order 122) art 23', true),
  ('compared_price_days', 7, 'day', '[2022-07-01 00:00+08,)', '明码标价和禁止价格欺诈规定 (Order 56) art 16', true),
  ('minor_fine_entity', 50000, 'CNY', '[2025-12-25 00:00+08,)', '市场监督管理信用修复管理办法 (Order 107) art 7', true),
  ('minor_fine_person', 5000, 'CNY', '[2025-12-25 00:00+08,)', '市场监督管理信用修复管理办法 (Order 107) art 7', true);
CREATE TRIGGER legal_figure_builtin BEFORE INSERT OR UPDATE OR DELETE ON legal_figure
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION retention_bound(what text, before timestamptz) RETURNS timestamptz
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  keep interval := (SELECT make_interval(years => max(f.value)::int) FROM quality_gov.legal_figure f
                    WHERE f.figure = 'record_retention' AND f.effect @> now());
BEGIN
  before := COALESCE(before, now() - keep);
  IF before <= now() - keep THEN
    RETURN before;
  END IF;
  RAISE EXCEPTION '% are kept for %, so only those before % can be retired', what, keep, now() - keep
    USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = '电子商务法 art 31; 网络交易监督管理办法 art 31.';
END
$$;
COMMENT ON FUNCTION retention_bound(text, timestamptz) IS
  'Instant before which records may be deleted: the one given, by default as long ago as the law wants them kept (legal_figure record_retention); a later one is refused (55000)';
