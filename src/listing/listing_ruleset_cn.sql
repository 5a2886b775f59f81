
-- listing: the rule set cn; every row has article and period of effect

INSERT INTO lexicon_term (lexicon, version, term, allow, severity, tags, builtin)
SELECT l.lexicon, 1, t, l.allow, l.severity, l.tags, true
FROM (VALUES
  -- The three words that the statute names.
  ('cn.absolute', false, 4, NULL::text[], '{国家级,最高级,最佳}'::text[]),
  -- Longer lists are practice, not law.
  ('cn.absolute-practice', false, 2, '{practice}', '{第一,唯一,顶级,极致,首选,全网最低,最低价,最好,最优,最大,最强,最先进,最高端,最便宜,世界级,宇宙级,独一无二,史无前例,绝无仅有,万能,销量冠军,全国首家,遥遥领先}'),
  ('cn.absolute-practice', true, 2, '{practice}', '{第一次,第一时间,第一步,第一代,第一天,第一人称,第一章,唯一编号,唯一标识,唯一码,最大号,最大承重,最大容量,最大功率,最大尺寸,万能遥控,万能充}'),
  ('cn.medical-claim', false, 4, '{practice}', '{治疗,治愈,根治,疗效,药到病除,祛病,抗癌,防癌,降血糖,降血压,降血脂,消炎,杀菌消炎,止痛,包治百病,替代药物}'),
  ('cn.medical-claim', true, 4, '{practice}', '{不能治疗,不用于治疗,不具有治疗,不具备治疗,无治疗,非治疗,不能代替药物治疗,不得用于治疗,无疗效,不宣称疗效}')
) AS l(lexicon, allow, severity, tags, terms) CROSS JOIN unnest(l.terms) AS t;
INSERT INTO lexicon (lexicon, version, folds, legal_basis, title, builtin) VALUES
  ('cn.absolute', 1, lexicon_folds(), '广告法 art 9(3)', '国家级, 最高级, 最佳', true),
  ('cn.absolute-practice', 1, lexicon_folds(), '广告绝对化用语执法指南 art 2', 'words like them, as practice lists them', true),
  ('cn.medical-claim', 1, lexicon_folds(), '广告法 art 17', 'treatment of disease, as practice lists it', true);
-- Nothing of the moment of installation may be in a shipped row: it is not dumped.
UPDATE lexicon SET state = 'active', digest = lexicon_digest(lexicon, version), effect = '[2021-04-29 00:00+08,)',
       published_at = '2021-04-29 00:00+08'
WHERE builtin AND lexicon LIKE 'cn.%';

INSERT INTO ruleset_rule (ruleset, rule, kind, params, verdict, on_missing, severity, title, legal_basis, effect, builtin)
SELECT 'cn', r.rule, r.kind, r.params::jsonb, r.verdict, r.on_missing, r.severity, r.title, l.law || r.article, l.effect, true
FROM (VALUES
  ('cn.page-fields', 'page', '{"fields": ["title", "producer", "producer_address", "model", "standard"], "regime": ["ccc", "production_licence", "mandatory_gb"]}',
   'quarantine', 'quarantine', 'medium', 'page must show name, producer with address, model and standard', 110, ' art 8(1)(1)'),
  ('cn.page-warning', 'page', '{"fields": ["warning"], "regime": ["ccc", "production_licence", "mandatory_gb"]}',
   'shadow', 'skip', 'low', 'page must show the warnings that are necessary', 110, ' art 8(1)(1)'),
  ('cn.page-certificate', 'page', '{"any_of": ["certificate", "certificate_link"], "regime": ["ccc", "production_licence"]}',
   'quarantine', 'skip', 'medium', 'page must show the certificate number or a link', 110, ' art 8(1)(2)'),
  ('cn.page-report', 'page', '{"any_of": ["report", "report_link"], "regime": ["mandatory_gb"]}',
   'quarantine', 'skip', 'medium', 'page must show the test report or a link', 110, ' art 8(1)(3)'),
  ('cn.barcode', 'page', '{"any_of": ["gtin", "barcode"], "regime": ["ccc", "production_licence", "mandatory_gb"]}',
   'quarantine', 'skip', 'medium', 'goods must carry a bar code or the like', 110, ' art 11'),
  ('cn.certificate', 'certificate', '{"kind": ["ccc", "production_licence"], "checks": ["register", "type"], "regime": ["ccc", "production_licence"]}',
   'deny', 'deny', 'high', 'certificate must be in the register and cover the product type', 110, ' art 10'),
  ('cn.certificate-validity', 'certificate', '{"kind": ["ccc", "production_licence"], "checks": ["validity"], "regime": ["ccc", "production_licence"]}',
   'quarantine', 'shadow', 'high', 'certificate must be valid', 110, ' art 13(2)'),
  ('cn.licence-status', 'certificate', '{"kind": ["production_licence"], "checks": ["status"], "regime": ["production_licence"]}',
   'quarantine', 'shadow', 'high', 'production licence must be valid', 110, ' art 13(2)'),
  ('cn.report', 'report', '{"checks": ["present"], "regime": ["mandatory_gb"]}',
   'deny', 'deny', 'high', 'no listing without a test report', 110, ' art 10'),
  ('cn.report-content', 'report', '{"checks": ["content", "agreement"], "regime": ["mandatory_gb"]}',
   'quarantine', 'warn', 'medium', 'test report must tell product, basis and result, and agree with the page', 110, ' arts 8(1)(3), 13(3)'),
  ('cn.ccc-status', 'certificate', '{"kind": ["ccc"], "checks": ["status"], "regime": ["ccc"]}',
   'deny', 'shadow', 'critical', 'no sale while the CCC certificate is suspended, revoked or cancelled', 117, ' art 29'),
  ('cn.energy-label', 'label', '{"scheme": "energy", "regime": ["energy_label"]}',
   'quarantine', 'warn', 'medium', 'energy label must be shown as registered', 35, ''),
  ('cn.water-label', 'label', '{"scheme": "water", "regime": ["water_label"]}',
   'quarantine', 'warn', 'medium', 'water label must be shown as registered', 6, ' art 8'),
  ('cn.compared-price', 'price', '{"compared": "list_price", "meaning": "list_price_meaning"}',
   'quarantine', 'warn', 'high', 'undetailed compared price must not be above the deals before', 56, ' art 16'),
  ('cn.absolute', 'absolute_term', '{"lexicon": "cn.absolute", "fields": ["title", "description"], "grave": false}',
   'deny', 'skip', 'high', 'absolute wording', 1, ' art 9(3)'),
  ('cn.absolute-grave', 'absolute_term', '{"lexicon": "cn.absolute", "fields": ["title", "description"], "grave": true}',
   'deny', 'skip', 'critical', 'absolute wording on cures, returns or results of education', 1, ' art 9(3); 广告绝对化用语执法指南 art 11'),
  ('cn.absolute-practice', 'absolute_term', '{"lexicon": "cn.absolute-practice", "fields": ["title", "description"]}',
   'shadow', 'skip', 'medium', 'wording like the absolute, by practice', 1, ' art 9(3); 广告绝对化用语执法指南 art 2'),
  ('cn.medical-claim', 'claim', '{"lexicon": "cn.medical-claim", "fields": ["title", "description"], "except_regime": ["medical"]}',
   'quarantine', 'skip', 'high', 'medical claim outside medical goods', 1, ' art 17'),
  ('cn.health-food', 'page', '{"statement": "本品不能代替药物", "in": ["description", "title", "warning"], "regime": ["health_food"]}',
   'quarantine', 'quarantine', 'medium', 'health food must say that it does not replace drugs', 1, ' art 18'),
  -- Recalls hold or stop listings without any rule, by their state; this puts the article beside it.
  ('cn.recall', 'recall', '{}',
   'warn', 'skip', 'critical', 'recalled goods must not be sold', 19, ' arts 15, 16')
) AS r(rule, kind, params, verdict, on_missing, severity, title, number, article)
JOIN (VALUES
  (110, '网络销售重点工业产品质量安全监督管理规定 (Order 110)', '[2026-12-01 00:00+08,)'::tstzrange),
  (117, '强制性产品认证管理规定 (Order 117 of 2009, revised by Order 61 of 2022)', '[2009-09-01 00:00+08,)'),
  (35, '能源效率标识管理办法 (Order 35 of 2016)', '[2016-06-01 00:00+08,)'),
  (6, '水效标识管理办法 (Order 6 of 2017)', '[2018-03-01 00:00+08,)'),
  (56, '明码标价和禁止价格欺诈规定 (Order 56)', '[2022-07-01 00:00+08,)'),
  (1, '广告法', '[2021-04-29 00:00+08,)'),
  (19, '消费品召回管理暂行规定 (Order 19)', '[2020-01-01 00:00+08,)')
) AS l(number, law, effect) USING (number);
CREATE TRIGGER ruleset_rule_builtin BEFORE INSERT OR UPDATE OR DELETE ON ruleset_rule
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
