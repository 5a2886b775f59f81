
-- listing: what a statement says in Chinese of what the shipped kinds find, and of the rule set cn

INSERT INTO listing_template (language, part, body, builtin)
SELECT 'zh', 'fact_' || p.part, '{n}. ' || p.body, true
FROM (VALUES
  ('absent', '字段“{field}”未填写'),
  ('merchant_may', '商家当前不具备发布该商品信息的资格，或者该项权限受到限制。系统记录为“{message}”'),
  ('recall', '字段“{field}”所示商品在第 {recall} 号召回的范围内'),
  ('license', '商家没有该类目所需的有效许可“{license}”'),
  ('watchlist', '商家在名单“{watchlist}”之内'),
  ('expression', '该商品信息未通过规则“{title}”的检查'),
  ('page', '字段“{field}”没有可以辨认的内容'),
  ('page_any_of', '以下各项均未展示：“{any_of}”'),
  ('page_statement', '以下各项“{in}”均未载有声明“{statement}”'),
  ('certificate_register', '登记信息中没有编号为“{number}”的证书'),
  ('certificate_type', '证书“{number}”的产品类型为“{product_type}”，与页面所示不一致'),
  ('certificate_type_missing', '页面未载明产品类型，无法与证书“{number}”核对'),
  ('certificate_model', '证书“{number}”不包括页面所示型号'),
  ('certificate_model_missing', '页面或者登记信息未载明型号，无法与证书“{number}”核对'),
  ('certificate_status', '证书“{number}”自 {since} 起处于{state}状态'),
  ('certificate_status_missing', '登记信息中没有证书“{number}”的状态'),
  ('certificate_validity', '证书“{number}”的有效期为 {valid_from} 至 {valid_until}，认定时不在有效期内'),
  ('certificate_validity_missing', '登记信息中没有证书“{number}”的有效期截止日'),
  ('certificate_holder', '证书“{number}”的持有人为“{holder}”，既非生产者，也非商家'),
  ('certificate_holder_missing', '登记信息中没有证书“{number}”的持有人'),
  ('report_present', '未提供检测报告，也未提供检测报告的链接'),
  ('report_link', '检测报告仅以链接提供，其内容无法核对'),
  ('report_register', '平台没有该商家编号为“{number}”的检测报告'),
  ('report_content', '检测报告“{number}”未完整载明产品、检测依据和检测结果'),
  ('report_product', '检测报告“{number}”的产品为“{product}”，与页面所示不一致'),
  ('report_product_missing', '页面未载明产品，无法与检测报告“{number}”核对'),
  ('report_model', '检测报告“{number}”不包括页面所示型号'),
  ('report_model_missing', '页面未载明型号，无法与检测报告“{number}”核对'),
  ('report_basis', '检测报告“{number}”的检测依据为“{basis}”，与页面所示标准不一致'),
  ('report_basis_missing', '页面未载明标准，无法与检测报告“{number}”核对'),
  ('report_validity', '检测报告“{number}”签发于 {issued_on}，有效期至 {valid_until}，认定时不在有效期内'),
  ('report_passed', '检测报告“{number}”的结果为不合格'),
  ('report_passed_missing', '检测报告“{number}”的结果是否合格无法得知'),
  ('label', '字段“{field}”所示“{shown}”与标识备案信息不一致'),
  ('label_shown', '未展示标识：字段“{field}”未填写'),
  ('label_register', '标识备案信息中没有备案号“{record}”'),
  ('label_register_missing', '标识备案信息中没有该商品的标识'),
  ('price', '被比较价格 {compared} 未说明含义，且高于此前成交价 {bound}'),
  ('price_deal', '被比较价格 {compared} 未说明含义，且没有该商品此前的成交记录'),
  ('price_amount', '字段“{field}”所示“{shown}”不是金额'),
  ('price_item', '该商品没有编号，无法查找此前的成交记录'),
  ('absolute_term_too_many', '字段“{field}”中“{matched}”一类的用语超过二百处，无法逐一查看其前后文'),
  ('signal', '模型“{model}”（版本“{version}”）的评分为 {score}，达到阈值 {threshold}'),
  ('signal_missing', '没有模型“{model}”的评分'),
  ('brand', '字段“{field}”中的“{matched}”使用或者近似于受保护的品牌“{brand}”，未见授权'),
  ('duplicate', '字段“{field}”与已被下架的商品信息相似')
) AS p(part, body);
CREATE TRIGGER listing_template_builtin BEFORE INSERT OR UPDATE OR DELETE ON listing_template
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

INSERT INTO listing_translation (language, original, body, builtin)
SELECT 'zh', r.title, t.body, true
FROM (VALUES
  ('cn.page-fields', '页面应当展示产品名称、生产者名称和地址、型号、执行标准'),
  ('cn.page-warning', '页面应当展示必要的警示标志或者中文警示说明'),
  ('cn.page-certificate', '页面应当展示证书编号或者其链接'),
  ('cn.page-report', '页面应当展示检测报告或者其链接'),
  ('cn.barcode', '产品应当有商品条码或者其他可以识别的标识'),
  ('cn.certificate', '证书应当在登记信息中，且与产品类型相符'),
  ('cn.certificate-validity', '证书应当在有效期内'),
  ('cn.licence-status', '生产许可证应当有效'),
  ('cn.report', '没有检测报告的产品不得发布'),
  ('cn.report-content', '检测报告应当载明产品、检测依据和检测结果，并与页面一致'),
  ('cn.ccc-status', '强制性产品认证证书被暂停、撤销或者注销的，不得销售'),
  ('cn.energy-label', '能效标识应当展示，且与备案信息一致'),
  ('cn.water-label', '水效标识应当展示，且与备案信息一致'),
  ('cn.compared-price', '未说明含义的被比较价格不得高于此前成交价'),
  ('cn.absolute', '绝对化用语'),
  ('cn.absolute-grave', '有关疗效、收益或者教育培训效果的绝对化用语'),
  ('cn.absolute-practice', '实践中与绝对化用语类似的用语'),
  ('cn.medical-claim', '非医疗商品使用医疗用语'),
  ('cn.health-food', '保健食品应当声明本品不能代替药物'),
  ('cn.recall', '被召回的商品不得销售')
) AS t(rule, body)
JOIN ruleset_rule r USING (rule)
UNION ALL
SELECT 'zh', s.original, s.body, true
FROM (VALUES ('merchant_may', '商家应当具备发布该商品信息的资格和权限'), ('recall', '被召回的商品按召回的进程暂停展示或者停止销售'),
             ('suspended', '暂停'), ('revoked', '撤销'), ('cancelled', '注销')) AS s(original, body);
CREATE TRIGGER listing_translation_builtin BEFORE INSERT OR UPDATE OR DELETE ON listing_translation
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
